"""Operations for a sandbox that do what a file that took over its process would do; see `sandbox_operation`."""

import ctypes
import os
import resource
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from understudy.core.media import Unreadable
from understudy.core.modality import Modality
from understudy.media.sandbox_operation import Operation


def read() -> Operation:
    """Say what the file holds, and which process read it."""
    return lambda file, modality: {"content": file.read().decode(), "pid": os.getpid(), "modality": modality}


def environment() -> Operation:
    return lambda _, __: dict(os.environ)


def refuse() -> Operation:
    def raise_it(file: BinaryIO, _: Modality) -> Any:
        raise Unreadable(file.read().decode())

    return raise_it


def fail() -> Operation:
    return lambda _, __: 1 // 0


def obey() -> Operation:
    """Do what the file says: spin for ever, eat memory, die, or be done."""

    def act(file: BinaryIO, _: Modality) -> Any:
        word = file.read().decode()
        while word == "spin":
            pass
        if word == "eat":
            return len([bytes(1 << 20) for _ in range(1 << 14)])
        if word == "eat at once":
            return len(bytes(1 << 34))
        if word == "die":
            ctypes.string_at(0)
        return os.getpid()

    return act


def break_out() -> Operation:
    """Try what must not be done; tells what was done all the same. Files that were read before are no way in."""
    library = ctypes.CDLL(None, use_errno=True)

    def tried() -> dict[str, Callable[[], object]]:
        return {
            "read a file": Path("/etc/passwd").read_bytes,
            "read itself": Path("/proc/self/environ").read_bytes,
            "list a folder": lambda: list(Path("/").iterdir()),
            "write a file": lambda: Path(f"/tmp/broken-out-{os.getpid()}").write_bytes(b""),
            "make a folder": lambda: Path(f"/tmp/broken-out-{os.getpid()}").mkdir(),
            "open a connection": lambda: socket.socket().connect(("127.0.0.1", 9)),
            "make a socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
            "make a local socket": socket.socketpair,
            "start a process": lambda: os.fork() or os._exit(0),
            "become a program": lambda: os.execv("/bin/true", ["true"]),
            "signal its parent": lambda: os.kill(os.getppid(), 0),
            "trace its parent": lambda: _called(library, "ptrace", 16, os.getppid(), 0, 0),
            "raise its limits": _raised_limits,
        }

    def act(_: BinaryIO, __: Modality) -> Any:
        done = []
        for name, action in tried().items():
            try:
                action()
                done.append(name)
            except (OSError, ValueError):
                continue
        return done

    return act


def start_threads() -> Operation:
    """Threads are allowed: decoders use them."""

    def act(_: BinaryIO, __: Modality) -> Any:
        found: list[int] = []
        threads = [threading.Thread(target=found.append, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sorted(found)

    return act


def _called(library: ctypes.CDLL, name: str, *arguments: int) -> None:
    if getattr(library, name)(*arguments):
        raise OSError(ctypes.get_errno(), name)


def _raised_limits() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
