"""`understudy generate` and `understudy tasks` as processes: files, output and exit codes.

Most run against a server in this process whose tasks end when a test says so; two make a real film.
"""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from running_server import LAST_FRAME, VIDEO, RunningServer, running_server
from understudy import Client
from understudy.media.probe import probe_film

UNDERSTUDY = [sys.executable, "-m", "understudy"]
TIMEOUT_S = 300


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    with running_server(tmp_path / "server") as running:
        yield running


@pytest.fixture
def client(server: RunningServer) -> Iterator[Client]:
    with Client(server.url, server.api_key) as opened:
        yield opened


def named(server: RunningServer) -> list[str]:
    return ["--base-url", server.url, "--api-key", server.api_key]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*UNDERSTUDY, *words], capture_output=True, text=True, timeout=TIMEOUT_S)


def start_generating(server: RunningServer, *words: str) -> tuple[subprocess.Popen[str], str]:
    """Start a `generate` and return it with its task's id once it has told it."""
    process = subprocess.Popen(
        [*UNDERSTUDY, "generate", "a fox", *words, *named(server)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    return process, process.stderr.readline().split()[0]


def test_a_film_is_made_with_no_server_named(tmp_path: Path) -> None:
    film, frame = tmp_path / "film.mp4", tmp_path / "frame.png"
    flags = ["--resolution", "480p", "--ratio", "1:1", "--duration", "4", "--seed", "3", "--no-audio"]
    done = run("generate", "a fox in the snow", "-o", str(film), "--last-frame", str(frame), *flags, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["path"], told["resolution"], told["duration"], told["seed"]) == (str(film), "480p", 4, 3)
    facts = probe_film(film)
    assert (facts.width_px, facts.height_px, facts.num_frames, facts.has_sound) == (640, 640, 96, False)
    assert frame.read_bytes().startswith(b"\x89PNG")


def test_a_film_is_fetched_from_the_server_that_is_named(server: RunningServer, tmp_path: Path) -> None:
    film, frame = tmp_path / "film.mp4", tmp_path / "frame.png"
    process, task_id = start_generating(server, "-o", str(film), "--last-frame", str(frame))
    server.succeed(task_id)
    out, err = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 0, err
    assert (film.read_bytes(), frame.read_bytes()) == (VIDEO, LAST_FRAME)
    assert out.startswith(f"{film}: 720p 16:9, 5 s, seed 7, 108900 tokens")
    assert f"{task_id} succeeded" in err


def test_a_film_that_failed_is_exit_code_1_with_the_reason(server: RunningServer, tmp_path: Path) -> None:
    process, task_id = start_generating(server, "-o", str(tmp_path / "film.mp4"))
    server.fail(task_id)
    out, err = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, out) == (1, "")
    assert err.endswith("The engine stopped. [InternalServiceError]\n")


def test_wrong_usage_is_exit_code_2_and_names_the_parameter(server: RunningServer, tmp_path: Path) -> None:
    done = run("generate", "a fox", "-o", str(tmp_path / "film.mp4"), "--ratio", "2:1", *named(server))
    assert done.returncode == 2
    assert "`ratio`" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_quote_tells_the_price_and_makes_nothing(server: RunningServer) -> None:
    done = run("generate", "a fox", "--quote", "--duration", "5", "--ratio", "16:9", *named(server))
    assert (done.returncode, done.stdout) == (0, "previz would make it, at most 5.0094 CNY for 108900 tokens.\n")
    refused = run("generate", "a fox", "--quote", "--duration", "99", *named(server))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "refused  duration: " in refused.stderr
    assert server.stored() == ()


def test_a_folder_that_is_not_there_is_seen_before_anything_is_made(server: RunningServer, tmp_path: Path) -> None:
    done = run("generate", "a fox", "-o", str(tmp_path / "nowhere" / "film.mp4"), *named(server))
    assert done.returncode == 2
    assert not server.stored()


def test_a_film_that_takes_too_long_is_exit_code_3_and_can_be_fetched_later(
    server: RunningServer, tmp_path: Path
) -> None:
    film = tmp_path / "film.mp4"
    done = run("generate", "a fox", "-o", str(film), "--timeout", "0", *named(server))
    assert done.returncode == 3
    how = done.stderr.splitlines()[-1]
    assert how.startswith("Go on with: understudy tasks get cgt-")
    words = how.partition("understudy ")[2].split()
    server.succeed(words[2])
    assert run(*words, *named(server)).returncode == 0
    assert film.read_bytes() == VIDEO


def test_ctrl_c_cancels_a_task_that_is_queued(server: RunningServer, tmp_path: Path) -> None:
    process, task_id = start_generating(server, "-o", str(tmp_path / "film.mp4"))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 130, err
    assert f"Cancelled task {task_id}." in err
    assert server.task(task_id).status == "cancelled"


def test_ctrl_c_leaves_a_running_task_and_says_how_to_go_on(server: RunningServer, tmp_path: Path) -> None:
    process, task_id = start_generating(server, "-o", str(tmp_path / "film.mp4"))
    server.run_task(task_id)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 130
    assert f"understudy tasks get {task_id} --wait" in err
    assert server.task(task_id).status == "running"


def test_tasks_are_listed_one_to_a_line(server: RunningServer, client: Client) -> None:
    first, second = client.create("a fox"), client.create("a hen")
    server.fail(first.id)
    done = run("tasks", "list", *named(server))
    assert [line.split("\t")[:2] for line in done.stdout.splitlines()] == [[second.id, "queued"], [first.id, "failed"]]
    failed = run("tasks", "list", "--status", "failed", "--json", *named(server))
    assert [json.loads(line)["id"] for line in failed.stdout.splitlines()] == [first.id]


def test_a_task_is_shown_with_why_it_failed(server: RunningServer, client: Client) -> None:
    task = client.create("a fox")
    server.fail(task.id)
    done = run("tasks", "get", task.id, *named(server))
    assert done.returncode == 0
    assert "The engine stopped." in done.stdout


@pytest.mark.parametrize(("ends", "code"), [("fail", 1), ("expire", 1), ("", 3)])
def test_asking_for_a_film_that_is_not_there_is_no_success(
    server: RunningServer, client: Client, tmp_path: Path, ends: str, code: int
) -> None:
    task = client.create("a fox")
    if ends:
        getattr(server, ends)(task.id)
    done = run("tasks", "get", task.id, "-o", str(tmp_path / "film.mp4"), *named(server))
    assert done.returncode == code
    assert not (tmp_path / "film.mp4").exists()


def test_a_watched_task_is_told_in_json_lines_until_it_has_ended(server: RunningServer, client: Client) -> None:
    task = client.create("a fox")
    command = [*UNDERSTUDY, "tasks", "watch", task.id, *named(server)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    first = json.loads(process.stdout.readline())
    assert (first["id"], first["status"]) == (task.id, "queued")
    server.succeed(task.id)
    out, err = process.communicate(timeout=TIMEOUT_S)
    last = json.loads(out.splitlines()[-1])
    assert (process.returncode, last["status"], last["video_url"][:7]) == (0, "succeeded", "http://"), err


def test_watching_a_task_that_failed_is_exit_code_1_and_one_that_lasts_is_3(
    server: RunningServer, client: Client
) -> None:
    task = client.create("a fox")
    assert run("tasks", "watch", task.id, "--timeout", "0", *named(server)).returncode == 3
    server.fail(task.id)
    done = run("tasks", "watch", task.id, *named(server))
    assert (done.returncode, done.stderr) == (1, "The engine stopped.\n")
    assert json.loads(done.stdout)["error"]["message"] == "The engine stopped."


def test_a_task_is_deleted(server: RunningServer, client: Client) -> None:
    task = client.create("a fox")
    assert run("tasks", "delete", task.id, *named(server)).returncode == 0
    assert server.task(task.id).status == "cancelled"
    again = run("tasks", "delete", task.id, *named(server))
    assert (again.returncode, "already cancelled" in again.stderr) == (1, True)


def test_a_command_without_a_server_says_what_it_needs() -> None:
    done = run("tasks", "list")
    assert (done.returncode, done.stdout) == (2, "")
    assert "UNDERSTUDY_BASE_URL" in done.stderr


def test_a_server_that_is_not_there_is_one_sentence(server: RunningServer) -> None:
    done = run("tasks", "delete", "cgt-20260101000000-abcde", "--base-url", "http://127.0.0.1:1", "--api-key", "k")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "cannot be reached" in done.stderr
