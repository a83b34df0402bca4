"""What the scale benchmarks put under load, each run as a process of its own.

``ours``: the product as `bootstrap` builds it, with every setting that is given, keys checked, on SQLite with
synchronous=FULL or on PostgreSQL; only rendering is not started, because a render would take the processor from what
is measured. ``stub``: what a gateway relays to, an upstream that answers at once. Each prints its port, key and process
id as a line of JSON when it listens.
"""

import argparse
import asyncio
import itertools
import signal
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
import uvloop

from api_servers import serve

CREATED = b'{"id":"cgt-20261121-%07d"}'
TASK = (
    b'{"id":"%s","model":"doubao-seedance-2-0-260128","status":"succeeded","content":{"video_url":'
    b'"http://127.0.0.1/v.mp4"},"usage":{"completion_tokens":108900,"total_tokens":108900},"created_at":1795000000,'
    b'"updated_at":1795000100,"seed":1,"resolution":"720p","ratio":"16:9","duration":5,"framespersecond":24,'
    b'"service_tier":"default","execution_expires_after":172800}'
)

Message = dict[str, Any]


async def ours(data_dir: Path, given: dict[str, Any]) -> None:
    """Serve the product without rendering. given: settings by name."""
    from understudy.bootstrap import build
    from understudy.server.listen import http_server, spare_the_collector
    from understudy.settings import Settings

    house, api_key = await build(Settings(data_dir=str(data_dir), **given), data_dir)

    async def nothing() -> None:
        return None

    server = http_server(replace(house, start=nothing, stop=house.submitter.store.close))
    spare_the_collector()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.stop)
    await serve(server, given.get("api_key", api_key))


async def stub() -> None:
    """Serve an upstream in Ark's words, without a framework, so that what stands before it is measured."""
    numbers = itertools.count()

    async def app(
        scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        while (await receive()).get("more_body"):
            pass
        asked = scope["path"].rsplit("/", 1)[1].encode()
        body = CREATED % next(numbers) if scope["method"] == "POST" else TASK % asked
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    config = uvicorn.Config(
        app,  # type: ignore[arg-type]
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
    )
    await serve(uvicorn.Server(config), "")


def main() -> None:
    """Run one of the servers until it is told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("which", choices=["ours", "stub"])
    parser.add_argument("--data-dir", type=Path, default=Path())
    parser.add_argument("--settings", default="{}", help="settings by name, as JSON")
    given = parser.parse_args()
    uvloop.run(ours(given.data_dir, msgspec.json.decode(given.settings)) if given.which == "ours" else stub())


if __name__ == "__main__":
    main()
