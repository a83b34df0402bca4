"""Warnings on the wire: the same both ways, and whatever other servers put in their place."""

import pytest

from understudy.core.task import Warned
from understudy.dialects.advice import advice_of, warned_of
from understudy.dialects.ark import ARK

TOLD = (Warned(param="seed", message="It was ignored."), Warned(param="", message="One more."))


def test_warnings_come_back_as_they_were_written():
    written = [{"param": each.param, "message": each.message} for each in advice_of(TOLD)]
    assert warned_of(written) == TOLD


@pytest.mark.parametrize("told", [None, "slow", 7, {"param": "a"}, ["slow"], [{"param": "a"}], [{"message": 5}]])
def test_what_other_servers_call_warnings_is_passed_over(told):
    assert warned_of(told) == ()
    assert ARK.decode_task(b'{"id": "cgt-1", "status": "queued", "warnings": ["slow"]}').warnings == ()
