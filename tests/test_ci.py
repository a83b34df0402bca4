"""What a CI is told: a target or a test that is stuck, and a failure of megabytes, end in words and not in silence."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.full

ROOT = Path(__file__).parent.parent
PATIENCE_S = 120

MAKE = """#!/bin/sh
echo "making $1"
case "$MAKES:$1" in
    stuck:test) exec sleep 1000 ;;
    leaves:test) sleep 1000 & echo $! >left.pid ;;
    fails:test) echo "1 failed in 1.00s"; exit 2 ;;
esac
echo "3 passed in 1.00s"
"""


def ci(folder: Path, makes: str, limit_s: int = 60) -> subprocess.CompletedProcess[str]:
    """Run `.ci/run` over a `make` that does as it is told."""
    (folder / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", folder / ".ci" / "run")
    (folder / "make").write_text(MAKE)
    (folder / "make").chmod(0o755)
    environment = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}", "MAKES": makes, "LIMIT_S": str(limit_s)}
    command = ["bash", str(folder / ".ci" / "run")]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE_S)


def test_both_targets_are_shown_and_end_with_their_closing_lines(tmp_path: Path) -> None:
    done = ci(tmp_path, "passes")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split("\n\n") == [
        "making test\n3 passed in 1.00s\nmaking test-full\n3 passed in 1.00s",
        "3 passed in 1.00s\n3 passed in 1.00s\n",
    ]


def test_a_target_that_is_stuck_is_named_and_the_next_one_is_run(tmp_path: Path) -> None:
    done = ci(tmp_path, "stuck", limit_s=2)
    assert done.returncode == 124
    told = "make test did not end within 2 s and was ended."
    assert done.stdout.count(told) == 2
    assert done.stdout.index("making test") < done.stdout.index(told) < done.stdout.index("making test-full")
    assert done.stdout.endswith("\n3 passed in 1.00s\n")


def test_a_target_that_fails_is_not_said_to_be_stuck(tmp_path: Path) -> None:
    done = ci(tmp_path, "fails")
    assert (done.returncode, "did not end" in done.stdout) == (2, False)
    assert done.stdout.endswith("\n1 failed in 1.00s\n3 passed in 1.00s\n")


def test_a_process_that_a_target_left_behind_keeps_nothing_waiting(tmp_path: Path) -> None:
    try:
        assert ci(tmp_path, "leaves").returncode == 0
    finally:
        subprocess.run(["kill", (tmp_path / "left.pid").read_text().strip()], check=True)


MEGABYTES = """
import random

def test_two_contents():
    first, second = (random.Random(seed).randbytes(5_000_000) for seed in (1, 2))
    assert first == second
"""
STUCK = """
import ctypes

def test_before(): pass

def test_native_code_that_keeps_the_interpreter():
    ctypes.PyDLL(None).sleep(1000)

def test_after(): pass
"""


def suite(folder: Path, text: str, *flags: str) -> str:
    """Run a test file under the settings and the conftest of this suite, as a CI does; what pytest printed."""
    (folder / "test_it.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-q", "-c", str(ROOT / "pyproject.toml"), f"--rootdir={folder}"]
    command += ["-p", "conftest", *flags, str(folder / "test_it.py")]
    environment = os.environ | {"CI": "true", "PYTHONPATH": str(ROOT / "tests")}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE_S).stdout


def test_a_failure_of_megabytes_is_told_at_once_on_a_ci_too(tmp_path: Path) -> None:
    assert "1 failed" in suite(tmp_path, MEGABYTES)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_stuck_test_is_named_and_those_after_it_are_run(tmp_path: Path, workers: int) -> None:
    told = suite(tmp_path, STUCK, f"-n{workers}", "--dist=worksteal", "-o", "faulthandler_timeout=3")
    assert "crashed while running 'test_it.py::test_native_code_that_keeps_the_interpreter'" in told
    assert "1 failed, 2 passed" in told


def test_no_test_may_take_for_ever(pytestconfig: pytest.Config) -> None:
    assert 0 < float(pytestconfig.getini("faulthandler_timeout")) <= 900
    assert pytestconfig.getini("faulthandler_exit_on_timeout") is True
