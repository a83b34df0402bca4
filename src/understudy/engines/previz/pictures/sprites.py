"""Art as bitmaps: drawn once per size, kept while the process is warm, tinted and lit per film."""

from functools import lru_cache

import cv2
import numpy as np
import resvg_py

from understudy.engines.previz import art
from understudy.engines.previz.pictures.canvas import Bitmap, Rgb
from understudy.engines.previz.pictures.light import Look, modelled, recolour

# Drawing time grows with the area, so sizes are rounded up to few steps, and the largest are scaled up from here.
_STEP_PX = 48
_LARGEST_PX = 672
_CACHED_SPRITES = 96


def premultiplied(straight: Bitmap) -> Bitmap:
    """RGBA with straight alpha to premultiplied."""
    alpha = straight[..., 3:].astype(np.uint16)
    result = straight.copy()
    result[..., :3] = ((straight[..., :3].astype(np.uint16) * alpha + 127) // 255).astype(np.uint8)
    return result


def cropped(bitmap: Bitmap) -> Bitmap:
    """The part of a bitmap that is not clear, with one clear pixel around it."""
    x, y, width, height = cv2.boundingRect((bitmap[..., 3] > 6).astype(np.uint8))
    if width == 0 or height == 0:
        return bitmap
    return cv2.copyMakeBorder(bitmap[y : y + height, x : x + width], 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)


@lru_cache(maxsize=_CACHED_SPRITES)
def _drawn(art_id: str, width_px: int) -> Bitmap:
    encoded = resvg_py.svg_to_bytes(svg_string=art.svg(art_id), width=width_px, skip_system_fonts=True)
    straight = cv2.imdecode(np.frombuffer(bytes(encoded), np.uint8), cv2.IMREAD_UNCHANGED)
    if straight is None:
        raise ValueError(f"the drawing {art_id} could not be read")
    bitmap = cropped(premultiplied(cv2.cvtColor(straight, cv2.COLOR_BGRA2RGBA)))
    bitmap.setflags(write=False)
    return bitmap


def has_art(art_id: str) -> bool:
    """Whether there is a picture of this id."""
    return bool(art_id) and art_id in art.art_ids()


def sprite(art_id: str, height_px: float, *, largest_px: int = _LARGEST_PX) -> Bitmap:
    """A picture in its own colours, premultiplied, cropped to its outline, ``height_px`` high.

    largest_px: drawn no larger than this and scaled up beyond it; what stands out of focus needs less.

    Raises: KeyError: no such art.
    """
    wanted = max(round(height_px), 4)
    # The drawing square is a little larger than the outline that is kept.
    drawn = min(-(-int(wanted * 1.15) // _STEP_PX) * _STEP_PX, largest_px)
    return resized(_drawn(art_id, drawn), wanted)


def resized(bitmap: Bitmap, height_px: int) -> Bitmap:
    """The bitmap scaled to a height, aspect kept."""
    factor = height_px / bitmap.shape[0]
    size = (max(round(bitmap.shape[1] * factor), 2), max(height_px, 2))
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    result = cv2.resize(bitmap, size, interpolation=method)
    # Cubic weights can lift colour above alpha.
    return np.minimum(result, result[..., 3:]) if factor > 1 else result


_TINTS: dict[str, tuple[float, float, float]] = {
    # hue in turns (below 0: keep), saturation factor, value factor
    "red": (0.0, 1.25, 1.0),
    "crimson": (0.97, 1.25, 0.85),
    "scarlet": (0.01, 1.3, 1.0),
    "orange": (0.075, 1.25, 1.05),
    "yellow": (0.14, 1.2, 1.12),
    "gold": (0.12, 1.1, 1.02),
    "golden": (0.12, 1.1, 1.02),
    "green": (0.34, 1.1, 0.95),
    "emerald": (0.42, 1.2, 0.9),
    "teal": (0.49, 1.1, 0.95),
    "turquoise": (0.485, 1.0, 1.08),
    "cyan": (0.5, 1.1, 1.08),
    "blue": (0.60, 1.2, 1.0),
    "navy": (0.62, 1.2, 0.55),
    "purple": (0.76, 1.05, 0.95),
    "violet": (0.74, 1.0, 1.0),
    "pink": (0.93, 0.72, 1.15),
    "magenta": (0.88, 1.2, 1.0),
    "brown": (0.06, 0.85, 0.66),
    "beige": (0.1, 0.45, 1.12),
    "black": (-1.0, 0.18, 0.30),
    "white": (-1.0, 0.08, 1.5),
    "gray": (-1.0, 0.06, 0.9),
    "grey": (-1.0, 0.06, 0.9),
    "silver": (-1.0, 0.05, 1.18),
}


def tinted(bitmap: Bitmap, colour: str) -> Bitmap:
    """Recolour what is coloured, keeping light and shade; an unknown colour word changes nothing."""
    row = _TINTS.get(colour.lower())
    if row is None:
        return bitmap
    hue, saturation, value = row
    alpha = np.maximum(bitmap[..., 3:].astype(np.float32), 1)
    straight = np.clip(bitmap[..., :3].astype(np.float32) * 255 / alpha, 0, 255).astype(np.uint8)
    hsv = cv2.cvtColor(straight, cv2.COLOR_RGB2HSV_FULL).astype(np.float32)
    # Dark outlines, eyes and teeth stay as they are, or the subject loses its face.
    coloured = np.clip((hsv[..., 2] - 60) / 60, 0, 1)
    if hue >= 0:
        coloured = coloured * np.clip((hsv[..., 1] - 16) / 50 + 0.35, 0, 1)
        hsv[..., 1] = np.maximum(hsv[..., 1] * saturation, 110 * saturation * coloured)
        hsv[..., 0] = hue * 255
    else:
        hsv[..., 1] *= saturation
    hsv[..., 2] *= value
    new = cv2.cvtColor(np.clip(hsv, 0, 255).astype(np.uint8), cv2.COLOR_HSV2RGB_FULL).astype(np.float32)
    blend = coloured[..., None]
    mixed = straight.astype(np.float32) * (1 - blend) + new * blend
    result = bitmap.copy()
    result[..., :3] = (mixed * bitmap[..., 3:].astype(np.float32) / 255).astype(np.uint8)
    return result


def lit(bitmap: Bitmap, look: Look, *, haze: float = 0.0, gain: Rgb | None = None, form: float = 1.0) -> Bitmap:
    """Light a sprite: form, key light, haze of its depth, and the film's grade."""
    shaped = modelled(bitmap, look, strength=form) if form > 0 else bitmap
    return recolour(shaped, look.lit_matrix(gain=gain or look.key, haze=haze))


def glow(size_px: int, colour: Rgb, *, strength: float = 1.0, falloff: float = 2.2) -> Bitmap:
    """A light halo as a bitmap whose alpha is half its colour: it adds light more than it covers."""
    axis = (np.arange(size_px, dtype=np.float32) + 0.5) / size_px * 2 - 1
    radius = np.sqrt(axis[None, :] ** 2 + axis[:, None] ** 2)
    part = np.clip(1 - radius, 0, 1) ** falloff * strength
    result = np.empty((size_px, size_px, 4), np.float32)
    result[..., :3] = part[..., None] * np.array(colour, np.float32)
    result[..., 3] = part * max(colour)
    return (np.clip(result, 0, 1) * 255).astype(np.uint8)


def silhouette(bitmap: Bitmap, colour: Rgb, opacity: float) -> Bitmap:
    """The outline of a sprite filled with one colour: what its shadow is made of."""
    alpha = bitmap[..., 3].astype(np.float32) / 255 * opacity
    result = np.empty(bitmap.shape, np.float32)
    result[..., :3] = alpha[..., None] * np.array(colour, np.float32) * 255
    result[..., 3] = alpha * 255
    return result.astype(np.uint8)


def without_foot(bitmap: Bitmap) -> Bitmap:
    """A boat without the block of water that it is drawn on: the set has water of its own."""
    rows = np.linspace(1, 0, bitmap.shape[0], dtype=np.float32)
    keep = np.clip((rows - 0.11) / 0.15, 0, 1)[:, None, None]
    result: Bitmap = (bitmap * keep).astype(np.uint8)
    return result
