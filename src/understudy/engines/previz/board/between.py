"""The way from one picture to another: the camera goes from the one view to the other, and what is in it moves along.

First the move of the whole frame that leads from one picture to the other (`alignment`); or, of pictures that have
nothing in common, the move that the words ask for. What is left is divided by RIFE (`media.between`) into short steps,
and those by optical flow. All this is found on small pictures, as places in the two given ones; drawn is always from
these, so that a large film is as sharp as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from understudy.engines.previz.board.alignment import STAYING, Similarity, aligned, reduced
from understudy.engines.previz.board.carried import carried_over
from understudy.engines.previz.board.moves import eased
from understudy.engines.previz.plan import CameraMove
from understudy.media.between import GRAIN_PX, Middle, middle_of
from understudy.media.decode import Picture

Floats = NDArray[np.float32]

_WORLD_PX = 384
"""The longer side of what is divided by RIFE: the same whatever the film's size, as a draft moves as its final does."""

_FAR_PX = (-1.0, 4.0, 12.0)
"""The way is halved by RIFE once, once more if much is farther than so many pixels from its middle, and so on."""

_STRANGE_LEVELS = 2
_FEATHER = 0.12
_LEAST = 1e-3
_THERE = 0.05
_SWITCHED_FROM = 0.37
_FRAMED = 0.02
_CONTRAST = 5.0
_STRANGE = 40.0
"""Where the two differ by so many levels, nothing in common is shown there: it is seen of the one or of the other."""

_TRUST_PX = 4.0
_RELATED = 0.55
"""Pictures of which so much is found again stay where they are, though no move of the frame leads from one to other."""

SUPPOSED: Mapping[CameraMove, Similarity] = {
    CameraMove.STATIC: Similarity(factor=1.06 + 0j),
    CameraMove.PUSH_IN: Similarity(factor=1.35 + 0j),
    CameraMove.PULL_OUT: Similarity(factor=1 / 1.35 + 0j),
    CameraMove.PAN_LEFT: Similarity(shift=0.35 + 0j),
    CameraMove.PAN_RIGHT: Similarity(shift=-0.35 + 0j),
    CameraMove.TILT_UP: Similarity(shift=0.25j),
    CameraMove.TILT_DOWN: Similarity(shift=-0.25j),
    CameraMove.TRACK: Similarity(factor=1.05 + 0j, shift=-0.25 + 0j),
    CameraMove.ORBIT: Similarity(factor=1.1 * np.exp(0.06j), shift=-0.2 + 0j),
    CameraMove.CRANE_UP: Similarity(factor=0.92 + 0j, shift=0.22j),
    CameraMove.CRANE_DOWN: Similarity(factor=1.08 + 0j, shift=-0.22j),
    CameraMove.HANDHELD: Similarity(factor=1.06 * np.exp(0.02j), shift=-0.02 + 0.015j),
    CameraMove.POV: Similarity(factor=1.35 + 0j, shift=0.02j),
}
"""What a camera move does to the frame between two pictures that have nothing in common."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Moment:
    """A moment of the way, on the small picture of all that is seen.

    to_first, to_last: (height, width, 2) float32: from each point to where it is in the two pictures, in pixels of the
    small one. first: (height, width) float32 0..1, how far the first is to be believed.
    """

    to_first: Floats
    to_last: Floats
    first: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class _World:
    """The small picture of all that the two show, in the coordinates of the first.

    start: the place of its top left pixel. pixel: the size of one, in parts of the frame's longer side.
    """

    width_px: int
    height_px: int
    start: complex
    pixel: float

    def matrix(self, move: Similarity, width_px: int, height_px: int) -> NDArray[np.float64]:
        """(2, 3): from pixels of the world to pixels of a picture that the move leads into."""
        side = max(width_px, height_px)
        factor = move.factor * self.pixel * side
        shift = move.at(self.start) * side + complex((width_px - 1) / 2, (height_px - 1) / 2)
        return np.array([[factor.real, -factor.imag, shift.real], [factor.imag, factor.real, shift.imag]])


class Transition:
    """Draws the way between two pictures of one size; both ends are exactly the pictures.

    camera: what to do where the pictures leave it open; None = stay. is_even: the way is under way at its ends already,
    between two pictures that moved before and move after; else it begins and ends at rest.
    """

    def __init__(
        self, first: Picture, last: Picture, *, camera: CameraMove | None = None, is_even: bool = False
    ) -> None:
        self._is_even = is_even
        self._first, self._last = first, last
        # Four channels are moved in half the time of three.
        self._both_rgba = tuple(cv2.cvtColor(picture, cv2.COLOR_RGB2RGBA) for picture in (first, last))
        self._height_px, self._width_px = first.shape[:2]
        self._cell_px = max(1, round(max(first.shape[:2]) / _WORLD_PX))
        small = reduced(first, _WORLD_PX), reduced(last, _WORLD_PX)
        measured = aligned(first, last)
        related = measured is not None or _in_common(*small) > _RELATED
        self.move = measured or (STAYING if related or camera is None else SUPPOSED[camera])
        self._world = _world_of(self.move, self._width_px, self._height_px)
        seen, covered = zip(*(self._on_world(picture, move) for picture, move in self._given(small)), strict=True)
        both = covered[0] + covered[1]
        # What only one of the two shows is the same in both: it stays, as nothing says otherwise.
        worlds = [
            np.asarray(
                cv2.blendLinear(seen[own], seen[1 - own], covered[own] + _LEAST, both - covered[own]), dtype=np.uint8
            )
            for own in (0, 1)
        ]
        worlds = [np.where((covered[own] > 0)[..., None], seen[own], worlds[own]) for own in (0, 1)]
        self._is_strange = not related
        # Of pictures that share nothing one would be seen framed by the other while the camera comes nearer: rather a
        # little of it is mirrored. A camera that goes sideways goes from the one to the other.
        is_framed = self._is_strange and abs(self.move.growth - 1) > _FRAMED
        self._covered = tuple(np.ones_like(cover) for cover in covered) if is_framed else covered
        shared = (covered[0] > 0) & (covered[1] > 0)
        self._carried = carried_over(worlds[0], worlds[1], shared) if related else ()
        self._divide(self._without_carried(worlds))

    def _given(self, small: tuple[Picture, Picture]) -> tuple[tuple[Picture, Similarity], ...]:
        return (small[0], STAYING), (small[1], self.move)

    def _on_world(self, picture: Picture, move: Similarity) -> tuple[Picture, Floats]:
        """A small picture in the world, and 0..1 how far from its edge each point is; 0 beyond."""
        world = self._world
        height, width = picture.shape[:2]
        matrix, size = world.matrix(move, width, height), (world.width_px, world.height_px)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        drawn = cv2.warpAffine(picture, matrix, size, flags=flags, borderMode=cv2.BORDER_REFLECT_101)
        feather = _FEATHER * max(height, width)
        rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
        inside = np.minimum(np.minimum(rows, height - 1 - rows), np.minimum(columns, width - 1 - columns)) + 1
        edge = np.minimum(1, inside / feather).astype(np.float32)
        cover = cv2.warpAffine(edge, matrix, size, flags=flags, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
        return np.asarray(drawn, dtype=np.uint8), np.asarray(cover, dtype=np.float32)

    def _without_carried(self, worlds: list[Picture]) -> list[Picture]:
        """Both worlds without what is carried over, where each shows what is behind it in the other."""
        first, last = worlds
        for thing in self._carried:
            ground, other = thing.ground(thing.first), thing.ground(thing.last)
            first, last = (
                np.asarray(cv2.blendLinear(first, last, 1 - ground, ground), dtype=np.uint8),
                np.asarray(cv2.blendLinear(last, first, 1 - other, other), dtype=np.uint8),
            )
        return [first, last]

    def _divide(self, worlds: list[Picture]) -> None:
        height, width = worlds[0].shape[:2]
        rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
        self._grid = np.dstack([columns, rows])
        still, ones = np.zeros((height, width, 2), np.float32), np.ones((height, width), np.float32)
        moments = [_Moment(to_first=still, to_last=still, first=part * ones) for part in (np.float32(1), np.float32(0))]
        pictures = list(worlds)
        levels = _STRANGE_LEVELS if self._is_strange else 1
        level = 0
        while level < levels:
            for left in range(len(moments) - 2, -1, -1):
                middle = middle_of(pictures[left], pictures[left + 1])
                if level == 0 and not self._is_strange:
                    levels = _levels_for(middle)
                ends = (moments[left], middle.to_first), (moments[left + 1], middle.to_second)
                moments.insert(left + 1, self._joined(*ends, middle.first))
                pictures.insert(left + 1, self._seen(moments[left + 1], worlds))
            level += 1
        self._moments = [self._decided(moment, worlds) for moment in moments]
        # OpenCV's own stubs do not know it.
        engine: Any = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)  # type: ignore[attr-defined]
        greys = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in pictures]
        self._steps = [(engine.calc(one, other, None), engine.calc(other, one, None)) for one, other in pairwise(greys)]

    def _moved(self, values: NDArray[Any], flow: Floats) -> NDArray[Any]:
        """Values of the world, each point's from where the flow leads."""
        return _sampled(values, self._grid + flow, cv2.BORDER_REPLICATE)

    def _joined(self, left: tuple[_Moment, Floats], right: tuple[_Moment, Floats], share: Floats | float) -> _Moment:
        """The moment between two, from which flows lead to them. share: how far the left one is to be believed."""
        (one, to_one), (other, to_other) = left, right
        first, of_other = self._moved(one.first, to_one), self._moved(other.first, to_other)
        share = np.broadcast_to(np.asarray(share, dtype=np.float32), first.shape)
        rest = 1 - share
        # Who believes little in a picture knows little of where things are in it.
        to_first = cv2.blendLinear(
            self._moved(one.to_first, to_one) + to_one,
            self._moved(other.to_first, to_other) + to_other,
            share * (first + _LEAST),
            rest * (of_other + _LEAST),
        )
        to_last = cv2.blendLinear(
            self._moved(one.to_last, to_one) + to_one,
            self._moved(other.to_last, to_other) + to_other,
            share * (1 + _LEAST - first),
            rest * (1 + _LEAST - of_other),
        )
        return _Moment(
            to_first=np.asarray(to_first, dtype=np.float32),
            to_last=np.asarray(to_last, dtype=np.float32),
            first=np.asarray(share * first + rest * of_other, dtype=np.float32),
        )

    def _both(self, moment: _Moment, worlds: list[Picture]) -> tuple[Picture, Picture]:
        return self._moved(worlds[0], moment.to_first), self._moved(worlds[1], moment.to_last)

    def _seen(self, moment: _Moment, worlds: list[Picture]) -> Picture:
        return np.asarray(cv2.blendLinear(*self._both(moment, worlds), moment.first, 1 - moment.first), dtype=np.uint8)

    def _decided(self, moment: _Moment, worlds: list[Picture]) -> _Moment:
        """Let each place show one of the two where they differ: two half pictures are seen as a double one."""
        first, last = self._both(moment, worlds)
        apart = np.abs(first.astype(np.float32) - last).mean(axis=2)
        strange = np.minimum(1, cv2.GaussianBlur(apart, (0, 0), _WORLD_PX / 64) / _STRANGE)
        soft = cv2.GaussianBlur(moment.first, (0, 0), _WORLD_PX / 96)
        mixed = moment.first + (soft - moment.first) * strange
        decided = np.clip((mixed - 0.5) * (1 + _CONTRAST * strange) + 0.5, 0, 1)
        return replace(moment, first=np.asarray(decided, dtype=np.float32))

    def picture(self, part: float) -> Picture:
        """Return the picture at 0..1 of the way, (height_px, width_px, 3)."""
        if part <= 0:
            return self._first
        if part >= 1:
            return self._last
        way = part if self._is_even else eased(part)
        moment = self._moment(way)
        if self._is_strange:
            moment = replace(moment, first=np.full_like(moment.first, 1 - _switched(way)))
        coarse, weights = self._in_frame(moment, way)
        drawn = [
            _sampled(picture, self._enlarged(places), cv2.BORDER_REFLECT_101)
            for picture, places in zip(self._both_rgba, coarse, strict=True)
        ]
        first = self._enlarged(weights)
        blended = cv2.blendLinear(drawn[0], drawn[1], first, 1 - first)
        return np.asarray(cv2.cvtColor(blended, cv2.COLOR_RGBA2RGB), dtype=np.uint8)

    def _enlarged(self, coarse: Floats) -> Floats:
        """Values of each pixel of the frame, from those of cells that reach a cell beyond it."""
        cell_px = self._cell_px
        size = coarse.shape[1] * cell_px, coarse.shape[0] * cell_px
        large = cv2.resize(coarse, size, interpolation=cv2.INTER_LINEAR)
        return np.asarray(large[cell_px : cell_px + self._height_px, cell_px : cell_px + self._width_px], np.float32)

    def _moment(self, way: float) -> _Moment:
        place = way * len(self._steps)
        step = min(int(place), len(self._steps) - 1)
        past = np.float32(place - step)
        there, back = self._steps[step]
        # Where a point between the two came from, and where it goes. Source: Jiang et al., "Super SloMo", equation 4.
        to_left = past * (past * back - (1 - past) * there)
        to_right = (1 - past) * ((1 - past) * there - past * back)
        found = self._joined((self._moments[step], to_left), (self._moments[step + 1], to_right), float(1 - past))
        return self._with_carried(found, way) if self._carried else found

    def _with_carried(self, moment: _Moment, way: float) -> _Moment:
        """Put the things that are carried over where they are by now, over a ground that shows none of them."""
        to_both, first = (moment.to_first.copy(), moment.to_last.copy()), moment.first
        for thing in self._carried:
            left, come = thing.ground(thing.first), thing.ground(thing.last)
            first = np.maximum(first * (1 - left), come * (1 - left))
        for thing in self._carried:
            is_there = thing.place(way)
            first = first + (np.float32(1 - _switched(way)) - first) * is_there
            for own, places in enumerate(to_both):
                along = thing.move.part(own - way).matrix(first.shape[1], first.shape[0]).astype(np.float32)
                goal = cv2.transform(self._grid, along) - self._grid
                np.copyto(places, goal, where=(is_there > _THERE)[..., None])
        return _Moment(to_first=to_both[0], to_last=to_both[1], first=np.asarray(first, dtype=np.float32))

    def _in_frame(self, moment: _Moment, way: float) -> tuple[tuple[Floats, Floats], Floats]:
        """The moment as this view of the world has it, for cells of the frame.

        First where each is in the first picture and in the last, in their pixels; then how far the first is seen.
        """
        world, side, cell_px = self._world, max(self._width_px, self._height_px), self._cell_px
        columns, rows = -(-self._width_px // cell_px) + 2, -(-self._height_px // cell_px) + 2
        matrix = world.matrix(self.move.part(way), self._width_px, self._height_px) / cell_px
        # A cell's middle, and one cell around the frame.
        matrix[:, 2] += 0.5 / cell_px + 0.5
        scale = np.float32(world.pixel * side)
        turn = self.move.factor * scale
        turned = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]], dtype=np.float32)
        ys, xs = np.mgrid[0:rows, 0:columns].astype(np.float32)
        middles = (np.dstack([xs, ys]) - np.float32(0.5)) * np.float32(cell_px) - np.float32(0.5)

        def viewed(values: NDArray[Any]) -> Floats:
            drawn = cv2.warpAffine(values, matrix, (columns, rows), borderMode=cv2.BORDER_REPLICATE)
            return np.asarray(drawn, dtype=np.float32)

        def placed(own: int, shift: Floats) -> Floats:
            into = self.move.part(own - way).matrix(self._width_px, self._height_px)
            return np.asarray(cv2.transform(middles, into) + shift, dtype=np.float32)

        first, (in_first, in_last) = moment.first, self._covered
        # Beyond the edge of the one the other is seen, if it reaches there; softly, but for the ends of the way, where
        # a frame is the whole of one of them.
        in_first, in_last = np.minimum(1, in_first / (way + _LEAST)), np.minimum(1, in_last / (1 - way + _LEAST))
        whole = (in_first + (1 - in_first) * in_last + _LEAST, in_last + (1 - in_last) * in_first + _LEAST)
        weights = first * (in_first / whole[0]) + (1 - first) * (1 - in_last / whole[1])
        to_last = np.asarray(cv2.transform(moment.to_last, turned), dtype=np.float32)
        places = placed(0, viewed(moment.to_first) * scale), placed(1, viewed(to_last))
        return places, viewed(weights)


def _sampled(values: NDArray[Any], places: Floats, border: int) -> NDArray[Any]:
    # OpenCV's own stubs do not know that both coordinates may be in one array.
    return np.asarray(cv2.remap(values, places, None, cv2.INTER_LINEAR, borderMode=border))  # type: ignore[call-overload]


def _levels_for(middle: Middle) -> int:
    """How often the way is to be halved: small steps can be left to optical flow."""
    ways = np.concatenate([middle.to_first, middle.to_second])
    far_px = float(np.percentile(np.abs(ways).max(axis=2), 98))
    return sum(far_px > limit_px for limit_px in _FAR_PX)


def _switched(way: float) -> float:
    """How far the last picture is seen instead of the first, of what is not seen of both at once: 0..1."""
    return eased(min(1.0, max(0.0, (way - _SWITCHED_FROM) / (1 - 2 * _SWITCHED_FROM))))


def _world_of(move: Similarity, width_px: int, height_px: int) -> _World:
    """The least frame around all that the two pictures show."""
    side = max(width_px, height_px)
    half = complex(width_px / 2 / side, height_px / 2 / side)
    corners = [complex(x * half.real, y * half.imag) for x in (-1, 1) for y in (-1, 1)]
    back = move.part(-1)
    corners += [back.at(corner) for corner in corners]
    xs, ys = [corner.real for corner in corners], [corner.imag for corner in corners]
    wide, high = max(xs) - min(xs), max(ys) - min(ys)
    pixel = max(wide, high) / _WORLD_PX
    columns, rows = (max(2, round(length / pixel / GRAIN_PX)) * GRAIN_PX for length in (wide, high))
    middle = complex((max(xs) + min(xs)) / 2, (max(ys) + min(ys)) / 2)
    start = middle - complex((columns - 1) / 2, (rows - 1) / 2) * pixel
    return _World(width_px=columns, height_px=rows, start=start, pixel=pixel)


def _in_common(first: Picture, last: Picture) -> float:
    """How much of the pictures is found again where optical flow says, there and back: 0..1."""
    engine: Any = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)  # type: ignore[attr-defined]
    greys = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in (first, last)]
    there, back = engine.calc(greys[0], greys[1], None), engine.calc(greys[1], greys[0], None)
    height, width = greys[0].shape
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    returned = cv2.remap(back, columns + there[..., 0], rows + there[..., 1], cv2.INTER_LINEAR)
    detour = np.linalg.norm(there + returned, axis=2) / _TRUST_PX
    return float(np.mean(1 / (1 + detour**2)))
