"""The scanner that takes large data URLs out of arriving JSON: whatever the bytes, what is read stays what it was."""

import base64
import json
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from understudy.core.errors import Rejected
from understudy.core.media import DAMAGED
from understudy.dialects.json_body import SEPARATORS_MAX, read_object, read_text, text_of
from understudy.dialects.json_spool import PROSE_KEYS, SHORT_BYTES, SPOOLED_MAX, STRINGS_MAX, JsonSpool

HEAD = "data:image/png;base64,"
LARGE = bytes(range(256)) * 40


class Files:
    """Keeps what is spooled; all of it is there at once, where a real spool's would be on disk."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.begun = 0

    def begin(self) -> str:
        self.last = f"spooled/0123456789abcdef/{self.begun}"
        self.begun += 1
        self.kept[self.last] = b""
        return self.last

    def write(self, data: bytes) -> None:
        self.kept[self.last] += data

    def drop(self) -> None:
        del self.kept[self.last]


def url(data: bytes = LARGE, head: str = HEAD) -> str:
    return head + base64.b64encode(data).decode()


def parts_of(body: bytes, cuts: Iterable[int]) -> list[bytes]:
    edges = [0, *sorted({cut % (len(body) + 1) for cut in cuts}), len(body)]
    return [body[start:end] for start, end in pairwise(edges)]


def scanned(body: bytes, cuts: Iterable[int] = (), short_bytes: int = SHORT_BYTES) -> tuple[Any, Files]:
    files = Files()
    spool = JsonSpool(files, short_bytes=short_bytes)
    for part in parts_of(body, cuts):
        spool.feed(part)
    spool.end()
    return read_text(text_of(spool.text)), files


def restored(value: Any, files: Files) -> Any:
    """Put the bytes back in place of their addresses."""
    if isinstance(value, dict):
        return {key: restored(item, files) for key, item in value.items()}
    if isinstance(value, list):
        return [restored(item, files) for item in value]
    if isinstance(value, str):
        at = value.lower().find(";base64,") + len(";base64,")
        if value[at:] in files.kept:
            return value[:at] + base64.b64encode(files.kept[value[at:]]).decode()
    return value


def outcome(read, *given):
    try:
        return read(*given)
    except Rejected as error:
        return error.violation.param


def dumped(value: Any, *, style: str) -> bytes:
    """Write JSON as some clients do: Python, JavaScript (UTF-8), PHP (escaped slashes), .NET (escaped signs)."""
    text = json.dumps(value, ensure_ascii=style != "js", indent=1 if style == "indented" else None)
    if style in ("php", ".net"):
        text = text.replace("/", "\\/")
    if style == ".net":
        text = text.replace("+", "\\u002B").replace("=", "\\u003d")
    return text.encode()


STYLES = st.sampled_from(["python", "js", "indented", "php", ".net"])
HEADS = st.sampled_from([HEAD, "data:image/svg+xml;base64,", "DATA:Audio/MP3;charset=x;BASE64,", "data:,", "x" + HEAD])
URLS = st.builds(url, st.binary(max_size=200), HEADS)
CHARS = st.characters(exclude_characters="\x00", exclude_categories=["Cs"])
KEYS = st.sampled_from(["url", "text", "prompt", "a"]) | st.text(CHARS, max_size=3) | URLS
TEXTS = URLS | st.text(CHARS, max_size=20) | st.text(alphabet='"\\{}[],:/', max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
CUTS = st.lists(st.integers(0, 10_000), max_size=20)


@given(st.dictionaries(KEYS, VALUES, max_size=4), STYLES, CUTS, st.sampled_from([0, 16, 100]))
def test_any_json_in_any_parts_means_what_it_meant(value, style, cuts, short_bytes):
    body = dumped(value, style=style)
    found, files = scanned(body, cuts, short_bytes)
    assert restored(found, files) == read_object(body)


ODD = st.sampled_from([b'"', b"\\", b"\x01", b"\xff", b"\\u0000", b"\\ud800", b"\\q", b"\\u00", b"{", b"\n", b'\\"'])


@given(VALUES, STYLES, CUTS, st.lists(st.tuples(st.integers(0, 2000), ODD), min_size=1, max_size=3))
@settings(max_examples=300)
@example([], "python", [], [(3, b"\xff")])
def test_what_was_refused_is_refused_and_nothing_else(value, style, cuts, spoilt):
    body = dumped({"url": url(b"x" * 99), "b": value}, style=style)
    for at, odd in spoilt:
        place = at % (len(body) + 1)
        body = body[:place] + odd + body[place:]
    before, after = outcome(read_object, body), outcome(lambda: scanned(body, cuts, 0)[0])
    assert isinstance(after, str) == isinstance(before, str)


@given(st.integers(0, 400), CUTS)
def test_a_body_that_ends_anywhere_is_refused(end, cuts):
    body = dumped({"content": [{"image_url": {"url": url(bytes(200))}}]}, style="python")
    with pytest.raises(Rejected):
        scanned(body[: end % len(body)], cuts, 0)


def test_a_large_data_url_leaves_only_its_address():
    found, files = scanned(dumped({"url": url()}, style="python"))
    assert found == {"url": HEAD + files.last}
    assert files.kept == {files.last: LARGE}


def test_bytes_may_come_one_at_a_time():
    body = dumped({"url": url(), "b": ["é", {"c": url(LARGE[1:])}]}, style="php")
    found, files = scanned(body, range(len(body)))
    assert restored(found, files) == read_object(body)
    assert list(files.kept.values()) == [LARGE, LARGE[1:]]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_lines_of_wrapped_base64_are_read_as_go_reads_them(newline):
    wrapped = base64.encodebytes(LARGE).decode().replace("\n", newline)
    _, files = scanned(json.dumps({"url": HEAD + wrapped}).encode(), [5000, 5001, 5002])
    assert list(files.kept.values()) == [LARGE]


def test_equal_keys_are_refused_though_their_values_are_spooled():
    body = f'{{"url":"{url()}","url":"{url()}"}}'.encode()
    assert outcome(lambda: scanned(body)[0]) == "url"


@pytest.mark.parametrize("key", sorted(PROSE_KEYS))
@pytest.mark.parametrize("spelled", ["{}", "\\u{:04x}"])
def test_a_text_that_looks_like_a_data_url_stays_a_text(key, spelled):
    written = spelled.format(ord(key[0])) + key[1:] if spelled != "{}" else key
    found, files = scanned(f'{{"{written}":"{url()}"}}'.encode())
    assert (found, files.kept) == ({key: url()}, {})


def test_a_key_and_a_text_around_a_data_url_stay_as_they_are():
    value = {url(): 1, "a": f"see {url()}", "b": [f" {url()}"]}
    found, files = scanned(dumped(value, style="python"))
    assert (found, files.kept) == (value, {})


def test_what_is_short_stays_where_it_is():
    value = {"urls": [url(b"x" * 1000)] * 30}
    found, files = scanned(dumped(value, style="python"))
    assert (found, files.kept) == (value, {})


def test_no_more_files_are_written_than_a_request_may_have():
    value = {"urls": [url()] * (SPOOLED_MAX + 5)}
    found, files = scanned(dumped(value, style="python"))
    assert len(files.kept) == SPOOLED_MAX
    assert found["urls"][-5:] == [url()] * 5


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[:-1],
        lambda data: data[:-2],
        lambda data: data + "=",
        lambda data: data + "AAAA",
        lambda data: data[:5000] + "=" + data[5001:],
        lambda data: data[:5000] + "-" + data[5001:],
        lambda data: data[:5000] + " " + data[5001:],
        lambda data: data[:5000] + "\t" + data[5001:],
        lambda data: data[:5000] + "é" + data[5001:],
        lambda data: data[:5000] + '"' + data[5001:],
        lambda data: "=" + data[1:],
        lambda data: data + '\\"',
    ],
)
@pytest.mark.parametrize("style", ["python", "php", "js"])
@pytest.mark.parametrize("cuts", [[], range(0, 100_000, 5)], ids=["whole", "by 5 bytes"])
def test_what_is_no_base64_is_marked_and_not_kept(spoil, style, cuts):
    data = base64.b64encode(LARGE + b"x").decode()
    value = {"a": url(), "url": HEAD + spoil(data), "b": url(), "c": 1}
    found, files = scanned(dumped(value, style=style), cuts)
    assert found["url"].startswith(HEAD + DAMAGED)
    assert len(found["url"]) < len(data) or not found["url"].isascii(), "what is not ASCII is the parser's to judge"
    assert list(files.kept.values()) == [LARGE, LARGE]
    assert restored(found, files) | {"url": 0} == value | {"url": 0}


@pytest.mark.parametrize("body", [b"[" * 200_000, b'{"a":' * 200_000, b",,,," * 200_000])
def test_more_values_than_are_read_are_refused_while_they_come(body):
    spool, parts = JsonSpool(Files()), parts_of(body, range(0, len(body), 1000))

    def feed_all() -> None:
        for part in parts:
            spool.feed(part)

    with pytest.raises(Rejected, match="commas and opening brackets"):
        feed_all()
    assert len(spool.text) <= 5 * SEPARATORS_MAX + 1000


@pytest.mark.parametrize("odd", [b'"a"', b":", b"]"])
def test_tokens_without_anything_between_them_are_left_to_the_parser(odd):
    body = odd * (STRINGS_MAX + 10) + dumped({"url": url()}, style="python")
    files = Files()
    spool = JsonSpool(files)
    spool.feed(body)
    spool.end()
    assert (bytes(spool.text), files.kept) == (body, {})


def test_an_endless_text_is_passed_over_without_being_read_again():
    spool = JsonSpool(Files())
    spool.feed(b'{"a":"')
    for _ in range(100):
        spool.feed(b"\\\\x" * 1000)
    assert len(spool.text) == 6 + 300_000
