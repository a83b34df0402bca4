"""Films whose boxes are bombs or lie: lengths, tables, tracks, fragments, sizes. Source of all: ISO/IEC 14496-12."""

import functools
import struct
import zlib

from hostile_media.bytes_of import MEGABYTE, boxes, packed_zeros, patched
from hostile_media.film_boxes import (
    MEDIA,
    PLAIN,
    TABLES,
    TICKS_PER_S,
    TRACK,
    changed,
    table,
    with_box,
    with_more,
    without_edits,
)
from hostile_media.kind import VIDEO, Hostile, Part
from odd_media import box, film, found_box, full_box

_PART = Part()
FILMS: dict[str, Hostile] = _PART.files


def _of_tracks(count: int) -> bytes:
    """The pictures' track so many times."""
    whole = film(sounds=0, num_frames=2)
    return with_more((b"moov",), found_box(whole, b"trak") * (count - 1), of=whole)


def _one_long_picture(ticks: int) -> bytes:
    whole = without_edits(film(num_frames=1, sounds=0))
    whole = with_box((*TABLES, b"stts"), table(b"stts", 1, 1, ticks), of=whole)
    return changed(whole, (*MEDIA, b"mdhd"), lambda old: patched(old, 20, struct.pack(">I", 1)))


def _edited(*edits: tuple[int, int, int]) -> bytes:
    """A film whose pictures have this edit list: length in film time, start in track time, rate. 8.6.6."""
    packed = b"".join(struct.pack(">IiI", *each) for each in edits)
    return with_box((*TRACK, b"edts"), box(b"edts", full_box(b"elst", struct.pack(">I", len(edits)), packed)))


def _long_by_header() -> bytes:
    whole = film()
    ten_hours = struct.pack(">I", 36_000_000)
    whole = changed(whole, (b"moov", b"mvhd"), lambda old: patched(old, 24, ten_hours))
    whole = changed(whole, (*TRACK, b"tkhd"), lambda old: patched(old, 28, ten_hours))
    return changed(whole, (*MEDIA, b"mdhd"), lambda old: patched(old, 24, struct.pack(">I", 0xFFFFFFFF)))


NO_END = struct.pack(">I", 1)
IDENTITY = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)

_PART.read("film that says ten hours", VIDEO, _long_by_header, **PLAIN)
_PART.read("film of one picture for 30 years", VIDEO, lambda: _one_long_picture(1_000_000_000), num_frames=1)
_PART.read(
    "film whose times stand still",
    VIDEO,
    lambda: with_box((*TABLES, b"stts"), table(b"stts", 1, 48, 0), of=film(sounds=0)),
    num_frames=48,
)
_PART.read(
    "film whose last picture lasts a day",
    VIDEO,
    lambda: with_box((*TABLES, b"stts"), table(b"stts", 2, 47, 512, 1, 86_400 * TICKS_PER_S), of=film(sounds=0)),
    num_frames=48,
)
_PART.read("film with an edit of ten hours", VIDEO, lambda: _edited((36_000_000, 0, 1 << 16)), num_frames=48)
_PART.read(
    "film that begins after ten empty hours",
    VIDEO,
    lambda: _edited((36_000_000, -1, 1 << 16), (2000, 0, 1 << 16)),
    num_frames=48,
)
_PART.read("film that begins in its middle", VIDEO, lambda: _edited((1000, TICKS_PER_S, 1 << 16)), num_frames=24)
_PART.read("film shown a thousand times over", VIDEO, lambda: _edited(*[(2000, 0, 1 << 16)] * 1000), width_px=864)
_PART.read("film edited to stand still", VIDEO, lambda: _edited((36_000_000, 0, 0)), width_px=864)
_PART.read("film edited by an unknown rate", VIDEO, lambda: _edited((2000, 0, 0xFFFFFFFF)), width_px=864)
_PART.refused(
    "film whose pictures come after its end",
    VIDEO,
    lambda: with_more(TABLES, table(b"ctts", 1, 48, 0x7FFFFFFF, version=1)),
    reason="no pictures",
)
# It would be shown for half an hour, which is for the rules to refuse.
_PART.read("film of ten thousand edits", VIDEO, lambda: _edited(*[(20, 0, 1 << 16)] * 10_000), num_frames=10_000)
_PART.refused(
    "film edited to nothing", VIDEO, lambda: _edited((2000, 0x7FFFFFFF, 1 << 16)), reason="no pictures | damaged"
)

_PART.read("film of thirty-two tracks", VIDEO, lambda: _of_tracks(32), num_frames=2)
_PART.refused("film of thirty-three tracks", VIDEO, lambda: _of_tracks(33), reason="33 tracks, at most 32")
# FFmpeg's own bound is met, and its word for that is the one for no memory.
_PART.refused("film of 500 tracks", VIDEO, lambda: _of_tracks(500), reason="tracks | memory")
_PART.refused("film of 20000 tracks", VIDEO, lambda: _of_tracks(20_000), reason="tracks | memory")


@functools.cache
def _many_samples(count: int) -> bytes:
    """A film whose pictures' tables speak of so many samples of one byte."""
    whole = film(sounds=0)
    for new in (
        table(b"stsz", 1, count),
        table(b"stts", 1, count, 1),
        table(b"stsc", 1, 1, count, 1),
    ):
        whole = with_box((*TABLES, new[4:8]), new, of=whole)
    return whole


_PART.refused("film of 600000 samples", VIDEO, lambda: _many_samples(600_000), reason="damaged | packets | cut off")
_PART.refused("film of 2^31 samples", VIDEO, lambda: _many_samples(0x7FFFFFFF), reason="damaged | memory")
_PART.read(
    "film of a million times",
    VIDEO,
    lambda: with_box(
        (*TABLES, b"stts"), full_box(b"stts", struct.pack(">I", 1_000_000), struct.pack(">II", 1, 512) * 1_000_000)
    ),
    num_frames=48,
)
_PART.read(
    "film of a million beginnings",
    VIDEO,
    lambda: with_box((*TABLES, b"stss"), full_box(b"stss", struct.pack(">I", 1_000_000), NO_END * 1_000_000)),
    num_frames=48,
)
_PART.refused(
    "film of a million chunks that are all the same",
    VIDEO,
    lambda: with_box(
        (*TABLES, b"stco"), full_box(b"stco", struct.pack(">I", 1_000_000), struct.pack(">I", 48) * 1_000_000)
    ),
    reason="damaged | cut off",
)
for _name, _entry, _reason in (
    ("stsz", (0, 0xFFFFFFFF), "damaged | no pictures"),
    ("stco", (0xFFFFFFFF,), "damaged | no pictures"),
    ("stsc", (0xFFFFFFFF,), "damaged | no pictures"),
    ("stsd", (0xFFFFFFFF,), "damaged | no pictures | locked | cannot"),
):
    _PART.refused(
        f"film whose {_name} claims 4 billion",
        VIDEO,
        lambda name=_name, entry=_entry: with_box((*TABLES, name.encode()), table(name.encode(), *entry)),
        reason=_reason,
    )
_PART.refused(
    "film whose pictures lie beyond its end",
    VIDEO,
    lambda: with_box((*TABLES, b"stco"), table(b"stco", 1, 0x7FFFFFFF), of=film(sounds=0)),
    reason="cut off | damaged",
)
_PART.refused(
    "film whose pictures are its index",
    VIDEO,
    lambda: with_box((*TABLES, b"stco"), table(b"stco", 1, film(sounds=0).index(b"moov")), of=film(sounds=0)),
    reason="damaged | cut off",
)
_PART.refused(
    "film whose pictures are 2 GB each",
    VIDEO,
    lambda: with_box((*TABLES, b"stsz"), table(b"stsz", 0x7FFFFFF0, 48), of=film(sounds=0)),
    reason="cut off | damaged",
)
_PART.refused(
    "film of one picture begun nowhere",
    VIDEO,
    lambda: with_box((*TABLES, b"stss"), table(b"stss", 0), of=_zero_first()),
    reason="damaged",
)


def _zero_first() -> bytes:
    """A film whose one picture that begins anew is zeros."""
    whole = film(sounds=0)
    at = whole.index(b"mdat") + 4
    return patched(whole, at, bytes(struct.unpack_from(">I", found_box(whole, b"stsz"), 20)[0]))


def fragmented(fragments: int, *, pictures: int = 1, fill: bytes = b"") -> bytes:
    """A film whose index is empty and which comes in fragments, each the same. 8.8."""
    whole = film(num_frames=1, sounds=0)
    sample = found_box(whole, b"mdat")[8:]
    for name in (b"stts", b"stsc", b"stco"):
        whole = with_box((*TABLES, name), table(name, 0), of=whole)
    whole = with_box((*TABLES, b"stsz"), table(b"stsz", 0, 0), of=without_edits(whole))
    whole = with_more((b"moov",), box(b"mvex", full_box(b"trex", struct.pack(">5I", 1, 1, 512, 0, 0))), of=whole)
    head = b"".join(part for part in boxes(whole) if part[4:8] in (b"ftyp", b"moov"))
    runs = struct.pack(">I", len(sample)) * pictures

    def index(offset: int) -> bytes:
        run = full_box(b"trun", struct.pack(">Ii", pictures, offset), runs, flags=0x201)
        return box(
            b"moof",
            full_box(b"mfhd", bytes(4)),
            box(b"traf", full_box(b"tfhd", struct.pack(">I", 1), flags=0x20000), run),
        )

    part = index(len(index(0)) + 8) + box(b"mdat", sample * pictures) + fill
    return head + part * fragments


@functools.cache
def _large_fragment(count: int) -> bytes:
    whole = fragmented(1)
    at = whole.index(b"trun") + 8
    return patched(whole, at, struct.pack(">I", count))


_PART.read("film of one fragment", VIDEO, lambda: fragmented(1), num_frames=1)
_PART.read("film of 500 fragments", VIDEO, lambda: fragmented(500), num_frames=500)
_PART.read(
    "film of fragments with gaps", VIDEO, lambda: fragmented(3, fill=box(b"free", bytes(MEGABYTE))), num_frames=3
)
_PART.refused(
    "film of a fragment of 4 billion", VIDEO, lambda: _large_fragment(0xFFFFFFFF), reason="damaged | no pictures"
)
_PART.refused("film whose fragment breaks off", VIDEO, lambda: fragmented(4)[:-2000], reason="cut off | damaged")
_PART.refused(
    "film of empty fragments",
    VIDEO,
    lambda: fragmented(1)[: fragmented(1).index(b"moof") - 4] + box(b"moof", full_box(b"mfhd", bytes(4))) * 200_000,
    reason="no pictures | damaged",
)


def _in_box(size: bytes, name: bytes = b"moov") -> bytes:
    """A film whose index's head is these bytes instead."""
    whole = film()
    at = whole.index(b"moov") - 4
    return whole[:at] + size[:4] + name + size[4:] + whole[at + 8 :]


_PART.read("film whose index is as long as the rest", VIDEO, lambda: _in_box(bytes(4)), **PLAIN)
_PART.read(
    "film of long sizes", VIDEO, lambda: _in_box(struct.pack(">IQ", 1, 8 + len(found_box(film(), b"moov")))), **PLAIN
)
for _name, _size in (("2^63", 1 << 63), ("2^63 - 1", (1 << 63) - 1)):
    # More than there is means all there is.
    _PART.read(f"film whose index has {_name}", VIDEO, lambda size=_size: _in_box(struct.pack(">IQ", 1, size)), **PLAIN)
for _name, _size in (
    ("2^64 - 1", struct.pack(">IQ", 1, (1 << 64) - 1)),
    ("4 bytes", struct.pack(">I", 4)),
):
    _PART.refused(
        f"film whose index has {_name}",
        VIDEO,
        lambda size=_size: _in_box(size),
        reason="damaged | no pictures | cut off",
    )
_PART.read(
    "film with a box inside out",
    VIDEO,
    lambda: with_more((b"moov",), struct.pack(">I4s", 0x7FFFFFFF, b"udta") + bytes(64)),
    **PLAIN,
)
_PART.read("film with a hundred thousand empty boxes", VIDEO, lambda: film() + box(b"free") * 100_000, **PLAIN)
_PART.read("film with 100 MB behind", VIDEO, lambda: film() + box(b"free", bytes(100 * MEGABYTE)), **PLAIN)
_PART.read("film with two indexes", VIDEO, lambda: film() + found_box(film(), b"moov"), **PLAIN)
_PART.refused(
    "film of a hundred thousand indexes",
    VIDEO,
    lambda: box(b"ftyp", b"isom", bytes(4)) + box(b"moov") * 100_000,
    reason="damaged | no pictures",
)
_PART.read(
    "film of words without end",
    VIDEO,
    lambda: with_more((b"moov",), box(b"udta", *[box(b"\xa9nam", struct.pack(">HH", 9000, 0), bytes(9000))] * 2000)),
    **PLAIN,
)
_PART.read("film with boxes in boxes behind", VIDEO, lambda: film() + _nested(3000), **PLAIN)
_PART.refused(
    "film of boxes in boxes in its index",
    VIDEO,
    lambda: with_more((b"moov",), _nested(60_000, b"udta")),
    reason="damaged | memory | cannot be read",
)


def _nested(depth: int, name: bytes = b"moov") -> bytes:
    sizes = (8 * (depth - each) for each in range(depth))
    return b"".join(struct.pack(">I4s", size, name) for size in sizes)


def _packed_index(plain: bytes | None = None, *, claims_bytes: int | None = None, packed: bytes | None = None) -> bytes:
    """A film of QuickTime whose index is packed. Source: QuickTime File Format, "Compressed Movie Resources"."""
    whole = film(container="mov")
    index = found_box(whole, b"moov")
    content = zlib.compress(index if plain is None else plain) if packed is None else packed
    length_bytes = len(index) if claims_bytes is None else claims_bytes
    cmvd = box(b"cmvd", struct.pack(">I", length_bytes), content)
    return whole.replace(index, box(b"moov", box(b"cmov", box(b"dcom", b"zlib"), cmvd)))


_PART.read("mov with a packed index", VIDEO, _packed_index, num_frames=48, container="mov")
_PART.refused(
    "mov with a bomb for an index",
    VIDEO,
    lambda: _packed_index(claims_bytes=2_000_000_000, packed=packed_zeros(64 * MEGABYTE)),
    reason="damaged | memory | no pictures",
)
_PART.refused(
    "mov with an index of 128 MB",
    VIDEO,
    lambda: _packed_index(claims_bytes=128 * MEGABYTE, packed=packed_zeros(128 * MEGABYTE)),
    reason="damaged | memory | no pictures",
)
_PART.refused(
    "mov whose packed index is noise",
    VIDEO,
    lambda: _packed_index(packed=bytes(range(256))),
    reason="damaged | no pictures",
)
