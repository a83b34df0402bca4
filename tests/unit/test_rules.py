"""The rules between fields, each broken once, and the boundaries that must not break."""

from dataclasses import replace

import pytest

from understudy.catalog.load import load_catalogue
from understudy.core.content import ContentItem, Modality, Role
from understudy.core.request import GenerationRequest
from understudy.core.resolve import resolve
from understudy.core.rules import RULES, Case, advice, violations
from understudy.core.scenario import Scenario

CATALOGUE = load_catalogue()
TEXT = ContentItem(modality=Modality.TEXT, value="a cat")
IMAGE = ContentItem(modality=Modality.IMAGE, value="https://example.com/a.png", role=Role.FIRST_FRAME)


def case(model="doubao-seedance-2-0-260128", content=(TEXT,), served=frozenset({Scenario.TEXT}), **fields):
    spec = CATALOGUE.model(model)
    request = resolve(GenerationRequest(model=model, content=content, **fields), spec)
    return Case(request=request, model=spec, profile=CATALOGUE.profiles["ark"], engine="previz", served=served)


def found(**fields):
    return [(each.code, each.param) for each in violations(case(**fields))]


def test_a_plain_request_breaks_no_rule():
    assert found() == []


@pytest.mark.parametrize(
    ("fields", "code", "param"),
    [
        ({"content": ()}, "MissingParameter", "content"),
        ({"content": (replace(TEXT, value=" \n"),)}, "InvalidParameter", "content"),
        ({"content": (TEXT, IMAGE)}, "InvalidParameter", "content[1]"),
        ({"callback_url": "example.com"}, "InvalidParameter", "callback_url"),
        ({"content": (replace(TEXT, value="x" * 100_001),)}, "InvalidParameter", "content[0].text"),
        ({"duration_s": 3}, "InvalidParameter", "duration"),
        ({"duration_s": 16}, "InvalidParameter", "duration"),
        ({"duration_s": 0}, "InvalidParameter", "duration"),
        ({"duration_s": -2}, "InvalidParameter", "duration"),
        ({"resolution": "2k"}, "InvalidParameter", "resolution"),
        ({"ratio": "2:1"}, "InvalidParameter", "ratio"),
        ({"seed": -2}, "InvalidParameter", "seed"),
        ({"seed": 2**32}, "InvalidParameter", "seed"),
        ({"priority": 10}, "InvalidParameter", "priority"),
        ({"service_tier": "flex"}, "InvalidParameter.UnsupportedParameter", "service_tier"),
        ({"frames": 121}, "InvalidParameter.UnsupportedParameter", "frames"),
        ({"camera_fixed": True}, "InvalidParameter.UnsupportedParameter", "camera_fixed"),
        ({"draft": True}, "InvalidParameter.UnsupportedParameter", "draft"),
        ({"output_format": "mov"}, "InvalidParameter.UnsupportedParameter", "output_format"),
        ({"execution_expires_after_s": 3599}, "InvalidParameter", "execution_expires_after"),
        ({"execution_expires_after_s": 259_201}, "InvalidParameter", "execution_expires_after"),
        ({"tools": ("browser",)}, "InvalidParameter", "tools[0].type"),
        ({"safety_identifier": "x" * 65}, "InvalidParameter", "safety_identifier"),
        ({"trace_id": "x" * 1025}, "InvalidParameter", "trace_id"),
        ({"callback_url": f"https://example.com/{'x' * 8192}"}, "InvalidParameter", "callback_url"),
    ],
)
def test_each_rule_names_its_parameter(fields, code, param):
    assert (code, param) in found(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"duration_s": 4},
        {"duration_s": 15},
        {"duration_s": -1},
        {"seed": -1},
        {"seed": 0},
        {"seed": 2**32 - 1},
        {"priority": 0},
        {"priority": 9},
        {"camera_fixed": False},
        {"draft": False},
        {"output_format": "mp4"},
        {"execution_expires_after_s": 3600},
        {"execution_expires_after_s": 259_200},
        {"tools": ("web_search",)},
        {"safety_identifier": "x" * 64},
        {"trace_id": "x" * 1024},
        {"ratio": "adaptive"},
    ],
)
def test_the_ends_of_every_range_are_inside(fields):
    assert found(**fields) == []


@pytest.mark.parametrize("model", ["doubao-seedance-2-0-fast-260128", "doubao-seedance-2-0-mini-260615"])
@pytest.mark.parametrize("resolution", ["1080p", "4k"])
def test_fast_and_mini_have_no_1080p_and_say_so_with_model_and_scenario(model, resolution):
    (broken,) = violations(case(model=model, resolution=resolution))
    name = CATALOGUE.model(model).name
    assert f"the parameter resolution specified in the request is not valid for model {name} in t2v" in broken.message
    assert "`480p`, `720p`" in broken.message


def test_web_search_is_refused_beside_media():
    served = frozenset(Scenario)
    assert found(content=(TEXT, IMAGE), served=served, tools=("web_search",)) == [("InvalidParameter", "tools")]


def test_all_violations_are_collected():
    assert {param for _, param in found(duration_s=99, ratio="9:1", seed=-9)} == {"duration", "ratio", "seed"}


UNSUPPORTED = "InvalidParameter.UnsupportedParameter"
TASK_TYPE = "InvalidParameter.TaskTypeConstraint"
SEEDANCE_25, SEEDANCE_15 = "doubao-seedance-2-5-260628", "doubao-seedance-1-5-pro-251215"
SEEDANCE_10, SEEDANCE_10_FAST = "doubao-seedance-1-0-pro-250528", "doubao-seedance-1-0-pro-fast-251015"
VIDEO = ContentItem(modality=Modality.VIDEO, value="https://example.com/a.mp4", role=Role.REFERENCE_VIDEO)


@pytest.mark.parametrize(
    ("fields", "code", "param"),
    [
        ({"model": SEEDANCE_25, "duration_s": 31}, "InvalidParameter", "duration"),
        ({"model": SEEDANCE_25, "resolution": "4k"}, "InvalidParameter", "resolution"),
        ({"model": SEEDANCE_25, "output_format": "avi"}, "InvalidParameter", "output_format"),
        ({"model": SEEDANCE_25, "omni_reference_task_type": "remake"}, "InvalidParameter", "omni_reference_task_type"),
        ({"model": SEEDANCE_25, "omni_reference_task_type": "edit"}, TASK_TYPE, "omni_reference_task_type"),
        ({"model": SEEDANCE_25, "draft": True, "resolution": "720p"}, "InvalidParameter", "resolution"),
        (
            {"model": SEEDANCE_25, "draft_task_id": "20261121120000-abcde", "resolution": "720p"},
            "InvalidParameter",
            "resolution",
        ),
        ({"model": SEEDANCE_25, "camera_fixed": True}, UNSUPPORTED, "camera_fixed"),
        ({"model": SEEDANCE_25, "service_tier": "flex"}, UNSUPPORTED, "service_tier"),
        ({"model": SEEDANCE_15, "duration_s": 13}, "InvalidParameter", "duration"),
        ({"model": SEEDANCE_15, "duration_s": 3}, "InvalidParameter", "duration"),
        ({"model": SEEDANCE_15, "draft": True, "return_last_frame": True}, UNSUPPORTED, "return_last_frame"),
        ({"model": SEEDANCE_15, "tools": ("web_search",)}, UNSUPPORTED, "tools"),
        ({"model": SEEDANCE_15, "priority": 1}, UNSUPPORTED, "priority"),
        ({"model": SEEDANCE_15, "frames": 29}, UNSUPPORTED, "frames"),
        ({"model": SEEDANCE_10, "duration_s": -1}, "InvalidParameter", "duration"),
        ({"model": SEEDANCE_10, "duration_s": 1}, "InvalidParameter", "duration"),
        ({"model": SEEDANCE_10, "frames": 28}, "InvalidParameter", "frames"),
        ({"model": SEEDANCE_10, "frames": 30}, "InvalidParameter", "frames"),
        ({"model": SEEDANCE_10, "frames": 290}, "InvalidParameter", "frames"),
        ({"model": SEEDANCE_10, "ratio": "adaptive"}, "InvalidParameter", "ratio"),
        ({"model": SEEDANCE_10, "generate_audio": True}, UNSUPPORTED, "generate_audio"),
        ({"model": SEEDANCE_10, "draft": True}, UNSUPPORTED, "draft"),
        ({"callback_url": "ftp://example.com"}, "InvalidParameter", "callback_url"),
        ({"callback_url": "https://"}, "InvalidParameter", "callback_url"),
    ],
)
def test_each_model_refuses_what_it_does_not_have(fields, code, param):
    assert found(**fields) == [(code, param)]


@pytest.mark.parametrize(
    "fields",
    [
        {"model": SEEDANCE_25},
        {"model": SEEDANCE_25, "duration_s": 30},
        {"model": SEEDANCE_25, "output_format": "mov"},
        {"model": SEEDANCE_25, "draft": True},
        {"model": SEEDANCE_25, "draft_task_id": "20261121120000-abcde"},
        {"model": SEEDANCE_15},
        {"model": SEEDANCE_15, "service_tier": "flex", "camera_fixed": True, "draft": True, "duration_s": -1},
        {"model": SEEDANCE_10},
        {"model": SEEDANCE_10, "frames": 29, "service_tier": "flex"},
        {"model": SEEDANCE_10, "frames": 289, "duration_s": 5},
        {"model": SEEDANCE_10, "duration_s": 2, "generate_audio": False, "priority": 0},
        {"resolution": "4K"},
        {"callback_url": "https://example.com/x"},
    ],
)
def test_each_model_takes_what_it_has(fields):
    assert found(**fields) == []


@pytest.mark.parametrize(
    ("fields", "param"),
    [({}, "omni_reference_task_type"), ({"ratio": "16:9"}, "ratio"), ({"duration_s": 5}, "duration")],
)
def test_an_edit_needs_a_video_an_open_ratio_and_an_open_duration(fields, param):
    content = (TEXT,) if param == "omni_reference_task_type" else (TEXT, VIDEO)
    subject = {"model": SEEDANCE_25, "content": content, "omni_reference_task_type": "edit", **fields}
    assert found(served=frozenset(Scenario), **subject) == [(TASK_TYPE, param)]
    free = {**subject, "content": (TEXT, VIDEO), "ratio": "adaptive", "duration_s": -1}
    assert found(served=frozenset(Scenario), **free) == []


def test_an_extension_may_say_how_long_it_is():
    fields = {"model": SEEDANCE_25, "content": (TEXT, VIDEO), "omni_reference_task_type": "extend"}
    assert found(served=frozenset(Scenario), duration_s=8, **fields) == []
    assert found(served=frozenset(Scenario), ratio="1:1", **fields) == [(TASK_TYPE, "ratio")]


def test_the_final_of_an_edited_draft_has_the_ratio_and_duration_that_the_draft_settled():
    fields = {"omni_reference_task_type": "edit", "ratio": "16:9", "duration_s": 6}
    subject = {"model": SEEDANCE_25, "content": (TEXT, VIDEO), "served": frozenset(Scenario), **fields}
    assert found(**subject, draft_task_id="20261121120000-abcde") == []


def in_dialect(name, **fields):
    subject = replace(case(**fields), profile=CATALOGUE.profiles[name])
    return [(each.code, each.param) for each in violations(subject)]


@pytest.mark.parametrize(
    ("dialect", "fields", "expected"),
    [
        ("apiyi", {"resolution": "4k"}, ["resolution"]),
        ("apiyi", {"model": SEEDANCE_10, "frames": 29}, ["frames"]),
        ("apiyi", {"model": SEEDANCE_10, "camera_fixed": True}, ["camera_fixed"]),
        ("apiyi", {"model": SEEDANCE_10, "camera_fixed": False}, []),
        ("octopus", {"frames": 121, "camera_fixed": True, "draft": True}, []),
        ("octopus", {"draft": True, "resolution": "720p"}, ["resolution"]),
        ("octopus", {"frames": 28}, ["frames"]),
        ("octopus", {"frames": 361}, ["frames"]),
        ("octopus", {"ratio": "3:4"}, ["ratio"]),
        ("octopus", {"ratio": "adaptive"}, []),
        ("apimart", {"duration_s": -1}, ["duration"]),
        ("apimart", {"content": (replace(TEXT, value="x" * 4001),)}, ["content[0].text"]),
        ("apimart", {"model": "doubao-seedance-2.0-mini", "content": (replace(TEXT, value="x" * 4001),)}, []),
    ],
)
def test_a_dialect_adds_its_own_limits_and_offers(dialect, fields, expected):
    assert [param for _, param in in_dialect(dialect, **fields)] == expected


def test_what_model_and_dialect_both_offer_is_named():
    subject = replace(case(resolution="4k"), profile=CATALOGUE.profiles["apiyi"])
    assert "`480p`, `720p`, `1080p`." in violations(subject)[0].message
    subject = replace(case(ratio="3:4"), profile=CATALOGUE.profiles["octopus"])
    assert "`16:9`, `4:3`, `1:1`, `9:16`, `adaptive`." in violations(subject)[0].message


def test_a_priority_belongs_to_the_default_tier():
    model = replace(CATALOGUE.model(SEEDANCE_25), service_tiers=("default", "flex"))
    subject = replace(case(model=SEEDANCE_25, priority=1, service_tier="flex"), model=model)
    assert [each.param for each in violations(subject)] == ["priority"]


@pytest.mark.parametrize(
    ("prompt", "count"),
    [
        ("a" * 400, 0),
        ("\u732b" * 500, 0),
        ("\u732b" * 501, 1),
        ("word " * 1000, 0),
        ("word " * 1001, 1),
        ("x" * 9999, 0),
    ],
)
def test_a_long_prompt_is_advised_against_and_not_refused(prompt, count):
    subject = case(content=(IMAGE, replace(TEXT, value=prompt)), served=frozenset(Scenario))
    assert violations(subject) == ()
    assert [each.param for each in advice(subject)] == ["content[1].text"] * count


def test_the_words_of_a_prompt_that_is_refused_for_its_length_are_not_counted():
    subject = case(content=(replace(TEXT, value="cat " * 100_000),))
    assert (len(violations(subject)), advice(subject)) == (1, ())


def test_each_rule_is_broken_by_some_case_of_this_file():
    """Keeps a new rule from arriving without a test that it can fire."""
    plain_tiers = replace(CATALOGUE.model(SEEDANCE_25), service_tiers=("default", "flex"))
    broken = (
        case(content=()),
        case(content=(replace(TEXT, value=""),)),
        case(content=(replace(TEXT, value="x" * 100_001),)),
        case(duration_s=99, resolution="9k", ratio="x", seed=-9, priority=77, service_tier="flex"),
        case(duration_s=99, camera_fixed=True),
        case(execution_expires_after_s=1, tools=("x",), safety_identifier="x" * 99, callback_url="x"),
        case(trace_id="x" * 1025),
        case(model=SEEDANCE_10, frames=30),
        case(model=SEEDANCE_15, draft=True, resolution="720p", return_last_frame=True),
        case(model=SEEDANCE_25, output_format="x", omni_reference_task_type="x"),
        case(model=SEEDANCE_25, omni_reference_task_type="edit"),
        replace(case(model=SEEDANCE_25, priority=1, service_tier="flex"), model=plain_tiers),
        replace(case(model=SEEDANCE_10, frames=29), profile=CATALOGUE.profiles["apiyi"]),
    )
    assert {rule for rule in RULES if any(rule(subject) for subject in broken)} == set(RULES)
