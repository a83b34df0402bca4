"""What every answer has in common: request ids, headers for browsers, logs without secrets, errors without traces."""

import json
import logging
from dataclasses import replace
from http.client import HTTPConnection
from typing import Any

import pytest

from running_server import RunningServer, running_server
from understudy.server.house import Limits

TASKS = "/api/v3/contents/generations/tasks"
ONE = f"{TASKS}/cgt-20261121120000-abcde"
REQUEST = {"model": "doubao-seedance-2-0-260128", "content": [{"type": "text", "text": "A cat"}]}
CALLS = [
    ("GET", TASKS),
    ("POST", TASKS),
    ("GET", ONE),
    ("DELETE", ONE),
    ("PUT", ONE),
    ("OPTIONS", ONE),
    ("HEAD", TASKS),
    ("GET", "/nothing"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/files/x"),
]


def create(server: RunningServer, **changes: Any) -> Any:
    return server.call("POST", TASKS, json.dumps(REQUEST | changes).encode())


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_every_answer_carries_a_request_id_and_lets_any_page_read_it(server, method, path):
    first, second = (server.call(method, path, headers={"Origin": "https://example.com"}).headers for _ in range(2))
    assert first["x-request-id"].startswith("02")
    assert first["x-request-id"] != second["x-request-id"]
    assert first["access-control-allow-origin"] == "*"
    assert "x-request-id" in first["access-control-expose-headers"].lower()


def test_a_preflight_allows_what_a_web_client_sends(server):
    asked = {
        "Authorization": "",
        "Origin": "https://example.com",
        "Access-Control-Request-Method": "DELETE",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    answer = server.call("OPTIONS", ONE, headers=asked)
    assert (answer.status, answer.body) == (204, b"")
    assert "content-length" not in answer.headers
    assert "DELETE" in answer.headers["access-control-allow-methods"]
    assert "Authorization" in answer.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in answer.headers


def test_answers_are_never_compressed(server):
    for encoding in ("identity", "gzip, deflate, br"):
        answer = server.call("GET", TASKS, headers={"Accept-Encoding": encoding})
        assert "content-encoding" not in answer.headers
        assert answer.json() == {"items": [], "total": 0}


@pytest.mark.parametrize("path", [TASKS, f"/ark{TASKS}"])
def test_a_trailing_slash_changes_nothing(server, path):
    made = server.call("POST", f"{path}/", json.dumps(REQUEST).encode()).json()["id"]
    assert server.call("GET", f"{path}/{made}/").json()["id"] == made
    assert server.call("GET", f"{path}//").json()["total"] == 1


@pytest.mark.parametrize("path", [f"/{TASKS}", f"//ark{TASKS}", f"/ark/{TASKS}//"])
def test_a_slash_too_many_changes_nothing(server, path):
    made = server.call("POST", path, json.dumps(REQUEST).encode()).json()["id"]
    assert server.call("GET", f"{path}/{made}").json()["id"] == made


def test_head_sends_no_body_but_the_length_of_one(server):
    answer = server.call("HEAD", TASKS)
    assert (answer.status, answer.body) == (200, b"")
    assert int(answer.headers["content-length"]) == len(server.call("GET", TASKS).body)


def test_a_delete_is_accepted_with_an_empty_object_and_without_a_body(server):
    for body in (b"{}", None, b""):
        made = create(server).json()["id"]
        answer = server.call("DELETE", f"{TASKS}/{made}", body, {"Content-Type": "application/json"})
        assert (answer.status, answer.json()) == (200, {})


def test_a_refused_delete_says_not_to_ask_again(server):
    made = create(server).json()["id"]
    server.run_task(made)
    answer = server.call("DELETE", f"{TASKS}/{made}")
    assert answer.status == 409
    assert answer.headers["x-should-retry"] == "false"
    assert answer.error["message"].startswith(f"Cannot delete task `{made}` because it is currently running.")


def test_what_was_ignored_is_told_in_a_header_of_the_create_and_in_the_task(server):
    answer = create(server, style="x", negative_prompt="é")
    told = json.loads(answer.headers["x-understudy-warnings"])
    assert [warning["param"] for warning in told] == ["style", "negative_prompt"]
    shown = server.call("GET", f"{TASKS}/{answer.json()['id']}").json()
    assert shown["warnings"] == told


def test_a_request_with_nothing_to_warn_of_has_no_such_header(server):
    assert "x-understudy-warnings" not in create(server).headers


def test_a_thousand_unknown_keys_make_a_header_of_bounded_size(server):
    answer = create(server, **{f"key_{number}_{'x' * 300}": 1 for number in range(1000)})
    assert answer.status == 200
    assert len(answer.headers["x-understudy-warnings"]) < 2300


def test_ids_are_accepted_in_every_dialects_spelling_and_answered_in_this_ones(server):
    made = create(server).json()["id"]
    bare = made.removeprefix("cgt-")
    for spelling in (made, bare, f"task_{bare}", f"video_{bare}"):
        assert server.call("GET", f"{TASKS}/{spelling}").json()["id"] == made


def test_many_requests_go_over_one_connection_errors_between_them(server):
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    headers = {"Authorization": f"Bearer {server.api_key}"}
    statuses, ports = [], set()
    for method, path, body in [
        ("POST", TASKS, b"{"),
        ("GET", TASKS, None),
        ("POST", TASKS, b"x" * 3_000_000),
        ("GET", "/nothing", b"unread" * 50_000),
        ("POST", TASKS, json.dumps(REQUEST).encode()),
    ]:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        response.read()
        statuses.append(response.status)
        ports.add(connection.sock.getsockname()[1])
    connection.close()
    assert statuses == [400, 200, 400, 404, 200]
    assert len(ports) == 1


class Broken:
    """Stands where the queries do, and has a bug."""

    async def get(self, *_: Any) -> None:
        raise RuntimeError("secret detail of a bug")


def test_a_bug_is_logged_with_its_request_id_and_shown_to_nobody(tmp_path, caplog):
    stub: Any = Broken()
    with (
        running_server(tmp_path, changes=lambda house: replace(house, queries=stub)) as server,
        caplog.at_level(logging.ERROR, logger="understudy.server"),
    ):
        answer = server.call("GET", ONE)
        assert server.call("GET", "/healthz").status == 200
    assert (answer.status, answer.error["code"], answer.error["type"]) == (
        500,
        "InternalServiceError",
        "InternalServerError",
    )
    assert b"secret detail" not in answer.body
    logged = next(record for record in caplog.records if record.levelno == logging.ERROR)
    assert answer.headers["x-request-id"] in logged.getMessage()
    assert logged.exc_info is not None
    assert "secret detail" in str(logged.exc_info[1])


def test_the_access_log_has_no_keys_signatures_or_line_breaks(server, caplog):
    with caplog.at_level(logging.INFO, logger="understudy.access"):
        server.call("GET", f"{TASKS}?signature=hidden")
        server.call("GET", "/a%0d%0ab%20c")
    lines = [record.getMessage() for record in caplog.records if record.name == "understudy.access"]
    assert lines[0].startswith(f"method=GET path={TASKS} status=200 ms=")
    assert lines[1].startswith("method=GET path=/a??b?c status=404 ms=")
    assert not any("hidden" in line or server.api_key in line or "\n" in line for line in lines)


def test_the_access_log_can_be_off(tmp_path):
    with running_server(tmp_path, changes=lambda house: replace(house, is_access_logged=False)) as server:
        server.call("GET", "/healthz")
    assert server.requests == []


def test_readiness_follows_the_house(tmp_path):
    with running_server(tmp_path, changes=lambda house: replace(house, is_ready=lambda: False)) as server:
        assert server.call("GET", "/readyz", headers={"Authorization": ""}).status == 503
        assert server.call("GET", "/healthz", headers={"Authorization": ""}).status == 200


def test_start_and_stop_are_called_once_around_serving(tmp_path):
    heard: list[str] = []

    def listening(house):
        async def start() -> None:
            heard.append("start")

        async def stop() -> None:
            heard.append("stop")

        return replace(house, start=start, stop=stop)

    with running_server(tmp_path, changes=listening) as server:
        server.call("GET", "/healthz")
        assert heard == ["start"]
    assert heard == ["start", "stop"]


def test_too_many_connections_are_told_to_come_back(tmp_path):
    with running_server(tmp_path, limits=Limits(connections=1)) as server:
        held = HTTPConnection("127.0.0.1", server.port, timeout=10)
        held.request("GET", "/healthz")
        held.getresponse().read()
        answer = server.call("GET", "/healthz")
        held.close()
    assert (answer.status, answer.error["code"]) == (429, "ServerOverloaded")
