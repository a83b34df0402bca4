"""Who is told: a receiver of callbacks that writes down what comes, and can refuse, hang or break off."""

import asyncio
import json
import random
import re
from collections import defaultdict
from enum import StrEnum
from typing import Any

from aiohttp import web

from chaos.history import HistoryFile

STATES = {
    **{state: state for state in ("queued", "running", "succeeded", "failed", "expired", "cancelled")},
    "pending": "queued",
    "submitted": "queued",
    "processing": "running",
    "in_progress": "running",
    "completed": "succeeded",
    "success": "succeeded",
    "failure": "failed",
    "not_start": "queued",
}
"""Word of any dialect, in small letters -> the state that it means."""
TASK_ID = re.compile(r"[0-9]{14}-[a-z0-9]{5}")
ENDED = frozenset({"succeeded", "failed", "expired", "cancelled"})


class Mood(StrEnum):
    """How the receiver is."""

    WELL = "well"
    FAILING = "failing"
    HANGING = "hanging"
    BREAKING = "breaking"
    MIXED = "mixed"


class Receiver:
    """One address on loopback. mood: how it answers now; each way of being unwell loses the callback."""

    def __init__(self, history: HistoryFile, chance: random.Random) -> None:
        self.mood = Mood.WELL
        self.heard: dict[str, set[str]] = defaultdict(set)
        """Task -> the states of it that were acknowledged."""
        self.count = 0
        self.url = ""
        self._history = history
        self._chance = chance
        self._changed = asyncio.Event()

    async def start(self) -> None:
        """Listen at a free port, for good."""
        app = web.Application()
        app.router.add_post("/hears/{act}", self._hear)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"

    async def close(self) -> None:
        self.change(Mood.WELL)
        await self._runner.cleanup()

    def change(self, mood: Mood) -> None:
        """Be so from now on; who hangs goes on."""
        self.mood = mood
        self._changed.set()
        self._changed = asyncio.Event()

    async def _hear(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        name = request.headers.get("webhook-id", "")
        task, _, number = name.rpartition("-")
        state = state_of(body)
        mood = self.mood
        self.count += 1
        if mood is Mood.MIXED:
            mood = self._chance.choice((Mood.WELL, Mood.FAILING, Mood.BREAKING))
        answered = {Mood.WELL: 204, Mood.FAILING: 503}.get(mood, 0)
        self._history.note(
            "told", task=task, number=int(number or 0), state=state, answered=answered, path=request.path
        )
        if mood is Mood.HANGING:
            await self._changed.wait()
        if answered == 0:
            # None where the sender hung up meanwhile.
            if request.transport is not None:
                request.transport.abort()
        elif answered == 204:
            self.heard[task].add(state)
        return web.Response(status=answered or 500)


def state_of(body: Any) -> str:
    """Return the state that a task's answer tells, whichever dialect it is in; "?" where none is found."""
    for part in (body.get("data"), body):
        if isinstance(part, dict) and "status" in part:
            return STATES.get(str(part["status"]).lower(), "?")
    return "?"


def task_of(body: Any) -> str:
    """Return the first task that an answer names, whichever dialect it is in; "" where there is none."""
    found = TASK_ID.search(json.dumps(body))
    return found[0] if found else ""
