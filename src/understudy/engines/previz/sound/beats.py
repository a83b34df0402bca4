"""Find the beat of a piece of music, and the moments of a film at which a cut falls on it.

Onsets are where the spectrum gains energy; the tempo is the lag at which the onsets look most like themselves; the
beats are then the row of moments, one tempo apart, that passes over the strongest onsets and may give a little
(dynamic programming after Ellis, "Beat Tracking by Dynamic Programming", 2007). Noise, speech and silence have no beat.
"""

import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from understudy.engines.previz.sound.signals import resampled

_RATE_HZ = 16_000
_WINDOW, _STEP = 512, 160
_ONSETS_PER_S = _RATE_HZ / _STEP
_NUM_BANDS = 32
_SLOWEST_BPM, _FASTEST_BPM, _USUAL_BPM = 50.0, 200.0, 115.0
_TEMPO_SPREAD_OCTAVES = 1.1
_TIGHTNESS = 100.0
_CLEAREST_SHARE = 0.22
"""So much like itself must the row of onsets be one beat later; noise stays below a tenth."""

_HALF_AS_CLEAR = 0.8
_SHORTEST_S = 1.5
_QUIETEST = 1e-4
_SHORTEST_SHOT_S = 0.8
"""A shot shorter than this cannot be read as one."""

Values = npt.NDArray[np.float64]


def beats_of(samples: npt.NDArray[np.float32], rate_hz: int) -> tuple[float, ...]:
    """Return the moments of the beats, in seconds from the start; empty where there is no clear beat.

    samples: ``(num_samples,)`` or ``(num_samples, channels)`` float32.
    """
    mono = samples if samples.ndim == 1 else samples.mean(axis=1)
    if mono.size < _SHORTEST_S * rate_hz or float(np.abs(mono).max(initial=0.0)) < _QUIETEST:
        return ()
    onsets = _onsets(resampled(np.asarray(mono, np.float32), rate_hz, to_hz=_RATE_HZ))
    lag = _beat_lag(onsets)
    return tuple(_row_of_beats(onsets, lag)) if lag else ()


def cut_times(beats_s: Sequence[float], duration_s: float, shots: int) -> tuple[float, ...]:
    """Return where the cuts of a film fall: ``shots - 1`` rising moments, on beats as far as there are beats.

    The shots come out about equally long, and none shorter than can be seen; without beats they are exactly equal.
    """
    if shots < 2:
        return ()
    even_s = [duration_s * number / shots for number in range(1, shots)]
    least_s = min(_SHORTEST_SHOT_S, duration_s / shots / 2)
    cuts: list[float] = []
    for number, wanted_s in enumerate(even_s):
        earliest_s = (cuts[-1] if cuts else 0.0) + least_s
        latest_s = duration_s - least_s * (shots - 1 - number)
        possible = [beat for beat in beats_s if earliest_s <= beat <= latest_s]
        nearest_s = min(possible, key=lambda beat: abs(beat - wanted_s), default=wanted_s)
        is_near = abs(nearest_s - wanted_s) <= duration_s / shots / 2
        cuts.append(nearest_s if is_near else min(max(wanted_s, earliest_s), latest_s))
    return tuple(cuts)


def _onsets(mono: npt.NDArray[np.float32]) -> Values:
    """Measure how much louder the bands of the spectrum get, 100 times a second; mean 0, spread 1."""
    padded = np.pad(mono, (_WINDOW // 2, _WINDOW))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_STEP]
    window = np.hanning(_WINDOW).astype(np.float32)
    edges = np.unique(np.geomspace(2, _WINDOW // 2, _NUM_BANDS + 1).astype(int))
    levels = np.empty((frames.shape[0], edges.size - 1))
    # A few seconds at a time, so that a long piece does not fill the memory with spectra.
    for first in range(0, frames.shape[0], 1024):
        power = np.abs(np.fft.rfft(frames[first : first + 1024] * window, axis=1)) ** 2
        levels[first : first + 1024] = np.add.reduceat(power[:, : edges[-1]], edges[:-1], axis=1)
    floor = 1e-5 * float(levels.max()) + 1e-12
    rises = np.maximum(np.diff(np.log(levels + floor), axis=0, prepend=np.log(levels[:1] + floor)), 0.0).sum(axis=1)
    local = np.convolve(rises, np.ones(51) / 51, mode="same")
    rises = np.maximum(rises - local, 0.0)
    spread = float(rises.std())
    return np.asarray((rises - rises.mean()) / spread) if spread > 0 else np.zeros_like(rises)


def _beat_lag(onsets: Values) -> float:
    """Find how many onset steps a beat lasts; 0 where the onsets have no rhythm."""
    size = onsets.size
    padded = np.concatenate((_smoothed(onsets), np.zeros(size)))
    likeness = np.fft.irfft(np.abs(np.fft.rfft(padded)) ** 2)[:size]
    likeness /= max(likeness[0], 1e-12)
    longest = min(size - 2, int(60 * _ONSETS_PER_S / _SLOWEST_BPM))
    shortest = int(60 * _ONSETS_PER_S / _FASTEST_BPM)
    if longest <= shortest + 2:
        return 0.0
    lags = np.arange(shortest, longest)
    # What repeats late in a short piece overlaps less with itself.
    fair = likeness[lags] * size / (size - lags)
    usual = np.exp(-0.5 * (np.log2(60 * _ONSETS_PER_S / lags / _USUAL_BPM) / _TEMPO_SPREAD_OCTAVES) ** 2)
    best = int(np.argmax(fair * usual))
    if fair[best] < _CLEAREST_SHARE:
        return 0.0
    half = lags[best] // 2
    around = slice(max(0, half - shortest - 1), max(0, half - shortest + 3))
    # A row of equal knocks is as much like itself after two of them; the beat is then each of them.
    if half >= shortest and fair[around].max(initial=0.0) > _HALF_AS_CLEAR * fair[best]:
        best = around.start + int(np.argmax(fair[around]))
    if not 0 < best < lags.size - 1:
        return float(lags[best])
    before, here, after = fair[best - 1 : best + 2]
    bend = before - 2 * here + after
    return float(lags[best] + (0.5 * (before - after) / bend if bend < 0 else 0.0))


def _smoothed(onsets: Values) -> Values:
    kernel = np.hanning(7)[1:-1]
    return np.convolve(onsets, kernel / kernel.sum(), mode="same")


def _row_of_beats(onsets: Values, lag: float) -> list[float]:
    """Choose the moments about ``lag`` apart that gather the most onset."""
    strength = _smoothed(onsets)
    nearest, farthest = max(1, round(lag / 2)), round(2 * lag)
    total, before = strength.copy(), np.full(strength.size, -1)
    steps = np.arange(nearest, farthest + 1)
    price = _TIGHTNESS * np.log(steps / lag) ** 2
    for place in range(nearest, strength.size):
        usable = steps[steps <= place]
        gains = total[place - usable] - price[: usable.size]
        best = int(np.argmax(gains))
        if gains[best] > 0:
            total[place] += gains[best]
            before[place] = place - int(usable[best])
    tail = max(0, strength.size - farthest)
    place = tail + int(np.argmax(total[tail:]))
    beats = [place]
    while before[place] >= 0:
        place = int(before[place])
        beats.append(place)
    beats.reverse()
    # The row may begin or end beyond the music, on nothing.
    heard = strength[beats] > 0.1 * float(np.median(np.maximum(strength[beats], 0.0)))
    inside = list(itertools.dropwhile(lambda pair: not pair[1], zip(beats, heard, strict=True)))
    while inside and not inside[-1][1]:
        inside.pop()
    return [beat / _ONSETS_PER_S for beat, _ in inside]
