"""The rules for media: what was measured of a file against what model and dialect allow.

Wording: Ark's, where somebody met it: "video duration (seconds) specified in the request must be less than or equal to
15.2 for model doubao-seedance-2-0 in r2v." (2026-08); what it says of other quantities is put the same way here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from understudy.core.case import Case, invalid
from understudy.core.errors import Violation
from understudy.core.media import MediaFacts
from understudy.core.media_limits import KindLimits, MediaLimits, Range, narrowed
from understudy.core.modality import Modality


class Quantity(StrEnum):
    """What a limit is about, as sentences spell it."""

    FORMAT = "format"
    FILE_SIZE = "file size (bytes)"
    VIDEO_CODEC = "video codec"
    AUDIO_CODEC = "audio codec"
    DURATION = "duration (seconds)"
    FPS = "frame rate (frames per second)"
    WIDTH = "width (pixels)"
    HEIGHT = "height (pixels)"
    ASPECT_RATIO = "aspect ratio (width/height)"
    PIXEL_COUNT = "pixel count (width x height)"


class Side(StrEnum):
    """On which side of its limit a quantity lies."""

    TOO_MUCH = "too_much"
    TOO_LITTLE = "too_little"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong with a medium. allowed: "must be ..." as a sentence goes on; given: what was measured."""

    modality: Modality
    quantity: Quantity
    side: Side
    allowed: str
    given: str

    @property
    def quantity_name(self) -> str:
        """Return the quantity as it is named behind the modality: a video's "video codec" is its "codec"."""
        return self.quantity.removeprefix(f"{self.modality} ")

    @property
    def phrase(self) -> str:
        """Say what is allowed, as Ark begins the sentence."""
        return f"{self.modality} {self.quantity_name} specified in the request {self.allowed}"


def limits_of(case: Case) -> MediaLimits:
    """Return the limits of all kinds of media that the case's model takes, as its dialect narrows them."""
    found = {kind: narrowed(limits, case.profile.media.get(kind)) for kind, limits in case.model.media.items()}
    task_type = case.model.task_types.get(case.request.omni_reference_task_type or "")
    if task_type is not None and task_type.reference_video_s is not None and Modality.VIDEO in found:
        found[Modality.VIDEO] = replace(found[Modality.VIDEO], duration_s=task_type.reference_video_s)
    return found


def fault_of(facts: MediaFacts, limits: KindLimits) -> Fault | None:
    """Return the first limit that a medium breaks: whether it can be read at all, then its length, then its shape."""
    ratio = facts.width_px / facts.height_px if facts.height_px else 0.0
    return (
        _choice(facts, Quantity.FORMAT, facts.container, allowed=limits.formats)
        or _bounded(facts, Quantity.FILE_SIZE, facts.size_bytes, within=Range(least=1, most=limits.bytes_max))
        or _choice(facts, Quantity.VIDEO_CODEC, facts.video_codec, allowed=limits.video_codecs)
        or _sound(facts, limits)
        or _bounded(facts, Quantity.DURATION, facts.duration_s, within=limits.duration_s)
        # 23.976 is what most cameras mean by 24 pictures per second.
        or _bounded(facts, Quantity.FPS, facts.fps, within=limits.fps, judged=round(facts.fps))
        or _bounded(facts, Quantity.WIDTH, facts.width_px, within=limits.side_px)
        or _bounded(facts, Quantity.HEIGHT, facts.height_px, within=limits.side_px)
        or _bounded(facts, Quantity.ASPECT_RATIO, ratio, within=limits.ratio)
        or _bounded(facts, Quantity.PIXEL_COUNT, facts.width_px * facts.height_px, within=limits.pixels)
    )


def too_large(case: Case, index: int, modality: Modality) -> Violation:
    """Return what is wrong with a medium that was not brought in to its end, because it has too many bytes."""
    most = limits_of(case)[modality].bytes_max
    allowed = f"{modality} {Quantity.FILE_SIZE} specified in the request must be less than or equal to {most}"
    return invalid(f"content[{index}]", f"{allowed} for model {case.where}.")


def media_violations(case: Case, facts: Mapping[int, MediaFacts]) -> tuple[Violation, ...]:
    """Return what is wrong with the media of a request: the first fault of each, and kinds that last too long together.

    facts: place in the content -> what was measured there.
    """
    limits, broken = limits_of(case), dict[int, Violation]()
    for index, measured in sorted(facts.items()):
        kind = limits.get(measured.modality)
        fault = fault_of(measured, kind) if kind is not None else None
        if fault is not None:
            broken[index] = _violation(case, index, fault)
    for modality, kind in limits.items():
        of_kind = {index: each for index, each in sorted(facts.items()) if each.modality is modality}
        if kind.total_s is not None and not broken.keys() & of_kind.keys():
            broken.update(_too_long_together(case, of_kind, kind.total_s))
    return tuple(broken[index] for index in sorted(broken))


def _too_long_together(case: Case, facts: Mapping[int, MediaFacts], most_s: float) -> dict[int, Violation]:
    """Refuse the first medium with which those of its kind last too long."""
    total_s = 0.0
    for index, measured in facts.items():
        total_s += measured.duration_s
        if _thousandths(total_s) > _thousandths(most_s):
            allowed = f"must be less than or equal to {_shown(most_s)}"
            quantity = f"total {measured.modality} {Quantity.DURATION} specified in the request"
            # Ark says the same of one file and of all together, so that "total" is the only word of ours.
            return {index: invalid(f"content[{index}]", f"{quantity} {allowed} for model {case.where}.")}
    return {}


def _violation(case: Case, index: int, fault: Fault) -> Violation:
    sentence = f"{fault.phrase} for model {case.where}."
    # Ark's own sentence of durations ends there, to the letter; of the others nobody knows one.
    told = "" if fault.quantity is Quantity.DURATION else f" It is {fault.given}."
    return invalid(f"content[{index}]", sentence + told)


def _bounded(
    facts: MediaFacts, quantity: Quantity, given: float, *, within: Range | None, judged: float | None = None
) -> Fault | None:
    """Return the fault of a number outside its range. judged: the number to judge by, where it is another."""
    if within is None:
        return None
    value, least, most = (
        _thousandths(each) for each in (given if judged is None else judged, within.least, within.most)
    )
    if least <= value <= most:
        return None
    side = Side.TOO_MUCH if value > most else Side.TOO_LITTLE
    end, bound = ("less", within.most) if side is Side.TOO_MUCH else ("greater", within.least)
    return Fault(
        modality=facts.modality,
        quantity=quantity,
        side=side,
        allowed=f"must be {end} than or equal to {_shown(bound)}",
        given=_shown(given),
    )


def _choice(facts: MediaFacts, quantity: Quantity, given: str, *, allowed: tuple[str, ...]) -> Fault | None:
    if not allowed or given in allowed:
        return None
    named = ", ".join(f"`{each}`" for each in allowed)
    return Fault(
        modality=facts.modality,
        quantity=quantity,
        side=Side.OTHER,
        allowed=f"must be one of {named}",
        given=f"`{given}`",
    )


def _sound(facts: MediaFacts, limits: KindLimits) -> Fault | None:
    """Return the fault of sound in a codec that its format may not hold."""
    allowed = limits.audio_codecs.get(facts.container, ())
    if not facts.audio_codec or facts.audio_codec.split("_")[0] in allowed:
        return None
    return _choice(facts, Quantity.AUDIO_CODEC, facts.audio_codec, allowed=allowed)


def _thousandths(value: float) -> int:
    """Return a number as the limits are written, so that 15.2 seconds are not longer than 15.2 seconds."""
    return round(value * 1000)


def _shown(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")
