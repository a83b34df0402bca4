"""The resident model: one at a time, by the fastest plan that holds, as good after a failure as before."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from understudy.core.errors import TaskFailed
from understudy.core.ports import RenderStopped
from understudy.engines.diffusion.order import Made, OnStep, Order, OutOfMemory, Workflow
from understudy.engines.diffusion.recipe import Plan, Recipe, load_recipes
from understudy.engines.diffusion.resident import Resident

WAN, VACE = load_recipes()["wan-2-2"], load_recipes()["wan-vace"]
ORDER = Order(workflow=Workflow.TEXT, prompt="", width_px=8, height_px=8, num_frames=1, fps=24, seed=1, steps=1)


@dataclass
class Machine:
    """Loads models whose plans run out of memory when they load or when they compute; keeps a record."""

    lacks_to_load: tuple[str, ...] = ()
    lacks_to_generate: tuple[str, ...] = ()
    seen: list[str] = field(default_factory=list)

    def load_of(self, recipe: Recipe) -> Any:
        def load(recipe: Recipe, folder: Path, plan: Plan, *, options: Any, device: str) -> "Loaded":
            self.seen.append(f"load {recipe.id} {plan.name}")
            if plan.name in self.lacks_to_load:
                raise OutOfMemory("weights")
            return Loaded(self, recipe, plan)

        return load

    def resident(self) -> Resident:
        return Resident(
            Path("models"), plans_of=lambda recipe: recipe.plans, device="cpu", options=None, load_of=self.load_of
        )


@dataclass
class Loaded:
    machine: Machine
    recipe: Recipe
    plan: Plan

    def generate(self, order: Order, on_step: OnStep) -> Made:
        on_step(0, 1)
        self.machine.seen.append(f"generate {self.recipe.id} {self.plan.name}")
        if self.plan.name in self.machine.lacks_to_generate:
            raise OutOfMemory("activations")
        return Made(frames=np.zeros((1, 8, 8, 3), dtype=np.uint8), fps=24)

    def close(self) -> None:
        self.machine.seen.append(f"close {self.recipe.id} {self.plan.name}")


def nothing(done: int, total: int) -> None:
    """Follow no progress."""


NAMES = [plan.name for plan in WAN.plans]


def test_a_model_is_loaded_once_for_many_films() -> None:
    machine = Machine()
    resident = machine.resident()
    resident.warm(WAN)
    for _ in range(2):
        resident.generate(WAN, ORDER, nothing)
    assert machine.seen == [f"load wan-2-2 {NAMES[0]}", *[f"generate wan-2-2 {NAMES[0]}"] * 2]


def test_another_model_takes_the_place_of_the_first() -> None:
    machine = Machine()
    resident = machine.resident()
    resident.generate(WAN, ORDER, nothing)
    resident.generate(VACE, ORDER, nothing)
    assert machine.seen[2:4] == [f"close wan-2-2 {NAMES[0]}", f"load wan-vace {VACE.plans[0].name}"]


@pytest.mark.parametrize("lacking", ["lacks_to_load", "lacks_to_generate"])
def test_the_next_plan_makes_the_film_when_one_runs_out_of_memory(lacking: str) -> None:
    machine = Machine(**{lacking: (NAMES[0],)})
    resident = machine.resident()
    _, plan = resident.generate(WAN, ORDER, nothing)
    assert plan.name == NAMES[1]
    machine.seen.clear()
    resident.generate(WAN, ORDER, nothing)
    assert machine.seen == [f"generate wan-2-2 {NAMES[1]}"]


def test_what_fits_into_no_plan_fails_once_and_a_smaller_film_begins_anew() -> None:
    machine = Machine(lacks_to_generate=tuple(NAMES))
    resident = machine.resident()
    with pytest.raises(TaskFailed, match="does not fit into the memory") as failure:
        resident.generate(WAN, ORDER, nothing)
    assert not failure.value.is_retryable
    machine.lacks_to_generate = ()
    _, plan = resident.generate(WAN, ORDER, nothing)
    assert plan.name == NAMES[0]


def test_a_machine_that_no_plan_fits_says_so() -> None:
    machine = Machine()
    resident = Resident(Path("models"), plans_of=lambda recipe: (), device="cpu", options=None, load_of=machine.load_of)
    with pytest.raises(TaskFailed, match="too small for Wan"):
        resident.warm(WAN)
    assert machine.seen == []


def test_a_stopped_film_leaves_the_model_loaded() -> None:
    machine = Machine()
    resident = machine.resident()

    def stop(done: int, total: int) -> None:
        raise RenderStopped

    with pytest.raises(RenderStopped):
        resident.generate(WAN, ORDER, stop)
    resident.generate(WAN, ORDER, nothing)
    assert machine.seen == [f"load wan-2-2 {NAMES[0]}", f"generate wan-2-2 {NAMES[0]}"]


@pytest.mark.parametrize(
    "error", [OSError("no such file"), ValueError("broken"), TypeError("a list"), KeyError("size")]
)
def test_files_that_are_not_right_fail_the_task_and_nothing_is_tried_again(error: Exception) -> None:
    def load_of(recipe: Recipe) -> Any:
        def load(*args: Any, **kwargs: Any) -> Any:
            raise error

        return load

    resident = Resident(
        Path("models"), plans_of=lambda recipe: recipe.plans, device="cpu", options=None, load_of=load_of
    )
    with pytest.raises(TaskFailed, match="cannot be loaded on this server"):
        resident.generate(WAN, ORDER, nothing)
