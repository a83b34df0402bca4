"""Result files from any store, to any client: slow, idle, resuming; and stores that lose or break off."""

import shutil
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from http.client import IncompleteRead
from pathlib import Path
from threading import Event
from time import monotonic

import pytest

from running_server import running_server
from s3_server import s3_server
from understudy.core.ports import BlobFacts
from understudy.server.house import Limits
from understudy.storage.blob_places import open_blobs
from understudy.testing.blob_stores import pattern

KEY = "20261121120000-abcde-1/video.mp4"
CONTENT = pattern(5 * 1024 * 1024 + 7)
TCP_LISTEN, NO_FILE = "0A", "0"
"""As the kernel writes them in /proc/net/tcp."""

CURL = shutil.which("curl")


def put(server, content=CONTENT, key=KEY):
    """Put a blob into the server's store and return its link, path and query only."""
    path = server.blobs_dir.parent / "made"
    path.write_bytes(content)
    server.do(server.house.blobs.put(path, key))
    return server.house.links.url("", key, server.clock.now().timestamp())


@contextmanager
def serving(folder, blobs=None, **limits):
    """Serve blobs of a store: the server's own local one, unless another is given."""

    def changes(house):
        return replace(house, blobs=blobs or house.blobs)

    with running_server(folder, changes=changes, limits=Limits(**limits)) as running:
        yield running


@pytest.fixture(params=["local", "s3"])
def served(request, tmp_path):
    """A server of each kind of store."""
    if request.param == "local":
        blobs = None
    else:
        blobs = open_blobs(f"s3://{request.getfixturevalue('s3').new_bucket()}/films", tmp_path)
    with serving(tmp_path, blobs) as running:
        yield running


def test_a_file_comes_whole_from_every_store(served):
    answer = served.call("GET", put(served))
    assert (answer.status, answer.body) == (200, CONTENT)


@pytest.mark.parametrize("part", [(0, 0), (1, 3_000_000), (2_097_151, 2_097_152), (5_000_000, len(CONTENT) - 1)])
def test_a_part_comes_from_every_store(served, part):
    first, last = part
    answer = served.call("GET", put(served), headers={"Range": f"bytes={first}-{last}"})
    assert (answer.status, answer.body) == (206, CONTENT[first : last + 1])
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(CONTENT)}"


def test_an_empty_file_comes_from_every_store(served):
    answer = served.call("GET", put(served, b""))
    assert (answer.status, answer.headers["content-length"], answer.body) == (200, "0", b"")


def test_what_a_client_has_is_not_sent_again_from_any_store(served):
    link = put(served)
    etag = served.call("HEAD", link).headers["etag"]
    assert served.call("GET", link, headers={"If-None-Match": etag}).status == 304
    assert served.call("GET", link, headers={"If-None-Match": f"W/{etag}"}).status == 304
    assert served.call("GET", link, headers={"If-None-Match": "*"}).status == 304
    assert served.call("GET", link, headers={"Range": "bytes=1-2", "If-Range": etag}).status == 206


def test_a_file_that_must_be_another_version_is_refused(served):
    link = put(served)
    etag = served.call("HEAD", link).headers["etag"]
    assert served.call("GET", link, headers={"If-Match": etag}).status == 200
    assert served.call("GET", link, headers={"If-Match": "*"}).status == 200
    answer = served.call("GET", link, headers={"If-Match": '"another"'})
    assert (answer.status, answer.error["param"]) == (412, "If-Match")


def test_head_ignores_a_range(served):
    answer = served.call("HEAD", put(served), headers={"Range": "bytes=0-1"})
    assert (answer.status, answer.headers["content-length"]) == (200, str(len(CONTENT)))


@pytest.mark.skipif(CURL is None, reason="curl is not installed")
def test_curl_goes_on_with_what_it_has(served, tmp_path):
    link, half = put(served), tmp_path / "half.mp4"
    half.write_bytes(CONTENT[:2_000_001])
    told = "%{http_code} %{size_download}"
    command = [CURL, "-sS", "--noproxy", "*", "-C", "-", "-o", half, "-w", told, f"{served.url}{link}"]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60)
    assert done.stdout.decode() == f"206 {len(CONTENT) - 2_000_001}"
    assert half.read_bytes() == CONTENT


@pytest.mark.skipif(CURL is None, reason="curl is not installed")
def test_eight_parts_at_once_make_the_file(served, tmp_path):
    link, size = put(served), len(CONTENT)
    bounds = [size * part // 8 for part in range(9)]

    def fetched(part):
        target = tmp_path / f"part-{part}"
        asked = f"{bounds[part]}-{bounds[part + 1] - 1}"
        command = [CURL, "-sS", "--fail", "--noproxy", "*", "-r", asked, "-o", target, f"{served.url}{link}"]
        subprocess.run(command, check=True, timeout=60)
        return target.read_bytes()

    with ThreadPoolExecutor(8) as pool:
        assert b"".join(pool.map(fetched, range(8))) == CONTENT


@pytest.mark.skipif(CURL is None, reason="curl is not installed")
def test_curl_saves_a_download_under_its_name(served, tmp_path):
    link = put(served)
    command = [CURL, "-sS", "--noproxy", "*", "-OJ", f"{served.url}{link}&download=1"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=60)
    assert (tmp_path / "cgt-20261121120000-abcde.mp4").read_bytes() == CONTENT


def test_a_link_shows_in_the_browser_unless_it_is_to_be_saved(served):
    link = put(served)

    def disposition(more=""):
        return served.call("HEAD", link + more).headers["content-disposition"]

    assert disposition() == 'inline; filename="cgt-20261121120000-abcde.mp4"'
    assert disposition("&download=1") == 'attachment; filename="cgt-20261121120000-abcde.mp4"'
    assert disposition("&download=0").startswith("inline")


def test_nobody_on_the_way_may_compress_a_file(served):
    answer = served.call("GET", put(served), headers={"Accept-Encoding": "gzip, br, zstd"})
    assert "no-transform" in answer.headers["cache-control"]
    assert "content-encoding" not in answer.headers
    assert answer.body == CONTENT


def test_a_link_of_one_server_is_served_by_another_on_the_same_bucket(s3, tmp_path):
    bucket = f"s3://{s3.new_bucket()}/films"
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    one, two = (serving(tmp_path / name, open_blobs(bucket, tmp_path / name)) for name in ("one", "two"))
    with one as first, two as second:
        link = put(first)
        answers = [each.call("GET", link) for each in (first, second)]
        assert [(each.status, each.body) for each in answers] == [(200, CONTENT)] * 2
        assert answers[0].headers["etag"] == answers[1].headers["etag"]
        assert (
            second.call("GET", link, headers={"Range": "bytes=9-", "If-Range": answers[0].headers["etag"]}).status
            == 206
        )
        assert second.call("GET", link.replace("signature=", "signature=0")).status == 403


def test_a_store_that_is_not_there_is_told_and_the_server_lives(tmp_path, monkeypatch):
    with s3_server() as server:
        for name, value in server.environ.items():
            monkeypatch.setenv(name, value)
        blobs = open_blobs(f"s3://{server.new_bucket()}/films", tmp_path)
    with serving(tmp_path, blobs) as running:
        link = running.house.links.url("", KEY, running.clock.now().timestamp())
        answer = running.call("GET", link)
        assert (answer.status, answer.error["code"]) == (503, "ServiceUnavailable")
        assert running.call("GET", "/healthz").status == 200


class Vanishing:
    """A store whose blob is gone by the time it is read."""

    async def stat(self, key):
        return BlobFacts(size_bytes=10, etag='"x"')

    async def read(self, key, *, start, length_bytes):
        raise FileNotFoundError(key)
        yield b""


class BreakingOff(Vanishing):
    """A store that fails behind the first chunk."""

    async def read(self, key, *, start, length_bytes):
        yield b"01234"
        raise OSError("the disk is gone")


class Failing(Vanishing):
    """A store that cannot read at all."""

    async def read(self, key, *, start, length_bytes):
        raise OSError("the disk is gone")
        yield b""


def _link(running):
    return running.house.links.url("", KEY, running.clock.now().timestamp())


def test_a_blob_that_vanished_is_not_found_rather_than_broken_off(tmp_path):
    with serving(tmp_path, Vanishing()) as running:
        answer = running.call("GET", _link(running))
    assert (answer.status, answer.error["code"]) == (404, "NotFound.File")


def test_a_blob_that_cannot_be_read_is_told_as_such(tmp_path):
    with serving(tmp_path, Failing()) as running:
        answer = running.call("GET", _link(running))
    assert (answer.status, answer.error["code"]) == (503, "ServiceUnavailable")


def test_a_store_that_breaks_off_ends_the_connection_so_that_the_client_sees_it(tmp_path, caplog):
    with serving(tmp_path, BreakingOff()) as running:
        with pytest.raises(IncompleteRead) as told:
            running.call("GET", _link(running))
        assert running.call("GET", "/healthz").status == 200
    assert told.value.partial == b"01234"
    assert "broke off 5 bytes before its end: the disk is gone" in caplog.text
    assert "Traceback" not in caplog.text


# Clients: slow, idle, gone


class Endless(Vanishing):
    """A store with one endless film, which counts what was taken of it and tells when the reader was let go."""

    def __init__(self):
        self.taken_bytes = 0
        self.let_go = Event()

    async def stat(self, key):
        return BlobFacts(size_bytes=1 << 40, etag='"x"')

    async def read(self, key, *, start, length_bytes):
        try:
            while True:
                self.taken_bytes += 256 * 1024
                yield bytes(256 * 1024)
        finally:
            self.let_go.set()


@contextmanager
def asking(running, link):
    """Ask for a file on a connection with little room at this end."""
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
        connection.settimeout(30)
        connection.connect(("127.0.0.1", running.port))
        connection.sendall(f"GET {link} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
        yield connection


def test_a_client_that_reads_nothing_is_dropped_and_had_little_read_for_it(tmp_path):
    film = Endless()
    with serving(tmp_path, film, idle_timeout_s=0.2) as running, asking(running, _link(running)):
        assert film.let_go.wait(30)
        assert film.taken_bytes < 32 * 1024 * 1024
        assert running.call("GET", "/healthz").status == 200


def test_a_slow_client_is_served_as_long_as_it_reads(tmp_path):
    film, pace = Endless(), Event()
    with serving(tmp_path, film, idle_timeout_s=0.3) as running, asking(running, _link(running)) as connection:
        for _ in range(60):
            # The pace of the client: some ten times the bound in all, and far from what the kernel holds for it.
            pace.wait(0.05)
            assert connection.recv(8 * 1024)
        assert not film.let_go.is_set()


def test_a_client_that_hangs_up_lets_the_store_go(tmp_path):
    film = Endless()
    with serving(tmp_path, film) as running:
        with asking(running, _link(running)) as connection:
            assert connection.recv(1)
        assert film.let_go.wait(30)


def held_connections(port):
    """Return how many connections to a port a process still holds; those that only the kernel sends on have no file."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    at_the_port = [row for row in rows if row[1].endswith(f":{port:04X}") and row[3] != TCP_LISTEN]
    return sum(row[9] != NO_FILE for row in at_the_port)


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="only Linux tells who holds a connection")
def test_clients_that_never_take_the_end_give_their_connections_back(tmp_path):
    with serving(tmp_path, idle_timeout_s=0.2) as running, ExitStack() as clients:
        # How much the kernel takes is its own affair; of some of these the end stays with the server.
        for number in range(1, 31):
            link = put(running, bytes(number * 130_000), KEY.replace("-1/", f"-{number}/"))
            assert clients.enter_context(asking(running, link)).recv(1)
        deadline_s = monotonic() + 20
        while held := held_connections(running.port):
            assert monotonic() < deadline_s, f"{held} connections were never given back"
            running.call("GET", "/healthz", headers={"Connection": "close"})
