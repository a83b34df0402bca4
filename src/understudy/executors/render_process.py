"""The render process, `python -m understudy.executors.render_process --engine module:attribute`.

It reads orders as lines from its standard input and answers on a private copy of its standard output, so that an
engine may print what it likes: standard output is turned into standard error before the engine is imported.
A thread of its own reads, so that a render can be stopped while it runs: see `Orders` and `Telling`.
It never outlives its parent: see `die_with_parent`.
"""

import argparse
import fcntl
import importlib
import os
import queue
import resource
import select
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import BinaryIO, NoReturn

from understudy.core.errors import Rejected, TaskFailed
from understudy.core.ports import Engine, RenderStopped
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
    decode_order,
    encode_line,
)

UNEXPECTED = "The service encountered an unexpected internal error while rendering."


def load_engine(reference: str, arguments: Mapping[str, object] | None = None) -> Engine:
    """Return a new engine from ``"module:attribute"``, its class or a function, which is called with the arguments.

    arguments: by keyword; None = there are none.
    Raises: ImportError, AttributeError, or what the engine's constructor raises.
    """
    module, _, attribute = reference.partition(":")
    make: Callable[..., Engine] = getattr(importlib.import_module(module), attribute)
    return make(**(arguments or {}))


class Orders:
    """What the parent asks for: one queue of jobs, and the number of the last job that it no longer wants.

    A number and no flag: a stop that comes too late, or before its job was begun, cannot meet another job.
    """

    def __init__(self) -> None:
        self._begin: queue.SimpleQueue[Begin] = queue.SimpleQueue()
        self._work: queue.SimpleQueue[Work] = queue.SimpleQueue()
        self._stopped = 0

    def read(self, lines: Iterable[bytes]) -> None:
        """Take in each line, until there are no more.

        Raises: msgspec.DecodeError.
        """
        for line in lines:
            match decode_order(line):
                case Begin() as begin:
                    self._begin.put(begin)
                case Work() as work:
                    self._work.put(work)
                case Stop(number):
                    self._stopped = max(self._stopped, number)

    def begin(self) -> Begin:
        """Wait for the first order."""
        return self._begin.get()

    def next(self) -> Work:
        """Wait for the next job."""
        return self._work.get()

    def has_stopped(self, number: int) -> bool:
        """Say whether this job, or one after it, is no longer wanted."""
        return number <= self._stopped


class Telling:
    """What an engine is given as ``progress``: messages, at most one per interval, and the place where it is stopped.

    The first and the last frame are always told. Engines may call it from any thread; once the job is over, a thread
    that was left behind tells nothing any more, for it would be taken for progress of the next job.
    """

    def __init__(self, send: Callable[[Message], None], interval_s: float, is_stopped: Callable[[], bool]) -> None:
        self.is_stopped = is_stopped
        self._send = send
        self._interval_s = interval_s
        self._next_s = 0.0
        self._is_over = False
        self._lock = threading.Lock()

    def __call__(self, done: int, total: int) -> None:
        """Tell that ``done`` frames of ``total`` are finished, unless it was told a moment ago.

        Raises: RenderStopped when the job is no longer wanted.
        """
        if self.is_stopped():
            raise RenderStopped
        with self._lock:
            now_s = time.monotonic()
            if (now_s >= self._next_s or done >= total) and not self._is_over:
                self._next_s = now_s + self._interval_s
                self._send(Progressed(done, total))

    def end(self) -> None:
        """Tell nothing from now on."""
        with self._lock:
            self._is_over = True


def render(engine: Engine, work: Work, telling: Telling) -> Rendered | Stopped | Failed:
    """Render one job and say how it ended."""
    if telling.is_stopped():
        return Stopped()
    try:
        return Rendered(engine.render(work.job, telling))
    except (Rejected, TaskFailed) as error:
        told = error.violation
        retryable = isinstance(error, TaskFailed) and error.is_retryable
        return Failed(
            code=told.code, param=told.param, message=told.message, is_retryable=retryable, is_unexpected=False
        )
    except Exception as error:  # boundary: an engine may raise anything; the trace stays in this process's log
        if isinstance(error, RenderStopped) and telling.is_stopped():
            return Stopped()
        traceback.print_exc()
        # A full disk or a lack of memory may pass; a bug comes back each time.
        retryable = isinstance(error, OSError | MemoryError)
        return Failed(
            code="InternalServiceError", param="", message=UNEXPECTED, is_retryable=retryable, is_unexpected=True
        )
    finally:
        telling.end()


class Pipes:
    """The process's two ends of the conversation, out of reach of the engine and of anything it starts."""

    def __init__(self) -> None:
        # Copies made by dup are not inherited by the engine's own subprocesses; 0 and 1 would be.
        self._orders: BinaryIO = os.fdopen(os.dup(0), "rb")
        self._answers: BinaryIO = os.fdopen(os.dup(1), "wb")
        self._lock = threading.Lock()
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)

    def send(self, message: Message) -> None:
        """Write one message; engines may report progress from any thread."""
        self.write(encode_line(message))

    def write(self, line: bytes) -> None:
        """Write one line, whole, from any thread."""
        with self._lock:
            self._answers.write(line)
            self._answers.flush()

    def read(self, take_in: Callable[[Iterable[bytes]], None]) -> NoReturn:
        """Take in orders, and end the whole process group when there are no more or one is none."""
        try:
            take_in(self._orders)
        except Exception:  # boundary: nobody waits for this thread; without it the process would be deaf for good
            traceback.print_exc()
        end_group()


def end_group() -> NoReturn:
    """Kill this process and everything it started; there is nobody left to answer to."""
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def die_with_parent(lifeline_fd: int) -> None:
    """Have the kernel kill this process group when the parent's end of the lifeline closes, however the parent ends.

    lifeline_fd: the read end of a pipe that nobody ever writes to. The end of file on standard input says the same,
    but a thread that waits for it needs the interpreter, which a busy engine can hold for long; and
    PR_SET_PDEATHSIG would kill this one process only and leave behind what the engine started. Systems without
    F_SETSIG have the end of file alone.
    """
    if os.getpgrp() != os.getpid() or not hasattr(fcntl, "F_SETSIG"):
        return
    fcntl.fcntl(lifeline_fd, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(lifeline_fd, fcntl.F_SETOWN, -os.getpgrp())
    fcntl.fcntl(lifeline_fd, fcntl.F_SETFL, fcntl.fcntl(lifeline_fd, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([lifeline_fd], [], [], 0)[0]:
        # The parent was gone before the signal was set up.
        end_group()


def limit_memory(memory_bytes: int) -> None:
    """Bound this process's private memory; an engine that asks for more meets MemoryError, or dies.

    RLIMIT_DATA, not RLIMIT_AS: graphics drivers and memory-mapped models reserve far more addresses than they use.
    """
    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))


def serve(reference: str, pipes: Pipes, progress_interval_s: float) -> None:
    """Load and warm the engine, then render one job after another until it fails in a way that nobody foresaw."""
    orders = Orders()
    threading.Thread(target=pipes.read, args=(orders.read,), daemon=True).start()
    engine = load_engine(reference, orders.begin().arguments)
    engine.warm()
    pipes.send(Ready())
    while True:
        work = orders.next()
        answer = render(
            engine, work, Telling(pipes.send, progress_interval_s, partial(orders.has_stopped, work.number))
        )
        pipes.send(answer)
        if isinstance(answer, Failed) and answer.is_unexpected:
            # The engine may be in any state now; a fresh process costs one warming.
            return


def main(arguments: list[str]) -> NoReturn:
    """Run the process until it must end; why it ended is in its log."""
    parser = argparse.ArgumentParser(prog="render_process", description="Render what standard input orders.")
    parser.add_argument("--engine", required=True)
    parser.add_argument("--lifeline-fd", type=int)
    parser.add_argument("--niceness", type=int, default=0)
    parser.add_argument("--memory-bytes", type=int)
    parser.add_argument("--progress-interval-s", type=float, default=0.0)
    chosen = parser.parse_args(arguments)
    pipes = Pipes()
    if chosen.lifeline_fd is not None:
        os.set_inheritable(chosen.lifeline_fd, False)  # noqa: FBT003
        die_with_parent(chosen.lifeline_fd)
    if chosen.niceness:
        os.nice(chosen.niceness)
    if chosen.memory_bytes is not None:
        limit_memory(chosen.memory_bytes)
    try:
        serve(chosen.engine, pipes, chosen.progress_interval_s)
    except Exception:  # boundary: an engine that cannot be loaded or warmed; the executor reads the end of file
        traceback.print_exc()
    sys.stderr.flush()
    # Not sys.exit: threads that an engine left behind must not keep the process, and the reader never returns.
    os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
