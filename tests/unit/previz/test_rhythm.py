"""Cuts fall on the beats of given music where the prompt asks for them, and nowhere else."""

import itertools
import wave
from pathlib import Path

import numpy as np
import pytest

from understudy.core.content import Role
from understudy.engines.previz.engine import planned
from understudy.engines.previz.plan import Shot
from unit.previz.giving import Item, facts_of, job_of

RATE_HZ = 24_000
THREE = "Shot 1: a cat. Shot 2: a dog. Shot 3: a bird. Cut to the beat of audio 1."
ONE = "A dancer on a stage, cut to the beat of audio 1."
TIMED = "0-1s: a cat. 1-6s: a dog. Cut to the beat of audio 1."


def clicks(folder: Path, beats_per_minute: float) -> Item:
    """Six seconds of a drum; 0 beats a minute = noise."""
    times_s = np.arange(6 * RATE_HZ) / RATE_HZ
    if beats_per_minute:
        phase_s = times_s % (60 / beats_per_minute)
        heard = np.sin(2 * np.pi * 180 * phase_s) * np.exp(-phase_s * 30)
    else:
        heard = np.random.default_rng(3).uniform(-0.5, 0.5, times_s.size)
    path = folder / f"clicks{beats_per_minute:g}"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes((heard * 30000).astype("<i2").tobytes())
    return Role.REFERENCE_AUDIO, path, facts_of(Role.REFERENCE_AUDIO, path, duration_s=6.0)


def shots_of(folder: Path, prompt: str, beats_per_minute: float) -> tuple[Shot, ...]:
    job = job_of(folder, clicks(folder, beats_per_minute), prompt=prompt, num_frames=None, duration_s=6)
    return planned(job)[0].shots


def off_the_beat_s(shots: tuple[Shot, ...], beats_per_minute: float) -> float:
    """How far the worst cut is from a beat."""
    beat_s = 60 / beats_per_minute
    return max(abs(shot.start_s - round(shot.start_s / beat_s) * beat_s) for shot in shots[1:])


@pytest.mark.parametrize("beats_per_minute", [80, 104, 132])
def test_cuts_fall_on_the_beats(tmp_path: Path, beats_per_minute: float) -> None:
    shots = shots_of(tmp_path, THREE, beats_per_minute)
    assert len(shots) == 3
    assert off_the_beat_s(shots, beats_per_minute) < 0.05


def test_without_beats_the_cuts_stay_where_they_were(tmp_path: Path) -> None:
    shots = shots_of(tmp_path, THREE, 0)
    assert [round(shot.start_s, 2) for shot in shots] == [0.0, 2.0, 4.0]
    assert off_the_beat_s(shots, 104) > 0.05


def test_without_being_asked_nobody_cuts_on_beats(tmp_path: Path) -> None:
    shots = shots_of(tmp_path, THREE.replace("Cut to the beat of audio 1.", "Audio 1 is the music."), 104)
    assert off_the_beat_s(shots, 104) > 0.05


def test_time_codes_win_over_beats(tmp_path: Path) -> None:
    assert [shot.start_s for shot in shots_of(tmp_path, TIMED, 104)] == [0.0, 1.0]


def test_one_scene_is_cut_into_views_of_it(tmp_path: Path) -> None:
    shots = shots_of(tmp_path, ONE, 120)
    assert len(shots) > 3
    assert off_the_beat_s(shots, 120) < 0.05
    assert {shot.setting for shot in shots} == {shots[0].setting}
    assert all(first.framing != second.framing for first, second in itertools.pairwise(shots))


@pytest.mark.parametrize("prompt", [THREE, ONE, TIMED])
def test_the_shots_still_fill_the_film(tmp_path: Path, prompt: str) -> None:
    shots = shots_of(tmp_path, prompt, 104)
    assert shots[-1].end_s == pytest.approx(6.0)
    assert all(first.end_s == pytest.approx(second.start_s) for first, second in itertools.pairwise(shots))
