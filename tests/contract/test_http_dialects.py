"""What is ours beside the dialects: naming one in a header, strict requests, quotes, and tasks that all can read."""

import json
from dataclasses import replace

import pytest

from running_server import RunningServer, running_server
from understudy.dialects.registry import CODECS
from understudy.dialects.select import DOORS, MOUNTS, Operation, mounted_doors
from understudy.server.house import House

MODEL = "doubao-seedance-2-0-260128"
ARK = "/api/v3/contents/generations/tasks"
BODIES = {
    "ark": {"model": MODEL, "content": [{"type": "text", "text": "A cat"}]},
    "apiyi": {"model": MODEL, "content": [{"type": "text", "text": "A cat"}]},
    "amux-native": {"model": MODEL, "content": [{"type": "text", "text": "A cat"}]},
    "amux": {"model": MODEL, "prompt": "A cat"},
    "newapi": {"model": MODEL, "prompt": "A cat"},
    "octopus": {"model": MODEL, "content": [{"type": "text", "text": "A cat"}], "metadata": {}},
    "apimart": {"model": MODEL, "prompt": "A cat"},
    "openai": {"model": "sora-2", "prompt": "A cat"},
}
CREATED_AT = {
    "ark": ARK,
    "apiyi": f"/seedance{ARK}",
    "amux-native": f"/amux{ARK}",
    "amux": "/v1/video/generations",
    "newapi": "/newapi/v1/video/generations",
    "octopus": "/v1/video/generations",
    "apimart": "/v1/videos/generations",
    "openai": "/v1/videos",
}
GETS = [door.path for door in mounted_doors() if door.operation is Operation.GET]


def create(server: RunningServer, dialect: str, headers=None, **fields):
    body = json.dumps({**BODIES[dialect], **fields}).encode()
    return server.call("POST", CREATED_AT[dialect], body, headers=headers or {})


def task_id_of(server: RunningServer) -> str:
    return server.stored()[0].id


@pytest.mark.parametrize("dialect", CREATED_AT)
def test_a_task_of_one_dialect_is_read_in_all_in_every_state(server: RunningServer, dialect):
    assert create(server, dialect).status == 200
    task_id = task_id_of(server)
    wire_id = CODECS[dialect].wire_id(task_id)
    for act, words in (
        (lambda: None, ("queued", "pending")),
        (lambda: server.run_task(wire_id, 0.5), ("running", "in_progress", "processing")),
        (lambda: server.succeed(wire_id), ("succeeded", "completed")),
    ):
        claim = act()
        for path in GETS:
            answer = server.call("GET", path.replace("{task_id}", wire_id))
            assert answer.status == 200, (path, answer.body)
            assert any(word in answer.body.decode().lower() for word in words), (path, answer.body)
        if claim is not None and "running" in words:
            server.do(server.store.hand_back(claim, server.clock.now()))


@pytest.mark.parametrize("dialect", CREATED_AT)
def test_every_spelling_of_an_id_is_understood_everywhere(server: RunningServer, dialect):
    create(server, dialect)
    task_id = task_id_of(server)
    for prefix in ("cgt-", "task_", "video_"):
        for path in GETS:
            assert server.call("GET", path.replace("{task_id}", prefix + task_id)).status == 200, path


def test_the_header_names_the_dialect_of_a_request(server: RunningServer):
    answer = create(server, "ark", headers={"X-Understudy-Dialect": "amux"})
    assert answer.json().keys() == {"id", "model", "status", "created_at"}, "amux's richer answer"
    assert server.stored()[0].dialect == "amux-native"


def test_the_header_names_the_dialect_of_an_answer(server: RunningServer):
    wire_id = create(server, "ark").json()["id"]
    answer = server.call("GET", f"{ARK}/{wire_id}", headers={"X-Understudy-Dialect": "apimart"})
    assert answer.json()["code"] == 200
    assert answer.json()["data"]["status"] == "pending"


def test_a_dialect_that_does_not_exist_is_named(server: RunningServer):
    answer = create(server, "ark", headers={"X-Understudy-Dialect": "vidu"})
    assert (answer.status, answer.error["param"]) == (400, "X-Understudy-Dialect")
    assert all(mount in answer.error["message"] for mount in MOUNTS)


def test_a_dialect_without_listings_says_so(server: RunningServer):
    answer = server.call("GET", ARK, headers={"X-Understudy-Dialect": "apimart"})
    assert answer.status == 400
    assert "neither lists nor deletes" in answer.body.decode()


@pytest.mark.parametrize("dialect", CREATED_AT)
def test_a_strict_request_is_refused_for_a_key_that_means_nothing(server: RunningServer, dialect):
    assert create(server, dialect, headers={"X-Understudy-Strict": "true"}, blur=3).status == 400
    assert server.stored() == ()
    loose = create(server, dialect, headers={"X-Understudy-Strict": "false"}, blur=3)
    assert loose.status == 200
    assert "blur" in loose.headers["x-understudy-warnings"]
    assert create(server, dialect, headers={"X-Understudy-Strict": "true"}).status == 200


def test_strict_is_true_or_false(server: RunningServer):
    answer = create(server, "ark", headers={"X-Understudy-Strict": "maybe"})
    assert (answer.status, answer.error["param"]) == (400, "X-Understudy-Strict")


@pytest.mark.parametrize("door", [door for door in DOORS if door.operation is Operation.QUOTE], ids=lambda d: d.path)
def test_every_create_path_quotes_without_storing(server: RunningServer, door):
    dialect = door.dialects[0]
    answer = server.call("POST", door.path, json.dumps(BODIES[dialect]).encode())
    quote = answer.json()
    assert answer.status == 200
    assert (quote["object"], quote["dialect"], quote["engine"]) == ("quote", dialect, "previz")
    assert quote["is_acceptable"]
    assert quote["at_most"]["currency"] == "CNY"
    assert quote["at_most"]["completion_tokens"] > 0
    assert server.stored() == ()


def test_a_quote_says_the_whole_request_and_it_can_be_sent_as_it_is(server: RunningServer):
    quote = server.call("POST", f"{ARK}/quote", json.dumps(BODIES["ark"]).encode()).json()
    assert (quote["request"]["ratio"], quote["request"]["duration"]) == ("adaptive", 5)
    assert quote["request"]["generate_audio"] is True
    server.call("POST", ARK, json.dumps(quote["request"]).encode())
    plain, whole = BODIES["ark"], server.stored()[0]
    server.call("POST", ARK, json.dumps(plain).encode())
    assert server.stored()[0].request == whole.request


def test_a_quote_lists_every_violation_in_the_callers_words(server: RunningServer):
    body = {**BODIES["apimart"], "duration": 99, "size": "9:1"}
    quote = server.call("POST", "/v1/videos/generations/quote", json.dumps(body).encode()).json()
    assert not quote["is_acceptable"]
    assert {each["param"] for each in quote["violations"]} == {"duration", "size"}
    assert quote["at_most"] is None


def test_a_quote_of_what_cannot_be_read_says_why(server: RunningServer):
    quote = server.call("POST", "/v1/video/generations/quote", json.dumps({"model": MODEL}).encode()).json()
    assert quote["request"] is None
    assert "prompt" in quote["violations"][0]["message"]


def test_a_quote_of_no_object_is_an_error(server: RunningServer):
    assert server.call("POST", f"{ARK}/quote", b"[]").status == 400


@pytest.mark.parametrize(
    ("path", "has"),
    [
        ("/apimart/v1/nothing", ("code", "message", "type")),
        ("/v1/embeddings", ("message", "type", "param", "code")),
        ("/octopus/nothing", ("message",)),
        ("/nothing", ("code", "message", "param", "type")),
    ],
)
def test_a_path_that_does_not_exist_is_told_in_the_words_of_whoever_would_own_it(server: RunningServer, path, has):
    answer = server.call("GET", path)
    assert answer.status == 404
    told = answer.json()
    assert set(has) <= told.get("error", told).keys()
    assert "nothing" in answer.body.decode() or "/v1/embeddings" in answer.body.decode()


def test_a_preferred_dialect_and_strictness_are_settings(tmp_path):
    def changed(house: House) -> House:
        return replace(house, preferred_dialect="newapi", is_strict=True)

    with running_server(tmp_path, changes=changed) as server:
        assert create(server, "amux").status == 200
        assert server.stored()[0].dialect == "newapi"
        assert create(server, "ark").status == 200, "a path that belongs to another dialect stays its"
        assert create(server, "ark", blur=3).status == 400
        assert create(server, "ark", headers={"X-Understudy-Strict": "false"}, blur=3).status == 200
