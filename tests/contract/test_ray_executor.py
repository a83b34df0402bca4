"""The Ray executor keeps the promises of every executor, and those about places that are lost and found."""

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contract.test_executors import LIMITS, PAUSE
from ray_cluster import RayCluster, ray_cluster, ray_head
from understudy.core.errors import TaskFailed
from understudy.core.ports import EngineOffer
from understudy.core.render import RenderJob, RenderResult
from understudy.executors.ray_executor import Cluster, RayExecutor
from understudy.storage.cannot_open import CannotOpen
from understudy.testing.executors import ENDLESS, PATIENCE_S, ExecutorConformance, Lifesign, scripted_job
from understudy.testing.scripted import OFFER

ray_place = pytest.importorskip("understudy.executors.ray_place", reason="the extra ray is not installed")

LOOK_S = 0.05
PIECE_BYTES = 4 << 20
pytestmark = [pytest.mark.full, pytest.mark.xdist_group("ray")]


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayCluster]:
    with ray_cluster(3) as cluster:
        yield cluster


class TestRayExecutor(ExecutorConformance):
    @pytest.fixture(autouse=True)
    def _joins(self, cluster: RayCluster) -> None:
        self.address = cluster.address

    def make(self, slots: int, offer: EngineOffer = OFFER) -> RayExecutor:
        return RayExecutor(
            offer.reference,
            slots,
            cluster=Cluster(address=self.address),
            limits=replace(LIMITS, stops_within_s=offer.stops_within_s),
            pause=PAUSE,
            arguments=offer.arguments,
            environments=offer.slots,
        )


@contextlib.asynccontextmanager
async def started(cluster: RayCluster, slots: int = 1, **needs: Any) -> AsyncIterator[RayExecutor]:
    executor = RayExecutor(
        OFFER.reference, slots, cluster=Cluster(address=cluster.address, **needs), limits=LIMITS, pause=PAUSE
    )
    await executor.start()
    try:
        yield executor
    finally:
        await executor.close()


async def under_way(executor: RayExecutor, job: RenderJob) -> "asyncio.Task[RenderResult]":
    first = asyncio.Event()
    render = asyncio.ensure_future(executor.run(0, job, lambda *_: first.set()))
    await asyncio.wait_for(first.wait(), PATIENCE_S)
    return render


async def fails_retryably(render: "asyncio.Task[RenderResult]") -> None:
    with pytest.raises(TaskFailed) as failure:
        await asyncio.wait_for(render, PATIENCE_S)
    assert failure.value.is_retryable
    assert failure.value.violation.code == "InternalServiceError"


async def confession(executor: RayExecutor, folder: Path) -> Any:
    job = scripted_job(folder, "confess")
    result = await asyncio.wait_for(executor.run(0, job, lambda *_: None), PATIENCE_S)
    return json.loads((folder / result.video).read_bytes())


def actor_of(executor_pid: int) -> int:
    """Return the process that started a render process: the actor's."""
    return int(Path(f"/proc/{executor_pid}/stat").read_text().rsplit(")", 1)[1].split()[1])


def place_folders() -> set[Path]:
    return set(Path(tempfile.gettempdir()).glob(f"{ray_place.FOLDER_PREFIX}*"))


async def until(is_so: Callable[[], bool]) -> bool:
    """Look again and again; False when it is not so after `PATIENCE_S`."""
    for _ in range(int(PATIENCE_S / LOOK_S)):
        if await asyncio.to_thread(is_so):
            return True
        await asyncio.sleep(LOOK_S)
    return False


async def test_media_of_many_pieces_go_there_once_and_a_large_film_comes_back(cluster: RayCluster, tmp_path: Path):
    medium = tmp_path / "medium.mp4"
    medium.write_bytes(os.urandom(2 * PIECE_BYTES + 12345))
    empty = tmp_path / "empty.png"
    empty.touch()
    job = replace(scripted_job(tmp_path / "job", "a fox"), media={1: str(medium), 2: str(medium), 3: str(empty)})
    executor = RayExecutor(
        "ray_engines:Copier",
        1,
        cluster=Cluster(address=cluster.address),
        limits=LIMITS,
        pause=PAUSE,
        environments=({"PYTHONPATH": str(Path(__file__).parents[1])},),
    )
    await executor.start()
    result = await asyncio.wait_for(executor.run(0, job, lambda *_: None), PATIENCE_S)
    await executor.close()
    film = await asyncio.to_thread((tmp_path / "job" / result.video).read_bytes)
    assert film == await asyncio.to_thread(medium.read_bytes)
    # Twice in the job, one file on the node; nothing of the job's was anywhere else.
    assert result.notes == ("1.mp4 1.mp4 3.png",)


async def test_a_killed_actor_takes_its_render_and_its_files_along_and_is_replaced(cluster: RayCluster, tmp_path: Path):
    before = place_folders()
    lifesign = Lifesign(tmp_path / "alive")
    async with started(cluster) as executor:
        first = await asyncio.wait_for(
            executor.run(0, scripted_job(tmp_path / "1", "a fox"), lambda *_: None), PATIENCE_S
        )
        (folder,) = place_folders() - before
        actor = actor_of(int(first.notes[0].split()[-1]))
        render = await under_way(executor, scripted_job(tmp_path / "2", f"{ENDLESS} {lifesign.word}"))
        os.kill(actor, signal.SIGKILL)
        await fails_retryably(render)
        assert await lifesign.goes_out()
        again = await asyncio.wait_for(
            executor.run(0, scripted_job(tmp_path / "3", "a fox"), lambda *_: None), PATIENCE_S
        )
        assert again.notes != first.notes
        assert await until(lambda: not folder.exists())
    lifesign.close()
    assert await until(lambda: place_folders() <= before)


async def test_a_frozen_actor_is_given_up_and_the_next_job_runs_elsewhere(cluster: RayCluster, tmp_path: Path):
    async with started(cluster) as executor:
        first = await asyncio.wait_for(
            executor.run(0, scripted_job(tmp_path / "1", "a fox"), lambda *_: None), PATIENCE_S
        )
        actor = actor_of(int(first.notes[0].split()[-1]))
        render = await under_way(executor, scripted_job(tmp_path / "2", ENDLESS))
        os.kill(actor, signal.SIGSTOP)
        try:
            await fails_retryably(render)
            again = await asyncio.wait_for(
                executor.run(0, scripted_job(tmp_path / "3", "a fox"), lambda *_: None), PATIENCE_S
            )
            assert again.video
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(actor, signal.SIGCONT)


async def test_a_killed_driver_process_costs_one_attempt_and_no_more(cluster: RayCluster, tmp_path: Path):
    lifesign = Lifesign(tmp_path / "alive")
    async with started(cluster) as executor:
        render = await under_way(executor, scripted_job(tmp_path / "1", f"{ENDLESS} {lifesign.word}"))
        assert executor._driver is not None
        executor._driver.kill()
        await fails_retryably(render)
        assert await lifesign.goes_out()
        await asyncio.wait_for(executor.available(0), PATIENCE_S)
        assert (
            await asyncio.wait_for(executor.run(0, scripted_job(tmp_path / "2", "a fox"), lambda *_: None), PATIENCE_S)
        ).video
    lifesign.close()


PARENT = """
import asyncio, pathlib, sys
from understudy.executors.child import RenderLimits
from understudy.executors.local import RestartPause
from understudy.executors.ray_executor import Cluster, RayExecutor
from understudy.storage.cannot_open import CannotOpen
from understudy.testing.executors import scripted_job
from understudy.testing.scripted import OFFER

async def main():
    limits = RenderLimits(
        warm_timeout_s=60, silence_timeout_s=60, render_timeout_s=60, line_bytes_max=65536, progress_interval_s=0.0
    )
    pause = RestartPause(first_s=0.01, most_s=0.1)
    executor = RayExecutor(OFFER.reference, 1, cluster=Cluster(address=sys.argv[3]), limits=limits, pause=pause)
    await executor.start()
    job = scripted_job(pathlib.Path(sys.argv[1]), sys.argv[2])
    await executor.run(0, job, lambda *_: print("under way", flush=True))

asyncio.run(main())
"""


async def test_a_killed_server_takes_its_renders_on_other_nodes_along(cluster: RayCluster, tmp_path: Path):
    before = place_folders()
    lifesign = Lifesign(tmp_path / "alive")
    words = f"child {ENDLESS} {lifesign.word}"
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, str(tmp_path / "job"), words, cluster.address, stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    assert await asyncio.wait_for(parent.stdout.readline(), PATIENCE_S) == b"under way\n"
    parent.kill()
    await parent.wait()
    assert await lifesign.goes_out()
    assert await until(lambda: place_folders() <= before)
    lifesign.close()


async def test_a_cluster_that_is_not_there_fails_jobs_instead_of_holding_them_and_is_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    executor = RayExecutor(OFFER.reference, 1, cluster=Cluster(address="127.0.0.1:9"), limits=LIMITS, pause=PAUSE)
    await executor.start()
    with pytest.raises(TaskFailed) as failure:
        await asyncio.wait_for(executor.run(0, scripted_job(tmp_path / "1", "a fox"), lambda *_: None), PATIENCE_S)
    assert failure.value.is_retryable
    assert not executor.is_ready()
    assert "the Ray cluster is lost, or cannot be joined" in caplog.text
    await executor.close()


async def test_a_bug_in_what_hears_the_progress_ends_the_render(cluster: RayCluster, tmp_path: Path):
    def hear(_done: int, _total: int) -> None:
        raise LookupError("nobody listens")

    lifesign = Lifesign(tmp_path / "alive")
    async with started(cluster) as executor:
        job = scripted_job(tmp_path / "1", f"{ENDLESS} {lifesign.word}")
        with pytest.raises(LookupError):
            await asyncio.wait_for(executor.run(0, job, hear), PATIENCE_S)
        assert await lifesign.goes_out()
    lifesign.close()


async def test_a_node_that_joins_later_is_used_and_its_gpu_is_seen_by_the_render_process(
    cluster: RayCluster, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    async with started(cluster, num_gpus=1) as executor:
        assert await until(lambda: "waits for a node with room for 1 CPUs, 1 GPUs" in caplog.text)
        waiting = asyncio.ensure_future(executor.available(0))
        node = cluster.add(num_gpus=1)
        await asyncio.wait_for(waiting, PATIENCE_S)
        told = await confession(executor, tmp_path / "1")
    assert told["environment"]["CUDA_VISIBLE_DEVICES"] == "0"
    await asyncio.to_thread(cluster.kill, node)


async def test_a_node_with_another_version_is_named_and_not_used(
    cluster: RayCluster, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    known = tmp_path / "understudy-9.9.dist-info" / "METADATA"
    known.parent.mkdir()
    known.write_text("Metadata-Version: 2.1\nName: understudy\nVersion: 9.9\n")
    other = cluster.add({"PYTHONPATH": str(tmp_path)}, other=1)
    async with started(cluster, resources={"other": 1}) as executor:
        assert await until(lambda: "and Understudy 9.9, but this server has Python 3." in caplog.text)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(executor.available(0), LOOK_S)
    await asyncio.to_thread(cluster.kill, other)


def test_what_a_power_cut_left_behind_is_removed_and_what_is_in_use_is_not(tmp_path: Path):
    left, used = tmp_path / f"{ray_place.FOLDER_PREFIX}left", tmp_path / f"{ray_place.FOLDER_PREFIX}used"
    for folder in (left, used):
        (folder / "1" / "media").mkdir(parents=True)
        (folder / ray_place.HELD).touch()
    with (used / ray_place.HELD).open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        ray_place.sweep_leftovers(tmp_path)
        assert set(tmp_path.iterdir()) == {used}


def test_the_address_of_a_ray_client_is_refused_in_words():
    with pytest.raises(CannotOpen, match="ray start --address=host:6379"):
        RayExecutor(OFFER.reference, 1, cluster=Cluster(address="ray://head:10001"), limits=LIMITS, pause=PAUSE)


async def test_an_executor_without_slots_needs_no_cluster(caplog: pytest.LogCaptureFixture):
    executor = RayExecutor(OFFER.reference, 0, cluster=Cluster(address="nowhere:1"), limits=LIMITS, pause=PAUSE)
    await executor.start()
    assert not executor.is_ready()
    await executor.close()
    assert not caplog.text


async def test_a_head_that_was_lost_is_joined_again_when_it_is_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with ray_head() as head:
        # Ray looks there for what it knows of this machine.
        monkeypatch.setenv("RAY_TMPDIR", head.environ["RAY_TMPDIR"])
        executor = RayExecutor(OFFER.reference, 1, cluster=Cluster(address=head.address), limits=LIMITS, pause=PAUSE)
        await executor.start()
        render = await under_way(executor, scripted_job(tmp_path / "1", ENDLESS))
        await asyncio.to_thread(head.kill)
        await fails_retryably(render)
        assert not executor.is_ready()
        await asyncio.to_thread(head.start)
        await asyncio.wait_for(executor.available(0), 2 * PATIENCE_S)
        job = scripted_job(tmp_path / "2", "a fox")
        assert (await asyncio.wait_for(executor.run(0, job, lambda *_: None), PATIENCE_S)).video
        await executor.close()


# The last one, because Ray goes on sending to a dead node for a while.
async def test_a_node_killed_in_mid_render_fails_the_job_and_the_next_runs_elsewhere(
    cluster: RayCluster, tmp_path: Path
):
    doomed = cluster.add(doomed=1)
    async with started(cluster, resources={"doomed": 1}) as executor:
        render = await under_way(executor, scripted_job(tmp_path / "1", ENDLESS))
        await asyncio.to_thread(cluster.kill, doomed)
        await fails_retryably(render)
        assert not executor.is_ready()
        waiting = asyncio.ensure_future(executor.available(0))
        assert not waiting.done()
        # Nobody has the resource now: the place waits for a node that has, as for one that an autoscaler buys.
        cluster.add(doomed=1)
        await asyncio.wait_for(waiting, PATIENCE_S)
        result = await asyncio.wait_for(
            executor.run(0, scripted_job(tmp_path / "2", "a fox"), lambda *_: None), PATIENCE_S
        )
        assert result.video
