"""A small score by rule: a key, chords, a melody, and four soft instruments, for a film whose prompt asks for music.

The rules are the plain ones of a harmony book: chords of the scale, voices that move to the nearest note, a melody that
takes chord notes on the beat and steps between them, and the tonic at the end. The tempo bends a little so that the
last beat falls where the film ends.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from understudy.engines.previz.plan import FilmPlan, SoundCue
from understudy.engines.previz.sound import things
from understudy.engines.previz.sound.rooms import HALL, with_room
from understudy.engines.previz.sound.signals import (
    Curve,
    Mono,
    Partial,
    Span,
    Stereo,
    faded,
    filtered,
    place,
    random_for,
    ring,
    unit,
)

_MAJOR, _MINOR, _LYDIAN, _PHRYGIAN = (
    (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 4, 6, 7, 9, 11), (0, 1, 3, 5, 7, 8, 10)
)  # fmt: skip
_BEATS_PER_CHORD = 2
_CONCERT_A_HZ, _CONCERT_A_KEY = 440.0, 69
_FINAL_FADE_S = 0.7
_OVERLAP = 1.35


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How a mood sounds. chords: degrees of the scale, 0 = tonic. The four gains weigh the instruments."""

    scale: tuple[int, ...]
    chords: tuple[int, ...]
    beats_per_minute: float
    pad: float = 0.8
    pluck: float = 0.5
    melody: float = 0.7
    percussion: float = 0.0
    octave: int = 0


_STYLES: Mapping[str, Style] = {
    "calm": Style(scale=_MAJOR, chords=(0, 4, 5, 3), beats_per_minute=68.0, pad=1.0, pluck=0.45, melody=0.6),
    "joyful": Style(
        scale=_MAJOR, chords=(0, 3, 4, 3), beats_per_minute=116.0, pad=0.5, pluck=0.9, melody=0.9, percussion=0.5
    ),
    "sad": Style(scale=_MINOR, chords=(0, 5, 2, 6), beats_per_minute=62.0, pad=1.0, pluck=0.35, melody=0.7),
    "tense": Style(
        scale=_PHRYGIAN, chords=(0, 1, 0, 3), beats_per_minute=88.0, pad=1.0, pluck=0.3, melody=0.25,
        percussion=0.4, octave=-1,
    ),
    "epic": Style(
        scale=_MINOR, chords=(0, 5, 2, 6), beats_per_minute=96.0, pad=1.1, pluck=0.6, melody=0.7, percussion=0.9,
        octave=-1,
    ),
    "dreamy": Style(scale=_LYDIAN, chords=(0, 1, 0, 4), beats_per_minute=70.0, pad=1.1, pluck=0.6, melody=0.5),
    "": Style(scale=_MAJOR, chords=(0, 5, 3, 4), beats_per_minute=92.0, pad=0.8, pluck=0.7, melody=0.7, percussion=0.2),
}  # fmt: skip
_MOODS: Mapping[str, str] = {
    word: style
    for style, words in {
        "calm": "calm peaceful serene relaxed relaxing gentle quiet tranquil cozy warm tender healing soft",
        "joyful": "joyful happy cheerful playful funny fun festive lively energetic cute upbeat bright excited comic",
        "sad": "sad melancholy melancholic lonely nostalgic sorrowful bittersweet gloomy",
        "tense": "tense suspense suspenseful scary ominous dark eerie horror creepy mysterious mystery thrilling",
        "epic": "epic heroic dramatic grand majestic powerful intense triumphant action cinematic",
        "dreamy": "dreamy magical ethereal romantic whimsical surreal fantasy hopeful wonder futuristic",
    }.items()
    for word in words.split()
}


def wants_music(plan: FilmPlan) -> bool:
    """Say whether the plan asks for music: by name, by drums, or by a mood."""
    return bool({SoundCue.MUSIC, SoundCue.DRUMS} & sounds_of(plan)) or bool(mood_of(plan))


def sounds_of(plan: FilmPlan) -> set[SoundCue]:
    """Return what is to be heard in any shot."""
    return {cue for shot in plan.shots for cue in shot.sounds}


def mood_of(plan: FilmPlan) -> str:
    """Return the film's mood, the first that a shot has: a score goes on over cuts."""
    return next((shot.mood for shot in plan.shots if shot.mood), "")


def compose_music(plan: FilmPlan, span: Span, *, seed: int) -> Stereo:
    """Write and play the score, of unit power; silence where no music is asked for."""
    total = span.silence()
    if not wants_music(plan):
        return total
    rng = random_for(seed, "music")
    style = _STYLES[_MOODS.get(mood_of(plan).lower(), "")]
    num_beats = max(
        2 * _BEATS_PER_CHORD,
        round(span.duration_s * style.beats_per_minute / 60.0 / _BEATS_PER_CHORD) * _BEATS_PER_CHORD,
    )
    beat_s = span.duration_s / num_beats
    root = int(rng.integers(45, 53))
    with_tune = SoundCue.MUSIC in sounds_of(plan) or bool(mood_of(plan))
    if with_tune:
        chords = _progression(style, num_beats // _BEATS_PER_CHORD)
        total += np.float32(style.pad) * _pads(span, chords, style=style, root=root, beat_s=beat_s)
        total += np.float32(style.pluck) * _arpeggio(span, chords, style=style, root=root, beat_s=beat_s)
        total += np.float32(style.melody) * _melody(span, chords, rng=rng, style=style, root=root, beat_s=beat_s)
        total = filtered(total, span.sample_rate_hz, response=_balance)
    if SoundCue.DRUMS in sounds_of(plan):
        total += np.float32(1.0) * _drums(span, rng, beat_s=beat_s)
    elif style.percussion:
        total += np.float32(0.4 * style.percussion) * _light_percussion(span, rng, beat_s=beat_s)
    total = with_room(total, span, HALL)
    return unit(faded(total, 0.02, min(_FINAL_FADE_S, span.duration_s / 4), sample_rate_hz=span.sample_rate_hz))


def _balance(frequency_hz: Curve) -> Curve:
    """Turn the deep notes down, by up to 7 dB, and the overtones up, by up to 8 dB.

    Without it the ground of the strings is more than half of the power, and less than a thousandth lies above 2 kHz,
    where small loudspeakers play a tune.
    """
    octaves = np.log2(np.maximum(frequency_hz, 1.0))
    return np.asarray(10 ** (np.interp(octaves, np.log2([55.0, 150.0, 600.0, 5000.0]), [-7.0, -1.0, 0.0, 8.0]) / 20))


def _progression(style: Style, num_chords: int) -> list[int]:
    """Repeat the chords over the film and come home: the dominant, or what the mode has for it, then the tonic."""
    degrees = [style.chords[index % len(style.chords)] for index in range(num_chords)]
    if num_chords >= 2:
        degrees[-2] = 4 if style.scale is _MAJOR else style.chords[-1]
        degrees[-1] = 0
    return degrees


def _key(style: Style, root: int, degree: int) -> int:
    octave, step = divmod(degree, len(style.scale))
    return root + 12 * octave + style.scale[step]


def _frequency_hz(key: float) -> float:
    return float(_CONCERT_A_HZ * 2.0 ** ((key - _CONCERT_A_KEY) / 12.0))


def _triads(style: Style, degrees: Sequence[int], root: int) -> list[tuple[int, ...]]:
    """Voice each chord so that its notes lie nearest to those of the chord before."""
    previous = tuple(_key(style, root + 12, degree) for degree in (0, 2, 4))
    result = []
    for degree in degrees:
        notes = []
        for voice, step in zip(previous, (0, 2, 4), strict=True):
            base = _key(style, root, degree + step)
            notes.append(min((base + 12 * octave for octave in (-1, 0, 1, 2)), key=lambda key: (abs(key - voice), key)))
        previous = tuple(sorted(notes))
        result.append(previous)
    return result


def _pads(span: Span, degrees: Sequence[int], *, style: Style, root: int, beat_s: float) -> Stereo:
    """Hold each chord on soft strings, two a voice and a little apart, over a bass note."""
    bus = span.silence()
    chord_s = beat_s * _BEATS_PER_CHORD
    for index, (degree, notes) in enumerate(zip(degrees, _triads(style, degrees, root), strict=True)):
        start = span.index(index * chord_s)
        bass = _key(style, root - 12, degree)
        place(bus, _string(bass, chord_s * _OVERLAP, num_harmonics=4, rate_hz=span.sample_rate_hz), at=start, gain=1.1)
        for number, note in enumerate(notes):
            for detune, pan in ((-0.04, -0.5), (0.04, 0.5)):
                tone = _string(
                    note + 12 * style.octave + detune, chord_s * _OVERLAP, num_harmonics=7, rate_hz=span.sample_rate_hz
                )
                place(bus, tone, at=start, gain=0.42, pan=pan * (0.6 + 0.2 * number))
    return bus


def _string(key: float, length_s: float, *, num_harmonics: int, rate_hz: int) -> Mono:
    pitch_hz = _frequency_hz(key)
    # Rise and fall overlap those of the next chord, so that the strings never breathe between two chords.
    fade_s = length_s * (1.0 - 1.0 / _OVERLAP)
    partials = [
        Partial(frequency_hz=pitch_hz * n, gain=n**-1.7 * (1 if n % 2 else 0.75), decay_s=60.0 / n)
        for n in range(1, num_harmonics + 1)
    ]
    return faded(ring(partials, length_s, sample_rate_hz=rate_hz), fade_s, fade_s, sample_rate_hz=rate_hz)


def _plucked(key: float, length_s: float, *, rate_hz: int, brightness: float = 1.0) -> Mono:
    """A plucked string: high partials start strong and go first; stiffness pulls them a little sharp."""
    pitch_hz = _frequency_hz(key)
    partials = [
        Partial(
            frequency_hz=pitch_hz * n * (1 + 0.00012 * n * n),
            gain=brightness ** (n - 1) * abs(np.sin(np.pi * n * 0.19)) / n,
            decay_s=2.2 / (1 + 0.35 * n),
        )
        for n in range(1, 13)
    ]
    return faded(ring(partials, length_s, sample_rate_hz=rate_hz), 0.002, length_s * 0.4, sample_rate_hz=rate_hz)


def _arpeggio(span: Span, degrees: Sequence[int], *, style: Style, root: int, beat_s: float) -> Stereo:
    """Walk up and down each chord in half beats; the last chord is only struck."""
    bus = span.silence()
    pattern = (0, 1, 2, 1)
    cache: dict[int, Mono] = {}
    for index, notes in enumerate(_triads(style, degrees, root)):
        is_last = index == len(degrees) - 1
        for step in range(1 if is_last else 2 * _BEATS_PER_CHORD):
            keys = notes if is_last else (notes[pattern[step % len(pattern)]],)
            for key in keys:
                tone = cache.setdefault(key, _plucked(key + 12, 1.1, rate_hz=span.sample_rate_hz, brightness=0.85))
                at_s = (index * _BEATS_PER_CHORD + step / 2) * beat_s
                place(bus, tone, at=span.index(at_s), gain=0.9 if step % 2 == 0 else 0.65, pan=0.25 * (key % 3 - 1))
    return bus


def _melody(
    span: Span, degrees: Sequence[int], *, rng: np.random.Generator, style: Style, root: int, beat_s: float
) -> Stereo:
    """Sing above the chords: chord notes on the beat, neighbours off it, a rest now and then, home at the end."""
    bus = span.silence()
    cache: dict[int, Mono] = {}
    position = 7 + int(rng.choice([0, 2, 4]))
    for index, degree in enumerate(degrees):
        is_last = index == len(degrees) - 1
        for step in range(1 if is_last else 2 * _BEATS_PER_CHORD):
            on_beat = step % 2 == 0
            if is_last:
                position = 7
            elif on_beat:
                chord = [degree + shift + 7 * octave for shift in (0, 2, 4) for octave in (0, 1, 2)]
                near = sorted(
                    (note for note in chord if 5 <= note <= 14), key=lambda note: (abs(note - position), note)
                )
                position = near[int(rng.integers(0, min(3, len(near))))]
            elif rng.uniform() < 0.55:
                continue
            else:
                position = int(np.clip(position + rng.choice([-1, 1]), 5, 14))
            if on_beat and not is_last and step and rng.uniform() < 0.3:
                continue
            key = _key(style, root + 12, position)
            tone = cache.setdefault(key, _celesta(key, rate_hz=span.sample_rate_hz))
            at_s = (index * _BEATS_PER_CHORD + step / 2) * beat_s
            place(bus, tone, at=span.index(at_s), gain=0.75 + 0.25 * float(on_beat), pan=0.1)
    return bus


def _celesta(key: int, *, rate_hz: int) -> Mono:
    pitch_hz = _frequency_hz(key)
    partials = [
        Partial(frequency_hz=pitch_hz, gain=1.0, decay_s=1.8),
        Partial(frequency_hz=pitch_hz * 2.0, gain=0.22, decay_s=1.2),
        Partial(frequency_hz=pitch_hz * 4.0, gain=0.16, decay_s=0.5),
        Partial(frequency_hz=pitch_hz * 9.2, gain=0.05, decay_s=0.12),
    ]
    return faded(ring(partials, 1.4, sample_rate_hz=rate_hz), 0.003, 0.5, sample_rate_hz=rate_hz)


def _drums(span: Span, rng: np.random.Generator, *, beat_s: float) -> Stereo:
    """Play a kit in four: kick, snare, hats in half beats, and a fill on the toms before the end."""
    bus = span.silence()
    rate_hz = span.sample_rate_hz
    kick, snare, hat = things.kick(rate_hz), things.snare(rate_hz, rng), things.hat(rate_hz, rng)
    toms = [things.tom(rate_hz, pitch_hz=pitch_hz) for pitch_hz in (185.0, 140.0, 105.0)]
    num_steps = round(span.duration_s / beat_s * 2)
    for step in range(num_steps):
        at = span.index(step * beat_s / 2)
        if num_steps - 5 <= step < num_steps - 1:
            number = min(2, (step - (num_steps - 5)) * 3 // 4)
            place(bus, toms[number], at=at, gain=0.9, pan=0.4 - 0.4 * number)
            continue
        place(bus, hat, at=at, gain=0.7 if step % 2 == 0 else 0.45, pan=0.35)
        if step % 4 == 0 or (step % 8 == 5 and rng.uniform() < 0.7) or step == num_steps - 1:
            place(bus, kick, at=at, gain=1.0)
        if step % 4 == 2:
            place(bus, snare, at=at, gain=0.85, pan=-0.1)
    return bus


def _light_percussion(span: Span, rng: np.random.Generator, *, beat_s: float) -> Stereo:
    """Keep time softly: a shaker in half beats and a low drum every second beat."""
    bus = span.silence()
    rate_hz = span.sample_rate_hz
    shaker, low = things.hat(rate_hz, rng), things.tom(rate_hz, pitch_hz=82.0)
    for step in range(round(span.duration_s / beat_s * 2) - 2):
        at = span.index(step * beat_s / 2)
        place(bus, shaker, at=at, gain=0.5 if step % 2 else 0.9, pan=-0.35)
        if step % 4 == 0:
            place(bus, low, at=at, gain=1.2)
    return bus
