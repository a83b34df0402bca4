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
    planes: list[Values] = [np.ascontiguousarray(colours[:, :, channel]) for channel in range(3)]
    means = [averaged(plane, radius_px) for plane in planes]
    mean = averaged(values, radius_px)
    together = [averaged(plane * values, radius_px) - means[one] * mean for one, plane in enumerate(planes)]
    spread = {
        (one, other): averaged(planes[one] * planes[other], radius_px) - means[one] * means[other]
        for one in range(3)
        for other in range(one + 1)
    }
    for channel in range(3):
        spread[channel, channel] += np.float32(evenness)
    factors = _solved(spread, together)
    offset = mean - sum(factor * means[channel] for channel, factor in enumerate(factors))
    return averaged(np.asarray(cv2.merge(factors), dtype=np.float32), radius_px), averaged(
        offset.astype(np.float32), radius_px
    )


def _solved(spread: dict[tuple[int, int], Values], sought: list[Values]) -> list[Values]:
    """Solve three equations at every place at once.

    spread: (row, column) of a symmetric, positive matrix, its lower half. As a lower triangle, a diagonal and the
    same triangle turned: a tenth of the time of a general solver, and no less exact, as Cramer's rule would be.
    """
    first = spread[0, 0]
    down, far = spread[1, 0] / first, spread[2, 0] / first
    second = spread[1, 1] - down * spread[1, 0]
    middle = spread[2, 1] - far * spread[1, 0]
    across = middle / second
    third = spread[2, 2] - far * spread[2, 0] - across * middle
    held = sought[1] - down * sought[0]
    blue = (sought[2] - far * sought[0] - across * held) / third
    green = held / second - across * blue
    red = sought[0] / first - down * green - far * blue
    return [np.asarray(factor, dtype=np.float32) for factor in (red, green, blue)]


def _resized(values: Values | Picture, size_px: tuple[int, int]) -> Values:
    """Return the values at a size, (width_px, height_px)."""
    shrinks = values.shape[0] >= size_px[1] and values.shape[1] >= size_px[0]
    way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(values, size_px, interpolation=way), dtype=np.float32)
