"""The letters that are written on pictures: one vendored font, lines that fit a width, words drawn on nothing."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import skia
from numpy.typing import NDArray

Card = NDArray[np.uint8]
"""(height_px, width_px, 4) uint8 RGBA, alpha not premultiplied."""

LINE_HEIGHT = 1.28
ASCENT = 0.93
"""In ems: from one line's top to the next one's, and from a line's top to what its letters stand on."""

_DENSE_FROM = 0x2E80
_NEVER_FIRST = frozenset("，。、！？：；）」』】》”’!?,.:;)％%…ー々っゃゅょッャュョ")


@cache
def _typeface() -> skia.Typeface:
    data = files(__package__).joinpath("assets", "font", "letters.ttf").read_bytes()
    typeface = skia.Typeface.MakeFromData(skia.Data.MakeWithCopy(data))
    assert typeface is not None, "the vendored font cannot be read"
    return typeface


def _font(letter_px: float) -> skia.Font:
    font = skia.Font(_typeface(), letter_px)
    font.setEdging(skia.Font.Edging.kAntiAlias)
    # Hinting moves letters by whole pixels, which is seen in a draft and its final side by side.
    font.setHinting(skia.FontHinting.kNone)
    font.setSubpixel(True)
    return font


def writable(text: str) -> str:
    """Return the text without what the font has no letter for, such as emoji, and with single spaces."""
    kept = "".join(letter for letter in text if letter.isspace() or _typeface().unicharToGlyph(ord(letter)))
    return " ".join(kept.split())


def width_px(text: str, letter_px: float) -> float:
    """Return how long a line is."""
    return float(_font(letter_px).measureText(text))


def lines_of(text: str, letter_px: float, *, width_most_px: float) -> tuple[str, ...]:
    """Break a text into lines that fit: between words, and in scripts without spaces between any two letters."""
    font = _font(letter_px)
    lines: list[str] = []
    line = ""
    for piece in _pieces(text):
        if line and font.measureText((line + piece).rstrip()) > width_most_px and piece[0] not in _NEVER_FIRST:
            lines.append(line.rstrip())
            line = piece.lstrip()
        else:
            line += piece
    return tuple(line for line in (*lines, line.rstrip()) if line)


def _pieces(text: str) -> list[str]:
    """Split where a line may end; each piece keeps the space that follows it."""
    pieces: list[str] = []
    for letter in text:
        is_dense = ord(letter) >= _DENSE_FROM
        goes_on = pieces and not is_dense and not pieces[-1].endswith(" ") and ord(pieces[-1][-1]) < _DENSE_FROM
        if goes_on or (letter == " " and pieces):
            pieces[-1] += letter
        else:
            pieces.append(letter)
    return pieces


@dataclass(frozen=True, slots=True, kw_only=True)
class Ink:
    """How letters look. outline: its width in ems, 0 = none. Colours: 0..255 and an opacity 0..1."""

    fill: tuple[int, int, int] = (255, 255, 255)
    fill_opacity: float = 1.0
    outline: float = 0.0
    outline_colour: tuple[int, int, int] = (0, 0, 0)
    outline_opacity: float = 0.75


def paint_of(colour: tuple[int, int, int], opacity: float = 1.0) -> skia.Paint:
    """Return a smooth paint of one colour."""
    return skia.Paint(AntiAlias=True, Color=skia.Color(*colour, round(255 * opacity)))


def write(canvas: skia.Canvas, text: str, at_px: tuple[float, float], *, letter_px: float, ink: Ink) -> None:
    """Draw one line; at_px: x and y of the top left of its first letter."""
    font = _font(letter_px)
    x, y = at_px[0], at_px[1] + ASCENT * letter_px
    if ink.outline:
        outline = paint_of(ink.outline_colour, ink.outline_opacity)
        outline.setStyle(skia.Paint.kStroke_Style)
        outline.setStrokeWidth(2 * ink.outline * letter_px)
        outline.setStrokeJoin(skia.Paint.kRound_Join)
        canvas.drawString(text, x, y, font, outline)
    canvas.drawString(text, x, y, font, paint_of(ink.fill, ink.fill_opacity))


def blank(width_px: int, height_px: int) -> tuple[Card, skia.Canvas]:
    """Return a transparent card and a canvas that draws on it; what is drawn is premultiplied until `settled`."""
    card = np.zeros((max(1, height_px), max(1, width_px), 4), dtype=np.uint8)
    return card, skia.Canvas(card, colorType=skia.kRGBA_8888_ColorType, alphaType=skia.kPremul_AlphaType)
