"""Sounds that lie about their length, carry too much beside their sound, or are only unusual."""

import struct

from hostile_media.bytes_of import MEGABYTE, patched
from hostile_media.kind import AUDIO, Hostile, Lure, Part
from odd_media import mp3_with_cover, picture, pixel_bomb, sound

_PART = Part()
SOUNDS: dict[str, Hostile] = _PART.files

PCM, FLOAT, EXTENSIBLE, LAYER_THREE = 1, 3, 0xFFFE, 0x55
PCM_GUID = bytes.fromhex("0100000000001000800000aa00389b71")
BARE = (("id3v2_version", "0"), ("write_xing", "0"))


def form(tag: int, channels: int, rate_hz: int, *, bits: int = 16, extra: bytes = b"") -> bytes:
    """The content of a `fmt ` chunk. Source: Multimedia Programming Interface and Data Specifications 1.0, "WAVE"."""
    frame_bytes = channels * bits // 8 & 0xFFFF
    packed = struct.pack("<HHIIHH", tag, channels, rate_hz, rate_hz * frame_bytes & 0xFFFFFFFF, frame_bytes, bits)
    return packed + (struct.pack("<H", len(extra)) + extra if extra else b"")


def wav(*chunks: tuple[bytes, bytes], head: bytes = b"RIFF", size_bytes: int | None = None) -> bytes:
    content = b"".join(name + struct.pack("<I", len(each)) + each + b"\0" * (len(each) % 2) for name, each in chunks)
    return head + struct.pack("<I", len(content) + 4 if size_bytes is None else size_bytes) + b"WAVE" + content


def plain(tag: int = PCM, channels: int = 1, rate_hz: int = 48_000, *, bits: int = 16, data: bytes = b"") -> bytes:
    """A WAV by hand; three seconds of silence where nothing else is given."""
    return wav(
        (b"fmt ", form(tag, channels, rate_hz, bits=bits)), (b"data", data or bytes(3 * rate_hz * channels * bits // 8))
    )


SILENCE = (b"data", bytes(3 * 48_000 * 2))
MONO = (b"fmt ", form(PCM, 1, 48_000))
THREE_S = {"duration_s": 3.0, "container": "wav"}
for _codec in ("pcm_u8", "pcm_s32le", "pcm_f32le", "pcm_f64le", "pcm_alaw", "pcm_mulaw", "adpcm_ms", "adpcm_ima_wav"):
    _PART.read(
        f"wav of {_codec}", AUDIO, lambda codec=_codec: sound("wav", codec=codec), audio_codec=_codec, channels=2
    )
_PART.read(
    "wav of one sample a second", AUDIO, lambda: plain(bits=8, rate_hz=1, data=bytes(36_000)), duration_s=36_000.0
)
_PART.read(
    "wav of six channels",
    AUDIO,
    lambda: wav(
        (b"fmt ", form(EXTENSIBLE, 6, 48_000, extra=struct.pack("<HI", 16, 0x3F) + PCM_GUID)),
        (b"data", bytes(3 * 48_000 * 12)),
    ),
    channels=6,
    **THREE_S,
)
_PART.read(
    "wav of a form that can be extended",
    AUDIO,
    lambda: wav((b"fmt ", form(EXTENSIBLE, 1, 48_000, extra=struct.pack("<HI", 16, 4) + PCM_GUID)), SILENCE),
    channels=1,
    **THREE_S,
)
_PART.read(
    "wav with 14 MB before its sound",
    AUDIO,
    lambda: wav(MONO, (b"LIST", b"INFO" + bytes(14 * MEGABYTE)), SILENCE),
    **THREE_S,
)
_PART.read(
    "wav with 100 MB behind its sound", AUDIO, lambda: wav(MONO, SILENCE, (b"LIST", bytes(100 * MEGABYTE))), **THREE_S
)
_PART.read(
    "wav with a hundred thousand chunks", AUDIO, lambda: wav(MONO, *[(b"junk", b"")] * 100_000, SILENCE), **THREE_S
)
_PART.read("wav of a broadcast", AUDIO, lambda: wav((b"bext", bytes(602)), MONO, SILENCE), **THREE_S)
_PART.read("wav that claims nothing", AUDIO, lambda: wav(MONO, SILENCE, size_bytes=0), **THREE_S)
_PART.read("wav that claims 4 GB in its head", AUDIO, lambda: wav(MONO, SILENCE, size_bytes=0xFFFFFFFF), **THREE_S)
_PART.read(
    "wav written as it came",
    AUDIO,
    lambda: patched(wav(MONO, SILENCE), wav(MONO, SILENCE).index(b"data") + 4, bytes(4)),
    container="wav",
)
_PART.read(
    "wav of more than 4 GB, it says",
    AUDIO,
    lambda: wav(
        (b"ds64", struct.pack("<QQQI", 1 << 62, (1 << 62), 1 << 60, 0)),
        MONO,
        SILENCE,
        head=b"RF64",
        size_bytes=0xFFFFFFFF,
    ),
    container="wav",
)
_PART.read(
    "wav with layer three inside",
    AUDIO,
    lambda: wav(
        (b"fmt ", form(LAYER_THREE, 2, 48_000, bits=0, extra=struct.pack("<HIHHH", 1, 2, 417, 1, 1393))),
        (b"data", sound("mp3", options=BARE)),
    ),
    container="wav",
    audio_codec="mp3",
)
for _name, _form, _reason in (
    ("wav of no channels", form(PCM, 0, 48_000), "damaged"),
    ("wav of 65535 channels", form(PCM, 65_535, 48_000), "damaged"),
    ("wav of no samples a second", form(PCM, 1, 0), "damaged"),
    ("wav of 4 billion samples a second", form(PCM, 1, 0xFFFFFFFF), "damaged"),
    ("wav of no bits", form(PCM, 1, 48_000, bits=0), "damaged | codec that is not known"),
    ("wav of 65535 bits", form(PCM, 1, 48_000, bits=65_535), "damaged | codec that is not known"),
    ("wav of a codec nobody knows", form(0x9999, 1, 48_000), "codec that is not known | damaged"),
):
    _PART.refused(_name, AUDIO, lambda content=_form: wav((b"fmt ", content), SILENCE), reason=_reason)
_PART.read(
    "wav with extras that never end",
    AUDIO,
    lambda: wav((b"fmt ", form(PCM, 1, 48_000) + b"\xff\xff"), SILENCE),
    container="wav",
)
_PART.refused("wav without a form", AUDIO, lambda: wav(SILENCE), reason="damaged")
_PART.refused("wav whose form is cut off", AUDIO, lambda: wav((b"fmt ", b"\1\0\1")), reason="damaged")
_PART.refused(
    "wav of a chunk of 4 GB", AUDIO, lambda: wav(MONO) + b"LIST\xff\xff\xff\xff" + bytes(999), reason="damaged"
)
_PART.refused("wav of no sound", AUDIO, lambda: wav(MONO, (b"data", b"")), reason="damaged")


def synchsafe(size_bytes: int) -> bytes:
    return bytes(size_bytes >> shift & 0x7F for shift in (21, 14, 7, 0))


def tag(content: bytes, *, size_bytes: int | None = None) -> bytes:
    """An ID3 tag. Source: id3.org, ID3v2.3.0, 3.1."""
    return b"ID3\x03\0\0" + synchsafe(len(content) if size_bytes is None else size_bytes) + content


def frame(name: bytes, content: bytes) -> bytes:
    return name + struct.pack(">IH", len(content), 0) + content


def _picture_frame(content: bytes) -> bytes:
    return frame(b"APIC", b"\0image/png\0\x03\0" + content)


def _counted(frames: int, *, size_bytes: int = 0x7FFFFFFF) -> bytes:
    """A sound whose first frame says how many there are. Source: the table of Xing, as LAME writes it."""
    whole = sound("mp3", options=(("id3v2_version", "0"),))
    at = max(whole.find(b"Xing"), whole.find(b"Info"))
    return patched(whole, at + 8, struct.pack(">II", frames, size_bytes))


def _quiet_frames(count: int) -> bytes:
    """So many silent frames of 8 kbit/s at 8 kHz, 72 ms each."""
    head = b"\xff\xe3\x18\xc4"
    return (head + bytes(72 - len(head))) * count


def bare() -> bytes:
    return sound("mp3", options=BARE)


_PART.read(
    "mp3 that says it has a billion frames",
    AUDIO,
    lambda: _counted(1_000_000_000),
    container="mp3",
    audio_codec="mp3",
    channels=2,
)
_PART.read("mp3 that says it has no frames", AUDIO, lambda: _counted(0, size_bytes=0), container="mp3")
_PART.read("an hour of silence", AUDIO, lambda: _quiet_frames(50_000), container="mp3", duration_s=3600.0)
_PART.refused("mp3 of 600000 frames", AUDIO, lambda: _quiet_frames(600_000), reason="more than 500000 packets")
_PART.read("mp3 behind a tag of 14 MB", AUDIO, lambda: tag(bytes(14 * MEGABYTE)) + bare(), container="mp3")
_PART.read(
    "mp3 behind 14 MB of private words",
    AUDIO,
    lambda: tag(frame(b"PRIV", bytes(14 * MEGABYTE))) + bare(),
    container="mp3",
)
_PART.read("mp3 behind a tag of 100 MB", AUDIO, lambda: tag(bytes(100 * MEGABYTE)) + bare(), container="mp3")
_PART.read(
    "mp3 with a pixel bomb for a cover",
    AUDIO,
    lambda: tag(_picture_frame(pixel_bomb())) + bare(),
    container="mp3",
    channels=2,
)
_PART.read(
    "mp3 with a thousand covers",
    AUDIO,
    lambda: tag(_picture_frame(picture()) * 20) + bare(),
    container="mp3",
    channels=2,
)
_PART.read(
    "mp3 with chapters",
    AUDIO,
    lambda: tag(frame(b"CHAP", b"a\0" + struct.pack(">IIII", 0, 0xFFFFFFFF, 0, 0)) * 500) + bare(),
    container="mp3",
)
_PART.read("mp3 with zeros before its sound", AUDIO, lambda: tag(b"") + bytes(40_000) + bare(), container="mp3")
_PART.read("mp3 with old tags at its end", AUDIO, lambda: bare() + b"TAG" + b"x" * 125, container="mp3")
_PART.read("mp3 with a tag in its middle", AUDIO, lambda: bare() + tag(bytes(900)) + bare(), container="mp3")
_PART.read("mp3 cut in a frame", AUDIO, lambda: bare()[:-100], container="mp3")
_PART.read(
    "mp3 with one frame of noise", AUDIO, lambda: patched(bare(), len(bare()) // 2, bytes(range(200))), container="mp3"
)
_PART.read(
    "mono mp3 of few samples",
    AUDIO,
    lambda: sound("mp3", channels=1, sample_rate_hz=16_000),
    channels=1,
    sample_rate_hz=16_000,
)
_PART.read("mp3 with a cover and without a count", AUDIO, mp3_with_cover, channels=2)
for _name, _content, _reason in (
    ("mp3 behind a tag that never ends", lambda: tag(b"", size_bytes=0x0FFFFFFF) + bare(), "no kind"),
    ("mp3 of tags only", lambda: tag(bytes(10)) * 50_000, "no kind"),
    ("mp3 of heads only", lambda: b"\xff\xfb\x90\x64" * 5000, "no kind"),
    ("mp3 of another layer", lambda: (b"\xff\xfd\x80\0" + bytes(380)) * 100, "another layer"),
    ("mp3 of a free rate", lambda: (b"\xff\xfb\x00\x64" + bytes(413)) * 100, "no kind"),
    ("mp3 of a rate there is not", lambda: (b"\xff\xfb\xf0\x64" + bytes(413)) * 100, "no kind"),
    ("mp3 of two frames", lambda: bare()[:40], "no kind"),
):
    _PART.refused(_name, AUDIO, _content, reason=_reason)


def _told(to: Lure) -> bytes:
    return to.path.encode() + b"\0" + to.url.encode() + b"/a\0"


_PART.luring(
    "mp3 whose cover is an address",
    AUDIO,
    lambda to: tag(frame(b"APIC", b"\0-->\0\x03\0" + to.url.encode() + b"/cover.png")) + bare(),
    container="mp3",
    channels=2,
)
_PART.luring(
    "mp3 with a link to its sound",
    AUDIO,
    lambda to: tag(frame(b"WOAF", to.url.encode()) + frame(b"LINK", b"APIC" + _told(to))) + bare(),
    container="mp3",
)
_PART.luring(
    "mp3 with a playlist for words",
    AUDIO,
    lambda to: tag(frame(b"USLT", b"\0eng\0#EXTM3U\n" + _told(to))) + bare(),
    container="mp3",
)
_PART.luring(
    "wav with a name of a file",
    AUDIO,
    lambda to: wav(MONO, (b"LIST", b"INFOIART" + struct.pack("<I", 40) + _told(to)[:40].ljust(40)), SILENCE),
    **THREE_S,
)
_PART.luring(
    "wav with words about it",
    AUDIO,
    lambda to: wav(MONO, (b"iXML", f"<a href='{to.url}'/>".encode()), SILENCE),
    **THREE_S,
)
_PART.luring(
    "wav that is made of other files",
    AUDIO,
    lambda to: wav(MONO, (b"LIST", b"wavl" + b"data" + struct.pack("<I", 8) + bytes(8)), (b"file", _told(to)), SILENCE),
    **THREE_S,
)
