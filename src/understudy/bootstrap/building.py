"""Settings and a data directory in, the running service out."""

import contextlib
import logging
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from understudy.bootstrap.checking import check, chosen_engine
from understudy.bootstrap.data_dir import emptied_work_dir, kept_secrets
from understudy.bootstrap.incoming import Incoming, make_incoming
from understudy.bootstrap.machine import SystemClock, SystemRandomness
from understudy.bootstrap.rendering import Surroundings, make_dispatcher, make_executor, name_of_this_process, slots_of
from understudy.bootstrap.stores import Stores, open_stores
from understudy.bootstrap.telling import Telling, make_telling
from understudy.catalog.load import load_catalogue
from understudy.core.asset_files import library_limits
from understudy.core.ports import ApiKey, Clock, EngineOffer, Executor, TaskStore
from understudy.dialects.ark import ARK
from understudy.dialects.registry import CODECS
from understudy.server.auth import KeyRing, key_digest
from understudy.server.callbacks import CallbackBodies
from understudy.server.house import House, Limits
from understudy.server.links import LinkSigner
from understudy.server.request_ids import RequestIds
from understudy.service.asset_intake import AssetIntake, AssetWorker
from understudy.service.asset_shares import AssetShares
from understudy.service.assets import AssetLibrary
from understudy.service.changes import Changes
from understudy.service.dispatch import Dispatcher
from understudy.service.drafts import Drafts
from understudy.service.examine import Examiner
from understudy.service.intake import Intake
from understudy.service.judge import Judge
from understudy.service.outlook import Rooms
from understudy.service.query import Queries
from understudy.service.quote import Quoter
from understudy.service.reaper import Reaped, Reaper, Rounds
from understudy.service.rehearsal import ClockMover, MovableClock
from understudy.service.retention import Retention
from understudy.service.submit import Submitter
from understudy.service.uploads import Uploads, upload_path
from understudy.settings import Settings

OWNER = "default"
BATCHES_PER_ROUND = 10


async def key_ring(store: TaskStore, pepper: bytes, *, api_key: str, now: datetime) -> KeyRing:
    """Return all keys of the store; the first key is put there when it is missing."""
    digest = key_digest(pepper, api_key.encode("ascii"))
    if all(key.digest != digest for key in await store.keys()):
        first = ApiKey(id=f"key-{secrets.token_hex(8)}", owner=OWNER, digest=digest, created_at=now)
        # Of several servers that start at once, another may have been faster.
        with contextlib.suppress(ValueError):
            await store.add_key(first)
    return KeyRing(pepper, await store.keys())


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Everything that runs behind the routes."""

    stores: Stores
    incoming: Incoming
    library: AssetLibrary
    uploads: Uploads
    asset_worker: AssetWorker
    executor: Executor
    dispatcher: Dispatcher
    reaper: Reaper
    queries: Queries
    telling: Telling
    clock: Clock
    spool_dir: Path

    async def start(self) -> None:
        """Take up what an earlier process left and begin to render.

        What a process left that shares its store with others is taken up by any of them, when its leases have lapsed.
        """
        if not self.stores.tasks.is_shared:
            handed_back = await self.stores.tasks.hand_back_all(self.clock.now())
            if handed_back:
                logging.getLogger(__name__).info("%d unfinished tasks are rendered again", handed_back)
        await self.executor.start()
        await self.incoming.start()
        await self.asset_worker.start()
        await self.dispatcher.start()
        await self.reaper.start()
        await self.telling.start()

    async def stop(self) -> None:
        """Let renders finish for a moment, hand the rest back, and close the store last."""
        await self.reaper.close()
        await self.asset_worker.close()
        await self.dispatcher.close()
        # After the last change that this process makes, so that it tells it itself if it can.
        await self.telling.close()
        await self.incoming.close()
        await self.executor.close()
        await self.stores.tasks.close()


async def build(settings: Settings, data_dir: Path) -> tuple[House, str]:
    """Return the service for these settings and the first API key.

    Raises: SettingsError, CannotOpen.
    """
    engine = chosen_engine(settings)
    check(settings)
    kept = kept_secrets(settings, data_dir)
    links = LinkSigner(kept.signing, lifetime_s=settings.link_lifetime_s)
    stores = await open_stores(settings, data_dir)
    service = _service(settings, engine, stores, data_dir=data_dir, links=links, signing=kept.signing)
    keys = await key_ring(service.stores.tasks, kept.pepper, api_key=kept.api_key, now=service.clock.now())
    return _house(settings, service, engine, keys=keys, links=links), kept.api_key


def _service(  # tidy: what the data directory keeps comes apart
    settings: Settings, engine: EngineOffer, stores: Stores, *, data_dir: Path, links: LinkSigner, signing: bytes
) -> Service:
    """Put together what keeps, renders and expires tasks; the work directory starts empty."""
    work_dir = emptied_work_dir(data_dir)
    # Beside the work directory and not in it: the reaper removes what lies there unused, the spool's own root included.
    spool_dir = data_dir / "spool"
    clock: Clock = MovableClock(SystemClock()) if settings.rehearsal_clock else SystemClock()
    incoming = make_incoming(settings, stores, links, clock=clock, work_dir=work_dir)
    around = Surroundings(
        name=name_of_this_process(), stores=stores, clock=clock, work_dir=work_dir, moderator=incoming.screen.moderator
    )
    executor = make_executor(settings, engine)
    dispatcher = make_dispatcher(settings, engine, executor, around=around)
    library, uploads, asset_worker = _assets(settings, incoming, around, uploads_dir=data_dir / "uploads")
    queries = Queries(
        catalogue=load_catalogue(),
        store=stores.tasks,
        blobs=stores.blobs,
        clock=clock,
        retention=_retention(settings),
        on_cancelled=lambda task_id: dispatcher.lost({task_id}),
    )
    bodies = CallbackBodies(
        codecs=CODECS, links=links, clock=clock, retention=queries.retention, public_url=_public_url(settings)
    )
    telling = make_telling(settings, queries, bodies, signing=signing)
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
        rounds=Rounds(
            interval_s=settings.reap_interval_s,
            batches=BATCHES_PER_ROUND,
            idempotency_s=settings.idempotency_retention_s,
        ),
        on_expired=dispatcher.lost,
        worker=around.name,
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
        queries=queries,
        telling=telling,
        clock=clock,
        spool_dir=spool_dir,
    )


def _assets(
    settings: Settings, incoming: Incoming, around: Surroundings, *, uploads_dir: Path
) -> tuple[AssetLibrary, Uploads, AssetWorker]:
    """Make the library and the two that it and each other need: uploads end in assets, assets begin with uploads."""
    catalogue, stores, clock = load_catalogue(), around.stores, around.clock

    def path_of(upload: str) -> Path:
        return upload_path(uploads_dir, upload)

    worker = AssetWorker(
        AssetIntake(
            store=stores.assets,
            shelf=incoming.shelf,
            sources=incoming.sources,
            limits=library_limits(catalogue.models.values()),
            clock=clock,
            work_dir=incoming.work_dir,
            upload_path=path_of,
        ),
        shares=AssetShares(store=stores.tasks, worker=around.name, clock=clock, upload_path=path_of),
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
    catalogue, stores, clock, queries = load_catalogue(), service.stores, service.clock, service.queries
    judge = Judge(catalogue=catalogue, engine=engine, book_id=settings.price_book)
    drafts = Drafts(catalogue=catalogue, store=stores.tasks, clock=clock, retention=queries.retention)
    examiner = Examiner(judge=judge, drafts=drafts, assets=service.library)
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
            queued_most=settings.queued_per_key or None,
            callback_refusal=service.telling.refusal,
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
        # Without slots of its own, a server takes tasks for the workers of its database.
        is_ready=service.executor.is_ready if slots_of(settings, engine) else lambda: True,
        limits=Limits(
            body_timeout_s=settings.body_timeout_s,
            large_body_bytes=settings.large_body_bytes,
            large_bodies_at_once=settings.large_bodies_at_once,
            bodies_spooled_at_once=settings.bodies_spooled_at_once,
        ),
        spool_dir=service.spool_dir,
        callbacks=service.telling.log,
        rooms=Rooms(slots=slots_of(settings, engine), lane_most=settings.concurrency_per_key or None),
        public_url=_public_url(settings),
        preferred_dialect=settings.dialect or None,
        is_strict=settings.strict,
        is_access_logged=settings.access_log,
        clock_mover=ClockMover(clock=clock, settle=service.reaper.round) if isinstance(clock, MovableClock) else None,
    )


def _public_url(settings: Settings) -> str | None:
    return settings.public_url.rstrip("/") or None


def _retention(settings: Settings) -> Retention:
    """Say how long records are kept; that cancelled ones go earlier is the vendor's rule and no setting."""
    return Retention(
        record_retention_s=settings.record_retention_s, cancelled_retention_s=ARK.profile.cancelled_retention_s
    )
