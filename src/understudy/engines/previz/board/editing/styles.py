"""The styles that a given video can be redrawn in: one function each on a picture, chosen by the words of the edit."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np

from understudy.engines.previz.board.editing import strokes
from understudy.engines.previz.board.editing.laying import Floats
from understudy.engines.previz.pictures.light import grade_matrix
from understudy.media.decode import Picture
from understudy.reading.spotting import level

_PIXELS_DOWN = 120
_PALETTE = 28
_DITHER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]], dtype=np.float32) / 16 - 0.47


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Which picture of the stretch is drawn, and the film's seed. palette: the colours of the stretch, (n, 3)."""

    offset: int
    seed: int
    fps: int
    palette: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]] | None" = None


Style = Callable[[Picture, Moment], Picture]


class Styled:
    """The pictures of a video in a style."""

    def __init__(self, value: str, words: str, samples: Picture, *, seed: int, fps: int) -> None:
        """value: of the vocabulary of styles. words: of the prompt, which may say it more finely."""
        name = next((finer for word, finer in _FINER.items() if word in level(words)), value)
        self.is_known = name in _STYLES
        self._draw = _STYLES.get(name, _plain)
        self._seed, self._fps = seed, fps
        self._palette = _palette_of(samples) if name == "pixel" else None

    def changed(self, picture: Picture, offset: int) -> Picture:
        """Return the picture in the style."""
        return self._draw(picture, Moment(offset=offset, seed=self._seed, fps=self._fps, palette=self._palette))


# Words of a prompt that say a style more finely than the vocabulary does.
_FINER = {
    "ink wash": "ink", "ink painting": "ink", "sumi": "ink", "水墨": "ink", "国画": "ink", "chinese painting": "ink",
    "tinta china": "ink", "sketch": "sketch", "pencil": "sketch", "素描": "sketch", "スケッチ": "sketch",
    "boceto": "sketch", "esboco": "sketch", "sketsa": "sketch", "oil": "oil", "油画": "oil", "油絵": "oil",
    "oleo": "oil", "van gogh": "oil", "lukisan minyak": "oil", "impressionis": "oil", "comic": "comic",
    "漫画风格": "comic", "quadrinhos": "comic", "pop art": "comic", "sepia": "vintage", "ukiyo": "comic",
    "clay": "clay", "粘土": "clay", "黏土": "clay", "plasticine": "clay", "plastilina": "clay", "massinha": "clay",
    "クレイ": "clay",
}  # fmt: skip


def _grade(name: str) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    return np.array(grade_matrix(name, ""))


def _plain(picture: Picture, _: Moment) -> Picture:
    return picture.copy()


def _anime(picture: Picture, _: Moment) -> Picture:
    paint = strokes.stepped(strokes.flat(picture, passes=2), 7, softness=0.35)
    paint = strokes.split(strokes.graded(paint, _grade("anime")), (0.98, 1.0, 1.14), (1.06, 1.03, 1.0))
    paint = strokes.bloomed(paint, above=190, strength=0.55)
    return strokes.drawn_over(paint, strokes.inked(picture, strength=0.62, breadth=0.8) * 0.85, (38, 26, 48))


def _cartoon(picture: Picture, _: Moment) -> Picture:
    paint = strokes.stepped(strokes.flat(picture, passes=3), 5, softness=0.30)
    paint = strokes.graded(paint, _grade("cartoon"))
    return strokes.drawn_over(paint, strokes.inked(picture, strength=0.9, breadth=1.5), (18, 14, 16))


@lru_cache(maxsize=2)
def _dots(height_px: int, width_px: int) -> Floats:
    """Return the screen of a printer at 45 degrees, -1..1."""
    cell = max(5.0, height_px / 74)
    rows, columns = np.mgrid[0:height_px, 0:width_px].astype(np.float32)
    dots = np.cos((columns + rows) * (np.pi / cell)) * np.cos((columns - rows) * (np.pi / cell))
    return np.asarray(dots, dtype=np.float32)


def _comic(picture: Picture, _: Moment) -> Picture:
    """Printed dots in the shades, under thick lines."""
    smooth = strokes.flat(picture, passes=2)
    paint = strokes.graded(strokes.stepped(smooth, 4, softness=0.25), _grade("cartoon"))
    # The dots follow the light in the large; fine grain would break them up.
    luma = cv2.GaussianBlur(cv2.cvtColor(smooth, cv2.COLOR_RGB2GRAY), (0, 0), picture.shape[0] / 160)
    most = cv2.LUT(luma, (np.arange(256, dtype=np.float32) / 255 * 2.6 - 0.55).astype(np.float32))
    shade = np.float32(2.5) * cv2.subtract(_dots(*picture.shape[:2]), most)
    # In black there is nothing to print on.
    open_part = cv2.LUT(luma, np.clip((np.arange(256, dtype=np.float32) - 26) / 30, 0, 1).astype(np.float32))
    shade = np.clip(shade, 0, 1) * open_part * np.float32(0.42)
    paint = strokes.drawn_over(paint, np.asarray(shade, dtype=np.float32), (24, 28, 96))
    return strokes.drawn_over(paint, strokes.inked(smooth, strength=0.85, breadth=2.0), (10, 8, 12))


def _clay(picture: Picture, moment: Moment) -> Picture:
    """Soft rounded forms that bulge, with a sheen and the marks of thumbs, which are others on each fourth picture."""
    paint = strokes.graded(strokes.brushed(picture, radius_px=10, longest_px=430), _grade("cartoon"))
    grey = cv2.cvtColor(paint, cv2.COLOR_RGB2GRAY).astype(np.float32)
    height_px, width_px = grey.shape
    # Each form stands out from its neighbours by its rim: the light comes from above on the left.
    form = cv2.GaussianBlur(grey, (0, 0), height_px / 110)
    edge = cv2.GaussianBlur(cv2.absdiff(grey, form), (0, 0), height_px / 200)
    bulge = cv2.GaussianBlur(edge, (0, 0), height_px / 90)
    thumb = _thumbs(height_px, width_px, moment.seed, number=moment.offset // 4 % _THUMBS)
    relief = cv2.Sobel(bulge, cv2.CV_32F, 1, 0, ksize=3) + cv2.Sobel(bulge, cv2.CV_32F, 0, 1, ksize=3)
    light = np.clip(relief * (height_px / 60), -34, 34) + thumb - np.clip(edge * 1.6, 0, 44)
    return np.asarray(cv2.add(paint, cv2.merge([np.asarray(light, np.float32)] * 3), dtype=cv2.CV_8U), dtype=np.uint8)


_THUMBS = 3


@lru_cache(maxsize=_THUMBS)
def _thumbs(height_px: int, width_px: int, seed: int, *, number: int) -> Floats:
    """Return the light on clay that was pressed by thumbs, in levels."""
    rng = np.random.default_rng([abs(seed), 53, number])
    field = np.zeros((height_px, width_px), dtype=np.float32)
    for cells, weight in ((14, 1.0), (30, 0.45)):
        size = (round(cells * width_px / height_px), cells)
        noise = rng.normal(0, 1, size[::-1]).astype(np.float32)
        field += weight * cv2.resize(noise, (width_px, height_px), interpolation=cv2.INTER_CUBIC)
    slope = cv2.Sobel(field, cv2.CV_32F, 1, 0, ksize=3) + cv2.Sobel(field, cv2.CV_32F, 0, 1, ksize=3)
    return np.asarray(np.clip(slope * (7 / max(float(slope.std()), 1e-6)), -16, 16), dtype=np.float32)


def _watercolor(picture: Picture, moment: Moment) -> Picture:
    wash = strokes.brushed(picture, radius_px=6, longest_px=560)
    # Pigment gathers at the rim of each wash.
    grey = cv2.cvtColor(wash, cv2.COLOR_RGB2GRAY).astype(np.float32)
    rim = cv2.morphologyEx(cv2.GaussianBlur(grey, (0, 0), 1.6), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    pale = cv2.addWeighted(strokes.graded(wash, _grade("watercolor")), 0.80, np.full_like(wash, 250), 0.20, 4)
    toned = pale.astype(np.float32) * (1 - np.clip(rim / 90, 0, 0.42))[..., None]
    height_px, width_px = picture.shape[:2]
    # The wash ends before the paper does.
    fall = strokes.edge_falloff(height_px, width_px, 100)
    border = np.clip((1 - fall[..., :1] - 0.62) / 0.35, 0, 0.9)
    toned = toned * (1 - border) + 250 * border
    return strokes.on_paper(np.clip(toned, 0, 255).astype(np.uint8), moment.seed)


def _oil(picture: Picture, moment: Moment) -> Picture:
    paint = strokes.graded(strokes.brushed(picture, radius_px=7, longest_px=520), _grade("fantasy"))
    grey = cv2.cvtColor(paint, cv2.COLOR_RGB2GRAY).astype(np.float32)
    # Thick paint throws a little light and shade of its own.
    relief = cv2.Sobel(grey, cv2.CV_32F, 1, 1, ksize=3)
    lit = paint.astype(np.float32) + np.clip(relief * 0.6, -22, 22)[..., None]
    texture = strokes.paper(picture.shape[0], picture.shape[1], moment.seed)
    return np.asarray(np.clip(lit * (0.35 + 0.65 * texture), 0, 255), dtype=np.uint8)


def _grey(luma: Any) -> Picture:
    return np.asarray(cv2.merge([luma] * 3), dtype=np.uint8)


def _ink(picture: Picture, moment: Moment) -> Picture:
    wash = strokes.brushed(picture, radius_px=7, longest_px=480)
    grey = cv2.cvtColor(wash, cv2.COLOR_RGB2GRAY)
    grey = cv2.LUT(grey, np.clip(255 * (np.arange(256) / 255) ** 0.72 + 18, 0, 245).astype(np.uint8))
    grey = strokes.stepped(_grey(grey), 6, softness=0.6)[..., 0]
    lines = strokes.inked(_grey(cv2.cvtColor(wash, cv2.COLOR_RGB2GRAY)), strength=0.8, breadth=1.9) * 0.85
    tone = cv2.merge([cv2.convertScaleAbs(grey, alpha=factor) for factor in (0.99, 0.965, 0.90)])
    tint = cv2.addWeighted(np.asarray(tone, dtype=np.uint8), 0.9, wash, 0.1, 0)
    return strokes.on_paper(strokes.drawn_over(np.asarray(tint, dtype=np.uint8), lines, (26, 25, 30)), moment.seed)


@lru_cache(maxsize=2)
def _hatches(height_px: int, width_px: int) -> tuple[Floats, Floats]:
    """Return two directions of pencil strokes, 0..1."""
    rows, columns = np.mgrid[0:height_px, 0:width_px].astype(np.float32)
    pitch = max(4.0, height_px / 110)
    # A hand does not draw quite straight.
    waver = pitch * 0.7 * np.sin(columns / (pitch * 9.0)) + pitch * 0.5 * np.sin(rows / (pitch * 6.0))
    found = []
    for slope in (1.0, -0.8):
        wave = 0.5 + 0.5 * np.sin((columns * slope + rows + waver) * (2 * np.pi / pitch / 1.3))
        found.append(np.asarray(np.clip(wave * 1.6 - 0.5, 0, 1), dtype=np.float32))
    return found[0], found[1]


def _sketch(picture: Picture, moment: Moment) -> Picture:
    """Pencil: lines, and hatching that grows denser in the shade."""
    grey = cv2.cvtColor(strokes.flat(picture, passes=1), cv2.COLOR_RGB2GRAY)
    # Lifted, as the quotient of two blacks is noise.
    lifted = cv2.addWeighted(grey, 0.78, np.full_like(grey, 56), 1.0, 0)
    soft = cv2.GaussianBlur(lifted, (0, 0), max(2.0, picture.shape[0] / 90))
    # Bent, so that a lead leaves a line where the picture has a faint edge.
    dodge = cv2.LUT(
        cv2.divide(lifted, soft, scale=250), np.rint(246 * (np.arange(256) / 250) ** 2.6).clip(0, 246).astype(np.uint8)
    )
    height_px, width_px = grey.shape
    light = np.arange(256, dtype=np.float32)
    shade = 1 - np.clip((light - 56) / 199, 0, 1)
    hatch = np.zeros(grey.shape, dtype=np.float32)
    for strokes_of, since in zip(_hatches(height_px, width_px), (0.40, 0.64), strict=True):
        share = cv2.LUT(soft, (np.clip((shade - since) * 2.4, 0, 1) * 0.40).astype(np.float32))
        hatch += cv2.multiply(share, strokes_of)
    # What is black is rubbed over besides.
    rubbed = cv2.LUT(soft, (1 - 0.10 * shade - 0.42 * np.clip((shade - 0.72) / 0.28, 0, 1)).astype(np.float32))
    page = dodge.astype(np.float32) * (1 - hatch) * rubbed
    texture = strokes.paper(height_px, width_px, moment.seed)
    tone = cv2.multiply(cv2.merge([page, page * 0.985, page * 0.955]), texture)
    return np.asarray(np.clip(tone, 20, 250), dtype=np.uint8)


def _noir(picture: Picture, moment: Moment) -> Picture:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    values = np.arange(256) / 255
    curve = np.clip((values - 0.10) / 0.80, 0, 1) ** 1.35
    curve = 0.55 * curve + 0.45 * curve * curve * (3 - 2 * curve)
    toned = cv2.merge([cv2.LUT(grey, np.rint(curve * 255).astype(np.uint8))] * 3)
    lit = strokes.bloomed(np.asarray(toned, dtype=np.uint8), above=200, strength=0.5)
    return strokes.grained(strokes.darkened_at_edges(lit, 72), moment.offset, levels=7, seed=moment.seed)


def _monochrome(picture: Picture, moment: Moment) -> Picture:
    grey = cv2.merge([cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)] * 3)
    toned = strokes.graded(np.asarray(grey, dtype=np.uint8), _grade("monochrome"))
    return strokes.grained(toned, moment.offset, levels=3.5, seed=moment.seed)


def _vintage(picture: Picture, moment: Moment) -> Picture:
    """Faded colours, grain, a gate that is not quite still, dust and a scratch now and then."""
    rng = np.random.default_rng([abs(moment.seed), 43, moment.offset])
    height_px, width_px = picture.shape[:2]
    shift = rng.normal(0, height_px / 900, 2)
    matrix = np.array([[1.006, 0, shift[0] - 0.003 * width_px], [0, 1.006, shift[1] - 0.003 * height_px]])
    moved = np.asarray(
        cv2.warpAffine(picture, matrix, (width_px, height_px), borderMode=cv2.BORDER_REPLICATE), np.uint8
    )
    toned = strokes.split(strokes.graded(moved, _grade("vintage")), (1.12, 1.0, 0.94), (1.04, 1.0, 0.82))
    # The lamp of a projector is not quite even.
    toned = np.asarray(cv2.convertScaleAbs(toned, alpha=0.90 * (1 + rng.normal(0, 0.012)), beta=20), dtype=np.uint8)
    toned = strokes.grained(strokes.darkened_at_edges(toned, 46), moment.offset, levels=6.5, seed=moment.seed)
    if rng.random() < 0.35:
        centre = (int(rng.integers(width_px)), int(rng.integers(height_px)))
        cv2.circle(toned, centre, max(1, int(height_px * rng.uniform(0.001, 0.004))), (40, 34, 28), -1, cv2.LINE_AA)
    scratch = np.random.default_rng([abs(moment.seed), 47, moment.offset // max(1, moment.fps)])
    if scratch.random() < 0.5:
        x = int(scratch.uniform(0.1, 0.9) * width_px + rng.normal(0, 1))
        cv2.line(toned, (x, 0), (x + 2, height_px), (205, 196, 176), 1, cv2.LINE_AA)
    return toned


def _pixel(picture: Picture, moment: Moment) -> Picture:
    height_px, width_px = picture.shape[:2]
    cell = max(2.0, min(height_px, width_px) / _PIXELS_DOWN)
    size = (max(8, round(width_px / cell)), max(8, round(height_px / cell)))
    small = cv2.resize(strokes.graded(picture, _grade("anime")), size, interpolation=cv2.INTER_AREA).astype(np.float32)
    tiled = np.tile(_DITHER, (size[1] // 4 + 1, size[0] // 4 + 1))[: size[1], : size[0], None]
    small = np.clip(small + tiled * 14, 0, 255)
    palette = moment.palette if moment.palette is not None else _palette_of(picture)
    apart = ((small[:, :, None] - palette[None, None].astype(np.float32)) ** 2 * (0.30, 0.59, 0.11)).sum(axis=3)
    chosen = palette[np.argmin(apart, axis=2)]
    return np.asarray(cv2.resize(chosen, (width_px, height_px), interpolation=cv2.INTER_NEAREST), dtype=np.uint8)


def _palette_of(samples: Picture) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    """Return the colours that stand for those of some pictures."""
    lively = strokes.graded(samples, _grade("anime"))
    points = lively.reshape(-1, 3)[:: max(1, lively.size // 3 // 12000)].astype(np.float32)
    cv2.setRNGSeed(11)
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 16, 0.5)
    count = min(_PALETTE, max(2, len(points) // 4))
    found = cv2.kmeans(points, count, None, criteria, 1, cv2.KMEANS_PP_CENTERS)  # type: ignore[call-overload]
    return np.asarray(np.clip(np.rint(found[2]), 0, 255), dtype=np.uint8)


def _cyberpunk(picture: Picture, _: Moment) -> Picture:
    """Teal in the shades, magenta in the lights, and a shine around what is bright."""
    calm = strokes.graded(picture, _grade("noir"))
    # Enough of the own colours stays that skin, leaves and eyes are told apart.
    toned = cv2.addWeighted(picture, 0.66, calm, 0.34, 0)
    toned = strokes.split(np.asarray(toned, dtype=np.uint8), (0.24, 1.06, 1.42), (1.34, 0.74, 1.22))
    dark = np.asarray(cv2.convertScaleAbs(toned, alpha=0.90), dtype=np.uint8)
    # Light of signs lies in the dark itself.
    luma = cv2.cvtColor(dark, cv2.COLOR_RGB2GRAY)
    levels = np.arange(256)
    veil = [cv2.LUT(luma, np.clip(top * (1 - levels / 110), 0, 255).astype(np.uint8)) for top in (0, 20, 40)]
    lit = np.asarray(cv2.add(dark, cv2.merge(veil)), dtype=np.uint8)
    return strokes.darkened_at_edges(strokes.bloomed(lit, above=140, strength=0.7), 45)


def _cinematic(picture: Picture, moment: Moment) -> Picture:
    toned = strokes.split(strokes.graded(picture, _grade("cinematic")), (0.86, 1.0, 1.14), (1.08, 1.0, 0.88))
    toned = strokes.darkened_at_edges(strokes.bloomed(toned, above=200, strength=0.5), 34)
    return strokes.grained(toned, moment.offset, levels=2.2, seed=moment.seed)


def _pastel(picture: Picture, _: Moment) -> Picture:
    toned = strokes.graded(strokes.flat(picture, passes=1), _grade("pastel"))
    return strokes.bloomed(cv2.addWeighted(toned, 0.84, np.full_like(toned, 250), 0.16, 0), above=170, strength=0.4)  # type: ignore[arg-type]


def _documentary(picture: Picture, moment: Moment) -> Picture:
    """Sober: less colour, soft blacks, the grain of a fast stock."""
    toned = cv2.convertScaleAbs(strokes.graded(picture, _grade("documentary")), alpha=0.93, beta=11)
    return strokes.grained(np.asarray(toned, dtype=np.uint8), moment.offset, levels=4.5, seed=moment.seed)


def _horror(picture: Picture, moment: Moment) -> Picture:
    toned = strokes.split(strokes.graded(picture, _grade("horror")), (0.66, 0.84, 0.82), (0.92, 1.0, 0.90))
    toned = np.asarray(cv2.convertScaleAbs(toned, alpha=0.80), dtype=np.uint8)
    return strokes.grained(strokes.darkened_at_edges(toned, 78), moment.offset, levels=5, seed=moment.seed)


def _fantasy(picture: Picture, _: Moment) -> Picture:
    toned = strokes.graded(picture, _grade("fantasy"))
    # Half of the grade: faces and fur keep their own colour, and the shine its drawing.
    toned = np.asarray(cv2.addWeighted(toned, 0.5, picture, 0.42, 0), dtype=np.uint8)
    toned = strokes.split(toned, (0.94, 0.96, 1.22), (1.04, 1.02, 0.98))
    return strokes.bloomed(toned, above=168, strength=0.75)


_STYLES: dict[str, Style] = {
    "anime": _anime, "cartoon": _cartoon, "comic": _comic, "clay": _clay, "watercolor": _watercolor, "oil": _oil,
    "ink": _ink, "sketch": _sketch, "noir": _noir, "monochrome": _monochrome, "vintage": _vintage, "pixel": _pixel,
    "cyberpunk": _cyberpunk, "cinematic": _cinematic, "pastel": _pastel, "documentary": _documentary,
    "horror": _horror, "fantasy": _fantasy,
}  # fmt: skip
