"""Judges of sync: does something that moves in the picture move with the voice, and with no other moment of it?

A judge knows neither how the voice nor how the picture was made: it has the film's samples and one number a frame that
says how far something moved or stands open.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

VOICE_BAND_HZ = (200.0, 4000.0)
WIDEST_SHIFT_S = 0.6

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sync:
    """How well a motion follows a voice. likeness: correlation at no shift; shift_s: where it is highest instead.

    A positive shift_s means that the picture is late.
    """

    likeness: float
    best: float
    shift_s: float


def voice_levels(samples: npt.NDArray[np.floating], rate_hz: int, fps: int) -> Values:
    """How loud the band of voices is in each frame; samples: ``(num_samples, channels)``."""
    mono = np.asarray(samples, np.float64).mean(axis=1)
    spectrum = np.fft.rfft(mono)
    hertz = np.fft.rfftfreq(mono.size, 1 / rate_hz)
    spectrum[(hertz < VOICE_BAND_HZ[0]) | (hertz > VOICE_BAND_HZ[1])] = 0
    heard = np.fft.irfft(spectrum, mono.size)
    edges = np.round(np.arange(int(mono.size * fps / rate_hz) + 1) * rate_hz / fps).astype(int)
    return np.sqrt(np.array([np.mean(heard[a:b] ** 2) for a, b in pairwise(edges)]))


def sync_of(openings: npt.ArrayLike, samples: npt.NDArray[np.floating], rate_hz: int, fps: int) -> Sync:
    """Judge how well a motion, one number a frame, follows what is heard."""
    moved = np.asarray(openings, np.float64)
    levels = voice_levels(samples, rate_hz, fps)
    count = min(moved.size, levels.size)
    widest = round(WIDEST_SHIFT_S * fps)
    found = {shift: _likeness(moved[:count], levels[:count], shift) for shift in range(-widest, widest + 1)}
    best = max(found, key=lambda shift: found[shift])
    return Sync(likeness=found[0], best=found[best], shift_s=best / fps)


def _likeness(moved: Values, levels: Values, shift: int) -> float:
    """Correlate the motion, taken ``shift`` frames later, with the levels."""
    size = moved.size - abs(shift)
    one, other = moved[max(shift, 0) :][:size], levels[max(-shift, 0) :][:size]
    if one.std() == 0 or other.std() == 0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])
