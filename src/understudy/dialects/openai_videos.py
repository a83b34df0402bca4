"""OpenAI's video API, `/v1/videos`, as its SDK and the gateways that copy it speak it: the codec and its answers.

Source: openai-python 3.54.0, resources/videos.py, types/video.py, pagination.py. Quirks: there are four status words,
and the SDK polls for ever on any other, so what expired or was cancelled is told as ``failed`` with an error that says
so. Beside OpenAI's fields an answer carries those that new-api's and amux's clients read at the same path: ``task_id``,
``url``, ``format`` and ``metadata``.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from understudy.catalog.load import load_catalogue
from understudy.core.errors import CODES, UnderstudyError, Violation
from understudy.core.model_spec import Profile
from understudy.core.request import DURATION_CHOSEN_BY_ENGINE, RATIO_CHOSEN_BY_ENGINE, GenerationRequest
from understudy.core.task import ENDED, Film, Status, Task, TaskError, TaskFilter, TaskPage
from understudy.dialects.advice import Advice, advice_of, warned_of
from understudy.dialects.codec import Decoded, Encoded, ErrorAnswer, Links, RemoteTask, Shapes
from understudy.dialects.ids import internal_id, shown_id, with_wire_ids
from understudy.dialects.json_body import reject_value
from understudy.dialects.openai_request import VideoCreate, decode_create, encode_request
from understudy.dialects.remote_errors import remote_error, told_in, unreadable


class VideoError(msgspec.Struct):
    """Why a video failed; ``expired`` and ``cancelled`` are codes of ours."""

    code: str
    message: str


class FilmFacts(msgspec.Struct, omit_defaults=True):
    """What the film is, as new-api's and amux's clients read it. duration: seconds."""

    url: str
    duration: int
    fps: int
    width: int
    height: int
    seed: int
    last_frame_url: str | None = None
    poster_url: str | None = None
    contact_sheet_url: str | None = None


class Video(msgspec.Struct, omit_defaults=True):
    """The video object.

    progress: percent. created_at, completed_at, expires_at: epoch seconds; the last is when the film is removed, absent
    where it is kept. seconds: of the film once it is there, before that as asked; ``"-1"`` = the engine chooses. size:
    pixels, or ``"adaptive"`` until the engine has chosen. task_id, url, video_url, format, metadata, warnings: not
    OpenAI's, but read here by clients of gateways; ``video_url`` is OctopusX's name.
    """

    id: str
    object: str
    model: str
    status: str
    progress: int
    created_at: int
    seconds: str
    size: str
    completed_at: int | None = None
    expires_at: int | None = None
    prompt: str | None = None
    error: VideoError | None = None
    remixed_from_video_id: str | None = None
    task_id: str | None = None
    url: str | None = None
    video_url: str | None = None
    format: str | None = None
    metadata: FilmFacts | None = None
    warnings: list[Advice] | None = None


class VideoPage(msgspec.Struct):
    """The answer to a listing. first_id, last_id: null when the page is empty."""

    object: str
    data: list[Video]
    has_more: bool
    first_id: str | None
    last_id: str | None


class Deleted(msgspec.Struct):
    """The answer to a deletion."""

    id: str
    deleted: bool
    object: str


class ErrorDetail(msgspec.Struct):
    """What is wrong. param: null when it is no parameter's fault."""

    message: str
    type: str
    param: str | None
    code: str


class ErrorEnvelope(msgspec.Struct):
    """An error answer."""

    error: ErrorDetail


_WORD = {
    Status.QUEUED: "queued",
    Status.RUNNING: "in_progress",
    Status.SUCCEEDED: "completed",
    Status.FAILED: "failed",
    Status.EXPIRED: "failed",
    Status.CANCELLED: "failed",
}
_STATUS = {
    "queued": Status.QUEUED,
    "in_progress": Status.RUNNING,
    "completed": Status.SUCCEEDED,
    "failed": Status.FAILED,
    # new-api's word for what its upstream has not told it yet.
    "unknown": Status.RUNNING,
}
_END_TOLD = {
    Status.EXPIRED: VideoError("expired", "The task was not finished within its time and has expired."),
    Status.CANCELLED: VideoError("cancelled", "The task was cancelled before it started."),
}
_END_BY_CODE = {told.code: status for status, told in _END_TOLD.items()}

_CODE = {
    "MissingParameter": "missing_required_parameter",
    "InvalidParameter": "invalid_value",
    "InvalidParameter.UnsupportedParameter": "unsupported_parameter",
    "AuthenticationError": "invalid_api_key",
    "InsufficientBalance": "insufficient_quota",
    "InvalidEndpointOrModel.NotFound": "model_not_found",
    "QuotaExceeded": "rate_limit_exceeded",
    "InternalServiceError": "server_error",
}
"""The core's codes that OpenAI has a word for; the others keep Ark's. Each word means one code."""
_CODE_MEANT = {word: code for code, word in _CODE.items()}
_TYPE = {402: "insufficient_quota", 429: "rate_limit_error"}


class OpenAiCodec:
    """The codec; stateless but for its profile. See `dialects.codec.RecordsCodec`."""

    shapes = Shapes(request=VideoCreate, created=Video, task=Video, page=VideoPage, error=ErrorEnvelope)

    def __init__(self, profile: Profile) -> None:
        self.name = profile.name
        self.profile = profile

    def decode_request(self, fields: Mapping[str, Any]) -> Decoded:
        return decode_create(fields, self.profile)

    def encode_request(self, request: GenerationRequest) -> Encoded:
        return encode_request(request, self.profile)

    def encode_created(self, task: Task) -> bytes:
        return msgspec.json.encode(self._video(task))

    def decode_created(self, body: bytes) -> str:
        answer = msgspec.json.decode(body)
        return str(answer.get("id") or answer["task_id"])

    def encode_task(self, task: Task, links: Links) -> bytes:
        return msgspec.json.encode(self._video(task, links))

    def decode_task(self, body: bytes) -> RemoteTask:
        return _remote_task(msgspec.json.decode(body))

    def encode_page(self, page: TaskPage, links: Links) -> bytes:
        videos = [self._video(task, links) for task in page.tasks]
        return msgspec.json.encode(
            VideoPage(
                object="list",
                data=videos,
                has_more=page.total > len(videos),
                first_id=videos[0].id if videos else None,
                last_id=videos[-1].id if videos else None,
            )
        )

    def decode_page(self, body: bytes) -> tuple[tuple[RemoteTask, ...], int]:
        """Read the answer to a listing. The total is the least that it can be: a cursor's page does not tell it."""
        page = msgspec.json.decode(body)
        tasks = tuple(_remote_task(item) for item in page["data"])
        return tasks, len(tasks) + int(bool(page.get("has_more")))

    def decode_filter(self, query: Sequence[tuple[str, str]], *, now: datetime) -> TaskFilter:
        profile = self.profile
        values = dict(query)
        order = values.get("order") or "desc"
        if order not in ("asc", "desc"):
            reject_value("order", "supported values are: `asc`, `desc`.")
        after = values.get("after")
        if after and internal_id(after) is None:
            reject_value("after", "it must be the id of a video.")
        return TaskFilter(
            page=1,
            page_size=self._limit(values.get("limit")),
            created_after=now - timedelta(seconds=profile.record_retention_s),
            cancelled_after=now - timedelta(seconds=profile.cancelled_retention_s),
            after=internal_id(after) if after else None,
            is_oldest_first=order == "asc",
        )

    def _limit(self, text: str | None) -> int:
        span = self.profile.page_size
        if not text:
            return self.profile.page_size_default
        is_whole = text.isascii() and text.isdigit() and len(text) <= len(str(span.most))
        if not is_whole or not span.holds(int(text)):
            reject_value("limit", f"it must be a whole number between {span.least} and {span.most}.")
        return int(text)

    def encode_deleted(self, task_id: str) -> bytes:
        return msgspec.json.encode(Deleted(id=self.wire_id(task_id), deleted=True, object="video.deleted"))

    def encode_error(self, violation: Violation, request_id: str) -> ErrorAnswer:
        """Write an error; the request id travels in the header, where OpenAI's SDK reads it."""
        status = CODES[violation.code].status
        detail = ErrorDetail(
            message=with_wire_ids(violation.message, self.profile),
            type=_TYPE.get(status, "server_error" if status >= 500 else "invalid_request_error"),
            param=violation.param or None,
            code=_CODE.get(violation.code, violation.code),
        )
        return ErrorAnswer(status=status, body=msgspec.json.encode(ErrorEnvelope(detail)))

    def decode_error(self, status: int, body: bytes) -> UnderstudyError:
        found = told_in(body, _violation)
        return remote_error(status, found) if found else unreadable(status, body)

    def wire_id(self, task_id: str) -> str:
        return self.profile.wire_id_prefix + task_id

    def task_id(self, wire_id: str) -> str | None:
        return internal_id(wire_id)

    def _video(self, task: Task, links: Links | None = None) -> Video:
        """Say what a task is. links: None in the answer to a create, which has no film yet."""
        request, film = task.request, task.film
        spelled = shown_id(task, self.profile)
        video = Video(
            id=spelled,
            task_id=spelled,
            object="video",
            model=request.model_shown,
            status=_WORD[task.status],
            progress=task.percent,
            created_at=int(task.created_at.timestamp()),
            prompt=request.prompt or None,
            seconds=str(film.duration_s if film else _seconds_asked(request)),
            size=f"{film.width_px}x{film.height_px}" if film else _size_asked(request),
        )
        if task.status in ENDED:
            video.completed_at = int(task.updated_at.timestamp())
        if film and links:
            if links.kept_s is not None and not task.is_archived:
                video.expires_at = int(task.created_at.timestamp()) + links.kept_s
            video.url = video.video_url = links.url(film.video_blob)
            video.format = film.video_blob.rpartition(".")[2]
            video.metadata = _facts(film, task.seed, links)
        if task.status in _END_TOLD:
            video.error = _END_TOLD[task.status]
        elif task.error:
            video.error = VideoError(task.error.code, task.error.message)
        if request.remixed_from:
            video.remixed_from_video_id = self.wire_id(request.remixed_from)
        if task.warnings:
            video.warnings = advice_of(task.warnings)
        return video


def _violation(answer: Any) -> Violation:
    error = answer["error"]
    code = str(error.get("code") or error.get("type") or "")
    return Violation(_CODE_MEANT.get(code, code), str(error.get("param") or ""), str(error["message"]))


def _seconds_asked(request: GenerationRequest) -> int:
    if request.duration_s is not None:
        return request.duration_s
    model = load_catalogue().model(request.model)
    return request.frames // model.fps if request.frames and model else DURATION_CHOSEN_BY_ENGINE


def _size_asked(request: GenerationRequest) -> str:
    model = load_catalogue().model(request.model)
    size_px = model.sizes.get(request.resolution or "", {}).get(request.ratio or "") if model else None
    # The SDKs of typed languages refuse a video without a size, but take any word.
    return f"{size_px[0]}x{size_px[1]}" if size_px else RATIO_CHOSEN_BY_ENGINE


def _facts(film: Film, seed: int, links: Links) -> FilmFacts:
    return FilmFacts(
        url=links.url(film.video_blob),
        duration=film.duration_s,
        fps=film.fps,
        width=film.width_px,
        height=film.height_px,
        seed=seed,
        last_frame_url=links.url(film.last_frame_blob) if film.last_frame_blob else None,
        poster_url=links.url(film.still_blob("thumbnail")),
        contact_sheet_url=links.url(film.still_blob("spritesheet")),
    )


def _remote_task(raw: dict[str, Any]) -> RemoteTask:
    """Read a task from a video object, OpenAI's own or a gateway's."""
    status = _STATUS[raw["status"]]
    error, metadata = raw.get("error") or None, raw.get("metadata") or {}
    if status is Status.FAILED and error and error.get("code") in _END_BY_CODE:
        status, error = _END_BY_CODE[error["code"]], None
    progress = raw.get("progress")
    return RemoteTask(
        id=raw.get("id") or raw["task_id"],
        model=raw.get("model") or "",
        status=status,
        video_url=raw.get("url") or raw.get("video_url") or metadata.get("url"),
        last_frame_url=metadata.get("last_frame_url"),
        error=TaskError(code=str(error.get("code") or ""), message=error.get("message") or "") if error else None,
        progress=progress / 100 if status is Status.RUNNING and isinstance(progress, int | float) else None,
        warnings=warned_of(raw.get("warnings")),
        raw=raw,
    )


OPENAI = OpenAiCodec(load_catalogue().profiles["openai"])
