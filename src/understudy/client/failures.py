"""Foreign exceptions of the HTTP library, mapped onto our own by one table."""

import httpx2

from understudy.core.errors import Unavailable, Violation

FOREIGN: tuple[tuple[type[httpx2.TransportError], str], ...] = (
    (httpx2.ConnectError, "cannot be reached"),
    (httpx2.TimeoutException, "did not answer in time"),
    (httpx2.ProxyError, "cannot be reached through the proxy"),
    (httpx2.UnsupportedProtocol, "is no http:// or https:// address"),
    (httpx2.TransportError, "broke off the connection"),
)
"""The first row that fits says what happened."""


def unreachable(error: httpx2.TransportError, root: str) -> Unavailable:
    """Return the error for a step that could not be performed at a server's root address."""
    what = next(words for kind, words in FOREIGN if isinstance(error, kind))
    return Unavailable(Violation("ServiceUnavailable", "", f"{root} {what} ({error})."))
