"""A layer of a picture as frames are drawn from it: with a fourth channel, and finer than it is.

OpenCV samples four channels linearly six times as fast as three by a cubic; a layer that was enlarged by a cubic once
is as sharp when it is sampled linearly ever after.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from understudy.engines.previz.seeing.speaking import Jaw, opened
from understudy.media.decode import Picture

Values = NDArray[np.float32]

_AT = np.array([1.0], dtype=np.float32)
_BETWEEN = np.array([0.0, -0.09375, 0.59375, 0.59375, -0.09375], dtype=np.float32)
"""What a place half-way takes from the two pixels on each side of it. Source: cubic convolution with a = -0.75."""

_RIM_PX = 4
"""Of a fine part: as far as what is new in it depends on what is beyond its edge."""

_FINEST_PIXELS = 2_500_000
"""A larger layer is not made finer: at 4k it would hold 130 MB, and half a pixel is not seen there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A layer to be drawn. rgba: premultiplied. fineness: 1 or 2 of its pixels for one of the layer."""

    rgba: Picture
    fineness: int

    def draw(self, places: Values, target: Picture) -> None:
        """Write what lies at places, (rows, columns, 2) in pixels of the sheet; beyond its edges it is mirrored."""
        cv2.remap(self.rgba, places, None, cv2.INTER_LINEAR, dst=target, borderMode=cv2.BORDER_REFLECT_101)  # type: ignore[call-overload]

    def draw_over(self, places: Values, target: Picture) -> None:
        """Lay what lies at places over an opaque target, (rows, columns, 4); beyond its edges it goes on as there."""
        drawn = cv2.remap(self.rgba, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
        left_over = cv2.cvtColor(cv2.bitwise_not(cv2.extractChannel(drawn, 3)), cv2.COLOR_GRAY2RGBA)
        behind = cv2.multiply(target, left_over, scale=1 / 255)
        cv2.add(behind, drawn, dst=target)


def sheet_of(colours: Picture, cover: Picture | None, *, is_fine: bool = True) -> Sheet:
    """Return the sheet of a layer, (height_px, width_px, 3) premultiplied, and its cover; without one it is opaque."""
    rgba = with_cover(colours, cover)
    if not is_fine or colours.shape[0] * colours.shape[1] > _FINEST_PIXELS:
        return Sheet(rgba=rgba, fineness=1)
    fine = np.empty((2 * rgba.shape[0] - 1, 2 * rgba.shape[1] - 1, 4), dtype=np.uint8)
    _weave(rgba, fine)
    return Sheet(rgba=fine, fineness=2)


def speak(sheet: Sheet, closed: Picture, jaw: Jaw, *, voice: float) -> None:
    """Open the mouth in a sheet, as far as the voice is loud. closed: the layer in four channels as it is at rest."""
    part = opened(closed, jaw, voice)
    top, left = jaw.top * sheet.fineness, jaw.left * sheet.fineness
    if sheet.fineness == 1:
        sheet.rgba[top : top + part.shape[0], left : left + part.shape[1]] = part
        return
    fine = np.empty((2 * part.shape[0] - 1, 2 * part.shape[1] - 1, 4), dtype=np.uint8)
    _weave(part, fine)
    # New pixels at the part's own edges know nothing of what is beyond them, and a closed mouth must leave no trace.
    trims = (
        _RIM_PX if top else 0,
        _RIM_PX if top + fine.shape[0] < sheet.rgba.shape[0] else 0,
        _RIM_PX if left else 0,
        _RIM_PX if left + fine.shape[1] < sheet.rgba.shape[1] else 0,
    )
    rows = slice(trims[0], fine.shape[0] - trims[1])
    columns = slice(trims[2], fine.shape[1] - trims[3])
    sheet.rgba[top + rows.start : top + rows.stop, left + columns.start : left + columns.stop] = fine[rows, columns]


def with_cover(colours: Picture, cover: Picture | None) -> Picture:
    """Return a layer in four channels; without a cover it is opaque."""
    rgba = np.asarray(cv2.cvtColor(colours, cv2.COLOR_RGB2RGBA), dtype=np.uint8)
    if cover is not None:
        cv2.insertChannel(np.ascontiguousarray(cover), rgba, 3)
    return rgba


def _weave(rgba: Picture, fine: Picture) -> None:
    """Write a layer with a new pixel between any two of its own, which it keeps. fine: where, (2 * height_px - 1, ...).

    Three filters and a weave: an enlargement by a matrix gives the same to the byte and takes six times as long.
    """
    height_px, width_px = rgba.shape[:2]
    # One write for the four bytes of a pixel.
    woven = fine.view(np.uint32)[:, :, 0]
    woven[::2, ::2] = rgba.view(np.uint32)[:, :, 0]
    for row, column in ((0, 1), (1, 0), (1, 1)):
        along, down = (_BETWEEN if odd else _AT for odd in (column, row))
        part = cv2.sepFilter2D(rgba, -1, along, down, borderType=cv2.BORDER_REPLICATE)
        pixels = np.asarray(part, dtype=np.uint8).view(np.uint32)[:, :, 0]
        woven[row::2, column::2] = pixels[: height_px - row, : width_px - column]
