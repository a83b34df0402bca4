"""Several servers over one PostgreSQL database: what one does the others see, and bounds hold across all of them."""

import asyncio
import random
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from understudy.core.errors import Unavailable
from understudy.core.ports import IdTaken
from understudy.core.queueing import Admission, Idempotency, QueueFull, Replayed
from understudy.core.task import ENDED, Status
from understudy.storage import postgres_callbacks
from understudy.storage.postgres_opening import open_postgres
from understudy.storage.postgres_statements import CLOCK
from understudy.testing.media_stores import Stores, sample_sha256, task_with_media
from understudy.testing.samples import EXPIRY, LEASE_END, NOW, failure_of, hold_of, sample_task, success_of
from understudy.testing.store_cancelling import Listener
from understudy.testing.store_steps import LATER, OWNER, TARGET, lane_of, put, put_told, read

PATIENCE_S = 60.0
TIMES = 150
HOUR = timedelta(hours=1)


@asynccontextmanager
async def servers(url, number, **how):
    """Open the database so many times, as so many processes would."""
    async with AsyncExitStack() as stack:
        opened = []
        for _ in range(number):
            store = await open_postgres(url, **{"connections": 4, "is_clock_ours": True, **how})
            stack.push_async_callback(store.close)
            opened.append(store)
        yield opened


async def test_no_more_of_a_key_run_than_may_however_many_servers_claim_at_once(emptied_postgres_url):
    async with servers(emptied_postgres_url, 5) as stores:
        await put(stores[0], *(sample_task(number, key_id=f"key-{number % 2}") for number in range(40)))
        claims = await asyncio.gather(
            *(store.claim(f"worker-{each}", NOW, LEASE_END, concurrency=3) for each in range(4) for store in stores)
        )
        given = [claim.task for claim in claims if claim is not None]
        assert Counter(task.key_id for task in given) == {"key-0": 3, "key-1": 3}
        assert len({task.id for task in given}) == 6
        await stores[0].finish(next(filter(None, claims)), success_of(next(filter(None, claims))), LATER)
        more = await asyncio.gather(*(store.claim("worker", NOW, LEASE_END, concurrency=3) for store in stores))
        assert sum(claim is not None for claim in more) == 1


async def test_each_task_is_claimed_once_by_all_servers_together(emptied_postgres_url):
    async with servers(emptied_postgres_url, 3) as stores:
        await put(stores[0], *(sample_task(number, key_id=f"key-{number % 4}") for number in range(60)))
        claimed = []

        async def work(store):
            while claim := await store.claim("worker", NOW, LEASE_END):
                claimed.append(claim.task.id)

        await asyncio.gather(*(work(store) for store in stores for _ in range(3)))
        assert sorted(claimed) == [sample_task(number).id for number in range(60)]


async def test_a_change_at_one_server_is_told_at_another(emptied_postgres_url):
    async with servers(emptied_postgres_url, 2) as (here, there):
        heard = Listener()
        there.listen(heard)
        number = 0
        # Listening begins when the connection is there; until then a change may not be heard.
        async with asyncio.timeout(PATIENCE_S):
            while not heard._told:
                await put(here, sample_task(number))
                number += 1
                await asyncio.wait([asyncio.ensure_future(heard._more.wait())], timeout=0.05)
        await heard.hears()
        ids = [sample_task(each).id for each in range(1000, 2500)]
        await put(here, *(sample_task(each) for each in range(1000, 2500)))
        await heard.hears(*ids)
        claim = await here.claim("worker", NOW, LEASE_END)
        await heard.hears(claim.task.id)
        await here.finish(claim, failure_of(claim), LATER)
        await heard.hears(claim.task.id)
        assert (await read(there, claim.task.id)).status is Status.FAILED


async def test_one_idempotency_key_makes_one_task_at_all_servers_together(emptied_postgres_url):
    async with servers(emptied_postgres_url, 4) as stores:
        admission = Admission(idempotency=Idempotency(key="one", fingerprint=b"\1" * 32), queued_most=1)
        tasks = [sample_task(number) for number in range(40)]
        inserts = (stores[at % 4].insert(task, hold_of(task), admission) for at, task in enumerate(tasks))
        answers = await asyncio.gather(*inserts, return_exceptions=True)
        made = answers.index(None)
        assert Counter(type(answer) for answer in answers) == {type(None): 1, Replayed: 39}
        assert {answer.earlier.task_id for answer in answers if answer} == {tasks[made].id}


async def test_no_more_wait_than_may_at_all_servers_together(emptied_postgres_url):
    async with servers(emptied_postgres_url, 4) as stores:
        # The lane is there: making it would have them wait for each other as well.
        await put(stores[0], sample_task(99, key_id="key-a"))
        tasks = [sample_task(number, key_id="key-a") for number in range(60)]
        inserts = (
            stores[at % 4].insert(task, hold_of(task), Admission(queued_most=7)) for at, task in enumerate(tasks)
        )
        answers = await asyncio.gather(*inserts, return_exceptions=True)
        assert Counter(type(answer) for answer in answers) == {type(None): 6, QueueFull: 54}
        assert await lane_of(stores[0], "key-a") == (7, 0)


async def test_an_id_that_is_taken_takes_nobodys_place(emptied_postgres_url):
    async with servers(emptied_postgres_url, 1) as (store,):
        await put(store, sample_task(0))
        inserts = (store.insert(each, hold_of(each), Admission(queued_most=2)) for each in map(sample_task, range(2)))
        answers = await asyncio.gather(*inserts, return_exceptions=True)
        assert [type(answer) for answer in answers] == [IdTaken, type(None)]


async def test_an_id_is_used_once_at_all_servers_together(emptied_postgres_url):
    async with servers(emptied_postgres_url, 4) as stores:
        tasks = [sample_task(number % 5, key_id=f"key-{number}") for number in range(40)]
        inserts = (
            stores[at % 4].insert(task, hold_of(task), Admission(queued_most=9, callback=TARGET))
            for at, task in enumerate(tasks)
        )
        answers = await asyncio.gather(*inserts, return_exceptions=True)
        assert Counter(type(answer) for answer in answers) == {type(None): 5, IdTaken: 35}
        assert len(await stores[0].callbacks.take_due(LATER, EXPIRY, 100)) == 5


async def test_a_lease_is_measured_by_the_clock_of_the_database(emptied_postgres_url):
    async with servers(emptied_postgres_url, 2, is_clock_ours=False) as (here, there):
        await put(here, sample_task(1, expires_at=datetime.now(UTC) + 10 * 365 * 24 * HOUR))
        claim = await here.claim("worker-1", NOW, NOW + HOUR)
        # A machine whose clock is a year ahead takes nothing, and keeps nothing from anybody.
        ahead = datetime.now(UTC) + 365 * 24 * HOUR
        assert await there.claim("worker-2", ahead, ahead + HOUR) is None
        assert await here.heartbeat(claim, 0.5, NOW) is True
        assert await there.claim("worker-2", ahead, ahead + HOUR) is None
        assert await there.hand_back(claim, NOW) is True
        again = await there.claim("worker-2", ahead, ahead)
        assert again.token == 2
        assert await here.claim("worker-1", NOW, NOW + HOUR) is not None, "a lease of no length has lapsed"


async def test_a_lease_is_whole_however_long_its_claim_had_to_wait(emptied_postgres_url):
    connection = await asyncpg.connect(emptied_postgres_url)
    async with servers(emptied_postgres_url, 1, is_clock_ours=False) as (store,):
        await put(store, sample_task(1, expires_at=datetime.now(UTC) + HOUR))
        async with asyncio.timeout(PATIENCE_S):
            transaction = connection.transaction()
            await transaction.start()
            await connection.execute("SELECT 1 FROM lane FOR UPDATE")
            claiming = asyncio.create_task(store.claim("worker", NOW, NOW + HOUR))
            while not await connection.fetchval("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):
                pass
            waited_until = await connection.fetchval(f"SELECT {CLOCK}")
            await transaction.rollback()
            assert await claiming is not None
        lease_until = await connection.fetchval("SELECT lease_until FROM task")
        assert lease_until >= waited_until + HOUR // timedelta(microseconds=1)
    await connection.close()


async def test_a_clock_that_is_ahead_expires_nothing_and_takes_over_no_duty(emptied_postgres_url):
    async with servers(emptied_postgres_url, 2, is_clock_ours=False) as (here, there):
        soon = datetime.now(UTC) + HOUR
        await put(here, sample_task(1, expires_at=soon), sample_task(2, expires_at=NOW - HOUR))
        assert list(await there.expire(soon + HOUR)) == [sample_task(2).id]
        assert await here.lead("reaper", "server-1", soon, soon + HOUR) is True
        assert await there.lead("reaper", "server-2", soon + 2 * HOUR, soon + 3 * HOUR) is False
        assert await here.lead("reaper", "server-1", NOW, NOW) is True
        assert await there.lead("reaper", "server-2", NOW, NOW + HOUR) is True


async def test_what_a_clock_that_is_ahead_changed_is_told_at_once(emptied_postgres_url):
    async with servers(emptied_postgres_url, 1, is_clock_ours=False) as (store,):
        ahead = datetime.now(UTC) + HOUR
        await put_told(store, sample_task(1, created_at=ahead, updated_at=ahead, expires_at=ahead + HOUR))
        due_at = await store.callbacks.next_due()
        assert due_at is not None
        assert due_at < ahead - HOUR / 2


async def test_a_value_is_the_same_at_all_servers(emptied_postgres_url):
    async with servers(emptied_postgres_url, 3) as stores:
        values = await asyncio.gather(*(store.kept("name", lambda at=at: f"v{at}") for at, store in enumerate(stores)))
        assert len(set(values)) == 1
        assert await stores[0].kept("name", lambda: "later") == values[0]
        assert await stores[0].kept("other", lambda: "other") == "other"


async def test_origins_without_number_have_their_turn_a_part_at_a_time(emptied_postgres_url, monkeypatch):
    few = postgres_callbacks.ORIGINS.replace(f"LIMIT {postgres_callbacks.ORIGINS_MOST}", "LIMIT 4")
    monkeypatch.setattr(postgres_callbacks, "ORIGINS", few)
    monkeypatch.setattr(postgres_callbacks, "ORIGINS_MOST", 4)
    async with servers(emptied_postgres_url, 1) as (store,):
        for number in range(10):
            await put_told(store, sample_task(number), url=f"https://host-{number}.example/" if number else "nowhere")
        told = [len(await store.callbacks.take_due(LATER, EXPIRY, 100)) for _ in range(6)]
        assert sum(told) == 10
        assert max(told) <= 4


class Crowd:
    """Does everything to a store that servers do, in an order drawn by chance."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.media = [sample_sha256(number) for number in range(4)]
        self.answers = Counter()
        self._numbers = iter(range(100_000))

    async def tried(self, step):
        try:
            return await step
        except (IdTaken, QueueFull, Replayed) as refusal:
            self.answers[type(refusal).__name__] += 1
        except Unavailable as refusal:
            self.answers[str(refusal)] += 1
        return None

    async def create(self, store, times):
        chance = self.chance
        for _ in range(times):
            number = next(self._numbers)
            task = task_with_media(number, *chance.sample(self.media, chance.randrange(3)))
            expires_at = LATER + timedelta(milliseconds=chance.randrange(2000))
            task = replace(task, key_id=f"key-{chance.randrange(3)}", expires_at=expires_at)
            kept = Idempotency(key=f"i{number - chance.randrange(2)}", fingerprint=b"\1" * 32)
            admission = Admission(
                queued_most=chance.choice([None, 40]),
                callback=chance.choice([None, TARGET]),
                idempotency=chance.choice([None, kept]),
            )
            await self.tried(store.insert(task, hold_of(task), admission))

    async def work(self, store, times):
        for _ in range(times):
            claim = await self.tried(store.claim("worker", NOW, LEASE_END, concurrency=4))
            if claim is None or self.chance.random() < 0.1:
                continue
            if self.chance.random() < 0.3:
                await self.tried(store.hand_back(claim, LATER))
            else:
                outcome = self.chance.choice([success_of, failure_of])(claim)
                await self.tried(store.finish(claim, outcome, LATER))

    async def withdraw(self, store, times):
        for _ in range(times):
            task_id = sample_task(self.chance.randrange(5 * times)).id
            await self.tried(self.chance.choice([store.withdraw, store.cancel])(OWNER, task_id, LATER))

    async def clear(self, store, times):
        for step in range(times // 4):
            await self.tried(store.expire(LATER + timedelta(seconds=8 * step / times)))
            await self.tried(store.purge(created_before=LATER, cancelled_before=LATER))
            await self.tried(store.callbacks.take_due(LATER, LATER, 10))
            await self.tried(store.callbacks.forget_told(LATER, 10))


@pytest.mark.full
async def test_everything_at_once_ends_without_a_deadlock_and_with_exact_counts(postgres, postgres_url):
    crowd = Crowd(seed=11)
    async with servers(postgres_url, 3) as stores, asyncio.timeout(3 * PATIENCE_S):
        for name in crowd.media:
            await Stores(media=stores[0].media, tasks=stores[0]).bring(name, until=EXPIRY)
        every = (crowd.create, crowd.create, crowd.work, crowd.work, crowd.withdraw, crowd.clear)
        await asyncio.gather(*(step(store, TIMES) for store in stores for step in every))
    assert not [answer for answer in crowd.answers if "storage" in answer], crowd.answers
    assert crowd.answers["QueueFull"]
    assert crowd.answers["Replayed"]

    def rows(statement):
        return sorted(postgres.sql(statement, postgres_url.rpartition("/")[2].partition("?")[0]))

    counted = rows("SELECT key_id, engine, queued, running FROM lane WHERE queued > 0 OR running > 0")
    live = rows(
        "SELECT key_id, engine, count(*) FILTER (WHERE status = 'queued'), count(*) FILTER (WHERE status = 'running')"
        " FROM task WHERE status IN ('queued', 'running') GROUP BY key_id, engine"
    )
    assert counted == live
    used = rows("SELECT sha256, count(*) FROM medium_use GROUP BY sha256")
    assert rows("SELECT sha256, uses FROM medium WHERE uses > 0") == used
    tallied = rows("SELECT sum(queued + running), sum(succeeded), sum(cancelled) FROM task_tally WHERE level = 22")
    assert tallied == rows(
        "SELECT count(*) FILTER (WHERE status IN ('queued', 'running')), count(*) FILTER (WHERE status = 'succeeded'),"
        " count(*) FILTER (WHERE status = 'cancelled') FROM task"
    )
    settled = dict(rows("SELECT task_id, count(*) FROM ledger GROUP BY task_id"))
    for task_id, status in rows("SELECT id, status FROM task"):
        assert settled[task_id] == (2 if Status(status) in ENDED else 1)
