"""Bring coarse values of a picture to the picture's own edges.

The guided filter: within each window the values are explained as a linear function of the colours, so that they turn
where the colours turn. Computed on a small picture; its factors are enlarged, its result is not, and so is as sharp as
the picture. Source: He, Sun, Tang: Guided Image Filtering, 2013; He, Sun: Fast Guided Filter, 2015.
"""

import cv2
import numpy as np

from understudy.engines.previz.seeing.nets import Picture, Values


def guided(values: Values, picture: Picture, *, radius_part: float, evenness: float, longest_px: int = 512) -> Values:
    """Return the values, of any size, in the picture's size and along its edges.

    radius_part: half a window as a part of the longer side. evenness: how much the colours, in 0..1, may vary in a
    window whose values are simply averaged, as a variance. longest_px: of the longer side while it is computed.
    """
    height_px, width_px = picture.shape[:2]
    scale = min(1.0, longest_px / max(height_px, width_px))
    size = (max(8, round(width_px * scale)), max(8, round(height_px * scale)))
    colours = _resized(picture, size).astype(np.float32) / np.float32(255)
    coarse = _resized(values, size)
    factors, offset = _explained(coarse, colours, radius_px=max(1, round(max(size) * radius_part)), evenness=evenness)
    whole = (width_px, height_px)
    found = np.asarray(cv2.resize(offset, whole, interpolation=cv2.INTER_LINEAR), dtype=np.float32)
    for channel in range(3):
        factor = cv2.resize(np.ascontiguousarray(factors[:, :, channel]), whole, interpolation=cv2.INTER_LINEAR)
        found += factor * picture[:, :, channel].astype(np.float32) * np.float32(1 / 255)
    return found


def averaged(values: Values, radius_px: int) -> Values:
    """Return the mean over a square window."""
    side_px = 2 * radius_px + 1
    return np.asarray(cv2.blur(values, (side_px, side_px), borderType=cv2.BORDER_REFLECT_101), dtype=np.float32)


def _explained(values: Values, colours: Values, *, radius_px: int, evenness: float) -> tuple[Values, Values]:
    """Return the factor of each colour channel and the offset, averaged over the windows that hold a place."""
    means = averaged(colours, radius_px)
    mean = averaged(values, radius_px)
    spread = np.empty((*values.shape, 3, 3), dtype=np.float32)
    together = np.empty((*values.shape, 3), dtype=np.float32)
    for one in range(3):
        together[:, :, one] = averaged(colours[:, :, one] * values, radius_px) - means[:, :, one] * mean
        for other in range(one, 3):
            product = averaged(colours[:, :, one] * colours[:, :, other], radius_px)
            spread[:, :, one, other] = product - means[:, :, one] * means[:, :, other]
            spread[:, :, other, one] = spread[:, :, one, other]
    spread += np.float32(evenness) * np.eye(3, dtype=np.float32)
    factors = np.linalg.solve(spread, together[:, :, :, None])[:, :, :, 0].astype(np.float32)
    offset = mean - (factors * means).sum(axis=2)
    return averaged(np.ascontiguousarray(factors), radius_px), averaged(offset.astype(np.float32), radius_px)


def _resized(values: Values | Picture, size_px: tuple[int, int]) -> Values:
    """Return the values at a size, (width_px, height_px)."""
    shrinks = values.shape[0] >= size_px[1] and values.shape[1] >= size_px[0]
    way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(values, size_px, interpolation=way), dtype=np.float32)
