"""`understudy generate` with files of one's own, against a real server whose engine writes down what it got."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import odd_media
from inspecting_engine import INSPECTED_DIR
from serving_media import Served, served

UNDERSTUDY = [sys.executable, "-m", "understudy"]
TIMEOUT_S = 300
FILES = {
    "a.png": odd_media.picture("png"),
    "b.heic": odd_media.picture("heic"),
    "clip.mp4": odd_media.film(),
    "wind.mp3": odd_media.sound("mp3"),
}


@dataclass(frozen=True)
class Place:
    """A server, where its engine writes down what it got, and a folder with files."""

    server: Served
    inspected_dir: Path
    folder: Path

    def generate(self, *flags: str) -> subprocess.CompletedProcess[str]:
        """Run the command in the folder with the files."""
        environ = os.environ | {"UNDERSTUDY_BASE_URL": self.server.url, "UNDERSTUDY_API_KEY": self.server.api_key}
        command = [*UNDERSTUDY, "generate", "a fox", "-o", "film.mp4", "--duration", "4", *flags]
        return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, cwd=self.folder, env=environ)

    def inspected(self) -> list[dict[str, Any]]:
        """Return the items that the engine got with the one job since it was asked last."""
        (report,) = self.inspected_dir.iterdir()
        items: list[dict[str, Any]] = json.loads(report.read_text("utf-8"))["items"]
        report.unlink()
        return items

    def num_tasks(self) -> int:
        return int(self.server.call("/api/v3/contents/generations/tasks")["total"])


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    directory = tmp_path_factory.mktemp("server")
    inspected_dir = directory / "inspected"
    inspected_dir.mkdir()
    settings = {"UNDERSTUDY_ENGINE": "inspecting_engine:OFFER", INSPECTED_DIR: str(inspected_dir)}
    with served(directory / "data", **settings) as server:
        yield Place(server, inspected_dir, directory)


@pytest.fixture
def place(shared: Place, tmp_path: Path) -> Place:
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    return Place(shared.server, shared.inspected_dir, tmp_path)


def got(items: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [(item["role"], item["origin"], item["sha256"]) for item in items[1:]]


def sha256_of(name: str) -> str:
    return hashlib.sha256(FILES[name]).hexdigest()


def test_the_engine_gets_the_very_files_and_a_video_is_sent_once(place: Place) -> None:
    flags = ["--image", "a.png", "--image", "b.heic", "--video", "clip.mp4", "--sound", "wind.mp3"]
    first = place.generate(*flags)
    assert first.returncode == 0, first.stderr
    expected = [
        ("reference_image", "inline", sha256_of("a.png")),
        ("reference_image", "inline", sha256_of("b.heic")),
        ("reference_video", "asset", sha256_of("clip.mp4")),
        ("reference_audio", "inline", sha256_of("wind.mp3")),
    ]
    assert got(place.inspected()) == expected
    assert "clip.mp4 sent: 100%" in first.stderr
    again = place.generate(*flags, "--json")
    assert json.loads(again.stdout)["path"] == "film.mp4"
    assert got(place.inspected()) == expected
    assert "clip.mp4 sent" not in again.stderr
    left = {path.name for path in place.folder.iterdir()}
    assert left == {*FILES, "film.mp4"}


def test_a_film_begins_and_ends_with_the_images_that_are_named(place: Place) -> None:
    done = place.generate("--end-frame", "b.heic", "--first-frame", "a.png")
    assert done.returncode == 0, done.stderr
    assert got(place.inspected()) == [
        ("first_frame", "inline", sha256_of("a.png")),
        ("last_frame", "inline", sha256_of("b.heic")),
    ]


def test_a_quote_with_media_names_what_is_wrong_and_makes_nothing(place: Place) -> None:
    before = place.num_tasks()
    good = place.generate("--quote", "--first-frame", "a.png")
    assert (good.returncode, "would make it" in good.stdout) == (0, True), good.stderr
    bad = place.generate("--quote", "--first-frame", "a.png", "--video", "clip.mp4")
    assert (bad.returncode, bad.stdout) == (2, "")
    assert "refused  content: " in bad.stderr
    assert place.num_tasks() == before


def test_a_draft_has_its_media(place: Place) -> None:
    done = place.generate("--draft", "--model", "doubao-seedance-2-5-260628", "--image", "a.png")
    assert done.returncode == 0, done.stderr
    assert got(place.inspected()) == [("reference_image", "inline", sha256_of("a.png"))]


def test_an_asset_that_is_no_video_is_refused_with_its_code(place: Place) -> None:
    (place.folder / "clip.mp4").write_bytes(FILES["clip.mp4"][:5000])
    done = place.generate("--video", "clip.mp4")
    assert done.returncode == 2
    last = done.stderr.splitlines()[-1]
    assert last.startswith("clip.mp4: ")
    assert last.endswith("]")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--image", "nothing.png"], "nothing.png: No such file or directory.\n"),
        (["--first-frame", "."], ".: Is a directory.\n"),
        (["--video", "a.png"], "a.png should be of the kind video; it looks like image/png. [InvalidParameter]\n"),
        (["--sound", "loop.mp3"], "loop.mp3: Too many levels of symbolic links.\n"),
    ],
)
def test_a_file_that_cannot_be_sent_is_wrong_usage_in_one_sentence(place: Place, flags: list[str], said: str) -> None:
    (place.folder / "loop.mp3").symlink_to("loop.mp3")
    before = place.num_tasks()
    done = place.generate(*flags)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said)
    assert place.num_tasks() == before


def test_a_file_that_the_film_is_made_of_is_not_written_over(place: Place) -> None:
    before = place.num_tasks()
    done = place.generate("--video", "clip.mp4", "-o", "../" + place.folder.name + "/clip.mp4")
    assert done.returncode == 2
    assert done.stderr.endswith("clip.mp4 is what the film is made of; save it under another name.\n")
    done = place.generate("--first-frame", "a.png", "--last-frame", "b.heic")
    assert done.returncode == 2
    assert "use --end-frame" in done.stderr
    assert place.num_tasks() == before
    assert {name: (place.folder / name).read_bytes() for name in FILES} == FILES


def test_the_last_frame_of_a_film_of_media_is_saved_over_an_older_one(place: Place) -> None:
    (place.folder / "last.png").write_bytes(b"older")
    done = place.generate("--first-frame", "a.png", "--end-frame", "a.png", "--last-frame", "last.png")
    assert done.returncode == 0, done.stderr
    place.inspected()
    assert (place.folder / "last.png").read_bytes().startswith(b"\x89PNG")
