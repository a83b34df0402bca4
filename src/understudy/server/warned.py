"""What a caller is told beside the answer, at routes that are no task's: a header, or a refusal to the strict."""

import json
from collections.abc import Sequence

from understudy.core.errors import Rejected, Violation
from understudy.core.task import Warned, told_in_brief
from understudy.server.endpoint import Call
from understudy.server.reply import JSON, Header, Reply
from understudy.service.examine import unwanted

_WARNINGS_HEADER_CHARS_MAX = 2048
_YES, _NO = (b"true", b"1", b"yes"), (b"false", b"0", b"no")


def warnings_header(warnings: Sequence[Warned]) -> Header:
    """Return X-Understudy-Warnings: a JSON list in ASCII, cut at whole entries; the task itself lists them all."""
    entries: list[str] = []
    size = 2
    for told, warned in enumerate(warnings):
        entry = json.dumps({"param": warned.param, "message": warned.message})
        size += len(entry) + 2
        if size > _WARNINGS_HEADER_CHARS_MAX:
            entries.append(json.dumps({"param": "", "message": f"and {len(warnings) - told} more"}))
            break
        entries.append(entry)
    return (b"x-understudy-warnings", f"[{', '.join(entries)}]".encode("ascii"))


def asks_strictness(call: Call) -> bool:
    """Read X-Understudy-Strict; without it the server's setting holds.

    Raises: Rejected.
    """
    given = call.headers.get(b"x-understudy-strict")
    if given is None:
        return call.house.is_strict
    word = given.strip().lower()
    if word not in (*_YES, *_NO):
        message = "The header X-Understudy-Strict must be `true` or `false`."
        raise Rejected(Violation("InvalidParameter", "X-Understudy-Strict", message))
    return word in _YES


def strictly_told(call: Call, told: tuple[Warned, ...]) -> tuple[Warned, ...]:
    """Return what was ignored, or refuse it to a strict caller.

    Raises: Rejected.
    """
    told = told_in_brief(told)
    if asks_strictness(call) and told:
        raise Rejected(*unwanted(told))
    return told


def answered(body: bytes, told: Sequence[Warned], *, headers: tuple[Header, ...] = ()) -> Reply:
    """Answer what went well, with what was ignored in the header."""
    return Reply(200, body, (*JSON, *headers, warnings_header(told)) if told else (*JSON, *headers))
