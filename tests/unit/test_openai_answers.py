"""OpenAI's dialect: how tasks, listings, deletions and errors are told, and read again."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from understudy.core.errors import CODES, Rejected, Violation
from understudy.core.task import Film, Status, Task, TaskError, TaskPage, Warned
from understudy.dialects.openai_videos import OPENAI

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)


class PlainLinks:
    kept_s = 604_800
    expires_at_s = 0

    def url(self, blob_key):
        return f"http://host/files/{blob_key}"


def asked(**fields):
    return OPENAI.decode_request({"prompt": "a cat", **fields}).request


def a_task(status=Status.QUEUED, *, dialect="openai", request=None, **fields):
    film = Film(
        video_blob="v/1.mp4",
        last_frame_blob="v/1.png",
        ratio="16:9",
        width_px=1280,
        height_px=720,
        duration_s=5,
        fps=24,
        num_frames=121,
        has_sound=True,
    )
    return Task(
        id="20261121120000-abcde",
        owner="o",
        dialect=dialect,
        engine="previz",
        request=replace(request or asked(), model="doubao-seedance-2-0-fast-260128", model_asked="sora-2"),
        seed=5,
        status=status,
        created_at=NOW,
        updated_at=NOW + timedelta(seconds=90),
        expires_at=NOW + timedelta(days=2),
        film=film if status is Status.SUCCEEDED else None,
        **fields,
    )


def shown(task):
    return json.loads(OPENAI.encode_task(task, PlainLinks()))


def test_a_queued_video_is_shown_as_it_was_asked_for():
    task = a_task()
    expected = {
        "id": "video_20261121120000-abcde",
        "object": "video",
        "model": "sora-2",
        "status": "queued",
        "progress": 0,
        "created_at": int(NOW.timestamp()),
        "seconds": "4",
        "size": "720x1280",
        "prompt": "a cat",
        "task_id": "video_20261121120000-abcde",
    }
    assert shown(task) == expected
    assert json.loads(OPENAI.encode_created(task)) == expected


def test_a_completed_video_is_shown_as_it_is():
    video = shown(a_task(Status.SUCCEEDED, progress=0.7))
    assert (video["status"], video["progress"], video["seconds"], video["size"]) == ("completed", 100, "5", "1280x720")
    assert video["completed_at"] - video["created_at"] == 90
    assert video["expires_at"] - video["created_at"] == OPENAI.profile.record_retention_s
    assert (video["url"], video["format"]) == ("http://host/files/v/1.mp4", "mp4")
    assert video["metadata"] == {
        "url": "http://host/files/v/1.mp4",
        "duration": 5,
        "fps": 24,
        "width": 1280,
        "height": 720,
        "seed": 5,
        "last_frame_url": "http://host/files/v/1.png",
        "poster_url": "http://host/files/v/thumbnail.webp",
        "contact_sheet_url": "http://host/files/v/spritesheet.jpg",
    }


def test_a_running_video_never_looks_complete():
    assert (shown(a_task(Status.RUNNING, progress=1.0))["progress"]) == 99
    assert (shown(a_task(Status.RUNNING, progress=0.5))["status"]) == "in_progress"
    assert "completed_at" not in shown(a_task(Status.RUNNING))


def test_only_four_words_are_used_and_every_end_is_one():
    words = {status: shown(a_task(status))["status"] for status in Status}
    assert set(words.values()) == {"queued", "in_progress", "completed", "failed"}
    assert {status for status in Status if words[status] == "failed"} == {
        Status.FAILED,
        Status.EXPIRED,
        Status.CANCELLED,
    }


@pytest.mark.parametrize("status", [Status.EXPIRED, Status.CANCELLED])
def test_what_expired_or_was_cancelled_says_so_and_is_read_back(status):
    task = a_task(status, error=TaskError(code="Any", message="x") if status is Status.EXPIRED else None)
    assert shown(task)["error"]["code"] == str(status)
    assert OPENAI.decode_task(OPENAI.encode_task(task, PlainLinks())).status is status


def test_a_failed_video_says_why():
    assert shown(a_task(Status.FAILED, error=TaskError(code="X", message="Because.")))["error"] == {
        "code": "X",
        "message": "Because.",
    }


def test_seconds_and_size_that_the_engine_chooses_are_words_until_then():
    video = shown(a_task(request=asked(duration=-1, ratio="adaptive")))
    assert (video["seconds"], video["size"]) == ("-1", "adaptive")


def test_frames_are_told_in_whole_seconds():
    assert shown(a_task(request=asked(frames=57)))["seconds"] == "2"


def test_a_remix_names_its_source():
    task = a_task(request=replace(asked(), remixed_from="20261121110000-zzzzz"))
    assert shown(task)["remixed_from_video_id"] == "video_20261121110000-zzzzz"


def test_warnings_are_told():
    assert shown(a_task(warnings=(Warned(param="n", message="Ignored."),)))["warnings"] == [
        {"param": "n", "message": "Ignored."}
    ]


@pytest.mark.parametrize(
    ("dialect", "prefix"), [("openai", "video_"), ("amux", "task_"), ("amux-native", "cgt-"), ("ark", "video_")]
)
def test_a_task_keeps_the_id_that_its_client_was_given(dialect, prefix):
    assert shown(a_task(dialect=dialect))["id"] == f"{prefix}20261121120000-abcde"


def test_the_address_of_the_film_stands_wherever_a_gateways_clients_look_for_it():
    video = shown(a_task(Status.SUCCEEDED))
    assert video["video_url"] == video["url"] == video["metadata"]["url"]
    assert "video_url" not in shown(a_task(Status.RUNNING))


def test_a_gateway_that_gives_the_address_as_video_url_is_read():
    body = {"id": "t", "object": "video", "status": "completed", "video_url": "https://h/v.mp4"}
    assert OPENAI.decode_task(json.dumps(body).encode()).video_url == "https://h/v.mp4"


def test_a_new_api_gateways_answer_is_read():
    body = {"id": "task_1", "object": "video", "model": "m", "status": "unknown", "progress": 30, "created_at": 1}
    found = OPENAI.decode_task(json.dumps(body).encode())
    assert (found.status, found.progress) == (Status.RUNNING, 0.3)
    done = {**body, "status": "completed", "progress": 100, "metadata": {"url": "https://h/v.mp4"}}
    found = OPENAI.decode_task(json.dumps(done).encode())
    assert (found.video_url, found.progress) == ("https://h/v.mp4", None)
    failed = {**body, "status": "failed", "error": {"code": 50001, "message": "no"}}
    assert OPENAI.decode_task(json.dumps(failed).encode()).error == TaskError(code="50001", message="no")


# Listings and deletions


def listing(*query):
    return OPENAI.decode_filter(query, now=NOW)


def test_a_listing_is_newest_first_from_the_beginning_unless_asked_otherwise():
    assert (listing().after, listing().is_oldest_first, listing().page) == (None, False, 1)
    wanted = listing(("after", "task_20261121120000-abcde"), ("limit", "2"), ("order", "asc"))
    assert (wanted.after, wanted.page_size, wanted.is_oldest_first) == ("20261121120000-abcde", 2, True)


@pytest.mark.parametrize(
    ("name", "value"),
    [("limit", "0"), ("limit", "101"), ("limit", "two"), ("limit", "９"), ("order", "up"), ("after", "file-1")],
)
def test_a_listing_that_is_none_is_refused_by_name(name, value):
    with pytest.raises(Rejected) as caught:
        listing((name, value))
    assert caught.value.violation.param == name


def test_a_page_says_where_it_ends_and_whether_there_is_more():
    tasks = (a_task(), replace(a_task(), id="20261121110000-abcde"))
    page = json.loads(OPENAI.encode_page(TaskPage(tasks=tasks, total=3), PlainLinks()))
    assert (page["object"], page["has_more"]) == ("list", True)
    assert (page["first_id"], page["last_id"]) == ("video_20261121120000-abcde", "video_20261121110000-abcde")
    assert [video["id"] for video in page["data"]] == [page["first_id"], page["last_id"]]
    assert not json.loads(OPENAI.encode_page(TaskPage(tasks=tasks, total=2), PlainLinks()))["has_more"]


def test_an_empty_page_has_neither_first_nor_last():
    assert json.loads(OPENAI.encode_page(TaskPage(tasks=(), total=0), PlainLinks())) == {
        "object": "list",
        "data": [],
        "has_more": False,
        "first_id": None,
        "last_id": None,
    }


def test_a_deletion_is_confirmed():
    assert json.loads(OPENAI.encode_deleted("20261121120000-abcde")) == {
        "id": "video_20261121120000-abcde",
        "deleted": True,
        "object": "video.deleted",
    }


# Errors


@pytest.mark.parametrize(
    ("code", "status", "kind", "word"),
    [
        ("InvalidParameter", 400, "invalid_request_error", "invalid_value"),
        ("MissingParameter", 400, "invalid_request_error", "missing_required_parameter"),
        ("AuthenticationError", 401, "invalid_request_error", "invalid_api_key"),
        ("InsufficientBalance", 402, "insufficient_quota", "insufficient_quota"),
        ("InvalidEndpointOrModel.NotFound", 404, "invalid_request_error", "model_not_found"),
        ("NotFound.TaskId", 404, "invalid_request_error", "NotFound.TaskId"),
        ("QuotaExceeded", 429, "rate_limit_error", "rate_limit_exceeded"),
        ("InternalServiceError", 500, "server_error", "server_error"),
    ],
)
def test_an_error_is_told_in_openais_words(code, status, kind, word):
    answer = OPENAI.encode_error(Violation(code, "", "About `20261121120000-abcde`."), "02")
    message = "About `video_20261121120000-abcde`."
    assert answer.status == status
    assert json.loads(answer.body) == {"error": {"message": message, "type": kind, "param": None, "code": word}}


@pytest.mark.parametrize("code", CODES)
def test_every_error_is_read_back_as_it_was(code):
    violation = Violation(code, "size", "A sentence.")
    answer = OPENAI.encode_error(violation, "02")
    assert OPENAI.decode_error(answer.status, answer.body).violation == violation
