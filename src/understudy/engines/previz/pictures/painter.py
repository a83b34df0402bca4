"""The painter: builds a film's scene once, then draws any frame of it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from understudy.engines.previz.camera_path import CameraPath
from understudy.engines.previz.pictures.actors import Setup, Voice, base_lift_of, cast_of
from understudy.engines.previz.pictures.air import in_the_air
from understudy.engines.previz.pictures.camera import Camera
from understudy.engines.previz.pictures.canvas import Bitmap, Canvas
from understudy.engines.previz.pictures.layers import Layer, Panel
from understudy.engines.previz.pictures.light import Look, look_of
from understudy.engines.previz.pictures.motions import FOLLOWED, TRAVEL
from understudy.engines.previz.pictures.photo_stage import actor_of, photo_extras, photo_set
from understudy.engines.previz.pictures.photographs import NO_PHOTOGRAPHS, Photographs, framed_by, with_likenesses
from understudy.engines.previz.pictures.props import place_props
from understudy.engines.previz.pictures.raster import Raster
from understudy.engines.previz.pictures.scene import SceneSet, Stagehand
from understudy.engines.previz.pictures.sets import build_set
from understudy.engines.previz.pictures.sets_land3d import land_of, landscape
from understudy.engines.previz.pictures.staging import stage
from understudy.engines.previz.pictures.view import Reach, View
from understudy.engines.previz.plan import INDOORS, Action, CameraMove, SettingKind, Shot, Weather
from understudy.engines.previz.speech_timing import Spoken

# Views sampled to learn what a camera move can see.
_SAMPLED_VIEWS = 33
# A camera that travels with a subject goes no farther than this, in units.
_LONGEST_TRAVEL = 13.0
_GROUND_PERIOD = 6.0
_DETAILED_PX = 1500
_WINDS = {Weather.WIND: 2.6, Weather.STORM: 3.0, Weather.RAIN: 1.2, Weather.SNOW: 0.9, Weather.FOG: 0.4}


class FilmPainter:
    """Draws the frames of one shot; equal shot, canvas, speech and photographs give equal pictures."""

    def __init__(
        self,
        shot: Shot,
        canvas: Canvas,
        *,
        speech: Sequence[Spoken] = (),
        photographs: Photographs = NO_PHOTOGRAPHS,
        camera_path: CameraPath | None = None,
    ) -> None:
        """Build all layers and sprites.

        canvas: of the shot, whose frames are counted from its own beginning. speech: what is said in the shot, its
        times counted likewise, so that speakers move with it. photographs: what it shows of given pictures.
        camera_path: what the camera follows in the place of the shot's own move; over a land it flies as it does.
        """
        shot = framed_by(shot, photographs)
        self._shot, self._canvas, self._photographs = shot, canvas, photographs
        is_tall = canvas.width_px < canvas.height_px
        self._lineup = with_likenesses(*cast_of(shot), photographs, is_tall=is_tall)
        roles, group_width = self._lineup.roles, self._lineup.group_span
        aspect = roles[0].aspect if roles else 1.0
        land = land_of(shot)
        # Over a land, what flies is composed as in the sky.
        place = shot.setting if land is None else SettingKind.SKY
        self.staging = stage(canvas, shot.framing, place, aspect=aspect, group_span=group_width)
        heading = self._heading(roles[0].rig.faces if roles else 0)
        own_speed, camera_speed = self._speeds(heading)
        move = shot.camera if land is None else CameraMove.STATIC
        path = camera_path if land is None else None
        self._camera = Camera(self.staging, move, rng=self._stream(1), speed=camera_speed, path=path)
        reach = Reach.of([self._view(time_s) for time_s in np.linspace(0, canvas.duration_s, _SAMPLED_VIEWS)])
        look = self._look()
        given = photo_set(photographs, look, staging=self.staging, reach=reach, time_of_day=shot.time_of_day)
        given_set, look = given if given is not None else (None, look)
        stagehand = Stagehand(
            shot=shot,
            staging=self.staging,
            reach=reach,
            look=look,
            rng=self._stream(3),
            detail=float(np.clip(_DETAILED_PX / max(canvas.width_px, canvas.height_px), 0.4, 1.0)),
            wind=_WINDS.get(shot.weather, 0.8) * (1 if self._stream(4).random() < 0.5 else -1),
            repeat=_GROUND_PERIOD if camera_speed else 0.0,
            is_passing=camera_speed != 0.0 or shot.camera is CameraMove.TRACK,
        )
        scene = given_set or (build_set(stagehand) if land is None else landscape(stagehand, land))
        layers: list[Layer] = list(scene.layers)
        if land is None and given_set is None:
            layers.extend(self._props(replace(stagehand, rng=self._stream(5)), scene))
        rng = self._stream(6)
        aside = self._aside(rng)
        setup = Setup(
            shot=shot,
            look=look,
            rng=rng,
            pixels_per_unit=1.0,
            distance=self.staging.distance,
            duration_s=canvas.duration_s,
            heading=heading,
            speed=own_speed,
            start_x=aside - (own_speed - camera_speed) * canvas.duration_s / 2,
            is_afloat=self.staging.is_afloat,
            is_water=scene.is_water,
        )
        layers.extend(self._actors(setup, reach=reach, speech=speech))
        air = replace(stagehand, rng=self._stream(7))
        layers.extend(in_the_air(air, is_indoors=shot.setting in INDOORS))
        self._layers = sorted(layers, key=lambda layer: -layer.depth)
        stays_away = len({view.z for view in reach.views}) == 1
        self._raster = Raster(canvas.width_px, canvas.height_px, keeps_scale=stays_away)

    def _look(self) -> Look:
        shot = self._shot
        return look_of(
            shot.setting,
            shot.time_of_day,
            shot.weather,
            style=shot.style,
            mood=shot.mood,
            side=1 if self._stream(2).random() < 0.5 else -1,
        )

    def _props(self, stagehand: Stagehand, scene: SceneSet) -> list[Layer]:
        """What dresses the setting, around the main subject."""
        lead = self._lineup.roles[0] if self._lineup.roles else None
        tall, half = (lead.rig.height, self._lineup.group_span / 2) if lead else (1.0, 0.5)
        return place_props(stagehand, scene, hero_tall=tall, hero_half=half)

    def _aside(self, rng: np.random.Generator) -> float:
        """How far off the middle the seed moves the subjects, as far as there is room; units."""
        room = max(self.staging.half_width - self._lineup.group_span / 2, 0.0)
        return float(rng.uniform(-0.3, 0.3)) * min(room, 0.8)

    def _actors(self, setup: Setup, *, reach: Reach, speech: Sequence[Spoken]) -> list[Layer]:
        """The figures, and what given pictures add to them. setup: of all of them, but for size and height."""
        photographs = self._photographs
        actors = [
            actor_of(
                place,
                self._lineup,
                setup=replace(
                    setup,
                    pixels_per_unit=reach.finest_scale(role.depth * self.staging.distance),
                    base_lift=base_lift_of(role, self.staging, setup.rng),
                ),
                voice=Voice(speech, role.subject_index),
                photographs=photographs,
            )
            for place, role in enumerate(self._lineup.roles)
        ]
        near = replace(setup, pixels_per_unit=reach.finest_scale(self.staging.distance))
        return [*actors, *photo_extras(photographs, self._lineup, actors, setup=near, staging=self.staging)]

    def _stream(self, number: int) -> np.random.Generator:
        """Random numbers of their own for each part, so that changing one part leaves the others as they are."""
        return np.random.default_rng([abs(self._canvas.seed), number])

    def _heading(self, faces: int) -> float:
        """-1: subjects go left, 1: right. Mirrored by seed where the art looks to a side."""
        moving = {subject.action for subject in self._shot.subjects} & set(TRAVEL)
        sign = -1.0 if self._stream(0).random() < 0.5 else 1.0
        return sign if faces or moving else 0.0

    def _speeds(self, heading: float) -> tuple[float, float]:
        """Speed of the subjects, and of the camera that goes with them, units per second."""
        shot, duration_s = self._shot, max(self._canvas.duration_s, 1e-6)
        action = shot.subjects[0].action if shot.subjects else Action.IDLE
        speed = TRAVEL.get(action, 0.0)
        if not speed or shot.setting is SettingKind.SPACE:
            return 0.0, 0.0
        speed = min(speed, _LONGEST_TRAVEL / duration_s) * (heading or 1.0)
        gain = np.sign(speed) * min(abs(speed), 0.62 * self.staging.half_width / duration_s)
        # A picture behind ends soon: the camera lets its subject cross it.
        is_followed = action in FOLLOWED or shot.camera is CameraMove.TRACK
        if is_followed and self._photographs.backdrop is None:
            return float(speed), float(speed - gain * 0.5)
        return float(gain), 0.0

    def _view(self, time_s: float) -> View:
        return self._camera.view(float(time_s))

    def paint(self, index: int) -> Bitmap:
        """Draw frame ``index``.

        Returns: (height_px, width_px, 4) uint8 RGBA, opaque; the buffer is reused by the next call.
        """
        view = self._view(index / self._canvas.fps)
        raster = self._raster
        for layer, rows in zip(self._layers, self._hidden_rows(view), strict=True):
            raster.hidden_rows = rows
            layer.draw(raster, view)
        return raster.pixels

    def _hidden_rows(self, view: View) -> list[tuple[int, int]]:
        """For each layer the frame's rows that a nearer one covers from edge to edge: the tallest such part."""
        hidden, found = (0, 0), []
        for layer in reversed(self._layers):
            found.append(hidden)
            rows = layer.solid_rows(self._canvas.width_px, view) if isinstance(layer, Panel) else None
            if rows is not None and rows[1] - rows[0] > hidden[1] - hidden[0]:
                hidden = rows
        return found[::-1]

    def close(self) -> None:
        """Nothing is open."""
