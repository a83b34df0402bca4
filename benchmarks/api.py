"""Creates and polls per second over HTTP, beside a bare route and a bare durable commit in the same run.

    python benchmarks/api.py [--json] [--rounds 5] [--seconds 2]

Measured is the product as a user runs it, keys checked, SQLite with synchronous=FULL, without rendering (see
`api_servers`), at 100 and at 10,000 stored tasks. Rounds of ours and of the bare route take turns, so that a noisy
machine spoils both alike; each figure is the median of the rounds. The load generator (`http_load`) is Python too and
shares the machine's cores with the server.

"CPU us" is the processor time of the server's process per request, all its threads: the steadier figure where other
programs run beside. It counts what the writer thread does on another core while the server answers.

Creates store what they create, so the create rounds start at the number of tasks named and end above it; the table
says where.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import apsw
import msgspec

from api_servers import TASKS
from http_load import Load, Measured

HERE = Path(__file__).parent
STORED = (100, 10_000)
AIMS = {"poll": 0.55, "create": 0.45}
BODY = json.dumps(
    {
        "model": "doubao-seedance-2-0-260128",
        "content": [{"type": "text", "text": "A cat yawning at the camera, soft lighting, close-up shot. " * 4}],
        "generate_audio": True,
        "ratio": "16:9",
        "resolution": "720p",
        "duration": 5,
        "watermark": False,
    }
).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server under load."""

    port: int
    api_key: str
    pid: int

    def cpu_s(self) -> float:
        """Return the processor time the server has used, all threads; 0 where there is no /proc."""
        stat = Path(f"/proc/{self.pid}/stat")
        if not stat.exists():
            return 0.0
        user, system = stat.read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def get(self, task_id: str) -> bytes:
        """Return a whole request for a task."""
        return f"GET {TASKS}/{task_id} HTTP/1.1\r\n{self._headers()}\r\n".encode()

    def post(self) -> bytes:
        """Return a whole create request."""
        own = f"Content-Type: application/json\r\nContent-Length: {len(BODY)}\r\n"
        return f"POST {TASKS} HTTP/1.1\r\n{self._headers()}{own}\r\n".encode() + BODY

    def _headers(self) -> str:
        # What the vendor's SDK sends.
        return (
            f"Host: 127.0.0.1:{self.port}\r\nAccept: application/json\r\nUser-Agent: volc-sdk-python/1.0.0\r\n"
            f"X-Client-Request-Id: 20261121031309shJdENC10s8gBGVo1Ani\r\nAuthorization: Bearer {self.api_key}\r\n"
            "Accept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\n"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One server's part of one round. cpu_us: processor time of the server per request."""

    load: Measured
    cpu_us: float

    @property
    def per_s(self) -> float:
        """Requests answered per second."""
        return self.load.answered / self.load.time_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table: medians over the rounds."""

    what: str
    stored: int
    stored_after: int
    ours_per_s: float
    ours_p50_ms: float
    ours_p99_ms: float
    ours_cpu_us: float
    bare_per_s: float
    bare_p50_ms: float
    bare_p99_ms: float
    bare_cpu_us: float
    ratio: float
    aim: float


@contextmanager
def running(*command: str) -> Iterator[Server]:
    """Run a server process until the block ends."""
    process = subprocess.Popen([sys.executable, str(HERE / "api_servers.py"), *command], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        yield msgspec.json.decode(process.stdout.readline(), type=Server)
    finally:
        process.terminate()
        process.wait(timeout=30)


def load(server: Server, requests: list[bytes], *, connections: int, seconds: float, most: int = 0) -> Measured:
    """Run the load generator; every answer must be a success."""
    asked = Load(
        host="127.0.0.1", port=server.port, requests=requests, connections=connections, time_s=seconds, most=most
    )
    done = subprocess.run(
        [sys.executable, str(HERE / "http_load.py")],
        input=msgspec.json.encode(asked),
        stdout=subprocess.PIPE,
        check=True,
    )
    measured = msgspec.json.decode(done.stdout, type=Measured)
    if measured.failed or not measured.answered:
        sys.exit(f"{measured.failed} of {measured.answered} requests failed, the first: {measured.first_failure}")
    return measured


def fill(server: Server, tasks: int) -> list[str]:
    """Create tasks over HTTP; return the ids of all."""
    measured = load(server, [server.post()], connections=64, seconds=300, most=tasks)
    return [json.loads(body)["id"] for body in measured.bodies]


def compare(stored: int, *, rounds: int, seconds: float, connections: int) -> list[Row]:
    """Measure polls and creates at one number of stored tasks."""
    rows = []
    with (
        tempfile.TemporaryDirectory() as data_dir,
        running("bare") as bare,
        running("ours", "--data-dir", data_dir) as ours,
    ):
        ids = fill(ours, stored)
        # A stride spreads the polls over the whole table instead of the newest pages.
        asked = [ids[(n * 7919) % len(ids)] for n in range(min(2000, len(ids)))]
        loads = {
            "poll": ([ours.get(each) for each in asked], [bare.get(each) for each in asked]),
            "create": ([ours.post()], [bare.post()]),
        }
        for what, (to_ours, to_bare) in loads.items():
            pairs = []
            for _ in range(rounds):
                theirs = one_round(bare, to_bare, connections=connections, seconds=seconds)
                pairs.append((one_round(ours, to_ours, connections=connections, seconds=seconds), theirs))
            made = sum(mine.load.answered for mine, _ in pairs) if what == "create" else 0
            rows.append(row(what, pairs, stored=stored, stored_after=stored + made))
    return rows


def one_round(server: Server, requests: list[bytes], *, connections: int, seconds: float) -> Round:
    """Put one server under load and see what it cost."""
    before = server.cpu_s()
    measured = load(server, requests, connections=connections, seconds=seconds)
    return Round(load=measured, cpu_us=(server.cpu_s() - before) / measured.answered * 1e6)


def row(what: str, pairs: list[tuple[Round, Round]], *, stored: int, stored_after: int) -> Row:
    """Take the medians of the rounds."""

    def median(side: int, of: Callable[[Round], float]) -> float:
        return statistics.median(of(pair[side]) for pair in pairs)

    def p50_ms(each: Round) -> float:
        return each.load.p50_ms

    def p99_ms(each: Round) -> float:
        return each.load.p99_ms

    def cpu_us(each: Round) -> float:
        return each.cpu_us

    def per_s(each: Round) -> float:
        return each.per_s

    return Row(
        what=what,
        stored=stored,
        stored_after=stored_after,
        ours_per_s=median(0, per_s),
        ours_p50_ms=median(0, p50_ms),
        ours_p99_ms=median(0, p99_ms),
        ours_cpu_us=median(0, cpu_us),
        bare_per_s=median(1, per_s),
        bare_p50_ms=median(1, p50_ms),
        bare_p99_ms=median(1, p99_ms),
        bare_cpu_us=median(1, cpu_us),
        # Round by round, because the two of a round met the same machine.
        ratio=statistics.median(mine.per_s / theirs.per_s for mine, theirs in pairs),
        aim=AIMS[what],
    )


def bare_commits(seconds: float) -> float:
    """Return durable one-row commits per second of SQLite in WAL mode with synchronous=FULL, one after the other."""
    with tempfile.TemporaryDirectory() as folder:
        connection = apsw.Connection(str(Path(folder) / "bare.db"))
        connection.pragma("journal_mode", "wal")
        connection.pragma("synchronous", "full")
        connection.execute("CREATE TABLE task (id TEXT PRIMARY KEY, body BLOB)")
        done, until, started = 0, time.perf_counter() + seconds, time.perf_counter()
        while time.perf_counter() < until:
            connection.execute("INSERT INTO task VALUES (?, ?)", (f"task-{done}", BODY))
            done += 1
        spent = time.perf_counter() - started
        connection.close()
    return done / spent


def fsync_p50_ms(times: int) -> float:
    """Return the median time of writing 4 KB and making it durable."""
    spent = []
    with tempfile.NamedTemporaryFile() as file:
        for _ in range(times):
            started = time.perf_counter()
            os.write(file.fileno(), bytes(4096))
            os.fdatasync(file.fileno())
            spent.append(time.perf_counter() - started)
    return statistics.median(spent) * 1000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="length of one round of one server")
    parser.add_argument("--connections", type=int, default=64)
    given = parser.parse_args()
    fsync, commits = fsync_p50_ms(500), bare_commits(given.seconds)
    rows = [
        row
        for stored in STORED
        for row in compare(stored, rounds=given.rounds, seconds=given.seconds, connections=given.connections)
    ]
    if given.json:
        found = {"fsync_p50_ms": fsync, "bare_commits_per_s": commits, "rows": [asdict(row) for row in rows]}
        print(json.dumps({**vars(given), "cpus": os.cpu_count(), **found}, indent=1))
        return
    print(f"{os.cpu_count()} CPUs, shared with the load generator; {given.connections} connections; ", end="")
    print(f"median of {given.rounds} rounds of {given.seconds:g} s, ours and bare in turn")
    print(f"fsync of 4 KB p50 {fsync:.3f} ms; bare durable SQLite commits, one at a time: {commits:,.0f}/s\n")
    side = ("/s", "p50 ms", "p99 ms", "CPU us")
    print(f"{'':8}{'':>16}{'ours':>9}{'':27}{'bare':>9}")
    print(f"{'':8}{'stored':>16}" + "".join(f"{name:>9}" for name in (*side, *side, "ratio", "aim")))
    for each in rows:
        span = f"{each.stored:,}" if each.stored == each.stored_after else f"{each.stored:,}-{each.stored_after:,}"
        mine = f"{each.ours_per_s:>9,.0f}{each.ours_p50_ms:>9.2f}{each.ours_p99_ms:>9.2f}{each.ours_cpu_us:>9.1f}"
        theirs = f"{each.bare_per_s:>9,.0f}{each.bare_p50_ms:>9.2f}{each.bare_p99_ms:>9.2f}{each.bare_cpu_us:>9.1f}"
        print(f"{each.what:8}{span:>16}{mine}{theirs}{each.ratio:>9.0%}{each.aim:>9.0%}")


if __name__ == "__main__":
    main()
