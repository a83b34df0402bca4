"""LTX from a folder as the hub has it, with few random weights: what it is shown and hears, its passes, its files."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tiny_models import ltx as tiny  # noqa: E402
from understudy.engines.diffusion.families import loader_of  # noqa: E402
from understudy.engines.diffusion.families.ltx_files import workflows_available  # noqa: E402
from understudy.engines.diffusion.order import (  # noqa: E402
    Clip,
    LoadedModel,
    Made,
    Order,
    OutOfMemory,
    Pixels,
    Sound,
    Workflow,
)
from understudy.engines.diffusion.recipe import Option, Plan, Quantisation, Recipe, recipes_of  # noqa: E402

pytestmark = pytest.mark.full

WIDTH_PX, HEIGHT_PX, FPS, RATE_HZ = 96, 64, 24.0, 16_000
TOKENS_OF_A_FRAME = WIDTH_PX // 32 * (HEIGHT_PX // 32)
FORWARDS_OF_A_STEP = 3
"""Guided: prompt and negative prompt together, once perturbed, once with pictures and sound apart."""

DRAFT_SIGMAS = (1.0, 0.725)
RECIPE = recipes_of(tiny.ROWS)["tiny-ltx"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ltx")
    tiny.save(path)
    return path


@pytest.fixture(scope="module")
def model(folder: Path) -> Iterator[Any]:
    loaded = loaded_from(folder)
    yield loaded
    loaded.close()


def loaded_from(
    folder: Path,
    *,
    recipe: Recipe = RECIPE,
    plan: Plan = RECIPE.plans[0],
    options: tuple[Option, ...] = (),
) -> Any:
    return loader_of(recipe)(recipe, folder, plan, options=options, device="cpu")


def order(**changed: Any) -> Order:
    usual: dict[str, Any] = {
        "workflow": Workflow.TEXT,
        "prompt": "a dog on a lawn",
        "width_px": WIDTH_PX,
        "height_px": HEIGHT_PX,
        "num_frames": 25,
        "fps": FPS,
        "seed": 7,
        "steps": 2,
        "guidance": 3.0,
    }
    return Order(**{**usual, **changed})


def draft(**changed: Any) -> Order:
    return order(is_draft=True, guidance=1.0, sigmas=DRAFT_SIGMAS, **changed)


def generated(model: LoadedModel, wanted: Order) -> Made:
    return model.generate(wanted, lambda done, total: None)


def steps_told(model: LoadedModel, wanted: Order) -> list[tuple[int, int]]:
    told: list[tuple[int, int]] = []
    model.generate(wanted, lambda done, total: told.append((done, total)))
    return told


def pictures(count: int, *, seed: int = 0, height_px: int = HEIGHT_PX, width_px: int = WIDTH_PX) -> Pixels:
    return np.random.default_rng(seed).integers(0, 255, (count, height_px, width_px, 3), dtype=np.uint8)


def noise(duration_s: float, *, seed: int = 0) -> Sound:
    samples = np.random.default_rng(seed).uniform(-0.5, 0.5, (2, round(duration_s * RATE_HZ)))
    return Sound(samples=samples.astype(np.float32), sample_rate_hz=RATE_HZ)


def clip(count: int, *, seed: int = 0, with_sound: bool = False) -> Clip:
    return Clip(frames=pictures(count, seed=seed), fps=FPS, sound=noise(count / FPS, seed=seed) if with_sound else None)


@contextmanager
def seen_by(module: Any) -> Iterator[list[dict[str, Any]]]:
    """Collect what a module is called with, its positional arguments under their numbers."""
    calls: list[dict[str, Any]] = []

    def seen(_module: Any, args: Any, kwargs: dict[str, Any]) -> None:
        calls.append({**{str(at): value for at, value in enumerate(args)}, **kwargs})

    hook = module.register_forward_pre_hook(seen, with_kwargs=True)
    try:
        yield calls
    finally:
        hook.remove()


@contextmanager
def made_by(module: Any) -> Iterator[list[Any]]:
    """Collect what a module makes."""
    made: list[Any] = []
    hook = module.register_forward_hook(lambda _module, _args, result: made.append(result))
    try:
        yield made
    finally:
        hook.remove()


@contextmanager
def decoded_by(model: Any) -> Iterator[list[Any]]:
    with seen_by(part(model, "vae").decoder) as calls:
        latents: list[Any] = []
        yield latents
        latents += [call["0"] for call in calls]


class Heard:
    """What the transformer is given to hear, per forward. steps: of each latent, or of all of them."""

    def __init__(self) -> None:
        self.sound: list[Any] = []
        self.steps: list[Any] = []
        self.levels: list[Any] = []


@contextmanager
def heard_by(model: Any) -> Iterator[Heard]:
    transformer, heard = part(model, "transformer"), Heard()
    with (
        seen_by(transformer.audio_proj_in) as sound,
        seen_by(transformer.audio_time_embed) as steps,
        seen_by(transformer.av_cross_attn_video_scale_shift) as levels,
    ):
        yield heard
    heard.sound, heard.steps, heard.levels = ([call["0"] for call in calls] for calls in (sound, steps, levels))


def part(model: Any, name: str) -> Any:
    return model._parts.modules[name]


def encoded(model: Any, frames: Pixels) -> Any:
    floats = torch.from_numpy(frames).permute(3, 0, 1, 2)[None].float() / 127.5 - 1
    with torch.inference_mode():
        return part(model, "vae").encode(floats).latent_dist.mode()


def differs(one: Made, other: Made) -> bool:
    return not np.array_equal(one.frames, other.frames)


@pytest.mark.parametrize("num_frames", [97, 361])
def test_a_film_of_4_and_of_15_seconds_has_all_its_frames_and_its_sound(model: Any, num_frames: int) -> None:
    made = generated(model, draft(num_frames=num_frames, width_px=64))
    assert made.frames.shape == (num_frames, HEIGHT_PX, 64, 3)
    assert made.frames.dtype == np.uint8
    assert made.sound is not None
    assert made.sound.sample_rate_hz == 48_000
    assert made.sound.samples.dtype == np.float32
    # The last latent of sound is heard for a quarter only.
    assert made.sound.samples.shape[1] / 48_000 == pytest.approx(num_frames / FPS, abs=0.04)
    assert np.abs(made.sound.samples).max() <= 1.0


def test_every_forward_is_told_and_then_the_end(model: Any) -> None:
    total = 2 * FORWARDS_OF_A_STEP
    assert steps_told(model, order()) == [(done, total) for done in range(total + 1)]


def test_a_draft_needs_one_forward_a_step(model: Any) -> None:
    assert steps_told(model, draft()) == [(0, 2), (1, 2), (2, 2)]


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(model: Any) -> None:
    first, second, other = (generated(model, order(seed=seed)) for seed in (7, 7, 8))
    assert np.array_equal(first.frames, second.frames)
    assert first.sound is not None
    assert second.sound is not None
    assert np.array_equal(first.sound.samples, second.sound.samples)
    assert differs(first, other)


def test_a_model_that_was_saved_and_loaded_again_makes_the_same_film(model: Any, folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "again")
    for name in ("vae", "audio_vae", "connectors", "text_encoder", "vocoder"):
        part(model, name).save_pretrained(tmp_path / "again" / name)
    again = loaded_from(tmp_path / "again")
    made, remade = generated(model, order()), generated(again, order())
    assert np.abs(made.frames.astype(int) - remade.frames).max() <= 1
    again.close()


def test_without_sound_ordered_none_is_decoded(model: Any) -> None:
    with seen_by(part(model, "vocoder")) as calls:
        assert generated(model, draft(has_sound=False)).sound is None
    assert not calls


def test_a_prompt_that_is_longer_than_the_model_reads_is_told(model: Any) -> None:
    notes = generated(model, draft(prompt="a dog " * 20, has_sound=False)).notes
    assert any("the model reads 64: its end had no effect" in note for note in notes)


def test_a_prompt_is_encoded_once(model: Any) -> None:
    with seen_by(part(model, "text_encoder")) as calls:
        generated(model, draft(prompt="never seen before"))
        generated(model, draft(prompt="never seen before", seed=9))
    assert len(calls) == 1


def test_a_mask_that_hides_nothing_is_left_out(model: Any) -> None:
    with seen_by(part(model, "transformer").transformer_blocks[0].attn2) as calls:
        generated(model, draft())
    assert [call["attention_mask"] for call in calls] == [None, None]


def test_the_first_latent_frame_is_the_given_picture(model: Any) -> None:
    from diffusers.pipelines.ltx2.utils import LTX2_5_IMAGE_CRF, apply_image_conditioning_crf

    first = pictures(1)
    with decoded_by(model) as latents:
        generated(model, order(workflow=Workflow.FIRST_FRAME, first=first[0]))
    # Pictures are compressed as those were that the model learned from.
    wanted = encoded(model, apply_image_conditioning_crf(first[0], LTX2_5_IMAGE_CRF)[None])
    assert torch.allclose(latents[0][:, :, :1], wanted, atol=1e-4)


def test_a_last_frame_lies_where_the_film_ends(model: Any) -> None:
    with seen_by(part(model, "transformer")) as calls:
        generated(model, draft(workflow=Workflow.LAST_FRAME, last=pictures(1)[0]))
    begins_s, ends_s = calls[0]["video_coords"][0, 0, -1]
    assert (float(begins_s * FPS), float(ends_s * FPS)) == pytest.approx((24, 25))


def test_a_first_and_a_last_frame_both_count(model: Any) -> None:
    first, last, other = pictures(3)
    both = draft(workflow=Workflow.FIRST_LAST_FRAME, first=first, last=last)
    made = generated(model, both)
    assert differs(made, generated(model, replace(both, first=other)))
    assert differs(made, generated(model, replace(both, last=other)))


def test_an_extension_begins_with_the_end_of_the_clip_and_returns_what_is_new(model: Any) -> None:
    given = clip(40)
    with decoded_by(model) as latents, seen_by(part(model, "transformer")) as calls:
        made = generated(model, draft(workflow=Workflow.EXTEND, clips=(given,)))
    # 17 frames are 3 latent frames; 25 and more new ones are 4.
    assert torch.allclose(latents[0][:, :, :3], encoded(model, given.frames[-17:]), atol=1e-4)
    assert calls[0]["num_frames"] == 3 + 4
    assert len(made.frames) == 4 * 8
    assert made.sound is not None
    assert made.sound.samples.shape[1] / 48_000 == pytest.approx(32 / FPS, abs=0.04)


def test_what_follows_a_clip_is_cut_where_the_clip_ends(model: Any) -> None:
    wanted = draft(workflow=Workflow.EXTEND, clips=(clip(40, with_sound=True),))
    with made_by(part(model, "vae").decoder) as pixels, made_by(part(model, "vocoder")) as samples:
        made = generated(model, wanted)
    whole = pixels[0][0].add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8).permute(1, 2, 3, 0).numpy()
    assert np.array_equal(made.frames, whole[17 : 17 + 32])
    assert made.sound is not None
    start = round(17 / FPS * 48_000)
    heard = samples[0][0].clamp(-1, 1).numpy()[:, start : start + round(32 / FPS * 48_000)]
    assert np.array_equal(made.sound.samples, heard)


def test_an_extension_before_a_clip_leads_to_its_first_frame(model: Any) -> None:
    given = clip(40)
    with seen_by(part(model, "transformer")) as calls:
        made = generated(model, draft(workflow=Workflow.EXTEND, clips=(given,), is_forward=False))
    assert len(made.frames) == 25
    shown = calls[0]["hidden_states"].shape[1] - calls[0]["num_frames"] * TOKENS_OF_A_FRAME
    assert shown == 3 * TOKENS_OF_A_FRAME
    assert float(calls[0]["video_coords"][0, 0, -shown, 0] * FPS) == pytest.approx(25)


def test_the_part_between_two_clips_touches_both(model: Any) -> None:
    before, after = clip(40, seed=1), clip(9, seed=2)
    with decoded_by(model) as latents, seen_by(part(model, "transformer")) as calls:
        made = generated(model, draft(workflow=Workflow.JOIN, clips=(before, after)))
    assert torch.allclose(latents[0][:, :, :3], encoded(model, before.frames[-17:]), atol=1e-4)
    shown = calls[0]["hidden_states"].shape[1] - calls[0]["num_frames"] * TOKENS_OF_A_FRAME
    assert shown == 2 * TOKENS_OF_A_FRAME
    assert float(calls[0]["video_coords"][0, 0, -shown, 0] * FPS) == pytest.approx(17 + 32)
    assert len(made.frames) == 32


def test_a_clip_that_goes_on_is_heard_on(model: Any) -> None:
    with heard_by(model) as heard:
        generated(model, draft(workflow=Workflow.EXTEND, clips=(clip(40, with_sound=True),)))
    held = round(17 / FPS * 25)
    for steps in heard.steps:
        assert not steps[:held].any()
        assert steps[held:].all()
    one, two = heard.sound
    assert torch.equal(one[:, :held], two[:, :held])
    assert not torch.equal(one[:, held:], two[:, held:])


def test_sound_before_and_after_a_part_is_held_where_it_is(model: Any) -> None:
    clips = (clip(40, seed=1, with_sound=True), clip(40, seed=2, with_sound=True))
    with heard_by(model) as heard:
        generated(model, draft(workflow=Workflow.JOIN, clips=clips))
    is_held = ~heard.steps[0].bool()
    assert is_held.tolist() == [at < round(17 / FPS * 25) or at >= round(49 / FPS * 25) for at in range(len(is_held))]


def test_a_video_is_changed_by_what_reads_it(model: Any) -> None:
    given = clip(40, with_sound=True)
    with seen_by(part(model, "transformer")) as calls:
        made = generated(model, draft(workflow=Workflow.EDIT, clips=(given,)))
    # As much again of what it reads as of what it makes.
    assert calls[0]["hidden_states"].shape[1] == 2 * calls[0]["num_frames"] * TOKENS_OF_A_FRAME
    assert torch.equal(calls[0]["hidden_states"][:, -1], calls[1]["hidden_states"][:, -1])
    assert not made.notes
    assert made.sound is not None
    assert given.sound is not None
    assert np.array_equal(made.sound.samples, given.sound.samples[:, : made.sound.samples.shape[1]])


def test_without_that_it_is_made_anew_over_its_outlines_and_told(folder: Path) -> None:
    settings = {**RECIPE.settings, "in_context": {}}
    plain = loaded_from(folder, recipe=replace(RECIPE, settings=settings))
    wanted = replace(draft(workflow=Workflow.EDIT, clips=(clip(25, seed=1),)), sigmas=(1.0, 0.8, 0.2))
    with seen_by(part(plain, "transformer")) as calls:
        made = generated(plain, wanted)
    assert [float(call["sigma"][0]) for call in calls] == pytest.approx([800, 200])
    assert "anew" in made.notes[0]
    assert differs(made, generated(plain, replace(wanted, clips=(clip(25, seed=2),))))
    guided = steps_told(plain, replace(wanted, is_draft=False, sigmas=(), steps=8, guidance=3.0))
    # Some of the eight steps are above the noise that it begins with.
    assert 0 < guided[-1][1] < 8 * FORWARDS_OF_A_STEP
    plain.close()


def test_references_are_read_from_one_sheet_that_stands_still(model: Any) -> None:
    from understudy.engines.diffusion.families.ltx_scene import scene_of

    wanted = draft(workflow=Workflow.REFERENCES, images=tuple(pictures(9)))
    scene = scene_of(wanted, context_frames=17, reads_clips=True)
    assert len(scene.beside) == 25
    assert all(sheet is scene.beside[0] for sheet in scene.beside)
    with seen_by(part(model, "transformer")) as calls:
        made = generated(model, wanted)
    assert calls[0]["hidden_states"].shape[1] == 2 * calls[0]["num_frames"] * TOKENS_OF_A_FRAME
    assert differs(made, generated(model, replace(wanted, images=tuple(pictures(9, seed=1)))))


def test_references_need_their_adapter_and_edits_do_not(folder: Path, tmp_path: Path) -> None:
    assert set(workflows_available(RECIPE, folder)) == set(Workflow)
    assert set(Workflow) - set(workflows_available(RECIPE, tmp_path)) == {Workflow.REFERENCES}


def test_given_audio_is_the_films_sound_and_the_model_hears_it_clean(model: Any) -> None:
    track = noise(3.0)
    wanted = draft(workflow=Workflow.REFERENCES, images=tuple(pictures(1)), sounds=(track,))
    with heard_by(model) as heard:
        made = generated(model, wanted)
    assert not any(level.any() for level in (*heard.steps, *heard.levels))
    assert torch.equal(heard.sound[0], heard.sound[1])
    assert made.sound is not None
    assert np.array_equal(made.sound.samples, track.samples[:, : round(25 / FPS * RATE_HZ)])
    assert "own sound" in made.notes[0]
    assert differs(made, generated(model, replace(wanted, sounds=(noise(3.0, seed=1),))))


def test_after_given_audio_that_ends_early_the_model_goes_on(model: Any) -> None:
    track = noise(0.5)
    wanted = draft(workflow=Workflow.REFERENCES, images=tuple(pictures(1)), sounds=(track,))
    made = generated(model, wanted)
    assert made.sound is not None
    assert made.sound.sample_rate_hz == 48_000
    # Every third sample of the track at its threefold rate is one of its own.
    assert np.abs(made.sound.samples[:, 300:22_500:3] - track.samples[:, 100:7_500]).max() < 0.01
    rest = made.sound.samples[:, 24_000:]
    assert rest.shape[1] / 48_000 == pytest.approx(25 / FPS - 0.5, abs=0.04)
    assert rest.std() > 0.001


def test_the_few_step_adapter_works_in_drafts_only(model: Any) -> None:
    before = generated(model, order())
    made = generated(model, draft())
    assert differs(made, generated(model, replace(draft(), is_draft=False)))
    assert not differs(before, generated(model, order()))


def test_a_large_film_is_made_at_half_its_size_and_refined(model: Any) -> None:
    with seen_by(part(model, "transformer")) as calls:
        made = generated(model, order(width_px=192, height_px=128, workflow=Workflow.FIRST_FRAME, first=pictures(1)[0]))
    assert made.frames.shape == (25, 128, 192, 3)
    sizes = [(call["width"], call["height"]) for call in calls]
    assert sizes == [(3, 2)] * 2 * FORWARDS_OF_A_STEP + [(6, 4)] * 2
    assert float(calls[-1]["sigma"][0]) == pytest.approx(421.875)


def test_a_canvas_that_cannot_be_halved_is_cut_from_one_that_can(model: Any) -> None:
    made = generated(model, draft(width_px=160, height_px=96))
    assert made.frames.shape == (25, 96, 160, 3)


def test_a_film_that_was_stopped_leaves_nothing_behind(model: Any) -> None:
    class Stopped(Exception):
        pass

    def stop(done: int, _total: int) -> None:
        if done == 4:
            raise Stopped

    # An edit with sound has the most that could be left: what is read, what is held, an adapter.
    wanted = order(workflow=Workflow.EDIT, clips=(clip(25, with_sound=True),))
    before = generated(model, order())
    with pytest.raises(Stopped):
        model.generate(wanted, stop)
    assert not differs(before, generated(model, order()))
    assert steps_told(model, order())[-1] == (2 * FORWARDS_OF_A_STEP, 2 * FORWARDS_OF_A_STEP)


def test_a_lack_of_memory_is_told_as_such(model: Any) -> None:
    def lack(_done: int, _total: int) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    with pytest.raises(OutOfMemory):
        model.generate(order(), lack)


def test_guessed_steps_compute_less_and_change_little(folder: Path, model: Any) -> None:
    wanted = order(steps=12)
    guessing = loaded_from(folder, options=(Option.STEP_CACHE,))
    counted, films = [], []
    for each in (model, guessing):
        with seen_by(part(each, "transformer").transformer_blocks[0].attn1.to_q) as calls:
            films.append(generated(each, wanted))
        counted.append(len(calls))
    assert counted[0] == 12 * FORWARDS_OF_A_STEP
    assert counted[1] < 0.8 * counted[0]
    exact, made = films
    error = np.abs(made.frames.astype(int) - exact.frames).mean()
    assert 0 < error < 0.05 * exact.frames.std()
    # What was remembered of one film is gone when the next begins.
    assert not differs(made, generated(guessing, wanted))
    guessing.close()


def test_weights_in_8_bits_take_adapters_too(folder: Path, model: Any) -> None:
    plan = replace(RECIPE.plans[0], quantisation=Quantisation.INT8, tiles=True)
    small = loaded_from(folder, plan=plan)
    exact, made = generated(model, draft()), generated(small, draft())
    assert differs(made, exact)
    assert np.abs(made.frames.astype(int) - exact.frames).mean() < 0.1 * exact.frames.std()
    assert differs(made, generated(small, replace(draft(), is_draft=False)))
    small.close()


def test_the_first_generation_is_loaded_by_the_same_loader(tmp_path: Path) -> None:
    tiny.save(tmp_path, generation="2.0")
    settings = {**RECIPE.settings, "call": {"use_cross_timestep": False}}
    first = loaded_from(tmp_path, recipe=replace(RECIPE, settings=settings))
    made = generated(first, order(workflow=Workflow.EXTEND, clips=(clip(20, with_sound=True),)))
    assert made.sound is not None
    assert made.sound.sample_rate_hz == 24_000
    first.close()


@pytest.mark.parametrize("lacking", ["model_index.json", "vae/config.json", tiny.FEW_STEPS])
def test_a_folder_that_lacks_a_file_is_refused_with_its_name(folder: Path, tmp_path: Path, lacking: str) -> None:
    shutil.copytree(folder, tmp_path / "short")
    (tmp_path / "short" / lacking).unlink()
    with pytest.raises(OSError, match=Path(lacking).name):
        loaded_from(tmp_path / "short")
