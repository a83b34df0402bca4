"""`understudy models`: what it lists and shows, the licence it asks for, and what a check finds in files."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub_server import git_digest
from tiny_weights import FIRST, INDEX, RECIPES, SECOND, model_files, weights_of
from understudy.catalog.open_models import load_open_models
from understudy.cli import app
from understudy.cli.endings import FAILED, USAGE
from understudy.cli.models_told import served
from understudy.engines.diffusion.checking import check_files, check_machine, check_packages, chosen_devices
from understudy.engines.diffusion.devices import Device
from understudy.engines.diffusion.order import Workflow
from understudy.engines.diffusion.pulled import Pulled, PulledFile, PulledRepository, State, state_of, write_pulled
from understudy.engines.diffusion.recipe import Recipe, load_recipes, recipes_of

H200 = Device(index=0, name="H200", total_bytes=150_000_000_000, free_bytes=0, capability=(9, 0))
SMALL = Device(index=1, name="Small", total_bytes=24_000_000_000, free_bytes=0, capability=(8, 9))


@pytest.fixture
def models_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "recipes.toml").write_text(RECIPES)
    for name, value in (
        ("MODELS_DIR", tmp_path / "models"),
        ("DIFFUSION_RECIPES", tmp_path / "recipes.toml"),
        ("DATA_DIR", tmp_path / "data"),
        ("DIFFUSION_TERRITORY", ""),
    ):
        monkeypatch.setenv(f"UNDERSTUDY_{name}", str(value))
    return tmp_path / "models"


@pytest.fixture
def tiny(models_dir: Path) -> Recipe:
    """A model whose files lie in its folder, put there by hand."""
    for path, body in model_files().items():
        file = models_dir / "tiny" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
    return load_recipes(str(models_dir.with_name("recipes.toml")))["tiny"]


def types(*arguments: str, typed: str | None = None) -> tuple[int, str, str]:
    found = CliRunner().invoke(app, ["models", *arguments], input=typed)
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found.exit_code, found.stdout, found.stderr


def listed() -> dict[str, dict[str, object]]:
    return {row["id"]: row for row in map(json.loads, types("list", "--json")[1].splitlines())}


def problems(recipe: Recipe, models_dir: Path, *, is_quick: bool = False) -> str:
    return "\n".join(check_files(recipe, models_dir, is_quick=is_quick, on_read=lambda _: None).problems)


@pytest.mark.usefixtures("models_dir")
def test_every_model_is_listed_with_those_of_the_operator() -> None:
    found = listed()
    assert set(found) == {*load_recipes(), "tiny", "bound", "elsewhere"}
    assert found["minimax-h3"]["territories_excluded"] == ["EU", "GB", "KR", "US"]
    assert found["wan-2-2"]["download_bytes"] == load_open_models().models["wan-2-2"].download_bytes
    assert found["wan-2-2"]["has_sound"] is False


@pytest.mark.usefixtures("models_dir")
def test_the_list_without_a_terminal_is_a_line_for_each_model() -> None:
    lines = types("list")[1].splitlines()
    assert len(lines) == len(listed())
    assert lines[0].split("\t")[0] == "minimax-h3"
    assert "not in EU, GB, KR, US" in lines[0]


def test_what_a_model_serves_is_told_the_shorter_way() -> None:
    assert served(tuple(Workflow)) == "everything"
    assert served(("text", "first_last_frame")) == "text, first and last frame"
    assert served(tuple(each for each in Workflow if each not in ("edit", "join"))) == "everything but edit, join"


def test_the_state_tells_what_comes_next(tiny: Recipe, models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tiny.folder == "tiny"
    states = {name: row["state"] for name, row in listed().items()}
    assert states["tiny"] == "ready"
    assert states["wan-2-2"] == "not pulled"
    assert states["bound"] == "licence to be accepted"
    assert states["elsewhere"] == "country to be said"
    types("accept-licence", "bound", "--yes")
    monkeypatch.setenv("UNDERSTUDY_DIFFUSION_TERRITORY", "US")
    states = {name: row["state"] for name, row in listed().items()}
    assert states["bound"] == "not pulled"
    assert states["elsewhere"] == "not allowed in US"
    assert (models_dir / "bound").is_dir()


@pytest.mark.usefixtures("models_dir")
def test_show_has_the_duties_the_plans_and_the_repositories_in_full() -> None:
    said = types("show", "minimax-h3")[1]
    h3 = load_recipes()["minimax-h3"]
    for duty in h3.model.licence.duties:
        assert duty in said
    for plan in h3.plans:
        assert f"{plan.name}: " in said
    for repository in h3.model.repositories:
        assert repository.name in said
    assert h3.model.licence.address in said


@pytest.mark.usefixtures("models_dir")
def test_an_unknown_name_is_told_with_those_there_are() -> None:
    for command in ("show", "accept-licence", "pull", "check"):
        code, _, said = types(command, "no-such")
        assert code == USAGE
        assert "There is no open model 'no-such'; there are minimax-h3, " in said


def test_broken_recipes_are_told(models_dir: Path) -> None:
    models_dir.with_name("recipes.toml").write_text("[recipes.x]\nlike = 'wan-2-2'\nmodel = 'nobody'")
    load_recipes.cache_clear()
    code, _, said = types("list")
    assert code == USAGE
    assert "recipes.toml cannot be used: The recipe 'x' is broken" in said
    load_recipes.cache_clear()


@pytest.mark.usefixtures("models_dir")
def test_an_open_licence_needs_no_acceptance() -> None:
    code, said, _ = types("accept-licence", "wan-2-2")
    assert code == 0
    assert "nothing has to be accepted" in said


def test_a_licence_is_shown_before_it_is_accepted(models_dir: Path) -> None:
    code, said, _ = types("accept-licence", "elsewhere", "--territory", "jp", "--yes")
    licence = load_recipes()["minimax-h3"].model.licence
    assert code == 0
    assert said.index(licence.address) < said.index(licence.duties[0]) < said.index("is accepted for JP")
    assert "export UNDERSTUDY_DIFFUSION_TERRITORY=JP" in said
    assert (models_dir / "elsewhere" / "licence-accepted.toml").is_file()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--yes",), "say in which country"),
        (("--territory", "US", "--yes"), "does not allow its use in US"),
        (("--territory", "DE", "--yes"), "does not allow its use in DE"),
        (("--territory", "UK", "--yes"), "GB is meant"),
        (("--territory", "JP"), "--yes accepts it"),
    ],
)
def test_nothing_is_accepted_by_accident(models_dir: Path, arguments: tuple[str, ...], reason: str) -> None:
    code, _, said = types("accept-licence", "elsewhere", *arguments)
    assert code == USAGE
    assert reason in said
    assert not models_dir.exists()


@pytest.mark.parametrize(("typed", "code", "is_accepted"), [("n\n", FAILED, False), ("y\n", 0, True)])
def test_whoever_sits_at_a_terminal_is_asked(models_dir: Path, typed: str, code: int, *, is_accepted: bool) -> None:
    terminal, end = os.openpty()
    os.write(terminal, typed.encode())
    command = [sys.executable, "-m", "understudy", "models", "accept-licence", "bound"]
    ended = subprocess.run(command, stdin=end, capture_output=True, text=True, check=False, timeout=60)
    os.close(end)
    os.close(terminal)
    assert ended.returncode == code, ended.stderr
    assert "Do you accept it?" in ended.stdout
    assert (models_dir / "bound" / "licence-accepted.toml").is_file() == is_accepted


def test_files_put_there_by_hand_are_checked_by_their_structure(tiny: Recipe, models_dir: Path) -> None:
    found = check_files(tiny, models_dir, is_quick=False, on_read=lambda _: None)
    assert found.problems == ()
    assert "not pulled by this program" in found.notes[0]
    assert state_of(tiny, models_dir) is State.HERE


@pytest.mark.parametrize(
    ("path", "body", "reason"),
    [
        (FIRST, None, "names 2 files of weights; diffusion_pytorch_model-00001-of-00002.safetensors is missing."),
        (FIRST, model_files()[FIRST][:-1], "bytes, and says of itself that it has"),
        (FIRST, model_files()[FIRST] + b"x", "bytes, and says of itself that it has"),
        (FIRST, b"<html>", f"{FIRST} is not a file of safetensors."),
        (FIRST, b"\xff" * 64, f"{FIRST} is not a file of safetensors."),
        (FIRST, b"", f"{FIRST} is not a file of safetensors."),
        (FIRST, weights_of({"z": 3}), "has no a, which"),
        (INDEX, b"[", f"{INDEX} is not an index of weights."),
        (INDEX, b'{"weight_map": 3}', f"{INDEX} is not an index of weights."),
        ("model_index.json", b"3", "model_index.json is not a list of components."),
        ("scheduler/scheduler_config.json", None, "scheduler is missing, which model_index.json names."),
    ],
)
def test_what_is_wrong_with_files_is_found_without_the_hub(  # tidy: a table and its fixtures
    tiny: Recipe, models_dir: Path, path: str, body: bytes | None, reason: str
) -> None:
    file = models_dir / "tiny" / path
    file.unlink()
    if body is not None:
        file.write_bytes(body)
    assert reason in problems(tiny, models_dir)


def test_a_component_without_weights_is_found(tiny: Recipe, models_dir: Path) -> None:
    for path in (FIRST, SECOND, INDEX):
        (models_dir / "tiny" / path).unlink()
    (models_dir / "tiny" / "vae").mkdir()
    (models_dir / "tiny" / "vae" / "model.safetensors").write_bytes(weights_of({"a": 1}))
    assert "transformer has no weights as safetensors." in problems(tiny, models_dir)


def test_components_of_a_modular_list_are_looked_for_in_their_own_folders(tiny: Recipe, models_dir: Path) -> None:
    origin = {"pretrained_model_name_or_path": "acme/tiny", "subfolder": "transformer_ref"}
    elsewhere = {"pretrained_model_name_or_path": None, "subfolder": "nowhere"}
    rows = {"_class_name": "P", "transformer": [None, None, origin], "guide": [None, None, elsewhere]}
    (models_dir / "tiny" / "modular_model_index.json").write_text(json.dumps(rows))
    assert problems(tiny, models_dir) == "transformer_ref is missing, which modular_model_index.json names."


def test_only_components_that_are_wanted_of_a_repository_have_to_be_there(models_dir: Path, tiny: Recipe) -> None:
    repositories = [{"name": "acme/tiny", "files": ["model_index.json", "transformer/*"]}]
    rows = {"like": "wan-2-2-5b", "repositories": repositories}
    own = {"models": {"part": rows}, "recipes": {"part": {"like": "wan-2-2-5b", "model": "part", "folder": "tiny"}}}
    (models_dir / tiny.folder / "scheduler/scheduler_config.json").unlink()
    assert problems(recipes_of(own)["part"], models_dir) == ""


def test_adapters_and_the_upscaler_of_a_recipe_have_to_be_there(models_dir: Path, tiny: Recipe) -> None:
    settings = {"adapters": {"t2v": {"transformer": "fast/high.safetensors"}}}
    row = {"like": "wan-2-2-5b", "folder": tiny.folder, "upscaler": "larger", "settings": settings}
    row["draft"] = {"steps": 4, "adapter": {"file": "turbo/fast.safetensors"}}
    said = problems(recipes_of({"recipes": {"own": {"model": "wan-2-2-5b", **row}}})["own"], models_dir)
    for lacking in ("fast/high.safetensors", "turbo/fast.safetensors", "larger"):
        assert f"{lacking} is missing" in said


def test_no_files_at_all_tell_how_to_get_them(models_dir: Path) -> None:
    assert "understudy models pull wan-2-2." in problems(load_recipes()["wan-2-2"], models_dir)


def kept(models_dir: Path) -> Path:
    """Keep what a hub would have said of the files."""
    files = tuple(
        PulledFile(path=path, size_bytes=len(body), digest=f"git:{git_digest(body)}")
        for path, body in model_files().items()
    )
    repository = PulledRepository(name="acme/tiny", folder=".", commit="c" * 40, files=files)
    write_pulled(models_dir / "tiny", Pulled(repositories=(repository,)))
    return models_dir / "tiny"


def test_what_was_pulled_is_held_against_the_hubs_word(tiny: Recipe, models_dir: Path) -> None:
    folder = kept(models_dir)
    assert problems(tiny, models_dir) == ""
    (folder / "README.md").write_bytes(b"# Tony")
    assert "README.md is not what the hub says" in problems(tiny, models_dir)
    assert problems(tiny, models_dir, is_quick=True) == ""
    (folder / "README.md").write_bytes(b"#")
    assert "README.md is missing or not as long as the hub says" in problems(tiny, models_dir, is_quick=True)
    assert state_of(tiny, models_dir) is State.PARTLY


def test_a_check_tells_all_and_ends_with_one_when_anything_lacks(tiny: Recipe, models_dir: Path) -> None:
    (models_dir / tiny.folder / FIRST).unlink()
    code, said, lacking = types("check", "tiny")
    assert code == FAILED
    assert "licence   Apache License 2.0" in said
    assert "is missing" in lacking
    found = json.loads(types("check", "tiny", "--json")[1])
    assert found["is_ready"] is False
    assert set(found) == {"id", "is_ready", "refusal", "files", "packages", "machine"}


def test_packages_are_named_with_their_versions_or_told_to_be_missing() -> None:
    found = check_packages()
    named = "\n".join((*found.notes, *found.problems))
    for package in ("torch", "diffusers", "transformers", "huggingface-hub"):
        assert package in named
    assert "pytest" not in named
    assert "starlette" not in named


def test_the_plan_is_the_first_that_fits_the_smallest_device() -> None:
    h3 = load_recipes()["minimax-h3"]
    assert check_machine(h3, (H200,), 200_000_000_000).notes[-1] == "plan: resident"
    assert check_machine(h3, (H200, SMALL), 200_000_000_000).notes[-1] == "plan: int8-stream"


def test_a_machine_that_is_too_small_is_told_what_it_lacks() -> None:
    found = check_machine(load_recipes()["minimax-h3"], (SMALL,), 16_000_000_000)
    assert "needs at least 22 GB of a device's memory and 75 GB of the machine's" in found.problems[0]


def test_a_plan_that_does_not_exist_is_told_with_those_there_are() -> None:
    found = check_machine(load_recipes()["wan-2-2"], (SMALL,), 0, forced="no-such")
    assert "has no plan 'no-such'" in found.problems[0]


@pytest.mark.parametrize(("named", "indexes"), [("", [0, 1]), ("1", [1]), ("0,1", [0, 1]), ("0 7", [0])])
def test_the_devices_are_those_of_the_setting(named: str, indexes: list[int]) -> None:
    assert [each.index for each in chosen_devices((H200, SMALL), named)] == indexes


@pytest.mark.usefixtures("tiny")
def test_looking_and_checking_load_neither_torch_nor_the_hubs_library() -> None:
    program = (
        "import sys; from typer.testing import CliRunner; from understudy.cli import app\n"
        "for words in (['list'], ['show', 'tiny'], ['check', 'tiny']): CliRunner().invoke(app, ['models', *words])\n"
        "print(sorted({'torch', 'diffusers', 'transformers', 'huggingface_hub'} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert ended.stdout.strip() == "[]"
