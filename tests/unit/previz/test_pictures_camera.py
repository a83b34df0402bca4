"""Each camera move goes the way its name says, through depth: near things move more than far ones."""

from itertools import pairwise

import cv2
import numpy as np
import pytest

from understudy.engines.previz.pictures.camera import Camera
from understudy.engines.previz.pictures.layers import bake_surface
from understudy.engines.previz.pictures.raster import Raster
from understudy.engines.previz.pictures.staging import Staging, stage
from understudy.engines.previz.pictures.view import Reach, View
from understudy.engines.previz.plan import Action, CameraMove, Framing, SettingKind
from unit.previz.watching import canvas_of, drift, expansion, frames_of, shot_of

# In the middle of a move it is fastest; a few frames apart, flow is still small enough to be measured.
MIDST = (46, 49)


def moved(camera: CameraMove, **changes: object) -> list[np.ndarray]:
    return frames_of(shot_of("rock", camera=camera, props=("tulip", "deciduous-tree"), **changes), MIDST)


def test_a_static_camera_rests() -> None:
    across, down = drift(moved(CameraMove.STATIC))
    assert abs(across) < 0.1
    assert abs(down) < 0.1


def test_panning_right_moves_the_scene_left() -> None:
    assert drift(moved(CameraMove.PAN_RIGHT))[0] < -1


def test_panning_left_moves_the_scene_right() -> None:
    assert drift(moved(CameraMove.PAN_LEFT))[0] > 1


def test_tilting_up_moves_the_scene_down() -> None:
    assert drift(moved(CameraMove.TILT_UP))[1] > 0.8


def test_tilting_down_moves_the_scene_up() -> None:
    assert drift(moved(CameraMove.TILT_DOWN))[1] < -0.8


def test_pushing_in_opens_the_scene() -> None:
    assert expansion(moved(CameraMove.PUSH_IN)) > 0.002


def test_pulling_out_closes_the_scene() -> None:
    assert expansion(moved(CameraMove.PULL_OUT)) < -0.002


def test_a_point_of_view_goes_forward() -> None:
    first, second = frames_of(shot_of("rock", camera=CameraMove.POV, props=("tulip", "deciduous-tree")), (34, 62))
    assert expansion([first, second]) > 0.01


def test_tracking_goes_sideways() -> None:
    assert abs(drift(moved(CameraMove.TRACK))[0]) > 0.6


def test_craning_up_looks_down_on_more_ground() -> None:
    first, last = (camera_at(CameraMove.CRANE_UP, time_s) for time_s in (0.0, 4.0))
    assert last.y > first.y + 0.5


def test_craning_down_is_the_way_back() -> None:
    first, last = (camera_at(CameraMove.CRANE_DOWN, time_s) for time_s in (0.0, 4.0))
    assert last.y < first.y - 0.5


def test_a_hand_is_never_still_and_goes_nowhere() -> None:
    views = [camera_at(CameraMove.HANDHELD, time_s) for time_s in np.linspace(0, 4, 40)]
    steps = [abs(a.centre_x_px - b.centre_x_px) for a, b in pairwise(views)]
    assert min(steps) < max(steps)
    assert max(steps) > 0
    assert max(abs(view.x) for view in views) < 0.1


@pytest.mark.parametrize("camera", [CameraMove.PAN_RIGHT, CameraMove.TRACK])
def test_near_things_pass_faster_than_far_ones(camera: CameraMove) -> None:
    staging = staging_of()
    views = [Camera(staging, camera, rng=np.random.default_rng(1)).view(time_s) for time_s in (1.9, 2.1)]
    near, far = (
        abs(views[1].project(0.0, 0.0, depth)[0] - views[0].project(0.0, 0.0, depth)[0])
        for depth in (staging.distance, staging.distance * 12)
    )
    assert near > 1.2 * far


@pytest.mark.parametrize("camera", [CameraMove.PAN_RIGHT, CameraMove.TRACK])
def test_the_foreground_flows_faster_than_the_hills(camera: CameraMove) -> None:
    frames = frames_of(shot_of(subjects=(), camera=camera, setting=SettingKind.COURTYARD), MIDST)
    ground, sky = abs(drift(frames, (0.75, 1.0))[0]), abs(drift(frames, (0.1, 0.5))[0])
    assert ground > 1.15 * sky


def test_a_push_in_is_no_flat_zoom() -> None:
    staging = staging_of()
    views = [Camera(staging, CameraMove.PUSH_IN, rng=np.random.default_rng(1)).view(time_s) for time_s in (0.0, 4.0)]
    near, far = (views[1].scale(depth) / views[0].scale(depth) for depth in (staging.distance, staging.distance * 12))
    assert near > 1.4
    assert far < 1.06


def test_an_orbit_turns_about_the_subject() -> None:
    staging = staging_of()
    views = [Camera(staging, CameraMove.ORBIT, rng=np.random.default_rng(1)).view(time_s) for time_s in (1.0, 3.0)]

    def shift(depth: float) -> float:
        return views[1].project(0.0, 0.0, depth)[0] - views[0].project(0.0, 0.0, depth)[0]

    assert abs(shift(staging.distance)) < 1
    assert shift(staging.distance * 0.6) < -5
    assert shift(staging.distance * 2) > 5


def test_the_road_runs_under_a_driving_car() -> None:
    frames = frames_of(
        shot_of("automobile", Action.DRIVE, setting=SettingKind.ROAD, props=("deciduous-tree",)), MIDST, seed=3
    )
    assert abs(drift(frames, (0.30, 0.55))[0]) > 1.2


def staging_of(framing: Framing = Framing.MEDIUM, size_px: tuple[int, int] = (320, 180)) -> Staging:
    return stage(canvas_of(size_px), framing, SettingKind.MEADOW, aspect=1.0, group_span=1.0)


def camera_at(camera: CameraMove, time_s: float) -> View:
    return Camera(staging_of(), camera, rng=np.random.default_rng(1)).view(time_s)


@pytest.mark.parametrize("size_px", [(320, 180), (320, 240), (240, 240), (240, 320), (180, 320), (420, 180)])
@pytest.mark.parametrize("framing", list(Framing))
def test_the_subject_fits_every_ratio(framing: Framing, size_px: tuple[int, int]) -> None:
    staging = staging_of(framing, size_px)
    assert staging.hero_px <= size_px[0]
    assert staging.feet_px <= size_px[1]
    assert staging.feet_px - staging.hero_px >= 0
    assert 0.3 * size_px[1] < staging.horizon_px < 0.62 * size_px[1]


def test_ground_matrix_and_projection_agree() -> None:
    view = camera_at(CameraMove.ORBIT, 3.0)
    mapped = view.ground_matrix() @ np.array([0.7, 5.0, 1.0])
    assert np.allclose(mapped[:2] / mapped[2], view.project(0.7, 0.0, 5.0))


def test_wall_matrix_and_projection_agree() -> None:
    view = camera_at(CameraMove.CRANE_UP, 3.0)
    mapped = view.side_matrix(-1.3) @ np.array([6.0, 0.8, 1.0])
    assert np.allclose(mapped[:2] / mapped[2], view.project(-1.3, 0.8, 6.0))


@pytest.mark.parametrize("camera", [CameraMove.PUSH_IN, CameraMove.ORBIT, CameraMove.CRANE_UP, CameraMove.PAN_LEFT])
def test_a_mark_on_the_ground_stays_where_the_camera_sees_it(camera: CameraMove) -> None:
    staging = staging_of(size_px=(640, 360))
    mover = Camera(staging, camera, rng=np.random.default_rng(1))
    reach = Reach.of([mover.view(time_s) for time_s in np.linspace(0, 4, 9)])
    place = (0.3, staging.distance * 1.1)

    def shade(x: np.ndarray, z: np.ndarray, blur: np.ndarray) -> np.ndarray:
        spot = (np.hypot(x - place[0], z - place[1]) < 0.12).astype(np.float32)
        return np.repeat(spot[..., None], 3, axis=2)

    surface, _ = bake_surface(reach, shade, detail=1.0)
    raster = Raster(640, 360)
    for time_s in (0.5, 2.0, 3.5):
        raster.pixels[..., :3] = 0
        view = mover.view(time_s)
        surface.draw(raster, view)
        moments = cv2.moments(raster.pixels[..., 0])
        seen = moments["m10"] / moments["m00"] + 0.5, moments["m01"] / moments["m00"] + 0.5
        assert np.allclose(seen, view.project(place[0], 0.0, place[1]), atol=1.5)
