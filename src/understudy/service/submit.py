"""Submitting: a judged request becomes one stored task with its hold, in one transaction."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from types import MappingProxyType

from understudy.core.errors import Rejected, Unavailable, Violation
from understudy.core.media import Spooled
from understudy.core.ports import Clock, IdTaken, Randomness, TaskStore
from understudy.core.request import SEED_CHOSEN_BY_SERVER
from understudy.core.task import Status, Task
from understudy.dialects.codec import Decoded
from understudy.service.examine import Examiner
from understudy.service.intake import Intake
from understudy.service.judge import Judged
from understudy.service.rehearsal import Rehearsals

ID_TRIES_MAX = 8
NOTHING_SPOOLED: Spooled = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitter:
    """Accepts requests. wake: tells the dispatcher of new work.

    intake: None = media stay what they are, addresses, and nobody moderates.
    """

    examiner: Examiner
    store: TaskStore
    clock: Clock
    randomness: Randomness
    wake: Callable[[], None]
    intake: Intake | None = None
    rehearsals: Rehearsals = field(default_factory=Rehearsals)

    async def submit(
        self, *, owner: str, dialect: str, decoded: Decoded, is_strict: bool = False, spooled: Spooled = NOTHING_SPOOLED
    ) -> Task:
        """Store the request as a queued task with its hold and return it. is_strict: a warning is a violation.

        spooled: the files that data URLs of the request stand for.

        Raises: Rejected (all violations), NotFound for a model this server does not answer for; Unavailable; whatever
        is rehearsed.
        """
        judged = await self.examiner.examine(owner, dialect, decoded, is_strict=is_strict)
        if judged.violations:
            raise Rejected(*judged.violations)
        self.rehearsals.turn_away(owner, judged)
        if self.intake is not None and self.intake.concerns(judged):
            judged = await self.intake.take_in(
                judged, owner=owner, dialect=dialect, names=decoded.names, spooled=spooled
            )
            if judged.violations:
                raise Rejected(*judged.violations)
        task = self._task(judged, owner=owner, dialect=dialect)
        for _ in range(ID_TRIES_MAX):
            try:
                await self.store.insert(task, self.examiner.judge.hold(judged, task.id))
            except IdTaken:
                task = replace(task, id=self._new_id(task.created_at))
                continue
            self.wake()
            return task
        raise Unavailable(Violation("ServiceUnavailable", "", "No free task id was found, please try again."))

    def _task(self, judged: Judged, *, owner: str, dialect: str) -> Task:
        now, request = self.clock.now(), judged.request
        assert request.execution_expires_after_s is not None, "a dialect makes its defaults explicit"
        is_over = judged.rehearsal is not None and judged.rehearsal.expires_at_once
        chosen = request.seed is None or request.seed == SEED_CHOSEN_BY_SERVER
        return Task(
            id=self._new_id(now),
            owner=owner,
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


@lru_cache(maxsize=2)
def _second(epoch_s: int) -> str:
    """Spell a second as ids do; many tasks are made in the same one."""
    return f"{datetime.fromtimestamp(epoch_s, UTC):%Y%m%d%H%M%S}"
