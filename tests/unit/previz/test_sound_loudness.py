"""The loudness meter against what the standard says of known signals."""

import numpy as np
import pytest

from understudy.engines.previz.sound.loudness import integrated_lufs, loudest_lufs, true_peak
from unit.previz.listening import sine


@pytest.mark.parametrize("rate_hz", [48_000, 44_100, 24_000])
def test_a_full_scale_sine_of_997_hz_reads_minus_3_01(rate_hz):
    # Source: ITU-R BS.1770-5, annex 1: such a tone in one channel indicates -3.01 LKFS.
    assert integrated_lufs(sine(997, seconds=5, rate_hz=rate_hz), rate_hz) == pytest.approx(-3.01, abs=0.05)


def test_a_tone_in_both_channels_reads_three_decibels_more_than_in_one():
    # Source: EBU Tech 3341, test case 1: a stereo sine of 1 kHz at -23 dBFS reads -23 LUFS.
    tone = sine(1000, seconds=20, rate_hz=48_000, peak=10 ** (-23 / 20), channels=2)
    assert integrated_lufs(tone, 48_000) == pytest.approx(-23.0, abs=0.1)


def test_quiet_passages_are_gated_out():
    # Source: EBU Tech 3341, test case 3: -36, -23, -36 dBFS for 10, 60, 10 s reads -23 LUFS.
    quiet = sine(1000, seconds=10, rate_hz=8_000, peak=10 ** (-36 / 20), channels=2)
    loud = sine(1000, seconds=60, rate_hz=8_000, peak=10 ** (-23 / 20), channels=2)
    assert integrated_lufs(np.hstack([quiet, loud, quiet]), 8_000) == pytest.approx(-23.0, abs=0.1)


def test_low_and_high_frequencies_weigh_as_the_standard_says():
    # Source: ITU-R BS.1770-5, table 1 and 2: the two biquads at 48 kHz, evaluated here from their coefficients.
    def weight_db(frequency_hz: float) -> float:
        z = np.exp(-2j * np.pi * frequency_hz / 48_000)
        shelf = (1.53512485958697 - 2.69169618940638 * z + 1.19839281085285 * z**2) / (
            1 - 1.69065929318241 * z + 0.73248077421585 * z**2
        )
        high_pass = (1 - 2 * z + z**2) / (1 - 1.99004745483398 * z + 0.99007225036621 * z**2)
        return float(20 * np.log10(abs(shelf * high_pass)))

    for frequency_hz in (40.0, 100.0, 1000.0, 3000.0, 10_000.0):
        read = integrated_lufs(sine(frequency_hz, seconds=4, rate_hz=48_000), 48_000)
        assert read == pytest.approx(-0.691 - 3.0103 + weight_db(frequency_hz), abs=0.05)


def test_silence_is_minus_infinity():
    assert integrated_lufs(np.zeros((2, 48_000), np.float32), 48_000) == float("-inf")


def test_the_loudest_moment_is_that_of_a_burst():
    signal = np.zeros((1, 96_000), np.float32)
    signal[:, 40_000:70_000] = sine(997, seconds=30_000 / 48_000, rate_hz=48_000, peak=0.5)
    assert loudest_lufs(signal, 48_000) == pytest.approx(-3.01 - 6.02, abs=0.1)


def test_a_peak_between_two_samples_is_found():
    # A tone at a quarter of the rate, sampled off its crests, shows 0.707 of its amplitude.
    wave = np.sin(np.pi / 2 * np.arange(4800) + np.pi / 4)[None, :].astype(np.float32)
    wave *= np.hanning(4800).astype(np.float32)
    assert np.abs(wave).max() < 0.72
    assert true_peak(wave) == pytest.approx(1.0, abs=0.02)
