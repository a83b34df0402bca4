"""Edits of one thing in a video: taken out, replaced, recoloured, put in, or put before something else.

Outside of the thing and what takes its place, every picture stays the same to the byte.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import cv2
import numpy as np

from understudy.engines.previz.board.editing.finding import HUES, Aim, alike, coloured, garment_of
from understudy.engines.previz.board.editing.following import Survey
from understudy.engines.previz.board.editing.ground import Ground
from understudy.engines.previz.board.editing.laying import Floats, box_of, fine, grown, laid
from understudy.engines.previz.board.editing.standins import Spot, StandIn
from understudy.engines.previz.board.editing.stretch import Stretch
from understudy.engines.previz.pictures.sprites import tinted
from understudy.media.decode import Picture

_SMOOTHED_S = 0.25
_TALLEST, _WIDEST = 1.7, 1.35
"""How far a stand-in may be larger than what it replaces."""

_MEMBER_GROWN = 5
_EDGE, _FARTHEST = 0.07, 0.4
"""How near to the frame's edge the middle of something in the air comes, and how much of the world's motion it keeps:
with less it would seem to hang on the camera."""


class Change(Protocol):
    """Something done to each picture of a stretch, which come in order."""

    def changed(self, picture: Picture, offset: int) -> Picture:
        """Return the picture with the change; the given one stays as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """What is followed in a stretch. number: of it among those of the survey."""

    stretch: Stretch
    survey: Survey
    number: int
    aim: Aim

    def mask(self, picture: Picture, offset: int) -> Floats:
        """Return where it is in a picture, 0..1."""
        return fine(self.survey.mask(self.number, offset), picture)


class Removed:
    """A thing is gone."""

    def __init__(self, thing: Thing, *, is_first: bool) -> None:
        """is_first: whether no other change of the stretch comes before."""
        self._thing = thing
        self._ground = Ground(thing.stretch, thing.survey, thing.number, is_seen_elsewhere=is_first)

    def changed(self, picture: Picture, offset: int) -> Picture:
        """Return the picture without the thing."""
        return self._ground.cleared(picture, offset, self._thing.mask(picture, offset))


class Replaced:
    """Something else is where the thing was, as large, and goes where it went."""

    def __init__(self, thing: Thing, stand_in: Callable[[float], StandIn], *, is_first: bool) -> None:
        """stand_in: opens it, given how the thing goes: -1 left, 1 right, 0 about its place."""
        self._thing = thing
        self._boxes = _boxes_of(thing)
        self._stand_in = stand_in(_heading_of(self._boxes))
        self._ground = Ground(thing.stretch, thing.survey, thing.number, is_seen_elsewhere=is_first)

    def changed(self, picture: Picture, offset: int) -> Picture:
        """Return the picture with the one in the place of the other."""
        box = self._boxes[min(offset, len(self._boxes) - 1)]
        cleared = self._ground.cleared(picture, offset, self._thing.mask(picture, offset))
        if not np.isfinite(box).all():
            return cleared
        scale_x = picture.shape[1] / self._thing.stretch.small_px[0]
        scale_y = picture.shape[0] / self._thing.stretch.small_px[1]
        left, top, right, bottom = (value * scale for value, scale in zip(box, (scale_x, scale_y) * 2, strict=True))
        wide, tall = max(4.0, right - left), max(4.0, bottom - top)
        aspect = max(self._stand_in.aspect, 0.05)
        # As much of the picture as before, within bounds: a giraffe for a car is no higher than the frame.
        height_px = float(np.clip(np.sqrt(wide * tall / aspect), 0.5 * tall, _TALLEST * tall))
        height_px = min(height_px, _WIDEST * max(wide, tall) / aspect, 1.02 * picture.shape[0])
        # What was cut off by the lower edge goes on beyond it, and so does what takes its place.
        foot = bottom if bottom < 0.985 * picture.shape[0] else max(bottom, top + height_px)
        spot = Spot(foot_x_px=(left + right) / 2, foot_y_px=foot, height_px=height_px)
        return self._stand_in.drawn(cleared, spot, offset / self._thing.stretch.fps)


class Recoloured:
    """A thing, or what it wears, has another colour; light and shade stay."""

    def __init__(self, thing: Thing, colour: str) -> None:
        self._thing, self._colour = thing, colour
        self._model: tuple[int, Floats] | None = None

    def changed(self, picture: Picture, offset: int) -> Picture:
        """Return the picture with the new colour."""
        mask = self._thing.mask(picture, offset)
        # Its own colour says how far it reaches; the mask says which thing it is, and may be a little small.
        reach = max(2, round(0.008 * max(picture.shape)))
        mask = np.maximum(mask, grown(mask, reach))
        box = box_of(mask)
        if box is None:
            return picture.copy()
        seen = np.ascontiguousarray(picture[box])
        own = mask[box] * self._member(seen, picture, mask, offset=offset)
        if not own.any():
            return picture.copy()
        opaque = np.dstack([seen, np.full(seen.shape[:2], 255, dtype=np.uint8)])
        new = _dyed(opaque, self._colour)
        result = picture.copy()
        result[box] = laid(seen, new, np.asarray(own, dtype=np.float32))
        return result

    def _member(self, seen: Picture, picture: Picture, mask: Floats, *, offset: int) -> Floats:
        """Return how much each place has the colour that is to change, 0..1."""
        aim = self._thing.aim
        scene = self._thing.survey.scene(offset)
        if aim.colour and not aim.is_worn:
            part = coloured(seen, aim.colour)
            if float((part * (mask[box_of(mask) or (slice(None), slice(None))] > 0.5)).mean()) > 0.02:
                return _softened(part)
        if self._model is None or self._model[0] != scene:
            self._model = scene, _colours_of(self._thing, picture, mask)
        return _softened(_near(seen, self._model[1]))


class Inserted:
    """Something new that is in the world of the video: it goes with what the camera sees."""

    def __init__(  # tidy: the video, what was seen of it, what is put in, and its way
        self, stretch: Stretch, survey: Survey, stand_in: StandIn, *, spot: Spot, speed_px: float, is_aloft: bool
    ) -> None:
        """spot: where it is on the average of each scene, so that it is seen for long however the camera goes.

        speed_px: how far it goes to the right in a picture. is_aloft: whether it stands on nothing.
        """
        self._stretch, self._survey, self._stand_in = stretch, survey, stand_in
        self._spot, self._speed_px, self._is_aloft = spot, speed_px, is_aloft
        self._ways: dict[int, dict[int, tuple[complex, float]]] = {}

    def changed(self, picture: Picture, offset: int) -> Picture:
        """Return the picture with it."""
        scene = self._survey.scene(offset)
        if scene not in self._ways:
            self._ways[scene] = self._way(scene)
        place, growth = self._ways[scene][offset]
        spot = replace(self._spot, foot_x_px=place.real, foot_y_px=place.imag, height_px=self._spot.height_px * growth)
        return self._stand_in.drawn(picture, spot, offset / self._stretch.fps)

    def _way(self, scene: int) -> dict[int, tuple[complex, float]]:
        """Return where its foot is in each picture of a scene, x + iy in pixels, and by how much it is larger."""
        width_px, height_px = self._stretch.size_px
        side = max(width_px, height_px)
        middle = complex((width_px - 1) / 2, (height_px - 1) / 2)
        wanted = (complex(self._spot.foot_x_px, self._spot.foot_y_px) - middle) / side
        offsets = [one for one in range(self._stretch.num_frames) if self._survey.scene(one) == scene]
        moves = [self._survey.move(one) for one in offsets]
        centre = sum(offsets) / len(offsets)
        gone = [self._speed_px * (one - centre) / side for one in offsets]
        # The place in the world that is at the wanted one on the average.
        own = sum(move.at(step + 0j) for move, step in zip(moves, gone, strict=True)) / len(moves)
        factor = sum(move.factor for move in moves) / len(moves)
        start = (wanted - own) / factor
        places = [move.at(start + step) for move, step in zip(moves, gone, strict=True)]
        if self._is_aloft:
            places = _held_in(places, wanted, room=width_px / side)
        growth = sum(move.growth for move in moves) / len(moves)
        return {
            one: (place * side + middle, move.growth / growth)
            for one, place, move in zip(offsets, places, moves, strict=True)
        }


def _held_in(places: Sequence[complex], wanted: complex, *, room: float) -> list[complex]:
    """Return a way through the air that does not leave the frame, as far as can be: what is far off moves less.

    Only for what stands on nothing: feet that slide over the ground are seen at once.
    """
    least = room * (0.5 - _EDGE)
    farthest = max((place.real - wanted.real for place in places), key=abs)
    free = least - wanted.real if farthest > 0 else least + wanted.real
    if abs(farthest) <= free:
        return list(places)
    share = max(free / abs(farthest), _FARTHEST)
    return [complex(wanted.real + share * (place.real - wanted.real), place.imag) for place in places]


class Worn:
    """Something that is put on the head, or held before the face, of a thing."""

    def __init__(self, thing: Thing, stand_in: StandIn, *, is_on_top: bool) -> None:
        self._thing, self._stand_in, self._is_on_top = thing, stand_in, is_on_top
        self._heads = _smoothed(np.array([_head_of(mask) for mask in thing.survey.things[thing.number].masks]), thing)

    def changed(self, picture: Picture, offset: int) -> Picture:
        """Return the picture with it."""
        x, top, wide = self._heads[min(offset, len(self._heads) - 1)]
        if not np.isfinite(wide):
            return picture.copy()
        scale = picture.shape[1] / self._thing.stretch.small_px[0]
        width_px = wide * scale * 1.15
        height_px = width_px / max(self._stand_in.aspect, 0.2)
        foot = top * scale + (0.30 * height_px if self._is_on_top else 0.55 * width_px + height_px / 2)
        spot = Spot(foot_x_px=x * scale, foot_y_px=foot, height_px=height_px)
        return self._stand_in.drawn(picture, spot, 0.0)


class Backed:
    """A thing stays, and all that is behind it is another place."""

    def __init__(self, thing: Thing, backdrop: Callable[[int], Picture], *, gain: tuple[float, float, float]) -> None:
        """backdrop: the place's picture for one of the stretch. gain: of its light on each colour of the thing."""
        self._thing, self._backdrop, self._gain = thing, backdrop, np.array(gain, dtype=np.float64)

    def changed(self, picture: Picture, offset: int) -> Picture:
        """Return the thing in the other place."""
        behind = self._backdrop(offset)
        mask = self._thing.mask(picture, offset)
        # A hair's breadth inside: the rim is mixed with what was behind before.
        mask = np.asarray(np.clip(cv2.erode(mask, np.ones((3, 3), np.uint8)), 0, 1), dtype=np.float32)
        lit = picture
        if np.abs(self._gain - 1).max() > 0.02:
            lit = np.asarray(cv2.transform(picture, np.diag(self._gain)), dtype=np.uint8)
        return laid(np.ascontiguousarray(behind), lit, mask)


def _boxes_of(thing: Thing) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    """Return left, top, right and bottom in each picture, smoothed, in pixels of the small ones."""
    rows = []
    for mask in thing.survey.things[thing.number].masks:
        down, across = np.nonzero(mask > 127)
        if across.size < 12:
            rows.append([np.nan] * 4)
            continue
        low, high = np.percentile(across, (1, 99))
        top, bottom = np.percentile(down, (0.5, 99.5))
        rows.append([float(low), float(top), float(high) + 1, float(bottom) + 1])
    return _smoothed(np.array(rows), thing)


def _smoothed(
    rows: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]", thing: Thing
) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    """Return values of each picture, smoothed over time; nan, where nothing was found, stays where all around is."""
    sigma = _SMOOTHED_S * thing.stretch.fps
    reach = int(3 * sigma)
    scenes = np.array(thing.survey.scenes)
    smooth = np.full_like(rows, np.nan, dtype=np.float64)
    for index in range(len(rows)):
        around = np.arange(max(0, index - reach), min(len(rows), index + reach + 1))
        around = around[(scenes[around] == scenes[index]) & np.isfinite(rows[around]).all(axis=1)]
        if not around.size or not np.isfinite(rows[index]).all():
            continue
        # The same way to both sides, so that what moves evenly is not held back at the ends.
        room = min(index - int(around.min()), int(around.max()) - index)
        around = around[np.abs(around - index) <= room]
        weights = np.exp(-0.5 * ((around - index) / max(sigma, 1e-6)) ** 2)
        smooth[index] = (rows[around] * weights[:, None]).sum(axis=0) / weights.sum()
    return smooth


def _heading_of(boxes: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]") -> float:
    seen = boxes[np.isfinite(boxes).all(axis=1)]
    if len(seen) < 2:
        return 0.0
    gone = float(seen[-1, 0] + seen[-1, 2] - seen[0, 0] - seen[0, 2]) / 2
    wide = float(np.median(seen[:, 2] - seen[:, 0]))
    return float(np.sign(gone)) if abs(gone) > max(0.35 * wide, 12.0) else 0.0


def _head_of(mask: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]") -> list[float]:
    """Return the middle, the top and the width of the uppermost part of a mask, in its pixels."""
    down, across = np.nonzero(mask > 127)
    if across.size < 12:
        return [np.nan] * 3
    top = float(np.percentile(down, 0.5))
    tall = float(down.max()) - top + 1
    upper = across[down < top + max(2.0, 0.16 * tall)]
    return [float(np.median(upper)), top, float(np.percentile(upper, 95) - np.percentile(upper, 5)) + 2]


def _colours_of(thing: Thing, picture: Picture, mask: Floats) -> Floats:
    """Return the colours, as Lab rows, that the thing's own part has which is to change."""
    small = thing.stretch.small_of(picture)
    inside = np.asarray(cv2.resize(mask, thing.stretch.small_px, interpolation=cv2.INTER_AREA), dtype=np.float32)
    part = garment_of(small, inside, thing.aim.colour) if thing.aim.is_worn else _main(small, inside)
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).astype(np.float32)
    chosen = lab[part > 0.6]
    if len(chosen) < 12:
        chosen = lab[inside > 0.6] if (inside > 0.6).any() else lab.reshape(-1, 3)
    cv2.setRNGSeed(7)
    count = min(3, len(chosen))
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 0.5)
    found = cv2.kmeans(np.ascontiguousarray(chosen), count, None, criteria, 2, cv2.KMEANS_PP_CENTERS)  # type: ignore[call-overload]
    return np.asarray(found[2], dtype=np.float32)


def _main(picture: Picture, inside: Floats) -> Floats:
    return np.asarray(alike(picture, np.asarray(inside, np.float32)) * inside, dtype=np.float32)


def _near(seen: Picture, colours: Floats) -> Floats:
    lab = cv2.cvtColor(seen, cv2.COLOR_RGB2LAB).astype(np.float32)
    best = np.full(seen.shape[:2], 1e9, dtype=np.float32)
    for row in colours:
        # Light and shade fall on one and the same thing; its colour hardly changes.
        apart = 0.12 * (lab[:, :, 0] - row[0]) ** 2 + (lab[:, :, 1] - row[1]) ** 2 + (lab[:, :, 2] - row[2]) ** 2
        best = np.minimum(best, apart)
    return np.asarray(np.clip((26 - np.sqrt(best)) / 10, 0, 1), dtype=np.float32)


def _softened(part: Floats) -> Floats:
    closed = cv2.morphologyEx(part, cv2.MORPH_CLOSE, np.ones((_MEMBER_GROWN,) * 2, np.uint8))
    return np.asarray(cv2.GaussianBlur(closed, (0, 0), 1.2), dtype=np.float32)


def _dyed(opaque: Picture, colour: str) -> Picture:
    """Return a picture in a colour. Grey things take a colour as well as coloured ones."""
    dyed = tinted(opaque, colour)[..., :3]
    at = HUES.get(colour)
    if at is None:
        return np.ascontiguousarray(dyed)
    hsv = cv2.cvtColor(np.ascontiguousarray(dyed), cv2.COLOR_RGB2HSV_FULL)
    least = np.clip(opaque[..., :3].max(axis=2).astype(np.float32) * 0.75, 0, 150)
    hsv[..., 0] = round(at * 255)
    hsv[..., 1] = np.maximum(hsv[..., 1], least).astype(np.uint8)
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB_FULL), dtype=np.uint8)
