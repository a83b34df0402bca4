"""Read a line: from its text and language to the phonemes that the one installed voice can say.

The voice is English. English is read by its own grapheme-to-phoneme model; languages with a table in `spelling` by
that table, with an English accent; everything else is murmured, one syllable for every two letters, so that rhythm,
length and mouth movement are still those of the line. Each reading says which of these it is.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from understudy.engines.previz.sound.spelling import (
    PAUSES,
    VOWELS,
    EnglishReader,
    murmur_syllable,
    phrases_of,
    spell,
    spelling_of,
    stressed_at,
    tables,
)

_MURMUR_PHRASE = 7
_KATAKANA_TO_HIRAGANA = {code: code - 0x60 for code in range(0x30A1, 0x30F7)}


class Manner(StrEnum):
    """How a line is read."""

    ENGLISH = "english"
    AS_IF_ENGLISH = "as_if_english"
    SPELLED = "spelled"
    MURMURED = "murmured"
    SILENT = "silent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the voice is to say.

    phrases: phoneme strings, one for each breath. language_name: in English, for notes. is_mixed: a table read the
    line, but some of its letters had to be murmured.
    """

    manner: Manner
    phrases: tuple[str, ...]
    language_name: str
    is_mixed: bool = False


def read_line(text: str, language: str, *, read_english: EnglishReader) -> Reading:
    """Turn a line into phonemes.

    language: BCP 47 tag; where the letters contradict it, the letters decide. read_english: the voice's own reader,
    which gives one phoneme string for each sentence.
    """
    text = unicodedata.normalize("NFKC", text).strip()
    primary = language.split("-")[0].lower() or "en"
    script = _main_script(text)
    name = _language_name(primary, script)
    if script == "none":
        return Reading(manner=Manner.SILENT, phrases=(), language_name=name)
    spelling = spelling_of(script, primary)
    if spelling is not None:
        spelled = spell(text.translate(_KATAKANA_TO_HIRAGANA), spelling, read_english=read_english)
        manner = Manner.SPELLED if spelled.phrases else Manner.SILENT
        return Reading(manner=manner, phrases=spelled.phrases, language_name=spelling.name, is_mixed=spelled.unread > 0)
    if script == "latin":
        phrases = tuple(phrase for phrase in read_english(_without_markup(text)) if VOWELS & set(phrase))
        if phrases:
            manner = Manner.ENGLISH if primary == "en" else Manner.AS_IF_ENGLISH
            return Reading(manner=manner, phrases=phrases, language_name=name)
    return _murmured(text, name)


_SCRIPT_LANGUAGES = {
    "hangul": ("ko",),
    "kana": ("ja",),
    "han": ("zh", "ja", "yue"),
    "cyrillic": ("ru", "uk", "bg", "sr", "mk", "be", "kk"),
}
_WITHOUT_LATIN = frozenset(
    ("zh", "yue", "ja", "ko", "ru", "uk", "bg", "mk", "be", "kk", "ar", "fa", "ur", "he", "hi", "mr", "bn", "ta", "th")
)


def language_of_line(text: str, language: str) -> str:
    """Tell the BCP 47 primary tag of the language a line is to be said in; "" where it has no words, or none is known.

    Letters that contradict the given language decide: Chinese characters in an "English" line are Chinese.
    """
    text = unicodedata.normalize("NFKC", text).strip()
    primary = language.split("-")[0].lower() or "en"
    script = _main_script(text)
    if script in ("none", "other"):
        return primary if script == "other" and primary != "en" else ""
    if script == "latin":
        has_letters = any(letter.isalpha() for letter in text)
        return "en" if has_letters and primary in _WITHOUT_LATIN else primary
    possible = _SCRIPT_LANGUAGES[script]
    return primary if primary in possible else possible[0]


def language_name(primary: str) -> str:
    """Name a language in English, for notes; the tag itself where no name is known."""
    return str(tables()["names"].get(primary) or tables()["script"]["latin"].get(primary, {}).get("name", primary))


def _script_of(letter: str) -> str:
    code = ord(letter)
    if 0xAC00 <= code <= 0xD7A3:
        return "hangul"
    if 0x3040 <= code <= 0x30FF:
        return "kana"
    if 0x3400 <= code <= 0x9FFF or 0x20000 <= code <= 0x3FFFF or code == 0x3005:
        return "han"
    if 0x0400 <= code <= 0x052F:
        return "cyrillic"
    return "latin" if "LATIN" in unicodedata.name(letter, "") else "other"


def _main_script(text: str) -> str:
    """Name the script of most letters; kana anywhere makes a line Japanese, whose words are half Chinese letters."""
    counts: dict[str, int] = {}
    for letter in text:
        if letter.isalpha():
            script = _script_of(letter)
            counts[script] = counts.get(script, 0) + 1
    if not counts:
        # Figures alone are read as in Latin text.
        return "latin" if any(letter.isdigit() for letter in text) else "none"
    if counts.get("kana") and counts["kana"] + counts.get("han", 0) >= counts.get("latin", 0):
        return "kana"
    return max(counts, key=lambda script: (counts[script], script))


def _without_markup(text: str) -> str:
    """Drop the characters that the English reader takes for inline pronunciation markup."""
    return re.sub(r"[\[\]<>{}|\\*_#^~`]", " ", text)


def _language_name(primary: str, script: str) -> str:
    if script == "other" and primary == "en":
        return "fitting"
    return "English" if primary == "en" else str(tables()["names"].get(primary, primary))


def _murmured(text: str, name: str) -> Reading:
    """Give every two letters one syllable without meaning, and keep the pauses."""
    words: list[str] = []
    in_word = in_phrase = 0
    for letter in text:
        if letter in PAUSES:
            if words:
                words[-1] += PAUSES[letter]
            in_word = in_phrase = 0
        elif letter.isspace():
            in_word = 0
        elif letter.isalnum():
            if in_word % 2 == 0:
                if in_phrase and in_phrase % _MURMUR_PHRASE == 0:
                    words[-1] += ","
                syllable = murmur_syllable(letter)
                words.append(stressed_at(syllable, 1) if in_phrase % 2 == 0 else syllable)
                in_phrase += 1
            in_word += 1
    phrases = phrases_of(words)
    return Reading(manner=Manner.MURMURED if phrases else Manner.SILENT, phrases=phrases, language_name=name)
