"""Sample tasks, holds and outcomes for suites that need some and do not care which."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from understudy.core.content import ContentItem, Modality
from understudy.core.ports import Outcome
from understudy.core.request import GenerationRequest
from understudy.core.task import Claim, EntryKind, Film, LedgerEntry, Status, Task, TaskError, Warned

NOW = datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=UTC)
LEASE_END = NOW + timedelta(minutes=1)
EXPIRY = NOW + timedelta(days=2)


def sample_request(**changes: object) -> GenerationRequest:
    """Return a resolved text request with the changed fields."""
    text = ContentItem(modality=Modality.TEXT, value='A fox says "oui, 是 🦊" \\ in the rain.\nThe camera pans left.')
    request = GenerationRequest(
        model="model-a", content=(text,), ratio="16:9", resolution="480p", duration_s=5, service_tier="default"
    )
    return replace(request, **changes)  # type: ignore[arg-type]


def sample_task(number: int = 0, **changes: object) -> Task:
    """Return a new task. Its age and its id follow the number; a priority among the changes goes to the request."""
    request = {key: changes.pop(key) for key in ("priority", "model", "service_tier") if key in changes}
    created_at = NOW + timedelta(milliseconds=number)
    task = Task(
        id=f"20261121120000-{number:05d}",
        owner="project-a",
        dialect="ark",
        engine="scripted",
        request=sample_request(**request),
        seed=2**32 - 1,
        status=Status.QUEUED,
        created_at=created_at,
        updated_at=created_at,
        expires_at=EXPIRY,
    )
    return replace(task, **changes)  # type: ignore[arg-type]


def hold_of(task: Task) -> LedgerEntry:
    """Return the hold that goes with a new task."""
    return LedgerEntry(
        task_id=task.id, kind=EntryKind.HOLD, currency="CNY", amount_micros=5_000_000, completion_tokens=108_900
    )


def voided_of(task: Task) -> LedgerEntry:
    """Return the entry that releases the sample hold."""
    return replace(hold_of(task), kind=EntryKind.VOIDED)


def posted_of(task: Task) -> LedgerEntry:
    """Return an entry that settles less than the sample hold."""
    return replace(hold_of(task), kind=EntryKind.POSTED, amount_micros=4_968_000, completion_tokens=108_000)


def success_of(claim: Claim) -> Outcome:
    """Return an outcome with a film, one warning and one use of a tool."""
    film = Film(
        video_blob=f"{claim.task.id}-{claim.token}/video.mp4",
        last_frame_blob=None,
        ratio="16:9",
        width_px=864,
        height_px=496,
        duration_s=5,
        fps=24,
        num_frames=121,
        has_sound=True,
        tool_usage={"web_search": 2},
    )
    return Outcome(
        status=Status.SUCCEEDED,
        entry=posted_of(claim.task),
        film=film,
        completion_tokens=108_000,
        warnings=(Warned(param="tools", message="The engine searches nothing."),),
    )


def failure_of(claim: Claim) -> Outcome:
    """Return an outcome with an error."""
    error = TaskError(code="InternalServiceError", message="The renderer stopped.")
    return Outcome(status=Status.FAILED, entry=voided_of(claim.task), error=error)
