"""Reading and withdrawing: what an owner sees, for how long, and what cannot be withdrawn."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from submit_bench import Bench
from understudy.catalog.load import load_catalogue
from understudy.core.errors import Conflict, NotFound
from understudy.core.ports import Outcome
from understudy.core.task import STILLS, EntryKind, Film, Status
from understudy.dialects.ark import ARK
from understudy.service.query import Queries
from understudy.service.retention import Retention
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
        retention=Retention(record_retention_s=7 * DAY_S, cancelled_retention_s=DAY_S),
    )
    return bench


def keeps(bench, *, record_retention_s):
    """Give queries of a server that keeps records so long."""
    retention = Retention(record_retention_s=record_retention_s, cancelled_retention_s=DAY_S)
    return replace(bench.queries, retention=retention)


async def listed(bench, queries=None):
    """List the ids of all that is shown, by the filter of a dialect that reaches as far back as the vendor's."""
    wanted = ARK.decode_filter([], now=bench.clock.now())
    page = await (queries or bench.queries).list_tasks("o", wanted)
    assert page.total == len(page.tasks)
    return [each.id for each in page.tasks]


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


@pytest.mark.parametrize("retention_s", [60, 30 * DAY_S])
async def test_records_are_shown_as_long_as_the_server_keeps_them(house, retention_s):
    task = await house.submit()
    queries = keeps(house, record_retention_s=retention_s)
    house.clock.advance(seconds=retention_s)
    assert (await queries.get("o", task.id)).id == task.id
    assert await listed(house, queries) == [task.id]
    house.clock.advance(seconds=1)
    with pytest.raises(NotFound):
        await queries.get("o", task.id)
    assert await listed(house, queries) == []


async def test_records_that_are_kept_for_good_are_always_shown_cancelled_ones_as_well(house):
    queries = keeps(house, record_retention_s=0)
    cancelled, queued = await house.submit(), await house.submit()
    await queries.withdraw("o", cancelled.id)
    house.clock.advance(days=40_000)
    assert sorted(await listed(house, queries)) == sorted([cancelled.id, queued.id])
    assert (await queries.get("o", cancelled.id)).status is Status.CANCELLED


async def test_an_archived_task_is_shown_for_good(house):
    archived, other = await house.submit(), await house.submit()
    assert (await house.queries.archive("o", archived.id)).is_archived
    house.clock.advance(days=4000)
    assert await listed(house) == [archived.id]
    assert (await house.queries.get("o", archived.id)).is_archived
    with pytest.raises(NotFound):
        await house.queries.get("o", other.id)


async def test_archiving_twice_is_archiving_once(house):
    task = await house.submit()
    assert await house.queries.archive("o", task.id) == await house.queries.archive("o", task.id)


async def test_what_is_not_there_or_not_any_more_cannot_be_archived(house):
    task = await house.submit()
    for owner, task_id in (("other", task.id), ("o", "20261121120000-zzzzz")):
        with pytest.raises(NotFound):
            await house.queries.archive(owner, task_id)
        with pytest.raises(NotFound):
            await house.queries.unarchive(owner, task_id)
    house.clock.advance(days=8)
    for change in (house.queries.archive, house.queries.unarchive):
        with pytest.raises(NotFound):
            await change("o", task.id)


async def test_a_task_taken_out_of_the_archive_counts_its_time_from_its_creation(house):
    task = await house.submit()
    await house.queries.archive("o", task.id)
    house.clock.advance(days=3)
    assert not (await house.queries.unarchive("o", task.id)).is_archived
    house.clock.advance(days=4, seconds=1)
    with pytest.raises(NotFound):
        await house.queries.get("o", task.id)


async def test_an_archived_film_is_not_withdrawn_until_it_is_taken_out(house):
    task = await house.submit()
    key = await succeed(house, task)
    await house.queries.archive("o", task.id)
    with pytest.raises(Conflict, match="archived"):
        await house.queries.withdraw("o", task.id)
    assert house.blobs.local_path(key) is not None
    await house.queries.unarchive("o", task.id)
    await house.queries.withdraw("o", task.id)
    assert house.blobs.local_path(key) is None


async def test_a_queued_task_can_be_cancelled_although_it_is_archived_and_stays(house):
    task = await house.submit()
    await house.queries.archive("o", task.id)
    await house.queries.withdraw("o", task.id)
    house.clock.advance(days=30)
    assert (await house.queries.get("o", task.id)).status is Status.CANCELLED
    assert await listed(house) == [task.id]


class FailingBlobStore(LocalBlobStore):
    """Removes nothing."""

    async def delete(self, key):
        raise OSError("the disk is gone")


async def test_files_that_cannot_be_removed_now_do_not_keep_the_record(house):
    task = await house.submit()
    await succeed(house, task)
    house.queries = replace(house.queries, blobs=FailingBlobStore(house.folder / "blobs"))
    await house.queries.withdraw("o", task.id)
    with pytest.raises(NotFound):
        await house.queries.get("o", task.id)
    (left,) = await house.store.take_removed(house.clock.now(), 10)
    assert (left.id, left.attempt) == (task.id, 1)


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
    stills = [video_blob.replace("video.mp4", name) for name in STILLS.values()]
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
