"""Object stores: what the operator is told at the start, what is tried again, and how little is held in memory."""

import json
import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from understudy.core.errors import Unavailable
from understudy.storage.blob_places import open_blobs
from understudy.storage.cannot_open import CannotOpen
from understudy.testing.blob_stores import Workshop, pattern, read_all, read_part

KEY = "20261121120000-abcde-1/video.mp4"
MIB = 1024 * 1024


@contextmanager
def scripted_store(monkeypatch, statuses):
    """Serve as an object store that answers with these statuses, the last one for ever; yields the methods it saw."""
    seen, left = [], list(statuses)

    class Answers(BaseHTTPRequestHandler):
        def answer(self):
            seen.append(self.command)
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(left.pop(0) if len(left) > 1 else left[0])
            self.send_header("Content-Length", "0")
            self.send_header("ETag", '"e"')
            self.end_headers()

        do_HEAD = do_PUT = do_GET = answer  # noqa: N815 - the names that http.server looks for

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret")
    try:
        yield seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_without_a_url_blobs_are_kept_in_the_data_directory(tmp_path):
    open_blobs("", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["blobs"]


def test_a_folder_that_servers_share_is_named_by_its_path(tmp_path):
    open_blobs(f"file://{tmp_path}/shared", tmp_path / "own")
    assert [path.name for path in tmp_path.iterdir()] == ["shared"]


@pytest.mark.parametrize(
    "url", ["bucket", "ftp://bucket", "file://", "file://etc", "file:///", "memory://", "http://h/b", "s3://", "s3:/b"]
)
def test_a_url_that_names_no_object_store_is_refused_with_those_that_do(url, tmp_path):
    with pytest.raises(CannotOpen, match=r"s3://, gs://, az://"):
        open_blobs(url, tmp_path)


def test_the_missing_package_is_named_with_its_extra(tmp_path, monkeypatch):
    monkeypatch.delitem(sys.modules, "understudy.storage.object_blobs", raising=False)
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(CannotOpen, match=r"pip install 'understudy\[objects\]'"):
        open_blobs("s3://bucket", tmp_path)


def test_a_local_store_needs_no_package_for_others():
    told = subprocess.run(
        [sys.executable, "-c", "import sys, understudy.storage.blob_places; print('obstore' in sys.modules)"],
        capture_output=True,
        check=True,
    )
    assert told.stdout == b"False\n"


def test_a_bucket_that_is_not_there_is_told_at_the_start(s3, tmp_path):
    with pytest.raises(CannotOpen, match=r"s3://nowhere/films cannot be written"):
        open_blobs("s3://nowhere/films", tmp_path)


def test_a_store_that_refuses_the_key_is_told_at_the_start(tmp_path, monkeypatch):
    with scripted_store(monkeypatch, [403]), pytest.raises(CannotOpen, match=r"cannot be written: .*403"):
        open_blobs("s3://bucket", tmp_path)


def test_an_account_that_is_not_named_is_told_at_the_start(tmp_path, monkeypatch):
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    with pytest.raises(CannotOpen, match=r"Account must be specified"):
        open_blobs("az://container/films", tmp_path)


async def test_what_fails_for_a_moment_is_tried_again(tmp_path, monkeypatch):
    with scripted_store(monkeypatch, [200, 503, 500, 404]) as seen:
        store = open_blobs("s3://bucket", tmp_path)
        assert await store.stat(KEY) is None
    assert seen == ["PUT", "HEAD", "HEAD", "HEAD"]


async def test_what_fails_for_good_is_told_as_unavailable(tmp_path, monkeypatch, caplog):
    with scripted_store(monkeypatch, [200, 403]):
        store = open_blobs("s3://bucket", tmp_path)
        for asked in (store.stat(KEY), store.delete(KEY), store.put(Workshop(tmp_path / "shop").file(b"x"), KEY)):
            with pytest.raises(Unavailable, match=r"storage does not answer"):
                await asked
        with pytest.raises(OSError, match=r"broke off"):
            await read_part(store, KEY, start=0, length_bytes=1)
    assert "403" in caplog.text


async def test_a_file_whose_upload_failed_is_still_there(tmp_path, monkeypatch):
    source = Workshop(tmp_path / "shop").file(b"film")
    with scripted_store(monkeypatch, [200, 403]), pytest.raises(Unavailable):
        await open_blobs("s3://bucket", tmp_path).put(source, KEY)
    assert source.read_bytes() == b"film"


def test_what_is_told_of_a_failure_holds_no_query_of_an_address():
    from understudy.storage.object_blobs import _told

    assert _told("GET https://a.example/c/k?sig=secret&x=1 failed\nmore") == "GET https://a.example/c/k failed"


async def test_a_reader_that_finds_all_read_aheads_taken_reads_all_the_same(s3, tmp_path):
    store, content = open_blobs(f"s3://{s3.new_bucket()}", tmp_path), pattern(5 * MIB)
    await Workshop(tmp_path / "shop").put(store, KEY, content)
    store._aheads_left = 0
    assert await read_all(store, KEY) == content


async def test_readers_give_their_read_aheads_back(s3, tmp_path):
    store, content = open_blobs(f"s3://{s3.new_bucket()}", tmp_path), pattern(5 * MIB)
    await Workshop(tmp_path / "shop").put(store, KEY, content)
    before = store._aheads_left
    assert await read_all(store, KEY) == content
    reading = store.read(KEY, start=0, length_bytes=len(content))
    await anext(reading)
    assert store._aheads_left == before - 1
    await reading.aclose()
    assert store._aheads_left == before


LARGE = """
import asyncio, hashlib, json, resource, sys
from pathlib import Path
from understudy.storage.blob_places import open_blobs

KEY, MIB = "20261121120000-abcde-1/video.mp4", 1024 * 1024


def peak_mib():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


async def main(url, folder, size_mib):
    store, source, sent, got = open_blobs(url, folder), folder / "large", hashlib.sha256(), hashlib.sha256()
    with source.open("wb") as file:
        for number in range(size_mib):
            block = number.to_bytes(4, "big") * (MIB // 4)
            sent.update(block)
            file.write(block)
    before = peak_mib()
    await store.put(source, KEY)
    put = peak_mib()
    async for part in store.read(KEY, start=0, length_bytes=size_mib * MIB):
        got.update(part)
    read = peak_mib()
    copy = await store.local_copy(KEY, folder)
    copied = hashlib.sha256()
    with copy.open("rb") as file:
        while block := file.read(MIB):
            copied.update(block)
    same = sent.digest() == got.digest() == copied.digest()
    print(json.dumps({"same": same, "put": put - before, "read": read - before, "copied": peak_mib() - before}))


asyncio.run(main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
"""


@pytest.mark.full
def test_a_large_film_goes_in_and_out_with_little_memory(s3, tmp_path):
    told = subprocess.run(
        [sys.executable, "-c", LARGE, f"s3://{s3.new_bucket()}/films", str(tmp_path), "200"],
        capture_output=True,
        check=True,
        env={**os.environ, **s3.environ},
        timeout=300,
    )
    peaks = json.loads(told.stdout)
    assert peaks.pop("same")
    assert max(peaks.values()) < 64, f"more memory than before, in MiB: {peaks}"
