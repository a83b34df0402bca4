"""One page of an owner's tasks and its total, read from PostgreSQL: answers the questions of `listing_steps`."""
# ruff: noqa: S608 (the pieces put together here are constants of this file)

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import asyncpg

from understudy.core.task import Status, TaskFilter, TaskPage
from understudy.storage.lifecycle import is_storable
from understudy.storage.listing_steps import (
    AskCount,
    AskOverdue,
    AskPlace,
    AskTallies,
    AskTasks,
    Buckets,
    Question,
    Span,
    page_steps,
    spans_of,
)
from understudy.storage.postgres_link import Link, Row
from understudy.storage.rows import micros_of, task_of
from understudy.storage.statements import COLUMNS

# A filter that is not set is NULL. Only owner and place choose the index, so one text serves all filters. Both bounds
# are always set and outside: "created since" and "behind this task" are one and the same condition on the index.
_SHOWN = """
    owner = $1 AND (created_at, id) > ($6::bigint, $7::text) AND (created_at, id) < ($8::bigint, $9::text)
    AND (status <> 'cancelled' OR updated_at >= $2::bigint OR archived)
    AND ($3::text IS NULL OR status = $3)
    AND ($4::text IS NULL OR model = $4)
    AND ($5::text IS NULL OR service_tier = $5)
"""

PLACE = "SELECT created_at, id FROM task WHERE id = $1 AND owner = $2"

# Found among those that were cancelled too long ago: they are few, and an owner can have any number. The empty text
# keeps the planner from the owner's index.
OVERDUE = """
SELECT created_at FROM task
WHERE status = 'cancelled' AND NOT archived AND updated_at < $2 AND owner || '' = $1
    AND ($3::text IS NULL OR status = $3)
    AND ($4::text IS NULL OR model = $4) AND ($5::text IS NULL OR service_tier = $5)
"""


@cache
def counting(*, of_ids: bool, is_archive: bool) -> str:
    """Give the statement that counts what a stretch of a listing shows. of_ids: $10 is bound to ids."""
    return f"SELECT count(*) FROM task WHERE {_of(of_ids=of_ids, is_archive=is_archive)}"


@cache
def paging(*, of_ids: bool, is_archive: bool, is_oldest_first: bool) -> str:
    """Give the statement that reads a part of it; what is bound last is how many, and how many before are skipped."""
    order = "created_at, id" if is_oldest_first else "created_at DESC, id DESC"
    last = 11 if of_ids else 10
    shown = _of(of_ids=of_ids, is_archive=is_archive)
    return f"SELECT {COLUMNS} FROM task WHERE {shown} ORDER BY {order} LIMIT ${last} OFFSET ${last + 1}"


@cache
def tallies(status: Status | None, *, is_archive: bool) -> str:
    """Give the statement that reads how many tasks each bucket has: that match, of a status or of any, and in all."""
    every = " + ".join(each.value for each in Status)
    # The offset keeps the planner from turning the join round, and then reading all tallies of an owner: each range is
    # one way down the key.
    return f"""
    SELECT asked.level, held.* FROM unnest($4::int[], $5::bigint[], $6::bigint[]) AS asked (level, since, until)
    CROSS JOIN LATERAL (
        SELECT bucket,
            CASE WHEN {"archived AND" if is_archive else ""} ($2::text IS NULL OR model = $2)
                AND ($3::text IS NULL OR service_tier = '=' || $3)
            THEN {status.value if status else every} ELSE 0 END,
            {every}
        FROM task_tally WHERE owner = $1 AND level = asked.level AND bucket >= since AND bucket < until
        OFFSET 0) AS held
    """


def _of(*, of_ids: bool, is_archive: bool) -> str:
    return _SHOWN + (" AND id = ANY($10::text[])" if of_ids else "") + (" AND archived" if is_archive else "")


async def select_page(link: Link, owner: str, wanted: TaskFilter) -> TaskPage:
    """Read the page and the total in one snapshot."""
    if not all(map(is_storable, (owner, wanted.model or "", wanted.service_tier or "", wanted.after or ""))):
        return TaskPage(tasks=(), total=0)
    async with link.transaction(is_snapshot=True) as connection:
        reader = _Reader(connection=connection, owner=owner, wanted=wanted)
        rows, total = await (reader.page_of_ids() if wanted.task_ids else reader.page())
    return TaskPage(tasks=tuple(task_of(tuple(row)) for row in rows), total=total)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    connection: asyncpg.Connection
    owner: str
    wanted: TaskFilter

    async def page(self) -> tuple[Sequence[Any], int]:
        """Answer each question until the page is found."""
        steps = page_steps(self.wanted)
        question = next(steps)
        while True:
            answer = await self._answer(question)
            try:
                question = steps.send(answer)
            except StopIteration as end:
                rows, total = end.value
                return rows, total

    async def page_of_ids(self) -> tuple[Sequence[Any], int]:
        """Read a page of tasks that are named: they are few, so they are counted one by one."""
        wanted, cursor = self.wanted, None
        if wanted.after is not None:
            found = await self._fetch(PLACE, wanted.after, self.owner)
            if not found:
                return [], 0
            cursor = found[0][0], found[0][1]
        named = [each for each in wanted.task_ids if is_storable(each)]
        skipped, total = (wanted.page - 1) * wanted.page_size, 0
        rows: list[Any] = []
        for span in spans_of(wanted, cursor):
            counted = counting(of_ids=True, is_archive=span.is_archive)
            part = paging(of_ids=True, is_archive=span.is_archive, is_oldest_first=wanted.is_oldest_first)
            place = wanted.page_size - len(rows), max(0, skipped - total)
            total += (await self._of_span(counted, span, named))[0][0]
            rows += await self._of_span(part, span, named, *place)
        return rows, total

    async def _answer(self, question: Question) -> Sequence[Any]:
        match question:
            case AskPlace(task_id=task_id):
                return await self._fetch(PLACE, task_id, self.owner)
            case AskOverdue():
                return await self._fetch(OVERDUE, *self._bindings())
            case AskTallies(buckets=buckets, is_archive=is_archive):
                return await self._tallies(buckets, is_archive=is_archive)
            case AskCount(span=span):
                return await self._of_span(counting(of_ids=False, is_archive=span.is_archive), span)
            case AskTasks(spans=spans, limit=limit, offset=offset):
                return await self._tasks(spans, limit, offset)

    async def _tallies(self, buckets: Sequence[Buckets], *, is_archive: bool) -> Sequence[Any]:
        wanted = self.wanted
        asked = zip(*((each.level, each.first, each.last) for each in buckets), strict=True)
        statement = tallies(wanted.status, is_archive=is_archive)
        return await self._fetch(statement, self.owner, wanted.model, wanted.service_tier, *asked)

    async def _tasks(self, spans: Sequence[Span], limit: int, offset: int) -> list[Any]:
        rows: list[Any] = []
        for span in spans:
            part = paging(of_ids=False, is_archive=span.is_archive, is_oldest_first=self.wanted.is_oldest_first)
            rows += await self._of_span(part, span, limit - len(rows), 0 if rows else offset)
        return rows

    async def _fetch(self, statement: str, *bindings: Any) -> list[Row]:
        rows: list[Row] = await self.connection.fetch(statement, *bindings)
        return rows

    async def _of_span(self, statement: str, span: Span, *more: Any) -> Sequence[Any]:
        return await self._fetch(statement, *self._bindings(), *span.first, *span.last, *more)

    def _bindings(self) -> tuple[Any, ...]:
        wanted = self.wanted
        return (
            self.owner,
            micros_of(wanted.cancelled_after),
            wanted.status and wanted.status.value,
            wanted.model,
            wanted.service_tier,
        )
