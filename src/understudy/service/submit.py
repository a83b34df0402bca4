"""Submitting: a judged request becomes one stored task with its hold, in one transaction; a repeated one the same."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from types import MappingProxyType

from understudy.core.callbacks import Target
from understudy.core.errors import RateLimited, Rejected, Unavailable, Violation
from understudy.core.media import Spooled
from understudy.core.ports import Clock, IdTaken, Randomness, TaskStore
from understudy.core.queueing import Admission, Idempotency, QueueFull, Replayed
from understudy.core.request import SEED_CHOSEN_BY_SERVER
from understudy.core.task import Status, Task
from understudy.dialects.codec import Decoded
from understudy.dialects.naming import renamed
from understudy.service.examine import Examiner
from understudy.service.idempotency import fingerprint_of, first_answer
from understudy.service.intake import Intake
from understudy.service.judge import Judged
from understudy.service.rehearsal import Rehearsals

ID_TRIES_MAX = 8
QUEUE_PAUSE_S = 30
"""When a full queue is worth another try: about as long as a short film takes."""
NOTHING_SPOOLED: Spooled = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """What a request comes with beside itself. key_id: of the API key.

    root: scheme, host and path prefix under which the server was reached, for what is told later. idempotency_key:
    requests with the same one are one; None = each is its own.
    """

    key_id: str = ""
    root: str = ""
    idempotency_key: str | None = None


NOBODY_KNOWN = Sender()


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The task as it is answered: as it was created. is_replayed: an earlier request of the same key created it."""

    task: Task
    is_replayed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitter:
    """Accepts requests. wake: tells the dispatcher of new work.

    intake: None = media stay what they are, addresses, and nobody moderates. queued_most: tasks of one key that may
    wait; None = any number. callback_refusal: why nothing would ever be told to an address.
    """

    examiner: Examiner
    store: TaskStore
    clock: Clock
    randomness: Randomness
    wake: Callable[[], None]
    intake: Intake | None = None
    rehearsals: Rehearsals = field(default_factory=Rehearsals)
    queued_most: int | None = None
    callback_refusal: Callable[[str], Violation | None] = lambda _url: None

    async def submit(
        self,
        *,
        owner: str,
        dialect: str,
        decoded: Decoded,
        is_strict: bool = False,
        spooled: Spooled = NOTHING_SPOOLED,
        sender: Sender = NOBODY_KNOWN,
    ) -> Accepted:
        """Store the request as a queued task with its hold and return it. is_strict: a warning is a violation.

        spooled: the files that data URLs of the request stand for.

        Raises: Rejected (all violations), NotFound for a model this server does not answer for; RateLimited when too
        many tasks of the key wait; Unavailable; whatever is rehearsed.
        """
        idempotency = None
        if sender.idempotency_key is not None:
            # Before anything else: what was accepted once is not judged again.
            fingerprint = await fingerprint_of(dialect, decoded.request, spooled)
            idempotency = Idempotency(key=sender.idempotency_key, fingerprint=fingerprint)
            earlier = await self.store.recall(owner, idempotency.key)
            if earlier is not None:
                return await self._replayed(owner, idempotency, earlier)
        judged = await self._judged(owner, dialect, decoded, is_strict=is_strict, spooled=spooled)
        task = self._task(judged, owner=owner, dialect=dialect, key_id=sender.key_id)
        address = task.request.callback_url
        admission = Admission(
            callback=Target(url=address, root=sender.root) if address else None,
            idempotency=idempotency,
            queued_most=self.queued_most,
        )
        for _ in range(ID_TRIES_MAX):
            try:
                await self.store.insert(task, self.examiner.judge.hold(judged, task.id), admission)
            except IdTaken:
                task = replace(task, id=self._new_id(task.created_at))
                continue
            except Replayed as replay:
                # Two came at once, and the other was stored first.
                assert idempotency is not None
                return await self._replayed(owner, idempotency, replay.earlier)
            except QueueFull as full:
                raise RateLimited(_queue_is_full(full.queued_most), retry_after_s=QUEUE_PAUSE_S) from None
            self.wake()
            return Accepted(task=task)
        raise Unavailable(Violation("ServiceUnavailable", "", "No free task id was found, please try again."))

    async def _judged(self, owner: str, dialect: str, decoded: Decoded, *, is_strict: bool, spooled: Spooled) -> Judged:
        """Return the request as it is to be stored, its media taken in.

        Raises: Rejected, NotFound, Unavailable; whatever is rehearsed.
        """
        judged = await self.examiner.examine(owner, dialect, decoded, is_strict=is_strict)
        if judged.violations:
            raise Rejected(*judged.violations)
        refusal = self.callback_refusal(judged.request.callback_url) if judged.request.callback_url else None
        if refusal is not None:
            raise Rejected(renamed(refusal, decoded.names))
        self.rehearsals.turn_away(owner, judged)
        if self.intake is not None and self.intake.concerns(judged):
            judged = await self.intake.take_in(
                judged, owner=owner, dialect=dialect, names=decoded.names, spooled=spooled
            )
            if judged.violations:
                raise Rejected(*judged.violations)
        return judged

    async def _replayed(self, owner: str, asked: Idempotency, earlier: Idempotency) -> Accepted:
        return Accepted(
            task=first_answer(asked, earlier, await self.store.get(owner, earlier.task_id)), is_replayed=True
        )

    def _task(self, judged: Judged, *, owner: str, dialect: str, key_id: str) -> Task:
        now, request = self.clock.now(), judged.request
        assert request.execution_expires_after_s is not None, "a dialect makes its defaults explicit"
        is_over = judged.rehearsal is not None and judged.rehearsal.expires_at_once
        chosen = request.seed is None or request.seed == SEED_CHOSEN_BY_SERVER
        return Task(
            id=self._new_id(now),
            owner=owner,
            key_id=key_id,
            dialect=dialect,
            engine=self.examiner.judge.engine.name,
            request=request,
            seed=self.randomness.seed() if chosen else int(request.seed or 0),
            status=Status.QUEUED,
            created_at=now,
            updated_at=now,
            expires_at=now if is_over else now + timedelta(seconds=request.execution_expires_after_s),
            warnings=judged.warnings,
        )

    def _new_id(self, now: datetime) -> str:
        return f"{_second(int(now.timestamp()))}-{self.randomness.task_suffix()}"


def _queue_is_full(queued_most: int) -> Violation:
    message = f"You have reached the limit of {queued_most} queued tasks; please try again when some have been started."
    return Violation("QuotaExceeded", "", message)


@lru_cache(maxsize=2)
def _second(epoch_s: int) -> str:
    """Spell a second as ids do; many tasks are made in the same one."""
    return f"{datetime.fromtimestamp(epoch_s, UTC):%Y%m%d%H%M%S}"
