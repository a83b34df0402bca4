"""Keeping tasks for good over HTTP, as the command line asks for it, and posters that are made when asked for."""

import pytest

from running_server import RunningServer
from understudy.client.blocking import Client
from understudy.core.errors import NotFound, UnderstudyError

DAY_S = 86_400


def created(server: RunningServer) -> str:
    body = b'{"model":"doubao-seedance-2-0-260128","content":[{"type":"text","text":"A fox"}]}'
    answer = server.call("POST", "/api/v3/contents/generations/tasks", body)
    assert answer.status == 200, answer
    return str(answer.json()["id"])


def shown(server: RunningServer, wire_id: str) -> int:
    return server.call("GET", f"/api/v3/contents/generations/tasks/{wire_id}").status


def test_an_archived_task_outlives_its_time(server: RunningServer):
    wire_id = created(server)
    server.succeed(wire_id)
    answer = server.call("POST", f"/v1/tasks/{wire_id}/archive")
    assert (answer.status, answer.json()) == (200, {"id": wire_id, "archived": True})
    server.clock.advance(seconds=8 * DAY_S)
    answer = server.call("GET", f"/api/v3/contents/generations/tasks/{wire_id}")
    assert (answer.status, answer.json()["archived"]) == (200, True)


def test_a_task_that_is_not_archived_does_not(server: RunningServer):
    wire_id = created(server)
    server.succeed(wire_id)
    assert "archived" not in server.call("GET", f"/api/v3/contents/generations/tasks/{wire_id}").json()
    server.clock.advance(seconds=8 * DAY_S)
    assert shown(server, wire_id) == 404


def test_an_archived_task_is_not_deleted_before_it_is_taken_out(server: RunningServer):
    wire_id = created(server)
    server.succeed(wire_id)
    server.call("POST", f"/v1/tasks/{wire_id}/archive")
    path = f"/api/v3/contents/generations/tasks/{wire_id}"
    assert server.call("DELETE", path).status == 409
    answer = server.call("DELETE", f"/v1/tasks/{wire_id}/archive")
    assert (answer.status, answer.json()["archived"]) == (200, False)
    assert server.call("DELETE", path).status == 200


def test_the_client_archives_and_takes_out(server: RunningServer):
    wire_id = created(server)
    with Client(base_url=server.url, api_key=server.api_key) as client:
        client.archive(wire_id)
        assert server.task(wire_id).is_archived
        client.unarchive(wire_id)
        assert not server.task(wire_id).is_archived


@pytest.mark.parametrize("wire_id", ["cgt-20261121120000-zzzzz", "nothing", "%2e%2e"])
def test_what_is_not_there_cannot_be_archived(server: RunningServer, wire_id: str):
    assert server.call("POST", f"/v1/tasks/{wire_id}/archive").error["code"] in ("NotFound.TaskId", "NotFound.Path")


def test_nobody_archives_the_task_of_another(server: RunningServer):
    wire_id = created(server)
    other = server.to_a_new_caller()
    assert other.call("POST", f"/v1/tasks/{wire_id}/archive").status == 404
    assert not server.task(wire_id).is_archived
    with Client(base_url=server.url, api_key=other.api_key) as client, pytest.raises(NotFound):
        client.archive(wire_id)


def test_archiving_asks_for_a_key(server: RunningServer):
    wire_id = created(server)
    assert server.call("POST", f"/v1/tasks/{wire_id}/archive", headers={"Authorization": ""}).status == 401
    with Client(base_url=server.url, api_key="sk-wrong") as client, pytest.raises(UnderstudyError):
        client.archive(wire_id)
