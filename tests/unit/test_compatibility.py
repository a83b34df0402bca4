"""The compatibility table is what the code does today, and no field of any dialect is passed over in silence."""

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from understudy.dialects.codec import Codec, Decoded
from understudy.dialects.registry import CODECS

ROOT = Path(__file__).parent.parent.parent
each_dialect = pytest.mark.parametrize("codec", CODECS.values(), ids=lambda codec: codec.name)


def loaded() -> ModuleType:
    """Return the script as a module; it is no part of the package."""
    path = ROOT / "scripts/compatibility.py"
    spec = importlib.util.spec_from_file_location("compatibility", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SCRIPT = loaded()


def cells(codec: Codec, asked: Codec | None = None) -> dict[str, list[str]]:
    """Return the table of a dialect. asked: who is asked in its place."""
    columns = SCRIPT.judges().values()
    return {
        row.name: [SCRIPT.cell(asked or codec, judge, model=model, row=row) for judge, model in columns]
        for row in SCRIPT.rows(codec)
    }


def test_the_table_is_that_of_the_code() -> None:
    written = (ROOT / "docs/reference/compatibility.md").read_text(encoding="utf-8")
    assert written == SCRIPT.table(), "the table is stale: run scripts/compatibility.py"


@each_dialect
def test_no_field_is_passed_over_in_silence(codec: Codec) -> None:
    assert {name: found for name, found in cells(codec).items() if SCRIPT.NOT_SEEN in "".join(found)} == {}


def test_a_codec_that_drops_a_field_in_silence_is_found() -> None:
    class Forgetful:
        """APIMart's codec without an ear for the seed."""

        def __getattr__(self, name: str) -> Any:
            return getattr(CODECS["apimart"], name)

        def decode_request(self, fields: Mapping[str, Any]) -> Decoded:
            return CODECS["apimart"].decode_request({key: fields[key] for key in fields if key != "seed"})

    codec: Any = Forgetful()
    found = cells(CODECS["apimart"], asked=codec)
    assert {name for name, row in found.items() if SCRIPT.NOT_SEEN in "".join(row)} == {"`seed`"}


@each_dialect
def test_a_key_that_a_dialect_does_not_have_is_told(codec: Codec) -> None:
    strangers = {name: set(found) for name, found in cells(codec).items() if name.startswith(SCRIPT.STRANGER)}
    assert SCRIPT.STRANGER in strangers
    assert all(found == {SCRIPT.WARNED} for found in strangers.values()), strangers


def test_each_outcome_is_met() -> None:
    ark = cells(CODECS["ark"])
    assert ark["`watermark`"] == ["honoured"] * 5
    assert ark["`callback_url`"] == ["honoured"] * 5
    assert ark["`frames`"] == ["refused"] * 4 + ["honoured"]
    assert ark["`tools`"] == ["warned", "honoured", "honoured", "refused", "refused"]
    assert ark["`draft`"][1:3] == ["honoured: `false`; refused: `true`", "honoured"]
