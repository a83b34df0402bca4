"""The engine itself on a real GPU, from a job to a file, with tiny models."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from understudy.core.ports import Engine
from understudy.testing.engines import EngineConformance

pytestmark = pytest.mark.full

REFERENCE = "understudy.engines.diffusion.engine:DiffusionEngine"


@cache
def _folder() -> TemporaryDirectory[str]:
    # Held by the cache, and removed when the test process ends.
    return TemporaryDirectory(prefix="models-")


@cache
def _engine(family: str, model: str) -> Engine:
    from tiny_models.serving import saved_models
    from understudy.executors.render_process import load_engine

    path = Path(_folder().name) / family
    path.mkdir()
    engine = load_engine(REFERENCE, saved_models(path, [family], model))
    engine.warm()
    return engine


@pytest.mark.usefixtures("gpu")
class TestMiniMaxH3OnAGpu(EngineConformance):
    is_stoppable = True

    def make(self) -> Engine:
        return _engine("minimax_h3", "tiny-h3")


@pytest.mark.usefixtures("gpu")
class TestLtxOnAGpu(EngineConformance):
    is_stoppable = True

    def make(self) -> Engine:
        return _engine("ltx", "tiny-ltx")


def test_the_engine_computes_on_the_gpu(gpu: Any) -> None:
    from understudy.engines.diffusion.memory import device_here

    assert device_here() == "cuda"
