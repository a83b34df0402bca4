"""The ASGI application: which path leads where. Nothing here knows what a task is."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.routing import Route, Router

from understudy.core.errors import NotFound, Violation
from understudy.dialects.select import MOUNTS, Operation, mounted_doors
from understudy.server.archive import archive_routes
from understudy.server.assets import asset_routes
from understudy.server.body import BodyReader
from understudy.server.callbacks import callback_routes
from understudy.server.cancel import cancel_routes
from understudy.server.content import send_file
from understudy.server.docs_page import DocsRoutes
from understudy.server.endpoint import DEFAULT_DIALECTS, Call, Endpoint, Handler
from understudy.server.events import EventRoutes
from understudy.server.front import get_model, list_models, welcome
from understudy.server.house import House
from understudy.server.ops import health, readiness
from understudy.server.rehearsal_clock import clock_routes
from understudy.server.reply import Answer, Receive, Scope, Send
from understudy.server.tasks import TaskRoutes
from understudy.server.watch import Watches, watch_routes

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def build_app(house: House) -> Router:
    """Return the application.

    A bare Starlette router and no middleware: each endpoint is its own boundary, which costs a request less and
    leaves no path on which a framework's default error could get out.
    """

    @asynccontextmanager
    async def lifespan(_app: Any) -> AsyncIterator[None]:
        await house.start()
        try:
            yield
        finally:
            await house.stop()

    bodies, watches = BodyReader(house.limits, house.spool_dir), Watches(house)
    router = Router(
        [
            *_task_routes(house, bodies, watches),
            *watch_routes(house, watches),
            *archive_routes(house),
            *callback_routes(house, bodies),
            *cancel_routes(house),
            *asset_routes(house, bodies, welcome),
            *_docs_routes(house),
            Route("/files/{key:path}", Endpoint(house, {"GET": send_file}, is_open=True)),
            *_model_routes(house),
            *clock_routes(house, bodies),
            Route("/healthz", Endpoint(house, {"GET": health}, is_open=True)),
            Route("/readyz", Endpoint(house, {"GET": readiness}, is_open=True)),
        ],
        redirect_slashes=False,
        lifespan=lifespan,
    )
    router.default = Elsewhere(router, house)
    return router


def _task_routes(house: House, bodies: BodyReader, watches: Watches) -> Iterator[Route]:
    """Every door of every dialect: its methods gathered at one endpoint for each path."""
    tasks, events = TaskRoutes(bodies, watches), EventRoutes(watches)
    handlers: dict[Operation, Handler] = {
        Operation.CREATE: tasks.create,
        Operation.QUOTE: tasks.quote,
        Operation.GET: tasks.get,
        Operation.EVENTS: events.stream,
        Operation.LIST: tasks.list_tasks,
        Operation.DELETE: tasks.delete,
        Operation.CONTENT: tasks.content,
        Operation.REMIX: tasks.change,
        Operation.EDIT: tasks.change,
        Operation.EXTEND: tasks.change,
    }
    at_path: dict[str, tuple[dict[str, Handler], dict[str, tuple[str, ...]]]] = {}
    for door in mounted_doors():
        methods, dialects = at_path.setdefault(door.path, ({}, {}))
        methods[door.method] = handlers[door.operation]
        dialects[door.method] = door.dialects
    for path, (methods, dialects) in at_path.items():
        in_order = {method: methods[method] for method in METHODS if method in methods}
        yield Route(path, Endpoint(house, in_order, dialects=dialects))


def _model_routes(house: House) -> Iterator[Route]:
    """OpenAI's list of models, which the clients of the gateways ask for first; below every mount as well."""
    who = {"GET": MOUNTS["openai"]}
    for prefix in ("", *(f"/{mount}" for mount in MOUNTS)):
        yield Route(f"{prefix}/v1/models", Endpoint(house, {"GET": list_models}, dialects=who))
        yield Route(f"{prefix}/v1/models/{{name}}", Endpoint(house, {"GET": get_model}, dialects=who))


def _docs_routes(house: House) -> Iterator[Route]:
    """The description of the API, and the page that shows it; both open, as the API's documents are."""
    docs = DocsRoutes(house.codecs)
    handlers: dict[str, Handler] = {
        "/openapi.json": docs.document,
        "/docs": docs.page,
        "/docs/{name}": docs.part,
    }
    for path, handler in handlers.items():
        yield Route(path, Endpoint(house, {"GET": handler}, is_open=True))


class Elsewhere:
    """Where paths without a route end up: the same path without the slashes that are too many, or a 404.

    Base URLs are often written with a slash at their end, to which clients add paths that begin with one.
    """

    def __init__(self, router: Router, house: House) -> None:
        self._router = router
        # Who is meant by a path that does not exist: its mount, and OpenAI's clients below /v1.
        owners = {**MOUNTS, "v1": MOUNTS["openai"], "": DEFAULT_DIALECTS}
        self._nowhere = {
            first: Endpoint(
                house,
                dict.fromkeys(METHODS, _not_found),
                dialects=dict.fromkeys(METHODS, dialects),
                is_open=True,
            )
            for first, dialects in owners.items()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Try once more with single slashes and none at the end, then give up."""
        path = scope["path"]
        plain = "/" + "/".join(part for part in path.split("/") if part)
        if path.startswith("/") and plain not in (path, "/"):
            await self._router({**scope, "path": plain}, receive, send)
        else:
            first = path.split("/", 2)[1] if path.startswith("/") else ""
            await self._nowhere.get(first, self._nowhere[""])(scope, receive, send)


async def _not_found(call: Call) -> Answer:
    method, path = call.scope["method"], call.scope["path"]
    message = f"The path {path[:200]!a} does not exist on this server ({method})."
    raise NotFound(Violation("NotFound.Path", "", message))
