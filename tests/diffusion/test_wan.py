"""Wan 2.2 by the production loader, on tiny random checkpoints: what orders make, and that it is diffusers' film."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tiny_models import wan as tiny
from understudy.engines.diffusion.order import Clip, Made, Order, OutOfMemory, Workflow
from understudy.engines.diffusion.recipe import Option, Plan, Recipe, recipes_of

pytestmark = pytest.mark.full

pytest.importorskip("torch")

FPS = 16
RECIPES = recipes_of(tiny.ROWS)
RECIPE = RECIPES["tiny-wan"]
SMALL = RECIPES["tiny-wan-5b"]
FEW_STEPS: dict[str, Any] = {"steps": 4, "guidance": 1.0, "sigmas": (1.0, 0.9375, 0.8333, 0.625)}
PICTURE = np.random.default_rng(0).integers(0, 256, (tiny.HEIGHT_PX, tiny.WIDTH_PX, 3), dtype=np.uint8)
CLIP = np.random.default_rng(1).integers(0, 256, (17, tiny.HEIGHT_PX, tiny.WIDTH_PX, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("wan")
    tiny.save(path)
    return path


@pytest.fixture(scope="module")
def small_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("wan-5b")
    tiny.save_small(path)
    return path


@pytest.fixture(scope="module")
def model(folder: Path) -> Any:
    return loaded(folder)


@pytest.fixture(scope="module")
def small(small_folder: Path) -> Any:
    return loaded(small_folder, recipe=SMALL)


def loaded(path: Path, *, recipe: Recipe = RECIPE, plan: Plan | None = None, options: tuple[Option, ...] = ()) -> Any:
    from understudy.engines.diffusion.families import wan

    return wan.load(recipe, path, plan or recipe.plans[0], options=options, device="cpu")


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
        "steps": 3,
        "guidance": 4.0,
    }
    return Order(**{**usual, **changed})


def made(model: Any, **changed: Any) -> Made:
    film: Made = model.generate(order(**changed), lambda _done, _of: None)
    return film


def off_by(one: Any, other: Any) -> int:
    return int(np.abs(one.astype(int) - other.astype(int)).max())


def counted(model: Any, **changed: Any) -> list[tuple[int, int]]:
    steps: list[tuple[int, int]] = []
    model.generate(order(**changed), lambda done, of: steps.append((done, of)))
    return steps


def test_the_same_seed_makes_the_same_bytes_and_another_seed_others(model: Any) -> None:
    film = made(model).frames
    assert np.array_equal(film, made(model).frames)
    assert not np.array_equal(film, made(model, seed=4).frames)


def test_a_model_that_is_loaded_again_makes_the_same_film(model: Any, folder: Path) -> None:
    assert off_by(made(model).frames, made(loaded(folder)).frames) <= 1


@pytest.mark.parametrize("frames", [65, 241], ids=["4 s", "15 s"])
def test_films_have_the_frames_that_were_ordered(model: Any, frames: int) -> None:
    film = made(model, num_frames=frames, steps=1, guidance=1.0)
    assert film.frames.shape == (frames, tiny.HEIGHT_PX, tiny.WIDTH_PX, 3)
    assert film.frames.dtype == np.uint8
    assert (film.fps, film.sound) == (FPS, None)


def test_each_step_is_told_before_each_of_its_two_passes(model: Any) -> None:
    assert counted(model) == [(done, 6) for done in range(6)]


def test_a_film_without_guidance_takes_one_pass_a_step(model: Any) -> None:
    assert counted(model, guidance=1.0) == [(done, 3) for done in range(3)]


def test_films_from_text_are_those_of_diffusers_own_pipeline(model: Any, folder: Path) -> None:
    from diffusers import UniPCMultistepScheduler, WanPipeline

    pipeline = stock(WanPipeline, folder / "t2v", UniPCMultistepScheduler, flow_shift=12.0)
    assert off_by(made(model).frames, frames_of(pipeline, guidance=4.0, guidance_second=3.0)) <= 1


def test_films_from_two_frames_are_those_of_diffusers_own_pipeline(model: Any, folder: Path) -> None:
    from diffusers import UniPCMultistepScheduler, WanImageToVideoPipeline
    from PIL import Image

    pipeline = stock(WanImageToVideoPipeline, folder / "i2v", UniPCMultistepScheduler, flow_shift=5.0)
    last = PICTURE[::-1].copy()
    theirs = frames_of(
        pipeline,
        guidance=3.5,
        guidance_second=3.5,
        image=Image.fromarray(PICTURE),
        last_image=Image.fromarray(last),
    )
    ours = made(model, workflow=Workflow.FIRST_LAST_FRAME, first=PICTURE, last=last).frames
    assert off_by(ours, theirs) <= 1


def stock(cls: Any, path: Path, scheduler: Any, *, flow_shift: float) -> Any:
    pipeline = cls.from_pretrained(str(path), local_files_only=True)
    pipeline.scheduler = scheduler.from_config(pipeline.scheduler.config, flow_shift=flow_shift)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def frames_of(pipeline: Any, *, guidance: float, guidance_second: float | None, **given: Any) -> Any:
    import torch

    ordered = order()
    film = pipeline(
        prompt=ordered.prompt,
        negative_prompt=ordered.negative_prompt,
        height=given.pop("height", ordered.height_px),
        width=given.pop("width", ordered.width_px),
        num_frames=ordered.num_frames,
        num_inference_steps=ordered.steps,
        guidance_scale=guidance,
        guidance_scale_2=guidance_second,
        generator=torch.Generator().manual_seed(ordered.seed),
        max_sequence_length=64,
        output_type="np",
        **given,
    ).frames[0]
    return np.round(film * 255).astype(np.uint8)


def shown_to(model: Any, **changed: Any) -> bytes:
    """What the transformer sees at the first step: the noise, and what is known of the film."""
    import torch

    seen: list[bytes] = []

    def keep(module: Any, args: tuple[Any, ...]) -> None:
        # The patches of the transformer; the decoder has none of that shape.
        if isinstance(module, torch.nn.Conv3d) and module.kernel_size == (1, 2, 2):
            seen.append(args[0].numpy().tobytes())

    hook = torch.nn.modules.module.register_module_forward_pre_hook(keep)
    try:
        made(model, **changed)
    finally:
        hook.remove()
    return seen[0]


def test_the_first_frame_and_the_last_are_each_shown_to_the_model(model: Any) -> None:
    # Not the films: small random weights hardly heed the last one, and not a pixel may differ.
    black, white = np.zeros_like(PICTURE), np.full_like(PICTURE, 255)
    shown = [
        shown_to(model, workflow=Workflow.FIRST_FRAME, first=black),
        shown_to(model, workflow=Workflow.FIRST_FRAME, first=white),
        shown_to(model, workflow=Workflow.FIRST_LAST_FRAME, first=black, last=black),
        shown_to(model, workflow=Workflow.FIRST_LAST_FRAME, first=black, last=white),
    ]
    assert len(set(shown)) == len(shown)
    assert shown_to(model, workflow=Workflow.FIRST_FRAME, first=black) == shown[0]


def test_a_film_from_a_first_frame_needs_one(model: Any) -> None:
    with pytest.raises(ValueError, match="without a first frame"):
        made(model, workflow=Workflow.FIRST_FRAME)


def test_what_the_model_does_not_do_is_refused(model: Any) -> None:
    with pytest.raises(ValueError, match="makes no film of the kind extend"):
        made(model, workflow=Workflow.EXTEND, clips=(Clip(frames=CLIP, fps=FPS),))


def test_an_edit_with_next_to_no_noise_is_the_given_film(folder: Path) -> None:
    import torch

    films = {}
    for noise in (0.001, 0.5):
        recipe = replace(RECIPE, settings={**RECIPE.settings, "edit_noise": noise})
        films[noise] = made(
            loaded(folder, recipe=recipe), workflow=Workflow.EDIT, clips=(Clip(frames=CLIP, fps=FPS),), steps=4
        ).frames.astype(int)
    from understudy.engines.diffusion.families.wan_pictures import Pictures

    pictures = Pictures(RECIPE, folder / "t2v", RECIPE.plans[0], device="cpu")
    with torch.inference_mode():
        given = pictures.frames(pictures.latents(CLIP)).astype(int)
    kept, changed = np.abs(films[0.001] - given).mean(), np.abs(films[0.5] - given).mean()
    assert kept < 1.0 < changed


def test_an_edit_leaves_out_the_steps_above_its_noise(model: Any) -> None:
    # Of 3 steps with a shift of 12 begin 1.0, 0.96 and 0.86: the film begins at 0.9 and goes on with the last.
    given = {"workflow": Workflow.EDIT, "clips": (Clip(frames=CLIP, fps=FPS),)}
    assert counted(model, **given) == [(done, 4) for done in range(4)]


def test_an_edit_is_as_long_as_the_order(model: Any) -> None:
    given = {"workflow": Workflow.EDIT, "clips": (Clip(frames=CLIP, fps=FPS),)}
    assert [len(made(model, num_frames=count, **given).frames) for count in (9, 25)] == [9, 25]


def test_drafts_use_the_adapter_and_nothing_else_does(model: Any) -> None:
    before = made(model, **FEW_STEPS).frames
    draft = made(model, is_draft=True, **FEW_STEPS).frames
    assert not np.array_equal(draft, before)
    assert np.array_equal(made(model, **FEW_STEPS).frames, before)


def test_a_schedule_of_its_own_is_what_the_model_is_called_with(folder: Path) -> None:
    model = loaded(folder)
    times = called_with(model, **FEW_STEPS)
    assert times == {"transformer": [1000, 938], "transformer_2": [833, 625]}


def called_with(model: Any, **changed: Any) -> dict[str, list[int]]:
    """Return the times that each transformer of the checkpoint for text is called with."""
    times: dict[str, list[int]] = {}
    for name, module in model._parts["t2v"].modules.items():

        def heard(_module: Any, _args: Any, named: dict[str, Any], name: str = name) -> None:
            times.setdefault(name, []).append(round(float(named["timestep"][0])))

        module.register_forward_pre_hook(heard, with_kwargs=True)
    made(model, **changed)
    return times


def test_a_model_whose_adapter_lacks_is_not_loaded(folder: Path) -> None:
    adapters = {"t2v": {"transformer": "lightning/none.safetensors"}}
    recipe = replace(RECIPE, settings={**RECIPE.settings, "adapters": adapters})
    with pytest.raises(OSError, match=r"none\.safetensors is not there: drafts need this adapter"):
        loaded(folder, recipe=recipe)


def test_a_folder_without_a_model_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="the model is not there"):
        loaded(tmp_path)


class Stopped(Exception):
    pass


def test_after_a_film_that_was_stopped_the_next_is_as_ever(folder: Path) -> None:
    # So large a threshold guesses every step after the first, which is the one that must not be guessed.
    recipe = replace(RECIPE, settings={**RECIPE.settings, "step_cache_threshold": 100.0})
    model = loaded(folder, recipe=recipe, options=(Option.STEP_CACHE,))
    whole = made(model, steps=6).frames

    def stop(done: int, _of: int) -> None:
        if done == 5:
            raise Stopped

    with pytest.raises(Stopped):
        model.generate(order(seed=9, steps=6), stop)
    assert np.array_equal(made(model, steps=6).frames, whole)


def test_a_draft_that_was_stopped_leaves_no_adapter_behind(model: Any) -> None:
    whole = made(model).frames

    def stop(done: int, _of: int) -> None:
        if done == 2:
            raise Stopped

    with pytest.raises(Stopped):
        model.generate(order(is_draft=True, **FEW_STEPS), stop)
    assert np.array_equal(made(model).frames, whole)


def test_a_lack_of_memory_has_its_own_error_and_the_next_film_is_made(model: Any) -> None:
    import torch

    def lack(done: int, _of: int) -> None:
        if done == 1:
            raise torch.OutOfMemoryError("CUDA out of memory.")

    with pytest.raises(OutOfMemory):
        model.generate(order(), lack)
    assert made(model).frames.std() > 0


@pytest.mark.parametrize(("host_bytes", "parts"), [(10**18, 1), (0, 2)], ids=["room for one", "room for both"])
def test_the_two_checkpoints_take_turns_whatever_room_there_is(
    folder: Path, model: Any, host_bytes: int, parts: int
) -> None:
    turning = loaded(folder, plan=replace(RECIPE.plans[0], host_bytes_min=host_bytes))
    first = made(turning).frames
    from_frame = made(turning, workflow=Workflow.FIRST_FRAME, first=PICTURE).frames
    assert len(turning._parts) == parts
    assert off_by(from_frame, made(model, workflow=Workflow.FIRST_FRAME, first=PICTURE).frames) <= 1
    assert np.array_equal(made(turning).frames, first)


def test_a_prompt_is_read_once_for_all_films_with_it(folder: Path) -> None:
    model = loaded(folder)
    calls: list[int] = []
    model._words.encoder.register_forward_pre_hook(lambda *_: calls.append(1))
    for seed in range(3):
        made(model, seed=seed, steps=1)
    assert len(calls) == 2


def test_a_prompt_longer_than_the_model_reads_is_told(model: Any) -> None:
    assert not any("tokens" in note for note in made(model, steps=1).notes)
    (note,) = made(model, prompt="a very long tale " * 8, steps=1).notes
    assert note.endswith("the model reads 64: its end had no effect.")


def test_a_film_longer_than_those_the_model_learned_from_is_told(model: Any) -> None:
    (note,) = made(model, num_frames=85, steps=1, guidance=1.0).notes
    assert note == "Wan 2.2 A14B learned from films of 5 seconds; what is longer may repeat or drift."


def test_a_step_cache_leaves_layers_out_and_changes_the_film_little(folder: Path, model: Any) -> None:
    cached = loaded(folder, options=(Option.STEP_CACHE,))
    run: list[int] = []
    for module in cached._parts["t2v"].modules.values():
        module.blocks[1].attn1.register_forward_pre_hook(lambda *_: run.append(1))
    film = made(cached, steps=10).frames
    assert len(run) < 20
    plain = made(model, steps=10).frames
    assert 0 < np.abs(film.astype(int) - plain).mean() < 4


def test_no_step_of_a_draft_is_guessed(folder: Path, model: Any) -> None:
    cached = loaded(folder, options=(Option.STEP_CACHE,))
    assert np.array_equal(
        made(cached, is_draft=True, **FEW_STEPS).frames, made(model, is_draft=True, **FEW_STEPS).frames
    )


def test_an_option_that_this_machine_has_not_is_told_to_the_operator_and_not_to_callers(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert not made(loaded(folder, options=(Option.COMPILE,)), steps=1).notes
    assert "'compile' was left out" in caplog.text


def test_frames_that_leave_the_decoder_as_they_come_are_those_of_the_whole_film(
    folder: Path, small_folder: Path
) -> None:
    import torch

    from understudy.engines.diffusion.families.wan_pictures import Pictures

    for recipe, path, channels in ((RECIPE, folder / "t2v", 16), (SMALL, small_folder, 48)):
        pictures = Pictures(recipe, path, recipe.plans[0], device="cpu")
        latents = torch.randn(1, channels, 5, 4, 6, generator=torch.Generator().manual_seed(0))
        with torch.inference_mode():
            streamed = pictures.frames(latents)
            # The way of tiles decodes the film as a whole; none of this size is cut into any.
            pictures.vae.enable_tiling()
            whole = pictures.frames(latents)
        assert np.array_equal(streamed, whole)


def test_tiles_decode_a_film_of_the_same_size(folder: Path) -> None:
    plan = replace(RECIPE.plans[0], tiles=True)
    film = made(loaded(folder, plan=plan), width_px=288, num_frames=5, steps=1, guidance=1.0).frames
    assert film.shape == (5, tiny.HEIGHT_PX, 288, 3)


def test_the_small_model_makes_films_from_text_and_from_a_first_frame(small: Any) -> None:
    size = {"width_px": tiny.SMALL_WIDTH_PX, "height_px": tiny.SMALL_HEIGHT_PX, "fps": 24, "num_frames": 97}
    picture = np.resize(PICTURE, (tiny.SMALL_HEIGHT_PX, tiny.SMALL_WIDTH_PX, 3))
    text = made(small, steps=1, **size).frames
    frame = made(small, steps=1, workflow=Workflow.FIRST_FRAME, first=picture, **size).frames
    assert text.shape == frame.shape == (97, tiny.SMALL_HEIGHT_PX, tiny.SMALL_WIDTH_PX, 3)
    assert not np.array_equal(text, frame)


def test_the_small_models_films_are_those_of_diffusers_own_pipeline(small: Any, small_folder: Path) -> None:
    from diffusers import UniPCMultistepScheduler, WanImageToVideoPipeline, WanPipeline
    from PIL import Image

    size = {"height": tiny.SMALL_HEIGHT_PX, "width": tiny.SMALL_WIDTH_PX}
    text = stock(WanPipeline, small_folder, UniPCMultistepScheduler, flow_shift=5.0)
    picture = np.resize(PICTURE, (tiny.SMALL_HEIGHT_PX, tiny.SMALL_WIDTH_PX, 3))
    pictured = WanImageToVideoPipeline(
        **{name: text.components[name] for name in ("tokenizer", "text_encoder", "vae", "scheduler", "transformer")},
        expand_timesteps=True,
    )
    pictured.set_progress_bar_config(disable=True)
    theirs = frames_of(pictured, guidance=4.0, guidance_second=None, image=Image.fromarray(picture), **size)
    ours = made(
        small,
        workflow=Workflow.FIRST_FRAME,
        first=picture,
        width_px=tiny.SMALL_WIDTH_PX,
        height_px=tiny.SMALL_HEIGHT_PX,
    ).frames
    assert off_by(ours, theirs) <= 1
