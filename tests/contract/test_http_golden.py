"""Every Ark text request that the seeds print, through the codec and over HTTP."""

import json
from pathlib import Path
from typing import Any

import pytest

from running_server import RunningServer
from understudy.core.errors import Rejected
from understudy.dialects.ark import ARK
from understudy.dialects.codec import Decoded
from understudy.dialects.json_body import read_object

CASES = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(Path("tests/golden/ark").glob("*.json"))}
CREATES = {name: case for name, case in CASES.items() if "body" in case and "request" in case["expect"]}
REFUSALS = {name: case for name, case in CASES.items() if "error" in case["expect"]}
OTHERS = {name: case for name, case in CASES.items() if "body" not in case}


def over(cases: dict[str, Any]) -> Any:
    return pytest.mark.parametrize("case", cases.values(), ids=cases.keys())


def parts(expected: dict[str, Any], found: Any) -> dict[str, Any]:
    """Take from what was found only what is expected, lists and tuples alike."""
    return {name: list(found[name]) if isinstance(found[name], tuple) else found[name] for name in expected}


def read(body: bytes) -> Decoded:
    return ARK.decode_request(read_object(body))


def test_every_case_names_its_seed_and_line_and_is_run():
    assert CREATES.keys() | REFUSALS.keys() | OTHERS.keys() == CASES.keys()
    assert len(CASES) > 20
    assert all(case["source"].startswith("seed 00") and "line" in case["source"] for case in CASES.values())


@over(CREATES)
def test_a_printed_request_decodes_into_what_it_says(case):
    decoded = read(case["body"].encode())
    request = decoded.request
    fields = {name: getattr(request, name) for name in case["expect"]["request"]}
    assert parts(fields, fields) == case["expect"]["request"]
    assert [warned.param for warned in decoded.warnings] == case["expect"].get("warned", [])


@over(CREATES)
def test_a_printed_request_survives_the_way_through_the_codec(case):
    request = read(case["body"].encode()).request
    assert read(ARK.encode_request(request).body).request == request


@over(CREATES)
def test_a_printed_request_is_accepted_over_http_and_shown_as_asked(server: RunningServer, case):
    created = server.call(case["method"], case["path"], case["body"].encode())
    assert created.status == case["expect"]["status"]
    assert created.json().keys() == {"id"}, "the create answers only the id"
    shown = server.call("GET", f"{case['path']}/{created.json()['id']}").json()
    assert parts(case["expect"]["task"], shown) == case["expect"]["task"]
    if "warned" in case["expect"]:
        warned = [warning["param"] for warning in shown.get("warnings", [])]
        assert warned == case["expect"]["warned"] + case["expect"].get("warned_by_server", [])
        assert ("x-understudy-warnings" in created.headers) is bool(warned)


@over(REFUSALS)
def test_what_the_seeds_rule_out_is_refused(server: RunningServer, case):
    answer = server.call(case["method"], case["path"], case["body"].encode())
    assert answer.status == case["expect"]["status"]
    assert parts(case["expect"]["error"], answer.error) == case["expect"]["error"]
    assert server.stored() == ()
    try:
        read(case["body"].encode())
    except Rejected as error:
        pytest.fail(f"the codec reads it, the rules refuse it: {error}")


@over(OTHERS)
def test_a_printed_call_on_a_task_works(server: RunningServer, case):
    body = json.dumps({"model": "doubao-seedance-2-0-260128", "content": [{"type": "text", "text": "A cat"}]})
    made = server.call("POST", "/api/v3/contents/generations/tasks", body.encode()).json()["id"]
    answer = server.call(case["method"], case["path"].replace("TASK_ID", made), headers=case.get("headers", {}))
    expected = case["expect"]
    assert answer.status == expected["status"]
    if "task" in expected:
        assert parts(expected["task"], answer.json()) == expected["task"]
    if "listed" in expected:
        assert [item["id"] for item in answer.json()["items"]] == ([made] if expected["listed"] else [])
    if "answer" in expected:
        assert answer.json() == expected["answer"]
