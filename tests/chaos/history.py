"""The history of a campaign: one JSON line for each thing that was done or seen, appended and never changed.

`check` says what the events are. Moments are those of the machine's monotonic clock, which all its processes share and
which nothing can turn back.
"""

import json
import os
import time
from pathlib import Path
from typing import Any


def now_s() -> float:
    """Return the moment as all processes of the machine see it."""
    return time.clock_gettime(time.CLOCK_MONOTONIC)


class HistoryFile:
    """The file. Each line is one write at its end, so that what was written before a crash of the campaign stays."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_TRUNC, 0o600)

    def note(self, kind: str, **fields: Any) -> None:
        """Append an event of now."""
        self.add({"kind": kind, "at": now_s(), **fields})

    def add(self, event: dict[str, Any]) -> None:
        """Append an event that has its moment."""
        os.write(self._descriptor, json.dumps(event).encode() + b"\n")

    def merge(self, path: Path) -> None:
        """Append the events of another file of this form. A line that a kill cut short is left out."""
        if not path.exists():
            return
        for line in path.read_bytes().splitlines():
            try:
                self.add(json.loads(line))
            except ValueError:
                self.note("torn", line=line.decode("utf-8", "replace"))

    def close(self) -> None:
        os.close(self._descriptor)
