"""A whole picture in the scene: framed, upright, with a shadow, for what cannot be cut out or is only to be seen."""

import cv2
import numpy as np

from understudy.engines.previz.pictures.canvas import Bitmap
from understudy.engines.previz.pictures.photographs import Framed
from understudy.engines.previz.pictures.raster import Raster
from understudy.engines.previz.pictures.view import View

_BORDER = 0.035
_SHADOW = 0.05
_PAPER = (247, 245, 240, 255)
_COME_S = 0.35
_ALONE = 0.56
"""Height of a picture that nobody stands before, as a part of the frame's."""

_BESIDE = 0.35
_SIDE_WIDTH = 0.29
"""The widest a picture beside others may be, as a part of the frame's width."""

_TILT_DEG = (-2.2, 1.8, -1.2)
_FOLLOWS = 0.10
"""How much a picture moves against the camera: it hangs in the scene and yet stays in the frame."""


class FramedPicture:
    """A framed picture that hangs in the scene and stays in the frame while it is to be seen."""

    def __init__(
        self, framed: Framed, *, size_px: tuple[int, int], depth: float, duration_s: float, has_company: bool
    ) -> None:
        """Make the picture ready. size_px: of the frame of the film; has_company: subjects stand before it."""
        self.depth = depth
        self._framed, self._duration_s = framed, duration_s
        width, height = size_px
        rows, columns = framed.rgb.shape[:2]
        most_wide, most_tall, self._middle = _room(framed, width_px=width, height_px=height, has_company=has_company)
        scale = min(most_wide / columns, most_tall / rows)
        self._bitmap = _mounted(framed.rgb, (max(round(columns * scale), 4), max(round(rows * scale), 4)))
        self._tilt = np.radians(_TILT_DEG[framed.place % len(_TILT_DEG)]) if framed.of > 1 or has_company else 0.0

    def draw(self, raster: Raster, view: View) -> None:
        """Blend it at its place, while it is to be seen."""
        start_s, end_s = self._framed.start * self._duration_s, self._framed.end * self._duration_s
        if not start_s - 1e-6 <= view.time_s <= end_s + 1e-6:
            return
        come = 1.0 if start_s <= 0 else min((view.time_s - start_s) / _COME_S + 0.25, 1.0)
        go = 1.0 if end_s >= self._duration_s - 1e-6 else min((end_s - view.time_s) / _COME_S + 0.25, 1.0)
        seen = max(min(come, go), 0.0)
        scale = 0.94 + 0.06 * seen * seen * (3 - 2 * seen)
        angle = self._tilt + 0.006 * float(np.sin(0.9 * view.time_s + self._framed.place))
        rows, columns = self._bitmap.shape[:2]
        cosine, sine = float(np.cos(angle)) * scale, float(np.sin(angle)) * scale
        x = self._middle[0] + _FOLLOWS * (view.centre_x_px - raster.width_px / 2)
        y = self._middle[1]
        matrix = np.array(
            [
                [cosine, -sine, x - cosine * columns / 2 + sine * rows / 2],
                [sine, cosine, y - sine * columns / 2 - cosine * rows / 2],
            ]
        )
        raster.stamp(self._bitmap, matrix, opacity=seen)


def _room(
    framed: Framed, *, width_px: int, height_px: int, has_company: bool
) -> tuple[float, float, tuple[float, float]]:
    """Return the greatest width and height of a picture, and where its middle is, in pixels."""
    count, place = framed.of, framed.place
    if not has_company:
        columns = count if width_px >= height_px else max(-(-count // 3), 1)
        rows = -(-count // columns)
        row, column = divmod(place, columns)
        tall = min(_ALONE, 0.84 / rows) * height_px
        wide = min(0.84 / columns, 0.8) * width_px
        return (
            wide,
            tall,
            (width_px * (column + 0.5) / columns, height_px * (0.47 + (row - (rows - 1) / 2) * 0.86 / rows)),
        )
    if width_px < height_px:
        # In a tall frame the room is above.
        wide = width_px * (0.86 / count)
        return wide, 0.26 * height_px, (width_px * (place + 0.5) / count, 0.17 * height_px)
    x = {1: (0.80,), 2: (0.19, 0.81)}.get(count, (0.18, 0.82, 0.5))[min(place, 2)]
    y = 0.20 if place == 2 else 0.25
    tall = 0.28 if place == 2 else _BESIDE
    return _SIDE_WIDTH * width_px, tall * height_px, (x * width_px, y * height_px)


def _mounted(rgb: Bitmap, size_px: tuple[int, int]) -> Bitmap:
    """The picture on white paper, with a soft shadow; premultiplied."""
    how = cv2.INTER_AREA if size_px[0] < rgb.shape[1] else cv2.INTER_CUBIC
    small = np.asarray(cv2.resize(rgb, size_px, interpolation=how), dtype=np.uint8)
    side = max(size_px)
    border, room = max(round(side * _BORDER), 2), max(round(side * _SHADOW), 3)
    paper = cv2.copyMakeBorder(
        np.dstack([small, np.full(small.shape[:2], 255, dtype=np.uint8)]),
        border, border, border, border, cv2.BORDER_CONSTANT, value=_PAPER,
    )  # fmt: skip
    rows, columns = paper.shape[0] + 2 * room, paper.shape[1] + 2 * room
    alpha = np.zeros((rows, columns), np.float32)
    drop = room // 2
    alpha[room + drop : rows - room + drop, room : columns - room] = 0.5
    alpha = cv2.GaussianBlur(alpha, (0, 0), room / 2.2)
    mounted = np.zeros((rows, columns, 4), np.uint8)
    mounted[..., 3] = (alpha * 255).astype(np.uint8)
    mounted[room : rows - room, room : columns - room] = paper
    return mounted
