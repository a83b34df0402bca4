"""Reference images as storyboard panels: whole, on a ground of their own colours, several to a page if need be."""

import math
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from understudy.media.decode import Picture, fitted, on_ground, read_image

PANEL_S = 1.2
"""The least that a panel is looked at; more images than the film has time for share a page."""

CUT_MOST = 0.18
"""A picture that loses no more than this by being cut to the film's shape fills the frame."""

_GAP_OF_SHORT_SIDE = 0.03
_GROUND_LIGHT = 0.35
_GROUND_SIDE_PX = 48
"""The ground is the picture made so small that nothing of it can be told, and dark."""


def pages_of(images: Sequence[Path], *, time_s: float) -> tuple[tuple[Path, ...], ...]:
    """Share the images out over as many pages as can be looked at, in order and as evenly as may be."""
    count = min(len(images), max(1, int(time_s / PANEL_S)))
    ends = [round(len(images) * (page + 1) / count) for page in range(count)] if images else []
    return tuple(tuple(images[start:end]) for start, end in zip([0, *ends], ends, strict=False))


def page(images: Sequence[Path], *, width_px: int, height_px: int) -> Picture:
    """Draw one page, (height_px, width_px, 3). Raises: Unreadable."""
    pictures = [on_ground(read_image(path)) for path in images]
    if len(pictures) == 1 and fills(pictures[0], width_px=width_px, height_px=height_px):
        return fitted(pictures[0], width_px, height_px)
    drawn = _ground(pictures[0], width_px, height_px)
    columns = _columns(pictures, width_px / height_px)
    rows = math.ceil(len(pictures) / columns)
    gap_px = round(min(width_px, height_px) * _GAP_OF_SHORT_SIDE) if len(pictures) > 1 else 0
    for index, picture in enumerate(pictures):
        row, column = divmod(index, columns)
        in_row = min(columns, len(pictures) - row * columns)
        # A row that is not full stands in the middle.
        left_px = (width_px - in_row * width_px / columns) / 2 + column * width_px / columns
        top_px = row * height_px / rows
        _place(drawn, picture, (left_px, top_px, width_px / columns, height_px / rows), gap_px=gap_px)
    return drawn


def fills(picture: Picture, *, width_px: int, height_px: int) -> bool:
    """Say whether a picture that is alone on its page is shown over the whole frame."""
    return _lost(picture, width_px, height_px) <= CUT_MOST


def _lost(picture: Picture, width_px: int, height_px: int) -> float:
    """The part of a picture that is cut off when it fills the frame."""
    shape, wanted = picture.shape[1] / picture.shape[0], width_px / height_px
    return 1 - float(min(shape / wanted, wanted / shape))


def _columns(pictures: Sequence[Picture], frame_shape: float) -> int:
    """The number of columns that shows the pictures largest."""
    shapes = [picture.shape[1] / picture.shape[0] for picture in pictures]

    def shown(columns: int) -> float:
        cell_shape = frame_shape / columns * math.ceil(len(shapes) / columns)
        cells = columns * math.ceil(len(shapes) / columns)
        return float(sum(min(shape / cell_shape, cell_shape / shape) for shape in shapes)) / cells

    return max(range(1, len(shapes) + 1), key=shown)


def _ground(picture: Picture, width_px: int, height_px: int) -> Picture:
    scale = _GROUND_SIDE_PX / max(width_px, height_px)
    tiny = fitted(picture, max(2, round(width_px * scale)), max(2, round(height_px * scale)))
    soft = cv2.GaussianBlur(tiny, (0, 0), _GROUND_SIDE_PX / 16)
    ground = cv2.resize(soft, (width_px, height_px), interpolation=cv2.INTER_CUBIC)
    return np.asarray(ground * _GROUND_LIGHT, dtype=np.uint8)


def _place(drawn: Picture, picture: Picture, cell: tuple[float, float, float, float], *, gap_px: int) -> None:
    """Put a whole picture into the middle of a cell: left, top, width, height in pixels."""
    left_px, top_px, cell_width_px, cell_height_px = cell
    height_px, width_px = picture.shape[:2]
    scale = min((cell_width_px - gap_px) / width_px, (cell_height_px - gap_px) / height_px)
    size = (max(1, round(width_px * scale)), max(1, round(height_px * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LANCZOS4
    x, y = round(left_px + (cell_width_px - size[0]) / 2), round(top_px + (cell_height_px - size[1]) / 2)
    area = drawn[max(0, y) : y + size[1], max(0, x) : x + size[0]]
    area[...] = cv2.resize(picture, size, interpolation=how)[: area.shape[0], : area.shape[1]]
