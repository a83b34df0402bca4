"""The two servers that `api.py` compares, each run as a process of its own: ``api_servers.py ours|bare ...``.

``ours`` is the product as `bootstrap` builds it, on SQLite with synchronous=FULL, with its keys checked on every
request; only rendering is not started, because a render would take the processor from what is measured. ``bare`` is the
least that a Python web service can be: a Starlette route that decodes the same body with a typed msgspec struct and
answers a struct, without keys, rules or storage. Both print their port, API key and process id as one line of JSON
when they listen.
"""

import argparse
import asyncio
import json
import os
import signal
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

TASKS = "/api/v3/contents/generations/tasks"


async def serve(server: uvicorn.Server, api_key: str) -> None:
    """Serve on a free port and say which; the socket listens already, so a client that is early only waits."""
    bound = socket.create_server(("127.0.0.1", 0), backlog=1024)
    print(json.dumps({"port": bound.getsockname()[1], "api_key": api_key, "pid": os.getpid()}), flush=True)
    await server.serve(sockets=[bound])


async def ours(data_dir: Path) -> None:
    """Serve the product without rendering."""
    from understudy.bootstrap import build
    from understudy.server.listen import http_server, spare_the_collector
    from understudy.settings import Settings

    house, api_key = await build(Settings(data_dir=str(data_dir)), data_dir)

    async def nothing() -> None:
        return None

    server = http_server(replace(house, start=nothing, stop=house.submitter.store.close))
    spare_the_collector()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.stop)
    await serve(server, api_key)


class Url(msgspec.Struct):
    """The object around a media address."""

    url: str


class Item(msgspec.Struct):
    """One content item."""

    type: str
    text: str | None = None
    image_url: Url | None = None
    role: str | None = None


class Create(msgspec.Struct):
    """The create request."""

    model: str
    content: list[Item]
    ratio: str | None = None
    resolution: str | None = None
    duration: int | None = None
    seed: int | None = None
    generate_audio: bool | None = None
    watermark: bool | None = None
    return_last_frame: bool | None = None
    service_tier: str | None = None
    execution_expires_after: int | None = None
    callback_url: str | None = None


class Created(msgspec.Struct):
    """The answer to a create."""

    id: str


class Task(msgspec.Struct):
    """The answer to a get, with as many fields as ours."""

    id: str
    model: str
    status: str
    created_at: int
    updated_at: int
    seed: int
    resolution: str
    ratio: str
    duration: int
    service_tier: str
    execution_expires_after: int
    generate_audio: bool
    draft: bool
    priority: int


async def bare() -> None:
    """Serve the bare route."""
    decoder, encoder = msgspec.json.Decoder(Create), msgspec.json.Encoder()
    template: dict[str, Any] = {
        "model": "doubao-seedance-2-0-260128",
        "status": "queued",
        "created_at": 1795262400,
        "updated_at": 1795262400,
        "seed": 7,
        "resolution": "720p",
        "ratio": "16:9",
        "duration": 5,
        "service_tier": "default",
        "execution_expires_after": 172800,
        "generate_audio": True,
        "draft": False,
        "priority": 0,
    }

    async def create(request: Request) -> Response:
        decoder.decode(await request.body())
        return Response(encoder.encode(Created("cgt-20261121120000-abcde")), media_type="application/json")

    async def get(request: Request) -> Response:
        task = Task(id=request.path_params["task_id"], **template)
        return Response(encoder.encode(task), media_type="application/json")

    app = Starlette(routes=[Route(f"{TASKS}/{{task_id}}", get), Route(TASKS, create, methods=["POST"])])
    config = uvicorn.Config(
        app, loop="uvloop", http="httptools", ws="none", log_config=None, access_log=False, proxy_headers=False
    )
    await serve(uvicorn.Server(config), "")


def main() -> None:
    """Run one of the servers until it is told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("which", choices=["ours", "bare"])
    parser.add_argument("--data-dir", type=Path, default=Path())
    given = parser.parse_args()
    uvloop.run(ours(given.data_dir) if given.which == "ours" else bare())


if __name__ == "__main__":
    main()
