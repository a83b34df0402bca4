"""The ports: what the use cases need from the world. Adapters implement them; only `bootstrap` names adapters."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from understudy.core.callbacks import CallbackStore
from understudy.core.errors import Violation
from understudy.core.model_spec import ModelSpec
from understudy.core.queueing import ADMITTED, Admission, Idempotency, Lane, RenderTime
from understudy.core.rehearsal import Rehearsal
from understudy.core.render import RenderJob, RenderResult
from understudy.core.request import GenerationRequest
from understudy.core.scenario import Scenario
from understudy.core.task import (
    Claim,
    Film,
    LedgerEntry,
    Removed,
    Status,
    Task,
    TaskError,
    TaskFilter,
    TaskPage,
    Warned,
)


class Clock(Protocol):
    """Time. Tests use a clock they move by hand."""

    def now(self) -> datetime:
        """Return the present moment, aware, UTC."""
        ...


class Randomness(Protocol):
    """The two random things the server makes up."""

    def task_suffix(self) -> str:
        """Return five characters of a-z0-9 for a new task id."""
        ...

    def seed(self) -> int:
        """Return a seed for a request that left it open, 0..2^31-1."""
        ...


class IdTaken(Exception):
    """A task id is in use already; choose another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key as it is stored: never the secret, only its digest. owner: the project it belongs to."""

    id: str
    owner: str
    digest: bytes
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an attempt ended the task: a film with its tokens, or an error. entry: posted or voided, same transaction."""

    status: Status
    entry: LedgerEntry
    film: Film | None = None
    completion_tokens: int | None = None
    error: TaskError | None = None
    warnings: tuple[Warned, ...] = ()


Heard = Callable[[str | None], None]
"""Told the id of a task that changed, or None: any of them may have, because some changes were not heard."""


class TaskStore(Protocol):
    """The record of tasks, the queue and the ledger. Every method is one transaction, durable when it returns."""

    @property
    def callbacks(self) -> CallbackStore:
        """The outbox, which this store fills."""
        ...

    @property
    def is_shared(self) -> bool:
        """Whether other processes may have the same store open: several servers and workers over one database."""
        ...

    async def insert(self, task: Task, hold: LedgerEntry, admission: Admission = ADMITTED) -> None:
        """Store a new task with its hold, its use of the media in its content, and what it is admitted with.

        Raises: IdTaken; `queueing.Replayed`; `queueing.QueueFull`; Unavailable when a medium of it is not stored, or is
        being removed. A replay is told even when the queue is full.
        """
        ...

    async def recall(self, owner: str, idempotency_key: str) -> Idempotency | None:
        """Return what an owner's idempotency key was used for, if it was."""
        ...

    async def get(self, owner: str, task_id: str) -> Task | None:
        """Return the owner's task, or None."""
        ...

    async def list_tasks(self, owner: str, wanted: TaskFilter) -> TaskPage:
        """Return one page of the owner's tasks, newest first (by creation, then id) unless turned round."""
        ...

    async def withdraw(self, owner: str, task_id: str, now: datetime) -> Task | None:
        """Cancel the task if it is queued, remove its record if it succeeded, failed or expired; else leave it.

        Returns the task as it was before, or None when there is none. A cancelled task's hold is voided. The record of
        an archived task is never removed.
        """
        ...

    async def archive(self, owner: str, task_id: str) -> Task | None:
        """Keep the task's record and files for good, in whatever state it is; return it as it is now, None for none."""
        ...

    async def unarchive(self, owner: str, task_id: str) -> Task | None:
        """Let the task's time count again, from its creation; return it as it is now, or None when there is none."""
        ...

    async def cancel(self, owner: str, task_id: str, now: datetime) -> Task | None:
        """Cancel the task if it is queued or running and void its hold; else leave it.

        A running one's claim is lost with it. Returns the task as it was before, or None when there is none.
        """
        ...

    async def claim(
        self,
        worker: str,
        now: datetime,
        lease_until: datetime,
        *,
        engine: str | None = None,
        concurrency: int | None = None,
        lease_now: datetime | None = None,
    ) -> Claim | None:
        """Take the next task, of those queued or running with a lapsed lease.

        Lanes take turns: the one with the fewest running first, of equals the one that had a turn longest ago. Within
        a lane the highest priority goes first, then the oldest. Of a lapsed task and the queued one whose turn it is,
        the same: priority, then age. The task becomes ``running`` and its attempt, the fencing token, grows by one.
        Tasks past ``expires_at`` are never claimed.

        engine: only this engine's; None = any. concurrency: how many of a lane may run at a time; a lapsed task runs
        already. The bound holds however many claim at once. lease_now: the present moment by the clock that leases are
        measured with, where that is another one, which does not jump; None = ``now``.
        """
        ...

    async def heartbeat(self, claim: Claim, progress: float, lease_until: datetime) -> bool:
        """Extend the lease and record progress; False when the claim is no longer the task's current one."""
        ...

    async def finish(self, claim: Claim, outcome: Outcome, now: datetime) -> bool:
        """End the task with its ledger entry; False, and nothing is written, when the claim is no longer current."""
        ...

    async def hand_back(self, claim: Claim, now: datetime) -> bool:
        """Return a claimed task to the queue; False when the claim is no longer current."""
        ...

    async def hand_back_all(self, now: datetime) -> int:
        """Return every running task to the queue: for a store that only this process can have open. Gives how many."""
        ...

    async def expire(self, now: datetime) -> Sequence[str]:
        """Expire all tasks past ``expires_at`` that have not ended, void their holds; return their ids."""
        ...

    async def purge(self, *, created_before: datetime, cancelled_before: datetime) -> Sequence[Task]:
        """Remove ended tasks created before, and cancelled ones last changed before; return them. At most 1000.

        Archived ones stay.
        """
        ...

    async def take_removed(self, now: datetime, most: int) -> Sequence[Removed]:
        """Return tasks whose record is gone and whose files were not yet said to be, at most so many.

        A removed record is among them from the moment it is gone, if any attempt was begun. Those that were returned
        longest ago come first, and none that was returned at this moment or later: what failed waits for its turn.
        """
        ...

    async def forget_removed(self, task_ids: Sequence[str]) -> None:
        """Record that the files of removed tasks are gone."""
        ...

    async def lanes(self) -> Sequence[Lane]:
        """Return the lanes in which a task waits or runs, in the order of their turns."""
        ...

    async def queued_ids(self, key_id: str, engine: str, most: int) -> Sequence[str]:
        """Return the ids of the tasks that wait in a lane, in the order of their turns, at most so many."""
        ...

    async def note_render(self, took: RenderTime, now: datetime) -> None:
        """Remember how long a film took; of each kind only the latest are kept."""
        ...

    async def render_times(self, kinds: Sequence[str]) -> Sequence[RenderTime]:
        """Return what is remembered of films of these kinds, the latest first."""
        ...

    async def lead(self, duty: str, worker: str, now: datetime, until: datetime) -> bool:  # tidy: two who, two when
        """Take or keep a duty that one of several servers has at a time; say whether this one has it until then."""
        ...

    async def forget_idempotency(self, used_before: datetime, most: int) -> int:
        """Forget idempotency keys that were used before, at most so many; return how many."""
        ...

    def listen(self, heard: Heard) -> None:
        """Have changes of tasks told from now on, on the event loop that this is called on, after they are durable.

        A new task, a claim, an end and a return to the queue are told, whichever process made them; progress is not.
        What is told can be told twice, and early or late by moments.
        """
        ...

    async def ledger(self, task_id: str) -> Sequence[LedgerEntry]:
        """Return a task's ledger entries in the order written; they outlive the task's record."""
        ...

    async def add_key(self, key: ApiKey) -> None:
        """Store a key."""
        ...

    async def keys(self) -> Sequence[ApiKey]:
        """Return all keys."""
        ...

    async def close(self) -> None:
        """Finish what was submitted and release the files."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobFacts:
    """What a store knows of a blob. etag: strong, in quotes, the same as long as the bytes are.

    path: the file that holds it, where there is one on this machine.
    """

    size_bytes: int
    etag: str
    path: Path | None = None


class BlobStore(Protocol):
    """Stored bytes under server-made keys."""

    async def put(self, path: Path, key: str) -> None:
        """Move a finished local file into the store under the key; durable when it returns."""
        ...

    async def stat(self, key: str) -> BlobFacts | None:
        """Return what is known of the blob, or None when there is none. A malformed key is None, never an error."""
        ...

    def read(self, key: str, *, start: int, length_bytes: int) -> AsyncGenerator[bytes]:
        """Yield a part of the blob, a chunk at a time, without ever holding the whole of it.

        Raises: FileNotFoundError before the first chunk; OSError when it breaks off.
        """
        ...

    async def local_copy(self, key: str, directory: Path) -> Path:
        """Return a local file with the blob's bytes: the stored file, to be read only, or a copy in the directory.

        Raises: FileNotFoundError, OSError.
        """
        ...

    async def delete(self, key: str) -> None:
        """Remove the blob; an unknown key is no error."""
        ...


OnProgress = Callable[[int, int], None]
"""Called with (frames done, frames in all)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOffer:
    """What the server must know of an engine without loading it: the value behind an entry point `understudy.engines`.

    reference: ``"module:attribute"`` of what makes the engine, imported by the render process only.
    ignored: names of request fields that it accepts and that change nothing -> why, a sentence for the caller.
    done_anyway: ignored fields -> the values that ask for what it does in any case, of which nobody need be told.
    changes_videos: the prompt changes what is seen of a reference video; else remixes and edits are made anew.
    rehearse: what the engine's own words in a prompt ask the server to do; None = it has no such words.
    memory_bytes: private memory that its render process may have, in which strangers' media are decoded; None = as much
    as there is.
    configured: the offer as the operator's settings of this engine make it; they are those whose names begin with the
    engine's, and ``models_dir``. It raises ValueError with a sentence for the operator. None = it has no settings.
    review: what this engine has against a resolved request, and what it will do otherwise than asked.
    arguments: JSON; keyword arguments of what makes the engine, in the render process.
    slots: what is added to the environment of each slot's process, such as the devices it may see; empty = nothing, and
    as many slots as the settings say.
    stops_within_s: how long a render may take to stop when asked, so that its process stays warm; 0 = it is killed.
    warm_timeout_s, silence_timeout_s, render_timeout_s: what this engine needs where that is more than the settings'.
    """

    name: str
    reference: str
    scenarios: frozenset[Scenario]
    ignored: Mapping[str, str]
    done_anyway: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    changes_videos: bool = True
    memory_bytes: int | None = None
    rehearse: Callable[[GenerationRequest], Rehearsal | None] | None = None
    configured: "Callable[[Mapping[str, object]], EngineOffer] | None" = None
    review: "Callable[[GenerationRequest, ModelSpec], Review] | None" = None
    arguments: Mapping[str, object] = field(default_factory=dict)
    slots: tuple[Mapping[str, str], ...] = ()
    stops_within_s: float = 0.0
    warm_timeout_s: float = 0.0
    silence_timeout_s: float = 0.0
    render_timeout_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What an engine says of a request before it is taken; parameters as Ark calls them.

    violations: why it cannot be made. warnings: what of it will be made otherwise than asked.
    """

    violations: tuple[Violation, ...] = ()
    warnings: tuple[Warned, ...] = ()


class RenderStopped(Exception):
    """The render is to stop: raised by an engine's own call of progress. It lets it pass and is ready for the next."""


class Engine(Protocol):
    """Something that renders. It runs in a render process, never in the server's."""

    def warm(self) -> None:
        """Load what every clip needs; called once before the first job."""
        ...

    def render(self, job: RenderJob, progress: OnProgress) -> RenderResult:
        """Render the job's film into its output directory.

        Raises: TaskFailed; RenderStopped, which progress raised.
        """
        ...


class Executor(Protocol):
    """Runs jobs on engines, one at a time per slot, in processes that can be killed."""

    async def available(self, slot: int) -> None:
        """Return once a job for this slot would be begun soon: no task is claimed for a place that is not there.

        At once where places are always there.
        """
        ...

    def is_ready(self) -> bool:
        """Say whether some slot is warm: a job given now is begun at once or after the one under way."""
        ...

    async def run(self, slot: int, job: RenderJob, on_progress: OnProgress) -> RenderResult:
        """Run a job to its end. When the awaiting task is cancelled, the render is over before this returns.

        It is stopped where its engine stops when asked, else killed.

        Raises: TaskFailed (the engine's own, or retryable when the render process died).
        """
        ...

    async def start(self) -> None:
        """Start and warm all slots."""
        ...

    async def close(self) -> None:
        """Kill what runs and end the processes."""
        ...
