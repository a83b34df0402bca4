"""An extension of a given video: the joint is not seen, the motion goes on, forward and backward; so does the sound."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from transition_judges import flows, goes_on
from understudy.core.content import Modality
from understudy.engines.previz.board.extension import momentum_of
from understudy.engines.previz.board.given import Given, as_told, cuts_of
from understudy.engines.previz.board.lasting import carried_on, led_to
from understudy.engines.previz.plan import Extension, FilmPlan, Reference, ReferenceUse, Shot
from understudy.media.decode_video import VideoReader
from unit.previz.moving import FPS, SIZE, ball_at, painted, panned, photo, view, with_ball, written

NUM_FRAMES = 48
JOINT = 24
"""The film's first frame that is not the video's, or, backward, that is."""


def given_of(footage, **wants):
    return Given(videos=(footage,), is_extension=True, **wants)


def around_joint(footage, **wants):
    return painted(given_of(footage, **wants), range(JOINT - 8, JOINT + 8), num_frames=NUM_FRAMES)


@pytest.mark.parametrize("step_px", [3.0, -2.0])
def test_a_camera_that_moves_goes_on_over_the_joint(tmp_path, step_px):
    frames = around_joint(panned(tmp_path / "video", step_px))
    assert goes_on(frames, 8)
    # What is panned to the right goes left.
    assert np.sign(flows(frames[7:9])[0][0]) == -np.sign(step_px)


def test_a_camera_that_comes_nearer_goes_on(tmp_path):
    large = photo("coffee", 900, 520)
    footage = written(tmp_path / "video", [view(large, growth=1.01**index) for index in range(30)])
    momentum = momentum_of(footage.path, FPS, at=29, size_px=SIZE)
    assert momentum.frame.growth == pytest.approx(1.01, abs=0.002)
    frames = around_joint(footage)
    right, left = (np.median([flow[0] for flow in side_flows(frames[7:9], side)]) for side in (1, 0))
    assert right > 0 > left


def side_flows(frames, side):
    half = SIZE[0] // 2
    return flows([np.ascontiguousarray(frame[:, side * half : side * half + half]) for frame in frames])


def test_the_judge_refuses_a_picture_that_stands_and_one_that_is_cut(tmp_path):
    frames = around_joint(panned(tmp_path / "video"))
    assert not goes_on([*frames[:8], *[frames[7]] * 8], 8)
    assert not goes_on([*frames[:8], *frames[:8]], 8)
    assert not goes_on([*frames[:8], *[photo("chelsea")] * 8], 8)


def test_a_film_that_leads_to_a_video_arrives_with_its_motion(tmp_path):
    footage = panned(tmp_path / "video", 3.0)
    frames = around_joint(footage, is_backward=True)
    with VideoReader(footage.path, FPS) as reader:
        assert np.array_equal(frames[8], next(iter(reader)))
    assert goes_on(frames, 8)
    assert flows(frames[7:9])[0][0] < 0


def test_a_thing_that_moves_goes_on_while_the_rest_stands(tmp_path):
    ground = photo("coffee")
    footage = written(tmp_path / "video", [with_ball(ground, 60 + 4 * index, 130) for index in range(30)])
    frames = around_joint(footage)
    places = [ball_at(frame) for frame in frames]
    steps = [after[0] - before[0] for before, after in itertools.pairwise(places)]
    assert steps[0] == pytest.approx(4, abs=0.6)
    assert all(step > 1 for step in steps[1:])
    assert np.abs(frames[9][:, :40].astype(int) - frames[7][:, :40]).mean() < 3


def test_a_video_that_stands_still_is_not_moved_by_noise(tmp_path):
    still = photo("coffee")
    rng = np.random.default_rng(1)
    frames = [np.clip(still + rng.normal(0, 3, still.shape), 0, 255).astype(np.uint8) for _ in range(30)]
    momentum = momentum_of(written(tmp_path / "video", frames).path, FPS, at=29, size_px=SIZE)
    assert not momentum.is_any


def test_the_motion_comes_to_rest(tmp_path):
    footage = panned(tmp_path / "video")
    frames = painted(replace(given_of(footage), is_still=True), [24, 25, 26, 70, 71], num_frames=72)
    lengths = np.linalg.norm(flows(frames), axis=1)
    assert lengths[0] > 5 * lengths[-1]


def test_a_film_that_leads_to_a_video_ends_with_it(tmp_path):
    footage = panned(tmp_path / "video", num_frames=36)
    (cut,) = cuts_of(given_of(footage, is_backward=True), num_frames=48, fps=FPS)
    assert (cut.starts_at, cut.begins_with, cut.num_frames) == (24, 0, 24)
    (cut,) = cuts_of(given_of(footage, is_backward=True), num_frames=96, fps=FPS)
    assert (cut.starts_at, cut.begins_with, cut.num_frames) == (60, 0, 36)


def test_what_the_plan_says_of_videos_is_followed(tmp_path):
    footage = tuple(replace(panned(tmp_path / f"video{number}"), duration_s=number) for number in (1, 2, 3))
    uses = ((3, ReferenceUse.SOURCE), (1, ReferenceUse.SOURCE), (2, ReferenceUse.CAMERA))
    plan = FilmPlan(
        prompt="",
        shots=(Shot(duration_s=4),),
        lines=(),
        ratio="16:9",
        duration_s=4,
        references=tuple(Reference(modality=Modality.VIDEO, number=number, use=use) for number, use in uses),
        extension=Extension.BACKWARD,
    )
    told = as_told(Given(videos=footage, is_extension=True), plan)
    assert [video.duration_s for video in told.videos] == [3, 1]
    assert told.camera == footage[1]
    assert told.is_backward
    assert not as_told(Given(videos=footage), plan).is_backward


# Sound.


def tone(length_s: float, frequency_hz: float = 440.0) -> np.ndarray:
    times = np.arange(round(length_s * 48_000)) / 48_000
    return np.tile(0.2 * np.sin(2 * np.pi * frequency_hz * times), (2, 1)).astype(np.float32)


@pytest.mark.parametrize("carry", [carried_on, led_to])
def test_a_tone_goes_on_as_loud_and_without_a_break(carry):
    sound = tone(2.0)
    more = carry(sound, 96_000, sample_rate_hz=48_000, rng=np.random.default_rng(1))
    joined = np.concatenate([sound, more] if carry is carried_on else [more, sound], axis=1)[0]
    levels = [float(np.sqrt(np.square(joined[at : at + 2400]).mean())) for at in range(0, joined.size - 2400, 2400)]
    assert min(levels) > 0.75 * levels[10 if carry is carried_on else -10]
    # A tone of 440 Hz at this level steps by no more than 0.012; a click is a larger one.
    assert float(np.abs(np.diff(joined)).max()) < 0.02


def test_a_word_at_the_end_is_not_said_again():
    sound = 0.02 * np.random.default_rng(2).normal(size=(2, 96_000)).astype(np.float32)
    sound[:, 60_000:72_000] += 0.6 * tone(0.25, 900)
    more = carried_on(sound, 144_000, sample_rate_hz=48_000, rng=np.random.default_rng(1))
    assert float(np.abs(more).max()) < 0.12
    assert float(np.sqrt(np.square(more).mean())) == pytest.approx(0.02, rel=0.3)


def test_silence_goes_on_as_silence():
    more = carried_on(np.zeros((2, 96_000), np.float32), 48_000, sample_rate_hz=48_000, rng=np.random.default_rng(1))
    assert not more.any()
