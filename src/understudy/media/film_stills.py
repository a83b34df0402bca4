"""Pictures of films as blobs beside them: made on first use, one at a time, and kept as long as the film."""

import asyncio
import logging
import tempfile
from pathlib import Path

from understudy.core.errors import NotFound, Rejected, Unavailable, Violation
from understudy.core.ports import BlobStore
from understudy.core.task import STILLS, Film
from understudy.media.stills import NoStill, Still, StillLimits, make_still
from understudy.service.films import FILM_ENDINGS, VIDEO_NAME

log = logging.getLogger(__name__)

WAIT_TIMEOUT_S = 60.0
"""How long a caller waits for the pictures of others to be made before it is told to come back."""


class FilmStills:
    """Thumbnails and sprite sheets of the films in a blob store."""

    def __init__(self, blobs: BlobStore, limits: StillLimits | None = None) -> None:
        self._blobs = blobs
        self._limits = limits or StillLimits()
        self._one_at_a_time = asyncio.Lock()
        self._in_the_making: dict[str, asyncio.Task[None]] = {}

    async def blob_of(self, film: Film, variant: str) -> str:
        """Return the blob key of a picture of the film. variant: a word of `Still`.

        Raises: Rejected for another variant; NotFound when the film is gone; Unavailable when it cannot be made.
        """
        try:
            still = Still(variant)
        except ValueError:
            words = ", ".join(f"`{word}`" for word in ("video", *Still))
            message = f"The parameter `variant` is not valid: supported values are: {words}."
            raise Rejected(Violation("InvalidParameter", "variant", message)) from None
        key = film.still_blob(still)
        if await self._blobs.stat(key) is None:
            await asyncio.shield(self._make_once(film.video_blob, still, key))
        return key

    async def make(self, key: str) -> bool:
        """Make the picture of this key, if there can be one: a link to it is told before there is. Says whether.

        Raises: Unavailable when it cannot be made.
        """
        folder, _, name = key.rpartition("/")
        still = next((still for still in Still if STILLS[still] == name), None)
        if still is None:
            return False
        for ending in FILM_ENDINGS:
            video_blob = f"{folder}/{VIDEO_NAME}{ending}"
            if await self._blobs.stat(video_blob) is not None:
                await asyncio.shield(self._make_once(video_blob, still, key))
                return True
        return False

    def _make_once(self, video_blob: str, still: Still, key: str) -> asyncio.Task[None]:
        """Return the one making of a picture, which all who want it share, its failure included."""
        making = self._in_the_making.get(key)
        if making is None:
            making = self._in_the_making[key] = asyncio.create_task(self._make(video_blob, still, key))
            making.add_done_callback(lambda _: self._in_the_making.pop(key, None))
        return making

    async def _make(self, video_blob: str, still: Still, key: str) -> None:
        try:
            async with asyncio.timeout(WAIT_TIMEOUT_S):
                await self._one_at_a_time.acquire()
        except TimeoutError:
            raise _not_made("other pictures are being made, please try again") from None
        try:
            with tempfile.TemporaryDirectory(prefix="understudy-still-") as folder:
                try:
                    path = await self._blobs.local_copy(video_blob, Path(folder))
                except FileNotFoundError:
                    raise _gone() from None
                except OSError as error:
                    log.warning("no picture: the film was not brought here: %s", error)
                    raise _not_made("the film could not be read") from error
                picture = await make_still(path, still, self._limits)
                made = Path(folder) / STILLS[still]
                await asyncio.to_thread(made.write_bytes, picture)
                await self._blobs.put(made, key)
            if await self._blobs.stat(video_blob) is None:
                # The film was removed meanwhile, and its pictures with it; this one came too late for that.
                await self._blobs.delete(key)
                raise _gone()
        except NoStill as error:
            log.warning("no picture: %s", error)
            raise _not_made("the film could not be read") from error
        finally:
            self._one_at_a_time.release()


def _gone() -> NotFound:
    return NotFound(Violation("NotFound.File", "", "The film does not exist any more."))


def _not_made(why: str) -> Unavailable:
    return Unavailable(Violation("ServiceUnavailable", "variant", f"The picture could not be made: {why}."))
