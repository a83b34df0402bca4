"""How fast open models are on this machine's GPU, and how much memory they take: of full size, with random weights.

Each model is measured in a process of its own: what one breaks, the next does not see. It needs a checkout, torch,
diffusers, transformers, accelerate and the package's own dependencies (msgspec, numpy, aiohttp); what needs torchao or
PyAV is skipped where they lack. No weights are downloaded and no network is used.

    python benchmarks/gpu.py [--recipes minimax-h3 wan-2-2 ...] [--options compile fp8 ...] [--minutes 9] [--quick]
        [--no-plans] [--no-parts] [--rows one.txt] [--out docs/reference/gpu-results.md]
    python benchmarks/gpu.py --read one.txt other.txt         # a page of what several runs wrote with --rows
    python benchmarks/gpu.py --tiny --out /tmp/results.md     # small networks on a processor, in seconds
"""

import argparse
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [path for path in (str(HERE), str(HERE.parent / "src")) if path not in sys.path]

NEEDED = ("torch", "diffusers", "transformers", "accelerate", "msgspec", "numpy", "aiohttp")
USED = {"torchao": "8-bit weights", "av": "writing films", "peft": "adapters"}
RESULTS = HERE.parent / "docs" / "reference" / "gpu-results.md"
TINY = ("wan-2-2-5b", "minimax-h3", "ltx-2-5")
"""Measured with --tiny: one of each kind."""

SPARE_S = 20.0
"""Of the time that is given, what is left for writing the page."""

SECONDS_PER_MINUTE = 60.0


def wanted_of(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipes", nargs="*", default=None, help="those to be measured; all by default")
    parser.add_argument("--options", nargs="*", default=None, help="those to be tried alone; all by default")
    parser.add_argument("--minutes", type=float, default=45.0, help="stop after so many, with what there is")
    parser.add_argument("--quick", action="store_true", help="only stock and the two sets, without plans")
    parser.add_argument("--no-plans", action="store_true", help="leave out the recipes' plans")
    parser.add_argument("--no-parts", action="store_true", help="leave out all but transformers")
    parser.add_argument("--tiny", action="store_true", help="few weights, on the processor")
    parser.add_argument("--out", type=Path, default=RESULTS, help="the page that is written")
    parser.add_argument("--rows", type=Path, default=None, help="a file that every result is added to as a line")
    parser.add_argument("--read", type=Path, nargs="*", default=(), help="measure nothing: a page of such files")
    parser.add_argument("--one", default="", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def lacking() -> list[str]:
    """Return the packages without which nothing can be measured."""
    return [name for name in NEEDED if find_spec(name) is None]


def measure(wanted: argparse.Namespace, name: str, until: float) -> Iterator[tuple[str, Any]]:
    """Measure one subject in this process; yield each result with its kind, as soon as there is one.

    until: of `time.monotonic`.
    """
    import torch

    import gpu_measuring
    import gpu_parts
    import gpu_rows
    import gpu_trials
    from gpu_tiny import tiny
    from understudy.catalog.open_architectures import load_open_architectures
    from understudy.engines.diffusion.recipe import Option, load_recipes

    device = "cpu" if wanted.tiny else "cuda"
    subject, recipe = gpu_rows.SUBJECTS[name], load_recipes()[name]
    parts = load_open_architectures()[subject.network]
    dtype = "float32" if wanted.tiny else recipe.dtype
    if wanted.tiny:
        parts, subject = tiny(parts), replace(subject, sizes=gpu_rows.TINY_SIZES[recipe.family])
    number_type = getattr(torch, dtype)
    side = gpu_measuring.TINY_MATRIX if wanted.tiny else gpu_measuring.MATRIX
    yield (
        "machine",
        gpu_rows.Machine(
            facts=gpu_measuring.machine(device),
            rate=gpu_measuring.matrix_rate(device, number_type, side=side),
            date=datetime.now(UTC).isoformat(),
        ),
    )
    bench = gpu_trials.Bench(
        subject=subject,
        recipe=recipe,
        parts=parts,
        dtype=dtype,
        device=device,
        has_time=lambda needed_s: time.monotonic() + needed_s + SPARE_S < until,
        is_tiny=wanted.tiny,
    )
    options = None if wanted.options is None else tuple(Option(each) for each in wanted.options)
    stock_s, plain = 0.0, {}
    for row in gpu_trials.measured(bench, gpu_trials.trials_of(recipe, options, is_quick=wanted.quick), plain):
        if row.trial == gpu_rows.STOCK and not stock_s:
            stock_s = row.seconds
        yield "row", row
    if not wanted.no_parts:
        for part in gpu_parts.parts_of(bench, stock_s):
            yield "part", part
    if not (wanted.quick or wanted.no_plans):
        for row in gpu_trials.planned(bench, recipe.plans, plain):
            yield "plan", row


def measured_apart(wanted: argparse.Namespace, names: list[str], until: float) -> Iterator[tuple[str, Any]]:
    """Measure each subject in a process of its own, and yield what they print; one that hangs is ended in time."""
    for at, name in enumerate(names):
        left_s = until - time.monotonic()
        if left_s < SPARE_S:
            yield "skipped", f"No time was left for {', '.join(names[at:])}."
            return
        command = [sys.executable, str(HERE / "gpu.py"), "--one", name]
        command += ["--minutes", f"{left_s / SECONDS_PER_MINUTE:.3f}"]
        for flag in ("tiny", "quick", "no_plans", "no_parts"):
            command += [f"--{flag.replace('_', '-')}"] if getattr(wanted, flag) else []
        command += ["--options", *wanted.options] if wanted.options is not None else []
        # What it prints is read line by line: should this process be ended from outside, the page has all until then.
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            end = threading.Timer(left_s, process.kill)
            end.start()
            for line in process.stdout or ():
                yield from _read(line)
            end.cancel()
        if process.returncode:
            yield (
                "skipped",
                f"The process of {name} ended with the code {process.returncode}; it had measured this much.",
            )


def _line(kind: str, value: Any) -> str:
    return f"{kind} {json.dumps(value if isinstance(value, str) else asdict(value))}"


def _read(line: str) -> Iterator[tuple[str, Any]]:
    """Read what `_line` wrote; other lines are of libraries."""
    from gpu_rows import Machine, Part, Row

    classes = {"machine": Machine, "row": Row, "plan": Row, "part": Part}
    kind, _, text = line.partition(" ")
    if kind in classes and text.startswith("{"):
        yield kind, classes[kind](**json.loads(text))
    elif kind == "skipped" and text.startswith('"'):
        yield kind, json.loads(text)


def found_by(wanted: argparse.Namespace, names: list[str], until: float) -> Iterator[tuple[str, Any]]:
    """Return what is measured, or what earlier runs measured."""
    if wanted.read:
        lines = [line for path in wanted.read for line in path.read_text(encoding="utf-8").splitlines()]
        return (each for line in lines for each in _read(line))
    if wanted.tiny:
        return (each for name in names for each in measure(wanted, name, until))
    return measured_apart(wanted, names, until)


def refusal_of(wanted: argparse.Namespace) -> str:
    """Return why what is wanted cannot be measured, or ""."""
    lacks = lacking()
    if lacks:
        return f"It needs packages that are not installed: {', '.join(lacks)}."
    from gpu_rows import SUBJECTS
    from understudy.engines.diffusion.recipe import Option

    unknown = [name for name in (*(wanted.recipes or ()), wanted.one) if name and name not in SUBJECTS]
    if unknown:
        return f"There is no network for {', '.join(unknown)}; there is one for {', '.join(SUBJECTS)}."
    strange = [name for name in wanted.options or () if name not in list(Option)]
    if strange:
        return f"There is no option {', '.join(strange)}; there is {', '.join(Option)}."
    if wanted.tiny or wanted.read:
        return ""
    import torch

    return "" if torch.cuda.is_available() else "There is no GPU that torch can use; --tiny tries the way without one."


def main(arguments: list[str] | None = None) -> int:
    """Measure, and write the page after each result. Returns: 0, or 1 where nothing could be measured."""
    wanted = wanted_of(arguments)
    until = time.monotonic() + wanted.minutes * SECONDS_PER_MINUTE
    refusal = refusal_of(wanted)
    if refusal:
        print(refusal)
        return 1
    if wanted.one:
        for kind, value in measure(wanted, wanted.one, until):
            print(_line(kind, value), flush=True)
        return 0
    from gpu_rows import SUBJECTS, TINY_SIZES
    from gpu_table import Results, page
    from understudy.engines.diffusion.recipe import load_recipes

    recipes = load_recipes()
    names = list(wanted.recipes or (TINY if wanted.tiny else SUBJECTS))
    sizes = {name: TINY_SIZES[recipes[name].family] if wanted.tiny else each.sizes for name, each in SUBJECTS.items()}
    # What earlier runs left out is not known here.
    lacks = [] if wanted.read else [name for name in USED if not find_spec(name)]
    results = Results(skipped=[f"{name} is not installed; left out: {USED[name]}." for name in lacks])
    for kind, value in found_by(wanted, names, until):
        print(_line(kind, value), flush=True)
        if (
            kind == "machine"
            and results.machine is not None
            and results.machine.facts["device"] != value.facts["device"]
        ):
            print("These were measured on different devices, and one page is of one.")
            return 1
        results = results.with_one(kind, value)
        wanted.out.write_text(page(results, recipes, sizes=sizes), encoding="utf-8")
        if wanted.rows is not None:
            with wanted.rows.open("a", encoding="utf-8") as file:
                file.write(_line(kind, value) + "\n")
    return 0 if any(row.seconds for row in results.rows) else 1


if __name__ == "__main__":
    sys.exit(main())
