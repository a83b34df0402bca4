"""What makes models faster keeps its promise on a real GPU: small networks through the benchmark's own trials."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from understudy.engines.diffusion.recipe import Option, load_recipes

pytestmark = pytest.mark.full

BENCHMARKS = str(Path(__file__).parent.parent.parent / "benchmarks")
NAMES = ["minimax-h3", "ltx-2-5", "wan-2-2", "wan-2-2-5b", "wan-vace"]


def rows_of(name: str, monkeypatch: pytest.MonkeyPatch, *, options: tuple[Option, ...] | None) -> list[Any]:
    monkeypatch.syspath_prepend(BENCHMARKS)
    import gpu_rows
    import gpu_tiny
    import gpu_trials
    from understudy.catalog.open_architectures import load_open_architectures

    subject, recipe = gpu_rows.SUBJECTS[name], load_recipes()[name]
    bench = gpu_trials.Bench(
        subject=replace(subject, sizes=gpu_rows.TINY_SIZES[recipe.family][:1]),
        recipe=recipe,
        parts=gpu_tiny.tiny(load_open_architectures()[subject.network]),
        dtype="bfloat16",
        device="cuda",
        has_time=lambda _: True,
    )
    if options is None:
        plain: dict[str, Any] = {}
        list(gpu_trials.measured(bench, [gpu_rows.Trial(name=gpu_rows.STOCK)], plain))
        return list(gpu_trials.planned(bench, recipe.plans, plain))
    trials = gpu_trials.trials_of(recipe, options, is_quick=not options)
    return list(gpu_trials.measured(bench, trials, {}))


@pytest.mark.parametrize("name", NAMES)
def test_the_recommended_sets_are_right(name: str, gpu: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for row in rows_of(name, monkeypatch, options=()):
        assert row.seconds > 0, row.note
        assert row.verdict == "right", f"{row.trial}: {row.error}"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("option", [each for each in Option if each is not Option.STEP_CACHE])
def test_an_option_alone_is_right_or_is_said_not_to_be_had(
    name: str, option: Option, gpu: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [row for row in rows_of(name, monkeypatch, options=(option,)) if row.trial == option.value]
    if not rows:
        pytest.skip(f"{option} is not for {name}")
    if not rows[0].seconds:
        assert not rows[0].note.startswith("failed"), rows[0].note
        pytest.skip(rows[0].note)
    assert rows[0].verdict == "right", rows[0].error


@pytest.mark.parametrize("name", NAMES)
def test_every_plan_of_a_recipe_computes_nearly_the_same(name: str, gpu: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = rows_of(name, monkeypatch, options=None)
    assert rows
    for row in rows:
        if "not installed" in row.note:
            pytest.skip(row.note)
        assert row.seconds > 0, f"{row.trial}: {row.note}"
        assert row.verdict == "right", f"{row.trial}: {row.error}"
