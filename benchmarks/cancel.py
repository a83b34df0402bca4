"""How long a render of previz lives on once it is cancelled: milliseconds until its process is gone.

Each row cancels so many renders of one resolution, each at another moment: while it plans and speaks, and while it
draws. The aim is 200 ms.

    python benchmarks/cancel.py [--resolutions 480p 720p 1080p 4k] [--runs 4]
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from render import open_job
from understudy.core.render import RenderJob
from understudy.engines.previz import OFFER
from understudy.executors.child import RenderLimits
from understudy.executors.local import LocalExecutor, RestartPause

PATIENCE_S = 120.0
PREPARING_S = 0.15
LIMITS = RenderLimits(
    warm_timeout_s=PATIENCE_S,
    silence_timeout_s=PATIENCE_S,
    render_timeout_s=PATIENCE_S,
    line_bytes_max=1 << 20,
    progress_interval_s=0.0,
    niceness=5,
    memory_bytes=OFFER.memory_bytes,
)


async def cancelled_ms(executor: LocalExecutor, job: RenderJob, after_frames: int) -> float:
    """Cancel one render after so many frames, 0 = while it is prepared; `run` returns when its process is gone."""
    while not executor.is_ready():  # noqa: ASYNC110 - it has no event for it
        await asyncio.sleep(0.01)
    reached = asyncio.Event()

    def hear(done: int, total: int) -> None:
        if done >= after_frames > 0:
            reached.set()

    render = asyncio.create_task(executor.run(0, job, hear))
    if after_frames:
        await asyncio.wait_for(reached.wait(), PATIENCE_S)
    else:
        await asyncio.sleep(PREPARING_S)
    started_s = time.perf_counter()
    render.cancel()
    await asyncio.wait({render})
    return (time.perf_counter() - started_s) * 1000


async def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resolutions", nargs="+", default=["480p", "720p", "1080p", "4k"])
    parser.add_argument("--runs", type=int, default=4)
    chosen = parser.parse_args()
    wanted = argparse.Namespace(scenario="text", ratio="16:9", duration_s=5, seed=1)
    executor = LocalExecutor(OFFER.reference, 1, limits=LIMITS, pause=RestartPause(first_s=0.1, most_s=1.0))
    await executor.start()
    print("| resolution | preparing, median / most ms | drawing, median / most ms |")
    print("|---|---:|---:|")
    for resolution in chosen.resolutions:
        cells = []
        for is_drawing in (False, True):
            taken = []
            for run in range(chosen.runs):
                with tempfile.TemporaryDirectory() as folder:
                    job = replace(open_job(wanted, resolution, Path(folder)), output_dir=folder)
                    taken.append(await cancelled_ms(executor, job, (1 + 7 * run) * is_drawing))
            cells.append(f"{statistics.median(taken):.0f} / {max(taken):.0f}")
        print(f"| {resolution} | {cells[0]} | {cells[1]} |", flush=True)
    await executor.close()


if __name__ == "__main__":
    asyncio.run(main())
