"""A program that makes films with a crew of processes, for `test_parallel`: it may end itself, and starts others.

It is called with the folder of a small model, the file to tell results in, and how it ends.
"""

import hashlib
import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from tiny_models import wan
from understudy.engines.diffusion.families import loader_of
from understudy.engines.diffusion.order import LoadedModel, OnStep, Order, Workflow
from understudy.engines.diffusion.parallel import Crew
from understudy.engines.diffusion.recipe import Option, Recipe, recipes_of


class Unwanted(Exception):
    """The film is wanted no more."""


def film(model: LoadedModel, *, seed: int = 3, at_step: Callable[[int], None] = lambda _: None) -> object:
    """Return what identifies the film, and the steps that were told of it."""
    steps: list[int] = []

    def on_step(done: int, _: int) -> None:
        steps.append(done)
        at_step(done)

    return [_made(model, seed, on_step), steps]


def _made(model: LoadedModel, seed: int, on_step: OnStep) -> str:
    order = Order(
        workflow=Workflow.TEXT,
        prompt="a cat",
        width_px=wan.WIDTH_PX,
        height_px=wan.HEIGHT_PX,
        num_frames=13,
        fps=16,
        seed=seed,
        steps=2,
        guidance=4.0,
    )
    try:
        return hashlib.sha256(model.generate(order, on_step).frames.tobytes()).hexdigest()
    except Unwanted:
        return "stopped"


def stop_at_first(done: int) -> None:
    """Stop the film after one step."""
    if done == 1:
        raise Unwanted


class Program:
    """Loads the model as it is wanted, and tells what came of it."""

    def __init__(self, folder: Path, out: TextIO) -> None:
        self._folder = folder
        self._out = out
        self.recipe: Recipe = recipes_of(wan.ROWS)["tiny-wan"]
        self.crew = Crew(2, "cpu")

    def tell(self, name: str, told: object) -> None:
        """Write it down at once: the process may end before it ends well."""
        print(json.dumps({name: told}), file=self._out, flush=True)

    def alone(self) -> LoadedModel:
        """Load the model in this process alone."""
        return loader_of(self.recipe)(self.recipe, self._folder, self.recipe.plans[0], options=(), device="cpu")

    def together(self, folder: str = ".", *, options: tuple[Option, ...] = ()) -> LoadedModel:
        """Load the model in all processes."""
        load = self.crew.load_of(self.recipe)
        return load(self.recipe, self._folder / folder, self.recipe.plans[0], options=options, device="cpu")

    def loses_one(self) -> None:
        """Make films together as they are made alone, and kill the other process in the middle of the last one."""
        alone = self.alone()
        self.tell("alone", film(alone))
        alone.close()
        model = self.together()
        self.tell("together", film(model))
        self.tell("another seed", film(model, seed=4))
        self.tell("stopped", film(model, at_step=stop_at_first))
        self.tell("afterwards", film(model))
        model.close()
        try:
            self.together("nothing")
        except OSError as error:
            self.tell("refused", str(error))
        model = self.together(options=(Option.STEP_CACHE,))
        self.tell("loaded again", film(model))
        self.tell("processes", self.crew.others_ids())
        self.tell("survived", film(model, at_step=self._kill_at_first))

    def is_killed(self) -> None:
        """Start the others, and be killed."""
        with suppress(OSError):
            self.together("nothing")
        self.tell("processes", self.crew.others_ids())
        os.kill(os.getpid(), signal.SIGKILL)

    def _kill_at_first(self, done: int) -> None:
        if done == 1:
            os.kill(self.crew.others_ids()[0], signal.SIGKILL)


if __name__ == "__main__":
    folder, out, end = sys.argv[1:]
    with Path(out).open("w", encoding="utf-8") as file:
        program = Program(Path(folder), file)
        program.loses_one() if end == "loses-one" else program.is_killed()
