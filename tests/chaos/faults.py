"""What is done to a site while it is under load: faults at random moments, drawn by the campaign's seed.

Each is noted when it begins and when it is over. `kills` counts the programs and render processes that were ended with
SIGKILL.
"""

import asyncio
import contextlib
import os
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from chaos.history import HistoryFile
from chaos.programs import Program
from chaos.proxy import Road
from chaos.receiver import Mood, Receiver
from chaos.sites import LEASE_S, Site, until_ready

SHIFTS_S = (-1200.0, -60.0, 15.0, 1200.0)
SHARED_AHEAD_MOST_S = 15.0
"""Of a program over a shared database. What it writes is ahead as well: a task that a server made 20 minutes ahead
expires 20 minutes late by the database's clock, and a callback is due when the program that made the change thinks it
is. The campaign would wait that long for the end of it."""

Fault = Callable[[], Awaitable[None]]


class Faults:
    """Breaks things until it is told to stop."""

    def __init__(self, site: Site, receiver: Receiver, history: HistoryFile, chance: random.Random) -> None:
        self.kills = 0
        self.largest_shift_s = 0.0
        self._site = site
        self._receiver = receiver
        self._history = history
        self._chance = chance
        self._busy: set[str] = set()
        self._under_way: set[asyncio.Task[None]] = set()
        self._weights = self._possible()

    @property
    def names(self) -> list[str]:
        """The faults that are possible here."""
        return [fault.__name__ for fault in self._weights]

    def _possible(self) -> dict[Fault, int]:
        weights: dict[Fault, int] = {
            self.kill_program: 8,
            self.kill_render: 5,
            self.stop_program: 2,
            self.pause_program: 2,
            self.fill_disk: 1,
            self.trouble_receiver: 2,
        }
        if self._site.clocks:
            weights[self.move_clock] = 1
        if self._site.road is not None:
            weights[self.break_road] = 2
        if self._site.postgres is not None:
            weights |= {self.restart_database: 1, self.pause_database: 1}
        return weights

    async def run(self, *, kills: int, pause_s: float, at_once: int, over: asyncio.Event) -> None:
        """Break things until so many kills, or until it is over.

        pause_s: between two faults, on average. at_once: faults at a time; those that meet find more than one alone.
        """
        # Each once at first, in any order, so that a short campaign has seen them all.
        first = self._chance.sample(list(self._weights), len(self._weights))
        while not over.is_set() and (self.kills < kills or first):
            able = [fault for fault in first or self._weights if self._has_victim(fault)]
            if able and len(self._under_way) < at_once:
                fault = able[0] if first else self._chance.choices(able, [self._weights[each] for each in able])[0]
                if first:
                    first.remove(fault)
                self._begin(fault)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._chance.expovariate(1 / pause_s)):
                    await over.wait()
        await asyncio.gather(*self._under_way)

    def _has_victim(self, fault: Fault) -> bool:
        """Say whether there is somebody now to whom this can be done."""
        if fault in (self.kill_program, self.stop_program, self.pause_program):
            return any(self._is_idle(program) for program in self._site.programs)
        if fault == self.kill_render:
            return bool(self._site.render_pids())
        if fault in (self.restart_database, self.pause_database):
            # A database that finds its disk full as it starts gives up, and would be away for longer than is of use.
            return not self._site.is_database_away and not self._site.is_disk_full
        if fault == self.fill_disk:
            return not self._site.is_database_away and not self._site.is_disk_full
        return True

    def _begin(self, fault: Fault) -> None:
        under_way = asyncio.ensure_future(fault())
        self._under_way.add(under_way)
        under_way.add_done_callback(self._is_done)

    def _is_done(self, under_way: "asyncio.Future[None]") -> None:
        self._under_way.discard(under_way)
        if not under_way.cancelled() and under_way.exception() is not None:
            self._history.note("mistake", error=repr(under_way.exception()))

    @asynccontextmanager
    async def _noted(self, what: str, **about: object) -> AsyncIterator[None]:
        self._history.note("fault", what=what, **about)
        yield
        self._history.note("mended", what=what)

    def _idle_program(self) -> Program | None:
        """Return a program with which nothing else is done, marked as busy."""
        idle = [program for program in self._site.programs if self._is_idle(program)]
        program = self._chance.choice(idle) if idle else None
        if program is not None:
            self._busy.add(program.name)
        return program

    def _is_idle(self, program: Program) -> bool:
        return program.name not in self._busy and program.is_running

    async def _start_again(self, program: Program) -> None:
        """Start it after a moment; mostly it comes up before anything else is done to it."""
        await asyncio.sleep(self._chance.expovariate(4))
        program.start()
        if program.port and self._chance.random() < 0.7:
            await until_ready(program, 20)

    async def kill_program(self) -> None:
        """End a server or a worker with SIGKILL and start it again."""
        program = self._idle_program()
        if program is None:
            return
        self.kills += 1
        try:
            kind = "server" if program.port else "worker"
            async with self._noted(f"kill {kind}", name=program.name, pid=program.pid, kills=1):
                await program.kill()
                await self._start_again(program)
        finally:
            self._busy.discard(program.name)

    async def kill_render(self) -> None:
        """End a render process with SIGKILL."""
        pids = self._site.render_pids()
        if pids:
            pid = self._chance.choice(pids)
            self.kills += 1
            async with self._noted("kill render", pid=pid, kills=1):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    async def stop_program(self) -> None:
        """Ask a program to end, as an operator does, and start it again."""
        program = self._idle_program()
        if program is None:
            return
        try:
            async with self._noted("stop program", name=program.name):
                ended = await program.stop()
                if ended != 0:
                    self._history.note("badly", name=program.name, returncode=ended)
                await self._start_again(program)
        finally:
            self._busy.discard(program.name)

    async def pause_program(self) -> None:
        """Let a program have no time, often for longer than its leases last, so that others take its tasks."""
        program = self._idle_program()
        if program is None:
            return
        try:
            async with self._noted("pause program", name=program.name):
                program.pause()
                await asyncio.sleep(self._chance.uniform(0.2, 2 * LEASE_S))
                program.resume()
        finally:
            self._busy.discard(program.name)

    async def fill_disk(self) -> None:
        """Fill the disk on which databases, films of a local store and work directories are."""
        site = self._site
        async with self._noted("fill disk", is_real=site.disk.is_real):
            site.is_disk_full = True
            try:
                await asyncio.to_thread(site.disk.fill, [each.pid for each in site.programs if each.is_running])
                await asyncio.sleep(self._chance.uniform(0.3, 2.0))
            finally:
                # What was started meanwhile has inherited its parent's bounds.
                site.disk.free(site.processes())
                site.is_disk_full = False
            await site.mend_database()

    async def trouble_receiver(self) -> None:
        """Have the receiver of callbacks fail, hang for longer than it may, break off, or all of it."""
        mood = self._chance.choice((Mood.FAILING, Mood.HANGING, Mood.BREAKING, Mood.MIXED))
        async with self._noted(f"receiver {mood}"):
            self._receiver.change(mood)
            await asyncio.sleep(6.0 if mood is Mood.HANGING else self._chance.uniform(1.0, 4.0))
            self._receiver.change(Mood.WELL)

    async def move_clock(self) -> None:
        """Move the wall clock of a program, forward or back, and put it right after a while."""
        site = self._site
        name = self._chance.choice(sorted(site.clocks))
        is_bounded = site.postgres is not None
        shift_s = self._chance.choice([each for each in SHIFTS_S if not is_bounded or each <= SHARED_AHEAD_MOST_S])
        self.largest_shift_s = max(self.largest_shift_s, shift_s)
        async with self._noted("move clock", name=name, seconds=shift_s):
            self._history.note("shift", name=name, seconds=shift_s)
            site.clocks[name].set(shift_s)
            await asyncio.sleep(self._chance.uniform(1.0, 5.0))
            site.clocks[name].set(0.0)
            self._history.note("shift", name=name, seconds=0.0)

    async def break_road(self) -> None:
        """Have the store of films slow, cut off or failing in the middle."""
        assert self._site.road is not None
        road = self._chance.choice((Road.SLOW, Road.CUT, Road.SWALLOWED, Road.SHORT))
        async with self._noted(f"blob store {road}"):
            self._site.road.change(road)
            await asyncio.sleep(self._chance.uniform(0.5, 4.0))
            self._site.road.change(Road.OPEN)

    async def restart_database(self) -> None:
        """Have the database crash, or be restarted by an operator who does not wait."""
        how = self._chance.choice((signal.SIGQUIT, signal.SIGQUIT, signal.SIGINT))
        async with self._noted("restart database", how=how.name):
            await self._site.restart_database(how)

    async def pause_database(self) -> None:
        """Let the database have no time for a while."""
        pids = self._site.database_pids()
        async with self._noted("pause database"):
            self._signal(pids, signal.SIGSTOP)
            await asyncio.sleep(self._chance.uniform(0.3, 1.5 * LEASE_S))
            self._signal(pids, signal.SIGCONT)

    def _signal(self, pids: list[int], number: signal.Signals) -> None:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
