"""Where the bytes of a media item come from: the request itself, the web, or what this server made or keeps.

Each way ends in one new local file. What the bytes are is found out later, by others.
"""

import asyncio
import binascii
import os
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from understudy.core.content import ContentItem
from understudy.core.content_rules import NOT_BASE64
from understudy.core.errors import NotFound
from understudy.core.media import SPOOLED, Fetcher, NotFetched, Origin, Spooled
from understudy.core.ports import BlobStore, Clock, TaskStore
from understudy.core.request import FILM_OF_TASK, is_film_of_task
from understudy.service.shelf import is_medium_key

DATA = "data:"
BASE64 = ";base64,"


class BadData(Exception):
    """A data URL does not hold what it says; the sentence is for the caller."""


class OwnLinks(Protocol):
    """Tells this server's own result links from other addresses."""

    def key_of(self, url: str, now_s: float) -> str | None:
        """Return the key of the blob that a genuine, unexpired link of this server is for; None for all else.

        now_s: epoch seconds.
        """
        ...


async def _nothing_is_made(_: str) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Brings bytes into files. A link of our own never goes over the network: its bytes are at hand.

    make: makes what links tell of before it is there, such as a film's poster, by its key; says whether it did.
    """

    fetcher: Fetcher
    own_links: OwnLinks
    store: TaskStore
    blobs: BlobStore
    clock: Clock
    make: Callable[[str], Awaitable[bool]] = _nothing_is_made

    async def bring(self, item: ContentItem, into: Path, *, owner: str, spooled: Spooled, most_bytes: int) -> Origin:
        """Write the item's bytes to a new file, in a directory of its own, and say where they came from.

        Raises: NotFetched; BadData; Unavailable.
        """
        value = item.value
        if value[: len(DATA)].lower() == DATA:
            await asyncio.to_thread(_unpack, value.partition(BASE64)[2], into, spooled)
            return Origin.INLINE
        if is_film_of_task(item):
            return await self._from_blob(await self._film(owner, value.removeprefix(FILM_OF_TASK)), into)
        key = self.own_links.key_of(value, self.clock.now().timestamp())
        if key is not None:
            return await self._from_blob(key, into)
        await self.fetcher.fetch(value, into, most_bytes=most_bytes)
        return Origin.WEB

    async def _film(self, owner: str, task_id: str) -> str:
        """Return the key of the film of a task, which was there when the request was examined."""
        task = await self.store.get(owner, task_id)
        if task is None or task.film is None:
            raise NotFetched("the task that made the film is gone")
        return task.film.video_blob

    async def _from_blob(self, key: str, into: Path) -> Origin:
        try:
            try:
                stored = await self.blobs.local_copy(key, into.parent)
            except FileNotFoundError:
                if not await self.make(key):
                    raise
                stored = await self.blobs.local_copy(key, into.parent)
            await asyncio.to_thread(same_bytes, stored, into)
        except (FileNotFoundError, NotFound) as error:
            raise NotFetched("the stored bytes are gone") from error
        # A medium that somebody gave us has a link as well, and did not become ours by it.
        return Origin.WEB if is_medium_key(key) else Origin.OWN_FILM


def _unpack(payload: str, into: Path, spooled: Spooled) -> None:
    """Write the bytes of a data URL. Blocks.

    Raises: BadData.
    """
    if payload.startswith(SPOOLED) and payload in spooled:
        same_bytes(spooled[payload], into)
        return
    try:
        into.write_bytes(from_base64(payload))
    except ValueError as error:
        raise BadData(NOT_BASE64) from error


def from_base64(text: str) -> bytes:
    """Return the bytes that a text spells; line ends are passed over, as where a large body is read: `json_spool`.

    Raises: ValueError.
    """
    return binascii.a2b_base64(text.encode("ascii").translate(None, b"\r\n"), strict_mode=True)


def same_bytes(stored: Path, into: Path) -> None:
    """Make a file of the same bytes that can be moved away: another name where the file system has it, else a copy."""
    try:
        os.link(stored, into)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(stored, into)
