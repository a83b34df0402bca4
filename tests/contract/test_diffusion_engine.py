"""The diffusion engine keeps the promises of every engine, and stops when it is asked."""

import tempfile
from functools import cache
from pathlib import Path

import pytest

from tiny_models.serving import saved_models
from understudy.core.ports import Engine
from understudy.executors.render_process import load_engine
from understudy.testing.engines import EngineConformance

pytestmark = pytest.mark.full
pytest.importorskip("torch", reason="the extra diffusion is not installed")

REFERENCE = "understudy.engines.diffusion.engine:DiffusionEngine"


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    # Held by the cache, and removed when the test process ends.
    return tempfile.TemporaryDirectory(prefix="models-")


@cache
def _engine() -> Engine:
    engine = load_engine(REFERENCE, saved_models(Path(_folder().name), ["minimax_h3"], "tiny-h3"))
    engine.warm()
    return engine


class TestDiffusionEngine(EngineConformance):
    is_stoppable = True

    def make(self) -> Engine:
        # One for all: what a model costs to load is what stopping is for.
        return _engine()
