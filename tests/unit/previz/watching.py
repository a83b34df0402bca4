"""Plans to paint, and measures of what the painted frames show."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from understudy.engines.previz.pictures import Canvas, FilmPainter
from understudy.engines.previz.plan import (
    Action,
    CameraMove,
    Framing,
    SettingKind,
    Shot,
    Subject,
    TimeOfDay,
    Weather,
)
from understudy.engines.previz.speech_timing import Spoken

Picture = npt.NDArray[np.uint8]
Flow = npt.NDArray[np.float32]

FPS = 24
SECONDS = 4
SMALL = (320, 180)
LUMA = np.array([0.2126, 0.7152, 0.0722])


def shot_of(art: str = "cat", action: Action = Action.IDLE, **changes: Any) -> Shot:
    """A shot of one subject in a meadow by day before a camera at rest, except for what is changed."""
    subject = Subject(
        art=art,
        word=art,
        action=action,
        count=changes.pop("count", 1),
        wears=changes.pop("wears", ()),
        tint=changes.pop("tint", ""),
    )
    values: dict[str, Any] = {
        "subjects": (subject,),
        "setting": SettingKind.MEADOW,
        "time_of_day": TimeOfDay.DAY,
        "weather": Weather.CLEAR,
        "particles": (),
        "camera": CameraMove.STATIC,
        "framing": Framing.MEDIUM,
        "duration_s": SECONDS,
    }
    return Shot(**{**values, **changes})


def canvas_of(size_px: tuple[int, int] = SMALL, seed: int = 7) -> Canvas:
    """A canvas of (width, height)."""
    return Canvas(width_px=size_px[0], height_px=size_px[1], fps=FPS, num_frames=FPS * SECONDS, seed=seed)


def frames_of(
    shot: Shot,
    indices: Sequence[int],
    *,
    size_px: tuple[int, int] = SMALL,
    seed: int = 7,
    speech: Sequence[Spoken] = (),
) -> list[Picture]:
    """Copies of some frames of a shot, RGBA."""
    painter = FilmPainter(shot, canvas_of(size_px, seed), speech=speech)
    return [painter.paint(index).copy() for index in indices]


def spoken_line(level: float) -> tuple[Spoken, ...]:
    """A line of the first subject that sounds from second 1 to 3 at one level."""
    envelope = (level,) * (2 * FPS)
    return (Spoken(line=0, start_s=1.0, end_s=3.0, envelope=envelope, speaker=0),)


def luminance(picture: Picture) -> float:
    """Mean luma, 0..255."""
    return float((picture[..., :3] @ LUMA).mean())


def flow(first: Picture, second: Picture) -> Flow:
    """Dense optical flow in pixels: (height, width, 2), x then y."""
    greys = [cv2.cvtColor(np.ascontiguousarray(picture[..., :3]), cv2.COLOR_RGB2GRAY) for picture in (first, second)]
    engine = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return np.asarray(engine.calc(greys[0], greys[1], None), dtype=np.float32)


def textured(picture: Picture) -> npt.NDArray[np.bool_]:
    """Where a picture has enough detail for its flow to be believed."""
    grey = cv2.cvtColor(np.ascontiguousarray(picture[..., :3]), cv2.COLOR_RGB2GRAY)
    slope = np.abs(cv2.Sobel(grey, cv2.CV_32F, 1, 0)) + np.abs(cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    return np.asarray(slope > 24)


def drift(frames: Sequence[Picture], rows: tuple[float, float] = (0.0, 1.0)) -> tuple[float, float]:
    """Median flow (x, y) between two frames over the detailed pixels between two parts of the height, in pixels."""
    field = flow(frames[0], frames[1])
    height = field.shape[0]
    cut = slice(int(rows[0] * height), int(rows[1] * height))
    seen = field[cut][textured(frames[0])[cut]]
    return float(np.median(seen[:, 0])), float(np.median(seen[:, 1]))


def expansion(frames: Sequence[Picture]) -> float:
    """How much detail moves away from the middle column, as a factor of its distance; below 0 it comes together."""
    field = flow(frames[0], frames[1])
    width = field.shape[1]
    across = np.broadcast_to(np.arange(width) - width / 2, field.shape[:2])
    seen = textured(frames[0]) & (np.abs(across) > width * 0.15)
    return float(np.median(field[..., 0][seen] / across[seen]))


def changed_share(first: Picture, second: Picture, least: int = 14) -> float:
    """Share of pixels that differ by more than ``least`` levels in some channel."""
    return float((cv2.absdiff(first, second)[..., :3].max(axis=2) > least).mean())


def middle(picture: Picture, part: float = 0.45) -> Picture:
    """The central part of a picture."""
    height, width = picture.shape[:2]
    top, left = int(height * (1 - part) / 2), int(width * (1 - part) / 2)
    return picture[top : height - top, left : width - left]


def in_hues(picture: Picture, hues_deg: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Which pixels are plainly coloured in a range of hues, which may wrap at 360."""
    hsv = cv2.cvtColor(np.ascontiguousarray(picture[..., :3]), cv2.COLOR_RGB2HSV)
    hue, coloured = hsv[..., 0].astype(int) * 2, (hsv[..., 1] > 110) & (hsv[..., 2] > 60)
    low, high = hues_deg
    inside = (hue >= low) & (hue <= high) if low <= high else (hue >= low) | (hue <= high)
    return np.asarray(inside & coloured)


def hue_share(picture: Picture, hues_deg: tuple[int, int]) -> float:
    """Share of pixels that are plainly coloured in a range of hues, which may wrap at 360."""
    return float(in_hues(picture, hues_deg).mean())


def blobs(picture: Picture, hues_deg: tuple[int, int], least_share: float = 0.004) -> int:
    """How many separate areas of a range of hues are larger than a share of the picture."""
    mask = in_hues(picture, hues_deg).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask)
    return int((stats[1:, cv2.CC_STAT_AREA] > least_share * mask.size).sum())
