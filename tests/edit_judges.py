"""Judges of edited videos: what was to change did, what was not stayed, and nothing trembles. Each can refuse.

They see decoded pictures, (height_px, width_px, 3) uint8 RGB, and masks of where the change is known to lie.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Mask = NDArray[np.bool_]


def kept(before: Picture, after: Picture, elsewhere: Mask) -> float:
    """Structural similarity of the luma where nothing was to change. Source: Wang et al., 2004."""
    one, other = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float64) for picture in (before, after))

    def blurred(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(cv2.GaussianBlur(values, (11, 11), 1.5), dtype=np.float64)

    mean_one, mean_other = blurred(one), blurred(other)
    var_one, var_other = blurred(one * one) - mean_one**2, blurred(other * other) - mean_other**2
    both = blurred(one * other) - mean_one * mean_other
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    top = (2 * mean_one * mean_other + c1) * (2 * both + c2)
    values = top / ((mean_one**2 + mean_other**2 + c1) * (var_one + var_other + c2))
    return float(values[elsewhere].mean())


def apart(before: Picture, after: Picture, inside: Mask) -> float:
    """How far the colours went where something was to change, in levels."""
    return float(np.abs(before[inside].astype(int) - after[inside].astype(int)).mean())


def hue_share(picture: Picture, inside: Mask, hue_deg: float, *, width_deg: float = 28.0) -> float:
    """The part of what is coloured that has a hue."""
    hsv = cv2.cvtColor(picture, cv2.COLOR_RGB2HSV_FULL)[inside].astype(float)
    coloured = (hsv[:, 1] > 90) & (hsv[:, 2] > 40)
    if not coloured.any():
        return 0.0
    off = np.abs((hsv[coloured, 0] / 255 * 360 - hue_deg + 180) % 360 - 180)
    return float((off < width_deg).mean())


def flicker(frames: Sequence[Picture], where: Mask) -> float:
    """How much a place goes back and forth: of the steps that turn round at once, the mean size in levels."""
    turned = [
        np.where((after - now) * (now - before) < 0, np.minimum(np.abs(after - now), np.abs(now - before)), 0)[where]
        for before, now, after in (
            tuple(frame.astype(int) for frame in frames[index : index + 3]) for index in range(len(frames) - 2)
        )
    ]
    return float(np.mean(turned))


def structure(before: Picture, after: Picture) -> float:
    """How far the edges of one picture are those of the other, whatever the light: a correlation of their gradients."""
    edges = []
    for picture in (before, after):
        grey = cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), 1.5)
        edge = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
        edges.append(np.log1p(edge).ravel())
    return float(np.corrcoef(edges[0], edges[1])[0, 1])


def luma(picture: Picture) -> float:
    """The mean brightness, 0..255."""
    return float(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).mean())


def flakes(picture: Picture) -> int:
    """How many small bright spots there are, that stand out from what is around them."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    around = cv2.medianBlur(grey, 9)
    spots = (cv2.subtract(grey, around) > 45).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(spots)
    return int((stats[1:, cv2.CC_STAT_AREA] < 40).sum())
