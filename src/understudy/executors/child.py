"""One render process as its executor sees it: started, spoken to, killed. Which job it gets is not decided here."""

import asyncio
import contextlib
import os
import signal
import sys
from dataclasses import dataclass

import msgspec

from understudy.core.errors import CODES, TaskFailed, Violation
from understudy.core.ports import OnProgress
from understudy.core.render import RenderJob, RenderResult
from understudy.executors.wire import Failed, Message, Progressed, Ready, Rendered, decode_message, encode_line


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderLimits:
    """What a render process may take.

    warm_timeout_s: from start to ready. silence_timeout_s: between two messages of one job.
    render_timeout_s: one job, from first to last. line_bytes_max: the longest message.
    progress_interval_s: the least time between two progress messages. niceness: added to the server's own.
    memory_bytes: private memory, None = no limit.
    """

    warm_timeout_s: float
    silence_timeout_s: float
    render_timeout_s: float
    line_bytes_max: int
    progress_interval_s: float
    niceness: int = 0
    memory_bytes: int | None = None


class ChildBroken(Exception):
    """The process died, fell silent or said something that is no message; it is of no more use. For the log only."""


class RenderChild:
    """A running render process, leader of its own session so that it is killed together with all it started."""

    def __init__(self, process: asyncio.subprocess.Process, lifeline_fd: int, limits: RenderLimits) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._jobs = process.stdin
        self._answers = process.stdout
        self._lifeline_fd: int | None = lifeline_fd
        self._limits = limits

    @classmethod
    async def spawn(cls, engine: str, limits: RenderLimits) -> "RenderChild":
        """Start a process for the engine ``"module:attribute"``; it is not warm yet.

        Raises: OSError when no process can be started.
        """
        theirs, ours = os.pipe()
        try:
            # -P: the directory the server happens to be started in is no place to import from.
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "understudy.executors.render_process", "--engine", engine),
                *("--lifeline-fd", str(theirs), "--niceness", str(limits.niceness)),
                *("--progress-interval-s", str(limits.progress_interval_s)),
                *(() if limits.memory_bytes is None else ("--memory-bytes", str(limits.memory_bytes))),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                pass_fds=(theirs,),
                start_new_session=True,
                limit=limits.line_bytes_max,
            )
        except BaseException:  # boundary: not even a cancelled start leaves a descriptor behind
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        return cls(process, ours, limits)

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
        try:
            self._jobs.write(encode_line(job))
            async with asyncio.timeout(self._limits.render_timeout_s):
                await self._jobs.drain()
                while isinstance(message := await self._receive(self._limits.silence_timeout_s), Progressed):
                    on_progress(message.done, message.total)
        except TimeoutError as error:
            raise ChildBroken("the job took longer than render_timeout_s") from error
        except ConnectionError as error:
            raise ChildBroken("the process took no job") from error
        if isinstance(message, Rendered):
            return message.result
        if isinstance(message, Failed) and message.code in CODES:
            if message.is_unexpected:
                await self.end()
            raise TaskFailed(Violation(message.code, message.param, message.message), is_retryable=message.is_retryable)
        raise ChildBroken(f"out of place: {message!s:.200}")

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
