"""Where blobs are kept: the data directory, or what a URL names."""

from pathlib import Path

from understudy.core.ports import BlobStore
from understudy.storage.blobs import LocalBlobStore
from understudy.storage.cannot_open import CannotOpen

SCHEMES = ("s3", "gs", "az")
_FOLDER = "blobs"


def open_blobs(url: str, data_dir: Path) -> BlobStore:
    """Open the store. url: ``s3://bucket/prefix``, ``gs://bucket/prefix`` or ``az://container/prefix``; "" = local.

    Keys, region and endpoint of an object store come from its own usual variables, such as ``AWS_ACCESS_KEY_ID``.

    Raises: CannotOpen.
    """
    if not url:
        try:
            return LocalBlobStore(data_dir / _FOLDER)
        except OSError as error:
            raise CannotOpen(f"cannot use the directory {data_dir / _FOLDER}: {error}") from error
    scheme, separator, place = url.partition("://")
    if scheme not in SCHEMES or not separator or not place.strip("/"):
        known = ", ".join(f"{each}://" for each in SCHEMES)
        raise CannotOpen(f"the setting blobs is {url!r}: it must begin with one of {known} and name a bucket")
    try:
        from understudy.storage.object_blobs import ObjectBlobStore  # an extra, for whoever wants it
    except ImportError as error:
        message = f"{scheme}:// needs the package obstore: install it with pip install 'understudy[objects]'"
        raise CannotOpen(message) from error
    return ObjectBlobStore.opened(url)
