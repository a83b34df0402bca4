"""What the ground is made of: shaders in world coordinates, and marks painted on a baked ground."""

from collections.abc import Sequence

import cv2
import numpy as np

from understudy.engines.previz.pictures.canvas import Bitmap, Floats, Rgb
from understudy.engines.previz.pictures.layers import Baked, Shade
from understudy.engines.previz.pictures.light import Look, times
from understudy.engines.previz.pictures.noise import layered_field, smoothstep
from understudy.engines.previz.pictures.scene import Stagehand
from understudy.engines.previz.pictures.seasons import PAVED

_TEXTURE_PX = 512
# Coordinates beyond this would leave the range of the resampler.
_FARTHEST_PX = 30000.0
# How much of each colour a shadow takes away: a little blue is left.
_SHADOW_HUE = (1.0, 0.95, 0.82)


class Texture:
    """A tile of noise that repeats in x and z."""

    def __init__(self, rng: np.random.Generator, *, cells: int = 8, octaves: int = 4) -> None:
        size = (_TEXTURE_PX, _TEXTURE_PX)
        tile = layered_field(size, cells=(cells, cells), octaves=octaves, rng=rng)
        ramp = np.linspace(0, 1, _TEXTURE_PX // 8, dtype=np.float32)[:, None]
        tile[: len(ramp)] = tile[: len(ramp)] * ramp + tile[-len(ramp) :][::-1] * (1 - ramp)
        self._tile = tile

    def sample(self, x: Floats, z: Floats, *, period: float, stretch: float = 1.0) -> Floats:
        """Noise 0..1; ``period`` units per tile in x, ``period * stretch`` in z."""
        factor = np.float32(_TEXTURE_PX / period)
        u = np.clip(x * factor, -_FARTHEST_PX, _FARTHEST_PX)
        v = np.clip(z * (factor / np.float32(stretch)), -_FARTHEST_PX, _FARTHEST_PX)
        return cv2.remap(self._tile, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)


def _clear(blur: Floats, cell: float) -> Floats:
    """How much of a pattern of cell size ``cell`` survives at a pixel of size ``blur``, 0..1."""
    return np.clip(np.float32(cell) / (3 * blur + 1e-6), 0, 1)


def _paint(base: Rgb, other: Rgb, part: Floats) -> Floats:
    first, second = np.array(base, np.float32), np.array(other, np.float32)
    result: Floats = first + part[..., None] * (second - first)
    return result


def haze_over(shade: Shade, look: Look, *, distance: float, ambient: Rgb | None = None) -> Shade:
    """A shader under the film's light: ambient, a sunlit patch, and haze towards the horizon."""
    light = np.array(ambient or look.ambient, np.float32)
    haze = np.array(look.haze, np.float32)

    def lit(x: Floats, z: Floats, blur: Floats) -> Floats:
        colour = shade(x, z, blur) * light
        part = np.float32(look.haziness) * (1 - np.exp(-np.maximum(z / np.float32(distance) - 1, 0) / 9))
        # The foreground falls into shade, which leads the eye to the subject.
        near = np.clip(1.12 - z / np.float32(distance), 0, 1) * np.float32(0.42)
        colour *= (1 - near)[..., None]
        return colour + part[..., None] * (haze - colour)

    return lit


def grass(rng: np.random.Generator, *, light: Rgb, dark: Rgb, dry: Rgb, repeat: float) -> Shade:
    """Meadow: broad patches, finer tufts, mown softness far away."""
    texture = Texture(rng)
    period = repeat or 8.0

    def shade(x: Floats, z: Floats, blur: Floats) -> Floats:
        patches = texture.sample(x, z, period=period, stretch=1.4)
        blades = texture.sample(x + 3.1, z, period=period / 8, stretch=1.6)
        part = 0.5 + (patches - 0.5) * 0.9 + (blades - 0.5) * 0.55 * _clear(blur, 0.12)
        colour = _paint(dark, light, np.clip(part, 0, 1))
        dryness = smoothstep(0.62, 0.9, patches) * 0.35
        return colour + dryness[..., None] * (np.array(dry, np.float32) - colour)

    return shade


def sand(rng: np.random.Generator, *, light: Rgb, dark: Rgb, repeat: float) -> Shade:
    """Sand with wind ripples."""
    texture = Texture(rng)
    period = repeat or 8.0

    def shade(x: Floats, z: Floats, blur: Floats) -> Floats:
        swell = texture.sample(x, z, period=period, stretch=1.2)
        ripples = np.sin((z * 1.0 + swell * 1.3) * np.float32(2 * np.pi * 3.2)) * _clear(blur, 0.16)
        grain = (texture.sample(x, z, period=period / 16) - 0.5) * _clear(blur, 0.05)
        return _paint(dark, light, np.clip(0.55 + (swell - 0.5) * 0.7 + ripples * 0.10 + grain * 0.2, 0, 1))

    return shade


def snow(rng: np.random.Generator, *, repeat: float) -> Shade:
    """Snow: blue hollows, bright crests."""
    texture = Texture(rng, cells=5)
    period = repeat or 8.0

    def shade(x: Floats, z: Floats, blur: Floats) -> Floats:
        swell = texture.sample(x, z, period=period, stretch=1.5)
        grain = (texture.sample(x, z, period=period / 8) - 0.5) * _clear(blur, 0.1)
        return _paint((0.70, 0.80, 0.95), (0.99, 1.0, 1.0), np.clip(0.62 + (swell - 0.5) * 1.1 + grain * 0.22, 0, 1))

    return shade


def snow_over(base: Shade, stagehand: Stagehand, *, light: Rgb) -> Shade:
    """Snow on another ground: whole on soil, in patches where people go. Water stays open.

    light: what the base already shows of the hour's light; 1 = nothing.
    """
    white = snow(stagehand.rng, repeat=stagehand.repeat)
    texture = Texture(stagehand.rng, cells=6)
    period = stagehand.repeat or 8.0
    low, high = (0.12, 0.44) if stagehand.setting in PAVED else (-0.2, 0.10)
    tone = np.array(light, np.float32)

    def shade(x: Floats, z: Floats, blur: Floats) -> Floats:
        under = base(x, z, blur)
        lies = smoothstep(low, high, texture.sample(x, z, period=period / 2, stretch=0.8)) * np.float32(0.95)
        plain_light = under / tone
        is_water = plain_light[..., 2] > 1.12 * plain_light[..., 0]
        lies = np.where(is_water, np.float32(0.0), lies)[..., None]
        result: Floats = under + lies * (white(x, z, blur) * tone - under)
        return result

    return shade


def wet(base: Shade, stagehand: Stagehand) -> Shade:
    """Another ground after rain: darker, with puddles in which the sky shows."""
    texture = Texture(stagehand.rng, cells=5)
    period = stagehand.repeat or 8.0
    look = stagehand.look
    low, high = (0.46, 0.62) if stagehand.setting in PAVED else (0.56, 0.70)
    # The light is laid over all of it afterwards; a mirror shows the sky as it is.
    sky = np.array([min(a / max(b, 0.05), 1.2) for a, b in zip(look.sky[2], look.ambient, strict=True)], np.float32)

    def shade(x: Floats, z: Floats, blur: Floats) -> Floats:
        under = base(x, z, blur) * np.float32(0.70)
        puddle = smoothstep(low, high, texture.sample(x, z, period=period / 2, stretch=2.2)) * np.float32(0.52)
        # Flat to the eye, all wet ground mirrors a little.
        gloss = np.maximum(puddle, np.clip(z / np.float32(9 * stagehand.distance), 0, 1) * np.float32(0.16))[..., None]
        result: Floats = under + gloss * (sky - under)
        return result

    return shade


def paving(rng: np.random.Generator, *, light: Rgb, dark: Rgb, tile: float, repeat: float) -> Shade:
    """Square slabs with joints, each with a tone of its own."""
    texture = Texture(rng)
    tones = rng.random((64, 64), dtype=np.float32)
    period = repeat or 8.0

    def shade(x: Floats, z: Floats, blur: Floats) -> Floats:
        row = np.floor(z / tile)
        column = np.floor(x / tile + 0.5 * (row % 2))
        columns = max(round(period / tile), 1)
        tone = tones[(row.astype(np.int64) % 64), (column.astype(np.int64) % columns) % 64]
        across = np.abs((x / tile + 0.5 * (row % 2)) % 1 - 0.5)
        along = np.abs((z / tile) % 1 - 0.5)
        sharp = _clear(blur, tile)
        joint = np.maximum(smoothstep(0.455, 0.485, across), smoothstep(0.45, 0.485, along)) * sharp
        wear = texture.sample(x, z, period=period)
        part = np.clip(0.5 + (tone - 0.5) * 0.55 * sharp + (wear - 0.5) * 0.6, 0, 1)
        return _paint(dark, light, part) * (1 - 0.42 * joint)[..., None]

    return shade


def planks(rng: np.random.Generator, *, light: Rgb, dark: Rgb, board: float, is_across: bool = False) -> Shade:
    """Floor boards along the view, or across it."""
    texture = Texture(rng)
    tones = rng.random(128).astype(np.float32)

    def shade(x: Floats, z: Floats, blur: Floats) -> Floats:
        side, length = (z, x) if is_across else (x, z)
        index = np.floor(side / board).astype(np.int64)
        tone = tones[index % 128]
        gap = smoothstep(0.44, 0.49, np.abs((side / board) % 1 - 0.5)) * _clear(blur, board)
        shift = tone * 3.0
        ends = smoothstep(0.488, 0.497, np.abs(((length + shift) / 2.2) % 1 - 0.5)) * _clear(blur, 0.08)
        stretch = 0.12 if is_across else 8.0
        grain = texture.sample(x, z, period=1.6 if not is_across else 8.0, stretch=stretch)
        part = np.clip(0.5 + (tone - 0.5) * 0.7 + (grain - 0.5) * 0.5, 0, 1)
        result: Floats = _paint(dark, light, part) * (1 - 0.5 * np.maximum(gap, ends))[..., None]
        return result

    return shade


def plain(rng: np.random.Generator, *, light: Rgb, dark: Rgb, repeat: float = 0.0) -> Shade:
    """A quiet floor: concrete, asphalt, carpet, a studio."""
    texture = Texture(rng, cells=6)
    period = repeat or 8.0

    def shade(x: Floats, z: Floats, blur: Floats) -> Floats:
        broad = texture.sample(x, z, period=period)
        fine = (texture.sample(x, z, period=period / 16) - 0.5) * _clear(blur, 0.05)
        return _paint(dark, light, np.clip(0.5 + (broad - 0.5) * 0.7 + fine * 0.35, 0, 1))

    return shade


def rows_of_crop(rng: np.random.Generator, base: Shade, *, colour: Rgb, soil: Rgb) -> Shade:
    """Ploughed rows along the view, on both sides of a grass path."""
    texture = Texture(rng)

    def shade(x: Floats, z: Floats, blur: Floats) -> Floats:
        wobble = (texture.sample(x, z, period=8.0) - 0.5) * 0.2
        across = np.abs(((x + wobble) / 0.42) % 1 - 0.5)
        visible = np.clip(0.42 / (6 * blur * 0.2 + 1e-6), 0, 1)
        plant = smoothstep(0.16, 0.30, across)
        field = _paint(colour, soil, 0.5 + (plant - 0.5) * visible)
        path = smoothstep(1.2, 1.5, np.abs(x))[..., None]
        result: Floats = base(x, z, blur) * (1 - path) + field * path
        return result

    return shade


def band_along(base: Shade, inner: Shade, *, low: float, high: float, soft: float = 0.04) -> Shade:
    """A strip parallel to the frame, from depth low to high: a road passed sideways, a shore, a quay's edge."""

    def shade(x: Floats, z: Floats, blur: Floats) -> Floats:
        edge = np.maximum(blur, soft)
        part = np.clip((z - low) / edge + 0.5, 0, 1) * np.clip((high - z) / edge + 0.5, 0, 1)
        return base(x, z, blur) * (1 - part)[..., None] + inner(x, z, blur) * part[..., None]

    return shade


def lane_into(base: Shade, inner: Shade, *, half: float, bend: float = 0.0, soft: float = 0.05) -> Shade:
    """A strip that runs into the depth: a road, a path, a river; ``bend`` makes it wind, in units."""

    def shade(x: Floats, z: Floats, blur: Floats) -> Floats:
        centre = bend * np.sin(z * 0.42 + 0.4) * np.clip(z * 0.12, 0, 1.6) if bend else np.float32(0)
        inside = (half - np.abs(x - centre)) / np.maximum(blur * 0.2, soft) + 0.5
        part = np.clip(inside, 0, 1)[..., None]
        result: Floats = base(x, z, blur) * (1 - part) + inner(x, z, blur) * part
        return result

    return shade


def marked_road(rng: np.random.Generator, *, is_across: bool, middle: float, repeat: float) -> Shade:
    """Asphalt with a dashed centre line; across the view around depth ``middle``, or into the depth around x 0."""
    asphalt = plain(rng, light=(0.40, 0.41, 0.44), dark=(0.30, 0.31, 0.34), repeat=repeat)

    def shade(x: Floats, z: Floats, blur: Floats) -> Floats:
        side, length = (z - middle, x) if is_across else (x, z)
        soft = np.maximum(blur * (1.0 if is_across else 0.2), 0.008)
        line = np.clip((0.035 - np.abs(side)) / soft + 0.5, 0, 1)
        dash = np.clip((0.28 - np.abs((length % 1.0) - 0.5)) / np.maximum(soft, 0.01) + 0.5, 0, 1)
        dash = np.where(blur > 0.5, 0.56, dash)
        paint = (line * dash)[..., None]
        return asphalt(x, z, blur) * (1 - paint) + np.float32(0.93) * paint

    return shade


def tufts(
    stagehand: Stagehand,
    baked: Baked,
    *,
    colours: Sequence[Rgb],
    depths: tuple[float, float],
    count: int,
) -> None:
    """Paint grass blades on a baked ground, larger in front."""
    look, rng = stagehand.look, stagehand.rng
    low, high = depths
    width = baked.repeat or 7.0
    for _ in range(count):
        # Uniform in 1/z: as dense in the picture everywhere.
        z = 1 / rng.uniform(1 / high, 1 / low)
        spread = 1.0 if baked.repeat else z / low
        x0 = rng.uniform(-0.5, 0.5) * width * spread
        colour = times(colours[int(rng.integers(len(colours)))], look.ambient)
        shade = look.ink(colour)
        blades = [(rng.uniform(-0.05, 0.05), rng.uniform(0.05, 0.13)) for _ in range(4)]
        for x in baked.copies(x0, z):
            u, v, scale = baked.place(x, z)
            if not -40 < u < baked.bitmap.shape[1] + 40 or v > baked.bitmap.shape[0] + 40:
                continue
            for lean, height in blades:
                tip = (round((u + lean * scale) * 8), round((v - height * scale) * 8))
                root = (round((u + lean * 0.4 * scale) * 8), round(v * 8))
                thick = max(round(0.007 * scale), 1)
                cv2.line(baked.bitmap, root, tip, shade, thick, cv2.LINE_AA, 3)


def specks(
    stagehand: Stagehand,
    baked: Baked,
    *,
    colours: Sequence[Rgb],
    radius_units: float,
    depths: tuple[float, float],
    count: int,
) -> None:
    """Paint small flat dots on a baked ground: flowers, pebbles, shells, fallen petals."""
    look, rng = stagehand.look, stagehand.rng
    low, high = depths
    width = baked.repeat or 7.0
    for _ in range(count):
        z = 1 / rng.uniform(1 / high, 1 / low)
        x0 = rng.uniform(-0.5, 0.5) * width * (1.0 if baked.repeat else z / low)
        colour = times(colours[int(rng.integers(len(colours)))], look.ambient)
        shade = look.ink(colour)
        radius = radius_units * rng.uniform(0.6, 1.3)
        for x in baked.copies(x0, z):
            u, v, scale = baked.place(x, z)
            if not -40 < u < baked.bitmap.shape[1] + 40 or v > baked.bitmap.shape[0] + 40:
                continue
            axes = (max(round(radius * scale * 8), 5), max(round(radius * scale * 5), 4))
            centre = (round(u * 8), round(v * 8))
            cv2.ellipse(baked.bitmap, centre, axes, 0, 0, 360, shade, -1, cv2.LINE_AA, 3)


def cast_shadow(baked: Baked, look: Look, alpha: Bitmap, *, x: float, z: float, extent: tuple[float, float]) -> None:
    """Darken a baked ground by the shadow of an upright thing that stands at (x, z).

    alpha: its outline, single channel. size: its width and height in units.
    """
    if look.shadow <= 0.02:
        return
    # The ground is graded already: without colour in it, a shadow has none either.
    grade = np.array(look.grade)[:3, :3]
    hue = (grade @ np.array(_SHADOW_HUE) / np.maximum(grade.sum(axis=1), 0.05)).astype(np.float32)
    for copy_x in baked.copies(x, z):
        matrix = shadow_matrix(baked, look, alpha.shape, x=copy_x, z=z, extent=extent)
        corners = matrix @ np.array(
            [[0, alpha.shape[1]] * 2, [0, 0, alpha.shape[0], alpha.shape[0]], [1, 1, 1, 1]], np.float64
        )
        left, top = np.floor(corners.min(axis=1)).astype(int) - 3
        right, bottom = np.ceil(corners.max(axis=1)).astype(int) + 3
        left, top = max(left, 0), max(top, 0)
        right, bottom = min(right, baked.bitmap.shape[1]), min(bottom, baked.bitmap.shape[0])
        if right - left < 2 or bottom - top < 2:
            continue
        local = matrix.copy()
        local[:, 2] -= (left, top)
        tile = cv2.warpAffine(alpha, local, (int(right - left), int(bottom - top)), flags=cv2.INTER_LINEAR)
        sigma = max((right - left) * 0.012, 0.8)
        tile = cv2.GaussianBlur(tile, (0, 0), sigma).astype(np.float32) * np.float32(look.shadow / 255)
        area = baked.bitmap[top:bottom, left:right, :3]
        area[:] = (area * (1 - tile[..., None] * hue)).astype(np.uint8)


def shadow_matrix(
    baked: Baked, look: Look, shape: tuple[int, ...], *, x: float, z: float, extent: tuple[float, float]
) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    """2x3 matrix that lays an outline on the ground, away from the sun."""
    height, width = shape[:2]
    u, v, scale = baked.place(x, z)
    reach = look.shadow_reach * extent[1]
    # A low sun in front of or behind the scene: shadows fall sideways and a little towards the camera.
    lean = -np.sign(look.sun_x or 1) * reach * 0.8
    _, v_tip, _ = baked.place(x, max(z - reach * 0.35, 0.25))
    return np.array(
        [
            [extent[0] * scale / width, -lean * scale / height, u - extent[0] * scale / 2 + lean * scale],
            [0.0, (v - v_tip) / height, v_tip],
        ]
    )
