"""Task ids on the wire: one internal id, a prefix per dialect, every spelling understood everywhere."""

import re

from understudy.catalog.load import load_catalogue
from understudy.core.model_spec import Profile
from understudy.core.task import Task

_PROFILES = load_catalogue().profiles
_PREFIXES = sorted({re.escape(profile.wire_id_prefix) for profile in _PROFILES.values()})
_SPELLING = re.compile(rf"(?:{'|'.join(_PREFIXES)})?([0-9]{{14}}-[a-z0-9]{{5}})")
_QUOTED = re.compile(r"`([0-9]{14}-[a-z0-9]{5})`")
"""An internal id as it stands in a sentence of the core."""


def internal_id(wire_id: str) -> str | None:
    """Return the internal id of any dialect's spelling, or None when the text cannot be an id of ours."""
    found = _SPELLING.fullmatch(wire_id)
    return found[1] if found else None


def shown_id(task: Task, profile: Profile) -> str:
    """Spell a task's id as the dialect did that created it, if that one meets the answering one on the same paths.

    profile: of the dialect that answers.
    """
    author = _PROFILES.get(task.dialect, profile)
    return (author if author.family == profile.family else profile).wire_id_prefix + task.id


def with_wire_ids(message: str, profile: Profile) -> str:
    """Spell the task ids in a sentence of the core as the dialect does."""
    return _QUOTED.sub(rf"`{profile.wire_id_prefix}\1`", message) if "`" in message else message
