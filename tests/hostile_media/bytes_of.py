"""What the makers of hostile files share: zeros that take no room when packed, and bytes put in place of others."""

import functools
import struct
import zlib

MEGABYTE = 1 << 20


@functools.cache
def packed_zeros(size_bytes: int, wbits: int = 15, *, value: int = 0) -> bytes:
    """So many equal bytes, a thousandth of their size when packed. wbits: as of `zlib`, -15 = without a header."""
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    part = bytes([value]) * MEGABYTE
    packed = [packer.compress(part) for _ in range(size_bytes // MEGABYTE)]
    return b"".join([*packed, packer.compress(part[: size_bytes % MEGABYTE]), packer.flush()])


def patched(whole: bytes, at: int, new: bytes) -> bytes:
    """The same bytes with some of them replaced, none inserted."""
    assert 0 <= at <= len(whole) - len(new)
    return whole[:at] + new + whole[at + len(new) :]


def boxes(content: bytes) -> list[bytes]:
    """The boxes of ISO/IEC 14496-12 that the bytes consist of, headers and all."""
    found, at = [], 0
    while at < len(content):
        size_bytes = struct.unpack_from(">I", content, at)[0]
        assert size_bytes >= 8, "only plain sizes are written by the makers"
        found.append(content[at : at + size_bytes])
        at += size_bytes
    return found


def joined(name: bytes, parts: list[bytes]) -> bytes:
    content = b"".join(parts)
    return struct.pack(">I4s", 8 + len(content), name) + content
