"""Water: its colours, rows of waves, surf, and the light on it."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from understudy.engines.previz.pictures import ground, land
from understudy.engines.previz.pictures.canvas import Bitmap, Floats, Rgb
from understudy.engines.previz.pictures.layers import Layer, Moving, Shade
from understudy.engines.previz.pictures.light import mix, recolour
from understudy.engines.previz.pictures.noise import rolling_line
from understudy.engines.previz.pictures.raster import Raster, affine
from understudy.engines.previz.pictures.scene import Stagehand
from understudy.engines.previz.pictures.view import View


def water_colours(stagehand: Stagehand) -> tuple[Rgb, Rgb, Rgb]:
    """Deep, middle and light tones of water under this sky, already lit."""
    look = stagehand.look
    grey = 0.55 * look.overcast
    deep = mix((0.02, 0.26, 0.46), (0.20, 0.28, 0.34), grey)
    light = mix((0.24, 0.66, 0.80), (0.48, 0.56, 0.60), grey)
    lit_deep: Rgb = (deep[0] * look.ambient[0], deep[1] * look.ambient[1], deep[2] * look.ambient[2])
    lit_light: Rgb = (light[0] * look.ambient[0], light[1] * look.ambient[1], light[2] * look.ambient[2])
    far = mix(look.sky[2], lit_light, 0.45)
    return lit_deep, lit_light, far


@dataclass(frozen=True, slots=True, kw_only=True)
class Swell:
    """One row of waves. height, length: of a wave in units; speed: units per second; bob: how far it heaves."""

    depth: float
    height: float
    length: float
    speed: float
    bob: float
    phase: float
    opacity: float


def _wave_strip(
    size_px: tuple[int, int], *, turns: float, colours: tuple[Rgb, Rgb, Rgb], crest: Floats, foam: float
) -> Bitmap:
    """A strip of water under a waving edge: light and foam along the crest, clearing downwards."""
    width, height = size_px
    deep, light, _ = colours
    rows = np.arange(height, dtype=np.float32)[:, None] + 0.5
    depth = (rows - crest[None, :]) / height
    alpha = land.below(crest, height) * np.clip(1.18 - np.clip(depth, 0, 1) * 1.5, 0, 1)
    part = np.exp(-np.clip(depth, 0, 1) * 5.2)[..., None]
    colour = np.array(deep, np.float32) + part * (np.array(light, np.float32) - np.array(deep, np.float32))
    edge = np.exp(-((depth * height / max(height * 0.05, 1.2)) ** 2)) * np.float32(foam)
    lip = np.clip(1 - np.gradient(crest)[None, :] * 0.0, 0, 1)
    colour = colour + (edge * lip)[..., None] * (np.minimum(np.array(light, np.float32) * 1.5 + 0.12, 1.0) - colour)
    result = np.empty((height, width, 4), np.float32)
    result[..., :3] = np.clip(colour, 0, 1) * alpha[..., None]
    result[..., 3] = alpha
    return (result * 255).astype(np.uint8)


def waves(
    stagehand: Stagehand, swells: Sequence[Swell], colours: tuple[Rgb, Rgb, Rgb], *, foam: float = 0.8
) -> list[Layer]:
    """Rows of waves that roll across and heave."""
    rng, look, reach = stagehand.rng, stagehand.look, stagehand.reach
    layers: list[Layer] = []
    for swell in swells:
        low, high = reach.x_range(swell.depth)
        density = min(reach.finest_scale(swell.depth) * stagehand.detail, 9000 / (high - low + swell.length * 2))
        count = int(np.ceil((high - low) / swell.length)) + 2
        one = max(int(swell.length * density), 6)
        height = max(int(swell.height * 2.6 * density), 5)
        turn = np.arange(one, dtype=np.float32) * np.float32(2 * np.pi / one)
        shape = (
            np.sin(turn) * 0.62
            + np.sin(2 * turn + rng.uniform(0, 6.28)) * 0.25
            + np.sin(3 * turn + rng.uniform(0, 6.28)) * 0.13
        )
        crest = (0.30 - 0.24 * shape) * height
        strip = _wave_strip((one, height), turns=1, colours=colours, crest=crest.astype(np.float32), foam=foam)
        haze = look.haze_at(swell.depth, stagehand.distance) * 0.8
        matrix = np.array(look.grade) @ _fade(look.haze, haze)
        bitmap = recolour(np.tile(strip, (1, count, 1)), matrix)
        layers.append(_row(bitmap, swell, left=low - swell.length, density=density))
    return layers


def _fade(colour: Rgb, part: float) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    matrix = np.eye(4)
    matrix[:3, :3] *= 1 - part
    matrix[:3, 3] = np.array(colour) * part
    return matrix


def _row(bitmap: Bitmap, swell: Swell, *, left: float, density: float) -> Layer:
    def paint(raster: Raster, view: View) -> None:
        offset = (swell.speed * view.time_s) % swell.length
        heave = swell.bob * np.sin(1.5 * view.time_s + swell.phase)
        scale = view.scale(swell.depth)
        x_px, y_px = view.project(left + offset, swell.height * 0.9 + heave, swell.depth)
        factor = scale / density
        raster.stamp(bitmap, affine(scale_x=factor, scale_y=factor, x_px=x_px, y_px=y_px), opacity=swell.opacity)

    return Moving(depth=swell.depth, paint=paint)


def water_shade(stagehand: Stagehand, colours: tuple[Rgb, Rgb, Rgb]) -> Shade:
    """Open water to the horizon with a path of light under sun or moon; already lit."""
    texture = ground.Texture(stagehand.rng, cells=10)
    look, d = stagehand.look, stagehand.distance
    deep, light, far = (np.array(c, np.float32) for c in colours)
    canvas, staging = stagehand.staging.canvas, stagehand.staging
    slope = (0.36 * look.sun_x) * canvas.width_px / staging.focal_px

    def shade(x: Floats, z: Floats, blur: Floats) -> Floats:
        fine = texture.sample(x, z, period=stagehand.repeat or 6.0, stretch=0.45)
        broad = texture.sample(x + 1.7, z, period=(stagehand.repeat or 6.0) * 2, stretch=0.6)
        part = np.clip(0.40 + (fine - 0.5) * 1.1 * np.clip(0.4 / (blur + 1e-6), 0, 1) + (broad - 0.5) * 0.7, 0, 1)
        colour = deep + part[..., None] * (light - deep)
        away = 1 - np.exp(-np.maximum(z / np.float32(d) - 0.7, 0) / 8)
        colour = colour + away[..., None] * (far - colour)
        path = np.exp(-(((x - slope * z) / (0.10 * z + 0.25)) ** 2)) * (1 - look.overcast)
        glint = (
            np.clip((fine - 0.45) * 3.2, 0, 1) * path * np.float32(0.55 if look.is_dark or look.sun_y < 0.3 else 0.32)
        )
        result: Floats = colour + glint[..., None] * (np.array(look.sun, np.float32) - colour)
        return result

    return shade


def glitter(stagehand: Stagehand, *, near: float, far: float) -> Layer:
    """Sparks of sunlight that flicker on the water under the sun."""
    rng, look, staging = stagehand.rng, stagehand.look, stagehand.staging
    slope = (0.36 * look.sun_x) * staging.canvas.width_px / staging.focal_px
    count = int(120 * (1 - 0.8 * look.overcast))
    inverse = rng.uniform(1 / far, 1 / near, count)
    depth = 1 / inverse
    x = slope * depth + rng.normal(0, 0.16, count) * depth
    phase = rng.uniform(0, 2 * np.pi, count)
    size = max(int(staging.canvas.height_px / 150), 3)
    spark = np.zeros((size, size * 3, 4), np.uint8)
    cv2.ellipse(
        spark, (size * 3 // 2, size // 2), (max(size, 2), max(size // 3, 1)), 0, 0, 360, (255,) * 4, -1, cv2.LINE_AA
    )
    spark = recolour(spark, np.array(look.grade) @ np.diag([*look.sun, 1.0]))
    small = np.ascontiguousarray(
        cv2.resize(spark, (max(size * 3 // 2, 2), max(size // 2, 1)), interpolation=cv2.INTER_AREA)
    )

    def paint(raster: Raster, view: View) -> None:
        for k in range(count):
            level = np.sin(view.time_s * (2.5 + 1.5 * np.sin(7 * phase[k])) + phase[k])
            if level < 0.35:
                continue
            px, py = view.project(float(x[k]), 0.0, float(depth[k]))
            if py <= view.horizon_px + 1:
                continue
            raster.blit(spark if depth[k] < stagehand.distance * 2 else small, int(px), int(py))

    return Moving(depth=stagehand.distance * 1.45, paint=paint)


def surf(stagehand: Stagehand, depth: float, *, phase: float) -> Layer:
    """A lacy line of foam that runs up the sand and back."""
    rng, look = stagehand.rng, stagehand.look
    low, high = stagehand.reach.x_range(depth * 0.9)
    density = min(stagehand.reach.finest_scale(depth * 0.9) * stagehand.detail, 6000 / (high - low))
    width, height = max(int((high - low) * density), 8), max(int(0.20 * density), 5)
    line = (0.60 + 0.22 * rolling_line(width, waves=4, octaves=4, rng=rng)) * height
    rows = np.arange(height, dtype=np.float32)[:, None]
    inside = np.clip(line[None, :] - rows + 0.5, 0, 1)
    ramp = np.clip(rows / height, 0, 1)
    edge = np.exp(-(((line[None, :] - rows) / (height * 0.10)) ** 2))
    alpha = np.clip(inside * ramp * 0.55 + edge * inside * 0.75, 0, 0.92)
    bitmap = np.empty((height, width, 4), np.float32)
    bitmap[..., :3] = alpha[..., None] * np.minimum(np.array(look.ambient, np.float32) * 1.0, 1.0)
    bitmap[..., 3] = alpha
    foam = look.graded((bitmap * 255).astype(np.uint8))

    def paint(raster: Raster, view: View) -> None:
        run = 0.5 + 0.5 * np.sin(0.9 * view.time_s + phase)
        at = depth - 0.16 * stagehand.distance * run
        scale = view.scale(at)
        x_px, y_px = view.project(low, 0.0, at)
        flat = view.y / max(at - view.z, 0.2) * 2.2
        factor = scale / density
        matrix = affine(
            scale_x=factor,
            scale_y=factor * flat * (0.8 + 0.5 * run),
            x_px=x_px,
            y_px=y_px - height * factor * flat * 0.6,
        )
        raster.stamp(foam, matrix, opacity=0.95 - 0.45 * float(run))

    return Moving(depth=depth, paint=paint)
