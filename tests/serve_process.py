"""`understudy serve` as a process of its own, for tests that drive it from outside."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UNDERSTUDY = [sys.executable, "-m", "understudy"]


@contextmanager
def serving(data_dir: Path, *flags: str) -> Iterator[subprocess.Popen[str]]:
    command = [*UNDERSTUDY, "serve", "--port", "0", "--data-dir", str(data_dir), *flags]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def ready(process: subprocess.Popen[str]) -> dict[str, str]:
    assert process.stdout is not None
    told: dict[str, str] = json.loads(process.stdout.readline())
    return told
