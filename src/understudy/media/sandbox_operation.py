"""What the sandbox can be asked to do, and the messages between the server and a sandboxed process.

An operation is named ``"module:attribute"``; the attribute is a function without arguments that loads all it will ever
need (modules, models, tables), because later there is no opening of files, and returns the `Operation` itself. The
operation reads the open file and returns what JSON can say. It raises `core.media.Unreadable` for what it cannot read.

Per request the process receives one line and one descriptor, and answers one line: `Done`, `Refused` or `Broken`.
"""

from collections.abc import Callable
from typing import Any, BinaryIO

import msgspec

from understudy.core.modality import Modality

Operation = Callable[[BinaryIO, Modality], Any]
Prepare = Callable[[], Operation]

LINE_BYTES_MAX = 1 << 16
"""The longest message; facts and faces take a few hundred bytes."""


class Asked(msgspec.Struct, frozen=True):
    """Do this with the file whose descriptor comes along. op: one of those the process was started with."""

    op: str
    modality: Modality


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """All is loaded, and these walls stand around the process."""

    walls: tuple[str, ...]


class Done(msgspec.Struct, frozen=True, tag="done"):
    """What the operation returned."""

    value: Any


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """The operation raised Unreadable. is_spent: memory ran out, so that the process is of no more use."""

    reason: str
    is_spent: bool = False


class Broken(msgspec.Struct, frozen=True, tag="broken"):
    """The operation raised what nobody foresaw; the trace is for the log."""

    trace: str


Answer = Ready | Done | Refused | Broken

encode = msgspec.json.Encoder().encode
decode_asked = msgspec.json.Decoder(Asked).decode
decode_answer = msgspec.json.Decoder(Answer).decode
