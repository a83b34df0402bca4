"""Pictures of films as blobs beside them: made on first use, kept as long as the film."""

from dataclasses import dataclass

from understudy.core.ports import BlobStore


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmStills:
    """Thumbnails and sprite sheets of the films in a blob store."""

    blobs: BlobStore
