"""Rating: frames x size -> tokens -> amount. Pure; every number comes from `catalog/prices.toml`."""

from understudy.core.model_spec import ModelSpec
from understudy.core.price_book import TokenRule
from understudy.core.request import DURATION_CHOSEN_BY_ENGINE, RATIO_CHOSEN_BY_ENGINE, GenerationRequest
from understudy.core.task import EntryKind, LedgerEntry

TOKENS_PER_PRICE = 1_000_000


def tokens_of(rule: TokenRule, *, width_px: int, height_px: int, num_frames: int) -> int:
    """Return the completion tokens of a film: width x height x (frames + extra) / pixels per token, floored."""
    return width_px * height_px * (num_frames + rule.extra_frames) // rule.pixels_per_token


def amount_micros(completion_tokens: int, micros_per_million_tokens: int) -> int:
    """Return the amount in micro-units, rounded half up."""
    return (completion_tokens * micros_per_million_tokens + TOKENS_PER_PRICE // 2) // TOKENS_PER_PRICE


def most_tokens(rule: TokenRule, request: GenerationRequest, model: ModelSpec) -> int:
    """Return the most tokens the resolved request can use: the largest size and longest film it leaves open."""
    sizes = model.sizes[str(request.resolution)]
    open_ratio = request.ratio == RATIO_CHOSEN_BY_ENGINE
    duration_s = model.duration_s.most if request.duration_s == DURATION_CHOSEN_BY_ENGINE else request.duration_s
    assert duration_s is not None
    return max(
        tokens_of(rule, width_px=width_px, height_px=height_px, num_frames=model.fps * duration_s)
        for ratio, (width_px, height_px) in sizes.items()
        if open_ratio or ratio == request.ratio
    )


def priced(kind: EntryKind, *, task_id: str, tokens: int, price_micros: int, currency: str) -> LedgerEntry:
    """Return a ledger entry for so many tokens. price_micros: micro-units per million tokens."""
    return LedgerEntry(
        task_id=task_id,
        kind=kind,
        currency=currency,
        amount_micros=amount_micros(tokens, price_micros),
        completion_tokens=tokens,
    )
