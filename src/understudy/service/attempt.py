"""One attempt at one task: render, store the film, say how it ended. Claims and slots are in `dispatch`."""

import asyncio
import logging
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from understudy.core.errors import INTERNAL, TaskFailed, Unavailable, Violation
from understudy.core.media import MediaStore
from understudy.core.media_types import MEDIA_TYPES
from understudy.core.moderation import Moderator
from understudy.core.ports import BlobStore, Clock, Executor, Outcome, TaskStore
from understudy.core.render import RenderJob, RenderResult
from understudy.core.task import Claim, EntryKind, Film, Status, Task, TaskError
from understudy.service.films import FILM_ENDINGS, FRAME_ENDINGS, attempt_name, blob_keys, last_frame_key, video_key
from understudy.service.jobs import Jobs
from understudy.service.outlook import render_time
from understudy.service.screen import film_refused
from understudy.service.shelf import sha256_of
from understudy.service.unbroken import unbroken

log = logging.getLogger(__name__)

T = TypeVar("T")

RETRY_PAUSE_MOST_S = 10.0
"""What was away for minutes is noticed soon after it is back."""

FILM_FOLDER, MEDIA_FOLDER = "film", "media"
"""What an attempt's directory holds: what the engine writes, and what it is given where that lies elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchLimits:
    """Bounds of dispatching.

    worker: this process's name in claims. slots: attempts at once, as many as the executor has.
    work_dir: holds a directory per attempt. lease_s: how long a claim outlives its last heartbeat.
    heartbeat_s: between heartbeats, which also record progress; several fit into a lease.
    poll_interval_s: the longest wait between two looks at the queue.
    attempts_max: how often a task is claimed before it fails.
    drain_s: how long closing waits for renders before it kills them.
    retry_pause_s: before a failed call of the store is tried again; doubled each time, for one lease at most.
    keeping_s: how long a film that was rendered waits for a blob store that is away, before it is given up.
    engine: whose tasks are claimed; None = any. concurrency: how many tasks of one key run at a time; None = no bound.
    """

    worker: str
    slots: int
    work_dir: Path
    lease_s: float
    heartbeat_s: float
    poll_interval_s: float
    attempts_max: int
    drain_s: float
    retry_pause_s: float
    keeping_s: float = 0.0
    engine: str | None = None
    concurrency: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace:
    """What attempts work with. media: remembers which films were made here. moderator: None = nobody judges films.

    lease_clock: measures leases and does not jump when the machine's time is set; None = ``clock``.
    """

    store: TaskStore
    executor: Executor
    blobs: BlobStore
    clock: Clock
    jobs: Jobs
    limits: DispatchLimits
    media: MediaStore | None = None
    moderator: Moderator | None = None
    lease_clock: Clock | None = None

    def lease_now(self) -> datetime:
        """Return the present moment by the clock that measures leases."""
        return (self.lease_clock or self.clock).now()


class Attempt:
    """A claim being worked on. It can be stopped from outside while it renders; never while it writes its end."""

    def __init__(self, claim: Claim, slot: int, workplace: Workplace) -> None:
        self.claim = claim
        self._slot = slot
        self._at = workplace
        self._claimed_at = workplace.lease_now()
        self._doubted = asyncio.Event()
        self._progress = 0.0
        self._is_stopped = False
        self._render: asyncio.Task[Outcome | None] | None = None

    @property
    def task_id(self) -> str:
        """The task's id."""
        return self.claim.task.id

    async def run(self) -> None:
        """Work on the claim until the task has ended, is handed back, or is no longer ours.

        Raises: Unavailable when the store took neither; the lease then lapses and the task is claimed anew.
        """
        self._render = render = asyncio.create_task(self._ending())
        try:
            await self._keep_claim(render)
        finally:
            if not render.done():
                render.cancel()
                await asyncio.wait({render})
        outcome = None if render.cancelled() else render.result()
        if outcome is None:
            # Without effect when the claim was lost: it is fenced by its token.
            await self._insisted(self._hand_back)
            await self._drop_blobs()
        else:
            is_ours = await self._insisted(lambda: self._finish(outcome))
            await self._drop_blobs(keep=outcome.film if is_ours else None)
            if is_ours and outcome.film is not None:
                await self._note_time(outcome.film)

    def stop(self) -> None:
        """Kill the render and hand the task back, if it is still ours; without effect when the render is over."""
        if self._render is not None and not self._is_stopped:
            # Once only: a second cancellation would cut short the cleaning up after the first.
            self._is_stopped = True
            self._render.cancel()

    def doubt(self) -> None:
        """Say that the task changed, whoever did it: whether the claim still holds is asked at once."""
        self._doubted.set()

    async def _keep_claim(self, render: "asyncio.Task[Outcome | None]") -> None:
        """Extend the lease until the render is over; kill the render when the claim is lost."""
        while True:
            doubt = asyncio.ensure_future(self._doubted.wait())
            waits: set[asyncio.Future[Any]] = {render, doubt}
            await asyncio.wait(waits, timeout=self._at.limits.heartbeat_s, return_when=asyncio.FIRST_COMPLETED)
            doubt.cancel()
            self._doubted.clear()
            if render.done():
                return
            if not self._is_stopped and not await self._beat():
                log.warning("attempt %d at task %s lost its claim and is stopped", self.claim.token, self.task_id)
                self.stop()

    async def _beat(self) -> bool:
        """Send a heartbeat; False when the claim is lost for certain."""
        lease_until = self._at.lease_now() + timedelta(seconds=self._at.limits.lease_s)
        try:
            return await self._at.store.heartbeat(self.claim, self._progress, lease_until)
        except Unavailable as error:
            # As long as the store does not answer, nobody else can claim the task either.
            log.warning("no heartbeat for task %s: %s", self.task_id, error)
            return True

    def _advance(self, done: int, total: int) -> None:
        if total > 0:
            self._progress = max(self._progress, min(1.0, done / total))

    async def _ending(self) -> Outcome | None:
        """Render, and return how the task ends; None = it is to be tried again."""
        limits = self._at.limits
        is_last = self.claim.token >= limits.attempts_max
        try:
            if self.claim.token > limits.attempts_max:
                # The attempts before were cut off by the death of the server, or they would have ended the task.
                message = f"The task was given up: {limits.attempts_max} attempts were interrupted."
                return await self._failed(Violation("InternalServiceError", "", message))
            return await self._film()
        except TaskFailed as error:
            log.info("attempt %d at task %s failed: %s", self.claim.token, self.task_id, error)
            return None if error.is_retryable and not is_last else await self._failed(error.violation)
        except Unavailable as error:
            log.warning("attempt %d at task %s was stopped: %s", self.claim.token, self.task_id, error)
            return None if not is_last else await self._failed(error.violation)
        except Exception:  # boundary: a bug must end one attempt, not the slot
            log.exception("attempt %d at task %s met a bug", self.claim.token, self.task_id)
            return None if not is_last else await self._failed(INTERNAL)

    async def _film(self) -> Outcome:
        """Render the film and store it.

        Raises: TaskFailed; Unavailable when the film cannot be stored.
        """
        task, token = self.claim.task, self.claim.token
        directory = self._at.limits.work_dir / attempt_name(task.id, token)
        try:
            await asyncio.to_thread(_make_empty, directory)
            media = await self._staged(task, directory / MEDIA_FOLDER)
            job = self._at.jobs.job(task, str(directory / FILM_FOLDER), media)
            result = await self._at.executor.run(self._slot, job, self._advance)
            video, last_frame = await asyncio.to_thread(_produced_files, directory / FILM_FOLDER, result)
            # Settled before it is stored: a film that cannot be rated is not worth an fsync.
            entry = self._at.jobs.settlement(task, result)
            await self._screen(video)
            await self._remember(video, last_frame)
            if last_frame is not None:
                await self._keep(last_frame, last_frame_key(task.id, token, last_frame.suffix))
            await self._keep(video, video_key(task.id, token, video.suffix))
            return Outcome(
                status=Status.SUCCEEDED,
                entry=entry,
                film=_film_of(self.claim, job, result),
                completion_tokens=entry.completion_tokens,
                warnings=self._at.jobs.told_of(task, result),
            )
        finally:
            await asyncio.to_thread(shutil.rmtree, directory, ignore_errors=True)

    async def _staged(self, task: Task, folder: Path) -> dict[int, str]:
        """Return local files with the bytes of the task's media, by their places in the content.

        Raises: TaskFailed when they are gone; Unavailable.
        """
        media = {index: item.medium for index, item in enumerate(task.request.content) if item.medium is not None}
        keys = {medium.key for medium in media.values()}
        if not keys:
            return {}
        await asyncio.to_thread(folder.mkdir)
        try:
            paths = {key: await self._at.blobs.local_copy(key, folder) for key in sorted(keys)}
        except FileNotFoundError as error:
            message = "The media of the task are no longer stored."
            raise TaskFailed(Violation("InternalServiceError", "", message), is_retryable=False) from error
        except OSError as error:
            raise Unavailable(Violation("ServiceUnavailable", "", "The media cannot be read now.")) from error
        return {index: str(paths[medium.key].absolute()) for index, medium in media.items()}

    async def _screen(self, video: Path) -> None:
        """Let a film pass that may be delivered. Whoever judges it is asked again for a while, not the engine.

        Raises: TaskFailed; Unavailable.
        """
        owner, media_type = self.claim.task.owner, MEDIA_TYPES[video.suffix[1:]]
        refused = await self._insisted(lambda: film_refused(self._at.moderator, owner, video, media_type=media_type))
        if refused is not None:
            raise TaskFailed(refused, is_retryable=False)

    async def _remember(self, *made: Path | None) -> None:
        """Record that these files were made here: as media of later tasks they show nobody but our own actors."""
        media = self._at.media
        if media is not None:
            for path in made:
                if path is not None:
                    digest = await asyncio.to_thread(sha256_of, path)
                    await self._insisted(partial(media.remember_film, digest))

    async def _keep(self, path: Path, key: str) -> None:
        """Store a file. It waits for a store that is away: to render anew what cannot be stored helps nobody.

        Raises: Unavailable.
        """
        await self._insisted(lambda: unbroken(self._at.blobs.put(path, key)), for_s=self._at.limits.keeping_s)

    async def _failed(self, violation: Violation) -> Outcome:
        hold, *_ = await self._insisted(lambda: self._at.store.ledger(self.task_id))
        return Outcome(
            status=Status.FAILED,
            entry=replace(hold, kind=EntryKind.VOIDED),
            error=TaskError(code=violation.code, message=violation.message),
        )

    async def _finish(self, outcome: Outcome) -> bool:
        """End the task; False when the claim was lost, and with it this outcome."""
        if await self._at.store.finish(self.claim, outcome, self._at.clock.now()):
            return True
        # A call that raised may have been written all the same; then this is the second, and the film is delivered.
        task = await self._at.store.get(self.claim.task.owner, self.task_id)
        return task is not None and outcome.film is not None and task.film == outcome.film

    async def _note_time(self, film: Film) -> None:
        """Remember how long it took, for those who ask how long theirs will."""
        now = self._at.clock.now()
        took = render_time(self.claim.task, film, claimed_at=self._claimed_at, ended_at=self._at.lease_now())
        try:
            await self._at.store.note_render(took, now)
        except Unavailable as error:
            log.info("how long task %s took is not remembered: %s", self.task_id, error)

    async def _hand_back(self) -> bool:
        return await self._at.store.hand_back(self.claim, self._at.clock.now())

    async def _insisted(self, call: Callable[[], Awaitable[T]], *, for_s: float | None = None) -> T:
        """Call the store, or another service, again and again while it is unavailable. for_s: None = one lease.

        Raises: Unavailable after that; after a lease of silence, whoever claims the task next begins anew.
        """
        clock = asyncio.get_running_loop()
        give_up_at_s = clock.time() + (self._at.limits.lease_s if for_s is None else for_s)
        pause_s = self._at.limits.retry_pause_s
        while True:
            try:
                return await call()
            except Unavailable as error:
                if clock.time() + pause_s > give_up_at_s:
                    raise
                log.warning("what becomes of task %s has to wait: %s", self.task_id, error)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, RETRY_PAUSE_MOST_S)

    async def _drop_blobs(self, keep: Film | None = None) -> None:
        """Delete what this attempt and those before it stored, except a delivered film.

        Earlier attempts can have been cut off between storing their film and saying so; none of them can be current.
        """
        kept = (keep.video_blob, keep.last_frame_blob) if keep is not None else ()
        for key in blob_keys(self.claim.task):
            if key not in kept:
                try:
                    await self._at.blobs.delete(key)
                except (OSError, Unavailable) as error:
                    log.warning("the blob %s is left behind: %s", key, error)


def _film_of(claim: Claim, job: RenderJob, result: RenderResult) -> Film:
    frame = result.last_frame
    return Film(
        video_blob=video_key(claim.task.id, claim.token, Path(result.video).suffix),
        last_frame_blob=frame and last_frame_key(claim.task.id, claim.token, Path(frame).suffix),
        ratio=result.ratio,
        width_px=result.width_px,
        height_px=result.height_px,
        duration_s=result.duration_s,
        fps=job.fps,
        num_frames=result.num_frames,
        has_sound=result.has_sound,
        tool_usage=result.tool_usage,
    )


def _make_empty(directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    (directory / FILM_FOLDER).mkdir(parents=True)


def _produced(directory: Path, name: str) -> Path:
    """Return the path of a file that the engine says it wrote.

    Raises: TaskFailed when it is no regular file with bytes in it, directly in the directory.
    """
    path = directory / name
    if Path(name).name == name and not path.is_symlink() and path.is_file() and path.stat().st_size:
        return path
    message = "The engine did not write the file that it reported."
    raise TaskFailed(Violation("InternalServiceError", "", message), is_retryable=False)


def _produced_files(directory: Path, result: RenderResult) -> tuple[Path, Path | None]:
    """Return the film and the last frame that the engine says it wrote.

    Raises: TaskFailed also when nobody could tell by the ending what they are.
    """
    for name, endings in ((result.video, FILM_ENDINGS), (result.last_frame, FRAME_ENDINGS)):
        if name is not None and Path(name).suffix not in endings:
            message = "The engine wrote a file in a format that this server does not deliver."
            raise TaskFailed(Violation("InternalServiceError", "", message), is_retryable=False)
    frame = _produced(directory, result.last_frame) if result.last_frame is not None else None
    return _produced(directory, result.video), frame
