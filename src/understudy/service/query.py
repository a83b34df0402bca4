"""Reading and withdrawing tasks: what an owner may see of them, and for how long."""

from dataclasses import dataclass, replace
from datetime import datetime

from understudy.catalog.load import Catalogue
from understudy.core.errors import Conflict, NotFound, Violation
from understudy.core.ports import BlobStore, Clock, TaskStore
from understudy.core.task import Status, Task, TaskFilter, TaskPage
from understudy.service.films import blob_keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Queries:
    """Get, list and withdraw. record_retention_s, cancelled_retention_s: how long records are shown, in seconds."""

    catalogue: Catalogue
    store: TaskStore
    blobs: BlobStore
    clock: Clock
    record_retention_s: int
    cancelled_retention_s: int

    async def get(self, owner: str, task_id: str) -> Task:
        """Return the owner's task.

        Raises: NotFound, also for another owner's task and for one whose time is over.
        """
        task = await self.store.get(owner, task_id)
        if task is None or self._is_over(task, self.clock.now()):
            raise NotFound(no_such_task(task_id))
        return task

    async def list_tasks(self, owner: str, wanted: TaskFilter) -> TaskPage:
        """Return one page; a model alias in the filter means its model."""
        if wanted.model is not None:
            model = self.catalogue.model(wanted.model)
            wanted = replace(wanted, model=model.id if model else wanted.model)
        return await self.store.list_tasks(owner, wanted)

    async def withdraw(self, owner: str, task_id: str) -> None:
        """Cancel a queued task, or remove the record and the files of one that succeeded, failed or expired.

        Raises: NotFound; Conflict for a running task, which is not stopped, and for a cancelled one.
        """
        now = self.clock.now()
        before = await self.store.get(owner, task_id)
        if before is None or self._is_over(before, now):
            raise NotFound(no_such_task(task_id))
        task = await self.store.withdraw(owner, task_id, now)
        if task is None:
            raise NotFound(no_such_task(task_id))
        if task.status is Status.RUNNING:
            raise Conflict(_not_while(task_id, "RunningTaskDeletion", "currently running"))
        if task.status is Status.CANCELLED:
            raise Conflict(_not_while(task_id, "CancelledTaskDeletion", "already cancelled"))
        for key in blob_keys(task):
            await self.blobs.delete(key)

    def _is_over(self, task: Task, now: datetime) -> bool:
        if (now - task.created_at).total_seconds() > self.record_retention_s:
            return True
        age_s = (now - task.updated_at).total_seconds()
        return task.status is Status.CANCELLED and age_s > self.cancelled_retention_s


def no_such_task(task_id: str) -> Violation:
    """Return the violation for a task that is not there, or not for this owner."""
    return Violation("NotFound.TaskId", "id", f"The specified task `{task_id}` is not found.")


def _not_while(task_id: str, action: str, state: str) -> Violation:
    message = f"Cannot delete task `{task_id}` because it is {state}."
    return Violation(f"InvalidAction.{action}", "", message)
