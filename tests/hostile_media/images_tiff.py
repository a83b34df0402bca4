"""TIFF files by hand: whatever their directories may say. Source: TIFF 6.0, section 2."""

import struct
import zlib
from collections.abc import Mapping

from hostile_media.bytes_of import MEGABYTE, packed_zeros
from hostile_media.kind import IMAGE, Hostile, Lure, Part
from odd_media import picture

_PART = Part()
TIFFS: dict[str, Hostile] = _PART.files

SHORT, LONG = 3, 4
WIDTH, HEIGHT, BITS, PACKING, COLOURS, STRIPS, SAMPLES, ROWS, STRIP_BYTES = 256, 257, 258, 259, 262, 273, 277, 278, 279
TILE_WIDTH, TILE_HEIGHT, TILES, TILE_BYTES, FORMAT, DEFLATE = 322, 323, 324, 325, 339, 8

Entries = Mapping[int, tuple[int, int, int]]


def tiff(entries: Entries, content: bytes = b"", *, following: int = 0) -> bytes:
    """One directory with these entries (tag: type, count, value), then the content, which begins at 8."""
    packed = b"".join(struct.pack("<HHII", tag, *entry) for tag, entry in sorted(entries.items()))
    directory = struct.pack("<H", len(entries)) + packed + struct.pack("<I", following)
    return struct.pack("<2sHI", b"II", 42, 8 + len(content)) + content + directory


def grey(width_px: int, height_px: int, content: bytes, **changes: tuple[int, int, int]) -> bytes:
    """A grey picture in one strip. changes: `t259=(SHORT, 1, 8)` replaces or adds an entry."""
    entries = {
        WIDTH: (LONG, 1, width_px),
        HEIGHT: (LONG, 1, height_px),
        BITS: (SHORT, 1, 8),
        PACKING: (SHORT, 1, 1),
        COLOURS: (SHORT, 1, 1),
        STRIPS: (LONG, 1, 8),
        SAMPLES: (SHORT, 1, 1),
        ROWS: (LONG, 1, height_px),
        STRIP_BYTES: (LONG, 1, len(content)),
    }
    return tiff(entries | {int(name[1:]): entry for name, entry in changes.items()}, content)


def _tiled(width_px: int, height_px: int, tile_px: int) -> bytes:
    content = zlib.compress(bytes(64))
    entries = {
        WIDTH: (LONG, 1, width_px),
        HEIGHT: (LONG, 1, height_px),
        BITS: (SHORT, 1, 8),
        PACKING: (SHORT, 1, DEFLATE),
        COLOURS: (SHORT, 1, 1),
        SAMPLES: (SHORT, 1, 1),
        TILE_WIDTH: (LONG, 1, tile_px),
        TILE_HEIGHT: (LONG, 1, tile_px),
        TILES: (LONG, 1, 8),
        TILE_BYTES: (LONG, 1, len(content)),
    }
    return tiff(entries, content)


def _pages(count: int) -> bytes:
    """Directories in a row, each of one pixel that lies in the head of the file."""
    entries = {
        WIDTH: (LONG, 1, 1),
        HEIGHT: (LONG, 1, 1),
        BITS: (SHORT, 1, 8),
        PACKING: (SHORT, 1, 1),
        COLOURS: (SHORT, 1, 1),
        STRIPS: (LONG, 1, 4),
        SAMPLES: (SHORT, 1, 1),
        ROWS: (LONG, 1, 1),
        STRIP_BYTES: (LONG, 1, 1),
    }
    packed = struct.pack("<H", len(entries))
    packed += b"".join(struct.pack("<HHII", tag, *entry) for tag, entry in sorted(entries.items()))
    step = len(packed) + 4
    following = (8 + step * (number + 1) if number + 1 < count else 0 for number in range(count))
    return b"II*\0" + struct.pack("<I", 8) + b"".join(packed + struct.pack("<I", each) for each in following)


PLAIN = bytes(400 * 300)
_PART.read("tiff by hand", IMAGE, lambda: grey(400, 300, PLAIN), width_px=400, height_px=300)
_PART.read("deflated tiff", IMAGE, lambda: grey(400, 300, zlib.compress(PLAIN), t259=(SHORT, 1, DEFLATE)), width_px=400)
_PART.read("tiff of runs", IMAGE, lambda: grey(400, 300, b"\x81\0" * 940, t259=(SHORT, 1, 32773)), width_px=400)
_PART.read(
    "tiff of floats", IMAGE, lambda: grey(400, 300, PLAIN * 4, t258=(SHORT, 1, 32), t339=(SHORT, 1, 3)), width_px=400
)
_PART.read("tiff where white is zero", IMAGE, lambda: grey(400, 300, PLAIN, t262=(SHORT, 1, 0)), width_px=400)
_PART.read("large tiff", IMAGE, lambda: picture("tiff", big_tiff=True), width_px=400)
_PART.read(
    "tiff with 28 MB between",
    IMAGE,
    lambda: grey(400, 300, PLAIN + bytes(28 * MEGABYTE), t279=(LONG, 1, len(PLAIN))),
    width_px=400,
)
_PART.read("tiff with a note of its own", IMAGE, lambda: grey(400, 300, PLAIN, t330=(LONG, 1, 8)), width_px=400)
# No more is unpacked than the picture has room for.
_PART.read(
    "deflated strip bomb",
    IMAGE,
    lambda: grey(400, 300, packed_zeros(128 * MEGABYTE), t259=(SHORT, 1, DEFLATE), t278=(LONG, 1, 0xFFFFFFFF)),
    width_px=400,
)
_PART.read(
    "tiff with a tag of 4 billion values",
    IMAGE,
    lambda: grey(400, 300, PLAIN, t258=(SHORT, 0xFFFFFFFF, 8)),
    width_px=400,
)
_PART.read("tiff of 300 pages", IMAGE, lambda: _pages(300), num_frames=300, is_animated=False)
for _name, _content, _reason in (
    ("tiff of 5000 pages", lambda: _pages(5_000), "5000 pictures"),
    ("tiff of a tile of a gigapixel", lambda: _tiled(400, 300, 32_768), "damaged"),
    ("tiff of 30000 squared in tiles", lambda: _tiled(30_000, 30_000, 256), "900000000 pixels"),
    ("tiff of 65535 samples", lambda: grey(400, 300, PLAIN, t277=(SHORT, 1, 65535)), "damaged"),
    ("tiff of 65535 bits", lambda: grey(400, 300, PLAIN, t258=(SHORT, 1, 65535)), "damaged"),
    ("tiff whose strip is 4 GB", lambda: grey(5900, 5900, PLAIN, t279=(LONG, 1, 0xFFFFFFFF)), "damaged"),
    ("tiff whose strip lies beyond its end", lambda: grey(400, 300, PLAIN, t273=(LONG, 1, 0xFFFFFF00)), "damaged"),
    ("tiff without a strip", lambda: tiff({WIDTH: (LONG, 1, 400), HEIGHT: (LONG, 1, 300)}), "damaged"),
    ("tiff of no entries", lambda: tiff({}), "damaged"),
    (
        "tiff whose directory lies beyond its end",
        lambda: b"II*\0" + struct.pack("<I", 0xFFFFFFF0) + bytes(64),
        "damaged",
    ),
    ("tiff of an unknown packing", lambda: grey(400, 300, PLAIN, t259=(SHORT, 1, 50_000)), "damaged"),
    ("tiff of no pixels", lambda: grey(0, 0, PLAIN), "damaged | no pixels"),
    ("tiff of one very long row", lambda: grey(0x7FFFFFFF, 1, PLAIN), "2147483647 pixels"),
):
    _PART.refused(_name, IMAGE, _content, reason=_reason)


def _named(to: Lure) -> bytes:
    """A name of another file, as tags 269 and 700 may have it, in front of the pixels' place."""
    told = f"{to.path}\0{to.url}\0".encode()
    entries = {
        WIDTH: (LONG, 1, 400),
        HEIGHT: (LONG, 1, 300),
        BITS: (SHORT, 1, 8),
        PACKING: (SHORT, 1, 1),
        COLOURS: (SHORT, 1, 1),
        269: (2, len(told), 8 + len(PLAIN)),
        STRIPS: (LONG, 1, 8),
        SAMPLES: (SHORT, 1, 1),
        ROWS: (LONG, 1, 300),
        STRIP_BYTES: (LONG, 1, len(PLAIN)),
        700: (1, len(told), 8 + len(PLAIN)),
    }
    return tiff(entries, PLAIN + told)


_PART.luring("tiff that refers elsewhere", IMAGE, _named, width_px=400)
