"""Videos whose motion is known, made from photographs; and the boards that are painted with them."""

from collections.abc import Sequence
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from understudy.engines.previz.board.given import Footage, Given
from understudy.engines.previz.board.painter import Board
from understudy.engines.previz.pictures import Canvas
from understudy.engines.previz.plan import CameraMove
from understudy.media.decode import fitted, on_ground, read_image

Picture = NDArray[np.uint8]
ROOT = Path(__file__).parents[2] / "assets" / "pictures"
SIZE = (432, 248)
FPS = 24


def photo(name: str, width_px: int = SIZE[0], height_px: int = SIZE[1]) -> Picture:
    """A photograph, cut to a size."""
    return fitted(on_ground(read_image(ROOT / f"{name}.jpg")), width_px, height_px)


def view(
    picture: Picture, x_px: float = 0.0, y_px: float = 0.0, *, growth: float = 1.0, size: tuple[int, int] = SIZE
) -> Picture:
    """What a camera sees of a large picture, whose middle is so far right and down of the picture's middle."""
    height_px, width_px = picture.shape[:2]
    matrix = np.array(
        [
            [growth, 0, (size[0] - 1) / 2 - growth * ((width_px - 1) / 2 + x_px)],
            [0, growth, (size[1] - 1) / 2 - growth * ((height_px - 1) / 2 + y_px)],
        ]
    )
    return np.asarray(cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_CUBIC), dtype=np.uint8)


def with_ball(picture: Picture, x_px: float, y_px: float, radius_px: int = 22) -> Picture:
    """The picture with a striped green ball in it."""
    drawn = picture.copy()
    shift = 16
    centre = (round(x_px * shift), round(y_px * shift))
    cv2.circle(drawn, centre, radius_px * shift, (20, 230, 60), -1, cv2.LINE_AA, 4)
    cv2.circle(drawn, centre, radius_px * shift // 2, (10, 60, 20), 3, cv2.LINE_AA, 4)
    return drawn


def ball_at(picture: Picture) -> tuple[float, float] | None:
    """Where the green ball is: the middle of its largest piece; None if there is none."""
    red, green, blue = (picture[..., channel].astype(int) for channel in range(3))
    is_green = ((green - red > 70) & (green - blue > 50)).astype(np.uint8)
    count, _, stats, middles = cv2.connectedComponentsWithStats(is_green)
    if count < 2:
        return None
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    return (float(middles[largest][0]), float(middles[largest][1])) if stats[largest, cv2.CC_STAT_AREA] > 60 else None


def written(path: Path, frames: Sequence[Picture], sound: NDArray[np.float32] | None = None) -> Footage:
    """Encode pictures, and a mono sound at 48 kHz, as a video."""
    with av.open(str(path), "w", format="mp4") as made:
        video = made.add_stream("libx264", rate=FPS)
        video.height, video.width = frames[0].shape[:2]
        video.pix_fmt = "yuv420p"
        video.options = {"crf": "10", "preset": "ultrafast", "threads": "1"}
        track = made.add_stream("aac", rate=48_000, layout="mono") if sound is not None else None
        for frame in frames:
            made.mux(video.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        made.mux(video.encode(None))
        if track is not None and sound is not None:
            for start in range(0, sound.size, 1024):
                part = av.AudioFrame.from_ndarray(sound[None, start : start + 1024], format="fltp", layout="mono")
                part.sample_rate, part.pts = 48_000, start
                made.mux(track.encode(part))
            made.mux(track.encode(None))
    return Footage(path=path, duration_s=len(frames) / FPS)


def panned(path: Path, step_px: float = 3.0, num_frames: int = 30) -> Footage:
    """A video of a camera that goes right over a photograph, by so many pixels a picture."""
    large = photo("coffee", 900, 520)
    middle = num_frames / 2
    return written(path, [view(large, (index - middle) * step_px) for index in range(num_frames)])


def painted(
    given: Given, indices: Sequence[int], *, num_frames: int, camera: CameraMove = CameraMove.STATIC
) -> list[Picture]:
    """Some frames of a film of what was given, in order."""
    board = Board(given, Canvas(width_px=SIZE[0], height_px=SIZE[1], fps=FPS, num_frames=num_frames, seed=3), camera)
    frames = [board.paint(index)[..., :3].copy() for index in indices]
    board.close()
    return frames
