"""The steps that a client program asks for, and the answer it gets: the seam between logic and transport."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from understudy.client.part_file import PartFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Send one API request and answer with its body. path: below the base URL, already quoted.

    wait_s: whole seconds that the answer may wait for news, at servers that can; None = nothing is said of it.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    wait_s: int | None = None

    @property
    def headers(self) -> dict[str, str]:
        """The headers that the body and the waiting ask for. A preference (RFC 7240) is ignored where it is unknown."""
        found = {} if self.body is None else {"Content-Type": "application/json"}
        return found if self.wait_s is None else found | {"Prefer": f"wait={self.wait_s}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Wait; answered with nothing."""

    pause_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """Stream a result file into its part file, without the API key: the link may lead to another host."""

    url: str
    part: PartFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back. body: empty when a `Fetch` went into its file. headers: lower-case names; of a `Call` only."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


Step = Call | Pause | Fetch
T = TypeVar("T")
Program = Generator[Step, Answer | None, T]
"""Yields steps, is sent their answers (None after a pause) and returns its result.

A step that could not be performed is thrown in as `Unavailable`.
"""
