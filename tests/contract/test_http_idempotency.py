"""Requests that are sent again: one Idempotency-Key is one task, at every door that makes tasks."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from running_server import Answer, RunningServer, running_server
from understudy.dialects.select import DOORS, Operation
from understudy.server.house import House

ARK = "/api/v3/contents/generations/tasks"
MODEL = "doubao-seedance-2-0-260128"
BODIES: dict[str, dict[str, Any]] = {
    "ark": {"model": MODEL, "content": [{"type": "text", "text": "A fox"}]},
    "apiyi": {"model": MODEL, "content": [{"type": "text", "text": "A fox"}]},
    "amux": {"model": MODEL, "prompt": "A fox"},
    "apimart": {"model": MODEL, "prompt": "A fox"},
    "openai": {"model": MODEL, "prompt": "A fox"},
}
CREATES = [door for door in DOORS if door.operation is Operation.CREATE]


def post(server: RunningServer, body: dict[str, Any], key: str | None, *, path: str = ARK) -> Answer:
    named = {} if key is None else {"Idempotency-Key": key}
    return server.call("POST", path, json.dumps(body).encode(), {"Content-Type": "application/json", **named})


def prompted(text: str) -> dict[str, Any]:
    return {"model": MODEL, "content": [{"type": "text", "text": text}]}


@pytest.mark.parametrize("door", CREATES, ids=lambda door: door.path)
def test_the_same_key_makes_one_task_at_every_door(server: RunningServer, door):
    body = BODIES[door.dialects[0]]
    first, second = (post(server, body, "key-1", path=door.path) for _ in range(2))
    assert first.status == 200, first
    assert (second.status, second.body) == (200, first.body)
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert len(server.stored()) == 1


def test_without_a_key_each_request_makes_a_task(server: RunningServer):
    assert {post(server, prompted("A fox"), None).status for _ in range(2)} == {200}
    assert len(server.stored()) == 2


def test_the_same_key_with_another_request_is_a_mistake(server: RunningServer):
    assert post(server, prompted("A fox"), "key").status == 200
    answer = post(server, prompted("A hare"), "key")
    assert (answer.status, answer.error["param"]) == (400, "Idempotency-Key")
    assert len(server.stored()) == 1


def test_a_replay_answers_as_the_first_time_however_far_the_task_is(server: RunningServer):
    body = {"model": MODEL, "prompt": "A fox"}
    first = post(server, body, "key", path="/v1/videos")
    server.succeed(first.json()["id"])
    second = post(server, body, "key", path="/v1/videos")
    assert second.json() == first.json()


def test_keys_of_two_owners_are_two_keys(server: RunningServer):
    other = server.to_a_new_caller()
    assert post(server, prompted("A fox"), "key").json() != post(other, prompted("A hare"), "key").json()


def test_of_many_that_come_at_once_one_makes_the_task(server: RunningServer):
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: post(server, prompted("A fox"), "key"), range(32)))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 1
    assert len(server.stored()) == 1


def test_what_was_refused_can_be_mended_under_the_same_key(server: RunningServer):
    assert post(server, {**prompted("A fox"), "duration": 99}, "key").status == 400
    assert post(server, prompted("A fox"), "key").status == 200


def test_a_key_whose_task_was_removed_makes_no_other(server: RunningServer):
    wire_id = post(server, prompted("A fox"), "key").json()["id"]
    server.succeed(wire_id)
    assert server.call("DELETE", f"{ARK}/{wire_id}").status == 200
    answer = post(server, prompted("A fox"), "key")
    assert (answer.status, answer.error["param"]) == (400, "Idempotency-Key")


@pytest.mark.parametrize("key", [" ", "x" * 256, "a\tb", "\xe9"])
def test_a_key_that_is_none_is_refused(server: RunningServer, key: str):
    answer = server.call(
        "POST", ARK, json.dumps(prompted("A fox")).encode(), {"Idempotency-Key": key.encode("latin-1")}
    )
    assert (answer.status, answer.error["param"]) == (400, "Idempotency-Key")
    assert not server.stored()


@pytest.mark.parametrize(("other", "status"), [(0, 200), (1, 400)])
def test_media_that_were_written_to_files_count_by_their_bytes(server: RunningServer, other: int, status: int):
    def sent(last_byte: int) -> dict[str, Any]:
        image = base64.b64encode(b"\x89PNG" + bytes(1_500_000) + bytes([last_byte])).decode()
        media = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{image}"}}
        return {"model": MODEL, "content": [{"type": "text", "text": "A fox"}, media]}

    assert post(server, sent(0), "key").status == 200
    assert post(server, sent(other), "key").status == status


def test_as_many_tasks_wait_as_may_and_a_replay_is_told_all_the_same(tmp_path: Path):
    def bounded(house: House) -> House:
        return replace(house, submitter=replace(house.submitter, queued_most=2))

    with running_server(tmp_path, changes=bounded) as nobody:
        server = nobody.to_a_new_caller()
        first = post(server, prompted("A fox"), "key")
        assert post(server, prompted("A fox"), None).status == 200
        answer = post(server, prompted("A fox"), None)
        assert (answer.status, answer.error["code"]) == (429, "QuotaExceeded")
        assert int(answer.headers["retry-after"]) > 0
        assert post(server, prompted("A fox"), "key").body == first.body
        # What runs does not wait, and others' tasks are others'.
        server.run_task(first.json()["id"])
        assert post(server, prompted("A fox"), None).status == 200
        assert post(server.to_a_new_caller(), prompted("A fox"), None).status == 200
