"""One page of an owner's tasks and its total, read from the covering index `task_listed`."""

from dataclasses import dataclass

import apsw
import msgspec

from understudy.core.task import TaskFilter, TaskPage
from understudy.storage import statements as sql
from understudy.storage.lifecycle import is_storable
from understudy.storage.rows import Row, fetch, micros_of, task_of

_LAST_MICROS = 2**63 - 1
"""No task is created at or after it: SQLite counts no further."""

_FIRST_MICROS = -(2**63)
"""Every task is created at or after it."""

Place = tuple[int, str]
"""Where a task stands among its owner's: (microseconds since 1970, id). An empty id stands before all of its moment."""


def select_page(connection: apsw.Connection, owner: str, wanted: TaskFilter) -> TaskPage:
    """Read the page and the total in one snapshot."""
    if not all(map(is_storable, (owner, wanted.model or "", wanted.service_tier or "", wanted.after or ""))):
        return TaskPage(tasks=(), total=0)
    bindings = {
        "owner": owner,
        "cancelled_after": micros_of(wanted.cancelled_after),
        "status": wanted.status and wanted.status.value,
        "model": wanted.model,
        "service_tier": wanted.service_tier,
    }
    count, page = sql.COUNT_OF_OWNER, sql.OLDEST_OF_OWNER if wanted.is_oldest_first else sql.PAGE_OF_OWNER
    if wanted.task_ids:
        count, page = sql.COUNT_OF_IDS, sql.OLDEST_OF_IDS if wanted.is_oldest_first else sql.PAGE_OF_IDS
        bindings["task_ids"] = msgspec.json.encode([each for each in wanted.task_ids if is_storable(each)]).decode()
    skipped, total = (wanted.page - 1) * wanted.page_size, 0
    rows: list[Row] = []
    with connection:
        cursor: list[Place] = [] if wanted.after is None else fetch(connection, sql.PLACE, (wanted.after, owner))
        if wanted.after is not None and not cursor:
            return TaskPage(tasks=(), total=0)
        for span in _spans(wanted, cursor[0] if cursor else None):
            texts = (sql.of_archive(count), sql.of_archive(page)) if span.is_archive else (count, page)
            bindings |= {"after_created_at": span.first[0], "after_id": span.first[1]}
            bindings |= {"before_created_at": span.last[0], "before_id": span.last[1]}
            ((found,),) = fetch(connection, texts[0], bindings)
            place = {"limit": wanted.page_size - len(rows), "offset": max(0, skipped - total)}
            total += found
            if place["limit"] and found > place["offset"]:
                rows += fetch(connection, texts[1], bindings | place)
    return TaskPage(tasks=tuple(task_of(row) for row in rows), total=total)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Span:
    """A stretch of an owner's tasks, without its ends. is_archive: only the archived of it are shown."""

    first: Place
    last: Place
    is_archive: bool


def _spans(wanted: TaskFilter, cursor: Place | None) -> list[_Span]:
    """Return the stretches that a listing goes through, in its order: those whose time counts, and the archive before.

    cursor: the place that the listing goes on from.
    """
    first, last = (_FIRST_MICROS, ""), (_LAST_MICROS, "")
    if cursor is not None:
        first, last = (cursor, last) if wanted.is_oldest_first else (first, cursor)
    kept = (micros_of(wanted.created_after), "")
    spans = [
        _Span(first=max(first, kept), last=last, is_archive=False),
        # An id is never empty, so nothing lies at the border and neither is it shown twice.
        _Span(first=first, last=min(last, kept), is_archive=True),
    ]
    spans = [span for span in spans if span.first < span.last]
    return spans[::-1] if wanted.is_oldest_first else spans
