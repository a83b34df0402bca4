"""What the universal codecs and seed 003's answer: created tasks, tasks and errors, both ways."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

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
from understudy.core.task import Claim, Status, TaskError, Warned
from understudy.dialects.ark_task import task_body
from understudy.dialects.octopus import OCTOPUS
from understudy.dialects.universal import AMUX, NEWAPI
from understudy.testing.samples import sample_request, sample_task, success_of

CODECS = {codec.name: codec for codec in (AMUX, NEWAPI, OCTOPUS)}


class PlainLinks:
    kept_s = 604_800
    expires_at_s = 0

    def url(self, blob_key):
        return f"http://host/files/{blob_key}"


def finished(**changes):
    task = sample_task(status=Status.RUNNING, attempt=1, **changes)
    outcome = success_of(Claim(task=task, token=1, worker="w"))
    return replace(
        task,
        status=Status.SUCCEEDED,
        film=outcome.film,
        completion_tokens=outcome.completion_tokens,
        updated_at=task.created_at + timedelta(seconds=9),
    )


def answer(codec, task):
    return json.loads(codec.encode_task(task, PlainLinks()))


def test_the_answer_to_a_create_serves_readers_of_id_and_of_task_id():
    task = sample_task(dialect="newapi", request=sample_request(model_asked="doubao-seedance-2.0"))
    assert json.loads(NEWAPI.encode_created(task)) == {
        "id": "task_20261121120000-00000",
        "task_id": "task_20261121120000-00000",
        "object": "video",
        "model": "doubao-seedance-2.0",
        "status": "queued",
        "progress": 0,
        "created_at": 1795262400,
    }


def test_the_answer_to_a_create_carries_the_warnings():
    task = sample_task(dialect="amux", warnings=(Warned(param="mode", message="ignored"),))
    assert json.loads(AMUX.encode_created(task))["warnings"] == [{"param": "mode", "message": "ignored"}]


@pytest.mark.parametrize(
    ("created_in", "spelled"),
    [("amux", "task_"), ("amux-native", "cgt-"), ("openai", "video_"), ("ark", "task_"), ("unknown", "task_")],
)
def test_an_id_is_spelled_as_kin_gave_it(created_in, spelled):
    told = answer(AMUX, sample_task(dialect=created_in))
    assert told["id"] == told["task_id"] == told["data"]["task_id"] == f"{spelled}20261121120000-00000"
    assert told["data"]["data"]["id"] == told["id"]


def test_a_finished_task_serves_the_clients_of_all_three_documents():
    task = finished(
        dialect="amux", request=sample_request(trace_id="order-1"), warnings=(Warned(param="x", message="y"),)
    )
    told = answer(AMUX, task)
    url = f"http://host/files/{task.film.video_blob}"
    envelope, inner = told["data"], told["data"].pop("data")
    assert (inner["status"], inner["content"]["video_url"], inner["usage"]["total_tokens"]) == (
        "succeeded",
        url,
        108_000,
    )
    assert envelope == {
        "task_id": "task_20261121120000-00000",
        "action": "generate",
        "status": "SUCCESS",
        "fail_reason": "",
        "submit_time": 1795262400,
        "start_time": 1795262400,
        "finish_time": 1795262409,
        "progress": "100%",
        "created_at": 1795262400,
        "updated_at": 1795262409,
        "properties": {"origin_model_name": "model-a", "upstream_model_name": "model-a"},
        "result_url": url,
    }
    del told["data"]
    assert told == {
        "code": "success",
        "message": "",
        "id": "task_20261121120000-00000",
        "task_id": "task_20261121120000-00000",
        "object": "video",
        "model": "model-a",
        "status": "completed",
        "created_at": 1795262400,
        "metadata": {
            "duration": 5.0,
            "fps": 24,
            "width": 864,
            "height": 496,
            "seed": 2**32 - 1,
            "trace_id": "order-1",
        },
        "url": url,
        "format": "mp4",
        "warnings": [{"param": "x", "message": "y"}],
    }


@pytest.mark.parametrize(
    ("status", "flat", "envelope", "progress"),
    [
        (Status.QUEUED, "queued", "QUEUED", "0%"),
        (Status.RUNNING, "in_progress", "IN_PROGRESS", "50%"),
        (Status.FAILED, "failed", "FAILURE", "100%"),
        (Status.EXPIRED, "failed", "FAILURE", "100%"),
        (Status.CANCELLED, "failed", "FAILURE", "100%"),
    ],
)
def test_every_status_has_its_two_words(status, flat, envelope, progress):
    told = answer(AMUX, sample_task(status=status, progress=0.5 if status is Status.RUNNING else 0.0))
    assert (told["status"], told["data"]["status"], told["data"]["progress"]) == (flat, envelope, progress)
    assert ("error" in told) is (flat == "failed")
    assert bool(told["data"]["fail_reason"]) is (flat == "failed")


@pytest.mark.parametrize(("done", "progress"), [(0.375, "37%"), (0.999, "99%"), (1.0, "99%")])
def test_a_task_that_has_not_ended_does_not_look_it(done, progress):
    told = answer(AMUX, sample_task(status=Status.RUNNING, progress=done))
    assert told["data"]["progress"] == progress


def test_times_that_have_not_come_are_zero():
    told = answer(NEWAPI, sample_task())["data"]
    assert (told["submit_time"], told["start_time"], told["finish_time"]) == (1795262400, 0, 0)


def test_a_failed_task_says_why_in_every_form():
    task = sample_task(status=Status.FAILED, error=TaskError(code="InvalidParameter", message="It broke."))
    told = answer(NEWAPI, task)
    assert told["error"] == {"code": 400, "message": "It broke."}
    assert told["data"]["fail_reason"] == "It broke."
    assert told["data"]["data"]["error"] == {"code": "InvalidParameter", "message": "It broke."}
    assert "url" not in told


def test_the_film_of_a_remix_is_told_apart():
    task = sample_task(request=sample_request(remixed_from="20261121120000-abcde"))
    assert answer(NEWAPI, task)["data"]["action"] == "remixGenerate"


@pytest.mark.parametrize("status", list(Status))
@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
def test_a_written_task_reads_back(codec, status):
    error = TaskError(code="C", message="M") if status is Status.FAILED else None
    task = finished() if status is Status.SUCCEEDED else sample_task(status=status, error=error, progress=0.25)
    task = replace(task, warnings=(Warned(param="x", message="y"),))
    remote = codec.decode_task(codec.encode_task(task, PlainLinks()))
    assert (remote.id, remote.status, remote.error, remote.completion_tokens, remote.warnings) == (
        f"task_{task.id}",
        status,
        error,
        task.completion_tokens,
        task.warnings,
    )
    assert remote.video_url == (f"http://host/files/{task.film.video_blob}" if task.film else None)
    assert remote.model == "model-a"
    if status is Status.RUNNING:
        assert remote.progress == 0.25


@pytest.mark.parametrize(
    ("raw", "status", "url", "error"),
    [
        ({"task_id": "t", "status": "in_progress"}, Status.RUNNING, None, None),
        ({"task_id": "t", "status": "completed", "url": "u", "format": "mp4"}, Status.SUCCEEDED, "u", None),
        (
            {"task_id": "t", "status": "failed", "error": {"code": 50001, "message": "no"}},
            Status.FAILED,
            None,
            TaskError(code="50001", message="no"),
        ),
        ({"code": "success", "data": {"task_id": "t", "status": "NOT_START"}}, Status.QUEUED, None, None),
        ({"code": "success", "data": {"task_id": "t", "status": "SUBMITTED"}}, Status.QUEUED, None, None),
        ({"code": "success", "data": {"task_id": "t", "status": "UNKNOWN"}}, Status.RUNNING, None, None),
        (
            {"code": "success", "data": {"task_id": "t", "status": "SUCCESS", "result_url": "u"}},
            Status.SUCCEEDED,
            "u",
            None,
        ),
        (
            {"code": "success", "data": {"task_id": "t", "status": "FAILURE", "fail_reason": "no", "data": None}},
            Status.FAILED,
            None,
            TaskError(code="", message="no"),
        ),
        (
            {"code": "success", "data": {"task_id": "t", "status": "IN_PROGRESS", "data": {"status": "expired"}}},
            Status.EXPIRED,
            None,
            None,
        ),
        (
            {"code": "success", "data": {"task_id": "t", "status": "FAILURE", "data": {"status": "running"}}},
            Status.FAILED,
            None,
            TaskError(code="", message="no reason given"),
        ),
        (
            {"code": "success", "message": "", "data": {"task_id": "t", "status": "succeeded", "url": "u"}},
            Status.SUCCEEDED,
            "u",
            None,
        ),
        ({"code": "success", "data": {"task_id": "t", "status": "processing"}}, Status.RUNNING, None, None),
    ],
)
def test_the_answers_of_other_gateways_are_understood(raw, status, url, error):
    remote = NEWAPI.decode_task(json.dumps(raw).encode())
    assert (remote.id, remote.status, remote.video_url, remote.error) == ("t", status, url, error)


def test_arks_own_answer_stands_inside_unchanged():
    task = finished(dialect="newapi")
    inner = answer(NEWAPI, task)["data"]["data"]
    body = task_body(task, PlainLinks(), NEWAPI.wire_id(task.id))
    assert (inner["id"], inner["status"], inner["ratio"]) == (body.id, body.status, body.ratio)


@pytest.mark.parametrize("body", [b'{"task_id": "t"}', b'{"id": "i"}'])
def test_the_id_of_a_created_task_is_read_from_either_key(body):
    assert AMUX.decode_created(body) in ("t", "i")


@pytest.mark.parametrize(
    ("violation", "status", "body"),
    [
        (
            Violation("MissingParameter", "prompt", "prompt is required"),
            400,
            {"code": "invalid_request", "message": "prompt is required", "data": None, "param": "prompt"},
        ),
        (
            Violation("NotFound.TaskId", "id", "The task `20261121120000-abcde` is not found."),
            400,
            {
                "code": "task_not_exist",
                "message": "The task `task_20261121120000-abcde` is not found.",
                "data": None,
                "param": "id",
            },
        ),
        (
            Violation("AuthenticationError", "", "Bad key."),
            401,
            {"error": {"message": "Bad key. (request id: r1)", "type": "new_api_error", "code": ""}},
        ),
        (
            Violation("InvalidEndpointOrModel.NotFound", "model", "No model x."),
            503,
            {"error": {"message": "No model x. (request id: r1)", "type": "new_api_error", "code": "model_not_found"}},
        ),
        (
            Violation("QuotaExceeded", "", "Too many."),
            429,
            {"code": "quota_exceeded", "message": "Too many.", "data": None},
        ),
        (
            Violation("InvalidParameter", "body", "Bad JSON."),
            400,
            {"code": "invalid_json", "message": "Bad JSON.", "data": None, "param": "body"},
        ),
    ],
)
def test_an_error_has_new_apis_shape(violation, status, body):
    told = NEWAPI.encode_error(violation, "r1")
    assert (told.status, json.loads(told.body)) == (status, body)


KINDS = {400: Rejected, 401: Unauthorized, 402: InsufficientFunds, 403: Forbidden, 404: NotFound, 405: Rejected}
KINDS |= {409: Conflict, 429: RateLimited, 500: Unavailable, 503: Unavailable}


@pytest.mark.parametrize("code", CODES)
def test_every_error_code_reads_back_as_the_right_kind(code):
    told = OCTOPUS.encode_error(Violation(code, "p", "The request failed."), "r")
    error = OCTOPUS.decode_error(told.status, told.body)
    assert type(error) is KINDS[CODES[code].status]
    if CODES[code].status != 400:
        assert error.violation.code == code


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (400, {"code": "task_not_exist", "message": "m", "data": None}, NotFound, "NotFound.TaskId"),
        (400, {"code": "missing_model", "message": "model field is required"}, Rejected, "MissingParameter"),
        (400, {"code": "invalid_request", "message": "prompt is required"}, Rejected, "MissingParameter"),
        (400, {"code": "odd_word", "message": "m"}, Rejected, "InvalidParameter"),
        (429, {"code": "odd_word", "message": "m"}, RateLimited, "QuotaExceeded"),
        (502, {"error": {"message": "m", "type": "t"}}, Unavailable, "InternalServiceError"),
        (403, {"error": {"message": "m", "code": "insufficient_user_quota"}}, InsufficientFunds, "InsufficientBalance"),
        (
            400,
            {
                "code": "fail_to_fetch_task",
                "message": '{"error":{"code":"InvalidParameter","message":"m","param":"ratio"}}',
            },
            Rejected,
            "InvalidParameter",
        ),
        (500, {"code": "fail_to_fetch_task", "message": "connection refused"}, Unavailable, "InternalServiceError"),
    ],
)
def test_the_errors_of_other_gateways_are_understood(status, body, kind, code):
    error = NEWAPI.decode_error(status, json.dumps(body).encode())
    assert type(error) is kind
    assert error.violation.code == code
    assert error.violation.message in ("m", "connection refused") or "required" in error.violation.message


@pytest.mark.parametrize("raw", [b"", b"<html>", b"[]", b'{"error":5}', b'{"error":{}}', b"null"])
def test_an_answer_that_is_no_such_error_still_becomes_an_error(raw):
    assert "502" in str(AMUX.decode_error(502, raw))


@pytest.mark.parametrize(
    "wire", ["cgt-20261121120000-abcde", "task_20261121120000-abcde", "video_20261121120000-abcde"]
)
def test_every_spelling_of_an_id_is_understood(wire):
    assert AMUX.task_id(wire) == "20261121120000-abcde"
