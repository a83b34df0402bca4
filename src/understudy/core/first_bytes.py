"""What a file seems to be by its first bytes, where nobody said; whether it is that, measuring finds out.

`media.inspect_kind` looks at more of the file, behind walls, and knows what is no medium at all.
"""

import re

from understudy.core.modality import Modality

HEAD_BYTES = 16
"""How many of them are looked at."""

_SIGNATURES = tuple(
    (re.compile(first, re.DOTALL), media_type)
    for first, media_type in (
        (rb"\x89PNG\r\n\x1a\n", "image/png"),
        (rb"\xff\xd8\xff", "image/jpeg"),
        (rb"GIF8[79]a", "image/gif"),
        (rb"BM.{4}\0\0\0\0", "image/bmp"),
        (rb"II[*+]\0|MM\0[*+]", "image/tiff"),
        (rb"RIFF.{4}WEBP", "image/webp"),
        (rb"RIFF.{4}WAVE", "audio/wav"),
        (rb"RIFF.{4}AVI ", "video/x-msvideo"),
        (rb".{4}ftyp(?:heic|heix|hevc)", "image/heic"),
        (rb".{4}ftyp(?:mif1|msf1)", "image/heif"),
        (rb".{4}ftypavi[fs]", "image/avif"),
        (rb".{4}ftypM4A", "audio/mp4"),
        (rb".{4}(?:ftypqt  |moov|mdat|wide|free|skip)", "video/quicktime"),
        (rb".{4}ftyp", "video/mp4"),
        (rb"\x1aE\xdf\xa3", "video/webm"),
        (rb"ID3|\xff[\xe2\xe3\xf2\xf3\xfa\xfb]", "audio/mpeg"),
    )
)
"""First bytes -> media type. Sources: as of `media.inspect_kind`."""


def media_type_of(head: bytes) -> str | None:
    """Return the media type that the first bytes speak for; None where they say nothing."""
    return next((media_type for first, media_type in _SIGNATURES if first.match(head)), None)


def modality_of(head: bytes) -> Modality:
    """Return what the first bytes speak for; an image where they say nothing."""
    return Modality((media_type_of(head) or "image").partition("/")[0])
