"""The guide to watching: its program reads a task's events as it stands there."""

import re
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from running_server import RunningServer
from watched_server import ARK, cancel, created

GUIDE = Path(__file__).parent.parent.parent / "docs/guides/watching.md"


@pytest.fixture
def program() -> dict[str, Any]:
    """The definitions of the guide's program."""
    text = GUIDE.read_text(encoding="utf-8")
    (code,) = [code for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "def events" in code]
    found: dict[str, Any] = {}
    exec(code, found)
    return found


def test_the_program_of_the_guide_sees_each_event_to_the_end(server: RunningServer, program: dict[str, Any]) -> None:
    wire_id = created(server)
    seen = []
    for name, task in program["events"](f"{server.url}{ARK}/{wire_id}/events", server.api_key):
        if name == "status":
            cancel(server, wire_id)
        seen.append((name, task.get("status")))
    assert [each for each in seen if each[0] != "outlook"] == [("status", "queued"), ("end", "cancelled")]


def test_the_program_of_the_guide_comes_back_where_it_was(
    server: RunningServer, program: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first stream breaks off after the first event."""
    wire_id, opened = created(server), []
    real = urllib.request.urlopen

    class Broken:
        def __init__(self, stream: Any) -> None:
            self.stream = stream

        def __enter__(self) -> "Broken":
            return self

        def __exit__(self, *_: object) -> None:
            self.stream.close()

        def __iter__(self) -> Any:
            for line in self.stream:
                yield line
                if line.startswith(b"data: "):
                    cancel(server, wire_id)
                    raise ConnectionResetError

    def urlopen(request: urllib.request.Request, timeout: float) -> Any:
        opened.append(request.get_header("Last-event-id"))
        stream = real(request, timeout=timeout)
        return Broken(stream) if len(opened) == 1 else stream

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    monkeypatch.setattr(program["time"], "sleep", lambda _: None)
    seen = list(program["events"](f"{server.url}{ARK}/{wire_id}/events", server.api_key))
    assert [name for name, _ in seen] == ["status", "end"]
    assert opened[0] == ""
    assert int(opened[1]) > 0


def test_a_wrong_key_ends_the_program_of_the_guide(server: RunningServer, program: dict[str, Any]) -> None:
    with pytest.raises(urllib.error.HTTPError, match="401"):
        next(program["events"](f"{server.url}{ARK}/{created(server)}/events", "sk-wrong"))
