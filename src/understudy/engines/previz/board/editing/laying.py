"""Putting a changed part into a picture: what the mask does not cover stays the same to the byte."""

import cv2
import numpy as np
from numpy.typing import NDArray

from understudy.media.decode import Picture

Floats = NDArray[np.float32]

_WINDOW = 0.016
_EVENNESS = 6e-4
_LEAST = 2.0 / 255
_COVERED = 0.3


def box_of(mask: NDArray[np.floating] | NDArray[np.uint8], *, room_px: int = 0) -> tuple[slice, slice] | None:
    """Return the rows and columns that a mask covers, with room around; None if it is empty."""
    covered = np.asarray(mask > 0)
    rows, columns = np.flatnonzero(covered.any(axis=1)), np.flatnonzero(covered.any(axis=0))
    if not rows.size:
        return None
    height_px, width_px = covered.shape
    return (
        slice(max(0, int(rows[0]) - room_px), min(height_px, int(rows[-1]) + 1 + room_px)),
        slice(max(0, int(columns[0]) - room_px), min(width_px, int(columns[-1]) + 1 + room_px)),
    )


def laid(picture: Picture, over: Picture, mask: Floats) -> Picture:
    """Return the picture with another over it, as far as the mask, 0..1, says. All of one size."""
    result = picture.copy()
    box = box_of(mask)
    if box is None:
        return result
    share = np.rint(mask[box] * 256).astype(np.int32)[:, :, None]
    below, above = picture[box].astype(np.int32), over[box].astype(np.int32)
    # In whole numbers, so that no share is no change.
    result[box] = (below + (((above - below) * share + 128) >> 8)).astype(np.uint8)
    return result


def toned(picture: Picture, tone: tuple[float, float, float], share: Floats) -> Picture:
    """Return the picture with so much of each place, 0..1, in one colour, 0..255; share may be smaller than it."""
    height_px, width_px = picture.shape[:2]
    part = cv2.convertScaleAbs(share, alpha=255)
    if part.shape != (height_px, width_px):
        part = cv2.resize(part, (width_px, height_px), interpolation=cv2.INTER_LINEAR)
    left = cv2.bitwise_not(part)
    levels = np.arange(256) / 255
    added = [cv2.LUT(part, np.rint(levels * min(max(one, 0.0), 255.0)).astype(np.uint8)) for one in tone]
    # In bytes, which is several times faster than in fractions.
    return np.asarray(cv2.add(cv2.multiply(picture, cv2.merge([left] * 3), scale=1 / 255), cv2.merge(added)), np.uint8)


def mixed(picture: Picture, over: Picture, share: Floats) -> Picture:
    """Return the picture with another over it, over large parts: faster than `laid`, true to one level."""
    part = cv2.convertScaleAbs(share, alpha=255)
    size = (picture.shape[1], picture.shape[0])
    part = cv2.merge([cv2.resize(part, size, interpolation=cv2.INTER_LINEAR)] * 3)
    below = cv2.multiply(picture, cv2.bitwise_not(part), scale=1 / 255)
    return np.asarray(cv2.add(below, cv2.multiply(over, part, scale=1 / 255)), dtype=np.uint8)


def fine(mask: NDArray[np.uint8], picture: Picture) -> Floats:
    """Return a small mask, 0..255, in the picture's size and along its edges, 0..1; nothing where it says nothing.

    A guided filter on the luma, which is enough for an edge that is known to a pixel of the small picture. Source: He,
    Sun: Fast Guided Filter, 2015.
    """
    height_px, width_px = picture.shape[:2]
    result = np.zeros((height_px, width_px), dtype=np.float32)
    wide, tall = mask.shape[1], mask.shape[0]
    found = box_of(np.asarray(mask > 8, dtype=np.uint8), room_px=round(2 * _WINDOW * max(wide, tall)) + 1)
    if found is None:
        return result
    top, bottom = (round(edge * height_px / tall) for edge in (found[0].start, found[0].stop))
    left, right = (round(edge * width_px / wide) for edge in (found[1].start, found[1].stop))
    own = np.asarray(cv2.cvtColor(picture[top:bottom, left:right], cv2.COLOR_RGB2GRAY))
    size = (found[1].stop - found[1].start, found[0].stop - found[0].start)
    luma = cv2.resize(own, size, interpolation=cv2.INTER_AREA).astype(np.float32) / np.float32(255)
    values = mask[found].astype(np.float32) / np.float32(255)
    side = 2 * max(1, round(_WINDOW * max(wide, tall))) + 1

    def mean(of: Floats) -> Floats:
        return np.asarray(cv2.blur(of, (side, side), borderType=cv2.BORDER_REPLICATE), dtype=np.float32)

    luma_mean, mask_mean = mean(luma), mean(values)
    factor = (mean(luma * values) - luma_mean * mask_mean) / (mean(luma * luma) - luma_mean**2 + np.float32(_EVENNESS))
    shift = mask_mean - factor * luma_mean
    whole = (right - left, bottom - top)
    large_factor, large_shift = (
        cv2.resize(mean(one), whole, interpolation=cv2.INTER_LINEAR) for one in (factor, shift)
    )
    part = large_factor * (own.astype(np.float32) / np.float32(255)) + large_shift
    # The filter leaves a haze of the mask around it; far from the mask there is none.
    near = cv2.resize(cv2.dilate(values, np.ones((5, 5), np.uint8)), whole, interpolation=cv2.INTER_LINEAR)
    part = np.clip((part - 0.22) / 0.56, 0, 1) * np.clip(near * 4, 0, 1)
    part[part < _LEAST] = 0
    result[top:bottom, left:right] = part
    return result


def grown(mask: Floats, reach_px: int, *, soft_px: int = 0) -> Floats:
    """Return a mask that reaches farther, with a soft rim outside of it."""
    # Squares, not discs: they are taken apart into rows and columns, which is many times faster.
    brush = np.ones((2 * reach_px + 1,) * 2, dtype=np.uint8)
    wide = np.asarray(cv2.dilate((mask > _COVERED).astype(np.float32), brush), dtype=np.float32)
    if not soft_px:
        return wide
    rim = cv2.dilate(wide, np.ones((2 * soft_px + 1,) * 2, dtype=np.uint8))
    return np.asarray(np.maximum(cv2.blur(rim, (2 * soft_px + 1,) * 2), wide), dtype=np.float32)
