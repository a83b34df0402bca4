"""Content-Encoding as hosts really send it: unasked for, untrue, or a bomb."""

import zlib
from collections.abc import Iterator

PIECE_BYTES = 1 << 18
"""What a bomb can blow up to before anybody looks at it."""

_WINDOW_GZIP, _WINDOW_ZLIB = 31, 15
_CODINGS = {"gzip": _WINDOW_GZIP, "x-gzip": _WINDOW_GZIP, "deflate": _WINDOW_ZLIB}
_GZIP_MAGIC = b"\x1f\x8b"
_SNIFFED_BYTES = 2


class Damaged(Exception):
    """The compressed bytes are not what their beginning promises."""


class PlainBytes:
    """Takes the coding off a body that has one, whatever the header says; a body that has none passes as it is.

    We ask for no coding. Where a header names one all the same, the first bytes tell whether it is true (seed 004,
    "Technical Specifications": ``content-encoding: gzip`` before an uncompressed film). One layer is taken off; codings
    that we cannot read stay, and whoever looks at the file will say that it is no picture.

    is_plain: nothing was taken off so far, so that the bytes are those on the wire.
    """

    def __init__(self, content_encoding: str) -> None:
        named = (each.strip().lower() for each in content_encoding.split(","))
        self._window = next((_CODINGS[each] for each in named if each in _CODINGS), 0)
        self._head = b""
        self._is_decided = not self._window
        self._inflating: zlib._Decompress | None = None
        self.is_plain = True

    def feed(self, received: bytes) -> Iterator[bytes]:
        """Give the plain bytes in pieces, so that a taker who has enough can stop.

        Raises: Damaged.
        """
        if not self._is_decided:
            self._head += received
            if len(self._head) < _SNIFFED_BYTES:
                return
            received, self._head = self._head, b""
            self._decide(received)
        if self.is_plain:
            yield received
        else:
            yield from self._inflated(received)

    def end(self) -> bytes:
        """Return what was held back to look at.

        Raises: Damaged when a compressed body has not come to its end.
        """
        if self._inflating is not None:
            raise Damaged("the compressed body ends early")
        return self._head if self.is_plain else b""

    def _decide(self, begun: bytes) -> None:
        self._is_decided = True
        if self._window == _WINDOW_GZIP:
            is_true = begun.startswith(_GZIP_MAGIC)
        else:
            is_true = begun[0] & 0x0F == zlib.DEFLATED and int.from_bytes(begun[:2], "big") % 31 == 0
        if is_true:
            self.is_plain = False
            self._inflating = zlib.decompressobj(self._window)

    def _inflated(self, packed: bytes) -> Iterator[bytes]:
        while True:
            if self._inflating is None:
                # A gzip file may have several members; whatever else comes behind one is padding.
                packed = self._head + packed
                self._head = packed[:_SNIFFED_BYTES]
                if self._window != _WINDOW_GZIP or not packed.startswith(_GZIP_MAGIC):
                    return
                self._head, self._inflating = b"", zlib.decompressobj(self._window)
            try:
                piece = self._inflating.decompress(packed, PIECE_BYTES)
            except zlib.error as error:
                raise Damaged(f"the compressed body is damaged: {error}") from error
            if piece:
                yield piece
            packed = self._inflating.unconsumed_tail
            if self._inflating.eof:
                packed, self._inflating = self._inflating.unused_data, None
            elif not packed and len(piece) < PIECE_BYTES:
                return
