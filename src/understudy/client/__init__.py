"""The client: `Client` and `AsyncClient` over the Ark dialect, for this server and for Ark itself.

All logic is in `programs`, written once as generators that ask for steps; the two clients only perform the steps.
"""

from understudy.client.asynchronous import AsyncClient
from understudy.client.blocking import Client
from understudy.client.media import MediaFields, Source
from understudy.client.programs import Fields, FilmFields, RemotePage, Sighting, StillRunning
from understudy.dialects.codec import RemoteTask
from understudy.dialects.quote_body import RemoteQuote

__all__ = [
    "AsyncClient",
    "Client",
    "Fields",
    "FilmFields",
    "MediaFields",
    "RemotePage",
    "RemoteQuote",
    "RemoteTask",
    "Sighting",
    "Source",
    "StillRunning",
]
