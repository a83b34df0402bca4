"""A drawn figure on the set, with who rides it: places it, lights it, and lays its shadow."""

from dataclasses import dataclass

import numpy as np
import skia

from understudy.engines.previz.pictures.canvas import Bitmap
from understudy.engines.previz.pictures.figures.figure import (
    BicycleFigure,
    Box,
    CarFigure,
    Draw,
    Figure,
    PersonFigure,
    Scene,
)
from understudy.engines.previz.pictures.figures.ink import Ink
from understudy.engines.previz.pictures.figures.tile import Spot, lay_shadow, tile_of
from understudy.engines.previz.pictures.light import Look
from understudy.engines.previz.pictures.raster import Raster


@dataclass(frozen=True, slots=True, kw_only=True)
class Mounted:
    """Who rides. tall: its height against the mount's."""

    figure: PersonFigure
    tall: float


class Performer:
    """Draws one figure, and its rider."""

    def __init__(self, figure: Figure, look: Look, *, shadow: Bitmap, rider: Mounted | None = None) -> None:
        self.figure, self._look, self._rider = figure, look, rider
        self._ink = Ink(look)
        self._shadow = shadow

    def drawn(self, scene: Scene, riding: Scene | None) -> tuple[Box, Draw]:
        """The figure and its rider as one drawing, in heights of the figure."""
        box, draw = self.figure.drawn(scene)
        if self._rider is None or riding is None or isinstance(self.figure, CarFigure):
            return box, draw
        pedal = self.figure.pedal(scene) if isinstance(self.figure, BicycleFigure) else None
        way = "bicycle" if pedal is not None else "astride"
        (left, low, right, high), seated = self._rider.figure.seated(riding, way=way, pedal=pedal)
        (x, y), tall = self.figure.saddle(scene), self._rider.tall
        joined = (
            min(box[0], x + left * tall),
            min(box[1], y + low * tall),
            max(box[2], x + right * tall),
            max(box[3], y + high * tall),
        )

        def both(canvas: skia.Canvas, ink: Ink) -> None:
            canvas.save()
            draw(canvas, ink)
            canvas.restore()
            canvas.save()
            canvas.translate(x, y)
            canvas.scale(tall, tall)
            seated(canvas, ink)
            canvas.restore()

        return joined, both

    def draw(self, raster: Raster, spot: Spot, *, drawn: tuple[Box, Draw], ground: tuple[float, float] | None) -> None:
        """Draw at a spot. ground: row of the ground and its foreshortening, where a shadow falls; else None."""
        tile = tile_of(raster, self._ink, spot, drawn=drawn)
        if tile is None:
            return
        look = self._look
        if ground is not None and look.shadow > 0.02:
            row, flat = ground
            left, _, right, _ = drawn[0]
            away = max((row - spot.y_px) / spot.scale_px, 0.0)
            near = 1 / (1 + 2.2 * away)
            wide = float(np.clip(right - left - 0.25, 0.3, 3.2)) * spot.scale_px * (0.7 + 0.3 * near)
            middle = spot.x_px + (left + right) / 2 * spot.facing * spot.scale_px
            size = self._shadow.shape[0]
            matrix = np.array(
                [[wide / size, 0.0, middle - wide / 2], [0.0, wide * flat * 0.7 / size, row - wide * flat * 0.38]]
            )
            raster.stamp(self._shadow, matrix, opacity=min(look.shadow * 1.55, 0.85) * near)
            lay_shadow(raster, tile, look, ground_px=row, height_px=spot.scale_px, flat=flat)
        raster.blit(tile.pixels, tile.left_px, tile.top_px)
