"""What a person wears, as shapes and colours."""

from dataclasses import dataclass

from understudy.engines.previz.pictures.canvas import Rgb


@dataclass(frozen=True, slots=True, kw_only=True)
class Costume:
    """Clothes of one person.

    legs: colour of the trousers, None = bare. hem: how far a skirt or coat hangs, 0 none, 0.5 knee, 1 ankle; flare:
    how wide. sleeve: 0 none, 0.4 short, 1 long. boots: part of the shin they cover. is_tucked_over: the top hides the
    waist.
    """

    top: Rgb
    legs: Rgb | None = (0.24, 0.28, 0.42)
    shoes: Rgb = (0.20, 0.18, 0.22)
    skirt: Rgb | None = None
    sleeves: Rgb | None = None
    gloves: Rgb | None = None
    trim: Rgb = (0.95, 0.94, 0.92)
    collar: Rgb | None = None
    belt: Rgb | None = None
    tie: Rgb | None = None
    stripe: Rgb | None = None
    badge: Rgb | None = None
    cape: Rgb | None = None
    hem: float = 0.0
    flare: float = 0.02
    sleeve: float = 1.0
    boots: float = 0.0
    is_tight: bool = False
    is_short: bool = False
    is_coat: bool = False
    is_open: bool = False
    is_wrapped: bool = False
    is_wide: bool = False
    is_scarf: bool = False
    is_tucked_over: bool = False
    has_buttons: bool = False
    has_apron: bool = False
    has_bust: bool = False
