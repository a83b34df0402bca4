"""Runs a transformer of full size in every way that this machine allows, beside the plain run of the library.

The plain run ("stock") is the library's transformer as it comes: nothing compiled, its own attention. All others have
the same weights and the same noise.
"""

import gc
import statistics
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch

import gpu_measuring as measuring
from gpu_networks import Latents, Work, network, work_of
from gpu_rows import EXACT, FASTEST, STOCK, Row, Size, Subject, Trial, verdict_of
from understudy.catalog.open_architectures import Component
from understudy.engines.diffusion import loading, memory, speeding
from understudy.engines.diffusion.families.minimax_h3_modulation import ModulationTable
from understudy.engines.diffusion.order import OutOfMemory
from understudy.engines.diffusion.placing import place, release
from understudy.engines.diffusion.recipe import Family, Offload, Option, Plan, Quantisation, Recipe

STEPS = 3
"""Forwards whose times are told as their median, and after which the latents are compared."""

COMPILE_ROOM_S = 90.0
"""What a trial is thought to need beside its forwards: to build, to compile."""

BEST_ATTENTION = (Option.FLASH_3, Option.CUDNN, Option.FLASH)
"""In this order, those that are exact; of a set the first that can be had is taken."""

FASTEST_ATTENTION = (Option.SAGE, *BEST_ATTENTION)
"""The same, with the one in 8 bits: from 20 000 tokens on most of a step is attention."""

HasTime = Callable[[float], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What one subject is measured with. parts: its networks. is_tiny: on a processor, with few weights."""

    subject: Subject
    recipe: Recipe
    parts: Mapping[str, Component]
    dtype: str
    device: str
    has_time: HasTime
    is_tiny: bool = False

    @property
    def number_type(self) -> torch.dtype:
        """The type of the weights."""
        return loading.dtype_of(self.dtype)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ran:
    """What a run left: the velocity of the first forward, and the latents after the steps, on the host."""

    row: Row
    first: Latents
    last: Latents


def trials_of(recipe: Recipe, wanted: tuple[Option, ...] | None, *, is_quick: bool) -> list[Trial]:
    """Return the plain run, the two sets, and each option alone."""
    table = (Option.MODULATION_TABLE,) if recipe.family is Family.MINIMAX_H3 else ()
    exact = (Option.COMPILE, *BEST_ATTENTION, *table)
    sets = [
        Trial(name=STOCK),
        Trial(name=EXACT, options=exact),
        Trial(name=FASTEST, options=(Option.COMPILE, *FASTEST_ATTENTION, *table, Option.FP8), is_exact=False),
    ]
    if is_quick:
        return sets
    alone = [
        each for each in Option if each is not Option.STEP_CACHE and (each is not Option.MODULATION_TABLE or table)
    ]
    return sets + [
        Trial(name=option.value, options=(option,), is_exact=speeding.OPTIONS[option].is_exact)
        for option in alone
        if wanted is None or option in wanted
    ]


def measured(
    bench: Bench, trials: list[Trial], plain: dict[str, Ran], *, change: Callable[[Any], None] | None = None
) -> Iterator[Row]:
    """Run the trials, each on weights drawn anew, and yield a row for each at each size.

    A trial that fails, or that there is no time for, has a row that says so. plain: the plain runs by their sizes, put
    there when they come. change: made to the transformer of every trial but the plain one, which is how a test makes a
    trial wrong.
    """
    operations = {
        str(size): measuring.operations(
            bench.recipe.family, bench.parts["transformer"], size, parts=bench.parts, dtype=bench.number_type
        )
        for size in bench.subject.sizes
    }
    needed_s = 0.0
    for trial in trials:
        if not bench.has_time(needed_s):
            yield _empty(bench, trial, "no time was left")
            continue
        lacking = _lacking(bench, trial)
        if lacking:
            yield _empty(bench, trial, lacking)
            continue
        try:
            for ran in _runs(bench, trial, None if trial.name == STOCK else change):
                if trial.name == STOCK:
                    plain[ran.row.size] = ran
                yield replace(judged(ran, plain.get(ran.row.size), bench.dtype), operations=operations[ran.row.size])
        except Exception as error:  # boundary: one trial's failure is one row's
            yield _empty(bench, trial, told(error))
        give_back(bench.device)
        if plain:
            needed_s = (STEPS + 1) * sum(each.row.seconds for each in plain.values()) + COMPILE_ROOM_S
            needed_s = 0.0 if bench.is_tiny else needed_s


def planned(bench: Bench, plans: tuple[Plan, ...], plain: Mapping[str, Ran]) -> Iterator[Row]:
    """Run the transformer by each plan of the recipe, at the first size. plain: as of `measured`."""
    beside = plain.get(str(bench.subject.sizes[0]))
    forward_s = 0.0 if beside is None else beside.row.seconds
    for plan in plans:
        trial = Trial(name=f"plan {plan.name}", is_exact=plan.quantisation is Quantisation.NONE)
        if plan.offload is Offload.NONE and plan.quantisation is Quantisation.NONE:
            continue
        if not bench.has_time(0.0 if bench.is_tiny else 6 * forward_s + COMPILE_ROOM_S):
            yield _empty(bench, trial, "no time was left")
            continue
        try:
            yield judged(_by_plan(bench, trial, plan), beside, bench.dtype)
        except Exception as error:  # boundary: as above
            yield _empty(bench, trial, told(error))
        give_back(bench.device)


def judged(ran: Ran, plain: Ran | None, dtype: str) -> Row:
    """Return a row with its errors against the plain run and what they say of the trial."""
    if plain is None:
        return replace(ran.row, note="; ".join(filter(None, (ran.row.note, "there is no plain run to compare with"))))
    error = measuring.relative_error(ran.first, plain.first)
    return replace(
        ran.row,
        error=error,
        error_at_end=measuring.relative_error(ran.last, plain.last),
        decibels=measuring.decibels(ran.last, plain.last),
        verdict=verdict_of(error, is_exact=ran.row.is_exact, dtype=dtype),
    )


def _runs(bench: Bench, trial: Trial, change: Callable[[Any], None] | None) -> Iterator[Ran]:
    transformer = network(bench.parts["transformer"], dtype=bench.number_type, device=bench.device)
    if change is not None:
        change(transformer)
    table, notes = sped_up(transformer, trial.options, bench)
    try:
        for size in bench.subject.sizes:
            work = _work(bench, transformer, size)
            prepare_s = _prepared(table, work, bench.device)
            ran = _steps(transformer, work, bench.device)
            compile_s = ran.row.compile_s if Option.COMPILE in trial.options else 0.0
            row = replace(
                ran.row,
                recipe=bench.recipe.id,
                trial=trial.name,
                size=str(size),
                is_exact=trial.is_exact,
                compile_s=compile_s,
                prepare_s=prepare_s,
                note=" ".join(notes),
            )
            yield replace(ran, row=row)
    finally:
        if table is not None:
            table.close()
        release({"transformer": transformer})


def sped_up(
    transformer: Any, options: tuple[Option, ...], bench: Bench
) -> tuple[ModulationTable | None, tuple[str, ...]]:
    """Apply the options as the engine does; on a processor also those that pay on a GPU only, compiled to nothing."""
    table = None
    if Option.MODULATION_TABLE in options:
        # What it takes out has to lie on the host; the rest need not make the journey.
        for part in (transformer.time_embedder, *(block.adaln_proj for block in transformer.transformer_blocks)):
            part.to("cpu")
        table = ModulationTable(transformer)
    transformer.to(bench.device)
    best = [each for each in FASTEST_ATTENTION if each in options]
    left = tuple(each for each in options if each not in best) if len(best) > 1 else options
    if len(best) > 1:
        left += tuple([each for each in best if not speeding.lack_of(each, bench.device)][:1])
    if not bench.is_tiny:
        return table, speeding.speed_up(transformer, left, bench.device, family=bench.recipe.family)
    usable = tuple(each for each in left if each in (Option.INT8, Option.MODULATION_TABLE))
    notes = speeding.speed_up(transformer, usable, bench.device, family=bench.recipe.family, is_forced=True)
    if Option.COMPILE in options:
        speeding.compile_layers(transformer, bench.recipe.family, backend="eager")
    return table, notes


def _prepared(table: ModulationTable | None, work: Work, device: str) -> float:
    """Return how long the rows of all steps took to compute, on what comes to the device for it."""
    if table is None:
        return 0.0
    call = partial(table.prepare, work.times, torch.device(device), with_adapter=False)
    return measuring.wall_seconds(call, device)[0]


def _steps(transformer: Any, work: Work, device: str) -> Ran:
    """Run one forward that is not counted but for its result, and then the steps."""
    gc.collect()
    measuring.forget_peaks(device)
    with torch.inference_mode():
        first_s, first = measuring.wall_seconds(lambda: transformer(**work.arguments(work.noise, 0)), device)
        latents, times = work.noise, []
        for step in range(STEPS):
            arguments = work.arguments(latents, step)
            took_s, velocity = measuring.seconds(lambda arguments=arguments: transformer(**arguments), device)
            times.append(took_s)
            latents = work.stepped(latents, velocity, step)
    usual_s = statistics.median(times)
    peak_bytes, held_bytes = measuring.peaks(device)
    row = Row(
        recipe="",
        trial="",
        size="",
        seconds=usual_s,
        compile_s=max(0.0, first_s - usual_s),
        peak_bytes=peak_bytes,
        held_bytes=held_bytes,
    )
    return Ran(row=row, first=_on_host(first), last=_on_host(latents))


def _by_plan(bench: Bench, trial: Trial, plan: Plan) -> Ran:
    transformer = network(bench.parts["transformer"], dtype=bench.number_type, device=bench.device)
    try:
        if plan.quantisation is not Quantisation.NONE:
            loading.quantise(transformer, plan.quantisation, device=bench.device)
        if plan.offload is not Offload.NONE:
            transformer.to("cpu")
        give_back(bench.device)
        work = _work(bench, transformer, bench.subject.sizes[0], device=bench.device)
        placed = {"transformer": transformer}
        prepare_s, _ = measuring.wall_seconds(
            lambda: place(placed, plan, bench.device, large=("transformer",)), bench.device
        )
        ran = _steps(transformer, work, bench.device)
        size = str(bench.subject.sizes[0])
        row = replace(ran.row, recipe=bench.recipe.id, trial=trial.name, size=size, is_exact=trial.is_exact)
        # What the first forward takes longer is what brings the weights.
        return replace(ran, row=replace(row, compile_s=0.0, prepare_s=prepare_s + ran.row.compile_s))
    finally:
        release({"transformer": transformer})


def _work(bench: Bench, transformer: Any, size: Size, *, device: str = "") -> Work:
    return work_of(
        bench.recipe.family, transformer, size, parts=bench.parts, dtype=bench.number_type, steps=STEPS, device=device
    )


def _lacking(bench: Bench, trial: Trial) -> str:
    """Return why an option alone cannot be tried here."""
    if bench.is_tiny:
        tried = (Option.COMPILE, Option.INT8, Option.MODULATION_TABLE)
        return "" if len(trial.options) != 1 or trial.options[0] in tried else "it is for GPUs"
    lacks = [speeding.lack_of(option, bench.device) for option in trial.options]
    return lacks[0] if len(lacks) == 1 else ""


def _empty(bench: Bench, trial: Trial, note: str) -> Row:
    size = str(bench.subject.sizes[0])
    return Row(recipe=bench.recipe.id, trial=trial.name, size=size, is_exact=trial.is_exact, note=note)


def told(error: Exception) -> str:
    """Say what an error was, in a few words, and let go of what it holds."""
    if isinstance(error, OutOfMemory) or memory.is_lack(error):
        said = "memory ran out"
    elif isinstance(error, ImportError):
        said = f"skipped: the package {(error.name or str(error)).partition('.')[0]} is not installed"
    else:
        traceback.print_exception(error)
        said = f"failed: {type(error).__name__}: {str(error).partition(chr(10))[0][:160]}"
    # What did not fit is still named by the frames that the error remembers.
    traceback.clear_frames(error.__traceback__)
    return said


def _on_host(parts: Any) -> Latents:
    return tuple(part.float().cpu() for part in parts)


def give_back(device: str) -> None:
    """Forget what was compiled, and return what nothing refers to any more."""
    torch.compiler.reset()
    if torch.device(device).type == "cuda":
        gc.collect()
        torch.cuda.empty_cache()
