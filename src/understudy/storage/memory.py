"""The task store in plain dictionaries: for tests and for a server that is to leave nothing behind.

No method awaits between its first and its last step, so each is one transaction on the event loop.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from understudy.core.ports import ApiKey, IdTaken, Outcome
from understudy.core.queueing import ADMITTED, Admission, QueueFull, Replayed
from understudy.core.task import ENDED, Claim, LedgerEntry, Removed, Status, Task, TaskFilter, TaskPage
from understudy.storage.lifecycle import PURGE_MOST, bounded_progress, check_new, check_outcome, unavailable, voided
from understudy.storage.media_uses import media_of, task_user
from understudy.storage.memory_callbacks import MemoryCallbackStore
from understudy.storage.memory_media import MemoryMediaStore
from understudy.storage.memory_queueing import MemoryQueueing, Turn, lane_of, urgency
from understudy.storage.rows import encode_part, encode_warnings

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Lease:
    worker: str
    until: datetime


class MemoryTaskStore(MemoryQueueing):
    """`core.ports.TaskStore` without files; everything is gone when the process ends."""

    def __init__(self) -> None:
        super().__init__()
        self.media = MemoryMediaStore()
        self.callbacks = MemoryCallbackStore(check_open=self._check_open, is_live=self._is_live)
        self._leases: dict[str, _Lease] = {}
        self._entries: dict[str, list[LedgerEntry]] = {}
        self._keys: dict[str, ApiKey] = {}
        self._removed: dict[str, tuple[datetime, Removed]] = {}
        self._is_closed = False

    async def insert(self, task: Task, hold: LedgerEntry, admission: Admission = ADMITTED) -> None:
        """See the port; an id stays taken as long as its ledger remains."""
        self._check_open()
        check_new(task, hold, admission)
        # Encoded only to refuse what the other stores refuse.
        encode_part(task.request, "content")
        encode_warnings(task.warnings)
        self._check_admission(task, admission)
        if task.id in self._entries:
            raise IdTaken(task.id)
        self.media.use(media_of(task), task_user(task.id))
        if admission.idempotency is not None:
            used = replace(admission.idempotency, task_id=task.id)
            self._used[task.owner, used.key] = (task.created_at, used)
        if admission.callback is not None:
            self.callbacks.begin(task, admission.callback)
        self._entries[task.id] = [hold]
        self._keep(task)

    async def get(self, owner: str, task_id: str) -> Task | None:
        """See the port."""
        self._check_open()
        task = self._tasks.get(task_id)
        return task if task is not None and task.owner == owner else None

    async def list_tasks(self, owner: str, wanted: TaskFilter) -> TaskPage:
        """See the port."""
        self._check_open()
        matching = [task for task in self._tasks.values() if task.owner == owner and _matches(task, wanted)]
        if wanted.after is not None:
            last = await self.get(owner, wanted.after)
            matching = [] if last is None else [task for task in matching if _is_behind(task, last, wanted)]
        matching.sort(key=_place, reverse=not wanted.is_oldest_first)
        start = (wanted.page - 1) * wanted.page_size
        return TaskPage(tasks=tuple(matching[start : start + wanted.page_size]), total=len(matching))

    async def withdraw(self, owner: str, task_id: str, now: datetime) -> Task | None:
        """See the port."""
        task = await self.get(owner, task_id)
        if task is None:
            return None
        if task.status is Status.QUEUED:
            self._void(replace(task, status=Status.CANCELLED, updated_at=max(task.updated_at, now)))
        elif task.status in (Status.SUCCEEDED, Status.FAILED, Status.EXPIRED) and not task.is_archived:
            self._remove(task)
        return task

    async def archive(self, owner: str, task_id: str) -> Task | None:
        """See the port."""
        return await self._archive(owner, task_id, is_archived=True)

    async def unarchive(self, owner: str, task_id: str) -> Task | None:
        """See the port."""
        return await self._archive(owner, task_id, is_archived=False)

    async def cancel(self, owner: str, task_id: str, now: datetime) -> Task | None:
        """See the port."""
        task = await self.get(owner, task_id)
        if task is not None and task.status not in ENDED:
            self._leases.pop(task.id, None)
            self._void(replace(task, status=Status.CANCELLED, updated_at=max(task.updated_at, now)))
        return task

    async def claim(  # tidy: the port's
        self,
        worker: str,
        now: datetime,
        lease_until: datetime,
        *,
        engine: str | None = None,
        concurrency: int | None = None,
        lease_now: datetime | None = None,
    ) -> Claim | None:
        """See the port; a lease has lapsed from the moment ``lease_until`` on, a task from ``expires_at`` on."""
        self._check_open()
        mine = [task for task in self._tasks.values() if engine in (None, task.engine) and task.expires_at > now]
        lapsed = [task for task in mine if self._is_lapsed(task, lease_now or now)]
        waiting = [task for task in mine if task.status is Status.QUEUED and self._may_run(task, concurrency)]
        if waiting:
            lane = min(map(lane_of, waiting), key=self._place)
            lapsed.append(min((task for task in waiting if lane_of(task) == lane), key=urgency))
        if not lapsed:
            return None
        chosen = min(lapsed, key=urgency)
        task = replace(
            chosen,
            status=Status.RUNNING,
            attempt=chosen.attempt + 1,
            progress=0.0,
            updated_at=max(chosen.updated_at, now),
        )
        self._leases[task.id] = _Lease(worker, lease_until)
        self._keep(task)
        return Claim(task=task, token=task.attempt, worker=worker)

    async def heartbeat(self, claim: Claim, progress: float, lease_until: datetime) -> bool:
        """See the port."""
        task = self._current(claim)
        if task is None:
            return False
        self._tasks[task.id] = replace(task, progress=bounded_progress(progress))
        self._leases[task.id] = _Lease(self._leases[task.id].worker, lease_until)
        return True

    async def finish(self, claim: Claim, outcome: Outcome, now: datetime) -> bool:
        """See the port; the outcome's warnings come after those the task has."""
        check_outcome(claim, outcome)
        task = self._current(claim)
        if task is None:
            return False
        ended = replace(
            task,
            status=outcome.status,
            updated_at=max(task.updated_at, now),
            progress=1.0 if outcome.status is Status.SUCCEEDED else task.progress,
            film=outcome.film,
            completion_tokens=outcome.completion_tokens,
            error=outcome.error,
            warnings=task.warnings + outcome.warnings,
        )
        del self._leases[task.id]
        self._entries[task.id].append(outcome.entry)
        self._keep(ended)
        return True

    async def hand_back(self, claim: Claim, now: datetime) -> bool:
        """See the port."""
        task = self._current(claim)
        if task is None:
            return False
        self._requeue(task, now)
        return True

    async def hand_back_all(self, now: datetime) -> int:
        """See the port."""
        self._check_open()
        running = [task for task in self._tasks.values() if task.status is Status.RUNNING]
        for task in running:
            self._requeue(task, now)
        return len(running)

    async def expire(self, now: datetime) -> Sequence[str]:
        """See the port."""
        self._check_open()
        late = [task for task in self._tasks.values() if task.status not in ENDED and task.expires_at <= now]
        for task in late:
            self._leases.pop(task.id, None)
            self._void(replace(task, status=Status.EXPIRED, updated_at=max(task.updated_at, now)))
        return tuple(task.id for task in late)

    async def purge(self, *, created_before: datetime, cancelled_before: datetime) -> Sequence[Task]:
        """See the port."""
        self._check_open()
        ended = [task for task in self._tasks.values() if task.status in ENDED and not task.is_archived]
        old = sorted((task for task in ended if task.created_at < created_before), key=lambda task: task.created_at)
        cancelled = (task for task in ended if task.status is Status.CANCELLED and task.updated_at < cancelled_before)
        rest = sorted((task for task in cancelled if task.created_at >= created_before), key=lambda t: t.updated_at)
        removed = tuple((old + rest)[:PURGE_MOST])
        for task in removed:
            self._remove(task)
        return removed

    async def take_removed(self, now: datetime, most: int) -> Sequence[Removed]:
        """See the port."""
        self._check_open()
        due = sorted((tried_at, task_id) for task_id, (tried_at, _) in self._removed.items() if tried_at < now)
        taken = [self._removed[task_id][1] for _, task_id in due[:most]]
        self._removed.update({removed.id: (now, removed) for removed in taken})
        return tuple(taken)

    async def forget_removed(self, task_ids: Sequence[str]) -> None:
        """See the port."""
        self._check_open()
        for task_id in task_ids:
            self._removed.pop(task_id, None)

    async def ledger(self, task_id: str) -> Sequence[LedgerEntry]:
        """See the port."""
        self._check_open()
        return tuple(self._entries.get(task_id, ()))

    async def add_key(self, key: ApiKey) -> None:
        """See the port.

        Raises:
            ValueError: the id or the digest is in use.
        """
        self._check_open()
        if key.id in self._keys or any(key.digest == other.digest for other in self._keys.values()):
            raise ValueError(f"the key {key.id!r} or its digest is stored already")
        self._keys[key.id] = key

    async def keys(self) -> Sequence[ApiKey]:
        """See the port; oldest first."""
        self._check_open()
        return tuple(sorted(self._keys.values(), key=lambda key: (key.created_at, key.id)))

    async def close(self) -> None:
        """See the port; later calls are refused as `Unavailable`."""
        self._is_closed = True

    async def _archive(self, owner: str, task_id: str, *, is_archived: bool) -> Task | None:
        task = await self.get(owner, task_id)
        if task is not None:
            task = self._tasks[task_id] = replace(task, is_archived=is_archived)
        return task

    def _keep(self, task: Task) -> None:
        """Store a task whose status may have changed, and all that follows from it."""
        before = self._tasks.get(task.id)
        self._tasks[task.id] = task
        self._count(before, task)
        if before is None or before.status is not task.status:
            self.callbacks.change(task)
        self._announce(task.id)

    def _check_admission(self, task: Task, admission: Admission) -> None:
        used = admission.idempotency and self._used.get((task.owner, admission.idempotency.key))
        if used:
            raise Replayed(used[1])
        waiting = self._lanes.get(lane_of(task), Turn()).queued
        if admission.queued_most is not None and waiting >= admission.queued_most:
            raise QueueFull(admission.queued_most)

    def _remove(self, task: Task) -> None:
        del self._tasks[task.id]
        self.media.unuse(task_user(task.id))
        if task.attempt:
            self._removed[task.id] = (_NEVER, Removed(id=task.id, attempt=task.attempt))

    def _check_open(self) -> None:
        if self._is_closed:
            raise unavailable("it is shutting down")

    def _current(self, claim: Claim) -> Task | None:
        self._check_open()
        task = self._tasks.get(claim.task.id)
        is_current = task is not None and task.status is Status.RUNNING and task.attempt == claim.token
        return task if is_current else None

    def _is_live(self, task_id: str) -> bool:
        return task_id in self._tasks and self._tasks[task_id].status not in ENDED

    def _is_lapsed(self, task: Task, now: datetime) -> bool:
        return task.status is Status.RUNNING and self._leases[task.id].until <= now

    def _may_run(self, task: Task, concurrency: int | None) -> bool:
        return concurrency is None or self._lanes[lane_of(task)].running < concurrency

    def _requeue(self, task: Task, now: datetime) -> None:
        del self._leases[task.id]
        self._keep(replace(task, status=Status.QUEUED, updated_at=max(task.updated_at, now), progress=0.0))

    def _void(self, ended: Task) -> None:
        entries = self._entries[ended.id]
        entries.append(voided(entries[0]))
        self._keep(ended)


def _place(task: Task) -> tuple[datetime, str]:
    return task.created_at, task.id


def _is_behind(task: Task, last: Task, wanted: TaskFilter) -> bool:
    return _place(task) > _place(last) if wanted.is_oldest_first else _place(task) < _place(last)


def _is_shown(task: Task, wanted: TaskFilter) -> bool:
    if task.is_archived:
        return True
    is_cancelled_long_ago = task.status is Status.CANCELLED and task.updated_at < wanted.cancelled_after
    return task.created_at >= wanted.created_after and not is_cancelled_long_ago


def _matches(task: Task, wanted: TaskFilter) -> bool:
    return _is_shown(task, wanted) and (
        (wanted.status is None or task.status is wanted.status)
        and (not wanted.task_ids or task.id in wanted.task_ids)
        and (wanted.model is None or task.request.model == wanted.model)
        and (wanted.service_tier is None or task.request.service_tier == wanted.service_tier)
    )
