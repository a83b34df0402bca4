"""Small real media files of every kind, made here and given as bytes: plain ones, odd ones, and ones that do harm.

    picture("jpeg", width_px=640, height_px=480, orientation=6)   one image; also gif, webp, png, bmp, tiff, heic, avif
    animation("gif", num_frames=3)                                an image that moves; also webp, png (APNG), tiff pages
    film(codec="libx265", container="mov", rotation_deg=90)       a video; see its parameters
    sound("mp3", duration_s=3.0)                                  a sound; also wav, flac, ogg, m4a, aac
    pixel_bomb(13_000), text_bomb()                               small PNG files that are large once decoded

What is made is remembered, so that a test may ask for the same file again. Nothing is read from disk or the network.
Files that are wrong in some way, or harmful, have names in `odd_files`.
"""

import functools
import io
import struct
import tempfile
import zlib
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import PIL.Image

PILLOW_NAMES = {"tif": "TIFF", "jpg": "JPEG", "avif": "AVIF"}
SCALE = 1 << 16


@functools.cache
def _gradients(width_px: int, height_px: int, channels: int) -> np.ndarray:
    across = np.arange(width_px)[None, :] * 255 // max(1, width_px - 1)
    down = np.arange(height_px)[:, None] * 255 // max(1, height_px - 1)
    planes = [across + 0 * down, down + 0 * across, (across + down) // 2, 255 - across // 2 + 0 * down]
    return np.stack(planes[:channels], axis=-1).astype(np.uint8)


def pixels(width_px: int, height_px: int, *, step: int = 0, channels: int = 3) -> np.ndarray:
    """(height_px, width_px, channels) uint8: soft gradients that move by `step`, no two channels alike."""
    return np.roll(_gradients(width_px, height_px, channels), (3 * step, 7 * step), axis=(0, 1))


def drawing(mode: str = "RGB", *, width_px: int = 400, height_px: int = 300, step: int = 0) -> PIL.Image.Image:
    """A Pillow image in any mode: RGB, RGBA, CMYK, L, LA, 1, P, I;16."""
    if mode == "I;16":
        deep = pixels(width_px, height_px, step=step)[..., 0].astype(np.uint16) * 257
        return PIL.Image.fromarray(deep)
    channels = 4 if mode == "RGBA" else 3
    image = PIL.Image.fromarray(pixels(width_px, height_px, step=step, channels=channels))
    return image if image.mode == mode else image.convert(mode)


@functools.cache
def picture(
    kind: str = "png",
    *,
    width_px: int = 400,
    height_px: int = 300,
    mode: str = "RGB",
    orientation: int = 1,
    **saved: Any,
) -> bytes:
    """One image. orientation: 1..8 as EXIF has it. saved: what Pillow's `save` takes besides, such as `quality`."""
    if kind in ("heic", "heif"):
        return heic(width_px=width_px, height_px=height_px)
    if orientation != 1:
        exif = PIL.Image.Exif()
        exif[0x0112] = orientation
        saved["exif"] = exif
    file = io.BytesIO()
    image = drawing(mode, width_px=width_px, height_px=height_px)
    image.save(file, PILLOW_NAMES.get(kind, kind.upper()), **saved)
    return file.getvalue()


@functools.cache
def animation(kind: str = "gif", *, num_frames: int = 3, width_px: int = 400, height_px: int = 300) -> bytes:
    """An image of several pictures: gif, webp, png (APNG), tiff (pages)."""
    first, *others = (drawing(width_px=width_px, height_px=height_px, step=9 * index) for index in range(num_frames))
    file = io.BytesIO()
    timed = {} if kind == "tiff" else {"duration": 100, "loop": 0}
    first.save(file, kind.upper(), save_all=True, append_images=others, **timed)
    return file.getvalue()


def box(name: bytes, *content: bytes) -> bytes:
    """One box of ISO/IEC 14496-12."""
    whole = b"".join(content)
    return struct.pack(">I4s", 8 + len(whole), name) + whole


def full_box(name: bytes, *content: bytes, version: int = 0, flags: int = 0) -> bytes:
    return box(name, struct.pack(">I", version << 24 | flags), *content)


def found_box(file: bytes, name: bytes) -> bytes:
    """The first box of that name with its header, wherever it lies."""
    start = file.index(name) - 4
    return file[start : start + struct.unpack_from(">I", file, start)[0]]


@functools.cache
def heic(*, width_px: int = 400, height_px: int = 300, turned: int = 0, claimed_px: tuple[int, int] = (0, 0)) -> bytes:
    """An HEIC of one picture, built by hand around one HEVC picture. Source: ISO/IEC 23008-12.

    turned: quarter turns anticlockwise (irot). claimed_px: what the header says instead of the true size.
    """
    coded = film(codec="libx265", width_px=width_px, height_px=height_px, num_frames=1, sounds=0)
    picture = found_box(coded, b"mdat")[8:]
    shown = claimed_px if any(claimed_px) else (width_px, height_px)
    properties = [
        found_box(coded, b"hvcC"),
        full_box(b"ispe", struct.pack(">II", *shown)),
        box(b"irot", bytes([turned])),
    ]
    head = box(b"ftyp", b"heic", bytes(4), b"mif1heic")

    def meta(offset: int) -> bytes:
        return full_box(
            b"meta",
            full_box(b"hdlr", bytes(4), b"pict", bytes(13)),
            full_box(b"pitm", struct.pack(">H", 1)),
            full_box(b"iloc", struct.pack(">BBHHHHII", 0x44, 0, 1, 1, 0, 1, offset, len(picture))),
            full_box(b"iinf", struct.pack(">H", 1), full_box(b"infe", struct.pack(">HH", 1, 0), b"hvc1\0", version=2)),
            box(
                b"iprp",
                box(b"ipco", *properties),
                full_box(b"ipma", struct.pack(">IHBBBB", 1, 1, 3, 0x81, 2, 0x83)),
            ),
        )

    return head + meta(len(head) + len(meta(0)) + 8) + box(b"mdat", picture)


@functools.cache
def film(
    *,
    container: str = "mp4",
    codec: str = "libx264",
    width_px: int = 864,
    height_px: int = 480,
    fps: int = 24,
    num_frames: int = 48,
    rotation_deg: int = 0,
    pixel_aspect: tuple[int, int] = (1, 1),
    steps: Sequence[int] = (1,),
    sounds: int = 1,
    sound_codec: str = "aac",
    sound_s: float = 0.0,
    pix_fmt: str = "yuv420p",
    keyframes_apart: int = 250,
    options: tuple[tuple[str, str], ...] = (),
) -> bytes:
    """A video with moving gradients and a tone.

    rotation_deg: clockwise turn that its display matrix asks for. pixel_aspect: width to height of a pixel.
    steps: from each picture to the next, in pictures, over and over; (1, 1, 3) is a variable rate. sounds: how many
    audio tracks. sound_s: how long they are; 0 = as long as the pictures. options: of the container.
    """
    # "faststart" reads again what it wrote, by its name.
    with (
        tempfile.NamedTemporaryFile(suffix="." + container) as file,
        av.open(file.name, "w", format=container, options=dict(options)) as made,
    ):
        video: Any = made.add_stream(codec, rate=fps)
        video.width, video.height, video.pix_fmt = width_px, height_px, pix_fmt
        video.codec_context.sample_aspect_ratio = Fraction(*pixel_aspect)
        video.codec_context.time_base = Fraction(1, fps)
        if codec in ("libx264", "libx265"):
            # Without B-frames: of one or two pictures x265 makes times that no container takes.
            video.options = {"preset": "ultrafast", "x265-params": "log-level=none:bframes=0", "threads": "1"}
            video.gop_size = keyframes_apart
        if codec == "libx265" and container in ("mp4", "mov"):
            video.codec_context.codec_tag = "hvc1"
        tracks: list[Any] = [made.add_stream(sound_codec, rate=48_000) for _ in range(sounds)]
        position = 0
        for index in range(num_frames):
            frame = av.VideoFrame.from_ndarray(pixels(width_px, height_px, step=index), format="rgb24")
            frame.pts = position
            made.mux(video.encode(frame.reformat(format=pix_fmt)))
            position += steps[index % len(steps)]
        made.mux(video.encode(None))
        for track in tracks:
            _add_tone(made, track, sound_s or position / fps)
        made.close()
        whole = Path(file.name).read_bytes()
    return rotated(whole, rotation_deg) if rotation_deg else whole


def rotated(film: bytes, rotation_deg: int) -> bytes:
    """The same film with a display matrix in its first track header. Source: ISO/IEC 14496-12, 8.3.2."""
    a, b = {0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1)}[rotation_deg]
    matrix = struct.pack(">9i", a * SCALE, b * SCALE, 0, -b * SCALE, a * SCALE, 0, 0, 0, 1 << 30)
    start = film.index(b"tkhd") + 4 + 4 + 20 + 8 + 8
    return film[:start] + matrix + film[start + len(matrix) :]


def _add_tone(made: Any, track: Any, duration_s: float) -> None:
    rate_hz, channels = track.codec_context.sample_rate, track.codec_context.channels
    wave = np.sin(np.arange(round(duration_s * rate_hz)) * 2 * np.pi * 440 / rate_hz) * 8000
    layout = {1: "mono", 2: "stereo"}[channels]
    for start in range(0, len(wave), 1024):
        part = np.repeat(wave[start : start + 1024].astype(np.int16)[None, :], channels, axis=0)
        frame = av.AudioFrame.from_ndarray(part.T.reshape(1, -1).copy(), format="s16", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = rate_hz, start, Fraction(1, rate_hz)
        made.mux(track.encode(frame))
    made.mux(track.encode(None))


SOUNDS = {
    "wav": ("wav", "pcm_s16le"),
    "mp3": ("mp3", "libmp3lame"),
    "flac": ("flac", "flac"),
    "ogg": ("ogg", "libopus"),
    "m4a": ("ipod", "aac"),
    "aac": ("adts", "aac"),
}


@functools.cache
def sound(
    kind: str = "wav",
    *,
    duration_s: float = 3.0,
    sample_rate_hz: int = 48_000,
    channels: int = 2,
    codec: str = "",
    bit_rate: int = 0,
    options: tuple[tuple[str, str], ...] = (),
) -> bytes:
    """A tone. codec: another than the kind's usual one. options: of the container, as ("write_xing", "0") for mp3."""
    container, usual = SOUNDS[kind]
    file = io.BytesIO()
    with av.open(file, "w", format=container, options=dict(options)) as made:
        track: Any = made.add_stream(codec or usual, rate=sample_rate_hz)
        track.layout = {1: "mono", 2: "stereo"}[channels]
        if bit_rate:
            track.bit_rate = bit_rate
        _add_tone(made, track, duration_s)
    return file.getvalue()


@functools.cache
def uneven_mp3() -> bytes:
    """6 s of MP3 whose bit rate changes and whose header does not say so: a guess from the first part is wrong."""
    plain = (("write_xing", "0"), ("id3v2_version", "0"))
    thin = sound("mp3", bit_rate=32_000, options=plain, duration_s=3.0)
    return thin + sound("mp3", bit_rate=320_000, options=plain, duration_s=3.0)


@functools.cache
def mp3_with_cover() -> bytes:
    """3 s of MP3 behind an ID3 tag with a JPEG. Source: id3.org, ID3v2.3.0, 4.15."""
    image = b"\0image/jpeg\0\x03\0" + picture("jpeg")
    frame = b"APIC" + struct.pack(">IH", len(image), 0) + image
    size = bytes(len(frame) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x03\0\0" + size + frame + sound("mp3", options=(("id3v2_version", "0"),))


def chunk(name: bytes, content: bytes = b"") -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


@functools.cache
def pixel_bomb(side_px: int = 13_000) -> bytes:
    """A whole and valid PNG of so many pixels squared in three bytes each, nearly all of it zeros."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side_px, side_px, 8, 2, 0, 0, 0))
    packer = zlib.compressobj(9)
    rows = [packer.compress(bytes(1 + 3 * side_px)) for _ in range(side_px)]
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"".join([*rows, packer.flush()])) + chunk(b"IEND")


@functools.cache
def text_bomb(size_bytes: int = 128 << 20) -> bytes:
    """A PNG of one pixel with a packed text that grows to so many bytes."""
    packer = zlib.compressobj(9)
    part = bytes(1 << 20)
    packed = [packer.compress(part) for _ in range(size_bytes >> 20)]
    text = chunk(b"zTXt", b"Comment\0\0" + b"".join([*packed, packer.flush()]))
    whole = picture("png", width_px=1, height_px=1)
    end = whole.index(b"IEND") - 4
    return whole[:end] + text + whole[end:]
