"""The product with a bug planted into it, so that a campaign is seen to find it: `python -m chaos.careless BUG ...`.

What follows the bug's name is a command line of `understudy`, over SQLite. Nothing but these programs runs this.
"""

import sys
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from understudy.cli import main
from understudy.core.callbacks import Callback, DeliveryState, Try
from understudy.core.ports import Outcome
from understudy.core.task import Claim
from understudy.storage.blobs import LocalBlobStore
from understudy.storage.sqlite import SqliteTaskStore
from understudy.storage.sqlite_callbacks import SqliteCallbackStore

_VOID_AS_WELL = """
INSERT INTO ledger SELECT task_id, 'voided', owner, written_at, currency, amount_micros, completion_tokens
FROM ledger WHERE task_id = ? AND kind = 'hold'
"""


def double_claim() -> None:
    """Leases end when they begin, so a slot takes what another one renders."""
    claim, heartbeat = SqliteTaskStore.claim, SqliteTaskStore.heartbeat

    async def claimed(self: SqliteTaskStore, worker: str, now: datetime, _until: datetime, **how: Any) -> Claim | None:
        return await claim(self, worker, now, how["lease_now"], **how)

    async def beaten(self: SqliteTaskStore, of: Claim, progress: float, _until: datetime) -> bool:
        return await heartbeat(self, of, progress, of.task.updated_at)

    SqliteTaskStore.claim, SqliteTaskStore.heartbeat = claimed, beaten  # type: ignore[method-assign, assignment]


def lost_callback() -> None:
    """Every third callback is written down as told and told to nobody."""
    take_due = SqliteCallbackStore.take_due

    async def taken(
        self: SqliteCallbackStore, now: datetime, until: datetime, most: int, busy: Collection[str] = ()
    ) -> Sequence[Callback]:
        told = []
        for callback in await take_due(self, now, until, most, busy):
            if hash(callback.task.id) % 3:
                told.append(callback)
            else:
                await self.settle(callback, Try(at=now, took_s=0.0, status=200), state=DeliveryState.DELIVERED)
        return told

    SqliteCallbackStore.take_due = taken  # type: ignore[method-assign]


def double_posting() -> None:
    """What is posted is voided as well."""
    finish = SqliteTaskStore.finish

    async def finished(self: SqliteTaskStore, claim: Claim, outcome: Outcome, now: datetime) -> bool:
        is_ours = await finish(self, claim, outcome, now)

        def void(connection: Any) -> None:
            connection.execute("DROP INDEX IF EXISTS ledger_settled_once")
            connection.execute(_VOID_AS_WELL, (claim.task.id,))

        if is_ours and outcome.film is not None:
            await self._writer.submit(void, refusable=False)
        return is_ours

    SqliteTaskStore.finish = finished  # type: ignore[method-assign]


def lost_result() -> None:
    """Every third film is not stored."""
    put = LocalBlobStore.put

    async def stored(self: LocalBlobStore, path: Path, key: str) -> None:
        await put(self, path, key)
        if hash(key) % 3 == 0:
            await self.delete(key)

    LocalBlobStore.put = stored  # type: ignore[method-assign]


BUGS: dict[str, Callable[[], None]] = {
    bug.__name__.replace("_", "-"): bug for bug in (double_claim, lost_callback, double_posting, lost_result)
}

if __name__ == "__main__":
    BUGS[sys.argv.pop(1)]()
    main()
