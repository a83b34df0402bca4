"""Sorts of drawings: what lives, what is worn, and what follows from it. The data are ``lexicon/kind.toml``."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from understudy.engines.previz import art
from understudy.engines.previz.plan import Action, SettingKind
from understudy.reading.lexicon import LexiconError, Row, table
from understudy.reading.lexicon.inflect import fold


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One sort. turns: an action -> what it is for this sort. rest: the action when none is said. setting: or ""."""

    name: str
    is_living: bool = False
    turns: Mapping[Action, Action]
    rest: Action = Action.IDLE
    setting: str = ""


THING = Kind(name="thing", turns={})
"""What no row lists."""

FIGURE = Kind(name="figure", is_living=True, turns={}, setting="meadow")
"""A subject that no drawing shows."""


def members_of(cells: tuple[str, ...]) -> frozenset[str]:
    """Return the art ids that a row lists; "man-*" stands for all that start so. Ids of no drawing are left out."""
    found: set[str] = set()
    for cell in cells:
        if cell.endswith("*"):
            found.update(art_id for art_id in art.art_ids() if art_id.startswith(cell[:-1]))
        elif cell in art.art_ids():
            found.add(cell)
    return frozenset(found)


def _kind(row: Row) -> Kind:
    pairs = (cell.partition(">") for cell in row.extra.get("turns", ()))
    rest, setting = row.extra.get("rest", ("idle",))[0], row.extra.get("setting", ("",))[0]
    try:
        turns = {Action(said): Action(done) for said, _, done in pairs}
        if setting:
            SettingKind(setting)
        return Kind(
            name=row.extra.get("like", (row.value,))[0],
            is_living="living" in row.extra,
            turns=turns,
            rest=Action(rest),
            setting=setting,
        )
    except ValueError as error:
        raise LexiconError(f"kind.toml: {row.value}: {error}") from error


@cache
def _kinds() -> Mapping[str, Kind]:
    found: dict[str, Kind] = {}
    for row in table("kind"):
        kind = _kind(row)
        for art_id in members_of(row.extra["members"]):
            found.setdefault(art_id, kind)
    return found


def kind_of(art_id: str) -> Kind:
    """Return the sort of a drawing; for "" the sort of an unknown figure.

    Raises: LexiconError: kind.toml names an action or a setting that no plan has.
    """
    return _kinds().get(art_id, THING) if art_id else FIGURE


@cache
def _voices() -> Mapping[str, str]:
    found: dict[str, str] = {}
    for row in table("voice_of_art"):
        for art_id in members_of(row.extra["art"]):
            found.setdefault(art_id, row.value)
    return found


def voice_of(art_id: str) -> str:
    """Return "male", "female" or "child" for a drawing of such a person, else ""."""
    return _voices().get(art_id, "")


@cache
def settings_by_art() -> Mapping[str, SettingKind]:
    """Return art id -> the place that a drawing brings with it."""
    found: dict[str, SettingKind] = {}
    for row in table("setting"):
        for art_id in members_of(row.extra.get("implied_by", ())):
            found.setdefault(art_id, SettingKind(row.value))
    return found


@cache
def art_of_pronouns() -> Mapping[str, str]:
    """Return folded pronoun -> the person it shows when nobody was named before it."""
    return {fold(word): row.value for row in table("pronoun") for words in row.words.values() for word in words}
