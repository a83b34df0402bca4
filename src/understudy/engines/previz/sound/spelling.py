"""Spellings: tables that turn the letters of a language into phonemes that an English voice can say.

The tables are data (``spelling.toml``, ``hanzi.txt``); this module loads them and applies them to text. Korean and
Chinese tables are composed: a Hangul syllable from its letters by arithmetic, a Chinese character from its pinyin.
"""

import functools
import importlib.resources
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

STRESS = "ˈ"
VOWELS = frozenset("AIOQWYaeiouæɑɒɔəɛɜɪʊʌᵻ")
PAUSES: Mapping[str, str] = {
    "、": ",", "，": ",", "。": ".", "．": ".", "！": "!", "？": "?", "…": "…", "；": ";", "：": ":",
    ",": ",", ".": ".", "!": "!", "?": "?", ";": ";", ":": ":", "—": "—", "·": ",", "؟": "?", "،": ",", "।": ".",
}  # fmt: skip
_SENTENCE_ENDS = ".!?…"
_HANGUL_FIRST = 0xAC00
_LATIN = "A-Za-zÀ-ɏ"
_TOKENS = re.compile(rf"[{_LATIN}'’]+|[^\W\d_{_LATIN}]+|[^\w\s]")

EnglishReader = Callable[[str], list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spelling:
    """One language's table. sounds maps a spelling of one or more letters to phonemes; digits holds ten words.

    is_latin: whether Latin letters belong to the language; where they do not, they are read as English words.
    """

    name: str
    sounds: Mapping[str, str]
    digits: tuple[str, ...]
    word_stress: str
    weak_endings: str = ""
    is_latin: bool = False
    longest: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Spelled:
    """The phonemes of a text, one string for each sentence; unread: how many letters no table knew."""

    phrases: tuple[str, ...]
    unread: int


@functools.cache
def tables() -> dict[str, Any]:
    """Load ``spelling.toml``."""
    return tomllib.loads(_resource("sound/spelling.toml"))


def _resource(name: str) -> str:
    return importlib.resources.files("understudy.engines.previz").joinpath(name).read_text(encoding="utf-8")


@functools.cache
def spelling_of(script: str, language: str) -> Spelling | None:
    """Give the table that reads a script in a language, or None.

    script: "latin", "kana", "cyrillic", "hangul" or "han". Cyrillic is read as Russian and Han as Mandarin whatever
    the language says: the letters are the same and a rough reading is better than none.
    """
    if script == "hangul":
        return _korean()
    if script == "han":
        return _mandarin()
    language = {"kana": "ja", "cyrillic": "ru"}.get(script, language)
    table = tables()["script"].get(script, {}).get(language)
    if table is None:
        return None
    sounds = {key: value.replace("'", STRESS) for key, value in table["sounds"].items()}
    return Spelling(
        name=table["name"],
        sounds=sounds,
        digits=tuple(table["digits"]),
        word_stress=table["word_stress"],
        weak_endings=table["weak_endings"],
        is_latin=script == "latin",
        longest=max(len(key) for key in sounds),
    )


def _korean() -> Spelling:
    table = tables()["hangul"]
    sounds, code = {}, _HANGUL_FIRST
    for initial in table["initials"]:
        for vowel in table["vowels"]:
            for final in table["finals"]:
                sounds[chr(code)] = initial + vowel + final
                code += 1
    return Spelling(name=table["name"], sounds=sounds, digits=tuple(table["digits"]), word_stress="first")


def _mandarin() -> Spelling:
    """Read every syllable as a small word of its own with a stress: so an English voice keeps their even length."""
    table = tables()["pinyin"]
    sounds: dict[str, str] = {}
    for row in _resource("assets/pinyin/hanzi.txt").splitlines():
        if row.startswith("#"):
            continue
        syllable, characters = row.split(" ")
        sounds |= dict.fromkeys(characters, " " + _pinyin(syllable, table))
    for word, syllables in table["words"].items():
        sounds[word] = "".join(" " + _pinyin(syllable, table) for syllable in syllables.split())
    longest = max(len(word) for word in sounds)
    digits = tuple(table["digits"])
    return Spelling(name=table["name"], sounds=sounds, digits=digits, word_stress="every", longest=longest)


def _pinyin(syllable: str, table: Mapping[str, Any]) -> str:
    phonemes = table["whole"].get(syllable)
    if phonemes is None:
        initial = next((syllable[:size] for size in (2, 1) if syllable[:size] in table["initials"]), "")
        if initial == syllable:
            initial = ""
        phonemes = table["initials"].get(initial, "") + table["finals"][syllable.removeprefix(initial)]
    return stressed_at(phonemes, next(index for index, phoneme in enumerate(phonemes) if phoneme in VOWELS))


def stressed_at(phonemes: str, index: int) -> str:
    """Put a stress mark before the phoneme at an index."""
    return phonemes[:index] + STRESS + phonemes[index:]


def murmur_syllable(letter: str) -> str:
    """Give the wordless syllable that stands for a letter which cannot be read; always the same one."""
    syllables = tables()["murmur"]["syllables"]
    return str(syllables[ord(letter) % len(syllables)])


def spell(text: str, spelling: Spelling, *, read_english: EnglishReader) -> Spelled:
    """Read a text by a table; foreign Latin words in it as English, letters without a sound as a murmur."""
    digits = "".join(f" {spelling.digits[int(letter)]} " if letter.isdecimal() else letter for letter in text)
    words: list[str] = []
    unread = 0
    for token in _TOKENS.findall(digits):
        if token in PAUSES:
            if words:
                words[-1] += PAUSES[token]
            continue
        if not spelling.is_latin and re.match(f"[{_LATIN}]", token):
            phonemes = " ".join(read_english(token)).rstrip(_SENTENCE_ENDS)
        else:
            phonemes, missing = _spelled_word(token.casefold(), spelling)
            unread += missing
        if phonemes.strip():
            words.append(phonemes.strip())
    return Spelled(phrases=phrases_of(words), unread=unread)


def _spelled_word(word: str, spelling: Spelling) -> tuple[str, int]:
    """Spell one word out, the longest spelling first; give its phonemes and how many letters had to be murmured."""
    result, position, missing = "", 0, 0
    while position < len(word):
        for length in range(min(spelling.longest, len(word) - position), 0, -1):
            piece = word[position : position + length]
            at_end = position + length == len(word)
            sound = spelling.sounds.get(piece + "$") if at_end else None
            sound = spelling.sounds.get(piece) if sound is None else sound
            if sound is not None:
                break
        else:
            length = 1
            is_letter = word[position].isalpha()
            sound = murmur_syllable(word[position]) if is_letter else ""
            missing += is_letter
        result += sound
        position += length
    return _with_stress(result, word, spelling), missing


def _with_stress(phonemes: str, word: str, spelling: Spelling) -> str:
    """Mark the stressed vowel where the spelling has not: the voice's prosody hangs on it."""
    vowels = [index for index, phoneme in enumerate(phonemes) if phoneme in VOWELS]
    if STRESS in phonemes or not vowels:
        return phonemes
    if spelling.word_stress != "penultimate":
        return stressed_at(phonemes, vowels[0])
    if len(vowels) == 1:
        # Short words of one syllable are mostly articles and the like, which carry no stress.
        return phonemes if len(word) <= 3 else stressed_at(phonemes, vowels[0])
    return stressed_at(phonemes, vowels[-2] if word[-1] in spelling.weak_endings else vowels[-1])


def phrases_of(words: Sequence[str]) -> tuple[str, ...]:
    """Join words into one string for each sentence, as the voice expects them."""
    phrases: list[str] = []
    current: list[str] = []
    for word in words:
        current.append(word)
        if word[-1] in _SENTENCE_ENDS:
            phrases.append(" ".join(current))
            current = []
    if current:
        phrases.append(" ".join(current) + ".")
    return tuple(phrase for phrase in phrases if VOWELS & set(phrase))
