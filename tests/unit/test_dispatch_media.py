"""What an attempt gives the engine besides the prompt, what is asked about its film, and what is remembered of it."""

import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from dispatching import CATALOGUE, FILM, JOBS, MODEL, Theatre, theatre
from intake_bench import IMAGE, VIDEO, Operator, file_of, item
from understudy.core.content import ContentItem, Role
from understudy.core.errors import Unavailable, Violation
from understudy.core.media import MediaFacts, Medium, Origin
from understudy.core.moderation import Finding, Stage
from understudy.core.task import EntryKind, Status
from understudy.service.shelf import FOLDER
from understudy.testing.samples import sample_request

SEEDANCE_25 = "doubao-seedance-2-5-260628"
WITH_HEVC = replace(JOBS, has_hevc=True)


async def stored(house: Theatre, tmp_path: Path, facts: MediaFacts) -> Medium:
    """Put a file into the stores as the intake does."""
    digest = hashlib.sha256(file_of(facts)).hexdigest()
    medium = Medium(key=f"{FOLDER}/{digest}.{facts.container}", sha256=digest, origin=Origin.WEB, facts=facts)
    path = tmp_path / digest
    path.write_bytes(file_of(facts))
    await house.store.media.reserve(digest, house.clock.now() + timedelta(hours=1))
    await house.blobs.put(path, medium.key)
    record = await house.store.media.coming(digest, medium.key)
    await house.store.media.arrived(digest, medium.key, facts, record=record)
    return medium


def given(medium: Medium, role: Role | None = None) -> ContentItem:
    return replace(item(medium.facts, "https://example.com/a", role=role), medium=medium)


def request(*content: ContentItem, model: str = MODEL.id, **changes):
    words = sample_request().content
    return sample_request(model=model, content=(*words, *content), **changes)


async def ended(house: Theatre, task):
    await house.store.answered("finish")
    return await house.task(task)


async def test_an_engine_is_given_a_local_file_of_every_medium(tmp_path: Path):
    async with theatre(tmp_path) as house:
        image, video = await stored(house, tmp_path, IMAGE), await stored(house, tmp_path, VIDEO)
        await house.submit(request=request(given(image), given(video), given(image)))
        render = await house.stage.next()
        assert {index: Path(path).read_bytes() for index, path in render.job.media.items()} == {
            1: file_of(IMAGE),
            2: file_of(VIDEO),
            3: file_of(IMAGE),
        }
        assert all(Path(path).is_absolute() for path in render.job.media.values())
        assert [each.medium for each in render.job.request.content[1:]] == [image, video, image]
        assert list(render.directory.iterdir()) == []


async def test_the_media_are_still_stored_after_the_film_is_made(tmp_path: Path):
    async with theatre(tmp_path) as house:
        image = await stored(house, tmp_path, IMAGE)
        task = await house.submit(request=request(given(image)))
        (await house.stage.next()).succeed()
        assert (await ended(house, task)).status is Status.SUCCEEDED
        assert house.blobs.local_path(image.key).read_bytes() == file_of(IMAGE)
        assert house.work_names() == set()


async def test_media_that_are_gone_end_the_task_at_once(tmp_path: Path):
    async with theatre(tmp_path, is_started=False) as house:
        image = await stored(house, tmp_path, IMAGE)
        task = await house.submit(request=request(given(image)))
        await house.blobs.delete(image.key)
        await house.dispatcher.start()
        failed = await ended(house, task)
        assert (failed.status, failed.attempt) == (Status.FAILED, 1)
        assert "no longer stored" in failed.error.message


@pytest.mark.parametrize(
    ("width_px", "height_px", "ratio"), [(1000, 1000, "1:1"), (1920, 1080, "16:9"), (600, 1100, "9:16")]
)
async def test_an_open_ratio_is_settled_by_the_frame(tmp_path: Path, width_px: int, height_px: int, ratio: str):
    async with theatre(tmp_path) as house:
        frame = await stored(house, tmp_path, replace(IMAGE, width_px=width_px, height_px=height_px))
        task = await house.submit(request=request(given(frame, Role.FIRST_FRAME), ratio="adaptive"))
        assert (await house.stage.next()).job.request.ratio == ratio
        assert (await house.task(task)).request.ratio == "adaptive"


async def test_a_text_leaves_the_ratio_to_the_engine(tmp_path: Path):
    async with theatre(tmp_path) as house:
        await house.submit(request=request(ratio="adaptive"))
        assert (await house.stage.next()).job.request.ratio == "adaptive"


async def test_a_job_carries_its_recipe_unless_a_setting_forbids_it(tmp_path: Path):
    async with theatre(tmp_path) as house:
        task = await house.submit(request=request())
        recipe = json.loads((await house.stage.next()).job.recipe)
        assert (recipe["model"], recipe["seed"]) == (MODEL.id, task.seed)
    assert replace(JOBS, has_recipes=False).job(task, "/x").recipe == ""


@pytest.mark.parametrize(
    ("model", "resolution", "codec"),
    [
        (MODEL.id, "4k", "hevc"),
        (MODEL.id, "1080p", "h264"),
        (SEEDANCE_25, "1080p", "hevc"),
        (SEEDANCE_25, "720p", "h264"),
    ],
)
async def test_films_are_hevc_where_arks_are_if_the_operator_wants_it(
    tmp_path: Path, model: str, resolution: str, codec: str
):
    async with theatre(tmp_path, jobs=WITH_HEVC) as house:
        task = await house.submit(request=request(model=model, resolution=resolution))
        assert (await house.stage.next()).job.video_codec == codec
        assert JOBS.job(task, "/x").video_codec == "h264"


@pytest.mark.parametrize(
    ("jobs", "resolution", "video", "is_told"),
    [
        (JOBS, "1080p", "a.mp4", True),
        (WITH_HEVC, "1080p", "a.mp4", False),
        (WITH_HEVC, "1080p", "a.mov", False),
        (JOBS, "1080p", "a.mov", False),
        (JOBS, "720p", "a.mp4", False),
    ],
)
async def test_a_codec_that_is_not_arks_is_told(tmp_path: Path, jobs, resolution: str, video: str, is_told: bool):
    async with theatre(tmp_path, jobs=jobs) as house:
        task = await house.submit(request=request(model=SEEDANCE_25, resolution=resolution))
        render = await house.stage.next()
        (render.directory / "a.mov").write_bytes(b"film")
        render.succeed(video=video)
        warnings = (await ended(house, task)).warnings
        assert any("HEVC" in each.message for each in warnings) is is_told


@pytest.mark.parametrize(("model", "wanted"), [(MODEL.id, "png"), (SEEDANCE_25, "jpeg")])
async def test_last_frames_have_the_format_of_the_model(tmp_path: Path, model: str, wanted: str):
    async with theatre(tmp_path) as house:
        await house.submit(request=request(model=model))
        assert (await house.stage.next()).job.last_frame_format == wanted


async def test_a_last_frame_keeps_its_format_and_goes_with_its_task(tmp_path: Path):
    async with theatre(tmp_path) as house:
        task = await house.submit(request=request(model=SEEDANCE_25))
        render = await house.stage.next()
        (render.directory / "b.jpg").write_bytes(b"frame")
        render.succeed(last_frame="b.jpg")
        film = (await ended(house, task)).film
        assert film.last_frame_blob == f"{task.id}-1/last_frame.jpg"
        assert house.blob_names() == {film.video_blob, film.last_frame_blob}


async def test_a_last_frame_of_an_unknown_format_is_not_delivered(tmp_path: Path):
    async with theatre(tmp_path) as house:
        task = await house.submit()
        render = await house.stage.next()
        (render.directory / "b.exr").write_bytes(b"frame")
        render.succeed(last_frame="b.exr")
        assert (await ended(house, task)).status is Status.FAILED
        assert house.blob_names() == set()


async def test_what_was_made_here_is_known_again(tmp_path: Path):
    async with theatre(tmp_path) as house:
        task = await house.submit()
        (await house.stage.next()).succeed()
        await ended(house, task)
        for made in (FILM, b"frame"):
            assert await house.store.media.is_own_film(hashlib.sha256(made).hexdigest())
        assert not await house.store.media.is_own_film(hashlib.sha256(b"else").hexdigest())


async def test_a_film_that_the_moderator_refuses_fails_the_task_and_is_never_stored(tmp_path: Path):
    operator = Operator((Finding(index=-1),))
    async with theatre(tmp_path, moderator=operator) as house:
        task = await house.submit()
        (await house.stage.next()).succeed()
        failed = await ended(house, task)
        assert (failed.status, failed.attempt, failed.film) == (Status.FAILED, 1, None)
        assert failed.error.code == "OutputVideoSensitiveContentDetected"
        assert failed.error.message == "The request failed because the output video may contain sensitive information."
        assert await house.kinds(task) == [EntryKind.HOLD, EntryKind.VOIDED]
        assert house.blob_names() == house.work_names() == set()
        assert not await house.store.media.is_own_film(hashlib.sha256(FILM).hexdigest())
        ((stage, owner, shown),) = operator.asked
        assert (stage, owner, shown[0].index, shown[0].media_type) == (Stage.OUTPUT, task.owner, -1, "video/mp4")
        assert operator.files == [FILM]


async def test_a_film_that_the_moderator_lets_pass_is_delivered(tmp_path: Path):
    async with theatre(tmp_path, moderator=Operator()) as house:
        task = await house.submit()
        (await house.stage.next()).succeed()
        assert (await ended(house, task)).status is Status.SUCCEEDED


async def test_a_moderator_that_is_away_for_a_moment_is_asked_again_and_the_film_is_not_made_again(tmp_path: Path):
    operator = Returning()
    async with theatre(tmp_path, moderator=operator) as house:
        task = await house.submit()
        (await house.stage.next()).succeed()
        done = await ended(house, task)
        assert (done.status, done.attempt, operator.calls) == (Status.SUCCEEDED, 1, 3)


async def test_no_film_is_delivered_unjudged(tmp_path: Path):
    down = Unavailable(Violation("ServiceUnavailable", "", "The moderator does not answer."))
    async with theatre(tmp_path, moderator=Operator(down), lease_s=0.02, attempts_max=1) as house:
        task = await house.submit()
        (await house.stage.next()).succeed()
        failed = await ended(house, task)
        assert (failed.status, failed.error.code) == (Status.FAILED, "ServiceUnavailable")
        assert house.blob_names() == set()


class Returning(Operator):
    """A moderator that answers only when it is asked for the third time."""

    calls = 0

    async def findings(self, stage, owner, shown):
        self.calls += 1
        if self.calls < 3:
            raise Unavailable(Violation("ServiceUnavailable", "", "A moment, please."))
        return await super().findings(stage, owner, shown)


def test_the_catalogue_names_a_format_of_last_frames_that_can_be_delivered():
    assert {model.last_frame_format for model in CATALOGUE.models.values()} <= {"png", "jpeg"}
