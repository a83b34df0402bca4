"""The description of the whole API as one OpenAPI 3.1 document, made of the codecs and the table of doors.

Nothing here is written twice: bodies come from the codecs' structs, limits from the catalogue, examples and the HTTP
statuses of errors from the codecs themselves. The document is the same for the same code, to the byte.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from understudy.core.errors import CODES
from understudy.core.model_spec import ModelSpec, Span
from understudy.core.task import Status
from understudy.dialects.codec import Codec
from understudy.dialects.select import MOUNTS, Door, Operation
from understudy.server.openapi_assets import ASSETS_TAG, asset_components, asset_paths, control_plane_at_the_root
from understudy.server.openapi_callbacks import CALLBACK_PATHS, WEBHOOKS
from understudy.server.openapi_own import (
    DOWNLOAD,
    FILE_TYPES,
    HEADERS,
    JSON_TYPE,
    OWN_PATHS,
    PARAMETERS,
    PARTS_OF_A_FILE,
    SERVER_TAG,
    answer,
    change_schema,
    own_components,
    parameter,
)
from understudy.server.openapi_samples import (
    error_statuses,
    sample_created,
    sample_error,
    sample_request,
    sample_task,
)
from understudy.server.openapi_schemas import Schema, either, error_reference, reference, schemas
from understudy.server.openapi_watching import (
    ETA_HEADER,
    EVENT_TYPES,
    EVENTS_SAY,
    LAST_EVENT,
    POSITION_HEADER,
    PREFER,
    WAIT,
    WATCHING_HEADERS,
    WATCHING_PATHS,
)

FORM_TYPE = "multipart/form-data"
WARNINGS_HEADER = "X-Understudy-Warnings"
DIALECT_HEADER = "X-Understudy-Dialect"
_ABOUT = """One server, many dialects: the same task can be created in one and read in another.

Each dialect answers at the paths of its own documentation, so that a client changes its base URL and its key, nothing
else; and again below a mount of its own (`/ark`, `/amux` ...), where nothing is ambiguous. At a path that several
share, a request is told apart by its body, an answer is in the dialect that created the task; the header
`X-Understudy-Dialect` overrides both. Null means absent; in all dialects but those of Ark's form, numbers and booleans
may come as text. Keys that a dialect does not have are ignored, and told in `warnings` and in the header
`X-Understudy-Warnings`; `X-Understudy-Strict: true` turns them into errors."""
_DOES: Mapping[Operation, str] = {
    Operation.CREATE: "Create a task",
    Operation.QUOTE: "Say what a request would come to, without creating anything",
    Operation.GET: "Get a task, at once or when its status changes",
    Operation.EVENTS: "Stream a task's events until it has ended",
    Operation.LIST: "List tasks",
    Operation.DELETE: "Cancel a queued task, or delete the record of an ended one",
    Operation.CONTENT: "Get the bytes of a film, or pictures of it",
    Operation.REMIX: "Make another film of the same kind, with another prompt",
    Operation.EDIT: "Make a changed film of a film",
    Operation.EXTEND: "Make a film that goes on where a film ends",
}
_CHANGES: Mapping[Operation, tuple[str, ...]] = {
    Operation.REMIX: ("prompt",),
    Operation.EDIT: ("prompt", "video"),
    Operation.EXTEND: ("prompt", "video"),
}
"""What requests that change a film cannot do without."""
_MAKING = frozenset({Operation.CREATE, Operation.REMIX, Operation.EDIT, Operation.EXTEND})
_WITH_BODY = _MAKING | {Operation.QUOTE}
_NO_OPERATION = ("NotFound.Path", "NotFound.File", "InvalidAction.MethodNotAllowed", "AccessDenied")
"""What is met at other paths than those of tasks."""
_ONLY_AT: Mapping[str, frozenset[Operation]] = {
    "InvalidAction.RunningTaskDeletion": frozenset({Operation.DELETE}),
    "InvalidAction.CancelledTaskDeletion": frozenset({Operation.DELETE}),
    "InvalidAction.TaskNotCompleted": frozenset({Operation.CONTENT}),
    "InvalidParameter": frozenset(Operation),
    "AuthenticationError": frozenset(Operation),
    "NotFound.TaskId": frozenset(
        {
            *(Operation.GET, Operation.EVENTS, Operation.DELETE, Operation.CONTENT),
            *(Operation.REMIX, Operation.EDIT, Operation.EXTEND),
        }
    ),
    "QuotaExceeded": _WITH_BODY | {Operation.GET, Operation.EVENTS},
    "ServerOverloaded": _WITH_BODY | {Operation.GET, Operation.EVENTS},
    "InternalServiceError": frozenset(Operation),
    "ServiceUnavailable": frozenset(Operation),
}
"""Code -> where it can be met; a code that is not named is met where a request is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Book:
    """What a document is made of. statuses: dialect -> code -> HTTP status. model: the one of the examples."""

    codecs: Mapping[str, Codec]
    statuses: Mapping[str, Mapping[str, int]]
    model: ModelSpec


def openapi(
    doors: Iterable[Door], codecs: Mapping[str, Codec], *, models: Sequence[ModelSpec], version: str
) -> dict[str, Any]:
    """Return the document. doors: mounted ones included; dialects without a codec are left out.

    models: each once, that of the examples first.
    """
    book = _Book(
        codecs=codecs,
        statuses={name: error_statuses(codec) for name, codec in codecs.items()},
        model=models[0],
    )
    described = [door for door in doors if any(name in codecs for name in door.dialects)]
    paths: dict[str, dict[str, Any]] = {}
    for door in described:
        paths.setdefault(door.path, {})[door.method.lower()] = _operation(door, book)
    tags = dict.fromkeys(_tag(door) for door in described)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Understudy",
            "version": version,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": ".", "description": "This server"}],
        "security": [{"key": []}],
        "tags": [*({"name": name, "description": _about_tag(name)} for name in tags), ASSETS_TAG, SERVER_TAG],
        "paths": {
            **paths,
            **asset_paths(),
            **OWN_PATHS,
            **CALLBACK_PATHS,
            **WATCHING_PATHS,
            "/": {**OWN_PATHS["/"], "post": control_plane_at_the_root()},
        },
        "webhooks": WEBHOOKS,
        "components": _components(book, models),
    }


def _tag(door: Door) -> str:
    first = door.path.split("/")[1]
    return f"/{first}" if first in MOUNTS else door.dialects[0]


def _about_tag(name: str) -> str:
    if name.startswith("/"):
        return f"The same paths below `{name}`, where no other dialect is meant."
    return f"The paths whose first owner is the dialect `{name}`."


def _operation(door: Door, book: _Book) -> dict[str, Any]:
    codecs = [book.codecs[name] for name in door.dialects if name in book.codecs]
    names = " or ".join(f"`{codec.name}`" for codec in codecs)
    found: dict[str, Any] = {
        "tags": [_tag(door)],
        "summary": _DOES[door.operation],
        "description": f"In the dialect {names}." if len(codecs) == 1 else f"In one of the dialects {names}.",
        "operationId": _operation_id(door),
        "parameters": _parameters(door, codecs),
        "responses": _responses(door, codecs, book),
    }
    if door.operation in _WITH_BODY:
        found["requestBody"] = _request_body(door, codecs, book)
    return found


def _operation_id(door: Door) -> str:
    """Name an operation after method and path, as one word: "postApiV3ContentsGenerationsTasks"."""
    return door.method.lower() + "".join(word.capitalize() for word in re.findall(r"[a-z0-9]+", door.path))


def _parameters(door: Door, codecs: Sequence[Codec]) -> list[Schema]:
    found: list[Schema] = []
    if "{task_id}" in door.path:
        found.append({"$ref": "#/components/parameters/task_id"})
    for codec in codecs:
        found += [each for each in _queries(door.operation, codec) if each not in found]
    if door.operation in _WITH_BODY:
        found.append({"$ref": "#/components/parameters/strict"})
    if door.operation in _MAKING:
        found.append({"$ref": "#/components/parameters/idempotency_key"})
    meant = [mount for mount, own in MOUNTS.items() if set(own) & {codec.name for codec in codecs}]
    if len(meant) > 1:
        says = "Which of the dialects that meet here is meant."
        found.append(parameter(DIALECT_HEADER, {"type": "string", "enum": meant}, says, place="header"))
    return found


def _queries(operation: Operation, codec: Codec) -> list[Schema]:
    """Return the parameters of the query that a dialect reads at an operation."""
    profile = codec.profile
    if operation is Operation.CONTENT:
        choice = {"type": "string", "enum": ["video", "thumbnail", "spritesheet"], "default": "video"}
        return [parameter("variant", choice, "The film itself, one picture of it, or a sheet of small ones."), DOWNLOAD]
    if operation is Operation.GET:
        return [WAIT, PREFER]
    if operation is Operation.EVENTS:
        return [LAST_EVENT]
    if operation is not Operation.LIST:
        return []
    if profile.family != "ark":
        order = {"type": "string", "enum": ["asc", "desc"], "default": "desc"}
        return [
            parameter("after", {"type": "string"}, "The id of the last task of the page before."),
            parameter("limit", _between(profile.page_size, default=profile.page_size_default), "Tasks per page."),
            parameter("order", order, "By time of creation: oldest or newest first."),
        ]
    ids = {"type": "array", "items": {"type": "string"}, "maxItems": profile.filter_task_ids_max}
    statuses = {"type": "string", "enum": [str(status) for status in Status]}
    tier = {"type": "string", "default": profile.list_service_tier_default}
    return [
        parameter("page_num", _between(profile.page_num, default=1), "Which page, from 1."),
        parameter("page_size", _between(profile.page_size, default=profile.page_size_default), "Tasks per page."),
        parameter("filter.status", statuses, "Only tasks of this status."),
        parameter(
            "filter.task_ids", ids, "Only these tasks; the parameter is repeated, or holds several ids between commas."
        ),
        parameter("filter.model", {"type": "string"}, "Only tasks of this model."),
        parameter("filter.service_tier", tier, "Only tasks of this tier."),
    ]


def _between(span: Span, *, default: int) -> Schema:
    return {"type": "integer", "minimum": span.least, "maximum": span.most, "default": default}


def _request_body(door: Door, codecs: Sequence[Codec], book: _Book) -> Schema:
    change = _CHANGES.get(door.operation)
    if change:
        schema = change_schema(change)
        examples: Schema = {}
    else:
        schema = either([reference(codec.name, codec.shapes.request) for codec in codecs])
        examples = {codec.name: {"value": sample_request(codec, book.model)} for codec in codecs}
    content: Schema = {JSON_TYPE: {"schema": schema, **({"examples": examples} if examples else {})}}
    takers = [codec for codec in codecs if codec.profile.takes_forms]
    if takers:
        form = schema if change else either([reference(codec.name, codec.shapes.request) for codec in takers])
        content[FORM_TYPE] = {"schema": form}
    return {"required": True, "content": content}


def _responses(door: Door, codecs: Sequence[Codec], book: _Book) -> dict[str, Any]:
    answers: dict[str, Any] = {"200": _success(door.operation, codecs, book)}
    by_status: dict[int, list[Codec]] = {}
    for codec in codecs:
        for code, status in book.statuses[codec.name].items():
            owners = by_status.setdefault(status, []) if _is_met(code, door.operation) else []
            if codec not in owners:
                owners.append(codec)
    if door.operation is Operation.CONTENT:
        answers |= PARTS_OF_A_FILE
    if door.operation is Operation.EVENTS:
        answers["204"] = {"description": "The last event that was seen is the end: nothing follows."}
    for status, owners in sorted(by_status.items()):
        if len(owners) == 1:
            answers[str(status)] = {"$ref": f"#/components/responses/{owners[0].name}.{status}"}
            continue
        schema = either([error_reference(codec) for codec in owners])
        said = _says(owners, status, book, operation=door.operation)
        answers[str(status)] = answer(said, {JSON_TYPE: {"schema": schema}})
    return answers


def _is_met(code: str, operation: Operation) -> bool:
    if code in _NO_OPERATION:
        return False
    return operation in _ONLY_AT.get(code, _WITH_BODY)


def _says(codecs: Sequence[Codec], status: int, book: _Book, *, operation: Operation | None = None) -> str:
    codes = [code for codec in codecs for code, found in book.statuses[codec.name].items() if found == status]
    met = dict.fromkeys(code for code in codes if operation is None or _is_met(code, operation))
    return "What is wrong: " + ", ".join(f"`{code}`" for code in met) + "."


def _success(operation: Operation, codecs: Sequence[Codec], book: _Book) -> Schema:
    if operation is Operation.CONTENT:
        return answer("The bytes.", FILE_TYPES, headers=("Accept-Ranges",))
    if operation is Operation.EVENTS:
        return answer(EVENTS_SAY, EVENT_TYPES)
    if operation is Operation.QUOTE:
        return answer(
            "What it would come to.", {JSON_TYPE: {"schema": {"$ref": "#/components/schemas/server.QuoteBody"}}}
        )
    if operation is Operation.DELETE:
        return answer("It is done.", {JSON_TYPE: {"schema": {"type": "object"}}})
    if operation is Operation.LIST:
        pages = [reference(codec.name, codec.shapes.page) for codec in codecs if codec.shapes.page is not None]
        return answer("A page of tasks.", {JSON_TYPE: {"schema": either(pages)}})
    if operation is Operation.GET:
        schema = either([reference(codec.name, codec.shapes.task) for codec in codecs])
        examples = {codec.name: {"value": sample_task(codec, book.model)} for codec in codecs}
        content = {JSON_TYPE: {"schema": schema, "examples": examples}}
        return answer("The task.", content, headers=(POSITION_HEADER, ETA_HEADER))
    schema = either([reference(codec.name, codec.shapes.created) for codec in codecs])
    examples = {codec.name: {"value": sample_created(codec, book.model)} for codec in codecs}
    content = {JSON_TYPE: {"schema": schema, "examples": examples}}
    return answer("The task is stored.", content, headers=(WARNINGS_HEADER,))


def _components(book: _Book, models: Sequence[ModelSpec]) -> dict[str, Any]:
    bodies: dict[str, Schema] = {}
    responses: dict[str, Schema] = {}
    for name, codec in book.codecs.items():
        bodies |= schemas(codec, models)
        for status in sorted(set(book.statuses[name].values())):
            codes = [code for code in CODES if book.statuses[name][code] == status]
            examples = {code: {"value": sample_error(codec, code)} for code in codes}
            content = {JSON_TYPE: {"schema": error_reference(codec), "examples": examples}}
            responses[f"{name}.{status}"] = answer(_says((codec,), status, book), content)
    return {
        "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "An API key of this server."}},
        "parameters": PARAMETERS,
        "headers": {**HEADERS, **WATCHING_HEADERS},
        "responses": responses,
        "schemas": {**bodies, **asset_components(), **own_components()},
    }
