"""A clock that never goes back."""

from datetime import timedelta

from manual_clock import START, ManualClock
from understudy.service.onward_clock import OnwardClock


def test_it_says_what_the_clock_says_as_long_as_that_goes_on() -> None:
    clock, steady_s = ManualClock(), [0.0]
    onward = OnwardClock(clock, steady=lambda: steady_s[0])
    clock.advance(seconds=5)
    steady_s[0] += 1
    assert onward.now() == START + timedelta(seconds=5)


def test_it_goes_on_from_what_was_reached_while_the_clock_is_set_back() -> None:
    clock, steady_s = ManualClock(), [0.0]
    onward = OnwardClock(clock, steady=lambda: steady_s[0])
    clock.advance(hours=-1)
    said = []
    for _ in range(3):
        steady_s[0] += 10
        clock.advance(seconds=10)
        said.append((onward.now() - START).total_seconds())
    assert said == [10, 20, 30]


def test_it_follows_the_clock_again_once_that_has_caught_up() -> None:
    clock, steady_s = ManualClock(), [0.0]
    onward = OnwardClock(clock, steady=lambda: steady_s[0])
    clock.advance(hours=-1)
    steady_s[0] += 10
    onward.now()
    clock.advance(hours=2)
    assert onward.now() == START + timedelta(hours=1)
