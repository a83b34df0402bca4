"""Resolving: what was left open gets the model's default, what was said stays."""

import pytest

from understudy.catalog.load import load_catalogue
from understudy.core.content import ContentItem, Modality, Role
from understudy.core.request import GenerationRequest
from understudy.core.resolve import resolve

CATALOGUE = load_catalogue()
TEXT = ContentItem(modality=Modality.TEXT, value="a cat")
FIRST = ContentItem(modality=Modality.IMAGE, value="https://example.com/a.png", role=Role.FIRST_FRAME)


def resolved(model, *content, **fields):
    spec = CATALOGUE.model(model)
    return resolve(GenerationRequest(model=model, content=content or (TEXT,), **fields), spec)


@pytest.mark.parametrize(
    ("model", "ratio", "resolution", "duration_s", "generate_audio"),
    [
        ("doubao-seedance-2.0", "adaptive", "720p", 5, True),
        ("doubao-seedance-2.5", "adaptive", "720p", -1, True),
        ("doubao-seedance-1.5-pro", "adaptive", "720p", 5, True),
        ("doubao-seedance-1.0-pro", "16:9", "1080p", 5, False),
        ("doubao-seedance-1.0-pro-fast", "16:9", "1080p", 5, False),
    ],
)
def test_each_model_has_its_own_defaults(model, ratio, resolution, duration_s, generate_audio):
    request = resolved(model)
    given = (request.ratio, request.resolution, request.duration_s, request.generate_audio)
    assert given == (ratio, resolution, duration_s, generate_audio)


def test_a_frame_leaves_the_ratio_of_1_0_open():
    assert resolved("doubao-seedance-1.0-pro", TEXT, FIRST).ratio == "adaptive"


def test_upper_case_resolutions_mean_the_same():
    assert resolved("doubao-seedance-2.0", resolution="4K").resolution == "4k"


def test_frames_win_over_a_duration():
    request = resolved("doubao-seedance-1.0-pro", frames=29, duration_s=7)
    assert (request.frames, request.duration_s) == (29, None)


def test_a_draft_without_a_resolution_has_that_of_drafts():
    assert resolved("doubao-seedance-2.5", draft=True).resolution == "480p"
    assert resolved("doubao-seedance-2.5", draft=True, resolution="720p").resolution == "720p"


def test_the_final_of_a_draft_without_a_resolution_has_that_of_finals():
    assert resolved("doubao-seedance-2.5", draft_task_id="20261121120000-abcde").resolution == "1080p"
    assert resolved("doubao-seedance-1.5-pro", draft_task_id="20261121120000-abcde").resolution == "720p"


def test_the_name_that_was_asked_for_is_kept():
    request = resolved("sora-2-pro")
    assert (request.model, request.model_shown) == ("doubao-seedance-2-0-260128", "sora-2-pro")
    assert resolved("doubao-seedance-2-0-260128").model_asked is None
