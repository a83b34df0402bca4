"""`understudy serve` as a process: what it prints, when it refuses, how it stops."""

import json
import os
import re
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from serve_process import UNDERSTUDY, ready, serving
from understudy.engines.previz import OFFER

STOP_TIMEOUT_S = 60


def refusal(*flags: str) -> str:
    """Return the one sentence on standard error with which `serve` refuses to start."""
    done = subprocess.run([*UNDERSTUDY, "serve", *flags], capture_output=True, text=True, timeout=STOP_TIMEOUT_S)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_the_json_form_prints_one_line_once_ready_and_nothing_else(tmp_path: Path) -> None:
    with serving(tmp_path / "data", "--json") as process:
        told = ready(process)
        assert list(told) == ["url", "api_key", "data_dir"]
        assert told["data_dir"] == str(tmp_path / "data")
        request = urllib.request.Request(
            told["url"] + "/api/v3/contents/generations/tasks", headers={"Authorization": f"Bearer {told['api_key']}"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert json.load(answer) == {"items": [], "total": 0}
        process.terminate()
        rest, _ = process.communicate(timeout=STOP_TIMEOUT_S)
        assert (process.returncode, rest) == (0, "")


def test_the_key_and_the_secret_are_made_once_and_only_the_owner_can_read_them(tmp_path: Path) -> None:
    told = []
    for _ in range(2):
        with serving(tmp_path, "--json") as process:
            told.append(ready(process))
            process.terminate()
            process.communicate(timeout=STOP_TIMEOUT_S)
    assert told[0]["api_key"] == told[1]["api_key"] == (tmp_path / "api_key").read_text().strip()
    assert {(tmp_path / name).stat().st_mode & 0o777 for name in ("api_key", "secret")} == {0o600}


def test_the_human_form_shows_url_key_data_and_a_curl_that_works(tmp_path: Path) -> None:
    with serving(tmp_path) as process:
        assert process.stdout is not None
        text = ""
        while "Ctrl-C" not in text:
            line = process.stdout.readline()
            assert line, text
            text += line
    assert str(tmp_path) in text
    assert (tmp_path / "api_key").read_text().strip() in text
    assert "curl http://127.0.0.1:" in text
    assert "/api/v3/contents/generations/tasks" in text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_in_good_order(tmp_path: Path, number: signal.Signals) -> None:
    with serving(tmp_path, "--json") as process:
        told = ready(process)
        process.send_signal(number)
        process.communicate(timeout=STOP_TIMEOUT_S)
        assert process.returncode == 0
        with pytest.raises(urllib.error.URLError):
            urllib.request.urlopen(told["url"], timeout=5)


def test_it_stops_when_the_process_that_started_it_is_gone(tmp_path: Path) -> None:
    with serving(tmp_path, "--json", "--stop-with-stdin") as process:
        ready(process)
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None
        assert process.wait(timeout=STOP_TIMEOUT_S) == 0


def test_a_port_in_use_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"port {port}" in refusal("--port", str(port), "--data-dir", str(tmp_path))


def test_a_data_directory_that_cannot_be_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    assert str(tmp_path / "file") in refusal("--port", "0", "--data-dir", str(tmp_path / "file" / "data"))


def test_a_data_directory_of_another_server_is_one_sentence_with_its_pid(tmp_path: Path) -> None:
    with serving(tmp_path, "--json") as process:
        ready(process)
        assert f"process {process.pid}" in refusal("--port", "0", "--data-dir", str(tmp_path))


def test_an_unknown_engine_is_one_sentence_with_the_known_ones(tmp_path: Path) -> None:
    assert "installed engines: diffusion, previz" in refusal(
        "--engine", "nothing", "--port", "0", "--data-dir", str(tmp_path)
    )


def test_a_setting_of_the_environment_that_cannot_be_is_one_sentence(tmp_path: Path) -> None:
    done = subprocess.run(
        [*UNDERSTUDY, "serve", "--port", "0", "--data-dir", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=STOP_TIMEOUT_S,
        env={**os.environ, "UNDERSTUDY_SLOTS": "many"},
    )
    assert done.returncode == 2
    assert "slots from the environment" in done.stderr
    assert done.stderr.count("\n") == 1


def is_ready(url: str) -> bool:
    try:
        return bool(urllib.request.urlopen(f"{url}/readyz", timeout=30).status == 200)
    except urllib.error.HTTPError:
        return False


@pytest.mark.full
@pytest.mark.skipif(not Path("/proc/self/limits").exists(), reason="limits of other processes are read from /proc")
def test_what_decodes_strangers_media_is_bounded_in_its_memory(tmp_path):
    with serving(tmp_path / "data", "--json") as process:
        told = ready(process)
        while not is_ready(told["url"]):
            assert process.poll() is None
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        renders = [pid for pid in children if b"render_process" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        assert renders
        limits = Path(f"/proc/{renders[0]}/limits").read_text()
        assert re.search(rf"^Max data size +{OFFER.memory_bytes} ", limits, re.MULTILINE), limits
