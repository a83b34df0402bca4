"""Weather and small things in the air over a video: in front of what is near, and behind it, going with the camera."""

from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np

from understudy.engines.previz.board.editing.following import Survey, inverse
from understudy.engines.previz.board.editing.laying import Floats, mixed, toned
from understudy.engines.previz.board.editing.lights import large_sky_in
from understudy.engines.previz.board.editing.standins import Light
from understudy.engines.previz.board.editing.stretch import Stretch
from understudy.engines.previz.pictures import Canvas
from understudy.engines.previz.pictures.air import in_the_air
from understudy.engines.previz.pictures.layers import Layer
from understudy.engines.previz.pictures.light import look_of
from understudy.engines.previz.pictures.raster import Raster
from understudy.engines.previz.pictures.scene import Stagehand
from understudy.engines.previz.pictures.staging import Staging, stage
from understudy.engines.previz.pictures.view import Reach, View
from understudy.engines.previz.plan import Framing, Particle, SettingKind, Shot, TimeOfDay, Weather
from understudy.engines.previz.seeing import depth_of
from understudy.media.decode import Picture

_WINDS = {Weather.WIND: 2.6, Weather.STORM: 3.0, Weather.RAIN: 1.2, Weather.SNOW: 0.9, Weather.FOG: 0.4}
_DARK_LUMA = 0.2
_DEPTH_STEP = 24
"""Pictures from one look at the depth to the next."""

_NEAR_END, _NEAR_SOFT = 0.6, 0.2
"""Up to which distance, 0..1 of what the picture shows, things stand before the far part of the air, and how softly."""

# Gain per colour, how much colour is left, how much the sky becomes the veil, and the veil, 0..1.
_GRADES: dict[Weather, tuple[tuple[float, float, float], float, float, tuple[float, float, float]]] = {
    Weather.RAIN: ((0.74, 0.80, 0.88), 0.66, 0.75, (0.50, 0.54, 0.60)),
    Weather.STORM: ((0.52, 0.57, 0.66), 0.58, 0.85, (0.27, 0.30, 0.36)),
    Weather.SNOW: ((0.96, 1.00, 1.07), 0.72, 0.70, (0.82, 0.86, 0.92)),
    Weather.FOG: ((0.95, 0.97, 1.0), 0.70, 0.0, (0.78, 0.80, 0.83)),
    Weather.CLOUDY: ((0.86, 0.88, 0.93), 0.80, 0.60, (0.68, 0.71, 0.76)),
    Weather.CLEAR: ((1.04, 1.02, 0.98), 1.10, 0.0, (0.5, 0.7, 0.95)),
    Weather.WIND: ((1.0, 1.0, 1.0), 1.0, 0.0, (0.7, 0.8, 0.9)),
}


class Aired:
    """The pictures of a video with weather, or with particles, in their air."""

    def __init__(  # tidy: the film, the light, what was seen of the video, and what is to be in its air
        self,
        canvas: Canvas,
        light: Light,
        *,
        stretch: Stretch,
        survey: Survey,
        weather: Weather = Weather.CLEAR,
        particles: Sequence[Particle] = (),
    ) -> None:
        self._stretch, self._survey = stretch, survey
        self._weather, self._is_graded = weather, not particles
        shot = Shot(duration_s=canvas.duration_s, weather=weather, particles=tuple(particles))
        self._staging = stage(canvas, Framing.WIDE, SettingKind.MEADOW, aspect=1.0, group_span=1.0)
        hour = TimeOfDay.NIGHT if light.luma < _DARK_LUMA else TimeOfDay.DAY
        self._layers = sorted(_layers_of(shot, self._staging, canvas, hour=hour), key=lambda layer: -layer.depth)
        self._raster = Raster(canvas.width_px, canvas.height_px)
        self._veil = _GRADES[weather][3]
        self._level = float(np.clip(light.luma / 0.45, 0.2, 1.05))
        self._fogs: tuple[int, Floats] | None = None
        self._next_fog: tuple[int, Floats] | None = None

    def changed(self, picture: Picture, offset: int) -> Picture:
        """Return the picture in that weather."""
        graded = self._graded(picture) if self._is_graded else picture
        if self._weather in (Weather.FOG, Weather.SNOW, Weather.RAIN, Weather.STORM):
            graded = self._hazed(graded, offset)
        raster = self._raster
        cv2.cvtColor(graded, cv2.COLOR_RGB2RGBA, dst=raster.pixels)
        view = self._view(offset)
        far = [layer for layer in self._layers if layer.depth > self._staging.distance]
        near = [layer for layer in self._layers if layer.depth <= self._staging.distance]
        for layer in far:
            layer.draw(raster, view)
        if far:
            # What is near stands before the far part of the air.
            before = np.clip((_NEAR_END - self._far(offset)) / _NEAR_SOFT, 0, 1)
            seen = cv2.cvtColor(raster.pixels, cv2.COLOR_RGBA2RGB)
            cv2.cvtColor(mixed(np.asarray(seen), graded, before), cv2.COLOR_RGB2RGBA, dst=raster.pixels)
        for layer in near:
            layer.draw(raster, view)
        return np.asarray(cv2.cvtColor(raster.pixels, cv2.COLOR_RGBA2RGB), dtype=np.uint8)

    def _view(self, offset: int) -> View:
        staging = self._staging
        move = self._survey.move(offset)
        side = max(self._stretch.size_px)
        return View(
            width_px=self._raster.width_px,
            height_px=self._raster.height_px,
            focal_px=staging.focal_px,
            centre_x_px=staging.centre_x_px + move.shift.real * side,
            horizon_px=staging.horizon_px + move.shift.imag * side,
            x=0.0,
            y=staging.eye,
            z=0.0,
            time_s=offset / self._stretch.fps,
        )

    def _graded(self, picture: Picture) -> Picture:
        gain, colour, sky_part, veil = _GRADES[self._weather]
        luma = np.array([[0.2126, 0.7152, 0.0722]] * 3)
        matrix = np.diag(gain) @ (luma * (1 - colour) + np.eye(3) * colour)
        graded = np.asarray(cv2.transform(picture, matrix), dtype=np.uint8)
        if not sky_part:
            return graded
        part = large_sky_in(picture)
        return toned(graded, self._tone(veil), part * np.float32(sky_part)) if part.any() else graded

    def _tone(self, veil: tuple[float, float, float]) -> tuple[float, float, float]:
        red, green, blue = (value * self._level * 255 for value in veil)
        return red, green, blue

    def _hazed(self, picture: Picture, offset: int) -> Picture:
        """Return the picture with what is far lost in the haze."""
        thick = {Weather.FOG: 0.86, Weather.SNOW: 0.42, Weather.RAIN: 0.30, Weather.STORM: 0.30}[self._weather]
        far = self._far(offset)
        amount = np.asarray(
            thick * (1 - np.exp(-2.6 * far**1.3)) + (0.10 if self._weather is Weather.FOG else 0.0), dtype=np.float32
        )
        if self._weather is Weather.FOG:
            amount = np.clip(amount * self._drifting(amount.shape, offset), 0, 0.97)
        return toned(picture, self._tone(self._veil), np.asarray(amount, dtype=np.float32))

    def _far(self, offset: int) -> Floats:
        """Return how far each place is, 0..1, small: seen now and then, and led over from one look to the next."""
        first = offset // _DEPTH_STEP * _DEPTH_STEP
        if self._fogs is None or self._fogs[0] != first:
            ahead = first + _DEPTH_STEP
            own = self._next_fog if self._next_fog is not None and self._next_fog[0] == first else None
            self._fogs = own or (first, self._seen_depth(first))
            self._next_fog = (ahead, self._seen_depth(ahead))
        assert self._next_fog is not None
        way = (offset - first) / _DEPTH_STEP
        sides = [(self._fogs, 1 - way), (self._next_fog, way)]
        result = np.zeros_like(self._fogs[1])
        total = 0.0
        for (place, depth), weight in sides:
            move = self._survey.between(min(place, self._stretch.num_frames - 1), offset)
            if weight <= 0 or move is None:
                continue
            tall, wide = depth.shape
            result += weight * cv2.warpAffine(
                depth, move.matrix(wide, tall), (wide, tall), borderMode=cv2.BORDER_REPLICATE
            )
            total += weight
        return np.asarray(result / total, dtype=np.float32) if total else self._fogs[1]

    def _seen_depth(self, offset: int) -> Floats:
        place = min(offset, self._stretch.num_frames - 1)
        small = self._survey.look(place)
        width_px, height_px = self._stretch.small_px
        if small is None:
            return np.full((height_px, width_px), 0.5, dtype=np.float32)
        # The network says how near things are.
        near = cv2.GaussianBlur(depth_of(small), (0, 0), 0.012 * max(small.shape))
        low, high = (float(value) for value in np.percentile(near, (2, 98)))
        far = 1 - np.clip((near - low) / max(high - low, 1e-3), 0, 1)
        # What is seen of depth in one picture is a guess; that the ground leads away from the viewer is none.
        rows = np.linspace(1, 0, height_px, dtype=np.float32)[:, None]
        return np.asarray(0.65 * far + 0.35 * rows**0.7, dtype=np.float32)

    def _drifting(self, shape: tuple[int, ...], offset: int) -> Floats:
        """Return how banks of mist pass: about 1, more and less."""
        field = _mist(shape[0], shape[1] * 2)
        gone = offset / self._stretch.fps * 0.035 * shape[1]
        move = inverse(self._survey.move(offset)).shift.real * shape[1]
        matrix = np.array([[1.0, 0.0, -((gone + move) % (shape[1] * 2))], [0.0, 1.0, 0.0]])
        seen = cv2.warpAffine(np.hstack([field, field]), matrix, (shape[1], shape[0]), borderMode=cv2.BORDER_WRAP)
        return np.asarray(seen, dtype=np.float32)


@cache
def _mist(tall: int, wide: int) -> Floats:
    rng = np.random.default_rng(31)
    field = np.zeros((tall, wide), dtype=np.float32)
    for cells, weight in ((4, 0.20), (9, 0.10)):
        grid = rng.uniform(-1, 1, (cells, 2 * cells)).astype(np.float32)
        # The first columns come again after the last: the field has no seam.
        wrapped = np.hstack([grid[:, -2:], grid, grid[:, :2]])
        large = cv2.resize(wrapped, None, fx=wide / (2 * cells), fy=tall / cells, interpolation=cv2.INTER_CUBIC)
        margin = round(2 * wide / (2 * cells))
        field += weight * cv2.resize(large[:, margin : margin + wide], (wide, tall))
    return 1 + field


def _layers_of(shot: Shot, staging: Staging, canvas: Canvas, *, hour: TimeOfDay) -> list[Layer]:
    if shot.weather is Weather.FOG and not shot.particles:
        return []
    view = View(
        width_px=canvas.width_px, height_px=canvas.height_px, focal_px=staging.focal_px,
        centre_x_px=staging.centre_x_px, horizon_px=staging.horizon_px, x=0.0, y=staging.eye, z=0.0, time_s=0.0,
    )  # fmt: skip
    stagehand = Stagehand(
        shot=shot,
        staging=staging,
        reach=Reach.of([view]),
        look=look_of(SettingKind.MEADOW, hour, shot.weather),
        rng=np.random.default_rng([abs(canvas.seed), 29]),
        detail=0.6,
        wind=_WINDS.get(shot.weather, 0.8),
        repeat=0.0,
        is_passing=False,
    )
    layers = in_the_air(stagehand, is_indoors=False)
    # Rings on the ground need a ground that is known.
    return [layer for layer in layers if abs(layer.depth - staging.distance * 1.01) > 1e-9]
