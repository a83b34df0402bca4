"""Reading, withdrawing, cancelling and archiving tasks: what an owner may see of them, and for how long."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from understudy.catalog.load import Catalogue
from understudy.core.errors import Conflict, NotFound, Unavailable, Violation
from understudy.core.ports import BlobStore, Clock, TaskStore
from understudy.core.task import ENDED, Status, Task, TaskFilter, TaskPage
from understudy.service.films import blob_keys
from understudy.service.retention import Retention

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Queries:
    """Get, list, withdraw, cancel and archive. retention: how long records are shown.

    on_cancelled: told the id of a task that was cancelled, so that a render of it here stops at once.
    """

    catalogue: Catalogue
    store: TaskStore
    blobs: BlobStore
    clock: Clock
    retention: Retention
    on_cancelled: Callable[[str], None] = lambda _task_id: None

    async def get(self, owner: str, task_id: str) -> Task:
        """Return the owner's task.

        Raises: NotFound, also for another owner's task and for one whose time is over.
        """
        return self._shown(task_id, await self.store.get(owner, task_id))

    async def list_tasks(self, owner: str, wanted: TaskFilter) -> TaskPage:
        """Return one page; a model alias in the filter means its model, and how far back it reaches is settled here."""
        if wanted.model is not None:
            model = self.catalogue.model(wanted.model)
            wanted = replace(wanted, model=model.id if model else wanted.model)
        now = self.clock.now()
        wanted = replace(
            wanted,
            created_after=self.retention.created_before(now),
            cancelled_after=self.retention.cancelled_before(now),
        )
        return await self.store.list_tasks(owner, wanted)

    async def withdraw(self, owner: str, task_id: str) -> None:
        """Cancel a queued task, or remove the record and the files of one that succeeded, failed or expired.

        Raises: NotFound; Conflict for a running task, which is not stopped, for a cancelled one, and for an archived
        one that has ended.
        """
        await self.get(owner, task_id)
        task = await self.store.withdraw(owner, task_id, self.clock.now())
        if task is None:
            raise NotFound(no_such_task(task_id))
        if task.status is Status.RUNNING:
            raise Conflict(_not_while(task_id, "RunningTaskDeletion", "currently running"))
        if task.status is Status.CANCELLED:
            raise Conflict(_not_while(task_id, "CancelledTaskDeletion", "already cancelled"))
        if task.status is Status.QUEUED:
            return
        if task.is_archived:
            raise Conflict(_not_while(task_id, "ArchivedTaskDeletion", "archived; take it out of the archive first"))
        await self._remove_files(task)

    async def cancel(self, owner: str, task_id: str) -> Task:
        """Stop a task that is queued or running; its hold is voided. Returns it as it was before.

        Whoever renders it is told within a heartbeat, and stops.

        Raises: NotFound; Conflict for a task that has ended.
        """
        await self.get(owner, task_id)
        task = await self.store.cancel(owner, task_id, self.clock.now())
        if task is None:
            raise NotFound(no_such_task(task_id))
        if task.status in ENDED:
            message = f"Cannot cancel task `{task_id}` because it has ended: it is {task.status}."
            raise Conflict(Violation("InvalidAction.EndedTaskCancellation", "", message))
        self.on_cancelled(task_id)
        return task

    async def archive(self, owner: str, task_id: str) -> Task:
        """Keep the task and its files for good, also what it is yet to make; doing so twice is doing so once.

        Raises: NotFound.
        """
        await self.get(owner, task_id)
        # It can have been removed since it was looked at.
        return self._shown(task_id, await self.store.archive(owner, task_id))

    async def unarchive(self, owner: str, task_id: str) -> Task:
        """Let the task's time count again, from its creation: one that is older than records are kept is gone then.

        Raises: NotFound.
        """
        await self.get(owner, task_id)
        task = await self.store.unarchive(owner, task_id)
        if task is None:
            raise NotFound(no_such_task(task_id))
        return task

    def _shown(self, task_id: str, task: Task | None) -> Task:
        if task is None or self.retention.is_over(task, self.clock.now()):
            raise NotFound(no_such_task(task_id))
        return task

    async def _remove_files(self, task: Task) -> None:
        """Remove the files now, because the owner wants them gone; what fails is the reaper's to try again."""
        try:
            for key in blob_keys(task):
                await self.blobs.delete(key)
        except (OSError, Unavailable) as error:
            log.warning("files of the removed task %s are left for later: %s", task.id, error)


def no_such_task(task_id: str) -> Violation:
    """Return the violation for a task that is not there, or not for this owner."""
    return Violation("NotFound.TaskId", "id", f"The specified task `{task_id}` is not found.")


def _not_while(task_id: str, action: str, state: str) -> Violation:
    message = f"Cannot delete task `{task_id}` because it is {state}."
    return Violation(f"InvalidAction.{action}", "", message)
