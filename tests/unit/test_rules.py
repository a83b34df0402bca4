"""The rules between fields, each broken once, and the boundaries that must not break."""

from dataclasses import replace

import pytest

from understudy.catalog.load import load_catalogue
from understudy.core.content import ContentItem, Modality, Role
from understudy.core.request import GenerationRequest
from understudy.core.resolve import resolve
from understudy.core.rules import RULES, Case, violations
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
        ({"content": (replace(TEXT, value="x" * 100_001),)}, "InvalidParameter", "content"),
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


def test_each_rule_is_broken_by_some_case_of_this_file():
    """Keeps a new rule from arriving without a test that it can fire."""
    broken = (
        case(content=()),
        case(content=(replace(TEXT, value=""),)),
        case(content=(replace(TEXT, value="x" * 100_001),)),
        case(content=(TEXT, IMAGE)),
        case(duration_s=99, resolution="9k", ratio="x", seed=-9, priority=77, service_tier="flex", frames=1),
        case(execution_expires_after_s=1, tools=("x",), safety_identifier="x" * 99),
    )
    assert {rule for rule in RULES if any(rule(subject) for subject in broken)} == set(RULES)
