"""Blobs: whole or absent, under keys of our own making only, never through a link."""

import errno
import os
from pathlib import Path

import pytest

from understudy.core.errors import Unavailable
from understudy.storage import blobs as module
from understudy.storage.blobs import LocalBlobStore
from understudy.testing.blob_stores import BAD_KEYS, content_key, pattern, read_all

KEY = "20261121120000-abcde-1/video.mp4"


@pytest.fixture
def root(tmp_path):
    return tmp_path / "blobs"


@pytest.fixture
def blobs(root):
    return LocalBlobStore(root)


@pytest.fixture
def made(tmp_path):
    def make(content=b"film", name="made.mp4"):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return make


async def test_a_file_put_is_moved_under_its_key(blobs, root, made):
    source = made()
    await blobs.put(source, KEY)
    assert blobs.local_path(KEY).read_bytes() == b"film"
    assert not source.exists()
    assert [path.name for path in root.rglob("*")] == ["20261121120000-abcde-1", "video.mp4"]


async def test_putting_again_replaces_the_blob(blobs, made):
    await blobs.put(made(b"first"), KEY)
    await blobs.put(made(b"second"), KEY)
    assert blobs.local_path(KEY).read_bytes() == b"second"


async def test_what_moves_is_on_disk_before_its_name_and_the_name_before_the_answer(blobs, root, made, monkeypatch):
    steps = []
    sync, replace = os.fsync, Path.replace

    def noted_sync(handle):
        steps.append(os.fstat(handle).st_ino)
        sync(handle)

    def noted_replace(source, target):
        steps.append("replace")
        return replace(source, target)

    monkeypatch.setattr(os, "fsync", noted_sync)
    monkeypatch.setattr(Path, "replace", noted_replace)
    await blobs.put(made(), KEY)
    film, folder, whole = ((root / part).stat().st_ino for part in (KEY, Path(KEY).parent, "."))
    assert steps == [film, "replace", folder, whole]


async def test_a_file_from_another_file_system_is_copied_whole(blobs, root, made, monkeypatch):
    replace = Path.replace

    def replace_on_one_disk(source, target):
        if source.parent != target.parent:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return replace(source, target)

    monkeypatch.setattr(Path, "replace", replace_on_one_disk)
    source = made()
    await blobs.put(source, KEY)
    assert blobs.local_path(KEY).read_bytes() == b"film"
    assert not source.exists()
    assert [path.name for path in (root / KEY).parent.iterdir()] == ["video.mp4"]


async def test_a_full_disk_is_told_and_leaves_no_blob(blobs, root, made, monkeypatch):
    def no_space(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    source = made()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", no_space)
        with pytest.raises(Unavailable):
            await blobs.put(source, KEY)
    assert blobs.local_path(KEY) is None
    await blobs.put(source, KEY)


async def test_a_source_that_is_not_there_is_an_error(blobs, tmp_path):
    with pytest.raises(FileNotFoundError):
        await blobs.put(tmp_path / "nothing.mp4", KEY)


async def test_a_deleted_blob_is_gone_with_its_empty_folder(blobs, root, made):
    other = KEY.replace("video.mp4", "last_frame.png")
    await blobs.put(made(), KEY)
    await blobs.put(made(), other)
    await blobs.delete(KEY)
    assert blobs.local_path(KEY) is None
    assert blobs.local_path(other) is not None
    await blobs.delete(other)
    assert list(root.iterdir()) == []


async def test_deleting_what_is_not_there_is_no_error(blobs):
    await blobs.delete(KEY)
    await blobs.delete("../../anything")


@pytest.mark.parametrize("key", BAD_KEYS)
async def test_a_malformed_key_names_nothing(blobs, root, made, key):
    source = made()
    with pytest.raises(ValueError, match="no blob key"):
        await blobs.put(source, key)
    assert source.exists()
    assert blobs.local_path(key) is None
    assert list(root.iterdir()) == []


async def test_links_below_the_root_are_not_followed(blobs, root, made, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    secret = outside / "video.mp4"
    secret.write_bytes(b"secret")
    (root / "linked-1").symlink_to(outside)
    (root / "real-1").mkdir()
    (root / "real-1" / "video.mp4").symlink_to(secret)
    for key in ("linked-1/video.mp4", "real-1/video.mp4"):
        assert blobs.local_path(key) is None
        await blobs.delete(key)
    with pytest.raises(ValueError, match="a link"):
        await blobs.put(made(), "linked-1/video.mp4")
    assert secret.read_bytes() == b"secret"


async def test_a_link_is_not_stored_in_place_of_a_file(blobs, made, tmp_path):
    link = tmp_path / "link.mp4"
    link.symlink_to(made())
    with pytest.raises(ValueError, match="no regular file"):
        await blobs.put(link, KEY)
    assert blobs.local_path(KEY) is None


async def test_a_root_reached_through_a_link_serves(tmp_path, made):
    (tmp_path / "disk").mkdir()
    (tmp_path / "data").symlink_to(tmp_path / "disk")
    blobs = LocalBlobStore(tmp_path / "data" / "blobs")
    await blobs.put(made(), KEY)
    assert blobs.local_path(KEY).read_bytes() == b"film"


async def test_a_medium_that_is_not_whole_is_mended_by_putting_it_again(blobs, made):
    key = content_key(b"medium")
    await blobs.put(made(b"medium"), key)
    blobs.local_path(key).write_bytes(b"med")
    await blobs.put(made(b"medium"), key)
    assert blobs.local_path(key).read_bytes() == b"medium"


async def test_a_medium_that_is_kept_already_is_not_written_again(blobs, made):
    key = content_key(b"medium")
    await blobs.put(made(b"medium"), key)
    before = blobs.local_path(key).stat()
    await blobs.put(made(b"medium"), key)
    assert blobs.local_path(key).stat() == before


@pytest.mark.parametrize("read_now", [0, 1 << 30, module._READ_NOW])
async def test_a_blob_is_read_where_the_system_cannot_tell_what_is_in_memory(blobs, made, monkeypatch, read_now):
    content = pattern(3 * module.CHUNK_BYTES + 5)
    await blobs.put(made(content), KEY)
    monkeypatch.setattr(module, "_READ_NOW", read_now)
    assert await read_all(blobs, KEY) == content


async def test_a_disk_that_does_not_answer_is_told_and_is_no_missing_blob(blobs, made, monkeypatch):
    await blobs.put(made(), KEY)

    def broken(path):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Path, "lstat", broken)
    with pytest.raises(Unavailable):
        await blobs.stat(KEY)


@pytest.mark.parametrize("step", ["mkdir", "replace"])
async def test_a_folder_that_a_delete_takes_away_in_mid_put_is_made_again(blobs, made, monkeypatch, step):
    real, taken_away = getattr(Path, step), []

    def with_a_delete_beside(path, *args, **kwargs):
        folder = path if step == "mkdir" else args[0].parent
        done = real(path, *args, **kwargs) if step == "mkdir" else None
        if not taken_away:
            taken_away.append(folder)
            folder.rmdir()
        return done if step == "mkdir" else real(path, *args, **kwargs)

    monkeypatch.setattr(Path, step, with_a_delete_beside)
    await blobs.put(made(), KEY)
    assert await read_all(blobs, KEY) == b"film"
    assert len(taken_away) == 1


async def test_a_folder_that_is_taken_away_each_time_is_told_in_the_end(blobs, root, made, monkeypatch):
    real = Path.replace

    def always_late(path, target):
        target.parent.rmdir()
        return real(path, target)

    monkeypatch.setattr(Path, "replace", always_late)
    with pytest.raises(FileNotFoundError):
        await blobs.put(made(), KEY)
    assert list(root.iterdir()) == []
