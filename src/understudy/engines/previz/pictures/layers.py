"""The parts of a scene: things with a depth that draw themselves under a view. No setting knows more than these."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol

import numpy as np

from understudy.engines.previz.pictures.canvas import Bitmap, Floats
from understudy.engines.previz.pictures.raster import Matrix, Raster, affine
from understudy.engines.previz.pictures.view import NEAREST, Reach, View


class Layer(Protocol):
    """Something that can be drawn; layers are drawn from far to near."""

    @property
    def depth(self) -> float:
        """Distance from the staged camera, in units."""

    def draw(self, raster: Raster, view: View) -> None:
        """Draw under a view."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sky:
    """An opaque backdrop at no finite depth: it moves with pan and tilt only.

    origin_px: frame position of the bitmap's corner when the camera does not turn, (left, top); centre and horizon
    are the unturned camera's. ends_at_horizon: whether a ground covers what lies below.
    """

    bitmap: Bitmap
    origin_px: tuple[float, float]
    centre_x_px: float
    horizon_px: float
    density: float = 1.0
    ends_at_horizon: bool = True
    depth: float = 1e9

    def draw(self, raster: Raster, view: View) -> None:
        """Fill the frame's rows down to the horizon."""
        left = self.origin_px[0] + view.centre_x_px - self.centre_x_px
        top = self.origin_px[1] + view.horizon_px - self.horizon_px
        last = int(np.ceil(view.horizon_px)) + 2 if self.ends_at_horizon else raster.height_px
        scale = 1 / self.density
        place = affine(scale_x=scale, scale_y=scale, x_px=left, y_px=top)
        raster.fill(self.bitmap, place, rows=(0, last), keeps_scale=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """An upright bitmap that faces the camera.

    left, top: world position of its upper left corner. density: bitmap pixels per unit. drift: units per second to
    the right. sway: how far its top leans in the wind, units; sway_phase in radians.
    """

    bitmap: Bitmap
    left: float
    top: float
    depth: float
    density: float
    drift: float = 0.0
    sway: float = 0.0
    sway_phase: float = 0.0
    opacity: float = 1.0
    crown: Bitmap | None = None

    def draw(self, raster: Raster, view: View) -> None:
        """Blend it at its place."""
        if self.depth - view.z < NEAREST:
            return
        scale = view.scale(self.depth)
        x_px, y_px = view.project(self.left + self.drift * view.time_s, self.top, self.depth)
        factor = scale / self.density
        matrix = affine(scale_x=factor, scale_y=factor, x_px=x_px, y_px=y_px)
        solid = self.solid_rows(raster.width_px, view)
        if self.crown is not None and solid is not None:
            raster.stamp(self.crown, matrix)
            raster.fill(self.bitmap, matrix, rows=solid)
            return
        if self.sway:
            lean = self.sway * (np.sin(1.7 * view.time_s + self.sway_phase) + 0.4 * np.sin(3.9 * view.time_s))
            height_px = self.bitmap.shape[0] * factor
            matrix[0, 1] = -lean * scale / self.bitmap.shape[0]
            matrix[0, 2] += lean * scale * height_px / max(height_px, 1)
        raster.stamp(self.bitmap, matrix, opacity=self.opacity)

    def solid_rows(self, width_px: int, view: View) -> tuple[int, int] | None:
        """Frame rows, first and past the last, that it covers from edge to edge of a frame so wide, or None."""
        if self.crown is None or self.depth - view.z < NEAREST:
            return None
        factor = view.scale(self.depth) / self.density
        x_px, y_px = view.project(self.left + self.drift * view.time_s, self.top, self.depth)
        if x_px > 0 or x_px + self.bitmap.shape[1] * factor < width_px:
            return None
        # The crown overlaps the solid part by a row, which hides its soft lower edge.
        solid = math.ceil(y_px + (self.crown.shape[0] - 1.5) * factor)
        return solid, math.floor(y_px + self.bitmap.shape[0] * factor)


_WALL_STRIPS = 8
# Rows of a band that are less occupied than this are drawn piece by piece.
_SPARSE = 0.6
_OVERLAP_ROWS = 3
_LEAST_ZONE_ROWS = 24
_JOINED_GAP_PX = 10
# Fewer solid rows than this are not worth drawing in two parts.
_LEAST_SOLID_ROWS = 6


def crown_of(bitmap: Bitmap) -> Bitmap | None:
    """The upper rows of a band whose lower rows are all opaque; None if too few are."""
    clear = np.flatnonzero(bitmap[..., 3].min(axis=1) < 255)
    first = int(clear[-1]) + 1 if len(clear) else 0
    if bitmap.shape[0] - first < _LEAST_SOLID_ROWS:
        return None
    return np.ascontiguousarray(bitmap[: first + 2])


def islands(panel: Panel) -> list[Layer]:
    """A sparse band as the pieces that are not clear: trunks and masts are narrow, and most of their band is air.

    Neighbouring pieces overlap, so that no seam shows where one's soft edge ends.
    """
    rows = (panel.bitmap[..., 3] > 0).mean(axis=1) > _SPARSE
    edges = [0, *(np.flatnonzero(np.diff(rows.astype(np.int8))) + 1).tolist(), len(rows)]
    pieces: list[Layer] = []
    for top, bottom in pairwise(_without_slivers(edges)):
        first, last = max(top - _OVERLAP_ROWS, 0), min(bottom + _OVERLAP_ROWS, len(rows))
        zone = panel.bitmap[first:last]
        for left, right in _runs((zone[..., 3] > 0).sum(axis=0) > 0):
            part = np.ascontiguousarray(zone[:, left:right])
            pieces.append(
                replace(
                    panel,
                    bitmap=part,
                    left=panel.left + left / panel.density,
                    top=panel.top - first / panel.density,
                    crown=None,
                )
            )
    return pieces


def _without_slivers(edges: list[int]) -> list[int]:
    """Row edges at least some rows apart; the first and the last one stay."""
    kept = edges[:1]
    for edge in edges[1:-1]:
        if edge - kept[-1] >= _LEAST_ZONE_ROWS and edges[-1] - edge >= _LEAST_ZONE_ROWS:
            kept.append(edge)
    return [*kept, edges[-1]]


def _runs(columns: Bitmap) -> list[tuple[int, int]]:
    """Runs of occupied columns (start, end), joined across small gaps, with a clear column around each."""
    places = np.flatnonzero(columns)
    if not len(places):
        return []
    breaks = np.flatnonzero(np.diff(places) > _JOINED_GAP_PX)
    starts, ends = [places[0], *places[breaks + 1]], [*places[breaks], places[-1]]
    width = len(columns)
    return [(max(int(a) - 1, 0), min(int(b) + 2, width)) for a, b in zip(starts, ends, strict=True)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """An opaque horizontal plane below or above the eye, baked once in perspective and warped exactly.

    to_ground: 3x3 matrix from bitmap pixels to ground coordinates (x, z, 1). repeat: the pattern's period in x, or 0;
    with a period the camera may travel without end. height: the plane's y.
    """

    bitmap: Bitmap
    to_ground: Matrix
    centre_x: float
    repeat: float = 0.0
    height: float = 0.0
    depth: float = 1e8

    def draw(self, raster: Raster, view: View) -> None:
        """Fill the rows between horizon and frame edge."""
        folded = lowered(fold(view, self.centre_x, self.repeat), self.height)
        matrix = folded.ground_matrix() @ self.to_ground
        horizon = int(np.floor(view.horizon_px))
        rows = (horizon, raster.height_px) if folded.y > 0 else (0, horizon + 1)
        raster.fill(self.bitmap, matrix, rows=rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class SideWall:
    """An upright plane along the view, at ``wall_x``, from z ``near`` to z ``depth``: a street front, a room's side.

    The bitmap's left edge is the far end. solid_from: the row below which all of it is opaque; that part is drawn
    without blending. rim: colour of a line along its upper edge, which hides the steps of an unblended edge.
    """

    bitmap: Bitmap
    wall_x: float
    near: float
    depth: float
    bottom: float
    top: float
    solid_from: int
    rim: tuple[int, int, int]

    def draw(self, raster: Raster, view: View) -> None:
        """Draw it in perspective; the part behind the camera is cut away."""
        near = max(self.near, view.z + 0.25)
        if near >= self.depth or self.wall_x == view.x:
            return
        height, width = self.bitmap.shape[:2]
        tall = self.top - self.bottom
        to_wall = np.array(
            [
                [-(self.depth - self.near) / width, 0.0, self.depth],
                [0.0, -tall / height, self.top],
                [0.0, 0.0, 1.0],
            ]
        )
        matrix = view.side_matrix(self.wall_x) @ to_wall
        ends = [view.project(self.wall_x, 0.0, depth)[0] for depth in (near, self.depth)]
        left, right = max(min(ends), 0.0), min(max(ends), float(raster.width_px))
        if right <= left:
            return
        solid = self.top - tall * self.solid_from / height
        # The wall is a long wedge: a few upright strips hold less emptiness than one box.
        cuts = np.linspace(math.floor(left), math.ceil(right), _WALL_STRIPS + 1).astype(int)
        for part, (start, end) in enumerate(pairwise(cuts.tolist())):
            columns = [min(max(x, left), right) for x in (start, end)]
            top, middle, bottom = (
                [self._row(view, level, x) for x in columns] for level in (self.top, solid, self.bottom)
            )
            if self.solid_from > 0:
                box = (start, math.floor(min(top)) - 1, end, math.ceil(max(middle)) + 1)
                raster.stamp_plane(self.bitmap, matrix, box, part=part)
            box = (start, math.floor(min(middle)) - 1, end, math.ceil(max(bottom)) + 1)
            below = matrix @ np.array([[1, 0, 0], [0, 1, self.solid_from], [0, 0, 1.0]])
            raster.cover_plane(self.bitmap[self.solid_from :], below, box)
        if self.solid_from == 0:
            edge = [(x, self._row(view, self.top, x)) for x in (left, right)]
            raster.line(edge[0], edge[1], self.rim)

    def _row(self, view: View, level: float, x_px: float) -> float:
        """Frame row of a height on the wall at a column."""
        return view.horizon_px - (level - view.y) * (x_px - view.centre_x_px) / (self.wall_x - view.x)


def side_wall(bitmap: Bitmap, *, wall_x: float, near: float, depth: float, top: float) -> SideWall:
    """A wall that stands on the ground."""
    clear = np.flatnonzero(bitmap[..., 3].min(axis=1) < 255)
    solid_from = int(clear[-1]) + 1 if len(clear) else 0
    red, green, blue = (int(value) for value in bitmap[0, :, :3].mean(axis=0))
    return SideWall(
        bitmap=bitmap, wall_x=wall_x, near=near, depth=depth, bottom=0.0, top=top, solid_from=solid_from,
        rim=(red, green, blue),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Moving:
    """A layer that a function draws: waves, rays, flashes."""

    depth: float
    paint: Callable[[Raster, View], None]

    def draw(self, raster: Raster, view: View) -> None:
        """Draw by the function."""
        self.paint(raster, view)


def fold(view: View, centre_x: float, repeat: float) -> View:
    """The same view with its x brought within half a period of ``centre_x``."""
    if repeat <= 0:
        return view
    offset = (view.x - centre_x + repeat / 2) % repeat - repeat / 2
    return _moved(view, x=centre_x + offset, y=view.y)


def lowered(view: View, level: float) -> View:
    """The view measured from a plane at ``height``."""
    return view if level == 0 else _moved(view, x=view.x, y=view.y - level)


def _moved(view: View, *, x: float, y: float) -> View:
    return View(
        width_px=view.width_px,
        height_px=view.height_px,
        focal_px=view.focal_px,
        centre_x_px=view.centre_x_px,
        horizon_px=view.horizon_px,
        x=x,
        y=y,
        z=view.z,
        time_s=view.time_s,
    )


Shade = Callable[[Floats, Floats, Floats], Floats]


def bake_surface(
    reach: Reach, shade: Shade, *, detail: float, repeat: float = 0.0, level: float = 0.0
) -> tuple[Surface, "Baked"]:
    """Paint a horizontal plane as seen from the move's farthest point, and everything the move will see of it.

    shade: (x, z, blur) -> (h, w, 3) float32 RGB 0..1; x, z in units, blur: units per pixel along z.
    Returns the layer and what is needed to paint more onto its bitmap (whose memory they share).
    """
    views = [lowered(fold(view, 0.0, repeat), level) for view in reach.views]
    # A ground that repeats is several frames wide and always in motion.
    detail = detail * 0.7 if repeat else detail
    sign = 1.0 if views[0].y > 0 else -1.0
    lead = views[0]
    highest = max(abs(v.y) for v in views)
    reference = View(
        width_px=lead.width_px,
        height_px=lead.height_px,
        focal_px=lead.focal_px * detail,
        centre_x_px=0.0,
        horizon_px=0.0,
        x=sum(v.x for v in views) / len(views),
        y=sign * highest,
        z=min(v.z for v in views),
        time_s=0.0,
    )
    to_reference = reference.ground_matrix()
    corners = []
    for view in views:
        edge = view.height_px if sign > 0 else 0
        rows = (edge, view.horizon_px + sign * max(abs(edge - view.horizon_px) * 0.01, 0.5))
        points = np.array([(x, y, 1.0) for x in (0, view.width_px) for y in rows]).T
        mapped = to_reference @ np.linalg.inv(view.ground_matrix()) @ points
        corners.append(mapped[:2] / mapped[2])
    spread = np.concatenate(corners, axis=1)
    left, right = np.floor(spread[0].min()) - 2, np.ceil(spread[0].max()) + 2
    depth_px = min(np.ceil(np.abs(spread[1]).max()) + 2, 2.5 * lead.height_px * max(detail, 0.5))
    columns, lines = int(min(right - left, 9000)), int(depth_px)
    u = np.arange(columns, dtype=np.float32) + np.float32(left + 0.5)
    v = np.arange(lines, dtype=np.float32) + np.float32(0.5)
    distance = np.float32(reference.focal_px * highest) / v
    x = np.float32(reference.x) + u[None, :] * (distance / np.float32(reference.focal_px))[:, None]
    far = np.minimum(distance, np.float32(400.0))
    z = np.broadcast_to((np.float32(reference.z) + far)[:, None], x.shape)
    blur = np.broadcast_to((far * far / np.float32(reference.focal_px * highest))[:, None], x.shape)
    bitmap = np.full((lines, columns, 4), 255, np.uint8)
    bitmap[..., :3] = np.clip(shade(x, np.ascontiguousarray(z), np.ascontiguousarray(blur)) * 255 + 0.5, 0, 255)
    place = np.array([[1, 0, left], [0, sign, 0.0], [0, 0, 1.0]])
    surface = Surface(
        bitmap=bitmap, to_ground=np.linalg.inv(to_reference) @ place, centre_x=0.0, repeat=repeat, height=level
    )
    return surface, Baked(bitmap=bitmap, view=reference, left_px=left, sign=sign, repeat=repeat)


@dataclass(frozen=True, slots=True, kw_only=True)
class Baked:
    """A baked plane, open for painting: shadows, tufts, marks."""

    bitmap: Bitmap
    view: View
    left_px: float
    sign: float
    repeat: float

    def place(self, x: float, z: float) -> tuple[float, float, float]:
        """Bitmap position of a ground point, and pixels per unit there."""
        scale = self.view.scale(z)
        return (x - self.view.x) * scale - self.left_px, abs(self.view.y) * scale, scale

    def copies(self, x: float, z: float) -> list[float]:
        """Every x at which a repeated mark shows; just x when nothing repeats."""
        if self.repeat <= 0:
            return [x]
        scale = self.view.scale(z)
        low = self.view.x + self.left_px / scale - 1.5
        high = self.view.x + (self.left_px + self.bitmap.shape[1]) / scale + 1.5
        first = int(np.floor((low - x) / self.repeat))
        last = int(np.ceil((high - x) / self.repeat))
        return [x + k * self.repeat for k in range(first, min(last, first + 400) + 1)]
