"""What a prompt says is heard: the clauses that are about sound or music alone.

A clause that shows something too stays where it is: what it shows would be lost, and its sound belongs to it.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from understudy.reading.meanings import SoundCue
from understudy.reading.negations import negated_pieces
from understudy.reading.phrases import Piece
from understudy.reading.quotations import SENTENCE_ENDS
from understudy.reading.script import Script
from understudy.reading.spotting import level, spots

_CLAUSE_ENDS = re.compile(r"[.!?。！？;；\n]+|(?<!\d)[,，、]|[,，、](?!\d)")
_SEEN = ("camera", "camera_verb", "framing", "action", "style", "time", "colour")
_THINGS = ("art", "setting", "weather", "particles")
_LABEL = re.compile(r"^[\s\[【(（*#\-–—•]*[\w\s&/]{1,24}?[\]】)）*]*\s*[:：]")
_OF = re.compile(r"^\s*(?:of|de|del|da|do|das|dos|dari)\b")
_MUSIC = frozenset({SoundCue.MUSIC, SoundCue.DRUMS})
_LETTERS_MAX = 300
_BRIEF_WORDS = 3


@dataclass(frozen=True, slots=True)
class Heard:
    """A clause about sound. start, end: where in the prompt. is_music: music, else anything else that is heard."""

    start: int
    end: int
    is_music: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Soundtrack:
    """clauses: in order. names_more: other clauses name sounds as well."""

    clauses: tuple[Heard, ...] = ()
    names_more: bool = False


def soundtrack_of(taken: Script) -> Soundtrack:
    """Find what is said of sound alone."""
    negated = negated_pieces(taken.pieces)
    starts = [piece.start for piece in taken.pieces]
    clauses: list[Heard] = []
    names_more = False
    for start, end in _clauses(_with_ends(taken)):
        places = range(bisect_left(starts, start), bisect_left(starts, end))
        pieces = [taken.pieces[place] for place in places]
        sounds = [
            taken.pieces[place] for place in places if "sound" in taken.pieces[place].meanings and place not in negated
        ]
        text = taken.text[start:end]
        is_plain = "\x00" not in text and not any("\ue000" <= letter <= "\uf8ff" for letter in text)
        is_ruled_out = not negated.isdisjoint(places)
        is_meant = not is_ruled_out or _is_labelled(text)
        if is_plain and is_meant and _is_heard_alone(text, pieces):
            clauses.append(Heard(start, end, _is_music(text, sounds)))
        elif sounds:
            names_more = True
    return Soundtrack(clauses=tuple(clauses), names_more=names_more)


def _with_ends(taken: Script) -> str:
    """The text, with a line end where a quotation ends its sentence."""
    letters = list(taken.text)
    for quotation in taken.quotations:
        if quotation.text[-1] in SENTENCE_ENDS and quotation.end - quotation.start > 1:
            letters[quotation.end - 1] = "\n"
    return "".join(letters)


def _clauses(text: str) -> Iterator[tuple[int, int]]:
    """The spans between marks; a label such as "Sound:" takes what follows up to the end of its sentence."""
    start = 0
    for cut in [*_CLAUSE_ENDS.finditer(text), None]:
        end = len(text) if cut is None else cut.start()
        is_open = cut is not None and cut[0] in ",，、" and _is_labelled(text[start:end])
        if is_open:
            continue
        if text[start:end].strip():
            yield start, end
        start = end if cut is None else cut.end()


def _is_labelled(text: str) -> bool:
    label = _LABEL.match(text)
    if label is None:
        return False
    return bool(_words_of_sound(label[0])) or any(spot.value == "audio" for spot in spots(level(label[0]), "medium"))


def _words_of_sound(text: str) -> Sequence[str]:
    leveled = level(text)
    return [spot.value for spot in spots(leveled, "use") if spot.value in ("music", "sound")]


def _is_heard_alone(text: str, pieces: Sequence[Piece]) -> bool:
    """Whether a clause names a sound and shows nothing: "soft piano music", "sound of rain", "BGM: jazz"."""
    if len(text) > _LETTERS_MAX:
        return False
    if _is_labelled(text):
        return True
    leveled = level(text)
    heads = [spot for spot in spots(leveled, "use") if spot.value in ("music", "sound")]
    is_named = bool(heads) or any("sound" in piece.meanings for piece in pieces)
    shown = [piece for piece in pieces if "sound" not in piece.meanings and _shows(piece, _SEEN)]
    things = [piece for piece in pieces if "sound" not in piece.meanings and _shows(piece, _THINGS)]
    # "The sound of distant trains": what is named after it is heard.
    is_of = any(_OF.match(leveled[spot.end :]) for spot in heads)
    return is_named and not shown and (not things or is_of or _is_brief(pieces))


def _is_brief(pieces: Sequence[Piece]) -> bool:
    """Whether the things named are what sounds, "crowd applause": a few words without anybody who does something."""
    said = [piece for piece in pieces if piece.sort != "mark"]
    is_sentence = any("action" in piece.meanings or piece.means("role", "determiner") for piece in said)
    return len(said) <= _BRIEF_WORDS and "sound" in said[-1].meanings and not is_sentence


def _shows(piece: Piece, tables: Sequence[str]) -> bool:
    return any(name in piece.meanings for name in tables) and "thin" not in piece.meanings.get("role", ())


def _is_music(text: str, sounds: Sequence[Piece]) -> bool:
    if any(_MUSIC & set(piece.meanings["sound"]) for piece in sounds):
        return True
    return not sounds and "music" in _words_of_sound(text)
