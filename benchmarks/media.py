"""How fast files go out, beside a bare file response and a plain copy in the same run; fetching and probing too.

    python benchmarks/media.py [--json] [--rounds 5] [--size-mb 200]

Served is one film from the local store by the product as `bootstrap` builds it, in a process of its own, signature
checked on each request. ``bare`` is Starlette's ``FileResponse`` on uvicorn with uvloop, ``copy`` is
`shutil.copyfile`. The file lies in the page cache, so what is compared is the work and not the disk. The rows
"1 MiB", "64 KiB" and "by threads" are the product with other sizes of what is read at once, and with every read given
to a thread, as it is where the system cannot tell what is in memory. Fetched is the same file from the bare server, by
the product's own guarded client; probed, in the sandbox, is a film of 5 s at 720p that was made here. Rounds of all
rows take turns, so that a noisy machine spoils all alike; each figure is the median of the rounds. The clients are
threads of this process, and share the machine's cores with the server.

"CPU s/GB" is the processor time of the server's process: the steadier figure where other programs run beside. "Peak" is
the most memory that it held, and the growth over what it held before it was asked for anything; "stalled" is what it
takes more for 200 clients at once that ask for the whole film and take nothing.
"""

import argparse
import asyncio
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

MB = 1_000_000
KEY = "20261121120000-abcde-1/video.mp4"
RANGE_BYTES = 4 * 1024 * 1024
PARALLEL = 8
STALLED = 200
STALLED_AT = ("bare", "ours")
RECEIVE_BYTES = 1024 * 1024
SERVERS = {
    "bare": ("bare",),
    "ours": ("ours",),
    "ours, 1 MiB": ("ours", "--chunk-kib", "1024"),
    "ours, 64 KiB": ("ours", "--chunk-kib", "64"),
    "ours, by threads": ("ours", "--by-threads"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure, median of the rounds. cpu_s_per_gb: of the serving process; None where this process does the work.

    files_per_s: one after the other.
    """

    what: str
    mb_per_s: float
    cpu_s_per_gb: float | None = None
    files_per_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server as it said itself, and the file that its link leads to."""

    port: int
    pid: int
    link: str

    def cpu_s(self) -> float:
        """Return the processor time that its process has spent, all threads."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self, name: str) -> float:
        """Return the memory that its process holds (VmRSS), or the most it has held (VmHWM)."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition(f"{name}:")[2].split()[0]) * 1024 / MB


def take(server: Server, first: int, size_bytes: int, step_bytes: int) -> None:
    """Fetch a part on one connection, by ranges of so many bytes, and count what comes."""
    buffer = bytearray(RECEIVE_BYTES)
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        for start in range(first, first + size_bytes, step_bytes):
            last = min(start + step_bytes, first + size_bytes) - 1
            asked = f"GET {server.link} HTTP/1.1\r\nHost: h\r\nRange: bytes={start}-{last}\r\n\r\n"
            connection.sendall(asked.encode())
            received = connection.recv(65536)
            while b"\r\n\r\n" not in received:
                received += connection.recv(65536)
            if not received.startswith(b"HTTP/1.1 206"):
                raise ValueError(received[:200])
            left = last - start + 1 - (len(received) - received.index(b"\r\n\r\n") - 4)
            while left:
                taken = connection.recv_into(buffer)
                if not taken:
                    raise EOFError
                left -= taken


def stalled(server: Server) -> float:
    """Return how many MB the server takes more for many clients that ask and take nothing."""
    before_mb = server.memory_mb("VmRSS")
    with ExitStack() as clients:
        for _ in range(STALLED):
            connection = clients.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=60))
            connection.sendall(f"GET {server.link} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
            connection.recv(1)
        # The last of them has its first byte; what the server still wants to send it, it has by the next answer.
        take(server, 0, RANGE_BYTES, RANGE_BYTES)
        return server.memory_mb("VmRSS") - before_mb


def whole(server: Server, size_bytes: int) -> None:
    """Fetch the file in one answer."""
    take(server, 0, size_bytes, size_bytes)


def ranged(server: Server, size_bytes: int) -> None:
    """Fetch the file by ranges, one after the other, as a player does."""
    take(server, 0, size_bytes, RANGE_BYTES)


def parallel(server: Server, size_bytes: int) -> None:
    """Fetch the file in so many parts at once."""
    part_bytes = -(-size_bytes // PARALLEL)
    with ThreadPoolExecutor(PARALLEL) as pool:
        starts = range(0, size_bytes, part_bytes)
        list(pool.map(lambda start: take(server, start, min(part_bytes, size_bytes - start), part_bytes), starts))


WAYS: dict[str, Callable[[Server, int], None]] = {
    "whole": whole,
    f"by {RANGE_BYTES >> 20} MiB ranges": ranged,
    f"{PARALLEL} at once": parallel,
}


@contextmanager
def running(arguments: tuple[str, ...], folder: Path) -> Iterator[Server]:
    """Run a server on a copy of the file until the block ends."""
    process = subprocess.Popen(
        [sys.executable, __file__, "--serve", *arguments, "--folder", str(folder)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        yield Server(**json.loads(process.stdout.readline()))
    finally:
        process.terminate()
        process.wait(timeout=60)


def measured(work: Callable[[], None], size_bytes: int, server: Server | None = None) -> tuple[float, float]:
    """Return (MB per second, processor seconds of the server per GB)."""
    cpu_s, started_s = server.cpu_s() if server else 0.0, time.perf_counter()
    work()
    spent_s = time.perf_counter() - started_s
    cpu_s = (server.cpu_s() if server else 0.0) - cpu_s
    return size_bytes / MB / spent_s, cpu_s / (size_bytes / MB / 1000)


def compare(folder: Path, size_bytes: int, rounds: int) -> tuple[list[Row], dict[str, tuple[float, ...]]]:
    """Serve the same file by all servers, in turns; return the rows, and each server's peak, growth and stalled."""
    source, found = folder / "film.mp4", {}
    with source.open("wb") as file:
        for _ in range(size_bytes // MB):
            file.write(os.urandom(MB))
    with ExitStack() as servers:
        started: dict[str, Server] = {}
        for name, arguments in SERVERS.items():
            home = folder / name.replace(" ", "-")
            home.mkdir()
            shutil.copyfile(source, home / "film.mp4")
            started[name] = servers.enter_context(running(arguments, home))
        before_mb = {name: server.memory_mb("VmHWM") for name, server in started.items()}
        for _ in range(rounds):
            copied = measured(lambda: shutil.copyfile(source, folder / "copy"), size_bytes)
            found.setdefault("copy", []).append((copied[0], None))
            for way, work in WAYS.items():
                for name, server in started.items():
                    row = measured(lambda work=work, server=server: work(server, size_bytes), size_bytes, server)
                    found.setdefault(f"{name}, {way}", []).append(row)
        peaks = {name: server.memory_mb("VmHWM") for name, server in started.items()}
        held = {
            name: (peak_mb, peak_mb - before_mb[name], stalled(started[name]) if name in STALLED_AT else 0.0)
            for name, peak_mb in peaks.items()
        }
    return [_row(what, figures) for what, figures in found.items()], held


def _row(what: str, figures: list[tuple[float, Any]]) -> Row:
    cpu = [each[1] for each in figures if each[1] is not None]
    return Row(
        what=what,
        mb_per_s=round(statistics.median(each[0] for each in figures), 1),
        cpu_s_per_gb=round(statistics.median(cpu), 3) if cpu else None,
    )


async def fetch_rows(folder: Path, size_bytes: int, rounds: int) -> list[Row]:
    """Fetch the file over loopback, as media of a request are, from the bare server."""
    from understudy.net.download import Downloader
    from understudy.net.guard import Guard
    from understudy.net.http import HttpClient
    from understudy.net.resolve import SystemResolver

    figures = []
    resolver = SystemResolver()
    client = HttpClient(Guard.reading("127.0.0.0/8"), resolver)
    downloader = Downloader(client, redirects_max=0)
    with running(SERVERS["bare"], folder / "bare") as server:
        for number in range(rounds):
            started_s = time.perf_counter()
            into = folder / f"fetched-{number}"
            await downloader.to_file(f"http://127.0.0.1:{server.port}{server.link}", into, most_bytes=size_bytes)
            figures.append((size_bytes / MB / (time.perf_counter() - started_s), None))
            into.unlink()
    await client.close()
    resolver.close()
    return [_row("fetch", figures)]


async def probe_rows(folder: Path, rounds: int) -> list[Row]:
    """Measure a film as media of a request are, in the sandbox; the first one, which starts a process, is not timed."""
    import numpy as np

    from understudy.core.modality import Modality
    from understudy.media.encode import FilmEncoder, FilmFormat, Sound
    from understudy.media.sandbox import PROBE, PROBE_OPERATION, Sandbox, SandboxedProber
    from understudy.media.sandbox_process import SandboxLimits

    path = folder / "probed.mp4"
    drawn = np.random.default_rng(1).integers(0, 256, (720, 1280, 4), np.uint8)
    sound = Sound(samples=np.zeros((48_000 * 5, 2), np.float32), sample_rate_hz=48_000)
    with FilmEncoder(path, FilmFormat(width_px=1280, height_px=720, fps=24), sound=sound) as film:
        for number in range(24 * 5):
            film.add_frame(np.roll(drawn, 8 * number, axis=1))
    sandbox = Sandbox({PROBE: PROBE_OPERATION}, SandboxLimits(processes=1, timeout_s=30.0))
    prober, spent_s = SandboxedProber(sandbox), []
    for _ in range(rounds + 1):
        started_s = time.perf_counter()
        await prober.probe(path, Modality.VIDEO)
        spent_s.append(time.perf_counter() - started_s)
    await sandbox.close()
    each_s = statistics.median(spent_s[1:])
    size_mb = path.stat().st_size / MB
    return [Row(what="probe", mb_per_s=round(size_mb / each_s, 1), files_per_s=round(1 / each_s, 1))]


async def serve_ours(folder: Path) -> None:
    """Serve the product without rendering."""
    from understudy.bootstrap import build
    from understudy.server.listen import http_server, spare_the_collector
    from understudy.settings import Settings

    data_dir = folder / "data"
    data_dir.mkdir(exist_ok=True)
    house, _ = await build(Settings(data_dir=str(data_dir)), data_dir)
    await house.blobs.put(folder / "film.mp4", KEY)

    async def nothing() -> None:
        return None

    server = http_server(replace(house, start=nothing, stop=house.submitter.store.close))
    spare_the_collector()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.stop)
    await _serve(server, house.links.url("", KEY, time.time()))


async def serve_bare(folder: Path) -> None:
    """Serve the file and nothing else."""
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import FileResponse
    from starlette.routing import Route

    async def film(_request: Request) -> FileResponse:
        return FileResponse(folder / "film.mp4")

    app = Starlette(routes=[Route("/film.mp4", film)])
    await _serve(uvicorn.Server(uvicorn.Config(app, loop="uvloop", log_config=None, access_log=False)), "/film.mp4")


async def _serve(server: Any, link: str) -> None:
    bound = socket.create_server(("127.0.0.1", 0), backlog=1024)
    print(json.dumps({"port": bound.getsockname()[1], "pid": os.getpid(), "link": link}), flush=True)
    await server.serve(sockets=[bound])


def serve(arguments: argparse.Namespace) -> None:
    """Be one of the servers."""
    import uvloop

    from understudy.storage import blobs

    if arguments.chunk_kib:
        blobs.CHUNK_BYTES = arguments.chunk_kib * 1024
        blobs._BUFFER = blobs._Buffer()
    if arguments.by_threads:
        blobs._READ_NOW = 0
    uvloop.run((serve_ours if arguments.serve == "ours" else serve_bare)(arguments.folder))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size-mb", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--serve", choices=("ours", "bare"), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--chunk-kib", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--by-threads", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments)
        return
    with tempfile.TemporaryDirectory(prefix="understudy-bench-") as name:
        folder, size_bytes = Path(name), arguments.size_mb * MB
        rows, peaks = compare(folder, size_bytes, arguments.rounds)
        rows += asyncio.run(fetch_rows(folder, size_bytes, arguments.rounds))
        rows += asyncio.run(probe_rows(folder, arguments.rounds))
    if arguments.json:
        print(json.dumps({"rows": [asdict(row) for row in rows], "peak_mb": peaks}))
        return
    for row in rows:
        cpu = "" if row.cpu_s_per_gb is None else f"{row.cpu_s_per_gb:8.3f} CPU s/GB"
        files = "" if row.files_per_s is None else f"{row.files_per_s:8.1f} files/s"
        print(f"{row.what:40}{row.mb_per_s:10.0f} MB/s{cpu}{files}")
    for server, (peak_mb, growth_mb, stalled_mb) in peaks.items():
        more = f", stalled {stalled_mb:.0f} MB" if server in STALLED_AT else ""
        print(f"{server:40}{peak_mb:10.0f} MB peak, {growth_mb:.0f} MB more than before{more}")


if __name__ == "__main__":
    main()
