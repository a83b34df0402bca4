"""One model over several devices: this process computes on the first, and starts one more process for each other.

Every process loads the same model, gets the same orders and computes a part of each step (`spreading`); the film is
taken from the first. What cannot be mended, such as a process that died in the middle of an exchange, ends this process
with all of them: it is started anew by whoever watches it, while a wait for the dead would never end.
"""

import atexit
import logging
import multiprocessing
import os
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from understudy.engines.diffusion import memory, spreading
from understudy.engines.diffusion.families import Load, loader_of
from understudy.engines.diffusion.order import LoadedModel, Made, OnStep, Order, OutOfMemory
from understudy.engines.diffusion.recipe import Option, Plan, Recipe

log = logging.getLogger(__name__)

GRACE_S = 120.0
"""How long the others may take to come to the same end: they decode the same film at the same time."""

LOADING_S = 3600.0
"""As `offering.WARM_TIMEOUT_S`: processes that load from the same slow disk do not end together."""

EXIT_CODE = 70
"""EX_SOFTWARE of sysexits.h."""

LoadOf = Callable[[Recipe], Load]


@dataclass(frozen=True, slots=True, kw_only=True)
class _LoadIt:
    recipe: Recipe
    folder: Path
    plan: Plan
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """How a process ended what it was told. lack: memory ran out. failed: another error; both empty = all is well."""

    lack: str = ""
    failed: str = ""


class Crew:
    """The processes of the other devices, started when the first model is loaded; they end with this one."""

    def __init__(self, count: int, device: str, *, load_of: LoadOf = loader_of) -> None:
        """Take how many devices there are, the first included. load_of: importable by name, in every process."""
        self._count = count
        self._device = device
        self._load_of = load_of
        self._others: list[tuple[Any, Connection]] = []
        self._meeting: dist.TCPStore | None = None
        self._answers: queue.Queue[_Answer] = queue.Queue()
        self._ending = threading.Event()
        self._is_exchanging = threading.Event()
        self._ended: threading.Timer | None = None

    def load_of(self, recipe: Recipe) -> Load:
        """Return a loader of the recipe's model into all devices; it stands in for ``families.loader_of``."""
        del recipe
        return self._load

    def others_ids(self) -> list[int]:
        """Return the ids of the other processes."""
        return [process.pid for process, _ in self._others]

    def _load(
        self, recipe: Recipe, folder: Path, plan: Plan, *, options: tuple[Option, ...], device: str
    ) -> LoadedModel:
        try:
            self._start()
        except OSError as error:
            # An OSError would be told as one of the model's files, and another try would find half a crew.
            raise RuntimeError("The processes of the other devices could not be started.") from error
        options = _shareable(options)
        self._tell(_LoadIt(recipe=recipe, folder=folder, plan=plan, options=options))
        model: LoadedModel | None = None
        bad: _Answer | None = None
        try:
            model = self._load_of(recipe)(recipe, folder, plan, options=options, device=device)
        finally:
            bad = self._hear(LOADING_S)
            if model is None or bad:
                self.drop()
        if bad:
            model.close()
            raise OutOfMemory(bad.lack) if bad.lack else ValueError(f"Another device failed: {bad.failed}.")
        return _Spread(model, self)

    def generate(self, model: LoadedModel, order: Order, on_step: OnStep) -> Made:
        """Make a film with all processes.

        Raises: OutOfMemory when memory ran out on any device; RuntimeError; what on_step raises.
        """
        self._is_exchanging.set()
        self._tell(order)
        bad: _Answer | None = None
        try:
            made = model.generate(order, spreading.agreed(on_step))
        finally:
            bad = self._hear(GRACE_S)
            self._is_exchanging.clear()
        if bad:
            raise OutOfMemory(bad.lack) if bad.lack else RuntimeError(f"Another device failed: {bad.failed}.")
        return made

    def drop(self) -> None:
        """Let the other processes give their models' memory back."""
        self._tell(None)
        self._hear(GRACE_S)

    def _start(self) -> None:
        if self._others:
            return
        context = multiprocessing.get_context("spawn")
        self._meeting = spreading.open_meeting(self._count)
        for rank in range(1, self._count):
            ours, theirs = context.Pipe()
            process = context.Process(
                target=_serve,
                args=(rank, self._count, self._meeting.port, self._device, self._load_of, theirs),
                daemon=True,
                name=f"understudy-device-{rank}",
            )
            process.start()
            theirs.close()
            self._others.append((process, ours))
        # An interpreter that ends ends its daemons first, and none of that is a death to be told.
        atexit.register(self._ending.set)
        threading.Thread(target=self._listen, daemon=True, name="understudy-devices").start()
        spreading.join(0, self._count, meeting=self._meeting, device=self._device)

    def _tell(self, words: object) -> None:
        for _, pipe in self._others:
            try:
                pipe.send(words)
            except OSError:
                if not self._ending.is_set():
                    _end("the process of a device has died")

    def _hear(self, timeout_s: float) -> _Answer | None:
        """Wait for an answer of every other process, and return one that is not well, of a lack of memory rather.

        Where this process failed as well, its own error is the one that is told.
        """
        answers = []
        for _ in self._others:
            try:
                answers.append(self._answers.get(timeout=timeout_s))
            except queue.Empty:
                _end("a device did not come to the end that the first came to")
        if self._ended is not None:
            self._ended.cancel()
            self._ended = None
        bad = [answer for answer in answers if answer.lack] + [answer for answer in answers if answer.failed]
        return bad[0] if bad else None

    def _listen(self) -> None:
        """Hear what the others say, and end all when one is gone."""
        pipes: list[Any] = [pipe for _, pipe in self._others]
        while not self._ending.is_set():
            for pipe in wait(pipes):
                try:
                    answer: _Answer = pipe.recv()  # type: ignore[union-attr, call-arg, assignment]  # only pipes
                except (EOFError, OSError):
                    if not self._ending.is_set():
                        _end("the process of a device has died")
                    return
                if (answer.lack or answer.failed) and self._is_exchanging.is_set() and self._ended is None:
                    # It computes no more; should this process wait for what it was to compute, it waits for ever.
                    self._ended = threading.Timer(GRACE_S, _end, ["a device failed in the middle of a film"])
                    self._ended.daemon = True
                    self._ended.start()
                # Not before: who hears the answer ends the timer.
                self._answers.put(answer)


def _shareable(options: tuple[Option, ...]) -> tuple[Option, ...]:
    """Leave out what devices that share a film cannot have.

    Each of them would guess a step from its own part of the film alone: one leaves a step out that another computes,
    and they wait for each other for ever.
    """
    if Option.STEP_CACHE in options:
        log.warning("'%s' was left out: several devices cannot agree on a guess.", Option.STEP_CACHE)
    return tuple(option for option in options if option is not Option.STEP_CACHE)


class _Spread:
    """A model that is loaded in all processes."""

    def __init__(self, model: LoadedModel, crew: Crew) -> None:
        self._model = model
        self._crew = crew

    def generate(self, order: Order, on_step: OnStep) -> Made:
        return self._crew.generate(self._model, order, on_step)

    def close(self) -> None:
        self._crew.drop()
        self._model.close()


def _serve(  # tidy: a process is started with positions only
    rank: int, count: int, port: int, device: str, load_of: LoadOf, pipe: Connection
) -> None:
    """Be the process of one further device: do what is told until nobody is there to tell."""
    # The standard output of a render process is its wire; what a library prints here would be read as a message.
    os.dup2(2, 1)
    orders: queue.Queue[Any] = queue.Queue()
    if torch.device(device).type == "cuda":
        torch.cuda.set_device(rank)
    # From here on it ends with the first process, also while it waits for the others.
    threading.Thread(target=_receive, args=(pipe, orders), daemon=True).start()
    spreading.join(rank, count, meeting=spreading.find_meeting(port, count), device=device)
    model: LoadedModel | None = None
    while True:
        told = orders.get()
        answer = _Answer()
        try:
            with memory.reporting_lack():
                model = _done(told, model, load_of, device=device)
        except spreading.StoppedElsewhere:
            pass
        except OutOfMemory as error:
            answer = _Answer(lack=str(error) or "Memory ran out.")
        except Exception as error:  # boundary: the first process decides what becomes of it
            log.exception("device %d failed", rank)
            answer = _Answer(failed=repr(error))
        pipe.send(answer)


def _done(told: object, model: LoadedModel | None, load_of: LoadOf, *, device: str) -> LoadedModel | None:
    """Do what one process is told, and return the model that it has afterwards."""
    if isinstance(told, Order):
        if model is None:
            raise RuntimeError("there is no model to make the film with")
        model.generate(told, spreading.agreed(lambda _done, _total: None))
        return model
    if model is not None:
        model.close()
    if isinstance(told, _LoadIt):
        return load_of(told.recipe)(told.recipe, told.folder, told.plan, options=told.options, device=device)
    return None


def _receive(pipe: Connection, orders: "queue.Queue[Any]") -> None:
    """Take orders in, and end the process with the one that gives them, also in the middle of an exchange."""
    while True:
        try:
            told = pipe.recv()
        except (EOFError, OSError):
            os._exit(0)
        orders.put(told)


def _end(why: str) -> None:
    """End this process at once: what it waits for never comes, and no error would reach it there."""
    log.critical("the render process ends: %s", why)
    logging.shutdown()
    os._exit(EXIT_CODE)
