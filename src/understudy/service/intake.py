"""The intake: every medium of a request is brought in, measured, judged and stored before the task is.

Ark downloads media when a task is submitted and refuses what it cannot get; so does this server, because whoever is
told "queued" should not learn an hour later that an address was wrong. Where the bytes come from is `sources`', storing
them `shelf`'s, the rules `core.media_rules`'.
"""

import asyncio
import logging
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from understudy.core.case import Case, invalid
from understudy.core.content import ASSET, ContentItem, Modality
from understudy.core.content_rules import media_key
from understudy.core.errors import Unavailable, Violation
from understudy.core.media import Medium, NotFetched, Origin, Spooled, TooLarge, Unreadable
from understudy.core.media_rules import limits_of, media_violations, too_large
from understudy.dialects.naming import renamed
from understudy.service.judge import Judge, Judged
from understudy.service.places import Places
from understudy.service.screen import Screen, Seen
from understudy.service.shelf import Measured, Shelf
from understudy.service.sources import BASE64, DATA, BadData, Sources
from understudy.service.unbroken import unbroken

log = logging.getLogger(__name__)

BROUGHT_AT_ONCE = 32
"""Files on their way at the same time, server-wide, of each owner half: the largest together need 6 GB of disk."""

DOWNLOAD_FAILED = "resource download failed."
"""Ark's words for whatever went wrong on the way; why is in the log, so that nobody can sound out a private network."""

BUSY = "The server cannot serve the request now: it is busy taking in media, please try again."
NO_ROOM = "The server cannot serve the request now: it cannot store media."


class Stage(StrEnum):
    """How far an item has come."""

    WAITING = "waiting"
    ON_ITS_WAY = "on its way"
    MEASURED = "being measured"


@dataclass(slots=True)
class Errand:  # tidy: it says how far the work on one address has come, and lives as long as that
    """One address to be brought in, for all the items that have it."""

    item: ContentItem
    indexes: list[int]
    path: Path
    stage: Stage = Stage.WAITING
    origin: Origin = Origin.WEB
    measured: Measured | None = None
    refusal: str = ""
    is_too_large: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is known of a request that brings media. names: see `dialects.naming`."""

    owner: str
    judged: Judged
    case: Case
    names: Mapping[str, str]
    spooled: Spooled


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """Takes the media of requests in. deadline_s: for all media of one request together, from its first byte on."""

    judge: Judge
    shelf: Shelf
    sources: Sources
    screen: Screen
    work_dir: Path
    deadline_s: float
    places: Places = field(default_factory=lambda: Places(BROUGHT_AT_ONCE))

    def concerns(self, judged: Judged) -> bool:
        """Say whether there is anything to do for the request: a text that nobody moderates need not wait."""
        content = judged.request.content
        if self.screen.moderator is not None:
            return True
        # Most requests are one text; this is asked for each of them.
        return (len(content) > 1 or is_medium(content[0])) and any(is_medium(item) for item in content)

    async def take_in(
        self, judged: Judged, *, owner: str, dialect: str, names: Mapping[str, str], spooled: Spooled
    ) -> Judged:
        """Return the request with its media stored, or with all that is wrong with them; nothing is kept then.

        The request must have passed all other rules.

        Raises: Unavailable.
        """
        case = self.judge.case(dialect, judged.request, judged.model)
        request = Request(owner=owner, judged=judged, case=case, names=names, spooled=spooled)
        folder = Path(tempfile.mkdtemp(prefix="intake-", dir=self.work_dir))
        try:
            return await self._taken(request, folder)
        finally:
            await unbroken(asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True))

    async def _taken(self, request: Request, folder: Path) -> Judged:
        errands = _errands(request, folder)
        await self._bring_all(request, errands)
        # An asset's media, or a draft's, were stored before; that they still are is found out when the task is stored.
        kept = {index: item.medium for index, item in request.case.media if item.medium is not None}
        facts = {index: medium.facts for index, medium in kept.items()}
        facts.update({index: each.measured.facts for each in errands if each.measured for index in each.indexes})
        # The final of a draft was judged when it was a draft.
        broken = () if request.case.is_final else media_violations(request.case, facts)
        violations = sorted((*_refusals(request.case, errands), *broken), key=_index_of)
        if violations:
            return _refused(request, tuple(renamed(each, request.names) for each in violations))
        screened = await self._screened(request, errands, kept=kept, folder=folder)
        if screened:
            return _refused(request, screened)
        return _with_media(request.judged, {**kept, **await unbroken(self._keep_all(errands))})

    async def _bring_all(self, request: Request, errands: list[Errand]) -> None:
        """Bring in and measure every file; those that are not there in time are refused.

        Raises: Unavailable when it is this server that was too slow, or whatever bug there was.
        """
        if not errands:
            return
        limits = limits_of(request.case)
        work = [
            asyncio.create_task(self._bring(request, each, limits[each.item.modality].bytes_max)) for each in errands
        ]
        try:
            await asyncio.wait(work, timeout=self.deadline_s, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            for task in work:
                task.cancel()
            await asyncio.wait(work)
        for errand, task in zip(errands, work, strict=True):
            if not task.cancelled():
                task.result()
            elif errand.stage is Stage.ON_ITS_WAY:
                log.info("content[%d] of a request was not there after %g s", errand.indexes[0], self.deadline_s)
                errand.refusal = DOWNLOAD_FAILED
            else:
                raise Unavailable(Violation("ServiceUnavailable", "", BUSY))

    async def _bring(self, request: Request, errand: Errand, most_bytes: int) -> None:
        """Bring in and measure one file; what the caller is told of a failure is written on the errand."""
        async with self.places.place(request.owner):
            errand.stage = Stage.ON_ITS_WAY
            try:
                errand.origin = await self.sources.bring(
                    errand.item, errand.path, owner=request.owner, spooled=request.spooled, most_bytes=most_bytes
                )
                errand.stage = Stage.MEASURED
                errand.measured = await self.shelf.measure(errand.path, errand.item.modality, owner=request.owner)
            except TooLarge:
                errand.is_too_large = True
            except NotFetched as error:
                log.info("content[%d] of a request was not fetched: %s", errand.indexes[0], error.reason)
                errand.refusal = DOWNLOAD_FAILED
            except BadData as error:
                errand.refusal = str(error)
            except Unreadable as error:
                errand.refusal = f"{error.reason}."
            except OSError as error:
                log.warning("media cannot be taken in: %s", error)
                raise Unavailable(Violation("ServiceUnavailable", "", NO_ROOM)) from error

    async def _screened(
        self, request: Request, errands: list[Errand], *, kept: Mapping[int, Medium], folder: Path
    ) -> tuple[Violation, ...]:
        """Return what faces or moderation refuse.

        Raises: Unavailable when it could not be found out in time; nothing passes unjudged.
        """
        screen, judged = self.screen, request.judged
        if screen.faces is None and screen.moderator is None:
            return ()
        seen = {
            index: Seen(medium=_medium_of(each, each.measured), path=each.path)
            for each in errands
            if each.measured
            for index in each.indexes
        }
        if not judged.model.takes_faces:
            try:
                found = await screen.faces_in(request.owner, seen, request.names)
            except Unreadable as error:
                log.warning("a medium that was measured could not be looked at for faces: %s", error.reason)
                raise Unavailable(Violation("ServiceUnavailable", "", BUSY)) from error
            if found:
                return found
        if screen.moderator is None:
            return ()
        for index, medium in kept.items():
            seen[index] = Seen(medium=medium, path=await self.sources.blobs.local_copy(medium.key, folder))
        return await screen.findings(request.owner, judged.request, dict(sorted(seen.items())), names=request.names)

    async def _keep_all(self, errands: list[Errand]) -> dict[int, Medium]:
        """Store every file once, whatever addresses it came from."""
        brought = [(each, each.measured) for each in errands if each.measured is not None]
        files = {measured.sha256: (measured, each.origin) for each, measured in brought}
        media = await asyncio.gather(*(self.shelf.keep(measured, origin) for measured, origin in files.values()))
        stored = {medium.sha256: medium for medium in media}
        return {
            index: replace(stored[measured.sha256], origin=each.origin)
            for each, measured in brought
            for index in each.indexes
        }


def is_medium(item: ContentItem) -> bool:
    """Say whether the item is an image, a video or a sound."""
    return item.modality is not Modality.TEXT and item.modality is not Modality.DRAFT


def _errands(request: Request, folder: Path) -> list[Errand]:
    """Return what is to be brought in, each address once; an asset that is not ours to know has no bytes here."""
    found: dict[tuple[Modality, str], Errand] = {}
    for index, item in request.case.media:
        if item.medium is not None or item.value.startswith(ASSET):
            continue
        known = found.get((item.modality, item.value))
        if known is not None:
            known.indexes.append(index)
            continue
        place = folder / str(index)
        place.mkdir()
        found[item.modality, item.value] = Errand(item=item, indexes=[index], path=place / "medium")
    return list(found.values())


def _refusals(case: Case, errands: list[Errand]) -> Iterator[Violation]:
    """Yield why items could not be brought in."""
    for each in errands:
        for index in each.indexes:
            if each.is_too_large:
                yield too_large(case, index, each.item.modality)
            elif each.refusal:
                yield invalid(f"content[{index}].{media_key(each.item)}", each.refusal)


def _index_of(violation: Violation) -> int:
    """Return the place in the content that a violation of a medium names."""
    return int(violation.param.removeprefix("content[").partition("]")[0])


def _medium_of(errand: Errand, measured: Measured) -> Medium:
    return Medium(key="", sha256=measured.sha256, origin=errand.origin, facts=measured.facts)


def _refused(request: Request, violations: tuple[Violation, ...]) -> Judged:
    return replace(request.judged, violations=request.judged.violations + violations)


def _with_media(judged: Judged, media: Mapping[int, Medium]) -> Judged:
    """Put the stored media into the request; of a data URL only the media type stays."""
    content = list(judged.request.content)
    for index, medium in media.items():
        value = content[index].value
        if value[: len(DATA)].lower() == DATA:
            value = value.partition(BASE64)[0]
        content[index] = replace(content[index], value=value, medium=medium)
    return replace(judged, request=replace(judged.request, content=tuple(content)))
