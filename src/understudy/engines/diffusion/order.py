"""What a loaded model is asked for and what it gives back: values without torch, on the model's own grid.

Pictures are uint8 RGB, shape (height_px, width_px, 3); frames have one dimension before; sound is float32 within -1..1,
shape (channels, samples).
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Samples = NDArray[np.float32]

OnStep = Callable[[int, int], None]
"""Called with (denoising steps done, steps in all), at least once a step; what it raises ends the generation."""


class Workflow(StrEnum):
    """The ways to make a film, as a recipe says which of them its model has."""

    TEXT = "text"
    FIRST_FRAME = "first_frame"
    LAST_FRAME = "last_frame"
    FIRST_LAST_FRAME = "first_last_frame"
    REFERENCES = "references"
    """Images, videos and audio as examples of what is to be seen and heard."""
    EDIT = "edit"
    """The given video with something changed."""
    EXTEND = "extend"
    """What comes after, or before, the given video."""
    JOIN = "join"
    """What leads from the end of one given video to the beginning of the next."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sound:
    """Sound as samples; see the module's docstring."""

    samples: Samples
    sample_rate_hz: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Clip:
    """A given video. frames: shape (frames, height_px, width_px, 3). sound: None = it has none."""

    frames: Pixels
    fps: float
    sound: Sound | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Order:
    """One film to be generated.

    prompt, negative_prompt: in the model's own form. num_frames, width_px, height_px, fps: on the model's grid.
    steps, guidance, sigmas: as the recipe has them, for a draft or not; sigmas empty = the scheduler's own.
    first, last: of the canvas' size. images, clips, sounds: references, in the order of the request.
    is_forward: whether an extension goes on after the clip, or leads to it. has_sound: whether sound is wanted.
    """

    workflow: Workflow
    prompt: str
    width_px: int
    height_px: int
    num_frames: int
    fps: float
    seed: int
    steps: int
    negative_prompt: str = ""
    guidance: float = 1.0
    sigmas: tuple[float, ...] = ()
    first: Pixels | None = None
    last: Pixels | None = None
    images: tuple[Pixels, ...] = ()
    clips: tuple[Clip, ...] = ()
    sounds: tuple[Sound, ...] = ()
    is_forward: bool = True
    has_sound: bool = True
    is_draft: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Made:
    """What a model made. notes: sentences for the caller.

    frames: more than were ordered, or fewer by those that an extension or a way between two videos shares with them.
    sped_up: how many times faster fps is than what the model makes.
    """

    frames: Pixels
    fps: float
    sped_up: float = 1.0
    sound: Sound | None = None
    notes: tuple[str, ...] = ()


class OutOfMemory(Exception):
    """The device has not the memory that the plan assumed; the next plan may do."""


class LoadedModel(Protocol):
    """A model in memory, warm, on its devices by its plan."""

    def generate(self, order: Order, on_step: OnStep) -> Made:
        """Make the film. After whatever it raises the model is as ready as before.

        Raises: OutOfMemory; what on_step raises.
        """
        ...

    def close(self) -> None:
        """Give all memory back."""
        ...
