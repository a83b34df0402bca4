"""An engine that does what the words of its prompt say, for tests of whatever runs engines. It renders no film.

The words, separated by blanks; each is optional:

    frames:N        report so many frames (as the job orders, or 8)
    frame_s:X       take so long for each             searched:N      have searched the web so often
    print           write to standard output          child           start a subprocess that would outlive us
    alive:FIFO      hold the named pipe open for writing, in the subprocess too: its end of file is their death
    gate:FIFO       after the first frame wait until somebody has opened the named pipe for writing and closed it
    journal:FILE    append a line when the render starts and when it is finished: start|end, attempt, process id;
                    the attempt is what the directory is called in which the output directory lies
    die             kill the own process              die_once:FILE   the same, unless the file exists; then make it
    raise, fail, fail_retryable, reject               raise RuntimeError, TaskFailed (twice), Rejected
    garbage         write what is no message into every pipe in reach
    seize:FIFO      let no other thread of the interpreter run any more, then open and close the named pipe for writing
    eat:N           allocate and touch so many bytes
    long_note       give back a note of a million characters
    bad_name        name a video outside the output directory
    confess         make a film that says, as JSON, what the engine was made with, its environment and its command line
    on_stop:WHAT    when it is to stop: go_on as if nobody had asked, finish the film at once, fail with TaskFailed
                    or raise RuntimeError; without this word it stops
"""

import contextlib
import ctypes
import json
import os
import shlex
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from understudy.core.errors import Rejected, TaskFailed, Violation
from understudy.core.ports import EngineOffer, OnProgress, RenderStopped
from understudy.core.render import RenderJob, RenderResult
from understudy.core.request import DURATION_CHOSEN_BY_ENGINE, RATIO_CHOSEN_BY_ENGINE
from understudy.core.scenario import Scenario

OFFER = EngineOffer(
    name="scripted",
    reference="understudy.testing.scripted:ScriptedEngine",
    scenarios=frozenset(Scenario),
    ignored={},
)
"""What a server is told of this engine: it is killed when a render is given up."""

STOPPABLE = replace(OFFER, stops_within_s=60.0)
"""The same engine, asked to stop; so long only where a word lets it go on."""

NUM_FRAMES = 8
"""What it reports of a job that orders whole seconds; no film of any model is so short."""

UNEXPECTED_TEXT = "a secret of the render process"
"""The text of the unexpected exception; it must never leave the render process."""


class ScriptedEngine:
    """Implements `core.ports.Engine` without rendering anything; see the module for the words."""

    def __init__(self, **arguments: object) -> None:
        """Keep what it is made with, whatever that is."""
        self._arguments = arguments

    def warm(self) -> None:
        """Print a line, as libraries do when they are loaded."""
        print("scripted engine is warm")  # noqa: T201

    def render(self, job: RenderJob, progress: OnProgress) -> RenderResult:
        """Follow the words of the prompt and write a few bytes that depend on the request and the seed only.

        Raises: TaskFailed, Rejected, RuntimeError, as the words say; RenderStopped.
        """
        words = words_of(job.request.prompt)
        directory = Path(job.output_dir)
        journal(words, f"start {directory.parent.name} {os.getpid()}")
        if "print" in words:
            print('{"type":"ready"}\n' * 3)  # noqa: T201
            os.write(1, b'{"type":"rendered"}\n')
        num_frames = int(words.get("frames", job.num_frames or NUM_FRAMES))
        with held(words):
            for done in range(1, num_frames + 1):
                if not advance(progress, done, num_frames, on_stop=words.get("on_stop", "")):
                    break
                if done == 1:
                    misbehave(words)
                time.sleep(float(words.get("frame_s", "0")))
        result = write_film(job, words, num_frames)
        if "confess" in words:
            (directory / result.video).write_bytes(confession(self._arguments))
        journal(words, f"end {directory.parent.name} {os.getpid()}")
        return result


def words_of(prompt: str) -> dict[str, str]:
    """Return word -> what follows its colon, empty without one."""
    return {word.partition(":")[0]: word.partition(":")[2] for word in prompt.split()}


def advance(progress: OnProgress, done: int, total: int, *, on_stop: str) -> bool:
    """Report a frame; False when the film is to be finished without the rest.

    Raises: RenderStopped, TaskFailed, RuntimeError.
    """
    try:
        progress(done, total)
    except RenderStopped:
        if on_stop == "fail":
            raise TaskFailed(Violation("ServiceUnavailable", "", "it failed when stopped"), is_retryable=True) from None
        if on_stop == "raise":
            raise RuntimeError(UNEXPECTED_TEXT) from None
        if on_stop not in ("go_on", "finish"):
            raise
        return on_stop == "go_on"
    return True


def confession(arguments: Mapping[str, object]) -> bytes:
    """Return what this process was given, as JSON."""
    given = {"arguments": arguments, "environment": dict(os.environ), "command": sys.orig_argv}
    return json.dumps(given).encode()


def journal(words: dict[str, str], line: str) -> None:
    """Append the line in one write, which concurrent writers cannot tear; a named pipe will do."""
    if "journal" in words:
        descriptor = os.open(words["journal"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(descriptor, line.encode() + b"\n")
        os.close(descriptor)


@contextlib.contextmanager
def held(words: dict[str, str]) -> Iterator[None]:
    """Hold the ``alive`` pipe open, and start the subprocess that shares it."""
    descriptors = (os.open(words["alive"], os.O_WRONLY),) if "alive" in words else ()
    if "child" in words:
        # Nothing but a signal ends it.
        subprocess.Popen((sys.executable, "-c", "import signal; signal.pause()"), pass_fds=descriptors)
    try:
        yield
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def misbehave(words: dict[str, str]) -> None:
    """Do the worst that the words ask for.

    Raises: TaskFailed, Rejected, RuntimeError.
    """
    if "gate" in words:
        Path(words["gate"]).read_bytes()
    if "die_once" in words and not Path(words["die_once"]).exists():
        Path(words["die_once"]).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if "die" in words:
        os.kill(os.getpid(), signal.SIGKILL)
    if "seize" in words:
        # A call through PyDLL keeps the interpreter's lock, as badly written native code does.
        ctypes.PyDLL(None).system(f": > {shlex.quote(words['seize'])}; exec sleep infinity".encode())
    if "eat" in words:
        bytearray(int(words["eat"]))
    if "garbage" in words:
        write_garbage()
    if "raise" in words:
        raise RuntimeError(UNEXPECTED_TEXT)
    if "reject" in words:
        raise Rejected(Violation("InvalidParameter", "prompt", "the prompt asked to be rejected"))
    if "fail" in words or "fail_retryable" in words:
        raise TaskFailed(
            Violation("ServiceUnavailable", "prompt", "the prompt asked to fail"),
            is_retryable="fail_retryable" in words,
        )


def write_garbage() -> None:
    """Write a line into every pipe and socket of this process but the three standard ones."""
    for descriptor in range(3, 64):
        with contextlib.suppress(OSError):
            mode = os.fstat(descriptor).st_mode
            if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
                os.write(descriptor, b'{"type":"rendered"}\n')


def write_film(job: RenderJob, words: dict[str, str], num_frames: int) -> RenderResult:
    """Write the files of the job and describe them."""
    request = job.request
    ratio = request.ratio if request.ratio not in (None, RATIO_CHOSEN_BY_ENGINE) else next(iter(job.sizes))
    assert ratio is not None
    width_px, height_px = job.sizes[ratio]
    shortest_s = job.duration_range_s[0]
    duration_s = request.duration_s if request.duration_s not in (None, DURATION_CHOSEN_BY_ENGINE) else shortest_s
    if job.num_frames is not None:
        duration_s = num_frames // job.fps
    assert duration_s is not None
    directory = Path(job.output_dir)
    film = f"film.{request.output_format or 'mp4'}"
    (directory / film).write_bytes(f"{job.seed} {ratio} {duration_s} {request.prompt}".encode())
    if request.return_last_frame:
        (directory / "last.png").write_bytes(b"last frame")
    return RenderResult(
        video=f"../{film}" if "bad_name" in words else film,
        last_frame="last.png" if request.return_last_frame else None,
        ratio=ratio,
        width_px=width_px,
        height_px=height_px,
        duration_s=duration_s,
        num_frames=num_frames,
        has_sound=bool(request.generate_audio),
        tool_usage={"web_search": int(words["searched"])} if "searched" in words else {},
        notes=("n" * 1_000_000,) if "long_note" in words else (f"rendered by process {os.getpid()}",),
    )
