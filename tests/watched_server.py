"""Those who wait at a running server: requests under way in threads, and when the server knows of them."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

from manual_clock import START
from running_server import SECRET, Answer, RunningServer
from understudy.core.ports import ApiKey
from understudy.server.auth import key_digest
from understudy.service.watch import Watcher

ARK = "/api/v3/contents/generations/tasks"
BODY = b'{"model":"doubao-seedance-2-0-260128","content":[{"type":"text","text":"A fox"}]}'


def created(server: RunningServer) -> str:
    """Create a task; return its id."""
    answer = server.call("POST", ARK, BODY)
    assert answer.status == 200, answer
    return str(answer.json()["id"])


def cancel(server: RunningServer, wire_id: str) -> None:
    """Change a queued task's status, once."""
    assert server.call("DELETE", f"{ARK}/{wire_id}").status == 200


class Waiters(ThreadPoolExecutor):
    """Requests under way."""

    def get(self, server: RunningServer, path: str, **headers: str) -> "Future[Answer]":
        """Send one and return what will be its answer."""
        return self.submit(server.call, "GET", path, headers=headers)


def watcher_of(server: RunningServer) -> Watcher:
    """Return the server's watcher, which nobody but the server itself has: it is closed when the server stops."""
    found: list[Watcher] = [
        action.__self__
        for action in server.house.closing._actions
        if isinstance(getattr(action, "__self__", None), Watcher)
    ]
    return found[0]


def is_watched(server: RunningServer, times: int = 1) -> None:
    """Return once so many wait for tasks at the server."""
    watcher = watcher_of(server)
    _until(server, lambda: sum(len(sight.watches) for sight in watcher._sights.values()) >= times)


def is_free(server: RunningServer) -> None:
    """Return once nobody waits at the server."""
    watcher = watcher_of(server)
    _until(server, lambda: not watcher.watched)


def _until(server: RunningServer, is_so: Callable[[], bool]) -> None:
    async def waited() -> None:
        while not is_so():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.001)

    server.do(waited())


def same_caller(there: RunningServer, here: RunningServer) -> RunningServer:
    """Return a server as a caller of another one sees it, who has the same key at both."""
    digest = key_digest(SECRET, here.api_key.encode())
    there.house.keys.add(ApiKey(id=here.owner, owner=here.owner, digest=digest, created_at=START))
    return replace(there, api_key=here.api_key, owner=here.owner)
