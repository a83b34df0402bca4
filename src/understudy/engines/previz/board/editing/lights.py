"""Another hour of the day over a video: its light, its sky, and the lamps that are lit in it."""

from dataclasses import dataclass

import cv2
import numpy as np

from understudy.engines.previz.board.editing.laying import Floats, fine
from understudy.engines.previz.board.editing.standins import Light
from understudy.engines.previz.plan import TimeOfDay
from understudy.media.decode import Picture

_SHRUNK = 8
_USUAL_LUMA = 0.45


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """What an hour does.

    luma: how bright its pictures are, 0..1, as a mean. shade, shine: gains of the darkest and of the brightest places.
    colour: how much colour is left. high, low: of the sky above and at the horizon, 0..1; sky:
    how much of it. glow: of lamps and windows.
    """

    luma: float
    shade: tuple[float, float, float]
    shine: tuple[float, float, float]
    colour: float
    high: tuple[float, float, float]
    low: tuple[float, float, float]
    sky: float
    glow: float


_HOURS = {
    TimeOfDay.NIGHT: Hour(
        luma=0.18, shade=(0.52, 0.78, 1.30), shine=(0.80, 0.92, 1.14), colour=0.50, high=(0.012, 0.022, 0.075),
        low=(0.06, 0.095, 0.20), sky=0.88, glow=1.0,
    ),
    TimeOfDay.DUSK: Hour(
        luma=0.31, shade=(0.88, 0.78, 1.14), shine=(1.30, 0.92, 0.66), colour=0.95, high=(0.26, 0.20, 0.42),
        low=(1.00, 0.56, 0.27), sky=0.72, glow=0.6,
    ),
    TimeOfDay.DAWN: Hour(
        luma=0.42, shade=(0.90, 0.90, 1.14), shine=(1.16, 0.96, 0.88), colour=0.82, high=(0.50, 0.56, 0.78),
        low=(1.00, 0.80, 0.68), sky=0.55, glow=0.2,
    ),
    TimeOfDay.DAY: Hour(
        luma=0.50, shade=(1.0, 1.0, 1.0), shine=(1.03, 1.01, 0.97), colour=1.12, high=(0.30, 0.55, 0.92),
        low=(0.80, 0.91, 1.00), sky=0.35, glow=0.0,
    ),
}  # fmt: skip


class Relit:
    """The pictures of a video at another hour."""

    def __init__(self, hour: TimeOfDay, light: Light) -> None:
        """light: of the video, so that what is dark already does not become black."""
        self._hour = _HOURS[hour]
        target = _reached(self._hour, light)
        # As a power first, which keeps black and white where they are, then as a gain.
        power = float(np.clip(np.log(max(target, 0.02)) / np.log(np.clip(light.luma, 0.04, 0.95)), 0.45, 1.7))
        reached = float(np.clip(light.luma, 0.04, 0.95)) ** power
        self._gain = float(np.clip(target / reached, 0.12, 1.8))
        levels = (np.arange(256) / 255) ** power * self._gain
        self._curve = (np.clip(levels, 0, 1) * 255).astype(np.float32)

    def changed(self, picture: Picture, offset: int) -> Picture:
        """Return the picture at that hour."""
        hour = self._hour
        height_px, width_px = picture.shape[:2]
        size = (max(4, width_px // _SHRUNK), max(4, height_px // _SHRUNK))
        small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        whole = (width_px, height_px)
        sky = large_sky_in(picture)
        small_sky = np.asarray(cv2.resize(sky, size, interpolation=cv2.INTER_AREA), dtype=np.float32)
        luma = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32) / np.float32(255)
        # The gains follow the light in the large, so that they make no edges of their own.
        part = cv2.GaussianBlur(luma, (0, 0), 1.5)[:, :, None]
        gains = np.array(hour.shade, np.float32) * (1 - part) + np.array(hour.shine, np.float32) * part
        if hour.glow:
            gains *= self._falloff(size)
        rows = np.linspace(0, 1, size[1], dtype=np.float32)[:, None, None] ** 0.8
        heaven = np.array(hour.high, np.float32) * (1 - rows) + np.array(hour.low, np.float32) * rows
        # The clouds stay: a sky has the new colour at its own brightness.
        mean = float((luma * small_sky).sum() / max(float(small_sky.sum()), 1e-3))
        clouds = np.clip(luma / max(mean, 0.05), 0.45, 1.5)[:, :, None]
        lamps = self._lamps(small, small_sky) if hour.glow else np.zeros(small.shape, dtype=np.float32)
        cover = cv2.merge([sky * np.float32(hour.sky)] * 3)
        scale = cv2.resize(gains.astype(np.float32), whole, interpolation=cv2.INTER_LINEAR)
        above = cv2.resize((heaven * clouds * 255).astype(np.float32), whole, interpolation=cv2.INTER_LINEAR)
        grey = np.array([[0.2126, 0.7152, 0.0722]] * 3) * (1 - hour.colour) + np.eye(3) * hour.colour
        toned = cv2.transform(picture, grey)
        lit = cv2.LUT(toned, self._curve)
        lit = cv2.multiply(lit, scale)
        lit = cv2.add(cv2.multiply(lit, 1 - cover), cv2.multiply(above, cover))
        if hour.glow:
            lit = cv2.add(lit, cv2.resize(lamps, whole, interpolation=cv2.INTER_CUBIC))
        return np.clip(np.rint(lit), 0, 255).astype(np.uint8)

    def _falloff(self, size_px: tuple[int, int]) -> Floats:
        """Return how the light falls off towards the frame's edges, where no lamp reaches."""
        across, down = np.linspace(-1, 1, size_px[0]), np.linspace(-1, 1, size_px[1])
        apart = across[None, :] ** 2 * 0.7 + down[:, None] ** 2 * 0.5
        return np.asarray(1 - 0.26 * self._hour.glow * np.clip(apart, 0, 1), dtype=np.float32)[:, :, None]

    def _lamps(self, small: Picture, sky: Floats) -> Floats:
        """Return the light of lamps and windows: what is very bright or warm and bright, but no sky, with a halo."""
        colours = small.astype(np.float32)
        luma = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
        brightest, darkest = colours.max(axis=2), colours.min(axis=2)
        warm = np.clip((colours[..., 0] - colours[..., 2] - 30) / 60, 0, 1)
        level = np.clip((luma - 222 + 18 * warm) / 26, 0, 1) * (1 - sky)
        # A broad bright place is a wall, no lamp.
        broad = cv2.blur(level, (13, 13), borderType=cv2.BORDER_REPLICATE)
        level = level * np.clip(1.25 - 1.6 * broad, 0, 1) * (1 - cv2.dilate(sky, np.ones((11, 11), np.uint8)))
        tone = np.stack([brightest, 0.5 * brightest + 0.28 * (brightest + darkest) / 2, darkest * 0.35 + 40], axis=2)
        own = tone * level[..., None] * 0.75
        halo = cv2.GaussianBlur(own, (0, 0), 3.0) * 0.9 + cv2.GaussianBlur(own, (0, 0), 9.0) * 0.8
        return np.asarray((own + 0.7 * halo) * self._hour.glow, dtype=np.float32)


def light_at(hour: TimeOfDay, light: Light) -> Light:
    """Return the light that a video has once it is at another hour."""
    share = _reached(_HOURS[hour], light) / max(light.luma, 1e-3)
    red, green, blue = (min(value * share, 1.0) for value in light.mean)
    return Light(mean=(red, green, blue))


def _reached(hour: Hour, light: Light) -> float:
    """Return how bright a video is then, 0..1."""
    return hour.luma * (0.55 + 0.45 * min(light.luma / _USUAL_LUMA, 1.3))


_SKY_PX = 192
_SKY_WIDE = 0.08
"""Of the upper edge, so much has to be sky for it to be one."""


def sky_in(picture: Picture) -> Floats:
    """Return how much each place of a picture is sky, 0..1, small: bright or blue, even, and open to the upper edge."""
    scale = _SKY_PX / max(picture.shape[:2])
    size = (max(8, round(picture.shape[1] * scale)), max(8, round(picture.shape[0] * scale)))
    small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    hsv = cv2.cvtColor(small, cv2.COLOR_RGB2HSV_FULL).astype(np.float32) / np.float32(255)
    hue, saturation, value = hsv[..., 0], hsv[..., 1], hsv[..., 2]
    blue = np.clip(1 - np.abs(hue - 0.58) / 0.12, 0, 1) * np.clip((saturation - 0.10) / 0.12, 0, 1)
    pale = np.clip((0.24 - saturation) / 0.12, 0, 1) * np.clip((value - 0.62) / 0.15, 0, 1)
    likely = np.maximum(np.clip(2 * blue, 0, 1) * np.clip((value - 0.30) / 0.15, 0, 1), pale)
    luma = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    rough = cv2.blur(cv2.absdiff(luma, cv2.GaussianBlur(luma, (0, 0), 2.0)), (5, 5))
    # The edges of clouds are uneven, but lie in the sky.
    even = cv2.morphologyEx(likely * np.clip((9 - rough) / 4, 0, 1), cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    _, labels = cv2.connectedComponents((even > 0.45).astype(np.uint8))
    tops, counts = np.unique(labels[:3], return_counts=True)
    open_ones = [one for one, count in zip(tops, counts, strict=True) if one and count > 3 * _SKY_WIDE * size[0]]
    opening = np.isin(labels, open_ones).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(even * opening, (0, 0), 0.8), dtype=np.float32)


def large_sky_in(picture: Picture) -> Floats:
    """Return the sky of a picture in its size, its edge along the picture's own."""
    sky = np.clip((sky_in(picture) - 0.2) / 0.5, 0, 1)
    return fine(np.rint(sky * 255).astype(np.uint8), picture)
