"""`understudy callbacks`: the log, resending and the secret of a server, and the receiver for developers."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from media_host import MediaHost, media_host, raw, status
from running_server import RunningServer, running_server
from telling import SERVER_KEYS, with_callbacks
from understudy.cli import app
from understudy.dialects.webhook_signature import Signed
from understudy.net.http import HttpClient
from understudy.service.callbacks import CallbackSender

KEY = SERVER_KEYS.key("somebody")
SECRET = SERVER_KEYS.secret("somebody")
BODY = '{"id":"cgt-1","status":"succeeded","text":"是"}'.encode()
TIMEOUT_S = 60


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningServer, MediaHost, str]]:
    """A server, a target that takes the first change of a task and refuses the second, and the task."""
    senders: list[tuple[CallbackSender, HttpClient]] = []
    with (
        media_host() as host,
        running_server(tmp_path_factory.mktemp("told"), changes=lambda house: with_callbacks(house, senders)) as server,
    ):
        ((sender, client),) = senders
        url = host.on("/told", status(204), status(500))
        content = [{"type": "text", "text": "A fox"}]
        asked = {"model": "doubao-seedance-2-0-260128", "content": content, "callback_url": url}
        answer = server.call("POST", "/api/v3/contents/generations/tasks", json.dumps(asked).encode())
        wire_id = answer.json()["id"]
        server.do(sender.round())
        server.run_task(wire_id)
        server.do(sender.round())
        yield server, host, wire_id
        server.do(sender.close())
        server.do(client.close())


def run(server: RunningServer, *words: str) -> Result:
    return CliRunner().invoke(app, ["callbacks", *words, "--base-url", server.url, "--api-key", server.api_key])


def test_the_log_of_a_task_is_printed_a_change_to_a_line(told: tuple[RunningServer, MediaHost, str]) -> None:
    server, _, wire_id = told
    done = run(server, "list", wire_id)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert [row[:4] for row in rows] == [["1", "queued", "delivered", "1"], ["2", "running", "pending", "1"]]
    assert [row[6] for row in rows] == ["-", "The answer was HTTP 500."]
    assert rows[0][5] == "-" != rows[1][5]


def test_the_servers_own_objects_are_printed_where_they_are_wanted(told: tuple[RunningServer, MediaHost, str]) -> None:
    server, _, wire_id = told
    lines = run(server, "list", wire_id, "--json").stdout.splitlines()
    shown = server.call("GET", f"/understudy/v1/tasks/{wire_id}/callbacks").json()["data"]
    assert [json.loads(line) for line in lines] == shown


@pytest.mark.parametrize(
    ("flags", "said"), [((), "The latest change of"), (("--number", "1"), "Change 1 of")], ids=["latest", "first"]
)
def test_a_change_is_told_again(told: tuple[RunningServer, MediaHost, str], flags: tuple[str, ...], said: str) -> None:
    server, _, wire_id = told
    done = run(server, "resend", wire_id, *flags)
    assert (done.exit_code, done.stdout) == (0, f"{said} {wire_id} is told again.\n")


def test_the_secret_is_printed_and_nothing_else(told: tuple[RunningServer, MediaHost, str]) -> None:
    server, _, _ = told
    assert run(server, "secret").stdout == f"{SERVER_KEYS.secret(server.owner)}\n"


@pytest.mark.parametrize("command", ["list", "resend"])
def test_a_task_that_is_not_there_is_told_in_a_sentence(
    told: tuple[RunningServer, MediaHost, str], command: str
) -> None:
    done = run(told[0], command, "cgt-20261121120000-zzzzz")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "is not found." in done.stderr
    assert "[NotFound.TaskId]" in done.stderr


@contextmanager
def listening(*flags: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Run the receiver; give it and its address."""
    command = [sys.executable, "-m", "understudy", "callbacks", "listen", *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            yield process, process.stderr.readline().split()[1]
        finally:
            process.kill()


def post(url: str, body: bytes = BODY, **changes: str) -> int:
    """Post a callback as the server does; return the answer's status."""
    signed = Signed(id="20261121120000-00001-3", epoch_s=int(time.time()), body=BODY).headers(KEY)
    request = urllib.request.Request(url, body, {"Content-Type": "application/json", **signed, **changes})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def told_by(process: "subprocess.Popen[str]") -> list[dict[str, Any]]:
    """Wait until the receiver has ended by itself; return what it printed."""
    printed, _ = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 0
    return [json.loads(line) for line in printed.splitlines()]


def test_the_receiver_prints_what_comes_and_says_whether_it_is_genuine() -> None:
    with listening("--secret", SECRET, "--count", "3") as (process, url):
        assert [post(url), post(url, BODY + b" "), post(url, **{"webhook-id": "another"})] == [200, 401, 401]
        first, second, third = told_by(process)
    assert (first["genuine"], first["answered"], first["id"]) == (True, 200, "20261121120000-00001-3")
    assert first["body"] == json.loads(BODY)
    assert (second["genuine"], third["genuine"]) == (False, False)
    assert "the secret is wrong, or the body was changed" in second["fault"]


def test_the_receiver_checks_nothing_without_a_secret_and_answers_as_it_is_told() -> None:
    with listening("--answer", "503", "--count", "2") as (process, url):
        assert [post(url), post(url, b"no JSON")] == [503, 503]
        first, second = told_by(process)
    assert (first["genuine"], second["body"]) == (None, "no JSON")


def test_what_is_received_is_passed_on_and_its_answer_comes_back() -> None:
    with media_host() as host:
        onward = host.on("/films", status(202), status(500))
        with listening("--forward-to", onward, "--secret", SECRET, "--count", "3") as (process, url):
            assert [post(url), post(url), post(url, BODY + b" ")] == [202, 500, 401]
            assert [each["answered"] for each in told_by(process)] == [202, 500, 401]
        assert [asked.body for asked in host.requests] == [BODY, BODY]
        assert host.requests[0].headers["webhook-id"] == "20261121120000-00001-3"
        assert host.requests[0].headers["content-type"] == "application/json"


def test_an_application_that_is_not_there_is_told() -> None:
    with media_host() as host:
        gone = host.on("/films", status(200))
    with listening("--forward-to", gone, "--count", "1") as (process, url):
        assert post(url) == 502
        (only,) = told_by(process)
    assert "could not be passed on" in only["fault"]


def test_an_application_that_answers_nonsense_is_told() -> None:
    with media_host() as host:
        nonsense = host.on("/films", raw(b"nonsense\r\n\r\n"))
        with listening("--forward-to", nonsense, "--count", "1") as (process, url):
            assert post(url) == 502
            told_by(process)


@pytest.mark.parametrize(
    "flags", [("--secret", "my word!"), ("--forward-to", "127.0.0.1:3000"), ("--forward-to", "ftp://x/")]
)
def test_flags_that_cannot_be_meant_are_refused(flags: tuple[str, ...]) -> None:
    done = CliRunner().invoke(app, ["callbacks", "listen", *flags])
    assert done.exit_code == 2
    assert done.stderr


def test_the_checking_that_the_guide_shows_works(tmp_path: Path) -> None:
    guide = (Path(__file__).parents[2] / "docs/guides/callbacks.md").read_text(encoding="utf-8")
    code = guide.partition("```python\n")[2].partition("```")[0]
    names: dict[str, Any] = {}
    exec(code, names)
    signed = dict(Signed(id="x-1", epoch_s=int(time.time()), body=BODY).headers(KEY))
    assert names["is_genuine"](SECRET, signed, BODY)
    assert not names["is_genuine"](SECRET, signed, BODY + b" ")
    old = dict(Signed(id="x-1", epoch_s=int(time.time()) - 301, body=BODY).headers(KEY))
    assert not names["is_genuine"](SECRET, old, BODY)
