"""`make demo`: one film through the ordinary HTTP API, with nothing but the standard library on the client's side.

Starts a server on a free loopback port, creates a task, polls it, downloads the film, says what it is and stops it.
"""

import json
import shlex
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from understudy.cli.private_server import private_server
from understudy.client.programs import TASKS_PATH, default_model
from understudy.media.probe import FilmFacts, probe_film

FILM = Path("demo.mp4")
PROMPT = (
    "A cute baby sea otter wearing a beret, rolling in a spring courtyard with falling cherry blossoms, "
    'slow push-in. The otter says: "Hello, I am your understudy."'
)
REQUEST = {
    "model": default_model().id,
    "content": [{"type": "text", "text": PROMPT}],
    "ratio": "16:9",
    "resolution": "720p",
    "duration": 5,
    "generate_audio": True,
    "seed": 7,
}
POLL_PAUSE_S = 0.5
FILM_TIMEOUT_S = 300.0
BAR_CHARS = 30


def call(url: str, api_key: str, body: object = None) -> dict[str, Any]:
    """Send one API request: POST with a body, GET without; return the answer's JSON."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=30) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def finished(url: str, api_key: str) -> dict[str, Any]:
    """Poll a task until it has ended, showing its progress; return it."""
    deadline = time.monotonic() + FILM_TIMEOUT_S
    shown = ""
    while time.monotonic() < deadline:
        task = call(url, api_key)
        done = 1.0 if task["status"] == "succeeded" else task.get("progress", 0.0)
        bar = "#" * round(done * BAR_CHARS)
        line = f"  {task['status']:<9} [{bar:<{BAR_CHARS}}] {done:4.0%}"
        if sys.stdout.isatty():
            print(f"\r{line}", end="", flush=True)
        elif line != shown:
            print(line, flush=True)
        shown = line
        if task["status"] not in ("queued", "running"):
            if sys.stdout.isatty():
                print()
            return task
        time.sleep(POLL_PAUSE_S)
    raise TimeoutError(f"the film was not ready after {FILM_TIMEOUT_S:g} s")


def described(facts: FilmFacts, size_bytes: int) -> str:
    """Say what a decoder finds in the file."""
    sound = f"{facts.sound_codec} sound at {facts.sample_rate_hz} Hz" if facts.has_sound else "no sound"
    return (
        f"{facts.width_px}x{facts.height_px}, {facts.duration_s:g} s, {facts.num_frames} frames at {facts.fps:g} fps, "
        f"{facts.codec}, {sound}, {size_bytes / 1e6:.1f} MB"
    )


def main() -> int:
    """Make the film; the exit code says whether there is one."""
    began = time.monotonic()
    print("Starting an Understudy server on a free loopback port ...", flush=True)
    with private_server() as server:
        tasks = server.url + TASKS_PATH
        print(f"  {server.url}\nCreating a text-to-video task:\n  POST {TASKS_PATH}", flush=True)
        task_id = call(tasks, server.api_key, REQUEST)["id"]
        print(f"  {task_id}", flush=True)
        task = finished(f"{tasks}/{task_id}", server.api_key)
        if task["status"] != "succeeded":
            print(f"The task {task['status']}: {task.get('error')}", file=sys.stderr)
            return 1
        with urllib.request.urlopen(task["content"]["video_url"], timeout=30) as answer:
            FILM.write_bytes(answer.read())
    print("The server is stopped.\n")
    print(f"{FILM.absolute()}\n  {described(probe_film(FILM), FILM.stat().st_size)}")
    print(f"  prompt  {PROMPT}\n  seed    {task['seed']} (the same request gives the same film)")
    print(f"  tokens  {task['usage']['completion_tokens']}, as Ark would count them")
    print("  engine  previz: pictures drawn by rules from the prompt, a small speech model, all on the CPU;")
    print("          a previsualisation, not the work of a generative video model")
    print(f"  time    {time.monotonic() - began:.1f} s in all, server start included\n")
    print("The same with curl, against `understudy serve`:\n")
    print(f"  curl http://127.0.0.1:8484{TASKS_PATH} \\\n    -H 'Authorization: Bearer KEY' \\")
    print(f"    -H 'Content-Type: application/json' \\\n    -d {shlex.quote(json.dumps(REQUEST))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
