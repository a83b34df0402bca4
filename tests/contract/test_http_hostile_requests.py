"""Requests made to cost the server or its other callers more than their sender: what each may cost stays small."""

import json

import pytest

from running_server import RunningServer
from understudy.core.task import WARNINGS_MAX

TASKS = "/api/v3/contents/generations/tasks"
FILMS = "/v1/video/generations"
MODEL = "doubao-seedance-2-0-260128"
GOOD = {"model": MODEL, "content": [{"type": "text", "text": "A cat"}]}
MANY = {f"key{number}": 1 for number in range(5000)}
ANSWER_BYTES_MAX = 100_000


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (TASKS, GOOD | MANY),
        (f"{TASKS}/quote", GOOD | MANY),
        (f"{TASKS}/quote", MANY),
        (FILMS, {"model": MODEL, "prompt": "A cat", "metadata": MANY}),
        (FILMS, {**GOOD, "metadata": MANY}),
        ("/v1/videos", {"model": "sora-2", "prompt": "A cat", **MANY}),
        ("/apimart/v1/videos/generations", {"model": "doubao-seedance-2.0", "prompt": "A cat", **MANY}),
        ("/v1/seedance/asset/CreateAssetGroup", {"Name": "x", **MANY}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("strict", ["true", "false"])
def test_thousands_of_unknown_fields_are_told_in_brief(server: RunningServer, path, body, strict):
    answer = server.call("POST", path, json.dumps(body).encode(), {"X-Understudy-Strict": strict})
    assert answer.status in (200, 400)
    assert len(answer.body) < ANSWER_BYTES_MAX
    assert len(server.call("GET", TASKS).body) < ANSWER_BYTES_MAX


def test_a_task_keeps_the_first_warnings_and_the_number_of_the_rest(server: RunningServer):
    task_id = server.call("POST", TASKS, json.dumps(GOOD | MANY).encode()).json()["id"]
    warnings = server.task(task_id).warnings
    assert len(warnings) == WARNINGS_MAX
    assert warnings[0].param == "key0"
    assert str(len(MANY) - WARNINGS_MAX + 1) in warnings[-1].message


def test_a_link_with_too_many_fields_is_no_link(server: RunningServer):
    query = "&".join(f"a={number}" for number in range(100))
    answer = server.call("GET", f"/files/a-1/video.mp4?{query}", headers={"Authorization": ""})
    assert answer.status == 403, answer
