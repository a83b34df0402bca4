"""Prices and the token rule, as the catalogue states them: values only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRule:
    """How frames become tokens. Source: prices.toml, [tokens]."""

    pixels_per_token: int
    extra_frames: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRow:
    """The prices of one group of models by resolution, in micro-units per million tokens."""

    price_row: str
    micros_per_million_tokens: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceBook:
    """One list of prices in one currency."""

    id: str
    currency: str
    rows: Sequence[PriceRow]

    def micros_per_million_tokens(self, price_row: str, resolution: str) -> int:
        """Return the price, in micro-units of the currency per million tokens.

        Raises: LookupError for a model or resolution the book does not price.
        """
        for row in self.rows:
            if row.price_row == price_row:
                return row.micros_per_million_tokens[resolution]
        raise LookupError(f"price book {self.id!r} has no row {price_row!r}")
