"""Archiving from outside: what both clients and the command ask a server that answers as it is told to."""

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from typer.testing import CliRunner

from understudy import AsyncClient, Client
from understudy.cli import app
from understudy.core.errors import NotFound

GONE = b'{"error":{"code":"NotFound.TaskId","message":"The specified task `cgt-gone` is not found."}}'


class Desk:
    """A server that archives everything but one task, and is away for the first calls where a test says so."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str | None]] = []
        self.away = 0
        desk = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                desk.asked.append((self.command, self.path, self.headers.get("Authorization")))
                desk.away -= 1
                status, body = (404, GONE) if "cgt-gone" in self.path else (200, b"{}")
                if desk.away >= 0:
                    status, body = 503, b"{}"
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_DELETE = answer  # noqa: N815 - the names that the library looks for

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.close()


def run(desk: Desk, *words: str):
    return CliRunner().invoke(app, ["archive", *words, "--base-url", desk.url, "--api-key", "sk-1"])


def test_archiving_and_its_undoing_are_one_call_each(desk: Desk) -> None:
    with Client(desk.url, "sk-1") as client:
        client.archive("cgt-1")
        client.unarchive("cgt-1")
    assert desk.asked == [(verb, "/v1/tasks/cgt-1/archive", "Bearer sk-1") for verb in ("POST", "DELETE")]


def test_the_asynchronous_client_asks_the_same(desk: Desk) -> None:
    async def archive() -> None:
        async with AsyncClient(desk.url, "sk-1") as client:
            await client.archive("cgt-1")
            await client.unarchive("cgt-1")

    asyncio.run(archive())
    assert [verb for verb, _, _ in desk.asked] == ["POST", "DELETE"]


def test_an_id_cannot_lead_to_another_path(desk: Desk) -> None:
    with Client(desk.url, "sk-1") as client:
        client.archive("../a/b?c")
    assert desk.asked[0][1] == "/v1/tasks/..%2Fa%2Fb%3Fc/archive"


def test_a_server_that_is_away_for_a_moment_is_asked_again(desk: Desk) -> None:
    desk.away = 1
    with Client(desk.url, "sk-1") as client:
        client.archive("cgt-1")
    assert len(desk.asked) == 2


def test_a_task_that_is_not_there_is_told(desk: Desk) -> None:
    with Client(desk.url, "sk-1") as client, pytest.raises(NotFound, match="cgt-gone"):
        client.archive("cgt-gone")


def test_the_command_archives_each_task_it_was_given_once(desk: Desk) -> None:
    done = run(desk, "cgt-1", "cgt-2", "cgt-1")
    assert done.exit_code == 0
    assert done.stdout.splitlines() == ["cgt-1 is archived.", "cgt-2 is archived."]
    assert [(verb, path.split("/")[3]) for verb, path, _ in desk.asked] == [("POST", "cgt-1"), ("POST", "cgt-2")]


def test_the_command_takes_tasks_out_of_the_archive(desk: Desk) -> None:
    done = run(desk, "--undo", "cgt-1")
    assert (done.exit_code, [verb for verb, _, _ in desk.asked]) == (0, ["DELETE"])
    assert "no longer" in done.stdout


def test_one_task_that_is_gone_does_not_keep_the_others_from_the_archive(desk: Desk) -> None:
    done = run(desk, "cgt-gone", "cgt-2")
    assert done.exit_code == 1
    assert done.stdout == "cgt-2 is archived.\n"
    assert "cgt-gone" in done.stderr
