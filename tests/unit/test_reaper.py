"""The reaper: late tasks expire, what is old or needed by nobody goes with its files, and nothing is forgotten."""

import asyncio
import os
from collections.abc import Collection
from datetime import timedelta
from pathlib import Path

import pytest

from dispatching import PATIENCE_S, UNAVAILABLE, TroubledStore, statuses
from manual_clock import ManualClock
from understudy.core.media import Reservation
from understudy.core.task import EntryKind, Status, Task
from understudy.service import reaper as reaping
from understudy.service.reaper import Reaped, Reaper, Rounds
from understudy.service.retention import Retention
from understudy.storage.blobs import LocalBlobStore
from understudy.testing.media_stores import SHA256, sample_facts, sample_sha256
from understudy.testing.samples import failure_of, hold_of, sample_task, success_of

DAY_S = 86400.0


class House:
    """A reaper with what it works on."""

    def __init__(self, tmp_path: Path, *, blobs: LocalBlobStore | None = None, record_retention_s: float = 7 * DAY_S):
        self.store = TroubledStore()
        self.media = self.store.media
        self.blobs = blobs or LocalBlobStore(tmp_path / "blobs")
        self.clock = ManualClock(sample_task().created_at)
        self.told: list[Collection[str]] = []
        self.tmp_path = tmp_path
        self.leftovers = tmp_path / "work"
        self.leftovers.mkdir()
        self.retention = Retention(record_retention_s=record_retention_s, cancelled_retention_s=DAY_S)
        self.reaper = self.new_reaper()

    def new_reaper(self) -> Reaper:
        """Make a reaper as after a restart of the program."""
        folders = (self.leftovers, self.tmp_path / "nowhere")
        return Reaper(
            Reaped(store=self.store, media=self.media, blobs=self.blobs, leftovers=folders),
            clock=self.clock,
            retention=self.retention,
            rounds=Rounds(interval_s=0.001, batches=3),
            on_expired=self.told.append,
        )

    async def submit(self, number: int = 0) -> Task:
        task = sample_task(number)
        await self.store.insert(task, hold_of(task))
        return task

    async def film(self, number: int = 0) -> Task:
        """Store a task that succeeded, with its film."""
        task = await self.submit(number)
        claim = await self.store.claim("worker", task.created_at, task.expires_at)
        assert claim is not None
        await self.store.finish(claim, success_of(claim), task.created_at)
        await self.store_blob(f"{task.id}-1/video.mp4")
        return task

    async def store_blob(self, key: str) -> None:
        (self.tmp_path / "file").write_bytes(b"bytes")
        await self.blobs.put(self.tmp_path / "file", key)

    async def medium(self, number: int = 0) -> str:
        """Store a medium that is reserved for an hour; return its key."""
        key = f"media/{sample_sha256(number)}.png"
        await self.media.reserve(sample_sha256(number), self.clock.now() + timedelta(hours=1))
        record = await self.media.coming(sample_sha256(number), key)
        await self.store_blob(key)
        await self.media.arrived(sample_sha256(number), key, sample_facts(), record=record)
        return key

    def blob_names(self) -> set[str]:
        root = self.tmp_path / "blobs"
        return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}

    def left_behind(self, name: str, *, age_s: float) -> Path:
        """Make a file of this age."""
        path = self.leftovers / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(b"half")
        for each in (path, *(() if path.parent == self.leftovers else (path.parent,))):
            os.utime(each, (0, self.clock.now().timestamp() - age_s))
        return path


@pytest.fixture
def reaped(tmp_path: Path) -> House:
    return House(tmp_path)


async def test_a_late_task_expires_and_the_dispatcher_is_told(reaped: House):
    task = await reaped.submit()
    await reaped.reaper.round()
    assert reaped.told == []
    reaped.clock.advance(days=2)
    await reaped.reaper.round()
    assert reaped.told == [{task.id}]
    found = await reaped.store.get(task.owner, task.id)
    assert found is not None
    assert found.status is Status.EXPIRED
    assert [entry.kind for entry in await reaped.store.ledger(task.id)] == [EntryKind.HOLD, EntryKind.VOIDED]


async def test_an_old_record_goes_with_the_files_of_every_attempt(reaped: House):
    task = await reaped.submit()
    for _ in range(2):
        claim = await reaped.store.claim("worker", reaped.clock.now(), reaped.clock.now())
        assert claim is not None
    await reaped.store.finish(claim, success_of(claim), reaped.clock.now())
    for key in (f"{task.id}-1/video.mp4", f"{task.id}-2/video.mp4", f"{task.id}-2/last_frame.png"):
        await reaped.store_blob(key)
    reaped.clock.advance(days=7)
    await reaped.reaper.round()
    assert await reaped.store.get(task.owner, task.id) is not None
    reaped.clock.advance(seconds=1)
    await reaped.reaper.round()
    assert await reaped.store.get(task.owner, task.id) is None
    assert list((reaped.tmp_path / "blobs").iterdir()) == []


async def test_a_cancelled_record_goes_earlier(reaped: House):
    task = await reaped.submit()
    reaped.clock.advance(hours=1)
    await reaped.store.withdraw(task.owner, task.id, reaped.clock.now())
    reaped.clock.advance(days=1)
    await reaped.reaper.round()
    assert await reaped.store.get(task.owner, task.id) is not None
    reaped.clock.advance(seconds=1)
    await reaped.reaper.round()
    assert await reaped.store.get(task.owner, task.id) is None


async def test_one_round_removes_a_bounded_number_of_records(reaped: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("understudy.storage.memory.PURGE_MOST", 1)
    for number in range(5):
        task = await reaped.submit(number)
        claim = await reaped.store.claim("worker", task.created_at, task.expires_at)
        assert claim is not None
        await reaped.store.finish(claim, failure_of(claim), task.created_at)
    reaped.clock.advance(days=8)
    await reaped.reaper.round()
    assert reaped.store.called["purge"].qsize() == 3
    assert len(await statuses(reaped.store, task)) == 2


async def test_a_round_that_fails_is_not_the_last(reaped: House):
    task = await reaped.submit()
    reaped.clock.advance(days=2)
    reaped.store.failing["expire"] = 2
    await reaped.reaper.start()
    assert await reaped.store.answered("expire") is UNAVAILABLE
    assert await reaped.store.answered("expire") is UNAVAILABLE
    assert await reaped.store.answered("expire") == (task.id,)
    await reaped.reaper.close()


class TroubledBlobStore(LocalBlobStore):
    """Fails to delete what it is told, and deletes when the test lets it."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.failing: set[str] = set()
        self.tried: list[str] = []
        self.is_asked = asyncio.Event()
        self.may_delete = asyncio.Event()
        self.may_delete.set()

    async def delete(self, key: str) -> None:
        self.tried.append(key)
        self.is_asked.set()
        await self.may_delete.wait()
        if self.failing & {key, "all"}:
            raise OSError("the disk is gone")
        await super().delete(key)


@pytest.fixture
def troubled(tmp_path: Path) -> House:
    return House(tmp_path, blobs=TroubledBlobStore(tmp_path / "blobs"))


async def test_closing_stops_between_files_and_the_next_start_goes_on(troubled: House):
    for number in (1, 2):
        await troubled.film(number)
    troubled.clock.advance(days=8)
    troubled.blobs.may_delete.clear()
    await troubled.reaper.start()
    await asyncio.wait_for(troubled.blobs.is_asked.wait(), PATIENCE_S)
    closing = asyncio.create_task(troubled.reaper.close())
    await asyncio.sleep(0)
    troubled.blobs.may_delete.set()
    await asyncio.wait_for(closing, PATIENCE_S)
    assert troubled.blob_names() == {f"{sample_task(2).id}-1/video.mp4"}
    troubled.clock.advance(seconds=2)
    await troubled.new_reaper().round()
    assert troubled.blob_names() == set()


async def test_files_that_cannot_be_removed_are_tried_again_until_they_are_gone(troubled: House):
    task = await troubled.film()
    key = f"{task.id}-1/video.mp4"
    troubled.blobs.failing.add(key)
    troubled.clock.advance(days=8)
    for _ in range(3):
        await troubled.reaper.round()
        troubled.clock.advance(seconds=2)
    assert troubled.blobs.tried.count(key) == 3
    troubled.blobs.failing.clear()
    await troubled.new_reaper().round()
    assert troubled.blob_names() == set()
    troubled.clock.advance(seconds=2)
    await troubled.reaper.round()
    assert troubled.blobs.tried.count(key) == 4


async def test_one_file_that_cannot_be_removed_keeps_no_other(troubled: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reaping, "BATCH_MOST", 1)
    tasks = [await troubled.film(number) for number in range(4)]
    troubled.blobs.failing.add(f"{tasks[0].id}-1/video.mp4")
    troubled.clock.advance(days=8)
    for _ in range(2):
        await troubled.reaper.round()
        troubled.clock.advance(seconds=2)
    assert troubled.blob_names() == {f"{tasks[0].id}-1/video.mp4"}


async def test_a_blob_store_that_is_away_is_not_asked_for_everything_in_every_round(troubled: House):
    for number in range(10):
        await troubled.film(number)
    troubled.blobs.failing.add("all")
    troubled.clock.advance(days=8)
    await troubled.reaper.round()
    assert len(troubled.blobs.tried) == reaping.FAILURES_MOST


async def test_files_of_a_record_that_was_withdrawn_go_with_the_next_round(reaped: House):
    task = await reaped.film()
    await reaped.store.withdraw(task.owner, task.id, reaped.clock.now())
    await reaped.reaper.round()
    assert reaped.blob_names() == set()


async def test_nothing_is_old_where_records_are_kept_for_good(tmp_path: Path):
    house = House(tmp_path, record_retention_s=0)
    film, cancelled = await house.film(1), await house.submit(2)
    await house.store.withdraw(cancelled.owner, cancelled.id, house.clock.now())
    house.clock.advance(days=40_000)
    await house.reaper.round()
    assert len(await statuses(house.store, film)) == 2
    assert house.blob_names() == {f"{film.id}-1/video.mp4"}


async def test_what_is_archived_stays_with_its_files(reaped: House):
    task, other = await reaped.film(1), await reaped.film(2)
    await reaped.store.archive(task.owner, task.id)
    reaped.clock.advance(days=4000)
    await reaped.reaper.round()
    assert await reaped.store.get(other.owner, other.id) is None
    assert reaped.blob_names() == {f"{task.id}-1/video.mp4"}
    await reaped.store.unarchive(task.owner, task.id)
    await reaped.reaper.round()
    assert reaped.blob_names() == set()


async def test_media_that_nobody_needs_go_when_their_reservation_ends(reaped: House):
    key = await reaped.medium()
    reaped.clock.advance(minutes=59)
    await reaped.reaper.round()
    assert reaped.blob_names() == {key}
    reaped.clock.advance(minutes=1)
    await reaped.reaper.round()
    assert reaped.blob_names() == set()
    reserved = await reaped.media.reserve(SHA256, reaped.clock.now() + timedelta(hours=1))
    assert reserved.what is Reservation.NEW


async def test_media_go_with_the_record_of_the_last_task_that_needs_them(reaped: House):
    key = await reaped.medium()
    reaped.media.use([SHA256], "task:a")
    reaped.media.use([SHA256], "asset:b")
    reaped.clock.advance(days=30)
    for user in ("task:a", "asset:b"):
        await reaped.reaper.round()
        assert reaped.blob_names() == {key}
        reaped.media.unuse(user)
    await reaped.reaper.round()
    assert reaped.blob_names() == set()


async def test_media_that_cannot_be_removed_are_tried_again(troubled: House):
    key = await troubled.medium()
    troubled.blobs.failing.add(key)
    troubled.clock.advance(hours=2)
    await troubled.reaper.round()
    reserved = await troubled.media.reserve(SHA256, troubled.clock.now() + timedelta(hours=1))
    assert reserved.what is Reservation.LEAVING
    troubled.blobs.failing.clear()
    troubled.clock.advance(seconds=2)
    await troubled.new_reaper().round()
    assert troubled.blob_names() == set()


async def test_media_that_cannot_be_removed_are_tried_once_in_a_round(troubled: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reaping, "BATCH_MOST", 1)
    troubled.blobs.failing.add(await troubled.medium())
    troubled.clock.advance(hours=2)
    await troubled.reaper.round()
    assert len(troubled.blobs.tried) == 1


async def test_one_round_removes_a_bounded_number_of_media(reaped: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reaping, "BATCH_MOST", 2)
    for number in range(8):
        await reaped.medium(number)
    reaped.clock.advance(hours=2)
    await reaped.reaper.round()
    assert len(reaped.blob_names()) == 2


async def test_what_was_half_made_and_not_touched_for_a_day_is_removed(reaped: House):
    old = [reaped.left_behind(name, age_s=DAY_S + 1) for name in ("a.part", "attempt-1/video.mp4")]
    new = [reaped.left_behind(name, age_s=DAY_S - 1) for name in ("b.part", "attempt-2/video.mp4")]
    await reaped.reaper.round()
    assert [path.exists() for path in old + new] == [False, False, True, True]
    assert not old[1].parent.exists()


async def test_a_directory_in_which_a_file_is_still_written_stays(reaped: House):
    old = reaped.left_behind("upload/part-1", age_s=9 * DAY_S)
    new = reaped.left_behind("upload/part-2", age_s=1)
    os.utime(old.parent, (0, 0))
    await reaped.reaper.round()
    assert new.exists()


async def test_a_link_that_was_left_behind_is_removed_and_not_followed(reaped: House, tmp_path: Path):
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").write_bytes(b"kept")
    link = reaped.leftovers / "link"
    link.symlink_to(tmp_path / "kept")
    os.utime(link, (0, 0), follow_symlinks=False)
    await reaped.reaper.round()
    assert not link.is_symlink()
    assert (tmp_path / "kept" / "file").exists()


async def test_leftovers_are_looked_for_once_in_an_hour(reaped: House):
    await reaped.reaper.round()
    late = reaped.left_behind("late", age_s=2 * DAY_S)
    reaped.clock.advance(minutes=59)
    await reaped.reaper.round()
    assert late.exists()
    reaped.clock.advance(minutes=1)
    await reaped.reaper.round()
    assert not late.exists()
