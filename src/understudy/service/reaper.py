"""The reaper: expires tasks that ran out of time and removes records that are too old, with their films."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta

from understudy.core.ports import BlobStore, Clock, TaskStore
from understudy.service.films import blob_keys

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long records are kept, in seconds: any after its creation, a cancelled one after its cancellation.

    interval_s: between two rounds. purges_per_round: how many batches of records one round removes at most.
    """

    record_retention_s: float
    cancelled_retention_s: float
    interval_s: float
    purges_per_round: int


class Reaper:
    """Goes its round every few seconds; a round that fails is logged and the next one does the work."""

    def __init__(
        self,
        *,
        store: TaskStore,
        blobs: BlobStore,
        clock: Clock,
        retention: Retention,
        on_expired: Callable[[Collection[str]], None],
    ) -> None:
        """Take the ports. on_expired: told the ids of expired tasks, so that renders of them are stopped at once."""
        self._store = store
        self._blobs = blobs
        self._clock = clock
        self._retention = retention
        self._on_expired = on_expired
        self._closing = asyncio.Event()
        self._rounds: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin the rounds."""
        self._rounds = asyncio.create_task(self._go_round(), name="reaper")

    async def close(self) -> None:
        """Stop after the batch under way: its records are gone already, and only it knows their files."""
        self._closing.set()
        if self._rounds is not None:
            await asyncio.wait({self._rounds})

    async def round(self) -> None:
        """Expire what is late, then remove what is old.

        Raises: Unavailable, OSError.
        """
        expired = await self._store.expire(self._clock.now())
        if expired:
            log.info("%d tasks expired", len(expired))
            self._on_expired(frozenset(expired))
        for _ in range(self._retention.purges_per_round):
            if not await self._purge() or self._closing.is_set():
                return

    async def _purge(self) -> bool:
        """Remove one batch of old records and their blobs; False when there was none."""
        now = self._clock.now()
        removed = await self._store.purge(
            created_before=now - timedelta(seconds=self._retention.record_retention_s),
            cancelled_before=now - timedelta(seconds=self._retention.cancelled_retention_s),
        )
        for task in removed:
            for key in blob_keys(task):
                try:
                    await self._blobs.delete(key)
                except OSError as error:
                    log.warning("the blob %s is left behind: %s", key, error)
            # A thousand tasks are much for one turn of the event loop.
            await asyncio.sleep(0)
        return bool(removed)

    async def _go_round(self) -> None:
        while not self._closing.is_set():
            try:
                await self.round()
            except Exception:  # boundary: a round that fails must not be the last one
                log.exception("a round of the reaper failed")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._retention.interval_s):
                    await self._closing.wait()
