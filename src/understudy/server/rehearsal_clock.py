"""The clock that can be moved forward, for those who test against a server of their own (setting rehearsal_clock)."""

from collections.abc import Iterator

import msgspec
from starlette.routing import Route

from understudy.core.errors import Rejected
from understudy.server.body import BodyReader
from understudy.server.endpoint import DEFAULT_DIALECTS, Call, Endpoint
from understudy.server.house import House
from understudy.server.reply import Reply
from understudy.service.rehearsal import ClockMover, unmovable

PATH = "/understudy/v1/rehearsal/clock"


class ClockBody(msgspec.Struct):
    """What the server takes the time to be. advanced_s: how far it is ahead of the machine's clock."""

    now: str
    epoch_s: int
    advanced_s: float


def clock_routes(house: House, bodies: BodyReader) -> Iterator[Route]:
    """Yield the one route, or none where the clock goes by itself alone."""
    mover = house.clock_mover
    if mover is None:
        return

    async def show(_call: Call) -> Reply:
        return _told(mover)

    async def advance(call: Call) -> Reply:
        """Move the clock; once this is answered, what is over by then has expired or is gone."""
        given = (await bodies.read(call)).get("advance_s")
        if not isinstance(given, int | float) or isinstance(given, bool) or not mover.clock.can_advance(given):
            raise Rejected(unmovable(given))
        mover.clock.advance(given)
        await mover.settle()
        return _told(mover)

    who = dict.fromkeys(("GET", "POST"), DEFAULT_DIALECTS)
    yield Route(PATH, Endpoint(house, {"GET": show, "POST": advance}, dialects=who))


def _told(mover: ClockMover) -> Reply:
    now = mover.clock.now()
    body = ClockBody(now=now.isoformat(), epoch_s=int(now.timestamp()), advanced_s=mover.clock.ahead_s)
    return Reply(200, msgspec.json.encode(body))
