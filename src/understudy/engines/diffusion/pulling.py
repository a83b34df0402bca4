"""Pulls a model's files from the hub: what there is to download, downloading it, and holding it against the hub's word.

Whoever is interrupted or cut off pulls again: files that are whole stay. The library of the hub is loaded here only.
"""

import errno
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from understudy.catalog.open_models import Repository
from understudy.engines.diffusion import licences, pulled
from understudy.engines.diffusion.pulled import (
    Pulled,
    PulledFile,
    PulledRepository,
    read_pulled,
    size_of,
    stamp_of,
    whole_of,
    write_pulled,
)
from understudy.engines.diffusion.recipe import Recipe

EXTRA = 'pip install "understudy[diffusion]"'

NEVER_PULLED = ("*.bin", "*.ckpt", "*.h5", "*.msgpack", "*.pickle", "*.pkl", "*.pt", "*.pth", "*.py", "*.pyc", "*.so")
"""Pickles and programs can run code, and nothing here would read them; other frameworks' weights are of no use."""

FILES_MAX = 10_000
"""More than any model has: a listing without end is not followed."""

DOWNLOADS = 4
"""Files at once. A file that is cut off starts anew with the next pull, and each is several gigabytes."""

LEFT_FREE_BYTES = 1_000_000_000
"""A disk that is full to the brim breaks more than the pull."""

OWN_NAMES = {licences.FILE_NAME, pulled.FILE_NAME, pulled.HUB_FOLDER}
DIGEST = re.compile(r"sha256:[0-9a-f]{64}|git:[0-9a-f]{40}")
COMMIT = re.compile(r"[0-9a-f]{40}")


class CannotPull(Exception):
    """Why a pull cannot begin or go on, as a sentence for the operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """What a pull would do.

    unmatched: what the catalogue names and the hub has not. needed_bytes: to be downloaded. free_bytes: on the disk.
    """

    folder: Path
    repositories: tuple[PulledRepository, ...]
    unmatched: tuple[str, ...]
    total_bytes: int
    needed_bytes: int
    free_bytes: int


def planned(recipe: Recipe, models_dir: Path, *, is_newest: bool = False) -> Pull:
    """Ask the hub what there is to download. A repository without a revision keeps the commit that was pulled first.

    is_newest: take the newest one of those instead.

    Raises: CannotPull.
    """
    hub = _hub()
    folder = models_dir / recipe.folder
    known = read_pulled(folder) or Pulled()
    commits = {} if is_newest else {(each.name, each.folder): each.commit for each in known.repositories}
    repositories, unmatched = [], []
    for repository in recipe.model.repositories:
        with _hub_errors_as_sentences(repository.name):
            commit = repository.revision or commits.get((repository.name, repository.folder), "")
            listed, lacking = _listed(hub, repository, commit)
        repositories.append(listed)
        unmatched += [f"{repository.name} has nothing that matches {pattern}" for pattern in lacking]
    _refuse_doubles(repositories)
    files = [each for repository in repositories for each in repository.files]
    needed = [each for each in files if size_of(folder / each.path) != each.size_bytes]
    return Pull(
        folder=folder,
        repositories=tuple(repositories),
        unmatched=tuple(unmatched),
        total_bytes=sum(each.size_bytes for each in files),
        needed_bytes=sum(each.size_bytes for each in needed),
        free_bytes=free_bytes(folder),
    )


def pull(wanted: Pull, *, is_quiet: bool, tell: Callable[[str], None]) -> tuple[str, ...]:
    """Download what is not here whole, and hold it against the hub's word. Returns the paths that were removed.

    is_quiet: without the hub's own bars of progress. tell: gets a sentence before each thing that takes long.

    Raises: CannotPull; OSError.
    """
    hub = _hub()
    folder = wanted.folder
    folder.mkdir(parents=True, exist_ok=True)
    if is_quiet:
        hub.utils.disable_progress_bars()
    with _alone(folder):
        removed = _remove_leftovers(wanted)
        known = read_pulled(folder) or Pulled()
        whole = _still_whole(wanted, known, tell=tell)
        record = Pulled(repositories=_with_others(wanted.repositories, known), whole=whole)
        write_pulled(folder, record)
        _refuse_full_disk(wanted, whole)
        for repository in wanted.repositories:
            lacking = [each for each in repository.files if each.path not in whole]
            if lacking:
                tell(f"{repository.name}: downloading {len(lacking)} of {len(repository.files)} files.")
                with _hub_errors_as_sentences(repository.name):
                    _download(hub, folder, repository)
                tell(f"{repository.name}: holding them against what the hub says.")
                whole = {**whole, **whole_of(folder, lacking, on_read=_unheard)}
                # Each repository by itself: whoever is cut off in the next one need not read this one again.
                write_pulled(folder, replace(record, whole=whole))
                _refuse_broken(folder, repository, whole)
    return removed


def _unheard(_size_bytes: int) -> None:
    """Tell nobody: beside the hub's bars of progress there is no room for another."""


def free_bytes(folder: Path) -> int:
    """Return how much room there is where the folder is or would be."""
    for path in (folder.absolute(), *folder.absolute().parents):
        if path.is_dir():
            return shutil.disk_usage(path).free
    return 0


def _hub() -> Any:
    try:
        import huggingface_hub

        # What it has in modules of its own is there once they are loaded.
        import huggingface_hub.hf_api
        import huggingface_hub.utils
    except ImportError as error:
        raise CannotPull(f"Pulling needs the packages of the diffusion engine: {EXTRA}") from error
    return huggingface_hub


def _listed(hub: Any, repository: Repository, commit: str) -> tuple[PulledRepository, list[str]]:
    """Return what is wanted of a repository, and the patterns that nothing matches."""
    api = hub.HfApi()
    commit = commit if COMMIT.fullmatch(commit) else api.repo_info(repository.name, revision=commit or None).sha
    entries = api.list_repo_tree(repository.name, recursive=True, revision=commit)
    found = [each for each in islice(entries, FILES_MAX + 1) if isinstance(each, hub.hf_api.RepoFile)]
    if len(found) > FILES_MAX:
        raise CannotPull(f"{repository.name} has more than {FILES_MAX} files, which no model needs.")
    names = [each.path for each in found]
    patterns = list(repository.files) or None
    taken = set(hub.utils.filter_repo_objects(names, allow_patterns=patterns, ignore_patterns=list(NEVER_PULLED)))
    if not taken:
        raise CannotPull(f"{repository.name} has none of the files that the model needs.")
    lacking = [
        pattern for pattern in repository.files if not any(hub.utils.filter_repo_objects(names, allow_patterns=pattern))
    ]
    files = tuple(_file(repository, each) for each in found if each.path in taken)
    # Some repositories are listed to everybody, and their files are for those who accepted their conditions.
    hub.get_hf_file_metadata(hub.hf_hub_url(repository.name, min(taken), revision=commit))
    return PulledRepository(name=repository.name, folder=repository.folder, commit=commit, files=files), lacking


def _file(repository: Repository, entry: Any) -> PulledFile:
    """Return a file of a listing.

    Raises: CannotPull for a path that leaves the folder or is one of ours, or without a digest.
    """
    path, parts = str(entry.path), PurePosixPath(entry.path).parts
    leaves = "\\" in path or ".." in parts or any(PureWindowsPath(part).anchor for part in (path, *parts))
    if leaves or not parts or {part.casefold() for part in parts} & OWN_NAMES:
        raise CannotPull(f"{repository.name} has a file {path!r}, which would be written where it may not: not pulled.")
    digest = f"sha256:{entry.lfs.sha256}" if entry.lfs is not None else f"git:{entry.blob_id}"
    size_bytes = entry.lfs.size if entry.lfs is not None else entry.size
    if not DIGEST.fullmatch(digest) or size_bytes < 0:
        raise CannotPull(f"The hub gives no digest for {path!r} of {repository.name}.")
    below = (PurePosixPath(repository.folder) / path).as_posix()
    return PulledFile(path=below, size_bytes=size_bytes, digest=digest)


def _refuse_doubles(repositories: Iterable[PulledRepository]) -> None:
    owners: dict[str, str] = {}
    for repository in repositories:
        for file in repository.files:
            if owners.setdefault(file.path, repository.name) != repository.name:
                raise CannotPull(f"{owners[file.path]} and {repository.name} both have {file.path}: see their recipe.")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one pull at a time write into the folder. The lock goes with its process."""
    from filelock import FileLock, Timeout

    lock = FileLock(folder / pulled.HUB_FOLDER / "pull.lock", timeout=0)
    (folder / pulled.HUB_FOLDER).mkdir(exist_ok=True)
    try:
        lock.acquire()
    except Timeout:
        raise CannotPull(f"Another pull into {folder} is under way.") from None
    try:
        yield
    finally:
        lock.release()


def _remove_leftovers(wanted: Pull) -> tuple[str, ...]:
    """Remove what a killed pull left half written, and what the commits that are now wanted have no more.

    A file of an older commit could be taken for one of this: an index of parts is read where there is one.
    """
    for hub_folder in {wanted.folder / each.folder / pulled.HUB_FOLDER for each in wanted.repositories}:
        for unfinished in hub_folder.rglob("*.incomplete"):
            unfinished.unlink(missing_ok=True)
    commits = {(each.name, each.folder): each for each in wanted.repositories}
    gone: list[str] = []
    for before in (read_pulled(wanted.folder) or Pulled()).repositories:
        now = commits.get((before.name, before.folder))
        if now is not None and now.commit != before.commit:
            left = {each.path for each in before.files} - {each.path for each in now.files}
            gone += sorted(path for path in left if size_of(wanted.folder / path) >= 0)
    for path in gone:
        (wanted.folder / path).unlink(missing_ok=True)
    return tuple(gone)


def _still_whole(wanted: Pull, known: Pulled, *, tell: Callable[[str], None]) -> dict[str, tuple[int, int]]:
    """Return which files need not be downloaded.

    One that changed since it was read is read again, and removed if it is broken: the hub's library would take it.
    """
    digests = {each.path: each.digest for each in known.files()}
    whole, doubtful = {}, []
    for file in (each for repository in wanted.repositories for each in repository.files):
        stamp = stamp_of(wanted.folder / file.path)
        if stamp is not None and known.whole.get(file.path) == stamp and digests.get(file.path) == file.digest:
            whole[file.path] = stamp
        elif stamp is not None:
            doubtful.append(file)
    if doubtful:
        tell(f"Reading {len(doubtful)} files that are here already.")
    whole.update(whole_of(wanted.folder, doubtful, on_read=_unheard))
    for file in doubtful:
        if file.path not in whole:
            (wanted.folder / file.path).unlink(missing_ok=True)
    return whole


def _with_others(wanted: tuple[PulledRepository, ...], known: Pulled) -> tuple[PulledRepository, ...]:
    """Keep what another model has in the same folder, of the same commits or of other repositories."""
    names = {(each.name, each.folder) for each in wanted}
    kept = {(each.name, each.folder, each.commit): each.files for each in known.repositories}
    merged = []
    for each in wanted:
        paths = {file.path for file in each.files}
        others = [file for file in kept.get((each.name, each.folder, each.commit), ()) if file.path not in paths]
        merged.append(replace(each, files=(*each.files, *others)))
    return (*merged, *(each for each in known.repositories if (each.name, each.folder) not in names))


def _refuse_full_disk(wanted: Pull, whole: dict[str, tuple[int, int]]) -> None:
    files = (each for repository in wanted.repositories for each in repository.files)
    needed = sum(each.size_bytes for each in files if each.path not in whole)
    free = free_bytes(wanted.folder)
    if needed and needed + LEFT_FREE_BYTES > free:
        raise CannotPull(
            f"The disk of {wanted.folder} has {free / 1e9:.1f} GB free, and {needed / 1e9:.1f} GB are to be downloaded."
        )


def _download(hub: Any, folder: Path, repository: PulledRepository) -> None:
    # By their names, which are patterns as well: what is in brackets stands for itself.
    base = PurePosixPath(repository.folder)
    names = [PurePosixPath(each.path).relative_to(base).as_posix() for each in repository.files]
    hub.snapshot_download(
        repository.name,
        revision=repository.commit,
        allow_patterns=[re.sub(r"([*?[])", r"[\1]", name) for name in names],
        local_dir=folder / repository.folder,
        max_workers=DOWNLOADS,
    )


def _refuse_broken(folder: Path, repository: PulledRepository, whole: dict[str, tuple[int, int]]) -> None:
    broken = [each.path for each in repository.files if each.path not in whole]
    there = [path for path in broken if size_of(folder / path) >= 0]
    for path in there:
        (folder / path).unlink(missing_ok=True)
    if there:
        raise CannotPull(
            f"{len(there)} files of {repository.name} are not what the hub says they are, such as {there[0]}, and were "
            "removed. Pull again; if it stays so, do not use them."
        )
    if broken:
        raise CannotPull(f"{len(broken)} files of {repository.name} did not come, such as {broken[0]}: pull again.")


@contextmanager
def _hub_errors_as_sentences(name: str) -> Iterator[None]:
    try:
        yield
    except CannotPull:
        raise
    except Exception as error:  # boundary: errors of the hub's HTTP library and of its Rust part come through it
        raise CannotPull(_sentence(error, name)) from error


def _sentence(error: BaseException, name: str) -> str:  # tidy: one line for each thing that happens
    from huggingface_hub import constants, errors

    page = f"{constants.ENDPOINT}/{name}"
    chain = _chain(error)
    response = next((each.response for each in chain if isinstance(each, errors.HfHubHTTPError)), None)
    status = getattr(response, "status_code", 0)
    kinds = {kind.__name__ for each in chain for kind in type(each).__mro__}
    if any(isinstance(each, OSError) and each.errno == errno.ENOSPC for each in chain) or "No space left" in str(error):
        return "The disk is full. Make room and pull again: files that are whole stay."
    if "GatedRepoError" in kinds or status == 403:
        return (
            f"The hub gives {name} only to accounts that accepted its conditions ({status}): accept them at {page}, "
            "log in with `hf auth login`, then pull again."
        )
    if "RevisionNotFoundError" in kinds:
        return (
            f"{name} has the wanted commit no more: --newest takes another where the catalogue names none, else a "
            "recipe of your own can."
        )
    if "DisabledRepoError" in kinds:
        return f"{name} was disabled by the hub."
    if "RepositoryNotFoundError" in kinds:
        return f"There is no repository {name} at {constants.ENDPOINT}, or it is not for this account ({status})."
    if status == 401:
        return f"The hub does not know the account's token ({status}): `hf auth login` with a new one."
    if "OfflineModeIsEnabled" in kinds:
        return "The hub's library is told to stay offline: unset HF_HUB_OFFLINE to pull."
    if status:
        return f"The hub answers {status} for {name}: pull again later. Files that are whole stay."
    # The names, not the classes: which HTTP library there is depends on the version of the hub's.
    if kinds & {"TransportError", "ConnectionError", "TimeoutError", "LocalEntryNotFoundError"}:
        return (
            f"{constants.ENDPOINT} cannot be reached, or broke off: look at the network, then pull again. Files that "
            "are whole stay."
        )
    first = next(iter(str(error).strip().splitlines()), "")
    return f"{name} could not be pulled: {first or type(error).__name__}"


def _chain(error: BaseException) -> list[BaseException]:
    """Return the error and what it came from, nearest first."""
    found: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and at not in found:
        found.append(at)
        at = at.__cause__ or at.__context__
    return found
