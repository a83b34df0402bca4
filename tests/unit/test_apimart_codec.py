"""The APIMart codec on what seed 002 prints, and its answers: tasks and errors."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from understudy.catalog.load import load_catalogue
from understudy.core.content import ContentItem, Modality
from understudy.core.errors import (
    CODES,
    Conflict,
    Forbidden,
    InsufficientFunds,
    NotFound,
    RateLimited,
    Rejected,
    Unauthorized,
    Unavailable,
    Violation,
)
from understudy.core.request import GenerationRequest
from understudy.core.task import Film, Status, Task, TaskError, Warned
from understudy.dialects.apimart import APIMART
from understudy.dialects.codec import Decoded
from understudy.dialects.json_body import read_object

GOLDEN = Path("tests/golden/apimart")
CASES = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(GOLDEN.glob("*.json"))}
CREATES = {name: case for name, case in CASES.items() if "request" in case["expect"]}
ANSWERS = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted((GOLDEN / "answers").glob("*.json"))}
ERRORS = {name: case for name, case in ANSWERS.items() if "violation" in case}

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
ID = "20261121120000-abcde"


class PlainLinks:
    kept_s = 604_800
    expires_at_s = 1795348800

    def url(self, blob_key):
        return f"http://host/files/{blob_key}"


def over(cases):
    return pytest.mark.parametrize("case", cases.values(), ids=cases.keys())


def read(raw: bytes) -> Decoded:
    return APIMART.decode_request(read_object(raw))


def test_all_thirteen_cases_and_all_six_answers_are_here():
    assert sum("_case_" in name for name in CREATES) == 13
    assert len(ANSWERS) == 6
    assert all(case["source"].startswith("seed 002, line") for case in (*CASES.values(), *ANSWERS.values()))


@over(CREATES)
def test_a_printed_request_decodes_into_what_it_says(case):
    decoded = read(case["body"].encode())
    expected = dict(case["expect"]["request"])
    content = [[str(each.modality), each.value, each.role] for each in decoded.request.content]
    assert content == expected.pop("content")
    found = {name: getattr(decoded.request, name) for name in expected}
    assert found == {name: tuple(value) if isinstance(value, list) else value for name, value in expected.items()}
    assert [warned.param for warned in decoded.warnings] == case["expect"]["warned"]


@over(CREATES)
def test_a_printed_request_survives_the_way_through_the_codec_and_loses_nothing(case):
    request = read(case["body"].encode()).request
    encoded = APIMART.encode_request(request)
    assert read(encoded.body).request == request
    assert encoded.lost == ()


@over({name: case for name, case in CASES.items() if "error" in case["expect"]})
def test_what_the_rules_refuse_is_read_by_the_codec(case):
    assert read(case["body"].encode()).request.model == json.loads(case["body"])["model"]


@over(ERRORS)
def test_a_printed_error_is_what_its_code_alone_is_told_as(case):
    answer = APIMART.encode_error(Violation(case["violation"], "", ""), "0217")
    assert (answer.status, json.loads(answer.body)) == (case["status"], json.loads(case["printed"]))


@over(ERRORS)
def test_a_printed_error_reads_back(case):
    error = APIMART.decode_error(case["status"], case["printed"].encode())
    assert error.status == case["status"]
    assert error.violation == Violation(case["violation"], "", json.loads(case["printed"])["error"]["message"])


def test_the_printed_answer_to_a_create_reads_back_and_has_our_shape():
    printed = ANSWERS["002_285_created"]["printed"]
    assert APIMART.decode_created(printed.encode()) == "task_01KMCGF6BQGN3X28H3KSR50X5T"
    ours = APIMART.encode_created(a_task(Status.QUEUED)).decode()
    assert json.loads(ours) == json.loads(printed.replace("task_01KMCGF6BQGN3X28H3KSR50X5T", f"task_{ID}"))


def a_task(status=Status.SUCCEEDED, **fields):
    film = Film(
        video_blob="v.mp4",
        last_frame_blob="f.png",
        ratio="16:9",
        width_px=1280,
        height_px=720,
        duration_s=5,
        fps=24,
        num_frames=120,
        has_sound=False,
    )
    is_done = status is Status.SUCCEEDED
    values = {"film": film if is_done else None, "completion_tokens": 108_900 if is_done else None, **fields}
    return Task(
        id=ID,
        owner="o",
        dialect="apimart",
        engine="previz",
        request=GenerationRequest(
            model="doubao-seedance-2-0-260128",
            model_asked="doubao-seedance-2.0",
            content=(ContentItem(modality=Modality.TEXT, value="x"),),
        ),
        seed=5,
        status=status,
        created_at=NOW,
        updated_at=NOW + timedelta(seconds=147),
        expires_at=NOW + timedelta(hours=1),
        **values,
    )


def shown(task):
    answer = json.loads(APIMART.encode_task(task, PlainLinks()))
    assert answer["code"] == 200
    return answer["data"]


def test_a_completed_task_has_a_list_of_addresses_that_says_when_they_end():
    assert shown(a_task()) == {
        "id": f"task_{ID}",
        "status": "completed",
        "progress": 100,
        "created": 1795262400,
        "completed": 1795262547,
        "actual_time": 147,
        "result": {
            "videos": [{"url": ["http://host/files/v.mp4"], "expires_at": 1795348800}],
            "last_frame_url": "http://host/files/f.png",
            "poster_url": "http://host/files/thumbnail.webp",
            "contact_sheet_url": "http://host/files/spritesheet.jpg",
        },
        "model": "doubao-seedance-2.0",
        "usage": {"completion_tokens": 108_900, "total_tokens": 108_900},
    }


def test_the_film_is_the_first_address_in_an_answer():
    answer = APIMART.encode_task(a_task(warnings=(Warned(param="x", message="http://b"),)), PlainLinks()).decode()
    assert answer.index("v.mp4") < answer.index("f.png") < answer.index("http://b")


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (Status.QUEUED, "pending"),
        (Status.RUNNING, "processing"),
        (Status.SUCCEEDED, "completed"),
        (Status.FAILED, "failed"),
        (Status.EXPIRED, "failed"),
        (Status.CANCELLED, "cancelled"),
    ],
)
def test_each_status_has_its_word(status, word):
    assert shown(a_task(status))["status"] == word


@pytest.mark.parametrize("status", [each for each in Status if each is not Status.SUCCEEDED])
def test_only_a_completed_task_has_a_time_of_completion(status):
    assert not {"completed", "actual_time", "result", "usage"} & shown(a_task(status)).keys()


def test_progress_is_a_whole_percentage_below_a_hundred_while_running():
    assert shown(a_task(Status.RUNNING, progress=0.999))["progress"] == 99


def test_a_failed_task_says_why():
    task = a_task(Status.FAILED, error=TaskError(code="InternalServiceError", message="It broke."))
    assert shown(task)["error"] == {
        "code": 500,
        "message": "It broke.",
        "type": "server_error",
        "reason": "InternalServiceError",
    }


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("ServiceUnavailable", 503, "server_error"),
        ("InvalidParameter", 400, "invalid_request_error"),
        ("Odd", 500, "server_error"),
    ],
)
def test_the_code_of_a_failed_task_is_a_number_as_in_every_error_of_the_dialect(code, status, kind):
    told = shown(a_task(Status.FAILED, error=TaskError(code=code, message="M")))["error"]
    assert (told["code"], told["type"], told["reason"]) == (status, kind, code)


def test_an_expired_task_is_a_failed_one_whose_error_says_so():
    assert shown(a_task(Status.EXPIRED))["error"] == {
        "code": 500,
        "message": "The task expired before it was finished.",
        "type": "server_error",
        "reason": "expired",
    }


def test_warnings_stand_on_the_task():
    task = a_task(warnings=(Warned(param="x", message="ignored"),))
    assert shown(task)["warnings"] == [{"param": "x", "message": "ignored"}]


@pytest.mark.parametrize("status", list(Status))
def test_a_written_task_reads_back(status):
    error = TaskError(code="C", message="M") if status is Status.FAILED else None
    task = a_task(status, error=error, progress=0.25, warnings=(Warned(param="x", message="y"),))
    remote = APIMART.decode_task(APIMART.encode_task(task, PlainLinks()))
    is_done = status is Status.SUCCEEDED
    assert (remote.id, remote.model, remote.status) == (f"task_{ID}", "doubao-seedance-2.0", status)
    assert (remote.error, remote.warnings) == (error, task.warnings)
    assert remote.completion_tokens == task.completion_tokens
    assert remote.progress == (1.0 if is_done else 0.25)
    assert remote.video_url == ("http://host/files/v.mp4" if is_done else None)
    assert remote.last_frame_url == ("http://host/files/f.png" if is_done else None)


def remote(**data):
    return APIMART.decode_task(json.dumps({"code": 200, "data": {"id": "task_1", **data}}).encode())


def test_the_status_of_a_create_reads_as_queued():
    assert remote(status="submitted").status is Status.QUEUED


@pytest.mark.parametrize("url", ["http://a/v.mp4", ["http://a/v.mp4"], ["http://a/v.mp4", "http://b/v.mp4"]])
def test_the_address_of_a_result_may_be_one_text_or_a_list(url):
    assert remote(status="completed", result={"videos": [{"url": url}]}).video_url == "http://a/v.mp4"


@pytest.mark.parametrize("result", [None, {}, {"videos": []}, {"videos": [{"url": []}]}, {"videos": [{}]}])
def test_a_completed_task_without_a_film_has_no_address(result):
    assert remote(status="completed", result=result).video_url is None


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"message": "No."}, TaskError(code="", message="No.")),
        ({"code": 500, "message": "No."}, TaskError(code="500", message="No.")),
        ({"code": "quota", "message": "No."}, TaskError(code="quota", message="No.")),
        ({"code": 500, "message": "No.", "reason": "Odd"}, TaskError(code="Odd", message="No.")),
        ("No.", TaskError(code="", message="No.")),
        (None, None),
    ],
)
def test_an_error_of_a_task_is_read_in_any_form(error, expected):
    assert remote(status="failed", error=error).error == expected


def told_error(violation):
    return json.loads(APIMART.encode_error(violation, "0217").body)["error"]


def test_a_bad_request_names_the_parameter_behind_the_printed_words():
    assert told_error(Violation("InvalidParameter", "size", "The parameter `size` is wrong.")) == {
        "code": 400,
        "message": "Invalid request parameters: The parameter `size` is wrong. Request id: 0217",
        "type": "invalid_request_error",
        "param": "size",
    }


def test_other_printed_messages_stay_as_printed_and_the_detail_stands_beside_them():
    assert told_error(Violation("ServerOverloaded", "", "Too many tasks are queued.")) == {
        "code": 429,
        "message": "Too many requests, please try again later",
        "type": "rate_limit_error",
        "detail": "Too many tasks are queued. Request id: 0217",
        "reason": "ServerOverloaded",
    }


def test_an_error_spells_ids_as_the_dialect_does():
    assert told_error(Violation("NotFound.TaskId", "", f"There is no task `{ID}`.")) == {
        "code": 404,
        "message": f"There is no task `task_{ID}`. Request id: 0217",
        "type": "not_found_error",
    }


@pytest.mark.parametrize("code", CODES)
def test_every_error_code_reads_back_as_the_right_kind(code):
    answer = APIMART.encode_error(Violation(code, "p", "m."), "r")
    error = APIMART.decode_error(answer.status, answer.body)
    kinds = {400: Rejected, 401: Unauthorized, 402: InsufficientFunds, 403: Forbidden, 404: NotFound, 405: Rejected}
    kinds |= {409: Conflict, 429: RateLimited, 500: Unavailable, 503: Unavailable}
    assert answer.status == json.loads(answer.body)["error"]["code"] == CODES[code].status
    assert type(error) is kinds.get(answer.status, Rejected)
    assert (error.violation.code, error.violation.param) == (code, "p")
    assert "m. Request id: r" in error.violation.message


@pytest.mark.parametrize("raw", [b"", b"<html>", b"[]", b'{"error":5}', b'{"error":{}}', b"null"])
def test_an_answer_that_is_no_error_of_the_dialect_still_becomes_an_error(raw):
    assert "502" in str(APIMART.decode_error(502, raw))


@pytest.mark.parametrize("wire", [f"cgt-{ID}", f"task_{ID}", f"video_{ID}", ID])
def test_every_spelling_of_an_id_is_understood(wire):
    assert APIMART.task_id(wire) == ID


@pytest.mark.parametrize("wire", ["", "task_", "task_01KMCGF6BQGN3X28H3KSR50X5T"])
def test_what_cannot_be_an_id_of_ours_is_none(wire):
    assert APIMART.task_id(wire) is None


def test_the_prompt_is_bounded_for_all_models_but_mini():
    mini = load_catalogue().model("doubao-seedance-2.0-mini")
    assert mini is not None
    assert APIMART.profile.prompt_chars_max == 4000
    assert APIMART.profile.prompt_chars_max_of[mini.id] > 4000
