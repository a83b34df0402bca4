"""A barn, which stands on a farm."""

import cv2
import numpy as np

from understudy.engines.previz.pictures.canvas import Rgb
from understudy.engines.previz.pictures.layers import Panel
from understudy.engines.previz.pictures.light import recolour
from understudy.engines.previz.pictures.scene import Stagehand
from understudy.engines.previz.pictures.seasons import is_snowy, snowed

_SNOW_SHARE = 0.05


def barn(stagehand: Stagehand, *, depth: float) -> Panel:
    """A red barn at one side; snow lies on its roof."""
    look, rng = stagehand.look, stagehand.rng
    low, high = stagehand.reach.x_range(depth)
    density = stagehand.reach.finest_scale(depth)
    tall, wide = 1.9, 2.3
    width, height = max(int(wide * density), 8), max(int(tall * density), 8)
    bitmap = np.zeros((height, width, 4), np.uint8)

    def polygon(points: list[tuple[float, float]], colour: Rgb) -> None:
        corners = np.array([[round(x * width * 8), round(y * height * 8)] for x, y in points], np.int32)
        cv2.fillPoly(bitmap, [corners], (*(c * 255 for c in colour), 255), cv2.LINE_AA, 3)

    polygon([(0.06, 1), (0.06, 0.46), (0.2, 0.2), (0.5, 0.04), (0.8, 0.2), (0.94, 0.46), (0.94, 1)], (0.74, 0.20, 0.17))
    for index in range(1, 14):
        x = 0.06 + 0.88 * index / 14
        polygon([(x, 1), (x, 0.3), (x + 0.006, 0.3), (x + 0.006, 1)], (0.64, 0.16, 0.14))
    polygon(
        [
            (0.0, 0.50),
            (0.17, 0.18),
            (0.5, 0.0),
            (0.83, 0.18),
            (1.0, 0.50),
            (0.93, 0.50),
            (0.79, 0.25),
            (0.5, 0.09),
            (0.21, 0.25),
            (0.07, 0.50),
        ],
        (0.42, 0.40, 0.44),
    )
    polygon([(0.33, 1), (0.33, 0.60), (0.67, 0.60), (0.67, 1)], (0.95, 0.94, 0.90))
    polygon([(0.355, 1), (0.355, 0.635), (0.645, 0.635), (0.645, 1)], (0.60, 0.15, 0.13))
    polygon([(0.355, 0.635), (0.38, 0.635), (0.645, 1), (0.62, 1)], (0.95, 0.94, 0.90))
    polygon([(0.62, 0.635), (0.645, 0.635), (0.38, 1), (0.355, 1)], (0.95, 0.94, 0.90))
    polygon([(0.43, 0.45), (0.43, 0.28), (0.57, 0.28), (0.57, 0.45)], (0.95, 0.94, 0.90))
    polygon(
        [(0.45, 0.43), (0.45, 0.30), (0.55, 0.30), (0.55, 0.43)],
        (1.0, 0.85, 0.5) if look.is_dark else (0.28, 0.22, 0.24),
    )
    haze = look.haze_at(depth, stagehand.distance)
    x = low + (high - low) * (0.24 if rng.random() < 0.5 else 0.76) - wide / 2
    if is_snowy(stagehand.shot):
        bitmap = snowed(bitmap, ambient=(1.0, 1.0, 1.0), thick_px=_SNOW_SHARE * height)
    lit = recolour(bitmap, look.lit_matrix(gain=look.ambient, haze=haze))
    return Panel(bitmap=lit, left=x, top=tall, depth=depth, density=density)
