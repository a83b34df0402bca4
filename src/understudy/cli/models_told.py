"""Open models in words: the rows, pages and lines that `understudy models` prints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from understudy.engines.diffusion.devices import Device
    from understudy.engines.diffusion.pulling import Pull
    from understudy.engines.diffusion.recipe import Plan, Recipe

COLUMNS = ("model", "serves", "licence", "download", "plan here", "state")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One model in the list.

    plan: "" = none fits, and shortage says why. refusal: why it may not be used, or "". state: what it lacks, in short.
    """

    id: str
    name: str
    serves: tuple[str, ...]
    has_sound: bool
    licence: str
    is_open: bool
    territories_excluded: tuple[str, ...]
    download_bytes: int
    plan: str
    shortage: str
    state: str
    refusal: str


def cells(row: Row) -> tuple[str, ...]:
    """Return the model's cells under the columns."""
    excluded = f", not in {', '.join(row.territories_excluded)}" if row.territories_excluded else ""
    return (
        row.id,
        f"{served(row.serves)}; {'with sound' if row.has_sound else 'silent'}",
        f"{row.licence}{excluded}",
        gigabytes(row.download_bytes),
        row.plan or "too small for it",
        row.state,
    )


def served(workflows: Sequence[str]) -> str:
    """Return what a model serves, or what it does not where that is shorter."""
    from understudy.engines.diffusion.order import Workflow

    lacking = [each for each in Workflow if each not in workflows]
    if not lacking:
        return "everything"
    named = workflows if len(lacking) > len(workflows) // 2 else lacking
    words = ", ".join(each.replace("first_last", "first and last").replace("_", " ") for each in named)
    return words if named is workflows else f"everything but {words}"


def machine(devices: Sequence[Device], host_bytes: int) -> str:
    """Return what this machine has."""
    there = ", ".join(str(each) for each in devices) or "no NVIDIA GPU that can be seen"
    return f"This machine: {there}; {gigabytes(host_bytes)} of its own memory."


def gigabytes(size_bytes: int) -> str:
    """Return a size as people read it."""
    if not size_bytes:
        return "not known"
    return f"{size_bytes / 1e9:.0f} GB" if size_bytes >= 10e9 else amount(size_bytes)


def amount(size_bytes: int) -> str:
    """Return an exact size in the largest unit that it fills."""
    for unit, bytes_each in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size_bytes >= bytes_each:
            return f"{size_bytes / bytes_each:.1f} {unit}"
    return f"{size_bytes} bytes"


def duties(recipe: Recipe) -> Iterator[str]:
    """Yield what the licence asks, as the catalogue has it."""
    licence = recipe.model.licence
    yield f"{recipe.model.name} is under the {licence.name}: {licence.address}"
    if licence.is_open:
        yield "  It is an open licence: nothing has to be accepted."
        return
    yield f"What it asks, in our own words of {licence.date}; its text is what binds you:"
    for duty in licence.duties:
        yield f"  - {duty}"
    if licence.attribution:
        yield f'  - Films say "{licence.attribution}"; their metadata does so by itself.'
    if licence.must_mark:
        yield "  - Films carry a mark that machines can read, of having been made by one."


def details(recipe: Recipe) -> dict[str, Any]:
    """Return what a list has no room for, as JSON has it."""
    model, licence = recipe.model, recipe.model.licence
    return {
        "licence_address": licence.address,
        "licence_date": licence.date,
        "duties": licence.duties,
        "revenue_usd_max": licence.revenue_usd_max,
        "attribution": licence.attribution,
        "must_mark": licence.must_mark,
        "folder": recipe.folder,
        "parameters": model.parameters,
        "fps": model.fps,
        "duration_s": model.duration_s,
        "plans": [
            {"name": each.name, "device_bytes_min": each.device_bytes_min, "host_bytes_min": each.host_bytes_min}
            for each in recipe.plans
        ],
        "repositories": [
            {"name": each.name, "folder": each.folder, "revision": each.revision, "size_bytes": each.size_bytes}
            for each in model.repositories
        ],
    }


def shown(recipe: Recipe, row: Row, models_dir: Path) -> Iterator[str]:
    """Yield the page of one model."""
    model = recipe.model
    shortest_s, longest_s = model.duration_s
    yield f"{recipe.id}: {model.name}, {model.parameters / 1e9:.1f} billion parameters"
    yield f"  state       {row.state}"
    yield f"  serves      {cells(row)[1]}"
    yield f"  films       {shortest_s:g} to {longest_s:g} s at {model.fps:g} frames a second"
    most = f"{model.images_max} images, {model.videos_max} videos, {model.audios_max} audios"
    yield f"  references  at most {most}, {model.references_max} together"
    yield f"  plan here   {row.plan or row.shortage}"
    for each in recipe.plans:
        yield f"    {_plan(each)}"
    yield from sources(recipe, models_dir)
    yield from duties(recipe)
    if row.refusal:
        yield row.refusal


def _plan(plan: Plan) -> str:
    device = f"{gigabytes(plan.device_bytes_min)} of a GPU" if plan.device_bytes_min else "no GPU"
    return f"{plan.name}: {device} and {gigabytes(plan.host_bytes_min)} of the machine's memory ({plan.source})"


def sources(recipe: Recipe, models_dir: Path) -> Iterator[str]:
    """Yield where the files come from and go to, as the catalogue knows it."""
    yield f"{recipe.model.name}: about {gigabytes(recipe.model.download_bytes)} into {models_dir / recipe.folder}"
    for each in recipe.model.repositories:
        below = "" if each.folder == "." else f" into {each.folder}"
        yield f"  {each.name}{below}: about {gigabytes(each.size_bytes)}"


def to_download(wanted: Pull) -> Iterator[str]:
    """Yield what the hub says there is, and what of it is not here yet."""
    for repository in wanted.repositories:
        size = amount(sum(each.size_bytes for each in repository.files))
        yield f"  {repository.name} at {repository.commit[:12]}: {len(repository.files)} files, {size}"
    for note in wanted.unmatched:
        yield f"  Note: {note}."
    yield f"To be downloaded: {amount(wanted.needed_bytes)} of {amount(wanted.total_bytes)}."
    yield f"Free on the disk of {wanted.folder}: {amount(wanted.free_bytes)}."
