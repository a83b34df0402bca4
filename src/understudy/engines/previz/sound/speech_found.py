"""Find speech in given audio: whether it is speech, whose it could be, and when something is said."""

import numpy as np
import numpy.typing as npt

from understudy.engines.previz.sound.beats import beats_of
from understudy.engines.previz.sound.signals import Mono

_FRAMES_PER_S = 100
_VOICE_BAND_HZ = (200.0, 4000.0)
_SYLLABLES_HZ = (2.0, 9.0)
_LEAST_MOVED = 0.12
_LEAST_IN_BAND = 0.5
_LEAST_PAUSED, _MOST_PAUSED = 0.08, 0.9
_PAUSE_SHARE = 0.12
"""What is quieter than this share of the loud syllables is a pause: noise of a room lies below, soft endings above."""

_LOWEST_VOICE_HZ, _HIGHEST_VOICE_HZ = 65.0, 480.0
_MAN_BELOW_HZ, _CHILD_ABOVE_HZ = 160.0, 265.0
_LONGEST_JUDGED_S = 20.0

Values = npt.NDArray[np.float64]


def is_speech(mono: Mono, rate_hz: int) -> bool:
    """Judge whether a sound is somebody speaking: in the band of voices, paced by syllables, with pauses, no beat."""
    mono = mono[: round(_LONGEST_JUDGED_S * rate_hz)]
    if mono.size < rate_hz // 2 or not np.abs(mono).max(initial=0.0):
        return False
    power = np.abs(np.fft.rfft(mono)) ** 2
    hertz = np.fft.rfftfreq(mono.size, 1 / rate_hz)
    in_band = (hertz >= _VOICE_BAND_HZ[0]) & (hertz <= _VOICE_BAND_HZ[1])
    # Below the band lie the pitch of a man and the hum of the room; neither says anything.
    if power[in_band].sum() < _LEAST_IN_BAND * power[hertz >= _VOICE_BAND_HZ[0] / 2].sum():
        return False
    levels = _levels(mono, rate_hz, _FRAMES_PER_S)
    paused = float((levels < _PAUSE_SHARE * _loud(levels)).mean())
    moving = np.abs(np.fft.rfft((levels - levels.mean()) * np.hanning(levels.size)))
    rhythm = np.fft.rfftfreq(levels.size, 1 / _FRAMES_PER_S)
    inside = (rhythm >= _SYLLABLES_HZ[0]) & (rhythm <= _SYLLABLES_HZ[1])
    moved = float(np.sqrt((moving[inside] ** 2).sum()) / (levels.mean() * levels.size + 1e-12))
    is_paced = moved >= _LEAST_MOVED and _LEAST_PAUSED <= paused <= _MOST_PAUSED
    return is_paced and _is_voiced(mono, rate_hz) and not beats_of(mono, rate_hz)


def voice_kind(mono: Mono, rate_hz: int) -> str:
    """Tell whose voice it could be by its pitch: "male", "female" or "child"; "" where there is none."""
    pitches = _pitches(mono[: round(_LONGEST_JUDGED_S * rate_hz)], rate_hz)
    if not pitches:
        return ""
    pitch_hz = float(np.median(pitches))
    return "male" if pitch_hz < _MAN_BELOW_HZ else "child" if pitch_hz > _CHILD_ABOVE_HZ else "female"


def speech_span(mono: Mono, rate_hz: int) -> tuple[int, int]:
    """Return the samples between which something is said: without the silence before and after."""
    levels = _levels(mono, rate_hz, _FRAMES_PER_S)
    said = np.flatnonzero(levels >= _PAUSE_SHARE * _loud(levels))
    if not said.size or not levels.max():
        return 0, int(mono.size)
    step = rate_hz / _FRAMES_PER_S
    # A breath before and after: consonants begin softly.
    return max(0, int((said[0] - 8) * step)), min(int(mono.size), int((said[-1] + 12) * step))


def _levels(mono: Mono, rate_hz: int, per_s: int) -> Values:
    step = rate_hz / per_s
    count = max(1, int(np.ceil(mono.size / step)))
    edges = np.minimum((np.arange(count + 1) * step).astype(np.int64), mono.size)
    power = np.concatenate(([0.0], np.cumsum(np.square(mono, dtype=np.float64))))
    return np.sqrt(np.maximum(np.diff(power[edges]) / np.maximum(np.diff(edges), 1), 0.0))


def _loud(levels: Values) -> float:
    return float(np.quantile(levels, 0.95))


def _is_voiced(mono: Mono, rate_hz: int) -> bool:
    """Tell whether the sound has a pitch, and one that moves as that of speech does and a tone's does not."""
    pitches = _pitches(mono, rate_hz)
    return len(pitches) >= 5 and float(np.std(np.log2(pitches))) > 0.015


def _pitches(mono: Mono, rate_hz: int) -> list[float]:
    """Measure the pitch where there is one, 40 times a second, by autocorrelation."""
    size, step = round(0.05 * rate_hz), round(0.025 * rate_hz)
    if mono.size < size:
        return []
    frames = np.lib.stride_tricks.sliding_window_view(mono, size)[::step].astype(np.float64)
    energy = (frames**2).mean(axis=1)
    window = np.hanning(size)
    own = np.fft.irfft(np.abs(np.fft.rfft(window, 2 * size)) ** 2)
    low, high = int(rate_hz / _HIGHEST_VOICE_HZ), int(rate_hz / _LOWEST_VOICE_HZ)
    found = []
    for frame in frames[energy > 0.05 * energy.max(initial=0.0)]:
        likeness = np.fft.irfft(np.abs(np.fft.rfft((frame - frame.mean()) * window, 2 * size)) ** 2)
        likeness = likeness[: high + 1] / np.maximum(own[: high + 1], 1e-3 * own[0])
        best = low + int(np.argmax(likeness[low:high]))
        if likeness[best] > 0.55 * likeness[0]:
            found.append(rate_hz / best)
    return found
