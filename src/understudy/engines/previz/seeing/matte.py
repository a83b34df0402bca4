"""What a picture is of: a matte of its subjects, found by U2-Net, and the subjects one by one."""

import cv2
import numpy as np
from numpy.typing import NDArray

from understudy.engines.previz.seeing.edges import guided
from understudy.engines.previz.seeing.nets import (
    IMAGENET_DEVIATION,
    IMAGENET_MEAN,
    Picture,
    Values,
    answered,
    as_batch,
    square_of,
)

_SIDE_PX = 320
_SURE = 0.5
"""Where nothing is found that surely, the picture is of nothing in particular."""

_SMALL_SUBJECT = 0.5
"""Subjects that fill a smaller part of the picture, as a box, are looked at again from nearer."""

_MARGIN = 0.15
_SOFT = (0.2, 0.8)
"""Below and above, a refined matte is nothing and all: the filter leaves a haze of the subject around it."""


def matte_of(picture: Picture) -> Values:
    """Return how much of each place belongs to what the picture is of, (height_px, width_px) 0..1.

    picture: (height_px, width_px, 3) uint8 RGB, or 4: what is transparent there is its own matte. All 0 where the
    picture is of nothing in particular.
    """
    if picture.shape[2] == 4:
        if int(picture[:, :, 3].min()) < 255:
            return picture[:, :, 3].astype(np.float32) / np.float32(255)
        picture = np.ascontiguousarray(picture[:, :, :3])
    coarse = _salient(picture)
    if float(coarse.max()) < _SURE:
        return np.zeros(picture.shape[:2], dtype=np.float32)
    left, top, right, bottom = _box_of(coarse, picture.shape)
    if (right - left) * (bottom - top) < _SMALL_SUBJECT * picture.shape[0] * picture.shape[1]:
        near = np.ascontiguousarray(picture[top:bottom, left:right])
        found = _salient(near)
        # From nearer a part of the subject can be the more striking one: what was seen as a whole stays.
        if float((found > _SURE).mean()) > 0.5 * float((coarse > _SURE).mean()):
            matte = np.zeros(picture.shape[:2], dtype=np.float32)
            matte[top:bottom, left:right] = _refined(found, near)
            return matte
    return _refined(coarse, picture)


def components(matte: Values, least_part: float = 0.01) -> tuple[Values, ...]:
    """Return the separate subjects of a matte, each as a matte of the same size, from left to right.

    least_part: of the picture; what is smaller is part of no subject.
    """
    solid = (matte > _SURE).astype(np.uint8)
    number, labels, stats, middles = cv2.connectedComponentsWithStats(solid, connectivity=8)
    least_px = least_part * matte.size
    kept = [one for one in range(1, number) if stats[one, cv2.CC_STAT_AREA] >= least_px]
    if not kept:
        return ()
    nearest = _nearest(np.where(np.isin(labels, kept), labels, 0))
    kept.sort(key=lambda one: float(middles[one, 0]))
    return tuple(np.where(nearest == one, matte, 0).astype(np.float32) for one in kept)


def _nearest(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Give each place without a label that of the nearest place with one."""
    _, zones = cv2.distanceTransformWithLabels(
        (labels == 0).astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
    )
    places = labels > 0
    of_zone = np.zeros(int(zones.max()) + 1, dtype=np.int32)
    of_zone[zones[places]] = labels[places]
    return np.asarray(of_zone[zones], dtype=np.int32)


def _salient(picture: Picture) -> Values:
    square = (square_of(picture, _SIDE_PX) - IMAGENET_MEAN) / IMAGENET_DEVIATION
    found = np.asarray(answered("u2netp", {"input.1": as_batch(square)}), dtype=np.float32)
    return np.asarray(found[0, 0])


def _box_of(coarse: Values, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of what is found, in pixels of the picture, with a margin."""
    rows, columns = np.nonzero(coarse > 0.3 * float(coarse.max()))
    height_px, width_px = shape[:2]
    top, bottom = int(rows.min()) / coarse.shape[0], (int(rows.max()) + 1) / coarse.shape[0]
    left, right = int(columns.min()) / coarse.shape[1], (int(columns.max()) + 1) / coarse.shape[1]
    room = _MARGIN * max(bottom - top, right - left)
    return (
        max(0, int((left - room) * width_px)),
        max(0, int((top - room) * height_px)),
        min(width_px, int((right + room) * width_px) + 1),
        min(height_px, int((bottom + room) * height_px) + 1),
    )


def _refined(coarse: Values, picture: Picture) -> Values:
    """Return a matte in the picture's size, turned where its colours turn."""
    fine = guided(coarse, picture, radius_part=0.012, evenness=5e-4, longest_px=768)
    low, high = _SOFT
    part = np.clip((fine - low) / (high - low), 0, 1)
    return np.asarray(part * part * (3 - 2 * part), dtype=np.float32)
