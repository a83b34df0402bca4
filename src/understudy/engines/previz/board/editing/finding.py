"""Which part of a picture the words of an edit mean: by what stands out, what moves, its colour, place and face.

There is no detector of named things. What is salient or moves by itself is a candidate; the words choose among them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from understudy.engines.previz import kinds
from understudy.engines.previz.pictures.sprites import cropped, sprite
from understudy.engines.previz.seeing import components, matte_of
from understudy.media.decode import Picture
from understudy.media.faces import LEAST_SCORE, score
from understudy.reading import nouns
from understudy.reading.lexicon import LANGUAGES
from understudy.reading.spotting import level, spots

Floats = NDArray[np.float32]

_LEAST_PART = 0.003
_COLOURED = 0.14
"""Of a subject, so much has to be of a colour to be called by it."""

_PAINTED = 0.5
_ALIKE = 0.75
_MOVES = 1.6
"""How much more likely people speak of what moves."""

_OUTLINE_PX = 32
_GARMENT = (0.16, 0.66)
"""Where clothes of the upper body are, from the top of a standing figure, in parts of its height."""

HUES = {
    "red": 0.0, "crimson": 0.98, "orange": 0.075, "golden": 0.125, "yellow": 0.15, "green": 0.34, "teal": 0.49,
    "turquoise": 0.485, "cyan": 0.5, "blue": 0.61, "navy": 0.62, "purple": 0.76, "violet": 0.74, "pink": 0.92,
    "magenta": 0.86, "brown": 0.06,
}  # fmt: skip
"""Of a turn; colours without a hue are told by lightness."""

_GREYS = {"white": (0.72, 1.01), "black": (-0.01, 0.26), "gray": (0.26, 0.75), "silver": (0.45, 0.85)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What the words say of the thing that is meant. colour, place: "" = not said. words "" = the main subject.

    art: the drawing that the words mean, whose outline the thing may have, or "".
    """

    words: str = ""
    colour: str = ""
    place: str = ""
    is_person: bool = False
    is_worn: bool = False
    art: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A part of a picture, (height_px, width_px) 0..1. is_sure: nothing else fits as well."""

    mask: Floats
    is_sure: bool


def aim_of(words: str, place: str = "") -> Aim:
    """Read what is meant."""
    leveled = level(words)
    colour = next((spot.value for spot in spots(leveled, "colour")), "")
    spotted = place or next((spot.value for spot in spots(leveled, "place")), "")
    plain = leveled
    for name in ("colour", "place"):
        for spot in reversed(spots(plain, name)):
            plain = plain[: spot.start] + " " + plain[spot.end :]
    drawn = art_of(plain) or art_of(leveled)
    kind = kinds.kind_of(drawn).name if drawn else ""
    return Aim(
        words=words,
        colour=colour,
        place=spotted,
        is_person=kind in ("person", "musician"),
        is_worn=kind == "worn",
        art=drawn,
    )


def art_of(words: str) -> str:
    """Return the drawing that some words mean in any language, or ""."""
    for language in LANGUAGES:
        found = nouns.find_art(words.strip(), language)
        if found:
            return found
    return ""


def coloured(picture: Picture, colour: str) -> Floats:
    """Return how much each place has a colour, 0..1."""
    hsv = cv2.cvtColor(picture, cv2.COLOR_RGB2HSV_FULL).astype(np.float32) / np.float32(255)
    hue, saturation, value = hsv[:, :, 0], hsv[:, :, 1], hsv[:, :, 2]
    if colour in _GREYS:
        low, high = _GREYS[colour]
        inside = np.clip((value - low) / 0.06, 0, 1) * np.clip((high - value) / 0.06, 0, 1)
        return np.asarray(inside * np.clip((0.32 - saturation) / 0.10, 0, 1), dtype=np.float32)
    at = HUES.get(colour)
    if at is None:
        return np.zeros(picture.shape[:2], dtype=np.float32)
    apart = np.abs((hue - at + 0.5) % 1.0 - 0.5)
    width = 0.055 if colour in ("red", "orange", "yellow", "golden", "brown") else 0.075
    near = np.clip((width - apart) / 0.02, 0, 1)
    lively = np.clip((saturation - 0.24) / 0.14, 0, 1) * np.clip((value - 0.12) / 0.08, 0, 1)
    return np.asarray(near * lively, dtype=np.float32)


def found_in(picture: Picture, aim: Aim, moving: Floats | None) -> Found | None:
    """Find what is meant in a small picture. moving: what moves besides the camera, 0..1; None = not known."""
    matte = matte_of(picture)
    subjects = [_core(one) for one in components(matte, _LEAST_PART)]
    candidates = [(one, 1.0) for one in subjects]
    if moving is not None:
        candidates += [(one, _MOVES) for one in _blobs(moving) if not _is_among(one, subjects)]
    part = coloured(picture, aim.colour) if aim.colour else None
    if part is not None:
        # What has the colour is a candidate by itself, unless it is the paint of something that mostly has it.
        painted = [one for one in subjects if _share(one, part) >= _PAINTED]
        blobs = _blobs(np.asarray(cv2.blur(part, (3, 3)), dtype=np.float32))
        candidates += [(one, 1.0) for one in blobs if not _is_among(one, painted)]
    if not candidates:
        return None
    scores = [weight * _size(mask) * _shaped(mask, aim) for mask, weight in candidates]
    if part is not None and not aim.is_worn:
        shares = [_share(mask, part) for mask, _ in candidates]
        if max(shares) < _COLOURED:
            return None
        scores = [one * share**2 if share >= _COLOURED else 0.0 for one, share in zip(scores, shares, strict=True)]
    scores = [one * _fits(mask, aim.place) for one, (mask, _) in zip(scores, candidates, strict=True)]
    if (aim.is_person or aim.is_worn) and len(candidates) > 1:
        scores = [one * (0.35 + _face(picture, mask)) for one, (mask, _) in zip(scores, candidates, strict=True)]
    order = sorted(range(len(scores)), key=lambda index: -scores[index])
    best = candidates[order[0]][0]
    is_sure = len(order) < 2 or scores[order[1]] < _ALIKE * scores[order[0]]
    return Found(mask=best, is_sure=is_sure)


def garment_of(picture: Picture, person: Floats, colour: str = "") -> Floats:
    """Return what somebody wears above the hips: of a colour, or of the one that most of it has."""
    rows = np.flatnonzero((person > 0.5).any(axis=1))
    if not rows.size:
        return person
    tall = int(rows[-1]) - int(rows[0]) + 1
    columns = np.flatnonzero((person > 0.5).any(axis=0))
    wide = int(columns[-1]) - int(columns[0]) + 1
    # A figure that is cut off below is seen from the chest up: its head takes more of it.
    first, last = (0.34, 1.0) if tall < 1.6 * wide else _GARMENT
    zone = np.zeros_like(person)
    zone[int(rows[0] + first * tall) : int(rows[0] + last * tall)] = 1
    inside = person * zone
    if colour:
        own = coloured(picture, colour) * inside
        if float(own.sum()) > 0.05 * float(inside.sum()):
            return np.asarray(own, dtype=np.float32)
    return np.asarray(alike(picture, inside) * inside, dtype=np.float32)


def alike(picture: Picture, inside: Floats) -> Floats:
    """Return how much each place has the colour that most of a mask has, 0..1; skin and what is grey count less."""
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB).astype(np.float32)
    chosen = inside > 0.6
    if int(chosen.sum()) < 20:
        return inside
    points = lab[chosen] * np.array([0.45, 1.0, 1.0], dtype=np.float32)
    count = 3
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 0.5)
    cv2.setRNGSeed(7)
    _, labels, centres = cv2.kmeans(
        points[:: max(1, len(points) // 4000)], count, None, criteria, 2, cv2.KMEANS_PP_CENTERS
    )  # type: ignore[call-overload]
    sizes = np.bincount(labels.ravel(), minlength=count).astype(np.float64)
    # Skin lies at a little red and yellow, lightly: rarely what is meant.
    liveliness = np.hypot(centres[:, 1] - 128, centres[:, 2] - 128)
    best = int(np.argmax(sizes * (0.5 + np.minimum(liveliness, 40) / 40)))
    apart = np.linalg.norm(lab * np.array([0.45, 1.0, 1.0], dtype=np.float32) - centres[best], axis=2)
    return np.asarray(np.clip((34 - apart) / 12, 0, 1), dtype=np.float32)


def _blobs(values: Floats) -> Sequence[Floats]:
    solid = cv2.morphologyEx((values > 0.5).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    solid = cv2.morphologyEx(solid, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    number, labels, stats, _ = cv2.connectedComponentsWithStats(solid)
    least = _LEAST_PART * values.size
    kept = [one for one in range(1, number) if stats[one, cv2.CC_STAT_AREA] >= least]
    return [np.asarray(labels == one, dtype=np.float32) for one in kept]


def _share(mask: Floats, part: Floats) -> float:
    return float((mask * part).sum() / max(float(mask.sum()), 1e-6))


def _is_among(mask: Floats, subjects: Sequence[Floats]) -> bool:
    """Whether a part is one of the subjects, or a good part of one."""
    own = float(mask.sum())
    return any(float((mask * one).sum()) > 0.5 * own > 0.15 * float(one.sum()) for one in subjects)


def _size(mask: Floats) -> float:
    """How much there is of it, what is in the middle counting more."""
    height_px, width_px = mask.shape
    across, down = np.linspace(-1, 1, width_px), np.linspace(-1, 1, height_px)
    middle = np.exp(-(across[None, :] ** 2 + down[:, None] ** 2))
    return float(float((mask * (0.4 + middle)).mean()) ** 0.3)


def _core(mask: Floats) -> Floats:
    """Return a subject without the haze of it, and the small things, that lie elsewhere."""
    solid = (mask > 0.5).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(solid)
    areas = stats[1:, cv2.CC_STAT_AREA]
    if not len(areas):
        return mask
    kept = 1 + np.flatnonzero(areas >= 0.15 * int(areas.max()))
    near = cv2.dilate(np.isin(labels, kept).astype(np.float32), np.ones((9, 9), np.uint8))
    return np.asarray(mask * near, dtype=np.float32)


def _shaped(mask: Floats, aim: Aim) -> float:
    """How much the outline is that of the drawing which the words mean; 1 where there is none."""
    if not aim.art or aim.is_person or aim.is_worn:
        return 1.0
    rows, columns = np.nonzero(mask > 0.5)
    if not rows.size:
        return 1.0
    cut = mask[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    drawn = _outline(aim.art)
    own = cv2.resize(cut, (_OUTLINE_PX, _OUTLINE_PX), interpolation=cv2.INTER_AREA) > 0.5
    alike = max(float((own & side).sum()) / max(1, int((own | side).sum())) for side in (drawn, drawn[:, ::-1]))
    return float((0.4 + alike) ** 3)


@cache
def _outline(art_id: str) -> NDArray[np.bool_]:
    alpha = cropped(sprite(art_id, 2 * _OUTLINE_PX))[..., 3]
    return np.asarray(cv2.resize(alpha, (_OUTLINE_PX, _OUTLINE_PX), interpolation=cv2.INTER_AREA) > 127)


def _fits(mask: Floats, place: str) -> float:
    rows, columns = np.nonzero(mask > 0.5)
    if not place or not rows.size:
        return 1.0
    x, y = float(columns.mean()) / mask.shape[1], float(rows.mean()) / mask.shape[0]
    low = float(rows.max()) / mask.shape[0]
    way = {"left": 1 - x, "right": x, "top": 1 - y, "bottom": y, "centre": 1 - 2 * abs(x - 0.5), "front": low}
    return float(max(0.02, way.get(place, 1 - low if place == "back" else 0.5)) ** 3)


def _face(picture: Picture, mask: Floats) -> float:
    rows, columns = np.nonzero(mask > 0.5)
    if not rows.size:
        return 0.0
    top, left, right = int(rows.min()), int(columns.min()), int(columns.max()) + 1
    side = max(24, min(right - left, picture.shape[0]))
    middle = (left + right) // 2
    seen = picture[max(0, top - side // 8) : top + side, max(0, middle - side // 2) : middle + side // 2]
    return 1.0 if min(seen.shape[:2]) > 8 and score(np.ascontiguousarray(seen)) >= LEAST_SCORE else 0.0
