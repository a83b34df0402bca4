"""The four Python programs of seed 001, with the vendor's SDK, against the default engine: with the base URL, the key
and the host of the media changed, and nothing else."""

import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import odd_media
from beginnings import NEAR, apart, first_picture
from media_host import MediaHost, file, media_host
from seed_programs import BASE_URL, CHAINING, EXTENSION, MEDIA_HOST, MULTIMODAL, POLLING
from serving_media import ARK, LOOPBACK, Served, served
from understudy.media.decode import fitted, read_image
from understudy.media.decode_sound import read_sound
from understudy.media.probe import probe_film

HURRIED = """
import runpy, sys, time
sleep = time.sleep
time.sleep = lambda pause_s: sleep(min(pause_s, 0.2))
runpy.run_path(sys.argv[1], run_name="__main__")
"""
"""Runs a program that pauses for half a minute between two looks; its text stays as it is."""
PATIENCE_S = 300
SAMPLE_RATE_HZ = 16_000
BGM_HZ = 440


@dataclass(frozen=True)
class Stage:
    """A server with the default engine, and the host that the programs' media are on."""

    server: Served
    host: MediaHost
    directory: Path

    def run(self, program: str) -> list[str]:
        """Run a program of the document to its end and return the lines that it printed."""
        path = self.directory / "program.py"
        path.write_text(program.replace(BASE_URL, f"{self.server.url}/api/v3").replace(MEDIA_HOST, self.host.url))
        done = subprocess.run(
            [sys.executable, "-c", HURRIED, str(path)],
            env=os.environ | {"ARK_API_KEY": self.server.api_key},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    def film_of(self, task: dict[str, Any]) -> Path:
        return self.server.film(task, self.directory / f"{task['id']}.mp4")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    directory = tmp_path_factory.mktemp("programs")
    with media_host() as host:
        host.on("/cat.png", file(odd_media.picture("png", width_px=900, height_px=1200)))
        host.on("/tea1.jpg", file(odd_media.picture("jpeg", width_px=1000, height_px=700)))
        host.on("/tea2.jpg", file(odd_media.picture("jpeg", width_px=700, height_px=1000)))
        host.on("/reference.mp4", file(odd_media.film(num_frames=72)))
        host.on("/bgm.mp3", file(odd_media.sound("mp3", duration_s=12.0)))
        host.on("/clip.mp4", file(odd_media.film(num_frames=96)))
        with served(directory / "data", UNDERSTUDY_FETCH_NETWORKS=LOOPBACK) as server:
            yield Stage(server, host, directory)


def loudest_hz(film: Path, from_s: int, until_s: int) -> float:
    """Return the frequency that is strongest in a part of a film's sound."""
    samples = read_sound(film, SAMPLE_RATE_HZ, 1)
    assert samples is not None
    part = samples.reshape(-1)[from_s * SAMPLE_RATE_HZ : until_s * SAMPLE_RATE_HZ]
    return float(np.argmax(np.abs(np.fft.rfft(part)))) / (until_s - from_s)


def test_the_program_that_polls_prints_the_address_of_a_film_that_begins_with_its_image(stage: Stage) -> None:
    said = stage.run(POLLING)
    assert re.fullmatch(r"Task created: cgt-\S+", said[0])
    assert set(said[1:-1]) <= {f"Status: {status}, waiting..." for status in ("queued", "running")}
    assert said[-1].startswith(f"Video URL: {stage.server.url}/")
    task = stage.server.ended(said[0].removeprefix("Task created: "))
    assert (task["ratio"], task["duration"], task["resolution"]) == ("3:4", 5, "720p")
    film = stage.film_of(task)
    assert (probe_film(film).width_px, probe_film(film).height_px) == (834, 1112)
    given = odd_media.pixels(900, 1200)
    assert apart(first_picture(film), fitted(given, 834, 1112)) < NEAR


@pytest.mark.full
def test_the_program_with_references_of_every_kind_gets_its_film(stage: Stage) -> None:
    stage.run(MULTIMODAL)
    task = stage.server.ended(stage.server.newest())
    facts = probe_film(stage.film_of(task))
    assert (facts.width_px, facts.height_px, facts.num_frames) == (1280, 720, 11 * 24)
    assert (task["ratio"], task["duration"], task["generate_audio"]) == ("16:9", 11, True)
    # The video's own tone is over by then.
    assert loudest_hz(stage.film_of(task), 6, 10) == pytest.approx(BGM_HZ, abs=2)
    paths = [request.path for request in stage.host.requests]
    assert all(paths.count(path) == 1 for path in ("/tea1.jpg", "/tea2.jpg", "/reference.mp4", "/bgm.mp3"))


@pytest.mark.full
def test_the_program_that_extends_a_video_gets_a_film_that_begins_in_it(stage: Stage, tmp_path: Path) -> None:
    stage.run(EXTENSION)
    task = stage.server.ended(stage.server.newest())
    film = stage.film_of(task)
    assert (task["ratio"], task["duration"], probe_film(film).num_frames) == ("16:9", 8, 8 * 24)
    (tmp_path / "clip.mp4").write_bytes(odd_media.film(num_frames=96))
    assert apart(first_picture(film), fitted(first_picture(tmp_path / "clip.mp4"), 1280, 720)) < NEAR


@pytest.mark.full
def test_the_program_that_chains_films_goes_on_from_its_last_frame_without_the_network(tmp_path: Path) -> None:
    # No network is allowed to be fetched from: a link of the server's own leads to what it has.
    with media_host() as host, served(tmp_path / "data") as server:
        stage = Stage(server, host, tmp_path)
        image = {"type": "image_url", "image_url": {"url": host.on("/cat.png", file(odd_media.picture("png")))}}
        body = {"model": "doubao-seedance-2-0-260128", "content": [image]}
        assert (server.send("POST", ARK, json.dumps(body).encode())[0], host.contacts) == (400, 0)
        assert stage.run(CHAINING)[-1].startswith(f"Video URL: {server.url}/")
        second, first = (server.ended(item["id"]) for item in server.call(ARK)["items"])
        last_frame = tmp_path / "last.png"
        urllib.request.urlretrieve(first["content"]["last_frame_url"], last_frame)
        shown = read_image(last_frame)
        assert (first["ratio"], shown.shape) == (second["ratio"], (720, 1280, 3))
        assert apart(first_picture(stage.film_of(second)), shown) < NEAR
        assert second["content"]["last_frame_url"] != first["content"]["last_frame_url"]
