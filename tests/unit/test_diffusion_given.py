"""The media of a job as a model gets them: by what they are for, at the size, rate and loudness that is wanted."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

import odd_media
from understudy.core.content import ContentItem, Modality, Role
from understudy.core.errors import TaskFailed
from understudy.core.media import Unreadable
from understudy.core.render import RenderJob
from understudy.core.request import GenerationRequest
from understudy.engines.diffusion.given import ClipBounds, clip_in, files_in, frame_in, picture_in, sound_in

FPS = 24
RATE_HZ = 32_000


def job_of(*items: tuple[Modality, Role | None]) -> RenderJob:
    """A job with media in this order, after its text; each file is named by its place."""
    content = [ContentItem(modality=Modality.TEXT, value="A fox.")]
    content += [ContentItem(modality=modality, value="", role=role) for modality, role in items]
    return RenderJob(
        request=GenerationRequest(model="any", content=tuple(content)),
        seed=1,
        sizes={},
        duration_range_s=(4, 15),
        fps=FPS,
        audio_channels=2,
        output_dir="",
        media={place: f"file-{place}" for place in range(1, len(content))},
    )


def written(folder: Path, content: bytes) -> Path:
    path = folder / "medium"
    path.write_bytes(content)
    return path


def test_media_are_numbered_by_their_kind_in_the_requests_order():
    image, video, audio = (
        (Modality.IMAGE, Role.REFERENCE_IMAGE),
        (Modality.VIDEO, Role.REFERENCE_VIDEO),
        (Modality.AUDIO, Role.REFERENCE_AUDIO),
    )
    files = files_in(job_of(image, video, image, audio, video))
    assert [path.name for path in files.images] == ["file-1", "file-3"]
    assert [path.name for path in files.videos] == ["file-2", "file-5"]
    assert [path.name for path in files.sounds] == ["file-4"]
    assert (files.first, files.last) == (None, None)


def test_frames_are_found_by_their_roles_in_any_order():
    files = files_in(job_of((Modality.IMAGE, Role.LAST_FRAME), (Modality.IMAGE, Role.FIRST_FRAME)))
    assert (str(files.first), str(files.last), files.images) == ("file-2", "file-1", ())


def test_a_lone_image_without_a_role_is_the_first_frame_and_others_are_references():
    assert str(files_in(job_of((Modality.IMAGE, None))).first) == "file-1"
    several = files_in(job_of((Modality.IMAGE, None), (Modality.IMAGE, None), (Modality.AUDIO, None)))
    assert (several.first, len(several.images), len(several.sounds)) == (None, 2, 1)


def test_a_medium_without_a_file_is_the_servers_fault():
    with pytest.raises(TaskFailed) as failed:
        files_in(replace(job_of((Modality.IMAGE, Role.FIRST_FRAME)), media={}))
    assert failed.value.is_retryable


def test_a_frame_is_upright_and_its_middle_fills_the_canvas(tmp_path):
    # Stored lying on its side: 400 x 300, to be shown as 300 x 400.
    frame = frame_in(written(tmp_path, odd_media.picture("png", orientation=6)), (96, 96))
    upright = np.rot90(odd_media.pixels(400, 300), k=-1)[50:350]
    assert (frame.shape, frame.dtype) == ((96, 96, 3), np.uint8)
    assert np.abs(frame.astype(int) - cv2.resize(upright, (96, 96), interpolation=cv2.INTER_AREA)).mean() < 1


def test_a_frame_with_transparency_stands_on_white(tmp_path):
    frame = frame_in(written(tmp_path, odd_media.picture("png", mode="RGBA")), (400, 300))
    own = odd_media.pixels(400, 300, channels=4).astype(float)
    wanted = own[..., :3] * own[..., 3:] / 255 + 255 - own[..., 3:]
    assert np.abs(frame - wanted).max() <= 1


def test_a_reference_keeps_its_shape_and_is_only_made_smaller(tmp_path):
    path = written(tmp_path, odd_media.picture("jpeg", width_px=400, height_px=300))
    assert picture_in(path, side_max_px=200).shape == (150, 200, 3)
    assert picture_in(path, side_max_px=2000).shape == (300, 400, 3)


def test_a_clip_is_brought_to_the_rate_the_length_and_the_size(tmp_path):
    path = written(tmp_path, odd_media.film(fps=30, num_frames=45, width_px=432, height_px=240))
    clip = clip_in(path, ClipBounds(fps=FPS, frames_max=100, side_max_px=216, sample_rate_hz=RATE_HZ))
    assert (clip.frames.shape, clip.fps) == ((36, 120, 216, 3), 24.0)
    assert clip.sound is not None
    assert clip.sound.samples.shape == (2, 36 * RATE_HZ // FPS)
    short = clip_in(path, ClipBounds(fps=FPS, frames_max=10, canvas_px=(128, 64), sample_rate_hz=RATE_HZ, channels=1))
    assert short.frames.shape == (10, 64, 128, 3)
    assert short.sound is not None
    assert short.sound.samples.shape == (1, 10 * RATE_HZ // FPS)


def test_the_end_of_a_clip_is_its_last_pictures_and_what_is_heard_with_them(tmp_path):
    path = written(tmp_path, odd_media.film(num_frames=48, width_px=432, height_px=240))
    bounds = ClipBounds(fps=FPS, frames_max=100, side_max_px=216, sample_rate_hz=RATE_HZ)
    whole, end = clip_in(path, bounds), clip_in(path, replace(bounds, frames_max=12, is_from_end=True))
    assert np.array_equal(end.frames, whole.frames[-12:])
    assert whole.sound is not None
    assert end.sound is not None
    assert np.array_equal(end.sound.samples, whole.sound.samples[:, 36 * RATE_HZ // FPS :])


def test_a_clip_without_sound_has_none(tmp_path):
    path = written(tmp_path, odd_media.film(num_frames=6, width_px=96, height_px=64, sounds=0))
    assert clip_in(path, ClipBounds(fps=FPS, frames_max=6, sample_rate_hz=RATE_HZ)).sound is None


@pytest.mark.parametrize("own", [1, 2])
@pytest.mark.parametrize("wanted", [1, 2])
def test_a_sound_comes_at_the_rate_and_as_loud_as_it_was(tmp_path, own, wanted):
    path = written(tmp_path, odd_media.sound("wav", duration_s=1.0, channels=own))
    sound = sound_in(path, sample_rate_hz=RATE_HZ, channels=wanted)
    assert sound is not None
    assert (sound.samples.shape, sound.samples.dtype, sound.sample_rate_hz) == ((wanted, RATE_HZ), np.float32, RATE_HZ)
    # The tone that was written has a peak of 8000 in 16 bits.
    assert float(np.abs(sound.samples[:, 200:-200]).max()) == pytest.approx(8000 / 2**15, rel=0.01)


def test_a_sound_is_cut_off_where_that_is_wanted(tmp_path):
    path = written(tmp_path, odd_media.sound("mp3", duration_s=2.0))
    sound = sound_in(path, sample_rate_hz=RATE_HZ, channels=2, duration_max_s=0.5)
    assert sound is not None
    assert sound.samples.shape == (2, RATE_HZ // 2)


@pytest.mark.parametrize("content", [b"", b"nothing that is read", odd_media.picture("png")[:200]])
def test_what_cannot_be_read_is_said_to_be(tmp_path, content):
    path = written(tmp_path, content)
    for read in (
        lambda: frame_in(path, (96, 64)),
        lambda: clip_in(path, ClipBounds(fps=FPS, frames_max=5)),
        lambda: sound_in(path, sample_rate_hz=RATE_HZ, channels=2),
    ):
        with pytest.raises(Unreadable):
            read()
