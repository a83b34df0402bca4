"""The guide of the diffusion engine names commands, settings, options and models as they are."""

import re
import shlex
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import typer

from understudy.catalog.open_models import load_open_models
from understudy.cli import app
from understudy.engines.diffusion.recipe import Option, load_recipes, recipes_of
from understudy.settings import PREFIX, Settings

ROOT = Path(__file__).parent.parent.parent
GUIDE = (ROOT / "docs/guides/diffusion.md").read_text(encoding="utf-8")
OPTION_CELL = re.compile(r"^\| ((?:`[a-z0-9-]+`(?:, )?)+) \|", re.MULTILINE)


def commands(guide: str) -> Iterator[list[str]]:
    for block in re.findall(r"^```sh\n(.*?)^```", guide, re.DOTALL | re.MULTILINE):
        for line in block.splitlines():
            if line.startswith("understudy "):
                yield shlex.split(line, comments=True)[1:]


def broken(words: list[str]) -> str:
    """Return what of a command line the program does not know, or ""."""
    command: Any = typer.main.get_command(app)
    for word in words:
        below = getattr(command, "commands", {})
        if below:
            if word not in below:
                return word
            command = below[word]
        elif word.startswith("--") and not any(word in each.opts for each in command.params):
            return word
    return "" if not getattr(command, "commands", {}) else "a command is missing"


def section(name: str) -> str:
    return GUIDE.split(f"\n## {name}\n", 1)[1].split("\n## ", 1)[0]


def toml_blocks() -> list[dict[str, Any]]:
    return [tomllib.loads(each) for each in re.findall(r"^```toml\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)]


def test_every_command_of_the_guide_is_one_of_the_program() -> None:
    found = list(commands(GUIDE))
    assert len(found) > 4
    assert {" ".join(words): broken(words) for words in found if broken(words)} == {}


def test_a_command_or_flag_that_does_not_exist_is_found() -> None:
    assert broken(["no-such", "list"]) == "no-such"
    assert broken(["serve", "--no-such"]) == "--no-such"
    assert broken(["serve", "--engine", "diffusion"]) == ""


def test_every_setting_of_the_guide_exists() -> None:
    known = {each.name for each in fields(Settings)}
    named = {name.lower() for name in re.findall(rf"{PREFIX}([A-Z_]+)", GUIDE)}
    assert named - known == set()
    assert {name for name in known if name.startswith("diffusion_")} - named == set()
    assert toml_blocks()[0].keys() <= known


def test_every_option_and_plan_is_explained() -> None:
    cells = OPTION_CELL.findall(section("Faster"))
    assert set(re.findall(r"`([^`]+)`", "".join(cells))) == set(Option)
    plans = {plan.name for recipe in load_recipes().values() for plan in recipe.plans}
    told = "".join(re.findall(r"^- (`[^:]+`):", section("GPUs"), re.MULTILINE))
    assert plans - set(re.findall(r"`([^`]+)`", told)) == set()


def test_the_models_that_the_guide_recommends_can_be_served() -> None:
    named = set(re.findall(r"\*\*([a-z0-9-]+)\*\*", section("Choose a model")))
    assert len(named) > 3
    assert named - set(load_recipes()) == set()


def test_what_the_guide_says_of_memory_steps_and_references_is_in_the_rows() -> None:
    h3, model = load_recipes()["minimax-h3"], load_open_models().models["minimax-h3"]
    (offload,) = [plan for plan in h3.plans if plan.name == "offload"]
    assert f"H3 needs {offload.host_bytes_min / 1e9:.0f} GB" in GUIDE
    usual = [recipe.usual.steps for recipe in load_recipes().values() if recipe.draft and recipe.usual != recipe.draft]
    steps = [each for each in usual if each > 10]
    assert f"a few steps instead of {min(steps)} to {max(steps)}" in GUIDE
    assert (model.images_max, model.videos_max, model.audios_max) == (9, 3, 3)
    assert model.licence.territories_excluded == ("EU", "GB", "KR", "US")


def test_the_recipe_of_the_guide_is_one() -> None:
    (own,) = [each for each in toml_blocks() if "recipes" in each]
    recipe = recipes_of(own)["wan-fast"]
    assert (recipe.usual.steps, recipe.family) == (20, load_recipes()["wan-2-2"].family)
