"""The lines between an executor and its render process, one JSON value each: orders go in, messages come out.

The process is sent `Begin` once and answers `Ready` when it is warm. Then, for each `Work`, it sends any number of
`Progressed` and exactly one `Rendered`, `Failed` or `Stopped`, which means that it is idle again. `Stop` may cross with
that answer: it names the job that it means, and is void once that job is over.
"""

from typing import Any

import msgspec

from understudy.core.render import RenderJob, RenderResult


class Begin(msgspec.Struct, frozen=True, tag="begin"):
    """Make the engine with these keyword arguments and warm it.

    It is a line and no word of the command line: that has a bound, and every user of the machine may read it.
    """

    arguments: dict[str, Any]


class Work(msgspec.Struct, frozen=True, tag="work"):
    """Render the job. number: which of this process's jobs it is, from 1."""

    number: int
    job: RenderJob


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """Give up the job of this number, and be ready for the next."""

    number: int


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The engine is warm; jobs may come."""


class Progressed(msgspec.Struct, frozen=True, tag="progressed"):
    """So many frames are done of so many in all."""

    done: int
    total: int


class Rendered(msgspec.Struct, frozen=True, tag="rendered"):
    """The job's film lies in its output directory."""

    result: RenderResult


class Stopped(msgspec.Struct, frozen=True, tag="stopped"):
    """The job was given up because that was asked."""


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag="failed"):
    """The engine raised. code: of `core.errors.CODES`. is_unexpected: the process ends itself after this message."""

    code: str
    param: str
    message: str
    is_retryable: bool
    is_unexpected: bool


Order = Begin | Work | Stop
Message = Ready | Progressed | Rendered | Stopped | Failed

_encoder = msgspec.json.Encoder()
_order_decoder: msgspec.json.Decoder[Order] = msgspec.json.Decoder(Order)
_message_decoder: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)


def encode_line(value: Order | Message) -> bytes:
    """Return the value as one line; a line break inside a string is escaped, so the line is one."""
    return _encoder.encode(value) + b"\n"


def decode_order(line: bytes) -> Order:
    """Return the order of one line.

    Raises: msgspec.DecodeError.
    """
    return _order_decoder.decode(line)


def decode_message(line: bytes) -> Message:
    """Return the message of one line.

    Raises: msgspec.DecodeError for anything that is not exactly one of the five.
    """
    return _message_decoder.decode(line)
