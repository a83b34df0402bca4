"""The callbacks in the API's description: what a target is sent, and the routes that show, repeat and check it."""

from typing import Any

from understudy.dialects.webhook_signature import ID, SIGNATURE, TIMESTAMP
from understudy.net.webhooks import ABOUT
from understudy.server.callbacks import (
    LOG_PATH,
    RESEND_PATH,
    SECRET_PATH,
    CallbackDeliveries,
    CallbackResend,
    CallbackResent,
    CallbackSecret,
)
from understudy.server.openapi_own import JSON_TYPE, SERVER_TAG, answer, parameter
from understudy.server.openapi_schemas import OWN, Schema, reference


def _operation(operation: str, summary: str, told: type, *, statuses: tuple[str, ...]) -> Schema:
    return {
        "tags": [SERVER_TAG["name"]],
        "summary": summary,
        "operationId": operation,
        "parameters": [{"$ref": "#/components/parameters/task_id"}] if "404" in statuses else [],
        "responses": {
            "200": answer("What there is.", {JSON_TYPE: {"schema": reference(OWN, told)}}),
            **{status: {"$ref": f"#/components/responses/ark.{status}"} for status in statuses},
        },
    }


CALLBACK_PATHS: dict[str, Any] = {
    LOG_PATH: {
        "get": _operation(
            "listCallbacks",
            "Show what was told of a task to its callback_url, and what became of it",
            CallbackDeliveries,
            statuses=("401", "404", "503"),
        )
    },
    RESEND_PATH: {
        "post": {
            **_operation(
                "resendCallback",
                "Tell a change of a task again, the latest by default",
                CallbackResent,
                statuses=("400", "401", "404", "503"),
            ),
            "requestBody": {"required": False, "content": {JSON_TYPE: {"schema": reference(OWN, CallbackResend)}}},
        }
    },
    SECRET_PATH: {
        "get": _operation(
            "getCallbackSecret",
            "Get what the signatures of callbacks are checked with",
            CallbackSecret,
            statuses=("401", "503"),
        )
    },
}

_HEADERS = {
    ID: "The change's id: the same at every try.",
    TIMESTAMP: "When this try was made, in seconds since 1970.",
    SIGNATURE: "`v1,` and HMAC-SHA256 of id, timestamp and body in base64, as Standard Webhooks has it.",
    ABOUT: "The task's id without a dialect's prefix, the number of the change, and the number of the try.",
}
WEBHOOKS: dict[str, Any] = {
    "taskChanged": {
        "post": {
            "tags": [SERVER_TAG["name"]],
            "summary": "A task is queued, running, succeeded, failed or expired",
            "description": "Sent to the task's `callback_url`. The body is what a get of the task answers, in the "
            "dialect that it was created in.",
            "operationId": "taskChanged",
            "security": [],
            "parameters": [
                parameter(name, {"type": "string"}, says, place="header") for name, says in _HEADERS.items()
            ],
            "requestBody": {"required": True, "content": {JSON_TYPE: {"schema": {"type": "object"}}}},
            "responses": {"2XX": {"description": "It is taken. Anything else, or no answer in time, is tried again."}},
        }
    }
}
