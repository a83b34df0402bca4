"""Smooth random fields and lines, all drawn from one seeded generator, all cheap."""

import cv2
import numpy as np

from understudy.engines.previz.pictures.canvas import Floats


def smooth_field(size_px: tuple[int, int], *, cells: tuple[float, float], rng: np.random.Generator) -> Floats:
    """One octave of value noise, 0..1, of (width, height) pixels; periodic in x.

    cells: how many noise cells lie across the width and the height.
    """
    width, height = size_px
    across = max(round(cells[0]), 1)
    down = max(int(np.ceil(cells[1])), 1)
    grid = rng.random((down + 3, across), dtype=np.float32)
    grid = np.concatenate([grid, grid, grid], axis=1)
    # Sampling the middle copy of three, with cubic weights, makes the left edge meet the right one.
    xs = (np.arange(width, dtype=np.float32) + 0.5) * (across / width) + across - 0.5
    ys = (np.arange(height, dtype=np.float32) + 0.5) * (cells[1] / height) + 0.5
    if across > width or down > height:
        map_x, map_y = np.meshgrid(xs, ys)
        return cv2.remap(grid, map_x, map_y, cv2.INTER_LINEAR)
    scale_x, scale_y = across / width, cells[1] / height
    matrix = np.array([[scale_x, 0, xs[0]], [0, scale_y, ys[0]]])
    return cv2.warpAffine(
        grid, matrix, (width, height), flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REFLECT
    )


def layered_field(
    size_px: tuple[int, int], *, cells: tuple[float, float], octaves: int, rng: np.random.Generator, gain: float = 0.5
) -> Floats:
    """Several octaves of value noise, about 0..1, periodic in x."""
    total = np.zeros((size_px[1], size_px[0]), np.float32)
    weight, weights = 1.0, 0.0
    for octave in range(octaves):
        total += weight * smooth_field(size_px, cells=(cells[0] * 2**octave, cells[1] * 2**octave), rng=rng)
        weights += weight
        weight *= gain
    result: Floats = np.clip((total / weights - 0.5) * 1.5 + 0.5, 0, 1)
    return result


def ridged_field(
    size_px: tuple[int, int], *, cells: tuple[float, float], octaves: int, rng: np.random.Generator
) -> Floats:
    """Noise with sharp crests, 0..1, periodic in x: rock and mountain faces."""
    total = np.zeros((size_px[1], size_px[0]), np.float32)
    weight, weights = 1.0, 0.0
    for octave in range(octaves):
        layer = smooth_field(size_px, cells=(cells[0] * 2**octave, cells[1] * 2**octave), rng=rng)
        total += weight * (1 - np.abs(2 * layer - 1))
        weights += weight
        weight *= 0.52
    return total / weights


def rolling_line(width_px: int, *, waves: float, octaves: int, rng: np.random.Generator, gain: float = 0.5) -> Floats:
    """A smooth periodic line of ``width`` values, about -1..1, with ``waves`` main swells."""
    x = np.arange(width_px, dtype=np.float32) * (2 * np.pi / width_px)
    line = np.zeros(width_px, np.float32)
    weight, weights = 1.0, 0.0
    for octave in range(octaves):
        turns = max(round(waves * 1.9**octave + rng.uniform(-0.5, 0.5)), 1)
        line += weight * np.sin(turns * x + rng.uniform(0, 2 * np.pi)).astype(np.float32)
        weights += weight * 0.8
        weight *= gain
    return line / np.float32(weights)


def jagged_line(width_px: int, *, peaks: int, octaves: int, rng: np.random.Generator) -> Floats:
    """A periodic line of peaks, about 0..1: mountain crests with straight flanks."""
    line = np.zeros(width_px, np.float32)
    weight, weights = 1.0, 0.0
    for octave in range(octaves):
        knots = max(peaks * 2**octave, 2) * 2
        values = rng.random(knots).astype(np.float32)
        if octave == 0:
            values[::2] = 0.55 + 0.45 * values[::2]
            values[1::2] *= 0.32
        places = (np.arange(knots + 1) + np.append(rng.uniform(-0.22, 0.22, knots), 0.0)) / knots * width_px
        places[0], places[-1] = 0, width_px
        line += weight * np.interp(np.arange(width_px), places, np.append(values, values[0])).astype(np.float32)
        weights += weight
        weight *= 0.36
    return line / np.float32(weights)


def smoothstep(low: float, high: float, values: Floats) -> Floats:
    """0 below low, 1 above high, smooth between."""
    part = np.clip((values - np.float32(low)) / np.float32(high - low), 0, 1)
    result: Floats = part * part * (3 - 2 * part)
    return result
