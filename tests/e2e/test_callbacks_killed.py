"""`understudy serve` tells a local target of real tasks, also when it is killed between a post and its record."""

import json
import os
import subprocess
import threading
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from media_host import Asked, Connection, MediaHost, media_host, status
from serve_process import ready, serving
from understudy import Client
from understudy.client.callbacks import Callbacks

pytestmark = pytest.mark.full

PATIENCE_S = 60.0
FLAGS = ("--json", "--engine", "understudy.testing.scripted:OFFER")
OK = status(204)


class Target:
    """A target that can be told to end a server in place of its first answer; ``ended`` is set once that has come."""

    def __init__(self, host: MediaHost) -> None:
        self.server: subprocess.Popen[str] | None = None
        self.came = threading.Semaphore(0)
        self.host = host
        self.url = host.on("/told", self._reply)

    def _reply(self, asked: Asked, connection: Connection) -> None:
        server, self.server = self.server, None
        if server is None:
            OK(asked, connection)
        else:
            server.kill()
            server.wait(PATIENCE_S)
        self.came.release()

    def wait(self) -> None:
        """Wait for one more callback."""
        assert self.came.acquire(timeout=PATIENCE_S), "no callback came"


@pytest.fixture(autouse=True)
def _this_machine_may_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "UNDERSTUDY_CALLBACK_NETWORKS", "127.0.0.1")


def statuses(host: MediaHost) -> list[str]:
    return [json.loads(asked.body)["status"] for asked in host.requests]


@pytest.fixture(params=["sqlite", "postgresql"])
def places(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The data directories of two servers, one after the other: the same, or two over one database."""
    if request.param == "sqlite":
        return tmp_path, tmp_path
    settings = {
        "DATABASE": request.getfixturevalue("postgres_url"),
        "SECRET": "a secret that both servers have in common",
        "FIRST_API_KEY": "sk-that-both-servers-have-in-common",
        "BLOBS": (tmp_path / "blobs").as_uri(),
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"UNDERSTUDY_{name}", value)
    return tmp_path / "first", tmp_path / "second"


def test_what_was_posted_by_a_server_that_is_killed_is_posted_again_under_the_same_id(
    places: tuple[Path, Path],
) -> None:
    with media_host() as host:
        target = Target(host)
        with serving(places[0], *FLAGS) as first:
            told = ready(first)
            target.server = first
            with Client(told["url"], told["api_key"]) as client:
                client.create("fox frames:4", callback_url=target.url)
            target.wait()
            first.wait(PATIENCE_S)
        with serving(places[1], *FLAGS) as second:
            told = ready(second)
            # The task can return to the queue once, which is told as well.
            while "succeeded" not in statuses(host):
                target.wait()
            with Client(told["url"], told["api_key"]) as client:
                (task,) = client.list().tasks
                log = Callbacks(client).list(task.id)["data"]
                secret = Callbacks(client).secret()
    assert statuses(host)[:2] == ["queued", "queued"]
    assert list(dict.fromkeys(statuses(host))) == ["queued", "running", "succeeded"]
    ids = [asked.headers["webhook-id"] for asked in host.requests]
    assert ids[0] == ids[1]
    assert len(set(ids)) == len(ids) - 1
    assert log[0]["state"] == "delivered"
    assert log[0]["tried"] == 2
    for asked in host.requests:
        Webhook(secret).verify(asked.body, dict(asked.headers))


def test_a_server_that_is_asked_to_stop_waits_for_its_targets_answer(tmp_path: Path) -> None:
    stopping = threading.Event()
    with media_host() as host, serving(tmp_path, *FLAGS) as server:

        def reply(asked: Asked, connection: Connection) -> None:
            server.terminate()
            stopping.set()
            OK(asked, connection)

        url = host.on("/told", reply, OK)
        told = ready(server)
        with Client(told["url"], told["api_key"]) as client:
            client.create("fox frames:4", callback_url=url)
        assert stopping.wait(PATIENCE_S)
        assert server.wait(PATIENCE_S) == 0
        first = host.requests[0].headers["webhook-id"]
        with serving(tmp_path, *FLAGS) as again:
            told = ready(again)
            with Client(told["url"], told["api_key"]) as client:
                (task,) = client.list().tasks
                client.wait(task.id, timeout_s=PATIENCE_S)
                log = Callbacks(client).list(task.id)["data"]
    assert (log[0]["id"], log[0]["state"], log[0]["tried"]) == (first, "delivered", 1)


def test_a_private_target_is_refused_by_a_server_that_was_not_allowed_to_contact_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("UNDERSTUDY_CALLBACK_NETWORKS")
    with media_host() as host, serving(tmp_path, *FLAGS) as server:
        told = ready(server)
        with (
            Client(told["url"], told["api_key"]) as client,
            pytest.raises(Exception, match=r"callback_url.*loopback; the setting callback_networks can allow it"),
        ):
            client.create("fox", callback_url=f"{host.url}/told")
        assert host.contacts == 0
