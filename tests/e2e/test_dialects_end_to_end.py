"""Real films through a real server in dialects other than Ark's plain text: drafts, finals, formats, pictures."""

import json
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import openai
import pytest
from numpy.typing import NDArray

from serve_process import ready, serving
from understudy.media.probe import probe_film

ARK = "/api/v3/contents/generations/tasks"
M25 = "doubao-seedance-2-5-260628"
M20 = "doubao-seedance-2-0-260128"
PROMPT = "A red fox walks through a snowy forest at dusk, slow pan left"
PATIENCE_S = 120.0


@dataclass(frozen=True)
class Served:
    """A server as its one caller sees it."""

    url: str
    api_key: str

    def call(self, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            self.url + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.api_key}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def ended(self, task_id: str) -> dict[str, Any]:
        """Poll as a client of Ark does, and return the task once it has ended."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            task: dict[str, Any] = self.call(f"{ARK}/{task_id}")
            if task["status"] not in ("queued", "running"):
                return task
            time.sleep(0.2)
        pytest.fail(f"{task_id} did not end")

    def film(self, task: dict[str, Any], path: Path) -> Path:
        assert task["status"] == "succeeded", task
        urllib.request.urlretrieve(task["content"]["video_url"], path)
        return path


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("served") / "data", "--json") as process:
        told = ready(process)
        yield Served(told["url"], told["api_key"])


def small_picture(path: Path, at: float) -> NDArray[np.float32]:
    """Return a frame, at a fraction of the film, at 64x36 in grey."""
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
    return cv2.resize(frames[int(at * (len(frames) - 1))], (64, 36), interpolation=cv2.INTER_AREA).astype(np.float32)


def difference(one: Path, other: Path) -> float:
    """Return how much two films differ: the mean difference of grey values, 0..255, over three moments."""
    moments = (0.1, 0.5, 0.9)
    return float(np.mean([np.abs(small_picture(one, at) - small_picture(other, at)).mean() for at in moments]))


@pytest.mark.full
def test_a_draft_of_seedance_2_5_becomes_its_final_at_full_size(served: Served, tmp_path: Path) -> None:
    text = {"type": "text", "text": PROMPT}
    wanted = {"model": M25, "content": [text], "draft": True, "duration": 4, "ratio": "16:9", "generate_audio": False}
    draft = served.ended(served.call(ARK, wanted)["id"])
    small = served.film(draft, tmp_path / "draft.mp4")
    assert (draft["draft"], draft["resolution"]) == (True, "480p")
    assert (probe_film(small).width_px, probe_film(small).height_px) == (854, 480)
    item = {"type": "draft_task", "draft_task": {"id": draft["id"]}}
    final = served.ended(served.call(ARK, {"model": M25, "content": [item]})["id"])
    large = served.film(final, tmp_path / "final.mp4")
    assert (final["draft_task_id"], final["seed"]) == (draft["id"], draft["seed"])
    assert (final["resolution"], final["duration"], final["generate_audio"]) == ("1080p", 4, False)
    assert (probe_film(large).width_px, probe_film(large).height_px) == (1920, 1080)
    other = served.ended(served.call(ARK, {**wanted, "seed": draft["seed"] + 1})["id"])
    stranger = difference(small, served.film(other, tmp_path / "other.mp4"))
    assert difference(small, large) < min(8.0, stranger), "the final shows what the draft showed"


@pytest.mark.full
def test_a_draft_of_seed_003_becomes_its_final(served: Served, tmp_path: Path) -> None:
    metadata = {"draft": True, "duration": 4, "watermark": False, "ratio": "1:1"}
    body = {"model": M20, "content": [{"type": "text", "text": PROMPT}], "metadata": metadata}
    draft = served.ended(served.call("/v1/video/generations", body)["task_id"])
    small = served.film(draft, tmp_path / "draft.mp4")
    assert (probe_film(small).width_px, probe_film(small).height_px) == (640, 640)
    item = {"type": "draft_task", "draft_task": {"id": draft["id"]}}
    body = {"model": M20, "content": [item], "metadata": {"resolution": "720p", "watermark": False}}
    created = served.call("/v1/video/generations", body)
    final = served.ended(created["task_id"])
    large = served.film(final, tmp_path / "final.mp4")
    assert (probe_film(large).width_px, probe_film(large).height_px) == (960, 960)
    assert difference(small, large) < 8.0
    shown = served.call(f"/v1/video/generations/{created['task_id']}")
    assert (shown["code"], shown["data"]["status"], shown["data"]["progress"]) == ("success", "SUCCESS", "100%")
    assert shown["data"]["data"]["duration"] == 4


@pytest.mark.full
def test_frames_are_counted_exactly(served: Served, tmp_path: Path) -> None:
    metadata = {"frames": 101, "duration": 9, "resolution": "480p"}
    body = {"model": M20, "content": [{"type": "text", "text": PROMPT}], "metadata": metadata}
    created = served.call("/v1/video/generations", body)
    task = served.ended(created["task_id"])
    assert probe_film(served.film(task, tmp_path / "film.mp4")).num_frames == 101
    assert task["frames"] == 101
    assert "duration" not in task
    assert task["usage"]["completion_tokens"] == 864 * 496 * 102 // 1024


def test_a_mov_is_a_mov(served: Served, tmp_path: Path) -> None:
    text = {"type": "text", "text": PROMPT}
    body = {"model": M25, "content": [text], "output_format": "mov", "duration": 4, "resolution": "480p"}
    task = served.ended(served.call(ARK, body)["id"])
    assert task["output_format"] == "mov"
    path = served.film(task, tmp_path / "film.mov")
    with av.open(str(path)) as container:
        assert "mov" in container.format.name
        assert container.streams.audio[0].codec_context.name.startswith("pcm_")
        assert path.read_bytes()[4:12] == b"ftypqt  "


def test_openais_sdk_gets_a_film_and_pictures_of_it(served: Served, tmp_path: Path) -> None:
    client = openai.OpenAI(base_url=f"{served.url}/v1", api_key=served.api_key)
    video = client.videos.create_and_poll(model="sora-2", prompt=PROMPT, seconds="4", size="1280x720")
    assert (video.status, video.progress, video.seconds, video.size) == ("completed", 100, "4", "1280x720")
    film = tmp_path / "film.mp4"
    film.write_bytes(client.videos.download_content(video.id).read())
    assert (probe_film(film).width_px, probe_film(film).height_px) == (1280, 720)
    for variant, start in (("thumbnail", b"RIFF"), ("spritesheet", b"\xff\xd8\xff")):
        picture = client.videos.download_content(video.id, variant=variant).read()  # type: ignore[arg-type]
        assert picture.startswith(start)
        decoded = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
        assert decoded is not None
        assert decoded.std() > 5, "something is to be seen"
    remix = client.videos.remix(video.id, prompt="The same forest in heavy rain")
    assert (remix.remixed_from_video_id, remix.status) == (video.id, "queued")
