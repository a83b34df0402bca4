"""A given picture from nearer by: how a later shot of its scene sees it."""

import cv2
import numpy as np

from understudy.engines.previz.plan import Framing
from understudy.engines.previz.seeing import matte_of
from understudy.media.decode import Picture

CLOSER = {Framing.WIDE: 1.0, Framing.MEDIUM: 1.3, Framing.CLOSE_UP: 1.8}
"""How much nearer each framing is than the picture itself. More than this would show its pixels."""

_LOOKED_AT_PX = 480
_FACE_PART = 0.25
"""Faces and what else is looked at lie in the upper part of what a picture is of."""

_LEAST_SEEN = 0.01


def seen_nearer(picture: Picture, closer: float) -> Picture:
    """Return the part of a picture that holds what it is of, in the picture's size; 1 = the picture itself."""
    if closer <= 1:
        return picture
    height_px, width_px = picture.shape[:2]
    x, y = _middle_of_subject(picture)
    wide, high = width_px / closer, height_px / closer
    left = min(max(x * width_px - wide / 2, 0), width_px - wide)
    top = min(max(y * height_px - high / 2, 0), height_px - high)
    part = picture[round(top) : round(top + high), round(left) : round(left + wide)]
    return np.asarray(cv2.resize(part, (width_px, height_px), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


def _middle_of_subject(picture: Picture) -> tuple[float, float]:
    """Return where to look, in parts of the picture; its middle where nothing stands out."""
    scale = _LOOKED_AT_PX / max(picture.shape[:2])
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else picture
    matte = matte_of(np.asarray(small, dtype=np.uint8))
    if float(matte.mean()) < _LEAST_SEEN:
        return 0.5, 0.5
    rows = np.cumsum(matte.sum(axis=1))
    columns = np.cumsum(matte.sum(axis=0))
    x = int(np.searchsorted(columns, columns[-1] / 2)) / matte.shape[1]
    y = int(np.searchsorted(rows, rows[-1] * _FACE_PART)) / matte.shape[0]
    return x, y
