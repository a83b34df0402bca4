"""The sound of a film as a whole: length, level, edges, determinism, and that every plan has a sound."""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest

from understudy.engines.previz.plan import (
    Action,
    Line,
    SettingKind,
    SoundCue,
    Subject,
    TimeOfDay,
    Weather,
)
from understudy.engines.previz.sound import compose_sound
from understudy.engines.previz.sound.loudness import integrated_lufs, true_peak
from unit.previz.listening import plan_of

RATE_HZ = 16_000
LINE = Line(text="Hello, welcome to the harbor!", speaker=0)


def sound(rate_hz: int = RATE_HZ, channels: int = 2, seed: int = 7, **changes: object):
    return compose_sound(plan_of(**changes), sample_rate_hz=rate_hz, channels=channels, seed=seed)


def lufs(track) -> float:
    return integrated_lufs(np.ascontiguousarray(track.samples.T), track.sample_rate_hz)


@pytest.mark.parametrize(
    ("rate_hz", "channels", "duration_s"), [(48_000, 2, 4), (44_100, 2, 5), (16_000, 1, 7), (8_000, 2, 15)]
)
def test_a_sound_track_has_exactly_the_length_of_its_film(rate_hz, channels, duration_s):
    track = sound(rate_hz, channels, duration_s=duration_s, lines=(LINE,))
    assert track.samples.shape == (rate_hz * duration_s, channels)
    assert track.samples.dtype == np.float32
    assert track.samples.flags.c_contiguous


def test_more_channels_than_the_engine_mixes_are_refused():
    with pytest.raises(ValueError, match="channels is 6"):
        sound(channels=6)


def test_equal_arguments_give_equal_bytes():
    plan = {"lines": (LINE,), "sounds": (SoundCue.GULLS,), "mood": "calm", "weather": Weather.RAIN}
    assert sound(**plan).samples.tobytes() == sound(**plan).samples.tobytes()


def test_another_seed_gives_another_sound():
    first, second = sound(seed=1).samples, sound(seed=2).samples
    assert abs(float(np.corrcoef(first[:, 0], second[:, 0])[0, 1])) < 0.2


FINGERPRINT = """
import hashlib
from understudy.engines.previz.plan import Line, SoundCue, Weather
from understudy.engines.previz.sound import compose_sound
from unit.previz.listening import plan_of
plan = plan_of(lines=(Line(text="Hello, welcome to the harbor!", speaker=0, voice="male"),), mood="calm",
               sounds=(SoundCue.THUNDER,), weather=Weather.STORM)
samples = compose_sound(plan, sample_rate_hz=24_000, channels=2, seed=-3).samples
print(hashlib.sha256(samples.tobytes()).hexdigest())
"""


def test_two_processes_with_other_thread_counts_give_equal_bytes():
    prints = []
    for threads in ("1", "4"):
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        environment = os.environ | dict.fromkeys(names, threads) | {"PYTHONPATH": "tests", "PYTHONHASHSEED": threads}
        done = subprocess.run(
            [sys.executable, "-c", FINGERPRINT], env=environment, capture_output=True, text=True, check=True
        )
        prints.append(done.stdout.strip())
    assert prints[0] == prints[1]
    assert len(bytes.fromhex(prints[0])) == hashlib.sha256().digest_size


def every_plan():
    for setting in SettingKind:
        yield pytest.param({"setting": setting}, id=f"setting {setting}")
    for weather in Weather:
        yield pytest.param({"weather": weather, "setting": SettingKind.HARBOR}, id=f"weather {weather}")
        yield pytest.param({"weather": weather, "setting": SettingKind.ROOM}, id=f"weather {weather} indoors")
    for hour in TimeOfDay:
        yield pytest.param({"time_of_day": hour, "setting": SettingKind.FARM}, id=f"time {hour}")
    for cue in SoundCue:
        yield pytest.param({"sounds": (cue,), "setting": SettingKind.STUDIO}, id=f"cue {cue}")
    for action in Action:
        yield pytest.param({"subjects": (Subject(art="", word="x", action=action),)}, id=f"action {action}")


@pytest.mark.parametrize("changes", list(every_plan()))
def test_every_plan_has_a_sound_that_is_whole(changes):
    track = sound(**changes)
    samples = track.samples
    assert np.isfinite(samples).all()
    # Never silence: each half second has some life, apart from the edges, even in a studio.
    halves = samples[RATE_HZ // 4 : -RATE_HZ // 4].reshape(-1, RATE_HZ // 4, 2)
    levels_db = 20 * np.log10(np.sqrt((halves**2).mean(axis=(1, 2))) + 1e-12)
    assert levels_db.min() > -60
    assert true_peak(np.ascontiguousarray(samples.T)) < 10 ** (-1 / 20)
    assert abs(float(samples.mean())) < 1e-3
    assert track.notes == ()


@pytest.mark.parametrize(
    ("changes", "wanted_lufs"),
    [
        ({"lines": (LINE,)}, -16),
        ({"lines": (LINE,), "weather": Weather.STORM, "sounds": tuple(SoundCue)}, -16),
        ({"mood": "joyful"}, -16),
        ({"sounds": (SoundCue.APPLAUSE,)}, -19),
        ({"weather": Weather.STORM}, -19),
        ({"weather": Weather.STORM, "setting": SettingKind.ROOM}, -23),
        ({}, -23),
    ],
)
def test_a_film_is_as_loud_as_what_happens_in_it(changes, wanted_lufs):
    assert lufs(sound(48_000, **changes)) == pytest.approx(wanted_lufs, abs=0.7)


def test_one_channel_is_as_loud_as_two():
    assert lufs(sound(channels=1, lines=(LINE,))) == pytest.approx(-16, abs=0.7)


def test_no_peak_passes_one_decibel_below_full_scale_between_the_samples():
    track = sound(48_000, lines=(LINE,), sounds=(SoundCue.THUNDER, SoundCue.DRUMS, SoundCue.BARK), mood="epic")
    peak_db = 20 * np.log10(true_peak(np.ascontiguousarray(track.samples.T)))
    assert peak_db < -1.0


def test_both_ends_fade_within_ten_milliseconds():
    samples = sound(weather=Weather.STORM).samples
    assert np.abs(samples[0]).max() < 1e-3
    assert np.abs(samples[-1]).max() < 5e-3
    assert np.abs(samples[round(0.01 * RATE_HZ) :][: RATE_HZ // 4]).max() > 0.01


def test_left_and_right_differ_and_neither_is_empty():
    samples = sound(setting=SettingKind.FOREST).samples
    levels = np.sqrt((samples**2).mean(axis=0))
    assert 0.5 < levels[0] / levels[1] < 2
    assert float(np.corrcoef(samples.T)[0, 1]) < 0.8
