"""The local executor: one warm render process per slot on this machine, replaced whenever it is lost."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from understudy.core.errors import TaskFailed, Violation
from understudy.core.ports import OnProgress
from understudy.core.render import RenderJob, RenderResult
from understudy.executors.child import ChildBroken, EngineCall, RenderChild, RenderLimits

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartPause:
    """How long to wait before a process that could not be warmed is started anew: doubled each time, up to a most."""

    first_s: float
    most_s: float

    def after(self, failures: int) -> float:
        """Return the pause in seconds after so many failures in a row."""
        if failures == 0:
            return 0.0
        # The exponent is bounded: a slot that fails for a week must not compute a number of a million digits.
        return min(self.most_s, self.first_s * 2.0 ** min(failures - 1, 30))


class Slot:
    """One place for a render process: keeps a warm one in it, or says why there is none.

    The children come one after another from a single loop, so at most one is alive. A job takes the child out and
    gives it back; a child that ended meanwhile is simply not given back, and the loop brings the next one.
    """

    def __init__(self, engine: EngineCall, limits: RenderLimits, pause: RestartPause) -> None:
        self._engine = engine
        self._limits = limits
        self._pause = pause
        self._child: RenderChild | None = None
        self.is_warm = False
        self._idle: asyncio.Queue[RenderChild | None] = asyncio.Queue()
        self._keeper = asyncio.create_task(self._keep())

    async def take(self) -> RenderChild:
        """Return the warm child, once there is one; nobody else has it until it is given back.

        Raises: ChildBroken when a child could not be warmed; each such failure is told to one taker.
        """
        while (child := await self._idle.get()) is not None:
            if not child.has_ended:
                return child
        raise ChildBroken("no render process could be warmed")

    def give_back(self, child: RenderChild) -> None:
        """Put a child back that was taken."""
        if not child.has_ended:
            self._idle.put_nowait(child)

    async def _keep(self) -> None:
        failures = 0
        while True:
            await asyncio.sleep(self._pause.after(failures))
            try:
                await self._fill()
                failures = 0
            except (ChildBroken, OSError) as error:
                failures += 1
                log.error("engine %s could not be warmed, %d in a row: %s", self._engine.reference, failures, error)  # noqa: TRY400
                self._publish(None)

    async def _fill(self) -> None:
        """Start a child, publish it when it is warm, and return when it has ended."""
        self._child = await RenderChild.spawn(self._engine, self._limits)
        try:
            await self._child.become_ready()
            self.is_warm = True
            self._publish(self._child)
            await self._child.ended()
        finally:
            self.is_warm = False
            self._child.kill()

    def _publish(self, child: RenderChild | None) -> None:
        """Replace what lies there, an ended child or an older failure, by the news."""
        while not self._idle.empty():
            self._idle.get_nowait()
        self._idle.put_nowait(child)

    async def close(self) -> None:
        """Kill the child, start no other, and let nobody wait for one."""
        self._keeper.cancel()
        await asyncio.wait({self._keeper})
        self._publish(None)
        if self._child is not None:
            await self._child.end()


class LocalExecutor:
    """Implements `core.ports.Executor` with warm subprocesses; see `executors.render_process` for their side."""

    def __init__(
        self,
        engine: str,
        slots: int,
        *,
        limits: RenderLimits,
        pause: RestartPause,
        arguments: Mapping[str, object] | None = None,
        environments: Sequence[Mapping[str, str]] = (),
    ) -> None:
        """Take the engine as ``"module:attribute"``, so that only the render process ever imports it.

        arguments: JSON; by keyword, to what makes the engine. environments: for each slot what is added to the
        environment of its processes; empty = nothing.
        Raises: ValueError when there are environments for more or fewer slots.
        """
        if environments and len(environments) != slots:
            raise ValueError(f"{len(environments)} environments were given for {slots} slots")
        self._calls = tuple(
            EngineCall(reference=engine, arguments=arguments or {}, environment=environment)
            for environment in environments or ({},) * slots
        )
        self._limits = limits
        self._pause = pause
        self._slots: list[Slot] = []

    async def start(self) -> None:
        """Begin to warm all slots and return at once: a job waits for its slot, the server does not."""
        self._slots = [Slot(call, self._limits, self._pause) for call in self._calls]

    async def available(self, slot: int) -> None:
        """Return at once: places on this machine are there, and one that cannot be warmed tells its job why."""

    def is_ready(self) -> bool:
        """Say whether some slot has a warm process, at work or waiting for it."""
        return any(slot.is_warm for slot in self._slots)

    async def run(self, slot: int, job: RenderJob, on_progress: OnProgress) -> RenderResult:
        """Run a job; see the port. A process that breaks is replaced in the background.

        Raises: TaskFailed.
        """
        place = self._slots[slot]
        child: RenderChild | None = None
        try:
            child = await place.take()
            return await child.render(job, on_progress)
        except TaskFailed:
            raise
        except ChildBroken as error:
            if child is None:
                raise _failure("No render process of the engine could be started.") from error
            log.warning("slot %d lost render process %d: %s", slot, child.pid, error)
            await child.end()
            raise _failure("The render process ended before the video was finished.") from error
        except BaseException:  # boundary: cancelled, or a bug in on_progress; either way nobody waits for this render
            if child is not None:
                await self._give_up(child)
            raise
        finally:
            if child is not None:
                place.give_back(child)

    async def _give_up(self, child: RenderChild) -> None:
        """Make an end of a render that nobody waits for: by asking, where its engine stops when asked, or by force.

        To be cancelled while it asks means that there is no time to ask.
        """
        asking = asyncio.create_task(child.stop()) if self._limits.stops_within_s > 0 else None
        has_stopped = False
        try:
            if asking is not None:
                await asyncio.wait({asking})
                has_stopped = asking.result()
        finally:
            if not has_stopped:
                if asking is not None:
                    asking.cancel()
                    log.warning("render process %d did not stop and is killed", child.pid)
                await child.end()

    async def close(self) -> None:
        """Kill what runs and end all processes."""
        slots, self._slots = self._slots, []
        await asyncio.gather(*(slot.close() for slot in slots))


def _failure(message: str) -> TaskFailed:
    return TaskFailed(Violation("InternalServiceError", "", message), is_retryable=True)
