"""Warm sandboxed processes that read strangers' files: started when needed, asked one file each, killed, replaced.

What a process does with a file is an operation's business (`sandbox_operation`); what it cannot do is the walls'
(`sandbox_walls`). A file can cost its process, never the server, and never the next file.
"""

import asyncio
import contextlib
import logging
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from understudy.core.errors import Unavailable, Violation
from understudy.core.media import MediaFacts, Unreadable
from understudy.core.modality import Modality
from understudy.media.sandbox_operation import Answer, Asked, Broken, Done, Refused
from understudy.media.sandbox_process import ChildLost, SandboxChild, SandboxLimits
from understudy.media.sandbox_walls import possible_walls

log = logging.getLogger(__name__)

PROBE = "probe"
PROBE_OPERATION = "understudy.media.inspect_file:prepare"

REASON_CHARACTERS_MAX = 200
"""A reason comes from a process that a hostile file may have taken over; it is shown to the caller who sent it."""


class Sandbox:
    """So many places, each with a warm process or with none yet; who comes takes a place and gives it back.

    A place whose process was lost, killed or has read enough files is given back when a new process stands in it; who
    comes meanwhile takes another place.
    """

    def __init__(self, operations: Mapping[str, str], limits: SandboxLimits) -> None:
        """Take the operations by name, each as ``"module:attribute"``: see `sandbox_operation`."""
        self._operations = dict(operations)
        self._limits = limits
        # The one that was given back last is taken first, so that a quiet server needs one process only.
        self._places: asyncio.LifoQueue[SandboxChild | None] = asyncio.LifoQueue()
        self._living: set[SandboxChild] = set()
        self._replacing: set[asyncio.Task[None]] = set()
        self._is_closed = False
        for _ in range(limits.processes):
            self._places.put_nowait(None)

    async def start(self) -> None:
        """Say in the log what stands between strangers' files and this machine; the first file starts a process."""
        log.info(
            "media are read in processes of their own with %d MB of memory each; walls beside limits: %s",
            self._limits.memory_bytes >> 20,
            ", ".join(possible_walls()) or "none on this system",
        )

    async def ask(self, op: str, path: Path, modality: Modality) -> Any:
        """Have an operation done with a file, and return what it returned: what JSON can say, to be checked.

        Raises: Unreadable; Unavailable when no process is free for long, or none can be started.
        """
        with _opened(path) as descriptor:
            answer = await self._answer(Asked(op, modality), descriptor)
        if isinstance(answer, Done):
            return answer.value
        if isinstance(answer, Refused):
            raise Unreadable(_clean(answer.reason))
        log.error("%s failed in the sandbox: %s", op, answer.trace if isinstance(answer, Broken) else answer)
        raise Unreadable("the file cannot be read")

    async def _answer(self, asked: Asked, descriptor: int) -> Answer:
        child = await self._take()
        is_fit = False
        try:
            async with asyncio.timeout(self._limits.timeout_s):
                answer = await child.ask(asked, descriptor)
            is_fit = isinstance(answer, Done) or (isinstance(answer, Refused) and not answer.is_spent)
        except TimeoutError as error:
            raise Unreadable(f"reading the file takes longer than {self._limits.timeout_s:g} s") from error
        except ChildLost as error:
            if self._is_closed:
                raise _unavailable("the server is stopping") from error
            log.warning("sandboxed process %d was lost over %s of %s: %s", child.pid, asked.op, asked.modality, error)
            raise Unreadable("the file cannot be read: it is damaged, or takes too much memory") from error
        finally:
            self._give_back(child, is_fit=is_fit and child.files < self._limits.files)
        return answer

    async def _take(self) -> SandboxChild:
        """Return a process that waits for a file; its place is the caller's until it is given back.

        Raises: Unavailable.
        """
        try:
            async with asyncio.timeout(self._limits.wait_timeout_s):
                child = await self._places.get()
        except TimeoutError:
            raise _unavailable("too many media are being read") from None
        if child is not None and child.is_waiting:
            return child
        if child is not None:
            self._end(child)
        try:
            return await self._spawn()
        except (ChildLost, OSError) as error:
            log.error("no sandboxed process could be started: %s", error)  # noqa: TRY400
            self._places.put_nowait(None)
            raise _unavailable("media cannot be read now") from error
        except BaseException:  # boundary: who is cancelled leaves the place to others
            self._places.put_nowait(None)
            raise

    async def _spawn(self) -> SandboxChild:
        """Raises: ChildLost, OSError; Unavailable when the server is closing."""
        if self._is_closed:
            raise _unavailable("the server is stopping")
        child = await SandboxChild.spawn(self._operations, self._limits)
        self._living.add(child)
        if self._is_closed:
            self._end(child)
            raise _unavailable("the server is stopping")
        missing = set(possible_walls()) - set(child.walls)
        if missing:
            log.warning("sandboxed process %d is without %s", child.pid, ", ".join(sorted(missing)))
        return child

    def _give_back(self, child: SandboxChild, *, is_fit: bool) -> None:
        if is_fit and not self._is_closed:
            self._places.put_nowait(child)
            return
        self._end(child)
        if self._is_closed:
            self._places.put_nowait(None)
            return
        replacing = asyncio.create_task(self._replace())
        self._replacing.add(replacing)
        replacing.add_done_callback(self._replacing.discard)

    async def _replace(self) -> None:
        """Give the place back with another process in it, or with none if that fails: the next who comes tries."""
        child: SandboxChild | None = None
        try:
            child = await self._spawn()
        except (ChildLost, OSError) as error:
            log.error("a sandboxed process could not be replaced: %s", error)  # noqa: TRY400
        except Unavailable:
            pass
        finally:
            self._places.put_nowait(child)

    def _end(self, child: SandboxChild) -> None:
        child.kill()
        self._living.discard(child)

    async def close(self) -> None:
        """Kill all processes; who waits for one hears that the server is stopping."""
        self._is_closed = True
        for replacing in self._replacing:
            replacing.cancel()
        living = tuple(self._living)
        for child in living:
            self._end(child)
        await asyncio.gather(*(child.ended() for child in living), *self._replacing, return_exceptions=True)


class SandboxedProber:
    """Implements `core.media.Prober` with the operation `probe` of a sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def probe(self, path: Path, modality: Modality) -> MediaFacts:
        """See the port.

        Raises: Unreadable; Unavailable.
        """
        value = await self._sandbox.ask(PROBE, path, modality)
        try:
            return msgspec.convert(value, MediaFacts)
        except msgspec.ValidationError as error:
            log.error("the sandbox measured what cannot be: %s", error)  # noqa: TRY400
            raise Unreadable("the file cannot be read") from error


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Unreadable("it is not a file")
        yield descriptor
    finally:
        os.close(descriptor)


def _clean(reason: str) -> str:
    return "".join(each if each.isprintable() else " " for each in reason[:REASON_CHARACTERS_MAX])


def _unavailable(why: str) -> Unavailable:
    return Unavailable(
        Violation("ServiceUnavailable", "content", f"The media could not be read: {why}, please try again.")
    )
