"""The files of a film, as every engine writes them: names, formats, and what becomes of a failure."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from understudy.core.content import ContentItem, Modality
from understudy.core.errors import TaskFailed
from understudy.core.media import Unreadable
from understudy.core.render import RenderJob
from understudy.core.request import GenerationRequest
from understudy.media.encode import EncodingFailed
from understudy.media.film_files import FilmWriter, failures_told, film_name, format_of, last_frame_name
from understudy.media.probe import probe_film

SIZE = (96, 64)


def job_of(folder: Path, **wants: object) -> RenderJob:
    text = ContentItem(modality=Modality.TEXT, value="A fox.")
    return RenderJob(
        request=GenerationRequest(model="any", content=(text,), **wants),
        seed=1,
        sizes={"3:2": SIZE},
        duration_range_s=(4, 15),
        fps=24,
        audio_channels=2,
        output_dir=str(folder),
    )


def frame(level: int) -> np.ndarray:
    return np.full((SIZE[1], SIZE[0], 4), level, dtype=np.uint8)


def test_files_are_named_by_what_they_are(tmp_path):
    assert film_name(job_of(tmp_path)) == "film.mp4"
    assert film_name(job_of(tmp_path, output_format="mov")) == "film.mov"
    assert last_frame_name(job_of(tmp_path)) is None
    wanted = job_of(tmp_path, return_last_frame=True)
    assert last_frame_name(wanted) == "last_frame.png"
    assert last_frame_name(replace(wanted, last_frame_format="jpeg")) == "last_frame.jpg"


def test_large_films_are_encoded_faster(tmp_path):
    job = job_of(tmp_path)
    assert format_of(job, (1920, 1080), {}).preset == "veryfast"
    assert format_of(job, (3840, 2160), {}).preset == "ultrafast"


def test_a_film_gets_its_name_when_it_is_whole(tmp_path):
    job = job_of(tmp_path)
    with FilmWriter(job, format_of(job, SIZE, {}), num_frames=2) as writer:
        writer.add(frame(10))
        assert not (tmp_path / "film.mp4").exists()
        writer.add(frame(200))
    assert probe_film(tmp_path / "film.mp4").num_frames == 2
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]


def write(job: RenderJob, *levels: int, num_frames: int) -> None:
    """A film of so many frames is begun; a level below 0 breaks it off."""
    with FilmWriter(job, format_of(job, SIZE, {}), num_frames=num_frames) as writer:
        for level in levels:
            if level < 0:
                raise RuntimeError
            writer.add(frame(level))


def test_a_film_that_is_given_up_gets_none(tmp_path):
    with pytest.raises(RuntimeError):
        write(job_of(tmp_path), 10, -1, num_frames=2)
    assert not (tmp_path / "film.mp4").exists()


def test_a_film_has_as_many_frames_as_were_promised_or_there_is_none(tmp_path):
    with pytest.raises(ValueError, match="one more"):
        write(job_of(tmp_path), 10, 10, num_frames=1)
    with pytest.raises(EncodingFailed, match="1 of 2 frames"):
        write(job_of(tmp_path), 10, num_frames=2)
    assert not (tmp_path / "film.mp4").exists()


@pytest.mark.parametrize(
    ("error", "param", "is_retryable"),
    [(Unreadable("it is odd"), "content", False), (EncodingFailed("x"), "", True), (OSError("full"), "", True)],
)
def test_what_goes_wrong_with_files_fails_the_task(error, param, is_retryable):
    with pytest.raises(TaskFailed) as failed, failures_told():
        raise error
    assert (failed.value.is_retryable, failed.value.violation.param) == (is_retryable, param)


def test_what_else_goes_wrong_is_left_as_it_is():
    with pytest.raises(KeyError), failures_told():
        raise KeyError
