"""What the files of a film say and are: recipe, comment, codec, the last frame's format."""

from dataclasses import replace
from pathlib import Path

import pytest

from understudy.engines.previz.engine import COMMENT_ON_GIVEN, TAGS
from understudy.media.decode import read_image
from understudy.media.probe import probe_film
from understudy.media.recipe import recipe_in
from unit.previz.giving import apart, decoded, image_item, job_of, rendered, scenery


def test_a_film_carries_its_jobs_recipe_and_none_where_there_is_none(tmp_path):
    job = job_of(tmp_path / "with", num_frames=1)
    _, film = rendered(replace(job, recipe='{"prompt":"水"}'))
    assert recipe_in(film) == '{"prompt":"水"}'
    assert recipe_in(rendered(job_of(tmp_path / "without", num_frames=1))[1]) is None


def test_a_film_of_given_media_says_so(tmp_path):
    _, given = rendered(job_of(tmp_path / "given", image_item(tmp_path, scenery()), num_frames=1))
    _, drawn = rendered(job_of(tmp_path / "drawn", num_frames=1))
    assert probe_film(given).metadata["comment"] == COMMENT_ON_GIVEN
    assert probe_film(drawn).metadata["comment"] == TAGS["comment"]


@pytest.mark.parametrize(("codec", "pix_fmt"), [("h264", "yuv420p"), ("hevc", "yuv420p10le")])
def test_a_film_is_encoded_as_the_job_says(tmp_path, codec, pix_fmt):
    _, film = rendered(replace(job_of(tmp_path / "out", num_frames=2), video_codec=codec))
    facts = probe_film(film)
    assert (facts.codec, facts.pix_fmt, facts.num_frames) == (codec, pix_fmt, 2)


@pytest.mark.parametrize(("asked", "ending"), [("png", ".png"), ("jpeg", ".jpg")])
def test_the_last_frame_is_the_films_last_picture_in_the_format_that_is_asked_for(tmp_path, asked, ending):
    job = job_of(tmp_path / "out", image_item(tmp_path, scenery()), prompt="push in", return_last_frame=True)
    result, film = rendered(replace(job, num_frames=4, last_frame_format=asked))
    last = Path(job.output_dir) / result.last_frame
    assert last.suffix == ending
    assert apart(read_image(last), decoded(film)[-1]) < 3
