"""What several callers ask at the same time goes to the database together, and each is given its own answer.

A round trip and a commit cost the same for one question and for a hundred. While some are under way, the next ones
gather, so the busier it is the more go together, and a lone one waits for nobody.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from understudy.storage.lifecycle import unavailable

Q = TypeVar("Q")
A = TypeVar("A")

Answers = Sequence[A | BaseException]
"""One for each question, in their order; an error is raised to its caller."""


class Gather(Generic[Q, A]):
    """Asks questions together.

    ask_all: gives the answers; what it raises is told to all. most: questions that go together. flights: how many
    times that may be under way at once. waiting_most: questions that may wait; more are refused, so that a slow
    database sheds load instead of filling memory.
    """

    def __init__(
        self, ask_all: Callable[[list[Q]], Awaitable[Answers[A]]], *, most: int, flights: int, waiting_most: int
    ) -> None:
        self._ask_all = ask_all
        self._most = most
        self._flights_most = flights
        self._waiting_most = waiting_most
        self._waiting: deque[tuple[Q, asyncio.Future[A]]] = deque()
        self._flights: set[asyncio.Task[None]] = set()
        self._is_due = False
        self._is_closed = False

    def ask(self, question: Q) -> "asyncio.Future[A]":
        """Put a question. Cancelling the answer does not take the question back.

        Raises:
            Unavailable: too many wait, or this is closed.
        """
        if self._is_closed:
            raise unavailable("it is shutting down")
        if len(self._waiting) >= self._waiting_most:
            raise unavailable("too many requests wait for the storage")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[A] = loop.create_future()
        self._waiting.append((question, answer))
        if not self._is_due and len(self._flights) < self._flights_most:
            self._is_due = True
            loop.call_soon(self._end_turn, loop, 0)
        return answer

    async def close(self) -> None:
        """Answer what was asked; later questions are refused."""
        self._is_closed = True
        self._depart()
        while self._flights:
            await asyncio.wait(set(self._flights))

    def _end_turn(self, loop: asyncio.AbstractEventLoop, seen: int) -> None:
        """Depart unless this turn of the event loop brought more: requests that come together are read over several."""
        waiting = len(self._waiting)
        if seen < waiting < self._most:
            loop.call_soon(self._end_turn, loop, waiting)
        else:
            self._is_due = False
            self._depart()

    def _depart(self) -> None:
        while self._waiting and len(self._flights) < self._flights_most:
            together = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
            flight = asyncio.create_task(self._fly(together))
            self._flights.add(flight)
            flight.add_done_callback(self._landed)

    def _landed(self, flight: "asyncio.Task[None]") -> None:
        self._flights.discard(flight)
        self._depart()

    async def _fly(self, together: list[tuple[Q, "asyncio.Future[A]"]]) -> None:
        answers: Answers[A]
        try:
            answers = await self._ask_all([question for question, _ in together])
        except BaseException as error:  # boundary: whatever ends a flight is told to everyone aboard
            answers = [error if isinstance(error, Exception) else unavailable("it is shutting down")] * len(together)
            if not isinstance(error, Exception):
                raise
        finally:
            _deliver(together, answers)


def _deliver(together: list[tuple[Q, "asyncio.Future[A]"]], answers: Answers[A]) -> None:
    for (_, future), answer in zip(together, answers, strict=True):
        if future.done():
            continue
        if isinstance(answer, BaseException):
            future.set_exception(answer)
        else:
            future.set_result(answer)
