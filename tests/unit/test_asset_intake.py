"""Taking assets in: what becomes of each file, what is kept, and what a restart or a fault of the server changes."""

import asyncio

import pytest

from asset_worker import FILM, LONG_FILM, PICTURE, SOUND, asset_intake, take_all_in
from manual_clock import ManualClock
from understudy.core.assets import AssetStatus
from understudy.core.content import Modality
from understudy.service.asset_intake import TRIES_MAX, AssetWorker
from understudy.storage.memory_assets import MemoryAssetStore
from understudy.storage.memory_media import MemoryMediaStore
from understudy.testing.asset_stores import LATER, OTHER, OWNER, sample_asset, sample_group

URL = "https://example.com/reference"


async def store_with(*assets):
    store = MemoryAssetStore(MemoryMediaStore())
    await store.add_group(sample_group())
    for asset in assets or (sample_asset(url=URL),):
        await store.add_asset(asset)
    return store


async def only(store):
    (asset,) = await store.assets(OWNER, [sample_asset().id])
    return asset


async def fault_of(tmp_path, content, modality):
    store = await store_with(sample_asset(url=URL, modality=modality))
    await take_all_in(asset_intake(tmp_path, store, files={} if content is None else {URL: content}))
    asset = await only(store)
    assert asset.status is AssetStatus.FAILED
    assert list((tmp_path / "blobs").rglob("*.*")) == []
    assert list((tmp_path / "work").iterdir()) == []
    return asset.fault


async def test_an_asset_becomes_active_with_what_was_measured(tmp_path):
    store = await store_with()
    intake = asset_intake(tmp_path, store, files={URL: PICTURE})
    await take_all_in(intake)
    asset = await only(store)
    assert (asset.status, asset.medium.facts.width_px, asset.url) == (AssetStatus.ACTIVE, 640, URL)
    stored = await intake.shelf.blobs.stat(asset.medium.key)
    assert stored.path.read_bytes() == PICTURE
    assert list((tmp_path / "work").iterdir()) == []


@pytest.mark.parametrize(
    ("content", "modality", "code"),
    [
        (None, Modality.IMAGE, "DownloadFailed"),
        (FILM, Modality.IMAGE, "TypeMismatch"),
        (PICTURE, Modality.VIDEO, "TypeMismatch"),
        (SOUND, Modality.VIDEO, "TypeMismatch"),
        (b"nothing known", Modality.IMAGE, "FormatUnsupported"),
        (LONG_FILM, Modality.VIDEO, "DurationTooLong"),
    ],
)
async def test_a_file_that_cannot_be_used_is_told_in_arks_words(tmp_path, content, modality, code):
    fault = await fault_of(tmp_path, content, modality)
    assert fault.code == code
    assert fault.message.endswith(".")


async def test_a_file_that_comes_too_slowly_has_not_come(tmp_path):
    class Slow:
        async def fetch(self, url, into, *, most_bytes):
            await asyncio.Event().wait()

    store = await store_with()
    intake = asset_intake(tmp_path, store, deadline_s=0.01)
    object.__setattr__(intake.sources, "fetcher", Slow())
    await take_all_in(intake)
    assert (await only(store)).fault.code == "DownloadFailed"


async def test_an_upload_is_taken_in_and_its_file_is_gone(tmp_path):
    store = await store_with(sample_asset(url="", upload="u"))
    upload = tmp_path / "uploads" / "u.data"
    upload.parent.mkdir()
    upload.write_bytes(PICTURE)
    intake = asset_intake(tmp_path, store)
    await take_all_in(intake)
    assert (await only(store)).status is AssetStatus.ACTIVE
    assert not upload.exists()
    assert intake.sources.fetcher.fetched == []


async def test_an_upload_whose_file_is_gone_fails(tmp_path):
    store = await store_with(sample_asset(url="", upload="u"))
    await take_all_in(asset_intake(tmp_path, store))
    assert (await only(store)).fault.code == "DownloadFailed"


async def test_an_asset_that_was_removed_meanwhile_leaves_nothing_needed(tmp_path):
    store = await store_with()
    intake = asset_intake(tmp_path, store, files={URL: PICTURE})
    asset = await only(store)
    await store.remove_asset(OWNER, asset.id)
    await intake.take_in(asset)
    clock = ManualClock()
    clock.advance(days=1)
    assert len(await intake.shelf.media.take_unused(clock.now(), 10)) == 1


async def settled(store, worker):
    await worker.start()
    try:
        async with asyncio.timeout(10):
            while await store.processing(1):  # noqa: ASYNC110 - the store has no event for it
                await asyncio.sleep(0)
    finally:
        await worker.close()


async def test_a_worker_takes_up_what_an_earlier_one_left(tmp_path):
    store = await store_with(*(sample_asset(number, url=URL) for number in range(9)))
    worker = AssetWorker(asset_intake(tmp_path, store, files={URL: PICTURE}), slots=2)
    await settled(store, worker)
    assert {each.status for each in store._assets.values()} == {AssetStatus.ACTIVE}


async def test_a_worker_that_is_woken_takes_in_what_is_new(tmp_path):
    store = await store_with()
    worker = AssetWorker(asset_intake(tmp_path, store, files={URL: PICTURE}), pause_s=1000)
    await settled(store, worker)
    worker = AssetWorker(asset_intake(tmp_path, store, files={URL: PICTURE}), pause_s=1000)
    await worker.start()
    await asyncio.sleep(0)
    await store.add_asset(sample_asset(1, url=URL))
    worker.wake()
    async with asyncio.timeout(10):
        while await store.processing(1):  # noqa: ASYNC110 - the store has no event for it
            await asyncio.sleep(0)
    await worker.close()


async def test_a_worker_takes_in_of_one_owner_no_more_at_once_than_half_its_slots(tmp_path):
    under_way, most, together = set(), [], asyncio.Barrier(3)
    store = await store_with(*(sample_asset(number, url=f"{URL}{number}") for number in range(9)))
    intake = asset_intake(tmp_path, store)

    class Watched:
        async def fetch(self, url, into, *, most_bytes):
            under_way.add(url)
            most.append(len(under_way))
            await together.wait()
            under_way.discard(url)
            into.write_bytes(PICTURE)

    object.__setattr__(intake.sources, "fetcher", Watched())
    await settled(store, AssetWorker(intake, slots=6, pause_s=0.001))
    assert max(most) == 3


async def test_what_one_owner_waits_for_holds_up_nobody_else(tmp_path):
    store = await store_with(*(sample_asset(number, url=f"{URL}-slow") for number in range(40)))
    await store.add_group(sample_group(1, owner=OTHER))
    late = sample_asset(99, owner=OTHER, group_id=sample_group(1).id, url=URL, created_at=LATER)
    intake = asset_intake(tmp_path, store)
    began = asyncio.Event()

    class SlowForOne:
        async def fetch(self, url, into, *, most_bytes):
            if url != URL:
                began.set()
                await asyncio.Event().wait()
            into.write_bytes(PICTURE)

    object.__setattr__(intake.sources, "fetcher", SlowForOne())
    worker = AssetWorker(intake)
    await worker.start()
    try:
        async with asyncio.timeout(10):
            await began.wait()
            await store.add_asset(late)
            worker.wake()
            while (await store.assets(OTHER, [late.id]))[0].status is AssetStatus.PROCESSING:  # noqa: ASYNC110
                await asyncio.sleep(0)
    finally:
        await worker.close()


async def test_a_fault_of_the_server_is_tried_again_and_in_the_end_told(tmp_path):
    tries = []
    store = await store_with()
    intake = asset_intake(tmp_path, store, files={URL: PICTURE})

    class Full(MemoryMediaStore):
        async def reserve(self, sha256, until):
            tries.append(sha256)
            raise RuntimeError("full")

    object.__setattr__(intake.shelf, "media", Full())
    await settled(store, AssetWorker(intake, pause_s=0.001))
    assert len(tries) == TRIES_MAX
    assert (await only(store)).fault.code == "InternalServiceError"


async def test_what_a_stopped_worker_had_under_way_stays_to_be_done(tmp_path):
    store = await store_with()
    intake = asset_intake(tmp_path, store)
    began = asyncio.Event()

    class Stuck:
        async def fetch(self, url, into, *, most_bytes):
            began.set()
            await asyncio.Event().wait()

    object.__setattr__(intake.sources, "fetcher", Stuck())
    worker = AssetWorker(intake)
    await worker.start()
    async with asyncio.timeout(10):
        await began.wait()
    await worker.close()
    assert (await only(store)).status is AssetStatus.PROCESSING
    assert list((tmp_path / "work").iterdir()) == []
