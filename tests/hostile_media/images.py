"""Images that are bombs, lie, or are only unusual. TIFF has a file of its own."""

import gzip
import io
import random
import struct
from collections.abc import Iterable

import numpy as np
import PIL.Image

from hostile_media.bytes_of import MEGABYTE, packed_zeros, patched
from hostile_media.kind import IMAGE, Hostile, Lure, Part
from odd_media import animation, box, chunk, film, found_box, full_box, heic, picture, pixel_bomb

_PART = Part()
IMAGES: dict[str, Hostile] = _PART.files

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, TRUE_COLOUR, PALETTE, GREY_ALPHA, TRUE_COLOUR_ALPHA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, TRUE_COLOUR: 3, PALETTE: 1, GREY_ALPHA: 2, TRUE_COLOUR_ALPHA: 4}
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""Where a pass of an interlaced PNG begins, across and down, and in what steps. Source: PNG, 8.2."""


def png(
    width_px: int,
    height_px: int,
    *,
    colour: int = TRUE_COLOUR,
    depth: int = 8,
    interlaced: bool = False,
    between: bytes = b"",
) -> bytes:
    """A PNG of zeros in any form there is. between: chunks before the pixels."""

    def rows(across: int, down: int) -> int:
        return down * (1 + -(-across * CHANNELS[colour] * depth // 8)) if across and down else 0

    steps = PASSES if interlaced else ((0, 0, 1, 1),)
    raw_bytes = sum(rows(-(-(width_px - x) // dx), -(-(height_px - y) // dy)) for x, y, dx, dy in steps)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width_px, height_px, depth, colour, 0, 0, int(interlaced)))
    palette = chunk(b"PLTE", bytes(range(12))) if colour == PALETTE else b""
    return SIGNATURE + header + palette + between + chunk(b"IDAT", packed_zeros(raw_bytes)) + chunk(b"IEND")


def _claiming(side_px: int) -> bytes:
    header = struct.pack(">IIBBBBB", side_px, side_px, 8, TRUE_COLOUR, 0, 0, 0)
    return SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", packed_zeros(1000)) + chunk(b"IEND")


def _texts(count: int, size_bytes: int) -> bytes:
    return chunk(b"tEXt", b"Comment\0" + b"x" * size_bytes) * count


def _before_pixels(whole: bytes, *chunks: bytes) -> bytes:
    at = whole.index(b"IDAT") - 4
    return whole[:at] + b"".join(chunks) + whole[at:]


for _name, _content, _reason in (
    ("png of 65500 squared", lambda: _claiming(65_500), "4290250000 pixels"),
    ("interlaced pixel bomb", lambda: png(6_100, 6_100, interlaced=True), "37210000 pixels"),
    ("grey pixel bomb", lambda: png(20_000, 20_000, colour=GREY, depth=1), "400000000 pixels"),
    ("png just above the most pixels", lambda: png(6001, 6000), "36006000 pixels"),
    (
        "itxt bomb",
        lambda: _before_pixels(picture(), chunk(b"iTXt", b"C\0\1\0\0\0" + packed_zeros(128 * MEGABYTE))),
        "damaged",
    ),
    (
        "many small text bombs",
        lambda: _before_pixels(picture(), chunk(b"zTXt", b"C\0\0" + packed_zeros(900_000)) * 300),
        "damaged",
    ),
    (
        "apng that claims 4 billion pictures",
        lambda: patched(animation("png"), animation("png").index(b"acTL") + 4, struct.pack(">II", 0xFFFFFFFF, 0)),
        "damaged",
    ),
    ("png of an unknown compression", lambda: patched(picture(), 26, b"\7"), "damaged"),
    (
        "png whose pixels are noise",
        lambda: _before_pixels(picture(), b"")[:60] + random.Random(1).randbytes(4000),
        "damaged",
    ),
):
    _PART.refused(_name, IMAGE, _content, reason=_reason)

_PART.read("png of one row", IMAGE, lambda: png(36_000_000, 1), width_px=36_000_000, height_px=1)
_PART.read("png of one column", IMAGE, lambda: png(1, 1_000_000), width_px=1, height_px=1_000_000)
_PART.read("png of one pixel", IMAGE, lambda: png(1, 1), width_px=1, height_px=1)
_PART.refused(
    "profile bomb",
    IMAGE,
    lambda: _before_pixels(picture(), chunk(b"iCCP", b"p\0\0" + packed_zeros(128 * MEGABYTE))),
    reason="damaged",
)
_PART.read("png with 28 MB of text", IMAGE, lambda: _before_pixels(picture(), _texts(28, 900_000)), width_px=400)
_PART.read(
    "png with 100 MB in a chunk nobody knows",
    IMAGE,
    lambda: _before_pixels(picture(), chunk(b"juNk", bytes(100 * MEGABYTE))),
    width_px=400,
)
_PART.read(
    "png with a hundred thousand chunks",
    IMAGE,
    lambda: _before_pixels(picture(), chunk(b"juNk") * 100_000),
    width_px=400,
)
_PART.refused(
    "png with a text of 100 MB", IMAGE, lambda: _before_pixels(picture(), _texts(1, 100 * MEGABYTE)), reason="damaged"
)
for _colour, _depth, _alpha in (
    (GREY, 1, False),
    (GREY, 2, False),
    (GREY, 4, False),
    (GREY, 16, False),
    (TRUE_COLOUR, 16, False),
    (PALETTE, 1, False),
    (PALETTE, 2, False),
    (PALETTE, 4, False),
    (GREY_ALPHA, 8, True),
    (GREY_ALPHA, 16, True),
    (TRUE_COLOUR_ALPHA, 8, True),
    (TRUE_COLOUR_ALPHA, 16, True),
):
    _PART.read(
        f"png of colour type {_colour} and {_depth} bits",
        IMAGE,
        lambda colour=_colour, depth=_depth: png(400, 300, colour=colour, depth=depth),
        width_px=400,
        height_px=300,
        has_alpha=_alpha,
    )
    if _depth in (1, 8, 16):
        _PART.read(
            f"interlaced png of colour type {_colour} and {_depth} bits",
            IMAGE,
            lambda colour=_colour, depth=_depth: png(401, 301, colour=colour, depth=depth, interlaced=True),
            width_px=401,
            height_px=301,
            has_alpha=_alpha,
        )
_PART.read(
    "palette with one clear colour",
    IMAGE,
    lambda: png(400, 300, colour=PALETTE, between=chunk(b"tRNS", b"\0")),
    has_alpha=True,
)
_PART.read(
    "grey with one clear level",
    IMAGE,
    lambda: png(400, 300, colour=GREY, between=chunk(b"tRNS", b"\0\0")),
    has_alpha=True,
)


def jpeg_with(*segments: tuple[int, bytes]) -> bytes:
    """A JPEG with application segments behind its first marker. segments: marker byte, content."""
    whole = picture("jpeg")
    made = b"".join(struct.pack(">BBH", 0xFF, marker, 2 + len(content)) + content for marker, content in segments)
    return whole[:2] + made + whole[2:]


def _exif(*entries: tuple[int, int, int, int], following: int = 0) -> tuple[int, bytes]:
    """An EXIF segment whose one directory has these entries: tag, type, count, value or offset."""
    packed = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    directory = struct.pack("<H", len(entries)) + packed + struct.pack("<I", following)
    return 0xE1, b"Exif\0\0II*\0\x08\0\0\0" + directory


def _profile_in_parts(count: int, content: bytes) -> Iterable[tuple[int, bytes]]:
    return ((0xE2, b"ICC_PROFILE\0" + bytes([number, count]) + content) for number in range(1, count + 1))


def _many_scans(whole: bytes, count: int) -> bytes:
    """The progressive JPEG with its last scan over and over."""
    last = whole.rindex(b"\xff\xda")
    return whole[:last] + whole[last:-2] * count + whole[-2:]


def time_bomb() -> bytes:
    """A quarter of a megabyte that takes a minute to decode: 400 scans of an empty picture of the most pixels."""
    file = io.BytesIO()
    PIL.Image.new("L", (6000, 6000)).save(file, "JPEG", progressive=True)
    return _many_scans(file.getvalue(), 400)


def _sampled(sampling: bytes) -> bytes:
    whole = picture("jpeg")
    return patched(whole, whole.index(b"\xff\xc0") + 11, sampling)


_PART.read("jpeg with 28 MB of segments", IMAGE, lambda: jpeg_with(*[(0xEB, bytes(65_000))] * 450), width_px=400)
_PART.read("jpeg with 100 MB of segments", IMAGE, lambda: jpeg_with(*[(0xEB, bytes(65_000))] * 1600), width_px=400)
_PART.read(
    "jpeg with 6 MB of exif",
    IMAGE,
    lambda: jpeg_with(*[(0xE1, b"Exif\0\0II*\0" + bytes(65_000))] * 100),
    rotation_deg=0,
)
_PART.read(
    "jpeg with a profile of 16 MB", IMAGE, lambda: jpeg_with(*_profile_in_parts(255, bytes(65_000))), width_px=400
)
_PART.read(
    "jpeg with a profile of noise",
    IMAGE,
    lambda: jpeg_with(*_profile_in_parts(2, random.Random(2).randbytes(900))),
    width_px=400,
)
_PART.read(
    "jpeg with a directory that names itself",
    IMAGE,
    lambda: jpeg_with(_exif((0x8769, 4, 1, 8), following=8)),
    width_px=400,
)
_PART.read(
    "jpeg that says it has 4 billion values", IMAGE, lambda: jpeg_with(_exif((0x010F, 2, 0xFFFFFFFF, 8))), width_px=400
)
_PART.read("jpeg of an orientation there is not", IMAGE, lambda: jpeg_with(_exif((0x0112, 3, 1, 77))), rotation_deg=0)
_PART.read(
    "jpeg with a small picture of 65500 squared",
    IMAGE,
    lambda: jpeg_with(_exif((0x0103, 3, 1, 6), (0x0100, 4, 1, 65_500), (0x0101, 4, 1, 65_500))),
    width_px=400,
)
_PART.read("jpeg of a thousand comments", IMAGE, lambda: jpeg_with(*[(0xFE, b"c" * 20)] * 1000), width_px=400)
_PART.read("jpeg of three colours and no turn", IMAGE, lambda: picture("jpeg", subsampling=0, quality=95), width_px=400)
_PART.read("jpeg with restarts", IMAGE, lambda: picture("jpeg", restart_marker_rows=1), width_px=400)
_PART.read(
    "jpeg with noise behind its end", IMAGE, lambda: picture("jpeg") + random.Random(3).randbytes(5000), width_px=400
)
# Cameras that write films of JPEGs leave the usual tables out, and libjpeg knows them.
_PART.read("jpeg without tables", IMAGE, lambda: picture("jpeg").replace(b"\xff\xc4", b"\xff\xfe"), width_px=400)
_PART.read("jpeg of 200 scans", IMAGE, lambda: _many_scans(picture("jpeg", progressive=True), 200), width_px=400)
for _name, _content, _reason in (
    ("jpeg without loss", lambda: picture("jpeg").replace(b"\xff\xc0", b"\xff\xc3", 1), "damaged"),
    (
        "jpeg of no pixels",
        lambda: patched(picture("jpeg"), picture("jpeg").index(b"\xff\xc0") + 5, bytes(4)),
        "damaged | no pixels",
    ),
    ("jpeg of odd samplings", lambda: _sampled(b"\xff"), "damaged"),
    ("jpeg of noise", lambda: b"\xff\xd8\xff\xe0" + random.Random(4).randbytes(9000), "damaged"),
    ("jpeg that is all markers", lambda: b"\xff\xd8" + b"\xff" * 200_000, "damaged"),
    ("jpeg of starts", lambda: b"\xff\xd8\xff\xd8" * 20_000, "damaged"),
):
    _PART.refused(_name, IMAGE, _content, reason=_reason)


def _gif(canvas_px: tuple[int, int], frames: Iterable[tuple[int, int, int, int]], comment: bytes = b"") -> bytes:
    """A GIF of one-colour frames: left, top, width, height of each; their pixels are missing but for the first one."""
    head = b"GIF89a" + struct.pack("<HHBBB", *canvas_px, 0xF0, 0, 0) + bytes(6)
    made = b"".join(b"," + struct.pack("<HHHHB", *frame, 0) + b"\2\2\x44\1\0" for frame in frames)
    comments = b"".join(
        b"!\xfe" + bytes([len(part)]) + part + b"\0"
        for part in (comment[at : at + 255] for at in range(0, len(comment), 255))
    )
    return head + comments + made + b";"


_PART.read(
    "gif of 900 large pictures", IMAGE, lambda: _gif((5000, 5000), [(0, 0, 1, 1)] * 900), num_frames=900, width_px=5000
)
_PART.read(
    "gif with 28 MB of comments", IMAGE, lambda: _gif((4, 4), [(0, 0, 1, 1)], b"c" * 28 * MEGABYTE), num_frames=1
)
_PART.refused(
    "gif of a hundred thousand pictures", IMAGE, lambda: _gif((4, 4), [(0, 0, 1, 1)] * 100_000), reason="pictures"
)
for _name, _content, _reason in (
    ("gif whose picture is larger than it", lambda: _gif((1, 1), [(0, 0, 60_000, 60_000)]), "pixels"),
    (
        "gif whose second picture is larger than it",
        lambda: _gif((1, 1), [(0, 0, 1, 1), (0, 0, 60_000, 60_000)]),
        "pixels",
    ),
    ("gif whose picture lies far away", lambda: _gif((1, 1), [(60_000, 60_000, 1, 1)]), "pixels"),
    ("gif of no pixels", lambda: _gif((0, 0), [(0, 0, 0, 0)]), "damaged | no pixels"),
    ("gif without pictures", lambda: _gif((400, 300), []), "damaged"),
    ("gif of long codes", lambda: _gif((9, 9), [(0, 0, 9, 9)]).replace(b"\2\2\x44\1\0", b"\xff\2\x44\1\0"), "damaged"),
    (
        "gif of endless extensions",
        lambda: b"GIF89a" + struct.pack("<HHBBB", 4, 4, 0, 0, 0) + b"!\xfe\1c\0" * 100_000,
        "damaged",
    ),
):
    _PART.refused(_name, IMAGE, _content, reason=_reason)


def _riff(*chunks: tuple[bytes, bytes], size_bytes: int | None = None) -> bytes:
    content = b"".join(name + struct.pack("<I", len(each)) + each + b"\0" * (len(each) % 2) for name, each in chunks)
    return b"RIFF" + struct.pack("<I", len(content) + 4 if size_bytes is None else size_bytes) + b"WEBP" + content


def _webp_parts() -> tuple[bytes, bytes]:
    """The name and content of a plain WebP's only chunk."""
    whole = picture("webp")
    return whole[12:16], whole[20 : 20 + struct.unpack_from("<I", whole, 16)[0]]


def _extended(flags: int, width_px: int, height_px: int) -> tuple[bytes, bytes]:
    sides = struct.pack("<I", width_px - 1)[:3] + struct.pack("<I", height_px - 1)[:3]
    return b"VP8X", bytes([flags, 0, 0, 0]) + sides


def _large_lossless() -> bytes:
    whole = picture("webp", lossless=True)
    return patched(whole, 21, struct.pack("<I", 16_383 | 16_383 << 14))


def _frame(width_px: int, height_px: int) -> tuple[bytes, bytes]:
    name, content = _webp_parts()
    sides = struct.pack("<I", width_px - 1)[:3] + struct.pack("<I", height_px - 1)[:3]
    return b"ANMF", bytes(6) + sides + b"\x64\0\0\0" + name + struct.pack("<I", len(content)) + content


ANIMATION = (b"ANIM", bytes(6))
_PART.read(
    "webp with a profile of 20 MB",
    IMAGE,
    lambda: _riff(_extended(0x20, 400, 300), (b"ICCP", bytes(20 * MEGABYTE)), _webp_parts()),
    width_px=400,
)
_PART.read(
    "webp with 28 MB of exif",
    IMAGE,
    lambda: _riff(_extended(8, 400, 300), _webp_parts(), (b"EXIF", b"II*\0" + bytes(28 * MEGABYTE))),
    width_px=400,
)
_PART.read(
    "webp with chunks nobody knows",
    IMAGE,
    lambda: _riff(_extended(0, 400, 300), *[(b"juNk", b"x")] * 5000, _webp_parts()),
    width_px=400,
)
# What a frame says of its own size is not believed.
_PART.read(
    "webp whose second picture is outside",
    IMAGE,
    lambda: _riff(_extended(2, 400, 300), ANIMATION, _frame(400, 300), _frame(16_000, 16_000)),
    num_frames=2,
)
_PART.read("webp with alpha and loss", IMAGE, lambda: picture("webp", mode="RGBA", quality=50), has_alpha=True)
for _name, _content, _reason in (
    ("lossless webp of 16384 squared", _large_lossless, "pixels"),
    ("webp whose canvas is not its picture", lambda: _riff(_extended(0, 500, 500), _webp_parts()), "damaged"),
    ("webp that claims 4 GB", lambda: _riff(_webp_parts(), size_bytes=0xFFFFFFFE), "damaged"),
    ("webp that claims nothing", lambda: _riff(_webp_parts(), size_bytes=0), "damaged"),
    (
        "webp of 1200 pictures",
        lambda: _riff(_extended(2, 400, 300), ANIMATION, *[_frame(400, 300)] * 1200),
        "1200 pictures",
    ),
    ("webp without a picture", lambda: _riff(_extended(0, 400, 300)), "damaged"),
    ("webp of 2^24 squared", lambda: _riff(_extended(2, 1 << 24, 1 << 24), ANIMATION, _frame(400, 300)), "pixels"),
):
    _PART.refused(_name, IMAGE, _content, reason=_reason)


def _bmp(width_px: int, height_px: int, pixels: bytes, *, bits: int = 8, packing: int = 0) -> bytes:
    """A BMP with a palette of zeros. packing: 0 = none, 1 = runs of 8 bits."""
    colours = bytes(4 * 256) if bits == 8 else b""
    head = struct.pack("<IiiHHIIiiII", 40, width_px, height_px, 1, bits, packing, len(pixels), 0, 0, 0, 0)
    return (
        b"BM" + struct.pack("<IHHI", 54 + len(colours) + len(pixels), 0, 0, 54 + len(colours)) + head + colours + pixels
    )


_PART.read("bmp from top to bottom", IMAGE, lambda: _bmp(400, -300, bytes(400 * 300)), width_px=400, height_px=300)
_PART.read(
    "bmp of packed runs", IMAGE, lambda: _bmp(400, 300, (b"\xff\0\x91\0\0\0") * 300 + b"\0\1", packing=1), width_px=400
)
_PART.read(
    "bmp of an old system",
    IMAGE,
    lambda: b"BM" + struct.pack("<IHHI", 0, 0, 0, 26) + struct.pack("<IHHHH", 12, 400, 300, 1, 24) + bytes(360_000),
    width_px=400,
)
for _name, _content, _reason in (
    ("bmp of almost no data", lambda: _bmp(5900, 5900, bytes(9)), "damaged"),
    ("bmp of a negative width", lambda: _bmp(-400, 300, bytes(400 * 300)), "damaged | no pixels | pixels"),
    ("bmp that is packed and ends at once", lambda: _bmp(5900, 5900, b"\0\1", packing=1), "damaged"),
    ("bmp of a packing there is not", lambda: _bmp(400, 300, bytes(400 * 300), packing=77), "damaged"),
    ("bmp of no colours", lambda: patched(picture("bmp"), 28, b"\0\0"), "damaged"),
    ("bmp whose pixels lie beyond its end", lambda: patched(picture("bmp"), 10, b"\xff\xff\xff\x7f"), "damaged"),
):
    _PART.refused(_name, IMAGE, _content, reason=_reason)


def tiled_heic(*, columns: int = 2, rows: int = 2, claimed_px: tuple[int, int] | None = None, tiles: int = 4) -> bytes:
    """An HEIC as phones write it: one picture of equal tiles. Source: ISO/IEC 23008-12, 6.6."""
    coded = film(codec="libx265", width_px=256, height_px=256, num_frames=1, sounds=0)
    tile = found_box(coded, b"mdat")[8:]
    shown = claimed_px or (256 * columns, 256 * rows)
    grid = struct.pack(">BBBBII", 0, 1, rows - 1, columns - 1, *shown)
    grid_id, ids = tiles + 1, range(1, tiles + 1)

    def meta(start: int) -> bytes:
        places = [struct.pack(">HHHHII", each, 0, 0, 1, start, len(tile)) for each in ids]
        places.append(struct.pack(">HHHHII", grid_id, 1, 0, 1, 0, len(grid)))
        infos = [full_box(b"infe", struct.pack(">HH", each, 0), b"hvc1\0", version=2, flags=1) for each in ids]
        infos.append(full_box(b"infe", struct.pack(">HH", grid_id, 0), b"grid\0", version=2))
        refers = box(b"dimg", struct.pack(f">HH{tiles}H", grid_id, tiles, *ids))
        properties = [
            found_box(coded, b"hvcC"),
            full_box(b"ispe", struct.pack(">II", 256, 256)),
            full_box(b"ispe", struct.pack(">II", *shown)),
        ]
        owned = b"".join(struct.pack(">HBBB", each, 2, 0x81, 2) for each in ids) + struct.pack(">HBB", grid_id, 1, 3)
        return full_box(
            b"meta",
            full_box(b"hdlr", bytes(4), b"pict", bytes(13)),
            full_box(b"pitm", struct.pack(">H", grid_id)),
            full_box(b"iloc", struct.pack(">BBH", 0x44, 0, tiles + 1), *places, version=1),
            full_box(b"iinf", struct.pack(">H", tiles + 1), *infos),
            box(b"iprp", box(b"ipco", *properties), full_box(b"ipma", struct.pack(">I", tiles + 1), owned)),
            full_box(b"iref", refers),
            box(b"idat", grid),
        )

    head = box(b"ftyp", b"heic", bytes(4), b"mif1heic")
    return head + meta(len(head) + len(meta(0)) + 8) + box(b"mdat", tile)


def _self_referring_heic() -> bytes:
    """The picture of tiles that is one of its own tiles."""
    whole = tiled_heic()
    at = whole.index(b"dimg") + 4
    return patched(whole, at, struct.pack(">HH4H", 5, 4, 5, 5, 5, 5))


_PART.read("heic of tiles", IMAGE, tiled_heic, width_px=512, height_px=512)
for _name, _content, _reason in (
    ("heic of tiles that claims 65536 squared", lambda: tiled_heic(columns=256, rows=256), "damaged | pixels"),
    ("heic of fewer tiles than it says", lambda: tiled_heic(columns=20, rows=20), "damaged"),
    ("heic that is its own tile", _self_referring_heic, "damaged"),
    (
        "heic whose picture lies beyond its end",
        lambda: patched(heic(), heic().index(b"iloc") + 4 + 4 + 4 + 6, struct.pack(">I", 0x7FFFFFFF)),
        "damaged",
    ),
    ("heic that says it has 65535 items", lambda: patched(heic(), heic().index(b"iinf") + 8, b"\xff\xff"), "damaged"),
    ("heic without pictures", lambda: box(b"ftyp", b"heic", bytes(4), b"mif1heic") + bytes(64), "damaged"),
    (
        "heic whose head never ends",
        lambda: box(b"ftyp", b"heic", bytes(4), b"mif1heic") + b"\xff\xff\xff\xffmeta" + bytes(64),
        "damaged",
    ),
):
    _PART.refused(_name, IMAGE, _content, reason=_reason)


def _xmp(to: Lure) -> bytes:
    return f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a href="{to.url}/x"/><stRef:filePath>{to.path}'.encode()


_PART.luring(
    "jpeg that refers elsewhere",
    IMAGE,
    lambda to: jpeg_with((0xE1, b"http://ns.adobe.com/xap/1.0/\0" + _xmp(to))),
    width_px=400,
)
_PART.luring(
    "png that refers elsewhere",
    IMAGE,
    lambda to: _before_pixels(picture(), chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + _xmp(to))),
    width_px=400,
)
_PART.luring(
    "webp that refers elsewhere",
    IMAGE,
    lambda to: _riff(_extended(4, 400, 300), _webp_parts(), (b"XMP ", _xmp(to))),
    width_px=400,
)
_PART.luring("gif that refers elsewhere", IMAGE, lambda to: _gif((4, 4), [(0, 0, 1, 1)], _xmp(to)), num_frames=1)
_PART.luring(
    "profile that is an address",
    IMAGE,
    lambda to: jpeg_with(*_profile_in_parts(1, f"{to.url}/p.icc {to.path}".encode())),
    width_px=400,
)


def _deep() -> bytes:
    file = io.BytesIO()
    PIL.Image.fromarray(np.zeros((300, 400), dtype=np.uint16)).save(file, "PNG")
    return file.getvalue()


_PART.read("png of grey in 16 bits", IMAGE, _deep, width_px=400, has_alpha=False)
_PART.read("small pixel bomb that is allowed", IMAGE, lambda: pixel_bomb(6000), width_px=6000, height_px=6000)
_PART.refused("packed png", IMAGE, lambda: gzip.compress(picture(), mtime=0), reason="gzip")
_PART.refused("packed zeros", IMAGE, lambda: packed_zeros(64 * MEGABYTE, 31), reason="gzip")
_PART.refused("zlib stream", IMAGE, lambda: packed_zeros(64 * MEGABYTE), reason="of no kind")
