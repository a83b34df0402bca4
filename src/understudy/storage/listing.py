"""One page of an owner's tasks and its total, read from the covering index `task_listed`."""

import apsw
import msgspec

from understudy.core.task import TaskFilter, TaskPage
from understudy.storage import statements as sql
from understudy.storage.lifecycle import is_storable
from understudy.storage.rows import fetch, micros_of, task_of


def select_page(connection: apsw.Connection, owner: str, wanted: TaskFilter) -> TaskPage:
    """Read the page and the total in one snapshot."""
    if not all(map(is_storable, (owner, wanted.model or "", wanted.service_tier or ""))):
        return TaskPage(tasks=(), total=0)
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
    count, page = sql.COUNT_OF_OWNER, sql.PAGE_OF_OWNER
    if wanted.task_ids:
        count, page = sql.COUNT_OF_IDS, sql.PAGE_OF_IDS
        bindings["task_ids"] = msgspec.json.encode([each for each in wanted.task_ids if is_storable(each)]).decode()
    with connection:
        ((total,),) = fetch(connection, count, bindings)
        rows = fetch(connection, page, bindings)
    return TaskPage(tasks=tuple(task_of(row) for row in rows), total=total)
