"""What every dialect's codec offers: pure functions between wire bytes and the core's values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from understudy.core.errors import UnderstudyError, Violation
from understudy.core.model_spec import Profile
from understudy.core.request import GenerationRequest
from understudy.core.task import Status, Task, TaskError, TaskFilter, TaskPage, Warned


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """A request as its dialect understood it, and what it dropped or rewrote on the way."""

    request: GenerationRequest
    warnings: tuple[Warned, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteTask:
    """A task as a client reads it from a server's answer; ``raw`` holds the whole answer.

    id: in the dialect's spelling. completion_tokens: None until it succeeded.
    """

    id: str
    model: str
    status: Status
    video_url: str | None = None
    last_frame_url: str | None = None
    completion_tokens: int | None = None
    error: TaskError | None = None
    progress: float | None = None
    warnings: tuple[Warned, ...] = ()
    raw: Mapping[str, Any]


class Links(Protocol):
    """Turns blob keys into addresses that a client can open."""

    def url(self, blob_key: str) -> str:
        """Return an absolute, self-authorising address."""
        ...


class Codec(Protocol):
    """One dialect, both ways."""

    name: str
    profile: Profile

    def decode_request(self, body: bytes) -> Decoded:
        """Read a create request; every default of the dialect is made explicit.

        Raises: Rejected.
        """
        ...

    def encode_request(self, request: GenerationRequest) -> bytes:
        """Write a create request; fields that are None are left out."""
        ...

    def encode_created(self, task: Task) -> bytes:
        """Write the answer to a create."""
        ...

    def decode_created(self, body: bytes) -> str:
        """Return the task id, in the dialect's spelling, from the answer to a create."""
        ...

    def encode_task(self, task: Task, links: Links) -> bytes:
        """Write the answer to a get."""
        ...

    def decode_task(self, body: bytes) -> RemoteTask:
        """Read the answer to a get."""
        ...

    def encode_page(self, page: TaskPage, links: Links) -> bytes:
        """Write the answer to a listing."""
        ...

    def decode_page(self, body: bytes) -> tuple[tuple[RemoteTask, ...], int]:
        """Read the answer to a listing: the tasks and the total."""
        ...

    def decode_filter(self, query: Sequence[tuple[str, str]], *, now: datetime) -> TaskFilter:
        """Read a listing's query.

        Raises: Rejected.
        """
        ...

    def encode_error(self, violation: Violation, request_id: str) -> bytes:
        """Write an error."""
        ...

    def decode_error(self, status: int, body: bytes) -> UnderstudyError:
        """Read an error answer into the core's tree."""
        ...

    def wire_id(self, task_id: str) -> str:
        """Spell an internal task id in this dialect."""
        ...

    def task_id(self, wire_id: str) -> str | None:
        """Return the internal id of any dialect's spelling, or None when it cannot be one."""
        ...
