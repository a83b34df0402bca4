"""Every request in Ark's form that the seeds print, through the codec and the rules: Ark's own, amux's and APIYI's."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from understudy.catalog.load import load_catalogue
from understudy.core.errors import Rejected
from understudy.core.resolve import resolve
from understudy.core.rules import Case, violations
from understudy.core.scenario import Scenario
from understudy.core.task import Status, Task
from understudy.dialects.ark import AMUX_NATIVE, APIYI, ARK
from understudy.dialects.json_body import read_object

CATALOGUE = load_catalogue()
CODECS = {codec.name: codec for codec in (ARK, AMUX_NATIVE, APIYI)}
CASES = {
    f"{name}/{path.stem}": (codec, json.loads(path.read_text("utf-8")))
    for name, codec in CODECS.items()
    for path in sorted(Path("tests/golden", name).glob("*.json"))
}
BODIES = {name: each for name, each in CASES.items() if "body" in each[1]}
CREATES = {name: each for name, each in BODIES.items() if "request" in each[1]["expect"]}
REFUSALS = {name: each for name, each in BODIES.items() if "error" in each[1]["expect"]}
NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)


class NoLinks:
    def url(self, blob_key):
        raise AssertionError(f"no film is linked here: {blob_key}")


def over(cases):
    return pytest.mark.parametrize(("codec", "case"), cases.values(), ids=cases.keys())


def read(codec, case):
    return codec.decode_request(read_object(case["body"].encode()))


def judged(codec, request):
    model = CATALOGUE.model(request.model)
    served = frozenset(Scenario)
    request = resolve(request, model)
    case = Case(request=request, model=model, profile=codec.profile, engine="previz", served=served)
    return request, violations(case)


def plain(value):
    return [plain(each) for each in value] if isinstance(value, list | tuple) else value


def field(request, name):
    if name == "content":
        return [[item.modality, item.value, item.role] for item in request.content]
    return plain(getattr(request, name))


def test_every_case_names_its_seed_and_line_and_is_run():
    assert CREATES.keys() | REFUSALS.keys() == BODIES.keys()
    assert {name.partition("/")[0] for name in CREATES} == set(CODECS)
    assert all(case["source"].startswith("seed 00") and "line" in case["source"] for _, case in CASES.values())


@over(CREATES)
def test_a_printed_request_decodes_into_what_it_says(codec, case):
    decoded, expected = read(codec, case), case["expect"]["request"]
    assert {name: field(decoded.request, name) for name in expected} == expected
    assert [warned.param for warned in decoded.warnings] == case["expect"].get("warned", [])


@over(CREATES)
def test_a_printed_request_breaks_no_rule(codec, case):
    assert judged(codec, read(codec, case).request)[1] == ()


@over(CREATES)
def test_a_printed_request_survives_the_way_through_the_codec(codec, case):
    request = read(codec, case).request
    encoded = codec.encode_request(request)
    assert encoded.lost == ()
    assert codec.decode_request(read_object(encoded.body)).request == request


@over(CREATES)
def test_a_printed_request_is_shown_as_it_was_asked_for(codec, case):
    task = Task(
        id="20261121120000-abcde",
        owner="o",
        dialect=codec.name,
        engine="previz",
        request=judged(codec, read(codec, case).request)[0],
        seed=7,
        status=Status.QUEUED,
        created_at=NOW,
        updated_at=NOW,
        expires_at=NOW,
    )
    created = json.loads(codec.encode_created(task))
    assert created["id"] == "cgt-20261121120000-abcde"
    if "created" in case["expect"]:
        expected = case["expect"]["created"] | {"id": created["id"]}
        assert {name: created[name] for name in expected} == expected
        assert set(created) - set(expected) <= {"created_at", "safety_identifier"}
    shown = json.loads(codec.encode_task(task, NoLinks()))
    expected = {name: value for name, value in case["expect"]["task"].items() if name != "seed"}
    assert {name: shown[name] for name in expected} == expected


@over(REFUSALS)
def test_what_the_seeds_rule_out_is_refused(codec, case):
    expected = case["expect"]
    try:
        found = judged(codec, read(codec, case).request)[1][0]
    except Rejected as error:
        found = error.violation
    answer = codec.encode_error(found, "0217")
    shown = json.loads(answer.body)["error"]
    assert answer.status == expected["status"]
    assert {name: shown[name] for name in expected["error"]} == expected["error"]
    assert expected.get("message_has", "") in shown["message"]
