"""The conformance suite of dialects: subclass `DialectConformance`, give it a codec, and let pytest collect it.

It holds a codec to every sentence of `dialects.codec.Codec`, and to those of `RecordsCodec` if it is one. What a
dialect has no word for is said in the subclass, so that nothing is missing unnoticed. Needs pytest.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import fields, replace
from itertools import product
from typing import Any, ClassVar

import pytest

from understudy.catalog.load import load_catalogue
from understudy.core.content import Modality
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
    UnderstudyError,
    Violation,
)
from understudy.core.request import param_of
from understudy.core.task import ENDED, Status, TaskError, TaskPage
from understudy.dialects.codec import Codec, Decoded, Encoded, RecordsCodec, RemoteTask
from understudy.dialects.json_body import read_object
from understudy.dialects.naming import spelled
from understudy.testing.dialect_samples import (
    OTHER_ID,
    REQUEST_ID,
    SCENARIOS,
    SETTINGS,
    TASK_ID,
    TASKS,
    SampleLinks,
    asked,
    meaning,
)
from understudy.testing.dialect_shapes import keys_of, undescribed, unlike_shape, with_null
from understudy.testing.samples import NOW

PARAM = "seed"
MESSAGE = f"The parameter `{PARAM}` specified in the request is not valid: not for task `{TASK_ID}`."
KINDS: Mapping[int, type[UnderstudyError]] = {
    400: Rejected,
    401: Unauthorized,
    402: InsufficientFunds,
    403: Forbidden,
    404: NotFound,
    405: Rejected,
    409: Conflict,
    429: RateLimited,
    500: Unavailable,
    503: Unavailable,
}
"""HTTP status of a code in the core -> what a client must make of it."""
LEAST_PROGRESS_STEP = 0.011
JUNK_IDS = (
    "",
    "cgt-",
    "cgt-1",
    f"{TASK_ID}x",
    f"task-{TASK_ID}",
    f"cgt-cgt-{TASK_ID}",
    "../../etc/passwd",
    "\x00",
    "é",
)


class DialectConformance(ABC):
    """What every codec must do.

    The rest is what a dialect has no word for. nearest: status -> what a client reads instead. untold: fields of
    `RemoteTask` that an answer does not have. nulls: keys whose value may be null. without_request_id: codes of errors
    whose answer has no place for it. odd_statuses: error code -> its HTTP status, where it is not the core's.
    error_shapes: structs of error answers beside `Shapes.error`. not_carried: names in `SCENARIOS` that it cannot say.
    tells_total: whether a page says how many tasks there are in all.
    """

    nearest: ClassVar[Mapping[Status, Status]] = {}
    untold: ClassVar[frozenset[str]] = frozenset()
    nulls: ClassVar[frozenset[str]] = frozenset()
    without_request_id: ClassVar[frozenset[str]] = frozenset()
    odd_statuses: ClassVar[Mapping[str, int]] = {}
    error_shapes: ClassVar[tuple[type, ...]] = ()
    not_carried: ClassVar[frozenset[str]] = frozenset()
    tells_total: ClassVar[bool] = True

    @abstractmethod
    def make(self) -> Codec:
        """Return the codec."""

    @pytest.fixture
    def codec(self) -> Codec:
        """The codec."""
        return self.make()

    # Requests.

    @pytest.mark.parametrize("name", SCENARIOS)
    def test_a_scenario_survives_the_way_through_the_codec(self, codec: Codec, name: str) -> None:
        wanted = SCENARIOS[name]
        first = codec.encode_request(wanted)
        if name in self.not_carried:
            assert any(warned.param.startswith("content") for warned in first.lost), "what is lost is not told"
            return
        assert not first.lost
        decoded = read(codec, first)
        assert decoded.request.model == wanted.model
        assert meaning(decoded.request) == meaning(wanted)
        again = codec.encode_request(decoded.request)
        assert read(codec, again).request == decoded.request

    @pytest.mark.parametrize(("field", "value"), [(field, each) for field in SETTINGS for each in SETTINGS[field]])
    def test_a_setting_is_carried_or_told_to_be_lost(self, codec: Codec, field: str, value: object) -> None:
        wanted = asked(**{field: value})
        encoded = codec.encode_request(wanted)
        lost = {warned.param for warned in encoded.lost}
        assert lost <= {param_of(field)}, "told of a parameter that was not given"
        assert all(warned.message for warned in encoded.lost)
        found = read(codec, encoded).request
        if not lost:
            assert getattr(found, field) == value, "dropped or rewritten in silence"
        assert meaning(found) == meaning(wanted)
        assert read(codec, codec.encode_request(found)).request == found

    def test_all_settings_at_once_are_carried_or_told_to_be_lost(self, codec: Codec) -> None:
        values = {field: each[0] for field, each in SETTINGS.items() if field not in ("frames", "draft")}
        encoded = codec.encode_request(asked(**values))
        lost = {warned.param for warned in encoded.lost}
        found = read(codec, encoded).request
        dropped = {field for field in values if getattr(found, field) != values[field]}
        assert {param_of(field) for field in dropped} <= lost

    def test_what_is_left_out_has_the_dialects_default_and_no_other(self, codec: Codec) -> None:
        body = json.loads(codec.encode_request(asked()).body)
        found = codec.decode_request({key: body[key] for key in body.keys() & {"model", "prompt", "content"}}).request
        settings = {field: getattr(found, field) for field in SETTINGS if field != "tools"}
        defaults = codec.profile.defaults
        assert settings == {field: defaults.get(field) for field in settings}
        assert found.tools == ()

    def test_the_model_is_written_as_the_caller_knows_it(self, codec: Codec) -> None:
        encoded = codec.encode_request(asked(model="served-by-us", model_asked="asked-by-the-caller"))
        assert b"served-by-us" not in encoded.body
        assert read(codec, encoded).request.model == "asked-by-the-caller"

    @pytest.mark.parametrize("name", SCENARIOS)
    def test_a_request_written_fits_its_shape_and_says_nothing_in_vain(self, codec: Codec, name: str) -> None:
        if name in self.not_carried:
            return
        encoded = codec.encode_request(SCENARIOS[name])
        assert not unlike_shape(encoded.body, codec.shapes.request)
        assert not with_null(encoded.body, self.nulls)
        assert not read(codec, encoded).warnings or name in UNCLEAR, "its own words are strange to it"

    def test_an_unknown_key_is_told_and_changes_nothing(self, codec: Codec) -> None:
        body = json.loads(codec.encode_request(asked()).body)
        decoded = codec.decode_request({**body, "no_such_key": {"a": [1]}})
        assert [warned.param for warned in decoded.warnings] == ["no_such_key"]
        assert decoded.request == codec.decode_request(body).request

    def test_an_empty_request_is_refused_for_what_is_missing(self, codec: Codec) -> None:
        with pytest.raises(Rejected) as caught:
            codec.decode_request({})
        assert caught.value.violation.code == "MissingParameter"
        assert caught.value.violation.param in keys_of(codec.shapes.request)

    def test_a_value_of_the_wrong_type_is_refused_or_ignored_by_its_own_name(self, codec: Codec) -> None:
        body = json.loads(codec.encode_request(asked()).body)
        for key in keys_of(codec.shapes.request):
            try:
                named = [warned.param for warned in codec.decode_request({**body, key: [[{"a": 1}]]}).warnings]
            except Rejected as error:
                named = [violation.param for violation in error.violations]
            assert any(param.startswith(key) for param in named), key

    @pytest.mark.parametrize("name", SCENARIOS)
    def test_parameters_have_names_that_the_caller_wrote(self, codec: Codec, name: str) -> None:
        if name in self.not_carried:
            return
        settings = {field: values[0] for field, values in SETTINGS.items() if field not in ("frames", "draft")}
        for field, value in settings.items():
            encoded = codec.encode_request(asked(*SCENARIOS[name].content, **{field: value}))
            if not encoded.lost:
                assert written(encoded, spelled(param_of(field), read(codec, encoded).names)), field
        encoded = codec.encode_request(SCENARIOS[name])
        decoded = read(codec, encoded)
        for index, item in enumerate(decoded.request.content):
            key = "text" if item.modality is Modality.TEXT else f"{item.modality}_url.url"
            key = "draft_task.id" if item.modality is Modality.DRAFT else key
            for param in (f"content[{index}]", f"content[{index}].{key}"):
                assert written(encoded, spelled(param, decoded.names)), param

    # Answers.

    @pytest.mark.parametrize("name", TASKS)
    def test_a_task_reads_back_as_it_is(self, codec: Codec, name: str) -> None:
        task, links = replace(TASKS[name], dialect=codec.name), SampleLinks()
        body = codec.encode_task(task, links)
        found = codec.decode_task(body)
        film = task.film
        assert found.raw == json.loads(body) or found.raw in json.loads(body).values()
        expected = {
            "id": codec.wire_id(task.id),
            "model": task.request.model_shown,
            "status": self.nearest.get(task.status, task.status),
            "video_url": links.url(film.video_blob) if film else None,
            "last_frame_url": links.url(film.last_frame_blob) if film and film.last_frame_blob else None,
            "completion_tokens": task.completion_tokens,
            "warnings": task.warnings,
        }
        told = {field: value for field, value in expected.items() if field not in self.untold}
        assert {field: getattr(found, field) for field in told} == told
        assert (found.status in ENDED) == (task.status in ENDED), "an end is an end, and nothing else is"
        assert is_error_told(task.error, found, status=task.status)

    @pytest.mark.parametrize("progress", [0.0, 0.01, 0.5, 0.996, 1.0])
    def test_a_running_task_tells_its_progress(self, codec: Codec, progress: float) -> None:
        task = replace(TASKS["running"], dialect=codec.name, progress=progress)
        found = codec.decode_task(codec.encode_task(task, SampleLinks()))
        assert found.progress is not None
        assert abs(found.progress - progress) < LEAST_PROGRESS_STEP

    @pytest.mark.parametrize("name", TASKS)
    def test_an_answer_fits_its_shape_and_leaves_out_what_is_not_there(self, codec: Codec, name: str) -> None:
        task = replace(TASKS[name], dialect=codec.name)
        for body, shape in (
            (codec.encode_task(task, SampleLinks()), codec.shapes.task),
            (codec.encode_created(task), codec.shapes.created),
        ):
            assert not unlike_shape(body, shape)
            assert not with_null(body, self.nulls)

    def test_the_shapes_say_what_they_are(self, codec: Codec) -> None:
        shapes = [getattr(codec.shapes, field.name) for field in fields(codec.shapes)]
        assert not undescribed(*(shape for shape in shapes if shape is not None), *self.error_shapes)

    def test_the_created_id_leads_back_to_the_task(self, codec: Codec) -> None:
        task = replace(TASKS["queued"], dialect=codec.name)
        told = codec.decode_created(codec.encode_created(task))
        assert told == codec.wire_id(task.id)
        assert codec.task_id(told) == task.id

    def test_every_spelling_of_an_id_is_understood(self, codec: Codec) -> None:
        prefixes = {profile.wire_id_prefix for profile in load_catalogue().profiles.values()}
        for task_id, prefix in product((TASK_ID, OTHER_ID), {"", *prefixes}):
            assert codec.task_id(prefix + task_id) == task_id
        assert [codec.task_id(junk) for junk in JUNK_IDS] == [None] * len(JUNK_IDS)

    @pytest.mark.parametrize("created_in", load_catalogue().profiles)
    def test_a_task_of_the_family_keeps_the_id_it_was_given(self, codec: Codec, created_in: str) -> None:
        author = load_catalogue().profiles[created_in]
        speller = author if author.family == codec.profile.family else codec.profile
        for name in ("queued", "succeeded", "cancelled"):
            found = codec.decode_task(codec.encode_task(replace(TASKS[name], dialect=created_in), SampleLinks()))
            assert found.id == speller.wire_id_prefix + TASK_ID

    # Errors.

    @pytest.mark.parametrize("code", CODES)
    def test_an_error_reads_back_as_what_it_is(self, codec: Codec, code: str) -> None:
        answer = codec.encode_error(Violation(code, PARAM, MESSAGE), REQUEST_ID)
        assert answer.status == self.odd_statuses.get(code, CODES[code].status)
        assert answer.status >= 400, "an error told as a success"
        found = codec.decode_error(answer.status, answer.body)
        assert type(found) is KINDS[CODES[code].status]
        assert found.violation.code in CODES

    @pytest.mark.parametrize("code", CODES)
    def test_an_error_names_the_parameter_the_task_and_the_request(self, codec: Codec, code: str) -> None:
        answer = codec.encode_error(Violation(code, PARAM, MESSAGE), REQUEST_ID)
        told = json.dumps(json.loads(answer.body), ensure_ascii=False)
        assert "specified in the request is not valid" in told, "the sentence is gone"
        assert f"`{codec.wire_id(TASK_ID)}`" in told, "the task has another name here"
        assert PARAM in told
        assert (REQUEST_ID in told) == (code not in self.without_request_id)
        found = codec.decode_error(answer.status, answer.body).violation
        assert found.param in (PARAM, "")
        assert PARAM in found.message

    @pytest.mark.parametrize("code", CODES)
    def test_an_error_fits_its_shape(self, codec: Codec, code: str) -> None:
        for violation in (Violation(code, PARAM, MESSAGE), Violation(code, "", "")):
            body = codec.encode_error(violation, REQUEST_ID).body
            assert any(not unlike_shape(body, shape) for shape in (codec.shapes.error, *self.error_shapes))
            assert not with_null(body, self.nulls)

    @pytest.mark.parametrize("body", [b"", b"<html>", b"null", b"[]", b"7", b'"x"', b"{}", b'{"error":7}', b"\xff"])
    @pytest.mark.parametrize("status", [302, 400, 401, 404, 429, 500, 502, 599])
    def test_an_answer_of_any_kind_is_read_as_an_error(self, codec: Codec, status: int, body: bytes) -> None:
        found = codec.decode_error(status, body)
        assert isinstance(found, UnderstudyError)
        assert found.violation.code in CODES
        assert found.violation.message

    # Records.

    @pytest.mark.parametrize("count", [0, 1, 3])
    def test_a_page_reads_back_as_it_is(self, codec: Codec, count: int) -> None:
        if not isinstance(codec, RecordsCodec):
            assert codec.shapes.page is None, "a page without a listing"
            return
        assert codec.shapes.page is not None
        tasks = [replace(task, id=f"{TASK_ID[:-1]}{i}", dialect=codec.name) for i, task in enumerate(TASKS.values())]
        page = TaskPage(tasks=tuple(tasks[:count]), total=count + 5)
        body = codec.encode_page(page, SampleLinks())
        assert not unlike_shape(body, codec.shapes.page)
        found, total = codec.decode_page(body)
        alone = [codec.decode_task(codec.encode_task(task, SampleLinks())) for task in page.tasks]
        assert [replace(each, raw={}) for each in found] == [replace(each, raw={}) for each in alone]
        if self.tells_total:
            assert total == page.total

    def test_a_plain_listing_asks_for_what_the_profile_says(self, codec: Codec) -> None:
        if not isinstance(codec, RecordsCodec):
            return
        found = codec.decode_filter((), now=NOW)
        assert (found.page, found.page_size) == (1, codec.profile.page_size_default)
        assert (NOW - found.created_after).total_seconds() == codec.profile.record_retention_s
        assert (NOW - found.cancelled_after).total_seconds() == codec.profile.cancelled_retention_s
        assert (found.status, found.task_ids, found.model, found.after) == (None, (), None, None)

    def test_a_deletion_is_answered_with_an_object(self, codec: Codec) -> None:
        if isinstance(codec, RecordsCodec):
            assert isinstance(json.loads(codec.encode_deleted(TASK_ID)), dict)


UNCLEAR = frozenset({"two reference images"})
"""Scenarios that a dialect may well comment upon: without roles they could mean something else."""


def read(codec: Codec, encoded: Encoded) -> Decoded:
    """Decode what was encoded, as the server would."""
    return codec.decode_request(read_object(encoded.body))


def written(encoded: Encoded, param: str) -> bool:
    """Say whether the body has a value at a path such as ``metadata.content[0].image_url.url``."""
    value: Any = json.loads(encoded.body)
    for part in param.replace("[", ".[").split("."):
        try:
            value = value[int(part[1:-1])] if part.startswith("[") else value[part]
        except (KeyError, IndexError, TypeError, ValueError):
            return False
    return True


def is_error_told(error: TaskError | None, found: RemoteTask, *, status: Status) -> bool:
    """Say whether the client learns why there is no film; only a failed task must have a reason."""
    if status is Status.FAILED:
        return error is not None and found.error == error
    return status in ENDED - {Status.SUCCEEDED} or found.error is None
