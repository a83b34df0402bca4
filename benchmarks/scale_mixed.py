"""Creates and polls at fixed rates at once, whether or not they are answered: what callers see of a busy server.

    python benchmarks/scale_mixed.py [--creates 1000] [--polls 2000] [--seconds 10] [--rounds 3] [--database URL]

Everything is switched on: keys checked, SQLite with synchronous=FULL (or PostgreSQL), a bound on what waits and on what
runs per key, an Idempotency-Key with each create; nothing is rendered. Times count from when a request was due (see
`scale_load`, our own generator, which shares the cores with the server). Aim on SQLite: p99 under 10 ms of both, none
dropped.
"""

import argparse
import json
import os
import statistics
import tempfile
import time

from api import fsync_p50_ms
from peer import BODY, SETTINGS, load, request, server
from scale_load import Seen, Stream

AIM_MS = 10.0
CONNECTIONS = 64


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--creates", type=float, default=1000.0, help="per second")
    parser.add_argument("--polls", type=float, default=2000.0, help="per second")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--database", default="", help="postgresql://...; without it, SQLite")
    given = parser.parse_args()
    settings = SETTINGS | ({"database": given.database} if given.database else {})
    with (
        tempfile.TemporaryDirectory() as folder,
        server("ours", "--data-dir", folder, "--settings", json.dumps(settings)) as ours,
    ):
        number = int(time.time()) % 900 * 100_000
        create = request("POST", "/v1/videos", BODY)
        first = Stream(name="create", requests=[create], connections=8, most=2000, keeps=True)
        made = load(ours.port, [first], 120.0, number)[0]
        polls = [request("GET", f"/v1/videos/{json.loads(body)['id']}") for body in made.bodies]
        streams = [
            Stream(name="create", requests=[create], connections=CONNECTIONS, rate_per_s=given.creates),
            Stream(name="poll", requests=polls, connections=CONNECTIONS, rate_per_s=given.polls),
        ]
        rounds: list[list[Seen]] = []
        for each in range(given.rounds):
            before = ours.cpu_s()
            rounds.append(load(ours.port, streams, given.seconds, number + 10_000 + each * 1_000_000))
            busy = (ours.cpu_s() - before) / given.seconds
    print(
        f"{os.cpu_count()} CPUs, shared with the generator; median of {given.rounds} rounds of {given.seconds:g} s; ",
        end="",
    )
    print(f"fsync of 4 KB p50 {fsync_p50_ms(500):.3f} ms; the server used {busy:.0%} of a processor in the last\n")
    print(
        f"{'':8}{'per s':>8}" + "".join(f"{name:>10}" for name in ("p50 ms", "p95 ms", "p99 ms", "max ms", "dropped"))
    )
    for place, name in enumerate(("create", "poll")):
        seen = [each[place] for each in rounds]
        figures = [
            statistics.median(getattr(each, kind) for each in seen) for kind in ("p50_ms", "p95_ms", "p99_ms", "max_ms")
        ]
        dropped = sum(each.dropped for each in seen)
        rate = statistics.median(each.per_s for each in seen)
        print(f"{name:8}{rate:>8,.0f}" + "".join(f"{figure:>10.2f}" for figure in figures) + f"{dropped:>10}")
    late, busy_load = max(each.late_p99_ms for run in rounds for each in run), max(run[0].busy for run in rounds)
    print(f"\naim: p99 under {AIM_MS:g} ms; the generator was late by {late:.2f} ms at p99 and {busy_load:.0%} busy")


if __name__ == "__main__":
    main()
