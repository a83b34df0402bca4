"""Where blobs are kept: the data directory, or what a URL names."""

from pathlib import Path

from understudy.core.ports import BlobStore
from understudy.storage.blobs import LocalBlobStore
from understudy.storage.cannot_open import CannotOpen

SCHEMES = ("s3", "gs", "az", "file")
_FOLDER = "blobs"


def open_blobs(url: str, data_dir: Path) -> BlobStore:
    """Open the store. url: ``s3://bucket/prefix``, ``gs://bucket/prefix`` or ``az://container/prefix``; "" = local.

    ``file:///folder`` is a folder that several servers share, on a file system that all of them have mounted. Keys,
    region and endpoint of an object store come from its own usual variables, such as ``AWS_ACCESS_KEY_ID``.

    Raises: CannotOpen.
    """
    scheme, separator, place = url.partition("://")
    if not url or (scheme == "file" and place.startswith("/") and place.strip("/")):
        folder = Path(place) if url else data_dir / _FOLDER
        try:
            return LocalBlobStore(folder)
        except OSError as error:
            raise CannotOpen(f"cannot use the directory {folder}: {error}") from error
    if scheme not in SCHEMES or scheme == "file" or not separator or not place.strip("/"):
        known = ", ".join(f"{each}://" for each in SCHEMES)
        raise CannotOpen(f"the setting blobs is {url!r}: it must begin with one of {known} and name a bucket or folder")
    try:
        from understudy.storage.object_blobs import ObjectBlobStore  # an extra, for whoever wants it
    except ImportError as error:
        message = f"{scheme}:// needs the package obstore: install it with pip install 'understudy[objects]'"
        raise CannotOpen(message) from error
    return ObjectBlobStore.opened(url)
