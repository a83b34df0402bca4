"""A quote on the wire: ours, the same in every dialect but for the request, which is in the caller's own words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from understudy.core.errors import Violation
from understudy.core.task import Warned
from understudy.dialects.advice import Advice, warned_of


class Violated(msgspec.Struct):
    """One thing that is wrong with the request."""

    code: str
    param: str
    message: str


class Price(msgspec.Struct):
    """The most that the film can cost. amount: decimal, in units of the currency; amount_micros: in millionths."""

    currency: str
    amount: str
    amount_micros: int
    completion_tokens: int


class QuoteBody(msgspec.Struct):
    """What a request would come to. request: resolved, every default written out; null when it could not be read."""

    object: str
    dialect: str
    engine: str
    is_acceptable: bool
    request: msgspec.Raw | None
    violations: list[Violated]
    warnings: list[Advice]
    at_most: Price | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteQuote:
    """What a request would come to, as a client reads it; ``raw`` holds the whole answer.

    request: resolved, in Ark's words; None when the server could not read it. amount_micros: the most that the film
    can cost, in millionths of one unit of ``currency``; None while something is wrong.
    """

    engine: str
    is_acceptable: bool
    violations: tuple[Violation, ...]
    warnings: tuple[Warned, ...]
    request: Mapping[str, Any] | None
    currency: str | None
    amount_micros: int | None
    completion_tokens: int | None
    raw: Mapping[str, Any]


def read_quote(body: bytes) -> RemoteQuote:
    """Read a quote.

    Raises: msgspec.DecodeError, KeyError, TypeError for anything else.
    """
    raw = msgspec.json.decode(body)
    price = raw["at_most"] or {}
    return RemoteQuote(
        engine=raw["engine"],
        is_acceptable=raw["is_acceptable"],
        violations=tuple(Violation(each["code"], each["param"], each["message"]) for each in raw["violations"]),
        warnings=warned_of(raw["warnings"]),
        request=raw["request"],
        currency=price.get("currency"),
        amount_micros=price.get("amount_micros"),
        completion_tokens=price.get("completion_tokens"),
        raw=raw,
    )
