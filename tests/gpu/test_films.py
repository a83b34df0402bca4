"""Films of tiny models on a real GPU: the same bytes for the same seed, plans, stops, and memory that comes back."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from understudy.engines.diffusion.order import LoadedModel, Order, Workflow
from understudy.engines.diffusion.recipe import Offload, Option, Plan, Quantisation, Recipe, recipes_of

pytestmark = pytest.mark.full

LEVELS_OFF_MAX = 3
"""Of 255. Where weights lie changes no product, but the libraries may choose another way to add it up."""

SIZES = {"tiny-wan": (48, 32, 17, 16.0), "tiny-h3": (96, 64, 124, 24.0), "tiny-ltx": (64, 64, 25, 24.0)}


class Stopped(Exception):
    """Raised by a caller who wants no more."""


def recipe_of(name: str) -> Recipe:
    from tiny_models import ltx, minimax_h3, wan

    rows: dict[str, Any] = {"models": {}, "recipes": {}}
    for builder in (wan, minimax_h3, ltx):
        for kind in rows:
            rows[kind].update(builder.ROWS[kind])
    return recipes_of(rows)[name]


def plan_of(offload: Offload = Offload.NONE, quantisation: Quantisation = Quantisation.NONE) -> Plan:
    return Plan(
        name=f"{offload}-{quantisation}",
        device_bytes_min=0,
        host_bytes_min=2**36,
        source="test",
        offload=offload,
        quantisation=quantisation,
    )


def order_of(name: str, **changed: Any) -> Order:
    width_px, height_px, num_frames, fps = SIZES[name]
    usual: dict[str, Any] = {
        "workflow": Workflow.TEXT,
        "prompt": "a cat on a roof",
        "width_px": width_px,
        "height_px": height_px,
        "num_frames": num_frames,
        "fps": fps,
        "seed": 3,
        "steps": 3,
        "guidance": 1.0 if name == "tiny-h3" else 3.0,
    }
    return Order(**{**usual, **changed})


@contextmanager
def loaded(
    name: str, folder: Path, *, plan: Plan | None = None, options: tuple[Option, ...] = ()
) -> Iterator[LoadedModel]:
    from understudy.engines.diffusion.families import loader_of

    recipe = recipe_of(name)
    model = loader_of(recipe)(recipe, folder, plan or plan_of(), options=options, device="cuda")
    try:
        yield model
    finally:
        model.close()


def film_of(model: LoadedModel, name: str, **changed: Any) -> Any:
    return model.generate(order_of(name, **changed), lambda _done, _of: None).frames


def off_by(one: Any, other: Any) -> int:
    return int(np.abs(one.astype(int) - other.astype(int)).max())


@pytest.fixture(params=["tiny-wan", "tiny-h3", "tiny-ltx"])
def kind(request: pytest.FixtureRequest) -> tuple[str, Path]:
    folder = {"tiny-wan": "wan_folder", "tiny-h3": "h3_folder", "tiny-ltx": "ltx_folder"}[request.param]
    return request.param, request.getfixturevalue(folder)


def test_the_same_seed_makes_the_same_bytes_also_after_loading_again(kind: tuple[str, Path]) -> None:
    films = []
    for _ in range(2):
        with loaded(*kind) as model:
            films += [film_of(model, kind[0]), film_of(model, kind[0])]
    assert all(np.array_equal(film, films[0]) for film in films[1:])


def test_another_seed_makes_another_film(kind: tuple[str, Path]) -> None:
    with loaded(*kind) as model:
        assert not np.array_equal(film_of(model, kind[0]), film_of(model, kind[0], seed=4))


@pytest.mark.parametrize("offload", [Offload.MODEL, Offload.GROUP])
def test_where_weights_lie_changes_no_film(kind: tuple[str, Path], offload: Offload) -> None:
    with loaded(*kind) as model:
        wanted = film_of(model, kind[0])
    with loaded(*kind, plan=plan_of(offload)) as model:
        assert off_by(film_of(model, kind[0]), wanted) <= LEVELS_OFF_MAX
        assert off_by(film_of(model, kind[0]), wanted) <= LEVELS_OFF_MAX


@pytest.mark.parametrize("offload", Offload)
def test_a_closed_model_leaves_nothing_on_the_device(gpu: Any, kind: tuple[str, Path], offload: Offload) -> None:
    from understudy.engines.diffusion import memory

    with loaded(*kind, plan=plan_of(offload)) as model:
        film_of(model, kind[0])
    memory.give_back()
    before = gpu.cuda.memory_allocated()
    with loaded(*kind, plan=plan_of(offload)) as model:
        film_of(model, kind[0])
    memory.give_back()
    assert gpu.cuda.memory_allocated() <= before


def test_a_film_that_is_stopped_holds_no_memory_and_the_next_one_is_right(gpu: Any, kind: tuple[str, Path]) -> None:
    from understudy.engines.diffusion import memory

    def stop(done: int, _of: int) -> None:
        if done == 1:
            raise Stopped

    with loaded(*kind) as model:
        wanted = film_of(model, kind[0])
        memory.give_back()
        before = gpu.cuda.memory_allocated()
        with pytest.raises(Stopped):
            model.generate(order_of(kind[0]), stop)
        memory.give_back()
        assert gpu.cuda.memory_allocated() <= before
        assert np.array_equal(film_of(model, kind[0]), wanted)


@pytest.fixture
def little_room(gpu: Any) -> Iterator[None]:
    """Let this process take next to nothing of the device."""
    from understudy.engines.diffusion import memory

    memory.give_back()
    whole = gpu.cuda.get_device_properties(0).total_memory
    gpu.cuda.set_per_process_memory_fraction((gpu.cuda.memory_reserved() + 2**20) / whole)
    yield
    gpu.cuda.set_per_process_memory_fraction(1.0)


def test_a_plan_that_does_not_fit_gives_way_to_the_next(gpu: Any, wan_folder: Path, little_room: None) -> None:
    from understudy.engines.diffusion import families
    from understudy.engines.diffusion.resident import Resident

    recipe = replace(recipe_of("tiny-wan"), folder=wan_folder.name)
    loads = []

    def load_of(asked: Recipe) -> Any:
        load = families.loader_of(asked)

        def with_room(*words: Any, **named: Any) -> LoadedModel:
            loads.append(words[2].name)
            if len(loads) > 1:
                gpu.cuda.set_per_process_memory_fraction(1.0)
            return load(*words, **named)

        return with_room

    plans = (plan_of(), plan_of(Offload.MODEL))
    keeper = Resident(wan_folder.parent, plans_of=lambda _: plans, device="cuda", options=(), load_of=load_of)
    _made, plan = keeper.generate(recipe, order_of("tiny-wan"), lambda _done, _of: None)
    keeper.close()
    assert (plan.name, loads) == (plans[1].name, [each.name for each in plans])


def test_a_device_without_room_is_a_lack_of_memory(wan_folder: Path, little_room: None) -> None:
    from understudy.engines.diffusion.order import OutOfMemory

    with pytest.raises(OutOfMemory), loaded("tiny-wan", wan_folder):
        pass
