"""Ranges, warning headers and request ids: the small pure parts of an answer."""

import asyncio
import json
from datetime import UTC, datetime

import pytest

from understudy.core.task import Warned
from understudy.dialects.ark import ARK
from understudy.server.content import Unsatisfiable, byte_range, file_name
from understudy.server.reply import BROKEN_OFF, StreamReply
from understudy.server.request_ids import RequestIds
from understudy.server.tasks import warnings_header


class Stopped:
    def now(self) -> datetime:
        return datetime(2026, 11, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "part"),
    [
        (b"bytes=0-0", (0, 0)),
        (b"bytes=2-5", (2, 5)),
        (b"bytes=2-", (2, 9)),
        (b"bytes=2-99", (2, 9)),
        (b"bytes=-3", (7, 9)),
        (b"bytes=-99", (0, 9)),
        (b" Bytes = 9- ", (9, 9)),
    ],
)
def test_a_single_range_names_its_first_and_last_byte(header, part):
    assert byte_range(header, 10) == part


@pytest.mark.parametrize(
    "header",
    [
        b"bytes=5-2",
        b"bytes=-",
        b"bytes=a-b",
        b"bytes=0-1,3-4",
        b"items=0-1",
        b"bytes",
        b"bytes=0x1-2",
        b"bytes=--1",
        b"",
    ],
)
def test_what_is_not_one_range_means_the_whole_file(header):
    assert byte_range(header, 10) is None


@pytest.mark.parametrize("header", [b"bytes=10-", b"bytes=10-12", b"bytes=-0", b"bytes=999999999999999999-"])
def test_a_range_outside_the_file_cannot_be_satisfied(header):
    with pytest.raises(Unsatisfiable):
        byte_range(header, 10)


def test_no_range_fits_an_empty_file():
    with pytest.raises(Unsatisfiable):
        byte_range(b"bytes=-5", 0)


def test_the_warnings_header_is_json_in_printable_ascii():
    name, value = warnings_header([Warned(param="a", message="é\n\ud800\x00"), Warned(param="b", message="c")])
    assert name == b"x-understudy-warnings"
    assert all(0x20 <= byte < 0x7F for byte in value)
    assert [entry["param"] for entry in json.loads(value)] == ["a", "b"]


def test_the_warnings_header_is_cut_at_whole_entries_and_says_how_many_are_missing():
    _, value = warnings_header([Warned(param=f"p{number}", message="m" * 100) for number in range(500)])
    entries = json.loads(value)
    assert len(value) < 2300
    assert entries[-1]["message"] == f"and {500 - (len(entries) - 1)} more"


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("20261121031309-abcde-1/video.mp4", "cgt-20261121031309-abcde.mp4"),
        ("20261121031309-abcde-12/video.mov", "cgt-20261121031309-abcde.mov"),
        ("20261121031309-abcde-12/last_frame.png", "cgt-20261121031309-abcde-last_frame.png"),
        (f"media/{'0123456789abcdef' * 4}.heic", "media-0123456789ab.heic"),
        ('x"\r\n é-1/a.mp4', "cgt-x_____-a.mp4"),
    ],
)
def test_a_download_is_named_after_its_task_in_characters_that_need_no_quoting(key, name):
    assert file_name(key, ARK) == name


async def test_a_stream_to_a_client_that_never_waits_lets_others_in_between_its_parts():
    sent, turns = [], []

    async def parts():
        for _ in range(20):
            yield b"x" * 1000

    async def send(message):
        sent.append(message)

    async def others():
        while True:
            turns.append(len(sent))
            await asyncio.sleep(0)

    beside = asyncio.create_task(others())
    await StreamReply(200, (), 20_000, parts()).send(send, (), is_head=False)
    beside.cancel()
    assert sum(len(message.get("body", b"")) for message in sent) == 20_000
    assert len(set(turns)) >= 20


async def test_a_stream_that_is_longer_than_its_parts_is_broken_off():
    sent = []

    async def parts():
        yield b"end"

    async def send(message):
        sent.append(message)

    await StreamReply(200, (), 10, parts()).send(send, (), is_head=False)
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body", BROKEN_OFF]
    assert sent[1]["more_body"] is True


def test_request_ids_look_like_arks_and_differ():
    make = RequestIds(Stopped(), "00ff00ff")
    ids = {make() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(one.startswith("021795219200000") and one.isalnum() for one in ids)
