"""Where a thing is in each picture of a stretch: found in some of them, and carried to those between by their flow.

The stretch is read once, small, before it is drawn, so that what lies between two finds is led there from both sides
and does not flicker.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from understudy.engines.previz.board.alignment import STAYING, Similarity, followed
from understudy.engines.previz.board.editing.finding import Aim, found_in
from understudy.engines.previz.board.editing.stretch import Stretch
from understudy.media.decode import Picture

Floats = NDArray[np.float32]
Mask = NDArray[np.uint8]

_STEP, _LONG_STEP = 12, 24
"""Pictures from one look to the next: half a second of a usual film, and twice that while what was carried is what is
found."""

_AGREED = 0.8
"""How much of two masks together both have, for the one to be as good as the other."""

_CUT_LEVELS = 42.0
_SAME = 0.35
"""How much of two masks together both have, for them to be of one thing."""

_MOVES_PX = 1.1
_POINTS_LEAST, _POINTS_MOST = 20, 400
_OF_ONE_MIND = 0.6
"""Of the points of a thing, so many have to make one move for it to be one that moves as a whole."""

_NEARER, _FAR = 6.0, 99.0
"""How much nearer in colour, in Lab, a find has to be than what was carried, to be believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """A thing through a stretch. masks: small, 0..255, one a picture. was_found, is_sure: of the words."""

    masks: tuple[Mask, ...]
    was_found: bool
    is_sure: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What was seen of a stretch. moves: where the places of a scene's first picture are in each. things: by the aims.

    scenes: the number of each picture's scene; a cut in the video begins another. looks: a small picture now and then.
    """

    moves: tuple[Similarity, ...]
    scenes: tuple[int, ...]
    things: tuple[Followed, ...]
    looks: Mapping[int, Picture]

    def look(self, offset: int) -> Picture | None:
        """Return the small picture that was kept of about that time; None if the stretch has none."""
        near = min(self.looks, key=lambda one: abs(one - offset), default=None)
        return None if near is None else self.looks[near]

    def mask(self, thing: int, offset: int) -> Mask:
        """Return where a thing is; the stretch's last picture stays where a video ends early."""
        masks = self.things[thing].masks
        return masks[min(offset, len(masks) - 1)]

    def move(self, offset: int) -> Similarity:
        """Return the camera's move since the first picture of its scene."""
        return self.moves[min(offset, len(self.moves) - 1)]

    def between(self, before: int, after: int) -> Similarity | None:
        """Return where the places of one picture are in another; None where a cut lies between."""
        if self.scene(before) != self.scene(after):
            return None
        return inverse(self.move(before)).then(self.move(after))

    def scene(self, offset: int) -> int:
        """Return the number of a picture's scene."""
        return self.scenes[min(offset, len(self.scenes) - 1)]


class _Chunk:
    """Some pictures in a row, and the flows between them."""

    def __init__(self, first: Picture, *, most: int = _STEP) -> None:
        """most: how many come after the first before things are looked for again."""
        self.most = most
        self.pictures = [first]
        self.greys: list[NDArray[Any]] = [cv2.cvtColor(first, cv2.COLOR_RGB2GRAY)]
        self.back: list[Floats] = []
        self.onward: list[Floats] = []

    def add(self, picture: Picture, engine: Any, *, has_things: bool) -> None:
        self.pictures.append(picture)
        self.greys.append(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))
        if not has_things:
            return
        self.back.append(engine.calc(self.greys[-1], self.greys[-2], None))
        self.onward.append(engine.calc(self.greys[-2], self.greys[-1], None))

    def moving(self, steps: Sequence[Similarity | None], *, is_first: bool = False) -> Floats | None:
        """Return what goes otherwise than the frame does, in the last picture or the first; None = not to be told.

        steps: of the frame, the last of them to the chunk's last picture.
        """
        if not self.back:
            return None
        step = steps[-len(self.back)] if is_first else steps[-1]
        if step is None:
            return None
        flow = self.onward[0] if is_first else self.back[-1]
        height, width = self.greys[-1].shape
        matrix = (step if is_first else inverse(step)).matrix(width, height)
        rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
        x = matrix[0, 0] * columns + matrix[0, 1] * rows + matrix[0, 2]
        y = matrix[1, 0] * columns + matrix[1, 1] * rows + matrix[1, 2]
        apart = np.hypot(columns + flow[..., 0] - x, rows + flow[..., 1] - y)
        part = np.asarray(np.clip(apart / _MOVES_PX - 0.5, 0, 1), dtype=np.float32)
        return part if float(part.mean()) < 0.3 else None


@dataclass
class _Sought:  # tidy: what is known of a thing while the stretch is read
    """A thing while it is sought. last: where it was at the end of the chunk before; None = a scene begins.

    colour: of it, as a mean in Lab, when it was found first.
    """

    aim: Aim
    masks: list[Mask]
    last: Floats | None = None
    colour: Floats | None = None
    finds: int = 0
    is_sure: bool = False
    agrees: bool = False


def surveyed(stretch: Stretch, aims: Sequence[Aim]) -> Survey:
    """Follow the camera and some things through a stretch. Raises: Unreadable."""
    # OpenCV's own stubs do not know it.
    engine: Any = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST)  # type: ignore[attr-defined]
    steps: list[Similarity | None] = []
    sought = [_Sought(aim=aim, masks=[]) for aim in aims]
    chunk: _Chunk | None = None
    moves, scenes = [STAYING], [0]
    looks: dict[int, Picture] = {}
    for offset, picture in enumerate(stretch.smalls()):
        if offset % _STEP == 0 or offset == stretch.num_frames - 1:
            looks[offset] = picture
        if chunk is None:
            chunk = _Chunk(picture)
            continue
        if _is_cut(chunk.pictures[-1], picture):
            _end(chunk, sought, steps)
            for one in sought:
                one.last = None
            steps.append(None)
            moves.append(STAYING)
            scenes.append(scenes[-1] + 1)
            chunk = _Chunk(picture)
            continue
        steps.append(followed(chunk.greys[-1], cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)))
        moves.append(moves[-1].then(steps[-1] or STAYING))
        scenes.append(scenes[-1])
        chunk.add(picture, engine, has_things=bool(sought))
        if len(chunk.pictures) > chunk.most:
            _end(chunk, sought, steps)
            chunk = _Chunk(picture, most=_LONG_STEP if all(one.agrees for one in sought) else _STEP)
    if chunk is not None:
        _end(chunk, sought, steps)
    things = [Followed(masks=tuple(one.masks), was_found=one.finds > 0, is_sure=one.is_sure) for one in sought]
    return Survey(moves=tuple(moves), scenes=tuple(scenes), things=tuple(things), looks=looks)


def inverse(move: Similarity) -> Similarity:
    """Return the way back."""
    return Similarity(factor=1 / move.factor, shift=-move.shift / move.factor)


def _packed(mask: Floats | None, picture: Picture) -> Mask:
    if mask is None:
        return np.zeros(picture.shape[:2], dtype=np.uint8)
    return np.rint(np.clip(mask, 0, 1) * 255).astype(np.uint8)


def _colour(picture: Picture, mask: Floats) -> Floats | None:
    """Return the mean colour of a part of a picture in Lab; None if it is hardly there."""
    inside = mask > 0.6
    if int(inside.sum()) < 12:
        return None
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)
    return np.asarray(lab[inside].astype(np.float32).mean(axis=0), dtype=np.float32)


def _looked(one: _Sought, picture: Picture, moving: Floats | None, *, carried: Floats | None) -> Floats | None:
    """Look for a thing in a picture; what was carried there, and its colour, say which one it is."""
    found = found_in(picture, one.aim, moving)
    one.agrees = False
    if found is None:
        return carried
    one.finds += 1
    if one.finds == 1:
        one.is_sure = found.is_sure
        one.colour = _colour(picture, found.mask)
    if carried is None or float(carried.max(initial=0)) < 0.5:
        return found.mask
    both = float(np.minimum(found.mask, carried).sum())
    either = float(np.maximum(found.mask, carried).sum())
    one.agrees = both >= _AGREED * either
    if both >= _SAME * either:
        return np.asarray(0.65 * found.mask + 0.35 * carried, dtype=np.float32)
    # What was carried may have been lost on the way: it is what looks like the thing that counts.
    apart = [_apart(_colour(picture, mask), one.colour) for mask in (found.mask, carried)]
    return found.mask if apart[0] + _NEARER < apart[1] else carried


def _apart(colour: Floats | None, other: Floats | None) -> float:
    return float(np.linalg.norm(colour - other)) if colour is not None and other is not None else _FAR


def _end(chunk: _Chunk, sought: Sequence[_Sought], steps: Sequence[Similarity | None]) -> None:
    """Add the masks of a chunk's pictures; its first one's only where a scene begins."""
    count = len(chunk.pictures) - 1
    for one in sought:
        if one.last is None:
            one.last = _looked(one, chunk.pictures[0], chunk.moving(steps, is_first=True), carried=None)
            one.masks.append(_packed(one.last, chunk.pictures[0]))
        if not count:
            continue
        onward: list[Floats] = []
        if one.last is not None:
            for gone, came in zip(chunk.onward, chunk.back, strict=True):
                onward.append(_carried(onward[-1] if onward else one.last, gone, came))
        one.last = _looked(one, chunk.pictures[-1], chunk.moving(steps), carried=onward[-1] if onward else None)
        backward: list[Floats] = []
        if one.last is not None:
            for gone, came in zip(reversed(chunk.back[1:]), reversed(chunk.onward[1:]), strict=True):
                backward.append(_carried(backward[-1] if backward else one.last, gone, came))
            backward = [*reversed(backward), one.last]
        for index in range(count):
            way = (index + 1) / count
            sides = [(side[index], weight) for side, weight in ((onward, 1 - way), (backward, way)) if side]
            total = sum(weight for _, weight in sides)
            if not sides or total <= 0:
                one.masks.append(_packed(sides[0][0] if sides else None, chunk.pictures[0]))
                continue
            mixed = np.asarray(sum(side * (weight / total) for side, weight in sides), dtype=np.float32)
            # Two edges that do not meet are one edge between them.
            one.masks.append(_packed(np.asarray((mixed - 0.5) * 1.8 + 0.5), chunk.pictures[0]))


def _carried(mask: Floats, gone: Floats, came: Floats) -> Floats:
    """Return a mask in the next picture. gone: where its places go to; came: where those of the next come from.

    What moves as a whole is moved as a whole: a flow for each place leaves a trail of the thing behind it.
    """
    height, width = mask.shape
    down, across = np.nonzero(mask > 0.6)
    if down.size >= _POINTS_LEAST:
        step = max(1, down.size // _POINTS_MOST)
        down, across = down[::step], across[::step]
        there = np.stack([across, down], axis=1).astype(np.float32)
        matrix, kept = cv2.estimateAffinePartial2D(there, there + gone[down, across], ransacReprojThreshold=0.8)
        if matrix is not None and float(kept.mean()) > _OF_ONE_MIND:
            moved = cv2.warpAffine(mask, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
            return np.asarray(moved, dtype=np.float32)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = columns + came[..., 0], rows + came[..., 1]
    return np.asarray(cv2.remap(mask, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), dtype=np.float32)


def _is_cut(before: Picture, after: Picture) -> bool:
    small = [cv2.resize(one, (32, 18), interpolation=cv2.INTER_AREA) for one in (before, after)]
    return float(cv2.absdiff(*small).mean()) > _CUT_LEVELS
