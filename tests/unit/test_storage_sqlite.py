"""The SQLite store beyond the port: durability, start-up, full disks, shutdown."""

import asyncio
import resource
import signal
import stat
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.core.errors import Unavailable
from understudy.core.task import Film, Status, TaskFilter
from understudy.storage.cannot_open import CannotOpen
from understudy.storage.rows import micros_of, moment_of, task_of
from understudy.storage.sqlite import SqliteTaskStore, check_sqlite
from understudy.testing.samples import LEASE_END, NOW, hold_of, sample_task, success_of


@pytest.fixture
def path(tmp_path):
    return tmp_path / "understudy.db"


@pytest.fixture
async def store(path):
    store = SqliteTaskStore(path)
    yield store
    await store.close()


async def put(store, *numbers):
    tasks = [sample_task(number) for number in numbers]
    await asyncio.gather(*(store.insert(task, hold_of(task)) for task in tasks))
    return tasks


async def test_a_store_opened_again_goes_on_where_it_was(path):
    store = SqliteTaskStore(path)
    first, second = await put(store, 1, 2)
    claim = await store.claim("worker-1", NOW, LEASE_END)
    await store.close()

    store = SqliteTaskStore(path)
    assert await store.get(first.owner, second.id) == second
    assert await store.heartbeat(claim, 0.5, LEASE_END) is True
    assert await store.finish(claim, success_of(claim), NOW) is True
    assert [entry.kind for entry in await store.ledger(first.id)] == ["hold", "posted"]
    await store.close()


async def test_films_stored_before_tools_were_counted_read_back_without_any(path, store):
    (task,) = await put(store, 1)
    claim = await store.claim("worker-1", NOW, LEASE_END)
    await store.finish(claim, success_of(claim), NOW)
    await store.close()
    older = apsw.Connection(str(path))
    older.execute("DROP TRIGGER task_end_is_final")
    older.execute("UPDATE task SET film = CAST(json_remove(CAST(film AS TEXT), '$.tool_usage') AS BLOB)")
    older.close()

    store = SqliteTaskStore(path)
    film = (await store.get(task.owner, task.id)).film
    assert film == replace(success_of(claim).film, tool_usage={})
    await store.close()


async def test_closing_leaves_one_file(path, store):
    await put(store, 1)
    assert path.with_name("understudy.db-wal").stat().st_size > 0
    await store.close()
    assert [each.name for each in path.parent.iterdir()] == ["understudy.db"]


async def test_only_the_owner_of_the_process_can_read_the_database(path, store):
    await put(store, 1)
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
    assert set(modes.values()) == {0o600}, modes


async def test_a_commit_waits_for_the_disk(store):
    (level,) = await store._writer.submit(
        lambda connection: connection.execute("PRAGMA synchronous").fetchone(), refusable=False
    )
    assert level == 2  # FULL


WRITES_UNTIL_KILLED = """
import asyncio, sys
from pathlib import Path
from understudy.storage.sqlite import SqliteTaskStore
from understudy.testing.samples import hold_of, sample_task

async def lane(store, numbers):
    for number in numbers:
        await store.insert(sample_task(number), hold_of(sample_task(number)))
        print(number, flush=True)

async def main():
    store = SqliteTaskStore(Path(sys.argv[1]))
    numbers = iter(range(100_000))
    await asyncio.gather(*(lane(store, numbers) for _ in range(8)))

asyncio.run(main())
"""


def acknowledged_until_killed(path):
    with subprocess.Popen([sys.executable, "-c", WRITES_UNTIL_KILLED, path], stdout=subprocess.PIPE) as writing:
        acknowledged = [int(writing.stdout.readline()) for _ in range(300)]
        writing.send_signal(signal.SIGKILL)
        *whole, _ = writing.stdout.read().split(b"\n")
    return acknowledged + [int(line) for line in whole]


async def test_what_was_acknowledged_survives_kill_9(path):
    acknowledged = await asyncio.to_thread(acknowledged_until_killed, path)
    store = SqliteTaskStore(path)
    wanted = TaskFilter(page=1, page_size=100_000, created_after=NOW, cancelled_after=NOW)
    stored = {task.id for task in (await store.list_tasks(sample_task().owner, wanted)).tasks}
    assert {sample_task(number).id for number in acknowledged} <= stored
    assert {len(await store.ledger(task_id)) for task_id in stored} == {1}
    await store.close()


async def test_a_full_disk_is_told_and_survived(path, store):
    (kept,) = await put(store, 1)
    wal_size_bytes = path.with_name("understudy.db-wal").stat().st_size
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (wal_size_bytes + 4096, most))
    try:
        answers = await asyncio.gather(put(store, 2), put(store, 3), return_exceptions=True)
        assert await store.get(kept.owner, kept.id) == kept
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    assert [type(answer) for answer in answers] == [Unavailable, Unavailable]
    assert await store.get(kept.owner, sample_task(2).id) is None
    assert await store.ledger(sample_task(2).id) == ()
    await put(store, 2, 3)
    assert await store.get(kept.owner, sample_task(3).id) == sample_task(3)


async def test_a_closed_store_refuses_everything(store):
    await store.close()
    wanted = TaskFilter(page=1, page_size=1, created_after=NOW, cancelled_after=NOW)
    for call in (put(store, 1), store.get("o", "1"), store.list_tasks("o", wanted), store.keys(), store.expire(NOW)):
        with pytest.raises(Unavailable):
            await call


async def test_closing_twice_is_closing_once(store):
    await store.close()
    await store.close()


def test_a_file_that_is_no_database_is_refused(path):
    path.write_bytes(b"these are not the bytes of a database" * 100)
    with pytest.raises(CannotOpen, match="cannot open the database"):
        SqliteTaskStore(path)


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(CannotOpen, match="nowhere"):
        SqliteTaskStore(tmp_path / "nowhere" / "understudy.db")


@pytest.mark.parametrize("version", ["3.40.1", "3.51.2", "2.99.9"])
def test_a_sqlite_that_can_corrupt_its_log_is_refused(version):
    with pytest.raises(CannotOpen, match=version):
        check_sqlite(version)


@pytest.mark.parametrize("version", ["3.51.3", "3.54.1", "4.0.0", apsw.sqlite_lib_version()])
def test_a_sound_sqlite_is_taken(version):
    check_sqlite(version)


@given(st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001
def test_moments_keep_every_microsecond(moment):
    assert moment_of(micros_of(moment)) == moment


def test_a_moment_in_another_zone_is_the_same_moment():
    zoned = NOW.astimezone(tz=None)
    assert moment_of(micros_of(zoned)) == NOW
    assert moment_of(micros_of(zoned)).utcoffset() == timedelta(0)


def test_a_row_written_by_the_first_version_can_be_read():
    film = (
        b'{"video_blob":"a-1/video.mp4","last_frame_blob":null,"ratio":"16:9","width_px":864,"height_px":496,'
        b'"duration_s":5,"fps":24,"num_frames":121,"has_sound":true}'
    )
    request = b'{"model":"m","content":[{"modality":"image","value":"u","role":"first_frame"}],"seed":3,"gone":1}'
    micros = micros_of(NOW)
    row = (
        "a",
        "o",
        "ark",
        "previz",
        3,
        "succeeded",
        micros,
        micros,
        micros,
        1,
        1.0,
        9,
        None,
        None,
        film,
        0,
        "",
        request,
    )
    task = task_of(row)
    assert task.status is Status.SUCCEEDED
    assert isinstance(task.film, Film)
    assert (task.film.width_px, task.request.content[0].role, task.request.seed) == (864, "first_frame", 3)
    assert task.request.tools == ()
