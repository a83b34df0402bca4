"""The diffusion engine over HTTP: small random checkpoints, saved as the hub has the real ones and loaded as those are.

Pictures and sound are noise; what is judged is that each scenario reaches the model that can serve it and comes back as
exactly the film that was ordered.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from film_studio import image_file, photograph, sound_file, video_file
from media_host import MediaHost, file, media_host
from serving_media import ARK, LOOPBACK, Served, served
from tiny_models.serving import saved_models

pytestmark = pytest.mark.full
pytest.importorskip("torch", reason="the extra diffusion is not installed")

FPS, SHORTEST_S = 24, 4
SIZES = {"480p": (864, 496), "720p": (1280, 720), "1080p": (1920, 1080)}
MODEL = "doubao-seedance-2-0-260128"
NEWEST = "doubao-seedance-2-5-260628"
Item = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """A server with models, and a folder for what it makes."""

    server: Served
    folder: Path
    host: MediaHost

    def image(self, name: str = "coffee", role: str = "reference_image") -> Item:
        """A photograph as an item."""
        return self._item("image_url", role, image_file(photograph(name)))

    def video(self, seconds: int = 3) -> Item:
        """A photograph that slides to the right, with a tone, as an item."""
        pictures = [np.roll(photograph("coffee"), 4 * index, axis=1) for index in range(seconds * FPS)]
        return self._item("video_url", "reference_video", video_file(pictures, _tone(seconds)[:, None]))

    def audio(self, seconds: int = 3) -> Item:
        """A tone as an item."""
        return self._item("audio_url", "reference_audio", sound_file(_tone(seconds)))

    def _item(self, kind: str, role: str, path: Path) -> Item:
        # Files of one name lie in folders of their own.
        url = self.host.on(f"/{path.parent.name}/{path.name}", file(path))
        return {"type": kind, "role": role, kind: {"url": url}}

    def create(self, prompt: str, *items: Item, **fields: Any) -> str:
        """Order the shortest small film and return its task's id."""
        asked = {"model": MODEL, "resolution": "480p", "ratio": "16:9", "duration": SHORTEST_S, "seed": 5, **fields}
        return str(self.server.call(ARK, {**asked, "content": [{"type": "text", "text": prompt}, *items]})["id"])

    def make(self, prompt: str, *items: Item, **fields: Any) -> "Film":
        """Order a film and wait for it."""
        task = self.server.ended(self.create(prompt, *items, **fields))
        return Film(task=task, path=self.server.film(task, self.folder / f"{task['id']}.mp4"))

    def refused(self, prompt: str, *items: Item, **fields: Any) -> dict[str, str]:
        """Order a film that is not taken, and return the error."""
        asked = {"model": MODEL, "resolution": "480p", "duration": SHORTEST_S, **fields}
        body = json.dumps({**asked, "content": [{"type": "text", "text": prompt}, *items]}).encode()
        status, answer = self.server.send("POST", ARK, body)
        assert status == 400, answer
        error: dict[str, str] = json.loads(answer)["error"]
        return error


@dataclass(frozen=True)
class Film:
    """A finished task and the file of its film."""

    task: dict[str, Any]
    path: Path

    def is_ordered(self, *, resolution: str = "480p", duration_s: int = SHORTEST_S, has_sound: bool = True) -> bool:
        """Say whether the file is exactly as long and large as that, and sounds as long as it is seen."""
        with av.open(str(self.path)) as container:
            video = container.streams.video[0]
            frames = sum(1 for _ in container.decode(video))
            size = (video.codec_context.width, video.codec_context.height)
            rate = video.average_rate
        assert (size, frames, rate) == (SIZES[resolution], duration_s * FPS, FPS)
        sound = self.sound()
        assert (sound is not None) is has_sound
        # An AAC frame holds 1024 samples; the last one may be longer than the film.
        assert sound is None or 0 <= sound.shape[1] - duration_s * 48_000 < 2048
        return True

    def sound(self) -> np.ndarray | None:
        """Return the decoded sound, None where there is none."""
        with av.open(str(self.path)) as container:
            if not container.streams.audio:
                return None
            return np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)

    def pictures(self) -> np.ndarray:
        """Return the decoded pictures."""
        with av.open(str(self.path)) as container:
            return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])

    @property
    def warnings(self) -> str:
        """What the caller was told, as one text."""
        return json.dumps(self.task.get("warnings", []))


def _tone(seconds: int) -> np.ndarray:
    return (0.3 * np.sin(np.arange(seconds * 48_000) * 0.06)).astype(np.float32)


@contextmanager
def serving_models(folder: Path, families: Sequence[str], models: str) -> Iterator[Place]:
    """Serve small models of these families, in this order of preference."""
    settings = {f"UNDERSTUDY_{name.upper()}": value for name, value in saved_models(folder, families, models).items()}
    settings |= {"UNDERSTUDY_ENGINE": "diffusion", "UNDERSTUDY_FETCH_NETWORKS": LOOPBACK, "OMP_NUM_THREADS": "1"}
    with media_host() as host, served(folder / "data", **settings) as server:
        yield Place(server, folder, host)


@pytest.fixture(scope="module")
def h3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with serving_models(tmp_path_factory.mktemp("h3"), ["minimax_h3"], "tiny-h3") as place:
        yield place


# Every scenario, on the model that has them all.


def test_a_text_becomes_a_film_with_sound(h3: Place) -> None:
    film = h3.make("A robot dances in the rain.", return_last_frame=True)
    assert film.is_ordered()
    assert np.abs(film.sound()).max() > 0
    assert film.task["content"]["last_frame_url"]


def test_equal_requests_have_equal_bytes_and_another_seed_has_others(h3: Place) -> None:
    first, second, other = (h3.make("A robot.", seed=seed).path.read_bytes() for seed in (7, 7, 8))
    assert first == second
    assert first != other


def test_a_first_frame_becomes_a_film(h3: Place) -> None:
    assert h3.make("It turns.", h3.image(role="first_frame")).is_ordered()


def test_a_first_and_a_last_frame_become_a_film(h3: Place) -> None:
    film = h3.make("It turns.", h3.image(role="first_frame"), h3.image("chelsea", role="last_frame"))
    assert film.is_ordered()


def test_nine_images_become_a_film(h3: Place) -> None:
    assert h3.make("All of images 1 to 9.", *[h3.image() for _ in range(9)], generate_audio=False).is_ordered(
        has_sound=False
    )


def test_images_videos_and_audio_become_one_film(h3: Place) -> None:
    assert h3.make(
        "The cup of image 1 moves as in video 1 to audio 1.", h3.image(), h3.video(), h3.audio()
    ).is_ordered()


def test_a_video_is_edited(h3: Place) -> None:
    assert h3.make("Replace the cup in video 1 with a red vase.", h3.video()).is_ordered()


def test_a_video_is_extended(h3: Place) -> None:
    assert h3.make("Extend video 1: the cup falls.", h3.video()).is_ordered()


def test_videos_are_joined(h3: Place) -> None:
    film = h3.make("Join video 1 and video 2 with a smooth transition.", h3.video(), h3.video(2))
    assert film.is_ordered()


def test_a_draft_takes_the_few_steps(h3: Place) -> None:
    film = h3.make("A robot.", model=NEWEST, draft=True)
    assert film.task["status"] == "succeeded"


def test_a_large_film_is_enlarged_and_told(h3: Place) -> None:
    film = h3.make("A robot.", resolution="720p", generate_audio=False)
    assert film.is_ordered(resolution="720p", has_sound=False)
    assert "enlarged to 1280 x 720" in film.warnings


# Others: what one cannot do, the next one does, or nobody.


@pytest.fixture(scope="module")
def wan(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with serving_models(tmp_path_factory.mktemp("wan"), ["wan", "vace"], "tiny-wan tiny-vace") as place:
        yield place


def test_the_preferred_model_makes_what_it_can_and_says_that_it_is_silent(wan: Place) -> None:
    film = wan.make("A robot dances in the rain.")
    assert film.is_ordered(has_sound=False)
    assert "makes no sound" in film.warnings


def test_what_the_preferred_model_cannot_do_the_next_one_does(wan: Place) -> None:
    film = wan.make("The cup of image 1 falls.", wan.image(), generate_audio=False)
    assert film.is_ordered(has_sound=False)


def test_what_no_model_can_do_is_refused_before_anything_is_made(wan: Place) -> None:
    error = wan.refused("The cup of image 1 to audio 1.", wan.image(), wan.audio())
    assert error["code"] == "InvalidParameter.UnsupportedParameter"
    assert "takes none as references (1 audio given)" in error["message"]


@pytest.fixture(scope="module")
def ltx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with serving_models(tmp_path_factory.mktemp("ltx"), ["ltx"], "tiny-ltx") as place:
        yield place


def test_another_family_makes_a_film_with_sound(ltx: Place) -> None:
    assert ltx.make("A robot dances in the rain.").is_ordered()


def test_another_family_goes_on_from_a_video(ltx: Place) -> None:
    assert ltx.make("Extend video 1: the cup falls.", ltx.video()).is_ordered()
