"""Where words of a table stand in a text: for the parts of a prompt that are about the film, not in its pictures.

Time codes, references and edits need to know where their words are; `phrases` parts the rest into pieces.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from understudy.reading.lexicon import LANGUAGES, table
from understudy.reading.lexicon.inflect import fold

_LATIN = re.compile(r"[a-z0-9]")


@dataclass(frozen=True, slots=True)
class Spot:
    """A word of a table. value: its row. start, end: where in the text."""

    value: str
    start: int
    end: int


@cache
def _level_letter(letter: str) -> str:
    folded = fold(letter)
    return folded if len(folded) == 1 else letter


def level(text: str) -> str:
    """Fold letter by letter, so that places in the text stay right."""
    return text.lower() if text.isascii() else "".join(map(_level_letter, text))


def _branches(words: Iterable[str]) -> str:
    """One pattern for many words that shares their beginnings: many times faster than trying word after word."""
    by_letter: dict[str, list[str]] = {}
    for word in words:
        by_letter.setdefault(word[:1], []).append(word[1:])
    ends = "" in by_letter
    parts = [re.escape(letter) + _branches(rests) for letter, rests in by_letter.items() if letter]
    if not parts:
        return ""
    joined = f"(?:{'|'.join(parts)})" if len(parts) > 1 or ends else parts[0]
    return f"{joined}?" if ends else joined


def any_of(words: Iterable[str]) -> str:
    """Return a pattern for whole words of Latin letters, and for words of other scripts anywhere; longest first."""
    known = [re.sub(r"\s+", " ", word) for word in dict.fromkeys(map(level, words))]
    latin = _branches(word for word in known if _LATIN.match(word))
    dense = _branches(word for word in known if not _LATIN.match(word))
    bounded = [rf"(?<![a-z0-9])(?:{latin})(?![a-z0-9])"] if latin else []
    return "|".join((*bounded, *([dense] if dense else []))) or r"(?!)"


@cache
def words_in(name: str, value: str = "") -> tuple[str, ...]:
    """Return every word of a table, or of one of its rows, in all languages."""
    rows = [row for row in table(name) if value in ("", row.value)]
    return tuple(word for row in rows for language in LANGUAGES for word in row.words.get(language, ()))


@cache
def _table_pattern(name: str) -> tuple[re.Pattern[str], Mapping[str, str]]:
    values: dict[str, str] = {}
    for row in table(name):
        for language in LANGUAGES:
            for word in row.words.get(language, ()):
                values.setdefault(level(word), row.value)
    return re.compile(any_of(values)), values


def spots(leveled: str, name: str) -> tuple[Spot, ...]:
    """Return where the words of a table stand in a text that `level` made; the longest word at each place."""
    pattern, values = _table_pattern(name)
    return tuple(Spot(values[found[0]], *found.span()) for found in pattern.finditer(leveled))


_DIGITS = {
    "一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10, "两": 2,
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
}  # fmt: skip


def number_of(text: str) -> int:
    """Return the number that digits, a Chinese numeral or an English word spell; 0 for anything else."""
    return int(text) if text.isascii() and text.isdecimal() else _DIGITS.get(text, 0)
