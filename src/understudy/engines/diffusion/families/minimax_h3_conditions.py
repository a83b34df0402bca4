"""What MiniMax-H3 is given for an order: which of its two transformers, which pictures, which references."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import numpy as np
import torch
from diffusers.image_processor import VaeImageProcessor
from diffusers.modular_pipelines.minimax_h3 import (
    MiniMaxH3AudioReference,
    MiniMaxH3ImageReference,
    MiniMaxH3VideoReference,
)

from understudy.engines.diffusion.order import Clip, Order, Pixels, Sound, Workflow
from understudy.media.fit import Fit

LEVELS = 255

SHAPE_MAX = 4
"""The longer side of a reference image, in shorter ones. Source: diffusers 0.42.1, MiniMaxH3Ref2VASetupStep."""

CLIP_MIN_S = 0.5
"""A reference video is looked at twice a second, in pairs. Source: diffusers 0.42.1, MiniMaxH3Ref2VATextEncoderStep."""

CUT = "An image that is longer than 4:1 was cut to its middle: the model looks at none that is longer."

SEAM = "The film goes on from the very picture at which the video {place}; nothing else of the video was looked at."
NO_SEAM = (
    "The video was given as a reference beside others, so that the film goes on with what it shows, "
    "but not from its very picture."
)


class Partition(StrEnum):
    """The two transformers, by the names of their folders."""

    FRAMES = "transformer"
    """Films from text, and from a first and a last frame."""
    REFERENCES = "transformer_ref"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Conditions:
    """arguments: of the pipeline's call. at_head, at_tail: how many frames the film shares with what was given."""

    partition: Partition
    arguments: Mapping[str, Any] = field(default_factory=dict)
    at_head: int = 0
    at_tail: int = 0
    notes: tuple[str, ...] = ()


def conditions_of(order: Order, *, sample_rate_hz: int) -> Conditions:
    """Say what the model is given.

    sample_rate_hz: at which it hears. Raises: ValueError for what the caller should have brought into its form.
    """
    match order.workflow:
        case Workflow.TEXT:
            return Conditions(partition=Partition.FRAMES)
        case Workflow.FIRST_FRAME | Workflow.LAST_FRAME | Workflow.FIRST_LAST_FRAME:
            return _from_frames(order)
        case Workflow.EXTEND:
            return _extending(order, sample_rate_hz)
        case Workflow.JOIN:
            return _joining(order, sample_rate_hz)
        case _:
            return _from_references(order, sample_rate_hz)


def _from_frames(order: Order) -> Conditions:
    wanted = {
        "image": order.first if order.workflow is not Workflow.LAST_FRAME else None,
        "last_image": order.last if order.workflow is not Workflow.FIRST_FRAME else None,
    }
    given = {name: frame for name, frame in wanted.items() if frame is not None}
    if len(given) != (2 if order.workflow is Workflow.FIRST_LAST_FRAME else 1):
        raise ValueError(f"An order for {order.workflow} lacks a frame.")
    for name, frame in given.items():
        # Anything else the pipeline stretches, the last frame otherwise than the first.
        if frame.shape[:2] != (order.height_px, order.width_px):
            sides = f"{frame.shape[1]} x {frame.shape[0]}, not {order.width_px} x {order.height_px}"
            raise ValueError(f"The {name} of an order is {sides}.")
    return Conditions(
        partition=Partition.FRAMES,
        arguments={name: _as_image(frame) for name, frame in given.items()},
    )


def _extending(order: Order, sample_rate_hz: int) -> Conditions:
    """Go on from a clip. A given frame makes the seamless joint; beside references the model takes none."""
    if not order.clips:
        raise ValueError("An order for extend has no clip.")
    if _has_others(order, 1):
        clip = _end_of(order.clips[0], order)
        found = _from_references(replace(order, clips=(clip, *order.clips[1:])), sample_rate_hz)
        return replace(found, notes=(*found.notes, NO_SEAM))
    if order.is_forward:
        arguments = {"image": _on_canvas(order.clips[0].frames[-1], order)}
        return Conditions(
            partition=Partition.FRAMES, arguments=arguments, at_head=1, notes=(SEAM.format(place="ends"),)
        )
    arguments = {"last_image": _on_canvas(order.clips[0].frames[0], order)}
    return Conditions(partition=Partition.FRAMES, arguments=arguments, at_tail=1, notes=(SEAM.format(place="begins"),))


def _joining(order: Order, sample_rate_hz: int) -> Conditions:
    """Lead from the end of the first clip to the beginning of the second."""
    if len(order.clips) < 2:
        raise ValueError(f"An order for join needs two clips; {len(order.clips)} given.")
    if _has_others(order, 2):
        found = _from_references(order, sample_rate_hz)
        return replace(found, notes=(*found.notes, NO_SEAM))
    before, after = order.clips[:2]
    arguments = {
        "image": _on_canvas(before.frames[-1], order),
        "last_image": _on_canvas(after.frames[0], order),
    }
    return Conditions(partition=Partition.FRAMES, arguments=arguments, at_head=1, at_tail=1)


def _from_references(order: Order, sample_rate_hz: int) -> Conditions:
    """Give all references: images, then videos with their sound, then sounds; the prompt numbers them so."""
    references: list[Any] = [MiniMaxH3ImageReference(image=_in_shape(image)) for image in order.images]
    for clip in map(_long_enough, order.clips):
        sound = (
            {} if clip.sound is None else {"audio": _heard(clip.sound, sample_rate_hz), "sample_rate": sample_rate_hz}
        )
        references.append(MiniMaxH3VideoReference(frames=clip.frames, fps=clip.fps, **sound))
    references += [
        MiniMaxH3AudioReference(audio=_heard(sound, sample_rate_hz), sample_rate=sample_rate_hz)
        for sound in order.sounds
    ]
    if not order.images and not order.clips:
        raise ValueError(f"An order for {order.workflow} has no picture to refer to.")
    is_cut = any(max(image.shape[:2]) > SHAPE_MAX * min(image.shape[:2]) for image in order.images)
    return Conditions(
        partition=Partition.REFERENCES, arguments={"references": references}, notes=(CUT,) if is_cut else ()
    )


def _in_shape(image: Pixels) -> Pixels:
    """Cut an image to its middle where it is longer than the pipeline takes."""
    height_px, width_px = image.shape[:2]
    sides = min(width_px, SHAPE_MAX * height_px), min(height_px, SHAPE_MAX * width_px)
    return np.ascontiguousarray(Fit(own_px=(width_px, height_px), wanted_px=sides).picture(image))


def _long_enough(clip: Clip) -> Clip:
    """Let the last picture of a clip stay as long as the pipeline needs."""
    lacking = math.ceil(CLIP_MIN_S * clip.fps) + 1 - len(clip.frames)
    if lacking <= 0:
        return clip
    return replace(clip, frames=np.concatenate([clip.frames, np.repeat(clip.frames[-1:], lacking, axis=0)]))


def _has_others(order: Order, clips: int) -> bool:
    return bool(order.images or order.sounds or len(order.clips) > clips)


def _on_canvas(frame: Pixels, order: Order) -> Any:
    """Cover the canvas with a frame, cropping what does not fit."""
    fit = Fit(own_px=(frame.shape[1], frame.shape[0]), wanted_px=(order.width_px, order.height_px))
    return _as_image(fit.picture(frame))


def _as_image(frame: Pixels) -> Any:
    """Return what the pipeline takes for a frame, to the bit."""
    return VaeImageProcessor.numpy_to_pil(frame.astype(np.float32) / LEVELS)[0]


def _end_of(clip: Clip, order: Order) -> Clip:
    """Return the end of a clip at which the film goes on: the pipeline would take the beginning of a long one."""
    most = int(order.num_frames * clip.fps / order.fps)
    if not order.is_forward or len(clip.frames) <= most:
        return clip
    sound = clip.sound
    if sound is not None:
        samples = round(most / clip.fps * sound.sample_rate_hz)
        sound = replace(sound, samples=sound.samples[:, -samples:])
    return replace(clip, frames=clip.frames[-most:], sound=sound)


def _heard(sound: Sound, sample_rate_hz: int) -> torch.Tensor:
    if sound.sample_rate_hz != sample_rate_hz:
        raise ValueError(f"Sound for this model has to be at {sample_rate_hz} Hz, not {sound.sample_rate_hz}.")
    if sound.samples.ndim != 2 or sound.samples.shape[0] not in (1, 2) or not sound.samples.shape[1]:
        raise ValueError(f"Sound for this model has one channel or two, not shape {sound.samples.shape}.")
    return torch.from_numpy(sound.samples)
