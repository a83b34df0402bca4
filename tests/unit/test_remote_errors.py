"""Error answers that are in no dialect's shape: read as what their status means, whatever the bytes are."""

import pytest

from understudy.core.errors import NotFound, RateLimited, Rejected, Unauthorized, Unavailable
from understudy.dialects.registry import CODECS

BODIES = {
    "no text": b'{"error": {"code": "a", "message": "\xff"}}',
    "no bottom": b'{"error":' * 3000,
    "no JSON": b"<html>502 Bad Gateway</html>",
    "nothing": b"",
    "a list": b'[{"error": {}}]',
    "a number": b"7",
    "an error that is a list": b'{"error": [1]}',
    "an error without words": b'{"error": {"code": "a"}}',
    "the server behind is no JSON": b'{"code": "fail_to_fetch_task", "message": "[["}',
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
def test_an_error_answer_of_any_bytes_is_an_error_of_its_status(codec, body):
    refused = codec.decode_error(429, body)
    assert (type(refused), refused.status) == (RateLimited, 429)
    found = codec.decode_error(502, body)
    assert type(found) is Unavailable
    assert found.violation.message


@pytest.mark.parametrize(
    ("status", "kind"), [(401, Unauthorized), (404, NotFound), (422, Rejected), (500, Unavailable), (599, Unavailable)]
)
@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
def test_an_error_without_a_code_is_what_its_status_says(codec, status, kind):
    for body in (b"<html></html>", b'{"error": {"message": "no"}}', b'{"message": "no"}'):
        assert type(codec.decode_error(status, body)) is kind
