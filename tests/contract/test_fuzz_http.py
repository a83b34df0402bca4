"""Thousands of requests at every door of every dialect: no 5xx, and every answer in a shape of the dialect's own.

The doors and the requests come from the product's own tables and codecs, and once more, through schemathesis, from the
description that the server gives of itself.
"""

import json
import random
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from http.client import HTTPConnection
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from request_space import WILD, requests_of
from running_server import running_server
from understudy.dialects.ark import ArkCodec
from understudy.dialects.quote_body import QuoteBody
from understudy.dialects.registry import CODECS
from understudy.dialects.select import MOUNTS, Operation, mounted_doors
from understudy.dialects.universal_errors import NestedError
from understudy.testing.dialect_shapes import keys_of, unlike_shape
from understudy.testing.scripted import OFFER

BODIES_SENT = 13_000
OTHERS_SENT = 5_000
SENT_BY_DESCRIPTION = 2_300
A_PART = 4
"""So much less is sent in `make test-full`: what is sent is another part of the space each time."""

AS_DESCRIBED = ("status_code_conformance", "content_type_conformance", "response_schema_conformance")
DOORS = list(mounted_doors())
WITH_BODY = frozenset({Operation.CREATE, Operation.QUOTE, Operation.REMIX, Operation.EDIT, Operation.EXTEND})
MULTIPART = "multipart/form-data; boundary=edge"
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
SAID_WITH_503 = (
    "model_not_found",
    "The picture could not be made: the film could not be read.",
    "This server sends no callbacks.",
)
"""new-api's answer for a model that nobody serves; the films here are no films, so that no picture can be made; and who
would send callbacks is not there."""


class Sender:
    """One keep-alive connection, what came back over it, and the tasks that it may ask for."""

    def __init__(self, server):
        self.server = server
        self.connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
        self.came = Counter()
        self.ids = []

    def send(self, method, path, body=None, headers=None):
        sent = {"Authorization": f"Bearer {self.server.api_key}", **(headers or {})}
        self.connection.request(method, path, body, sent)
        response = self.connection.getresponse()
        content = response.read()
        self.came[response.status] += 1
        return response.status, response.headers.get("content-type", ""), content

    @property
    def count(self):
        return sum(self.came.values())


@contextmanager
def opened(directory, changes=lambda house: house):
    """Serve, with a task of every status to ask for."""
    with running_server(directory, engine=OFFER, changes=changes) as server:
        sender = Sender(server)
        sender.ids = tasks_of_every_status(server)
        # As a server that is about to stop: nobody waits for news, and streams of events end at once.
        server.loop.call_soon_threadsafe(server.house.closing.begin)
        yield sender
        sender.connection.close()


@pytest.fixture
def sender(tmp_path):
    with opened(tmp_path) as sender:
        yield sender


def tasks_of_every_status(server):
    """Make a task for each status; return their ids."""
    made = []
    body = {
        "model": "doubao-seedance-2-0-260128",
        "content": [{"type": "text", "text": "A cat"}],
        "return_last_frame": True,
    }
    path = "/api/v3/contents/generations/tasks"
    for step in (
        server.succeed,
        server.fail,
        server.run_task,
        lambda made: server.call("DELETE", f"{path}/{made}"),
        str,
    ):
        made.append(server.call("POST", path, json.dumps(body).encode()).json()["id"])
        step(made[-1])
    return made


def shapes_of(door):
    """Return the structs of successes at a door, and those of errors: of any dialect, for a header can choose one."""
    codecs = CODECS.values()
    pages = [codec.shapes.page for codec in codecs if codec.shapes.page]
    if door.operation is Operation.GET:
        # An id of nothing but slashes leaves the path of the list.
        good = [*(codec.shapes.task for codec in codecs), *pages]
    elif door.operation is Operation.LIST:
        good = pages
    else:
        good = [codec.shapes.created for codec in codecs]
    return good, [*(codec.shapes.error for codec in codecs), NestedError]


def held(door, answer):
    """Hold one answer to what is true of all of them."""
    status, content_type, body = answer
    if status >= 500:
        assert status == 503, f"{door.path} answered {status}: {body[:500]}"
        assert any(said in body.decode() for said in SAID_WITH_503), body
    if door.operation is Operation.CONTENT and status in (200, 206):
        return
    assert content_type == "application/json; charset=utf-8", answer
    if door.operation is Operation.DELETE and status == 200:
        assert isinstance(json.loads(body), dict)
        return
    if door.operation is Operation.QUOTE and status == 200:
        # Its request is in the caller's words, whichever they are.
        assert tuple(json.loads(body)) == keys_of(QuoteBody)
        return
    good, bad = shapes_of(door)
    allowed = good if status < 400 else bad
    assert any(not unlike_shape(body, shape) for shape in allowed), f"{door.path} answered {status}: {body[:500]}"


def of_door(*operations):
    return st.sampled_from([door for door in DOORS if door.operation in operations])


HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "X-Understudy-Dialect": st.sampled_from((*MOUNTS, "x", "")),
        "X-Understudy-Strict": st.sampled_from(("true", "false", "maybe", "")),
        "Accept-Encoding": st.sampled_from(("identity", "gzip")),
        "Range": st.sampled_from(("bytes=0-9", "bytes=9-0", "bytes=-1", "x")),
        "Origin": st.just("https://page.example"),
    },
)
TYPES = st.sampled_from((JSON, JSON, JSON, JSON, FORM, MULTIPART, "text/plain", ""))
CHANGES = st.fixed_dictionaries(
    {"prompt": st.one_of(st.just("A dog"), WILD)},
    optional={
        "seconds": st.sampled_from(("4", 8, "x", 5.5)),
        "video": st.one_of(st.just("https://a.example/v.mp4"), WILD),
    },
)
BODIES = {name: requests_of(codec) for name, codec in CODECS.items()}


def as_form(fields, content_type):
    """Write an object as a client of forms would: one part a key, what is no text as JSON."""
    pairs = [(key, value if isinstance(value, str) else json.dumps(value)) for key, value in fields.items()]
    if content_type == FORM:
        return urlencode(pairs).encode()
    head = '--edge\r\nContent-Disposition: form-data; name="{}"\r\n\r\n'
    clean = [(key.replace('"', "%22").replace("\r", "").replace("\n", "") or "x", value) for key, value in pairs]
    return "".join(f"{head.format(key)}{value}\r\n" for key, value in clean).encode() + b"--edge--\r\n"


@st.composite
def with_body(draw):
    """A door that takes a body, the body, and its type; some are damaged on the way."""
    door = draw(of_door(*WITH_BODY))
    is_create = door.operation in (Operation.CREATE, Operation.QUOTE)
    fields = draw(BODIES[draw(st.sampled_from(door.dialects))] if is_create else CHANGES)
    content_type = draw(TYPES)
    body = as_form(fields, content_type) if content_type in (FORM, MULTIPART) else json.dumps(fields).encode()
    damage = draw(st.integers(0, 19))
    if damage == 0 and body:
        at = draw(st.integers(0, len(body) - 1))
        body = body[:at] + draw(st.binary(max_size=3)) + body[at + draw(st.integers(0, 2)) :]
    if damage == 1:
        body = body[: draw(st.integers(0, len(body)))]
    return door, body, content_type


def spelled(ids):
    """Return the space of ids in a path: known ones in every spelling, and others."""
    bare = st.sampled_from([made.removeprefix("cgt-") for made in ids])
    known = st.builds("{}{}".format, st.sampled_from(("", "cgt-", "task_", "video_")), bare)
    return st.one_of(known, known, known, st.text(min_size=1, max_size=20).map(lambda text: quote(text, safe="")))


QUERY = st.lists(
    st.tuples(
        st.sampled_from(
            (
                *("page_num", "page_size", "filter.status", "filter.task_ids", "filter.model", "filter.service_tier"),
                *("after", "limit", "order", "variant", "language", "x"),
            )
        ),
        st.one_of(
            st.sampled_from(
                ("1", "0", "-1", "500", "501", "9" * 30, "", "succeeded", "cgt-x", "asc", "desc", "video", "٣")
            ),
            st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
        ),
    ),
    max_size=4,
)


def tried(space, count, step, phases=tuple(Phase)):
    """Take so many requests of a space."""

    @seed(random.SystemRandom().getrandbits(64))
    @settings(max_examples=count, phases=phases, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(space)
    def each(drawn):
        step(*drawn)

    each()


def all_or_a_part(count):
    """Send so many requests in the longest form of a test, and a part of them in `make test-full`."""
    part, whole = pytest.param(count // A_PART, marks=pytest.mark.full), pytest.param(count, marks=pytest.mark.long)
    return pytest.mark.parametrize("count", [part, whole])


def send_bodies(sender, count, **how):
    def step(request, headers):
        door, body, content_type = request
        path = door.path.replace("{task_id}", sender.ids[0])
        held(door, sender.send(door.method, path, body, {**headers, "Content-Type": content_type}))

    tried(st.tuples(with_body(), HEADERS), count, step, **how)


@all_or_a_part(BODIES_SENT)
def test_no_body_at_any_door_breaks_the_server(sender, count):
    send_bodies(sender, count)
    assert sender.count >= count
    assert {200, 400, 404} <= sender.came.keys(), sender.came


class Fragile(ArkCodec):
    def decode_request(self, fields):
        if "watermark" in fields and "seed" in fields:
            raise KeyError("watermark")
        return super().decode_request(fields)


@pytest.mark.full
def test_a_handler_that_breaks_on_two_fields_together_is_found(tmp_path):
    def changes(house):
        return replace(house, codecs={**house.codecs, "ark": Fragile(house.codecs["ark"].profile)})

    with opened(tmp_path, changes) as sender, pytest.raises(AssertionError, match="500"):
        # It is found within a few thousand; to look for the least request that does it would take much longer.
        send_bodies(sender, BODIES_SENT, phases=[Phase.generate])


@pytest.mark.full
def test_twenty_thousand_requests_are_sent_in_all():
    assert BODIES_SENT + OTHERS_SENT + SENT_BY_DESCRIPTION >= 20_000


@all_or_a_part(OTHERS_SENT)
def test_no_id_and_no_query_breaks_the_server(sender, count):
    doors = of_door(Operation.GET, Operation.LIST, Operation.CONTENT, Operation.DELETE)

    def step(door, wire_id, query, headers):
        # What is deleted is gone for those that come after.
        method = "HEAD" if door.operation is Operation.CONTENT and len(query) > 2 else door.method
        path = f"{door.path.replace('{task_id}', wire_id)}?{urlencode(query)}"
        answer = sender.send(method, path, headers=headers)
        if method != "HEAD":
            held(door, answer)

    tried(st.tuples(doors, spelled(sender.ids), QUERY, HEADERS), count, step)
    assert sender.count >= count
    assert {200, 400, 404} <= sender.came.keys(), sender.came


@all_or_a_part(SENT_BY_DESCRIPTION)
def test_what_the_description_allows_and_what_it_does_not_is_answered_as_described(sender, count):
    # Installed for `make test-full` only.
    import requests
    from schemathesis import GenerationMode, checks, openapi

    checks.load_all_checks()
    expected = [checks.CHECKS.get_one(name) for name in AS_DESCRIBED]
    operations = [found.ok() for found in openapi.from_dict(described(sender)).get_all_operations()]
    # A few operations have fewer different requests than that.
    each = count * 6 // (5 * len(operations)) + 1
    came = Counter()
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {sender.server.api_key}"

        def step(case):
            response = case.call(base_url=sender.server.url, session=session)
            came[response.status_code] += 1
            if response.status_code >= 500:
                assert response.status_code == 503, response.text
                assert any(said in response.text for said in SAID_WITH_503), response.text
            case.validate_response(response, checks=expected)

        for operation in operations:
            spaces = [operation.as_strategy(generation_mode=mode) for mode in GenerationMode]
            if "{task_id}" in operation.path and operation.method.upper() != "DELETE":
                spaces += [operation.as_strategy(path_parameters={"task_id": known}) for known in sender.ids]
            tried(st.one_of(*spaces).map(lambda case: (case,)), each, step)
    assert came.total() >= count, came
    assert {200, 400, 404} <= came.keys(), came


def described(sender):
    """Return the server's own description, less the key, which each request here brings along."""
    status, _, body = sender.send("GET", "/openapi.json")
    assert status == 200
    document = json.loads(body)
    del document["security"], document["components"]["securitySchemes"]
    for methods in document["paths"].values():
        for operation in methods.values():
            operation.pop("security", None)
    return document
