"""Reading and withdrawing: what an owner sees, for how long, and what cannot be withdrawn."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from submit_bench import Bench
from understudy.catalog.load import load_catalogue
from understudy.core.errors import Conflict, NotFound
from understudy.core.ports import Outcome
from understudy.core.task import EntryKind, Film, Status
from understudy.dialects.ark import ARK
from understudy.service.films import STILL_NAMES, still_key
from understudy.service.query import Queries
from understudy.storage.blobs import LocalBlobStore

DAY_S = 86_400


@pytest.fixture
def house(tmp_path):
    bench = Bench()
    bench.blobs = LocalBlobStore(tmp_path / "blobs")
    bench.folder = tmp_path
    bench.queries = Queries(
        catalogue=load_catalogue(),
        store=bench.store,
        blobs=bench.blobs,
        clock=bench.clock,
        record_retention_s=7 * DAY_S,
        cancelled_retention_s=DAY_S,
    )
    return bench


async def claim(bench):
    now = bench.clock.now()
    return await bench.store.claim("w", now, now + timedelta(seconds=30))


async def succeed(bench, task):
    key = f"{task.id}-1/video.mp4"
    source = Path(bench.folder / "film.mp4")
    source.write_bytes(b"film")
    await bench.blobs.put(source, key)
    film = Film(
        video_blob=key,
        last_frame_blob=None,
        ratio="16:9",
        width_px=1280,
        height_px=720,
        duration_s=5,
        fps=24,
        num_frames=120,
        has_sound=True,
    )
    (hold,) = await bench.store.ledger(task.id)
    outcome = Outcome(
        status=Status.SUCCEEDED, entry=replace(hold, kind=EntryKind.POSTED), film=film, completion_tokens=108_900
    )
    assert await bench.store.finish(await claim(bench), outcome, bench.clock.now())
    return key


async def test_another_owners_task_is_not_found(house):
    task = await house.submit()
    with pytest.raises(NotFound):
        await house.queries.get("other", task.id)
    with pytest.raises(NotFound):
        await house.queries.withdraw("other", task.id)
    assert (await house.queries.get("o", task.id)).id == task.id


async def test_a_record_is_shown_for_seven_days_and_not_a_second_longer(house):
    task = await house.submit()
    house.clock.advance(days=7)
    assert await house.queries.get("o", task.id)
    house.clock.advance(seconds=1)
    with pytest.raises(NotFound):
        await house.queries.get("o", task.id)


async def test_a_cancelled_task_is_shown_for_a_day(house):
    task = await house.submit()
    await house.queries.withdraw("o", task.id)
    assert (await house.queries.get("o", task.id)).status is Status.CANCELLED
    house.clock.advance(days=1, seconds=1)
    with pytest.raises(NotFound):
        await house.queries.get("o", task.id)


async def test_a_running_task_is_not_withdrawn(house):
    task = await house.submit()
    await claim(house)
    with pytest.raises(Conflict, match="currently running"):
        await house.queries.withdraw("o", task.id)
    assert (await house.queries.get("o", task.id)).status is Status.RUNNING


async def test_a_cancelled_task_is_not_withdrawn_twice(house):
    task = await house.submit()
    await house.queries.withdraw("o", task.id)
    with pytest.raises(Conflict, match="already cancelled"):
        await house.queries.withdraw("o", task.id)


async def test_withdrawing_a_finished_task_removes_record_and_film(house):
    task = await house.submit()
    key = await succeed(house, task)
    assert house.blobs.local_path(key) is not None
    await house.queries.withdraw("o", task.id)
    assert house.blobs.local_path(key) is None
    with pytest.raises(NotFound):
        await house.queries.get("o", task.id)


async def test_withdrawing_removes_the_pictures_that_were_made_of_the_film(house):
    task = await house.submit()
    video_blob = await succeed(house, task)
    stills = [still_key(video_blob, variant) for variant in STILL_NAMES]
    for key in stills:
        (house.folder / "still").write_bytes(b"picture")
        await house.blobs.put(house.folder / "still", key)
    await house.queries.withdraw("o", task.id)
    assert [house.blobs.local_path(key) for key in stills] == [None, None]


async def test_a_listing_understands_a_models_other_names(house):
    task = await house.submit()
    wanted = ARK.decode_filter([("filter.model", "doubao-seedance-2.0")], now=house.clock.now())
    page = await house.queries.list_tasks("o", wanted)
    assert [each.id for each in page.tasks] == [task.id]
    other = ARK.decode_filter([("filter.model", "doubao-seedance-2.0-fast")], now=house.clock.now())
    assert (await house.queries.list_tasks("o", other)).total == 0
