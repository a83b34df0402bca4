"""Measure a video: follow all its packets, and decode its pictures here and there to see that they can be decoded."""

import itertools
from fractions import Fraction
from typing import Any, BinaryIO

import av
from av.stream import Disposition

from understudy.core.media import MediaFacts, Unreadable
from understudy.core.modality import Modality
from understudy.media.inspect_container import (
    ContainerBounds,
    Span,
    codec_name,
    opened,
    packets_of,
    prepared_decoder,
)
from understudy.media.inspect_kind import Kind

SOUND_PACKETS_CHECKED = 16
"""Of the sound in a film so many packets are decoded: it shows whether there is a way to hear it."""


def inspect_film(file: BinaryIO, kind: Kind, *, size_bytes: int, bounds: ContainerBounds | None = None) -> MediaFacts:
    """Measure an MP4 or QuickTime file.

    Raises: Unreadable: damaged, cut off, locked, or beyond the bounds; MemoryError.
    """
    bounds = bounds or ContainerBounds()
    with opened(file, "mov", bounds) as container:
        pictures = [stream for stream in container.streams.video if not _is_cover(stream)]
        if not pictures:
            raise Unreadable("the video has no pictures")
        video, sounds = pictures[0], container.streams.audio
        if video.codec_context is None:
            raise Unreadable("the pictures are locked, or of a codec that is not known")
        sound = sounds[0] if sounds and sounds[0].codec_context is not None else None
        looked = _Looked(video, bounds)
        heard = _Heard(sound) if sound is not None else None
        shown = Span(float(video.time_base))
        for packet in packets_of(container, bounds):
            if packet.stream_index == video.index:
                shown.add(packet)
                looked.check(packet)
            elif heard is not None and sound is not None and packet.stream_index == sound.index:
                heard.check(packet)
        looked.end()
        _check_whole(container, size_bytes)
        if not shown.starts:
            raise Unreadable("the video has no pictures")
        width_px, height_px = looked.size_px
        return MediaFacts(
            modality=Modality.VIDEO,
            container=kind.name,
            media_type=kind.media_type,
            size_bytes=size_bytes,
            width_px=width_px,
            height_px=height_px,
            num_frames=len(shown.starts),
            duration_s=round(max(shown.duration_s, heard.span.duration_s if heard else 0.0), 6),
            fps=_fps(video, shown),
            video_codec=codec_name(video),
            pix_fmt=looked.pix_fmt,
            audio_codec=codec_name(sound) if sound is not None else "",
            audio_tracks=len(sounds),
            sample_rate_hz=sound.codec_context.sample_rate if heard and sound is not None else 0,
            channels=sound.codec_context.channels if heard and sound is not None else 0,
            has_alpha=looked.has_alpha,
            is_animated=len(shown.starts) > 1,
            is_variable_rate=shown.is_variable(),
            rotation_deg=looked.rotation_deg,
        )


def _is_cover(stream: Any) -> bool:
    return bool(stream.disposition & Disposition.attached_pic)


def _check_whole(container: Any, size_bytes: int) -> None:
    """See that all that the index speaks of lies in the file: FFmpeg itself just stops where a file breaks off."""
    for stream in container.streams:
        entries = stream.index_entries
        end = max((entry.pos + entry.size for entry in entries), default=0)
        if end > size_bytes:
            raise Unreadable(f"the file is cut off: it has {size_bytes} bytes, its index speaks of {end}")


def _fps(video: Any, shown: Span) -> float:
    """Return pictures per second on average; of an even rate the one that is meant.

    A clock of a thousand ticks cannot say 24 per second: 41 and 42 ticks take turns.
    """
    steps = len(shown.starts) - 1
    if steps < 1 or not shown.between_ticks:
        return round(float(video.average_rate or 0), 3)
    measured = steps / (shown.between_ticks * shown.tick_s)
    error = measured * 2 / shown.between_ticks
    meant = [video.guessed_rate, video.average_rate, Fraction(round(measured))]
    near = [float(rate) for rate in meant if rate and abs(float(rate) - measured) <= error]
    return round(next(iter(near), measured), 3)


class _Looked:
    """What decoding the pictures at some moments showed: the first ones, and some of each part of the film."""

    def __init__(self, video: Any, bounds: ContainerBounds) -> None:
        self._bounds = bounds
        self._decoder: Any = prepared_decoder(video)
        self._video = video
        seconds = float(video.duration * video.time_base) if video.duration else 0.0
        self._apart = max(1.0, seconds / bounds.checked_moments) / float(video.time_base)
        self._next: float | None = None
        # FFmpeg marks what looks like a beginning; what the index says is one and does not look so is damaged.
        self._beginnings = {entry.pos for entry in video.index_entries if entry.is_keyframe}
        self._left = bounds.checked_moments
        self._run = 0
        self._seen = 0
        self.size_px = self._size_px(video.codec_context, 0)
        self.pix_fmt = str(getattr(video.codec_context, "pix_fmt", None) or "")
        self.rotation_deg = 0
        self.has_alpha = False

    def check(self, packet: Any) -> None:
        """Decode the packet if it belongs to one of the moments.

        Raises: Unreadable.
        """
        if self._decoder is None:
            return
        if self._run:
            self._decode(packet)
            self._run -= 1
            if not self._run:
                self._flush()
        elif self._left and self._is_beginning(packet) and (self._next is None or (packet.dts or 0) >= self._next):
            self._left -= 1
            self._next = (packet.dts or 0) + self._apart
            self._run = self._bounds.checked_pictures - 1
            self._seen = 0
            self._decode(packet)
            if not self._run:
                self._flush()

    def _is_beginning(self, packet: Any) -> bool:
        return packet.is_keyframe or packet.pos in self._beginnings

    def end(self) -> None:
        """See what is still in the decoder.

        Raises: Unreadable.
        """
        if self._run:
            self._flush()
        if self._decoder is not None and self._next is None:
            raise Unreadable("the file is damaged: no picture begins anew, so that none can be decoded")

    def _decode(self, packet: Any) -> None:
        try:
            for frame in self._decoder.decode(_shown(packet)):
                self._take(frame)
        except MemoryError:
            raise
        except av.FFmpegError as error:
            raise _undecodable(packet, self._video) from error

    def _flush(self) -> None:
        self._run = 0
        try:
            for frame in self._decoder.decode(None):
                self._take(frame)
            self._decoder.flush_buffers()
        except MemoryError:
            raise
        except av.FFmpegError as error:
            raise Unreadable("the file is damaged: its pictures cannot be decoded") from error
        if not self._seen:
            raise Unreadable("the file is damaged: its pictures cannot be decoded")

    def _take(self, frame: Any) -> None:
        if frame.is_corrupt:
            raise Unreadable("the file is damaged: its pictures cannot be decoded")
        self._seen += 1
        self.rotation_deg = -round(frame.rotation / 90) * 90 % 360
        self.size_px = self._size_px(frame, self.rotation_deg)
        self.pix_fmt = str(frame.format.name)
        self.has_alpha = any(component.is_alpha for component in frame.format.components)

    def _size_px(self, shape: Any, rotation_deg: int) -> tuple[int, int]:
        """Return width and height as they are shown: pixels made square, then turned.

        Raises: Unreadable for more pixels than the bounds allow.
        """
        width_px, height_px = int(shape.width), int(shape.height)
        if width_px * height_px > self._bounds.pixels:
            raise Unreadable(
                f"the pictures have {width_px * height_px} pixels, at most {self._bounds.pixels} are decoded"
            )
        aspect = self._video.sample_aspect_ratio
        if aspect:
            width_px = round(width_px * aspect)
        return (height_px, width_px) if rotation_deg in (90, 270) else (width_px, height_px)


def _shown(packet: Any) -> Any:
    """Return the packet as one whose pictures come out: a trimmed film begins with some that are not to be shown."""
    if not packet.is_discard:
        return packet
    shown = av.Packet(bytes(packet))
    shown.pts, shown.dts, shown.time_base = packet.pts, packet.dts, packet.time_base
    return shown


def _undecodable(packet: Any, video: Any) -> Unreadable:
    moment_s = float((packet.pts or 0) * video.time_base)
    return Unreadable(f"the file is damaged: its pictures cannot be decoded at {moment_s:.1f} s")


class _Heard:
    """How long the first sound of a film is, and whether it can be decoded."""

    def __init__(self, sound: Any) -> None:
        self._decoder = prepared_decoder(sound)
        self._left = SOUND_PACKETS_CHECKED
        self._failed = 0
        self.span = Span(float(sound.time_base))

    def check(self, packet: Any) -> None:
        """Take the packet's time and decode it if it is one of the first.

        Raises: Unreadable.
        """
        self.span.add(packet)
        if self._decoder is None or not self._left:
            return
        self._left -= 1
        try:
            for _ in itertools.islice(self._decoder.decode(packet), SOUND_PACKETS_CHECKED):
                pass
        except MemoryError:
            raise
        except av.FFmpegError as error:
            self._failed += 1
            if self._failed > SOUND_PACKETS_CHECKED // 2:
                raise Unreadable("the file is damaged: its sound cannot be decoded") from error
