"""Whether what a codec writes is what its shapes say, for the suite of dialects."""

import json
from collections.abc import Iterator, Set
from typing import Any

import msgspec
import msgspec.structs

from understudy.dialects.struct_types import structs_of


def keys_of(shape: type) -> tuple[str, ...]:
    """Return the keys of a struct, as they are on the wire."""
    return tuple(field.encode_name for field in msgspec.structs.fields(shape))


def unlike_shape(body: bytes, shape: type) -> str:
    """Say how a body differs from its struct; empty = it does not, to the last key."""
    try:
        value: Any = msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        return str(error)
    said, known = json.loads(body), json.loads(msgspec.json.encode(value))
    return "" if _without_nulls(said) == _without_nulls(known) else f"{said} has keys that {shape.__name__} has not"


def with_null(body: bytes, allowed: Set[str]) -> list[str]:
    """Return the keys whose value is null although the dialect leaves out what is not there."""
    return sorted(set(_null_keys(json.loads(body))) - allowed)


def undescribed(*shapes: type) -> list[str]:
    """Return the names of the structs, inner ones included, that have no docstring, and of what is no struct."""
    found = [str(shape) for shape in shapes if not issubclass(shape, msgspec.Struct)]
    return found + sorted({struct.__name__ for struct in structs_of(*shapes) if not struct.__dict__.get("__doc__")})


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(each) for key, each in value.items() if each is not None}
    return [_without_nulls(each) for each in value] if isinstance(value, list) else value


def _null_keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (key for key, each in value.items() if each is None)
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _null_keys(each)
