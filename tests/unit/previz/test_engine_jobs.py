"""What previz makes of each field of a job: drafts and finals, exact frames, every size, and what has no effect."""

from dataclasses import fields, replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from film_studio import take
from understudy.catalog.load import load_catalogue
from understudy.core.content import ContentItem, Modality
from understudy.core.render import RenderJob
from understudy.core.request import GenerationRequest
from understudy.engines.previz import OFFER
from understudy.engines.previz.engine import PrevizEngine, compose, open_film, plan_job
from understudy.media.film_files import SAMPLE_RATE_HZ
from understudy.media.probe import probe_film

CATALOGUE = load_catalogue()
MODELS = {model.id: model for model in CATALOGUE.models.values()}
M25 = "doubao-seedance-2.5"
PROMPT = 'A portrait video: a red fox runs through a rainy harbor at dusk and says: "Hurry up, it is late!" Pan left.'

HONOURED = {
    *("content", "ratio", "resolution", "duration_s", "frames", "seed", "generate_audio", "watermark"),
    *("return_last_frame", "camera_fixed", "output_format"),
}
"""Fields that change the film or what is delivered with it."""

THE_SERVERS = {
    *("model", "model_asked", "service_tier", "priority", "execution_expires_after_s", "callback_url"),
    *("safety_identifier", "trace_id", "draft", "draft_task_id", "remixed_from"),
}
"""Fields that are settled before an engine sees the job: a draft's resolution, a final's content, what is shown."""


def job_of(model: str = M25, folder: Path = Path(), **wants: object) -> RenderJob:
    """A job for the model in 480p, silent, with the changed fields of the request."""
    spec = CATALOGUE.models[model]
    text = ContentItem(modality=Modality.TEXT, value=PROMPT)
    plain = {"ratio": "16:9", "resolution": "480p", "duration_s": spec.duration_s.least, "generate_audio": False}
    request = GenerationRequest(model=spec.id, content=(text,), **{**plain, **wants})
    return RenderJob(
        request=request,
        seed=5,
        sizes=spec.sizes[request.resolution],
        duration_range_s=(spec.duration_s.least, spec.duration_s.most),
        fps=spec.fps,
        num_frames=request.frames,
        audio_channels=spec.audio_channels,
        output_dir=str(folder),
    )


def pictures(job: RenderJob, *indices: int) -> list[np.ndarray]:
    """Painted frames of the job's film, (180, 320, 3) float."""
    painter = open_film(plan_job(job), job, None).painter
    painted = (painter.paint(index)[:, :, :3] for index in indices)
    return [cv2.resize(frame, (320, 180), interpolation=cv2.INTER_AREA).astype(float) for frame in painted]


def test_every_field_of_a_request_is_honoured_or_told_to_be_without_effect():
    known = [HONOURED, THE_SERVERS, set(OFFER.ignored)]
    assert set().union(*known) == {field.name for field in fields(GenerationRequest)}
    assert sum(map(len, known)) == len(set().union(*known))
    assert all(why.endswith(".") for why in OFFER.ignored.values())
    assert set(OFFER.done_anyway) <= set(OFFER.ignored)


def test_a_draft_and_its_final_have_one_plan():
    draft = plan_job(job_of(ratio="adaptive", duration_s=-1))
    settled = {"ratio": draft.ratio, "duration_s": draft.duration_s}
    assert plan_job(job_of(resolution="1080p", **settled)) == draft
    assert plan_job(job_of(resolution="720p", ratio="adaptive", duration_s=-1)) == draft


def test_a_draft_and_its_final_show_the_same_scene():
    final = job_of(resolution="1080p")
    drafts, finals, others = (pictures(job, 0, 47, 95) for job in (job_of(), final, replace(final, seed=6)))
    for small, large, another in zip(drafts, finals, others, strict=True):
        same = np.abs(small - large).mean()
        assert same < 8
        assert same < np.abs(small - another).mean() / 2


def test_a_draft_and_its_final_sound_the_same():
    draft, final = (job_of(resolution=size, generate_audio=True) for size in ("480p", "1080p"))
    heard = [compose(plan_job(job), job).samples.tobytes() for job in (draft, final)]
    assert heard[0] == heard[1]


@pytest.mark.parametrize(("num_frames", "duration_s"), [(24, 1), (29, 2), (48, 2), (49, 3), (289, 13)])
def test_a_film_by_the_frame_is_planned_to_the_second_it_breaks_off_in(num_frames, duration_s):
    assert plan_job(job_of(frames=num_frames, duration_s=9)).duration_s == duration_s


@pytest.mark.parametrize("num_frames", [29, 33, 101, 289])
def test_sound_is_as_long_as_the_frames_that_were_ordered(num_frames):
    job = job_of(frames=num_frames, duration_s=None)
    samples = compose(plan_job(job), job).samples
    assert samples.shape == (num_frames * SAMPLE_RATE_HZ // job.fps, job.audio_channels)
    # It ends as a film does, not as one that is cut off.
    assert np.abs(samples[-5:]).max() < 0.01
    assert np.abs(samples).max() > 0.05


@pytest.mark.parametrize("container", ["mp4", "mov"])
def test_a_film_by_the_frame_has_exactly_those_and_its_sound_ends_with_them(container):
    made = take(PROMPT, frames=29, duration_s=None, output_format=container)
    facts = probe_film(made.video)
    assert made.video.name == f"film.{container}"
    assert (facts.num_frames, facts.has_constant_rate) == (29, True)
    assert (made.result.num_frames, made.result.duration_s) == (29, 1)
    assert facts.duration_s == pytest.approx(29 / 24, abs=1e-6)
    # An MP4 tells where its sound ends in whole milliseconds.
    assert facts.sound_duration_s == pytest.approx(29 / 24, abs=1e-3)
    assert made.progress[-1] == (29, 29)
    assert facts.pix_fmt == {"mp4": "yuv420p", "mov": "yuv444p"}[container]


def test_frames_win_over_a_duration():
    assert take(PROMPT, frames=29, duration_s=9).result.num_frames == 29


def test_a_model_without_sound_gets_a_silent_film(tmp_path):
    job = job_of("doubao-seedance-1-0-pro-250528", tmp_path, generate_audio=None, frames=29, duration_s=None)
    result = PrevizEngine().render(job, lambda done, total: None)
    assert not result.has_sound
    assert not probe_film(tmp_path / result.video).has_sound


def sizes_of(*resolutions: str) -> list[tuple[str, str, str]]:
    """Each different size once: model, resolution, ratio."""
    found = {
        size: (model.id, resolution, ratio)
        for model in MODELS.values()
        for resolution in resolutions
        if resolution in model.resolutions
        for ratio, size in model.sizes[resolution].items()
    }
    return sorted(found.values())


def assert_renders(folder: Path, model: str, resolution: str, ratio: str) -> None:
    job = job_of(model, folder, resolution=resolution, ratio=ratio, frames=1, duration_s=None)
    facts = probe_film(folder / PrevizEngine().render(job, lambda done, total: None).video)
    assert (facts.width_px, facts.height_px) == MODELS[model].sizes[resolution][ratio]


@pytest.mark.parametrize(("model", "resolution", "ratio"), sizes_of("480p"))
def test_every_small_size_of_every_model_is_rendered_exactly(tmp_path, model, resolution, ratio):
    assert_renders(tmp_path, model, resolution, ratio)


@pytest.mark.full
@pytest.mark.parametrize(("model", "resolution", "ratio"), sizes_of("720p", "1080p", "4k"))
def test_every_large_size_of_every_model_is_rendered_exactly(tmp_path, model, resolution, ratio):
    assert_renders(tmp_path, model, resolution, ratio)
