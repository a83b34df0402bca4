"""Bodies made to cost the server more than they cost their sender: refused before they are read, or held down."""

import gc
import json
import sys
import tracemalloc

import pytest
from python_multipart.multipart import MultipartParser

from understudy.core.content import Modality
from understudy.core.errors import Rejected
from understudy.dialects.apimart import APIMART
from understudy.dialects.form import ESCAPES_MAX, NAME_CHARS_MAX, read_form
from understudy.dialects.json_body import SEPARATORS_MAX, read_object
from understudy.dialects.openai_request import modality_of

URLENCODED = b"application/x-www-form-urlencoded"
DEEP = 100
MULTIPART = b"multipart/form-data; boundary=edge"


def reason(read, *given):
    with pytest.raises(Rejected) as caught:
        read(*given)
    (violation,) = caught.value.violations
    return violation.message


def form(*fields):
    head = b'--edge\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n'
    return b"".join(head % field for field in fields) + b"--edge--\r\n"


@pytest.mark.parametrize("value", ["0", "[]", "{}", '"a"'])
def test_json_of_too_many_values_is_refused_whatever_they_are(value):
    body = f'{{"x": [{", ".join([value] * (SEPARATORS_MAX + 1))}]}}'.encode()
    assert "commas and opening brackets" in reason(read_object, body)


def test_json_of_too_many_keys_is_refused():
    body = json.dumps({f"k{number}": 0 for number in range(SEPARATORS_MAX + 1)}).encode()
    assert "commas and opening brackets" in reason(read_object, body)


def test_a_large_text_of_few_values_is_read():
    address = f"data:image/png;base64,{'A' * 1_000_000}"
    assert read_object(json.dumps({"url": address}).encode()) == {"url": address}


def test_the_json_texts_of_a_form_are_bounded_together():
    text = json.dumps([0] * (SEPARATORS_MAX // 10)).encode()
    assert read_form(MULTIPART, form((b"metadata", text)))
    assert "commas and opening brackets" in reason(read_form, MULTIPART, form(*[(b"metadata", text)] * 11))


def test_an_urlencoded_form_of_too_many_escapes_is_refused():
    assert "escapes" in reason(read_form, URLENCODED, b"x=" + b"%41" * (ESCAPES_MAX + 1))


def test_an_urlencoded_prompt_of_escapes_alone_is_read():
    assert read_form(URLENCODED, b"prompt=" + b"%E7%8C%AB" * 100_000) == {"prompt": "猫" * 100_000}


def test_a_name_of_too_many_characters_is_refused_and_not_repeated():
    told = reason(read_form, URLENCODED, b"a" + b"[a]" * NAME_CHARS_MAX + b"=1")
    assert f"at most {NAME_CHARS_MAX} characters" in told
    assert len(told) < 500


@pytest.mark.parametrize("end", [pytest.param(b"", marks=pytest.mark.full), b"--edge--\r\n"])
def test_a_form_that_was_read_or_refused_is_not_kept_in_memory(end):
    gc.collect()
    gc.disable()
    try:
        read_form(MULTIPART, form((b"a", b"b"))[:-10] + end)
    except Rejected:
        pass
    finally:
        left = [each for each in gc.get_objects() if isinstance(each, MultipartParser)]
        gc.enable()
    assert left == []


def test_a_place_far_down_is_told_without_spelling_the_way_to_each_other_place():
    key, width = "k" * 80, 2000
    text = f'{{"{key}":' * DEEP + "[" + "0," * width + '"\\u0000"]' + "}" * DEEP
    tracemalloc.start()
    try:
        told = reason(read_object, text.encode())
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert told.startswith(f"The parameter `{key}.{key}.")
    assert len(told) < 2000
    assert peak_bytes < DEEP * len(key) * width / 10


@pytest.mark.parametrize(
    ("address", "modality"),
    [
        ("https://example.com/a/b.mp4", Modality.VIDEO),
        ("https://example.com/a.MOV?x=1.png#y.png", Modality.VIDEO),
        ("https://example.com/a.mp3", Modality.AUDIO),
        ("https://example.com/a.png?b=.mp4", Modality.IMAGE),
        ("https://example.mov", Modality.IMAGE),
        ("a.mp4", Modality.VIDEO),
        ("https://[example.com/a.mp4", Modality.VIDEO),
        ("asset://a.mp4", Modality.IMAGE),
    ],
)
def test_an_address_tells_by_its_path_what_it_is(address, modality):
    assert modality_of(address) is modality


def test_an_address_of_megabytes_is_not_kept_in_memory():
    address = "https://example.com/" + "a" * 1_000_000
    before = sys.getrefcount(address)
    modality_of(address)
    assert sys.getrefcount(address) == before


def test_an_asset_of_two_kinds_is_told_of_without_repeating_megabytes():
    asset = "asset://" + "a" * 1_000_000
    fields = {"model": "doubao-seedance-2.0", "prompt": "A cat", "image_urls": [asset], "video_urls": [asset]}
    (told,) = APIMART.decode_request(fields).warnings
    assert len(told.message) < 1000
