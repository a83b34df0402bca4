"""A short crash campaign on each database: everything is broken at least once, and every promise is kept.

The long form is run by hand, see docs/guides/reliability.md.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chaos.check import figures_of, flaws_of, read

pytestmark = pytest.mark.full

TESTS = Path(__file__).parent.parent
KILLS = 8
ALWAYS = {"kill render", "stop program", "pause program", "fill disk"}
"""Faults that every campaign has seen, whatever its seed draws beside them."""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short name that others may enter: PostgreSQL runs as somebody else, and its socket is there."""
    with tempfile.TemporaryDirectory(prefix="chaos-") as name:
        Path(name).chmod(0o755)
        yield Path(name) / "run"


def campaign(folder: Path, *flags: str) -> list[dict[str, Any]]:
    """Run a campaign in a process of its own and return its history; what it said is shown when a test fails."""
    bounds = ("--kills", str(KILLS), "--minutes", "2", "--pause-s", "0.5", "--rate", "3")
    command = (sys.executable, "-m", "chaos.campaign", "--folder", str(folder), *bounds, *flags)
    ended = subprocess.run(command, cwd=TESTS, capture_output=True, text=True, timeout=500)
    sys.stdout.write(ended.stdout + ended.stderr)
    return read(folder / "history.jsonl")


@pytest.mark.parametrize(
    "flags", [("--database", "sqlite"), ("--database", "postgres", "--bucket")], ids=lambda f: f[1]
)
def test_every_promise_is_kept_whatever_breaks(folder: Path, flags: tuple[str, ...]) -> None:
    history = campaign(folder, *flags, "--seed", "11")
    assert flaws_of(history) == []
    figures = figures_of(history)
    assert figures["kills"] >= KILLS
    assert figures["faults"].keys() >= ALWAYS
    assert figures["ends"]["succeeded"] > KILLS
    assert figures["callbacks acknowledged"] > 0


FOUND_BY = {
    "double-claim": "double claim",
    "lost-callback": "lost callback",
    "double-posting": "one charge",
    "lost-result": "lost result",
}
"""Bug of `chaos.careless` -> the rule that finds it."""


@pytest.mark.long
@pytest.mark.parametrize("bug", FOUND_BY)
def test_a_bug_in_the_product_is_found(folder: Path, bug: str) -> None:
    history = campaign(folder, "--database", "sqlite", "--kills", "1", "--bug", bug)
    assert FOUND_BY[bug] in {flaw.rule for flaw in flaws_of(history)}
