"""One slot's place on a node of a Ray cluster: an actor that keeps a render process there as the local executor does.

The driver's machine and the node share no disk: media come in and films go out in pieces. The place is asked for its
news all the time; when nobody asks any more, its render is killed, because whoever ordered it has given it up.
"""

import asyncio
import contextlib
import fcntl
import os
import platform
import shutil
import socket
import subprocess
import tempfile
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import msgspec
import ray

from understudy.core.errors import TaskFailed
from understudy.core.render import RenderJob, RenderResult
from understudy.executors.local import LocalExecutor
from understudy.executors.ray_wire import Facts, News, Room, encode_value
from understudy.executors.wire import Failed, Rendered, Stopped

ASKED_S = 1.0
"""The longest that a question for news is left unanswered."""

ABANDONED_S = 8.0
"""A place that is not asked for so long ends its render: less than `ray_keeper.SILENT_S`, after which the driver gives
the place up, so that the render is over before another can be ordered elsewhere."""

STEPS_MAX = 64
"""Steps kept between two questions; of more, the last one tells as much."""

TURNS_TO_CANCEL = 3
"""Of the loop, until a cancellation is where it does something."""

FOLDER_PREFIX = "understudy-place-"

HELD = "held"
"""The file in it that is locked while its place is alive; jobs have numbers for names."""

# A killed actor cleans nothing up. This shell has its standard input from the actor and a session of its own; it
# outlives the actor by the time that removing takes. The inner one is nobody's child: Ray kills an actor's children.
SWEEPER = "exec 3<&0; (trap '' HUP INT TERM; cat <&3 >/dev/null; rm -rf -- \"$1\") >/dev/null 2>&1 &"


def facts() -> Facts:
    """Return what this process is."""
    python = ".".join(platform.python_version_tuple()[:2])
    return Facts(python=python, ray=version("ray"), understudy=version("understudy"))


class RenderPlace:
    """The actor. One job at a time; each has a number, and a directory that is removed when it is over."""

    def __init__(self, room: bytes) -> None:
        """Take what it runs, a `Room` as JSON: nothing here depends on how Ray writes values down."""
        self._room = msgspec.json.decode(room, type=Room)
        self._executor = LocalExecutor(
            self._room.engine,
            1,
            limits=self._room.limits,
            pause=self._room.pause,
            arguments=self._room.arguments,
            environments=(self._room.environment,),
        )
        sweep_leftovers(Path(tempfile.gettempdir()))
        self._folder = Path(tempfile.mkdtemp(prefix=FOLDER_PREFIX))
        self._held_fd = _held(self._folder)
        self._lifeline_fd = _sweep_when_gone(self._folder)
        self._render: asyncio.Task[None] | None = None
        self._steps: list[tuple[int, int, int]] = []
        self._ends: list[tuple[int, Rendered | Stopped | Failed]] = []
        self._has_news = asyncio.Event()
        self._giving_up = asyncio.Lock()
        self._told_warm = False
        self._last_asked_s = 0.0
        self._guard: asyncio.Task[None] | None = None

    async def settle(self) -> bytes:
        """Begin to warm the engine; return the `Facts`."""
        self._last_asked_s = asyncio.get_running_loop().time()
        await self._executor.start()
        self._guard = asyncio.create_task(self._end_what_is_abandoned())
        here = ray.get_runtime_context().get_node_id()
        return encode_value(msgspec.structs.replace(facts(), node=socket.gethostname(), node_id=here))

    async def news(self) -> bytes:
        """Return the `News`, as soon as there are some, else after a while."""
        self._last_asked_s = asyncio.get_running_loop().time()
        if self._executor.is_ready() == self._told_warm:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ASKED_S):
                    await self._has_news.wait()
        self._has_news.clear()
        self._told_warm = self._executor.is_ready()
        told = News(is_warm=self._told_warm, steps=tuple(self._steps), ends=tuple(self._ends))
        self._steps.clear()
        self._ends.clear()
        return encode_value(told)

    async def take_in(self, number: int, name: str, data: bytes) -> None:
        """Append to a medium of the job to come.

        Raises: OSError.
        """
        await asyncio.to_thread(_append, self._folder / str(number) / "media" / name, data)

    async def begin(self, number: int, job: bytes) -> None:
        """Begin to render. job: a `RenderJob` as JSON whose media are names given to `take_in`.

        Raises: OSError.
        """
        directory = self._folder / str(number)
        output_dir = directory / "film"
        await asyncio.to_thread(output_dir.mkdir, parents=True)
        given = msgspec.json.decode(job, type=RenderJob)
        media = {index: str(directory / "media" / name) for index, name in given.media.items()}
        self._render = asyncio.create_task(
            self._rendering(number, replace(given, media=media, output_dir=str(output_dir)))
        )

    async def _rendering(self, number: int, job: RenderJob) -> None:
        """Render to the end, whatever it is."""
        end: Rendered | Stopped | Failed = Stopped()
        try:
            result: RenderResult = await self._executor.run(0, job, lambda *step: self._advance(number, *step))
            end = Rendered(result)
        except TaskFailed as error:
            told = error.violation
            end = Failed(
                code=told.code,
                param=told.param,
                message=told.message,
                is_retryable=error.is_retryable,
                is_unexpected=False,
            )
        except asyncio.CancelledError:
            end = Stopped()
        finally:
            self._ends.append((number, end))
            self._has_news.set()

    def _advance(self, number: int, done: int, total: int) -> None:
        if len(self._steps) >= STEPS_MAX:
            self._steps.pop()
        self._steps.append((number, done, total))
        self._has_news.set()

    async def give_up(self) -> None:
        """Have the render stopped where its engine stops when asked; asked again, or where it does not, killed."""
        async with self._giving_up:
            if self._render is not None and not self._render.done():
                self._render.cancel()
                # Two cancellations in one turn of the loop would be one.
                for _ in range(TURNS_TO_CANCEL):
                    await asyncio.sleep(0)

    async def size_bytes(self, number: int, name: str) -> int:
        """Return the size of a file that the engine wrote for the job, or -1 where there is no such file."""
        path = self._folder / str(number) / "film" / name
        is_plain = Path(name).name == name and not path.is_symlink() and path.is_file()
        return path.stat().st_size if is_plain else -1

    async def give_out(self, number: int, name: str, *, start: int, length_bytes: int) -> bytes:
        """Return a part of such a file.

        Raises: OSError.
        """
        return await asyncio.to_thread(
            _part, self._folder / str(number) / "film" / name, start=start, length_bytes=length_bytes
        )

    async def forget(self, number: int) -> None:
        """Remove all files of a job that is over."""
        await asyncio.to_thread(shutil.rmtree, self._folder / str(number), ignore_errors=True)

    async def leave(self) -> None:
        """Kill what runs and remove all files."""
        await self._executor.close()
        if self._guard is not None:
            self._guard.cancel()
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    async def _end_what_is_abandoned(self) -> None:
        while True:
            await asyncio.sleep(ASKED_S)
            if asyncio.get_running_loop().time() - self._last_asked_s > ABANDONED_S:
                # Twice: the first asks the engine to stop, and there is no time to ask.
                await self.give_up()
                await self.give_up()


def sweep_leftovers(parent: Path) -> None:
    """Remove the folders of places that nobody holds: after a power cut nothing else could."""
    for folder in parent.glob(f"{FOLDER_PREFIX}*"):
        # One without the file is being made just now, or is another user's.
        with contextlib.suppress(OSError), (folder / HELD).open("rb") as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)


def _held(folder: Path) -> int:
    """Mark the folder as in use for as long as this process lives; return the descriptor that does so."""
    descriptor = os.open(folder / HELD, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def _sweep_when_gone(folder: Path) -> int:
    """Have the folder removed when this process is gone; return the descriptor that says that it is not."""
    theirs, ours = os.pipe()
    try:
        subprocess.run(  # noqa: S603 - our own words
            ("/bin/sh", "-c", SWEEPER, "sh", str(folder)),
            stdin=theirs,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            check=True,
        )
    finally:
        os.close(theirs)
    return ours


def _append(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(data)


def _part(path: Path, *, start: int, length_bytes: int) -> bytes:
    with path.open("rb") as file:
        file.seek(start)
        return file.read(length_bytes)
