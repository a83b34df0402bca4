"""Requests in APIMart's dialect as they are read: fields, refusals, roles, names, Seedance 1.5 Pro."""

import json

import pytest

from understudy.core.content import Modality
from understudy.core.errors import Rejected
from understudy.dialects.apimart import APIMART
from understudy.dialects.codec import Decoded
from understudy.dialects.json_body import read_object
from understudy.dialects.naming import spelled

OLD_MODEL = "doubao-seedance-1-5-pro-251215"
PLAIN, OTHER, ASSET, CLIP, SONG = "http://a/1.png", "http://a/2.png", "asset://face", "http://a/1.mp4", "http://a/1.mp3"
FIRST, LAST, REFERENCE = "first_frame", "last_frame", "reference_image"


def read(raw: bytes) -> Decoded:
    return APIMART.decode_request(read_object(raw))


def body(**fields):
    given = {"model": "doubao-seedance-2.0", "prompt": "a cat", **fields}
    return json.dumps({name: value for name, value in given.items() if value is not ...}).encode()


def refused(raw):
    with pytest.raises(Rejected) as caught:
        read(raw)
    return caught.value.violation


def roles(**fields):
    return [item.role for item in read(body(**fields)).request.content if item.modality is not Modality.TEXT]


def told(**fields):
    return [warned.param for warned in read(body(**fields)).warnings]


@pytest.mark.parametrize(
    ("wire", "given", "field", "value"),
    [
        ("duration", 7, "duration_s", 7),
        ("duration", "7", "duration_s", 7),
        ("size", "9:16", "ratio", "9:16"),
        ("size", "adaptive", "ratio", "adaptive"),
        ("resolution", "4k", "resolution", "4k"),
        ("seed", 42, "seed", 42),
        ("seed", "42", "seed", 42),
        ("generate_audio", True, "generate_audio", True),
        ("generate_audio", "true", "generate_audio", True),
        ("return_last_frame", True, "return_last_frame", True),
        ("tools", [{"type": "web_search"}], "tools", ("web_search",)),
    ],
)
def test_each_field_is_read_and_numbers_and_booleans_may_be_strings(wire, given, field, value):
    assert getattr(read(body(**{wire: given})).request, field) == value


def test_what_is_left_out_has_the_dialects_own_defaults():
    request = read(body()).request
    assert (request.ratio, request.resolution, request.duration_s) == ("16:9", "720p", 5)
    assert (request.generate_audio, request.return_last_frame) == (False, False)
    assert request.execution_expires_after_s == 172_800
    assert (request.seed, request.watermark) == (None, None)


def test_null_means_absent_for_every_field():
    names = APIMART.shapes.request.__struct_fields__
    assert read(body(**{name: None for name in names if name not in ("model", "prompt")})) == read(body())


def test_null_inside_an_image_is_a_missing_parameter():
    assert refused(body(image_with_roles=[{"url": None, "role": FIRST}])).code == "MissingParameter"


def test_an_empty_list_means_absent():
    assert read(body(image_urls=[], image_with_roles=[], video_urls=[], audio_urls=[], tools=[])) == read(body())


def test_an_empty_list_of_images_does_not_stand_in_the_way_of_images_with_roles():
    assert roles(image_urls=[], image_with_roles=[{"url": PLAIN, "role": LAST}]) == [LAST]


def test_an_empty_prompt_beside_an_image_is_no_text():
    assert [item.modality for item in read(body(prompt="", image_urls=[PLAIN])).request.content] == [Modality.IMAGE]


@pytest.mark.parametrize(
    "unknown",
    [{"watermark": True}, {"callback_url": "http://a"}, {"negative_prompt": "x"}, {"image_with_role": []}, {"n": 1}],
)
def test_keys_the_dialect_does_not_have_are_ignored_and_told(unknown):
    decoded = read(body(**unknown))
    assert decoded.request == read(body()).request
    assert [each.param for each in decoded.warnings] == list(unknown)


def test_keys_inside_images_and_tools_are_told_too():
    images = [{"url": PLAIN, "role": FIRST, "weight": 1}]
    assert told(image_with_roles=images, tools=[{"type": "web_search", "limit": 3}]) == [
        "image_with_roles[0].weight",
        "tools[0].limit",
    ]


@pytest.mark.parametrize(
    ("raw", "code", "param"),
    [
        (b"{}", "MissingParameter", "model"),
        (body(model=""), "MissingParameter", "model"),
        (body(model=5), "InvalidParameter", "model"),
        (body(model=["m"]), "InvalidParameter", "model"),
        (body(prompt=...), "MissingParameter", "prompt"),
        (body(prompt=""), "MissingParameter", "prompt"),
        (body(prompt=..., tools=[{"type": "web_search"}]), "MissingParameter", "prompt"),
        (body(prompt=7), "InvalidParameter", "prompt"),
        (body(prompt=["x"]), "InvalidParameter", "prompt"),
        (body(duration="five"), "InvalidParameter", "duration"),
        (body(duration=5.5), "InvalidParameter", "duration"),
        (body(duration=True), "InvalidParameter", "duration"),
        (body(size=16), "InvalidParameter", "size"),
        (body(resolution=720), "InvalidParameter", "resolution"),
        (body(seed="x"), "InvalidParameter", "seed"),
        (body(generate_audio="loud"), "InvalidParameter", "generate_audio"),
        (body(return_last_frame=2), "InvalidParameter", "return_last_frame"),
        (body(tools="web_search"), "InvalidParameter", "tools"),
        (body(tools=["web_search"]), "InvalidParameter", "tools[0]"),
        (body(tools=[{}]), "MissingParameter", "tools[0].type"),
        (body(image_urls=PLAIN), "InvalidParameter", "image_urls"),
        (body(image_urls=[{"url": PLAIN}]), "InvalidParameter", "image_urls[0]"),
        (body(image_urls=[None]), "InvalidParameter", "image_urls[0]"),
        (body(video_urls=[CLIP, 5]), "InvalidParameter", "video_urls[1]"),
        (body(audio_urls=[{"url": SONG}]), "InvalidParameter", "audio_urls[0]"),
        (body(image_with_roles=[PLAIN]), "InvalidParameter", "image_with_roles[0]"),
        (body(image_with_roles=[{"role": FIRST}]), "MissingParameter", "image_with_roles[0].url"),
        (body(image_with_roles=[{"url": PLAIN}]), "MissingParameter", "image_with_roles[0].role"),
        (body(image_with_roles=[{"url": PLAIN, "role": "hero"}]), "InvalidParameter", "image_with_roles[0].role"),
        (
            body(image_with_roles=[{"url": PLAIN, "role": "reference_video"}]),
            "InvalidParameter",
            "image_with_roles[0].role",
        ),
        (
            body(image_urls=[PLAIN], image_with_roles=[{"url": PLAIN, "role": FIRST}]),
            "InvalidParameter",
            "image_with_roles",
        ),
    ],
)
def test_bad_bodies_are_refused_by_name(raw, code, param):
    violation = refused(raw)
    assert (violation.code, violation.param) == (code, param)
    assert f"`{param}`" in violation.message


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"image_urls": [PLAIN]}, [FIRST]),
        ({"image_urls": [ASSET]}, [REFERENCE]),
        ({"image_urls": [PLAIN, OTHER]}, [REFERENCE, REFERENCE]),
        ({"image_urls": [PLAIN], "video_urls": [CLIP]}, [REFERENCE, "reference_video"]),
        ({"image_urls": [PLAIN], "audio_urls": [SONG]}, [REFERENCE, "reference_audio"]),
        ({"image_urls": [PLAIN], "video_urls": []}, [FIRST]),
        ({"image_with_roles": [{"url": PLAIN, "role": REFERENCE}]}, [REFERENCE]),
        ({"image_with_roles": [{"url": ASSET, "role": FIRST}]}, [FIRST]),
    ],
)
def test_what_an_image_is_for_follows_from_what_stands_beside_it(fields, expected):
    assert roles(**fields) == expected


def test_two_plain_images_alone_are_references_and_that_is_told():
    assert told(image_urls=[PLAIN, OTHER]) == ["image_urls"]


@pytest.mark.parametrize(
    "clear",
    [
        {"image_urls": [PLAIN]},
        {"image_urls": [PLAIN, OTHER, PLAIN]},
        {"image_urls": [PLAIN, ASSET]},
        {"image_urls": [PLAIN, OTHER], "video_urls": [CLIP]},
        {"image_urls": [PLAIN, OTHER], "audio_urls": [SONG]},
    ],
)
def test_what_can_be_meant_one_way_only_is_not_told(clear):
    assert told(**clear) == []


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"image_urls": [ASSET], "video_urls": [CLIP, ASSET]}, ["video_urls[1]"]),
        ({"image_with_roles": [{"url": ASSET, "role": REFERENCE}], "audio_urls": [ASSET]}, ["audio_urls[0]"]),
        ({"video_urls": [ASSET], "audio_urls": [ASSET]}, ["audio_urls[0]"]),
        ({"image_urls": [PLAIN], "video_urls": [PLAIN]}, []),
        ({"image_urls": [ASSET, ASSET]}, []),
        ({"image_urls": [ASSET], "video_urls": ["asset://other"]}, []),
    ],
)
def test_an_asset_of_two_kinds_is_kept_twice_and_told_at_the_second(fields, expected):
    assert told(**fields) == expected
    assert len(roles(**fields)) == sum(map(len, fields.values()))


@pytest.mark.parametrize(
    ("param", "expected"),
    [
        ("ratio", "size"),
        ("duration", "duration"),
        ("content[0].text", "prompt"),
        ("content[1]", "image_urls[0]"),
        ("content[1].role", "image_urls[0]"),
        ("content[2].image_url.url", "image_urls[1]"),
        ("content[3].video_url.url", "video_urls[0]"),
        ("content[4].audio_url", "audio_urls[0]"),
        ("content", "image_urls"),
    ],
)
def test_what_the_rules_name_in_arks_words_has_a_name_here(param, expected):
    names = read(body(image_urls=[PLAIN, OTHER], video_urls=[CLIP], audio_urls=[SONG])).names
    assert spelled(param, names) == expected


@pytest.mark.parametrize(
    ("param", "expected"),
    [
        ("content[0]", "image_with_roles[0]"),
        ("content[0].role", "image_with_roles[0].role"),
        ("content[1].image_url", "image_with_roles[1].url"),
        ("content[1].image_url.url", "image_with_roles[1].url"),
        ("content", "image_with_roles"),
    ],
)
def test_images_with_roles_are_named_with_their_fields(param, expected):
    images = [{"url": PLAIN, "role": FIRST}, {"url": OTHER, "role": LAST}]
    assert spelled(param, read(body(prompt=..., image_with_roles=images)).names) == expected


def test_text_alone_is_the_prompt_to_the_caller():
    assert spelled("content", read(body()).names) == "prompt"


def test_one_five_pro_reads_its_former_names():
    decoded = read(body(model=OLD_MODEL, aspect_ratio="9:16", audio=True))
    assert (decoded.request.ratio, decoded.request.generate_audio) == ("9:16", True)
    assert decoded.warnings == ()
    assert (spelled("ratio", decoded.names), spelled("generate_audio", decoded.names)) == ("aspect_ratio", "audio")


@pytest.mark.parametrize(
    ("images", "expected"),
    [([PLAIN], [FIRST]), ([PLAIN, OTHER], [FIRST, LAST]), ([PLAIN, OTHER, PLAIN], [REFERENCE] * 3)],
)
def test_two_plain_images_are_first_and_last_frame_where_a_model_has_no_references(images, expected):
    assert roles(model=OLD_MODEL, image_urls=images) == expected
    assert told(model=OLD_MODEL, image_urls=images) == []


def test_one_five_pro_reads_todays_names_as_well():
    request = read(body(model=OLD_MODEL, size="9:16", generate_audio=True)).request
    assert (request.ratio, request.generate_audio) == ("9:16", True)


def test_todays_name_wins_over_the_former_one_and_that_is_told():
    decoded = read(body(model=OLD_MODEL, size="9:16", aspect_ratio="1:1"))
    assert decoded.request.ratio == "9:16"
    assert [each.param for each in decoded.warnings] == ["aspect_ratio"]


def test_other_models_do_not_have_the_former_names():
    decoded = read(body(aspect_ratio="9:16", audio=["not even a boolean"]))
    assert decoded.request == read(body()).request
    assert [each.param for each in decoded.warnings] == ["aspect_ratio", "audio"]
    assert "`size`" in decoded.warnings[0].message


def test_a_wrong_type_under_a_former_name_is_refused_by_that_name():
    assert refused(body(model=OLD_MODEL, audio="loud")).param == "audio"


@pytest.mark.parametrize("param", ["tools", "image_with_roles"])
def test_a_list_that_is_the_word_null_is_absent(param):
    assert told(**{param: "null"}) == []
