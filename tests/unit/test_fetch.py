"""Bringing bytes from a web address into a file, over real connections to a host that misbehaves."""

import asyncio
import gzip
import random
import socket
import ssl
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from media_host import (
    Asked,
    Connection,
    MediaHost,
    Reply,
    chunked,
    cut,
    declared,
    drip,
    endless,
    file,
    gzip_bomb,
    gzip_lie,
    gzipped,
    media_host,
    raw,
    redirect,
    reset,
    silent,
    status,
)
from understudy.core.media import NotFetched, TooLarge
from understudy.media.fetch import WebFetcher
from understudy.net.download import PAUSES_S, RETRY_AFTER_MAX_S, Downloader
from understudy.net.guard import Guard
from understudy.net.http import HttpClient, Unreached
from understudy.net.web_address import Refused

FILM = b"\x00\x00\x00\x20ftypisom" + random.Random(7).randbytes(3_000_000)
MOST_BYTES = 5_000_000
REDIRECTS_MAX = 3


@dataclass
class Fetching:
    """A fetcher, what it waited, and where it writes."""

    host: MediaHost
    into: Path
    client: HttpClient
    pauses_s: list[float] = field(default_factory=list)

    async def get(self, *replies: Reply, most_bytes: int = MOST_BYTES, redirects_max: int = REDIRECTS_MAX) -> bytes:
        """Fetch what the host says to this, in turn."""
        url = self.host.on("/film.mp4", *replies)
        return await self.get_from(url, most_bytes=most_bytes, redirects_max=redirects_max)

    async def get_from(self, url: str, *, most_bytes: int = MOST_BYTES, redirects_max: int = REDIRECTS_MAX) -> bytes:
        async def pause(pause_s: float) -> None:
            self.pauses_s.append(pause_s)

        fetcher = WebFetcher(Downloader(self.client, redirects_max=redirects_max, pause=pause))
        try:
            size_bytes = await fetcher.fetch(url, self.into, most_bytes=most_bytes)
        except BaseException:
            assert not self.into.exists(), "half a file is left"
            raise
        fetched = self.into.read_bytes()
        self.into.unlink()
        assert size_bytes == len(fetched)
        return fetched

    @property
    def ranges(self) -> list[str]:
        return [asked.headers.get("range", "") for asked in self.host.requests]


async def names(host: str, port: int) -> Sequence[str]:
    known = {"media.test": ["127.0.0.1"], "other.test": ["127.0.0.1"], "half-dead.test": ["127.0.0.77", "127.0.0.1"]}
    if host == "busy.test":
        raise socket.gaierror(socket.EAI_AGAIN, "try again")
    if host not in known:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")
    return known[host]


@pytest.fixture
def host() -> Iterator[MediaHost]:
    with media_host() as each:
        yield each


@pytest.fixture
async def fetching(host: MediaHost, tmp_path: Path) -> AsyncIterator[Fetching]:
    client = HttpClient(Guard.reading("127.0.0.0/8"), names)
    yield Fetching(host, tmp_path / "film", client)
    await client.close()


async def test_a_file_is_brought_byte_by_byte(fetching: Fetching) -> None:
    assert await fetching.get(file(FILM)) == FILM


async def test_a_file_of_unknown_length_is_brought(fetching: Fetching) -> None:
    assert await fetching.get(chunked(FILM)) == FILM


async def test_an_empty_file_is_brought(fetching: Fetching) -> None:
    assert await fetching.get(file(b"")) == b""


async def test_the_request_says_who_asks_and_wants_the_bytes_as_they_are(fetching: Fetching) -> None:
    await fetching.get(file(FILM))
    headers = fetching.host.requests[0].headers
    assert headers["user-agent"].startswith("Understudy/")
    assert headers["accept-encoding"] == "identity"


async def test_the_query_is_sent_as_it_is_written_because_it_may_be_signed(fetching: Fetching) -> None:
    query = "?X-Amz-Signature=a%2Fb%2B%3D&x=1+2&y=%e4"
    await fetching.get_from(fetching.host.on("/film.mp4", file(FILM)) + query)
    assert fetching.host.requests[0].target == "/film.mp4" + query


async def test_many_files_are_brought_at_once(host: MediaHost, fetching: Fetching) -> None:
    contents = {host.on(f"/{number}", chunked(bytes([number]) * 300_000)): number for number in range(20)}
    each = [Fetching(host, fetching.into.with_name(str(number)), fetching.client) for number in contents.values()]
    fetched = await asyncio.gather(*(one.get_from(url) for one, url in zip(each, contents, strict=True)))
    assert [content[:1] for content in fetched] == [bytes([number]) for number in contents.values()]


@pytest.mark.parametrize("code", [204, 206, 300, 304, 400, 401, 403, 404, 410, 416, 451])
async def test_a_no_is_taken_at_once(fetching: Fetching, code: int) -> None:
    with pytest.raises(NotFetched, match=f"^HTTP {code}$"):
        await fetching.get(status(code))
    assert len(fetching.host.requests) == 1


@pytest.mark.parametrize("code", [408, 425, 429, 500, 502, 503, 504, 520, 599])
async def test_a_host_in_trouble_is_asked_again(fetching: Fetching, code: int) -> None:
    assert await fetching.get(status(code), file(FILM)) == FILM
    assert fetching.pauses_s == [PAUSES_S[0]]


@pytest.mark.parametrize("trouble", [reset(), raw(b""), reset(FILM, 100_000), cut(FILM, 100_000)])
async def test_a_connection_that_breaks_is_made_again(fetching: Fetching, trouble: Reply) -> None:
    assert await fetching.get(trouble, file(FILM)) == FILM
    assert len(fetching.host.requests) == 2


async def test_tries_come_to_an_end(fetching: Fetching) -> None:
    with pytest.raises(NotFetched, match="HTTP 503"):
        await fetching.get(status(503))
    assert fetching.pauses_s == list(PAUSES_S)
    assert len(fetching.host.requests) == len(PAUSES_S) + 1


async def test_a_host_that_does_not_listen_is_tried_again(fetching: Fetching) -> None:
    with media_host() as gone:
        url = gone.url
    with pytest.raises(NotFetched, match="the connection failed"):
        await fetching.get_from(url)
    assert fetching.pauses_s == list(PAUSES_S)


async def test_a_name_that_nobody_knows_is_not_asked_for_again(fetching: Fetching) -> None:
    with pytest.raises(NotFetched, match=r"nowhere\.test has no address"):
        await fetching.get_from("http://nowhere.test/")
    assert fetching.pauses_s == []


async def test_a_resolver_that_is_busy_is_asked_again(fetching: Fetching) -> None:
    with pytest.raises(NotFetched, match=r"busy\.test has no address"):
        await fetching.get_from("http://busy.test/")
    assert fetching.pauses_s == list(PAUSES_S)


async def test_an_address_that_does_not_answer_leaves_the_others_of_its_host(fetching: Fetching) -> None:
    fetching.host.on("/film.mp4", file(FILM))
    assert await fetching.get_from(f"http://half-dead.test:{fetching.host.port}/film.mp4") == FILM
    assert fetching.pauses_s == []


async def test_a_host_may_say_when_to_come_again(fetching: Fetching) -> None:
    assert await fetching.get(status(429, headers={"Retry-After": "2"}), file(FILM)) == FILM
    assert fetching.pauses_s == [2.0]


async def test_a_host_that_wants_a_long_pause_is_not_asked_again(fetching: Fetching) -> None:
    with pytest.raises(NotFetched, match="HTTP 429"):
        await fetching.get(status(429, headers={"Retry-After": str(int(RETRY_AFTER_MAX_S) + 1)}), file(FILM))
    assert fetching.pauses_s == []


@pytest.mark.parametrize("when", ["Wed, 21 Oct 2026 07:28:00 GMT", "-5", "1e9", "soon", ""])
async def test_a_pause_of_another_form_is_our_own(fetching: Fetching, when: str) -> None:
    assert await fetching.get(status(503, headers={"Retry-After": when}), file(FILM)) == FILM
    assert fetching.pauses_s == [PAUSES_S[0]]


def rest(content: bytes, parts: dict[str, str], sent_bytes: int = 1 << 30) -> Reply:
    """Answer with what was asked for, some headers changed, and send no more of it than so many bytes."""

    def reply(asked: Asked, connection: Connection) -> None:
        first = int(asked.headers["range"].removeprefix("bytes=").removesuffix("-"))
        place = f"bytes {first}-{len(content) - 1}/{len(content)}"
        headers = {"Content-Range": place, "Content-Length": str(len(content) - first), **parts}
        connection.head(206, headers)
        connection.send(content[first : first + sent_bytes])

    return reply


async def test_a_download_goes_on_where_it_broke_off_as_often_as_it_must(fetching: Fetching) -> None:
    assert await fetching.get(cut(FILM, 1_000_000), rest(FILM, {}, 1_500_000), file(FILM)) == FILM
    begins = [int(each.removeprefix("bytes=").removesuffix("-") or "0") for each in fetching.ranges]
    assert 0 == begins[0] < begins[1] < begins[2]
    assert {asked.headers["if-range"][:1] for asked in fetching.host.requests[1:]} == {'"'}


async def test_a_rest_without_a_tag_of_its_own_is_the_rest(fetching: Fetching) -> None:
    assert await fetching.get(cut(FILM, 1_000_000), rest(FILM, {})) == FILM


OTHER = {
    "another file's tag": rest(FILM, {"ETag": '"another"'}),
    "another place": rest(FILM, {"Content-Range": f"bytes 5-{len(FILM) - 1}/{len(FILM)}"}),
    "no place": rest(FILM, {"Content-Range": "none"}),
    "another size": rest(FILM, {"Content-Range": f"bytes 1000000-{len(FILM) - 1}/{len(FILM) + 1}"}),
    "no such range": status(416, headers={"Content-Range": f"bytes */{len(FILM)}"}),
}


@pytest.mark.parametrize("other", OTHER.values(), ids=OTHER.keys())
async def test_a_rest_of_something_else_is_not_put_behind_the_beginning(fetching: Fetching, other: Reply) -> None:
    assert await fetching.get(cut(FILM, 1_000_000), other, file(FILM)) == FILM
    assert fetching.ranges[2] == ""


@pytest.mark.parametrize("etag", ["", 'W/"weak"', "bare", '"'])
async def test_without_a_strong_tag_a_download_begins_again(fetching: Fetching, etag: str) -> None:
    assert await fetching.get(cut(FILM, 1_000_000, etag=etag), file(FILM)) == FILM
    assert fetching.ranges == ["", ""]


async def test_a_file_that_changed_meanwhile_is_brought_as_it_is_now(fetching: Fetching) -> None:
    assert await fetching.get(cut(FILM, 1_000_000), file(FILM[::-1])) == FILM[::-1]
    assert fetching.ranges[1].startswith("bytes=")


async def test_redirects_are_followed_wherever_they_are_relative_to(fetching: Fetching) -> None:
    fetching.host.on("/a/b", redirect("../c?x=%2F"))
    fetching.host.on("/c", redirect(f"http://other.test:{fetching.host.port}/film.mp4", 307))
    fetching.host.on("/film.mp4", file(FILM))
    assert await fetching.get_from(fetching.host.url + "/a/b") == FILM
    assert [asked.target for asked in fetching.host.requests] == ["/a/b", "/c?x=%2F", "/film.mp4"]
    assert fetching.host.requests[2].headers["host"] == f"other.test:{fetching.host.port}"


async def test_as_many_redirects_as_are_allowed_are_followed_and_not_one_more(fetching: Fetching) -> None:
    for hop in range(4):
        fetching.host.on(f"/{hop}", redirect(f"/{hop + 1}"))
    fetching.host.on("/4", file(FILM))
    assert await fetching.get_from(fetching.host.url + "/0", redirects_max=4) == FILM
    with pytest.raises(NotFetched, match="more than 3 redirects"):
        await fetching.get_from(fetching.host.url + "/0", redirects_max=3)


async def test_where_no_redirects_are_allowed_one_is_no_file(fetching: Fetching) -> None:
    fetching.host.on("/film.mp4", redirect("/other"))
    with pytest.raises(NotFetched, match="HTTP 302"):
        await fetching.get_from(fetching.host.url + "/film.mp4", redirects_max=0)


async def test_a_file_of_just_the_size_is_taken(fetching: Fetching) -> None:
    assert await fetching.get(chunked(FILM), most_bytes=len(FILM)) == FILM
    assert await fetching.get(file(FILM), most_bytes=len(FILM)) == FILM


TOO_LARGE = {
    "declared": file(FILM),
    "declared and never sent": declared(b"", 1 << 40),
    "in chunks": chunked(FILM),
    "for ever": endless(),
    "compressed": gzipped(bytes(len(FILM))),
    "a lie": gzip_lie(FILM),
    "a bomb": gzip_bomb(200_000_000),
    "after a break": cut(FILM, 1000, etag='"a"'),
}


@pytest.mark.parametrize("reply", TOO_LARGE.values(), ids=TOO_LARGE.keys())
async def test_what_is_too_large_is_told_as_such_and_not_asked_for_again(fetching: Fetching, reply: Reply) -> None:
    with pytest.raises(TooLarge, match=f"at most {len(FILM) - 1} are taken"):
        await fetching.get(reply, most_bytes=len(FILM) - 1)
    assert len(fetching.host.requests) == 1


@pytest.mark.parametrize("reply", [gzipped(FILM), gzip_lie(FILM)])
async def test_a_coding_that_was_not_asked_for_comes_off_where_it_is_true(fetching: Fetching, reply: Reply) -> None:
    assert await fetching.get(reply) == FILM


async def test_a_compressed_file_that_broke_off_begins_again(fetching: Fetching) -> None:
    packed = gzip.compress(FILM)
    broken = declared(packed[:1_500_000], len(packed), {"Content-Encoding": "gzip", "ETag": '"same"'})
    assert await fetching.get(broken, gzipped(FILM)) == FILM
    assert fetching.ranges == ["", ""]


async def test_a_compressed_file_that_is_short_by_its_own_count_begins_again(fetching: Fetching) -> None:
    short = status(200, gzip.compress(FILM)[:-4], {"Content-Encoding": "gzip"})
    assert await fetching.get(short, gzipped(FILM)) == FILM


async def test_a_file_that_is_there_already_is_left_alone(fetching: Fetching) -> None:
    fetching.into.write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        await WebFetcher(Downloader(fetching.client, redirects_max=0)).fetch(
            fetching.host.on("/film.mp4", file(FILM)), fetching.into, most_bytes=MOST_BYTES
        )
    assert fetching.into.read_bytes() == b"mine"


@pytest.mark.parametrize("slow", [drip(FILM, 0.01), silent()])
async def test_who_waits_leaves_when_he_wants_and_the_host_sees_it(fetching: Fetching, slow: Reply) -> None:
    is_over = asyncio.Event()
    loop = asyncio.get_running_loop()

    def observed(asked: Asked, connection: Connection) -> None:
        try:
            slow(asked, connection)
        finally:
            loop.call_soon_threadsafe(is_over.set)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await fetching.get(observed)
    async with asyncio.timeout(10):
        await is_over.wait()


@pytest.mark.parametrize(
    "reply", [status(403), raw(b"\x00" * 100_000), raw(b"HTTP/1.1 200 OK\r\nA: " + b"s3cret" * 9000 + b"\r\n\r\n")]
)
async def test_a_reason_is_short_and_holds_neither_signatures_nor_what_the_host_said(
    fetching: Fetching, reply: Reply
) -> None:
    url = fetching.host.on("/film.mp4", reply)
    with pytest.raises(NotFetched) as failed:
        await fetching.get_from(url + "?Signature=s3cret")
    assert "s3cret" not in failed.value.reason
    assert len(failed.value.reason) < 300
    assert failed.value.reason.isprintable()


def certificate(directory: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Make a certificate for a name; return the contexts of its host and of a client that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = directory / f"{name}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(pem)
    return serving, ssl.create_default_context(cadata=made.public_bytes(serialization.Encoding.PEM).decode())


@pytest.mark.parametrize("name", ["media.test", "other.test", "127.0.0.1"])
async def test_a_certificate_is_held_against_the_name_that_was_asked_for(tmp_path: Path, name: str) -> None:
    serving, trusting = certificate(tmp_path, "media.test")
    with media_host(tls=serving) as host:
        host.on("/film.mp4", file(FILM))
        client = HttpClient(Guard.reading("127.0.0.0/8"), names, tls=trusting)
        fetching = Fetching(host, tmp_path / "film", client)
        url = f"https://{name}:{host.port}/film.mp4"
        if name == "media.test":
            assert await fetching.get_from(url) == FILM
        else:
            with pytest.raises(NotFetched, match="no trust"):
                await fetching.get_from(url)
            assert (fetching.pauses_s, host.requests) == ([], [])
        await client.close()


async def test_a_certificate_of_nobody_we_trust_is_none(tmp_path: Path) -> None:
    serving, _ = certificate(tmp_path, "media.test")
    with media_host(tls=serving) as host:
        client = HttpClient(Guard.reading("127.0.0.0/8"), names)
        with pytest.raises(NotFetched, match="no trust"):
            await Fetching(host, tmp_path / "film", client).get_from(f"https://media.test:{host.port}/")
        await client.close()


async def test_json_is_posted_and_the_answer_is_whole(fetching: Fetching) -> None:
    url = fetching.host.on("/judge", status(418, b'{"no": 1}', {"X-Why": "tea"}))
    reply = await fetching.client.post_json(url, b'{"a": 1}', timeout_s=10, most_bytes=100, headers={"X-Key": "k"})
    asked = fetching.host.requests[0]
    assert (asked.method, asked.body, asked.headers["content-type"]) == ("POST", b'{"a": 1}', "application/json")
    assert asked.headers["x-key"] == "k"
    assert (reply.status, reply.body, reply.headers["x-why"]) == (418, b'{"no": 1}', "tea")


async def test_a_form_is_posted_with_its_files(fetching: Fetching) -> None:
    form = aiohttp.FormData({"request": "what"})
    form.add_field("file0", FILM[:1000], filename="film.mp4")
    await fetching.client.post_form(fetching.host.on("/judge", status(200)), form, timeout_s=10, most_bytes=100)
    asked = fetching.host.requests[0]
    assert asked.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert FILM[:1000] in asked.body


async def test_a_post_is_not_sent_on_by_a_redirect(fetching: Fetching) -> None:
    url = fetching.host.on("/judge", redirect("/elsewhere", 307))
    assert (await fetching.client.post_json(url, b"{}", timeout_s=10, most_bytes=100)).status == 307
    assert [asked.target for asked in fetching.host.requests] == ["/judge"]


async def test_an_answer_to_a_post_is_bounded_in_size_and_time(fetching: Fetching) -> None:
    with pytest.raises(Unreached, match="more than 100 bytes"):
        await fetching.client.post_json(fetching.host.on("/judge", endless()), b"{}", timeout_s=10, most_bytes=100)
    with pytest.raises(Unreached, match="no answer within"):
        await fetching.client.post_json(fetching.host.on("/judge", silent()), b"{}", timeout_s=0.1, most_bytes=100)


async def test_a_post_is_guarded_as_well(host: MediaHost) -> None:
    client = HttpClient(Guard.reading(""), names)
    for url in (host.url, f"http://media.test:{host.port}/"):
        with pytest.raises(Refused, match="loopback"):
            await client.post_json(url, b"{}", timeout_s=10, most_bytes=100)
    assert host.contacts == 0
    await client.close()
