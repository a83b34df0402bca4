"""Upright bands of landscape: hills, mountains, dunes, tree lines, hedges, walls, and the skyline of a city."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from understudy.engines.previz.pictures.canvas import Bitmap, Floats, Rgb
from understudy.engines.previz.pictures.layers import Panel, crown_of
from understudy.engines.previz.pictures.light import Look, dimmed, mix, recolour, times
from understudy.engines.previz.pictures.noise import (
    jagged_line,
    layered_field,
    ridged_field,
    rolling_line,
    smoothstep,
)
from understudy.engines.previz.pictures.scene import Stagehand
from understudy.engines.previz.pictures.seasons import foliage, is_snowy, snowed

_WIDEST_PX = 12000
# How thick snow lies, in units and at most as a share of what it lies on.
_SNOW_UNITS, _SNOW_SHARE = 0.10, 0.05
_LAMPLIGHT: tuple[Rgb, ...] = ((1.0, 0.84, 0.50), (1.0, 0.93, 0.72), (0.72, 0.88, 1.0))
PaintBand = Callable[[int, int, float], Bitmap]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where a band stands: its depth in units, its height in units, and how deep its foot is sunk."""

    depth: float
    height: float
    sunk: float = 0.0


def upright(stagehand: Stagehand, spot: Spot, paint: PaintBand, *, detail: float = 1.0, sway: float = 0.0) -> Panel:
    """A band across all that the move sees at a depth.

    paint: (width_px, height_px, pixels per unit) -> premultiplied bitmap whose last row is the foot.
    """
    low, high = stagehand.reach.x_range(spot.depth)
    margin = (high - low) * 0.02 + abs(sway)
    low, high = low - margin, high + margin
    density = stagehand.reach.finest_scale(spot.depth) * detail * stagehand.detail
    density = min(density, _WIDEST_PX / (high - low))
    width, height = max(int((high - low) * density), 8), max(int(spot.height * density), 4)
    bitmap = paint(width, height, density)
    if is_snowy(stagehand.shot):
        thick_px = density * min(_SNOW_UNITS, spot.height * _SNOW_SHARE)
        bitmap = snowed(bitmap, ambient=stagehand.look.ambient, thick_px=thick_px)
    crown = None if sway else crown_of(bitmap)
    return Panel(
        bitmap=bitmap, crown=crown, left=low, top=spot.height - spot.sunk, depth=spot.depth, density=density, sway=sway
    )


def below(line: Floats, height_px: int) -> Floats:
    """Coverage 0..1 of everything below a line of rows, antialiased: (height, len(line))."""
    rows = np.arange(height_px, dtype=np.float32)[:, None] + 0.5
    result: Floats = np.clip(rows - line[None, :] + 0.5, 0, 1)
    return result


def covered(colour: Floats, alpha: Floats, look: Look, *, haze: float) -> Bitmap:
    """Float RGB and coverage to a premultiplied bitmap under light, haze and grade."""
    result = np.empty((*alpha.shape, 4), np.float32)
    np.multiply(np.clip(colour, 0, 1), alpha[..., None], out=result[..., :3])
    result[..., 3] = alpha
    return recolour((result * 255).astype(np.uint8), look.lit_matrix(gain=look.ambient, haze=haze))


def hills(stagehand: Stagehand, spot: Spot, *, light: Rgb, dark: Rgb, waves: float = 2.5, rough: float = 0.0) -> Panel:
    """Rolling hills, lit on their sunny side, misty at the foot."""
    look, rng = stagehand.look, stagehand.rng

    def paint(width_px: int, height_px: int, density: float) -> Bitmap:
        line = rolling_line(width_px, waves=waves, octaves=4, rng=rng, gain=0.34)
        if rough:
            line = line + rolling_line(width_px, waves=waves * 30, octaves=3, rng=rng) * np.float32(rough)
        crest = (0.46 - 0.40 * np.clip(line, -1.1, 1.1)) * height_px
        alpha = below(crest, height_px)
        slope = np.gradient(cv2.GaussianBlur(crest[None, :], (0, 0), max(width_px * 0.004, 1))[0]) * 2.2
        rows = np.arange(height_px, dtype=np.float32)[:, None]
        depth = np.clip((rows - crest[None, :]) / height_px, 0, 1)
        field = _texture(width_px, height_px, rng, cells=9, octaves=4)
        sunny = 0.5 - np.clip(slope, -1, 1)[None, :] * np.float32(np.sign(look.sun_x) * -0.5) * np.exp(-depth * 3.5)
        part = np.clip(sunny * 0.7 + 0.22 - depth * 0.55 + (field - 0.5) * 0.42, 0, 1)
        colour = _between(dark, light, part)
        haze = look.haze_at(spot.depth, stagehand.distance)
        return _misty(covered(colour, alpha, look, haze=haze), look, depth_from=crest, strength=0.35 + 0.4 * haze)

    return upright(stagehand, spot, paint, detail=0.8)


def mountains(stagehand: Stagehand, spot: Spot, *, rock: Rgb, snow_line: float = 0.45, peaks: int = 5) -> Panel:
    """Peaks of rock with faces in sun and shade, and snow above a line (part of the height; 1 = none)."""
    look, rng = stagehand.look, stagehand.rng

    def paint(width_px: int, height_px: int, density: float) -> Bitmap:
        line = jagged_line(width_px, peaks=peaks, octaves=6, rng=rng)
        crest = (1 - np.clip(line * 1.12, 0.04, 0.985)) * height_px
        alpha = below(crest, height_px)
        rows = np.arange(height_px, dtype=np.float32)[:, None]
        depth = np.clip((rows - crest[None, :]) / height_px, 0, 1)
        across = max(width_px / height_px, 1) * 3.2
        # Faces lean with depth below the crest, so ridges run down from the peaks.
        lean = cv2.GaussianBlur(crest[None, :], (0, 0), height_px * 0.02)[0]
        slope = np.gradient(lean)[None, :] * np.exp(-depth * 4.2)
        relief = ridged_field((width_px, height_px), cells=(across, 3.2), octaves=5, rng=rng)
        step = max(int(height_px * 0.008), 1)
        facing = (np.roll(relief, -step, axis=1) - np.roll(relief, step, axis=1)) * 3.4
        side = np.float32(np.sign(look.sun_x) or 1)
        light = np.clip(0.46 + side * (slope * 0.42 + facing * 0.55) + (relief - 0.6) * 0.3, 0, 1)
        colour = _between(dimmed(rock, 0.42), dimmed(rock, 1.22), light)
        level = 1 - rows / height_px + (relief - 0.55) * 0.34
        caps = smoothstep(snow_line, snow_line + 0.05, np.broadcast_to(level, light.shape) - facing * side * -0.05)
        white = _between((0.55, 0.65, 0.86), (1.0, 1.0, 1.0), np.clip(light * 1.35, 0, 1))
        colour = colour + caps[..., None] * (white - colour)
        haze = look.haze_at(spot.depth, stagehand.distance)
        return _misty(covered(colour, alpha, look, haze=haze), look, depth_from=None, strength=0.75)

    return upright(stagehand, spot, paint, detail=0.85)


def dunes(stagehand: Stagehand, spot: Spot, *, light: Rgb, dark: Rgb, waves: float = 2.0) -> Panel:
    """Sand dunes with a sharp crest between the sunny and the shaded flank."""
    look, rng = stagehand.look, stagehand.rng

    def paint(width_px: int, height_px: int, density: float) -> Bitmap:
        line = rolling_line(width_px, waves=waves, octaves=2, rng=rng, gain=0.4)
        crest = (0.48 - 0.42 * np.clip(line, -1.1, 1.1)) * height_px
        alpha = below(crest, height_px)
        rows = np.arange(height_px, dtype=np.float32)[:, None]
        depth = (rows - crest[None, :]) / height_px
        slope = np.gradient(crest) * 2.0
        turn = np.interp(np.arange(width_px), np.arange(width_px), slope).astype(np.float32)
        wander = rolling_line(width_px, waves=waves * 3, octaves=2, rng=rng) * 0.10
        shade = smoothstep(-0.14, 0.14, np.broadcast_to(turn[None, :] * np.sign(look.sun_x), depth.shape) + 0.0 * depth)
        flank = np.clip(1 - depth * 2.6 + wander[None, :], 0, 1)
        ripples = np.sin(depth * height_px / max(density * 0.05, 2.0) + wander[None, :] * 40) * 0.02
        part = np.clip(0.72 - 0.62 * (1 - shade) * flank - 0.2 * np.clip(depth, 0, 1) + ripples, 0, 1)
        haze = look.haze_at(spot.depth, stagehand.distance)
        colour = _between(dark, light, part.astype(np.float32))
        return _misty(covered(colour, alpha, look, haze=haze), look, depth_from=None, strength=0.15)

    return upright(stagehand, spot, paint, detail=0.9)


def tree_line(stagehand: Stagehand, spot: Spot, *, colour: Rgb, is_pine: bool, density_of_trees: float = 1.0) -> Panel:
    """A row of distant trees, each a crown or a spire with light on its sunny side."""
    look, rng = stagehand.look, stagehand.rng

    def paint(width_px: int, height_px: int, density: float) -> Bitmap:
        bitmap = np.zeros((height_px, width_px, 4), np.uint8)
        side = np.sign(look.sun_x) or 1
        step = height_px * (0.30 if is_pine else 0.42) / density_of_trees
        count = min(int(width_px / step) + 2, 600)
        order = rng.permutation(count)
        leaves = (colour,) if is_pine else foliage(stagehand.shot, colour)
        for index in order:
            x = (index + rng.uniform(-0.4, 0.4)) * step
            tall = height_px * rng.uniform(0.55, 0.97)
            tone = rng.uniform(0.82, 1.12)
            draw = _pine if is_pine else _crown
            leaf = leaves[int(index) * 7 % len(leaves)]
            draw(bitmap, x, tall, colour=dimmed(leaf, tone), side=float(side), rng=rng)
        haze = look.haze_at(spot.depth, stagehand.distance)
        return _misty(
            recolour(bitmap, look.lit_matrix(gain=look.ambient, haze=haze)), look, depth_from=None, strength=0.3
        )

    return upright(stagehand, spot, paint, detail=0.9)


def _pine(bitmap: Bitmap, x: float, tall: float, *, colour: Rgb, side: float, rng: np.random.Generator) -> None:
    height = bitmap.shape[0]
    half = tall * rng.uniform(0.17, 0.23)
    for tier in range(4):
        top = height - tall * (1 - 0.20 * tier)
        foot = height - tall * (0.62 - 0.20 * tier) if tier < 3 else height - tall * 0.06
        spread = half * (0.42 + 0.2 * tier)
        tone = 0.78 + 0.09 * (3 - tier)
        _triangle(bitmap, [(x, top), (x - spread, foot), (x + spread, foot)], dimmed(colour, tone))
        lit = [(x, top), (x + side * spread * 0.15, foot), (x + side * spread, foot)]
        _triangle(bitmap, lit, dimmed(colour, tone * 1.22))


def _crown(bitmap: Bitmap, x: float, tall: float, *, colour: Rgb, side: float, rng: np.random.Generator) -> None:
    height = bitmap.shape[0]
    radius = tall * 0.36
    base = height - tall * 0.34
    for tone, shift, size in ((0.74, 0.0, 1.0), (0.92, 0.16, 0.86), (1.12, 0.34, 0.58), (1.25, 0.46, 0.34)):
        centre = (round((x + side * shift * radius) * 8), round((base - radius * (0.7 + shift)) * 8))
        axes = (round(radius * size * 8), round(radius * size * 9))
        shade = tuple(min(c * tone, 1.0) * 255 for c in colour)
        cv2.ellipse(bitmap, centre, axes, 0, 0, 360, (*shade, 255), -1, cv2.LINE_AA, 3)
    foot = dimmed(colour, 0.6)
    cv2.rectangle(
        bitmap,
        (round(x - tall * 0.5), round(base - radius * 0.25)),
        (round(x + tall * 0.5), height),
        (*(c * 255 for c in foot), 255),
        -1,
    )


def _triangle(bitmap: Bitmap, points: list[tuple[float, float]], colour: Rgb) -> None:
    corners = np.array([[round(px * 8), round(py * 8)] for px, py in points], np.int32)
    shade = tuple(min(c, 1.0) * 255 for c in colour)
    cv2.fillPoly(bitmap, [corners], (*shade, 255), cv2.LINE_AA, 3)


def skyline(stagehand: Stagehand, spot: Spot, *, colour: Rgb, is_tall: bool = True) -> Panel:
    """City blocks with rows of windows; in the dark many are lit."""
    look, rng = stagehand.look, stagehand.rng

    def paint(width_px: int, height_px: int, density: float) -> Bitmap:
        haze = look.haze_at(spot.depth, stagehand.distance)
        bitmap = np.zeros((height_px, width_px, 4), np.uint8)
        x = -rng.uniform(0, 0.2) * height_px
        while x < width_px:
            block = height_px * rng.uniform(0.14, 0.30)
            tall = height_px * (rng.uniform(0.34, 0.72) if rng.random() < 0.72 else rng.uniform(0.74, 0.98))
            tall = tall if is_tall else tall * 0.6
            tone = mix(dimmed(colour, rng.uniform(0.8, 1.15)), (0.55, 0.60, 0.72), rng.uniform(0, 0.35))
            _tower(bitmap, (x, block, tall), tone, look=look, rng=rng, haze=haze)
            x += block * rng.uniform(0.86, 1.22)
        return _misty(bitmap, look, depth_from=None, strength=0.2 + 0.3 * haze)

    return upright(stagehand, spot, paint, detail=1.0)


def _tower(
    bitmap: Bitmap,
    box: tuple[float, float, float],
    tone: Rgb,
    *,
    look: Look,
    rng: np.random.Generator,
    haze: float,
) -> None:
    """One block of a skyline: (left, width, height) in pixels, standing on the bitmap's last row."""
    matrix = look.lit_matrix(gain=look.ambient, haze=haze)
    height = bitmap.shape[0]
    x, wide, tall = box
    width, top = int(wide), int(height - tall)
    face = np.empty((max(height - top, 4), max(width, 4), 4), np.uint8)
    face[..., 3] = 255
    rows = np.linspace(1.1, 0.74, face.shape[0], dtype=np.float32)[:, None]
    side = np.linspace(-1, 1, face.shape[1], dtype=np.float32)[None, :] * np.float32(np.sign(look.sun_x) or 1)
    plane = np.where(side > 0.35, 1.12, 0.92) * rows
    face[..., :3] = np.clip(plane[..., None] * np.array(tone, np.float32) * 255, 0, 255)
    cell_w = max(face.shape[1] / max(round(face.shape[1] / (height * 0.036)), 2), 3.0)
    cell_h = max(height * 0.045, 4.0)
    columns, lines = int(face.shape[1] / cell_w), int(face.shape[0] / cell_h)
    is_band = rng.random() < 0.3
    glass = np.array(look.ink(mix(look.sky[1], (0.32, 0.44, 0.60), 0.5))[:3], np.float32)
    face[:] = recolour(face, matrix)
    share = 0.50 * look.glow + 0.02
    lit_any = rng.random((max(lines, 1), max(columns, 1)))
    hues = rng.integers(0, 3, lit_any.shape)
    for line in range(1, lines):
        for column in range(columns):
            left, right = int(column * cell_w + cell_w * 0.24), int((column + 1) * cell_w - cell_w * 0.18)
            if is_band:
                left, right = int(column * cell_w), int((column + 1) * cell_w)
            upper = int(line * cell_h)
            lower = int(upper + cell_h * (0.5 if is_band else 0.62))
            if lit_any[line, column] < share:
                light = mix(
                    dimmed(_LAMPLIGHT[hues[line, column]], 0.72 + 0.28 * lit_any[line, column]), look.haze, haze * 0.45
                )
                face[upper:lower, left:right] = look.ink(light)
            else:
                base = face[upper:lower, left:right, :3]
                face[upper:lower, left:right, :3] = base * 0.66 + glass * (0.22 if look.is_dark else 0.34) * (1 - haze)
    left, right = max(int(x), 0), min(int(x) + face.shape[1], bitmap.shape[1])
    if right <= left:
        return
    bitmap[top:, left:right] = face[: height - top, left - int(x) : right - int(x)]
    if tall > height * 0.72:
        mast = int(x + wide / 2)
        if 1 <= mast < bitmap.shape[1] - 1:
            bitmap[max(top - int(height * 0.08), 0) : top, mast] = bitmap[top, min(mast, right - 1)]


def hedge(stagehand: Stagehand, spot: Spot, *, colour: Rgb, flowers: tuple[Rgb, ...]) -> Panel:
    """A clipped hedge with leaves, and flowers in it."""
    look, rng = stagehand.look, stagehand.rng

    def paint(width_px: int, height_px: int, density: float) -> Bitmap:
        crest = (
            0.13 + 0.07 * rolling_line(width_px, waves=max(width_px / height_px, 2) * 0.8, octaves=5, rng=rng)
        ) * height_px
        alpha = below(crest, height_px)
        leaves = _texture(width_px, height_px, rng, cells=14, octaves=4)
        rows = np.linspace(1, 0, height_px, dtype=np.float32)[:, None]
        part = np.clip(rows * 0.8 + (leaves - 0.5) * 0.9 + 0.05, 0, 1)
        colour_field = _between(dimmed(colour, 0.45), dimmed(colour, 1.2), part)
        bitmap = covered(colour_field, alpha, look, haze=look.haze_at(spot.depth, stagehand.distance))
        for _ in range(int(width_px / height_px * 26) if flowers else 0):
            x = rng.uniform(0, width_px)
            y = rng.uniform(0.24, 0.9) * height_px
            tone = times(flowers[int(rng.integers(len(flowers)))], look.ambient)
            shade = look.ink(tone)
            cv2.circle(
                bitmap,
                (int(x * 8), int(y * 8)),
                max(int(height_px * rng.uniform(0.014, 0.03) * 8), 8),
                shade,
                -1,
                cv2.LINE_AA,
                3,
            )
        return bitmap

    return upright(stagehand, spot, paint)


def _texture(width_px: int, height_px: int, rng: np.random.Generator, *, cells: float, octaves: int) -> Floats:
    """Noise whose cells are as wide as high."""
    return layered_field(
        (width_px, height_px), cells=(max(cells * width_px / height_px * 0.5, 2), cells * 0.5), octaves=octaves, rng=rng
    )


def _between(dark: Rgb, light: Rgb, part: Floats) -> Floats:
    first, second = np.array(dark, np.float32), np.array(light, np.float32)
    return first + part[..., None].astype(np.float32) * (second - first)


def _misty(bitmap: Bitmap, look: Look, *, depth_from: Floats | None, strength: float) -> Bitmap:
    """Fade the lower half towards the haze: bands of land lie behind one another in mist."""
    height = bitmap.shape[0]
    rows = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    if depth_from is not None:
        rows = np.clip((np.arange(height, dtype=np.float32)[:, None] - depth_from[None, :]) / height, 0, 1)
    part = (rows**1.6 * np.float32(strength * look.haziness))[..., None]
    haze = np.clip(np.array(look.grade)[:3] @ np.array([*look.haze, 1.0]), 0, 1).astype(np.float32)
    alpha = bitmap[..., 3:].astype(np.float32)
    result = bitmap.copy()
    colour = bitmap[..., :3].astype(np.float32)
    result[..., :3] = colour + part * (haze * alpha - colour)
    return result
