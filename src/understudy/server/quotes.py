"""Writing quotes; their form is `dialects.quote_body`'s."""

from decimal import Decimal

import msgspec

from understudy.core.task import LedgerEntry
from understudy.dialects.advice import advice_of
from understudy.dialects.codec import Codec
from understudy.dialects.quote_body import Price, QuoteBody, Violated
from understudy.service.quote import Quote

MICROS = Decimal(1_000_000)


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
        warnings=advice_of(quote.warnings),
        at_most=None if quote.cost is None else _price(quote.cost),
    )
    return msgspec.json.encode(body)


def _price(cost: LedgerEntry) -> Price:
    amount = (Decimal(cost.amount_micros) / MICROS).normalize()
    return Price(cost.currency, f"{amount:f}", cost.amount_micros, cost.completion_tokens)
