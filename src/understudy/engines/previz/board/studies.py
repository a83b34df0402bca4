"""What a reference image can be used as: what is seen in it, and whether its subject can leave it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from understudy.engines.previz.pictures.photographs import Likeness, Stance
from understudy.engines.previz.seeing import CutOut, components, cut_out, depth_of, without
from understudy.engines.previz.seeing.mouth import Mouth, mouth_of
from understudy.media.decode import Picture, on_ground, read_image

LONGEST_PX = 1280
"""Of a picture that is looked at and cut out, whatever the film's size: a draft and its final see the same."""

CARD_LONGEST_PX = 800
BACKDROP_LONGEST_PX = 3840
_CARD_BORDER = 0.035
_PAPER = (247, 245, 240)
_PIECES_MOST = 4
"""What falls into more pieces is a pattern or a crowd, which does not act as one."""

_KINDRED = 0.72
"""Views of one subject share their colours: of two histograms with less than this in common, they show two."""

_BINS = 6


@dataclass(frozen=True, kw_only=True, eq=False)
class Study:
    """One reference image. number: from 1. whole: as it was given, RGB or RGBA; what else is known is found on demand.

    Raises: Unreadable, where it is made by `study_of`.
    """

    number: int
    whole: Picture

    @cached_property
    def picture(self) -> Picture:
        """The image as it is looked at, RGB or RGBA."""
        return _within(self.whole, LONGEST_PX)

    @cached_property
    def rgb(self) -> Picture:
        """The image on a ground, (height_px, width_px, 3)."""
        return on_ground(self.picture)

    @cached_property
    def cut(self) -> CutOut:
        """Its subject."""
        return cut_out(self.picture)

    @cached_property
    def mouth(self) -> Mouth | None:
        """The mouth of the person that it shows."""
        return mouth_of(self.rgb)

    @property
    def is_person(self) -> bool:
        """Whether it shows a human face."""
        return self.mouth is not None

    @cached_property
    def fault(self) -> str:
        """Why its subject cannot be in another scene, or ""."""
        if self.cut.fault:
            return self.cut.fault
        pieces = components(self.cut.rgba[..., 3].astype(np.float32) / np.float32(255))
        return "its subject falls to pieces" if len(pieces) > _PIECES_MOST else ""

    @property
    def stance(self) -> Stance | None:
        """How its subject can be in another scene; None = it cannot."""
        if self.fault:
            return None
        sides = self.cut.touched
        if "top" in sides or {"left", "right"} <= sides:
            return Stance.FILLS
        return Stance.RISES if "bottom" in sides else Stance.STANDS

    @cached_property
    def likeness(self) -> Likeness:
        """Its subject as a figure of a scene."""
        height_px, width_px = self.picture.shape[:2]
        cut, mouth = self.cut, self.mouth
        rows, columns = cut.rgba.shape[:2]
        own = None
        if mouth is not None:
            own = replace(mouth, x_px=mouth.x_px - cut.left_px, y_px=mouth.y_px - cut.top_px)
            own = own if 0 <= own.x_px < columns and 0 <= own.y_px < rows else None
        return Likeness(
            number=self.number,
            rgba=cut.rgba,
            stance=self.stance or Stance.STANDS,
            mouth=own,
            box=(cut.left_px / width_px, cut.top_px / height_px, columns / width_px, rows / height_px),
            shape=width_px / height_px,
        )

    @cached_property
    def card(self) -> Likeness:
        """The whole image in a frame, as a figure of a scene: for who cannot be cut out."""
        small = _within(self.rgb, CARD_LONGEST_PX)
        border = max(2, round(_CARD_BORDER * max(small.shape[:2])))
        framed = cv2.copyMakeBorder(small, border, border, border, border, cv2.BORDER_CONSTANT, value=_PAPER)
        opaque = np.dstack([framed, np.full(framed.shape[:2], 255, dtype=np.uint8)])
        return Likeness(number=self.number, rgba=np.asarray(opaque, dtype=np.uint8), box=(0.1, 0.1, 0.8, 0.8))

    def place(self, *, is_emptied: bool) -> tuple[Picture, NDArray[np.float32]]:
        """Return the image as a place, and how near it looks everywhere. is_emptied: without who is in it."""
        picture = on_ground(_within(self.whole, BACKDROP_LONGEST_PX))
        if is_emptied and self.cut.works:
            mask = np.zeros(self.rgb.shape[:2], np.float32)
            rows, columns = self.cut.rgba.shape[:2]
            top, left = self.cut.top_px, self.cut.left_px
            mask[top : top + rows, left : left + columns] = self.cut.rgba[..., 3] / np.float32(255)
            size = (picture.shape[1], picture.shape[0])
            picture = without(picture, np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_LINEAR), np.float32))
        return picture, depth_of(_within(picture, LONGEST_PX))


def study_of(path: Path, number: int) -> Study:
    """Read a reference image. Raises: Unreadable."""
    return Study(number=number, whole=_within(read_image(path), BACKDROP_LONGEST_PX))


def are_kindred(first: Study, second: Study) -> bool:
    """Say whether two images may show one subject: their colours have enough in common."""
    shares = [_colours_of(study) for study in (first, second)]
    return float(np.minimum(*shares).sum()) >= _KINDRED


def groups_of(studies: Sequence[Study]) -> list[list[Study]]:
    """Sort images by whom they may show, in order."""
    groups: list[list[Study]] = []
    for study in studies:
        own = next((group for group in groups if are_kindred(group[0], study)), None)
        if own is None:
            groups.append([study])
        else:
            own.append(study)
    return groups


def _colours_of(study: Study) -> NDArray[np.float32]:
    rgba = study.cut.rgba if study.cut.works else np.dstack([study.rgb, np.full(study.rgb.shape[:2], 255, np.uint8)])
    small = cv2.resize(np.ascontiguousarray(rgba), (64, 64), interpolation=cv2.INTER_AREA)
    seen = small[small[..., 3] > 127][:, :3].astype(np.int32) * _BINS // 256
    keys = (seen[:, 0] * _BINS + seen[:, 1]) * _BINS + seen[:, 2]
    counts = np.bincount(keys, minlength=_BINS**3).astype(np.float32)
    return np.asarray(counts / max(float(counts.sum()), 1.0), dtype=np.float32)


def _within(picture: Picture, longest_px: int) -> Picture:
    scale = longest_px / max(picture.shape[:2])
    if scale >= 1:
        return picture
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
