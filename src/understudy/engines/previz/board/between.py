"""The way from one picture to another: what both show is moved, and the rest is dissolved.

Optical flow says where each part of one picture is in the other. Where the two flows do not lead back to where they
came from there is nothing to follow, and the parts are blended in place; of two pictures that have nothing in common
only a dissolve is left, with the camera going on through it.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from understudy.engines.previz.board.moves import Aim, aimed, eased
from understudy.media.decode import Picture, fitted

Flow = NDArray[np.float32]
"""(height, width, 2) float32: x and y, in parts of the width and of the height."""

_ANALYSED_PX = 512
"""The longer side of what is compared: the same whatever the film's size, so that a draft moves as its final does."""

_TRUST_PART = 0.012
"""A detour of so much of the frame, there and back, makes a flow half as believable."""

_DRIFT = 0.08
_LEAST_BLENDED = 0.3
"""The part of the way in which two pictures are seen at once; the more they have in common, the longer it may be."""


class Transition:
    """Draws the way between two pictures of one size; both ends are exactly the pictures."""

    def __init__(self, first: Picture, last: Picture) -> None:
        self._first, self._last = first, last
        height_px, width_px = first.shape[:2]
        scale = _ANALYSED_PX / max(height_px, width_px)
        size = (max(16, round(width_px * scale)), max(16, round(height_px * scale)))
        small = [cv2.cvtColor(fitted(picture, *size), cv2.COLOR_RGB2GRAY) for picture in (first, last)]
        # OpenCV's own stubs do not know it.
        engine: Any = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)  # type: ignore[attr-defined]
        there, back = engine.calc(small[0], small[1], None), engine.calc(small[1], small[0], None)
        trusts = (_trust(there, back), _trust(back, there))
        self._there, self._back = (
            _in_parts(flow * trust[..., None]) for flow, trust in zip((there, back), trusts, strict=True)
        )
        in_common = float(np.mean(trusts))
        self._drift = _DRIFT * (1 - in_common)
        self._blended = _LEAST_BLENDED + (1 - _LEAST_BLENDED) * in_common
        self._rows, self._columns = np.mgrid[0:height_px, 0:width_px].astype(np.float32)

    def picture(self, part: float) -> Picture:
        """Return the picture at 0..1 of the way, (height_px, width_px, 3)."""
        if part <= 0:
            return self._first
        if part >= 1:
            return self._last
        way = eased(part)
        # Where a point between the two came from, and where it goes. Source: Jiang et al., "Super SloMo", equation 4.
        from_first = way * (way * self._back - (1 - way) * self._there)
        from_last = (1 - way) * ((1 - way) * self._there - way * self._back)
        first = aimed(self._first, Aim(zoom=1 + self._drift * way))
        last = aimed(self._last, Aim(zoom=1 + self._drift * (1 - way)))
        seen = eased(min(1.0, max(0.0, (part - 0.5) / self._blended + 0.5)))
        if seen in (0.0, 1.0):
            return self._moved(last, from_last) if seen else self._moved(first, from_first)
        blended = cv2.addWeighted(self._moved(first, from_first), 1 - seen, self._moved(last, from_last), seen, 0)
        return np.asarray(blended, dtype=np.uint8)

    def _moved(self, picture: Picture, flow: NDArray[Any]) -> Picture:
        height_px, width_px = picture.shape[:2]
        large = cv2.resize(flow, (width_px, height_px), interpolation=cv2.INTER_LINEAR)
        map_x, map_y = self._columns + large[..., 0] * width_px, self._rows + large[..., 1] * height_px
        moved = cv2.remap(picture, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        return np.asarray(moved, dtype=np.uint8)


def _in_parts(flow: Flow) -> Flow:
    height, width = flow.shape[:2]
    return np.asarray(flow / np.array([width, height], dtype=np.float32), dtype=np.float32)


def _trust(there: Flow, back: Flow) -> NDArray[np.float32]:
    """How far each point can be believed, 0..1: by how near it comes back to itself."""
    height, width = there.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    returned = cv2.remap(back, columns + there[..., 0], rows + there[..., 1], cv2.INTER_LINEAR)
    detour = np.linalg.norm(there + returned, axis=2) / (_TRUST_PART * max(height, width))
    trust = (1 / (1 + detour**2)).astype(np.float32)
    # Neighbours move alike: a hard edge between trust and none would tear the picture.
    return np.asarray(cv2.GaussianBlur(trust, (0, 0), max(height, width) / 40), dtype=np.float32)
