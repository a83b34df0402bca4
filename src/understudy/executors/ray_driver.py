"""The driver process, `python -m understudy.executors.ray_driver`: the one process of a server that Ray has a hold on.

Ray ends a driver whose cluster was away for a minute, and keeps some hundred MB in it. The server must outlive the
cluster, so that it talks to it through this process, over lines (see `ray_wire`), and starts another when it ends. As
every process of ours it never outlives its parent; when it is gone, Ray kills the actors that it owned.
"""

import argparse
import asyncio
import logging
import socket
import sys
import threading
import traceback
from collections.abc import Coroutine, Iterable
from typing import Any, NoReturn

import ray

from understudy.executors.ray_keeper import PlaceKeeper
from understudy.executors.ray_wire import (
    Beat,
    DriverMessage,
    DriverOrder,
    GiveUp,
    Join,
    Joined,
    Leave,
    Refused,
    Run,
    decode_driver_order,
    encode_value,
)
from understudy.executors.render_process import Pipes, die_with_parent, end_group

CONNECT_S = 5.0
"""How long the cluster's head may take to accept a connection."""

BEAT_S = 2.0
"""Between two signs of life to the executor, which gives up a driver after many such."""


LOOK_S = 5.0
"""Between two looks whether this machine is still a node of the cluster; Ray ends actors for that, and no drivers."""


class Driver:
    """Joins the cluster, keeps a place for each slot and carries out the orders."""

    def __init__(self, pipes: Pipes) -> None:
        self._pipes = pipes
        self._orders: asyncio.Queue[DriverOrder] = asyncio.Queue()
        self._keepers: list[PlaceKeeper] = []
        self._kept: set[asyncio.Task[None]] = set()
        self._works: set[asyncio.Task[None]] = set()
        self._others: set[asyncio.Task[None]] = set()

    def tell(self, message: DriverMessage) -> None:
        """Send a message."""
        self._pipes.write(encode_value(message) + b"\n")

    async def serve(self) -> None:
        """Carry out orders until it is told to leave."""
        loop = asyncio.get_running_loop()

        def take_in(lines: Iterable[bytes]) -> None:
            for line in lines:
                loop.call_soon_threadsafe(self._orders.put_nowait, decode_driver_order(line))

        threading.Thread(target=self._pipes.read, args=(take_in,), daemon=True).start()
        order = await self._orders.get()
        self._start(self._others, self._beat())
        if isinstance(order, Join) and await self._join(order):
            self._start(self._others, self._end_with_the_node())
            while not isinstance(order := await self._orders.get(), Leave):
                self._carry_out(order)
            await self._leave()

    async def _join(self, order: Join) -> bool:
        try:
            await asyncio.to_thread(_connect, order.address)
        except Exception as error:  # boundary: Ray raises nearly anything here, and all of it means the same
            self.tell(
                Refused(f"{order.address or 'here'}: {type(error).__name__}: {' '.join(str(error).split())[:500]}")
            )
            return False
        self.tell(Joined())
        for slot, room in enumerate(order.rooms):
            keeper = PlaceKeeper(slot, order.needs, room, tell=self.tell)
            self._keepers.append(keeper)
            self._start(self._kept, keeper.keep())
        return True

    def _carry_out(self, order: DriverOrder) -> None:
        match order:
            case Run(slot):
                self._start(self._works, self._keepers[slot].run(order))
            case GiveUp(slot, number):
                self._start(self._works, self._keepers[slot].give_up(number))
            case _:
                raise ValueError("an order out of place")

    def _start(self, among: set[asyncio.Task[None]], work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        among.add(task)
        task.add_done_callback(among.discard)
        task.add_done_callback(_die_of_a_bug)

    async def _beat(self) -> None:
        while True:
            self.tell(Beat())
            await asyncio.sleep(BEAT_S)

    async def _end_with_the_node(self) -> None:
        """End the process when this machine is no node any more: what comes after it is met by another process."""
        while True:
            await asyncio.sleep(LOOK_S)
            if not await asyncio.to_thread(_is_a_node):
                self.tell(Refused("this machine is no node of the cluster any more"))
                end_group()

    async def _leave(self) -> None:
        # First the places: whoever waits for a job would else hear that it failed, and order it anew.
        await asyncio.gather(*(keeper.leave() for keeper in self._keepers))
        for task in (*self._kept, *self._works):
            task.cancel()
        await asyncio.gather(*self._kept, *self._works, return_exceptions=True)
        await asyncio.to_thread(ray.shutdown)


def _connect(address: str) -> None:
    """Join the cluster; nothing is started, nothing is printed, and what happens on the nodes is in their own logs.

    Raises: nearly anything.
    """
    host, colon, port = address.rpartition(":")
    if colon and port.isdigit():
        # Ray itself asks for most of a minute, and then says less.
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_S).close()
    ray.init(
        address=address or "auto",
        log_to_driver=False,
        logging_level=logging.ERROR,
        namespace="understudy",
    )


def _is_a_node() -> bool:
    here = ray.get_runtime_context().get_node_id()
    return any(node["NodeID"] == here and node["Alive"] for node in ray.nodes())


def _die_of_a_bug(task: "asyncio.Task[None]") -> None:
    """End the process when a task of it met a bug: the executor starts another, in order."""
    if not task.cancelled() and (error := task.exception()) is not None:
        traceback.print_exception(error)
        end_group()


def main(arguments: list[str]) -> NoReturn:
    """Run the process until it is told to leave."""
    parser = argparse.ArgumentParser(prog="ray_driver", description="Keep places in a Ray cluster.")
    parser.add_argument("--lifeline-fd", type=int, required=True)
    chosen = parser.parse_args(arguments)
    pipes = Pipes()
    die_with_parent(chosen.lifeline_fd)
    asyncio.run(Driver(pipes).serve())
    end_group()


if __name__ == "__main__":
    main(sys.argv[1:])
