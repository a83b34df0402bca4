"""Rehearsal words: how they are read, who heeds them, and what they do before and in a render."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from manual_clock import ManualClock
from submit_bench import ENGINE, Bench, request_of
from understudy.bootstrap import build
from understudy.core.content import ContentItem, Modality
from understudy.core.errors import CODES, RateLimited, Rejected, TaskFailed, Unavailable
from understudy.engines.previz import OFFER
from understudy.engines.previz.rehearsal import REFUSALS, WORDS, guide_table, read_words, rehearse
from understudy.engines.previz.rehearsing import Hindered, corrupt
from understudy.server.app import build_app
from understudy.server.rehearsal_clock import PATH
from understudy.service.rehearsal import AHEAD_DAYS_MOST, REMEMBERED_MOST, MovableClock
from understudy.settings import Settings

GUIDE = Path(__file__).parent.parent.parent / "docs/guides/rehearsal.md"


def texts(*words: str) -> tuple[ContentItem, ...]:
    return tuple(ContentItem(modality=Modality.TEXT, value=each) for each in words)


def reading_of(prompt: str):
    reading = read_words(texts(prompt))
    assert reading is not None, prompt
    return reading


@pytest.mark.parametrize(
    "prompt",
    [
        "A cat",
        "",
        "[Shot 1] A cat rehearses: 429",
        "[rehearsal: 429]",
        "(rehearse: 429)",
        "[a [b] c]",
        "[the rehearse: x]",
    ],
)
def test_an_ordinary_prompt_has_no_words(prompt: str) -> None:
    assert read_words(texts(prompt)) is None


@pytest.mark.parametrize(
    ("prompt", "name", "argument"),
    [
        ("[rehearse: slow 30s] A cat", "slow", 30),
        ("A cat [Rehearse:SLOW 30]", "slow", 30),
        ("A [ rehearse :  slow  30 s ] cat", "slow", 30),
        ("[rehearse: slow]", "slow", 20),
        ("[rehearse: fail 99%]", "fail", 99),
        ("[rehearse:429]", "429", 1),
        ("[rehearse: refuse-input FACE]", "refuse-input", "face"),
        ("[rehearse: silent]", "silent", None),
    ],
)
def test_a_word_is_read_with_its_argument(prompt: str, name: str, argument: object) -> None:
    reading = reading_of(prompt)
    assert reading.violations == ()
    assert [(each.word.name, each.argument) for each in reading.said] == [(name, argument)]
    assert "rehearse" not in reading.content[0].value.lower()


@pytest.mark.parametrize(
    ("prompt", "named"),
    [
        ("[rehearse: explode]", "explode"),
        ("[rehearse:]", "there is no word ''"),
        ("[rehearse 429", "not closed"),
        ("[rehearse: 429 21]", "1 to 20"),
        ("[rehearse: 429 0]", "1 to 20"),
        ("[rehearse: 429 2%]", "1 to 20"),
        ("[rehearse: slow 20%]", "1 to 900 s"),
        ("[rehearse: slow \u0662s]", "1 to 900 s"),
        ("[rehearse: fail 100%]", "1 to 99 %"),
        ("[rehearse: silent 3]", "none"),
        ("[rehearse: corrupt a bit]", "`garbage`, `truncated`"),
        ("[rehearse: slow 5s] [rehearse: slow 6s]", "twice"),
    ],
)
def test_what_is_not_understood_is_refused_by_name_at_its_text(prompt: str, named: str) -> None:
    reading = read_words(texts("A cat", prompt))
    assert reading is not None
    (violation,) = reading.violations
    assert (violation.code, violation.param) == ("InvalidParameter", "content[1].text")
    assert named in violation.message


def test_what_is_to_be_refused_must_be_there() -> None:
    told = rehearse(request_of(content=texts("[rehearse: refuse-input image]")))
    assert told is not None
    assert "there is none" in told.violations[0].message


def test_refusals_have_codes_of_their_status() -> None:
    assert {word: str(CODES[code].status) for word, (code, _, _) in REFUSALS.items()} == {
        word: word for word in REFUSALS
    }


def test_the_guide_has_the_table_of_the_words() -> None:
    assert "\n".join(guide_table()) in GUIDE.read_text(encoding="utf-8")


def test_the_guide_shows_no_word_that_is_none() -> None:
    shown = re.findall(r"\[rehearse:[^\]]*\]", GUIDE.read_text(encoding="utf-8"))
    assert len(shown) > 2
    for each in shown:
        assert reading_of(each).violations == (), each


async def test_two_owners_and_two_prompts_are_counted_apart() -> None:
    bench = Bench(engine=OFFER)
    for owner, prompt in (("o", "a"), ("p", "a"), ("o", "b")):
        with pytest.raises(RateLimited) as caught:
            await bench.submit(owner=owner, content=texts(f"[rehearse: 429] {prompt}"))
        assert caught.value.retry_after_s == 1
    assert await bench.submit(owner="o", content=texts("[rehearse: 429] a"))
    with pytest.raises(RateLimited):
        await bench.submit(owner="o", content=texts("[rehearse: 429] a"))


async def test_two_kinds_of_refusal_come_one_after_the_other_and_then_none() -> None:
    bench, met = Bench(engine=OFFER), []
    for _ in range(4):
        try:
            await bench.submit(content=texts("[rehearse: 429 2] [rehearse: 503] A cat"))
        except (RateLimited, Unavailable) as error:
            met.append(error.status)
    assert met == [429, 429, 503]
    assert bench.woken == 1


async def test_only_so_many_prompts_are_counted() -> None:
    bench = Bench(engine=OFFER)
    for number in range(REMEMBERED_MOST + 1):
        with pytest.raises(RateLimited):
            await bench.submit(content=texts(f"[rehearse: 429] {number}"))
    with pytest.raises(RateLimited):
        await bench.submit(content=texts("[rehearse: 429] 0"))
    assert await bench.submit(content=texts(f"[rehearse: 429] {REMEMBERED_MOST}"))


async def test_a_strict_request_may_rehearse_and_is_told_all_the_same() -> None:
    task = await Bench(engine=OFFER).submit(content=texts("[rehearse: slow 9s] A cat"), is_strict=True)
    assert [(each.param, "9 s at least" in each.message) for each in task.warnings] == [("content[0].text", True)]


async def test_a_request_that_is_wrong_is_told_so_before_it_is_refused_in_rehearsal() -> None:
    with pytest.raises(Rejected):
        await Bench(engine=OFFER).submit(content=texts("[rehearse: 429] A cat"), duration_s=99)


async def test_an_expired_task_is_never_claimed() -> None:
    bench = Bench(engine=OFFER)
    task = await bench.submit(content=texts("[rehearse: expired] A cat"))
    assert await bench.store.claim("w", bench.clock.now(), bench.clock.now()) is None
    assert list(await bench.store.expire(bench.clock.now())) == [task.id]


async def test_an_engine_without_words_takes_them_for_words() -> None:
    task = await Bench(engine=ENGINE).submit(content=texts("[rehearse: 429] [rehearse: explode] A cat"))
    assert task.warnings == ()


@pytest.mark.parametrize(
    ("settings", "heeds"),
    [
        ({}, True),
        ({"rehearsal": False}, False),
        ({"engine": "understudy.testing.scripted:OFFER"}, False),
    ],
)
async def test_words_are_heeded_by_previz_unless_the_operator_turns_them_off(
    tmp_path: Path, settings: dict[str, object], heeds: bool
) -> None:
    house, _ = await build(replace(Settings(data_dir=str(tmp_path)), **settings), tmp_path)  # type: ignore[arg-type]
    service = house.start.__self__  # type: ignore[attr-defined]
    jobs = service.dispatcher._at.jobs
    await service.stores.tasks.close()
    assert jobs.rehearses is heeds
    assert (house.submitter.examiner.judge.engine.rehearse is not None) is heeds


@pytest.mark.parametrize("is_on", [True, False])
async def test_the_clock_can_be_moved_where_the_setting_says_so_only(tmp_path: Path, is_on: bool) -> None:
    house, _ = await build(Settings(data_dir=str(tmp_path), rehearsal_clock=is_on), tmp_path)
    service = house.start.__self__  # type: ignore[attr-defined]
    await service.stores.tasks.close()
    assert (PATH in [getattr(route, "path", "") for route in build_app(house).routes]) is is_on


def test_a_moved_clock_goes_on_and_never_back() -> None:
    hands = ManualClock()
    clock = MovableClock(hands)
    began = hands.now()
    clock.advance(3600)
    hands.advance(seconds=5)
    assert (clock.now() - began).total_seconds() == 3605
    assert [clock.can_advance(seconds) for seconds in (0, -1, float("nan"), float("inf"), 1)] == [False] * 4 + [True]
    assert not clock.can_advance(AHEAD_DAYS_MOST * 86_400)


def test_a_render_fails_where_it_is_told_to_and_has_told_how_far_it_was() -> None:
    told: list[int] = []
    hindered = Hindered(reading_of("[rehearse: fail 60%]"), lambda done, _total: told.append(done))
    for done in range(1, 6):
        hindered(done, 10)
    with pytest.raises(TaskFailed) as caught:
        hindered(6, 10)
    assert (told, caught.value.is_retryable) == ([1, 2, 3, 4, 5, 6], False)


def test_a_render_is_stuck_where_it_is_told_to_and_has_told_how_far_it_was() -> None:
    told: list[object] = []
    hindered = Hindered(
        reading_of("[rehearse: stuck 30%]"), lambda done, _total: told.append(done), stay=lambda: told.append("stuck")
    )
    for done in range(1, 4):
        hindered(done, 10)
    assert told == [1, 2, 3, "stuck"]


@pytest.mark.parametrize(("how", "left"), [("truncated", 500), ("garbage", 1000)])
def test_a_broken_film_is_broken_the_same_way_each_time(tmp_path: Path, how: str, left: int) -> None:
    content = bytes(range(250)) * 4
    broken = []
    for name in "ab":
        (tmp_path / name).write_bytes(content)
        corrupt(tmp_path / name, how, seed=7)
        broken.append((tmp_path / name).read_bytes())
    assert broken[0] == broken[1] != content
    assert (len(broken[0]), broken[0][:32]) == (left, content[:32])


def test_every_word_has_a_sentence() -> None:
    for word in WORDS.values():
        assert word.sentence(word.default).endswith("."), word.name
