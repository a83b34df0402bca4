"""Remixes, edits and extensions: what the new film takes from the old one, with and without an engine for videos."""

from dataclasses import replace

import pytest

from submit_bench import ENGINE, Bench
from understudy.catalog.load import load_catalogue
from understudy.core.change import Change, ChangeKind
from understudy.core.content import ContentItem, Modality, Role
from understudy.core.errors import NotFound, Rejected
from understudy.core.scenario import Scenario
from understudy.service.changes import Changes
from understudy.service.query import Queries
from understudy.service.retention import Retention

PROFILE = load_catalogue().profiles["openai"]
ANY = replace(ENGINE, scenarios=frozenset(Scenario))


def changes(bench: Bench, engine=ANY) -> Changes:
    queries = Queries(
        catalogue=load_catalogue(),
        store=bench.store,
        blobs=None,
        clock=bench.clock,
        retention=Retention(
            record_retention_s=PROFILE.record_retention_s, cancelled_retention_s=PROFILE.cancelled_retention_s
        ),
    )
    return Changes(catalogue=load_catalogue(), queries=queries, engine=engine)


async def filmed(bench: Bench, **fields):
    task = await bench.submit(**{"ratio": "adaptive", "duration_s": -1, "watermark": True, "seed": 5, **fields})
    return await bench.film(task, ratio="21:9", duration_s=7)


@pytest.mark.parametrize("kind", [ChangeKind.REMIX, ChangeKind.EDIT])
async def test_a_change_has_the_old_film_as_its_reference_and_keeps_its_look(kind):
    bench = Bench()
    source = await filmed(bench)
    wanted = Change(kind=kind, prompt="at night", source=source.id)
    found = (await changes(bench).request_of("o", PROFILE, wanted)).request
    assert [(item.modality, item.value, item.role) for item in found.content] == [
        (Modality.TEXT, "at night", None),
        (Modality.VIDEO, f"task://{source.id}", Role.REFERENCE_VIDEO),
    ]
    assert (found.ratio, found.duration_s, found.watermark) == ("21:9", 7, True)
    assert found.remixed_from == source.id
    assert found.seed is None, "a new film, not the same noise"


async def test_a_film_that_was_an_edit_itself_can_be_edited_again():
    bench = Bench(engine=ANY)
    video = ContentItem(modality=Modality.VIDEO, value="https://example.com/a.mp4", role=Role.REFERENCE_VIDEO)
    fields = {"model": "doubao-seedance-2-5-260628", "content": (video,), "omni_reference_task_type": "edit"}
    source = await filmed(bench, **fields)
    decoded = await changes(bench).request_of(
        "o", PROFILE, Change(kind=ChangeKind.EDIT, prompt="at night", source=source.id)
    )
    await bench.submitter.submit(owner="o", dialect="openai", decoded=decoded)


async def test_a_film_from_a_frame_is_made_anew_with_the_ratio_it_was_asked_for_with():
    frames_only = replace(ENGINE, scenarios=frozenset({Scenario.TEXT, Scenario.FIRST_FRAME}))
    bench = Bench(engine=frames_only)
    frame = ContentItem(modality=Modality.IMAGE, value="https://example.com/a.png", role=Role.FIRST_FRAME)
    source = await filmed(bench, model="doubao-seedance-2-5-260628", content=(frame,))
    wanted = Change(kind=ChangeKind.REMIX, prompt="at night", source=source.id)
    decoded = await changes(bench, frames_only).request_of("o", PROFILE, wanted)
    assert decoded.request.ratio == "adaptive"
    await bench.submitter.submit(owner="o", dialect="openai", decoded=decoded)


async def test_an_extension_is_told_to_a_model_in_its_prompt():
    bench = Bench(engine=ANY)
    source = await filmed(bench)
    wanted = Change(kind=ChangeKind.EXTEND, prompt="on it goes", source=source.id)
    decoded = await changes(bench).request_of("o", PROFILE, wanted)
    words, video = decoded.request.content
    assert (words.value, video.value) == ("Extend video 1: on it goes", f"task://{source.id}")
    assert [each.param for each in decoded.warnings] == ["prompt"]
    await bench.submitter.submit(owner="o", dialect="openai", decoded=decoded)


async def test_an_extension_is_told_to_a_model_that_has_a_field_for_it_in_that_field():
    bench = Bench(engine=ANY)
    source = await filmed(bench, model="doubao-seedance-2-5-260628")
    wanted = Change(kind=ChangeKind.EXTEND, prompt="on it goes", source=source.id)
    decoded = await changes(bench).request_of("o", PROFILE, wanted)
    assert (decoded.request.omni_reference_task_type, decoded.request.content[0].value) == ("extend", "on it goes")
    assert decoded.warnings == ()
    await bench.submitter.submit(owner="o", dialect="openai", decoded=decoded)


async def test_an_extension_lasts_as_long_as_it_says():
    bench = Bench()
    source = await filmed(bench)
    wanted = Change(kind=ChangeKind.EXTEND, prompt="on it goes", source=source.id, duration_s=12)
    assert (await changes(bench).request_of("o", PROFILE, wanted)).request.duration_s == 12


async def test_a_film_ordered_by_its_frames_is_extended_by_seconds():
    bench = Bench()
    source = await bench.film(await bench.submit(dialect="octopus", frames=121, ratio="16:9"))
    wanted = Change(kind=ChangeKind.EXTEND, prompt="on it goes", source=source.id, duration_s=12)
    found = (await changes(bench).request_of("o", PROFILE, wanted)).request
    assert (found.duration_s, found.frames) == (12, None)


@pytest.mark.parametrize("engine", [ENGINE, replace(ANY, changes_videos=False)], ids=["takes none", "changes none"])
@pytest.mark.parametrize("kind", [ChangeKind.REMIX, ChangeKind.EDIT])
async def test_an_engine_that_changes_no_videos_makes_the_film_anew_with_the_same_seed_and_says_so(kind, engine):
    bench = Bench()
    source = await filmed(bench)
    wanted = Change(kind=kind, prompt="a dog", source=source.id)
    found = await changes(bench, engine).request_of("o", PROFILE, wanted)
    assert [item.value for item in found.request.content] == ["a dog"]
    assert (found.request.seed, found.request.remixed_from) == (source.seed, source.id)
    assert "made anew" in found.warnings[0].message


async def test_an_engine_without_videos_cannot_extend():
    bench = Bench()
    source = await filmed(bench)
    wanted = Change(kind=ChangeKind.EXTEND, prompt="on", source=source.id)
    decoded = await changes(bench, ENGINE).request_of("o", PROFILE, wanted)
    with pytest.raises(Rejected, match="does not serve `video_url`") as caught:
        await bench.submitter.submit(owner="o", dialect="openai", decoded=decoded)
    assert caught.value.violation.param == "video"


async def test_a_video_that_is_not_ours_is_the_reference_of_a_film_by_the_default_model():
    wanted = Change(kind=ChangeKind.EDIT, prompt="in snow", video="https://example.com/a.mp4")
    found = (await changes(Bench()).request_of("o", PROFILE, wanted)).request
    assert (found.model, found.content[1].value) == ("sora-2", "https://example.com/a.mp4")
    assert found.execution_expires_after_s == 172_800


async def test_a_film_that_is_not_there_yet_cannot_be_changed():
    bench = Bench()
    source = await bench.submit()
    with pytest.raises(Rejected, match="it is queued") as caught:
        await changes(bench).request_of("o", PROFILE, Change(kind=ChangeKind.REMIX, prompt="x", source=source.id))
    assert caught.value.violation.param == "video"


async def test_another_owners_film_is_not_found():
    bench = Bench()
    source = await filmed(bench)
    with pytest.raises(NotFound):
        await changes(bench).request_of("p", PROFILE, Change(kind=ChangeKind.REMIX, prompt="x", source=source.id))


@pytest.mark.parametrize(
    ("prompt", "duration_s", "param"), [("on", 99, "seconds"), ("on", 0, "seconds"), ("x" * 100_001, 5, "prompt")]
)
async def test_what_is_wrong_with_a_change_is_told_in_its_own_words(prompt, duration_s, param):
    bench = Bench(engine=ANY)
    source = await filmed(bench)
    wanted = Change(kind=ChangeKind.EXTEND, prompt=prompt, source=source.id, duration_s=duration_s)
    decoded = await changes(bench).request_of("o", PROFILE, wanted)
    with pytest.raises(Rejected) as caught:
        await bench.submitter.submit(owner="o", dialect="openai", decoded=decoded)
    assert [each.param for each in caught.value.violations] == [param]


async def test_an_uploaded_video_is_taken_where_clients_upload_and_nowhere_else():
    bench = Bench(engine=ANY)
    wanted = Change(kind=ChangeKind.EDIT, prompt="in snow", video="data:video/mp4;base64,AAAA")
    decoded = await changes(bench).request_of("o", PROFILE, wanted)
    await bench.submitter.submit(owner="o", dialect="openai", decoded=decoded)
    with pytest.raises(Rejected, match="must be provided as a web url") as caught:
        await bench.submitter.submit(owner="o", dialect="ark", decoded=decoded)
    assert caught.value.violation.param == "video"
