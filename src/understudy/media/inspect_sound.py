"""Measure a sound by decoding it, so that its length is what is heard and not what a header says."""

from typing import Any, BinaryIO

import av

from understudy.core.media import MediaFacts, Unreadable
from understudy.core.modality import Modality
from understudy.media.inspect_container import (
    ContainerBounds,
    codec_name,
    opened,
    packets_of,
    prepared_decoder,
)
from understudy.media.inspect_kind import Kind

FAILED_SHARE_MAX = 0.05
"""A tag in the middle or a frame cut off at the end is heard as a click; more of it is no sound."""


def inspect_sound(file: BinaryIO, kind: Kind, *, size_bytes: int, bounds: ContainerBounds | None = None) -> MediaFacts:
    """Measure a WAV or MP3 file; a cover picture in it is of no account.

    Raises: Unreadable: damaged, or beyond the bounds; MemoryError.
    """
    bounds = bounds or ContainerBounds()
    with opened(file, kind.name, bounds) as container:
        if not container.streams.audio:
            raise Unreadable("the file has no sound")
        sound = container.streams.audio[0]
        if sound.codec_context is None:
            raise Unreadable("the sound is of a codec that is not known")
        duration_s = _duration_s(container, sound, bounds)
        return MediaFacts(
            modality=Modality.AUDIO,
            container=kind.name,
            media_type=kind.media_type,
            size_bytes=size_bytes,
            duration_s=round(duration_s, 6),
            audio_codec=codec_name(sound),
            audio_tracks=len(container.streams.audio),
            sample_rate_hz=sound.codec_context.sample_rate,
            channels=sound.codec_context.channels,
        )


def _duration_s(container: Any, sound: Any, bounds: ContainerBounds) -> float:
    """Decode up to the bound and count the packets behind it.

    Raises: Unreadable.
    """
    decoder = prepared_decoder(sound)
    decoded_s, counted_s, packets, failed = 0.0, 0.0, 0, 0
    for packet in packets_of(container, bounds):
        if packet.stream_index != sound.index:
            continue
        if decoder is None or decoded_s >= bounds.decoded_s:
            counted_s += float((packet.duration or 0) * sound.time_base)
            continue
        packets += 1
        try:
            decoded_s += sum(frame.samples / frame.sample_rate for frame in decoder.decode(packet))
        except MemoryError:
            raise
        except av.FFmpegError:
            failed += 1
    if decoder is not None:
        if not decoded_s or failed > max(1, packets * FAILED_SHARE_MAX):
            raise Unreadable("the file is damaged: its sound cannot be decoded")
        decoded_s += sum(frame.samples / frame.sample_rate for frame in decoder.decode(None))
    return decoded_s + counted_s
