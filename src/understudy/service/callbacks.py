"""Telling callers of changes: what the outbox has due is posted, each try is recorded, and what failed comes again.

The outbox is in the store, so a change is told at least once whatever happens to this process: what it took and did not
settle is due again when the lease of it is over, here or at another server, under the same id.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import perf_counter
from typing import Protocol

from understudy.core.callbacks import Callback, CallbackStore, DeliveryState, Try
from understudy.core.errors import Unavailable
from understudy.core.ports import Clock
from understudy.service.callback_places import Places
from understudy.service.callback_schedule import Schedule
from understudy.service.onward_clock import OnwardClock

log = logging.getLogger(__name__)

LOOK_PAUSE_S = 0.05
"""After a look at the outbox that was in vain. Every task that changes is a reason to look, whether or not anybody is
to be told: under load that is thousands in a second."""

SETTLE_PAUSES_S = (0.2, 1.0)
"""Before each further try to record what became of a post; a database that restarts is back in about that time."""

LEASE_SPARE_S = 5.0
"""Beyond the time of a post, for recording it. So long, at most, waits what a killed server had under way."""

PLACE_CHARS_MAX = 200
SUCCESS = range(200, 300)


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """What became of a post. status: the answer's, None without one. fault: half a sentence that its owner may read.

    reason: for the operator's log, with more in it.
    """

    status: int | None = None
    fault: str = ""
    reason: str = ""


class Courier(Protocol):
    """Who brings a callback to its target."""

    async def deliver(self, callback: Callback, body: bytes, *, now: datetime) -> Posted:
        """Post the body, signed as of now. It takes no longer than may be waited for an answer, and never fails."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbox:
    """What the sender stands between. encode: the body, as the caller's own dialect shows the task."""

    store: CallbackStore
    encode: Callable[[Callback], bytes]
    courier: Courier
    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How much and how fast. post_s: the longest that a post takes. at_once: posts under way at a time.

    poll_interval_s: the longest pause between two looks. drain_s: how long closing waits for posts.
    """

    schedule: Schedule
    post_s: float
    at_once: int
    poll_interval_s: float
    drain_s: float
    lease_spare_s: float = LEASE_SPARE_S


class CallbackSender:
    """Tells what is due, as soon as it is due. Any number of servers may do so over one database."""

    def __init__(self, outbox: Outbox, pace: Pace) -> None:
        self._at = outbox
        # When something is due goes by it; a clock that is set back would put everything off by as much.
        self._clock = OnwardClock(outbox.clock)
        self._pace = pace
        self._places = Places(pace.at_once)
        self._posts: set[asyncio.Task[None]] = set()
        self._woken = asyncio.Event()
        self._looking = asyncio.Lock()
        self._is_closing = False
        self._loop: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to look for what is due."""
        self._loop = asyncio.create_task(self._serve(), name="callbacks")

    def wake(self, _task_id: str | None = None) -> None:
        """Look at once: something changed. To be given to `TaskStore.listen`."""
        self._woken.set()

    async def close(self) -> None:
        """Take no more, and wait a while for what is under way; the rest is due again at once, for the next server."""
        self._is_closing = True
        self.wake()
        if self._loop is not None:
            await asyncio.wait({self._loop})
        if self._posts:
            _, late = await asyncio.wait(self._posts, timeout=self._pace.drain_s)
            for post in late:
                post.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def round(self) -> None:
        """Tell all that is due now, and return when it was told or its tries have failed.

        Raises: Unavailable.
        """
        while await self._begin_due() or self._posts:
            await asyncio.wait(set(self._posts), return_when=asyncio.FIRST_COMPLETED)

    async def _serve(self) -> None:
        while not self._is_closing:
            # Cleared before looking: what comes in while we look is not overlooked.
            self._woken.clear()
            pause_s, has_begun = self._pace.poll_interval_s, False
            try:
                due_at = await self._at.store.next_due()
                if due_at is not None and due_at <= self._clock.now():
                    has_begun = await self._begin_due()
                    due_at = await self._at.store.next_due()
                pause_s = self._until(due_at)
            except Unavailable as error:
                log.warning("callbacks are not sent at the moment: %s", error)
            except Exception:  # boundary: whatever the store met, callbacks go on, at the pace of the poll
                log.exception("could not look for callbacks")
            if not has_begun:
                await asyncio.sleep(LOOK_PAUSE_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._woken.wait()

    def _until(self, due_at: datetime | None) -> float:
        """Return how long to wait for what is due next; what is due and was not begun waits for a place or a server."""
        due_in_s = (due_at - self._clock.now()).total_seconds() if due_at is not None else 0.0
        return min(due_in_s, self._pace.poll_interval_s) if due_in_s > 0 else self._pace.poll_interval_s

    async def _begin_due(self) -> bool:
        """Begin to post what is due and has a place; say whether that was anything."""
        begun = 0
        async with self._looking:
            most = self._places.taken_most
            while not self._is_closing and (room := min(self._places.free, most)):
                taken = await self._begin(room, with_ailing=False)
                begun += taken
                if taken < room:
                    break
            # One at a time: which origin the next is for is not known before it is taken.
            while not self._is_closing and self._places.has_ailing and self._places.free_for_ailing > 0:
                taken = await self._begin(1, with_ailing=True)
                begun += taken
                if not taken:
                    break
        return begun > 0

    async def _begin(self, most: int, *, with_ailing: bool) -> int:
        now = self._clock.now()
        until = now + timedelta(seconds=self._pace.post_s + self._pace.lease_spare_s)
        busy = self._places.busy(most, with_ailing=not with_ailing)
        found = await self._at.store.take_due(now, until, most, busy=busy)
        for callback in found:
            self._places.begin(callback.target.origin)
            post = asyncio.create_task(self._tell(callback), name=f"callback {callback.id}")
            self._posts.add(post)
            post.add_done_callback(self._ended)
        return len(found)

    def _ended(self, post: asyncio.Task[None]) -> None:
        """Look again: a place is free, and the change after the one that was told may be due."""
        self._posts.discard(post)
        self.wake()

    async def _tell(self, callback: Callback) -> None:
        """Make one try and record it."""
        began_at, began_s = self._at.clock.now(), perf_counter()
        is_cut_off = False
        try:
            posted = await self._at.courier.deliver(callback, self._at.encode(callback), now=began_at)
        except asyncio.CancelledError:
            is_cut_off, posted = True, Posted(fault="the server stopped before an answer came")
        except Exception:  # boundary: one callback that cannot be written or sent must not stop the others
            log.exception("callback %s could not be sent", callback.id)
            posted = Posted(fault="the server could not send it", reason="see the error above")
        took_s = perf_counter() - began_s
        self._places.end(callback.target.origin, took_s=None if posted.status is None else took_s)
        tried = Try(at=began_at, took_s=round(took_s, 3), status=posted.status, fault=_sentence(posted.fault))
        if posted.status in SUCCESS:
            await self._settle(callback, tried, state=DeliveryState.DELIVERED)
        else:
            await self._put_off(callback, tried, posted, is_cut_off=is_cut_off)

    async def _put_off(self, callback: Callback, tried: Try, posted: Posted, *, is_cut_off: bool) -> None:
        gap_s = 0.0 if is_cut_off else self._pace.schedule.gap_s(callback)
        why = posted.reason or posted.fault or f"HTTP {posted.status}"
        if gap_s is None:
            await self._settle(callback, tried, state=DeliveryState.GIVEN_UP)
            told = "callback %s (%s) to %s is given up after %d tries: %s"
            log.warning(told, callback.id, callback.task.status, place_of(callback.target.url), callback.tries, why)
            return
        due_at = self._clock.now() + timedelta(seconds=gap_s)
        await self._settle(callback, tried, state=DeliveryState.PENDING, due_at=due_at)
        told = "callback %s (%s) to %s failed, try %d, again in %.1f s: %s"
        place = place_of(callback.target.url)
        log.info(told, callback.id, callback.task.status, place, callback.tries, gap_s, why)

    async def _settle(
        self, callback: Callback, tried: Try, *, state: DeliveryState, due_at: datetime | None = None
    ) -> None:
        """Record a try; one that cannot be recorded is made again when its lease is over."""
        for pause_s in (*SETTLE_PAUSES_S, None):
            try:
                await self._at.store.settle(callback, tried, state=state, due_at=due_at)
            except Unavailable as error:
                if pause_s is None:
                    log.warning("what became of callback %s could not be recorded: %s", callback.id, error)
                    return
                await asyncio.sleep(pause_s)
            except Exception:  # boundary: the callback keeps its lease, then it is told again
                log.exception("what became of callback %s could not be recorded", callback.id)
                return
            else:
                return


def place_of(url: str) -> str:
    """Return an address as it may be logged: without user name, query and fragment, which may hold secrets."""
    scheme, _, rest = url.partition("://")
    where = rest.partition("?")[0].partition("#")[0]
    authority, slash, path = where.partition("/")
    return ascii(f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"[:PLACE_CHARS_MAX])[1:-1]


def _sentence(fault: str) -> str:
    return f"{fault[:1].upper()}{fault[1:]}." if fault else ""
