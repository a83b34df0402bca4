"""What VACE is given for an order: which frames are known, which are wanted, and in which parts they are made."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from understudy.catalog.open_models import Grid
from understudy.engines.diffusion.families.vace_canvas import Canvas, canvas_of, windows
from understudy.engines.diffusion.order import Clip, Order, Workflow

GRID = Grid(first=1, step=4)
SHARED = 17
WIDTH_PX, HEIGHT_PX = 4, 2


def film(count: int, *, first: int = 0) -> Any:
    """Return frames that tell their number."""
    numbers = np.arange(first, first + count, dtype=np.uint8)
    return np.broadcast_to(numbers[:, None, None, None], (count, HEIGHT_PX, WIDTH_PX, 3)).copy()


def canvas(workflow: Workflow, *, num_frames: int = 65, **given: Any) -> Canvas:
    order = Order(
        workflow=workflow,
        prompt="a cat",
        width_px=WIDTH_PX,
        height_px=HEIGHT_PX,
        num_frames=num_frames,
        fps=16,
        seed=1,
        steps=2,
        **given,
    )
    return canvas_of(order, grid=GRID, shared=SHARED)


def clips(*counts: int) -> tuple[Clip, ...]:
    return tuple(Clip(frames=film(count, first=100 * number), fps=16) for number, count in enumerate(counts))


def known(laid: Canvas) -> list[int]:
    return [int(number) for number in np.flatnonzero(~laid.wanted)]


def test_of_a_film_from_text_nothing_is_known() -> None:
    laid = canvas(Workflow.TEXT)
    assert known(laid) == []
    assert (laid.start, laid.stop, len(laid.frames)) == (0, 65, 65)


def test_given_frames_are_the_first_and_the_last_of_the_film() -> None:
    laid = canvas(Workflow.FIRST_LAST_FRAME, first=film(1, first=7)[0], last=film(1, first=9)[0])
    assert known(laid) == [0, 64]
    assert (laid.frames[0, 0, 0, 0], laid.frames[64, 0, 0, 0]) == (7, 9)


def test_a_last_frame_alone_is_the_last_of_the_film() -> None:
    assert known(canvas(Workflow.LAST_FRAME, last=film(1)[0])) == [64]


def test_an_extension_goes_on_from_the_end_of_the_video() -> None:
    laid = canvas(Workflow.EXTEND, clips=clips(40))
    assert known(laid) == list(range(17))
    assert laid.frames[:17, 0, 0, 0].tolist() == list(range(23, 40))
    assert laid.start == 17
    assert laid.stop - laid.start >= 65


def test_an_extension_backwards_ends_where_the_video_begins() -> None:
    laid = canvas(Workflow.EXTEND, clips=clips(40), is_forward=False)
    assert laid.stop - laid.start == 65
    # Whole steps of the latents, which are 4 frames from the end of a film.
    assert known(laid) == list(range(laid.stop, laid.stop + 16))
    assert laid.frames[laid.stop :, 0, 0, 0].tolist() == list(range(16))


@pytest.mark.parametrize(("count", "used"), [(1, 1), (4, 1), (5, 5), (16, 13), (17, 17), (90, 17)])
def test_what_is_known_of_a_video_is_whole_steps_of_the_latents(count: int, used: int) -> None:
    assert len(known(canvas(Workflow.EXTEND, clips=clips(count)))) == used


@pytest.mark.parametrize("second", [1, 5, 40])
def test_what_joins_two_videos_is_as_long_as_ordered_and_lies_between_them(second: int) -> None:
    laid = canvas(Workflow.JOIN, clips=clips(40, second))
    assert (laid.start, laid.stop) == (17, 17 + 65)
    assert laid.frames[:17, 0, 0, 0].tolist() == list(range(23, 40))
    assert laid.frames[laid.stop, 0, 0, 0] == 100
    assert not laid.wanted[laid.stop :].any()


@pytest.mark.parametrize("count", [1, 17, 65, 81, 241])
@pytest.mark.parametrize("workflow", [Workflow.EXTEND, Workflow.JOIN])
def test_canvases_are_on_the_models_grid(workflow: Workflow, count: int) -> None:
    assert len(canvas(workflow, num_frames=count, clips=clips(30, 30)).frames) % 4 == 1


@pytest.mark.parametrize(("count", "last"), [(10, 9), (90, 64)])
def test_an_edit_begins_with_the_video_as_long_as_the_film(count: int, last: int) -> None:
    laid = canvas(Workflow.EDIT, clips=clips(count))
    assert laid.source is not None
    assert laid.source.shape == laid.frames.shape
    assert laid.source[-1, 0, 0, 0] == last


@pytest.mark.parametrize(
    ("workflow", "given"),
    [
        (Workflow.EXTEND, {}),
        (Workflow.JOIN, {"clips": clips(9)}),
        (Workflow.EDIT, {"clips": (Clip(frames=film(0), fps=16),)}),
    ],
)
def test_a_video_that_lacks_is_told(workflow: Workflow, given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="videos with frames"):
        canvas(workflow, **given)


def test_a_frame_that_lacks_is_told() -> None:
    with pytest.raises(ValueError, match="has not the frame"):
        canvas(Workflow.FIRST_FRAME)


def test_a_short_film_is_made_at_once() -> None:
    assert list(windows(81, most=81, shared=17)) == [(0, 81)]


def test_a_long_film_is_made_in_parts_that_share_frames() -> None:
    assert list(windows(241, most=81, shared=17)) == [(0, 81), (64, 145), (128, 209), (160, 241)]


@pytest.mark.parametrize("total", range(82, 400, 3))
def test_parts_are_equally_long_and_leave_nothing_out(total: int) -> None:
    parts = list(windows(total, most=81, shared=17))
    assert {after - first for first, after in parts} == {81}
    assert parts[0][0] == 0
    assert parts[-1][1] == total
    assert all(later[0] <= earlier[1] - 17 for earlier, later in pairwise(parts))
