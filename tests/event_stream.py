"""Reads a stream of events as a browser would, one event at a time; a test waits for what must come and no longer."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from typing import Any

from running_server import RunningServer


@dataclass(frozen=True)
class Event:
    """One event as it came."""

    name: str
    id: int | None
    data: str

    def json(self) -> Any:
        """Return its data as JSON."""
        return json.loads(self.data)


class EventStream:
    """One open stream."""

    def __init__(self, response: HTTPResponse, connection: HTTPConnection) -> None:
        self.response = response
        self.connection = connection
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.comments = 0
        self.retry_ms: int | None = None

    def next(self, *, passing: tuple[str, ...] = ("outlook",)) -> Event | None:
        """Return the next event that has none of these names, or None where the stream ends."""
        while True:
            event = self._any()
            if event is None or event.name not in passing:
                return event

    def _any(self) -> Event | None:
        fields: dict[str, str] = {}
        data: list[str] = []
        while line := self.response.readline().decode():
            name, _, value = line.rstrip("\n").partition(":")
            value = value.removeprefix(" ")
            if line == "\n":
                if data:
                    number = int(fields["id"]) if "id" in fields else None
                    return Event(fields.get("event", "message"), number, "\n".join(data))
                fields = {}
            elif not name:
                self.comments += 1
            elif name == "retry":
                self.retry_ms = int(value)
            elif name == "data":
                data.append(value)
            else:
                fields[name] = value
        return None

    def rest(self) -> list[Event]:
        """Return all events that still come."""
        return list(self._rest())

    def _rest(self) -> Iterator[Event]:
        while event := self.next():
            yield event


@contextmanager
def event_stream(
    server: RunningServer, path: str, *, last_id: int | str | None = None, **headers: str
) -> Iterator[EventStream]:
    """Open a stream as the server's caller until the block ends."""
    sent = {"Authorization": f"Bearer {server.api_key}", **headers}
    if last_id is not None:
        sent["Last-Event-ID"] = str(last_id)
    connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.request("GET", path, headers=sent)
        response = connection.getresponse()
        assert response.status == 200, response.read()
        yield EventStream(response, connection)
    finally:
        connection.close()
