"""What renders: an executor for the engine of the settings, and the dispatcher that gives it tasks."""

import math
import os
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path

from understudy.bootstrap.machine import SteadyClock
from understudy.bootstrap.stores import Stores
from understudy.catalog.load import load_catalogue
from understudy.core.moderation import Moderator
from understudy.core.ports import Clock, EngineOffer, Executor
from understudy.core.render import LanguageModel
from understudy.executors.child import RenderLimits
from understudy.executors.local import LocalExecutor, RestartPause
from understudy.executors.ray_executor import Cluster, RayExecutor
from understudy.service.attempt import DispatchLimits, Workplace
from understudy.service.dispatch import Dispatcher
from understudy.service.jobs import Jobs
from understudy.settings import Settings, SettingsError

HEARTBEATS_PER_LEASE = 3
HEARTBEAT_MOST_S = 0.5
"""Heartbeats carry the progress that clients poll."""

SHARED_HEARTBEAT_MOST_S = 2.0
"""Over a shared database heartbeats are most of what is written; what was cancelled elsewhere is heard of at once."""

FILM_KEEPING_S = 600.0
"""Object stores are away for minutes, not hours; meanwhile a slot renders nothing, because nothing could be stored."""

RESTART_PAUSE = RestartPause(first_s=0.5, most_s=30.0)
LOCAL, RAY = "local", "ray"


def name_of_this_process() -> str:
    """Name this process among all that may ever share a database with it."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"


def slots_of(settings: Settings, engine: EngineOffer) -> int:
    """Say how many films are rendered at once: as many as the engine has places here, or as the settings say."""
    if settings.executor == RAY or not settings.slots:
        return settings.slots
    return len(engine.slots) or settings.slots


def make_executor(settings: Settings, engine: EngineOffer) -> Executor:
    """Return the executor, not started.

    Raises: SettingsError, CannotOpen.
    """
    limits, slots = _render_limits(settings, engine), slots_of(settings, engine)
    if settings.executor == RAY:
        cluster = Cluster(
            address=settings.ray_address,
            num_cpus=settings.ray_num_cpus,
            num_gpus=settings.ray_num_gpus,
            resources=_resources(settings.ray_resources),
        )
        return RayExecutor(
            engine.reference, slots, cluster=cluster, limits=limits, pause=RESTART_PAUSE, arguments=engine.arguments
        )
    if settings.executor == LOCAL:
        return LocalExecutor(
            engine.reference,
            slots,
            limits=limits,
            pause=RESTART_PAUSE,
            arguments=engine.arguments,
            environments=engine.slots[:slots],
        )
    raise SettingsError(f"There is no executor {settings.executor!r}; there are {LOCAL} and {RAY}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What rendering needs of the process it runs in. name: the process's. work_dir: holds a directory per attempt."""

    name: str
    stores: Stores
    clock: Clock
    work_dir: Path
    moderator: Moderator | None


def _resources(said: str) -> dict[str, float]:
    """Read ``name=1 other=0.5``.

    Raises: SettingsError.
    """
    resources: dict[str, float] = {}
    for part in said.replace(",", " ").split():
        name, _, amount = part.partition("=")
        try:
            resources[name] = float(amount)
        except ValueError:
            resources[name] = 0.0
        if not name or not 0 < resources[name] < math.inf:
            raise SettingsError(f"The setting ray_resources has {part!r}, which is not such as name=1.")
    return resources


def make_dispatcher(settings: Settings, engine: EngineOffer, executor: Executor, *, around: Surroundings) -> Dispatcher:
    """Return the dispatcher, not started.

    Raises: SettingsError.
    """
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
        store=around.stores.tasks,
        executor=executor,
        blobs=around.stores.blobs,
        clock=around.clock,
        jobs=jobs,
        limits=_dispatch_limits(settings, engine, around),
        media=around.stores.media,
        moderator=around.moderator,
        lease_clock=SteadyClock(),
    )
    return Dispatcher(workplace)


def _dispatch_limits(settings: Settings, engine: EngineOffer, around: Surroundings) -> DispatchLimits:
    is_shared = around.stores.tasks.is_shared
    heartbeat_most_s = SHARED_HEARTBEAT_MOST_S if is_shared else HEARTBEAT_MOST_S
    return DispatchLimits(
        worker=around.name,
        slots=slots_of(settings, engine),
        work_dir=around.work_dir,
        lease_s=settings.lease_s,
        heartbeat_s=min(settings.lease_s / HEARTBEATS_PER_LEASE, heartbeat_most_s),
        poll_interval_s=settings.poll_interval_s,
        attempts_max=settings.attempts_max,
        drain_s=settings.drain_s,
        retry_pause_s=0.05,
        keeping_s=FILM_KEEPING_S,
        # Of a store that others share, workers with another engine take the rest.
        engine=engine.name if is_shared else None,
        concurrency=settings.concurrency_per_key or None,
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
