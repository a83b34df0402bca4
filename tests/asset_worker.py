"""Taking assets in without a network or a sandbox: addresses stand for files of the tests, which are read by a table.

The library, the worker's steps, the shelf and the stores are the product's own; what fetches and what measures are
those two ports, which here know a few files by their content.
"""

from pathlib import Path

from manual_clock import ManualClock
from understudy.catalog.load import load_catalogue
from understudy.core.asset_files import library_limits
from understudy.core.media import MediaFacts, NotFetched, Unreadable
from understudy.core.modality import Modality
from understudy.service.asset_intake import AssetIntake
from understudy.service.shelf import Shelf
from understudy.service.sources import Sources
from understudy.service.turns import Turns
from understudy.storage.blobs import LocalBlobStore
from understudy.storage.memory import MemoryTaskStore

PICTURE, FILM, LONG_FILM, SOUND = b"\x89PNG\r\n\x1a\n picture", b"0000ftypisom film", b"0000ftypisom long", b"ID3 sound"
_IMAGE, _VIDEO, _AUDIO = Modality.IMAGE, Modality.VIDEO, Modality.AUDIO


def _film(duration_s):
    return MediaFacts(
        modality=_VIDEO,
        container="mp4",
        media_type="video/mp4",
        size_bytes=len(FILM),
        width_px=1280,
        height_px=720,
        num_frames=int(24 * duration_s),
        duration_s=duration_s,
        fps=24.0,
        video_codec="h264",
    )


KNOWN = {
    PICTURE: MediaFacts(
        modality=_IMAGE,
        container="png",
        media_type="image/png",
        size_bytes=len(PICTURE),
        width_px=640,
        height_px=480,
        num_frames=1,
    ),
    FILM: _film(5.0),
    LONG_FILM: _film(99.0),
    SOUND: MediaFacts(modality=_AUDIO, container="mp3", media_type="audio/mpeg", size_bytes=len(SOUND), duration_s=5.0),
}


class TableProber:
    """Knows the files of the table; everything else is damaged."""

    async def probe(self, path: Path, modality: Modality) -> MediaFacts:
        facts = KNOWN.get(path.read_bytes())
        if facts is None or facts.modality is not modality:
            raise Unreadable(f"it is no {modality}")
        return facts


class TableFetcher:
    """Knows some addresses; everything else cannot be fetched. fetched: what was asked for, in order."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.fetched: list[str] = []

    async def fetch(self, url: str, into: Path, *, most_bytes: int) -> int:
        self.fetched.append(url)
        if url not in self.files:
            raise NotFetched("there is nothing")
        into.write_bytes(self.files[url])
        return len(self.files[url])


class NoOwnLinks:
    """No address is this server's own."""

    def key_of(self, url: str, now_s: float = 0) -> str | None:
        return None


def asset_intake(folder, store, *, media=None, files=None, blobs=None, own_links=None, clock=None, **changes):
    """Return an intake over a store of assets. files: address -> the bytes behind it."""
    work_dir = folder / "work"
    work_dir.mkdir(parents=True, exist_ok=True)
    blobs = blobs or LocalBlobStore(folder / "blobs")
    clock = clock or ManualClock()
    media = media or store._media
    sources = Sources(
        fetcher=TableFetcher(files or {}),
        own_links=own_links or NoOwnLinks(),
        store=MemoryTaskStore(),
        blobs=blobs,
        clock=clock,
    )
    said = {
        "store": store,
        "shelf": Shelf(media=media, blobs=blobs, prober=TableProber(), clock=clock, turns=Turns(2)),
        "sources": sources,
        "limits": library_limits(load_catalogue().models.values()),
        "clock": clock,
        "work_dir": work_dir,
        "upload_path": lambda upload: folder / "uploads" / f"{upload}.data",
    }
    return AssetIntake(**{**said, **changes})


async def take_all_in(intake):
    """Bring every asset that is being processed to its end."""
    while waiting := await intake.store.processing(100):
        for asset in waiting:
            await intake.take_in(asset)


def take_in(server, folder, files):
    """Let a running server take in what is being processed. files: address -> the bytes behind it."""
    store = server.house.assets.store
    media = server.store.media
    uploads = server.house.uploads
    changes = {} if uploads is None else {"upload_path": uploads.path_of}
    intake = asset_intake(folder, store, files=files, blobs=server.blobs, media=media, clock=server.clock, **changes)
    server.do(take_all_in(intake))
