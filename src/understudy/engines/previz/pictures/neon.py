"""Neon signs on house fronts: tubes in bright colours, their glow, and their colours on the wet ground."""

import numpy as np
import skia

from understudy.engines.previz.pictures.canvas import Bitmap, Rgb
from understudy.engines.previz.pictures.layers import Layer, Panel
from understudy.engines.previz.pictures.light import recolour
from understudy.engines.previz.pictures.raster import drawing
from understudy.engines.previz.pictures.scene import Stagehand
from understudy.engines.previz.pictures.sprites import glow
from understudy.engines.previz.plan import Shot

TUBES: tuple[Rgb, ...] = ((1.0, 0.20, 0.62), (0.20, 0.92, 1.0), (0.72, 0.36, 1.0), (1.0, 0.62, 0.18), (0.36, 1.0, 0.56))
"""The colours of the tubes."""

_STYLES = frozenset({"cyberpunk", "neon"})
_GLYPH_STROKES = 5
_GLOW_PX = 96


def has_neon(shot: Shot) -> bool:
    """Whether a town is lit by neon."""
    return shot.style.lower() in _STYLES


def signs(stagehand: Stagehand, places: list[tuple[float, float, float]]) -> list[Layer]:
    """Upright signs. places: x, height of the foot, depth, in units."""
    layers: list[Layer] = []
    rng, look = stagehand.rng, stagehand.look
    grade = np.array(look.grade)
    for index, (x, foot, depth) in enumerate(places):
        colour = TUBES[(index + int(rng.integers(2))) % len(TUBES)]
        wide, tall = rng.uniform(0.20, 0.28), rng.uniform(0.62, 0.98)
        density = min(stagehand.reach.finest_scale(depth), 420 / tall)
        bitmap = recolour(_sign((int(wide * density), int(tall * density)), colour, rng), grade)
        halo = recolour(glow(_GLOW_PX, colour, strength=0.55, falloff=1.7), grade)
        across = tall * 2.1
        layers.append(
            Panel(
                bitmap=halo, left=x - across / 2, top=foot + tall / 2 + across / 2, depth=depth * 1.0005,
                density=_GLOW_PX / across,
            )
        )  # fmt: skip
        layers.append(Panel(bitmap=bitmap, left=x - wide / 2, top=foot + tall, depth=depth, density=density))
    return layers


def _sign(size_px: tuple[int, int], colour: Rgb, rng: np.random.Generator) -> Bitmap:
    """A dark board with a frame of tube and strokes that look like writing and are none."""
    width_px, height_px = max(size_px[0], 8), max(size_px[1], 16)
    bitmap = np.zeros((height_px, width_px, 4), np.uint8)
    tube = max(width_px * 0.055, 1.0)
    red, green, blue = (int(c * 255) for c in colour)
    pale = skia.Color(*(int((0.45 + 0.55 * c) * 255) for c in colour))
    with drawing(bitmap) as canvas:
        box = skia.Rect.MakeXYWH(tube, tube, width_px - 2 * tube, height_px - 2 * tube)
        canvas.drawRoundRect(box, tube * 2, tube * 2, skia.Paint(Color=skia.Color(18, 14, 30), AntiAlias=True))
        strokes = _strokes(width_px, height_px, rng)
        for thick, paint_colour in ((2.6, skia.Color(red, green, blue, 120)), (1.0, pale)):
            pen = skia.Paint(
                Color=paint_colour, AntiAlias=True, Style=skia.Paint.kStroke_Style, StrokeWidth=tube * thick,
                StrokeCap=skia.Paint.kRound_Cap,
            )  # fmt: skip
            canvas.drawRoundRect(box.makeInset(tube, tube), tube * 2, tube * 2, pen)
            for start, end in strokes:
                canvas.drawLine(*start, *end, pen)
    return bitmap


def _strokes(
    width_px: int, height_px: int, rng: np.random.Generator
) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """Lines of three or four made-up characters, one below the other."""
    count = int(rng.integers(3, 5))
    cell = (height_px * 0.86) / count
    result = []
    for row in range(count):
        top = height_px * 0.07 + row * cell
        for _ in range(_GLYPH_STROKES):
            is_level = rng.random() < 0.5
            x, y = rng.uniform(0.28, 0.72), rng.uniform(0.16, 0.84)
            reach = rng.uniform(0.14, 0.24)
            dx, dy = (reach, 0.0) if is_level else (0.0, reach)
            start = (float((x - dx) * width_px), float(top + (y - dy) * cell))
            end = (float((x + dx) * width_px), float(top + min(y + dy, 0.92) * cell))
            result.append((start, end))
    return result
