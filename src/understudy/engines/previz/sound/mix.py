"""The mixing desk: levels, ducking under speech, loudness, limiter, fades.

The rule of levels, in LUFS after ITU-R BS.1770: a film in which somebody speaks or music is heard is brought to -16;
one with a named sound or loud weather to -19; any other to -23, because a calm meadow at the level of a voice is not
calm. Ambience lies 8 to 20 LU below what is in front of it. While a line sounds, everything else is pulled down until
the line is at least 12 dB above it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from understudy.engines.previz.sound.loudness import integrated_lufs, k_weighted, power, true_peak
from understudy.engines.previz.sound.signals import Curve, Span, Stereo, db, filtered
from understudy.engines.previz.speech_timing import Spoken

FOREGROUND_LUFS, EVENTFUL_LUFS, CALM_LUFS = -16.0, -19.0, -23.0
SPEECH_ABOVE_BED_DB = 12.0
_PEAK_CEILING_DB = -1.5
_TRUE_PEAK_DB = -1.1
_EDGE_FADE_S = 0.01
_LOWEST_HZ = 18.0
_DUCK_STEP_S = 0.025
_DUCK_LOOK_S = 0.15
_LIMIT_STEP_S = 0.002

Signal = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixed:
    """The result of a mix. samples: (channels, num_samples); duck: gain of the bed under speech, one per sample."""

    samples: Signal
    duck: npt.NDArray[np.float32]


def ducking(bed: Stereo, speech: Stereo, span: Span, *, spoken: Sequence[Spoken]) -> npt.NDArray[np.float32]:
    """Compute the gain that keeps the bed under each line, ``(num_samples,)``, 1 where nobody speaks."""
    if not spoken:
        return np.ones(span.num_samples, np.float32)
    step = max(1, round(_DUCK_STEP_S * span.sample_rate_hz))
    num_steps = -(-span.num_samples // step)
    bed_steps = _highest_nearby(_step_means(power(k_weighted(bed, span.sample_rate_hz)), step), reach=3)
    speech_power = power(k_weighted(speech, span.sample_rate_hz))
    gains = np.ones(num_steps)
    look = round(_DUCK_LOOK_S / _DUCK_STEP_S)
    for line in spoken:
        first, last = span.index(line.start_s), min(span.num_samples, span.index(line.end_s))
        allowed = float(speech_power[first:last].mean()) * 10 ** (-SPEECH_ABOVE_BED_DB / 10)
        window = slice(max(0, first // step - look), min(num_steps, last // step + 1 + look))
        needed = np.sqrt(allowed / np.maximum(bed_steps[window], 1e-12))
        gains[window] = np.minimum(gains[window], needed)
    gains = -_highest_nearby(-gains, reach=4)
    centres = (np.arange(num_steps) + 0.5) * step
    return np.interp(np.arange(span.num_samples), centres, _smoothed(gains)).astype(np.float32)


def _step_means(values: npt.NDArray[np.float64], step: int) -> npt.NDArray[np.float64]:
    padded = np.pad(values, (0, -values.size % step), mode="edge")
    return np.asarray(padded.reshape(-1, step).mean(axis=1))


def _highest_nearby(values: npt.NDArray[np.float64], *, reach: int) -> npt.NDArray[np.float64]:
    """Give each step the maximum of the ``reach`` steps to either side of it."""
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(values, reach, mode="edge"), 2 * reach + 1)
    return np.asarray(windows.max(axis=1))


def _smoothed(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Average each step with three to either side."""
    kernel = np.hanning(9)[1:-1]
    return np.convolve(np.pad(values, 3, mode="edge"), kernel / kernel.sum(), mode="valid")


def mix(
    bed: Stereo, speech: Stereo, span: Span, *, spoken: Sequence[Spoken], channels: int, target_lufs: float
) -> Mixed:
    """Sum the bed, ducked, and the speech; bring the sum to its loudness, under the ceiling, without edges."""
    duck = ducking(bed, speech, span, spoken=spoken)
    total = bed * duck + speech
    if channels == 1:
        total = total.mean(axis=0, keepdims=True)
    total = filtered(total, span.sample_rate_hz, response=_above_lowest)
    total = _edges_faded(total, span)
    for _ in range(2):
        # The limiter takes a little loudness away; the second round gives it back.
        loudness = integrated_lufs(total, span.sample_rate_hz)
        if np.isfinite(loudness):
            total = _limited(total * np.float32(db(target_lufs - loudness)), span)
    peak = true_peak(total)
    if peak > db(_TRUE_PEAK_DB):
        total = total * np.float32(db(_TRUE_PEAK_DB) / peak)
    return Mixed(samples=total, duck=duck)


def _above_lowest(frequency_hz: Curve) -> Curve:
    """Pass what a loudspeaker can play, and no direct current."""
    ratio = (frequency_hz / _LOWEST_HZ) ** 4
    return np.asarray(ratio / (1 + ratio))


def _edges_faded(signal: Signal, span: Span) -> Signal:
    num_fade = min(span.num_samples // 2, round(_EDGE_FADE_S * span.sample_rate_hz))
    ramp = np.linspace(0.0, 1.0, num_fade, endpoint=False, dtype=np.float32)
    result = signal.copy()
    result[:, :num_fade] *= ramp
    result[:, signal.shape[1] - num_fade :] *= ramp[::-1]
    return result


def _limited(signal: Signal, span: Span) -> Signal:
    """Turn down the few milliseconds around each peak above the ceiling, smoothly and in all channels alike."""
    ceiling = db(_PEAK_CEILING_DB)
    loud = np.abs(signal).max(axis=0)
    if float(loud.max(initial=0.0)) <= ceiling:
        return signal
    step = max(1, round(_LIMIT_STEP_S * span.sample_rate_hz))
    peaks = np.pad(loud, (0, -loud.size % step)).reshape(-1, step).max(axis=1)
    gains = np.minimum(1.0, ceiling / np.maximum(peaks.astype(np.float64), 1e-9))
    # Each gain holds for five steps around its peak; the smoothing window is three to either side, so no average of
    # held gains can exceed the gain that the peak needs.
    held = -_highest_nearby(-gains, reach=5)
    centres = (np.arange(gains.size) + 0.5) * step
    curve = np.interp(np.arange(loud.size), centres, _smoothed(held)).astype(np.float32)
    return signal * curve
