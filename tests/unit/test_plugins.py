"""Moderators of installed packages: found by the name of their entry point, and refused in a sentence."""

from pathlib import Path

import pytest

from understudy.bootstrap.plugins import find_moderator
from understudy.core.moderation import Stage
from understudy.settings import SettingsError

MODULE = """
class Strict:
    async def findings(self, stage, owner, shown):
        return [each for each in shown if "forbidden" in each.text]

class Nothing:
    pass

def broken():
    raise RuntimeError("no licence")
"""
ENTRIES = """[understudy.moderators]
strict = a_moderator:Strict
nothing = a_moderator:Nothing
broken = a_moderator:broken
missing = a_moderator:Absent
"""


@pytest.fixture(autouse=True)
def _a_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a_moderator.py").write_text(MODULE, encoding="utf-8")
    told = tmp_path / "a_moderator-1.0.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: a-moderator\nVersion: 1.0\n", encoding="utf-8")
    (told / "entry_points.txt").write_text(ENTRIES, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))


async def test_a_moderator_is_made_by_its_entry_point():
    assert await find_moderator("strict").findings(Stage.INPUT, "o", []) == []


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("mine", "There is no moderator 'mine'; there are broken, missing, nothing, strict."),
        ("nothing", "has no method findings"),
        ("broken", "no licence"),
        ("missing", "cannot be loaded"),
    ],
)
def test_one_that_cannot_be_used_is_refused_in_a_sentence(name: str, sentence: str):
    with pytest.raises(SettingsError, match="moderator") as caught:
        find_moderator(name)
    assert sentence in str(caught.value)
