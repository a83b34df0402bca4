"""The Ray executor keeps the promises of every executor, and those about places that are lost and found."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from contract.test_executors import LIMITS, PAUSE
from ray_cluster import RayCluster, ray_cluster
from understudy.core.ports import EngineOffer
from understudy.executors.ray_executor import Cluster, RayExecutor
from understudy.testing.executors import ExecutorConformance
from understudy.testing.scripted import OFFER

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
