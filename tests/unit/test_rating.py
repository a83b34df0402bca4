"""Tokens and amounts against the figures that the documents print."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.billing.rating import amount_micros, most_tokens, price_micros, tokens_of
from understudy.catalog.load import load_catalogue
from understudy.core.content import ContentItem, Modality, Role
from understudy.core.request import GenerationRequest
from understudy.core.resolve import resolve

CATALOGUE = load_catalogue()
MODEL = CATALOGUE.model("doubao-seedance-2-0-260128")
TEXT = ContentItem(modality=Modality.TEXT, value="a cat")
VIDEO = ContentItem(modality=Modality.VIDEO, value="https://example.com/a.mp4", role=Role.REFERENCE_VIDEO)


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


@pytest.mark.parametrize("resolution", ["480p", "720p", "1080p", "4k"])
@pytest.mark.parametrize("tier", ["default", "flex"])
@pytest.mark.parametrize("is_draft", [False, True])
def test_every_model_and_resolution_has_a_price(resolution, tier, is_draft):
    for model in CATALOGUE.models.values():
        if resolution in model.resolutions:
            content = (TEXT, VIDEO) if is_draft else (TEXT,)
            asked = GenerationRequest(
                model=model.id, content=content, resolution=resolution, service_tier=tier, draft=is_draft
            )
            assert price_micros(CATALOGUE.books["ark-list"], resolve(asked, model), model) > 0


@pytest.mark.parametrize(
    ("model", "content", "fields", "price_cny"),
    [
        ("doubao-seedance-2.5", "text", {}, 70),
        ("doubao-seedance-2.5", "text", {"resolution": "1080p"}, 77),
        ("doubao-seedance-2.5", "video", {}, 42),
        ("doubao-seedance-2.5", "video", {"resolution": "1080p"}, 46),
        ("doubao-seedance-2.0", "video", {}, 28),
        ("doubao-seedance-2.0", "video", {"resolution": "1080p"}, 31),
        ("doubao-seedance-2.0", "video", {"resolution": "4k"}, 16),
        ("doubao-seedance-2.0", "text", {"generate_audio": False}, 46),
        ("doubao-seedance-2.0-fast", "video", {}, 22),
        ("doubao-seedance-2.0-mini", "video", {}, 14),
        ("doubao-seedance-1.5-pro", "text", {}, 16),
        ("doubao-seedance-1.5-pro", "text", {"generate_audio": False}, 8),
        ("doubao-seedance-1.5-pro", "text", {"service_tier": "flex"}, 8),
        ("doubao-seedance-1.5-pro", "text", {"draft": True}, 9.6),
        ("doubao-seedance-1.5-pro", "text", {"draft": True, "generate_audio": False}, 5.6),
        ("doubao-seedance-1.5-pro", "text", {"draft": True, "service_tier": "flex"}, 4.8),
        ("doubao-seedance-1.0-pro", "text", {}, 15),
        ("doubao-seedance-1.0-pro-fast", "text", {"service_tier": "flex"}, 2.1),
    ],
)
def test_the_price_follows_input_sound_tier_and_draft(model, content, fields, price_cny):
    spec = CATALOGUE.model(model)
    items = {"text": (TEXT,), "video": (TEXT, VIDEO)}[content]
    request = resolve(GenerationRequest(model=model, content=items, **fields), spec)
    assert price_micros(CATALOGUE.books["ark-list"], request, spec) == round(price_cny * 1e6)


def test_with_a_video_among_the_inputs_the_price_is_three_fifths_as_seed_000_says():
    """Seed 000, line 253: "~0.59 ~ 0.61"; what the price list has since added keeps near to it."""
    for row in CATALOGUE.books["ark-list"].rows:
        for resolution, price in row.with_video.items():
            assert 0.59 <= price / row.micros_per_million_tokens[resolution] <= 0.62


def test_a_row_that_is_missing_is_an_error_of_ours():
    with pytest.raises(LookupError):
        CATALOGUE.books["ark-list"].micros_per_million_tokens("seedance-9", "720p")


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


@pytest.mark.parametrize(
    ("model", "fields", "num_frames"),
    [
        ("doubao-seedance-1.0-pro", {"frames": 289}, 289),
        ("doubao-seedance-1.0-pro", {"frames": 29, "duration_s": 12}, 29),
        ("doubao-seedance-2.5", {}, 24 * 30),
        ("doubao-seedance-2.5", {"duration_s": 4}, 24 * 4),
        ("doubao-seedance-1.5-pro", {"duration_s": -1, "draft": True}, 24 * 12),
    ],
)
def test_a_hold_is_for_the_longest_film_that_the_request_leaves_open(model, fields, num_frames):
    spec = CATALOGUE.model(model)
    request = resolve(GenerationRequest(model=model, content=(TEXT,), ratio="1:1", **fields), spec)
    width_px, height_px = spec.sizes[request.resolution]["1:1"]
    tokens = tokens_of(CATALOGUE.tokens, width_px=width_px, height_px=height_px, num_frames=num_frames)
    assert most_tokens(CATALOGUE.tokens, request, spec) == tokens


def test_a_hold_counts_the_longest_videos_that_may_be_among_the_inputs():
    request = resolve(GenerationRequest(model=MODEL.id, content=(TEXT, VIDEO), ratio="16:9", duration_s=5), MODEL)
    # 15.2 s at 24 frames are 364.8 frames.
    assert most_tokens(CATALOGUE.tokens, request, MODEL) == 1280 * 720 * (120 + 365 + 1) // 1024


def test_resolving_changes_nothing_that_was_said():
    said = GenerationRequest(
        model="doubao-seedance-2.0", content=(TEXT,), ratio="1:1", duration_s=7, seed=0, generate_audio=False
    )
    resolved = resolve(said, MODEL)
    kept = {"ratio", "duration_s", "seed", "generate_audio"}
    assert {name: getattr(resolved, name) for name in kept} == {name: getattr(said, name) for name in kept}
    assert resolved.model == MODEL.id
