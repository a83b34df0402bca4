"""The generation request: what a caller asked for, in no dialect's spelling."""

from dataclasses import dataclass

from understudy.core.content import ContentItem, Modality

DURATION_CHOSEN_BY_ENGINE = -1
SEED_CHOSEN_BY_SERVER = -1
RATIO_CHOSEN_BY_ENGINE = "adaptive"
FILM_OF_TASK = "task://"
"""Before an internal task id: the film of that task, of the same owner, as a video."""

ARKS_NAMES = {"duration_s": "duration", "execution_expires_after_s": "execution_expires_after"}
"""Field of the request -> what Ark calls it, where that is another name."""
_FIELD_OF = {param: field for field, param in ARKS_NAMES.items()}


def param_of(field: str) -> str:
    """Return what Ark calls a field of the request; violations and warnings of the core name it so."""
    return ARKS_NAMES.get(field, field)


def field_of(param: str) -> str:
    """Return the request's field for a parameter of Ark's."""
    return _FIELD_OF.get(param, param)


def is_film_of_task(item: ContentItem) -> bool:
    """Say whether the item is the film of another task; a text that begins like one is a text."""
    return item.modality is Modality.VIDEO and item.value.startswith(FILM_OF_TASK)


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationRequest:
    """A request to generate one film; ``None`` means that the caller left the field to the default.

    model: any name the caller used; `resolve` turns it into the catalogue's id.
    duration_s: whole seconds, or -1 = the engine chooses. frames: frame count, wins over duration_s where a model
    has it. seed: 0..2^32-1, or -1 = the server chooses. execution_expires_after_s: from creation.
    ratio: ``"16:9"`` and kin, or ``"adaptive"`` = the engine chooses.
    model_asked: the name the caller used, where `resolve` found another id behind it; answers show it.
    trace_id: the caller's own mark, kept and shown, without effect. draft_task_id: the internal id of the draft that
    this is the final of. remixed_from: the internal id of the task whose film this one changes.
    """

    model: str
    content: tuple[ContentItem, ...]
    ratio: str | None = None
    resolution: str | None = None
    duration_s: int | None = None
    frames: int | None = None
    seed: int | None = None
    generate_audio: bool | None = None
    watermark: bool | None = None
    return_last_frame: bool | None = None
    camera_fixed: bool | None = None
    draft: bool | None = None
    tools: tuple[str, ...] = ()
    service_tier: str | None = None
    priority: int | None = None
    execution_expires_after_s: int | None = None
    callback_url: str | None = None
    safety_identifier: str | None = None
    output_format: str | None = None
    omni_reference_task_type: str | None = None
    trace_id: str | None = None
    model_asked: str | None = None
    draft_task_id: str | None = None
    remixed_from: str | None = None

    @property
    def model_shown(self) -> str:
        """The model's name as the caller knows it."""
        return self.model_asked or self.model

    @property
    def needs_another_task(self) -> bool:
        """Whether it builds upon a task of the same owner: the final of a draft, or a change of a film."""
        return any(item.modality is Modality.DRAFT or is_film_of_task(item) for item in self.content)

    def of(self, modality: Modality) -> tuple[ContentItem, ...]:
        """Return the items of one modality, in order: the first image is "image 1"."""
        return tuple(item for item in self.content if item.modality is modality)

    @property
    def prompt(self) -> str:
        """The text items, one per line."""
        return "\n".join([item.value for item in self.content if item.modality is Modality.TEXT])
