"""The programs of a campaign: servers and workers as processes that can be killed, paused, ended and started again."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).parent.parent
PATIENCE_S = 60.0


def free_port() -> int:
    """Return a port that nobody listens at now; a server keeps it over all its restarts."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@dataclass
class Program:
    """One `understudy serve` or `understudy worker`, whichever process it is at the moment.

    arguments: after ``understudy``, or after what runs it instead. settings: by their environment variables. log: where
    its standard error goes.
    """

    name: str
    arguments: tuple[str, ...]
    settings: dict[str, str]
    log: Path
    port: int = 0
    run_by: tuple[str, ...] = ("-m", "understudy")
    is_paused: bool = False
    wanted: bool = False
    """Whether it should run; a program that ended by itself is started again by whoever looks after it."""
    _process: "subprocess.Popen[bytes] | None" = None
    _log_bytes: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it, without waiting until it answers."""
        assert not self.is_running
        self.wanted, self.is_paused = True, False
        path = os.pathsep.join(filter(None, (str(TESTS), os.environ.get("PYTHONPATH", ""))))
        with self.log.open("ab") as log:
            self._log_bytes = log.tell()
            self._process = subprocess.Popen(
                (sys.executable, *self.run_by, *self.arguments),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | {"PYTHONPATH": path} | self.settings,
            )

    async def kill(self) -> None:
        """End it as a power cut would."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """Ask it to end, and return how it ended; 0 also for one that was not ready yet and was ended by the signal."""
        self.resume()
        was_ready = self.was_ready
        ended = await self._end(signal.SIGTERM)
        return 0 if ended == -signal.SIGTERM and not was_ready else ended

    @property
    def was_ready(self) -> bool:
        """Whether it said so since it was started."""
        with self.log.open("rb") as log:
            log.seek(self._log_bytes)
            return any(line.startswith(b"{") for line in log)

    def pause(self) -> None:
        """Have the system give it no time, as a machine does that swaps or moves."""
        if self.is_running:
            os.kill(self.pid, signal.SIGSTOP)
            self.is_paused = True

    def resume(self) -> None:
        if self.is_running and self.is_paused:
            os.kill(self.pid, signal.SIGCONT)
        self.is_paused = False

    async def _end(self, number: signal.Signals) -> int:
        assert self._process is not None
        self.wanted = False
        if self.is_running:
            self._process.send_signal(number)
        try:
            await asyncio.to_thread(self._process.wait, PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise AssertionError(f"{self.name} did not end in {PATIENCE_S} s; see {self.log}") from None
        return self._process.returncode


def marked(mark: str) -> dict[int, str]:
    """Return the living processes with this text in their environment, given or inherited: id -> command line."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if mark.encode() in (entry / "environ").read_bytes().split(b"\0"):
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
    return found
