"""A claim that is lost, and a dispatcher that closes: the render is killed, and nothing of it is left behind."""

import asyncio
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from dispatching import PATIENCE_S, UNAVAILABLE, Theatre, TroubledStore, theatre
from manual_clock import ManualClock
from understudy.core.task import EntryKind, Status
from understudy.storage.blobs import LocalBlobStore
from understudy.testing.samples import sample_task


async def expire(house: Theatre) -> frozenset[str]:
    house.clock.advance(days=3)
    return frozenset(await house.store.expire(house.clock.now()))


async def until_idle(house: Theatre) -> None:
    """Wait until a slot asks for work again, so what it did before is over."""
    while await house.store.answered("claim") is not None:
        pass


@pytest.mark.parametrize("is_told", [True, False], ids=["told by the reaper", "seen by the heartbeat"])
async def test_the_render_of_an_expired_task_is_killed(tmp_path: Path, is_told: bool):
    async with theatre(tmp_path, heartbeat_s=PATIENCE_S * 10 if is_told else 0.005) as house:
        task = await house.submit()
        render = await house.stage.next()
        expired = await expire(house)
        if is_told:
            house.dispatcher.lost(expired)
        await asyncio.wait_for(render.killed.wait(), PATIENCE_S)
        await until_idle(house)
        assert (await house.task(task)).status is Status.EXPIRED
        assert await house.kinds(task) == [EntryKind.HOLD, EntryKind.VOIDED]
        assert house.blob_names() == house.work_names() == set()


async def test_only_the_named_attempts_are_stopped(tmp_path: Path):
    async with theatre(tmp_path) as house:
        task = await house.submit()
        render = await house.stage.next()
        house.dispatcher.lost({"another task"})
        render.succeed()
        assert await house.store.answered("finish")
        assert (await house.task(task)).status is Status.SUCCEEDED


async def test_a_film_that_comes_after_the_claim_was_lost_is_dropped(tmp_path: Path):
    async with theatre(tmp_path, heartbeat_s=PATIENCE_S * 10) as house:
        task = await house.submit()
        render = await house.stage.next()
        await expire(house)
        render.succeed()
        assert await house.store.answered("finish") is False
        await until_idle(house)
        assert await house.kinds(task) == [EntryKind.HOLD, EntryKind.VOIDED]
        assert house.blob_names() == set()


async def test_a_frozen_server_that_wakes_up_delivers_nothing_beside_its_successor(tmp_path: Path):
    async with (
        theatre(tmp_path, heartbeat_s=PATIENCE_S * 10) as house,
        theatre(tmp_path, store=house.store, is_started=False) as other,
    ):
        task = await house.submit()
        zombie = await house.stage.next()
        other.clock.advance(seconds=31)
        await other.dispatcher.start()
        successor = await other.stage.next()
        successor.succeed(content=b"successor")
        assert await house.store.answered("finish") is True
        zombie.succeed(content=b"zombie")
        assert await house.store.answered("finish") is False
        await house.dispatcher.close()
        ended = await house.task(task)
        assert ended.attempt == 2
        assert ended.film is not None
        assert house.blob_names() == {ended.film.video_blob, ended.film.last_frame_blob}
        path = house.blobs.local_path(ended.film.video_blob)
        assert path is not None
        assert path.read_bytes() == b"successor"
        assert await house.kinds(task) == [EntryKind.HOLD, EntryKind.POSTED]


async def test_a_process_never_renders_a_task_twice_at_a_time(tmp_path: Path):
    async with theatre(tmp_path, heartbeat_s=PATIENCE_S * 10, slots=2) as house:
        task = await house.submit()
        older = await house.stage.next()
        house.clock.advance(seconds=31)
        newer = await house.stage.next()
        await asyncio.wait_for(older.killed.wait(), PATIENCE_S)
        newer.succeed(content=b"newer")
        assert await house.store.answered("finish") is True
        await until_idle(house)
        assert (await house.task(task)).attempt == 2
        assert await house.kinds(task) == [EntryKind.HOLD, EntryKind.POSTED]


async def test_a_lease_is_measured_with_a_clock_that_does_not_jump(tmp_path: Path):
    async with theatre(tmp_path, heartbeat_s=PATIENCE_S * 10, slots=2, is_started=False) as house:
        object.__setattr__(house.workplace, "lease_clock", ManualClock(house.clock.now()))
        await house.submit()
        await house.dispatcher.start()
        render = await house.stage.next()
        house.clock.advance(seconds=3600)
        # The other slot looks again and again, and finds nothing to claim.
        while await house.store.answered("claim") is not None:
            pass
        assert await house.store.answered("claim") is None
        assert not render.killed.is_set()
        render.succeed()
        assert await house.store.answered("finish") is True


class SharedStore(TroubledStore):
    """A store that others may change as well."""

    is_shared = True


async def test_a_render_is_stopped_when_its_task_is_heard_to_be_cancelled_elsewhere(tmp_path: Path):
    async with theatre(tmp_path, store=SharedStore(), heartbeat_s=PATIENCE_S * 10) as house:
        task = await house.submit()
        render = await house.stage.next()
        await house.store.cancel(task.owner, task.id, house.clock.now())
        await asyncio.wait_for(render.killed.wait(), PATIENCE_S)
        assert (await house.task(task)).status is Status.CANCELLED


class SlowStore(TroubledStore):
    """A store whose first claim is answered when its lease is over and somebody else has the task."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__()
        self.clock = clock
        self.is_slow = True

    async def claim(self, worker, now, lease_until, **more):
        claim = await super().claim(worker, now, lease_until, **more)
        if claim is not None and self.is_slow:
            self.is_slow = False
            self.clock.advance(seconds=31)
            await super().claim("somebody else", self.clock.now(), self.clock.now() + timedelta(seconds=30))
        return claim


async def test_a_claim_that_is_answered_after_its_lease_is_not_rendered_beside_the_next_one(tmp_path: Path):
    clock = ManualClock(sample_task().created_at)
    async with theatre(tmp_path, store=SlowStore(clock), is_started=False, heartbeat_s=2.0) as house:
        object.__setattr__(house.workplace, "clock", clock)
        task = await house.submit()
        await house.dispatcher.start()
        assert await house.store.answered("heartbeat") is False
        while await house.store.answered("claim") is not None:
            pass
        assert house.stage.renders.empty()
        assert (await house.task(task)).attempt == 2


async def test_a_retry_removes_what_an_attempt_stored_before_it_was_cut_off(tmp_path: Path):
    async with theatre(tmp_path, is_started=False) as house:
        task = await house.submit()
        await house.store.claim("dead", house.clock.now(), house.clock.now())
        (tmp_path / "film").write_bytes(b"stored, and then the server died")
        await house.blobs.put(tmp_path / "film", f"{task.id}-1/video.mp4")
        await house.dispatcher.start()
        (await house.stage.next()).succeed()
        await house.store.answered("finish")
        await until_idle(house)
        assert house.blob_names() == {f"{task.id}-2/video.mp4", f"{task.id}-2/last_frame.png"}


class AwayBlobStore(LocalBlobStore):
    """A store that cannot be asked to remove a video."""

    async def delete(self, key: str) -> None:
        if "/video" in key:
            raise UNAVAILABLE
        await super().delete(key)


async def test_what_cannot_be_removed_now_leaves_the_rest_to_be_removed(tmp_path: Path, caplog):
    async with theatre(tmp_path, is_started=False) as house:
        object.__setattr__(house.workplace, "blobs", AwayBlobStore(tmp_path / "blobs"))
        task = await house.submit()
        await house.store.claim("dead", house.clock.now(), house.clock.now())
        for name in ("video.mp4", "last_frame.png"):
            (tmp_path / name).write_bytes(b"stored, and then the server died")
            await house.blobs.put(tmp_path / name, f"{task.id}-1/{name}")
        await house.dispatcher.start()
        (await house.stage.next()).succeed()
        await house.store.answered("finish")
        await until_idle(house)
        assert f"{task.id}-1/last_frame.png" not in house.blob_names()
        assert f"the blob {task.id}-1/video.mp4 is left behind" in caplog.text


async def test_closing_kills_the_render_and_returns_the_task_to_the_queue(tmp_path: Path):
    async with theatre(tmp_path) as house:
        task = await house.submit()
        render = await house.stage.next()
        await asyncio.wait_for(house.dispatcher.close(), PATIENCE_S)
        assert render.killed.is_set()
        assert (await house.task(task)).status is Status.QUEUED
        assert await house.kinds(task) == [EntryKind.HOLD]
        assert house.blob_names() == house.work_names() == set()


async def test_closing_lets_a_render_finish_that_is_nearly_done(tmp_path: Path):
    async with theatre(tmp_path, drain_s=PATIENCE_S) as house:
        task = await house.submit(1)
        other = await house.submit(2)
        render = await house.stage.next()
        closing = asyncio.create_task(house.dispatcher.close())
        await house.store.answered("heartbeat")
        render.succeed()
        await asyncio.wait_for(closing, PATIENCE_S)
        assert (await house.task(task)).status is Status.SUCCEEDED
        assert (await house.task(other)).status is Status.QUEUED


class SlowBlobStore(LocalBlobStore):
    """A store on a disk that takes its time: it stores a file only after the test lets it."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.is_storing = threading.Event()
        self.may_store = threading.Event()

    def _put(self, source: Path, target: Path, *, is_same: bool) -> None:
        self.is_storing.set()
        assert self.may_store.wait(PATIENCE_S)
        super()._put(source, target, is_same=is_same)


async def test_a_film_lost_while_it_is_being_stored_is_removed_after_all(tmp_path: Path):
    async with theatre(tmp_path, is_started=False, heartbeat_s=PATIENCE_S * 10) as house:
        blobs = SlowBlobStore(tmp_path / "blobs")
        object.__setattr__(house.workplace, "blobs", blobs)
        await house.dispatcher.start()
        await house.submit()
        (await house.stage.next()).succeed()
        await asyncio.to_thread(blobs.is_storing.wait, PATIENCE_S)
        expired = await expire(house)
        house.store.called.clear()
        idle = asyncio.create_task(until_idle(house))
        for _ in range(2):
            house.dispatcher.lost(expired)
            done, _ = await asyncio.wait({idle}, timeout=0.1)
            assert not done, "the slot went on although a thread was still storing a file for it"
        blobs.may_store.set()
        await asyncio.wait_for(idle, PATIENCE_S)
        assert house.blob_names() == house.work_names() == set()
