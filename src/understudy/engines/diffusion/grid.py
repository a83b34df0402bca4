"""From the film that is wanted to what its model can make: canvas, frames and seconds. Pure arithmetic."""

import math
from dataclasses import dataclass

from understudy.engines.diffusion.recipe import Recipe

ENLARGED_FROM = 1.02
"""Up to here a film is larger than its canvas only because the canvas is a multiple of something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Canvas:
    """The picture that the model makes, both sides multiples of what it needs."""

    width_px: int
    height_px: int

    def enlarges_to(self, size_px: tuple[int, int]) -> bool:
        """Say whether the film, width and height, is larger than the canvas by more than rounding."""
        return max(size_px[0] / self.width_px, size_px[1] / self.height_px) > ENLARGED_FROM


def canvas_for(recipe: Recipe, size_px: tuple[int, int], resolution: str) -> Canvas:
    """Return the canvas for a film of this width and height: the recipe's short side, the film's shape.

    Where that is more than the model can make, it is made smaller in the same shape.
    """
    width_px, height_px = size_px
    multiple = recipe.model.canvas_multiple
    scale = recipe.short_edge_px[resolution] / min(width_px, height_px)
    area = width_px * height_px * scale * scale
    # The grid's own rounding may lead a little above the most.
    scale *= min(1.0, math.sqrt(recipe.model.canvas_pixels_max / area))
    sides = [max(multiple, round(side * scale / multiple) * multiple) for side in size_px]
    while sides[0] * sides[1] > recipe.model.canvas_pixels_max and max(sides) > multiple:
        sides[sides.index(max(sides))] -= multiple
    return Canvas(width_px=sides[0], height_px=sides[1])


def frames_for(recipe: Recipe, *, num_frames: int, fps: int) -> int:
    """Return how many frames the model makes so that a film of so many at this rate can be cut from them.

    Never fewer than its shortest film has.
    """
    model = recipe.model
    shortest = math.ceil(model.duration_s[0] * model.fps)
    # At another rate the last frame of the film lies between two of the model's, or on one.
    needed = num_frames if model.fps == fps else math.ceil((num_frames - 1) * model.fps / fps) + 1
    return model.frames.at_least(max(shortest, needed))
