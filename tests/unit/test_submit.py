"""Submitting: what is stored, what is held, what is refused."""

from dataclasses import replace

import pytest

from submit_bench import ENGINE, MODEL, Bench
from understudy.catalog.load import load_catalogue
from understudy.core.content import ContentItem, Modality, Role
from understudy.core.errors import NotFound, Rejected, Unavailable
from understudy.core.scenario import Scenario
from understudy.core.task import EntryKind, Status, Warned
from understudy.engines.previz import OFFER as PREVIZ
from understudy.service.submit import ID_TRIES_MAX


async def test_a_request_becomes_one_queued_task_with_the_models_defaults():
    bench = Bench()
    task = await bench.submit(model="doubao-seedance-2.0")
    assert task == await bench.store.get("o", task.id)
    assert (task.status, task.request.model, task.request.resolution) == (Status.QUEUED, MODEL, "720p")
    assert task.id == "20261121120000-00000"
    assert (task.expires_at - task.created_at).total_seconds() == 172_800
    assert bench.woken == 1


async def test_the_hold_is_the_most_the_request_can_cost():
    bench = Bench()
    task = await bench.submit(ratio="16:9", duration_s=5)
    (hold,) = await bench.store.ledger(task.id)
    assert (hold.kind, hold.currency, hold.completion_tokens) == (EntryKind.HOLD, "CNY", 108_900)
    assert hold.amount_micros == 108_900 * 46


@pytest.mark.parametrize(("asked", "used"), [(None, 7), (-1, 7), (0, 0), (2**32 - 1, 2**32 - 1)])
async def test_a_seed_left_open_is_chosen_once_and_stored(asked, used):
    assert (await Bench().submit(seed=asked)).seed == used


async def test_fields_without_effect_are_listed_beside_what_the_dialect_dropped():
    dropped = Warned(param="x", message="ignored")
    task = await Bench().submit(warnings=[dropped], tools=("web_search",))
    assert [each.param for each in task.warnings] == ["x", "tools"]


@pytest.mark.parametrize(("asked", "told"), [("auto", []), ("reference", ["omni_reference_task_type"]), (None, [])])
async def test_a_value_that_asks_for_what_is_done_anyway_needs_no_warning(asked, told):
    bench = Bench(engine=PREVIZ)
    task = await bench.submit(model="doubao-seedance-2.5", omni_reference_task_type=asked)
    assert [each.param for each in task.warnings] == told


@pytest.mark.parametrize("dialect", ["octopus", "apimart", "openai"])
async def test_a_dialects_default_ratio_gives_way_to_a_first_frame_where_the_model_follows_it(dialect):
    bench = Bench(engine=replace(ENGINE, scenarios=frozenset(Scenario)))
    default = load_catalogue().profiles[dialect].defaults["ratio"]
    frame = ContentItem(modality=Modality.IMAGE, value="https://example.com/a.png", role=Role.FIRST_FRAME)
    fields = {"dialect": dialect, "content": (frame,), "ratio": default, "duration_s": 5, "resolution": "720p"}
    task = await bench.submit(model="doubao-seedance-2-5-260628", **fields)
    assert (task.request.ratio, [each.param for each in task.warnings]) == ("adaptive", ["ratio"])
    with pytest.raises(Rejected):
        await bench.submit(model="doubao-seedance-2-5-260628", **{**fields, "ratio": "1:1"})
    assert (await bench.submit(**fields)).request.ratio == default, "2.0 crops the frame as it is told"


async def test_a_plain_request_has_no_warnings():
    assert (await Bench().submit()).warnings == ()


async def test_a_refused_request_is_not_stored():
    bench = Bench()
    with pytest.raises(Rejected) as caught:
        await bench.submit(duration_s=99, ratio="9:1")
    assert {each.param for each in caught.value.violations} == {"duration", "ratio"}
    assert bench.woken == 0
    assert await bench.store.claim("w", bench.clock.now(), bench.clock.now()) is None


@pytest.mark.parametrize("model", ["gpt-9", "ep-20261121-abcde", "", "DOUBAO-SEEDANCE-2-0-260128"])
async def test_an_unknown_model_is_not_found_and_named(model):
    with pytest.raises(NotFound, match="does not exist or you do not have access") as caught:
        await Bench().submit(model=model)
    assert (caught.value.violation.param, caught.value.status) == ("model", 404)


async def test_an_id_in_use_is_replaced():
    bench = Bench(["aaaaa", "aaaaa", "bbbbb"])
    first, second = await bench.submit(), await bench.submit()
    assert (first.id[-5:], second.id[-5:]) == ("aaaaa", "bbbbb")
    assert len(await bench.store.ledger(second.id)) == 1


async def test_a_server_without_free_ids_says_so_and_stores_nothing():
    bench = Bench(["aaaaa"] * (ID_TRIES_MAX + 1))
    await bench.submit()
    with pytest.raises(Unavailable):
        await bench.submit()
