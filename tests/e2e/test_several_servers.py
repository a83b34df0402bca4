"""Servers and workers over one PostgreSQL database: whichever is asked answers, and all can be restarted in turn.

The servers accept and answer and render nothing, the workers render. A restart is what an orchestrator does: SIGTERM,
and another process in its place.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.full

TASKS = "/api/v3/contents/generations/tasks"
MODEL = "doubao-seedance-2-0-260128"
SECRET = "a secret that all servers of this test share"
PATIENCE_S = 60


@dataclass
class Fleet:
    """Processes of one installation. journal: a line of the scripted engine for each render's start and end."""

    url: str
    folder: Path
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def journal(self) -> Path:
        return self.folder / "journal"

    def start(self, command: str, *flags: str, **settings: str) -> tuple[subprocess.Popen[str], dict[str, Any]]:
        """Start a process and wait until it is ready."""
        environ = {
            "UNDERSTUDY_DATABASE": self.url,
            "UNDERSTUDY_BLOBS": f"file://{self.folder / 'blobs'}",
            "UNDERSTUDY_SECRET": SECRET,
            "UNDERSTUDY_ENGINE": "understudy.testing.scripted:OFFER",
            "UNDERSTUDY_LEASE_S": "3",
            "UNDERSTUDY_DRAIN_S": "30",
            "UNDERSTUDY_FETCH_NETWORKS": "127.0.0.1",
            "UNDERSTUDY_CALLBACK_NETWORKS": "127.0.0.1",
            **{f"UNDERSTUDY_{name.upper()}": value for name, value in settings.items()},
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "understudy", command, "--json", *flags],
            stdout=subprocess.PIPE,
            stderr=(self.folder / "log").open("a"),
            text=True,
            env=os.environ | environ,
        )
        self.processes.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, (self.folder / "log").read_text()
        return process, json.loads(line)

    def server(self, name: str) -> "Server":
        process, told = self.start("serve", "--port", "0", "--slots", "0", "--data-dir", str(self.folder / name))
        return Server(process, int(told["url"].rpartition(":")[2]), told["api_key"])

    def worker(self, **settings: str) -> subprocess.Popen[str]:
        return self.start("worker", **settings)[0]

    def renders(self) -> Counter[str]:
        """Return how often each task's render was begun."""
        lines = self.journal.read_text().splitlines() if self.journal.exists() else []
        return Counter(line.split()[1].rpartition("-")[0] for line in lines if line.startswith("start"))


@dataclass
class Server:
    """One of the servers, and its key, which is the same everywhere."""

    process: subprocess.Popen[str]
    port: int
    api_key: str

    def call(self, method: str, path: str, body: dict[str, Any] | None = None, **headers: str) -> Any:
        """Send one request and return the parsed answer; a connection that is refused is the caller's to see."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            sent = {"Authorization": f"Bearer {self.api_key}", "Content-Type": "application/json", **headers}
            connection.request(method, path, None if body is None else json.dumps(body).encode(), sent)
            answer = connection.getresponse()
            text = answer.read()
            assert answer.status == 200, (answer.status, text)
            return json.loads(text)
        finally:
            connection.close()

    def create(self, words: str, **fields: Any) -> str:
        content = [{"type": "text", "text": words}]
        return str(self.call("POST", TASKS, {"model": MODEL, "content": content, **fields})["id"])

    def stop(self) -> None:
        end(self.process)


def end(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE_S) == 0


@contextmanager
def fleet_over(url: str, folder: Path) -> Iterator[Fleet]:
    fleet = Fleet(url, folder)
    try:
        yield fleet
    finally:
        for process in fleet.processes:
            process.kill()
            process.communicate()


@pytest.fixture
def fleet(postgres_url: str, tmp_path: Path) -> Iterator[Fleet]:
    with fleet_over(postgres_url, tmp_path) as started:
        yield started


def events_of(server: Server, task_id: str) -> list[str]:
    """Return the statuses that a stream of events tells, to its end."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_S)
    connection.request("GET", f"{TASKS}/{task_id}/events", headers={"Authorization": f"Bearer {server.api_key}"})
    lines = connection.getresponse().read().decode().splitlines()
    connection.close()
    told = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: {")]
    return [each["status"] for each in told if "status" in each]


def test_whichever_server_is_asked_answers_for_all(fleet: Fleet, tmp_path: Path):
    first, second = fleet.server("a"), fleet.server("b")
    assert first.api_key == second.api_key
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    task_id = first.create(f"gate:{gate} journal:{fleet.journal}")
    assert second.call("GET", f"{TASKS}/{task_id}")["status"] == "queued"
    assert [item["id"] for item in second.call("GET", TASKS)["items"]] == [task_id]
    with ThreadPoolExecutor(3) as pool:
        waiting = pool.submit(second.call, "GET", f"{TASKS}/{task_id}?wait=30")
        streams = [pool.submit(events_of, server, task_id) for server in (first, second)]
        fleet.worker()
        assert waiting.result()["status"] == "running"
        with gate.open("wb"):
            pass
        for stream in streams:
            statuses = stream.result()
            assert statuses[0] in ("queued", "running")
            assert statuses[-1] == "succeeded"
    film = second.call("GET", f"{TASKS}/{task_id}")["content"]["video_url"]
    connection = HTTPConnection("127.0.0.1", first.port, timeout=PATIENCE_S)
    # Signed by the second, sent by the first.
    connection.request("GET", film[film.index("/files/") :])
    assert connection.getresponse().status == 200
    connection.close()


def test_one_idempotency_key_at_two_servers_is_one_task(fleet: Fleet):
    servers = (fleet.server("a"), fleet.server("b"))
    body = {"model": MODEL, "content": [{"type": "text", "text": "frames:1"}]}
    with ThreadPoolExecutor(8) as pool:
        posts = [pool.submit(servers[n % 2].call, "POST", TASKS, body, **{"Idempotency-Key": "one"}) for n in range(16)]
        assert len({post.result()["id"] for post in posts}) == 1
    assert servers[0].call("GET", TASKS)["total"] == 1


def test_a_rolling_restart_fails_no_request_and_renders_nothing_twice(fleet: Fleet):
    servers = [fleet.server("a"), fleet.server("b")]
    workers = [fleet.worker(slots="2"), fleet.worker(slots="2")]
    created: list[str] = []
    failures: list[Exception] = []
    is_over = threading.Event()

    def load() -> None:
        """Create and poll as through a load balancer: what one server no longer takes the next one does."""
        while not is_over.is_set():
            for server in tuple(servers):
                try:
                    created.append(server.create(f"frames:3 frame_s:0.2 journal:{fleet.journal}"))
                    server.call("GET", f"{TASKS}/{created[-1]}")
                except ConnectionRefusedError:
                    continue
                except Exception as error:
                    failures.append(error)
            time.sleep(0.05)

    loading = threading.Thread(target=load)
    loading.start()
    try:
        for name, old in (("c", servers[0]), ("d", servers[1])):
            servers.append(fleet.server(name))
            servers.remove(old)
            old.stop()
        for number in range(2):
            workers.append(fleet.worker(slots="2"))
            end(workers[number])
    finally:
        is_over.set()
        loading.join(PATIENCE_S)
    assert not failures
    assert len(created) > 10
    for task_id in created:
        task = servers[0].call("GET", f"{TASKS}/{task_id}?wait=30")
        while task["status"] in ("queued", "running"):
            task = servers[0].call("GET", f"{TASKS}/{task_id}?wait=30")
        assert task["status"] == "succeeded"
    renders = fleet.renders()
    assert set(renders) == {task_id.removeprefix("cgt-") for task_id in created}
    assert set(renders.values()) == {1}


def test_what_a_killed_worker_had_is_rendered_by_another(fleet: Fleet, tmp_path: Path):
    server, gate = fleet.server("a"), tmp_path / "gate"
    os.mkfifo(gate)
    doomed = fleet.worker()
    task_id = server.create(f"gate:{gate} journal:{fleet.journal}")
    ends_at_s = time.monotonic() + PATIENCE_S
    while not fleet.renders():
        assert time.monotonic() < ends_at_s
        time.sleep(0.1)
    doomed.kill()
    doomed.wait(PATIENCE_S)
    fleet.worker()
    with gate.open("wb"):
        pass
    assert "succeeded" in events_of(server, task_id)
    assert fleet.renders() == {task_id.removeprefix("cgt-"): 2}


def test_a_task_that_is_cancelled_at_a_server_is_no_longer_rendered_by_its_worker(fleet: Fleet, tmp_path: Path):
    server, gate, alive = fleet.server("a"), tmp_path / "gate", tmp_path / "alive"
    os.mkfifo(gate)
    os.mkfifo(alive)
    fleet.worker()
    task_id = server.create(f"gate:{gate} alive:{alive} journal:{fleet.journal}")
    with alive.open("rb") as lifesign:
        told = server.call("POST", f"/understudy/v1/tasks/{task_id}/cancel")
        # The end of file is the death of the render, whose gate nobody opens.
        assert lifesign.read() == b""
    assert told["was"] == "running"
    assert server.call("GET", f"{TASKS}/{task_id}")["status"] == "cancelled"
    assert events_of(server, server.create(f"frames:1 journal:{fleet.journal}"))[-1] == "succeeded"


def test_tasks_of_another_engine_wait_for_a_worker_that_has_it(fleet: Fleet):
    server = fleet.server("a")
    fleet.worker(engine="previz")
    task_id = server.create("frames:1")
    assert server.call("GET", f"{TASKS}/{task_id}?wait=2")["status"] == "queued"
    fleet.worker()
    assert events_of(server, task_id)[-1] == "succeeded"


def test_one_server_has_the_duty_to_expire_and_another_takes_it_over(fleet: Fleet, postgres):
    first, second = fleet.server("a"), fleet.server("b")
    database = fleet.url.partition("?")[0].rpartition("/")[2]

    def holder() -> str:
        rows = postgres.sql("SELECT worker FROM duty WHERE name = 'reaper'", database)
        return str(rows[0][0]) if rows else ""

    def of(server: Server) -> str:
        return f"-{server.process.pid}-"

    while not holder():
        time.sleep(0.1)
    leader, other = (first, second) if of(first) in holder() else (second, first)
    assert of(leader) in holder()
    leader.process.kill()
    ends_at_s = time.monotonic() + PATIENCE_S
    while of(other) not in holder():
        assert time.monotonic() < ends_at_s
        time.sleep(0.2)
