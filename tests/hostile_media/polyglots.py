"""Files that are two things at once: what is measured is what they begin with, and nothing of the rest is followed."""

import struct

from hostile_media.images import jpeg_with
from hostile_media.kind import AUDIO, IMAGE, VIDEO, Hostile, Lure, Part
from hostile_media.sounds import MONO, SILENCE, bare, tag, wav
from odd_media import box, film, picture, sound

_PART = Part()
POLYGLOTS: dict[str, Hostile] = _PART.files


def _script(to: Lure) -> bytes:
    return f"*/fetch('{to.url}');/*{to.path}".encode()


def _page(to: Lure) -> bytes:
    return f"<html><script src='{to.url}/a.js'></script><img src='file://{to.path}'></html>".encode()


def _playlist(to: Lure) -> bytes:
    return f"#EXTM3U\n#EXTINF:9,\n{to.url}/a.ts\n{to.path}\n".encode()


def _archive(to: Lure) -> bytes:
    """A ZIP whose one file is named like the lure."""
    name = b"../.." + to.path.encode()
    local = struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 20, 0, 0, 0, 0, 0, 0, 0, len(name), 0) + name
    central = struct.pack("<4s6H3I5HII", b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, 0, 0, len(name), 0, 0, 0, 0, 0, 0) + name
    return local + central + struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 1, 1, len(central), len(local), 0)


def _document(to: Lure) -> bytes:
    return f"%PDF-1.7\n1 0 obj<</OpenAction<</S/URI/URI({to.url})>>>>endobj\n%%EOF".encode()


_LATER = {
    "a page": _page,
    "a script": _script,
    "a playlist": _playlist,
    "an archive": _archive,
    "a document": _document,
}
_FIRST = {
    "png": (IMAGE, picture),
    "jpeg": (IMAGE, lambda: picture("jpeg")),
    "gif": (IMAGE, lambda: picture("gif")),
    "webp": (IMAGE, lambda: picture("webp")),
    "bmp": (IMAGE, lambda: picture("bmp")),
    "mp4": (VIDEO, lambda: film() + struct.pack(">I4s", 0, b"free")),
    "wav": (AUDIO, sound),
    "mp3": (AUDIO, bare),
}
for _kind, (_modality, _made) in _FIRST.items():
    for _name, _rest in _LATER.items():
        _PART.luring(
            f"{_kind} and {_name}", _modality, lambda to, made=_made, rest=_rest: made() + rest(to), container=_kind
        )
        if _name in ("a page", "a playlist", "an archive"):
            _PART.luring(
                f"{_name} and {_kind}",
                _modality,
                lambda to, made=_made, rest=_rest: rest(to) + made(),
                reason={"a page": "html", "a playlist": "m3u8", "an archive": "zip"}[_name],
            )
_PART.luring("jpeg that holds a sound", IMAGE, lambda _: jpeg_with((0xFE, bare()[:60_000])), container="jpeg")
_PART.luring("jpeg and a sound", IMAGE, lambda _: picture("jpeg") + bare(), container="jpeg")
_PART.luring("jpeg and a sound, as a sound", AUDIO, lambda _: picture("jpeg") + bare(), reason="it is an image (jpeg)")
_PART.luring("sound behind a tag that is a jpeg", AUDIO, lambda _: tag(picture("jpeg")) + bare(), container="mp3")
_PART.luring("jpeg and a film", IMAGE, lambda _: picture("jpeg") + film(), container="jpeg")
_PART.luring("film in a picture, as a film", VIDEO, lambda _: picture() + film(), reason="it is an image (png)")
_PART.luring(
    "film with a page in its first box",
    VIDEO,
    lambda to: box(b"ftyp", b"isom", bytes(4), _page(to)) + box(b"free"),
    reason="damaged",
)
_PART.luring(
    "film that is a playlist", VIDEO, lambda to: box(b"ftyp", b"isom", bytes(4)) + _playlist(to), reason="damaged"
)
_PART.luring("mov that is a playlist", VIDEO, lambda to: b"\0\0\0\0moov" + _playlist(to), reason="no pictures")
_PART.luring("wav that is a playlist", AUDIO, lambda to: b"RIFF\0\0\0\0WAVE" + _playlist(to), reason="damaged")
_PART.luring("tag that is a playlist", AUDIO, lambda to: b"ID3\3\0\0\0\0\0\0" + _playlist(to), reason="no kind")
_PART.luring("gif that is a playlist", IMAGE, lambda to: b"GIF89a" + _playlist(to), reason="pixels")
_PART.luring(
    "gif that is a script to itself", IMAGE, lambda to: b"GIF89a/*\0\0\0\0" + _script(to) * 9, reason="damaged"
)
_PART.luring(
    "png that is a drawing",
    IMAGE,
    lambda to: b"\x89PNG\r\n\x1a\n<svg><image href='" + to.url.encode() + b"'/></svg>",
    reason="damaged",
)
_PART.luring("bmp that is a script", IMAGE, lambda to: b"BM=1;" + _script(to) * 9, reason="no kind | a text")
_PART.luring("webp that is a page", IMAGE, lambda to: b"RIFF\0\0\0\0WEBP" + _page(to), reason="damaged")
_PART.luring("tiff that is a page", IMAGE, lambda to: b"II*\0" + _page(to), reason="damaged")
_PART.luring(
    "wav with a page before its sound", AUDIO, lambda to: wav(MONO, (b"html", _page(to)), SILENCE), container="wav"
)
_PART.luring(
    "avi of subtitles that are a playlist",
    VIDEO,
    lambda to: b"RIFF\xff\0\0\0AVI LIST\x14\0\0\0hdrltxts" + b"GAB2\0\2\0" + _playlist(to),
    reason="avi",
)
_PART.luring("matroska of linked parts", VIDEO, lambda to: b"\x1a\x45\xdf\xa3" + _script(to) * 9, reason="matroska")
_PART.luring(
    "transport stream of a playlist", VIDEO, lambda to: (b"G" + _playlist(to).ljust(187, b"\0")) * 9, reason="mpeg-ts"
)
