"""The library in plain words over HTTP: files in one piece or in many, lists, names, groups, and the file itself."""

import asyncio
import base64
import hashlib
import json
from dataclasses import replace

import pytest

from asset_worker import FILM, PICTURE, SOUND, take_in
from running_server import running_server
from understudy.core.errors import Conflict, RateLimited
from understudy.service import uploads as service
from understudy.service.uploads import NewUpload, Uploads

URL = "https://example.com/reference.webp"
BYTES_MAX = 1 << 20


def with_uploads(folder):
    def changed(house):
        return replace(house, uploads=Uploads(folder, house.assets, bytes_max=BYTES_MAX))

    return changed


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    with running_server(folder, changes=with_uploads(folder / "uploads")) as running:
        yield running


def send(server, method, path, fields=None, headers=None):
    return server.call(method, path, None if fields is None else json.dumps(fields).encode(), headers or {})


def answered(answer, status=200):
    assert answer.status == status, answer
    return answer.json()


def refused(answer):
    error = answer.json()["error"]
    return answer.status, error["param"]


def registered(server, **said):
    return answered(send(server, "POST", "/v1/assets", {"url": URL, **said}))


def form(**parts):
    """Return a multipart body and its header. parts: name -> text, or bytes of a file."""
    body = b""
    for name, value in parts.items():
        kind = b'; filename="a.bin"\r\nContent-Type: application/octet-stream' if isinstance(value, bytes) else b""
        content = value if isinstance(value, bytes) else value.encode()
        body += b'--x\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n%b\r\n' % (name.encode(), kind, content)
    return body + b"--x--\r\n", {"Content-Type": "multipart/form-data; boundary=x"}


def begun(server, content, **said):
    return answered(send(server, "POST", "/v1/uploads", {"size_bytes": len(content), **said}), 201)["id"]


def piece(server, upload_id, content, offset, **headers):
    return server.call("PATCH", f"/v1/uploads/{upload_id}", content, {"Upload-Offset": str(offset), **headers})


def test_an_address_is_registered_and_becomes_active(server, tmp_path):
    made = registered(server, name="child")
    assert (made["status"], made["type"], made["asset_url"]) == ("processing", "image", f"asset://{made['id']}")
    take_in(server, tmp_path, {URL: PICTURE})
    shown = answered(send(server, "GET", f"/v1/assets/{made['id']}"))
    assert (shown["status"], shown["format"], shown["width"], shown["height"]) == ("active", "png", 640, 480)
    content = send(server, "GET", f"/v1/assets/{made['id']}/content")
    assert (content.status, content.body) == (200, PICTURE)
    part = send(server, "GET", f"/v1/assets/{made['id']}/content", headers={"Range": "bytes=1-3"})
    assert (part.status, part.body) == (206, b"PNG")


@pytest.mark.parametrize(("content", "kind"), [(PICTURE, "image"), (FILM, "video"), (SOUND, "audio")])
def test_a_file_of_a_form_is_registered_as_what_it_is(server, tmp_path, content, kind):
    made = answered(server.call("POST", "/v1/assets", *form(file=content, name="n", group="g", id="asset_a")))
    assert (made["id"], made["type"], made["name"]) == ("asset_a", kind, "n")
    take_in(server, tmp_path, {})
    assert send(server, "GET", "/v1/assets/asset_a/content").body == content


def test_a_file_that_has_no_content_yet_is_not_found(server):
    assert send(server, "GET", f"/v1/assets/{registered(server)['id']}/content").status == 404


def test_assets_without_a_group_are_in_the_default_one(server):
    registered(server)
    registered(server)
    registered(server, group="others")
    groups = answered(send(server, "GET", "/v1/asset-groups"))
    assert [each["name"] for each in groups["data"]] == ["others", "default"]
    shown = answered(send(server, "GET", f"/v1/assets?group_id={groups['data'][1]['id']}"))
    assert shown["total"] == 2


def test_a_group_is_made_changed_and_removed_with_its_assets(server):
    group = answered(send(server, "POST", "/v1/asset-groups", {"name": "g", "description": "d"}))
    made = registered(server, group=group["id"])
    path = f"/v1/asset-groups/{group['id']}"
    assert answered(send(server, "PATCH", path, {"name": "h"}))["description"] == "d"
    assert answered(send(server, "GET", path))["name"] == "h"
    assert send(server, "DELETE", path).status == 204
    assert send(server, "GET", f"/v1/assets/{made['id']}").status == 404


def test_an_asset_is_renamed_and_removed(server):
    path = f"/v1/assets/{registered(server)['id']}"
    assert answered(send(server, "PATCH", path, {"name": "x"}))["name"] == "x"
    assert send(server, "DELETE", path).status == 204
    assert send(server, "DELETE", path).status == 404


def test_assets_are_listed_by_what_they_are(server):
    made = [
        registered(server, name=name, type=kind) for name, kind in (("a", "image"), ("b", "video"), ("ab", "video"))
    ]

    def listed(query):
        return [each["id"] for each in answered(send(server, "GET", f"/v1/assets?{query}"))["data"]]

    assert listed("") == [each["id"] for each in reversed(made)]
    assert listed("type=video&name=a") == [made[2]["id"]]
    assert listed("status=active") == []
    page = answered(send(server, "GET", "/v1/assets?limit=2"))
    assert listed(f"limit=2&after={page['next']}") == [made[0]["id"]]


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "after=x", "status=done", "type=text"])
def test_a_listing_that_cannot_be_is_refused(server, query):
    assert refused(send(server, "GET", f"/v1/assets?{query}")) == (400, query.partition("=")[0])


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({}, "URL"),
        ({"url": URL, "file": "data:;base64,AA=="}, "file"),
        ({"file": "not base64"}, "file"),
        ({"file": "data:image/png;base64,A"}, "file"),
        ({"url": URL, "type": "text"}, "type"),
        ({"url": URL, "id": "a/b"}, "id"),
        ({"url": URL, "name": "x" * 65}, "Name"),
    ],
)
def test_an_asset_that_cannot_be_is_refused_and_nothing_is_made(server, fields, param):
    assert refused(send(server, "POST", "/v1/assets", fields)) == (400, param)
    assert answered(send(server, "GET", "/v1/asset-groups"))["total"] == 0


def test_what_another_caller_has_is_not_found(server):
    made, upload_id = registered(server), begun(server, PICTURE)
    stranger = server.to_a_new_caller()
    for method, path in (
        ("GET", f"/v1/assets/{made['id']}"),
        ("DELETE", f"/v1/assets/{made['id']}"),
        ("GET", f"/v1/assets/{made['id']}/content"),
        ("GET", f"/v1/asset-groups/{made['group_id']}"),
        ("DELETE", f"/v1/asset-groups/{made['group_id']}"),
        ("GET", f"/v1/uploads/{upload_id}"),
        ("DELETE", f"/v1/uploads/{upload_id}"),
        ("GET", "/v1/uploads/..%2Fsecret"),
    ):
        assert send(stranger, method, path).status == 404, path
    assert piece(stranger, upload_id, PICTURE, 0).status == 404
    assert send(server, "GET", f"/v1/uploads/{upload_id}").json()["offset"] == 0


def test_a_file_comes_in_pieces_and_becomes_an_asset(server, tmp_path):
    upload_id = begun(server, PICTURE, name="n", sha256=hashlib.sha256(PICTURE).hexdigest())
    first = piece(server, upload_id, PICTURE[:5], 0)
    assert (answered(first)["offset"], first.headers["upload-offset"]) == (5, "5")
    head = send(server, "HEAD", f"/v1/uploads/{upload_id}")
    assert (head.headers["upload-offset"], head.headers["upload-length"]) == ("5", str(len(PICTURE)))
    asset = answered(piece(server, upload_id, PICTURE[5:], 5))["asset"]
    assert (asset["status"], asset["name"]) == ("processing", "n")
    assert send(server, "GET", f"/v1/uploads/{upload_id}").status == 404
    take_in(server, tmp_path, {})
    assert send(server, "GET", f"/v1/assets/{asset['id']}/content").body == PICTURE


def test_a_piece_may_say_its_place_with_content_range(server):
    upload_id = begun(server, PICTURE)
    headers = {"Content-Range": f"bytes 0-4/{len(PICTURE)}"}
    assert answered(server.call("PATCH", f"/v1/uploads/{upload_id}", PICTURE[:5], headers))["offset"] == 5


def test_a_piece_at_the_wrong_place_is_refused_and_the_right_one_told(server):
    upload_id = begun(server, PICTURE)
    piece(server, upload_id, PICTURE[:5], 0)
    for offset in (0, 4, 6):
        answer = piece(server, upload_id, PICTURE[5:], offset)
        assert refused(answer) == (409, "offset")
        assert "5 bytes of it are here" in answer.body.decode()


@pytest.mark.parametrize("headers", [{}, {"Upload-Offset": "-1"}, {"Content-Range": "bytes */4"}])
def test_a_piece_without_a_place_is_refused(server, headers):
    upload_id = begun(server, PICTURE)
    assert refused(server.call("PATCH", f"/v1/uploads/{upload_id}", b"x", headers)) == (400, "Upload-Offset")


def test_more_than_was_announced_is_refused(server):
    upload_id = begun(server, PICTURE)
    assert refused(piece(server, upload_id, PICTURE + b"x", 0)) == (400, "body")
    assert send(server, "GET", f"/v1/uploads/{upload_id}").json()["offset"] <= len(PICTURE)


def test_what_came_before_a_client_hung_up_is_kept(server):
    upload_id = begun(server, PICTURE)
    uploads = server.house.uploads

    async def broken_off():
        yield PICTURE[:5]
        raise ConnectionError

    async def append():
        upload = await uploads.get(server.owner, upload_id)
        with pytest.raises(ConnectionError):
            await uploads.append(upload, broken_off(), offset_bytes=0)

    server.do(append())
    assert answered(piece(server, upload_id, PICTURE[5:], 5))["asset"]


def test_only_one_connection_adds_to_an_upload_at_a_time(server):
    upload_id = begun(server, PICTURE)
    uploads = server.house.uploads

    async def in_between():
        yield PICTURE[:5]
        with pytest.raises(Conflict):
            await uploads.append(await uploads.get(server.owner, upload_id), in_between(), offset_bytes=5)
        yield PICTURE[5:]

    async def append():
        return await uploads.append(await uploads.get(server.owner, upload_id), in_between(), offset_bytes=0)

    assert server.do(append()).is_whole


def test_bytes_that_are_not_those_announced_are_refused_and_gone(server):
    upload_id = begun(server, PICTURE, sha256="0" * 64)
    assert refused(piece(server, upload_id, PICTURE, 0)) == (400, "sha256")
    assert send(server, "GET", f"/v1/uploads/{upload_id}").status == 404


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"size_bytes": 0}, "size_bytes"),
        ({"size_bytes": BYTES_MAX + 1}, "size_bytes"),
        ({}, "size_bytes"),
        ({"size_bytes": 1, "sha256": "x"}, "sha256"),
        ({"size_bytes": 1, "id": "a/b"}, "id"),
        ({"size_bytes": 1, "type": "text"}, "type"),
    ],
)
def test_an_upload_that_cannot_be_is_refused_before_it_begins(server, fields, param):
    assert refused(send(server, "POST", "/v1/uploads", fields)) == (400, param)


def test_an_id_that_is_in_use_is_refused_before_anything_is_sent(server):
    registered(server, id="asset_a")
    assert refused(send(server, "POST", "/v1/uploads", {"size_bytes": 1, "id": "asset_a"})) == (400, "id")


def test_an_upload_is_discarded(server):
    upload_id = begun(server, PICTURE)
    assert send(server, "DELETE", f"/v1/uploads/{upload_id}").status == 204
    assert send(server, "GET", f"/v1/uploads/{upload_id}").status == 404


def test_only_so_many_uploads_are_unfinished(server, monkeypatch):
    monkeypatch.setattr(service, "OPEN_MOST", 2)
    for _ in range(2):
        begun(server, PICTURE)
    assert send(server, "POST", "/v1/uploads", {"size_bytes": 1}).status == 429
    assert begun(server.to_a_new_caller(), PICTURE)


def test_uploads_that_begin_in_the_same_moment_are_counted_one_by_one(server, monkeypatch):
    monkeypatch.setattr(service, "OPEN_MOST", 2)
    uploads = server.house.uploads
    new = NewUpload(size_bytes=1, name="", group="default")

    async def begin_many():
        return await asyncio.gather(*(uploads.begin(server.owner, new) for _ in range(9)), return_exceptions=True)

    begun_now = [each for each in server.do(begin_many()) if not isinstance(each, RateLimited)]
    assert len(begun_now) == 2
    assert answered(server.call("GET", "/v1/asset-groups"))["total"] == 1


def test_a_record_that_a_power_failure_tore_is_no_upload_and_stops_no_other(server):
    upload_id = begun(server, PICTURE)
    (server.house.uploads._folder / f"{upload_id}.json").write_bytes(b"")
    assert send(server, "GET", f"/v1/uploads/{upload_id}").status == 404
    assert begun(server, PICTURE)


def test_a_small_file_in_json_may_have_line_ends_as_a_large_one_may(server):
    wrapped = "data:image/png;base64," + base64.encodebytes(PICTURE).decode()
    assert answered(send(server, "POST", "/v1/assets", {"file": wrapped}))["type"] == "image"


def test_an_upload_goes_on_after_a_restart(server):
    upload_id = begun(server, PICTURE)
    piece(server, upload_id, PICTURE[:5], 0)
    old = server.house.uploads
    again = Uploads(old._folder, server.house.assets, bytes_max=BYTES_MAX)
    upload = server.do(again.get(server.owner, upload_id))
    assert (upload.offset_bytes, upload.new.size_bytes) == (5, len(PICTURE))


def test_an_upload_that_lay_still_for_a_day_is_swept(server, monkeypatch):
    upload_id = begun(server, PICTURE)
    server.do(server.house.uploads.sweep())
    assert send(server, "GET", f"/v1/uploads/{upload_id}").status == 200
    monkeypatch.setattr(service, "ABANDONED_S", -10)
    assert server.do(server.house.uploads.sweep()) >= 1
    assert send(server, "GET", f"/v1/uploads/{upload_id}").status == 404


def test_a_server_without_uploads_says_so(tmp_path):
    with running_server(tmp_path, changes=lambda house: replace(house, uploads=None)) as server:
        assert send(server, "POST", "/v1/uploads", {"size_bytes": 1}).status == 503
