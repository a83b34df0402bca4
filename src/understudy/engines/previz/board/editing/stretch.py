"""The stretch of a given video that a film shows, and looks at it besides the one that draws the film."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from understudy.media.decode import Picture, fitted
from understudy.media.decode_video import VideoReader

SMALL_PX = 384
"""The longer side of what is looked at: the same whatever the film's size, so that a draft is edited as its final."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Pictures of a video as the film has them. begins_with: the video's own picture that comes first.

    size_px: width and height of the film.
    """

    path: Path
    begins_with: int
    num_frames: int
    fps: int
    size_px: tuple[int, int]

    @property
    def small_px(self) -> tuple[int, int]:
        """Width and height of what is looked at."""
        scale = SMALL_PX / max(self.size_px)
        return max(32, round(self.size_px[0] * scale)), max(32, round(self.size_px[1] * scale))

    def smalls(self) -> Iterator[Picture]:
        """Yield each picture, small, in order. Raises: Unreadable."""
        with VideoReader(self.path, self.fps) as reader:
            for picture in islice(reader.pictures(self.begins_with / self.fps), self.num_frames):
                yield self.reduced(picture)

    def reduced(self, picture: Picture) -> Picture:
        """Return the part of a video's picture that the film shows, small."""
        # First to the film's shape and then smaller: both cut the same middle, and the second is cheap.
        width_px, height_px = self.small_px
        return fitted(picture, width_px, height_px)

    def pictures_at(self, offsets: list[int]) -> Iterator[tuple[int, Picture]]:
        """Yield some pictures in the film's size, with their numbers in the stretch, rising. Raises: Unreadable."""
        if not offsets:
            return
        wanted = set(offsets)
        first, last = min(wanted), max(wanted)
        with VideoReader(self.path, self.fps) as reader:
            # In one go: videos have a key frame every few seconds, and each search would decode from there.
            for offset, shown in enumerate(reader.pictures((self.begins_with + first) / self.fps), first):
                if offset in wanted:
                    yield offset, fitted(shown, *self.size_px)
                if offset >= last:
                    return

    def spread(self, count: int) -> list[int]:
        """Return so many numbers of pictures, evenly over the stretch."""
        last = max(0, self.num_frames - 1)
        return sorted({round(last * part / max(1, count - 1)) for part in range(count)})

    def samples(self, count: int = 4) -> Picture:
        """Return some small pictures of the stretch, one below the other, to measure its colours."""
        seen = [self.small_of(picture) for _, picture in self.pictures_at(self.spread(count))]
        return np.concatenate(seen) if seen else np.full((8, 8, 3), 128, dtype=np.uint8)

    def small_of(self, picture: Picture) -> Picture:
        """Return a picture of the film, small."""
        return np.asarray(cv2.resize(picture, self.small_px, interpolation=cv2.INTER_AREA), dtype=np.uint8)
