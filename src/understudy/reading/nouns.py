"""Nouns of six languages and the thing that each means, by an id such as ``house-with-garden``.

Where the names come from: names/MANIFEST.toml, which ``scripts/vendor_art.py`` packs, and ``lexicon/art.toml``. What a
thing looks like is not known here.
"""

import gzip
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files

from understudy.reading.lexicon import LANGUAGES, table
from understudy.reading.lexicon.inflect import fold, singulars

_NAMES = files(__package__) / "names" / "names.json.gz"
_SCRIPTS_WITHOUT_SPACES = ("zh", "ja")
_LINK_WORDS = frozenset({"with", "of", "the", "a", "an", "in", "on", "de", "del", "da", "do", "con", "com", "el", "la"})
# A keyword that names more things than this says what sort of thing they are, not which.
_KEYWORD_THINGS_MAX = 6


@cache
def _names() -> Mapping[str, Mapping[str, object]]:
    listed: Mapping[str, Mapping[str, object]] = json.loads(gzip.decompress(_NAMES.read_bytes()))
    return listed


@cache
def thing_ids() -> frozenset[str]:
    """Return the id of everything that has a name: slugs of English names."""
    return frozenset(_names()) | frozenset(_curated_words())


@cache
def _curated_words() -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """Return id -> words by language, of the rows of ``lexicon/art.toml``."""
    return {row.value: row.words for row in table("art")}


def words_of(art_id: str, language: str) -> tuple[str, ...]:
    """Return a thing's name, then its keywords, as CLDR writes them; empty where a language has none.

    Raises: KeyError: no such thing.
    """
    if art_id not in _names():
        return _curated_words()[art_id].get(language, ())
    words = _names()[art_id].get(language, ())
    return tuple(words) if isinstance(words, list) else ()


@cache
def emoji_art() -> Mapping[str, str]:
    """Return emoji (no variation selectors, no skin tones) -> art id."""
    return {str(row["emoji"]): art_id for art_id, row in _names().items()}


@cache
def curated(language: str) -> Mapping[str, str]:
    """Return folded noun -> art id, from ``lexicon/art.toml``: what CLDR does not name, or names badly."""
    found: dict[str, str] = {}
    for row in table("art"):
        found.update({fold(word): row.value for word in row.words.get(language, ())})
    return found


@cache
def named(language: str) -> Mapping[str, str]:
    """Return folded name -> art id: CLDR's names, and above them the curated rows."""
    found: dict[str, str] = {}
    for art_id in sorted(thing_ids()):
        for name in words_of(art_id, language)[:1]:
            found.setdefault(_plain(name), art_id)
    return {**found, **curated(language)}


def _plain(words: str) -> str:
    return re.sub(r"[\s\-_:,'“”\"()]+", " ", fold(words)).strip()


@cache
def _sorted_names(language: str) -> Mapping[tuple[str, ...], str]:
    """Names as sorted words without link words: "garden house" finds "house with garden"."""
    found: dict[tuple[str, ...], str] = {}
    for name, art_id in named(language).items():
        key = tuple(sorted(word for word in name.split() if word not in _LINK_WORDS))
        found.setdefault(key, art_id)
    return found


@cache
def _keywords(language: str) -> Mapping[str, tuple[str, ...]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for art_id in sorted(thing_ids()):
        for keyword in words_of(art_id, language)[1:]:
            found[_plain(keyword)].append(art_id)
    return {keyword: _preferred(keyword, rows, language) for keyword, rows in found.items()}


def _preferred(keyword: str, candidates: list[str], language: str) -> tuple[str, ...]:
    """The things a keyword may mean, best first: named by it, then of the shortest name."""

    def rank(art_id: str) -> tuple[bool, int, str]:
        name = _plain(words_of(art_id, language)[0])
        return keyword not in (name if language in _SCRIPTS_WITHOUT_SPACES else name.split()), len(name), art_id

    best = sorted(candidates, key=rank)
    is_vague = len(best) > _KEYWORD_THINGS_MAX and rank(best[0])[0]
    return () if is_vague else tuple(best)


def find_art(words: str, language: str) -> str | None:
    """Return the thing that a noun phrase means, or None.

    Tried in turn: the curated rows and the exact name, both singular; the name's words in any order; the phrase
    without its first words ("baby sea otter" -> "otter"; in Spanish, Portuguese and Indonesian without its last);
    then keywords. language: one of the six; others are read as English.
    """
    spoken = language if language in LANGUAGES else "en"
    phrase = _plain(words)
    if not phrase:
        return None
    for part in _parts(phrase, spoken):
        for candidate in _candidates(part, spoken):
            if found := named(spoken).get(candidate):
                return found
        if spoken not in _SCRIPTS_WITHOUT_SPACES and (found := _in_any_order(part, spoken)):
            return found
    for part in _parts(phrase, spoken):
        for candidate in _candidates(part, spoken):
            if rows := _keywords(spoken).get(candidate):
                return rows[0]
    return None


def _candidates(phrase: str, language: str) -> Iterator[str]:
    """The phrase with its noun as written, then in the singular. Spanish and Portuguese inflect every word."""
    parts = phrase.split()
    if language in ("es", "pt"):
        yield phrase
        yield " ".join(singulars(part, language)[-1] for part in parts)
    for last in singulars(parts[-1], language):
        yield " ".join([*parts[:-1], last])


def _in_any_order(phrase: str, language: str) -> str | None:
    for candidate in _candidates(phrase, language):
        key = tuple(sorted(word for word in candidate.split() if word not in _LINK_WORDS))
        if len(key) > 1 and (found := _sorted_names(language).get(key)):
            return found
    return None


def _parts(phrase: str, language: str) -> Iterator[str]:
    """The phrase, then its shorter and shorter rest around the head noun."""
    if language in _SCRIPTS_WITHOUT_SPACES:
        joined = phrase.replace(" ", "")
        yield from (joined[start:] for start in range(len(joined)))
        return
    words = [word for word in phrase.split() if word not in ("the", "a", "an")] or phrase.split()
    if language == "en":
        yield from (" ".join(words[start:]) for start in range(len(words)))
    else:
        yield from (" ".join(words[:end]) for end in range(len(words), 0, -1))
