"""The composition root: settings in, a running service out. The only module that names concrete adapters."""

import asyncio
import logging
import os
import random
import secrets
import shutil
import signal
import socket
import string
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import uvloop

from understudy.catalog.load import load_catalogue
from understudy.core.assets import AssetStore
from understudy.core.ports import ApiKey, EngineOffer, TaskStore
from understudy.dialects.ark import ARK
from understudy.dialects.registry import CODECS
from understudy.dialects.select import MOUNTS
from understudy.executors.child import RenderLimits
from understudy.executors.local import LocalExecutor, RestartPause
from understudy.media.film_stills import FilmStills
from understudy.server.auth import KeyRing, key_digest
from understudy.server.house import House, Limits
from understudy.server.links import LinkSigner
from understudy.server.listen import http_server, spare_the_collector
from understudy.server.request_ids import RequestIds
from understudy.service.assets import AssetLibrary
from understudy.service.attempt import DispatchLimits, Workplace
from understudy.service.changes import Changes
from understudy.service.dispatch import Dispatcher
from understudy.service.drafts import Drafts
from understudy.service.examine import Examiner
from understudy.service.jobs import Jobs
from understudy.service.judge import Judge
from understudy.service.query import Queries
from understudy.service.quote import Quoter
from understudy.service.reaper import Reaped, Reaper, Rounds
from understudy.service.retention import Retention
from understudy.service.submit import Submitter
from understudy.settings import MEMORY, Settings, SettingsError
from understudy.storage.blobs import LocalBlobStore
from understudy.storage.cannot_open import CannotOpen
from understudy.storage.lock import DataDirLock
from understudy.storage.memory import MemoryTaskStore
from understudy.storage.memory_assets import MemoryAssetStore
from understudy.storage.sqlite import SqliteTaskStore

ENGINE_GROUP = "understudy.engines"
OWNER = "default"
KEY_PREFIX = "sk-"
SECRET_BYTES = 32
SUFFIX_CHARS = string.digits + string.ascii_lowercase
PAIRS = tuple(first + second for first in SUFFIX_CHARS for second in SUFFIX_CHARS)
SUFFIXES = len(SUFFIX_CHARS) ** 5
SECOND_NS = 1_000_000_000
SEED_BITS = 31
READY_LOOK_S = 0.01
HEARTBEATS_PER_LEASE = 3
HEARTBEAT_MOST_S = 0.5
"""Heartbeats carry the progress that clients poll."""
BATCHES_PER_ROUND = 10

OnReady = Callable[[str, str, str], None]
"""Called once the server answers, with (url, api_key, data_dir)."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present moment, aware, UTC."""
        return datetime.now(UTC)


class SystemRandomness:
    """The operating system's randomness and, for ids, its clock."""

    def task_suffix(self) -> str:
        """Return five characters of a-z0-9 that sort by time within the second and last 16 nanoseconds each.

        Drawn, they would scatter the rows of one second over the store's whole index, several pages to write for each
        task. An id need not be secret: nobody reads a task without its owner's key.
        """
        part = time.time_ns() % SECOND_NS * SUFFIXES // SECOND_NS
        first, last = divmod(part, len(SUFFIX_CHARS))
        return PAIRS[first // len(PAIRS)] + PAIRS[first % len(PAIRS)] + SUFFIX_CHARS[last]

    def __init__(self) -> None:
        # A seed is shown to the caller, so it need not be secret: no system call for each.
        self._seeds = random.Random(secrets.randbits(128))  # noqa: S311

    def seed(self) -> int:
        """Return a seed, 0..2^31-1."""
        return self._seeds.getrandbits(SEED_BITS)


def find_engine(name: str) -> EngineOffer:
    """Return the offer of an installed engine; built-in ones are entry points like any other.

    name: the entry point's, or ``"module:attribute"`` of an offer that has none.

    Raises: SettingsError.
    """
    if ":" in name:
        return _offer_of(EntryPoint(name=name, value=name, group=ENGINE_GROUP))
    found = {entry.name: entry for entry in entry_points(group=ENGINE_GROUP)}
    if name not in found:
        known = ", ".join(sorted(found)) or "none"
        raise SettingsError(f"There is no engine {name!r}; installed engines: {known}.")
    return _offer_of(found[name])


def _offer_of(entry: EntryPoint) -> EngineOffer:
    try:
        offer = entry.load()
    except (ImportError, AttributeError) as error:
        raise SettingsError(f"The engine {entry.name!r} cannot be loaded: {error}.") from error
    if not isinstance(offer, EngineOffer):
        raise SettingsError(f"The engine {entry.name!r} is broken: its entry point is not an EngineOffer.")
    return offer


@contextmanager
def opened_data_dir(data_dir: str) -> Iterator[Path]:
    """Yield the data directory, locked for this process; ``:memory:`` is a temporary one.

    Raises: CannotOpen.
    """
    if data_dir == MEMORY:
        with tempfile.TemporaryDirectory(prefix="understudy-") as folder:
            yield Path(folder)
        return
    path = Path(data_dir).expanduser().resolve()
    lock = DataDirLock(path)
    try:
        yield path
    finally:
        lock.release()


def kept_secret(path: Path, make: Callable[[], str]) -> str:
    """Return the secret kept in a file that only its owner can read, made on first use.

    Raises: CannotOpen.
    """
    try:
        if path.is_file():
            text = path.read_text(encoding="ascii").strip()
            if text:
                return text
        text = make()
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_text(text + "\n", encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise CannotOpen(f"cannot use the file {path}: {error}") from error
    return text


async def key_ring(store: TaskStore, pepper: bytes, *, api_key: str, now: datetime) -> KeyRing:
    """Return all keys of the store; the first key is put there when it is missing."""
    keys = tuple(await store.keys())
    digest = key_digest(pepper, api_key.encode("ascii"))
    if all(key.digest != digest for key in keys):
        first = ApiKey(id=f"key-{secrets.token_hex(8)}", owner=OWNER, digest=digest, created_at=now)
        await store.add_key(first)
        keys = (*keys, first)
    return KeyRing(pepper, keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Everything that runs behind the routes."""

    store: TaskStore
    assets: AssetStore
    blobs: LocalBlobStore
    executor: LocalExecutor
    dispatcher: Dispatcher
    reaper: Reaper
    clock: SystemClock

    async def start(self) -> None:
        """Take up what an earlier process left and begin to render."""
        handed_back = await self.store.hand_back_all(self.clock.now())
        if handed_back:
            logging.getLogger(__name__).info("%d unfinished tasks are rendered again", handed_back)
        await self.executor.start()
        await self.dispatcher.start()
        await self.reaper.start()

    async def stop(self) -> None:
        """Let renders finish for a moment, hand the rest back, and close the store last."""
        await self.reaper.close()
        await self.dispatcher.close()
        await self.executor.close()
        await self.store.close()


async def build(settings: Settings, data_dir: Path) -> tuple[House, str]:
    """Return the service for these settings and the first API key.

    Raises: SettingsError, CannotOpen.
    """
    engine = find_engine(settings.engine)
    if settings.price_book not in load_catalogue().books:
        raise SettingsError(f"There is no price book {settings.price_book!r}.")
    if settings.dialect and settings.dialect not in MOUNTS:
        raise SettingsError(f"There is no dialect {settings.dialect!r}; there are {', '.join(MOUNTS)}.")
    secret = bytes.fromhex(kept_secret(data_dir / "secret", lambda: secrets.token_hex(SECRET_BYTES)))
    api_key = kept_secret(data_dir / "api_key", lambda: KEY_PREFIX + secrets.token_urlsafe(SECRET_BYTES))
    service = _service(settings, engine, data_dir)
    keys = await key_ring(service.store, secret, api_key=api_key, now=service.clock.now())
    links = LinkSigner(secret, lifetime_s=settings.link_lifetime_s)
    return _house(settings, service, engine, keys=keys, links=links), api_key


def _service(settings: Settings, engine: EngineOffer, data_dir: Path) -> Service:
    """Put together what keeps, renders and expires tasks; the work directory starts empty."""
    work_dir = data_dir / "work"
    shutil.rmtree(work_dir, ignore_errors=True)
    work_dir.mkdir(parents=True)
    clock = SystemClock()
    is_memory = settings.data_dir == MEMORY
    store: MemoryTaskStore | SqliteTaskStore
    assets: AssetStore
    if is_memory:
        store = MemoryTaskStore()
        assets = MemoryAssetStore(store.media)
    else:
        store = SqliteTaskStore(data_dir / "understudy.db")
        assets = store.assets
    blobs = LocalBlobStore(data_dir / "blobs")
    executor = LocalExecutor(
        engine.reference, settings.slots, limits=_render_limits(settings), pause=RestartPause(first_s=0.5, most_s=30.0)
    )
    jobs = Jobs(catalogue=load_catalogue(), book_id=settings.price_book, shows_label=settings.visible_label)
    limits = _dispatch_limits(settings, work_dir)
    dispatcher = Dispatcher(
        Workplace(store=store, executor=executor, blobs=blobs, clock=clock, jobs=jobs, limits=limits)
    )
    reaper = Reaper(
        Reaped(store=store, media=store.media, blobs=blobs, leftovers=(work_dir,)),
        clock=clock,
        retention=_retention(settings),
        rounds=Rounds(interval_s=settings.reap_interval_s, batches=BATCHES_PER_ROUND),
        on_expired=dispatcher.lost,
    )
    return Service(
        store=store, assets=assets, blobs=blobs, executor=executor, dispatcher=dispatcher, reaper=reaper, clock=clock
    )


def _house(settings: Settings, service: Service, engine: EngineOffer, *, keys: KeyRing, links: LinkSigner) -> House:
    catalogue = load_catalogue()
    judge = Judge(catalogue=catalogue, engine=engine, book_id=settings.price_book)
    drafts = Drafts(catalogue=catalogue, store=service.store, clock=service.clock, retention=_retention(settings))
    library = AssetLibrary(
        store=service.assets,
        clock=service.clock,
        randomness=SystemRandomness(),
        limits=catalogue.assets,
        unknown_pass=False,
    )
    examiner = Examiner(judge=judge, drafts=drafts, assets=library)
    queries = Queries(
        catalogue=catalogue,
        store=service.store,
        blobs=service.blobs,
        clock=service.clock,
        retention=_retention(settings),
    )
    return House(
        submitter=Submitter(
            examiner=examiner,
            store=service.store,
            clock=service.clock,
            randomness=SystemRandomness(),
            wake=service.dispatcher.wake,
        ),
        quoter=Quoter(examiner=examiner),
        changes=Changes(catalogue=catalogue, queries=queries, engine=engine),
        assets=library,
        stills=FilmStills(service.blobs),
        queries=queries,
        codecs=CODECS,
        keys=keys,
        blobs=service.blobs,
        links=links,
        clock=service.clock,
        request_id=RequestIds(service.clock, secrets.token_hex(3)),
        start=service.start,
        stop=service.stop,
        is_ready=service.executor.is_ready,
        limits=Limits(
            body_timeout_s=settings.body_timeout_s,
            large_body_bytes=settings.large_body_bytes,
            large_bodies_at_once=settings.large_bodies_at_once,
        ),
        public_url=settings.public_url.rstrip("/") or None,
        preferred_dialect=settings.dialect or None,
        is_strict=settings.strict,
        is_access_logged=settings.access_log,
    )


def _retention(settings: Settings) -> Retention:
    """Say how long records are kept; that cancelled ones go earlier is the vendor's rule and no setting."""
    return Retention(
        record_retention_s=settings.record_retention_s, cancelled_retention_s=ARK.profile.cancelled_retention_s
    )


def _dispatch_limits(settings: Settings, work_dir: Path) -> DispatchLimits:
    return DispatchLimits(
        worker=f"pid-{os.getpid()}",
        slots=settings.slots,
        work_dir=work_dir,
        lease_s=settings.lease_s,
        heartbeat_s=min(settings.lease_s / HEARTBEATS_PER_LEASE, HEARTBEAT_MOST_S),
        poll_interval_s=settings.poll_interval_s,
        attempts_max=settings.attempts_max,
        drain_s=settings.drain_s,
        retry_pause_s=0.05,
    )


def _render_limits(settings: Settings) -> RenderLimits:
    return RenderLimits(
        warm_timeout_s=settings.warm_timeout_s,
        silence_timeout_s=settings.render_timeout_s,
        render_timeout_s=settings.render_timeout_s,
        line_bytes_max=1 << 20,
        progress_interval_s=0.1,
        niceness=5,
    )


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a socket bound to the address; port 0 takes a free one.

    Raises: CannotOpen.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except (OSError, OverflowError) as error:
        raise CannotOpen(f"cannot listen on {host} port {port}: {error}") from error
    return bound


def url_of(bound: socket.socket) -> str:
    """Return the address that a client on this machine can use."""
    host, port = bound.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104 - read, not bound
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(settings: Settings, on_ready: OnReady) -> None:
    """Serve until SIGINT or SIGTERM.

    Raises: SettingsError, CannotOpen before anything is served.
    """
    logging.basicConfig(
        level=settings.log_level, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    with opened_data_dir(settings.data_dir) as data_dir:
        bound = listening_socket(settings.host, settings.port)
        try:
            uvloop.run(_serve(settings, data_dir, bound=bound, on_ready=on_ready))
        finally:
            bound.close()


async def _serve(settings: Settings, data_dir: Path, *, bound: socket.socket, on_ready: OnReady) -> None:
    house, api_key = await build(settings, data_dir)
    server = http_server(house)
    spare_the_collector()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, server.stop)
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(READY_LOOK_S)
    if not serving.done():
        on_ready(url_of(bound), api_key, str(data_dir))
    await serving
