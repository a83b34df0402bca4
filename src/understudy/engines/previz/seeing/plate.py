"""What may be behind the subject of a picture, or beyond its edges: MI-GAN fills what is not known."""

import cv2
import numpy as np
from numpy.typing import NDArray

from understudy.engines.previz.seeing.nets import Picture, Values, answered

_LONGEST_PX = 1024
"""Of what the network is shown. It fills at 512 pixels whatever it is given; more costs memory and shows nothing."""

_AROUND = 0.5
"""How much of the surroundings is shown on each side, in parts of the hole's longer side."""

_LEAST_AROUND_PX = 64
_GROWN = 0.008
"""A hole is grown by this part of the picture's longer side: a rim of the subject would be drawn on inwards."""

_HOPELESS = 0.97
"""With less than the rest known there is nothing to go by; the colours are then only spread."""


def without(picture: Picture, mask: Values | NDArray[np.bool_]) -> Picture:
    """Return the picture with what the mask covers filled in; all else is the same to the byte, but for a soft rim.

    picture: (height_px, width_px, 3) uint8 RGB. mask: (height_px, width_px), above 0.1 or True = is to go.
    """
    hole = _grown(np.asarray(mask > 0.1, dtype=np.uint8), max(picture.shape[:2]))
    return _filled(picture, hole)


def outpainted(picture: Picture, *, left_px: int, top_px: int, right_px: int, bottom_px: int) -> Picture:
    """Return the picture with a border drawn on around it; the picture itself lies in it unchanged, but for its rim."""
    if not (left_px or top_px or right_px or bottom_px):
        return picture
    wide = np.asarray(
        cv2.copyMakeBorder(picture, top_px, bottom_px, left_px, right_px, cv2.BORDER_REFLECT_101), dtype=np.uint8
    )
    known = np.zeros(picture.shape[:2], dtype=np.uint8)
    hole = np.asarray(
        cv2.copyMakeBorder(known, top_px, bottom_px, left_px, right_px, cv2.BORDER_CONSTANT, value=(1,)), dtype=np.uint8
    )
    return _filled(wide, hole)


def _grown(hole: NDArray[np.uint8], longest_px: int) -> NDArray[np.uint8]:
    side_px = 2 * max(2, round(longest_px * _GROWN)) + 1
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side_px, side_px))
    return np.asarray(cv2.dilate(hole, brush), dtype=np.uint8)


def _filled(picture: Picture, hole: NDArray[np.uint8]) -> Picture:
    """Fill a hole. hole: (height_px, width_px) uint8, 1 = not known."""
    if not hole.any():
        return picture
    rows, columns = _seen(hole)
    shown, covered = picture[rows, columns], hole[rows, columns]
    scale = min(1.0, _LONGEST_PX / max(covered.shape))
    size = (max(16, round(covered.shape[1] * scale)), max(16, round(covered.shape[0] * scale)))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = np.asarray(cv2.resize(shown, size, interpolation=way), dtype=np.uint8)
    # Of a place that is half hole nothing is known.
    small_hole = (cv2.resize(covered * np.uint8(255), size, interpolation=cv2.INTER_LINEAR) > 0).astype(np.uint8)
    known = float(1 - small_hole.mean())
    fill = _spread(small, small_hole) if known < 1 - _HOPELESS else _drawn(small, small_hole)
    large = cv2.resize(fill, (covered.shape[1], covered.shape[0]), interpolation=cv2.INTER_CUBIC)
    # The rim is softened outwards: what lay under the mask may not shine through.
    rim_px = 2 * max(1, round(max(picture.shape[:2]) * _GROWN / 2)) + 1
    reach = cv2.dilate(covered, np.ones((rim_px, rim_px), dtype=np.uint8)).astype(np.float32)
    soft = np.maximum(cv2.blur(reach, (rim_px, rim_px)), covered)
    filled = picture.copy()
    changed = soft > 0
    before, share = shown[changed].astype(np.float32), soft[changed][:, None]
    filled[rows, columns][changed] = np.rint(before + share * (large[changed] - before)).astype(np.uint8)
    return filled


def _seen(hole: NDArray[np.uint8]) -> tuple[slice, slice]:
    """Return the rows and columns around a hole that are worth looking at."""
    rows, columns = np.flatnonzero(hole.any(axis=1)), np.flatnonzero(hole.any(axis=0))
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    room_px = max(_LEAST_AROUND_PX, int(_AROUND * max(bottom - top, right - left)))
    return slice(max(0, top - room_px), bottom + room_px), slice(max(0, left - room_px), right + room_px)


def _drawn(picture: Picture, hole: NDArray[np.uint8]) -> Picture:
    image = np.ascontiguousarray(picture.transpose(2, 0, 1)[None])
    known = np.ascontiguousarray(((1 - hole) * np.uint8(255))[None, None])
    drawn = np.asarray(answered("migan", {"image": image, "mask": known}), dtype=np.uint8)
    return np.ascontiguousarray(drawn[0].transpose(1, 2, 0))


def _spread(picture: Picture, hole: NDArray[np.uint8]) -> Picture:
    """Return the known colours spread over a hole that leaves next to nothing; grey if nothing at all."""
    known = (1 - hole).astype(np.float32)[:, :, None]
    total = float(known.sum())
    mean = (picture * known).sum(axis=(0, 1)) / total if total else np.full(3, 128.0)
    return np.where(hole[:, :, None] > 0, np.rint(mean), picture).astype(np.uint8)
