"""Stopping tasks over HTTP: queued and running ones, told honestly, by their owner alone."""

from running_server import RunningServer
from understudy.core.task import EntryKind, Status

CREATE = "/api/v3/contents/generations/tasks"
BODY = b'{"model":"doubao-seedance-2-0-260128","content":[{"type":"text","text":"A fox"}]}'


def created(server: RunningServer) -> str:
    return str(server.call("POST", CREATE, BODY).json()["id"])


def cancelled(server: RunningServer, wire_id: str):
    return server.call("POST", f"/understudy/v1/tasks/{wire_id}/cancel")


def kinds(server: RunningServer, wire_id: str) -> list[EntryKind]:
    return [entry.kind for entry in server.do(server.store.ledger(server.task(wire_id).id))]


def test_a_queued_task_is_cancelled(server: RunningServer):
    wire_id = created(server)
    answer = cancelled(server, wire_id)
    assert (answer.status, answer.json()) == (200, {"id": wire_id, "status": "cancelled", "was": "queued"})
    assert server.task(wire_id).status is Status.CANCELLED
    assert kinds(server, wire_id) == [EntryKind.HOLD, EntryKind.VOIDED]


def test_a_running_task_is_cancelled_and_its_film_comes_too_late(server: RunningServer):
    wire_id = created(server)
    claim = server.run_task(wire_id, progress=0.5)
    assert cancelled(server, wire_id).json()["was"] == "running"
    assert not server.do(server.store.heartbeat(claim, 0.6, server.clock.now()))
    assert kinds(server, wire_id) == [EntryKind.HOLD, EntryKind.VOIDED]
    assert server.call("GET", f"{CREATE}/{wire_id}").json()["status"] == "cancelled"


def test_arks_own_door_still_leaves_a_running_task_alone(server: RunningServer):
    wire_id = created(server)
    server.run_task(wire_id)
    assert server.call("DELETE", f"{CREATE}/{wire_id}").status == 409
    assert server.task(wire_id).status is Status.RUNNING


def test_what_has_ended_is_not_cancelled_and_is_told_how_it_ended(server: RunningServer):
    wire_id = created(server)
    server.succeed(wire_id)
    answer = cancelled(server, wire_id)
    assert (answer.status, answer.error["code"]) == (409, "InvalidAction.EndedTaskCancellation")
    assert "succeeded" in answer.error["message"]
    assert answer.headers["x-should-retry"] == "false"


def test_twice_is_told_honestly(server: RunningServer):
    wire_id = created(server)
    cancelled(server, wire_id)
    assert "cancelled" in cancelled(server, wire_id).error["message"]


def test_nobody_cancels_the_task_of_another(server: RunningServer):
    wire_id = created(server)
    assert cancelled(server.to_a_new_caller(), wire_id).status == 404
    assert server.call("POST", f"/understudy/v1/tasks/{wire_id}/cancel", headers={"Authorization": ""}).status == 401
    assert server.task(wire_id).status is Status.QUEUED
