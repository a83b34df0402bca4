"""The benchmark for GPUs on a processor: its measures, its tables, its whole way, and that it finds what is wrong."""

import math
import time
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from understudy.catalog.open_architectures import load_open_architectures
from understudy.engines.diffusion.recipe import Option, load_recipes

pytestmark = pytest.mark.full
pytest.importorskip("torch")

ROOT = Path(__file__).parent.parent.parent
LONG_S = 300.0
"""More than a process needs; nothing waits for it."""


class Modules:
    """The benchmark's modules, which are no package."""

    def __getattr__(self, name: str) -> Any:
        return import_module(name)


@pytest.fixture
def the(monkeypatch: pytest.MonkeyPatch) -> Modules:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return Modules()


def bench_of(the: Any, name: str, *, has_time: Callable[[float], bool] = lambda _: True) -> Any:
    subject, recipe = the.gpu_rows.SUBJECTS[name], load_recipes()[name]
    return the.gpu_trials.Bench(
        subject=replace(subject, sizes=the.gpu_rows.TINY_SIZES[recipe.family][-1:]),
        recipe=recipe,
        parts=the.gpu_tiny.tiny(load_open_architectures()[subject.network]),
        dtype="float32",
        device="cpu",
        has_time=has_time,
        is_tiny=True,
    )


def rows_of(the: Any, name: str, *trials: Any, change: Callable[[Any], None] | None = None) -> dict[str, Any]:
    plain = the.gpu_rows.Trial(name=the.gpu_rows.STOCK)
    found = the.gpu_trials.measured(bench_of(the, name), [plain, *trials], {}, change=change)
    return {row.trial: row for row in found}


def other_scale(transformer: Any) -> None:
    transformer.proj_out.weight.mul_(1.2)


def test_an_option_that_changes_nothing_has_no_error(the: Any) -> None:
    again = the.gpu_rows.Trial(name="again")
    rows = rows_of(the, "wan-2-2", again)
    assert rows["again"].error == rows["again"].error_at_end == 0.0
    assert (rows["again"].verdict, rows["again"].seconds > 0) == ("right", True)


def test_an_option_that_makes_another_film_is_flagged(the: Any) -> None:
    rows = rows_of(the, "wan-2-2", the.gpu_rows.Trial(name="wrong"), change=other_scale)
    assert rows["wrong"].error == pytest.approx(0.2, abs=0.01)
    assert rows["wrong"].verdict == "WRONG"


def test_eight_bits_are_seen_and_are_right(the: Any) -> None:
    rows = rows_of(the, "wan-2-2", the.gpu_rows.Trial(name="int8", options=(Option.INT8,), is_exact=False))
    assert 0 < rows["int8"].error < 0.05
    assert rows["int8"].verdict == "right"


def test_the_modulation_as_a_table_changes_no_bit(the: Any) -> None:
    trial = the.gpu_rows.Trial(name="table", options=(Option.MODULATION_TABLE,))
    row = rows_of(the, "minimax-h3", trial)["table"]
    assert (row.error_at_end, row.prepare_s > 0) == (0.0, True)


def test_a_trial_that_fails_says_so_and_the_next_is_measured(the: Any) -> None:
    calls = []

    def fail_once(transformer: Any) -> None:
        calls.append(transformer)
        if len(calls) == 1:
            raise ValueError("this cannot be done")

    trials = [the.gpu_rows.Trial(name=name) for name in ("failing", "next")]
    rows = rows_of(the, "wan-2-2", *trials, change=fail_once)
    assert rows["failing"].note == "failed: ValueError: this cannot be done"
    assert rows["next"].verdict == "right"


def test_a_lack_of_memory_is_told_as_one(the: Any) -> None:
    def lack(_transformer: Any) -> None:
        raise MemoryError

    assert rows_of(the, "wan-2-2", the.gpu_rows.Trial(name="large"), change=lack)["large"].note == "memory ran out"


def test_a_package_that_lacks_is_named(the: Any) -> None:
    def lack(_transformer: Any) -> None:
        import_module("torchao_of_another_planet.kernels")

    row = rows_of(the, "wan-2-2", the.gpu_rows.Trial(name="lacking"), change=lack)["lacking"]
    assert row.note == "skipped: the package torchao_of_another_planet is not installed"


def test_a_plan_is_compared_with_the_plain_run(the: Any) -> None:
    bench, plain = bench_of(the, "wan-2-2"), {}
    list(the.gpu_trials.measured(bench, [the.gpu_rows.Trial(name=the.gpu_rows.STOCK)], plain))
    rows = {row.trial: row for row in the.gpu_trials.planned(bench, bench.recipe.plans, plain)}
    assert rows["plan offload"].error == 0.0
    assert 0 < rows["plan int8-offload"].error < 0.05
    assert "plan resident" not in rows


def test_without_time_nothing_is_measured_and_all_is_named(the: Any) -> None:
    bench = bench_of(the, "wan-2-2", has_time=lambda _: False)
    trials = the.gpu_trials.trials_of(bench.recipe, None, is_quick=True)
    notes = [row.note for row in the.gpu_trials.measured(bench, trials, {})]
    assert notes == ["no time was left"] * 3


@pytest.mark.parametrize("name", ["wan-2-2-5b", "wan-vace", "minimax-h3", "ltx-2-5"])
def test_every_family_is_measured(the: Any, name: str) -> None:
    row = rows_of(the, name)["stock"]
    assert row.note == ""
    assert row.operations > 0


def test_operations_are_those_of_the_matrices_and_of_attention(the: Any) -> None:
    bench = bench_of(the, "wan-2-2")
    config = bench.parts["transformer"].config
    width = config["num_attention_heads"] * config["attention_head_dim"]
    ffn, layers = config["ffn_dim"], config["num_layers"]
    size = the.gpu_rows.Size(width_px=256, height_px=256, num_frames=17)
    rows, words = 5 * 16 * 16, the.gpu_networks.PROMPT_TOKENS
    own = 8 * rows * width**2 + 4 * rows**2 * width
    read = 4 * rows * width**2 + 4 * words * width**2 + 4 * rows * words * width
    wanted = layers * (own + read + 4 * rows * width * ffn)
    found = the.gpu_measuring.operations(
        "wan", bench.parts["transformer"], size, parts=bench.parts, dtype=bench.number_type
    )
    assert found == pytest.approx(wanted, rel=0.03)


def test_errors_are_lengths_of_differences(the: Any) -> None:
    torch = import_module("torch")
    wanted = (torch.tensor([3.0, 4.0]), torch.tensor([0.0]))
    assert the.gpu_measuring.relative_error(wanted, wanted) == 0.0
    assert the.gpu_measuring.relative_error((torch.tensor([3.0, 3.0]), wanted[1]), wanted) == pytest.approx(0.2)
    assert the.gpu_measuring.relative_error((wanted[0], torch.tensor([2.5])), wanted) == pytest.approx(0.5)
    assert the.gpu_measuring.decibels((torch.tensor([0.0, 0.9]),), (torch.tensor([0.0, 1.0]),)) == pytest.approx(
        10 * math.log10(1 / 0.005), abs=0.01
    )


def test_what_is_no_number_is_wrong(the: Any) -> None:
    torch = import_module("torch")
    error = the.gpu_measuring.relative_error((torch.tensor([math.nan]),), (torch.tensor([1.0]),))
    assert the.gpu_rows.verdict_of(error, is_exact=False, dtype="float32") == "WRONG"


@pytest.mark.parametrize(
    ("name", "kind", "wanted"),
    [
        ("minimax-h3", "usual", [49]),
        ("minimax-h3", "draft", [8]),
        ("ltx-2-5", "usual", [120, 3]),
        ("ltx-2-5-fast", "usual", [8, 3]),
        ("wan-2-2", "usual", [80]),
        ("wan-2-2", "draft", [4]),
        ("wan-vace", "usual", [100]),
    ],
)
def test_a_film_has_the_forwards_of_its_recipe(the: Any, name: str, kind: str, wanted: list[int]) -> None:
    recipe = load_recipes()[name]
    sizes = next(each.sizes for each in the.gpu_rows.SUBJECTS.values() if name in each.recipes)
    passes = the.gpu_rows.passes_of(recipe, getattr(recipe, kind), sizes)
    assert [each.forwards for each in passes] == wanted


def test_what_is_measured_is_on_the_models_grids(the: Any) -> None:
    for subject in the.gpu_rows.SUBJECTS.values():
        model = load_recipes()[subject.recipe].model
        assert subject.network in load_open_architectures()
        for size in subject.sizes:
            assert size.width_px % model.canvas_multiple == size.height_px % model.canvas_multiple == 0
            assert size.width_px * size.height_px <= model.canvas_pixels_max
            assert model.frames.at_least(size.num_frames) == size.num_frames


def test_every_recipe_is_made_of_a_network_that_is_measured(the: Any) -> None:
    made = {recipe for subject in the.gpu_rows.SUBJECTS.values() for recipe in subject.recipes}
    assert made == set(load_recipes())


def test_times_beside_stock_and_whole_films_are_computed(the: Any) -> None:
    rows = the.gpu_rows
    own = {"recipe": "wan-2-2", "size": "1280 x 720 x 81", "operations": 10**15}
    results = the.gpu_table.Results(
        machine=rows.Machine(facts={"device": "some"}, rate=5e14, date="2026-01-02T03:04:05+00:00"),
        rows=[
            rows.Row(trial=rows.STOCK, seconds=4.0, verdict="right", **own),
            rows.Row(trial=rows.EXACT, seconds=2.0, verdict="right", error=0.01, **own),
            rows.Row(trial=rows.FASTEST, seconds=1.0, verdict="WRONG", error=0.9, **own),
        ],
    )
    text = the.gpu_table.page(results, load_recipes(), sizes={"wan-2-2": rows.SUBJECTS["wan-2-2"].sizes})
    assert "| exact set | 2.000 | 2.00 x | 100% | 1.0e-02 |" in text
    assert "| fastest set | 1.000 | 4.00 x | 200% | 9.0e-01 |" in text
    assert "WRONG |" in text
    assert "| wan-2-2, film | 80 at 1280 x 720 x 81 | 320.0 | 160.0 | 80.0 |" in text


def test_the_page_says_that_it_holds_no_figures_until_there_are_some(the: Any) -> None:
    text = (ROOT / "docs" / "reference" / "gpu-results.md").read_text(encoding="utf-8")
    assert text.startswith(the.gpu_table.HEADER)
    empty = the.gpu_table.page(the.gpu_table.Results(), load_recipes(), sizes={})
    assert text == empty or "Measured on 20" in text


def test_what_a_process_prints_is_read_as_it_was(the: Any) -> None:
    row = the.gpu_rows.Row(recipe="wan-2-2", trial="stock", size="1 x 1 x 1", seconds=0.5)
    for kind, value in (("row", row), ("plan", row), ("skipped", "some")):
        assert list(the.gpu._read(the.gpu._line(kind, value) + "\n")) == [(kind, value)]
    assert list(the.gpu._read("a library's own words\n")) == []


def test_a_page_can_be_made_of_what_several_runs_wrote(the: Any, tmp_path: Path) -> None:
    paths = [tmp_path / "one.txt", tmp_path / "other.txt"]
    for path, name in zip(paths, ("wan-2-2", "wan-vace"), strict=True):
        machine = the.gpu_rows.Machine(facts={"device": "some"}, rate=1.0, date="2026-01-02")
        row = the.gpu_rows.Row(recipe=name, trial="stock", size="1 x 1 x 1", seconds=0.5)
        path.write_text("\n".join(the.gpu._line(*each) for each in (("machine", machine), ("row", row))), "utf-8")
    page = tmp_path / "results.md"
    assert the.gpu.main(["--read", *map(str, paths), "--out", str(page)]) == 0
    assert [line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("## ")] == [
        "## wan-2-2",
        "## wan-vace",
    ]


def test_runs_on_different_devices_are_no_page(the: Any, tmp_path: Path) -> None:
    machines = [the.gpu_rows.Machine(facts={"device": each}, rate=1.0, date="2026-01-02") for each in ("a", "b")]
    rows = tmp_path / "rows.txt"
    rows.write_text("\n".join(the.gpu._line("machine", each) for each in machines), encoding="utf-8")
    assert the.gpu.main(["--read", str(rows), "--out", str(tmp_path / "results.md")]) == 1


def test_one_command_writes_the_page(the: Any, tmp_path: Path) -> None:
    page = tmp_path / "results.md"
    assert the.gpu.main(["--tiny", "--quick", "--recipes", "wan-2-2-5b", "--out", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    for wanted in (
        "## wan-2-2-5b",
        "| stock |",
        "| exact set |",
        "decoding pictures",
        "writing the MP4",
        "WanPipeline",
    ):
        assert wanted in text
    assert "failed" not in text


def test_each_model_is_measured_in_a_process_of_its_own(the: Any) -> None:
    wanted = the.gpu.wanted_of(["--tiny", "--quick", "--no-parts"])
    found = list(the.gpu.measured_apart(wanted, ["wan-2-2-5b", "sora"], time.monotonic() + LONG_S))
    assert [kind for kind, _ in found] == ["machine", "row", "row", "row", "skipped"]
    assert found[1][1].recipe == "wan-2-2-5b"
    assert "The process of sora ended with the code 1" in found[-1][1]


def test_models_for_which_no_time_is_left_are_named(the: Any) -> None:
    wanted = the.gpu.wanted_of(["--tiny"])
    found = list(the.gpu.measured_apart(wanted, ["wan-2-2", "minimax-h3"], time.monotonic()))
    assert found == [("skipped", "No time was left for wan-2-2, minimax-h3.")]


def test_a_network_has_the_types_that_the_library_loads_it_in(the: Any, tmp_path: Path) -> None:
    torch = import_module("torch")
    for model, part in (("wan-2-2", "transformer"), ("minimax-h3", "vae"), ("ltx-2-5", "vocoder")):
        component = bench_of(the, model).parts[part]
        drawn = the.gpu_networks.network(component, dtype=torch.bfloat16, device="cpu")
        drawn.save_pretrained(tmp_path / model)
        loaded = type(drawn).from_pretrained(tmp_path / model, torch_dtype=torch.bfloat16)
        for kind in ("named_parameters", "named_buffers"):
            types = [{name: each.dtype for name, each in getattr(one, kind)()} for one in (drawn, loaded)]
            assert types[0] == types[1]


def test_a_recipe_that_is_not_known_is_refused(the: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert the.gpu.main(["--tiny", "--recipes", "sora"]) == 1
    assert "There is no network for sora" in capsys.readouterr().out
