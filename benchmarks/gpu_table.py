"""Writes what `gpu.py` measured as a page of tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gpu_rows import EXACT, FASTEST, STOCK, SUBJECTS, Machine, Part, Row, Size, passes_of
from understudy.engines.diffusion.recipe import Recipe

GIB = 2**30

HEADER = """# Speed and memory on GPUs

Written by `benchmarks/gpu.py`; do not edit it by hand. Run `python benchmarks/gpu.py` on a machine with a GPU, from a
checkout, with the package's extra `diffusion` installed; `--help` lists what can be chosen.

The networks have their released size and random weights. Time and memory do not depend on the values of weights, so
these figures hold for the released ones. They say nothing about how good the films are: that is why options which
guess steps are not among them.

- **stock** is the library's own transformer as it comes: bfloat16, nothing compiled, torch's attention. All other rows
  have the same weights, the same noise and the same settings. A time is the median of 3 forwards after one that is not
  counted.
- **error** is the length of the difference from stock over the length of stock's result, of one forward and of the
  latents after 3 steps; **PSNR** is that of those latents. **WRONG** marks what differs by more than it promises.
- **share** is operations per second over those of a bfloat16 product of two matrices of 8192 x 8192, measured in the
  same run. It can pass 100 % where numbers have 8 bits.
- **peak** is the most memory held on the device.
"""

EMPTY = """
No GPU was at hand when this page was written, so it holds no figures.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """All that was measured, in the order in which it was."""

    machine: Machine | None = None
    rows: Sequence[Row] = ()
    plans: Sequence[Row] = ()
    parts: Sequence[Part] = ()
    skipped: Sequence[str] = ()

    def with_one(self, kind: str, value: Any) -> "Results":
        """Return them with one more. kind: "machine", "row", "plan", "part" or "skipped"; the first machine stays."""
        if kind == "machine":
            return replace(self, machine=self.machine or value)
        name = {"row": "rows", "plan": "plans", "part": "parts"}.get(kind, kind)
        return replace(self, **{name: [*getattr(self, name), value]})


def page(results: Results, recipes: Mapping[str, Recipe], *, sizes: Mapping[str, tuple[Size, ...]]) -> str:
    """Return the page. sizes: of each recipe's subject, the largest first."""
    if results.machine is None:
        return HEADER + EMPTY
    machine = results.machine
    text = [HEADER, f"Measured on {machine.date[:10]}.", ""]
    text += [f"- {name}: {value}" for name, value in machine.facts.items()]
    text += [f"- the product of matrices: {machine.rate / 1e12:.1f} TFLOP/s", ""]
    text += [f"{each}\n" for each in results.skipped]
    for name in dict.fromkeys(row.recipe for row in results.rows):
        rows = [row for row in results.rows if row.recipe == name]
        text += [f"## {name}", "", *_trials(rows, machine.rate)]
        text += _films(name, rows, recipes, sizes.get(name, ()))
        text += _plans([row for row in results.plans if row.recipe == name])
        text += _parts([part for part in results.parts if part.recipe == name])
    return "\n".join(text).rstrip() + "\n"


def _trials(rows: Sequence[Row], rate: float) -> list[str]:
    text = []
    for size in dict.fromkeys(row.size for row in rows):
        own = [row for row in rows if row.size == size]
        stock_s = next((row.seconds for row in own if row.trial == STOCK), 0.0)
        operations = next((row.operations for row in own if row.operations), 0)
        text += [
            f"One forward at {size}, {operations / 1e12:.1f} TFLOP:",
            "",
            "| way | s | to stock | share | error, 1 | error, 3 | PSNR, dB | compiled in, s | peak, GiB | |",
            "|---|---|---|---|---|---|---|---|---|---|",
        ]
        for row in own:
            once = f"once per schedule {row.prepare_s:.1f} s" if row.prepare_s else ""
            told = ". ".join(filter(None, (row.verdict if row.trial != STOCK else "", once, row.note)))
            if not row.seconds:
                text.append(f"| {row.trial} | - | - | - | - | - | - | - | - | {_cell(told)} |")
                continue
            share = row.operations / row.seconds / rate if rate else 0.0
            ratio = f"{stock_s / row.seconds:.2f} x" if stock_s else "-"
            error = ("-", "-", "-")
            if row.trial != STOCK and row.verdict:
                error = (f"{row.error:.1e}", f"{row.error_at_end:.1e}", f"{row.decibels:.0f}")
            text.append(
                f"| {row.trial} | {row.seconds:.3f} | {ratio} | {share:.0%} | {' | '.join(error)} | "
                f"{row.compile_s:.0f} | {row.held_bytes / GIB:.1f} | {_cell(told)} |"
            )
        text.append("")
    return text


def _films(name: str, rows: Sequence[Row], recipes: Mapping[str, Recipe], sizes: tuple[Size, ...]) -> list[str]:
    """Return what whole films take, of the forwards that were measured."""
    if name not in SUBJECTS or not sizes:
        return []
    seconds = {(row.trial, row.size): row.seconds for row in rows if row.seconds}
    table = []
    for recipe in (recipes[each] for each in SUBJECTS[name].recipes):
        for kind, schedule in (("film", recipe.usual), ("draft", recipe.draft)):
            if schedule is None:
                continue
            passes = passes_of(recipe, schedule, sizes)
            cells = []
            for trial in (STOCK, EXACT, FASTEST):
                took = [seconds.get((trial, each.size)) for each in passes]
                known = [each.forwards * time_s for each, time_s in zip(passes, took, strict=True) if time_s]
                cells.append(f"{sum(known):.1f}" if len(known) == len(passes) else "-")
            forwards = " + ".join(f"{each.forwards} at {each.size}" for each in passes)
            table.append(f"| {recipe.id}, {kind} | {forwards} | {' | '.join(cells)} |")
    if not table:
        return []
    head = ["Denoising a whole film, computed from the forwards above:", ""]
    head += [f"| what | forwards | {STOCK}, s | {EXACT}, s | {FASTEST}, s |", "|---|---|---|---|---|"]
    return [*head, *table, ""]


def _plans(rows: Sequence[Row]) -> list[str]:
    if not rows:
        return []
    text = [
        "The recipe's plans, uncompiled, one forward at the first size; before the first one, weights are brought:",
        "",
        "| plan | s | brought in, s | error, 1 forward | peak, GiB | |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        figures = f"{row.seconds:.3f} | {row.prepare_s:.1f} | {row.error:.1e} | {row.held_bytes / GIB:.1f}"
        told = ". ".join(filter(None, (row.verdict, row.note)))
        text.append(f"| {row.trial} | {figures if row.seconds else '- | - | - | -'} | {_cell(told)} |")
    return [*text, ""]


def _parts(parts: Sequence[Part]) -> list[str]:
    if not parts:
        return []
    text = ["Beside the transformer, at the first size:", "", "| what | s | peak, GiB | |", "|---|---|---|---|"]
    for part in parts:
        figures = f"{part.seconds:.3f} | {part.peak_bytes / GIB:.1f}" if part.seconds else "- | -"
        text.append(f"| {part.name} | {figures} | {_cell(part.note)} |")
    return [*text, ""]


def _cell(text: str) -> str:
    return text.replace("|", "/").replace("\n", " ")
