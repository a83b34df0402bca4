"""What a model is, as the catalogue states it: values only, filled by `catalog.load`."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from understudy.core.media_limits import MediaLimits, OwnLimits, Range
from understudy.core.modality import Modality
from understudy.core.request import DURATION_CHOSEN_BY_ENGINE, RATIO_CHOSEN_BY_ENGINE
from understudy.core.scenario import Scenario

Plain = str | int | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A closed range of whole numbers."""

    least: int
    most: int

    def holds(self, value: int) -> bool:
        """Say whether the value lies inside, ends included."""
        return self.least <= value <= self.most


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Whole numbers from least to most in equal steps."""

    least: int
    most: int
    step: int

    def holds(self, value: int) -> bool:
        """Say whether the value is one of them."""
        return self.least <= value <= self.most and (value - self.least) % self.step == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskType:
    """What an omni reference task type asks of the rest of the request; None = nothing.

    reference_video_s: how long each reference video may be, where it is not what the model says.
    """

    reference_videos_min: int = 0
    reference_video_s: Range | None = None
    ratio: str | None = None
    duration_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """One model.

    id: dated catalogue id. name: the id without its date, as messages spell it. date: the day its row was read, ISO
    8601. sizes: resolution -> ratio -> (width_px, height_px). seed: -1 included. refused: fields of other models ->
    the values that are accepted because they ask for what this model does anyway. defaults: field of the request ->
    value; defaults_of: the same for one scenario, where it differs.
    scenarios: those it has. reference_images_max and kin: how many of each a reference request may hold.
    reference_videos_ms_max: the most that all reference videos may last together.
    adaptive_in_text, adaptive_only_with_frames: whether text alone may leave the ratio open; whether frames must.
    audio_alone: whether audio may be the only reference. frames: None = no such field.
    draft_resolution: of drafts, here or in a dialect that offers them. draft_refuses: fields a draft must not set.
    final_resolutions: of the final film of a draft, the first is the default; empty = any.
    task_types: omni_reference_task_type -> what it asks for; empty = no such field. output_formats: alike.
    advised_han_chars_max, advised_words_max: how long a prompt should be; longer ones are told, not refused.
    media: what the media of each kind may be. takes_faces: real people may be seen in them.
    hevc_resolutions: of those films Ark sends as HEVC with 10 bits. last_frame_format: "png" or "jpeg".
    """

    id: str
    name: str
    aliases: tuple[str, ...]
    resolutions: tuple[str, ...]
    sizes: Mapping[str, Mapping[str, tuple[int, int]]]
    fps: int
    audio_channels: int
    duration_s: Span
    duration_choosable: bool
    seed: Span
    priority: Span
    service_tiers: tuple[str, ...]
    tools: tuple[str, ...]
    refused: Mapping[str, tuple[Plain, ...]]
    defaults: Mapping[str, Plain]
    price_row: str
    date: str
    advised_han_chars_max: int
    advised_words_max: int
    draft_resolution: str
    scenarios: tuple[Scenario, ...] = tuple(Scenario)
    reference_images_max: int = 0
    reference_videos_max: int = 0
    reference_audios_max: int = 0
    reference_videos_ms_max: int = 0
    adaptive_in_text: bool = True
    adaptive_only_with_frames: bool = False
    audio_alone: bool = False
    frames: Grid | None = None
    draft_refuses: tuple[str, ...] = ()
    final_resolutions: tuple[str, ...] = ()
    task_types: Mapping[str, TaskType] = field(default_factory=dict)
    output_formats: tuple[str, ...] = ()
    defaults_of: Mapping[Scenario, Mapping[str, Plain]] = field(default_factory=dict)
    media: MediaLimits = field(default_factory=dict)
    takes_faces: bool = False
    hevc_resolutions: tuple[str, ...] = ()
    last_frame_format: str = "png"

    @property
    def ratios(self) -> tuple[str, ...]:
        """The concrete ratios, without "adaptive"."""
        return tuple(next(iter(self.sizes.values())))

    def takes_duration(self, duration_s: int) -> bool:
        """Say whether films may last so long, or may be of any length where -1 is given."""
        if duration_s == DURATION_CHOSEN_BY_ENGINE:
            return self.duration_choosable
        return self.duration_s.holds(duration_s)

    def makes_ratio(self, ratio: str | None) -> bool:
        """Say whether films can have the concrete ratio."""
        return ratio in next(iter(self.sizes.values()))

    def takes_ratio(self, ratio: str) -> bool:
        """Say whether films may have the ratio, or any where "adaptive" is given."""
        return ratio == RATIO_CHOSEN_BY_ENGINE or self.makes_ratio(ratio)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One dialect's assumptions, limits and promises; see `catalog/dialects.toml`.

    family: dialects of one family meet on the same paths and show each other's task ids as they were given.
    defaults: field of the request -> value, where the dialect differs from the models.
    offers: fields of the request that it has although the model's own row refuses them. refuses: fields it has not.
    resolutions, ratios, frames: None = the model's own. durations_choosable: whether -1 seconds may be asked for.
    roles_inferred: whether several images without a role are references; a lone image, videos and audio always get
    the one role they can have.
    audio_alone: whether audio may be the only reference. audio_needs_sound: whether it needs generate_audio.
    asset_models: ids of the models that take ``asset://`` references; None = all.
    former_names: parameter as it is called for former_names_models (ids) -> its name for all other models.
    prompt_chars_max_of: model id -> its own limit. tells_task_on_create: the create answers more than the id.
    duration_dropped_with_reference_images: the duration is not passed on when all media are reference images.
    model_names: model id -> what the dialect's own documents call it, where that is not the id.
    takes_uploaded_videos: whether a video may come with the request, as a data URL; else it has an address.
    takes_forms: whether a request may be a form instead of JSON.
    prompt_flags: whether flags at the end of the prompt, such as ``--ratio 16:9``, are read.
    error_statuses: error code -> the HTTP status it has here, where it is not Ark's. error_words: error code -> what
    its message begins with.
    draft_repeats_refused: a request from a draft must not repeat what the draft said.
    poll_after_ms: how long a polling client is told to wait.
    sizes: ``"1024x1792"`` -> (resolution, ratio), where the dialect names sizes that no model makes.
    media: what it takes less of than the model does.
    """

    name: str
    family: str
    wire_id_prefix: str
    body_bytes_max: int
    record_retention_s: int
    cancelled_retention_s: int
    link_lifetime_s: int
    page_num: Span
    page_size: Span
    page_size_default: int
    list_service_tier_default: str
    execution_expires_after_s: Span
    safety_identifier_chars_max: int
    prompt_chars_max: int
    filter_task_ids_max: int
    prompt_chars_max_of: Mapping[str, int] = field(default_factory=dict)
    resolutions: tuple[str, ...] | None = None
    ratios: tuple[str, ...] | None = None
    frames: Span | None = None
    durations_choosable: bool = True
    offers: tuple[str, ...] = ()
    refuses: tuple[str, ...] = ()
    roles_inferred: bool = False
    audio_alone: bool = False
    audio_needs_sound: bool = False
    asset_models: tuple[str, ...] | None = None
    former_names: Mapping[str, str] = field(default_factory=dict)
    former_names_models: tuple[str, ...] = ()
    tells_task_on_create: bool = False
    duration_dropped_with_reference_images: bool = False
    draft_repeats_refused: bool = True
    model_names: Mapping[str, str] = field(default_factory=dict)
    takes_uploaded_videos: bool = False
    takes_forms: bool = False
    prompt_flags: bool = False
    error_statuses: Mapping[str, int] = field(default_factory=dict)
    error_words: Mapping[str, str] = field(default_factory=dict)
    poll_after_ms: int | None = None
    sizes: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    defaults: Mapping[str, Plain] = field(default_factory=dict)
    media: Mapping[Modality, OwnLimits] = field(default_factory=dict)
