"""Media as the request carries them once they were taken in: what was measured of a file, and where its bytes are kept.

Measuring is `media.inspect_file`'s, in the sandbox, judging `media_rules`'; fetching, storing and giving to an engine
belong to others.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from understudy.core.modality import Modality

SPOOLED = "spooled/"
"""What stands behind ``;base64,`` in a data URL whose bytes were written to a file while the body was read.

``data:image/png;base64,spooled/<token>/<number>``: the token is drawn for each request and told to nobody, so that
only the server can make such an address; all that follows ``;base64,`` is a key of the request's `Spooled`.
"""

DAMAGED = "?"
"""What stands behind ``;base64,`` in a data URL whose bytes were to be written to a file and are no base64."""

Spooled = Mapping[str, Path]
"""``spooled/<token>/<number>`` -> a file with the decoded bytes, which lives as long as the request is answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaFacts:
    """What was measured of one file, by its content and never by its name. What a kind does not have is 0 or "".

    container: "png", "jpeg", "webp", "bmp", "tiff", "gif", "heic", "mp4", "mov", "wav", "mp3".
    width_px, height_px: as it is shown, after rotation and with square pixels. num_frames: pictures in the file.
    duration_s: of what is shown or heard, the longest track. fps: pictures per second on average.
    video_codec, audio_codec: FFmpeg's names. audio_tracks: how many; the first one is what is measured and heard.
    is_variable_rate: pictures do not follow each other in equal steps. rotation_deg: 0, 90, 180 or 270, clockwise, that
    a player must turn the stored pictures by.
    """

    modality: Modality
    container: str
    media_type: str
    size_bytes: int
    width_px: int = 0
    height_px: int = 0
    num_frames: int = 0
    duration_s: float = 0.0
    fps: float = 0.0
    video_codec: str = ""
    pix_fmt: str = ""
    audio_codec: str = ""
    audio_tracks: int = 0
    sample_rate_hz: int = 0
    channels: int = 0
    has_alpha: bool = False
    is_animated: bool = False
    is_variable_rate: bool = False
    rotation_deg: int = 0


class Origin(StrEnum):
    """Where a medium came from; what the owner's library and this server made need not be looked at for faces."""

    WEB = "web"
    INLINE = "inline"
    ASSET = "asset"
    OWN_FILM = "own_film"


@dataclass(frozen=True, slots=True, kw_only=True)
class Medium:
    """One stored input. key: of the blob store. sha256: of the bytes, in hexadecimal."""

    key: str
    sha256: str
    origin: Origin
    facts: MediaFacts


class Unreadable(Exception):
    """The file is not what it should be, or reading it took too much. reason: a phrase for the caller, no full stop."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotFetched(Exception):
    """The bytes could not be had. reason: for the log and, where it is the caller's own business, for the caller."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TooLarge(NotFetched):
    """There are more bytes than may be taken. It says nothing of a network that the caller may not look into."""


class Prober(Protocol):
    """Measures files, outside the server's own process."""

    async def probe(self, path: Path, modality: Modality) -> MediaFacts:
        """Return what was measured of a file that is to be an image, a video or an audio.

        Raises: Unreadable: of another kind, damaged, a bomb, or too slow to read.
        """
        ...


class Fetcher(Protocol):
    """Brings the bytes behind a web address into a file."""

    async def fetch(self, url: str, into: Path, *, most_bytes: int) -> int:
        """Write what is there to a new file and return its size in bytes; nothing is left behind when it fails.

        How long it may take is the caller's to say, by cancelling.

        Raises: NotFetched, of which TooLarge is one.
        """
        ...


class Reservation(StrEnum):
    """What became of the wish to use stored bytes: `MediaStore.reserve`."""

    KNOWN = "known"
    NEW = "new"
    LEAVING = "leaving"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserved:
    """The answer to a reservation. facts: of bytes that are known.

    known: the bytes are stored and stay so until the moment that was asked for. new: they are the caller's to store
    and then to be told with `MediaStore.arrived`. leaving: they are being removed; ask again in a moment.
    """

    what: Reservation
    facts: MediaFacts | None = None


class MediaStore(Protocol):
    """The record of stored inputs by their SHA-256, and of who needs them. Every method is one durable transaction.

    Who needs a medium is written where a task or an asset is written, and removed with it; a medium that nobody needs
    is kept until its reservation ends.
    """

    async def reserve(self, sha256: str, until: datetime) -> Reserved:
        """Ask for bytes to stay at least until the moment; of those unknown, that they are coming is recorded."""
        ...

    async def coming(self, sha256: str, key: str) -> int:
        """Record under which key reserved bytes are about to be stored, so that a crash leaves none behind.

        Returns the number of the record, for `arrived`: bytes that were removed since then did not arrive.

        Raises: Unavailable when the reservation is over and the bytes are being removed, or are gone.
        """
        ...

    async def arrived(self, sha256: str, key: str, facts: MediaFacts, *, record: int) -> None:
        """Record that the bytes are stored under the key; facts are kept for the next who brings them.

        Bytes that were removed meanwhile, because their reservation is over, are removed once more; a task that would
        use them is refused. record: what `coming` returned.
        """
        ...

    async def take_unused(self, now: datetime, most: int) -> Mapping[str, str]:
        """Mark media that nobody needs, reservation over, as leaving; return sha256 -> key of at most so many.

        Those that were marked before and never `left` are among them.
        """
        ...

    async def left(self, sha256: str) -> None:
        """Forget a medium whose bytes were removed."""
        ...

    async def remember_film(self, sha256: str) -> None:
        """Record that a film of these bytes was made here."""
        ...

    async def is_own_film(self, sha256: str) -> bool:
        """Say whether a film of these bytes was made here."""
        ...
