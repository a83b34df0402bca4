"""Every blob store passes the public suite, against a real S3 server too, and the suite finds each planted bug."""

import inspect
import itertools
from dataclasses import replace
from shutil import copyfile
from threading import Event
from types import SimpleNamespace

import pytest

from understudy.storage.blob_places import open_blobs
from understudy.storage.blobs import LocalBlobStore
from understudy.testing.blob_stores import BlobStoreConformance, Workshop

_NUMBERS = itertools.count(1)
_NEVER = Event()


class TestLocalBlobStore(BlobStoreConformance):
    def opened(self, place):
        return open_blobs("", place)


class TestObjectBlobStore(BlobStoreConformance):
    @pytest.fixture(autouse=True)
    def bucket_of_its_own(self, s3):
        self.bucket = s3.new_bucket()

    def opened(self, place):
        return open_blobs(f"s3://{self.bucket}/films/{place.name}", place)


class LosesTheSource(LocalBlobStore):
    async def put(self, path, key):
        copy = path.with_name(path.name + "-copy")
        copy.write_bytes(path.read_bytes())
        await super().put(copy, key)


class KeepsTheOldEtag(LocalBlobStore):
    async def stat(self, key):
        facts = await super().stat(key)
        return facts and replace(facts, etag=f'"{key}"')


class DrawsItsEtags(LocalBlobStore):
    async def stat(self, key):
        facts = await super().stat(key)
        return facts and replace(facts, etag=f'"{next(_NUMBERS)}"')


class HasWeakEtags(LocalBlobStore):
    async def stat(self, key):
        facts = await super().stat(key)
        return facts and replace(facts, etag=f"W/{facts.etag}")


class ReadsAllAtOnce(LocalBlobStore):
    async def read(self, key, *, start, length_bytes):
        yield b"".join([part async for part in super().read(key, start=start, length_bytes=length_bytes)])


class ReadsOneTooMany(LocalBlobStore):
    async def read(self, key, *, start, length_bytes):
        size_bytes = self.local_path(key).stat().st_size if self.local_path(key) else 0
        length_bytes += start + length_bytes < size_bytes
        async for part in super().read(key, start=start, length_bytes=length_bytes):
            yield part


class EndsInSilence(LocalBlobStore):
    async def read(self, key, *, start, length_bytes):
        try:
            async for part in super().read(key, start=start, length_bytes=length_bytes):
                yield part
        except FileNotFoundError:
            raise
        except OSError:
            return


class OpensTheFileForEachPart(LocalBlobStore):
    async def read(self, key, *, start, length_bytes):
        for first in range(start, start + length_bytes, 1000_000):
            most = min(1000_000, start + length_bytes - first)
            async for part in super().read(key, start=first, length_bytes=most):
                yield part


class CopiesUnderTheLastName(LocalBlobStore):
    async def local_copy(self, key, directory):
        path = await super().local_copy(key, directory)
        return copyfile(path, directory / path.name)


class FollowsLinks(LocalBlobStore):
    async def put(self, path, key):
        await super().put(path.resolve(), key)


class KeepsWhatIsThere(LocalBlobStore):
    async def put(self, path, key):
        if await self.stat(key) is None:
            await super().put(path, key)
        else:
            path.unlink()


class ForgetsAll(LocalBlobStore):
    async def delete(self, key):
        for each in self._root.rglob("*.*"):
            each.unlink()


class MissesNothing(LocalBlobStore):
    async def delete(self, key):
        if await self.stat(key) is None:
            raise FileNotFoundError(key)
        await super().delete(key)


class MakesItsFolderOnce(LocalBlobStore):
    def _put(self, source, target, *, is_same):
        target.parent.mkdir(exist_ok=True)
        _NEVER.wait(0.002)
        source.replace(target)


BROKEN = [
    LosesTheSource,
    KeepsTheOldEtag,
    DrawsItsEtags,
    HasWeakEtags,
    ReadsAllAtOnce,
    ReadsOneTooMany,
    EndsInSilence,
    OpensTheFileForEachPart,
    CopiesUnderTheLastName,
    FollowsLinks,
    KeepsWhatIsThere,
    ForgetsAll,
    MissesNothing,
    MakesItsFolderOnce,
]


def runs_of(check):
    """Yield the arguments of each run of a parametrized test."""
    marks = [mark for mark in getattr(check, "pytestmark", ()) if mark.name == "parametrize"]
    if not marks:
        yield {}
        return
    (names, values), names_are_many = marks[0].args, not isinstance(marks[0].args[0], str)
    for each in values:
        yield dict(zip(names, each, strict=True)) if names_are_many else {names: each}


async def failures_of(kind, tmp_path):
    failed = []
    for number, (name, check) in enumerate(inspect.getmembers(BlobStoreConformance, inspect.iscoroutinefunction)):
        if not name.startswith("test_"):
            continue
        for arguments in runs_of(check):
            folder = tmp_path / str(number) / str(next(_NUMBERS))
            folder.mkdir(parents=True)
            suite = SimpleNamespace(opened=kind)
            given = {
                "store": kind(folder / "place"),
                "shop": Workshop(folder / "shop"),
                "place": folder / "place",
                "tmp_path": folder,
                **arguments,
            }
            wanted = inspect.signature(check).parameters
            try:
                await check(suite, **{each: given[each] for each in wanted if each != "self"})
            except (Exception, pytest.fail.Exception) as error:  # boundary: how a broken store fails is its own affair
                failed.append((name, error))
    return failed


async def test_the_suite_finds_nothing_in_a_good_store(tmp_path):
    assert await failures_of(LocalBlobStore, tmp_path) == []


@pytest.mark.parametrize("planted", BROKEN)
async def test_the_suite_finds_a_planted_bug(planted, tmp_path):
    assert await failures_of(planted, tmp_path)
