"""A Ray cluster on this machine: a head without room for renders, and nodes that come and are killed."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# Told to nobody, and read when Ray is imported.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

OBJECT_STORE_BYTES = 80 * 1024 * 1024


class RayCluster:
    """Where the cluster is, and its nodes."""

    def __init__(self, cluster: Any) -> None:
        self._cluster = cluster
        self.nodes: list[Any] = []

    @property
    def address(self) -> str:
        return str(self._cluster.address)

    def add(self, **resources: float) -> Any:
        """Let a node join, with room for one render and resources of its own. From the main thread only."""
        node = self._cluster.add_node(
            num_cpus=1,
            object_store_memory=OBJECT_STORE_BYTES,
            resources=resources,
            include_dashboard=False,
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
