"""Screening: the rule of faces with its exemptions, and what an operator's moderator may find."""

from dataclasses import replace
from pathlib import Path

import pytest

from intake_bench import AUDIO, IMAGE, VIDEO, Faces, MediaBench, Operator, file_of, inline, item
from understudy.core.content import Role
from understudy.core.errors import Rejected, Unavailable, Violation
from understudy.core.media import Origin
from understudy.core.moderation import Finding, Stage
from understudy.dialects.naming import media_names

# What the test's face finder looks for, in a field that no rule judges.
FACE, FACE_FILM = replace(IMAGE, pix_fmt="face"), replace(VIDEO, pix_fmt="face")
REAL_PERSON = "InputImageSensitiveContentDetected.PrivacyInformation"
DOWN = Unavailable(Violation("ServiceUnavailable", "", "The moderator does not answer."))


async def refusals(bench: MediaBench, *content, **fields) -> list[tuple[str, str, str]]:
    with pytest.raises(Rejected) as caught:
        await bench.bring(*content, **fields)
    return [(each.code, each.param, each.message) for each in caught.value.violations]


@pytest.mark.parametrize("role", [Role.REFERENCE_IMAGE, Role.FIRST_FRAME])
async def test_a_real_face_in_an_image_is_refused_in_arks_words(tmp_path: Path, role: Role):
    bench = MediaBench(tmp_path, faces=Faces())
    message = "The request failed because the input image 'content[1]' may contain real person."
    assert await refusals(bench, item(IMAGE, bench.page(file_of(FACE)), role=role)) == [
        (REAL_PERSON, "content[1]", message)
    ]
    assert bench.blob_names() == set()


async def test_a_real_face_in_a_video_is_refused_alike(tmp_path: Path):
    bench = MediaBench(tmp_path, faces=Faces())
    message = "The request failed because the input video 'content[2]' may contain real person."
    content = (item(IMAGE, bench.page(file_of(IMAGE))), item(VIDEO, bench.page(file_of(FACE_FILM), "b")))
    code = "InputVideoSensitiveContentDetected.PrivacyInformation"
    assert await refusals(bench, *content) == [(code, "content[2]", message)]


async def test_a_face_is_told_of_in_the_callers_own_name_of_the_parameter(tmp_path: Path):
    bench = MediaBench(tmp_path, faces=Faces())
    names = media_names(1, "image_url", "image_urls[0]")
    ((_, param, message),) = await refusals(bench, item(IMAGE, inline(file_of(FACE))), names=names)
    assert (param, "'image_urls[0]'" in message) == ("image_urls[0]", True)


async def test_no_face_passes_and_sounds_are_not_looked_at(tmp_path: Path):
    faces = Faces()
    bench = MediaBench(tmp_path, faces=faces)
    sound = item(AUDIO, bench.page(file_of(replace(AUDIO, pix_fmt="face")), "b"))
    await bench.bring(item(IMAGE, bench.page(file_of(IMAGE))), sound)
    assert faces.looked_at == [file_of(IMAGE)]


async def test_faces_pass_unless_a_setting_refuses_them(tmp_path: Path):
    bench = MediaBench(tmp_path)
    await bench.bring(item(IMAGE, bench.page(file_of(FACE))))


async def test_known_bytes_are_looked_at_again(tmp_path: Path):
    bench = MediaBench(tmp_path)
    image = item(IMAGE, bench.page(file_of(FACE)))
    await bench.bring(image)
    strict = replace(bench.intake, screen=replace(bench.intake.screen, faces=Faces()))
    bench.submitter = replace(bench.submitter, intake=strict)
    assert len(await refusals(bench, image)) == 1


@pytest.mark.parametrize("model", ["doubao-seedance-2.0-face", "seedance-2.0-fast-face"])
async def test_the_models_for_faces_take_them(tmp_path: Path, model: str):
    faces = Faces()
    bench = MediaBench(tmp_path, faces=faces)
    await bench.bring(item(IMAGE, bench.page(file_of(FACE))), model=model)
    assert faces.looked_at == []


async def test_a_registered_asset_may_show_a_face(tmp_path: Path):
    bench = MediaBench(tmp_path)
    task = await bench.bring(item(IMAGE, inline(file_of(FACE))))
    medium = replace(task.request.content[1].medium, origin=Origin.ASSET)
    strict = replace(bench.intake, screen=replace(bench.intake.screen, faces=Faces()))
    bench.submitter = replace(bench.submitter, intake=strict)
    await bench.bring(replace(item(IMAGE, "asset://asset-1"), medium=medium))


async def test_a_film_that_was_made_here_may_show_a_face_wherever_it_comes_from(tmp_path: Path):
    bench = MediaBench(tmp_path, faces=Faces())
    source = await bench.submit()
    film = tmp_path / "film.mp4"
    film.write_bytes(file_of(FACE_FILM))
    await bench.blobs.put(film, f"{source.id}-1/video.mp4")
    await bench.film(source)
    await bench.bring(item(VIDEO, f"task://{source.id}"))
    elsewhere = item(VIDEO, bench.page(file_of(FACE_FILM)))
    assert len(await refusals(bench, elsewhere)) == 1
    task = await MediaBench.bring(bench, item(VIDEO, f"task://{source.id}"))
    await bench.media.remember_film(task.request.content[1].medium.sha256)
    await bench.bring(elsewhere)


@pytest.mark.parametrize(("index", "kind"), [(0, "Text"), (1, "Image"), (2, "Video"), (3, "Audio")], ids=str)
async def test_a_finding_without_words_is_told_in_arks(tmp_path: Path, index: int, kind: str):
    bench = MediaBench(tmp_path, moderator=Operator((Finding(index=index),)))
    content = [item(facts, bench.page(file_of(facts), facts.container)) for facts in (IMAGE, VIDEO, AUDIO)]
    message = f"The request failed because the input {kind.lower()} may contain sensitive information."
    assert await refusals(bench, *content) == [(f"Input{kind}SensitiveContentDetected", f"content[{index}]", message)]
    assert (bench.blob_names(), bench.woken) == (set(), 0)


async def test_an_operators_own_code_and_words_are_told(tmp_path: Path):
    code = "InputImageSensitiveContentDetected.PolicyViolation"
    bench = MediaBench(tmp_path, moderator=Operator((Finding(index=1, code=code, message="No logos, please."),)))
    assert await refusals(bench, item(IMAGE, inline(file_of(IMAGE)))) == [(code, "content[1]", "No logos, please.")]


async def test_a_code_that_no_caller_could_know_becomes_the_usual_one(tmp_path: Path):
    bench = MediaBench(tmp_path, moderator=Operator((Finding(index=1, code="Naughty"),)))
    ((code, _, _),) = await refusals(bench, item(IMAGE, inline(file_of(IMAGE))))
    assert code == "InputImageSensitiveContentDetected"


async def test_a_moderator_is_shown_the_prompt_and_every_file(tmp_path: Path):
    operator = Operator()
    bench = MediaBench(tmp_path, moderator=operator)
    await bench.bring(item(IMAGE, bench.page(file_of(IMAGE))), item(AUDIO, bench.page(file_of(AUDIO), "b")))
    ((stage, owner, shown),) = operator.asked
    assert (stage, owner) == (Stage.INPUT, "o")
    assert [(each.index, str(each.modality), each.media_type, each.text) for each in shown] == [
        (0, "text", "text/plain", "a cat"),
        (1, "image", "image/png", ""),
        (2, "audio", "audio/mpeg", ""),
    ]
    assert operator.files == [file_of(IMAGE), file_of(AUDIO)]


async def test_a_moderator_is_shown_assets_as_well(tmp_path: Path):
    operator = Operator()
    bench = MediaBench(tmp_path, moderator=operator)
    task = await bench.bring(item(IMAGE, inline(file_of(IMAGE))))
    await bench.bring(task.request.content[1])
    assert operator.files == [file_of(IMAGE)] * 2


async def test_nothing_passes_unjudged(tmp_path: Path):
    bench = MediaBench(tmp_path, moderator=Operator(DOWN))
    with pytest.raises(Unavailable, match="does not answer"):
        await bench.bring(item(IMAGE, inline(file_of(IMAGE))))
    with pytest.raises(Unavailable, match="does not answer"):
        await bench.submit()
    assert bench.woken == 0
