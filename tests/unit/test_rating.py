"""Tokens and amounts against the figures that the documents print."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.billing.rating import amount_micros, most_tokens, tokens_of
from understudy.catalog.load import load_catalogue
from understudy.core.content import ContentItem, Modality
from understudy.core.request import GenerationRequest
from understudy.core.resolve import resolve

CATALOGUE = load_catalogue()
MODEL = CATALOGUE.model("doubao-seedance-2-0-260128")
TEXT = ContentItem(modality=Modality.TEXT, value="a cat")


@pytest.mark.parametrize(
    ("width_px", "height_px", "duration_s", "tokens"),
    [(1280, 720, 5, 108_900), (720, 1280, 5, 108_900), (864, 480, 5, 49_005), (1280, 720, 7, 152_100)],
)
def test_tokens_are_those_of_real_answers(width_px, height_px, duration_s, tokens):
    size = {"width_px": width_px, "height_px": height_px}
    assert tokens_of(CATALOGUE.tokens, **size, num_frames=24 * duration_s) == tokens


@pytest.mark.parametrize(
    ("model", "resolution", "price_cny"),
    [
        ("doubao-seedance-2-0-260128", "480p", 2.31),
        ("doubao-seedance-2-0-260128", "720p", 4.97),
        ("doubao-seedance-2-0-260128", "1080p", 12.39),
        ("doubao-seedance-2-0-fast-260128", "480p", 1.86),
        ("doubao-seedance-2-0-fast-260128", "720p", 4.00),
    ],
)
def test_five_seconds_cost_what_seed_004_lists_give_or_take_the_frame_the_list_leaves_out(model, resolution, price_cny):
    """The list counts 24 x 5 frames, real usage one more; the list is rounded to the fen."""
    spec = CATALOGUE.model(model)
    width_px, height_px = spec.sizes[resolution]["16:9"]
    tokens = tokens_of(CATALOGUE.tokens, width_px=width_px, height_px=height_px, num_frames=24 * 5)
    price = CATALOGUE.books["ark-list"].micros_per_million_tokens(spec.price_row, resolution)
    assert amount_micros(tokens, price) / 1e6 == pytest.approx(price_cny * 121 / 120, abs=0.006)


def test_every_model_and_resolution_has_a_price():
    for model in CATALOGUE.models.values():
        for resolution in model.resolutions:
            assert CATALOGUE.books["ark-list"].micros_per_million_tokens(model.price_row, resolution) > 0


def test_amounts_are_rounded_half_up():
    assert [amount_micros(tokens, 500_000) for tokens in (1, 2, 3)] == [1, 1, 2]


@given(
    resolution=st.sampled_from(MODEL.resolutions),
    asked_ratio=st.sampled_from((*MODEL.ratios, "adaptive")),
    asked_s=st.integers(4, 15) | st.just(-1),
    chosen_ratio=st.sampled_from(MODEL.ratios),
    chosen_s=st.integers(4, 15),
)
def test_a_hold_is_never_less_than_what_the_task_comes_to(resolution, asked_ratio, asked_s, chosen_ratio, chosen_s):
    request = GenerationRequest(
        model=MODEL.id, content=(TEXT,), resolution=resolution, ratio=asked_ratio, duration_s=asked_s
    )
    held = most_tokens(CATALOGUE.tokens, resolve(request, MODEL), MODEL)
    width_px, height_px = MODEL.sizes[resolution][chosen_ratio if asked_ratio == "adaptive" else asked_ratio]
    seconds = chosen_s if asked_s == -1 else asked_s
    assert held >= tokens_of(CATALOGUE.tokens, width_px=width_px, height_px=height_px, num_frames=24 * seconds)


def test_resolving_changes_nothing_that_was_said():
    said = GenerationRequest(
        model="doubao-seedance-2.0", content=(TEXT,), ratio="1:1", duration_s=7, seed=0, generate_audio=False
    )
    resolved = resolve(said, MODEL)
    kept = {"ratio", "duration_s", "seed", "generate_audio"}
    assert {name: getattr(resolved, name) for name in kept} == {name: getattr(said, name) for name in kept}
    assert resolved.model == MODEL.id
