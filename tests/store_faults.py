"""What shows that the suite of stores finds a planted bug."""

import inspect

import pytest

from understudy.core.task import Status
from understudy.testing.stores import StoreConformance


class _Suite(StoreConformance):
    async def make(self, folder):
        raise NotImplementedError


async def finds_fault(test, store):
    """Run one test of the suite against a store, with the parameter in brackets."""
    name, _, parameter = test.rstrip("]").partition("[")
    step = getattr(_Suite(), f"test_{name}")
    extra = [Status(parameter) if parameter in set(Status) else parameter] if parameter else []
    assert len(inspect.signature(step).parameters) == 1 + len(extra)
    with pytest.raises((AssertionError, TimeoutError, pytest.fail.Exception)):
        await step(store, *extra)
