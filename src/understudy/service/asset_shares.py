"""Which of several servers takes an asset in: whoever has its upload, and of the rest the one whose duty it is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from understudy.core.assets import Asset
from understudy.core.ports import Clock, TaskStore

DUTY = "assets"
TERM_S = 30.0
"""How long the assets of a server that died wait for another; several looks at what waits fit into it."""

UPLOAD_WAITS_S = 86_400.0
"""A server that has the bytes may be away for so long; then whoever has the duty finds that they are gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetShares:
    """Chooses this server's share. worker: its name among those of the store. upload_path: where uploads lie here."""

    store: TaskStore
    worker: str
    clock: Clock
    upload_path: Callable[[str], Path]

    async def of(self, waiting: Sequence[Asset]) -> Sequence[Asset]:
        """Return those that are this server's to take in.

        Raises: Unavailable.
        """
        if not self.store.is_shared or not waiting:
            return waiting
        now = self.clock.now()
        has_duty = await self.store.lead(DUTY, self.worker, now, now + timedelta(seconds=TERM_S))
        late = now - timedelta(seconds=UPLOAD_WAITS_S)
        return [
            asset
            for asset in waiting
            if (asset.upload and self.upload_path(asset.upload).exists())
            or (has_duty and (not asset.upload or asset.created_at < late))
        ]
