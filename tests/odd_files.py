"""Files that are odd, wrong or harmful, each with what must become of it when it is measured.

ODD["pixel bomb"].content()   the bytes
ODD["pixel bomb"].modality    what it is given as
ODD["pixel bomb"].reason      a part of the reason it is refused for; "" = it is read
ODD["turned jpeg 6"].facts    of a file that is read: some fields of `core.media.MediaFacts`
"""

import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from odd_media import (
    SOUNDS,
    animation,
    box,
    chunk,
    film,
    found_box,
    full_box,
    heic,
    mp3_with_cover,
    picture,
    pixel_bomb,
    sound,
    text_bomb,
    uneven_mp3,
)
from understudy.core.modality import Modality

IMAGE, VIDEO, AUDIO = Modality.IMAGE, Modality.VIDEO, Modality.AUDIO


@dataclass(frozen=True, slots=True, kw_only=True)
class OddFile:
    content: Callable[[], bytes]
    modality: Modality
    reason: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_refused(self) -> bool:
        return not self.facts


ODD: dict[str, OddFile] = {}


def _refused(name: str, modality: Modality, content: Callable[[], bytes], reason: str) -> None:
    assert name not in ODD
    ODD[name] = OddFile(content=content, modality=modality, reason=reason)


def _read(name: str, modality: Modality, content: Callable[[], bytes], **facts: Any) -> None:
    assert name not in ODD
    ODD[name] = OddFile(content=content, modality=modality, facts=facts)


IMAGES: dict[str, Callable[[], bytes]] = {
    **{kind: lambda kind=kind: picture(kind) for kind in ("png", "jpeg", "webp", "bmp", "tiff", "gif")},
    "heic": heic,
}
FILMS: dict[str, Callable[[], bytes]] = {"mp4": film, "mov": lambda: film(container="mov")}
HEARD: dict[str, Callable[[], bytes]] = {"wav": sound, "mp3": lambda: sound("mp3")}
ZIP = b"PK\x03\x04" + bytes(300)
FASTSTART = (("movflags", "faststart"),)


def _zeroed(whole: bytes) -> bytes:
    start = whole.index(b"mdat") + 4
    end = start - 8 + struct.unpack_from(">I", whole, start - 8)[0]
    return whole[:start] + bytes(end - start) + whole[end:]


def _with_box(whole: bytes, new: bytes, *, within: tuple[bytes, ...]) -> bytes:
    """The film, its index behind its media, with the first box of that name replaced; the boxes around it grow."""
    name = new[4:8]
    old = found_box(whole, name)
    changed, start = bytearray(whole), whole.index(name) - 4
    for around in within:
        at = whole.index(around) - 4
        struct.pack_into(">I", changed, at, struct.unpack_from(">I", changed, at)[0] + len(new) - len(old))
    return bytes(changed[:start]) + new + bytes(changed[start + len(old) :])


TABLES = (b"moov", b"trak", b"mdia", b"minf", b"stbl")


def _referring(address: bytes) -> bytes:
    """A film whose media are said to lie elsewhere. Source: ISO/IEC 14496-12, 8.7.2."""
    other = full_box(b"dref", struct.pack(">I", 1), full_box(b"url ", address + b"\0"))
    return _with_box(film(), other, within=(b"moov", b"trak", b"mdia", b"minf", b"dinf"))


def _patched(whole: bytes, at: int, new: bytes) -> bytes:
    return whole[:at] + new + whole[at + len(new) :]


def _png(width_px: int, height_px: int, *parts: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width_px, height_px, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(parts) + chunk(b"IEND")


def _gif(width_px: int, height_px: int) -> bytes:
    whole = picture("gif")
    return _patched(whole, 6, struct.pack("<HH", width_px, height_px))


def _jpeg(width_px: int, height_px: int) -> bytes:
    whole = picture("jpeg")
    return _patched(whole, whole.index(b"\xff\xc0") + 5, struct.pack(">HH", height_px, width_px))


def _bmp(width_px: int, height_px: int) -> bytes:
    return _patched(picture("bmp"), 18, struct.pack("<ii", width_px, height_px))


def _webp(width_px: int, height_px: int) -> bytes:
    whole = animation("webp")
    sizes = struct.pack("<I", width_px - 1)[:3] + struct.pack("<I", height_px - 1)[:3]
    return _patched(whole, whole.index(b"VP8X") + 12, sizes)


def _tiff(width_px: int, height_px: int) -> bytes:
    whole = picture("tiff")
    directory = struct.unpack_from("<I", whole, 4)[0]
    for number in range(struct.unpack_from("<H", whole, directory)[0]):
        at = directory + 2 + 12 * number
        tag = struct.unpack_from("<H", whole, at)[0]
        if tag in (256, 257):
            whole = _patched(whole, at, struct.pack("<HHII", tag, 4, 1, width_px if tag == 256 else height_px))
    return whole


def _looping_tiff() -> bytes:
    """A TIFF whose first directory names itself as the next one."""
    whole = picture("tiff")
    directory = struct.unpack_from("<I", whole, 4)[0]
    end = directory + 2 + 12 * struct.unpack_from("<H", whole, directory)[0]
    return _patched(whole, end, struct.pack("<I", directory))


def _nested() -> bytes:
    inner = b""
    for _ in range(5000):
        inner = box(b"moov", inner)
    return box(b"ftyp", b"isom", bytes(4), b"isom") + inner


def _claiming_wav() -> bytes:
    whole = sound("wav")
    return _patched(whole, whole.index(b"data") + 4, b"\xff\xff\xff\xff")


def _locked() -> bytes:
    """A film whose pictures are said to be encrypted, and are. Source: ISO/IEC 23001-7."""
    whole = film(sounds=0)
    start = whole.index(b"mdat") + 4
    end = start - 8 + struct.unpack_from(">I", whole, start - 8)[0]
    locked = bytes(byte ^ 0xA5 for byte in whole[start:end])
    return (whole[:start] + locked + whole[end:]).replace(b"avc1\0\0\0\0\0\0", b"encv\0\0\0\0\0\0")


NO_MEDIA: dict[str, tuple[bytes, str]] = {
    "zeros": (bytes(5000), "no kind that is known"),
    "one byte": (b"\xff", "no kind that is known"),
    "noise": (bytes((i * i * 7919 >> 7) & 0xFF for i in range(1, 9000)), "no kind that is known"),
    "text": (b"this is no picture\n" * 50, "a text"),
    "json": (b'{"error": "not found"}', "json"),
    "web page": (b"<!DOCTYPE html><html><body>404</body></html>", "a web page"),
    "svg": (b'<?xml version="1.0"?><svg><image href="file:///etc/passwd"/></svg>', "svg"),
    "svg entities": (b'<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]><svg>&a;</svg>', "svg"),
    "mvg": (b"push graphic-context\nimage over 0,0 0,0 'https://127.0.0.1/x'\npop graphic-context\n", "a text"),
    "pdf": (b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n", "pdf"),
    "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "postscript"),
    "hls playlist": (b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n", "a playlist"),
    "hls playlist behind blanks": (b"\n\n #EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1:9/x\n", "a playlist"),
    "hls playlist of addresses": (b"#EXTM3U\n#EXTINF:10,\nhttp://169.254.169.254/\n", "a playlist"),
    "concat script": (b"ffconcat version 1.0\nfile /etc/passwd\n", "ffconcat"),
    "dash manifest": (b'<?xml version="1.0"?><MPD><BaseURL>file:///etc/passwd</BaseURL></MPD>', "a playlist"),
    "smil": (b'<smil><video src="file:///etc/passwd"/></smil>', "a playlist"),
    "sdp": (b"v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\n", "a text"),
    "zip": (b"PK\x03\x04" + bytes(200), "zip"),
    "gzip": (b"\x1f\x8b\x08" + bytes(200), "gzip"),
    "program": (b"\x7fELF" + bytes(200), "a program"),
}
for _name, (_content, _reason) in NO_MEDIA.items():
    for _modality in (IMAGE, VIDEO, AUDIO):
        _refused(f"{_name} as {_modality}", _modality, lambda content=_content: content, _reason)
for _modality in (IMAGE, VIDEO, AUDIO):
    _refused(f"nothing as {_modality}", _modality, lambda: b"", "is empty")

for _modality, _kinds in ((IMAGE, IMAGES), (VIDEO, FILMS), (AUDIO, HEARD)):
    for _kind, _made in _kinds.items():
        for _other in {IMAGE, VIDEO, AUDIO} - {_modality}:
            _refused(f"{_kind} as {_other}", _other, _made, f"({_kind})")
        _refused(f"head of {_kind}", _modality, lambda made=_made: made()[:40], "")
        _read(f"plain {_kind}", _modality, _made, container=_kind)
        _read(
            f"{_kind} before a zip", _modality, lambda made=_made: made() + b"PK\x03\x04" + bytes(300), container=_kind
        )
for _kind, _made in IMAGES.items():
    _refused(f"half a {_kind}", IMAGE, lambda made=_made: made()[: len(made()) // 2], "damaged")

for _name, _content, _reason in (
    ("half a film, index first", lambda: film(options=FASTSTART)[: len(film()) // 2], "cut off"),
    ("a film without its end, index first", lambda: film(options=FASTSTART)[:-8000], "cut off"),
    ("half a film, index last", lambda: film()[: len(film()) // 2], "damaged"),
    ("half a mov", lambda: film(container="mov")[: len(film()) // 2], "damaged"),
    ("film of zeros", lambda: _zeroed(film()), "damaged"),
    ("silent film of zeros", lambda: _zeroed(film(sounds=0)), "damaged"),
    ("locked film", _locked, "locked"),
    ("film without pictures", lambda: film(num_frames=0, sound_s=1.0), "no pictures"),
    ("m4a as video", lambda: sound("m4a"), "m4a"),
    ("matroska", lambda: film(container="matroska"), "matroska"),
    ("avi", lambda: film(container="avi", codec="mpeg4", sound_codec="libmp3lame"), "avi"),
    ("mpeg-ts", lambda: film(container="mpegts"), "mpeg-ts"),
    ("flv", lambda: film(container="flv"), "flv"),
    ("film of forty tracks", lambda: film(sounds=40, num_frames=4), "41 tracks, at most 32"),
    ("film of boxes in boxes", _nested, "damaged"),
    ("film in a box without end", lambda: box(b"ftyp", b"isom", bytes(4)) + b"\0\0\0\1moov" + b"\xff" * 8, "damaged"),
    (
        "film with a table of 4 billion samples",
        lambda: _with_box(film(), full_box(b"stsz", struct.pack(">II", 9, 0xFFFFFFFF)), within=TABLES),
        "",
    ),
    (
        "film with a table of 200 million times",
        lambda: _with_box(film(), full_box(b"stts", struct.pack(">I", 200_000_000)), within=TABLES),
        "",
    ),
    ("film of 16000 pixels squared", lambda: film(codec="mpeg4", num_frames=1)[:200], "damaged"),
):
    _refused(_name, VIDEO, _content, _reason)

for _name, _content, _reason in (
    ("pixel bomb", pixel_bomb, "169000000 pixels, at most 36000000"),
    ("text bomb", text_bomb, "damaged"),
    ("png of 4 billion squared", lambda: _png(2**31 - 1, 2**31 - 1), "pixels"),
    ("png of no pixels", lambda: _png(0, 0), "damaged"),
    ("png without data", lambda: _png(400, 300), "damaged"),
    ("png of less data than pixels", lambda: _png(400, 300, chunk(b"IDAT", zlib.compress(bytes(1000)))), "damaged"),
    ("png with a chunk without end", lambda: picture("png")[:33] + b"\x7f\xff\xff\xffIDAT" + bytes(50), "memory"),
    ("png with a broken checksum", lambda: _patched(picture("png"), 29, b"\0\0\0\0"), "damaged"),
    ("gif of 65535 squared", lambda: _gif(65535, 65535), "4294836225 pixels"),
    ("gif of 1200 pictures", lambda: animation("gif", num_frames=1200, width_px=8, height_px=8), "1200 pictures"),
    ("jpeg of 65500 squared", lambda: _jpeg(65500, 65500), "4290250000 pixels"),
    ("bmp of 30000 squared", lambda: _bmp(30_000, 30_000), "900000000 pixels"),
    ("webp of 16000 squared", lambda: _webp(16_000, 16_000), "256000000 pixels"),
    ("tiff of 60000 squared", lambda: _tiff(60_000, 60_000), "3600000000 pixels"),
    ("heic of 30000 squared", lambda: heic(claimed_px=(30_000, 30_000)), "900000000 pixels"),
    ("heic that says it is smaller", lambda: heic(claimed_px=(40, 30)), "damaged"),
    ("half an animated gif", lambda: animation("gif")[: len(animation("gif")) // 2], "damaged"),
    ("half an animated webp", lambda: animation("webp")[: len(animation("webp")) // 2], "damaged"),
    ("gif that is a script", lambda: b"GIF89a=1;alert(1)//" + bytes(100), "damaged"),
    ("jpeg that is a script", lambda: b"\xff\xd8\xff\xe0" + b"<?php system($_GET[0]); ?>" * 20, "damaged"),
    ("png head before a film", lambda: b"\x89PNG\r\n\x1a\n" + film(), "damaged"),
    ("avif", lambda: picture("avif"), "avif"),
    ("ico", lambda: picture("ico"), "ico"),
    ("jpeg 2000", lambda: picture("jpeg2000"), "jpeg 2000"),
):
    _refused(_name, IMAGE, _content, _reason)

for _kind in ("flac", "ogg", "m4a", "aac"):
    _refused(f"{_kind} sound", AUDIO, lambda kind=_kind: sound(kind), f"({_kind})")
assert {"wav", "mp3", "flac", "ogg", "m4a", "aac"} == set(SOUNDS)
_refused("wav without data", AUDIO, lambda: sound("wav")[:44], "damaged")
_refused("mp3 of noise", AUDIO, lambda: (b"\xff\xfb\x90\x00" + b"\xa5" * 413) * 40, "damaged")
_refused("tag without sound", AUDIO, lambda: mp3_with_cover()[:5000], "no kind that is known")

for _orientation, _turn_deg in enumerate((0, 0, 180, 180, 270, 90, 90, 270), 1):
    _size = (300, 400) if _orientation > 4 else (400, 300)
    _read(
        f"turned jpeg {_orientation}",
        IMAGE,
        lambda orientation=_orientation: picture("jpeg", orientation=orientation),
        width_px=_size[0],
        height_px=_size[1],
        rotation_deg=_turn_deg,
    )
for _kind in ("png", "webp", "tiff"):
    _read(
        f"turned {_kind}",
        IMAGE,
        lambda kind=_kind: picture(kind, orientation=6),
        width_px=300,
        height_px=400,
        rotation_deg=90,
    )
_read("turned heic", IMAGE, lambda: heic(turned=1), width_px=300, height_px=400)
for _kind, _mode, _is_seen_through in (
    ("png", "I;16", False),
    ("png", "RGBA", True),
    ("png", "LA", True),
    ("png", "P", False),
    ("png", "1", False),
    ("jpeg", "L", False),
    ("jpeg", "CMYK", False),
    ("tiff", "CMYK", False),
    ("tiff", "RGBA", True),
    ("tiff", "I;16", False),
    ("webp", "RGBA", True),
    ("gif", "P", False),
):
    _read(
        f"{_kind} of mode {_mode}",
        IMAGE,
        lambda kind=_kind, mode=_mode: picture(kind, mode=mode),
        has_alpha=_is_seen_through,
        width_px=400,
        num_frames=1,
    )
_read("gif that one sees through", IMAGE, lambda: picture("gif", mode="P", transparency=0), has_alpha=True)
_read("packed tiff", IMAGE, lambda: picture("tiff", compression="tiff_lzw"), width_px=400)
_read("tiff like a jpeg", IMAGE, lambda: picture("tiff", compression="jpeg"), width_px=400)
_read("progressive jpeg", IMAGE, lambda: picture("jpeg", progressive=True), width_px=400)
_read(
    "jpeg with broken exif", IMAGE, lambda: picture("jpeg", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff" * 4), rotation_deg=0
)
_read("lossless webp", IMAGE, lambda: picture("webp", lossless=True), width_px=400)
_read("tiff that names itself", IMAGE, _looping_tiff, num_frames=1)
for _kind in ("gif", "webp", "png"):
    _read(f"{_kind} that moves", IMAGE, lambda kind=_kind: animation(kind), num_frames=3, is_animated=True)
_read("tiff of pages", IMAGE, lambda: animation("tiff"), num_frames=3, is_animated=False)

COARSE_CLOCK = (("video_track_timescale", "1000"),)
PLAIN_FILM = {"width_px": 864, "height_px": 480, "num_frames": 48, "duration_s": 2.0, "fps": 24.0}
for _name, _given, _facts in (
    ("film", {}, {**PLAIN_FILM, "video_codec": "h264", "audio_codec": "aac", "audio_tracks": 1, "channels": 2}),
    ("hevc film", {"codec": "libx265"}, {**PLAIN_FILM, "video_codec": "hevc"}),
    ("10-bit film", {"codec": "libx265", "pix_fmt": "yuv420p10le"}, {"pix_fmt": "yuv420p10le"}),
    ("film of an old codec", {"codec": "mpeg4"}, {"video_codec": "mpeg4", "num_frames": 48}),
    ("film turned by 90", {"rotation_deg": 90}, {"width_px": 480, "height_px": 864, "rotation_deg": 90}),
    ("film turned by 180", {"rotation_deg": 180}, {"width_px": 864, "height_px": 480, "rotation_deg": 180}),
    ("film turned by 270", {"rotation_deg": 270}, {"width_px": 480, "height_px": 864, "rotation_deg": 270}),
    ("film of wide pixels", {"pixel_aspect": (4, 3)}, {"width_px": 1152, "height_px": 480}),
    ("film of uneven steps", {"steps": (1, 1, 3)}, {"is_variable_rate": True, "num_frames": 48}),
    ("silent film", {"sounds": 0}, {**PLAIN_FILM, "audio_tracks": 0, "audio_codec": "", "channels": 0}),
    ("film of two sounds", {"sounds": 2}, {"audio_tracks": 2}),
    ("film of odd sides", {"width_px": 641, "height_px": 481, "pix_fmt": "yuv444p"}, {"width_px": 641}),
    ("film with a longer sound", {"sound_s": 5.0}, {"duration_s": 5.0, "num_frames": 48}),
    ("film of one picture", {"num_frames": 1}, {"num_frames": 1, "is_animated": False}),
    ("film with its index first", {"options": FASTSTART}, PLAIN_FILM),
    ("film in fragments", {"options": (("movflags", "frag_keyframe+delay_moov"),)}, {"num_frames": 48, "fps": 24.0}),
    (
        "film of a coarse clock",
        {"options": (("video_track_timescale", "1000"),)},
        {"fps": 24.0, "is_variable_rate": False},
    ),
    ("mov with pcm", {"container": "mov", "sound_codec": "pcm_s16le"}, {**PLAIN_FILM, "audio_codec": "pcm_s16le"}),
):
    _read(_name, VIDEO, lambda given=_given: film(**given), **_facts)
_read("film that refers to a file", VIDEO, lambda: _referring(b"file:///etc/passwd"), **PLAIN_FILM)
_read("film that refers to an address", VIDEO, lambda: _referring(b"http://127.0.0.1:9/x"), **PLAIN_FILM)

_read("wav that claims 4 GB", AUDIO, _claiming_wav, duration_s=3.0)
_read("mono wav", AUDIO, lambda: sound("wav", channels=1, sample_rate_hz=8000), channels=1, sample_rate_hz=8000)
_read("wav of 24 bits", AUDIO, lambda: sound("wav", codec="pcm_s24le"), audio_codec="pcm_s24le", duration_s=3.0)
_read("mp3 of uneven rates", AUDIO, uneven_mp3, duration_s=6.048)
_read("mp3 with a cover", AUDIO, mp3_with_cover, duration_s=3.0, audio_codec="mp3")
