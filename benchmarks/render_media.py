"""Media for the render benchmark: photographs of the tests, enlarged, and a video of a camera that pans over one."""

from pathlib import Path

import cv2
import numpy as np

from understudy.core.content import ContentItem, Modality, Role
from understudy.core.media import MediaFacts, Medium, Origin
from understudy.media.encode import FilmEncoder, FilmFormat

PHOTOGRAPHS = Path(__file__).resolve().parent.parent / "tests/assets/pictures"
VIDEO_FPS, VIDEO_S = 24, 4
VIDEO_PX = (1280, 720)
PHOTO_PX = (1920, 1080)


def photo(folder: Path, name: str, size_px: tuple[int, int] = PHOTO_PX) -> Path:
    """Cut a photograph to a size and enlarge it."""
    picture = cv2.imread(str(PHOTOGRAPHS / f"{name}.jpg"))
    if picture is None:
        raise SystemExit(f"{name}.jpg cannot be read.")
    scale = max(size_px[0] / picture.shape[1], size_px[1] / picture.shape[0])
    large = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    top, left = (large.shape[0] - size_px[1]) // 3, (large.shape[1] - size_px[0]) // 2
    path = folder / f"{name}.png"
    cv2.imwrite(str(path), large[top : top + size_px[1], left : left + size_px[0]])
    return path


def video(folder: Path, name: str) -> Path:
    """Make a video of a camera that pans over a photograph."""
    path = folder / f"{name}.mp4"
    wide = (VIDEO_PX[0] + 240, VIDEO_PX[1] + 120)
    source = cv2.cvtColor(cv2.imread(str(photo(folder, name, wide))), cv2.COLOR_BGR2RGBA)
    count = VIDEO_FPS * VIDEO_S
    wanted = FilmFormat(width_px=VIDEO_PX[0], height_px=VIDEO_PX[1], fps=VIDEO_FPS)
    with FilmEncoder(path, wanted, sound=None) as encoder:
        for index in range(count):
            left, top = 2 * index, round(60 + 50 * np.sin(index / 24))
            encoder.add_frame(np.ascontiguousarray(source[top : top + VIDEO_PX[1], left : left + VIDEO_PX[0]]))
    return path


def item(path: Path, role: Role) -> ContentItem:
    """Return a medium as an engine is given it."""
    is_video = role is Role.REFERENCE_VIDEO
    modality = Modality.VIDEO if is_video else Modality.IMAGE
    facts = MediaFacts(
        modality=modality,
        container="mp4" if is_video else "png",
        media_type="video/mp4" if is_video else "image/png",
        size_bytes=path.stat().st_size,
        width_px=VIDEO_PX[0] if is_video else PHOTO_PX[0],
        height_px=VIDEO_PX[1] if is_video else PHOTO_PX[1],
        duration_s=float(VIDEO_S) if is_video else 0.0,
    )
    medium = Medium(key="", sha256="0" * 64, facts=facts, origin=Origin.WEB)
    return ContentItem(modality=modality, role=role, value=path.name, medium=medium)
