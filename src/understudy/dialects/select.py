"""Which dialect is meant: one table of paths, one pure function for requests and one for answers.

A path that several dialects share names all of them, its first owner first. A request is told apart by its body; an
answer is in the dialect that created the task, if that one owns the path. Below a mount (``/amux/...``) only that
mount's dialects are meant. Source of the paths: the seeds; contract notes of new-api and OpenAI's SDK.
"""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from enum import StrEnum

MOUNTS: Mapping[str, tuple[str, ...]] = {
    "ark": ("ark",),
    "amux": ("amux", "amux-native"),
    "newapi": ("newapi",),
    "octopus": ("octopus",),
    "apimart": ("apimart",),
    "apiyi": ("apiyi",),
    "openai": ("openai",),
}
"""What a client can name, in a path, a setting or a header -> its codecs, the one that answers first."""


class Operation(StrEnum):
    """What is done at a door."""

    CREATE = "create"
    QUOTE = "quote"
    GET = "get"
    EVENTS = "events"
    LIST = "list"
    DELETE = "delete"
    CONTENT = "content"
    REMIX = "remix"
    EDIT = "edit"
    EXTEND = "extend"


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A method at a path. dialects: the codecs that meet here, the path's first owner first. mounts: where else."""

    method: str
    path: str
    operation: Operation
    dialects: tuple[str, ...]
    mounts: tuple[str, ...]


ARK_TASKS = "/api/v3/contents/generations/tasks"
_UNIVERSAL = ("amux", "newapi", "octopus")
_VIDEOS = ("openai", *_UNIVERSAL)
_QUOTE, _EVENTS = "/quote", "/events"


def _doors() -> Iterator[Door]:
    # Method, path, operation, dialects, mounts: where two paths overlap, the plain one stands before the variable one.
    ark, apiyi, apimart, openai = ("ark",), ("apiyi",), ("apimart",), ("openai",)
    native = ("ark", "amux-native", "amux")
    rows: tuple[tuple[str, str, Operation, tuple[str, ...], tuple[str, ...]], ...] = (
        ("POST", ARK_TASKS, Operation.CREATE, native, ("ark", "amux")),
        ("GET", ARK_TASKS, Operation.LIST, ark, ark),
        ("GET", f"{ARK_TASKS}/{{task_id}}", Operation.GET, native[:2], ("ark", "amux")),
        ("DELETE", f"{ARK_TASKS}/{{task_id}}", Operation.DELETE, ark, ark),
        ("POST", f"/seedance{ARK_TASKS}", Operation.CREATE, apiyi, apiyi),
        ("GET", f"/seedance{ARK_TASKS}/{{task_id}}", Operation.GET, apiyi, apiyi),
        ("POST", "/v1/video/generations", Operation.CREATE, _UNIVERSAL, _UNIVERSAL),
        ("GET", "/v1/video/generations/{task_id}", Operation.GET, _UNIVERSAL, _UNIVERSAL),
        ("POST", "/v1/videos/generations", Operation.CREATE, apimart, apimart),
        ("GET", "/v1/tasks/{task_id}", Operation.GET, apimart, apimart),
        ("POST", "/v1/videos/edits", Operation.EDIT, openai, openai),
        ("POST", "/v1/videos/extensions", Operation.EXTEND, openai, openai),
        ("POST", "/v1/videos", Operation.CREATE, _VIDEOS, _VIDEOS),
        ("GET", "/v1/videos", Operation.LIST, openai, openai),
        ("GET", "/v1/videos/{task_id}/content", Operation.CONTENT, openai, _VIDEOS),
        ("POST", "/v1/videos/{task_id}/remix", Operation.REMIX, openai, ("openai", "newapi")),
        ("GET", "/v1/videos/{task_id}", Operation.GET, openai, _VIDEOS),
        ("DELETE", "/v1/videos/{task_id}", Operation.DELETE, openai, openai),
    )
    for method, path, operation, dialects, mounts in rows:
        yield Door(method=method, path=path, operation=operation, dialects=dialects, mounts=mounts)
        if operation is Operation.CREATE:
            quote = f"{path}{_QUOTE}"
            yield Door(method=method, path=quote, operation=Operation.QUOTE, dialects=dialects, mounts=mounts)
        if operation is Operation.GET:
            events = f"{path}{_EVENTS}"
            yield Door(method=method, path=events, operation=Operation.EVENTS, dialects=dialects, mounts=mounts)


DOORS: tuple[Door, ...] = tuple(_doors())
"""Every path of every dialect, unmounted."""


def mounted_doors() -> Iterator[Door]:
    """Yield every door there is: the unmounted ones, then those below each mount, for that mount's dialects alone.

    A door that belongs to none of the mount's own codecs keeps its dialects: new-api's clients read
    ``/v1/videos/{task_id}``, which OpenAI's codec answers for all.
    """
    yield from DOORS
    for mount, own in MOUNTS.items():
        for door in DOORS:
            if mount in door.mounts:
                path = f"/{mount}{door.path}"
                dialects = _among(door.dialects, own) or door.dialects
                yield Door(
                    method=door.method, path=path, operation=door.operation, dialects=dialects, mounts=door.mounts
                )


_ONLY_UNIVERSAL = frozenset({"image", "images", "mode", "width", "height", "fps", "n", "response_format"})
_MORE_UNIVERSAL = frozenset({"metadata", "duration", "content"})
_ONLY_OPENAI = frozenset({"size", "seconds", "input_reference"})
"""Fields by which new-api's and amux's requests and OpenAI's are told apart.

The second are in OpenAI's requests too, where its SDK is given extra fields: then one of the third stands beside them.
"""


def _is_openai(keys: Set[str]) -> bool:
    if keys & _ONLY_UNIVERSAL:
        return False
    return not keys & _MORE_UNIVERSAL or bool(keys & _ONLY_OPENAI)


def _has_content_only(keys: Set[str]) -> bool:
    return "content" in keys and "prompt" not in keys


_FITS = {
    "amux-native": _has_content_only,
    "octopus": _has_content_only,
    "amux": lambda keys: not _has_content_only(keys),
    "newapi": lambda keys: not _has_content_only(keys),
    "openai": _is_openai,
}
"""Dialect -> whether a body with these keys can be its; a dialect that is not named takes any body.

Source: seed 000, Path A: native when the body contains ``content`` and does not contain ``prompt``.
"""


def narrowed(dialects: tuple[str, ...], *, named: str | None, preferred: str | None) -> tuple[str, ...]:
    """Return who can be meant at a door. named: a mount that the caller names, which overrides the path.

    preferred: a mount that is meant where the path leaves it open. Both are keys of `MOUNTS`.
    """
    if named is not None:
        return _among(dialects, MOUNTS[named]) or MOUNTS[named]
    if preferred is not None:
        return _among(dialects, MOUNTS[preferred]) or dialects
    return dialects


def dialect_of_request(dialects: tuple[str, ...], keys: Set[str]) -> str:
    """Return the dialect of a request: the first whose form the body's keys fit, else the first."""
    for dialect in dialects:
        fits = _FITS.get(dialect)
        if fits is None or fits(keys):
            return dialect
    return dialects[0]


def dialect_of_answer(dialects: tuple[str, ...], created_in: str) -> str:
    """Return the dialect of an answer: the one the task was created in if it is among them, else the first."""
    return created_in if created_in in dialects else dialects[0]


def _among(dialects: tuple[str, ...], own: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dialect for dialect in dialects if dialect in own)
