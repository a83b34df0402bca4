"""Small models in a folder, their licences accepted, as an operator's settings name them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from tiny_models.rows import as_toml
from understudy.engines.diffusion.licences import accept
from understudy.engines.diffusion.recipe import load_recipes

TERRITORY = "JP"


def saved_models(folder: Path, families: Sequence[str], models: str) -> Mapping[str, str]:
    """Save a model of each family, and return the settings that serve them.

    families: modules of this package; models: the rows of theirs that are served, in the same order.
    """
    own: dict[str, dict[str, Any]] = {"models": {}, "recipes": {}}
    builders = [import_module(f"tiny_models.{family}") for family in families]
    for builder in builders:
        for kind, rows in builder.ROWS.items():
            own[kind].update(rows)
    recipes_file = folder / "recipes.toml"
    recipes_file.write_text(as_toml(own), encoding="utf-8")
    recipes = load_recipes(str(recipes_file))
    for builder, name in zip(builders, models.split(), strict=True):
        builder.save(folder / "models" / recipes[name].folder)
        if not recipes[name].model.licence.is_open:
            accept(recipes[name], folder / "models", territory=TERRITORY, now=datetime.now(UTC))
    return {
        "models_dir": str(folder / "models"),
        "diffusion_models": models,
        "diffusion_recipes": str(recipes_file),
        "diffusion_territory": TERRITORY,
    }
