"""Polls that wait for news, over HTTP: at every door, for as long as asked, and never longer than there is somebody."""

import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest

from running_server import Answer, RunningServer, running_server
from understudy.core.ports import Heard
from understudy.dialects.select import Operation, mounted_doors
from understudy.server.house import Limits
from understudy.service.outlook import render_time
from understudy.storage.memory import MemoryTaskStore
from understudy.storage.sqlite import SqliteTaskStore
from watched_server import ARK, Waiters, cancel, created, is_free, is_watched, same_caller

GETS = sorted({door.path for door in mounted_doors() if door.operation is Operation.GET})
LONG = 30
"""Seconds that no test takes: an answer that came did not wait for their end."""


class SilentStore(MemoryTaskStore):
    """Tells nobody of any change, as a store whose telling is broken."""

    def listen(self, heard: Heard) -> None:
        return None


def get(server: RunningServer, wire_id: str, query: str = "", **headers: str) -> Answer:
    return server.call("GET", f"{ARK}/{wire_id}{query}", headers=headers)


@pytest.fixture
def waiters() -> Iterator[Waiters]:
    with Waiters(64) as pool:
        yield pool


@pytest.fixture(params=["memory", "sqlite"])
def any_server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RunningServer]:
    kinds = {"memory": MemoryTaskStore, "sqlite": lambda: SqliteTaskStore(tmp_path / "tasks.db")}
    with running_server(tmp_path / "server", make_store=kinds[request.param]) as running:
        yield running


def test_a_poll_waits_for_a_change_and_is_answered_as_ever(any_server: RunningServer, waiters: Waiters) -> None:
    server, wire_id = any_server, created(any_server)
    waiting = waiters.get(server, f"{ARK}/{wire_id}?wait={LONG}")
    is_watched(server)
    claim = server.run_task(wire_id)
    answer = waiting.result()
    assert (answer.status, answer.json()["status"]) == (200, "running")
    waiting = waiters.get(server, f"{ARK}/{wire_id}?wait={LONG}")
    is_watched(server)
    server.succeed(wire_id, claim)
    assert waiting.result().json()["status"] == "succeeded"
    assert waiting.result().json().keys() == get(server, wire_id).json().keys()


@pytest.mark.parametrize("path", GETS)
def test_every_get_of_every_dialect_can_wait(server: RunningServer, waiters: Waiters, path: str) -> None:
    wire_id = created(server)
    path = path.replace("{task_id}", wire_id)
    waiting = waiters.get(server, f"{path}?wait={LONG}")
    is_watched(server)
    cancel(server, wire_id)
    answer = waiting.result()
    assert (answer.status, answer.json()) == (200, server.call("GET", path).json())


def test_a_task_that_has_ended_is_answered_at_once(server: RunningServer) -> None:
    wire_id = created(server)
    server.succeed(wire_id)
    assert get(server, wire_id, "?wait=60").json()["status"] == "succeeded"


def test_when_nothing_happens_the_answer_comes_when_the_time_is_over(server: RunningServer) -> None:
    wire_id = created(server)
    for given in ("0", "0.05", "1"):
        assert get(server, wire_id, f"?wait={given}").json()["status"] == "queued"


@pytest.mark.parametrize("given", ["61", "-1", "", "abc", "1e1", "nan", "inf", "10s", "٣", "60.1", "0x1", "9" * 400])
def test_any_other_time_is_a_mistake_that_is_named(server: RunningServer, given: str) -> None:
    error = get(server, created(server), f"?wait={quote(given)}").error
    assert (error["code"], error["param"]) == ("InvalidParameter", "wait")
    assert "`wait` must be a number of seconds from 0 to 60" in error["message"]


@pytest.mark.parametrize("path", GETS)
def test_every_dialect_names_it_in_its_own_words(server: RunningServer, path: str) -> None:
    answer = server.call("GET", path.replace("{task_id}", "cgt-20261121120000-aaaaa") + "?wait=61")
    assert answer.status == 400
    assert "`wait` must be a number of seconds from 0 to 60" in answer.body.decode()


def test_a_preference_is_met_as_far_as_it_can_be(server: RunningServer, waiters: Waiters) -> None:
    wire_id = created(server)
    waiting = waiters.get(server, f"{ARK}/{wire_id}", Prefer=f'respond-async, wait="{LONG}"; foo')
    is_watched(server)
    cancel(server, wire_id)
    answer = waiting.result()
    assert (answer.json()["status"], answer.headers["preference-applied"]) == ("cancelled", f"wait={LONG}")
    assert get(server, wire_id, Prefer="wait=9999").headers["preference-applied"] == "wait=60"
    for unknown in ("wait", "wait=soon", "await=3", "return=minimal", "wait=-1"):
        answer = get(server, created(server), Prefer=unknown)
        assert (answer.status, answer.headers.get("preference-applied")) == (200, None), unknown


def test_the_query_counts_before_the_preference(server: RunningServer) -> None:
    answer = get(server, created(server), "?wait=0", Prefer=f"wait={LONG}")
    assert (answer.json()["status"], answer.headers.get("preference-applied")) == ("queued", None)


def test_another_owners_task_is_not_found(server: RunningServer) -> None:
    wire_id = created(server)
    assert get(server.to_a_new_caller(), wire_id, f"?wait={LONG}").error["code"] == "NotFound.TaskId"
    assert get(server, "cgt-20261121120000-zzzzz", f"?wait={LONG}").error["code"] == "NotFound.TaskId"


def test_a_store_that_tells_nothing_is_looked_at(tmp_path: Path, waiters: Waiters) -> None:
    with running_server(tmp_path, make_store=SilentStore) as server:
        wire_id = created(server)
        waiting = waiters.get(server, f"{ARK}/{wire_id}?wait={LONG}")
        is_watched(server)
        server.run_task(wire_id)
        assert waiting.result().json()["status"] == "running"


def test_two_servers_over_one_store_tell_of_each_others_changes(tmp_path: Path, waiters: Waiters) -> None:
    with running_server(tmp_path / "one") as one, running_server(tmp_path / "two", make_store=lambda: one.store) as two:
        wire_id = created(one)
        waiting = waiters.get(same_caller(two, one), f"{ARK}/{wire_id}?wait={LONG}")
        is_watched(two)
        cancel(one, wire_id)
        assert waiting.result().json()["status"] == "cancelled"


def test_fifty_who_wait_for_one_task_are_all_answered(server: RunningServer, waiters: Waiters) -> None:
    wire_id = created(server)
    waiting = [waiters.get(server, f"{ARK}/{wire_id}?wait={LONG}") for _ in range(50)]
    is_watched(server, 50)
    cancel(server, wire_id)
    assert {each.result().json()["status"] for each in waiting} == {"cancelled"}


def test_who_hangs_up_frees_the_place(tmp_path: Path) -> None:
    with running_server(tmp_path, limits=Limits(connections=4)) as server:
        wire_id = created(server)
        for _ in range(4):
            with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
                connection.sendall(asked(server, wire_id))
                is_watched(server)
            is_free(server)


def asked(server: RunningServer, wire_id: str) -> bytes:
    head = f"GET {ARK}/{wire_id}?wait=60 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.api_key}\r\n\r\n"
    return head.encode()


def test_more_than_may_wait_are_told_so(tmp_path: Path, waiters: Waiters) -> None:
    with running_server(tmp_path, limits=Limits(connections=8)) as server:
        wire_id = created(server)
        waiting = [waiters.get(server, f"{ARK}/{wire_id}?wait={LONG}") for _ in range(4)]
        is_watched(server, 4)
        answer = get(server, wire_id, f"?wait={LONG}")
        assert (answer.status, answer.error["code"]) == (429, "QuotaExceeded")
        assert int(answer.headers["retry-after"]) > 0
        assert get(server, wire_id).status == 200, "who does not wait is answered"
        other = server.to_a_new_caller()
        others = created(other)
        waiting += [waiters.get(other, f"{ARK}/{others}?wait={LONG}") for _ in range(2)]
        is_watched(server, 6)
        assert get(other, others, f"?wait={LONG}").error["code"] == "ServerOverloaded"
        cancel(server, wire_id)
        cancel(other, others)
        assert {each.result().status for each in waiting} == {200}


def test_who_waits_is_answered_when_the_server_stops(tmp_path: Path, waiters: Waiters) -> None:
    with running_server(tmp_path) as server:
        wire_id = created(server)
        waiting = waiters.get(server, f"{ARK}/{wire_id}?wait=60")
        is_watched(server)
    answer = waiting.result()
    assert (answer.status, answer.json()["status"]) == (200, "queued")


def test_head_waits_too_and_has_no_body(server: RunningServer, waiters: Waiters) -> None:
    wire_id = created(server)
    waiting = waiters.submit(server.call, "HEAD", f"{ARK}/{wire_id}?wait={LONG}")
    is_watched(server)
    server.fail(wire_id)
    assert (waiting.result().status, waiting.result().body) == (200, b"")


def test_pages_may_read_what_is_told_beside_a_task(server: RunningServer) -> None:
    answer = get(server, created(server), Origin="https://page.test")
    exposed = answer.headers["access-control-expose-headers"].lower()
    for name in ("x-understudy-queue-position", "x-understudy-eta-s", "preference-applied"):
        assert name in exposed


def test_a_queued_task_says_how_many_are_before_it(any_server: RunningServer) -> None:
    server = any_server
    for position in (1, 2):
        wire_id = created(server)
        answer = server.call("GET", f"/understudy/v1/tasks/{wire_id}/outlook")
        assert (answer.status, answer.json()) == (200, {"id": wire_id, "status": "queued", "queue_position": position})
    answer = get(server, wire_id)
    assert answer.headers["x-understudy-queue-position"] == "2"
    assert "x-understudy-eta-s" not in answer.headers, "no film was made yet"


def test_when_films_were_made_a_task_says_when_its_own_should_be_there(any_server: RunningServer) -> None:
    server = any_server
    task = server.succeed(created(server))
    assert task.film is not None
    ended_at = task.updated_at + timedelta(seconds=40)
    took = render_time(task, task.film, claimed_at=task.updated_at, ended_at=ended_at)
    server.do(server.store.note_render(took, ended_at))
    wire_id = created(server)
    told = server.call("GET", f"/understudy/v1/tasks/{wire_id}/outlook").json()
    # Nothing is known to render here yet, so nobody can say when its turn comes.
    assert told == {"id": wire_id, "status": "queued", "queue_position": 1}
    server.run_task(wire_id)
    server.clock.advance(seconds=10)
    assert server.call("GET", f"/understudy/v1/tasks/{wire_id}/outlook").json()["eta_s"] == 30
    assert get(server, wire_id).headers["x-understudy-eta-s"] == "30"


def test_of_a_task_that_has_ended_there_is_nothing_to_expect(server: RunningServer) -> None:
    wire_id = created(server)
    server.fail(wire_id)
    assert server.call("GET", f"/understudy/v1/tasks/{wire_id}/outlook").json() == {"id": wire_id, "status": "failed"}
    assert not [name for name in get(server, wire_id).headers if name.startswith("x-understudy")]


def test_the_outlook_of_another_owners_task_is_not_found(server: RunningServer) -> None:
    path = f"/understudy/v1/tasks/{created(server)}/outlook"
    assert server.to_a_new_caller().call("GET", path).error["code"] == "NotFound.TaskId"
    assert server.call("GET", path, headers={"Authorization": ""}).status == 401
    assert server.call("POST", path).status == 405
