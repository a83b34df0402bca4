"""Colours by name, and things that a figure holds."""

from collections.abc import Iterable

from understudy.engines.previz.pictures.canvas import Rgb
from understudy.engines.previz.pictures.figures.person import Held
from understudy.engines.previz.pictures.light import Look
from understudy.engines.previz.pictures.rigs import rig_of
from understudy.engines.previz.pictures.sprites import has_art, lit, sprite

_TINTS: dict[str, Rgb] = {
    "red": (0.84, 0.13, 0.15),
    "crimson": (0.66, 0.07, 0.15),
    "scarlet": (0.88, 0.16, 0.10),
    "orange": (0.94, 0.48, 0.12),
    "yellow": (0.97, 0.80, 0.18),
    "gold": (0.88, 0.68, 0.24),
    "golden": (0.90, 0.70, 0.32),
    "green": (0.20, 0.58, 0.28),
    "emerald": (0.06, 0.56, 0.38),
    "teal": (0.10, 0.52, 0.52),
    "turquoise": (0.20, 0.76, 0.74),
    "cyan": (0.20, 0.74, 0.86),
    "blue": (0.14, 0.38, 0.84),
    "navy": (0.11, 0.16, 0.38),
    "purple": (0.48, 0.25, 0.72),
    "violet": (0.54, 0.34, 0.82),
    "pink": (0.96, 0.54, 0.70),
    "magenta": (0.84, 0.15, 0.60),
    "brown": (0.45, 0.29, 0.18),
    "beige": (0.86, 0.78, 0.64),
    "black": (0.12, 0.12, 0.15),
    "white": (0.95, 0.95, 0.95),
    "gray": (0.52, 0.54, 0.58),
    "grey": (0.52, 0.54, 0.58),
    "silver": (0.76, 0.78, 0.82),
}
_LOST = 0.16
_LARGEST = 0.42
_SMALLEST = 0.09
_HELD_PX = 260
# Where a thing is gripped, 0 foot .. 1 top; others in the middle.
_GRIPS = {
    "umbrella": 0.10,
    "balloon": 0.03,
    "kite": 0.05,
    "bouquet": 0.20,
    "guitar": 0.45,
    "red-paper-lantern": 0.98,
    "flashlight": 0.4,
    "crossed-swords": 0.2,
    "candle": 0.2,
}
_TALL = {
    "umbrella": 0.62,
    "balloon": 0.62,
    "crossed-swords": 0.4,
    "guitar": 0.44,
    "violin": 0.32,
    "bouquet": 0.26,
    "wrapped-gift": 0.2,
    "mobile-phone": 0.10,
    "open-book": 0.13,
    "red-apple": 0.09,
    "soft-ice-cream": 0.15,
}
_OVER_HEAD = frozenset({"umbrella", "balloon"})


def tint_of(word: str) -> Rgb | None:
    """The colour that a word of the plan names."""
    return _TINTS.get(word.lower())


def held_of(things: Iterable[str], look: Look) -> tuple[Held, ...]:
    """The first of these things that there is a picture of, for the hand."""
    for art_id in things:
        if not has_art(art_id):
            continue
        height = rig_of(art_id).height
        # An unlisted thing has the height of no thing in particular.
        tall = _TALL.get(art_id, _LOST if height == 0.8 else height)
        return (
            Held(
                bitmap=lit(sprite(art_id, _HELD_PX), look, form=0.5),
                tall=min(max(tall, _SMALLEST), _LARGEST if art_id not in _OVER_HEAD else 1.0),
                grip=_GRIPS.get(art_id, 0.45),
                is_over_head=art_id in _OVER_HEAD,
            ),
        )
    return ()
