"""Every example of the documents that has media, over HTTP, its files on a loopback host; the engine says what it got.

Of each request nothing is changed but the host of its media; where a document shows three letters of base64, a whole
file is sent, and assets are registered under the ids that it names.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import openai
import pytest

from inspecting_engine import INSPECTED_DIR
from seed_commands import BASE_URLS, COMMANDS, KEYS, MEDIA_HOST
from seed_media import ASSET, EXAMPLES, SHAPES, Example, SeedHost, content_of, seed_host, sha256_of
from serving_media import LOOPBACK, Served, served
from understudy.dialects.registry import CODECS

BOTH_KINDS = "apimart/002_772_case_13_asset_as_image_and_video"
"""Names one asset as an image and as a video; it is one of them only."""
ORIGINS = {"http": "web", "data": "inline", "asse": "asset"}


@dataclass(frozen=True)
class House:
    """The server, the host of the media, and where the engine writes down what it got."""

    server: Served
    media: SeedHost
    inspected_dir: Path

    def inspected(self) -> dict[str, Any]:
        """What the engine wrote down of the one job that it had since it was asked last."""
        (report,) = self.inspected_dir.iterdir()
        found: dict[str, Any] = json.loads(report.read_text("utf-8"))
        report.unlink()
        return found

    def register_assets(self, example: Example) -> None:
        for modality, address in example.media:
            if address.startswith(ASSET):
                self.server.register(address.removeprefix(ASSET), modality, self.media.asset(modality, address))

    def post(self, example: Example, body: bytes | None = None) -> tuple[int, bytes]:
        self.media.host.requests.clear()
        return self.server.send("POST", example.path, body or self.media.body_of(example), example.headers)

    def made(self, example: Example) -> dict[str, Any]:
        """Send the example and return the task, as Ark shows it, once it has succeeded."""
        self.register_assets(example)
        status, answer = self.post(example)
        assert status == 200, answer
        return self.server.ended(self.server.newest())


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    directory = tmp_path_factory.mktemp("seeds")
    inspected_dir = directory / "inspected"
    inspected_dir.mkdir()
    settings = {
        "UNDERSTUDY_ENGINE": "inspecting_engine:OFFER",
        "UNDERSTUDY_FETCH_NETWORKS": LOOPBACK,
        INSPECTED_DIR: str(inspected_dir),
    }
    with seed_host() as media, served(directory / "data", **settings) as server:
        yield House(server, media, inspected_dir)


def expected_shape(example: Example) -> str | None:
    """The shape of the first video, else of the first image (seed 004, "How adaptive works"); a sound has none."""
    kinds = {modality for modality, _ in example.media}
    return next((SHAPES[kind] for kind in ("video", "image") if kind in kinds), None)


def over(names: Any) -> Any:
    return pytest.mark.parametrize("example", [EXAMPLES[name] for name in names], ids=list(names))


def test_every_dialect_and_every_way_to_give_media_is_among_the_examples() -> None:
    assert len(EXAMPLES) > 70
    assert {example.dialect for example in EXAMPLES.values()} == set(CODECS)
    given = {(modality, address[:4]) for example in EXAMPLES.values() for modality, address in example.media}
    assert given >= {(kind, way) for kind in ("image", "video", "audio") for way in ("http", "asse")}
    assert given >= {("image", "data"), ("audio", "data")}


def got_all_of(example: Example, seen: dict[str, Any]) -> None:
    """Check that the engine got every item in its order with its role, and the very bytes that are at its address."""
    got = seen["items"]
    assert [(item["modality"], item["role"]) for item in got] == [(kind, role) for kind, _, role in example.given]
    texts = [text for kind, text, _ in example.given if kind == "text"]
    assert [item["value"] for item in got if item["modality"] == "text"] == texts
    assert seen["files_of"] == [index for index, item in enumerate(got) if item["modality"] != "text"]
    files = [got[index] for index in seen["files_of"]]
    for item, (modality, address) in zip(files, example.media, strict=True):
        assert item["sha256"] == item["said_sha256"] == sha256_of(modality, address)
        assert item["facts"]["size_bytes"] == item["size_bytes"] == len(content_of(modality, address))
        assert item["origin"] == ORIGINS[address[:4]]
        measured = ["duration_s"] if modality == "audio" else ["width_px", "height_px"]
        assert item["decoded"] == pytest.approx([item["facts"][name] for name in measured], abs=0.1)


def fetched_once(example: Example, asked: list[str]) -> bool:
    """Say whether each address was fetched once, however often it is named, and what is no address not at all."""
    return sorted(asked) == sorted({urlsplit(address).path for _, address in example.media if address[:4] == "http"})


@over([name for name in EXAMPLES if name != BOTH_KINDS])
def test_an_example_with_media_becomes_a_film_of_the_files_it_names(house: House, example: Example) -> None:
    task = house.made(example)
    seen = house.inspected()
    got_all_of(example, seen)
    assert fetched_once(example, house.media.asked)
    shape = expected_shape(example) if example.ratio == "adaptive" else example.ratio
    assert shape is None or seen["ratio"] == task["ratio"] == shape


@pytest.mark.skipif(shutil.which("curl") is None, reason="the command lines call curl")
@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_line_with_media_works_as_it_is_printed(house: House, name: str) -> None:
    command = COMMANDS[name].replace(MEDIA_HOST, house.media.host.url)
    for base_url in BASE_URLS:
        command = command.replace(base_url, house.server.url)
    house.media.host.requests.clear()
    keys = dict.fromkeys(KEYS, house.server.api_key)
    done = subprocess.run(["sh", "-c", command], env=os.environ | keys, capture_output=True, timeout=60)
    # Whichever address it was created at, Ark's reads it by the id that was answered.
    house.server.ended(json.loads(done.stdout)["id"])
    got_all_of(EXAMPLES[name], house.inspected())
    assert fetched_once(EXAMPLES[name], house.media.asked)


@pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")
def test_videos_that_are_uploaded_with_openais_sdk_reach_the_engine(house: House, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(content_of("video", "https://example.com/clip.mp4"))
    with openai.OpenAI(base_url=f"{house.server.url}/v1", api_key=house.server.api_key) as client:
        for change in (client.videos.edit, partial(client.videos.extend, seconds="8")):
            with clip.open("rb") as opened:
                change(prompt="It goes on", video=opened)
            house.server.ended(house.server.newest())
            files = [item for item in house.inspected()["items"] if item["modality"] == "video"]
            assert [(item["sha256"], item["origin"]) for item in files] == [
                (sha256_of("video", "https://example.com/clip.mp4"), "inline")
            ]


@pytest.mark.parametrize(
    ("name", "shape"),
    [("ark/001_142_first_frame", "3:4"), ("ark/001_057_video_editing", "16:9"), ("ark/001_053_all_references", "16:9")],
)
def test_a_film_that_leaves_its_shape_open_has_the_shape_of_what_was_given(house: House, name: str, shape: str) -> None:
    task = house.made(EXAMPLES[name])
    assert (EXAMPLES[name].ratio, house.inspected()["ratio"], task["ratio"]) == ("adaptive", shape, shape)


def test_an_asset_that_is_named_as_two_kinds_is_refused_as_the_one_that_it_is_not(house: House) -> None:
    example = EXAMPLES[BOTH_KINDS]
    house.server.register("asset_a", "image", house.media.asset("image", "asset://asset_a"))
    status, answer = house.post(example)
    assert (status, b"the specified asset is not a video" in answer) == (400, True)
    assert house.media.asked == []


def test_an_example_that_names_one_asset_as_two_kinds_works_with_an_asset_of_each(house: House) -> None:
    example = EXAMPLES[BOTH_KINDS]
    for asset_id, modality in (("asset_a", "image"), ("asset_b", "video")):
        house.server.register(asset_id, modality, house.media.asset(modality, "asset://asset_a"))
    first, _, last = house.media.body_of(example).rpartition(b"asset_a")
    status, answer = house.post(example, first + b"asset_b" + last)
    assert status == 200, answer
    house.server.ended(house.server.newest())
    got = [item["sha256"] for item in house.inspected()["items"][1:]]
    assert got == [sha256_of(modality, address) for modality, address in example.media]
