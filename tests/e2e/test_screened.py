"""A server that refuses faces and asks a moderator, as its callers meet it: codes, words, and nothing delivered."""

import base64
import io
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from serve_process import ready, serving
from understudy.client.assets import Library
from understudy.client.blocking import Client
from unit.test_moderation import Judge, judging

PICTURES = Path(__file__).parent.parent / "assets" / "pictures"
TASKS = "/api/v3/contents/generations/tasks"


class Caller:
    """One caller of a running server."""

    def __init__(self, url: str, api_key: str) -> None:
        self.url, self.api_key = url, api_key

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.api_key}", "Content-Type": "application/json"}
        sent = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(self.url + path, data=sent, method=method, headers=headers)
        try:
            with urllib.request.urlopen(asked, timeout=60) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def create(self, *items: dict[str, Any], prompt: str = "She looks up", **fields: Any) -> tuple[int, Any]:
        content = [{"type": "text", "text": prompt}, *items]
        body = {"model": "doubao-seedance-2-0-fast-260128", "content": content, "resolution": "480p", "duration": 4}
        return self.call("POST", TASKS, {**body, "generate_audio": False, **fields})

    def is_taken(self, *items: dict[str, Any], **fields: Any) -> bool:
        """Say whether the request is accepted; its film is not waited for, nor made if it is still queued."""
        status, created = self.create(*items, **fields)
        if status == 200:
            self.call("DELETE", f"{TASKS}/{created['id']}")
        return status == 200

    def ended(self, wire_id: str) -> Any:
        with Client(base_url=self.url, api_key=self.api_key) as client:
            return client.wait(wire_id, timeout_s=240).raw


def file_of(name: str) -> bytes:
    """The photograph, large enough for a reference."""
    buffer = io.BytesIO()
    with Image.open(PICTURES / f"{name}.jpg") as small:
        small.resize((2 * small.width, 2 * small.height)).save(buffer, "JPEG")
    return buffer.getvalue()


def picture(name: str, role: str = "reference_image") -> dict[str, Any]:
    data = base64.b64encode(file_of(name)).decode()
    return {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{data}"}, "role": role}


def shown(judge: Judge, stage: str) -> list[dict[str, Any]]:
    """What the moderator was shown at a stage; a film of an earlier test may be shown at any moment."""
    return [parts for parts in list(judge.parts) if json.loads(parts["request"])["stage"] == stage]


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with judging() as running:
        yield running


@pytest.fixture(scope="module")
def caller(tmp_path_factory: pytest.TempPathFactory, judge: Judge) -> Iterator[Caller]:
    patch = pytest.MonkeyPatch()
    patch.setenv("UNDERSTUDY_REFUSE_FACES", "true")
    patch.setenv("UNDERSTUDY_MODERATOR", judge.url)
    patch.setenv("UNDERSTUDY_ATTEMPTS_MAX", "1")
    with serving(tmp_path_factory.mktemp("screened") / "data", "--json") as process:
        patch.undo()
        told = ready(process)
        yield Caller(told["url"], told["api_key"])


@pytest.fixture(autouse=True)
def _a_moderator_that_finds_nothing(judge: Judge) -> None:
    judge.status, judge.answer = 200, b'{"findings":[]}'
    judge.parts.clear()


def test_a_portrait_is_refused_in_arks_words_and_no_moderator_is_asked(caller: Caller, judge: Judge):
    status, answer = caller.create(picture("chelsea"), picture("astronaut"))
    assert (status, answer["error"]["code"]) == (400, "InputImageSensitiveContentDetected.PrivacyInformation")
    assert answer["error"]["param"] == "content[2]"
    sentence = "The request failed because the input image 'content[2]' may contain real person."
    assert answer["error"]["message"].startswith(sentence)
    assert judge.parts == []


def test_a_portrait_passes_for_a_face_model_and_out_of_the_library(caller: Caller, tmp_path: Path):
    assert caller.is_taken(picture("astronaut"), model="doubao-seedance-2-0-face")
    (tmp_path / "eileen.jpg").write_bytes(file_of("astronaut"))
    with Client(base_url=caller.url, api_key=caller.api_key) as client:
        library = Library(client)
        asset = library.wait(library.add_file(tmp_path / "eileen.jpg")["id"])
    assert asset["status"].lower() == "active", asset
    reference = {"type": "image_url", "image_url": {"url": f"asset://{asset['id']}"}, "role": "reference_image"}
    assert caller.is_taken(reference)


def test_the_moderator_sees_prompt_and_media_and_its_finding_is_told(caller: Caller, judge: Judge):
    judge.answer = b'{"findings":[{"index":1,"code":"InputImageSensitiveContentDetected.PolicyViolation"}]}'
    status, answer = caller.create(picture("chelsea"), prompt="A cat")
    assert (status, answer["error"]["param"]) == (400, "content[1]")
    assert answer["error"]["code"] == "InputImageSensitiveContentDetected.PolicyViolation"
    (parts,) = shown(judge, "input")
    assert [item["modality"] for item in json.loads(parts["request"])["items"]] == ["text", "image"]
    assert parts["file0"] == file_of("chelsea")


def test_a_prompt_alone_is_judged_too(caller: Caller, judge: Judge):
    judge.answer = b'{"findings":[{"index":0,"message":"Not in this house."}]}'
    status, answer = caller.create()
    assert (status, answer["error"]["code"]) == (400, "InputTextSensitiveContentDetected")
    assert answer["error"]["message"].startswith("Not in this house.")


def test_without_a_judgement_nothing_is_accepted(caller: Caller, judge: Judge):
    judge.status = 500
    assert caller.create()[0] == 503


def test_a_film_that_does_not_pass_is_never_delivered(caller: Caller, judge: Judge):
    status, created = caller.create()
    assert status == 200, created
    # The prompt has passed; the film will not.
    judge.answer = b'{"findings":[{"index":-1}]}'
    task = caller.ended(created["id"])
    assert task["status"] == "failed"
    assert task["error"]["code"] == "OutputVideoSensitiveContentDetected"
    assert "content" not in task
    assert shown(judge, "output")[-1]["file0"][4:8] == b"ftyp"


def test_a_film_of_this_server_may_show_faces(caller: Caller):
    status, created = caller.create(
        picture("astronaut", "first_frame"), model="doubao-seedance-2-0-face", return_last_frame=True
    )
    assert status == 200, created
    task = caller.ended(created["id"])
    assert task["status"] == "succeeded", task
    last = {"type": "image_url", "image_url": {"url": task["content"]["last_frame_url"]}, "role": "first_frame"}
    assert caller.is_taken(last)
    with urllib.request.urlopen(task["content"]["last_frame_url"]) as answer:
        data = base64.b64encode(answer.read()).decode()
    last["image_url"]["url"] = f"data:image/png;base64,{data}"
    assert caller.is_taken(last)


def test_posters_are_made_when_their_links_are_opened(caller: Caller):
    status, created = caller.create()
    assert status == 200, created
    content = caller.ended(created["id"])["content"]
    for name, head in (("poster_url", b"RIFF"), ("contact_sheet_url", b"\xff\xd8\xff")):
        with urllib.request.urlopen(content[name]) as answer:
            assert answer.read(4).startswith(head[:4])
