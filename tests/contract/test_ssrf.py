"""Nothing private is ever contacted, however a caller spells it: listeners on loopback count who comes.

``public.test`` stands for the Internet: a host on a loopback address of its own, the only one that is allowed. Every
other listener is the private network.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from media_host import (
    Asked,
    Connection,
    MediaHost,
    chunked,
    drip,
    endless,
    endless_headers,
    endless_promises,
    file,
    media_host,
    raw,
    redirect,
    silent,
    status,
)
from understudy.core.media import NotFetched
from understudy.media.fetch import WebFetcher
from understudy.net.download import Downloader
from understudy.net.guard import Guard
from understudy.net.http import HttpClient
from understudy.net.resolve import SystemResolver

PUBLIC = "127.0.0.9"
REDIRECTS_MAX = 5
MOST_BYTES = 100_000
FILM = bytes(range(256)) * 16


@dataclass
class Names:
    """A resolver of our own: each name's answers in turn, the last one from then on. asked: every question."""

    answers: dict[str, list[Sequence[str]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        answers = self.answers.get(host.removesuffix("."))
        if not answers:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return answers.pop(0) if len(answers) > 1 else answers[0]


@dataclass(frozen=True)
class Internet:
    """Both sides, and the fetcher between them. directory: where it writes."""

    public: MediaHost
    private: Sequence[MediaHost]
    names: Names
    fetcher: WebFetcher
    directory: Path

    @property
    def private_contacts(self) -> int:
        return sum(host.contacts for host in self.private)

    def spelled(self, url: str) -> str:
        """Put the ports in: P the private hosts' one, Q the public one's."""
        return url.replace("{P}", str(self.private[0].port)).replace("{Q}", str(self.public.port))

    async def fetch(self, url: str) -> bytes:
        into = self.directory / "fetched"
        await self.fetcher.fetch(self.spelled(url), into, most_bytes=MOST_BYTES)
        return into.read_bytes()

    async def is_refused(self, url: str) -> str:
        """Fetch what must not be had; return the reason."""
        before = self.private_contacts
        with pytest.raises(NotFetched) as failed:
            await self.fetch(url)
        assert self.private_contacts == before, "a private address was contacted"
        assert not list(self.directory.iterdir())
        return failed.value.reason


@pytest.fixture(scope="module")
def hosts() -> Iterator[tuple[MediaHost, tuple[MediaHost, ...]]]:
    with ExitStack() as stack:
        first = stack.enter_context(media_host("127.0.0.1"))
        private = [first, stack.enter_context(media_host("127.0.0.2", port=first.port))]
        if socket.has_ipv6:
            with suppress(OSError):
                private.append(stack.enter_context(media_host("::1", port=first.port)))
        for each in private:
            each.otherwise(file(FILM))
        yield stack.enter_context(media_host(PUBLIC)), tuple(private)


def names() -> Names:
    return Names(
        {
            "public.test": [[PUBLIC]],
            "localhost": [["127.0.0.1", "::1"]],
            "ip6-localhost": [["::1"]],
            "a.localhost": [["127.0.0.1"]],
            "private.test": [["127.0.0.1"]],
            "six.test": [["::1"]],
            "mapped.test": [["::ffff:127.0.0.1"]],
            "metadata.test": [["169.254.169.254"]],
            "zone.test": [["fe80::1%lo"]],
            "garbled.test": [["127.1"]],
            "mixed.test": [[PUBLIC, "127.0.0.1"]],
            "mixed-first.test": [["127.0.0.1", PUBLIC]],
            "mixed-six.test": [[PUBLIC, "::1"]],
            "many.test": [[*[PUBLIC] * 20, "127.0.0.1"]],
            "empty.test": [[]],
        }
    )


async def no_pause(pause_s: float) -> None:
    del pause_s


@pytest.fixture
async def internet(hosts: tuple[MediaHost, tuple[MediaHost, ...]], tmp_path: Path) -> AsyncIterator[Internet]:
    async for each in between(hosts, tmp_path, allowed=PUBLIC):
        yield each


async def between(
    hosts: tuple[MediaHost, tuple[MediaHost, ...]], directory: Path, allowed: str
) -> AsyncIterator[Internet]:
    known = names()
    client = HttpClient(Guard.reading(allowed), known)
    downloader = Downloader(client, redirects_max=REDIRECTS_MAX, pause=no_pause)
    try:
        yield Internet(*hosts, known, WebFetcher(downloader), directory)
    finally:
        await client.close()


IPV4 = """
    127.0.0.1 127.0.0.2 127.255.255.254 127.1 127.0.1 2130706433 0x7f000001 0x7F.0.0.1 0x7f.1 0177.0.0.1
    017700000001 0177.0.0.0x1 127.0.0.1. 127.0.0.01 00127.0.0.1 127.0.0.1.. 4425097473 １２７.0.0.1 ①②⑦.⓪.⓪.①
    127。0。0。1 127．0．0．1 0.0.0.0 0 0x0 00.00.00.00 0.0.0.1 256.0.0.1 127.0.0.1%2f.public.test
    127.0.0.1%00.public.test %31%32%37.0.0.1
"""

IPV6 = """
    [::1] [0:0:0:0:0:0:0:1] [0000::0001] [::] [::0] [::ffff:127.0.0.1] [::ffff:7f00:1] [::FFFF:127.0.0.1]
    [::127.0.0.1] [0:0:0:0:0:ffff:127.0.0.1] [::ffff:0:127.0.0.1] [64:ff9b::127.0.0.1] [64:ff9b::7f00:1]
    [64:ff9b:1::7f00:1] [2002:7f00:1::] [2001:0:7f00:1::] [::1%25lo] [::1%lo] [::1%251] [fe80::1%25lo] [fe80::1]
    [fc00::1] [fd00:ec2::254] [fec0::1] [ff02::1] [2001:db8::1] [100::1] [5f00::1] [::ffff:127.1] [127.0.0.1]
    [v1.localhost] [::1
"""

NOT_PUBLIC = """
    10.0.0.1 172.16.0.1 172.31.255.255 192.168.0.1 100.64.0.1 100.100.100.200 169.254.169.254 192.0.0.192
    192.0.2.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
    192.88.99.1 168.63.129.16
"""

NAMES = """
    localhost LOCALHOST localhost. a.localhost ip6-localhost ⓛocalhost private.test PRIVATE.test private.test.
    private。test six.test mapped.test metadata.test zone.test garbled.test mixed.test mixed-first.test
    mixed-six.test many.test empty.test unknown.test
"""

TRICKS = [
    "http://public.test@127.0.0.1:{P}/",
    "http://public.test:80@127.0.0.1:{P}/",
    "http://127.0.0.1:{P}@public.test/",
    "http://@127.0.0.1:{P}/",
    "http://user:secret@private.test:{P}/",
    "http://public.test%40127.0.0.1:{P}/",
    "http://public.test\\@127.0.0.1:{P}/",
    "http://127.0.0.1:{P}\\@public.test/",
    "http://127.0.0.1:{P}\\.public.test/",
    "http:\\\\127.0.0.1:{P}\\",
    "http:/\\127.0.0.1:{P}/",
    "http://public.test:1@2@127.0.0.1:{P}/",
    "http://public.test#@127.0.0.1:{P}/",
    "http://public.test?@127.0.0.1:{P}/",
    "http://public.test;@127.0.0.1:{P}/",
    "http://public.test,127.0.0.1:{P}/",
    "http://public.test 127.0.0.1:{P}/",
    "http://127.0.0.1 public.test:{P}/",
    "http://public.test\t@127.0.0.1:{P}/",
    "http://127.0.\n0.1:{P}/",
    "http://127.0.0.1:{P}\r\nHost: public.test\r\n\r\n/",
    "http://127.0.0.1\x00.public.test:{P}/",
    "ht\ttp://127.0.0.1:{P}/",
    "\x01http://127.0.0.1:{P}/",
    "//127.0.0.1:{P}/",
    "127.0.0.1:{P}/",
    "http:127.0.0.1:{P}/",
    "http:/127.0.0.1:{P}/",
    "http:///127.0.0.1:{P}/",
    "http://:{P}/",
    "http://[127.0.0.1:{P}]/",
    "http://127.0.0.1:{P}:80/",
    "http://public.test:22/",
    "http://public.test:25/",
    "http://public.test:0/",
    "http://public.test:99999/",
    "http://public.test:+{Q}/",
    "http://public.test:8_0/",
    "http://public.test:８０/",
    "http://" + "a" * 9000 + "/",
    "",
]

SCHEMES = [
    "file:///etc/passwd",
    "FILE:///etc/passwd",
    "file://localhost/etc/passwd",
    "file:/etc/passwd",
    "/etc/passwd",
    "gopher://127.0.0.1:{P}/_GET%20/",
    "ftp://127.0.0.1:{P}/film.mp4",
    "dict://127.0.0.1:{P}/stat",
    "ws://127.0.0.1:{P}/",
    "unix:///var/run/docker.sock",
    "http+unix://%2Fvar%2Frun%2Fdocker.sock/info",
    "tcp://127.0.0.1:{P}/",
    "view-source:http://127.0.0.1:{P}/",
    "url:http://127.0.0.1:{P}/",
    "concat:http://127.0.0.1:{P}/|http://127.0.0.1:{P}/",
    "data:text/plain,hello",
]


@pytest.mark.parametrize("host", " ".join([IPV4, IPV6, NOT_PUBLIC, NAMES]).split())
async def test_no_spelling_of_a_private_host_is_contacted(internet: Internet, host: str) -> None:
    await internet.is_refused(f"http://{host}:{{P}}/film.mp4")


@pytest.mark.parametrize("url", [*TRICKS, *SCHEMES])
async def test_no_trick_of_spelling_leads_to_a_private_host(internet: Internet, url: str) -> None:
    await internet.is_refused(url)


async def test_the_machines_own_resolver_does_not_open_localhost(internet: Internet) -> None:
    resolver = SystemResolver()
    client = HttpClient(Guard.reading(PUBLIC), resolver)
    before = internet.private_contacts
    with pytest.raises(NotFetched, match="loopback"):
        await WebFetcher(Downloader(client, redirects_max=1)).fetch(
            internet.spelled("http://localhost:{P}/"), internet.directory / "fetched", most_bytes=MOST_BYTES
        )
    assert internet.private_contacts == before
    await client.close()
    resolver.close()


LEADS = [
    "http://127.0.0.1:{P}/film.mp4",
    "//127.0.0.1:{P}/film.mp4",
    "http://2130706433:{P}/",
    "http://[::1]:{P}/",
    "http://[::ffff:127.0.0.1]:{P}/",
    "http://0.0.0.0:{P}/",
    "http://localhost:{P}/",
    "http://private.test:{P}/",
    "http://mixed.test:{P}/",
    "http://public.test@127.0.0.1:{P}/",
    "http://public.test\\@127.0.0.1:{P}/",
    "https://127.0.0.1:{P}/",
    "http:////127.0.0.1:{P}/",
    "/\\127.0.0.1:{P}/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:{P}/_x",
    "javascript:fetch('http://127.0.0.1:{P}/')",
]


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("to", LEADS)
async def test_no_redirect_leads_to_a_private_host(internet: Internet, code: int, to: str) -> None:
    internet.public.on("/film.mp4", redirect(internet.spelled(to), code))
    await internet.is_refused("http://public.test:{Q}/film.mp4")


@pytest.mark.parametrize("hops", [2, 3, REDIRECTS_MAX])
async def test_a_chain_of_redirects_is_judged_at_its_end_as_well(internet: Internet, hops: int) -> None:
    for hop in range(1, hops):
        internet.public.on(f"/{hop}", redirect(f"/{hop + 1}"))
    internet.public.on(f"/{hops}", redirect(internet.spelled("http://127.0.0.1:{P}/")))
    assert "loopback" in await internet.is_refused("http://public.test:{Q}/1")


async def test_a_name_is_judged_anew_on_each_hop(internet: Internet) -> None:
    internet.names.answers["flips.test"] = [[PUBLIC], ["127.0.0.1"]]
    internet.public.on("/here", redirect(internet.spelled("http://flips.test:{P}/film.mp4")))
    assert "loopback" in await internet.is_refused("http://flips.test:{Q}/here")
    assert internet.names.asked == ["flips.test", "flips.test"]


async def test_a_name_that_flips_after_it_was_judged_flips_too_late(internet: Internet) -> None:
    internet.names.answers["flips.test"] = [[PUBLIC], ["127.0.0.1"]]
    internet.public.on("/film.mp4", file(FILM))
    before = internet.private_contacts
    assert await internet.fetch("http://flips.test:{Q}/film.mp4") == FILM
    assert internet.names.asked == ["flips.test"]
    assert internet.private_contacts == before


async def test_a_name_that_flips_before_another_try_is_refused_there(internet: Internet) -> None:
    internet.names.answers["flips.test"] = [[PUBLIC], ["127.0.0.1"]]
    internet.public.on("/film.mp4", status(503), file(FILM))
    assert "loopback" in await internet.is_refused("http://flips.test:{Q}/film.mp4")


async def test_a_connection_that_is_kept_open_does_not_outlive_the_judgement_of_its_name(internet: Internet) -> None:
    def kept(asked: Asked, connection: Connection) -> None:
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfilm")
        silent()(asked, connection)

    internet.names.answers["flips.test"] = [[PUBLIC], ["127.0.0.1"]]
    internet.public.on("/film.mp4", kept)
    assert await internet.fetch("http://flips.test:{Q}/film.mp4") == b"film"
    (internet.directory / "fetched").unlink()
    assert "loopback" in await internet.is_refused("http://flips.test:{Q}/film.mp4")


async def test_a_redirect_to_itself_comes_to_an_end(internet: Internet) -> None:
    internet.public.on("/round", redirect("/round"))
    before = internet.public.contacts
    assert "redirects" in await internet.is_refused("http://public.test:{Q}/round")
    assert internet.public.contacts - before == REDIRECTS_MAX + 1


async def test_redirects_that_never_repeat_come_to_an_end(internet: Internet) -> None:
    def further(asked: Asked, connection: Connection) -> None:
        redirect(asked.path + "x")(asked, connection)

    internet.public.otherwise(further)
    assert "redirects" in await internet.is_refused("http://public.test:{Q}/a")
    internet.public.otherwise(status(404))


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_a_redirect_that_says_not_where_is_no_film(internet: Internet, code: int) -> None:
    internet.public.on("/film.mp4", status(code))
    assert await internet.is_refused("http://public.test:{Q}/film.mp4") == f"HTTP {code}"


@pytest.mark.parametrize(
    "header",
    [
        ("Refresh", "0; url=http://127.0.0.1:{P}/"),
        ("Content-Location", "http://127.0.0.1:{P}/"),
        ("Alt-Svc", 'h2="127.0.0.1:{P}", http/1.1="127.0.0.1:{P}"'),
        ("Link", "<http://127.0.0.1:{P}/>; rel=preload"),
        ("Location", "http://127.0.0.1:{P}/"),
    ],
)
async def test_no_other_header_leads_anywhere(internet: Internet, header: tuple[str, str]) -> None:
    internet.public.on("/film.mp4", status(200, FILM, {header[0]: internet.spelled(header[1])}))
    before = internet.private_contacts
    assert await internet.fetch("http://public.test:{Q}/film.mp4") == FILM
    assert internet.private_contacts == before


async def test_a_proxy_of_the_environment_is_not_asked(internet: Internet, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, internet.spelled("http://127.0.0.1:{P}"))
    internet.public.on("/film.mp4", file(FILM))
    before = internet.private_contacts
    assert await internet.fetch("http://public.test:{Q}/film.mp4") == FILM
    assert internet.private_contacts == before


async def test_no_password_of_the_environment_and_no_cookie_goes_along(
    internet: Internet, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    netrc = tmp_path_factory.mktemp("home") / "netrc"
    netrc.write_text("default login someone password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    internet.public.on("/first", status(302, b"", {"Location": "/film.mp4", "Set-Cookie": "who=me; Path=/"}))
    internet.public.on("/film.mp4", file(FILM))
    await internet.fetch("http://public.test:{Q}/first")
    sent = internet.public.requests[-1].headers
    assert sent.keys() == {"host", "user-agent", "accept", "accept-encoding"}


HEADERS = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n"
BOMBS = {
    "promises for ever": endless_promises(),
    "a body in crumbs": chunked(bytes(20_000), 1),
    "endless body in chunks": endless(),
    "endless body of a huge declared length": endless(1 << 50),
    "a declared length of no number": raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9z\r\n\r\nfilm"),
    "a negative length": raw(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nfilm"),
    "two lengths": raw(HEADERS + b"Content-Length: 5\r\n\r\nfilm!"),
    "endless headers": endless_headers(),
    "many headers": raw(HEADERS + b"A: b\r\n" * 5000 + b"\r\nfilm"),
    "one long header": raw(HEADERS + b"A: " + b"b" * 100_000 + b"\r\n\r\nfilm"),
    "a long name of a header": raw(HEADERS + b"A" * 100_000 + b": b\r\n\r\nfilm"),
    "a long status line": raw(b"HTTP/1.1 200 " + b"O" * 100_000 + b"\r\n\r\nfilm"),
    "a header of control characters": raw(HEADERS + b"A: b\x00c\r\n\r\nfilm"),
    "a chunk of a huge size": raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 400 + b"\r\nfilm"),
    "no HTTP at all": raw(b"220 mail.test ESMTP\r\n" * 3),
    "nothing at all": raw(b""),
}


async def test_a_hint_before_the_answer_is_passed_over(internet: Internet) -> None:
    hint = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    internet.public.on("/film.mp4", raw(hint * 3 + HEADERS + b"\r\nfilm"))
    assert await internet.fetch("http://public.test:{Q}/film.mp4") == b"film"


async def test_a_few_small_chunks_are_a_body_like_any_other(internet: Internet) -> None:
    internet.public.on("/film.mp4", chunked(bytes(500), 1))
    assert await internet.fetch("http://public.test:{Q}/film.mp4") == bytes(500)


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
async def test_a_bomb_ends_by_itself(internet: Internet, bomb: object) -> None:
    internet.public.on("/film.mp4", bomb)  # type: ignore[arg-type]
    await internet.is_refused("http://public.test:{Q}/film.mp4")


def slow_headers(_: Asked, connection: Connection) -> None:
    for each in b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 50:
        if not connection.wait(0.02):
            return
        connection.send(bytes([each]))


SLOW = {
    "one byte at a time": drip(FILM, 0.02),
    "not a word": silent(),
    "one byte of a header at a time": slow_headers,
}


@pytest.mark.parametrize("slow", SLOW.values(), ids=SLOW.keys())
async def test_who_waits_too_long_can_leave_and_nothing_stays_behind(internet: Internet, slow: object) -> None:
    internet.public.on("/film.mp4", slow)  # type: ignore[arg-type]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await internet.fetch("http://public.test:{Q}/film.mp4")
    assert not list(internet.directory.iterdir())


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.1", "10.0.0.0/8, 127.0.0.0/8"),
        ("127.0.0.2", "127.0.0.0/8"),
        ("private.test", "private.test"),
        ("PRIVATE.test.", "private.test"),
        ("mixed.test", f"127.0.0.1 {PUBLIC}"),
        ("[::1]", "::1"),
        ("six.test", "::/0"),
    ],
)
async def test_what_the_operator_allows_is_contacted_and_these_very_counters_see_it(
    hosts: tuple[MediaHost, tuple[MediaHost, ...]], tmp_path: Path, host: str, allowed: str
) -> None:
    if "::" in allowed and len(hosts[1]) < 3:
        pytest.skip("this machine has no IPv6 loopback")
    async for internet in between(hosts, tmp_path, allowed):
        before = internet.private_contacts
        assert await internet.fetch(f"http://{host}:{{P}}/film.mp4") == FILM
        assert internet.private_contacts == before + 1


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("127.0.0.2", "127.0.0.1"),
        ("[::ffff:127.0.0.1]", "127.0.0.0/8"),
        ("localhost", "private.test"),
        ("private.test", "test"),
        ("mixed.test", PUBLIC),
        ("127.1", "127.0.0.0/8"),
        ("[::1%25lo]", "::/0"),
    ],
)
async def test_what_the_operator_allows_opens_nothing_beside_it(
    hosts: tuple[MediaHost, tuple[MediaHost, ...]], tmp_path: Path, host: str, allowed: str
) -> None:
    async for internet in between(hosts, tmp_path, allowed):
        await internet.is_refused(f"http://{host}:{{P}}/film.mp4")
