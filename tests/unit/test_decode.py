"""What engines get to see and hear of given files: upright, in sRGB, at the film's rate, whatever the file is like."""

import io
import itertools
import os
import tracemalloc
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from unittest.mock import ANY

import av
import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray
from PIL import ImageCms

import odd_media
from odd_files import ODD
from understudy.core.media import Unreadable
from understudy.core.modality import Modality
from understudy.media.decode import fitted, on_ground, read_image
from understudy.media.decode_sound import read_sound
from understudy.media.decode_video import VideoReader

Picture = NDArray[np.uint8]
RATE_HZ = 48_000
CORNERS = {"red": (200, 30, 30), "green": (30, 170, 40), "blue": (40, 50, 190), "grey": (128, 128, 128)}
"""Top left, top right, bottom left, bottom right of the test card."""


def card(width_px: int = 160, height_px: int = 96) -> Picture:
    """Four plain quarters, one of them grey."""
    picture = np.zeros((height_px, width_px, 3), dtype=np.uint8)
    middle_x, middle_y = width_px // 2, height_px // 2
    areas = [np.s_[:middle_y, :middle_x], np.s_[:middle_y, middle_x:], np.s_[middle_y:, :middle_x]]
    for area, colour in zip([*areas, np.s_[middle_y:, middle_x:]], CORNERS.values(), strict=True):
        picture[area] = colour
    return picture


def corners_of(picture: Picture) -> list[str]:
    """The names of the quarters' colours, row by row, each the nearest of the card's."""
    height_px, width_px = picture.shape[:2]
    places = [(y, x) for y in (height_px // 4, height_px * 3 // 4) for x in (width_px // 4, width_px * 3 // 4)]
    colours = np.array(list(CORNERS.values()))
    return [list(CORNERS)[int(np.abs(colours - picture[place]).sum(axis=1).argmin())] for place in places]


def saved(folder: Path, content: bytes, name: str = "given") -> Path:
    """A file whose name says nothing of its kind."""
    path = folder / name
    path.write_bytes(content)
    return path


def image_bytes(image: PIL.Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def film_of(pictures: list[Picture], *, starts: list[int] | None = None, **coder: object) -> bytes:
    """Pictures as an MP4 of 24 steps a second, nearly without loss. starts: the step each begins at."""
    height_px, width_px = pictures[0].shape[:2]
    pix_fmt, codec = str(coder.pop("pix_fmt", "yuv444p")), str(coder.pop("codec", "libx264"))
    matrix = str(coder.pop("matrix", "ITU709"))
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as made:
        stream = made.add_stream(codec, rate=24, options={"crf": "4", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = width_px, height_px, pix_fmt
        for name, value in coder.items():
            setattr(stream.codec_context, name, value)
        stream.codec_context.time_base = Fraction(1, 24)
        is_full = coder.get("color_range") == 2
        for picture, start in zip(pictures, starts or range(len(pictures)), strict=True):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(
                format=pix_fmt, dst_colorspace=matrix, dst_color_range="JPEG" if is_full else "MPEG"
            )
            frame.pts, frame.time_base = start, Fraction(1, 24)
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
    return file.getvalue()


def numbered(count: int) -> list[Picture]:
    """Plain greys that tell their number: 8 levels apart."""
    return [np.full((64, 64, 3), 8 * index, dtype=np.uint8) for index in range(count)]


def numbers_in(pictures: Iterator[Picture]) -> list[int]:
    return [round(float(picture.mean()) / 8) for picture in pictures]


# Images.


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "GIF", "WEBP"])
def test_a_plain_image_is_read_as_it_was_saved(tmp_path, kind):
    lossless = {"lossless": True} if kind == "WEBP" else {}
    read = read_image(saved(tmp_path, image_bytes(PIL.Image.fromarray(card()), kind, **lossless)))
    assert np.array_equal(read, card())


def test_a_jpeg_is_read(tmp_path):
    read = read_image(saved(tmp_path, image_bytes(PIL.Image.fromarray(card()), "JPEG", quality=95)))
    assert np.abs(read.astype(int) - card()).mean() < 2


@pytest.mark.parametrize(
    ("orientation", "corners"),
    [
        (1, ["red", "green", "blue", "grey"]),
        (2, ["green", "red", "grey", "blue"]),
        (3, ["grey", "blue", "green", "red"]),
        (4, ["blue", "grey", "red", "green"]),
        (5, ["red", "blue", "green", "grey"]),
        (6, ["blue", "red", "grey", "green"]),
        (7, ["grey", "green", "blue", "red"]),
        (8, ["green", "grey", "red", "blue"]),
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_an_image_is_upright_as_its_camera_says(tmp_path, kind, orientation, corners):
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    read = read_image(saved(tmp_path, image_bytes(PIL.Image.fromarray(card()), kind, exif=exif)))
    assert corners_of(read) == corners
    assert read.shape[:2] == ((96, 160) if orientation < 5 else (160, 96))


def test_a_wide_gamut_profile_is_applied(tmp_path):
    swapped = ImageCms.ImageCmsProfile(io.BytesIO(profile_with_swapped_channels()))
    image = PIL.Image.fromarray(card())
    read = read_image(saved(tmp_path, image_bytes(image, "PNG", icc_profile=swapped.tobytes())))
    assert corners_of(read) == ["blue", "green", "red", "grey"]


def profile_with_swapped_channels() -> bytes:
    """The sRGB profile with its red and blue primaries exchanged: nobody can overlook whether it was applied."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace(b"rXYZ", b"tXYZ").replace(b"bXYZ", b"rXYZ").replace(b"tXYZ", b"bXYZ")


def test_a_profile_that_is_damaged_is_ignored(tmp_path):
    image = PIL.Image.fromarray(card())
    assert np.array_equal(read_image(saved(tmp_path, image_bytes(image, "PNG", icc_profile=b"no profile"))), card())


def test_a_profile_leaves_alpha_alone(tmp_path):
    clear = np.dstack([card(), np.full((96, 160), 77, dtype=np.uint8)])
    content = image_bytes(PIL.Image.fromarray(clear), "PNG", icc_profile=profile_with_swapped_channels())
    read = read_image(saved(tmp_path, content))
    assert corners_of(read[:, :, :3]) == ["blue", "green", "red", "grey"]
    assert set(np.unique(read[:, :, 3])) == {77}


def test_printers_colours_are_read_as_colours(tmp_path):
    image = PIL.Image.fromarray(card()).convert("CMYK")
    for kind in ("JPEG", "TIFF"):
        assert corners_of(read_image(saved(tmp_path, image_bytes(image, kind)))) == list(CORNERS)


def test_grey_of_sixteen_bits_keeps_its_steps(tmp_path):
    deep = np.repeat(np.linspace(0, 65535, 256).astype(np.uint16)[None, :], 8, axis=0)
    for kind in ("PNG", "TIFF"):
        read = read_image(saved(tmp_path, image_bytes(PIL.Image.fromarray(deep), kind)))
        assert np.array_equal(read[0, :, 0], np.arange(256)), kind


def test_a_dark_picture_of_sixteen_bits_stays_dark(tmp_path):
    deep = np.full((8, 8), 200, dtype=np.uint16)
    assert read_image(saved(tmp_path, image_bytes(PIL.Image.fromarray(deep), "PNG"))).max() == 1


@pytest.mark.parametrize("mode", ["L", "1", "P", "LA"])
def test_every_mode_becomes_colour(tmp_path, mode):
    image = PIL.Image.fromarray(card()).convert("RGBA" if mode == "LA" else "RGB").convert(mode)
    read = read_image(saved(tmp_path, image_bytes(image, "PNG")))
    assert read.shape == (96, 160, 3)
    assert read.dtype == np.uint8


def test_what_is_transparent_is_told_by_a_fourth_channel(tmp_path):
    clear = np.dstack([card(), np.full((96, 160), 255, dtype=np.uint8)])
    assert read_image(saved(tmp_path, image_bytes(PIL.Image.fromarray(clear), "PNG"))).shape == (96, 160, 3)
    clear[:40, :, 3] = 0
    read = read_image(saved(tmp_path, image_bytes(PIL.Image.fromarray(clear), "PNG")))
    assert np.array_equal(read[:, :, 3], clear[:, :, 3])


def test_a_palette_with_a_transparent_colour_is_transparent_there(tmp_path):
    image = PIL.Image.fromarray(card()).quantize(4)
    red = image.getpixel((2, 2))
    read = read_image(saved(tmp_path, image_bytes(image, "PNG", transparency=red)))
    assert read[2, 2, 3] == 0
    assert read[-2, -2, 3] == 255


def test_behind_what_is_transparent_is_white():
    clear = np.dstack([card(), np.full((96, 160), 255, dtype=np.uint8)])
    clear[:48, :, 3] = 0
    seen = on_ground(clear)
    assert (seen[:48] == 255).all()
    assert np.array_equal(seen[48:], card()[48:])


@pytest.mark.parametrize("kind", ["gif", "webp", "png", "tiff"])
def test_of_an_animation_the_first_picture_is_read(tmp_path, kind):
    read = read_image(saved(tmp_path, odd_media.animation(kind)))
    assert np.abs(read[..., :3].astype(int) - odd_media.pixels(400, 300)).mean() < 8


def test_an_image_that_is_cut_off_is_refused(tmp_path):
    whole = odd_media.picture("jpeg")
    with pytest.raises(Unreadable, match="the image is damaged"):
        read_image(saved(tmp_path, whole[: len(whole) // 2]))


@pytest.mark.parametrize(
    "content",
    [b"%PDF-1.7", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"#EXTM3U\n/etc", odd_media.film(num_frames=2)],
)
def test_what_is_no_image_is_refused(tmp_path, content):
    with pytest.raises(Unreadable, match="the file is not an image"):
        read_image(saved(tmp_path, content, "given.png"))


@pytest.mark.parametrize("side_px", [8_200, 14_000])
def test_a_bomb_of_pixels_is_refused_before_it_is_decoded(tmp_path, side_px):
    path = saved(tmp_path, odd_media.pixel_bomb(side_px))
    tracemalloc.start()
    with pytest.raises(Unreadable, match="at most"):
        read_image(path)
    assert tracemalloc.get_traced_memory()[1] < 50_000_000
    tracemalloc.stop()


# Cutting to size.


def test_a_picture_of_the_right_size_stays_as_it_is():
    assert np.array_equal(fitted(card(), 160, 96), card())


def test_what_is_too_wide_loses_both_sides_alike():
    picture = np.zeros((100, 300, 3), dtype=np.uint8)
    picture[:, 100:200] = 255
    assert (fitted(picture, 100, 100) == 255).all()


def test_what_is_too_high_loses_top_and_bottom_alike():
    picture = np.zeros((300, 100, 3), dtype=np.uint8)
    picture[100:200] = 255
    assert (fitted(picture, 100, 100) == 255).all()


@pytest.mark.parametrize("size", [(16, 16), (1470, 630), (333, 1000), (2, 400)])
def test_a_picture_gets_exactly_the_size_that_is_wanted(size):
    assert fitted(card(), *size).shape == (size[1], size[0], 3)


def test_fine_stripes_become_an_even_grey_when_made_smaller():
    stripes = np.zeros((399, 399, 3), dtype=np.uint8)
    stripes[:, ::2] = 255
    assert np.abs(fitted(stripes, 42, 42).astype(int) - 127).max() <= 20


# Videos.


@pytest.mark.parametrize(
    "coder",
    [
        {"colorspace": 1, "color_range": 1},
        {"colorspace": 5, "color_range": 1, "matrix": "ITU601"},
        {"colorspace": 1, "color_range": 2},
        # Untagged and small: BT.601.
        {"matrix": "ITU601"},
        {"colorspace": 1, "codec": "libx265", "pix_fmt": "yuv420p10le"},
        {"colorspace": 1, "pix_fmt": "yuv420p"},
    ],
)
def test_a_videos_colours_are_those_it_was_made_of(tmp_path, coder):
    path = saved(tmp_path, film_of([card()] * 3, **coder))
    with VideoReader(path, 24) as reader:
        for picture in reader:
            for place in ((12, 20), (12, 140), (80, 20), (80, 140)):
                assert np.abs(picture[place].astype(int) - card()[place]).max() <= 3


def test_a_large_video_without_tags_is_taken_for_high_definition(tmp_path):
    large = card(1280, 720)
    with VideoReader(saved(tmp_path, film_of([large])), 24) as reader:
        assert np.abs(next(iter(reader)).astype(int) - large).mean() < 2


@pytest.mark.parametrize(("rotation_deg", "first"), [(0, "red"), (90, "blue"), (180, "grey"), (270, "green")])
def test_a_video_is_upright_as_its_camera_says(tmp_path, rotation_deg, first):
    content = odd_media.rotated(film_of([card()] * 2), rotation_deg)
    with VideoReader(saved(tmp_path, content), 24) as reader:
        picture = next(iter(reader))
        assert corners_of(picture)[0] == first
        assert picture.shape[:2] == ((96, 160) if rotation_deg in (0, 180) else (160, 96))
        assert (reader.height_px, reader.width_px) == picture.shape[:2]


def test_pixels_that_are_wide_are_made_square(tmp_path):
    content = odd_media.film(width_px=720, height_px=480, pixel_aspect=(4, 3), num_frames=3)
    with VideoReader(saved(tmp_path, content), 24) as reader:
        assert next(iter(reader)).shape == (480, 960, 3)


def test_odd_sizes_are_read(tmp_path):
    with VideoReader(saved(tmp_path, film_of([card(161, 97)] * 2)), 24) as reader:
        picture = next(iter(reader))
        assert picture.shape == (97, 161, 3)
        assert corners_of(picture) == list(CORNERS)


def test_a_video_of_the_films_rate_is_read_picture_by_picture(tmp_path):
    with VideoReader(saved(tmp_path, film_of(numbered(20))), 24) as reader:
        assert numbers_in(iter(reader)) == list(range(20))


def test_of_a_video_of_twice_the_rate_every_other_picture_is_read(tmp_path):
    with VideoReader(saved(tmp_path, film_of(numbered(20))), 12) as reader:
        assert numbers_in(iter(reader)) == list(range(0, 20, 2))


def test_of_a_video_of_half_the_rate_every_picture_is_read_twice(tmp_path):
    with VideoReader(saved(tmp_path, film_of(numbered(6))), 48) as reader:
        assert numbers_in(iter(reader)) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


def test_pictures_in_uneven_steps_stay_as_long_as_they_are_shown(tmp_path):
    content = film_of(numbered(4), starts=[0, 1, 4, 5])
    with VideoReader(saved(tmp_path, content), 24) as reader:
        assert numbers_in(iter(reader))[:6] == [0, 1, 1, 1, 2, 3]


def test_25_pictures_a_second_become_24_without_a_gap(tmp_path):
    content = odd_media.film(fps=25, num_frames=50, width_px=64, height_px=64, sounds=0)
    with VideoReader(saved(tmp_path, content), 24) as reader:
        assert len(list(reader)) == 48


def test_reading_can_begin_at_any_moment_and_anew(tmp_path):
    content = film_of(numbered(30), gop_size=10, max_b_frames=2)
    with VideoReader(saved(tmp_path, content), 24) as reader:
        assert numbers_in(reader.pictures(17 / 24)) == list(range(17, 30))
        assert numbers_in(reader.pictures(0.0)) == list(range(30))
        assert numbers_in(reader.pictures(29 / 24)) == [29]
        assert numbers_in(reader.pictures(5.0)) == []


def test_a_long_video_is_never_in_memory_as_a_whole(tmp_path):
    content = film_of([card(640, 480)] * 60)
    tracemalloc.start()
    with VideoReader(saved(tmp_path, content), 24) as reader:
        assert sum(1 for _ in reader) == 60
    assert tracemalloc.get_traced_memory()[1] < 10 * 640 * 480 * 3
    tracemalloc.stop()


def test_a_damaged_part_of_a_video_is_passed_over(tmp_path):
    content = bytearray(film_of(numbered(30), gop_size=5))
    middle = content.index(b"mdat") + 2000
    content[middle : middle + 300] = os.urandom(300)
    with VideoReader(saved(tmp_path, bytes(content)), 24) as reader:
        assert len(list(reader)) == 30


@pytest.mark.parametrize("content", [b"", b"#EXTM3U\nfile:///etc/passwd\n", odd_media.picture("png")])
def test_what_is_no_video_is_refused(tmp_path, content):
    with pytest.raises(Unreadable):
        VideoReader(saved(tmp_path, content, "given.mp4"), 24)


@pytest.mark.parametrize("name", sorted(ODD))
def test_whatever_may_be_given_is_read_and_other_files_are_read_or_refused(tmp_path, name):
    odd = ODD[name]
    path = saved(tmp_path, odd.content())
    refused = ""
    try:
        sizes = sizes_read(path, odd.modality)
    except Unreadable as error:
        refused = error.reason
    # The server refuses the others before any engine sees them; here they must do no harm, and tell no path.
    assert "/" not in refused
    if odd.facts:
        assert not refused
        assert sizes == [(odd.facts.get("height_px", ANY), odd.facts.get("width_px", ANY))]


def sizes_read(path: Path, modality: Modality) -> list[tuple[int, int]]:
    """The different sizes of what engines see in a file; (0, 0) for a sound."""
    if modality is Modality.IMAGE:
        return [read_image(path).shape[:2]]
    if modality is Modality.AUDIO:
        heard = read_sound(path, RATE_HZ, 2)
        return [] if heard is None else [(0, 0)]
    with VideoReader(path, 24) as reader:
        return list({picture.shape[:2] for picture in itertools.islice(reader, 48)})


# Sounds.


def test_sound_comes_at_the_rate_and_with_the_channels_that_are_wanted(tmp_path):
    content = odd_media.sound("wav", duration_s=2.0, sample_rate_hz=44_100, channels=1)
    heard = read_sound(saved(tmp_path, content), RATE_HZ, 2)
    assert heard is not None
    assert heard.dtype == np.float32
    assert heard.shape[1] == 2
    assert len(heard) == 2 * RATE_HZ
    assert loudest_hz(heard[:, 0]) == pytest.approx(440, abs=1)


def loudest_hz(wave: NDArray[np.float32]) -> float:
    """The frequency of a tone."""
    return float(np.abs(np.fft.rfft(wave * np.hanning(wave.size))).argmax() * RATE_HZ / wave.size)


@pytest.mark.parametrize(
    "content",
    [odd_media.sound("mp3"), odd_media.mp3_with_cover(), odd_media.sound("wav", codec="pcm_s24le")],
    ids=["mp3", "mp3 with a cover", "wav of 24 bits"],
)
def test_sounds_of_every_kind_are_heard(tmp_path, content):
    heard = read_sound(saved(tmp_path, content), RATE_HZ, 1)
    assert heard is not None
    assert abs(len(heard) / RATE_HZ - 3) < 0.1
    assert loudest_hz(heard[:, 0]) == pytest.approx(440, abs=1)
    assert 0.1 < np.abs(heard).max() < 0.5


def test_a_sound_whose_bit_rate_changes_is_read_to_its_end(tmp_path):
    heard = read_sound(saved(tmp_path, odd_media.uneven_mp3()), RATE_HZ, 2)
    assert heard is not None
    assert abs(len(heard) / RATE_HZ - 6) < 0.2


def test_a_silent_video_has_no_sound(tmp_path):
    assert read_sound(saved(tmp_path, odd_media.film(sounds=0, num_frames=3)), RATE_HZ, 2) is None


def test_of_several_tracks_the_first_is_heard(tmp_path):
    heard = read_sound(saved(tmp_path, odd_media.film(sounds=2, num_frames=24)), RATE_HZ, 2)
    assert heard is not None
    assert abs(len(heard) / RATE_HZ - 1) < 0.05


def test_a_track_that_begins_after_the_pictures_is_heard_that_much_later(tmp_path):
    heard = read_sound(saved(tmp_path, with_late_sound(0.5)), RATE_HZ, 1)
    assert heard is not None
    loud = np.flatnonzero(np.abs(heard[:, 0]) > 0.05)
    assert loud[0] / RATE_HZ == pytest.approx(0.5, abs=0.03)


def with_late_sound(late_s: float) -> bytes:
    """A second of pictures, with half a second of tone from a moment on."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as made:
        video = made.add_stream("libx264", rate=24)
        video.width, video.height, video.pix_fmt = 64, 64, "yuv420p"
        audio = made.add_stream("aac", rate=RATE_HZ, layout="mono")
        for index in range(24):
            frame = av.VideoFrame.from_ndarray(numbered(1)[0], format="rgb24")
            frame.pts = index
            made.mux(video.encode(frame))
        made.mux(video.encode(None))
        wave = np.sin(np.arange(RATE_HZ // 2) * 2 * np.pi * 440 / RATE_HZ).astype(np.float32) * 0.5
        for start in range(0, wave.size, 1024):
            part = av.AudioFrame.from_ndarray(wave[None, start : start + 1024].copy(), format="fltp", layout="mono")
            part.sample_rate, part.pts = RATE_HZ, round(late_s * RATE_HZ) + start
            part.time_base = Fraction(1, RATE_HZ)
            made.mux(audio.encode(part))
        made.mux(audio.encode(None))
    return file.getvalue()


@pytest.mark.parametrize("content", [b"", b"#EXTM3U\n", odd_media.picture("png"), odd_media.sound("ogg")])
def test_what_is_no_sound_is_refused(tmp_path, content):
    with pytest.raises(Unreadable):
        read_sound(saved(tmp_path, content, "given.mp3"), RATE_HZ, 2)


def test_pixel_perfect_cuts_do_not_resample():
    assert np.array_equal(fitted(card(200, 96), 160, 96), card(200, 96)[:, 20:180])
