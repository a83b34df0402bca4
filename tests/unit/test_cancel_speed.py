"""A render of previz that is cancelled is over at once: it told its frames one by one, and draws none after that.

How many milliseconds it takes is `benchmarks/cancel.py`'s to print; here nothing is timed.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from understudy.catalog.load import load_catalogue
from understudy.core.content import ContentItem, Modality
from understudy.core.render import RenderJob
from understudy.core.request import GenerationRequest
from understudy.engines.previz import OFFER
from understudy.executors.child import RenderLimits
from understudy.executors.local import LocalExecutor, RestartPause

PATIENCE_S = 60.0
LIMITS = RenderLimits(
    warm_timeout_s=PATIENCE_S,
    silence_timeout_s=PATIENCE_S,
    render_timeout_s=PATIENCE_S,
    line_bytes_max=1 << 20,
    progress_interval_s=0.0,
    memory_bytes=OFFER.memory_bytes,
)


def job_of(folder: Path, resolution: str) -> RenderJob:
    """Return a job of a spoken film of four seconds; makes the directory."""
    folder.mkdir()
    model = load_catalogue().models["doubao-seedance-2.0"]
    words = ContentItem(modality=Modality.TEXT, value='A cat yawns on a sofa. The cat says: "Good morning."')
    request = GenerationRequest(
        model=model.id,
        content=(words,),
        ratio="16:9",
        resolution=resolution,
        duration_s=4,
        generate_audio=True,
    )
    return RenderJob(
        request=request,
        seed=1,
        sizes=model.sizes[resolution],
        duration_range_s=(4, 15),
        fps=model.fps,
        audio_channels=2,
        output_dir=str(folder),
    )


class Watched:
    """One render under way. pid: of the process that makes it."""

    def __init__(self, executor: LocalExecutor, pid: int, job: RenderJob) -> None:
        self.told: list[tuple[int, int]] = []
        self.news = asyncio.Event()
        self.pid = pid
        self.render = asyncio.create_task(executor.run(0, job, self._hear))

    def _hear(self, done: int, total: int) -> None:
        self.told.append((done, total))
        self.news.set()

    async def until(self, num_frames: int) -> None:
        while len(self.told) < num_frames:
            self.news.clear()
            await asyncio.wait_for(self.news.wait(), PATIENCE_S)

    async def cancel(self) -> None:
        self.render.cancel()
        await asyncio.wait({self.render}, timeout=PATIENCE_S)

    @property
    def is_gone(self) -> bool:
        """Whether the process has ended, and its parent knows."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        return False


Begin = Callable[[RenderJob], Watched]


@pytest.fixture
async def begin() -> AsyncIterator[Begin]:
    """Begin a render in a warm process."""
    made = LocalExecutor(OFFER.reference, 1, limits=LIMITS, pause=RestartPause(first_s=0.1, most_s=1.0))
    await made.start()
    slot = made._slots[0]
    child = await asyncio.wait_for(slot.take(), PATIENCE_S)
    slot.give_back(child)
    yield lambda job: Watched(made, child.pid, job)
    await made.close()


async def test_when_the_cancelling_is_over_so_is_the_drawing(begin: Begin, tmp_path: Path) -> None:
    watched = begin(job_of(tmp_path / "film", "1080p"))
    await watched.until(2)
    await watched.cancel()
    assert watched.render.cancelled()
    assert watched.is_gone
    assert len(watched.told) < watched.told[0][1], "it was under way"
    assert watched.told == [(number + 1, watched.told[0][1]) for number in range(len(watched.told))], "frame by frame"
    assert not (tmp_path / "film" / "film.mp4").exists(), "no half film has a film's name"


async def test_before_its_first_frame_a_render_is_over_as_soon(begin: Begin, tmp_path: Path) -> None:
    watched = begin(job_of(tmp_path / "film", "1080p"))
    # Long enough for the job to be sent; its planning and its voice take many times that.
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await watched.cancel()
    assert (watched.told, watched.is_gone) == ([], True)


async def test_a_stuck_render_is_over_as_soon(begin: Begin, tmp_path: Path) -> None:
    job = job_of(tmp_path / "film", "480p")
    words = ContentItem(modality=Modality.TEXT, value="A cat [rehearse: stuck 1%]")
    stuck = replace(job, request=replace(job.request, content=(words,), generate_audio=False), rehearses=True)
    watched = begin(stuck)
    await watched.until(1)
    await watched.cancel()
    assert watched.is_gone
    assert len(watched.told) == 1
