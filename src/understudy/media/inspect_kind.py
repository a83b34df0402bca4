"""Tell the kind of a file by its first bytes. Whether it is whole, and what may be asked for, is not told here.

The table names more kinds than are read, so that a refusal can say what was given instead.
Sources: the signatures are those of the formats' own specifications, as in the media type sniffing standard
(mimesniff.spec.whatwg.org); brands of ISO media files are those registered at mp4ra.org.
"""

import contextlib
import struct
from dataclasses import dataclass
from typing import BinaryIO

from understudy.core.media import Unreadable
from understudy.core.media_types import MEDIA_TYPES
from understudy.core.modality import Modality

HEAD_BYTES = 4096
"""How much is looked at; `ftyp` boxes and the first tags of texts are far shorter."""

ZEROS_BYTES_MAX = 1 << 16
"""How many zeros may stand before an MP3's first frame; taggers leave room there for more tags."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of file. modality: None = a kind that is no medium. is_read: this house can measure it.

    noun: what a person calls it, with its article.
    """

    name: str
    noun: str
    modality: Modality | None = None
    media_type: str = ""
    is_read: bool = False


NOUNS = {Modality.IMAGE: "an image", Modality.VIDEO: "a video", Modality.AUDIO: "a sound"}


def _medium(name: str, modality: Modality) -> Kind:
    """Return a kind of medium; it is read if the wire has a name for it."""
    media_type = MEDIA_TYPES.get(name, "")
    return Kind(
        name=name,
        noun=f"{NOUNS[modality]} ({name})",
        modality=modality,
        media_type=media_type,
        is_read=bool(media_type),
    )


PNG = _medium("png", Modality.IMAGE)
JPEG = _medium("jpeg", Modality.IMAGE)
WEBP = _medium("webp", Modality.IMAGE)
BMP = _medium("bmp", Modality.IMAGE)
TIFF = _medium("tiff", Modality.IMAGE)
GIF = _medium("gif", Modality.IMAGE)
HEIC = _medium("heic", Modality.IMAGE)
MP4 = _medium("mp4", Modality.VIDEO)
MOV = _medium("mov", Modality.VIDEO)
WAV = _medium("wav", Modality.AUDIO)
MP3 = _medium("mp3", Modality.AUDIO)

READ = (PNG, JPEG, WEBP, BMP, TIFF, GIF, HEIC, MP4, MOV, WAV, MP3)
"""The kinds that are measured."""

PILLOW_FORMATS = {PNG: "PNG", JPEG: "JPEG", WEBP: "WEBP", BMP: "BMP", TIFF: "TIFF", GIF: "GIF", HEIC: "HEIF"}
"""What Pillow calls the images that are read; of each file it is told which one to expect."""

UNKNOWN = Kind(name="", noun="of no kind that is known here")

_SIGNATURES: tuple[tuple[bytes, Kind], ...] = (
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"\xff\xd8\xff", JPEG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"II*\0", TIFF),
    (b"MM\0*", TIFF),
    (b"II+\0", TIFF),
    (b"MM\0+", TIFF),
    (b"\0\0\0\x0cJXL \r\n\x87\n", _medium("jpeg xl", Modality.IMAGE)),
    (b"\xff\x0a", _medium("jpeg xl", Modality.IMAGE)),
    (b"\0\0\0\x0cjP  \r\n\x87\n", _medium("jpeg 2000", Modality.IMAGE)),
    (b"8BPS", _medium("psd", Modality.IMAGE)),
    (b"\0\0\1\0", _medium("ico", Modality.IMAGE)),
    (b"qoif", _medium("qoi", Modality.IMAGE)),
    (b"\x76\x2f\x31\x01", _medium("exr", Modality.IMAGE)),
    (b"\x1a\x45\xdf\xa3", _medium("matroska or webm", Modality.VIDEO)),
    (b"FLV\1", _medium("flv", Modality.VIDEO)),
    (b"\0\0\1\xba", _medium("mpeg", Modality.VIDEO)),
    (b"\0\0\1\xb3", _medium("mpeg", Modality.VIDEO)),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", _medium("windows media", Modality.VIDEO)),
    (b"fLaC", _medium("flac", Modality.AUDIO)),
    (b"OggS", _medium("ogg", Modality.AUDIO)),
    (b"#!AMR", _medium("amr", Modality.AUDIO)),
    (b"MThd", _medium("midi", Modality.AUDIO)),
    (b"caff", _medium("caf", Modality.AUDIO)),
    (b"#EXTM3U", Kind(name="m3u8", noun="a playlist (m3u8)")),
    (b"ffconcat", Kind(name="ffconcat", noun="a script of FFmpeg (ffconcat)")),
    (b"%PDF-", Kind(name="pdf", noun="a document (pdf)")),
    (b"%!PS", Kind(name="postscript", noun="a document (postscript)")),
    (b"\xc5\xd0\xd3\xc6", Kind(name="postscript", noun="a document (postscript)")),
    (b"PK\3\4", Kind(name="zip", noun="an archive (zip)")),
    (b"\x1f\x8b", Kind(name="gzip", noun="an archive (gzip)")),
    (b"7z\xbc\xaf", Kind(name="7z", noun="an archive (7z)")),
    (b"Rar!", Kind(name="rar", noun="an archive (rar)")),
    (b"\x7fELF", Kind(name="elf", noun="a program")),
    (b"MZ", Kind(name="exe", noun="a program")),
)

_RIFF = {
    b"WEBP": WEBP,
    b"WAVE": WAV,
    b"AVI ": _medium("avi", Modality.VIDEO),
}

_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"}
_AVIF_BRANDS = {b"avif", b"avis"}
_HEIF_FAMILY = {b"mif1", b"msf1", b"mif2"}
_SOUND_BRANDS = {b"M4A ", b"M4B ", b"M4P "}
_QUICKTIME_FIRST_BOXES = {b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}

_BMP_HEADER_BYTES = {12, 16, 40, 52, 56, 64, 108, 124}

_MARKUP: tuple[tuple[bytes, Kind], ...] = (
    (b"<svg", Kind(name="svg", noun="a drawing (svg)")),
    (b"<mpd", Kind(name="dash", noun="a playlist (dash)")),
    (b"<smil", Kind(name="smil", noun="a playlist (smil)")),
    (b"<html", Kind(name="html", noun="a web page (html)")),
    (b"<!doctype html", Kind(name="html", noun="a web page (html)")),
    (b"<", Kind(name="xml", noun="a text (xml)")),
)


def kind_of(file: BinaryIO) -> Kind:
    """Return the kind of an open file by what it begins with; the file is left at its beginning.

    Raises: Unreadable for an empty file.
    """
    file.seek(0)
    head = file.read(HEAD_BYTES)
    if not head:
        raise Unreadable("the file is empty")
    found = _by_signature(head) or _by_layer_three(file) or _by_text(head)
    file.seek(0)
    return found or UNKNOWN


def _by_signature(head: bytes) -> Kind | None:
    if head[:4] in (b"RIFF", b"RF64", b"RIFX") and head[8:12] in _RIFF:
        return _RIFF[head[8:12]]
    if head[4:8] == b"ftyp":
        return _by_brands(head)
    for start, kind in _SIGNATURES:
        if head.startswith(start):
            return kind
    if head[:2] == b"BM" and len(head) > 18 and struct.unpack_from("<I", head, 14)[0] in _BMP_HEADER_BYTES:
        # Two letters alone begin many a text; the size of the second header is one of few.
        return BMP
    if head[4:8] in _QUICKTIME_FIRST_BOXES:
        # QuickTime files that are older than the ftyp box.
        return MOV
    if head[:1] == b"G" and head[188:189] == b"G" and head[376:377] == b"G":
        return _medium("mpeg-ts", Modality.VIDEO)
    return None


def _by_brands(head: bytes) -> Kind:
    """Tell the files of the ISO family apart. Source: ISO/IEC 14496-12, 4.3."""
    size_bytes = min(struct.unpack_from(">I", head)[0], len(head))
    major = head[8:12]
    brands = {major, *(head[at : at + 4] for at in range(16, size_bytes - 3, 4))}
    if major in _AVIF_BRANDS or (major in _HEIF_FAMILY and brands & _AVIF_BRANDS):
        return _medium("avif", Modality.IMAGE)
    if major in _HEIF_BRANDS | _HEIF_FAMILY:
        return HEIC
    if major == b"crx ":
        return _medium("cr3", Modality.IMAGE)
    if major in _SOUND_BRANDS:
        return _medium("m4a", Modality.AUDIO)
    return MOV if major == b"qt  " else MP4


def _by_layer_three(file: BinaryIO) -> Kind | None:
    """Recognise MP3 by two frames in a row, behind a tag if there is one."""
    file.seek(0)
    start, tag = 0, file.read(10)
    if tag[:3] == b"ID3" and len(tag) == 10:
        start = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(tag[6:10], (21, 14, 7, 0), strict=True))
    file.seek(start)
    room = file.read(ZEROS_BYTES_MAX)
    start += len(room) - len(room.lstrip(b"\0"))
    for _ in range(2):
        file.seek(start)
        header = file.read(4)
        if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
            return None
        layer = header[1] >> 1 & 3
        if layer == 0:
            return _medium("aac", Modality.AUDIO)
        if layer != 1:
            return _medium("mpeg audio of another layer", Modality.AUDIO)
        frame_bytes = _layer_three_bytes(header)
        if frame_bytes is None:
            return None
        start += frame_bytes
    return MP3


_BIT_RATES_KBPS = {
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_SAMPLE_RATES_HZ = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}


def _layer_three_bytes(header: bytes) -> int | None:
    """Return the size of the frame with this header. Source: ISO/IEC 11172-3, 2.4.2.3, and 13818-3, 2.4.2.3."""
    version, rate, sampling = header[1] >> 3 & 3, header[2] >> 4, header[2] >> 2 & 3
    if version not in _SAMPLE_RATES_HZ or rate in (0, 15) or sampling == 3:
        return None
    is_first_version = version == 3
    bits = (144_000 if is_first_version else 72_000) * _BIT_RATES_KBPS[is_first_version][rate]
    return bits // _SAMPLE_RATES_HZ[version][sampling] + (header[2] >> 1 & 1)


def _by_text(head: bytes) -> Kind | None:
    words = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if words.startswith(b"<"):
        return next(kind for mark, kind in _MARKUP if mark in words)
    if words.startswith(b"#extm3u"):
        return Kind(name="m3u8", noun="a playlist (m3u8)")
    if words[:1] in (b"{", b"["):
        return Kind(name="json", noun="a text (json)")
    if all(byte >= 32 or byte in b"\t\n\r\f" for byte in head):
        with contextlib.suppress(UnicodeDecodeError):
            # A character may be cut in two where the head ends.
            (head[:-3] if len(head) == HEAD_BYTES else head).decode()
            return Kind(name="text", noun="a text")
    return None
