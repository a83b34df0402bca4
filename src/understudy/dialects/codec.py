"""What every dialect's codec offers: pure functions between wire values and the core's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from understudy.core.errors import UnderstudyError, Violation
from understudy.core.model_spec import Profile
from understudy.core.request import GenerationRequest
from understudy.core.task import Status, Task, TaskError, TaskFilter, TaskPage, Warned


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """A request as its dialect understood it, and what it dropped or rewrote on the way.

    warnings: with the parameters as the dialect spells them. names: Ark's parameter -> this dialect's, where they
    differ; see `dialects.naming`.
    """

    request: GenerationRequest
    warnings: tuple[Warned, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """A request in a dialect's bytes, JSON; lost: what the request says and the dialect cannot carry.

    The parameters in ``lost`` are Ark's, because the dialect has no word for them.
    """

    body: bytes
    lost: tuple[Warned, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorAnswer:
    """An error as a dialect tells it: HTTP status and JSON body."""

    status: int
    body: bytes


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Shapes:
    """The msgspec structs of a dialect's bodies, of which its OpenAPI is made. page: None without a listing.

    other_error: the second form of errors, where a dialect tells some in another; error stays the one of tasks.
    """

    request: type
    created: type
    task: type
    error: type
    page: type | None = None
    other_error: type | None = None


class Links(Protocol):
    """Turns blob keys into addresses that a client can open."""

    @property
    def expires_at_s(self) -> int | None:
        """When the addresses of this answer stop working, epoch seconds; None = never."""
        ...

    @property
    def kept_s(self) -> int | None:
        """How long tasks and their films are kept, in seconds from the creation on; None = for good."""
        ...

    def url(self, blob_key: str) -> str:
        """Return an absolute, self-authorising address."""
        ...


class Codec(Protocol):
    """One dialect, both ways."""

    name: str
    profile: Profile
    shapes: Shapes

    def decode_request(self, fields: Mapping[str, Any]) -> Decoded:
        """Read a create request from its parsed object (`json_body.read_object`, or a form).

        Every default of the dialect is made explicit, and so are roles.

        Raises: Rejected.
        """
        ...

    def encode_request(self, request: GenerationRequest) -> Encoded:
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

    def encode_error(self, violation: Violation, request_id: str) -> ErrorAnswer:
        """Write an error, with the HTTP status that the dialect gives it."""
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


@runtime_checkable
class RecordsCodec(Codec, Protocol):
    """A dialect whose clients can also list tasks and delete their records."""

    def decode_filter(self, query: Sequence[tuple[str, str]], *, now: datetime) -> TaskFilter:
        """Read a listing's query.

        Raises: Rejected.
        """
        ...

    def encode_page(self, page: TaskPage, links: Links) -> bytes:
        """Write the answer to a listing."""
        ...

    def decode_page(self, body: bytes) -> tuple[tuple[RemoteTask, ...], int]:
        """Read the answer to a listing: the tasks and the total."""
        ...

    def encode_deleted(self, task_id: str) -> bytes:
        """Write the answer to a deletion."""
        ...
