"""Texts to pieces: the longest known phrases of a text, each with everything it may mean.

One vocabulary per language holds all tables and all names of drawings, so that a long phrase always beats the short
one inside it: a "sea otter" brings no sea, a "fire engine" no fire, "street at night" both a street and the night.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from understudy.reading import nouns
from understudy.reading.lexicon import table
from understudy.reading.lexicon.inflect import fold, plural, verb_forms

Meaning = tuple[str, str]
"""(table, value), for example ("weather", "rain")."""

_TABLES = (
    "role", "setting", "implied_setting", "time", "weather", "season", "particles", "camera", "camera_verb", "framing",
    "action", "sound", "style", "mood", "colour", "count", "ratio", "voice", "aerial",
)  # fmt: skip
_VERB_TABLES = frozenset({"camera", "camera_verb", "action"})
_NOUN_TABLES = frozenset({"setting", "particles", "art", "camera_role", "thin"})
_SHORTEST_STEM = 3

_TOKEN = re.compile(
    r"(?P<emoji>[\U0001F000-\U0001FAFF\u2600-\u27BF\u2B00-\u2BFF\u231A-\u23FF](?:[\uFE0F\U0001F3FB-\U0001F3FF]"
    r"|\u200D[\U0001F000-\U0001FAFF\u2600-\u27BF\u2B00-\u2BFF])*)"
    r"|(?P<cjk>[\u3005\u3040-\u30FF\u3400-\u9FFF\uF900-\uFAFF])"
    r"|(?P<word>[^\W_\u3005\u3040-\u30FF\u3400-\u9FFF\uF900-\uFAFF]+(?:['’][^\W\d_]+)?)"
    r"|(?P<mark>[^\w\s\uFE0F\u200D]|\n)"
)
# Drawings of people in the middle of something: "a woman running" is a woman, and what she does is read as an action.
_ACTING = re.compile(r"(man|woman|person|men|women|people)-(.*ing(-.*)?|in-.*|with-.*)$")
_INNER_HYPHEN = re.compile(r"(?<=\w)[-‐‑_](?=\w)")


class Token(NamedTuple):
    """A word, one character of a script without spaces, an emoji, or a mark. text: folded."""

    text: str
    start: int
    end: int
    sort: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A phrase that means something, a mark, or one unknown word (no meanings). start, end: where in the prompt.

    meanings: table -> values. language: of the vocabulary that knew it, "" for unknown words and marks.
    """

    text: str
    start: int
    end: int
    sort: str
    meanings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    language: str = ""

    def means(self, name: str, value: str) -> bool:
        """Whether the piece has this value of this table."""
        return value in self.meanings.get(name, ())

    @property
    def is_unknown(self) -> bool:
        """Whether no vocabulary has the word."""
        return self.sort in ("word", "cjk") and not self.meanings


class _Node:
    """A step of the trie: what may follow, and what the phrase so far means."""

    __slots__ = ("meanings", "next")

    def __init__(self) -> None:
        self.next: dict[str, _Node] = {}
        self.meanings: list[Meaning] = []


def tokens_of(text: str) -> list[Token]:
    """Split a text; a hyphen inside a word parts it as a space would, so "close-up" is "close up"."""
    found = []
    # Same length, so that places in the text stay right.
    spaced = _INNER_HYPHEN.sub(" ", text)
    for match in _TOKEN.finditer(spaced):
        sort, text = match.lastgroup or "mark", match[0]
        found.append(Token(fold(text) if sort == "word" else text, *match.span(), sort))
    return found


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Every phrase of one language. stems: the beginnings written "corr*" in the tables."""

    language: str
    root: _Node
    stems: Mapping[str, tuple[Meaning, ...]]

    def longest(self, tokens: Sequence[Token], start: int) -> tuple[int, Sequence[Meaning]]:
        """Return how many tokens the longest phrase from ``start`` has, and what it means; (0, ()) for none."""
        node, best, length = self.root, (0, ()), 0  # type: tuple[_Node, tuple[int, Sequence[Meaning]], int]
        while start + length < len(tokens) and (step := node.next.get(tokens[start + length].text)):
            node, length = step, length + 1
            if node.meanings:
                best = (length, node.meanings)
        if best[0] == 0 and (stemmed := self._stemmed(tokens[start])):
            return 1, stemmed
        return best

    def _stemmed(self, token: Token) -> tuple[Meaning, ...]:
        if not self.stems or token.sort != "word":
            return ()
        for length in range(len(token.text), _SHORTEST_STEM - 1, -1):
            if found := self.stems.get(token.text[:length]):
                return found
        return ()


def _listed(language: str) -> Iterator[tuple[str, str, str]]:
    """Yield (phrase, table, value) for every table and every name of a drawing."""
    for name in _TABLES:
        for row in table(name):
            for phrase in row.words.get(language, ()):
                yield phrase, name, row.value
    chosen = nouns.curated(language)
    small = {fold(word) for row in table("role") for word in row.words.get(language, ())}
    for phrase, art_id in nouns.named(language).items():
        # CLDR counts in Chinese ("one glass of milk"); Spanish for envelope is Spanish for "on".
        is_odd = _ACTING.match(art_id) or phrase in small or phrase.startswith("一")
        if phrase in chosen or not is_odd:
            yield phrase, "art", art_id


def _forms(words: tuple[str, ...], name: str, language: str, *, value: str) -> Iterator[tuple[str, ...]]:
    """The phrase as listed, then its plural or its verb forms."""
    yield words
    is_noun = name in _NOUN_TABLES or value in _NOUN_TABLES
    if is_noun and words[-1][:1].isalpha():
        yield (*words[:-1], plural(words[-1], language))
    if language == "en" and name in _VERB_TABLES:
        for form in verb_forms(words[0]):
            yield (form, *words[1:])


@cache
def vocabulary(language: str) -> Vocabulary:
    """Return every phrase of a language, read once."""
    root = _Node()
    stems: dict[str, list[Meaning]] = {}
    moves: list[tuple[str, _Node]] = []
    for phrase, name, value in _listed(language):
        meaning = (name, value)
        if phrase.endswith("*"):
            stems.setdefault(fold(phrase[:-1]), []).append(meaning)
            continue
        words = tuple(token.text for token in tokens_of(phrase))
        if not words:
            continue
        for form in _forms(words, name, language, value=value):
            node = root
            for word in form:
                node = node.next.setdefault(word, _Node())
            if meaning not in node.meanings:
                node.meanings.append(meaning)
            if name == "camera_verb" and len(form) > 1:
                moves.append((form[0], node))
    for verb, node in moves:
        # "The camera flies away" is a move; "the bird flies away" is still flying.
        node.meanings += [meaning for meaning in root.next[verb].meanings if meaning[0] == "action"][:1]
    return Vocabulary(language, root, {stem: tuple(meanings) for stem, meanings in stems.items()})


def _gathered(meanings: Sequence[Meaning]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name, value in meanings:
        found[name] = (*found.get(name, ()), value)
    return found


_SKIN_AND_STYLE = re.compile("[\ufe0f\U0001f3fb-\U0001f3ff]")
_EMOJI_WORDS = ("weather", "time", "setting", "sound", "particles")


def _of_emoji(token: Token) -> dict[str, tuple[str, ...]]:
    """What an emoji means: its drawing, and the properties that its English name has ("cloud with rain")."""
    plain = _SKIN_AND_STYLE.sub("", token.text)
    art_id = nouns.emoji_art().get(plain) or nouns.emoji_art().get(plain[:1])
    if art_id is None:
        return {}
    names = tokens_of(nouns.words_of(art_id, "en")[0])
    length, meanings = vocabulary("en").longest(names, 0)
    known = _gathered(meanings) if length == len(names) else {}
    return {**{name: known[name] for name in _EMOJI_WORDS if name in known}, "art": (art_id,)}


def _matched(
    text: str, tokens: Sequence[Token], vocabularies: Sequence[Vocabulary]
) -> Iterator[tuple[Piece, int, int]]:
    """Yield (piece, its first token, the token after it)."""
    dense = vocabularies[:1]
    index = 0
    while index < len(tokens):
        token = tokens[index]
        if token.sort == "emoji":
            piece = Piece(text[token.start : token.end], token.start, token.end, "emoji", _of_emoji(token), "en")
            yield piece, index, index + 1
            index += 1
            continue
        length, meanings, language = 0, (), ""  # type: tuple[int, Sequence[Meaning], str]
        for known in dense if token.sort == "cjk" else vocabularies:
            found, found_meanings = known.longest(tokens, index)
            if found > length:
                length, meanings, language = found, found_meanings, known.language
        after = index + max(length, 1)
        end = tokens[after - 1].end
        yield Piece(text[token.start : end], token.start, end, token.sort, _gathered(meanings), language), index, after
        index = after


def pieces_of(text: str, vocabularies: Sequence[Vocabulary]) -> list[Piece]:
    """Return the text as pieces in order: longest phrases first found from the left, earlier vocabularies on a tie.

    Words such as "slowly" are left out, and what they parted is joined: "pushes slowly in" is "pushes in".
    """
    tokens = tokens_of(text)
    matched = list(_matched(text, tokens, vocabularies))
    adverbs = {place for piece, start, end in matched if piece.means("role", "adverb") for place in range(start, end)}
    if adverbs:
        tokens = [token for place, token in enumerate(tokens) if place not in adverbs]
        matched = list(_matched(text, tokens, vocabularies))
    return [piece for piece, _, _ in matched]
