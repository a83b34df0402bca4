"""What the server needs from the rest of the house: one frozen value, built where the adapters are chosen."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from understudy.core.ports import BlobStore, Clock
from understudy.core.task import Film
from understudy.dialects.codec import Codec
from understudy.server.auth import KeyRing
from understudy.server.closing import Closing
from understudy.server.links import LinkSigner
from understudy.service.assets import AssetLibrary
from understudy.service.callback_log import CallbackLog
from understudy.service.changes import Changes
from understudy.service.outlook import Rooms
from understudy.service.query import Queries
from understudy.service.quote import Quoter
from understudy.service.rehearsal import ClockMover
from understudy.service.submit import Submitter
from understudy.service.uploads import Uploads


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one client may take of the server; every wait and every buffer has a bound.

    head_timeout_s: from the opening of a connection, or the first byte of a later request, to the end of its headers.
    head_bytes: request line and headers. body_timeout_s: from the headers to the end of the body.
    large_body_bytes: of bodies above it the media are written to disk while they arrive, bodies_spooled_at_once of them
    at once; those whose rest is above it still take one of large_bodies_at_once, so that memory stays bounded. A body
    that waits longer than large_body_wait_s for its place is told to come back. That wait counts as body time.
    body_pace_bytes, body_pace_s: so many bytes of a large body must come in so many seconds of waiting for them, or its
    place goes to another.
    idle_timeout_s: how long a connection may stay open between requests, or with a client that takes nothing of its
    answer. connections: open at the same time.
    """

    head_timeout_s: float = 15.0
    head_bytes: int = 64 * 1024
    body_timeout_s: float = 60.0
    large_body_bytes: int = 1024 * 1024
    large_bodies_at_once: int = 2
    bodies_spooled_at_once: int = 8
    body_pace_bytes: int = 64 * 1024
    body_pace_s: float = 10.0
    large_body_wait_s: float = 20.0
    idle_timeout_s: float = 75.0
    connections: int = 2000


class Stills(Protocol):
    """Makes pictures of films."""

    async def blob_of(self, film: Film, variant: str) -> str:
        """Return the blob key of a picture of the film, made on first use. variant: "thumbnail" or "spritesheet".

        Raises: Rejected for another variant; Unavailable when it cannot be made.
        """
        ...

    async def make(self, key: str) -> bool:
        """Make the picture of this blob key, if there can be one: a link to it is told before there is. Says whether.

        Raises: NotFound when its film is gone; Unavailable when it cannot be made.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """The running service as the routes see it.

    codecs: by name, "ark" among them; it also spells the errors of paths that belong to no dialect.
    request_id: makes a fresh id for each request. start, stop: called once, around serving.
    is_ready: whether tasks would be rendered now. public_url: scheme, host and path prefix under which clients reach
    the server, without a trailing slash; None = whatever host the client asked for.
    preferred_dialect: a key of `dialects.select.MOUNTS`, meant where a path leaves it open. is_strict: warnings are
    violations unless the request says otherwise. stills: makes a film's thumbnail and sprite sheet.
    is_access_logged: one line per request at level INFO. uploads: files that come in pieces; None = not taken.
    spool_dir: where the media of large bodies are written; None = a temporary directory. clock_mover: None = the clock
    goes by itself alone. callbacks: what was told to callers' addresses; None = nothing is.
    rooms: where films are made, as far as it is known. closing: begins when the server takes no more requests.
    """

    submitter: Submitter
    stills: Stills
    quoter: Quoter
    changes: Changes
    assets: AssetLibrary
    queries: Queries
    codecs: Mapping[str, Codec]
    keys: KeyRing
    blobs: BlobStore
    links: LinkSigner
    clock: Clock
    request_id: Callable[[], str]
    start: Callable[[], Awaitable[None]]
    stop: Callable[[], Awaitable[None]]
    is_ready: Callable[[], bool]
    limits: Limits
    uploads: Uploads | None = None
    spool_dir: Path | None = None
    clock_mover: ClockMover | None = None
    callbacks: CallbackLog | None = None
    public_url: str | None = None
    preferred_dialect: str | None = None
    is_strict: bool = False
    is_access_logged: bool = False
    rooms: Rooms = field(default_factory=Rooms)
    closing: Closing = field(default_factory=Closing)
