"""Accepting the licence of an open model, once, before it is used; what was accepted lies beside its weights."""

import hashlib
import json
import os
import tomllib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from understudy.catalog.countries import load_countries
from understudy.catalog.open_models import Licence, load_open_models
from understudy.engines.diffusion.recipe import Recipe

FILE_NAME = "licence-accepted.toml"
TERRITORY_SETTING = "diffusion_territory"


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """What the operator accepted.

    territory: where films are made and shown, ISO 3166-1 alpha-2; "" = not said. date: of the row of the licence.
    digest: of the duties that were shown.
    """

    licence: str
    name: str
    date: str
    territory: str
    accepted_at: str
    digest: str


def digest_of(licence: Licence) -> str:
    """Name what a licence asks, so that other duties have to be accepted anew."""
    asked = (
        licence.name,
        licence.address,
        licence.territories_excluded,
        licence.revenue_usd_max,
        licence.attribution,
        licence.must_mark,
        licence.duties,
    )
    return hashlib.sha256(msgspec.json.encode(asked)).hexdigest()[:32]


def accepted(recipe: Recipe, models_dir: Path) -> Acceptance | None:
    """Return what was last accepted of the model's licence, or None; a file that cannot be read is none.

    Models that share a folder may be under different licences: the file has a table for each.
    """
    return _read(models_dir / recipe.folder / FILE_NAME).get(recipe.model.licence.id)


def accept(recipe: Recipe, models_dir: Path, *, territory: str, now: datetime) -> None:
    """Record that the licence was accepted, for a territory or, where the licence excludes none, without one.

    Raises: ValueError where it excludes the territory, or it is no country; OSError.
    """
    refused = refused_territory(recipe, territory)
    if refused:
        raise ValueError(refused)
    path = models_dir / recipe.folder / FILE_NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    licence = recipe.model.licence
    row = Acceptance(
        licence=licence.id,
        name=licence.name,
        date=licence.date,
        territory=territory.upper(),
        accepted_at=now.isoformat(timespec="seconds"),
        digest=digest_of(licence),
    )
    rows = {**_read(path), licence.id: row}
    written = path.with_name(f"{FILE_NAME}.{os.getpid()}")
    written.write_text("\n".join(_table(each) for each in rows.values()), encoding="utf-8")
    written.replace(path)


def refused_territory(recipe: Recipe, territory: str) -> str:
    """Return why the model may not be used there, or why that is no country, or ""."""
    name, licence = recipe.model.name, recipe.model.licence
    excluded = load_open_models().excluded(licence)
    if not territory:
        return _asked(recipe) if excluded else ""
    # "ß" is "SS" in capitals, which is a country.
    countries, code = load_countries(), territory.upper() if territory.isascii() else territory
    if code not in countries.codes:
        meant = f"; {countries.meant[code]} is meant" if code in countries.meant else ", such as JP"
        return f"{territory!r} is not the code of a country: it has to be two letters, as ISO 3166 has them{meant}."
    if countries.all_of(code) & excluded:
        whole = countries.part_of.get(code, "")
        where = f"{code}, a part of {whole}" if whole else code
        return f"The licence of {name} does not allow its use in {where}."
    return ""


def refusal_of(recipe: Recipe, models_dir: Path, *, territory: str) -> str:
    """Return why the model may not be used, and what to do about it; "" = it may.

    territory: as the setting has it; "" = not said.
    """
    licence = recipe.model.licence
    if licence.is_open:
        return ""
    refused = refused_territory(recipe, territory)
    if refused:
        return refused
    command = f"understudy models accept-licence {recipe.id}"
    if territory:
        command += f" --territory {territory.upper()}"
    known = accepted(recipe, models_dir)
    if known is None:
        return f"The licence of {recipe.model.name} ({licence.name}) has to be accepted first: {command}."
    if known.digest != digest_of(licence):
        return (
            f"What is known of the licence of {recipe.model.name} ({licence.name}) changed after it was accepted at "
            f"{known.accepted_at}; it has to be accepted anew: {command}."
        )
    if territory and known.territory and known.territory != territory.upper():
        return (
            f"The licence of {recipe.model.name} was accepted for {known.territory}, not for {territory.upper()}: "
            f"{command}."
        )
    return ""


def _read(path: Path) -> dict[str, Acceptance]:
    """Return the tables of the file by licence; one that is broken counts as not accepted, and the others stay."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return {}
    found = {}
    for licence, row in raw.items():
        try:
            found[licence] = msgspec.convert({**row, "licence": licence} if isinstance(row, dict) else row, Acceptance)
        except msgspec.ValidationError:
            continue
    return found


def _table(row: Acceptance) -> str:
    # A string of JSON without escapes beyond its own is a string of TOML.
    values = {name: value for name, value in msgspec.to_builtins(row).items() if name != "licence"}
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values.items()]
    return "\n".join((f"[{json.dumps(row.licence, ensure_ascii=False)}]", *lines, ""))


def _asked(recipe: Recipe) -> str:
    *others, last = recipe.model.licence.territories_excluded
    named = f"{', '.join(others)} and {last}" if others else last
    return (
        f"The licence of {recipe.model.name} excludes {named}: say in which country films are made and shown, by its "
        f"code of ISO 3166 such as JP, with --territory and in the setting {TERRITORY_SETTING}."
    )
