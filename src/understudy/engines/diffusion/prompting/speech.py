"""What is said and what is read in a film: quotations in the form of a model, and who says each of them."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from understudy.core.content import Modality
from understudy.engines.diffusion.prompting.rewriting import Change
from understudy.reading.lexicon import table
from understudy.reading.phrases import Piece
from understudy.reading.quotations import SENTENCE_ENDS, language_of, names, without_quotations
from understudy.reading.references import Naming, is_mark
from understudy.reading.script import Script

QUOTE_MARK = "\x00"
_MUTE = ("vehicle", "boat", "aircraft", "floater")
"""Sorts that act as the living do, but whose words are somebody else's."""
_BESIDE = 24
_OFF_SCREEN = "voice off screen"
_ENDING = re.compile(r"-\w+|们|たち|達")
"""What belongs to a noun and makes it many."""
LANGUAGE_NAMES: Mapping[str, str] = {
    "ar": "Arabic", "bn": "Bengali", "de": "German", "el": "Greek", "en": "English", "es": "Spanish", "fr": "French",
    "he": "Hebrew", "hi": "Hindi", "id": "Indonesian", "it": "Italian", "ja": "Japanese", "ko": "Korean",
    "pt": "Portuguese", "ru": "Russian", "ta": "Tamil", "th": "Thai", "zh": "Chinese",
}  # fmt: skip
"""Every language that `language_of` knows, as English calls it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One spoken line. place: its index among the quotations. language: English name.

    speaker: whose line it is, from 1, the same for all lines of one voice. at: where the words that name the speaker
    end, so that a label can stand there; -1 = nobody is named. is_off_screen: a voice, and nobody who is seen.
    """

    place: int
    language: str
    speaker: int
    at: int = -1
    is_off_screen: bool = False


def said_in(taken: Script) -> tuple[Said, ...]:
    """Return the spoken lines in order, with who says them as far as the words of their sentence tell."""
    around = language_of(without_quotations(taken.prompt, taken.quotations))
    fallback = around if around not in ("zh", "ja") else "en"
    voices: dict[str, int] = {}
    found: list[Said] = []
    last, last_at = "", -1
    for place in taken.spoken():
        quotation = taken.quotations[place]
        key, at = _speaker(taken, quotation.start, last, passed=last_at)
        last, last_at = key or last, max(at, last_at)
        found.append(
            Said(
                place=place,
                language=LANGUAGE_NAMES.get(_language(quotation.text, fallback), "English"),
                speaker=voices.setdefault(key or f"line {place}", len(voices) + 1),
                at=at,
                is_off_screen=key == _OFF_SCREEN,
            )
        )
    return tuple(found)


def _language(text: str, around: str) -> str:
    """The language of a line. Of two that share most of their small words it is in that of the prompt around it."""
    found = language_of(text, fallback=around)
    return around if {found, around} == _COUSINS else found


_COUSINS = {"es", "pt"}

_SPEECH_TAG = re.compile(r"</?d>")


def quoted(taken: Script, said: Sequence[Said]) -> list[Change]:
    """Return each quotation as MiniMax-H3 wants it: speech in its own tag, what is read in straight marks.

    Source: MiniMaxAI/MiniMax-H3, docs/VIDEO_PROMPT_WRITING_GUIDE_base_en.md.
    """
    spoken = {one.place: one for one in said}
    changes = []
    labelled: set[int] = set()
    for place, quotation in enumerate(taken.quotations):
        line = spoken.get(place)
        if line is None:
            is_read = taken.kinds[place] is not None
            changes += [Change(quotation.start, quotation.end, f'"{quotation.text}"')] if is_read else []
            continue
        label = f"(S{line.speaker})"
        is_placed = line.at >= 0
        if is_placed and line.at not in labelled:
            changes.append(Change(line.at, line.at, f" {label}"))
            labelled.add(line.at)
        # A tag of the form within the line would end it early.
        words = f"<d>[{line.language}] {_SPEECH_TAG.sub('', quotation.text)}</d>"
        if line.is_off_screen:
            words = f"{label} says in an off-screen voiceover: {words}"
        elif not is_placed:
            words = f"{label} {words}"
        changes.append(Change(quotation.start, quotation.end, words))
    return changes


def _speaker(taken: Script, start: int, last: str, *, passed: int) -> tuple[str, int]:
    """Who says a quotation, as a key, and where the words for it end; ("", -1) for nobody.

    In the sentence before it, whoever is named first since the last quotation; else whoever is named right after it.
    passed: where the words for the last speaker end; he may have been named after his line.
    """
    before = _sentence_before(taken, start)
    people = [piece for piece in before if _names_somebody(piece)] or [
        piece for piece in before if _is_picture(taken, piece)
    ]
    people = [piece for piece in people if _labelled_at(taken, piece) > passed] or people
    if people:
        return _key(people[0], last), _labelled_at(taken, people[0])
    if any(names(piece.text, "offscreen") for piece in before):
        return _OFF_SCREEN, -1
    for piece in taken.pieces[bisect_right(taken.pieces, start, key=_start_of) :]:
        if piece.text == QUOTE_MARK or piece.text in SENTENCE_ENDS or piece.text == "\n":
            break
        if _names_somebody(piece):
            beside = taken.prompt[_end_of(taken, start) : piece.end + _BESIDE]
            return (_key(piece, last), _labelled_at(taken, piece)) if names(beside, "speech") else ("", -1)
    return "", -1


def _end_of(taken: Script, start: int) -> int:
    """Where the quotation that begins at a place ends."""
    return next((quotation.end for quotation in taken.quotations if quotation.start == start), start)


def _sentence_before(taken: Script, start: int) -> list[Piece]:
    """The pieces of the same sentence before a place, in order, back to the last quotation."""
    found: list[Piece] = []
    for place in range(bisect_left(taken.pieces, start, key=_start_of) - 1, -1, -1):
        piece = taken.pieces[place]
        if piece.text == QUOTE_MARK or piece.text in SENTENCE_ENDS:
            break
        found.append(piece)
    return found[::-1]


def _names_somebody(piece: Piece) -> bool:
    if piece.means("role", "pronoun"):
        return True
    if "thin" in piece.meanings.get("role", ()):
        return False
    return any(map(_is_living, piece.meanings.get("art", ())))


def _is_picture(taken: Script, piece: Piece) -> bool:
    """Whether it is an image that somebody is known by: "image 1 says ..."."""
    naming = _naming_at(taken, piece)
    return naming is not None and naming.modality is Modality.IMAGE and naming.is_of_scene


def _start_of(piece: Piece) -> int:
    return piece.start


def _naming_at(taken: Script, piece: Piece) -> Naming | None:
    return next((one for one in taken.namings if one.start == piece.start), None) if is_mark(piece.text) else None


def _labelled_at(taken: Script, piece: Piece) -> int:
    naming = _naming_at(taken, piece)
    if naming is not None:
        return naming.end
    ending = _ENDING.match(taken.prompt, piece.end)
    return ending.end() if ending else piece.end


def _key(piece: Piece, last: str) -> str:
    if piece.means("role", "pronoun") and last:
        return last
    return next(iter(piece.meanings.get("art", (piece.text.casefold(),))))


@cache
def _is_living(art_id: str) -> bool:
    """Whether the first sort of things that has it is one that may speak."""
    for row in table("kind"):
        members = row.extra.get("members", ())
        if any(art_id == one or (one.endswith("*") and art_id.startswith(one[:-1])) for one in members):
            return "living" in row.extra and row.value not in _MUTE
    return False
