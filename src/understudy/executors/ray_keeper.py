"""The driver's side of one slot: keeps a place for it in the cluster, and takes jobs there and their films back."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import ray
from ray.exceptions import RayError, RayTaskError

from understudy.core.render import RenderJob
from understudy.executors.ray_place import ABANDONED_S, ASKED_S, RenderPlace, facts
from understudy.executors.ray_wire import (
    Advanced,
    DriverMessage,
    Ended,
    Facts,
    Needs,
    News,
    Placed,
    Room,
    Run,
    Unplaced,
    Waits,
    Warmed,
    encode_value,
    lost,
)
from understudy.executors.wire import Failed, Rendered, Stopped

SILENT_S = ABANDONED_S + 4.0
"""A place that gives no answer for so long is lost. Ray itself tells of a process that died at once, but of a machine
that fell off the network only after half a minute."""

PLACED_SOON_S = 5.0
"""A place that is not there by then is told to be waited for; on a node that has room it takes a second or two."""

ELSEWHERE_S = 5.0
"""How long a slot whose place was lost is looked for another node; then the same one will do, if it is still there."""

NODE_ID_LABEL = "ray.io/node-id"
"""A label that Ray gives every node."""

LEAVE_S = 5.0
"""How long a place may take to end what it runs when it is given back; then it is killed, and its render with it."""

PIECE_BYTES = 4 << 20
"""Media and films travel in pieces of this size, one at a time: small beside the smallest object store."""

LOST = "The machine that rendered the video was lost before it was finished."
NOT_CARRIED = "The files of the task could not be read or written."


class PlaceLost(Exception):
    """The place is of no more use. The message is for the operator."""


class _GivenUp(Exception):
    """Nobody waits for the job any more, and its render was not begun, or is over."""


class _Work:
    """The job under way."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.times_given_up = 0
        self.is_begun = False
        self.end: asyncio.Future[Rendered | Stopped | Failed] = asyncio.get_running_loop().create_future()
        # A place can be lost when nobody waits for the end yet.
        self.end.add_done_callback(lambda end: end.cancelled() or end.exception())


class PlaceKeeper:
    """One slot of the driver."""

    def __init__(self, slot: int, needs: Needs, room: Room, *, tell: Callable[[DriverMessage], None]) -> None:
        self._slot = slot
        self._needs = needs
        self._room = room
        self._tell = tell
        self._actor: Any = None
        self._work: _Work | None = None
        self._failures = 0
        self._lost_node_id = ""
        self._is_leaving = False

    async def keep(self) -> None:
        """Keep a place, one after another, until cancelled."""
        while not self._is_leaving:
            await asyncio.sleep(self._room.pause.after(self._failures))
            self._failures += 1
            actor = None
            try:
                actor = await asyncio.to_thread(self._ordered)
                await self._stay(actor)
            except (PlaceLost, RayError, ValueError) as error:
                self._actor = None
                self._tell(Unplaced(self._slot, _in_brief(error)))
                if self._work is not None and not self._work.end.done():
                    self._work.end.set_exception(PlaceLost(_in_brief(error)))
            finally:
                self._actor = None
                if actor is not None:
                    await asyncio.to_thread(_kill, actor)

    def _ordered(self) -> Any:
        """Order a place and return its handle at once; it is there when a node with the resources is."""
        ordered = ray.remote(RenderPlace).options(
            num_cpus=self._needs.num_cpus,
            num_gpus=self._needs.num_gpus,
            resources=self._needs.resources or None,
            # A new place may be on any node; one that Ray restarts would come back without our knowing.
            max_restarts=0,
            max_task_retries=0,
            label_selector={NODE_ID_LABEL: f"!{self._lost_node_id}"} if self._lost_node_id else None,
        )
        return ordered.remote(encode_value(self._room))

    async def _stay(self, actor: Any) -> None:
        """Wait until the place is there, and listen to it until it is lost.

        Raises: PlaceLost, RayError.
        """
        settling = _asked(actor.settle.remote())
        done, _ = await asyncio.wait({settling}, timeout=ELSEWHERE_S if self._lost_node_id else PLACED_SOON_S)
        if not done:
            if self._lost_node_id:
                self._lost_node_id = ""
                raise PlaceLost("no other node has room for it")
            self._tell(Waits(self._slot, f"waits for a node with room for {_sum(self._needs)}"))
        # Without a bound: the node for it may have yet to be bought.
        theirs = msgspec.json.decode(await settling, type=Facts)
        if _versions(theirs) != _versions(facts()):
            raise PlaceLost(f"node {theirs.node} {_versions(theirs)}, but this server {_versions(facts())}")
        # Where the place is lost, its node may be: Ray goes on sending there for a quarter of a minute.
        self._lost_node_id = theirs.node_id
        self._actor = actor
        self._tell(Placed(self._slot, theirs.node))
        is_warm = False
        while True:
            told = msgspec.json.decode(await _answer(actor.news.remote(), ASKED_S + SILENT_S), type=News)
            if told.is_warm != is_warm:
                is_warm = told.is_warm
                self._tell(Warmed(self._slot, is_warm))
            if is_warm:
                # Only now: a place that is lost before its engine is warm, again and again, is not asked for in a rush.
                self._failures = 0
            self._take(told)

    def _take(self, told: News) -> None:
        work = self._work
        for number, done, total in told.steps:
            if work is not None and number == work.number:
                self._tell(Advanced(self._slot, number, done, total))
        for number, end in told.ends:
            if work is not None and number == work.number and not work.end.done():
                work.end.set_result(end)

    async def run(self, order: Run) -> None:
        """Run a job to its end and tell it."""
        work = self._work = _Work(order.number)
        actor = self._actor
        end: Rendered | Stopped | Failed
        try:
            end = lost(LOST) if actor is None else await self._carried_and_rendered(actor, work, order.job)
        except _GivenUp:
            end = Stopped()
        except (PlaceLost, RayError) as error:
            end = lost(LOST)
            if actor is not None and self._actor is actor:
                # What failed was no question for news, so that the listener does not know: it meets a dead actor.
                self._tell(Unplaced(self._slot, _in_brief(error)))
                self._actor = None
                await asyncio.to_thread(_kill, actor)
        except OSError:
            end = lost(NOT_CARRIED)
        finally:
            self._work = None
        if actor is not None and self._actor is actor:
            with contextlib.suppress(PlaceLost, RayError):
                await _answer(actor.forget.remote(order.number), SILENT_S)
        self._tell(Ended(self._slot, order.number, end))

    async def _carried_and_rendered(self, actor: Any, work: _Work, job: RenderJob) -> Rendered | Stopped | Failed:
        """Take the media there, render, and bring the film back.

        Raises: _GivenUp; PlaceLost, RayError; OSError for files on this side.
        """
        names: dict[str, str] = {}
        for index, given in sorted(job.media.items()):
            if given not in names:
                names[given] = f"{index}{Path(given).suffix}"
                await self._bring_in(actor, work, Path(given), name=names[given])
        there = replace(job, media={index: names[given] for index, given in job.media.items()}, output_dir="")
        _unless_unwanted(work)
        await _answer(actor.begin.remote(work.number, encode_value(there)), SILENT_S)
        work.is_begun = True
        # As often as it was said meanwhile: the second time means something else than the first.
        for _ in range(work.times_given_up):
            await _answer(actor.give_up.remote(), SILENT_S)
        end = await work.end
        if isinstance(end, Rendered):
            for name in (end.result.video, end.result.last_frame):
                if name is not None:
                    await self._bring_out(actor, work, Path(job.output_dir), name=name)
        return end

    async def _bring_in(self, actor: Any, work: _Work, path: Path, *, name: str) -> None:
        pieces = _pieces(path)
        piece = await asyncio.to_thread(next, pieces, b"")
        while True:
            _unless_unwanted(work)
            # An empty file is sent, too.
            await _answer(actor.take_in.remote(work.number, name, piece), SILENT_S)
            piece = await asyncio.to_thread(next, pieces, b"")
            if not piece:
                break

    async def _bring_out(self, actor: Any, work: _Work, folder: Path, *, name: str) -> None:
        """Fetch a file of the film. One that is not where it should be is left out: whoever ordered it will see."""
        size_bytes = await _answer(actor.size_bytes.remote(work.number, name), SILENT_S)
        if size_bytes < 0:
            return
        with await asyncio.to_thread((folder / name).open, "wb") as file:
            done_bytes = 0
            while done_bytes < size_bytes:
                _unless_unwanted(work)
                length_bytes = min(PIECE_BYTES, size_bytes - done_bytes)
                reference = actor.give_out.remote(work.number, name, start=done_bytes, length_bytes=length_bytes)
                piece = await _answer(reference, SILENT_S)
                if not piece:
                    raise PlaceLost(f"the file {name!r} became shorter while it was fetched")
                await asyncio.to_thread(file.write, piece)
                done_bytes += len(piece)

    async def give_up(self, number: int) -> None:
        """Make an end of a job that nobody waits for; see `ray_wire.GiveUp`."""
        work, actor = self._work, self._actor
        if work is None or work.number != number or actor is None:
            return
        work.times_given_up += 1
        if work.is_begun and not work.end.done():
            with contextlib.suppress(PlaceLost, RayError):
                await _answer(actor.give_up.remote(), SILENT_S)

    async def leave(self) -> None:
        """Give the place back: its render is over, its files are gone. To be called once nothing keeps it any more."""
        self._is_leaving = True
        actor, self._actor = self._actor, None
        if actor is not None:
            with contextlib.suppress(PlaceLost, RayError):
                await _answer(actor.leave.remote(), LEAVE_S)
            await asyncio.to_thread(_kill, actor)


def _sum(needs: Needs) -> str:
    """Return what is set aside for a slot, in words."""
    parts = {"CPUs": needs.num_cpus, "GPUs": needs.num_gpus, **needs.resources}
    return ", ".join(f"{amount:g} {name}" for name, amount in parts.items() if amount) or "nothing"


def _versions(known: Facts) -> str:
    return f"has Python {known.python}, Ray {known.ray} and Understudy {known.understudy}"


async def _answer(reference: Any, timeout_s: float) -> Any:
    """Wait for what a call gives.

    Raises: PlaceLost when it takes too long; RayError.
    """
    # Not asyncio.wait_for, which would cancel the call: whether Ray has carried it out would be anybody's guess.
    waiting = _asked(reference)
    done, _ = await asyncio.wait({waiting}, timeout=timeout_s)
    if not done:
        raise PlaceLost(f"it gave no answer for {timeout_s:g} s")
    return waiting.result()


def _asked(reference: Any) -> "asyncio.Task[Any]":
    """Return what waits for a call; what comes when nobody waits any more is heard by nobody."""
    waiting = asyncio.ensure_future(_plainly(reference))
    waiting.add_done_callback(lambda late: late.cancelled() or late.exception())
    return waiting


async def _plainly(reference: Any) -> Any:
    return await reference


def _unless_unwanted(work: _Work) -> None:
    if work.times_given_up:
        raise _GivenUp


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece


def _kill(actor: Any) -> None:
    # Whoever is dead or out of reach need not be killed, or cannot be.
    with contextlib.suppress(RayError, ValueError):
        ray.kill(actor, no_restart=True)


def _in_brief(error: Exception) -> str:
    """Return one line; Ray's errors have pages."""
    cause = error.cause if isinstance(error, RayTaskError) else error
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    return f"{type(cause).__name__}: {' '.join(lines)[:500]}"
