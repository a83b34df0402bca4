"""An intake over memory and a temporary directory, with a web and a prober that know what the test wrote.

A file of these tests is its own facts as JSON, so that the prober can tell them and every change of them is another
file: ``file_of(IMAGE)``.
"""

import asyncio
import base64
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from submit_bench import ENGINE, Bench
from understudy.core.content import ContentItem, Modality, Role
from understudy.core.media import MediaFacts, NotFetched, Unreadable
from understudy.core.moderation import Finding, Shown, Stage
from understudy.core.scenario import Scenario
from understudy.service.intake import Intake
from understudy.service.places import Places
from understudy.service.screen import Screen
from understudy.service.shelf import Shelf
from understudy.service.sources import Sources
from understudy.service.turns import Turns
from understudy.storage.blobs import LocalBlobStore

IMAGE = MediaFacts(
    modality=Modality.IMAGE, container="png", media_type="image/png", size_bytes=1000, width_px=1000, height_px=1000
)
VIDEO = MediaFacts(
    modality=Modality.VIDEO,
    container="mp4",
    media_type="video/mp4",
    size_bytes=1000,
    width_px=1280,
    height_px=720,
    duration_s=5.0,
    fps=24.0,
    video_codec="h264",
)
AUDIO = MediaFacts(
    modality=Modality.AUDIO,
    container="mp3",
    media_type="audio/mpeg",
    size_bytes=1000,
    duration_s=5.0,
    audio_codec="mp3",
)
ROLES = {
    Modality.IMAGE: Role.REFERENCE_IMAGE,
    Modality.VIDEO: Role.REFERENCE_VIDEO,
    Modality.AUDIO: Role.REFERENCE_AUDIO,
}
TEXT = ContentItem(modality=Modality.TEXT, value="a cat")
EVERYTHING = replace(ENGINE, scenarios=frozenset(Scenario))


def file_of(facts: MediaFacts) -> bytes:
    return msgspec.json.encode(facts)


def item(facts: MediaFacts, address: str, role: Role | None = None) -> ContentItem:
    return ContentItem(modality=facts.modality, value=address, role=role or ROLES[facts.modality])


def inline(content: bytes, media_type: str = "image/png") -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


@dataclass
class Web:
    """What is behind addresses. A page that is None never arrives; asked: every request.

    together: so many requests wait for each other before any is answered. began: set by each request.
    """

    pages: dict[str, bytes | Exception | None] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    together: asyncio.Barrier | None = None
    began: asyncio.Event = field(default_factory=asyncio.Event)
    under_way: int = 0
    most_under_way: int = 0

    async def fetch(self, url: str, into: Path, *, most_bytes: int) -> int:
        self.asked.append(url)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        self.began.set()
        try:
            page = self.pages.get(url, NotFetched("HTTP 404"))
            if page is None:
                await asyncio.Event().wait()
            if self.together is not None:
                await self.together.wait()
        finally:
            self.under_way -= 1
        if isinstance(page, Exception):
            raise page
        assert isinstance(page, bytes)
        into.write_bytes(page)
        return len(page)


@dataclass
class ReadingProber:
    """Reads the facts that a file of these tests is made of. is_stuck: it never comes to an end."""

    probed: list[bytes] = field(default_factory=list)
    is_stuck: bool = False

    async def probe(self, path: Path, modality: Modality) -> MediaFacts:
        if self.is_stuck:
            await asyncio.Event().wait()
        self.probed.append(path.read_bytes())
        try:
            facts = msgspec.json.decode(path.read_bytes(), type=MediaFacts)
        except msgspec.DecodeError as error:
            raise Unreadable("the file is damaged") from error
        if facts.modality is not modality:
            raise Unreadable(f"the file is not of the kind {modality}, it is of the kind {facts.modality}")
        return facts


@dataclass
class Links:
    """The links that this server made: address -> key."""

    known: dict[str, str] = field(default_factory=dict)

    def key_of(self, url: str, now_s: float) -> str | None:
        return self.known.get(url)


@dataclass
class Faces:
    """Sees a face in every file that has the word in it."""

    looked_at: list[bytes] = field(default_factory=list)

    async def has_face(self, path: Path, modality: Modality) -> bool:
        self.looked_at.append(path.read_bytes())
        return b"face" in path.read_bytes()


@dataclass
class Operator:
    """A moderator that finds what it is told to."""

    answer: tuple[Finding, ...] | Exception = ()
    asked: list[tuple[Stage, str, tuple[Shown, ...]]] = field(default_factory=list)
    files: list[bytes] = field(default_factory=list)

    async def findings(self, stage: Stage, owner: str, shown: tuple[Shown, ...]) -> tuple[Finding, ...]:
        self.asked.append((stage, owner, tuple(shown)))
        self.files += [each.path.read_bytes() for each in shown if each.path is not None]
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class MediaBench(Bench):
    """A submitter whose requests may bring media."""

    def __init__(self, tmp_path: Path, *, deadline_s: float = 20.0, faces=None, moderator=None, places: int = 32):
        super().__init__(engine=EVERYTHING)
        self.web, self.prober, self.links = Web(), ReadingProber(), Links()
        self.blobs = LocalBlobStore(tmp_path / "blobs")
        self.work_dir = tmp_path / "work"
        self.work_dir.mkdir()
        self.media = self.store.media
        turns = Turns(2)
        self.intake = Intake(
            judge=self.examiner.judge,
            shelf=Shelf(media=self.media, blobs=self.blobs, prober=self.prober, clock=self.clock, turns=turns),
            sources=Sources(
                fetcher=self.web, own_links=self.links, store=self.store, blobs=self.blobs, clock=self.clock
            ),
            screen=Screen(media=self.media, turns=turns, faces=faces, moderator=moderator),
            work_dir=self.work_dir,
            deadline_s=deadline_s,
            places=Places(places),
        )
        self.submitter = replace(self.submitter, intake=self.intake)
        self.spooled: dict[str, Path] = {}

    def page(self, content: bytes | Exception | None, name: str = "a") -> str:
        address = f"https://example.com/{name}"
        self.web.pages[address] = content
        return address

    async def bring(self, *content: ContentItem, **fields):
        """Submit the items behind a text."""
        return await self.submit(content=(TEXT, *content), **fields)

    def blob_names(self) -> set[str]:
        root = self.blobs._root
        return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
