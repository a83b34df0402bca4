"""A change of a film: what OpenAI's video API calls remix, edit and extension."""

from dataclasses import dataclass
from enum import StrEnum


class ChangeKind(StrEnum):
    """What is done to a film."""

    REMIX = "remix"
    EDIT = "edit"
    EXTEND = "extend"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change as a caller asks for it.

    source: the internal id of the task whose film is changed, or None when the video is given as such.
    video: an address or a data URL, or None. duration_s: whole seconds, None = as the source.
    """

    kind: ChangeKind
    prompt: str
    source: str | None = None
    video: str | None = None
    duration_s: int | None = None
