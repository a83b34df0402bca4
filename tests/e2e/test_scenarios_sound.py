"""What films sound like, decoded, and whether what is seen keeps time with it: mouths, cuts, words on the picture."""

from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from film_judges import IN_SYNC, cuts, letters, loudness, onsets_s, pictures, speech_s, voice_mover, watch
from film_studio import FPS, image_file, photograph, sound_file, take, video_file
from sync_judges import sync_of, voice_levels
from understudy.core.content import Role
from understudy.engines.previz.plan import TextKind

TARGET_LUFS, WITHIN_LU = -16.0, 1.0
RATE_HZ = 48_000
CHANCE = 0.58
"""No place of a film without a speaker is more like the sound than this."""

TEXT = "Hello! Welcome to my little garden, my friends."
LINE = f'says: "{TEXT}"'
WOMAN = f"Close-up of a woman in a studio, static camera. She {LINE}"
CAT = f"Close-up of a cat in a studio, static camera. The cat {LINE}"
TOLD = f"Close-up of a woman in a studio, static camera. A voice off screen {LINE}"
SPOKEN = (
    WOMAN,
    f"Thunder and heavy rain in a harbor at night, a man in a coat {LINE}",
    "一只小猫坐在厨房里，开心的音乐，它说：“早上好，欢迎来到我的花园！”",
    'A crowd cheers in a stadium, applause. A commentator says: "And there it is, what a goal!"',
    'Calm piano music, a forest at dawn. A girl whispers: "Listen, the birds are singing."',
)


# Loudness.


def refuses_loudness(path: Path) -> bool:
    heard = loudness(path)
    return abs(heard.lufs - TARGET_LUFS) > WITHIN_LU or heard.peak_db >= 0


@pytest.mark.parametrize("prompt", [SPOKEN[0], *(pytest.param(one, marks=pytest.mark.full) for one in SPOKEN[1:])])
def test_a_film_with_speech_is_as_loud_as_films_are_and_never_clips(prompt):
    heard = loudness(take(prompt).video)
    assert heard.lufs == pytest.approx(TARGET_LUFS, abs=WITHIN_LU)
    assert heard.peak_db < 0


@pytest.mark.parametrize("factor", [0.6, 3.0])
def test_the_same_sound_is_refused_softer_and_overdriven(factor):
    clip = watch(take(WOMAN).video)
    louder = np.clip(clip.wave * factor, -1, 1)[:, None].astype(np.float32)
    assert refuses_loudness(video_file(clip.frames[: FPS * 4], louder))


def test_a_row_of_one_channel_makes_sound_of_one():
    assert loudness(take(WOMAN).video).channels == 1


@pytest.mark.full
def test_a_row_of_two_channels_makes_sound_of_two():
    heard = loudness(take(WOMAN, model="doubao-seedance-2-5-260628").video)
    assert heard.channels == 2
    assert heard.lufs == pytest.approx(TARGET_LUFS, abs=WITHIN_LU)


def test_a_film_that_is_to_be_silent_has_no_sound():
    assert watch(take(WOMAN).video).wave.size > 0
    assert watch(take(CAT, generate_audio=False).video).wave.size == 0


# Mouths.


@cache
def portrait():
    """A photograph of a person, who speaks."""
    face = image_file(photograph("astronaut", (640, 640)))
    return take(f"The camera stands still. The woman {LINE}", (Role.FIRST_FRAME, face), ratio="1:1")


@cache
def person_of_an_image():
    face = image_file(photograph("astronaut", (640, 640)))
    return take(f"The woman from image 1 stands in a studio, static camera. She {LINE}", (Role.REFERENCE_IMAGE, face))


SPEAKERS = {
    "drawn person": lambda: take(WOMAN),
    "drawn cat": lambda: take(CAT),
    "photograph": portrait,
    "person of a reference image": person_of_an_image,
}
USUAL = ("drawn person", "drawn cat", "photograph")


@pytest.mark.parametrize(
    "who", [name if name in USUAL else pytest.param(name, marks=pytest.mark.full) for name in SPEAKERS]
)
def test_something_of_who_speaks_moves_with_the_voice_and_not_with_a_late_one(who):
    clip = watch(SPEAKERS[who]().video)
    mover = voice_mover(clip)
    assert mover.sync.likeness > IN_SYNC
    assert abs(mover.sync.shift_s) <= 1.5 / FPS
    # Nods and gestures may go with a voice, but it comes from the upper part of the picture.
    assert mover.top < 0.6
    assert max(voice_mover(clip, late_frames=late).sync.likeness for late in (-8, 8)) < CHANCE


def redness(clip) -> np.ndarray:
    """How much of each picture is of the dark red of an open mouth."""
    found = []
    for picture in clip.frames:
        hue, saturation, value = cv2.split(cv2.cvtColor(picture, cv2.COLOR_RGB2HSV))
        is_red = (hue > 167) | (hue < 8)
        found.append((is_red & (saturation > 90) & (value > 30) & (value < 150)).mean())
    return np.array(found)


@pytest.mark.parametrize("prompt", [WOMAN, CAT], ids=["person", "cat"])
def test_a_drawn_mouth_itself_opens_as_the_voice_sounds(prompt):
    clip = watch(take(prompt).video)
    in_time, late = (
        sync_of(redness(clip), np.roll(clip.wave, frames * clip.sample_rate_hz // FPS)[:, None], RATE_HZ, FPS)
        for frames in (0, 8)
    )
    assert in_time.likeness > 0.5
    assert abs(in_time.shift_s) <= 1.5 / FPS
    assert late.likeness < 0.3


@pytest.mark.full
def test_nobody_in_the_picture_moves_with_a_voice_from_elsewhere():
    film = take(TOLD)
    assert speech_s(watch(film.video)) > 1
    assert voice_mover(watch(film.video)).sync.likeness < CHANCE
    assert seen_at(film.video, TEXT, TextKind.SIGN).max() < 0.5


# Beats.

THREE = "Shot 1: a cat in a meadow. Shot 2: a red car on a road at night. Shot 3: a dog on a beach. {} audio 1."
ON_THE_BEAT, AS_MUSIC = THREE.format("Cut to the beat of"), THREE.format("The music is")
BEAT_S = 60 / 104


@cache
def drum() -> Path:
    """Six seconds of short knocks."""
    times_s = np.arange(6 * RATE_HZ) / RATE_HZ
    noise = np.random.default_rng(1).standard_normal(times_s.size)
    return sound_file((0.4 * noise * np.exp(-(times_s % BEAT_S) * 120)).astype(np.float32))


def off_the_beat_frames(prompt: str, late_s: float = 0.0) -> float:
    """How far the worst cut of the prompt's film is from a knock that is heard, or from so long after one."""
    clip = watch(take(prompt, (Role.REFERENCE_AUDIO, drum()), duration_s=5).video)
    knocks_s = [knock_s + late_s for knock_s in onsets_s(clip)]
    assert len(knocks_s) >= 4
    assert len(cuts(clip)) == 2
    return max(min(abs(cut - knock_s * FPS) for knock_s in knocks_s) for cut in cuts(clip))


@pytest.mark.full
def test_cuts_fall_on_the_beats_of_given_music_where_that_is_asked_for():
    assert off_the_beat_frames(ON_THE_BEAT) <= 1.5
    assert off_the_beat_frames(ON_THE_BEAT, late_s=BEAT_S / 2) > 1.5


@pytest.mark.full
def test_cuts_do_not_fall_on_the_beats_of_music_that_is_only_heard():
    assert off_the_beat_frames(AS_MUSIC) > 1.5


# Words.

CARD = 'Shot 1: a meadow by day, the title "SPRING" appears. Shot 2: a harbor by day.'
SUBTITLED = f"A woman in a studio, static camera, with subtitles. She {LINE}"


def seen_at(path: Path, text: str, kind: TextKind, num_frames: int = 4 * FPS) -> np.ndarray:
    """How well a text is found in every sixth frame."""
    return np.array([letters(picture, text, kind) for picture in pictures(path, range(0, num_frames, 6))])


def test_a_title_is_seen_in_its_shot_and_not_in_the_next():
    clip = watch(take(CARD).video)
    (cut,) = cuts(clip)
    found = seen_at(take(CARD).video, "SPRING", TextKind.TITLE)
    inside, after = found[: cut // 6], found[-(-cut // 6) :]
    assert inside[1:].min() > 0.9
    assert after.max() < 0.5
    assert seen_at(take(CARD).video, "STRING", TextKind.TITLE).max() < 0.9


@pytest.mark.full
def test_a_subtitle_is_seen_while_its_line_is_heard_and_only_then():
    film = take(SUBTITLED, duration_s=6)
    clip = watch(film.video)
    is_seen = seen_at(film.video, TEXT, TextKind.SUBTITLE, 6 * FPS) > 0.9
    levels = voice_levels(clip.wave[:, None], clip.sample_rate_hz, FPS)
    is_loud = levels > 0.25 * levels.max()
    loud = np.flatnonzero(is_loud)
    assert is_seen[-(-loud[0] // 6) + 1 : loud[-1] // 6].all()
    assert not is_seen[-(-(loud[-1] + 12) // 6) :].any()
    assert not is_seen[: max(0, (loud[0] - 6) // 6)].any()
    assert not (seen_at(take(WOMAN).video, TEXT, TextKind.SUBTITLE) > 0.5).any()
