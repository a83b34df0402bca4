"""The spool: files of one request, whole when they are flushed, gone when they are removed."""

import asyncio
import shutil
import stat

import pytest

from understudy.core.errors import Unavailable
from understudy.core.media import SPOOLED
from understudy.server.spool import SpoolDir


def test_what_is_written_in_pieces_is_a_file_at_its_address(tmp_path):
    async def scene() -> None:
        spool = SpoolDir(tmp_path / "spool").open()
        first = spool.begin()
        spool.write(b"one ")
        await spool.flush()
        spool.write(b"file")
        second = spool.begin()
        spool.write(b"another")
        await spool.flush()
        assert spool.gathered_bytes == 0
        assert {key: path.read_bytes() for key, path in spool.files.items()} == {first: b"one file", second: b"another"}

    asyncio.run(scene())


def test_addresses_cannot_be_guessed_and_differ_between_requests(tmp_path):
    spools = SpoolDir(tmp_path / "spool")
    first, second = (spools.open().begin().removeprefix(SPOOLED) for _ in range(2))
    assert first.endswith("/0")
    assert len(first) == len(second) == 32 + len("/0")
    assert first != second


def test_only_the_server_can_read_the_files(tmp_path):
    async def scene() -> None:
        spool = SpoolDir(tmp_path / "spool").open()
        spool.begin()
        spool.write(b"x")
        await spool.flush()
        (path,) = spool.files.values()
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700

    asyncio.run(scene())


def test_a_file_that_was_dropped_has_no_address(tmp_path):
    async def scene() -> None:
        spool = SpoolDir(tmp_path / "spool").open()
        spool.begin()
        spool.write(b"dropped")
        spool.drop()
        assert spool.gathered_bytes == 0
        kept = spool.begin()
        spool.write(b"kept")
        await spool.flush()
        assert {key: path.read_bytes() for key, path in spool.files.items()} == {kept: b"kept"}

    asyncio.run(scene())


def test_removing_leaves_nothing_whatever_was_being_written(tmp_path):
    async def scene() -> None:
        spool = SpoolDir(tmp_path / "spool").open()
        spool.begin()
        spool.write(bytes(1 << 22))
        writing = asyncio.create_task(spool.flush())
        await asyncio.sleep(0)
        writing.cancel()
        await spool.remove()
        await asyncio.wait([writing])

    asyncio.run(scene())
    assert list((tmp_path / "spool").iterdir()) == []


def test_what_an_earlier_process_left_is_removed_at_the_start(tmp_path):
    left = tmp_path / "spool" / "token"
    left.mkdir(parents=True)
    (left / "0").write_bytes(b"x")
    SpoolDir(tmp_path / "spool")
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_disk_that_takes_nothing_is_told_as_no_room_and_to_the_operator_why(tmp_path, caplog):
    async def scene() -> None:
        spool = SpoolDir(tmp_path / "spool").open()
        shutil.rmtree(tmp_path / "spool")
        spool.begin()
        spool.write(b"x")
        with pytest.raises(Unavailable):
            await spool.flush()
        await spool.remove()

    asyncio.run(scene())
    assert "No such file or directory" in caplog.text
