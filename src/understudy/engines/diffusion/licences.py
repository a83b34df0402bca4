"""Accepting the licence of an open model, once, before it is used; what was accepted lies beside its weights."""

import hashlib
import tomllib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from understudy.catalog.open_models import Licence, load_open_models
from understudy.engines.diffusion.recipe import Recipe

FILE_NAME = "licence-accepted.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """What the operator accepted. territory: where films are made and shown, ISO 3166. digest: of the duties shown."""

    licence: str
    territory: str
    accepted_at: str
    digest: str


def digest_of(licence: Licence) -> str:
    """Name what a licence asks, so that another wording has to be accepted anew."""
    asked = (licence.name, licence.territories_excluded, licence.revenue_usd_max, licence.attribution, licence.duties)
    return hashlib.sha256(msgspec.json.encode(asked)).hexdigest()[:32]


def accepted(recipe: Recipe, models_dir: Path) -> Acceptance | None:
    """Return what was accepted for the model, or None; a file that cannot be read is none."""
    try:
        raw = tomllib.loads((models_dir / recipe.folder / FILE_NAME).read_text(encoding="utf-8"))
        return msgspec.convert(raw, Acceptance)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError):
        return None


def accept(recipe: Recipe, models_dir: Path, *, territory: str, now: datetime) -> None:
    """Record that the licence was accepted.

    Raises: ValueError where it excludes the territory; OSError.
    """
    refused = refused_territory(recipe, territory)
    if refused:
        raise ValueError(refused)
    folder = models_dir / recipe.folder
    folder.mkdir(parents=True, exist_ok=True)
    licence = recipe.model.licence
    rows = Acceptance(
        licence=licence.id, territory=territory.upper(), accepted_at=now.isoformat(), digest=digest_of(licence)
    )
    text = "".join(f'{name} = "{value}"\n' for name, value in msgspec.to_builtins(rows).items())
    (folder / FILE_NAME).write_text(text, encoding="utf-8")


def refused_territory(recipe: Recipe, territory: str) -> str:
    """Return why the model may not be used there, or ""."""
    licence = recipe.model.licence
    excluded = load_open_models().excluded(licence)
    if not excluded:
        return ""
    code = territory.upper()
    if not (len(code) == 2 and code.isascii() and code.isalpha()):
        return (
            f"The licence of {recipe.model.name} excludes countries: say in which one films are made and shown, "
            "as ISO 3166 has it (JP), in the setting diffusion_territory."
        )
    return f"The licence of {recipe.model.name} does not allow its use in {code}." if code in excluded else ""


def refusal_of(recipe: Recipe, models_dir: Path, *, territory: str) -> str:
    """Return why the model may not be used, and what to do about it; "" = it may."""
    licence = recipe.model.licence
    if licence.is_open:
        return ""
    refused = refused_territory(recipe, territory)
    if refused:
        return refused
    known = accepted(recipe, models_dir)
    if known is None or known.digest != digest_of(licence):
        return (
            f"The licence of {recipe.model.name} ({licence.name}) has to be accepted first: "
            f"understudy models accept-licence {recipe.id}."
        )
    if territory and known.territory and known.territory != territory.upper():
        return (
            f"The licence of {recipe.model.name} was accepted for {known.territory}, not for {territory.upper()}: "
            f"understudy models accept-licence {recipe.id} --territory {territory.upper()}."
        )
    return ""
