"""Films taken apart and put together again by their boxes. Source: ISO/IEC 14496-12."""

import struct
from collections.abc import Callable, Sequence

from hostile_media.bytes_of import boxes, joined
from odd_media import film, full_box

TRACK = (b"moov", b"trak")
MEDIA = (*TRACK, b"mdia")
TABLES = (*MEDIA, b"minf", b"stbl")
PLAIN = {"width_px": 864, "height_px": 480, "num_frames": 48, "duration_s": 2.0, "fps": 24.0}
TICKS_PER_S = 12_288
"""Of the pictures' track, as FFmpeg writes it for 24 pictures per second."""

Change = Callable[[bytes], bytes]


def changed(whole: bytes, path: Sequence[bytes], change: Change) -> bytes:
    """The same boxes, the first one at the path changed, and those around it as long as they are now.

    The media must stand before the index, so that nothing the index speaks of moves.
    """
    parts, is_done = boxes(whole), False
    for index, part in enumerate(parts):
        if part[4:8] != path[0] or is_done:
            continue
        inner = change(part) if len(path) == 1 else joined(path[0], [changed(part[8:], path[1:], change)])
        parts[index], is_done = inner, True
    assert is_done, path
    return b"".join(parts)


def with_box(path: Sequence[bytes], new: bytes, *, of: bytes | None = None) -> bytes:
    """A film with the first box at the path replaced."""
    return changed(film() if of is None else of, path, lambda _: new)


def with_more(path: Sequence[bytes], more: bytes, *, of: bytes | None = None) -> bytes:
    """A film with more content at the end of the first box at the path."""
    return changed(film() if of is None else of, path, lambda old: joined(old[4:8], [old[8:], more]))


def table(name: bytes, *numbers: int, version: int = 0) -> bytes:
    """A full box of a count and 32-bit numbers."""
    return full_box(name, struct.pack(f">{len(numbers)}I", *numbers), version=version)


def without_edits(whole: bytes) -> bytes:
    """The same film, whose first track is shown from its beginning to its end."""
    return changed(whole, (*TRACK, b"edts"), lambda _: b"")
