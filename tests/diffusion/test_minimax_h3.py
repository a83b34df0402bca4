"""MiniMax-H3 by the production loader, with random weights: every way to make a film, drafts, stops and memory."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import understudy.engines.diffusion.torchvision_ops  # noqa: E402, F401

# isort: split
from tiny_models import minimax_h3 as tiny  # noqa: E402
from understudy.engines.diffusion.families import loader_of  # noqa: E402
from understudy.engines.diffusion.families.minimax_h3 import MiniMaxH3, Partition  # noqa: E402
from understudy.engines.diffusion.families.minimax_h3_modulation import SCHEDULES_MAX  # noqa: E402
from understudy.engines.diffusion.order import (  # noqa: E402
    Clip,
    Made,
    Order,
    OutOfMemory,
    Sound,
    Workflow,
)
from understudy.engines.diffusion.placing import Turns, stream  # noqa: E402
from understudy.engines.diffusion.recipe import Option, Recipe, recipes_of  # noqa: E402

pytestmark = pytest.mark.full

WIDTH_PX, HEIGHT_PX = 64, 32
RATE_HZ = 32_000
FPS = 24


class Stopped(Exception):
    """Raised by a caller who wants no more."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("h3")
    tiny.save(path)
    return path


@pytest.fixture(scope="module")
def model(folder: Path) -> Iterator[MiniMaxH3]:
    loaded = load(folder)
    yield loaded
    loaded.close()


@pytest.fixture(scope="module")
def tabled(folder: Path) -> Iterator[MiniMaxH3]:
    loaded = load(folder, options=(Option.MODULATION_TABLE,))
    yield loaded
    loaded.close()


def recipe(**changes: Any) -> Recipe:
    found = recipes_of(tiny.ROWS)["tiny-h3"]
    return replace(found, **{**changes, "settings": {**found.settings, **changes.get("settings", {})}})


def load(folder: Path, *, options: tuple[Option, ...] = (), wanted: Recipe | None = None) -> Any:
    wanted = wanted or recipe()
    return loader_of(wanted)(wanted, folder, wanted.plans[0], options=options, device="cpu")


def order(workflow: Workflow = Workflow.TEXT, **changes: Any) -> Order:
    """An order of 4 seconds, silent unless it says otherwise: six sevenths of the time go into decoding sound."""
    usual = Order(
        workflow=workflow,
        prompt="A robot dances.",
        width_px=WIDTH_PX,
        height_px=HEIGHT_PX,
        num_frames=107,
        fps=FPS,
        seed=1,
        steps=3,
        has_sound=False,
    )
    return replace(usual, **changes)


def picture(seed: int, *, width_px: int = WIDTH_PX, height_px: int = HEIGHT_PX) -> Any:
    return np.random.default_rng(seed).integers(0, 256, (height_px, width_px, 3), dtype=np.uint8)


def sound(seed: int, *, seconds: float = 1.0, rate_hz: int = RATE_HZ, channels: int = 2) -> Sound:
    noise = np.random.default_rng(seed).standard_normal((channels, round(seconds * rate_hz)))
    return Sound(samples=(noise * 0.1).astype(np.float32), sample_rate_hz=rate_hz)


def clip(seed: int, *, frames: int = 24, with_sound: bool = True) -> Clip:
    pictures = np.stack([picture(seed + index) for index in range(frames)])
    return Clip(frames=pictures, fps=FPS, sound=sound(seed, seconds=frames / FPS) if with_sound else None)


def references(**changes: Any) -> Order:
    return order(Workflow.REFERENCES, **{"images": (picture(1), picture(2)), **changes})


def made(model: Any, wanted: Order) -> Made:
    return model.generate(wanted, lambda done, total: None)


def same(one: Made, other: Made) -> bool:
    sounds = [film.sound.samples if film.sound else np.zeros(0) for film in (one, other)]
    return np.array_equal(one.frames, other.frames) and np.array_equal(*sounds)


def heard(film: Made) -> Any:
    assert film.sound is not None
    return film.sound.samples


def test_a_film_has_the_frames_and_the_sound_that_were_ordered(model: MiniMaxH3) -> None:
    film = made(model, order(num_frames=124, has_sound=True))
    assert film.frames.shape == (124, HEIGHT_PX, WIDTH_PX, 3)
    assert film.frames.dtype == np.uint8
    samples = heard(film)
    assert samples.dtype == np.float32
    assert film.sound is not None
    assert film.sound.sample_rate_hz == RATE_HZ
    assert samples.shape[0] == 2
    assert samples.shape[1] / RATE_HZ == pytest.approx(124 / FPS, abs=0.02)
    assert abs(samples).max() <= 1


@pytest.mark.parametrize("num_frames", [107, 362], ids=["4 s", "15 s"])
def test_the_shortest_and_the_longest_film_are_made(model: MiniMaxH3, num_frames: int) -> None:
    assert len(made(model, order(num_frames=num_frames, steps=2)).frames) == num_frames


def test_every_step_is_told_before_it_is_computed(model: MiniMaxH3) -> None:
    told = []
    model.generate(order(steps=5), lambda done, total: told.append((done, total)))
    assert told == [(0, 4), (1, 4), (2, 4), (3, 4)]


def test_given_sigmas_are_the_steps(model: MiniMaxH3) -> None:
    told = []
    model.generate(order(sigmas=(1.0, 0.6, 0.3)), lambda done, total: told.append((done, total)))
    assert told == [(0, 3), (1, 3), (2, 3)]
    assert model._pipeline.scheduler.timesteps.tolist() == pytest.approx([0.0, 1 - 7.2 / 7.6, 1 - 3.6 / 4.3])


def test_a_silent_film_has_no_sound(model: MiniMaxH3) -> None:
    assert made(model, order(has_sound=False)).sound is None


def test_decoding_clip_by_clip_gives_the_film_of_one_call(model: MiniMaxH3) -> None:
    from understudy.engines.diffusion.families.minimax_h3_decoding import decode_frames

    pipeline = model._pipeline
    latents = torch.randn(1, 4, 17, 2, 4, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        frames = decode_frames(pipeline.vae, latents, mean=pipeline.pixel_mean, std=pipeline.pixel_std)
        whole = pipeline.vae.decode(latents, return_dict=False)[0][0].permute(1, 2, 3, 0)
    colours = whole * torch.tensor(pipeline.pixel_std) + torch.tensor(pipeline.pixel_mean)
    assert np.array_equal(frames, (colours.clamp(0, 1) * 255).round().to(torch.uint8).numpy())


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(model: MiniMaxH3) -> None:
    film = made(model, order(has_sound=True))
    assert same(film, made(model, order(has_sound=True)))
    assert not np.array_equal(film.frames, made(model, order(seed=2)).frames)


def test_a_saved_model_makes_the_film_of_the_one_it_was_saved_from(folder: Path, tmp_path: Path) -> None:
    # Without an adapter: those give layers other names.
    bare = load(folder, wanted=recipe(draft=None))
    for each in folder.iterdir():
        (tmp_path / each.name).symlink_to(each)
    for name in ("transformer", "vae", "audio_vae"):
        (tmp_path / name).unlink()
        getattr(bare._pipeline, name).save_pretrained(tmp_path / name)
    again = load(tmp_path, wanted=recipe(draft=None))
    one, other = (made(each, order(has_sound=True)) for each in (bare, again))
    assert abs(one.frames.astype(int) - other.frames).max() <= 1
    assert np.allclose(heard(one), heard(other), atol=1e-4)


def test_a_film_that_is_stopped_between_steps_leaves_the_model_as_it_was(tabled: MiniMaxH3) -> None:
    before = made(tabled, order(seed=3))

    def stop(done: int, total: int) -> None:
        if done == 1:
            raise Stopped

    with pytest.raises(Stopped):
        tabled.generate(order(seed=4, steps=4), stop)
    told = []
    after = tabled.generate(order(seed=3), lambda done, total: told.append(done))
    assert same(before, after)
    assert told == [0, 1]


def test_a_lack_of_memory_is_told_as_such(model: MiniMaxH3) -> None:
    def lack(done: int, total: int) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    before = made(model, order())
    with pytest.raises(OutOfMemory):
        model.generate(order(), lack)
    assert same(before, made(model, order()))


def test_each_given_frame_changes_the_film(model: MiniMaxH3) -> None:
    text = made(model, order())
    first = made(model, order(Workflow.FIRST_FRAME, first=picture(1)))
    last = made(model, order(Workflow.LAST_FRAME, last=picture(1)))
    both = made(model, order(Workflow.FIRST_LAST_FRAME, first=picture(1), last=picture(2)))
    films = [text, first, last, both]
    assert not any(same(one, other) for index, one in enumerate(films) for other in films[:index])


def test_a_frame_that_is_not_of_the_canvas_is_refused(model: MiniMaxH3) -> None:
    with pytest.raises(ValueError, match="60 x 32, not 64 x 32"):
        made(model, order(Workflow.FIRST_FRAME, first=picture(1, width_px=60)))


def test_references_are_read_in_their_order(model: MiniMaxH3) -> None:
    one, other = picture(1), picture(2)
    assert not same(made(model, references(images=(one, other))), made(model, references(images=(other, one))))


def test_a_video_brings_its_sound_and_sounds_are_heard(model: MiniMaxH3) -> None:
    silent = made(model, references(clips=(clip(1, with_sound=False),)))
    sounding = made(model, references(clips=(clip(1),)))
    beside = made(model, references(clips=(clip(1, with_sound=False),), sounds=(sound(1, channels=1),)))
    assert not same(silent, sounding)
    assert not same(sounding, beside)


def test_images_and_videos_that_the_pipeline_would_not_take_are_brought_into_its_bounds(model: MiniMaxH3) -> None:
    odd = references(
        images=(picture(1, width_px=96, height_px=1), picture(2, width_px=3, height_px=64)), clips=(clip(3, frames=1),)
    )
    assert "cut to its middle" in made(model, odd).notes[0]
    assert not made(model, references()).notes


def test_marks_of_the_conditioner_in_a_prompt_are_words(model: MiniMaxH3) -> None:
    marked = references(images=(picture(1),), prompt="<|vision_start|><|image_pad|><|vision_end|> <|video_pad|>")
    assert made(model, marked).frames.any()


def test_nine_images_are_taken(model: MiniMaxH3) -> None:
    assert len(made(model, references(images=tuple(picture(index) for index in range(9)))).frames) == 107


def test_reference_images_are_as_large_as_the_canvas_unless_the_recipe_says_otherwise(
    model: MiniMaxH3, folder: Path
) -> None:
    made(model, references(images=(picture(1),)))
    assert model._pipeline.config.reference_image_short_edge == HEIGHT_PX
    large = load(folder, wanted=recipe(settings={"reference_image_short_edge": 64}))
    assert not same(made(large, references()), made(model, references()))


@pytest.mark.parametrize("given", ["sounds", "clips"])
def test_sound_of_another_rate_is_refused(model: MiniMaxH3, given: str) -> None:
    wrong = sound(1, rate_hz=48_000)
    changes = {"sounds": (wrong,)} if given == "sounds" else {"clips": (replace(clip(1), sound=wrong),)}
    with pytest.raises(ValueError, match="has to be at 32000 Hz, not 48000"):
        made(model, references(**changes))


def test_references_without_a_picture_are_refused(model: MiniMaxH3) -> None:
    with pytest.raises(ValueError, match="no picture to refer to"):
        made(model, references(images=(), sounds=(sound(1),)))


def test_an_extension_follows_on_the_last_picture_without_showing_it_again(model: MiniMaxH3) -> None:
    given = clip(1)
    film = made(model, order(Workflow.EXTEND, clips=(given,), has_sound=True))
    whole = made(model, order(Workflow.FIRST_FRAME, first=given.frames[-1], has_sound=True))
    assert np.array_equal(film.frames, whole.frames[1:])
    assert np.array_equal(heard(film), heard(whole)[:, round(RATE_HZ / FPS) :])
    assert "picture at which the video ends" in film.notes[0]


def test_a_beginning_leads_to_the_first_picture_without_showing_it(model: MiniMaxH3) -> None:
    given = clip(1)
    film = made(model, order(Workflow.EXTEND, clips=(given,), is_forward=False))
    whole = made(model, order(Workflow.LAST_FRAME, last=given.frames[0]))
    assert np.array_equal(film.frames, whole.frames[:-1])


def test_a_join_leads_from_one_video_to_the_next(model: MiniMaxH3) -> None:
    before, after = clip(1), clip(50)
    film = made(model, order(Workflow.JOIN, clips=(before, after)))
    whole = made(model, order(Workflow.FIRST_LAST_FRAME, first=before.frames[-1], last=after.frames[0]))
    assert np.array_equal(film.frames, whole.frames[1:-1])


def test_a_join_of_one_video_is_refused(model: MiniMaxH3) -> None:
    with pytest.raises(ValueError, match="needs two clips; 1 given"):
        made(model, order(Workflow.JOIN, clips=(clip(1),)))


def test_an_extension_beside_references_goes_on_from_the_end_of_a_long_video(model: MiniMaxH3) -> None:
    long = clip(1, frames=120)
    end = Clip(
        frames=long.frames[-107:],
        fps=FPS,
        sound=Sound(samples=long.sound.samples[:, -round(107 / FPS * RATE_HZ) :], sample_rate_hz=RATE_HZ),
    )
    beside = {"images": (picture(1),), "steps": 2}
    film = made(model, order(Workflow.EXTEND, clips=(long,), **beside))
    assert same(film, made(model, references(clips=(end,), **beside)))
    assert "not from its very picture" in film.notes[0]


def test_an_edit_sees_the_video(model: MiniMaxH3) -> None:
    one = made(model, order(Workflow.EDIT, clips=(clip(1, with_sound=False),)))
    other = made(model, order(Workflow.EDIT, clips=(clip(9, with_sound=False),)))
    assert len(one.frames) == 107
    assert not same(one, other)


def test_where_both_transformers_have_no_room_they_are_swapped(model: MiniMaxH3, folder: Path) -> None:
    small = load(folder, wanted=recipe(settings={"transformers_kept": 1}))
    kept = []
    for wanted in (order(), references(), order()):
        assert same(made(small, wanted), made(model, wanted))
        kept.append(tuple(small._transformers))
    assert kept == [(Partition.FRAMES,), (Partition.REFERENCES,), (Partition.FRAMES,)]
    assert set(model._transformers) == set(Partition)


def test_the_few_step_adapter_takes_part_in_drafts_alone(model: MiniMaxH3, folder: Path) -> None:
    bare = load(folder, wanted=recipe(draft=None))
    for wanted in (order(), references()):
        assert same(made(bare, wanted), made(bare, replace(wanted, is_draft=True)))
        assert not same(made(model, wanted), made(model, replace(wanted, is_draft=True)))
        assert same(made(model, wanted), made(bare, wanted))


def test_drafts_from_references_have_shifts_of_their_own(model: MiniMaxH3) -> None:
    made(model, references(is_draft=True))
    assert model._pipeline.scheduler.shift == 6.0
    made(model, references())
    assert model._pipeline.scheduler.shift == 12.0


def test_a_draft_without_its_weights_is_made_and_told(folder: Path) -> None:
    usual = recipe()
    lacking = replace(usual, draft=replace(usual.draft, adapter=replace(usual.draft.adapter, file="turbo/none")))
    film = made(load(folder, wanted=lacking), order(is_draft=True))
    assert film.notes == ("The weights for drafts are not on this server: the draft is rougher than it could be.",)


def test_a_file_that_is_no_adapter_is_refused(folder: Path) -> None:
    usual = recipe()
    wrong = replace(usual.draft, adapter=replace(usual.draft.adapter, file="vae/diffusion_pytorch_model.safetensors"))
    with pytest.raises(ValueError, match="no adapter of this model"):
        load(folder, wanted=replace(usual, draft=wrong))


def test_a_folder_without_the_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"no config\.json"):
        load(tmp_path)


@pytest.mark.parametrize("is_draft", [False, True], ids=["film", "draft"])
@pytest.mark.parametrize("given", ["text", "frame", "references"])
def test_the_modulation_table_changes_no_bit(model: MiniMaxH3, tabled: MiniMaxH3, given: str, is_draft: bool) -> None:
    wanted = {
        "text": order(),
        "frame": order(Workflow.FIRST_FRAME, first=picture(1)),
        "references": references(clips=(clip(1),)),
    }[given]
    wanted = replace(wanted, is_draft=is_draft, has_sound=True)
    assert same(made(model, wanted), made(tabled, wanted))


def test_the_table_takes_the_modulation_out_of_the_transformer(model: MiniMaxH3, tabled: MiniMaxH3) -> None:
    whole, left = (each._transformers[Partition.FRAMES].transformer for each in (model, tabled))
    table = tabled._transformers[Partition.FRAMES].table
    assert table is not None
    taken = [weight for name, weight in whole.named_parameters() if "adaln_proj" in name]
    assert table.parameters_out == sum(weight.numel() for weight in taken) > 0
    assert not [name for name, _ in left.named_parameters() if "adaln_proj" in name]
    assert sum(each.numel() for each in whole.parameters()) == table.parameters_out + sum(
        each.numel() for each in left.parameters()
    )


@pytest.mark.parametrize("way", ["in turns", "streamed"])
def test_offloaded_components_make_the_same_film(model: MiniMaxH3, folder: Path, way: str) -> None:
    # `place` leaves all where it is on a CPU; the hooks that it would set work there too.
    offloaded = load(folder, options=(Option.MODULATION_TABLE,))
    host = torch.device("cpu")
    transformer = offloaded._transformers[Partition.FRAMES].transformer
    if way == "in turns":
        turns = Turns(host)
        for module in (*offloaded._shared.values(), transformer):
            turns.take_part(module)
    else:
        stream(transformer, host)
        stream(offloaded._shared["text_encoder"], host)
    wanted = order(Workflow.FIRST_FRAME, first=picture(1), has_sound=True)
    assert same(made(offloaded, wanted), made(model, wanted))


def test_the_table_is_computed_once_per_schedule(tabled: MiniMaxH3) -> None:
    table = tabled._transformers[Partition.FRAMES].table
    assert table is not None
    calls = []
    branch = table._branches[0]
    hook = branch.register_forward_hook(lambda *_: calls.append(1))
    made(tabled, order(steps=6))
    made(tabled, order(steps=6, seed=5))
    hook.remove()
    assert len(calls) == 5


def test_no_more_schedules_are_remembered_than_there_is_room_for(tabled: MiniMaxH3) -> None:
    for steps in range(2, 4 + SCHEDULES_MAX):
        made(tabled, order(steps=steps))
    table = tabled._transformers[Partition.FRAMES].table
    assert table is not None
    assert len(table._schedules) == SCHEDULES_MAX


def test_the_step_cache_leaves_blocks_out_and_forgets_between_films(folder: Path) -> None:
    settings = {"step_cache_threshold": 1e9}
    cached = load(folder, options=(Option.STEP_CACHE,), wanted=recipe(settings=settings))
    block = cached._transformers[Partition.FRAMES].transformer.transformer_blocks[1]
    calls = []
    block.attn.register_forward_hook(lambda *_: calls.append(1))
    film = made(cached, order(steps=6))
    assert len(calls) == 1
    assert same(film, made(cached, order(steps=6)))
    assert len(calls) == 2


def test_closing_gives_the_weights_back(folder: Path) -> None:
    loaded = load(folder)
    made(loaded, references(steps=2))
    modules = [each.transformer for each in loaded._transformers.values()] + list(loaded._shared.values())
    loaded.close()
    assert sum(weight.numel() for module in modules for weight in module.parameters()) == 0
