"""One page of an owner's tasks and its total, read from the covering index `task_listed`."""

import apsw
import msgspec

from understudy.core.task import TaskFilter, TaskPage
from understudy.storage import statements as sql
from understudy.storage.lifecycle import is_storable
from understudy.storage.rows import fetch, micros_of, task_of

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
    first: Place = (_FIRST_MICROS, "")
    last: Place = (_LAST_MICROS, "")
    bindings = {
        "owner": owner,
        "created_after": micros_of(wanted.created_after),
        "cancelled_after": micros_of(wanted.cancelled_after),
        "status": wanted.status and wanted.status.value,
        "model": wanted.model,
        "service_tier": wanted.service_tier,
        "limit": wanted.page_size,
        "offset": (wanted.page - 1) * wanted.page_size,
    }
    count, page = sql.COUNT_OF_OWNER, sql.OLDEST_OF_OWNER if wanted.is_oldest_first else sql.PAGE_OF_OWNER
    if wanted.task_ids:
        count, page = sql.COUNT_OF_IDS, sql.OLDEST_OF_IDS if wanted.is_oldest_first else sql.PAGE_OF_IDS
        bindings["task_ids"] = msgspec.json.encode([each for each in wanted.task_ids if is_storable(each)]).decode()
    with connection:
        if wanted.after is not None:
            cursor: list[Place] = fetch(connection, sql.PLACE, (wanted.after, owner))
            if not cursor:
                return TaskPage(tasks=(), total=0)
            first, last = (cursor[0], last) if wanted.is_oldest_first else (first, cursor[0])
        bindings["after_created_at"], bindings["after_id"] = first
        bindings["before_created_at"], bindings["before_id"] = last
        ((total,),) = fetch(connection, count, bindings)
        rows = fetch(connection, page, bindings)
    return TaskPage(tasks=tuple(task_of(row) for row in rows), total=total)
