"""What a medium may be, as the catalogue states it: values only, filled by `catalog.load`."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from understudy.core.modality import Modality


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A closed range of numbers; which documents would leave its ends out is told in docs/decisions/media-limits.md."""

    least: float
    most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class KindLimits:
    """What one kind of media may be; None and empty = it is not judged by that.

    formats: by the names of `MediaFacts.container`. side_px: of width and height. ratio: width by height.
    duration_s: of each file; total_s: of all of the kind in a request. audio_codecs: format -> the codecs that sound in
    it may have, by the part of FFmpeg's name before the underscore; a file without sound is always taken.
    """

    formats: tuple[str, ...]
    bytes_max: int
    side_px: Range | None = None
    ratio: Range | None = None
    pixels: Range | None = None
    fps: Range | None = None
    duration_s: Range | None = None
    total_s: float | None = None
    video_codecs: tuple[str, ...] = ()
    audio_codecs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnLimits:
    """Where a dialect takes less of one kind of media than the model does; None = as much."""

    bytes_max: int | None = None
    pixels: Range | None = None


MediaLimits = Mapping[Modality, KindLimits]


def narrowed(limits: KindLimits, own: OwnLimits | None) -> KindLimits:
    """Return the limits of a kind of media as they are in a dialect."""
    if own is None:
        return limits
    return replace(
        limits,
        bytes_max=limits.bytes_max if own.bytes_max is None else min(own.bytes_max, limits.bytes_max),
        pixels=own.pixels or limits.pixels,
    )
