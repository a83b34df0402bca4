"""Whether a file can be a super-resolution model, found out without loading it: the server asks when it starts."""

import json
from pathlib import Path

ENDING = ".safetensors"
SIZE_MAX_BYTES = 4 << 30
"""Several times the largest network that is made for this; above are models of other kinds."""

HEADER_MAX_BYTES = 100_000_000
"""What safetensors itself reads at most."""

LENGTH_BYTES = 8


def check_enlarger(file: Path) -> None:
    """Refuse what is no file of weights, or too large to be a super-resolution model; which one it is stays open.

    Weights of other formats may run code when they are read.

    Raises: ValueError with a sentence for the operator.
    """
    if file.suffix.lower() != ENDING:
        raise ValueError(f"The super-resolution model {file} has to be a {ENDING} file; others may run code.")
    try:
        size_bytes = file.stat().st_size
        with file.open("rb") as opened:
            length_bytes = int.from_bytes(opened.read(LENGTH_BYTES), "little")
            header = opened.read(length_bytes) if length_bytes <= min(size_bytes, HEADER_MAX_BYTES) else b""
    except OSError as error:
        raise ValueError(f"The super-resolution model {file} cannot be read: {error.strerror or error}.") from error
    if size_bytes > SIZE_MAX_BYTES:
        message = f"has {size_bytes / 1e9:.1f} GB; no super-resolution model has more than {SIZE_MAX_BYTES / 1e9:.1f}"
        raise ValueError(f"The super-resolution model {file} {message}.")
    if not _is_whole(header, size_bytes - LENGTH_BYTES - length_bytes):
        raise ValueError(f"The super-resolution model {file} is no whole {ENDING} file.")


def _is_whole(header: bytes, content_bytes: int) -> bool:
    """Say whether the header can be read and all that it tells of is there."""
    try:
        told = json.loads(header)
        ends = [each["data_offsets"][1] for name, each in told.items() if name != "__metadata__"]
        return bool(ends) and max(ends) == content_bytes
    except (ValueError, AttributeError, KeyError, TypeError, IndexError):
        return False
