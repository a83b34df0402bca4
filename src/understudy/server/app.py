"""The ASGI application: which path leads where. Nothing here knows what a task is."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.routing import Route, Router

from understudy.core.errors import NotFound, Violation
from understudy.dialects.codec import Codec
from understudy.server.body import BodyReader
from understudy.server.content import send_file
from understudy.server.endpoint import Call, Endpoint
from understudy.server.house import House
from understudy.server.ops import health, readiness
from understudy.server.reply import Answer, Receive, Scope, Send
from understudy.server.tasks import TaskRoutes

ARK_TASKS = "/api/v3/contents/generations/tasks"


def build_app(house: House) -> Router:
    """Return the application.

    A bare Starlette router and no middleware: each endpoint is its own boundary, which costs a request less and
    leaves no path on which a framework's default error could get out.
    """
    ark = house.codecs["ark"]
    tasks = TaskRoutes(BodyReader(house.limits))

    @asynccontextmanager
    async def lifespan(_app: Any) -> AsyncIterator[None]:
        await house.start()
        try:
            yield
        finally:
            await house.stop()

    router = Router(
        [
            *_ark_routes(house, ark, tasks),
            Route("/files/{key:path}", Endpoint(house, ark, {"GET": send_file}, is_open=True)),
            Route("/healthz", Endpoint(house, ark, {"GET": health}, is_open=True)),
            Route("/readyz", Endpoint(house, ark, {"GET": readiness}, is_open=True)),
        ],
        redirect_slashes=False,
        lifespan=lifespan,
    )
    router.default = Elsewhere(router, house, ark)
    return router


def _ark_routes(house: House, codec: Codec, tasks: TaskRoutes) -> Iterator[Route]:
    """Ark at its own path, and again under its mount, where no other dialect can be meant."""
    one = Endpoint(house, codec, {"GET": tasks.get, "DELETE": tasks.delete})
    all_of_them = Endpoint(house, codec, {"GET": tasks.list_tasks, "POST": tasks.create})
    for mount in ("", "/ark"):
        yield Route(f"{mount}{ARK_TASKS}/{{task_id}}", one)
        yield Route(f"{mount}{ARK_TASKS}", all_of_them)


class Elsewhere:
    """Where paths without a route end up: the same path without its trailing slashes, or a 404."""

    def __init__(self, router: Router, house: House, codec: Codec) -> None:
        self._router = router
        methods = ("GET", "POST", "PUT", "PATCH", "DELETE")
        self._nowhere = Endpoint(house, codec, dict.fromkeys(methods, _not_found), is_open=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Try once more without trailing slashes, then give up."""
        path = scope["path"]
        if path.endswith("/") and path.strip("/"):
            await self._router({**scope, "path": path.rstrip("/")}, receive, send)
        else:
            await self._nowhere(scope, receive, send)


async def _not_found(call: Call) -> Answer:
    method, path = call.scope["method"], call.scope["path"]
    message = f"The path {path[:200]!a} does not exist on this server ({method})."
    raise NotFound(Violation("NotFound.Path", "", message))
