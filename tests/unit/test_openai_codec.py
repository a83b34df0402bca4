"""OpenAI's dialect: the requests it reads, writes and refuses."""

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.catalog.load import load_catalogue
from understudy.core.change import ChangeKind
from understudy.core.content import ContentItem, Modality, Role
from understudy.core.errors import NotFound, Rejected
from understudy.core.request import GenerationRequest
from understudy.dialects.form import read_form
from understudy.dialects.json_body import read_object
from understudy.dialects.naming import spelled
from understudy.dialects.openai_request import decode_change
from understudy.dialects.openai_videos import OPENAI

GOLDEN = Path("tests/golden/openai")
CASES = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(GOLDEN.glob("*.json"))}
CREATES = {name: case for name, case in CASES.items() if "request" in case["expect"]}
CHANGES = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted((GOLDEN / "changes").glob("*.json"))}
KINDS = ("remix", "edits", "extensions")
IMAGE, VIDEO = "https://example.com/a.png", "https://example.com/b.mp4"


def decode(**fields):
    return OPENAI.decode_request({"prompt": "a cat", **fields})


def asked(**fields):
    return decode(**fields).request


def warned(**fields):
    return [each.param for each in decode(**fields).warnings]


def media(**fields):
    return [(str(item.modality), item.value, item.role) for item in asked(**fields).content[1:]]


def refused(**fields):
    with pytest.raises(Rejected) as caught:
        decode(**fields)
    return caught.value.violation.code, caught.value.violation.param


def encoded(request):
    answer = OPENAI.encode_request(request)
    return json.loads(answer.body), [each.param for each in answer.lost]


def golden_fields(case):
    return read_form(case["headers"]["Content-Type"].encode(), case["body"].encode())


# What the SDK sends


@pytest.mark.parametrize("case", CREATES.values(), ids=CREATES)
def test_a_create_of_the_sdk_means_what_it_says(case):
    decoded = OPENAI.decode_request(golden_fields(case))
    expected = dict(case["expect"]["request"])
    content = [[str(item.modality), item.value, item.role] for item in decoded.request.content]
    assert content == expected.pop("content")
    expected["tools"] = tuple(expected.get("tools", ()))
    assert {name: getattr(decoded.request, name) for name in expected} == expected
    assert [each.param for each in decoded.warnings] == case["expect"]["warned"]


@pytest.mark.parametrize("case", CREATES.values(), ids=CREATES)
def test_a_create_of_the_sdk_survives_the_way_through_the_codec(case):
    request = OPENAI.decode_request(golden_fields(case)).request
    assert OPENAI.decode_request(read_object(OPENAI.encode_request(request).body)).request == request


@pytest.mark.parametrize("case", CHANGES.values(), ids=CHANGES)
def test_a_change_of_the_sdk_means_what_it_says(case):
    fields = golden_fields(case) if "multipart" in case["headers"]["Content-Type"] else json.loads(case["body"])
    change, told = decode_change(case["path"].rpartition("/")[2], fields, source=None)
    assert {name: getattr(change, name) for name in case["expect"]["change"]} == case["expect"]["change"]
    assert told == ()


# Defaults, seconds and sizes


def test_what_is_left_out_is_what_openai_means_by_it():
    request = asked()
    assert (request.model, request.duration_s, request.resolution, request.ratio) == ("sora-2", 4, "720p", "9:16")
    assert (request.generate_audio, request.watermark, request.seed) == (None, None, None)


@pytest.mark.parametrize("given", ["8", 8, " 8 ", "08"])
def test_seconds_are_a_whole_number_in_any_spelling(given):
    assert asked(seconds=given).duration_s == 8


def test_seconds_that_no_sora_has_are_left_to_the_models_own_rule():
    assert asked(seconds="15").duration_s == 15
    assert decode(seconds="99").names["duration"] == "seconds"


@pytest.mark.parametrize("given", ["", "4.5", "four", "４", "1e1", "99999999", [4], {"a": 1}, True])
def test_seconds_that_are_no_whole_number_are_refused(given):
    assert refused(seconds=given) == ("InvalidParameter", "seconds")


@pytest.mark.parametrize(
    ("size", "model", "pair"),
    [
        ("720x1280", "sora-2", ("720p", "9:16")),
        ("1280x720", "sora-2", ("720p", "16:9")),
        ("1280 X 720".replace(" ", ""), "sora-2", ("720p", "16:9")),
        ("864x496", "sora-2", ("480p", "16:9")),
        ("960x960", "sora-2", ("720p", "1:1")),
        ("1080x1920", "sora-2-pro", ("1080p", "9:16")),
        ("3840x2160", "sora-2-pro", ("4k", "16:9")),
        ("1280x720", "no-such-model", ("720p", "16:9")),
    ],
)
def test_a_size_that_the_model_has_is_its_resolution_and_ratio(size, model, pair):
    decoded = decode(size=size, model=model)
    assert (decoded.request.resolution, decoded.request.ratio) == pair
    assert decoded.warnings == ()


@pytest.mark.parametrize(
    ("size", "model", "pair"),
    [
        ("1024x1792", "sora-2-pro", ("1080p", "9:16")),
        ("1792x1024", "sora-2-pro", ("1080p", "16:9")),
        ("1024x1024", "sora-2", ("720p", "1:1")),
        ("1920x1080", "sora-2", ("720p", "16:9")),
        ("640x360", "sora-2-pro", ("480p", "16:9")),
        ("99999x10", "sora-2", ("720p", "21:9")),
    ],
)
def test_any_other_size_becomes_the_nearest_and_is_told(size, model, pair):
    decoded = decode(size=size, model=model)
    assert (decoded.request.resolution, decoded.request.ratio) == pair
    assert [each.param for each in decoded.warnings] == ["size"]
    assert f"{pair[0]} at {pair[1]} is made instead of {size}" in decoded.warnings[0].message


def test_a_size_of_soras_larger_model_stays_large_for_the_smaller_one_whose_rules_refuse_it():
    assert asked(size="1792x1024", model="sora-2").resolution == "1080p"


def test_a_size_may_name_only_a_resolution_or_only_a_ratio():
    assert (asked(size="480p").resolution, asked(size="480p").ratio) == ("480p", "9:16")
    assert (asked(size="21:9").resolution, asked(size="21:9").ratio) == ("720p", "21:9")
    assert asked(size="adaptive").ratio == "adaptive"


@pytest.mark.parametrize("size", ["", "big", "0x720", "-1x2", "1280x", "1280x720x3", "1280", "x" * 10_000, 720])
def test_a_size_that_is_none_is_refused(size):
    assert refused(size=size) == ("InvalidParameter", "size")


def test_no_two_sizes_of_a_model_are_alike():
    for model in load_catalogue().models.values():
        sizes = [tuple(size_px) for table in model.sizes.values() for size_px in table.values()]
        assert len(sizes) == len(set(sizes)), model.id


# Ark's fields beside OpenAI's


def test_arks_fields_are_honoured_beside_openais_and_in_metadata():
    for fields in ({"watermark": "true", "seed": "7"}, {"metadata": {"watermark": True, "seed": 7}}):
        request = asked(**fields)
        assert (request.watermark, request.seed) == (True, 7)
        assert warned(**fields) == []


def test_metadata_may_be_a_json_string():
    assert asked(metadata='{"ratio": "16:9", "seed": null}').ratio == "16:9"


@pytest.mark.parametrize("given", ["{", "[]", "7", "text", [1], 7])
def test_metadata_that_is_no_object_is_refused(given):
    assert refused(metadata=given) == ("InvalidParameter", "metadata")


def test_null_in_metadata_is_absent():
    assert decode(metadata={"first_frame": None, "seed": None}) == decode()


def test_a_field_beside_metadata_wins_and_a_contradiction_is_told():
    assert asked(seed=1, metadata={"seed": 2}).seed == 1
    assert warned(seed=1, metadata={"seed": 2}) == ["metadata.seed"]
    assert warned(seed=1, metadata={"seed": 1}) == []


def test_unknown_keys_are_told_by_where_they_stood():
    fields = {"n": 2, "metadata": {"model": "x", "first_frame": "u"}, "input_reference": {"image_url": IMAGE, "x": 1}}
    assert warned(**fields) == ["n", "metadata.model", "metadata.first_frame", "input_reference.x"]


def test_a_ratio_or_a_resolution_overrules_the_size_and_is_told():
    decoded = decode(size="1280x720", resolution="480p", metadata={"ratio": "1:1"})
    assert (decoded.request.resolution, decoded.request.ratio) == ("480p", "1:1")
    assert [each.message for each in decoded.warnings] == [
        "`resolution` says otherwise and was used instead.",
        "`metadata.ratio` says otherwise and was used instead.",
    ]
    assert warned(size="1280x720", resolution="720p") == []


def test_seconds_overrule_a_duration_and_it_is_told():
    assert asked(seconds="8", duration=5).duration_s == 8
    assert warned(seconds="8", metadata={"duration": 5}) == ["metadata.duration"]
    assert warned(seconds="8", duration=8) == []
    assert asked(duration="5").duration_s == 5


def test_frames_stand_without_the_default_of_the_seconds():
    assert (asked(frames=57).frames, asked(frames=57).duration_s) == (57, None)
    assert (asked(frames=57, seconds="8").frames, asked(frames=57, seconds="8").duration_s) == (57, 8)


def test_a_wrong_type_is_refused_by_where_it_stood():
    assert refused(watermark="perhaps") == ("InvalidParameter", "watermark")
    assert refused(metadata={"watermark": "perhaps"}) == ("InvalidParameter", "metadata.watermark")
    bad = [{"type": "image_url", "image_url": {"url": 7}}]
    assert refused(metadata={"content": bad}) == ("InvalidParameter", "metadata.content[0].image_url.url")
    assert refused(content=[{"type": "song"}]) == ("InvalidParameter", "content[0].type")


def test_parameters_are_named_as_the_caller_wrote_them():
    names = decode(metadata={"seed": 1, "execution_expires_after": 1}, input_reference=IMAGE).names
    assert [
        spelled(param, names) for param in ("seed", "execution_expires_after", "ratio", "resolution", "duration")
    ] == [
        "metadata.seed",
        "metadata.execution_expires_after",
        "size",
        "size",
        "seconds",
    ]
    assert [spelled(param, names) for param in ("content", "content[0].text", "content[1].image_url.url")] == [
        "input_reference",
        "prompt",
        "input_reference",
    ]
    assert spelled("ratio", decode(ratio="1:1").names) == "ratio"
    assert spelled("duration", decode(duration=5).names) == "duration"
    assert spelled("content", decode().names) == "prompt"


# Prompt and media


def test_a_prompt_is_required():
    for fields in ({}, {"prompt": ""}):
        with pytest.raises(Rejected) as caught:
            OPENAI.decode_request({"model": "sora-2", **fields})
        assert (caught.value.violation.code, caught.value.violation.param) == ("MissingParameter", "prompt")


@pytest.mark.parametrize("given", [IMAGE, {"image_url": IMAGE}, {"image_url": {"url": IMAGE}}, [IMAGE]])
def test_one_image_is_the_first_frame_and_nothing_is_inferred_aloud(given):
    assert media(input_reference=given) == [("image", IMAGE, Role.FIRST_FRAME)]
    assert warned(input_reference=given) == []


@pytest.mark.parametrize("given", [VIDEO, "https://example.com/c.MOV?x=1#y", "data:video/mp4;base64,AAAA"])
def test_a_video_is_the_reference(given):
    assert media(input_reference=given) == [("video", given, Role.REFERENCE_VIDEO)]
    assert warned(input_reference=given) == []


@pytest.mark.parametrize("given", ["https://example.com/a", "asset://x", "https://[", "data:image/png;base64,AA=="])
def test_what_does_not_look_like_a_video_is_an_image(given):
    assert media(input_reference=given) == [("image", given, Role.FIRST_FRAME)]


def test_several_images_are_references_and_the_roles_are_told():
    assert media(input_reference=[IMAGE, "u"]) == [
        ("image", IMAGE, Role.REFERENCE_IMAGE),
        ("image", "u", Role.REFERENCE_IMAGE),
    ]
    assert warned(input_reference=[IMAGE, {"image_url": "u"}]) == ["input_reference[0]", "input_reference[1]"]


@pytest.mark.parametrize(
    ("given", "code", "param"),
    [
        ({}, "MissingParameter", "input_reference.image_url"),
        ({"file_id": "file-1"}, "InvalidParameter", "input_reference.file_id"),
        ("data:application/octet-stream;base64,AA==", "InvalidParameter", "input_reference"),
        ([IMAGE, {"file_id": "x"}], "InvalidParameter", "input_reference[1].file_id"),
        (7, "InvalidParameter", "input_reference"),
    ],
)
def test_a_reference_that_leads_nowhere_is_refused(given, code, param):
    assert refused(input_reference=given) == (code, param)


def test_content_replaces_the_reference_and_its_texts_give_way_to_the_prompt():
    content = [
        {"type": "text", "text": "another text"},
        {"type": "image_url", "image_url": {"url": "u"}, "role": "last_frame", "weight": 2},
        {"type": "text", "text": "a cat"},
    ]
    fields = {"input_reference": IMAGE, "metadata": {"content": content}}
    assert media(**fields) == [("image", "u", Role.LAST_FRAME)]
    assert asked(**fields).prompt == "a cat"
    assert warned(**fields) == ["metadata.content[1].weight", "input_reference", "metadata.content[0]"]
    assert spelled("content[1].role", decode(**fields).names) == "metadata.content[1].role"


def test_content_may_be_a_json_string_in_either_place():
    text = json.dumps([{"type": "image_url", "image_url": {"url": "u"}}])
    for fields in ({"content": text}, {"metadata": {"content": text}}, {"metadata": json.dumps({"content": text})}):
        assert media(**fields) == [("image", "u", Role.FIRST_FRAME)]


def test_a_draft_cannot_be_made_final_here():
    draft = [{"type": "draft_task", "draft_task": {"id": "cgt-1"}}]
    assert refused(metadata={"content": draft}) == ("InvalidParameter", "metadata.content[0].type")


# Writing requests


def test_a_plain_request_is_written_in_openais_fields_alone():
    assert encoded(asked(seconds="8", size="1280x720")) == (
        {"model": "sora-2", "prompt": "a cat", "seconds": "8", "size": "1280x720"},
        [],
    )


def test_arks_fields_are_written_beside_openais():
    body, lost = encoded(asked(seed=7, watermark=False, tools=[{"type": "web_search"}], ratio="adaptive"))
    assert lost == []
    assert {key: body[key] for key in body.keys() - {"model", "prompt", "seconds"}} == {
        "seed": 7,
        "watermark": False,
        "tools": [{"type": "web_search"}],
        "ratio": "adaptive",
        "resolution": "720p",
    }


def test_a_list_of_media_is_written_into_metadata_with_all_that_goes_with_it():
    body, lost = encoded(asked(input_reference=[IMAGE, "u"], seed=7))
    assert lost == []
    assert body["metadata"]["seed"] == 7
    assert (body["size"], body["metadata"]["resolution"], body["metadata"]["ratio"]) == ("720x1280", "720p", "9:16")
    assert [item["image_url"]["url"] for item in body["metadata"]["content"]] == [IMAGE, "u"]
    assert "input_reference" not in body


def test_what_another_dialect_left_to_the_model_is_said_aloud():
    request = GenerationRequest(
        model="doubao-seedance-2.0", content=(ContentItem(modality=Modality.TEXT, value="a cat"),)
    )
    body, lost = encoded(request)
    assert (body["seconds"], body["ratio"], body["resolution"], lost) == ("5", "adaptive", "720p", [])


def test_what_cannot_be_carried_is_listed():
    text = ContentItem(modality=Modality.TEXT, value="x")
    draft = ContentItem(modality=Modality.DRAFT, value="cgt-1")
    request = GenerationRequest(model="m", content=(text, text, draft), draft_task_id="1", remixed_from="2")
    assert encoded(request)[1] == ["content[1]", "content[2]", "draft_task_id", "remixed_from"]
    assert encoded(GenerationRequest(model="m", content=(draft,)))[1] == ["content", "content[0]"]


words = st.text("ab é", min_size=1, max_size=8)
item = st.one_of(
    st.builds(lambda text: {"type": "text", "text": text}, words),
    st.builds(
        lambda url, role: {"type": "image_url", "image_url": {"url": url}, **({"role": role} if role else {})},
        words,
        st.sampled_from([None, "first_frame", "last_frame", "reference_image"]),
    ),
    st.builds(lambda url: {"type": "video_url", "video_url": {"url": url}}, words),
    st.builds(lambda url: {"type": "audio_url", "audio_url": {"url": url}, "role": "reference_audio"}, words),
)
extras = {
    "seed": st.integers(-1, 2**32),
    "watermark": st.booleans() | st.sampled_from(["true", "false"]),
    "generate_audio": st.booleans(),
    "ratio": st.sampled_from(["16:9", "adaptive", "5:4"]),
    "resolution": st.sampled_from(["480p", "1080p", "8k"]),
    "duration": st.integers(-1, 20),
    "frames": st.integers(1, 400),
    "execution_expires_after": st.integers(1, 200_000),
    "callback_url": words,
    "trace_id": words,
    "tools": st.just([{"type": "web_search"}]),
    "content": st.lists(item, min_size=1, max_size=4),
}
bodies = st.fixed_dictionaries(
    {"prompt": words},
    optional={
        **extras,
        "model": st.sampled_from(["sora-2", "sora-2-pro", "doubao-seedance-2-0-260128", "somebody-elses"]),
        "seconds": st.integers(-1, 20) | st.sampled_from(["4", "12"]),
        "size": st.sampled_from(["1280x720", "1024x1792", "500x500", "1:1", "480p"]),
        "input_reference": st.sampled_from([IMAGE, VIDEO, "data:image/png;base64,AA==", [IMAGE, VIDEO, "c.mp3"]]),
        "metadata": st.fixed_dictionaries({}, optional=extras),
    },
)


@settings(max_examples=300, deadline=None)
@given(bodies)
def test_decode_encode_decode_is_the_identity(body):
    first = OPENAI.decode_request(body)
    written = OPENAI.encode_request(first.request)
    assert written.lost == ()
    assert OPENAI.decode_request(read_object(written.body)).request == first.request


odd = st.sampled_from(
    ["", "x", "-0", "1:1", "{", "[1]", '{"id": []}', "data:", "https://[", "\u0665", "a\x00", {}, [], 1e300]
)
anything = st.recursive(
    odd | st.booleans() | st.integers() | words,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from([*extras, "type", "url", "id"]), inner),
    max_leaves=3,
)
keys = st.sampled_from([*extras, "model", "seconds", "size", "input_reference", "metadata", "video"])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(keys, odd | anything), min_size=1, max_size=3).map(dict))
def test_any_object_is_a_request_or_a_refusal(body):
    for read in (OPENAI.decode_request, *(lambda b, kind=kind: decode_change(kind, b, source=None) for kind in KINDS)):
        with contextlib.suppress(Rejected, NotFound):
            read({"prompt": "a cat", "video": VIDEO, **body})


# Changes


def change(kind, source=None, **fields):
    return decode_change(kind, {"prompt": "night", **fields}, source=source)


def test_a_remix_changes_the_film_in_its_path():
    found, told = change("remix", source="20261121120000-abcde", seconds="8")
    assert (found.kind, found.source, found.duration_s) == (ChangeKind.REMIX, "20261121120000-abcde", None)
    assert [each.param for each in told] == ["seconds"]


@pytest.mark.parametrize("kind", ["edits", "extensions"])
@pytest.mark.parametrize(
    "given",
    [
        "cgt-20261121120000-abcde",
        {"id": "video_20261121120000-abcde"},
        '{"id": "task_20261121120000-abcde"}',
    ],
)
def test_a_film_of_ours_is_meant_by_its_id_in_any_spelling(kind, given):
    found, _ = change(kind, video=given, **({"seconds": 8} if kind == "extensions" else {}))
    assert (found.source, found.video) == ("20261121120000-abcde", None)


@pytest.mark.parametrize("given", [VIDEO, "asset://asset-1", "data:video/mp4;base64,AAAA"])
def test_any_other_film_is_meant_by_its_address(given):
    found, _ = change("edits", video=given)
    assert (found.source, found.video) == (None, given)


@pytest.mark.parametrize(
    ("kind", "fields", "code", "param"),
    [
        ("remix", {"prompt": ""}, "MissingParameter", "prompt"),
        ("edits", {}, "MissingParameter", "video"),
        ("edits", {"video": ""}, "MissingParameter", "video"),
        ("edits", {"video": {}}, "MissingParameter", "video.id"),
        ("edits", {"video": 7}, "InvalidParameter", "video"),
        ("edits", {"video": "data:image/png;base64,AA=="}, "InvalidParameter", "video"),
        ("extensions", {"video": VIDEO}, "MissingParameter", "seconds"),
        ("extensions", {"video": VIDEO, "seconds": "long"}, "InvalidParameter", "seconds"),
    ],
)
def test_a_change_that_lacks_something_is_refused(kind, fields, code, param):
    with pytest.raises(Rejected) as caught:
        change(kind, **fields)
    assert (caught.value.violation.code, caught.value.violation.param) == (code, param)


def test_a_film_that_cannot_be_ours_is_not_found():
    with pytest.raises(NotFound):
        change("edits", video={"id": "video_1"})
