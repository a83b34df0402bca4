"""Which structs a wire body is made of: for the description of the API, and for suites that judge what was encoded."""

from typing import Any

from msgspec import inspect


def structs_of(*shapes: Any) -> tuple[type, ...]:
    """Return every struct that bodies of these types can hold, at every depth, outer ones first."""
    found: dict[type, None] = {}
    waiting: list[Any] = list(inspect.multi_type_info(shapes))
    while waiting:
        described = waiting.pop(0)
        if isinstance(described, inspect.StructType):
            if described.cls not in found:
                found[described.cls] = None
                waiting += [field.type for field in described.fields]
            continue
        inner = (getattr(described, name, None) for name in ("item_type", "key_type", "value_type"))
        waiting += [each for each in inner if each is not None]
        waiting += [*getattr(described, "types", ()), *getattr(described, "item_types", ())]
    return tuple(found)
