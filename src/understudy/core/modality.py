"""The kinds of content items."""

from enum import StrEnum


class Modality(StrEnum):
    """The kind of one content item."""

    TEXT = "text"
    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    DRAFT = "draft_task"
