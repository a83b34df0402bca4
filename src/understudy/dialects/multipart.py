"""The parts of a multipart form, as they come: texts stay in memory, files go to a spool where there is one."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn, Protocol

from python_multipart.decoders import Base64Decoder, QuotedPrintableDecoder
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from understudy.dialects.json_body import BODY, reject_value, shown
from understudy.dialects.json_spool import JsonSpool, Spool

# Our own bounds, far above any request that a model serves.
FIELDS_MAX = 500
FILES_MAX = 32
_HEADERS_MAX = 16
_HEADER_BYTES_MAX = 8192

_TEXT_TYPES = ("application/json", "text/plain")
_FIRST_BYTES = 64
_JSON = re.compile(rb"\s*[{\[]")
_BLANK = re.compile(rb"\s*\Z")
_UNENCODED = (b"binary", b"8bit", b"7bit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file of a form. media_type: as declared, lower case, "" when it was not. file_name: the client's own name.

    address: in the spool, where its bytes went there; ``content`` then holds the first of them only.
    """

    file_name: str
    media_type: str
    content: bytes
    address: str = ""

    @property
    def is_text(self) -> bool:
        """Say whether the file stands for a text."""
        return self.media_type in _TEXT_TYPES


Pair = tuple[str, str | Upload]


class _Writer(Protocol):
    """What takes the bytes of one part."""

    def write(self, data: bytes, /) -> object: ...


class MultipartForm:
    """Reads the parts of one form. pairs: names with texts and files, in their order.

    spool: where files go; without one they stay in memory. is_json: says of a field's name whether its text may be
    JSON; what is large in there goes to the spool as well. text_bytes: what is held in memory.
    """

    def __init__(self, boundary: bytes, spool: Spool | None = None, *, is_json: Callable[[str], bool]) -> None:
        if not boundary:
            reject_value("Content-Type", "multipart/form-data needs a boundary.")
        self.pairs: list[Pair] = []
        self._spool = spool
        self._is_json = is_json
        self._files = 0
        self._held_bytes = 0
        self._is_whole = False
        self._header_name = self._header_value = b""
        self._headers: dict[bytes, bytes] = {}
        self._part: _Text | _File | None = None
        self._writer: _Writer | None = None
        try:
            self._parser: MultipartParser | None = MultipartParser(
                boundary,
                callbacks={
                    "on_part_begin": self._on_part_begin,
                    "on_header_field": self._on_header_field,
                    "on_header_value": self._on_header_value,
                    "on_header_end": self._on_header_end,
                    "on_headers_finished": self._on_headers_finished,
                    "on_part_data": self._on_part_data,
                    "on_part_end": self._on_part_end,
                    "on_end": self._on_end,
                },
                max_header_count=_HEADERS_MAX,
                max_header_size=_HEADER_BYTES_MAX,
            )
        except FormParserError as error:
            _refuse(error)

    @property
    def text_bytes(self) -> int:
        """Return how much is held in memory."""
        return self._held_bytes + (self._part.held_bytes if self._part is not None else 0)

    def feed(self, data: bytes) -> None:
        """Take the next part of the body.

        Raises: Rejected.
        """
        if self._parser is None:
            return
        try:
            self._parser.write(data)
        except FormParserError as error:
            _refuse(error)

    def end(self) -> list[Pair]:
        """Return the pairs of a form that is whole.

        Raises: Rejected.
        """
        if self._parser is not None:
            try:
                self._parser.finalize()
            except FormParserError as error:
                _refuse(error)
        if not self._is_whole:
            reject_value(BODY, "the multipart form ends before its last boundary.")
        return self.pairs

    def close(self) -> None:
        """Let go of what refers back here: it would keep the form in memory until the next full collection."""
        if self._parser is not None:
            self._parser.callbacks = {}
        self._parser = self._part = self._writer = None

    def _on_part_begin(self) -> None:
        self._headers = {}

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _on_header_end(self) -> None:
        self._headers[self._header_name.lower()] = self._header_value.strip(b" \t")
        self._header_name = self._header_value = b""

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        name = self._name(options.get(b"name"))
        file_name = options.get(b"filename")
        if file_name is None:
            self._part = _Text(name, self._spool if self._is_json(name) else None)
        else:
            self._files += 1
            if self._files > FILES_MAX:
                reject_value(BODY, f"a form has at most {FILES_MAX} files.")
            kind = self._headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()
            told = Upload(file_name=shown(file_name.decode("utf-8", "replace")), media_type=kind, content=b"")
            self._part = _File(name, told, None if told.is_text else self._spool)
        encoding = self._headers.get(b"content-transfer-encoding", b"7bit").lower()
        if encoding in _UNENCODED:
            self._writer = self._part
        elif encoding == b"base64":
            self._writer = Base64Decoder(self._part)
        elif encoding == b"quoted-printable":
            self._writer = QuotedPrintableDecoder(self._part)
        else:
            known = shown(encoding.decode("latin-1"))
            reject_value(BODY, f"it is not a well-formed multipart form: unknown Content-Transfer-Encoding {known}.")

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._writer is not None:
            self._writer.write(data[start:end])

    def _on_part_end(self) -> None:
        if isinstance(self._writer, Base64Decoder | QuotedPrintableDecoder):
            self._writer.finalize()
        if self._part is not None:
            self.pairs.append((self._part.name, self._part.whole()))
            self._held_bytes += self._part.held_bytes
        self._part = self._writer = None

    def _on_end(self) -> None:
        self._is_whole = True

    def _name(self, name: bytes | None) -> str:
        if not name:
            reject_value(BODY, "a part of the form has no name.")
        if len(self.pairs) == FIELDS_MAX:
            reject_value(BODY, f"a form has at most {FIELDS_MAX} fields.")
        return text_in("name", name)


class _Text:
    """A field. spool: takes what is large in its text, where that is JSON."""

    def __init__(self, name: str, spool: Spool | None) -> None:
        self.name = name
        self._bytes = bytearray()
        self._spool = spool
        self._json: JsonSpool | None = None

    @property
    def held_bytes(self) -> int:
        return len(self._bytes if self._json is None else self._json.text)

    def write(self, data: bytes) -> None:
        if self._json is not None:
            self._json.feed(data)
            return
        self._bytes += data
        if self._spool is None or _BLANK.match(self._bytes):
            return
        if _JSON.match(self._bytes):
            self._json = JsonSpool(self._spool)
            self._json.feed(bytes(self._bytes))
        self._spool = None

    def whole(self) -> str:
        if self._json is None:
            return text_in(self.name, self._bytes)
        self._json.end()
        return text_in(self.name, self._json.text)


class _File:
    """A file. told: all but its bytes."""

    def __init__(self, name: str, told: Upload, spool: Spool | None) -> None:
        self.name = name
        self._told = told
        self._spool = spool
        self._bytes = bytearray()
        self._address = ""

    @property
    def held_bytes(self) -> int:
        return len(self._bytes)

    def write(self, data: bytes) -> None:
        if self._spool is None:
            self._bytes += data
            return
        # An empty file has no address, and is refused where that is seen.
        if data and not self._address:
            self._address = self._spool.begin()
        if data:
            self._bytes += data[: max(_FIRST_BYTES - len(self._bytes), 0)]
            self._spool.write(data)

    def whole(self) -> Upload:
        told = self._told
        return Upload(
            file_name=told.file_name, media_type=told.media_type, content=bytes(self._bytes), address=self._address
        )


def text_in(name: str, content: bytes | bytearray) -> str:
    """Return the text of a field.

    Raises: Rejected: no UTF-8, or with a NUL character.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        reject_value(shown(name), f"it is not UTF-8 text (byte {error.start}).")
    if "\x00" in text:
        reject_value(shown(name), "the text holds a NUL character.")
    return text


def _refuse(error: FormParserError) -> NoReturn:
    reject_value(BODY, f"it is not a well-formed multipart form: {shown(str(error))}.")
