"""A task's events over HTTP: each change as it happens, from where the client was, until the task has ended."""

import asyncio
import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from event_stream import Event, event_stream
from running_server import RunningServer, running_server
from understudy.core.task import Status
from understudy.dialects.select import Operation, mounted_doors
from understudy.server.house import Limits
from understudy.storage.memory import MemoryTaskStore
from understudy.storage.sqlite import SqliteTaskStore
from watched_server import ARK, cancel, created, is_free, is_watched, same_caller, watcher_of

AT = sorted({door.path for door in mounted_doors() if door.operation is Operation.EVENTS})


def events_of(wire_id: str) -> str:
    return f"{ARK}/{wire_id}/events"


def asked(server: RunningServer, wire_id: str, version: str = "1.1") -> bytes:
    head = f"GET {events_of(wire_id)} HTTP/{version}\r\nHost: x\r\nAuthorization: Bearer {server.api_key}\r\n\r\n"
    return head.encode()


def seen(event: Event | None) -> tuple[str, str]:
    assert event is not None
    return event.name, event.json()["status"]


@pytest.fixture(params=["memory", "sqlite"])
def any_server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RunningServer]:
    kinds = {"memory": MemoryTaskStore, "sqlite": lambda: SqliteTaskStore(tmp_path / "tasks.db")}
    with running_server(tmp_path / "server", make_store=kinds[request.param]) as running:
        yield running


def test_each_change_is_told_as_get_shows_it_until_the_task_has_ended(any_server: RunningServer) -> None:
    server, wire_id = any_server, created(any_server)
    with event_stream(server, events_of(wire_id)) as stream:
        assert seen(stream.next()) == ("status", "queued")
        claim = server.run_task(wire_id)
        event = stream.next()
        assert seen(event) == ("status", "running")
        assert event is not None
        assert event.json() == server.call("GET", f"{ARK}/{wire_id}").json()
        server.do(server.store.heartbeat(claim, 0.5, server.clock.now()))
        event = stream.next()
        assert event is not None
        assert (event.name, event.json()["progress"]) == ("progress", 0.5)
        server.succeed(wire_id, claim)
        event = stream.next()
        assert seen(event) == ("end", "succeeded")
        assert event is not None
        assert event.json()["content"].keys() == server.call("GET", f"{ARK}/{wire_id}").json()["content"].keys()
        assert stream.next() is None


def test_the_headers_are_those_of_a_stream_that_nobody_on_the_way_keeps(server: RunningServer) -> None:
    wire_id = created(server)
    with event_stream(server, events_of(wire_id), Origin="https://page.test") as stream:
        assert stream.headers["content-type"] == "text/event-stream"
        assert stream.headers["cache-control"] == "no-cache, no-transform"
        assert stream.headers["x-accel-buffering"] == "no"
        assert stream.headers["access-control-allow-origin"] == "*"
        assert "x-request-id" in stream.headers
        stream.next()
        assert stream.retry_ms == 2000


@pytest.mark.parametrize("path", AT)
def test_every_get_has_events_in_its_own_words(server: RunningServer, path: str) -> None:
    wire_id = created(server)
    path = path.replace("{task_id}", wire_id)
    with event_stream(server, path) as stream:
        first = stream.next()
        cancel(server, wire_id)
        last = stream.next()
        assert first is not None
        assert last is not None
        assert (first.name, last.name) == ("status", "end")
        assert last.json() == server.call("GET", path.removesuffix("/events")).json()
        assert stream.next() is None


def test_ids_grow_and_a_client_goes_on_from_the_one_it_saw_last(server: RunningServer) -> None:
    wire_id = created(server)
    with event_stream(server, events_of(wire_id)) as stream:
        first = stream.next()
    assert first is not None
    with event_stream(server, events_of(wire_id), last_id=first.id) as stream:
        claim = server.run_task(wire_id)
        second = stream.next()
    assert seen(second) == ("status", "running"), "what was seen is not told again"
    server.succeed(wire_id, claim)
    assert second is not None
    with event_stream(server, events_of(wire_id), last_id=second.id) as stream:
        (third,) = stream.rest()
    assert first.id is not None
    assert second.id is not None
    assert third.id is not None
    assert first.id < second.id < third.id
    answer = server.call("GET", events_of(wire_id), headers={"Last-Event-ID": str(third.id)})
    assert (answer.status, answer.body) == (204, b""), "a browser that has seen the end does not come back"


def test_a_task_that_returns_to_the_queue_has_ids_that_grow(server: RunningServer) -> None:
    wire_id = created(server)
    ids = []
    with event_stream(server, events_of(wire_id)) as stream:
        for _ in range(2):
            event = stream.next()
            assert seen(event) == ("status", "queued")
            ids.append(event.id)
            claim = server.run_task(wire_id, 0.999)
            event = stream.next(passing=("outlook", "progress"))
            assert seen(event) == ("status", "running")
            ids.append(event.id)
            server.do(server.store.hand_back(claim, server.clock.now()))
    assert ids == sorted(set(ids))


@pytest.mark.parametrize("last_id", ["x", "-1", "", "9" * 300, "99999999", "1.5"])
def test_an_id_that_the_task_never_had_is_none(server: RunningServer, last_id: str) -> None:
    wire_id = created(server)
    cancel(server, wire_id)
    with event_stream(server, events_of(wire_id), last_id=last_id) as stream:
        assert [event.name for event in stream.rest()] == ["end"]


def test_of_a_task_that_has_ended_the_end_is_told_at_once(server: RunningServer) -> None:
    wire_id = created(server)
    server.succeed(wire_id)
    with event_stream(server, events_of(wire_id)) as stream:
        (event,) = stream.rest()
    assert seen(event) == ("end", "succeeded")


def test_the_place_in_the_queue_is_told(any_server: RunningServer) -> None:
    server = any_server
    created(server)
    with event_stream(server, events_of(created(server))) as stream:
        assert seen(stream.next(passing=())) == ("status", "queued")
        event = stream.next(passing=())
    assert event is not None
    assert (event.name, event.id, event.json()) == ("outlook", None, {"queue_position": 2})


def test_a_task_whose_record_is_removed_is_told_to_be_gone(server: RunningServer) -> None:
    wire_id = created(server)
    claim = server.run_task(wire_id)
    with event_stream(server, events_of(wire_id)) as stream:
        assert seen(stream.next()) == ("status", "running")

        async def end_and_remove() -> None:
            """At one go, so that nobody sees the end."""
            store: MemoryTaskStore = server.store  # type: ignore[assignment]
            store._remove(store._tasks[claim.task.id])

        server.do(end_and_remove())
        event = stream.next()
        assert event is not None
        assert (event.name, event.id) == ("gone", None)
        assert event.json()["error"]["code"] == "NotFound.TaskId"
        assert stream.next() is None


def test_another_owners_task_and_one_that_is_not_there_are_not_found(server: RunningServer) -> None:
    wire_id = created(server)
    assert server.to_a_new_caller().call("GET", events_of(wire_id)).error["code"] == "NotFound.TaskId"
    assert server.call("GET", events_of("cgt-20261121120000-zzzzz")).error["code"] == "NotFound.TaskId"
    assert server.call("GET", events_of("nonsense")).error["code"] == "NotFound.TaskId"
    assert server.call("GET", events_of(wire_id), headers={"Authorization": ""}).status == 401


def test_head_and_options_and_wrong_methods_are_as_elsewhere(server: RunningServer) -> None:
    path = events_of(created(server))
    head = server.call("HEAD", path)
    assert (head.status, head.body, head.headers["content-type"]) == (200, b"", "text/event-stream")
    options = server.call("OPTIONS", path)
    assert (options.status, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS")
    assert server.call("POST", path).error["code"] == "InvalidAction.MethodNotAllowed"


def test_two_servers_over_one_store_stream_each_others_changes_and_know_each_others_ids(tmp_path: Path) -> None:
    with running_server(tmp_path / "one") as one, running_server(tmp_path / "two", make_store=lambda: one.store) as two:
        wire_id, there = created(one), same_caller(two, one)
        with event_stream(there, events_of(wire_id)) as stream:
            first = stream.next()
            claim = one.run_task(wire_id)
            second = stream.next()
            assert (seen(first), seen(second)) == (("status", "queued"), ("status", "running"))
        one.succeed(wire_id, claim)
        assert second is not None
        with event_stream(one, events_of(wire_id), last_id=second.id) as stream:
            assert [event.name for event in stream.rest()] == ["end"]


def test_streams_end_when_the_server_stops(tmp_path: Path) -> None:
    with ExitStack() as kept:
        with running_server(tmp_path) as server:
            wire_id = created(server)
            streams = [kept.enter_context(event_stream(server, events_of(wire_id))) for _ in range(10)]
            assert {seen(stream.next()) for stream in streams} == {("status", "queued")}
        # The server is gone, and every stream came to a proper end, after which a client comes back.
        assert [stream.rest() for stream in streams] == [[]] * 10


def test_who_hangs_up_frees_the_place(tmp_path: Path) -> None:
    with running_server(tmp_path, limits=Limits(connections=4)) as server:
        wire_id = created(server)
        for _ in range(4):
            with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
                connection.sendall(asked(server, wire_id))
                is_watched(server)
            is_free(server)


def test_more_streams_than_may_be_are_told_so(tmp_path: Path) -> None:
    with running_server(tmp_path, limits=Limits(connections=8)) as server, ExitStack() as kept:
        wire_id = created(server)
        for _ in range(4):
            kept.enter_context(event_stream(server, events_of(wire_id))).next()
        answer = server.call("GET", events_of(wire_id))
        assert (answer.status, answer.error["code"]) == (429, "QuotaExceeded")
        assert int(answer.headers["retry-after"]) > 0
        assert server.call("GET", f"{ARK}/{wire_id}").status == 200


def test_a_connection_outlives_its_stream(server: RunningServer) -> None:
    wire_id = created(server)
    cancel(server, wire_id)
    with event_stream(server, events_of(wire_id)) as stream:
        assert len(stream.rest()) == 1
        stream.connection.request("GET", f"{ARK}/{wire_id}", headers={"Authorization": f"Bearer {server.api_key}"})
        assert json.loads(stream.connection.getresponse().read())["status"] == Status.CANCELLED


def test_a_client_of_http_1_0_gets_events_without_chunks(server: RunningServer) -> None:
    wire_id = created(server)
    cancel(server, wire_id)
    head, _, body = server.say(asked(server, wire_id, "1.0")).partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head.lower()
    assert body.startswith(b"retry: 2000\n\nid: ")
    assert body.endswith(b"\n\n")


def test_a_client_that_reads_nothing_is_dropped_and_keeps_nobody_else(tmp_path: Path) -> None:
    """Its events are large and many, until neither its window nor the kernel's buffers take another."""
    with running_server(tmp_path, limits=Limits(idle_timeout_s=0.2)) as server:
        prompt = "A fox. " * 10_000
        body = {"model": "doubao-seedance-2-0-260128", "prompt": prompt}
        wire_id = server.call("POST", "/v1/videos", json.dumps(body).encode()).json()["id"]
        claim = server.run_task(wire_id)
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", server.port))
        path = f"/v1/videos/{wire_id}/events"
        head = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.api_key}\r\n\r\n"
        with connection:
            connection.sendall(head.encode())
            is_watched(server)

            async def go_on() -> None:
                """Let the film advance until nobody watches it any more."""
                watcher, frames = watcher_of(server), 0
                while watcher.watched:
                    frames = min(frames + 1, 990)
                    await server.store.heartbeat(claim, frames / 1000, server.clock.now())
                    watcher._heard(claim.task.id)
                    await asyncio.sleep(0.001)

            server.do(go_on())
        assert server.call("GET", f"/v1/videos/{wire_id}").status == 200
