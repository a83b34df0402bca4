"""Screening: what the rule of faces and the operator's own moderator refuse, before rendering and after it.

Both are off unless a setting says otherwise. Wording: Ark's, whose sentence on real persons was met by others (2026-08)
and whose sentences on sensitive content are in its list of error codes (82379/1299023).
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from understudy.core.errors import CODES, Violation
from understudy.core.media import MediaStore, Medium, Origin
from understudy.core.modality import Modality
from understudy.core.moderation import FaceFinder, Finding, Moderator, Shown, Stage
from understudy.core.request import GenerationRequest
from understudy.dialects.naming import spelled
from understudy.service.turns import Turns

EXEMPT = frozenset({Origin.ASSET, Origin.OWN_FILM})
"""What the owner registered, or this server made, need not be looked at for faces. Source: seed 001, line 300."""

FILM_INDEX = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A medium of the request with a local file of its bytes."""

    medium: Medium
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """What media and prompts must pass. faces: None = real people may be seen. moderator: None = nobody judges.

    turns: at reading files, the same as the shelf's.
    """

    media: MediaStore
    turns: Turns
    faces: FaceFinder | None = None
    moderator: Moderator | None = None

    async def faces_in(self, owner: str, seen: Mapping[int, Seen], names: Mapping[str, str]) -> tuple[Violation, ...]:
        """Return the images and videos that show a real face, of those that are not exempt.

        Raises: core.media.Unreadable.
        """
        if self.faces is None:
            return ()
        looks = [self._has_face(owner, self.faces, each) for each in seen.values()]
        found = await asyncio.gather(*looks)
        return tuple(
            _real_person(spelled(f"content[{index}]", names), each.medium.facts.modality)
            for (index, each), has_face in zip(seen.items(), found, strict=True)
            if has_face
        )

    async def findings(
        self, owner: str, request: GenerationRequest, seen: Mapping[int, Seen], *, names: Mapping[str, str]
    ) -> tuple[Violation, ...]:
        """Return what the moderator finds in prompt and media.

        Raises: Unavailable when no judgement could be had.
        """
        if self.moderator is None:
            return ()
        shown: list[Shown] = []
        for index, item in enumerate(request.content):
            if item.modality is Modality.TEXT:
                shown.append(Shown(index=index, modality=item.modality, media_type="text/plain", text=item.value))
            elif index in seen:
                facts, path = seen[index].medium.facts, seen[index].path
                shown.append(Shown(index=index, modality=item.modality, media_type=facts.media_type, path=path))
        found = await self.moderator.findings(Stage.INPUT, owner, shown)
        kinds = {each.index: each.modality for each in shown}
        return tuple(refusal_of(each, kinds.get(each.index, Modality.TEXT), names) for each in found)

    async def _has_face(self, owner: str, faces: FaceFinder, seen: Seen) -> bool:
        medium = seen.medium
        if medium.facts.modality is Modality.AUDIO or medium.origin in EXEMPT:
            return False
        if await self.media.is_own_film(medium.sha256):
            return False
        async with self.turns.turn(owner):
            return await faces.has_face(seen.path, medium.facts.modality)


async def film_refused(moderator: Moderator | None, owner: str, film: Path, *, media_type: str) -> Violation | None:
    """Return why a finished film must not be delivered.

    Raises: Unavailable when no judgement could be had.
    """
    if moderator is None:
        return None
    shown = (Shown(index=FILM_INDEX, modality=Modality.VIDEO, media_type=media_type, path=film),)
    found: Sequence[Finding] = await moderator.findings(Stage.OUTPUT, owner, shown)
    if not found:
        return None
    code = _code(found[0], Stage.OUTPUT, Modality.VIDEO)
    return Violation(code, "", found[0].message or _sensitive(Stage.OUTPUT, Modality.VIDEO))


def refusal_of(finding: Finding, modality: Modality, names: Mapping[str, str]) -> Violation:
    """Return a finding as what the caller is told. modality: of the item. names: see `dialects.naming`."""
    param = "content" if finding.index < 0 else f"content[{finding.index}]"
    message = finding.message or _sensitive(Stage.INPUT, modality)
    return Violation(_code(finding, Stage.INPUT, modality), spelled(param, names), message)


def _code(finding: Finding, stage: Stage, modality: Modality) -> str:
    """Return the finding's own code, or the usual one where it has none that callers could know."""
    return finding.code if finding.code in CODES else f"{stage.title()}{modality.title()}SensitiveContentDetected"


def _sensitive(stage: Stage, modality: Modality) -> str:
    return f"The request failed because the {stage} {modality} may contain sensitive information."


def _real_person(param: str, modality: Modality) -> Violation:
    code = f"Input{modality.title()}SensitiveContentDetected.PrivacyInformation"
    return Violation(code, param, f"The request failed because the input {modality} '{param}' may contain real person.")
