"""The parts of the API's description that belong to no dialect: quotes, changes of films, result files, health."""

from typing import Any

from understudy.dialects.openai_request import VideoChange
from understudy.dialects.quote_body import QuoteBody
from understudy.server.archive import ArchiveBody
from understudy.server.callbacks import CALLBACK_BODIES, CallbackResend
from understudy.server.cancel import CancelBody
from understudy.server.openapi_schemas import OWN, Schema, own_schemas, reference
from understudy.server.watch import OutlookBody
from understudy.service.idempotency import HEADER, KEY_CHARS_MAX

JSON_TYPE = "application/json"
SERVER_TAG = {"name": "server", "description": "Result files, and what operators and load balancers ask."}


OWN_BODIES = (QuoteBody, ArchiveBody, CancelBody, OutlookBody, *CALLBACK_BODIES)
CHANGE_BODY = VideoChange


def header(name: str) -> Schema:
    """Point to a header that several answers carry."""
    return {"$ref": f"#/components/headers/{name}"}


def answer(says: str, content: Schema, *, headers: tuple[str, ...] = ()) -> Schema:
    """Return an answer. headers: those beside the request's id."""
    return {
        "description": says,
        "headers": {name: header(name) for name in ("X-Request-Id", *headers)},
        "content": content,
    }


def parameter(name: str, schema: Schema, says: str, *, place: str = "query") -> Schema:
    """Return a parameter that may be left out."""
    return {"name": name, "in": place, "description": says, "schema": schema}


def own_components() -> dict[str, Schema]:
    """Return the schemas of this server's own bodies, by name: "server.QuoteBody" and kin."""
    return own_schemas(OWN_BODIES) | own_schemas([CHANGE_BODY, CallbackResend], is_asked=True)


def change_schema(required: tuple[str, ...]) -> Schema:
    """Return the schema of a request that changes a film and cannot do without these fields."""
    return {**reference(OWN, CHANGE_BODY), "required": list(required)}


HEADERS: Schema = {
    "X-Request-Id": {"description": "The request's id, under which it is logged.", "schema": {"type": "string"}},
    "X-Understudy-Warnings": {
        "description": "What was dropped, rewritten or has no effect: a JSON list of {param, message}.",
        "schema": {"type": "string"},
    },
    "Accept-Ranges": {"description": "Parts can be asked for.", "schema": {"type": "string", "const": "bytes"}},
    "Content-Range": {"description": "Which part it is, of how many bytes.", "schema": {"type": "string"}},
}
PARAMETERS: Schema = {
    "task_id": {
        "name": "task_id",
        "in": "path",
        "required": True,
        "description": "The task's id, in the spelling of any dialect.",
        "schema": {"type": "string"},
    },
    "strict": parameter(
        "X-Understudy-Strict", {"type": "boolean"}, "Whether what would only be warned of is refused.", place="header"
    ),
    "idempotency_key": parameter(
        HEADER,
        {"type": "string", "minLength": 1, "maxLength": KEY_CHARS_MAX},
        "Requests with the same one are one request, answered as the first was.",
        place="header",
    ),
    "range": parameter("Range", {"type": "string"}, "Which bytes are wanted, as `bytes=0-1023`.", place="header"),
}
_BINARY: Schema = {"schema": {"type": "string", "format": "binary"}}
FILE_TYPES: Schema = dict.fromkeys(("video/mp4", "video/quicktime", "image/png", "image/jpeg", "image/webp"), _BINARY)
_ANY_OBJECT: Schema = {JSON_TYPE: {"schema": {"type": "object"}}}
DOWNLOAD = parameter("download", {"type": "boolean"}, "Whether browsers save the file rather than show it.")
PARTS_OF_A_FILE: Schema = {
    "206": answer("The part that the header Range asks for.", FILE_TYPES, headers=("Accept-Ranges", "Content-Range")),
    "304": {"description": "The copy that the header If-None-Match names is still good."},
    "412": answer("The file is not the version that the header If-Match names.", _ANY_OBJECT),
    "416": answer("The part lies outside the file.", _ANY_OBJECT),
}


def _open(operation: str, summary: str, responses: Schema, *, parameters: tuple[Schema, ...] = ()) -> Schema:
    found: Schema = {"tags": [SERVER_TAG["name"]], "summary": summary, "operationId": operation, "security": []}
    return {"get": {**found, "parameters": list(parameters), "responses": responses}}


def _keyed(operation: str, summary: str, responses: Schema, *, parameters: tuple[Schema, ...] = ()) -> Schema:
    """Describe a get that needs a key, which the document asks for unless told otherwise."""
    found = _open(operation, summary, responses, parameters=parameters)
    found["get"].pop("security")
    return found


def _changing(operation: str, summary: str, method: str, *, told: type = ArchiveBody) -> Schema:
    """Describe a change of a task that has no body and answers with what holds now, or that its state forbids it."""
    responses = {
        "200": answer("What holds now.", {JSON_TYPE: {"schema": reference(OWN, told)}}),
        **{status: {"$ref": f"#/components/responses/ark.{status}"} for status in ("400", "401", "404", "409", "503")},
    }
    found = {"tags": [SERVER_TAG["name"]], "summary": summary, "operationId": operation, "responses": responses}
    return {method: {**found, "parameters": [{"$ref": "#/components/parameters/task_id"}]}}


def _in_link(name: str, place: str, says: str) -> Schema:
    return {**parameter(name, {"type": "string"}, says, place=place), "required": True}


OWN_PATHS: dict[str, Any] = {
    "/files/{attempt}/{name}": _open(
        "getFile",
        "Get a result file, whole or in part; the address itself is the key",
        {
            "200": answer("The file.", FILE_TYPES, headers=("Accept-Ranges",)),
            **PARTS_OF_A_FILE,
            "403": {"$ref": "#/components/responses/ark.403"},
            "404": {"$ref": "#/components/responses/ark.404"},
        },
        parameters=(
            _in_link("attempt", "path", "The attempt that made it."),
            _in_link("name", "path", "The file's name."),
            parameter("expires", {"type": "string"}, "Until when the address is good, in seconds since 1970."),
            DOWNLOAD,
            _in_link("signature", "query", "What makes the address genuine."),
            {"$ref": "#/components/parameters/range"},
        ),
    ),
    "/": _open(
        "getWelcome",
        "Say what this server is; people are sent to the page",
        {"200": answer("Where everything is.", _ANY_OBJECT), "302": answer("The page of the API.", {})},
    ),
    "/v1/models": _keyed(
        "listModels", "List every name of every model", {"200": answer("OpenAI's list.", _ANY_OBJECT)}
    ),
    "/v1/models/{name}": _keyed(
        "getModel",
        "Get a model by any of its names",
        {
            "200": answer("OpenAI's model.", _ANY_OBJECT),
            "404": {"$ref": "#/components/responses/openai.404"},
        },
        parameters=(_in_link("name", "path", "An id or an alias."),),
    ),
    "/v1/tasks/{task_id}/archive": {
        **_changing("archiveTask", "Keep a task and its files for good", "post"),
        **_changing("unarchiveTask", "Keep a task and its files no longer than others", "delete"),
    },
    "/understudy/v1/tasks/{task_id}/cancel": _changing(
        "cancelTask", "Stop a task that is queued or running", "post", told=CancelBody
    ),
    "/healthz": _open("getHealth", "Say whether the process is alive", {"200": answer("It is.", _ANY_OBJECT)}),
    "/readyz": _open(
        "getReadiness",
        "Say whether tasks would be rendered now",
        {"200": answer("They would.", _ANY_OBJECT), "503": answer("They would not.", _ANY_OBJECT)},
    ),
    "/openapi.json": _open("getDescription", "Get this document", {"200": answer("This document.", _ANY_OBJECT)}),
}
