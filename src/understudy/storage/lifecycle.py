"""What a store accepts and what it adds to the ledger: pure checks and values that every store shares.

The transitions themselves live in each store, because in SQL a transition is one conditional statement.
"""

from understudy.core.errors import Rejected, Unavailable, Violation
from understudy.core.ports import Outcome
from understudy.core.queueing import ADMITTED, Admission
from understudy.core.task import Claim, EntryKind, LedgerEntry, Status, Task

PURGE_MOST = 1000
"""Most tasks that one purge removes. Source: `core.ports.TaskStore.purge`."""

RENDER_TIMES_KEPT = 32
"""Our own bound: of each kind, the latest are enough for an estimate, and old ones are of other machines."""


def check_new(task: Task, hold: LedgerEntry, admission: Admission = ADMITTED) -> None:
    """Refuse a task that is not as `submit` makes it.

    Raises:
        ValueError: the pair contradicts itself, a bug of the caller.
        Rejected: a name in it holds a character that a database cannot keep.
    """
    is_new = task.status is Status.QUEUED and task.attempt == 0 and task.progress == 0
    if not is_new or task.film or task.error or task.completion_tokens is not None:
        raise ValueError(f"task {task.id!r} is not new: a store takes queued tasks without attempt or outcome")
    if hold.kind is not EntryKind.HOLD or hold.task_id != task.id:
        raise ValueError(f"the ledger entry of new task {task.id!r} is not its hold")
    texts = [
        ("id", task.id),
        ("project", task.owner),
        ("key", task.key_id),
        ("dialect", task.dialect),
        ("engine", task.engine),
        ("model", task.request.model),
        ("service_tier", task.request.service_tier or ""),
    ]
    if admission.idempotency is not None:
        texts.append(("Idempotency-Key", admission.idempotency.key))
    if admission.callback is not None:
        texts += [("callback_url", admission.callback.url), ("Host", admission.callback.root)]
    for param, text in texts:
        if not is_storable(text):
            raise unstorable(param)


def is_storable(text: str) -> bool:
    """Say whether every database keeps the text as it is: no NUL (PostgreSQL, C strings), no lone surrogate."""
    if text.isascii():
        return "\0" not in text
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def unstorable(param: str) -> Rejected:
    """Make the error for text that cannot be kept; requests are cleaned before, so this is the second line."""
    sentence = f"The parameter `{param}` holds a NUL character or a lone surrogate, which cannot be stored."
    return Rejected(Violation("InvalidParameter", param, sentence))


def check_outcome(claim: Claim, outcome: Outcome) -> None:
    """Refuse an outcome that is no end of an attempt.

    Raises:
        ValueError: it contradicts itself, a bug of the caller.
    """
    if outcome.status is Status.SUCCEEDED:
        is_whole = outcome.film is not None and outcome.completion_tokens is not None and outcome.error is None
    else:
        is_whole = outcome.status is Status.FAILED and outcome.error is not None and outcome.film is None
        is_whole = is_whole and outcome.completion_tokens is None
    if not is_whole:
        raise ValueError(f"an attempt of {claim.task.id!r} ends with a film and its tokens, or with an error")
    if outcome.entry.kind is EntryKind.HOLD or outcome.entry.task_id != claim.task.id:
        raise ValueError(f"the ledger entry of {claim.task.id!r} neither posts nor voids its hold")


def voided(hold: LedgerEntry) -> LedgerEntry:
    """Give the entry that releases a hold: the same amount, in the other direction."""
    return LedgerEntry(
        task_id=hold.task_id,
        kind=EntryKind.VOIDED,
        currency=hold.currency,
        amount_micros=hold.amount_micros,
        completion_tokens=hold.completion_tokens,
    )


def bounded_progress(progress: float) -> float:
    """Bring progress into 0..1 (not a number becomes 0): a lease must not be lost over an advisory figure."""
    return min(progress, 1.0) if progress > 0 else 0.0


def unavailable(reason: str) -> Unavailable:
    """Make the error for a store that cannot serve now; the reason says no more than a caller may know."""
    return Unavailable(Violation("ServiceUnavailable", "", f"The server cannot serve the request now: {reason}."))
