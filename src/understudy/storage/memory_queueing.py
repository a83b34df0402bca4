"""Lanes, idempotency, duties, render times and listening in plain dictionaries: the part of the store beside tasks."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from understudy.core.ports import Heard
from understudy.core.queueing import Idempotency, Lane, RenderTime
from understudy.core.task import Status, Task
from understudy.storage.lifecycle import RENDER_TIMES_KEPT

Of = tuple[str, str]
"""A key's id and an engine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """How a lane stands. turn: the number of its latest turn, 0 for none."""

    queued: int = 0
    running: int = 0
    turn: int = 0


class MemoryQueueing:
    """A part of `MemoryTaskStore`, which tells it of each task that changed."""

    is_shared = False

    def __init__(self) -> None:
        self._tasks: dict[str, Task] = {}
        self._lanes: dict[Of, Turn] = {}
        self._used: dict[tuple[str, str], tuple[datetime, Idempotency]] = {}
        self._duties: dict[str, tuple[str, datetime]] = {}
        self._render_times: dict[str, list[tuple[datetime, int, RenderTime]]] = defaultdict(list)
        self._notes = 0
        self._listeners: list[tuple[asyncio.AbstractEventLoop, Heard]] = []

    async def recall(self, owner: str, idempotency_key: str) -> Idempotency | None:
        """See the port."""
        self._check_open()
        used = self._used.get((owner, idempotency_key))
        return None if used is None else used[1]

    async def lanes(self) -> Sequence[Lane]:
        """See the port."""
        self._check_open()
        return tuple(
            Lane(key_id=lane[0], engine=lane[1], queued=self._lanes[lane].queued, running=self._lanes[lane].running)
            for lane in sorted(self._lanes, key=self._place)
            if self._lanes[lane].queued or self._lanes[lane].running
        )

    async def queued_ids(self, key_id: str, engine: str, most: int) -> Sequence[str]:
        """See the port."""
        self._check_open()
        waiting = [task for task in self._tasks.values() if task.status is Status.QUEUED]
        mine = sorted((task for task in waiting if lane_of(task) == (key_id, engine)), key=urgency)
        return tuple(task.id for task in mine[:most])

    async def note_render(self, took: RenderTime, now: datetime) -> None:
        """See the port."""
        self._check_open()
        self._notes += 1
        self._render_times[took.kind] = [*self._render_times[took.kind], (now, self._notes, took)][-RENDER_TIMES_KEPT:]

    async def render_times(self, kinds: Sequence[str]) -> Sequence[RenderTime]:
        """See the port."""
        self._check_open()
        found = [each for kind in dict.fromkeys(kinds) for each in self._render_times.get(kind, ())]
        return tuple(took for _, _, took in sorted(found, key=lambda each: each[:2], reverse=True))

    async def lead(  # tidy: the port's
        self, duty: str, worker: str, now: datetime, until: datetime
    ) -> bool:
        """See the port."""
        self._check_open()
        leader, led_until = self._duties.get(duty, (worker, now))
        if leader != worker and led_until > now:
            return False
        self._duties[duty] = (worker, until)
        return True

    async def forget_idempotency(self, used_before: datetime, most: int) -> int:
        """See the port."""
        self._check_open()
        old = sorted((used_at, key) for key, (used_at, _) in self._used.items() if used_at < used_before)[:most]
        for _, key in old:
            del self._used[key]
        return len(old)

    def listen(self, heard: Heard) -> None:
        """See the port."""
        self._listeners.append((asyncio.get_running_loop(), heard))

    def _check_open(self) -> None:
        raise NotImplementedError

    def _announce(self, task_id: str | None) -> None:
        for loop, heard in self._listeners:
            loop.call_soon_threadsafe(heard, task_id)

    def _count(self, before: Task | None, after: Task | None) -> None:
        """Move a task between the counts of its lane. before, after: None = it is not stored."""
        task = after or before
        if task is None:
            return
        was, now = (each.status if each is not None else None for each in (before, after))
        lane = self._lanes.get(lane_of(task), Turn())
        has_its_turn = now is Status.RUNNING and was is not Status.RUNNING
        self._lanes[lane_of(task)] = replace(
            lane,
            queued=lane.queued + (now is Status.QUEUED) - (was is Status.QUEUED),
            running=lane.running + (now is Status.RUNNING) - (was is Status.RUNNING),
            turn=1 + max(each.turn for each in self._lanes.values()) if has_its_turn else lane.turn,
        )

    def _place(self, lane: Of) -> tuple[int, int, Of]:
        """Return where a lane stands in the order of turns."""
        return self._lanes[lane].running, self._lanes[lane].turn, lane


def lane_of(task: Task) -> Of:
    """Name a task's lane."""
    return task.key_id, task.engine


def urgency(task: Task) -> tuple[int, datetime, str]:
    """Return where a task stands in its lane."""
    return -(task.request.priority or 0), task.created_at, task.id
