"""The sound of a previsualisation: from a film plan to finished samples.

`dialogue` voices the lines, `ambience` gives the place its air, `cues` what the prompt names, `music` a small score;
`mix` brings them together at a broadcast level. Everything is computed here, from the plan and a seed: there is no
library of recordings, and equal input gives equal bytes. Encoding is not done here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from understudy.engines.previz.plan import INDOORS, FilmPlan, Shot
from understudy.engines.previz.sound.ambience import ambience, is_loud
from understudy.engines.previz.sound.cues import Scene, motion_sounds, named_sounds
from understudy.engines.previz.sound.dialogue import speak_lines
from understudy.engines.previz.sound.loudness import integrated_lufs
from understudy.engines.previz.sound.mix import CALM_LUFS, EVENTFUL_LUFS, FOREGROUND_LUFS, mix
from understudy.engines.previz.sound.music import compose_music, wants_music
from understudy.engines.previz.sound.rooms import room_of, with_room
from understudy.engines.previz.sound.signals import Span, Stereo, db, faded
from understudy.engines.previz.sound.voices import load_voice
from understudy.engines.previz.speech_timing import Spoken, heard_in

_LOWEST_RATE_HZ = 8_000
_BED_BEHIND_FOREGROUND_LU = 14.0
_ROOM_BEHIND_FOREGROUND_LU = 20.0
_LOUD_BED_BEHIND_FOREGROUND_LU = 8.0
MUSIC_BEHIND_SPEECH_LU = 5.0
_CUT_FADE_S = 0.12


@dataclass(frozen=True, slots=True, kw_only=True)
class Soundtrack:
    """A finished sound track.

    samples: ``(num_samples, channels)`` float32 in [-1, 1]. spoken: when each voiced line sounds, for the pictures.
    notes: sentences about lines that are not said as written, for the task's warnings.
    """

    samples: npt.NDArray[np.float32]
    sample_rate_hz: int
    spoken: tuple[Spoken, ...]
    notes: tuple[str, ...] = ()


def warm() -> None:
    """Load the voice, so that the first film with speech does not pay for it."""
    load_voice()


def compose_sound(
    plan: FilmPlan, *, sample_rate_hz: int, channels: int, seed: int, num_samples: int | None = None
) -> Soundtrack:
    """Score a plan; the same bytes for the same arguments.

    sample_rate_hz: 8000 or more. channels: 1 or 2. seed: any integer; it moves every random detail.
    num_samples: exactly so many; None = as long as the plan, which is ``plan.duration_s * sample_rate_hz``.

    Raises: ValueError: another number of channels, a lower rate or an empty film.
    """
    if channels not in (1, 2):
        raise ValueError(f"channels is {channels}; this engine mixes 1 or 2")
    num_samples = plan.duration_s * sample_rate_hz if num_samples is None else num_samples
    if sample_rate_hz < _LOWEST_RATE_HZ or num_samples <= 0:
        raise ValueError(f"cannot score {num_samples} samples at {sample_rate_hz} Hz")
    span = Span(num_samples=num_samples, sample_rate_hz=sample_rate_hz)
    dialogue = speak_lines(plan, span, seed=seed)
    speech = _at_level(with_room(dialogue.stem, span, room_of(plan.main.setting)), span, FOREGROUND_LUFS)
    target_lufs = _target_lufs(plan, has_speech=bool(dialogue.spoken))
    bed = compose_bed(plan, span, spoken=dialogue.spoken, seed=seed)
    mixed = mix(bed, speech, span, spoken=dialogue.spoken, channels=channels, target_lufs=target_lufs)
    return Soundtrack(
        samples=np.ascontiguousarray(mixed.samples.T, dtype=np.float32),
        sample_rate_hz=sample_rate_hz,
        spoken=dialogue.spoken,
        notes=dialogue.notes,
    )


def compose_bed(plan: FilmPlan, span: Span, *, spoken: Sequence[Spoken], seed: int, has_music: bool = True) -> Stereo:
    """Sum everything but speech, at the levels it has before ducking; has_music: with music where the plan wants it."""
    bed = span.silence()
    last = len(plan.shots) - 1
    for index, shot in enumerate(plan.shots):
        start = span.index(shot.start_s)
        # What follows a cut begins a little before it, and what precedes it ends a little after.
        fade = span.index(_CUT_FADE_S) if index < last else 0
        end = span.num_samples if index == last else min(span.num_samples, span.index(shot.end_s) + fade)
        if end <= start:
            continue
        own = Span(num_samples=end - start, sample_rate_hz=span.sample_rate_hz)
        scene = Scene(shot=shot, span=own, spoken=heard_in(plan.shots, index, spoken), seed=seed + index)
        heard = _shot_bed(scene)
        fades_s = (_CUT_FADE_S if index else 0.0, _CUT_FADE_S if index < last else 0.0)
        bed[:, start:end] += faded(heard, *fades_s, sample_rate_hz=span.sample_rate_hz) if any(fades_s) else heard
    if has_music and wants_music(plan):
        behind = MUSIC_BEHIND_SPEECH_LU if spoken else 0.0
        bed += _at_level(compose_music(plan, span, seed=seed), span, FOREGROUND_LUFS - behind)
    return bed


def _shot_bed(scene: Scene) -> Stereo:
    shot, span = scene.shot, scene.span
    bed = _at_level(ambience(shot, span, seed=scene.seed), span, FOREGROUND_LUFS - _bed_behind_lu(shot))
    events = named_sounds(scene) + motion_sounds(scene)
    return bed + with_room(events, span, room_of(shot.setting))


def _bed_behind_lu(shot: Shot) -> float:
    """Choose how far the place lies behind what happens in it."""
    if shot.setting in INDOORS:
        return _ROOM_BEHIND_FOREGROUND_LU
    return _LOUD_BED_BEHIND_FOREGROUND_LU if is_loud(shot) else _BED_BEHIND_FOREGROUND_LU


def _target_lufs(plan: FilmPlan, *, has_speech: bool) -> float:
    """Choose the loudness of the film; the rule is told in `mix`."""
    if has_speech or wants_music(plan):
        return FOREGROUND_LUFS
    is_eventful = any(shot.sounds or is_loud(shot) for shot in plan.shots)
    return EVENTFUL_LUFS if is_eventful else CALM_LUFS


def _at_level(sound: Stereo, span: Span, level_lufs: float) -> Stereo:
    loudness = integrated_lufs(sound, span.sample_rate_hz)
    return sound * np.float32(db(level_lufs - loudness)) if np.isfinite(loudness) else sound


__all__ = ["MUSIC_BEHIND_SPEECH_LU", "Soundtrack", "compose_bed", "compose_sound", "warm"]
