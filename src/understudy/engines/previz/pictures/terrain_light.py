"""What a land is made of and how the hour lights it: snow, rock, woods, sand, lava, water, mist; sun, shadow, haze.

Done once for each shot; a frame only looks the result up (`terrain.Land`).
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from understudy.engines.previz.pictures.canvas import Bitmap, Floats, Rgb
from understudy.engines.previz.pictures.light import Look, mix
from understudy.engines.previz.pictures.noise import smoothstep
from understudy.engines.previz.pictures.terrain import Land
from understudy.engines.previz.pictures.terrain_fields import (
    FIELD_PX,
    PERIOD_UNITS,
    Shape,
    blurred,
    octave,
    rough,
    wrapped,
)
from understudy.engines.previz.plan import Shot, TimeOfDay, Weather

COLOUR_PX = 2048
_COLOUR_LEVELS, _HEIGHT_LEVELS = 7, 6
_TEXEL_UNITS = PERIOD_UNITS / FIELD_PX
# Haze: distance in units at which two thirds of a clear or an overcast day's haze lie, and of fog.
_CLEAR_UNITS, _OVERCAST_UNITS, _FOG_UNITS = 34.0, 20.0, 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lie:
    """The lie of a land, for what grows on it: heights, steepness (rise over run), and generator of its spots."""

    height: Floats
    steepness: Floats
    hollow: Floats
    rng: np.random.Generator
    season: str
    is_snowing: bool


class Cover:
    """The colour of each place, how coarse its grain is (0..1), and how much light it sends out itself."""

    def __init__(self, base: Rgb, *, grain: float = 0.5) -> None:
        self.colour: Floats = np.empty((FIELD_PX, FIELD_PX, 3), np.float32)
        self.colour[:] = base
        self.grain: Floats = np.full((FIELD_PX, FIELD_PX), grain, np.float32)
        self.glow: Floats | None = None

    def lay(self, part: Floats, colour: Rgb | Floats, *, grain: float | None = None) -> None:
        """Cover a share (0..1) of each place with a colour, or with a colour for each place."""
        self.colour += part[..., None] * (np.asarray(colour, np.float32) - self.colour)
        if grain is not None:
            self.grain += part * (np.float32(grain) - self.grain)


Dress = Callable[[Lie], Cover]


@dataclass(frozen=True, slots=True, kw_only=True)
class LandKind:
    """A sort of land. water: height of its lakes or its sea, or None. altitude: how high a camera flies over it, units.

    horizon: row of the horizon, as part of the frame. focus: whether it has one sight, in the middle, to look at.
    """

    shape: Shape
    dress: Dress
    water: float | None = None
    shallow: Rgb = (0.20, 0.46, 0.48)
    deep: Rgb = (0.04, 0.17, 0.28)
    altitude: float = 1.3
    horizon: float = 0.38
    has_focus: bool = False
    is_airless: bool = False
    has_clouds: bool = True


def _snow(lie: Lie, cover: Cover, *, line: float) -> None:
    """Snow above a height, where it is not too steep to lie."""
    ragged = (rough(16, 5, lie.rng) - np.float32(0.5)) * np.float32(1.1)
    line = line * 0.15 if lie.season == "winter" or lie.is_snowing else line
    part = smoothstep(line - 0.30, line + 0.35, lie.height + ragged)
    part *= 1 - smoothstep(1.9, 3.2, lie.steepness + ragged * np.float32(0.7))
    cover.lay(part, (0.95, 0.97, 1.0), grain=0.16)


def dress_alps(lie: Lie) -> Cover:
    """Meadows and pine woods below, bare rock above, snow on the heights."""
    cover = Cover((0.40, 0.39, 0.39), grain=0.75)
    bands = octave(64, lie.rng)
    cover.lay(np.clip(bands * 0.5, 0, 1), (0.33, 0.30, 0.29))
    green = smoothstep(2.0, 1.2, lie.height + bands * np.float32(0.5)) * smoothstep(1.9, 1.2, lie.steepness)
    cover.lay(green, (0.36, 0.44, 0.22) if lie.season not in ("autumn", "fall") else (0.56, 0.44, 0.20), grain=0.5)
    woods = smoothstep(0.42, 0.56, rough(16, 4, lie.rng)) * smoothstep(1.55, 1.05, lie.height) * green
    cover.lay(woods, (0.10, 0.19, 0.12), grain=1.0)
    _snow(lie, cover, line=1.45)
    return cover


def dress_hills(lie: Lie) -> Cover:
    """Woods over rolling land, with clearings."""
    leaf: tuple[Rgb, Rgb] = ((0.13, 0.28, 0.11), (0.22, 0.37, 0.14))
    if lie.season in ("autumn", "fall"):
        leaf = ((0.62, 0.30, 0.09), (0.72, 0.52, 0.14))
    cover = Cover(leaf[0], grain=1.0)
    cover.lay(smoothstep(0.35, 0.65, rough(64, 3, lie.rng)), leaf[1])
    clearing = smoothstep(0.66, 0.72, rough(8, 4, lie.rng)) * smoothstep(0.7, 0.3, lie.steepness)
    cover.lay(clearing, (0.46, 0.54, 0.26), grain=0.3)
    cover.lay(smoothstep(1.1, 1.6, lie.steepness), (0.42, 0.39, 0.35), grain=0.6)
    if lie.season == "winter" or lie.is_snowing:
        cover.lay(0.35 + 0.6 * clearing, (0.93, 0.95, 0.99))
    return cover


def dress_jungle(lie: Lie) -> Cover:
    """An unbroken roof of leaves."""
    cover = Cover((0.06, 0.22, 0.09), grain=1.0)
    cover.lay(smoothstep(0.3, 0.7, rough(128, 2, lie.rng)), (0.16, 0.36, 0.10))
    cover.lay(smoothstep(0.62, 0.75, rough(32, 3, lie.rng)) * np.float32(0.7), (0.32, 0.46, 0.16))
    cover.lay(smoothstep(1.3, 1.9, lie.steepness), (0.36, 0.36, 0.30), grain=0.6)
    return cover


def dress_fields(lie: Lie) -> Cover:
    """A patchwork of fields with hedges between them and a few woods."""
    crops: tuple[Rgb, ...] = (
        (0.44, 0.58, 0.24), (0.80, 0.70, 0.34), (0.32, 0.48, 0.20), (0.62, 0.60, 0.28), (0.52, 0.40, 0.26),
        (0.86, 0.80, 0.40), (0.38, 0.54, 0.22),
    )  # fmt: skip
    cover = Cover(crops[0], grain=0.22)
    side = 24
    jitter_x, jitter_z = (rough(8, 2, lie.rng) - 0.5, rough(8, 2, lie.rng) - 0.5)
    rows, columns = np.mgrid[0:FIELD_PX, 0:FIELD_PX].astype(np.float32) * np.float32(side / FIELD_PX)
    u, v = (columns + jitter_x * np.float32(5)) % side, (rows + jitter_z * np.float32(5)) % side
    # Neighbours in a row now and then make one long field.
    joined = lie.rng.random((side, side)) < 0.45
    choice = lie.rng.integers(0, len(crops), (side, side))
    for row in range(side):
        for column in range(1, side):
            if joined[row, column]:
                choice[row, column] = choice[row, column - 1]
    iu, iv = np.minimum(u.astype(int), side - 1), np.minimum(v.astype(int), side - 1)
    cover.colour[:] = np.array(crops, np.float32)[choice[iv, iu]]
    furrows = 0.5 + 0.5 * np.sin((u * (choice[iv, iu] % 2) + v * (1 - choice[iv, iu] % 2)) * np.float32(6.28 * 9))
    cover.colour *= (np.float32(0.95) + np.float32(0.09) * furrows)[..., None]
    is_same = choice[iv, iu] == choice[iv, np.maximum(iu - 1, 0)]
    hedge = np.minimum(np.where(is_same, 1.0, u - iu), v - iv) < 0.055
    cover.lay(hedge.astype(np.float32), (0.16, 0.26, 0.10), grain=1.0)
    woods = smoothstep(0.66, 0.70, rough(8, 4, lie.rng))
    cover.lay(woods, (0.13, 0.25, 0.10), grain=1.0)
    return cover


def dress_dunes(lie: Lie) -> Cover:
    """Sand, with ripples."""
    cover = Cover((0.90, 0.70, 0.42), grain=0.10)
    cover.lay(smoothstep(0.35, 0.75, rough(4, 3, lie.rng)), (0.82, 0.56, 0.32))
    cover.lay(np.clip(lie.hollow * 2, 0, 1) * np.float32(0.5), (0.70, 0.50, 0.32))
    return cover


def dress_canyon(lie: Lie) -> Cover:
    """Bands of red and pale rock that follow the height, dry scrub on the plateau."""
    bands: tuple[Rgb, ...] = (
        (0.50, 0.26, 0.17), (0.72, 0.42, 0.25), (0.60, 0.30, 0.18), (0.84, 0.60, 0.40), (0.66, 0.34, 0.20),
        (0.76, 0.48, 0.30), (0.56, 0.27, 0.17), (0.86, 0.66, 0.46), (0.68, 0.38, 0.24),
    )  # fmt: skip
    cover = Cover(bands[0], grain=0.55)
    level = lie.height * np.float32(3.4) + (rough(16, 3, lie.rng) - np.float32(0.5)) * np.float32(0.9)
    low = np.clip(np.floor(level), 0, None).astype(int)
    table = np.array(bands, np.float32)
    part = smoothstep(0.55, 0.9, level - low)[..., None]
    cover.colour[:] = table[low % len(bands)] * (1 - part) + table[(low + 1) % len(bands)] * part
    scrub = smoothstep(0.45, 0.62, rough(64, 4, lie.rng)) * smoothstep(0.5, 0.2, lie.steepness)
    cover.lay(scrub * np.float32(0.6), (0.40, 0.40, 0.24), grain=0.9)
    return cover


def dress_islands(lie: Lie) -> Cover:
    """Beaches, palms and woods up to bare tops."""
    cover = Cover((0.93, 0.85, 0.64), grain=0.15)
    leafy = smoothstep(0.60, 0.68, lie.height + (rough(32, 3, lie.rng) - np.float32(0.5)) * np.float32(0.10))
    cover.lay(leafy, (0.13, 0.34, 0.12), grain=1.0)
    cover.lay(leafy * smoothstep(0.4, 0.7, rough(64, 3, lie.rng)), (0.26, 0.46, 0.16))
    cover.lay(smoothstep(1.4, 2.1, lie.steepness) * leafy, (0.42, 0.40, 0.36), grain=0.7)
    return cover


def dress_volcano(lie: Lie) -> Cover:
    """Black lava and ash, green far below, and fire in the crater and in streams down the cone."""
    cover = Cover((0.17, 0.15, 0.15), grain=0.8)
    cover.lay(smoothstep(0.4, 0.7, rough(16, 4, lie.rng)), (0.26, 0.20, 0.18))
    green = smoothstep(1.5, 0.8, lie.height + rough(16, 3, lie.rng) * np.float32(0.5))
    cover.lay(green * np.float32(0.85), (0.20, 0.27, 0.12), grain=1.0)
    rows, columns = np.mgrid[0:FIELD_PX, 0:FIELD_PX].astype(np.float32) - np.float32(FIELD_PX / 2)
    away = np.hypot(rows, columns) * np.float32(_TEXEL_UNITS)
    angle = np.arctan2(rows, columns)
    glow = smoothstep(0.80, 0.55, away)
    wander = (rough(16, 4, lie.rng) - np.float32(0.5)) * np.float32(0.9)
    for course in lie.rng.uniform(-3.14, 3.14, 11):
        off = np.abs((angle - course + wander + np.float32(np.pi)) % np.float32(2 * np.pi) - np.float32(np.pi))
        length = float(lie.rng.uniform(2.4, 5.2))
        stream = np.exp(-((off * np.maximum(away, 0.6) / 0.075) ** 2)) * smoothstep(length, length * 0.5, away)
        glow = np.maximum(glow, stream * smoothstep(0.35, 0.8, away))
    cover.glow = glow * (np.float32(0.75) + np.float32(0.5) * rough(64, 3, lie.rng))
    return cover


def dress_moon(lie: Lie) -> Cover:
    """Grey dust, darker in the low seas."""
    cover = Cover((0.62, 0.61, 0.59), grain=0.5)
    cover.lay(smoothstep(0.40, 0.62, rough(4, 5, lie.rng)), (0.38, 0.38, 0.38))
    return cover


def dress_mars(lie: Lie) -> Cover:
    """Rust-red dust, darker rock where it is steep."""
    cover = Cover((0.76, 0.42, 0.25), grain=0.45)
    cover.lay(smoothstep(0.40, 0.64, rough(8, 5, lie.rng)), (0.56, 0.29, 0.18))
    cover.lay(smoothstep(0.7, 1.5, lie.steepness), (0.42, 0.21, 0.14), grain=0.7)
    return cover


def dress_ice(lie: Lie) -> Cover:
    """Snow and blue ice, rock where it is too steep."""
    cover = Cover((0.93, 0.96, 1.0), grain=0.14)
    cover.lay(smoothstep(0.55, 0.75, rough(8, 5, lie.rng)) * np.float32(0.55), (0.66, 0.82, 0.93))
    cover.lay(smoothstep(1.5, 2.3, lie.steepness), (0.40, 0.41, 0.45), grain=0.7)
    return cover


def slopes(heights: Floats) -> tuple[Floats, Floats]:
    """Rise per unit to the right and ahead."""
    large = wrapped(heights, 1)
    per_x = (large[1:-1, 2:] - large[1:-1, :-2]) * np.float32(0.5 / _TEXEL_UNITS)
    per_z = (large[2:, 1:-1] - large[:-2, 1:-1]) * np.float32(0.5 / _TEXEL_UNITS)
    return per_x, per_z


def _shadows(heights: Floats, towards: tuple[float, float], rise: float) -> Floats:
    """How much of each place the sun sees, 0..1. towards: unit vector to the sun; rise: of its rays, per unit."""
    sky = np.full_like(heights, -9.0)
    reached: Floats = heights
    step = 1
    while step <= FIELD_PX // 8:
        shift = (-round(towards[1] * step), -round(towards[0] * step))
        far = np.float32(np.hypot(*shift) * _TEXEL_UNITS * rise)
        sky = np.maximum(sky, np.roll(reached, shift, (0, 1)) - far)
        # What is seen from the next place on is what was seen so far, and as far again.
        reached = np.maximum(reached, sky)
        step *= 2
    return smoothstep(0.10, -0.02, blurred(sky - heights, 1.0))


def _tinted(part: Floats, colour: Rgb) -> Floats:
    tinted: Floats = part[..., None] * np.array(colour, np.float32)
    return tinted


def lit_land(kind: LandKind, look: Look, *, shot: Shot, azimuth: float, rng: np.random.Generator) -> Land:
    """Shape, dress and light a land. azimuth: of the sun, radians from z towards x."""
    height = kind.shape(rng)
    per_x, per_z = slopes(height)
    lie = Lie(
        height=height,
        steepness=np.hypot(per_x, per_z),
        hollow=np.clip((blurred(height, 9.0) - height) * np.float32(1.6), 0, 1),
        rng=rng,
        season=shot.season.lower(),
        is_snowing=shot.weather is Weather.SNOW,
    )
    cover = kind.dress(lie)
    surface = height
    if kind.water is not None:
        surface = np.maximum(height, np.float32(kind.water))
    elevation = np.radians(15.0 + 32.0 * min(look.sun_y, 1.0))
    towards = (float(np.sin(azimuth)), float(np.cos(azimuth)))
    level, rise = float(np.cos(elevation)), float(np.sin(elevation))
    facing = (rise - level * (per_x * towards[0] + per_z * towards[1])) / np.sqrt(1 + lie.steepness**2)
    sun = np.clip(facing, 0, 1) * _shadows(surface, towards, rise / level) * np.float32(1 - 0.80 * look.overcast)
    open_ = np.clip(1 - lie.hollow * np.float32(1.1), 0.25, 1) * np.float32(0.80) + np.float32(0.20) / np.sqrt(
        1 + lie.steepness**2
    )
    colour = cover.colour
    blue = mix(look.sky[1], (1.0, 1.0, 1.0), 0.45 + 0.4 * look.overcast)
    # Moonlight shows land darker than a figure before it; film is exposed for the land.
    gloom = 1.45 if look.is_dark and look.stars > 0.5 else 1.3 if kind.is_airless else 1.0
    shade: Rgb = tuple(a * s * (0.70 + 0.28 * look.overcast) * gloom for a, s in zip(look.ambient, blue, strict=True))  # type: ignore[assignment]
    beam: Rgb = tuple(k * s * 1.06 * gloom for k, s in zip(look.key, mix(look.sun, (1.0, 1.0, 1.0), 0.3), strict=True))  # type: ignore[assignment]
    colour *= _tinted(open_, shade) + _tinted(sun, beam)
    if kind.water is not None:
        _flood(cover, kind, look, heights=height)
    if cover.glow is not None:
        colour += cover.glow[..., None] * (np.array((1.0, 0.40, 0.07), np.float32) - colour)
        colour += (blurred(cover.glow, 7.0) * np.float32(0.55))[..., None] * np.array((0.9, 0.22, 0.03), np.float32)
        colour += (np.clip(cover.glow - 0.85, 0, 1) * 3)[..., None] * np.array((0.3, 0.5, 0.3), np.float32)
    if not kind.is_airless:
        surface = _misty(cover, look, surface=surface, shot=shot, rng=rng)
    haze = np.clip(np.array(look.grade)[:3] @ np.array([*look.haze, 1.0]), 0, 1)
    units = _FOG_UNITS if shot.weather is Weather.FOG else _OVERCAST_UNITS if look.overcast > 0.5 else _CLEAR_UNITS
    colours, sizes, tops = _stacked(_grained(cover, look, towards=towards, rng=rng))
    return Land(
        heights=_smaller(surface),
        colours=colours,
        sizes=sizes,
        tops=tops,
        haze=(float(haze[0]), float(haze[1]), float(haze[2])),
        haze_units=units,
        haziness=0.0 if kind.is_airless else look.haziness,
    )


def _flood(cover: Cover, kind: LandKind, look: Look, *, heights: Floats) -> None:
    """Cover what lies below the water's level: pale over shallows, with the sky in it where it is deep."""
    level = np.float32(kind.water or 0.0)
    part = smoothstep(-0.012, 0.012, level - heights)
    depth = smoothstep(0.0, 0.42, level - heights)[..., None]
    light = np.array(look.ambient, np.float32) * np.float32(0.92)
    sky = np.array(mix(look.sky[1], look.sky[2], 0.5), np.float32)
    shallow, deep = np.array(kind.shallow, np.float32) * light, np.array(kind.deep, np.float32) * light
    water = (shallow + depth * (deep - shallow)) * np.float32(0.72) + sky * np.float32(0.28)
    surf = np.exp(-(((level - heights) / 0.016) ** 2))
    cover.lay(part, water, grain=0.10)
    cover.colour += (surf * np.float32(0.5))[..., None] * (light - cover.colour)


def _misty(cover: Cover, look: Look, *, surface: Floats, shot: Shot, rng: np.random.Generator) -> Floats:
    """Let mist lie in the valleys at dawn and in fog; returns the surface that is then seen."""
    share = 0.46 if shot.weather is Weather.FOG else 0.24 if shot.time_of_day is TimeOfDay.DAWN else 0.0
    if not share:
        return surface
    low, high = (float(v) for v in np.quantile(surface[::16, ::16], (share, min(share + 0.18, 1.0))))
    soft = (rough(8, 5, rng) - np.float32(0.5)) * np.float32(0.5)
    part = smoothstep(high + 0.12, low - 0.05, surface + soft) * np.float32(0.96)
    white = np.array(mix(look.haze, (1.0, 1.0, 1.0), 0.18 if not look.is_dark else 0.0), np.float32)
    billow = (np.float32(0.90) + np.float32(0.16) * rough(32, 4, rng))[..., None]
    cover.colour += part[..., None] * (white * billow - cover.colour)
    cover.grain *= 1 - part
    top = np.float32(low) + soft * np.float32(0.35) + np.float32(0.12) * rough(16, 4, rng)
    return np.maximum(surface, top)


def _grained(cover: Cover, look: Look, *, towards: tuple[float, float], rng: np.random.Generator) -> Bitmap:
    """The lit colours at twice the size, with the fine relief that the field is too coarse for."""
    bumps = octave(512, rng, size_px=COLOUR_PX) + np.float32(0.7) * octave(1024, rng, size_px=COLOUR_PX)
    shift = (round(2 * towards[1]), round(2 * towards[0]))
    relief = (bumps - np.roll(bumps, (-shift[0], -shift[1]), (0, 1))) * np.float32(0.42)
    grain = cv2.resize(cover.grain, (COLOUR_PX, COLOUR_PX), interpolation=cv2.INTER_LINEAR)
    gain = 1 + np.clip(relief, -0.5, 0.6) * grain
    matrix = np.array(look.grade, np.float32)
    graded = cv2.transform(np.clip(cover.colour, 0, 1), np.hstack([matrix[:3, :3], matrix[:3, 3:]]))
    large = cv2.resize(np.clip(graded, 0, 1), (COLOUR_PX, COLOUR_PX), interpolation=cv2.INTER_LINEAR)
    large *= (gain * np.float32(255))[..., None]
    result = np.full((COLOUR_PX, COLOUR_PX, 4), 255, np.uint8)
    result[..., :3] = np.clip(large, 0, 255)
    return result


def _stacked(colours: Bitmap) -> tuple[Bitmap, tuple[int, ...], tuple[int, ...]]:
    """The colours and their smaller copies below one another, each with its first row and column repeated."""
    sizes = tuple(COLOUR_PX >> level for level in range(_COLOUR_LEVELS))
    tops = tuple(sum(size + 1 for size in sizes[:level]) for level in range(_COLOUR_LEVELS))
    stack = np.zeros((tops[-1] + sizes[-1] + 1, COLOUR_PX + 1, 4), np.uint8)
    for size, top in zip(sizes, tops, strict=True):
        stack[top : top + size + 1, : size + 1] = cv2.copyMakeBorder(colours, 0, 1, 0, 1, cv2.BORDER_WRAP)
        colours = cv2.resize(colours, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return stack, sizes, tops


def _smaller(heights: Floats) -> tuple[Floats, ...]:
    """The heights and their smaller copies, each with its first row and column repeated at the end."""
    copies = []
    for _ in range(_HEIGHT_LEVELS):
        copies.append(cv2.copyMakeBorder(heights, 0, 1, 0, 1, cv2.BORDER_WRAP))
        heights = cv2.resize(heights, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return tuple(copies)
