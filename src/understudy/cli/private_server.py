"""A server of one's own for the time of one command: a subprocess on a free loopback port, its data in a new folder."""

import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from understudy.core.errors import Unavailable, Violation

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 15.0
LOG_LINES_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the server answers, and the key it made."""

    url: str
    api_key: str


@contextmanager
def private_server() -> Iterator[Address]:
    """Start a server, yield its address, stop it and remove its data.

    It has a session of its own, so that Ctrl-C reaches only the command, and ends with this process in any case.

    Raises: Unavailable with the server's last words when it does not start.
    """
    with tempfile.TemporaryDirectory(prefix="understudy-") as folder:
        log = Path(folder) / "server.log"
        command = [sys.executable, "-m", "understudy", "serve", "--json", "--stop-with-stdin"]
        command += ["--host", "127.0.0.1", "--port", "0", "--data-dir", str(Path(folder) / "data")]
        with log.open("wb") as errors:
            process = subprocess.Popen(  # noqa: S603  # our own interpreter, module and flags
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, start_new_session=True
            )
        try:
            yield _address_of(process, log)
        finally:
            _stop(process)


def _address_of(process: subprocess.Popen[bytes], log: Path) -> Address:
    """Read the line that the server prints once it is ready; a server that takes too long is killed."""
    assert process.stdout is not None
    timer = threading.Timer(START_TIMEOUT_S, process.kill)
    timer.start()
    line = process.stdout.readline()
    timer.cancel()
    if not line:
        last_words = log.read_text(errors="replace").strip().splitlines()[-LOG_LINES_SHOWN:]
        reason = "\n".join(last_words) or f"it was silent for {START_TIMEOUT_S:g} s"
        raise Unavailable(Violation("ServiceUnavailable", "", f"The server did not start: {reason}"))
    ready = json.loads(line)
    return Address(url=ready["url"], api_key=ready["api_key"])


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.communicate(timeout=STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
