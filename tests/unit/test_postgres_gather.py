"""What is asked at the same time goes together, each is given its own answer, and waiting has a bound."""

import asyncio

import pytest

from understudy.core.errors import Unavailable
from understudy.storage.postgres_gather import Gather


class Asked:
    """Answers each number with its double, when it is let; remembers what went together."""

    def __init__(self):
        self.together = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.was_asked = asyncio.Semaphore(0)

    async def __call__(self, numbers):
        self.together.append(numbers)
        self.was_asked.release()
        await self.may_answer.wait()
        if 13 in numbers:
            raise ValueError("13")
        return [KeyError(number) if number < 0 else 2 * number for number in numbers]


def gather_of(asked, *, most=100, flights=1, waiting_most=1000):
    return Gather(asked, most=most, flights=flights, waiting_most=waiting_most)


async def test_what_is_asked_in_one_turn_goes_together():
    asked = Asked()
    gather = gather_of(asked)
    assert await asyncio.gather(*map(gather.ask, range(10))) == [2 * number for number in range(10)]
    assert asked.together == [list(range(10))]


async def test_what_is_asked_meanwhile_goes_next_in_order_and_no_more_than_may():
    asked = Asked()
    asked.may_answer.clear()
    gather = gather_of(asked, most=4)
    first = gather.ask(100)
    await asked.was_asked.acquire()
    answers = [gather.ask(number) for number in range(10)]
    asked.may_answer.set()
    await asyncio.gather(first, *answers)
    assert asked.together == [[100], [0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


async def test_as_many_are_under_way_at_once_as_may():
    asked = Asked()
    asked.may_answer.clear()
    gather = gather_of(asked, most=1, flights=2)
    answers = [gather.ask(number) for number in range(3)]
    for _ in range(2):
        await asked.was_asked.acquire()
    await asyncio.sleep(0)
    assert asked.together == [[0], [1]]
    asked.may_answer.set()
    assert await asyncio.gather(*answers) == [0, 2, 4]


async def test_an_error_is_told_to_its_caller_alone():
    gather = gather_of(Asked())
    answers = await asyncio.gather(gather.ask(1), gather.ask(-1), gather.ask(2), return_exceptions=True)
    assert [answers[0], type(answers[1]), answers[2]] == [2, KeyError, 4]


async def test_what_ends_all_is_told_to_all_and_the_next_are_served():
    gather = gather_of(Asked())
    answers = await asyncio.gather(gather.ask(1), gather.ask(13), return_exceptions=True)
    assert [type(answer) for answer in answers] == [ValueError, ValueError]
    assert await gather.ask(1) == 2


async def test_a_caller_who_left_changes_nothing_for_the_others():
    gather = gather_of(Asked())
    leaving, staying = gather.ask(1), gather.ask(2)
    leaving.cancel()
    assert await staying == 4


async def test_more_than_may_wait_are_refused():
    gather = gather_of(Asked(), waiting_most=3)
    answers = [gather.ask(number) for number in range(3)]
    with pytest.raises(Unavailable, match="too many"):
        gather.ask(4)
    assert await asyncio.gather(*answers) == [0, 2, 4]


async def test_closing_answers_what_was_asked_and_refuses_the_rest():
    asked = Asked()
    gather = gather_of(asked, most=2)
    answers = [gather.ask(number) for number in range(5)]
    await gather.close()
    assert [answer.result() for answer in answers] == [0, 2, 4, 6, 8]
    with pytest.raises(Unavailable, match="shutting down"):
        gather.ask(1)
