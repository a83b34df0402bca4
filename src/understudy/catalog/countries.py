"""Reads the codes of countries, for licences that name where a model may not be used."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import msgspec


@dataclass(frozen=True, slots=True, kw_only=True)
class Countries:
    """codes: all of ISO 3166-1 alpha-2. part_of: code -> the country whose part it is. meant: not assigned -> meant."""

    codes: frozenset[str]
    part_of: Mapping[str, str]
    meant: Mapping[str, str]

    def all_of(self, code: str) -> frozenset[str]:
        """Return the code and that of the country it is a part of."""
        return frozenset((code, self.part_of.get(code, code)))


@cache
def load_countries() -> Countries:
    """Return the rows that ship with the package.

    Raises: ValueError (msgspec.ValidationError included) for a malformed file.
    """
    raw = tomllib.loads(files("understudy.catalog").joinpath("countries.toml").read_text(encoding="utf-8"))
    return msgspec.convert({**raw, "codes": raw["codes"].split()}, Countries)
