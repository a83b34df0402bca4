"""Sets in town: city, street, courtyard."""

from dataclasses import replace

import cv2
import numpy as np

from understudy.engines.previz.pictures import ground, land
from understudy.engines.previz.pictures.canvas import Bitmap, Floats, Rgb
from understudy.engines.previz.pictures.land import Spot
from understudy.engines.previz.pictures.layers import Baked, Layer, Panel, side_wall
from understudy.engines.previz.pictures.light import Look, dimmed, mix, recolour
from understudy.engines.previz.pictures.neon import TUBES, has_neon, signs
from understudy.engines.previz.pictures.scene import SceneSet, Stagehand
from understudy.engines.previz.pictures.seasons import season_of
from understudy.engines.previz.pictures.sets_open import lamp_glow, lay, near_far
from understudy.engines.previz.pictures.sky import open_sky

_BRICKS: tuple[Rgb, ...] = (
    (0.78, 0.46, 0.36),
    (0.88, 0.74, 0.54),
    (0.58, 0.62, 0.70),
    (0.84, 0.58, 0.42),
    (0.66, 0.72, 0.66),
    (0.74, 0.62, 0.72),
)
_WARM: Rgb = (1.0, 0.82, 0.46)


def city(stagehand: Stagehand) -> SceneSet:
    """A square before three rows of towers, lit after dusk."""
    d, rng = stagehand.distance, stagehand.rng
    slabs = ground.paving(rng, light=(0.66, 0.67, 0.72), dark=(0.50, 0.51, 0.57), tile=0.55, repeat=stagehand.repeat)
    if stagehand.is_passing:
        asphalt = ground.marked_road(rng, is_across=True, middle=d * 1.12, repeat=stagehand.repeat)
        slabs = ground.band_along(slabs, asphalt, low=d * 0.76, high=d * 1.5, soft=0.01)
    surface, baked = lay(stagehand, slabs)
    reflect_lights(stagehand, baked)
    blue: Rgb = (0.56, 0.62, 0.74)
    return SceneSet(
        layers=[
            *open_sky(stagehand),
            surface,
            land.skyline(stagehand, Spot(depth=21 * d, height=13.5), colour=blue),
            land.skyline(stagehand, Spot(depth=12.5 * d, height=8.8), colour=(0.60, 0.56, 0.60)),
            land.skyline(stagehand, Spot(depth=7.4 * d, height=4.6), colour=(0.64, 0.55, 0.50)),
            land.hedge(stagehand, Spot(depth=5.6 * d, height=0.42), colour=(0.26, 0.46, 0.26), flowers=()),
            *_neon_across(stagehand, depth=5.4 * d),
            *lamps(stagehand, [(side * 1.75, factor * d) for factor in (4.2, 2.6) for side in (-1.0, 1.0)]),
        ],
        ground=baked,
        prop_depths=(1.35, 3.0),
        prop_side=1.1,
        largest=2.0,
    )


def reflect_lights(stagehand: Stagehand, baked: Baked) -> None:
    """In the dark, or in rain, the ground mirrors the lights as soft streaks."""
    look, rng = stagehand.look, stagehand.rng
    if not look.is_dark:
        return
    height, width = baked.bitmap.shape[:2]
    is_neon = has_neon(stagehand.shot)
    colours = TUBES if is_neon else (_WARM, (1.0, 0.62, 0.34), (0.62, 0.78, 1.0))
    streaks = np.zeros((height, width), np.float32)
    tint = np.zeros((height, width, 3), np.float32)
    rows = np.arange(height, dtype=np.float32)[:, None]
    columns = np.arange(width, dtype=np.float32)[None, :]
    for _ in range(26 if is_neon else 16):
        centre, half = rng.uniform(0, width), width * rng.uniform(0.006, 0.016)
        low, high = height * rng.uniform(0.0, 0.08), height * rng.uniform(0.18, 0.52) * (1.7 if is_neon else 1.0)
        profile = np.exp(-(((columns - centre) / half) ** 2)) * np.clip(1 - (rows - low) / high, 0, 1) * (rows > low)
        level = profile * np.float32(rng.uniform(0.16, 0.42) * look.glow * (1.5 if is_neon else 1.0))
        streaks += level
        tint += level[..., None] * np.array(colours[int(rng.integers(len(colours)))], np.float32)
    area = baked.bitmap[..., :3].astype(np.float32)
    shine = np.clip(streaks, 0, 0.7)[..., None]
    hue = tint / np.maximum(streaks, 1e-4)[..., None]
    grade = np.array(look.grade)[:3, :3].astype(np.float32)
    baked.bitmap[..., :3] = np.clip(area + shine * (np.clip(hue @ grade.T, 0, 1) * 255 - area * 0.5), 0, 255)


def _is_lit_by_neon(stagehand: Stagehand) -> bool:
    return stagehand.look.is_dark and has_neon(stagehand.shot)


def _neon_across(stagehand: Stagehand, *, depth: float) -> list[Layer]:
    """Signs in a row before fronts that face the camera."""
    if not _is_lit_by_neon(stagehand):
        return []
    low, high = stagehand.reach.x_range(depth)
    count = int(min((high - low) / 0.95, 30))
    step = (high - low) / max(count, 1)
    rng = stagehand.rng
    return signs(
        stagehand,
        [(low + (k + rng.uniform(0.25, 0.75)) * step, rng.uniform(0.85, 1.55), depth) for k in range(count)],
    )


def lamps(stagehand: Stagehand, places: list[tuple[float, float]], *, tall: float = 1.75) -> list[Layer]:
    """Street lamps, lit in the dark."""
    layers: list[Layer] = []
    look = stagehand.look
    for x, depth in places:
        density = stagehand.reach.finest_scale(depth)
        rows, wide = int(tall * density), max(int(0.42 * density), 6)
        bitmap = np.zeros((rows, wide, 4), np.uint8)
        post = (62, 64, 78, 255)
        middle = wide // 2
        cv2.line(bitmap, (middle, rows), (middle, int(rows * 0.10)), post, max(int(wide * 0.13), 1), cv2.LINE_AA)
        cv2.rectangle(
            bitmap, (int(middle - wide * 0.14), int(rows * 0.95)), (int(middle + wide * 0.14), rows), post, -1
        )
        lamp = look.ink((1.0, 0.93, 0.73) if look.is_dark else (0.89, 0.90, 0.91))
        haze = look.haze_at(depth, stagehand.distance)
        lit = recolour(bitmap, look.lit_matrix(gain=look.ambient, haze=haze))
        cv2.ellipse(
            lit, (middle, int(rows * 0.075)), (int(wide * 0.24), int(rows * 0.05)), 0, 0, 360, lamp, -1, cv2.LINE_AA
        )
        cv2.ellipse(
            lit,
            (middle, int(rows * 0.03)),
            (int(wide * 0.30), max(int(rows * 0.014), 1)),
            0,
            0,
            360,
            look.ink((0.14, 0.15, 0.20)),
            -1,
            cv2.LINE_AA,
        )
        for left in _repeated(stagehand, x, depth, every=3.0):
            layers.append(Panel(bitmap=lit, left=left - 0.21, top=tall, depth=depth, density=density))
            if look.is_dark:
                layers.append(lamp_glow(stagehand, x=left, y=tall * 0.92, depth=depth * 0.999, across=1.7))
    return layers


def _repeated(stagehand: Stagehand, x: float, depth: float, *, every: float) -> list[float]:
    if not stagehand.repeat:
        return [x]
    low, high = stagehand.reach.x_range(depth)
    return [float(value) for value in np.arange(low + x % every, high, every)]


def street(stagehand: Stagehand) -> SceneSet:
    """House fronts along a road that runs into the depth; or a row of fronts when somebody goes along it."""
    d, rng = stagehand.distance, stagehand.rng
    pavement = ground.paving(rng, light=(0.74, 0.71, 0.68), dark=(0.60, 0.58, 0.57), tile=0.36, repeat=stagehand.repeat)
    asphalt = ground.marked_road(rng, is_across=stagehand.is_passing, middle=d * 1.14, repeat=stagehand.repeat)
    kerb = ground.plain(rng, light=(0.84, 0.82, 0.80), dark=(0.76, 0.74, 0.72))
    half = 1.5
    if stagehand.is_passing:
        shade = ground.band_along(pavement, kerb, low=d * 0.74, high=d * 1.60, soft=0.01)
        shade = ground.band_along(shade, asphalt, low=d * 0.78, high=d * 1.55, soft=0.01)
    else:
        shade = ground.lane_into(pavement, kerb, half=half + 0.06, soft=0.01)
        shade = ground.lane_into(shade, asphalt, half=half, soft=0.01)
    surface, baked = lay(stagehand, shade)
    reflect_lights(stagehand, baked)
    layers: list[Layer] = [
        *open_sky(stagehand),
        surface,
        land.skyline(stagehand, Spot(depth=17 * d, height=4.6), colour=(0.60, 0.60, 0.66)),
    ]
    if stagehand.is_passing:
        layers.append(_fronts_across(stagehand, Spot(depth=2.5 * d, height=3.4)))
        layers.extend(_neon_across(stagehand, depth=2.46 * d))
        layers.extend(lamps(stagehand, [(0.0, 1.68 * d)]))
    else:
        far = 7.0 * d
        low, high = stagehand.reach.x_range(d)
        wall_x = max(min(-low, high) * 0.98, half + 0.55)
        for side in (-1.0, 1.0):
            bitmap = _fronts(stagehand, reach=far - 0.3 * d, tall=3.6, far_end=True)
            layers.append(side_wall(bitmap, wall_x=side * wall_x, near=0.3 * d, depth=far, top=3.6))
        layers.append(_fronts_across(stagehand, Spot(depth=far * 1.02, height=3.3), opening=wall_x * 0.98))
        if _is_lit_by_neon(stagehand):
            spots = [
                (s * wall_x * 0.93, 0.85 + 0.42 * k, f * d) for k, f in enumerate((5.2, 3.8, 2.7, 1.9)) for s in (-1, 1)
            ]
            layers.extend(signs(stagehand, spots))
        layers.extend(lamps(stagehand, [(s * (half + 0.25), f * d) for f in (4.4, 2.9, 1.85) for s in (-1.0, 1.0)]))
    return SceneSet(layers=layers, ground=baked, prop_depths=(1.5, 3.2), prop_side=1.25, largest=2.0)


def _front(bitmap: Bitmap, box: tuple[int, int, int], colour: Rgb, *, look: Look, rng: np.random.Generator) -> None:
    """One house front on a strip: (left, right, top) in pixels; windows, a cornice, a shop with an awning."""
    left, right, top = box
    height = bitmap.shape[0]
    wide, tall = right - left, height - top
    shade = np.linspace(1.06, 0.86, tall, dtype=np.float32)[:, None, None]
    bitmap[top:, left:right, :3] = np.clip(np.array(colour, np.float32) * 255 * shade, 0, 255)
    bitmap[top:, left:right, 3] = 255

    def rect(area: tuple[float, float, float, float], tone: Rgb) -> None:
        x0, y0, x1, y1 = area
        cv2.rectangle(
            bitmap,
            (int(left + x0 * wide), int(y0)),
            (int(left + x1 * wide) - 1, int(y1) - 1),
            (*(min(c, 1.0) * 255 for c in tone), 255),
            -1,
        )

    storey = height * 0.235
    rect((0, top, 1, top + height * 0.022), dimmed(colour, 0.66))
    rect((0, top + height * 0.022, 1, top + height * 0.032), mix(colour, (1.0, 1.0, 1.0), 0.4))
    columns = max(round(wide / (height * 0.19)), 1)
    level = height - storey * 1.12
    while level - storey * 0.84 > top:
        for column in range(columns):
            x0, x1 = (column + 0.26) / columns, (column + 0.74) / columns
            is_lit = rng.random() < 0.08 + 0.55 * look.glow
            pane = mix(_WARM, (1.0, 1.0, 1.0), 0.1) if is_lit and look.is_dark else (0.42, 0.56, 0.68)
            rect(
                (x0 - 0.02, level - storey * 0.84, x1 + 0.02, level - storey * 0.12), mix(colour, (1.0, 1.0, 1.0), 0.55)
            )
            rect((x0, level - storey * 0.80, x1, level - storey * 0.16), pane)
            rect(
                ((x0 + x1) / 2 - 0.006, level - storey * 0.80, (x0 + x1) / 2 + 0.006, level - storey * 0.16),
                mix(colour, (1.0, 1.0, 1.0), 0.55),
            )
            rect((x0 - 0.03, level - storey * 0.13, x1 + 0.03, level - storey * 0.09), dimmed(colour, 0.72))
        level -= storey
    shop = height - storey * 0.98
    trim = _BRICKS[int(rng.integers(len(_BRICKS)))]
    rect((0.05, shop, 0.95, height), dimmed(mix(trim, (0.2, 0.2, 0.26), 0.5), 0.7))
    glass = mix(_WARM, (1.0, 1.0, 1.0), 0.12) if look.is_dark else (0.56, 0.70, 0.78)
    rect((0.10, shop + storey * 0.34, 0.56, height - storey * 0.10), glass)
    rect((0.66, shop + storey * 0.30, 0.88, height), mix(trim, (0.1, 0.1, 0.1), 0.3))
    rect((0.69, shop + storey * 0.36, 0.85, height - storey * 0.30), glass)
    stripes = max(int(wide / (height * 0.05)), 4)
    tone: tuple[Rgb, Rgb] = ((0.95, 0.94, 0.90), mix(trim, (0.86, 0.20, 0.22), 0.5))
    for k in range(stripes):
        rect(
            (0.05 + 0.9 * k / stripes, shop + storey * 0.04, 0.05 + 0.9 * (k + 1) / stripes, shop + storey * 0.26),
            tone[k % 2],
        )


def _fronts(stagehand: Stagehand, *, reach: float, tall: float, far_end: bool) -> Bitmap:
    """A strip of house fronts seen along a side wall, hazed towards its far (left) end."""
    look, rng = stagehand.look, stagehand.rng
    density = min(stagehand.staging.canvas.height_px * 0.9, 900) / tall * 0.62
    width, rows = int(reach * density * 0.5), int(tall * density)
    bitmap = np.zeros((rows, width, 4), np.uint8)
    x = 0
    while x < width:
        wide = int(rows * rng.uniform(0.34, 0.55))
        _front(
            bitmap,
            (x, min(x + wide, width), int(rows * rng.uniform(0.0, 0.24))),
            _BRICKS[int(rng.integers(len(_BRICKS)))],
            look=look,
            rng=rng,
        )
        x += wide
    plain = _lit_fronts(bitmap, look, gain=dimmed(look.ambient, 0.9), haze=0.0)
    hazed = _lit_fronts(
        bitmap, look, gain=dimmed(look.ambient, 0.9), haze=look.haze_at(7 * stagehand.distance, stagehand.distance)
    )
    part = np.linspace(1, 0, width, dtype=np.float32)[None, :, None] ** 1.4 if far_end else np.float32(0.0)
    return (hazed * part + plain * (1 - part)).astype(np.uint8)


def _lit_fronts(bitmap: Bitmap, look: Look, *, gain: Rgb, haze: float) -> Bitmap:
    """Light the fronts; what glows keeps its own light."""
    result = recolour(bitmap, look.lit_matrix(gain=gain, haze=haze))
    if look.is_dark:
        glowing = (bitmap[..., 0] > 250) & (bitmap[..., 2] < 150) & (bitmap[..., 1] > 200)
        bright = look.graded(bitmap)
        result[glowing] = bright[glowing]
    return result


def _fronts_across(stagehand: Stagehand, spot: Spot, *, opening: float = 0.0) -> Panel:
    """A row of fronts that faces the camera; ``opening`` leaves the street's end free, half its width in units."""
    look, rng = stagehand.look, stagehand.rng

    def paint(width_px: int, height_px: int, density: float) -> Bitmap:
        bitmap = np.zeros((height_px, width_px, 4), np.uint8)
        x = 0
        while x < width_px:
            wide = int(height_px * rng.uniform(0.34, 0.52))
            _front(
                bitmap,
                (x, min(x + wide, width_px), int(height_px * rng.uniform(0.0, 0.26))),
                _BRICKS[int(rng.integers(len(_BRICKS)))],
                look=look,
                rng=rng,
            )
            x += wide
        if opening:
            low, high = stagehand.reach.x_range(spot.depth)
            middle = width_px * (-low / (high - low))
            half = opening * 0.34 * density
            bitmap[:, max(int(middle - half), 0) : max(int(middle + half), 0)] = 0
        return _lit_fronts(bitmap, look, gain=look.ambient, haze=look.haze_at(spot.depth, stagehand.distance))

    return land.upright(stagehand, spot, paint)


def courtyard(stagehand: Stagehand) -> SceneSet:
    """A paved court: a tiled wall with a moon gate, side walls in perspective, trees beyond."""
    d, rng, _look = stagehand.distance, stagehand.rng, stagehand.look
    slabs = ground.paving(rng, light=(0.80, 0.76, 0.70), dark=(0.62, 0.58, 0.53), tile=0.5, repeat=stagehand.repeat)
    surface, baked = lay(stagehand, slabs)
    ground.specks(
        stagehand,
        baked,
        colours=((0.44, 0.62, 0.32), (0.56, 0.70, 0.36)),
        radius_units=0.014,
        depths=near_far(stagehand, 0.5, 3),
        count=60,
    )
    back = 3.3 * d
    low, high = stagehand.reach.x_range(d)
    is_open = bool(stagehand.repeat)
    wall_x = max(min(-low, high) * 1.02, 1.3)
    leaf: Rgb = (0.98, 0.66, 0.76) if season_of(stagehand.shot) == "spring" else (0.36, 0.60, 0.30)
    layers: list[Layer] = [
        *open_sky(stagehand),
        surface,
        land.hills(stagehand, Spot(depth=20 * d, height=4.4), light=(0.56, 0.66, 0.68), dark=(0.42, 0.54, 0.60)),
        _above_the_wall(land.tree_line(stagehand, Spot(depth=4.3 * d, height=3.1), colour=leaf, is_pine=False)),
        _court_wall(stagehand, Spot(depth=back, height=2.0), leaf=leaf),
    ]
    if not is_open:
        for side in (-1.0, 1.0):
            bitmap = _side_wall(stagehand, reach=back - 0.3 * d, tall=2.0)
            layers.append(side_wall(bitmap, wall_x=side * wall_x, near=0.3 * d, depth=back, top=2.0))
    return SceneSet(layers=layers, ground=baked, prop_depths=(1.3, 2.9), prop_side=0.8)


def _tiled_wall(bitmap: Bitmap, rng: np.random.Generator, *, step: float) -> None:
    """Plaster with a stone foot, under a roof of round tiles."""
    height, width = bitmap.shape[:2]
    rows = np.linspace(1.04, 0.88, height, dtype=np.float32)[:, None, None]
    bitmap[..., :3] = np.clip(np.array((0.94, 0.89, 0.80), np.float32) * 255 * rows, 0, 255)
    bitmap[..., 3] = 255
    foot = int(height * 0.84)
    for index in range(int(width / (height * 0.16)) + 2):
        for course in (0, 1):
            tone = rng.uniform(0.85, 1.1)
            x0 = int((index - 0.5 * course) * height * 0.16)
            y0 = foot + int(course * height * 0.08)
            colour = tuple(min(c * tone, 1) * 255 for c in (0.58, 0.57, 0.58))
            cv2.rectangle(
                bitmap, (x0 + 1, y0 + 1), (int(x0 + height * 0.16) - 1, int(y0 + height * 0.08) - 1), (*colour, 255), -1
            )
    roof = int(height * 0.15)
    bitmap[:roof, :, :3] = (70, 78, 92)
    for index in range(int(width / step) + 1):
        x = (index + 0.5) * step
        cv2.line(bitmap, (int(x), 2), (int(x), roof), (104, 114, 130, 255), max(int(step * 0.46), 1), cv2.LINE_AA)
        cv2.line(
            bitmap,
            (int(x - step * 0.1), 2),
            (int(x - step * 0.1), roof),
            (140, 150, 166, 255),
            max(int(step * 0.12), 1),
        )
        cv2.circle(bitmap, (int(x), roof), max(int(step * 0.30), 1), (86, 94, 110, 255), -1, cv2.LINE_AA)
    bitmap[: max(int(height * 0.025), 1), :, :3] = (58, 64, 78)
    shadow = bitmap[roof : int(height * 0.21), :, :3]
    shadow[:] = (shadow * np.linspace(0.6, 1.0, len(shadow), dtype=np.float32)[:, None, None]).astype(np.uint8)


def _above_the_wall(trees: Panel) -> Panel:
    """The part of the trees that a wall in front of them leaves to be seen."""
    rows = int(trees.bitmap.shape[0] * 0.6)
    return replace(trees, bitmap=np.ascontiguousarray(trees.bitmap[:rows]), crown=None)


def _court_wall(stagehand: Stagehand, spot: Spot, *, leaf: Rgb) -> Panel:
    """The back wall with latticed windows and a round gate, through which a garden is seen."""
    look, rng = stagehand.look, stagehand.rng

    def paint(width_px: int, height_px: int, density: float) -> Bitmap:
        bitmap = np.zeros((height_px, width_px, 4), np.uint8)
        _tiled_wall(bitmap, rng, step=height_px * 0.055)
        low, high = stagehand.reach.x_range(spot.depth)
        middle = int(width_px * (-low / (high - low)))
        for offset in (-2.5, -1.55, 1.55, 2.5):
            centre = (int(middle + offset * density * 0.9), int(height_px * 0.45))
            cv2.rectangle(
                bitmap,
                (int(centre[0] - height_px * 0.09), int(height_px * 0.33)),
                (int(centre[0] + height_px * 0.09), int(height_px * 0.57)),
                (110, 78, 58, 255),
                -1,
            )
            for k in (-1, 0, 1):
                x = int(centre[0] + k * height_px * 0.05)
                cv2.line(
                    bitmap,
                    (x, int(height_px * 0.34)),
                    (x, int(height_px * 0.56)),
                    (206, 196, 176, 255),
                    max(int(height_px * 0.012), 1),
                )
        radius = int(height_px * 0.335)
        centre = (middle, int(height_px * 0.62))
        cv2.circle(bitmap, centre, int(radius * 1.12), (132, 124, 120, 255), -1, cv2.LINE_AA)
        _garden_in_gate(bitmap, centre, radius, leaf=leaf, look=look)
        haze = look.haze_at(spot.depth, stagehand.distance) * 0.7
        return recolour(bitmap, look.lit_matrix(gain=look.ambient, haze=haze))

    return land.upright(stagehand, spot, paint)


def _garden_in_gate(bitmap: Bitmap, centre: tuple[int, int], radius: int, *, leaf: Rgb, look: Look) -> None:
    """Paint sky, trees and a path into a round gate; the wall stays opaque, which draws faster than a hole."""
    height, width = bitmap.shape[:2]
    rows = np.arange(height)[:, None]
    columns = np.arange(width)[None, :]
    away = np.hypot(columns - centre[0], rows - centre[1])
    inside = (away < radius) | ((rows > centre[1]) & (np.abs(columns - centre[0]) < radius * 0.62))
    scene = np.empty((height, width, 3), np.float32)
    scene[:] = np.array(mix(look.sky[2], (1.0, 1.0, 1.0), 0.15), np.float32)
    for x, size, tone in (
        (-0.6, 0.62, 0.86),
        (0.62, 0.58, 0.80),
        (0.05, 0.42, 1.0),
        (-0.2, 0.36, 1.12),
        (0.35, 0.34, 1.1),
    ):
        crown = np.hypot(columns - centre[0] - x * radius, rows - centre[1] + 0.15 * radius) < size * radius
        scene[crown] = np.minimum(np.array(leaf, np.float32) * tone, 1.0)
    lawn = rows > centre[1] + 0.30 * radius
    scene[np.broadcast_to(lawn, crown.shape)] = (0.46, 0.66, 0.32)
    path = lawn & (np.abs(columns - centre[0]) < (rows - centre[1]) * 0.42)
    scene[path] = (0.84, 0.79, 0.70)
    bitmap[inside, :3] = scene[inside] * 255


def _side_wall(stagehand: Stagehand, *, reach: float, tall: float) -> Bitmap:
    look, rng = stagehand.look, stagehand.rng
    density = min(stagehand.staging.canvas.height_px * 0.5, 500) / tall
    bitmap = np.zeros((int(tall * density), int(reach * density * 0.6), 4), np.uint8)
    _tiled_wall(bitmap, rng, step=bitmap.shape[0] * 0.04)
    part: Floats = np.linspace(0.86, 0.72, bitmap.shape[1], dtype=np.float32)[None, :, None]
    bitmap[..., :3] = (bitmap[..., :3] * part).astype(np.uint8)
    return recolour(bitmap, look.lit_matrix(gain=look.ambient, haze=0.06))
