"""The size, rate, length and seed of a film, and the pixel types that the pictures pass around."""

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

# Bitmaps are (height_px, width_px, 4) uint8 RGBA with premultiplied alpha unless their name says otherwise.
Bitmap = npt.NDArray[Any]
# Colours 0..1, noise and coordinates are float32.
Floats = npt.NDArray[Any]
Rgb = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Canvas:
    """What is painted: ``num_frames`` pictures at ``fps``; equal seeds give equal pictures."""

    width_px: int
    height_px: int
    fps: int
    num_frames: int
    seed: int

    @property
    def duration_s(self) -> float:
        """Length of the whole film."""
        return self.num_frames / self.fps
