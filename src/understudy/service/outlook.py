"""What a task that has not ended can expect: its place in the queue, and when its film should be there.

Both are learned: the place by playing the turns of the lanes through (`TaskStore.claim` has the rule), the time from
films of the same engine, model and size that were made before. What cannot be known is left out and never made up.

The store is looked at once for everybody who asks, so that polls cost it nothing, and only while somebody asks.
"""

import asyncio
import heapq
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median
from typing import TypeVar

from understudy.core.errors import Unavailable
from understudy.core.queueing import Lane, RenderTime
from understudy.core.request import DURATION_CHOSEN_BY_ENGINE
from understudy.core.task import ENDED, Film, Status, Task
from understudy.service.query import Queries

log = logging.getLogger(__name__)

T = TypeVar("T")

PLACES_MOST = 1000
"""Of who waits behind so many only that is said: to know more would cost every look more, and help nobody."""

LOOK_EVERY_S = 1.0
LOOK_SHARE = 0.01
"""A look that takes long is taken seldomer: of all time, so much is spent on looks."""

GOOD_FOR_S = 5.0
"""An older look is not shown: it is from when somebody asked last, and that may be hours ago."""

ASKED_FOR_S = 60.0
LANES_MOST, KINDS_MOST = 100, 50
"""Lanes and kinds of films in view at one look: those last asked about, for as long as slow clients take to return."""

PATIENCE_S = 0.25
"""So long a poll waits for a look, if there is none that is young enough; no longer, whatever the store does."""

LIKE_S = 0.5
"""Films differ so little in length where one asked for whole seconds: a film of five has a frame more."""

PROGRESS_TOLD_FROM = 0.05
"""Before it, how fast the frames come says more of the start than of the rest."""

Place = tuple[str, str]
"""A lane: key_id and engine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """What a task can expect; None = not known.

    position: 1 = the next to be begun. above: it waits behind more than so many. eta_s: seconds until its film.
    """

    position: int | None = None
    above: int | None = None
    eta_s: int | None = None


UNKNOWN = Prospect()
BEYOND = Prospect(above=PLACES_MOST)
_NOTHING: Mapping[str, int] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    """Where films are made. slots: of this process; others may have more. lane_most: of a lane at once; None = any."""

    slots: int = 0
    lane_most: int | None = None


@dataclass(frozen=True, slots=True)
class _Seen:
    """One look at the store. at_s: monotonic. turns: lane -> positions of those that wait in it.

    ids: lane -> task -> which of the lane's it is, from 0. slots: engine -> how many films are made at once.
    free: engine -> how many of these are idle. waiting: lane -> how many wait. typical, told: worked out already.
    """

    at_s: float
    turns: Mapping[Place, Sequence[int]] = field(default_factory=dict)
    ids: Mapping[Place, Mapping[str, int]] = field(default_factory=dict)
    waiting: Mapping[Place, int] = field(default_factory=dict)
    slots: Mapping[str, int] = field(default_factory=dict)
    free: Mapping[str, int] = field(default_factory=dict)
    times: Mapping[str, Sequence[RenderTime]] = field(default_factory=dict)
    typical: dict[tuple[str, float | None], float | None] = field(default_factory=dict)
    told: dict[str, tuple[Status, Prospect]] = field(default_factory=dict)

    def is_beyond(self, place: Place) -> bool:
        """Say whether some of a lane wait behind all whose turns were counted."""
        return place in self.ids and self.waiting.get(place, 0) > len(self.turns.get(place, ()))


class Outlook:
    """Tells prospects from the last look, and looks again. For one event loop.

    now_s: monotonic.
    """

    def __init__(self, queries: Queries, *, rooms: Rooms, now_s: Callable[[], float] = time.monotonic) -> None:
        self._queries = queries
        self._rooms = rooms
        self._now_s = now_s
        self._seen: _Seen | None = None
        self._due_s = float("-inf")
        # When they were asked about last.
        self._lanes: dict[Place, float] = {}
        self._kinds: dict[str, float] = {}
        self._look: asyncio.Task[None] | None = None

    async def of(self, task: Task, *, patience_s: float = PATIENCE_S) -> Prospect:
        """Return what a task can expect, as the last look says or the next one, if that comes within some seconds.

        Of a task that has ended, or of a store that is away, nothing is known.
        """
        if task.status in ENDED:
            return UNKNOWN
        now_s = self._now_s()
        self._ask(task, now_s)
        wait_s = self._due_s - now_s
        if wait_s <= 0 or (wait_s <= patience_s and not self._has_in_view(task)):
            # Not cancelled with who waits for it: others do, too.
            await asyncio.wait({self._begin(wait_s)}, timeout=patience_s)
        return self._prospect(task) if self._is_young(self._now_s()) else UNKNOWN

    def glimpse(self, task: Task) -> Prospect | None:
        """Return what the last look says of a task that has not ended, at once; None if it is too old to say anything.

        The next look, which is under way then, has the task in view.
        """
        now_s, seen = self._now_s(), self._seen
        if now_s >= self._due_s:
            self._ask(task, now_s)
            self._begin(0)
        if seen is None or now_s - seen.at_s > GOOD_FOR_S:
            return None
        # Most are asked about more often than looks are taken, and every poll passes here.
        known = seen.told.get(task.id)
        if known is not None and known[0] is task.status:
            return known[1]
        self._ask(task, now_s)
        prospect = self._prospect(task)
        seen.told[task.id] = task.status, prospect
        return prospect

    def close(self) -> None:
        """Look no more."""
        self._due_s = float("inf")
        if self._look is not None:
            self._look.cancel()

    def _ask(self, task: Task, now_s: float) -> None:
        if task.status is Status.QUEUED:
            self._lanes[task.key_id, task.engine] = now_s
        self._kinds[kind_of(task)] = now_s

    def _is_young(self, now_s: float) -> bool:
        return self._seen is not None and now_s - self._seen.at_s <= GOOD_FOR_S

    def _has_in_view(self, task: Task) -> bool:
        seen, place = self._seen, (task.key_id, task.engine)
        if seen is None or kind_of(task) not in seen.times:
            return False
        if task.status is not Status.QUEUED or task.id in seen.ids.get(place, ()):
            return True
        return seen.is_beyond(place)

    def _begin(self, wait_s: float) -> "asyncio.Task[None]":
        if self._look is None or self._look.done():
            self._look = asyncio.get_running_loop().create_task(self._look_again(max(0, wait_s)), name="outlook")
        return self._look

    async def _look_again(self, wait_s: float) -> None:
        if wait_s:
            await asyncio.sleep(wait_s)
        began_s = self._now_s()
        self._lanes = _latest(self._lanes, began_s, LANES_MOST)
        self._kinds = _latest(self._kinds, began_s, KINDS_MOST)
        try:
            self._seen = await self._looked(tuple(self._lanes), tuple(self._kinds), began_s)
        except Unavailable as error:
            log.debug("no outlook: %s", error)
        except Exception:  # boundary: what is only told beside a task must not keep the task from being shown
            log.exception("no outlook")
        spent_s = self._now_s() - began_s
        self._due_s = began_s + max(LOOK_EVERY_S, spent_s / LOOK_SHARE)

    async def _looked(self, wanted: Sequence[Place], kinds: Sequence[str], at_s: float) -> _Seen:
        lanes = await self._queries.store.lanes()
        running: dict[str, int] = {}
        for lane in lanes:
            running[lane.engine] = running.get(lane.engine, 0) + lane.running
        slots = {engine: max(self._rooms.slots, busy) for engine, busy in running.items()}
        turns: dict[Place, Sequence[int]] = {}
        for engine in {engine for _, engine in wanted}:
            ours = [lane for lane in lanes if lane.engine == engine]
            turns.update(turns_of(ours, slots.get(engine, 0), lane_most=self._rooms.lane_most))
        ids = {}
        for key_id, engine in wanted:
            queued = await self._queries.store.queued_ids(key_id, engine, len(turns.get((key_id, engine), ())) or 1)
            ids[key_id, engine] = {task_id: index for index, task_id in enumerate(queued)}
        times: dict[str, list[RenderTime]] = {kind: [] for kind in kinds}
        for took in await self._queries.store.render_times(sorted(kinds)):
            times.setdefault(took.kind, []).append(took)
        return _Seen(
            at_s=at_s,
            turns=turns,
            ids=ids,
            waiting={(lane.key_id, lane.engine): lane.queued for lane in lanes},
            slots=slots,
            free={engine: slots[engine] - busy for engine, busy in running.items()},
            times=times,
        )

    def _prospect(self, task: Task) -> Prospect:
        seen = self._seen
        if seen is None:
            return UNKNOWN
        if task.status is Status.RUNNING:
            return Prospect(eta_s=_rounded(self._rest_s(seen, task)))
        place = (task.key_id, task.engine)
        turns = seen.turns.get(place, ())
        index = seen.ids.get(place, _NOTHING).get(task.id)
        if index is None or index >= len(turns):
            # Too far behind to be among those that were counted; or so new that it was not there yet.
            return BEYOND if seen.is_beyond(place) else UNKNOWN
        position = turns[index]
        return Prospect(position=position, eta_s=_rounded(self._wait_s(seen, task, position)))

    def _wait_s(self, seen: _Seen, task: Task, position: int) -> float | None:
        """Return how long a queued task's film should take from now: until its turn, and then to be made.

        Ends are taken to be spread evenly over the time that one film takes, and the films before to be like this one.
        """
        film_s = self._typical_s(seen, task)
        slots = seen.slots.get(task.engine, 0)
        if film_s is None or not slots:
            return None
        ends = position - seen.free.get(task.engine, 0)
        return film_s if ends <= 0 else (ends - 0.5) * film_s / slots + film_s

    def _rest_s(self, seen: _Seen, task: Task) -> float | None:
        """Return how long a running task's film should still take: by others like it, and by its own frames so far."""
        elapsed_s = max(0.0, (self._queries.clock.now() - task.updated_at).total_seconds())
        film_s = self._typical_s(seen, task)
        # A film that takes longer than any typical one is late by nobody knows how much.
        learned_s = None if film_s is None or film_s <= elapsed_s else film_s - elapsed_s
        done = min(task.progress, 1.0)
        if done < PROGRESS_TOLD_FROM:
            return learned_s
        counted_s = elapsed_s * (1 - done) / done
        return counted_s if learned_s is None else done * counted_s + (1 - done) * learned_s

    def _typical_s(self, seen: _Seen, task: Task) -> float | None:
        kind, length_s = kind_of(task), self._length_s(task)
        try:
            return seen.typical[kind, length_s]
        except KeyError:
            found = seen.typical[kind, length_s] = typical_s(seen.times.get(kind, ()), length_s)
            return found

    def _length_s(self, task: Task) -> float | None:
        request = task.request
        if request.frames is not None:
            model = self._queries.catalogue.model(request.model)
            return None if model is None else request.frames / model.fps
        return None if request.duration_s in (None, DURATION_CHOSEN_BY_ENGINE) else float(request.duration_s or 0)


def kind_of(task: Task) -> str:
    """Return what films are alike in that take equally long at equal length: engine, model and size."""
    request = task.request
    return f"{task.engine} {request.model} {request.resolution}"


def render_time(task: Task, film: Film, *, claimed_at: datetime, ended_at: datetime) -> RenderTime:
    """Return what is to be remembered of an attempt that succeeded."""
    took_s = (ended_at - claimed_at).total_seconds()
    return RenderTime(kind=kind_of(task), film_s=film.num_frames / film.fps, took_s=max(0.0, took_s))


def typical_s(times: Sequence[RenderTime], length_s: float | None) -> float | None:
    """Return how long a film of some length takes, by those that were made; None of none.

    length_s: None = any. Without one as long, others are scaled by their lengths.
    """
    if not times:
        return None
    if length_s is None:
        return median(each.took_s for each in times)
    as_long = [each.took_s for each in times if abs(each.film_s - length_s) <= LIKE_S]
    if as_long:
        return median(as_long)
    scaled = [each.took_s * length_s / each.film_s for each in times if each.film_s > 0]
    return median(scaled) if scaled else None


def turns_of(
    lanes: Sequence[Lane], slots: int, *, lane_most: int | None = None, most: int = PLACES_MOST
) -> Mapping[Place, Sequence[int]]:
    """Return which turns the tasks of each lane have among those of an engine, from 1, for the next so many turns.

    lanes: in the order of their turns. slots: how many films are made at a time; while all are busy, each turn waits
    for an end, which is taken to be one of the lane with the most running.
    """
    waits = [lane for lane in lanes if lane.queued]
    if len(waits) == 1:
        return {(waits[0].key_id, waits[0].engine): range(1, min(waits[0].queued, most) + 1)}
    turns: dict[Place, list[int]] = {(lane.key_id, lane.engine): [] for lane in lanes}
    places = list(turns)
    running = [lane.running for lane in lanes]
    left = [lane.queued for lane in lanes]
    busy = sum(running)
    # Who had a turn last comes after all who had none; entries that hold an old number of running films are void.
    order = list(range(len(lanes)))
    due = [(running[at], order[at], at) for at in range(len(lanes)) if left[at]]
    fullest = [(-running[at], order[at], at) for at in range(len(lanes)) if running[at]]
    heapq.heapify(due)
    heapq.heapify(fullest)
    turn, last, waiting = 0, len(lanes), sum(left)

    def has(at: int, count: int) -> None:
        running[at] = count
        if left[at]:
            heapq.heappush(due, (count, order[at], at))
        if count:
            heapq.heappush(fullest, (-count, order[at], at))

    while turn < most and waiting:
        while due and (due[0][:2] != (running[due[0][2]], order[due[0][2]]) or not left[due[0][2]]):
            heapq.heappop(due)
        is_capped = lane_most is not None and due[0][0] >= lane_most
        if busy >= max(slots, 1) or is_capped:
            while fullest and fullest[0][:2] != (-running[fullest[0][2]], order[fullest[0][2]]):
                heapq.heappop(fullest)
            if not fullest:
                break
            busy -= 1
            at = fullest[0][2]
            has(at, running[at] - 1)
            continue
        at = due[0][2]
        turn, last, busy = turn + 1, last + 1, busy + 1
        turns[places[at]].append(turn)
        left[at] -= 1
        waiting -= 1
        order[at] = last
        has(at, running[at] + 1)
    return turns


def _latest(asked: dict[T, float], now_s: float, most: int) -> dict[T, float]:
    """Return what was asked about not long ago, at most so many, the latest first."""
    young = [each for each in asked.items() if now_s - each[1] <= ASKED_FOR_S]
    return dict(heapq.nlargest(most, young, key=lambda each: each[1]))


def _rounded(seconds: float | None) -> int | None:
    return None if seconds is None else max(1, round(seconds))
