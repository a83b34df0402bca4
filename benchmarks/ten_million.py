"""What a number of tasks a day needs: machines, database, connections, bytes, from costs that were measured.

    python benchmarks/ten_million.py [--tasks 10000000] [--render-s 60] [--heartbeat-s 2] ...

Every figure that goes in is an argument with a default; --help says where each default comes from. What no formula
gives, how long tasks wait in the queue, is simulated: arrivals at random, renders of varying length, so many slots.
"""

import argparse
import heapq
import math
import random
from dataclasses import dataclass

DAY_S = 86_400.0
GB = 1e9
SIMULATED = 60_000
SEED = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The arguments; times in seconds, costs in microseconds of one processor."""

    tasks: float
    peak: float
    render_s: float
    load: float
    poll_s: float
    heartbeat_s: float
    told: float
    create_us: float
    poll_us: float
    processor_load: float
    write_create_us: float
    write_claim_us: float
    write_heartbeat_us: float
    write_end_us: float
    stored_bytes: float
    kept_days: float
    wal_create_bytes: float
    wal_claim_bytes: float
    wal_heartbeat_bytes: float
    wal_end_bytes: float
    film_mb: float
    processes_connections: float

    @property
    def per_s(self) -> float:
        """Tasks per second, on average over the day."""
        return self.tasks / DAY_S

    @property
    def peak_per_s(self) -> float:
        """Tasks per second in the busiest hour."""
        return self.per_s * self.peak


# name: (default, what it is, where the default comes from)
ARGUMENTS: dict[str, tuple[float, str, str]] = {
    "tasks": (10_000_000, "tasks a day", "the question"),
    "peak": (2.5, "the busiest hour beside the average", "assumed; a service for one continent"),
    "render_s": (60.0, "how long one film takes", "assumed; from claim to end"),
    "load": (0.8, "how busy slots may be in the busiest hour", "chosen; see the simulation"),
    "poll_s": (
        5.0,
        "between two polls of one task; 0 = callbacks alone",
        "assumed",
    ),
    "heartbeat_s": (2.0, "between two signs of life of a render", "bootstrap/rendering.py: SHARED_HEARTBEAT_MOST_S"),
    "told": (0.0, "part of tasks with a callback address", "assumed"),
    "create_us": (190.0, "processor time of a create", "benchmarks/scale_mixed.py, everything switched on"),
    "poll_us": (60.0, "processor time of a poll", "benchmarks/api.py"),
    "processor_load": (0.5, "how busy an API process may be", "chosen; latency grows beyond"),
    "write_create_us": (
        140.0,
        "database processor time of a create",
        "scale.py's creates on PostgreSQL 18, 32 at once",
    ),
    "write_claim_us": (730.0, "of a claim", "the same, one at a time, on a busy machine"),
    "write_heartbeat_us": (360.0, "of a sign of life", "the same"),
    "write_end_us": (1200.0, "of an end and of the removal", "the same"),
    "stored_bytes": (
        3000.0,
        "bytes of a task in the database, with its ledger",
        "scale_fill.py, PostgreSQL",
    ),
    "kept_days": (7.0, "days that records are kept", "settings: record_retention_s"),
    "wal_create_bytes": (8000.0, "log of a create", "pg_wal_lsn_diff over benchmarks/scale.py's operations"),
    "wal_claim_bytes": (1900.0, "log of a claim", "the same"),
    "wal_heartbeat_bytes": (630.0, "log of a sign of life", "the same"),
    "wal_end_bytes": (3400.0, "log of an end and of the removal", "the same"),
    "film_mb": (3.0, "a film with its stills", "benchmarks/render.py, 5 s at 720p"),
    "processes_connections": (10.0, "database connections of one process", "storage/postgres.py: CONNECTIONS"),
}


def slots_for(given: Given) -> int:
    """Return how many renders must be able to run at a time."""
    return math.ceil(given.peak_per_s * given.render_s / given.load)


def rows(given: Given) -> list[tuple[str, str]]:
    """Compute what is needed, in words."""
    polls = given.render_s / given.poll_s if given.poll_s else 0.0
    beats = given.render_s / given.heartbeat_s
    callbacks = given.told * 3
    writes = 1 + 1 + beats + 1 + 1 + callbacks * 2
    polls_per_s = given.peak_per_s * polls
    api_us = given.peak_per_s * given.create_us + polls_per_s * given.poll_us
    processes = math.ceil(api_us / 1e6 / given.processor_load)
    task_us = given.write_create_us + given.write_claim_us + beats * given.write_heartbeat_us + given.write_end_us
    task_us += callbacks * 2 * given.write_heartbeat_us
    written_us = given.peak_per_s * task_us
    wal = given.wal_create_bytes + given.wal_claim_bytes + beats * given.wal_heartbeat_bytes + given.wal_end_bytes
    slots = slots_for(given)
    return [
        ("tasks a second, average / busiest hour", f"{given.per_s:,.0f} / {given.peak_per_s:,.0f}"),
        ("polls a second, busiest hour", f"{polls_per_s:,.0f}  ({polls:g} a task)"),
        ("API processes, at the load chosen", f"{processes}  ({api_us / 1e6:.2f} processors of requests)"),
        ("renders at a time (slots)", f"{slots:,}"),
        (
            "database writes a task",
            f"{writes:,.0f}  ({beats:,.0f} of them signs of life)",
        ),
        ("database writes a second, busiest hour", f"{given.peak_per_s * writes:,.0f}"),
        ("database processors for them", f"{written_us / 1e6:.1f}"),
        ("log (WAL) a day", f"{given.tasks * wal / GB:,.0f} GB  ({wal / 1000:.0f} kB a task)"),
        ("tasks stored", f"{given.tasks * given.kept_days / 1e6:,.0f} million"),
        ("database size", f"{given.tasks * given.kept_days * given.stored_bytes / GB:,.0f} GB"),
        ("films stored", f"{given.tasks * given.kept_days * given.film_mb / 1e6:,.0f} TB"),
        (
            "to the object store, busiest hour",
            f"{given.peak_per_s * given.film_mb * 8 / 1000:.1f} Gbit/s, once in, once out",
        ),
        ("callbacks a second, busiest hour", f"{given.peak_per_s * callbacks:,.0f}"),
        ("database connections of the API", f"{processes * given.processes_connections:,.0f}"),
    ]


def waits_s(slots: int, load: float, render_s: float, *, seed: int = SEED) -> tuple[float, float, float]:
    """Simulate a queue; return how long tasks wait: mean, median of those that wait, and 99th percentile of all.

    Arrivals are independent; renders take between half and twice as long as usual (log-normal, spread 0.35).
    """
    dice = random.Random(seed)
    spread = 0.35
    free = [0.0] * slots
    now, waited = 0.0, []
    gap_s = render_s / (slots * load)
    number = max(SIMULATED, slots * 20)
    for _ in range(number):
        now += dice.expovariate(1 / gap_s)
        begun = max(now, free[0])
        waited.append(begun - now)
        took = render_s * dice.lognormvariate(-spread * spread / 2, spread)
        heapq.heapreplace(free, begun + took)
    # All slots are free at first, so what came before they filled says nothing.
    waited = sorted(waited[number // 4 :])
    some = [each for each in waited if each > 0] or [0.0]
    return sum(waited) / len(waited), some[len(some) // 2], waited[len(waited) * 99 // 100]


def main() -> None:
    """Compute and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, (default, what, source) in ARGUMENTS.items():
        flag = f"--{name.replace('_', '-')}"
        parser.add_argument(flag, type=float, default=default, help=f"{what} [{default:g}; {source}]")
    given = Given(**vars(parser.parse_args()))
    for name, value in rows(given):
        print(f"{name:42}{value}")
    print("\nwaiting for a slot, simulated, seconds: mean, median of those that wait, 99 of 100 wait less")
    for slots in (8, 80, 800, slots_for(given)):
        cells = []
        for load in (0.7, 0.8, 0.9, 0.95):
            mean, median, most = waits_s(slots, load, given.render_s)
            cells.append(f"{load:>5.0%} {mean:6.1f} {median:6.1f} {most:6.1f}")
        print(f"{slots:>7,} slots   " + "   ".join(cells))


if __name__ == "__main__":
    main()
