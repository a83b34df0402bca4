"""Claims and ends tasks as fast as a store gives them out, with an engine that does nothing: a worker of `scale.py`.

    scale_worker.py DATABASE NAME SECONDS

Waits for a line on standard input once it is ready, so that several workers begin together; prints what it did as JSON.
"""

import asyncio
import json
import sys
import time
from datetime import UTC, datetime, timedelta

from understudy.core.ports import TaskStore
from understudy.storage.postgres_opening import open_postgres
from understudy.testing.samples import success_of

LEASE = timedelta(seconds=30)


async def work(store: TaskStore, name: str, until: float) -> int:
    """Claim and finish until the time is over; return how many."""
    done = 0
    while time.perf_counter() < until:
        now = datetime.now(UTC)
        claim = await store.claim(name, now, now + LEASE)
        if claim is None:
            return done
        if not await store.finish(claim, success_of(claim), now):
            sys.exit("a claim was lost")
        done += 1
    return done


async def main() -> None:
    """Run one worker."""
    database, name, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    store = await open_postgres(database)
    try:
        await work(store, name, time.perf_counter() + 0.05)
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        began = time.perf_counter()
        done = await work(store, name, began + seconds)
        print(json.dumps({"done": done, "time_s": time.perf_counter() - began}), flush=True)
    finally:
        await store.close()


if __name__ == "__main__":
    asyncio.run(main())
