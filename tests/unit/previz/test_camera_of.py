"""The camera of a given video: its motion is measured, and another scene's camera goes the same way."""

import itertools

import cv2
import numpy as np
import pytest

from understudy.core.content import Role
from understudy.engines.previz.board.camera_of import camera_path_of
from understudy.engines.previz.board.given import Given
from understudy.engines.previz.camera_path import CameraPath, Offset
from understudy.engines.previz.pictures import Canvas
from understudy.engines.previz.pictures.camera import Camera
from understudy.engines.previz.pictures.staging import stage
from understudy.engines.previz.plan import CameraMove, Framing, SettingKind
from understudy.media.encode import write_png
from unit.previz.giving import facts_of, frames_of, job_of
from unit.previz.moving import FPS, SIZE, painted, panned, photo, view, written

FRAMES = 48


def swaying(path):
    """A camera that goes right, stops, and goes back half of the way."""
    large = photo("chelsea", 900, 520)
    times = np.linspace(0, 1, FRAMES)
    places = 110 * np.interp(times, [0, 0.45, 0.6, 1], [0, 1, 1, 0.5])
    return written(path, [view(large, float(place) - 60) for place in places]), places


def moved(frames):
    """How far right the picture has gone, frame by frame, in pixels; not measured by what is tested."""
    window = cv2.createHanningWindow(SIZE, cv2.CV_64F)
    greys = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float64) for frame in frames]
    steps = [cv2.phaseCorrelate(one, other, window)[0][0] for one, other in itertools.pairwise(greys)]
    return np.concatenate([[0], np.cumsum(steps)])


def filmed(folder, footage):
    """A film of another picture whose camera follows the footage's."""
    picture = photo("coffee")
    write_png(folder / "image", np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)]))
    given = Given(first=folder / "image", camera=footage)
    return painted(given, range(0, FRAMES, 2), num_frames=FRAMES)


@pytest.mark.full
def test_another_picture_is_filmed_with_the_videos_camera(tmp_path):
    footage, places = swaying(tmp_path / "video")
    went = moved(filmed(tmp_path, footage))
    assert np.corrcoef(went, -places[::2])[0, 1] > 0.9
    assert float(np.ptp(went)) > 10


def test_a_video_that_pans_the_other_way_is_told_apart(tmp_path):
    right, left = (moved(filmed(tmp_path, panned(tmp_path / f"v{step}", step, FRAMES)))[-1] for step in (2.0, -2.0))
    assert right < -8
    assert left > 8


def test_a_still_video_moves_no_camera(tmp_path):
    footage = written(tmp_path / "video", [photo("chelsea")] * FRAMES)
    assert float(np.ptp(moved(filmed(tmp_path, footage)))) < 1


def test_the_curve_of_a_video_is_its_cameras(tmp_path):
    footage, places = swaying(tmp_path / "video")
    path = camera_path_of(footage.path, FPS)
    assert path.duration_s == pytest.approx((FRAMES - 1) / FPS)
    found = np.array([offset.x for offset in path.offsets]) * SIZE[0]
    # Its corners are rounded a little.
    assert np.abs(found + places).max() < 8


def test_coming_nearer_is_told_from_going_aside(tmp_path):
    large = photo("chelsea", 900, 520)
    footage = written(tmp_path / "video", [view(large, growth=1.01**index) for index in range(FRAMES)])
    end = camera_path_of(footage.path, FPS).offsets[-1]
    assert end.growth == pytest.approx(1.01 ** (FRAMES - 1), rel=0.04)
    assert abs(end.x) < 0.03


def test_a_cut_in_a_video_is_no_move(tmp_path):
    frames = [photo("chelsea")] * 12 + [photo("coffee")] * 12
    end = camera_path_of(written(tmp_path / "video", frames).path, FPS).offsets[-1]
    assert abs(end.x) < 0.01
    assert abs(end.y) < 0.01


def views_along(path, *times_s):
    """How far right of the frame's middle the camera of a drawn scene puts its subject, and how large it is."""
    canvas = Canvas(width_px=SIZE[0], height_px=SIZE[1], fps=FPS, num_frames=FRAMES, seed=1)
    staging = stage(canvas, Framing.MEDIUM, SettingKind.MEADOW, aspect=0.5, group_span=0.5)
    camera = Camera(staging, CameraMove.STATIC, rng=np.random.default_rng(1), path=path)
    views = [camera.view(time_s) for time_s in times_s]
    depth = staging.distance
    return [(view.project(0, 0, depth)[0] - SIZE[0] / 2, view.scale(depth) / views[0].scale(depth)) for view in views]


def test_a_drawn_scene_is_filmed_with_the_videos_camera(tmp_path):
    footage, places = swaying(tmp_path / "video")
    times_s = np.arange(FRAMES) / FPS
    went = [aside for aside, _ in views_along(camera_path_of(footage.path, FPS), *times_s)]
    assert np.corrcoef(went, -places)[0, 1] > 0.95
    assert np.ptp(went) == pytest.approx(110, rel=0.15)


def test_a_drawn_scene_is_come_nearer_to_as_in_the_video():
    path = CameraPath(fps=1.0, offsets=(Offset(), Offset(growth=1.5), Offset(growth=1.5)))
    assert views_along(path, 0.0, 1.0)[1] == (pytest.approx(0), pytest.approx(1.5))


def test_a_prompt_borrows_the_camera_of_a_video_for_a_scene_of_its_own(tmp_path):
    ends = {}
    for step_px in (2.0, -2.0):
        footage = panned(tmp_path / f"video{step_px}", step_px, FRAMES)
        facts = facts_of(Role.REFERENCE_VIDEO, footage.path, width_px=432, height_px=248, duration_s=2.0)
        prompt = "A horse stands in a meadow. Use the camera movement of video 1."
        job = job_of(tmp_path, (Role.REFERENCE_VIDEO, footage.path, facts), prompt=prompt, num_frames=FRAMES)
        frames = [np.ascontiguousarray(cv2.resize(one, SIZE)) for one in frames_of(job, *range(0, FRAMES, 4))]
        ends[step_px] = moved(frames)[-1]
    assert ends[2.0] < -15
    assert ends[-2.0] > 15


def test_a_curve_is_read_between_its_points_and_stays_at_its_end():
    path = CameraPath(fps=2.0, offsets=(Offset(), Offset(x=0.2, growth=4.0)))
    assert path.at(0.25) == Offset(x=0.1, growth=2.0)
    assert path.at(9.0) == path.offsets[-1]
