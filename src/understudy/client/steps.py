"""The steps that a client program asks for, and the answer it gets: the seam between logic and transport."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeVar

from understudy.client.part_file import PartFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Send one API request and answer with its body. path: below the base URL, already quoted."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None

    @property
    def headers(self) -> dict[str, str]:
        """The headers the body asks for."""
        return {} if self.body is None else {"Content-Type": "application/json"}


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
    """What came back. body: empty when a `Fetch` went into its file."""

    status: int
    body: bytes


Step = Call | Pause | Fetch
T = TypeVar("T")
Program = Generator[Step, Answer | None, T]
"""Yields steps, is sent their answers (None after a pause) and returns its result.

A step that could not be performed is thrown in as `Unavailable`.
"""
