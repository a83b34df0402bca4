"""Plays stretches of given videos, cut to the film's size; made for frames that are asked for in order."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import numpy as np

from understudy.engines.previz.board.given import Cut, Footage
from understudy.media.decode import Picture, fitted
from understudy.media.decode_video import VideoReader


class Player:
    """The pictures of all cuts. One video is open at a time."""

    def __init__(self, videos: Sequence[Footage], cuts: Sequence[Cut], *, size_px: tuple[int, int], fps: int) -> None:
        self._videos, self._cuts, self._size_px, self._fps = videos, cuts, size_px, fps
        self.num_frames = cuts[-1].starts_at + cuts[-1].num_frames if cuts else 0
        self._open = ExitStack()
        self._pictures: Iterator[Picture] = iter(())
        self._cut: Cut | None = None
        self._next = 0
        self._shown: Picture = np.empty((0, 0, 3), dtype=np.uint8)

    def picture(self, index: int) -> Picture:
        """Return the picture of a frame of the film; after the last cut, its last picture. Raises: Unreadable."""
        index = min(index, self.num_frames - 1)
        cut = next(cut for cut in reversed(self._cuts) if cut.starts_at <= index)
        if cut is not self._cut or index < self._next - 1:
            self._begin(cut, index)
        while self._next <= index:
            drawn = next(self._pictures, None)
            # A video may end a little before its header says: its last picture stays.
            if drawn is not None:
                self._shown = fitted(drawn, *self._size_px)
            self._next += 1
        return self._shown

    def _begin(self, cut: Cut, index: int) -> None:
        self.close()
        reader = self._open.enter_context(VideoReader(self._videos[cut.video].path, self._fps))
        self._shown = fitted(next(reader.pictures()), *self._size_px)
        self._pictures = reader.pictures((cut.begins_with + index - cut.starts_at) / self._fps)
        self._cut, self._next = cut, index

    def close(self) -> None:
        """Let go of the files."""
        self._open.close()
