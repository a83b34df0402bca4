"""Places for large bodies: nobody has all of them, and whoever waits is served in turn."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from understudy.core.errors import RateLimited
from understudy.service.places import Places


async def settle() -> None:
    """Let everybody who can go on do so."""
    for _ in range(10):
        await asyncio.sleep(0)


def test_one_owner_has_half_of_the_places_and_others_the_rest():
    async def scene() -> None:
        places = Places(4, wait_s=0.0)
        async with AsyncExitStack() as held:
            for owner in ("a", "a", "b", "b"):
                await held.enter_async_context(places.place(owner))
        async with AsyncExitStack() as held:
            await held.enter_async_context(places.place("a"))
            await held.enter_async_context(places.place("a"))
            with pytest.raises(RateLimited):
                await held.enter_async_context(places.place("a"))
            await held.enter_async_context(places.place("b"))

    asyncio.run(scene())


def test_the_only_place_can_be_had():
    async def scene() -> None:
        async with Places(1, wait_s=0.0).place("a"):
            pass

    asyncio.run(scene())


def test_who_waits_is_served_in_turn_and_passed_over_only_where_there_is_no_room_for_her():
    async def scene() -> list[str]:
        places, served = Places(2, wait_s=5.0), list[str]()

        async def visit(name: str, owner: str, leave: asyncio.Event) -> None:
            async with places.place(owner):
                served.append(name)
                await leave.wait()

        leave = [asyncio.Event() for _ in range(5)]
        names = [("a1", "a"), ("b1", "b"), ("a2", "a"), ("b2", "b"), ("c1", "c")]
        visits = [asyncio.create_task(visit(*each, leave[n])) for n, each in enumerate(names)]
        await settle()
        assert served == ["a1", "b1"]
        # The place of b's: the first who waits is a, who has her half already.
        leave[1].set()
        await settle()
        assert served == ["a1", "b1", "b2"]
        for each in leave:
            each.set()
        await asyncio.gather(*visits)
        return served

    assert asyncio.run(scene()) == ["a1", "b1", "b2", "a2", "c1"]


def test_who_gives_up_leaves_no_place_taken():
    async def scene() -> None:
        places = Places(1, wait_s=5.0)
        async with places.place("a"):
            waiting = [asyncio.create_task(places.place(owner).__aenter__()) for owner in "bc"]
            await settle()
            waiting[0].cancel()
            await settle()
        # Given a place and cancelled in the same moment.
        waiting[1].cancel()
        await asyncio.wait(waiting)
        async with asyncio.timeout(5), places.place("d"):
            pass

    asyncio.run(scene())
