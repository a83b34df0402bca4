"""Recipes: how each model is run here. Values and their reading; the facts of a model are the catalogue's."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from understudy.catalog.open_models import OpenModel, open_models_of, raw_open_models
from understudy.engines.diffusion.order import Workflow


class Family(StrEnum):
    """Which pipelines run the model; each has a module in `families`."""

    MINIMAX_H3 = "minimax_h3"
    LTX = "ltx"
    WAN = "wan"
    VACE = "vace"


class PromptForm(StrEnum):
    """What form the model wants its prompt in; see `prompting`."""

    MINIMAX_H3 = "minimax_h3"
    LTX = "ltx"
    WAN = "wan"
    PLAIN = "plain"


class Offload(StrEnum):
    """What lies in the host's memory while it is not used."""

    NONE = "none"
    MODEL = "model"
    """Whole components: each is brought when its turn comes."""
    GROUP = "group"
    """Groups of layers, the next one copied while one computes."""


class Quantisation(StrEnum):
    """How the weights of the large components are kept."""

    NONE = "none"
    INT8 = "int8"
    FP8 = "fp8"
    """Weights and activations, on devices of compute capability 8.9 and more."""


class Option(StrEnum):
    """What makes a model faster; see `speeding` for how, and what each does to the picture."""

    COMPILE = "compile"
    FLASH = "flash"
    """Attention by FlashAttention 2."""
    FLASH_3 = "flash3"
    """Attention by FlashAttention 3, on Hopper."""
    SAGE = "sage"
    """Attention in 8 bits by SageAttention."""
    CUDNN = "cudnn"
    FP8 = "fp8"
    """The large matrices and what they are multiplied with in 8-bit floating point."""
    INT8 = "int8"
    """The same in 8-bit integers."""
    STEP_CACHE = "step-cache"
    """Steps that would change little are guessed from those before."""
    MODULATION_TABLE = "modulation-table"
    """What depends on the step alone is computed once per schedule, and its weights leave the device."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One way to fit the model into memory. Plans are tried from the fastest to the most frugal.

    device_bytes_min: memory of the device below which the plan is not tried. host_bytes_min: the same of the host.
    tiles: decode pictures in tiles. source: where the needs were taken from, or "estimate".
    """

    name: str
    device_bytes_min: int
    host_bytes_min: int
    source: str
    offload: Offload = Offload.NONE
    quantisation: Quantisation = Quantisation.NONE
    tiles: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """A few-step adapter (LoRA) that lies in the model's folder. file: its path there. scale: as its authors say."""

    file: str
    scale: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How it is denoised. guidance 1 = without. sigmas: empty = the scheduler's own; steps are then what counts."""

    steps: int
    guidance: float = 1.0
    sigmas: tuple[float, ...] = ()
    adapter: Adapter | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One model, as it is run here.

    folder: of its weights, below the folder of models. workflows: those it can serve.
    short_edge_px: resolution -> the short side of its canvas; a film that is larger is enlarged from that.
    native: resolutions whose size it makes itself, so that nothing is enlarged. upscaler: folder of the model's own
    latent upscaler below its own, used for canvases above upscale_from_px on the short side; "" = it has none.
    draft: None = it has no few-step schedule, and drafts are made with the usual one.
    options: what makes it faster without changing more than rounding, unless the operator says otherwise.
    """

    id: str
    model: OpenModel
    family: Family
    prompt_form: PromptForm
    folder: str
    dtype: str
    usual: Schedule
    workflows: tuple[Workflow, ...]
    short_edge_px: Mapping[str, int]
    plans: tuple[Plan, ...]
    draft: Schedule | None = None
    native: tuple[str, ...] = ()
    upscaler: str = ""
    upscale_from_px: int = 0
    negative_prompt: str = ""
    options: tuple[Option, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What this family's loader or calls need besides, such as the shift of a scheduler."""

    @property
    def has_sound(self) -> bool:
        """Whether its films have sound."""
        return self.model.sample_rate_hz > 0


def _read() -> dict[str, Any]:
    path = files("understudy.engines.diffusion").joinpath("recipes.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Lay rows over rows: a row that is ``like`` another takes from it what it does not say; tables are replaced."""
    rows = dict(below)
    if not isinstance(above, Mapping) or not all(isinstance(row, Mapping) for row in above.values()):
        raise ValueError("What is called models, recipes or licences has to be a table of tables.")
    for key, row in above.items():
        like = str(row.get("like", key))
        if "like" in row and like not in rows:
            raise ValueError(f"The row {key!r} is to be like {like!r}, which there is not.")
        rows[key] = {**rows.get(like, {}), **{name: value for name, value in row.items() if name != "like"}}
    return rows


def recipes_of(own: Mapping[str, Any]) -> dict[str, Recipe]:
    """Return the shipped recipes with an operator's own over them.

    own: ``{"models": {...}, "recipes": {...}, "licences": {...}}``, rows as in the shipped files; a row may say
    ``like = "<another>"``.

    Raises: ValueError (msgspec.ValidationError included) with the row's name.
    """
    if unknown := sorted(own.keys() - {"models", "recipes", "licences"}):
        raise ValueError(f"There are no {unknown[0]!r} in recipes; there are models, recipes and licences.")
    facts = raw_open_models()
    facts["licences"] = _laid_over(facts["licences"], own.get("licences", {}))
    facts["models"] = _laid_over(facts["models"], own.get("models", {}))
    models = open_models_of(facts).models
    found = {}
    for key, row in _laid_over(_read(), own.get("recipes", {})).items():
        if unknown := sorted(row.keys() - Recipe.__dataclass_fields__.keys()):
            raise ValueError(f"The recipe {key!r} has {unknown[0]!r}, which no recipe has.")
        try:
            model = msgspec.to_builtins(models[row.get("model", key)])
            found[key] = msgspec.convert({"folder": key, **row, "id": key, "model": model}, Recipe)
        except (KeyError, msgspec.ValidationError) as error:
            raise ValueError(f"The recipe {key!r} is broken: {error}.") from error
        steps = [schedule.steps for schedule in (found[key].usual, found[key].draft) if schedule is not None]
        if min(steps) < 1 or not found[key].plans:
            raise ValueError(f"The recipe {key!r} needs a plan, and at least one step.")
    return found


@cache
def load_recipes(own_file: str = "") -> Mapping[str, Recipe]:
    """Return all recipes, with those of an operator's own file.

    Raises: ValueError; OSError when the file cannot be read.
    """
    if not own_file:
        return recipes_of({})
    text = Path(own_file).read_bytes()
    try:
        return recipes_of(tomllib.loads(text.decode("utf-8")))
    except ValueError as error:
        raise ValueError(f"The recipes in {own_file} cannot be used: {error}") from error
