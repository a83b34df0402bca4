"""Warnings on the wire: an addition of ours that has the same form in every dialect."""

from collections.abc import Sequence
from typing import Any

import msgspec

from understudy.core.task import Warned


class Advice(msgspec.Struct):
    """One warning: a field that was ignored, rewritten or has no effect, and why."""

    param: str
    message: str


def advice_of(warnings: Sequence[Warned]) -> list[Advice]:
    """Write warnings."""
    return [Advice(warned.param, warned.message) for warned in warnings]


def warned_of(told: Any) -> tuple[Warned, ...]:
    """Read what an answer has under ``warnings``; other servers may have something else there, which is passed over."""
    listed = [each for each in told if isinstance(each, dict)] if isinstance(told, list) else []
    return tuple(
        Warned(param=each["param"], message=each["message"])
        for each in listed
        if isinstance(each.get("param"), str) and isinstance(each.get("message"), str)
    )
