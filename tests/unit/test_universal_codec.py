"""The universal codecs (amux's path B, new-api): what they read, refuse and write."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.catalog.load import load_catalogue
from understudy.core.content import ContentItem, Modality, Role
from understudy.core.errors import (
    Rejected,
    Violation,
)
from understudy.core.request import GenerationRequest
from understudy.core.resolve import resolve
from understudy.core.rules import Case, violations
from understudy.core.scenario import Scenario
from understudy.dialects.form import FormFields, read_form
from understudy.dialects.json_body import read_object
from understudy.dialects.naming import renamed
from understudy.dialects.octopus import OCTOPUS
from understudy.dialects.universal import AMUX, NEWAPI

CODECS = {codec.name: codec for codec in (AMUX, NEWAPI, OCTOPUS)}
CASES = {
    f"{name}/{path.stem}": (CODECS[name], json.loads(path.read_text("utf-8")))
    for name in CODECS
    for path in sorted(Path("tests/golden", name).glob("*.json"))
}
READ = {name: case for name, case in CASES.items() if "request" in case[1]["expect"]}
REFUSED = {name: case for name, case in CASES.items() if "error" in case[1]["expect"] and "not_there" not in name}
ADDRESS = "https://example.com/start.jpg"
MODEL = "doubao-seedance-2.0"


def over(cases):
    return pytest.mark.parametrize(("codec", "case"), cases.values(), ids=cases.keys())


def read(codec, body):
    return codec.decode_request(read_object(body.encode() if isinstance(body, str) else json.dumps(body).encode()))


def universal(codec=AMUX, **fields):
    return read(codec, {"model": MODEL, "prompt": "a cat", **fields})


def read_case(codec, case):
    if "headers" not in case:
        return read(codec, case["body"])
    return codec.decode_request(read_form(case["headers"]["Content-Type"].encode(), case["body"].encode()))


def warned(decoded):
    return [each.param for each in decoded.warnings]


def shown(request, name):
    if name == "content":
        return [[str(item.modality), item.value, item.role and str(item.role)] for item in request.content]
    value = getattr(request, name)
    return list(value) if isinstance(value, tuple) else value


def refusal(codec, body):
    """Return the answer to a request that the codec, or the rules behind it, refuse."""
    try:
        decoded = read(codec, body)
    except Rejected as error:
        return codec.encode_error(error.violation, "r")
    model = load_catalogue().model(decoded.request.model)
    if model is None:
        return codec.encode_error(Violation("InvalidEndpointOrModel.NotFound", "model", "No such model."), "r")
    request = resolve(decoded.request, model)
    found = violations(
        Case(request=request, model=model, profile=codec.profile, engine="any", served=frozenset(Scenario))
    )
    assert found, "nothing refuses it"
    return codec.encode_error(renamed(found[0], decoded.names), "r")


def test_every_case_says_where_it_comes_from_and_is_run():
    told = {name: case["source"] for name, (_, case) in CASES.items()}
    assert all(source.startswith(("seed 00", "new-api", "amux")) for source in told.values())
    assert len(READ) > 50
    assert len(REFUSED) > 15
    assert len(CASES) == len(READ) + len(REFUSED) + 1


@over(READ)
def test_a_case_decodes_into_what_it_says(codec, case):
    decoded = read_case(codec, case)
    expected = case["expect"]["request"]
    assert {name: shown(decoded.request, name) for name in expected} == expected
    assert warned(decoded) == case["expect"]["warned"]


@over(READ)
def test_a_case_survives_the_way_through_its_codec(codec, case):
    request = read_case(codec, case).request
    encoded = codec.encode_request(request)
    again = codec.decode_request(read_object(encoded.body))
    assert again.request == request
    assert encoded.lost == ()
    assert again.warnings == ()


@over(REFUSED)
def test_what_is_ruled_out_is_refused_in_the_dialects_words(codec, case):
    told = refusal(codec, case["body"])
    assert told.status == case["expect"]["status"]
    found, expected = json.loads(told.body), case["expect"]["error"]
    found = found if "data" in expected else found["error"]
    assert {key: found.get(key, "absent") for key in expected} == expected


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
@pytest.mark.parametrize(
    ("fields", "code", "param"),
    [
        ({"model": 5}, "InvalidParameter", "model"),
        ({"model": ""}, "MissingParameter", "model"),
        ({"metadata": 5}, "InvalidParameter", "metadata"),
        ({"metadata": "{"}, "InvalidParameter", "metadata"),
        ({"metadata": "[]"}, "InvalidParameter", "metadata"),
        ({"metadata": {"duration": "soon"}}, "InvalidParameter", "metadata.duration"),
        ({"metadata": {"watermark": "maybe"}}, "InvalidParameter", "metadata.watermark"),
    ],
)
def test_a_bad_body_is_refused_by_the_name_the_caller_used(codec, fields, code, param):
    body = {"model": MODEL, **({"content": [{"type": "text", "text": "x"}]} if codec is OCTOPUS else {"prompt": "x"})}
    with pytest.raises(Rejected) as caught:
        read(codec, {**body, **fields})
    assert (caught.value.violation.code, caught.value.violation.param) == (code, param)
    assert param in caught.value.violation.message


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"prompt": ["x"]}, "prompt"),
        ({"images": "x"}, "images"),
        ({"images": [5]}, "images[0]"),
        ({"duration": "soon"}, "duration"),
        ({"seconds": 5.5}, "seconds"),
        ({"metadata": {"content": {}, "ratio": "1:1"}}, None),
        ({"metadata": {"content": 5}}, "metadata.content"),
        ({"metadata": {"content": "[{]"}}, "metadata.content"),
        ({"metadata": {"content": ["x"]}}, "metadata.content[0]"),
        ({"metadata": {"content": [{"type": "text"}, {"type": "sound"}]}}, "metadata.content[1].type"),
        ({"metadata": {"content": [{"type": "image_url"}]}}, "metadata.content[0].image_url.url"),
        ({"metadata": {"content": '[{"type": "image_url", "image_url": "u"}]'}}, "metadata.content[0].image_url"),
        ({"metadata": {"tools": [{}]}}, "metadata.tools[0].type"),
    ],
)
def test_what_is_wrong_inside_is_named_where_the_caller_put_it(fields, param):
    if param is None:
        assert universal(**fields).request.content[0].value == "a cat"
        return
    with pytest.raises(Rejected) as caught:
        universal(**fields)
    assert caught.value.violation.param == param


def test_a_forms_unknown_fields_are_metadata():
    fields = {"model": MODEL, "prompt": "a cat", "ratio": "9:16", "watermark": "true", "colour": "red"}
    decoded = AMUX.decode_request(FormFields({**fields, "metadata": {"ratio": "1:1"}}))
    assert (decoded.request.ratio, decoded.request.watermark) == ("1:1", True)
    assert warned(decoded) == ["colour"]
    assert AMUX.decode_request(FormFields(fields)).request.ratio == "9:16"
    assert AMUX.decode_request(FormFields(fields)).names["watermark"] == "watermark"
    assert AMUX.decode_request(fields).request.ratio is None


def test_a_forms_content_is_named_as_it_was_sent():
    fields = FormFields({"model": MODEL, "prompt": "a cat", "content": [{"type": "image_url"}]})
    with pytest.raises(Rejected) as caught:
        AMUX.decode_request(fields)
    assert caught.value.violation.param == "content[0].image_url.url"


@pytest.mark.parametrize("param", ["duration", "seconds"])
def test_seconds_that_no_film_has_have_their_own_word(param):
    told = refusal(NEWAPI, {"model": MODEL, "prompt": "a cat", param: 90})
    assert json.loads(told.body)["code"] == "invalid_seconds"
    assert f"`{param}`" in json.loads(told.body)["message"]


def test_a_rule_speaks_of_the_item_that_the_caller_sent():
    decoded = universal(
        metadata={"content": [{"type": "text", "text": "a cat"}, {"type": "image_url", "image_url": {"url": ADDRESS}}]}
    )
    assert renamed(Violation("c", "content[0].image_url.url", "m"), decoded.names).param == (
        "metadata.content[1].image_url.url"
    )
    assert renamed(Violation("c", "content[1]", "m"), decoded.names).param == "prompt"
    assert renamed(Violation("c", "ratio", "m"), decoded.names).param == "metadata.ratio"


def test_a_rule_speaks_of_the_bare_image_that_the_caller_sent():
    decoded = universal(images=[ADDRESS, ADDRESS])
    assert renamed(Violation("c", "content[1].image_url.url", "m"), decoded.names).param == "images[1]"
    assert renamed(Violation("c", "content", "m"), decoded.names).param == "images"
    assert renamed(Violation("c", "content", "m"), universal().names).param == "prompt"


def test_what_arks_form_puts_on_top_is_pointed_to_its_place():
    told = universal(ratio="1:1").warnings
    assert [each.param for each in told] == ["ratio"]
    assert "`metadata.ratio`" in told[0].message


def test_nothing_that_was_ignored_goes_untold():
    decoded = universal(
        image=ADDRESS,
        input_reference="https://example.com/other.jpg",
        seed=3,
        size="large",
        width=5,
        mode="pro",
        response_format="b64_json",
        colour="red",
        metadata={"seed": 4, "colour": "blue", "model": "x"},
    )
    told = {"colour", "seed", "size", "width", "mode", "response_format", "input_reference"}
    assert set(warned(decoded)) == told | {"metadata.model", "metadata.colour"}
    assert decoded.request.seed == 4


def test_only_amux_drops_the_duration_of_reference_images():
    metadata = {
        "duration": 8,
        "content": [{"type": "image_url", "image_url": {"url": ADDRESS}, "role": "reference_image"}],
    }
    assert universal(AMUX, metadata=metadata).request.duration_s is None
    assert universal(NEWAPI, metadata=metadata).request.duration_s == 8


def test_a_size_never_overrules_the_metadata():
    decoded = universal(width=1280, height=720, metadata={"ratio": "9:16"})
    assert (decoded.request.ratio, decoded.request.resolution) == ("9:16", "720p")
    assert warned(decoded) == ["width"]


@pytest.mark.parametrize("size", ["0x0", "99999x1", "1x99999", "999999x5", "12", "16:9:1"])
def test_any_size_is_read_or_told(size):
    assert warned(universal(size=size)) == ["size"]


def test_a_huge_side_is_no_overflow():
    assert warned(universal(width=10**400, height=1)) == ["width"]


def test_what_the_dialect_cannot_carry_is_listed():
    image = ContentItem(modality=Modality.IMAGE, value=ADDRESS, role=Role.REFERENCE_IMAGE)
    silent = GenerationRequest(model="m", content=(image,), duration_s=5, remixed_from="20261121120000-abcde")
    encoded = AMUX.encode_request(silent)
    assert [each.param for each in encoded.lost] == ["duration", "remixed_from", "content"]
    assert "duration" not in json.loads(encoded.body)["metadata"]
    draft = GenerationRequest(model="m", content=(ContentItem(modality=Modality.DRAFT, value="cgt-1"),))
    assert [each.param for each in NEWAPI.encode_request(draft).lost] == ["content", "content"]


words = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=12)
addresses = words.map(lambda word: f"https://example.com/{word}")
flags = st.sampled_from([True, False, "true", "false", None])
numbers = st.one_of(st.none(), st.integers(-1, 2**32), st.integers(0, 99).map(str))
items = st.one_of(
    st.builds(lambda text: {"type": "text", "text": text}, words),
    st.builds(
        lambda url, role: {"type": "image_url", "image_url": {"url": url}, "role": role},
        addresses,
        st.sampled_from([None, "first_frame", "last_frame", "reference_image"]),
    ),
    st.builds(lambda url: {"type": "video_url", "video_url": {"url": url}}, addresses),
    st.builds(lambda url: {"type": "audio_url", "audio_url": {"url": url}, "role": "reference_audio"}, addresses),
)
contents = st.lists(items, max_size=4)
settings_ = st.fixed_dictionaries(
    {},
    optional={
        "ratio": st.none() | words,
        "resolution": st.none() | words,
        "duration": numbers,
        "frames": numbers,
        "seed": numbers,
        "generate_audio": flags,
        "watermark": flags,
        "return_last_frame": flags,
        "camera_fixed": flags,
        "draft": flags,
        "service_tier": st.none() | words,
        "priority": numbers,
        "execution_expires_after": numbers,
        "callback_url": st.none() | words,
        "safety_identifier": st.none() | words,
        "trace_id": st.none() | words,
        "tools": st.lists(st.builds(lambda word: {"type": word}, words), max_size=2),
        "first_frame": words,
    },
)


@pytest.mark.parametrize("codec", [AMUX, NEWAPI], ids=["amux", "newapi"])
@given(
    prompt=words.filter(lambda word: bool(word.strip())),
    metadata=st.builds(lambda known, content: {**known, "content": content}, settings_, contents),
    as_text=st.booleans(),
    top=st.fixed_dictionaries(
        {},
        optional={
            "image": addresses,
            "images": st.lists(addresses, max_size=3),
            "duration": numbers,
            "seconds": numbers,
            "size": words | st.sampled_from(["1280x720", "77x9000"]),
            "width": numbers,
            "height": numbers,
            "seed": numbers,
            "user": words,
        },
    ),
)
def test_encoding_and_decoding_a_request_is_the_identity(codec, prompt, metadata, as_text, top):
    body = {"model": MODEL, "prompt": prompt, "metadata": json.dumps(metadata) if as_text else metadata, **top}
    request = read(codec, body).request
    encoded = codec.encode_request(request)
    assert codec.decode_request(read_object(encoded.body)).request == request
    assert encoded.lost == ()


@pytest.mark.parametrize(
    ("size", "metadata", "ratio", "resolution", "told"),
    [
        ("9:16", {}, "9:16", None, ()),
        ("Adaptive", {}, "adaptive", None, ()),
        ("1080P", {}, None, "1080p", ()),
        ("9:16", {"ratio": "9:16"}, "9:16", None, ()),
        ("9:16", {"ratio": "1:1"}, "1:1", None, ("size",)),
        ("1080p", {"resolution": "480p"}, None, "480p", ("size",)),
        ("large", {}, None, None, ("size",)),
    ],
)
def test_a_size_may_name_a_ratio_or_a_resolution_as_it_may_in_openais_form(size, metadata, ratio, resolution, told):
    fields = {"model": "doubao-seedance-2.0", "prompt": "A cat", "size": size, "metadata": metadata}
    found = NEWAPI.decode_request(fields)
    assert (found.request.ratio, found.request.resolution) == (ratio, resolution)
    assert tuple(warned.param for warned in found.warnings) == told
