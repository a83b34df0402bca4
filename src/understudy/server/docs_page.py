"""The page at /docs and the document at /openapi.json: everything it needs comes from this server, no CDN."""

import asyncio
import gzip
import hashlib
import json
from collections.abc import Callable, Mapping
from functools import cached_property
from importlib.metadata import version
from importlib.resources import files
from typing import Any

from understudy.catalog.load import load_catalogue
from understudy.core.errors import NotFound, Violation
from understudy.dialects.codec import Codec
from understudy.dialects.select import mounted_doors
from understudy.server.endpoint import Call, printable
from understudy.server.openapi import openapi
from understudy.server.reply import JSON, Header, Reply

_VENDORED = files("understudy").joinpath("studio", "vendor", "swagger-ui")
_SCRIPT, _STYLE = b"text/javascript; charset=utf-8", b"text/css; charset=utf-8"
_KINDS: Mapping[str, bytes] = {
    "swagger-ui-bundle.js": _SCRIPT,
    "swagger-ui.css": _STYLE,
    "page.js": _SCRIPT,
    "page.css": _STYLE,
}
# Relative addresses, so that the page also works below a path prefix of a proxy.
_PAGE = b"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Understudy API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/swagger-ui.css">
<link rel="stylesheet" href="docs/page.css">
</head>
<body>
<div id="api"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/page.js"></script>
</body>
</html>
"""
_PAGE_SCRIPT = b"""SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#api",
  deepLinking: true,
  docExpansion: "none",
  filter: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  requestSnippetsEnabled: true,
  tryItOutEnabled: true,
  validatorUrl: null,
});
"""
_PAGE_STYLE = b"""body { margin: 0; background: #fff; }
.swagger-ui .info { margin: 24px 0; }
"""
# Styles may stand in the page, because Swagger UI sets some; scripts and connections come from and go to this server.
_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    b"media-src 'self' blob:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    b"frame-ancestors 'none'"
)
_GUARDS: tuple[Header, ...] = (
    (b"content-security-policy", _POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
# Asked again each time, answered with 304: a new version of the server shows its own page at once.
_REVALIDATED: Header = (b"cache-control", b"no-cache")


def described(codecs: Mapping[str, Codec]) -> dict[str, Any]:
    """Return the OpenAPI document of a server that speaks these dialects."""
    models = {model.id: model for model in load_catalogue().models.values()}
    return openapi(mounted_doors(), codecs, models=tuple(models.values()), version=version("understudy"))


class DocsRoutes:
    """Handlers for the page, its files and the document, which is made once, when it is first asked for."""

    def __init__(self, codecs: Mapping[str, Codec]) -> None:
        self._codecs = codecs

    @cached_property
    def _document(self) -> bytes:
        return gzip.compress(json.dumps(described(self._codecs), ensure_ascii=False).encode(), mtime=0)

    async def document(self, call: Call) -> Reply:
        """Send the OpenAPI document."""
        # In a thread, because making it takes a tenth of a second, in which no poll would be answered.
        document = await asyncio.to_thread(lambda: self._document)
        return _packed(call, document, JSON)

    async def page(self, call: Call) -> Reply:
        """Send the page; with a slash behind its path its relative addresses would lead nowhere."""
        if bytes(call.scope.get("raw_path", b"")).endswith(b"/"):
            return Reply(308, b"", ((b"location", b"../docs"),))
        return Reply(200, _PAGE, ((b"content-type", b"text/html; charset=utf-8"), _REVALIDATED, *_GUARDS))

    async def part(self, call: Call) -> Reply:
        """Send a file of the page.

        Raises: NotFound.
        """
        name = call.path_params["name"]
        kind = _KINDS.get(name)
        if kind is None:
            message = f"The page has no file {printable(name)}."
            raise NotFound(Violation("NotFound.Path", "", message))
        return _packed(call, _PARTS[name](), ((b"content-type", kind),))


def _packed(call: Call, compressed: bytes, headers: tuple[Header, ...]) -> Reply:
    """Answer with a compressed file, unpacked for the few who do not take it so."""
    etag = b'"%s"' % hashlib.sha256(compressed).hexdigest()[:32].encode("ascii")
    told = (*headers, (b"etag", etag), (b"vary", b"accept-encoding"), _REVALIDATED, *_GUARDS)
    if etag in (tag.strip().removeprefix(b"W/") for tag in call.headers.get(b"if-none-match", b"").split(b",")):
        return Reply(304, b"", told)
    if _takes_gzip(call.headers.get(b"accept-encoding", b"")):
        return Reply(200, compressed, (*told, (b"content-encoding", b"gzip")))
    return Reply(200, gzip.decompress(compressed), told)


def _takes_gzip(accepted: bytes) -> bool:
    """Say whether a client named gzip among what it takes, and did not refuse it with ``q=0``."""
    for part in accepted.lower().split(b","):
        name, _, quality = part.partition(b";")
        if name.strip() == b"gzip":
            return quality.replace(b" ", b"") not in (b"q=0", b"q=0.0", b"q=0.00", b"q=0.000")
    return False


def _vendored(name: str) -> Callable[[], bytes]:
    return lambda: _VENDORED.joinpath(f"{name}.gz").read_bytes()


def _written(text: bytes) -> Callable[[], bytes]:
    return lambda: gzip.compress(text, mtime=0)


_PARTS: Mapping[str, Callable[[], bytes]] = {
    "swagger-ui-bundle.js": _vendored("swagger-ui-bundle.js"),
    "swagger-ui.css": _vendored("swagger-ui.css"),
    "page.js": _written(_PAGE_SCRIPT),
    "page.css": _written(_PAGE_STYLE),
}
