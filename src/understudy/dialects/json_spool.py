"""Taking large data URLs out of JSON while it arrives: their bytes go to a spool, a short address takes their place.

Nothing is judged here. What is left is read by `json_body` as any body is, so that one parser says what JSON is and
what is wrong with it; wherever the scanner is in doubt, it leaves the text as it came.
"""

import json
import re
from collections.abc import Callable
from typing import Protocol

import pybase64

from understudy.core.media import DAMAGED
from understudy.dialects.json_body import SEPARATORS_MAX, refuse_separators

SHORT_BYTES = 4096
"""Data URLs up to this size stay where they are: a file of their own would cost more than they do."""
SPOOLED_MAX = 64
"""Our own bound, far above what any model takes; what comes after it stays in the text."""
PROSE_KEYS = frozenset(
    {
        *("text", "prompt", "negative_prompt", "user", "safety_identifier", "trace_id"),
        *("model", "name", "Name", "description", "Description"),
    }
)
"""Keys whose values are a person's words or names in every dialect, whatever they begin with."""
STRINGS_MAX = CLOSERS_MAX = 2 * SEPARATORS_MAX + 2
"""More strings, or colons and closing brackets, cannot stand in JSON of so few separators: it is none, and the parser
will say so."""

_HEADER_BYTES_MAX = 512
_KEY_BYTES_MAX = 64
_TOKEN = re.compile(rb'["\[\]{},:]')
_HEADER = re.compile(rb'data:(?:[^",\\]|\\/|\\u00[0-9a-f]{2}){0,200};base64,', re.IGNORECASE)
# Possessive, so that no text makes the matcher go back or remember.
_ANY = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_STRICT = re.compile(rb'[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+')
# What encoders of JSON make of base64: PHP escapes the slash, .NET the plus, and lines end where a tool wrapped them.
_OF_BASE64 = re.compile(rb'[^"\\]*+(?:\\(?:[/nr]|u00(?:2[bfBF]|3[dD]|0[adAD]))[^"\\]*+)*+')
_MEANT = (
    (b"\\/", b"/"),
    (b"\\n", b""),
    (b"\\r", b""),
    (b"\\u002B", b"+"),
    (b"\\u002b", b"+"),
    (b"\\u002F", b"/"),
    (b"\\u002f", b"/"),
    (b"\\u003D", b"="),
    (b"\\u003d", b"="),
    (b"\\u000A", b""),
    (b"\\u000a", b""),
    (b"\\u000D", b""),
    (b"\\u000d", b""),
)
_ESCAPE_BYTES = 6
_QUOTE, _BACKSLASH = b'"'[0], b"\\"[0]
_COMMA, _COLON = b","[0], b":"[0]
_COUNTED = b"[{,"
_DATA_CHARS = 5


class Spool(Protocol):
    """Takes the bytes of one file after the other."""

    def begin(self) -> str:
        """Start a file and return its address, ``spooled/<token>/<number>``."""
        ...

    def write(self, data: bytes) -> None:
        """Add to the file begun last."""
        ...

    def drop(self) -> None:
        """Forget the file begun last."""
        ...


class Damaged(Exception):
    """The text is not base64."""


class Base64Stream:
    """Decodes base64 that comes in pieces, as Go's decoder reads it: the usual alphabet, padded, nothing behind it.

    rest: what came last and is not decoded yet, because padding may stand in a text's last four characters only.
    """

    def __init__(self) -> None:
        self.rest = b""

    def feed(self, piece: bytes) -> bytes:
        """Return the bytes that are certain by now.

        Raises: Damaged; ``rest`` is then as it was before this piece.
        """
        whole = self.rest + piece
        certain = max(len(whole) - 1, 0) // 4 * 4
        decoded = _decoded(whole[:certain])
        self.rest = whole[certain:]
        return decoded

    def end(self, *, is_closed: bool) -> bytes:
        """Return the last bytes. is_closed: nothing stands behind them.

        Raises: Damaged.
        """
        if not is_closed:
            raise Damaged
        return _decoded(self.rest, is_last=True)


def _decoded(text: bytes, *, is_last: bool = False) -> bytes:
    if not is_last and b"=" in text:
        raise Damaged
    try:
        return pybase64.b64decode(text, validate=True)
    except ValueError:
        raise Damaged from None


class JsonSpool:
    """Scans one JSON text as it comes. text: what is to be parsed, with spooled data URLs as short addresses.

    A data URL that is not base64 ends with `DAMAGED`, so that whoever judges addresses can name the item.
    """

    def __init__(self, spool: Spool, *, short_bytes: int = SHORT_BYTES) -> None:
        self.text = bytearray()
        self._spool = spool
        self._short_bytes = short_bytes
        self._state: Callable[[bytes, int], int] = self._outside
        self._waiting = b""
        self._kept_from = 0
        self._open = bytearray()
        self._before = 0
        self._key: bytes | None = None
        self._separators = self._closers = self._strings = self._spooled = 0
        self._base64 = Base64Stream()
        self._address = ""

    def feed(self, data: bytes) -> None:
        """Take the next part of the text.

        Raises: Rejected: more values than are read.
        """
        part = self._waiting + data if self._waiting else data
        self._waiting, self._kept_from = b"", 0
        at = 0
        while at < len(part):
            after = self._state(part, at)
            if after < 0:
                at = ~after
                self._waiting = part[at:]
                break
            at = after
        self._keep(part, at)

    def end(self) -> None:
        """Take note that the text has ended; whether it was whole is the parser's to find."""
        if self._state == self._data:
            self._damage(b"")
        self.text += self._waiting
        self._waiting = b""

    # Each state takes a part from a place on and returns the place where it stopped, or ~place for "give me more".

    def _outside(self, part: bytes, at: int) -> int:
        found = _TOKEN.search(part, at)
        if found is None:
            return len(part)
        at = found.start()
        token = part[at]
        if token == _QUOTE:
            return self._string(part, at)
        self._before = token
        if token not in _COUNTED:
            self._closers += 1
            if self._closers > CLOSERS_MAX:
                self._state = self._verbatim
            if token != _COLON and self._open:
                self._open.pop()
            return at + 1
        self._separators += 1
        if self._separators > SEPARATORS_MAX:
            refuse_separators()
        if token != _COMMA:
            self._open.append(token)
        return at + 1

    def _string(self, part: bytes, at: int) -> int:
        """Look at what begins with the quote at the place: a key, a text, a short or a large data URL."""
        self._strings += 1
        start, is_in_object = at + 1, self._open[-1:] == b"{"
        if self._strings > STRINGS_MAX:
            self._state = self._verbatim
            return start
        if is_in_object and self._before != _COLON:
            return self._key_string(part, at)
        if is_in_object and _spells_prose(self._key):
            self._state = self._plain
            return start
        begins = part[start : start + _DATA_CHARS]
        if begins.lower() != b"data:"[: len(begins)]:
            self._state = self._plain
            return start
        most = start + _HEADER_BYTES_MAX + self._short_bytes
        end = _ANY.match(part, start, most).end()  # type: ignore[union-attr]
        if end < min(most, len(part)) and part[end] == _QUOTE:
            # A quote is at the place again when the string is whole, short and left as it is.
            self._state = self._plain
            return start
        if len(part) < most:
            self._strings -= 1
            return ~at
        header = _HEADER.match(part, start)
        if header is None or self._spooled == SPOOLED_MAX:
            self._state = self._plain
            return start
        self._spooled += 1
        self._keep(part, header.end())
        self._base64, self._address = Base64Stream(), self._spool.begin()
        self._state = self._data
        return header.end()

    def _key_string(self, part: bytes, at: int) -> int:
        """Remember a key; one that is too long to be in `PROSE_KEYS` need not be whole."""
        start = at + 1
        end = _ANY.match(part, start).end()  # type: ignore[union-attr]
        is_whole = end < len(part) and part[end] == _QUOTE
        if not is_whole and len(part) - at <= _KEY_BYTES_MAX:
            self._strings -= 1
            return ~at
        self._key = part[start:end] if is_whole and end - start <= _KEY_BYTES_MAX else None
        self._state = self._plain
        return start

    def _plain(self, part: bytes, at: int) -> int:
        end = _ANY.match(part, at).end()  # type: ignore[union-attr]
        if end == len(part):
            return end
        return self._closed(end) if part[end] == _QUOTE else ~end

    def _data(self, part: bytes, at: int) -> int:
        end = part.find(b'"', at)
        end = len(part) if end < 0 else end
        if part.find(b"\\", at, end) < 0:
            piece = part[at:end]
        else:
            end = _OF_BASE64.match(part, at).end()  # type: ignore[union-attr]
            piece = part[at:end]
            for escape, meant in _MEANT:
                piece = piece.replace(escape, meant)
        self._kept_from = end
        try:
            self._spool.write(self._base64.feed(piece))
            if end == len(part):
                return end
            if part[end] == _BACKSLASH and len(part) - end < _ESCAPE_BYTES:
                return ~end
            # Another escape than those of base64 is no end of it.
            self._spool.write(self._base64.end(is_closed=part[end] == _QUOTE))
        except Damaged:
            self._damage(part[at:end])
            return end
        self.text += self._address.encode("ascii")
        return self._closed(end)

    def _damaged(self, part: bytes, at: int) -> int:
        """Pass over the rest of a string that is no base64; what a parser would refuse in it stays in the text."""
        end = _STRICT.match(part, at).end()  # type: ignore[union-attr]
        self._doubt(part[at:end])
        self._kept_from = end
        if end == len(part):
            return end
        if part[end] == _QUOTE:
            return self._closed(end)
        if part[end] == _BACKSLASH and len(part) - end < _ESCAPE_BYTES:
            return ~end
        # No text in JSON has this: the parser is to see it.
        self._state = self._verbatim
        return end

    def _verbatim(self, part: bytes, at: int) -> int:
        return len(part)

    def _closed(self, at: int) -> int:
        self._before, self._state = _QUOTE, self._outside
        return at + 1

    def _damage(self, piece: bytes) -> None:
        """Give up on a data URL. piece: what came of its text since it was last decoded."""
        self._spool.drop()
        self._spooled -= 1
        self.text += DAMAGED.encode("ascii")
        piece = self._base64.rest + piece
        if _STRICT.fullmatch(piece):
            self._doubt(piece)
            self._state = self._damaged
        else:
            self.text += piece
            self._state = self._verbatim

    def _doubt(self, piece: bytes) -> None:
        """Keep what may be no storable text: its escapes and its UTF-8 are the parser's to judge."""
        if not piece.isascii() or b"\\u" in piece:
            self.text += piece

    def _keep(self, part: bytes, until: int) -> None:
        """Add to the text what was passed over since it was last added to."""
        self.text += part[self._kept_from : until]
        self._kept_from = until


def _spells_prose(key: bytes | None) -> bool:
    if key is None:
        return False
    if _BACKSLASH not in key:
        return key.decode("utf-8", "replace") in PROSE_KEYS
    try:
        return json.loads(b'"' + key + b'"') in PROSE_KEYS
    except ValueError:
        return False
