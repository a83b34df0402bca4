"""The conformance suite of executors: subclass `ExecutorConformance`, make an executor, and let pytest collect it.

It runs the engine of `testing.scripted`, which an executor must be able to load by its reference. POSIX only.
"""

import asyncio
import contextlib
import os
import select
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from understudy.core.content import ContentItem, Modality
from understudy.core.errors import TaskFailed
from understudy.core.ports import Executor
from understudy.core.render import RenderJob, RenderResult
from understudy.core.request import GenerationRequest
from understudy.testing.scripted import UNEXPECTED_TEXT

PATIENCE_S = 30.0
"""How long the suite waits for what must happen; only a failing executor ever takes it."""


def scripted_job(output_dir: Path, words: str) -> RenderJob:
    """Return a job whose prompt is the words; makes the directory."""
    output_dir.mkdir(parents=True)
    text = ContentItem(modality=Modality.TEXT, value=words)
    request = GenerationRequest(
        model="scripted", content=(text,), ratio="16:9", resolution="480p", duration_s=4, return_last_frame=True
    )
    return RenderJob(
        request=request,
        seed=1,
        sizes={"16:9": (64, 36)},
        duration_range_s=(4, 8),
        fps=24,
        audio_channels=2,
        output_dir=str(output_dir),
    )


class Lifesign:
    """A named pipe that the engine and its subprocesses hold open: its end of file means that all of them are dead."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.word = f"alive:{path}"
        self._descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    async def goes_out(self) -> bool:
        """Wait for the end of file; False when somebody still lives after `PATIENCE_S`."""
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN | select.POLLHUP)
        return bool(await asyncio.to_thread(poll.poll, PATIENCE_S * 1000)) and os.read(self._descriptor, 1) == b""

    def close(self) -> None:
        """Release the pipe."""
        os.close(self._descriptor)


class ExecutorConformance(ABC):
    """What every executor must do."""

    @abstractmethod
    def make(self, slots: int) -> Executor:
        """Return a new executor for the engine `scripted.OFFER.reference`, not started."""

    @pytest.fixture
    async def executor(self) -> AsyncIterator[Executor]:
        """An executor with two slots."""
        executor = self.make(2)
        await executor.start()
        yield executor
        await executor.close()

    @pytest.fixture
    async def lifesign(self, tmp_path: Path) -> AsyncIterator[Lifesign]:
        """A fresh sign of life."""
        lifesign = Lifesign(tmp_path / "alive")
        yield lifesign
        lifesign.close()

    async def test_a_job_gives_its_result_and_its_files(self, executor: Executor, tmp_path: Path) -> None:
        result = await _run(executor, scripted_job(tmp_path / "job", "a fox searched:2"))
        assert (tmp_path / "job" / result.video).read_bytes() == b"1 16:9 4 a fox searched:2"
        assert result.last_frame is not None
        assert (tmp_path / "job" / result.last_frame).is_file()
        assert (result.ratio, result.width_px, result.height_px, result.duration_s) == ("16:9", 64, 36, 4)
        assert (result.num_frames, result.tool_usage) == (8, {"web_search": 2})

    async def test_a_job_by_the_frame_crosses_over_whole(self, executor: Executor, tmp_path: Path) -> None:
        job = replace(scripted_job(tmp_path / "job", "a fox"), num_frames=29)
        result = await _run(executor, job)
        assert (result.num_frames, result.duration_s) == (29, 1)

    async def test_progress_never_falls_and_reaches_the_end(self, executor: Executor, tmp_path: Path) -> None:
        told: list[tuple[int, int]] = []
        await _run(executor, scripted_job(tmp_path / "job", "frames:500"), lambda *step: told.append(step))
        assert told[0] == (1, 500)
        assert told[-1] == (500, 500)
        assert told == sorted(told)

    async def test_the_engine_stays_warm_from_job_to_job(self, executor: Executor, tmp_path: Path) -> None:
        first = await _run(executor, scripted_job(tmp_path / "1", "a fox"))
        second = await _run(executor, scripted_job(tmp_path / "2", "a fox"))
        assert first.notes == second.notes

    async def test_slots_render_side_by_side(self, executor: Executor, tmp_path: Path) -> None:
        gates = [_gate(tmp_path / f"gate{slot}") for slot in (0, 1)]
        renders = [
            await _under_way(executor, scripted_job(tmp_path / f"job{slot}", f"gate:{gates[slot]}"), slot=slot)
            for slot in (0, 1)
        ]
        for gate in gates:
            await asyncio.to_thread(gate.write_bytes, b"")
        results = await asyncio.wait_for(asyncio.gather(*renders), PATIENCE_S)
        assert results[0].notes != results[1].notes

    async def test_a_cancelled_render_is_dead_when_run_returns_and_its_slot_goes_on(
        self, executor: Executor, tmp_path: Path, lifesign: Lifesign
    ) -> None:
        words = f"gate:{_gate(tmp_path / 'gate')} {lifesign.word}"
        await _cancel(await _under_way(executor, scripted_job(tmp_path / "1", words)))
        assert await lifesign.goes_out()
        assert (await _run(executor, scripted_job(tmp_path / "2", "a fox"))).video

    async def test_what_the_engine_started_dies_with_the_render(
        self, executor: Executor, tmp_path: Path, lifesign: Lifesign
    ) -> None:
        words = f"child gate:{_gate(tmp_path / 'gate')} {lifesign.word}"
        await _cancel(await _under_way(executor, scripted_job(tmp_path / "1", words)))
        assert await lifesign.goes_out()

    async def test_a_job_cancelled_before_its_process_is_warm_leaves_the_slot_in_order(self, tmp_path: Path) -> None:
        executor = self.make(1)
        await executor.start()
        waiting = asyncio.ensure_future(_run(executor, scripted_job(tmp_path / "1", "a fox")))
        await asyncio.sleep(0)
        await _cancel(waiting)
        assert (await _run(executor, scripted_job(tmp_path / "2", "a fox"))).video
        await executor.close()

    @pytest.mark.parametrize("words", ["die", "die child"])
    async def test_a_killed_render_process_is_a_retryable_failure_and_its_slot_goes_on(
        self, executor: Executor, tmp_path: Path, lifesign: Lifesign, words: str
    ) -> None:
        with pytest.raises(TaskFailed) as failure:
            await _run(executor, scripted_job(tmp_path / "1", f"{words} {lifesign.word}"))
        assert failure.value.is_retryable
        assert failure.value.violation.code == "InternalServiceError"
        assert await lifesign.goes_out()
        assert (await _run(executor, scripted_job(tmp_path / "2", "a fox"))).video

    @pytest.mark.parametrize(("word", "is_retryable"), [("fail", False), ("fail_retryable", True)])
    async def test_the_engines_own_failure_comes_back_as_it_was_raised(
        self,
        executor: Executor,
        tmp_path: Path,
        word: str,
        is_retryable: bool,  # noqa: FBT001
    ) -> None:
        with pytest.raises(TaskFailed, match="the prompt asked to fail") as failure:
            await _run(executor, scripted_job(tmp_path / "1", word))
        assert failure.value.violation.code == "ServiceUnavailable"
        assert failure.value.violation.param == "prompt"
        assert failure.value.is_retryable is is_retryable
        assert (await _run(executor, scripted_job(tmp_path / "2", "a fox"))).video

    async def test_a_request_the_engine_rejects_fails_for_good(self, executor: Executor, tmp_path: Path) -> None:
        with pytest.raises(TaskFailed, match="the prompt asked to be rejected") as failure:
            await _run(executor, scripted_job(tmp_path / "job", "reject"))
        assert failure.value.violation.code == "InvalidParameter"
        assert not failure.value.is_retryable

    async def test_an_unexpected_exception_keeps_its_text_to_itself(self, executor: Executor, tmp_path: Path) -> None:
        with pytest.raises(TaskFailed) as failure:
            await _run(executor, scripted_job(tmp_path / "1", "raise"))
        assert failure.value.violation.code == "InternalServiceError"
        assert UNEXPECTED_TEXT not in str(failure.value)
        assert "Traceback" not in str(failure.value)
        assert (await _run(executor, scripted_job(tmp_path / "2", "a fox"))).video

    async def test_an_engine_may_print(self, executor: Executor, tmp_path: Path) -> None:
        assert (await _run(executor, scripted_job(tmp_path / "job", "print"))).num_frames == 8

    async def test_closing_kills_what_runs(self, tmp_path: Path, lifesign: Lifesign) -> None:
        executor = self.make(1)
        await executor.start()
        words = f"child gate:{_gate(tmp_path / 'gate')} {lifesign.word}"
        render = await _under_way(executor, scripted_job(tmp_path / "job", words))
        await executor.close()
        assert await lifesign.goes_out()
        with pytest.raises(TaskFailed):
            await asyncio.wait_for(render, PATIENCE_S)


def _gate(path: Path) -> Path:
    os.mkfifo(path)
    return path


async def _run(
    executor: Executor, job: RenderJob, on_progress: Callable[[int, int], None] = lambda _done, _total: None
) -> RenderResult:
    return await asyncio.wait_for(executor.run(0, job, on_progress), PATIENCE_S)


async def _under_way(executor: Executor, job: RenderJob, *, slot: int = 0) -> "asyncio.Task[RenderResult]":
    """Start a job and wait for its first frame."""
    first = asyncio.Event()
    render = asyncio.ensure_future(executor.run(slot, job, lambda _done, _total: first.set()))
    await asyncio.wait_for(first.wait(), PATIENCE_S)
    return render


async def _cancel(render: "asyncio.Future[RenderResult]") -> None:
    render.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.wait_for(render, PATIENCE_S)
