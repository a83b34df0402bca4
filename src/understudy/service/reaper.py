"""The reaper: expires tasks that ran out of time and removes what nobody needs any more.

That is records that are too old, the files of records that are gone, media that no task and no asset uses, and files
that something half made and left. What is to be removed is in the stores before anything is removed, so a crash, a
failure or the end of the program only puts it off.
"""

import asyncio
import contextlib
import logging
import os
import shutil
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from understudy.core.errors import Unavailable
from understudy.core.media import MediaStore
from understudy.core.ports import BlobStore, Clock, TaskStore
from understudy.service.films import blob_keys
from understudy.service.retention import Retention

log = logging.getLogger(__name__)

BATCH_MOST = 200
"""Tasks or media whose files are removed between two looks at the store: at an object store a second or two of work."""

IDEMPOTENCY_BATCH = 5000
"""A thousand creates a second, each with a key, must not outrun the rounds."""

DUTY = "reaper"
LEAD_ROUNDS = 5
"""How many rounds a server that has the duty may miss before another takes it."""

FAILURES_MOST = 3
"""After so many in one round the blob store is taken to be away; the rest of the round's work waits for the next."""

LEFTOVER_AGE_S = 86_400
"""No upload and no render takes a day, so what was not touched for one was left behind."""

SWEEP_INTERVAL_S = 3600.0
SWEEP_MOST = 10_000
"""Entries of a directory that one sweep looks at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaped:
    """What the reaper goes through. leftovers: directories in which whatever was not touched for a day is removed.

    sweeps: called once in an hour, each of which removes what it alone knows to be left.
    """

    store: TaskStore
    media: MediaStore
    blobs: BlobStore
    leftovers: tuple[Path, ...] = ()
    sweeps: tuple[Callable[[], Awaitable[object]], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounds:
    """interval_s: between two rounds. batches: how many batches of each kind one round removes at most.

    idempotency_s: how long an idempotency key stands for its task.
    """

    interval_s: float
    batches: int
    idempotency_s: float = 86_400.0


class Reaper:
    """Goes its round every few seconds; a round that fails is logged and the next one does the work."""

    def __init__(
        self,
        reaped: Reaped,
        *,
        clock: Clock,
        retention: Retention,
        rounds: Rounds,
        on_expired: Callable[[Collection[str]], None],
        worker: str = "reaper",
    ) -> None:
        """Take the ports. on_expired: told the ids of expired tasks, so that renders of them are stopped at once.

        worker: this process's name among those that share the store.
        """
        self._store = reaped.store
        self._media = reaped.media
        self._blobs = reaped.blobs
        self._leftovers = reaped.leftovers
        self._sweeps = reaped.sweeps
        self._clock = clock
        self._retention = retention
        self._pace = rounds
        self._on_expired = on_expired
        self._worker = worker
        self._swept_at: datetime | None = None
        self._closing = asyncio.Event()
        self._rounds: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin the rounds."""
        self._rounds = asyncio.create_task(self._go_round(), name="reaper")

    async def close(self) -> None:
        """Stop after the file under way; what is left is found again after the next start."""
        self._closing.set()
        if self._rounds is not None:
            await asyncio.wait({self._rounds})

    async def round(self) -> None:
        """Expire what is late, then remove what is old and what nobody needs.

        Of several servers over one store one does so, as long as it lives.

        Raises: Unavailable, OSError.
        """
        now, term_s = self._clock.now(), LEAD_ROUNDS * self._pace.interval_s
        if await self._store.lead(DUTY, self._worker, now, now + timedelta(seconds=term_s)):
            await self._remove_all()
        await self._sweep(self._clock.now())

    async def _remove_all(self) -> None:
        expired = await self._store.expire(self._clock.now())
        if expired:
            log.info("%d tasks expired", len(expired))
            self._on_expired(frozenset(expired))
        now = self._clock.now()
        for step in (self._purge, self._forget, self._remove_films, self._remove_media):
            for _ in range(self._pace.batches):
                if self._closing.is_set() or not await step(now):
                    break

    async def _purge(self, now: datetime) -> bool:
        """Remove one batch of old records; False when there was none."""
        removed = await self._store.purge(
            created_before=self._retention.created_before(now), cancelled_before=self._retention.cancelled_before(now)
        )
        return bool(removed)

    async def _forget(self, now: datetime) -> bool:
        """Forget one batch of callbacks and of idempotency keys whose time is over; False when that was all."""
        told = await self._store.callbacks.forget_told(self._retention.created_before(now), BATCH_MOST)
        used_before = now - timedelta(seconds=self._pace.idempotency_s)
        keys = await self._store.forget_idempotency(used_before, IDEMPOTENCY_BATCH)
        return told == BATCH_MOST or keys == IDEMPOTENCY_BATCH

    async def _remove_films(self, now: datetime) -> bool:
        """Remove the files of one batch of tasks whose records are gone; False when that was all, or it fails."""
        removed = await self._store.take_removed(now, BATCH_MOST)
        gone, failures = await self._delete({task.id: blob_keys(task) for task in removed})
        if gone:
            await self._store.forget_removed(gone)
        return len(removed) == BATCH_MOST and failures < FAILURES_MOST

    async def _remove_media(self, now: datetime) -> bool:
        """Remove one batch of media that nobody needs; False when that was all, or when a removal failed."""
        unused = await self._media.take_unused(now, BATCH_MOST)
        gone, failures = await self._delete({sha256: (key,) for sha256, key in unused.items()})
        for sha256 in gone:
            await self._media.left(sha256)
        return len(unused) == BATCH_MOST and not failures

    async def _delete(self, doomed: dict[str, Iterable[str]]) -> tuple[list[str], int]:
        """Delete blobs, given as name -> keys; return the names of which all are gone, and how many failed."""
        gone: list[str] = []
        failures = 0
        for name, keys in doomed.items():
            if self._closing.is_set() or failures == FAILURES_MOST:
                break
            try:
                for key in keys:
                    await self._blobs.delete(key)
            except (OSError, Unavailable) as error:
                failures += 1
                log.warning("the files of %s are not removed yet: %s", name, error)
            else:
                gone.append(name)
            # Hundreds of tasks are much for one turn of the event loop.
            await asyncio.sleep(0)
        return gone, failures

    async def _sweep(self, now: datetime) -> None:
        """Remove, once in an hour, what was left behind in the directories where files are made."""
        if self._closing.is_set() or (
            self._swept_at is not None and (now - self._swept_at).total_seconds() < SWEEP_INTERVAL_S
        ):
            return
        self._swept_at = now
        for folder in self._leftovers:
            await asyncio.to_thread(_remove_leftovers, folder, touched_before_s=now.timestamp() - LEFTOVER_AGE_S)
        for sweep in self._sweeps:
            await sweep()

    async def _go_round(self) -> None:
        while not self._closing.is_set():
            try:
                await self.round()
            except Exception:  # boundary: a round that fails must not be the last one
                log.exception("a round of the reaper failed")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pace.interval_s):
                    await self._closing.wait()


def _remove_leftovers(folder: Path, *, touched_before_s: float) -> None:
    """Remove what lies in a directory and was not touched since; links are removed and never followed."""
    for entry in _entries(folder):
        is_folder = entry.is_dir(follow_symlinks=False)
        # Writing a file in a directory touches the file, not the directory.
        lately_s = max(_touched_s(each) for each in (entry, *(_entries(Path(entry.path)) if is_folder else ())))
        if lately_s >= touched_before_s:
            continue
        log.info("%s was left behind and is removed", entry.path)
        if is_folder:
            shutil.rmtree(entry.path, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                Path(entry.path).unlink()


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return [entry for entry, _ in zip(found, range(SWEEP_MOST), strict=False)]
    except FileNotFoundError:
        return []


def _touched_s(entry: os.DirEntry[str]) -> float:
    try:
        return entry.stat(follow_symlinks=False).st_mtime
    except FileNotFoundError:
        return 0.0
