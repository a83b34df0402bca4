"""A real server on a free loopback port, in a thread of the test process, whose tasks do what the test says.

The HTTP stack, the use cases and the store are the product's own. Only what renders is missing: a test moves a task
on with `RunningServer.run_task`, `succeed`, `fail` and `expire`, through the same store methods that the dispatcher
and the reaper call, so every status can be met at will and nothing is timed.
"""

import asyncio
import json
import logging
import socket
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import uvloop

from manual_clock import START, ManualClock, TestRandomness
from understudy.catalog.load import load_catalogue
from understudy.core.ports import ApiKey, EngineOffer, Outcome, TaskStore
from understudy.core.task import Claim, EntryKind, Film, LedgerEntry, Status, Task, TaskError, TaskFilter
from understudy.dialects.ark import ARK
from understudy.dialects.registry import CODECS
from understudy.engines.previz import OFFER
from understudy.media.film_stills import FilmStills
from understudy.server.auth import KeyRing, key_digest
from understudy.server.house import House, Limits
from understudy.server.links import LinkSigner
from understudy.server.listen import http_server
from understudy.server.request_ids import RequestIds
from understudy.service.assets import AssetLibrary
from understudy.service.changes import Changes
from understudy.service.drafts import Drafts
from understudy.service.examine import Examiner
from understudy.service.judge import Judge
from understudy.service.query import Queries
from understudy.service.quote import Quoter
from understudy.service.retention import Retention
from understudy.service.submit import Submitter
from understudy.service.uploads import Uploads
from understudy.storage.blobs import LocalBlobStore
from understudy.storage.memory import MemoryTaskStore
from understudy.storage.memory_assets import MemoryAssetStore

T = TypeVar("T")

SECRET = b"a secret of the tests"
UPLOAD_BYTES_MAX = 1 << 20
_CALLERS = count(1)
LEASE = timedelta(seconds=30)
VIDEO = bytes(range(256)) * 4096
LAST_FRAME = b"\x89PNG\r\n\x1a\n" + bytes(1000)


@dataclass(frozen=True)
class Answer:
    """An HTTP answer. headers: lower-case names."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, str]:
        """Return the error, having checked that it is in Ark's envelope and carries the answer's request id."""
        assert self.headers["content-type"] == "application/json; charset=utf-8", self
        envelope = self.json()
        assert envelope.keys() == {"error"}, envelope
        error: dict[str, str] = envelope["error"]
        assert error.keys() == {"code", "message", "param", "type"}, error
        assert error["message"].endswith(f" Request id: {self.headers['x-request-id']}"), error
        return error


class _Requests(logging.Handler):
    """Keeps the access log's records, so that a test can count what reached the server."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, str, int]] = []

    def emit(self, record: logging.LogRecord) -> None:
        fields: Any = record
        self.seen.append((fields.method, fields.path, fields.status))


@dataclass
class RunningServer:
    """The server as one of its callers sees it.

    url: without a path. requests: (method, path, status) of all that was answered, to any caller.
    """

    url: str
    port: int
    store: TaskStore
    blobs_dir: Path
    clock: ManualClock
    loop: asyncio.AbstractEventLoop
    blobs: LocalBlobStore
    house: House
    requests: list[tuple[str, str, int]]
    api_key: str = ""
    owner: str = ""

    def to_a_new_caller(self) -> "RunningServer":
        """Return the same server as seen by somebody new, who has a key of his own and no tasks."""
        number = next(_CALLERS)
        key, owner = f"sk-test-{number}", f"owner-{number}"
        digest = key_digest(SECRET, key.encode())
        self.house.keys.add(ApiKey(id=owner, owner=owner, digest=digest, created_at=START))
        return replace(self, api_key=key, owner=owner)

    def call(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str | bytes] = MappingProxyType({}),
    ) -> Answer:
        """Send one request on a connection of its own, with the caller's key. A header set to "" is left out."""
        sent = {"Authorization": f"Bearer {self.api_key}", **headers}
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, {name: value for name, value in sent.items() if value != ""})
            response = connection.getresponse()
            received = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, received, response.read())
        finally:
            connection.close()

    def say(self, sent: bytes) -> bytes:
        """Send raw bytes, on a connection of their own, and return all that comes until the server closes it."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            connection.sendall(sent)
            received = b""
            while part := connection.recv(65536):
                received += part
            return received

    @property
    def ark_url(self) -> str:
        """The base URL that an Ark client is given."""
        return f"{self.url}/api/v3"

    def do(self, work: Awaitable[T]) -> T:
        """Await something on the server's own loop."""

        async def waited() -> T:
            return await work

        return asyncio.run_coroutine_threadsafe(waited(), self.loop).result(timeout=30)

    def task(self, wire_id: str) -> Task:
        """Return a task of the caller's as it is stored."""
        task = self.do(self.store.get(self.owner, _internal(wire_id)))
        assert task is not None, f"{wire_id} is not stored"
        return task

    def stored(self) -> tuple[Task, ...]:
        """Return the caller's tasks, newest first, whatever their age."""
        never = datetime(1970, 1, 2, tzinfo=UTC)
        wanted = TaskFilter(page=1, page_size=500, created_after=never, cancelled_after=never)
        return self.do(self.store.list_tasks(self.owner, wanted)).tasks

    def run_task(self, wire_id: str, progress: float = 0.0) -> Claim:
        """Claim a task, as a dispatcher would, and report progress; those before it go back to the queue."""
        return self.do(self._run_task(_internal(wire_id), progress))

    async def _run_task(self, task_id: str, progress: float) -> Claim:
        now = self.clock.now()
        before: list[Claim] = []
        while True:
            claim = await self.store.claim("test", now, now + LEASE)
            assert claim is not None, f"{task_id} cannot be claimed"
            if claim.task.id == task_id:
                break
            before.append(claim)
        for each in before:
            assert await self.store.hand_back(each, now)
        assert await self.store.heartbeat(claim, progress, now + LEASE)
        return claim

    def succeed(self, wire_id: str, claim: Claim | None = None) -> Task:
        """Let a task run to its end: a film of known bytes and, where asked for, a last frame."""
        claim = claim or self.run_task(wire_id)
        task = claim.task
        film = Film(
            video_blob=self._put(f"{task.id}-{claim.token}/video.mp4", VIDEO),
            last_frame_blob=self._put(f"{task.id}-{claim.token}/last_frame.png", LAST_FRAME)
            if task.request.return_last_frame
            else None,
            ratio="16:9",
            width_px=1280,
            height_px=720,
            duration_s=5,
            fps=24,
            num_frames=121,
            has_sound=True,
        )
        posted = Outcome(
            status=Status.SUCCEEDED,
            entry=_entry(task, EntryKind.POSTED),
            film=film,
            completion_tokens=108_900,
        )
        assert self.do(self.store.finish(claim, posted, self.clock.now()))
        return self.task(wire_id)

    def fail(self, wire_id: str) -> Task:
        """Let a task run and fail."""
        claim = self.run_task(wire_id)
        error = TaskError(code="InternalServiceError", message="The engine stopped.")
        voided = Outcome(status=Status.FAILED, entry=_entry(claim.task, EntryKind.VOIDED), error=error)
        assert self.do(self.store.finish(claim, voided, self.clock.now()))
        return self.task(wire_id)

    def expire(self, wire_id: str) -> Task:
        """Let a queued task's time pass."""
        task = self.task(wire_id)
        self.clock.advance(seconds=(task.expires_at - self.clock.now()).total_seconds() + 1)
        assert task.id in self.do(self.store.expire(self.clock.now()))
        return self.task(wire_id)

    def _put(self, key: str, content: bytes) -> str:
        path = self.blobs_dir.parent / "made-by-the-engine"
        path.write_bytes(content)
        self.do(self.blobs.put(path, key))
        return key


def _internal(wire_id: str) -> str:
    task_id = ARK.task_id(wire_id)
    assert task_id is not None, wire_id
    return task_id


def _entry(task: Task, kind: EntryKind) -> LedgerEntry:
    return LedgerEntry(task_id=task.id, kind=kind, currency="CNY", amount_micros=1, completion_tokens=108_900)


def house_over(
    store: TaskStore,
    blobs: LocalBlobStore,
    clock: ManualClock,
    *,
    limits: Limits,
    engine: EngineOffer = OFFER,
    unknown_assets_pass: bool = False,
    uploads_dir: Path | None = None,
    changes: Callable[[House], House] = lambda house: house,
) -> House:
    """Put a house together around a store; ``changes`` may replace parts of it. uploads_dir: None = takes none."""
    catalogue = load_catalogue()

    async def nothing() -> None:
        return None

    judge = Judge(catalogue=catalogue, engine=engine, book_id="ark-list")
    retention = Retention(
        record_retention_s=ARK.profile.record_retention_s, cancelled_retention_s=ARK.profile.cancelled_retention_s
    )
    drafts = Drafts(catalogue=catalogue, store=store, clock=clock, retention=retention)
    queries = Queries(
        catalogue=catalogue,
        store=store,
        blobs=blobs,
        clock=clock,
        retention=retention,
    )
    library = AssetLibrary(
        store=MemoryAssetStore(),
        clock=clock,
        randomness=TestRandomness(),
        limits=catalogue.assets,
        unknown_pass=unknown_assets_pass,
    )
    examiner = Examiner(judge=judge, drafts=drafts, assets=library)
    house = House(
        submitter=Submitter(
            examiner=examiner, store=store, clock=clock, randomness=TestRandomness(), wake=lambda: None
        ),
        quoter=Quoter(examiner=examiner),
        assets=library,
        uploads=None if uploads_dir is None else Uploads(uploads_dir, library, bytes_max=UPLOAD_BYTES_MAX),
        changes=Changes(catalogue=catalogue, queries=queries, engine=engine),
        stills=FilmStills(blobs),
        queries=queries,
        codecs=CODECS,
        keys=KeyRing(SECRET, []),
        blobs=blobs,
        links=LinkSigner(SECRET, lifetime_s=ARK.profile.link_lifetime_s),
        clock=clock,
        request_id=RequestIds(clock, "00c0ffee"),
        start=nothing,
        stop=nothing,
        is_ready=lambda: True,
        limits=limits,
        is_access_logged=True,
    )
    return changes(house)


@contextmanager
def running_server(
    directory: Path,
    *,
    limits: Limits | None = None,
    engine: EngineOffer = OFFER,
    unknown_assets_pass: bool = False,
    changes: Callable[[House], House] = lambda house: house,
    make_store: Callable[[], TaskStore] = MemoryTaskStore,
) -> Iterator[RunningServer]:
    """Serve until the block ends. directory: an empty one, for result files."""
    store, clock, blobs_dir = make_store(), ManualClock(), directory / "blobs"
    blobs_dir.mkdir(parents=True, exist_ok=True)
    blobs = LocalBlobStore(blobs_dir)
    house = house_over(
        store,
        blobs,
        clock,
        limits=limits or Limits(),
        engine=engine,
        unknown_assets_pass=unknown_assets_pass,
        uploads_dir=directory / "uploads",
        changes=changes,
    )
    server = http_server(house)
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    loop = uvloop.new_event_loop()
    thread = threading.Thread(target=loop.run_until_complete, args=(server.serve(sockets=[listener]),), daemon=True)
    requests = _Requests()
    access = logging.getLogger("understudy.access")
    access.setLevel(logging.INFO)
    access.addHandler(requests)
    thread.start()
    try:
        # The socket listens already: a connection made before the server is ready simply waits for it.
        seen_by_all = RunningServer(
            url=f"http://127.0.0.1:{port}",
            port=port,
            store=store,
            blobs_dir=blobs_dir,
            clock=clock,
            loop=loop,
            blobs=blobs,
            house=house,
            requests=requests.seen,
        )
        yield seen_by_all.to_a_new_caller()
    finally:
        server.should_exit = True
        thread.join(timeout=30)
        access.removeHandler(requests)
        assert not thread.is_alive(), "the server did not stop"
        loop.run_until_complete(store.close())
        loop.close()
