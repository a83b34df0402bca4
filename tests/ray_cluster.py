"""A Ray cluster on this machine: a head without room for renders, and nodes that come and are killed."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# Told to nobody, and read when Ray is imported.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

MARK = "UNDERSTUDY_TEST_RAY"
OBJECT_STORE_BYTES = 80 * 1024 * 1024


class RayCluster:
    """Where the cluster is, and its nodes."""

    def __init__(self, cluster: Any) -> None:
        self._cluster = cluster
        self.nodes: list[Any] = []

    @property
    def address(self) -> str:
        return str(self._cluster.address)

    def add(self, environ: Mapping[str, str] | None = None, *, num_gpus: int = 0, **resources: float) -> Any:
        """Let a node join, with room for one render and resources of its own. From the main thread only.

        num_gpus: so many it says it has; Ray believes it.
        """
        node = self._cluster.add_node(
            num_cpus=1,
            num_gpus=num_gpus,
            object_store_memory=OBJECT_STORE_BYTES,
            resources=resources,
            include_dashboard=False,
            env_vars=dict(environ or {}),
        )
        self.nodes.append(node)
        return node

    def kill(self, node: Any) -> None:
        """Kill a node as a power cut would: all its processes, none of which can say goodbye."""
        self.nodes.remove(node)
        self._cluster.remove_node(node, allow_graceful=False)


@contextmanager
def ray_cluster(nodes: int) -> Iterator[RayCluster]:
    from ray.cluster_utils import Cluster

    # A short path: the sockets below it have names of at most 107 bytes.
    folder = os.environ["RAY_TMPDIR"] = tempfile.mkdtemp(prefix="r", dir="/tmp")
    cluster = Cluster(
        initialize_head=True,
        head_node_args={
            "num_cpus": 0,
            "object_store_memory": OBJECT_STORE_BYTES,
            "include_dashboard": False,
            "_system_config": {"enable_worker_prestart": False, "prestart_worker_first_driver": False},
        },
    )
    try:
        given = RayCluster(cluster)
        for _ in range(nodes):
            given.add()
        yield given
    finally:
        cluster.shutdown()
        del os.environ["RAY_TMPDIR"]
        shutil.rmtree(folder, ignore_errors=True)


class RayHead:
    """A cluster of one machine, made by `ray start`: its head can be killed and started anew at the same address."""

    def __init__(self, folder: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self.environ = os.environ | {"RAY_TMPDIR": folder, MARK: uuid.uuid4().hex}
        self.address = f"127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start the head; it is there when this returns."""
        flags = ("--head", f"--port={self._port}", "--num-cpus=1", f"--object-store-memory={OBJECT_STORE_BYTES}")
        command = (sys.executable, "-m", "ray.scripts.scripts", "start", *flags, "--include-dashboard=false")
        subprocess.run(command, env=self.environ, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def kill(self) -> None:
        """Kill everything that Ray has started, and what that has started."""
        mark = f"{MARK}={self.environ[MARK]}".encode()
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and mark in (entry / "environ").read_bytes().split(b"\0"):
                    os.kill(int(entry.name), signal.SIGKILL)


@contextmanager
def ray_head() -> Iterator[RayHead]:
    folder = tempfile.mkdtemp(prefix="r", dir="/tmp")
    head = RayHead(folder)
    try:
        head.start()
        yield head
    finally:
        head.kill()
        shutil.rmtree(folder, ignore_errors=True)
