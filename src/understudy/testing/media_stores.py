"""The conformance suite of media stores: subclass `MediaStoreConformance`, open the stores, and let pytest collect it.

It holds a store to every sentence of `core.media.MediaStore`, and the task store beside it to its use of the media in a
task's content. Needs pytest with pytest-asyncio in auto mode.
"""

import asyncio
import hashlib
import random
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from understudy.core.content import ContentItem, Modality
from understudy.core.errors import Unavailable
from understudy.core.media import MediaFacts, MediaStore, Medium, Origin, Reservation, Reserved
from understudy.core.ports import IdTaken, TaskStore
from understudy.core.task import Status, Task
from understudy.testing.samples import EXPIRY, NOW, failure_of, hold_of, sample_request, sample_task
from understudy.testing.store_steps import EVER, LATER, OWNER, TICK

HOUR = timedelta(hours=1)


def sample_sha256(number: int = 0) -> str:
    """Return a SHA-256 that follows the number."""
    return hashlib.sha256(str(number).encode()).hexdigest()


SHA256 = sample_sha256()


def key_of(sha256: str) -> str:
    """Return the key that the suite stores a medium under."""
    return f"media/{sha256}.png"


def sample_facts(**changes: object) -> MediaFacts:
    """Return the facts of an image with the changed fields."""
    facts = MediaFacts(
        modality=Modality.IMAGE,
        container="png",
        media_type="image/png",
        size_bytes=123_456,
        width_px=1280,
        height_px=720,
        num_frames=1,
        pix_fmt="rgba64be",
        has_alpha=True,
        rotation_deg=270,
    )
    return replace(facts, **changes)  # type: ignore[arg-type]


def task_with_media(number: int, *sha256s: str) -> Task:
    """Return a new task whose content has these media after its prompt."""
    media = (Medium(key=key_of(each), sha256=each, origin=Origin.WEB, facts=sample_facts()) for each in sha256s)
    items = tuple(ContentItem(modality=Modality.IMAGE, value="https://a/b.png", medium=each) for each in media)
    request = sample_request()
    return sample_task(number, request=replace(request, content=request.content + items))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """A record of media and the tasks beside it, in one database."""

    media: MediaStore
    tasks: TaskStore

    async def bring(self, *sha256s: str, until: Any = NOW + HOUR) -> None:
        """Reserve media and store them."""
        for sha256 in sha256s:
            await self.media.reserve(sha256, until)
            await self.arrive(sha256, await self.media.coming(sha256, key_of(sha256)))

    async def arrive(self, sha256: str, record: int) -> None:
        """Say that bytes were stored."""
        await self.media.arrived(sha256, key_of(sha256), sample_facts(), record=record)

    async def put(self, task: Task) -> Task:
        """Insert a task with its hold."""
        await self.tasks.insert(task, hold_of(task))
        return task

    async def fail(self, task: Task) -> None:
        """End the one task that can be claimed."""
        claim = await self.tasks.claim("worker-1", NOW, EXPIRY)
        assert claim is not None
        assert claim.task.id == task.id
        assert await self.tasks.finish(claim, failure_of(claim), LATER)

    async def unused(self) -> set[str]:
        """Take what nobody needs, long after every reservation."""
        return set(await self.media.take_unused(EXPIRY, 1000))

    async def state(self, sha256: str = SHA256) -> Reservation:
        """Say what a reservation that ends at once is answered."""
        return (await self.media.reserve(sha256, NOW)).what


class MediaStoreConformance(ABC):
    """What every media store does, and the task store beside it."""

    @abstractmethod
    def opened(self, folder: Path) -> AbstractAsyncContextManager[Stores]:
        """Open empty stores; the folder is empty and their own."""

    @pytest.fixture
    async def stores(self, tmp_path: Path) -> AsyncIterator[Stores]:
        """Yield empty stores."""
        async with self.opened(tmp_path) as stores:
            yield stores

    async def test_unknown_bytes_are_new_until_they_have_arrived(self, stores: Stores) -> None:
        assert await stores.media.reserve(SHA256, NOW + HOUR) == Reserved(what=Reservation.NEW)
        record = await stores.media.coming(SHA256, key_of(SHA256))
        assert await stores.media.reserve(SHA256, NOW + HOUR) == Reserved(what=Reservation.NEW)
        await stores.arrive(SHA256, record)
        known = Reserved(what=Reservation.KNOWN, facts=sample_facts())
        assert await stores.media.reserve(SHA256, NOW + HOUR) == known

    async def test_facts_of_every_kind_read_back_as_they_were_measured(self, stores: Stores) -> None:
        video = MediaFacts(
            modality=Modality.VIDEO,
            container="mov",
            media_type="video/quicktime",
            size_bytes=2**40,
            width_px=1,
            height_px=9,
            num_frames=77,
            duration_s=15.2,
            fps=23.976,
            video_codec="hevc",
            pix_fmt="yuv420p10le",
            audio_codec="aac",
            audio_tracks=2,
            sample_rate_hz=48_000,
            channels=6,
            is_variable_rate=True,
            is_animated=True,
        )
        await stores.media.reserve(SHA256, NOW + HOUR)
        record = await stores.media.coming(SHA256, "media/a.mov")
        await stores.media.arrived(SHA256, "media/a.mov", video, record=record)
        assert (await stores.media.reserve(SHA256, NOW)).facts == video

    async def test_media_stay_until_their_reservation_ends(self, stores: Stores) -> None:
        await stores.bring(SHA256)
        assert await stores.media.take_unused(NOW + HOUR - TICK, 10) == {}
        assert await stores.media.take_unused(NOW + HOUR, 10) == {SHA256: key_of(SHA256)}

    @pytest.mark.parametrize("longest", ["first", "second"])
    async def test_media_stay_as_long_as_the_longest_reservation(self, stores: Stores, longest: str) -> None:
        long, short = NOW + 2 * HOUR, NOW + HOUR
        await stores.bring(SHA256, until=long if longest == "first" else short)
        await stores.media.reserve(SHA256, short if longest == "first" else long)
        assert await stores.media.take_unused(long - TICK, 10) == {}
        assert await stores.media.take_unused(long, 10) == {SHA256: key_of(SHA256)}

    async def test_media_that_leave_are_reserved_by_nobody_until_they_have_left(self, stores: Stores) -> None:
        await stores.bring(SHA256)
        await stores.unused()
        assert await stores.media.reserve(SHA256, EXPIRY) == Reserved(what=Reservation.LEAVING)
        assert await stores.unused() == {SHA256}
        await stores.media.left(SHA256)
        assert await stores.unused() == set()
        assert await stores.state() is Reservation.NEW

    async def test_media_that_were_taken_and_never_left_are_taken_again(self, stores: Stores) -> None:
        await stores.bring(SHA256)
        assert await stores.media.take_unused(NOW + HOUR, 10) == {SHA256: key_of(SHA256)}
        assert await stores.media.take_unused(NOW + HOUR, 10) == {SHA256: key_of(SHA256)}

    async def test_what_was_reserved_and_never_stored_is_forgotten(self, stores: Stores) -> None:
        await stores.media.reserve(SHA256, NOW + HOUR)
        assert await stores.media.take_unused(NOW + HOUR - TICK, 10) == {}
        assert await stores.media.take_unused(NOW + HOUR, 10) == {}
        assert await stores.state() is Reservation.NEW

    async def test_bytes_whose_storing_was_cut_off_are_removed(self, stores: Stores) -> None:
        await stores.media.reserve(SHA256, NOW + HOUR)
        await stores.media.coming(SHA256, key_of(SHA256))
        assert await stores.media.take_unused(NOW + HOUR, 10) == {SHA256: key_of(SHA256)}

    async def test_no_more_media_are_taken_than_was_asked_and_each_has_its_turn(self, stores: Stores) -> None:
        names = [sample_sha256(number) for number in range(5)]
        await stores.bring(*names, until=NOW)
        seen: set[str] = set()
        for step in range(3):
            taken = await stores.media.take_unused(NOW + HOUR + step * TICK, 2)
            assert len(taken) == 2
            seen |= set(taken)
        assert seen == set(names), "what was taken before waits behind what was not"

    async def test_bytes_that_arrive_again_change_nothing(self, stores: Stores) -> None:
        await stores.bring(SHA256)
        record = await stores.media.coming(SHA256, "media/other.jpeg")
        await stores.media.arrived(SHA256, "media/other.jpeg", sample_facts(width_px=1), record=record)
        assert (await stores.media.reserve(SHA256, NOW)).facts == sample_facts()
        assert await stores.media.take_unused(EXPIRY, 10) == {SHA256: key_of(SHA256)}

    async def test_bytes_that_come_back_while_they_leave_are_removed_once_more(self, stores: Stores) -> None:
        await stores.bring(SHA256)
        record = await stores.media.coming(SHA256, key_of(SHA256))
        await stores.unused()
        await stores.arrive(SHA256, record)
        assert await stores.state() is Reservation.LEAVING
        await stores.media.left(SHA256)
        assert await stores.state() is Reservation.LEAVING
        assert await stores.unused() == {SHA256}
        await stores.media.left(SHA256)
        assert await stores.state() is Reservation.NEW

    async def test_bytes_do_not_come_once_their_reservation_is_over_and_they_leave(self, stores: Stores) -> None:
        with pytest.raises(Unavailable):
            await stores.media.coming(SHA256, key_of(SHA256))
        await stores.bring(SHA256)
        await stores.unused()
        with pytest.raises(Unavailable):
            await stores.media.coming(SHA256, key_of(SHA256))

    async def test_bytes_that_arrive_after_they_were_removed_are_removed_once_more(self, stores: Stores) -> None:
        await stores.media.reserve(SHA256, NOW)
        record = await stores.media.coming(SHA256, key_of(SHA256))
        await stores.unused()
        await stores.media.left(SHA256)
        await stores.arrive(SHA256, record)
        assert await stores.state() is Reservation.LEAVING
        assert await stores.unused() == {SHA256}

    @pytest.mark.parametrize("second", ["reserved", "coming"])
    async def test_bytes_that_were_removed_do_not_arrive_for_another(self, stores: Stores, second: str) -> None:
        await stores.media.reserve(SHA256, NOW)
        first = await stores.media.coming(SHA256, key_of(SHA256))
        await stores.unused()
        await stores.media.left(SHA256)
        assert await stores.state() is Reservation.NEW
        if second == "coming":
            await stores.media.coming(SHA256, key_of(SHA256))
        await stores.arrive(SHA256, first)
        assert await stores.state() is Reservation.NEW, "the bytes of the first may have been removed"
        assert await stores.unused() == {SHA256}, "and they may be there still"

    async def test_what_never_came_leaves_without_a_trace(self, stores: Stores) -> None:
        await stores.media.left(SHA256)
        await stores.bring(sample_sha256(1))
        await stores.media.left(sample_sha256(1))
        assert await stores.state(sample_sha256(1)) is Reservation.KNOWN, "only what leaves can have left"

    async def test_of_many_who_bring_the_same_bytes_all_can_use_them(self, stores: Stores) -> None:
        answers = await asyncio.gather(*(stores.media.reserve(SHA256, NOW + HOUR) for _ in range(20)))
        assert {answer.what for answer in answers} == {Reservation.NEW}
        await asyncio.gather(*(stores.bring(SHA256) for _ in range(20)))
        await asyncio.gather(*(stores.put(task_with_media(number, SHA256)) for number in range(20)))
        assert await stores.unused() == set()

    async def test_a_task_keeps_its_media_until_its_record_is_withdrawn(self, stores: Stores) -> None:
        await stores.bring(SHA256)
        task = await stores.put(task_with_media(1, SHA256))
        assert await stores.tasks.get(OWNER, task.id) == task
        assert await stores.unused() == set()
        await stores.fail(task)
        assert await stores.unused() == set()
        await stores.tasks.withdraw(OWNER, task.id, LATER)
        assert await stores.unused() == {SHA256}

    async def test_a_cancelled_task_keeps_its_media_until_its_record_is_purged(self, stores: Stores) -> None:
        await stores.bring(SHA256)
        task = await stores.put(task_with_media(1, SHA256))
        await stores.tasks.withdraw(OWNER, task.id, LATER)
        assert await stores.unused() == set()
        await stores.tasks.purge(created_before=EVER, cancelled_before=LATER + TICK)
        assert await stores.unused() == {SHA256}

    async def test_an_old_task_keeps_its_media_until_its_record_is_purged(self, stores: Stores) -> None:
        await stores.bring(SHA256)
        task = await stores.put(task_with_media(1, SHA256))
        await stores.fail(task)
        await stores.tasks.purge(created_before=task.created_at + TICK, cancelled_before=EVER)
        assert await stores.unused() == {SHA256}

    async def test_an_archived_task_keeps_its_media(self, stores: Stores) -> None:
        await stores.bring(SHA256)
        task = await stores.put(task_with_media(1, SHA256))
        await stores.fail(task)
        await stores.tasks.archive(OWNER, task.id)
        await stores.tasks.purge(created_before=EXPIRY, cancelled_before=EXPIRY)
        assert await stores.unused() == set()

    async def test_media_stay_as_long_as_any_task_needs_them(self, stores: Stores) -> None:
        first, second, third = map(sample_sha256, range(3))
        await stores.bring(first, second, third)
        task = await stores.put(task_with_media(1, first, second, first))
        await stores.fail(task)
        await stores.put(task_with_media(2, second, third))
        await stores.tasks.withdraw(OWNER, task.id, LATER)
        assert await stores.unused() == {first}

    @pytest.mark.parametrize("state", ["unknown", "reserved", "coming", "leaving", "returned", "left"])
    async def test_a_task_whose_media_are_not_there_is_refused_and_leaves_nothing(
        self, stores: Stores, state: str
    ) -> None:
        kept = sample_sha256(1)
        await stores.bring(kept, until=EXPIRY + TICK)
        if state in ("reserved", "coming"):
            await stores.media.reserve(SHA256, EXPIRY + TICK)
        if state == "coming":
            await stores.media.coming(SHA256, key_of(SHA256))
        if state in ("leaving", "returned", "left"):
            await stores.bring(SHA256)
            record = await stores.media.coming(SHA256, key_of(SHA256))
            await stores.unused()
        if state == "returned":
            await stores.arrive(SHA256, record)
        if state == "left":
            await stores.media.left(SHA256)
        task = task_with_media(1, kept, SHA256)
        with pytest.raises(Unavailable):
            await stores.put(task)
        assert await stores.tasks.get(OWNER, task.id) is None
        assert await stores.tasks.ledger(task.id) == ()
        assert kept in await stores.media.take_unused(EXPIRY + TICK, 10), "not even part of its use is written"

    async def test_a_refused_task_leaves_its_neighbours_alone(self, stores: Stores) -> None:
        await stores.bring(SHA256)
        tasks = [task_with_media(0, SHA256), task_with_media(1, sample_sha256(9)), sample_task(2), sample_task(0)]
        answers = await asyncio.gather(*map(stores.put, tasks), return_exceptions=True)
        assert list(map(type, answers)) == [Task, Unavailable, Task, IdTaken]
        assert [await stores.tasks.get(OWNER, task.id) is not None for task in tasks[:3]] == [True, False, True]
        assert await stores.unused() == set()

    async def test_many_tasks_at_once_write_all_their_uses(self, stores: Stores) -> None:
        names = [sample_sha256(number) for number in range(60)]
        await stores.bring(*names)
        tasks = [task_with_media(number, *names[number : number + 9]) for number in range(50)]
        await asyncio.gather(*map(stores.put, tasks))
        assert await stores.unused() == set(names[58:])
        for task in tasks[:30]:
            await stores.tasks.withdraw(OWNER, task.id, LATER)
        await stores.tasks.purge(created_before=EVER, cancelled_before=EXPIRY)
        assert await stores.unused() == set(names[:30] + names[58:])

    async def test_media_are_either_used_or_taken(self, stores: Stores) -> None:
        names = [sample_sha256(number) for number in range(40)]
        await stores.bring(*names)
        steps: list[Any] = []
        for number, name in enumerate(names):
            steps += [stores.put(task_with_media(number, name)), stores.media.take_unused(NOW + HOUR, 1)]
        random.Random(7).shuffle(steps)  # noqa: S311
        answers = await asyncio.gather(*steps, return_exceptions=True)
        taken = {name for answer in answers if isinstance(answer, dict) for name in answer}
        used = {task.request.content[1].medium.sha256 for task in answers if isinstance(task, Task)}  # type: ignore[union-attr]
        assert used | taken == set(names)
        assert used & taken == set()
        assert sum(isinstance(answer, Unavailable) for answer in answers) == len(taken)

    async def test_own_films_are_remembered(self, stores: Stores) -> None:
        assert await stores.media.is_own_film(SHA256) is False
        await asyncio.gather(*(stores.media.remember_film(SHA256) for _ in range(2)))
        assert await stores.media.is_own_film(SHA256) is True
        assert await stores.media.is_own_film(sample_sha256(1)) is False

    async def test_an_expired_task_keeps_its_media(self, stores: Stores) -> None:
        await stores.bring(SHA256)
        task = await stores.put(task_with_media(1, SHA256))
        await stores.tasks.expire(EXPIRY)
        found = await stores.tasks.get(OWNER, task.id)
        assert found is not None
        assert found.status is Status.EXPIRED
        assert await stores.unused() == set()
