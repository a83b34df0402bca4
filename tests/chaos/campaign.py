"""Run a crash campaign: `PYTHONPATH=tests python -m chaos.campaign --database postgres --kills 500 --seed 7`.

It starts servers (and workers) on a real database, sends them requests at random moments, breaks everything around
them until so many programs were killed, lets all come to an end, writes the history, and has `check.py` judge it. All
of it is on loopback and in one folder; only processes that it started are ended.
"""

import argparse
import asyncio
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from chaos.faults import Faults
from chaos.history import HistoryFile
from chaos.load import ARK, Asker, Load
from chaos.receiver import ENDED, Receiver
from chaos.records import dumped
from chaos.sites import CAP, KEYS, LEASE_S, SLACK_S, Site, postgres_site, sqlite_site, until_ready

CHECKER = Path(__file__).with_name("check.py")
PAGE = 500
LOOK_S = 0.2
READS_MOST = 20


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to be done. kills: at least so many, unless the minutes are over first. rate: requests per second.

    pause_s, at_once: see `Faults.run`. patience_s: what all that was begun has to end in. has_bucket: films are kept
    in an object store. bug: of `careless`, planted into the programs.
    """

    database: str
    kills: int
    minutes: float
    seed: int
    rate: float = 4.0
    pause_s: float = 0.8
    at_once: int = 2
    patience_s: float = 180.0
    has_bucket: bool = False
    bug: str = ""


class Campaign:
    """One run. history: the file that it leaves."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan = plan
        self.folder = folder
        self.history = HistoryFile(folder / "history.jsonl")
        self._chance = random.Random(plan.seed)

    async def run(self) -> None:
        """Do all of it; whatever happens, nothing that was started here goes on."""
        make = {"sqlite": sqlite_site, "postgres": postgres_site}[self.plan.database]
        site = make(self.folder, self.history)
        receiver = Receiver(self.history, random.Random(self.plan.seed + 1))
        done = asyncio.Event()
        looking_after = None
        try:
            await receiver.start()
            await site.open(has_bucket=self.plan.has_bucket)
            if self.plan.bug:
                for program in site.programs:
                    program.run_by = ("-m", "chaos.careless", self.plan.bug)
            await site.prepare()
            self._note_start(site)
            looking_after = asyncio.create_task(site.look_after(done))
            await self._break_and_mend(site, receiver)
            done.set()
            await looking_after
            await self._close(site)
        finally:
            done.set()
            await site.close()
            await receiver.close()
            self.history.close()

    def _note_start(self, site: Site) -> None:
        about = {"database": self.plan.database, "seed": self.plan.seed, "has_bucket": self.plan.has_bucket}
        bounds = {"lease_s": LEASE_S, "slack_s": SLACK_S, "cap": CAP, "clocks_move": bool(site.clocks)}
        self.history.note("start", wall=time.time(), disk_is_real=site.disk.is_real, **about, **bounds)

    async def _break_and_mend(self, site: Site, receiver: Receiver) -> None:
        """Have requests arrive and things break; then mend all and let every request come to its end."""
        for program in site.programs:
            program.start()
        for server in site.servers:
            assert await until_ready(server), f"{server.name} did not start; see {server.log}"
        urls = tuple(server.url for server in site.servers)
        load = Load(urls, KEYS, self.history, receiver, random.Random(self.plan.seed + 2), self.plan.rate)
        try:
            await self._under_load(site, load, Faults(site, receiver, self.history, self._chance))
            if not await load.finish(self.plan.patience_s):
                self.history.note("mistake", error="some callers did not see the end of their tasks")
            await self._empty_the_queue(load)
            await self._hear_the_rest(load, receiver)
            await self._read_all_films(load)
        finally:
            await load.close()

    async def _under_load(self, site: Site, load: Load, faults: Faults) -> None:
        """Break things while requests arrive, then put all right and let no other request arrive."""
        enough, over = asyncio.Event(), asyncio.Event()
        arriving = asyncio.create_task(load.run(enough))
        try:
            asyncio.get_running_loop().call_later(self.plan.minutes * 60, over.set)
            await faults.run(kills=self.plan.kills, over=over, pause_s=self.plan.pause_s, at_once=self.plan.at_once)
            await site.mend()
            # What is due by a clock that was ahead is due at last.
            for clock in site.clocks.values():
                clock.set(faults.largest_shift_s)
            self.history.note("shift", name="all", seconds=faults.largest_shift_s)
        finally:
            enough.set()
            await arriving
        self.history.note("calm")

    async def _empty_the_queue(self, load: Load) -> None:
        """Wait until nothing is queued or runs, also of requests whose answer was lost."""
        asker = Asker(load)
        give_up_at_s = time.monotonic() + self.plan.patience_s
        left = 1
        while left and time.monotonic() < give_up_at_s:
            totals = [
                await asker.call("GET", f"/ark{ARK}?page_num=1&page_size=1&filter.status={status}")
                for status in ("queued", "running")
            ]
            left = sum(json.loads(answer[1])["total"] if answer and answer[0] == 200 else 1 for answer in totals)
            await asyncio.sleep(LOOK_S if left else 0)
        if left:
            self.history.note("mistake", error=f"{left} tasks did not end")

    async def _hear_the_rest(self, load: Load, receiver: Receiver) -> None:
        """Wait until each end was told that somebody waits to hear, and for a while until nothing else comes."""
        give_up_at_s = time.monotonic() + self.plan.patience_s
        missing = {
            task for task, caller in load.tasks.items() if caller.callback and caller.end in ENDED - {"cancelled"}
        }
        while missing and time.monotonic() < give_up_at_s:
            missing = {task for task in missing if not receiver.heard[task] & ENDED}
            await asyncio.sleep(LOOK_S)
        count = -1
        while count != receiver.count and time.monotonic() < give_up_at_s:
            count = receiver.count
            await asyncio.sleep(3.0)

    async def _read_all_films(self, load: Load) -> None:
        """Read the film of every task that succeeded, as a caller finds it in the listing."""
        asker = Asker(load)
        for page in range(1, PAGE + 1):
            path = f"/ark{ARK}?page_num={page}&page_size={PAGE}&filter.status=succeeded"
            answer = None
            for _ in range(READS_MOST):
                answer = answer or await asker.call("GET", path)
            assert answer is not None
            assert answer[0] == 200, answer
            items = json.loads(answer[1])["items"]
            for item in items:
                asker.task = item["id"].partition("-")[2]
                for number in range(READS_MOST):
                    if await asker.read_film(is_final=True, notes_failure=number == READS_MOST - 1):
                        break
            if len(items) < PAGE:
                break

    async def _close(self, site: Site) -> None:
        """End all programs as an operator does, and write down what is left."""
        for program in site.programs:
            ended = await program.stop()
            if ended != 0:
                self.history.note("badly", name=program.name, returncode=ended)
        for pid, command in site.processes().items():
            self.history.note("left", pid=pid, command=command)
        self.history.merge(site.renders_file)
        for event in await asyncio.to_thread(lambda: list(dumped(site.records))):
            self.history.add(event)
        self.history.note("end")


def main(arguments: list[str]) -> int:
    """Run what the command line says; the end is the judge's."""
    parser = argparse.ArgumentParser(prog="campaign", description="Break servers under load, and judge what became.")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--kills", type=int, default=20, help="so many programs are killed")
    parser.add_argument("--minutes", type=float, default=10.0, help="no fault begins later")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=Plan.rate, help="requests per second")
    parser.add_argument("--pause-s", type=float, default=Plan.pause_s, help="between two faults, on average")
    parser.add_argument("--at-once", type=int, default=Plan.at_once, help="faults at a time")
    parser.add_argument("--bucket", action="store_true", help="keep films in an object store that fails as well")
    parser.add_argument("--bug", default="", help="plant this one, of tests/chaos/careless.py; SQLite only")
    parser.add_argument("--folder", type=Path, help="an empty one, for the history and logs; else a temporary one")
    chosen = parser.parse_args(arguments)
    plan = Plan(
        database=chosen.database,
        kills=chosen.kills,
        minutes=chosen.minutes,
        seed=chosen.seed,
        rate=chosen.rate,
        pause_s=chosen.pause_s,
        at_once=chosen.at_once,
        has_bucket=chosen.bucket,
        bug=chosen.bug,
    )
    folder = chosen.folder or Path(tempfile.mkdtemp(prefix="chaos-"))
    # PostgreSQL runs as somebody else, who must get to its directory.
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    asyncio.run(Campaign(plan, folder.absolute()).run())
    sys.stdout.write(f"The history is {folder}/history.jsonl\n")
    sys.stdout.flush()
    return subprocess.run([sys.executable, "-I", "-S", CHECKER, folder / "history.jsonl"]).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
