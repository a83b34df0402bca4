"""Quotations of a prompt: which are spoken, in which language; and the prompt without them.

What stands between quotation marks never drives a picture: it is spoken, or it is a name or a sign.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from understudy.reading.lexicon import LANGUAGES, table
from understudy.reading.lexicon.inflect import fold

_MARKS = re.compile(
    r"“(?P<curly>[^“”]{1,600})”|「(?P<corner>[^「」]{1,600})」|『(?P<double>[^『』]{1,600})』|«(?P<angle>[^«»]{1,600})»"
    r"|„(?P<low>[^„“”]{1,600})[“”]|\"(?P<straight>[^\"\n]{1,600})\"|＂(?P<full>[^＂]{1,600})＂"
    r"|‘(?P<single>[^‘’]{1,600}(?:’\w[^‘’]{0,600}){0,9})’(?!\w)"
    r"|(?:^|(?<=[\n.!?]))\s{0,20}[—–]\s?(?P<dash>[^—–\n]{1,300}?)\s*[—–](?=\s?\w)"
    r"|(?<![\w'])'(?P<plain>(?=\S)(?:[^'\n]|(?<=\w)'(?=\w)){1,600})'(?!\w)"
)
_UNCLOSED = re.compile(r"[:：,，]\s*[\"“「『«](?P<text>[^\"“”「」『』«»]{1,600})$")
SENTENCE_ENDS = frozenset(".!?;。！？；…\n")
_SPACE_AROUND = 60
_CLOSED_WITH = re.compile(r"[\s,，;；.。]+$")

# Scripts that belong to one language, or whose commonest language stands for them.
_SCRIPT_LANGUAGES = (
    (re.compile(r"[\uAC00-\uD7AF\u1100-\u11FF]"), "ko"),
    (re.compile(r"[\u0400-\u04FF]"), "ru"),
    (re.compile(r"[\u0600-\u06FF]"), "ar"),
    (re.compile(r"[\u0900-\u097F]"), "hi"),
    (re.compile(r"[\u0E00-\u0E7F]"), "th"),
    (re.compile(r"[\u0370-\u03FF]"), "el"),
    (re.compile(r"[\u0590-\u05FF]"), "he"),
    (re.compile(r"[\u0980-\u09FF]"), "bn"),
    (re.compile(r"[\u0B80-\u0BFF]"), "ta"),
)
# So much of a text tells its language.
_TELLING_LETTERS = 2000
# Two languages that know as many words of a text: it is in the one of its surroundings.
_HOME_BONUS = 0.5
_KANA = re.compile(r"[\u3040-\u30FF]")
_HAN = re.compile(r"[\u3400-\u9FFF\uF900-\uFAFF]")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?(?:-[^\W\d_]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotation:
    """Text between quotation marks. start, end: where in the prompt, marks included. is_spoken: not a sign or name."""

    text: str
    start: int
    end: int
    is_spoken: bool


@cache
def _frequent_words() -> Mapping[str, frozenset[str]]:
    return {
        row.value: frozenset(fold(word) for word in (*row.extra.get("words", ()), *row.words.get(row.value, ())))
        for row in table("language")
    }


def language_of(text: str, *, fallback: str = "en", candidates: Sequence[str] = ()) -> str:
    """Return the BCP 47 tag of the text's language, by script and then by frequent small words.

    fallback: for Latin letters without any known word. candidates: Latin-script languages to choose from, all if empty.
    """
    if _KANA.search(text):
        return "ja"
    if _HAN.search(text):
        return "zh"
    for script, language in _SCRIPT_LANGUAGES:
        if script.search(text):
            return language
    words = [fold(word) for word in _WORD.findall(text[:_TELLING_LETTERS])]
    scores = {
        language: sum(word in known for word in words)
        for language, known in _frequent_words().items()
        if not candidates or language in candidates
    }
    if re.search(r"[¡¿ñ]", text) and "es" in scores:
        scores["es"] += 2
    if re.search(r"[ãõ]", text) and "pt" in scores:
        scores["pt"] += 2
    best = max(scores, key=lambda language: scores[language] + _HOME_BONUS * (language == fallback))
    return best if scores[best] else fallback


@cache
def _words_for(key: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Patterns of a row of the voice table: (words of Latin letters, words of scripts without spaces)."""
    (row,) = (row for row in table("voice") if row.value == key)
    words = [fold(word) for language in LANGUAGES for word in row.words.get(language, ())]
    spaced = [re.escape(word) for word in words if word.isascii()]
    dense = [re.escape(word) for word in words if not word.isascii()]
    return re.compile(r"\b(?:" + "|".join(spaced) + r")\b"), re.compile("|".join(dense) or r"(?!)")


def names(text: str, key: str) -> bool:
    """Whether the text has a word of this row of the voice table."""
    folded = fold(text)
    return any(pattern.search(folded) for pattern in _words_for(key))


def last_word_of(text: str, key: str) -> int:
    """Return where the last word of a row of the voice table ends, -1 for none."""
    folded = fold(text)
    return max((match.end() for pattern in _words_for(key) for match in pattern.finditer(folded)), default=-1)


def _is_spoken(prompt: str, *, start: int, end: int, group: str) -> bool:
    """Judge by the words around: the nearer of a word of speech and a word of writing wins.

    Without either, double quotation marks speak; single ones name something.
    """
    before = re.split(r"[.!?。！？\n]", prompt[max(0, start - _SPACE_AROUND) : start])[-1]
    after = re.split(r"[.!?。！？\n\"“「『«]", prompt[end : end + _SPACE_AROUND])[0]
    speech, writing = last_word_of(before, "speech"), last_word_of(before, "writing")
    if speech != writing:
        return speech > writing
    if names(after, "speech"):
        return True
    return group not in ("plain", "single") or before.rstrip().endswith((":", "："))


def quotations_of(prompt: str) -> tuple[Quotation, ...]:
    """Return the quotations in order; empty ones are left out. A last one may lack its closing mark."""
    found = []
    end = 0
    for match in _MARKS.finditer(prompt):
        group = match.lastgroup or "straight"
        end = match.end()
        if text := match[group].strip():
            spoken = _is_spoken(prompt, start=match.start(), end=end, group=group)
            found.append(Quotation(text=text, start=match.start(), end=end, is_spoken=spoken))
    if (rest := _UNCLOSED.search(prompt, end)) and (text := rest["text"].strip()):
        found.append(Quotation(text=text, start=rest.start("text") - 1, end=len(prompt), is_spoken=True))
    return tuple(found) or _after_colon(prompt)


def _after_colon(prompt: str) -> tuple[Quotation, ...]:
    """Speech without quotation marks: a word of speech, a colon, and the rest of the sentence."""
    for match in re.finditer(r"[:：]\s*(?P<text>[^\n.!?。！？]{1,600}[.!?。！？]*)", prompt):
        before = _CLOSED_WITH.sub("", prompt[max(0, match.start() - _SPACE_AROUND) : match.start()])
        last = fold(re.split(r"[.!?。！？\n]", before)[-1])
        if last_word_of(last, "speech") == len(last) and last and (text := match["text"].strip()):
            return (Quotation(text=text, start=match.start("text"), end=match.end("text"), is_spoken=True),)
    return ()


def without_quotations(prompt: str, quotations: Sequence[Quotation]) -> str:
    """Return the prompt with every quotation blanked, same length. Blanks do not join: a mark ends the phrase."""
    parts, place = [], 0
    for quotation in quotations:
        parts += [prompt[place : quotation.start], "\x00", " " * (quotation.end - quotation.start - 1)]
        place = quotation.end
    return "".join((*parts, prompt[place:]))


def speech_near(prompt: str, start: int, end: int) -> str:
    """Return the voice that the words of a quotation's sentence name: "male", "female", "child" or ""."""
    before = _sentence_end(prompt[max(0, start - 120) : start])
    after = prompt[end : end + 80]
    for mark in SENTENCE_ENDS:
        after = after.split(mark)[0]
    for text in (before, after):
        for voice in ("child", "female", "male"):
            if names(text, voice):
                return voice
    return ""


def _sentence_end(text: str) -> str:
    for mark in SENTENCE_ENDS:
        text = text.split(mark)[-1]
    return text
