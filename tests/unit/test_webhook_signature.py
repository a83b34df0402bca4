"""Signatures of callbacks: what we sign is genuine to the specification's own library, and the other way round."""

import base64
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from understudy.catalog.callbacks import load_callback_facts
from understudy.dialects.webhook_signature import (
    ID,
    SIGNATURE,
    TIMESTAMP,
    NotGenuine,
    Signed,
    check,
    secret_key,
    secret_text,
)
from understudy.net.webhooks import CallbackKeys

KEY = bytes(range(32))
BODY = '{"id":"cgt-1","status":"succeeded","text":"是 🦊"}'.encode()
NOW = 1_790_000_000


def signed(body: bytes = BODY, at: int = NOW) -> dict[str, str]:
    return dict(Signed(id="20261121120000-00001-3", epoch_s=at, body=body).headers(KEY))


@given(st.binary(min_size=1, max_size=64), st.text(st.characters(codec="utf-8"), max_size=200))
def test_what_we_sign_is_genuine_to_the_librarys_eyes(key: bytes, text: str) -> None:
    headers = Signed(id="20261121120000-00001-3", epoch_s=int(time.time()), body=text.encode()).headers(key)
    assert Webhook(secret_text(key)).verify(text, dict(headers), json_parse=False) is None


def test_the_library_finds_a_changed_body() -> None:
    headers = signed(at=int(time.time()))
    with pytest.raises(WebhookVerificationError):
        Webhook(secret_text(KEY)).verify(BODY + b" ", headers)


def test_what_the_library_signs_is_genuine_to_ours() -> None:
    moment = datetime.fromtimestamp(NOW, UTC)
    signature = Webhook(secret_text(KEY)).sign("msg-1", moment, BODY.decode())
    headers = {ID: "msg-1", TIMESTAMP: str(NOW), SIGNATURE: signature}
    assert check(headers, BODY, key=KEY, now_s=NOW).id == "msg-1"


def test_one_genuine_signature_of_several_is_enough() -> None:
    headers = signed()
    headers[SIGNATURE] = f"v1a,AAAA {Signed(id='x', epoch_s=1, body=b'').headers(KEY)[SIGNATURE]} {headers[SIGNATURE]}"
    assert check(headers, BODY, key=KEY, now_s=NOW)


@pytest.mark.parametrize("name", [ID, TIMESTAMP, SIGNATURE])
def test_what_is_not_signed_is_not_genuine(name: str) -> None:
    with pytest.raises(NotGenuine, match="missing"):
        check({**signed(), name: ""}, BODY, key=KEY, now_s=NOW)


@pytest.mark.parametrize(
    ("changes", "body"),
    [
        ({}, BODY + b" "),
        ({ID: "20261121120000-00001-4"}, BODY),
        ({TIMESTAMP: str(NOW + 1)}, BODY),
        ({SIGNATURE: "v1,AAAA"}, BODY),
        ({SIGNATURE: "ü"}, BODY),
        ({TIMESTAMP: "soon"}, BODY),
        ({TIMESTAMP: "٣"}, BODY),
    ],
)
def test_whatever_is_changed_is_not_genuine(changes: dict[str, str], body: bytes) -> None:
    with pytest.raises(NotGenuine):
        check({**signed(), **changes}, body, key=KEY, now_s=NOW)


@pytest.mark.parametrize("off_s", [-301, 301])
def test_an_old_signature_is_not_taken_again(off_s: int) -> None:
    assert check(signed(), BODY, key=KEY, now_s=NOW + off_s * 300 / 301)
    with pytest.raises(NotGenuine, match="signed more than 300 s"):
        check(signed(), BODY, key=KEY, now_s=NOW + off_s)


@given(st.binary(min_size=1, max_size=64))
def test_a_secret_is_read_as_it_was_spelled(key: bytes) -> None:
    text = secret_text(key)
    assert text.startswith("whsec_")
    assert secret_key(text) == secret_key(text.removeprefix("whsec_")) == secret_key(text.rstrip("=")) == key


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_!", "whsec_a", "ü"])
def test_what_is_no_secret_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="whsec_"):
        secret_key(text)


def test_each_owner_has_a_secret_of_its_own_which_follows_from_the_servers() -> None:
    keys, others = CallbackKeys(b"server"), CallbackKeys(b"another")
    assert keys.secret("a") == CallbackKeys(b"server").secret("a")
    assert len({keys.secret("a"), keys.secret("b"), others.secret("a")}) == 3
    facts = load_callback_facts().signature
    assert len(base64.b64decode(keys.secret("a").removeprefix("whsec_"))) == facts.secret_bytes


def test_an_empty_secret_of_the_server_signs_nothing() -> None:
    with pytest.raises(ValueError, match="empty"):
        CallbackKeys(b"")
