"""One sandboxed process as the server sees it: started, asked, killed. Which file it gets is not decided here."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from understudy.media.sandbox_operation import LINE_BYTES_MAX, Answer, Asked, Ready, decode_answer, encode

ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME", "TMPDIR")
"""What a process is told of the server's environment: what it takes to start, and no secret."""

FEW_THREADS = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxLimits:
    """What reading files may take.

    processes: at most so many, one file each at a time. timeout_s: for one file. memory_bytes: private memory of a
    process; the largest image there can be takes about half of it. files: after so many a process is replaced, so that
    nothing that one file left behind lasts. start_timeout_s: until a process is warm. wait_timeout_s: until one is
    free. niceness: added to the server's own.
    """

    processes: int
    timeout_s: float
    memory_bytes: int = 1 << 30
    files: int = 200
    start_timeout_s: float = 30.0
    wait_timeout_s: float = 60.0
    niceness: int = 5

    @property
    def cpu_s(self) -> int:
        """Processor time of one process's life: more than all its files may take, on two threads."""
        return round(2 * self.files * self.timeout_s) + 60


class ChildLost(Exception):
    """The process ended or said something that is no answer; it is of no more use. For the log only."""


class SandboxChild:
    """One sandboxed process and the socket to it."""

    def __init__(self, process: asyncio.subprocess.Process, channel: socket.socket) -> None:
        self._process = process
        self._channel = channel
        self._is_asked = False
        self.files = 0
        self.walls: tuple[str, ...] = ()

    @classmethod
    async def spawn(cls, operations: Mapping[str, str], limits: SandboxLimits) -> "SandboxChild":
        """Start a process that is warm and walled in.

        Raises: OSError, ChildLost.
        """
        ours, theirs = socket.socketpair()
        ours.setblocking(False)  # noqa: FBT003
        child: SandboxChild | None = None
        try:
            with theirs:
                # -P: the directory the server happens to be started in is no place to import from.
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-P", "-m", "understudy.media.sandbox_child"),
                    *("--channel-fd", str(theirs.fileno()), "--parent-pid", str(os.getpid())),
                    *("--memory-bytes", str(limits.memory_bytes), "--cpu-s", str(limits.cpu_s)),
                    *("--niceness", str(limits.niceness)),
                    *(word for name, reference in operations.items() for word in ("--op", f"{name}={reference}")),
                    stdin=asyncio.subprocess.DEVNULL,
                    pass_fds=(theirs.fileno(),),
                    start_new_session=True,
                    env={name: os.environ[name] for name in ENVIRONMENT if name in os.environ} | FEW_THREADS,
                )
            child = cls(process, ours)
            async with asyncio.timeout(limits.start_timeout_s):
                child.walls = await child._become_ready()
        except BaseException as error:  # boundary: not even a cancelled start leaves a process or a socket behind
            ours.close()
            if child is not None:
                child.kill()
            if isinstance(error, TimeoutError):
                raise ChildLost(f"the process was not ready after {limits.start_timeout_s:g} s") from error
            raise
        return child

    async def _become_ready(self) -> tuple[str, ...]:
        ready = await self._receive()
        if not isinstance(ready, Ready):
            raise ChildLost("the process answered before it was ready")
        return ready.walls

    @property
    def is_waiting(self) -> bool:
        """Whether the process lives and has said nothing that it was not asked for."""
        try:
            self._channel.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    @property
    def pid(self) -> int:
        """The process id, which is also the id of its process group."""
        return self._process.pid

    async def ask(self, asked: Asked, descriptor: int) -> Answer:
        """Give the process a file and wait for its answer, however long it takes.

        Raises: ChildLost.
        """
        self.files += 1
        self._is_asked = True
        try:
            # A short line into an empty socket: this never waits.
            socket.send_fds(self._channel, [encode(asked)], [descriptor])
            return await self._receive()
        except OSError as error:
            raise ChildLost(f"the process takes no file: {error}") from error
        finally:
            self._is_asked = False

    async def _receive(self) -> Answer:
        line = b""
        loop = asyncio.get_running_loop()
        try:
            while not line.endswith(b"\n"):
                part = await loop.sock_recv(self._channel, LINE_BYTES_MAX)
                line += part
                if not part or len(line) > LINE_BYTES_MAX:
                    raise ChildLost("the process ended" if not part else "the answer is too long")
            answer: Answer = decode_answer(line)
        except (OSError, msgspec.DecodeError) as error:
            raise ChildLost(f"no answer: {error}") from error
        return answer

    def kill(self) -> None:
        """Kill the process and all that might be in its group, at once; who waits for its answer hears of the end."""
        if not self._is_asked:
            self._channel.close()
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)

    async def ended(self) -> None:
        """Wait until the process is gone."""
        await self._process.wait()
