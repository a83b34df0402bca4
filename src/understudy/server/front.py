"""What somebody asks who has only the address: what is this, and which models does it answer for."""

import json
from datetime import UTC, datetime
from importlib.metadata import version

from understudy.catalog.load import load_catalogue
from understudy.core.errors import NotFound, Violation
from understudy.core.model_spec import ModelSpec
from understudy.server.endpoint import Call, printable
from understudy.server.reply import Reply


async def welcome(call: Call) -> Reply:
    """Send people to the page, and tell programs where everything is."""
    if b"text/html" in call.headers.get(b"accept", b""):
        # Relative, so that it also holds below a path prefix of a proxy.
        return Reply(302, b"", ((b"location", b"docs"), (b"vary", b"accept")))
    told = {"name": "understudy", "version": version("understudy"), "docs": "/docs", "openapi": "/openapi.json"}
    return Reply(200, json.dumps(told).encode())


async def list_models(_call: Call) -> Reply:
    """List every name a request can use for a model, in the form of OpenAI's list, which gateways share."""
    models = load_catalogue().models
    listed = [_model(name, spec) for name, spec in models.items()]
    return Reply(200, json.dumps({"object": "list", "data": listed}).encode())


async def get_model(call: Call) -> Reply:
    """Show one model by any of its names."""
    name = call.path_params["name"]
    spec = load_catalogue().model(name)
    if spec is None:
        message = f"The model {printable(name)} does not exist or you do not have access to it."
        raise NotFound(Violation("InvalidEndpointOrModel.NotFound", "model", message))
    return Reply(200, json.dumps(_model(name, spec)).encode())


def _model(name: str, spec: ModelSpec) -> dict[str, object]:
    """Return a model's entry. created: when its row was read, in epoch seconds; id: the name asked for."""
    created = datetime.fromisoformat(spec.date).replace(tzinfo=UTC)
    return {
        "id": name,
        "object": "model",
        "created": int(created.timestamp()),
        "owned_by": "understudy",
        "root": spec.id,
        "resolutions": list(spec.resolutions),
        "ratios": list(spec.ratios),
    }
