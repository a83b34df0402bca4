"""What a file seems to be by its first bytes, where nobody said; whether it is that, the prober finds out."""

import re

from understudy.core.modality import Modality

HEAD_BYTES = 16
"""How many of them are looked at."""

_AUDIO = re.compile(rb"RIFF.{4}WAVE|ID3|\xff[\xe2\xe3\xf2\xf3\xfa\xfb]", re.DOTALL)
_IMAGE = re.compile(rb".{4}ftyp(?:heic|heix|hevc|mif1|msf1|avif)", re.DOTALL)
_VIDEO = re.compile(rb".{4}(?:ftyp|moov|mdat|wide|free|skip)|\x1aE\xdf\xa3|RIFF.{4}AVI ", re.DOTALL)


def modality_of(head: bytes) -> Modality:
    """Return what the first bytes speak for; an image where they say nothing."""
    if _AUDIO.match(head):
        return Modality.AUDIO
    if _VIDEO.match(head) and not _IMAGE.match(head):
        return Modality.VIDEO
    return Modality.IMAGE
