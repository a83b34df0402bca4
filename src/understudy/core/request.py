"""The generation request: what a caller asked for, in no dialect's spelling."""

from dataclasses import dataclass

from understudy.core.content import ContentItem, Modality

DURATION_CHOSEN_BY_ENGINE = -1
SEED_CHOSEN_BY_SERVER = -1
RATIO_CHOSEN_BY_ENGINE = "adaptive"


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationRequest:
    """A request to generate one film; ``None`` means that the caller left the field to the default.

    model: any name the caller used; `resolve` turns it into the catalogue's id.
    duration_s: whole seconds, or -1 = the engine chooses. frames: frame count, wins over duration_s where a model
    has it. seed: 0..2^32-1, or -1 = the server chooses. execution_expires_after_s: from creation.
    ratio: ``"16:9"`` and kin, or ``"adaptive"`` = the engine chooses.
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

    def of(self, modality: Modality) -> tuple[ContentItem, ...]:
        """Return the items of one modality, in order: the first image is "image 1"."""
        return tuple(item for item in self.content if item.modality is modality)

    @property
    def prompt(self) -> str:
        """The text items, one per line."""
        return "\n".join([item.value for item in self.content if item.modality is Modality.TEXT])
