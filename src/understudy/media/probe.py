"""Probe a film: measure what a decoder really sees. Judging what was measured is for rules and tests."""

import itertools
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import av
from av.audio.stream import AudioStream

TOP_LEVEL_BOXES_MAX = 1000
BOX_HEADER_BYTES = 8
LARGE_BOX_HEADER_BYTES = 16


class NotAFilm(Exception):
    """The file cannot be read as a film with pictures; the cause, if any, is chained."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmFacts:
    """What decoding the whole film showed.

    num_frames: pictures decoded. fps: average rate the container states. duration_s: from the first picture's start
    to the last one's end. has_constant_rate: every picture starts one frame after the one before.
    color_*: code points of ITU-T H.273 (1 = BT.709; range 1 = limited). sound_duration_s: what could be decoded of what
    the track presents; its last AAC frame may reach past that. is_faststart: the index stands before the media data.
    """

    width_px: int
    height_px: int
    num_frames: int
    fps: float
    duration_s: float
    has_constant_rate: bool
    codec: str
    pix_fmt: str
    color_primaries: int
    color_transfer: int
    color_matrix: int
    color_range: int
    has_sound: bool
    sound_codec: str
    sample_rate_hz: int
    channels: int
    sound_duration_s: float
    is_faststart: bool
    metadata: Mapping[str, str]


def probe_film(path: Path) -> FilmFacts:
    """Decode every picture and every sample of the file.

    Raises: NotAFilm when it is no film, has no pictures or is damaged.
    """
    try:
        return _probe(path)
    except (av.FFmpegError, OSError, struct.error) as error:
        raise NotAFilm(f"{path.name} cannot be read as a film") from error


def _probe(path: Path) -> FilmFacts:
    starts: list[float] = []
    last_s = 0.0
    num_samples = 0
    with av.open(str(path)) as container:
        if not container.streams.video:
            raise NotAFilm(f"{path.name} has no pictures")
        video = container.streams.video[0]
        audio = container.streams.audio[0] if container.streams.audio else None
        for frame in container.decode(*((video, audio) if audio else (video,))):
            if isinstance(frame, av.VideoFrame):
                starts.append(frame.time or 0.0)
                last_s = float((frame.duration or 0) * (frame.time_base or 0))
            elif isinstance(frame, av.AudioFrame):
                num_samples += frame.samples
        if not starts:
            raise NotAFilm(f"{path.name} has no pictures")
        coder = video.codec_context
        fps = float(video.average_rate or 0)
        frame_s = 1 / fps if fps else 0.0
        return FilmFacts(
            width_px=coder.width,
            height_px=coder.height,
            num_frames=len(starts),
            fps=fps,
            duration_s=starts[-1] - starts[0] + (last_s or frame_s),
            has_constant_rate=all(abs(b - a - frame_s) < frame_s / 100 for a, b in itertools.pairwise(starts)),
            codec=coder.name,
            pix_fmt=coder.pix_fmt or "",
            color_primaries=coder.color_primaries,
            color_transfer=coder.color_trc,
            color_matrix=coder.colorspace,
            color_range=coder.color_range,
            has_sound=audio is not None,
            sound_codec=audio.codec_context.name if audio else "",
            sample_rate_hz=audio.codec_context.sample_rate if audio else 0,
            channels=audio.codec_context.channels if audio else 0,
            sound_duration_s=_sound_duration_s(audio, num_samples) if audio else 0.0,
            is_faststart=_is_faststart(path),
            metadata=dict(container.metadata),
        )


def _sound_duration_s(audio: AudioStream, num_samples: int) -> float:
    decoded_s = num_samples / audio.codec_context.sample_rate
    if audio.duration is None or audio.time_base is None:
        return decoded_s
    return min(decoded_s, float(audio.duration * audio.time_base))


def _is_faststart(path: Path) -> bool:
    with path.open("rb") as file:
        names = [name for name, _ in _top_level_boxes(file)]
    return b"moov" in names and b"mdat" in names and names.index(b"moov") < names.index(b"mdat")


def _top_level_boxes(file: BinaryIO) -> list[tuple[bytes, int]]:
    """Read (type, size) of the boxes that the file consists of. Source: ISO/IEC 14496-12, 4.2."""
    boxes: list[tuple[bytes, int]] = []
    while len(boxes) < TOP_LEVEL_BOXES_MAX:
        header = file.read(BOX_HEADER_BYTES)
        if len(header) < BOX_HEADER_BYTES:
            break
        size_bytes, name = struct.unpack(">I4s", header)
        read_bytes = BOX_HEADER_BYTES
        if size_bytes == 1:
            size_bytes = struct.unpack(">Q", file.read(8))[0]
            read_bytes = LARGE_BOX_HEADER_BYTES
        boxes.append((name, size_bytes))
        if size_bytes < read_bytes:
            break
        file.seek(size_bytes - read_bytes, 1)
    return boxes
