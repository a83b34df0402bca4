"""Web addresses as callers write them, read by one parser once: what was checked is what is connected to."""

import re
from urllib.parse import quote

from yarl import URL

from understudy.net.guard import Guard, is_name, literal

URL_CHARACTERS_MAX = 8192
"""Our own bound, that of addresses in requests: signed addresses have about 2000 characters."""

WELL_KNOWN_PORTS = range(1024)
"""Ports that the system gives out (RFC 6335, section 6): of them only those of http and https are for the web; on the
others mail servers and the like would read our request as theirs."""

REASON_CHARACTERS_MAX = 200
"""Of a log line a caller may fill."""

WEB_PORTS = frozenset({80, 443})
WEB_SCHEMES = frozenset({"http", "https"})

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_AUTHORITY = re.compile(r"(\[[^\]]*:[^\]]*\]|[^:\[\]]+)(:[0-9]*)?", re.ASCII)
_KEPT = "%/:?#[]@!$&'()*+,;=~-._"


class Refused(Exception):
    """The address will not be contacted. reason: for the log, never for a caller; it may name private addresses."""

    def __init__(self, reason: str) -> None:
        self.reason = reason[:REASON_CHARACTERS_MAX]
        super().__init__(self.reason)


def web_address(text: str, guard: Guard) -> URL:
    """Return an address that may be asked for, as it is to be sent: path and query are kept to the letter.

    Only the host's name is rewritten (lower case, IDNA); a fragment is dropped, and what cannot stand in a request,
    such as a space, is escaped. Signatures cover the exact spelling of the rest.

    Raises: Refused. The addresses behind a host's name are still to be judged.
    """
    text = text.strip(" ")
    if len(text) > URL_CHARACTERS_MAX:
        raise Refused(f"the address has {len(text)} characters, at most {URL_CHARACTERS_MAX} are read")
    if _CONTROL.search(text):
        raise Refused("the address has control characters in it")
    try:
        parsed, verbatim = URL(text), URL(text, encoded=True)
        if parsed.scheme not in WEB_SCHEMES:
            raise Refused(f"the scheme {parsed.scheme!r} is not fetched, only http and https")
        if "@" in verbatim.raw_authority:
            raise Refused("the address has a user name in it")
        if not _AUTHORITY.fullmatch(verbatim.raw_authority) or not parsed.raw_host:
            raise Refused("the address has no host, or a strange port")
        host, port = parsed.raw_host, parsed.port
        asked = URL.build(
            scheme=parsed.scheme,
            host=f"[{host}]" if ":" in host else host,
            port=None if parsed.is_default_port() else port,
            path=quote(verbatim.raw_path, safe=_KEPT) or "/",
            query_string=quote(verbatim.raw_query_string, safe=_KEPT),
            encoded=True,
        )
        if (asked.raw_host, asked.port) != (host, port):
            raise Refused("the address means two hosts")
    except ValueError as error:
        raise Refused(f"the address cannot be read: {_unquoted(error)}") from error
    if not (is_name(host) or literal(host)):
        raise Refused(f"{host!r} is neither a host name nor an address in its usual spelling")
    if not port or (port in WELL_KNOWN_PORTS and port not in WEB_PORTS and not guard.is_allowed(host)):
        raise Refused(f"port {port} is not one of the web")
    return asked


def redirected(here: URL, location: str, guard: Guard) -> URL:
    """Return where a redirect leads, judged as any other address.

    Raises: Refused.
    """
    if len(location) > URL_CHARACTERS_MAX or _CONTROL.search(location):
        raise Refused("the address of the redirect is too long or has control characters in it")
    try:
        there = here.join(URL(location, encoded=True))
    except ValueError as error:
        raise Refused(f"the address of the redirect cannot be read: {_unquoted(error)}") from error
    return web_address(str(there), guard)


def _unquoted(error: ValueError) -> str:
    """Return what the parser says up to where it quotes the address, which may have a password in it."""
    return type(error).__name__ if isinstance(error, UnicodeError) else str(error).partition("'")[0].rstrip(": ")
