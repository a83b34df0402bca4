"""The media of a job as values for a model: pictures, clips and sounds by what they are for.

Which of them a model gets, and how large, is said by its recipe; here they are only found and read.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from understudy.core.content import Role
from understudy.core.errors import TaskFailed, Violation
from understudy.core.render import RenderJob
from understudy.core.roles import REFERENCE_ROLE
from understudy.core.scenario import Scenario, scenario_of
from understudy.engines.diffusion.order import Clip, Pixels, Samples, Sound
from understudy.media.decode import Picture, on_ground, read_image
from understudy.media.decode_sound import read_sound
from understudy.media.decode_video import VideoReader
from understudy.media.fit import Fit

STEREO = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenFiles:
    """The files of a job's media by what they are for, each kind in the request's order: the first is number 1."""

    first: Path | None = None
    last: Path | None = None
    images: tuple[Path, ...] = ()
    videos: tuple[Path, ...] = ()
    sounds: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipBounds:
    """How much of a video is read.

    fps: its pictures are those that are seen at this rate. frames_max: at most so many of them, from the end where
    is_from_end. canvas_px: they are cut to this width and height; None = they keep their shape, and side_max_px is the
    longer side at most. sample_rate_hz: of its sound; 0 = it is not read.
    """

    fps: int
    frames_max: int
    canvas_px: tuple[int, int] | None = None
    side_max_px: int = 0
    is_from_end: bool = False
    sample_rate_hz: int = 0
    channels: int = STEREO


def files_in(job: RenderJob) -> GivenFiles:
    """Sort the files of the job's media. Items without a role are what the scenario makes of them.

    Raises: TaskFailed for an item without a file, which the server owes each of them.
    """
    found: dict[Role, list[Path]] = {role: [] for role in Role}
    is_first_frame = scenario_of(job.request) is Scenario.FIRST_FRAME
    for index, item in enumerate(job.request.content):
        usual = REFERENCE_ROLE.get(item.modality)
        if usual is None:
            continue
        role = item.role or (Role.FIRST_FRAME if is_first_frame else usual)
        found[role].append(_file_of(job, index))
    return GivenFiles(
        first=next(iter(found[Role.FIRST_FRAME]), None),
        last=next(iter(found[Role.LAST_FRAME]), None),
        images=tuple(found[Role.REFERENCE_IMAGE]),
        videos=tuple(found[Role.REFERENCE_VIDEO]),
        sounds=tuple(found[Role.REFERENCE_AUDIO]),
    )


def _file_of(job: RenderJob, index: int) -> Path:
    path = job.media.get(index)
    if path is None:
        message = f"The file of `content[{index}]` was not given to the engine."
        raise TaskFailed(Violation("InternalServiceError", f"content[{index}]", message), is_retryable=True)
    return Path(path)


def frame_in(path: Path, canvas_px: tuple[int, int]) -> Pixels:
    """Read a picture as a frame of the film: upright, in sRGB, its middle cut to the canvas (width_px, height_px).

    What is transparent is white. Raises: Unreadable.
    """
    picture = on_ground(read_image(path))
    return np.ascontiguousarray(_fit(picture, canvas_px).picture(picture))


def picture_in(path: Path, *, side_max_px: int) -> Pixels:
    """Read a picture as a reference: upright, in sRGB, whole, made smaller where its longer side is above the most.

    What is transparent is white. Raises: Unreadable.
    """
    picture = on_ground(read_image(path))
    return np.ascontiguousarray(_fit(picture, _within(picture, side_max_px)).picture(picture))


def clip_in(path: Path, bounds: ClipBounds) -> Clip:
    """Read a video and, where that is wanted and it has any, its sound, which is as long as what is read of it.

    One picture is held in full size at a time. Raises: Unreadable.
    """
    with VideoReader(path, bounds.fps) as reader:
        seen = _Seen(bounds)
        for picture in reader.pictures():
            if not seen.takes(picture):
                break
    frames, skipped = seen.taken()
    clip = Clip(frames=frames, fps=float(bounds.fps))
    if not bounds.sample_rate_hz:
        return clip
    sound = sound_in(path, sample_rate_hz=bounds.sample_rate_hz, channels=bounds.channels)
    if sound is None:
        return clip
    starts, ends = (count * bounds.sample_rate_hz // bounds.fps for count in (skipped, skipped + len(frames)))
    kept = np.ascontiguousarray(sound.samples[:, starts:ends])
    return replace(clip, sound=replace(sound, samples=kept)) if kept.shape[1] else clip


def sound_in(path: Path, *, sample_rate_hz: int, channels: int, duration_max_s: float | None = None) -> Sound | None:
    """Read a sound, or a video's, as loud as it was; None where a video has none. channels: 1 or 2.

    duration_max_s: what is longer is cut off. Raises: Unreadable.
    """
    read = read_sound(path, sample_rate_hz)
    if read is None:
        return None
    most = len(read) if duration_max_s is None else round(duration_max_s * sample_rate_hz)
    samples = in_channels(read[:most].T, channels)
    return Sound(samples=np.ascontiguousarray(np.clip(samples, -1, 1)), sample_rate_hz=sample_rate_hz)


def in_channels(samples: Samples, channels: int) -> Samples:
    """Bring (any, n) to (channels, n) as loud as it was: one channel is each of two, two are one by their mean.

    FFmpeg would keep the power instead: it makes two equal channels 3 dB louder, and one quieter.
    """
    if channels == 1:
        return np.asarray(samples.mean(axis=0, keepdims=True), dtype=np.float32)
    return samples[:channels] if len(samples) >= channels else np.repeat(samples[:1], channels, axis=0)


class _Seen:
    """Collects the pictures of a video, each at its final size, as many as are wanted."""

    def __init__(self, bounds: ClipBounds) -> None:
        self._bounds = bounds
        self._kept: deque[Pixels] = deque(maxlen=bounds.frames_max)
        self._count = 0

    def takes(self, picture: Picture) -> bool:
        """Take a picture; whether another one is wanted."""
        wanted_px = self._bounds.canvas_px or _within(picture, self._bounds.side_max_px)
        # A copy: what is only cut is a view of the whole picture, which would be held.
        self._kept.append(np.array(_fit(picture, wanted_px).picture(picture)))
        self._count += 1
        return self._bounds.is_from_end or self._count < self._bounds.frames_max

    def taken(self) -> tuple[Pixels, int]:
        """Return the pictures, (frames, height_px, width_px, 3), and how many before them were left out; once."""
        count, skipped = len(self._kept), self._count - len(self._kept)
        frames = np.empty((count, *self._kept[0].shape), dtype=np.uint8)
        for index in range(count):
            # Let go of one by one: a long clip would be there twice.
            frames[index] = self._kept.popleft()
        return frames, skipped


def _fit(picture: Picture, wanted_px: tuple[int, int]) -> Fit:
    return Fit(own_px=(picture.shape[1], picture.shape[0]), wanted_px=wanted_px)


def _within(picture: Picture, side_max_px: int) -> tuple[int, int]:
    """Return the picture's own shape, with its longer side at most so long; 0 = as it is."""
    height_px, width_px = picture.shape[:2]
    scale = min(1.0, side_max_px / max(width_px, height_px)) if side_max_px else 1.0
    return max(1, round(width_px * scale)), max(1, round(height_px * scale))


def pictures_in(paths: tuple[Path, ...], *, side_max_px: int) -> Iterator[Pixels]:
    """Read several pictures, one after the other. Raises: Unreadable."""
    for path in paths:
        yield picture_in(path, side_max_px=side_max_px)
