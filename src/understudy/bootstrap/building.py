"""Settings and a data directory in, the running service out."""

import logging
import os
import secrets
import shutil
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from understudy.bootstrap.data_dir import kept_secret
from understudy.bootstrap.incoming import Incoming, make_incoming
from understudy.bootstrap.machine import SystemClock, SystemRandomness
from understudy.bootstrap.plugins import configured, find_engine
from understudy.bootstrap.stores import Stores, open_stores
from understudy.catalog.load import load_catalogue
from understudy.core.asset_files import library_limits
from understudy.core.ports import ApiKey, Clock, EngineOffer, TaskStore
from understudy.core.render import LanguageModel
from understudy.dialects.ark import ARK
from understudy.dialects.registry import CODECS
from understudy.dialects.select import MOUNTS
from understudy.executors.child import RenderLimits
from understudy.executors.local import LocalExecutor, RestartPause
from understudy.server.auth import KeyRing, key_digest
from understudy.server.house import House, Limits
from understudy.server.links import LinkSigner
from understudy.server.request_ids import RequestIds
from understudy.service.asset_intake import AssetIntake, AssetWorker
from understudy.service.assets import AssetLibrary
from understudy.service.attempt import DispatchLimits, Workplace
from understudy.service.changes import Changes
from understudy.service.dispatch import Dispatcher
from understudy.service.drafts import Drafts
from understudy.service.examine import Examiner
from understudy.service.intake import Intake
from understudy.service.jobs import Jobs
from understudy.service.judge import Judge
from understudy.service.query import Queries
from understudy.service.quote import Quoter
from understudy.service.reaper import Reaped, Reaper, Rounds
from understudy.service.rehearsal import ClockMover, MovableClock
from understudy.service.retention import Retention
from understudy.service.submit import Submitter
from understudy.service.uploads import Uploads, upload_path
from understudy.settings import Settings, SettingsError

OWNER = "default"
KEY_PREFIX = "sk-"
SECRET_BYTES = 32
SECRET_CHARS_MIN = 32
HEARTBEATS_PER_LEASE = 3
HEARTBEAT_MOST_S = 0.5
FILM_KEEPING_S = 600.0
"""Object stores are away for minutes, not hours; meanwhile a slot renders nothing, because nothing could be stored."""
"""Heartbeats carry the progress that clients poll."""
BATCHES_PER_ROUND = 10


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

    stores: Stores
    incoming: Incoming
    library: AssetLibrary
    uploads: Uploads
    asset_worker: AssetWorker
    executor: LocalExecutor
    dispatcher: Dispatcher
    reaper: Reaper
    clock: Clock
    spool_dir: Path

    async def start(self) -> None:
        """Take up what an earlier process left and begin to render."""
        handed_back = await self.stores.tasks.hand_back_all(self.clock.now())
        if handed_back:
            logging.getLogger(__name__).info("%d unfinished tasks are rendered again", handed_back)
        await self.executor.start()
        await self.incoming.start()
        await self.asset_worker.start()
        await self.dispatcher.start()
        await self.reaper.start()

    async def stop(self) -> None:
        """Let renders finish for a moment, hand the rest back, and close the store last."""
        await self.reaper.close()
        await self.asset_worker.close()
        await self.dispatcher.close()
        await self.incoming.close()
        await self.executor.close()
        await self.stores.tasks.close()


async def build(settings: Settings, data_dir: Path) -> tuple[House, str]:
    """Return the service for these settings and the first API key.

    Raises: SettingsError, CannotOpen.
    """
    engine = configured(find_engine(settings.engine), settings)
    if not settings.rehearsal:
        engine = replace(engine, rehearse=None)
    _check(settings)
    secret = bytes.fromhex(kept_secret(data_dir / "secret", lambda: secrets.token_hex(SECRET_BYTES)))
    api_key = kept_secret(data_dir / "api_key", lambda: KEY_PREFIX + secrets.token_urlsafe(SECRET_BYTES))
    links = LinkSigner(settings.secret.encode() or secret, lifetime_s=settings.link_lifetime_s)
    service = _service(settings, engine, data_dir, links=links)
    keys = await key_ring(service.stores.tasks, secret, api_key=api_key, now=service.clock.now())
    return _house(settings, service, engine, keys=keys, links=links), api_key


def _check(settings: Settings) -> None:
    if settings.price_book not in load_catalogue().books:
        raise SettingsError(f"There is no price book {settings.price_book!r}.")
    if settings.dialect and settings.dialect not in MOUNTS:
        raise SettingsError(f"There is no dialect {settings.dialect!r}; there are {', '.join(MOUNTS)}.")
    if settings.secret and len(settings.secret) < SECRET_CHARS_MIN:
        raise SettingsError(f"The setting secret must have at least {SECRET_CHARS_MIN} characters.")
    for name in ("link_lifetime_s", "record_retention_s"):
        if getattr(settings, name) < 0:
            raise SettingsError(f"The setting {name} must not be negative; 0 = without end.")


def _service(settings: Settings, engine: EngineOffer, data_dir: Path, *, links: LinkSigner) -> Service:
    """Put together what keeps, renders and expires tasks; the work directory starts empty."""
    work_dir = data_dir / "work"
    shutil.rmtree(work_dir, ignore_errors=True)
    work_dir.mkdir(parents=True)
    # Beside the work directory and not in it: the reaper removes what lies there unused, the spool's own root included.
    spool_dir = data_dir / "spool"
    clock: Clock = MovableClock(SystemClock()) if settings.rehearsal_clock else SystemClock()
    stores = open_stores(settings, data_dir)
    incoming = make_incoming(settings, stores, links, clock=clock, work_dir=work_dir)
    dispatcher, executor = _dispatcher(settings, engine, stores, incoming=incoming, clock=clock)
    library, uploads, asset_worker = _assets(settings, stores, incoming, clock=clock, uploads_dir=data_dir / "uploads")
    reaper = Reaper(
        Reaped(
            store=stores.tasks,
            media=stores.media,
            blobs=stores.blobs,
            # How old a file is goes by the machine's clock: ahead of it, what is at work would look left behind.
            leftovers=() if settings.rehearsal_clock else (work_dir, spool_dir),
            sweeps=(uploads.sweep,),
        ),
        clock=clock,
        retention=_retention(settings),
        rounds=Rounds(interval_s=settings.reap_interval_s, batches=BATCHES_PER_ROUND),
        on_expired=dispatcher.lost,
    )
    return Service(
        stores=stores,
        incoming=incoming,
        library=library,
        uploads=uploads,
        asset_worker=asset_worker,
        executor=executor,
        dispatcher=dispatcher,
        reaper=reaper,
        clock=clock,
        spool_dir=spool_dir,
    )


def _dispatcher(
    settings: Settings, engine: EngineOffer, stores: Stores, *, incoming: Incoming, clock: Clock
) -> tuple[Dispatcher, LocalExecutor]:
    executor = LocalExecutor(
        engine.reference,
        _slots(settings, engine),
        limits=_render_limits(settings, engine),
        pause=RestartPause(first_s=0.5, most_s=30.0),
        arguments=engine.arguments,
        environments=engine.slots,
    )
    jobs = Jobs(
        catalogue=load_catalogue(),
        book_id=settings.price_book,
        shows_label=settings.visible_label,
        language_model=_language_model(settings),
        has_hevc=settings.hevc,
        has_recipes=settings.recipes,
        rehearses=engine.rehearse is not None,
    )
    workplace = Workplace(
        store=stores.tasks,
        executor=executor,
        blobs=stores.blobs,
        clock=clock,
        jobs=jobs,
        limits=_dispatch_limits(settings, engine, incoming.work_dir),
        media=stores.media,
        moderator=incoming.screen.moderator,
    )
    return Dispatcher(workplace), executor


def _assets(
    settings: Settings, stores: Stores, incoming: Incoming, *, clock: Clock, uploads_dir: Path
) -> tuple[AssetLibrary, Uploads, AssetWorker]:
    """Make the library and the two that it and each other need: uploads end in assets, assets begin with uploads."""
    catalogue = load_catalogue()
    worker = AssetWorker(
        AssetIntake(
            store=stores.assets,
            shelf=incoming.shelf,
            sources=incoming.sources,
            limits=library_limits(catalogue.models.values()),
            clock=clock,
            work_dir=incoming.work_dir,
            upload_path=lambda upload: upload_path(uploads_dir, upload),
        )
    )
    library = AssetLibrary(
        store=stores.assets,
        clock=clock,
        randomness=SystemRandomness(),
        limits=catalogue.assets,
        unknown_pass=False,
        wake=worker.wake,
    )
    return library, Uploads(uploads_dir, library, bytes_max=settings.upload_bytes_max), worker


def _house(settings: Settings, service: Service, engine: EngineOffer, *, keys: KeyRing, links: LinkSigner) -> House:
    catalogue, stores, clock = load_catalogue(), service.stores, service.clock
    judge = Judge(catalogue=catalogue, engine=engine, book_id=settings.price_book)
    drafts = Drafts(catalogue=catalogue, store=stores.tasks, clock=clock, retention=_retention(settings))
    examiner = Examiner(judge=judge, drafts=drafts, assets=service.library)
    queries = Queries(
        catalogue=catalogue, store=stores.tasks, blobs=stores.blobs, clock=clock, retention=_retention(settings)
    )
    intake = Intake(
        judge=judge,
        shelf=service.incoming.shelf,
        sources=service.incoming.sources,
        screen=service.incoming.screen,
        work_dir=service.incoming.work_dir,
        deadline_s=settings.fetch_deadline_s,
    )
    return House(
        submitter=Submitter(
            examiner=examiner,
            store=stores.tasks,
            clock=clock,
            randomness=SystemRandomness(),
            wake=service.dispatcher.wake,
            intake=intake,
        ),
        quoter=Quoter(examiner=examiner),
        changes=Changes(catalogue=catalogue, queries=queries, engine=engine),
        assets=service.library,
        uploads=service.uploads,
        stills=service.incoming.stills,
        queries=queries,
        codecs=CODECS,
        keys=keys,
        blobs=stores.blobs,
        links=links,
        clock=clock,
        request_id=RequestIds(clock, secrets.token_hex(3)),
        start=service.start,
        stop=service.stop,
        is_ready=service.executor.is_ready,
        limits=Limits(
            body_timeout_s=settings.body_timeout_s,
            large_body_bytes=settings.large_body_bytes,
            large_bodies_at_once=settings.large_bodies_at_once,
            bodies_spooled_at_once=settings.bodies_spooled_at_once,
        ),
        spool_dir=service.spool_dir,
        public_url=settings.public_url.rstrip("/") or None,
        preferred_dialect=settings.dialect or None,
        is_strict=settings.strict,
        is_access_logged=settings.access_log,
        clock_mover=ClockMover(clock=clock, settle=service.reaper.round) if isinstance(clock, MovableClock) else None,
    )


def _retention(settings: Settings) -> Retention:
    """Say how long records are kept; that cancelled ones go earlier is the vendor's rule and no setting."""
    return Retention(
        record_retention_s=settings.record_retention_s, cancelled_retention_s=ARK.profile.cancelled_retention_s
    )


def _slots(settings: Settings, engine: EngineOffer) -> int:
    """Say how many films are rendered at once: as many as the engine has places, or as the settings say."""
    return len(engine.slots) or settings.slots


def _dispatch_limits(settings: Settings, engine: EngineOffer, work_dir: Path) -> DispatchLimits:
    return DispatchLimits(
        worker=f"pid-{os.getpid()}",
        slots=_slots(settings, engine),
        work_dir=work_dir,
        lease_s=settings.lease_s,
        heartbeat_s=min(settings.lease_s / HEARTBEATS_PER_LEASE, HEARTBEAT_MOST_S),
        poll_interval_s=settings.poll_interval_s,
        attempts_max=settings.attempts_max,
        drain_s=settings.drain_s,
        retry_pause_s=0.05,
        keeping_s=FILM_KEEPING_S,
    )


def _language_model(settings: Settings) -> LanguageModel | None:
    """Return what engines may ask, or None.

    Raises: SettingsError for half a setting.
    """
    if not settings.llm_url and not settings.llm_model:
        return None
    if not settings.llm_url.startswith(("http://", "https://")) or not settings.llm_model:
        raise SettingsError("llm_url and llm_model go together, and llm_url begins with http:// or https://.")
    return LanguageModel(
        url=settings.llm_url,
        model=settings.llm_model,
        secret=settings.llm_secret,
        timeout_s=settings.llm_timeout_s,
    )


def _render_limits(settings: Settings, engine: EngineOffer) -> RenderLimits:
    render_timeout_s = max(settings.render_timeout_s, engine.render_timeout_s)
    return RenderLimits(
        warm_timeout_s=max(settings.warm_timeout_s, engine.warm_timeout_s),
        silence_timeout_s=engine.silence_timeout_s or render_timeout_s,
        render_timeout_s=render_timeout_s,
        line_bytes_max=1 << 20,
        progress_interval_s=0.1,
        niceness=5,
        memory_bytes=engine.memory_bytes,
        stops_within_s=engine.stops_within_s,
    )
