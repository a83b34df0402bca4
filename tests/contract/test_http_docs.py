"""The page at /docs and the document at /openapi.json over HTTP: open, whole, and nothing from elsewhere."""

import gzip
import json
import re

import msgspec
import pytest

from running_server import RunningServer
from understudy.dialects.registry import CODECS
from understudy.dialects.select import DOORS, MOUNTS, Operation

NO_KEY = {"Authorization": ""}
CREATES = [
    (f"/{mount}{door.path}", dialect)
    for mount, own in MOUNTS.items()
    for door in DOORS
    if door.operation is Operation.CREATE and mount in door.mounts
    for dialect in own
    if dialect in door.dialects
]


def test_the_page_needs_no_key_and_says_that_all_comes_from_here(server: RunningServer) -> None:
    page = server.call("GET", "/docs", headers=NO_KEY)
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self';" in policy
    assert "http" not in policy
    assert "//" not in page.body.decode().replace("<!doctype", "")


def test_every_file_of_the_page_is_there(server: RunningServer) -> None:
    page = server.call("GET", "/docs", headers=NO_KEY).body.decode()
    names = re.findall(r'(?:href|src)="(docs/[^"]+)"', page)
    kinds = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
    assert len(names) == 4
    for name in names:
        found = server.call("GET", f"/{name}", headers=NO_KEY)
        assert (found.status, found.headers["content-type"]) == (200, kinds[name[name.rindex(".") :]])
        assert len(found.body) > 50


def test_a_page_that_is_asked_for_with_a_slash_is_found_without_it(server: RunningServer) -> None:
    page = server.call("GET", "/docs/", headers=NO_KEY)
    assert (page.status, page.headers["location"]) == (308, "../docs")


def test_a_file_that_the_page_has_not_is_not_found(server: RunningServer) -> None:
    assert server.call("GET", "/docs/..%2fapp.py", headers=NO_KEY).status == 404


def test_the_document_travels_compressed_to_those_who_take_it_so(server: RunningServer) -> None:
    plain = server.call("GET", "/openapi.json", headers=NO_KEY)
    packed = server.call("GET", "/openapi.json", headers={**NO_KEY, "Accept-Encoding": "deflate, gzip;q=0.8"})
    refused = server.call("GET", "/openapi.json", headers={**NO_KEY, "Accept-Encoding": "br, gzip;q=0"})
    assert "content-encoding" not in plain.headers | refused.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body == refused.body
    assert plain.json()["openapi"] == "3.1.0"


def test_who_has_the_document_is_told_that_it_is_still_good(server: RunningServer) -> None:
    etag = server.call("GET", "/openapi.json", headers=NO_KEY).headers["etag"]
    again = server.call("GET", "/openapi.json", headers={**NO_KEY, "If-None-Match": etag})
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize(("path", "dialect"), CREATES)
def test_the_example_of_every_create_is_accepted_and_answered_as_described(
    server: RunningServer, path: str, dialect: str
) -> None:
    body = server.call("GET", "/openapi.json").json()["paths"][path]["post"]["requestBody"]
    example = body["content"]["application/json"]["examples"][dialect]["value"]
    created = server.call("POST", path, json.dumps(example).encode())
    assert created.status == 200, created
    assert "x-understudy-warnings" not in created.headers
    msgspec.json.decode(created.body, type=CODECS[dialect].shapes.created)
