"""A download on its way: bytes gather beside the destination and take its place in one move when they are whole."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

OK = 200
PARTIAL = 206
LABEL_CHARS_MAX = 80


class PartFile:
    """The part file of one download. label: names what is downloaded, so that no other film's part is continued."""

    def __init__(self, destination: Path, *, label: str) -> None:
        self.destination = destination
        safe = re.sub(r"[^A-Za-z0-9_-]", "_", label)[:LABEL_CHARS_MAX]
        self._part = destination.with_name(f".{destination.name}.{safe}.part")
        self._total_bytes: int | None = None

    @property
    def size_bytes(self) -> int:
        """How many bytes are here already."""
        return self._part.stat().st_size if self._part.exists() else 0

    @property
    def is_whole(self) -> bool:
        """Whether all bytes the server announced are here."""
        return self._total_bytes is not None and self.size_bytes == self._total_bytes

    def request_headers(self) -> dict[str, str]:
        """Return the headers that ask for what is missing, byte for byte as stored."""
        wanted = {"Accept-Encoding": "identity"}
        if self.size_bytes:
            wanted["Range"] = f"bytes={self.size_bytes}-"
        return wanted

    def begin(self, status: int, headers: Mapping[str, str]) -> bool:
        """Judge an answer's head; False when its body is not a piece of the file that fits here.

        A server may answer a range with the whole file; the part then starts over.
        """
        if status == OK:
            self.discard()
            self._total_bytes = int(headers["content-length"]) if "content-length" in headers else None
            return True
        found = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", headers.get("content-range", ""))
        if status == PARTIAL and found and int(found[1]) == self.size_bytes:
            self._total_bytes = int(found[2])
            return True
        return False

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """Open the part at its end for writing; durable when left, and whole if the server announced no length."""
        with self._part.open("ab") as sink:
            yield sink
            sink.flush()
            os.fsync(sink.fileno())
        if self._total_bytes is None:
            self._total_bytes = self.size_bytes

    def discard(self) -> None:
        """Forget what is here."""
        self._part.unlink(missing_ok=True)

    def finish(self) -> Path:
        """Move the whole file to its destination, over an older one, and return the destination."""
        self._part.replace(self.destination)
        return self.destination
