"""The raw material of every sound: spans of time, shaped noise, ringing partials, gliding tones, placing and filtering.

Inside this package a mono signal is ``(num_samples,)`` float32 and a stereo signal ``(2, num_samples)`` float32, rows
first because every filter here works along a contiguous row in the frequency domain. Nothing here uses matrix
products: a BLAS may split them over threads, and the last bit of the result would then depend on the machine's load.
"""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Mono = npt.NDArray[np.float32]
Stereo = npt.NDArray[np.float32]
Curve = npt.NDArray[np.floating[Any]]
Response = Callable[[Curve], Curve]

_RING_BLOCK = 256
VOICE_RATE_HZ = 24_000
"""What every synthesizer of speech gives."""

_CONTROL_RATE_HZ = 200
_ALIAS_GUARD = 0.46


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The stretch of time that a sound fills."""

    num_samples: int
    sample_rate_hz: int

    @property
    def duration_s(self) -> float:
        """Length of the span in seconds."""
        return self.num_samples / self.sample_rate_hz

    def index(self, at_s: float) -> int:
        """Give the sample nearest to a moment; may lie outside the span."""
        return round(at_s * self.sample_rate_hz)

    def times_s(self) -> npt.NDArray[np.float64]:
        """Give the moment of each sample, shape ``(num_samples,)``."""
        return np.arange(self.num_samples) / self.sample_rate_hz

    def silence(self) -> Stereo:
        """Give an empty stereo signal of this span."""
        return np.zeros((2, self.num_samples), np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Partial:
    """One ringing partial: an exponentially decaying sine; decay_s is the time to fall by 60 dB."""

    frequency_hz: float
    gain: float
    decay_s: float


def random_for(seed: int, name: str) -> np.random.Generator:
    """Give the generator of one named sound, so that adding a sound to a film leaves all the others as they were."""
    return np.random.default_rng([seed % 2**64, zlib.crc32(name.encode())])


def db(level_db: float) -> float:
    """Turn decibels into a factor of amplitude."""
    return float(10.0 ** (level_db / 20.0))


def rms(signal: Curve) -> float:
    """Give the root mean square over all samples and channels."""
    return float(np.sqrt(np.mean(np.square(signal, dtype=np.float64)))) if signal.size else 0.0


def unit(signal: Curve) -> npt.NDArray[np.float32]:
    """Scale a signal to a root mean square of 1; silence stays silent."""
    level = rms(signal)
    return (signal / np.float32(level or 1.0)).astype(np.float32)


def fft_length(num_samples: int) -> int:
    """Give the smallest 2^a, 3*2^a, 5*2^a or 15*2^a not below num_samples: a length whose transform is fast."""
    best = 1 << max(0, num_samples - 1).bit_length()
    for factor in (3, 5, 9, 15):
        power = 1
        while factor * power < num_samples:
            power *= 2
        best = min(best, factor * power)
    return max(best, 2)


def filtered(
    signal: npt.NDArray[np.float32], sample_rate_hz: int, *, response: Response, tail_s: float = 0.1
) -> npt.NDArray[np.float32]:
    """Filter along the last axis with a zero-phase magnitude response; tail_s of padding keeps its ends apart."""
    num_samples = signal.shape[-1]
    length = fft_length(num_samples + round(tail_s * sample_rate_hz))
    gains = response(np.fft.rfftfreq(length, 1 / sample_rate_hz)).astype(np.float32)
    spectrum = np.fft.rfft(signal, length, axis=-1) * gains
    return np.fft.irfft(spectrum, length, axis=-1)[..., :num_samples].astype(np.float32)


def convolved(signal: npt.NDArray[np.float32], kernel: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Convolve along the last axis and keep the signal's length; kernel broadcasts over channels."""
    num_samples = signal.shape[-1]
    length = fft_length(num_samples + kernel.shape[-1])
    spectrum = np.fft.rfft(signal, length, axis=-1) * np.fft.rfft(kernel, length, axis=-1)
    return np.fft.irfft(spectrum, length, axis=-1)[..., :num_samples].astype(np.float32)


def band(low_hz: float, high_hz: float, *, order: int = 2) -> Response:
    """Give the response of a band-pass with Butterworth flanks of 6 dB per octave and order."""

    def response(frequency_hz: Curve) -> Curve:
        safe_hz = np.maximum(frequency_hz, 1e-3)
        rise = 1.0 + (low_hz / safe_hz) ** (2 * order)
        fall = 1.0 + (safe_hz / high_hz) ** (2 * order)
        return np.asarray(np.where(frequency_hz > 0, 1.0 / np.sqrt(rise * fall), 0.0))

    return response


def tilted(low_hz: float, high_hz: float, *, tilt_db: float) -> Response:
    """Give a band-pass whose spectrum also rises or falls by tilt_db per octave, measured from 1 kHz."""
    flat = band(low_hz, high_hz)

    def response(frequency_hz: Curve) -> Curve:
        octaves = np.log2(np.maximum(frequency_hz, 10.0) / 1000.0)
        return np.asarray(flat(frequency_hz) * 10.0 ** (tilt_db * octaves / 20.0))

    return response


def noise(span: Span, rng: np.random.Generator, *, response: Response, spread: float = 1.0) -> Stereo:
    """Make steady noise of unit power with the given magnitude response.

    spread: 0 = the same in both channels, 1 = independent channels. Source of the method: the spectrum of Gaussian
    noise is Gaussian, so it is drawn as a spectrum and transformed once.
    """
    length = fft_length(span.num_samples)
    gains = response(np.fft.rfftfreq(length, 1 / span.sample_rate_hz)).astype(np.float32)
    parts = rng.standard_normal((2, gains.size, 2), dtype=np.float32).view(np.complex64)[..., 0]
    signal = np.fft.irfft(parts * gains, length, axis=-1)[:, : span.num_samples].astype(np.float32)
    signal = unit(signal)
    if spread >= 1.0:
        return signal
    middle = (signal[0] + signal[1]) * np.float32(0.5**0.5)
    return unit(np.float32(spread) * signal + np.float32(1.0 - spread) * middle)


def slow_curve(
    span: Span, rng: np.random.Generator, *, rate_hz: float, low: float = 0.0, high: float = 1.0
) -> npt.NDArray[np.float32]:
    """Make a smooth random curve between low and high with about rate_hz turns a second, shape ``(num_samples,)``."""
    num_knots = int(span.duration_s * rate_hz) + 4
    knots = rng.uniform(low, high, num_knots)
    num_controls = int(span.duration_s * _CONTROL_RATE_HZ) + 2
    position = np.arange(num_controls) / _CONTROL_RATE_HZ * rate_hz + rng.uniform(0.0, 1.0)
    index = np.minimum(position.astype(np.int64), num_knots - 2)
    blend = 0.5 - 0.5 * np.cos(np.pi * np.clip(position - index, 0.0, 1.0))
    controls = knots[index] * (1 - blend) + knots[index + 1] * blend
    return stretched(controls, span)


def stretched(controls: npt.NDArray[np.float64], span: Span) -> npt.NDArray[np.float32]:
    """Spread control values evenly over a span by linear interpolation, shape ``(num_samples,)``."""
    position = np.linspace(0.0, len(controls) - 1.0, span.num_samples)
    return np.interp(position, np.arange(len(controls)), controls).astype(np.float32)


def ring(partials: Sequence[Partial], length_s: float, *, sample_rate_hz: int) -> Mono:
    """Sum decaying sines that all start at once: bells, plucks, drops, clicks, skins.

    Each partial is a geometric series of complex numbers, computed as an outer product of two short ones.
    """
    num_samples = max(1, round(length_s * sample_rate_hz))
    num_blocks = -(-num_samples // _RING_BLOCK)
    total = np.zeros((num_blocks, _RING_BLOCK), np.float32)
    for partial in partials:
        if partial.frequency_hz >= _ALIAS_GUARD * sample_rate_hz:
            continue
        step = complex(-6.9078 / max(partial.decay_s, 1e-4), 2 * np.pi * partial.frequency_hz) / sample_rate_hz
        inner = np.exp(step * np.arange(_RING_BLOCK)).astype(np.complex64)
        outer = np.exp(step * _RING_BLOCK * np.arange(num_blocks)).astype(np.complex64)
        total += np.float32(partial.gain) * (outer[:, None] * inner[None, :]).imag
    return total.reshape(-1)[:num_samples]


def glide(frequency_hz: npt.NDArray[np.float64], harmonics: Sequence[float], *, sample_rate_hz: int) -> Mono:
    """Sing a frequency path, one value per sample, with the given gain for each harmonic from the first up."""
    phase = 2 * np.pi * np.cumsum(frequency_hz / sample_rate_hz)
    highest_hz = float(frequency_hz.max()) if frequency_hz.size else 0.0
    total = np.zeros(frequency_hz.size, np.float32)
    for number, gain in enumerate(harmonics, start=1):
        if gain and number * highest_hz < _ALIAS_GUARD * sample_rate_hz:
            total += np.float32(gain) * np.sin(number * phase).astype(np.float32)
    return total


def path(points: Sequence[tuple[float, float]], length_s: float, *, sample_rate_hz: int) -> npt.NDArray[np.float64]:
    """Draw a curve through (time 0..1, value) points over length_s, one value per sample."""
    num_samples = max(1, round(length_s * sample_rate_hz))
    times, values = zip(*points, strict=True)
    return np.asarray(np.interp(np.linspace(0.0, 1.0, num_samples), times, values))


def faded(signal: Mono, rise_s: float, fall_s: float, *, sample_rate_hz: int) -> Mono:
    """Fade a sound in and out with raised cosines, along the last axis; the two fades never overlap."""
    result = signal.copy()
    num_samples = result.shape[-1]
    rise = min(num_samples // 2, max(1, round(rise_s * sample_rate_hz)))
    fall = min(num_samples - rise, max(1, round(fall_s * sample_rate_hz)))
    if num_samples < 2:
        return result
    result[..., :rise] *= (0.5 - 0.5 * np.cos(np.pi * np.arange(rise) / rise)).astype(np.float32)
    result[..., num_samples - fall :] *= (0.5 + 0.5 * np.cos(np.pi * (np.arange(fall) + 1) / fall)).astype(np.float32)
    return result


def place(bus: Stereo, sound: Mono, *, at: int, gain: float = 1.0, pan: float = 0.0) -> None:
    """Add a mono sound to a stereo bus in place, starting at sample ``at``; what sticks out is cut.

    pan: -1 left .. 1 right, at constant power.
    """
    start, stop = max(0, at), min(bus.shape[1], at + sound.size)
    if stop <= start:
        return
    piece = sound[start - at : stop - at]
    angle = (np.clip(pan, -1.0, 1.0) + 1.0) * np.pi / 4
    bus[0, start:stop] += np.float32(gain * np.cos(angle) * 2**0.5) * piece
    bus[1, start:stop] += np.float32(gain * np.sin(angle) * 2**0.5) * piece


def resampled(signal: Mono, from_hz: int, *, to_hz: int) -> Mono:
    """Change the sample rate of a whole mono sound in the frequency domain."""
    if from_hz == to_hz or not signal.size:
        return signal.astype(np.float32)
    unit_in = from_hz // int(np.gcd(from_hz, to_hz))
    unit_out = to_hz // int(np.gcd(from_hz, to_hz))
    # A little silence behind the sound keeps its end from ringing into its start; both lengths stay whole.
    units = fft_length(-(-(signal.size + from_hz // 20) // unit_in))
    spectrum = np.fft.rfft(signal, units * unit_in)
    num_bins = units * unit_out // 2 + 1
    fitted = np.zeros(num_bins, spectrum.dtype)
    shared = min(num_bins, spectrum.size)
    fitted[:shared] = spectrum[:shared]
    result = np.fft.irfft(fitted, units * unit_out) * (unit_out / unit_in)
    return result[: round(signal.size * to_hz / from_hz)].astype(np.float32)


def trimmed(audio: Mono, sample_rate_hz: int, *, breath_s: float = 0.02) -> Mono:
    """Cut silence at both ends of speech down to a breath, and fade the cuts."""
    loud = np.flatnonzero(np.abs(audio) > 0.01 * float(np.abs(audio).max(initial=0.0)))
    if not loud.size:
        return np.zeros(0, np.float32)
    edge = round(breath_s * sample_rate_hz)
    start, stop = max(0, int(loud[0]) - edge), min(audio.size, int(loud[-1]) + 3 * edge)
    piece = audio[start:stop].astype(np.float32)
    ramp = np.linspace(0.0, 1.0, min(edge, piece.size // 2), dtype=np.float32)
    if ramp.size:
        piece[: ramp.size] *= ramp
        piece[-ramp.size :] *= ramp[::-1]
    return piece
