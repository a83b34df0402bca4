"""Changes of a text by place, so that what is not changed stays letter by letter."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_SPACES = re.compile(r"[ \t]{2,}")
_LOOSE_ENDS = re.compile(r"^[\s,，、;；:：\]】)）]+|[\s,，、;；:：\[【(（]+$")
"""A bracket that opens at the end, or closes at the beginning, was one around something that was taken out."""
_DOUBLED = re.compile(r"([,，、;；])\s*(?:[,，、;；]\s*)+")
_ENDS = frozenset('.!?。！？…"”」』')
_SPEECH_END = "</d>"
_BEFORE_END = re.compile(r"\s*[,，、]\s*([.。!！?？])")


@dataclass(frozen=True, slots=True)
class Change:
    """What stands from start to end becomes text; start == end puts text in."""

    start: int
    end: int
    text: str


def rewritten(text: str, changes: Iterable[Change], span: tuple[int, int]) -> str:
    """Return the span of a text with the changes that begin in it; of two that overlap the wider one holds."""
    start, stop = span
    parts, place = [], start
    inside = [change for change in changes if start <= change.start and change.end <= stop]
    for change in sorted(inside, key=lambda change: (change.start, -change.end)):
        if change.start < place:
            continue
        parts += [text[place : change.start], change.text]
        place = change.end
    return "".join((*parts, text[place:stop]))


def tidy(text: str) -> str:
    """Take away the marks and blanks that are left over where something was taken out; words stay."""
    plain = _SPACES.sub(" ", _DOUBLED.sub(r"\1 ", text))
    plain = _BEFORE_END.sub(r"\1", plain)
    plain = re.sub(r"\s*\n\s*", "\n", plain)
    return _LOOSE_ENDS.sub("", plain).strip()


def sentence(text: str) -> str:
    """Return the text with an end: what follows begins anew."""
    plain = text.strip()
    if not plain or plain[-1] in _ENDS or plain.endswith(_SPEECH_END):
        return plain
    return f"{plain}。" if plain[-1] > "\u2fff" else f"{plain}."


def joined(parts: Sequence[str]) -> str:
    """Put sentences one after the other, without those that are empty."""
    return " ".join(sentence(part) for part in parts if part.strip())
