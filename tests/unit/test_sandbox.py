"""Sandboxed processes: what a file can do to its own, and cannot do to anything else."""

import asyncio
import logging
import os
import select
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import PIL.Image
import pytest

from odd_files import ODD
from odd_media import film, picture
from understudy.core.errors import Unavailable
from understudy.core.media import Unreadable
from understudy.core.modality import Modality
from understudy.media.sandbox import PROBE, PROBE_OPERATION, Sandbox, SandboxedProber
from understudy.media.sandbox_process import SandboxLimits
from understudy.media.sandbox_walls import possible_walls

TESTS = Path(__file__).parent.parent
OPERATIONS = ("read", "environment", "refuse", "fail", "obey", "break_out", "start_threads")
LINUX_WALLS = pytest.mark.skipif(
    set(possible_walls()) != {"Landlock", "seccomp"}, reason="this kernel has not both walls"
)

Opened = Callable[..., Sandbox]


@pytest.fixture
async def open_sandbox(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Opened]:
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    opened: list[Sandbox] = []

    def opens(*names: str, **limits: object) -> Sandbox:
        operations = {name: f"odd_operations:{name}" for name in names or OPERATIONS}
        if PROBE in operations:
            operations[PROBE] = PROBE_OPERATION
        chosen = {"processes": 1, "timeout_s": 60.0, **limits}
        opened.append(Sandbox(operations, SandboxLimits(**chosen)))
        return opened[-1]

    yield opens
    for each in opened:
        await each.close()


def file_of(tmp_path: Path, content: str | bytes, name: str = "file") -> Path:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


async def asked(sandbox: Sandbox, op: str, path: Path) -> object:
    return await sandbox.ask(op, path, Modality.IMAGE)


async def reason_of(sandbox: Sandbox, op: str, path: Path) -> str:
    with pytest.raises(Unreadable) as caught:
        await asked(sandbox, op, path)
    return caught.value.reason


async def test_an_operation_reads_the_file_and_is_told_what_it_is_to_be(open_sandbox, tmp_path):
    answer = await open_sandbox().ask("read", file_of(tmp_path, "hello"), Modality.VIDEO)
    assert answer["content"] == "hello"
    assert answer["modality"] == "video"


async def test_every_odd_file_becomes_what_it_should(open_sandbox, tmp_path):
    prober = SandboxedProber(open_sandbox(PROBE, processes=2))
    paths = {name: file_of(tmp_path, odd.content(), str(number)) for number, (name, odd) in enumerate(ODD.items())}

    async def became(name: str) -> object:
        odd = ODD[name]
        try:
            facts = await prober.probe(paths[name], odd.modality)
        except Unreadable as refused:
            return None if odd.is_refused and odd.reason in refused.reason else refused.reason
        is_right = not odd.is_refused and all(getattr(facts, key) == value for key, value in odd.facts.items())
        return None if is_right else facts

    wrong = dict(zip(ODD, await asyncio.gather(*map(became, ODD)), strict=True))
    assert {name: what for name, what in wrong.items() if what is not None} == {}
    assert len(ODD) >= 120


@LINUX_WALLS
async def test_a_process_that_was_taken_over_reaches_nothing(open_sandbox, tmp_path):
    assert await asked(open_sandbox(), "break_out", file_of(tmp_path, "")) == []


async def test_threads_may_be_started(open_sandbox, tmp_path):
    assert await asked(open_sandbox(), "start_threads", file_of(tmp_path, "")) == [0, 1, 2, 3]


OPEN_A_FILE = "open('/etc/passwd').close()"
OPEN_A_SOCKET = "import socket; socket.socket()"


@LINUX_WALLS
@pytest.mark.parametrize(
    ("wall", "attempt"), [("shut_files", OPEN_A_FILE), ("shut_calls", OPEN_A_FILE), ("shut_calls", OPEN_A_SOCKET)]
)
def test_each_wall_holds_alone(wall, attempt):
    script = (
        "import understudy.media.sandbox_walls as walls, encodings.utf_8, socket\n"
        "library = walls.system_library(); library.prctl(38, 1, 0, 0, 0)\n"
        f"assert list(walls.{wall}(library)), 'no wall'\n"
        f"try: {attempt}\n"
        "except PermissionError: print('shut')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("shut\n", 0), done.stderr


async def test_no_secret_of_the_server_is_in_the_process(open_sandbox, tmp_path, monkeypatch):
    monkeypatch.setenv("UNDERSTUDY_SECRET", "a secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    told = await asked(open_sandbox(), "environment", file_of(tmp_path, ""))
    assert not {"UNDERSTUDY_SECRET", "AWS_SECRET_ACCESS_KEY"} & set(told)


@pytest.mark.parametrize("word", ["eat", "eat at once"])
async def test_a_file_that_eats_memory_is_refused_and_the_next_one_is_read(open_sandbox, tmp_path, word):
    sandbox = open_sandbox("obey", memory_bytes=256 << 20)
    before = await asked(sandbox, "obey", file_of(tmp_path, ""))
    assert await reason_of(sandbox, "obey", file_of(tmp_path, word)) == (
        "reading the file takes more than 256 MB of memory"
    )
    assert await asked(sandbox, "obey", file_of(tmp_path, "")) != before


async def test_an_image_of_the_most_pixels_is_read_within_the_memory_there_is(open_sandbox, tmp_path):
    prober = SandboxedProber(open_sandbox(PROBE))
    for kind, mode in (("png", "RGBA"), ("tiff", "CMYK"), ("jpeg", "RGB"), ("webp", "RGB")):
        path = tmp_path / f"largest.{kind}"
        PIL.Image.new(mode, (6000, 6000)).save(path, compress_level=1, method=0)
        assert (await prober.probe(path, Modality.IMAGE)).width_px == 6000


async def test_a_file_that_kills_its_process_is_refused_and_the_next_one_is_read(open_sandbox, tmp_path):
    sandbox = open_sandbox()
    assert "damaged, or takes too much memory" in await reason_of(sandbox, "obey", file_of(tmp_path, "die"))
    assert await asked(sandbox, "obey", file_of(tmp_path, ""))


async def test_a_file_that_takes_too_long_is_refused_and_the_next_one_is_read(open_sandbox, tmp_path):
    sandbox = open_sandbox(timeout_s=1.0)
    assert await reason_of(sandbox, "obey", file_of(tmp_path, "spin")) == "reading the file takes longer than 1 s"
    assert await asked(sandbox, "read", file_of(tmp_path, "next"))


async def test_others_are_served_while_a_process_is_stuck(open_sandbox, tmp_path):
    sandbox = open_sandbox(processes=2)
    stuck = asyncio.create_task(asked(sandbox, "obey", file_of(tmp_path, "spin", "stuck")))
    for _ in range(3):
        assert await asked(sandbox, "read", file_of(tmp_path, "free"))
    assert not stuck.done()
    stuck.cancel()
    await asyncio.wait({stuck})


async def test_who_is_cancelled_leaves_no_process_and_takes_no_place_away(open_sandbox, tmp_path):
    sandbox = open_sandbox()
    pid = (await asked(sandbox, "read", file_of(tmp_path, "")))["pid"]
    ends = os.pidfd_open(pid)
    spinning = asyncio.create_task(asked(sandbox, "obey", file_of(tmp_path, "spin", "stuck")))
    await asyncio.wait({spinning}, timeout=0)
    spinning.cancel()
    await asyncio.wait({spinning})
    assert await asyncio.to_thread(select.select, [ends], [], [], 60) != ([], [], [])
    os.close(ends)
    assert (await asked(sandbox, "read", file_of(tmp_path, "")))["pid"] != pid


async def test_a_process_is_replaced_when_it_has_read_its_files(open_sandbox, tmp_path):
    sandbox = open_sandbox(files=2)
    path = file_of(tmp_path, "")
    pids = [(await asked(sandbox, "read", path))["pid"] for _ in range(5)]
    assert pids[0] == pids[1] != pids[2] == pids[3] != pids[4]


async def test_a_process_that_ended_while_it_waited_is_not_given_a_file(open_sandbox, tmp_path):
    sandbox = open_sandbox()
    path = file_of(tmp_path, "")
    pid = (await asked(sandbox, "read", path))["pid"]
    ends = os.pidfd_open(pid)
    os.kill(pid, signal.SIGKILL)
    await asyncio.to_thread(select.select, [ends], [], [], 60)
    os.close(ends)
    assert (await asked(sandbox, "read", path))["pid"] != pid


async def test_one_process_is_enough_for_one_file_after_another(open_sandbox, tmp_path):
    sandbox = open_sandbox(processes=3)
    path = file_of(tmp_path, "")
    assert len({(await asked(sandbox, "read", path))["pid"] for _ in range(6)}) == 1


async def test_what_nobody_foresaw_is_in_the_log_and_not_in_the_reason(open_sandbox, tmp_path, caplog):
    assert await reason_of(open_sandbox(), "fail", file_of(tmp_path, "")) == "the file cannot be read"
    assert "ZeroDivisionError" in caplog.text


async def test_a_reason_is_short_and_can_be_printed(open_sandbox, tmp_path):
    reason = await reason_of(open_sandbox(), "refuse", file_of(tmp_path, "\x1b[2J\nbad" + "x" * 5000))
    assert reason.startswith(" [2J bad")
    assert len(reason) == 200


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo], ids=["folder", "pipe"])
async def test_what_is_no_file_is_refused(open_sandbox, tmp_path, make):
    make(tmp_path / "odd")
    assert await reason_of(open_sandbox(), "read", tmp_path / "odd") == "it is not a file"


async def test_without_a_process_media_are_unavailable_and_not_unreadable(tmp_path):
    sandbox = Sandbox(
        {"read": "understudy.no_such_module:read"}, SandboxLimits(processes=1, timeout_s=5.0, wait_timeout_s=1.0)
    )
    for _ in range(2):
        with pytest.raises(Unavailable, match="media cannot be read now"):
            await asked(sandbox, "read", file_of(tmp_path, ""))
    await sandbox.close()


async def test_who_finds_no_process_free_for_long_is_told_to_come_back(open_sandbox, tmp_path):
    sandbox = open_sandbox(wait_timeout_s=0.1)
    spinning = asyncio.create_task(asked(sandbox, "obey", file_of(tmp_path, "spin", "stuck")))
    await asyncio.wait({spinning}, timeout=0)
    with pytest.raises(Unavailable):
        await asked(sandbox, "read", file_of(tmp_path, ""))
    spinning.cancel()
    await asyncio.wait({spinning})


async def test_closing_ends_the_processes_and_who_comes_after_is_told(open_sandbox, tmp_path):
    sandbox = open_sandbox()
    pid = (await asked(sandbox, "read", file_of(tmp_path, "")))["pid"]
    await sandbox.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(Unavailable):
        await asked(sandbox, "read", file_of(tmp_path, ""))


async def test_who_waits_for_an_answer_or_for_a_process_when_the_server_closes_is_told(open_sandbox, tmp_path):
    sandbox = open_sandbox()
    await asked(sandbox, "read", file_of(tmp_path, ""))
    path = file_of(tmp_path, "spin")
    waiting = [asyncio.create_task(asked(sandbox, "obey", path)) for _ in range(2)]
    await asyncio.wait(waiting, timeout=0)
    await sandbox.close()
    ended = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(each) for each in ended] == [Unavailable, Unavailable]


async def test_the_log_says_at_the_start_which_walls_there_are(open_sandbox, caplog):
    caplog.set_level(logging.INFO)
    await open_sandbox().start()
    assert ", ".join(possible_walls()) in caplog.text


LEAVING_SERVER = """
import asyncio, os, sys
from pathlib import Path
from understudy.core.modality import Modality
from understudy.media.sandbox import Sandbox
from understudy.media.sandbox_process import SandboxLimits

async def main():
    limits = SandboxLimits(processes=1, timeout_s=600)
    sandbox = Sandbox({"read": "odd_operations:read", "obey": "odd_operations:obey"}, limits)
    path = Path(sys.argv[1])
    pid = (await sandbox.ask("read", path, Modality.IMAGE))["pid"]
    busy = asyncio.create_task(sandbox.ask("obey", path, Modality.IMAGE))
    await asyncio.wait({busy}, timeout=0)
    print(pid, flush=True)
    await busy

asyncio.run(main())
"""


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="elsewhere a busy process ends when it has read its file"
)
def test_a_busy_process_ends_with_its_server_however_that_ends(tmp_path):
    script = [sys.executable, "-c", LEAVING_SERVER, str(file_of(tmp_path, "spin"))]
    with subprocess.Popen(script, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(TESTS)}) as server:
        ends = os.pidfd_open(int(server.stdout.readline()))
        server.kill()
    assert select.select([ends], [], [], 60) != ([], [], [])
    os.close(ends)


def descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))


async def test_the_descriptor_of_a_file_is_closed_again(open_sandbox, tmp_path):
    sandbox = open_sandbox(PROBE, "read")
    prober = SandboxedProber(sandbox)
    await asked(sandbox, "read", file_of(tmp_path, "warm"))
    for content in (picture(), film(), b"nothing"):
        before = descriptors()
        for _ in range(3):
            try:
                await prober.probe(file_of(tmp_path, content), Modality.IMAGE)
            except Unreadable:
                continue
        assert descriptors() == before
