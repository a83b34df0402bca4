"""Texts in the picture: every script has letters, lines fit, and each kind stands where it belongs."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from understudy.engines.previz.lettering import Lettering
from understudy.engines.previz.lettering.cards import card_of, kinds
from understudy.engines.previz.pictures.canvas import Canvas
from understudy.engines.previz.plan import FilmPlan, Line, ScreenText, Shot, Subject, TextKind
from understudy.engines.previz.speech_timing import Spoken
from understudy.media.letters import lines_of, width_px, writable

FRAME_PX = (640, 360)
SENTENCES = {
    "en": "The harbour at dawn is quiet",
    "zh": "清晨的港口十分安静，船还没有出海。",
    "ja": "夜明けの港はとても静かです。ゆっくり歩こう。",
    "es": "¿Dónde está el niño? ¡Mañana será otro día!",
    "pt": "Não há ninguém no cais, só o vento e a canção.",
    "id": "Pelabuhan itu sunyi saat fajar menyingsing",
}


def plan_of(text: ScreenText, **changes: object) -> FilmPlan:
    shot = Shot(duration_s=4, texts=(text,), subjects=(Subject(art="cat", word=""), Subject(art="dog", word="")))
    plan = FilmPlan(prompt="", shots=(shot,), lines=(), ratio="16:9", duration_s=4)
    return replace(plan, **changes)  # type: ignore[arg-type]


def inked(plan: FilmPlan, index: int, spoken: tuple[Spoken, ...] = ()) -> npt.NDArray[np.bool_]:
    """Which pixels of a grey frame the texts changed."""
    canvas = Canvas(width_px=FRAME_PX[0], height_px=FRAME_PX[1], fps=24, num_frames=96, seed=1)
    frame = np.full((FRAME_PX[1], FRAME_PX[0], 4), 127, dtype=np.uint8)
    Lettering(plan, canvas, spoken=spoken).stamp(frame, index)
    return np.asarray((frame[:, :, :3] != 127).any(axis=2))


def middle_of(ink: npt.NDArray[np.bool_]) -> tuple[float, float]:
    rows, columns = np.nonzero(ink)
    return float(columns.mean()) / FRAME_PX[0], float(rows.mean()) / FRAME_PX[1]


@pytest.mark.parametrize("sentence", SENTENCES.values(), ids=SENTENCES)
def test_every_letter_of_the_six_languages_can_be_written(sentence: str) -> None:
    assert writable(sentence) == sentence


def test_what_no_letter_exists_for_is_left_out() -> None:
    assert writable("Hi 😀 there") == "Hi there"
    assert card_of("😀", TextKind.TITLE, FRAME_PX) is None


@pytest.mark.parametrize("sentence", SENTENCES.values(), ids=SENTENCES)
def test_lines_fit_and_lose_nothing(sentence: str) -> None:
    lines = lines_of(sentence, 20, width_most_px=150)
    assert len(lines) > 1
    assert "".join(lines).replace(" ", "") == sentence.replace(" ", "")
    assert all(width_px(line, 20) <= 150 + 20 for line in lines)


def test_a_word_is_not_broken_and_a_line_does_not_begin_with_a_comma() -> None:
    words = SENTENCES["en"].split()
    assert all(word in words for line in lines_of(SENTENCES["en"], 20, width_most_px=120) for word in line.split())
    assert not any(line[0] in "，。" for line in lines_of(SENTENCES["zh"] * 3, 20, width_most_px=100))


@pytest.mark.parametrize("kind", kinds())
@pytest.mark.parametrize(
    "text", ["Hi", SENTENCES["es"], SENTENCES["zh"] * 12, "W" * 400], ids=["short", "one", "long", "unbroken"]
)
def test_a_card_keeps_to_the_frame(kind: TextKind, text: str) -> None:
    drawn = card_of(text, kind, FRAME_PX)
    assert drawn is not None
    assert drawn.card.shape[1] <= FRAME_PX[0]
    assert drawn.card.shape[0] <= FRAME_PX[1] * 0.75
    assert drawn.card[:, :, 3].max() > 200


PLACES = {
    "title": (TextKind.TITLE, "", (0.5, 0.5)),
    "title above": (TextKind.TITLE, "top", (0.5, 0.16)),
    "title on the left": (TextKind.TITLE, "left", (0.26, 0.5)),
    "subtitle": (TextKind.SUBTITLE, "", (0.5, 0.9)),
    "caption": (TextKind.CAPTION, "", (0.15, 0.77)),
}


@pytest.mark.parametrize(("kind", "place", "expected"), PLACES.values(), ids=PLACES)
def test_a_text_stands_where_it_belongs(kind: TextKind, place: str, expected: tuple[float, float]) -> None:
    x, y = middle_of(inked(plan_of(ScreenText(text="Dawn", kind=kind, place=place)), 48))
    assert x == pytest.approx(expected[0], abs=0.06)
    assert y == pytest.approx(expected[1], abs=0.06)


def test_bubbles_stand_over_those_who_speak() -> None:
    first, second = (
        middle_of(inked(plan_of(ScreenText(text="Hi", kind=TextKind.BUBBLE, speaker=who)), 48)) for who in (0, 1)
    )
    assert first[0] < 0.4 < 0.6 < second[0]
    assert max(first[1], second[1]) < 0.45


def test_a_subtitle_is_seen_while_its_line_is_heard() -> None:
    text = ScreenText(text="Hello", kind=TextKind.SUBTITLE)
    plan = plan_of(text, lines=(Line(text="Hello", speaker=0),))
    spoken = (Spoken(line=0, start_s=1.0, end_s=2.0, envelope=(1.0,), speaker=0),)
    seen = [inked(plan, index, spoken).any() for index in (12, 36, 72)]
    assert seen == [False, True, False]


def test_a_text_comes_and_goes_softly() -> None:
    plan = plan_of(ScreenText(text="DAWN", kind=TextKind.TITLE))
    canvas = Canvas(width_px=FRAME_PX[0], height_px=FRAME_PX[1], fps=24, num_frames=96, seed=1)
    lettering = Lettering(plan, canvas)
    brightest = []
    for index in (0, 5, 48, 95):
        frame = np.zeros((FRAME_PX[1], FRAME_PX[0], 4), dtype=np.uint8)
        lettering.stamp(frame, index)
        brightest.append(int(frame[:, :, 0].max()))
    assert brightest[0] < brightest[1] < brightest[2] == 255
    assert brightest[3] == brightest[0]
