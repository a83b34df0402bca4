"""What is wrong with the file of an asset, in Ark's failure codes: measured facts against what models take.

An asset is good when any model would take it: which one it is made for is not known before a request names it, and
then it is judged again by that model's limits. Source of the codes: Ark's asset library (autumn 2026), failed assets.
"""

from collections.abc import Iterable, Mapping, Sequence

from understudy.core.assets import AssetFault
from understudy.core.media import MediaFacts
from understudy.core.media_limits import KindLimits
from understudy.core.media_rules import Fault, Quantity, Side, fault_of
from understudy.core.modality import Modality
from understudy.core.model_spec import ModelSpec

DOWNLOAD_FAILED = "DownloadFailed"
TYPE_MISMATCH = "TypeMismatch"
FORMAT_UNSUPPORTED = "FormatUnsupported"
_UNSUPPORTED = frozenset({Quantity.FORMAT, Quantity.VIDEO_CODEC, Quantity.AUDIO_CODEC})
_WORDS = {
    Quantity.FILE_SIZE: ("FileSize", "Small", "Large"),
    Quantity.DURATION: ("Duration", "Short", "Long"),
    Quantity.FPS: ("Fps", "Low", "High"),
    Quantity.WIDTH: ("Width", "Small", "Large"),
    Quantity.HEIGHT: ("Height", "Small", "Large"),
    Quantity.ASPECT_RATIO: ("AspectRatio", "Small", "Large"),
    Quantity.PIXEL_COUNT: ("PixelCount", "Small", "Large"),
}
"""Quantity -> how its code begins, and how it ends below and above what is allowed."""

LibraryLimits = Mapping[Modality, Sequence[KindLimits]]
"""Modality -> the limits of every model that takes it, each once, the widest last."""


def library_limits(models: Iterable[ModelSpec]) -> LibraryLimits:
    """Return what the library judges by."""
    found: dict[Modality, list[KindLimits]] = {}
    for model in models:
        for modality, limits in model.media.items():
            kinds = found.setdefault(modality, [])
            if limits not in kinds:
                kinds.append(limits)
    return {modality: sorted(kinds, key=_width) for modality, kinds in found.items()}


def most_bytes_of(modality: Modality, limits: LibraryLimits) -> int:
    """Return how many bytes a file of this kind can have at most."""
    return max(kind.bytes_max for kind in limits[modality])


def file_fault(facts: MediaFacts, limits: LibraryLimits) -> AssetFault | None:
    """Return why no model takes the file, told by the widest limits there are; None: at least one does."""
    fault = None
    for kind in limits[facts.modality]:
        fault = fault_of(facts, kind)
        if fault is None:
            return None
    return None if fault is None else _told(fault)


def of_another_kind(facts: MediaFacts, expected: Modality) -> AssetFault:
    """Return the fault of a good file that is not what it was registered as."""
    message = (
        f"The file is not of the AssetType it was registered with: it is of type {facts.modality}, not {expected}."
    )
    return AssetFault(code=TYPE_MISMATCH, message=message)


def _told(fault: Fault) -> AssetFault:
    message = f"The {fault.modality}'s {fault.quantity_name} {fault.allowed}. It is {fault.given}."
    if fault.quantity in _UNSUPPORTED:
        return AssetFault(code=FORMAT_UNSUPPORTED, message=message)
    subject, below, above = _WORDS[fault.quantity]
    return AssetFault(code=f"{subject}Too{above if fault.side is Side.TOO_MUCH else below}", message=message)


def _width(limits: KindLimits) -> tuple[float, int, int]:
    return limits.duration_s.most if limits.duration_s else 0.0, limits.bytes_max, len(limits.formats)
