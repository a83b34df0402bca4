"""What an owner may see of the callbacks of a task, and have sent again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from understudy.core.callbacks import CallbackStore, Delivery
from understudy.core.errors import NotFound, Violation
from understudy.core.ports import Clock
from understudy.service.query import Queries, no_such_task


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackLog:
    """The log of deliveries. wake: tells the sender that something is due. secret: of an owner, to check signatures."""

    store: CallbackStore
    queries: Queries
    clock: Clock
    wake: Callable[[], None]
    secret: Callable[[str], str]

    async def deliveries(self, owner: str, task_id: str) -> Sequence[Delivery]:
        """Return what was and will be told of a task, in order; also after its record is gone.

        Raises: NotFound for a task that is not there, or not for this owner.
        """
        found = await self.store.deliveries(owner, task_id)
        if found is None:
            await self.queries.get(owner, task_id)
            return ()
        return found

    async def resend(self, owner: str, task_id: str, number: int | None) -> int:
        """Tell a change again, also one that was taken; the latest for None. Returns how many are told again.

        Raises: NotFound for a task, or a change of it, that is not there.
        """
        resent = await self.store.resend(owner, task_id, number, now=self.clock.now())
        if not resent:
            told = await self.deliveries(owner, task_id)
            if not told:
                message = f"No change of the task `{task_id}` was told to anybody: it has no callback_url."
                raise NotFound(Violation(no_such_task(task_id).code, "id", message))
            message = f"The task `{task_id}` has no callback number {number}; there are 1 to {told[-1].number}."
            raise NotFound(Violation(no_such_task(task_id).code, "number", message))
        self.wake()
        return resent
