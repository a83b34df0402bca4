"""Pictures of films as blobs: made once, gone with the film, and refused in words where there is none."""

import asyncio
from pathlib import Path

import pytest

from understudy.core.errors import NotFound, Rejected, Unavailable
from understudy.core.task import Film
from understudy.media.film_stills import FilmStills
from understudy.media.stills import Still
from understudy.storage.blobs import LocalBlobStore
from unit.test_stills import write_levels

KEY = "20261121120000-abcde-1/video.mp4"
FILM = Film(
    video_blob=KEY,
    last_frame_blob=None,
    ratio="16:9",
    width_px=320,
    height_px=180,
    duration_s=1,
    fps=24,
    num_frames=29,
    has_sound=False,
)


class ForgetfulBlobStore(LocalBlobStore):
    """Loses the film while a picture of it is stored."""

    async def put(self, path: Path, key: str) -> None:
        await super().put(path, key)
        if key != KEY:
            await self.delete(KEY)


class ElsewhereBlobStore(LocalBlobStore):
    """Keeps its films on a machine that does not answer."""

    async def local_copy(self, key: str, directory: Path) -> Path:
        raise OSError("the store broke off")


async def stored(folder: Path, kind: type[LocalBlobStore] = LocalBlobStore) -> LocalBlobStore:
    blobs = kind(folder / "blobs")
    await blobs.put(write_levels(folder / "a.mp4", num_frames=29), KEY)
    return blobs


@pytest.mark.parametrize("still", Still)
async def test_a_picture_is_made_once_and_lies_beside_its_film(tmp_path, still):
    blobs = await stored(tmp_path)
    stills = FilmStills(blobs)
    keys = await asyncio.gather(*(stills.blob_of(FILM, still) for _ in range(2)))
    assert len(set(keys)) == 1
    assert blobs.local_path(keys[0]).parent == blobs.local_path(KEY).parent
    made_at_ns = blobs.local_path(keys[0]).stat().st_mtime_ns
    await blobs.delete(KEY)
    assert await FilmStills(blobs).blob_of(FILM, still) == keys[0]
    assert blobs.local_path(keys[0]).stat().st_mtime_ns == made_at_ns


async def test_a_film_removed_while_its_picture_is_made_leaves_nothing_behind(tmp_path):
    blobs = await stored(tmp_path, ForgetfulBlobStore)
    with pytest.raises(NotFound, match="does not exist any more"):
        await FilmStills(blobs).blob_of(FILM, Still.THUMBNAIL)
    assert list((tmp_path / "blobs").iterdir()) == []


async def test_a_film_that_is_gone_has_no_picture(tmp_path):
    with pytest.raises(NotFound, match="does not exist any more"):
        await FilmStills(LocalBlobStore(tmp_path)).blob_of(FILM, Still.SPRITESHEET)


async def test_a_file_that_is_no_film_is_told_without_a_picture(tmp_path):
    blobs = LocalBlobStore(tmp_path / "blobs")
    (tmp_path / "a.mp4").write_bytes(b"no film")
    await blobs.put(tmp_path / "a.mp4", KEY)
    with pytest.raises(Unavailable, match="could not be read"):
        await FilmStills(blobs).blob_of(FILM, Still.THUMBNAIL)


@pytest.mark.parametrize("variant", ["video", "poster", "", "Thumbnail"])
async def test_another_variant_is_refused_with_the_words_there_are(tmp_path, variant):
    with pytest.raises(Rejected, match="`video`, `thumbnail`, `spritesheet`"):
        await FilmStills(LocalBlobStore(tmp_path)).blob_of(FILM, variant)


async def test_all_who_want_the_picture_of_a_broken_film_at_once_learn_it_from_one_try(tmp_path, caplog):
    blobs = LocalBlobStore(tmp_path / "blobs")
    (tmp_path / "a.mp4").write_bytes(b"no film")
    await blobs.put(tmp_path / "a.mp4", KEY)
    stills = FilmStills(blobs)
    asked = (stills.blob_of(FILM, Still.THUMBNAIL) for _ in range(5))
    told = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(each) for each in told] == [Unavailable] * 5
    assert [record.message[:10] for record in caplog.records] == ["no picture"]


async def test_a_caller_who_leaves_does_not_take_the_picture_from_the_others(tmp_path):
    stills = FilmStills(await stored(tmp_path))
    first = asyncio.create_task(stills.blob_of(FILM, Still.THUMBNAIL))
    second = asyncio.create_task(stills.blob_of(FILM, Still.THUMBNAIL))
    await asyncio.sleep(0)
    first.cancel()
    assert await second


async def test_a_film_that_cannot_be_brought_here_is_unavailable_and_not_gone(tmp_path):
    blobs = await stored(tmp_path, ElsewhereBlobStore)
    with pytest.raises(Unavailable):
        await FilmStills(blobs).blob_of(FILM, Still.THUMBNAIL)
