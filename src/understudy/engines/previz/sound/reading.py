"""Read a line: from its text and language to the phonemes that the one installed voice can say.

The voice is English. English is read by its own grapheme-to-phoneme model; languages whose spelling is regular are
read by the tables of ``spelling.toml``; everything else is murmured, one syllable for each character, so that rhythm,
length and mouth movement are still those of the line. Each reading says which of these it is.
"""

import functools
import importlib.resources
import re
import tomllib
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

_STRESS = "ˈ"
_VOWELS = frozenset("AIOQWYaeiouæɑɒɔəɛɜɪʊʌᵻ")
_PAUSES = {
    "、": ",", "，": ",", "。": ".", "．": ".", "！": "!", "？": "?", "…": "…", "；": ";", "：": ":",
    ",": ",", ".": ".", "!": "!", "?": "?", ";": ";", ":": ":", "—": "—", "·": ",", "؟": "?", "،": ",", "।": ".",
}  # fmt: skip
_MURMUR_PHRASE = 7
_KATAKANA_TO_HIRAGANA = {code: code - 0x60 for code in range(0x30A1, 0x30F7)}
_HANGUL_FIRST, _HANGUL_LAST = 0xAC00, 0xD7A3


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Spelling:
    """One language's table: sounds maps a spelling of one or more letters to phonemes; digits holds ten words."""

    name: str
    sounds: Mapping[str, str]
    digits: tuple[str, ...]
    word_stress: str
    weak_endings: str


@functools.cache
def _tables() -> dict[str, dict[str, dict[str, object]]]:
    text = importlib.resources.files(__package__).joinpath("spelling.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@functools.cache
def _spelling(script: str, language: str) -> Spelling | None:
    languages = _tables()["script"].get(script, {})
    table = languages.get(language)
    if not isinstance(table, dict):
        return None
    sounds = {key: value.replace("'", _STRESS) for key, value in table["sounds"].items()}
    return Spelling(
        name=table["name"],
        sounds=sounds,
        digits=tuple(table["digits"]),
        word_stress=table["word_stress"],
        weak_endings=table["weak_endings"],
    )


def _script_of(letter: str) -> str:
    code = ord(letter)
    if _HANGUL_FIRST <= code <= _HANGUL_LAST:
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
        if letter.isalpha() or letter == "々":
            script = _script_of(letter)
            counts[script] = counts.get(script, 0) + 1
    if not counts:
        return "digits" if any(letter.isdigit() for letter in text) else "none"
    if counts.get("kana") and counts["kana"] + counts.get("han", 0) >= counts.get("latin", 0):
        return "kana"
    return max(counts, key=lambda script: (counts[script], script))


def read_line(text: str, language: str, *, read_english: Callable[[str], list[str]]) -> Reading:
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
    if script in ("latin", "digits"):
        spelling = _spelling("latin", primary)
        if spelling is not None:
            return _spelled(text, spelling)
        phrases = tuple(phrase for phrase in read_english(_without_markup(text)) if _VOWELS & set(phrase))
        if phrases:
            manner = Manner.ENGLISH if primary == "en" else Manner.AS_IF_ENGLISH
            return Reading(manner=manner, phrases=phrases, language_name=name)
    elif script == "hangul":
        return _spelled(text, _korean())
    else:
        spelling = _spelling(script, {"kana": "ja", "cyrillic": "ru"}.get(script, primary))
        if spelling is not None:
            return _spelled(text.translate(_KATAKANA_TO_HIRAGANA), spelling)
    return _murmured(text, name)


def _without_markup(text: str) -> str:
    """Drop the characters that the English reader takes for inline pronunciation markup."""
    return re.sub(r"[\[\]<>{}|\\*_#^~`]", " ", text)


def _language_name(primary: str, script: str) -> str:
    by_script = {"kana": "ja", "hangul": "ko", "cyrillic": "ru"}.get(script, primary)
    if script == "han" and primary not in ("zh", "ja", "ko"):
        by_script = "zh"
    if script == "other" and primary == "en":
        return "this script"
    spelling = _spelling("latin", by_script)
    if spelling is not None:
        return spelling.name
    return "English" if by_script == "en" else str(_tables()["names"].get(by_script, by_script))


@functools.cache
def _korean() -> Spelling:
    table = _tables()["hangul"]
    return Spelling(
        name=str(table["name"]), sounds={}, digits=tuple(table["digits"]), word_stress="none", weak_endings=""
    )


def _hangul_sounds(letter: str) -> str:
    table = _tables()["hangul"]
    offset = ord(letter) - _HANGUL_FIRST
    initial, rest = divmod(offset, 21 * 28)
    vowel, final = divmod(rest, 28)
    return str(list(table["initials"])[initial] + list(table["vowels"])[vowel] + list(table["finals"])[final])


def _spelled(text: str, spelling: Spelling) -> Reading:
    spoken_digits = "".join(f" {spelling.digits[int(c)]} " if c.isdecimal() else c for c in text)
    words, is_mixed = [], False
    for token in re.findall(r"[^\W\d_]+(?:ー[^\W\d_]*)*|[^\w\s]", spoken_digits.casefold()):
        if token in _PAUSES:
            if words:
                words[-1] += _PAUSES[token]
            continue
        phonemes, murmured = _word_sounds(token, spelling)
        is_mixed = is_mixed or murmured
        if phonemes:
            words.append(phonemes)
    phrases = _phrases(words)
    manner = Manner.SPELLED if phrases else Manner.SILENT
    return Reading(manner=manner, phrases=phrases, language_name=spelling.name, is_mixed=is_mixed)


def _word_sounds(word: str, spelling: Spelling) -> tuple[str, bool]:
    """Spell one word out, the longest spelling first; give its phonemes and whether a letter was murmured."""
    longest = max((len(key) for key in spelling.sounds), default=1)
    result, position, murmured = "", 0, False
    while position < len(word):
        for length in range(min(longest, len(word) - position), 0, -1):
            sound = spelling.sounds.get(word[position : position + length])
            if sound is not None:
                break
        else:
            length, letter = 1, word[position]
            if _HANGUL_FIRST <= ord(letter) <= _HANGUL_LAST:
                sound = _hangul_sounds(letter)
            elif letter.isalpha():
                sound, murmured = _murmur_syllable(letter), True
            else:
                sound = ""
        result += sound
        position += length
    return _stressed(result, word, spelling), murmured


def _stressed(phonemes: str, word: str, spelling: Spelling) -> str:
    """Mark the stressed vowel where the spelling has not: the voice's prosody hangs on it."""
    if _STRESS in phonemes:
        return phonemes
    vowels = [index for index, phoneme in enumerate(phonemes) if phoneme in _VOWELS]
    if len(vowels) < 2 and spelling.word_stress != "none":
        # Words of one syllable are mostly small words, which carry no stress.
        return phonemes if len(word) <= 3 or not vowels else _insert(phonemes, vowels[-1])
    if not vowels:
        return phonemes
    if spelling.word_stress == "none":
        return _insert(phonemes, vowels[0])
    index = vowels[-2] if word[-1] in spelling.weak_endings else vowels[-1]
    return _insert(phonemes, index)


def _insert(phonemes: str, index: int) -> str:
    return phonemes[:index] + _STRESS + phonemes[index:]


def _murmur_syllable(letter: str) -> str:
    syllables = list(_tables()["murmur"]["syllables"])
    return str(syllables[ord(letter) % len(syllables)])


def _murmured(text: str, name: str) -> Reading:
    """Give every ideograph one syllable, and every two letters of any other script one."""
    words: list[str] = []
    pending = 0
    since_pause = 0
    for letter in text:
        if letter in _PAUSES:
            if words:
                words[-1] += _PAUSES[letter]
            pending = since_pause = 0
        elif letter.isspace():
            pending = 0
        elif letter.isalnum():
            is_ideograph = _script_of(letter) == "han"
            if is_ideograph or pending == 0:
                syllable = _murmur_syllable(letter)
                stressed = _insert(syllable, 1) if since_pause % 2 == 0 else syllable
                if since_pause and since_pause % _MURMUR_PHRASE == 0:
                    words[-1] += ","
                words.append(stressed)
                since_pause += 1
            pending = 0 if is_ideograph else (pending + 1) % 2
    phrases = _phrases(words)
    return Reading(manner=Manner.MURMURED if phrases else Manner.SILENT, phrases=phrases, language_name=name)


def _phrases(words: list[str]) -> tuple[str, ...]:
    """Join words into one string for each sentence, as the voice expects them."""
    phrases: list[str] = []
    current: list[str] = []
    for word in words:
        current.append(word)
        if word[-1] in ".!?…":
            phrases.append(" ".join(current))
            current = []
    if current:
        phrases.append(" ".join(current) + ".")
    return tuple(phrase for phrase in phrases if _VOWELS & set(phrase))
