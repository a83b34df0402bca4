"""The rehearsal words over HTTP: what a client meets is what it would meet if the thing had happened."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import openai
import pytest
import volcenginesdkarkruntime as vendor
from volcenginesdkarkruntime import _exceptions as ark_errors

from serve_process import ready, serving

ARK = "/api/v3/contents/generations/tasks"
CLOCK = "/understudy/v1/rehearsal/clock"
MODEL = "doubao-seedance-2-0-260128"
PATIENCE_S = 60.0
DAY_S = 86_400
SMALL = {"model": MODEL, "duration": 4, "resolution": "480p", "generate_audio": False}

Told = tuple[int, dict[str, str], Any]


@dataclass(frozen=True)
class Served:
    """A server as its one caller sees it."""

    url: str
    api_key: str

    def call(self, path: str, body: Any = None, *, key: str | None = None) -> Told:
        """Return status, headers in lower case, and what the JSON says."""
        headers = {"Authorization": f"Bearer {key or self.api_key}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, None if body is None else json.dumps(body).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, {name.lower(): value for name, value in answer.headers.items()}, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, {name.lower(): value for name, value in error.headers.items()}, json.load(error)

    def task(self, words: str, **fields: Any) -> str:
        status, _, told = self.call(ARK, {**SMALL, "content": [{"type": "text", "text": words}], **fields})
        assert status == 200, told
        return str(told["id"])

    def until(self, task_id: str, *statuses: str) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            task: dict[str, Any] = self.call(f"{ARK}/{task_id}")[2]
            if task["status"] in statuses:
                return task
            time.sleep(0.05)
        pytest.fail(f"{task_id} did not become {statuses}")

    def ended(self, task_id: str) -> dict[str, Any]:
        return self.until(task_id, "succeeded", "failed", "expired", "cancelled")

    def film(self, task_id: str, path: Path) -> Path:
        task = self.ended(task_id)
        assert task["status"] == "succeeded", task
        urllib.request.urlretrieve(task["content"]["video_url"], path)
        return path

    def ark(self, **options: Any) -> Any:
        return vendor.Ark(base_url=f"{self.url}/api/v3", api_key=self.api_key, **options)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("served") / "data", "--json", "--rehearsal-clock") as process:
        told = ready(process)
        yield Served(told["url"], told["api_key"])


def ark_error(answer: Any) -> tuple[str, str]:
    return answer["error"]["code"], answer["error"]["param"]


# Each door with the body of a request in its dialect, and where its error has what the core calls the code.
DOORS: dict[str, tuple[str, Any, Any]] = {
    "ark": (
        ARK,
        lambda words: {"model": MODEL, "content": [{"type": "text", "text": words}]},
        lambda told: told["error"]["code"],
    ),
    "openai": (
        "/openai/v1/videos",
        lambda words: {"model": "sora-2", "prompt": words},
        lambda told: told["error"]["code"],
    ),
    "amux": (
        "/amux/v1/video/generations",
        lambda words: {"model": MODEL, "prompt": words},
        lambda told: (told.get("error") or told)["code"],
    ),
}


@pytest.mark.parametrize("dialect", DOORS)
@pytest.mark.parametrize("status", [402, 429, 500, 503])
def test_a_prompt_is_refused_as_often_as_it_asks_for_and_then_accepted(
    served: Served, dialect: str, status: int
) -> None:
    path, body_of, code_of = DOORS[dialect]
    body = body_of(f"A cat [rehearse: {status} 2][rehearse: expired] for {dialect}")
    answers = [served.call(path, body) for _ in range(3)]
    # The gateways say 403 of a balance that is used up, in an envelope of its own.
    shown = 403 if (dialect, status) == ("amux", 402) else status
    assert [answer[0] for answer in answers] == [shown, shown, 200], answers
    assert code_of(answers[0][2])
    assert [answers[0][1].get("retry-after"), answers[2][1].get("retry-after")] == [
        "1" if status in (429, 503) else None,
        None,
    ]
    assert "A rehearsal: " in answers[2][1]["x-understudy-warnings"]


def test_arks_sdk_tells_a_429_and_by_itself_comes_again_when_it_is_told_to(served: Served) -> None:
    content = [{"type": "text", "text": "[rehearse: 429] [rehearse: expired] A cat"}]
    with served.ark(max_retries=0) as client, pytest.raises(ark_errors.ArkRateLimitError) as caught:
        client.content_generation.tasks.create(model=MODEL, content=content)
    assert caught.value.response.headers["retry-after"] == "1"
    with served.ark(max_retries=0) as client:
        assert client.content_generation.tasks.create(model=MODEL, content=content).id
    with served.ark() as client:
        assert client.content_generation.tasks.create(model=MODEL, content=content).id


@pytest.mark.parametrize("dialect", DOORS)
def test_the_prompt_is_refused_as_moderation_refuses_it(served: Served, dialect: str) -> None:
    path, body_of, code_of = DOORS[dialect]
    status, _, told = served.call(path, body_of("A cat [rehearse: refuse-input]"))
    assert status == 400, told
    if dialect == "ark":
        assert ark_error(told) == ("InputTextSensitiveContentDetected", "content[0]")
    assert "input text may contain sensitive information" in json.dumps(told)
    assert code_of(told)


def test_an_image_is_refused_as_one_that_shows_a_real_person(served: Served) -> None:
    image = {"type": "image_url", "image_url": {"url": "http://127.0.0.1:9/none.png"}, "role": "reference_image"}
    body = {"model": MODEL, "content": [{"type": "text", "text": "She walks [rehearse: refuse-input face]"}, image]}
    status, _, told = served.call(ARK, body)
    assert (status, *ark_error(told)) == (
        400,
        "InputImageSensitiveContentDetected.PrivacyInformation",
        "content[1]",
    )


@pytest.mark.parametrize(("dialect", "param"), [("ark", "content[0].text"), ("openai", "prompt"), ("amux", "prompt")])
def test_a_word_that_is_none_is_refused_and_named(served: Served, dialect: str, param: str) -> None:
    path, body_of, _ = DOORS[dialect]
    status, _, told = served.call(path, body_of("A cat [rehearse: explode 3]"))
    assert status == 400
    assert all(part in json.dumps(told) for part in ("explode", "refuse-input", param)), told


def test_a_quote_tells_what_is_rehearsed(served: Served) -> None:
    _, _, told = served.call(
        f"{ARK}/quote", {"model": MODEL, "content": [{"type": "text", "text": "[rehearse: stuck]"}]}
    )
    assert "never goes on" in json.dumps(told)
    _, _, told = served.call(f"{ARK}/quote", {"model": MODEL, "content": [{"type": "text", "text": "[rehearse: boo]"}]})
    assert "boo" in json.dumps(told)


def test_a_task_fails_half_way_in_every_dialect(served: Served) -> None:
    with served.ark() as client:
        content = [{"type": "text", "text": "A cat [rehearse: fail 10%]"}]
        task_id = client.content_generation.tasks.create(
            model=MODEL, content=content, resolution="480p", duration=4, generate_audio=False
        ).id
        served.ended(task_id)
        task = client.content_generation.tasks.get(task_id=task_id)
    assert (task.status, task.error.code) == ("failed", "InternalServiceError")
    assert "10 %" in task.error.message
    video = openai.OpenAI(base_url=f"{served.url}/v1", api_key=served.api_key).videos.retrieve(task_id)
    assert (video.status, "10 %" in str(video.error)) == ("failed", True)
    shown = served.call(f"/amux/v1/video/generations/{task_id}")[2]
    assert "10 %" in json.dumps(shown), shown


def test_a_finished_film_is_refused_as_moderation_refuses_it(served: Served) -> None:
    task = served.ended(served.task("A cat [rehearse: refuse-output]"))
    assert (task["status"], task["error"]["code"]) == ("failed", "OutputVideoSensitiveContentDetected")


def test_a_task_expires_before_it_is_rendered(served: Served) -> None:
    assert served.ended(served.task("A cat [rehearse: expired]"))["status"] == "expired"


def test_garbage_is_no_film(served: Served, tmp_path: Path) -> None:
    path = served.film(served.task("A cat [rehearse: corrupt]"), tmp_path / "film.mp4")
    assert path.read_bytes()[4:8] == b"ftyp"
    with pytest.raises(av.FFmpegError), av.open(str(path)) as container:
        list(container.decode(video=0))


def test_a_truncated_film_breaks_off(served: Served, tmp_path: Path) -> None:
    path = served.film(served.task("A cat [rehearse: corrupt truncated]"), tmp_path / "film.mp4")
    with av.open(str(path)) as container:
        num_frames = container.streams.video[0].frames
        seen: list[object] = []
        with pytest.raises(av.FFmpegError):
            seen.extend(container.decode(video=0))
        assert 0 < len(seen) < num_frames


def test_a_silent_film_has_no_sound_and_words_are_not_spoken_of(served: Served, tmp_path: Path) -> None:
    words = "A cat [rehearse: silent] [rehearse: slow 2s]"
    began_s = time.monotonic()
    path = served.film(served.task(words, generate_audio=True), tmp_path / "film.mp4")
    assert time.monotonic() - began_s >= 2.0
    with av.open(str(path)) as container:
        assert not container.streams.audio


def test_a_stuck_task_expires_when_the_clock_moves_and_its_render_is_gone(served: Served) -> None:
    task_id = served.task("A cat [rehearse: stuck 10%]")
    served.until(task_id, "running")
    status, _, told = served.call(CLOCK, {"advance_s": 3 * DAY_S})
    assert status == 200, told
    assert served.call(f"{ARK}/{task_id}")[2]["status"] == "expired"
    after = served.task("A dog [rehearse: fail 1%]")
    assert served.ended(after)["status"] == "failed", "the one slot is free again"


def test_what_takes_days_is_seen_when_the_clock_moves(served: Served) -> None:
    task_id = served.task("A cat")
    link = served.ended(task_id)["content"]["video_url"]
    path = link.removeprefix(served.url)
    before = served.call(CLOCK)[2]
    after = served.call(CLOCK, {"advance_s": DAY_S + 60})[2]
    assert after["advanced_s"] - before["advanced_s"] == DAY_S + 60
    assert after["epoch_s"] - before["epoch_s"] >= DAY_S + 60
    assert served.call(path)[0] == 403
    assert served.call(f"{ARK}/{task_id}")[0] == 200
    served.call(CLOCK, {"advance_s": 7 * DAY_S})
    assert served.call(f"{ARK}/{task_id}")[0] == 404


@pytest.mark.parametrize("given", [0, -1, None, "60", True, 1e300, 86_400 * 4000])
def test_the_clock_goes_forward_only_and_not_for_ever(served: Served, given: Any) -> None:
    status, _, told = served.call(CLOCK, {"advance_s": given})
    assert (status, *ark_error(told)) == (400, "InvalidParameter", "advance_s")


def test_the_clock_is_moved_with_a_key_only(served: Served) -> None:
    assert served.call(CLOCK, {"advance_s": 60}, key="sk-none")[0] == 401
