"""Submitting: resolve, judge, rate and store a request as one task, in one transaction."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from understudy.billing.rating import most_tokens, priced
from understudy.catalog.load import Catalogue
from understudy.core.errors import NotFound, Rejected, Unavailable, Violation
from understudy.core.ports import Clock, EngineOffer, IdTaken, Randomness, TaskStore
from understudy.core.request import SEED_CHOSEN_BY_SERVER, GenerationRequest
from understudy.core.resolve import resolve
from understudy.core.rules import Case, violations
from understudy.core.task import EntryKind, Status, Task, Warned
from understudy.dialects.codec import Decoded

ID_TRIES_MAX = 8
WITHOUT_EFFECT = {"callback_url": "No callback is sent: this server has none yet, poll the task instead."}
"""Fields that no engine here could honour, with the sentence for the caller."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitter:
    """Accepts requests. book_id: the price book that tasks are rated with. wake: tells the dispatcher of new work."""

    catalogue: Catalogue
    store: TaskStore
    clock: Clock
    randomness: Randomness
    engine: EngineOffer
    book_id: str
    wake: Callable[[], None]

    async def submit(self, *, owner: str, dialect: str, decoded: Decoded) -> Task:
        """Store the request as a queued task with its hold and return it.

        Raises: Rejected (all violations), NotFound for a model this server does not answer for.
        """
        model = self.catalogue.model(decoded.request.model)
        if model is None:
            raise NotFound(_no_such_model(decoded.request.model))
        request = resolve(decoded.request, model)
        case = Case(
            request=request,
            model=model,
            profile=self.catalogue.profiles[dialect],
            engine=self.engine.name,
            served=self.engine.scenarios,
        )
        broken = violations(case)
        if broken:
            raise Rejected(*broken)
        price = self.catalogue.books[self.book_id].micros_per_million_tokens(model.price_row, str(request.resolution))
        tokens = most_tokens(self.catalogue.tokens, request, model)
        task = self._task(request, owner=owner, dialect=dialect, warnings=decoded.warnings)
        for _ in range(ID_TRIES_MAX):
            hold = priced(
                EntryKind.HOLD,
                task_id=task.id,
                tokens=tokens,
                price_micros=price,
                currency=self.catalogue.books[self.book_id].currency,
            )
            try:
                await self.store.insert(task, hold)
            except IdTaken:
                task = replace(task, id=self._new_id(task.created_at))
                continue
            self.wake()
            return task
        raise Unavailable(Violation("ServiceUnavailable", "", "No free task id was found, please try again."))

    def _task(self, request: GenerationRequest, *, owner: str, dialect: str, warnings: tuple[Warned, ...]) -> Task:
        now = self.clock.now()
        assert request.execution_expires_after_s is not None, "a dialect makes its defaults explicit"
        chosen = request.seed is None or request.seed == SEED_CHOSEN_BY_SERVER
        return Task(
            id=self._new_id(now),
            owner=owner,
            dialect=dialect,
            engine=self.engine.name,
            request=request,
            seed=self.randomness.seed() if chosen else int(request.seed or 0),
            status=Status.QUEUED,
            created_at=now,
            updated_at=now,
            expires_at=now + timedelta(seconds=request.execution_expires_after_s),
            warnings=warnings + self._without_effect(request),
        )

    def _new_id(self, now: datetime) -> str:
        return f"{_second(int(now.timestamp()))}-{self.randomness.task_suffix()}"

    def _without_effect(self, request: GenerationRequest) -> tuple[Warned, ...]:
        idle = {**WITHOUT_EFFECT, **self.engine.ignored}
        return tuple(Warned(param=param, message=why) for param, why in idle.items() if _is_set(request, param))


@lru_cache(maxsize=2)
def _second(epoch_s: int) -> str:
    """Spell a second as ids do; many tasks are made in the same one."""
    return f"{datetime.fromtimestamp(epoch_s, UTC):%Y%m%d%H%M%S}"


def _is_set(request: GenerationRequest, param: str) -> bool:
    value: object = getattr(request, param)
    return value not in (None, (), "")


def _no_such_model(name: str) -> Violation:
    message = f"The model or endpoint {name[:200]} does not exist or you do not have access to it."
    return Violation("InvalidEndpointOrModel.NotFound", "model", message)
