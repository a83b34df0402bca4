"""The Ray executor: each slot is a place on some node of a Ray cluster, wherever there is one with the resources.

Ray is met in a process of its own, see `ray_driver`: this module knows lines only, and imports nothing of Ray.
"""

import asyncio
import contextlib
import importlib.util
import logging
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec

from understudy.core.errors import TaskFailed, Violation
from understudy.core.ports import OnProgress
from understudy.core.render import RenderJob, RenderResult
from understudy.executors.child import RenderLimits, spawn_tethered
from understudy.executors.local import RestartPause
from understudy.executors.ray_wire import (
    Advanced,
    DriverMessage,
    DriverOrder,
    Ended,
    GiveUp,
    Join,
    Joined,
    Leave,
    Needs,
    Placed,
    Refused,
    Room,
    Run,
    Unplaced,
    Waits,
    Warmed,
    decode_driver_message,
    encode_value,
)
from understudy.executors.wire import Failed, Rendered, Stopped
from understudy.storage.cannot_open import CannotOpen

log = logging.getLogger(__name__)

BEATEN_S = 30.0
"""A driver process that says nothing for so long is given up; it beats every two seconds."""

LEAVE_S = 15.0
"""How long the driver may take to give its places back; then it is killed, and Ray takes them."""

KILLED_S = 20.0
"""How long the end of a render that is killed on its node may take to be known; then its driver is given up with it."""

BURIED_S, READ_BYTES = 1.0, 65536
"""How long the last words of a driver that is gone are read, so many bytes at a time."""

ENVELOPE_BYTES = 4096
"""What a line has around an engine's longest message."""

DRIVER_ENVIRONMENT = {"RAY_USAGE_STATS_ENABLED": "0"}
"""Nothing is told to anybody about who uses this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Where Ray is, and what it sets aside for one slot.

    address: ``"host:port"`` of the cluster that this machine is a node of; "" = what ``RAY_ADDRESS`` says, or the one
    that was started here. resources: the operator's own, name -> how much.
    """

    address: str = ""
    num_cpus: float = 1.0
    num_gpus: float = 0.0
    resources: Mapping[str, float] = field(default_factory=dict)


class DriverBroken(Exception):
    """The driver process is gone, or was given up. For the log only."""


class _Place:
    """What is known of one slot."""

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self.placed = asyncio.Event()
        self.is_warm = False
        self.waiting: set[asyncio.Future[None]] = set()

    def gain(self) -> None:
        self.placed.set()
        for each in self.waiting:
            if not each.done():
                each.set_result(None)

    def lose(self) -> None:
        """Whoever waits goes on waiting: the next node may be as good as any."""
        self.placed.clear()
        self.is_warm = False

    def lose_with_all(self) -> None:
        """Tell those who wait: where there is no cluster there is no next node."""
        self.lose()
        for each in self.waiting:
            if not each.done():
                each.set_exception(_failure("No machine could take the video on."))


class _Call:
    """A job under way."""

    def __init__(self, on_progress: OnProgress) -> None:
        self.on_progress = on_progress
        loop = asyncio.get_running_loop()
        self.end: asyncio.Future[Rendered | Stopped | Failed] = loop.create_future()
        self.bug: asyncio.Future[None] = loop.create_future()
        for each in (self.end, self.bug):
            # Seen by nobody when the caller is gone.
            each.add_done_callback(lambda done: done.cancelled() or done.exception())

    async def ended(self) -> Rendered | Stopped | Failed:
        """Wait for the end of the job.

        Raises: DriverBroken; what on_progress raised.
        """
        both: set[asyncio.Future[Any]] = {self.end, self.bug}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if self.bug.done():
            self.bug.result()
        return self.end.result()


class RayExecutor:
    """Implements `core.ports.Executor` with places on the nodes of a Ray cluster."""

    def __init__(  # tidy: as the local executor, and where the cluster is
        self,
        engine: str,
        slots: int,
        *,
        cluster: Cluster,
        limits: RenderLimits,
        pause: RestartPause,
        arguments: Mapping[str, object] | None = None,
        environments: Sequence[Mapping[str, str]] = (),
    ) -> None:
        """Take the engine as ``"module:attribute"``, to be imported on the nodes.

        arguments, environments: as of `LocalExecutor`; which devices a slot sees is for Ray to say.
        Raises: CannotOpen where Ray is not installed, or cannot be met at such an address; ValueError for environments
        of more or fewer slots.
        """
        if environments and len(environments) != slots:
            raise ValueError(f"{len(environments)} environments were given for {slots} slots")
        if importlib.util.find_spec("ray") is None:
            raise CannotOpen("the executor ray needs Ray: pip install 'understudy[ray]'")
        if "://" in cluster.address:
            raise CannotOpen(
                f"the setting ray_address is {cluster.address!r}, but it has to be host:6379 of a cluster that this "
                "machine is a node of: ray start --address=host:6379 --num-cpus=0"
            )
        rooms = [
            Room(
                engine=engine,
                arguments=dict(arguments or {}),
                environment=dict(environment),
                limits=limits,
                pause=pause,
            )
            for environment in environments or ({},) * slots
        ]
        needs = Needs(num_cpus=cluster.num_cpus, num_gpus=cluster.num_gpus, resources=dict(cluster.resources))
        self._join = Join(address=cluster.address, needs=needs, rooms=tuple(rooms))
        self._limits = limits
        self._pause = pause
        self._places: list[_Place] = []
        self._calls: dict[tuple[int, int], _Call] = {}
        self._number = 0
        self._driver: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._is_closing = False

    async def start(self) -> None:
        """Begin to join the cluster and return at once: a job waits for its place, the server does not."""
        self._places = [_Place() for _ in self._join.rooms]
        if not self._places:
            return
        self._keeper = asyncio.create_task(self._keep())

    def is_ready(self) -> bool:
        """Say whether some slot has a place with a warm engine."""
        return any(place.is_warm for place in self._places)

    async def available(self, slot: int) -> None:
        """Return once the slot has a place."""
        await self._places[slot].placed.wait()

    async def run(self, slot: int, job: RenderJob, on_progress: OnProgress) -> RenderResult:
        """Run a job; see the port.

        Raises: TaskFailed; retryable when the place was lost, or none was there in time.
        """
        place = self._places[slot]
        async with place.turn:
            await self._until_placed(place)
            self._number += 1
            key = (slot, self._number)
            call = self._calls[key] = _Call(on_progress)
            # A driver, and a node, has its own idea of where it stands.
            here = replace(job, output_dir=_absolute(job.output_dir))
            try:
                self._send(Run(*key, here))
                end = await call.ended()
            except DriverBroken as error:
                raise _failure("The connection to the machine that rendered the video was lost.") from error
            except BaseException:  # boundary: cancelled, or a bug in on_progress; nobody waits for this render
                await self._give_up(key, call)
                raise
            finally:
                del self._calls[key]
        if isinstance(end, Rendered):
            return end.result
        if isinstance(end, Failed):
            raise TaskFailed(Violation(end.code, end.param, end.message), is_retryable=end.is_retryable)
        raise _failure("The render was stopped.")

    async def _until_placed(self, place: _Place) -> None:
        """Wait for a place, no longer than an engine may take to get ready.

        Raises: TaskFailed.
        """
        if place.placed.is_set():
            return
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        place.waiting.add(waiting)
        try:
            async with asyncio.timeout(self._limits.warm_timeout_s):
                await waiting
        except TimeoutError as error:
            raise _failure("No machine was free for the video in time.") from error
        finally:
            place.waiting.discard(waiting)

    async def _give_up(self, key: tuple[int, int], call: _Call) -> None:
        """Make an end of a render that nobody waits for, and wait until it is known to be over.

        To be cancelled while its engine is asked means that there is no time to ask.
        """
        try:
            if self._limits.stops_within_s > 0:
                await self._ended(key, call, patience_s=self._limits.stops_within_s + KILLED_S)
        finally:
            await self._killed(key, call)

    async def _killed(self, key: tuple[int, int], call: _Call) -> None:
        """Order the end of the render, in a task of its own: it is not to be cut short."""
        ending = asyncio.create_task(self._ended(key, call, patience_s=KILLED_S))
        cancelled: asyncio.CancelledError | None = None
        while not ending.done():
            try:
                await asyncio.shield(ending)
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            raise cancelled

    async def _ended(self, key: tuple[int, int], call: _Call, *, patience_s: float) -> None:
        """Order to give the job up and wait for its end. A driver that cannot bring it about is killed."""
        if call.end.done():
            return
        with contextlib.suppress(DriverBroken):
            self._send(GiveUp(*key))
        done, _ = await asyncio.wait({call.end}, timeout=patience_s)
        if not done:
            log.error("a render could not be ended on its node; its driver process is given up")
            self._kill_driver()

    def _send(self, order: DriverOrder) -> None:
        """Send an order.

        Raises: DriverBroken.
        """
        driver = self._driver
        if driver is None or driver.stdin is None or driver.stdin.is_closing():
            raise DriverBroken("there is no driver process")
        driver.stdin.write(encode_value(order) + b"\n")

    async def _keep(self) -> None:
        """Keep a driver process, one after another."""
        failures = 0
        while True:
            await asyncio.sleep(self._pause.after(failures))
            failures += 1
            lifeline_fd: int | None = None
            try:
                self._driver, lifeline_fd = await spawn_tethered(
                    ("understudy.executors.ray_driver",),
                    line_bytes_max=self._limits.line_bytes_max + ENVELOPE_BYTES,
                    environment=DRIVER_ENVIRONMENT,
                )
                self._send(self._join)
                while True:
                    message = await self._received(self._driver)
                    if isinstance(message, Joined):
                        failures = 0
                    self._take(message)
            except (DriverBroken, OSError) as error:
                if self._is_closing:
                    return
                log.error("the Ray cluster is lost, or cannot be joined: %s", error)  # noqa: TRY400
            finally:
                self._lose_all()
                if lifeline_fd is not None:
                    os.close(lifeline_fd)
                await self._bury()

    async def _received(self, driver: asyncio.subprocess.Process) -> DriverMessage:
        assert driver.stdout is not None
        try:
            async with asyncio.timeout(BEATEN_S):
                line = await driver.stdout.readline()
        except TimeoutError as error:
            raise DriverBroken(f"its driver process said nothing for {BEATEN_S:g} s") from error
        except (ValueError, ConnectionError) as error:
            raise DriverBroken(f"its driver process was not understood: {error}") from error
        if not line.endswith(b"\n"):
            raise DriverBroken("its driver process ended")
        try:
            return decode_driver_message(line)
        except msgspec.DecodeError as error:
            raise DriverBroken(f"its driver process was not understood: {error}") from error

    def _take(self, message: DriverMessage) -> None:
        match message:
            case Refused(reason):
                raise DriverBroken(reason)
            case Placed(slot, node):
                log.info("slot %d has a place on %s", slot, node)
                self._places[slot].gain()
            case Unplaced(slot, reason):
                log.error("slot %d has no place: %s", slot, reason)
                self._places[slot].lose()
            case Waits(slot, reason):
                log.warning("slot %d %s", slot, reason)
            case Warmed(slot, is_warm):
                self._places[slot].is_warm = is_warm
            case Advanced(slot, number, done, total):
                self._advance(self._calls.get((slot, number)), done, total)
            case Ended(slot, number, end):
                call = self._calls.get((slot, number))
                if call is not None and not call.end.done():
                    call.end.set_result(end)
            case _:
                pass

    def _advance(self, call: _Call | None, done: int, total: int) -> None:
        if call is None:
            return
        try:
            call.on_progress(done, total)
        except Exception as error:  # boundary: a bug of the listener's is the listener's, not the other slots'
            if not call.bug.done():
                call.bug.set_exception(error)

    def _lose_all(self) -> None:
        for place in self._places:
            place.lose_with_all()
        for call in self._calls.values():
            if not call.end.done():
                call.end.set_exception(DriverBroken("the driver process is gone"))

    def _kill_driver(self) -> None:
        if self._driver is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._driver.pid, signal.SIGKILL)

    async def _bury(self) -> None:
        """Kill the driver process if it still lives, and let go of it."""
        driver = self._driver
        if driver is None or driver.stdin is None or driver.stdout is None:
            return
        self._kill_driver()
        driver.stdin.close()
        await driver.wait()
        # The loop lets go of the pipes when it has read their end.
        with contextlib.suppress(TimeoutError, ConnectionError, ValueError):
            async with asyncio.timeout(BURIED_S):
                while await driver.stdout.read(READ_BYTES):
                    pass
        self._driver = None

    async def close(self) -> None:
        """Kill what runs, give the places back and leave the cluster as it is."""
        if self._keeper is None:
            return
        self._is_closing = True
        with contextlib.suppress(DriverBroken):
            self._send(Leave())
            await asyncio.wait({self._keeper}, timeout=LEAVE_S)
        self._keeper.cancel()
        await asyncio.wait({self._keeper})
        self._keeper = None
        # Once more, if the keeper was cut short while it did so.
        await self._bury()


def _absolute(path: str) -> str:
    return str(Path(path).absolute())


def _failure(message: str) -> TaskFailed:
    return TaskFailed(Violation("InternalServiceError", "", message), is_retryable=True)
