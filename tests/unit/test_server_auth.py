"""Keys at the door."""

from datetime import UTC, datetime

import pytest

from understudy.core.errors import Unauthorized
from understudy.core.ports import ApiKey
from understudy.server.auth import KEY_CHARS_MAX, MALFORMED, MISSING, UNKNOWN, KeyRing, key_digest

PEPPER = b"pepper"


def stored(*secrets: str) -> list[ApiKey]:
    created_at = datetime(2026, 1, 1, tzinfo=UTC)
    return [
        ApiKey(id=str(n), owner=f"owner-{n}", digest=key_digest(PEPPER, secret.encode()), created_at=created_at)
        for n, secret in enumerate(secrets)
    ]


def ring(*secrets: str) -> KeyRing:
    return KeyRing(PEPPER, stored(*secrets))


def test_each_key_opens_for_its_own_owner():
    keys = ring("first", "second")
    assert keys.key_of(b"Bearer first").owner == "owner-0"
    assert keys.key_of(b"Bearer second").owner == "owner-1"


def test_the_scheme_is_read_in_any_case_and_spacing():
    assert ring("first").key_of(b"bEARER   first ").owner == "owner-0"


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (None, MISSING),
        (b"", MISSING),
        (b"Bearer", MISSING),
        (b"Bearer ", MISSING),
        (b"first", MALFORMED),
        (b"Basic Zmlyc3Q=", MALFORMED),
        (b"Bearer fi rst", MALFORMED),
        (b"Bearer fi\x01rst", MALFORMED),
        (b"Bearer \xc3\xa9", MALFORMED),
        (b"Bearer " + b"k" * (KEY_CHARS_MAX + 1), MALFORMED),
        (b"Bearer FIRST", UNKNOWN),
        (b"Bearer firs", UNKNOWN),
        (b"Bearer firstt", UNKNOWN),
        (b"Bearer ' OR 1=1 --", MALFORMED),
        (b"Bearer '/**/OR/**/1=1", UNKNOWN),
    ],
)
def test_what_is_not_a_known_key_is_told_which_way_it_is_wrong(header, message):
    with pytest.raises(Unauthorized) as refused:
        ring("first").key_of(header)
    assert refused.value.violation.message == message


def test_a_key_stored_under_another_pepper_is_unknown():
    with pytest.raises(Unauthorized):
        KeyRing(b"other", stored("first")).key_of(b"Bearer first")


def test_a_header_that_was_admitted_stays_admitted_and_another_spelling_does_not_pile_up():
    keys = ring("first")
    for spelling in (b"Bearer first", b"Bearer  first", b"bearer first ", b"Bearer first"):
        assert keys.key_of(spelling).owner == "owner-0"
    assert list(keys._admitted) == [b"Bearer first"]


def test_an_added_key_works_at_once():
    keys = ring()
    digest = key_digest(PEPPER, b"new")
    keys.add(ApiKey(id="n", owner="someone", digest=digest, created_at=datetime(2026, 1, 1, tzinfo=UTC)))
    assert keys.key_of(b"Bearer new").owner == "someone"


def test_an_empty_pepper_is_refused():
    with pytest.raises(ValueError, match="empty"):
        KeyRing(b"", [])
