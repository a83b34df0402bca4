"""Telling callers of changes: who is told what, in which order, again and again, and that nobody waits for the dead."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest
from standardwebhooks import Webhook

from media_host import MediaHost, drip, endless, media_host, redirect, reset, silent, status
from telling import KEYS, OWNER, PACE, Names, Telling, gated, hosts, until
from understudy.core.callbacks import Callback, DeliveryState
from understudy.core.errors import Unavailable, Violation
from understudy.core.task import Status
from understudy.service.callback_schedule import Schedule
from understudy.service.callbacks import place_of
from understudy.testing.samples import sample_task

OK = status(204)
WAITS = replace(PACE, drain_s=0.0)


@pytest.fixture
def host() -> Iterator[MediaHost]:
    with media_host() as running:
        yield running


@pytest.fixture
async def telling() -> AsyncIterator[Telling]:
    found = Telling()
    yield found
    await found.close()


def statuses(host: MediaHost, path: str) -> list[str]:
    return [json.loads(asked.body)["status"] for asked in host.requests if asked.path == path]


async def test_a_change_is_posted_as_json_and_recorded(host: MediaHost, telling: Telling) -> None:
    url = host.on("/told", OK)
    await telling.put(f"{url}?token=1")
    await telling.sender.round()
    (asked,) = host.requests
    assert (asked.method, asked.target, asked.headers["content-type"]) == ("POST", "/told?token=1", "application/json")
    assert asked.body == b'{"id":"%s","status":"queued"}' % sample_task(1).id.encode()
    assert asked.headers["user-agent"].startswith("Understudy/")
    (delivery,) = await telling.log()
    assert (delivery.state, delivery.tried, delivery.due_at) == (DeliveryState.DELIVERED, 1, None)
    assert [(tried.status, tried.fault, tried.at) for tried in delivery.tries] == [(204, "", telling.clock.now())]


@pytest.mark.parametrize("code", [200, 201, 202, 206, 299])
async def test_any_success_answer_is_one(host: MediaHost, telling: Telling, code: int) -> None:
    await telling.put(host.on("/told", status(code)))
    await telling.sender.round()
    assert (await telling.log())[0].state is DeliveryState.DELIVERED


@pytest.mark.parametrize("code", [304, 400, 404, 410, 429, 500, 503])
async def test_any_other_answer_is_a_failure_that_says_so(host: MediaHost, telling: Telling, code: int) -> None:
    body = b"" if code == 304 else b"a secret of the other side"
    await telling.put(host.on("/told", status(code, body)))
    await telling.sender.round()
    (delivery,) = await telling.log()
    assert (delivery.state, delivery.tries[0].status) == (DeliveryState.PENDING, code)
    assert str(code) in delivery.tries[0].fault
    assert "secret" not in delivery.tries[0].fault


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_a_redirect_is_a_failure_and_is_not_followed(host: MediaHost, telling: Telling, code: int) -> None:
    await telling.put(host.on("/told", redirect("/elsewhere", code)))
    host.on("/elsewhere", OK)
    await telling.sender.round()
    assert [asked.path for asked in host.requests] == ["/told"]
    assert (await telling.log())[0].tries[0].fault == f"The answer was HTTP {code}, and redirects are not followed."


async def test_the_body_of_an_answer_is_not_waited_for(host: MediaHost, telling: Telling) -> None:
    await telling.put(host.on("/huge", endless()), 1)
    await telling.put(host.on("/slow", drip(b"thank you", 60.0)), 2)
    await telling.sender.round()
    assert [(await telling.log(number))[0].state for number in (1, 2)] == [DeliveryState.DELIVERED] * 2


async def test_a_connection_that_breaks_is_a_failure(host: MediaHost, telling: Telling) -> None:
    await telling.put(host.on("/told", reset()))
    await telling.sender.round()
    (delivery,) = await telling.log()
    assert (delivery.state, delivery.tries[0].status) == (DeliveryState.PENDING, None)
    assert delivery.tries[0].fault == "The connection failed."


async def test_an_answer_that_is_late_is_a_failure(host: MediaHost) -> None:
    telling = Telling(pace=replace(PACE, post_s=0.2))
    await telling.put(host.on("/told", silent()))
    await telling.sender.round()
    assert (await telling.log())[0].tries[0].fault == "No answer within 0.2 s."
    await telling.close()


async def test_what_failed_is_told_again_when_its_time_has_come(host: MediaHost, telling: Telling) -> None:
    await telling.put(host.on("/told", status(500), OK))
    await telling.sender.round()
    telling.clock.advance(seconds=0.9)
    await telling.sender.round()
    assert len(host.requests) == 1
    telling.clock.advance(seconds=0.3)
    await telling.sender.round()
    assert len(host.requests) == 2
    (delivery,) = await telling.log()
    assert (delivery.state, [tried.status for tried in delivery.tries]) == (DeliveryState.DELIVERED, [500, 204])


async def test_news_that_nobody_takes_is_given_up_after_three_retries(
    host: MediaHost, telling: Telling, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await telling.put(host.on("/told", status(500)) + "?token=hidden")
    for _ in range(10):
        await telling.sender.round()
        telling.clock.advance(seconds=10)
    assert len(host.requests) == 4
    (delivery,) = await telling.log()
    assert (delivery.state, delivery.due_at, delivery.tried) == (DeliveryState.GIVEN_UP, None, 4)
    assert "is given up after 4 tries: the answer was HTTP 500" in caplog.text
    assert f"{host.url}/told" in caplog.text
    assert "hidden" not in caplog.text


async def test_an_end_that_nobody_takes_is_told_on_the_longer_schedule_before_it_is_given_up(
    host: MediaHost, telling: Telling
) -> None:
    await telling.put(host.on("/told", OK, OK, status(500)))
    await telling.succeed()
    await telling.sender.round()
    tried = []
    for _ in range(60):
        telling.clock.advance(seconds=60)
        before = len(host.requests)
        await telling.sender.round()
        tried += [json.loads(asked.body)["status"] for asked in host.requests[before:]]
    # Three retries within the first minute, one after five minutes, one after half an hour.
    assert len(host.requests) == 2 + 1 + 5
    assert tried == ["succeeded"] * 5
    assert (await telling.log())[2].state is DeliveryState.GIVEN_UP


async def test_changes_are_told_in_order_and_none_before_the_one_it_follows(host: MediaHost, telling: Telling) -> None:
    await telling.put(host.on("/told", status(500), OK, status(500), status(500), OK))
    await telling.succeed()
    for _ in range(8):
        await telling.sender.round()
        telling.clock.advance(seconds=10)
    assert statuses(host, "/told") == ["queued", "queued", "running", "running", "running", "succeeded"]


async def test_the_end_is_told_when_the_news_before_it_were_given_up(host: MediaHost) -> None:
    telling = Telling(pace=replace(PACE, schedule=Schedule(retries=0)))
    await telling.put(host.on("/told", status(500), status(500), OK))
    await telling.succeed()
    await telling.sender.round()
    assert statuses(host, "/told") == ["queued", "running", "succeeded"]
    states = [delivery.state for delivery in await telling.log()]
    assert states == [DeliveryState.GIVEN_UP, DeliveryState.GIVEN_UP, DeliveryState.DELIVERED]
    await telling.close()


async def test_every_try_is_signed_anew_under_the_same_id(host: MediaHost, telling: Telling) -> None:
    task = await telling.put(host.on("/told", status(500), OK, OK))
    await telling.sender.round()
    telling.clock.advance(seconds=2)
    await telling.sender.round()
    await telling.claim()
    await telling.sender.round()
    ids = [asked.headers["webhook-id"] for asked in host.requests]
    assert ids == [f"{task.id}-1", f"{task.id}-1", f"{task.id}-2"]
    for asked in host.requests:
        Webhook(KEYS.secret(OWNER)).verify(asked.body, dict(asked.headers))
    stamps = [int(asked.headers["webhook-timestamp"]) for asked in host.requests]
    assert stamps[1] - stamps[0] == 2
    assert [asked.headers["x-understudy-callback"] for asked in host.requests] == [
        f"{task.id} {said}" for said in ("1 1", "1 2", "2 1")
    ]


async def test_who_hangs_delays_nobody() -> None:
    telling = Telling()
    with hosts("127.0.0.1", "127.0.0.2") as (dead, well):
        for number in range(40):
            await telling.put(dead.on("/told", silent()), number)
        for number in range(40, 80):
            await telling.put(well.on("/told", OK), number)
        await telling.sender.start()
        # A post to the dead has half a minute: were all places theirs, this would wait for as long.
        await until(lambda: len(well.requests) == 40)
        assert len(dead.requests) < PACE.at_once
        await asyncio.gather(telling.close(), asyncio.to_thread(dead.stop))


async def test_those_who_were_dead_hold_few_places_when_all_is_due_again() -> None:
    telling = Telling(pace=replace(PACE, at_once=16))
    with hosts("127.0.0.1", *(f"127.0.0.{number}" for number in range(2, 9))) as (well, *dead):
        for number, each in enumerate(dead):
            await telling.put(each.on("/told", reset(), silent()), number)
        await telling.sender.round()
        telling.clock.advance(seconds=2)
        for number in range(20, 60):
            await telling.put(well.on("/told", OK), number)
        await telling.sender.start()
        await until(lambda: len(well.requests) == 40)
        await until(lambda: sum(len(each.requests) for each in dead) >= len(dead) + 4)
        assert sum(len(each.requests) for each in dead) == len(dead) + 4
        for each in dead:
            each.otherwise(OK)
        await asyncio.gather(telling.close(), *(asyncio.to_thread(each.stop) for each in dead))


async def test_many_are_told_at_once_and_no_more_than_may_be(host: MediaHost, telling: Telling) -> None:
    is_open = False
    most = 0

    def gate() -> bool:
        nonlocal most
        most = most if is_open else max(most, len(host.requests))
        return is_open

    # An origin that is known to answer has two of eight places.
    await telling.put(host.on("/first", OK), 99)
    await telling.sender.round()
    for number in range(20):
        await telling.put(host.on("/told", gated(gate, OK)), number)
    round_ = asyncio.create_task(telling.sender.round())
    await until(lambda: len(host.requests) == 3)
    is_open = True
    await round_
    assert (most, len(host.requests)) == (3, 21)


async def test_a_private_address_is_refused_and_its_owner_is_not_told_what_is_there(
    host: MediaHost, caplog: pytest.LogCaptureFixture
) -> None:
    telling = Telling(allowed="", names=Names({"inside.test": [["127.0.0.1"]]}))
    await telling.put(host.on("/told", OK), 1)
    await telling.put(f"http://inside.test:{host.port}/told", 2)
    with caplog.at_level(logging.INFO):
        await telling.sender.round()
    assert host.contacts == 0
    for number in (1, 2):
        (tried,) = (await telling.log(number))[0].tries
        assert tried.fault == "The address is not one that this server may contact."
    assert "127.0.0.1 is refused (loopback; the setting callback_networks can allow it)" in caplog.text
    await telling.close()


async def test_a_name_that_comes_to_mean_a_private_address_is_refused_from_then_on() -> None:
    with hosts("127.0.0.9", "127.0.0.1") as (public, private):
        public.on("/told", OK)
        moving = f"http://moving.test:{public.port}/told"
        names = Names({"moving.test": [["127.0.0.9"], ["127.0.0.1"]]})
        telling = Telling(allowed="127.0.0.9", names=names)
        await telling.put(moving)
        await telling.sender.round()
        await telling.claim()
        await telling.sender.round()
        assert ([asked.path for asked in public.requests], private.contacts) == (["/told"], 0)
        states = [delivery.state for delivery in await telling.log()]
        assert states == [DeliveryState.DELIVERED, DeliveryState.PENDING]
        await telling.close()


async def test_two_servers_over_one_store_tell_each_change_once(host: MediaHost) -> None:
    first = Telling()
    second = Telling(store=first.store, clock=first.clock)
    for number in range(60):
        await first.put(host.on(f"/told-{number}", OK), number)
    await asyncio.gather(first.sender.round(), second.sender.round())
    assert sorted(asked.path for asked in host.requests) == sorted(f"/told-{number}" for number in range(60))
    await first.close()
    await second.close()


async def test_what_a_server_took_and_never_settled_is_told_by_another(host: MediaHost, telling: Telling) -> None:
    await telling.put(host.on("/told", OK))
    now = telling.clock.now()
    (lost,) = await telling.store.callbacks.take_due(now, now.replace(year=now.year + 1), 1)
    await telling.sender.round()
    assert host.requests == []
    telling.clock.advance(days=366)
    await telling.sender.round()
    assert [asked.headers["webhook-id"] for asked in host.requests] == [lost.id]


async def test_it_is_told_as_soon_as_it_is_heard_of(host: MediaHost, telling: Telling) -> None:
    telling.store.listen(telling.sender.wake)
    await telling.sender.start()
    await telling.put(host.on("/told", OK))
    await until(lambda: len(host.requests) == 1)
    await telling.succeed()
    await until(lambda: len(host.requests) == 3)


async def test_it_is_told_also_when_nobody_heard_of_it(host: MediaHost) -> None:
    telling = Telling(pace=replace(PACE, poll_interval_s=0.05))
    await telling.sender.start()
    await telling.put(host.on("/told", OK))
    await until(lambda: len(host.requests) == 1)
    await telling.close()


async def test_a_clock_that_is_set_back_puts_nothing_off(host: MediaHost, telling: Telling) -> None:
    await telling.put(host.on("/told", OK))
    telling.clock.advance(hours=-1)
    await telling.sender.round()
    assert len(host.requests) == 1


async def test_what_is_under_way_when_the_server_stops_is_due_again_at_once(host: MediaHost) -> None:
    telling = Telling(pace=WAITS)
    await telling.put(host.on("/told", silent()))
    await telling.sender.start()
    await until(lambda: len(host.requests) == 1)
    await telling.close()
    (delivery,) = await telling.log()
    assert (delivery.state, delivery.due_at) == (DeliveryState.PENDING, telling.clock.now())
    assert delivery.tries[0].fault == "The server stopped before an answer came."


async def test_a_server_that_stops_waits_for_answers_and_takes_no_more(host: MediaHost, telling: Telling) -> None:
    is_open = False
    url = host.on("/told", gated(lambda: is_open, OK))
    await telling.put(url)
    await telling.sender.start()
    await until(lambda: len(host.requests) == 1)
    closing = asyncio.create_task(telling.close())
    await until(lambda: telling.sender._loop is not None and telling.sender._loop.done())
    await telling.put(url, 2)
    is_open = True
    await closing
    assert (await telling.log())[0].state is DeliveryState.DELIVERED
    assert len(host.requests) == 1
    assert (await telling.log(2))[0].state is DeliveryState.PENDING


async def test_one_that_cannot_be_written_stops_no_other(host: MediaHost, caplog: pytest.LogCaptureFixture) -> None:
    def encode(callback: Callback) -> bytes:
        if callback.task.id == sample_task(1).id:
            raise KeyError("a bug")
        return b"{}"

    telling = Telling(encode=encode)
    for number in (1, 2):
        await telling.put(host.on(f"/{number}", OK), number)
    await telling.sender.round()
    assert [asked.path for asked in host.requests] == ["/2"]
    assert (await telling.log())[0].tries[0].fault == "The server could not send it."
    assert "a bug" in caplog.text
    await telling.close()


async def test_a_store_that_is_away_for_a_moment_loses_no_settlement(
    host: MediaHost, telling: Telling, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle, away = telling.store.callbacks.settle, 2

    async def settle_late(*given: object, **said: object) -> bool:
        nonlocal away
        away -= 1
        if away >= 0:
            raise Unavailable(Violation("ServiceUnavailable", "", "The database is away."))
        return await settle(*given, **said)

    monkeypatch.setattr(telling.sender._at.store, "settle", settle_late)
    monkeypatch.setattr("understudy.service.callbacks.SETTLE_PAUSES_S", (0.0, 0.0))
    await telling.put(host.on("/told", OK))
    await telling.sender.round()
    assert (await telling.log())[0].state is DeliveryState.DELIVERED


async def test_what_is_told_again_by_hand_has_the_same_id(host: MediaHost, telling: Telling) -> None:
    task = await telling.put(host.on("/told", OK))
    await telling.sender.round()
    assert await telling.store.callbacks.resend(OWNER, task.id, None, now=telling.clock.now()) == 1
    await telling.sender.round()
    assert [asked.headers["webhook-id"] for asked in host.requests] == [f"{task.id}-1"] * 2
    assert (await telling.log())[0].tried == 2


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://client.example/done?token=1#x", "https://client.example/done"),
        ("http://user:word@client.example:8080?token", "http://client.example:8080"),
        ("https://client.example/\r\nforged line", "https://client.example/\\r\\nforged line"),
        ("https://client.example/" + "a" * 500, "https://client.example/" + "a" * 177),
    ],
)
def test_what_is_logged_of_an_address_holds_no_secret(url: str, place: str) -> None:
    assert place_of(url) == place


def test_the_states_that_are_told_are_those_of_the_vendor() -> None:
    assert {each.value for each in Status} - {"cancelled"} == {"queued", "running", "succeeded", "failed", "expired"}
