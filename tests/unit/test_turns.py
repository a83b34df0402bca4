"""Turns at short work: all of them for one while nobody else comes, and then in fairness."""

import asyncio
from contextlib import AsyncExitStack

from understudy.service.turns import Turns


class Scene:
    """Visitors who stay until they are told to leave. served: in the order they got their turn."""

    def __init__(self, most: int) -> None:
        self.turns = Turns(most)
        self.served: list[str] = []
        self._leave: dict[str, asyncio.Event] = {}
        self._visits: dict[str, asyncio.Task[None]] = {}

    async def come(self, *names: str) -> None:
        """Let visitors come; the first letter of a name is the owner's."""
        for name in names:
            self._leave[name] = asyncio.Event()
            self._visits[name] = asyncio.create_task(self._visit(name))
        await settle()

    async def leave(self, name: str) -> None:
        self._leave[name].set()
        await settle()

    async def cancel(self, name: str) -> None:
        self._visits[name].cancel()
        await settle()

    async def _visit(self, name: str) -> None:
        async with self.turns.turn(name[0]):
            self.served.append(name)
            await self._leave[name].wait()


async def settle() -> None:
    """Let everybody who can go on do so."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_lone_owner_has_every_turn():
    scene = Scene(2)
    await scene.come("a1", "a2", "a3")
    assert scene.served == ["a1", "a2"]


async def test_who_comes_late_goes_before_what_another_has_waiting():
    scene = Scene(2)
    await scene.come("a1", "a2", "a3", "a4", "b1")
    await scene.leave("a1")
    assert scene.served[2:] == ["b1"]


async def test_with_one_turn_owners_take_it_one_after_the_other():
    scene = Scene(1)
    await scene.come("a1", "a2", "a3", "b1", "b2")
    for name in ("a1", "b1", "a2", "b2"):
        await scene.leave(name)
    assert scene.served == ["a1", "b1", "a2", "b2", "a3"]


async def test_a_turn_whose_waiter_gives_up_in_the_same_moment_goes_on():
    scene = Scene(1)
    await scene.come("a1", "b1", "c1")
    scene._leave["a1"].set()
    await asyncio.sleep(0)
    await scene.cancel("b1")
    assert scene.served[-1] == "c1"


async def test_who_gives_up_while_a_turn_becomes_free_is_passed_over():
    scene = Scene(1)
    await scene.come("a1", "b1", "c1")
    scene._visits["a1"].cancel()
    scene._visits["b1"].cancel()
    await settle()
    assert scene.served == ["a1", "c1"]
    await scene.leave("c1")
    await scene.come("d1")
    assert scene.served[-1] == "d1"


async def test_who_gave_up_is_not_waited_for():
    scene = Scene(1)
    await scene.come("a1", "b1", "c1")
    await scene.cancel("b1")
    await scene.leave("a1")
    assert scene.served == ["a1", "c1"]


async def test_nothing_is_remembered_of_who_is_gone():
    turns = Turns(1)
    async with AsyncExitStack() as held:
        await held.enter_async_context(turns.turn("a"))
    assert (turns._taken, turns._granted_at, turns._waiting) == ({}, {}, [])
