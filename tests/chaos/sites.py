"""What a campaign breaks: servers, workers, their database, their disk, their store of films and their clocks."""

import asyncio
import contextlib
import os
import signal
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from chaos.clocks import ShiftedClock, compiled
from chaos.disk import SmallDisk
from chaos.engine import RENDERS_FILE
from chaos.history import HistoryFile
from chaos.programs import PATIENCE_S, Program, free_port, marked
from chaos.proxy import Proxy
from chaos.records import PostgresRecords, Records, SqliteRecords
from postgres_server import PostgresServer
from s3_server import S3Server, s3_server

KEYS = tuple(f"sk-chaos-key-number-{number}-of-the-campaign" for number in range(3))
LEASE_S = 2.0
SLACK_S = 0.5
CAP = 3
QUEUE_CAP = 80
LOOK_S = 0.05
DATABASE = "chaos"
SETTINGS = {
    "ENGINE": "chaos.engine:OFFER",
    "LEASE_S": str(LEASE_S),
    "ATTEMPTS_MAX": "100000",
    "DRAIN_S": "1",
    "POLL_INTERVAL_S": "0.2",
    "REAP_INTERVAL_S": "0.5",
    "CONCURRENCY_PER_KEY": str(CAP),
    "QUEUED_PER_KEY": str(QUEUE_CAP),
    "CALLBACK_NETWORKS": "127.0.0.1",
    "CALLBACK_SCHEDULE_S": " ".join(["1"] * 50),
    "SECRET": "what-the-servers-of-a-campaign-have-in-common",
    "FIRST_API_KEY": KEYS[0],
    "LOG_LEVEL": "INFO",
}


@dataclass
class Site:
    """Everything that runs.

    servers, programs: the programs that answer requests, and all of them. clocks: name of a program -> its clock.
    """

    folder: Path
    history: HistoryFile
    disk: SmallDisk
    records: Records
    programs: list[Program] = field(default_factory=list)
    clocks: dict[str, ShiftedClock] = field(default_factory=dict)
    postgres: PostgresServer | None = None
    road: Proxy | None = None
    is_database_away: bool = False
    is_disk_full: bool = False
    mark: str = field(default_factory=lambda: f"CHAOS_MARK={uuid.uuid4().hex}")
    _library: Path | None = None
    _buckets: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    @property
    def servers(self) -> list[Program]:
        return [program for program in self.programs if program.port]

    @property
    def renders_file(self) -> Path:
        return self.folder / "renders.jsonl"

    def add(self, name: str, *, slots: int, is_server: bool = True, **settings: str) -> Program:
        """Add a program, which does not run yet."""
        data_dir = self.disk.folder / name
        environ = {f"UNDERSTUDY_{key.upper()}": value for key, value in (SETTINGS | settings).items()}
        environ |= {RENDERS_FILE: str(self.renders_file), self.mark.partition("=")[0]: self.mark.partition("=")[2]}
        if self._library is not None:
            self.clocks[name] = ShiftedClock(self._library, self.folder / f"{name}.clock")
            environ |= self.clocks[name].environ
        port = free_port() if is_server else 0
        flags = ("serve", "--port", str(port)) if is_server else ("worker",)
        program = Program(
            name=name,
            arguments=(*flags, "--json", "--data-dir", str(data_dir), "--slots", str(slots)),
            settings=environ,
            log=self.folder / f"{name}.log",
            port=port,
        )
        self.programs.append(program)
        return program

    async def open(self, *, has_bucket: bool) -> None:
        """Start what programs need, and add the programs. has_bucket: films are kept in an object store."""
        self._library = compiled(self.folder)
        settings = await self._open_bucket() if has_bucket else {}
        if self.postgres is None:
            self.add("server", slots=3, **settings)
            return
        self.postgres.folder.mkdir()
        await asyncio.to_thread(self.postgres.create)
        await asyncio.to_thread(self.postgres.start)
        await asyncio.to_thread(self.postgres.sql, f"CREATE DATABASE {DATABASE}")
        settings = {"blobs": f"file://{self.disk.folder}/films", **settings, "database": self.postgres.url(DATABASE)}
        self.add("server-1", slots=1, **settings)
        self.add("server-2", slots=0, **settings)
        for number in (1, 2):
            self.add(f"worker-{number}", slots=2, is_server=False, **settings)

    async def prepare(self) -> None:
        """Have the tables made and the keys stored, by a server that is started once for each key."""
        first = self.servers[0]
        for key in KEYS:
            first.settings["UNDERSTUDY_FIRST_API_KEY"] = key
            first.start()
            await until_ready(first)
            assert await first.stop() == 0
        first.settings["UNDERSTUDY_FIRST_API_KEY"] = KEYS[0]
        self.records.add_journal()

    async def _open_bucket(self) -> dict[str, str]:
        """Start an object store behind a road that can be broken; return what leads programs there."""
        store: S3Server = await asyncio.to_thread(self._buckets.enter_context, s3_server())
        self.road = Proxy(store.port)
        await self.road.start()
        os.environ |= store.environ | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.road.port}"}
        return {"blobs": f"s3://{await asyncio.to_thread(store.new_bucket)}/films"}

    async def restart_database(self, how: signal.Signals) -> None:
        """Have it go down at once, as in a crash, and come back."""
        assert self.postgres is not None
        self.is_database_away = True
        try:
            await asyncio.to_thread(self.postgres.stop, how)
            await asyncio.to_thread(self.postgres.start)
        finally:
            self.is_database_away = False

    def database_pids(self) -> list[int]:
        """Return the processes of the database server, itself first."""
        assert self.postgres is not None
        process = self.postgres._process
        assert process is not None
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        return [process.pid, *map(int, children)]

    async def mend(self) -> None:
        """Put everything right: what was paused runs, what was full is empty, what is down starts."""
        self.disk.free(self.processes())
        await self.mend_database()
        for program in self.programs:
            program.resume()
            if not program.is_running:
                program.start()

    async def mend_database(self) -> None:
        """Start it if it has ended, as it does when its disk is full."""
        if self.postgres is not None and not self.is_database_away and not self._answers():
            self.history.note("database fell")
            self.is_database_away = True
            try:
                self.postgres._process = None
                await asyncio.to_thread(self.postgres.start)
            finally:
                self.is_database_away = False

    def _answers(self) -> bool:
        process = self.postgres._process if self.postgres is not None else None
        return process is not None and process.poll() is None

    async def look_after(self, done: asyncio.Event) -> None:
        """Start again what ended by itself, as a supervisor does, until it is done."""
        while not done.is_set():
            if not self.is_disk_full:
                await self.mend_database()
            for program in self.programs:
                if program.wanted and not program.is_running:
                    self.history.note("fell", name=program.name, is_database_away=self.is_database_away)
                    program.start()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    await done.wait()

    def processes(self) -> dict[int, str]:
        """Return our programs and what they started; once they have ended, what they left, which should be nothing."""
        return marked(self.mark)

    def render_pids(self) -> list[int]:
        return [pid for pid, command in marked(self.mark).items() if "render_process" in command]

    async def close(self) -> None:
        """End everything that was started here, by its id."""
        for program in self.programs:
            if program.is_running:
                program.resume()
                await program.kill()
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self.postgres is not None and self._answers():
            await asyncio.to_thread(self.postgres.stop, signal.SIGQUIT)
        if self.road is not None:
            await self.road.close()
        await asyncio.to_thread(self._buckets.close)
        self.disk.close()


def sqlite_site(folder: Path, history: HistoryFile) -> Site:
    """Return a file and nothing that runs; `Site.open` adds one server, which renders by itself."""
    disk = SmallDisk(folder / "disk")
    return Site(folder, history, disk, SqliteRecords(disk.folder / "server" / "understudy.db"))


def postgres_site(folder: Path, history: HistoryFile) -> Site:
    """Return a database that does not run yet; `Site.open` adds two servers, one that renders too, and two workers."""
    disk = SmallDisk(folder / "disk")
    server = PostgresServer(disk.folder / "pg")
    return Site(folder, history, disk, PostgresRecords(server, DATABASE), postgres=server)


async def until_ready(program: Program, patience_s: float = PATIENCE_S) -> bool:
    """Wait until a server answers; False when it ended or is not ready in time."""
    try:
        async with asyncio.timeout(patience_s), aiohttp.ClientSession() as session:
            while program.is_running:
                with contextlib.suppress(aiohttp.ClientError, OSError):
                    async with session.get(f"{program.url}/readyz") as answer:
                        if answer.status == 200:
                            return True
                await asyncio.sleep(LOOK_S)
    except TimeoutError:
        pass
    return False
