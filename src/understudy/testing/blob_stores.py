"""The conformance suite of blob stores: subclass `BlobStoreConformance`, open a store, and let pytest collect it.

It holds a store to every sentence of `core.ports.BlobStore`. Needs pytest with pytest-asyncio in auto mode.
"""

import asyncio
import hashlib
from abc import ABC, abstractmethod
from contextlib import aclosing
from pathlib import Path

import pytest

from understudy.core.ports import BlobStore

FILM = "20261121120000-abcde-1/video.mp4"
OTHER_FILM = "20261121120000-abcde-2/video.mp4"
PICTURE = "20261121120000-abcde-1/last_frame.png"

LARGE_BYTES = 5 * 1024 * 1024 + 7
"""More than any store should hold of a blob at once for one reader."""

CHUNK_BYTES_MAX = 4 * 1024 * 1024
"""Largest part that a reader may be given: what is served to thousands at once."""

BAD_KEYS = (
    "",
    "video.mp4",
    "../video.mp4",
    "a/../../x.mp4",
    "a/..",
    "./a.mp4",
    ".a/b.mp4",
    "a/.b.mp4",
    "/etc/passwd",
    "a//b.mp4",
    "a/b/c.mp4",
    "a/b",
    "a/b.mp4/",
    "a/b.mp4\n",
    "a/b\0.mp4",
    "a\\b.mp4",
    "a/b.mp4 ",
    "A/B.MP4",
    "a/é.mp4",
    "a/١.mp4",
    "a/b.mp4\ud800",
    "a" * 200 + "/b.mp4",
)


def content_key(content: bytes) -> str:
    """Return the key of a medium, which names its bytes."""
    return f"media/{hashlib.sha256(content).hexdigest()}.png"


def pattern(size_bytes: int, seed: int = 1) -> bytes:
    """Return bytes in which every place of a part can be told from its neighbours. seed: other bytes for another."""
    block = bytes((place * seed + place // 251) % 256 for place in range(65521))
    return (block * (size_bytes // len(block) + 1))[:size_bytes]


def size_and_digest(content: bytes) -> tuple[int, str]:
    """Return what tells large contents apart, size and digest: a list of all their differences could take hours."""
    return len(content), hashlib.sha256(content).hexdigest()


async def read_part(store: BlobStore, key: str, *, start: int, length_bytes: int) -> bytes:
    """Return a part of a blob, having looked at the size of each chunk."""
    parts = [part async for part in store.read(key, start=start, length_bytes=length_bytes)]
    assert all(isinstance(part, bytes) and 0 < len(part) <= CHUNK_BYTES_MAX for part in parts)
    return b"".join(parts)


async def read_all(store: BlobStore, key: str) -> bytes:
    """Return a whole blob."""
    facts = await store.stat(key)
    assert facts is not None, f"{key} is not stored"
    return await read_part(store, key, start=0, length_bytes=facts.size_bytes)


class Workshop:
    """Where files are made that are then put into stores."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self._made = 0

    def file(self, content: bytes) -> Path:
        """Return a new file."""
        self._made += 1
        path = self.folder / f"made-{self._made}"
        path.write_bytes(content)
        return path

    async def put(self, store: BlobStore, key: str, content: bytes) -> None:
        """Put new bytes under a key."""
        await store.put(self.file(content), key)


class BlobStoreConformance(ABC):
    """What every blob store does."""

    @abstractmethod
    def opened(self, place: Path) -> BlobStore:
        """Open the store of a place: an empty one at first, and later what was put there before."""

    @pytest.fixture
    def place(self, tmp_path: Path) -> Path:
        """Return a place that no other test uses."""
        return tmp_path / "place"

    @pytest.fixture
    def store(self, place: Path) -> BlobStore:
        """Return an empty store."""
        return self.opened(place)

    @pytest.fixture
    def shop(self, tmp_path: Path) -> Workshop:
        """Return a place to make files in."""
        return Workshop(tmp_path / "shop")

    async def test_what_was_put_is_read_and_the_file_is_gone(self, store: BlobStore, shop: Workshop) -> None:
        source = shop.file(b"film")
        await store.put(source, FILM)
        assert await read_all(store, FILM) == b"film"
        assert not source.exists()

    async def test_a_blob_tells_its_size_and_a_strong_etag(self, store: BlobStore, shop: Workshop) -> None:
        await shop.put(store, FILM, b"film")
        facts = await store.stat(FILM)
        assert facts is not None
        assert facts.size_bytes == 4
        inner = facts.etag[1:-1]
        assert facts.etag == f'"{inner}"'
        assert inner
        assert all("!" <= each <= "~" and each != '"' for each in inner)
        assert await store.stat(FILM) == facts

    async def test_a_path_that_is_told_holds_the_bytes(self, store: BlobStore, shop: Workshop) -> None:
        await shop.put(store, FILM, b"film")
        facts = await store.stat(FILM)
        assert facts is not None
        assert facts.path is None or facts.path.read_bytes() == b"film"

    async def test_other_bytes_under_the_key_have_another_etag(self, store: BlobStore, shop: Workshop) -> None:
        etags = set()
        for content in (b"first", b"other", b"third"):
            await shop.put(store, FILM, content)
            facts = await store.stat(FILM)
            assert facts is not None
            etags.add(facts.etag)
            assert size_and_digest(await read_all(store, FILM)) == size_and_digest(content)
        assert len(etags) == 3

    async def test_a_store_that_is_opened_again_tells_the_same(
        self, store: BlobStore, shop: Workshop, place: Path
    ) -> None:
        for key, content in ((FILM, b"film"), (content_key(b"medium"), b"medium")):
            await shop.put(store, key, content)
            before, after = await store.stat(key), await self.opened(place).stat(key)
            assert before is not None
            assert after == before
            assert await read_all(self.opened(place), key) == content

    async def test_a_medium_has_the_same_etag_in_every_store(
        self, store: BlobStore, shop: Workshop, place: Path
    ) -> None:
        key, other = content_key(b"medium"), self.opened(place.with_name("elsewhere"))
        for each in (store, other):
            await shop.put(each, key, b"medium")
        here, there = await store.stat(key), await other.stat(key)
        assert here is not None
        assert there is not None
        assert here.etag == there.etag

    async def test_putting_a_medium_again_keeps_it_and_takes_the_file(self, store: BlobStore, shop: Workshop) -> None:
        key = content_key(b"medium")
        await shop.put(store, key, b"medium")
        before, again = await store.stat(key), shop.file(b"medium")
        await store.put(again, key)
        assert not again.exists()
        assert await store.stat(key) == before
        assert await read_all(store, key) == b"medium"

    async def test_the_same_medium_can_be_put_by_many_at_once(self, store: BlobStore, shop: Workshop) -> None:
        content = pattern(300_000)
        key = content_key(content)
        files = [shop.file(content) for _ in range(8)]
        await asyncio.gather(*(store.put(each, key) for each in files))
        assert size_and_digest(await read_all(store, key)) == size_and_digest(content)
        assert [each for each in files if each.exists()] == []

    async def test_blobs_come_and_go_beside_each_other(self, store: BlobStore, shop: Workshop) -> None:
        async def come_and_go(number: int) -> None:
            key = content_key(b"%d" % number)
            for _ in range(8):
                await shop.put(store, key, b"%d" % number)
                assert await read_all(store, key) == b"%d" % number
                await store.delete(key)

        await asyncio.gather(*(come_and_go(number) for number in range(8)))

    @pytest.mark.parametrize("content", [b"", b"x"])
    async def test_the_smallest_files_are_blobs_too(self, store: BlobStore, shop: Workshop, content: bytes) -> None:
        await shop.put(store, FILM, content)
        assert size_and_digest(await read_all(store, FILM)) == size_and_digest(content)

    async def test_each_part_can_be_read(self, store: BlobStore, shop: Workshop) -> None:
        content = pattern(LARGE_BYTES)
        await shop.put(store, FILM, content)
        mebibyte = 1024 * 1024
        for start, length_bytes in (
            (0, 1),
            (0, LARGE_BYTES),
            (1, LARGE_BYTES - 1),
            (LARGE_BYTES - 1, 1),
            (mebibyte - 3, 7),
            (2 * mebibyte, 2 * mebibyte),
            (2 * mebibyte - 1, 2 * mebibyte + 2),
            (0, 0),
        ):
            part = await read_part(store, FILM, start=start, length_bytes=length_bytes)
            assert size_and_digest(part) == size_and_digest(content[start : start + length_bytes]), (
                start,
                length_bytes,
            )

    @pytest.mark.parametrize(("start", "length_bytes"), [(0, 5), (3, 2), (4, 1), (9, 1), (0, LARGE_BYTES)])
    async def test_what_is_not_there_is_never_left_out_in_silence(
        self, store: BlobStore, shop: Workshop, start: int, length_bytes: int
    ) -> None:
        await shop.put(store, FILM, b"film")
        with pytest.raises(OSError, match=r".") as told:
            await read_part(store, FILM, start=start, length_bytes=length_bytes)
        assert not isinstance(told.value, FileNotFoundError)

    @pytest.mark.parametrize("change", ["replaced", "removed"])
    async def test_a_blob_that_changes_while_it_is_read_is_never_mixed(
        self, store: BlobStore, shop: Workshop, change: str
    ) -> None:
        content, received = pattern(3 * LARGE_BYTES), b""
        await shop.put(store, FILM, content)
        try:
            async for part in store.read(FILM, start=0, length_bytes=len(content)):
                if not received:
                    if change == "removed":
                        await store.delete(FILM)
                    else:
                        await shop.put(store, FILM, pattern(len(content), seed=3))
                received += part
        except FileNotFoundError:
            pytest.fail("some of it was read: it broke off")
        except OSError:
            content = content[: len(received)]
        assert size_and_digest(received) == size_and_digest(content)

    async def test_a_reader_may_leave_early(self, store: BlobStore, shop: Workshop) -> None:
        await shop.put(store, FILM, pattern(LARGE_BYTES))
        async with aclosing(store.read(FILM, start=0, length_bytes=LARGE_BYTES)) as parts:
            assert await anext(parts)
        assert len(await read_all(store, FILM)) == LARGE_BYTES

    async def test_many_can_read_at_once(self, store: BlobStore, shop: Workshop) -> None:
        content, places = pattern(LARGE_BYTES), range(0, 40_000, 1000)
        await shop.put(store, FILM, content)
        parts = await asyncio.gather(
            *(read_part(store, FILM, start=at, length_bytes=LARGE_BYTES - at) for at in places)
        )
        assert [part == content[at:] for at, part in zip(places, parts, strict=True)] == [True] * 40

    async def test_a_local_copy_holds_the_bytes_and_the_blob_stays(
        self, store: BlobStore, shop: Workshop, tmp_path: Path
    ) -> None:
        content = pattern(LARGE_BYTES)
        await shop.put(store, FILM, content)
        for _ in range(2):
            assert size_and_digest((await store.local_copy(FILM, tmp_path)).read_bytes()) == size_and_digest(content)
        assert size_and_digest(await read_all(store, FILM)) == size_and_digest(content)

    async def test_local_copies_in_one_directory_do_not_meet(
        self, store: BlobStore, shop: Workshop, tmp_path: Path
    ) -> None:
        await shop.put(store, FILM, b"film")
        await shop.put(store, OTHER_FILM, b"other film")
        first, second = await store.local_copy(FILM, tmp_path), await store.local_copy(OTHER_FILM, tmp_path)
        assert (first.read_bytes(), second.read_bytes()) == (b"film", b"other film")
        assert first.suffix == ".mp4"

    async def test_a_deleted_blob_is_gone_and_others_stay(self, store: BlobStore, shop: Workshop) -> None:
        await shop.put(store, FILM, b"film")
        await shop.put(store, PICTURE, b"picture")
        await store.delete(FILM)
        assert await store.stat(FILM) is None
        assert await read_all(store, PICTURE) == b"picture"

    @pytest.mark.parametrize("key", [FILM, content_key(b""), *BAD_KEYS])
    async def test_what_is_not_stored_is_not_found(self, store: BlobStore, tmp_path: Path, key: str) -> None:
        assert await store.stat(key) is None
        with pytest.raises(FileNotFoundError):
            await read_part(store, key, start=0, length_bytes=1)
        with pytest.raises(FileNotFoundError):
            await store.local_copy(key, tmp_path)
        await store.delete(key)

    @pytest.mark.parametrize("key", BAD_KEYS)
    async def test_nothing_is_put_under_a_malformed_key(self, store: BlobStore, shop: Workshop, key: str) -> None:
        source = shop.file(b"film")
        with pytest.raises(ValueError, match=r"."):
            await store.put(source, key)
        assert source.exists()

    async def test_only_a_file_can_be_put(self, store: BlobStore, shop: Workshop) -> None:
        with pytest.raises(FileNotFoundError):
            await store.put(shop.folder / "nothing", FILM)
        link = shop.folder / "link"
        link.symlink_to(shop.file(b"secret"))
        for path in (link, shop.folder):
            with pytest.raises(ValueError, match=r"."):
                await store.put(path, FILM)
        assert await store.stat(FILM) is None
