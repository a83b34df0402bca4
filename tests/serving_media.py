"""`understudy serve` as a process that may fetch from a loopback host, and what its one caller can do with it."""

import base64
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from serve_process import ready, serving

ARK = "/api/v3/contents/generations/tasks"
LOOPBACK = "127.0.0.0/8"
PATIENCE_S = 120.0
LOOK_S = 0.02


@dataclass(frozen=True)
class Served:
    """A server as its one caller sees it."""

    url: str
    api_key: str

    def send(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Return the status and the body of whatever is answered."""
        sent = {"Authorization": f"Bearer {self.api_key}", "Content-Type": "application/json", **(headers or {})}
        request = urllib.request.Request(self.url + path, data=body, headers=sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read()

    def call(self, path: str, body: Any = None) -> Any:
        """Return the JSON of an answer that is 200. body: None = GET."""
        method, sent = ("GET", None) if body is None else ("POST", json.dumps(body).encode())
        status, answer = self.send(method, path, sent)
        assert status == 200, answer
        return json.loads(answer)

    def ended(self, task_id: str) -> dict[str, Any]:
        """Poll as a client of Ark does, and return the task once it has succeeded."""
        task = self.settled(f"{ARK}/{task_id}", ("queued", "running"))
        assert task["status"] == "succeeded", task
        return task

    def newest(self) -> str:
        """Return the id of the task that was created last."""
        return str(self.call(f"{ARK}?page_size=1")["items"][0]["id"])

    def film(self, task: Mapping[str, Any], path: Path) -> Path:
        """Save the film of a task."""
        urllib.request.urlretrieve(task["content"]["video_url"], path)
        return path

    def register(self, asset_id: str, modality: str, url: str) -> None:
        """Register what is behind an address under an id of our choice, in place of what had it, and see it active."""
        self.send("DELETE", f"/v1/assets/{asset_id}")
        self.call("/v1/assets", {"id": asset_id, "type": modality, "url": url})
        asset = self.settled(f"/v1/assets/{asset_id}", ("processing", "Processing"))
        assert asset["status"].lower() == "active", asset

    def settled(self, path: str, before: tuple[str, ...]) -> dict[str, Any]:
        """Read what is at a path until its status is none of those."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            found: dict[str, Any] = self.call(path)
            if found["status"] not in before:
                return found
            time.sleep(LOOK_S)
        pytest.fail(f"{path} did not come to an end")


@contextmanager
def served(data_dir: Path, **settings: str) -> Iterator[Served]:
    """Serve until the block ends. settings: environment variables; what engines of the tests need is there."""
    path = os.pathsep.join([str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    with ExitStack() as running:
        # Only while the process is started: another server of the same test has its own settings.
        with pytest.MonkeyPatch.context() as environ:
            for name, value in {"PYTHONPATH": path, **settings}.items():
                environ.setenv(name, value)
            process = running.enter_context(serving(data_dir, "--json"))
        told = ready(process)
        yield Served(told["url"], told["api_key"])


def data_url(media_type: str, content: bytes) -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode('ascii')}"
