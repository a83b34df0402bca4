"""What each operation costs among a thousand, a hundred thousand and a million stored tasks, on both databases.

    python benchmarks/scale.py [--sizes 1k,100k,1m] [--databases sqlite,postgres] [--parts stores,queues,http,together]
    python benchmarks/scale.py --quick          # a minute: 1k, 20k, 100k, fewer rounds

- stores: each operation of the store, one caller (creates: 32 at once), on tasks of all states of six days.
- queues: claims, with their end, while all tasks wait: in one lane and in 10,000.
- http: requests over HTTP, one connection, keys checked, every bound set; SQLite with synchronous=FULL.
- together: two API processes beside one, and 1, 2 and 4 workers with an engine that does nothing, on PostgreSQL.

Databases of all sizes are open at once and take turns within each round, so that a noisy machine spoils all alike; each
figure is the median of the rounds, the first of which is left out. What is made is removed again. "times" is the cost
at a size beside that at the smallest; the aim is at most 1.2. For SQLite, which works within this process, processor
time is told beside it: the steadier figure where other programs run. PostgreSQL comes from a package and runs with its
default settings, fsync and synchronous_commit on.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from pathlib import Path
from typing import Any

from api import Server, fsync_p50_ms
from peer import BODY, KEY, SETTINGS, load, process, request
from scale_fill import ENGINE, MODELS, OWNER, Shape, is_film, made_postgres, made_sqlite, present, sizes
from scale_load import Stream
from understudy.core.ports import TaskStore
from understudy.core.queueing import Admission, Idempotency
from understudy.core.task import Claim, Status, Task, TaskFilter
from understudy.storage.postgres_opening import open_postgres
from understudy.storage.sqlite import SqliteTaskStore
from understudy.testing.samples import hold_of, sample_request, sample_task, success_of

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests"))

AIM = 1.2
CALLERS = 32
MADE = 128
PAGE_MOST = 500
LEASE = timedelta(minutes=1)
TASKS_PATH = "/api/v3/contents/generations/tasks"


@dataclass(slots=True, kw_only=True)
class Bed:
    """One database under measurement. now: the moment it was filled for. number: of the tasks made since."""

    kind: str
    shape: Shape
    now: datetime
    place: str
    store: TaskStore | None = None
    number: int = 0
    made: list[str] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)

    def opened(self) -> TaskStore:
        """Return the store, which is open."""
        assert self.store is not None
        return self.store

    def listing(self, **changes: Any) -> TaskFilter:
        """Return a listing with the changes; as the service asks, seven days back."""
        now = datetime.now(UTC)
        asked: dict[str, Any] = {"page": 1, "page_size": 20, "created_after": now - timedelta(days=7)}
        return TaskFilter(**(asked | {"cancelled_after": now - timedelta(days=1)} | changes))

    def some_ids(self, number: int) -> list[str]:
        """Return ids of films of the first owner, from all over; what waits is claimed and removed meanwhile."""
        self.number += 1
        every = ((self.number + each * 7919) % self.shape.tasks for each in count())
        films = (each for each in every if each % 10 and each >= 10 and is_film(each))
        return [self.shape.task_id(each, self.now) for each in islice(films, number)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What an operation cost in each round. us: for one operation. cpu_us: of the processors, all threads."""

    what: str
    kind: str
    tasks: int
    us: list[float]
    cpu_us: list[float] = field(default_factory=list)

    @property
    def median_us(self) -> float:
        """The median of all rounds but the first."""
        return statistics.median(self.us[1:] or self.us)

    @property
    def median_cpu_us(self) -> float:
        """The same of the processor time."""
        return statistics.median(self.cpu_us[1:] or self.cpu_us)


Operation = Callable[[Bed], Awaitable[int]]
"""Does something a number of times, and returns the number."""


def new_task(bed: Bed) -> Task:
    """Return another new task."""
    bed.number += 1
    now = datetime.now(UTC)
    return sample_task(
        id=f"{now:%Y%m%d%H%M%S}-n{bed.number:07d}",
        owner=OWNER,
        engine=ENGINE,
        request=sample_request(model=MODELS[0]),
        key_id=f"key-{bed.number % 50}",
        created_at=now,
        updated_at=now,
        expires_at=now + timedelta(days=2),
    )


async def create(bed: Bed) -> int:
    """Create tasks, many callers at once, each with an idempotency key and a bound."""
    store = bed.opened()

    async def caller() -> None:
        for _ in range(MADE // CALLERS):
            task = new_task(bed)
            key = Idempotency(key=task.id, fingerprint=task.id.encode().ljust(32), task_id=task.id)
            await store.insert(task, hold_of(task), Admission(idempotency=key, queued_most=10_000_000))

    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    return MADE


async def claim(bed: Bed) -> int:
    """Claim one task after the other."""
    for _ in range(MADE):
        now = datetime.now(UTC)
        found = await bed.opened().claim("worker", now, now + LEASE, engine=ENGINE, concurrency=1_000_000)
        assert found is not None
        bed.claims.append(found)
    return MADE


async def heartbeat(bed: Bed) -> int:
    """Keep each claim alive."""
    for each in bed.claims:
        assert await bed.opened().heartbeat(each, 0.5, datetime.now(UTC) + LEASE)
    return len(bed.claims)


async def finish(bed: Bed) -> int:
    """End each claim with a film."""
    for each in bed.claims:
        assert await bed.opened().finish(each, success_of(each), datetime.now(UTC))
    return len(bed.claims)


async def withdraw(bed: Bed) -> int:
    """Remove the record of each."""
    for each in bed.claims:
        assert await bed.opened().withdraw(each.task.owner, each.task.id, datetime.now(UTC))
    done = len(bed.claims)
    bed.claims.clear()
    return done


async def poll(bed: Bed) -> int:
    """Read tasks from all over."""
    for each in bed.some_ids(300):
        assert await bed.opened().get(OWNER, each) is not None
    return 300


def list_page(**changes: Any) -> Operation:
    """Return an operation that lists; page 0: the deepest there is, up to the 500th."""

    async def operation(bed: Bed) -> int:
        asked = dict(changes)
        if asked.get("page") == 0:
            deepest = bed.shape.tasks * 8 // 10 // asked["page_size"]
            asked["page"] = max(1, min(PAGE_MOST, deepest))
        if "after" in asked:
            asked["after"] = bed.some_ids(1)[0]
        for _ in range(5):
            page = await bed.opened().list_tasks(OWNER, bed.listing(**asked))
        assert page.total >= len(page.tasks) > 0
        return 5

    return operation


async def reap(bed: Bed) -> int:
    """Look for what is late or too old, and find nothing."""
    now = datetime.now(UTC)
    before = {"created_before": now - timedelta(days=7), "cancelled_before": now - timedelta(days=1)}
    for _ in range(5):
        assert not await bed.opened().expire(now)
        assert not await bed.opened().purge(**before)
    return 5


STORES: dict[str, Operation] = {
    "create, 32 at once": create,
    "poll": poll,
    "list 20, with total": list_page(),
    "list 20, page 500": list_page(page=0, page_size=20),
    "list 20, of failed ones": list_page(status=Status.FAILED),
    "list 20, behind a task": list_page(after="", page_size=20),
    "list 500, page 500": list_page(page=0, page_size=500),
    "claim": claim,
    "heartbeat": heartbeat,
    "finish": finish,
    "withdraw": withdraw,
    "nothing to reap": reap,
}

QUEUES: dict[str, Operation] = {"create, 32 at once": create, "claim": claim, "finish": finish, "withdraw": withdraw}


async def measured(beds: list[Bed], operations: dict[str, Operation], rounds: int) -> list[Cost]:
    """Run every operation on every bed in turn."""
    costs = [
        (operation, bed, Cost(what=what, kind=bed.kind, tasks=bed.shape.tasks, us=[]))
        for what, operation in operations.items()
        for bed in beds
    ]
    for _ in range(rounds + 1):
        for operation, bed, cost in costs:
            began, began_cpu = time.perf_counter(), time.process_time()
            done = await operation(bed)
            cost.us.append((time.perf_counter() - began) / done * 1e6)
            cost.cpu_us.append((time.process_time() - began_cpu) / done * 1e6)
    return [cost for _, _, cost in costs]


async def of_stores(beds: list[Bed], operations: dict[str, Operation], rounds: int) -> list[Cost]:
    """Open the beds and measure."""
    for bed in beds:
        bed.store = await (open_postgres(bed.place) if bed.kind == "postgres" else _sqlite(bed.place))
    try:
        return await measured(beds, operations, rounds)
    finally:
        for bed in beds:
            await bed.opened().close()


async def _sqlite(place: str) -> TaskStore:
    return SqliteTaskStore(Path(place) / "understudy.db")


@contextmanager
def api(bed: Bed, name: str) -> Iterator[Server]:
    """Run the product on a bed, without rendering. name: of its own folder, where the database is shared."""
    settings: dict[str, Any] = dict(SETTINGS)
    with tempfile.TemporaryDirectory() as own:
        if bed.kind == "postgres":
            settings |= {"database": bed.place, "secret": "0" * 64, "blobs": f"file://{own}/blobs"}
        folder = bed.place if bed.kind == "sqlite" else f"{own}/{name}"
        Path(folder).mkdir(exist_ok=True)
        Path(own, "blobs").mkdir()
        command = [sys.executable, str(HERE / "scale_servers.py"), "ours", "--data-dir", folder]
        with process([*command, "--settings", json.dumps(settings)], stdout=subprocess.PIPE) as started:
            assert started.stdout is not None
            told = json.loads(started.stdout.readline())
            yield Server(port=told["port"], api_key=KEY, pid=told["pid"])


def of_http(beds: list[Bed], rounds: int) -> list[Cost]:
    """Measure requests over HTTP: the median latency of one connection."""
    kinds: dict[str, Callable[[Bed], list[bytes]]] = {
        "POST": lambda _: [request("POST", "/v1/videos", BODY)],
        "GET": lambda bed: [request("GET", f"{TASKS_PATH}/cgt-{each}") for each in bed.some_ids(200)],
        "GET a page of 20": lambda _: [request("GET", f"{TASKS_PATH}?page_num=1&page_size=20")],
        "GET page 500 of 20": lambda bed: [request("GET", f"{TASKS_PATH}?page_num={_deep(bed)}&page_size=20")],
    }
    costs = {(what, bed.kind, bed.shape.tasks): list[float]() for bed in beds for what in kinds}
    with ExitStack() as stack:
        servers = [stack.enter_context(api(bed, f"http-{number}")) for number, bed in enumerate(beds)]
        number = int(time.time()) % 10_000 * 10_000
        for _ in range(rounds + 1):
            for what, requests in kinds.items():
                for bed, server in zip(beds, servers, strict=True):
                    most = 60 if what != "GET" else 200
                    stream = Stream(name=what, requests=requests(bed), connections=1, most=most)
                    seen = load(server.port, [stream], 60.0, number)[0]
                    number += seen.answered
                    costs[what, bed.kind, bed.shape.tasks].append(seen.p50_ms * 1000)
    return [Cost(what=what, kind=kind, tasks=tasks, us=us) for (what, kind, tasks), us in costs.items()]


def _deep(bed: Bed) -> int:
    return min(PAGE_MOST, bed.shape.tasks * 8 // 10 // 20)


def both_at_once(servers: list[Server], streams: Callable[[], Stream], seconds: float, number: int) -> float:
    """Put several servers under load at once, a generator each; return requests answered per second by all."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(len(servers)) as pool:
        runs = [
            pool.submit(load, server.port, [streams()], seconds, number + place * 1_000_000)
            for place, server in enumerate(servers)
        ]
        return sum(run.result()[0].per_s for run in runs)


def two_beside_one(bed: Bed, rounds: int, seconds: float) -> dict[str, dict[int, float]]:
    """Return creates and polls per second of one API process and of two over the same database."""
    found: dict[str, dict[int, list[float]]] = {"create": {1: [], 2: []}, "poll": {1: [], 2: []}}
    number = int(time.time()) % 9_000 * 10_000
    with api(bed, "first") as first, api(bed, "second") as second:
        polls = [request("GET", f"{TASKS_PATH}/cgt-{each}") for each in bed.some_ids(500)]
        for _ in range(rounds):
            for many in (1, 2):
                for what, asked in (("create", [request("POST", "/v1/videos", BODY)]), ("poll", polls)):
                    streams = lambda what=what, asked=asked, many=many: Stream(  # noqa: E731
                        name=what, requests=asked, connections=32 // many
                    )
                    found[what][many].append(both_at_once([first, second][:many], streams, seconds, number))
                    number += 2_000_000
    return {what: {many: statistics.median(each) for many, each in of.items()} for what, of in found.items()}


def workers(bed: Bed, rounds: int, seconds: float) -> dict[int, float]:
    """Return how many tasks 1, 2 and 4 workers end in a second."""
    found: dict[int, list[float]] = {1: [], 2: [], 4: []}
    for _ in range(rounds):
        for many, each in found.items():
            each.append(_working(bed.place, many, seconds))
    return {many: statistics.median(each) for many, each in found.items()}


def _working(place: str, many: int, seconds: float) -> float:
    with ExitStack() as stack:
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        command = [sys.executable, str(HERE / "scale_worker.py"), place]
        started = [
            stack.enter_context(process([*command, f"worker-{each}", str(seconds)], **pipes)) for each in range(many)
        ]
        for each in started:
            assert each.stdout is not None
            if each.stdout.readline().strip() != "ready":
                sys.exit("a worker did not begin")
        for each in started:
            assert each.stdin is not None
            each.stdin.write("\n")
            each.stdin.flush()
        told = [json.loads(each.stdout.readline()) for each in started if each.stdout]
        return sum(each["done"] / each["time_s"] for each in told)


def made(kind: str, shapes: list[Shape], folder: Path, postgres: Any) -> list[Bed]:
    """Make and fill the databases of one kind."""
    beds = []
    for shape in shapes:
        now, began = present(), time.perf_counter()
        if kind == "sqlite":
            place = folder / shape.name
            place.mkdir()
            asyncio.run(made_sqlite(place / "understudy.db", shape, now))
            beds.append(Bed(kind=kind, shape=shape, now=now, place=str(place)))
        else:
            url = postgres.url(postgres.new_database())
            asyncio.run(made_postgres(url, shape, now))
            beds.append(Bed(kind=kind, shape=shape, now=now, place=url))
        print(f"  {kind}: {shape.tasks:,} tasks in {time.perf_counter() - began:.0f} s", file=sys.stderr)
    return beds


def show(title: str, costs: list[Cost], steps: list[int]) -> None:
    """Print a table: a line for each operation, microseconds at each size and times the smallest."""
    print(f"\n{title}\n{'':26}" + "".join(f"{f'{tasks:,}':>12}{'times':>7}" for tasks in steps), end="")
    # What PostgreSQL spends is spent elsewhere.
    shows_cpu = bool(costs[0].cpu_us) and costs[0].kind == "sqlite"
    print("   | processor" + "".join(f"{f'{tasks:,}':>12}{'times':>7}" for tasks in steps) if shows_cpu else "")
    found = {(cost.what, cost.tasks): cost for cost in costs}
    for what in dict.fromkeys(cost.what for cost in costs):
        rows = [found[what, tasks] for tasks in steps]
        line = _cells([each.median_us for each in rows])
        line += f"   | {'':9}{_cells([each.median_cpu_us for each in rows])}" if shows_cpu else ""
        print(f"{what:26}{line}")


def _cells(us: list[float]) -> str:
    return "".join(f"{each:>9,.0f} us{each / us[0]:>7.2f}" for each in us)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="1k,100k,1m")
    parser.add_argument("--databases", default="sqlite,postgres")
    parser.add_argument("--parts", default="stores,queues,http,together")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=3.0, help="of one round of what is measured by time")
    parser.add_argument("--quick", action="store_true", help="small sizes and few rounds: about a minute")
    given = parser.parse_args()
    if given.quick:
        given.sizes, given.rounds, given.seconds = "1k,20k,100k", 4, 1.0
    print(f"{os.cpu_count()} CPUs; median of {given.rounds} rounds; fsync of 4 KB p50 {fsync_p50_ms(500):.3f} ms")
    steps, parts = sizes(given.sizes), given.parts.split(",")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        postgres = None
        if "postgres" in given.databases:
            from postgres_server import own_server

            durable = {"fsync": "on", "synchronous_commit": "on", "shared_buffers": "256MB", "max_wal_size": "2GB"}
            postgres = stack.enter_context(own_server(settings=durable | {"autovacuum_naptime": "1min"}))
        for kind in given.databases.split(","):
            run_parts(kind, steps, parts, given, folder, postgres)


def run_parts(  # tidy: the parts of the program, in their order
    kind: str, steps: list[int], parts: list[str], given: argparse.Namespace, folder: Path, postgres: Any
) -> None:
    """Measure one kind of database and print its tables."""
    if {"stores", "http", "together"} & set(parts):
        beds = made(kind, [Shape(tasks=tasks) for tasks in steps], folder, postgres)
        if "stores" in parts:
            show(f"{kind}, the store", asyncio.run(of_stores(beds, STORES, given.rounds)), steps)
        if "http" in parts:
            show(f"{kind}, over HTTP", of_http(beds, given.rounds), steps)
        if "together" in parts and kind == "postgres":
            print("\npostgres, API processes over one database, requests per second of all")
            for what, found in two_beside_one(beds[-1], 3, given.seconds).items():
                print(f"{what:26}" + "".join(f"{many:>4} {per_s:>9,.0f}" for many, per_s in found.items()))
    if "queues" in parts:
        for lanes in (1, 10_000):
            beds = made(kind, [Shape(tasks=tasks, lanes=min(lanes, tasks)) for tasks in steps], folder, postgres)
            costs = asyncio.run(of_stores(beds, QUEUES, given.rounds))
            show(f"{kind}, all tasks wait, in {lanes:,} lanes at most", costs, steps)
    if "together" in parts and kind == "postgres":
        (bed,) = made(kind, [Shape(tasks=50_000, lanes=999)], folder, postgres)
        print("\npostgres, workers with an engine that does nothing, tasks claimed and ended per second")
        print("".join(f"{many:>6} {per_s:>9,.0f}" for many, per_s in workers(bed, 3, given.seconds).items()))


if __name__ == "__main__":
    main()
