"""Seed 003's codec: content beside metadata, defaults, frames and drafts. Goldens run in test_universal_codec."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.core.errors import Rejected, Violation
from understudy.core.request import GenerationRequest
from understudy.dialects.json_body import read_object
from understudy.dialects.naming import renamed
from understudy.dialects.octopus import OCTOPUS

TEXT = {"type": "text", "text": "a cat"}
MODEL = "doubao-seedance-2-0-260128"


def read(**fields):
    body = {"model": MODEL, "content": [TEXT], **fields}
    return OCTOPUS.decode_request(read_object(json.dumps(body).encode()))


def warned(decoded):
    return [each.param for each in decoded.warnings]


def test_its_own_defaults_are_written_out():
    request = read().request
    assert (request.ratio, request.resolution, request.duration_s) == ("16:9", "720p", 5)
    assert (request.generate_audio, request.watermark, request.service_tier) == (False, True, "default")


def test_null_means_absent_at_every_depth():
    nulls = dict.fromkeys(("ratio", "frames", "draft", "watermark", "callback_url", "resolution"))
    assert read(metadata=nulls) == read(metadata=None) == read()


def test_a_setting_that_was_given_is_no_default():
    assert read(metadata={"watermark": False, "generate_audio": True, "ratio": "1:1"}).request.watermark is False


def test_frames_win_over_the_duration_and_no_default_comes_back():
    decoded = read(metadata={"frames": "121"})
    assert (decoded.request.frames, decoded.request.duration_s, warned(decoded)) == (121, None, [])
    assert warned(read(metadata={"frames": 121, "duration": 5})) == ["metadata.duration"]


@pytest.mark.parametrize(("given", "told"), [(None, []), ("480p", []), ("1080p", ["metadata.resolution"])])
def test_a_draft_is_made_in_480p_and_told_when_that_was_not_asked(given, told):
    decoded = read(metadata={"draft": "true", "resolution": given})
    assert (decoded.request.draft, decoded.request.resolution, warned(decoded)) == (True, "480p", told)


def test_a_draft_of_an_unknown_model_is_left_to_the_one_who_refuses_it():
    decoded = read(model="nobody-1", metadata={"draft": True})
    assert (decoded.request.draft, decoded.request.resolution) == (True, None)


def test_a_draft_task_is_read_as_it_stands():
    decoded = read(content=[{"type": "draft_task", "draft_task": {"id": "task_20261121120000-abcde"}}])
    assert [(str(item.modality), item.value) for item in decoded.request.content] == [
        ("draft_task", "task_20261121120000-abcde")
    ]


def test_settings_of_other_dialects_are_told_and_ignored():
    decoded = read(metadata={"priority": 3, "tools": [{"type": "web_search"}], "trace_id": "t"})
    assert warned(decoded) == ["metadata.priority", "metadata.tools", "metadata.trace_id"]
    assert (decoded.request.priority, decoded.request.tools, decoded.request.trace_id) == (None, (), None)


def test_a_setting_on_top_is_pointed_to_its_place():
    told = read(ratio="1:1").warnings
    assert [each.param for each in told] == ["ratio"]
    assert "`metadata.ratio`" in told[0].message


def test_a_prompt_beside_the_content_is_pointed_to_its_place():
    told = read(prompt="a dog").warnings
    assert [each.param for each in told] == ["prompt"]
    assert "`content`" in told[0].message


def test_roles_that_were_left_out_are_inferred_and_told():
    decoded = read(content=[TEXT, {"type": "video_url", "video_url": {"url": "https://example.com/a.mp4"}}])
    assert [item.role and str(item.role) for item in decoded.request.content] == [None, "reference_video"]
    assert warned(decoded) == ["content[1].role"]


@pytest.mark.parametrize(
    ("fields", "code", "param"),
    [
        ({"model": None}, "MissingParameter", "model"),
        ({"content": None}, "MissingParameter", "content"),
        ({"content": []}, "MissingParameter", "content"),
        ({"content": "x"}, "InvalidParameter", "content"),
        ({"content": [{}]}, "MissingParameter", "content[0].type"),
        ({"content": [{"type": "image_url", "image_url": {}}]}, "MissingParameter", "content[0].image_url.url"),
        ({"metadata": {"frames": "many"}}, "InvalidParameter", "metadata.frames"),
        ({"metadata": {"ratio": 5}}, "InvalidParameter", "metadata.ratio"),
    ],
)
def test_a_bad_body_is_refused_by_name(fields, code, param):
    with pytest.raises(Rejected) as caught:
        read(**fields)
    assert (caught.value.violation.code, caught.value.violation.param) == (code, param)


def test_a_rule_speaks_of_the_setting_under_metadata():
    found = renamed(Violation("c", "resolution", "`resolution` is wrong"), read().names)
    assert (found.param, found.message) == ("metadata.resolution", "`metadata.resolution` is wrong")


def test_what_seed_003_has_no_word_for_is_listed():
    request = GenerationRequest(
        model="m", content=read().request.content, priority=0, tools=("web_search",), trace_id="t", output_format="mov"
    )
    encoded = OCTOPUS.encode_request(request)
    assert {each.param for each in encoded.lost} == {"priority", "tools", "trace_id", "output_format"}
    assert json.loads(encoded.body) == {"model": "m", "content": [TEXT], "metadata": {}}


words = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=12)
flags = st.sampled_from([True, False, "true", "0", None])
numbers = st.one_of(st.none(), st.integers(-1, 2**32), st.integers(0, 99).map(str))
items = st.one_of(
    st.builds(lambda text: {"type": "text", "text": text}, words),
    st.builds(
        lambda url, role: {"type": "image_url", "image_url": {"url": url}, "role": role},
        words,
        st.sampled_from([None, "first_frame", "last_frame", "reference_image"]),
    ),
    st.builds(lambda url: {"type": "video_url", "video_url": {"url": url}}, words),
    st.builds(lambda name: {"type": "draft_task", "draft_task": {"id": name}}, words),
)


@given(
    model=st.sampled_from([MODEL, "nobody-1"]),
    content=st.lists(items, min_size=1, max_size=4),
    metadata=st.fixed_dictionaries(
        {},
        optional={
            **dict.fromkeys(("duration", "frames", "seed", "execution_expires_after"), numbers),
            **dict.fromkeys(("camera_fixed", "watermark", "generate_audio", "return_last_frame", "draft"), flags),
            **dict.fromkeys(("resolution", "ratio", "service_tier", "callback_url", "priority"), st.none() | words),
        },
    ),
    as_text=st.booleans(),
)
def test_encoding_and_decoding_a_request_is_the_identity(model, content, metadata, as_text):
    request = read(model=model, content=content, metadata=json.dumps(metadata) if as_text else metadata).request
    encoded = OCTOPUS.encode_request(request)
    assert OCTOPUS.decode_request(read_object(encoded.body)).request == request
    assert encoded.lost == ()
