"""The intake with its real parts: a web over loopback, walled processes that measure, links, SQLite, and real files."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from intake_bench import MediaBench
from media_host import drip, file, media_host, redirect, silent, status
from odd_media import film, picture, pixel_bomb, sound
from understudy.core.content import ContentItem, Modality, Role
from understudy.core.errors import Rejected
from understudy.core.media import Origin
from understudy.media.fetch import WebFetcher
from understudy.media.sandbox import PROBE, PROBE_OPERATION, Sandbox, SandboxedProber
from understudy.media.sandbox_process import SandboxLimits
from understudy.net.download import Downloader
from understudy.net.guard import Guard
from understudy.net.http import HttpClient
from understudy.server.links import LinkSigner
from understudy.service.drafts import Drafts
from understudy.storage.sqlite import SqliteTaskStore

# The walled processes are started once for all tests, so that all run on one event loop.
pytestmark = pytest.mark.asyncio(loop_scope="module")
LOOPBACK = "127.0.0.0/8"
SECRET = b"0123456789abcdef0123456789abcdef"


async def nowhere(host: str, port: int) -> tuple[str, ...]:
    return ()


@contextlib.asynccontextmanager
async def real_bench(tmp_path: Path, sandbox: Sandbox, *, allowed: str = LOOPBACK) -> AsyncIterator[MediaBench]:
    """A submitter whose intake is made of what the server is made of."""
    bench = MediaBench(tmp_path)
    bench.store = store = SqliteTaskStore(tmp_path / "understudy.db")
    bench.media, client = store.media, HttpClient(Guard.reading(allowed), nowhere)
    bench.links = LinkSigner(SECRET, lifetime_s=3600)
    intake = replace(
        bench.intake,
        shelf=replace(bench.intake.shelf, media=store.media, prober=SandboxedProber(sandbox)),
        sources=replace(
            bench.intake.sources,
            fetcher=WebFetcher(Downloader(client, redirects_max=3)),
            own_links=bench.links,
            store=store,
        ),
        deadline_s=20.0,
    )
    examiner = replace(bench.examiner, drafts=replace(bench.examiner.drafts, store=store))
    assert isinstance(examiner.drafts, Drafts)
    bench.submitter = replace(bench.submitter, examiner=examiner, intake=intake, store=store)
    try:
        yield bench
    finally:
        await client.close()
        await store.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    walled = Sandbox({PROBE: PROBE_OPERATION}, SandboxLimits(processes=2, timeout_s=20.0))
    await walled.start()
    yield walled
    await walled.close()


@pytest.fixture(scope="module")
def host():
    with media_host() as serving:
        yield serving


def image(address: str, role: Role | None = None) -> ContentItem:
    return ContentItem(modality=Modality.IMAGE, value=address, role=role or Role.REFERENCE_IMAGE)


def video(address: str) -> ContentItem:
    return ContentItem(modality=Modality.VIDEO, value=address, role=Role.REFERENCE_VIDEO)


def audio(address: str) -> ContentItem:
    return ContentItem(modality=Modality.AUDIO, value=address, role=Role.REFERENCE_AUDIO)


async def test_images_videos_and_sounds_of_the_web_are_stored_with_what_was_measured(tmp_path, sandbox, host):
    content = (
        image(host.on("/a.png", file(picture("jpeg", width_px=400, height_px=600, orientation=6)))),
        image(host.on("/b", redirect("/c.heic"))),
        video(host.on("/d.mov", file(film(container="mov", num_frames=60, rotation_deg=90)))),
        audio(host.on("/e.mp3", file(sound("mp3", duration_s=4.0)))),
    )
    host.on("/c.heic", file(picture("heic")))
    async with real_bench(tmp_path, sandbox) as bench:
        task = await bench.bring(*content)
        facts = [each.medium.facts for each in task.request.content[1:]]
        assert [each.container for each in facts] == ["jpeg", "heic", "mov", "mp3"]
        assert (facts[0].width_px, facts[0].height_px) == (600, 400)
        assert (facts[2].width_px, facts[2].height_px, facts[2].video_codec) == (480, 864, "h264")
        assert facts[3].duration_s == pytest.approx(4.0, abs=0.1)
        assert len(bench.blob_names()) == 4
        assert task == await bench.store.get("o", task.id)


NO_IMAGES = {
    "svg": lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
    "playlist": lambda: b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
    "page": lambda: b"<!DOCTYPE html><html><body>404</body></html>",
    "truncated": lambda: picture("png")[:-100],
    "empty": lambda: b"",
    "bomb": pixel_bomb,
    "video": film,
}


@pytest.mark.parametrize("name", NO_IMAGES)
async def test_what_is_no_image_is_refused_and_leaves_nothing(tmp_path, sandbox, host, name):
    address = host.on("/odd.png", file(NO_IMAGES[name]()))
    async with real_bench(tmp_path, sandbox) as bench:
        with pytest.raises(Rejected) as caught:
            await bench.bring(image(address))
        (violation,) = caught.value.violations
        assert violation.message.startswith(
            "The parameter `content[1].image_url` specified in the request is not valid:"
        )
        assert "resource download failed" not in violation.message
        assert bench.blob_names() == set()
        assert list(bench.work_dir.iterdir()) == []


FAILING = {"gone": status(404), "forbidden": status(403), "slow": drip(b"x" * 1000, 0.05), "silent": silent()}


@pytest.mark.parametrize("name", FAILING)
async def test_what_cannot_be_had_in_time_is_a_failed_download(tmp_path, sandbox, host, name):
    address = host.on("/late.png", FAILING[name])
    async with real_bench(tmp_path, sandbox) as bench:
        bench.submitter = replace(bench.submitter, intake=replace(bench.submitter.intake, deadline_s=0.5))
        with pytest.raises(Rejected, match="resource download failed"):
            await bench.bring(image(address))
        assert list(bench.work_dir.iterdir()) == []


async def test_a_private_address_is_never_contacted_and_told_like_any_other_failure(tmp_path, sandbox, host):
    address = host.on("/secret.png", file(picture("png")))
    contacts = host.contacts
    async with real_bench(tmp_path, sandbox, allowed="") as bench:
        with pytest.raises(Rejected, match="resource download failed"):
            await bench.bring(image(address))
    assert host.contacts == contacts


async def test_a_signed_link_of_this_server_needs_no_network(tmp_path, sandbox):
    async with real_bench(tmp_path, sandbox, allowed="") as bench:
        frame = tmp_path / "frame.png"
        frame.write_bytes(picture("png"))
        key = "20261121120000-00000-1/last_frame.png"
        await bench.blobs.put(frame, key)
        url = bench.links.url("http://127.0.0.1:8484", key, bench.clock.now().timestamp())
        task = await bench.bring(image(url, role=Role.FIRST_FRAME))
        assert task.request.content[1].medium.origin is Origin.OWN_FILM
        for other in (url.replace("00000-1", "00000-2"), f"{url}0"):
            with pytest.raises(Rejected, match="resource download failed"):
                await bench.bring(image(other, role=Role.FIRST_FRAME))
        bench.clock.advance(hours=2)
        with pytest.raises(Rejected, match="resource download failed"):
            await bench.bring(image(url, role=Role.FIRST_FRAME))


async def test_a_task_keeps_its_media_in_the_database_until_it_is_gone(tmp_path, sandbox, host):
    address = host.on("/kept.png", file(picture("png", width_px=640)))
    async with real_bench(tmp_path, sandbox) as bench:
        task = await bench.bring(image(address))
        later = bench.clock.now() + timedelta(days=30)
        assert await bench.media.take_unused(later, 10) == {}
        await bench.store.withdraw("o", task.id, bench.clock.now())
        await bench.store.purge(created_before=later, cancelled_before=later)
        assert list((await bench.media.take_unused(later, 10)).values()) == [task.request.content[1].medium.key]
