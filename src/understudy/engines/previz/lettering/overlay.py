"""When and where the texts of a film are seen, and putting them on its frames."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from understudy.engines.previz.lettering.cards import card_of
from understudy.engines.previz.pictures.canvas import Bitmap, Canvas
from understudy.engines.previz.plan import FilmPlan, ScreenText, Shot, TextKind
from understudy.engines.previz.speech_timing import Spoken
from understudy.media.letters import Card

FADE_S = {TextKind.TITLE: 0.5, TextKind.CAPTION: 0.3, TextKind.SUBTITLE: 0.0, TextKind.BUBBLE: 0.15, TextKind.SIGN: 0.0}
_MARGIN = 0.06
_RAISED = 0.13
"""What stands at the foot of the frame, in parts of its height; captions stand above subtitles."""

_AFTER_SPEECH_S = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """A card in the film. top, left: its first row and column in the frame; may lie outside."""

    card: Card
    left_px: int
    top_px: int
    first: int
    end: int
    fade: int


class Lettering:
    """Puts the texts of a plan on the frames of its film; every text is drawn once, before the first frame."""

    def __init__(self, plan: FilmPlan, canvas: Canvas, *, spoken: Sequence[Spoken] = ()) -> None:
        self._canvas = canvas
        self._shown: list[_Shown] = []
        for number, shot in enumerate(plan.shots):
            for text in shot.texts:
                self._place(text, shot, said=_said(text, number, plan, spoken=spoken))

    def stamp(self, rgba: Bitmap, index: int) -> None:
        """Put on a frame of the film what is to be read in it, in place."""
        for shown in self._shown:
            if shown.first <= index < shown.end:
                rise = (index - shown.first + 1) / (shown.fade + 1)
                fall = (shown.end - index) / (shown.fade + 1)
                _blend(rgba, shown, min(1.0, rise, fall))

    def _place(self, text: ScreenText, shot: Shot, *, said: Spoken | None) -> None:
        frame_px = (self._canvas.width_px, self._canvas.height_px)
        x, y = _point_of(text, shot)
        tail = min(max(x, 0.2), 0.8)
        drawn = card_of(text.text, text.kind, frame_px, tail=tail)
        if drawn is None:
            return
        height_px, width_px = drawn.card.shape[:2]
        left = round(x * frame_px[0] - drawn.anchor[0] * width_px)
        top = round(y * frame_px[1] - drawn.anchor[1] * height_px)
        left = min(max(left, 0), max(0, frame_px[0] - width_px))
        top = min(max(top, 0), max(0, frame_px[1] - height_px))
        start_s, end_s = _span_of(text, shot, said)
        fps = self._canvas.fps
        first, end = round(start_s * fps), min(round(end_s * fps), self._canvas.num_frames)
        fade = min(round(FADE_S[text.kind] * fps), max(0, (end - first) // 3))
        self._shown.append(_Shown(card=drawn.card, left_px=left, top_px=top, first=first, end=end, fade=fade))


def _said(text: ScreenText, number: int, plan: FilmPlan, *, spoken: Sequence[Spoken]) -> Spoken | None:
    """Return when a text is spoken, if it is a line of its shot."""
    for line in spoken:
        if line.shot == number and line.line >= 0 and plan.lines[line.line].text.strip() == text.text.strip():
            return line
    return None


def _span_of(text: ScreenText, shot: Shot, said: Spoken | None) -> tuple[float, float]:
    """Return from when to when a text is seen, in seconds of the film."""
    # Where lines are to be read along, the plan only guesses when each is said.
    if said is not None and (text.kind is TextKind.SUBTITLE or not text.end_s):
        return max(shot.start_s, said.start_s), min(shot.end_s, said.end_s + _AFTER_SPEECH_S)
    end_s = shot.start_s + text.end_s if text.end_s else shot.end_s
    return shot.start_s + text.start_s, min(end_s, shot.end_s)


def _point_of(text: ScreenText, shot: Shot) -> tuple[float, float]:
    """Return where the anchor of a text's card is put, in parts of the frame."""
    if text.kind is TextKind.BUBBLE:
        return _usual_head(text.speaker, len(shot.subjects))
    across = {"left": 0.26, "right": 0.74}.get(text.place, 0.5)
    if text.kind is TextKind.SUBTITLE:
        return across, {"top": 0.16}.get(text.place, 1 - _MARGIN)
    if text.kind is TextKind.CAPTION:
        left = {"right": 0.5, "centre": 0.25}.get(text.place, _MARGIN)
        return left, {"top": 0.2, "centre": 0.55}.get(text.place, 1 - _MARGIN - _RAISED)
    down = {"top": 0.16, "bottom": 0.84}.get(text.place, 0.3 if text.kind is TextKind.SIGN else 0.5)
    return across, down


def _usual_head(speaker: int | None, num_subjects: int) -> tuple[float, float]:
    """Return where a head is likely: subjects stand side by side."""
    if speaker is None or num_subjects < 2:
        return 0.5, 0.3
    return 0.22 + 0.56 * min(speaker, num_subjects - 1) / (num_subjects - 1), 0.34


def _blend(rgba: Bitmap, shown: _Shown, opacity: float) -> None:
    height_px, width_px = shown.card.shape[:2]
    rows = slice(shown.top_px, min(shown.top_px + height_px, rgba.shape[0]))
    columns = slice(shown.left_px, min(shown.left_px + width_px, rgba.shape[1]))
    patch = rgba[rows, columns]
    card = shown.card[: patch.shape[0], : patch.shape[1]]
    if opacity < 1:
        card = np.asarray(cv2.convertScaleAbs(card, alpha=opacity), dtype=np.uint8)
    kept = cv2.merge([255 - card[:, :, 3]] * 3)
    behind = cv2.multiply(np.ascontiguousarray(patch[:, :, :3]), kept, scale=1 / 255)
    patch[:, :, :3] = cv2.add(behind, np.ascontiguousarray(card[:, :, :3]))
