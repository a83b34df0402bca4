"""The prompts of `tests/prompts/` and what a director reads in them, as values."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

PROMPTS = Path(__file__).parent / "prompts"
HALVES = ("tuning", "held_out")

Choice = frozenset[str]
"""Words of which any is right; none at all = the prompt does not say."""


ANY_MOVE: Choice = frozenset({"any"})
"""The camera moves and the prompt leaves open how."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineWanted:
    """A line that must be spoken. speaker: the art it may come from, "off" or "image 1"; empty = left open.

    audio: number of the reference audio whose voice it has; 0 = none.
    """

    text: str
    language: str
    speaker: Choice = frozenset()
    audio: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TextWanted:
    """Words that must stand in the picture, and as what."""

    text: str
    kind: Choice


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceWanted:
    """A given medium that the prompt names, and what for."""

    modality: str
    number: int
    use: Choice


@dataclass(frozen=True, slots=True, kw_only=True)
class EditWanted:
    """A change of a given video. target, value: words that must be part of the edit's own; empty = any."""

    kind: Choice
    target: str = ""
    value: Choice = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One prompt and what a director reads in it; the keys are told in the heads of `tests/prompts/*.toml`."""

    id: str
    language: str
    text: str
    subjects: tuple[Choice, ...] = ()
    actions: tuple[Choice, ...] = ()
    setting: tuple[Choice, ...] = ()
    time: tuple[Choice, ...] = ()
    weather: tuple[Choice, ...] = ()
    camera: tuple[Choice, ...] = ()
    framing: tuple[Choice, ...] = ()
    particles: tuple[Choice, ...] = ()
    sounds: tuple[Choice, ...] = ()
    style: Choice = frozenset()
    mood: Choice = frozenset()
    season: Choice = frozenset()
    lines: tuple[LineWanted, ...] = ()
    texts: tuple[TextWanted, ...] = ()
    shots: tuple[int, ...] = (1,)
    starts_s: tuple[float, ...] = ()
    references: tuple[ReferenceWanted, ...] = ()
    views: tuple[tuple[int, ...], ...] = ()
    edits: tuple[EditWanted, ...] = ()
    extension: str = ""
    absent: tuple[str, ...] = ()


def prompts_of(half: str) -> list[Prompt]:
    """Return the prompts of one half, "tuning" or "held_out", in the order of the file."""
    return [_prompt(row) for row in tomllib.loads((PROMPTS / f"{half}.toml").read_text(encoding="utf-8"))["prompt"]]


def floors() -> dict[str, dict[str, float]]:
    """Return the least percentages by half and kind, as `tests/prompts/floors.toml` keeps them."""
    return tomllib.loads((PROMPTS / "floors.toml").read_text(encoding="utf-8"))


def _prompt(row: Mapping[str, object]) -> Prompt:
    unknown = row.keys() - {field.name for field in fields(Prompt)}
    if unknown:
        raise ValueError(f"{row['id']}: unknown keys {sorted(unknown)}")
    return Prompt(**{key: _value(key, value) for key, value in row.items()})  # type: ignore[arg-type]


def _value(key: str, value: object) -> object:
    parts: dict[str, Callable[..., object]] = {
        "lines": LineWanted,
        "texts": TextWanted,
        "references": ReferenceWanted,
        "edits": EditWanted,
    }
    if not isinstance(value, list):
        return value
    if key in parts:
        return tuple(parts[key](**{name: _value(name, part) for name, part in row.items()}) for row in value)
    if key == "views":
        return tuple(tuple(numbers) for numbers in value)
    if key in ("shots", "starts_s", "absent"):
        return tuple(value)
    if value and isinstance(value[0], list):
        return tuple(frozenset(choice) for choice in value)
    return frozenset(value)
