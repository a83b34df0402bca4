"""kill -9 of the server and of its render processes in mid-render: every accepted task is finished exactly once."""

import asyncio
import json
import os
import random
import select
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from crash_promises import ALL, Journal, Record, broken_promises, record_of
from understudy import Client
from understudy.core.task import Status
from understudy.dialects.ark import ARK
from understudy.media.probe import probe_film
from understudy.storage.blobs import LocalBlobStore
from understudy.storage.sqlite import SqliteTaskStore

PATIENCE_S = 120.0
LOOK_S = 0.05
OWNER = "default"
MODEL = "doubao-seedance-2-0-fast-260128"
SCRIPTED = "understudy.testing.scripted:OFFER"


@dataclass
class Victim:
    """A server process that can be killed and started again on the same data, with all its descendants in sight."""

    data_dir: Path
    engine: str
    program: tuple[str, ...] = ("-m", "understudy")
    settings: dict[str, str] = field(default_factory=dict)
    mark: str = field(default_factory=lambda: f"UNDERSTUDY_TEST_MARK={uuid.uuid4().hex}")
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> Client:
        """Start the server and return a client of it."""
        name, _, value = self.mark.partition("=")
        flags = ("--json", "--port", "0", "--data-dir", str(self.data_dir), "--engine", self.engine)
        self.process = subprocess.Popen(
            (sys.executable, *self.program, "serve", *flags),
            stdout=subprocess.PIPE,
            env=os.environ | self.settings | {name: value},
        )
        assert self.process.stdout is not None
        told = json.loads(self.process.stdout.readline())
        return Client(told["url"], told["api_key"])

    def kill(self) -> list[int]:
        """Kill the server as a power cut would; return the descendants that then outlive it. Empty is good."""
        descendants = [pid for pid in self.pids() if self.process and pid != self.process.pid]
        self.end(signal.SIGKILL)
        return [pid for pid in descendants if not is_gone(pid)]

    def end(self, number: int) -> None:
        """End the server by a signal and wait until it is gone."""
        assert self.process is not None
        assert self.process.stdout is not None
        self.process.send_signal(number)
        self.process.wait(PATIENCE_S)
        self.process.stdout.close()

    def pids(self) -> list[int]:
        """Return the living processes that were started with our mark, directly or by inheritance."""
        return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and self._is_ours(entry)]

    def _is_ours(self, entry: Path) -> bool:
        try:
            return self.mark.encode() in (entry / "environ").read_bytes().split(b"\0")
        except OSError:
            return False


def is_gone(pid: int) -> bool:
    """Wait until a process that is no child of ours has ended; False when it lives on."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    gone = select.select([descriptor], [], [], PATIENCE_S)[0]
    os.close(descriptor)
    return bool(gone)


@contextmanager
def victim(tmp_path: Path, engine: str = SCRIPTED, **settings: str) -> Iterator[Victim]:
    environment = {f"UNDERSTUDY_{name.upper()}": text for name, text in settings.items()}
    server = Victim(tmp_path / "data", engine, settings=environment)
    try:
        yield server
    finally:
        if server.process is not None and server.process.poll() is None:
            server.kill()


async def records_of(data_dir: Path, wire_ids: list[str]) -> list[Record]:
    """Read what became of the tasks from a data directory that no server has open."""
    store, blobs = SqliteTaskStore(data_dir / "understudy.db"), LocalBlobStore(data_dir / "blobs")
    try:
        found = [
            await record_of(store, blobs, owner=OWNER, task_id=ARK.task_id(wire_id) or wire_id) for wire_id in wire_ids
        ]
    finally:
        await store.close()
    assert None not in found, "an accepted task is gone"
    return [record for record in found if record is not None]


def campaign(server: Victim, journal: Journal, *, rounds: int, chance: random.Random) -> tuple[list[str], int]:
    """Submit tasks and kill, round after round, at random moments of a render; return the accepted tasks and kills."""
    accepted: list[str] = []
    kills = 0
    client = server.start()
    for number in range(rounds):
        accepted += [
            client.create(f"fox {number} frames:10 frame_s:0.02 {journal.word}", model=MODEL).id for _ in range(3)
        ]
        while not journal.rendering():
            assert journal.listen(PATIENCE_S), "nothing is rendered"
        journal.listen(chance.uniform(0, 0.2))
        assert list(broken_promises((), journal.events, kills=kills)) == []
        kills += 1
        way = chance.choice(("server", "server", "renderer", "stop"))
        if way == "renderer":
            for pid in list(journal.rendering().values())[:1]:
                journal.died(pid)
                os.kill(int(pid), signal.SIGKILL)
            continue
        client.close()
        if way == "stop":
            server.end(signal.SIGTERM)
        else:
            assert server.kill() == [], "a render process outlived its server"
        journal.died(ALL)
        client = server.start()
    for task in accepted:
        assert client.wait(task, timeout_s=PATIENCE_S).status is Status.SUCCEEDED
    client.close()
    server.end(signal.SIGTERM)
    journal.listen(0)
    return accepted, kills


@pytest.mark.parametrize(
    "rounds", [6, pytest.param(16, marks=pytest.mark.full), pytest.param(60, marks=pytest.mark.long)]
)
async def test_every_task_is_finished_exactly_once_whatever_is_killed(tmp_path: Path, rounds: int):
    journal = Journal(tmp_path / "journal")
    with victim(tmp_path, slots="2", attempts_max="1000", drain_s="0") as server:
        accepted, kills = await asyncio.to_thread(
            campaign, server, journal, rounds=rounds, chance=random.Random(rounds)
        )
        assert server.pids() == []
    records = await records_of(server.data_dir, accepted)
    assert len(records) == 3 * rounds
    assert list(broken_promises(records, journal.events, kills=kills)) == []
    assert sum(record.task.attempt for record in records) > len(records), "no kill hit a render"
    journal.close()


FORGETFUL = """
from understudy.cli import main
from understudy.service.dispatch import Dispatcher
from understudy.storage.sqlite import SqliteTaskStore

claim, heartbeat = SqliteTaskStore.claim, SqliteTaskStore.heartbeat

async def claim_without_lease(self, worker, now, lease_until, **more):
    return await claim(self, worker, now, more["lease_now"], **more)

async def heartbeat_without_lease(self, claim, progress, lease_until):
    return await heartbeat(self, claim, progress, claim.task.created_at)

SqliteTaskStore.claim, SqliteTaskStore.heartbeat = claim_without_lease, heartbeat_without_lease
# A process that has a task already knows better, and stops the older attempt.
Dispatcher.lost = lambda self, task_ids: None
main()
"""


async def test_the_campaign_notices_a_server_that_claims_a_task_twice(tmp_path: Path):
    journal = Journal(tmp_path / "journal")
    with victim(tmp_path, slots="2", attempts_max="1000", drain_s="0", poll_interval_s="0.01") as server:
        server.program = ("-c", FORGETFUL)
        with pytest.raises(AssertionError, match="began while"):
            await asyncio.to_thread(campaign, server, journal, rounds=5, chance=random.Random(1))
    journal.close()


def until_under_way(client: Client, task_id: str) -> None:
    """Look often, so that even a short render is met in its middle."""
    give_up_at_s = time.monotonic() + PATIENCE_S
    while not client.get(task_id).progress:
        assert time.monotonic() < give_up_at_s, "the render does not advance"
        threading.Event().wait(LOOK_S)


@pytest.mark.full
def test_a_film_of_previz_survives_the_death_of_its_server_and_of_its_renderer(tmp_path: Path):
    with victim(tmp_path, "previz", drain_s="0") as server:
        client = server.start()
        task = client.create("A red fox runs through the snow.", model=MODEL, resolution="480p", duration_s=6)
        until_under_way(client, task.id)
        client.close()
        assert server.kill() == []
        client = server.start()
        until_under_way(client, task.id)
        for pid in server.pids():
            if server.process is not None and pid != server.process.pid:
                os.kill(pid, signal.SIGKILL)
        ended = client.wait(task.id, timeout_s=PATIENCE_S)
        assert ended.status is Status.SUCCEEDED
        film = probe_film(client.download(task.id, tmp_path / "film.mp4"))
        assert (film.num_frames, film.has_sound) == (144, True)
        client.close()
        server.end(signal.SIGTERM)
    (record,) = asyncio.run(records_of(server.data_dir, [task.id]))
    assert list(broken_promises([record], [], kills=2)) == []
    assert record.task.attempt == 3
