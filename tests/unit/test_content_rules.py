"""The rules of content: each broken once, with the sentences that clients look for, and what they must let pass."""

from dataclasses import replace

import pytest

from understudy.catalog.load import load_catalogue
from understudy.core.content import ContentItem, Modality, Role
from understudy.core.content_rules import CONTENT_RULES, SERVING_RULES
from understudy.core.media import MediaFacts, Medium, Origin
from understudy.core.request import GenerationRequest
from understudy.core.resolve import resolve
from understudy.core.rules import Case, violations
from understudy.core.scenario import Scenario

CATALOGUE = load_catalogue()
TEXT = ContentItem(modality=Modality.TEXT, value="a cat")
IMAGE = ContentItem(modality=Modality.IMAGE, value="https://example.com/a.png")
FIRST, LAST = replace(IMAGE, role=Role.FIRST_FRAME), replace(IMAGE, role=Role.LAST_FRAME)
PICTURE = replace(IMAGE, role=Role.REFERENCE_IMAGE)
VIDEO = ContentItem(modality=Modality.VIDEO, value="https://example.com/a.mp4", role=Role.REFERENCE_VIDEO)
AUDIO = ContentItem(modality=Modality.AUDIO, value="https://example.com/a.mp3", role=Role.REFERENCE_AUDIO)
DRAFT = ContentItem(modality=Modality.DRAFT, value="20261121120000-abcde")
SEEDANCE_25, SEEDANCE_15 = "doubao-seedance-2-5-260628", "doubao-seedance-1-5-pro-251215"
SEEDANCE_10, SEEDANCE_10_FAST = "doubao-seedance-1-0-pro-250528", "doubao-seedance-1-0-pro-fast-251015"
FRAME = "The parameter `content` specified in the request is not valid: "


def case(*content, model="doubao-seedance-2-0-260128", dialect="ark", served=frozenset(Scenario), **fields):
    spec = CATALOGUE.model(model)
    request = resolve(GenerationRequest(model=model, content=content, **fields), spec)
    return Case(request=request, model=spec, profile=CATALOGUE.profiles[dialect], engine="previz", served=served)


def broken(*content, **fields):
    return [(each.code, each.param) for each in violations(case(*content, **fields))]


def sentence(*content, **fields):
    return violations(case(*content, **fields))[0].message


@pytest.mark.parametrize(
    ("content", "model", "expected"),
    [
        ((TEXT, IMAGE, IMAGE), None, "role must be specified for image contents."),
        ((TEXT, *[PICTURE] * 10), None, "expected at most 9 reference images but got 10 instead."),
        ((TEXT, *[VIDEO] * 4), None, "expected at most 3 video contents but got 4 instead"),
        ((VIDEO, *[AUDIO] * 4), None, "expected at most 3 audio contents but got 4 instead"),
        ((TEXT, *[PICTURE] * 31), SEEDANCE_25, "expected at most 30 reference images but got 31 instead."),
        ((TEXT, *[VIDEO] * 11), SEEDANCE_25, "expected at most 10 video contents but got 11 instead"),
        ((FIRST, FIRST), None, "expected at most one first frame image content but got 2 instead."),
        ((FIRST, LAST, LAST), None, "expected at most one last frame image content but got 2 instead."),
        ((FIRST, PICTURE), None, "first/last frame content cannot be mixed with reference media content."),
        ((FIRST, VIDEO), None, "first/last frame content cannot be mixed with reference media content."),
        ((FIRST, LAST, AUDIO), None, "first/last frame content cannot be mixed with reference media content."),
        (
            (LAST, PICTURE),
            SEEDANCE_10,
            "last frame image content cannot be mixed with first frame or reference image content",
        ),
        ((TEXT, AUDIO), None, "reference_audio cannot be the only reference input"),
        ((replace(VIDEO, role=None),), None, "reference media mode requires video role to be reference_video"),
        ((PICTURE, replace(AUDIO, role=None)), None, "reference media mode requires audio role to be reference_audio"),
        ((replace(VIDEO, value="data:video/mp4;base64,AAAA"),), None, "reference_video must be provided as a web url."),
    ],
)
def test_sentences_are_those_of_the_real_service(content, model, expected):
    assert sentence(*content, model=model or "doubao-seedance-2-0-260128") == FRAME + expected


def test_a_last_frame_needs_a_first_frame():
    words = "last frame image content cannot be mixed with first frame or reference image content"
    assert sentence(TEXT, LAST).startswith(FRAME + words)
    assert broken(TEXT, LAST) == [("InvalidParameter", "content")]


@pytest.mark.parametrize(
    ("content", "fields"),
    [
        ((TEXT, FIRST), {}),
        ((FIRST,), {}),
        ((TEXT, FIRST, LAST), {}),
        ((TEXT, LAST, FIRST), {}),
        ((TEXT, *[PICTURE] * 9, *[VIDEO] * 3, *[AUDIO] * 3), {}),
        ((*[PICTURE] * 30, *[VIDEO] * 10, *[AUDIO] * 10), {"model": SEEDANCE_25}),
        ((AUDIO,), {"model": SEEDANCE_25}),
        ((TEXT, AUDIO), {"dialect": "amux-native"}),
        ((TEXT, FIRST, LAST), {"model": SEEDANCE_10}),
        ((TEXT, FIRST), {"model": SEEDANCE_10_FAST}),
        ((TEXT, FIRST), {"model": SEEDANCE_25}),
        ((TEXT, PICTURE), {"model": SEEDANCE_25, "ratio": "16:9"}),
        ((PICTURE, AUDIO), {"dialect": "octopus", "generate_audio": True}),
    ],
)
def test_each_scenario_passes_where_it_is_offered(content, fields):
    assert broken(*content, **fields) == []


@pytest.mark.parametrize(
    ("content", "fields", "code", "param"),
    [
        ((TEXT, PICTURE), {"model": SEEDANCE_15}, "InvalidParameter", "content"),
        ((TEXT, FIRST, LAST), {"model": SEEDANCE_10_FAST}, "InvalidParameter", "content"),
        ((TEXT, FIRST), {"model": SEEDANCE_25, "ratio": "16:9"}, "InvalidParameter.TaskTypeConstraint", "ratio"),
        ((PICTURE, AUDIO), {"dialect": "octopus", "generate_audio": False}, "InvalidParameter", "generate_audio"),
        (
            (TEXT, PICTURE),
            {"dialect": "octopus", "camera_fixed": True},
            "InvalidParameter.UnsupportedParameter",
            "camera_fixed",
        ),
        ((TEXT, DRAFT), {}, "InvalidParameter", "content[1]"),
        (
            (TEXT, replace(FIRST, value="asset://a")),
            {"dialect": "apimart", "model": "doubao-seedance-2.0-face"},
            "InvalidParameter",
            "content[1].image_url.url",
        ),
    ],
)
def test_each_scenario_is_refused_where_it_is_not(content, fields, code, param):
    assert broken(*content, **fields)[0] == (code, param)


def test_the_final_of_a_draft_keeps_the_ratio_that_the_draft_settled():
    fields = {"model": SEEDANCE_25, "draft_task_id": "20261121120000-abcde", "ratio": "16:9"}
    assert broken(TEXT, FIRST, **fields) == []


def test_a_model_without_references_says_what_it_has():
    words = "is not valid for model doubao-seedance-1-5-pro in r2v, it supports t2v, i2v, flf2v."
    assert sentence(TEXT, PICTURE, model=SEEDANCE_15).endswith(words)


def test_a_draft_that_nobody_replaced_is_not_served_and_not_called_mixed():
    (found,) = violations(case(DRAFT))
    assert (found.param, "does not serve `draft_task`" in found.message) == ("content[0]", True)


@pytest.mark.parametrize(
    ("item", "value"),
    [
        (PICTURE, "http://example.com/a.png"),
        (PICTURE, "HTTPS://example.com/a.png"),
        (PICTURE, "data:image/png;base64,iVBO"),
        (PICTURE, "data:image/svg+xml;base64,iVBO"),
        (PICTURE, "asset://asset-20260101000000-abcde"),
        (VIDEO, "asset://asset_a"),
        (VIDEO, "task://20261121120000-abcde"),
        (AUDIO, "data:audio/wav;base64,UklG"),
    ],
)
def test_addresses_of_every_kind_pass(item, value):
    assert broken(VIDEO, replace(item, value=value)) == []


def test_a_film_of_this_server_is_a_video_and_no_picture():
    assert broken(VIDEO, replace(PICTURE, value="task://20261121120000-abcde")) != []


@pytest.mark.parametrize(
    ("item", "value", "param"),
    [
        (PICTURE, "", "content[1].image_url.url"),
        (PICTURE, f"https://example.com/{'a' * 8192}", "content[1].image_url.url"),
        (PICTURE, f"asset://{'a' * 8192}", "content[1].image_url.url"),
        (VIDEO, f"https://example.com/{'a' * 8192}", "content[1].video_url.url"),
        (PICTURE, "a.png", "content[1].image_url.url"),
        (PICTURE, "file:///etc/passwd", "content[1].image_url.url"),
        (PICTURE, "https://", "content[1].image_url.url"),
        (PICTURE, "https:///a.png", "content[1].image_url.url"),
        (PICTURE, "data:image/PNG;base64,iVBO", "content[1].image_url.url"),
        (PICTURE, "data:image/png,iVBO", "content[1].image_url.url"),
        (PICTURE, "data:image/png;base64,", "content[1].image_url.url"),
        (PICTURE, "data:audio/wav;base64,UklG", "content[1].image_url.url"),
        (PICTURE, "asset://", "content[1].image_url.url"),
        (AUDIO, "ftp://example.com/a.mp3", "content[1].audio_url.url"),
        (VIDEO, "ftp://example.com/a.mp4", "content"),
    ],
)
def test_other_addresses_are_refused_by_name(item, value, param):
    assert broken(VIDEO, replace(item, value=value)) == [("InvalidParameter", param)]


def test_base64_without_its_data_url_is_told_what_is_expected_and_not_that_it_is_a_long_address():
    assert "data:image/<format in lower case>;base64,<data>" in sentence(replace(PICTURE, value="iVBORw0KGgo" * 1000))


def test_the_order_of_the_items_is_kept():
    second = replace(PICTURE, value="https://example.com/b.png")
    assert case(second, TEXT, PICTURE).request.of(Modality.IMAGE) == (second, PICTURE)


def test_each_content_rule_is_broken_by_some_case():
    """Keeps a new rule from arriving without a test that it can fire."""
    subjects = (
        case(TEXT, DRAFT),
        case(IMAGE, IMAGE),
        case(replace(VIDEO, role=None)),
        case(FIRST, FIRST, PICTURE),
        case(*[PICTURE] * 10),
        case(AUDIO),
        case(PICTURE, model=SEEDANCE_15),
        case(replace(PICTURE, value="x")),
        case(replace(PICTURE, value="asset://x"), dialect="apimart", model="doubao-seedance-2.0-mini"),
        case(PICTURE, served=frozenset({Scenario.TEXT})),
        case(PICTURE, AUDIO, dialect="octopus", generate_audio=False),
        case(FIRST, model=SEEDANCE_25, ratio="16:9"),
        case(PICTURE, camera_fixed=True, dialect="octopus"),
    )
    rules = CONTENT_RULES + SERVING_RULES
    assert {rule for rule in rules if any(rule(subject) for subject in subjects)} == set(rules)


def test_what_is_wrong_everywhere_is_said_before_what_this_server_cannot_do():
    found = violations(case(TEXT, FIRST, served=frozenset({Scenario.TEXT}), tools=("web_search",), duration_s=99))
    assert [each.param for each in found] == ["duration", "tools", "content[1]"]


def test_a_medium_that_was_stored_has_left_its_address_behind():
    facts = MediaFacts(modality=Modality.IMAGE, container="png", media_type="image/png", size_bytes=1)
    medium = Medium(key="media/00.png", sha256="00", origin=Origin.INLINE, facts=facts)
    image = replace(FIRST, value="data:image/png")
    assert broken(TEXT, image) == [("InvalidParameter", "content[1].image_url.url")]
    assert broken(TEXT, replace(image, medium=medium)) == []
