"""The composition root: settings in, a running service out. The only package that names concrete adapters."""

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import uvloop

from understudy.bootstrap.building import build as build
from understudy.bootstrap.data_dir import opened_data_dir
from understudy.bootstrap.working import WorkerReady as WorkerReady
from understudy.bootstrap.working import work as _work
from understudy.server.listen import http_server, spare_the_collector
from understudy.settings import Settings
from understudy.storage.cannot_open import CannotOpen

READY_LOOK_S = 0.01

OnReady = Callable[[str, str, str], None]
"""Called once the server answers, with (url, api_key, data_dir)."""


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a socket bound to the address; port 0 takes a free one.

    Raises: CannotOpen.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except (OSError, OverflowError) as error:
        raise CannotOpen(f"cannot listen on {host} port {port}: {error}") from error
    return bound


def url_of(bound: socket.socket) -> str:
    """Return the address that a client on this machine can use."""
    host, port = bound.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104 - read, not bound
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(settings: Settings, on_ready: OnReady) -> None:
    """Serve until SIGINT or SIGTERM.

    Raises: SettingsError, CannotOpen before anything is served.
    """
    _begin_log(settings)
    with opened_data_dir(settings.data_dir) as data_dir:
        bound = listening_socket(settings.host, settings.port)
        try:
            uvloop.run(_serve(settings, data_dir, bound=bound, on_ready=on_ready))
        finally:
            bound.close()


def work(settings: Settings, on_ready: Callable[[WorkerReady], None]) -> None:
    """Render tasks of a shared database until SIGINT or SIGTERM.

    Raises: SettingsError, CannotOpen before any task is claimed.
    """
    _begin_log(settings)
    with opened_data_dir(settings.data_dir) as data_dir:
        uvloop.run(_work(settings, data_dir, on_ready))


def _begin_log(settings: Settings) -> None:
    logging.basicConfig(
        level=settings.log_level, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )


async def _serve(settings: Settings, data_dir: Path, *, bound: socket.socket, on_ready: OnReady) -> None:
    house, api_key = await build(settings, data_dir)
    server = http_server(house)
    spare_the_collector()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, server.stop)
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(READY_LOOK_S)
    if not serving.done():
        on_ready(url_of(bound), api_key, str(data_dir))
    await serving
