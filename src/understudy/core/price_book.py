"""Prices and the token rule, as the catalogue states them: values only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

WHOLE_PERCENT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRule:
    """How frames become tokens. Source: prices.toml, [tokens]."""

    pixels_per_token: int
    extra_frames: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What a price depends on beside the model and the resolution.

    has_video: a video is among the inputs. is_silent: made without sound. is_draft: a draft.
    """

    has_video: bool = False
    is_silent: bool = False
    is_draft: bool = False
    service_tier: str | None = None


PLAIN_USE = Use()


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRow:
    """The prices of one group of models by resolution, in micro-units per million tokens.

    with_video, silent: the same for requests with a video among the inputs, and for films without sound; empty = no
    difference. tier_percent: service tier -> percent of the price. draft_percent, silent_draft_percent: of drafts.
    """

    price_row: str
    micros_per_million_tokens: Mapping[str, int]
    with_video: Mapping[str, int] = field(default_factory=dict)
    silent: Mapping[str, int] = field(default_factory=dict)
    tier_percent: Mapping[str, int] = field(default_factory=dict)
    draft_percent: int = WHOLE_PERCENT
    silent_draft_percent: int = WHOLE_PERCENT

    def micros(self, resolution: str, use: Use) -> int:
        """Return the price per million tokens; a fraction of a micro-unit is rounded up."""
        price = self.micros_per_million_tokens[resolution]
        if use.is_silent:
            price = self.silent.get(resolution, price)
        if use.has_video:
            price = self.with_video.get(resolution, price)
        tier_percent = self.tier_percent.get(use.service_tier or "", WHOLE_PERCENT)
        draft_percent = WHOLE_PERCENT
        if use.is_draft:
            draft_percent = self.silent_draft_percent if use.is_silent else self.draft_percent
        return -(-price * tier_percent * draft_percent // (WHOLE_PERCENT * WHOLE_PERCENT))


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceBook:
    """One list of prices in one currency."""

    id: str
    currency: str
    rows: Sequence[PriceRow]

    def micros_per_million_tokens(self, price_row: str, resolution: str, *, use: Use = PLAIN_USE) -> int:
        """Return the price, in micro-units of the currency per million tokens.

        Raises: LookupError for a model or resolution the book does not price.
        """
        for row in self.rows:
            if row.price_row == price_row:
                return row.micros(resolution, use)
        raise LookupError(f"price book {self.id!r} has no row {price_row!r}")
