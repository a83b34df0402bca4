"""Where things are kept: tasks, assets, media and blobs, in the data directory or where the settings say."""

from dataclasses import dataclass
from pathlib import Path

from understudy.core.assets import AssetStore
from understudy.core.media import MediaStore
from understudy.core.ports import BlobStore, TaskStore
from understudy.settings import MEMORY, Settings
from understudy.storage.blob_places import open_blobs
from understudy.storage.memory import MemoryTaskStore
from understudy.storage.memory_assets import MemoryAssetStore
from understudy.storage.sqlite import SqliteTaskStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """What is kept. Closing the tasks closes assets and media, which share their file."""

    tasks: TaskStore
    assets: AssetStore
    media: MediaStore
    blobs: BlobStore


def open_stores(settings: Settings, data_dir: Path) -> Stores:
    """Open everything.

    Raises: CannotOpen.
    """
    # First, because it holds nothing open: where it cannot be had, nothing is left open.
    blobs = open_blobs(settings.blobs, data_dir)
    if settings.data_dir == MEMORY:
        memory = MemoryTaskStore()
        return Stores(tasks=memory, assets=MemoryAssetStore(memory.media), media=memory.media, blobs=blobs)
    sqlite = SqliteTaskStore(data_dir / "understudy.db")
    return Stores(tasks=sqlite, assets=sqlite.assets, media=sqlite.media, blobs=blobs)
