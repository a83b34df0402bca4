"""Content items: the ordered, multimodal input of a generation request."""

from dataclasses import dataclass
from enum import StrEnum

ASSET = "asset://"
"""Before an asset's id: the registered medium, as a media item."""


class Modality(StrEnum):
    """The kind of one content item."""

    TEXT = "text"
    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    DRAFT = "draft_task"


class Role(StrEnum):
    """What a media item is for. Source: seed 000, "Scenarios & Roles"."""

    FIRST_FRAME = "first_frame"
    LAST_FRAME = "last_frame"
    REFERENCE_IMAGE = "reference_image"
    REFERENCE_VIDEO = "reference_video"
    REFERENCE_AUDIO = "reference_audio"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentItem:
    """One item of the request, in the caller's order.

    value: the prompt text, a URL, a data URL, an ``asset://`` reference or a draft task id.
    """

    modality: Modality
    value: str
    role: Role | None = None
