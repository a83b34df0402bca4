"""Engines keep the promises of every engine."""

from understudy.core.ports import Engine
from understudy.engines.previz import OFFER as PREVIZ
from understudy.executors.render_process import load_engine
from understudy.testing.engines import EngineConformance
from understudy.testing.scripted import OFFER as SCRIPTED


class TestScriptedEngine(EngineConformance):
    is_stoppable = True

    def make(self) -> Engine:
        return load_engine(SCRIPTED.reference)


class TestPrevizEngine(EngineConformance):
    def make(self) -> Engine:
        return load_engine(PREVIZ.reference)
