"""Forms: what clients put into them and what object comes out; what is refused, and how."""

import json

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.core.errors import Rejected
from understudy.dialects.form import DEPTH_MAX, object_of, read_form, read_json_text
from understudy.dialects.multipart import FIELDS_MAX, FILES_MAX

TYPE = b"multipart/form-data; boundary=edge"
GIF = b"GIF89a\x01\x00\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x01D\x00;"
URL = "application/x-www-form-urlencoded"


def part(name, content=b"x", *, file_name=None, media_type=None, more=()):
    head = f'Content-Disposition: form-data; name="{name}"'.encode()
    if file_name is not None:
        head += f'; filename="{file_name}"'.encode()
    lines = [head, *([b"Content-Type: " + media_type.encode()] if media_type else []), *more]
    return b"--edge\r\n" + b"\r\n".join(lines) + b"\r\n\r\n" + content + b"\r\n"


def read(*parts, end=b"--edge--\r\n"):
    return read_form(TYPE, b"".join(parts) + end)


def refused(call):
    with pytest.raises(Rejected) as caught:
        call()
    return caught.value.violation.param, caught.value.violation.message


# Names


def test_plain_names_become_texts():
    assert object_of([("prompt", "a cat"), ("seconds", "4")]) == {"prompt": "a cat", "seconds": "4"}


def test_brackets_become_objects_and_lists():
    pairs = [("metadata[watermark]", "true"), ("metadata[a][b]", "1"), ("image_urls[]", "a"), ("image_urls[]", "b")]
    assert object_of(pairs) == {"metadata": {"watermark": "true", "a": {"b": "1"}}, "image_urls": ["a", "b"]}


def test_one_item_in_brackets_is_a_list_of_one():
    assert object_of([("images[]", "a")]) == {"images": ["a"]}


def test_a_repeated_name_becomes_a_list():
    assert object_of([("image", "a"), ("image", "b")]) == {"image": ["a", "b"]}


def test_numbered_items_become_a_list_in_the_order_of_their_numbers():
    pairs = [("content[1][type]", "image_url"), ("content[0][type]", "text"), ("content[0][text]", "x")]
    assert object_of(pairs) == {"content": [{"type": "text", "text": "x"}, {"type": "image_url"}]}


def test_ten_numbered_items_are_sorted_as_numbers():
    assert object_of([(f"a[{number}]", str(number)) for number in range(11)]) == {"a": [str(n) for n in range(11)]}


def test_numbers_with_a_gap_are_refused():
    assert refused(lambda: object_of([("content[0][type]", "a"), ("content[2][type]", "b")]))[0] == "content"


def test_a_number_too_long_for_an_index_is_a_key():
    assert object_of([(f"a[{'9' * 5000}]", "1")]) == {"a": {"9" * 5000: "1"}}


def test_a_name_with_odd_brackets_is_one_name():
    assert object_of([("a[b", "1"), ("]c[", "2")]) == {"a[b": "1", "]c[": "2"}


def test_a_field_left_empty_is_absent():
    assert object_of([("prompt", "x"), ("size", ""), ("metadata[seed]", "")]) == {"prompt": "x"}


@pytest.mark.parametrize(
    "pairs",
    [
        [("metadata", "{}"), ("metadata[a]", "1")],
        [("a[]", "1"), ("a[b]", "2")],
        [("a[]", "1"), ("a[][b]", "2")],
        [("a[][]", "1")],
    ],
)
def test_a_name_used_in_two_ways_is_refused(pairs):
    assert refused(lambda: object_of(pairs))[0] in ("metadata", "a")


def test_names_have_a_bounded_depth():
    deep = "a" + "[b]" * (DEPTH_MAX - 1)
    assert object_of([(deep, "1")])
    assert refused(lambda: object_of([(deep + "[b]", "1")]))[0].startswith("a[b]")


# Items whose fields are grouped by key, as OpenAI's SDK sends them


def content(**columns):
    names = {key: f"content[][{key.removesuffix('_url')}_url][url]" for key in columns if key.endswith("_url")}
    return [(names.get(key, f"content[][{key}]"), value) for key, values in columns.items() for value in values]


def items(**columns):
    return object_of(content(**columns))["content"]


def test_items_of_equal_fields_are_rebuilt():
    assert items(type=["image_url"] * 2, image_url=["a", "b"], role=["first_frame", "last_frame"]) == [
        {"type": "image_url", "image_url": {"url": "a"}, "role": "first_frame"},
        {"type": "image_url", "image_url": {"url": "b"}, "role": "last_frame"},
    ]


def test_items_of_several_types_are_rebuilt_by_their_type():
    types = ["text", "video_url", "image_url", "image_url"]
    assert items(
        type=types, text=["x"], video_url=["v"], image_url=["a", "b"], role=["reference_video", "r1", "r2"]
    ) == [
        {"type": "text", "text": "x"},
        {"type": "video_url", "video_url": {"url": "v"}, "role": "reference_video"},
        {"type": "image_url", "image_url": {"url": "a"}, "role": "r1"},
        {"type": "image_url", "image_url": {"url": "b"}, "role": "r2"},
    ]


def test_items_without_any_role_are_rebuilt():
    assert items(type=["text", "image_url"], text=["x"], image_url=["a"]) == [
        {"type": "text", "text": "x"},
        {"type": "image_url", "image_url": {"url": "a"}},
    ]


def test_a_file_of_no_bytes_is_refused_by_its_name():
    param, said = refused(lambda: read(part("input_reference", b"", file_name="a.png", media_type="image/png")))
    assert (param, "the file is empty." in said) == ("input_reference", True)


def test_a_file_that_was_not_chosen_is_absent():
    body = (part("prompt"), part("input_reference", b"", file_name="", media_type="application/octet-stream"))
    assert read(*body) == {"prompt": "x"}


def test_a_field_of_an_item_left_empty_is_absent():
    assert items(type=["image_url"] * 2, image_url=["a", "b"], role=["", "last_frame"]) == [
        {"type": "image_url", "image_url": {"url": "a"}},
        {"type": "image_url", "image_url": {"url": "b"}, "role": "last_frame"},
    ]


def test_items_without_types_are_rebuilt_where_all_have_the_same_fields():
    pairs = [(f"image_with_roles[][{key}]", value) for key in ("url", "role") for value in ("1", "2")]
    assert object_of(pairs) == {"image_with_roles": [{"url": "1", "role": "1"}, {"url": "2", "role": "2"}]}


@pytest.mark.parametrize(
    "columns",
    [
        {"type": ["image_url", "video_url"], "image_url": ["a"], "video_url": ["v"], "role": ["reference_video"]},
        {"type": ["image_url", "image_url"], "image_url": ["a"]},
        {"type": ["text", "text"], "image_url": ["a", "b"]},
        {"type": ["image_url"], "image_url": ["a"], "weight": ["1", "2"]},
        {"type": ["text", "image_url"], "text": ["x"], "image_url": ["a"], "weight": ["1"]},
        {"role": ["a"], "weight": ["1", "2"]},
    ],
)
def test_items_that_could_be_meant_in_two_ways_are_refused_with_the_way_out(columns):
    param, message = refused(lambda: items(**columns))
    assert param == "content"
    assert message.endswith("send it as a JSON string.")


def test_the_way_out_of_a_list_below_metadata_is_metadata_as_json():
    pairs = [("metadata[content][][role]", "a"), ("metadata[content][][x]", "1"), ("metadata[content][][x]", "2")]
    assert refused(lambda: object_of(pairs))[1].endswith("send metadata as a JSON string.")


@given(
    st.lists(
        st.one_of(
            st.builds(lambda text: {"type": "text", "text": text}, st.text("abc", min_size=1)),
            st.builds(
                lambda kind, url, role: {"type": kind, kind: {"url": url}, "role": role},
                st.sampled_from(["image_url", "video_url", "audio_url"]),
                st.text("abc", min_size=1),
                st.text("xyz", min_size=1),
            ),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_what_openais_sdk_would_send_of_full_items_comes_back_as_it_was(wanted):
    columns: dict[str, list[str]] = {}
    for item in wanted:
        for key, value in item.items():
            columns.setdefault(key, []).append(value["url"] if isinstance(value, dict) else value)
    assert items(**columns) == wanted


# JSON inside a form


@pytest.mark.parametrize("name", ["metadata", "content", "input_reference", "tools", "video"])
def test_a_field_that_is_an_object_may_be_a_json_string(name):
    assert object_of([(name, ' {"a": [1, true]}')]) == {name: {"a": [1, True]}}
    assert object_of([(f"metadata[{name}]", '[{"a": 1}]')]) == {"metadata": {name: [{"a": 1}]}}


def test_items_may_each_be_a_json_string():
    assert object_of([("content[]", '{"type": "text"}'), ("content[]", '{"type": "x"}')]) == {
        "content": [{"type": "text"}, {"type": "x"}]
    }


def test_a_prompt_that_looks_like_json_stays_text():
    assert object_of([("prompt", '{"a": 1}')]) == {"prompt": '{"a": 1}'}


@pytest.mark.parametrize("text", ["{", "[1", '{"a":1} x', '{"a":1,"a":2}', '[1],"b":[2]', '{"a":NaN}', '["\\ud800"]'])
def test_json_that_is_none_is_refused_by_the_fields_name(text):
    param, message = refused(lambda: read_json_text(text, "metadata"))
    assert param.startswith(("metadata", "a"))
    assert "specified in the request is not valid" in message
    assert "`value`" not in message


# Files


@pytest.mark.parametrize(
    ("first", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (GIF, "image/gif"),
        (b"BM\x46\0\0\0\0\0\0\0", "image/bmp"),
        (b"II*\0", "image/tiff"),
        (b"RIFF\x24\0\0\0WEBPVP8 ", "image/webp"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "audio/wav"),
        (b"\0\0\0\x18ftypheic", "image/heic"),
        (b"\0\0\0\x18ftypmif1", "image/heif"),
        (b"\0\0\0\x14ftypqt  ", "video/quicktime"),
        (b"\0\0\0\x18ftypmp42", "video/mp4"),
        (b"\0\0\0\x18ftypM4A ", "audio/mp4"),
        (b"\0\0\0\x1cftypavif", "image/avif"),
        (b"\0\0\x08\0moov", "video/quicktime"),
        (b"RIFF\x24\0\0\0AVI LIST", "video/x-msvideo"),
        (b"\x1aE\xdf\xa3", "video/webm"),
        (b"ID3\x04", "audio/mpeg"),
        (b"\xff\xfb\x90", "audio/mpeg"),
    ],
)
def test_a_files_first_bytes_say_what_it_is(first, kind):
    found = read(part("f", first, file_name="upload", media_type="application/octet-stream"))["f"]
    assert found.startswith(f"data:{kind};base64,")


def test_a_files_bytes_survive_in_the_data_url():
    found = read(part("f", b"\x89PNG\r\n\x1a\n\x00\xff", file_name="a.png", media_type="image/png"))["f"]
    assert found == "data:image/png;base64,iVBORw0KGgoA/w=="


def test_the_declared_type_counts_where_the_bytes_say_nothing():
    assert read(part("f", b"???", file_name="a", media_type="Image/X-New; q=1"))["f"].startswith("data:image/x-new;")
    assert read(part("f", b"???", file_name="a"))["f"].startswith("data:application/octet-stream;")


def test_a_file_of_json_or_text_is_a_text():
    assert read(part("metadata", b'{"a": 1}', file_name="m.json", media_type="application/json")) == {
        "metadata": {"a": 1}
    }
    assert read(part("prompt", "é".encode(), file_name="p.txt", media_type="text/plain; charset=utf-8")) == {
        "prompt": "é"
    }


def test_several_files_of_one_name_are_a_list():
    found = read(part("input_reference", GIF, file_name="a"), part("input_reference", GIF, file_name="b"))
    assert len(found["input_reference"]) == 2


def test_an_encoded_part_is_decoded():
    found = read(part("prompt", b"YSBjYXQ=", more=[b"Content-Transfer-Encoding: base64"]))
    assert found == {"prompt": "a cat"}


# Bodies that are no form


@pytest.mark.parametrize(
    ("call", "param"),
    [
        (lambda: read_form(b"multipart/form-data", b"--edge--"), "Content-Type"),
        (lambda: read_form(b"multipart/form-data; boundary=" + b"x" * 5000, b""), "body"),
        (lambda: read_form(TYPE, b""), "body"),
        (lambda: read_form(TYPE, b'{"prompt": "a cat"}'), "body"),
        (lambda: read(part("prompt"), end=b""), "body"),
        (lambda: read(part("prompt"), end=b"--edge"), "body"),
        (lambda: read(b"--edge\r\nContent-Type: text/plain\r\n\r\nx\r\n"), "body"),
        (lambda: read(part("")), "body"),
        (lambda: read(part("prompt", more=[b"X-A: b"] * 50)), "body"),
        (lambda: read(part("prompt", more=[b"X-A: " + b"b" * 10_000])), "body"),
        (lambda: read(part("prompt", more=[b"Content-Transfer-Encoding: rot13"])), "body"),
        (lambda: read(part("prompt", b"!", more=[b"Content-Transfer-Encoding: base64"])), "body"),
        (lambda: read(part("prompt", b"\xff\xfe")), "prompt"),
        (lambda: read(part("prompt", b"a\x00b")), "prompt"),
        (lambda: read(*[part("a")] * (FIELDS_MAX + 1)), "body"),
        (lambda: read(*[part("a", file_name="f")] * (FILES_MAX + 1)), "body"),
        (lambda: read_form(URL.encode(), b""), "body"),
        (lambda: read_form(URL.encode(), b"prompt=%FF"), "body"),
        (lambda: read_form(URL.encode(), b"prompt=a%00b"), "prompt"),
        (lambda: read_form(URL.encode(), "prompt=é".encode()), "body"),
        (lambda: read_form(URL.encode(), b"&".join([b"a=1"] * (FIELDS_MAX + 1))), "body"),
    ],
)
def test_a_malformed_form_is_refused_by_what_is_wrong(call, param):
    assert refused(call)[0] == param


def test_as_many_fields_as_allowed_are_read():
    assert len(read(*[part("a")] * FIELDS_MAX)["a"]) == FIELDS_MAX


@given(st.binary(max_size=300), st.sampled_from([TYPE, URL.encode(), b"multipart/form-data; boundary="]))
def test_any_bytes_are_an_object_or_a_refusal(body, content_type):
    for sent in (body, b"--edge\r\n" + body, part("a", body), part("a", body, file_name="f") + b"--edge--"):
        try:
            assert isinstance(read_form(content_type, sent), dict)
        except Rejected:
            continue


# Urlencoded


def test_an_urlencoded_form_is_read():
    found = read_form(URL.encode() + b"; charset=utf-8", b"prompt=a+cat&metadata%5Bseed%5D=7&size=")
    assert found == {"prompt": "a cat", "metadata": {"seed": "7"}}


def test_json_that_curl_calls_urlencoded_is_read_as_json():
    assert read_form(URL.encode(), b' {"prompt": "50% & more", "seed": 7}') == {"prompt": "50% & more", "seed": 7}


# Another client's forms


def test_the_form_of_a_common_http_client_is_read_back():
    request = httpx2.Request(
        "POST",
        "http://host",
        data={"prompt": "é 🦊\r\n--", "metadata": json.dumps({"a": 1}), "n": "1"},
        files={"image": ("ü.gif", GIF, "image/gif")},
    )
    found = read_form(request.headers["content-type"].encode(), request.read())
    assert found["prompt"] == "é 🦊\r\n--"
    assert (found["metadata"], found["n"], found["image"][:22]) == ({"a": 1}, "1", "data:image/gif;base64,")
