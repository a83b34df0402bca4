"""The licences of open models: accepted once, for a country, and anew when their duties change."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from understudy.catalog.countries import load_countries
from understudy.catalog.open_models import load_open_models
from understudy.engines.diffusion.licences import FILE_NAME, accept, accepted, refusal_of
from understudy.engines.diffusion.recipe import Recipe, load_recipes

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
H3 = load_recipes()["minimax-h3"]
LTX = load_recipes()["ltx-2-5"]
WAN = load_recipes()["wan-2-2"]
EU = load_open_models().territories["EU"]


def with_licence(recipe: Recipe, **changes: object) -> Recipe:
    licence = replace(recipe.model.licence, **changes)  # type: ignore[arg-type]
    return replace(recipe, model=replace(recipe.model, licence=licence))


def test_a_model_under_an_open_licence_needs_no_acceptance(tmp_path: Path) -> None:
    assert refusal_of(WAN, tmp_path, territory="") == ""
    assert refusal_of(WAN, tmp_path, territory="US") == ""


@pytest.mark.parametrize(("recipe", "territory"), [(H3, "JP"), (LTX, ""), (LTX, "DE")])
def test_any_other_licence_has_to_be_accepted_first(tmp_path: Path, recipe: Recipe, territory: str) -> None:
    before = refusal_of(recipe, tmp_path, territory=territory)
    assert f"understudy models accept-licence {recipe.id}" in before
    assert (f"--territory {territory}" in before) == bool(territory)
    accept(recipe, tmp_path, territory=territory, now=NOW)
    assert refusal_of(recipe, tmp_path, territory=territory) == ""


def test_what_was_accepted_is_kept_with_when_and_for_where(tmp_path: Path) -> None:
    assert accepted(H3, tmp_path) is None
    accept(H3, tmp_path, territory="jp", now=NOW)
    found = accepted(H3, tmp_path)
    assert found is not None
    assert (found.licence, found.territory, found.accepted_at) == ("minimax-h3", "JP", "2026-11-22T09:30:00+00:00")
    assert found.date == H3.model.licence.date


def test_a_licence_that_excludes_countries_asks_for_the_country(tmp_path: Path) -> None:
    accept(H3, tmp_path, territory="JP", now=NOW)
    said = refusal_of(H3, tmp_path, territory="")
    assert "EU, GB, KR and US" in said
    assert "diffusion_territory" in said


@pytest.mark.parametrize("territory", ["US", "us", "GB", "KR", *EU])
def test_excluded_countries_are_refused_even_after_acceptance(tmp_path: Path, territory: str) -> None:
    accept(H3, tmp_path, territory="JP", now=NOW)
    assert f"not allow its use in {territory.upper()}" in refusal_of(H3, tmp_path, territory=territory)
    with pytest.raises(ValueError, match="not allow"):
        accept(H3, tmp_path, territory=territory, now=NOW)


@pytest.mark.parametrize(("territory", "whole"), [("PR", "US"), ("RE", "FR"), ("AX", "FI")])
def test_parts_of_excluded_countries_are_excluded(tmp_path: Path, territory: str, whole: str) -> None:
    assert f"{territory}, a part of {whole}" in refusal_of(H3, tmp_path, territory=territory)


@pytest.mark.parametrize("territory", ["UK", "EU", "XX", "USA", "Japan", "J", "ß", "日本", " JP"])
@pytest.mark.parametrize("recipe", [H3, LTX])
def test_what_is_no_code_of_a_country_is_no_way_around(tmp_path: Path, recipe: Recipe, territory: str) -> None:
    assert "is not the code of a country" in refusal_of(recipe, tmp_path, territory=territory)


def test_a_code_that_is_often_written_is_told_what_it_should_be(tmp_path: Path) -> None:
    assert "GB is meant" in refusal_of(LTX, tmp_path, territory="UK")


def test_an_acceptance_for_one_country_is_none_for_another(tmp_path: Path) -> None:
    accept(H3, tmp_path, territory="JP", now=NOW)
    said = refusal_of(H3, tmp_path, territory="CA")
    assert "accepted for JP, not for CA" in said
    assert "--territory CA" in said


@pytest.mark.parametrize(
    "changes",
    [
        {"duties": ("Another duty.",)},
        {"territories_excluded": ("US",)},
        {"revenue_usd_max": 1},
        {"attribution": "Made by others"},
        {"must_mark": True},
        {"address": "https://example.com/licence"},
    ],
)
def test_a_licence_that_asks_for_more_is_accepted_anew(tmp_path: Path, changes: dict[str, object]) -> None:
    accept(H3, tmp_path, territory="JP", now=NOW)
    changed = with_licence(H3, **changes)
    assert "accepted anew" in refusal_of(changed, tmp_path, territory="JP")
    accept(changed, tmp_path, territory="JP", now=NOW)
    assert refusal_of(changed, tmp_path, territory="JP") == ""


def test_looking_the_licence_up_again_asks_for_nothing(tmp_path: Path) -> None:
    accept(H3, tmp_path, territory="JP", now=NOW)
    assert refusal_of(with_licence(H3, date="2027-01-01", source="again"), tmp_path, territory="JP") == ""


def test_models_that_share_a_folder_keep_an_acceptance_for_each_licence(tmp_path: Path) -> None:
    ltx = replace(LTX, folder=H3.folder)
    accept(H3, tmp_path, territory="JP", now=NOW)
    accept(ltx, tmp_path, territory="", now=NOW)
    assert refusal_of(H3, tmp_path, territory="JP") == ""
    assert refusal_of(ltx, tmp_path, territory="") == ""


@pytest.mark.parametrize("text", ["", "[", "minimax-h3 = 1", '["minimax-h3"]\nterritory = 3', "\x00"])
def test_a_broken_file_counts_as_not_accepted(tmp_path: Path, text: str) -> None:
    accept(H3, tmp_path, territory="JP", now=NOW)
    (tmp_path / H3.folder / FILE_NAME).write_text(text)
    assert accepted(H3, tmp_path) is None
    assert "has to be accepted first" in refusal_of(H3, tmp_path, territory="JP")


def test_names_of_an_operators_own_licence_may_have_any_letters(tmp_path: Path) -> None:
    own = with_licence(H3, id='a "quoted" \\ one', name="zwei\nZeilen ß")
    accept(own, tmp_path, territory="JP", now=NOW)
    assert refusal_of(own, tmp_path, territory="JP") == ""


def test_every_country_that_a_licence_names_is_one() -> None:
    models, countries = load_open_models(), load_countries()
    for licence in models.licences.values():
        assert models.excluded(licence) <= countries.codes
    assert set(countries.part_of) | set(countries.part_of.values()) <= countries.codes
    assert not set(countries.meant) & countries.codes
    assert set(countries.meant.values()) <= countries.codes
