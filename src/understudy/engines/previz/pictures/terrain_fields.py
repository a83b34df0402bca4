"""The shapes of land as height fields: mountains, dunes, canyons, islands, craters. All repeat after ``PERIOD_UNITS``.

A field is (``FIELD_PX``, ``FIELD_PX``) float32 heights in units; its left edge meets its right one and its top its
bottom, so that a camera can fly on for ever. Noise is drawn on grids that do not depend on the film's size: a draft
and its final fly over one land.
"""

from collections.abc import Callable

import cv2
import numpy as np

from understudy.engines.previz.pictures.canvas import Floats
from understudy.engines.previz.pictures.noise import smoothstep

FIELD_PX = 1024
PERIOD_UNITS = 36.0
Shape = Callable[[np.random.Generator], Floats]


def wrapped(field: Floats, margin_px: int) -> Floats:
    """A periodic field with a margin of what comes next on all sides."""
    return cv2.copyMakeBorder(field, margin_px, margin_px, margin_px, margin_px, cv2.BORDER_WRAP)


def blurred(field: Floats, sigma_px: float) -> Floats:
    """Blur a periodic field; wide blurs are computed on a smaller copy."""
    factor = max(int(sigma_px / 3), 1)
    while field.shape[0] % factor:
        factor -= 1
    small = cv2.resize(field, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA) if factor > 1 else field
    margin = min(int(3 * sigma_px / factor) + 2, small.shape[0])
    soft = cv2.GaussianBlur(wrapped(small, margin), (0, 0), sigma_px / factor)
    if factor == 1:
        return np.ascontiguousarray(soft[margin:-margin, margin:-margin])
    held = margin - 2
    soft = np.ascontiguousarray(soft[held : soft.shape[0] - held, held : soft.shape[1] - held])
    large = cv2.resize(soft, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(large[2 * factor : -2 * factor, 2 * factor : -2 * factor])


def octave(cells: int, rng: np.random.Generator, *, size_px: int = FIELD_PX) -> Floats:
    """One octave of value noise, about 0..1. cells: a power of two, at most ``size_px``."""
    grid = wrapped(rng.random((cells, cells), dtype=np.float32), 2 if cells > 1 else 1)
    margin = 2 if cells > 1 else 1
    step = size_px // cells
    large = cv2.resize(grid, None, fx=step, fy=step, interpolation=cv2.INTER_CUBIC)
    cut = margin * step
    return np.ascontiguousarray(large[cut : cut + size_px, cut : cut + size_px])


def rough(cells: int, octaves: int, rng: np.random.Generator, *, gain: float = 0.5) -> Floats:
    """Several octaves of noise, about 0..1 around 0.5."""
    total, weight, weights = np.zeros((FIELD_PX, FIELD_PX), np.float32), 1.0, 0.0
    for index in range(octaves):
        total += np.float32(weight) * octave(min(cells << index, FIELD_PX), rng)
        weights += weight
        weight *= gain
    result: Floats = (total / np.float32(weights) - np.float32(0.5)) * np.float32(1.5) + np.float32(0.5)
    return result


def ridged(cells: int, octaves: int, rng: np.random.Generator, *, gain: float = 0.5) -> Floats:
    """Crests that branch into smaller crests, about 0..1.

    Each octave is weighed by the one before it, so that flanks are rough and valleys smooth. Source: Musgrave's ridged
    multifractal, in "Texturing and Modeling: A Procedural Approach".
    """
    total = np.zeros((FIELD_PX, FIELD_PX), np.float32)
    carry: Floats = np.ones((FIELD_PX, FIELD_PX), np.float32)
    weight, weights = 1.0, 0.0
    for index in range(octaves):
        crest = 1 - np.abs(2 * octave(min(cells << index, FIELD_PX), rng) - 1)
        crest *= crest * carry
        total += np.float32(weight) * crest
        carry = np.clip(crest * np.float32(1.9), 0, 1)
        weights += weight
        weight *= gain
    return total / np.float32(weights * 0.72)


def bent(field: Floats, rng: np.random.Generator, *, cells: int, reach_px: float) -> Floats:
    """The field pushed about by noise: straight lines begin to wander."""
    rows, columns = np.mgrid[0:FIELD_PX, 0:FIELD_PX].astype(np.float32)
    push = np.float32(2 * reach_px)
    map_x = columns + (rough(cells, 2, rng) - np.float32(0.5)) * push
    map_y = rows + (rough(cells, 2, rng) - np.float32(0.5)) * push
    return cv2.remap(field, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)


def alps(rng: np.random.Generator) -> Floats:
    """Ranges of sharp peaks with valleys between them."""
    crests = bent(ridged(4, 7, rng, gain=0.56), rng, cells=8, reach_px=40)
    massif = smoothstep(0.22, 0.66, bent(rough(4, 3, rng), rng, cells=8, reach_px=20))
    foothills = 0.42 * rough(16, 5, rng)
    height = 0.12 + foothills + 4.1 * crests**1.1 * (0.25 + 0.75 * massif)
    return height.astype(np.float32)


def hills(rng: np.random.Generator) -> Floats:
    """Rolling land, with rivers where it is lowest."""
    land = bent(rough(4, 6, rng, gain=0.42), rng, cells=4, reach_px=30)
    course = np.abs(bent(rough(2, 3, rng), rng, cells=8, reach_px=20) - 0.5)
    bed = smoothstep(0.0, 0.11, course)
    return (0.04 + 2.6 * np.clip(land, 0, 1) ** 1.3 * (0.12 + 0.88 * bed) + 0.25 * (bed - 0.5)).astype(np.float32)


def plains(rng: np.random.Generator) -> Floats:
    """Land that is nearly flat, as for fields."""
    return (0.2 + 0.7 * blurred(rough(4, 3, rng), 6.0)).astype(np.float32)


def dunes(rng: np.random.Generator) -> Floats:
    """Dunes: long slopes to windward, steep ones to leeward, crests that wander."""
    rows, columns = np.mgrid[0:FIELD_PX, 0:FIELD_PX].astype(np.float32) / np.float32(FIELD_PX)
    total = np.zeros((FIELD_PX, FIELD_PX), np.float32)
    for waves_x, waves_y, high in ((9, 2, 1.0), (14, -3, 0.5), (5, 4, 0.7)):
        wander = (rough(4, 3, rng) - np.float32(0.5)) * np.float32(2.6)
        phase = (columns * waves_x + rows * waves_y + wander) % 1.0
        wave = np.where(phase < 0.72, phase / 0.72, (1 - phase) / 0.28)
        total += np.float32(high) * (wave * wave * (3 - 2 * wave)).astype(np.float32) * rough(4, 2, rng)
    return blurred(total * np.float32(1.15), 1.6) + np.float32(0.5) * rough(2, 3, rng)


def canyon(rng: np.random.Generator) -> Floats:
    """A plateau cut by gorges with stepped walls, a river at the bottom."""
    course = np.abs(bent(rough(2, 4, rng, gain=0.5), rng, cells=8, reach_px=34) - 0.5) * 2
    side = np.abs(bent(rough(8, 4, rng), rng, cells=16, reach_px=16) - 0.5) * 2
    depth = np.minimum(course * 3.4, 0.35 + side * 2.6 + course * 1.2)
    level = np.clip(depth + (rough(16, 4, rng) - 0.5) * 0.22, 0, 1)
    steps = level * 6
    tread = np.floor(steps)
    stepped = (tread + smoothstep(0.55, 1.0, steps - tread)) / 6
    top = 0.35 * np.clip(rough(4, 5, rng), 0, 1) * smoothstep(0.8, 1.0, level)
    return (3.3 * (0.82 * stepped + 0.18 * level) + top).astype(np.float32)


def islands(rng: np.random.Generator) -> Floats:
    """Hills that stand out of a sea at height 0.55; their feet run out into shallows."""
    base = bent(rough(8, 3, rng, gain=0.36), rng, cells=16, reach_px=22)
    crests = bent(ridged(16, 5, rng), rng, cells=16, reach_px=16)
    land = smoothstep(0.60, 0.92, base)
    return (0.05 + 0.62 * smoothstep(0.30, 0.62, base) + land * (0.25 + 1.7 * crests)).astype(np.float32)


def volcano(rng: np.random.Generator) -> Floats:
    """One great cone with a crater, gullies down its sides, and dark land about it."""
    rows, columns = np.mgrid[0:FIELD_PX, 0:FIELD_PX].astype(np.float32)
    middle = FIELD_PX / 2
    away = np.hypot(rows - middle, columns - middle) * np.float32(PERIOD_UNITS / FIELD_PX)
    angle = np.arctan2(rows - middle, columns - middle)
    gully = np.zeros_like(away)
    for turns in (9, 17, 31):
        gully += np.sin(angle * turns + rng.uniform(0, 6.28) + 2.2 * rough(8, 2, rng)) / np.float32(turns**0.5)
    cone = 5.6 * np.exp(-away / 2.9)
    rim = 0.95
    bowl = np.where(away < rim, 5.6 * np.exp(-rim / 2.9) - 1.25 * (1 - (away / rim) ** 2), cone)
    flank = smoothstep(0.8, 2.0, away) * smoothstep(9.0, 3.0, away)
    lowland = 1.5 * ridged(8, 6, rng) * smoothstep(3.0, 9.0, away)
    height: Floats = 0.2 + bowl + 0.10 * gully * flank + lowland + 0.10 * rough(32, 4, rng)
    return height.astype(np.float32)


def cratered(rng: np.random.Generator) -> Floats:
    """A plain of craters of all sizes: bowl, raised rim, sometimes a peak in the middle."""
    field = 0.9 * rough(4, 7, rng, gain=0.46)
    metre = FIELD_PX / PERIOD_UNITS
    for radius in sorted((0.16 * (1 - rng.random(320)) ** -0.66).clip(0.16, 3.4), reverse=True):
        reach = int(radius * 1.9 * metre) + 1
        x, y = int(rng.integers(FIELD_PX)), int(rng.integers(FIELD_PX))
        axis = np.arange(-reach, reach + 1)
        away = np.hypot(axis[:, None], axis[None, :]).astype(np.float32) / np.float32(radius * metre)
        bowl = np.where(away < 1, 0.46 * away**2.4 - 0.34, 0.12 * np.exp(-((away - 1) / 0.28)))
        peak = 0.10 * np.exp(-((away / 0.16) ** 2)) if radius > 1.0 else 0.0
        fresh = np.float32(radius**0.8)
        lines, columns = (axis + y) % FIELD_PX, (axis + x) % FIELD_PX
        spot = np.ix_(lines, columns)
        old = field[spot]
        inside = np.clip((1.1 - away) * 3, 0, 1)
        field[spot] = old + inside * (old.mean() - old) * 0.6 + (bowl + peak) * fresh
    return field.astype(np.float32)


def mesas(rng: np.random.Generator) -> Floats:
    """A red planet: craters, dunes, and table mountains far apart."""
    ground = cratered(rng) * 0.4
    table = smoothstep(0.66, 0.76, bent(rough(8, 3, rng), rng, cells=16, reach_px=18))
    return (ground + 1.25 * table + 0.35 * table * rough(16, 4, rng) + 0.06 * rough(64, 3, rng)).astype(np.float32)


def drifts(rng: np.random.Generator) -> Floats:
    """Snow blown into drifts, with mountains standing out of the ice far apart."""
    soft = blurred(bent(rough(8, 4, rng), rng, cells=8, reach_px=20), 2.0)
    massif = smoothstep(0.55, 0.85, bent(rough(4, 3, rng), rng, cells=8, reach_px=24))
    crests = bent(ridged(8, 6, rng), rng, cells=8, reach_px=30)
    return (0.2 + 0.55 * soft + 3.2 * massif * crests).astype(np.float32)
