"""The listings in the conformance suite of task stores; `stores` holds the rest and joins the two."""

from datetime import timedelta

import pytest

from understudy.core.ports import TaskStore
from understudy.core.task import ENDED, Status
from understudy.testing.samples import NOW, sample_task
from understudy.testing.store_steps import LATER, TICK, claimed, ended, listed, page_of, put


class ListingConformance:
    """What every task store must list."""

    async def test_a_listing_is_newest_first_then_by_id(self, store: TaskStore) -> None:
        same = {number: sample_task(number, created_at=NOW) for number in (4, 5)}
        await put(store, same[5], sample_task(2), sample_task(9), same[4], sample_task(1))
        assert await listed(store) == [9, 2, 1, 5, 4]

    async def test_pages_cut_the_listing_and_total_counts_all(self, store: TaskStore) -> None:
        await put(store, *map(sample_task, range(7)))
        pages = [await listed(store, page=page, page_size=3) for page in (1, 2, 3, 4)]
        assert pages == [[6, 5, 4], [3, 2, 1], [0], []]
        for number in (1, 4):
            assert (await page_of(store, page=number, page_size=3)).total == 7

    async def test_total_counts_only_what_matches(self, store: TaskStore) -> None:
        await put(store, sample_task(0, model="model-b"), sample_task(1, owner="project-b"), sample_task(2))
        assert (await page_of(store, page_size=1, model="model-b")).total == 1

    @pytest.mark.parametrize("status", Status)
    async def test_a_listing_filters_by_status(self, store: TaskStore, status: Status) -> None:
        for number, end in enumerate(sorted(ENDED)):
            await ended(store, number, end)
        await put(store, sample_task(4), sample_task(5, priority=1))
        await claimed(store)
        expected = {end: [number] for number, end in enumerate(sorted(ENDED))}
        assert await listed(store, status=status) == {**expected, Status.QUEUED: [4], Status.RUNNING: [5]}[status]

    async def test_a_listing_filters_by_model_tier_and_ids_together(self, store: TaskStore) -> None:
        await put(store, sample_task(0), sample_task(1, model="model-b"), sample_task(2, service_tier="flex"))
        await put(store, sample_task(3, model="model-b", service_tier="flex"), sample_task(4, service_tier=None))
        ids = tuple(sample_task(number).id for number in (3, 2, 9))
        assert await listed(store, model="model-b") == [3, 1]
        assert await listed(store, service_tier="flex") == [3, 2]
        assert await listed(store, service_tier="default") == [1, 0]
        assert await listed(store, task_ids=ids) == [3, 2]
        assert await listed(store, task_ids=ids, page=2, page_size=1) == [2]
        assert await listed(store, task_ids=ids, model="model-b", service_tier="flex") == [3]
        assert await listed(store, task_ids=ids, model="model-b", status=Status.RUNNING) == []

    async def test_a_listing_shows_no_older_records(self, store: TaskStore) -> None:
        await put(store, sample_task(1), sample_task(2), sample_task(3))
        assert await listed(store, created_after=sample_task(2).created_at) == [3, 2]
        assert await listed(store, created_after=sample_task(2).created_at + TICK) == [3]

    async def test_a_listing_shows_no_cancelled_task_past_its_time(self, store: TaskStore) -> None:
        await ended(store, 1, Status.CANCELLED)
        await ended(store, 2, Status.FAILED)
        assert await listed(store, cancelled_after=LATER) == [2, 1]
        assert await listed(store, cancelled_after=LATER + TICK) == [2]

    async def test_a_listing_can_begin_with_the_oldest(self, store: TaskStore) -> None:
        same = {number: sample_task(number, created_at=NOW) for number in (4, 5)}
        await put(store, same[5], sample_task(2), sample_task(9), same[4], sample_task(1))
        assert await listed(store, is_oldest_first=True) == [4, 5, 1, 2, 9]
        assert await listed(store, is_oldest_first=True, page=2, page_size=2) == [1, 2]
        ids = tuple(sample_task(number).id for number in (9, 5, 4))
        assert await listed(store, is_oldest_first=True, task_ids=ids) == [4, 5, 9]

    async def test_a_listing_goes_on_right_behind_a_task(self, store: TaskStore) -> None:
        same = {number: sample_task(number, created_at=NOW) for number in (4, 5, 6)}
        await put(store, same[6], same[5], sample_task(2), sample_task(9), same[4], sample_task(1))
        for number, behind in ((9, [2, 1, 6, 5, 4]), (1, [6, 5, 4]), (5, [4]), (4, [])):
            assert await listed(store, after=sample_task(number).id) == behind
        for number, behind in ((4, [5, 6, 1, 2, 9]), (5, [6, 1, 2, 9]), (2, [9]), (9, [])):
            assert await listed(store, after=sample_task(number).id, is_oldest_first=True) == behind

    async def test_pages_by_cursor_show_every_task_once(self, store: TaskStore) -> None:
        await put(store, *(sample_task(number, created_at=NOW) for number in range(7)))
        for is_oldest_first in (False, True):
            seen: list[int] = []
            for _ in range(4):
                after = sample_task(seen[-1]).id if seen else None
                seen += await listed(store, page_size=3, is_oldest_first=is_oldest_first, after=after)
            assert seen == sorted(range(7), reverse=not is_oldest_first)

    async def test_a_total_counts_what_stands_behind_the_cursor(self, store: TaskStore) -> None:
        await put(store, *map(sample_task, range(7)))
        cursor = sample_task(4).id
        for is_oldest_first, total in ((False, 4), (True, 2)):
            page = await page_of(store, page_size=1, after=cursor, is_oldest_first=is_oldest_first)
            assert page.total == total

    async def test_a_total_counts_only_what_matches_behind_the_cursor(self, store: TaskStore) -> None:
        models = ["model-a", "model-b", "model-b", "model-a", "model-b", "model-b"]
        await put(store, *(sample_task(number, model=model) for number, model in enumerate(models)))
        page = await page_of(store, page_size=1, after=sample_task(4).id, model="model-b")
        assert (page.total, [task.id for task in page.tasks]) == (2, [sample_task(2).id])

    async def test_totals_and_deep_pages_are_exact_over_hours_and_days(self, store: TaskStore) -> None:
        gaps_s = [0.0, 0.5, 3.0, 5.0, 300.0, 7.0, 20000.0, 2.0, 90000.0, 100.0, 1.0, 400000.0]
        moments = [NOW - timedelta(seconds=sum(gaps_s[: place + 1])) for place in range(len(gaps_s))]
        tasks = [sample_task(place, created_at=moment) for place, moment in enumerate(moments)]
        await put(store, *tasks, sample_task(20, owner="project-b", created_at=moments[3]))
        for size in (1, 2, 5):
            pages = [await listed(store, page=page, page_size=size) for page in range(1, 14)]
            assert [number for page in pages for number in page] == list(range(12))
        for page in (1, 4):
            assert (await page_of(store, page=page, page_size=3)).total == 12
        for number in range(12):
            behind = await page_of(store, after=tasks[number].id, page_size=1)
            assert behind.total == 11 - number
            since = await page_of(store, created_after=moments[number], page_size=1, is_oldest_first=True)
            assert (since.total, since.tasks[0].id) == (number + 1, tasks[number].id)

    async def test_a_cursor_filters_together_with_everything_else(self, store: TaskStore) -> None:
        await put(store, sample_task(0), sample_task(1, model="model-b"), sample_task(2), sample_task(3))
        ids = tuple(sample_task(number).id for number in (0, 1, 3))
        # The cursor's own task need not be among what is asked for.
        assert await listed(store, after=sample_task(2).id, model="model-b") == [1]
        assert await listed(store, after=sample_task(2).id, task_ids=ids) == [1, 0]
        assert await listed(store, after=sample_task(2).id, created_after=sample_task(1).created_at) == [1]
        since = sample_task(2).created_at
        assert await listed(store, after=sample_task(0).id, created_after=since, is_oldest_first=True) == [2, 3]
        assert await listed(store, after=sample_task(2).id, created_after=since, is_oldest_first=True) == [3]

    @pytest.mark.parametrize("after", ["20261121120000-00009", "", "a\0b", "\ud800", "20261121120000-00003"])
    async def test_nothing_stands_behind_a_task_that_the_owner_has_not(self, store: TaskStore, after: str) -> None:
        await put(store, sample_task(1), sample_task(2), sample_task(3, owner="project-b"))
        for is_oldest_first in (False, True):
            page = await page_of(store, after=after, is_oldest_first=is_oldest_first)
            assert (page.tasks, page.total) == ((), 0)
