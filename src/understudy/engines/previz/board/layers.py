"""A picture taken apart in depth: what it is of, what may be behind and around it, and how near each place is."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from understudy.engines.previz.seeing import components, depth_of, fault_of, matte_of, outpainted, without
from understudy.media.decode import Picture

Values = NDArray[np.float32]

FAR = 0.2
"""How near the farthest places are, as a part of the nearest: at 0 a sky would not move at all, and nothing far off
would come nearer in a film's time."""

_LEANING = 0.55
"""How much of what is behind is taken from its height in the picture: the network knows rooms, and in the open the
ground comes nearer downwards."""

_SOFTNESS = 0.05
"""Of the picture's width: nearness behind the subject turns that slowly, so that nothing is stretched or folded."""

_BEHIND = 0.6
"""How near what is behind the subject may come: the subject is nearer, and what stands upright should not lean much."""

_STANDS_OUT = 0.12
"""How much nearer the subject is, at least, than what is around it."""

_ROUNDNESS = 0.12
"""How much nearness may vary within a subject."""

_NODES = 160
"""How many values of nearness stand side by side, at least: it turns slowly, and as slowly in a large picture."""

_LONGEST_SEEN_PX = 1280


@dataclass(frozen=True, slots=True, kw_only=True)
class Margins:
    """How much is drawn on beyond each edge, in pixels."""

    left_px: int = 0
    top_px: int = 0
    right_px: int = 0
    bottom_px: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What the picture is of. box: left, top, right and bottom in the plate's pixels.

    colours: (height_px, width_px, 3) of the box, premultiplied. cover: (height_px, width_px) uint8, 255 = the subject.
    nearness: as of `Layers`. held: how near it is as a whole.
    """

    box: tuple[int, int, int, int]
    colours: Picture
    cover: Picture
    nearness: Values
    held: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Layers:
    """A picture in depth. plate: all but the subject, larger than the picture by the margins.

    nearness: of the plate, `FAR`..1, one value for every `step_px` pixels in both directions. difference: what the
    layers at rest lack to the picture, within the subject's box; int16.
    """

    plate: Picture
    margins: Margins
    nearness: Values
    subject: Subject | None
    difference: NDArray[np.int16] | None

    @property
    def step_px(self) -> int:
        """How many pixels one value of nearness stands for, in both directions."""
        return _step_px(self.plate)


def layers_of(picture: Picture, margins: Margins) -> Layers:
    """Take a picture apart, (height_px, width_px, 3) uint8 RGB."""
    matte = _matte_of(picture)
    if matte is None:
        wide = _wider(picture, margins)
        return Layers(
            plate=wide, margins=margins, nearness=_nearness_behind(wide, _small(wide)), subject=None, difference=None
        )
    covered = np.asarray(_bordered(matte, margins, cv2.BORDER_REPLICATE), dtype=np.float32)
    if _touches(matte, margins):
        wide = _wider(picture, margins)
        plate = without(wide, covered)
    else:
        mirrored = np.asarray(_bordered(picture, margins, cv2.BORDER_REFLECT_101), dtype=np.uint8)
        unknown = np.asarray(_bordered(matte, margins, cv2.BORDER_CONSTANT), dtype=np.float32)
        plate = without(mirrored, unknown)
        wide = plate.copy()
        _inner(wide, margins)[:] = picture
    behind = _nearness_behind(plate, _small(plate))
    subject = _subject_of(wide, plate, matte=covered, behind=behind)
    left, top, right, bottom = subject.box
    ground = plate[top:bottom, left:right].astype(np.int16)
    at_rest = subject.colours + (ground * (255 - subject.cover[:, :, None].astype(np.int32)) + 127) // 255
    difference = (wide[top:bottom, left:right] - at_rest).astype(np.int16)
    return Layers(plate=plate, margins=margins, nearness=behind, subject=subject, difference=difference)


def _matte_of(picture: Picture) -> Values | None:
    small = _small(picture)
    found = matte_of(small)
    if fault_of(found):
        return None
    whole = (picture.shape[1], picture.shape[0])
    return np.asarray(cv2.resize(found, whole, interpolation=cv2.INTER_LINEAR), dtype=np.float32)


def _small(picture: Picture) -> Picture:
    """Return the picture as it is looked at, however large it is: a draft and its final see the same."""
    scale = _LONGEST_SEEN_PX / max(picture.shape[:2])
    if scale >= 1:
        return picture
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _bordered(values: Picture | Values, margins: Margins, kind: int) -> NDArray[np.generic]:
    sides = (margins.top_px, margins.bottom_px, margins.left_px, margins.right_px)
    return np.asarray(cv2.copyMakeBorder(values, *sides, kind, value=(1.0, 1.0, 1.0)))


def _inner(wide: Picture, margins: Margins) -> Picture:
    height_px, width_px = wide.shape[:2]
    return wide[margins.top_px : height_px - margins.bottom_px, margins.left_px : width_px - margins.right_px]


def _wider(picture: Picture, margins: Margins) -> Picture:
    wide = outpainted(
        picture,
        left_px=margins.left_px,
        top_px=margins.top_px,
        right_px=margins.right_px,
        bottom_px=margins.bottom_px,
    )
    if wide is not picture:
        # The film begins with the picture itself, not with one whose rim was softened.
        _inner(wide, margins)[:] = picture
    return wide


def _touches(matte: Values, margins: Margins) -> bool:
    """Whether the subject goes on where something is to be drawn on."""
    lines = (
        (margins.left_px, matte[:, 0]),
        (margins.top_px, matte[0]),
        (margins.right_px, matte[:, -1]),
        (margins.bottom_px, matte[-1]),
    )
    return any(margin_px > 0 and float(line.max()) > 0.1 for margin_px, line in lines)


def _step_px(plate: NDArray[np.generic]) -> int:
    return max(1, int(plate.shape[1]) // _NODES)


def _grid(values: NDArray[np.generic]) -> tuple[int, int]:
    """Return the size, width first, of a map with one value for every few pixels of what is shown."""
    step_px = _step_px(values)
    return -(-values.shape[1] // step_px) + 1, -(-values.shape[0] // step_px) + 1


def _nearness_behind(plate: Picture, seen: Picture) -> Values:
    size = _grid(plate)
    found = np.asarray(cv2.resize(depth_of(seen), size, interpolation=cv2.INTER_AREA), dtype=np.float32)
    rows = np.linspace(0, 1, size[1], dtype=np.float32)[:, None]
    leaning = _LEANING * rows + (1 - _LEANING) * found
    sigma = max(1.0, _SOFTNESS * size[0])
    soft = np.asarray(cv2.GaussianBlur(leaning, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), dtype=np.float32)
    return np.asarray(FAR + (1 - FAR) * _BEHIND * np.clip(soft, 0, 1), dtype=np.float32)


def _subject_of(wide: Picture, plate: Picture, *, matte: Values, behind: Values) -> Subject:
    rows, columns = np.flatnonzero(matte.max(axis=1) > 0.01), np.flatnonzero(matte.max(axis=0) > 0.01)
    step = _step_px(plate)
    # A rim of nothing: beyond its box a subject goes on as it ends there, which it may only at the plate's own edge.
    left, top = max(0, int(columns[0]) - 2) // step * step, max(0, int(rows[0]) - 2) // step * step
    right, bottom = min(matte.shape[1], int(columns[-1]) + 3), min(matte.shape[0], int(rows[-1]) + 3)
    share = matte[top:bottom, left:right]
    cover = np.where(share > 0.01, np.rint(share * 255), 0).astype(np.uint8)
    # What the subject adds to what is behind it; together they are the picture again.
    ground = plate[top:bottom, left:right].astype(np.int16)
    added = wide[top:bottom, left:right] - (ground * (255 - cover[:, :, None].astype(np.int32)) + 127) // 255
    colours = np.minimum(np.maximum(added, 0), cover[:, :, None]).astype(np.uint8)
    nearness, held = _nearness_of(wide, matte, behind)
    return Subject(
        box=(left, top, right, bottom),
        colours=colours,
        cover=cover,
        nearness=nearness,
        held=held,
    )


def _nearness_of(wide: Picture, matte: Values, behind: Values) -> tuple[Values, float]:
    """Return how near the subjects are, on the plate's grid, and as a whole.

    Each is as near as the ground below it, so that it stands and does not slide.
    """
    size = (behind.shape[1], behind.shape[0])
    coarse = np.asarray(cv2.resize(matte, size, interpolation=cv2.INTER_AREA), dtype=np.float32)
    relief = np.asarray(cv2.resize(depth_of(_small(wide)), size, interpolation=cv2.INTER_AREA), dtype=np.float32)
    nearness = np.zeros_like(behind)
    weight = np.full_like(behind, 1e-6)
    masses: list[tuple[float, float]] = []
    for one in components(coarse, 0.002) or (coarse,):
        solid = one > 0.5 if (one > 0.5).any() else one > 0
        lowest = int(np.flatnonzero(solid.any(axis=1))[-1])
        foot = behind[max(0, lowest - 1) : lowest + 2][:, solid[lowest]]
        around = float(behind[solid].mean())
        middle = float(np.median(relief[solid]))
        whole = max(around + _STANDS_OUT, float(foot.mean()), FAR + (1 - FAR) * middle)
        round_ = cv2.GaussianBlur(np.where(solid, relief - middle, 0), (0, 0), max(1.0, 0.01 * size[0]))
        own = np.clip(whole + _ROUNDNESS * np.asarray(round_), FAR, 1.0)
        # Beyond the subject its nearness goes on, so that its edge does not fray.
        spread = np.asarray(cv2.GaussianBlur(solid.astype(np.float32), (0, 0), max(1.5, 0.02 * size[0])))
        nearness += own * (spread + np.float32(1e-6))
        weight += spread + np.float32(1e-6)
        masses.append((float(solid.sum()), whole))
    held = sum(mass * whole for mass, whole in masses) / sum(mass for mass, _ in masses)
    return np.asarray(nearness / weight, dtype=np.float32), min(1.0, held)
