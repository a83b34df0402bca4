"""Where a thing is in each picture of a stretch: found in some of them, and carried to those between by their flow.

The stretch is read once, small, before it is drawn, so that what lies between two finds is led there from both sides
and does not flicker.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from understudy.engines.previz.board.alignment import STAYING, Similarity, followed
from understudy.engines.previz.board.editing.finding import Aim, Found, found_in
from understudy.engines.previz.board.editing.stretch import Stretch
from understudy.media.decode import Picture

Floats = NDArray[np.float32]
Mask = NDArray[np.uint8]

_STEP = 12
"""Pictures from one look to the next: half a second of a usual film."""

_CUT_LEVELS = 42.0
_SAME = 0.35
"""How much of two masks together both have, for them to be of one thing."""

_MOVES_PX = 1.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """A thing through a stretch. masks: small, 0..255, one a picture. was_found, is_sure: of the words."""

    masks: tuple[Mask, ...]
    was_found: bool
    is_sure: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What was seen of a stretch. moves: where the places of a scene's first picture are in each. things: by the aims.

    scenes: the number of each picture's scene; a cut in the video begins another.
    """

    moves: tuple[Similarity, ...]
    scenes: tuple[int, ...]
    things: tuple[Followed, ...]

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

    def __init__(self, first: Picture) -> None:
        self.pictures = [first]
        self.greys: list[NDArray[Any]] = [cv2.cvtColor(first, cv2.COLOR_RGB2GRAY)]
        self.back: list[Floats] = []
        self.onward: list[Floats] = []

    def add(self, picture: Picture, engine: Any) -> None:
        self.pictures.append(picture)
        self.greys.append(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))
        self.back.append(engine.calc(self.greys[-1], self.greys[-2], None))
        self.onward.append(engine.calc(self.greys[-2], self.greys[-1], None))

    def moving(self, moves: Sequence[Similarity | None]) -> Floats | None:
        """Return what goes otherwise than the frame does, in the last picture."""
        if not self.back or moves[-1] is None:
            return None
        height, width = self.greys[-1].shape
        matrix = moves[-1].matrix(width, height)
        rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
        before_x, before_y = columns + self.back[-1][..., 0], rows + self.back[-1][..., 1]
        x = matrix[0, 0] * before_x + matrix[0, 1] * before_y + matrix[0, 2]
        y = matrix[1, 0] * before_x + matrix[1, 1] * before_y + matrix[1, 2]
        apart = np.hypot(x - columns, y - rows)
        part = np.asarray(np.clip(apart / _MOVES_PX - 0.5, 0, 1), dtype=np.float32)
        return part if float(part.mean()) < 0.3 else None


def surveyed(stretch: Stretch, aims: Sequence[Aim]) -> Survey:
    """Follow the camera and some things through a stretch. Raises: Unreadable."""
    engine = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    steps: list[Similarity | None] = []
    masks: list[list[Mask]] = [[] for _ in aims]
    finds: list[list[Found | None]] = [[] for _ in aims]
    chunk: _Chunk | None = None
    moves, scenes = [STAYING], [0]
    last: list[Floats | None] = [None] * len(aims)
    for picture in stretch.smalls():
        if chunk is None:
            chunk = _Chunk(picture)
            last = [_looked(chunk, aim, steps, None, finds[number]) for number, aim in enumerate(aims)]
            _keep(masks, last, picture)
            continue
        step = followed(chunk.greys[-1], cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))
        is_cut = _is_cut(chunk.pictures[-1], picture)
        steps.append(None if is_cut else step)
        scenes.append(scenes[-1] + is_cut)
        moves.append(STAYING if is_cut else moves[-1].then(step or STAYING))
        if is_cut:
            _end(chunk, aims, last, masks, finds=None, steps=steps)
            chunk = _Chunk(picture)
            last = [_looked(chunk, aim, steps, None, finds[number]) for number, aim in enumerate(aims)]
            _keep(masks, last, picture)
            continue
        chunk.add(picture, engine)
        if len(chunk.pictures) > _STEP:
            last = _end(chunk, aims, last, masks, finds=finds, steps=steps)
            chunk = _Chunk(picture)
    if chunk is not None and len(chunk.pictures) > 1:
        _end(chunk, aims, last, masks, finds=None, steps=steps)
    things = [
        Followed(
            masks=tuple(own),
            was_found=any(one is not None for one in found),
            is_sure=bool(found) and found[0] is not None and found[0].is_sure,
        )
        for own, found in zip(masks, finds, strict=True)
    ]
    return Survey(moves=tuple(moves), scenes=tuple(scenes), things=tuple(things))


def inverse(move: Similarity) -> Similarity:
    """Return the way back."""
    return Similarity(factor=1 / move.factor, shift=-move.shift / move.factor)


def _keep(masks: list[list[Mask]], found: Sequence[Floats | None], picture: Picture) -> None:
    for own, mask in zip(masks, found, strict=True):
        own.append(_packed(mask, picture))


def _packed(mask: Floats | None, picture: Picture) -> Mask:
    if mask is None:
        return np.zeros(picture.shape[:2], dtype=np.uint8)
    return np.rint(np.clip(mask, 0, 1) * 255).astype(np.uint8)


def _looked(
    chunk: _Chunk, aim: Aim, steps: Sequence[Similarity | None], carried: Floats | None, finds: list[Found | None]
) -> Floats | None:
    """Look for a thing in the last picture of a chunk; what was carried there says which one it is."""
    found = found_in(chunk.pictures[-1], aim, chunk.moving(steps) if steps else None)
    finds.append(found)
    if found is None:
        return carried
    if carried is None or float(carried.max(initial=0)) < 0.5:
        return found.mask
    both = float(np.minimum(found.mask, carried).sum())
    either = float(np.maximum(found.mask, carried).sum())
    if both < _SAME * either:
        return carried
    return np.asarray(0.65 * found.mask + 0.35 * carried, dtype=np.float32)


def _end(
    chunk: _Chunk,
    aims: Sequence[Aim],
    first: Sequence[Floats | None],
    masks: list[list[Mask]],
    *,
    finds: list[list[Found | None]] | None,
    steps: Sequence[Similarity | None],
) -> list[Floats | None]:
    """Add the masks of a chunk's pictures but its first, and return those of the last. finds: None = do not look."""
    count = len(chunk.pictures) - 1
    result: list[Floats | None] = []
    for number, aim in enumerate(aims):
        onward: list[Floats] = []
        carried = first[number]
        if carried is not None:
            for flow in chunk.back:
                onward.append(_carried(onward[-1] if onward else carried, flow))
        reached = onward[-1] if onward else None
        last = _looked(chunk, aim, steps, reached, finds[number]) if finds is not None else reached
        result.append(last)
        backward: list[Floats] = []
        if last is not None and finds is not None:
            for flow in reversed(chunk.onward[1:]):
                backward.append(_carried(backward[-1] if backward else last, flow))
            backward = [*reversed(backward), last]
        for index in range(count):
            way = (index + 1) / count
            sides = [(side[index], weight) for side, weight in ((onward, 1 - way), (backward, way)) if side]
            total = sum(weight for _, weight in sides)
            if not sides or total <= 0:
                masks[number].append(_packed(sides[0][0] if sides else None, chunk.pictures[0]))
                continue
            mixed = np.asarray(sum(side * (weight / total) for side, weight in sides), dtype=np.float32)
            # Two edges that do not meet are one edge between them.
            masks[number].append(_packed(np.clip((mixed - 0.5) * 1.8 + 0.5, 0, 1), chunk.pictures[0]))
    return result


def _carried(mask: Floats, flow: Floats) -> Floats:
    height, width = mask.shape
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    return np.asarray(
        cv2.remap(mask, columns + flow[..., 0], rows + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
        dtype=np.float32,
    )


def _is_cut(before: Picture, after: Picture) -> bool:
    small = [cv2.resize(one, (32, 18), interpolation=cv2.INTER_AREA) for one in (before, after)]
    return float(cv2.absdiff(*small).mean()) > _CUT_LEVELS
