"""Ark's answer to a get, which several dialects carry: the wire structs and their translation, both ways."""

from typing import Any

import msgspec

from understudy.core.task import Film, Status, Task, TaskError
from understudy.dialects.advice import Advice, advice_of, warned_of
from understudy.dialects.ark_content import Tool
from understudy.dialects.codec import Links, RemoteTask


class ErrorBody(msgspec.Struct, omit_defaults=True):
    """The error of a failed task."""

    code: str
    message: str


class Content(msgspec.Struct, omit_defaults=True):
    """Where the results are. ``poster_url`` and ``contact_sheet_url`` are ours."""

    video_url: str
    last_frame_url: str | None = None
    poster_url: str | None = None
    contact_sheet_url: str | None = None


class Usage(msgspec.Struct, omit_defaults=True):
    """What was used. tool_usage: tool -> how often; only when a tool was used."""

    completion_tokens: int
    total_tokens: int
    tool_usage: dict[str, int] | None = None


class TaskBody(msgspec.Struct, omit_defaults=True):
    """The answer to a get; absent fields are left out. duration or frames, never both.

    ``warnings``, ``progress`` and ``archived`` are ours; ``trace_id`` is amux's, ``camera_fixed`` the request's.
    """

    id: str
    model: str
    status: str
    created_at: int
    updated_at: int
    error: ErrorBody | None = None
    failure_reason: ErrorBody | None = None
    content: Content | None = None
    usage: Usage | None = None
    seed: int | None = None
    resolution: str | None = None
    ratio: str | None = None
    duration: int | None = None
    frames: int | None = None
    framespersecond: int | None = None
    service_tier: str | None = None
    execution_expires_after: int | None = None
    generate_audio: bool | None = None
    draft: bool | None = None
    draft_task_id: str | None = None
    camera_fixed: bool | None = None
    output_format: str | None = None
    omni_reference_task_type: str | None = None
    priority: int | None = None
    tools: list[Tool] | None = None
    safety_identifier: str | None = None
    trace_id: str | None = None
    progress: float | None = None
    archived: bool | None = None
    warnings: list[Advice] | None = None


class PageBody(msgspec.Struct):
    """The answer to a listing."""

    items: list[TaskBody]
    total: int


def task_body(task: Task, links: Links, wire_id: str) -> TaskBody:
    """Say what a task is, in Ark's words. wire_id: the task's id as the dialect spells it."""
    request, film = task.request, task.film
    body = TaskBody(
        id=wire_id,
        model=request.model_shown,
        status=task.status.value,
        created_at=int(task.created_at.timestamp()),
        updated_at=int(task.updated_at.timestamp()),
        seed=task.seed,
        resolution=request.resolution,
        ratio=film.ratio if film else request.ratio,
        duration=_duration_s(task),
        frames=request.frames,
        framespersecond=_frames_per_second(task),
        service_tier=request.service_tier,
        execution_expires_after=request.execution_expires_after_s,
        generate_audio=request.generate_audio,
        draft=bool(request.draft),
        draft_task_id=wire_id.removesuffix(task.id) + request.draft_task_id if request.draft_task_id else None,
        camera_fixed=request.camera_fixed,
        output_format=request.output_format,
        omni_reference_task_type=request.omni_reference_task_type,
        priority=request.priority,
        safety_identifier=request.safety_identifier,
        trace_id=request.trace_id,
    )
    if film:
        body.content = _content(film, links)
    if task.completion_tokens is not None:
        used = dict(film.tool_usage) if film else {}
        body.usage = Usage(task.completion_tokens, task.completion_tokens, used or None)
    if task.error:
        body.error = ErrorBody(task.error.code, task.error.message)
    if request.tools:
        body.tools = [Tool(type=tool) for tool in request.tools]
    if task.status is Status.RUNNING:
        body.progress = round(task.progress, 3)
    if task.is_archived:
        body.archived = True
    if task.warnings:
        body.warnings = advice_of(task.warnings)
    return body


def _duration_s(task: Task) -> int | None:
    if task.request.frames is not None:
        return None
    return task.film.duration_s if task.film else task.request.duration_s


def _frames_per_second(task: Task) -> int | None:
    return task.film.fps if task.film else None


def _content(film: Film, links: Links) -> Content:
    last_frame = links.url(film.last_frame_blob) if film.last_frame_blob else None
    return Content(
        video_url=links.url(film.video_blob),
        last_frame_url=last_frame,
        poster_url=links.url(film.still_blob("thumbnail")),
        contact_sheet_url=links.url(film.still_blob("spritesheet")),
    )


def remote_task(raw: dict[str, Any]) -> RemoteTask:
    """Read a task from Ark's answer."""
    content, usage = raw.get("content") or {}, raw.get("usage") or {}
    error = raw.get("error") or raw.get("failure_reason")
    return RemoteTask(
        id=raw["id"],
        model=raw.get("model") or "",
        status=Status(raw["status"]),
        video_url=content.get("video_url"),
        last_frame_url=content.get("last_frame_url"),
        completion_tokens=usage.get("completion_tokens"),
        error=TaskError(code=error.get("code") or "", message=error.get("message") or "") if error else None,
        progress=raw.get("progress"),
        warnings=warned_of(raw.get("warnings")),
        raw=raw,
    )
