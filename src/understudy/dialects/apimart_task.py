"""APIMart's answer to a get: the wire structs and their translation, both ways.

Source: APIMart's page "Get Task Status". ``estimated_time`` is left out: this server does not know it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from understudy.core.errors import CODES
from understudy.core.task import Film, Status, Task, TaskError
from understudy.dialects.advice import Advice, advice_of, warned_of
from understudy.dialects.ark_task import Usage
from understudy.dialects.codec import Links, RemoteTask


class Video(msgspec.Struct, omit_defaults=True):
    """One result. url: addresses of the same file. expires_at: epoch seconds when they stop working; absent = never."""

    url: list[str]
    expires_at: int | None = None


class Result(msgspec.Struct, omit_defaults=True):
    """Where the results are. ``poster_url`` and ``contact_sheet_url`` are ours."""

    videos: list[Video]
    last_frame_url: str | None = None
    poster_url: str | None = None
    contact_sheet_url: str | None = None


class TaskFault(msgspec.Struct):
    """Why there is no film. code: the HTTP status of the error's kind, as in APIMart's other errors; reason: our word.

    A Go client reads ``code`` as a number and takes an answer with anything else there for no answer.
    """

    code: int
    message: str
    type: str
    reason: str


class TaskData(msgspec.Struct, omit_defaults=True):
    """A task. progress: percent. `completed` and `actual_time` (seconds) only when completed.

    `model`, `usage` and `warnings` are ours.
    """

    id: str
    status: str
    progress: int
    created: int
    completed: int | None = None
    actual_time: int | None = None
    result: Result | None = None
    error: TaskFault | None = None
    model: str | None = None
    usage: Usage | None = None
    warnings: list[Advice] | None = None


class TaskAnswer(msgspec.Struct):
    """The answer to a get."""

    code: int
    data: TaskData


OK = 200
SUBMITTED = "submitted"
_WORDS = {
    Status.QUEUED: "pending",
    Status.RUNNING: "processing",
    Status.SUCCEEDED: "completed",
    Status.FAILED: "failed",
    Status.EXPIRED: "failed",
    Status.CANCELLED: "cancelled",
}
_STATUSES = {SUBMITTED: Status.QUEUED} | {word: status for status, word in _WORDS.items() if status != Status.EXPIRED}
_EXPIRED = TaskError(code="expired", message="The task expired before it was finished.")
"""What tells an expired task from a failed one, for want of a status word."""
_SERVER_FAULT = 500


def task_data(task: Task, links: Links, wire_id: str) -> TaskData:
    """Say what a task is, in APIMart's words. wire_id: the task's id as the dialect spells it."""
    film, is_done = task.film, task.status is Status.SUCCEEDED
    data = TaskData(
        id=wire_id,
        status=_WORDS[task.status],
        progress=task.percent,
        created=int(task.created_at.timestamp()),
        model=task.request.model_shown,
    )
    if is_done:
        data.completed = int(task.updated_at.timestamp())
        data.actual_time = data.completed - data.created
    if film:
        data.result = _result(film, links)
    if task.error:
        data.error = _fault(task.error.code, task.error.message)
    if task.status is Status.EXPIRED:
        data.error = _fault(_EXPIRED.code, task.error.message if task.error else _EXPIRED.message)
    if task.completion_tokens is not None:
        data.usage = Usage(task.completion_tokens, task.completion_tokens)
    if task.warnings:
        data.warnings = advice_of(task.warnings)
    return data


def _fault(reason: str, message: str) -> TaskFault:
    kind = CODES.get(reason, CODES["InternalServiceError"])
    word = "server_error" if kind.status >= _SERVER_FAULT else "invalid_request_error"
    return TaskFault(code=kind.status, message=message, type=word, reason=reason)


def _result(film: Film, links: Links) -> Result:
    videos = [Video(url=[links.url(film.video_blob)], expires_at=links.expires_at_s)]
    last_frame = links.url(film.last_frame_blob) if film.last_frame_blob else None
    return Result(
        videos=videos,
        last_frame_url=last_frame,
        poster_url=links.url(film.still_blob("thumbnail")),
        contact_sheet_url=links.url(film.still_blob("spritesheet")),
    )


def remote_task(raw: dict[str, Any]) -> RemoteTask:
    """Read a task from the ``data`` of APIMart's answer."""
    result, progress = raw.get("result") or {}, raw.get("progress")
    status, error = _STATUSES[raw["status"]], _remote_error(raw.get("error"))
    if status is Status.FAILED and error and error.code == _EXPIRED.code:
        status = Status.EXPIRED
        error = None if error.message == _EXPIRED.message else error
    return RemoteTask(
        id=raw["id"],
        model=raw.get("model") or "",
        status=status,
        video_url=_first_url(result.get("videos") or ()),
        last_frame_url=result.get("last_frame_url"),
        completion_tokens=(raw.get("usage") or {}).get("completion_tokens"),
        error=error,
        progress=progress / 100 if progress is not None else None,
        warnings=warned_of(raw.get("warnings")),
        raw=raw,
    )


def _remote_error(raw: Any) -> TaskError | None:
    """Read why a task failed; its form is not documented, an object with ``message`` is what clients read."""
    if isinstance(raw, Mapping):
        code = raw.get("reason") or raw.get("code") or ""
        return TaskError(code=str(code), message=str(raw.get("message") or ""))
    return TaskError(code="", message=str(raw)) if raw else None


def _first_url(videos: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the address of the first video; APIMart's older answers have one text instead of a list."""
    for video in videos:
        url = video.get("url")
        return url if isinstance(url, str) else next(iter(url or ()), None)
    return None
