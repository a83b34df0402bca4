"""The frame being painted: numpy pixels with a skia canvas over the same memory.

Resampling is OpenCV's (a bilinear warp of a full 720p layer takes 2 ms on one core here; skia's takes 30 ms), and
blending is skia's, at whole pixels, which is its fast path.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np
import numpy.typing as npt
import skia

from understudy.engines.previz.pictures.canvas import Bitmap

Matrix = npt.NDArray[np.float64]
# Larger bitmaps are not kept in several shifted copies.
_LARGEST_KEPT_BYTES = 16_000_000
_KEPT_BYTES_MAX = 192_000_000


def image_of(bitmap: Bitmap, *, is_shared: bool = False) -> skia.Image:
    """Wrap a premultiplied bitmap for skia; a shared one must outlive the image."""
    return skia.Image.fromarray(
        bitmap, colorType=skia.kRGBA_8888_ColorType, alphaType=skia.kPremul_AlphaType, copy=not is_shared
    )


@contextmanager
def drawing(bitmap: Bitmap) -> Iterator[skia.Canvas]:
    """Lend a skia canvas that draws into a premultiplied bitmap."""
    surface = skia.Surface(bitmap, colorType=skia.kRGBA_8888_ColorType, alphaType=skia.kPremul_AlphaType)
    yield surface.getCanvas()
    del surface


def affine(*, scale_x: float, scale_y: float, x_px: float, y_px: float) -> Matrix:
    """2x3 matrix that scales about the origin, then moves."""
    return np.array([[scale_x, 0.0, x_px], [0.0, scale_y, y_px]])


class _Remembered:
    """What a bitmap looked like at its last place: a camera that rests pays no resampling."""

    __slots__ = ("bitmap", "box", "matrix", "tile")

    def __init__(self, bitmap: Bitmap, matrix: Matrix, box: tuple[int, int, int, int]) -> None:
        self.bitmap = bitmap
        self.matrix = matrix
        self.box = box
        self.tile: Bitmap | None = None


class Raster:
    """One reusable opaque frame.

    keeps_scale: whether nothing ever comes nearer or goes farther, as under a pan: then a bitmap is resampled once for
    each quarter of a pixel that it can start at, and otherwise only copied.
    """

    def __init__(self, width_px: int, height_px: int, *, keeps_scale: bool = False) -> None:
        self._keeps_scale = keeps_scale
        self._kept_bytes = 0
        self._shifted: dict[tuple[int, float, float, float, float], tuple[Bitmap, Bitmap]] = {}
        self.width_px = width_px
        self.height_px = height_px
        self.pixels: Bitmap = np.zeros((height_px, width_px, 4), np.uint8)
        self.pixels[..., 3] = 255
        self._surface = skia.Surface(self.pixels, colorType=skia.kRGBA_8888_ColorType, alphaType=skia.kOpaque_AlphaType)
        self.canvas = self._surface.getCanvas()
        self.hidden_rows = (0, 0)
        """Rows, first and past the last, that what is drawn later covers from edge to edge: nothing is put there."""
        # Keyed by identity; each entry holds its bitmap, so an identity is never used twice.
        self._memory: dict[tuple[int, int], _Remembered] = {}

    def blit(self, bitmap: Bitmap, left_px: int, top_px: int) -> None:
        """Blend a bitmap at whole pixels."""
        self.canvas.drawImage(image_of(bitmap, is_shared=True), left_px, top_px)

    def box_of(self, size_px: tuple[int, int], matrix: Matrix) -> tuple[int, int, int, int] | None:
        """Frame box (left, top, right, bottom) that a bitmap of (width, height) covers, or None if outside."""
        width, height = size_px
        xs = (matrix[0, 2], matrix[0, 2] + matrix[0, 0] * width, matrix[0, 2] + matrix[0, 1] * height)
        ys = (matrix[1, 2], matrix[1, 2] + matrix[1, 0] * width, matrix[1, 2] + matrix[1, 1] * height)
        far_x = matrix[0, 2] + matrix[0, 0] * width + matrix[0, 1] * height
        far_y = matrix[1, 2] + matrix[1, 0] * width + matrix[1, 1] * height
        left = max(math.floor(min(*xs, far_x)), 0)
        top = max(math.floor(min(*ys, far_y)), 0)
        right = min(math.ceil(max(*xs, far_x)) + 1, self.width_px)
        bottom = min(math.ceil(max(*ys, far_y)) + 1, self.height_px)
        if right <= left or bottom <= top:
            return None
        return left, top, right, bottom

    def _seen_of(self, top: int, bottom: int) -> tuple[int, int]:
        """The rows of top..bottom without those at either end that are hidden."""
        first, past = self.hidden_rows
        if first <= top < past:
            top = past
        if first < bottom <= past:
            bottom = first
        return top, bottom

    def _recall(
        self, bitmap: Bitmap, matrix: Matrix, box: tuple[int, int, int, int], *, part: int = 0
    ) -> tuple[_Remembered, bool]:
        """The memory of a bitmap, and whether it rests: is where it was the last time."""
        key = (id(bitmap), part)
        known = self._memory.get(key)
        if known is not None and known.box == box and np.array_equal(known.matrix, matrix):
            return known, True
        fresh = _Remembered(bitmap=bitmap, matrix=matrix.copy(), box=box)
        self._memory[key] = fresh
        return fresh, False

    def stamp(self, bitmap: Bitmap, matrix: Matrix, *, opacity: float = 1.0) -> None:
        """Warp a bitmap by a 2x3 matrix (bitmap to frame pixels) and blend it."""
        matrix = _snapped(matrix, bitmap)
        if self._keeps_scale and _is_upright(matrix) and bitmap.size < _LARGEST_KEPT_BYTES:
            self._stamp_kept(bitmap, matrix, opacity=opacity)
            return
        box = self.box_of((bitmap.shape[1], bitmap.shape[0]), matrix)
        if box is None or opacity <= 0:
            return
        left, top, right, bottom = box
        top, bottom = self._seen_of(top, bottom)
        if bottom <= top:
            return
        box = (left, top, right, bottom)
        known, _ = self._recall(bitmap, matrix, box)
        if known.tile is not None:
            tile = known.tile
        else:
            tile = cv2.warpAffine(
                bitmap, _centred(matrix, left, top), (right - left, bottom - top), flags=cv2.INTER_LINEAR
            )
            known.tile = tile
        if opacity < 1:
            tile = cv2.convertScaleAbs(tile, alpha=opacity)
        self.blit(tile, left, top)

    def _kept(self, bitmap: Bitmap, matrix: Matrix, *, border: int) -> tuple[Bitmap, int, int]:
        """The bitmap at its scale, shifted by the fraction of its place; and the whole pixels of its place."""
        left, top = math.floor(matrix[0, 2]), math.floor(matrix[1, 2])
        part_x, part_y = float(matrix[0, 2]) - left, float(matrix[1, 2]) - top
        key = (id(bitmap), float(matrix[0, 0]), float(matrix[1, 1]), part_x, part_y)
        known = self._shifted.get(key)
        if known is None:
            size = (
                math.ceil(bitmap.shape[1] * matrix[0, 0] + part_x),
                math.ceil(bitmap.shape[0] * matrix[1, 1] + part_y),
            )
            local = _centred(matrix, left, top)
            tile = cv2.warpAffine(bitmap, local, size, flags=cv2.INTER_LINEAR, borderMode=border)
            # The bitmap is kept too: its identity must not be used again.
            known = (bitmap, tile)
            if self._kept_bytes + tile.nbytes <= _KEPT_BYTES_MAX:
                self._shifted[key] = known
                self._kept_bytes += tile.nbytes
        return known[1], left, top

    def _stamp_kept(self, bitmap: Bitmap, matrix: Matrix, *, opacity: float) -> None:
        box = self.box_of((bitmap.shape[1], bitmap.shape[0]), matrix)
        if opacity <= 0 or box is None:
            return
        first, past = self._seen_of(box[1], box[3])
        if past <= first:
            return
        tile, left, top = self._kept(bitmap, matrix, border=cv2.BORDER_CONSTANT)
        self.blit(tile if opacity >= 1 else cv2.convertScaleAbs(tile, alpha=opacity), left, top)

    def fill(self, bitmap: Bitmap, matrix: Matrix, *, rows: tuple[int, int], keeps_scale: bool = False) -> None:
        """Warp an opaque bitmap by a 2x3 or 3x3 matrix straight into frame rows; its border pixels go on outside it.

        keeps_scale: whether this bitmap's scale never changes, whatever the camera does.
        """
        top, bottom = self._seen_of(max(rows[0], 0), min(rows[1], self.height_px))
        if bottom <= top:
            return
        if matrix.shape[0] == 2:
            matrix = _snapped(matrix, bitmap)
        if (keeps_scale or self._keeps_scale) and _is_upright(matrix) and bitmap.size < _LARGEST_KEPT_BYTES:
            tile, left, first = self._kept(bitmap, matrix, border=cv2.BORDER_REPLICATE)
            covers = left <= 0 and left + tile.shape[1] >= self.width_px and first <= top
            if covers and first + tile.shape[0] >= bottom:
                np.copyto(self.pixels[top:bottom], tile[top - first : bottom - first, -left : self.width_px - left])
                return
        known, rests = self._recall(bitmap, matrix, (0, top, self.width_px, bottom))
        target = self.pixels[top:bottom]
        if known.tile is not None:
            np.copyto(target, known.tile)
            return
        size = (self.width_px, bottom - top)
        if matrix.shape[0] == 2:
            local = _centred(matrix, 0, top)
            cv2.warpAffine(bitmap, local, size, dst=target, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        else:
            local = _centred_plane(matrix, 0, top)
            cv2.warpPerspective(
                bitmap, local, size, dst=target, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
            )
        if rests:
            known.tile = target.copy()

    def stamp_plane(self, bitmap: Bitmap, matrix: Matrix, box: tuple[int, int, int, int], *, part: int = 0) -> None:
        """Warp a bitmap by a 3x3 matrix and blend it inside a frame box (left, top, right, bottom).

        part: tells apart the boxes that one bitmap is drawn in.
        """
        left, top = max(box[0], 0), max(box[1], 0)
        right, bottom = min(box[2], self.width_px), min(box[3], self.height_px)
        if right <= left or bottom <= top:
            return
        known, rests = self._recall(bitmap, matrix, (left, top, right, bottom), part=part)
        tile = known.tile
        if tile is None:
            local = _centred_plane(matrix, left, top)
            tile = cv2.warpPerspective(bitmap, local, (right - left, bottom - top), flags=cv2.INTER_LINEAR)
            if rests:
                known.tile = tile
        self.blit(tile, left, top)

    def cover_plane(self, bitmap: Bitmap, matrix: Matrix, box: tuple[int, int, int, int]) -> None:
        """Warp an opaque bitmap by a 3x3 matrix over what a frame box holds, where it reaches, without blending."""
        left, top = max(box[0], 0), max(box[1], 0)
        right, bottom = min(box[2], self.width_px), min(box[3], self.height_px)
        if right <= left or bottom <= top or bitmap.shape[0] < 2:
            return
        cv2.warpPerspective(
            bitmap,
            _centred_plane(matrix, left, top),
            (right - left, bottom - top),
            dst=self.pixels[top:bottom, left:right],
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_TRANSPARENT,
        )

    def line(self, start: tuple[float, float], end: tuple[float, float], colour: tuple[int, int, int]) -> None:
        """Draw a smooth line two pixels wide."""
        self.canvas.drawLine(*start, *end, skia.Paint(Color=skia.Color(*colour), AntiAlias=True, StrokeWidth=2.0))


def _is_upright(matrix: Matrix) -> bool:
    """Whether a matrix only scales and moves."""
    return bool(matrix.shape[0] == 2 and matrix[0, 1] == 0 and matrix[1, 0] == 0)


def _snapped(matrix: Matrix, bitmap: Bitmap) -> Matrix:
    """The nearest placement whose edges lie at quarters of a pixel.

    Nobody sees the difference, and what moves slower than that, as far layers do, is resampled every few frames only.
    """
    if not _is_upright(matrix):
        return matrix
    steps_x, steps_y = 4.0 * bitmap.shape[1], 4.0 * bitmap.shape[0]
    return np.array(
        [
            [round(matrix[0, 0] * steps_x) / steps_x, 0.0, round(matrix[0, 2] * 4) / 4],
            [0.0, round(matrix[1, 1] * steps_y) / steps_y, round(matrix[1, 2] * 4) / 4],
        ]
    )


def _centred(matrix: Matrix, left: int, top: int) -> Matrix:
    """OpenCV counts from the middle of the first pixel, we count from its corner; the frame starts at (left, top)."""
    local = matrix.astype(np.float64, copy=True)
    local[0, 2] += 0.5 * (matrix[0, 0] + matrix[0, 1] - 1) - left
    local[1, 2] += 0.5 * (matrix[1, 0] + matrix[1, 1] - 1) - top
    return local


def _centred_plane(matrix: Matrix, left: int, top: int) -> Matrix:
    before = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])
    after = np.array([[1, 0, -0.5 - left], [0, 1, -0.5 - top], [0, 0, 1.0]])
    centred: Matrix = after @ matrix @ before
    return centred
