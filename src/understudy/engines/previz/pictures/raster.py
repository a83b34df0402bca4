"""The frame being painted: numpy pixels with a skia canvas over the same memory.

Resampling is OpenCV's (a bilinear warp of a full 720p layer takes 2 ms on one core here; skia's takes 30 ms), and
blending is skia's, at whole pixels, which is its fast path.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np
import numpy.typing as npt
import skia

from understudy.engines.previz.pictures.canvas import Bitmap

Matrix = npt.NDArray[np.float64]


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


class Raster:
    """One reusable opaque frame."""

    def __init__(self, width_px: int, height_px: int) -> None:
        self.width_px = width_px
        self.height_px = height_px
        self.pixels: Bitmap = np.zeros((height_px, width_px, 4), np.uint8)
        self.pixels[..., 3] = 255
        self._surface = skia.Surface(
            self.pixels, colorType=skia.kRGBA_8888_ColorType, alphaType=skia.kOpaque_AlphaType
        )
        self.canvas = self._surface.getCanvas()

    def blit(self, bitmap: Bitmap, left_px: int, top_px: int) -> None:
        """Blend a bitmap at whole pixels."""
        self.canvas.drawImage(image_of(bitmap, is_shared=True), left_px, top_px)

    def box_of(self, size: tuple[int, int], matrix: Matrix) -> tuple[int, int, int, int] | None:
        """Frame box (left, top, right, bottom) that a bitmap of (width, height) covers, or None if outside."""
        width, height = size
        corners = matrix @ np.array([[0, width, 0, width], [0, 0, height, height], [1, 1, 1, 1]], np.float64)
        left = max(int(np.floor(corners[0].min())), 0)
        top = max(int(np.floor(corners[1].min())), 0)
        right = min(int(np.ceil(corners[0].max())) + 1, self.width_px)
        bottom = min(int(np.ceil(corners[1].max())) + 1, self.height_px)
        if right <= left or bottom <= top:
            return None
        return left, top, right, bottom

    def stamp(self, bitmap: Bitmap, matrix: Matrix, *, opacity: float = 1.0) -> None:
        """Warp a bitmap by a 2x3 matrix (bitmap to frame pixels) and blend it."""
        box = self.box_of((bitmap.shape[1], bitmap.shape[0]), matrix)
        if box is None or opacity <= 0:
            return
        left, top, right, bottom = box
        local = matrix.copy()
        # OpenCV's pixel centres lie at whole numbers, ours at halves.
        local[0, 2] += 0.5 * (matrix[0, 0] + matrix[0, 1] - 1) - left
        local[1, 2] += 0.5 * (matrix[1, 0] + matrix[1, 1] - 1) - top
        tile = cv2.warpAffine(bitmap, local, (right - left, bottom - top), flags=cv2.INTER_LINEAR)
        if opacity < 1:
            tile = cv2.convertScaleAbs(tile, alpha=opacity)
        self.blit(tile, left, top)

    def fill(self, bitmap: Bitmap, matrix: Matrix, *, rows: tuple[int, int]) -> None:
        """Warp an opaque bitmap straight into frame rows; its border pixels go on beyond its edges."""
        top, bottom = max(rows[0], 0), min(rows[1], self.height_px)
        if bottom <= top:
            return
        local = matrix.astype(np.float64, copy=True)
        target = self.pixels[top:bottom]
        if matrix.shape[0] == 2:
            local[0, 2] += 0.5 * (matrix[0, 0] + matrix[0, 1] - 1)
            local[1, 2] += 0.5 * (matrix[1, 0] + matrix[1, 1] - 1) - top
            cv2.warpAffine(
                bitmap,
                local,
                (self.width_px, bottom - top),
                dst=target,
                flags=cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REPLICATE,
            )
            return
        local = np.array([[1, 0, -0.5], [0, 1, -0.5 - top], [0, 0, 1]]) @ local @ np.array(
            [[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]]
        )
        cv2.warpPerspective(
            bitmap,
            local,
            (self.width_px, bottom - top),
            dst=target,
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )

    def stamp_plane(self, bitmap: Bitmap, matrix: Matrix, box: tuple[int, int, int, int]) -> None:
        """Warp a bitmap by a 3x3 matrix and blend it inside a frame box (left, top, right, bottom)."""
        left, top = max(box[0], 0), max(box[1], 0)
        right, bottom = min(box[2], self.width_px), min(box[3], self.height_px)
        if right <= left or bottom <= top:
            return
        local = np.array([[1, 0, -0.5 - left], [0, 1, -0.5 - top], [0, 0, 1]]) @ matrix @ np.array(
            [[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]]
        )
        self.blit(cv2.warpPerspective(bitmap, local, (right - left, bottom - top), flags=cv2.INTER_LINEAR), left, top)
