"""The load of a campaign: requests arrive at random moments, whatever becomes of those before, as callers' do.

Each request has a caller of its own, who sends it, sends it again when no answer comes, looks at what becomes of it in
one of several ways, sometimes cancels or removes it, and reads the film. Whatever was sent and answered is in the
history.
"""

import asyncio
import hashlib
import json
import random
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from chaos.history import HistoryFile, now_s
from chaos.receiver import ENDED, Receiver, state_of, task_of

TRIES_MOST = 300
TRY_AGAIN_S = 0.3
FULL_AGAIN_S = 2.0
FULLS_MOST = 5
"""Who finds the queue full so often gives up, or the queue of those who wait would have no end."""
TIMEOUT_S = 8.0
"""A caller's own patience; a server that is paused answers nobody."""
FAST, PLAIN = "doubao-seedance-2-0-fast-260128", "doubao-seedance-2-0-260128"
ARK = "/api/v3/contents/generations/tasks"


def ark(prompt: str, callback: str, priority: int) -> dict[str, Any]:
    body: dict[str, Any] = {"model": FAST, "content": [{"type": "text", "text": prompt}], "priority": priority}
    return body | ({"callback_url": callback} if callback else {})


def universal(prompt: str, callback: str, priority: int) -> dict[str, Any]:
    metadata: dict[str, Any] = {"priority": priority} | ({"callback_url": callback} if callback else {})
    return {"model": FAST, "prompt": prompt, "metadata": metadata}


def apimart(prompt: str, _callback: str, _priority: int) -> dict[str, Any]:
    return {"model": "doubao-seedance-2.0", "prompt": prompt, "resolution": "720p", "size": "16:9", "duration": 5}


def openai(prompt: str, _callback: str, _priority: int) -> dict[str, Any]:
    return {"model": "sora-2", "prompt": prompt, "seconds": "4", "size": "1280x720"}


DOORS = (
    (f"/ark{ARK}", ark, True),
    (f"/amux{ARK}", ark, True),
    (f"/apiyi/seedance{ARK}", ark, True),
    ("/newapi/v1/video/generations", universal, True),
    ("/apimart/v1/videos/generations", apimart, False),
    ("/openai/v1/videos", openai, False),
)
"""Where a task is created -> the body, and whether the dialect has callbacks."""


@dataclass
class Load:
    """Callers of some servers. urls: of the servers. keys: API keys.

    rate: requests per second, of which each gets its caller.
    """

    urls: tuple[str, ...]
    keys: tuple[str, ...]
    history: HistoryFile
    receiver: Receiver
    chance: random.Random
    rate: float
    cancel_share: float = 0.1
    acts: int = 0
    open: set["asyncio.Task[None]"] = field(default_factory=set)
    tasks: dict[str, "Caller"] = field(default_factory=dict)

    async def run(self, until: asyncio.Event) -> None:
        """Let requests arrive until then; those that did go on."""
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        self.session = aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0))
        while not until.is_set():
            self.acts += 1
            caller = Caller(self, str(self.acts))
            under_way = asyncio.create_task(caller.live(), name=f"caller {self.acts}")
            self.open.add(under_way)
            under_way.add_done_callback(self._is_done)
            await asyncio.sleep(self.chance.expovariate(self.rate))

    def _is_done(self, under_way: "asyncio.Task[None]") -> None:
        self.open.discard(under_way)
        if not under_way.cancelled() and under_way.exception() is not None:
            self.history.note("mistake", error=repr(under_way.exception()))

    async def finish(self, patience_s: float) -> bool:
        """Wait until every caller has seen the end of his task; False when one has not."""
        if self.open:
            await asyncio.wait(self.open, timeout=patience_s)
        for late in tuple(self.open):
            late.cancel()
        return not self.open

    async def close(self) -> None:
        for caller in self.open:
            caller.cancel()
        await asyncio.gather(*self.open, return_exceptions=True)
        await self.session.close()


class Asker:
    """Who asks servers for something. task: the one it is about."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.task = ""
        self.key_number = 0

    async def call(
        self, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes] | None:
        """Ask a server; None when there was no whole answer."""
        load = self.load
        url = load.chance.choice(load.urls) + path
        sent = {"Authorization": f"Bearer {load.keys[self.key_number]}", "Content-Type": "application/json"}
        try:
            async with load.session.request(method, url, data=body, headers=sent | (headers or {})) as response:
                return response.status, await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None

    async def read_film(self, *, is_final: bool = False, notes_failure: bool = False) -> bool:
        """Read the film's bytes and note what they are; say whether they could be read."""
        answer = await self.call("GET", f"/openai/v1/videos/video_{self.task}/content")
        is_read = answer is not None and answer[0] == 200
        if is_read or notes_failure:
            digest = hashlib.sha256(answer[1]).hexdigest() if is_read and answer else ""
            self.load.history.note("film", task=self.task, sha256=digest, final=is_final)
        return is_read


class Caller(Asker):
    """One request and what its sender does. Everything about him is drawn when he is made, by the campaign's seed."""

    def __init__(self, load: Load, act: str) -> None:
        super().__init__(load)
        chance = load.chance
        self.act = act
        self.end = ""
        self.path, body, has_callbacks = chance.choice(DOORS)
        self.asks = chance.choices(("succeeded", "failed", "expired"), (90, 5, 5))[0]
        # Only Ark's words tell what expired from what failed.
        if self.asks == "expired":
            self.path, body, has_callbacks = DOORS[0]
        words = [f"act:{act}", f"take:{chance.randint(40, 500)}"]
        words += {"failed": ["fail"], "expired": ["expire"], "succeeded": []}[self.asks]
        if self.asks == "succeeded" and chance.random() < 0.05:
            words.append("fail_once")
        self.callback = f"{load.receiver.url}/hears/{act}" if has_callbacks and chance.random() < 0.6 else ""
        self.body = json.dumps(body(" ".join(words), self.callback, chance.randint(0, 9)))
        self.promise = f"promise-{act}" if chance.random() < 0.9 else ""
        self.key_number = min(int(chance.expovariate(1.0)), len(load.keys) - 1)
        self.repeats = self.promise != "" and chance.random() < 0.2
        self.way_out = chance.random() < load.cancel_share and chance.choice(("delete", "cancel"))
        self.cleans_up = chance.random() < 0.05
        self.look = chance.choices(("poll", "wait", "events"), (60, 25, 15))[0]
        self.patience_s = chance.uniform(0.0, 1.0)

    async def live(self) -> None:
        """Send the request, see it through, read the film."""
        note = self.load.history.note
        key = str(self.key_number)
        note("asked", act=self.act, key=key, promise=self.promise, asks=self.asks, callback=self.callback)
        if not await self._create():
            return
        self.load.tasks[self.task] = self
        if self.way_out:
            await asyncio.sleep(self.patience_s)
            await self._remove(self.way_out)
        self.end = state = await self._see_it_end()
        if state == "succeeded":
            await self.read_film()
        if state in ENDED - {"cancelled"} and self.cleans_up:
            await self._remove("delete")

    async def _create(self) -> bool:
        """Send the request until it is answered; without a promise, only until it may have been heard."""
        was_unclear, fulls = False, 0
        for _ in range(TRIES_MOST):
            sends = [self._send()]
            if self.repeats:
                sends.append(self._send())
            answers = await asyncio.gather(*sends)
            accepted = [task for status, task in answers if status == 200 and task]
            was_unclear = was_unclear or any(status is None or status >= 500 for status, _ in answers)
            if accepted:
                self.task = accepted[0]
                return True
            is_full = any(status == 429 for status, _ in answers)
            fulls += is_full
            refusals = [
                status
                for status, _ in answers
                if status is not None and 400 <= status < 500 and (status != 429 or fulls == FULLS_MOST)
            ]
            if refusals and not was_unclear:
                self.load.history.note("refused", act=self.act, status=refusals[0])
                return False
            if was_unclear and (refusals or not self.promise):
                break
            await asyncio.sleep(FULL_AGAIN_S if is_full else TRY_AGAIN_S)
        self.load.history.note("unanswered", act=self.act)
        return False

    async def _send(self) -> tuple[int | None, str]:
        """Send the request to some server; return the status, None when there was no whole answer, and the task."""
        headers = {"Idempotency-Key": self.promise} if self.promise else {}
        answer = await self.call("POST", self.path, self.body, headers)
        if answer is None:
            return None, ""
        status, body = answer
        if status != 200:
            self.load.history.note(
                "turned away", act=self.act, status=status, body=body[:300].decode("utf-8", "replace")
            )
            return status, ""
        task = task_of(json.loads(body))
        self.load.history.note("acked", act=self.act, task=task)
        return status, task

    def _seen(self, body: bytes, since: float) -> str:
        state = state_of(json.loads(body))
        self.load.history.note("seen", task=self.task, state=state, since=since)
        return state

    async def _see_it_end(self) -> str:
        """Look at the task until it has ended or is gone; "" for gone."""
        while True:
            since = now_s()
            if self.look == "events":
                state = await self._watch(since)
            else:
                query = "?wait=3" if self.look == "wait" else ""
                answer = await self.call("GET", f"/ark{ARK}/cgt-{self.task}{query}")
                state = "?"
                if answer is not None and answer[0] == 200:
                    state = self._seen(answer[1], since)
                elif answer is not None and answer[0] == 404:
                    self.load.history.note("not there", task=self.task)
                    return ""
            if state in ENDED:
                return state
            await asyncio.sleep(0.3 + self.patience_s)

    async def _watch(self, since: float) -> str:
        """Read events of the task until it ends or the stream does."""
        load = self.load
        url = f"{load.chance.choice(load.urls)}/ark{ARK}/cgt-{self.task}/events"
        sent = {"Authorization": f"Bearer {load.keys[self.key_number]}"}
        state = "?"
        try:
            async with load.session.get(url, headers=sent) as response:
                if response.status != 200:
                    # Too many watch, or the server has no events: polled then.
                    self.look = "poll"
                    return state
                async for line in response.content:
                    if line.startswith(b"data:") and b'"status"' in line:
                        state = self._seen(line[5:], since)
                        if state in ENDED:
                            return state
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            return "?"
        return state

    async def _remove(self, way: str) -> None:
        """Ask once for its removal or cancellation, whatever the answer is."""
        answer = None
        self.load.history.note("removing", task=self.task, way=way)
        if way == "delete":
            answer = await self.call("DELETE", f"/ark{ARK}/cgt-{self.task}")
        else:
            answer = await self.call("POST", f"/understudy/v1/tasks/{self.task}/cancel")
        self.load.history.note("removed", task=self.task, way=way, status=None if answer is None else answer[0])
