"""A dispatcher on a memory store, with an executor whose renders end when and as the test says."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from manual_clock import ManualClock
from understudy.catalog.load import load_catalogue
from understudy.core.errors import Unavailable, Violation
from understudy.core.moderation import Moderator
from understudy.core.ports import OnProgress
from understudy.core.render import RenderJob, RenderResult
from understudy.core.task import EntryKind, Status, Task, TaskFilter
from understudy.service.attempt import DispatchLimits, Workplace
from understudy.service.dispatch import Dispatcher
from understudy.service.jobs import Jobs
from understudy.storage.blobs import LocalBlobStore
from understudy.storage.memory import MemoryTaskStore
from understudy.testing.samples import hold_of, sample_task

PATIENCE_S = 20.0
CATALOGUE = load_catalogue()
MODEL = CATALOGUE.model("doubao-seedance-2-0-260128")
JOBS = Jobs(catalogue=CATALOGUE, book_id="ark-list", shows_label=False)
FILM = b"film"
UNAVAILABLE = Unavailable(Violation("ServiceUnavailable", "", "The disk is full."))


@dataclass
class Render:
    """One call of `Executor.run`, under way until the test ends it."""

    slot: int
    job: RenderJob
    on_progress: OnProgress
    ending: "asyncio.Future[RenderResult]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    killed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def directory(self) -> Path:
        return Path(self.job.output_dir)

    def succeed(self, *, content: bytes = FILM, **changes: Any) -> None:
        (self.directory / "a.mp4").write_bytes(content)
        (self.directory / "a.png").write_bytes(b"frame")
        result = RenderResult(
            video="a.mp4",
            last_frame="a.png",
            ratio="16:9",
            width_px=864,
            height_px=496,
            duration_s=5,
            num_frames=120,
            has_sound=True,
            notes=("The fox is a cat.",),
        )
        self.ending.set_result(replace(result, **changes))

    def fail(self, error: Exception) -> None:
        self.ending.set_exception(error)


class Stage:
    """An executor that renders what the test renders."""

    def __init__(self) -> None:
        self.renders: asyncio.Queue[Render] = asyncio.Queue()

    async def run(self, slot: int, job: RenderJob, on_progress: OnProgress) -> RenderResult:
        render = Render(slot, job, on_progress)
        self.renders.put_nowait(render)
        try:
            return await render.ending
        except asyncio.CancelledError:
            render.killed.set()
            raise

    async def next(self) -> Render:
        return await asyncio.wait_for(self.renders.get(), PATIENCE_S)

    async def available(self, slot: int) -> None: ...

    async def start(self) -> None: ...

    async def close(self) -> None: ...


class TroubledStore(MemoryTaskStore):
    """A memory store that reports its calls, and that fails the next calls of a name when told to.

    failing: name -> how many calls to fail; after: whether such a call takes effect before it fails.
    """

    def __init__(self) -> None:
        super().__init__()
        self.failing: dict[str, int] = {}
        self.fails_after = False
        self.called: dict[str, asyncio.Queue[Any]] = {}

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name not in ("claim", "heartbeat", "finish", "hand_back", "expire", "purge"):
            return found

        async def call(*args: Any, **kwargs: Any) -> Any:
            fails = self.failing.get(name, 0) > 0
            self.failing[name] = self.failing.get(name, 0) - fails
            if fails and not self.fails_after:
                self._report(name, UNAVAILABLE)
                raise UNAVAILABLE
            answer = await found(*args, **kwargs)
            self._report(name, answer)
            if fails:
                raise UNAVAILABLE
            return answer

        return call

    def _report(self, name: str, answer: Any) -> None:
        self.called.setdefault(name, asyncio.Queue()).put_nowait(answer)

    async def answered(self, name: str) -> Any:
        """Wait for the next call of the name and return what it answered, or its error."""
        return await asyncio.wait_for(self.called.setdefault(name, asyncio.Queue()).get(), PATIENCE_S)


@dataclass
class Theatre:
    """Everything a test of dispatching touches."""

    store: TroubledStore
    stage: Stage
    blobs: LocalBlobStore
    clock: ManualClock
    workplace: Workplace
    dispatcher: Dispatcher

    async def submit(self, number: int = 0, **changes: Any) -> Task:
        """Store a task and wake the dispatcher."""
        assert MODEL is not None
        task = sample_task(number, model=MODEL.id, **changes)
        await self.store.insert(task, hold_of(task))
        self.dispatcher.wake()
        return task

    async def task(self, task: Task) -> Task:
        found = await self.store.get(task.owner, task.id)
        assert found is not None
        return found

    async def kinds(self, task: Task) -> list[EntryKind]:
        return [entry.kind for entry in await self.store.ledger(task.id)]

    def blob_names(self) -> set[str]:
        root = self.blobs._root
        return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}

    def work_names(self) -> set[str]:
        return {path.name for path in self.workplace.limits.work_dir.iterdir()}


@contextlib.asynccontextmanager
async def theatre(
    tmp_path: Path,
    *,
    store: TroubledStore | None = None,
    is_started: bool = True,
    jobs: Jobs = JOBS,
    moderator: Moderator | None = None,
    **changes: Any,
) -> AsyncIterator[Theatre]:
    """Yield a dispatcher that is started, with bounds that a test may change."""
    store = store or TroubledStore()
    (tmp_path / "work").mkdir(exist_ok=True)
    limits = DispatchLimits(
        worker="test",
        slots=1,
        work_dir=tmp_path / "work",
        lease_s=30.0,
        heartbeat_s=0.005,
        poll_interval_s=0.01,
        attempts_max=3,
        drain_s=0.0,
        retry_pause_s=0.001,
    )
    stage, clock, blobs = Stage(), ManualClock(sample_task().created_at), LocalBlobStore(tmp_path / "blobs")
    workplace = Workplace(
        store=store,
        executor=stage,
        blobs=blobs,
        clock=clock,
        jobs=jobs,
        limits=replace(limits, **changes),
        media=store.media,
        moderator=moderator,
    )
    dispatcher = Dispatcher(workplace)
    if is_started:
        await dispatcher.start()
    yield Theatre(store, stage, blobs, clock, workplace, dispatcher)
    await asyncio.wait_for(dispatcher.close(), PATIENCE_S)


async def statuses(store: MemoryTaskStore, task: Task) -> list[Status]:
    """Return the statuses of the owner's tasks."""
    start = task.created_at - timedelta(days=1)
    wanted = TaskFilter(page=1, page_size=100, created_after=start, cancelled_after=start)
    return [each.status for each in (await store.list_tasks(task.owner, wanted)).tasks]
