"""Loudness and true peak after ITU-R BS.1770-5: pure measuring, no change of a signal.

The K-weighting is applied as a magnitude response in the frequency domain: loudness is about energy, which phase does
not touch. Its two biquads are given in the standard for 48 kHz; the analogue parameters behind them, which hold for
every sample rate, are those that libebur128 publishes.
"""

import functools

import numpy as np
import numpy.typing as npt

from understudy.engines.previz.sound.signals import Curve, fft_length, filtered

_SHELF_HZ, _SHELF_DB, _SHELF_Q = 1681.974450955533, 3.999843853973347, 0.7071752369554196
_SHELF_SLOPE = 0.4996667741545416
_HIGH_PASS_HZ, _HIGH_PASS_Q = 38.13547087602444, 0.5003270373238773
_OFFSET_DB = -0.691
_BLOCK_S, _STEP_S = 0.4, 0.1
_ABSOLUTE_GATE_LUFS, _RELATIVE_GATE_LU = -70.0, -10.0
_OVERSAMPLING = 4

Signal = npt.NDArray[np.float32]


@functools.lru_cache(maxsize=8)
def _k_gains(num_bins: int, nyquist_hz: float) -> npt.NDArray[np.float64]:
    rate_hz = 2 * nyquist_hz
    z_inverse = np.exp(-1j * np.pi * np.arange(num_bins) / (num_bins - 1))
    shelf = np.tan(np.pi * _SHELF_HZ / rate_hz)
    top, middle = 10 ** (_SHELF_DB / 20), 10 ** (_SHELF_DB * _SHELF_SLOPE / 20)
    numerator = (
        (top + middle * shelf / _SHELF_Q + shelf**2)
        + 2 * (shelf**2 - top) * z_inverse
        + (top - middle * shelf / _SHELF_Q + shelf**2) * z_inverse**2
    )
    gains = np.abs(numerator / _poles(shelf, _SHELF_Q, z_inverse))
    high_pass = np.tan(np.pi * _HIGH_PASS_HZ / rate_hz)
    norm = 1 + high_pass / _HIGH_PASS_Q + high_pass**2
    return np.asarray(gains * np.abs((1 - z_inverse) ** 2 / (_poles(high_pass, _HIGH_PASS_Q, z_inverse) / norm)))


def _poles(warped: float, q: float, z_inverse: npt.NDArray[np.complex128]) -> npt.NDArray[np.complex128]:
    return (1 + warped / q + warped**2) + 2 * (warped**2 - 1) * z_inverse + (1 - warped / q + warped**2) * z_inverse**2


def k_weighted(signal: Signal, sample_rate_hz: int) -> Signal:
    """Weight a (channels, num_samples) signal as the ear does."""

    def response(frequency_hz: Curve) -> Curve:
        return _k_gains(frequency_hz.size, float(frequency_hz[-1]))

    return filtered(signal, sample_rate_hz, response=response)


def power(weighted: Signal) -> npt.NDArray[np.float64]:
    """Give the instantaneous power of a weighted signal, summed over channels."""
    return np.asarray(np.einsum("cn,cn->n", weighted, weighted, dtype=np.float64))


def lufs(mean_power: float) -> float:
    """Turn mean weighted power into LUFS; silence is minus infinity."""
    return _OFFSET_DB + 10 * float(np.log10(mean_power)) if mean_power > 0 else float("-inf")


def block_powers(signal: Signal, sample_rate_hz: int) -> npt.NDArray[np.float64]:
    """Give the mean weighted power of each 400 ms block, one every 100 ms; a shorter signal is one block."""
    total = np.concatenate(([0.0], np.cumsum(power(k_weighted(signal, sample_rate_hz)))))
    size, step = round(_BLOCK_S * sample_rate_hz), round(_STEP_S * sample_rate_hz)
    if signal.shape[1] <= size:
        return np.array([total[-1] / max(1, signal.shape[1])])
    starts = np.arange(0, signal.shape[1] - size + 1, step)
    return np.asarray(np.maximum(total[starts + size] - total[starts], 0.0) / size)


def integrated_lufs(signal: Signal, sample_rate_hz: int) -> float:
    """Measure the gated integrated loudness of a (channels, num_samples) signal with one or two channels."""
    blocks = block_powers(signal, sample_rate_hz)
    blocks = blocks[blocks > 10 ** ((_ABSOLUTE_GATE_LUFS - _OFFSET_DB) / 10)]
    if not blocks.size:
        return float("-inf")
    gate = float(blocks.mean()) * 10 ** (_RELATIVE_GATE_LU / 10)
    return lufs(float(blocks[blocks > gate].mean()))


def loudest_lufs(signal: Signal, sample_rate_hz: int) -> float:
    """Measure the loudest 400 ms: the right measure for a short event."""
    return lufs(float(block_powers(signal, sample_rate_hz).max()))


def true_peak(signal: Signal) -> float:
    """Measure the largest magnitude between the samples as well, by fourfold oversampling."""
    num_samples = signal.shape[-1]
    length = fft_length(num_samples + 64)
    spectrum = np.fft.rfft(signal, length, axis=-1)
    fine = np.zeros((*spectrum.shape[:-1], _OVERSAMPLING * length // 2 + 1), spectrum.dtype)
    fine[..., : spectrum.shape[-1]] = spectrum
    oversampled = np.fft.irfft(fine, _OVERSAMPLING * length, axis=-1)[..., : _OVERSAMPLING * num_samples]
    return float(np.abs(oversampled).max(initial=0.0)) * _OVERSAMPLING
