"""Grass that stands up: strips of blades at several depths, which sway and pass one another."""

import cv2
import numpy as np

from understudy.engines.previz.pictures.canvas import Bitmap, Rgb
from understudy.engines.previz.pictures.land import Spot, upright
from understudy.engines.previz.pictures.layers import Layer
from understudy.engines.previz.pictures.light import dimmed, mix, recolour
from understudy.engines.previz.pictures.scene import Stagehand
from understudy.engines.previz.plan import CameraMove

_LEVEL_MOVES = frozenset(
    {
        CameraMove.STATIC,
        CameraMove.PAN_LEFT,
        CameraMove.PAN_RIGHT,
        CameraMove.TRACK,
        CameraMove.ORBIT,
        CameraMove.HANDHELD,
    }
)


def grass_strips(stagehand: Stagehand, *, light: Rgb, dark: Rgb, tall: float = 0.15) -> list[Layer]:
    """Strips of grass behind and before the subject; the nearest one is out of focus."""
    d = stagehand.distance
    strips = [(3.0, 0.75, 30.0), (1.75, 0.85, 14.0)]
    if stagehand.shot.camera in _LEVEL_MOVES:
        staging = stagehand.staging
        # Rooted just below the frame's edge, so that only the tips stand in the picture.
        edge = staging.focal_px * staging.eye / (staging.canvas.height_px * 1.03 - staging.horizon_px) / d
        strips.append((edge, 1.0, 12.0))
    return [
        _strip(stagehand, Spot(depth=factor * d, height=tall * size), light=light, dark=dark, thick=thick)
        for factor, size, thick in strips
    ]


def _strip(stagehand: Stagehand, spot: Spot, *, light: Rgb, dark: Rgb, thick: float) -> Layer:
    """thick: tufts per ten heights of width."""
    look, rng = stagehand.look, stagehand.rng
    is_near = spot.depth < stagehand.distance

    def paint(width_px: int, height_px: int, density: float) -> Bitmap:
        bitmap: Bitmap = np.zeros((height_px, width_px, 4), np.uint8)
        # The blades grow in a patch that is drawn once and repeated: thousands of blades would cost more than all else.
        patch = np.zeros((height_px, min(max(height_px * 24, 64), width_px), 4), np.uint8)
        across = patch.shape[1]
        for _ in range(int(across / height_px * thick / 3.4)):
            x = rng.uniform(0, across)
            crown = rng.uniform(0.5, 1.0)
            for _ in range(int(rng.integers(3, 7))):
                lean, tip = rng.normal(0, 0.28) * height_px, height_px * (1 - crown * rng.uniform(0.55, 0.98))
                base = x + rng.normal(0, 0.10) * height_px
                half = max(height_px * 0.035, 0.6)
                colour = mix(dark, light, rng.uniform(0.1, 1.0))
                shade = tuple(min(c, 1.0) * 255 for c in colour)
                points = [
                    (base - half, height_px),
                    (base + lean * 0.35, (height_px + tip) / 2),
                    (base + lean, tip),
                    (base + lean * 0.35 + half * 1.4, (height_px + tip) / 2),
                    (base + half, height_px),
                ]
                corners = np.array([[round(px * 8), round(py * 8)] for px, py in points], np.int32)
                cv2.fillPoly(patch, [corners], (*shade, 255), cv2.LINE_AA, 3)
        for left in range(0, width_px, across):
            bitmap[:, left : left + across] = patch[:, : min(across, width_px - left)]
        if is_near:
            bitmap = cv2.GaussianBlur(bitmap, (0, 0), max(height_px * 0.035, 0.8))
        haze = look.haze_at(spot.depth, stagehand.distance)
        gain = dimmed(look.ambient, 0.72) if is_near else look.ambient
        return recolour(bitmap, look.lit_matrix(gain=gain, haze=haze))

    return upright(stagehand, spot, paint, sway=0.012 * min(stagehand.wind, 2.5))
