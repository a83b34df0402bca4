"""Write docs/reference/models.md: what the catalogue knows of models with open weights.

    .venv/bin/python scripts/open_models_table.py

Nothing in the tables is written by hand; a test fails when they are stale.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from understudy.catalog.open_architectures import Component, load_open_architectures
from understudy.catalog.open_models import Licence, OpenModel, OpenModels, Repository, load_open_models

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs/reference/models.md"
RECIPES = ROOT / "src/understudy/engines/diffusion/recipes.toml"
GIGA = 1_000_000_000

HEAD = """# Models with open weights

What the [diffusion engine](../guides/diffusion.md) can run: what each model makes, what there is to download, what its
licence asks, and how large its networks are. Each row of the catalogue carries its source and date.

This page is made by `scripts/open_models_table.py` from `open_models.toml` and `open_architectures.toml` of
`src/understudy/catalog` and from `src/understudy/engines/diffusion/recipes.toml`.
"""

ABOUT_FILMS = """
## What films they are asked for

From what each makes a film here: text alone, a first or last frame or both, references, a video that is edited,
extended or joined with another. The short side is that of the picture before it is enlarged to the size asked for.
"""

ABOUT_PLANS = """
## How they fit into memory

The first plan whose needs the machine meets is taken, and the next one after the device ran out of memory. What a plan
needs is where its source says so, or an estimate.
"""

WORKFLOWS = {
    "text": "text",
    "first_frame": "first frame",
    "last_frame": "last frame",
    "first_last_frame": "first and last frame",
    "references": "references",
    "edit": "edit",
    "extend": "extend",
    "join": "join",
}

ABOUT_LICENCES = """
## Licences

Told in our own words; the text at the address is what binds. A licence that is not an open one has to be accepted, with
the country in which films are made and shown where it excludes any.
"""

ABOUT_NETWORKS = """
## Networks

At their released size, counted in the weights that are published. Where there is no figure, none is published for the
network by itself.
"""


def row(cells: Iterable[str]) -> str:
    """Return a line of a table."""
    return f"| {' | '.join(cells)} |"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table."""
    yield row(head)
    yield f"|{'---|' * len(head)}"
    yield from map(row, rows)


def large(count: int) -> str:
    """Return a number of parameters as people say it, as 14.3 B."""
    if not count:
        return "–"
    return f"{count / GIGA:.1f} B" if count >= GIGA else f"{count / 1e6:.0f} M"


def gigabytes(size_bytes: int) -> str:
    """Return a size, or that nobody knows it."""
    return f"{size_bytes / GIGA:.1f} GB" if size_bytes else "not known"


def sound(model: OpenModel) -> str:
    """Return what its films sound like."""
    if not model.sample_rate_hz:
        return "none"
    channels = "stereo" if model.audio_channels == 2 else "mono"
    return f"{model.sample_rate_hz / 1000:g} kHz {channels}"


def references(model: OpenModel) -> str:
    """Return how many references it takes, each kind by itself and all together."""
    kinds = {"image": model.images_max, "video": model.videos_max, "audio": model.audios_max}
    named = [f"{count} {kind}{'s' if count > 1 else ''}" for kind, count in kinds.items() if count]
    if not named:
        return "none"
    together = f", {model.references_max} together" if model.references_max < sum(kinds.values()) else ""
    return ", ".join(named) + together


def facts(model: OpenModel) -> list[str]:
    """Return the row of a model: what it makes."""
    least_s, most_s = model.duration_s
    return [
        f"`{model.id}`",
        model.name,
        large(model.parameters),
        f"{model.fps:g}",
        f"{model.frames.first} + {model.frames.step}n",
        f"{least_s:g} to {most_s:g} s",
        f"{model.canvas_pixels_max:,}, sides by {model.canvas_multiple}",
        sound(model),
        references(model),
    ]


def recipes() -> Mapping[str, Any]:
    """Return how each model is run, as the file has it; the engine's own reading needs its packages."""
    return tomllib.loads(RECIPES.read_text(encoding="utf-8"))


def films() -> Iterator[list[str]]:
    """Yield from what each model makes films, and how."""
    for key, recipe in recipes().items():
        marks = ["yes" if name in recipe["workflows"] else "–" for name in WORKFLOWS]
        sides = ", ".join(f"{name}: {side_px}" for name, side_px in recipe["short_edge_px"].items())
        draft = f"{recipe['draft']['steps']}" if "draft" in recipe else "as usual"
        yield [f"`{key}`", *marks, sides, f"{recipe['usual']['steps']}", draft]


def plans() -> Iterator[list[str]]:
    """Yield the plans of all models, the fastest of each first."""
    for key, recipe in recipes().items():
        for plan in recipe["plans"]:
            needs = [f"{plan[of] / GIGA:.0f} GB" for of in ("device_bytes_min", "host_bytes_min")]
            yield [f"`{key}`", f"`{plan['name']}`", *needs, plan["source"]]


def download(model: OpenModel, repository: Repository) -> list[str]:
    """Return the row of a repository."""
    folder = model.id if repository.folder == "." else f"{model.id}/{repository.folder}"
    revision = f"`{repository.revision[:12]}`" if repository.revision else "the newest"
    what = ", ".join(f"`{each}`" for each in repository.files) or "everything"
    return [f"`{folder}`", f"`{repository.name}`", revision, gigabytes(repository.size_bytes), what]


def terms(licence: Licence, known: OpenModels) -> Iterator[str]:
    """Yield the section of a licence."""
    yield f"\n### {licence.name}\n"
    yield f"<{licence.address}>; {licence.source}, {licence.date}. Models: {of_licence(licence, known)}.\n"
    if licence.is_open:
        yield "An open licence: nothing has to be accepted."
    for duty in licence.duties:
        yield f"- {duty}"
    if licence.territories_excluded:
        yield f"\nCountries excluded: {', '.join(sorted(known.excluded(licence)))}."


def of_licence(licence: Licence, known: OpenModels) -> str:
    """Return the models that are under a licence."""
    return ", ".join(f"`{model.id}`" for model in known.models.values() if model.licence.id == licence.id)


def network(models: Sequence[str], component: Component) -> list[str]:
    """Return the row of a network."""
    name = component.class_path.rpartition(".")[2]
    return [f"`{component.id}`", f"`{name}`", large(component.parameters), ", ".join(models), component.source]


def networks() -> Iterator[list[str]]:
    """Yield the rows of all networks, each once."""
    used: dict[str, list[str]] = {}
    components = {}
    for model, parts in load_open_architectures().items():
        for name, component in parts.items():
            components[component.id] = component
            used.setdefault(component.id, []).append(f"`{model}/{name}`")
    for key, component in components.items():
        yield network(used[key], component)


def page() -> str:
    """Return the page as it has to be."""
    known = load_open_models()
    models = known.models.values()
    made = ["id", "model", "parameters", "fps", "frames", "films", "largest picture, pixels", "sound", "references"]
    lines = [HEAD, "## What they make\n", *table(made, map(facts, models))]
    lines.append(ABOUT_FILMS)
    short = ["id", *WORKFLOWS.values(), "short side, pixels", "steps", "of a draft"]
    lines += table(short, films())
    lines.append(ABOUT_PLANS)
    lines += table(["id", "plan", "memory of the GPU", "of the machine", "source"], plans())
    lines.append("\n## What is downloaded\n\nEach into a folder below that of the models.\n")
    lines += table(
        ["folder", "repository", "revision", "size", "files"],
        (download(model, repository) for model in models for repository in model.repositories),
    )
    lines.append(ABOUT_LICENCES.rstrip())
    for licence in known.licences.values():
        lines += terms(licence, known)
    lines.append(ABOUT_NETWORKS)
    lines += table(["network", "class", "parameters", "component of", "source"], networks())
    lines.append("\n## Sources\n")
    lines += table(["model", "source", "date"], ([f"`{each.id}`", each.source, each.date] for each in models))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")
