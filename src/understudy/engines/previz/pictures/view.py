"""A perspective camera at one instant: where a point of the world falls in the frame.

World units: the main subject is one unit high and stands on the ground ``y = 0`` at ``x = 0``, at the stage's
``distance``. ``x`` grows to the right, ``y`` upwards, ``z`` away from the camera. Frame coordinates are pixels from
the top left corner.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

# A camera never comes closer to a thing than this; nearer things are not drawn.
NEAREST = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The camera at ``time_s``: its place (x, y, z), its focal length, and where its axis meets the frame.

    Pan and tilt are shifts of ``centre_x_px`` and ``horizon_px``: for small angles that is what a rotation does, and
    straight walls stay straight.
    """

    width_px: int
    height_px: int
    focal_px: float
    centre_x_px: float
    horizon_px: float
    x: float
    y: float
    z: float
    time_s: float

    def scale(self, depth: float) -> float:
        """Pixels per unit at a depth."""
        return self.focal_px / max(depth - self.z, NEAREST)

    def project(self, x: float, y: float, depth: float) -> tuple[float, float]:
        """Frame position of a point."""
        scale = self.scale(depth)
        return self.centre_x_px + (x - self.x) * scale, self.horizon_px - (y - self.y) * scale

    def ground_matrix(self) -> npt.NDArray[np.float64]:
        """3x3 matrix from ground coordinates (x, z, 1) to frame coordinates."""
        return np.array(
            [
                [self.focal_px, self.centre_x_px, -self.focal_px * self.x - self.centre_x_px * self.z],
                [0.0, self.horizon_px, self.focal_px * self.y - self.horizon_px * self.z],
                [0.0, 1.0, -self.z],
            ]
        )

    def side_matrix(self, wall_x: float) -> npt.NDArray[np.float64]:
        """3x3 matrix from coordinates (z, y, 1) on an upright wall along the view to frame coordinates."""
        offset = self.focal_px * (wall_x - self.x)
        return np.array(
            [
                [self.centre_x_px, 0.0, offset - self.centre_x_px * self.z],
                [self.horizon_px, -self.focal_px, self.focal_px * self.y - self.horizon_px * self.z],
                [1.0, 0.0, -self.z],
            ]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What a whole camera move can see: the bounds over sampled views, so that layers are baked no larger."""

    views: tuple[View, ...]

    @classmethod
    def of(cls, views: Sequence[View]) -> "Reach":
        """Bound a move by some of its views; the first one is the reference view."""
        return cls(views=tuple(views))

    def x_range(self, depth: float) -> tuple[float, float]:
        """Least and greatest x seen at a depth."""
        lows = [v.x - v.centre_x_px / v.scale(depth) for v in self.views]
        highs = [v.x + (v.width_px - v.centre_x_px) / v.scale(depth) for v in self.views]
        return min(lows), max(highs)

    def y_range(self, depth: float) -> tuple[float, float]:
        """Least and greatest y seen at a depth."""
        lows = [v.y - (v.height_px - v.horizon_px) / v.scale(depth) for v in self.views]
        highs = [v.y + v.horizon_px / v.scale(depth) for v in self.views]
        return min(lows), max(highs)

    def finest_scale(self, depth: float) -> float:
        """The most pixels per unit that a thing at a depth ever needs."""
        return max(v.scale(depth) for v in self.views)

    def shift_range_px(self) -> tuple[float, float, float, float]:
        """Least and greatest centre_x, least and greatest horizon: how far the sky moves."""
        xs = [v.centre_x_px for v in self.views]
        ys = [v.horizon_px for v in self.views]
        return min(xs), max(xs), min(ys), max(ys)
