"""Sets without a ground: high in the sky, and in space."""

import cv2
import numpy as np

from understudy.engines.previz.pictures.canvas import Bitmap, Floats, Rgb
from understudy.engines.previz.pictures.layers import Layer, Moving, Panel
from understudy.engines.previz.pictures.light import mix
from understudy.engines.previz.pictures.noise import layered_field, smoothstep
from understudy.engines.previz.pictures.raster import Raster, drawing, image_of
from understudy.engines.previz.pictures.scene import SceneSet, Stagehand
from understudy.engines.previz.pictures.sky import backdrop, cloud_bitmap, clouds, open_sky, sky_box
from understudy.engines.previz.pictures.view import View


def sky_set(stagehand: Stagehand) -> SceneSet:
    """Above a sea of clouds, with clouds drifting by on both sides."""
    d, rng, look, reach = stagehand.distance, stagehand.rng, stagehand.look, stagehand.reach
    layers: list[Layer] = [*open_sky(stagehand, ends=False), *clouds(stagehand, count=3, low=0.3, high=0.8)]
    way = float(np.sign(stagehand.wind))
    for factor, below, share in ((15.0, -1.4, 0.85), (9.0, -1.25, 0.95), (5.2, -1.05, 1.1), (2.9, -0.72, 1.2)):
        depth = factor * d
        low, high = reach.x_range(depth)
        layers.append(
            _cloud_row(
                stagehand,
                depth,
                (low, high),
                share=share,
                level=below * factor**0.55 * 0.42,
                drift=-0.05 * factor * way,
            )
        )
    for factor, row in ((1.9, 0.75), (0.62, -0.15)):
        depth = factor * d
        scale = reach.finest_scale(depth)
        low, high = reach.x_range(depth)
        wide = (high - low) * (0.42 if factor > 1 else 0.5)
        bitmap = cloud_bitmap((max(int(wide * scale * 0.5), 16), max(int(wide * scale * 0.2), 8)), look, rng)
        start = low - wide if way < 0 else high
        layers.append(
            Panel(
                bitmap=bitmap,
                left=start if factor > 1 else low - wide * 0.3,
                top=row,
                depth=depth,
                density=bitmap.shape[1] / wide,
                drift=-way * 0.3,
                opacity=0.85,
            )
        )
    return SceneSet(layers=layers, prop_depths=(1.6, 4.0), prop_side=1.2)


def _cloud_row(
    stagehand: Stagehand, depth: float, span: tuple[float, float], *, share: float, level: float, drift: float
) -> Panel:
    """A row of clouds as one strip, as long as it drifts through the film."""
    rng, look, reach = stagehand.rng, stagehand.look, stagehand.reach
    low, high = span
    travel = abs(drift) * stagehand.staging.canvas.duration_s
    low, high = low - (travel if drift > 0 else 0.0), high + (travel if drift < 0 else 0.0)
    scale = min(reach.finest_scale(depth) * 0.7 * stagehand.detail, 7000 / (high - low))
    wide = 0.5 * (span[1] - span[0]) * share
    cloud = cloud_bitmap((max(int(wide * scale), 16), max(int(wide * scale * 0.36), 8)), look, rng)
    rows = int(cloud.shape[0] * 1.3)
    strip = np.zeros((rows, max(int((high - low) * scale), 8), 4), np.uint8)
    place = -0.4 * cloud.shape[1]
    with drawing(strip) as canvas:
        while place < strip.shape[1]:
            picture = cloud if rng.random() < 0.5 else np.ascontiguousarray(cloud[:, ::-1])
            canvas.drawImage(image_of(picture), int(place), int(rng.uniform(0, rows - cloud.shape[0])))
            place += cloud.shape[1] * rng.uniform(0.5, 0.75)
    top = stagehand.staging.eye + level + 0.3 * wide * 0.36
    return Panel(bitmap=strip, left=low, top=top, depth=depth, density=scale, drift=drift)


def space(stagehand: Stagehand) -> SceneSet:
    """Stars at three depths, a nebula, a planet with a lit limb."""
    rng, look, d = stagehand.rng, stagehand.look, stagehand.distance
    box = sky_box(stagehand, ends=False)
    width, height = int((box[2] - box[0]) * stagehand.detail), int((box[3] - box[1]) * stagehand.detail)
    small = (max(width // 3, 16), max(height // 3, 16))
    hues: tuple[tuple[Rgb, Rgb], ...] = (
        ((0.42, 0.16, 0.56), (0.10, 0.34, 0.62)),
        ((0.62, 0.20, 0.34), (0.20, 0.20, 0.58)),
        ((0.10, 0.46, 0.52), (0.36, 0.18, 0.60)),
    )
    first, second = hues[int(rng.integers(len(hues)))]
    veil = layered_field(small, cells=(4, 3), octaves=5, rng=rng)
    other = layered_field(small, cells=(3, 2.4), octaves=4, rng=rng)
    ys = np.linspace(-1, 1, small[1], dtype=np.float32)[:, None]
    xs = np.linspace(-1, 1, small[0], dtype=np.float32)[None, :]
    band = np.exp(-(((ys - 0.5 * xs * np.sign(look.sun_x)) / 0.55) ** 2))
    colours: Floats = np.zeros((small[1], small[0], 3), np.float32) + np.array(look.sky[0], np.float32)
    colours += (smoothstep(0.35, 0.95, veil) * band)[..., None] * np.array(first, np.float32) * 0.75
    colours += (smoothstep(0.45, 1.0, other) * band)[..., None] * np.array(second, np.float32) * 0.7
    colours = cv2.resize(colours, (width, height), interpolation=cv2.INTER_CUBIC)
    _scatter(colours, rng, count=int(width * height / 1500))
    layers: list[Layer] = [backdrop(stagehand, np.clip(colours, 0, 1), box, ends=False)]
    layers.append(_planet(stagehand, hue=second))
    layers.extend(_near_stars(stagehand, depth, count) for depth, count in ((12 * d, 60), (4 * d, 40), (1.5 * d, 22)))
    return SceneSet(layers=layers, prop_depths=(2.0, 5.0), prop_side=1.3)


def _scatter(colours: Floats, rng: np.random.Generator, *, count: int) -> None:
    height, width = colours.shape[:2]
    xs, ys = rng.integers(0, width, count), rng.integers(0, height, count)
    bright = (rng.random(count) ** 3).astype(np.float32)
    colours[ys, xs] += bright[:, None]


def _planet(stagehand: Stagehand, *, hue: Rgb) -> Panel:
    rng, look, reach = stagehand.rng, stagehand.look, stagehand.reach
    depth = 20 * stagehand.distance
    scale = reach.finest_scale(depth)
    lead = reach.views[0]
    radius = 0.62 * min(lead.height_px, lead.width_px) / scale
    size = max(int(2.05 * radius * scale * stagehand.detail), 16)
    axis = (np.arange(size, dtype=np.float32) + 0.5) / size * 2.05 - 1.025
    xs, ys = axis[None, :], axis[:, None]
    square = xs * xs + ys * ys
    inside = np.clip((1 - np.sqrt(square)) * size / 2.05 + 0.5, 0, 1)
    depth_z = np.sqrt(np.clip(1 - square, 0, 1))
    side = float(np.sign(look.sun_x) or 1)
    light = np.clip(0.62 * side * xs - 0.50 * ys + 0.58 * depth_z, 0, 1)
    bands = layered_field((size, size), cells=(3, 9), octaves=4, rng=rng)
    base, other = (
        np.array(mix(hue, (0.9, 0.75, 0.6), 0.5), np.float32),
        np.array(mix(hue, (0.3, 0.25, 0.5), 0.4), np.float32),
    )
    surface = other + smoothstep(0.3, 0.7, bands)[..., None] * (base - other)
    colour = surface * (0.05 + 1.15 * light**0.85)[..., None]
    limb = (np.clip(square, 0, 1) ** 6 * light)[..., None] * np.array(mix(hue, (0.8, 0.95, 1.0), 0.7), np.float32)
    bitmap = np.empty((size, size, 4), np.float32)
    bitmap[..., :3] = np.clip(colour + limb * 0.8, 0, 1) * inside[..., None]
    bitmap[..., 3] = inside
    place = -side * 0.34 * lead.width_px / scale
    picture: Bitmap = look.graded((bitmap * 255).astype(np.uint8))
    top = stagehand.staging.eye + radius * (0.9 if rng.random() < 0.6 else 1.6) - 0.1 * lead.height_px / scale
    return Panel(bitmap=picture, left=place - radius * 1.025, top=top, depth=depth, density=size / (2.05 * radius))


def _near_stars(stagehand: Stagehand, depth: float, count: int) -> Layer:
    """Stars with parallax that flicker: they tell that the camera moves."""
    rng, staging = stagehand.rng, stagehand.staging
    size = max(int(staging.canvas.height_px / 110 * (1.5 * stagehand.distance / depth) ** 0.4), 3)
    axis = (np.arange(size, dtype=np.float32) + 0.5) / size * 2 - 1
    radius = np.sqrt(axis[None, :] ** 2 + axis[:, None] ** 2)
    alpha = np.clip(1 - radius, 0, 1) ** 2
    dot = stagehand.look.graded(
        (np.repeat(alpha[..., None], 4, axis=2) * np.array([240, 246, 255, 255])).astype(np.uint8)
    )
    dim = (dot * 0.55).astype(np.uint8)
    images = (image_of(dot), image_of(dim))
    places = rng.random((count, 3))

    def paint(raster: Raster, view: View) -> None:
        scale = view.scale(depth)
        wide, tall = view.width_px * 1.2, view.height_px * 1.2
        growth = scale * depth / view.focal_px
        for x, y, phase in places:
            px = (x * wide - view.x * scale + view.centre_x_px - staging.centre_x_px) % wide - 0.1 * view.width_px
            py = (
                y * tall + (view.y - staging.eye) * scale + view.horizon_px - staging.horizon_px
            ) % tall - 0.1 * view.height_px
            px = view.centre_x_px + (px - view.centre_x_px) * growth
            py = view.horizon_px + (py - view.horizon_px) * growth
            flicker = np.sin(view.time_s * (1 + 2 * phase) + 6.28 * phase) > -0.3
            raster.canvas.drawImage(images[0 if flicker else 1], round(px), round(py))

    return Moving(depth=depth, paint=paint)
