"""The page on open models is what the catalogue says today."""

import importlib.util
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from understudy.catalog.open_models import Repository, load_open_models

ROOT = Path(__file__).parent.parent.parent


def loaded() -> ModuleType:
    """Return the script as a module; it is no part of the package."""
    spec = importlib.util.spec_from_file_location("open_models_table", ROOT / "scripts/open_models_table.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SCRIPT = loaded()
KNOWN = load_open_models()
PAGE = (ROOT / "docs/reference/models.md").read_text(encoding="utf-8")


def test_the_page_is_that_of_the_catalogue() -> None:
    assert SCRIPT.page() == PAGE, "the page is stale: run scripts/open_models_table.py"


def test_every_duty_of_a_licence_and_every_country_it_excludes_is_on_the_page() -> None:
    told = PAGE.splitlines()
    for licence in KNOWN.licences.values():
        assert [duty for duty in licence.duties if f"- {duty}" not in told] == []
        if licence.territories_excluded:
            assert f"Countries excluded: {', '.join(sorted(KNOWN.excluded(licence)))}." in told


def test_a_model_without_sound_and_references_says_so() -> None:
    silent = replace(KNOWN.models["wan-2-2"], images_max=0, videos_max=0)
    assert SCRIPT.sound(silent) == "none"
    assert SCRIPT.references(silent) == "none"


def test_the_bound_of_all_references_is_told_where_it_is_below_their_sum() -> None:
    model = replace(KNOWN.models["minimax-h3"], images_max=1, videos_max=2, audios_max=0, references_max=2)
    assert SCRIPT.references(model) == "1 image, 2 videos, 2 together"
    assert SCRIPT.references(replace(model, references_max=3)) == "1 image, 2 videos"


def test_a_repository_is_put_into_the_folder_of_its_model() -> None:
    model = KNOWN.models["wan-2-2"]
    own, below = (SCRIPT.download(model, Repository(name="a/b", folder=folder)) for folder in (".", "t2v"))
    assert (own[0], below[0]) == ("`wan-2-2`", "`wan-2-2/t2v`")
    assert below[2:] == ["the newest", "not known", "everything"]


def test_every_revision_is_a_whole_commit() -> None:
    revisions = [each.revision for model in KNOWN.models.values() for each in model.repositories if each.revision]
    assert revisions
    assert [each for each in revisions if len(each) != 40 or set(each) - set("0123456789abcdef")] == []


def test_no_two_repositories_of_a_model_write_the_same_files() -> None:
    for model in KNOWN.models.values():
        written = [f"{each.folder}/{name}" for each in model.repositories for name in each.files or ("*",)]
        assert len(written) == len(set(written)), model.id
        whole = [each.folder for each in model.repositories if not each.files]
        assert all([each.folder for each in model.repositories].count(folder) == 1 for folder in whole), model.id


def test_every_way_of_making_a_film_that_a_recipe_names_has_a_column() -> None:
    named = {each for recipe in SCRIPT.recipes().values() for each in recipe["workflows"]}
    assert named <= set(SCRIPT.WORKFLOWS)
    assert all(row[1 + list(SCRIPT.WORKFLOWS).index("text")] == "yes" for row in SCRIPT.films())
