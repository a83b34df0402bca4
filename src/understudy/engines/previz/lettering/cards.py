"""A text of each kind as a card: drawn once, at the size of the film."""

from collections.abc import Sequence
from dataclasses import dataclass

import skia

from understudy.engines.previz.plan import TextKind
from understudy.media.letters import (
    LINE_HEIGHT,
    Card,
    Ink,
    blank,
    lines_of,
    paint_of,
    width_px,
    writable,
    write,
)

_LETTER_OF_SHORT_SIDE = {
    TextKind.TITLE: 0.105,
    TextKind.CAPTION: 0.052,
    TextKind.SUBTITLE: 0.055,
    TextKind.BUBBLE: 0.052,
    TextKind.SIGN: 0.075,
}
_WIDTH_OF_FRAME = {
    TextKind.TITLE: 0.84,
    TextKind.CAPTION: 0.62,
    TextKind.SUBTITLE: 0.86,
    TextKind.BUBBLE: 0.42,
    TextKind.SIGN: 0.46,
}
_LINES_MOST = {TextKind.TITLE: 3, TextKind.CAPTION: 3, TextKind.SUBTITLE: 2, TextKind.BUBBLE: 5, TextKind.SIGN: 3}
_SMALLEST = 0.45
"""Of the usual letters: a text that would need smaller ones is cut short, with an ellipsis."""

_WHITE, _NIGHT, _PAPER, _BOARD = (255, 255, 255), (18, 20, 28), (255, 253, 246), (44, 52, 66)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A premultiplied card. anchor: the point of it that is put somewhere, in parts of its size."""

    card: Card
    anchor: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Set:
    """A text that is set: its lines and their size."""

    lines: tuple[str, ...]
    letter_px: float

    @property
    def width_px(self) -> float:
        return max(width_px(line, self.letter_px) for line in self.lines)

    @property
    def height_px(self) -> float:
        return len(self.lines) * LINE_HEIGHT * self.letter_px


def card_of(text: str, kind: TextKind, frame_px: tuple[int, int], *, tail: float = 0.5) -> Drawn | None:
    """Draw a text for frames of (width, height); None where there is nothing that can be written.

    tail: where along its lower edge a bubble's tail leaves it, 0..1.
    """
    text = writable(text)
    if not text:
        return None
    short_px = min(frame_px)
    block = _fitted(
        text, kind, short_px * _LETTER_OF_SHORT_SIDE[kind], width_most_px=frame_px[0] * _WIDTH_OF_FRAME[kind]
    )
    if kind is TextKind.BUBBLE:
        return _bubble(block, tail)
    if kind is TextKind.SIGN:
        return _sign(block)
    if kind is TextKind.CAPTION:
        return _caption(block)
    outline = 0.055 if kind is TextKind.TITLE else 0.085
    return _plain(block, outline=outline, anchor=(0.5, 0.5) if kind is TextKind.TITLE else (0.5, 1.0))


def _fitted(text: str, kind: TextKind, letter_px: float, *, width_most_px: float) -> _Set:
    """Choose the largest letters, no larger than usual, with which the text keeps to its lines."""
    smallest_px = letter_px * _SMALLEST
    most = _LINES_MOST[kind]
    while True:
        lines = lines_of(text, letter_px, width_most_px=width_most_px)
        fits = len(lines) <= most and all(width_px(line, letter_px) <= width_most_px for line in lines)
        if fits or letter_px <= smallest_px:
            break
        letter_px = max(smallest_px, letter_px * 0.92)
    if len(lines) > most:
        lines = (*lines[: most - 1], lines[most - 1] + "…")
    return _Set(lines=tuple(_clipped(line, letter_px, width_most_px) for line in lines), letter_px=letter_px)


def _clipped(line: str, letter_px: float, width_most_px: float) -> str:
    while len(line) > 1 and width_px(line, letter_px) > width_most_px:
        line = line.rstrip("…")[:-1] + "…"
    return line


def _write_lines(
    canvas: skia.Canvas, block: _Set, *, left_px: float, top_px: float, ink: Ink, is_centred: bool
) -> None:
    for number, line in enumerate(block.lines):
        aside = (block.width_px - width_px(line, block.letter_px)) / 2 if is_centred else 0.0
        at_px = (left_px + aside, top_px + number * LINE_HEIGHT * block.letter_px)
        write(canvas, line, at_px, letter_px=block.letter_px, ink=ink)


def _plain(block: _Set, *, outline: float, anchor: tuple[float, float]) -> Drawn:
    margin_px = 0.3 * block.letter_px
    card, canvas = blank(round(block.width_px + 2 * margin_px), round(block.height_px + 2 * margin_px))
    shadow = Ink(fill=(0, 0, 0), fill_opacity=0.35, outline=outline, outline_opacity=0.35)
    # A soft drop behind the letters keeps them readable where outline and ground are alike.
    for step in (0.05, 0.1):
        _write_lines(
            canvas, block, left_px=margin_px, top_px=margin_px + step * block.letter_px, ink=shadow, is_centred=True
        )
    ink = Ink(outline=outline)
    _write_lines(canvas, block, left_px=margin_px, top_px=margin_px, ink=ink, is_centred=True)
    return Drawn(card=card, anchor=anchor)


def _caption(block: _Set) -> Drawn:
    pad_px = 0.5 * block.letter_px
    bar_px = 0.16 * block.letter_px
    width, height = block.width_px + 2 * pad_px + bar_px, block.height_px + 1.2 * pad_px
    card, canvas = blank(round(width), round(height))
    canvas.drawRect(skia.Rect.MakeWH(width, height), paint_of(_NIGHT, 0.62))
    canvas.drawRect(skia.Rect.MakeWH(bar_px, height), paint_of((255, 196, 61)))
    _write_lines(canvas, block, left_px=bar_px + pad_px, top_px=0.6 * pad_px, ink=Ink(), is_centred=False)
    return Drawn(card=card, anchor=(0.0, 1.0))


def _bubble(block: _Set, tail: float) -> Drawn:
    pad_px = 0.75 * block.letter_px
    edge_px = max(1.5, 0.07 * block.letter_px)
    width, body = block.width_px + 2 * pad_px, block.height_px + 1.4 * pad_px
    drop_px = 0.9 * block.letter_px
    card, canvas = blank(round(width + 2 * edge_px), round(body + drop_px + 2 * edge_px))
    canvas.translate(edge_px, edge_px)
    root_px = min(max(tail * width, 1.3 * pad_px), width - 1.3 * pad_px)
    builder = skia.Path()
    builder.addRoundRect(skia.Rect.MakeWH(width, body), 0.95 * pad_px, 0.95 * pad_px)
    point = skia.Path()
    half_px = 0.34 * block.letter_px
    point.moveTo(root_px - half_px, body - edge_px)
    point.lineTo(root_px + (tail - 0.5) * 1.2 * drop_px, body + drop_px)
    point.lineTo(root_px + half_px, body - edge_px)
    point.close()
    shape = skia.Op(builder, point, skia.PathOp.kUnion_PathOp)
    canvas.drawPath(shape, paint_of(_PAPER, 0.97))
    line = paint_of(_NIGHT, 0.9)
    line.setStyle(skia.Paint.kStroke_Style)
    line.setStrokeWidth(edge_px)
    canvas.drawPath(shape, line)
    _write_lines(canvas, block, left_px=pad_px, top_px=0.7 * pad_px, ink=Ink(fill=_NIGHT), is_centred=True)
    return Drawn(card=card, anchor=(min(max(tail, 0.12), 0.88), 1.0))


def _sign(block: _Set) -> Drawn:
    pad_px = 0.6 * block.letter_px
    width, height = block.width_px + 2 * pad_px, block.height_px + pad_px
    card, canvas = blank(round(width), round(height))
    radius_px = 0.22 * block.letter_px
    canvas.drawRoundRect(skia.Rect.MakeWH(width, height), radius_px, radius_px, paint_of(_BOARD, 0.96))
    rim = paint_of((235, 205, 140))
    rim.setStyle(skia.Paint.kStroke_Style)
    rim.setStrokeWidth(max(1.5, 0.07 * block.letter_px))
    inset = 0.14 * block.letter_px
    frame = skia.Rect.MakeLTRB(inset, inset, width - inset, height - inset)
    canvas.drawRoundRect(frame, radius_px * 0.7, radius_px * 0.7, rim)
    _write_lines(canvas, block, left_px=pad_px, top_px=0.5 * pad_px, ink=Ink(fill=(255, 240, 206)), is_centred=True)
    return Drawn(card=card, anchor=(0.5, 0.5))


def kinds() -> Sequence[TextKind]:
    """Return every kind that can be drawn."""
    return tuple(_LETTER_OF_SHORT_SIDE)
