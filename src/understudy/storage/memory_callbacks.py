"""The outbox in plain dictionaries. No method awaits, so each is one transaction on the event loop."""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from understudy.core.callbacks import TRIES_KEPT, Callback, Delivery, DeliveryState, Target, Try
from understudy.core.task import Status, Task


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """One change and what became of it. tried, recorded: the number of the latest try, and of the latest settled."""

    task: Task
    number: int
    due_at: datetime | None
    state: DeliveryState = DeliveryState.PENDING
    tried: int = 0
    recorded: int = 0
    tries: tuple[Try, ...] = ()


class MemoryCallbackStore:
    """`core.callbacks.CallbackStore` without files; the task store beside it says what changed.

    check_open: raises Unavailable once the store is closed. is_live: whether a task has not ended yet.
    """

    def __init__(self, *, check_open: Callable[[], None], is_live: Callable[[str], bool]) -> None:
        self._check_open = check_open
        self._is_live = is_live
        self._targets: dict[str, Target] = {}
        self._changes: dict[str, list[_Change]] = {}
        self._turns: dict[str, int] = {}

    def begin(self, task: Task, target: Target) -> None:
        """Have this new task's changes told."""
        self._targets[task.id] = target
        self._changes[task.id] = []

    def change(self, task: Task) -> None:
        """Record that a task's status changed; `begin` said whether anybody is told."""
        if task.id in self._targets and task.status is not Status.CANCELLED:
            changes = self._changes[task.id]
            changes.append(_Change(task=task, number=len(changes) + 1, due_at=task.updated_at))

    async def take_due(  # tidy: the port's
        self, now: datetime, until: datetime, most: int, busy: Collection[str] = ()
    ) -> Sequence[Callback]:
        """See the port."""
        self._check_open()
        waiting: dict[str, list[tuple[datetime, str, int]]] = defaultdict(list)
        for task_id, changes in self._changes.items():
            first = _first_of(changes)
            origin = self._targets[task_id].origin
            if first is not None and first.due_at is not None and first.due_at <= now and origin not in busy:
                waiting[origin].append((first.due_at, task_id, first.number))
        queues = {origin: sorted(waiting[origin]) for origin in waiting}
        order = sorted(queues, key=lambda origin: (self._turns.get(origin, 0), queues[origin][0][0], origin))
        rounds = range(max(map(len, queues.values()), default=0))
        dealt = [(origin, queues[origin][each]) for each in rounds for origin in order if each < len(queues[origin])]
        taken = []
        for _, (_, task_id, number) in dealt[:most]:
            change = self._changes[task_id][number - 1]
            change = self._keep(replace(change, due_at=until, tried=change.tried + 1))
            taken.append(Callback(task=change.task, number=number, target=self._targets[task_id], tries=change.tried))
        turn = max(self._turns.values(), default=0)
        self._turns |= {origin: turn + nth for nth, origin in enumerate(dict.fromkeys(o for o, _ in dealt[:most]), 1)}
        return tuple(taken)

    async def settle(
        self, callback: Callback, tried: Try, *, state: DeliveryState, due_at: datetime | None = None
    ) -> bool:
        """See the port; one that stays pending without a moment is due at once."""
        self._check_open()
        change = self._change(callback.task.id, callback.number)
        if change is None or change.tried != callback.tries or change.state is not DeliveryState.PENDING:
            return False
        due_at = (due_at or tried.at) if state is DeliveryState.PENDING else None
        # Tries that were begun and never settled are counted, and not among those that are kept. Who did not hear that
        # a try was recorded records it once more.
        others = change.tries[:-1] if change.recorded == change.tried else change.tries
        kept = (*others, tried)[-TRIES_KEPT:]
        self._keep(replace(change, state=state, due_at=due_at, recorded=change.tried, tries=kept))
        return True

    async def next_due(self) -> datetime | None:
        """See the port."""
        self._check_open()
        firsts = (_first_of(changes) for changes in self._changes.values())
        return min((first.due_at for first in firsts if first is not None and first.due_at is not None), default=None)

    async def deliveries(self, owner: str, task_id: str) -> Sequence[Delivery] | None:
        """See the port."""
        self._check_open()
        changes = self._of_owner(owner, task_id)
        if not changes:
            return None
        return tuple(
            Delivery(
                number=change.number,
                status=change.task.status,
                changed_at=change.task.updated_at,
                state=change.state,
                due_at=change.due_at,
                tried=change.tried,
                tries=change.tries,
            )
            for change in changes
        )

    async def resend(  # tidy: the port's
        self, owner: str, task_id: str, number: int | None, now: datetime
    ) -> int:
        """See the port."""
        self._check_open()
        changes = self._of_owner(owner, task_id)
        change = self._change(task_id, len(changes) if number is None else number) if changes else None
        if change is None:
            return 0
        self._keep(replace(change, state=DeliveryState.PENDING, due_at=now))
        return 1

    async def forget_told(self, created_before: datetime, most: int) -> int:
        """See the port; a task that has not ended has more to tell, and is not forgotten."""
        self._check_open()
        told = [
            changes[0].task
            for changes in self._changes.values()
            if changes[0].task.created_at < created_before
            and _first_of(changes) is None
            and not self._is_live(changes[0].task.id)
        ]
        told.sort(key=lambda task: task.created_at)
        for task in told[:most]:
            del self._changes[task.id], self._targets[task.id]
        return len(told[:most])

    def _of_owner(self, owner: str, task_id: str) -> list[_Change]:
        changes = self._changes.get(task_id, [])
        return changes if changes and changes[0].task.owner == owner else []

    def _change(self, task_id: str, number: int) -> _Change | None:
        changes = self._changes.get(task_id, [])
        return changes[number - 1] if 0 < number <= len(changes) else None

    def _keep(self, change: _Change) -> _Change:
        self._changes[change.task.id][change.number - 1] = change
        return change


def _first_of(changes: list[_Change]) -> _Change | None:
    """Return the first that is pending: the only one of its task that may be told."""
    return next((change for change in changes if change.state is DeliveryState.PENDING), None)
