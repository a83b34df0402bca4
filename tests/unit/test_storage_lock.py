"""One server per data directory."""

import os
import subprocess
import sys

import pytest

from understudy.storage.cannot_open import CannotOpen
from understudy.storage.lock import DataDirLock

HOLDS_THE_LOCK = """
import sys
from pathlib import Path
from understudy.storage.lock import DataDirLock
lock = DataDirLock(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_lock_is_refused_and_names_the_first_process(tmp_path):
    with DataDirLock(tmp_path), pytest.raises(CannotOpen, match=rf"in use by .*process {os.getpid()}\b"):
        DataDirLock(tmp_path)


def test_a_released_directory_can_be_taken_again(tmp_path):
    lock = DataDirLock(tmp_path)
    lock.release()
    lock.release()
    with DataDirLock(tmp_path):
        pass


def test_the_lock_ends_with_its_process_even_when_killed(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS_THE_LOCK, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(CannotOpen, match=rf"process {holder.pid}\b"):
            DataDirLock(tmp_path)
        holder.kill()
        holder.wait()
        with DataDirLock(tmp_path):
            assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"


def test_a_program_started_by_the_server_does_not_inherit_the_lock(tmp_path):
    lock = DataDirLock(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", "print('up', flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        close_fds=False,
    ) as child:
        assert child.stdout.readline() == b"up\n"
        lock.release()
        with DataDirLock(tmp_path):
            child.stdin.close()


def test_the_directory_is_made(tmp_path):
    with DataDirLock(tmp_path / "a" / "b"):
        assert (tmp_path / "a" / "b").is_dir()


def test_a_directory_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(CannotOpen, match="cannot use the data directory"):
        DataDirLock(tmp_path / "file" / "data")
