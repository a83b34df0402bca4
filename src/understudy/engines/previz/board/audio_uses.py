"""What given audio is for, and where it is heard: a voice in its line's place, music under the film, sounds in turn.

The prompt says what each is for (`ReferenceUse`); where it says nothing, speech is somebody who speaks and everything
else is heard as it is, one after the other. A recording that is much longer than the line it is named for is a sample
of a voice: the line is then said by the installed voice that is nearest to it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from understudy.core.content import Modality
from understudy.engines.previz.plan import FilmPlan, Line, ReferenceUse
from understudy.engines.previz.sound.dialogue import GivenVoice
from understudy.engines.previz.sound.signals import Span, Stereo
from understudy.engines.previz.sound.speech_found import is_speech, speech_span, voice_kind
from understudy.media.decode_sound import Samples

_LETTERS_PER_S, _IDEOGRAPHS_PER_S = 14.0, 4.5
"""The pace of unhurried speech, in written signs."""

_LONGEST_SHARE, _LONGER_BY_S = 2.5, 2.0
"""A recording that is longer than its lines by both says something else too."""

_LEAST_SHARE = 0.5
_SEAM_S = 0.05
_JOINT_S = 0.01
_ENDS_S = 0.6

_MUSICAL = (ReferenceUse.MUSIC, ReferenceUse.RHYTHM)


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioUses:
    """Given audio, laid out over the film.

    voices: speech, which takes its turn among the lines. music, sounds: ``(2, num_samples)``, as they were given.
    plan: the film's, its lines cast by the voices that were given as samples. notes: what a viewer should know.
    """

    voices: tuple[GivenVoice, ...]
    music: Stereo
    sounds: Stereo
    plan: FilmPlan
    notes: tuple[str, ...]

    @property
    def has_bed(self) -> bool:
        """Whether anything besides voices was given."""
        return bool(np.any(self.music) or np.any(self.sounds))


def lay_out(given: Mapping[int, Samples], plan: FilmPlan, span: Span) -> AudioUses:
    """Lay given audio out over a film.

    given: number of the audio, from 1 -> ``(num_samples, 2)`` float32 at the span's rate.
    """
    uses = {one.number: one for one in reversed(plan.references) if one.modality is Modality.AUDIO}
    voices: list[GivenVoice] = []
    music, sounds = span.silence(), span.silence()
    lines, notes = list(plan.lines), []
    free: dict[int, int] = {}
    for number, samples in sorted(given.items()):
        named = uses.get(number)
        shot = min(named.shot, len(plan.shots) - 1) if named else 0
        starts_at = span.index(plan.shots[shot].start_s)
        is_voice = named is not None and named.use is ReferenceUse.VOICE
        if is_voice or (named is None and is_speech(samples.mean(axis=1), span.sample_rate_hz)):
            told = _voice(samples, _lines_of(number, plan.lines), plan, span=span)
            if told is None:
                kind = voice_kind(samples.mean(axis=1), span.sample_rate_hz)
                lines = [replace(line, voice=kind or line.voice) if line.audio == number else line for line in lines]
                notes.append(
                    f"audio {number} is a sample of a voice: its lines are said by the nearest installed voice"
                )
                continue
            voices.append(told if told.lines else replace(told, shot=shot, speaker=_first_speaker(plan, shot)))
        elif named is not None and named.use in _MUSICAL:
            _play_on(music, samples, starts_at=starts_at, span=span)
        else:
            free[shot] = _put(sounds, samples, at=free.get(shot, starts_at), span=span)
    cast = replace(plan, lines=tuple(lines))
    return AudioUses(voices=tuple(voices), music=music, sounds=sounds, plan=cast, notes=tuple(notes))


def _lines_of(number: int, lines: Sequence[Line]) -> list[int]:
    return [index for index, line in enumerate(lines) if line.audio == number]


def _voice(samples: Samples, mine: Sequence[int], plan: FilmPlan, *, span: Span) -> GivenVoice | None:
    """Find which of its lines a recording says; None if it is so long that it is no more than a sample of a voice."""
    mono = np.asarray(samples.mean(axis=1), np.float32)
    first, last = speech_span(mono, span.sample_rate_hz)
    sound = np.ascontiguousarray(samples[first:last].T)
    _fade_ends(sound, round(_JOINT_S * span.sample_rate_hz))
    length_s = sound.shape[1] / span.sample_rate_hz
    if not mine:
        return GivenVoice(sound=sound, shot=0)
    needed_s = [_length_s(plan.lines[index].text) for index in mine]
    if length_s > sum(needed_s) * _LONGEST_SHARE and length_s > sum(needed_s) + _LONGER_BY_S:
        return None
    # As many lines as it is long enough for; the first is always one of them.
    said = [
        index for place, index in enumerate(mine) if not place or sum(needed_s[: place + 1]) * _LEAST_SHARE <= length_s
    ]
    line = plan.lines[mine[0]]
    return GivenVoice(sound=sound, shot=line.shot, speaker=line.speaker, lines=tuple(said))


def _length_s(text: str) -> float:
    wide = sum(1 for letter in text if ord(letter) >= 0x2E80)
    return wide / _IDEOGRAPHS_PER_S + (len(text) - wide) / _LETTERS_PER_S


def _first_speaker(plan: FilmPlan, shot: int) -> int | None:
    """Whoever the shot is about says what was given without a line."""
    return 0 if plan.shots[shot].subjects else None


def _play_on(stem: Stereo, samples: Samples, *, starts_at: int, span: Span) -> None:
    """Play music from a moment to the end of the film, again and again if it is short, and let it go softly."""
    room = stem.shape[1] - starts_at
    seam = min(round(_SEAM_S * span.sample_rate_hz), samples.shape[0] // 4)
    if room <= 0 or samples.shape[0] <= 2 * seam:
        return
    rising = np.sin(np.linspace(0, np.pi / 2, seam, endpoint=False, dtype=np.float32))
    at = 0
    part = samples.T.copy()
    part[:, part.shape[1] - seam :] *= rising[::-1]
    while at < room:
        count = min(part.shape[1], room - at)
        again = part[:, :count].copy()
        if at:
            again[:, :seam] *= rising[: min(seam, count)]
        stem[:, starts_at + at : starts_at + at + count] += again
        at += part.shape[1] - seam
    fade = min(room, round(_ENDS_S * span.sample_rate_hz))
    stem[:, stem.shape[1] - fade :] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)


def _put(stem: Stereo, samples: Samples, *, at: int, span: Span) -> int:
    """Put a sound into the stem, as far as it reaches, without clicks at its ends; return where it ends."""
    part = samples[: max(0, stem.shape[1] - at)].T.copy()
    _fade_ends(part, round(_JOINT_S * span.sample_rate_hz))
    stem[:, at : at + part.shape[1]] += part
    return at + int(part.shape[1])


def _fade_ends(part: Stereo, num_samples: int) -> None:
    fade = min(part.shape[1] // 2, num_samples)
    ramp = np.linspace(0.0, 1.0, fade, endpoint=False, dtype=np.float32)
    part[:, :fade] *= ramp
    part[:, part.shape[1] - fade :] *= ramp[::-1]
