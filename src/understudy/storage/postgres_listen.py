"""What changed, told among all processes of one database by LISTEN and NOTIFY.

NOTIFY takes a lock of the whole server when its transaction commits, so it never stands in a transaction that does
work: what changed is gathered and told by a sender of its own, a few times a second at most, and a change that a
process dies before telling is found by those who look now and then anyway. Nothing is counted on: after each gap in the
listening, or the telling, everybody is told to look everywhere. Source: outages at Recall.ai, "Postgres LISTEN/NOTIFY
does not scale" (2025).
"""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Iterable, Iterator

import asyncpg

from understudy.core.errors import Unavailable
from understudy.core.ports import Heard
from understudy.storage.postgres_faults import told
from understudy.storage.postgres_link import Address, Link

log = logging.getLogger(__name__)

CHANNEL = "understudy_task"
PAYLOAD_BYTES_MAX = 7900
"""Our bound below the server's: 8000 bytes. Source: PostgreSQL's documents, NOTIFY."""

PAUSE_S = 0.02
"""Between two tellings: bounds how many there are a second, and is how late another process hears at most."""

GATHERED_MOST = 5000
"""Changed tasks that wait to be told; of more it is told that any of them may have changed."""

CHECK_S = 15.0
"""How often a silent connection is asked whether it lives; a firewall may have forgotten it without a word."""

RETRY_FIRST_S, RETRY_MOST_S = 0.1, 5.0

EVERYTHING = "*"

NOTIFY = "SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payload"


class Herald:
    """Tells changes, and hears of those of other processes.

    name: of this process among all; what it tells is not told to itself, because its own listeners know already.
    """

    def __init__(self, link: Link, address: Address) -> None:
        self._link = link
        self._address = address
        self._name = secrets.token_hex(8)
        self._heard: list[tuple[Heard, asyncio.AbstractEventLoop]] = []
        self._changed: dict[str, None] = {}
        self._is_everything = False
        self._wake = asyncio.Event()
        self._work: list[asyncio.Task[None]] = []
        self._is_closed = False

    def start(self) -> None:
        """Begin to tell."""
        self._work.append(asyncio.create_task(self._tell_all(), name="postgres herald"))

    def listen(self, heard: Heard) -> None:
        """Have changes told, on the running event loop; the first of those who ask begins the listening."""
        self._heard.append((heard, asyncio.get_running_loop()))
        if len(self._work) == 1:
            self._work.append(asyncio.create_task(self._listen(), name="postgres listener"))

    def changed(self, task_ids: Iterable[str]) -> None:
        """Tell those who listen here at once, and the others soon; called when the change is durable."""
        for task_id in task_ids:
            self._tell_here(task_id)
            if len(self._changed) < GATHERED_MOST:
                self._changed[task_id] = None
            else:
                self._is_everything = True
        self._wake.set()

    async def close(self) -> None:
        """Tell what is yet to be told, if that can be, and hear no more."""
        self._is_closed = True
        for task in self._work:
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)
        with contextlib.suppress(Unavailable):
            await self._tell_gathered()

    def _tell_here(self, task_id: str | None) -> None:
        for heard, loop in self._heard:
            loop.call_soon(heard, task_id)

    async def _tell_all(self) -> None:
        pause_s = PAUSE_S
        while not self._is_closed:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._tell_gathered()
                pause_s = PAUSE_S
            except Exception as error:  # boundary: what was not told is told later, in one word
                log.warning("changes were not told to other servers: %s", error)
                self._wake.set()
                pause_s = min(max(pause_s * 2, RETRY_FIRST_S), RETRY_MOST_S)
            await asyncio.sleep(pause_s)

    async def _tell_gathered(self) -> None:
        changed, is_everything = self._changed, self._is_everything
        self._changed, self._is_everything = {}, False
        payloads = [f"{self._name} {EVERYTHING}"] if is_everything else list(self._payloads(changed))
        try:
            if payloads:
                await self._link.fetch(NOTIFY, CHANNEL, payloads)
        except BaseException:  # boundary: whatever ended the telling, what was to be told is told in one word
            self._is_everything = True
            raise

    def _payloads(self, changed: Iterable[str]) -> Iterator[str]:
        """Yield the ids in as few payloads as they fit in; the server's bound is in bytes."""
        payload, size_bytes = [self._name], len(self._name)
        for task_id in changed:
            added_bytes = 1 + len(task_id.encode())
            if size_bytes + added_bytes > PAYLOAD_BYTES_MAX and len(payload) > 1:
                yield " ".join(payload)
                payload, size_bytes = [self._name], len(self._name)
            payload.append(task_id)
            size_bytes += added_bytes
        if len(payload) > 1:
            yield " ".join(payload)

    async def _listen(self) -> None:
        retry_s = RETRY_FIRST_S
        is_gap = False
        while not self._is_closed:
            try:
                connection = await self._address.connect()
                try:
                    await connection.add_listener(CHANNEL, self._on_notification)
                    if is_gap:
                        log.info("listening to the database again")
                        self._tell_here(None)
                    retry_s = RETRY_FIRST_S
                    await _until_lost(connection)
                finally:
                    connection.terminate()
            except Exception as error:  # boundary: listening goes on when the database is back
                mapped = told(error)
                if mapped is error:
                    log.exception("listening to the database failed")
            is_gap = True
            await asyncio.sleep(retry_s)
            retry_s = min(retry_s * 2, RETRY_MOST_S)

    def _on_notification(self, *heard: object) -> None:
        # What the driver tells: the connection, the process that told, the channel, the payload.
        name, *changed = str(heard[-1]).split(" ")
        if name == self._name:
            return
        for task_id in changed:
            self._tell_here(None if task_id == EVERYTHING else task_id)


async def _until_lost(connection: asyncpg.Connection) -> None:
    """Return when the connection is closed; raise when it does not answer any more."""
    lost = asyncio.Event()
    connection.add_termination_listener(lambda _connection: lost.set())
    while not lost.is_set():
        try:
            async with asyncio.timeout(CHECK_S):
                await lost.wait()
        except TimeoutError:
            await connection.execute("SELECT 1")
