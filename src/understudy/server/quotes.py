"""The answer to a quote: ours, the same in every dialect but for the request, which is in the caller's own words."""

from decimal import Decimal

import msgspec

from understudy.core.task import LedgerEntry
from understudy.dialects.codec import Codec
from understudy.service.quote import Quote

MICROS = Decimal(1_000_000)


class Violated(msgspec.Struct):
    """One thing that is wrong with the request."""

    code: str
    param: str
    message: str


class Advised(msgspec.Struct):
    """One field that would be ignored, rewritten or without effect."""

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
    warnings: list[Advised]
    at_most: Price | None


def encode_quote(quote: Quote, codec: Codec) -> bytes:
    """Write a quote."""
    encoded = None if quote.request is None else codec.encode_request(quote.request)
    body = QuoteBody(
        object="quote",
        dialect=codec.name,
        engine=quote.engine,
        is_acceptable=not quote.violations,
        request=None if encoded is None else msgspec.Raw(encoded.body),
        violations=[Violated(each.code, each.param, each.message) for each in quote.violations],
        warnings=[Advised(each.param, each.message) for each in quote.warnings],
        at_most=None if quote.cost is None else _price(quote.cost),
    )
    return msgspec.json.encode(body)


def _price(cost: LedgerEntry) -> Price:
    amount = (Decimal(cost.amount_micros) / MICROS).normalize()
    return Price(cost.currency, f"{amount:f}", cost.amount_micros, cost.completion_tokens)
