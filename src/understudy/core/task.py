"""The task: one accepted request, its attempts and its outcome."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from understudy.core.request import GenerationRequest


class Status(StrEnum):
    """A task's state; the six words are Ark's. queued -> running -> an end state; queued -> expired | cancelled.

    running -> queued where an attempt was given up and another follows; running -> cancelled by our own door alone.
    """

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


ENDED = frozenset({Status.SUCCEEDED, Status.FAILED, Status.EXPIRED, Status.CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """One field that was dropped, rewritten or has no effect, told to the caller. param: the field's wire name."""

    param: str
    message: str


# Our own bound: a task keeps its warnings and every listing shows them.
WARNINGS_MAX = 100


def told_in_brief(warnings: tuple[Warned, ...]) -> tuple[Warned, ...]:
    """Return what a caller is told: the first warnings, and how many more there were."""
    if len(warnings) <= WARNINGS_MAX:
        return warnings
    more = len(warnings) - WARNINGS_MAX + 1
    return (*warnings[: WARNINGS_MAX - 1], Warned(param="", message=f"There are {more} more warnings of this kind."))


STILLS = {"thumbnail": "thumbnail.webp", "spritesheet": "spritesheet.jpg"}
"""Pictures of a film, poster and contact sheet, by the names of OpenAI's variants -> their names beside the film."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """What a succeeded task delivered.

    video_blob, last_frame_blob: keys in the blob store. duration_s: whole seconds, rounded down. num_frames: exact.
    tool_usage: tool -> how often the engine used it.
    """

    video_blob: str
    last_frame_blob: str | None
    ratio: str
    width_px: int
    height_px: int
    duration_s: int
    fps: int
    num_frames: int
    has_sound: bool
    tool_usage: Mapping[str, int] = field(default_factory=dict)

    def still_blob(self, variant: str) -> str:
        """Return the key of a picture of the film, which is made when it is first asked for. variant: of `STILLS`."""
        folder, slash, _ = self.video_blob.rpartition("/")
        return folder + slash + STILLS[variant]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskError:
    """Why a task failed: a code in Ark's vocabulary and a sentence."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One accepted request.

    id: ``YYYYMMDDHHMMSS-xxxxx``; a dialect spells it with its own prefix. owner: the project that owns it. key_id: of
    the API key that it was created with; those of one key wait among themselves, and keys take turns.
    request: resolved, ``request.model`` is a catalogue id. seed: 0..2^32-1, the one used.
    attempt: how often the task was claimed; also the fencing token of the current claim. progress: 0..1.
    expires_at: when it becomes ``expired`` if it has not ended. completion_tokens: set when it succeeded.
    is_archived: its record and its files are kept for good, whatever the retention says.
    """

    id: str
    owner: str
    dialect: str
    engine: str
    request: GenerationRequest
    seed: int
    status: Status
    created_at: datetime
    updated_at: datetime
    expires_at: datetime
    attempt: int = 0
    progress: float = 0.0
    film: Film | None = None
    completion_tokens: int | None = None
    error: TaskError | None = None
    warnings: tuple[Warned, ...] = ()
    is_archived: bool = False
    key_id: str = ""

    @property
    def percent(self) -> int:
        """Its progress in whole percent, rounded down; 100 once it succeeded and never before."""
        return 100 if self.status is Status.SUCCEEDED else min(int(self.progress * 100), 99)


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """A task whose record is gone and whose files may still be there. id, attempt: as they were in the record."""

    id: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFilter:
    """What a listing asks for; a field left empty does not filter.

    page, page_size: from 1. model: a catalogue id. created_after, cancelled_after: older records are not shown, and
    neither are cancelled ones last changed before the second: their time is over. Archived ones are always shown.
    after: a task's id; only those are shown, and counted, that stand behind it in the listing's order. It need not
    match the filter itself, but an id that the owner has no record of shows nothing.
    is_oldest_first: turns the order round.
    """

    page: int
    page_size: int
    created_after: datetime
    cancelled_after: datetime
    status: Status | None = None
    task_ids: tuple[str, ...] = ()
    model: str | None = None
    service_tier: str | None = None
    after: str | None = None
    is_oldest_first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPage:
    """One page of a listing, in its order; total counts all that match, on this page or not."""

    tasks: tuple[Task, ...]
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to work on a task until the lease ends. The pair (task.id, token) is the fencing token."""

    task: Task
    token: int
    worker: str


class EntryKind(StrEnum):
    """The ledger's two-phase words: a hold is posted or voided, once."""

    HOLD = "hold"
    POSTED = "posted"
    VOIDED = "voided"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One line of the ledger. amount_micros: millionths of one unit of ``currency``; never negative.

    completion_tokens: what the amount was computed from.
    """

    task_id: str
    kind: EntryKind
    currency: str
    amount_micros: int
    completion_tokens: int
