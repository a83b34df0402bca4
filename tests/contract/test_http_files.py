"""Result links: they open without a key, for a day, in parts, and only what they name."""

from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from running_server import LAST_FRAME, SECRET, VIDEO, Answer, RunningServer, running_server
from understudy.server.links import LinkSigner

TASKS = "/api/v3/contents/generations/tasks"
CONTENT = b'"content": [{"type": "text", "text": "A cat"}]'
REQUEST = b'{"model": "doubao-seedance-2-0-260128", "return_last_frame": true, ' + CONTENT + b"}"
NO_KEY = {"Authorization": ""}


class Results:
    """The links of one succeeded task, opened without a key."""

    def __init__(self, server: RunningServer) -> None:
        self.server = server
        self.task_id = server.call("POST", TASKS, REQUEST).json()["id"]
        server.succeed(self.task_id)
        content = server.call("GET", f"{TASKS}/{self.task_id}").json()["content"]
        self.video, self.last_frame = (_path(content[name]) for name in ("video_url", "last_frame_url"))

    def open(self, path: str = "", method: str = "GET", **headers: str) -> Answer:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.server.call(method, path or self.video, headers=NO_KEY | sent)


def _path(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


@pytest.fixture
def results(server: RunningServer) -> Results:
    return Results(server)


def test_a_link_gives_the_whole_film_without_a_key(results):
    answer = results.open()
    assert (answer.status, answer.body) == (200, VIDEO)
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["content-length"] == str(len(VIDEO))
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-disposition"] == f'inline; filename="{results.task_id}.mp4"'
    assert answer.headers["cache-control"].startswith("private, max-age=86400")
    assert "content-encoding" not in answer.headers


def test_a_link_gives_the_last_frame_as_png(results):
    answer = results.open(results.last_frame)
    assert (answer.status, answer.body) == (200, LAST_FRAME)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-disposition"] == f'inline; filename="{results.task_id}-last_frame.png"'


def test_head_tells_the_same_as_get_and_sends_nothing(results):
    got, asked = results.open(), results.open(method="HEAD")
    assert (asked.status, asked.body) == (200, b"")
    for name in ("content-length", "content-type", "etag", "accept-ranges", "content-disposition"):
        assert asked.headers[name] == got.headers[name]


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-1023", 0, 1023),
        ("bytes=1000000-", 1_000_000, len(VIDEO) - 1),
        ("bytes=-500", len(VIDEO) - 500, len(VIDEO) - 1),
        (f"bytes={len(VIDEO) - 1}-{len(VIDEO) + 99}", len(VIDEO) - 1, len(VIDEO) - 1),
        ("bytes=262143-524289", 262_143, 524_289),
    ],
)
def test_a_range_gives_those_bytes_and_says_which(results, asked, first, last):
    answer = results.open(Range=asked)
    assert (answer.status, answer.body) == (206, VIDEO[first : last + 1])
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(VIDEO)}"
    assert answer.headers["content-length"] == str(last - first + 1)


@pytest.mark.parametrize("asked", ["bytes=5-2", "bytes=x", "lines=1-2", "bytes=0-1,5-9"])
def test_what_is_not_one_range_gives_the_whole_film(results, asked):
    answer = results.open(Range=asked)
    assert (answer.status, len(answer.body)) == (200, len(VIDEO))


@pytest.mark.parametrize("asked", [f"bytes={len(VIDEO)}-", "bytes=-0"])
def test_a_range_outside_the_film_is_told_its_size(results, asked):
    answer = results.open(Range=asked)
    assert answer.status == 416
    assert answer.headers["content-range"] == f"bytes */{len(VIDEO)}"
    assert answer.error["param"] == "Range"


def test_a_range_of_another_version_gives_the_whole_film(results):
    etag = results.open(method="HEAD").headers["etag"]
    assert results.open(Range="bytes=0-9", If_Range=etag).status == 206
    assert results.open(Range="bytes=0-9", If_Range='"another"').status == 200
    assert results.open(Range="bytes=0-9", If_Range="Sat, 21 Nov 2026 12:00:00 GMT").status == 200


def test_what_the_client_has_already_is_not_sent_again(results):
    etag = results.open(method="HEAD").headers["etag"]
    answer = results.open(If_None_Match=f'"x", {etag}')
    assert (answer.status, answer.body) == (304, b"")
    assert results.open(If_None_Match='"x"').status == 200


def test_a_link_ends_after_a_day_and_a_new_poll_gives_a_new_one(results):
    results.server.clock.advance(seconds=86_399)
    assert results.open(method="HEAD").status == 200
    results.server.clock.advance(seconds=1)
    answer = results.open()
    assert (answer.status, answer.error["code"]) == (403, "AccessDenied")
    fresh = results.server.call("GET", f"{TASKS}/{results.task_id}").json()["content"]["video_url"]
    assert results.open(_path(fresh), method="HEAD").status == 200


def test_a_link_survives_a_restart_of_the_server_with_the_same_secret(results):
    now_s = results.server.clock.now().timestamp()
    again = LinkSigner(SECRET, lifetime_s=86_400).url("", results.video.split("?")[0].removeprefix("/files/"), now_s)
    assert again == results.video


@pytest.mark.parametrize(
    "forge",
    [
        lambda link: link.split("?")[0],
        lambda link: link[:-1] + ("0" if link[-1] != "0" else "1"),
        lambda link: link.replace("expires=", "expires=9"),
        lambda link: link.replace("video.mp4", "last_frame.png"),
        lambda link: link + "&expires=1",
        lambda link: link.replace("signature=", "signature=%FF%00"),
        lambda link: link.replace("/files/", "/files/../files/"),
        lambda link: link.replace("video.mp4", "..%2F..%2Fsecret"),
        lambda link: link.replace("video.mp4", "video.mp4%00"),
        lambda link: f"/files/?{link.partition('?')[2]}",
    ],
)
def test_a_forged_link_opens_nothing(results, forge):
    forged = forge(results.video)
    if forged.endswith("&expires=1"):
        assert results.open(forged, method="HEAD").status == 200, "the first value counts, and it is the signed one"
        return
    answer = results.open(forged)
    assert answer.status in (403, 404)
    assert answer.error["code"] in ("AccessDenied", "NotFound.File", "NotFound.Path")


@pytest.mark.parametrize("key", ["../api_key", "x/../../secret", "/etc/passwd", "20200101000000-00000-1/video.mp4"])
def test_a_signed_link_to_what_is_no_blob_finds_nothing(server, key):
    link = server.house.links.url("", key, server.clock.now().timestamp())
    answer = server.call("GET", link, headers=NO_KEY)
    assert (answer.status, answer.error["code"]) == (404, "NotFound.File")


def test_a_deleted_tasks_link_finds_nothing(results):
    results.server.call("DELETE", f"{TASKS}/{results.task_id}")
    assert results.open().status == 404


def test_the_link_of_one_server_is_refused_by_another(results):
    stranger = LinkSigner(b"another secret", lifetime_s=86_400)
    key = results.video.split("?")[0].removeprefix("/files/")
    assert results.open(stranger.url("", key, results.server.clock.now().timestamp())).status == 403


def test_links_lead_where_the_client_asked(results):
    def root(**headers: str) -> str:
        shown = results.server.call("GET", f"{TASKS}/{results.task_id}", headers=headers).json()
        return str(shown["content"]["video_url"]).partition("/files/")[0]

    assert root(Host="films.example.com:8080") == "http://films.example.com:8080"
    assert root(Host="evil.example/?") == results.server.url
    assert root(Host="a@evil.example") == results.server.url


def test_the_public_url_wins_over_the_host(server: RunningServer, tmp_path):
    def public(house):
        return replace(house, public_url="https://films.example.com/under")

    with running_server(tmp_path, changes=public) as behind:
        made = Results(behind)
        shown = behind.call("GET", f"{TASKS}/{made.task_id}").json()["content"]["video_url"]
    assert shown.startswith("https://films.example.com/under/files/")
