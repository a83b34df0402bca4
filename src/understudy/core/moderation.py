"""Moderation by the operator's own service: what it is shown and what it says. Which service it is, is not known here.

Codes are Ark's (Volcengine documentation 82379/1299023): before rendering ``Input{Text,Image,Video,Audio}
SensitiveContentDetected``, after it ``Output{Text,Video,Audio}SensitiveContentDetected``, with a part behind a dot for
the policy.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from understudy.core.modality import Modality


class Stage(StrEnum):
    """When a moderator is asked."""

    INPUT = "input"
    OUTPUT = "output"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One thing to judge. index: of the content item; -1 = the film. text: of a text; path: of everything else.

    media_type: "text/plain", "image/png", "video/mp4" ...
    """

    index: int
    modality: Modality
    media_type: str
    text: str = ""
    path: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that must not pass. code: of `core.errors.CODES`; "" = the usual one of its stage and modality.

    message: the operator's own sentence; "" = Ark's.
    """

    index: int
    code: str = ""
    message: str = ""


class Moderator(Protocol):
    """Judges what goes in and what comes out; an HTTP endpoint or an entry point `understudy.moderators`."""

    async def findings(self, stage: Stage, owner: str, shown: Sequence[Shown]) -> Sequence[Finding]:
        """Return what must not pass.

        Raises: Unavailable when no judgement could be had; nothing passes unjudged.
        """
        ...


class FaceFinder(Protocol):
    """Looks for the faces of real people in pictures and films."""

    async def has_face(self, path: Path, modality: Modality) -> bool:
        """Say whether the image, or any of the moments looked at of the video, shows a face.

        Raises: core.media.Unreadable.
        """
        ...
