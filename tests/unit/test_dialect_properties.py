"""Whatever is sent, in whatever dialect, it is read or refused by name; what is read survives the way back."""

import json
import re

import pytest
from hypothesis import HealthCheck, given, settings

from request_space import requests_of
from understudy.catalog.load import load_catalogue
from understudy.core.errors import CODES, NotFound, Rejected
from understudy.dialects.json_body import read_object
from understudy.dialects.registry import CODECS
from understudy.service.judge import Judge
from understudy.testing.dialect_shapes import keys_of
from understudy.testing.scripted import OFFER

JUDGE = Judge(catalogue=load_catalogue(), engine=OFFER, book_id="ark-list")
FLAGS = "contents"
"""How the real service names what it reads from a prompt's flags: ``contents[0].text.resolution``."""
FEW, MANY, MOST = 120, 300, 3000


def held(codec, fields):
    """Hold one request to everything that is true of all requests; say how far it came."""
    known = {*keys_of(codec.shapes.request), *fields, "body", FLAGS}
    try:
        decoded = codec.decode_request(fields)
    except Rejected as error:
        for violation in error.violations:
            assert violation.code in CODES
            assert violation.message
            assert re.split(r"[.\[]", violation.param)[0] in known, violation
        return "refused"
    assert all(warned.message and (warned.param or has_nameless(fields)) for warned in decoded.warnings)
    encoded = codec.encode_request(decoded.request)
    again = reread(codec, encoded)
    assert encoded.lost or again in (decoded.request, None)
    try:
        judged = JUDGE.judge(codec.name, decoded)
    except NotFound:
        return "without a model"
    for violation in judged.violations:
        assert violation.code in CODES
        assert violation.message
        assert re.split(r"[.\[]", violation.param)[0] in known, violation
    if judged.violations:
        return "broken"
    assert not encoded.lost, "a good request of the dialect's own must be carried whole"
    assert again == decoded.request, "a good request must be good when it is written again"
    assert JUDGE.hold(judged, "").amount_micros > 0
    return "good"


def has_nameless(fields):
    """Say whether somewhere in it stands a key without a name, which a warning can only call that."""
    return '""' in json.dumps(fields)


def reread(codec, encoded):
    """Return the request as it is read again, or None where what the rules refuse anyway is refused at once."""
    try:
        return codec.decode_request(read_object(encoded.body)).request
    except Rejected:
        return None


def tried(codec, *, count, is_random):
    """Hold so many requests; return how many came how far."""
    came: dict[str, int] = {}

    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        derandomize=not is_random,
        suppress_health_check=list(HealthCheck),
    )
    @given(requests_of(codec))
    def each(fields):
        end = held(codec, fields)
        came[end] = came.get(end, 0) + 1

    each()
    return came


@pytest.mark.parametrize("dialect", CODECS)
def test_a_request_is_read_or_refused_and_survives_the_way_back(dialect):
    came = tried(CODECS[dialect], count=FEW, is_random=False)
    assert {"refused", "broken", "good"} <= came.keys(), f"the space is too narrow: {came}"


# Others each time, so that every run adds to what was tried.
@pytest.mark.parametrize(
    "count", [pytest.param(MANY, marks=pytest.mark.full), pytest.param(MOST, marks=pytest.mark.long)]
)
@pytest.mark.parametrize("dialect", CODECS)
def test_many_requests_are_read_or_refused_and_survive_the_way_back(dialect, count):
    came = tried(CODECS[dialect], count=count, is_random=True)
    assert sum(came.values()) >= count
    assert {"refused", "broken", "good"} <= came.keys(), f"the space is too narrow: {came}"


class Fragile(type(CODECS["ark"])):
    def decode_request(self, fields):
        if "watermark" in fields and "seed" in fields:
            raise KeyError("watermark")
        return super().decode_request(fields)


@pytest.mark.full
def test_a_codec_that_breaks_on_two_fields_together_is_found():
    with pytest.raises(KeyError):
        tried(Fragile(CODECS["ark"].profile), count=FEW, is_random=False)
