"""The answers of new-api and its kin at `/v1/video/generations`: one body that every documented client can read.

Three documents describe the same get: new-api's task envelope (``data.status`` is "SUCCESS", Ark's own task under
``data.data``), seed 003, which reads that envelope, and amux's flat form (``status`` is "completed", ``url``,
``metadata``). No key means two things, so all of it stands in one answer; see docs/decisions/universal-answers.md.
"""

from pathlib import PurePosixPath
from typing import Any

import msgspec

from understudy.core.errors import CODES
from understudy.core.model_spec import Profile
from understudy.core.task import ENDED, Film, Status, Task, TaskError
from understudy.dialects.advice import Advice, advice_of, warned_of
from understudy.dialects.ark_task import TaskBody, task_body
from understudy.dialects.codec import Links, RemoteTask
from understudy.dialects.ids import shown_id


class Created(msgspec.Struct, omit_defaults=True):
    """The answer to a create. id, task_id: the same. progress: percent."""

    id: str
    task_id: str
    object: str
    model: str
    status: str
    progress: int
    created_at: int
    warnings: list[Advice] | None = None


class FilmFacts(msgspec.Struct, omit_defaults=True):
    """What amux tells of the film. duration: seconds."""

    duration: float | None = None
    fps: int | None = None
    width: int | None = None
    height: int | None = None
    seed: int | None = None
    trace_id: str | None = None


class Failure(msgspec.Struct):
    """Why there is no film, as amux says it. code: the HTTP status of the error's kind."""

    code: int
    message: str


class Properties(msgspec.Struct):
    """The model, as asked for and as served."""

    origin_model_name: str
    upstream_model_name: str


class TaskDto(msgspec.Struct, omit_defaults=True):
    """new-api's task. Times are Unix seconds, 0 = not yet; progress is a text such as "50%"; data is Ark's answer."""

    task_id: str
    action: str
    status: str
    fail_reason: str
    submit_time: int
    start_time: int
    finish_time: int
    progress: str
    created_at: int
    updated_at: int
    properties: Properties
    data: TaskBody
    result_url: str | None = None


class TaskAnswer(msgspec.Struct, omit_defaults=True):
    """The answer to a get. code: always "success"; error: only when there will be no film."""

    code: str
    message: str
    data: TaskDto
    id: str
    task_id: str
    object: str
    model: str
    status: str
    created_at: int
    metadata: FilmFacts
    url: str | None = None
    format: str | None = None
    error: Failure | None = None
    warnings: list[Advice] | None = None


FLAT_WORD = {
    Status.QUEUED: "queued",
    Status.RUNNING: "in_progress",
    Status.SUCCEEDED: "completed",
    Status.FAILED: "failed",
    Status.EXPIRED: "failed",
    Status.CANCELLED: "failed",
}
"""Status -> amux's word, which is OpenAI's. Source: amux's get-task page."""
DTO_WORD = {
    Status.QUEUED: "QUEUED",
    Status.RUNNING: "IN_PROGRESS",
    Status.SUCCEEDED: "SUCCESS",
    Status.FAILED: "FAILURE",
    Status.EXPIRED: "FAILURE",
    Status.CANCELLED: "FAILURE",
}
"""Status -> new-api's word. new-api itself leaves what expired or was cancelled IN_PROGRESS for ever."""
_STATUS_OF = {
    **{str(status): status for status in Status},
    "pending": Status.QUEUED,
    "processing": Status.RUNNING,
    "in_progress": Status.RUNNING,
    "completed": Status.SUCCEEDED,
    "NOT_START": Status.QUEUED,
    "SUBMITTED": Status.QUEUED,
    "QUEUED": Status.QUEUED,
    "IN_PROGRESS": Status.RUNNING,
    "SUCCESS": Status.SUCCEEDED,
    "FAILURE": Status.FAILED,
}
"""Any word of these dialects -> status."""
_WITHOUT_FILM = frozenset({Status.FAILED, Status.EXPIRED, Status.CANCELLED})
_PERCENT = 100


def created_answer(task: Task, profile: Profile) -> Created:
    """Say that a task was accepted."""
    wire_id = shown_id(task, profile)
    return Created(
        id=wire_id,
        task_id=wire_id,
        object="video",
        model=task.request.model_shown,
        status=FLAT_WORD[task.status],
        progress=task.percent,
        created_at=int(task.created_at.timestamp()),
        warnings=advice_of(task.warnings) or None,
    )


def task_answer(task: Task, profile: Profile, links: Links) -> TaskAnswer:
    """Say what a task is."""
    wire_id, film = shown_id(task, profile), task.film
    url = links.url(film.video_blob) if film else None
    reason = _reason(task)
    return TaskAnswer(
        code="success",
        message="",
        data=_dto(task, reason=reason, url=url, inner=task_body(task, links, wire_id)),
        id=wire_id,
        task_id=wire_id,
        object="video",
        model=task.request.model_shown,
        status=FLAT_WORD[task.status],
        created_at=int(task.created_at.timestamp()),
        metadata=_facts(task, film),
        url=url,
        format=PurePosixPath(film.video_blob).suffix[1:] if film else None,
        error=Failure(code=_number(task.error), message=reason) if reason else None,
        warnings=advice_of(task.warnings) or None,
    )


def _dto(task: Task, *, reason: str, url: str | None, inner: TaskBody) -> TaskDto:
    created_s, updated_s = int(task.created_at.timestamp()), int(task.updated_at.timestamp())
    has_ended = task.status in ENDED
    return TaskDto(
        task_id=inner.id,
        action="remixGenerate" if task.request.remixed_from else "generate",
        status=DTO_WORD[task.status],
        fail_reason=reason,
        submit_time=created_s,
        # No start is on record; a claimed task has started, and clients take the difference of these times.
        start_time=created_s if task.attempt else 0,
        finish_time=updated_s if has_ended else 0,
        # A task that has not ended must not look it.
        progress=f"{_PERCENT if has_ended else task.percent}%",
        created_at=created_s,
        updated_at=updated_s,
        properties=Properties(origin_model_name=task.request.model_shown, upstream_model_name=task.request.model),
        data=inner,
        result_url=url,
    )


def _facts(task: Task, film: Film | None) -> FilmFacts:
    facts = FilmFacts(seed=task.seed, trace_id=task.request.trace_id)
    if film:
        facts.duration, facts.fps = float(film.duration_s), film.fps
        facts.width, facts.height = film.width_px, film.height_px
    return facts


def _reason(task: Task) -> str:
    """Say why there is no film and will be none; empty otherwise."""
    if task.error and task.status in _WITHOUT_FILM:
        return task.error.message
    if task.status is Status.EXPIRED:
        return f"The task expired: it had not ended by {task.expires_at:%Y-%m-%dT%H:%M:%SZ}."
    if task.status is Status.CANCELLED:
        return "The task was cancelled."
    return "The task failed." if task.status is Status.FAILED else ""


def _number(error: TaskError | None) -> int:
    known = CODES.get(error.code) if error else None
    return (known or CODES["InternalServiceError"]).status


def remote_task(raw: dict[str, Any]) -> RemoteTask:
    """Read a task from any of the three forms.

    Raises: KeyError where the answer has neither an id nor a status that is known.
    """
    dto = _mapping(raw.get("data"))
    ark = _mapping(dto.get("data"))
    flat = {**raw, **dto}
    status = _status(flat, ark)
    content, usage = _mapping(ark.get("content")), _mapping(ark.get("usage"))
    return RemoteTask(
        id=raw.get("task_id") or dto.get("task_id") or flat["id"],
        model=raw.get("model") or ark.get("model") or "",
        status=status,
        video_url=content.get("video_url") or flat.get("result_url") or flat.get("url"),
        last_frame_url=content.get("last_frame_url"),
        completion_tokens=usage.get("completion_tokens"),
        error=_error(flat, ark, status),
        progress=_progress(flat.get("progress"), ark.get("progress")),
        warnings=warned_of(ark.get("warnings") or raw.get("warnings")),
        raw=raw,
    )


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _status(flat: dict[str, Any], ark: dict[str, Any]) -> Status:
    """Return the status; the gateway's own end counts, except that only Ark's word tells expired from failed."""
    inner = _STATUS_OF.get(str(ark.get("status")))
    word = str(flat.get("status"))
    outer = _STATUS_OF.get(word, inner or Status.RUNNING) if word == "UNKNOWN" else _STATUS_OF[word]
    if outer is Status.SUCCEEDED or inner not in _WITHOUT_FILM:
        return outer
    return inner


def _error(flat: dict[str, Any], ark: dict[str, Any], status: Status) -> TaskError | None:
    inner, outer = _mapping(ark.get("error")), _mapping(flat.get("error"))
    if inner:
        return TaskError(code=inner.get("code") or "", message=inner.get("message") or "")
    if status is not Status.FAILED:
        return None
    return TaskError(
        code=str(outer.get("code") or ""), message=flat.get("fail_reason") or outer.get("message") or "no reason given"
    )


def _progress(text: Any, fraction: Any) -> float | None:
    if isinstance(fraction, int | float):
        return float(fraction)
    digits = str(text or "").removesuffix("%")
    return min(int(digits), _PERCENT) / _PERCENT if digits.isascii() and digits.isdigit() else None
