"""Lay the lines out over the film: who speaks when, in which voice, how fast, and what did not fit."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from understudy.engines.previz.plan import FilmPlan
from understudy.engines.previz.sound.cast import Voice, cast_voices
from understudy.engines.previz.sound.signals import VOICE_RATE_HZ, Mono, Span, Stereo, faded, place, resampled
from understudy.engines.previz.sound.voices import Saying, saying_of
from understudy.engines.previz.speech_timing import ENVELOPE_RATE_HZ, Spoken

MAX_PACE = 1.35
_MIN_LEAD_S, _MIN_GAP_S, _MIN_TAIL_S = 0.15, 0.18, 0.2
_MAX_LEAD_S, _MAX_GAP_S = 1.1, 1.4
_SHORTEST_PIECE_S = 0.35
_FADE_OUT_S = 0.25
# The fastest readers say fewer characters a second than this: what lies beyond can never be heard, and is not read.
_LETTERS_PER_S, _IDEOGRAPHS_PER_S = 40, 14
_LEVEL_RMS = 0.1
_PAN_WIDTH = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialogue:
    """All speech of a film. stem: stereo, each line at the same level; notes: what a viewer should know of it."""

    stem: Stereo
    spoken: tuple[Spoken, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenVoice:
    """Speech that was given as audio. sound: ``(2, num_samples)`` at the film's rate, without silence around it.

    lines: indices of the plan's lines that it says, in order; none = words that the prompt does not quote.
    """

    sound: Stereo
    shot: int
    speaker: int | None = None
    lines: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """One line that can be voiced, or a given voice; only what is voiced here has a saying, and can be hastened."""

    line: int
    shot: int
    speaker: int | None
    duration_s: float
    audio: Mono | None = None
    saying: Saying | None = None
    voice: Voice | None = None
    given: Stereo | None = None


def speak_lines(plan: FilmPlan, span: Span, *, seed: int, voices: Sequence[GivenVoice] = ()) -> Dialogue:
    """Voice the plan's lines in order within the span. A line with nothing to say is left out, with a note.

    voices: given speech, which takes its turn among the lines and the place of those that it says.
    """
    if not plan.lines and not voices:
        return Dialogue(stem=span.silence(), spoken=(), notes=())
    read, notes = _read_all(plan, span, seed=seed, voices=voices)
    parts, starts_s, more = _laid_out(read, plan, span, seed=seed)
    stem, spoken = span.silence(), []
    for part, start_s in zip(parts, starts_s, strict=True):
        room = span.num_samples - span.index(start_s) - span.index(_MIN_TAIL_S / 2)
        if part.given is not None:
            audio = part.given
        else:
            assert part.audio is not None
            audio = resampled(part.audio, VOICE_RATE_HZ, to_hz=span.sample_rate_hz)
        if audio.shape[-1] > room:
            audio = faded(audio[..., :room], 0.0, _FADE_OUT_S, sample_rate_hz=span.sample_rate_hz)
            more.append(f"{_named(part)} does not fit into {span.duration_s:g} s and is faded out")
        if part.given is not None:
            at = span.index(start_s)
            stem[:, at : at + audio.shape[1]] += audio
        else:
            pan = _pan(part.speaker, len(plan.shots[part.shot].subjects))
            place(stem, audio, at=span.index(start_s), pan=pan)
        heard = audio if audio.ndim == 1 else audio.mean(axis=0)
        spoken.append(replace(_spoken(part.line, start_s, heard, span=span), shot=part.shot, speaker=part.speaker))
    return Dialogue(stem=stem, spoken=tuple(spoken), notes=(*notes, *more))


def _named(part: _Part) -> str:
    return f"line {part.line + 1}" if part.line >= 0 else "the given voice"


def _laid_out(
    read: Sequence[_Part], plan: FilmPlan, span: Span, *, seed: int
) -> tuple[list[_Part], list[float], list[str]]:
    """Fit the lines of each shot into that shot, never before it; the film may end a little before its plan does.

    What is too long for its shot even when it is hastened goes on into the next one, whose own lines then wait.
    """
    parts: list[_Part] = []
    starts_s: list[float] = []
    notes: list[str] = []
    free_from_s = 0.0
    for index, shot in enumerate(plan.shots):
        said = [part for part in read if part.shot == index]
        if not said:
            continue
        is_last = index == len(plan.shots) - 1
        start_s = max(shot.start_s, free_from_s)
        end_s = span.duration_s if is_last else min(shot.end_s, span.duration_s)
        heard, starts, told = _fitted(said, max(0.0, end_s - start_s), span.duration_s - start_s, seed=seed)
        notes += told
        for part, own_start_s in zip(heard, starts, strict=True):
            parts.append(part)
            starts_s.append(start_s + own_start_s)
            free_from_s = starts_s[-1] + part.duration_s
            if not is_last and free_from_s > end_s and end_s < span.duration_s:
                notes.append(f"{_named(part)} goes on into the next shot: its own is too short for it")
    return parts, starts_s, notes


def _read_all(plan: FilmPlan, span: Span, *, seed: int, voices: Sequence[GivenVoice]) -> tuple[list[_Part], list[str]]:
    parts = [
        _Part(
            line=min(voice.lines, default=-1),
            shot=voice.shot,
            speaker=voice.speaker,
            duration_s=voice.sound.shape[1] / span.sample_rate_hz,
            given=_at_common_level(voice.sound),
        )
        for voice in voices
    ]
    notes: list[str] = []
    said = {line for voice in voices for line in voice.lines}
    cast = cast_voices(plan.lines, plan.shots)
    for index, (line, voice) in enumerate(zip(plan.lines, cast, strict=True)):
        if index in said:
            continue
        text = _audible_part(line.text, span.duration_s)
        saying = saying_of(text, line.language)
        audio = _voiced(saying, voice, pace=1.0, seed=seed + index)
        if not audio.size:
            notes.append(f"line {index + 1} has no words to say")
            continue
        if len(text) < len(line.text.strip()):
            notes.append(f"line {index + 1} is longer than the film and is cut")
        if saying.note:
            notes.append(f"line {index + 1} ({line.language}) {saying.note}")
        parts.append(
            _Part(
                line=index,
                shot=line.shot,
                speaker=line.speaker,
                duration_s=audio.size / VOICE_RATE_HZ,
                audio=audio,
                saying=saying,
                voice=voice,
            )
        )
    return sorted(parts, key=lambda part: part.line), notes


def _audible_part(text: str, duration_s: float) -> str:
    """Cut a text where no reader could be when the film ends, at a space if there is one near."""
    text = text.strip()
    wide = sum(1 for letter in text[:2000] if ord(letter) >= 0x2E80)
    per_s = _IDEOGRAPHS_PER_S if 2 * wide > len(text[:2000]) else _LETTERS_PER_S
    limit = int(per_s * duration_s)
    if len(text) <= limit:
        return text
    space = text.rfind(" ", limit // 2, limit)
    return text[: space if space > 0 else limit]


def _voiced(saying: Saying, voice: Voice, *, pace: float, seed: int) -> Mono:
    """Say a line and bring it to the common level."""
    audio = saying.in_voice(voice, pace=pace, seed=seed)
    return _at_common_level(audio) if audio.size else audio


def _at_common_level(audio: Mono) -> Mono:
    """Bring speech, of one or two channels, to the level that all lines have."""
    loud = audio[np.abs(audio) > 0.05 * float(np.abs(audio).max(initial=0.0))]
    if not loud.size:
        return audio
    return audio * np.float32(_LEVEL_RMS / float(np.sqrt(np.mean(np.square(loud, dtype=np.float64)))))


def _pan(speaker: int | None, num_subjects: int) -> float:
    """Place a speaker a little left or right, as subjects stand side by side; a voice off screen is in the middle."""
    if speaker is None or num_subjects < 2:
        return 0.0
    return _PAN_WIDTH * (2.0 * min(speaker, num_subjects - 1) / (num_subjects - 1) - 1.0)


def _fitted(
    parts: list[_Part], shot_s: float, film_s: float, *, seed: int
) -> tuple[list[_Part], list[float], list[str]]:
    """Find the pace and the starts. Gives the parts that are heard, their starts, and notes.

    shot_s: how much of the shot is left; film_s: how much of the film.
    """
    notes: list[str] = []
    room_s = shot_s - _MIN_LEAD_S - _MIN_TAIL_S - _MIN_GAP_S * (len(parts) - 1)
    own_s = _length_s([part for part in parts if part.saying])
    room_for_own_s = room_s - (_length_s(parts) - own_s)
    pace = min(MAX_PACE, max(1.0, own_s / max(room_for_own_s, 0.1)))
    if pace > 1.0:
        numbers = [str(part.line + 1) for part in parts if part.saying]
        parts = [_hastened(part, pace, seed=seed) for part in parts]
        words = ("line", "is") if len(numbers) == 1 else ("lines", "are")
        told = f"{words[0]} {', '.join(numbers)} {words[1]} spoken {pace:.2f} times as fast to fit the film"
        notes.append(told)
    slack_s = max(0.0, room_s - _length_s(parts))
    lead_s = _MIN_LEAD_S + min(_MAX_LEAD_S, 0.3 * slack_s)
    gap_s = _MIN_GAP_S + min(_MAX_GAP_S, 0.45 * slack_s / max(1, len(parts) - 1))
    heard, starts_s, at_s = [], [], lead_s
    for part in parts:
        if at_s > film_s - _SHORTEST_PIECE_S:
            notes.append(f"{_named(part)} is not heard: the film ends before it")
            continue
        heard.append(part)
        starts_s.append(at_s)
        at_s += part.duration_s + gap_s
    return heard, starts_s, notes


def _length_s(parts: Sequence[_Part]) -> float:
    return sum(part.duration_s for part in parts)


def _hastened(part: _Part, pace: float, *, seed: int) -> _Part:
    if part.saying is None or part.voice is None:
        return part
    audio = _voiced(part.saying, part.voice, pace=pace, seed=seed + part.line)
    return replace(part, audio=audio, duration_s=audio.size / VOICE_RATE_HZ)


def _spoken(line: int, start_s: float, audio: Mono, *, span: Span) -> Spoken:
    """Measure how loud a line is, 24 times a second; 1 is its loud syllables."""
    step = span.sample_rate_hz / ENVELOPE_RATE_HZ
    count = max(1, int(np.ceil(audio.size / step)))
    edges = np.minimum((np.arange(count + 1) * step).astype(np.int64), audio.size)
    power = np.concatenate(([0.0], np.cumsum(np.square(audio, dtype=np.float64))))
    widths = np.maximum(edges[1:] - edges[:-1], 1)
    levels = np.sqrt(np.maximum((power[edges[1:]] - power[edges[:-1]]) / widths, 0.0))
    reference = float(np.quantile(levels, 0.95)) or 1.0
    values = tuple(round(float(value), 4) for value in np.clip(levels / reference, 0.0, 1.0))
    return Spoken(line=line, start_s=start_s, end_s=start_s + audio.size / span.sample_rate_hz, envelope=values)
