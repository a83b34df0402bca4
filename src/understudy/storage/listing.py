"""One page of an owner's tasks and its total, read from SQLite: answers the questions of `listing_steps`."""
# ruff: noqa: S608 (the pieces put together here are constants)

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import apsw
import msgspec

from understudy.core.task import Status, TaskFilter, TaskPage
from understudy.storage import statements as sql
from understudy.storage.lifecycle import is_storable
from understudy.storage.listing_steps import (
    AskCount,
    AskOverdue,
    AskPlace,
    AskTallies,
    AskTasks,
    Question,
    Span,
    page_steps,
    spans_of,
)
from understudy.storage.rows import Row, fetch, micros_of, task_of

# The plus keeps the planner on `task_cancelled`: few are overdue, and an owner can have any number.
OVERDUE = """
SELECT created_at FROM task
WHERE status = 'cancelled' AND archived = 0 AND updated_at < :cancelled_after AND +owner = :owner
    AND (:model IS NULL OR model = :model) AND (:service_tier IS NULL OR service_tier = :service_tier)
"""


@cache
def tallies(status: Status | None, *, is_archive: bool) -> str:
    """Give the statement that reads how many tasks each bucket has: that match, of a status or of any, and in all."""
    every = " + ".join(each.value for each in Status)
    return f"""
    SELECT level, bucket, ({status.value if status else every})
        * ({"archived AND" if is_archive else ""} (:model IS NULL OR model = :model)
            AND (:service_tier IS NULL OR service_tier = '=' || :service_tier)), {every}
    FROM task_tally WHERE owner = :owner AND level = :level AND bucket >= :first AND bucket < :last
    """


def select_page(connection: apsw.Connection, owner: str, wanted: TaskFilter) -> TaskPage:
    """Read the page and the total in one snapshot."""
    if not all(map(is_storable, (owner, wanted.model or "", wanted.service_tier or "", wanted.after or ""))):
        return TaskPage(tasks=(), total=0)
    reader = _Reader(connection=connection, owner=owner, wanted=wanted)
    with connection:
        rows, total = reader.page_of_ids() if wanted.task_ids else reader.page()
    return TaskPage(tasks=tuple(task_of(row) for row in rows), total=total)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    connection: apsw.Connection
    owner: str
    wanted: TaskFilter

    def page(self) -> tuple[list[Row], int]:
        """Answer each question until the page is found."""
        steps = page_steps(self.wanted)
        question = next(steps)
        while True:
            try:
                question = steps.send(self._answer(question))
            except StopIteration as end:
                rows, total = end.value
                return rows, total

    def page_of_ids(self) -> tuple[list[Row], int]:
        """Read a page of tasks that are named: they are few, so they are counted one by one."""
        wanted, cursor = self.wanted, None
        if wanted.after is not None:
            found = fetch(self.connection, sql.PLACE, (wanted.after, self.owner))
            if not found:
                return [], 0
            cursor = found[0][0], found[0][1]
        named = msgspec.json.encode([each for each in wanted.task_ids if is_storable(each)]).decode()
        page = sql.OLDEST_OF_IDS if wanted.is_oldest_first else sql.PAGE_OF_IDS
        skipped, total = (wanted.page - 1) * wanted.page_size, 0
        rows: list[Row] = []
        for span in spans_of(wanted, cursor):
            count = self._ask(sql.COUNT_OF_IDS, span, task_ids=named)
            place = {"limit": wanted.page_size - len(rows), "offset": max(0, skipped - total)}
            total += count[0][0]
            rows += self._ask(page, span, task_ids=named, **place)
        return rows, total

    def _answer(self, question: Question) -> Sequence[Any]:
        match question:
            case AskPlace(task_id=task_id):
                return fetch(self.connection, sql.PLACE, (task_id, self.owner))
            case AskOverdue():
                return fetch(self.connection, OVERDUE, self._bindings())
            case AskTallies(buckets=buckets, is_archive=is_archive):
                text, bindings = tallies(self.wanted.status, is_archive=is_archive), self._bindings()
                asked = [{"level": each.level, "first": each.first, "last": each.last} for each in buckets]
                return [row for each in asked for row in fetch(self.connection, text, bindings | each)]
            case AskCount(span=span):
                return self._ask(sql.COUNT_OF_OWNER, span)
            case AskTasks(spans=spans, limit=limit, offset=offset):
                return self._tasks(spans, limit, offset)

    def _tasks(self, spans: tuple[Span, ...], limit: int, offset: int) -> list[Row]:
        page = sql.OLDEST_OF_OWNER if self.wanted.is_oldest_first else sql.PAGE_OF_OWNER
        rows: list[Row] = []
        for span in spans:
            rows += self._ask(page, span, limit=limit - len(rows), offset=0 if rows else offset)
        return rows

    def _ask(self, statement: str, span: Span, **more: Any) -> list[Row]:
        text = sql.of_archive(statement) if span.is_archive else statement
        ends = {"after_created_at": span.first[0], "after_id": span.first[1]}
        ends |= {"before_created_at": span.last[0], "before_id": span.last[1]}
        return fetch(self.connection, text, self._bindings() | ends | more)

    def _bindings(self) -> dict[str, Any]:
        return {
            "owner": self.owner,
            "cancelled_after": micros_of(self.wanted.cancelled_after),
            "status": self.wanted.status and self.wanted.status.value,
            "model": self.wanted.model,
            "service_tier": self.wanted.service_tier,
        }
