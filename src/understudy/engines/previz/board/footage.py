"""Plays stretches of given videos, cut to the film's size, and leads from each to the next.

Made for frames that are asked for in order. One picture of each video is held at a time, and two for the way between.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

import numpy as np

from understudy.engines.previz.board.between import Transition
from understudy.engines.previz.board.given import Bridge, Cut, Footage, Join, bridges_of
from understudy.media.decode import Picture, fitted
from understudy.media.decode_video import VideoReader

Edited = Callable[[Picture, int, int], Picture]
"""Changes a picture, given the video's index and the frame of the film; asked in order, and once for each frame."""


class Player:
    """The pictures of all cuts. One video is open at a time.

    starts_at, ends_at: the first of them in the film, and the one after the last.
    """

    def __init__(
        self,
        videos: Sequence[Footage],
        cuts: Sequence[Cut],
        *,
        size_px: tuple[int, int],
        fps: int,
        join: Join = Join.CUT,
        edited: Edited | None = None,
    ) -> None:
        self._edited, self._changed_at = edited, -1
        self._videos, self._cuts, self._size_px, self._fps = videos, cuts, size_px, fps
        self.starts_at = cuts[0].starts_at if cuts else 0
        self.ends_at = cuts[-1].starts_at + cuts[-1].num_frames if cuts else 0
        self._bridges = bridges_of(cuts, join, fps=fps)
        self._crossed: tuple[Bridge, Transition] | None = None
        self._open = ExitStack()
        self._pictures: Iterator[Picture] = iter(())
        self._cut: Cut | None = None
        self._next = 0
        self._shown: Picture = np.empty((0, 0, 3), dtype=np.uint8)
        self._changed = self._shown

    @property
    def num_frames(self) -> int:
        """How many frames of the film are videos."""
        return self.ends_at - self.starts_at

    def picture(self, index: int) -> Picture:
        """Return the picture of a frame of the film; beyond the cuts, their nearest. Raises: Unreadable."""
        for bridge in self._bridges:
            if bridge.starts_at <= index < bridge.ends_at:
                return self._way(bridge).picture((index - bridge.starts_at + 1) / (bridge.num_frames + 1))
        return self._played(index)

    def _way(self, bridge: Bridge) -> Transition:
        if self._crossed is None or self._crossed[0] != bridge:
            before = self._played(bridge.starts_at - 1).copy()
            # Both go on while the one becomes the other: a way that began and ended at rest would halt them.
            self._crossed = bridge, Transition(before, self._played(bridge.ends_at).copy(), is_even=True)
        return self._crossed[1]

    def _played(self, index: int) -> Picture:
        index = min(max(index, self.starts_at), self.ends_at - 1)
        cut = next(cut for cut in reversed(self._cuts) if cut.starts_at <= index)
        if cut is not self._cut or index < self._next - 1:
            self._begin(cut, index)
        while self._next <= index:
            drawn = next(self._pictures, None)
            # A video may end a little before its header says: its last picture stays.
            if drawn is not None:
                self._shown = fitted(drawn, *self._size_px)
            self._next += 1
        if self._edited is None:
            return self._shown
        if index != self._changed_at:
            self._changed = self._edited(self._shown, cut.video, index)
            self._changed_at = index
        return self._changed

    def _begin(self, cut: Cut, index: int) -> None:
        self.close()
        reader = self._open.enter_context(VideoReader(self._videos[cut.video].path, self._fps))
        self._shown = fitted(next(reader.pictures()), *self._size_px)
        self._pictures = reader.pictures((cut.begins_with + index - cut.starts_at) / self._fps)
        self._cut, self._next = cut, index

    def close(self) -> None:
        """Let go of the files."""
        self._open.close()
