"""How a camera moves, told by what it does to the picture: a curve that was measured, for a camera that has no words.

`board/camera_of.py` measures it in a given video; drawn scenes (`pictures/camera.py`) and scenes of given pictures
follow it.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Offset:
    """What has happened to the picture since the curve began.

    x, y: how far it went right and down, as parts of its longer side. growth: how much larger it is. turn_rad: how far
    it turned, clockwise.
    """

    x: float = 0.0
    y: float = 0.0
    growth: float = 1.0
    turn_rad: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraPath:
    """A curve: an offset each 1/fps s, the first of them none."""

    fps: float
    offsets: tuple[Offset, ...]

    @property
    def duration_s(self) -> float:
        """How long the curve is."""
        return (len(self.offsets) - 1) / self.fps

    def at(self, time_s: float) -> Offset:
        """Return the offset at a time; after its end, its last."""
        place = min(max(0.0, time_s * self.fps), float(len(self.offsets) - 1))
        index = min(int(place), max(0, len(self.offsets) - 2))
        before, after, part = self.offsets[index], self.offsets[min(index + 1, len(self.offsets) - 1)], place - index
        return Offset(
            x=before.x + (after.x - before.x) * part,
            y=before.y + (after.y - before.y) * part,
            growth=before.growth * (after.growth / before.growth) ** part,
            turn_rad=before.turn_rad + (after.turn_rad - before.turn_rad) * part,
        )
