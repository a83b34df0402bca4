"""Task ids on the wire: one internal id, a prefix per dialect, every spelling understood everywhere."""

import re

_SPELLING = re.compile(r"(?:cgt-|task_|video_)?([0-9]{14}-[a-z0-9]{5})")

QUOTED_ID = re.compile(r"`([0-9]{14}-[a-z0-9]{5})`")
"""An internal id as it stands in a sentence of the core."""


def internal_id(wire_id: str) -> str | None:
    """Return the internal id of any dialect's spelling, or None when the text cannot be an id of ours."""
    found = _SPELLING.fullmatch(wire_id)
    return found[1] if found else None
