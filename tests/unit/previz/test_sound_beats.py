"""Beats are found where there are beats, at the right time, and nowhere else; cuts fall on them."""

from itertools import pairwise

import numpy as np
import pytest

from understudy.engines.previz.sound.beats import beats_of, cut_times

RATE_HZ = 24_000


def clicks(bpm: float, *, seconds: float = 10.0, first_s: float = 0.3) -> np.ndarray:
    """Short knocks at a tempo."""
    samples = np.zeros(round(seconds * RATE_HZ), np.float32)
    rng = np.random.default_rng(1)
    knock = rng.standard_normal(RATE_HZ // 20) * np.exp(-np.arange(RATE_HZ // 20) / (0.008 * RATE_HZ))
    for at_s in knocks_s(bpm, seconds=seconds, first_s=first_s):
        place = round(at_s * RATE_HZ)
        samples[place : place + knock.size] += 0.3 * knock[: samples.size - place]
    return samples


def knocks_s(bpm: float, *, seconds: float = 10.0, first_s: float = 0.3) -> np.ndarray:
    return np.arange(first_s, seconds - 0.15, 60 / bpm)


def nearest_s(moments_s, at_s: float) -> float:
    return min(abs(moment - at_s) for moment in moments_s)


@pytest.mark.parametrize("bpm", [72, 90, 100, 120, 128, 140, 160])
def test_the_beats_of_knocks_are_the_knocks(bpm):
    beats = beats_of(clicks(bpm), RATE_HZ)
    knocks = knocks_s(bpm)
    assert len(beats) == pytest.approx(len(knocks), abs=2)
    assert max(nearest_s(knocks, beat) for beat in beats) < 0.03


def test_a_wrong_tempo_would_be_seen():
    beats = beats_of(clicks(120), RATE_HZ)
    assert max(nearest_s(knocks_s(100), beat) for beat in beats) > 0.2


def test_beats_are_heard_under_a_chord_and_hiss():
    seconds = np.arange(10 * RATE_HZ) / RATE_HZ
    chord = sum(np.sin(2 * np.pi * hertz * seconds) for hertz in (220, 277, 330))
    hiss = np.random.default_rng(2).standard_normal(seconds.size)
    music = clicks(104) + 0.05 * chord.astype(np.float32) + 0.01 * hiss.astype(np.float32)
    beats = beats_of(music, RATE_HZ)
    assert np.median(np.diff(beats)) == pytest.approx(60 / 104, rel=0.02)


def test_a_drift_in_tempo_is_followed():
    knocks = np.cumsum(60 / np.linspace(112, 124, 18))
    samples = np.zeros(11 * RATE_HZ, np.float32)
    for at_s in knocks:
        samples[round(at_s * RATE_HZ) : round(at_s * RATE_HZ) + 400] = 0.5
    beats = beats_of(samples, RATE_HZ)
    assert len(beats) >= 16
    assert max(nearest_s(knocks, beat) for beat in beats) < 0.05


@pytest.mark.parametrize("seed", range(6))
def test_noise_has_no_beat(seed):
    noise = 0.1 * np.random.default_rng(seed).standard_normal(8 * RATE_HZ).astype(np.float32)
    assert beats_of(noise, RATE_HZ) == ()


def test_silence_a_steady_tone_and_a_moment_of_sound_have_no_beat():
    seconds = np.arange(6 * RATE_HZ) / RATE_HZ
    assert beats_of(np.zeros(6 * RATE_HZ, np.float32), RATE_HZ) == ()
    assert beats_of(np.sin(2 * np.pi * 440 * seconds).astype(np.float32), RATE_HZ) == ()
    assert beats_of(clicks(120, seconds=1.0), RATE_HZ) == ()
    assert beats_of(np.zeros(0, np.float32), RATE_HZ) == ()


def test_knocks_at_random_moments_have_no_beat():
    rng = np.random.default_rng(5)
    samples = np.zeros(10 * RATE_HZ, np.float32)
    for place in rng.integers(0, samples.size - 500, 25):
        samples[place : place + 400] = 0.5
    assert beats_of(samples, RATE_HZ) == ()


def test_two_channels_have_the_beat_of_one():
    knocks = clicks(120)
    assert beats_of(np.stack((knocks, knocks), axis=1), RATE_HZ) == beats_of(knocks, RATE_HZ)


@pytest.mark.parametrize("shots", [2, 3, 5])
def test_cuts_fall_on_beats_and_part_the_film_about_equally(shots):
    beats = tuple(np.arange(0.3, 10, 0.5))
    cuts = cut_times(beats, 10, shots)
    assert len(cuts) == shots - 1
    assert set(cuts) <= set(beats)
    assert all(abs(cut - 10 * number / shots) <= 0.25 for number, cut in enumerate(cuts, start=1))


def test_without_beats_the_shots_are_equally_long():
    assert cut_times((), 9, 3) == (3.0, 6.0)


def test_many_shots_in_a_short_film_still_follow_each_other():
    cuts = (0.0, *cut_times((0.1, 0.2, 3.9), 4, 9), 4.0)
    assert len(cuts) == 10
    assert all(after > before for before, after in pairwise(cuts))


def test_one_shot_has_no_cut():
    assert cut_times((1.0, 2.0), 4, 1) == ()
