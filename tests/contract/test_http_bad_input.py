"""Bad input: one clear error in Ark's shape that names the parameter, nothing stored, and the server still serves."""

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest

from running_server import Answer, RunningServer
from understudy.dialects.ark import ARK

TASKS = "/api/v3/contents/generations/tasks"
MODEL = "doubao-seedance-2-0-260128"
TEXT = [{"type": "text", "text": "A cat"}]
GOOD: dict[str, Any] = {"model": MODEL, "content": TEXT}
BODY_MOST = ARK.profile.body_bytes_max


def body(**changes: Any) -> bytes:
    return json.dumps(GOOD | changes).encode()


def raw(text: str) -> bytes:
    """Return a good body with something spelled by hand inside."""
    return body(PLACE=0).replace(b'"PLACE": 0', text.encode())


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


@pytest.fixture(autouse=True)
def nothing_is_stored_and_the_server_still_serves(server: RunningServer) -> Iterator[None]:
    yield
    assert server.stored() == ()
    assert server.call("GET", TASKS).json() == {"items": [], "total": 0}


def refused(answer: Answer, param: str, code: str = "InvalidParameter", status: int = 400) -> None:
    error = answer.error
    assert (answer.status, error["code"], error["param"]) == (status, code, param), error
    assert len(answer.body) < 2000, "an error must not throw the input back"


# Whole bodies


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b" \n",
        b"{",
        b"{'model': 1}",
        b'{"model": "a",}',
        b'{"model": "a"} {}',
        b'{"model": "a"} x',
        b"[]",
        b'"text"',
        b"1",
        b"null",
        b"true",
        b"\xff\xfe{\x00}\x00",
        b'{"model": "\xff\xfe"}',
        b'{"model": "\xed\xa0\x80"}',
        b'{"model": "a\x00b"}',
        b'{"model": "a\nb"}',
        nested(600).encode(),
        nested(100_000).encode(),
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b"\x00" * 100,
        gzip.compress(json.dumps(GOOD).encode(), mtime=0),
        b"model=doubao&content=x",
        b"--boundary\r\nContent-Disposition: form-data\r\n\r\nx\r\n--boundary--",
    ],
    ids=lambda sent: repr(sent[:24]),
)
def test_a_body_that_is_no_json_object_is_refused(server, sent):
    refused(server.call("POST", TASKS, sent), "body")


def test_a_body_of_the_wrong_content_type_but_good_json_is_read(server):
    answer = server.call("POST", TASKS, body(model="unknown"), {"Content-Type": "text/plain"})
    refused(answer, "model", "InvalidEndpointOrModel.NotFound", 404)


def test_a_compressed_body_is_refused_by_its_header(server):
    answer = server.call("POST", TASKS, gzip.compress(body()), {"Content-Encoding": "gzip"})
    refused(answer, "Content-Encoding")


@pytest.mark.parametrize(
    ("text", "param"),
    [
        (f'"model": "{MODEL}", "model": "x"', "model"),
        ('"seed": 1, "seed": 1', "seed"),
        ('"content": [{"type": "text", "type": "text", "text": "a"}]', "type"),
        ('"trace": {"a": 1, "a": 2}', "a"),
    ],
)
def test_a_key_given_twice_is_refused_by_name(server, text, param):
    sent = ("{" + text + "}").encode() if "model" in text or "content" in text else raw(text)
    refused(server.call("POST", TASKS, sent), param)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_json_does_not_have_are_refused(server, number):
    refused(server.call("POST", TASKS, raw(f'"seed": {number}')), "body")


@pytest.mark.parametrize(
    ("text", "param"),
    [
        ('"seed": 1e400', "seed"),
        (f'"seed": 1{"0" * 400}', "seed"),
        ('"seed": -0.0', "seed"),
        ('"seed": 1.5', "seed"),
        ('"duration": 5.5', "duration"),
        ('"duration": 1e2', "duration"),
        (f'"duration": {10**30}', "duration"),
        (f'"priority": -{10**30}', "priority"),
        (f'"execution_expires_after": {2**63}', "execution_expires_after"),
    ],
)
def test_numbers_out_of_all_bounds_are_refused_by_parameter(server, text, param):
    refused(server.call("POST", TASKS, raw(text)), param)


def test_a_number_of_more_digits_than_python_reads_is_refused(server):
    refused(server.call("POST", TASKS, raw(f'"seed": {"9" * 10_000}')), "body")


@pytest.mark.parametrize("depth", [600, 5000])
def test_deep_nesting_in_an_unknown_key_is_refused_or_ignored_but_answered(server, depth):
    answer = server.call("POST", TASKS, raw(f'"seed": 99999999999, "trace": {nested(depth)}'))
    assert answer.status == 400
    assert answer.error["param"] in ("seed", "body")


# Fields


WRONG_TYPES = {
    "model": [1, True, [], {}, 1.5],
    "content": ["text", 1, {}, True, [1], ["text"], [[]]],
    "callback_url": [1, [], {}, False],
    "return_last_frame": ["true", 1, 0, [], {}],
    "service_tier": [1, True, []],
    "execution_expires_after": ["7200", True, 7200.5, []],
    "generate_audio": ["yes", 1, []],
    "draft": ["false", 0],
    "camera_fixed": ["false", 0],
    "watermark": ["no", 1, {}],
    "seed": ["7", True, False, [], {}],
    "resolution": [720, True, []],
    "ratio": [1.5, [16, 9], {}],
    "duration": ["5", True, [5], {}],
    "frames": ["57", True],
    "priority": ["1", True],
    "tools": ["web_search", {}, [1], ["web_search"]],
    "safety_identifier": [1, []],
    "output_format": [1],
    "omni_reference_task_type": [1],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG_TYPES.items() for value in values])
def test_a_wrong_type_is_refused_by_the_parameters_name(server, name, value):
    answer = server.call("POST", TASKS, body(**{name: value}))
    error = answer.error
    assert answer.status == 400
    assert error["type"] == "BadRequest"
    assert error["param"].split("[")[0].split(".")[0] == name, error
    assert name in error["message"]


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"duration": 3}, "duration"),
        ({"duration": 16}, "duration"),
        ({"duration": 0}, "duration"),
        ({"duration": -2}, "duration"),
        ({"seed": -2}, "seed"),
        ({"seed": 2**32}, "seed"),
        ({"ratio": "2:1"}, "ratio"),
        ({"ratio": "16:9 "}, "ratio"),
        ({"ratio": ""}, "ratio"),
        ({"ratio": "x" * 100_000}, "ratio"),
        ({"resolution": "1440p"}, "resolution"),
        ({"resolution": "720P\u0000"}, "resolution"),
        ({"priority": 10}, "priority"),
        ({"priority": -1}, "priority"),
        ({"execution_expires_after": 3599}, "execution_expires_after"),
        ({"execution_expires_after": 259201}, "execution_expires_after"),
        ({"safety_identifier": "x" * 65}, "safety_identifier"),
        ({"tools": [{"type": "magic"}]}, "tools[0].type"),
        ({"tools": [{}]}, "tools[0].type"),
        ({"draft": True}, "draft"),
        ({"camera_fixed": True}, "camera_fixed"),
        ({"frames": 57}, "frames"),
        ({"service_tier": "flex"}, "service_tier"),
        ({"service_tier": "gold"}, "service_tier"),
        ({"output_format": "gif"}, "output_format"),
        ({"omni_reference_task_type": "edit"}, "omni_reference_task_type"),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_a_value_that_is_not_allowed_is_refused_by_the_parameters_name(server, changes, param):
    answer = server.call("POST", TASKS, body(**changes))
    assert answer.status == 400, answer
    assert answer.error["param"] == param
    assert len(answer.body) < 2000


@pytest.mark.parametrize(
    ("content", "param"),
    [
        ([{"type": "image", "image": "x"}], "content[0].type"),
        ([{"type": "TEXT", "text": "x"}], "content[0].type"),
        ([{"text": "x"}], "content[0].type"),
        ([{"type": "text"}], "content[0].text"),
        ([{"type": "text", "text": 5}], "content[0].text"),
        ([{"type": "image_url"}], "content[0].image_url.url"),
        ([{"type": "image_url", "image_url": "https://example.com/x.png"}], "content[0].image_url"),
        ([{"type": "image_url", "image_url": {"url": 5}}], "content[0].image_url.url"),
        ([{"type": "image_url", "image_url": {"url": "https://e.com/x"}, "role": "middle_frame"}], "content"),
        ([{"type": "video_url", "video_url": {"url": "https://e.com/x"}, "role": "first_frame"}], "content"),
        ([{"type": "draft_task"}], "content[0].draft_task.id"),
        ([*TEXT, None], "content[1]"),
        ([{"type": "text", "text": ""}], "content"),
        ([{"type": "text", "text": " \n\t"}], "content"),
        ([{"type": "text", "text": "x" * 200_000}], "content"),
        ([{"type": "text", "text": "a\u0000b"}], "content[0].text"),
        ([{"type": "text", "text": "\ud800"}], "content[0].text"),
        ([{"type": "text", "text": "\udfff\ud800"}], "content[0].text"),
        ([{"type": "text", "text": "A cat on a roof"}] * 10_000, "content"),
    ],
    ids=lambda value: repr(value)[:70],
)
def test_bad_content_is_refused_by_item_and_field(server, content, param):
    answer = server.call("POST", TASKS, body(content=content))
    error = answer.error
    assert answer.status == 400, error
    assert error["param"].startswith(param), error


@pytest.mark.parametrize(
    "item",
    [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,"}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,?"}, "role": "reference_image"},
        {"type": "video_url", "video_url": {"url": "data:video/mp4;base64,AAAA"}, "role": "reference_video"},
        {"type": "audio_url", "audio_url": {"url": "https://example.com/a.mp3"}, "role": "reference_audio"},
        {"type": "draft_task", "draft_task": {"id": "cgt-20261121120000-abcde"}},
    ],
    ids=lambda item: f"{item['type']} {item.get('role')}",
)
def test_content_that_can_be_no_film_is_refused_before_anything_is_fetched(server, item):
    answer = server.call("POST", TASKS, body(content=[*TEXT, item]))
    assert answer.status == 400
    assert answer.error["param"].startswith("content")


@pytest.mark.parametrize("key", ["safety_identifier", "callback_url", "ratio", "model", "service_tier"])
@pytest.mark.parametrize("text", ["\u0000", "\ud800", "a\udc00b"], ids=ascii)
def test_text_that_no_database_holds_is_refused_by_the_parameters_name(server, key, text):
    refused(server.call("POST", TASKS, body(**{key: text})), key)


@pytest.mark.parametrize("text", ["\u0000", "\ud800"], ids=ascii)
def test_a_key_that_no_database_holds_is_refused(server, text):
    assert server.call("POST", TASKS, body(**{f"trace{text}": 1})).status == 400


@pytest.mark.parametrize(
    "model",
    ["unknown", "ep-20261121-abcde", "x" * 100_000, "../../etc/passwd", "' OR 1=1 --", "%s%n", "模型", "\u202e"],
    ids=lambda model: ascii(model[:20]),
)
def test_an_unknown_model_is_not_found(server, model):
    refused(server.call("POST", TASKS, body(model=model)), "model", "InvalidEndpointOrModel.NotFound", 404)


@pytest.mark.parametrize("missing", ["model", "content"])
@pytest.mark.parametrize("how", ["absent", "null", "empty"])
def test_a_missing_parameter_is_told_in_arks_words(server, missing, how):
    sent = dict(GOOD)
    if how == "absent":
        del sent[missing]
    else:
        sent[missing] = None if how == "null" else type(GOOD[missing])()
    answer = server.call("POST", TASKS, json.dumps(sent).encode())
    refused(answer, missing, "MissingParameter")
    wording = f"The request failed because it is missing `{missing}` parameter. Request id: "
    assert answer.error["message"].startswith(wording)


# Size


def test_a_body_declared_over_64_mb_is_refused(server):
    answer = server.call("POST", TASKS, b" " * (BODY_MOST + 1))
    refused(answer, "body")
    assert str(BODY_MOST) in answer.error["message"]


def test_a_body_that_only_turns_out_to_be_over_64_mb_is_refused(server):
    chunks = (b" " * 2**20 for _ in range(BODY_MOST // 2**20 + 1))
    answer = server.call("POST", TASKS, chunks)
    refused(answer, "body")
    assert str(BODY_MOST) in answer.error["message"]


def test_a_body_just_under_64_mb_is_read(server):
    sent = body(seed=-2)
    refused(server.call("POST", TASKS, sent + b" " * (BODY_MOST - len(sent))), "seed")


@pytest.mark.parametrize("more", [0, 1, 1000, 70_000])
def test_a_body_around_the_size_from_which_bodies_queue_is_read(server, more):
    sent = body(seed=-2)
    size = server.house.limits.large_body_bytes + more
    refused(server.call("POST", TASKS, sent + b" " * (size - len(sent))), "seed")


def test_a_client_that_waits_for_leave_to_send_is_refused_before_it_sends(server):
    head = f"POST {TASKS} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {server.api_key}\r\nConnection: close\r\n"
    received = server.say(f"{head}Content-Length: {BODY_MOST + 1}\r\nExpect: 100-continue\r\n\r\n".encode())
    assert received.startswith(b"HTTP/1.1 400 ")
    assert b"100 Continue" not in received


# Queries


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("page_num=0", "page_num"),
        ("page_num=-1", "page_num"),
        ("page_num=abc", "page_num"),
        ("page_num=1.5", "page_num"),
        ("page_num=501", "page_num"),
        ("page_num=%D9%A1", "page_num"),
        (f"page_num={'9' * 5000}", "page_num"),
        ("page_size=0", "page_size"),
        ("page_size=501", "page_size"),
        ("page_size=1e2", "page_size"),
        ("filter.status=done", "filter.status"),
        ("filter.status=queued%00", "filter"),
        ("filter.model=%00", "filter"),
        ("&".join(f"filter.task_ids={n}" for n in range(501)), "filter.task_ids"),
        ("&".join(f"x={n}" for n in range(1001)), "query"),
    ],
    ids=lambda value: value[:40],
)
def test_a_bad_query_is_refused_by_name(server, query, param):
    refused(server.call("GET", f"{TASKS}?{query}"), param)


@pytest.mark.parametrize(
    "query",
    ["", "?", "?page_num=", "?filter.status=", "?unknown=1", "?filter.task_ids=%FF", "?filter.model=%ED%A0%80", "?%"],
)
def test_a_query_with_nothing_to_refuse_lists_nothing(server, query):
    answer = server.call("GET", TASKS + query)
    assert (answer.status, answer.json()["items"]) == (200, [])


# Paths, methods, keys


@pytest.mark.parametrize(
    "wire_id",
    [
        "x",
        "cgt-",
        "cgt-1",
        "cgt-20261121120000-ABCDE",
        "%00",
        "%FF",
        "%ED%A0%80",
        "%zz",
        "..",
        "x" * 50_000,
        "a%20b",
        "%E2%80%AE",
    ],
    ids=lambda wire_id: wire_id[:30],
)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_what_cannot_be_an_id_is_not_found(server, method, wire_id):
    answer = server.call(method, f"{TASKS}/{wire_id}")
    assert (answer.status, answer.error["code"]) == (404, "NotFound.TaskId")
    assert len(answer.body) < 2000


@pytest.mark.parametrize("path", ["/nothing", f"{TASKS}/a/b", f"{TASKS}/a%2Fb", "//", "/api/v3", "/%00", "/ark/x", "*"])
def test_an_unknown_path_is_not_found_in_arks_shape(server, path):
    answer = server.call("GET", path)
    assert (answer.status, answer.error["code"]) == (404, "NotFound.Path")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", TASKS, "GET, POST, HEAD, OPTIONS"),
        ("DELETE", TASKS, "GET, POST, HEAD, OPTIONS"),
        ("POST", f"{TASKS}/cgt-20261121120000-abcde", "GET, DELETE, HEAD, OPTIONS"),
        ("PATCH", f"{TASKS}/cgt-20261121120000-abcde", "GET, DELETE, HEAD, OPTIONS"),
        ("TRACE", TASKS, "GET, POST, HEAD, OPTIONS"),
        ("POST", "/healthz", "GET, HEAD, OPTIONS"),
        ("POST", "/files/x", "GET, HEAD, OPTIONS"),
    ],
)
def test_a_wrong_method_is_told_which_are_right(server, method, path, allowed):
    answer = server.call(method, path)
    assert (answer.status, answer.error["code"]) == (405, "InvalidAction.MethodNotAllowed")
    assert answer.headers["allow"] == allowed


@pytest.mark.parametrize(
    ("authorization", "message"),
    [
        ("", "The API key or AK/SK in the request is missing or invalid."),
        ("Bearer ", "The API key or AK/SK in the request is missing or invalid."),
        ("Basic eDp5", "The API key format is incorrect."),
        (b"Bearer a\x7fb", None),
        (b"Bearer \xff\xfe", "The API key format is incorrect."),
        ("Bearer " + "k" * 60_000, "The API key format is incorrect."),
        ("Bearer a b", "The API key format is incorrect."),
        ("Bearer sk-nobody", "The API key doesn't exist."),
        ("Bearer '; DROP TABLE task; --", "The API key format is incorrect."),
    ],
    ids=lambda value: repr(value)[:40],
)
@pytest.mark.parametrize(("method", "path"), [("POST", TASKS), ("GET", TASKS), ("DELETE", f"{TASKS}/x")])
def test_a_bad_key_is_refused_before_anything_else(server, method, path, authorization, message):
    answer = server.call(method, path, b"{not json" if method == "POST" else None, {"Authorization": authorization})
    if message is None:
        assert answer.status in (400, 401)
    else:
        assert (answer.status, answer.error["code"]) == (401, "AuthenticationError")
        assert answer.error["message"].startswith(message)
