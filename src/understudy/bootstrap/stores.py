"""Where things are kept: tasks, assets, media and blobs, in the data directory or where the settings say."""

import secrets
from dataclasses import dataclass
from pathlib import Path

from understudy.bootstrap.data_dir import kept_secret
from understudy.core.assets import AssetStore
from understudy.core.media import MediaStore
from understudy.core.ports import BlobStore, TaskStore
from understudy.service.shelf import FOLDER
from understudy.settings import MEMORY, Settings
from understudy.storage.blob_places import open_blobs
from understudy.storage.memory import MemoryTaskStore
from understudy.storage.memory_assets import MemoryAssetStore
from understudy.storage.postgres_opening import open_postgres
from understudy.storage.sqlite import SqliteTaskStore

SHELF_NAME_BYTES = 5
"""Of some hundred servers at one bucket, no two draw the same name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """What is kept. Closing the tasks closes assets and media, which share their file.

    media_folder: what the keys of media begin with, of this record of who needs them alone.
    """

    tasks: TaskStore
    assets: AssetStore
    media: MediaStore
    blobs: BlobStore
    media_folder: str


async def open_stores(settings: Settings, data_dir: Path) -> Stores:
    """Open everything.

    Raises: CannotOpen.
    """
    # First, because it holds nothing open: where it cannot be had, nothing is left open.
    blobs = open_blobs(settings.blobs, data_dir)
    if settings.database:
        return await _shared_stores(settings, blobs)
    folder = _media_folder(settings, data_dir)
    if settings.data_dir == MEMORY:
        memory = MemoryTaskStore()
        assets = MemoryAssetStore(memory.media)
        return Stores(tasks=memory, assets=assets, media=memory.media, blobs=blobs, media_folder=folder)
    sqlite = SqliteTaskStore(data_dir / "understudy.db")
    return Stores(tasks=sqlite, assets=sqlite.assets, media=sqlite.media, blobs=blobs, media_folder=folder)


async def _shared_stores(settings: Settings, blobs: BlobStore) -> Stores:
    """Open the database that several servers share.

    Raises: CannotOpen.
    """
    postgres = await open_postgres(settings.database, migrates=settings.migrate)
    # One record of who needs which media, so one folder for all of its servers.
    name = await postgres.kept("shelf_name", lambda: secrets.token_hex(SHELF_NAME_BYTES))
    return Stores(
        tasks=postgres, assets=postgres.assets, media=postgres.media, blobs=blobs, media_folder=f"{FOLDER}-{name}"
    )


def _media_folder(settings: Settings, data_dir: Path) -> str:
    """Return where this server's media are kept.

    In an object store other servers may keep theirs: the same bytes have the same name everywhere, and no server knows
    who needs them at another one, so that one would remove what another needs.

    Raises: CannotOpen.
    """
    if not settings.blobs:
        return FOLDER
    return f"{FOLDER}-{kept_secret(data_dir / 'shelf_name', lambda: secrets.token_hex(SHELF_NAME_BYTES))}"
