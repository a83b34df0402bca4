"""Keys of a request that nobody reads, found by the struct that the request is read with, at every depth."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

from understudy.dialects.json_body import shown


def unread_keys(given: Mapping[str, Any], shape: type[msgspec.Struct], prefix: str = "") -> list[str]:
    """Return the paths of the keys that the struct does not have, outer ones first, in the caller's order.

    A key whose value is null is absent, as everywhere.

    given: an object that `json_body.convert` has taken. prefix: before each path, with its dot.
    """
    known, inner = _keys_of(shape)
    found: list[str] = []
    if not given.keys() <= known:
        found = [f"{prefix}{shown(key)}" for key, value in given.items() if key not in known and value is not None]
    for key in [key for key in given if key in inner]:
        value, struct = given[key], inner[key]
        if isinstance(value, dict):
            found += unread_keys(value, struct, f"{prefix}{key}.")
        elif isinstance(value, list):
            for index, each in enumerate(value):
                if isinstance(each, dict):
                    found += unread_keys(each, struct, f"{prefix}{key}[{index}].")
    return found


@cache
def _keys_of(shape: type[msgspec.Struct]) -> tuple[frozenset[str], Mapping[str, type[msgspec.Struct]]]:
    """Return a struct's keys, and the structs of those that hold some, alone or in lists."""
    described = inspect.type_info(shape)
    assert isinstance(described, inspect.StructType)
    inner = {field.encode_name: struct for field in described.fields if (struct := _struct_in(field.type))}
    return frozenset(field.encode_name for field in described.fields), inner


def _struct_in(described: inspect.Type) -> type[msgspec.Struct] | None:
    if isinstance(described, inspect.StructType):
        return described.cls
    if isinstance(described, inspect.ListType):
        return _struct_in(described.item_type)
    if isinstance(described, inspect.UnionType):
        return next((struct for each in described.types if (struct := _struct_in(each))), None)
    return None
