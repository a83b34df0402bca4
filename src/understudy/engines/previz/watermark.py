"""Write a short fixed text on pictures: the watermark "AI 生成" and the label "PREVIZ".

The letters come as outlines from ``assets/glyphs``, because a bare machine has no font, least of all a Chinese one.
"""

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from xml.sax.saxutils import quoteattr

import cv2
import numpy as np
import resvg_py
from numpy.typing import NDArray

WATERMARK_TEXT = "AI 生成"
"""Source: the contract's `watermark` parameter, text and corner (bottom right)."""

LABEL_TEXT = "PREVIZ"

LETTER_OF_SHORT_SIDE = 0.045
MARGIN_OF_SHORT_SIDE = 0.035
"""Sizes as parts of the picture's shorter side."""

OUTLINE_OF_LETTER = 0.09
FILL_OPACITY = 0.92
OUTLINE_OPACITY = 0.5
"""A dark outline keeps white letters readable on snow."""


class Corner(StrEnum):
    """Where on the picture the text stands."""

    TOP_LEFT = "top_left"
    BOTTOM_RIGHT = "bottom_right"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Glyph:
    advance: int
    path: str


@cache
def _glyphs() -> tuple[int, dict[str, _Glyph]]:
    data = files(__package__).joinpath("assets", "glyphs", "glyphs.toml").read_text(encoding="utf-8")
    table = tomllib.loads(data)
    glyphs = {row["character"]: _Glyph(advance=row["advance"], path=row["path"]) for row in table["glyph"]}
    return table["units_per_em"], glyphs


def draw_text(text: str, letter_px: int) -> NDArray[np.uint8]:
    """Draw the text in white with a dark outline on a transparent ground.

    letter_px: the em of the letters. Returns (height_px, width_px, 4) uint8 RGBA, alpha not premultiplied.
    Raises: KeyError for a letter that is not vendored.
    """
    units_per_em, glyphs = _glyphs()
    scale = letter_px / units_per_em
    outline_px = letter_px * OUTLINE_OF_LETTER
    pen_x = outline_px
    baseline_y = letter_px * 0.95 + outline_px
    shapes = []
    for char in text:
        glyph = glyphs[char]
        place = f"translate({pen_x:.3f} {baseline_y:.3f}) scale({scale:.6f} {-scale:.6f})"
        if glyph.path:
            shapes.append(f"<path d={quoteattr(glyph.path)} transform={quoteattr(place)}/>")
        pen_x += glyph.advance * scale
    width_px, height_px = round(pen_x + outline_px), round(letter_px * 1.15 + 2 * outline_px)
    letters = "".join(shapes)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width_px}" height="{height_px}">'
        f'<g fill="none" stroke="#000" stroke-opacity="{OUTLINE_OPACITY}" stroke-linejoin="round" '
        f'stroke-width="{2 * outline_px / scale:.1f}">{letters}</g>'
        f'<g fill="#fff" fill-opacity="{FILL_OPACITY}">{letters}</g></svg>'
    )
    png = np.frombuffer(bytes(resvg_py.svg_to_bytes(svg_string=svg)), dtype=np.uint8)
    bgra = cv2.imdecode(png, cv2.IMREAD_UNCHANGED)
    assert bgra is not None, "resvg returned no PNG"
    return np.asarray(cv2.cvtColor(bgra, cv2.COLOR_BGRA2RGBA), dtype=np.uint8)


class Mark:
    """A text at a corner of pictures of one size: drawn once, blended into each picture."""

    def __init__(self, text: str, corner: Corner, *, width_px: int, height_px: int) -> None:
        short_px = min(width_px, height_px)
        drawn = draw_text(text, max(8, round(short_px * LETTER_OF_SHORT_SIDE)))
        margin_px = round(short_px * MARGIN_OF_SHORT_SIDE)
        mark_height_px, mark_width_px = drawn.shape[:2]
        if corner is Corner.TOP_LEFT:
            top, left = margin_px, margin_px
        else:
            top, left = height_px - margin_px - mark_height_px, width_px - margin_px - mark_width_px
        self.area = (slice(top, top + mark_height_px), slice(left, left + mark_width_px))
        """The rows and columns that the mark may change."""
        alpha = drawn[:, :, 3:4].astype(np.uint16)
        ink = drawn[:, :, :3].astype(np.uint16) * alpha
        self._kept = 255 - alpha
        self._ink = ink

    def stamp(self, rgba: NDArray[np.uint8]) -> None:
        """Blend the mark into the picture, (height_px, width_px, 4) uint8 RGBA, in place."""
        patch = rgba[self.area][:, :, :3]
        patch[...] = (patch.astype(np.uint16) * self._kept + self._ink + 127) // 255
