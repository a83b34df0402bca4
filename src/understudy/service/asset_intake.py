"""Taking assets in, behind the answers: each is brought, measured, judged and stored, and then active, or failed.

What is being processed stands in the store alone, so a server that stopped takes it up again when it starts.
"""

import asyncio
import contextlib
import logging
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from understudy.core.asset_files import (
    DOWNLOAD_FAILED,
    FORMAT_UNSUPPORTED,
    LibraryLimits,
    file_fault,
    most_bytes_of,
    of_another_kind,
)
from understudy.core.assets import Asset, AssetFault, AssetStore
from understudy.core.content import ContentItem
from understudy.core.errors import Unavailable
from understudy.core.media import Medium, NotFetched, Origin, Unreadable
from understudy.core.ports import Clock
from understudy.service.asset_shares import AssetShares
from understudy.service.shelf import Shelf
from understudy.service.sources import Sources, same_bytes
from understudy.service.unbroken import unbroken

_log = logging.getLogger(__name__)

DEADLINE_S = 300.0
"""How long one file may be on its way: nobody waits for the answer, and 200 MB may come over a slow line."""

TRIES_MAX = 5
"""How often an asset is tried when the fault is the server's own, such as a full disk."""

RETRY_PAUSE_S = 5.0
LOOKED_AT = 16
"""Assets of each owner that are looked at for the next to take in; the rest wait in the store."""

_FAILED_HERE = AssetFault(code="InternalServiceError", message="The server could not process the asset.")


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetIntake:
    """Takes one asset in. upload_path: the file of a finished upload. work_dir: for files on their way."""

    store: AssetStore
    shelf: Shelf
    sources: Sources
    limits: LibraryLimits
    clock: Clock
    work_dir: Path
    upload_path: Callable[[str], Path]
    deadline_s: float = DEADLINE_S

    async def take_in(self, asset: Asset) -> None:
        """Bring an asset to its end, unless it is gone by then.

        Raises: Unavailable when its medium cannot be stored now.
        """
        folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="asset-", dir=self.work_dir))
        try:
            outcome = await self._outcome(asset, folder / "file")
            await self.settle(asset, outcome)
        finally:
            await unbroken(asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True))

    async def settle(self, asset: Asset, outcome: Medium | AssetFault) -> None:
        """Record how an asset ended; the file of its upload is not needed any more."""
        await self.store.settle(asset.owner, asset.id, outcome=outcome, now=self.clock.now())
        if asset.upload:
            await asyncio.to_thread(self.upload_path(asset.upload).unlink, missing_ok=True)

    async def _outcome(self, asset: Asset, path: Path) -> Medium | AssetFault:
        try:
            async with asyncio.timeout(self.deadline_s):
                await self._bring(asset, path)
        except (NotFetched, TimeoutError) as error:
            _log.info("asset %s: %s", asset.id, error or "it took too long")
            return AssetFault(code=DOWNLOAD_FAILED, message="The resource download failed.")
        try:
            measured = await self.shelf.measure(path, asset.modality, owner=asset.owner)
        except Unreadable as error:
            return await self._unreadable(asset, path, error)
        fault = file_fault(measured.facts, self.limits)
        return await unbroken(self.shelf.keep(measured, Origin.ASSET)) if fault is None else fault

    async def _bring(self, asset: Asset, path: Path) -> None:
        if asset.upload:
            try:
                await asyncio.to_thread(same_bytes, self.upload_path(asset.upload), path)
            except FileNotFoundError as error:
                raise NotFetched("the upload is gone") from error
            return
        item = ContentItem(modality=asset.modality, value=asset.url)
        most_bytes = most_bytes_of(asset.modality, self.limits)
        await self.sources.bring(item, path, owner=asset.owner, spooled=MappingProxyType({}), most_bytes=most_bytes)

    async def _unreadable(self, asset: Asset, path: Path, error: Unreadable) -> AssetFault:
        """Say what a file is that is not what it was registered as, or why it is nothing."""
        for modality in self.limits:
            if modality is not asset.modality:
                with contextlib.suppress(Unreadable):
                    return of_another_kind(await self.shelf.probe(path, modality, owner=asset.owner), asset.modality)
        message = f"The file cannot be used as {asset.modality}: {error.reason}."
        return AssetFault(code=FORMAT_UNSUPPORTED, message=message)


class AssetWorker:
    """Takes in what is being processed, a few at a time, the owner with the fewest under way first.

    slots: how many files at once; of each owner half, so that hosts which let one wait hold up no other. shares: which
    are this server's, where several share the store; None = all.
    """

    def __init__(
        self,
        intake: AssetIntake,
        *,
        slots: int = 8,
        pause_s: float = RETRY_PAUSE_S,
        shares: AssetShares | None = None,
    ) -> None:
        self._intake = intake
        self._shares = shares
        self._slots = slots
        self._slots_of_each = max(1, slots // 2)
        self._pause_s = pause_s
        self._woken = asyncio.Event()
        self._running: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._tries: Counter[tuple[str, str]] = Counter()
        self._loop: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Say that there is something new."""
        self._woken.set()

    async def start(self) -> None:
        """Begin, with what an earlier process left."""
        self._loop = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stop; what is under way stays in the store as it was."""
        tasks = [task for task in (self._loop, *self._running.values()) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            self._woken.clear()
            try:
                await self._begin_some()
            except Exception:  # boundary: a store that does not answer now may do so later
                _log.exception("assets that are being processed could not be looked up")
            waiting = asyncio.create_task(self._woken.wait())
            await asyncio.wait({waiting}, timeout=self._pause_s)
            waiting.cancel()

    async def _begin_some(self) -> None:
        free = self._slots - len(self._running)
        if free <= 0:
            return
        found = await self._intake.store.processing(LOOKED_AT)
        if self._shares is not None:
            found = await self._shares.of(found)
        waiting = {(asset.owner, asset.id): asset for asset in found}
        for key in self._running:
            waiting.pop(key, None)
        busy = Counter(owner for owner, _ in self._running)
        for _ in range(free):
            open_to = [each for each in waiting if busy[each[0]] < self._slots_of_each]
            if not open_to:
                return
            key = min(open_to, key=lambda each: (self._tries[each], busy[each[0]]))
            busy[key[0]] += 1
            task = asyncio.create_task(self._take_in(waiting.pop(key)))
            self._running[key] = task

    async def _take_in(self, asset: Asset) -> None:
        key = (asset.owner, asset.id)
        try:
            await self._intake.take_in(asset)
            self._tries.pop(key, None)
        except Exception as error:  # boundary: one asset that cannot be taken in must not stop the others
            await self._try_again(asset, error)
        finally:
            del self._running[key]
            self._woken.set()

    async def _try_again(self, asset: Asset, error: Exception) -> None:
        key = (asset.owner, asset.id)
        self._tries[key] += 1
        is_ours = not isinstance(error, Unavailable)
        _log.warning("asset %s could not be processed: %s", asset.id, error, exc_info=error if is_ours else None)
        if self._tries[key] >= TRIES_MAX:
            del self._tries[key]
            with contextlib.suppress(Unavailable):
                await self._intake.settle(asset, _FAILED_HERE)
            return
        await asyncio.sleep(self._pause_s)
