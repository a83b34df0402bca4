"""What was pulled for a model: the hub's word on each file, kept beside the weights, and files held against it."""

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path

import msgspec

from understudy.engines.diffusion.recipe import Recipe

FILE_NAME = "pulled.json"
HUB_FOLDER = ".cache"
"""Where the hub's library keeps its own notes and unfinished files, below the folder that it fills."""

READ_BYTES = 1 << 20
READERS = 4
"""A core hashes one or two GB a second; more readers than that only make a disk seek."""

OnRead = Callable[[int], None]
Stamp = tuple[int, int]
"""Size in bytes and time of the last change in nanoseconds."""


class State(StrEnum):
    """Whether a model's files are here, by their names and sizes."""

    ABSENT = "not pulled"
    PARTLY = "pulled in part"
    HERE = "ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class PulledFile:
    """A file as the hub tells of it. path: below the model's folder, with "/". digest: "sha256:..." or "git:..."."""

    path: str
    size_bytes: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PulledRepository:
    """What is wanted of a repository. folder: as in the catalogue. commit: the one that its files are of."""

    name: str
    folder: str
    commit: str
    files: tuple[PulledFile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """All that was wanted, and which files were found whole: path -> how they looked then."""

    repositories: tuple[PulledRepository, ...] = ()
    whole: Mapping[str, Stamp] = field(default_factory=dict)

    def files(self) -> tuple[PulledFile, ...]:
        """Return the files of all repositories."""
        return tuple(each for repository in self.repositories for each in repository.files)


def read_pulled(folder: Path) -> Pulled | None:
    """Return what was kept, or None: nothing was, or it cannot be read."""
    try:
        return msgspec.json.decode((folder / FILE_NAME).read_bytes(), type=Pulled)
    except (OSError, msgspec.DecodeError):
        return None


def write_pulled(folder: Path, pulled: Pulled) -> None:
    """Keep it; whoever reads meanwhile sees the old or the new.

    Raises: OSError.
    """
    written = folder / f"{FILE_NAME}.{os.getpid()}"
    written.write_bytes(msgspec.json.format(msgspec.json.encode(pulled), indent=1))
    written.replace(folder / FILE_NAME)


def state_of(recipe: Recipe, models_dir: Path) -> State:
    """Return whether the model's files are here. Files that were put there by hand count as all of them."""
    folder = models_dir / recipe.folder
    pulled = read_pulled(folder)
    if pulled is None:
        return State.HERE if any(weights_in(folder)) else State.ABSENT
    there = [size_of(folder / each.path) == each.size_bytes for each in pulled.files()]
    return State.HERE if there and all(there) else State.PARTLY


def weights_in(folder: Path) -> Iterable[Path]:
    """Yield the files of weights below a folder, without those that the hub's library is still writing."""
    for path in sorted(folder.rglob("*.safetensors")):
        if HUB_FOLDER not in path.relative_to(folder).parts:
            yield path


def size_of(path: Path) -> int:
    """Return the size of a file in bytes, -1 = there is none."""
    try:
        return path.stat().st_size if path.is_file() else -1
    except OSError:
        return -1


def stamp_of(path: Path) -> Stamp | None:
    """Return how a file looks, None = there is none."""
    try:
        seen = path.stat()
    except OSError:
        return None
    return seen.st_size, seen.st_mtime_ns


def whole_of(folder: Path, files: Iterable[PulledFile], *, on_read: OnRead) -> dict[str, Stamp]:
    """Return those files that are what the hub said, by reading each of them. on_read: gets counts of bytes."""
    listed = list(files)
    with ThreadPoolExecutor(READERS, thread_name_prefix="digest") as readers:
        stamps = list(readers.map(partial(_whole, folder, on_read), listed))
    return {each.path: stamp for each, stamp in zip(listed, stamps, strict=True) if stamp is not None}


def _whole(folder: Path, on_read: OnRead, file: PulledFile) -> Stamp | None:
    """Return the file's stamp if it is whole. Taken before reading: a change meanwhile shows."""
    path = folder / file.path
    stamp = stamp_of(path)
    if stamp is None or stamp[0] != file.size_bytes:
        on_read(file.size_bytes)
        return None
    kind, _, expected = file.digest.partition(":")
    # Small files are named by git's digest of a blob, which has its length in front. Source: gitformat-pack.
    if kind == "git":
        digest = hashlib.sha1(b"blob %d\0" % file.size_bytes, usedforsecurity=False)
    else:
        digest = hashlib.sha256()
    try:
        with path.open("rb", buffering=0) as opened:
            while chunk := opened.read(READ_BYTES):
                digest.update(chunk)
                on_read(len(chunk))
    except OSError:
        return None
    return stamp if digest.hexdigest() == expected else None
