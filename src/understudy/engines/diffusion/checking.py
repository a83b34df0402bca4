"""Checks what a model needs before it is served: its files, the packages, the machine. Without torch and network."""

import fnmatch
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

from understudy.catalog.open_models import Repository
from understudy.engines.diffusion.devices import Device
from understudy.engines.diffusion.planning import plans_for, shortage
from understudy.engines.diffusion.pulled import (
    OnRead,
    Pulled,
    read_pulled,
    size_of,
    weights_in,
    whole_of,
    write_pulled,
)
from understudy.engines.diffusion.recipe import Adapter, Plan, Recipe

HEADER_BYTES_MAX = 100_000_000
"""As safetensors itself has it. Source: huggingface/safetensors, safetensors/src/tensor.rs, MAX_HEADER_SIZE."""

JSON_BYTES_MAX = 64_000_000
"""More than any index of parts or components has."""

EXTRA = "diffusion"
INSTALL = f'pip install "understudy[{EXTRA}]" brings the packages that lack; torch comes before it, as the guide says.'
INDEXES = ("model_index.json", "modular_model_index.json")
NAMED_MAX = 3
"""Of files that lack, so that a sentence stays one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What lacks, and what else is worth knowing; each a sentence for the operator."""

    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def check_files(recipe: Recipe, models_dir: Path, *, is_quick: bool, on_read: OnRead) -> Check:
    """Check that all of the model's files are there and whole.

    is_quick: by their sizes and structure, without reading the weights. on_read: gets counts of bytes.
    """
    folder = models_dir / recipe.folder
    if not folder.is_dir() or not any(weights_in(folder)):
        return Check(problems=(f"There are no weights in {folder}: understudy models pull {recipe.id}.",))
    pulled = read_pulled(folder)
    problems = list(_structure(recipe, folder))
    if pulled is None:
        note = "They were not pulled by this program, so that what the hub says of them is not known: only their "
        return Check(problems=tuple(problems), notes=(f"{note}structure was checked.",))
    files = pulled.files()
    short = [each.path for each in files if size_of(folder / each.path) != each.size_bytes]
    broken: list[str] = []
    if not is_quick:
        right = [each for each in files if each.path not in short]
        whole = whole_of(folder, right, on_read=on_read)
        broken = [each.path for each in right if each.path not in whole]
        _keep(folder, pulled, whole)
    if short:
        problems.append(
            f"{_counted(short)} missing or not as long as the hub says: understudy models pull {recipe.id}."
        )
    if broken:
        problems.append(f"{_counted(broken)} not what the hub says: understudy models pull {recipe.id}.")
    return Check(problems=tuple(problems))


def check_packages() -> Check:
    """Check the packages of the extra by their versions, without importing any. notes: those that are here."""
    try:
        # A package of the extra's packages.
        from packaging.requirements import Requirement
    except ImportError:
        return Check(problems=(INSTALL,))
    problems, notes = [], []
    for line in requires("understudy") or ():
        wanted = Requirement(line)
        if (
            wanted.marker is None
            or wanted.marker.evaluate({"extra": ""})
            or not wanted.marker.evaluate({"extra": EXTRA})
        ):
            continue
        try:
            found = version(wanted.name)
        except PackageNotFoundError:
            problems.append(f"The package {wanted.name} is not installed.")
            continue
        notes.append(f"{wanted.name} {found}")
        if not wanted.specifier.contains(found, prereleases=True):
            problems.append(f"The package {wanted.name} is of version {found}, and {wanted.specifier} is needed.")
    if problems:
        problems.append(INSTALL)
    return Check(problems=tuple(problems), notes=tuple(notes))


def check_machine(recipe: Recipe, found: Sequence[Device], host_bytes: int, *, forced: str = "") -> Check:
    """Check that a plan fits the machine. found: the devices that are to be used. notes: devices and plan."""
    notes = [f"{each.index}: {each}" for each in found] or ["There is no NVIDIA GPU that can be seen here."]
    try:
        plan = plan_for(recipe, found, host_bytes, forced=forced)
    except ValueError as error:
        return Check(problems=(str(error),), notes=tuple(notes))
    if plan is None:
        return Check(problems=(shortage(recipe, _least(found), host_bytes, models=_models(found)),), notes=tuple(notes))
    problems = []
    try:
        if found and version("torch").endswith("+cpu"):
            problems.append("The torch that is installed is a build without CUDA, and would leave the GPU alone.")
    except PackageNotFoundError:
        pass
    if not found:
        notes.append("The processor would make the films, which takes hours.")
    return Check(problems=tuple(problems), notes=(*notes, f"plan: {plan.name}"))


def plan_for(recipe: Recipe, found: Sequence[Device], host_bytes: int, *, forced: str = "") -> Plan | None:
    """Return the plan that would be tried first, None = none fits.

    Raises: ValueError: there is no plan of the forced name.
    """
    return next(iter(plans_for(recipe, _least(found), host_bytes, forced=forced, models=_models(found))), None)


def chosen_devices(found: Sequence[Device], named: str) -> tuple[Device, ...]:
    """Return the devices that the setting names, "0 1" or "0,1"; "" = all."""
    numbers = {int(each) for each in named.replace(",", " ").split() if each.isdecimal()}
    return tuple(each for each in found if not named.split() or each.index in numbers)


def _models(found: Sequence[Device]) -> int:
    # Each device has a process of its own, with a model of its own.
    return max(1, len(found))


def _least(found: Sequence[Device]) -> int:
    # The same models are loaded on each.
    return min((each.total_bytes for each in found), default=0)


def _keep(folder: Path, pulled: Pulled, whole: Mapping[str, tuple[int, int]]) -> None:
    """Let the next pull know what need not be read again, and what has to be."""
    try:
        write_pulled(folder, Pulled(repositories=pulled.repositories, whole=whole))
    except OSError:
        # Weights may lie where they can only be read.
        return


def _structure(recipe: Recipe, folder: Path) -> Iterator[str]:
    """Yield what lacks by the recipe, the components' lists, the lists of parts and the weights themselves."""
    for file in sorted(_adapters(recipe)):
        if not (folder / file).is_file():
            yield f"{file} is missing, which some films are made with."
    if recipe.upscaler and not (folder / recipe.upscaler / "config.json").is_file():
        yield f"{recipe.upscaler} is missing, which films are enlarged with."
    for repository in recipe.model.repositories:
        for index in INDEXES:
            path = folder / repository.folder / index
            if path.is_file():
                yield from _components(folder, repository, path)
    for path in sorted(folder.rglob("*.safetensors.index.json")):
        yield from _parts(folder, path)
    for path in weights_in(folder):
        reason = _broken(path)
        if reason:
            yield f"{path.relative_to(folder)} {reason}."


def _adapters(recipe: Recipe) -> set[str]:
    """Return the files of weights that the recipe names."""
    schedules = (recipe.usual, recipe.draft)
    named = {each.adapter.file for each in schedules if each is not None and isinstance(each.adapter, Adapter)}
    return named | {each for each in _strings(recipe.settings) if each.endswith(".safetensors")}


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, Iterable):
        for each in value:
            yield from _strings(each)


def _components(folder: Path, repository: Repository, index: Path) -> Iterator[str]:
    """Yield the components of the list that are wanted of the repository and are not there."""
    named = index.relative_to(folder)
    listed = _json(index)
    if not isinstance(listed, dict):
        yield f"{named} is not a list of components."
        return
    for name, row in listed.items():
        if name.startswith("_") or not isinstance(row, list) or len(row) < 2:
            continue
        # A list of modular pipelines tells for each component where it comes from; one may come from elsewhere.
        origin = row[2] if len(row) > 2 and isinstance(row[2], dict) else {}
        if row[0] is None and not origin.get("pretrained_model_name_or_path"):
            continue
        below = str(origin.get("subfolder") or name)
        is_wanted = not repository.files or any(_reaches(each, below) for each in repository.files)
        path = index.parent / below
        if not is_wanted:
            continue
        if not any(path.glob("*.json")):
            yield f"{below} is missing, which {named} names."
        elif (path / "config.json").is_file() and not any(path.glob("*.safetensors")):
            yield f"{path.relative_to(folder)} has no weights as safetensors."


def _reaches(pattern: str, below: str) -> bool:
    """Tell whether a pattern of files takes any of a folder."""
    return pattern.startswith(f"{below}/") or fnmatch.fnmatchcase(f"{below}/config.json", pattern)


def _parts(folder: Path, index: Path) -> Iterator[str]:
    """Yield the files of weights that an index names and that lack, and those without what it says is in them."""
    named = index.relative_to(folder)
    listed = _json(index)
    tensors = listed.get("weight_map") if isinstance(listed, dict) else None
    if not isinstance(tensors, dict) or not all(isinstance(each, str) for each in tensors.values()):
        yield f"{named} is not an index of weights."
        return
    files = sorted(set(tensors.values()))
    lacking = [each for each in files if not (index.parent / each).is_file()]
    if lacking:
        yield f"{named} names {len(files)} files of weights; {_counted(lacking)} missing."
    for file in set(files) - set(lacking):
        header = _header(index.parent / file)
        without = [name for name, at in tensors.items() if at == file and name not in header] if header else []
        if without:
            yield f"{(index.parent / file).relative_to(folder)} has no {without[0]}, which {named} says is in it."


def _broken(path: Path) -> str:
    """Return what is wrong with a file of weights, by what it says of itself; "" = nothing."""
    header = _header(path)
    if header is None:
        return "is not a file of safetensors"
    try:
        with path.open("rb") as opened:
            begins = 8 + int.from_bytes(opened.read(8), "little")
        ends = [row["data_offsets"][1] for name, row in header.items() if name != "__metadata__"]
        expected = begins + max(ends, default=0)
    except (OSError, KeyError, TypeError, IndexError):
        return "is not a file of safetensors"
    size_bytes = size_of(path)
    return "" if size_bytes == expected else f"has {size_bytes} bytes, and says of itself that it has {expected}"


def _header(path: Path) -> dict[str, Any] | None:
    """Return what a file of safetensors says of itself, None = it is none. Source: huggingface/safetensors, README."""
    try:
        with path.open("rb") as opened:
            length_bytes = int.from_bytes(opened.read(8), "little")
            if length_bytes > min(HEADER_BYTES_MAX, path.stat().st_size):
                return None
            found = json.loads(opened.read(length_bytes))
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _json(path: Path) -> Any:
    """Return what a file has, None = nothing that can be read."""
    try:
        return json.loads(path.read_bytes()) if path.stat().st_size <= JSON_BYTES_MAX else None
    except (OSError, ValueError, RecursionError):
        return None


def _counted(paths: Sequence[str]) -> str:
    named = ", ".join(paths[:NAMED_MAX])
    rest = f" and {len(paths) - NAMED_MAX} more" if len(paths) > NAMED_MAX else ""
    return f"{named}{rest} {'is' if len(paths) == 1 else 'are'}"
