"""What is measured of a file and how far; the corpus of odd files is judged in `test_sandbox`, behind the walls."""

import contextlib
import itertools
import random
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from odd_media import animation, film, found_box, picture, sound
from understudy.core.media import MediaFacts, Unreadable
from understudy.core.modality import Modality
from understudy.media.inspect_container import ContainerBounds, Span, prepare_containers
from understudy.media.inspect_file import inspect, prepare
from understudy.media.inspect_film import inspect_film
from understudy.media.inspect_image import ImageBounds, inspect_image, prepare_images
from understudy.media.inspect_kind import GIF, MP3, MP4, PNG, kind_of
from understudy.media.inspect_sound import inspect_sound

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::PIL.Image.DecompressionBombWarning")

IMAGE, VIDEO, AUDIO = Modality.IMAGE, Modality.VIDEO, Modality.AUDIO


@pytest.fixture(autouse=True, scope="module")
def prepared() -> None:
    prepare_images()
    prepare_containers()


Inspected = Callable[..., MediaFacts]


@pytest.fixture
def measured(tmp_path: Path) -> Inspected:
    """Measure bytes: measured(content, modality) or measured(content, a function of a file)."""

    def measure(content: bytes, how: object, **given: object) -> MediaFacts:
        path = tmp_path / "file"
        path.write_bytes(content)
        with path.open("rb") as file:
            if isinstance(how, Modality):
                return inspect(file, how)
            return how(file, size_bytes=len(content), **given)

    return measure


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(Unreadable) as caught:
        act()
    return caught.value.reason


def test_a_name_tells_nothing(tmp_path):
    path = tmp_path / "picture.png"
    path.write_bytes(film())
    with path.open("rb") as file:
        assert inspect(file, VIDEO).container == "mp4"


@pytest.mark.parametrize("content", [picture("png"), film(), sound("mp3")], ids=["image", "video", "sound"])
def test_the_size_is_that_of_the_file(measured, content):
    modality = {b"\x89P": IMAGE, b"\0\0": VIDEO}.get(content[:2], AUDIO)
    assert measured(content, modality).size_bytes == len(content)


def test_what_is_not_read_is_told_with_what_is(measured):
    reason = refusal(lambda: measured(film(container="avi", codec="mpeg4", sound_codec="libmp3lame"), VIDEO))
    assert reason == "the file is a video (avi); mp4, mov are read here"


def test_looking_at_the_kind_leaves_the_file_at_its_beginning(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(sound("mp3"))
    with path.open("rb") as file:
        kind_of(file)
        assert file.tell() == 0


def test_what_a_probe_answers_can_be_sent_as_json_and_is_the_facts(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(picture())
    with path.open("rb") as file:
        answer = prepare()(file, IMAGE)
    assert MediaFacts(**answer).width_px == 400


def test_more_pixels_than_the_bound_are_not_decoded(measured):
    bounds = ImageBounds(pixels=400 * 300 - 1)
    reason = refusal(lambda: measured(picture(), inspect_image, kind=PNG, bounds=bounds))
    assert reason == "the image has 120000 pixels, at most 119999 are decoded"


def test_as_many_pixels_as_the_bound_are_decoded(measured):
    bounds = ImageBounds(pixels=400 * 300)
    assert measured(picture(), inspect_image, kind=PNG, bounds=bounds).width_px == 400


def broken_behind_the_first_picture() -> bytes:
    whole = animation("gif")
    return whole[: len(whole) * 3 // 4]


def test_the_pictures_of_an_animation_are_decoded_while_that_is_affordable(measured):
    broken = broken_behind_the_first_picture()
    assert "damaged" in refusal(lambda: measured(broken, inspect_image, kind=GIF))
    only_the_first = ImageBounds(decoded_pixels=400 * 300)
    assert measured(broken, inspect_image, kind=GIF, bounds=only_the_first).num_frames > 1


def test_more_pictures_than_the_bound_are_not_read(measured):
    reason = refusal(lambda: measured(animation(), inspect_image, kind=GIF, bounds=ImageBounds(pictures=2)))
    assert reason == "the image has 3 pictures, at most 2 are read"


@pytest.mark.parametrize(
    ("bounds", "reason"),
    [
        (ContainerBounds(packets=20), "the file has more than 20 packets"),
        (ContainerBounds(streams=1), "the file has 2 tracks, at most 1 are read"),
        (ContainerBounds(pixels=864 * 480 - 1), "the pictures have 414720 pixels, at most 414719 are decoded"),
    ],
)
def test_a_film_is_read_within_bounds(measured, bounds, reason):
    assert refusal(lambda: measured(film(), inspect_film, kind=MP4, bounds=bounds)) == reason


def test_the_length_of_a_film_is_not_what_its_header_claims(measured):
    lying = bytearray(film())
    for name, at in ((b"mvhd", 24), (b"tkhd", 28), (b"mdhd", 24)):
        start = lying.index(name) - 4
        struct.pack_into(">I", lying, start + at, 999_999)
    assert measured(bytes(lying), VIDEO).duration_s == pytest.approx(2.0, abs=0.05)


def damaged_in(part: float) -> bytes:
    """Six seconds with a keyframe each second, of which the nearest keyframe to that part of the film is zeros."""
    whole = bytearray(film(num_frames=144, width_px=320, height_px=240, keyframes_apart=24, sounds=0))
    offset = whole.index(b"mdat") + 4
    sizes = struct.unpack_from(">144I", found_box(bytes(whole), b"stsz"), 20)
    starts = list(itertools.accumulate(sizes, initial=offset))
    keyframe = round(part * 5) * 24
    whole[starts[keyframe] : starts[keyframe + 1]] = bytes(sizes[keyframe])
    return bytes(whole)


@pytest.mark.parametrize("part", [0.0, 0.5, 1.0])
def test_a_film_is_looked_into_from_its_beginning_to_its_end(measured, part):
    assert "damaged" in refusal(lambda: measured(damaged_in(part), VIDEO))


def test_no_film_is_decoded_as_a_whole(measured):
    assert "damaged" in refusal(lambda: measured(damaged_in(0.0), VIDEO))
    few = ContainerBounds(checked_moments=1)
    assert measured(damaged_in(1.0), inspect_film, kind=MP4, bounds=few).num_frames == 144


def test_sound_behind_the_bound_is_counted_and_not_decoded(measured):
    # Packets of MP3 are counted in whole ticks of their clock, and what is decoded to the sample.
    assert measured(sound("mp3"), AUDIO).duration_s == 3.0
    counted_s = measured(sound("mp3"), inspect_sound, kind=MP3, bounds=ContainerBounds(decoded_s=1.0)).duration_s
    assert 3.0 < counted_s < 3.05


@pytest.mark.parametrize(("fps", "clock"), [(24, 1000), (25, 600), (30, 1000), (60, 1000), (50, 90_000)], ids=str)
def test_the_rate_is_the_one_that_is_meant_whatever_the_clock(measured, fps, clock):
    made = film(fps=fps, width_px=64, height_px=48, sounds=0, options=(("video_track_timescale", str(clock)),))
    facts = measured(made, VIDEO)
    assert (facts.fps, facts.is_variable_rate) == (fps, False)


@pytest.mark.parametrize(
    ("steps", "is_variable"),
    [
        ((41, 42, 42), False),
        ((20, 20, 19, 21), False),
        ((1000, 1000, 1050), False),
        ((40, 80), True),
        ((40, 40, 47), True),
    ],
)
def test_uneven_steps_are_those_a_clock_does_not_explain(steps, is_variable):
    assert span_of(steps).is_variable() is is_variable


class Packet:
    """What `Span` asks of a packet."""

    is_discard = False

    def __init__(self, pts: int, duration: int) -> None:
        self.pts = pts
        self.duration = duration


def span_of(steps: tuple[int, ...], *, last: int = 0) -> Span:
    span = Span(0.001)
    for start in itertools.accumulate(steps, initial=0):
        span.add(Packet(start, last))
    return span


def test_a_last_picture_without_a_length_is_as_long_as_the_others():
    assert span_of((40, 40, 40)).duration_s == pytest.approx(0.16)
    assert span_of((40, 40, 40), last=10).duration_s == pytest.approx(0.13)


MUTATIONS = 300
SEEDS = {
    **{
        kind: (lambda kind=kind: picture(kind), IMAGE) for kind in ("png", "jpeg", "webp", "bmp", "tiff", "gif", "heic")
    },
    **{f"{kind} that moves": (lambda kind=kind: animation(kind), IMAGE) for kind in ("gif", "webp", "png")},
    "film": (lambda: film(num_frames=12, width_px=160, height_px=96), VIDEO),
    "hevc": (lambda: film(num_frames=12, width_px=160, height_px=96, codec="libx265", container="mov"), VIDEO),
    "wav": (lambda: sound("wav", duration_s=0.5), AUDIO),
    "mp3": (lambda: sound("mp3", duration_s=0.5), AUDIO),
}


@pytest.mark.parametrize("name", SEEDS)
def test_a_damaged_file_is_measured_or_refused_and_nothing_else(measured, name):
    make, modality = SEEDS[name]
    chance = random.Random(name)
    for _ in range(MUTATIONS // len(SEEDS)):
        changed = bytearray(make())
        for _ in range(chance.choice((1, 3, 30))):
            changed[chance.randrange(min(len(changed), chance.choice((300, len(changed)))))] = chance.randrange(256)
        with contextlib.suppress(Unreadable, MemoryError):
            assert measured(bytes(changed), modality).modality is modality
