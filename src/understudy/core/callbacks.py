"""Callbacks: what is told to a caller's address at each change of a task's status, and what became of each telling.

A store writes a callback in the transaction of the change, so neither is without the other. `cancelled` is told to
nobody, because it is the caller's own doing. Source: Ark's documents, "callback_url": queued, running, succeeded,
failed and expired are told.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from understudy.core.task import Status, Task

_AUTHORITY = re.compile(r"(https?)://(?:[^/?#]*@)?([^/?#]*)", re.IGNORECASE)
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a task's changes are told.

    url: http or https. root: scheme, host and path prefix under which the caller reached this server, for the links in
    what is told.
    """

    url: str
    root: str

    @property
    def origin(self) -> str:
        """Scheme, host and port of the address, in lower case and without a default port: who takes turns, and waits.

        Of no use for connecting: a malformed address has one as well.
        """
        found = _AUTHORITY.match(self.url.strip(" "))
        if found is None:
            return ""
        scheme = found[1].lower()
        return f"{scheme}://{found[2].lower().removesuffix(_DEFAULT_PORTS[scheme])}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """One change to be told now.

    task: as it was right after the change. number: of the change, from 1; a task's changes are told in this order.
    tries: how often it was begun to be told, this time included; also what fences an older try.
    """

    task: Task
    number: int
    target: Target
    tries: int

    @property
    def id(self) -> str:
        """What receivers tell repetitions by: the same at each try, another for each change."""
        return f"{self.task.id}-{self.number}"


class DeliveryState(StrEnum):
    """What became of a callback. Only pending ones are tried; a resend makes any of them pending."""

    PENDING = "pending"
    DELIVERED = "delivered"
    GIVEN_UP = "given up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One attempt to tell. status: the answer's HTTP status, None without one. fault: why it failed, "" if it did not.

    A fault is a sentence without anything of the answer's body.
    """

    at: datetime
    took_s: float
    status: int | None = None
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One line of the log. status: what is told. due_at: when it is tried next, None unless pending.

    tries: the latest, `TRIES_KEPT` at most, oldest first. tried: how often in all.
    """

    number: int
    status: Status
    changed_at: datetime
    state: DeliveryState
    due_at: datetime | None
    tried: int
    tries: tuple[Try, ...] = ()


TRIES_KEPT = 20
"""Our own bound: a target that is dead for days must not grow the log without end."""


class CallbackStore(Protocol):
    """The outbox: what is yet to be told, and the log. Every method is one transaction, durable when it returns."""

    async def take_due(  # tidy: two moments, in order, as of a lease
        self, now: datetime, until: datetime, most: int, busy: Collection[str] = ()
    ) -> Sequence[Callback]:
        """Take callbacks that are due, each for nobody else until then; most: how many at most.

        Of each task only the first that is pending, so that order is kept. Origins (scheme, host and port of the
        target) take turns, the one that waited longest first, so that a thousand callbacks of one do not stand before
        the first of another; those in ``busy`` have none.
        """
        ...

    async def settle(
        self, callback: Callback, tried: Try, *, state: DeliveryState, due_at: datetime | None = None
    ) -> bool:
        """Record what became of a try; False, and nothing is written, when it was taken again meanwhile.

        due_at: when a pending one is tried next.
        """
        ...

    async def next_due(self) -> datetime | None:
        """Return when the next pending callback is due; it can be past. None when there is none."""
        ...

    async def deliveries(self, owner: str, task_id: str) -> Sequence[Delivery] | None:
        """Return the log of a task's callbacks in order, also when its record is gone; None without any callback."""
        ...

    async def resend(  # tidy: what and when
        self, owner: str, task_id: str, number: int | None, now: datetime
    ) -> int:
        """Make the callback of this number pending and due, or the latest one for None; return how many that were."""
        ...

    async def forget_told(self, created_before: datetime, most: int) -> int:
        """Forget callbacks of tasks created before, of which none is pending; most: tasks. Return how many tasks."""
        ...
