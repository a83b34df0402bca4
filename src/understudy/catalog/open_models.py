"""Reads what is known of models with open weights: their grids, their sound, where they come from, their licences."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence:
    """What a licence asks, in our own words; its text is what binds.

    territories_excluded: ISO 3166 codes of countries where nothing may be made or shown; "EU" stands for all members.
    revenue_usd_max: yearly revenue above which the owner must be asked; 0 = no such bound. is_open: as of the Open
    Source Initiative: nothing has to be accepted. attribution: what has to be told with the film, or "".
    must_mark: films have to carry a machine-readable mark of their origin. duties: sentences, shown before acceptance.
    """

    id: str
    name: str
    address: str
    source: str
    date: str
    is_open: bool = False
    territories_excluded: tuple[str, ...] = ()
    revenue_usd_max: int = 0
    attribution: str = ""
    must_mark: bool = False
    duties: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Numbers of the form ``first + n * step``."""

    first: int
    step: int

    def at_least(self, count: int) -> int:
        """Return the smallest number of the grid that is not below the count."""
        return self.first + max(0, -(-(count - self.first) // self.step)) * self.step


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A repository on the hub. folder: below the model's own, where its files are put. files: patterns; empty = all.

    revision: a commit, where one was seen; "" = the newest. size_bytes: of the files, about; 0 = not known.
    """

    name: str
    folder: str = "."
    revision: str = ""
    files: tuple[str, ...] = ()
    size_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenModel:
    """A model with open weights.

    fps: of what it makes. frames: how many it can make. duration_s: shortest and longest film, seconds.
    canvas_multiple: both sides are multiples of it. canvas_pixels_max: the largest picture.
    sample_rate_hz, audio_channels: of its sound; 0 = it makes none.
    images_max, videos_max, audios_max, references_max: how many references it takes.
    """

    id: str
    name: str
    licence: Licence
    repositories: tuple[Repository, ...]
    parameters: int
    fps: float
    frames: Grid
    duration_s: tuple[float, float]
    canvas_multiple: int
    canvas_pixels_max: int
    source: str
    date: str
    sample_rate_hz: int = 0
    audio_channels: int = 0
    images_max: int = 0
    videos_max: int = 0
    audios_max: int = 0
    references_max: int = 0
    audio_alone: bool = False

    @property
    def download_bytes(self) -> int:
        """How much there is to download, about; 0 = not known."""
        return sum(each.size_bytes for each in self.repositories)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenModels:
    """All rows, by id. territories: a name for several countries -> their codes."""

    models: Mapping[str, OpenModel]
    licences: Mapping[str, Licence]
    territories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def excluded(self, licence: Licence) -> frozenset[str]:
        """Return the codes of all countries that a licence excludes."""
        named = [self.territories.get(each, (each,)) for each in licence.territories_excluded]
        return frozenset(code for codes in named for code in codes)


def open_models_of(raw: Mapping[str, Any]) -> OpenModels:
    """Return the rows of a parsed file.

    Raises: msgspec.ValidationError, KeyError.
    """
    licences = {key: msgspec.convert({"id": key, **row}, Licence) for key, row in raw["licences"].items()}
    models = {}
    for key, row in raw["models"].items():
        # The licence is put in afterwards: it is a value already, and several models share one.
        plain = {"id": key, **row, "licence": msgspec.to_builtins(licences[row["licence"]])}
        models[key] = msgspec.convert(plain, OpenModel)
    territories = {key: tuple(row["codes"]) for key, row in raw.get("territories", {}).items()}
    return OpenModels(models=models, licences=licences, territories=territories)


@cache
def load_open_models() -> OpenModels:
    """Return the rows that ship with the package.

    Raises: ValueError (msgspec.ValidationError included) for a malformed row.
    """
    return open_models_of(raw_open_models())


def raw_open_models() -> dict[str, Any]:
    """Return the file as it is, for an operator's own rows to be laid over it."""
    return tomllib.loads(files("understudy.catalog").joinpath("open_models.toml").read_text(encoding="utf-8"))
