"""A PostgreSQL server that goes away, or answers too late: every call is told, nothing hangs, and all comes back."""

import asyncio
import os
import signal
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import asyncpg
import pytest

from postgres_server import own_server
from understudy.core.errors import Unavailable
from understudy.core.queueing import Admission, Idempotency, Replayed
from understudy.storage import postgres_admission, postgres_link
from understudy.storage.postgres_opening import open_postgres
from understudy.testing.samples import EXPIRY, LEASE_END, NOW, hold_of, sample_task, success_of
from understudy.testing.store_cancelling import Listener
from understudy.testing.store_steps import EVER, LATER, OWNER, TARGET, page_of, put

pytestmark = pytest.mark.full

PATIENCE_S = 60.0


class Proxy:
    """Stands between the store and the server, on a socket of its own, and can fail in some ways.

    drops: answers are not passed on, and the connection is closed. swallows: nothing is passed on, and nobody is told.
    """

    def __init__(self, folder, url):
        self._folder = folder
        self._target = Path(parse_qs(urlsplit(url).query)["host"][0]) / ".s.PGSQL.5432"
        self._database = urlsplit(url).path.strip("/")
        self._passing = set()
        self.drops = self.swallows = False
        self.dropped = asyncio.Event()

    @property
    def url(self):
        return f"postgresql://postgres@/{self._database}?host={quote(str(self._folder), safe='')}"

    @asynccontextmanager
    async def open(self):
        server = await asyncio.start_unix_server(self._accept, self._folder / ".s.PGSQL.5432")
        try:
            yield self
        finally:
            server.close()
            for task in self._passing:
                task.cancel()
            await asyncio.gather(*self._passing, return_exceptions=True)

    async def _accept(self, reader, writer):
        there_reader, there_writer = await asyncio.open_unix_connection(self._target)
        for step in (self._ask(reader, there_writer), self._answer(there_reader, writer, there_writer)):
            self._passing.add(asyncio.ensure_future(step))

    async def _ask(self, reader, there):
        with suppress(OSError):
            while data := await reader.read(65536):
                if not self.swallows:
                    there.write(data)
        there.close()

    async def _answer(self, reader, here, there):
        with suppress(OSError):
            while data := await reader.read(65536):
                if self.drops:
                    self.dropped.set()
                    break
                if not self.swallows:
                    here.write(data)
        here.close()
        there.close()


@asynccontextmanager
async def opened(url, **how):
    store = await open_postgres(url, **{"is_clock_ours": True, **how})
    try:
        yield store
    finally:
        await store.close()


async def until(step):
    """Repeat a step until it is not refused any more; gives what it gave."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with suppress(Unavailable):
                return await step()
            await asyncio.sleep(0)


@pytest.fixture(scope="module")
def server():
    with own_server() as running:
        yield running


@pytest.mark.parametrize("end", [signal.SIGQUIT, signal.SIGINT, signal.SIGKILL])
async def test_a_server_that_was_ended_serves_again_once_it_is_back(server, end):
    name = server.new_database()
    async with opened(server.url(name)) as store:
        heard = Listener()
        store.listen(heard)
        await put(store, sample_task(1), sample_task(2))
        claim = await store.claim("worker-1", NOW, EXPIRY)
        server.stop(end)
        for step in (
            lambda: put(store, sample_task(3)),
            lambda: store.get(OWNER, sample_task(1).id),
            lambda: page_of(store),
            lambda: store.claim("worker-1", NOW, EXPIRY),
            lambda: store.heartbeat(claim, 0.5, EXPIRY),
            lambda: store.finish(claim, success_of(claim), LATER),
            lambda: store.withdraw(OWNER, sample_task(2).id, LATER),
            lambda: store.expire(LATER),
            lambda: store.purge(created_before=EVER, cancelled_before=EVER),
            lambda: store.ledger(claim.task.id),
            store.keys,
            store.lanes,
            lambda: store.callbacks.take_due(LATER, EXPIRY, 1),
            lambda: store.media.reserve("0" * 64, EXPIRY),
            lambda: store.assets.processing(1),
        ):
            with pytest.raises(Unavailable):
                await step()
        server.start()
        assert (await until(lambda: store.get(OWNER, sample_task(1).id))).id == sample_task(1).id
        assert await until(lambda: store.finish(claim, success_of(claim), LATER)) is True
        await until(lambda: put(store, sample_task(3)))
        # Whoever waits for a change is told to look everywhere: some were not heard.
        while None not in heard._told:
            heard._more.clear()
            await asyncio.wait_for(heard._more.wait(), PATIENCE_S)


async def test_nothing_that_was_acknowledged_is_lost_when_the_server_is_killed(server):
    name = server.new_database()
    acknowledged = []
    async with opened(server.url(name)) as store:
        numbers = iter(range(100_000))

        async def create():
            with suppress(Unavailable):
                for number in numbers:
                    await put(store, sample_task(number))
                    acknowledged.append(number)
                    if len(acknowledged) == 300:
                        os.kill(server._process.pid, signal.SIGQUIT)

        await asyncio.gather(*(create() for _ in range(16)))
        server.stop(signal.SIGQUIT)
        server.start()
        for number in acknowledged:
            task_id = sample_task(number).id
            assert await until(lambda task_id=task_id: store.get(OWNER, task_id)) is not None
            assert len(await store.ledger(task_id)) == 1


async def test_whether_a_task_was_stored_is_found_out_when_the_answer_is_lost(postgres_url, tmp_path_factory):
    folder = tmp_path_factory.mktemp("p")
    async with Proxy(folder, postgres_url).open() as proxy, opened(proxy.url) as store:
        await put(store, sample_task(0))
        tasks = [sample_task(number) for number in range(1, 4)]
        proxy.drops = True
        inserts = [asyncio.ensure_future(put(store, task)) for task in tasks]
        await asyncio.wait_for(proxy.dropped.wait(), PATIENCE_S)
        proxy.drops = False
        await asyncio.wait_for(asyncio.gather(*inserts), PATIENCE_S)
        assert [await store.get(OWNER, task.id) for task in tasks] == tasks
        assert [len(await store.ledger(task.id)) for task in tasks] == [1, 1, 1]


async def test_who_never_got_the_answer_is_told_so_and_can_ask_again(postgres_url, tmp_path_factory, monkeypatch):
    monkeypatch.setattr(postgres_admission, "FIND_OUT_S", 0.3)
    folder = tmp_path_factory.mktemp("p")
    async with Proxy(folder, postgres_url).open() as proxy, opened(proxy.url) as store:
        await put(store, sample_task(0))
        task = sample_task(1)
        admission = Admission(idempotency=Idempotency(key="one", fingerprint=b"\1" * 32), callback=TARGET)
        proxy.drops = True
        with pytest.raises(Unavailable):
            await store.insert(task, hold_of(task), admission)
        proxy.drops = False
        # It was stored, or not: its key says which, and no second task is made of it.
        with suppress(Replayed):
            await until(lambda: store.insert(task, hold_of(task), admission))
        with pytest.raises(Replayed):
            await store.insert(sample_task(2), hold_of(sample_task(2)), admission)
        assert await store.get(OWNER, task.id) == task
        assert len(await store.ledger(task.id)) == 1


async def test_a_server_that_swallows_everything_is_given_up(postgres_url, tmp_path_factory, monkeypatch):
    monkeypatch.setattr(postgres_admission, "FIND_OUT_S", 0.3)
    for bound in ("ANSWER_S", "ACQUIRE_S", "CONNECT_S", "CLOSE_S"):
        monkeypatch.setattr(postgres_link, bound, 0.3)
    folder = tmp_path_factory.mktemp("p")
    async with Proxy(folder, postgres_url).open() as proxy, opened(proxy.url) as store:
        await put(store, sample_task(1))
        proxy.swallows = True
        async with asyncio.timeout(PATIENCE_S):
            steps = [lambda: store.get(OWNER, sample_task(1).id), lambda: put(store, sample_task(2)), store.keys] * 5
            answers = await asyncio.gather(*(step() for step in steps), return_exceptions=True)
            assert {type(answer) for answer in answers} == {Unavailable}
        proxy.swallows = False
        assert await until(lambda: store.get(OWNER, sample_task(1).id)) is not None


async def test_a_statement_that_waits_too_long_is_given_up_and_its_neighbours_are_not(postgres_url, monkeypatch):
    monkeypatch.setitem(postgres_link._SESSION, "statement_timeout", "300")
    async with opened(postgres_url) as store:
        await put(store, sample_task(1))
        other = await asyncpg.connect(postgres_url)
        async with other.transaction():
            await other.execute("LOCK TABLE api_key IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(Unavailable):
                await store.keys()
            assert await store.get(OWNER, sample_task(1).id) is not None
        await other.close()
        assert list(await store.keys()) == []


async def test_too_many_who_wait_are_refused_and_the_others_are_served(postgres_url):
    async with opened(postgres_url, waiting_max=40) as store:
        tasks = [sample_task(number) for number in range(100)]
        answers = await asyncio.gather(*(store.insert(each, hold_of(each)) for each in tasks), return_exceptions=True)
        assert answers.count(None) == 40
        assert {type(answer) for answer in answers} == {type(None), Unavailable}
        await put(store, sample_task(200))
        assert (await page_of(store)).total == 41


async def test_a_call_that_was_given_up_leaves_a_store_that_serves(postgres_url):
    async with opened(postgres_url, connections=2) as store:
        await put(store, *map(sample_task, range(50)))
        for _ in range(20):
            steps = [
                asyncio.ensure_future(step)
                for step in (
                    store.claim("worker-1", NOW, LEASE_END),
                    page_of(store),
                    store.get(OWNER, sample_task(1).id),
                    store.expire(NOW),
                )
            ]
            await asyncio.sleep(0)
            for step in steps:
                step.cancel()
            await asyncio.gather(*steps, return_exceptions=True)
        assert (await page_of(store)).total == 50
        assert await store.claim("worker-1", LEASE_END + timedelta(seconds=1), EXPIRY) is not None


async def test_a_closed_store_refuses_everything(postgres_url):
    store = await open_postgres(postgres_url)
    await store.close()
    for step in (
        lambda: put(store, sample_task(1)),
        lambda: store.get(OWNER, "a"),
        store.keys,
        lambda: store.media.reserve("0" * 64, EXPIRY),
        lambda: store.assets.processing(1),
        store.callbacks.next_due,
    ):
        with pytest.raises(Unavailable):
            await step()
