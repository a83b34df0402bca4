"""What "adaptive" means for each kind of media, and when it is left to the engine."""

import pytest

from understudy.core.content import ContentItem, Modality, Role
from understudy.core.media import MediaFacts, Medium, Origin
from understudy.core.ratios import concrete_ratio
from understudy.core.request import GenerationRequest

RATIOS = ("16:9", "4:3", "1:1", "3:4", "9:16", "21:9")


def item_of(modality: Modality, role: Role | None, size: tuple[int, int] | None) -> ContentItem:
    """A content item; size: None = nothing was measured of it."""
    if size is None:
        return ContentItem(modality=modality, value="", role=role)
    facts = MediaFacts(
        modality=modality, container="", media_type="", size_bytes=1, width_px=size[0], height_px=size[1]
    )
    medium = Medium(key="media/a.png", sha256="a", origin=Origin.WEB, facts=facts)
    return ContentItem(modality=modality, value="", role=role, medium=medium)


def image(*size: int, role: Role | None = Role.REFERENCE_IMAGE) -> ContentItem:
    return item_of(Modality.IMAGE, role, size or None)


def video(*size: int) -> ContentItem:
    return item_of(Modality.VIDEO, Role.REFERENCE_VIDEO, size)


def audio() -> ContentItem:
    return item_of(Modality.AUDIO, Role.REFERENCE_AUDIO, (0, 0))


def ratio_of(*content: ContentItem, ratio: str | None = "adaptive", ratios: tuple[str, ...] = RATIOS) -> str | None:
    text = ContentItem(modality=Modality.TEXT, value="a portrait of a fox, 9:16")
    return concrete_ratio(GenerationRequest(model="any", content=(text, *content), ratio=ratio), ratios)


def test_a_text_leaves_the_choice_to_the_engine():
    assert ratio_of() is None


def test_sound_alone_leaves_the_choice_to_the_engine():
    assert ratio_of(audio()) is None


def test_a_ratio_that_is_asked_for_is_that_ratio_whatever_the_media_are():
    assert ratio_of(image(900, 1600), ratio="21:9") == "21:9"


def test_a_request_without_a_ratio_means_adaptive():
    assert ratio_of(image(900, 1600), ratio=None) == "9:16"


@pytest.mark.parametrize(
    ("size", "ratio"),
    [
        ((1920, 1080), "16:9"),
        ((1080, 1920), "9:16"),
        ((4032, 3024), "4:3"),
        ((3024, 4032), "3:4"),
        ((1001, 999), "1:1"),
        ((2400, 1000), "21:9"),
        ((300, 750), "9:16"),
        # As a factor it is nearer to 4:3 (1.125) than to 16:9 (1.185), and so is its portrait counterpart.
        ((1500, 1000), "4:3"),
        ((1000, 1500), "3:4"),
    ],
)
def test_a_first_frame_has_the_nearest_ratio(size, ratio):
    assert ratio_of(image(*size, role=Role.FIRST_FRAME)) == ratio


def test_a_lone_image_without_a_role_is_a_first_frame():
    assert ratio_of(image(900, 1600, role=None)) == "9:16"


def test_the_first_frame_decides_even_when_the_last_one_is_listed_before_it():
    last, first = image(900, 1600, role=Role.LAST_FRAME), image(1600, 900, role=Role.FIRST_FRAME)
    assert ratio_of(last, first) == "16:9"


def test_a_reference_video_decides_before_an_image():
    assert ratio_of(image(900, 1600), video(1600, 900), video(1000, 1000)) == "16:9"


def test_the_first_image_decides_where_there_is_no_video():
    assert ratio_of(audio(), image(900, 1600), image(1600, 900)) == "9:16"


def test_a_medium_that_was_not_measured_leaves_the_choice_to_the_engine():
    assert ratio_of(image(role=Role.FIRST_FRAME)) is None


def test_ratios_that_are_no_whole_numbers_are_compared_as_well():
    assert ratio_of(image(1910, 1000), ratios=("16:9", "1.91:1", "adaptive")) == "1.91:1"
