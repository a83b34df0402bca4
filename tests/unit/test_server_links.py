"""Result links: signed, bounded in time, below the host that the client can reach."""

from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from understudy.core.errors import Forbidden, Unavailable
from understudy.server.links import ENDLESS_FRESH_S, FILES_PATH, LinkSigner, root_of

NOW_S = 1_800_000_000.5
LIFETIME_S = 100
KEY = "20261121031309-abcde/1/video.mp4"


def signer(secret: bytes = b"secret", *, lifetime_s: int = LIFETIME_S) -> LinkSigner:
    return LinkSigner(secret, lifetime_s=lifetime_s)


def endless(secret: bytes = b"secret") -> LinkSigner:
    return LinkSigner(secret, lifetime_s=0)


def taken_apart(url: str) -> tuple[str, str, str]:
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    return unquote(parts.path.removeprefix(FILES_PATH)), query.get("expires", [""])[0], query["signature"][0]


def opens(given: LinkSigner, key: str, expires: str, signature: str, now_s: float = NOW_S) -> bool:
    try:
        given.check(key, expires=expires, signature=signature, now_s=now_s)
    except Forbidden:
        return False
    return True


def test_a_link_opens_what_it_names_until_its_time_is_over():
    key, expires, signature = taken_apart(signer().url("http://host", KEY, NOW_S))
    assert key == KEY
    assert opens(signer(), key, expires, signature)
    assert opens(signer(), key, expires, signature, NOW_S + LIFETIME_S - 1)
    assert not opens(signer(), key, expires, signature, NOW_S + LIFETIME_S)


def test_a_link_survives_a_restart_and_not_another_secret():
    key, expires, signature = taken_apart(signer().url("http://host", KEY, NOW_S))
    assert opens(LinkSigner(b"secret", lifetime_s=1), key, expires, signature)
    assert not opens(signer(b"other"), key, expires, signature)


@pytest.mark.parametrize(
    ("key", "expires", "signature"),
    [
        ("20261121031309-zzzzz/1/video.mp4", None, None),
        (None, "1900000000", None),
        (None, None, "0" * 64),
        (None, None, ""),
        (None, None, "é\ud800"),
        (None, "", None),
    ],
)
def test_a_link_with_any_part_changed_is_refused(key, expires, signature):
    genuine = taken_apart(signer().url("http://host", KEY, NOW_S))
    changed = [new if new is not None else old for new, old in zip((key, expires, signature), genuine, strict=True)]
    assert not opens(signer(), *changed)


def test_a_key_cannot_be_shifted_into_the_expiry():
    link = signer()
    signature = link._sign("a", "1900000000")
    assert not opens(link, "a\n1900000000", "", signature)
    _, _, signature = taken_apart(endless().url("http://host", "a\n1900000000", NOW_S))
    assert not opens(link, "a", "1900000000\n", signature)


def test_a_link_without_end_opens_what_it_names_for_ever():
    url = endless().url("http://host", KEY, NOW_S)
    assert "expires" not in url
    assert opens(endless(), *taken_apart(url), NOW_S + 10**10)
    assert endless().expires_at_s(NOW_S) is None


def test_a_link_without_end_goes_on_working_when_links_get_an_end():
    assert opens(signer(), *taken_apart(endless().url("http://host", KEY, NOW_S)))


def test_no_link_with_an_end_is_good_without_it_nor_the_other_way_round():
    key, expires, signature = taken_apart(signer().url("http://host", KEY, NOW_S))
    assert not opens(endless(), key, "", signature)
    assert not opens(endless(), f"{key}\n{expires}", "", signature)
    _, _, for_ever = taken_apart(endless().url("http://host", KEY, NOW_S))
    assert not opens(endless(), key, expires, for_ever)


def test_what_a_link_gives_may_be_kept_as_long_as_it_works():
    key, expires, signature = taken_apart(signer().url("http://host", KEY, NOW_S))
    assert signer().check(key, expires=expires, signature=signature, now_s=NOW_S + 40) == LIFETIME_S - 41
    assert signer().fresh_s == LIFETIME_S
    key, expires, signature = taken_apart(endless().url("http://host", KEY, NOW_S))
    assert endless().check(key, expires=expires, signature=signature, now_s=NOW_S) == ENDLESS_FRESH_S
    assert endless().fresh_s == ENDLESS_FRESH_S


@pytest.mark.parametrize(
    "root", ["http://host", "https://another:8443", "https://host/films", "https://host/files", ""]
)
@pytest.mark.parametrize("lifetime_s", [LIFETIME_S, 0])
def test_an_own_link_is_known_at_whatever_host_it_was_given(root, lifetime_s):
    url = signer(lifetime_s=lifetime_s).url(root, KEY, NOW_S)
    assert signer().key_of(url, NOW_S) == KEY
    assert signer(b"other").key_of(url, NOW_S) is None


def test_an_own_link_is_known_until_its_time_is_over():
    url = signer().url("http://host", KEY, NOW_S)
    assert signer().key_of(url, NOW_S + LIFETIME_S - 1) == KEY
    assert signer().key_of(url, NOW_S + LIFETIME_S) is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://[host/files/a",
        "http://host/files/",
        "http://host/files/?signature=",
        "https://host/other.mp4?expires=1900000000&signature=0",
        "http://host/files/a?" + "&".join(["a=1"] * 99),
        "http://host/files/" + "a" * 5000,
        "http://host/files/\ud800?expires=\ud800&signature=\ud800",
    ],
)
def test_any_other_address_is_none_of_ours(url):
    assert signer().key_of(url, NOW_S) is None


def test_an_own_link_with_another_key_is_none_of_ours():
    url = signer().url("http://host", KEY, NOW_S)
    assert signer().key_of(url.replace("video", "audio"), NOW_S) is None
    assert signer().key_of(url.replace("expires=1", "expires=2"), NOW_S) is None


def test_an_empty_secret_is_refused():
    with pytest.raises(ValueError, match="empty"):
        LinkSigner(b"", lifetime_s=1)


@pytest.mark.parametrize(
    ("host", "root"),
    [
        (b"localhost:8484", "http://localhost:8484"),
        (b"films.example.com", "http://films.example.com"),
        (b"[::1]:80", "http://[::1]:80"),
        (b"evil.example/x?", "http://10.0.0.1:99"),
        (b"user@evil.example", "http://10.0.0.1:99"),
        (b"a b", "http://10.0.0.1:99"),
        (b"", "http://10.0.0.1:99"),
        (None, "http://10.0.0.1:99"),
    ],
)
def test_the_root_is_a_well_formed_host_or_the_bound_address(host, root):
    assert root_of("http", host, ("10.0.0.1", 99)) == root


def test_a_bound_ipv6_address_gets_its_brackets():
    assert root_of("https", None, ("::1", 99)) == "https://[::1]:99"


def test_a_server_without_any_address_says_so():
    with pytest.raises(Unavailable):
        root_of("http", None, None)
