"""What the client does, written once for both clients: each function is a program of steps (see `client.steps`)."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypedDict, Unpack, cast
from urllib.parse import quote, urlsplit

import msgspec

from understudy.catalog.load import load_catalogue
from understudy.client.media import MediaFields, bringing, given_media
from understudy.client.part_file import PartFile
from understudy.client.steps import Answer, Call, Fetch, Pause, Program, T
from understudy.core.content import ContentItem, Modality
from understudy.core.errors import NotFound, RateLimited, TaskFailed, Unavailable, Violation
from understudy.core.model_spec import ModelSpec
from understudy.core.request import GenerationRequest
from understudy.core.task import ENDED, Status
from understudy.dialects.ark import ARK
from understudy.dialects.codec import RemoteTask
from understudy.dialects.quote_body import RemoteQuote, read_quote

API_PATH = "/api/v3"
OWN_TASKS_PATH = "/v1/tasks"
TASKS_PATH = f"{API_PATH}/contents/generations/tasks"
RETRY_PAUSES_S = (0.5, 1.0, 2.0, 4.0)
"""How long a repeatable call waits before each further try: long enough for a server to be restarted."""
DOWNLOAD_TRIES_MAX = 6
RANGE_NOT_SATISFIABLE = 416
WAIT_S = 25
"""How long one answer may wait for news: shorter than what proxies allow a silent connection, 30 s or 60."""
PROGRESS_WAIT_S = 2
"""The same where progress is to be shown, of which a waiting server does not tell."""
POSITION_HEADER, ETA_HEADER = "x-understudy-queue-position", "x-understudy-eta-s"

OnProgress = Callable[[RemoteTask], None]
"""Called with the task each time it was read."""
FileKind = Literal["video", "last_frame"]


class Fields(TypedDict, total=False):
    """Everything a request can say besides its prompt and its media; meanings and ranges as in `core.request`."""

    model: str
    ratio: str
    resolution: str
    duration_s: int
    seed: int
    generate_audio: bool
    watermark: bool
    return_last_frame: bool
    tools: tuple[str, ...]
    service_tier: str
    priority: int
    execution_expires_after_s: int
    callback_url: str
    safety_identifier: str
    frames: int
    camera_fixed: bool
    draft: bool
    output_format: str


class FilmFields(Fields, MediaFields, total=False):
    """Everything a request can say besides its prompt, with its media."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemotePage:
    """One page of a listing, newest first; total counts all tasks that match."""

    tasks: tuple[RemoteTask, ...]
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What a listing asks for; None or empty does not filter. page, page_size: from 1, None = the server's default."""

    status: str | None = None
    task_ids: tuple[str, ...] = ()
    model: str | None = None
    service_tier: str | None = None
    page: int | None = None
    page_size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often a waiting client asks: the first pause, its growth at each round and the longest."""

    first_s: float = 0.5
    growth: float = 1.25
    most_s: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How a client waits for a task. timeout_s: seconds in all. clock: seconds, monotonic.

    wait_s: whole seconds that one answer may wait for news, at servers that can; 0 = they are asked again and again.
    """

    timeout_s: float
    on_progress: OnProgress | None = None
    wait_s: int = 0
    pace: Pace = Pace()
    clock: Callable[[], float] = time.monotonic


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A task as it was seen once, and what the server said it can expect; None where it said nothing.

    queue_position: 1 = the next to be begun. queue_position_above: of one that waits behind more than so many.
    eta_s: seconds until its film should be there.
    """

    task: RemoteTask
    queue_position: int | None = None
    queue_position_above: int | None = None
    eta_s: int | None = None


class StillRunning(TimeoutError):
    """The client stopped waiting; the task goes on at the server and can be asked for again by ``task.id``."""

    def __init__(self, task: RemoteTask, timeout_s: float) -> None:
        super().__init__(f"Task {task.id} is still {task.status} after {timeout_s:g} s; it goes on at the server.")
        self.task = task


def root_of(base_url: str) -> str:
    """Return the server's root for a base URL with or without Ark's ``/api/v3``.

    Raises: ValueError for anything that is not an http(s) address.
    """
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"base_url must be an http:// or https:// address, not {base_url!r}")
    return base_url.rstrip("/").removesuffix(API_PATH)


def default_model() -> ModelSpec:
    """Return the model that a request means when it names none."""
    return load_catalogue().default_model


def request_of(prompt: str, fields: Fields) -> GenerationRequest:
    """Return the text-to-video request; what the fields leave out is left to the server."""
    said: Fields = {"model": default_model().id, **fields}
    return GenerationRequest(content=(ContentItem(modality=Modality.TEXT, value=prompt),), **said)


def asking(prompt: str, fields: FilmFields) -> Program[GenerationRequest]:
    """Return the request with its media, once the files that it names are at the server.

    Raises: Rejected; OSError for a file that cannot be read. Nothing is sent before all files were looked at.
    """
    of_media = {name: value for name, value in fields.items() if name in MediaFields.__annotations__}
    words = {name: value for name, value in fields.items() if name not in of_media}
    request = request_of(prompt, cast(Fields, words))
    media = given_media(cast(MediaFields, of_media), load_catalogue().model(request.model))
    items = yield from bringing(media, fields.get("on_sent"))
    return replace(request, content=request.content + items)


def creating_film(prompt: str, fields: FilmFields) -> Program[RemoteTask]:
    """Bring the media to the server and create a task."""
    return (yield from creating((yield from asking(prompt, fields))))


def quoting_film(prompt: str, fields: FilmFields) -> Program[RemoteQuote]:
    """Ask what a film would come to; of its files, videos are sent all the same, because they are measured there."""
    return (yield from quoting((yield from asking(prompt, fields))))


def creating(request: GenerationRequest) -> Program[RemoteTask]:
    """Create a task. Never repeated: when the answer was lost, the task may exist.

    Ark answers only the id, so the rest is what was asked.
    """
    body = yield from _calling(Call(method="POST", path=TASKS_PATH, body=ARK.encode_request(request).body))
    task_id = _read(ARK.decode_created, body)
    return RemoteTask(id=task_id, model=request.model, status=Status.QUEUED, raw={"id": task_id})


def quoting(request: GenerationRequest) -> Program[RemoteQuote]:
    """Ask what a request would come to; this server's own, no other has it."""
    body = ARK.encode_request(request).body
    answer = yield from _calling(Call(method="POST", path=f"{TASKS_PATH}/quote", body=body), pauses_s=RETRY_PAUSES_S)
    return _read(read_quote, answer)


def finishing(draft_id: str, fields: Fields) -> Program[RemoteTask]:
    """Create the final film of a draft. fields: what the draft did not settle; no model = the draft's own."""
    draft = yield from getting(draft_id)
    item = ContentItem(modality=Modality.DRAFT, value=draft_id)
    said: Fields = {"model": draft.model, **fields}
    return (yield from creating(GenerationRequest(content=(item,), **said)))


def getting(task_id: str) -> Program[RemoteTask]:
    """Read a task."""
    body = yield from _calling(Call(method="GET", path=_task_path(task_id)), pauses_s=RETRY_PAUSES_S)
    return _read(ARK.decode_task, body)


def listing(wanted: Filter) -> Program[RemotePage]:
    """Read one page of tasks."""
    given = (
        ("page_num", wanted.page),
        ("page_size", wanted.page_size),
        ("filter.status", wanted.status),
        ("filter.model", wanted.model),
        ("filter.service_tier", wanted.service_tier),
        *(("filter.task_ids", task_id) for task_id in wanted.task_ids),
    )
    query = tuple((key, str(value)) for key, value in given if value is not None)
    body = yield from _calling(Call(method="GET", path=TASKS_PATH, query=query), pauses_s=RETRY_PAUSES_S)
    tasks, total = _read(ARK.decode_page, body)
    return RemotePage(tasks=tasks, total=total)


def deleting(task_id: str) -> Program[None]:
    """Cancel a queued task, or remove an ended one."""
    yield from _calling(Call(method="DELETE", path=_task_path(task_id)))


def archiving(task_id: str, *, undo: bool) -> Program[None]:
    """Keep a task and its files for good, or no longer; this server's own, no other has it."""
    call = Call(method="DELETE" if undo else "POST", path=f"{OWN_TASKS_PATH}/{quote(task_id, safe='')}/archive")
    yield from _calling(call, pauses_s=RETRY_PAUSES_S)


def waiting(task_id: str, patience: Patience) -> Program[RemoteTask]:
    """Read a task until it has ended, however it ended.

    Raises: StillRunning.
    """
    vigil = Vigil(task_id, patience, wait_s=PROGRESS_WAIT_S if patience.on_progress else patience.wait_s)
    while True:
        task = (yield from vigil.look()).task
        if patience.on_progress:
            patience.on_progress(task)
        if task.status in ENDED:
            return task


class Vigil:
    """Looks at a task until it has ended. A server that can wait is asked to; any other is asked again after a pause.

    wait_s: how long one answer may wait; no longer than the patience says.
    """

    def __init__(self, task_id: str, patience: Patience, *, wait_s: int) -> None:
        self._task_id = task_id
        self._patience = patience
        self._wait_s = min(wait_s, patience.wait_s)
        self._deadline_s = patience.clock() + patience.timeout_s
        self._pause_s = patience.pace.first_s
        self._last: RemoteTask | None = None
        self._can_wait = False

    @property
    def is_over(self) -> bool:
        """Whether the task was seen to have ended."""
        return self._last is not None and self._last.status in ENDED

    def look(self) -> Program[Sighting]:
        """Read the task: at once the first time, then when there is news or it is time to look again.

        Raises: StillRunning.
        """
        wait_s = 0
        if self._last is not None:
            left_s = self._deadline_s - self._patience.clock()
            if left_s <= 0:
                raise StillRunning(self._last, self._patience.timeout_s)
            wait_s = min(self._wait_s, int(left_s)) if self._can_wait else 0
            if not wait_s:
                yield Pause(pause_s=min(self._pause_s, left_s))
                self._pause_s = min(self._pause_s * self._patience.pace.growth, self._patience.pace.most_s)
        began_s = self._patience.clock()
        try:
            answer = yield from self._asked(wait_s)
        except (RateLimited, Unavailable):
            # Too many wait already, or somebody between cut the waiting short; who does not wait is answered.
            if not wait_s:
                raise
            answer, wait_s = (yield from self._asked(0)), 0
        task = _read(ARK.decode_task, answer.body)
        is_news = self._last is None or task.status is not self._last.status
        # What says that it waits, and does not, must not be asked without a pause.
        is_early = bool(wait_s) and not is_news and self._patience.clock() - began_s < wait_s / 2
        self._can_wait = "preference-applied" in answer.headers and not is_early
        self._last = task
        return _sighting(task, answer.headers)

    def _asked(self, wait_s: int) -> Program[Answer]:
        call = Call(method="GET", path=_task_path(self._task_id), wait_s=wait_s)
        return (yield from _answering(call, pauses_s=() if wait_s else RETRY_PAUSES_S))


def wait_within(timeout_s: float) -> int:
    """Return how long an answer may wait where a network step may take so long, with as much time again to arrive."""
    return int(min(WAIT_S, timeout_s / 2))


def _sighting(task: RemoteTask, headers: Mapping[str, str]) -> Sighting:
    position, eta = headers.get(POSITION_HEADER, ""), headers.get(ETA_HEADER, "")
    above = position.removeprefix(">")
    return Sighting(
        task=task,
        queue_position=int(position) if position.isdecimal() else None,
        queue_position_above=int(above) if position.startswith(">") and above.isdecimal() else None,
        eta_s=int(eta) if eta.isdecimal() else None,
    )


def downloading(task_id: str, destination: Path, *, kind: FileKind) -> Program[Path]:
    """Fetch a result file; what an earlier, broken download left is continued, with a fresh link each try.

    Raises: NotFound when the task has no such file; Unavailable when it could not be had whole.
    """
    part = PartFile(destination, label=f"{task_id}-{kind}")
    failure = Unavailable(Violation("ServiceUnavailable", "", "The file could not be downloaded whole."))
    for _ in range(DOWNLOAD_TRIES_MAX):
        task = yield from getting(task_id)
        try:
            answer = yield Fetch(url=_link(task, kind), part=part)
            assert answer is not None
            if answer.status >= 300 and answer.status != RANGE_NOT_SATISFIABLE:
                raise ARK.decode_error(answer.status, answer.body)
        except Unavailable as broken:
            failure = broken
            yield Pause(pause_s=RETRY_PAUSES_S[0])
            continue
        if answer.status < 300 and part.is_whole:
            return part.finish()
        part.discard()
    raise failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A film to be made and kept. last_frame_path: where its last frame goes, if wanted."""

    prompt: str
    fields: FilmFields
    path: Path
    last_frame_path: Path | None
    patience: Patience


def generating(wanted: Wanted) -> Program[RemoteTask]:
    """Bring the media there, create a task, wait for it and download what it made.

    Raises: TaskFailed when the task ended otherwise than succeeded; StillRunning.
    """
    created = yield from creating_film(wanted.prompt, wanted.fields)
    if wanted.patience.on_progress:
        wanted.patience.on_progress(created)
    task = yield from waiting(created.id, wanted.patience)
    if task.status is not Status.SUCCEEDED:
        raise failed(task)
    yield from downloading(task.id, wanted.path, kind="video")
    if wanted.last_frame_path:
        yield from downloading(task.id, wanted.last_frame_path, kind="last_frame")
    return task


def wanted_film(
    prompt: str,
    path: Path | str,
    *,
    last_frame_path: Path | str | None,
    patience: Patience,
    **fields: Unpack[FilmFields],
) -> Wanted:
    """Gather the arguments of ``generate``; a path for the last frame asks for one."""
    if last_frame_path is not None:
        fields = {**fields, "return_last_frame": True}
    return Wanted(
        prompt=prompt,
        fields=fields,
        path=Path(path),
        last_frame_path=None if last_frame_path is None else Path(last_frame_path),
        patience=patience,
    )


def failed(task: RemoteTask) -> TaskFailed:
    """Return the error of a task that ended without a film."""
    code = task.error.code if task.error else f"Task.{task.status}"
    reason = task.error.message if task.error else f"Task {task.id} is {task.status}."
    return TaskFailed(Violation(code, "", reason), is_retryable=False)


def _calling(call: Call, *, pauses_s: tuple[float, ...] = ()) -> Program[bytes]:
    """Return the body of a good answer."""
    return (yield from _answering(call, pauses_s=pauses_s)).body


def _answering(call: Call, *, pauses_s: tuple[float, ...] = ()) -> Program[Answer]:
    """Return a good answer. pauses_s: one entry for each further try while the server is away or busy."""
    for pause_s in (*pauses_s, None):
        try:
            answer = yield call
            assert isinstance(answer, Answer)
            if answer.status < 300:
                return answer
            raise ARK.decode_error(answer.status, answer.body)
        except (Unavailable, RateLimited):
            if pause_s is None:
                raise
        yield Pause(pause_s=pause_s)
    raise AssertionError("the last try returns or raises")


def _read(decode: Callable[[bytes], T], body: bytes) -> T:
    try:
        return decode(body)
    except (msgspec.DecodeError, LookupError, TypeError, ValueError, AttributeError) as error:
        message = f"The server's answer is none of this API's: {body[:200].decode('utf-8', 'replace')!r}"
        raise Unavailable(Violation("ServiceUnavailable", "", message)) from error


def _task_path(task_id: str) -> str:
    return f"{TASKS_PATH}/{quote(task_id, safe='')}"


def _link(task: RemoteTask, kind: FileKind) -> str:
    link = task.video_url if kind == "video" else task.last_frame_url
    if not link:
        name = kind.replace("_", " ")
        raise NotFound(Violation("NotFound.File", kind, f"Task {task.id} has no {name}; it is {task.status}."))
    return link
