"""Bodies made to cost the server more than they cost their sender: refused before they are read, or held down."""

import gc
import json

import pytest
from python_multipart.multipart import FormParser

from understudy.core.errors import Rejected
from understudy.dialects.form import ESCAPES_MAX, NAME_CHARS_MAX, read_form
from understudy.dialects.json_body import SEPARATORS_MAX, read_object

URLENCODED = b"application/x-www-form-urlencoded"
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


@pytest.mark.parametrize("end", [b"", b"--edge--\r\n"])
def test_a_form_that_was_read_or_refused_is_not_kept_in_memory(end):
    gc.collect()
    gc.disable()
    try:
        read_form(MULTIPART, form((b"a", b"b"))[:-10] + end)
    except Rejected:
        pass
    finally:
        left = [each for each in gc.get_objects() if isinstance(each, FormParser)]
        gc.enable()
    assert left == []
