"""True 3-D land: a height field seen by a camera that flies, drawn by casting a ray down each column of the frame.

The land is lit once (`Land.colours`, with smaller and smaller copies for what is far away); a frame samples the heights
along each column's ray, keeps what no nearer ground hides, and looks the colours up. Nothing loops over pixels.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from understudy.engines.previz.pictures.canvas import Bitmap, Floats, Rgb
from understudy.engines.previz.pictures.terrain_fields import PERIOD_UNITS

# Distances along a ray, units: the first, the last, and how many; each is a little farther than the one before it.
NEAREST_UNITS, FARTHEST_UNITS, NUM_STEPS = 0.5, 78.0, 384
# Wider frames are cast at this width and enlarged: the lit land holds no finer detail.
_WIDEST_PX = 1920
_COARSEST = 6
# Neighbouring pixels that lie more steps apart than this are a silhouette.
_SILHOUETTE_STEPS = 5
_STEEPEST_CREST = 2.0
# Rows that are coloured at a time: what is computed of them stays in the processor's cache.
_BAND_ROWS = 48

Integers = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Land:
    """A land ready to be seen.

    heights: its field and smaller copies of it, each with its first row and column repeated at the end. colours: the
    lit surface (RGBA, opaque) and its smaller copies below one another. sizes, tops: size of each copy and its first
    row. haze: colour that distance fades to, lit and graded. haze_units: the distance at which two thirds are haze.
    haziness: how much of it there is in the end, 0..1.
    """

    heights: tuple[Floats, ...]
    colours: Bitmap
    sizes: tuple[int, ...]
    tops: tuple[int, ...]
    haze: Rgb
    haze_units: float
    haziness: float

    def height_at(self, x: Floats, z: Floats) -> Floats:
        """The height of the ground at places."""
        return _sampled(self.heights[0], np.asarray(x, np.float32), np.asarray(z, np.float32))


@dataclass(frozen=True, slots=True, kw_only=True)
class Eye:
    """The flying camera at an instant: its place, where it looks (yaw in radians, 0 = along z), and its frame.

    focal_px, centre_x_px, horizon_px: as of a `View`, at the size of the frame.
    """

    x: float
    y: float
    z: float
    yaw: float
    focal_px: float
    centre_x_px: float
    horizon_px: float


def _sampled(field: Floats, x: Floats, z: Floats) -> Floats:
    """Heights at places in units; the field ends with a copy of its first row and column."""
    size = field.shape[0] - 1
    columns, rows = x * np.float32(1 / PERIOD_UNITS), z * np.float32(1 / PERIOD_UNITS)
    columns -= np.floor(columns)
    rows -= np.floor(rows)
    shape = columns.shape
    width = shape[-1]
    found: Floats = cv2.remap(
        field,
        (columns * np.float32(size)).reshape(-1, width),
        (rows * np.float32(size)).reshape(-1, width),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return found.reshape(shape)


class TerrainCaster:
    """Draws one land into frames of one size."""

    def __init__(self, land: Land, size_px: tuple[int, int], *, focal_px: float) -> None:
        """size_px: (width, height) of the frame. focal_px: of the frame; it says how fine each distance is seen."""
        self._land = land
        self._scale = min(1.0, _WIDEST_PX / max(size_px))
        width, height = (max(round(side * self._scale), 4) for side in size_px)
        self._width, self._height = width + width % 2, height
        ratio = FARTHEST_UNITS / NEAREST_UNITS
        self._depths = (NEAREST_UNITS * ratio ** (np.arange(NUM_STEPS) / (NUM_STEPS - 1))).astype(np.float32)
        self._nearness = (1 / self._depths).astype(np.float32)
        step = self._depths * np.float32(np.log(ratio) / (NUM_STEPS - 1))
        levels = np.log2(step / (PERIOD_UNITS / land.sizes[0])) - 0.7
        self._height_levels = np.clip(levels.astype(int), 0, len(land.heights) - 1)
        self._bands = [
            (
                level,
                int(np.flatnonzero(self._height_levels == level)[0]),
                int(np.flatnonzero(self._height_levels == level)[-1]) + 1,
            )
            for level in np.unique(self._height_levels)
        ]
        footprint = 1.5 * self._depths / (focal_px * self._scale) / (PERIOD_UNITS / land.sizes[0])
        colour_levels = np.clip(np.log2(footprint).round().astype(int), 0, len(land.sizes) - 1)
        sizes = np.array([land.sizes[level] for level in colour_levels], np.float32)
        tops = np.array([land.tops[level] for level in colour_levels], np.float32)
        fade = 1 - np.exp(-((self._depths / land.haze_units) ** 1.35))
        # The last steps fade out whatever the weather, so that the land's end is not seen.
        end = np.clip((self._depths / FARTHEST_UNITS - 0.55) / 0.45, 0, 1) ** 2
        haze = np.maximum(land.haziness * fade, end).astype(np.float32)
        # What lies at the last step is never drawn, but is looked up.
        self._sizes, self._tops = (_paired(np.append(v, v[-1]).astype(np.float32)) for v in (sizes, tops))
        self._gains = np.append(np.float32(0), np.diff(self._nearness))
        left = np.rint(255 * (1 - np.append(haze, haze[-1])))[:, None]
        self._left, self._hazes = (
            _paired(np.rint(colours).astype(np.uint8).view(np.uint32)[:, 0])
            for colours in (np.repeat(left, 4, axis=1), (255 - left) * np.array([*land.haze, 1.0]))
        )

    def draw(self, frame: Bitmap, eye: Eye) -> None:
        """Draw the land over the sky that an opaque RGBA frame holds."""
        if self._scale == 1.0 and self._width == frame.shape[1]:
            self._draw(frame, eye)
            return
        small = cv2.resize(frame, (self._width, self._height), interpolation=cv2.INTER_AREA)
        scaled = Eye(
            x=eye.x,
            y=eye.y,
            z=eye.z,
            yaw=eye.yaw,
            focal_px=eye.focal_px * self._scale,
            centre_x_px=eye.centre_x_px * self._scale,
            horizon_px=eye.horizon_px * self._scale,
        )
        top = int(self._draw(small, scaled) / self._scale)
        if top < frame.shape[0]:
            large = cv2.resize(small, (frame.shape[1], frame.shape[0]), interpolation=cv2.INTER_LINEAR)
            np.copyto(frame[top:], large[top:])

    def _rows_of(self, eye: Eye) -> Floats:
        """Frame row of the ground at each step along each second column's ray: (steps, columns)."""
        columns = (np.arange(self._width // 2, dtype=np.float32) * 2 + 1 - np.float32(eye.centre_x_px)) / np.float32(
            eye.focal_px
        )
        ahead_x, ahead_z = np.float32(np.sin(eye.yaw)), np.float32(np.cos(eye.yaw))
        per_x, per_z = ahead_x + columns * ahead_z, ahead_z - columns * ahead_x
        rows: Floats = np.empty((NUM_STEPS, len(columns)), np.float32)
        for level, first, last in self._bands:
            depths = self._depths[first:last, None]
            x, z = np.float32(eye.x) + depths * per_x, np.float32(eye.z) + depths * per_z
            rows[first:last] = _sampled(self._land.heights[level], x, z)
        rows -= np.float32(eye.y)
        rows *= (-np.float32(eye.focal_px) * self._nearness)[:, None]
        rows += np.float32(eye.horizon_px)
        return rows

    def _draw(self, frame: Bitmap, eye: Eye) -> int:
        """Draw at the cast's own size; returns the first row that holds land."""
        height_px = int(frame.shape[0])
        rows = self._rows_of(eye)
        highest = np.empty_like(rows)
        highest[0] = rows[0]
        # Row by row: the accumulation of NumPy goes down one column after another, and takes ten times as long.
        for step in range(1, NUM_STEPS):
            np.minimum(highest[step - 1], rows[step], out=highest[step])
        top = int(np.clip(np.floor(highest[-1].min()) - 1, 0, height_px))
        if top >= height_px:
            return height_px
        count = self._counts(highest, top, height_px)
        for first in range(0, len(count), _BAND_ROWS):
            band = count[first : first + _BAND_ROWS]
            nearness = self._nearness_at(rows, band, top + first)
            self._colour(frame[top + first : top + first + len(band)], eye, band, nearness=nearness)
        self._smooth_silhouettes(frame, highest, count, top=top)
        return top

    def _counts(self, highest: Floats, top: int, height_px: int) -> Integers:
        """How many steps lie below each pixel's middle: the index of the step that it shows."""
        num_rows, columns = height_px - top, highest.shape[1]
        bins = np.ceil(highest - np.float32(0.5 + top)).astype(np.int64)
        np.clip(bins, 0, num_rows, out=bins)
        bins *= columns
        bins += np.arange(columns)
        held = np.bincount(bins.ravel(), minlength=(num_rows + 1) * columns).astype(np.int16)
        held = held.reshape(num_rows + 1, columns)
        # A step in bin b is below the pixels of rows 0..b-1.
        count = held[1:]
        for row in range(num_rows - 2, -1, -1):
            count[row] += count[row + 1]
        return count

    def _nearness_at(self, rows: Floats, count: Integers, top: int) -> Floats:
        """One over the depth of what each pixel shows, between the two steps about it."""
        columns = rows.shape[1]
        index = np.clip(count, 1, NUM_STEPS - 1).astype(np.intp)
        flat = index * columns
        flat += np.arange(columns)
        beyond: Floats = rows.ravel().take(flat)
        flat -= columns
        before: Floats = rows.ravel().take(flat)
        middle = np.arange(top, top + len(count), dtype=np.float32)[:, None] + np.float32(0.5)
        share: Floats = before - middle
        before -= beyond
        np.maximum(before, np.float32(1e-3), out=before)
        share /= before
        np.clip(share, 0, 1, out=share)
        share -= 1
        share *= self._gains.take(index)
        share += self._nearness.take(index)
        return share

    def _colour(self, frame: Bitmap, eye: Eye, count: Integers, *, nearness: Floats) -> None:
        """Look the colours of some rows up, lay haze over them, and put them where there is land."""
        num_rows, width = frame.shape[:2]
        wide = cv2.resize(nearness, (width, num_rows), interpolation=cv2.INTER_LINEAR)
        y, x = _where(np.abs(np.diff(count, axis=1)) > _SILHOUETTE_STEPS)
        # Between two columns that see different crests nothing lies in between.
        wide[y, 2 * x + 1], wide[y, 2 * x + 2] = nearness[y, x], nearness[y, x + 1]
        depth: Floats = np.reciprocal(wide)
        columns = (np.arange(width, dtype=np.float32) + np.float32(0.5 - eye.centre_x_px)) / np.float32(eye.focal_px)
        ahead_x, ahead_z = np.float32(np.sin(eye.yaw)), np.float32(np.cos(eye.yaw))
        step = count.astype(np.intp)
        sizes, tops = self._sizes.take(step).view(np.float32), self._tops.take(step).view(np.float32)
        map_x: Floats = depth * ((ahead_x + columns * ahead_z) * np.float32(1 / PERIOD_UNITS))
        map_x += np.float32(eye.x / PERIOD_UNITS)
        map_x -= np.floor(map_x)
        map_x *= sizes
        map_y = depth
        map_y *= (ahead_z - columns * ahead_x) * np.float32(1 / PERIOD_UNITS)
        map_y += np.float32(eye.z / PERIOD_UNITS)
        map_y -= np.floor(map_y)
        map_y *= sizes
        map_y += tops
        seen = cv2.remap(self._land.colours, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        left, haze = (table.take(step).view(np.uint8).reshape(seen.shape) for table in (self._left, self._hazes))
        seen = cv2.add(cv2.multiply(seen, left, scale=1 / 255), haze)
        if bool((step == NUM_STEPS).any()):
            cv2.copyTo(seen, np.repeat((count < NUM_STEPS).astype(np.uint8), 2, axis=1), frame)
        else:
            np.copyto(frame, seen)

    def _smooth_silhouettes(self, frame: Bitmap, highest: Floats, count: Integers, *, top: int) -> None:
        """Blend the two pixels about each crest by how much it covers, then soften the steps between columns."""
        y, x = _where(count[:-1] - count[1:] > _SILHOUETTE_STEPS)
        if not len(y):
            return
        step = count[y, x] - 1
        crest = highest[step, x]
        right, left = np.minimum(x + 1, highest.shape[1] - 1), np.maximum(x - 1, 0)
        slope = np.clip((highest[step, right] - highest[step, left]) / 4, -_STEEPEST_CREST, _STEEPEST_CREST)
        # The very crest may show the colour of its far side: the crest of the heights is smoother than that of the
        # colours. So its colour is taken a row below.
        inner = np.minimum(y + 2, len(count) - 1)
        for side in (0, 1):
            edge = crest + slope * (side - 0.5) - np.float32(top)
            columns = 2 * x + side
            near, far = frame[top + inner, columns].astype(np.float32), frame[top + y, columns].astype(np.float32)
            above = np.clip(y + 1 - edge, 0, 1)[:, None]
            below = np.clip(edge - (y + 1), 0, 1)[:, None]
            frame[top + y, columns] = far + above * (near - far) + 0.5
            frame[top + y + 1, columns] = near + below * (far - near) + 0.5
        beside_y, beside_x = _where(np.abs(np.diff(count, axis=1)) > _SILHOUETTE_STEPS)
        rows = top + np.concatenate([y, y + 1, y, y + 1, beside_y, beside_y])
        columns = np.concatenate([2 * x, 2 * x, 2 * x + 1, 2 * x + 1, 2 * beside_x + 1, 2 * beside_x + 2])
        _soften(frame, rows, columns)


def _where(held: npt.NDArray[np.bool_]) -> tuple[Integers, Integers]:
    """Rows and columns of what is true; for few of many five times as fast as NumPy's own."""
    rows, columns = np.divmod(np.flatnonzero(held), held.shape[1])
    return rows, columns


def _paired(table: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
    """Return a table of four-byte values with each twice: what is looked up in it is for two columns of a frame."""
    return np.repeat(np.ascontiguousarray(table).view(np.uint32), 2).view(np.uint64)


def _soften(frame: Bitmap, rows: Integers, columns: Integers) -> None:
    """Mix each of some pixels with its four neighbours, half and half."""
    height, width = frame.shape[:2]
    pixels = frame.view(np.uint32)[..., 0]
    total = 4 * frame[rows, columns].astype(np.uint16)
    for down, right in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        found = pixels[np.clip(rows + down, 0, height - 1), np.clip(columns + right, 0, width - 1)]
        total += found.view(np.uint8).reshape(-1, 4)
    frame[rows, columns] = ((total + 4) // 8).astype(np.uint8)
