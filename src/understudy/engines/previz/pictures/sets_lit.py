"""Sets made for showing: a theatre stage and a photo studio."""

import cv2
import numpy as np

from understudy.engines.previz.pictures import ground
from understudy.engines.previz.pictures.canvas import Bitmap, Floats, Rgb
from understudy.engines.previz.pictures.layers import Layer, Moving, Panel, Shade
from understudy.engines.previz.pictures.light import recolour
from understudy.engines.previz.pictures.raster import Raster, affine
from understudy.engines.previz.pictures.scene import SceneSet, Stagehand
from understudy.engines.previz.pictures.sets_inside import Wall
from understudy.engines.previz.pictures.sets_open import lamp_glow, lay
from understudy.engines.previz.pictures.sky import backdrop, sky_box
from understudy.engines.previz.pictures.view import View


def stage_set(stagehand: Stagehand) -> SceneSet:
    """A theatre: red curtains, boards, and spotlights that search and settle."""
    d, rng, _look = stagehand.distance, stagehand.rng, stagehand.look
    wall = Wall(stagehand, 2.4 * d, (0.10, 0.06, 0.12))
    height, width = wall.bitmap.shape[:2]
    xs = np.arange(width, dtype=np.float32)[None, :] / wall.density + np.float32(wall.low)
    ys = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    folds = 0.5 + 0.5 * np.sin(xs * 15 + 0.5 * np.sin(xs * 4.0) + ys * 0.3)
    shade = (0.35 + 0.65 * folds) * (0.72 + 0.32 * ys)
    colour = np.array((0.74, 0.10, 0.14), np.float32) * shade[..., None]
    wall.bitmap[..., :3] = np.clip(colour * 255, 0, 255)
    hem = int(height - 0.10 * wall.density)
    wall.bitmap[hem : hem + max(int(0.03 * wall.density), 1), :, :3] = (214, 168, 80)
    boards = ground.planks(rng, light=(0.66, 0.44, 0.27), dark=(0.46, 0.29, 0.17), board=0.17)
    pool = _spot_pool(boards, d)
    surface, baked = lay(stagehand, pool)
    layers: list[Layer] = [surface, wall.panel(), *_tabs(stagehand, 1.5 * d), *_beams(stagehand)]
    return SceneSet(layers=layers, ground=baked, prop_depths=(1.2, 1.9), prop_side=0.9)


def _spot_pool(base: Shade, distance: float) -> Shade:
    def shade(x: Floats, z: Floats, blur: Floats) -> Floats:
        radius = np.sqrt((x / 1.15) ** 2 + ((z - distance) / (0.42 * distance)) ** 2)
        light = 0.62 + 1.25 * np.clip(1.25 - radius, 0, 1) ** 0.7
        return base(x, z, blur) * light[..., None].astype(np.float32)

    return shade


def _tabs(stagehand: Stagehand, depth: float) -> list[Layer]:
    """Side curtains nearer than the backcloth: they part as the camera moves."""
    look, reach = stagehand.look, stagehand.reach
    low, high = reach.x_range(depth)
    top = reach.y_range(depth)[1] * 1.03
    density = reach.finest_scale(depth) * stagehand.detail
    inner = stagehand.staging.half_width * 1.5 * 0.66
    layers: list[Layer] = []
    for left, right, side in ((low - 0.1, -inner, -1.0), (inner, high + 0.1, 1.0)):
        if right <= left:
            continue
        width, height = max(int((right - left) * density), 4), max(int(top * density), 4)
        xs = np.linspace(left, right, width, dtype=np.float32)[None, :]
        ys = np.linspace(0, 1, height, dtype=np.float32)[:, None]
        drawn = (0.5 * np.exp(-(((ys - 0.62) / 0.10) ** 2))) * (xs - (left if side < 0 else right)) * 0.5
        folds = 0.5 + 0.5 * np.sin((xs + drawn) * 19)
        shade = (0.30 + 0.70 * folds) * (0.7 + 0.3 * ys)
        bitmap = np.full((height, width, 4), 255, np.uint8)
        bitmap[..., :3] = np.clip(np.array((0.86, 0.12, 0.17), np.float32) * shade[..., None] * 255, 0, 255)
        edge = np.abs(xs - (right if side < 0 else left))
        swell = 0.12 * np.exp(-(((ys - 0.62) / 0.12) ** 2)) + 0.02 * np.sin(ys * 30)
        clear = edge < swell
        bitmap[np.broadcast_to(clear, bitmap.shape[:2])] = 0
        lit = recolour(bitmap, look.lit_matrix(gain=look.ambient, haze=0.0))
        layers.append(Panel(bitmap=lit, left=left, top=top, depth=depth, density=density))
    return layers


def _beams(stagehand: Stagehand) -> list[Layer]:
    look, staging = stagehand.look, stagehand.staging
    width, height = 200, 300
    xs = np.arange(width, dtype=np.float32)[None, :] / width - 0.5
    ys = np.arange(height, dtype=np.float32)[:, None] / height
    half = 0.05 + 0.36 * ys
    level = np.clip(1 - np.abs(xs) / half, 0, 1) ** 0.8 * (1 - 0.72 * ys) * np.clip((1 - ys) * 8, 0, 1)
    layers: list[Layer] = []
    tones: tuple[Rgb, ...] = ((1.0, 0.95, 0.80), (0.72, 0.80, 1.0), (1.0, 0.74, 0.86))
    for index, (tone, base, rate) in enumerate(zip(tones, (0.0, -0.34, 0.34), (0.11, 0.17, 0.14), strict=True)):
        strength = 0.42 if index == 0 else 0.26
        bitmap = np.empty((height, width, 4), np.float32)
        bitmap[..., :3] = (level * strength)[..., None] * np.array(tone, np.float32)
        bitmap[..., 3] = level * strength * 0.55
        beam = look.graded((np.clip(bitmap, 0, 1) * 255).astype(np.uint8))
        layers.append(
            _beam(
                beam, stagehand, base=base, rate=rate, phase=index * 2.1, depth=staging.distance * (1.35 + 0.1 * index)
            )
        )
    return layers


def _beam(bitmap: Bitmap, stagehand: Stagehand, *, base: float, rate: float, phase: float, depth: float) -> Layer:
    staging = stagehand.staging

    def paint(raster: Raster, view: View) -> None:
        foot_x, foot_y = view.project(base * 2.0, 0.0, depth)
        turn = -base * 0.9 + 0.10 * np.sin(2 * np.pi * rate * view.time_s + phase)
        tall = foot_y + 0.08 * staging.canvas.height_px
        scale = tall / bitmap.shape[0]
        matrix = affine(scale_x=scale * 1.15, scale_y=scale, x_px=0.0, y_px=0.0)
        matrix[0, 1] = turn * scale * 0.5
        matrix[0, 2] = foot_x - matrix[0, 0] * bitmap.shape[1] / 2 - matrix[0, 1] * bitmap.shape[0]
        matrix[1, 2] = foot_y - tall
        raster.stamp(bitmap, matrix)

    return Moving(depth=depth, paint=paint)


def studio(stagehand: Stagehand) -> SceneSet:
    """A seamless paper sweep with a pool of light."""
    rng, look, d = stagehand.rng, stagehand.look, stagehand.distance
    tones: tuple[Rgb, ...] = ((0.66, 0.78, 0.90), (0.94, 0.80, 0.66), (0.80, 0.74, 0.92), (0.70, 0.86, 0.78))
    tone = tones[int(rng.integers(len(tones)))]
    box = sky_box(stagehand, ends=False)
    width, height = int((box[2] - box[0]) * stagehand.detail), int((box[3] - box[1]) * stagehand.detail)
    xs = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    ys = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    pool = np.exp(-(xs * xs * 0.5 + (ys + 0.15) ** 2 * 1.8))
    light = np.array(look.ambient, np.float32)
    colours = np.array(tone, np.float32) * light * (0.62 + 0.50 * pool[..., None])
    row = (stagehand.staging.horizon_px - box[1]) / (box[3] - box[1]) * 2 - 1
    # The paper has no edge: where the floor ends, it has the tone of the wall.
    seam = 0.62 + 0.50 * float(np.exp(-((row + 0.15) ** 2) * 1.8)) * 0.78
    near_floor = np.clip(1 - np.abs(ys - row) / 0.45, 0, 1)[..., None] ** 1.5
    colours = colours + near_floor * (np.array(tone, np.float32) * light * np.float32(seam) - colours)
    layers: list[Layer] = [backdrop(stagehand, np.clip(colours, 0, 1), box, ends=True)]

    def shade(x: Floats, z: Floats, blur: Floats) -> Floats:
        radius = np.sqrt((x / 2.4) ** 2 + ((z - d) / (0.8 * d)) ** 2)
        level = np.float32(seam) + np.float32(1.06 - seam) * np.exp(-radius * radius)
        result: Floats = np.array(tone, np.float32) * light * level[..., None].astype(np.float32)
        return result

    surface, baked = lay(stagehand, shade, hazy=False)
    return SceneSet(
        layers=[*layers, surface, *_softboxes(stagehand)], ground=baked, prop_depths=(1.3, 2.2), prop_side=1.0
    )


def _softboxes(stagehand: Stagehand) -> list[Layer]:
    """Lamps on stands at both sides: it is a studio."""
    d, look = stagehand.distance, stagehand.look
    depth = 1.7 * d
    density = stagehand.reach.finest_scale(depth)
    tall, wide = int(1.75 * density), int(0.75 * density)
    bitmap = np.zeros((tall, wide, 4), np.uint8)
    stand = (58, 60, 68, 255)
    middle = wide // 2
    thick = max(int(wide * 0.035), 1)
    cv2.line(bitmap, (middle, int(tall * 0.3)), (middle, int(tall * 0.9)), stand, thick, cv2.LINE_AA)
    for end in (0.2, 0.8):
        cv2.line(bitmap, (middle, int(tall * 0.84)), (int(wide * end), tall - 1), stand, thick, cv2.LINE_AA)
    box = np.array(
        [[wide * 0.06, tall * 0.03], [wide * 0.94, tall * 0.06], [wide * 0.86, tall * 0.38], [wide * 0.14, tall * 0.34]]
    )
    lit = recolour(bitmap, look.lit_matrix(gain=look.ambient, haze=0.0))
    cv2.fillPoly(lit, [box.astype(np.int32)], look.ink((0.23, 0.24, 0.27)), cv2.LINE_AA)
    inner = box.mean(axis=0) + (box - box.mean(axis=0)) * 0.88
    cv2.fillPoly(lit, [inner.astype(np.int32)], look.ink((1.0, 0.99, 0.96)), cv2.LINE_AA)
    x = stagehand.staging.half_width * 1.7 * 0.80
    mirrored = np.ascontiguousarray(lit[:, ::-1])
    layers: list[Layer] = []
    for side, picture in ((-1.0, lit), (1.0, mirrored)):
        layers.append(Panel(bitmap=picture, left=side * x - 0.375, top=1.75, depth=depth, density=density))
        layers.append(
            lamp_glow(stagehand, x=side * x, y=1.38, depth=depth * 0.99, across=1.5, colour=(0.7, 0.68, 0.62))
        )
    return layers
