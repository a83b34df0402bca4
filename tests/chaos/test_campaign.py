"""A short crash campaign on each database: everything is broken once at least, and every promise is kept.

The long form is run by hand, see docs/guides/reliability.md.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import chaos.check
from chaos.check import figures_of, flaws_of, read

pytestmark = pytest.mark.full

TESTS = Path(__file__).parent.parent
KILLS = 8


def campaign(folder: Path, *flags: str) -> list[dict[str, Any]]:
    """Run a campaign in a process of its own and return its history; what it says is shown when a test fails."""
    command = (sys.executable, "-m", "chaos.campaign", "--folder", str(folder), "--kills", str(KILLS), *flags)
    ended = subprocess.run(command, cwd=TESTS, capture_output=True, text=True, timeout=500)
    print(ended.stdout, ended.stderr)
    assert (folder / "history.jsonl").exists()
    return read(folder / "history.jsonl")
