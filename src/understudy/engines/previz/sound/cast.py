"""The cast: which voice says which line. Every synthesizer makes these voices in its own way."""

from collections.abc import Sequence
from dataclasses import dataclass

from understudy.engines.previz.plan import Line, Shot


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """A voice as every synthesizer can understand it.

    kind: "female", "male" or "child". number: from 0, so that two of a kind differ. pitch, formants: factors of those
    of the installed English voice, which is a woman's.
    """

    name: str
    kind: str
    number: int
    pitch: float
    formants: float


def _voice(name: str, kind: str, *, pitch: float, formants: float) -> Voice:
    return Voice(name=name, kind=kind, number=int(name[-1]) - 1, pitch=pitch, formants=formants)


_VOICES: dict[str, tuple[Voice, ...]] = {
    "female": (
        _voice("female 1", "female", pitch=1.0, formants=1.0),
        _voice("female 2", "female", pitch=0.88, formants=0.95),
        _voice("female 3", "female", pitch=1.12, formants=1.04),
        _voice("female 4", "female", pitch=0.94, formants=1.05),
    ),
    "male": (
        _voice("male 1", "male", pitch=0.56, formants=0.87),
        _voice("male 2", "male", pitch=0.49, formants=0.85),
        _voice("male 3", "male", pitch=0.62, formants=0.92),
        _voice("male 4", "male", pitch=0.52, formants=0.90),
    ),
    "child": (
        _voice("child 1", "child", pitch=1.25, formants=1.15),
        _voice("child 2", "child", pitch=1.18, formants=1.12),
        _voice("child 3", "child", pitch=1.34, formants=1.14),
    ),
    "off screen": (
        _voice("narrator 1", "female", pitch=0.92, formants=0.97),
        _voice("narrator 2", "male", pitch=0.60, formants=0.89),
    ),
    "": (
        _voice("figure 1", "female", pitch=1.06, formants=1.03),
        _voice("figure 2", "male", pitch=0.60, formants=0.88),
        _voice("figure 3", "female", pitch=0.90, formants=0.96),
        _voice("figure 4", "male", pitch=0.50, formants=0.85),
        _voice("figure 5", "child", pitch=1.22, formants=1.12),
    ),
}


def cast_voices(lines: Sequence[Line], shots: Sequence[Shot] = ()) -> tuple[Voice, ...]:
    """Give every line its voice: the same for the same speaker, different for different speakers.

    shots: where given, a speaker is known again by its word, whatever its place is in another shot.
    """
    chosen: dict[tuple[object, str], Voice] = {}
    used: dict[str, int] = {}
    result = []
    for line in lines:
        key = (_who(line, shots), line.voice)
        if key not in chosen:
            group = line.voice if line.voice in _VOICES else ""
            if not group and line.speaker is None:
                group = "off screen"
            number = used.get(group, 0)
            used[group] = number + 1
            chosen[key] = _VOICES[group][number % len(_VOICES[group])]
        result.append(chosen[key])
    return tuple(result)


def _who(line: Line, shots: Sequence[Shot]) -> object:
    """Name the speaker: by the word and the picture of it, so that two dogs of one shot are still two."""
    if line.speaker is None or line.shot >= len(shots) or line.speaker >= len(shots[line.shot].subjects):
        return line.speaker
    subjects = shots[line.shot].subjects
    names = [(subject.word.casefold(), subject.art, subject.images) for subject in subjects]
    name = names[line.speaker]
    return (*name, names[: line.speaker].count(name))
