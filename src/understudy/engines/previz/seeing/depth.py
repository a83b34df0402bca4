"""How far each place of a picture is, guessed by FastDepth from the picture alone."""

import numpy as np

from understudy.engines.previz.seeing.edges import guided
from understudy.engines.previz.seeing.nets import Picture, Values, answered, as_batch, square_of

_SIDE_PX = 224
_OUTERMOST = (2.0, 98.0)
"""Percentiles that become 0 and 1: single wrong places shall not squeeze all others together."""

_LEAST_SPAN = 0.1
"""A picture whose nearest and farthest places differ by less, relatively, is taken as flat: all the same distance."""


def depth_of(picture: Picture) -> Values:
    """Return how near each place is, (height_px, width_px) 0..1, 1 = nearest; all 0.5 where there is no depth to see.

    picture: (height_px, width_px, 3) uint8 RGB. The values are those of nearness, 1 / distance: a sideways step of
    the camera moves things in proportion to them.
    """
    square = square_of(picture, _SIDE_PX)
    # The weights were trained on plain 0..1 values; the answer is a distance in metres.
    distance = np.asarray(answered("fastdepth", {"0": as_batch(square)}), dtype=np.float32)[0, 0]
    near = 1 / np.maximum(distance, np.float32(0.1))
    far_end, near_end = (float(value) for value in np.percentile(near, _OUTERMOST))
    if near_end - far_end < _LEAST_SPAN * near_end:
        return np.full(picture.shape[:2], 0.5, dtype=np.float32)
    scaled = np.clip((near - far_end) / (near_end - far_end), 0, 1).astype(np.float32)
    return np.clip(guided(scaled, picture, radius_part=0.03, evenness=2e-3), 0, 1)
