"""Callbacks over HTTP: what a target is sent is what a get would have answered; the log, resending and the secret."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from media_host import Asked, MediaHost, media_host, status
from running_server import RunningServer, running_server
from telling import SERVER_KEYS, with_callbacks
from understudy.client import Client
from understudy.client.callbacks import Callbacks
from understudy.core.errors import NotFound
from understudy.net.http import HttpClient
from understudy.service.callbacks import CallbackSender

TEXT = [{"type": "text", "text": "A fox"}]
ARK_TASKS = "/api/v3/contents/generations/tasks"
ARK = {"model": "doubao-seedance-2-0-260128", "content": TEXT}
WAYS: dict[str, tuple[str, dict[str, Any], str]] = {
    "ark": (f"/ark{ARK_TASKS}", ARK, ""),
    "apiyi": (f"/apiyi/seedance{ARK_TASKS}", ARK, ""),
    "amux-native": (f"/amux{ARK_TASKS}", ARK, ""),
    "amux": ("/amux/v1/video/generations", {"model": "doubao-seedance-2.0", "prompt": "A fox"}, "metadata"),
    "newapi": ("/newapi/v1/video/generations", {"model": "doubao-seedance-2.0", "prompt": "A fox"}, "metadata"),
    "octopus": ("/octopus/v1/video/generations", {"model": "doubao-seedance-2.0", "content": TEXT}, "metadata"),
}
"""Dialect -> where it creates, with what, and under which key its settings stand."""


@dataclass(frozen=True)
class Told:
    """The server as a caller sees it, the target, and what tells the one of the other."""

    server: RunningServer
    host: MediaHost
    sender: CallbackSender

    def round(self) -> None:
        self.server.do(self.sender.round())

    @property
    def path(self) -> str:
        """The caller's own target: other callers' tasks change as well when one of this one's is run."""
        return f"/told/{self.server.owner}"

    @property
    def requests(self) -> list[Asked]:
        """What came there."""
        return [asked for asked in self.host.requests if asked.path == self.path]

    def created(self, dialect: str = "ark") -> tuple[str, str]:
        """Create a task whose changes are told; return its id and where it is read."""
        path, body, key = WAYS[dialect]
        given = {"callback_url": self.host.url + self.path, "return_last_frame": True}
        answer = self.server.call("POST", path, json.dumps(body | ({key: given} if key else given)).encode())
        assert answer.status == 200, answer
        assert "x-understudy-warnings" not in answer.headers, answer
        wire_id = str(answer.json().get("id") or answer.json()["task_id"])
        return wire_id, f"{path}/{wire_id}"

    def shown(self, path: str) -> bytes:
        answer = self.server.call("GET", path)
        assert answer.status == 200, answer
        return answer.body

    def log(self, wire_id: str) -> Any:
        answer = self.server.call("GET", f"/understudy/v1/tasks/{wire_id}/callbacks")
        assert answer.status == 200, answer
        return answer.json()

    def resend(self, wire_id: str, body: bytes | None = None) -> Any:
        return self.server.call("POST", f"/understudy/v1/tasks/{wire_id}/callbacks/resend", body)

    def to_a_new_caller(self) -> "Told":
        return replace(self, server=self.server.to_a_new_caller())


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    senders: list[tuple[CallbackSender, HttpClient]] = []
    directory: Path = tmp_path_factory.mktemp("told")
    with (
        media_host() as host,
        running_server(directory, changes=lambda house: with_callbacks(house, senders)) as server,
    ):
        ((sender, client),) = senders
        yield Told(server=server, host=host, sender=sender)
        server.do(sender.close())
        server.do(client.close())


@pytest.fixture
def told(shared: Told) -> Told:
    """Return it for a caller of its own, whose target takes everything, with nothing left of earlier tests."""
    shared.host.otherwise(status(204))
    for _ in range(10):
        shared.round()
        shared.server.clock.advance(seconds=36_000)
    shared.host.requests.clear()
    return shared.to_a_new_caller()


@pytest.mark.parametrize("dialect", WAYS)
def test_what_is_told_is_what_a_get_answers_at_that_moment(told: Told, dialect: str) -> None:
    wire_id, path = told.created(dialect)
    said = []
    for change in (lambda: None, lambda: told.server.run_task(wire_id), lambda: told.server.succeed(wire_id)):
        change()
        told.round()
        said.append(told.shown(path))
        told.server.clock.advance(seconds=60)
    assert [asked.body for asked in told.requests] == said
    assert b"/files/" in said[-1]


@pytest.mark.parametrize("end", ["fail", "expire"])
def test_a_task_that_ends_without_a_film_is_told(told: Told, end: str) -> None:
    wire_id, path = told.created()
    getattr(told.server, end)(wire_id)
    told.round()
    assert told.requests[-1].body == told.shown(path)
    assert json.loads(told.requests[-1].body)["status"] == {"fail": "failed", "expire": "expired"}[end]


def test_a_cancelled_task_is_told_to_nobody(told: Told) -> None:
    wire_id, path = told.created()
    told.round()
    assert told.server.call("DELETE", path).status == 200
    told.round()
    assert [json.loads(asked.body)["status"] for asked in told.requests] == ["queued"]
    assert [each["status"] for each in told.log(wire_id)["data"]] == ["queued"]


def test_what_is_told_is_signed_with_the_secret_that_its_owner_is_shown(told: Told) -> None:
    told.created()
    told.round()
    answer = told.server.call("GET", "/understudy/v1/callbacks/secret")
    assert (answer.status, answer.headers["cache-control"]) == (200, "no-store")
    secret = answer.json()["secret"]
    (asked,) = told.requests
    # The clock of the tests is not the machine's, at which the library looks; the signature is the same.
    signed = Webhook(secret)._Webhook__verify_timestamp  # type: ignore[attr-defined]
    del signed
    stamp = int(asked.headers["webhook-timestamp"])
    assert stamp == int(told.server.clock.now().timestamp())
    moment = told.server.clock.now()
    assert (
        Webhook(secret).sign(asked.headers["webhook-id"], moment, asked.body.decode())
        == (asked.headers["webhook-signature"])
    )
    other = told.to_a_new_caller().server.call("GET", "/understudy/v1/callbacks/secret").json()["secret"]
    assert other != secret


def test_the_log_shows_each_change_and_its_tries(told: Told) -> None:
    wire_id, _ = told.created()
    told.host.on(told.path, status(503), status(200))
    began = told.server.clock.now().timestamp()
    told.round()
    (first,) = told.log(wire_id)["data"]
    assert first.pop("next_try_at") > began
    took_s = first["tries"][0].pop("took_s")
    assert took_s > 0
    internal = told.server.task(wire_id).id
    assert first == {
        "number": 1,
        "id": f"{internal}-1",
        "status": "queued",
        "changed_at": began,
        "state": "pending",
        "tried": 1,
        "tries": [{"at": began, "status": 503, "fault": "The answer was HTTP 503."}],
    }
    told.server.clock.advance(seconds=2)
    told.round()
    (first,) = told.log(wire_id)["data"]
    assert (first["state"], [each["status"] for each in first["tries"]]) == ("delivered", [503, 200])
    assert "fault" not in first["tries"][1]


def test_the_log_is_read_in_the_spelling_of_any_dialect(told: Told) -> None:
    wire_id, _ = told.created()
    internal = told.server.task(wire_id).id
    logs = [told.log(spelled) for spelled in (wire_id, f"task_{internal}", f"video_{internal}", internal)]
    assert all(log == logs[0] and log["object"] == "list" for log in logs)


def test_a_task_that_tells_nobody_has_an_empty_log(told: Told) -> None:
    answer = told.server.call("POST", f"/ark{ARK_TASKS}", json.dumps(ARK).encode())
    wire_id = answer.json()["id"]
    assert told.log(wire_id) == {"object": "list", "data": []}
    answer = told.resend(wire_id)
    assert (answer.status, answer.error["code"]) == (404, "NotFound.TaskId")
    assert "callback_url" in answer.error["message"]


@pytest.mark.parametrize(("body", "again"), [(None, 2), (b"{}", 2), (b'{"number":1}', 1), (b'{"number":null}', 2)])
def test_a_change_is_told_again_on_request(told: Told, body: bytes | None, again: int) -> None:
    wire_id, _ = told.created()
    told.server.run_task(wire_id)
    told.round()
    ids = [asked.headers["webhook-id"] for asked in told.requests]
    answer = told.resend(wire_id, body)
    assert (answer.status, answer.json()) == (200, {"resent": 1})
    told.round()
    assert [asked.headers["webhook-id"] for asked in told.requests] == [*ids, ids[again - 1]]


@pytest.mark.parametrize("number", [0, -1, "1", 1.5, True, 2**40])
def test_a_number_that_is_none_is_refused(told: Told, number: object) -> None:
    wire_id, _ = told.created()
    answer = told.resend(wire_id, json.dumps({"number": number}).encode())
    assert (answer.status, answer.error["param"]) == (400, "number")


def test_a_change_that_is_not_there_cannot_be_told_again(told: Told) -> None:
    wire_id, _ = told.created()
    answer = told.resend(wire_id, b'{"number":7}')
    assert (answer.status, answer.error["param"]) == (404, "number")


def test_the_log_outlives_the_record(told: Told) -> None:
    wire_id, path = told.created()
    told.server.succeed(wire_id)
    told.round()
    assert told.server.call("DELETE", path).status == 200
    assert [each["status"] for each in told.log(wire_id)["data"]] == ["queued", "running", "succeeded"]


def test_nobody_sees_or_repeats_the_callbacks_of_another(told: Told) -> None:
    wire_id, _ = told.created()
    told.round()
    other = told.to_a_new_caller()
    answer = other.server.call("GET", f"/understudy/v1/tasks/{wire_id}/callbacks")
    assert (answer.status, answer.error["code"]) == (404, "NotFound.TaskId")
    assert other.resend(wire_id).status == 404
    told.round()
    assert len(told.requests) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "tasks/cgt-20261121120000-00000/callbacks"),
        ("POST", "tasks/cgt-20261121120000-00000/callbacks/resend"),
        ("GET", "callbacks/secret"),
    ],
)
def test_each_route_asks_for_a_key(told: Told, method: str, path: str) -> None:
    assert told.server.call(method, f"/understudy/v1/{path}", headers={"Authorization": ""}).status == 401


@pytest.mark.parametrize("dialect", WAYS)
@pytest.mark.parametrize(
    "url",
    ["http://10.1.2.3/told", "http://user:word@client.example/", "http://[::1]:8080/", "http://client.example:25/"],
)
def test_an_address_that_nothing_would_ever_be_sent_to_is_refused_when_the_task_is_created(
    told: Told, dialect: str, url: str
) -> None:
    path, body, key = WAYS[dialect]
    given = {"callback_url": url}
    answer = told.server.call("POST", path, json.dumps(body | ({key: given} if key else given)).encode())
    assert answer.status == 400, answer
    assert b"callback_url" in answer.body
    assert told.server.stored() == ()


def test_the_client_reads_and_repeats(told: Told) -> None:
    wire_id, _ = told.created()
    told.round()
    with Client(told.server.url, told.server.api_key) as client:
        callbacks = Callbacks(client)
        assert callbacks.list(wire_id) == told.log(wire_id)
        assert callbacks.resend(wire_id) == callbacks.resend(wire_id, 1) == {"resent": 1}
        assert callbacks.secret() == SERVER_KEYS.secret(told.server.owner)
        with pytest.raises(NotFound, match="not found"):
            callbacks.list("cgt-20261121120000-zzzzz")


def test_a_house_that_tells_nobody_says_so(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        answer = server.call("GET", "/understudy/v1/callbacks/secret")
    assert (answer.status, answer.error["message"][:31]) == (503, "This server sends no callbacks.")
