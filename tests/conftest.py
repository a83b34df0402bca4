"""What holds for every test: how hypothesis looks for inputs, and the object store that tests share."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from s3_server import S3Server, s3_server

# A slow machine is no finding: how long an input takes says nothing of the code, and no test here asserts a time.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


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
