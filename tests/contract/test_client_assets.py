"""The library through the client and the command line, against a running server: files arrive whole, and go on."""

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from asset_worker import PICTURE, take_in
from running_server import running_server
from understudy.cli import app
from understudy.client import uploads as client_uploads
from understudy.client.assets import Library
from understudy.client.blocking import Client
from understudy.core.errors import NotFound, Rejected
from understudy.service.uploads import Uploads

CONTENT = bytes(range(256)) * 64


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")

    def changed(house):
        return replace(house, uploads=Uploads(folder / "uploads", house.assets, bytes_max=1 << 20))

    with running_server(folder, changes=changed) as running:
        yield running


@pytest.fixture
def library(server, monkeypatch):
    monkeypatch.setattr(client_uploads, "PIECE_BYTES", 5000)
    with Client(server.url, server.api_key) as client:
        yield Library(client)


def test_a_file_is_sent_in_pieces_and_told_how_far_it_is(server, library, tmp_path):
    path, told = tmp_path / "a.png", []
    path.write_bytes(CONTENT)
    asset = library.add_file(path, on_sent=lambda there, size: told.append((there, size)), name="n")
    assert (asset["status"], asset["name"]) == ("processing", "n")
    assert told == [(there, len(CONTENT)) for there in (0, 5000, 10000, 15000, len(CONTENT))]
    stored = server.house.assets.store
    (row,) = server.do(stored.assets(server.owner, [asset["id"]]))
    assert server.house.uploads.path_of(row.upload).read_bytes() == CONTENT
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_was_broken_off_goes_on_in_another_call(server, library, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(CONTENT)

    def give_up(there, _):
        if there == 10000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        library.add_file(path, on_sent=give_up)
    told = []
    assert library.add_file(path, on_sent=lambda there, _: told.append(there))["id"]
    assert told[0] == 10000
    assert list(tmp_path.iterdir()) == [path]


def test_another_file_of_the_same_name_begins_anew(library, tmp_path):
    path, told = tmp_path / "a.png", []
    path.write_bytes(CONTENT)

    def give_up(there, _):
        if there:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        library.add_file(path, on_sent=give_up)
    path.write_bytes(CONTENT[::-1])
    assert library.add_file(path, on_sent=lambda there, _: told.append(there))["id"]
    assert told[0] == 0


def test_assets_are_listed_renamed_and_removed(library):
    made = library.add_url("https://example.com/a.png", id="asset_a", group="g")
    assert library.rename("asset_a", "x")["name"] == "x"
    assert [each["id"] for each in library.list(name="x")["data"]] == [made["id"]]
    assert library.groups()["data"][0]["name"] == "g"
    library.remove("asset_a")
    with pytest.raises(NotFound):
        library.get("asset_a")
    with pytest.raises(Rejected):
        library.add_url("ftp://example.com/a.png")


def run(server, *arguments):
    environment = {"UNDERSTUDY_BASE_URL": server.url, "UNDERSTUDY_API_KEY": server.api_key}
    return CliRunner().invoke(app, ["assets", *arguments], env=environment)


def test_the_command_line_adds_lists_shows_and_removes(server, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(PICTURE)
    added = run(server, "add", str(path), "--id", "asset_a", "--group", "people", "--no-wait")
    assert added.stdout == "asset://asset_a\tprocessing\timage\ta.png\n", added.output
    take_in(server, tmp_path, {})
    assert run(server, "list").stdout == "asset://asset_a\tactive\timage\ta.png\n"
    assert json.loads(run(server, "show", "asset_a").stdout)["width"] == 640
    assert run(server, "rename", "asset_a", "b").stdout.endswith("\tb\n")
    assert "people" in run(server, "groups").stdout
    assert run(server, "rm", "asset_a").exit_code == 0
    assert run(server, "show", "asset_a").exit_code == 1


def test_an_asset_is_known_by_the_address_that_a_listing_prints(server):
    address = run(server, "add", "https://example.com/a.png", "--no-wait").stdout.split("\t")[0]
    assert run(server, "rename", address, "b").stdout == f"{address}\tprocessing\timage\tb\n"
    assert json.loads(run(server, "show", address).stdout)["asset_url"] == address
    assert run(server, "rm", address).exit_code == 0
    assert run(server, "list", "--name", "b").stdout == ""


def test_an_asset_of_an_address_is_named_by_its_last_part(server):
    added = run(server, "add", "https://example.com/cats/a%20cat.png?size=1", "--no-wait")
    assert added.stdout.endswith("\ta cat.png\n"), added.output


def test_a_long_name_is_shortened_before_its_ending(server, tmp_path):
    path = tmp_path / f"{'x' * 80}.png"
    path.write_bytes(PICTURE)
    name = f"{'x' * 60}.png"
    assert run(server, "add", str(path), "--no-wait").stdout.endswith(f"\t{name}\n")
    added = run(server, "add", f"https://example.com/{path.name}", "--no-wait")
    assert added.stdout.endswith(f"\t{name}\n"), added.output


def test_a_group_is_known_by_its_name_and_by_its_id(server):
    run(server, "add", "https://example.com/a.png", "--group", "people", "--id", "asset_a", "--no-wait")
    run(server, "add", "https://example.com/a.png", "--group", "people 2", "--no-wait")
    group_id = json.loads(run(server, "show", "asset_a").stdout)["group_id"]
    for group in ("people", group_id):
        assert run(server, "list", "--group", group).stdout.startswith("asset://asset_a\t")
        assert len(run(server, "list", "--group", group).stdout.splitlines()) == 1
    assert run(server, "list", "--group", "nobody").stdout == ""


def test_the_command_line_says_why_an_asset_failed(server, tmp_path):
    registered = run(server, "add", "https://example.com/a.png", "--id", "asset_b", "--no-wait")
    assert registered.exit_code == 0
    take_in(server, tmp_path, {})
    shown = json.loads(run(server, "show", "asset_b").stdout)
    assert shown["error"]["code"] == "DownloadFailed"


def test_the_command_line_prints_what_signs_requests(server):
    printed = run(server, "credentials").stdout
    assert printed.startswith("AccessKeyId\tAK")
    assert "SecretAccessKey\t" in printed


def test_a_file_that_is_not_there_is_told_in_words(server, tmp_path):
    ended = run(server, "add", str(tmp_path / "nothing.png"))
    assert ended.exit_code == 1
    assert "there is no such file" in ended.output
