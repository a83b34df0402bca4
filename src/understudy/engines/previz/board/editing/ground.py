"""What is behind a thing that is taken out of a video: seen at another time of it, or drawn anew, and then kept.

What was once filled goes with the camera through the scene, so that it does not flicker.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from understudy.engines.previz.board.editing.following import Survey
from understudy.engines.previz.board.editing.laying import Floats, box_of, grown, laid
from understudy.engines.previz.board.editing.stretch import Stretch
from understudy.engines.previz.seeing import without
from understudy.media.decode import Picture

_LOOKED_AT = 8
"""Pictures of the stretch that are asked what is behind the thing."""

_ALIGNED_LEVELS = 16.0
"""How much another picture may differ around the hole to be of the same place."""

_KEPT_FRAMES = 96
_UNKNOWN = 0.012
"""Of a hole, so much may lie beyond what is known before it is looked at anew: at the frame's edge, where a camera
comes to what it did not see before."""

_KEPT_BYTES = 50_000_000
"""Up to this size the pictures that were asked are kept for the next hole: eight of a 1080p film."""

_GROWN, _SOFT = 0.009, 0.004
_SHADOW = 0.03
"""How far below a thing its shadow may lie, in parts of the frame's longer side; it goes with the thing."""

_SHRUNK = 8


class Ground:
    """The pictures of a stretch without a thing. Made for pictures that are asked for in order."""

    def __init__(self, stretch: Stretch, survey: Survey, thing: int, *, is_seen_elsewhere: bool = True) -> None:
        """is_seen_elsewhere: whether other pictures of the video may be asked, as none of them was changed before."""
        self._stretch, self._survey, self._thing = stretch, survey, thing
        self._is_seen_elsewhere = is_seen_elsewhere
        self._plate: Picture | None = None
        self._at = 0
        self._asked: dict[int, Picture] = {}
        longest = max(stretch.size_px)
        self._reach = max(2, round(longest * _GROWN))
        self._soft = max(1, round(longest * _SOFT))

    def cleared(self, picture: Picture, offset: int, mask: Floats) -> Picture:
        """Return the picture with what a mask covers filled in; elsewhere it is the same to the byte."""
        shadow = round(max(self._stretch.size_px) * _SHADOW)
        # All is done in a box around the hole: it is rarely a large part of the picture.
        box = box_of(mask, room_px=2 * shadow + 2 * (self._reach + self._soft) + 3 * _SHRUNK)
        result = picture.copy()
        if box is None:
            return result
        own = self._with_shadow(mask[box])
        hole = grown(own, self._reach)
        if not hole.any():
            return result
        base, known = self._reached(offset, box)
        missing = float((hole * (1 - known)).sum()) / float(hole.sum())
        if base is None or missing > _UNKNOWN or offset - self._at > _KEPT_FRAMES:
            self._plate, self._at = self._anew(picture, offset, hole, box=box), offset
            base = np.ascontiguousarray(self._plate[box])
        seen = np.ascontiguousarray(picture[box])
        base = _matched(base, seen, hole)
        result[box] = laid(seen, base, grown(own, self._reach, soft_px=self._soft))
        return result

    def _with_shadow(self, mask: Floats) -> Floats:
        """Return the mask with a strip below its lower part, where a shadow falls."""
        box = box_of(mask)
        if box is None:
            return mask
        reach = max(2, round(max(self._stretch.size_px) * _SHADOW))
        foot = np.asarray(mask > 0.5, dtype=np.float32)
        foot[: max(0, box[0].stop - 2 * reach)] = 0
        # A rectangle whose anchor is its foot: it pulls downwards, and is fast.
        wide = reach + 1 | 1
        fallen = cv2.dilate(foot, np.ones((reach + 1, wide), np.uint8), anchor=(wide // 2, reach))
        return np.asarray(np.maximum(mask, fallen), dtype=np.float32)

    def _reached(self, offset: int, box: tuple[slice, slice]) -> tuple[Picture | None, Floats]:
        """Return a part of the plate as the camera sees it now, and where it is known."""
        width_px, height_px = self._stretch.size_px
        size = (box[1].stop - box[1].start, box[0].stop - box[0].start)
        nothing = np.zeros(size[::-1], dtype=np.float32)
        way = self._survey.between(self._at, offset) if self._plate is not None else None
        if self._plate is None or way is None:
            return None, nothing
        if offset == self._at or (abs(way.shift) < 1e-5 and abs(way.factor - 1) < 1e-5):
            return np.ascontiguousarray(self._plate[box]), nothing + 1
        matrix = way.matrix(width_px, height_px)
        matrix[:, 2] -= (box[1].start, box[0].start)
        seen = cv2.warpAffine(self._plate, matrix, size, borderMode=cv2.BORDER_REPLICATE)
        known = cv2.warpAffine(np.full((height_px, width_px), 255, dtype=np.uint8), matrix, size)
        return np.asarray(seen, dtype=np.uint8), np.asarray(known > 252, dtype=np.float32)

    def _anew(self, picture: Picture, offset: int, part: Floats, *, box: tuple[slice, slice]) -> Picture:
        """Return the picture with the hole filled: by what was there, by what is seen at other times, or drawn.

        part: the hole, of a box of the picture.
        """
        height_px, width_px = picture.shape[:2]
        hole = np.zeros((height_px, width_px), dtype=np.float32)
        hole[box] = part
        base, known = self._reached(offset, (slice(0, height_px), slice(0, width_px)))
        filled = picture
        left = hole > 0
        if base is not None:
            take = left & (known > 0)
            filled = np.where(take[:, :, None], _matched(base, picture, hole), filled).astype(np.uint8)
            left &= ~take
        if self._is_seen_elsewhere and left.any():
            filled, left = self._uncovered(filled, offset, hole, left=left)
        # A few lost points are not worth a look at the whole.
        return without(filled, left.astype(np.float32)) if left.any() else np.ascontiguousarray(filled)

    def _uncovered(
        self, filled: Picture, offset: int, hole: Floats, *, left: NDArray[np.bool_]
    ) -> tuple[Picture, NDArray[np.bool_]]:
        """Fill what other pictures of the scene show, the nearest first; and say what is left."""
        seen = {place: shown for place, shown in self._others().items() if place != offset}
        ring = (grown(hole, self._reach * 3) > 0) & (hole == 0)
        for place in sorted(seen, key=lambda one: abs(one - offset)):
            way = self._survey.between(place, offset)
            if way is None or not left.any():
                continue
            size = self._stretch.size_px
            matrix = way.matrix(*size)
            small = self._survey.mask(self._thing, place)
            large = cv2.resize(small, size, interpolation=cv2.INTER_LINEAR).astype(np.float32) / np.float32(255)
            covered = grown(self._with_shadow(np.asarray(large, dtype=np.float32)), 2 * self._reach)
            free = cv2.warpAffine(1 - covered, matrix, size) > 0.99
            there = np.asarray(cv2.warpAffine(seen[place], matrix, size, borderMode=cv2.BORDER_REPLICATE), np.uint8)
            around = ring & free
            if not around.any():
                continue
            apart = np.abs(there[around].astype(np.int16) - filled[around].astype(np.int16))
            if float(np.median(apart)) > _ALIGNED_LEVELS:
                continue
            take = left & free
            filled = np.where(take[:, :, None], there, filled).astype(np.uint8)
            left = left & ~take
        return filled, left

    def _others(self) -> dict[int, Picture]:
        """Return pictures of the stretch, by their numbers."""
        if self._asked:
            return self._asked
        found = dict(self._stretch.pictures_at(self._stretch.spread(_LOOKED_AT)))
        if sum(picture.nbytes for picture in found.values()) <= _KEPT_BYTES:
            self._asked = found
        return found


def _matched(base: Picture, picture: Picture, hole: Floats) -> Picture:
    """Return the base in the light of the picture around the hole, which may have changed since."""
    box = box_of(hole, room_px=2 * _SHRUNK)
    if box is None:
        return base
    tall, wide = picture[box].shape[:2]
    size = (max(2, wide // _SHRUNK), max(2, tall // _SHRUNK))
    open_part = cv2.resize(1 - hole[box], size, interpolation=cv2.INTER_AREA)
    open_part = np.asarray(open_part > 0.99, dtype=np.float32)
    one, other = (
        cv2.resize(side[box], size, interpolation=cv2.INTER_AREA).astype(np.float32) for side in (picture, base)
    )
    apart = (one - other) * open_part[:, :, None]
    # What differs as much is another thing that passes, not another light.
    apart = np.clip(apart, -24, 24)
    reach = max(3, max(size) // 2 * 2 + 1)
    weight = cv2.GaussianBlur(open_part, (0, 0), reach / 4)
    light = cv2.GaussianBlur(apart, (0, 0), reach / 4) / (weight[:, :, None] + np.float32(1e-3))
    large = cv2.resize(light.astype(np.float32), (wide, tall), interpolation=cv2.INTER_LINEAR)
    matched = base.copy()
    matched[box] = np.clip(np.rint(base[box].astype(np.float32) + large), 0, 255).astype(np.uint8)
    return matched
