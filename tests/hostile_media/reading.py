"""A process that does nothing but have files read in the sandbox, as the server does, and tells what it cost.

    python -m hostile_media.reading TIMEOUT_S      in the directory `tests`

Each line of standard input names a file and what it is to be: ``["/tmp/x", "image"]``. Each is answered with one line,
in order: ``{"facts": {...}}`` or ``{"refused": "..."}``, and ``own_kb`` and ``child_kb``, the most memory that this
process and any process of the sandbox had by then.
"""

import asyncio
import json
import os
import re
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from understudy.core.media import Unreadable
from understudy.core.modality import Modality
from understudy.media.sandbox import PROBE, PROBE_OPERATION, Sandbox, SandboxedProber
from understudy.media.sandbox_process import SandboxLimits


def peak_kb(pid: int | str) -> int:
    """The most memory a process ever had; 0 if it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s+(\d+)", status)
    return int(found[1]) if found else 0


def children() -> list[int]:
    own = str(os.getpid())
    pids = (int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit())
    return [pid for pid in pids if parent_of(pid) == own]


def parent_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
    except OSError:
        return ""


async def answer(prober: SandboxedProber, path: str, modality: str) -> dict[str, Any]:
    try:
        return {"facts": asdict(await prober.probe(Path(path), Modality(modality)))}
    except Unreadable as error:
        return {"refused": error.reason}


async def main(timeout_s: float) -> None:
    sandbox = Sandbox({PROBE: PROBE_OPERATION}, SandboxLimits(processes=1, timeout_s=timeout_s))
    prober = SandboxedProber(sandbox)
    loop = asyncio.get_running_loop()
    child_kb = 0
    try:
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            said = await answer(prober, *json.loads(line))
            child_kb = max(child_kb, *(peak_kb(pid) for pid in children()), 0)
            told = {**said, "own_kb": peak_kb("self"), "child_kb": child_kb}
            sys.stdout.write(json.dumps(told) + "\n")
            sys.stdout.flush()
    finally:
        await sandbox.close()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1])))
