"""The shipped rows of Wan's models say what their families read, and name files that are downloaded."""

from fnmatch import fnmatch

import pytest

from understudy.engines.diffusion.order import Workflow
from understudy.engines.diffusion.recipe import Family, Recipe, recipes_of

RECIPES = [each for each in recipes_of({}).values() if each.family in (Family.WAN, Family.VACE)]
SHARED = {"prompt_tokens", "edit_noise"}
OWN = {
    Family.WAN: {"frames_learned", "step_cache_threshold"},
    Family.VACE: {"frames_at_once", "frames_shared", "flow_shift"},
}


def named(recipe: Recipe) -> str:
    return recipe.id


@pytest.mark.parametrize("recipe", RECIPES, ids=named)
def test_every_row_has_the_settings_that_its_family_reads(recipe: Recipe) -> None:
    assert set(recipe.settings) >= SHARED | OWN[recipe.family]


@pytest.mark.parametrize("recipe", [each for each in RECIPES if each.family is Family.WAN], ids=named)
def test_every_checkpoint_has_its_shift(recipe: Recipe) -> None:
    folders = {each.folder for each in recipe.model.repositories}
    parts = folders & {"t2v", "i2v"}
    rows = [recipe.settings[part] for part in sorted(parts)] or [recipe.settings]
    assert all(row["flow_shift"] > 1 for row in rows)


@pytest.mark.parametrize("recipe", RECIPES, ids=named)
def test_adapters_are_files_that_are_downloaded(recipe: Recipe) -> None:
    patterns = [
        f"{repository.folder}/{pattern}" for repository in recipe.model.repositories for pattern in repository.files
    ]
    files = [file for part in recipe.settings.get("adapters", {}).values() for file in part.values()]
    assert [file for file in files if not any(fnmatch(file, pattern) for pattern in patterns)] == []


@pytest.mark.parametrize("recipe", RECIPES, ids=named)
def test_a_few_step_schedule_has_as_many_sigmas_as_steps(recipe: Recipe) -> None:
    if recipe.draft is not None:
        assert len(recipe.draft.sigmas) == recipe.draft.steps
        assert list(recipe.draft.sigmas) == sorted(recipe.draft.sigmas, reverse=True)


@pytest.mark.parametrize("recipe", RECIPES, ids=named)
def test_a_model_takes_the_references_that_its_workflows_need(recipe: Recipe) -> None:
    needed = {Workflow.EDIT: 1, Workflow.EXTEND: 1, Workflow.JOIN: 2}
    assert all(recipe.model.videos_max >= needed.get(workflow, 0) for workflow in recipe.workflows)
    assert (recipe.model.images_max > 0) == (Workflow.REFERENCES in recipe.workflows)


@pytest.mark.parametrize("recipe", [each for each in RECIPES if each.family is Family.VACE], ids=named)
def test_parts_of_long_films_are_on_the_models_grid(recipe: Recipe) -> None:
    most, shared = recipe.settings["frames_at_once"], recipe.settings["frames_shared"]
    assert recipe.model.frames.at_least(most) == most
    assert recipe.model.frames.at_least(shared) == shared < most
