"""Every request that the seeds print, in every dialect, over HTTP: accepted or refused, and then read in all."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from running_server import Answer, RunningServer, running_server
from understudy.core.scenario import Scenario
from understudy.dialects.registry import CODECS
from understudy.dialects.select import DOORS, Operation
from understudy.engines.previz import OFFER

GOLDEN = Path("tests/golden")
DIALECTS = sorted(folder.name for folder in GOLDEN.iterdir())
CASES = {
    f"{dialect}/{path.stem}": {"dialect": dialect, **json.loads(path.read_text("utf-8"))}
    for dialect in DIALECTS
    for path in sorted((GOLDEN / dialect).glob("*.json"))
}
SENT = {name: case for name, case in CASES.items() if case["method"] == "POST"}
ASKED = {name: case for name, case in CASES.items() if case["method"] != "POST"}
ACCEPTED = {name: case for name, case in SENT.items() if case["expect"]["status"] == 200}
REFUSED = {name: case for name, case in SENT.items() if case["expect"]["status"] != 200}
READ_AT = sorted({door.path for door in DOORS if door.operation is Operation.GET})
BY_SERVER = {"tools", "metadata.tools"}
"""What this engine or this version makes nothing of; everything else that is warned of is in the case."""
GET_BESIDE = {"/v1/video/generations": "/v1/video/generations", "/v1/videos/generations": "/v1/tasks"}
"""Where a task is read that was created at a path, if not below it."""


@pytest.fixture(scope="module")
def any_media(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Serve with an engine that takes every scenario, and pass assets on that are not registered, as relays do."""
    engine = replace(OFFER, scenarios=frozenset(Scenario))
    with running_server(tmp_path_factory.mktemp("media"), engine=engine, unknown_assets_pass=True) as running:
        yield running


def over(cases: dict[str, Any]) -> Any:
    return pytest.mark.parametrize("case", cases.values(), ids=cases.keys())


def send(server: RunningServer, case: dict[str, Any]) -> Answer:
    body = case["body"].encode("latin-1" if case.get("headers") else "utf-8")
    return server.call(case["method"], case["path"], body, headers=case.get("headers", {}))


def holds(found: Any, expected: Any, task_id: str) -> None:
    """Check that what is expected is there; TASK_ID stands for the id."""
    if isinstance(expected, dict):
        assert expected.keys() <= found.keys(), (found, expected)
        for key, value in expected.items():
            holds(found[key], value, task_id)
    elif isinstance(expected, list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            holds(one, other, task_id)
    else:
        assert found == (task_id if expected == "TASK_ID" else expected)


def test_every_dialect_has_cases_and_each_names_its_source():
    assert set(DIALECTS) == CODECS.keys()
    assert all(case["source"] for case in CASES.values())
    assert {case["dialect"] for case in ACCEPTED.values()} == set(DIALECTS)
    assert len(ACCEPTED) > 130
    assert len(REFUSED) > 45


@over(ACCEPTED)
def test_a_printed_request_is_accepted_and_every_dialect_reads_the_task(any_media: RunningServer, case):
    server = any_media.to_a_new_caller()
    answer = send(server, case)
    assert answer.status == 200, answer.body
    (task,) = server.stored()
    assert task.dialect == case["dialect"]
    wire_id = CODECS[case["dialect"]].wire_id(task.id)
    holds(answer.json(), case["expect"].get("created", {}), wire_id)
    assert wire_id in answer.body.decode()
    request = {name: value for name, value in case["expect"]["request"].items() if value is not None}
    content = request.pop("content", None)
    asked = request.pop("model", task.request.model_shown)
    assert task.request.model_shown == asked
    if "prompt" in request:
        assert task.request.prompt == request.pop("prompt")
    shown = {name: getattr(task.request, name) for name in request}
    assert {name: list(value) if isinstance(value, tuple) else value for name, value in shown.items()} == request
    if content is not None:
        assert [[str(each.modality), each.value, each.role] for each in task.request.content] == content
    warned = [each.param for each in task.warnings]
    assert [param for param in warned if param not in BY_SERVER] == case["expect"]["warned"]
    assert ("x-understudy-warnings" in answer.headers) is bool(warned)
    if "task" in case["expect"]:
        shown_at = GET_BESIDE.get(case["path"], case["path"])
        holds(server.call("GET", f"{shown_at}/{wire_id}").json(), case["expect"]["task"], wire_id)
    for path in READ_AT:
        read = server.call("GET", path.replace("{task_id}", wire_id))
        assert read.status == 200, (path, read.body)
        assert "queued" in read.body.decode().lower() or "pending" in read.body.decode(), (path, read.body)


@over(REFUSED)
def test_what_the_documents_rule_out_is_refused_and_nothing_is_stored(any_media: RunningServer, case):
    server = any_media.to_a_new_caller()
    answer = send(server, case)
    assert answer.status == case["expect"]["status"], answer.body
    found = answer.json()
    expected = case["expect"].get("error", {})
    holds(found if expected.keys() & {"data", "error"} else found.get("error", found), expected, "")
    assert case["expect"].get("message_has", "") in answer.body.decode()
    assert server.stored() == ()


@over(ASKED)
def test_a_printed_call_on_a_task_works(server: RunningServer, case):
    body = json.dumps({"model": "doubao-seedance-2-0-260128", "content": [{"type": "text", "text": "A cat"}]})
    server.call("POST", "/api/v3/contents/generations/tasks", body.encode())
    wire_id = CODECS[case["dialect"]].wire_id(server.stored()[0].id)
    answer = server.call(case["method"], case["path"].replace("TASK_ID", wire_id), headers=case.get("headers") or {})
    expected = case["expect"]
    assert answer.status == expected["status"]
    if "task" in expected:
        holds(answer.json(), expected["task"], wire_id)
    if "listed" in expected:
        assert [item["id"] for item in answer.json()["items"]] == ([wire_id] if expected["listed"] else [])
    if "answer" in expected:
        assert answer.json() == expected["answer"]


def test_apimarts_printed_answer_to_a_wrong_key_is_what_a_wrong_key_gets(server: RunningServer):
    printed = json.loads((GOLDEN / "apimart/answers").joinpath("002_307_wrong_key.json").read_text("utf-8"))["printed"]
    answer = server.call("POST", "/v1/videos/generations", b"{}", headers={"Authorization": "Bearer no-such-key"})
    assert answer.status == 401
    holds(answer.json(), json.loads(printed), "")
