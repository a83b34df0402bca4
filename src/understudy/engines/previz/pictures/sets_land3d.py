"""Landscapes in true 3-D: which shots are one, and their sky, land and flying camera as layers."""

from dataclasses import dataclass, replace

import numpy as np

from understudy.engines.previz.kinds import kind_of
from understudy.engines.previz.pictures import terrain_fields as shape
from understudy.engines.previz.pictures import terrain_light as dress
from understudy.engines.previz.pictures.layers import Layer, Panel, crown_of
from understudy.engines.previz.pictures.raster import Raster
from understudy.engines.previz.pictures.scene import SceneSet, Stagehand
from understudy.engines.previz.pictures.sky import open_sky
from understudy.engines.previz.pictures.terrain import TerrainCaster
from understudy.engines.previz.pictures.terrain_flight import Flight
from understudy.engines.previz.pictures.terrain_light import LandKind, lit_land
from understudy.engines.previz.pictures.view import Reach, View
from understudy.engines.previz.plan import Action, CameraMove, SettingKind, Shot, Subject

LANDS: dict[SettingKind, LandKind] = {
    SettingKind.MOUNTAINS: LandKind(shape=shape.alps, dress=dress.dress_alps, water=0.36, altitude=2.0),
    SettingKind.DESERT: LandKind(shape=shape.dunes, dress=dress.dress_dunes, altitude=0.9, horizon=0.34),
    SettingKind.SNOWFIELD: LandKind(shape=shape.drifts, dress=dress.dress_ice, altitude=1.2, horizon=0.40),
    SettingKind.CANYON: LandKind(
        shape=shape.canyon, dress=dress.dress_canyon, water=0.22, shallow=(0.36, 0.42, 0.34), deep=(0.14, 0.26, 0.24),
        altitude=1.5, horizon=0.32,
    ),
    SettingKind.VOLCANO: LandKind(
        shape=shape.volcano, dress=dress.dress_volcano, altitude=4.2, horizon=0.30, has_focus=True
    ),
    SettingKind.ISLAND: LandKind(
        shape=shape.islands, dress=dress.dress_islands, water=0.55, shallow=(0.24, 0.74, 0.72), deep=(0.03, 0.26, 0.46),
        altitude=2.3, horizon=0.27,
    ),
    SettingKind.MARS: LandKind(shape=shape.mesas, dress=dress.dress_mars, altitude=1.2, horizon=0.40, has_clouds=False),
    SettingKind.MOON: LandKind(
        shape=shape.cratered, dress=dress.dress_moon, altitude=1.2, horizon=0.36, is_airless=True, has_clouds=False,
    ),
    SettingKind.FOREST: LandKind(shape=shape.hills, dress=dress.dress_hills, water=0.16, altitude=1.9, horizon=0.30),
    SettingKind.JUNGLE: LandKind(
        shape=shape.hills, dress=dress.dress_jungle, water=0.20, shallow=(0.34, 0.36, 0.20), deep=(0.16, 0.24, 0.16),
        altitude=1.9, horizon=0.30,
    ),
    SettingKind.RIVER: LandKind(shape=shape.hills, dress=dress.dress_hills, water=0.30, altitude=1.7, horizon=0.28),
    SettingKind.MEADOW: LandKind(shape=shape.plains, dress=dress.dress_fields, altitude=1.9, horizon=0.26),
    SettingKind.FARM: LandKind(shape=shape.plains, dress=dress.dress_fields, altitude=1.9, horizon=0.26),
}  # fmt: skip
_SEA_FROM_THE_AIR = LANDS[SettingKind.ISLAND]
# Wild land is seen from afar as soon as nobody stands in it; of the others only a flight shows more than a walk.
_WILD = frozenset(
    {
        SettingKind.MOUNTAINS, SettingKind.DESERT, SettingKind.SNOWFIELD, SettingKind.CANYON, SettingKind.VOLCANO,
        SettingKind.ISLAND, SettingKind.MARS, SettingKind.MOON,
    }
)  # fmt: skip
_FLIGHTS = frozenset({CameraMove.TRACK, CameraMove.CRANE_UP, CameraMove.CRANE_DOWN})
_IN_THE_AIR = frozenset({Action.FLY, Action.FLOAT, Action.FALL})
_FLYING_KINDS = frozenset({"aircraft", "bird", "floater", "insect", "creature", "person"})
_SAMPLED_VIEWS = 33
# Behind whatever flies, before the clouds.
_LAND_DEPTH = 14.0
_SUN_TURN = 1.45
# A far land: the widest it is cast, how much of it lies below the ground's horizon, and how soon that part fades.
_WIDEST_FAR_PX = 2600
_FOOT, _FOOT_FADE = 0.10, 3.0
_STANDING_UNITS = 0.2


def is_airborne(subject: Subject) -> bool:
    """Whether a subject is in the air, and not on anything."""
    kind = kind_of(subject.art).name
    return subject.action in _IN_THE_AIR and kind in _FLYING_KINDS and subject.rides is None


def land_of(shot: Shot) -> LandKind | None:
    """The land that a shot flies over, or None if it plays on the ground."""
    if shot.setting_image or not all(is_airborne(subject) for subject in shot.subjects):
        return None
    # Nobody to follow, and yet the camera follows or rises: it flies.
    flies_alone = not shot.subjects and shot.camera in _FLIGHTS
    if shot.setting in (SettingKind.SEA, SettingKind.BEACH):
        return _SEA_FROM_THE_AIR if flies_alone else None
    flies = flies_alone or bool(shot.subjects)
    return LANDS.get(shot.setting) if flies or shot.setting in _WILD else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heaven:
    """A part of the sky, which turns as the flying camera turns, whatever flies along with it."""

    layer: Layer
    flight: Flight

    @property
    def depth(self) -> float:
        """That of the part."""
        return self.layer.depth

    def draw(self, raster: Raster, view: View) -> None:
        """Draw it under the flight's own view."""
        self.layer.draw(raster, self.flight.view(view.time_s))


@dataclass(frozen=True, slots=True, kw_only=True)
class Terrain:
    """The land below."""

    caster: TerrainCaster
    flight: Flight
    depth: float

    def draw(self, raster: Raster, view: View) -> None:
        """Cast it over the sky."""
        self.caster.draw(raster.pixels, self.flight.eye(view.time_s))


def landscape(stagehand: Stagehand, kind: LandKind) -> SceneSet:
    """Sky and land of a shot that flies."""
    rng, look, shot = stagehand.rng, stagehand.look, stagehand.shot
    yaw = float(rng.uniform(0, 2 * np.pi))
    side = float(np.sign(look.sun_x) or 1)
    land = lit_land(kind, look, shot=shot, azimuth=yaw + side * _SUN_TURN, rng=rng)
    staging = replace(stagehand.staging, horizon_px=kind.horizon * stagehand.staging.canvas.height_px)
    flight = Flight(staging, shot.camera, kind=kind, flies_along=bool(shot.subjects), yaw=yaw)
    flight.settle(land, rng)
    views = [flight.view(float(time_s)) for time_s in np.linspace(0, staging.canvas.duration_s, _SAMPLED_VIEWS)]
    above = replace(stagehand, staging=staging, reach=Reach.of(views))
    canvas = staging.canvas
    caster = TerrainCaster(land, (canvas.width_px, canvas.height_px), focal_px=staging.focal_px)
    return SceneSet(
        layers=[
            *(Heaven(layer=layer, flight=flight) for layer in open_sky(above, ends=False, has_clouds=kind.has_clouds)),
            Terrain(caster=caster, flight=flight, depth=_LAND_DEPTH * stagehand.distance),
        ],
    )


def far_land(stagehand: Stagehand, kind: LandKind, *, depth: float) -> Panel:
    """A land as the distance behind whoever stands on the ground: cast once, as wide as the move sees it."""
    rng, look, shot, reach = stagehand.rng, stagehand.look, stagehand.shot, stagehand.reach
    yaw = float(rng.uniform(0, 2 * np.pi))
    side = float(np.sign(look.sun_x) or 1)
    land = lit_land(kind, look, shot=shot, azimuth=yaw + side * _SUN_TURN, rng=rng)
    low, high = reach.x_range(depth)
    scale = reach.finest_scale(depth)
    density = min(scale * stagehand.detail, _WIDEST_FAR_PX / (high - low))
    # Where the sky above it begins, and what is cut off below, where nearer ground hides its foot.
    top = max(reach.y_range(depth)[1], 1.0)
    width, height = max(int((high - low) * density), 8), max(int((top + _FOOT * top) * density), 8)
    focal_px = stagehand.staging.focal_px * density / scale
    canvas = replace(stagehand.staging.canvas, width_px=width, height_px=height)
    staging = replace(stagehand.staging, canvas=canvas, focal_px=focal_px, centre_x_px=width / 2)
    horizon_px = (top - stagehand.staging.eye) * density
    # Seen by somebody who stands there, not from the air.
    low_down = replace(kind, altitude=_STANDING_UNITS, horizon=horizon_px / height)
    flight = Flight(staging, CameraMove.STATIC, kind=low_down, flies_along=False, yaw=yaw)
    flight.settle(land, rng)
    eye = flight.eye(0.0)
    bitmap = np.zeros((height, width, 4), np.uint8)
    TerrainCaster(land, (width, height), focal_px=focal_px).draw(bitmap, eye)
    fade = np.clip(np.linspace(_FOOT_FADE, 0, max(int(_FOOT * top * density), 1), dtype=np.float32), 0, 1)
    foot = bitmap[height - len(fade) :]
    foot[:] = (foot * fade[:, None, None]).astype(np.uint8)
    return Panel(bitmap=bitmap, crown=crown_of(bitmap), left=low, top=top, depth=depth, density=density)
