"""What the sound tells the pictures is in time with what is heard, in every shot and whoever speaks."""

from itertools import pairwise

import numpy as np
import pytest

from sync_judges import sync_of
from understudy.engines.previz.plan import FilmPlan, Line, SettingKind, Shot, Subject
from understudy.engines.previz.sound import compose_sound
from understudy.engines.previz.speech_timing import ENVELOPE_RATE_HZ, Spoken

RATE_HZ = 24_000
FPS = ENVELOPE_RATE_HZ
OTTER, FOX = Subject(art="otter", word="otter"), Subject(art="fox", word="fox")
GREETING = "Hello, welcome to the harbor! The storm is coming."


def film(*lines: Line, spans_s: tuple[float, ...] = (5,), setting: SettingKind = SettingKind.STUDIO) -> FilmPlan:
    """Shots one after the other, each with an otter and a fox in it."""
    starts_s = [sum(spans_s[:number]) for number in range(len(spans_s))]
    shots = tuple(
        Shot(start_s=start_s, duration_s=span_s, subjects=(OTTER, FOX), setting=setting)
        for start_s, span_s in zip(starts_s, spans_s, strict=True)
    )
    return FilmPlan(prompt="", shots=shots, lines=lines, ratio="16:9", duration_s=round(sum(spans_s)))


def track_of(plan: FilmPlan):
    return compose_sound(plan, sample_rate_hz=RATE_HZ, channels=2, seed=3)


def openings(spoken: tuple[Spoken, ...], num_frames: int) -> np.ndarray:
    """One number a frame: how far a mouth that follows the sound's word stands open."""
    frames = np.zeros(num_frames)
    for one in spoken:
        for place, value in enumerate(one.envelope):
            if (at := round(one.start_s * FPS) + place) < num_frames:
                frames[at] = value
    return frames


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (GREETING, "en"),
        pytest.param("你好，欢迎来到港口，暴风雨要来了。", "zh", marks=pytest.mark.full),
        pytest.param("Hola, bienvenidos al puerto. La tormenta ya viene.", "es", marks=pytest.mark.full),
    ],
)
@pytest.mark.parametrize("setting", [SettingKind.STUDIO, SettingKind.HARBOR])
def test_a_mouth_that_follows_is_in_sync(text, language, setting):
    plan = film(Line(text=text, language=language, speaker=0), spans_s=(6,), setting=setting)
    track = track_of(plan)
    sync = sync_of(openings(track.spoken, 6 * FPS), track.samples, RATE_HZ, FPS)
    assert sync.likeness > 0.7
    assert abs(sync.shift_s) <= 1.5 / FPS


@pytest.mark.parametrize("late_frames", [-8, 6, 12])
def test_a_mouth_that_is_late_or_early_is_seen(late_frames):
    track = track_of(film(Line(text=GREETING, speaker=0)))
    sync = sync_of(np.roll(openings(track.spoken, 5 * FPS), late_frames), track.samples, RATE_HZ, FPS)
    assert sync.likeness < 0.6
    assert sync.shift_s == pytest.approx(late_frames / FPS, abs=1.5 / FPS)


def test_a_mouth_that_stays_shut_or_chatters_is_not_in_sync():
    track = track_of(film(Line(text=GREETING, speaker=0)))
    chatter = np.random.default_rng(1).random(5 * FPS)
    assert sync_of(np.zeros(5 * FPS), track.samples, RATE_HZ, FPS).likeness == 0
    assert sync_of(chatter, track.samples, RATE_HZ, FPS).best < 0.5


def test_each_line_is_said_in_its_own_shot_and_tells_who_says_it():
    plan = film(
        Line(text="Who are you?", speaker=0, shot=0), Line(text="The captain.", speaker=1, shot=2), spans_s=(2, 3, 3)
    )
    first, second = track_of(plan).spoken
    assert (first.shot, first.speaker, second.shot, second.speaker) == (0, 0, 2, 1)
    assert 0 < first.start_s < first.end_s < 2
    assert 5 < second.start_s < second.end_s < 8


def test_a_line_that_is_too_long_for_its_shot_goes_on_and_the_next_one_waits():
    plan = film(
        Line(text="We walked along the river and talked of many, many things.", speaker=0, shot=0),
        Line(text="And then?", speaker=1, shot=1),
        spans_s=(2, 4),
    )
    track = track_of(plan)
    first, second = track.spoken
    assert first.start_s < 2 < first.end_s < second.start_s
    assert "line 1 goes on into the next shot: its own is too short for it" in track.notes


def test_a_line_is_never_said_before_its_shot():
    spans_s = (2, 2, 2, 2)
    lines = [Line(text="Look at this now.", speaker=0, shot=shot) for shot in range(4)]
    spoken = track_of(film(*lines, spans_s=spans_s)).spoken
    assert all(one.start_s >= 2 * one.shot for one in spoken)
    assert all(before.end_s < after.start_s for before, after in pairwise(spoken))


def test_who_speaks_in_two_shots_has_one_voice_wherever_they_stand():
    from understudy.engines.previz.sound.cast import cast_voices

    shots = (
        Shot(duration_s=2, subjects=(OTTER, FOX)),
        Shot(duration_s=2, start_s=2, subjects=(FOX,)),
        Shot(duration_s=2, start_s=4, subjects=(OTTER, OTTER)),
    )
    lines = [
        Line(text="One.", speaker=0, shot=0),
        Line(text="Two.", speaker=1, shot=0),
        Line(text="Three.", speaker=0, shot=1),
        Line(text="Four.", speaker=0, shot=2),
        Line(text="Five.", speaker=1, shot=2),
    ]
    otter, fox, fox_again, otter_again, other_otter = cast_voices(lines, shots)
    assert fox == fox_again
    assert otter == otter_again
    assert len({otter, fox, other_otter}) == 3
