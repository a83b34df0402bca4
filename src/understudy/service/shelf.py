"""The shelf: from bytes in a file to a stored medium. What requests bring and what the library registers goes this way.

The same bytes are measured and stored once, whoever brings them; they are judged each time, because what is allowed
depends on who asks and for what.
"""

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from understudy.core.errors import Unavailable, Violation
from understudy.core.media import MediaFacts, MediaStore, Medium, Origin, Prober, Reservation
from understudy.core.modality import Modality
from understudy.core.ports import BlobStore, Clock
from understudy.service.turns import Turns

FOLDER = "media"
"""What the keys of stored media begin with; a shelf whose blobs lie beside those of others adds a name of its own."""

RESERVED = timedelta(hours=1)
"""How long bytes stay without a task or an asset that uses them: far longer than a request takes to be stored, and a
client that comes back with the same media after a refusal finds them measured."""

LOOKS_MOST = 40
LOOK_PAUSE_S = 0.05
"""Bytes that are being removed are gone within a moment; after two seconds something is wrong."""


def is_medium_key(key: str) -> bool:
    """Say whether a blob is a stored medium, on whoever's shelf; else it belongs to a film."""
    return key.partition("/")[0].partition("-")[0] == FOLDER


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A file whose bytes are reserved and measured. is_stored: they are stored already, the file is not needed."""

    path: Path
    sha256: str
    facts: MediaFacts
    is_stored: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Takes files in. Which of the ports are files, object stores or databases is not known here.

    turns: as many files are read at a time; a file made to be slow holds up its owner's others first.
    folder: what the keys begin with. Who else puts media there must share the record of who needs them.
    """

    media: MediaStore
    blobs: BlobStore
    prober: Prober
    clock: Clock
    turns: Turns
    folder: str = FOLDER

    async def measure(self, path: Path, modality: Modality, *, owner: str) -> Measured:
        """Reserve and measure a file without storing it: what belongs together is stored once all of it may be.

        Raises: core.media.Unreadable; Unavailable.
        """
        sha256 = await asyncio.to_thread(sha256_of, path)
        known = await self._reserve(sha256)
        if known is not None and known.modality is modality:
            # The operator may have moved to another store, or lost a part of one: then who brings the bytes mends it.
            is_stored = await self.blobs.stat(self._key(sha256, known)) is not None
            return Measured(path=path, sha256=sha256, facts=known, is_stored=is_stored)
        # Bytes that are known as something else are measured once more, so that it is the prober who says what is
        # wrong; nothing is stored for the second time.
        facts = await self.probe(path, modality, owner=owner)
        return Measured(path=path, sha256=sha256, facts=facts, is_stored=False)

    async def probe(self, path: Path, modality: Modality, *, owner: str) -> MediaFacts:
        """Return what a file is, when it is the owner's turn.

        Raises: core.media.Unreadable; Unavailable.
        """
        async with self.turns.turn(owner):
            return await self.prober.probe(path, modality)

    async def keep(self, measured: Measured, origin: Origin) -> Medium:
        """Store a measured file, unless its bytes are stored already.

        Raises: Unavailable when it cannot be stored now.
        """
        key = self._key(measured.sha256, measured.facts)
        if not measured.is_stored:
            record = await self.media.coming(measured.sha256, key)
            await self.blobs.put(measured.path, key)
            await self.media.arrived(measured.sha256, key, measured.facts, record=record)
        return Medium(key=key, sha256=measured.sha256, origin=origin, facts=measured.facts)

    def _key(self, sha256: str, facts: MediaFacts) -> str:
        """Return the blob key of a medium, which follows from its bytes alone."""
        return f"{self.folder}/{sha256}.{facts.container}"

    async def _reserve(self, sha256: str) -> MediaFacts | None:
        """Ask for the bytes to stay; the facts of those that are known.

        Raises: Unavailable.
        """
        for _ in range(LOOKS_MOST):
            reserved = await self.media.reserve(sha256, self.clock.now() + RESERVED)
            if reserved.what is not Reservation.LEAVING:
                return reserved.facts
            await asyncio.sleep(LOOK_PAUSE_S)
        message = "The server cannot serve the request now: the same media are being removed, please try again."
        raise Unavailable(Violation("ServiceUnavailable", "", message))


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal. Blocks: call it in a thread."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
