"""What is sewn onto a trunk: an opening, buttons, a tie, a belt, an apron. Clipped to the trunk by the caller."""

from collections.abc import Callable

import skia

from understudy.engines.previz.pictures.figures.ink import Ink, Point, oval, polygon
from understudy.engines.previz.pictures.figures.wardrobe import Costume
from understudy.engines.previz.pictures.light import dimmed

# From along the trunk (0 hip .. 1 neck) and across it to a place in the picture.
On = Callable[[float, float], Point]


def draw_details(
    canvas: skia.Canvas, ink: Ink, wear: Costume, *, on: On, sin: float, cos: float
) -> None:  # tidy: a view
    """Draw the front of the clothes, where it is seen. sin, cos: of the way the trunk looks."""
    # The middle of the front goes to the side as the trunk turns.
    middle = (0.10 if sin >= 0 else -0.10) * abs(sin) * 0.72
    faces = cos > -0.25
    if wear.legs is not None and not wear.is_tucked_over and wear.hem == 0:
        low = [on(-0.3, -0.2), on(0.035, -0.2), on(0.035, 0.2), on(-0.3, 0.2)]
        canvas.drawPath(polygon(low), ink.flat(dimmed(wear.legs, 0.94)))
    if faces:
        _draw_opening(canvas, ink, wear, on=on, middle=middle, cos=cos)
    _draw_bands(canvas, ink, wear, on=on, middle=middle if faces else None)


def _draw_opening(
    canvas: skia.Canvas, ink: Ink, wear: Costume, *, on: On, middle: float, cos: float
) -> None:  # tidy: a view
    trim = wear.trim
    if wear.is_open:
        half = 0.022 + 0.020 * abs(cos)
        shirt = [
            on(-0.2, middle - half),
            on(0.55, middle - half),
            on(1.05, middle - half * 1.7),
            on(1.05, middle + half * 1.7),
            on(0.55, middle + half),
            on(-0.2, middle + half),
        ]
        canvas.drawPath(polygon(shirt), ink.flat(trim))
    elif wear.has_buttons:
        canvas.drawLine(*on(-0.2, middle), *on(0.98, middle), ink.line(dimmed(wear.top, 0.72), 0.006))
        for row in (0.14, 0.36, 0.58, 0.80):
            canvas.drawCircle(*on(row, middle + 0.016), 0.0075, ink.flat(trim))
    if wear.is_wrapped:
        canvas.drawLine(*on(0.30, middle - 0.02), *on(1.03, middle + 0.05), ink.line(trim, 0.020))
        canvas.drawLine(*on(0.34, middle + 0.03), *on(1.03, middle - 0.055), ink.line(trim, 0.022))
    if wear.has_apron:
        bib = [
            on(-0.2, middle - 0.085),
            on(0.40, middle - 0.085),
            on(0.78, middle - 0.05),
            on(0.78, middle + 0.05),
            on(0.40, middle + 0.085),
            on(-0.2, middle + 0.085),
        ]
        canvas.drawPath(polygon(bib), ink.flat(trim))


def _draw_bands(canvas: skia.Canvas, ink: Ink, wear: Costume, *, on: On, middle: float | None) -> None:
    """Draw stripes, tie, badge and belt. middle: of the front, None where it is not seen."""
    if wear.stripe is not None:
        for row in (0.30, 0.52, 0.74):
            canvas.drawLine(*on(row, -0.2), *on(row, 0.2), ink.line(wear.stripe, 0.030))
    if wear.tie is not None and middle is not None:
        tie = [
            on(0.98, middle - 0.014),
            on(0.98, middle + 0.014),
            on(0.42, middle + 0.022),
            on(0.34, middle),
            on(0.42, middle - 0.022),
        ]
        canvas.drawPath(polygon(tie), ink.flat(wear.tie))
    if wear.badge is not None and middle is not None:
        canvas.drawCircle(*on(0.72, middle + 0.05 * (1 if middle >= 0 else -1)), 0.016, ink.flat(wear.badge))
    if wear.belt is not None:
        canvas.drawLine(*on(0.10, -0.2), *on(0.10, 0.2), ink.line(wear.belt, 0.032))
        if middle is not None:
            canvas.drawRect(oval(on(0.10, middle), 0.016, 0.014), ink.flat((0.92, 0.78, 0.36)))
