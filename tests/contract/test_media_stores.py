"""Every media store passes the public suite, beside its task store, and the suite finds each planted bug."""

import inspect
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from understudy.core.media import Reservation, Reserved
from understudy.storage import media_uses, migrations, sqlite_media
from understudy.storage.memory import MemoryTaskStore
from understudy.storage.memory_media import MemoryMediaStore
from understudy.storage.sqlite import SqliteTaskStore
from understudy.testing.media_stores import MediaStoreConformance, Stores


class TestMemoryMediaStore(MediaStoreConformance):
    @asynccontextmanager
    async def opened(self, folder):
        tasks = MemoryTaskStore()
        yield Stores(media=tasks.media, tasks=tasks)


class TestSqliteMediaStore(MediaStoreConformance):
    @asynccontextmanager
    async def opened(self, folder):
        tasks = SqliteTaskStore(folder / "understudy.db")
        yield Stores(media=tasks.media, tasks=tasks)
        await tasks.close()


class ShortensReservations(MemoryMediaStore):
    async def reserve(self, sha256, until):
        answer = await super().reserve(sha256, until)
        if answer.what is not Reservation.LEAVING:
            self._media[sha256] = replace(self._media[sha256], needed_until=until)
        return answer


class ReservesWhatLeaves(MemoryMediaStore):
    async def reserve(self, sha256, until):
        answer = await super().reserve(sha256, until)
        if answer.what is not Reservation.LEAVING:
            return answer
        return Reserved(what=Reservation.KNOWN, facts=self._media[sha256].facts)


class ForgetsWhatItTook(MemoryMediaStore):
    async def take_unused(self, now, most):
        taken = await super().take_unused(now, most)
        for sha256 in taken:
            await self.left(sha256)
        return taken


class TakesTheSameAgain(MemoryMediaStore):
    async def take_unused(self, now, most):
        before = {sha256: found.needed_until for sha256, found in self._media.items()}
        taken = await super().take_unused(now, most)
        for sha256 in taken:
            self._media[sha256] = replace(self._media[sha256], needed_until=before[sha256])
        return taken


class LosesWhatWasCutOff(MemoryMediaStore):
    async def coming(self, sha256, key):
        return self._media[sha256].record


class TakesAnyRecord(MemoryMediaStore):
    async def arrived(self, sha256, key, facts, *, record):
        found = self._media.get(sha256)
        await super().arrived(sha256, key, facts, record=found.record if found else record)


class ForgetsWhatCameBack(MemoryMediaStore):
    async def left(self, sha256):
        self._media.pop(sha256, None)


class UsesWhatComes(MemoryMediaStore):
    def _is_whole(self, sha256):
        return sha256 in self._media


class CountsNoUses(MemoryMediaStore):
    def use(self, sha256s, user):
        super().use(sha256s, user)
        self._uses.clear()


class NeverLetsGo(MemoryMediaStore):
    def unuse(self, user):
        pass


class KeepsOneUser(MemoryMediaStore):
    def unuse(self, user):
        for sha256 in self._used_by.pop(user, ()):
            del self._uses[sha256]


class ForgetsFilms(MemoryMediaStore):
    async def remember_film(self, sha256):
        pass


BROKEN_STORES = {
    ShortensReservations: "media_stay_as_long_as_the_longest_reservation[first]",
    ReservesWhatLeaves: "media_that_leave_are_reserved_by_nobody_until_they_have_left",
    ForgetsWhatItTook: "media_that_were_taken_and_never_left_are_taken_again",
    TakesTheSameAgain: "no_more_media_are_taken_than_was_asked_and_each_has_its_turn",
    TakesAnyRecord: "bytes_that_were_removed_do_not_arrive_for_another[coming]",
    LosesWhatWasCutOff: "bytes_whose_storing_was_cut_off_are_removed",
    ForgetsWhatCameBack: "bytes_that_come_back_while_they_leave_are_removed_once_more",
    UsesWhatComes: "a_task_whose_media_are_not_there_is_refused_and_leaves_nothing[leaving]",
    CountsNoUses: "a_task_keeps_its_media_until_its_record_is_withdrawn",
    NeverLetsGo: "an_old_task_keeps_its_media_until_its_record_is_purged",
    KeepsOneUser: "media_stay_as_long_as_any_task_needs_them",
    ForgetsFilms: "own_films_are_remembered",
}

BROKEN_STATEMENTS = [
    ("RESERVE", "max(needed_until, excluded.needed_until)", "excluded.needed_until", "[first]"),
    (
        "RESERVE",
        "WHERE state IN ('arriving', 'whole')",
        "",
        "media_that_leave_are_reserved_by_nobody_until_they_have_left",
    ),
    ("COMING", "coalesce(key, ?2)", "nullif(?2, ?2)", "bytes_whose_storing_was_cut_off_are_removed"),
    (
        "COMING",
        "AND state IN ('arriving', 'whole')",
        "",
        "bytes_do_not_come_once_their_reservation_is_over_and_they_leave",
    ),
    ("ARRIVED", "coalesce(facts, ?2)", "coalesce(?2, facts)", "bytes_that_arrive_again_change_nothing"),
    ("ARRIVED", "'returned'", "'leaving'", "bytes_that_come_back_while_they_leave_are_removed_once_more"),
    ("ARRIVED", "AND record = ?3", "AND ?3 <> 0", "bytes_that_were_removed_do_not_arrive_for_another[coming]"),
    ("CAME_TOO_LATE", "'leaving'", "'arriving'", "bytes_that_arrive_after_they_were_removed_are_removed_once_more"),
    (
        "CAME_TOO_LATE",
        "coalesce(key, excluded.key)",
        "key",
        "bytes_that_were_removed_do_not_arrive_for_another[reserved]",
    ),
    ("TAKE_UNUSED", "needed_until <= :now", "needed_until < :now", "media_stay_until_their_reservation_ends"),
    ("TAKE_UNUSED", "LIMIT :most", "LIMIT :most + 1", "no_more_media_are_taken_than_was_asked_and_each_has_its_turn"),
    (
        "TAKE_UNUSED",
        "ORDER BY needed_until, sha256",
        "ORDER BY sha256",
        "no_more_media_are_taken_than_was_asked_and_each_has_its_turn",
    ),
    ("LEFT", "AND state = 'leaving'", "", "what_never_came_leaves_without_a_trace"),
]

BROKEN_TABLES = [
    (
        "WHEN NOT EXISTS (SELECT 1 FROM medium WHERE sha256 = new.sha256 AND state = 'whole')",
        "WHEN 0",
        "a_task_whose_media_are_not_there_is_refused_and_leaves_nothing[left]",
    ),
    (
        "DELETE FROM medium_use WHERE used_by = 'task:' || old.id;",
        "",
        "a_task_keeps_its_media_until_its_record_is_withdrawn",
    ),
    ("SET uses = uses - 1", "SET uses = 0", "media_stay_as_long_as_any_task_needs_them"),
]


async def finds_fault(suite, test, stores):
    """Run one test of the suite against stores, with the parameter in brackets."""
    name, _, parameter = test.rstrip("]").partition("[")
    step = getattr(suite, f"test_{name}")
    extra = [parameter] if parameter else []
    assert len(inspect.signature(step).parameters) == 1 + len(extra)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        await step(stores, *extra)


@pytest.mark.parametrize("broken", BROKEN_STORES, ids=lambda broken: broken.__name__)
async def test_the_suite_fails_a_broken_store(broken):
    tasks = MemoryTaskStore()
    tasks.media = broken()
    await finds_fault(TestMemoryMediaStore(), BROKEN_STORES[broken], Stores(media=tasks.media, tasks=tasks))


@pytest.mark.parametrize(("statement", "sound", "planted", "test"), BROKEN_STATEMENTS)
async def test_the_suite_fails_a_broken_statement(monkeypatch, tmp_path, statement, sound, planted, test):
    test = test if test[0] != "[" else f"media_stay_as_long_as_the_longest_reservation{test}"
    text = getattr(sqlite_media, statement)
    assert sound in text
    monkeypatch.setattr(sqlite_media, statement, text.replace(sound, planted))
    suite = TestSqliteMediaStore()
    async with suite.opened(tmp_path) as stores:
        await finds_fault(suite, test, stores)


@pytest.mark.parametrize(("sound", "planted", "test"), BROKEN_TABLES)
async def test_the_suite_fails_a_broken_table(monkeypatch, tmp_path, sound, planted, test):
    (broken,) = [step for step in migrations.MIGRATIONS if sound in step.sql]
    steps = [replace(step, sql=step.sql.replace(sound, planted)) for step in migrations.MIGRATIONS]
    assert steps[broken.number - 1] != broken
    monkeypatch.setattr(migrations.migrate, "__defaults__", (tuple(steps),))
    suite = TestSqliteMediaStore()
    async with suite.opened(tmp_path) as stores:
        await finds_fault(suite, test, stores)


def in_one_transaction(store, *steps):
    def run(connection):
        for step in steps:
            step(connection)

    return store._writer.submit(run, refusable=False)


async def test_things_beside_tasks_use_media_in_their_own_transaction(tmp_path):
    suite = TestSqliteMediaStore()
    async with suite.opened(tmp_path) as stores:
        await stores.bring("a", "b")
        user = media_uses.asset_user("o", "1")
        uses = [lambda connection, name=name: media_uses.use(connection, name, user) for name in ("a", "a", "b")]
        await in_one_transaction(stores.tasks, *uses)
        assert await stores.unused() == set()
        await in_one_transaction(stores.tasks, lambda connection: media_uses.unuse(connection, user))
        assert await stores.unused() == {"a", "b"}
