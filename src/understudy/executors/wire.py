"""The messages between an executor and its render process: one JSON value per line, a job in, these out.

The process sends `Ready` once, then for each job any number of `Progressed` and exactly one `Rendered` or `Failed`.
"""

import msgspec

from understudy.core.render import RenderJob, RenderResult


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The engine is warm; jobs may come."""


class Progressed(msgspec.Struct, frozen=True, tag="progressed"):
    """So many frames are done of so many in all."""

    done: int
    total: int


class Rendered(msgspec.Struct, frozen=True, tag="rendered"):
    """The job's film lies in its output directory."""

    result: RenderResult


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag="failed"):
    """The engine raised. code: of `core.errors.CODES`. is_unexpected: the process ends itself after this message."""

    code: str
    param: str
    message: str
    is_retryable: bool
    is_unexpected: bool


Message = Ready | Progressed | Rendered | Failed

_encoder = msgspec.json.Encoder()
_message_decoder: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)
_job_decoder = msgspec.json.Decoder(RenderJob)


def encode_line(value: RenderJob | Message) -> bytes:
    """Return the value as one line; a line break inside a string is escaped, so the line is one."""
    return _encoder.encode(value) + b"\n"


def decode_job(line: bytes) -> RenderJob:
    """Return the job of one line.

    Raises: msgspec.DecodeError.
    """
    return _job_decoder.decode(line)


def decode_message(line: bytes) -> Message:
    """Return the message of one line.

    Raises: msgspec.DecodeError for anything that is not exactly one of the four.
    """
    return _message_decoder.decode(line)
