"""The blocking client."""

import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self, Unpack

import httpx2

from understudy.client import programs
from understudy.client.failures import unreachable
from understudy.client.programs import (
    Fields,
    FileKind,
    FilmFields,
    Filter,
    OnProgress,
    Patience,
    RemotePage,
    Sighting,
    Vigil,
)
from understudy.client.steps import Answer, Call, Fetch, Pause, Program, Step, T
from understudy.core.errors import Unavailable
from understudy.dialects.codec import RemoteTask
from understudy.dialects.quote_body import RemoteQuote

CALL_TIMEOUT_S = 60.0
WAIT_TIMEOUT_S = 1800.0
ERROR_STATUS = 400


class Client:
    """Makes films on an Understudy server, or on Ark. Safe to use from one thread at a time; close it when done.

    base_url: the server's address, with or without ``/api/v3``. timeout_s: of each network step, not of a film.

    Every method can raise what `understudy.core.errors` draws: Rejected, Unauthorized, NotFound, Conflict,
    RateLimited, Unavailable.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        timeout_s: float = CALL_TIMEOUT_S,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self._root = programs.root_of(base_url)
        self._authorization = {"Authorization": f"Bearer {api_key}"}
        self._wait_s = programs.wait_within(timeout_s)
        self._http = httpx2.Client(timeout=timeout_s, transport=transport)

    def create(self, prompt: str, **fields: Unpack[FilmFields]) -> RemoteTask:
        """Create a task and return it as it was queued, without waiting.

        Of the media that the fields name, a `Path` is a file: an image or a sound goes inside the request, a video
        becomes an asset first. A text is an address and goes as it is.
        """
        return self._run(programs.creating_film(prompt, fields))

    def quote(self, prompt: str, **fields: Unpack[FilmFields]) -> RemoteQuote:
        """Return what a request would come to: what is wrong with it, and the most it can cost; no task is stored."""
        return self._run(programs.quoting_film(prompt, fields))

    def finish(self, draft_id: str, **fields: Unpack[Fields]) -> RemoteTask:
        """Create the final film of a draft that succeeded, and return it as it was queued, without waiting."""
        return self._run(programs.finishing(draft_id, fields))

    def get(self, task_id: str) -> RemoteTask:
        """Return the task as it is now."""
        return self._run(programs.getting(task_id))

    def list(self, wanted: Filter | None = None) -> RemotePage:
        """Return one page of tasks, newest first."""
        return self._run(programs.listing(wanted or Filter()))

    def delete(self, task_id: str) -> None:
        """Cancel a queued task, or remove the record and the files of an ended one.

        Raises: Conflict for a running task.
        """
        self._run(programs.deleting(task_id))

    def archive(self, task_id: str) -> None:
        """Keep the task and its files for good, whatever the server's retention says."""
        self._run(programs.archiving(task_id, undo=False))

    def unarchive(self, task_id: str) -> None:
        """Let the task's time count again, from its creation; one that is older than the server keeps goes at once."""
        self._run(programs.archiving(task_id, undo=True))

    def wait(
        self, task_id: str, *, timeout_s: float = WAIT_TIMEOUT_S, on_progress: OnProgress | None = None
    ) -> RemoteTask:
        """Return the task once it has ended, however it ended.

        Raises: StillRunning after timeout_s seconds.
        """
        return self._run(programs.waiting(task_id, self._patience(timeout_s, on_progress)))

    def watch(self, task_id: str, *, timeout_s: float = WAIT_TIMEOUT_S) -> Iterator[Sighting]:
        """Yield the task as it is, then every few seconds and at each change of its status, until it has ended.

        Raises: StillRunning after timeout_s seconds.
        """
        vigil = Vigil(task_id, self._patience(timeout_s), wait_s=programs.PROGRESS_WAIT_S)
        while not vigil.is_over:
            yield self._run(vigil.look())

    def download(self, task_id: str, path: Path | str, *, kind: FileKind = "video") -> Path:
        """Save a succeeded task's video or last frame; a broken download is continued where it stopped."""
        return self._run(programs.downloading(task_id, Path(path), kind=kind))

    def generate(
        self,
        prompt: str,
        path: Path | str,
        *,
        last_frame_path: Path | str | None = None,
        timeout_s: float = WAIT_TIMEOUT_S,
        on_progress: OnProgress | None = None,
        **fields: Unpack[FilmFields],
    ) -> RemoteTask:
        """Make a film: create the task, wait for it, save the video at the path.

        Raises: TaskFailed; StillRunning after timeout_s seconds of waiting.
        """
        patience = self._patience(timeout_s, on_progress)
        wanted = programs.wanted_film(prompt, path, last_frame_path=last_frame_path, patience=patience, **fields)
        return self._run(programs.generating(wanted))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _patience(self, timeout_s: float, on_progress: OnProgress | None = None) -> Patience:
        return Patience(timeout_s=timeout_s, on_progress=on_progress, wait_s=self._wait_s)

    def _run(self, program: Program[T]) -> T:
        answer: Answer | None = None
        failure: Unavailable | None = None
        while True:
            try:
                step = program.throw(failure) if failure else program.send(answer)
            except StopIteration as done:
                result: T = done.value
                return result
            answer, failure = None, None
            try:
                answer = self._perform(step)
            except httpx2.TransportError as error:
                failure = unreachable(error, self._root)

    def _perform(self, step: Step) -> Answer | None:
        match step:
            case Pause():
                time.sleep(step.pause_s)
                return None
            case Call():
                response = self._http.request(
                    step.method,
                    self._root + step.path,
                    params=step.query,
                    content=step.body,
                    headers=self._authorization | step.headers,
                )
                return Answer(status=response.status_code, body=response.content, headers=dict(response.headers))
            case Fetch():
                return self._fetch(step)

    def _fetch(self, step: Fetch) -> Answer:
        headers = step.part.request_headers()
        with self._http.stream("GET", step.url, headers=headers, follow_redirects=True) as response:
            if not step.part.begin(response.status_code, response.headers):
                body = response.read() if response.status_code >= ERROR_STATUS else b""
                return Answer(status=response.status_code, body=body)
            with step.part.opened() as sink:
                for chunk in response.iter_raw():
                    sink.write(chunk)
            return Answer(status=response.status_code, body=b"")
