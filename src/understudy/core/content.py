"""Content items: the ordered, multimodal input of a generation request."""

from dataclasses import dataclass
from enum import StrEnum

from understudy.core.media import Medium
from understudy.core.modality import Modality as Modality

ASSET = "asset://"
"""Before an asset's id: the registered medium, as a media item."""


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

    value: the prompt text, a URL, a data URL, an ``asset://`` reference or a draft task id; of a data URL that was
    taken in only ``data:<media type>`` is left. medium: the stored bytes of a media item, once they were taken in.
    """

    modality: Modality
    value: str
    role: Role | None = None
    medium: Medium | None = None
