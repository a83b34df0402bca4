"""Prints how well the planner of previz reads the prompts of `tests/prompts/`, as Markdown.

    python scripts/planner_scores.py                  both halves, by kind and by language
    python scripts/planner_scores.py --misses         what it misses in the tuning half; the other half is never told
    python scripts/planner_scores.py --floors         a new `tests/prompts/floors.toml`

Each figure is right / asked: see `tests/prompt_scores.py` for what is asked.
"""

import argparse
import math
import sys
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from prompt_rows import HALVES, Prompt, prompts_of
from prompt_scores import KINDS, Tally, Verdict, judged, tallied, total
from understudy.engines.previz.plan import FilmPlan
from understudy.engines.previz.planning.planner import plan_film

RATIOS = ("16:9", "4:3", "1:1", "3:4", "9:16", "21:9")
DURATION_RANGE_S = (4, 15)
"""A model row's as the catalogue has it; the planner chooses within both."""

LANGUAGES = ("en", "zh", "ja", "es", "pt", "id")

FLOORS_HEAD = """\
# The least that the planner may reach, in percent of what was asked, by kind. A floor goes up with the planner and does
# not come down. `python scripts/planner_scores.py --floors` prints this file from what is reached now.
"""


def main() -> None:
    """Print what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--misses", action="store_true", help="list what is missed in the tuning half")
    parser.add_argument("--floors", action="store_true", help="print the floors file")
    parser.add_argument("--kind", choices=KINDS, help="with --misses: this kind alone")
    options = parser.parse_args()
    if options.misses:
        _print_misses(options.kind)
        return
    verdicts = {half: [(prompt, _verdicts(prompt)) for prompt in prompts_of(half)] for half in HALVES}
    tallies = {half: tallied(verdict for _, heard in rows for verdict in heard) for half, rows in verdicts.items()}
    if options.floors:
        _print_floors(tallies)
        return
    print("\n".join(_table_of_kinds(tallies)))
    print()
    print("\n".join(_table_of_languages(verdicts)))


def _plan(prompt: Prompt) -> FilmPlan:
    return plan_film(prompt.text, ratio="adaptive", duration_s=-1, ratios=RATIOS, duration_range_s=DURATION_RANGE_S)


def _verdicts(prompt: Prompt) -> list[Verdict]:
    return judged(prompt, _plan(prompt))


def _table_of_kinds(tallies: Mapping[str, Mapping[str, Tally]]) -> list[str]:
    rows = ["| what is asked | tuning half | held-out half |", "|---|---:|---:|"]
    rows += [f"| {kind} | {' | '.join(_cell(tallies[half].get(kind)) for half in HALVES)} |" for kind in KINDS]
    return [*rows, f"| **all** | {' | '.join(_cell(total(tallies[half])) for half in HALVES)} |"]


def _table_of_languages(verdicts: Mapping[str, list[tuple[Prompt, list[Verdict]]]]) -> list[str]:
    rows = ["| language | prompts | tuning half | held-out half |", "|---|---:|---:|---:|"]
    for language in LANGUAGES:
        heard = {half: [row for row in verdicts[half] if row[0].language == language] for half in HALVES}
        cells = [_cell(total(tallied(verdict for _, each in heard[half] for verdict in each))) for half in HALVES]
        rows.append(f"| {language} | {' + '.join(str(len(heard[half])) for half in HALVES)} | {' | '.join(cells)} |")
    return rows


def _cell(tally: Tally | None) -> str:
    return "" if tally is None else f"{tally.right} / {tally.asked} ({tally.percent:.0f} %)"


def _print_misses(kind: str | None) -> None:
    for prompt in prompts_of("tuning"):
        missed = [each for each in _verdicts(prompt) if not each.is_right and kind in (None, each.kind)]
        if missed:
            print(f"{prompt.id}: {prompt.text}")
        for each in missed:
            print(f"    {each.kind}: wanted {each.wanted}; found {each.found}")


def _print_floors(tallies: Mapping[str, Mapping[str, Tally]]) -> None:
    print(FLOORS_HEAD, end="")
    for half in HALVES:
        print(f"\n[{half}]")
        for kind, tally in tallies[half].items():
            print(f'"{kind}" = {math.floor(tally.percent)}' if " " in kind else f"{kind} = {math.floor(tally.percent)}")


if __name__ == "__main__":
    main()
