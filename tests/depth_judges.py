"""Measures whether a film keeps to a picture and whether it shows depth. Every judge gets pictures and knows no prompt.

A judge is worth something only if it can refuse: `tests/unit/previz/test_parallax.py` shows each one what it should
refuse as well: another picture, and the same picture enlarged flat.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Values = NDArray[np.float32]

_SEEN_PX = 480
"""The longer side that flow is measured at: beyond it small textures win over what moves."""


def similarity(first: Picture, second: Picture) -> float:
    """How alike two pictures of one size are, 1 = equal: the mean structural similarity of their brightness.

    Source: Wang, Bovik, Sheikh, Simoncelli: Image Quality Assessment, 2004; windows of 11 pixels, sigma 1.5.
    """
    one, other = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float64) for picture in (first, second))

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return cv2.GaussianBlur(values, (11, 11), 1.5)

    mean_one, mean_other = mean(one), mean(other)
    spread_one, spread_other = mean(one * one) - mean_one**2, mean(other * other) - mean_other**2
    together = mean(one * other) - mean_one * mean_other
    low, high = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    alike = (2 * mean_one * mean_other + low) * (2 * together + high)
    return float((alike / ((mean_one**2 + mean_other**2 + low) * (spread_one + spread_other + high))).mean())


def flow(first: Picture, second: Picture) -> Values:
    """Where each place of the first picture went, in parts of the width, (rows, columns, 2)."""
    scale = _SEEN_PX / max(first.shape[:2])
    size = (round(first.shape[1] * scale), round(first.shape[0] * scale))
    one, other = (
        cv2.cvtColor(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
        for picture in (first, second)
    )
    return cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(one, other, None) / size[0]


def shift_apart(first: Picture, second: Picture, near: NDArray[np.bool_], far: NDArray[np.bool_]) -> float:
    """How much farther right the near places went than the far ones, in parts of the width. near, far: of the first."""
    moved = flow(first, second)[:, :, 0]
    size = (moved.shape[1], moved.shape[0])
    places = [cv2.resize(one.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0 for one in (near, far)]
    return float(np.median(moved[places[0]]) - np.median(moved[places[1]]))


def growth_apart(first: Picture, second: Picture, near: NDArray[np.bool_], far: NDArray[np.bool_]) -> float:
    """How much more the near places grew than the far ones; 0 for a flat enlargement. near, far: of the first."""
    return growth(first, second, near) - growth(first, second, far)


def growth(first: Picture, second: Picture, places: NDArray[np.bool_]) -> float:
    """By how much the places moved away from each other, as a part of their distance."""
    moved = flow(first, second)
    height_px, width_px = moved.shape[:2]
    kept = cv2.resize(places.astype(np.uint8), (width_px, height_px), interpolation=cv2.INTER_NEAREST) > 0
    rows, columns = np.nonzero(kept)
    before = np.stack([columns, rows], axis=1) / width_px
    after = before + moved[kept]
    # The similarity that explains most places best; a median of its inliers, not thrown off by what is hidden.
    matrix, _ = cv2.estimateAffinePartial2D(before, after, method=cv2.RANSAC, ransacReprojThreshold=0.004)
    return float(np.hypot(matrix[0, 0], matrix[1, 0])) - 1
