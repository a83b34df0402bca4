"""The shelf: bytes are measured and stored once, judged each time, and wait while the same bytes are being removed."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from intake_bench import IMAGE, VIDEO, MediaBench, file_of
from understudy.core.errors import Unavailable
from understudy.core.media import Origin, Unreadable
from understudy.core.modality import Modality
from understudy.service import shelf as shelves


def written(tmp_path: Path, content: bytes, name: str = "a") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


async def shelve(bench: MediaBench, path: Path, modality: Modality = Modality.IMAGE):
    shelf = bench.intake.shelf
    return await shelf.keep(await shelf.measure(path, modality, owner="o"), Origin.WEB)


async def test_bytes_are_kept_under_their_own_digest(tmp_path: Path):
    bench = MediaBench(tmp_path)
    medium = await shelve(bench, written(tmp_path, file_of(IMAGE)))
    assert medium.key == f"media/{medium.sha256}.png"
    assert bench.blob_names() == {medium.key}


async def test_a_shelf_with_a_folder_of_its_own_keeps_them_there(tmp_path: Path):
    bench = MediaBench(tmp_path)
    shelf = replace(bench.intake.shelf, folder="media-1a2b")
    measured = await shelf.measure(written(tmp_path, file_of(IMAGE)), Modality.IMAGE, owner="o")
    medium = await shelf.keep(measured, Origin.WEB)
    assert medium.key == f"media-1a2b/{medium.sha256}.png"
    assert bench.blob_names() == {medium.key}
    assert (await bench.blobs.stat(medium.key)).etag == f'"{medium.sha256}"'
    assert [shelves.is_medium_key(key) for key in (medium.key, "media/a.png", "20260101000000-abcde-1/video.mp4")] == [
        True,
        True,
        False,
    ]


async def test_known_bytes_are_neither_measured_nor_stored_again(tmp_path: Path):
    bench = MediaBench(tmp_path)
    first = await shelve(bench, written(tmp_path, file_of(IMAGE)))
    again = written(tmp_path, file_of(IMAGE), "b")
    assert await shelve(bench, again) == first
    assert (len(bench.prober.probed), again.is_file()) == (1, True)


async def test_known_bytes_that_were_lost_are_stored_again_and_not_measured(tmp_path: Path):
    bench = MediaBench(tmp_path)
    medium = await shelve(bench, written(tmp_path, file_of(IMAGE)))
    await bench.blobs.delete(medium.key)
    assert await shelve(bench, written(tmp_path, file_of(IMAGE), "b")) == medium
    assert (len(bench.prober.probed), bench.blob_names()) == (1, {medium.key})


async def test_what_was_only_measured_is_not_stored_however_often(tmp_path: Path):
    bench = MediaBench(tmp_path)
    for name in "ab":
        await bench.intake.shelf.measure(written(tmp_path, file_of(IMAGE), name), Modality.IMAGE, owner="o")
    assert bench.blob_names() == set()


async def test_bytes_known_as_an_image_are_no_video_because_of_it(tmp_path: Path):
    bench = MediaBench(tmp_path)
    await shelve(bench, written(tmp_path, file_of(IMAGE)))
    with pytest.raises(Unreadable):
        await shelve(bench, written(tmp_path, file_of(IMAGE), "b"), Modality.VIDEO)


async def test_what_cannot_be_read_is_forgotten_when_its_reservation_ends(tmp_path: Path):
    bench = MediaBench(tmp_path)
    with pytest.raises(Unreadable):
        await shelve(bench, written(tmp_path, b"no picture"))
    later = bench.clock.now() + timedelta(hours=2)
    assert await bench.media.take_unused(later, 10) == {}


async def test_bytes_that_are_being_removed_are_stored_anew_once_they_are_gone(tmp_path: Path, monkeypatch):
    bench = MediaBench(tmp_path)
    medium = await shelve(bench, written(tmp_path, file_of(VIDEO)), Modality.VIDEO)
    later = bench.clock.now() + timedelta(hours=2)
    assert list(await bench.media.take_unused(later, 10)) == [medium.sha256]
    looks = []

    async def pause(_: float) -> None:
        looks.append(1)
        if len(looks) == 3:
            await bench.blobs.delete(medium.key)
            await bench.media.left(medium.sha256)

    monkeypatch.setattr(shelves.asyncio, "sleep", pause)
    assert await shelve(bench, written(tmp_path, file_of(VIDEO), "b"), Modality.VIDEO) == medium
    assert (bench.blob_names(), len(looks)) == ({medium.key}, 3)


async def test_whoever_waits_for_a_removal_that_does_not_end_is_told_to_come_back(tmp_path: Path, monkeypatch):
    bench = MediaBench(tmp_path)
    await shelve(bench, written(tmp_path, file_of(IMAGE)))
    await bench.media.take_unused(bench.clock.now() + timedelta(hours=2), 10)
    monkeypatch.setattr(shelves, "LOOK_PAUSE_S", 0.0)
    with pytest.raises(Unavailable, match="being removed"):
        await shelve(bench, written(tmp_path, file_of(IMAGE), "b"))


async def test_a_medium_says_where_it_came_from_this_time(tmp_path: Path):
    bench = MediaBench(tmp_path)
    first = await shelve(bench, written(tmp_path, file_of(IMAGE)))
    measured = await bench.intake.shelf.measure(written(tmp_path, file_of(IMAGE), "b"), Modality.IMAGE, owner="o")
    assert await bench.intake.shelf.keep(measured, Origin.INLINE) == replace(first, origin=Origin.INLINE)
