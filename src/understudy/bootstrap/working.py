"""A worker: it takes tasks from a database that servers fill, renders them, and answers nobody."""

import asyncio
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from understudy.bootstrap.checking import check, check_worker, chosen_engine
from understudy.bootstrap.data_dir import emptied_work_dir
from understudy.bootstrap.incoming import make_moderator
from understudy.bootstrap.machine import SystemClock
from understudy.bootstrap.rendering import Surroundings, make_dispatcher, make_executor, name_of_this_process, slots_of
from understudy.bootstrap.stores import open_stores
from understudy.net.resolve import SystemResolver
from understudy.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerReady:
    """What is told once a worker claims tasks. name: in claims and in the log."""

    name: str
    engine: str
    slots: int


async def work(settings: Settings, data_dir: Path, on_ready: Callable[[WorkerReady], None]) -> None:
    """Render until SIGINT or SIGTERM; then let renders finish for a moment and hand the rest back.

    Raises: SettingsError, CannotOpen before any task is claimed.
    """
    check(settings)
    check_worker(settings)
    engine = chosen_engine(settings)
    executor = make_executor(settings, engine)
    resolver = SystemResolver()
    moderator, clients = make_moderator(settings, resolver)
    stores = await open_stores(settings, data_dir)
    around = Surroundings(
        name=name_of_this_process(),
        stores=stores,
        clock=SystemClock(),
        work_dir=emptied_work_dir(data_dir),
        moderator=moderator,
    )
    dispatcher = make_dispatcher(settings, engine, executor, around=around)
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    try:
        await executor.start()
        await dispatcher.start()
        on_ready(WorkerReady(name=around.name, engine=engine.name, slots=slots_of(settings, engine)))
        await stopped.wait()
    finally:
        await dispatcher.close()
        await executor.close()
        for client in clients:
            await client.close()
        resolver.close()
        await stores.tasks.close()
