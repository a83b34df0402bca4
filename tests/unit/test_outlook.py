"""What a task can expect: its turn, worked out from the lanes, and its time, learned from films like it."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manual_clock import ManualClock
from understudy.catalog.load import load_catalogue
from understudy.core.errors import Unavailable, Violation
from understudy.core.queueing import Lane, RenderTime
from understudy.core.task import Status, Task
from understudy.dialects.ark import ARK
from understudy.service.outlook import (
    GOOD_FOR_S,
    LOOK_EVERY_S,
    LOOK_SHARE,
    PLACES_MOST,
    UNKNOWN,
    Outlook,
    Prospect,
    Rooms,
    kind_of,
    render_time,
    turns_of,
    typical_s,
)
from understudy.service.query import Queries
from understudy.service.retention import Retention
from understudy.storage.blobs import LocalBlobStore
from understudy.storage.memory import MemoryTaskStore
from understudy.testing.samples import LEASE_END, NOW, sample_task, success_of
from understudy.testing.store_steps import put

ENGINE = sample_task(1).engine


def lane(key_id: str, queued: int, running: int = 0) -> Lane:
    return Lane(key_id=key_id, engine=ENGINE, queued=queued, running=running)


def turns(*lanes: Lane, slots: int, lane_most: int | None = None, most: int = 100) -> dict[str, list[int]]:
    found = turns_of(lanes, slots, lane_most=lane_most, most=most)
    return {key_id: list(numbers) for (key_id, _), numbers in found.items()}


def test_a_lane_alone_has_every_turn() -> None:
    assert turns(lane("a", 3), slots=1) == {"a": [1, 2, 3]}


def test_lanes_take_turns() -> None:
    assert turns(lane("a", 3), lane("b", 2), slots=2) == {"a": [1, 3, 5], "b": [2, 4]}


def test_the_lane_with_the_fewest_running_goes_first() -> None:
    assert turns(lane("b", 2, 0), lane("a", 2, 2), slots=4) == {"b": [1, 2], "a": [3, 4]}


def test_where_all_slots_are_busy_each_turn_waits_for_an_end_of_the_fullest_lane() -> None:
    # A's four films end one by one; each end is b's turn until both have as many.
    assert turns(lane("b", 3, 0), lane("a", 3, 4), slots=4) == {"b": [1, 2, 4], "a": [3, 5, 6]}


def test_a_lane_that_runs_as_many_as_it_may_lets_others_go_first() -> None:
    assert turns(lane("a", 2, 1), lane("b", 2, 1), slots=9, lane_most=1) == {"a": [1, 3], "b": [2, 4]}
    assert turns(lane("a", 2, 0), lane("b", 2, 2), slots=9, lane_most=2) == {"a": [1, 2], "b": [3, 4]}


def test_turns_beyond_the_bound_are_not_counted() -> None:
    assert turns(lane("a", 10**6), lane("b", 1), slots=1, most=5) == {"a": [1, 3, 4, 5], "b": [2]}


def test_nothing_that_waits_has_no_turn() -> None:
    assert not any(turns(lane("a", 0, 1), lane("b", 0), slots=1).values())
    assert turns(slots=1) == {}


@given(
    lanes=st.lists(st.tuples(st.integers(0, 8), st.integers(0, 4)), min_size=1, max_size=5),
    slots=st.integers(0, 6),
    lane_most=st.none() | st.integers(1, 3),
)
def test_every_task_has_one_turn_and_no_lane_waits_for_ever(
    lanes: list[tuple[int, int]], slots: int, lane_most: int | None
) -> None:
    given_lanes = [lane(str(number), queued, running) for number, (queued, running) in enumerate(lanes)]
    found = turns(*given_lanes, slots=slots, lane_most=lane_most)
    total = sum(queued for queued, _ in lanes)
    assert sorted(number for numbers in found.values() for number in numbers) == list(range(1, total + 1))
    for each in given_lanes:
        numbers = found.get(each.key_id, [])
        assert numbers == sorted(numbers)
        assert len(numbers) == each.queued


@given(seed=st.integers(0, 2**32), keys=st.integers(1, 4), slots=st.integers(1, 4))
async def test_the_turns_are_those_that_a_store_gives(seed: int, keys: int, slots: int) -> None:
    """Films that end in the order assumed are claimed in the order foretold."""
    chance, store = random.Random(seed), MemoryTaskStore()
    await put(store, *(sample_task(number, key_id=f"key-{chance.randrange(keys)}") for number in range(12)))
    running = [claim for _ in range(slots) if (claim := await store.claim("w", NOW, LEASE_END))]
    lanes = list(await store.lanes())
    foretold: dict[int, str] = {}
    for (key_id, engine), numbers in turns_of(lanes, slots).items():
        ids = await store.queued_ids(key_id, engine, 100)
        foretold |= dict(zip(numbers, ids, strict=True))
    order = {each.key_id: place for place, each in enumerate(lanes)}
    for number in sorted(foretold):
        busy = {key: sum(claim.task.key_id == key for claim in running) for key in order}
        fullest = max(busy, key=lambda key: busy[key])
        ending = [claim for claim in running if busy[claim.task.key_id] == busy[fullest]]
        # Among lanes that are equally full the next turn does not depend on which one's film ends, but the rest may.
        if len({claim.task.key_id for claim in ending}) > 1:
            break
        running.remove(ending[0])
        await store.finish(ending[0], success_of(ending[0]), NOW)
        claim = await store.claim("w", NOW, LEASE_END)
        assert claim is not None
        assert claim.task.id == foretold[number]
        running.append(claim)
    await store.close()


def took(took_s: float, film_s: float = 5.0, kind: str = "k") -> RenderTime:
    return RenderTime(kind=kind, film_s=film_s, took_s=took_s)


@pytest.mark.parametrize(
    ("times", "length_s", "expected"),
    [
        ((), 5, None),
        ((took(10), took(30), took(11)), 5, 11),
        ((took(10, 5.04), took(99, 10)), 5, 10),
        ((took(10, 5), took(22, 10)), 15, (30 + 33) / 2),
        ((took(10, 5), took(30, 10)), None, 20),
        ((took(10, 0),), 5, None),
    ],
    ids=["none", "median", "as long", "scaled", "any length", "of no length"],
)
def test_a_time_is_learned_from_films_as_long_or_scaled_from_others(
    times: Sequence[RenderTime], length_s: float | None, expected: float | None
) -> None:
    assert typical_s(times, length_s) == expected


def test_what_is_remembered_of_a_film_says_its_kind_its_length_and_its_time() -> None:
    task = sample_task(1)
    task = replace(task, request=replace(task.request, resolution="720p"))
    film = success_of_film(task)
    found = render_time(task, film, claimed_at=NOW, ended_at=NOW + timedelta(seconds=90))
    assert found == RenderTime(kind=kind_of(task), film_s=film.num_frames / film.fps, took_s=90)
    assert kind_of(task) == f"{task.engine} {task.request.model} 720p"
    backwards = render_time(task, film, claimed_at=NOW, ended_at=NOW - timedelta(seconds=90))
    assert backwards.took_s == 0, "a clock that was set back"


def success_of_film(task: Task):
    from understudy.core.task import Claim

    film = success_of(Claim(task=replace(task, status=Status.RUNNING, attempt=1), token=1, worker="w")).film
    assert film is not None
    return film


class Store(MemoryTaskStore):
    """Counts looks, can be away, and takes as long as it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0
        self.is_away = False
        self.time: Time | None = None
        self.look_s = 0.0
        self.gate: asyncio.Event | None = None

    async def lanes(self) -> Sequence[Lane]:
        self.looks += 1
        if self.gate is not None:
            await self.gate.wait()
        if self.time is not None:
            self.time.now_s += self.look_s
        if self.is_away:
            raise Unavailable(Violation("ServiceUnavailable", "", "away"))
        return await super().lanes()


class Time:
    """A monotonic clock moved by hand."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class Bench:
    """An outlook over a store, with its clocks."""

    def __init__(self, folder: Path, slots: int = 1) -> None:
        self.store, self.time, self.clock = Store(), Time(), ManualClock()
        retention = Retention(
            record_retention_s=ARK.profile.record_retention_s, cancelled_retention_s=ARK.profile.cancelled_retention_s
        )
        queries = Queries(
            catalogue=load_catalogue(),
            store=self.store,
            blobs=LocalBlobStore(folder),
            clock=self.clock,
            retention=retention,
        )
        self.outlook = Outlook(queries, rooms=Rooms(slots=slots), now_s=self.time)

    async def remember(self, *times: RenderTime) -> None:
        for each in times:
            await self.store.note_render(each, self.clock.now())

    async def settled(self) -> None:
        """Return once no look is under way."""
        if self.outlook._look is not None:
            await asyncio.wait({self.outlook._look})


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.outlook.close()
    await made.store.close()


def task_of(number: int, **changes: object) -> Task:
    """Return a task of five seconds."""
    task = sample_task(number)
    request = replace(task.request, duration_s=5, frames=None, resolution="720p")
    return replace(task, request=request, **changes)  # type: ignore[arg-type]


async def test_a_queued_task_is_told_its_position_and_its_time(bench: Bench) -> None:
    tasks = [task_of(number) for number in range(1, 4)]
    await put(bench.store, *tasks)
    await bench.remember(took(60, kind=kind_of(tasks[0])))
    assert await bench.outlook.of(tasks[0]) == Prospect(position=1, eta_s=60), "the slot is free"
    assert await bench.outlook.of(tasks[1]) == Prospect(position=2, eta_s=90), "half a film, then its own"
    assert await bench.outlook.of(tasks[2]) == Prospect(position=3, eta_s=150)


async def test_priority_counts_within_a_lane(bench: Bench) -> None:
    low, high = task_of(1), task_of(2)
    high = replace(high, request=replace(high.request, priority=9))
    await put(bench.store, low, high)
    assert (await bench.outlook.of(low)).position == 2
    assert (await bench.outlook.of(high)).position == 1


async def test_a_running_task_is_told_its_time_by_others_and_by_its_own_progress(bench: Bench) -> None:
    task = task_of(1)
    await put(bench.store, task)
    await bench.remember(took(100, kind=kind_of(task)))
    claim = await bench.store.claim("w", bench.clock.now(), LEASE_END)
    assert claim is not None
    running = claim.task
    assert await bench.outlook.of(running) == Prospect(eta_s=100)
    bench.clock.advance(seconds=40)
    assert (await bench.outlook.of(running)).eta_s == 60
    # Half done after forty seconds: forty more by its own pace, sixty by others; half the weight each.
    assert (await bench.outlook.of(replace(running, progress=0.5))).eta_s == 50
    assert (await bench.outlook.of(replace(running, progress=0.04))).eta_s == 60
    bench.clock.advance(seconds=100)
    assert await bench.outlook.of(running) == UNKNOWN, "it is late, by nobody knows how much"
    assert (await bench.outlook.of(replace(running, progress=0.7))).eta_s == 60


async def test_what_is_not_known_is_not_told(bench: Bench) -> None:
    task = task_of(1)
    await put(bench.store, task)
    assert await bench.outlook.of(task) == Prospect(position=1), "no film like it was made"
    ended = replace(task, status=Status.SUCCEEDED)
    assert await bench.outlook.of(ended) == UNKNOWN


async def test_without_a_place_where_films_are_made_no_time_is_told(tmp_path: Path) -> None:
    bench, task = Bench(tmp_path, slots=0), task_of(1)
    await put(bench.store, task, task_of(2))
    await bench.remember(took(60, kind=kind_of(task)))
    assert await bench.outlook.of(task) == Prospect(position=1)
    # A worker elsewhere has one: as many places are known as films are made.
    assert (await bench.store.claim("elsewhere", NOW, LEASE_END)) is not None
    bench.time.now_s += LOOK_EVERY_S
    assert await bench.outlook.of(task_of(2)) == Prospect(position=1, eta_s=90)
    bench.outlook.close()


async def test_behind_very_many_only_that_is_told(bench: Bench) -> None:
    await put(bench.store, *(task_of(number) for number in range(PLACES_MOST + 2)))
    ids = await bench.store.queued_ids(task_of(1).key_id, ENGINE, PLACES_MOST + 2)
    by_id = {each.id: each for each in (task_of(number) for number in range(PLACES_MOST + 2))}
    assert await bench.outlook.of(by_id[ids[PLACES_MOST - 1]]) == Prospect(position=PLACES_MOST)
    assert await bench.outlook.of(by_id[ids[PLACES_MOST]]) == Prospect(above=PLACES_MOST)
    assert bench.store.looks == 1


async def test_any_number_of_polls_is_one_look_a_second(bench: Bench) -> None:
    task = task_of(1)
    await put(bench.store, task)
    for _ in range(100):
        await bench.outlook.of(task)
        bench.outlook.glimpse(task)
    assert bench.store.looks == 1
    bench.time.now_s += LOOK_EVERY_S
    await asyncio.gather(*(bench.outlook.of(task) for _ in range(100)))
    assert bench.store.looks == 2


async def test_a_glimpse_waits_for_nothing_and_has_the_next_look_in_view(bench: Bench) -> None:
    task = task_of(1)
    await put(bench.store, task)
    assert bench.outlook.glimpse(task) is None, "nobody asked before"
    await bench.settled()
    assert bench.outlook.glimpse(task) == Prospect(position=1)
    bench.time.now_s += GOOD_FOR_S + 1
    assert bench.outlook.glimpse(task) is None, "what was seen so long ago is not shown"
    await bench.settled()
    assert bench.outlook.glimpse(task) == Prospect(position=1)
    assert bench.store.looks == 2


async def test_nobody_who_asks_means_no_look(bench: Bench) -> None:
    await put(bench.store, task_of(1))
    bench.time.now_s += 100
    for _ in range(10):
        await asyncio.sleep(0)
    assert bench.store.looks == 0


async def test_a_look_that_takes_long_is_taken_seldom(bench: Bench) -> None:
    task = task_of(1)
    await put(bench.store, task)
    bench.store.time, bench.store.look_s = bench.time, 0.1
    await bench.outlook.of(task)
    bench.time.now_s += 0.1 / LOOK_SHARE - 0.2
    await bench.outlook.of(task)
    assert bench.store.looks == 1
    bench.time.now_s += 0.2
    await bench.outlook.of(task)
    assert bench.store.looks == 2


async def test_a_store_that_is_away_or_hangs_keeps_nobody_waiting(bench: Bench) -> None:
    task = task_of(1)
    await put(bench.store, task)
    bench.store.is_away = True
    assert await bench.outlook.of(task) == UNKNOWN
    bench.store.is_away, bench.store.gate = False, asyncio.Event()
    bench.time.now_s += LOOK_EVERY_S
    assert await bench.outlook.of(task, patience_s=0.01) == UNKNOWN
    bench.store.gate.set()
    await bench.settled()
    assert (await bench.outlook.of(task)).position == 1


async def test_a_task_newer_than_the_last_look_is_known_at_the_next(bench: Bench) -> None:
    first, second = task_of(1), task_of(2)
    await put(bench.store, first)
    await bench.outlook.of(first)
    await put(bench.store, second)
    assert await bench.outlook.of(second) == UNKNOWN
    bench.time.now_s += LOOK_EVERY_S
    assert (await bench.outlook.of(second)).position == 2


async def test_slow_clients_of_two_keys_both_stay_in_view(bench: Bench) -> None:
    a, b = task_of(1, key_id="a"), task_of(2, key_id="b")
    await put(bench.store, a, b)
    for each in (a, b, a, b):
        bench.time.now_s += LOOK_EVERY_S + 0.1
        assert (await bench.outlook.of(each)).position is not None
        other = b if each is a else a
        glimpsed = bench.outlook.glimpse(other)
        assert glimpsed is not None
        assert bench.store.looks == 1 or glimpsed.position is not None
