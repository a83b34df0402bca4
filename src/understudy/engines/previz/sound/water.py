"""Water: rain, breaking waves, lapping, streams, the deep, splashes.

Every texture fills its span, is stereo and of about unit power; the caller sets its level.
"""

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

_NUM_KERNELS = 32


def scatter(span: Span, rng: np.random.Generator, *, kernels: list[Mono], rate_per_s: float) -> Stereo:
    """Strew short sounds at random over the span, near and far, left and right."""
    bus = span.silence()
    count = int(rng.poisson(rate_per_s * span.duration_s))
    starts = rng.integers(0, max(1, span.num_samples), count)
    which = rng.integers(0, len(kernels), count)
    gains = np.minimum(rng.exponential(0.5, count), 2.5)
    pans = rng.uniform(-0.9, 0.9, count)
    for start, kernel, gain, pan in zip(starts, which, gains, pans, strict=True):
        place(bus, kernels[kernel], at=int(start), gain=float(gain), pan=float(pan))
    return bus


def _drops(span: Span, rng: np.random.Generator, *, low_hz: float, high_hz: float, decay_s: float) -> list[Mono]:
    """Make a handful of drops: each a click with two short resonances."""
    drops = []
    for _ in range(_NUM_KERNELS):
        pitch_hz = float(np.exp(rng.uniform(np.log(low_hz), np.log(high_hz))))
        length_s = decay_s * float(rng.uniform(0.6, 1.4))
        partials = [Partial(frequency_hz=pitch_hz, gain=1.0, decay_s=length_s)]
        partials.append(Partial(frequency_hz=pitch_hz * 2.3, gain=0.5, decay_s=length_s / 2))
        drops.append(ring(partials, length_s, sample_rate_hz=span.sample_rate_hz))
    return drops


def rain(span: Span, rng: np.random.Generator, *, intensity: float) -> Stereo:
    """Rain: a bright hiss of far drops, a low drumming, and near drops one can tell apart.

    intensity: 0.3 = a drizzle, 1 = a downpour.
    """
    wash = slow_curve(span, rng, rate_hz=0.9, low=0.75, high=1.0)
    hiss = noise(span, rng, response=tilted(900.0, 14000.0, tilt_db=-1.0)) * wash
    drumming = noise(span, rng, response=band(130.0, 800.0, order=1))
    near = _drops(span, rng, low_hz=1200.0, high_hz=8500.0, decay_s=0.009)
    drops = scatter(span, rng, kernels=near, rate_per_s=70 + 160 * intensity)
    return unit(hiss + np.float32(0.35 * intensity) * drumming + np.float32(0.5) * unit(drops))


def waves(span: Span, rng: np.random.Generator, *, period_s: float) -> Stereo:
    """Surf: each wave gathers, breaks and draws back, the foam hissing after the break."""
    times = span.times_s()
    body_level = np.zeros(span.num_samples)
    foam_level = np.zeros(span.num_samples)
    at_s = -period_s * float(rng.uniform(0.1, 0.5))
    while at_s < span.duration_s + period_s:
        height = float(rng.uniform(0.7, 1.0))
        ahead = times - at_s
        gathering = np.clip(1.0 + ahead / (0.5 * period_s), 0.0, 1.0) ** 2.2
        drawing_back = np.exp(-np.maximum(ahead, 0.0) / (0.16 * period_s))
        body_level = np.maximum(body_level, height * np.where(ahead < 0, gathering, drawing_back))
        rise = np.clip((ahead + 0.15) / 0.35, 0.0, 1.0)
        foam_level = np.maximum(foam_level, height * rise * np.exp(-np.maximum(ahead - 0.2, 0.0) / (0.3 * period_s)))
        at_s += period_s * float(rng.uniform(0.85, 1.15))
    body = noise(span, rng, response=tilted(60.0, 1800.0, tilt_db=-3.0)) * (0.1 + 0.9 * body_level).astype(np.float32)
    foam = noise(span, rng, response=tilted(1500.0, 11000.0, tilt_db=-1.5)) * foam_level.astype(np.float32)
    return unit(body + np.float32(0.6) * foam)


def open_sea(span: Span, rng: np.random.Generator) -> Stereo:
    """The swell far from a shore: slow heaving water with a little spray."""
    heave = waves(span, rng, period_s=3.4)
    depth = noise(span, rng, response=tilted(35.0, 280.0, tilt_db=-3.0))
    return unit(heave + np.float32(0.8) * depth * slow_curve(span, rng, rate_hz=0.5, low=0.4, high=1.0))


def lapping(span: Span, rng: np.random.Generator) -> Stereo:
    """Small water against stone and wood: slaps that come irregularly, with a gulp now and then."""
    slap = slow_curve(span, rng, rate_hz=2.6) ** 3
    water = noise(span, rng, response=tilted(180.0, 1500.0, tilt_db=-3.0)) * (np.float32(0.12) + slap)
    gulps = scatter(span, rng, kernels=_bubbles(span, rng, low_hz=230.0, high_hz=560.0), rate_per_s=2.2)
    return unit(unit(water) + np.float32(0.45) * unit(gulps))


def stream(span: Span, rng: np.random.Generator) -> Stereo:
    """A brook: a steady rush and a crowd of small bubbles."""
    rush = noise(span, rng, response=tilted(350.0, 5000.0, tilt_db=-2.5))
    flow = slow_curve(span, rng, rate_hz=6.0, low=0.6, high=1.0)
    small = scatter(span, rng, kernels=_bubbles(span, rng, low_hz=500.0, high_hz=2100.0), rate_per_s=55.0)
    return unit(rush * flow + np.float32(0.7) * unit(small))


def _bubbles(span: Span, rng: np.random.Generator, *, low_hz: float, high_hz: float) -> list[Mono]:
    """Make a handful of bubbles: short tones that rise as the bubble shrinks."""
    bubbles = []
    rate_hz = span.sample_rate_hz
    for _ in range(_NUM_KERNELS):
        length_s = float(rng.uniform(0.04, 0.11))
        start_hz = float(np.exp(rng.uniform(np.log(low_hz), np.log(high_hz))))
        sweep = path([(0.0, start_hz), (1.0, start_hz * rng.uniform(1.2, 1.9))], length_s, sample_rate_hz=rate_hz)
        tone = glide(sweep, [1.0, 0.15], sample_rate_hz=rate_hz)
        decay = np.exp(-4.0 * np.linspace(0.0, 1.0, tone.size)).astype(np.float32)
        bubbles.append(faded(tone * decay, 0.003, 0.02, sample_rate_hz=rate_hz))
    return bubbles


def bubbles(span: Span, rng: np.random.Generator) -> Stereo:
    """Strings of bubbles that rise past the listener, each string from large to small."""
    bus = span.silence()
    kernels = _bubbles(span, rng, low_hz=280.0, high_hz=950.0)
    at_s = float(rng.uniform(0.1, 0.6))
    while at_s < span.duration_s:
        pan = float(rng.uniform(-0.8, 0.8))
        moment_s = at_s
        for _ in range(int(rng.integers(4, 11))):
            kernel = kernels[int(rng.integers(0, len(kernels)))]
            place(bus, kernel, at=span.index(moment_s), gain=float(rng.uniform(0.3, 1.0)), pan=pan)
            moment_s += float(rng.uniform(0.03, 0.12))
        at_s += float(rng.uniform(0.8, 1.9))
    return unit(bus)


def underwater(span: Span, rng: np.random.Generator) -> Stereo:
    """The deep: a dark pressing rumble that slowly turns, with bubbles in it."""
    dark = noise(span, rng, response=tilted(28.0, 260.0, tilt_db=-4.0))
    dark *= slow_curve(span, rng, rate_hz=0.5, low=0.5, high=1.0)
    middle = noise(span, rng, response=band(180.0, 520.0, order=3)) * slow_curve(span, rng, rate_hz=0.9)
    return unit(dark + np.float32(0.25) * middle + np.float32(0.3) * bubbles(span, rng))


def splash(span: Span, rng: np.random.Generator) -> Mono:
    """One splash: a slap, spray that falls back, and the gulp of air after it."""
    rate_hz = span.sample_rate_hz
    short = Span(num_samples=round(1.1 * rate_hz), sample_rate_hz=rate_hz)
    times = short.times_s()
    spray = noise(short, rng, response=tilted(450.0, 8000.0, tilt_db=-2.0), spread=0.0)[0]
    level = np.exp(-times / 0.14) + 0.35 * np.exp(-(((times - 0.4) / 0.16) ** 2))
    thump = glide(
        path([(0.0, 190.0), (0.2, 95.0), (1.0, 70.0)], 1.1, sample_rate_hz=rate_hz), [1.0], sample_rate_hz=rate_hz
    )
    total = np.zeros((2, short.num_samples), np.float32)
    total[0] = spray * level.astype(np.float32) + thump * np.exp(-times / 0.09).astype(np.float32)
    for bubble in _bubbles(short, rng, low_hz=300.0, high_hz=900.0)[:9]:
        place(total, bubble, at=short.index(float(rng.uniform(0.15, 0.8))), gain=0.25, pan=-1.0)
    return faded(total[0], 0.002, 0.25, sample_rate_hz=rate_hz)
