"""The conformance suite of executors: subclass `ExecutorConformance`, make an executor, and let pytest collect it.

It runs the engine of `testing.scripted`, which an executor must be able to load by its reference. POSIX only.
"""

import asyncio
import contextlib
import json
import os
import select
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from understudy.core.content import ContentItem, Modality
from understudy.core.errors import TaskFailed
from understudy.core.ports import EngineOffer, Executor
from understudy.core.render import RenderJob, RenderResult
from understudy.core.request import GenerationRequest
from understudy.testing.scripted import OFFER, STOPPABLE, UNEXPECTED_TEXT

PATIENCE_S = 30.0
"""How long the suite waits for what must happen; only a failing executor ever takes it."""

PATIENT = replace(STOPPABLE, stops_within_s=20 * PATIENCE_S)
"""Asked to stop, and waited for longer than the suite waits for anything."""

IMPATIENT = replace(STOPPABLE, stops_within_s=0.2)
"""Asked to stop, and killed soon after."""

ENDLESS = "frames:1000000000 frame_s:0.001"
"""A film that only a stop, or a signal, ends."""


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

    @property
    def is_out(self) -> bool:
        """Whether nobody holds the pipe now; once somebody did."""
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN | select.POLLHUP)
        return bool(poll.poll(0))

    def close(self) -> None:
        """Release the pipe."""
        os.close(self._descriptor)


class ExecutorConformance(ABC):
    """What every executor must do."""

    @abstractmethod
    def make(self, slots: int, offer: EngineOffer = OFFER) -> Executor:
        """Return a new executor for an engine of `testing.scripted`, not started."""

    @pytest.fixture
    async def executor(self) -> AsyncIterator[Executor]:
        """An executor with one slot: each is a process or two to start."""
        async with self._started(1) as executor:
            yield executor

    @contextlib.asynccontextmanager
    async def _started(self, slots: int, offer: EngineOffer = OFFER) -> AsyncIterator[Executor]:
        executor = self.make(slots, offer)
        await executor.start()
        try:
            yield executor
        finally:
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

    async def test_slots_render_side_by_side(self, tmp_path: Path) -> None:
        gates = [_gate(tmp_path / f"gate{slot}") for slot in (0, 1)]
        async with self._started(2) as executor:
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

    async def test_an_engine_that_does_not_stop_when_asked_is_killed_at_once(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        first = await _run(executor, scripted_job(tmp_path / "1", "a fox"))
        await _cancel(await _under_way(executor, scripted_job(tmp_path / "2", ENDLESS)))
        assert (await _run(executor, scripted_job(tmp_path / "3", "a fox"))).notes != first.notes

    async def test_a_stopped_render_is_over_when_run_returns_and_its_process_renders_the_next_job(
        self, tmp_path: Path, lifesign: Lifesign
    ) -> None:
        async with self._started(1, PATIENT) as executor:
            first = await _run(executor, scripted_job(tmp_path / "1", "a fox"))
            render = await _under_way(executor, scripted_job(tmp_path / "2", f"{ENDLESS} {lifesign.word}"))
            await _cancel(render)
            assert render.cancelled()
            assert lifesign.is_out
            assert (await _run(executor, scripted_job(tmp_path / "3", "a fox"))).notes == first.notes

    async def test_a_job_given_up_before_its_first_frame_leaves_its_process_warm(self, tmp_path: Path) -> None:
        async with self._started(1, PATIENT) as executor:
            first = await _run(executor, scripted_job(tmp_path / "1", "a fox"))
            for turns in range(1, 5):
                job = scripted_job(tmp_path / f"given up {turns}", ENDLESS)
                render = asyncio.ensure_future(executor.run(0, job, lambda _done, _total: None))
                for _ in range(turns):
                    await asyncio.sleep(0)
                await _cancel(render)
            assert (await _run(executor, scripted_job(tmp_path / "2", "a fox"))).notes == first.notes

    async def test_a_stop_that_crosses_with_the_result_never_meets_the_next_job(self, tmp_path: Path) -> None:
        async with self._started(1, PATIENT) as executor:
            first = await _run(executor, scripted_job(tmp_path / "first", "a fox"))
            for number in range(20):
                render = _cancelled_at_its_last_frame(executor, scripted_job(tmp_path / f"{number}", "a fox"))
                with pytest.raises(asyncio.CancelledError):
                    await asyncio.wait_for(render, PATIENCE_S)
                after = await _run(executor, scripted_job(tmp_path / f"{number} after", "frames:3"))
                assert (after.num_frames, after.notes) == (3, first.notes)

    @pytest.mark.parametrize(("does", "stays_warm"), [("finish", True), ("fail", True), ("raise", False)])
    async def test_any_answer_to_a_stop_is_the_end_of_the_job(
        self,
        tmp_path: Path,
        does: str,
        stays_warm: bool,  # noqa: FBT001
    ) -> None:
        async with self._started(1, PATIENT) as executor:
            first = await _run(executor, scripted_job(tmp_path / "1", "a fox"))
            render = await _under_way(executor, scripted_job(tmp_path / "2", f"{ENDLESS} on_stop:{does}"))
            await _cancel(render)
            assert render.cancelled()
            after = await _run(executor, scripted_job(tmp_path / "3", "a fox"))
            assert (after.notes == first.notes) is stays_warm

    @pytest.mark.parametrize("deaf", [f"{ENDLESS} on_stop:go_on", "gate:{gate}", "child gate:{gate}"])
    async def test_an_engine_that_ignores_the_stop_is_killed_after_the_patience(
        self, tmp_path: Path, lifesign: Lifesign, deaf: str
    ) -> None:
        words = f"{deaf} {lifesign.word}".format(gate=_gate(tmp_path / "gate"))
        async with self._started(1, IMPATIENT) as executor:
            await _cancel(await _under_way(executor, scripted_job(tmp_path / "1", words)))
            assert await lifesign.goes_out()
            assert (await _run(executor, scripted_job(tmp_path / "2", "a fox"))).video

    async def test_a_second_cancellation_kills_what_was_asked_to_stop(self, tmp_path: Path, lifesign: Lifesign) -> None:
        words = f"gate:{_gate(tmp_path / 'gate')} {lifesign.word}"
        async with self._started(1, PATIENT) as executor:
            render = await _asked_to_stop(executor, scripted_job(tmp_path / "1", words))
            await _cancel(render)
            assert render.cancelled()
            assert await lifesign.goes_out()
            assert (await _run(executor, scripted_job(tmp_path / "2", "a fox"))).video

    async def test_closing_kills_what_was_asked_to_stop(self, tmp_path: Path, lifesign: Lifesign) -> None:
        words = f"child gate:{_gate(tmp_path / 'gate')} {lifesign.word}"
        async with self._started(1, PATIENT) as executor:
            render = await _asked_to_stop(executor, scripted_job(tmp_path / "1", words))
            await asyncio.wait_for(executor.close(), PATIENCE_S)
            assert await lifesign.goes_out()
            await asyncio.wait({render}, timeout=PATIENCE_S)
            assert render.cancelled()

    async def test_a_stopped_slot_fails_and_succeeds_as_before(self, tmp_path: Path) -> None:
        async with self._started(1, PATIENT) as executor:
            await _cancel(await _under_way(executor, scripted_job(tmp_path / "1", ENDLESS)))
            with pytest.raises(TaskFailed, match="the prompt asked to fail"):
                await _run(executor, scripted_job(tmp_path / "2", "fail"))
            told: list[tuple[int, int]] = []
            await _run(executor, scripted_job(tmp_path / "3", "frames:5"), lambda *step: told.append(step))
            assert {total for _, total in told} == {5}

    @pytest.mark.parametrize("word", ["confess", "die_once:{mark} confess"])
    async def test_the_engine_is_made_with_its_arguments_whole(self, tmp_path: Path, word: str) -> None:
        # Longer than a word of a command line may be, and not to be read there.
        long = "a folder \n\N{SNOWMAN} \"'$(" * 20_000
        arguments = {"weights_dir": long, "plan": {"steps": [1, 2.5, None, True]}}
        async with self._started(1, replace(OFFER, arguments=arguments)) as executor:
            mark = tmp_path / "mark"
            if "die" in word:
                with pytest.raises(TaskFailed):
                    await _run(executor, scripted_job(tmp_path / "1", word.format(mark=mark)))
            told = await _confession(executor, tmp_path / "2", words=word.format(mark=mark))
        assert told["arguments"] == arguments
        assert not any("a folder" in part for part in told["command"])

    async def test_each_slot_has_its_own_environment_beside_the_inherited_one(self, tmp_path: Path) -> None:
        slots = ({"SCRIPTED_DEVICE": "0"}, {"SCRIPTED_DEVICE": "1", "SCRIPTED_EXTRA": "yes"})
        async with self._started(2, replace(OFFER, slots=slots)) as executor:
            told = [await _confession(executor, tmp_path / str(slot), slot=slot) for slot in (0, 1)]
            with pytest.raises(TaskFailed):
                await _run(executor, scripted_job(tmp_path / "lost", "die"))
            told.append(await _confession(executor, tmp_path / "replaced"))
        ours = [
            {name: value for name, value in each["environment"].items() if name.startswith("SCRIPTED_")}
            for each in told
        ]
        assert ours == [*slots, slots[0]]
        assert all(each["environment"].get("PATH") == os.environ.get("PATH") for each in told)


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


async def _asked_to_stop(executor: Executor, job: RenderJob) -> "asyncio.Task[RenderResult]":
    """Return a render that was cancelled and has not ended yet."""
    render = await _under_way(executor, job)
    render.cancel()
    # Each turn of the loop takes the cancellation one step further; it is on its way after a few.
    for _ in range(10):
        await asyncio.sleep(0)
    assert not render.done()
    return render


def _cancelled_at_its_last_frame(executor: Executor, job: RenderJob) -> "asyncio.Task[RenderResult]":
    """Start a job that is given up when it says that all frames are done, while its result is on its way."""

    def hear(done: int, total: int) -> None:
        if done == total:
            render.cancel()

    render = asyncio.ensure_future(executor.run(0, job, hear))
    return render


async def _confession(executor: Executor, folder: Path, *, slot: int = 0, words: str = "confess") -> Any:
    """Return what the process of the slot says that it was given; see `scripted.confession`."""
    job = scripted_job(folder, words)
    result = await asyncio.wait_for(executor.run(slot, job, lambda _done, _total: None), PATIENCE_S)
    return json.loads((folder / result.video).read_bytes())
