"""The sky: gradient, sun or moon with glow, stars, and clouds that drift in depth."""

import cv2
import numpy as np

from understudy.engines.previz.pictures.canvas import Bitmap, Floats, Rgb
from understudy.engines.previz.pictures.layers import Layer, Moving, Panel, Sky
from understudy.engines.previz.pictures.light import Look, mix, recolour
from understudy.engines.previz.pictures.noise import layered_field, smoothstep
from understudy.engines.previz.pictures.raster import Raster
from understudy.engines.previz.pictures.scene import Stagehand
from understudy.engines.previz.pictures.view import View

_LARGEST_SKY_PX = 2200


def dithered(colours: Floats, rng: np.random.Generator) -> Bitmap:
    """Float RGB 0..1 to opaque RGBA; half a step of fixed noise hides the bands of smooth gradients."""
    height, width = colours.shape[:2]
    tile = rng.random((128, 128), dtype=np.float32)
    noise = np.tile(tile, (-(-height // 128), -(-width // 128)))[:height, :width]
    result = np.full((height, width, 4), 255, np.uint8)
    result[..., :3] = np.clip(colours * 255 + noise[..., None], 0, 255)
    return result


def gradient(height_px: int, stops: tuple[Rgb, ...], places: tuple[float, ...]) -> Floats:
    """(height, 3) colours between stops at places 0 (top)..1 (bottom)."""
    rows = (np.arange(height_px, dtype=np.float32) + 0.5) / height_px
    return np.stack([np.interp(rows, places, [s[i] for s in stops]) for i in range(3)], axis=1).astype(np.float32)


def backdrop(stagehand: Stagehand, colours: Floats, box: tuple[float, float, float, float], *, ends: bool) -> Sky:
    """A sky layer from painted colours that cover a frame box (left, top, right, bottom)."""
    staging = stagehand.staging
    bitmap = recolour(dithered(colours, stagehand.rng), np.array(stagehand.look.grade))
    return Sky(
        bitmap=bitmap,
        origin_px=(box[0], box[1]),
        centre_x_px=staging.centre_x_px,
        horizon_px=staging.horizon_px,
        density=colours.shape[1] / (box[2] - box[0]),
        ends_at_horizon=ends,
    )


def sky_box(stagehand: Stagehand, *, ends: bool) -> tuple[float, float, float, float]:
    """Frame box (left, top, right, bottom) of all the sky that the camera move will show."""
    staging = stagehand.staging
    low_x, high_x, low_y, high_y = stagehand.reach.shift_range_px()
    bottom = staging.horizon_px + 4 if ends else staging.canvas.height_px + staging.horizon_px - low_y + 2
    return (
        staging.centre_x_px - high_x - 2,
        min(staging.horizon_px - high_y, 0) - 2,
        staging.canvas.width_px + staging.centre_x_px - low_x + 2,
        bottom,
    )


def open_sky(stagehand: Stagehand, *, ends: bool = True, has_sun: bool = True, has_clouds: bool = True) -> list[Layer]:
    """The sky of the hour, with its clouds."""
    look, rng, staging = stagehand.look, stagehand.rng, stagehand.staging
    box = sky_box(stagehand, ends=ends)
    density = min(1.0, _LARGEST_SKY_PX / (box[2] - box[0]))
    width, height = int((box[2] - box[0]) * density), max(int((box[3] - box[1]) * density), 8)
    horizon = (staging.horizon_px - box[1]) * density
    stops = (look.sky[0], mix(look.sky[0], look.sky[1], 0.55), look.sky[1], look.sky[2], look.haze)
    column = gradient(max(int(horizon), 8), stops, (0.0, 0.3, 0.58, 0.90, 1.0))
    if len(column) < height:
        column = np.concatenate([column, np.repeat(column[-1:], height - len(column), axis=0)])
    colours = np.repeat(column[:height, None, :], width, axis=1)
    if look.overcast > 0.2:
        _cover(colours, look, rng)
    frame = staging.canvas
    sun_x = (frame.width_px * (0.5 + 0.36 * look.sun_x) - box[0]) * density
    # Counted from the visible top, so that the sun stays in a frame of any shape.
    visible = staging.horizon_px
    sun_y = (staging.horizon_px - visible * min(look.sun_y, 0.74) - box[1]) * density
    unit = min(frame.height_px, frame.width_px) * density
    if look.stars > 0.02:
        _stars(colours[: max(int(horizon), 1)], rng, share=look.stars, unit=unit)
    if has_sun:
        _sun(colours, look, place=(sun_x, sun_y), unit=unit)
    layers: list[Layer] = [backdrop(stagehand, colours, box, ends=ends)]
    if look.stars > 0.6:
        layers.append(_twinkle(stagehand))
    if has_clouds:
        layers.extend(clouds(stagehand))
    return layers


def _cover(colours: Floats, look: Look, rng: np.random.Generator) -> None:
    """A closed cloud deck, lit from above."""
    height, width = colours.shape[:2]
    field = layered_field((width // 2, height // 2), cells=(5, 4), octaves=4, rng=rng)
    field = cv2.resize(field, (width, height), interpolation=cv2.INTER_LINEAR)
    rows = np.linspace(1, 0.25, height, dtype=np.float32)[:, None]
    relief = (field - 0.5) * np.float32(0.34 * look.overcast) * rows
    colours *= (1 + relief)[..., None]
    np.clip(colours, 0, 1, out=colours)


def _stars(colours: Floats, rng: np.random.Generator, *, share: float, unit: float) -> None:
    height, width = colours.shape[:2]
    count = int(260 * share * width * height / (unit * unit * 1.2))
    for _ in range(min(count, 1400)):
        x, y = int(rng.integers(1, max(width - 1, 2))), int(height * rng.random() ** 1.3)
        if not 1 <= y < height - 1:
            continue
        bright = float(rng.random() ** 2.2) * (1 - 0.75 * y / height)
        tone = np.array([1.0, 0.92 + 0.08 * rng.random(), 0.82 + 0.18 * rng.random()], np.float32)
        colours[y, x] += tone * bright
        if bright > 0.45 and unit > 300:
            colours[y - 1 : y + 2, x] += tone * bright * 0.35
            colours[y, x - 1 : x + 2] += tone * bright * 0.35


def _sun(colours: Floats, look: Look, *, place: tuple[float, float], unit: float) -> None:
    """Disc and halo; under a closed sky only a brighter patch stays."""
    height, width = colours.shape[:2]
    radius = unit * (0.055 if look.stars > 0.5 else 0.062)
    xs = (np.arange(width, dtype=np.float32) - place[0])[None, :]
    ys = (np.arange(height, dtype=np.float32) - place[1])[:, None]
    distance = np.sqrt(xs * xs + ys * ys)
    clear = 1 - look.overcast
    sun = np.array(look.sun, np.float32)
    is_moon = look.stars > 0.5
    strength = 0.26 if is_moon else 0.75
    halo = np.exp(-distance / (radius * 1.6)) * 0.55 + np.exp(-distance / (radius * 5.5)) * 0.42
    halo *= np.float32(strength * (0.25 + 0.75 * clear))
    colours += halo[..., None] * (sun * 1.02 - colours * 0.75)
    disc = np.clip(radius - distance + 0.5, 0, 1) * np.float32(clear)
    face: Floats = np.broadcast_to(sun, colours.shape)
    if is_moon:
        dark = sum(
            np.exp(-(((xs - dx * radius) ** 2 + (ys - dy * radius) ** 2) / (size * radius) ** 2))
            for dx, dy, size in ((-0.3, -0.2, 0.28), (0.25, 0.3, 0.34), (0.35, -0.35, 0.18), (-0.25, 0.45, 0.16))
        )
        face = sun * (1 - 0.16 * np.clip(dark, 0, 1))[..., None]
    else:
        face = np.minimum(sun * 1.1 + 0.06, 1.0) * np.ones_like(colours)
    colours += disc[..., None] * (face - colours)
    np.clip(colours, 0, 1, out=colours)


def _twinkle(stagehand: Stagehand) -> Layer:
    """A few bright stars that flicker."""
    rng, staging = stagehand.rng, stagehand.staging
    size = max(int(staging.canvas.height_px / 130), 3) | 1
    axis = np.abs(np.arange(size) - size // 2) / (size / 2)
    cross = np.exp(-((axis[None, :] * 5) ** 2) - axis[:, None] * 2.4) + np.exp(
        -((axis[:, None] * 5) ** 2) - axis[None, :] * 2.4
    )
    star = np.repeat((np.clip(cross * 0.7, 0, 1) * 235).astype(np.uint8)[..., None], 4, axis=2)
    sparks = rng.random((26, 4))

    def paint(raster: Raster, view: View) -> None:
        for x, y, phase, rate in sparks:
            level = 0.5 + 0.5 * np.sin(view.time_s * (1.2 + 2.4 * rate) + phase * 6.28)
            if level < 0.3:
                continue
            left = x * staging.canvas.width_px * 1.3 - 0.15 * staging.canvas.width_px
            left += view.centre_x_px - staging.centre_x_px
            top = y * y * staging.horizon_px * 0.8 + view.horizon_px - staging.horizon_px
            raster.blit(cv2.convertScaleAbs(star, alpha=float(level)), int(left), int(top))

    return Moving(depth=9e8, paint=paint)


def cloud_bitmap(size_px: tuple[int, int], look: Look, rng: np.random.Generator) -> Bitmap:
    """One cumulus: heaped discs broken up by noise, bright above and on the sun's side, shaded below."""
    width, height = size_px
    xs = ((np.arange(width, dtype=np.float32) + 0.5) / width)[None, :]
    ys = ((np.arange(height, dtype=np.float32) + 0.5) / height)[:, None]
    aspect = width / height
    body: Floats = np.zeros((height, width), np.float32)
    shade: Floats = np.zeros((height, width), np.float32)
    for index in range(13):
        # Evenly spread with some disorder, so that a cloud never falls apart.
        place = 0.16 + 0.68 * ((index * 5) % 13 + rng.uniform(0.0, 1.0)) / 13
        dome = 1 - (2 * place - 1) ** 2
        radius = rng.uniform(0.15, 0.25) * (0.55 + 0.6 * dome)
        top = 0.72 - rng.uniform(0.02, 0.38) * dome * (1.0 if index % 2 else 0.35)
        distance = np.sqrt(((xs - place) * aspect) ** 2 + (ys - top) ** 2) / (radius * 1.25)
        puff = np.clip(1.25 - distance, 0, 1)
        lit = np.clip(
            0.62 - (ys - top) / radius * 0.36 + (xs - place) * aspect / radius * 0.2 * np.sign(look.sun_x), 0, 1
        )
        shade = np.where(puff > body, lit, shade).astype(np.float32)
        body = np.maximum(body, puff).astype(np.float32)
    field = layered_field((width, height), cells=(7, 7 / aspect), octaves=3, rng=rng)
    foot = smoothstep(0.97, 0.72, ys)
    alpha = smoothstep(0.18, 0.62, body + (field - 0.5) * 0.42) * foot
    shade = cv2.GaussianBlur(shade, (0, 0), height * 0.045) * (0.86 + 0.28 * field)
    bright = mix(look.sky[2], mix(look.sun, (1.0, 1.0, 1.0), 0.4), 0.72 * (1 - 0.6 * look.overcast))
    dark = mix(look.sky[1], look.haze, 0.5)
    if look.stars > 0.5:
        bright, dark = mix(look.sky[2], look.sun, 0.16), mix(look.sky[1], look.sky[2], 0.5)
    low, high = np.array(dark, np.float32), np.array(bright, np.float32)
    colour = low + smoothstep(0.16, 0.78, shade)[..., None] * (high - low)
    result = np.empty((height, width, 4), np.float32)
    opacity = alpha * np.float32(0.94 if look.overcast < 0.5 else 0.7)
    result[..., :3] = np.clip(colour, 0, 1) * opacity[..., None]
    result[..., 3] = opacity
    return recolour((result * 255).astype(np.uint8), np.array(look.grade))


def clouds(stagehand: Stagehand, *, count: int | None = None, low: float = 0.16, high: float = 0.86) -> list[Layer]:
    """Drifting clouds, each at a depth of its own, between two heights (parts of the visible sky)."""
    look, rng, staging, reach = stagehand.look, stagehand.rng, stagehand.staging, stagehand.reach
    count = count if count is not None else (3 if look.overcast < 0.5 else 4)
    wind = stagehand.wind
    layers: list[Layer] = []
    bitmaps = [
        cloud_bitmap((int(w), int(w * 0.44)), look, rng)
        for w in rng.uniform(0.24, 0.40, min(count, 3)) * max(staging.canvas.height_px, staging.canvas.width_px) * 0.9
    ]
    for index in range(count):
        bitmap = bitmaps[index % len(bitmaps)]
        if index >= len(bitmaps):
            bitmap = np.ascontiguousarray(bitmap[:, ::-1])
        depth = staging.distance * (26 - 3 * index / max(count, 1) + rng.uniform(0, 6))
        scale = reach.finest_scale(depth)
        left_x, right_x = reach.x_range(depth)
        width = bitmap.shape[1] / scale
        slot = (index + rng.uniform(0.15, 0.85)) / count
        x = left_x - width * 0.4 + slot * (right_x - left_x)
        row = rng.uniform(1 - high, 1 - low) * staging.horizon_px - bitmap.shape[0] / 2
        # Not before the sun or moon, whose disc a cloud would cut.
        sun_x = look.sun_x * 0.36 * staging.canvas.width_px / scale
        if look.overcast < 0.5 and abs(x + width / 2 - sun_x) < width * 0.62:
            x += width * (0.9 if x + width / 2 > sun_x else -0.9)
        top = staging.eye + (staging.horizon_px - row) / scale
        speed = wind * (0.010 + 0.006 * rng.random()) * (right_x - left_x)
        layers.append(Panel(bitmap=bitmap, left=x, top=top, depth=depth, density=scale, drift=speed))
    return layers
