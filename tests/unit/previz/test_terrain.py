"""Landscapes are true 3-D: parallax by depth, ridges that hide one another, a camera that keeps off the ground."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from tests.unit.previz.watching import canvas_of, shot_of

from understudy.engines.previz.pictures import Canvas, FilmPainter
from understudy.engines.previz.pictures.light import look_of
from understudy.engines.previz.pictures.sets_land3d import LANDS, land_of
from understudy.engines.previz.pictures.staging import stage
from understudy.engines.previz.pictures.terrain import Eye, Land, TerrainCaster
from understudy.engines.previz.pictures.terrain_fields import FIELD_PX, PERIOD_UNITS
from understudy.engines.previz.pictures.terrain_flight import Flight
from understudy.engines.previz.pictures.terrain_light import Cover, LandKind, Lie, lit_land
from understudy.engines.previz.plan import Action, CameraMove, Framing, SettingKind, Shot, TimeOfDay, Weather
from understudy.engines.previz.planning.planner import plan_film

SIZE_PX = (320, 180)
FOCAL_PX = 300.0


def empty_shot(setting: SettingKind, camera: CameraMove = CameraMove.PUSH_IN, **changes: object) -> Shot:
    """A shot of a place with nobody in it."""
    return replace(shot_of(setting=setting, camera=camera), subjects=(), **changes)  # type: ignore[arg-type]


def land_with(shape: np.ndarray, *, haziness: float = 0.0) -> Land:
    """A land of given heights under a flat light; its colours are chequers, so that motion can be measured."""

    def dress(_: Lie) -> Cover:
        cover = Cover((0.5, 0.5, 0.5), grain=0.0)
        noise = np.random.default_rng(5).random((FIELD_PX // 8, FIELD_PX // 8)).astype(np.float32)
        cover.colour[:] = cv2.resize(noise, (FIELD_PX, FIELD_PX), interpolation=cv2.INTER_CUBIC)[..., None]
        return cover

    kind = LandKind(shape=lambda rng: shape.astype(np.float32), dress=dress)
    shot = empty_shot(SettingKind.MOUNTAINS)
    look = replace(look_of(SettingKind.MOUNTAINS, TimeOfDay.DAY, Weather.CLEAR), haziness=haziness)
    return lit_land(kind, look, shot=shot, azimuth=1.0, rng=np.random.default_rng(1))


def eye_at(x: float, y: float, z: float, **changes: float) -> Eye:
    values = {"yaw": 0.0, "focal_px": FOCAL_PX, "centre_x_px": 160.0, "horizon_px": 80.0, **changes}
    return Eye(x=x, y=y, z=z, **values)


def cast(land: Land, eye: Eye) -> np.ndarray:
    """The land alone: transparent where there is none."""
    frame = np.zeros((SIZE_PX[1], SIZE_PX[0], 4), np.uint8)
    TerrainCaster(land, SIZE_PX, focal_px=FOCAL_PX).draw(frame, eye)
    return frame


def wall_at(z: float, height: float) -> np.ndarray:
    """A plain with one ridge across it, at a distance from z = 0."""
    rows = (np.arange(FIELD_PX) + 0.5) * PERIOD_UNITS / FIELD_PX
    profile = np.where(np.abs(rows - z) < 0.4, height, 0.0)
    return np.repeat(profile[:, None], FIELD_PX, axis=1)


def test_a_flat_land_reaches_to_the_horizon_and_no_further() -> None:
    frame = cast(land_with(np.zeros((FIELD_PX, FIELD_PX))), eye_at(3, 1, 3))
    first = int(np.flatnonzero(frame[:, 160, 3])[0])
    assert 80 <= first <= 86


def test_a_ridge_stands_as_high_in_the_frame_as_perspective_says() -> None:
    frame = cast(land_with(wall_at(9.0, 2.0)), eye_at(3, 1, 1))
    first = int(np.flatnonzero(frame[:, 160, 3])[0])
    assert first == pytest.approx(80 - FOCAL_PX * (2.0 - 1.0) / 7.8, abs=3)


def test_a_nearer_ridge_hides_a_farther_one_until_the_camera_rises() -> None:
    far, both = wall_at(20.0, 1.2), np.maximum(wall_at(20.0, 1.2), wall_at(7.0, 1.4))
    low, high = eye_at(3, 0.8, 1), eye_at(3, 3.0, 1)
    marked = land_with(both)

    def top_of(heights: np.ndarray, eye: Eye) -> int:
        return int(np.flatnonzero(cast(land_with(heights), eye)[:, 160, 3])[0])

    assert top_of(both, low) == top_of(wall_at(7.0, 1.4), low)
    assert top_of(far, low) > top_of(both, low)
    assert not np.array_equal(cast(marked, high)[90:140], cast(land_with(wall_at(7.0, 1.4)), high)[90:140])


def test_near_ground_moves_faster_than_a_far_ridge_under_a_sideways_flight() -> None:
    land = land_with(wall_at(26.0, 5.0))
    views = [cv2.cvtColor(cast(land, eye_at(x, 2.0, 1.0)), cv2.COLOR_RGBA2GRAY) for x in (3.0, 3.1)]
    flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(views[0], views[1], None)[..., 0]
    near, ridge = float(np.median(-flow[165:178, 40:280])), float(np.median(-flow[56:72, 40:280]))
    assert near > 3 * ridge > 0


def test_a_pan_moves_near_and_far_alike() -> None:
    land = land_with(wall_at(26.0, 5.0))
    views = [cv2.cvtColor(cast(land, eye_at(3.0, 2.0, 1.0, yaw=yaw)), cv2.COLOR_RGBA2GRAY) for yaw in (0.0, 0.012)]
    flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(views[0], views[1], None)[..., 0]
    near, ridge = float(np.median(flow[140:170, 120:200])), float(np.median(flow[56:72, 120:200]))
    assert near == pytest.approx(ridge, rel=0.35)
    assert ridge < -2


def test_the_land_goes_on_without_a_seam_where_it_repeats() -> None:
    land = land_with(wall_at(9.0, 2.0))
    here, there = cast(land, eye_at(3, 1, 1)), cast(land, eye_at(3 + PERIOD_UNITS, 1, 1 + PERIOD_UNITS))
    assert np.abs(here.astype(int) - there).mean() < 0.6


def test_silhouettes_have_no_stair_steps() -> None:
    rows, columns = np.mgrid[0:FIELD_PX, 0:FIELD_PX] * PERIOD_UNITS / FIELD_PX
    roof = np.clip(3.0 - np.abs(columns - 9.0) * 0.35, 0, 3) * (np.abs(rows - 12.0) < 0.5)
    frame = cast(land_with(roof), eye_at(9.0, 1.0, 1.0))
    alpha = frame[..., 3].astype(int)
    mixed = ((alpha > 8) & (alpha < 247)).sum(axis=0)
    # A slope of one in three crosses pixels partly in nearly every column.
    assert (mixed[40:280] > 0).mean() > 0.8


@pytest.mark.parametrize("setting", [SettingKind.MOUNTAINS, SettingKind.CANYON])
def test_the_camera_never_touches_the_ground(setting: SettingKind) -> None:
    kind, canvas = LANDS[setting], canvas_of()
    look, shot = look_of(setting, TimeOfDay.DAY, Weather.CLEAR), empty_shot(setting)
    land = lit_land(kind, look, shot=shot, azimuth=1.0, rng=np.random.default_rng(3))
    staging = stage(canvas, Framing.WIDE, SettingKind.SKY, aspect=1.0, group_span=1.0)
    for move in CameraMove:
        flight = Flight(staging, move, kind=kind, flies_along=False, yaw=0.4)
        flight.settle(land, np.random.default_rng(4))
        for time_s in np.linspace(0, canvas.duration_s, 40):
            eye = flight.eye(float(time_s))
            ground = float(land.height_at(np.array([[eye.x]]), np.array([[eye.z]]))[0, 0])
            assert eye.y > ground + 0.3, move


def test_equal_seeds_fly_over_the_same_land_and_others_over_another() -> None:
    shot = empty_shot(SettingKind.MOUNTAINS)
    first, again, other = (FilmPainter(shot, canvas_of(seed=seed)).paint(20).copy() for seed in (7, 7, 8))
    assert np.array_equal(first, again)
    assert np.abs(first.astype(int) - other).mean() > 8


def test_a_draft_flies_over_the_land_of_its_final() -> None:
    shot = empty_shot(SettingKind.ISLAND)
    small = FilmPainter(shot, canvas_of((320, 180))).paint(30)[..., :3]
    large = FilmPainter(shot, canvas_of((960, 540))).paint(30)[..., :3]
    shrunk = cv2.resize(large, (320, 180), interpolation=cv2.INTER_AREA)
    assert np.abs(shrunk.astype(int) - small).mean() < 9


@pytest.mark.parametrize("art", ["eagle", "helicopter", "balloon"])
def test_what_flies_is_seen_over_the_land(art: str) -> None:
    shot = shot_of(art, Action.FLY, setting=SettingKind.MOUNTAINS)
    assert land_of(shot) is LANDS[SettingKind.MOUNTAINS]
    with_it, without = (FilmPainter(s, canvas_of()).paint(40).copy() for s in (shot, empty_shot(SettingKind.MOUNTAINS)))
    assert np.abs(with_it.astype(int) - without).max() > 60


def test_whoever_stands_on_the_ground_is_not_flown_over() -> None:
    assert land_of(shot_of("dog", Action.WALK, setting=SettingKind.MOUNTAINS)) is None


def test_a_wood_is_flown_over_only_where_the_camera_flies() -> None:
    assert land_of(empty_shot(SettingKind.FOREST, CameraMove.STATIC)) is None
    assert land_of(empty_shot(SettingKind.FOREST, CameraMove.TRACK)) is LANDS[SettingKind.FOREST]


@pytest.mark.full
def test_each_land_has_colours_of_its_own() -> None:
    """The mean colour of the ground differs from land to land by more than two frames of one land do."""
    canvas = Canvas(width_px=320, height_px=180, fps=24, num_frames=48, seed=7)
    wild = [kind for kind in LANDS if land_of(empty_shot(kind, CameraMove.TRACK)) and kind is not SettingKind.FARM]
    histograms = {}
    for setting in wild:
        frame = FilmPainter(empty_shot(setting, CameraMove.TRACK), canvas).paint(24)[90:, :, :3]
        counted = cv2.calcHist([cv2.cvtColor(frame, cv2.COLOR_RGB2LAB)], [0, 1, 2], None, [8, 16, 16], [0, 256] * 3)
        histograms[setting] = cv2.normalize(counted, None, 1, 0, cv2.NORM_L1)
    for first in wild:
        for second in wild:
            if first < second:
                away = cv2.compareHist(histograms[first], histograms[second], cv2.HISTCMP_BHATTACHARYYA)
                assert away > 0.3, f"{first} looks like {second}"


@pytest.mark.parametrize(
    ("prompt", "setting"),
    [
        ("aerial shot flying over snowy mountains at dawn, fog in the valleys", SettingKind.MOUNTAINS),
        ("an eagle soars above the desert", SettingKind.DESERT),
        ("vista aérea de islas tropicales", SettingKind.ISLAND),
        ("无人机航拍雪山,日出", SettingKind.MOUNTAINS),
        ("a volcano erupting at night", SettingKind.VOLCANO),
    ],
)
def test_a_prompt_that_is_a_landscape_is_flown_over(prompt: str, setting: SettingKind) -> None:
    shot = plan_film(prompt, ratio="16:9", duration_s=5, ratios=("16:9",), duration_range_s=(4, 15)).main
    assert shot.setting is setting
    assert land_of(shot) is LANDS[setting]
