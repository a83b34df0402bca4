"""The parts of the API's description that are about watching tasks: waiting polls, events, prospects."""

from typing import Any

from understudy.server.openapi_own import JSON_TYPE, SERVER_TAG, answer, parameter
from understudy.server.openapi_schemas import OWN, Schema, reference
from understudy.server.watch import OUTLOOK_PATH, WAIT_S_MOST, OutlookBody

POSITION_HEADER, ETA_HEADER = "X-Understudy-Queue-Position", "X-Understudy-Eta-S"
WATCHING_HEADERS: Schema = {
    POSITION_HEADER: {
        "description": "Of a queued task: 1 = the next to be begun; `>1000` = behind more than a thousand.",
        "schema": {"type": "string"},
    },
    ETA_HEADER: {
        "description": "Seconds until its film should be there, learned from films like it; absent if not known.",
        "schema": {"type": "integer"},
    },
}
WAIT = parameter(
    "wait",
    {"type": "number", "minimum": 0, "maximum": WAIT_S_MOST},
    "Seconds that the answer may wait for the task's status to change; at once where it has ended.",
)
PREFER = parameter("Prefer", {"type": "string"}, "`wait=30` as in the query, up to its maximum.", place="header")
LAST_EVENT = parameter(
    "Last-Event-ID", {"type": "integer"}, "The id of the last event that was seen; only news follow.", place="header"
)
EVENT_TYPES: Schema = {"text/event-stream": {"schema": {"type": "string"}}}
EVENTS_SAY = (
    "Events named `status`, `progress` and, the last one, `end`, each with the task as its get shows it; "
    "`outlook` with its place in the queue; `gone` with the error when its record was removed."
)
WATCHING_PATHS: dict[str, Any] = {
    OUTLOOK_PATH: {
        "get": {
            "tags": [SERVER_TAG["name"]],
            "summary": "Say what a task can expect: its place in the queue, and when its film should be there",
            "operationId": "getOutlook",
            "parameters": [{"$ref": "#/components/parameters/task_id"}],
            "responses": {
                "200": answer("What is known.", {JSON_TYPE: {"schema": reference(OWN, OutlookBody)}}),
                **{status: {"$ref": f"#/components/responses/ark.{status}"} for status in ("401", "404", "503")},
            },
        }
    }
}
