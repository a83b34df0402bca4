"""Dispatching: a claimed task ends once, is handed back, or is left to its lease; never two of them, never none."""

from datetime import timedelta
from pathlib import Path

import pytest

from dispatching import MODEL, PATIENCE_S, UNAVAILABLE, TroubledStore, theatre
from understudy.core.errors import TaskFailed, Violation
from understudy.core.task import EntryKind, Status, Warned
from understudy.testing.samples import sample_request

LEASE = timedelta(seconds=30)


def failure(*, is_retryable: bool) -> TaskFailed:
    return TaskFailed(Violation("ServiceUnavailable", "prompt", "The engine is tired."), is_retryable=is_retryable)


async def test_a_queued_task_ends_with_its_film_settled_by_its_actual_size(tmp_path: Path):
    async with theatre(tmp_path) as house:
        task = await house.submit()
        (await house.stage.next()).succeed()
        assert await house.store.answered("finish")
        ended = await house.task(task)
        assert ended.status is Status.SUCCEEDED
        assert ended.film is not None
        assert (ended.film.width_px, ended.film.height_px, ended.film.fps) == (864, 496, 24)
        assert ended.completion_tokens == 864 * 496 * 121 // 1024
        assert ended.warnings == (Warned(param="", message="The fox is a cat."),)
        assert await house.kinds(task) == [EntryKind.HOLD, EntryKind.POSTED]
        assert house.blob_names() == {ended.film.video_blob, ended.film.last_frame_blob}


async def test_a_film_ordered_by_its_frames_is_rendered_and_settled_by_them(tmp_path: Path):
    async with theatre(tmp_path) as house:
        task = await house.submit(request=sample_request(model=MODEL.id, frames=29, duration_s=None))
        render = await house.stage.next()
        assert render.job.num_frames == 29
        render.succeed(num_frames=29, duration_s=1)
        assert await house.store.answered("finish")
        ended = await house.task(task)
        assert (ended.film.num_frames, ended.film.duration_s) == (29, 1)
        assert ended.completion_tokens == 864 * 496 * 30 // 1024


async def test_a_film_keeps_the_format_it_was_made_in(tmp_path: Path):
    async with theatre(tmp_path) as house:
        task = await house.submit()
        render = await house.stage.next()
        (render.directory / "b.mov").write_bytes(b"whole colours")
        render.succeed(video="b.mov")
        assert await house.store.answered("finish")
        ended = await house.task(task)
        assert ended.film.video_blob == f"{task.id}-1/video.mov"
        assert house.blobs.local_path(ended.film.video_blob).read_bytes() == b"whole colours"
        assert house.blob_names() == {ended.film.video_blob, ended.film.last_frame_blob}


async def test_the_tools_that_the_engine_used_are_told(tmp_path: Path):
    async with theatre(tmp_path) as house:
        task = await house.submit()
        (await house.stage.next()).succeed(tool_usage={"web_search": 2})
        assert await house.store.answered("finish")
        assert (await house.task(task)).film.tool_usage == {"web_search": 2}


async def test_the_job_is_what_the_catalogue_says_of_the_model(tmp_path: Path):
    async with theatre(tmp_path) as house:
        task = await house.submit()
        job = (await house.stage.next()).job
        assert (job.seed, job.fps, job.duration_range_s) == (task.seed, 24, (4, 15))
        assert job.sizes["16:9"] == (864, 496)
        assert list(Path(job.output_dir).iterdir()) == []


async def test_a_cancelled_task_is_never_claimed(tmp_path: Path):
    async with theatre(tmp_path, is_started=False) as house:
        cancelled, other = await house.submit(1), await house.submit(2)
        await house.store.withdraw(cancelled.owner, cancelled.id, house.clock.now())
        await house.dispatcher.start()
        assert (await house.store.answered("claim")).task.id == other.id
        (await house.stage.next()).succeed()
        await house.store.answered("finish")
        assert await house.store.answered("claim") is None


async def test_an_idle_slot_is_woken_by_a_new_task(tmp_path: Path):
    async with theatre(tmp_path, poll_interval_s=PATIENCE_S * 10) as house:
        assert await house.store.answered("claim") is None
        await house.submit()
        assert (await house.stage.next()).slot == 0


async def test_a_task_that_nobody_announced_is_found_by_the_poll(tmp_path: Path):
    async with theatre(tmp_path, poll_interval_s=0.01) as house:
        assert await house.store.answered("claim") is None
        house.dispatcher.wake = lambda: None  # type: ignore[method-assign]
        await house.submit()
        assert await house.stage.next()


async def test_slots_work_side_by_side(tmp_path: Path):
    async with theatre(tmp_path, slots=2) as house:
        await house.submit(1)
        await house.submit(2)
        assert {(await house.stage.next()).slot, (await house.stage.next()).slot} == {0, 1}


async def test_heartbeats_record_progress_that_never_falls(tmp_path: Path):
    async with theatre(tmp_path) as house:
        task = await house.submit()
        render = await house.stage.next()
        render.on_progress(30, 120)
        render.on_progress(6, 120)
        await house.store.answered("heartbeat")
        await house.store.answered("heartbeat")
        assert (await house.task(task)).progress == 0.25


async def test_heartbeats_keep_a_long_render_from_being_claimed_again(tmp_path: Path):
    async with theatre(tmp_path, slots=2) as house:
        task = await house.submit()
        render = await house.stage.next()
        for _ in range(4):
            house.clock.advance(seconds=LEASE.total_seconds() / 2)
            house.store.called.clear()
            await house.store.answered("heartbeat")
            assert await house.store.answered("claim") is None
        render.succeed()
        assert await house.store.answered("finish")
        assert (await house.task(task)).attempt == 1


@pytest.mark.parametrize("error", [failure(is_retryable=True), RuntimeError("a bug"), UNAVAILABLE])
async def test_what_may_pass_is_tried_again(tmp_path: Path, error: Exception):
    async with theatre(tmp_path) as house:
        task = await house.submit()
        (await house.stage.next()).fail(error)
        assert await house.store.answered("hand_back")
        (await house.stage.next()).succeed()
        await house.store.answered("finish")
        ended = await house.task(task)
        assert (ended.status, ended.attempt) == (Status.SUCCEEDED, 2)
        assert await house.kinds(task) == [EntryKind.HOLD, EntryKind.POSTED]


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (failure(is_retryable=True), "ServiceUnavailable", "The engine is tired."),
        (UNAVAILABLE, "ServiceUnavailable", "The disk is full."),
        (
            RuntimeError("a bug"),
            "InternalServiceError",
            "The service encountered an unexpected internal error.",
        ),
    ],
)
async def test_the_last_attempt_ends_the_task_and_voids_its_hold(
    tmp_path: Path, error: Exception, code: str, message: str
):
    async with theatre(tmp_path) as house:
        task = await house.submit()
        for _ in range(3):
            (await house.stage.next()).fail(error)
        await house.store.answered("finish")
        ended = await house.task(task)
        assert (ended.status, ended.attempt) == (Status.FAILED, 3)
        assert ended.error is not None
        assert (ended.error.code, ended.error.message) == (code, message)
        assert await house.kinds(task) == [EntryKind.HOLD, EntryKind.VOIDED]


async def test_what_cannot_pass_is_not_tried_again(tmp_path: Path):
    async with theatre(tmp_path) as house:
        task = await house.submit()
        (await house.stage.next()).fail(failure(is_retryable=False))
        await house.store.answered("finish")
        ended = await house.task(task)
        assert (ended.status, ended.attempt) == (Status.FAILED, 1)
        assert house.work_names() == set()


async def test_a_task_whose_attempts_were_all_cut_off_fails_instead_of_killing_another_server(tmp_path: Path):
    async with theatre(tmp_path, is_started=False) as house:
        task = await house.submit()
        for _ in range(3):
            assert await house.store.claim("dead", house.clock.now(), house.clock.now() + LEASE)
            await house.store.hand_back_all(house.clock.now())
        await house.dispatcher.start()
        await house.store.answered("finish")
        ended = await house.task(task)
        assert ended.status is Status.FAILED
        assert ended.error is not None
        assert "3 attempts were interrupted" in ended.error.message
        assert house.stage.renders.empty()
        assert await house.kinds(task) == [EntryKind.HOLD, EntryKind.VOIDED]


@pytest.mark.parametrize(
    "files",
    [
        *({"video": "../a.mp4"}, {"video": "b.mp4"}, {"video": "a.png"}, {"content": b""}),
        {"last_frame": "/etc/hostname"},
    ],
)
async def test_a_file_that_the_engine_did_not_write_is_never_delivered(tmp_path: Path, files: dict[str, str]):
    async with theatre(tmp_path) as house:
        task = await house.submit()
        (await house.stage.next()).succeed(**files)  # type: ignore[arg-type]
        await house.store.answered("finish")
        assert (await house.task(task)).status is Status.FAILED
        assert house.blob_names() == set()


async def test_the_slot_goes_on_when_the_store_cannot_be_asked_for_work(tmp_path: Path):
    store = TroubledStore()
    store.failing["claim"] = 3
    async with theatre(tmp_path, store=store) as house:
        for _ in range(3):
            assert await store.answered("claim") is UNAVAILABLE
        await house.submit()
        assert await house.stage.next()


@pytest.mark.parametrize("has_effect", [False, True], ids=["nothing was written", "it was written all the same"])
async def test_an_end_that_the_store_did_not_take_is_told_again(tmp_path: Path, has_effect: bool):
    async with theatre(tmp_path, attempts_max=1) as house:
        task = await house.submit()
        house.store.failing["finish"] = 1 if has_effect else 3
        house.store.fails_after = has_effect
        (await house.stage.next()).succeed()
        while await house.store.answered("claim") is not None:
            pass
        ended = await house.task(task)
        assert (ended.status, ended.attempt) == (Status.SUCCEEDED, 1)
        assert ended.film is not None
        assert house.blobs.local_path(ended.film.video_blob) is not None
        assert await house.kinds(task) == [EntryKind.HOLD, EntryKind.POSTED]


async def test_a_film_waits_for_a_blob_store_that_is_away_and_is_not_rendered_anew(tmp_path: Path, monkeypatch):
    async with theatre(tmp_path, attempts_max=1, keeping_s=PATIENCE_S) as house:
        task, put, away = await house.submit(), house.blobs.put, [UNAVAILABLE] * 2

        async def put_later(path: Path, key: str) -> None:
            if away:
                raise away.pop()
            await put(path, key)

        monkeypatch.setattr(house.blobs, "put", put_later)
        (await house.stage.next()).succeed()
        assert await house.store.answered("finish")
        ended = await house.task(task)
        assert (ended.status, ended.attempt) == (Status.SUCCEEDED, 1)


async def test_a_render_goes_on_while_the_store_takes_no_heartbeats(tmp_path: Path):
    async with theatre(tmp_path) as house:
        task = await house.submit()
        house.store.failing["heartbeat"] = 2
        render = await house.stage.next()
        for _ in range(3):
            await house.store.answered("heartbeat")
        render.succeed()
        await house.store.answered("finish")
        assert (await house.task(task)).attempt == 1


async def test_an_end_the_store_never_takes_leaves_the_task_to_the_next_claim_after_the_lease(tmp_path: Path):
    async with theatre(tmp_path, lease_s=0.05) as house:
        task = await house.submit()
        house.store.failing["finish"] = 1_000_000
        (await house.stage.next()).succeed(content=b"first")
        while await house.store.answered("claim") is not None:
            pass
        house.store.failing["finish"] = 0
        house.clock.advance(seconds=1)
        (await house.stage.next()).succeed(content=b"second")
        while await house.store.answered("claim") is not None:
            pass
        ended = await house.task(task)
        assert (ended.status, ended.attempt) == (Status.SUCCEEDED, 2)
        assert ended.film is not None
        assert house.blob_names() == {ended.film.video_blob, ended.film.last_frame_blob}
        assert await house.kinds(task) == [EntryKind.HOLD, EntryKind.POSTED]
