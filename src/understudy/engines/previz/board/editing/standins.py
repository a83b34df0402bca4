"""What takes the place of a thing in a video, or comes into it: a drawn figure, or the subject of a given image."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from understudy.engines.previz import kinds
from understudy.engines.previz.board.editing.laying import laid
from understudy.engines.previz.pictures import Canvas
from understudy.engines.previz.pictures.actors import Actor, Setup, Voice
from understudy.engines.previz.pictures.light import look_of
from understudy.engines.previz.pictures.motions import TRAVEL
from understudy.engines.previz.pictures.raster import Raster
from understudy.engines.previz.pictures.roles import cast_of
from understudy.engines.previz.pictures.staging import stage
from understudy.engines.previz.pictures.view import View
from understudy.engines.previz.plan import Action, Framing, SettingKind, Shot, Subject, TimeOfDay, Weather
from understudy.engines.previz.seeing import cut_out
from understudy.media.decode import Picture, read_image

_DARK, _BRIGHT = 0.30, 0.52
_ALOFT = ("bird", "insect", "aircraft", "floater")
_SPRITE_PX = 900
_FADED = 0.08


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where a stand-in is in a picture. foot_x_px, foot_y_px: the middle of its foot. height_px: of the whole."""

    foot_x_px: float
    foot_y_px: float
    height_px: float


class StandIn(Protocol):
    """Something that can be drawn into the pictures of a video."""

    @property
    def aspect(self) -> float:
        """Width over height."""

    def drawn(self, picture: Picture, spot: Spot, time_s: float) -> Picture:
        """Return the picture with it; what it does not cover is the same to the byte."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """The light of a video. mean: of its colours, 0..1 each."""

    mean: tuple[float, float, float]

    @property
    def luma(self) -> float:
        """How bright it is, 0..1."""
        return 0.2126 * self.mean[0] + 0.7152 * self.mean[1] + 0.0722 * self.mean[2]


def light_of(samples: Picture) -> Light:
    """Measure the light of some pictures of a video."""
    red, green, blue = (float(value) / 255 for value in samples.reshape(-1, 3).mean(axis=0))
    return Light(mean=(red, green, blue))


def is_aloft(art: str) -> bool:
    """Whether a drawing belongs into the air."""
    return kinds.kind_of(art).name in _ALOFT


class DrawnFigure:
    """A drawing of the vendored art that does what it would do in a drawn film, lit as the video is."""

    def __init__(self, art: str, canvas: Canvas, light: Light, *, action: Action, heading: float, tint: str) -> None:
        """heading: -1 goes left, 1 right, 0 stays."""
        subject = Subject(art=art, word=art, action=action, tint=tint)
        shot = Shot(duration_s=canvas.duration_s, subjects=(subject,))
        roles, span = cast_of(shot)
        self._role = roles[0]
        self.aspect = float(self._role.aspect)
        self._staging = stage(canvas, Framing.WIDE, SettingKind.MEADOW, aspect=self._role.aspect, group_span=span)
        level = float(np.clip((light.luma - 0.05) / (_BRIGHT - 0.05), 0, 1))
        look = look_of(SettingKind.MEADOW, TimeOfDay.DAY, Weather.CLEAR)
        # Half of the video's own cast: a figure of its very colour would look like a filter.
        cast = np.sqrt((np.array(light.mean) + 0.05) / (light.luma + 0.05))
        red, green, blue = (float(value) for value in np.clip((_DARK + (1.0 - _DARK) * level) * cast, 0.2, 1.08))
        look = replace(look, key=(red, green, blue), shadow=0.36 * (0.4 + 0.6 * level), haziness=0.0)
        aloft = action is Action.FLY or (is_aloft(art) and action in (Action.IDLE, Action.FLOAT, Action.RISE))
        self._travels = action in TRAVEL or not self._role.is_figure
        speed = TRAVEL.get(action, 0.0) * heading
        self._setup = Setup(
            shot=shot,
            look=look,
            rng=np.random.default_rng([abs(canvas.seed), 23]),
            pixels_per_unit=canvas.height_px / self._role.height,
            distance=self._staging.distance,
            duration_s=canvas.duration_s,
            heading=heading or 1.0,
            speed=speed,
            start_x=0.0,
            is_afloat=aloft,
            is_water=False,
        )
        self._actor = Actor(self._role, self._setup, Voice((), 0))
        self._raster = Raster(canvas.width_px, canvas.height_px)

    def drawn(self, picture: Picture, spot: Spot, time_s: float) -> Picture:
        """Return the picture with the figure, as `StandIn` says."""
        raster, staging = self._raster, self._staging
        cv2.cvtColor(picture, cv2.COLOR_RGB2RGBA, dst=raster.pixels)
        scale = spot.height_px / self._role.height
        gone_s = time_s if self._travels else self._setup.duration_s / 2
        view = View(
            width_px=raster.width_px,
            height_px=raster.height_px,
            focal_px=scale * self._actor.depth,
            centre_x_px=spot.foot_x_px,
            horizon_px=spot.foot_y_px - staging.eye * scale,
            x=self._role.x + self._setup.speed * gone_s,
            y=staging.eye,
            z=0.0,
            time_s=time_s,
        )
        self._actor.draw(raster, view)
        return np.asarray(cv2.cvtColor(raster.pixels, cv2.COLOR_RGBA2RGB), dtype=np.uint8)


def _faded(shape: tuple[int, ...], touched: frozenset[str]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Return a factor that fades a subject where its image cut it off: a straight edge in a video looks like a card."""
    height_px, width_px = shape[:2]
    across = np.linspace(0, 1, width_px, dtype=np.float32)[None, :]
    down = np.linspace(0, 1, height_px, dtype=np.float32)[:, None]
    factor = np.ones((height_px, width_px), dtype=np.float32)
    for side, from_edge in (("left", across), ("right", 1 - across), ("top", down), ("bottom", 1 - down)):
        if side in touched:
            factor = factor * np.clip(from_edge / _FADED, 0, 1)
    return np.asarray(factor[..., None], dtype=np.float32)


class CutOutFigure:
    """The subject of a given image, cut out, standing on its shadow."""

    def __init__(self, image: Path, light: Light, *, is_grounded: bool = True) -> None:
        """Raises: Unreadable."""
        found = cut_out(read_image(image))
        self.fault = found.fault
        rgba = found.rgba
        if rgba.shape[0] > _SPRITE_PX:
            factor = _SPRITE_PX / rgba.shape[0]
            rgba = np.asarray(cv2.resize(rgba, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)
        alpha = rgba[..., 3:].astype(np.float32) / np.float32(255) * _faded(rgba.shape, found.touched)
        colours = rgba[..., :3].astype(np.float32)
        inside = alpha[..., 0] > 0.5
        own = float(colours[inside].mean()) / 255 if inside.any() else light.luma
        # A little of the way to the video's brightness: things are dark and bright of their own as well.
        gain = float(np.clip(((light.luma + 0.12) / (own + 0.12)) ** 0.4, 0.55, 1.25))
        colours = np.clip(colours * gain, 0, 255)
        self._bitmap = np.dstack([colours * alpha, alpha * 255]).astype(np.float32)
        self.aspect = rgba.shape[1] / rgba.shape[0]
        self._is_grounded = is_grounded and "bottom" not in found.touched

    def drawn(self, picture: Picture, spot: Spot, time_s: float) -> Picture:
        """Return the picture with the image's subject, as `StandIn` says."""
        height_px, width_px = picture.shape[:2]
        tall, wide = self._bitmap.shape[:2]
        # It breathes: what stands quite still in a video looks glued on.
        breath = 1 + 0.006 * float(np.sin(2.1 * time_s))
        scale_y = spot.height_px / tall * breath
        scale_x = spot.height_px / tall / breath
        lean = 0.010 * float(np.sin(1.3 * time_s + 0.6))
        matrix = np.array(
            [
                [scale_x, -lean * scale_y, spot.foot_x_px - scale_x * wide / 2 + lean * scale_y * tall],
                [0.0, scale_y, spot.foot_y_px - scale_y * tall],
            ]
        )
        shaded = self._shadowed(picture, spot) if self._is_grounded else picture
        way = cv2.INTER_AREA if scale_y < 0.5 else cv2.INTER_LINEAR
        drawn = cv2.warpAffine(self._small(scale_y), self._rescaled(matrix, scale_y), (width_px, height_px), flags=way)
        alpha = np.asarray(drawn[..., 3] / np.float32(255), dtype=np.float32)
        safe = np.maximum(alpha, 1e-3)[..., None]
        straight = np.clip(drawn[..., :3] / safe, 0, 255).astype(np.uint8)
        return laid(shaded, straight, alpha)

    def _step(self, scale: float) -> int:
        return max(1, int(0.75 / max(scale, 1e-3)))

    def _small(self, scale: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        step = self._step(scale)
        if step == 1:
            return self._bitmap
        size = (max(2, self._bitmap.shape[1] // step), max(2, self._bitmap.shape[0] // step))
        return np.asarray(cv2.resize(self._bitmap, size, interpolation=cv2.INTER_AREA), dtype=np.float32)

    def _rescaled(
        self, matrix: np.ndarray[tuple[int, ...], np.dtype[np.float64]], scale: float
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        small = self._small(scale)
        factor = np.array([self._bitmap.shape[1] / small.shape[1], self._bitmap.shape[0] / small.shape[0]])
        result = matrix.copy()
        result[:, :2] = result[:, :2] * factor
        return result

    def _shadowed(self, picture: Picture, spot: Spot) -> Picture:
        wide = spot.height_px * self.aspect
        height_px, width_px = picture.shape[:2]
        mask = np.zeros((height_px, width_px), dtype=np.float32)
        centre = (round(spot.foot_x_px), round(spot.foot_y_px - 0.01 * spot.height_px))
        axes = (max(2, round(wide * 0.46)), max(2, round(wide * 0.09)))
        reach = 2 * axes[1] + 2
        top, bottom = max(0, centre[1] - 3 * reach), min(height_px, centre[1] + 3 * reach)
        left, right = max(0, centre[0] - 2 * axes[0]), min(width_px, centre[0] + 2 * axes[0])
        if bottom <= top or right <= left:
            return picture
        part = np.zeros((bottom - top, right - left), dtype=np.float32)
        cv2.ellipse(part, (centre[0] - left, centre[1] - top), axes, 0, 0, 360, (0.5,), -1, cv2.LINE_AA)
        mask[top:bottom, left:right] = cv2.GaussianBlur(part, (0, 0), max(1.0, axes[1] * 0.5))
        mask[mask < 0.01] = 0
        return laid(picture, np.zeros_like(picture), mask)
