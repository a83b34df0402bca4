"""Jobs that nobody in their right mind orders, and somebody will: each ends in a film or in a clear sentence."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from understudy.engines.previz.planning.planner import plan_film

LONGEST_PROMPT_LETTERS = 100_000
"""What the catalogue lets through."""

STUCK_S = 30.0
"""Of processor time, ten times what the slowest of these prompts takes: reading that grows with the square is over it
by far, and a busy machine is not."""


@contextmanager
def _ended_when_stuck() -> Iterator[None]:
    """End what runs away, which else would hold up the whole suite."""

    def end(_signal: int, _frame: object) -> None:
        raise RuntimeError("the prompt is read without end")

    before = signal.signal(signal.SIGVTALRM, end)
    signal.setitimer(signal.ITIMER_VIRTUAL, STUCK_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


@pytest.mark.parametrize(
    "part",
    ["\n", '"“‘「『'],
    ids=["line ends", "quotation marks of all kinds"],
)
def test_the_longest_prompt_is_read_in_one_go_whatever_it_is_made_of(part: str) -> None:
    prompt = "A cat walks. " + (part * LONGEST_PROMPT_LETTERS)[: LONGEST_PROMPT_LETTERS - 13]
    with _ended_when_stuck():
        plan = plan_film(prompt, ratio="16:9", ratios=("16:9",), duration_range_s=(4, 15), duration_s=5)
    assert plan.main.subjects[0].art == "cat"
