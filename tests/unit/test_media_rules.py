"""The rules of media: every limit broken once on either side, and what lies just inside."""

from dataclasses import replace

import pytest

from understudy.catalog.load import load_catalogue
from understudy.core.content import ContentItem, Modality, Role
from understudy.core.media import MediaFacts
from understudy.core.media_rules import Quantity, Side, fault_of, limits_of, media_violations
from understudy.core.request import GenerationRequest
from understudy.core.resolve import resolve
from understudy.core.rules import Case
from understudy.core.scenario import Scenario

CATALOGUE = load_catalogue()
SEEDANCE_20, SEEDANCE_25 = "doubao-seedance-2-0-260128", "doubao-seedance-2-5-260628"
SEEDANCE_15 = "doubao-seedance-1-5-pro-251215"
MIB = 1 << 20
IMAGE = MediaFacts(
    modality=Modality.IMAGE, container="png", media_type="image/png", size_bytes=1000, width_px=1000, height_px=1000
)
VIDEO = MediaFacts(
    modality=Modality.VIDEO,
    container="mp4",
    media_type="video/mp4",
    size_bytes=1000,
    width_px=1280,
    height_px=720,
    duration_s=5.0,
    fps=24.0,
    video_codec="h264",
    audio_codec="aac",
)
AUDIO = MediaFacts(
    modality=Modality.AUDIO,
    container="mp3",
    media_type="audio/mpeg",
    size_bytes=1000,
    duration_s=5.0,
    audio_codec="mp3",
)
ROLES = {
    Modality.IMAGE: Role.REFERENCE_IMAGE,
    Modality.VIDEO: Role.REFERENCE_VIDEO,
    Modality.AUDIO: Role.REFERENCE_AUDIO,
}


def case(*media, model=SEEDANCE_20, dialect="ark", **fields):
    """A case whose content is a text and one item per medium."""
    items = [
        ContentItem(modality=each.modality, value=f"https://example.com/{at}", role=ROLES[each.modality])
        for at, each in enumerate(media)
    ]
    text = ContentItem(modality=Modality.TEXT, value="a cat")
    spec = CATALOGUE.model(model)
    request = resolve(GenerationRequest(model=model, content=(text, *items), **fields), spec)
    return Case(
        request=request, model=spec, profile=CATALOGUE.profiles[dialect], engine="previz", served=frozenset(Scenario)
    )


def broken(*media, **fields):
    return media_violations(case(*media, **fields), dict(enumerate(media, 1)))


@pytest.mark.parametrize(
    "facts",
    [
        IMAGE,
        *(replace(IMAGE, container=name) for name in ("jpeg", "webp", "bmp", "tiff", "gif", "heic")),
        replace(IMAGE, size_bytes=30 * MIB),
        replace(IMAGE, width_px=300, height_px=300),
        replace(IMAGE, width_px=6000, height_px=6000),
        replace(IMAGE, width_px=400, height_px=1000),
        replace(IMAGE, width_px=1000, height_px=400),
        VIDEO,
        replace(VIDEO, container="mov", video_codec="hevc", audio_codec="pcm_s16le"),
        replace(VIDEO, audio_codec=""),
        replace(VIDEO, audio_codec="mp3"),
        replace(VIDEO, size_bytes=200 * MIB),
        replace(VIDEO, duration_s=2.0),
        replace(VIDEO, duration_s=1.8),
        replace(VIDEO, duration_s=15.2),
        replace(VIDEO, duration_s=15.2000004),
        replace(VIDEO, fps=24000 / 1001),
        replace(VIDEO, fps=60000 / 1001),
        replace(VIDEO, fps=60.02),
        replace(VIDEO, width_px=3840, height_px=2160),
        replace(VIDEO, width_px=864, height_px=496),
        AUDIO,
        replace(AUDIO, container="wav", audio_codec="pcm_s16le", size_bytes=15 * MIB, duration_s=15.2),
    ],
    ids=repr,
)
def test_what_lies_inside_the_limits_passes_their_ends_included(facts):
    assert broken(facts) == ()


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (
            replace(VIDEO, duration_s=15.21),
            "video duration (seconds) specified in the request must be less than or equal to 15.2",
        ),
        (
            replace(VIDEO, duration_s=1.79),
            "video duration (seconds) specified in the request must be greater than or equal to 1.8",
        ),
        (
            replace(AUDIO, duration_s=16.0),
            "audio duration (seconds) specified in the request must be less than or equal to 15.2",
        ),
    ],
)
def test_durations_are_refused_in_arks_words_to_the_letter(facts, said):
    (violation,) = broken(facts)
    frame = "The parameter `content[1]` specified in the request is not valid: "
    assert violation.message == f"{frame}{said} for model doubao-seedance-2-0 in r2v."
    assert (violation.code, violation.param) == ("InvalidParameter", "content[1]")


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (replace(IMAGE, container="avif"), "image format specified in the request must be one of `jpeg`, `png`,"),
        (replace(IMAGE, size_bytes=30 * MIB + 1), "image file size (bytes) specified in the request must be less than"),
        (replace(IMAGE, width_px=299, height_px=300), "image width (pixels) specified in the request must be greater"),
        (replace(IMAGE, width_px=4000, height_px=6001), "image height (pixels) specified in the request must be less"),
        (replace(IMAGE, width_px=399), "aspect ratio (width/height) specified in the request must be greater"),
        (
            replace(IMAGE, width_px=2501),
            "ratio (width/height) specified in the request must be less than or equal to 2.5",
        ),
        (replace(VIDEO, container="matroska"), "video format specified in the request must be one of `mp4`, `mov` for"),
        (
            replace(VIDEO, video_codec="vp9"),
            "not valid: video codec specified in the request must be one of `h264`, `hevc` for",
        ),
        (replace(VIDEO, audio_codec="opus"), "audio codec specified in the request must be one of `aac`, `mp3` for"),
        (replace(VIDEO, audio_codec="pcm_s16le"), "audio codec specified in the request must be one of `aac`, `mp3` "),
        (replace(VIDEO, size_bytes=200 * MIB + 1), "must be less than or equal to 209715200 for model"),
        (replace(VIDEO, fps=23.4), "frame rate (frames per second) specified in the request must be greater than or"),
        (replace(VIDEO, fps=61.0), "frame rate (frames per second) specified in the request must be less than or"),
        (replace(VIDEO, width_px=640, height_px=480), "pixel count (width x height) specified in the request must be"),
        (replace(VIDEO, width_px=4096, height_px=2304), "must be less than or equal to 8295044 for model"),
        (
            replace(AUDIO, container="ogg"),
            "audio format specified in the request must be one of `wav`, `mp3` for model",
        ),
        (replace(AUDIO, size_bytes=15 * MIB + 1), "must be less than or equal to 15728640 for model"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_lies_outside_is_refused_with_what_is_allowed_and_what_was_given(facts, said):
    (violation,) = broken(facts)
    assert said in violation.message
    assert "for model doubao-seedance-2-0 in r2v. It is " in violation.message


def test_what_was_measured_is_told():
    (violation,) = broken(replace(VIDEO, fps=15.0))
    assert violation.message.endswith(" It is 15.")


def test_heic_is_for_the_models_from_2_0_on():
    heic = replace(IMAGE, container="heic")
    assert broken(heic, model=SEEDANCE_25) == ()
    assert "image format" in broken(heic, model=SEEDANCE_15)[0].message


def test_every_medium_has_its_first_fault_named_in_the_order_of_the_content():
    found = broken(replace(VIDEO, fps=15.0, size_bytes=900 * MIB), IMAGE, replace(AUDIO, container="ogg"))
    assert [each.param for each in found] == ["content[1]", "content[3]"]
    assert "file size" in found[0].message


@pytest.mark.parametrize("kind", [VIDEO, AUDIO])
def test_a_kind_must_not_last_too_long_together(kind):
    thirds = [replace(kind, duration_s=5.06)] * 3
    assert broken(*thirds) == ()
    (violation,) = broken(*thirds[:2], replace(kind, duration_s=5.1))
    assert violation.param == "content[3]"
    assert f"total {kind.modality} duration (seconds) specified in the request must be" in violation.message
    assert violation.message.endswith("less than or equal to 15.2 for model doubao-seedance-2-0 in r2v.")


def test_the_total_is_not_counted_while_one_of_the_kind_is_wrong():
    assert len(broken(replace(VIDEO, duration_s=16.0), replace(VIDEO, duration_s=15.0))) == 1


def test_kinds_are_counted_apart():
    assert broken(replace(VIDEO, duration_s=10.0), replace(AUDIO, duration_s=10.0)) == ()


def test_2_5_takes_twice_as_long_and_edits_from_four_seconds_on():
    assert broken(replace(VIDEO, duration_s=30.2), model=SEEDANCE_25) == ()
    assert "equal to 30.2" in broken(replace(VIDEO, duration_s=30.3), model=SEEDANCE_25)[0].message
    short = replace(VIDEO, duration_s=3.0)
    assert broken(short, model=SEEDANCE_25) == ()
    edit = {"model": SEEDANCE_25, "omni_reference_task_type": "edit"}
    assert "greater than or equal to 3.8 " in broken(short, **edit)[0].message
    assert broken(replace(VIDEO, duration_s=4.0), **edit) == ()


@pytest.mark.parametrize(
    ("dialect", "width_px", "height_px", "size_mib"),
    [
        *((each, 3840, 2160, 200) for each in ("ark", "apiyi", "octopus", "newapi", "openai")),
        *((each, 1920, 1080, 50) for each in ("amux", "amux-native")),
        ("apimart", 1280, 720, 200),
    ],
)
def test_a_dialect_takes_videos_as_large_as_its_own_documents_say(dialect, width_px, height_px, size_mib):
    video = replace(VIDEO, width_px=width_px, height_px=height_px, size_bytes=size_mib * MIB)
    assert broken(video, dialect=dialect) == ()
    assert "file size" in broken(replace(video, size_bytes=size_mib * MIB + 1), dialect=dialect)[0].message
    larger = replace(video, width_px=width_px * 5 // 4, height_px=height_px * 5 // 4)
    assert "pixel count" in broken(larger, dialect=dialect)[0].message


def test_a_fault_says_what_it_is_about_without_a_sentence():
    limits = limits_of(case(VIDEO))[Modality.VIDEO]
    fault = fault_of(replace(VIDEO, duration_s=1.0), limits)
    assert (fault.modality, fault.quantity, fault.side) == (Modality.VIDEO, Quantity.DURATION, Side.TOO_LITTLE)
    assert fault_of(replace(VIDEO, duration_s=20.0), limits).side is Side.TOO_MUCH
    assert fault_of(replace(VIDEO, container="gif"), limits).side is Side.OTHER
    assert fault_of(VIDEO, limits) is None


def test_every_model_judges_every_kind_of_media_that_it_takes():
    for model in {each.id: each for each in CATALOGUE.models.values()}.values():
        assert Modality.IMAGE in model.media
        assert (Modality.VIDEO in model.media) is (model.reference_videos_max > 0), model.id
        assert (Modality.AUDIO in model.media) is (model.reference_audios_max > 0), model.id
        if model.reference_videos_max:
            assert round(model.media[Modality.VIDEO].total_s * 1000) == model.reference_videos_ms_max, model.id
