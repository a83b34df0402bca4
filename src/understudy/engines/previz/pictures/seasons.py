"""What season and weather leave on a place: snow under the open sky, wet ground, turned leaves, blossoms."""

from collections.abc import Sequence

import cv2
import numpy as np

from understudy.engines.previz.pictures.canvas import Bitmap, Rgb
from understudy.engines.previz.plan import INDOORS, Particle, SettingKind, Shot, Weather

_NEVER_SNOWY = frozenset(
    {
        *INDOORS,
        SettingKind.UNDERWATER,
        SettingKind.SEA,
        SettingKind.SKY,
        SettingKind.SPACE,
        SettingKind.MOON,
        SettingKind.MARS,
        SettingKind.JUNGLE,
    }
)
PAVED = frozenset(
    {
        SettingKind.CITY,
        SettingKind.STREET,
        SettingKind.ROAD,
        SettingKind.COURTYARD,
        SettingKind.TEMPLE,
        SettingKind.CASTLE,
        SettingKind.MARKET,
        SettingKind.ROOFTOP,
        SettingKind.HARBOR,
    }
)
"""Where rain stands in puddles, and where snow is trodden."""

_AUTUMN: tuple[Rgb, ...] = ((0.86, 0.48, 0.14), (0.93, 0.66, 0.20), (0.74, 0.28, 0.14), (0.80, 0.56, 0.20))
_BLOSSOM: tuple[Rgb, ...] = ((0.98, 0.70, 0.80), (0.99, 0.80, 0.87))
_FALLEN_LEAVES: tuple[Rgb, ...] = ((0.86, 0.46, 0.14), (0.94, 0.70, 0.22), (0.70, 0.26, 0.12))
_FALLEN_PETALS: tuple[Rgb, ...] = ((1.0, 0.76, 0.84), (0.99, 0.66, 0.77), (1.0, 0.88, 0.92))
_WHITE = np.array((0.94, 0.97, 1.0), np.float32)
# What blooms or ripens: no prop for a place under snow.
_SUMMER_PROPS = (
    "tulip", "hibiscus", "sunflower", "rose", "blossom", "mushroom", "herb", "rice", "corn", "lotus", "hyacinth",
    "potted-plant", "seedling", "clover", "bouquet", "leafy", "umbrella-on-ground", "palm-tree", "coconut",
)  # fmt: skip
_CHUNK_COLUMNS = 2048


def season_of(shot: Shot) -> str:
    """The season that is seen: "winter", "spring", "autumn", or "" as in summer."""
    named = shot.season.lower()
    if is_snowy(shot):
        return "winter"
    if named in ("autumn", "fall"):
        return "autumn"
    if named == "spring" or (not named and Particle.PETALS in shot.particles):
        return "spring"
    return "autumn" if not named and Particle.LEAVES in shot.particles and shot.weather is not Weather.WIND else named


def is_snowy(shot: Shot) -> bool:
    """Whether snow lies."""
    if shot.setting in _NEVER_SNOWY:
        return False
    return (
        shot.weather is Weather.SNOW or shot.setting is SettingKind.SNOWFIELD or shot.season.lower() == "winter"
    ) and shot.weather is not Weather.RAIN


def is_wet(shot: Shot) -> bool:
    """Whether the ground shines with rain."""
    return shot.weather in (Weather.RAIN, Weather.STORM) and shot.setting not in INDOORS


def in_season(shot: Shot, art_ids: Sequence[str]) -> list[str]:
    """The props that the season leaves standing."""
    if not is_snowy(shot):
        return list(art_ids)
    return [art_id for art_id in art_ids if not any(word in art_id for word in _SUMMER_PROPS)]


def foliage(shot: Shot, colour: Rgb) -> tuple[Rgb, ...]:
    """The colours of the leaves of broad-leaved trees. colour: in summer."""
    season = season_of(shot)
    if season == "autumn":
        return _AUTUMN
    return (colour, *_BLOSSOM) if season == "spring" else (colour,)


def fallen(shot: Shot) -> tuple[Rgb, ...]:
    """The colours of what lies on the ground; empty where nothing fell."""
    season = season_of(shot)
    if season == "autumn":
        return _FALLEN_LEAVES
    return _FALLEN_PETALS if season == "spring" and Particle.PETALS in shot.particles else ()


def snowed(bitmap: Bitmap, *, ambient: Rgb, thick_px: float) -> Bitmap:
    """Put snow on a premultiplied bitmap: a cap on every upper edge, and green things white where they are light.

    ambient: the light that it already shows, 1 for none. thick_px: of the cap.
    """
    result = np.empty_like(bitmap)
    width = bitmap.shape[1]
    overlap = 2
    for left in range(0, width, _CHUNK_COLUMNS):
        # In pieces: as floats a wide band would take hundreds of megabytes.
        low, high = max(left - overlap, 0), min(left + _CHUNK_COLUMNS + overlap, width)
        piece = _piece_snowed(bitmap[:, low:high], ambient=ambient, thick_px=thick_px, shift=low)
        result[:, left : left + _CHUNK_COLUMNS] = piece[:, left - low : left - low + _CHUNK_COLUMNS]
    return result


def _piece_snowed(bitmap: Bitmap, *, ambient: Rgb, thick_px: float, shift: int) -> Bitmap:
    pixels = bitmap.astype(np.float32)
    alpha = pixels[..., 3] / np.float32(255)
    red, green, blue = (pixels[..., i] / np.float32(max(ambient[i], 0.05)) for i in range(3))
    most = np.maximum(green, 1)
    leafy = np.clip((green - np.maximum(red, blue) + 0.06 * most) / (0.20 * most), 0, 1)
    light = np.clip((0.3 * red + 0.6 * green + 0.1 * blue) / np.maximum(alpha * 255, 1), 0, 1)
    part = leafy * np.clip(0.58 + 0.75 * light, 0, 0.96)
    tone = np.clip(0.50 + 0.95 * light, 0, 1)
    solid = bitmap[..., 3]
    columns = np.arange(shift, shift + bitmap.shape[1], dtype=np.float32)
    uneven = 0.5 + 0.5 * np.sin(columns * np.float32(2.1 / max(thick_px, 1.0)))
    cap = np.zeros_like(alpha)
    for share, depth in ((1 - uneven, thick_px * 0.65), (uneven, thick_px * 1.25)):
        rows = max(round(depth), 1)
        above = np.zeros_like(solid)
        above[rows:] = solid[:-rows]
        cap += share * (np.clip(solid.astype(np.float32) - above, 0, 255) / 255)
    cap = cv2.blur(cap, (3, 3)) * alpha
    part = np.maximum(part, np.minimum(cap * 1.15, 1))
    tone = np.maximum(tone, np.minimum(cap * 1.2, 1))
    white = (alpha * tone * np.float32(255))[..., None] * (_WHITE * np.array(ambient, np.float32))
    colour = pixels[..., :3]
    colour += part[..., None] * (np.minimum(white, pixels[..., 3:]) - colour)
    pixels[..., :3] = np.minimum(colour, pixels[..., 3:])
    return pixels.astype(np.uint8)
