"""Things that sound: thunder, bells, motors, footsteps, fire, applause, clocks, keyboards, masts, horns, drums.

Single events are mono with a peak of about 1; textures that fill a span are stereo of about unit power.
"""

from enum import StrEnum

import numpy as np

from understudy.engines.previz.sound.signals import (
    Mono,
    Partial,
    Span,
    Stereo,
    band,
    faded,
    glide,
    noise,
    path,
    place,
    ring,
    slow_curve,
    tilted,
    unit,
)
from understudy.engines.previz.sound.water import scatter

_NUM_KERNELS = 16


class Surface(StrEnum):
    """What feet fall on."""

    SOFT = "soft"
    HARD = "hard"
    SNOW = "snow"
    SAND = "sand"


def _peaked(sound: Mono) -> Mono:
    return sound / np.float32(max(1e-9, float(np.abs(sound).max(initial=0.0))))


def _burst(rate_hz: int, rng: np.random.Generator, *, low_hz: float, high_hz: float, length_s: float) -> Mono:
    """A burst of band noise that dies away over its length."""
    short = Span(num_samples=max(2, round(length_s * rate_hz)), sample_rate_hz=rate_hz)
    sound = noise(short, rng, response=band(low_hz, high_hz), spread=0.0)[0]
    return np.asarray(sound * np.exp(-5.0 * np.linspace(0.0, 1.0, sound.size)).astype(np.float32))


def thunder(rate_hz: int, rng: np.random.Generator, *, is_near: bool) -> Mono:
    """A clap and its rolling: near thunder cracks first, far thunder only rolls."""
    length_s = float(rng.uniform(2.6, 3.6))
    span = Span(num_samples=round(length_s * rate_hz), sample_rate_hz=rate_hz)
    times = span.times_s()
    rolling = noise(span, rng, response=tilted(24.0, 150.0, tilt_db=-2.0), spread=0.0)[0]
    lumps = slow_curve(span, rng, rate_hz=3.5, low=0.15, high=1.0) ** 1.5
    total = rolling * lumps * (np.minimum(times / 0.12, 1.0) * np.exp(-times / 1.0)).astype(np.float32)
    grumble = noise(span, rng, response=band(120.0, 600.0, order=1), spread=0.0)[0] * lumps
    total += np.float32(0.3) * grumble * np.exp(-times / 0.6).astype(np.float32)
    if is_near:
        crack = noise(span, rng, response=tilted(300.0, 6000.0, tilt_db=-2.5), spread=0.0)[0]
        level = np.exp(-times / 0.07) + 0.5 * np.exp(-np.abs(times - 0.16) / 0.05)
        total += np.float32(0.8) * crack * level.astype(np.float32)
    return _peaked(faded(total, 0.004, length_s * 0.4, sample_rate_hz=rate_hz))


def bell(rate_hz: int, *, strike_hz: float) -> Mono:
    """A church bell: hum, prime, tierce, quint, nominal and above, each with its own decay."""
    table = ((0.5, 0.5, 5.0), (1.0, 0.8, 4.0), (1.19, 0.7, 3.2), (1.5, 0.35, 2.6), (2.0, 1.0, 2.4), (2.52, 0.4, 1.5),
             (3.01, 0.35, 1.2), (4.17, 0.25, 0.8), (5.43, 0.2, 0.5), (6.8, 0.12, 0.35))  # fmt: skip
    partials = [Partial(frequency_hz=strike_hz * ratio, gain=gain, decay_s=2 * decay) for ratio, gain, decay in table]
    return _peaked(faded(ring(partials, 4.0, sample_rate_hz=rate_hz), 0.002, 1.5, sample_rate_hz=rate_hz))


def engine(span: Span, rng: np.random.Generator, *, is_driving: bool) -> Stereo:
    """A motor: idling it trembles low, driving it revs up and shifts a gear on the way."""
    if is_driving:
        points = [(0.0, 52.0), (0.3, 98.0), (0.36, 72.0), (0.75, 112.0), (1.0, 108.0)]
    else:
        points = [(0.0, 33.0), (0.5, 34.5), (1.0, 33.0)]
    wobble = slow_curve(span, rng, rate_hz=7.0, low=0.985, high=1.015).astype(np.float64)
    firing_hz = path(points, span.duration_s, sample_rate_hz=span.sample_rate_hz)[: span.num_samples] * wobble
    gains = [0.5, 1.0, 0.45, 0.8, 0.3, 0.5, 0.2, 0.35, 0.15, 0.22, 0.1, 0.12]
    motor = glide(firing_hz / 2, gains, sample_rate_hz=span.sample_rate_hz)
    pulse = (0.5 + 0.5 * np.sin(2 * np.pi * np.cumsum(firing_hz) / span.sample_rate_hz)).astype(np.float32)
    breath = noise(span, rng, response=tilted(150.0, 3500.0, tilt_db=-3.0)) * (np.float32(0.3) + pulse)
    return unit(motor[None, :] + np.float32(0.45) * breath)


def footstep(rate_hz: int, rng: np.random.Generator, *, surface: Surface) -> Mono:
    """One step: the heel's thump, then what the ground says to it."""
    thump = glide(path([(0.0, 130.0), (1.0, 65.0)], 0.09, sample_rate_hz=rate_hz), [1.0], sample_rate_hz=rate_hz)
    thump *= np.exp(-5.0 * np.linspace(0.0, 1.0, thump.size)).astype(np.float32)
    bus = np.zeros((2, round(0.32 * rate_hz)), np.float32)
    place(bus, thump, at=0, gain=0.7, pan=-1.0)
    if surface is Surface.HARD:
        click = ring(
            [
                Partial(frequency_hz=float(rng.uniform(900, 1250)), gain=0.5, decay_s=0.05),
                Partial(frequency_hz=float(rng.uniform(2100, 2800)), gain=0.35, decay_s=0.03),
            ],
            0.06,
            sample_rate_hz=rate_hz,
        )
        place(bus, click, at=0, gain=0.8, pan=-1.0)
        place(
            bus,
            _burst(rate_hz, rng, low_hz=1200, high_hz=5000, length_s=0.04),
            at=round(0.07 * rate_hz),
            gain=0.15,
            pan=-1.0,
        )
    elif surface is Surface.SNOW:
        for _ in range(14):
            grain = _burst(rate_hz, rng, low_hz=1500, high_hz=5500, length_s=float(rng.uniform(0.008, 0.03)))
            place(bus, grain, at=round(rng.uniform(0.0, 0.2) * rate_hz), gain=float(rng.uniform(0.1, 0.35)), pan=-1.0)
    else:
        low_hz, length_s = (900.0, 0.2) if surface is Surface.SAND else (500.0, 0.12)
        place(
            bus,
            _burst(rate_hz, rng, low_hz=low_hz, high_hz=6000, length_s=length_s),
            at=round(0.01 * rate_hz),
            gain=0.3,
            pan=-1.0,
        )
        place(
            bus,
            _burst(rate_hz, rng, low_hz=low_hz, high_hz=5000, length_s=length_s),
            at=round(0.09 * rate_hz),
            gain=0.16,
            pan=-1.0,
        )
    return _peaked(faded(bus[0], 0.001, 0.08, sample_rate_hz=rate_hz))


def fire(span: Span, rng: np.random.Generator) -> Stereo:
    """A fire: a soft roar with flutter, and crackles from ticks to snaps."""
    roar = noise(span, rng, response=tilted(45.0, 600.0, tilt_db=-3.0)) * slow_curve(
        span, rng, rate_hz=6.0, low=0.5, high=1.0
    )
    snaps = []
    for _ in range(_NUM_KERNELS):
        low_hz = float(np.exp(rng.uniform(np.log(900.0), np.log(5000.0))))
        snaps.append(
            _burst(
                span.sample_rate_hz, rng, low_hz=low_hz, high_hz=low_hz * 2.5, length_s=float(rng.uniform(0.004, 0.03))
            )
        )
    crackle = scatter(span, rng, kernels=snaps, rate_per_s=26.0)
    return unit(np.float32(0.5) * roar + unit(crackle))


def applause(span: Span, rng: np.random.Generator) -> Stereo:
    """Many hands: it swells within a second and lasts."""
    claps = []
    for _ in range(_NUM_KERNELS):
        centre_hz = float(rng.uniform(800.0, 2200.0))
        claps.append(_burst(span.sample_rate_hz, rng, low_hz=centre_hz * 0.7, high_hz=centre_hz * 2.2, length_s=0.03))
    swell = np.minimum(span.times_s() / 0.9 + 0.08, 1.0).astype(np.float32)
    room = noise(span, rng, response=band(500.0, 4500.0, order=1))
    return unit((unit(scatter(span, rng, kernels=claps, rate_per_s=320.0)) + np.float32(0.3) * room) * swell)


def clock(span: Span, rng: np.random.Generator) -> Stereo:
    """A clock on the wall: tick and tock, twice a second."""
    bus = span.silence()
    at_s = float(rng.uniform(0.05, 0.4))
    is_tick = True
    while at_s < span.duration_s:
        base_hz = 2350.0 if is_tick else 1950.0
        partials = [
            Partial(frequency_hz=base_hz, gain=1.0, decay_s=0.03),
            Partial(frequency_hz=base_hz * 1.63, gain=0.6, decay_s=0.02),
            Partial(frequency_hz=base_hz * 2.71, gain=0.3, decay_s=0.012),
        ]
        place(bus, ring(partials, 0.05, sample_rate_hz=span.sample_rate_hz), at=span.index(at_s), pan=-0.5)
        at_s += 0.5
        is_tick = not is_tick
    return unit(bus)


def keyboard(span: Span, rng: np.random.Generator) -> Stereo:
    """Somebody types at the next desk: bursts of soft clicks with rests."""
    bus = span.silence()
    keys = [
        _burst(span.sample_rate_hz, rng, low_hz=float(rng.uniform(700, 1600)), high_hz=5200, length_s=0.03)
        for _ in range(_NUM_KERNELS)
    ]
    at_s = float(rng.uniform(0.1, 0.5))
    while at_s < span.duration_s:
        place(bus, keys[int(rng.integers(0, len(keys)))], at=span.index(at_s), gain=float(rng.uniform(0.4, 1)), pan=0.4)
        at_s += float(rng.uniform(0.4, 0.9)) if rng.uniform() < 0.12 else float(rng.uniform(0.08, 0.2))
    return unit(bus)


def masts(span: Span, rng: np.random.Generator) -> Stereo:
    """Halyards that tap on metal masts in the wind."""
    taps = []
    for _ in range(6):
        base_hz = float(rng.uniform(850.0, 1700.0))
        partials = [Partial(frequency_hz=base_hz * r, gain=1 / r, decay_s=0.5 / r) for r in (1.0, 2.76, 5.4)]
        taps.append(ring(partials, 0.4, sample_rate_hz=span.sample_rate_hz))
    return unit(scatter(span, rng, kernels=taps, rate_per_s=2.4))


def horn(rate_hz: int, *, base_hz: float, length_s: float) -> Mono:
    """A horn far away: two tones a third apart, of a car when high and short, of a ship when low and long."""
    gains = [1.0, 0.7, 0.5, 0.3, 0.2, 0.1]
    steady = path([(0.0, base_hz), (1.0, base_hz)], length_s, sample_rate_hz=rate_hz)
    both = glide(steady, gains, sample_rate_hz=rate_hz) + glide(steady * 1.26, gains, sample_rate_hz=rate_hz)
    return _peaked(faded(both, 0.04, min(0.3, length_s / 2), sample_rate_hz=rate_hz))


def kick(rate_hz: int) -> Mono:
    """A bass drum: a tone that falls fast, with a soft beater."""
    sweep = path([(0.0, 165.0), (0.12, 72.0), (1.0, 46.0)], 0.3, sample_rate_hz=rate_hz)
    tone = glide(sweep, [1.0, 0.1], sample_rate_hz=rate_hz)
    return tone * np.exp(-6.0 * np.linspace(0.0, 1.0, tone.size)).astype(np.float32)


def snare(rate_hz: int, rng: np.random.Generator) -> Mono:
    """A snare drum: a skin and its wires."""
    wires = _burst(rate_hz, rng, low_hz=1400, high_hz=8500, length_s=0.2)
    skin = ring([Partial(frequency_hz=188.0, gain=0.9, decay_s=0.14)], 0.2, sample_rate_hz=rate_hz)
    return np.float32(0.35) * wires[: skin.size] + np.float32(0.6) * skin[: wires.size]


def hat(rate_hz: int, rng: np.random.Generator) -> Mono:
    """A closed hi-hat."""
    return np.float32(0.25) * _burst(rate_hz, rng, low_hz=6500, high_hz=15000, length_s=0.06)


def tom(rate_hz: int, *, pitch_hz: float) -> Mono:
    """A tom or hand drum: a skin that falls a little in pitch."""
    sweep = path([(0.0, pitch_hz * 1.35), (0.15, pitch_hz), (1.0, pitch_hz * 0.94)], 0.35, sample_rate_hz=rate_hz)
    tone = glide(sweep, [1.0, 0.25, 0.1], sample_rate_hz=rate_hz)
    return tone * np.exp(-6.0 * np.linspace(0.0, 1.0, tone.size)).astype(np.float32)
