"""One render process as its executor sees it: started, spoken to, stopped, killed.

Which job it gets is not decided here.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from understudy.core.errors import CODES, TaskFailed, Violation
from understudy.core.ports import OnProgress
from understudy.core.render import RenderJob, RenderResult
from understudy.executors.wire import (
    Begin,
    Failed,
    Message,
    Progressed,
    Ready,
    Rendered,
    Stop,
    Stopped,
    Work,
    decode_message,
    encode_line,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineCall:
    """How the engine of one process is made.

    reference: ``"module:attribute"``. arguments: by keyword; JSON, and no secret. environment: added to the server's.
    """

    reference: str
    arguments: Mapping[str, object] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderLimits:
    """What a render process may take.

    warm_timeout_s: from start to ready. silence_timeout_s: between two messages of one job.
    render_timeout_s: one job, from first to last. line_bytes_max: the longest message.
    progress_interval_s: the least time between two progress messages. niceness: added to the server's own.
    memory_bytes: private memory, None = no limit.
    stops_within_s: how long a render that is given up may take to stop, so that its process stays warm; 0 = it is
    killed at once.
    """

    warm_timeout_s: float
    silence_timeout_s: float
    render_timeout_s: float
    line_bytes_max: int
    progress_interval_s: float
    niceness: int = 0
    memory_bytes: int | None = None
    stops_within_s: float = 0.0


class ChildBroken(Exception):
    """The process died, fell silent or said something that is no message; it is of no more use. For the log only."""


async def spawn_tethered(
    words: Sequence[str], *, line_bytes_max: int, environment: Mapping[str, str]
) -> tuple[asyncio.subprocess.Process, int]:
    """Start a module of ours as the leader of a session of its own, and return it with our end of its lifeline.

    words: the module and its flags; it is told the other end as ``--lifeline-fd``, see `render_process`. The process
    dies with us, and when our end is closed. environment: added to our own.
    Raises: OSError when no process can be started.
    """
    theirs, ours = os.pipe()
    try:
        # -P: the directory the server happens to be started in is no place to import from.
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", *words, "--lifeline-fd", str(theirs)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            pass_fds=(theirs,),
            start_new_session=True,
            limit=line_bytes_max,
            env={**os.environ, **environment},
        )
    except BaseException:  # boundary: not even a cancelled start leaves a descriptor behind
        os.close(ours)
        raise
    finally:
        os.close(theirs)
    return process, ours


class RenderChild:
    """A running render process, leader of its own session so that it is killed together with all it started."""

    def __init__(self, process: asyncio.subprocess.Process, lifeline_fd: int, limits: RenderLimits) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._orders = process.stdin
        self._answers = process.stdout
        self._lifeline_fd: int | None = lifeline_fd
        self._limits = limits
        self._number = 0
        self._is_working = False
        self._job_ends_at_s = 0.0

    @classmethod
    async def spawn(cls, engine: EngineCall, limits: RenderLimits) -> "RenderChild":
        """Start a process for the engine; it is not warm yet.

        Raises: OSError when no process can be started.
        """
        process, lifeline_fd = await spawn_tethered(
            (
                *("understudy.executors.render_process", "--engine", engine.reference),
                *("--niceness", str(limits.niceness), "--progress-interval-s", str(limits.progress_interval_s)),
                *(() if limits.memory_bytes is None else ("--memory-bytes", str(limits.memory_bytes))),
            ),
            line_bytes_max=limits.line_bytes_max,
            environment=engine.environment,
        )
        child = cls(process, lifeline_fd, limits)
        child._orders.write(encode_line(Begin(dict(engine.arguments))))
        return child

    @property
    def pid(self) -> int:
        """The process id, which is also the id of its process group."""
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether the process is gone; asks the kernel, because the event loop hears of a death a little later."""
        if self._process.returncode is not None or self._lifeline_fd is None:
            return True
        try:
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:
            return True

    async def become_ready(self) -> None:
        """Wait until the engine is warm.

        Raises: ChildBroken.
        """
        if not isinstance(await self._receive(self._limits.warm_timeout_s), Ready):
            raise ChildBroken("the process answered before it was ready")

    async def render(self, job: RenderJob, on_progress: OnProgress) -> RenderResult:
        """Send a job and follow it to its end.

        Raises: TaskFailed (the engine's); ChildBroken.
        """
        line = encode_line(Work(self._number + 1, job))
        self._number += 1
        self._job_ends_at_s = asyncio.get_running_loop().time() + self._limits.render_timeout_s
        self._is_working = True
        message = await self._exchange(line, on_progress)
        if isinstance(message, Rendered):
            return message.result
        if isinstance(message, Failed) and message.code in CODES:
            if message.is_unexpected:
                await self.end()
            raise TaskFailed(Violation(message.code, message.param, message.message), is_retryable=message.is_retryable)
        raise ChildBroken(f"out of place: {message!s:.200}")

    async def stop(self) -> bool:
        """Ask the process to give up the job that nobody waits for any more; say whether it is ready for the next.

        It takes at most ``stops_within_s``, and no longer than the job itself might have. Any answer means that the
        job is over: the stop may have crossed with its end. To be awaited in a task of its own: in one that is
        cancelled, timeouts are not told apart from its cancelling.
        """
        if not self._is_working:
            return not self.has_ended
        now_s = asyncio.get_running_loop().time()
        self._job_ends_at_s = min(self._job_ends_at_s, now_s + self._limits.stops_within_s)
        try:
            message = await self._exchange(encode_line(Stop(self._number)), lambda _done, _total: None)
        except ChildBroken:
            return False
        return isinstance(message, Rendered | Stopped) or (isinstance(message, Failed) and not message.is_unexpected)

    async def _exchange(self, line: bytes, on_progress: OnProgress) -> Message:
        """Send a line and return the message that ends the job, or one that is out of place.

        Raises: ChildBroken.
        """
        try:
            self._orders.write(line)
            async with asyncio.timeout_at(self._job_ends_at_s):
                await self._orders.drain()
                while isinstance(message := await self._receive(self._limits.silence_timeout_s), Progressed):
                    on_progress(message.done, message.total)
        except TimeoutError as error:
            raise ChildBroken("the job took longer than it may") from error
        except ConnectionError as error:
            raise ChildBroken("the process took no order") from error
        self._is_working = False
        return message

    async def _receive(self, timeout_s: float) -> Message:
        try:
            async with asyncio.timeout(timeout_s):
                line = await self._answers.readline()
        except TimeoutError as error:
            raise ChildBroken(f"no message for {timeout_s:g} s") from error
        except ValueError as error:
            raise ChildBroken("a message was longer than line_bytes_max") from error
        except ConnectionError as error:
            raise ChildBroken("the pipe broke") from error
        if not line.endswith(b"\n"):
            raise ChildBroken("the process ended")
        try:
            return decode_message(line)
        except msgspec.DecodeError as error:
            raise ChildBroken(f"no message: {error}") from error

    async def ended(self) -> None:
        """Wait until the process is gone, whoever ended it; what it started may be left."""
        await self._process.wait()

    async def end(self) -> None:
        """Kill the process and all it started, and wait until it is gone."""
        self.kill()
        await self._process.wait()

    def kill(self) -> None:
        """Kill the process group at once; what a dead leader left behind dies too."""
        if self._lifeline_fd is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        os.close(self._lifeline_fd)
        self._lifeline_fd = None
