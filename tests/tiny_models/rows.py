"""An operator's own recipes as the file that a server is given."""

import json
from collections.abc import Mapping
from typing import Any


def as_toml(rows: Mapping[str, Any]) -> str:
    """Write nested tables as TOML: two levels of headers, all below inline."""
    lines = []
    for kind, named in rows.items():
        for name, row in named.items():
            lines += [f"[{kind}.{json.dumps(name)}]", *(f"{key} = {_value(value)}" for key, value in row.items())]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        inside = ", ".join(f"{json.dumps(str(key))} = {_value(each)}" for key, each in value.items())
        return "{ " + inside + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(each) for each in value) + "]"
    # Strings, numbers and booleans are written alike in JSON and TOML.
    return json.dumps(value)
