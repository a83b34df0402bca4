"""What is known of a film that VACE makes: frames that are given, those that are wanted, and the order of making them.

Pure arithmetic on frames; the model is in `vace`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from understudy.catalog.open_models import Grid
from understudy.engines.diffusion.order import Order, Pixels, Workflow


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Canvas:
    """A film with gaps.

    frames: shape (frames, height_px, width_px, 3), filled in as they are made. wanted: which of them are to be made.
    start, stop: which of them are the film that was ordered. source: what an edit begins with, as many frames.
    """

    frames: Pixels
    wanted: NDArray[np.bool_]
    start: int
    stop: int
    source: Pixels | None = None


def canvas_of(order: Order, *, grid: Grid, shared: int) -> Canvas:
    """Lay out what an order gives.

    grid: how many frames the model makes at once. shared: frames of a given video that the new ones go on from.

    Raises: ValueError for an order that lacks what its workflow needs.
    """
    if order.workflow is Workflow.EXTEND:
        return _extended(order, grid=grid, shared=shared)
    if order.workflow is Workflow.JOIN:
        return _joined(order, grid=grid, shared=shared)
    blank = _blank(order, order.num_frames)
    head = _stills(order.first, needed=order.workflow in (Workflow.FIRST_FRAME, Workflow.FIRST_LAST_FRAME))
    tail = _stills(order.last, needed=order.workflow in (Workflow.LAST_FRAME, Workflow.FIRST_LAST_FRAME))
    source = None
    if order.workflow is Workflow.EDIT:
        source = as_long_as(_clips(order, 1)[0], order.num_frames)
    return _laid(blank, head, tail, start=0, stop=order.num_frames, source=source)


def windows(total: int, *, most: int, shared: int) -> Iterator[tuple[int, int]]:
    """Return which frames are made together, one after another: no more than ``most``, some of them made before.

    All are as long as the first one, so that they are on the model's grid when ``most`` is.
    """
    if total <= most:
        yield 0, total
        return
    start = 0
    while start + most < total:
        yield start, start + most
        start += most - shared
    yield total - most, total


def as_long_as(film: Pixels, count: int) -> Pixels:
    """Return so many frames of a film: its last one stays where it is shorter."""
    if len(film) >= count:
        return film[:count]
    return np.concatenate([film, np.repeat(film[-1:], count - len(film), axis=0)])


def _extended(order: Order, *, grid: Grid, shared: int) -> Canvas:
    clip = _clips(order, 1)[0]
    none = clip[:0]
    if order.is_forward:
        known = _end_of(clip, grid=grid, shared=shared)
        total = grid.at_least(order.num_frames + len(known))
        return _laid(_blank(order, total), known, none, start=len(known), stop=total)
    # From the end of a film the steps of its latents are whole: only the very first one is shorter.
    known = clip[: max(1, min(shared, len(clip)) // grid.step * grid.step)]
    total = grid.at_least(order.num_frames + len(known))
    # What is too much of it is at its beginning: its end leads to the video.
    stop = total - len(known)
    return _laid(_blank(order, total), none, known, start=stop - order.num_frames, stop=stop)


def _joined(order: Order, *, grid: Grid, shared: int) -> Canvas:
    before, after = _clips(order, 2)[:2]
    head = _end_of(before, grid=grid, shared=shared)
    # Nothing may be too much between two given ends: so much of the second video is known that the grid is met.
    total = grid.at_least(len(head) + order.num_frames + min(shared, len(after)))
    tail = after[: total - len(head) - order.num_frames]
    while len(head) + order.num_frames + len(tail) < total:
        # The second video is shorter than that: it stays where it ends.
        tail = np.concatenate([tail, tail[-1:]])
    start = len(head)
    return _laid(_blank(order, total), head, tail, start=start, stop=start + order.num_frames)


def _end_of(clip: Pixels, *, grid: Grid, shared: int) -> Pixels:
    """Return the last frames of a video, as many as are whole steps of the latents at the beginning of a film."""
    most = min(shared, len(clip))
    return clip[len(clip) - (grid.first + (most - grid.first) // grid.step * grid.step) :]


def _laid(  # tidy: the parts of a film, and which of it was ordered
    blank: Pixels, head: Pixels, tail: Pixels, *, start: int, stop: int, source: Pixels | None = None
) -> Canvas:
    wanted = np.ones(len(blank), dtype=np.bool_)
    blank[: len(head)], wanted[: len(head)] = head, False
    first_of_tail = len(blank) - len(tail)
    blank[first_of_tail:], wanted[first_of_tail:] = tail, False
    return Canvas(frames=blank, wanted=wanted, start=start, stop=stop, source=source)


def _blank(order: Order, count: int) -> Pixels:
    return np.zeros((count, order.height_px, order.width_px, 3), dtype=np.uint8)


def _stills(picture: Pixels | None, *, needed: bool) -> Pixels:
    if not needed:
        return np.zeros((0, 1, 1, 3), dtype=np.uint8)
    if picture is None:
        raise ValueError("The order has not the frame that the film begins or ends with.")
    return picture[None]


def _clips(order: Order, count: int) -> list[Pixels]:
    if len(order.clips) < count or any(len(clip.frames) == 0 for clip in order.clips):
        raise ValueError(f"A film of the kind {order.workflow} needs {count} videos with frames.")
    return [clip.frames for clip in order.clips]
