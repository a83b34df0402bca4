"""Air: wind, leaves, the tone of rooms, machines far away, a city, empty space.

Every texture fills its span, is stereo and of about unit power; the caller sets its level.
"""

import numpy as np
import numpy.typing as npt

from understudy.engines.previz.sound.signals import (
    Span,
    Stereo,
    band,
    noise,
    slow_curve,
    tilted,
    unit,
)


def gusts(span: Span, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Draw how hard the wind blows, 0..1: slow swells with quicker gusts on top."""
    # A swell of about three seconds is always there: in a short film, chance alone might leave the wind flat.
    rate_hz = slow_curve(span, rng, rate_hz=0.4, low=0.22, high=0.46)
    turn = 2 * np.pi * (np.cumsum(rate_hz, dtype=np.float64) / span.sample_rate_hz + rng.uniform())
    swell = (0.5 - 0.5 * np.cos(turn)).astype(np.float32)
    flurry = slow_curve(span, rng, rate_hz=1.5)
    return np.float32(0.7) * swell + np.float32(0.3) * flurry * (np.float32(0.3) + np.float32(0.7) * swell)


def wind(span: Span, rng: np.random.Generator, *, strength: float) -> Stereo:
    """Blow: a low push, a rush that grows with the gusts, and a whistle that rises in pitch with them.

    strength: 0 = a breeze, 1 = a gale.
    """
    gust = gusts(span, rng)
    low = noise(span, rng, response=tilted(45.0, 420.0, tilt_db=-4.0)) * (np.float32(0.55 - 0.4 * strength) + gust)
    rush = noise(span, rng, response=band(220.0, 1000.0 + 900.0 * strength, order=1)) * gust**1.5
    total = low + np.float32(0.5 + 0.9 * strength) * rush
    if strength > 0.3:
        for centre_hz, reach in ((430.0, 0.25), (650.0, 0.5), (940.0, 0.8)):
            tone = noise(span, rng, response=band(centre_hz * 0.95, centre_hz * 1.05, order=4))
            nearness = np.maximum(0.0, 1.0 - np.abs(gust - np.float32(reach)) / np.float32(0.3)).astype(np.float32)
            total += np.float32(0.4 * strength**2) * tone * nearness
    return unit(total)


def leaves(span: Span, rng: np.random.Generator) -> Stereo:
    """Rustle: high noise that flutters and follows the gusts."""
    flutter = slow_curve(span, rng, rate_hz=9.0, low=0.5, high=1.0)
    gust = gusts(span, rng)
    rustle = noise(span, rng, response=tilted(1500.0, 9000.0, tilt_db=-2.5))
    return unit(rustle * flutter * (np.float32(0.12) + gust * gust))


def drifting_sand(span: Span, rng: np.random.Generator) -> Stereo:
    """Hiss of grains over a dune, in gusts."""
    gust = gusts(span, rng)
    return unit(noise(span, rng, response=tilted(2500.0, 12000.0, tilt_db=1.0)) * (np.float32(0.1) + gust**2))


def snow_hush(span: Span, rng: np.random.Generator) -> Stereo:
    """The muffled air of falling snow, with a faint fine tick of flakes."""
    gust = gusts(span, rng)
    soft = noise(span, rng, response=tilted(90.0, 900.0, tilt_db=-4.0)) * (np.float32(0.6) + np.float32(0.4) * gust)
    flakes = noise(span, rng, response=band(5000.0, 9000.0)) * slow_curve(span, rng, rate_hz=12.0) ** 3
    return unit(soft + np.float32(0.12) * flakes)


def room_tone(span: Span, rng: np.random.Generator) -> Stereo:
    """A quiet room: air that falls off towards high frequencies, hardly moving."""
    return noise(span, rng, response=tilted(45.0, 2200.0, tilt_db=-4.5), spread=0.5)


def ventilation(span: Span, rng: np.random.Generator) -> Stereo:
    """Air out of a duct: a broad steady rush with a faint motor below."""
    rush = noise(span, rng, response=tilted(110.0, 3800.0, tilt_db=-3.5), spread=0.7)
    return unit(rush + np.float32(0.35) * hum(span, rng, base_hz=58.0))


def hum(span: Span, rng: np.random.Generator, *, base_hz: float) -> Stereo:
    """A machine at rest: a few harmonics that beat slowly against each other."""
    times = span.times_s()
    total = span.silence()
    for harmonic, gain in ((1, 1.0), (2, 0.7), (3, 0.3), (4, 0.2), (6, 0.1)):
        for channel in (0, 1):
            detune = 1.0 + 0.0006 * rng.standard_normal()
            angle = 2 * np.pi * (base_hz * harmonic * detune * times + rng.uniform())
            total[channel] += np.float32(gain) * np.sin(angle).astype(np.float32)
    return unit(total)


def city_rumble(span: Span, rng: np.random.Generator) -> Stereo:
    """Traffic everywhere and nowhere: a low bed, and a middle that ebbs and flows."""
    low = noise(span, rng, response=tilted(32.0, 260.0, tilt_db=-3.0)) * slow_curve(
        span, rng, rate_hz=0.5, low=0.6, high=1.0
    )
    middle = noise(span, rng, response=tilted(250.0, 2600.0, tilt_db=-3.0))
    return unit(low + np.float32(0.45) * middle * slow_curve(span, rng, rate_hz=0.8, low=0.35, high=1.0))


def passing_car(span: Span, rng: np.random.Generator, *, at_s: float, width_s: float) -> Stereo:
    """One vehicle from one side to the other: tyres that open up as it is near, over a motor that drops in pitch."""
    offset = (span.times_s() - at_s) / width_s
    nearness = (1.0 / (1.0 + offset**2) ** 1.3).astype(np.float32)
    side = np.tanh(offset) * (1.0 if rng.uniform() < 0.5 else -1.0)
    tyres = noise(span, rng, response=tilted(140.0, 3200.0, tilt_db=-2.0), spread=0.0)[0] * nearness
    bright = noise(span, rng, response=band(1500.0, 6000.0), spread=0.0)[0] * nearness**3
    motor_hz = rng.uniform(70.0, 95.0) * (1.0 - 0.06 * np.tanh(offset))
    phase = 2 * np.pi * np.cumsum(motor_hz) / span.sample_rate_hz
    motor = (np.sin(phase) + 0.6 * np.sin(2 * phase) + 0.3 * np.sin(3 * phase)).astype(np.float32) * nearness
    sound = tyres + np.float32(0.5) * bright + np.float32(0.35) * motor
    angle = (side + 1.0) * np.pi / 4
    return np.stack([sound * np.cos(angle), sound * np.sin(angle)]).astype(np.float32)


def traffic(span: Span, rng: np.random.Generator, *, every_s: float) -> Stereo:
    """Vehicles that pass one after another, about every ``every_s`` seconds, at least one in the span."""
    total = span.silence()
    at_s = rng.uniform(0.2, 0.5) * min(every_s, span.duration_s)
    while at_s < span.duration_s + 0.5:
        loudness = np.float32(rng.uniform(0.6, 1.0))
        total += loudness * passing_car(span, rng, at_s=at_s, width_s=rng.uniform(0.45, 0.8))
        at_s += every_s * rng.uniform(0.75, 1.25)
    return unit(total)


def space_drone(span: Span, rng: np.random.Generator) -> Stereo:
    """What films put where there is no air: a deep beating chord with a slow shimmer far above."""
    times = span.times_s()
    total = span.silence()
    for base_hz, gain in ((41.2, 0.9), (61.7, 0.8), (82.6, 0.6), (123.5, 0.35), (185.3, 0.2), (247.1, 0.12)):
        for channel in (0, 1):
            angle = 2 * np.pi * (base_hz * (1 + 0.002 * rng.standard_normal()) * times + rng.uniform())
            breath = slow_curve(span, rng, rate_hz=0.35, low=0.4, high=1.0)
            total[channel] += np.float32(gain) * breath * np.sin(angle).astype(np.float32)
    air = noise(span, rng, response=band(700.0, 1500.0)) * slow_curve(span, rng, rate_hz=0.5)
    glitter = noise(span, rng, response=band(4000.0, 7000.0)) * slow_curve(span, rng, rate_hz=0.6) ** 3
    return unit(total + np.float32(0.09) * air + np.float32(0.02) * glitter)
