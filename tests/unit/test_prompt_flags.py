"""Flags at the end of a prompt: what is one, what it fills, what wins, what is refused and what is told."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.catalog.load import load_catalogue
from understudy.core.content import ContentItem, Modality
from understudy.core.errors import Rejected
from understudy.core.prompt_flags import FLAG_FIELD, split_flags, take_flags
from understudy.core.request import GenerationRequest
from understudy.dialects.ark import ARK

CATALOGUE = load_catalogue()


def taken(prompt, model="doubao-seedance-1-0-pro-250528", **said):
    content = (ContentItem(modality=Modality.TEXT, value=prompt),)
    return take_flags(content, said, model=CATALOGUE.model(model), model_name=model)


def ark(prompt, **fields):
    fields = {"model": "doubao-seedance-1-0-pro-250528", **fields}
    return ARK.decode_request({"content": [{"type": "text", "text": prompt}], **fields})


@pytest.mark.parametrize(
    ("prompt", "text", "flags"),
    [
        ("a cat --ratio 16:9", "a cat", ["--ratio 16:9"]),
        ("a cat  --rs 480p  --dur 5 --cf false", "a cat", ["--rs 480p", "--dur 5", "--cf false"]),
        ("a cat\n--RATIO 16:9 ", "a cat", ["--RATIO 16:9"]),
        ("一只猫--ratio 16:9", "一只猫", ["--ratio 16:9"]),
        ("一只猫--rs 480p--dur 5", "一只猫--rs 480p--dur 5", []),
        ("a cat --noaudio true --dur 5", "a cat", ["--noaudio true", "--dur 5"]),
        ("--dur 5", "", ["--dur 5"]),
        ("a cat --watermark", "a cat", ["--watermark"]),
        ("a cat --seed -1", "a cat", ["--seed -1"]),
    ],
)
def test_a_run_of_flags_at_the_end_is_taken_off(prompt, text, flags):
    found = split_flags(prompt)
    assert (found[0], [flag.written for flag in found[1]]) == (text, flags)


@pytest.mark.parametrize(
    "prompt",
    [
        "a cat -- and a dog",
        "a cat --",
        "a cat --ratio 16:9 walks home",
        "run it with --help",
        "the sign says --open daily",
        "ends in spaces --  ",
        "word " * 400 + "--x y " * 300,
        "--dur 5 " * 400,
    ],
)
def test_prose_stays_as_it_is(prompt):
    assert split_flags(prompt) == (prompt, ())


def test_taking_flags_off_twice_takes_nothing_more():
    for prompt in ("a --dur b --ratio 16:9", "--dur 猫--rs 480p", "a --x 5 b --wm true", "a --dur --dur 5"):
        text, flags = split_flags(prompt)
        assert flags
        assert split_flags(text) == (text, ())


def test_every_flag_fills_its_field():
    prompt = "a cat --rs 480P --rt 1:1 --dur 7 --frames 29 --seed 11 --cf TRUE --wm true"
    given = taken(prompt)
    assert given.told == ()
    assert given.content[0].value == "a cat"
    assert given.values == {
        "resolution": "480p",
        "ratio": "1:1",
        "duration_s": 7,
        "frames": 29,
        "seed": 11,
        "camera_fixed": True,
        "watermark": True,
    }
    assert set(given.values) == {field for field in FLAG_FIELD.values() if field}


def test_a_json_field_wins_and_a_difference_is_told():
    decoded = ark("a cat --dur 7 --ratio 1:1", duration=5, ratio="1:1")
    assert (decoded.request.duration_s, decoded.request.ratio) == (5, "1:1")
    assert [(each.param, "`--dur 7`" in each.message) for each in decoded.warnings] == [("content[0].text", True)]


@pytest.mark.parametrize(
    ("flag", "param"),
    [
        ("--duration 99", "contents[0].text.duration"),
        ("--dur -1", "contents[0].text.duration"),
        ("--dur x", "contents[0].text.duration"),
        ("--resolution 2k", "contents[0].text.resolution"),
        ("--rs", "contents[0].text.resolution"),
    ],
)
def test_a_wrong_duration_or_resolution_is_refused_as_the_real_service_does(flag, param):
    with pytest.raises(Rejected) as caught:
        ark(f"a cat {flag}")
    name = param.rpartition(".")[2]
    assert caught.value.violation.param == param
    assert caught.value.violation.message == (
        f"The parameter `{param}` specified in the request is not valid: "
        f"the specified {name} is not supported for model doubao-seedance-1-0-pro."
    )


@pytest.mark.parametrize(
    "flag", ["--ratio 2:1", "--fps 30", "--noaudio true --wm x", "--frames 30", "--seed x", "--cf maybe", "--seed -5"]
)
def test_other_wrong_flags_are_passed_over_and_told(flag):
    decoded = ark(f"a cat {flag}")
    assert decoded.request.prompt == "a cat"
    assert decoded.request.ratio is decoded.request.seed is decoded.request.frames is decoded.request.watermark is None
    assert {each.param for each in decoded.warnings} == {"content[0].text"}


def test_a_flag_that_the_model_does_not_have_is_passed_over_and_told():
    given = taken("a cat --cf true --frames 29", model="doubao-seedance-2-0-260128")
    assert given.values == {}
    assert [each.message.split("`")[1] for each in given.told] == ["--cf true", "--frames 29"]


def test_flags_of_an_unknown_model_are_read_all_the_same():
    assert ark("a cat --dur 99", model="m").request.duration_s == 99


def test_what_flags_said_is_written_as_fields():
    once = ark("a cat --dur 7 --wm true").request
    assert ARK.decode_request({"model": once.model, "content": [{"type": "text", "text": "a cat"}], "duration": 7,
                               "watermark": True}).request == once  # fmt: skip


def test_prose_that_ark_would_read_as_flags_is_told_when_it_is_written_for_ark():
    content = (ContentItem(modality=Modality.TEXT, value="a cat --ratio 16:9"),)
    assert [each.param for each in ARK.encode_request(GenerationRequest(model="m", content=content)).lost] == [
        "content[0].text"
    ]


words = st.sampled_from(
    ["--dur", "--rs", "--x", "--ratio", "--wm", "猫--dur", "猫", "5", "480p", "1:1", "true", "a", "--", "-1"]
)
prompts = st.lists(st.tuples(words, st.sampled_from([" ", "  ", "\n", "\u3000"])), max_size=9).map(
    lambda parts: "".join(word + gap for word, gap in parts)
)


@given(prompts)
def test_a_request_means_the_same_after_its_flags_became_fields(prompt):
    try:
        once = ark(prompt).request
    except Rejected:
        return
    encoded = ARK.encode_request(once)
    assert encoded.lost == ()
    again = ARK.decode_request(json.loads(encoded.body))
    assert (again.request, again.warnings) == (once, ())


def test_thousands_of_texts_that_are_refused_anyway_are_not_searched_for_flags():
    text = ContentItem(modality=Modality.TEXT, value=f"{'a cat ' * 100}--seed x")
    found = take_flags((text,) * 1000, {}, model=None, model_name="x")
    assert (len(found.content), found.values, found.told) == (1000, {}, ())
    assert take_flags((text,), {}, model=None, model_name="x").told
