"""Dispatch: one loop per slot that claims tasks and works on them, one attempt after another."""

import asyncio
import contextlib
import logging
from collections.abc import Collection
from datetime import timedelta

from understudy.core.task import Claim
from understudy.service.attempt import Attempt, Workplace

log = logging.getLogger(__name__)


class Dispatcher:
    """Keeps every slot of the executor busy while there are tasks.

    Its promises: a task that was claimed ends exactly once, or returns to the queue, or its lease lapses; no failure
    of an engine, an executor or a store ends a loop; nothing is rendered on for a task that is no longer ours.
    """

    def __init__(self, workplace: Workplace) -> None:
        self._at = workplace
        self._loops: set[asyncio.Task[None]] = set()
        self._woken = tuple(asyncio.Event() for _ in range(workplace.limits.slots))
        self._attempts: dict[int, Attempt] = {}
        self._idle: set[int] = set()
        self._closing = asyncio.Event()

    async def start(self) -> None:
        """Begin to claim; where others fill and empty the queue as well, what they do is heard."""
        if self._at.store.is_shared and self._woken:
            self._at.store.listen(self._heard)
        for slot in range(self._at.limits.slots):
            self._loops.add(asyncio.create_task(self._serve(slot), name=f"dispatch slot {slot}"))

    def wake(self) -> None:
        """Tell idle slots that there may be a task."""
        for event in self._woken:
            event.set()

    def _heard(self, task_id: str | None) -> None:
        """Look for work, because there may be some, and at the claims of what changed elsewhere."""
        self._wake_one()
        for attempt in self._attempts.values():
            if task_id in (attempt.task_id, None):
                attempt.doubt()

    def _wake_one(self) -> None:
        """Tell one idle slot: where a hundred workers hear of one task, not each slot of each need look for it."""
        for slot in self._idle:
            if not self._woken[slot].is_set():
                self._woken[slot].set()
                return

    def lost(self, task_ids: Collection[str]) -> None:
        """Stop the attempts at tasks that have ended by other means, without waiting for their next heartbeat."""
        for attempt in self._attempts.values():
            if attempt.task_id in task_ids:
                attempt.stop()

    async def close(self) -> None:
        """Claim no more, wait a while for what renders, then kill it and hand its tasks back."""
        self._closing.set()
        self.wake()
        if not self._loops:
            return
        _, late = await asyncio.wait(self._loops, timeout=self._at.limits.drain_s)
        for attempt in self._attempts.values():
            attempt.stop()
        if late:
            # A claim that cannot be handed back within a lease has lapsed and needs no handing back.
            _, late = await asyncio.wait(late, timeout=self._at.limits.lease_s)
        for loop in late:
            loop.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        self._loops.clear()

    async def _serve(self, slot: int) -> None:
        while await self._has_place(slot):
            # Cleared before looking: a task that comes in while we look is not overlooked.
            self._woken[slot].clear()
            try:
                claim = await self._claim(slot)
            except Exception:  # boundary: whatever the store met, the slot goes on, at the pace of the poll
                log.exception("slot %d could not look for a task", slot)
                await asyncio.sleep(self._at.limits.poll_interval_s)
                continue
            if claim is None:
                await self._wait_for_work(slot)
            else:
                # Where there was one there may be more.
                self._wake_one()
                await self._work_on(claim, slot)

    async def _has_place(self, slot: int) -> bool:
        """Wait until a job could be begun; False when there is to be no other."""
        waits = {
            asyncio.ensure_future(self._at.executor.available(slot)),
            asyncio.ensure_future(self._closing.wait()),
        }
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        return not self._closing.is_set()

    async def _claim(self, slot: int) -> Claim | None:
        limits = self._at.limits
        lease_now = self._at.lease_now()
        claim = await self._at.store.claim(
            f"{limits.worker}/{slot}",
            self._at.clock.now(),
            lease_now + timedelta(seconds=limits.lease_s),
            engine=limits.engine,
            concurrency=limits.concurrency,
            lease_now=lease_now,
        )
        waited_s = (self._at.lease_now() - lease_now).total_seconds()
        if claim is not None and waited_s > limits.heartbeat_s and not await self._still_holds(claim):
            # The answer came so late that the lease was over, and somebody else has the task by now.
            log.warning("the claim of task %s came after %.1f s and is lost", claim.task.id, waited_s)
            return None
        return claim

    async def _still_holds(self, claim: Claim) -> bool:
        """Ask for a whole lease before anything is begun.

        Raises: Unavailable.
        """
        until = self._at.lease_now() + timedelta(seconds=self._at.limits.lease_s)
        return await self._at.store.heartbeat(claim, 0.0, until)

    async def _work_on(self, claim: Claim, slot: int) -> None:
        # Its lease lapsed although we are at it, because the store was away for long: the older one is over.
        self.lost({claim.task.id})
        attempt = self._attempts[slot] = Attempt(claim, slot, self._at)
        try:
            await attempt.run()
        except Exception:  # boundary: the task keeps its claim until the lease lapses; the slot goes on
            log.exception("attempt %d at task %s did not come to an end", claim.token, claim.task.id)
        finally:
            del self._attempts[slot]

    async def _wait_for_work(self, slot: int) -> None:
        self._idle.add(slot)
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._at.limits.poll_interval_s):
                    await self._woken[slot].wait()
        finally:
            self._idle.discard(slot)
