r"""Creates and polls of ours beside those of a peer, LiteLLM's proxy with its ``/v1/videos``, in one run.

    python benchmarks/peer.py [--litellm PROGRAM] [--json] [--rounds 3] [--seconds 3]

The peer goes into an environment of its own, in which nothing of ours is needed:

    python -m venv peer && peer/bin/pip install uv
    printf 'litellm-proxy-extras==0.4.110\ncertifi>=2025\n' > overrides.txt
    peer/bin/uv pip install --python peer/bin/python 'litellm[proxy]==1.109.1' --override overrides.txt
    python benchmarks/peer.py --litellm peer/bin/litellm

Both are sent the same bodies at the same paths, OpenAI's. Ours stores each task durably (SQLite, synchronous=FULL)
with its hold in the ledger, checks its key, counts what waits and what runs per key, and remembers an Idempotency-Key
for each create. The peer keeps nothing: it asks an upstream within each request, here a stub on loopback that answers
at once; it runs with one worker as ours does, without a database, which only makes it quicker. Neither renders. Rounds
take turns.

"start-up" is from the start of the command that users run to the first answer over HTTP; "memory" is what the process
and those it started hold (PSS) after the load, and ours is told with and without its render process, because the peer
renders nowhere.
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import msgspec

from api import Server, fsync_p50_ms
from scale_load import PLACE, Plan, Seen, Stream

HERE = Path(__file__).parent
CONNECTIONS = (1, 8, 32)
MODEL = "doubao-seedance-2-0-260128"
KEY = "sk-benchmark-of-a-peer-00"
BODY = json.dumps(
    {
        "model": MODEL,
        "prompt": "A cute baby sea otter wearing a beret, rolling in a spring courtyard with falling cherry blossoms",
        "seconds": "5",
        "size": "1280x720",
    }
).encode()
SETTINGS = {"concurrency_per_key": 100, "queued_per_key": 10_000_000, "first_api_key": KEY}
START_S = 180.0
AIMS = {"create": 50.0, "poll": 50.0, "memory": 4.0, "start-up": 10.0}
FREE_AGAIN_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table: medians over the rounds. times: how many times the peer's figure ours is."""

    what: str
    connections: int
    ours_per_s: float
    ours_p50_ms: float
    ours_p99_ms: float
    peer_per_s: float
    peer_p50_ms: float
    peer_p99_ms: float
    times: float


def request(verb: str, path: str, body: bytes = b"") -> bytes:
    """Return a whole request; a create has an idempotency key of its own."""
    head = f"{verb} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {KEY}\r\nAccept: application/json\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        head += f"Idempotency-Key: benchmark-{PLACE.decode()}\r\n"
    return head.encode() + b"\r\n" + body


def load(port: int, streams: Sequence[Stream], seconds: float, first_number: int = 0) -> list[Seen]:
    """Run the generator in a process of its own; every answer must be a success."""
    plan = Plan(host="127.0.0.1", port=port, streams=list(streams), time_s=seconds, first_number=first_number)
    done = subprocess.run(
        [sys.executable, str(HERE / "scale_load.py")],
        input=msgspec.json.encode(plan),
        stdout=subprocess.PIPE,
        check=True,
    )
    seen = msgspec.json.decode(done.stdout, type=list[Seen])
    for each in seen:
        if each.failed or not each.answered:
            sys.exit(f"{each.failed} of {each.answered} {each.name}s failed, the first: {each.first_failure}")
    return seen


@contextmanager
def process(command: Sequence[str], **how: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in a group of its own until the block ends."""
    started = subprocess.Popen(command, start_new_session=True, **how)
    try:
        yield started
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGTERM)
        try:
            started.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(started.pid, signal.SIGKILL)
            started.wait()


@contextmanager
def server(which: str, *arguments: str) -> Iterator[Server]:
    """Run one of `scale_servers`."""
    with process(
        [sys.executable, str(HERE / "scale_servers.py"), which, *arguments], stdout=subprocess.PIPE
    ) as started:
        assert started.stdout is not None
        yield msgspec.json.decode(started.stdout.readline(), type=Server)


def free_port() -> int:
    """Return a port that nobody listens on."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as bound:
        return int(bound.getsockname()[1])


def seconds_to_answer(port: int, path: str, started: subprocess.Popen[bytes]) -> float:
    """Wait for the first answer over HTTP, whatever it says; return how long that took."""
    began = time.perf_counter()
    while time.perf_counter() < began + START_S:
        if started.poll() is not None:
            sys.exit(f"the server ended with {started.returncode} before it answered")
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {KEY}"})
            connection.getresponse().read()
        except (OSError, HTTPException):
            time.sleep(0.005)
        else:
            return time.perf_counter() - began
        finally:
            connection.close()
    sys.exit(f"no answer within {START_S} s")


def pss_mb(pid: int, *, with_children: bool = True) -> float:
    """Return what a process holds, with those it started: shared pages divided among those that share them."""
    total = 0.0
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            total = int(line.split()[1]) / 1024
    if with_children:
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                with contextlib.suppress(OSError):
                    total += pss_mb(int(child))
    return total


class Peer:
    """LiteLLM's proxy before the stub. program: its command; folder: for its configuration."""

    def __init__(self, program: str, folder: Path, upstream: int) -> None:
        self.port = free_port()
        config = folder / "peer.yaml"
        # JSON is YAML.
        config.write_text(
            json.dumps(
                {
                    "model_list": [
                        {
                            "model_name": MODEL,
                            "litellm_params": {
                                "model": f"volcengine/{MODEL}",
                                "api_base": f"http://127.0.0.1:{upstream}/api/v3",
                                "api_key": "sk-upstream",
                            },
                        }
                    ],
                    "general_settings": {"master_key": KEY},
                    "litellm_settings": {"telemetry": False, "drop_params": True},
                }
            )
        )
        self.command = [program, "--config", str(config), "--port", str(self.port), "--host", "127.0.0.1"]
        self.command += ["--num_workers", "1"]
        self.folder = folder

    @contextmanager
    def running(self) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
        """Run it; gives the process and how long it took to answer."""
        environment = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}
        how: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment}
        with process(self.command, cwd=self.folder, **how) as started:
            yield started, seconds_to_answer(self.port, "/health/liveliness", started)


@contextmanager
def our_command(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    """Run ``understudy serve`` as users do; gives the process and how long it took to answer."""
    port = free_port()
    command = [sys.executable, "-m", "understudy", "serve", "--port", str(port), "--data-dir", str(folder)]
    environment = {**os.environ, "UNDERSTUDY_FIRST_API_KEY": KEY}
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment}
    with process(command, **quiet) as started:
        yield started, seconds_to_answer(port, "/v1/videos/video_20261121120000-aaaaa", started)


def started_up(peer: Peer | None, rounds: int) -> dict[str, list[float]]:
    """Start both in turn; the first start of each, which compiles, is not counted."""
    took: dict[str, list[float]] = {"ours": [], "peer": [], "ours with its render process, MB": []}
    for number in range(rounds + 1):
        with tempfile.TemporaryDirectory() as folder, our_command(Path(folder)) as (started, seconds):
            if number == rounds:
                time.sleep(5)  # until its render process is warm
                took["ours with its render process, MB"].append(pss_mb(started.pid))
            if number:
                took["ours"].append(seconds)
        if peer is not None:
            with peer.running() as (_, seconds):
                if number:
                    took["peer"].append(seconds)
    return took


def loads_of(port: int, connections: int) -> dict[str, Stream]:
    """Return the streams of both kinds; a few tasks are made first, which are polled."""
    few = Stream(name="create", requests=[request("POST", "/v1/videos", BODY)], connections=1, most=20, keeps=True)
    numbers = int(time.monotonic() * 1000) % 90_000_000
    made = load(port, [few], 60.0, numbers)[0]
    polls = [request("GET", f"/v1/videos/{json.loads(body)['id']}") for body in made.bodies]
    return {
        "create": Stream(name="create", requests=few.requests, connections=connections),
        "poll": Stream(name="poll", requests=polls, connections=connections),
    }


def compared(ours: int, peer: int | None, *, rounds: int, seconds: float) -> list[Row]:
    """Put both under load in turn, as much as each takes."""
    rows, number = [], 0
    for connections in CONNECTIONS:
        for what in ("create", "poll"):
            seen: dict[str, list[Seen]] = {"ours": [], "peer": []}
            for _ in range(rounds):
                for name, port in (("ours", ours), ("peer", peer)):
                    if port is None:
                        continue
                    stream = loads_of(port, connections)[what]
                    seen[name] += load(port, [stream], seconds, number)
                    number += seen[name][-1].answered
                    time.sleep(0.2)
            rows.append(row(what, connections, seen))
    return rows


def row(what: str, connections: int, seen: dict[str, list[Seen]]) -> Row:
    """Take the medians."""

    def median(name: str, figure: str) -> float:
        return statistics.median(getattr(each, figure) for each in seen[name]) if seen[name] else float("nan")

    figures = {
        f"{name}_{figure}": median(name, figure)
        for name in ("ours", "peer")
        for figure in ("per_s", "p50_ms", "p99_ms")
    }
    return Row(what=what, connections=connections, **figures, times=figures["ours_per_s"] / figures["peer_per_s"])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--litellm", default=shutil.which("litellm"), help="the peer's command")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="length of one round of one server")
    given = parser.parse_args()
    if given.litellm is None:
        print("The peer is not measured: there is no `litellm` command; --help says how to install it.\n")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        upstream = stack.enter_context(server("stub"))
        peer = Peer(given.litellm, folder, upstream.port) if given.litellm else None
        starts = started_up(peer, given.rounds)
        running, _ = stack.enter_context(peer.running()) if peer else (None, 0.0)
        data_dir = stack.enter_context(tempfile.TemporaryDirectory())
        ours = stack.enter_context(server("ours", "--data-dir", data_dir, "--settings", json.dumps(SETTINGS)))
        rows = compared(ours.port, peer.port if peer else None, rounds=given.rounds, seconds=given.seconds)
        memory = {"ours": pss_mb(ours.pid), "peer": pss_mb(running.pid) if running else float("nan")}
    found: dict[str, Any] = {
        "fsync_p50_ms": fsync_p50_ms(500),
        "rows": [asdict(each) for each in rows],
        "start_up_s": {name: statistics.median(each) for name, each in starts.items() if each},
        "memory_mb": memory,
    }
    if given.json:
        print(json.dumps({**vars(given), "cpus": os.cpu_count(), **found}, indent=1))
    else:
        show(found, given)


def show(found: dict[str, Any], given: argparse.Namespace) -> None:
    """Print the table."""
    print(f"{os.cpu_count()} CPUs, shared with the load generator and the peer's upstream; ", end="")
    print(f"median of {given.rounds} rounds of {given.seconds:g} s in turn; fsync p50 {found['fsync_p50_ms']:.3f} ms\n")
    heads = ("ours /s", "p50 ms", "p99 ms", "peer /s", "p50 ms", "p99 ms", "times", "aim")
    print(f"{'':8}{'conn.':>6}" + "".join(f"{head:>10}" for head in heads))
    for each in found["rows"]:
        mine = f"{each['ours_per_s']:>10,.0f}{each['ours_p50_ms']:>10.2f}{each['ours_p99_ms']:>10.2f}"
        theirs = f"{each['peer_per_s']:>10,.0f}{each['peer_p50_ms']:>10.1f}{each['peer_p99_ms']:>10.1f}"
        print(
            f"{each['what']:8}{each['connections']:>6}{mine}{theirs}{each['times']:>10.0f}{AIMS[each['what']]:>10.0f}"
        )
    memory, starts = found["memory_mb"], found["start_up_s"]
    print(f"\nmemory after the load: ours {memory['ours']:.0f} MB, peer {memory['peer']:.0f} MB", end="")
    print(f" ({memory['peer'] / memory['ours']:.1f} times as much; aim {AIMS['memory']:g}); ", end="")
    print(f"ours with its warm render process {starts['ours with its render process, MB']:.0f} MB")
    peer_s = starts.get("peer", float("nan"))
    print(f"start-up: ours {starts['ours']:.2f} s, peer {peer_s:.1f} s", end="")
    print(f" ({peer_s / starts['ours']:.1f} times as long; aim {AIMS['start-up']:g})")


if __name__ == "__main__":
    main()
