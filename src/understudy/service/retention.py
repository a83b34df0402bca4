"""How long records are kept: shown to their owner for exactly that long, and removed soon after."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from understudy.core.task import Status, Task

EVER = datetime(1970, 1, 1, tzinfo=UTC)
"""Before every task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long records are kept, in seconds: any after its creation, a cancelled one after its cancellation.

    record_retention_s: 0 = for good, cancelled ones as well.
    """

    record_retention_s: float
    cancelled_retention_s: float

    def created_before(self, now: datetime) -> datetime:
        """Return the moment before which no record was created that is still kept."""
        return self._ago(self.record_retention_s, now)

    def cancelled_before(self, now: datetime) -> datetime:
        """Return the moment before which no task was cancelled whose record is still kept."""
        return self._ago(self.cancelled_retention_s, now)

    def is_over(self, task: Task, now: datetime) -> bool:
        """Say whether a task's time is over; an archived one's never is."""
        if task.is_archived:
            return False
        is_cancelled_long_ago = task.status is Status.CANCELLED and task.updated_at < self.cancelled_before(now)
        return is_cancelled_long_ago or task.created_at < self.created_before(now)

    def _ago(self, age_s: float, now: datetime) -> datetime:
        if not self.record_retention_s or age_s >= (now - EVER).total_seconds():
            return EVER
        return now - timedelta(seconds=age_s)
