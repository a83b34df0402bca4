"""Reads the catalogue's TOML files into the core's values, once; a malformed row stops the start with its name."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from understudy.core.assets import AssetLimits
from understudy.core.model_spec import ModelSpec, Profile
from understudy.core.price_book import PriceBook, TokenRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """All facts. models: by id and by every alias. profiles: by dialect name. books: by price-book id."""

    models: Mapping[str, ModelSpec]
    profiles: Mapping[str, Profile]
    tokens: TokenRule
    books: Mapping[str, PriceBook]
    assets: AssetLimits

    @property
    def default_model(self) -> ModelSpec:
        """The model that is meant where neither a client nor its dialect names one: the first row."""
        return next(iter(self.models.values()))

    def model(self, name: str) -> ModelSpec | None:
        """Return the model that a client's name means, or None."""
        return self.models.get(name)


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(files("understudy.catalog").joinpath(name).read_text(encoding="utf-8"))


def _models(raw: dict[str, Any], media: dict[str, Any]) -> dict[str, ModelSpec]:
    found: dict[str, ModelSpec] = {}
    for row in raw["models"]:
        merged = {**raw["families"][row["family"]], **row}
        table = raw["sizes"][merged["sizes"]]["table"]
        merged["sizes"] = {resolution: table[resolution] for resolution in row["resolutions"]}
        merged["media"] = {kind: media[kind][name] for kind, name in merged["media"].items()}
        spec = msgspec.convert(merged, ModelSpec)
        for name in (spec.id, *spec.aliases):
            if name in found:
                raise ValueError(f"models.toml: the name {name!r} is given to two models")
            found[name] = spec
    return found


def _profiles(raw: dict[str, Any]) -> dict[str, Profile]:
    return {name: msgspec.convert({"name": name, **_whole_row(raw, name)}, Profile) for name in raw}


def _whole_row(raw: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a dialect's row over the row it is based on; defaults are merged one by one."""
    row = raw[name]
    if "based_on" not in row:
        return {**row}
    below = _whole_row(raw, row["based_on"])
    return {**below, **row, "defaults": {**below.get("defaults", {}), **row.get("defaults", {})}}


@cache
def load_catalogue() -> Catalogue:
    """Return the catalogue that ships with the package.

    Raises: ValueError (msgspec.ValidationError included) for a malformed row.
    """
    prices = _read("prices.toml")
    return Catalogue(
        models=_models(_read("models.toml"), _read("media.toml")),
        profiles=_profiles(_read("dialects.toml")),
        tokens=msgspec.convert(prices["tokens"], TokenRule),
        books={row["id"]: msgspec.convert(row, PriceBook) for row in prices["books"]},
        assets=msgspec.convert(_read("assets.toml")["library"], AssetLimits),
    )
