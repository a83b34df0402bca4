"""Requests as they are written in APIMart's dialect, what that loses, and the way back."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.core.content import ContentItem, Modality, Role
from understudy.core.request import GenerationRequest
from understudy.dialects.apimart import APIMART
from understudy.dialects.codec import Decoded
from understudy.dialects.json_body import read_object

OLD_MODEL = "doubao-seedance-1-5-pro-251215"
PLAIN, OTHER, ASSET, CLIP, SONG = "http://a/1.png", "http://a/2.png", "asset://face", "http://a/1.mp4", "http://a/1.mp3"
FIRST, LAST, REFERENCE = "first_frame", "last_frame", "reference_image"


def read(raw: bytes) -> Decoded:
    return APIMART.decode_request(read_object(raw))


def a_request(*content, **fields):
    return GenerationRequest(model="doubao-seedance-2.0", content=content or (text("x"),), **fields)


def text(value):
    return ContentItem(modality=Modality.TEXT, value=value)


def image(value, role):
    return ContentItem(modality=Modality.IMAGE, value=value, role=role)


def video(value):
    return ContentItem(modality=Modality.VIDEO, value=value, role=Role.REFERENCE_VIDEO)


def written(request):
    return json.loads(APIMART.encode_request(request).body)


def lost(request):
    return [warned.param for warned in APIMART.encode_request(request).lost]


def test_texts_become_one_prompt():
    assert written(a_request(text("a"), text("b")))["prompt"] == "a\nb"


def test_images_that_need_no_roles_are_written_plainly():
    assert written(a_request(image(PLAIN, Role.FIRST_FRAME))) == {
        "model": "doubao-seedance-2.0",
        "image_urls": [PLAIN],
    }


@pytest.mark.parametrize(
    "content",
    [
        [image(PLAIN, Role.REFERENCE_IMAGE)],
        [image(ASSET, Role.FIRST_FRAME)],
        [image(PLAIN, Role.FIRST_FRAME), image(OTHER, Role.LAST_FRAME)],
        [image(PLAIN, Role.FIRST_FRAME), video(CLIP)],
    ],
)
def test_images_that_plain_ones_would_not_mean_are_written_with_roles(content):
    found = written(a_request(*content))
    assert "image_urls" not in found
    assert found["image_with_roles"][0] == {"url": content[0].value, "role": content[0].role}


def test_a_role_that_was_left_out_is_written_as_what_it_means_and_told():
    request = a_request(image(PLAIN, None), image(OTHER, None))
    assert written(request)["image_urls"] == [PLAIN, OTHER]
    assert lost(request) == ["content[0].role", "content[1].role"]


def test_the_name_the_caller_used_for_the_model_is_written():
    assert written(replace(a_request(), model_asked="seedance-2.0"))["model"] == "seedance-2.0"


def test_one_five_pro_is_written_with_its_former_names():
    found = written(replace(a_request(ratio="9:16", generate_audio=True), model=OLD_MODEL))
    assert found == {"model": OLD_MODEL, "prompt": "x", "aspect_ratio": "9:16", "audio": True}


def test_the_frames_of_one_five_pro_are_written_plainly():
    frames = (image(PLAIN, Role.FIRST_FRAME), image(OTHER, Role.LAST_FRAME))
    assert written(replace(a_request(*frames), model=OLD_MODEL)) == {"model": OLD_MODEL, "image_urls": [PLAIN, OTHER]}


def test_items_that_the_grouping_moves_are_told():
    assert lost(a_request(image(PLAIN, Role.REFERENCE_IMAGE), text("a"), video(CLIP), text("b"))) == [
        "content[1]",
        "content[3]",
    ]


def test_texts_that_become_one_prompt_are_told():
    request = a_request(text("a"), text("b"))
    assert (lost(request), written(request)["prompt"]) == (["content[1]"], "a\nb")


def test_a_draft_cannot_be_carried():
    request = a_request(text("a"), ContentItem(modality=Modality.DRAFT, value="cgt-1"))
    assert (lost(request), written(request)) == (["content[1]"], {"model": "doubao-seedance-2.0", "prompt": "a"})


@pytest.mark.parametrize(
    ("field", "value", "param"),
    [
        ("watermark", False, "watermark"),
        ("callback_url", "http://a", "callback_url"),
        ("frames", 57, "frames"),
        ("draft", True, "draft"),
        ("service_tier", "flex", "service_tier"),
        ("priority", 0, "priority"),
        ("execution_expires_after_s", 3600, "execution_expires_after"),
        ("camera_fixed", True, "camera_fixed"),
        ("output_format", "mov", "output_format"),
        ("omni_reference_task_type", "edit", "omni_reference_task_type"),
        ("safety_identifier", "u", "safety_identifier"),
        ("trace_id", "t", "trace_id"),
        ("duration_s", -1, "duration"),
    ],
)
def test_what_the_dialect_has_no_word_for_is_told(field, value, param):
    request = a_request(**{field: value})
    assert lost(request) == [param]
    assert written(request) == {"model": "doubao-seedance-2.0", "prompt": "x"}


def test_an_expiry_that_is_the_dialects_own_default_is_not_lost():
    assert lost(a_request(execution_expires_after_s=172_800)) == []


words = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), min_size=1, max_size=12)
addresses = st.one_of(words, words.map("http://a/{}".format), st.sampled_from([ASSET, "asset://b"]))
listed = st.lists(addresses, max_size=3)
roled = st.lists(
    st.fixed_dictionaries({"url": addresses, "role": st.sampled_from([FIRST, LAST, REFERENCE])}), max_size=3
)
bodies = st.fixed_dictionaries(
    {"model": st.sampled_from(["doubao-seedance-2.0", "doubao-seedance-2.0-mini", OLD_MODEL, "m"]), "prompt": words},
    optional={
        "duration": st.integers(0, 20),
        "size": words,
        "resolution": words,
        "seed": st.integers(-1, 2**32),
        "generate_audio": st.booleans(),
        "return_last_frame": st.booleans(),
        "tools": st.lists(st.fixed_dictionaries({"type": words}), max_size=2),
        "image_urls": listed,
        "video_urls": listed,
        "audio_urls": listed,
        "aspect_ratio": words,
        "audio": st.booleans(),
        "watermark": st.booleans(),
    },
)


@given(bodies, roled)
def test_decoding_encoding_and_decoding_again_is_the_identity_and_loses_nothing(fields, images):
    if images and not fields.get("image_urls"):
        fields["image_with_roles"] = images
    request = APIMART.decode_request(fields).request
    encoded = APIMART.encode_request(request)
    assert read(encoded.body).request == request
    assert encoded.lost == ()
