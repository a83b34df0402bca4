"""Some eight hundred hostile and odd files: each gets its verdict, harms nobody, and leads no reader anywhere."""

import json
import random
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import av
import pytest

from hostile_media import CORPUS, HOSTILE, Hostile
from hostile_media.canaries import Canary, canaries
from hostile_media.images import time_bomb
from odd_media import picture
from understudy.core.media import Unreadable
from understudy.core.modality import Modality
from understudy.media.decode import read_open_image
from understudy.media.decode_sound import read_sound
from understudy.media.decode_video import VideoReader

TESTS = Path(__file__).parent.parent
TIMEOUT_S = 60
PARTS = 4
"""Of the corpus, so that tests side by side share it."""

SERVER_GROWTH_KB_MAX = 32 << 10
"""What reading all of it may cost the process that has it read: it never holds a file, but messages, and sockets."""

CHILD_KB_MAX = 1_300 << 10
"""A process of the sandbox: its gigabyte of private memory and the libraries it shares."""

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is told and files are watched by Linux")


class Reader:
    """The process that has files read."""

    def __init__(self, process: subprocess.Popen[str], path: Path) -> None:
        self._process = process
        self._path = path

    def read(self, content: bytes, modality: Modality) -> dict[str, Any]:
        """Return its answer; see `hostile_media.reading`."""
        self._path.write_bytes(content)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([str(self._path), modality]) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the process that has files read is gone"
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def reader(directory: Path, *, timeout_s: int = TIMEOUT_S) -> Iterator[Reader]:
    command = [sys.executable, "-m", "hostile_media.reading", str(timeout_s)]
    with subprocess.Popen(command, cwd=TESTS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Reader(process, directory / "given")
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(timeout=TIMEOUT_S)


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[Canary]:
    with canaries(tmp_path) as watched:
        yield watched


def wrong(hostile: Hostile, answer: Mapping[str, Any]) -> str:
    """Return what is wrong with an answer, or nothing."""
    if hostile.is_read:
        facts = answer.get("facts")
        if facts is None:
            return f"it is refused: {answer['refused']}"
        other = {name: facts[name] for name, value in hostile.facts.items() if facts[name] != value}
        return f"other facts: {other}" if other else ""
    if "facts" in answer:
        return f"it is read: {answer['facts']}"
    allowed = (part.strip() for part in hostile.reason.split(" | "))
    return "" if any(part in answer["refused"] for part in allowed) else f"another reason: {answer['refused']}"


def test_there_are_many_files_of_many_kinds():
    assert len(HOSTILE) >= 500
    assert len(CORPUS) >= 700
    assert sum(hostile.is_read for hostile in HOSTILE.values()) >= 150
    assert sum(hostile.lures for hostile in HOSTILE.values()) >= 120


def test_a_file_is_the_same_each_time_it_is_made(canary):
    for name in ("png and an archive", "film whose media are behind an alias", "mp3 with a link to its sound"):
        assert HOSTILE[name].content(canary.lure) == HOSTILE[name].content(canary.lure)


# `make test-full` has a whole server read all of them: see `e2e/test_hostile_media_http.py`.
@LINUX
@pytest.mark.parametrize("part", [0, *(pytest.param(part, marks=pytest.mark.long) for part in range(1, PARTS))])
def test_every_file_gets_its_verdict_costs_the_server_nothing_and_leads_nowhere(tmp_path, canary, part):
    found: dict[str, str] = {}
    with reader(tmp_path) as reads:
        before_kb = reads.read(b"nothing", Modality.IMAGE)["own_kb"]
        answer: dict[str, Any] = {}
        for name, hostile in list(HOSTILE.items())[part::PARTS]:
            answer = reads.read(hostile.content(canary.lure), hostile.modality)
            what = wrong(hostile, answer)
            touched = canary.touched()
            if what or touched:
                found[name] = " ".join((what, *touched))
    assert found == {}
    assert answer["own_kb"] - before_kb < SERVER_GROWTH_KB_MAX
    assert 0 < answer["child_kb"] < CHILD_KB_MAX


@LINUX
def test_a_small_picture_that_takes_minutes_is_given_up_and_the_next_one_is_read(tmp_path):
    with reader(tmp_path, timeout_s=2) as reads:
        assert reads.read(time_bomb(), Modality.IMAGE)["refused"] == "reading the file takes longer than 2 s"
        assert reads.read(picture(), Modality.IMAGE)["facts"]["width_px"] == 400


def test_a_wrong_verdict_is_noticed():
    refused = HOSTILE["m3u8 of a path"]
    read = HOSTILE["png of one pixel"]
    assert wrong(refused, {"facts": {}})
    assert wrong(refused, {"refused": "it is raining"})
    assert wrong(read, {"refused": "it is raining"})
    assert wrong(read, {"facts": {"width_px": 2, "height_px": 1}})


@LINUX
@pytest.mark.parametrize(
    ("name", "demuxer", "options", "touched"),
    [
        ("concat script", "concat", {"safe": "0"}, "the file"),
        ("film whose media are behind an alias", "mov", {"enable_drefs": "1", "use_absolute_path": "1"}, "the file"),
        ("m3u8 of a path", "hls", {"allowed_extensions": "ALL", "extension_picky": "0"}, "the file"),
        ("m3u8 of an address", "hls", {"extension_picky": "0", "protocol_whitelist": "file,http,tcp"}, "the address"),
    ],
)
def test_a_reader_without_walls_is_led_there_and_noticed(tmp_path, canary, name, demuxer, options, touched):
    path = tmp_path / "lure"
    path.write_bytes(HOSTILE[name].content(canary.lure))
    assert canary.touched() == ()
    with suppress(av.FFmpegError, OSError), av.open(str(path), format=demuxer, options=options) as container:
        next(container.demux(), None)
    assert touched in canary.touched()


@LINUX
def test_reading_the_file_or_calling_at_the_address_is_noticed(canary):
    assert canary.touched() == ()
    Path(canary.lure.path).open("rb").close()
    assert canary.touched() == ("the file",)
    host, _, port = canary.lure.url.removeprefix("http://").partition(":")
    socket.create_connection((host, int(port))).close()
    assert canary.touched() == ("the address",)
    assert canary.touched() == ()


DECODED_S = 0.5
"""So much of a film or a sound is decoded here: what is measured as good elsewhere is decoded as a whole there."""


def decode(path: Path, modality: Modality) -> None:
    """Read a file as an engine does.

    Raises: Unreadable.
    """
    if modality is Modality.IMAGE:
        with path.open("rb") as file:
            read_open_image(file)
    elif modality is Modality.VIDEO:
        with VideoReader(path, 24) as video:
            for _, _ in zip(range(round(24 * DECODED_S)), video, strict=False):
                pass
    else:
        read_sound(path, 48_000, 2)


@pytest.mark.full
@LINUX
def test_an_engines_readers_read_what_is_taken_refuse_the_rest_and_are_led_nowhere(tmp_path, canary):
    found: dict[str, str] = {}
    path = tmp_path / "given"
    for name, hostile in HOSTILE.items():
        path.write_bytes(hostile.content(canary.lure))
        try:
            decode(path, hostile.modality)
        except Unreadable as error:
            # What the server takes must be of use to an engine.
            if hostile.is_read or str(tmp_path) in error.reason:
                found[name] = error.reason
        except Exception as error:  # boundary: what must not come out of a reader is what is looked for
            found[name] = repr(error)
        if touched := canary.touched():
            found[name] = f"touched {touched}"
    assert found == {}


MUTATIONS = (1, 2, 8, 64)
HEAD_BYTES = 400
SMALL_BYTES = 400_000


def mutated(content: bytes, chance: random.Random) -> bytes:
    """Change bytes, mostly in the head, where the structure is; or leave a part out, double it, or break off."""
    changed = bytearray(content)
    for _ in range(chance.choice(MUTATIONS)):
        within = min(len(changed), chance.choice((HEAD_BYTES, len(changed))))
        changed[chance.randrange(within)] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
    at = chance.randrange(len(changed))
    match chance.randrange(6):
        case 0:
            return bytes(changed[:at])
        case 1:
            return bytes(changed[:at] + changed[at + chance.randrange(100) :])
        case 2:
            return bytes(changed[:at] + changed[at : at + 100] * chance.randrange(2, 50) + changed[at:])
        case _:
            return bytes(changed)


@LINUX
@pytest.mark.parametrize(
    "count", [pytest.param(400, marks=pytest.mark.full), pytest.param(4000, marks=pytest.mark.long)]
)
def test_a_file_of_the_corpus_that_was_changed_at_random_is_read_or_refused_with_a_reason(tmp_path, canary, count):
    chance = random.Random("changed at random")
    contents = {name: hostile.content(canary.lure) for name, hostile in CORPUS.items() if hostile.is_read}
    small = sorted(name for name, content in contents.items() if 0 < len(content) <= SMALL_BYTES)
    verdicts: dict[str, int] = {}
    with reader(tmp_path) as reads:
        for _ in range(count):
            name = chance.choice(small)
            answer = reads.read(mutated(contents[name], chance), CORPUS[name].modality)
            verdict = "read" if "facts" in answer else answer["refused"].partition(":")[0]
            verdicts[verdict] = verdicts.get(verdict, 0) + 1
    assert canary.touched() == ()
    assert sum(verdicts.values()) == count
    # Of a process that dies the server says this, and of an error that nobody foresaw "the file cannot be read".
    assert not {what: count for what, count in verdicts.items() if what.startswith("the file cannot be read")}
    assert verdicts["read"] > count // 20
