"""Fixtures of the contract tests: one running server per module, and for each test a caller of its own."""

from collections.abc import Iterator

import pytest

from running_server import RunningServer, running_server

# The public suites assert, and say what they found only when pytest rewrites them.
pytest.register_assert_rewrite("understudy.testing")


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Serve from a memory store, with a clock that only tests move: starting one for each test would take 0.2 s."""
    with running_server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def server(shared_server: RunningServer) -> RunningServer:
    """Return the module's server, as somebody sees it who has no tasks yet."""
    shared_server.requests.clear()
    return shared_server.to_a_new_caller()
