"""Waiting for a task over HTTP, and what it can expect: long polls, and who may wait how long and how many at a time.

A poll that waits is `?wait=30`, or the header `Prefer: wait=30` (RFC 7240), which every server may ignore: so a client
that does not know whom it speaks to can ask for it.
"""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import lru_cache
from urllib.parse import parse_qsl

import msgspec
from starlette.routing import Route

from understudy.core.errors import RateLimited, Rejected, Violation
from understudy.core.task import ENDED, Task
from understudy.server.endpoint import DEFAULT_DIALECTS, Call, ClientGone, Endpoint, printable, wire_task_id
from understudy.server.house import House
from understudy.server.reply import Header, Receive, Reply
from understudy.service.outlook import Outlook, Prospect
from understudy.service.watch import Watcher

OUTLOOK_PATH = "/understudy/v1/tasks/{task_id}/outlook"

WAIT_S_MOST = 60
"""Proxies cut a connection on which nothing came for so long, as nginx does unless told otherwise."""

RETRY_AFTER_S = 5
"""Those who wait leave within a minute, and clients that all come back at once gain nothing."""

OUTLOOK_PATIENCE_S = 1.5
"""Whoever asks for nothing else gets a look that knows the task: looks are a second apart."""

_SECONDS = re.compile(r"\d{1,9}(\.\d{1,9})?", re.ASCII)
_PREFERRED = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,9})\"?\s*(?=[,;]|$)", re.ASCII | re.IGNORECASE)
_QUERY_FIELDS_MAX = 1000


class OutlookBody(msgspec.Struct, omit_defaults=True):
    """What a task can expect; what is not known is left out. id: as it was asked for."""

    id: str
    status: str
    queue_position: int | None = None
    queue_position_above: int | None = None
    eta_s: int | None = None


class Waits:
    """Counts who waits; every one holds a connection, and some must stay free for those who do not."""

    def __init__(self, connections: int) -> None:
        """Make room. connections: how many the server has; three in four may wait, two in four of one owner."""
        self._most = max(1, connections * 3 // 4)
        self._each = max(1, connections // 2)
        self._taken: Counter[str] = Counter()

    def check(self, owner: str) -> None:
        """See that there is room for one more.

        Raises: RateLimited.
        """
        if self._taken[owner] >= self._each:
            message = f"At most {self._each} requests of one owner may wait for tasks or stream their events at a time."
            raise RateLimited(Violation("QuotaExceeded", "", message), retry_after_s=RETRY_AFTER_S)
        if self._taken.total() >= self._most:
            message = "Too many requests wait for tasks or stream their events; please try again later."
            raise RateLimited(Violation("ServerOverloaded", "", message), retry_after_s=RETRY_AFTER_S)

    @contextmanager
    def one(self, owner: str) -> Iterator[None]:
        """Wait while the block runs; whether there is room was checked."""
        self._taken[owner] += 1
        try:
            yield
        finally:
            self._taken[owner] -= 1
            if not self._taken[owner]:
                del self._taken[owner]


class Watches:
    """All waiting at one server: its watcher, its outlook, and who waits."""

    def __init__(self, house: House) -> None:
        self.watcher = Watcher(house.queries)
        self.outlook = Outlook(house.queries, rooms=house.rooms)
        self.waits = Waits(house.limits.connections)
        house.closing.then(self.watcher.close)
        house.closing.then(self.outlook.close)

    async def wait(self, call: Call, task_id: str, wait_s: float) -> Task:
        """Return a task once its status changes, at once when it has ended, or as it is after so many seconds.

        Raises: NotFound; RateLimited; ClientGone.
        """
        queries = call.house.queries
        task = await queries.get(call.owner, task_id)
        if task.status in ENDED or not wait_s:
            return task
        self.waits.check(call.owner)
        with self.waits.one(call.owner):
            async with (
                self.watcher.watching(call.owner, task_id) as watch,
                hung_up(call.receive, watch.end) as has_left,
            ):
                found = await watch.left(task.status, wait_s)
                if has_left():
                    raise ClientGone
        return found if found.status is not task.status else await queries.get(call.owner, task_id)

    async def show_outlook(self, call: Call) -> Reply:
        """Tell what a task can expect."""
        task = await call.house.queries.get(call.owner, wire_task_id(call))
        prospect = await self.outlook.of(task, patience_s=OUTLOOK_PATIENCE_S)
        body = OutlookBody(id=call.path_params["task_id"], status=str(task.status), **told(prospect))
        return Reply(200, msgspec.json.encode(body))


def watch_routes(house: House, watches: Watches) -> Iterator[Route]:
    """Yield the one route that is no dialect's."""
    yield Route(OUTLOOK_PATH, Endpoint(house, {"GET": watches.show_outlook}, dialects={"GET": DEFAULT_DIALECTS}))


def told(prospect: Prospect) -> dict[str, int | None]:
    """Return a prospect by the names that bodies and events have for it."""
    return {
        "queue_position": prospect.position,
        "queue_position_above": prospect.above,
        "eta_s": prospect.eta_s,
    }


@lru_cache(maxsize=1024)
def prospect_headers(prospect: Prospect) -> tuple[Header, ...]:
    """Return the headers that tell a prospect."""
    found: tuple[Header, ...] = ()
    if prospect.position is not None:
        found = ((b"x-understudy-queue-position", b"%d" % prospect.position),)
    elif prospect.above is not None:
        found = ((b"x-understudy-queue-position", b">%d" % prospect.above),)
    if prospect.eta_s is not None:
        found += ((b"x-understudy-eta-s", b"%d" % prospect.eta_s),)
    return found


def asked_wait_s(call: Call) -> tuple[float, tuple[Header, ...]]:
    """Return how long the answer may wait, and the headers that say so; 0 where nobody asks.

    A preference that cannot be met is met as far as it can be, as such are; a query that cannot be met is a mistake.

    Raises: Rejected.
    """
    query = call.scope["query_string"]
    if b"wait" in query:
        # The last of several counts, as it does for all other fields.
        given = dict(_fields(query)).get("wait")
        if given is not None:
            return _seconds(given), ()
    preferred = _PREFERRED.search(call.headers.get(b"prefer", b"").decode("latin-1"))
    if preferred is None:
        return 0.0, ()
    wait_s = min(int(preferred[1]), WAIT_S_MOST)
    return float(wait_s), ((b"preference-applied", b"wait=%d" % wait_s),)


def _fields(query: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query.decode("ascii", "replace"), keep_blank_values=True, max_num_fields=_QUERY_FIELDS_MAX)
    except ValueError:
        message = f"The query must have at most {_QUERY_FIELDS_MAX} fields."
        raise Rejected(Violation("InvalidParameter", "query", message)) from None


def _seconds(given: str) -> float:
    if not _SECONDS.fullmatch(given) or float(given) > WAIT_S_MOST:
        message = f"The parameter `wait` must be a number of seconds from 0 to {WAIT_S_MOST}, not {printable(given)!r}."
        raise Rejected(Violation("InvalidParameter", "wait", message))
    return float(given)


@asynccontextmanager
async def hung_up(receive: Receive, act: Callable[[], None]) -> AsyncIterator[Callable[[], bool]]:
    """Act when the client hangs up while the block runs; what is yielded says whether it has."""
    leaving = asyncio.get_running_loop().create_task(_left(receive))
    leaving.add_done_callback(lambda _: act())
    try:
        yield leaving.done
    finally:
        leaving.cancel()
        await asyncio.wait({leaving})


async def _left(receive: Receive) -> None:
    # Of a request that is whole nothing else comes; of one that brings a body, that is not read.
    while (await receive())["type"] != "http.disconnect":
        pass
