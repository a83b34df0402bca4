"""Which addresses may be contacted, how web addresses are read, and what becomes of a Content-Encoding."""

import gzip
import tomllib
import zlib
from importlib.resources import files
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from understudy.net.encodings import PIECE_BYTES, Damaged, PlainBytes
from understudy.net.guard import Guard, is_name, literal, why_not_public
from understudy.net.web_address import Refused, redirected, web_address

NOBODY = Guard.reading("")
PUBLIC = "1.1.1.1 8.8.8.8 93.184.215.14 100.63.255.255 100.128.0.0 172.15.255.255 172.32.0.0 192.167.255.255 \
    198.20.0.1 223.255.255.255 2606:4700:4700::1111 2a00:1450:4001::200e 2001:4860:4860::8888 2003::1"
ROWS = tomllib.loads(files("understudy.catalog").joinpath("networks.toml").read_text())
NETWORKS = [network for table in ROWS.values() for network, _ in table["networks"]]


def hint(what: str) -> str:
    return f"({what}; the setting fetch_networks can allow it)"


@pytest.mark.parametrize("address", PUBLIC.split())
def test_public_addresses_may_be_contacted(address: str) -> None:
    assert NOBODY.refusal(address, "film.test") == ""


@pytest.mark.parametrize("network", NETWORKS)
def test_the_first_and_the_last_address_of_every_row_are_refused(network: str) -> None:
    each = ip_network(network)
    assert NOBODY.refusal(str(each[0]), "film.test")
    assert NOBODY.refusal(str(each[-1]), "film.test")


@given(st.ip_addresses())
def test_no_address_that_python_calls_private_is_called_public(address: object) -> None:
    known = ip_address(str(address))
    if not known.is_global or known.is_multicast or known.is_reserved or known.is_link_local:
        assert why_not_public(known)


@given(st.ip_addresses(v=6))
def test_of_ipv6_only_global_unicast_is_public(address: object) -> None:
    known = ip_address(str(address))
    if known not in ip_network("2000::/3"):
        assert why_not_public(known)


def test_a_refusal_says_what_the_address_is() -> None:
    assert NOBODY.refusal("169.254.169.254", "film.test") == "169.254.169.254 is refused " + hint("link-local")
    assert NOBODY.refusal("64:ff9b::a00:1", "film.test") == "64:ff9b::a00:1 is refused " + hint("NAT64")


@pytest.mark.parametrize("address", ["fe80::1%lo", "127.1", "0x7f.1", "", "film.test", "010.0.0.1"])
def test_what_a_resolver_must_not_say_is_refused(address: str) -> None:
    assert Guard.reading("0.0.0.0/0 ::/0").refusal(address, "film.test")


def test_the_operator_allows_networks_addresses_and_names() -> None:
    guard = Guard.reading("10.1.0.0/16, 192.168.7.9  Media.LAN.\n::1")
    assert guard.refusal("10.1.2.3", "x.test") == guard.refusal("192.168.7.9", "x.test") == ""
    assert guard.refusal("::1", "x.test") == guard.refusal("172.16.0.1", "media.lan.") == ""
    for address in ("10.2.0.1", "192.168.7.8", "172.16.0.1", "::2"):
        assert guard.refusal(address, "x.test")


@pytest.mark.parametrize(
    "part", ["10.1.2.3/16", "10.0.0.0/33", "10.0.0", "*.lan", "http://media.lan", "a_b..c", "::1::"]
)
def test_a_setting_that_cannot_be_read_names_its_part(part: str) -> None:
    with pytest.raises(ValueError) as refused:
        Guard.reading(f"10.0.0.0/8 {part}")
    assert repr(part) in str(refused.value)


@pytest.mark.parametrize(
    "host", ["film.test", "film.test.", "a_b.film-1.test", "xn--bcher-kva.test", "1.2.3.4.test", "lan"]
)
def test_names_are_names(host: str) -> None:
    assert is_name(host)
    assert literal(host) is None


NO_NAMES = ["", ".", "..", "a..b", "-a.test", "a" * 64, "a." * 127 + "ab", "a b", "a%62.test", "a:b", "A.test"]
NUMBERS = ["1", "127.1", "a.1", "a.0x1", "0x", "film.test.0", "1.2.3.4", "1.2.3.4.", "a\n", "é.test"]


@pytest.mark.parametrize("host", [*NO_NAMES, *NUMBERS])
def test_what_could_be_read_as_an_address_is_no_name(host: str) -> None:
    assert not is_name(host)


KEPT = [
    "http://film.test/a%2Fb/%e4?X-Amz-Signature=a%2Bb%2F%3D&x=1+2&y=%20&empty=&flag",
    "https://film.test/%2e%2e/x//y/./z;v=1",
    "http://film.test:8080/x?a=b?c=d/e@f",
    "http://film.test/it's(1)*~!$&,=:",
]


@pytest.mark.parametrize("url", KEPT)
def test_path_and_query_are_sent_to_the_letter_because_signatures_cover_them(url: str) -> None:
    assert str(web_address(url, NOBODY)) == url


REWRITTEN = {
    "HTTP://FILM.test": "http://film.test/",
    "http://film.test:80?q": "http://film.test/?q",
    "https://film.test:443/": "https://film.test/",
    "http://film.test/a b": "http://film.test/a%20b",
    " http://film.test/ ": "http://film.test/",
    "http://film.test/x#t=10": "http://film.test/x",
    "http://bücher.test/ä?ö=ü": "http://xn--bcher-kva.test/%C3%A4?%C3%B6=%C3%BC",
    "http://电影.test/片": "http://xn--p3t879b.test/%E7%89%87",
    'http://film.test/"<>|^`{}\\': "http://film.test/%22%3C%3E%7C%5E%60%7B%7D%5C",
    "http://[2606:4700:0:0::1111]/": "http://[2606:4700::1111]/",
}


@pytest.mark.parametrize("url", REWRITTEN)
def test_what_cannot_stand_in_a_request_is_escaped(url: str) -> None:
    assert str(web_address(url, NOBODY)) == REWRITTEN[url]


@given(st.text(max_size=40), st.text(max_size=40))
def test_whatever_is_read_is_read_again_as_the_same(host: str, rest: str) -> None:
    for url in (f"http://{host}/{rest}", f"http://film.test{host}{rest}", f"{host}://{rest}"):
        try:
            asked = web_address(url, NOBODY)
        except Refused:
            continue
        again = web_address(str(asked), NOBODY)
        assert (str(again), again.raw_host, again.port) == (str(asked), asked.raw_host, asked.port)
        assert str(asked).isascii()


@pytest.mark.parametrize("port", [1, 21, 22, 25, 110, 143, 389, 445, 587, 1023])
def test_a_well_known_port_that_is_not_the_webs_is_refused_unless_the_host_is_allowed(port: int) -> None:
    with pytest.raises(Refused, match=f"port {port}"):
        web_address(f"http://film.test:{port}/", NOBODY)
    assert web_address(f"http://film.test:{port}/", Guard.reading("film.test")).port == port
    assert web_address(f"http://10.0.0.1:{port}/", Guard.reading("10.0.0.0/8")).port == port


STRANGE = {
    "user name": [f"http://{user}@film.test/" for user in ("user", "user:secret", ":secret", ":", "")],
    "control characters": [f"http://film.test/a{mark}b" for mark in "\t\n\r\x00\x7f\x85\u2028"],
    "strange port": [f"http://film.test:{port}/" for port in ("+80", " 80", "8_0", "８０")],
    "no host": ["http:", "http:///x", "http:film.test", "http:/film.test", "http:/\\film.test/"],
    "scheme": ["file:///x", "ftp://film.test/", "//film.test/", "film.test", "", "data:,x", "x" * 100],
    "neither": ["http://127.1/", "http://0x7f000001/", "http://[::1%25lo]/", "http://[::1%lo]/", "http://a%62.test/"],
    "characters, at most": ["http://film.test/" + "a" * 9000],
}


@pytest.mark.parametrize(("why", "url"), [(why, url) for why, urls in STRANGE.items() for url in urls])
def test_what_is_no_plain_address_of_the_web_is_refused_and_the_reason_says_why(why: str, url: str) -> None:
    with pytest.raises(Refused) as refused:
        web_address(url, Guard.reading("0.0.0.0/0 ::/0 film.test"))
    assert why in refused.value.reason


SPOKEN = ["http://user:secret@\u2100.test/", "http://user:secret@[x/", f"{'x' * 5000}://a", f"http://{'a' * 5000}/"]


@pytest.mark.parametrize("url", SPOKEN)
def test_a_reason_quotes_neither_passwords_nor_whole_pages(url: str) -> None:
    with pytest.raises(Refused) as refused:
        web_address(url, NOBODY)
    assert "secret" not in refused.value.reason
    assert len(refused.value.reason) < 300


@pytest.mark.parametrize(
    ("location", "there"),
    [
        ("/y", "http://film.test/y"),
        ("y?q=%2F", "http://film.test/a/y?q=%2F"),
        ("../y", "http://film.test/y"),
        ("?q", "http://film.test/a/x?q"),
        ("//other.test/y", "http://other.test/y"),
        ("https://other.test/y#part", "https://other.test/y"),
        ("/ä b", "http://film.test/%C3%A4%20b"),
    ],
)
def test_a_redirect_is_read_from_where_it_was_met(location: str, there: str) -> None:
    assert str(redirected(URL("http://film.test/a/x?old"), location, NOBODY)) == there


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "//u@film.test/", "http://127.1/", "http://[", "a\nb", "a" * 9000]
)
def test_a_redirect_to_what_is_not_fetched_is_refused(location: str) -> None:
    with pytest.raises(Refused):
        redirected(URL("http://film.test/"), location, NOBODY)


FILM = b"\x00\x00\x00\x20ftypisom" + bytes(range(256)) * 40


def plain(header: str, sent: bytes, part_bytes: int = 1 << 20) -> bytes:
    body = PlainBytes(header)
    parts = [sent[start : start + part_bytes] for start in range(0, len(sent), part_bytes)]
    return b"".join(piece for part in parts for piece in body.feed(part)) + body.end()


RAW_ZLIB = zlib.compress(FILM)
HONEST = {
    "no header": ("", FILM),
    "identity": ("identity", FILM),
    "gzip": ("gzip", gzip.compress(FILM, mtime=0)),
    "GZip by its old name": ("X-GZip", gzip.compress(FILM, mtime=0)),
    "deflate": ("deflate", RAW_ZLIB),
    "gzip of several members": ("gzip", gzip.compress(FILM[:100], mtime=0) + gzip.compress(FILM[100:], mtime=0)),
    "gzip with padding": ("gzip", gzip.compress(FILM, mtime=0) + bytes(100)),
    "gzip as an object store names it": ("gzip,aws-chunked", gzip.compress(FILM, mtime=0)),
    "a lie": ("gzip", FILM),
    "a lie about deflate": ("deflate", FILM),
    "a lie about what we cannot read": ("br", FILM),
    "an object store's own word": ("aws-chunked", FILM),
}


@pytest.mark.parametrize("part_bytes", [1, 7, 1 << 20])
@pytest.mark.parametrize(("header", "sent"), HONEST.values(), ids=HONEST.keys())
def test_a_coding_is_taken_off_where_there_is_one(header: str, sent: bytes, part_bytes: int) -> None:
    assert plain(header, sent, part_bytes) == FILM


@pytest.mark.parametrize("sent", [b"", b"f", b"\x1f"])
def test_a_body_too_short_to_tell_is_kept(sent: bytes) -> None:
    assert plain("gzip", sent) == sent


@pytest.mark.parametrize(
    "sent", [gzip.compress(FILM, mtime=0)[:-4], gzip.compress(FILM, mtime=0)[:20], b"\x1f\x8bnot gzip at all"]
)
def test_a_compressed_body_that_ends_early_or_is_damaged_is_no_body(sent: bytes) -> None:
    with pytest.raises(Damaged):
        plain("gzip", sent)


def test_a_bomb_blows_up_piece_by_piece() -> None:
    pieces = PlainBytes("gzip").feed(gzip.compress(bytes(100 * PIECE_BYTES), mtime=0))
    assert [len(next(pieces)) for _ in range(3)] == [PIECE_BYTES] * 3


def test_a_layer_under_the_first_stays() -> None:
    inner = gzip.compress(FILM, mtime=0)
    assert plain("gzip, gzip", gzip.compress(inner, mtime=0)) == inner
