"""Sets by, on and under water: beach, sea, underwater, harbor, river."""

import cv2
import numpy as np

from understudy.engines.previz.pictures import ground, land
from understudy.engines.previz.pictures.canvas import Bitmap, Rgb
from understudy.engines.previz.pictures.land import Spot
from understudy.engines.previz.pictures.layers import Layer, Moving, Panel, bake_surface, islands
from understudy.engines.previz.pictures.light import dimmed, mix, recolour
from understudy.engines.previz.pictures.plants import grass_strips
from understudy.engines.previz.pictures.raster import Raster, affine
from understudy.engines.previz.pictures.rigs import rig_of
from understudy.engines.previz.pictures.scene import SceneSet, Stagehand
from understudy.engines.previz.pictures.sets_open import greens, lay, near_far
from understudy.engines.previz.pictures.sky import backdrop, gradient, open_sky, sky_box
from understudy.engines.previz.pictures.view import View
from understudy.engines.previz.pictures.water import Swell, glitter, surf, water_colours, water_shade, waves


def sea(stagehand: Stagehand) -> SceneSet:
    """Open sea: rows of waves before and behind whoever floats in it."""
    d, rng = stagehand.distance, stagehand.rng
    colours = water_colours(stagehand)
    surface, _ = lay(stagehand, water_shade(stagehand, colours), hazy=False)
    strong = 1.0 + 0.35 * max(abs(stagehand.wind) - 1, 0)
    rows = [
        Swell(
            depth=f * d,
            height=h * strong,
            length=length,
            speed=speed * np.sign(stagehand.wind),
            bob=h * 0.35 * strong,
            phase=float(rng.uniform(0, 6.28)),
            opacity=1.0,
        )
        for f, h, length, speed in (
            (9.0, 0.16, 2.6, 0.30),
            (6.0, 0.14, 2.1, 0.26),
            (4.2, 0.12, 1.7, 0.24),
            (3.0, 0.105, 1.5, 0.22),
            (2.2, 0.095, 1.3, 0.20),
            (1.65, 0.09, 1.15, 0.19),
            (1.25, 0.085, 1.0, 0.18),
            (0.94, 0.10, 1.0, 0.17),
            (0.72, 0.10, 0.9, 0.16),
            (0.55, 0.10, 0.8, 0.15),
        )
    ]
    layers: list[Layer] = [*open_sky(stagehand), surface, *waves(stagehand, rows, colours)]
    if stagehand.look.overcast < 0.7:
        layers.append(glitter(stagehand, near=1.5 * d, far=14 * d))
    return SceneSet(layers=layers, is_water=True, prop_depths=(2.4, 6.5))


def beach(stagehand: Stagehand) -> SceneSet:
    """Sand in front, surf that comes and goes, and the sea."""
    d, rng, look = stagehand.distance, stagehand.rng, stagehand.look
    colours = water_colours(stagehand)
    light: Rgb = (0.98, 0.89, 0.70)
    dark: Rgb = (0.84, 0.70, 0.50)
    sand = ground.haze_over(ground.sand(rng, light=light, dark=dark, repeat=stagehand.repeat), look, distance=d)
    wet = ground.haze_over(
        ground.plain(rng, light=(0.80, 0.70, 0.54), dark=(0.66, 0.57, 0.44), repeat=stagehand.repeat), look, distance=d
    )
    water = water_shade(stagehand, colours)
    shore = 2.15 * d
    shade = ground.band_along(sand, wet, low=shore - 0.22 * d, high=shore + 2, soft=0.35)
    shade = ground.band_along(shade, water, low=shore + 0.1 * d, high=1e6, soft=0.18)
    surface, baked = lay(stagehand, shade, hazy=False)
    ground.specks(
        stagehand,
        baked,
        colours=((1.0, 0.94, 0.86), (0.86, 0.68, 0.56), (0.74, 0.64, 0.54)),
        radius_units=0.016,
        depths=near_far(stagehand, 0.45, 1.7),
        count=60,
    )
    rows = [
        Swell(depth=f * d, height=h, length=length, speed=0.16, bob=h * 0.4, phase=f, opacity=op)
        for f, h, length, op in (
            (7.5, 0.10, 2.4, 0.8),
            (5.4, 0.10, 2.0, 0.85),
            (4.0, 0.095, 1.7, 0.9),
            (3.1, 0.09, 1.5, 0.95),
            (2.6, 0.085, 1.35, 0.95),
        )
    ]
    layers: list[Layer] = [
        *open_sky(stagehand),
        surface,
        land.hills(
            stagehand, Spot(depth=22 * d, height=1.9), light=(0.42, 0.58, 0.54), dark=(0.30, 0.46, 0.50), waves=1.2
        ),
        *waves(stagehand, rows, colours, foam=1.0),
        *[surf(stagehand, shore + k * 0.10 * d, phase=k * 2.4) for k in (0, 1)],
    ]
    if look.overcast < 0.7:
        layers.append(glitter(stagehand, near=2.5 * d, far=14 * d))
    return SceneSet(layers=layers, ground=baked, prop_depths=(1.15, 1.95), prop_side=0.9, water_from=3.2)


def underwater(stagehand: Stagehand) -> SceneSet:
    """Blue depth with rays from above, rocks in haze, weed that sways, and a sandy floor."""
    d, rng, look = stagehand.distance, stagehand.rng, stagehand.look
    box = sky_box(stagehand, ends=False)
    width, height = int((box[2] - box[0]) * stagehand.detail), int((box[3] - box[1]) * stagehand.detail)
    column = gradient(height, (look.sky[0], look.sky[1], look.haze, look.sky[2]), (0.0, 0.30, 0.55, 1.0))
    colours = np.repeat(column[:, None, :], width, axis=1)
    xs = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    ys = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    bright = np.exp(-((xs - 0.4 * look.sun_x) ** 2) * 3.0 - ys * 3.4)[..., None] * np.float32(0.42)
    colours = colours + bright * (np.array(look.sun, np.float32) - colours)
    floor = -0.42
    sand = ground.haze_over(
        ground.sand(rng, light=(0.86, 0.84, 0.66), dark=(0.56, 0.60, 0.50), repeat=stagehand.repeat),
        look,
        distance=d * 0.7,
    )
    surface, baked = bake_surface(stagehand.reach, sand, detail=stagehand.detail, repeat=stagehand.repeat, level=floor)
    baked.bitmap[:] = look.graded(baked.bitmap)
    rock: Rgb = (0.20, 0.42, 0.46)
    layers: list[Layer] = [
        backdrop(stagehand, colours, box, ends=False),
        surface,
        land.hills(
            stagehand,
            Spot(depth=9 * d, height=2.6, sunk=-floor),
            light=rock,
            dark=dimmed(rock, 0.6),
            waves=2.6,
            rough=0.05,
        ),
        land.hills(
            stagehand,
            Spot(depth=5 * d, height=1.25, sunk=-floor),
            light=(0.26, 0.44, 0.40),
            dark=(0.10, 0.26, 0.30),
            waves=3,
            rough=0.04,
        ),
        *[_weed(stagehand, factor * d, floor) for factor in (3.2, 1.9, 0.74)],
        _ray(stagehand, 1.5 * d),
    ]
    return SceneSet(layers=layers, ground=baked, prop_depths=(1.3, 3.0), floor=floor)


def _ray(stagehand: Stagehand, depth: float) -> Layer:
    """Beams that fan out from the surface and waver."""
    rng, look, staging = stagehand.rng, stagehand.look, stagehand.staging
    width, height = staging.canvas.width_px // 4, staging.canvas.height_px // 4
    xs = np.arange(width, dtype=np.float32)[None, :] / width - 0.5
    ys = np.arange(height, dtype=np.float32)[:, None] / height
    angle = (xs - 0.2 * look.sun_x) / (0.55 + ys)
    total = np.zeros((height, width), np.float32)
    for _ in range(7):
        total += np.exp(-(((angle - rng.uniform(-0.8, 0.8)) / rng.uniform(0.03, 0.10)) ** 2)) * rng.uniform(0.4, 1.0)
    level = np.clip(total, 0, 1.2) * np.clip(1 - ys * 1.26, 0, 1) ** 1.3 * np.float32(0.34)
    bitmap = np.empty((height, width, 4), np.float32)
    bitmap[..., :3] = level[..., None] * np.array(look.sun, np.float32)
    bitmap[..., 3] = level * 0.6
    rays = look.graded((np.clip(bitmap[: int(height * 0.8)], 0, 1) * 255).astype(np.uint8))
    phase = float(rng.uniform(0, 6.28))
    strength = float(np.clip(max(look.ambient) * 1.1, 0.3, 1.0))

    def paint(raster: Raster, view: View) -> None:
        sway = np.sin(0.5 * view.time_s + phase)
        scale = view.scale(depth) * depth / view.focal_px * 4.4
        x_px = view.centre_x_px - width * scale / 2 - view.x * view.scale(depth) + sway * 0.02 * view.width_px
        matrix = affine(scale_x=scale, scale_y=scale, x_px=x_px, y_px=min(view.horizon_px - staging.horizon_px, 0) - 4)
        raster.stamp(rays, matrix, opacity=strength * (0.72 + 0.28 * float(np.sin(0.9 * view.time_s + 2 * phase))))

    return Moving(depth=depth, paint=paint)


def _weed(stagehand: Stagehand, depth: float, floor: float) -> Panel:
    rng, look = stagehand.rng, stagehand.look
    spot = Spot(depth=depth, height=1.05 if depth > stagehand.distance else 0.5, sunk=-floor)

    def paint(width_px: int, height_px: int, density: float) -> Bitmap:
        bitmap = np.zeros((height_px, width_px, 4), np.uint8)
        for _ in range(int(width_px / height_px * 2.4)):
            x0 = rng.uniform(0, width_px)
            for _ in range(int(rng.integers(3, 7))):
                tall = height_px * rng.uniform(0.35, 0.96)
                x = x0 + rng.normal(0, height_px * 0.05)
                lean, curl = rng.normal(0, height_px * 0.06), rng.uniform(0, 6.28)
                tone = rng.uniform(0.7, 1.2)
                base: Rgb = (0.16, 0.56, 0.36) if rng.random() < 0.7 else (0.52, 0.40, 0.24)
                steps = np.linspace(0, 1, 9)
                points = np.stack(
                    [x + lean * steps + np.sin(steps * 5 + curl) * height_px * 0.022, height_px - tall * steps], axis=1
                )
                for k in range(8):
                    thick = max(int(height_px * 0.035 * (1 - steps[k] * 0.8)), 1)
                    shade = tuple(min(c * tone * (0.7 + 0.5 * steps[k]), 1.0) * 255 for c in base)
                    cv2.line(
                        bitmap,
                        tuple(int(v) for v in points[k]),
                        tuple(int(v) for v in points[k + 1]),
                        (*shade, 255),
                        thick,
                        cv2.LINE_AA,
                    )
        haze = look.haze_at(depth * 1.6, stagehand.distance)
        return recolour(bitmap, look.lit_matrix(gain=look.ambient, haze=haze))

    return land.upright(stagehand, spot, paint, sway=0.05)


def harbor(stagehand: Stagehand) -> SceneSet:
    """A stone quay with bollards, boats with masts at rest, and lights on the far shore."""
    d, rng, look = stagehand.distance, stagehand.rng, stagehand.look
    colours = water_colours(stagehand)
    stone = ground.haze_over(
        ground.paving(rng, light=(0.72, 0.68, 0.64), dark=(0.54, 0.51, 0.50), tile=0.5, repeat=stagehand.repeat),
        look,
        distance=d,
    )
    kerb = ground.haze_over(ground.plain(rng, light=(0.80, 0.76, 0.70), dark=(0.70, 0.66, 0.62)), look, distance=d)
    edge = 1.55 * d
    shade = ground.band_along(stone, kerb, low=edge - 0.10 * d, high=edge + 0.02, soft=0.01)
    shade = ground.band_along(shade, water_shade(stagehand, colours), low=edge, high=1e6, soft=0.01)
    surface, baked = lay(stagehand, shade, hazy=False)
    rows = [
        Swell(depth=f * d, height=0.05, length=1.2, speed=0.10, bob=0.02, phase=f, opacity=0.8)
        for f in (5.6, 4.2, 3.2, 2.5)
    ]
    town: Rgb = (0.62, 0.54, 0.52)
    layers: list[Layer] = [
        *open_sky(stagehand),
        surface,
        land.hills(stagehand, Spot(depth=22 * d, height=3.0), light=(0.46, 0.56, 0.60), dark=(0.34, 0.44, 0.52)),
        land.skyline(stagehand, Spot(depth=15 * d, height=1.9), colour=town, is_tall=False),
        *waves(stagehand, rows, colours, foam=0.35),
        *_masts(stagehand, 4.6 * d, 7),
        *_masts(stagehand, 2.7 * d, 4),
        *_bollards(stagehand, edge * 0.97),
    ]
    if look.overcast < 0.7:
        layers.append(glitter(stagehand, near=2.0 * d, far=14 * d))
    return SceneSet(layers=layers, ground=baked, prop_depths=(1.15, 1.42), prop_side=0.95, water_from=2.2)


def _masts(stagehand: Stagehand, depth: float, count: int) -> list[Layer]:
    """Fishing boats side by side: hulls, cabins, masts, stays and a lamp."""
    rng, look = stagehand.rng, stagehand.look
    hulls: tuple[Rgb, ...] = ((0.20, 0.38, 0.62), (0.74, 0.24, 0.20), (0.90, 0.88, 0.82), (0.16, 0.48, 0.44))

    def paint(width_px: int, height_px: int, density: float) -> Bitmap:
        bitmap = np.zeros((height_px, width_px, 4), np.uint8)
        step = height_px * 0.66
        total = max(int(width_px / step), 1)
        for index in range(total):
            if rng.random() < 0.22:
                continue
            x = (index + rng.uniform(0.3, 0.7)) * step
            size = height_px * rng.uniform(0.20, 0.28)
            hull = hulls[int(rng.integers(len(hulls)))]
            _boat(bitmap, x, hull_px=size, hull=hull, rng=rng, is_dark=look.is_dark)
        haze = look.haze_at(depth, stagehand.distance)
        lit = recolour(bitmap, look.lit_matrix(gain=look.ambient, haze=haze))
        if look.is_dark:
            lamps = (bitmap[..., 0] == 255) & (bitmap[..., 1] == 226) & (bitmap[..., 2] == 150)
            lit[lamps] = look.ink((1.0, 0.89, 0.59))
        return lit

    return islands(land.upright(stagehand, Spot(depth=depth, height=1.85), paint))


def _boat(bitmap: Bitmap, x: float, *, hull_px: float, hull: Rgb, rng: np.random.Generator, is_dark: bool) -> None:
    height = bitmap.shape[0]
    deck = height - hull_px * 0.55

    def fill(points: list[tuple[float, float]], colour: Rgb) -> None:
        corners = np.array([[round(px * 8), round(py * 8)] for px, py in points], np.int32)
        cv2.fillPoly(bitmap, [corners], (*(min(c, 1.0) * 254 for c in colour), 255), cv2.LINE_AA, 3)

    side = 1 if rng.random() < 0.5 else -1
    fill(
        [
            (x - side * hull_px * 1.05, deck),
            (x + side * hull_px * 1.25, deck - hull_px * 0.16),
            (x + side * hull_px * 0.85, height),
            (x - side * hull_px * 0.9, height),
        ],
        hull,
    )
    fill(
        [
            (x - side * hull_px * 1.05, deck),
            (x + side * hull_px * 1.25, deck - hull_px * 0.16),
            (x + side * hull_px * 1.18, deck + hull_px * 0.02),
            (x - side * hull_px * 1.03, deck + hull_px * 0.12),
        ],
        mix(hull, (1.0, 1.0, 1.0), 0.55),
    )
    fill(
        [
            (x - side * hull_px * 0.62, deck),
            (x - side * hull_px * 0.62, deck - hull_px * 0.62),
            (x + side * hull_px * 0.1, deck - hull_px * 0.62),
            (x + side * hull_px * 0.16, deck),
        ],
        (0.94, 0.93, 0.90),
    )
    pane: Rgb = (255 / 254, 226 / 254, 150 / 254) if is_dark else (0.36, 0.56, 0.70)
    corner = (int(x - side * hull_px * 0.50), int(deck - hull_px * 0.50))
    cv2.rectangle(
        bitmap,
        corner,
        (int(x - side * hull_px * 0.06), int(deck - hull_px * 0.26)),
        (255, 226, 150, 255) if is_dark else (*(c * 254 for c in pane), 255),
        -1,
    )
    mast = x + side * hull_px * 0.36
    top = height * rng.uniform(0.02, 0.24)
    wood = (96, 70, 52, 255)
    cv2.line(bitmap, (int(mast), int(deck)), (int(mast), int(top)), wood, max(int(hull_px * 0.05), 1), cv2.LINE_AA)
    boom = (int(mast - side * hull_px * 0.8), int(deck - hull_px * 0.75))
    cv2.line(bitmap, (int(mast), int(deck - hull_px * 0.4)), boom, wood, max(int(hull_px * 0.04), 1), cv2.LINE_AA)
    for end in (x + side * hull_px * 1.2, x - side * hull_px * 1.0):
        cv2.line(bitmap, (int(mast), int(top)), (int(end), int(deck)), (70, 60, 62, 200), 1, cv2.LINE_AA)
    if is_dark:
        cv2.circle(bitmap, (int(mast), int(top)), max(int(hull_px * 0.06), 1), (255, 226, 150, 255), -1)


def _bollards(stagehand: Stagehand, depth: float) -> list[Layer]:
    low, high = stagehand.reach.x_range(depth)
    look, d = stagehand.look, stagehand.distance
    density = stagehand.reach.finest_scale(depth)
    size = max(int(0.26 * density), 6)
    bitmap = np.zeros((size, size, 4), np.uint8)
    cv2.rectangle(bitmap, (int(size * 0.32), int(size * 0.3)), (int(size * 0.68), size), (70, 66, 74, 255), -1)
    cv2.ellipse(
        bitmap,
        (size // 2, int(size * 0.26)),
        (int(size * 0.36), int(size * 0.17)),
        0,
        0,
        360,
        (96, 92, 100, 255),
        -1,
        cv2.LINE_AA,
    )
    cv2.ellipse(
        bitmap,
        (size // 2, int(size * 0.20)),
        (int(size * 0.26), int(size * 0.09)),
        0,
        0,
        360,
        (134, 130, 138, 255),
        -1,
        cv2.LINE_AA,
    )
    lit = recolour(bitmap, look.lit_matrix(gain=look.ambient, haze=look.haze_at(depth, d)))
    layers: list[Layer] = []
    for x in np.arange(np.floor(low), high, 1.55):
        layers.append(Panel(bitmap=lit, left=float(x) + 0.4, top=0.26, depth=depth, density=density))
    return layers


def river(stagehand: Stagehand) -> SceneSet:
    """A winding river between meadows, with glints that run; for who is in a boat, the lake that it lies on."""
    if _is_boating(stagehand):
        return _lake(stagehand)
    light, dark, dry = greens(stagehand)
    d, look, rng = stagehand.distance, stagehand.look, stagehand.rng
    colours = water_colours(stagehand)
    bank = ground.haze_over(
        ground.grass(rng, light=light, dark=dark, dry=dry, repeat=stagehand.repeat), look, distance=d
    )
    mud = ground.haze_over(
        ground.plain(rng, light=(0.66, 0.58, 0.42), dark=(0.52, 0.44, 0.32), repeat=stagehand.repeat), look, distance=d
    )
    water = water_shade(stagehand, colours)
    shade = ground.band_along(bank, mud, low=1.62 * d, high=4.35 * d, soft=0.15)
    shade = ground.band_along(shade, water, low=1.74 * d, high=4.2 * d, soft=0.06)
    surface, baked = lay(stagehand, shade, hazy=False)
    rows = [
        Swell(
            depth=f * d, height=0.022, length=0.9, speed=0.5 * np.sign(stagehand.wind), bob=0.004, phase=f, opacity=0.65
        )
        for f in (4.0, 3.4, 2.9, 2.5, 2.2, 1.95)
    ]
    return SceneSet(
        layers=[
            *open_sky(stagehand),
            surface,
            land.mountains(stagehand, Spot(depth=26 * d, height=5.0), rock=(0.46, 0.54, 0.62), snow_line=0.8),
            land.hills(stagehand, Spot(depth=14 * d, height=2.4), light=mix(light, (0.46, 0.62, 0.66), 0.4), dark=dark),
            land.tree_line(stagehand, Spot(depth=6.2 * d, height=1.3), colour=dimmed(dark, 0.9), is_pine=False),
            land.hedge(stagehand, Spot(depth=4.4 * d, height=0.30), colour=dark, flowers=()),
            *waves(stagehand, rows, colours, foam=0.5),
            *grass_strips(stagehand, light=light, dark=dark)[2:],
        ],
        ground=baked,
        prop_depths=(1.15, 1.5),
        largest=1.2,
    )


def _is_boating(stagehand: Stagehand) -> bool:
    subjects = stagehand.shot.subjects
    return bool(subjects) and any(rig_of(subject.art).floats for subject in subjects[:2])


def _lake(stagehand: Stagehand) -> SceneSet:
    """Calm water all around, and a wooded shore before mountains."""
    light, dark, _dry = greens(stagehand)
    d = stagehand.distance
    colours = water_colours(stagehand)
    surface, _ = lay(stagehand, water_shade(stagehand, colours), hazy=False)
    rows = [
        Swell(
            depth=f * d, height=0.030, length=1.1, speed=0.10 * np.sign(stagehand.wind), bob=0.010, phase=2.1 * f,
            opacity=0.75,
        )
        for f in (5.2, 3.9, 3.0, 2.3, 1.8, 1.4, 1.12, 0.95, 0.76, 0.6)
    ]  # fmt: skip
    blue: Rgb = (0.46, 0.62, 0.66)
    layers: list[Layer] = [
        *open_sky(stagehand),
        surface,
        land.mountains(stagehand, Spot(depth=26 * d, height=5.6), rock=(0.46, 0.54, 0.62), snow_line=0.72),
        land.hills(stagehand, Spot(depth=14 * d, height=2.6), light=mix(light, blue, 0.4), dark=dark),
        land.tree_line(stagehand, Spot(depth=8.4 * d, height=1.5), colour=dimmed(dark, 0.9), is_pine=True),
        land.hedge(stagehand, Spot(depth=8.0 * d, height=0.34), colour=dark, flowers=()),
        *waves(stagehand, rows, colours, foam=0.25),
    ]
    if stagehand.look.overcast < 0.7:
        layers.append(glitter(stagehand, near=1.5 * d, far=7 * d))
    return SceneSet(layers=layers, is_water=True, prop_depths=(2.4, 6.0), largest=0.0)
