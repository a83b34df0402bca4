"""One model over several processes, on the processor: the same film, stopped together, ended together.

The processes are real ones, in a program of their own (`crew_program`), which one death has to end.
"""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tiny_models import wan

pytest.importorskip("torch", reason="the extra diffusion is not installed")

pytestmark = pytest.mark.full

EXIT_CODE = 70
"""EX_SOFTWARE of sysexits.h."""

PROGRAM = Path(__file__).with_name("crew_program.py")
LIMIT_S = 240
"""For a machine that is busy with much else; a few seconds otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What a program told, how it ended, and what it wrote for its operator."""

    told: Mapping[str, Any]
    code: int
    log: str


class Running:
    """A program that is at work."""

    def __init__(self, models: Path, folder: Path, *, end: str) -> None:
        self._out, self._log = folder / f"{end}.jsonl", folder / f"{end}.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, str(PROGRAM), str(models), str(self._out), end],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={
                    **os.environ,
                    "PYTHONPATH": str(PROGRAM.parents[1]),
                    "OMP_NUM_THREADS": "1",
                    "GLOO_SOCKET_IFNAME": "lo" if sys.platform == "linux" else "lo0",
                },
                start_new_session=True,
            )

    def ended(self) -> Ended:
        """Wait until it ends by itself."""
        try:
            code = self._process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            code = -1
        told: dict[str, Any] = {}
        for line in self._out.read_text().splitlines() if self._out.exists() else ():
            told.update(json.loads(line))
        return Ended(told=told, code=code, log=self._log.read_text())


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> list[Ended]:
    folder = tmp_path_factory.mktemp("crews")
    wan.save(folder / "models")
    # Side by side: what takes their time is to import torch, each time on one core.
    running = [Running(folder / "models", folder, end=end) for end in ("loses-one", "is-killed")]
    return [each.ended() for each in running]


@pytest.fixture
def lost(programs: list[Ended]) -> Ended:
    """Return the program that made films, and lost its other process in the last one."""
    assert "processes" in programs[0].told, programs[0].log
    return programs[0]


@pytest.fixture
def killed(programs: list[Ended]) -> Ended:
    """Return the program that was killed when its other process was there."""
    assert "processes" in programs[1].told, programs[1].log
    return programs[1]


def is_gone(process_id: int) -> bool:
    """Wait a moment for the end of a process that is no child of this one."""
    try:
        descriptor = os.pidfd_open(process_id)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], 20)[0])
    finally:
        os.close(descriptor)


def test_two_devices_make_the_film_that_one_makes(lost: Ended) -> None:
    assert lost.told["together"] == lost.told["alone"]
    assert lost.told["another seed"][0] != lost.told["alone"][0]


def test_a_film_that_is_stopped_stops_everywhere_and_the_next_is_right(lost: Ended) -> None:
    assert lost.told["stopped"] == ["stopped", [0, 1]]
    assert lost.told["afterwards"] == lost.told["alone"]


def test_weights_that_are_not_there_are_refused_and_the_next_model_is_loaded(lost: Ended) -> None:
    assert "config.json" in lost.told["refused"]
    assert lost.told["loaded again"] == lost.told["alone"]


def test_devices_that_share_a_film_guess_no_steps_and_the_operator_is_told(lost: Ended) -> None:
    assert lost.log.count("'step-cache' was left out") == 1


def test_the_death_of_another_process_ends_the_first_and_no_film_waits_for_it(lost: Ended) -> None:
    assert "survived" not in lost.told
    assert lost.code == EXIT_CODE
    assert "the process of a device has died" in lost.log


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="other systems cannot wait for the end of a stranger")
def test_a_first_process_that_is_killed_leaves_no_other(killed: Ended) -> None:
    assert killed.code == -signal.SIGKILL
    assert len(killed.told["processes"]) == 1
    assert all(is_gone(each) for each in killed.told["processes"])
