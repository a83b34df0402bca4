"""What `gpu.py` measures, and the rows that come of it: values, without torch."""

from collections.abc import Mapping
from dataclasses import dataclass

from understudy.engines.diffusion.recipe import Family, Option, Recipe, Schedule

STOCK = "stock"
EXACT = "exact set"
FASTEST = "fastest set"

EXACT_ERRORS_MAX: Mapping[str, float] = {"float32": 1e-3, "bfloat16": 0.05}
"""How far one forward may be from the plain one, where an option says that it only rounds otherwise. Of 8 bits of a
mantissa some hundred roundings in a row leave about one per cent; a lost mask, scale or layer leaves tens of it."""

INEXACT_ERROR_MAX = 0.3
"""The same of options that say that they change details: beyond this there is another film."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """A film's size on the model's grid."""

    width_px: int
    height_px: int
    num_frames: int

    def __str__(self) -> str:
        """Return it as the table has it."""
        return f"{self.width_px} x {self.height_px} x {self.num_frames}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A network that is measured. sizes: the first with every option. recipes: those whose films it makes."""

    recipe: str
    network: str
    sizes: tuple[Size, ...]
    recipes: tuple[str, ...]


def _size(width_px: int, height_px: int, num_frames: int) -> Size:
    return Size(width_px=width_px, height_px=height_px, num_frames=num_frames)


SUBJECTS: Mapping[str, Subject] = {
    each.recipe: each
    for each in (
        Subject(
            recipe="minimax-h3",
            network="minimax-h3",
            sizes=(_size(1344, 768, 124), _size(864, 480, 124)),
            recipes=("minimax-h3",),
        ),
        Subject(
            recipe="ltx-2-5",
            network="ltx-2-5",
            sizes=(_size(1920, 1088, 121), _size(960, 544, 121), _size(768, 512, 121)),
            recipes=("ltx-2-5", "ltx-2-5-fast"),
        ),
        Subject(
            recipe="wan-2-2",
            network="wan-2-2-t2v",
            sizes=(_size(1280, 720, 81), _size(832, 480, 81)),
            recipes=("wan-2-2",),
        ),
        Subject(
            recipe="wan-2-2-5b",
            network="wan-2-2-5b",
            sizes=(_size(1280, 704, 121), _size(832, 480, 121)),
            recipes=("wan-2-2-5b",),
        ),
        Subject(
            recipe="wan-vace",
            network="wan-vace",
            sizes=(_size(1280, 720, 81), _size(832, 480, 81)),
            recipes=("wan-vace", "wan-vace-fun"),
        ),
        Subject(
            recipe="wan-vace-1-3b", network="wan-vace-1-3b", sizes=(_size(832, 480, 81),), recipes=("wan-vace-1-3b",)
        ),
    )
}

TINY_SIZES: Mapping[Family, tuple[Size, ...]] = {
    Family.MINIMAX_H3: (_size(96, 64, 22),),
    Family.LTX: (_size(128, 64, 9), _size(64, 32, 9)),
    Family.WAN: (_size(64, 64, 5),),
    Family.VACE: (_size(64, 64, 5),),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One way to run a transformer. is_exact: whether it says that it only rounds otherwise."""

    name: str
    options: tuple[Option, ...] = ()
    is_exact: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one trial came to at one size; times of one forward.

    error: of one forward against the plain run; error_at_end, decibels: of the latents after the steps. operations: of
    one forward. note: why there are no figures, or what of the options was not to be had.
    """

    recipe: str
    trial: str
    size: str
    is_exact: bool = True
    seconds: float = 0.0
    compile_s: float = 0.0
    prepare_s: float = 0.0
    error: float = 0.0
    error_at_end: float = 0.0
    decibels: float = 0.0
    peak_bytes: int = 0
    held_bytes: int = 0
    operations: int = 0
    verdict: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What something beside the transformer took: reading a prompt, decoding, encoding, a whole pipeline."""

    recipe: str
    name: str
    seconds: float = 0.0
    peak_bytes: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What it was measured on. rate: operations per second of the matrix product; date: ISO 8601."""

    facts: Mapping[str, str]
    rate: float
    date: str


def verdict_of(error: float, *, is_exact: bool, dtype: str) -> str:
    """Say whether an error is what the option promises: "" for the plain run's own, else "right" or "WRONG"."""
    bound = EXACT_ERRORS_MAX[dtype] if is_exact else INEXACT_ERROR_MAX
    return "right" if error <= bound else "WRONG"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """Forwards at one size."""

    size: str
    forwards: int


def passes_of(recipe: Recipe, schedule: Schedule, sizes: tuple[Size, ...]) -> tuple[Pass, ...]:
    """Return the forwards of a film of the first size: half as large first where a model enlarges its own latents."""
    per_step = 1 + (schedule.guidance > 1)
    steps = schedule.steps
    if recipe.family is Family.MINIMAX_H3:
        # Its steps are the points of the schedule; nothing is computed at its end.
        return (Pass(size=str(sizes[0]), forwards=steps - 1),)
    if recipe.family is Family.LTX:
        guided = recipe.settings.get("guided", {}) if schedule.guidance > 1 else {}
        per_step += bool(guided.get("stg_scale", 0.0) > 0) + bool(guided.get("modality_scale", 1.0) > 1)
        if recipe.upscaler and len(sizes) > 1:
            refined = len(recipe.settings["refine"]["sigmas"])
            return (
                Pass(size=str(sizes[1]), forwards=steps * per_step),
                Pass(size=str(sizes[0]), forwards=refined),
            )
    return (Pass(size=str(sizes[0]), forwards=steps * per_step),)
