"""Weather and small things in the air before a film of given frames: rain, snow, mist, petals, leaves, fireflies.

The picture itself stays as it is given. What falls is drawn before it, each flake at a depth of its own: near ones are
large, fast and few. A given first frame is the film's first picture to the byte, so the air fills in the first moments,
and clears again before a given last frame.
"""

from dataclasses import replace
from functools import partial

import cv2
import numpy as np

from understudy.engines.previz.film import Painter
from understudy.engines.previz.pictures import Canvas
from understudy.engines.previz.pictures.air import in_the_air
from understudy.engines.previz.pictures.canvas import Bitmap
from understudy.engines.previz.pictures.layers import Layer, Moving
from understudy.engines.previz.pictures.light import look_of, mix
from understudy.engines.previz.pictures.noise import layered_field, smoothstep
from understudy.engines.previz.pictures.raster import Raster, affine
from understudy.engines.previz.pictures.scene import Stagehand
from understudy.engines.previz.pictures.staging import stage
from understudy.engines.previz.pictures.view import Reach, View
from understudy.engines.previz.plan import INDOORS, Framing, SettingKind, Shot, TimeOfDay, Weather

_FALLING = frozenset({Weather.RAIN, Weather.STORM, Weather.SNOW, Weather.FOG, Weather.WIND})
_WINDS = {Weather.WIND: 2.6, Weather.STORM: 3.0, Weather.RAIN: 1.2, Weather.SNOW: 0.9, Weather.FOG: 0.4}
_FILLS_S = 0.7
# Mist is soft: one value for so many pixels is enough.
_MIST_STEP_PX = 16
_STREAM = 23
# Mean luma below which a picture shows a night, 0..255.
_DARK_LUMA = 52.0


def with_weather(painter: Painter, shot: Shot, canvas: Canvas, *, ends_as_given: bool = False) -> Painter:
    """Return the painter with the shot's weather and particles before its pictures; the same where there are none.

    ends_as_given: the film's last frame was given, and is to be seen as it is.
    """
    is_outdoors = shot.setting not in INDOORS and shot.setting is not SettingKind.UNDERWATER
    if not shot.particles and not (is_outdoors and shot.weather in _FALLING):
        return painter
    return Weathered(painter, shot, canvas, ends_as_given=ends_as_given)


class Weathered:
    """Draws another painter's frames with things in the air before them; equal shot and canvas fall equally."""

    def __init__(self, painter: Painter, shot: Shot, canvas: Canvas, *, ends_as_given: bool) -> None:
        self._painter, self._canvas, self._ends_as_given = painter, canvas, ends_as_given
        self._staging = stage(canvas, Framing.WIDE, SettingKind.MEADOW, aspect=1.0, group_span=1.0)
        luma = float(cv2.cvtColor(painter.paint(0), cv2.COLOR_RGBA2GRAY).mean())
        hour = TimeOfDay.NIGHT if luma < _DARK_LUMA else TimeOfDay.DAY
        self._layers = sorted(self._air(shot, hour), key=lambda layer: -layer.depth)
        self._raster = Raster(canvas.width_px, canvas.height_px)

    def paint(self, index: int) -> Bitmap:
        """Draw frame ``index``; (height_px, width_px, 4) uint8 RGBA, opaque; the buffer is reused by the next call."""
        picture, share = self._painter.paint(index), self._share(index)
        if share <= 0:
            return picture
        np.copyto(self._raster.pixels, picture)
        view = self._view(index / self._canvas.fps)
        for layer in self._layers:
            layer.draw(self._raster, view)
        if share < 1:
            cv2.addWeighted(self._raster.pixels, share, picture, 1 - share, 0, dst=self._raster.pixels)
        return self._raster.pixels

    def close(self) -> None:
        """Let go of what the other painter holds."""
        self._painter.close()

    def _share(self, index: int) -> float:
        """How much of the air is seen, 0..1."""
        fills = _FILLS_S * self._canvas.fps
        left = self._canvas.num_frames - 1 - index if self._ends_as_given else fills
        return min(index, left, fills) / fills

    def _view(self, time_s: float) -> View:
        canvas, staging = self._canvas, self._staging
        return View(
            width_px=canvas.width_px, height_px=canvas.height_px, focal_px=staging.focal_px,
            centre_x_px=staging.centre_x_px, horizon_px=staging.horizon_px, x=0.0, y=staging.eye, z=0.0, time_s=time_s,
        )  # fmt: skip

    def _air(self, shot: Shot, hour: TimeOfDay) -> list[Layer]:
        rng = np.random.default_rng([abs(self._canvas.seed), _STREAM])
        # The setting decides only whether it is dry: a given picture shows its own place.
        place = shot.setting if shot.setting in INDOORS else SettingKind.MEADOW
        stagehand = Stagehand(
            shot=shot,
            staging=self._staging,
            reach=Reach.of([self._view(0.0)]),
            look=look_of(place, hour, shot.weather, style=shot.style, mood=""),
            rng=rng,
            detail=1.0,
            wind=_WINDS.get(shot.weather, 0.8) * (1 if rng.random() < 0.5 else -1),
            repeat=0.0,
            is_passing=False,
        )
        if shot.weather is not Weather.FOG:
            return in_the_air(stagehand, is_indoors=shot.setting in INDOORS, has_ground=False)
        # Banks of mist lie along a horizon, and nobody knows where a given picture has one.
        clear = replace(stagehand, shot=replace(shot, weather=Weather.CLEAR))
        return [*self._mist(stagehand), *in_the_air(clear, is_indoors=False, has_ground=False)]

    def _mist(self, stagehand: Stagehand) -> list[Layer]:
        """Two veils over the whole picture that pass one another."""
        width_px, height_px = self._canvas.width_px, self._canvas.height_px
        size = (-(-width_px * 2 // _MIST_STEP_PX), -(-height_px // _MIST_STEP_PX) + 1)
        tone = np.array(mix(stagehand.look.haze, (1.0, 1.0, 1.0), 0.35), np.float32)
        layers: list[Layer] = []
        for number, (thick, speed) in enumerate(((0.62, 0.030), (0.50, -0.045))):
            field = layered_field(size, cells=(7, 3), octaves=3, rng=stagehand.rng)
            alpha = np.float32(thick) * smoothstep(0.22, 0.80, field)
            veil = np.dstack([alpha[..., None] * tone, alpha])
            bitmap = (np.clip(veil, 0, 1) * 255).astype(np.uint8)
            layers.append(Moving(depth=2.0 - number, paint=partial(self._veil, bitmap=bitmap, speed=speed)))
        return layers

    def _veil(self, raster: Raster, view: View, *, bitmap: Bitmap, speed: float) -> None:
        """Draw a veil twice as wide as the frame, of which a part is seen. speed: widths of the frame per second."""
        slack_px = bitmap.shape[1] * _MIST_STEP_PX - self._canvas.width_px
        gone = view.time_s * abs(speed) * self._canvas.width_px
        # It comes back at the end of its way, which only films of more than half a minute reach.
        along = slack_px - abs(gone % (2 * slack_px) - slack_px)
        left_px = -along if speed < 0 else along - slack_px
        matrix = affine(scale_x=_MIST_STEP_PX, scale_y=_MIST_STEP_PX, x_px=left_px, y_px=-_MIST_STEP_PX / 2)
        raster.stamp(bitmap, matrix)
