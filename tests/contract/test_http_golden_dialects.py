"""Every request that the seeds print in dialects other than Ark, over HTTP: accepted or refused, and read by all."""

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
DIALECTS = sorted(folder.name for folder in GOLDEN.iterdir() if folder.name != "ark")
CASES = {
    f"{dialect}/{path.stem}": {"dialect": dialect, **json.loads(path.read_text("utf-8"))}
    for dialect in DIALECTS
    for path in sorted((GOLDEN / dialect).glob("*.json"))
}
SENT = {name: case for name, case in CASES.items() if case["method"] == "POST" and "TASK_ID" not in case["path"]}
ACCEPTED = {name: case for name, case in SENT.items() if case["expect"]["status"] == 200}
REFUSED = {name: case for name, case in SENT.items() if case["expect"]["status"] != 200}
READ_AT = sorted({door.path for door in DOORS if door.operation is Operation.GET})
BY_SERVER = {"callback_url", "metadata.callback_url", "tools", "metadata.tools"}
"""What this engine or this version makes nothing of; everything else that is warned of is in the case."""


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
    assert set(DIALECTS) | {"ark"} == CODECS.keys()
    assert all(case["source"] for case in CASES.values())
    assert len(ACCEPTED) > 90
    assert len(REFUSED) > 20


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
    request.pop("model", None)
    shown = {name: getattr(task.request, name) for name in request}
    assert {name: list(value) if isinstance(value, tuple) else value for name, value in shown.items()} == request
    if content is not None:
        assert [[str(each.modality), each.value, each.role] for each in task.request.content] == content
    warned = [each.param for each in task.warnings]
    assert [param for param in warned if param not in BY_SERVER] == case["expect"]["warned"]
    assert ("x-understudy-warnings" in answer.headers) is bool(warned)
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
    assert server.stored() == ()
