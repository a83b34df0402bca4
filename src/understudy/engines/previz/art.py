"""The vendored drawings: their ids, their SVG, and the drawing that a noun in one of six languages means.

Where the drawings come from: assets/art/MANIFEST.toml; ``scripts/vendor_art.py`` packs them.
"""

import gzip
import json
import re
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from importlib.resources import as_file, files
from threading import Lock

from understudy.engines.previz.lexicon import LANGUAGES, LexiconError, table
from understudy.engines.previz.lexicon.inflect import fold, singulars

_ASSETS = files(__package__) / "assets" / "art"
_DRAWN = files(__package__) / "drawings"
_CACHED_DRAWINGS = 128
_SCRIPTS_WITHOUT_SPACES = ("zh", "ja")
_LINK_WORDS = frozenset({"with", "of", "the", "a", "an", "in", "on", "de", "del", "da", "do", "con", "com", "el", "la"})
# A keyword that names more drawings than this says what sort of thing they are, not which.
_KEYWORD_DRAWINGS_MAX = 6
_reading = Lock()


@cache
def _names() -> Mapping[str, Mapping[str, object]]:
    listed: Mapping[str, Mapping[str, object]] = json.loads(gzip.decompress((_ASSETS / "names.json.gz").read_bytes()))
    return listed


@cache
def _archive() -> zipfile.ZipFile:
    with as_file(_ASSETS / "art.zip") as path:
        return zipfile.ZipFile(path)


@cache
def art_ids() -> frozenset[str]:
    """Return the id of every drawing: slugs of English names, for example ``house-with-garden``."""
    return frozenset(_names()) | frozenset(_drawn())


@cache
def _drawn() -> Mapping[str, str]:
    """Return art id -> SVG of our own drawings: what people ask for and no emoji shows. ``art.toml`` names them."""
    drawings = (entry for entry in _DRAWN.iterdir() if entry.name.endswith(".svg"))
    return {entry.name.removesuffix(".svg"): entry.read_text(encoding="utf-8") for entry in drawings}


@lru_cache(maxsize=_CACHED_DRAWINGS)
def svg(art_id: str) -> str:
    """Return a drawing as SVG text, 32 x 32 units.

    Raises: KeyError: no such drawing.
    """
    if art_id not in art_ids():
        raise KeyError(art_id)
    if art_id in _drawn():
        return _drawn()[art_id]
    with _reading:
        return _archive().read(f"{art_id}.svg").decode()


def words_of(art_id: str, language: str) -> tuple[str, ...]:
    """Return a drawing's name, then its keywords, as CLDR writes them; empty where a language has none.

    Raises: KeyError: no such drawing.
    """
    if art_id in _drawn():
        return next((row.words.get(language, ()) for row in table("art") if row.value == art_id), ())
    words = _names()[art_id].get(language, ())
    return tuple(words) if isinstance(words, list) else ()


@cache
def emoji_art() -> Mapping[str, str]:
    """Return emoji (no variation selectors, no skin tones) -> art id."""
    return {str(row["emoji"]): art_id for art_id, row in _names().items()}


@cache
def curated(language: str) -> Mapping[str, str]:
    """Return folded noun -> art id, from ``lexicon/art.toml``: what CLDR does not name, or names badly.

    Raises: LexiconError: a row names a drawing that is not there.
    """
    found: dict[str, str] = {}
    for row in table("art"):
        if row.value not in art_ids():
            raise LexiconError(f"art.toml: there is no drawing {row.value}")
        found.update({fold(word): row.value for word in row.words.get(language, ())})
    return found


@cache
def named(language: str) -> Mapping[str, str]:
    """Return folded name -> art id: CLDR's names, and above them the curated rows."""
    found: dict[str, str] = {}
    for art_id in sorted(art_ids()):
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
    for art_id in sorted(art_ids()):
        for keyword in words_of(art_id, language)[1:]:
            found[_plain(keyword)].append(art_id)
    return {keyword: _preferred(keyword, rows, language) for keyword, rows in found.items()}


def _preferred(keyword: str, candidates: list[str], language: str) -> tuple[str, ...]:
    """The drawings a keyword may mean, best first: named by it, then of the shortest name."""

    def rank(art_id: str) -> tuple[bool, int, str]:
        name = _plain(words_of(art_id, language)[0])
        return keyword not in (name if language in _SCRIPTS_WITHOUT_SPACES else name.split()), len(name), art_id

    best = sorted(candidates, key=rank)
    is_vague = len(best) > _KEYWORD_DRAWINGS_MAX and rank(best[0])[0]
    return () if is_vague else tuple(best)


def find_art(words: str, language: str) -> str | None:
    """Return the drawing that a noun phrase means, or None.

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
