"""Quotes: the same judgement as a submission, and nothing kept of it."""

from dataclasses import replace

import pytest

from intake_bench import IMAGE, VIDEO, MediaBench, item
from submit_bench import Bench, request_of
from understudy.core.errors import Rejected
from understudy.core.media import Medium, Origin
from understudy.core.task import Warned
from understudy.dialects.codec import Decoded
from understudy.service.quote import Quoter


async def quote(bench: Bench, *, is_strict=False, warnings=(), **fields):
    quoter = Quoter(examiner=bench.examiner)
    decoded = Decoded(request=request_of(**fields), warnings=tuple(warnings))
    return await quoter.quote(owner="o", dialect="ark", decoded=decoded, is_strict=is_strict)


async def test_a_quote_costs_what_a_submission_would_hold():
    bench = Bench()
    fields = {"ratio": "16:9", "duration_s": 5, "resolution": "720p"}
    quoted = await quote(bench, **fields)
    task = await bench.submit(**fields)
    (hold,) = await bench.store.ledger(task.id)
    assert (quoted.cost.amount_micros, quoted.cost.completion_tokens) == (hold.amount_micros, hold.completion_tokens)
    assert quoted.request == task.request
    assert (quoted.violations, quoted.engine) == ((), "previz")


async def test_a_quote_stores_nothing_and_wakes_nobody():
    bench = Bench()
    await quote(bench)
    assert bench.woken == 0
    assert await bench.store.claim("w", bench.clock.now(), bench.clock.now()) is None


async def test_a_quote_lists_all_that_is_wrong_and_names_no_price():
    quoted = await quote(Bench(), duration_s=99, ratio="9:1")
    assert {each.param for each in quoted.violations} == {"duration", "ratio"}
    assert quoted.request.duration_s == 99
    assert quoted.cost is None


async def test_an_unknown_model_is_part_of_the_quote():
    quoted = await quote(Bench(), model="gpt-9")
    assert [each.code for each in quoted.violations] == ["InvalidEndpointOrModel.NotFound"]
    assert quoted.request is None


async def test_a_strict_quote_counts_warnings_as_violations():
    told = [Warned(param="x", message="`x` was ignored.")]
    assert (await quote(Bench(), warnings=told)).violations == ()
    assert [each.param for each in (await quote(Bench(), warnings=told, is_strict=True)).violations] == ["x"]


async def test_a_strict_submission_is_refused_for_what_would_only_be_told():
    bench = Bench()
    told = [Warned(param="x", message="`x` was ignored.")]
    assert (await bench.submit(warnings=told)).warnings == tuple(told)
    with pytest.raises(Rejected) as caught:
        await bench.submit(warnings=told, is_strict=True, tools=("web_search",))
    assert [each.param for each in caught.value.violations] == ["x", "tools"]
    assert (await bench.submit(is_strict=True)).warnings == ()


async def test_a_quote_fetches_nothing_and_says_so(tmp_path):
    bench = MediaBench(tmp_path)
    image = item(IMAGE, bench.page(b"no picture"))
    quoted = await quote(bench, content=(image,), is_strict=True)
    assert (bench.web.asked, quoted.violations, quoted.cost is None) == ([], (), False)
    assert [each.param for each in quoted.warnings if "Nothing is fetched" in each.message] == ["content"]
    assert (await quote(bench)).warnings == ()


async def test_a_quote_does_not_say_where_the_bytes_of_a_large_body_went():
    spooled = item(IMAGE, "data:image/png;base64,spooled/0123456789abcdef0123456789abcdef/0")
    quoted = await quote(Bench(), content=(spooled,))
    assert [each.value for each in quoted.request.content] == ["data:image/png"]


@pytest.mark.parametrize(("duration_s", "params"), [(15.2, []), (17.0, ["content[0]"])])
async def test_a_quote_judges_media_that_were_measured_before(tmp_path, duration_s, params):
    facts = replace(VIDEO, duration_s=duration_s)
    medium = Medium(key="media/a.mp4", sha256="a", origin=Origin.ASSET, facts=facts)
    video = replace(item(VIDEO, "asset://clip"), medium=medium)
    quoted = await quote(MediaBench(tmp_path), content=(video,))
    assert [each.param for each in quoted.violations] == params
    assert (quoted.cost is None) is bool(params)
