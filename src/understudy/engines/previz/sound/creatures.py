"""Living things: birds, gulls, insects, an owl, farm animals, dog, cat, a hushed crowd.

Single calls are mono with a peak of about 1; textures that fill a span are stereo of about unit power.
"""

from collections.abc import Sequence

import numpy as np

from understudy.engines.previz.sound.signals import (
    Mono,
    Span,
    Stereo,
    band,
    faded,
    filtered,
    glide,
    noise,
    path,
    place,
    slow_curve,
    unit,
)

_THROAT = [1.0, 0.8, 0.65, 0.55, 0.45, 0.4, 0.33, 0.28, 0.24, 0.2, 0.17, 0.15, 0.13, 0.11, 0.1, 0.09]


def _peaked(sound: Mono) -> Mono:
    return sound / np.float32(max(1e-9, float(np.abs(sound).max(initial=0.0))))


def _vowel(sound: Mono, rate_hz: int, *, formants_hz: Sequence[float]) -> Mono:
    """Colour a buzz by a throat: the sum of one resonance for each formant, each softer than the one below."""
    total = np.zeros_like(sound)
    for number, centre_hz in enumerate(formants_hz):
        response = band(centre_hz * 0.88, centre_hz * 1.14, order=2)
        total += np.float32(0.75**number) * filtered(sound, rate_hz, response=response)
    return total


def bird_phrase(rate_hz: int, rng: np.random.Generator) -> Mono:
    """One phrase of a small bird: a few syllables that slide, or a trill."""
    base_hz = float(rng.uniform(2400.0, 4800.0))
    pieces: list[Mono] = []
    if rng.uniform() < 0.3:
        syllables = [(base_hz * 1.15, base_hz * 0.9, 0.045)] * int(rng.integers(6, 12))
    else:
        syllables = [
            (base_hz * rng.uniform(0.85, 1.3), base_hz * rng.uniform(0.8, 1.35), float(rng.uniform(0.06, 0.16)))
            for _ in range(int(rng.integers(2, 6)))
        ]
    for start_hz, stop_hz, length_s in syllables:
        middle_hz = (start_hz + stop_hz) / 2 * 1.08
        sweep = path([(0.0, start_hz), (0.5, middle_hz), (1.0, stop_hz)], length_s, sample_rate_hz=rate_hz)
        tone = glide(sweep, [1.0, 0.12], sample_rate_hz=rate_hz)
        pieces.append(faded(tone, length_s * 0.3, length_s * 0.5, sample_rate_hz=rate_hz))
        pieces.append(np.zeros(round(rng.uniform(0.015, 0.05) * rate_hz), np.float32))
    return np.concatenate(pieces)


def birds(span: Span, rng: np.random.Generator, *, per_s: float) -> Stereo:
    """Several birds that answer each other, near and far; at least one sings in the first second."""
    bus = span.silence()
    singers = [(float(rng.uniform(-0.9, 0.9)), float(rng.uniform(0.25, 1.0))) for _ in range(4)]
    songs = [bird_phrase(span.sample_rate_hz, rng) for _ in singers]
    at_s = float(rng.uniform(0.05, 0.6))
    while at_s < span.duration_s:
        number = int(rng.integers(0, len(singers)))
        pan, nearness = singers[number]
        place(bus, songs[number], at=span.index(at_s), gain=nearness, pan=pan)
        at_s += float(rng.exponential(1.0 / per_s)) + 0.15
    return unit(bus)


def gulls(span: Span, rng: np.random.Generator, *, per_s: float) -> Stereo:
    """Gulls: cries in series that fall in pitch, hoarse and far above the water."""
    rate_hz = span.sample_rate_hz
    bus = span.silence()
    at_s = float(rng.uniform(0.1, 0.7))
    while at_s < span.duration_s:
        top_hz, pan = float(rng.uniform(1050.0, 1500.0)), float(rng.uniform(-0.8, 0.8))
        nearness = float(rng.uniform(0.4, 1.0))
        moment_s = at_s
        for number in range(int(rng.integers(2, 5))):
            length_s = float(rng.uniform(0.22, 0.42))
            points = [(0.0, top_hz * 0.72), (0.18, top_hz), (0.55, top_hz * 0.86), (1.0, top_hz * 0.62)]
            sweep = path(points, length_s, sample_rate_hz=rate_hz) * (0.97**number)
            sweep = sweep * (1 + 0.02 * np.sin(2 * np.pi * 38 * np.arange(sweep.size) / rate_hz))
            cry = glide(sweep, [0.7, 1.0, 0.8, 0.4, 0.25, 0.12], sample_rate_hz=rate_hz)
            place(bus, faded(cry, 0.03, 0.12, sample_rate_hz=rate_hz), at=span.index(moment_s), gain=nearness, pan=pan)
            moment_s += length_s + float(rng.uniform(0.05, 0.14))
        at_s = moment_s + float(rng.exponential(1.0 / per_s))
    return unit(bus)


def crickets(span: Span, rng: np.random.Generator) -> Stereo:
    """Crickets: pulsed tones in short chirps, several animals side by side, over a far shimmer."""
    times = span.times_s()
    total = span.silence()
    for _ in range(5):
        carrier_hz, pulses_hz = float(rng.uniform(4100.0, 4900.0)), float(rng.uniform(26.0, 34.0))
        chirps_hz, phase = float(rng.uniform(1.5, 2.4)), float(rng.uniform(0.0, 1.0))
        chirp = np.clip(2.2 * np.sin(2 * np.pi * (chirps_hz * times + phase)) - 0.6, 0.0, 1.0)
        pulse = np.clip(np.sin(2 * np.pi * pulses_hz * times), 0.0, 1.0)
        tone = (np.sin(2 * np.pi * carrier_hz * times) * chirp * pulse).astype(np.float32)
        place(total, tone, at=0, gain=float(rng.uniform(0.3, 1.0)), pan=float(rng.uniform(-0.9, 0.9)))
    shimmer = noise(span, rng, response=band(5200.0, 6800.0, order=3))
    shimmer *= (0.6 + 0.4 * np.sin(2 * np.pi * 47.0 * times)).astype(np.float32)
    return unit(unit(total) + np.float32(0.25) * shimmer)


def owl(span: Span, rng: np.random.Generator) -> Stereo:
    """One owl: a long hoot, then two short ones."""
    rate_hz = span.sample_rate_hz
    bus = span.silence()
    at_s = float(rng.uniform(0.15, 0.45)) * span.duration_s
    for offset_s, length_s in ((0.0, 0.55), (0.85, 0.22), (1.15, 0.5)):
        sweep = path([(0.0, 335.0), (0.3, 372.0), (1.0, 348.0)], length_s, sample_rate_hz=rate_hz)
        hoot = faded(
            glide(sweep, [1.0, 0.18, 0.05], sample_rate_hz=rate_hz), 0.07, length_s * 0.5, sample_rate_hz=rate_hz
        )
        place(bus, hoot, at=span.index(at_s + offset_s), pan=0.45)
    return unit(bus)


def bees(span: Span, rng: np.random.Generator) -> Stereo:
    """A bee that wanders by: a buzz whose pitch and place drift."""
    drift = slow_curve(span, rng, rate_hz=1.2, low=185.0, high=235.0).astype(np.float64)
    buzz = glide(drift, _THROAT, sample_rate_hz=span.sample_rate_hz) * slow_curve(span, rng, rate_hz=0.5) ** 2
    side = slow_curve(span, rng, rate_hz=0.5, low=0.1, high=1.4)
    return unit(np.stack([buzz * np.cos(side), buzz * np.sin(side)]).astype(np.float32))


def rooster(span: Span) -> Mono:
    """A cock crows: four syllables, the third the highest, the last long and falling."""
    rate_hz = span.sample_rate_hz
    pieces: list[Mono] = []
    for start_hz, stop_hz, length_s in ((520, 640, 0.16), (620, 700, 0.13), (760, 900, 0.3), (880, 470, 0.75)):
        sweep = path([(0.0, start_hz), (0.4, stop_hz * 1.04), (1.0, stop_hz)], length_s, sample_rate_hz=rate_hz)
        cry = _vowel(glide(sweep, _THROAT, sample_rate_hz=rate_hz), rate_hz, formants_hz=(1100, 1900, 3000))
        pieces += [faded(cry, 0.03, 0.08, sample_rate_hz=rate_hz), np.zeros(round(0.04 * rate_hz), np.float32)]
    return _peaked(np.concatenate(pieces))


def cow(span: Span) -> Mono:
    """A cow lows: a long low tone that swells and closes."""
    rate_hz = span.sample_rate_hz
    sweep = path([(0.0, 118.0), (0.35, 156.0), (0.75, 148.0), (1.0, 112.0)], 1.5, sample_rate_hz=rate_hz)
    buzz = glide(sweep, [0.9**number for number in range(24)], sample_rate_hz=rate_hz)
    return _peaked(faded(_vowel(buzz, rate_hz, formants_hz=(330, 760, 2100)), 0.25, 0.4, sample_rate_hz=rate_hz))


def bark(rate_hz: int, rng: np.random.Generator) -> Mono:
    """Two or three barks: a hard start, an open mouth, a quick close."""
    pieces: list[Mono] = []
    pitch_hz = float(rng.uniform(330.0, 460.0))
    for _ in range(int(rng.integers(2, 4))):
        length_s = float(rng.uniform(0.13, 0.18))
        points = [(0.0, pitch_hz * 0.8), (0.25, pitch_hz * 1.35), (1.0, pitch_hz * 0.6)]
        voice = glide(path(points, length_s, sample_rate_hz=rate_hz), _THROAT, sample_rate_hz=rate_hz)
        short = Span(num_samples=voice.size, sample_rate_hz=rate_hz)
        rough = noise(short, rng, response=band(400.0, 4000.0, order=1), spread=0.0)[0]
        sound = _vowel(voice + np.float32(0.9) * rough, rate_hz, formants_hz=(620, 1250, 2500))
        pieces += [
            faded(sound, 0.006, length_s * 0.6, sample_rate_hz=rate_hz),
            np.zeros(round(rng.uniform(0.14, 0.26) * rate_hz), np.float32),
        ]
    return _peaked(np.concatenate(pieces))


def meow(rate_hz: int, rng: np.random.Generator) -> Mono:
    """One meow: the mouth closed, open, rounded, over a pitch that rises and falls."""
    length_s = float(rng.uniform(0.65, 0.85))
    pitch_hz = float(rng.uniform(560.0, 680.0))
    points = [(0.0, pitch_hz * 0.78), (0.3, pitch_hz * 1.18), (0.6, pitch_hz * 1.1), (1.0, pitch_hz * 0.72)]
    voice = glide(path(points, length_s, sample_rate_hz=rate_hz), _THROAT, sample_rate_hz=rate_hz)
    position = np.linspace(0.0, 1.0, voice.size)
    total = np.zeros_like(voice)
    for centre, formants_hz in ((0.08, (420, 2600)), (0.45, (1150, 2000, 3300)), (0.9, (620, 1050))):
        weight = np.clip(1.0 - np.abs(position - centre) / 0.42, 0.0, 1.0).astype(np.float32)
        total += weight * _vowel(voice, rate_hz, formants_hz=formants_hz)
    return _peaked(faded(total, 0.06, 0.2, sample_rate_hz=rate_hz))


def crowd(span: Span, rng: np.random.Generator) -> Stereo:
    """A hushed crowd: many voices, each a band of noise with the rhythm of syllables, none to be understood."""
    total = span.silence()
    for _ in range(9):
        low_hz = float(rng.uniform(220.0, 500.0))
        voice = noise(span, rng, response=band(low_hz, low_hz * 3.2), spread=0.0)[0]
        syllables = slow_curve(span, rng, rate_hz=float(rng.uniform(4.0, 6.5))) ** 2
        phrases = slow_curve(span, rng, rate_hz=0.7)
        place(total, voice * syllables * phrases, at=0, pan=float(rng.uniform(-0.9, 0.9)))
    return unit(total)
