"""Names that are asked for once at a time."""

import asyncio
import socket
from collections.abc import Sequence

import pytest

from understudy.net.resolve import JoinedNames


class Silent:
    """A resolver that answers once it is told to. asked: every question."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []
        self.answer = asyncio.Event()
        self.fault: OSError | None = None

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        await self.answer.wait()
        if self.fault is not None:
            raise self.fault
        return ("192.0.2.1",)


async def asking(names: JoinedNames, host: str = "dead.test", port: int = 443) -> "asyncio.Task[Sequence[str]]":
    task = asyncio.create_task(names(host, port))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return task


async def test_a_name_that_is_being_asked_for_is_not_asked_for_again() -> None:
    silent = Silent()
    names = JoinedNames(silent)
    tasks = [await asking(names) for _ in range(5)]
    silent.answer.set()
    assert await asyncio.gather(*tasks) == [("192.0.2.1",)] * 5
    assert silent.asked == [("dead.test", 443)]


async def test_other_names_and_ports_are_asked_for_beside_it() -> None:
    silent = Silent()
    names = JoinedNames(silent)
    tasks = [await asking(names), await asking(names, "other.test"), await asking(names, port=80)]
    silent.answer.set()
    await asyncio.gather(*tasks)
    assert len(silent.asked) == 3


async def test_who_loses_patience_and_asks_again_waits_for_the_first_question() -> None:
    silent = Silent()
    names = JoinedNames(silent)
    for _ in range(5):
        task = await asking(names)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    last = await asking(names)
    silent.answer.set()
    assert await last == ("192.0.2.1",)
    assert len(silent.asked) == 1


async def test_a_name_that_was_answered_is_asked_for_anew() -> None:
    silent = Silent()
    names = JoinedNames(silent)
    silent.answer.set()
    await names("moving.test", 443)
    await names("moving.test", 443)
    assert len(silent.asked) == 2


async def test_a_fault_is_told_to_all_who_wait_and_is_not_kept() -> None:
    silent = Silent()
    names = JoinedNames(silent)
    tasks = [await asking(names) for _ in range(2)]
    silent.fault = socket.gaierror(socket.EAI_AGAIN, "no answer")
    silent.answer.set()
    assert [str(each) for each in await asyncio.gather(*tasks, return_exceptions=True)] == ["[Errno -3] no answer"] * 2
    silent.fault = None
    assert await names("dead.test", 443) == ("192.0.2.1",)
    silent.fault = socket.gaierror(socket.EAI_AGAIN, "no answer")
    with pytest.raises(OSError, match="no answer"):
        await names("dead.test", 443)
