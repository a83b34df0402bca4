"""What previz makes of given media: frames that are met exactly, videos that are played, images shown, sounds heard."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

import odd_media
from understudy.core.content import Role
from understudy.core.errors import TaskFailed
from understudy.engines.previz.board import notes
from understudy.engines.previz.board.given import cuts_of, given_in
from understudy.engines.previz.board.panels import page, pages_of
from understudy.engines.previz.engine import PrevizEngine, compose, notes_on_sound, open_film, plan_job
from understudy.engines.previz.sound.loudness import integrated_lufs
from understudy.media.decode import fitted, read_image
from understudy.media.decode_video import VideoReader
from unit.previz.giving import apart, decoded, frames_of, image_item, job_of, rendered, scenery, sound_item, video_item

RED = np.array((250, 0, 0))
LAST = 23
"""The last picture of the second that most jobs here are long."""


# Frames.


def test_a_film_begins_with_its_first_frame_as_it_is(tmp_path):
    picture = scenery()
    job = job_of(tmp_path, image_item(tmp_path, picture), prompt="push in")
    assert np.array_equal(frames_of(job, 0)[0], picture)


def test_the_first_picture_that_is_decoded_is_the_first_frame(tmp_path):
    picture = scenery()
    _, film = rendered(job_of(tmp_path / "out", image_item(tmp_path, picture), prompt="push in"))
    # What is left is what H.264 at the film's quality takes away.
    assert apart(decoded(film)[0], picture) < 3


def test_a_first_frame_of_another_shape_loses_its_sides_alike(tmp_path):
    picture = scenery(1600, 496)
    job = job_of(tmp_path, image_item(tmp_path, picture), ratio="16:9")
    assert np.array_equal(frames_of(job, 0)[0], picture[:, 368:1232])


@pytest.mark.parametrize(("size", "ratio"), [((1000, 600), "16:9"), ((600, 1000), "9:16"), ((700, 720), "1:1")])
def test_a_ratio_that_is_left_open_is_the_first_frames(tmp_path, size, ratio):
    assert plan_job(job_of(tmp_path, image_item(tmp_path, scenery(*size)))).ratio == ratio


@pytest.mark.parametrize(
    "prompt",
    [
        *("", "orbit", "zoom out"),
        pytest.param("handheld camera", marks=pytest.mark.full),
        *(pytest.param(each, marks=pytest.mark.long) for each in ("push in", "pan left", "tilt up", "crane up", "POV")),
    ],
)
def test_the_camera_moves_over_a_first_frame_and_never_jumps(tmp_path, prompt):
    job = job_of(tmp_path, image_item(tmp_path, scenery()), prompt=prompt, num_frames=None, duration_s=4)
    painted = frames_of(job, 0, 1, 2, 46, 47, 48, 94, 95)
    assert apart(painted[0], painted[4]) > 2
    steps = [apart(painted[first], painted[first + 1]) for first in (0, 1, 3, 4, 6)]
    assert max(steps) < 12


def test_the_camera_starts_and_stops_softly(tmp_path):
    job = job_of(tmp_path, image_item(tmp_path, scenery()), prompt="push in", num_frames=48)
    painted = frames_of(job, 0, 1, 23, 24, 46, 47)
    start, middle, end = (apart(painted[place], painted[place + 1]) for place in (0, 2, 4))
    assert max(start, end) < middle / 2


def test_a_lone_image_without_a_role_is_the_first_frame(tmp_path):
    picture = scenery()
    job = job_of(tmp_path, image_item(tmp_path, picture))
    text, image = job.request.content
    job = replace(job, request=replace(job.request, content=(text, replace(image, role=None))))
    assert given_in(job).first is not None
    assert np.array_equal(frames_of(job, 0)[0], picture)


def test_a_pan_to_the_right_shows_what_is_on_the_right(tmp_path):
    picture = scenery()
    picture[:, 700:] = (250, 0, 0)
    reds = {}
    for prompt in ("pan right", "pan left"):
        job = job_of(tmp_path, image_item(tmp_path, picture), prompt=prompt)
        reds[prompt] = [float((np.abs(frame - RED).max(axis=2) < 60).mean()) for frame in frames_of(job, 0, LAST)]
    assert reds["pan right"][1] > reds["pan right"][0] + 0.01
    assert reds["pan left"][1] < reds["pan left"][0] - 0.05


@pytest.mark.parametrize("wants", [{"camera_fixed": True}, {"prompt": "Static shot."}, {"prompt": "固定镜头"}])
def test_a_camera_that_is_to_stand_stands(tmp_path, wants):
    job = job_of(tmp_path, image_item(tmp_path, scenery()), **wants)
    first, last = frames_of(job, 0, LAST)
    assert np.array_equal(first, last)


def test_nothing_is_written_into_a_first_frame_but_what_was_asked_for(tmp_path):
    picture = scenery()
    item = image_item(tmp_path, picture)
    plain, marked = (
        decoded(rendered(job_of(tmp_path / name, item, num_frames=2, watermark=name == "marked"))[1])[0]
        for name in ("plain", "marked")
    )
    assert apart(plain[:-60], marked[:-60]) < 0.5
    assert apart(plain[-60:, -200:], marked[-60:, -200:]) > 5


def test_a_transparent_first_frame_stands_on_white(tmp_path):
    path = tmp_path / "clear"
    path.write_bytes(odd_media.picture("png", mode="RGBA", width_px=864, height_px=496))
    role, _, facts = image_item(tmp_path, scenery())
    shown = frames_of(job_of(tmp_path, (role, path, facts)), 0)[0]
    clear = read_image(path).astype(int)
    expected = (clear[..., :3] * clear[..., 3:] + 255 * (255 - clear[..., 3:]) + 127) // 255
    assert np.array_equal(shown, expected)


def test_both_ends_of_a_film_are_the_frames_that_were_given(tmp_path):
    first, last = scenery(seed=1), scenery(seed=2)
    job = job_of(tmp_path, image_item(tmp_path, last, Role.LAST_FRAME, "last"), image_item(tmp_path, first))
    painted = frames_of(job, 0, LAST)
    assert np.array_equal(painted[0], first)
    assert np.array_equal(painted[1], last)


def test_a_last_frame_of_another_shape_is_cut_to_the_firsts(tmp_path):
    first, last = scenery(864, 496), scenery(496, 864, seed=2)
    job = job_of(tmp_path, image_item(tmp_path, first), image_item(tmp_path, last, Role.LAST_FRAME, "last"))
    assert np.array_equal(frames_of(job, LAST)[0], fitted(last, 864, 496))


def test_what_two_frames_share_moves_from_one_place_to_the_other_and_is_never_seen_twice(tmp_path):
    whole = scenery(1000, 496)
    first, last = whole[:, :864].copy(), whole[:, 40:904].copy()
    job = job_of(tmp_path, image_item(tmp_path, first), image_item(tmp_path, last, Role.LAST_FRAME, "last"))
    middle = frames_of(replace(job, num_frames=25), 12)[0].astype(float)
    halfway = whole[:, 20:884].astype(float)
    inside = np.s_[60:-60, 60:-60]
    dissolve = (first.astype(float) + last) / 2
    assert np.abs(middle - halfway)[inside].mean() < 0.35 * np.abs(dissolve - halfway)[inside].mean()


def test_two_frames_that_share_nothing_are_each_seen_plainly_before_and_after(tmp_path):
    first, last = scenery(seed=1), np.roll(scenery(seed=9)[::-1], 200, axis=1).copy()
    job = job_of(tmp_path, image_item(tmp_path, first), image_item(tmp_path, last, Role.LAST_FRAME, "last"))
    before, after = frames_of(replace(job, num_frames=96), 30, 65)
    # Nothing of the other is seen: there are no colours but a picture's own. A dissolve has others nearly everywhere.
    assert own_colours(before, first) > 0.9
    assert own_colours(after, last) > 0.9
    assert own_colours(cv2.addWeighted(first, 0.7, last, 0.3, 0), first) < 0.5


def own_colours(picture: np.ndarray, own: np.ndarray) -> float:
    """The share of a picture that has a colour of another one, of plain colours."""
    palette = np.unique(own.reshape(-1, 3), axis=0).astype(int)
    places = picture[::8, ::8].reshape(-1, 3)
    return float((np.abs(places[:, None] - palette).max(axis=2).min(axis=1) < 8).mean())


# Videos.


def pictures_of(path: Path, *size: int) -> list[np.ndarray]:
    """A given video as it is to be seen in the film."""
    with VideoReader(path, 24) as reader:
        return [fitted(picture, *size) for picture in reader]


def test_a_video_is_played_picture_by_picture(tmp_path):
    item = video_item(tmp_path, duration_s=1.0)
    seen = pictures_of(item[1], 864, 496)
    painted = frames_of(job_of(tmp_path, item), *range(24))
    assert all(np.array_equal(one, other) for one, other in zip(painted, seen, strict=True))


def test_a_video_of_another_rate_keeps_its_speed(tmp_path):
    item = video_item(tmp_path, duration_s=1.0, fps=48)
    assert np.array_equal(frames_of(job_of(tmp_path, item), 20)[0], pictures_of(item[1], 864, 496)[20])
    assert len(pictures_of(item[1], 864, 496)) == 24


def test_several_videos_follow_each_other(tmp_path):
    one = video_item(tmp_path, "one", duration_s=0.5)
    two = video_item(tmp_path, "two", duration_s=0.5, steps=(2,), width_px=496, height_px=864)
    painted = frames_of(job_of(tmp_path, one, two, prompt="Stitch them with a hard cut."), 11, 12)
    assert np.array_equal(painted[0], pictures_of(one[1], 864, 496)[-1])
    assert np.array_equal(painted[1], pictures_of(two[1], 864, 496)[0])


def test_a_film_longer_than_its_video_goes_on_from_the_last_picture(tmp_path):
    item = video_item(tmp_path, duration_s=0.5)
    end = pictures_of(item[1], 864, 496)[-1]
    painted = frames_of(job_of(tmp_path, item, prompt="push in"), 11, 12, 23)
    assert np.array_equal(painted[0], end)
    assert 0 < apart(painted[1], end) < apart(painted[2], end)


def test_frames_may_be_asked_for_in_any_order(tmp_path):
    job = job_of(tmp_path, video_item(tmp_path, duration_s=0.5))
    one, two, again = frames_of(job, 9, 3, 9)
    assert np.array_equal(one, again)
    assert not np.array_equal(one, two)


@pytest.mark.parametrize(
    ("prompt", "wants", "expected"),
    [
        ("change the sky", {}, [(0, 0, 24)]),
        ("Extend video 1: it begins to rain", {}, [(0, 36, 12)]),
        ("将视频1延长", {}, [(0, 36, 12)]),
        ("change the sky", {"omni_reference_task_type": "extend"}, [(0, 36, 12)]),
        ("Extend the wall", {"omni_reference_task_type": "edit"}, [(0, 0, 24)]),
    ],
)
def test_an_extension_leaves_room_for_what_is_new(tmp_path, prompt, wants, expected):
    given = given_in(job_of(tmp_path, video_item(tmp_path, duration_s=2.0), prompt=prompt, **wants))
    cuts = cuts_of(given, num_frames=24, fps=24)
    assert [(cut.video, cut.begins_with, cut.num_frames) for cut in cuts] == expected


def test_an_extension_that_begins_later_plays_that_part_of_the_video(tmp_path):
    item = video_item(tmp_path, duration_s=2.0)
    painted = frames_of(job_of(tmp_path, item, prompt="extend video 1"), 0, 11)
    seen = pictures_of(item[1], 864, 496)
    assert np.array_equal(painted[0], seen[36])
    assert np.array_equal(painted[1], seen[47])


@pytest.mark.parametrize(
    ("prompt", "lengths", "duration_s"),
    [("edit", [6.2], 6), ("edit", [2.0], 4), ("stitch", [6, 7], 13), ("edit", [9, 9], 15), ("extend video 1", [4], 9)],
)
def test_a_length_that_is_left_open_is_that_of_the_videos_within_bounds(tmp_path, prompt, lengths, duration_s):
    items = []
    for number, length in enumerate(lengths):
        role, path, facts = video_item(tmp_path, f"video{number}", duration_s=0.5)
        items.append((role, path, replace(facts, duration_s=float(length))))
    job = job_of(tmp_path, *items, prompt=prompt, num_frames=None)
    assert plan_job(job).duration_s == duration_s


# Images.


def test_a_reference_image_of_another_shape_is_shown_whole(tmp_path):
    picture = np.full((864, 300, 3), 200, dtype=np.uint8)
    picture[:40], picture[-40:] = (250, 0, 0), (0, 0, 250)
    job = job_of(tmp_path, image_item(tmp_path, picture, Role.REFERENCE_IMAGE), ratio="16:9", camera_fixed=True)
    shown = frames_of(job, 0)[0]
    assert apart(shown[5, 432], np.array((250, 0, 0))) < 5
    assert apart(shown[-5, 432], np.array((0, 0, 250))) < 5
    # Beside it there is a dark ground, no second picture.
    assert shown[:, :200].max() < 110


def test_many_images_share_pages_so_that_each_can_be_looked_at():
    images = [Path(str(number)) for number in range(9)]
    pages = pages_of(images, time_s=4.0)
    assert [len(page) for page in pages] == [3, 3, 3]
    assert [path for page in pages for path in page] == images
    assert [len(page) for page in pages_of(images[:2], time_s=0.5)] == [2]
    assert pages_of([], time_s=4.0) == ()


def test_every_image_is_on_its_page(tmp_path):
    colours = [(250, 0, 0), (0, 250, 0), (0, 0, 250), (250, 250, 0)]
    paths = []
    for number, colour in enumerate(colours):
        picture = np.full((300, 400, 3), colour, dtype=np.uint8)
        paths.append(image_item(tmp_path, picture, Role.REFERENCE_IMAGE, f"i{number}")[1])
    shown = page(paths, width_px=864, height_px=496)
    for colour in colours:
        assert (np.abs(shown.astype(int) - colour).max(axis=2) < 6).mean() > 0.08


def test_images_beside_a_video_follow_it(tmp_path):
    picture = scenery(seed=4)
    still = image_item(tmp_path, picture, Role.REFERENCE_IMAGE)
    job = job_of(tmp_path, still, video_item(tmp_path, duration_s=0.5), camera_fixed=True)
    assert np.array_equal(frames_of(job, 23)[0], picture)


# Size, repetition, failure.


@pytest.mark.full
def test_a_draft_and_its_final_show_the_same(tmp_path):
    items = [image_item(tmp_path, scenery(1920, 1080)), image_item(tmp_path, scenery(seed=3), Role.LAST_FRAME, "last")]
    for given in (items[:1], items):
        small, large = (
            frames_of(job_of(tmp_path, *given, prompt="orbit", resolution=size, ratio="1:1"), 12)[0]
            for size in ("480p", "1080p")
        )
        assert apart(small, fitted(large, 640, 640)) < 2


def test_equal_jobs_give_equal_files(tmp_path):
    items = [video_item(tmp_path, duration_s=0.5), image_item(tmp_path, scenery(), Role.REFERENCE_IMAGE)]
    films = [rendered(job_of(tmp_path / name, *items, generate_audio=True))[1] for name in ("one", "two")]
    assert films[0].read_bytes() == films[1].read_bytes()


def test_a_file_that_cannot_be_read_fails_the_task_for_good(tmp_path):
    role, path, facts = image_item(tmp_path, scenery())
    path.write_bytes(path.read_bytes()[:500])
    (tmp_path / "out").mkdir()
    with pytest.raises(TaskFailed, match="could not be read") as failure:
        PrevizEngine().render(job_of(tmp_path / "out", (role, path, facts)), lambda done, total: None)
    assert not failure.value.is_retryable
    assert str(tmp_path) not in str(failure.value)


def test_an_item_without_a_file_is_the_servers_fault(tmp_path):
    job = replace(job_of(tmp_path, image_item(tmp_path, scenery())), media={})
    with pytest.raises(TaskFailed) as failure:
        plan_job(job) and open_film(plan_job(job), job, None)
    assert failure.value.violation.code == "InternalServiceError"


# Sound.


def levels(job, *spans_s: tuple[float, float]) -> list[float]:
    """The strength of the 440 Hz tone in parts of the job's sound."""
    samples = compose(plan_job(job), job).samples[:, 0]
    found = []
    for start_s, end_s in spans_s:
        part = samples[round(start_s * 48_000) : round(end_s * 48_000)]
        wave = np.exp(-2j * np.pi * 440 * np.arange(part.size) / 48_000)
        found.append(float(np.abs((part * wave).mean())))
    return found


def test_a_reference_sound_is_heard_and_ends_where_it_ends(tmp_path):
    job = job_of(tmp_path, sound_item(tmp_path, duration_s=1.0), num_frames=None, duration_s=4, generate_audio=True)
    heard, after = levels(job, (0.2, 0.8), (1.5, 3.5))
    assert heard > 0.05
    assert after < heard / 100


def test_the_sound_of_a_video_is_heard_while_it_is_seen(tmp_path):
    silent = video_item(tmp_path, "silent", duration_s=1.0, sounds=0)
    loud = video_item(tmp_path, "loud", duration_s=1.0)
    job = job_of(tmp_path, silent, loud, num_frames=None, duration_s=4, generate_audio=True)
    before, during, after = levels(job, (0.1, 0.8), (1.2, 1.8), (2.3, 3.5))
    assert during > 0.05
    assert max(before, after) < during / 50


def test_silent_videos_leave_the_sound_to_the_prompt(tmp_path):
    job = job_of(tmp_path, video_item(tmp_path, sounds=0, duration_s=0.5), prompt="waves", generate_audio=True)
    assert np.abs(compose(plan_job(job), job).samples).max() > 0.02


def test_sounds_follow_each_other(tmp_path):
    items = [sound_item(tmp_path, name, duration_s=1.0) for name in ("one", "two")]
    job = job_of(tmp_path, *items, num_frames=None, duration_s=4, generate_audio=True)
    heard = levels(job, (0.2, 0.8), (1.2, 1.8), (2.3, 3.5))
    assert min(heard[:2]) > 0.05
    assert heard[2] < heard[0] / 100


@pytest.mark.parametrize("channels", [1, 2])
def test_given_sound_has_a_films_loudness(tmp_path, channels):
    job = job_of(tmp_path, sound_item(tmp_path, duration_s=4.0), num_frames=None, duration_s=4, generate_audio=True)
    samples = compose(plan_job(job), replace(job, audio_channels=channels)).samples
    assert samples.shape == (4 * 48_000, channels)
    assert integrated_lufs(samples.T, 48_000) == pytest.approx(-16, abs=1.0)


def test_lines_of_the_prompt_are_spoken_over_given_sound(tmp_path):
    prompt = 'A woman says: "Good morning, everybody."'
    item = sound_item(tmp_path, duration_s=4.0)
    job = job_of(tmp_path, item, prompt=prompt, num_frames=None, duration_s=4, generate_audio=True)
    track = compose(plan_job(job), job)
    (line,) = track.spoken
    # The tone gives way to the voice.
    during, after = levels(job, (line.start_s + 0.2, line.end_s - 0.2), (line.end_s + 0.7, 3.9))
    assert during < after / 2


def test_a_film_without_sound_stays_silent_whatever_is_given(tmp_path):
    result, _ = rendered(job_of(tmp_path / "out", sound_item(tmp_path), video_item(tmp_path, duration_s=0.5)))
    assert not result.has_sound


# What is told.


def told(job) -> set[str]:
    track = compose(plan_job(job), job) if job.request.generate_audio else None
    plan = plan_job(job)
    return {*open_film(plan, job, track).notes(), *notes_on_sound(plan, job, track)}


def test_what_is_not_done_with_media_is_told(tmp_path):
    frame = image_item(tmp_path, scenery())
    last = image_item(tmp_path, scenery(), Role.LAST_FRAME, "last")
    image = image_item(tmp_path, scenery(), Role.REFERENCE_IMAGE, "reference")
    short, long = video_item(tmp_path, "short", duration_s=0.5), video_item(tmp_path, "long", duration_s=2.0)
    sound = sound_item(tmp_path)
    assert told(job_of(tmp_path)) == set()
    assert told(job_of(tmp_path, frame)) == {notes.FIRST}
    assert told(job_of(tmp_path, frame, last)) == {notes.FIRST_AND_LAST}
    assert notes.SILENT in told(job_of(tmp_path, image, sound))
    assert notes.SILENT not in told(job_of(tmp_path, image, sound, generate_audio=True))
    assert told(job_of(tmp_path, short)) == {notes.VIDEOS, notes.GOES_ON}
    assert told(job_of(tmp_path, short, image)) == {notes.VIDEOS, notes.IMAGES}
    assert told(job_of(tmp_path, long)) == {notes.VIDEOS, notes.CUT}
    assert told(job_of(tmp_path, long, image)) == {notes.VIDEOS, notes.CUT, notes.IMAGES_LEFT_OUT}
    extension = {notes.VIDEOS, notes.BEGUN_LATER, notes.GOES_ON}
    assert told(job_of(tmp_path, long, prompt="extend video 1")) == extension
    assert told(job_of(tmp_path, long, image, prompt="extend it")) == {*extension, notes.IMAGES_NOT_IN_EXTENSION}


def test_a_lone_last_frame_is_where_the_film_ends(tmp_path):
    picture = scenery()
    job = job_of(tmp_path, image_item(tmp_path, picture, Role.LAST_FRAME), prompt="push in")
    first, last = frames_of(job, 0, LAST)
    assert np.array_equal(last, picture)
    assert apart(first, picture) > 2


# Several shots from one given frame.

SHOTS = "Shot 1: wide shot, the camera stands still. Shot 2: close-up. Shot 3: cut to a desert with a camel."


def test_the_first_of_several_shots_begins_with_the_given_frame_and_the_next_sees_it_from_nearer(tmp_path):
    picture = scenery()
    job = job_of(tmp_path, image_item(tmp_path, picture), prompt=SHOTS, num_frames=None, duration_s=6)
    first, second, third = frames_of(job, 0, 48, 96)
    assert np.array_equal(first, picture)
    near = cv2.matchTemplate(cv2.resize(second, None, fx=1 / 1.8, fy=1 / 1.8), picture, cv2.TM_CCOEFF_NORMED).max()
    assert cv2.matchTemplate(picture, second, cv2.TM_CCOEFF_NORMED).max() < 0.6 < near
    elsewhere = cv2.matchTemplate(cv2.resize(third, None, fx=1 / 1.8, fy=1 / 1.8), picture, cv2.TM_CCOEFF_NORMED).max()
    assert elsewhere < 0.6
