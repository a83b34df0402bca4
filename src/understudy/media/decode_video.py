"""Read given videos as engines want them: upright RGB pictures with square pixels, at the rate of the film.

As for images, FFmpeg is given an opened file and one demuxer, never a path: see `decode`.
"""

from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, TypeVar

import av
import cv2
import numpy as np
from av.container import InputContainer
from av.sidedata.sidedata import Type
from av.stream import Disposition, Stream
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from av.video.stream import VideoStream
from numpy.typing import NDArray

from understudy.core.media import Unreadable
from understudy.media.decode import PIXELS_MAX, Picture

F = TypeVar("F", av.VideoFrame, av.AudioFrame)

DEMUXER = "mov"
"""FFmpeg's one reader of MP4 and QuickTime files."""

SEALED = {"enable_drefs": "0", "use_absolute_path": "0", "protocol_whitelist": "none"}
"""A QuickTime file can say that its pictures are in another file; that is never looked for."""

DECODER_THREADS = 2
"""Each thread of a decoder holds frames of its own, and the machine has other films to make."""

DAMAGED_PACKETS_MAX = 32
"""Packets in a row that may be unreadable before the rest is given up: a second of film and a bit."""

SD_HEIGHT_PX = 576
"""A film without a colour tag is BT.601 up to here, as players have it, BT.709 above."""

MATRICES = {
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
    10: Colorspace.BT2020,
}
"""By code points of ITU-T H.273."""

FULL_RANGE_FORMATS = ("yuvj", "rgb", "bgr", "gbr")
ROUNDING_S = 1e-4
"""Start times are rounded in files; a picture that starts this much late still counts as on time."""

CONVERSION = Interpolation.BICUBIC | Interpolation.FULL_CHR_H_INT | Interpolation.FULL_CHR_H_INP


class VideoReader:
    """Reads the pictures of one video at a constant rate; a context manager, and an iterator from the beginning on.

    At each step the picture is the one that a player shows then, whatever steps the video's own pictures come in. Only
    a few pictures are in memory at a time. Pictures that cannot be decoded are passed over.
    """

    def __init__(self, video: Path | BinaryIO, fps: int) -> None:
        """Open the file, or take one that is open. Raises: Unreadable: no video, or damaged."""
        self._fps = fps
        with ExitStack() as opened:
            # Closing a file that was handed over is as good as its owner doing it.
            file = opened.enter_context(video.open("rb") if isinstance(video, Path) else video)
            try:
                self._container = opened.enter_context(av.open(file, "r", format=DEMUXER, options=SEALED))
                self._stream = _film_in(self._container)
                self._stream.codec_context.thread_count = DECODER_THREADS
                self._stream.codec_context.thread_type = "AUTO"
                first = next(self._decoded(), None)
            except (av.FFmpegError, OSError) as error:
                raise Unreadable(f"the video is damaged: {error.strerror}") from error
            if first is None:
                raise Unreadable("the video has no pictures that can be decoded")
            stated_s = float((self._stream.start_time or 0) * (self._stream.time_base or 0))
            self._start_s = _time_s(first, stated_s)
            self.height_px, self.width_px = self._upright(first).shape[:2]
            # From here on the file stays open until the reader is closed.
            self._open = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._open.close()

    def __iter__(self) -> Iterator[Picture]:
        return self.pictures()

    def pictures(self, from_s: float = 0.0) -> Iterator[Picture]:
        """Yield (height_px, width_px, 3) uint8 RGB, the first as it is shown at that moment, then one each 1/fps s.

        from_s: seconds from the first picture. It starts anew each time, from the nearest key frame before. One
        picture after the other: an earlier iterator of the same reader ends when a new one begins.
        """
        seek_s = max(0.0, self._start_s + from_s)
        self._container.seek(int(seek_s / float(self._stream.time_base or 1)), stream=self._stream)
        shown: av.VideoFrame | None = None
        drawn: Picture | None = None
        index, ends_s = 0, 0.0
        with closing(self._decoded()) as frames:
            for frame in frames:
                starts_s = _time_s(frame, self._start_s + ends_s) - self._start_s
                while shown is not None and from_s + index / self._fps < starts_s - ROUNDING_S:
                    drawn = self._upright(shown) if drawn is None else drawn
                    yield drawn
                    index += 1
                shown, drawn = frame, None
                ends_s = starts_s + self._length_s(frame)
        while shown is not None and from_s + index / self._fps < ends_s - ROUNDING_S:
            drawn = self._upright(shown) if drawn is None else drawn
            yield drawn
            index += 1

    def _length_s(self, frame: av.VideoFrame) -> float:
        own_s = float((frame.duration or 0) * (frame.time_base or 0))
        return own_s or 1 / float(self._stream.average_rate or self._fps)

    def _decoded(self) -> Generator[av.VideoFrame, None, None]:
        return frames_of(self._container, self._stream, av.VideoFrame)

    def _upright(self, frame: av.VideoFrame) -> Picture:
        """Return the picture as it is meant to be seen."""
        if frame.width * frame.height > PIXELS_MAX:
            count = frame.width * frame.height
            raise Unreadable(f"the video has {count} pixels a picture, at most {PIXELS_MAX} are decoded")
        converted = frame.reformat(
            format="rgb24",
            src_colorspace=_matrix_of(frame),
            src_color_range=_range_of(frame),
            dst_color_range=ColorRange.JPEG,
            # Without ACCURATE_RND and BITEXACT: in this direction they darken everything by two code values.
            interpolation=CONVERSION,
            threads=1,
        )
        picture = np.asarray(converted.to_ndarray(), dtype=np.uint8)
        return _turned(self._with_square_pixels(picture), frame)

    def _with_square_pixels(self, picture: Picture) -> Picture:
        aspect = self._stream.sample_aspect_ratio or self._stream.codec_context.sample_aspect_ratio or Fraction(1)
        if aspect <= 0 or aspect == 1:
            return picture
        height_px, width_px = picture.shape[:2]
        wide_px = max(1, round(width_px * aspect))
        if wide_px * height_px > PIXELS_MAX:
            raise Unreadable(f"the video's pixels are {aspect} times as wide as high")
        how = cv2.INTER_AREA if aspect < 1 else cv2.INTER_LANCZOS4
        return np.asarray(cv2.resize(picture, (wide_px, height_px), interpolation=how), dtype=np.uint8)


def frames_of(container: InputContainer, stream: Stream, kind: type[F]) -> Generator[F, None, None]:
    """Decode a track from where the file stands; a packet that is damaged is left out."""
    damaged = 0
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except av.FFmpegError:
            damaged += 1
            if damaged > DAMAGED_PACKETS_MAX:
                return
            continue
        for frame in frames:
            if isinstance(frame, kind):
                damaged = 0
                yield frame


def _film_in(container: InputContainer) -> VideoStream:
    """The first video that is no picture on the sleeve."""
    films = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    if not films:
        raise Unreadable("the video has no pictures")
    if films[0].codec_context is None:
        raise Unreadable("the video's pictures are of a kind that is not read")
    return films[0]


def _time_s(frame: av.VideoFrame, otherwise_s: float) -> float:
    return otherwise_s if frame.time is None else frame.time


def _matrix_of(frame: av.VideoFrame) -> Colorspace:
    usual = Colorspace.ITU601 if min(frame.width, frame.height) <= SD_HEIGHT_PX else Colorspace.ITU709
    return MATRICES.get(int(frame.colorspace), usual)


def _range_of(frame: av.VideoFrame) -> ColorRange:
    if int(frame.color_range) != ColorRange.UNSPECIFIED.value:
        return ColorRange(int(frame.color_range))
    return ColorRange.JPEG if frame.format.name.startswith(FULL_RANGE_FORMATS) else ColorRange.MPEG


def _turned(picture: Picture, frame: av.VideoFrame) -> Picture:
    """Turn and mirror the picture as the file's display matrix says, to the nearest quarter.

    The matrix takes stored positions to shown ones, y downwards: (x, y) -> (a x + c y, b x + d y); its numbers are in
    16.16 fixed point, row by row a, b, u, c, d, v, x, y, w. Source: ISO/IEC 14496-12, 6.2.2.
    """
    sides: Any = frame.side_data
    data = sides.get(Type.DISPLAYMATRIX)
    if data is None:
        return picture
    numbers: NDArray[np.int32] = np.frombuffer(bytes(data), dtype=np.int32)
    if numbers.size != 9:
        return picture
    a, b, c, d = (float(numbers[index]) for index in (0, 1, 3, 4))
    if abs(b) + abs(c) > abs(a) + abs(d):
        # Rows become columns; then what runs against its axis is mirrored.
        picture, across, down = picture.transpose(1, 0, 2), c, b
    else:
        across, down = a, d
    picture = picture[:, ::-1] if across < 0 else picture
    picture = picture[::-1] if down < 0 else picture
    return np.ascontiguousarray(picture)
