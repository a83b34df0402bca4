"""What pictures are drawn with: flat paint, ink lines, brush strokes, paper, grain. Equal pictures give equal ones.

All of it follows the picture smoothly: a level that a trembling pixel stands on does not jump.
"""

from functools import lru_cache

import cv2
import numpy as np

from understudy.engines.previz.board.editing.laying import Floats, toned
from understudy.media.decode import Picture

_PAINTED_PX = 640
"""The longer side of what is smoothed: flat paint has no more detail than that."""


def _small(picture: Picture, longest_px: int = _PAINTED_PX) -> Picture:
    scale = min(1.0, longest_px / max(picture.shape[:2]))
    size = (max(8, round(picture.shape[1] * scale)), max(8, round(picture.shape[0] * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _large(small: Picture, picture: Picture) -> Picture:
    return np.asarray(
        cv2.resize(small, (picture.shape[1], picture.shape[0]), interpolation=cv2.INTER_CUBIC), dtype=np.uint8
    )


def flat(picture: Picture, *, passes: int) -> Picture:
    """Return the picture in even areas with sharp edges between."""
    small = cv2.medianBlur(_small(picture), 3)
    for _ in range(passes):
        small = cv2.bilateralFilter(small, 5, 34, 5)
    return _large(np.asarray(small, dtype=np.uint8), picture)


def brushed(picture: Picture, *, radius_px: int, longest_px: int = _PAINTED_PX) -> Picture:
    """Return the picture in strokes: each place has the colour of the evenest of four squares beside it.

    Weighted by their evenness, so that no stroke jumps. Source: Kuwahara, 1976; Papari et al., 2007.
    """
    small = _small(picture, longest_px).astype(np.float32)
    luma = cv2.cvtColor(small.astype(np.uint8), cv2.COLOR_RGB2GRAY).astype(np.float32)
    side = radius_px + 1
    mean = cv2.blur(small, (side, side), borderType=cv2.BORDER_REFLECT_101)
    level = cv2.blur(luma, (side, side), borderType=cv2.BORDER_REFLECT_101)
    spread = np.maximum(cv2.blur(luma * luma, (side, side), borderType=cv2.BORDER_REFLECT_101) - level * level, 0)
    weights = 1 / (1 + (spread / 18) ** 2)
    total, painted = np.zeros_like(luma), np.zeros_like(small)
    half = radius_px / 2
    size = (luma.shape[1], luma.shape[0])
    for down, across in ((-half, -half), (-half, half), (half, -half), (half, half)):
        matrix = np.array([[1, 0, -round(across)], [0, 1, -round(down)]], dtype=np.float64)
        moved = [
            cv2.warpAffine(one, matrix, size, flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT_101)
            for one in (mean, weights)
        ]
        painted += moved[0] * moved[1][..., None]
        total += moved[1]
    return _large(np.clip(painted / total[..., None], 0, 255).astype(np.uint8), picture)


def stepped(picture: Picture, levels: int, *, softness: float = 0.22) -> Picture:
    """Return the picture in few steps of lightness, each with a soft edge so that it does not tremble."""
    values = np.arange(256, dtype=np.float64) / 255 * levels
    floor = np.floor(values)
    part = values - floor
    edge = np.clip((part - 0.5) / softness + 0.5, 0, 1)
    steps = (floor + edge * edge * (3 - 2 * edge)) / levels
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)
    lab[..., 0] = cv2.LUT(lab[..., 0], np.clip(np.rint(steps * 255), 0, 255).astype(np.uint8))
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), dtype=np.uint8)


def inked(picture: Picture, *, strength: float, breadth: float = 1.0) -> Floats:
    """Return the lines of a drawing, 0..1: a difference of two blurs, sharply bent. Source: Winnemöller, XDoG, 2012."""
    height_px = picture.shape[0]
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) / np.float32(255)
    sigma = max(0.7, breadth * height_px / 720 * 1.25)
    near, far = cv2.GaussianBlur(grey, (0, 0), sigma), cv2.GaussianBlur(grey, (0, 0), sigma * 1.8)
    apart = far - near
    line = np.clip((apart * (60 * strength)) - 0.28, 0, 1)
    return np.asarray(line, dtype=np.float32)


def drawn_over(picture: Picture, lines: Floats, ink: tuple[int, int, int]) -> Picture:
    """Return the picture with lines of an ink over it."""
    return toned(picture, ink, lines)


def graded(picture: Picture, matrix: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]") -> Picture:
    """Return the picture under a 4x4 grade, as of `pictures.light`."""
    rows = np.hstack([matrix[:3, :3], matrix[:3, 3:] * 255])
    return np.asarray(cv2.transform(picture, rows), dtype=np.uint8)


def split(picture: Picture, shade: tuple[float, float, float], shine: tuple[float, float, float]) -> Picture:
    """Return the picture with one cast in its dark places and another in its bright ones; gains per colour."""
    low, high = np.array(shade, dtype=np.float32), np.array(shine, dtype=np.float32)
    luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    parts = []
    levels = np.arange(256, dtype=np.float32) / 255
    for channel in range(3):
        gains = low[channel] + (high[channel] - low[channel]) * levels
        gain = cv2.LUT(luma, gains.astype(np.float32))
        parts.append(cv2.multiply(picture[..., channel], gain, dtype=cv2.CV_8U))
    return np.asarray(cv2.merge(parts), dtype=np.uint8)


def bloomed(picture: Picture, *, above: int, strength: float) -> Picture:
    """Return the picture with a shine around what is bright."""
    small = _small(picture, 240)
    bright = cv2.subtract(small, np.full_like(small, above))
    halo = cv2.GaussianBlur(bright, (0, 0), 5.0)
    large = cv2.resize(halo, (picture.shape[1], picture.shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.addWeighted(picture, 1.0, large, strength, 0), dtype=np.uint8)


@lru_cache(maxsize=4)
def edge_falloff(height_px: int, width_px: int, strength_percent: int) -> Floats:
    """Return a factor for each place that darkens a frame towards its corners; (height_px, width_px, 3)."""
    across, down = np.linspace(-1, 1, width_px), np.linspace(-1, 1, height_px)
    apart = np.clip((across[None, :] ** 2 + down[:, None] ** 2) / 2, 0, 1) ** 1.3
    one = (1 - strength_percent / 100 * apart).astype(np.float32)
    return np.asarray(cv2.merge([one] * 3), dtype=np.float32)


def darkened_at_edges(picture: Picture, strength_percent: int) -> Picture:
    """Return the picture with dark corners."""
    factor = edge_falloff(picture.shape[0], picture.shape[1], strength_percent)
    return np.asarray(cv2.multiply(picture, factor, dtype=cv2.CV_8U), dtype=np.uint8)


_GRAINS = 6


@lru_cache(maxsize=2)
def _grains(height_px: int, width_px: int, seed: int) -> tuple["np.ndarray[tuple[int, ...], np.dtype[np.int16]]", ...]:
    rng = np.random.default_rng([abs(seed), 37])
    fields = []
    for _ in range(_GRAINS):
        # Grain is about as coarse as a thousandth of the frame.
        factor = max(1.0, height_px / 620)
        size = (max(8, round(width_px / factor)), max(8, round(height_px / factor)))
        field = rng.normal(0, 100, (size[1], size[0])).astype(np.float32)
        fields.append(np.asarray(cv2.resize(field, (width_px, height_px)), dtype=np.int16))
    return tuple(fields)


def grained(picture: Picture, offset: int, *, levels: float, seed: int) -> Picture:
    """Return the picture with the grain of film, another one in each picture."""
    field = _grains(picture.shape[0], picture.shape[1], seed)[offset % _GRAINS]
    turned = field[:, ::-1] if offset // _GRAINS % 2 else field
    grain = cv2.convertScaleAbs(turned, alpha=levels / 100)
    sign = np.asarray(turned > 0, dtype=np.uint8) * np.uint8(255)
    up = cv2.merge([cv2.bitwise_and(grain, sign)] * 3)
    down = cv2.merge([cv2.bitwise_and(grain, cv2.bitwise_not(sign))] * 3)
    return np.asarray(cv2.subtract(cv2.add(picture, up), down), dtype=np.uint8)


@lru_cache(maxsize=2)
def paper(height_px: int, width_px: int, seed: int) -> Floats:
    """Return the light and dark of a rough paper, about 1; (height_px, width_px, 3)."""
    rng = np.random.default_rng([abs(seed), 41])
    field = np.zeros((height_px, width_px), dtype=np.float32)
    for cell, weight in ((2.0, 0.030), (6.0, 0.026), (40.0, 0.022)):
        size = (max(4, round(width_px / cell)), max(4, round(height_px / cell)))
        noise = rng.normal(0, 1, (size[1], size[0])).astype(np.float32)
        field += weight * cv2.resize(noise, (width_px, height_px), interpolation=cv2.INTER_CUBIC)
    return np.asarray(cv2.merge([1 + field] * 3), dtype=np.float32)


def on_paper(picture: Picture, seed: int) -> Picture:
    """Return the picture on a rough paper."""
    texture = paper(picture.shape[0], picture.shape[1], seed)
    return np.asarray(cv2.multiply(picture, texture, dtype=cv2.CV_8U), dtype=np.uint8)
