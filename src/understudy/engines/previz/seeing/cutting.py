"""Subjects cut out of pictures: cropped, with the colours of what was behind them taken out of their edges."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from understudy.engines.previz.seeing.edges import averaged
from understudy.engines.previz.seeing.matte import matte_of
from understudy.engines.previz.seeing.nets import Picture, Values

_SOLID = 0.5
_AREA = (0.015, 0.92)
_LEAST_FILLED = 0.12
"""Of its convex hull: what fills less is a web of remains, no subject."""

_LEAST_DECIDED = 0.6
"""Of the places that are subject at all: with fewer solid ones the network was guessing."""

_TOUCHED = 0.1
"""Of a side of the picture, to say that the subject goes on beyond it."""

_LONGEST_PX = 1024
"""Of the picture whose colours are averaged; averages need no more."""

_SIDES = ("left", "top", "right", "bottom")


@dataclass(frozen=True, slots=True, kw_only=True)
class CutOut:
    """A subject without what was behind it.

    rgba: (height_px, width_px, 4) uint8, alpha not premultiplied. left_px, top_px: where it lay in the picture.
    area: its part of the picture, 0..1. touched: the sides of the picture ("left", "top", "right", "bottom") beyond
    which it goes on. works: whether it can stand in another scene; fault: why not, or "".
    """

    rgba: Picture
    left_px: int
    top_px: int
    area: float
    touched: frozenset[str]
    fault: str

    @property
    def works(self) -> bool:
        """Whether it can stand in another scene."""
        return not self.fault


def cut_out(picture: Picture, matte: Values | None = None) -> CutOut:
    """Cut the subject out of a picture, (height_px, width_px, 3 or 4) uint8 RGB or RGBA.

    matte: of one of several subjects, as `components` tells them apart; without one, of all of them.
    """
    whole = matte_of(picture) if matte is None else matte
    height_px, width_px = whole.shape
    solid = whole > _SOLID
    touched = _touched(solid)
    area = float(solid.mean())
    rows, columns = np.nonzero(whole > 1 / 255)
    if not rows.size:
        empty = np.zeros((1, 1, 4), dtype=np.uint8)
        return CutOut(rgba=empty, left_px=0, top_px=0, area=0.0, touched=touched, fault="it shows no subject")
    top, bottom, left, right = int(rows.min()), int(rows.max()) + 1, int(columns.min()), int(columns.max()) + 1
    # What is behind the subject is told from the surroundings; a margin of them is looked at as well.
    margin_px = max(8, max(bottom - top, right - left) // 8)
    rows_seen = slice(max(0, top - margin_px), min(height_px, bottom + margin_px))
    columns_seen = slice(max(0, left - margin_px), min(width_px, right + margin_px))
    around = np.ascontiguousarray(picture[rows_seen, columns_seen, :3])
    alpha = np.ascontiguousarray(whole[rows_seen, columns_seen])
    # Colours under a given alpha are the subject's own already.
    is_given = picture.shape[2] == 4 and int(picture[:, :, 3].min()) < 255
    colours = around if is_given else own_colours(around, alpha)
    rgba = np.dstack([colours, np.rint(alpha * 255).astype(np.uint8)])
    inner = rgba[
        top - rows_seen.start : bottom - rows_seen.start, left - columns_seen.start : right - columns_seen.start
    ]
    return CutOut(
        rgba=np.ascontiguousarray(inner),
        left_px=left,
        top_px=top,
        area=area,
        touched=touched,
        fault=fault_of(whole),
    )


def own_colours(picture: Picture, alpha: Values) -> Picture:
    """Return the subject's own colours where its edge is mixed with what is behind it.

    Source: Forte: Approximate Fast Foreground Colour Estimation, ICIP 2021 (blur fusion, twice).
    """
    height_px, width_px = alpha.shape
    scale = min(1.0, _LONGEST_PX / max(alpha.shape))
    size = (max(8, round(width_px * scale)), max(8, round(height_px * scale)))
    mixed = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.float32)
    share = np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA), dtype=np.float32)[:, :, None]
    near = far = mixed
    for radius_px in (max(4, max(size) // 10), max(2, max(size) // 120)):
        own = averaged(share[:, :, 0], radius_px)[:, :, None]
        colours = np.clip(near + share * (mixed - share * near - (1 - share) * far), 0, 255)
        near = averaged(np.ascontiguousarray(colours * share), radius_px) / (own + np.float32(1e-5))
        far = averaged(np.ascontiguousarray(far * (1 - share)), radius_px) / (1 - own + np.float32(1e-5))
    # Inside the subject nothing is mixed, and nothing shall change.
    edge = (alpha > 0) & (alpha < 0.98)
    part = alpha[edge][:, None]
    whole = (width_px, height_px)
    before = cv2.resize(near, whole, interpolation=cv2.INTER_LINEAR)[edge]
    after = cv2.resize(far, whole, interpolation=cv2.INTER_LINEAR)[edge]
    found = picture.copy()
    own_edge = before + part * (picture[edge] - part * before - (1 - part) * after)
    found[edge] = np.rint(np.clip(own_edge, 0, 255)).astype(np.uint8)
    return found


def _touched(solid: NDArray[np.bool_]) -> frozenset[str]:
    lines = (solid[:, 0], solid[0], solid[:, -1], solid[-1])
    return frozenset(side for side, line in zip(_SIDES, lines, strict=True) if float(line.mean()) > _TOUCHED)


def fault_of(matte: Values) -> str:
    """Say why a matte is no subject that can stand by itself; "" if it is one."""
    solid = matte > _SOLID
    area, touched = float(solid.mean()), _touched(solid)
    least, most = _AREA
    if area < least:
        return "its subject is too small or cannot be told from the rest"
    if area > most:
        return "its subject fills the picture"
    if len(touched) == len(_SIDES):
        return "its subject goes on beyond every side"
    if float(solid.sum()) < _LEAST_DECIDED * float((matte > 0.1).sum()):
        return "its subject cannot be told from the rest"
    outlines, _ = cv2.findContours(solid.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    hull = cv2.convexHull(np.concatenate(outlines))
    if float(solid.sum()) < _LEAST_FILLED * max(1.0, float(cv2.contourArea(hull))):
        return "its subject falls to pieces"
    return ""
