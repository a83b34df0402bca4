"""Clocks that jump: each program of a campaign sees the machine's wall clock through a file that moves it.

The library that does it is compiled from `clock_shift.c`; where there is no C compiler, no clock jumps, and the
campaign says so.
"""

import os
import shutil
import struct
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("clock_shift.c")
SECOND_NS = 1_000_000_000


def compiled(folder: Path) -> Path | None:
    """Return the library, or None where it cannot be made."""
    compiler = shutil.which("cc")
    library = folder / "clock_shift.so"
    if compiler is None:
        return None
    made = subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, SOURCE], capture_output=True, text=True)
    return library if made.returncode == 0 else None


class ShiftedClock:
    """The wall clock of one program, across its restarts."""

    def __init__(self, library: Path, file: Path) -> None:
        self._library = library
        self._file = file
        self.set(0.0)

    @property
    def environ(self) -> dict[str, str]:
        """What the program is started with."""
        return {"LD_PRELOAD": str(self._library), "CHAOS_CLOCK": str(self._file)}

    def set(self, shift_s: float) -> None:
        """Put it ahead of the machine's, or behind it when negative; in one write, because others are reading."""
        descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.pwrite(descriptor, struct.pack("=q", round(shift_s * SECOND_NS)), 0)
        finally:
            os.close(descriptor)
