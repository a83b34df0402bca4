"""Rating: frames x size -> tokens -> amount. Pure; every number comes from `catalog/`."""

from understudy.core.content import Modality
from understudy.core.model_spec import ModelSpec
from understudy.core.price_book import PriceBook, TokenRule, Use
from understudy.core.request import DURATION_CHOSEN_BY_ENGINE, RATIO_CHOSEN_BY_ENGINE, GenerationRequest
from understudy.core.task import EntryKind, LedgerEntry

TOKENS_PER_PRICE = 1_000_000
_MS_PER_S = 1000


def tokens_of(rule: TokenRule, *, width_px: int, height_px: int, num_frames: int) -> int:
    """Return the completion tokens: width x height x (frames + extra) / pixels per token, floored.

    num_frames: of the film and of the videos among the inputs.
    """
    return width_px * height_px * (num_frames + rule.extra_frames) // rule.pixels_per_token


def amount_micros(completion_tokens: int, micros_per_million_tokens: int) -> int:
    """Return the amount in micro-units, rounded half up."""
    return (completion_tokens * micros_per_million_tokens + TOKENS_PER_PRICE // 2) // TOKENS_PER_PRICE


def price_micros(book: PriceBook, request: GenerationRequest, model: ModelSpec) -> int:
    """Return the price of the resolved request's tokens, in micro-units per million.

    Raises: LookupError for a model or resolution the book does not price.
    """
    use = Use(
        has_video=_has_video(request),
        is_silent=not request.generate_audio,
        is_draft=bool(request.draft),
        service_tier=request.service_tier,
    )
    return book.micros_per_million_tokens(model.price_row, str(request.resolution), use=use)


def most_tokens(rule: TokenRule, request: GenerationRequest, model: ModelSpec) -> int:
    """Return the most tokens the resolved request can use: the largest size and longest film it leaves open.

    Reference videos count with the most that they may last together, because they are measured only later.
    """
    sizes = model.sizes[str(request.resolution)]
    possible = sizes.values() if request.ratio == RATIO_CHOSEN_BY_ENGINE else (sizes[str(request.ratio)],)
    num_frames = _most_frames(request, model)
    if _has_video(request):
        num_frames += -(-model.reference_videos_ms_max * model.fps // _MS_PER_S)
    return max(
        [
            tokens_of(rule, width_px=width_px, height_px=height_px, num_frames=num_frames)
            for width_px, height_px in possible
        ]
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


def _has_video(request: GenerationRequest) -> bool:
    return any(item.modality is Modality.VIDEO for item in request.content)


def _most_frames(request: GenerationRequest, model: ModelSpec) -> int:
    if request.frames is not None:
        return request.frames
    chosen = request.duration_s is None or request.duration_s == DURATION_CHOSEN_BY_ENGINE
    return model.fps * (model.duration_s.most if chosen else int(request.duration_s or 0))
