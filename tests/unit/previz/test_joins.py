"""Videos that follow each other: a short way from one to the next, or a cut where the prompt says so."""

import itertools

import numpy as np
import pytest

from transition_judges import is_dissolve
from understudy.engines.previz.board.given import Cut, Given, Join, bridges_of, given_in
from understudy.media.decode_video import VideoReader
from unit.previz.giving import job_of, video_item
from unit.previz.moving import FPS, painted, photo, view, written

ENDS = 24


@pytest.fixture
def footage(tmp_path):
    """Two videos of a second each; the second shows the same table, seen from farther right."""
    large = photo("coffee", 900, 520)
    return tuple(
        written(tmp_path / f"video{number}", [view(large, at + index) for index in range(ENDS)])
        for number, at in enumerate((-90, 30))
    )


def test_one_video_becomes_the_next_on_a_short_way(footage):
    frames = painted(Given(videos=footage), range(18, 30), num_frames=48)
    changes = [np.abs(one.astype(int) - other).mean() for one, other in itertools.pairwise(frames)]
    cut = painted(Given(videos=footage, join=Join.CUT), (23, 24), num_frames=48)
    jump = np.abs(cut[0].astype(int) - cut[1]).mean()
    assert max(changes) < 0.6 * jump
    # What both show is moved: in the middle neither is laid over the other.
    assert not is_dissolve(frames[1], frames[6], frames[10])


def test_beside_the_way_the_videos_are_as_they_were(footage):
    given = Given(videos=footage)
    before, after = painted(given, (19, 28), num_frames=48)
    with VideoReader(footage[0].path, FPS) as reader:
        assert np.array_equal(before, list(reader)[19])
    with VideoReader(footage[1].path, FPS) as reader:
        assert np.array_equal(after, list(reader)[4])


def test_a_cut_is_a_cut(footage):
    shown = painted(Given(videos=footage, join=Join.CUT), (23, 24), num_frames=48)
    for frame, video, place in zip(shown, footage, (23, 0), strict=True):
        with VideoReader(video.path, FPS) as reader:
            assert np.array_equal(frame, list(reader)[place])


def test_frames_of_a_way_may_be_asked_for_in_any_order(footage):
    one, _, again = painted(Given(videos=footage), (25, 10, 25), num_frames=48)
    assert np.array_equal(one, again)


@pytest.mark.parametrize(("join", "frames"), [(Join.CUT, 0), (Join.USUAL, 8), (Join.SMOOTH, 12)])
def test_a_way_is_as_long_as_was_asked_for(join, frames):
    cuts = [Cut(video=number, starts_at=48 * number, begins_with=0, num_frames=48) for number in range(3)]
    bridges = bridges_of(cuts, join, fps=24)
    assert [bridge.num_frames for bridge in bridges] == ([frames] * 2 if frames else [])
    assert all((bridge.starts_at + bridge.ends_at) / 2 in (48, 96) for bridge in bridges)


def test_a_short_video_is_not_given_up_for_its_ways():
    cuts = [Cut(video=number, starts_at=6 * number, begins_with=0, num_frames=6) for number in range(2)]
    (bridge,) = bridges_of(cuts, Join.SMOOTH, fps=24)
    assert bridge.num_frames == 4


@pytest.mark.parametrize(
    ("prompt", "join"),
    [
        ("Stitch video 1 and video 2.", Join.USUAL),
        ("Stitch the clips with hard cuts", Join.CUT),
        ("Join them with a smooth transition", Join.SMOOTH),
        ("Join them without transitions", Join.CUT),
        ("将视频1和视频2拼接,中间平滑过渡", Join.SMOOTH),
        ("将视频1和视频2硬切拼接", Join.CUT),
        ("Une los videos con un corte directo", Join.CUT),
    ],
)
def test_the_words_say_how_videos_are_joined(tmp_path, prompt, join):
    assert given_in(job_of(tmp_path, video_item(tmp_path, duration_s=0.5), prompt=prompt)).join is join
