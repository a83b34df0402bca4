"""What an engine is given and what it gives back: values that can cross a process boundary as JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from understudy.core.request import GenerationRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageModel:
    """A language model that the operator lends to engines, behind the API of OpenAI's chat completions.

    url: its base, such as "http://127.0.0.1:11434/v1". secret: sent as the bearer token; "" = none is sent.
    timeout_s: for a whole answer.
    """

    url: str
    model: str
    secret: str = field(default="", repr=False)
    timeout_s: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderJob:
    """One attempt at one task.

    request: resolved; every field has a value where the model has the field.
    seed: 0..2^32-1. sizes: ratio -> (width_px, height_px) at the requested resolution, from the catalogue.
    duration_range_s: the shortest and longest duration the engine may choose, inclusive, when the request says -1.
    fps: frames per second of the film. num_frames: exactly so many, whatever the duration says; None = whole seconds.
    audio_channels: 1 or 2.
    output_dir: an existing, empty directory of this attempt; the engine writes only there.
    media: index in the request's content -> absolute path of a file with the bytes of its medium, which the engine only
    reads; what was measured of it is the item's ``medium.facts``. Other than in the task's record, every media item has
    both.
    recipe: JSON to be kept in the file's metadata, the same for equal requests; "" = none.
    video_codec: "h264", or "hevc" with 10 bits per sample where the operator wants it as Ark sends it.
    last_frame_format: "png" or "jpeg".
    shows_label: write into the picture what the film is; the file's metadata always says it.
    language_model: may be asked to read the prompt; None = there is none.
    rehearses: heed the rehearsal words of the prompt, where the engine has such; otherwise they are words.
    """

    request: GenerationRequest
    seed: int
    sizes: Mapping[str, tuple[int, int]]
    duration_range_s: tuple[int, int]
    fps: int
    audio_channels: int
    output_dir: str
    num_frames: int | None = None
    media: Mapping[int, str] = field(default_factory=dict)
    recipe: str = ""
    video_codec: str = "h264"
    last_frame_format: str = "png"
    shows_label: bool = False
    language_model: LanguageModel | None = None
    rehearses: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderResult:
    """What an engine made.

    video, last_frame: file names inside the job's output_dir; last_frame is None unless the request asked for it.
    video ends in the format that it is in, such as ".mp4".
    ratio: the concrete ratio used. duration_s: whole seconds of film, rounded down. num_frames: frames in the file.
    tool_usage: tool -> how often it was used; a tool that was not used is not named.
    notes: sentences for the task's warnings, about what the engine could not honour.
    """

    video: str
    last_frame: str | None
    ratio: str
    width_px: int
    height_px: int
    duration_s: int
    num_frames: int
    has_sound: bool
    notes: tuple[str, ...] = ()
    tool_usage: Mapping[str, int] = field(default_factory=dict)
