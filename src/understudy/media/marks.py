"""Write a short fixed text on pictures: the watermark "AI 生成" and the label "PREVIZ"."""

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from understudy.media.letters import LINE_HEIGHT, Card, Ink, blank, width_px, write

WATERMARK_TEXT = "AI 生成"
"""Source: the contract's `watermark` parameter, text and corner (bottom right)."""

LABEL_TEXT = "PREVIZ"

LETTER_OF_SHORT_SIDE = 0.045
MARGIN_OF_SHORT_SIDE = 0.035
"""Sizes as parts of the picture's shorter side."""

INK = Ink(fill_opacity=0.92, outline=0.09, outline_opacity=0.5)
"""A dark outline keeps white letters readable on snow."""


class Corner(StrEnum):
    """Where on the picture the text stands."""

    TOP_LEFT = "top_left"
    BOTTOM_RIGHT = "bottom_right"


def draw_text(text: str, letter_px: int) -> Card:
    """Draw the text in white with a dark outline on a transparent ground, premultiplied.

    letter_px: the em of the letters.
    """
    outline_px = letter_px * INK.outline
    card, canvas = blank(
        round(width_px(text, letter_px) + 2 * outline_px), round(letter_px * LINE_HEIGHT + 2 * outline_px)
    )
    write(canvas, text, (outline_px, outline_px), letter_px=letter_px, ink=INK)
    return card


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
        self._kept = 255 - drawn[:, :, 3:4].astype(np.uint16)
        self._ink = drawn[:, :, :3].astype(np.uint16) * 255

    def stamp(self, rgba: NDArray[np.uint8]) -> None:
        """Blend the mark into the picture, (height_px, width_px, 4) uint8 RGBA, in place."""
        patch = rgba[self.area][:, :, :3]
        patch[...] = (patch.astype(np.uint16) * self._kept + self._ink + 127) // 255
