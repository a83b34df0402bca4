"""What stands between a request and its render: whose turn it is, how much may wait, and what comes with a new task."""

from dataclasses import dataclass

from understudy.core.callbacks import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Idempotency:
    """A caller's promise that requests of the same key are one request.

    key: as the caller sent it. fingerprint: SHA-256 of the request, 32 bytes; the same key with another fingerprint is
    a mistake. task_id: the task that the key made; "" while there is none.
    """

    key: str
    fingerprint: bytes
    task_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """What is written together with a new task, or keeps it out.

    queued_most: how many tasks of its lane may wait, this one included; None = any number.
    """

    callback: Target | None = None
    idempotency: Idempotency | None = None
    queued_most: int | None = None


ADMITTED = Admission()
"""No callback, no key, no bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """The tasks of one API key for one engine: they wait among themselves, and lanes take turns.

    key_id: "" = the tasks of before keys were recorded. queued, running: how many there are.
    """

    key_id: str
    engine: str
    queued: int
    running: int


class QueueFull(Exception):
    """As many tasks of the lane wait as may; nothing was stored. queued_most: that bound."""

    def __init__(self, queued_most: int) -> None:
        super().__init__(f"{queued_most} tasks are waiting")
        self.queued_most = queued_most


class Replayed(Exception):
    """The idempotency key is in use; nothing was stored. earlier: what it was used for."""

    def __init__(self, earlier: Idempotency) -> None:
        super().__init__(f"the key made task {earlier.task_id}")
        self.earlier = earlier


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderTime:
    """How long one film took, from claim to end; what estimates are learned from.

    kind: engine, model and size, in one text. film_s: the film's length. took_s: the attempt's.
    """

    kind: str
    film_s: float
    took_s: float
