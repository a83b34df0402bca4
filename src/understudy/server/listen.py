"""The one way this application is put on a socket: uvicorn on uvloop, with the bounds of `protocol`."""

import gc
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from understudy.core.errors import Violation
from understudy.server.app import build_app
from understudy.server.closing import Closing
from understudy.server.house import House
from understudy.server.protocol import Edge, protocol_for
from understudy.server.reply import CORS, JSON, Reply

_ALLOCATIONS_PER_COLLECTION = 20_000


class HttpServer(uvicorn.Server):
    """uvicorn's server without its signal handlers: the process's signals belong to whoever runs the server.

    uvicorn raises a caught signal again after the shutdown, which ends the process before its data directory is
    released.
    """

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield

    def __init__(self, config: uvicorn.Config, closing: Closing) -> None:
        super().__init__(config)
        self._closing = closing

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Shut down; who only waits for something to happen is answered first."""
        self._closing.begin()
        await super().shutdown(sockets)

    def stop(self) -> None:
        """Take no more requests, answer those under way, then return from ``serve``."""
        self.should_exit = True


def spare_the_collector() -> None:
    """Let Python's garbage collector look at what requests leave, seldom, and never again at what the start made.

    For whoever owns the process, once, after the house is built. With the defaults it runs every few requests, and at
    times walks all modules and catalogues, while requests wait.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS_PER_COLLECTION, *gc.get_threshold()[1:])


def http_server(house: House) -> HttpServer:
    """Return a server to be run with ``await server.serve(sockets=[...])``; the caller binds the sockets."""
    config = uvicorn.Config(
        build_app(house),
        http=protocol_for(_edge(house)),
        loop="uvloop",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=int(house.limits.idle_timeout_s),
        timeout_graceful_shutdown=5,
    )
    return HttpServer(config, house.closing)


def _edge(house: House) -> Edge:
    ark = house.codecs["ark"]

    def answer(violation: Violation) -> Reply:
        request_id = house.request_id()
        headers = (*JSON, (b"x-request-id", request_id.encode("ascii")), *CORS)
        told = ark.encode_error(violation, request_id)
        return Reply(told.status, told.body, headers)

    return Edge(limits=house.limits, excess_bytes=ark.profile.body_bytes_max, answer=answer)
