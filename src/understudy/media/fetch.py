"""Media from the web: where a caller's address leads, as a file. What the file is, others find out."""

from pathlib import Path

from understudy.core.media import NotFetched, TooLarge
from understudy.net.download import Downloader, TooMuch
from understudy.net.http import Unreached
from understudy.net.web_address import Refused


class WebFetcher:
    """Fetches what callers name by its address, behind the guard of the client it was given.

    Its reasons are for the log. A caller is told one sentence, whether an address was refused, leads nowhere, or its
    host said no: otherwise the answers would draw a map of the operator's network. That there was too much is told.
    """

    def __init__(self, downloader: Downloader) -> None:
        self._downloader = downloader

    async def fetch(self, url: str, into: Path, *, most_bytes: int) -> int:
        try:
            return await self._downloader.to_file(url, into, most_bytes=most_bytes)
        except TooMuch as error:
            raise TooLarge(error.reason) from error
        except (Refused, Unreached) as error:
            raise NotFetched(error.reason) from error
