"""Read Japanese writing: a line in kanji and kana becomes katakana as it is pronounced.

The commonest words and how likely one kind of word follows another are a table of the NAIST Japanese dictionary
(``assets/kana``); the likeliest way to divide a line into words says how each is read. A kanji that no word has stays
as it is.
"""

import functools
import importlib.resources
import lzma
import re
import unicodedata
from dataclasses import dataclass

_LONGEST_WORD = 12
_UNKNOWN_KANA_COST, _UNKNOWN_KANJI_COST = 180, 500
_WORDS = "# word"
_TO_KATAKANA = {code: code + 0x60 for code in range(0x3041, 0x3097)}
_JAPANESE = re.compile(r"[\u3041-\u3096\u30a1-\u30fc\u3005\u3400-\u9fff]{1,400}")
_BEST_OF = 24


@dataclass(frozen=True, slots=True)
class _Word:
    reading: str
    kind: int
    cost: int


@dataclass(frozen=True, slots=True)
class _Way:
    """The cheapest way to a place in the line that ends with a word of one kind."""

    cost: int
    readings: tuple[str, ...]


@functools.cache
def _dictionary() -> tuple[list[list[int]], dict[str, str]]:
    """Load the costs of a kind (second index) after a kind, and the rows of the words by how they are written."""
    packed = importlib.resources.files("understudy.engines.previz").joinpath("assets/kana/words.txt.xz").read_bytes()
    costs, _, rows = lzma.decompress(packed).decode().partition(_WORDS)
    follows = [[int(field) for field in row.split(" ")] for row in costs.splitlines()[1:]]
    words: dict[str, str] = {}
    # A word with several readings has several rows, which lie together; they are taken apart when it is met.
    for row in rows.splitlines()[1:]:
        surface, _, rest = row.partition(" ")
        words[surface] = f"{words[surface]};{rest}" if surface in words else rest
    return follows, words


def _words_at(run: str, place: int) -> list[tuple[int, _Word]]:
    """List the words that begin at a place, with their lengths; a letter by itself is always one, and dear."""
    _, words = _dictionary()
    letter = run[place].translate(_TO_KATAKANA)
    steps = [(1, _Word(letter, 0, _UNKNOWN_KANA_COST if letter <= "\u30fc" else _UNKNOWN_KANJI_COST))]
    for length in range(1, min(_LONGEST_WORD, len(run) - place) + 1):
        for row in words.get(run[place : place + length], "").split(";"):
            if row:
                reading, kind, cost = row.split(" ")
                steps.append((length, _Word(reading, int(kind), int(cost))))
    return steps


def kana_of(text: str) -> str:
    """Return the line with its Japanese words in katakana; everything else stays, and so do kanji nobody knows."""
    normal = unicodedata.normalize("NFKC", text)
    return _JAPANESE.sub(lambda found: _read(found[0]), normal)


def _read(run: str) -> str:
    """Find the cheapest division of a run into words, place by place."""
    follows, _ = _dictionary()
    ways: list[dict[int, _Way]] = [{} for _ in range(len(run) + 1)]
    ways[0] = {0: _Way(0, ())}
    for place in range(len(run)):
        here = sorted(ways[place].items(), key=lambda item: (item[1].cost, item[0]))[:_BEST_OF]
        ways[place] = {}
        if not here:
            continue
        for length, word in _words_at(run, place):
            cost, before = min((way.cost + follows[kind][word.kind], way.readings) for kind, way in here)
            reached = ways[place + length]
            known = reached.get(word.kind)
            if known is None or cost + word.cost < known.cost:
                reached[word.kind] = _Way(cost + word.cost, (*before, word.reading))
    best = min((way.cost + follows[kind][0], way.readings) for kind, way in ways[-1].items())
    return "".join(best[1])
