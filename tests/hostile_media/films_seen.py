"""Films by what is in them: pictures and how they are to be shown, codecs, other tracks, words, media elsewhere."""

import functools
import struct
import tempfile
from pathlib import Path
from typing import Any

import av
import numpy as np

from hostile_media.bytes_of import joined, patched
from hostile_media.film_boxes import (
    MEDIA,
    PLAIN,
    changed,
    with_box,
    with_more,
    without_edits,
)
from hostile_media.kind import VIDEO, Hostile, Lure, Part
from odd_media import animation, box, film, found_box, full_box, picture, pixel_bomb, pixels

_PART = Part()
FILMS_SEEN: dict[str, Hostile] = _PART.files


@functools.cache
def _large(side_px: int) -> bytes:
    """One black picture."""
    with tempfile.NamedTemporaryFile(suffix=".mp4") as file, av.open(file.name, "w") as made:
        video: Any = made.add_stream("libx264", rate=24, options={"preset": "ultrafast", "threads": "1"})
        video.width = video.height = side_px
        frame = av.VideoFrame(side_px, side_px, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes([128]) * plane.buffer_size)
        made.mux(video.encode(frame))
        made.mux(video.encode(None))
        made.close()
        return Path(file.name).read_bytes()


def _sized(width_px: int, height_px: int) -> bytes:
    whole = film()
    return patched(whole, whole.index(b"avc1", whole.index(b"stsd")) + 4 + 24, struct.pack(">HH", width_px, height_px))


def _aspect(across: int, down: int) -> bytes:
    whole = film(pixel_aspect=(4, 3))
    return patched(whole, whole.index(b"pasp") + 4, struct.pack(">II", across, down))


_PART.refused("film of 6016 pixels squared", VIDEO, lambda: _large(6016), reason="36192256 pixels, at most 36000000")
_PART.read("film whose index says 65535 squared", VIDEO, lambda: _sized(65_535, 65_535), width_px=864, height_px=480)
_PART.read("film whose index says nothing of its size", VIDEO, lambda: _sized(0, 0), width_px=864, height_px=480)
_PART.read("film of pixels as wide as the world", VIDEO, lambda: _aspect(0xFFFFFFFF, 1), height_px=480)
_PART.read("film of pixels of no height", VIDEO, lambda: _aspect(1, 0), width_px=1152, height_px=480)
_PART.read("film of high pixels", VIDEO, lambda: _aspect(1, 2), width_px=432, height_px=480)
_PART.read(
    "film turned in no way there is",
    VIDEO,
    lambda: patched(film(), film().index(b"tkhd") + 4 + 40, b"\x7f\xff\xff\xff" * 9),
    num_frames=48,
)
_PART.read(
    "film turned by 37 degrees",
    VIDEO,
    lambda: patched(
        film(), film().index(b"tkhd") + 4 + 40, struct.pack(">9i", 52341, 39441, 0, -39441, 52341, 0, 0, 0, 1 << 30)
    ),
    num_frames=48,
)


def _elsewhere(kind: bytes, content: bytes, *, flags: int = 0) -> bytes:
    """A film whose media are said to lie elsewhere, though they are in it. 8.7.2."""
    dref = full_box(b"dref", struct.pack(">I", 1), full_box(kind, content, flags=flags))
    return with_box((*MEDIA, b"minf", b"dinf"), box(b"dinf", dref))


def _alias(path: str) -> bytes:
    """An alias as QuickTime wrote them, of record version 2, with the path in all the forms FFmpeg knows."""
    name, folder = path.rpartition("/")[2].encode()[:63], path.rpartition("/")[0].encode()
    fixed = struct.pack(">4sHH", bytes(4), 150 + len(path), 2) + bytes(2) + bytes([4]) + b"disk".ljust(27, b"\0")
    fixed += bytes(12) + bytes([len(name)]) + name.ljust(63, b"\0") + bytes(16) + struct.pack(">hh", 1, 1) + bytes(16)
    tagged = b"".join(
        struct.pack(">hH", tag, len(text)) + text + b"\0" * (len(text) % 2)
        for tag, text in ((2, path.replace("/", ":").encode()), (18, path.encode()), (19, b"/"), (0, folder))
    )
    return fixed + tagged + struct.pack(">hH", -1, 0)


_PART.luring(
    "film whose media are at an address", VIDEO, lambda to: _elsewhere(b"url ", f"{to.url}/a.mp4\0".encode()), **PLAIN
)
_PART.luring(
    "film whose media are in a file", VIDEO, lambda to: _elsewhere(b"url ", f"file://{to.path}\0".encode()), **PLAIN
)
_PART.luring(
    "film whose media are in a named file",
    VIDEO,
    lambda to: _elsewhere(b"urn ", f"file\0{to.path}\0".encode()),
    **PLAIN,
)
_PART.luring(
    "film whose media are behind an alias", VIDEO, lambda to: _elsewhere(b"alis", _alias(to.path)), reason="damaged"
)
_PART.luring(
    "film whose media are behind a near alias",
    VIDEO,
    lambda to: _elsewhere(b"alis", _alias("../.." + to.path)),
    reason="damaged",
)
_PART.read("film whose media are behind an alias to itself", VIDEO, lambda: _elsewhere(b"alis", b"", flags=1), **PLAIN)
_PART.luring("film whose media are in a resource", VIDEO, lambda to: _elsewhere(b"rsrc", _alias(to.path)), **PLAIN)
_PART.luring(
    "film that is a list of films",
    VIDEO,
    lambda to: (
        box(b"ftyp", b"qt  ", bytes(4))
        + box(
            b"moov",
            box(
                b"rmra",
                *[
                    box(b"rmda", full_box(b"rdrf", b"url ", struct.pack(">I", len(each)), each))
                    for each in (f"{to.url}/a.mov\0".encode(), f"file://{to.path}\0".encode())
                ],
            ),
        )
    ),
    reason="damaged | no pictures",
)
_PART.luring(
    "film with words that are addresses",
    VIDEO,
    lambda to: with_more(
        (b"moov",), box(b"udta", box(b"\xa9url", struct.pack(">HH", 60, 0), f"{to.url} {to.path}".encode().ljust(60)))
    ),
    **PLAIN,
)
_PART.luring(
    "film with foreign words",
    VIDEO,
    lambda to: (
        film()
        + box(b"uuid", bytes.fromhex("be7acfcb97a942e89c71999491e3afac"), f"<a href='{to.url}'/>{to.path}".encode())
    ),
    **PLAIN,
)


def _told_noise() -> bytes:
    whole = film()
    at = whole.index(b"avcC") + 4
    return patched(whole, at, b"\1\x64\0\x1f\xff\xe1\xff\xff" + b"\xff" * 16)


def _with_cover(image: bytes) -> bytes:
    data = box(b"data", struct.pack(">II", 14, 0), image)
    meta = full_box(b"meta", full_box(b"hdlr", bytes(4), b"mdirappl", bytes(9)), box(b"ilst", box(b"covr", data)))
    return with_more((b"moov",), box(b"udta", meta))


@functools.cache
def told(
    codec: str = "libx264",
    *,
    container: str = "mp4",
    pix_fmt: str = "yuv420p",
    tags: tuple[tuple[str, Any], ...] = (),
    timecode: str = "",
    option: str = "",
) -> bytes:
    """A film of 24 pictures. tags: of the coder, such as `color_range`. timecode: makes a track of its own."""
    with tempfile.NamedTemporaryFile(suffix="." + container) as file, av.open(file.name, "w", format=container) as made:
        video: Any = made.add_stream(codec, rate=24)
        video.width, video.height, video.pix_fmt = 320, 240, pix_fmt
        if codec in ("libx264", "libx265"):
            video.options = {"preset": "ultrafast", "x265-params": "log-level=none" + option, "threads": "1"}
        if codec == "libx264" and option:
            video.options = {"preset": "ultrafast", "x264-params": option, "threads": "1"}
        if timecode:
            video.metadata["timecode"] = timecode
        for name, value in tags:
            setattr(video.codec_context, name, value)
        for index in range(24):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels(320, 240, step=index)), format="rgb24")
            frame.pts = index
            made.mux(video.encode(frame.reformat(format=pix_fmt)))
        made.mux(video.encode(None))
        made.close()
        return Path(file.name).read_bytes()


def _bt(primaries: int, transfer: int, matrix: int, *, full: bool = False) -> tuple[tuple[str, Any], ...]:
    return (
        ("color_primaries", primaries),
        ("color_trc", transfer),
        ("colorspace", matrix),
        ("color_range", 2 if full else 1),
    )


SMALL = {"width_px": 320, "height_px": 240, "num_frames": 24, "duration_s": 1.0}
for _name, _given, _facts in (
    (
        "film of high dynamic range",
        {"codec": "libx265", "pix_fmt": "yuv420p10le", "tags": _bt(9, 16, 9)},
        {"pix_fmt": "yuv420p10le", "video_codec": "hevc"},
    ),
    (
        "film of hybrid gamma",
        {"codec": "libx265", "pix_fmt": "yuv420p10le", "tags": _bt(9, 18, 9)},
        {"video_codec": "hevc"},
    ),
    ("film of old colours", {"tags": _bt(6, 6, 6)}, {"pix_fmt": "yuv420p"}),
    ("film of the full range", {"tags": _bt(1, 1, 1, full=True)}, {"video_codec": "h264"}),
    ("film of full range by its format", {"pix_fmt": "yuvj420p"}, {"pix_fmt": "yuvj420p"}),
    ("film of ten bits in h264", {"pix_fmt": "yuv420p10le"}, {"pix_fmt": "yuv420p10le"}),
    ("film of unhalved colours", {"pix_fmt": "yuv444p"}, {"pix_fmt": "yuv444p"}),
    ("grey film", {"pix_fmt": "gray"}, {"video_codec": "h264"}),
    ("film of colours stored plainly", {"codec": "libx264rgb", "pix_fmt": "rgb24"}, {"video_codec": "h264"}),
    ("mov with a track of time codes", {"container": "mov", "timecode": "01:00:00:00"}, {"container": "mov"}),
    ("mp4 with a track of time codes", {"timecode": "01:00:00:00"}, {"container": "mp4"}),
    ("mov of jpegs", {"codec": "mjpeg", "container": "mov", "pix_fmt": "yuvj420p"}, {"video_codec": "mjpeg"}),
    ("mov of pngs", {"codec": "png", "container": "mov", "pix_fmt": "rgb24"}, {"video_codec": "png"}),
    ("mov of prores", {"codec": "prores_ks", "container": "mov", "pix_fmt": "yuv422p10le"}, {"video_codec": "prores"}),
    (
        "mov of bare pixels",
        {"codec": "rawvideo", "container": "mov", "pix_fmt": "yuyv422"},
        {"video_codec": "rawvideo"},
    ),
    ("mp4 of vp9", {"codec": "libvpx-vp9"}, {"video_codec": "vp9"}),
    ("film without b pictures", {"option": "bframes=0"}, {}),
    ("film of open groups", {"option": "open-gop=1:keyint=6:bframes=3"}, {}),
    ("film that refreshes bit by bit", {"option": "intra-refresh=1:keyint=8"}, {}),
    ("film in halves", {"option": "interlaced=1:tff=1"}, {}),
):
    _PART.read(_name, VIDEO, lambda given=_given: told(**given), **{**SMALL, **_facts})
_PART.read("film with a cover", VIDEO, lambda: _with_cover(picture("jpeg")), **PLAIN)
_PART.read("film with a pixel bomb for a cover", VIDEO, lambda: _with_cover(pixel_bomb()), **PLAIN)
_PART.read("film with an animation for a cover", VIDEO, lambda: _with_cover(animation("png")), **PLAIN)
_PART.read(
    "film with a track nobody knows",
    VIDEO,
    lambda: with_more((b"moov",), found_box(film(), b"trak").replace(b"vide", b"what").replace(b"avc1", b"what")),
    **PLAIN,
)
_PART.read(
    "film with a track of text",
    VIDEO,
    lambda: with_more((b"moov",), found_box(film(), b"trak").replace(b"vide", b"text").replace(b"avc1", b"tx3g")),
    **PLAIN,
)
_PART.read(
    "film with two tracks of pictures", VIDEO, lambda: with_more((b"moov",), found_box(film(), b"trak")), **PLAIN
)
_PART.read("film without edits", VIDEO, lambda: without_edits(film()), **PLAIN)
_PART.read("film of an unknown brand", VIDEO, lambda: patched(film(), 8, b"what"), **PLAIN)
_PART.read(
    "film of an old mov without its first box",
    VIDEO,
    lambda: _unmoved(film(container="mov")),
    num_frames=48,
    container="mov",
)
_PART.refused(
    "film of a codec nobody knows",
    VIDEO,
    lambda: film().replace(b"avc1\0\0\0\0\0\0", b"what\0\0\0\0\0\0"),
    reason="codec that is not known | locked",
)
_PART.refused("film whose coder is told nothing", VIDEO, lambda: film().replace(b"avcC", b"free"), reason="damaged")
_PART.refused("film whose coder is told noise", VIDEO, _told_noise, reason="damaged")
_PART.refused(
    "hevc that says it is h264",
    VIDEO,
    lambda: film(codec="libx265").replace(b"hvc1\0\0\0\0\0\0", b"avc1\0\0\0\0\0\0"),
    reason="damaged",
)


def _unmoved(whole: bytes) -> bytes:
    """The first box turned into one of those that older files began with."""
    return patched(whole, 4, b"free")


def _names_of(to: Lure) -> bytes:
    return f"{to.path}\0{to.url}\0".encode()


_PART.luring(
    "film of a track named like a file",
    VIDEO,
    lambda to: changed(film(), (*MEDIA, b"hdlr"), lambda old: joined(b"hdlr", [old[8:32], _names_of(to)])),
    **PLAIN,
)
