"""The local executor keeps the promises of every executor, and those it makes about broken processes."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from understudy.core.errors import TaskFailed
from understudy.core.ports import EngineOffer
from understudy.engines.previz import OFFER as PREVIZ
from understudy.executors.child import EngineCall, RenderChild, RenderLimits
from understudy.executors.local import LocalExecutor, RestartPause
from understudy.executors.wire import Stop, encode_line
from understudy.testing.executors import ENDLESS, PATIENCE_S, ExecutorConformance, Lifesign, scripted_job
from understudy.testing.scripted import OFFER

LIMITS = RenderLimits(
    warm_timeout_s=PATIENCE_S,
    silence_timeout_s=PATIENCE_S,
    render_timeout_s=PATIENCE_S,
    line_bytes_max=65536,
    progress_interval_s=0.0,
)
PAUSE = RestartPause(first_s=0.01, most_s=0.1)


def local(engine: str = OFFER.reference, **limits: float) -> LocalExecutor:
    return LocalExecutor(engine, 2, limits=replace(LIMITS, **limits), pause=PAUSE)


class TestLocalExecutor(ExecutorConformance):
    def make(self, slots: int, offer: EngineOffer = OFFER) -> LocalExecutor:
        return LocalExecutor(
            offer.reference,
            slots,
            limits=replace(LIMITS, stops_within_s=offer.stops_within_s),
            pause=PAUSE,
            arguments=offer.arguments,
            environments=offer.slots,
        )


@contextlib.asynccontextmanager
async def started(executor: LocalExecutor) -> AsyncIterator[LocalExecutor]:
    await executor.start()
    try:
        yield executor
    finally:
        await executor.close()


async def fails_and_goes_on(executor: LocalExecutor, tmp_path: Path, words: str) -> None:
    with pytest.raises(TaskFailed) as failure:
        await asyncio.wait_for(executor.run(0, scripted_job(tmp_path / "1", words), lambda *_: None), PATIENCE_S)
    assert failure.value.is_retryable
    assert failure.value.violation.code == "InternalServiceError"
    await asyncio.wait_for(executor.run(0, scripted_job(tmp_path / "2", "a fox"), lambda *_: None), PATIENCE_S)


@pytest.mark.parametrize("words", ["garbage", "long_note"])
async def test_a_process_that_talks_nonsense_is_replaced(tmp_path: Path, words: str):
    async with started(local()) as executor:
        await fails_and_goes_on(executor, tmp_path, words)


@pytest.mark.parametrize("limit", ["silence_timeout_s", "render_timeout_s"])
async def test_a_process_that_hangs_is_replaced(tmp_path: Path, limit: str):
    os.mkfifo(tmp_path / "gate")
    lifesign = Lifesign(tmp_path / "alive")
    async with started(local(**{limit: 0.5})) as executor:
        await fails_and_goes_on(executor, tmp_path, f"gate:{tmp_path / 'gate'} {lifesign.word}")
        assert await lifesign.goes_out()
    lifesign.close()


@pytest.mark.parametrize(
    ("limit", "words"),
    [("silence_timeout_s", "gate:{gate}"), ("render_timeout_s", f"{ENDLESS} on_stop:go_on")],
)
async def test_a_job_has_no_more_time_for_being_asked_to_stop(tmp_path: Path, limit: str, words: str):
    os.mkfifo(tmp_path / "gate")
    lifesign = Lifesign(tmp_path / "alive")
    job = scripted_job(tmp_path / "job", f"{words} {lifesign.word}".format(gate=tmp_path / "gate"))
    async with started(local(stops_within_s=20 * PATIENCE_S, **{limit: 0.5})) as executor:
        under_way = asyncio.Event()
        render = asyncio.create_task(executor.run(0, job, lambda *_: under_way.set()))
        await asyncio.wait_for(under_way.wait(), PATIENCE_S)
        render.cancel()
        await asyncio.wait({render}, timeout=PATIENCE_S)
        assert render.cancelled()
        assert await lifesign.goes_out()
    lifesign.close()


@contextlib.asynccontextmanager
async def warm_child() -> AsyncIterator[RenderChild]:
    child = await RenderChild.spawn(EngineCall(reference=OFFER.reference), LIMITS)
    try:
        await child.become_ready()
        yield child
    finally:
        await child.end()
        # The loop closes the pipes when it has read their end, which may be after the process is gone.
        await child._answers.read()


async def test_a_stop_that_is_read_after_its_job_leaves_the_next_one_alone(tmp_path: Path):
    async with warm_child() as child:
        await child.render(scripted_job(tmp_path / "1", "a fox"), lambda *_: None)
        child._orders.write(encode_line(Stop(1)))
        result = await child.render(scripted_job(tmp_path / "2", "frames:100"), lambda *_: None)
        assert result.num_frames == 100


async def test_an_idle_process_needs_no_asking(tmp_path: Path):
    async with warm_child() as child:
        await child.render(scripted_job(tmp_path / "job", "a fox"), lambda *_: None)
        assert await child.stop()
        await child.end()
        assert not await child.stop()


async def test_an_engine_that_does_not_take_its_arguments_fails_jobs_instead_of_holding_them(tmp_path: Path):
    executor = LocalExecutor(PREVIZ.reference, 1, limits=LIMITS, pause=PAUSE, arguments={"no_such_argument": 1})
    async with started(executor):
        with pytest.raises(TaskFailed) as failure:
            await asyncio.wait_for(executor.run(0, scripted_job(tmp_path / "1", ""), lambda *_: None), PATIENCE_S)
        assert failure.value.is_retryable


def test_environments_for_other_slots_than_there_are_is_a_mistake():
    with pytest.raises(ValueError, match="1 environments were given for 2 slots"):
        LocalExecutor(OFFER.reference, 2, limits=LIMITS, pause=PAUSE, environments=({"DEVICE": "0"},))


async def test_a_process_killed_while_idle_costs_no_attempt(tmp_path: Path):
    async with started(local()) as executor:
        result = await executor.run(0, scripted_job(tmp_path / "1", "a fox"), lambda *_: None)
        pid = int(result.notes[0].split()[-1])
        descriptor = os.pidfd_open(pid)
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        await until_readable(descriptor)
        again = await executor.run(0, scripted_job(tmp_path / "2", "a fox"), lambda *_: None)
        assert again.notes != result.notes


async def test_an_engine_that_cannot_be_loaded_fails_jobs_instead_of_holding_them(tmp_path: Path):
    async with started(local("understudy.testing.scripted:Nothing")) as executor:
        for name in ("1", "2"):
            with pytest.raises(TaskFailed) as failure:
                await asyncio.wait_for(executor.run(0, scripted_job(tmp_path / name, ""), lambda *_: None), PATIENCE_S)
            assert failure.value.is_retryable


async def test_an_engine_beyond_its_memory_fails_and_the_server_lives(tmp_path: Path):
    async with started(local(memory_bytes=300_000_000)) as executor:
        await fails_and_goes_on(executor, tmp_path, "eat:600000000")


def test_pauses_between_restarts_grow_up_to_a_most():
    pause = RestartPause(first_s=0.5, most_s=30.0)
    assert [pause.after(failures) for failures in (0, 1, 2, 3, 8, 10_000)] == [0.0, 0.5, 1.0, 2.0, 30.0, 30.0]


PARENT = """
import asyncio, pathlib, sys
sys.path[:0] = [{tests!r}]
from contract.test_executors import local
from understudy.testing.executors import scripted_job

async def main():
    executor = local()
    await executor.start()
    job = scripted_job(pathlib.Path(sys.argv[1]), sys.argv[2])
    await executor.run(0, job, lambda *_: print("under way", flush=True))

asyncio.run(main())
"""


@pytest.mark.parametrize("words", ["gate:{gate}", "gate:{gate} child", "seize:{seized} child"])
async def test_nothing_outlives_a_killed_server(tmp_path: Path, words: str):
    gate, seized = tmp_path / "gate", tmp_path / "seized"
    os.mkfifo(gate)
    os.mkfifo(seized)
    lifesign = Lifesign(tmp_path / "alive")
    script = PARENT.format(tests=str(Path(__file__).parents[1]))
    words = f"{words} {lifesign.word}".format(gate=gate, seized=seized)
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, str(tmp_path / "job"), words, stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    assert await asyncio.wait_for(parent.stdout.readline(), PATIENCE_S) == b"under way\n"
    if "seize" in words:
        await asyncio.to_thread(seized.read_bytes)
    parent.kill()
    await parent.wait()
    assert await lifesign.goes_out()
    lifesign.close()


async def until_readable(descriptor: int) -> None:
    readable = asyncio.Event()
    asyncio.get_running_loop().add_reader(descriptor, readable.set)
    await asyncio.wait_for(readable.wait(), PATIENCE_S)
    asyncio.get_running_loop().remove_reader(descriptor)
    os.close(descriptor)


async def test_an_executor_is_ready_while_it_has_a_warm_process(tmp_path: Path):
    executor = local()
    assert not executor.is_ready()
    async with started(executor):
        await asyncio.wait_for(executor.run(0, scripted_job(tmp_path / "1", "a fox"), lambda *_: None), PATIENCE_S)
        assert executor.is_ready()
    assert not executor.is_ready()


async def test_an_executor_whose_engine_cannot_be_loaded_is_not_ready(tmp_path: Path):
    async with started(local("understudy.no_such_engine:make")) as executor:
        with pytest.raises(TaskFailed):
            await asyncio.wait_for(executor.run(0, scripted_job(tmp_path / "1", "a fox"), lambda *_: None), PATIENCE_S)
        assert not executor.is_ready()
