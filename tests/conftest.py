"""What holds for every test: its surroundings, how hypothesis looks for inputs, and the shared object store."""

import os
import signal
import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from postgres_server import TEMPLATE, PostgresServer, shared_server, with_template
from s3_server import S3Server, s3_server

# A slow machine is no finding: how long an input takes says nothing of the code, and no test here asserts a time.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

# Where these are set, pytest lists every difference of two values: for a few megabytes of bytes that takes hours, in
# which a failure looks like a hang. Hypothesis has read them by now and stays as it is on a CI. See `pytest -vv`.
for _name in ("CI", "BUILD_NUMBER"):
    os.environ.pop(_name, None)

# Tests start hundreds of processes, and where bytecode is not kept each of them compiles all that it imports: torch and
# diffusers for ten seconds.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Small models are computed by one thread, here and in the servers that tests start: as many test processes as there are
# cores, with a thread for each core, wait more than they compute.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# What a shell starts in the background ignores Ctrl-C, and so would every process that a test starts and interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared_s3() -> Iterator[S3Server]:
    with s3_server() as server:
        yield server


@pytest.fixture
def s3(shared_s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """An S3 server, named in the environment as clients of S3 read it; take a bucket of your own."""
    for name, value in shared_s3.environ.items():
        monkeypatch.setenv(name, value)
    return shared_s3


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """The PostgreSQL server that all processes of this run share."""
    own = tmp_path_factory.getbasetemp()
    with shared_server(own.parent if "PYTEST_XDIST_WORKER" in os.environ else own, with_template) as server:
        yield server


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """The address of a database of the test's own, with the newest tables."""
    database = postgres.new_database(TEMPLATE)
    yield postgres.url(database)
    postgres.drop(database)


@pytest.fixture(scope="session")
def postgres_database(postgres: PostgresServer) -> str:
    """A database of this process, with the newest tables; see `emptied_postgres_url`."""
    return postgres.new_database(TEMPLATE)


@pytest.fixture
def emptied_postgres_url(postgres: PostgresServer, postgres_database: str) -> str:
    """The address of a database that was emptied: for the many short tests that leave its tables as they are."""
    postgres.empty(postgres_database)
    return postgres.url(postgres_database)
