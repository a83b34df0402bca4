"""Reading a JSON request body: one object or one clear violation, whatever the bytes are.

msgspec would be faster but takes the last of two equal keys in silence, so the standard parser looks at every pair.
"""

import codecs
import json
import re
from collections.abc import Mapping, Sequence, Set
from typing import Any, NoReturn, TypeAlias, TypeVar

import msgspec

from understudy.core.case import invalid, missing
from understudy.core.errors import Rejected, Violation

BODY = "body"
_AT = re.compile(r"^(?P<what>.*) - at `\$\.?(?P<path>.*)`$", re.DOTALL)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_SHOWN_CHARS = 80
_SHOWN_STEPS = 10
# Our own bound, far above any request that a model serves: each value costs time and memory many times its bytes.
SEPARATORS_MAX = 50_000
_SEPARATORS = (",", "[", "{")

T = TypeVar("T")


def reject(code: str, param: str, message: str) -> NoReturn:
    """Raise one violation."""
    raise Rejected(Violation(code, param, message))


def reject_value(param: str, reason: str) -> NoReturn:
    """Raise Ark's "The parameter `x` specified in the request is not valid: reason"."""
    raise Rejected(invalid(param, reason))


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                reject_value(shown(key), "the key is given more than once.")
            seen.add(key)
    return found


def _constant(name: str) -> NoReturn:
    reject_value(BODY, f"{name} is not a JSON number.")


_DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_constant=_constant)


def shown(name: str) -> str:
    """Return a caller's key so that it can stand in a message: short, printable."""
    return "".join(char if char.isprintable() else "?" for char in name[:_SHOWN_CHARS])


def read_object(body: bytes) -> dict[str, Any]:
    """Return the body's JSON object; keys whose value is null are left out, because null means absent.

    Raises: Rejected for anything that is not one well-formed object of storable text.
    """
    if not body or body.isspace():
        reject_value(BODY, "it is empty, a JSON object is expected.")
    return read_text(text_of(body))


def text_of(body: bytes | bytearray) -> str:
    """Return a body's text, without the mark of its byte order.

    Raises: Rejected.
    """
    try:
        # A prefix is cut only where there is one: of a bytearray it would cost a copy.
        return (body[len(codecs.BOM_UTF8) :] if body.startswith(codecs.BOM_UTF8) else body).decode()
    except UnicodeDecodeError as error:
        reject_value(BODY, f"it is not UTF-8 text (byte {error.start}).")


def read_text(text: str) -> dict[str, Any]:
    """Return the object that a text spells, as `read_object` does of a body.

    Raises: Rejected.
    """
    text = text.lstrip(" \t\r\n")
    if not text:
        reject_value(BODY, "it is empty, a JSON object is expected.")
    refuse_many_values([text])
    try:
        raw, end = _DECODER.raw_decode(text)
    except json.JSONDecodeError as error:
        reject_value(BODY, f"it is not valid JSON: {error.msg} at character {error.pos}.")
    except RecursionError:
        reject_value(BODY, "its JSON is nested too deeply.")
    except ValueError:
        reject_value(BODY, "it holds a number with too many digits.")
    if end < len(text) and text[end:].strip(" \t\r\n"):
        reject_value(BODY, f"it is not valid JSON: something follows the object at character {end}.")
    if not isinstance(raw, dict):
        reject_value(BODY, "a JSON object is expected.")
    if "\\u" in text:
        _refuse_unstorable_text(raw)
    return {key: value for key, value in raw.items() if value is not None}


def refuse_many_values(texts: Sequence[str]) -> None:
    """Refuse JSON of more values than can be read at once. Separators inside strings count: prose has few of them.

    Raises: Rejected.
    """
    if sum(map(len, texts)) > SEPARATORS_MAX:
        given = sum(text.count(separator) for text in texts for separator in _SEPARATORS)
        if given > SEPARATORS_MAX:
            refuse_separators()


def refuse_separators() -> NoReturn:
    """Raise the refusal of JSON of too many values."""
    reject_value(BODY, f"its JSON holds more than {SEPARATORS_MAX} commas and opening brackets.")


def _refuse_unstorable_text(raw: dict[str, Any]) -> None:
    """Refuse NUL and lone surrogates, which JSON can escape and neither a database nor UTF-8 can hold."""
    # Each with its place as (the place of what holds it, its key or index): as texts they would fill the memory.
    waiting: list[tuple[_Place, Any]] = [(None, raw)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, str) and _UNSTORABLE.search(value):
            reject_value(_spelled(place), "the text holds a NUL character or half of a surrogate pair.")
        if isinstance(value, dict):
            for key in value:
                if _UNSTORABLE.search(key):
                    reject_value(_spelled(place), "a key holds a NUL character or half of a surrogate pair.")
            waiting.extend(((place, key), item) for key, item in value.items())
        if isinstance(value, list):
            waiting.extend(((place, index), item) for index, item in enumerate(value))


_Place: TypeAlias = "tuple[_Place, str | int] | None"


def _spelled(place: "_Place") -> str:
    """Return the path of a place, the outermost steps of it where there are many; BODY for the whole."""
    steps: list[str] = []
    while place is not None:
        place, step = place
        steps.append(f"[{step}]" if isinstance(step, int) else f".{shown(step)}")
    return "".join(reversed(steps[-_SHOWN_STEPS:])).removeprefix(".") or BODY


def convert(raw: Mapping[str, Any], shape: type[T], *, is_lenient: bool = False) -> T:
    """Convert a decoded object into a wire struct. is_lenient: numbers and booleans may come as strings.

    Raises: Rejected naming the parameter whose type is wrong.
    """
    try:
        return msgspec.convert(raw, shape, strict=not is_lenient)
    except msgspec.ValidationError as error:
        found = _AT.match(str(error))
        what, path = (found["what"], found["path"]) if found else (str(error), BODY)
        missing = re.match(r"Object missing required field `(.*)`", what)
        if missing:
            absent(".".join(part for part in (path if found else "", missing[1]) if part))
        expected = what.replace(" | null", "")
        reject_value(shown(path) or BODY, f"{expected[:1].lower()}{expected[1:]}.")


def absent(param: str) -> NoReturn:
    """Raise Ark's error for a parameter that is missing."""
    raise Rejected(missing(param))


def unknown_keys(given: Mapping[str, Any], known: Set[str], prefix: str = "") -> list[str]:
    """Return the paths of the keys that the wire struct does not have, in the caller's order."""
    if given.keys() <= known:
        return []
    return [f"{prefix}{shown(key)}" for key in given if key not in known]
