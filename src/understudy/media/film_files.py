"""The files that a render delivers: the film and, where it is wanted, the picture that it ends with.

One home for what all engines do alike: names, formats, marks, and what becomes of a failure.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from understudy.core.errors import TaskFailed, Violation
from understudy.core.media import Unreadable
from understudy.core.recipe import RECIPE_TAG
from understudy.core.render import RenderJob
from understudy.media.encode import EncodingFailed, FilmEncoder, FilmFormat, Sound, write_jpeg, write_png
from understudy.media.marks import WATERMARK_TEXT, Corner, Mark

SAMPLE_RATE_HZ = 48_000
"""Of every film's sound track, whatever it was made at: what players and editors expect beside pictures."""

LAST_FRAME_WRITERS = {"png": ("last_frame.png", write_png), "jpeg": ("last_frame.jpg", write_jpeg)}
"""By the names of a job's ``last_frame_format``."""

FILM_NAME = "film"
UNFINISHED_NAME = "unfinished"
USUAL_FORMAT = "mp4"

PRESET = "veryfast"
LARGE_PRESET = "ultrafast"
LARGE_FILM_PIXELS = 4_000_000
"""Frames above this are encoded with the faster preset: veryfast at 4k is half as fast for a smaller file."""


def film_name(job: RenderJob) -> str:
    """Name the job's film by the format it is in."""
    return f"{FILM_NAME}.{container_of(job)}"


def last_frame_name(job: RenderJob) -> str | None:
    """Name the picture that the film ends with; None where it is not wanted."""
    return LAST_FRAME_WRITERS[job.last_frame_format][0] if job.request.return_last_frame else None


def container_of(job: RenderJob) -> str:
    """Return a key of `media.encode.CONTAINERS`."""
    return job.request.output_format or USUAL_FORMAT


def preset_for(width_px: int, height_px: int) -> str:
    """Choose how thoroughly films of this size are encoded."""
    return LARGE_PRESET if width_px * height_px > LARGE_FILM_PIXELS else PRESET


def format_of(job: RenderJob, size_px: tuple[int, int], tags: Mapping[str, str]) -> FilmFormat:
    """Choose how the job's film is encoded. size_px: (width_px, height_px). tags: what the file says of itself."""
    width_px, height_px = size_px
    recipe = {RECIPE_TAG: job.recipe} if job.recipe else {}
    return FilmFormat(
        width_px=width_px,
        height_px=height_px,
        fps=job.fps,
        preset=preset_for(width_px, height_px),
        tags={**tags, **recipe},
        container=container_of(job),
        video_codec=job.video_codec,
    )


def marks_of(job: RenderJob, size_px: tuple[int, int], *, label: str) -> tuple[Mark, ...]:
    """Return what is written into each picture of the job's film. label: at the top left, where the job shows one."""
    texts = []
    if job.request.watermark:
        texts.append((WATERMARK_TEXT, Corner.BOTTOM_RIGHT))
    if job.shows_label and label:
        texts.append((label, Corner.TOP_LEFT))
    return tuple(Mark(text, corner, width_px=size_px[0], height_px=size_px[1]) for text, corner in texts)


class FilmWriter:
    """Writes the job's film, and the picture it ends with, into the job's folder; a context manager.

    The film gets its name when it is whole; what is left by an exception has another one.
    """

    def __init__(
        self,
        job: RenderJob,
        wanted: FilmFormat,
        *,
        num_frames: int,
        sound: Sound | None = None,
        label: str = "",
    ) -> None:
        """Open the file. num_frames: how many will be added. label: see `marks_of`.

        Raises: ValueError for a size that is odd or not positive, EncodingFailed.
        """
        self._job = job
        self._folder = Path(job.output_dir)
        self._num_frames = num_frames
        self._marks = marks_of(job, (wanted.width_px, wanted.height_px), label=label)
        self._count = 0
        self._encoder = FilmEncoder(self._folder / UNFINISHED_NAME, wanted, sound=sound)

    def add(self, rgba: NDArray[np.uint8]) -> None:
        """Append one picture, (height_px, width_px, 4) uint8 RGBA, which is marked in place; it may be reused at once.

        The picture that is the film's last is written to its own file first, without marks.

        Raises: ValueError for another shape or a picture too many, EncodingFailed, OSError.
        """
        if self._count == self._num_frames:
            raise ValueError(f"a film of {self._num_frames} frames was given one more")
        self._count += 1
        if self._job.request.return_last_frame and self._count == self._num_frames:
            name, write = LAST_FRAME_WRITERS[self._job.last_frame_format]
            write(self._folder / name, rgba)
        for mark in self._marks:
            mark.stamp(rgba)
        self._encoder.add_frame(rgba)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish the film and name it. Raises: EncodingFailed, OSError."""
        self._encoder.__exit__(kind, error, trace)
        if kind is not None:
            return
        if self._count != self._num_frames:
            raise EncodingFailed(f"the film has {self._count} of {self._num_frames} frames")
        (self._folder / UNFINISHED_NAME).replace(self._folder / film_name(self._job))


@contextmanager
def failures_told() -> Iterator[None]:
    """Tell what goes wrong with files as a failed task.

    Raises: TaskFailed: for good, where a given file is unreadable; to be tried again, where a film cannot be written.
    """
    try:
        yield
    except Unreadable as error:
        reason = f"The parameter `content` is not valid: a file could not be read: {error.reason}."
        raise TaskFailed(Violation("InvalidParameter", "content", reason), is_retryable=False) from error
    except (EncodingFailed, OSError) as error:
        violation = Violation("InternalServiceError", "", "The film could not be written by the render process.")
        raise TaskFailed(violation, is_retryable=True) from error
