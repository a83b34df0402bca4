"""Large bodies on their way in: what they do to other callers' polls, and what memory they cost.

    python benchmarks/media_bodies.py [--json] [--seconds 6] [--polls-per-s 200]

The product runs as in `api_servers`, in a process of its own. Each row first polls alone, then beside so many bodies of
so many bytes on connections of their own, each a create with one picture as a data URL, sent as fast as loopback takes
them, again and again. They are quotes of a model that is not there: a body is read to its end and then refused, so that
what is measured is the reading. Polls are sent at a steady rate and timed from the moment they were due, because a
server that stalls would otherwise be asked less while it does. The senders are processes of their own; all share the
machine's cores.

"RSS" is what the server's process took more at its peak than before the bodies came (`VmHWM`, reset before each row).
"""

import argparse
import base64
import json
import multiprocessing
import os
import socket
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from api import fill, running
from api_servers import TASKS

MB = 1_000_000
ROWS = ((30, 1), (30, 4), (40, 4), (64, 1), (64, 4))
"""Bodies of so many MB, so many at once."""
PIECE_BYTES = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measurement; the times are of polls. bodies_per_s: taken in. rss_mb: above what it was before."""

    body_mb: int
    at_once: int
    alone_p50_ms: float
    alone_p99_ms: float
    alone_max_ms: float
    beside_p50_ms: float
    beside_p99_ms: float
    beside_max_ms: float
    polls: int
    bodies_per_s: float
    mb_per_s: float
    rss_mb: float
    rss_before_mb: float


def body_of(size_mb: int) -> bytes:
    """Return a create of about so many bytes."""
    picture = base64.b64encode(os.urandom(3 * PIECE_BYTES)).decode("ascii")
    whole = (picture * (size_mb * MB // len(picture) + 1))[: (size_mb * MB - 1000) // 4 * 4]
    item = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{whole}"}, "role": "first_frame"}
    return json.dumps({"model": "no-such-model", "content": [{"type": "text", "text": "A cat"}, item]}).encode()


def send(port: int, api_key: str, body: bytes, *, until: float, done: "multiprocessing.Queue[int]") -> None:
    """Send the body again and again until the moment; tell how often it was answered."""
    head = f"POST {TASKS} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {api_key}\r\nContent-Length: {len(body)}\r\n\r\n"
    sent = 0
    with socket.create_connection(("127.0.0.1", port)) as connection:
        while time.monotonic() < until:
            connection.sendall(head.encode())
            for start in range(0, len(body), PIECE_BYTES):
                connection.sendall(memoryview(body)[start : start + PIECE_BYTES])
            answer = connection.recv(65536)
            if b" 404 " not in answer[:20]:
                raise SystemExit(f"not the answer that was expected: {answer[:400]!r}")
            sent += 1
    done.put(sent)


def polls(port: int, request: bytes, *, seconds: float, per_s: float) -> list[float]:
    """Poll at a steady rate; return the milliseconds from when each was due to its answer, sorted."""
    spent = []
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        started = time.perf_counter()
        for number in range(int(seconds * per_s)):
            due = started + number / per_s
            time.sleep(max(due - time.perf_counter(), 0))
            connection.sendall(request)
            if b" 200 " not in connection.recv(65536)[:20]:
                raise SystemExit("a poll failed")
            spent.append((time.perf_counter() - due) * 1000)
    return sorted(spent)


def status_kb(pid: int, name: str) -> int:
    """Return a figure of /proc/<pid>/status in kB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name + ":")).split()[1])


def at(ordered: list[float], share: float) -> float:
    """Return a quantile."""
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def measure(size_mb: int, at_once: int, *, seconds: float, per_s: float) -> Row:
    """Measure one row on a fresh server."""
    body = body_of(size_mb)
    with tempfile.TemporaryDirectory() as data_dir, running("ours", "--data-dir", data_dir) as server:
        poll = server.get(fill(server, 10)[0])
        alone = polls(server.port, poll, seconds=seconds, per_s=per_s)
        before_kb = status_kb(server.pid, "VmRSS")
        # Resets the high-water mark of the process.
        Path(f"/proc/{server.pid}/clear_refs").write_text("5")
        done: multiprocessing.Queue[int] = multiprocessing.Queue()
        until = time.monotonic() + seconds
        senders = [
            multiprocessing.Process(
                target=send, args=(server.port, server.api_key, body), kwargs={"until": until, "done": done}
            )
            for _ in range(at_once)
        ]
        started = time.monotonic()
        for each in senders:
            each.start()
        beside = polls(server.port, poll, seconds=seconds, per_s=per_s)
        sent = sum(done.get(timeout=60) for _ in senders)
        spent = time.monotonic() - started
        for each in senders:
            each.join()
        peak_kb = status_kb(server.pid, "VmHWM")
    return Row(
        body_mb=size_mb,
        at_once=at_once,
        alone_p50_ms=at(alone, 0.5),
        alone_p99_ms=at(alone, 0.99),
        alone_max_ms=alone[-1],
        beside_p50_ms=at(beside, 0.5),
        beside_p99_ms=at(beside, 0.99),
        beside_max_ms=beside[-1],
        polls=len(beside),
        bodies_per_s=sent / spent,
        mb_per_s=sent * len(body) / MB / spent,
        rss_mb=(peak_kb - before_kb) / 1000,
        rss_before_mb=before_kb / 1000,
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--seconds", type=float, default=6.0, help="length of each half of a row")
    parser.add_argument("--polls-per-s", type=float, default=200.0)
    given = parser.parse_args()
    rows = [measure(size, count, seconds=given.seconds, per_s=given.polls_per_s) for size, count in ROWS]
    if given.json:
        print(json.dumps({**vars(given), "cpus": os.cpu_count(), "rows": [asdict(row) for row in rows]}, indent=1))
        return
    print(f"{os.cpu_count()} CPUs, shared with the senders; {given.polls_per_s:g} polls/s for {given.seconds:g} s\n")
    print(f"{'bodies':>12}{'alone p50':>11}{'p99':>8}{'max':>8}{'beside p50':>12}{'p99':>8}{'max ms':>8}", end="")
    print(f"{'bodies/s':>10}{'MB/s':>7}{'RSS MB':>8}")
    for row in rows:
        print(f"{row.at_once:>4} x {row.body_mb:>2} MB", end="")
        print(f"{row.alone_p50_ms:>11.2f}{row.alone_p99_ms:>8.2f}{row.alone_max_ms:>8.1f}", end="")
        print(f"{row.beside_p50_ms:>12.2f}{row.beside_p99_ms:>8.2f}{row.beside_max_ms:>8.1f}", end="")
        print(f"{row.bodies_per_s:>10.1f}{row.mb_per_s:>7.0f}{f'+{row.rss_mb:.0f}':>8}")


if __name__ == "__main__":
    main()
