"""Wan VACE by the production loader, on tiny random checkpoints: every workflow, and that it is diffusers' film."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tiny_models import vace as tiny
from understudy.engines.diffusion.order import Clip, Made, Order, OutOfMemory, Sound, Workflow
from understudy.engines.diffusion.recipe import Option, Recipe, recipes_of

pytestmark = pytest.mark.full

pytest.importorskip("torch")

FPS = 16
RECIPE = recipes_of(tiny.ROWS)["tiny-vace"]
SHAPE = (tiny.HEIGHT_PX, tiny.WIDTH_PX, 3)
PICTURE = np.random.default_rng(0).integers(0, 256, SHAPE, dtype=np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("vace")
    tiny.save(path)
    return path


@pytest.fixture(scope="module")
def model(folder: Path) -> Any:
    return loaded(folder)


def loaded(path: Path, *, recipe: Recipe = RECIPE, options: tuple[Option, ...] = ()) -> Any:
    from understudy.engines.diffusion.families import vace

    return vace.load(recipe, path, recipe.plans[0], options=options, device="cpu")


def order(**changed: Any) -> Order:
    usual: dict[str, Any] = {
        "workflow": Workflow.TEXT,
        "prompt": "a cat on a roof",
        "negative_prompt": "blurred",
        "width_px": tiny.WIDTH_PX,
        "height_px": tiny.HEIGHT_PX,
        "num_frames": 17,
        "fps": FPS,
        "seed": 3,
        "steps": 2,
        "guidance": 5.0,
    }
    return Order(**{**usual, **changed})


def made(model: Any, **changed: Any) -> Made:
    film: Made = model.generate(order(**changed), lambda _done, _of: None)
    return film


def counted(model: Any, **changed: Any) -> list[tuple[int, int]]:
    steps: list[tuple[int, int]] = []
    model.generate(order(**changed), lambda done, of: steps.append((done, of)))
    return steps


def clip(count: int, *, seed: int = 1) -> Clip:
    return Clip(frames=np.random.default_rng(seed).integers(0, 256, (count, *SHAPE), dtype=np.uint8), fps=FPS)


def off_by(one: Any, other: Any) -> int:
    return int(np.abs(one.astype(int) - other.astype(int)).max())


def differs(one: Made, other: Made) -> bool:
    return not np.array_equal(one.frames, other.frames)


WORKFLOWS: dict[str, dict[str, Any]] = {
    "text": {"workflow": Workflow.TEXT},
    "first": {"workflow": Workflow.FIRST_FRAME, "first": PICTURE},
    "last": {"workflow": Workflow.LAST_FRAME, "last": PICTURE},
    "both": {"workflow": Workflow.FIRST_LAST_FRAME, "first": PICTURE, "last": PICTURE},
    "references": {"workflow": Workflow.REFERENCES, "images": (PICTURE, PICTURE[:, :20])},
    "edit": {"workflow": Workflow.EDIT, "clips": (clip(20),)},
    "edit with a picture": {"workflow": Workflow.EDIT, "clips": (clip(20),), "images": (PICTURE,)},
    "forward": {"workflow": Workflow.EXTEND, "clips": (clip(20),)},
    "backward": {"workflow": Workflow.EXTEND, "clips": (clip(20),), "is_forward": False},
    "join": {"workflow": Workflow.JOIN, "clips": (clip(20), clip(20, seed=2))},
}


@pytest.mark.parametrize("name", WORKFLOWS)
def test_every_workflow_makes_at_least_the_frames_that_were_ordered(model: Any, name: str) -> None:
    film = made(model, **WORKFLOWS[name])
    assert film.frames.shape[1:] == SHAPE
    assert 17 <= len(film.frames) <= 20
    assert film.frames.dtype == np.uint8
    assert (film.fps, film.sound) == (FPS, None)


@pytest.mark.parametrize("name", WORKFLOWS)
def test_the_same_seed_makes_the_same_bytes(model: Any, name: str) -> None:
    assert not differs(made(model, **WORKFLOWS[name]), made(model, **WORKFLOWS[name]))


def test_another_seed_makes_another_film(model: Any) -> None:
    assert differs(made(model), made(model, seed=4))


def test_a_model_that_is_loaded_again_makes_the_same_film(model: Any, folder: Path) -> None:
    assert off_by(made(model).frames, made(loaded(folder)).frames) <= 1


def test_films_from_text_are_those_of_diffusers_own_pipeline(model: Any, folder: Path) -> None:
    assert off_by(made(model).frames, theirs(folder)) <= 1


def test_films_from_references_are_those_of_diffusers_own_pipeline(model: Any, folder: Path) -> None:
    from PIL import Image

    # 16 pixels wide: diffusers' own makes all of them multiples of 8 first.
    pictures = (PICTURE, PICTURE[:, :16].copy())
    ours = made(model, workflow=Workflow.REFERENCES, images=pictures).frames
    assert off_by(ours, theirs(folder, reference_images=[[Image.fromarray(each) for each in pictures]])) <= 1


def test_films_between_two_frames_are_those_of_diffusers_own_pipeline(model: Any, folder: Path) -> None:
    from PIL import Image

    last = PICTURE[::-1].copy()
    # There, grey is the nearest byte to it; here it is none of the bytes, but the middle.
    grey = np.full(SHAPE, 128, dtype=np.uint8)
    video = [Image.fromarray(each) for each in (PICTURE, *[grey] * 15, last)]
    known, wanted = Image.new("L", SHAPE[1::-1], 0), Image.new("L", SHAPE[1::-1], 255)
    masks = [known, *[wanted] * 15, known]
    ours = made(model, workflow=Workflow.FIRST_LAST_FRAME, first=PICTURE, last=last).frames
    assert off_by(ours, theirs(folder, video=video, mask=masks)) <= 2


def theirs(folder: Path, **given: Any) -> Any:
    import torch
    from diffusers import UniPCMultistepScheduler, WanVACEPipeline

    pipeline = WanVACEPipeline.from_pretrained(str(folder), local_files_only=True)
    pipeline.scheduler = UniPCMultistepScheduler.from_config(pipeline.scheduler.config, flow_shift=16.0)
    pipeline.set_progress_bar_config(disable=True)
    ordered = order()
    film = pipeline(
        prompt=ordered.prompt,
        negative_prompt=ordered.negative_prompt,
        height=ordered.height_px,
        width=ordered.width_px,
        num_frames=ordered.num_frames,
        num_inference_steps=ordered.steps,
        guidance_scale=ordered.guidance,
        generator=torch.Generator().manual_seed(ordered.seed),
        max_sequence_length=64,
        output_type="np",
        **given,
    ).frames[0]
    return np.round(film * 255).astype(np.uint8)


@pytest.mark.parametrize("count", [1, 9])
def test_the_model_sees_each_of_one_to_nine_references(model: Any, count: int) -> None:
    pictures = tuple(np.full(SHAPE, 20 * number, dtype=np.uint8) for number in range(count))
    named: dict[str, Any] = {"workflow": Workflow.REFERENCES, "num_frames": 33}
    (seen,) = controls(model, images=pictures, **named)
    # 9 steps of latents are 33 frames.
    assert seen.shape[2] == 9 + count
    for number in range(count):
        others = [*pictures]
        others[number] = np.full(SHAPE, 255, dtype=np.uint8)
        (other,) = controls(model, images=tuple(others), **named)
        assert [int(each) for each in np.flatnonzero((seen != other).any(axis=(0, 1, 3, 4)))] == [count - 1 - number]


def controls(model: Any, **changed: Any) -> list[Any]:
    """Return what the transformer is given of frames and references, for each part of the film."""
    heard: list[Any] = []

    def listen(_module: Any, _args: Any, named: dict[str, Any]) -> None:
        heard.append(named["control_hidden_states"].numpy().copy())

    hook = model._experts.first.register_forward_pre_hook(listen, with_kwargs=True)
    try:
        made(model, **{"steps": 1, "guidance": 1.0, **changed})
    finally:
        hook.remove()
    return heard


def test_a_large_reference_is_made_smooth_before_it_is_made_small(model: Any) -> None:
    grey, stripes = np.full((320, 480, 3), 127, dtype=np.uint8), np.zeros((320, 480, 3), dtype=np.uint8)
    stripes[:, 1::2] = 254
    (flat,), (striped,) = (controls(model, images=(each,), **REFERENCES) for each in (grey, stripes))
    assert np.allclose(flat, striped, atol=1e-2)


def test_nine_references_fit_a_film_of_the_shortest_kind(model: Any) -> None:
    assert len(made(model, workflow=Workflow.REFERENCES, images=(PICTURE,) * 9).frames) == 17


def test_of_a_reference_video_one_picture_is_used_and_that_is_told(model: Any) -> None:
    (note,) = made(model, workflow=Workflow.REFERENCES, clips=(clip(5),)).notes
    assert note == "Of a reference video one picture is used: the model takes no motion from it."


def test_reference_audio_is_told_to_have_no_effect(model: Any) -> None:
    sound = Sound(samples=np.zeros((2, 100), dtype=np.float32), sample_rate_hz=48_000)
    assert any(
        "Reference audio" in note for note in made(model, images=(PICTURE,), sounds=(sound,), **REFERENCES).notes
    )


REFERENCES = {"workflow": Workflow.REFERENCES}


def test_an_extension_sees_the_end_of_the_video_and_nothing_before(model: Any) -> None:
    assert seen_of_the_video(model, workflow=Workflow.EXTEND) == [False, True]


def test_an_extension_backwards_sees_the_beginning_of_the_video_and_nothing_after(model: Any) -> None:
    assert seen_of_the_video(model, workflow=Workflow.EXTEND, is_forward=False) == [True, False]


def seen_of_the_video(model: Any, **named: Any) -> list[bool]:
    """Say of the first and of the last 10 of a video's 40 frames whether the model sees them."""
    given = clip(40)
    (plain,) = controls(model, clips=(given,), **named)
    others = [controls(model, clips=(changed(given, first, first + 10),), **named)[0] for first in (0, 30)]
    return [not np.array_equal(plain, other) for other in others]


def test_what_joins_two_videos_sees_the_end_of_one_and_the_beginning_of_the_other(model: Any) -> None:
    before, after = clip(40), clip(40, seed=2)
    (plain,) = controls(model, workflow=Workflow.JOIN, clips=(before, after))
    seen = []
    for clips in (
        (changed(before, 0, 10), after),
        (changed(before, 30, 40), after),
        (before, changed(after, 0, 10)),
        (before, changed(after, 30, 40)),
    ):
        (other,) = controls(model, workflow=Workflow.JOIN, clips=clips)
        seen.append(not np.array_equal(plain, other))
    assert seen == [False, True, True, False]


def changed(given: Clip, first: int, after: int) -> Clip:
    frames = given.frames.copy()
    frames[first:after] = 255
    return replace(given, frames=frames)


def test_an_edit_with_next_to_no_noise_is_the_given_film(folder: Path) -> None:
    import torch

    from understudy.engines.diffusion.families.wan_pictures import Pictures

    films = {}
    given = clip(17)
    for noise in (0.001, 0.5):
        recipe = replace(RECIPE, settings={**RECIPE.settings, "edit_noise": noise})
        films[noise] = made(
            loaded(folder, recipe=recipe), workflow=Workflow.EDIT, clips=(given,), images=(PICTURE,)
        ).frames.astype(int)
    pictures = Pictures(RECIPE, folder, RECIPE.plans[0], device="cpu")
    with torch.inference_mode():
        plain = pictures.frames(pictures.latents(given.frames)).astype(int)
    kept, edited = np.abs(films[0.001] - plain).mean(), np.abs(films[0.5] - plain).mean()
    assert kept < 1.0 < edited


def test_a_film_of_4_seconds_is_made_at_once(model: Any) -> None:
    assert counted(model, num_frames=65) == [(done, 4) for done in range(4)]


def test_a_film_of_15_seconds_is_made_in_parts(model: Any) -> None:
    steps: list[tuple[int, int]] = []
    film = model.generate(order(num_frames=241, steps=1, guidance=1.0), lambda done, of: steps.append((done, of)))
    assert len(film.frames) == 241
    assert steps == [(done, 4) for done in range(4)]


def test_a_later_part_goes_on_from_the_one_before(folder: Path) -> None:
    settings = {**RECIPE.settings, "frames_at_once": 17, "frames_shared": 5}
    model = loaded(folder, recipe=replace(RECIPE, settings=settings))
    first, second = controls(model, num_frames=29)
    other_first, other_second = controls(model, num_frames=29, seed=4)
    assert np.array_equal(first, other_first)
    assert not np.array_equal(second, other_second)


def test_the_first_part_of_a_long_film_is_that_of_a_short_one(folder: Path) -> None:
    settings = {**RECIPE.settings, "frames_at_once": 17, "frames_shared": 5}
    model = loaded(folder, recipe=replace(RECIPE, settings=settings))
    assert np.array_equal(made(model, num_frames=29).frames[:17], made(model, num_frames=17).frames)


class Stopped(Exception):
    pass


def test_after_a_film_that_was_stopped_the_next_is_as_ever(model: Any) -> None:
    whole = made(model, **WORKFLOWS["forward"]).frames

    def stop(done: int, _of: int) -> None:
        if done == 1:
            raise Stopped

    with pytest.raises(Stopped):
        model.generate(order(seed=9, **WORKFLOWS["references"]), stop)
    assert np.array_equal(made(model, **WORKFLOWS["forward"]).frames, whole)


def test_a_lack_of_memory_has_its_own_error(model: Any) -> None:
    def lack(_done: int, _of: int) -> None:
        raise MemoryError

    with pytest.raises(OutOfMemory):
        model.generate(order(), lack)


def test_a_step_cache_is_not_used_and_that_is_told_to_the_operator(
    folder: Path, model: Any, caplog: pytest.LogCaptureFixture
) -> None:
    film = made(loaded(folder, options=(Option.STEP_CACHE,)))
    assert "Step caching is not used" in caplog.text
    assert off_by(film.frames, made(model).frames) <= 1


def test_a_model_of_two_transformers_calls_each_for_its_share_of_noise(tmp_path: Path) -> None:
    tiny.save(tmp_path, has_two=True)
    model = loaded(tmp_path, recipe=replace(RECIPE, settings={**RECIPE.settings, "flow_shift": 12.0}))
    calls: list[str] = []
    for name, module in model._experts.modules.items():
        module.register_forward_pre_hook(lambda *_, name=name: calls.append(name))
    made(model, steps=4, guidance=1.0)
    assert calls == ["transformer"] * 3 + ["transformer_2"]


def test_a_model_that_was_closed_holds_no_weights(folder: Path) -> None:
    model = loaded(folder)
    model.close()
    assert sum(each.numel() for part in model._components.values() for each in part.parameters()) == 0
