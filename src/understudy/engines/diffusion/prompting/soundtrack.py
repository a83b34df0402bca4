"""What a prompt says is heard: the clauses that are about sound or music alone, and what it rules out.

A clause that shows something too stays where it is: what it shows would be lost, and its sound belongs to it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from understudy.reading.meanings import SoundCue
from understudy.reading.negations import negated_pieces
from understudy.reading.phrases import Piece
from understudy.reading.script import Script
from understudy.reading.spotting import level, spots

_CLAUSE_ENDS = re.compile(r"[.!?。！？;；\n]+|(?<!\d)[,，、]|[,，、](?!\d)")
_SEEN = ("camera", "camera_verb", "framing", "action", "style", "time", "colour")
_THINGS = ("art", "setting", "weather", "particles")
_LABEL = re.compile(r"^[\s\[【(（*#\-–—•]*[\w\s&/]{1,24}?[\]】)）*]*\s*[:：]")
_OF = re.compile(r"^\s*(?:of|de|del|da|do|das|dos|dari)\b")
_MUSIC = frozenset({SoundCue.MUSIC, SoundCue.DRUMS})
_LETTERS_MAX = 300


@dataclass(frozen=True, slots=True)
class Heard:
    """A clause about sound. start, end: where in the prompt. is_music: music, else anything else that is heard."""

    start: int
    end: int
    is_music: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Soundtrack:
    """clauses: in order. no_music: the prompt rules it out. names_more: other clauses name sounds as well."""

    clauses: tuple[Heard, ...] = ()
    no_music: bool = False
    names_more: bool = False


def soundtrack_of(taken: Script) -> Soundtrack:
    """Find what is said of sound alone."""
    negated = negated_pieces(taken.pieces)
    ruled_out = [piece for index, piece in enumerate(taken.pieces) if index in negated]
    clauses: list[Heard] = []
    names_more = False
    for start, end in _clauses(taken.text):
        pieces = [piece for piece in taken.pieces if start <= piece.start < end]
        sounds = [piece for piece in pieces if "sound" in piece.meanings and piece not in ruled_out]
        text = taken.text[start:end]
        is_plain = "\x00" not in text and not any("\ue000" <= letter <= "\uf8ff" for letter in text)
        is_ruled_out = any(piece in ruled_out for piece in pieces)
        if is_plain and not is_ruled_out and _is_heard_alone(text, pieces):
            clauses.append(Heard(start, end, _is_music(text, sounds)))
        elif sounds:
            names_more = True
    return Soundtrack(
        clauses=tuple(clauses),
        no_music=any(_MUSIC & set(piece.meanings.get("sound", ())) for piece in ruled_out),
        names_more=names_more,
    )


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
    return label is not None and bool(_words_of_sound(label[0]))


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
    return is_named and not shown and (not things or is_of)


def _shows(piece: Piece, tables: Sequence[str]) -> bool:
    return any(name in piece.meanings for name in tables) and "thin" not in piece.meanings.get("role", ())


def _is_music(text: str, sounds: Sequence[Piece]) -> bool:
    if any(_MUSIC & set(piece.meanings["sound"]) for piece in sounds):
        return True
    return not sounds and "music" in _words_of_sound(text)
