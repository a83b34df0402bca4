"""Sizes, as some dialects ask for films, turned into the resolution and the ratio that a model makes."""

import re

from understudy.core.model_spec import ModelSpec
from understudy.core.request import RATIO_CHOSEN_BY_ENGINE

# Our own bound, so that no size is too large to compare.
_SIDE_PX_MAX = 99999
_SIZE = re.compile(r"([1-9][0-9]{1,4})[xX*×]([1-9][0-9]{1,4})")
_RATIO = re.compile(r"[0-9]{1,2}:[0-9]{1,2}")


def named_by(model: ModelSpec, text: str) -> dict[str, str]:
    """Return the ratio or the resolution that a size names in place of pixels; empty when it names neither."""
    word = text.strip().lower()
    if word in model.resolutions:
        return {"resolution": word}
    return {"ratio": word} if _RATIO.fullmatch(word) or word == RATIO_CHOSEN_BY_ENGINE else {}


def read_size_px(text: str) -> tuple[int, int] | None:
    """Return width and height of a text such as ``1280x720``, None when it is no size in pixels."""
    found = _SIZE.fullmatch(text)
    return (int(found[1]), int(found[2])) if found else None


def can_be_size(width_px: int, height_px: int) -> bool:
    """Say whether a picture can have such sides at all."""
    return 0 < width_px <= _SIDE_PX_MAX and 0 < height_px <= _SIDE_PX_MAX


def nearest(model: ModelSpec, width_px: int, height_px: int) -> tuple[str, str]:
    """Return the resolution and the ratio whose size is nearest: first in shape, then in area.

    A size that the model makes is its own nearest.
    """
    sizes = [(resolution, ratio, size) for resolution, table in model.sizes.items() for ratio, size in table.items()]
    for resolution, ratio, size in sizes:
        # Most ask for one of these, and to compare them all would be a tenth of a create's time.
        if size == (width_px, height_px):
            return resolution, ratio
    shape, area = width_px / height_px, width_px * height_px

    def distance(entry: tuple[str, str, tuple[int, int]]) -> tuple[float, float]:
        width, height = entry[2]
        return _apart(width / height, shape), _apart(width * height, area)

    ratio = min(sizes, key=distance)[1]
    resolution = min((entry for entry in sizes if entry[1] == ratio), key=lambda entry: distance(entry)[1])[0]
    return resolution, ratio


def _apart(one: float, other: float) -> float:
    return max(one, other) / min(one, other)
