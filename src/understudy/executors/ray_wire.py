"""The lines between the Ray executor and its driver process, one JSON value each, and what a place tells its driver.

The driver is sent `Join` once. It answers `Joined` or `Refused`, and from then on says of each slot when it has a place
on some node (`Placed`), when it has lost it or could not be given one (`Unplaced`), and how its jobs get on. For each
`Run` there is exactly one `Ended`. Lines carry jobs and results and no media or films: the two processes share a disk.
"""

from typing import Any

import msgspec

from understudy.core.render import RenderJob
from understudy.executors.child import RenderLimits
from understudy.executors.local import RestartPause
from understudy.executors.wire import Failed, Rendered, Stopped


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """What Ray sets aside on a node for one slot. resources: names of the operator's own -> how much of each."""

    num_cpus: float
    num_gpus: float
    resources: dict[str, float]


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """What one place runs: an engine, with the arguments and the environment of its slot, and its limits."""

    engine: str
    arguments: dict[str, Any]
    environment: dict[str, str]
    limits: RenderLimits
    pause: RestartPause


class Join(msgspec.Struct, frozen=True, kw_only=True, tag="join"):
    """Join the cluster and give each slot a place. address: "" = where Ray's own settings say, or on this machine."""

    address: str
    needs: Needs
    rooms: tuple[Room, ...]


class Run(msgspec.Struct, frozen=True, tag="run"):
    """Render the job in the slot's place. number: which of this driver's jobs it is."""

    slot: int
    number: int
    job: RenderJob


class GiveUp(msgspec.Struct, frozen=True, tag="give_up"):
    """Nobody waits for this job any more; said again, there is no time to ask its engine."""

    slot: int
    number: int


class Leave(msgspec.Struct, frozen=True, tag="leave"):
    """Kill what runs, give all places back and end."""


class Joined(msgspec.Struct, frozen=True, tag="joined"):
    """This process is a driver of the cluster."""


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """The cluster could not be joined; the process ends. reason: for the operator."""

    reason: str


class Beat(msgspec.Struct, frozen=True, tag="beat"):
    """The driver still turns."""


class Placed(msgspec.Struct, frozen=True, tag="placed"):
    """The slot has a place. node: the machine's name."""

    slot: int
    node: str


class Unplaced(msgspec.Struct, frozen=True, tag="unplaced"):
    """The slot has no place any more, or could not be given one. reason: for the operator."""

    slot: int
    reason: str


class Waits(msgspec.Struct, frozen=True, tag="waits"):
    """The slot has no place yet, because no node has room for it. reason: for the operator."""

    slot: int
    reason: str


class Warmed(msgspec.Struct, frozen=True, tag="warmed"):
    """The slot's engine is warm, or no longer."""

    slot: int
    is_warm: bool


class Advanced(msgspec.Struct, frozen=True, tag="advanced"):
    """So many frames of the job are done of so many in all."""

    slot: int
    number: int
    done: int
    total: int


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """The job is over; after `Rendered` its files lie in its output directory."""

    slot: int
    number: int
    end: Rendered | Stopped | Failed


DriverOrder = Join | Run | GiveUp | Leave
DriverMessage = Joined | Refused | Beat | Placed | Unplaced | Waits | Warmed | Advanced | Ended


class News(msgspec.Struct, frozen=True, kw_only=True):
    """What a place has to tell since it was last asked. steps: (job, frames done, frames in all), in order."""

    is_warm: bool
    steps: tuple[tuple[int, int, int], ...] = ()
    ends: tuple[tuple[int, Rendered | Stopped | Failed], ...] = ()


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What driver and places must agree in, and where a place is. node_id: as Ray names it."""

    python: str
    ray: str
    understudy: str
    node: str = ""
    node_id: str = ""


_encoder = msgspec.json.Encoder()
_order_decoder: msgspec.json.Decoder[DriverOrder] = msgspec.json.Decoder(DriverOrder)
_message_decoder: msgspec.json.Decoder[DriverMessage] = msgspec.json.Decoder(DriverMessage)


def encode_value(value: msgspec.Struct | RenderJob) -> bytes:
    """Return the value as JSON without a line break."""
    return _encoder.encode(value)


def decode_driver_order(line: bytes) -> DriverOrder:
    """Return the order of one line.

    Raises: msgspec.DecodeError.
    """
    return _order_decoder.decode(line)


def decode_driver_message(line: bytes) -> DriverMessage:
    """Return the message of one line.

    Raises: msgspec.DecodeError.
    """
    return _message_decoder.decode(line)


def lost(message: str) -> Failed:
    """Return the end of a job that failed by no fault of its own and is tried again."""
    return Failed(code="InternalServiceError", param="", message=message, is_retryable=True, is_unexpected=False)
