"""Small models are computed by one thread: two test processes of two threads each wait more than they compute."""

import os
import sys

import pytest


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    # For the processes that tests start; torch has read it here by now.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
