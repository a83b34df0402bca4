"""A film's bytes, colours, timing and metadata, as decoders see them."""

import struct
import subprocess
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from understudy.media.encode import EncodingFailed, FilmEncoder, FilmFormat, Sound, write_jpeg, write_png
from understudy.media.probe import NotAFilm, probe_film

FPS = 24
RATE_HZ = 48_000

PATCHES = (
    (255, 0, 0),
    (0, 255, 0),
    (0, 0, 255),
    (255, 255, 0),
    (0, 255, 255),
    (255, 0, 255),
    (230, 120, 20),
    (128,) * 3,
)
PATCH_PX = 64

PROGRAM = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from unit.test_encode import write_film
write_film(Path(sys.argv[1]))
"""


def patches() -> np.ndarray:
    row = [np.full((PATCH_PX, PATCH_PX, 4), (*colour, 255), dtype=np.uint8) for colour in PATCHES]
    return np.concatenate(row, axis=1)


def ramp(width_px: int, height_px: int, shift_px: int) -> np.ndarray:
    """A smooth picture that moves."""
    x, y = np.meshgrid(np.arange(width_px) + shift_px, np.arange(height_px))
    channels = [128 + 100 * np.sin(x / 37), 128 + 100 * np.cos(y / 23), 128 + 100 * np.sin((x + y) / 51)]
    return np.dstack([*channels, np.full_like(x, 255)]).astype(np.uint8)


def tone(duration_s: float, channels: int = 2) -> Sound:
    wave = 0.3 * np.sin(2 * np.pi * 440 * np.arange(int(duration_s * RATE_HZ)) / RATE_HZ)
    return Sound(samples=np.repeat(wave[:, None], channels, axis=1).astype(np.float32), sample_rate_hz=RATE_HZ)


def write_film(
    path: Path, *, width_px: int = 320, height_px: int = 180, num_frames: int = FPS, sound: Sound | None = None
) -> Path:
    """A ramp; the path's ending says in which container."""
    tags = {"title": "A ramp", "comment": "Made"}
    container = path.suffix.removeprefix(".")
    wanted = FilmFormat(width_px=width_px, height_px=height_px, fps=FPS, tags=tags, container=container)
    with FilmEncoder(path, wanted, sound=sound or tone(num_frames / FPS)) as encoder:
        for index in range(num_frames):
            encoder.add_frame(ramp(width_px, height_px, 3 * index))
    return path


def boxes(data: bytes, *names: bytes) -> list[bytes]:
    """The contents of every box of the given names inside the index, at any depth."""
    found = []

    def walk(start: int, end: int) -> None:
        while start + 8 <= end:
            length, name = struct.unpack(">I4s", data[start : start + 8])
            if name in names:
                found.append(data[start + 8 : start + length])
            if name in (b"moov", b"trak", b"mdia", b"edts", b"minf", b"stbl"):
                walk(start + 8, start + length)
            if length < 8:
                return
            start += length

    walk(0, len(data))
    return found


def decoded(path: Path) -> np.ndarray:
    """The first picture as RGB, converted by swscale as the file's tags say."""
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        return frame.reformat(
            format="rgb24", src_colorspace=frame.colorspace, src_color_range=frame.color_range
        ).to_ndarray()


def patch_errors(picture: np.ndarray) -> list[int]:
    centres = [picture[PATCH_PX // 2, PATCH_PX * index + PATCH_PX // 2] for index in range(len(PATCHES))]
    return [int(np.abs(a.astype(int) - b).max()) for a, b in zip(centres, PATCHES, strict=True)]


@pytest.mark.parametrize("size", [(1112, 834), (1470, 630), (496, 864), (2206, 946)])
def test_a_size_that_is_no_multiple_of_a_block_comes_out_exact(tmp_path, size):
    facts = probe_film(write_film(tmp_path / "a.mp4", width_px=size[0], height_px=size[1], num_frames=6))
    assert (facts.width_px, facts.height_px, facts.num_frames) == (*size, 6)


def test_a_film_has_constant_frames_and_sound_of_exactly_its_duration(tmp_path):
    facts = probe_film(write_film(tmp_path / "a.mp4", num_frames=5 * FPS))
    assert (facts.num_frames, facts.fps, facts.has_constant_rate) == (5 * FPS, 24.0, True)
    assert facts.duration_s == pytest.approx(5, abs=1e-6)
    assert facts.sound_duration_s == pytest.approx(5, abs=1e-6)
    assert (facts.sound_codec, facts.sample_rate_hz, facts.channels) == ("aac", RATE_HZ, 2)


def test_a_film_may_have_one_channel_or_no_sound(tmp_path):
    assert probe_film(write_film(tmp_path / "mono.mp4", sound=tone(1, channels=1))).channels == 1
    with FilmEncoder(tmp_path / "mute.mp4", FilmFormat(width_px=320, height_px=180, fps=FPS)) as encoder:
        encoder.add_frame(ramp(320, 180, 0))
    assert not probe_film(tmp_path / "mute.mp4").has_sound


def test_a_film_is_h264_tagged_bt709_limited_and_starts_fast(tmp_path):
    facts = probe_film(write_film(tmp_path / "a.mp4"))
    assert (facts.codec, facts.pix_fmt) == ("h264", "yuv420p")
    assert (facts.color_primaries, facts.color_transfer, facts.color_matrix, facts.color_range) == (1, 1, 1, 1)
    assert facts.is_faststart


def test_a_film_for_editing_has_whole_colours_and_unpacked_sound(tmp_path):
    facts = probe_film(write_film(tmp_path / "a.mov", num_frames=29))
    assert facts.metadata["major_brand"].strip() == "qt"
    assert (facts.codec, facts.pix_fmt, facts.sound_codec) == ("h264", "yuv444p", "pcm_s16le")
    assert (facts.color_primaries, facts.color_transfer, facts.color_matrix, facts.color_range) == (1, 1, 1, 1)
    assert (facts.num_frames, facts.has_constant_rate, facts.is_faststart) == (29, True, True)
    assert facts.sound_duration_s == pytest.approx(29 / FPS, abs=1e-6)
    assert (facts.sample_rate_hz, facts.channels) == (RATE_HZ, 2)


def test_the_sound_of_a_film_for_editing_is_the_one_that_was_given(tmp_path):
    given = tone(1, channels=1)
    path = write_film(tmp_path / "a.mov", sound=given)
    with av.open(str(path)) as container:
        heard = np.concatenate([frame.to_ndarray().ravel() for frame in container.decode(audio=0)])
    assert np.abs(heard / 2**15 - given.samples[:, 0]).max() <= 2**-15


def test_a_film_whose_index_comes_last_does_not_start_fast(tmp_path):
    path = tmp_path / "slow.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(ramp(320, 180, 0), format="rgba")))
        container.mux(stream.encode(None))
    assert not probe_film(path).is_faststart


@pytest.mark.parametrize(("container", "error"), [("mp4", 6), ("mov", 2)])
def test_saturated_colours_survive_a_decode(tmp_path, container, error):
    picture = patches()
    wanted = FilmFormat(width_px=picture.shape[1], height_px=picture.shape[0], fps=FPS, container=container)
    with FilmEncoder(tmp_path / "a", wanted) as encoder:
        for _ in range(3):
            encoder.add_frame(picture)
    assert max(patch_errors(decoded(tmp_path / "a"))) <= error


def test_the_colour_judge_refuses_the_wrong_matrix(tmp_path):
    path = tmp_path / "a.mp4"
    picture = patches()
    with FilmEncoder(path, FilmFormat(width_px=picture.shape[1], height_px=picture.shape[0], fps=FPS)) as encoder:
        encoder.add_frame(picture)
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        wrong = frame.reformat(format="rgb24", src_colorspace="ITU601", src_color_range="MPEG").to_ndarray()
    assert max(patch_errors(wrong)) > 20


@pytest.mark.parametrize("name", ["a.mp4", "a.mov"])
def test_the_tags_are_read_back(tmp_path, name):
    metadata = probe_film(write_film(tmp_path / name)).metadata
    assert (metadata["title"], metadata["comment"]) == ("A ramp", "Made")
    assert "encoder" not in metadata
    assert "creation_time" not in metadata


@pytest.mark.parametrize("name", ["a.mp4", "a.mov"])
def test_no_box_carries_a_time(tmp_path, name):
    data = write_film(tmp_path / name).read_bytes()
    headers = boxes(data, b"mvhd", b"tkhd", b"mdhd")
    assert len(headers) == 5
    # A track header begins with flags, which QuickTime uses.
    assert all(struct.unpack(">II", header[4:12]) == (0, 0) for header in headers)


@pytest.mark.parametrize("container", ["mp4", pytest.param("mov", marks=pytest.mark.full)])
def test_two_processes_write_equal_bytes(tmp_path, container):
    tests = str(Path(__file__).parent.parent)
    a, b = (tmp_path / f"{name}.{container}" for name in "ab")
    for path in (a, b):
        subprocess.run([sys.executable, "-c", PROGRAM, str(path), tests], check=True)
    assert a.read_bytes() == b.read_bytes()


def test_another_picture_gives_other_bytes(tmp_path):
    a = write_film(tmp_path / "a.mp4", num_frames=3).read_bytes()
    assert a != write_film(tmp_path / "b.mp4", num_frames=4).read_bytes()


def test_a_click_is_heard_when_it_was_placed(tmp_path):
    samples = np.zeros((2 * RATE_HZ, 1), dtype=np.float32)
    samples[RATE_HZ : RATE_HZ + 48] = 0.9
    write_film(tmp_path / "a.mp4", num_frames=2 * FPS, sound=Sound(samples=samples, sample_rate_hz=RATE_HZ))
    with av.open(str(tmp_path / "a.mp4")) as container:
        heard = [(frame.time, frame.to_ndarray()[0]) for frame in container.decode(audio=0)]
    first_s, _ = heard[0]
    wave = np.concatenate([part for _, part in heard])
    assert first_s == 0
    assert np.argmax(np.abs(wave)) / RATE_HZ == pytest.approx(1.0, abs=0.003)


def test_the_picture_buffer_may_be_reused_at_once(tmp_path):
    buffer = np.zeros((180, 320, 4), dtype=np.uint8)
    with FilmEncoder(tmp_path / "a.mp4", FilmFormat(width_px=320, height_px=180, fps=FPS)) as encoder:
        for level in range(0, 240, 10):
            buffer[...] = level
            encoder.add_frame(buffer)
            buffer[...] = 255
    with av.open(str(tmp_path / "a.mp4")) as container:
        levels = [frame.to_ndarray(format="rgb24").mean() for frame in container.decode(video=0)]
    assert levels == pytest.approx(list(range(0, 240, 10)), abs=4)


@pytest.mark.parametrize("size", [(321, 180), (320, 181), (0, 0)])
def test_a_size_that_h264_cannot_hold_is_refused(tmp_path, size):
    with pytest.raises(ValueError, match="must be even"):
        FilmEncoder(tmp_path / "a.mp4", FilmFormat(width_px=size[0], height_px=size[1], fps=FPS))


def test_a_picture_of_another_size_is_refused(tmp_path):
    with (
        pytest.raises(ValueError, match="expected"),
        FilmEncoder(tmp_path / "a.mp4", FilmFormat(width_px=320, height_px=180, fps=FPS)) as encoder,
    ):
        encoder.add_frame(np.zeros((180, 322, 4), dtype=np.uint8))


def test_an_encoder_that_cannot_start_tells_the_caller(tmp_path):
    with pytest.raises(EncodingFailed, match=r"a\.mp4"):
        FilmEncoder(tmp_path / "a.mp4", FilmFormat(width_px=320, height_px=180, fps=FPS, preset="no such preset"))


def test_a_file_that_cannot_be_opened_is_an_encoding_failure(tmp_path):
    with pytest.raises(EncodingFailed):
        FilmEncoder(tmp_path / "missing" / "a.mp4", FilmFormat(width_px=320, height_px=180, fps=FPS))


def abandon(encoder: FilmEncoder) -> None:
    with encoder:
        encoder.add_frame(ramp(320, 180, 0))
        raise KeyError


def test_an_abandoned_film_raises_the_callers_own_error_and_ends_its_thread(tmp_path):
    encoder = FilmEncoder(tmp_path / "a.mp4", FilmFormat(width_px=320, height_px=180, fps=FPS))
    with pytest.raises(KeyError):
        abandon(encoder)
    assert not encoder.is_running


def test_a_disk_that_fills_up_is_an_encoding_failure(tmp_path):
    tests = str(Path(__file__).parent.parent)
    limited = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n" + PROGRAM
    ended = subprocess.run([sys.executable, "-c", limited, str(tmp_path / "a.mp4"), tests], capture_output=True)
    assert ended.returncode == 1
    assert b"EncodingFailed: the film could not be finished" in ended.stderr


@pytest.mark.parametrize("content", [b"", b"not a film at all", b"\x00\x00\x00\x18ftypisom" + bytes(100)])
def test_what_is_no_film_is_said_to_be_none(tmp_path, content):
    (tmp_path / "a.mp4").write_bytes(content)
    with pytest.raises(NotAFilm):
        probe_film(tmp_path / "a.mp4")


def test_a_png_gives_back_every_pixel(tmp_path):
    picture = np.random.default_rng(1).integers(0, 256, (35, 77, 4), dtype=np.uint8)
    write_png(tmp_path / "a.png", picture)
    read = cv2.cvtColor(cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    assert np.array_equal(read, picture[:, :, :3])


def test_a_png_has_no_chunk_beyond_the_needed_three(tmp_path):
    write_png(tmp_path / "a.png", ramp(64, 36, 0))
    data = (tmp_path / "a.png").read_bytes()
    names, at = [], 8
    while at < len(data):
        length, name = struct.unpack(">I4s", data[at : at + 8])
        names.append(name)
        at += 12 + length
    assert names == [b"IHDR", b"IDAT", b"IEND"]


HEVC_PROGRAM = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from unit.test_encode import write_hevc
write_hevc(Path(sys.argv[1]))
"""


def write_hevc(path: Path, num_frames: int = FPS) -> Path:
    wanted = FilmFormat(width_px=512, height_px=64, fps=FPS, video_codec="hevc")
    with FilmEncoder(path, wanted, sound=tone(num_frames / FPS)) as encoder:
        for _ in range(num_frames):
            encoder.add_frame(patches())
    return path


def test_a_film_in_hevc_has_ten_bits_and_opens_where_hvc1_is_asked_for(tmp_path):
    facts = probe_film(write_hevc(tmp_path / "a.mp4"))
    assert (facts.codec, facts.pix_fmt, facts.num_frames) == ("hevc", "yuv420p10le", FPS)
    assert (facts.color_primaries, facts.color_transfer, facts.color_matrix, facts.color_range) == (1, 1, 1, 1)
    assert (facts.is_faststart, facts.has_constant_rate) == (True, True)
    assert boxes((tmp_path / "a.mp4").read_bytes(), b"stsd")[0][12:16] == b"hvc1"


def test_saturated_colours_survive_hevc(tmp_path):
    assert max(patch_errors(decoded(write_hevc(tmp_path / "a.mp4")))) <= 6


def test_a_film_in_hevc_names_no_build_and_no_machine(tmp_path):
    assert b"x265" not in write_hevc(tmp_path / "a.mp4").read_bytes()


def test_two_processes_write_equal_bytes_in_hevc(tmp_path):
    tests = str(Path(__file__).parent.parent)
    a, b = (tmp_path / f"{name}.mp4" for name in "ab")
    for path in (a, b):
        subprocess.run([sys.executable, "-c", HEVC_PROGRAM, str(path), tests], check=True)
    assert a.read_bytes() == b.read_bytes()


def test_a_film_for_editing_stays_h264(tmp_path):
    wanted = FilmFormat(width_px=512, height_px=64, fps=FPS, video_codec="hevc", container="mov")
    with FilmEncoder(tmp_path / "a.mov", wanted) as encoder:
        encoder.add_frame(patches())
    facts = probe_film(tmp_path / "a.mov")
    assert (facts.codec, facts.pix_fmt) == ("h264", "yuv444p")


def test_a_jpeg_keeps_colours_and_is_the_same_each_time(tmp_path):
    for name in "ab":
        write_jpeg(tmp_path / f"{name}.jpg", patches())
    picture = cv2.cvtColor(cv2.imread(str(tmp_path / "a.jpg")), cv2.COLOR_BGR2RGB)
    assert max(patch_errors(picture)) <= 3
    assert (tmp_path / "a.jpg").read_bytes() == (tmp_path / "b.jpg").read_bytes()
