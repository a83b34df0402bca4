"""The Ark codec: what it reads, what it refuses and what it writes."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.catalog.load import load_catalogue
from understudy.core.content import ContentItem, Modality, Role
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
from understudy.core.roles import with_sole_roles
from understudy.core.task import Film, Status, Task, TaskError, TaskPage, Warned
from understudy.dialects.ark import AMUX_NATIVE, APIYI, ARK, ArkCodec
from understudy.dialects.codec import Decoded
from understudy.dialects.json_body import read_object

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
TEXT = {"type": "text", "text": "a cat"}


class PlainLinks:
    def url(self, blob_key):
        return f"http://host/files/{blob_key}"


def read(raw: bytes) -> Decoded:
    return ARK.decode_request(read_object(raw))


def body(**fields):
    return json.dumps({"model": "m", "content": [TEXT], **fields}).encode()


def refused(raw):
    with pytest.raises(Rejected) as caught:
        read(raw)
    violation = caught.value.violation
    return violation.code, violation.param, violation.message


def a_task(status=Status.SUCCEEDED, **fields):
    film = Film(
        video_blob="v.mp4",
        last_frame_blob=None,
        ratio="21:9",
        width_px=1470,
        height_px=630,
        duration_s=6,
        fps=24,
        num_frames=144,
        has_sound=True,
    )
    request = GenerationRequest(
        model="doubao-seedance-2-0-260128",
        content=(ContentItem(modality=Modality.TEXT, value="x"),),
        ratio="adaptive",
        resolution="720p",
        duration_s=-1,
        generate_audio=True,
        service_tier="default",
        priority=3,
        execution_expires_after_s=3600,
        safety_identifier="user-7",
        tools=("web_search",),
    )
    values = {
        "film": film if status is Status.SUCCEEDED else None,
        "completion_tokens": 131_156 if status is Status.SUCCEEDED else None,
    }
    return Task(
        id="20261121120000-abcde",
        owner="o",
        dialect="ark",
        engine="previz",
        request=request,
        seed=5,
        status=status,
        created_at=NOW,
        updated_at=NOW + timedelta(seconds=9),
        expires_at=NOW + timedelta(hours=1),
        **{**values, **fields},
    )


def test_null_means_absent_for_every_field():
    nulls = {
        name: None
        for name in json.loads(ARK.encode_request(read(body()).request).body) | {"watermark": 1, "seed": 1}
        if name not in ("model", "content")
    }
    assert read(body(**nulls)) == read(body())


def test_unknown_keys_are_accepted_and_reported():
    decoded = read(body(negative_prompt="x", content=[{**TEXT, "weight": 2, "role": "first_frame"}]))
    assert {each.param for each in decoded.warnings} == {
        "negative_prompt",
        "content[0].weight",
        "content[0].role",
    }


@pytest.mark.parametrize(
    ("raw", "code", "param"),
    [
        (b"", "InvalidParameter", "body"),
        (b"   ", "InvalidParameter", "body"),
        (b"[]", "InvalidParameter", "body"),
        (b"null", "InvalidParameter", "body"),
        (b"{", "InvalidParameter", "body"),
        (b'{"model":"m"} x', "InvalidParameter", "body"),
        (b"\xff\xfe{}", "InvalidParameter", "body"),
        (b'{"a":NaN}', "InvalidParameter", "body"),
        (b'{"a":' + b"9" * 5000 + b"}", "InvalidParameter", "body"),
        (b"[" * 100_000, "InvalidParameter", "body"),
        (b"{}", "MissingParameter", "model"),
        (b'{"model":"m"}', "MissingParameter", "content"),
        (b'{"model":"m","content":[]}', "MissingParameter", "content"),
        (b'{"model":"m","model":"n"}', "InvalidParameter", "model"),
        (b'{"model":5,"content":[]}', "InvalidParameter", "model"),
        (body(duration="5"), "InvalidParameter", "duration"),
        (body(duration=5.5), "InvalidParameter", "duration"),
        (body(duration=True), "InvalidParameter", "duration"),
        (b'{"model":"m","content":[{"type":"text","text":"x"}],"seed":1e400}', "InvalidParameter", "seed"),
        (body(watermark="no"), "InvalidParameter", "watermark"),
        (body(content="x"), "InvalidParameter", "content"),
        (body(content=["x"]), "InvalidParameter", "content[0]"),
        (body(content=[{}]), "MissingParameter", "content[0].type"),
        (body(content=[{"type": "sound"}]), "InvalidParameter", "content[0].type"),
        (body(content=[{"type": "text"}]), "MissingParameter", "content[0].text"),
        (body(content=[TEXT, {"type": "image_url"}]), "MissingParameter", "content[1].image_url.url"),
        (body(content=[TEXT, {"type": "image_url", "image_url": "u"}]), "InvalidParameter", "content[1].image_url"),
        (
            body(content=[{"type": "image_url", "image_url": {"url": "u"}, "role": "hero"}]),
            "InvalidParameter",
            "content",
        ),
        (
            body(content=[{"type": "audio_url", "audio_url": {"url": "u"}, "role": "first_frame"}]),
            "InvalidParameter",
            "content",
        ),
        (body(content=[{"type": "text", "text": "a\x00b"}]), "InvalidParameter", "content[0].text"),
        (
            b'{"model":"m","content":[{"type":"text","text":"\\ud800"}]}',
            "InvalidParameter",
            "content[0].text",
        ),
        (b'{"model":"m","x":{"y":["\\udfff"]}}', "InvalidParameter", "x.y[0]"),
        (b'{"model":"m","\\ud800":1}', "InvalidParameter", "body"),
        (body(tools=[{}]), "MissingParameter", "tools[0].type"),
        (body(tools="web_search"), "InvalidParameter", "tools"),
    ],
)
def test_bad_bodies_are_refused_by_name(raw, code, param):
    assert refused(raw)[:2] == (code, param)


def test_a_pair_of_surrogates_is_a_character_and_passes():
    raw = b'{"model":"m","content":[{"type":"text","text":"\\ud83e\\udda6"}]}'
    assert read(raw).request.prompt == "🦦"


def test_600_levels_of_an_unknown_key_are_ignored_like_any_unknown_key():
    raw = b'{"model":"m","content":[{"type":"text","text":"x"}],"deep":' + b"[" * 600 + b"]" * 600 + b"}"
    assert [each.param for each in read(raw).warnings] == ["deep"]


def test_a_missing_parameter_has_arks_wording():
    assert refused(b'{"model":"m"}')[2] == "The request failed because it is missing `content` parameter."


def test_the_callers_own_mark_is_kept():
    assert read(body(trace_id="t")).request.trace_id == "t"
    assert read(body(trace_id="t")).warnings == ()


words = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=20)
media = st.one_of(
    st.builds(
        ContentItem,
        modality=st.just(Modality.IMAGE),
        value=words,
        role=st.sampled_from([None, Role.FIRST_FRAME, Role.LAST_FRAME, Role.REFERENCE_IMAGE]),
    ),
    st.builds(
        ContentItem, modality=st.just(Modality.VIDEO), value=words, role=st.sampled_from([None, Role.REFERENCE_VIDEO])
    ),
    st.builds(
        ContentItem, modality=st.just(Modality.AUDIO), value=words, role=st.sampled_from([None, Role.REFERENCE_AUDIO])
    ),
    st.builds(ContentItem, modality=st.sampled_from([Modality.TEXT, Modality.DRAFT]), value=words),
)
maybe_word, maybe_flag, maybe_int = st.none() | words, st.none() | st.booleans(), st.none() | st.integers(-5, 2**32)


@given(
    st.builds(
        GenerationRequest,
        model=words.filter(bool),
        content=st.lists(media, min_size=1, max_size=5).map(tuple),
        ratio=maybe_word,
        resolution=maybe_word,
        duration_s=maybe_int,
        frames=maybe_int,
        seed=maybe_int,
        generate_audio=maybe_flag,
        watermark=maybe_flag,
        return_last_frame=maybe_flag,
        camera_fixed=maybe_flag,
        draft=maybe_flag,
        tools=st.lists(words, max_size=2).map(tuple),
        service_tier=maybe_word,
        priority=maybe_int,
        execution_expires_after_s=st.integers(0, 10**6),
        callback_url=maybe_word,
        safety_identifier=maybe_word,
        output_format=maybe_word,
        omni_reference_task_type=maybe_word,
        trace_id=maybe_word,
    )
)
def test_encoding_and_decoding_a_request_is_the_identity(request):
    written = ARK.encode_request(request)
    once = read(written.body).request
    # Prose that ends in what reads as a flag cannot be carried, and is told.
    assert once == replace(request, content=with_sole_roles(request.content)[0]) or written.lost
    assert read(ARK.encode_request(once).body).request == once


def test_the_dialects_default_for_expiry_is_made_explicit():
    assert read(body()).request.execution_expires_after_s == 172_800


def test_a_succeeded_task_is_written_with_resolved_values_only():
    assert json.loads(ARK.encode_task(a_task(), PlainLinks())) == {
        "id": "cgt-20261121120000-abcde",
        "model": "doubao-seedance-2-0-260128",
        "status": "succeeded",
        "content": {
            "video_url": "http://host/files/v.mp4",
            "poster_url": "http://host/files/thumbnail.webp",
            "contact_sheet_url": "http://host/files/spritesheet.jpg",
        },
        "usage": {"completion_tokens": 131_156, "total_tokens": 131_156},
        "created_at": 1795262400,
        "updated_at": 1795262409,
        "seed": 5,
        "resolution": "720p",
        "ratio": "21:9",
        "duration": 6,
        "framespersecond": 24,
        "service_tier": "default",
        "execution_expires_after": 3600,
        "generate_audio": True,
        "draft": False,
        "priority": 3,
        "tools": [{"type": "web_search"}],
        "safety_identifier": "user-7",
    }


def test_a_failed_task_carries_its_error_and_no_content():
    task = a_task(Status.FAILED, error=TaskError(code="InternalServiceError", message="It broke."))
    answer = json.loads(ARK.encode_task(task, PlainLinks()))
    assert answer["error"] == {"code": "InternalServiceError", "message": "It broke."}
    assert "content" not in answer
    assert "usage" not in answer


def test_a_listing_says_why_a_task_failed_under_both_names():
    task = a_task(Status.FAILED, error=TaskError(code="C", message="M"))
    page = json.loads(ARK.encode_page(TaskPage(tasks=(task,), total=7), PlainLinks()))
    assert page["total"] == 7
    assert page["items"][0]["error"] == page["items"][0]["failure_reason"] == {"code": "C", "message": "M"}


def test_warnings_stand_on_the_task():
    answer = json.loads(ARK.encode_task(a_task(warnings=(Warned(param="x", message="ignored"),)), PlainLinks()))
    assert answer["warnings"] == [{"param": "x", "message": "ignored"}]


@pytest.mark.parametrize("status", list(Status))
def test_a_written_task_reads_back(status):
    task = a_task(status, error=TaskError(code="C", message="M") if status is Status.FAILED else None)
    remote = ARK.decode_task(ARK.encode_task(task, PlainLinks()))
    assert (remote.id, remote.status, remote.error, remote.completion_tokens) == (
        "cgt-20261121120000-abcde",
        status,
        task.error,
        task.completion_tokens,
    )


def test_filters_are_flat_keys_and_ids_repeat():
    wanted = ARK.decode_filter(
        [
            ("page_num", "2"),
            ("page_size", "10"),
            ("filter.status", "succeeded"),
            ("filter.task_ids", "cgt-20261121120000-abcde"),
            ("filter.task_ids", "nonsense"),
            ("filter.model", "m x"),
            ("filter.service_tier", "flex"),
            ("other", "1"),
        ],
        now=NOW,
    )
    assert (wanted.page, wanted.page_size, wanted.status) == (2, 10, Status.SUCCEEDED)
    assert wanted.task_ids == ("20261121120000-abcde", "nonsense")
    assert (wanted.model, wanted.service_tier) == ("m x", "flex")
    assert wanted.created_after == NOW - timedelta(days=7)


@pytest.mark.parametrize(
    "query",
    [
        [("filter.task_ids", "cgt-20261121120000-abcde, nonsense")],
        [("filter.task_ids[]", "cgt-20261121120000-abcde"), ("filter.task_ids[]", "nonsense")],
        [("filter.task_ids[]", "cgt-20261121120000-abcde"), ("filter.task_ids", ",nonsense,")],
    ],
)
def test_ids_are_read_as_clients_without_the_sdk_write_lists(query):
    assert ARK.decode_filter(query, now=NOW).task_ids == ("20261121120000-abcde", "nonsense")


def test_more_ids_than_a_listing_takes_are_refused_however_they_are_written():
    for query in ([("filter.task_ids", ",".join(["x"] * 501))], [("filter.task_ids[]", "x")] * 501):
        with pytest.raises(Rejected):
            ARK.decode_filter(query, now=NOW)


def test_a_listing_without_filters_asks_for_the_default_tier_and_twenty():
    wanted = ARK.decode_filter([], now=NOW)
    assert (wanted.page, wanted.page_size, wanted.service_tier, wanted.status) == (1, 20, "default", None)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("page_num", "0"),
        ("page_num", "501"),
        ("page_num", "-1"),
        ("page_num", "abc"),
        ("page_num", "²"),
        ("page_size", "0"),
        ("page_size", "501"),
        ("page_size", "9" * 9999),
        ("filter.status", "done"),
    ],
)
def test_a_bad_filter_is_refused_by_name(key, value):
    with pytest.raises(Rejected) as caught:
        ARK.decode_filter([(key, value)], now=NOW)
    assert caught.value.violation.param == key


def test_an_error_has_arks_envelope_and_spells_ids_as_ark_does():
    violation = Violation("InvalidAction.RunningTaskDeletion", "", "Cannot delete task `20261121120000-abcde`.")
    answer = ARK.encode_error(violation, "0217")
    assert answer.status == 409
    assert json.loads(answer.body) == {
        "error": {
            "code": "InvalidAction.RunningTaskDeletion",
            "message": "Cannot delete task `cgt-20261121120000-abcde`. Request id: 0217",
            "param": "",
            "type": "Conflict",
        }
    }


@pytest.mark.parametrize("code", CODES)
def test_every_error_code_reads_back_as_the_right_kind(code):
    answer = ARK.encode_error(Violation(code, "p", "m."), "r")
    error = ARK.decode_error(answer.status, answer.body)
    assert answer.status == CODES[code].status
    kinds = {400: Rejected, 401: Unauthorized, 402: InsufficientFunds, 403: Forbidden, 404: NotFound, 405: Rejected}
    kinds |= {409: Conflict, 429: RateLimited, 500: Unavailable, 503: Unavailable}
    assert type(error) is kinds[CODES[code].status]
    assert (error.violation.code, error.violation.param) == (code, "p")


@pytest.mark.parametrize("raw", [b"", b"<html>", b"[]", b'{"error":5}', b'{"error":{}}', b"null"])
def test_an_answer_that_is_no_ark_error_still_becomes_an_error(raw):
    assert "502" in str(ARK.decode_error(502, raw))


@pytest.mark.parametrize("wire", ["cgt-20261121120000-abcde", "task_20261121120000-abcde", "20261121120000-abcde"])
def test_every_spelling_of_an_id_is_understood(wire):
    assert ARK.task_id(wire) == "20261121120000-abcde"


@pytest.mark.parametrize("wire", ["", "cgt-", "cgt-../../x", "cgt-20261121120000-ABCDE", "cgt-20261121120000-abcde\n"])
def test_what_cannot_be_an_id_is_none(wire):
    assert ARK.task_id(wire) is None


def made(codec, dialect, **fields):
    request = replace(a_task().request, **fields)
    return json.loads(codec.encode_task(replace(a_task(), dialect=dialect, request=request), PlainLinks()))


def test_frames_are_shown_instead_of_the_duration():
    shown = made(ARK, "ark", frames=57, duration_s=None)
    assert shown["frames"] == 57
    assert "duration" not in shown


def test_what_was_asked_for_is_echoed():
    fields = {"camera_fixed": True, "output_format": "mov", "omni_reference_task_type": "edit", "trace_id": "t-1"}
    shown = made(ARK, "ark", **fields, draft_task_id="20261120000000-fghij")
    assert {name: shown[name] for name in fields} == fields
    assert shown["draft_task_id"] == "cgt-20261120000000-fghij"


def test_the_use_of_tools_is_told_only_when_they_were_used():
    assert "tool_usage" not in made(ARK, "ark")["usage"]
    film = replace(a_task().film, tool_usage={"web_search": 2})
    shown = json.loads(ARK.encode_task(replace(a_task(), film=film), PlainLinks()))
    assert shown["usage"]["tool_usage"] == {"web_search": 2}


def test_amux_answers_a_create_with_more_than_the_id():
    assert json.loads(AMUX_NATIVE.encode_created(a_task(Status.QUEUED))) == {
        "id": "cgt-20261121120000-abcde",
        "model": "doubao-seedance-2-0-260128",
        "status": "queued",
        "created_at": 1795262400,
        "safety_identifier": "user-7",
    }


@pytest.mark.parametrize(("dialect", "prefix"), [("amux", "task_"), ("openai", "video_"), ("apimart", "cgt-")])
def test_dialects_that_share_paths_keep_the_spelling_an_id_was_given(dialect, prefix):
    assert made(AMUX_NATIVE, dialect)["id"] == f"{prefix}20261121120000-abcde"
    assert made(ARK, dialect)["id"] == "cgt-20261121120000-abcde"


def test_amux_drops_the_duration_when_all_media_are_reference_images_and_says_so():
    image = {"type": "image_url", "image_url": {"url": "https://h/a.png"}, "role": "reference_image"}
    video = {"type": "video_url", "video_url": {"url": "https://h/a.mp4"}}
    for content, duration_s in (([TEXT, image], None), ([image, image], None), ([TEXT], 7), ([TEXT, image, video], 7)):
        for codec, kept in ((AMUX_NATIVE, duration_s), (ARK, 7)):
            decoded = codec.decode_request({"model": "m", "content": content, "duration": 7})
            assert decoded.request.duration_s == kept
            assert ("duration" in [each.param for each in decoded.warnings]) is (kept is None)


def test_apiyi_tells_a_wrong_token_and_an_empty_balance_as_its_table_does():
    answer = APIYI.encode_error(Violation("AuthenticationError", "", "The API key is invalid."), "r")
    assert (answer.status, json.loads(answer.body)["error"]["message"].startswith("Invalid Token")) == (401, True)
    assert APIYI.encode_error(Violation("InsufficientBalance", "", "Empty."), "r").status == 429
    assert "Invalid Token" not in json.loads(ARK.encode_error(Violation("AuthenticationError", "", "x"), "r").body)


def test_what_names_a_task_of_this_server_is_not_carried_to_another():
    request = replace(a_task().request, draft_task_id="20261120000000-fghij", remixed_from="20261120000000-fghij")
    assert [each.param for each in ARK.encode_request(request).lost] == ["draft_task_id", "remixed_from"]
    assert ARK.encode_request(a_task().request).lost == ()


@pytest.mark.parametrize(
    ("kind", "role", "words"),
    [
        ("image_url", "reference_video", "invalid role specified for image content"),
        ("video_url", "first_frame", "reference media mode requires video role to be reference_video"),
        ("audio_url", "hero", "reference media mode requires audio role to be reference_audio"),
    ],
)
def test_a_role_of_another_kind_is_refused_in_arks_words(kind, role, words):
    item = {"type": kind, kind: {"url": "https://h/a"}, "role": role}
    assert words in refused(body(content=[TEXT, item]))[2]


def test_a_dialects_default_resolution_is_not_given_to_a_draft():
    codec = ArkCodec(load_catalogue().profiles["octopus"])
    fields = {"model": "m", "content": [TEXT]}
    assert codec.decode_request(fields).request.resolution == "720p"
    assert codec.decode_request({**fields, "draft": True}).request.resolution is None
    assert codec.decode_request({**fields, "draft": True, "resolution": "480p"}).request.resolution == "480p"
