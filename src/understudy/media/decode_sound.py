"""Read given sounds, and the sound of given videos, as samples.

As for images, FFmpeg is given an opened file and one demuxer, never a path: see `decode`.
"""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from understudy.core.media import Unreadable
from understudy.media.decode_video import DEMUXER, SEALED, frames_of
from understudy.media.inspect_kind import MOV, MP3, MP4, WAV, kind_of

Samples = NDArray[np.float32]
"""(num_samples, channels) float32, about -1..1."""

LAYOUTS = {1: "mono", 2: "stereo"}
LONGEST_S = 120.0
"""What is read at most: four times the longest sound that any model takes. Stereo of that length is 46 MB."""

DEMUXERS = {WAV: "wav", MP3: "mp3", MP4: DEMUXER, MOV: DEMUXER}


def read_sound(path: Path, sample_rate_hz: int, channels: int | None = None) -> Samples | None:
    """Read the first audio track of an audio or video file; None where a video has none.

    channels: 1 or 2; more are mixed down. None = its own, or two where it has more. FFmpeg keeps the power where it
    mixes: two equal channels are 3 dB louder as one, and one is 3 dB quieter as each of two. Silence stands before a
    track that begins after its pictures. What is longer than `LONGEST_S` is cut off. Parts that cannot be decoded are
    passed over.

    Raises: Unreadable: no such file, or nothing in it can be decoded.
    """
    try:
        with path.open("rb") as file:
            demuxer = DEMUXERS.get(kind_of(file))
            if demuxer is None:
                raise Unreadable("the file is neither an audio nor a video that is read here")
            with av.open(file, "r", format=demuxer, options=SEALED if demuxer == DEMUXER else {}) as container:
                if not container.streams.audio:
                    return None
                if container.streams.audio[0].codec_context is None:
                    raise Unreadable("the sound is of a kind that is not read")
                return _read(container, sample_rate_hz, channels)
    except (av.FFmpegError, OSError) as error:
        raise Unreadable(f"the sound is damaged: {error.strerror}") from error


def _read(container: av.container.InputContainer, sample_rate_hz: int, channels: int | None) -> Samples:
    most = round(LONGEST_S * sample_rate_hz)
    parts: list[Samples] = []
    count = 0
    starts_s: float | None = None
    for starts_s_of_part, part in _resampled(container, sample_rate_hz, channels):
        starts_s = starts_s_of_part if starts_s is None else starts_s
        parts.append(part)
        count += len(part)
        if count >= most:
            break
    if not count:
        raise Unreadable("the sound has nothing that can be decoded")
    late = round(max(0.0, (starts_s or 0.0) - _pictures_start_s(container)) * sample_rate_hz)
    silence = np.zeros((min(late, most), parts[0].shape[1]), dtype=np.float32)
    return np.concatenate([silence, *parts])[:most]


def _pictures_start_s(container: av.container.InputContainer) -> float:
    """When the pictures beside the sound begin; a sound alone begins with itself."""
    if not container.streams.video:
        return float("inf")
    video = container.streams.video[0]
    return float((video.start_time or 0) * (video.time_base or 0))


def _resampled(
    container: av.container.InputContainer, sample_rate_hz: int, channels: int | None
) -> Iterator[tuple[float, Samples]]:
    """Yield (start in the file in seconds, samples); a track may change its rate or its channels on the way."""
    resampler: av.AudioResampler | None = None
    known: tuple[str, str, int] | None = None
    starts_s = 0.0
    for frame in frames_of(container, container.streams.audio[0], av.AudioFrame):
        setup = (frame.format.name, frame.layout.name, frame.sample_rate)
        if setup != known:
            if resampler is not None:
                yield from ((starts_s, _samples_of(part)) for part in resampler.resample(None))
            channels = channels or min(max(LAYOUTS), frame.layout.nb_channels)
            resampler = av.AudioResampler(format="flt", layout=LAYOUTS[channels], rate=sample_rate_hz)
            known = setup
        assert resampler is not None
        starts_s = frame.time or 0.0
        # Times within the track are not kept: a gap is closed, as players that follow the sound do.
        frame.pts = None
        yield from ((starts_s, _samples_of(part)) for part in resampler.resample(frame))
    if resampler is not None:
        yield from ((starts_s, _samples_of(part)) for part in resampler.resample(None))


def _samples_of(frame: av.AudioFrame) -> Samples:
    samples = frame.to_ndarray().reshape(-1, frame.layout.nb_channels).astype(np.float32)
    return np.nan_to_num(samples, posinf=0.0, neginf=0.0)
