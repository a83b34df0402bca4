"""A server whose films are rendered on the nodes of a Ray cluster: one is lost in mid-render, the film is delivered."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ray_cluster import RayCluster, ray_cluster
from understudy import Client
from understudy.core.task import Status
from understudy.media.probe import probe_film

pytestmark = [pytest.mark.full, pytest.mark.xdist_group("ray")]

PATIENCE_S = 120.0
LOOK_S = 0.05
MODEL = "doubao-seedance-2-0-fast-260128"


@contextmanager
def server_on(cluster: RayCluster, data_dir: Path) -> Iterator[Client]:
    settings = {"UNDERSTUDY_EXECUTOR": "ray", "UNDERSTUDY_RAY_ADDRESS": cluster.address}
    flags = ("--json", "--port", "0", "--data-dir", str(data_dir))
    process = subprocess.Popen(
        (sys.executable, "-m", "understudy", "serve", *flags), stdout=subprocess.PIPE, env=os.environ | settings
    )
    try:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        yield Client(told["url"], told["api_key"])
    finally:
        process.terminate()
        process.communicate()


def until_rendering(client: Client, task_id: str) -> None:
    give_up_at_s = time.monotonic() + PATIENCE_S
    while not client.get(task_id).progress:
        assert time.monotonic() < give_up_at_s, "the render does not advance"
        time.sleep(LOOK_S)


def test_a_film_is_delivered_though_the_node_that_rendered_it_was_lost(tmp_path: Path):
    with ray_cluster(1) as cluster, server_on(cluster, tmp_path / "data") as client:
        task = client.create("a red fox runs over a meadow at dusk", model=MODEL, resolution="480p", duration_s=4)
        until_rendering(client, task.id)
        cluster.kill(cluster.nodes[0])
        cluster.add()
        assert client.wait(task.id, timeout_s=PATIENCE_S).status is Status.SUCCEEDED
        film = probe_film(client.download(task.id, tmp_path / "film.mp4"))
        assert (film.num_frames, film.has_sound) == (96, True)
