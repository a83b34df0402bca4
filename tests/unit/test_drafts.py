"""Drafts and their finals: what the final takes from its draft, and which drafts there are none for."""

from dataclasses import replace

import pytest

from submit_bench import ENGINE, Bench, request_of
from understudy.core.content import ContentItem, Modality, Role
from understudy.core.errors import Rejected
from understudy.core.request import FILM_OF_TASK
from understudy.core.scenario import Scenario
from understudy.core.task import Status
from understudy.dialects.codec import Decoded

M25 = "doubao-seedance-2-5-260628"


def final_of(draft_id: str) -> dict:
    return {"content": (ContentItem(modality=Modality.DRAFT, value=draft_id),)}


async def drafted(bench: Bench, **fields):
    draft = await bench.submit(model=M25, draft=True, **{"duration_s": 5, **fields})
    assert draft.request.resolution == "480p", "a draft is small"
    return await bench.film(draft, ratio="9:16", duration_s=5)


async def test_a_final_shows_what_its_draft_showed():
    bench = Bench()
    draft = await drafted(bench, generate_audio=False)
    final = await bench.submit(model=M25, **final_of(f"cgt-{draft.id}"))
    assert final.request.content == draft.request.content
    assert (final.seed, final.request.ratio, final.request.duration_s) == (draft.seed, "9:16", 5)
    assert (final.request.generate_audio, final.request.draft) == (False, False)
    assert (final.request.draft_task_id, final.request.resolution) == (draft.id, "1080p")


@pytest.mark.parametrize("spelling", ["cgt-", "task_", "video_", ""])
async def test_a_draft_is_known_by_every_spelling_of_its_id(spelling):
    bench = Bench()
    draft = await drafted(bench)
    assert (await bench.submit(model=M25, **final_of(spelling + draft.id))).request.draft_task_id == draft.id


@pytest.mark.parametrize(
    ("field", "value", "param"),
    [
        ("ratio", "16:9", "ratio"),
        ("duration_s", 5, "duration"),
        ("seed", 7, "seed"),
        ("generate_audio", True, "generate_audio"),
        ("omni_reference_task_type", "auto", "omni_reference_task_type"),
    ],
)
async def test_repeating_what_the_draft_said_is_refused_even_when_equal(field, value, param):
    bench = Bench()
    draft = await drafted(bench)
    with pytest.raises(Rejected) as caught:
        await bench.submit(model=M25, **final_of(draft.id), **{field: value})
    assert [each.param for each in caught.value.violations] == [param]


async def test_where_defaults_are_always_written_the_drafts_own_values_win_and_differences_are_told():
    bench = Bench()
    draft = await bench.submit(dialect="octopus", draft=True, resolution="480p", ratio="16:9", duration_s=8)
    draft = await bench.film(draft, ratio="16:9", duration_s=8)
    final = await bench.submit(
        dialect="octopus", **final_of(draft.id), ratio="16:9", duration_s=5, resolution="720p", draft=False
    )
    assert (final.request.duration_s, final.request.resolution) == (8, "720p")
    assert "duration" in [each.param for each in final.warnings]
    assert "ratio" not in [each.param for each in final.warnings]


async def test_a_task_that_is_no_draft_has_no_final():
    bench = Bench()
    plain = await bench.film(await bench.submit(model=M25, ratio="16:9"))
    with pytest.raises(Rejected, match="is not a draft"):
        await bench.submit(model=M25, **final_of(plain.id))


async def test_a_draft_that_is_not_done_has_no_final():
    bench = Bench()
    draft = await bench.submit(model=M25, draft=True)
    with pytest.raises(Rejected, match="has not succeeded, it is queued"):
        await bench.submit(model=M25, **final_of(draft.id))


@pytest.mark.parametrize("task_id", ["cgt-20200101000000-aaaaa", "not an id", "", "a" * 10_000])
async def test_a_draft_that_does_not_exist_is_named(task_id):
    with pytest.raises(Rejected, match="is not found") as caught:
        await Bench().submit(model=M25, **final_of(task_id))
    assert caught.value.violation.param == "content[0].draft_task.id"


async def test_another_owners_draft_does_not_exist():
    bench = Bench()
    draft = await drafted(bench)
    decoded = await bench.examiner.drafts.finished("o", "ark", bench_decoded(draft.id))
    assert decoded.request.draft_task_id == draft.id
    with pytest.raises(Rejected, match="is not found"):
        await bench.examiner.drafts.finished("somebody else", "ark", bench_decoded(draft.id))


def bench_decoded(draft_id: str):
    return Decoded(request=request_of(model=M25, **final_of(draft_id)))


async def test_a_draft_is_gone_after_seven_days():
    bench = Bench()
    draft = await drafted(bench)
    bench.clock.advance(days=7, seconds=1)
    with pytest.raises(Rejected, match="is not found"):
        await bench.submit(model=M25, **final_of(draft.id))


async def test_an_archived_draft_can_be_finished_however_old_it_is():
    bench = Bench()
    draft = await drafted(bench)
    await bench.store.archive(draft.owner, draft.id)
    bench.clock.advance(days=400)
    assert (await bench.submit(model=M25, **final_of(draft.id))).request.draft_task_id == draft.id


async def test_a_final_is_of_its_drafts_model():
    bench = Bench()
    draft = await drafted(bench)
    with pytest.raises(Rejected) as caught:
        await bench.submit(model="doubao-seedance-2-0-260128", **final_of(draft.id))
    assert caught.value.violation.param == "model"


@pytest.mark.parametrize("dialect", ["ark", "octopus"])
async def test_a_final_that_is_to_be_a_draft_is_refused(dialect):
    bench = Bench()
    draft = await drafted(bench)
    with pytest.raises(Rejected) as caught:
        await bench.submit(model=M25, dialect=dialect, draft=True, **final_of(draft.id))
    assert [each.param for each in caught.value.violations] == ["draft"]


async def test_a_film_whose_record_is_over_is_not_there_any_more():
    bench = Bench(engine=replace(ENGINE, scenarios=frozenset(Scenario)))
    source = await bench.film(await bench.submit())
    film = ContentItem(modality=Modality.VIDEO, value=FILM_OF_TASK + source.id, role=Role.REFERENCE_VIDEO)
    bench.clock.advance(days=7, seconds=1)
    with pytest.raises(Rejected, match="is not found"):
        await bench.submit(content=(film,))


async def test_films_that_no_model_takes_so_many_of_are_not_looked_up():
    bench = Bench(engine=replace(ENGINE, scenarios=frozenset(Scenario)))
    source = await bench.film(await bench.submit())
    film = ContentItem(modality=Modality.VIDEO, value=FILM_OF_TASK + source.id, role=Role.REFERENCE_VIDEO)
    with pytest.raises(Rejected, match="at most 20 are looked up"):
        await bench.submit(content=(film,) * 21)


async def test_a_film_that_is_not_there_is_told_in_the_callers_own_words():
    bench = Bench(engine=replace(ENGINE, scenarios=frozenset(Scenario)))
    film = ContentItem(modality=Modality.VIDEO, value="task://20261121120000-zzzzz", role=Role.REFERENCE_VIDEO)
    decoded = Decoded(request=request_of(content=(film,)), names={"content[0]": "video_urls[0]"})
    with pytest.raises(Rejected, match=r"`video_urls\[0\]`") as caught:
        await bench.submitter.submit(owner="o", dialect="apimart", decoded=decoded)
    assert caught.value.violation.param == "video_urls[0]"


async def test_a_film_that_is_given_as_media_must_be_there():
    bench = Bench(engine=replace(ENGINE, scenarios=frozenset(Scenario)))
    source = await bench.submit()

    def wanted():
        text = ContentItem(modality=Modality.TEXT, value="make it night")
        film = ContentItem(modality=Modality.VIDEO, value=FILM_OF_TASK + source.id, role=Role.REFERENCE_VIDEO)
        return {"content": (text, film)}

    with pytest.raises(Rejected, match="has not succeeded") as caught:
        await bench.submit(**wanted())
    assert caught.value.violation.param == "content[1]"
    await bench.film(source)
    assert (await bench.submit(**wanted())).status is Status.QUEUED


async def test_a_prompt_that_begins_like_a_film_of_a_task_is_a_prompt():
    words = ContentItem(modality=Modality.TEXT, value=f"{FILM_OF_TASK}force, rolling in at dawn")
    assert (await Bench().submit(content=(words,))).request.prompt == words.value
