"""What a model is, as the catalogue states it: values only, filled by `catalog.load`."""

from collections.abc import Mapping
from dataclasses import dataclass, field

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
class ModelSpec:
    """One model.

    id: dated catalogue id. name: the id without its date, as messages spell it. sizes: resolution -> ratio ->
    (width_px, height_px). seed: -1 included. refused: fields of other models -> the values that are accepted
    because they ask for what this model does anyway. defaults: field of the request -> value.
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

    @property
    def ratios(self) -> tuple[str, ...]:
        """The concrete ratios, without "adaptive"."""
        return tuple(next(iter(self.sizes.values())))


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One dialect's assumptions, limits and promises; see `catalog/dialects.toml`."""

    name: str
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
    defaults: Mapping[str, Plain] = field(default_factory=dict)
