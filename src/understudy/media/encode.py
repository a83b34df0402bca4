"""Encode pictures and sound as a film, and single pictures as PNG.

A film is an MP4 for watching, H.264 or 10-bit HEVC and AAC, or a QuickTime file for editing, H.264 with whole colours
and PCM. Both start fast.

The bytes depend only on what is passed in: the thread count is fixed, the colour conversion is bit-exact, and no
time, id, host name or library version is written. Reading films back is `probe.py`'s work.
"""

import struct
import threading
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from queue import Empty, Queue
from types import TracebackType
from typing import Self

import av
import cv2
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

X264_THREADS = 4
"""Frame threads. The stream's bytes depend on it, so it never follows the machine's core count."""

X264_INSTRUCTIONS = "avx2"
"""The instruction set x264 is held to where the processor has it.

With AVX-512, x264 core 165 gives other bytes from run to run: of 66 encodings of the same 96 pictures on a busy machine
35 differed from the commonest result, with one thread as with four; with AVX2 none of 128 did, at the same speed.
"""

OPENCV_CPU_AVX2 = 11
"""OpenCV's number of the feature; its Python package has the question but not the names."""

X265_POOL_THREADS, X265_FRAME_THREADS = 4, 1
"""Fixed as x264's are, and one frame at a time: with two, 3 of 24 encodings of the same 36 pictures on a busy machine
had other bytes; with one none of 56. x265 uses AVX-512 only where it is asked to.
"""

X265_QUALITY_STEP = 2
"""How far x265's scale lies above x264's for the same look, so that one number serves for both."""

HEVC = "hevc"
HEVC_TAG = "hvc1"
"""Parameter sets in the index, where QuickTime and browsers look for them; the muxer's own choice is hev1."""

KEYFRAME_INTERVAL_S = 2
BUFFERED_FRAMES = 4
"""How far drawing may run ahead of encoding; the buffers bound the memory of both."""

WAIT_S = 0.5
"""How often a caller that waits for a free buffer looks whether the encoder still lives."""

AUDIO_BITS_PER_SECOND_PER_CHANNEL = 96_000
AUDIO_FRAME_SAMPLES = 1024

BT709 = 1
LIMITED_RANGE = 1
CHROMA_SITED_CENTRE = 1
"""Code points of ITU-T H.273, and of H.264 Annex E for the chroma site, which is where an area average puts it."""

CONVERSION = Interpolation.AREA | Interpolation.ACCURATE_RND | Interpolation.BITEXACT
"""Averages each 2x2 block for chroma; within one half of a code value of the exact BT.709 matrix, on every CPU."""

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PNG_COMPRESSION_LEVEL = 6
PNG_FILTER_UP = 2

JPEG_QUALITY = 95
JPEG_WHOLE_COLOURS = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444
"""A last frame begins the next film: what a thumbnail may lose would be seen there."""


class EncodingFailed(Exception):
    """The encoder stopped before the film was whole; the cause is chained."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A kind of file and what it holds. muxer, sound_coder: FFmpeg's names. sound_bits_per_s: per channel; PCM: 0."""

    muxer: str
    pix_fmt: str
    sound_coder: str
    sound_bits_per_s: int


CONTAINERS = {
    "mp4": Container(
        muxer="mp4", pix_fmt="yuv420p", sound_coder="aac", sound_bits_per_s=AUDIO_BITS_PER_SECOND_PER_CHANNEL
    ),
    "mov": Container(muxer="mov", pix_fmt="yuv444p", sound_coder="pcm_s16le", sound_bits_per_s=0),
}
"""By the names of a request's ``output_format``. Source: Volcengine Ark documentation 82379/1520757."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """A sound track. samples: (num_samples, channels) float32 in [-1, 1], 1 or 2 channels."""

    samples: NDArray[np.float32]
    sample_rate_hz: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmFormat:
    """How a film is encoded.

    width_px, height_px: even. preset, crf: x264's words, also where x265 encodes. tags: metadata, any names. container:
    a key of `CONTAINERS`. video_codec: "h264", or "hevc" for 10 bits per sample in an MP4; a QuickTime film has H.264.
    """

    width_px: int
    height_px: int
    fps: int
    preset: str = "veryfast"
    crf: int = 20
    tags: Mapping[str, str] = field(default_factory=dict)
    container: str = "mp4"
    video_codec: str = "h264"

    @property
    def is_hevc(self) -> bool:
        """Whether x265 encodes it."""
        return self.video_codec == HEVC and self.container == "mp4"

    @property
    def pix_fmt(self) -> str:
        """How its pixels are stored, in FFmpeg's words."""
        return "yuv420p10le" if self.is_hevc else CONTAINERS[self.container].pix_fmt


class FilmEncoder:
    """Writes one film; a context manager. Frames are encoded on a thread of its own while the caller draws the next.

    Leaving the context normally finishes the file; leaving it by an exception abandons the file as it is.
    """

    def __init__(self, path: Path, wanted: FilmFormat, *, sound: Sound | None = None) -> None:
        """Open the file and start the encoder thread.

        Raises: ValueError for a size that is odd or not positive, EncodingFailed when file or coders do not open.
        """
        if wanted.width_px % 2 or wanted.height_px % 2 or min(wanted.width_px, wanted.height_px) < 2:
            raise ValueError(f"a film of {wanted.width_px}x{wanted.height_px} px: both sides must be even and positive")
        self._format = wanted
        self._holds = CONTAINERS[wanted.container]
        self._failure: BaseException | None = None
        self._is_abandoned = False
        self._reformatter = VideoReformatter()
        self._painted: Queue[NDArray[np.uint8] | None] = Queue()
        self._free: Queue[NDArray[np.uint8]] = Queue()
        for _ in range(BUFFERED_FRAMES):
            self._free.put(np.empty((wanted.height_px, wanted.width_px, 4), dtype=np.uint8))
        try:
            options = {"movflags": "+faststart+use_metadata_tags", "fflags": "+bitexact"}
            self._container = av.open(str(path), "w", format=self._holds.muxer, options=options)
            self._container.metadata.update(wanted.tags)
            self._video = _add_video(self._container, wanted)
            self._audio = _add_audio(self._container, sound, self._holds) if sound is not None else None
            self._container.start_encoding()
        except (OSError, av.FFmpegError) as error:
            raise EncodingFailed(f"cannot begin {path.name}: {error}") from error
        self._audio_frames = _audio_frames(sound) if sound is not None else iter(())
        self._audio_time_s = 0.0
        self._thread = threading.Thread(target=self._encode_all, name="film-encoder", daemon=True)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether the encoder thread lives."""
        return self._thread.is_alive()

    def add_frame(self, rgba: NDArray[np.uint8]) -> None:
        """Append one picture, (height_px, width_px, 4) uint8 RGBA, alpha ignored; the array may be reused at once.

        Waits while the encoder is behind by `BUFFERED_FRAMES`. Raises: ValueError for another shape, EncodingFailed.
        """
        expected = (self._format.height_px, self._format.width_px, 4)
        if rgba.shape != expected or rgba.dtype != np.uint8:
            raise ValueError(f"a frame of shape {rgba.shape} {rgba.dtype}; expected {expected} uint8")
        buffer = self._next_free()
        np.copyto(buffer, rgba)
        self._painted.put(buffer)

    def _next_free(self) -> NDArray[np.uint8]:
        while self._thread.is_alive():
            with suppress(Empty):
                return self._free.get(timeout=WAIT_S)
        raise EncodingFailed("the encoder stopped") from self._failure

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish the file, or abandon it when the body raised. Raises: EncodingFailed."""
        self._is_abandoned = kind is not None
        self._painted.put(None)
        self._thread.join()
        if kind is None and self._failure is not None:
            raise EncodingFailed("the film could not be finished") from self._failure

    def _encode_all(self) -> None:
        try:
            for index, frame in enumerate(self._frames()):
                self._encode_sound_until(index / self._format.fps)
                frame.pts = index
                frame.time_base = Fraction(1, self._format.fps)
                self._container.mux(self._video.encode(frame))
            if not self._is_abandoned:
                self._encode_sound_until(float("inf"))
                self._container.mux(self._video.encode(None))
                if self._audio is not None:
                    self._container.mux(self._audio.encode(None))
        except BaseException as error:  # boundary: a thread's failure belongs to the caller, who raises it
            self._failure = error
        finally:
            self._close()

    def _close(self) -> None:
        try:
            self._container.close()
        except (OSError, av.FFmpegError) as error:
            self._failure = self._failure or error

    def _frames(self) -> Iterator[av.VideoFrame]:
        """Convert what was painted to limited-range BT.709 until the caller ends or abandons the film."""
        while (buffer := self._painted.get()) is not None and not self._is_abandoned:
            frame = self._reformatter.reformat(
                av.VideoFrame.from_numpy_buffer(buffer, format="rgba"),
                format=self._format.pix_fmt,
                src_colorspace=Colorspace.ITU709,
                dst_colorspace=Colorspace.ITU709,
                src_color_range=ColorRange.JPEG,
                dst_color_range=ColorRange.MPEG,
                interpolation=CONVERSION,
                threads=1,
            )
            self._free.put(buffer)
            yield frame

    def _encode_sound_until(self, time_s: float) -> None:
        """Keep the sound just ahead of the pictures, so that the muxer interleaves them without hoarding packets."""
        while self._audio is not None and self._audio_time_s <= time_s:
            frame = next(self._audio_frames, None)
            if frame is None:
                return
            self._audio_time_s += frame.samples / frame.sample_rate
            self._container.mux(self._audio.encode(frame))


def _x264(wanted: FilmFormat) -> dict[str, str]:
    x264_params = f"chromaloc={CHROMA_SITED_CENTRE}"
    if cv2.checkHardwareSupport(OPENCV_CPU_AVX2):
        x264_params += f":asm={X264_INSTRUCTIONS}"
    return {"preset": wanted.preset, "crf": str(wanted.crf), "x264-params": x264_params}


def _x265(wanted: FilmFormat) -> dict[str, str]:
    # info=0: else the stream names the build, the machine's processor and every option.
    x265_params = (
        f"pools={X265_POOL_THREADS}:frame-threads={X265_FRAME_THREADS}:info=0:log-level=none:"
        f"chromaloc={CHROMA_SITED_CENTRE}"
    )
    return {"preset": wanted.preset, "crf": str(wanted.crf + X265_QUALITY_STEP), "x265-params": x265_params}


def _add_video(container: OutputContainer, wanted: FilmFormat) -> VideoStream:
    coder_name, options = ("libx265", _x265(wanted)) if wanted.is_hevc else ("libx264", _x264(wanted))
    stream = container.add_stream(coder_name, rate=wanted.fps, options=options)
    assert isinstance(stream, VideoStream)
    stream.width = wanted.width_px
    stream.height = wanted.height_px
    stream.pix_fmt = wanted.pix_fmt
    stream.time_base = Fraction(1, wanted.fps)
    coder = stream.codec_context
    coder.time_base = Fraction(1, wanted.fps)
    coder.gop_size = KEYFRAME_INTERVAL_S * wanted.fps
    if wanted.is_hevc:
        coder.codec_tag = HEVC_TAG
    else:
        coder.thread_count = X264_THREADS
        # PyAV's own default, slice threads, is slower and costs 2-5 % of the size.
        coder.thread_type = "FRAME"
    coder.color_primaries = BT709
    coder.color_trc = BT709
    coder.colorspace = BT709
    coder.color_range = LIMITED_RANGE
    return stream


def _add_audio(container: OutputContainer, sound: Sound, holds: Container) -> AudioStream:
    channels = _channels(sound)
    stream = container.add_stream(
        holds.sound_coder, rate=sound.sample_rate_hz, layout="stereo" if channels == 2 else "mono"
    )
    assert isinstance(stream, AudioStream)
    if holds.sound_bits_per_s:
        stream.bit_rate = holds.sound_bits_per_s * channels
    return stream


def _channels(sound: Sound) -> int:
    if sound.samples.ndim != 2 or sound.samples.shape[1] not in (1, 2) or sound.samples.dtype != np.float32:
        raise ValueError(f"sound of shape {sound.samples.shape} {sound.samples.dtype}; expected (n, 1 or 2) float32")
    return int(sound.samples.shape[1])


def _audio_frames(sound: Sound) -> Iterator[av.AudioFrame]:
    layout = "stereo" if _channels(sound) == 2 else "mono"
    for start in range(0, len(sound.samples), AUDIO_FRAME_SAMPLES):
        planar = np.ascontiguousarray(sound.samples[start : start + AUDIO_FRAME_SAMPLES].T)
        frame = av.AudioFrame.from_ndarray(planar, format="fltp", layout=layout)
        frame.sample_rate = sound.sample_rate_hz
        frame.time_base = Fraction(1, sound.sample_rate_hz)
        frame.pts = start
        yield frame


def write_png(path: Path, rgba: NDArray[np.uint8]) -> None:
    """Write the picture, (height_px, width_px, 4) uint8 RGBA, as an RGB PNG of the three chunks that a PNG needs.

    No library's encoder is used, so that no time, gamma or software chunk can appear.
    """
    height_px, width_px, _ = rgba.shape
    rows = rgba[:, :, :3].reshape(height_px, width_px * 3)
    filtered = np.empty((height_px, 1 + width_px * 3), dtype=np.uint8)
    filtered[:, 0] = PNG_FILTER_UP
    filtered[0, 1:] = rows[0]
    # The filter "up" stores each row's difference from the one above, modulo 256, which uint8 does by itself.
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    header = struct.pack(">IIBBBBB", width_px, height_px, 8, 2, 0, 0, 0)
    body = zlib.compress(filtered.tobytes(), PNG_COMPRESSION_LEVEL)
    chunks = ((b"IHDR", header), (b"IDAT", body), (b"IEND", b""))
    path.write_bytes(PNG_SIGNATURE + b"".join(_chunk(name, content) for name, content in chunks))


def write_jpeg(path: Path, rgba: NDArray[np.uint8]) -> None:
    """Write the picture, (height_px, width_px, 4) uint8 RGBA, as a baseline JPEG with whole colours.

    Raises: OSError.
    """
    settings = (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, JPEG_WHOLE_COLOURS)
    is_written, data = cv2.imencode(".jpg", cv2.cvtColor(rgba, cv2.COLOR_RGBA2BGR), settings)
    if not is_written:
        raise OSError(f"{path.name} could not be encoded")
    path.write_bytes(data.tobytes())


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
