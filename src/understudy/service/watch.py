"""Watching tasks: whoever waits for a change of one is told when it comes, however many wait.

What a store tells (`TaskStore.listen`) is a hint, at which a task is looked at; and each that is watched is looked at
every so often in any case. So a change is seen when the store tells nothing, when what it told was lost, when another
server made it, and when it is progress, of which nothing is told.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from understudy.core.errors import NotFound, Unavailable
from understudy.core.task import ENDED, Status, Task
from understudy.service.query import Queries

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.5
"""As often as workers report progress: seldomer would hide some of it, oftener would see nothing new."""

LOOKS_PER_S = 200
"""A hundredth of what a store answers. Where more tasks are watched each is looked at less often, and what is told is
still told at once."""

LOOKS_AT_A_TIME = 20


class Watch:
    """One who waits at a task; made by `Watcher.watching`."""

    def __init__(self, sight: "_Sight") -> None:
        self._sight = sight
        self._stirred = asyncio.Event()
        self.is_over = False

    @property
    def task(self) -> Task:
        """The task as it was last seen, by anybody who watches it.

        Raises: NotFound: it is gone.
        """
        if self._sight.gone is not None:
            raise self._sight.gone
        return self._sight.task

    async def stirred(self, timeout_s: float) -> bool:
        """Return True once something changed or waiting is over, False when nothing did in so many seconds.

        What changed since this returned last is not missed.
        """
        try:
            async with asyncio.timeout(timeout_s):
                await self._stirred.wait()
        except TimeoutError:
            return False
        self._stirred.clear()
        return True

    async def left(self, seen: Status, timeout_s: float) -> Task:
        """Return the task once its status is another than was seen, or it has ended, or the time or waiting is over.

        Raises: NotFound: it is gone.
        """
        until = asyncio.get_running_loop().time() + timeout_s
        while True:
            task = self.task
            rest_s = until - asyncio.get_running_loop().time()
            if task.status is not seen or task.status in ENDED or self.is_over or rest_s <= 0:
                return task
            await self.stirred(rest_s)

    def end(self) -> None:
        """Wait no longer: the client left, or the server stops."""
        self.is_over = True
        self.stir()

    def stir(self) -> None:
        """Have whoever waits look."""
        self._stirred.set()


class _Sight:
    """One task that is watched, and all who watch it: a look serves them all."""

    __slots__ = ("gone", "is_looking", "is_stale", "owner", "task", "watches")

    def __init__(self, owner: str, task: Task) -> None:
        self.owner = owner
        self.task = task
        self.gone: NotFound | None = None
        self.watches: set[Watch] = set()
        self.is_looking = False
        self.is_stale = False

    def saw(self, task: Task) -> None:
        before, self.task = self.task, task
        if _state(task) != _state(before):
            self.stir()

    def lost(self, error: NotFound) -> None:
        self.gone = error
        self.stir()

    def stir(self) -> None:
        for watch in self.watches:
            watch.stir()


class Watcher:
    """Knows which tasks are watched, listens for their changes and looks at them. For one event loop.

    Who waits costs a look every now and then, shared with all who watch the same task, and nothing else.
    """

    def __init__(self, queries: Queries, *, look_every_s: float = LOOK_EVERY_S, looks_per_s: int = LOOKS_PER_S) -> None:
        self._queries = queries
        self._look_every_s = look_every_s
        self._looks_per_s = looks_per_s
        self._sights: dict[str, _Sight] = {}
        self._everywhere = asyncio.Event()
        self._looks: set[asyncio.Task[None]] = set()
        self._rounds: asyncio.Task[None] | None = None
        self._is_listening = False
        self._is_closed = False

    @property
    def watched(self) -> int:
        """How many tasks are watched."""
        return len(self._sights)

    @asynccontextmanager
    async def watching(self, owner: str, task_id: str) -> AsyncIterator[Watch]:
        """Watch a task while the block runs.

        Raises: NotFound, also for another owner's task; Unavailable.
        """
        self._listen()
        task = await self._queries.get(owner, task_id)
        sight = self._sights.get(task_id)
        is_new = sight is None
        if sight is None:
            sight = self._sights[task_id] = _Sight(owner, task)
        watch = Watch(sight)
        sight.watches.add(watch)
        try:
            if self._is_closed:
                watch.end()
            # What changed between reading it and watching it was told to nobody.
            elif is_new or _state(sight.task) != _state(task):
                await self._look(sight)
            self._begin_rounds()
            yield watch
        finally:
            sight.watches.discard(watch)
            if not sight.watches and self._sights.get(task_id) is sight:
                del self._sights[task_id]

    async def changed(self, owner: str, task_id: str, seen: Status, *, timeout_s: float) -> Task:
        """Return the task once its status is another than was seen, or it has ended, or the time is over.

        Raises: NotFound; Unavailable.
        """
        async with self.watching(owner, task_id) as watch:
            return await watch.left(seen, timeout_s)

    def close(self) -> None:
        """End all waiting, now and from now on: the server stops."""
        self._is_closed = True
        if self._rounds is not None:
            self._rounds.cancel()
        for sight in self._sights.values():
            for watch in sight.watches:
                watch.end()

    def _listen(self) -> None:
        # At the first watch and not before, because it must be on the loop that serves.
        if not self._is_listening:
            self._is_listening = True
            self._queries.store.listen(self._heard)

    def _heard(self, task_id: str | None) -> None:
        if task_id is None:
            self._everywhere.set()
            return
        sight = self._sights.get(task_id)
        if sight is not None and not self._is_closed:
            look = asyncio.get_running_loop().create_task(self._look(sight))
            self._looks.add(look)
            look.add_done_callback(self._looks.discard)

    def _begin_rounds(self) -> None:
        if not self._is_closed and (self._rounds is None or self._rounds.done()):
            self._rounds = asyncio.get_running_loop().create_task(self._go_round(), name="watching tasks")

    async def _go_round(self) -> None:
        """Look at all that is watched, again and again, as long as anything is."""
        while self._sights:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._look_every_s):
                    await self._everywhere.wait()
            is_urgent = self._everywhere.is_set()
            self._everywhere.clear()
            for number, sight in enumerate(tuple(self._sights.values()), 1):
                await self._look(sight)
                if number % LOOKS_AT_A_TIME == 0:
                    # Also when it is urgent the loop has other work.
                    await asyncio.sleep(0 if is_urgent else LOOKS_AT_A_TIME / self._looks_per_s)
            # What is heard without end may not make this a loop without a pause.
            await asyncio.sleep(self._look_every_s / LOOKS_AT_A_TIME)

    async def _look(self, sight: _Sight) -> None:
        """Look at a task, once more if it changed meanwhile; a store that is away is no news."""
        sight.is_stale = True
        if sight.is_looking:
            return
        sight.is_looking = True
        try:
            while sight.is_stale and sight.watches:
                sight.is_stale = False
                sight.saw(await self._queries.get(sight.owner, sight.task.id))
        except NotFound as error:
            sight.lost(error)
        except Unavailable as error:
            log.debug("task %s could not be looked at: %s", sight.task.id, error)
        except Exception:  # boundary: a bug in one look must not end the looks at other tasks
            log.exception("task %s could not be looked at", sight.task.id)
        finally:
            sight.is_looking = False


def _state(task: Task) -> tuple[object, ...]:
    """Return what a change of a task changes."""
    return task.status, task.attempt, task.progress, task.updated_at
