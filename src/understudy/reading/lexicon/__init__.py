"""The vocabulary of prompts as data: one TOML table per property, one column of words per language.

A table's key is the value that a plan holds; ``en = "dusk, sunset"`` lists its words in English. What a word may look
like is widened here and in ``inflect``: nouns get their plurals, English verbs their forms, ``corr*`` any ending.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

from understudy.reading.meanings import (
    Action,
    CameraMove,
    Framing,
    Particle,
    SettingKind,
    SoundCue,
    TimeOfDay,
    Weather,
)

LANGUAGES = ("en", "zh", "ja", "es", "pt", "id")

ENUMS: Mapping[str, type[StrEnum]] = {
    "setting": SettingKind,
    "implied_setting": SettingKind,
    "time": TimeOfDay,
    "weather": Weather,
    "particles": Particle,
    "camera": CameraMove,
    "camera_verb": CameraMove,
    "framing": Framing,
    "action": Action,
    "sound": SoundCue,
}
"""Tables whose keys are the members of an enumeration of the plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One value and the words for it. words: language -> phrases as written. extra: the row's other columns."""

    value: str
    words: Mapping[str, tuple[str, ...]]
    extra: Mapping[str, tuple[str, ...]]


class LexiconError(ValueError):
    """A table says something that no plan can hold; a defect of the package, not of a prompt."""


def _listed(cell: object, *, where: str) -> tuple[str, ...]:
    if not isinstance(cell, str):
        raise LexiconError(f"{where} is not a string of words")
    return tuple(word.strip() for word in cell.split(",") if word.strip())


@cache
def table(name: str) -> tuple[Row, ...]:
    """Return the rows of ``<name>.toml`` in the file's order.

    Raises: LexiconError: a key is no member of the table's enumeration, or a cell is not a string.
    """
    text = files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
    allowed = {str(member) for member in ENUMS[name]} if name in ENUMS else None
    rows = []
    for value, columns in tomllib.loads(text).items():
        if allowed is not None and value not in allowed:
            raise LexiconError(f"{name}.toml: {value} is not one of {', '.join(sorted(allowed))}")
        cells = {column: _listed(cell, where=f"{name}.toml: {value}.{column}") for column, cell in columns.items()}
        rows.append(
            Row(
                value=value,
                words={column: cell for column, cell in cells.items() if column in LANGUAGES},
                extra={column: cell for column, cell in cells.items() if column not in LANGUAGES},
            )
        )
    return tuple(rows)


@cache
def listed(name: str, column: str) -> Mapping[str, tuple[str, ...]]:
    """Return value -> the words of a column that is no language, for the rows that have it."""
    return {row.value: row.extra[column] for row in table(name) if column in row.extra}
