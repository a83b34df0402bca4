"""One word of the prompt changes, and what that word names changes in the film.

Each row holds a prompt with a gap, the word that belongs there, a swapped word, and a judge of the finished film that
knows only the first word. The judge must accept the film of the first word and refuse the film of the swapped one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from hibari import Hibari
from hibari.tts import SAMPLE_RATE
from numpy.typing import NDArray

import film_judges as judge
from film_judges import Clip
from film_studio import take
from understudy.engines.previz.art import svg

PANEL = ("elephant", "rabbit", "pig", "duck")
"""Drawings among which a judge has to recognise the subject; the commonest animals are figures, not these drawings."""

LINES = ("Good morning to all of you.", "Danger! Run!", "I have never seen such a lovely harbor.")
"""Lines among which a judge has to recognise the one that was spoken."""


PIG_HUES = (330, 12)
"""The colours of the drawn pig, which a meadow does not have."""

FOUND = 0.47
"""Between what right drawings reach and wrong ones do: see `film_judges.find_drawing`."""


def likeliest_drawing(clip: Clip) -> str:
    found = {art: judge.find_drawing(clip, svg(art))[0] for art in PANEL}
    best = max(found, key=found.__getitem__)
    return best if found[best] > FOUND else "none"


@cache
def recording(text: str) -> NDArray[np.float32]:
    """The line as the installed voice reads it by itself, without our casting, placing or mixing."""
    return np.asarray(Hibari(voice="heart", threads=1)(text, seed=0), dtype=np.float32).ravel()


def likeliest_line(clip: Clip) -> str:
    return max(LINES, key=lambda text: judge.hears(clip, recording(text), SAMPLE_RATE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """``frame`` has a gap {} for the word."""

    names: str
    frame: str
    word: str
    swapped: str
    accepts: Callable[[Clip], bool]


DAY = "A cat sits in a {} on a clear day, static camera."
CAMERA = "A cat sits in a forest on a clear day, the camera {}."
WEATHER = "A cat sits in a meadow by day, {}, static camera."

ROWS = (
    Row(
        names="subject: elephant",
        frame="A {} sits in a meadow on a clear day, static camera.",
        word="elephant",
        swapped="rabbit",
        accepts=lambda clip: likeliest_drawing(clip) == "elephant",
    ),
    Row(
        names="subject: rabbit",
        frame="A {} sits in a meadow on a clear day, static camera.",
        word="rabbit",
        swapped="elephant",
        accepts=lambda clip: likeliest_drawing(clip) == "rabbit",
    ),
    Row(
        names="subject: pig",
        frame="A {} runs across a meadow on a clear day, static camera.",
        word="pig",
        swapped="elephant",
        accepts=lambda clip: likeliest_drawing(clip) == "pig",
    ),
    Row(
        names="light: night",
        frame="A cat sits in a meadow at {}, static camera.",
        word="night",
        swapped="noon",
        accepts=lambda clip: judge.luminance(clip) < 85,
    ),
    Row(
        names="light: dusk",
        frame="A cat sits in a meadow at {}, static camera.",
        word="dusk",
        swapped="noon",
        accepts=lambda clip: judge.warmth(clip) > 25,
    ),
    Row(
        names="weather: rain",
        frame=WEATHER,
        word="heavy rain",
        swapped="clear sky",
        accepts=lambda clip: judge.flicker(clip) > 0.2,
    ),
    Row(
        names="weather: snow",
        frame=WEATHER,
        word="heavy snow",
        swapped="clear sky",
        accepts=lambda clip: judge.flicker(clip) > 0.8,
    ),
    Row(
        names="weather: the sound of rain",
        frame=WEATHER,
        word="heavy rain",
        swapped="clear sky",
        accepts=lambda clip: judge.band_share(clip, 6000, 20000) > 0.12,
    ),
    Row(
        names="camera: pan left",
        frame=CAMERA,
        word="pans left",
        swapped="pans right",
        accepts=lambda clip: judge.drift(clip)[0] > 15,
    ),
    Row(
        names="camera: pan right",
        frame=CAMERA,
        word="pans right",
        swapped="pans left",
        accepts=lambda clip: judge.drift(clip)[0] < -15,
    ),
    Row(
        names="camera: tilt up",
        frame=CAMERA,
        word="tilts up",
        swapped="tilts down",
        accepts=lambda clip: judge.drift(clip)[1] > 8,
    ),
    Row(
        names="camera: push in",
        frame=CAMERA,
        word="pushes in",
        swapped="pulls out",
        accepts=lambda clip: judge.expansion(clip) > 0.03,
    ),
    Row(
        names="camera: pull out",
        frame=CAMERA,
        word="pulls out",
        swapped="pushes in",
        accepts=lambda clip: judge.expansion(clip) < -0.03,
    ),
    Row(
        names="setting: forest",
        frame=DAY,
        word="forest",
        swapped="desert",
        accepts=lambda clip: judge.hue_share(clip.middle, (70, 170)) > 0.4,
    ),
    Row(
        names="setting: snowfield",
        frame=DAY,
        word="snowfield",
        swapped="forest",
        accepts=lambda clip: judge.whiteness(clip.middle[clip.middle.shape[0] // 2 :]) > 0.4,
    ),
    Row(
        names="colour of the subject: red",
        frame="A {} car stands on a road by day, static camera.",
        word="red",
        swapped="blue",
        accepts=lambda clip: judge.hue_share(judge.centre(clip), (345, 15)) > 0.2,
    ),
    Row(
        names="particles: petals",
        frame="A cat sits in a street by day, falling {}, static camera.",
        word="cherry blossoms",
        swapped="autumn leaves",
        accepts=lambda clip: judge.moving_hue_share(clip, (315, 352)) > 0.5,
    ),
    Row(
        names="action: jump",
        frame="A cat {} in a meadow on a clear day, static camera.",
        word="jumps",
        swapped="sleeps",
        accepts=lambda clip: judge.bobbing(clip) > 0.5,
    ),
    Row(
        names="framing: close-up",
        frame="{} of a pig in a meadow on a clear day, static camera.",
        word="Close-up",
        swapped="Wide shot",
        accepts=lambda clip: judge.hue_share(clip.middle, PIG_HUES) > 0.2,
    ),
    Row(
        names="framing: wide shot",
        frame="{} of a pig in a meadow on a clear day, static camera.",
        word="Wide shot",
        swapped="Close-up",
        accepts=lambda clip: 0.01 < judge.hue_share(clip.middle, PIG_HUES) < 0.1,
    ),
    Row(
        names="line",
        frame='A cat sits in a room by day, static camera. The cat says: "{}"',
        word=LINES[0],
        swapped=LINES[2],
        accepts=lambda clip: likeliest_line(clip) == LINES[0],
    ),
    Row(
        names="another line",
        frame='A cat sits in a room by day, static camera. The cat says: "{}"',
        word=LINES[2],
        swapped=LINES[0],
        accepts=lambda clip: likeliest_line(clip) == LINES[2],
    ),
    Row(
        names="sound: thunder",
        frame="A cat sits in a room by day, static camera, the sound of {}.",
        word="thunder",
        swapped="birdsong",
        accepts=lambda clip: judge.band_share(clip, 20, 250) > 0.6,
    ),
    Row(
        names="sound: birds",
        frame="A cat sits in a room by day, static camera, the sound of {}.",
        word="birdsong",
        swapped="thunder",
        accepts=lambda clip: judge.band_share(clip, 1800, 8000) > 0.4,
    ),
)


ELSEWHERE = {
    *("subject: pig", "light: dusk", "weather: snow", "camera: tilt up", "setting: snowfield", "particles: petals"),
    *("sound: thunder", "sound: birds"),
}
"""Words of kinds of which another row has a film; that each of them is painted or heard, unit tests tell."""


def row_of(row: Row, *, is_swapped: bool) -> object:
    mark = pytest.mark.long if row.names in ELSEWHERE else pytest.mark.full
    return pytest.param(row, is_swapped, marks=mark, id=f"{row.names}{', swapped' * is_swapped}")


@pytest.mark.parametrize(
    ("row", "is_swapped"), [row_of(row, is_swapped=swapped) for row in ROWS for swapped in (False, True)]
)
def test_the_judge_of_a_word_accepts_its_film_and_refuses_the_swapped_one(row, is_swapped):
    film = take(row.frame.format(row.swapped if is_swapped else row.word))
    assert row.accepts(judge.watch(film.video)) is not is_swapped


@pytest.mark.full
def test_a_quoted_line_adds_speech():
    scene = "A cat sits in a room by day, static camera."
    spoken = judge.watch(take(f'{scene} The cat says: "{LINES[2]}"').video)
    assert judge.speech_s(spoken) > judge.speech_s(judge.watch(take(scene).video)) + 0.5
