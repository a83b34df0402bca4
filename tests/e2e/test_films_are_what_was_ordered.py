"""Every size of the catalogue's table as a real film, decoded: shape, timing, sound, colour, metadata, equal bytes."""

from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from multiprocessing import get_context

import av
import cv2
import numpy as np
import pytest

import film_judges as judge
from film_studio import SEED, SHORTEST_S, digests_of_repeats, order_of, take, take_elsewhere
from understudy.catalog.load import load_catalogue
from understudy.media.marks import LABEL_TEXT, WATERMARK_TEXT, Corner, Mark
from understudy.media.probe import FilmFacts, probe_film

MODEL = load_catalogue().models["doubao-seedance-2.0"]
PROMPT = 'A cat sits in a snowy garden at dawn and says: "Good morning to you."'

ORDERS = [(resolution, ratio) for resolution in ("480p", "720p", "1080p") for ratio in MODEL.ratios] + [("4k", "16:9")]
IN_BRIEF = [("480p", "16:9"), ("720p", "21:9")]
IN_FULL = [("1080p", "9:16"), ("4k", "16:9")]
"""Every size itself is held by `unit/previz/test_engine_jobs.py`, with films of one frame."""


def facts_of(resolution: str, ratio: str) -> FilmFacts:
    return probe_film(take(PROMPT, resolution=resolution, ratio=ratio).video)


def assert_as_ordered(facts: FilmFacts, resolution: str, ratio: str) -> None:
    assert (facts.width_px, facts.height_px) == MODEL.sizes[resolution][ratio]
    assert facts.num_frames == SHORTEST_S * MODEL.fps
    assert (facts.fps, facts.has_constant_rate) == (MODEL.fps, True)
    assert facts.duration_s == pytest.approx(SHORTEST_S, abs=1e-6)
    assert (facts.codec, facts.pix_fmt) == ("h264", "yuv420p")
    assert (facts.color_primaries, facts.color_transfer, facts.color_matrix, facts.color_range) == (1, 1, 1, 1)
    assert (facts.sound_codec, facts.sample_rate_hz, facts.channels) == ("aac", 48_000, MODEL.audio_channels)
    assert facts.sound_duration_s == pytest.approx(SHORTEST_S, abs=1e-6)
    assert facts.is_faststart
    assert "previsualisation by Understudy's previz engine" in facts.metadata["comment"]


@pytest.mark.parametrize(
    ("resolution", "ratio"),
    [
        *IN_BRIEF,
        *(pytest.param(*order, marks=pytest.mark.full) for order in IN_FULL),
        *(pytest.param(*order, marks=pytest.mark.long) for order in ORDERS if order not in IN_BRIEF + IN_FULL),
    ],
)
def test_a_film_has_the_size_of_the_table_and_every_property_of_the_contract(resolution, ratio):
    assert_as_ordered(facts_of(resolution, ratio), resolution, ratio)


def test_the_judge_of_the_order_refuses_another_ratio():
    with pytest.raises(AssertionError):
        assert_as_ordered(facts_of("480p", "16:9"), "480p", "9:16")


def test_the_result_says_what_the_file_is():
    made = take(PROMPT)
    facts = probe_film(made.video)
    assert (made.result.width_px, made.result.height_px) == (facts.width_px, facts.height_px)
    assert (made.result.num_frames, made.result.duration_s) == (facts.num_frames, SHORTEST_S)
    assert (made.result.ratio, made.result.has_sound, made.result.last_frame) == ("16:9", True, None)


def test_progress_counts_every_frame_once():
    total = SHORTEST_S * MODEL.fps
    assert take(PROMPT).progress == tuple((done, total) for done in range(1, total + 1))


def test_nothing_but_the_ordered_files_is_left_behind():
    made = take(PROMPT, return_last_frame=True)
    assert sorted(path.name for path in made.video.parent.iterdir()) == ["film.mp4", "last_frame.png"]


def test_a_film_without_audio_has_no_sound_track():
    made = take(PROMPT, generate_audio=False)
    assert not probe_film(made.video).has_sound
    assert not made.result.has_sound


def test_an_open_ratio_and_duration_are_chosen_within_the_models_range():
    made = take("A portrait video for the phone: a cat yawns.", ratio="adaptive", duration_s=-1)
    facts = probe_film(made.video)
    assert made.result.ratio == "9:16"
    assert (facts.width_px, facts.height_px) == MODEL.sizes["480p"]["9:16"]
    assert MODEL.duration_s.holds(made.result.duration_s)
    assert facts.num_frames == made.result.duration_s * MODEL.fps


def test_two_processes_and_a_warm_one_make_equal_bytes(tmp_path):
    (tmp_path / "a").mkdir()
    warm = take(PROMPT, watermark=True, return_last_frame=True)
    (cold,) = take_elsewhere(order_of(PROMPT, tmp_path / "a", watermark=True, return_last_frame=True))
    assert cold.read_bytes() == warm.video.read_bytes()
    assert cold.with_name("last_frame.png").read_bytes() == warm.last_frame.read_bytes()


@pytest.mark.parametrize("times", [pytest.param(3, marks=pytest.mark.full), pytest.param(10, marks=pytest.mark.long)])
def test_a_crowded_machine_makes_equal_bytes_every_time(tmp_path, times):
    # x264's AVX-512 code, which the encoder avoids, gave another film in one of ten encodings of such pictures.
    folders = [tmp_path / str(index) for index in range(4)]
    for folder in folders:
        folder.mkdir()
    with ProcessPoolExecutor(len(folders), mp_context=get_context("spawn")) as crowd:
        digests = list(crowd.map(digests_of_repeats, repeat(PROMPT), folders, repeat(times)))
    assert len({digest for row in digests for digest in row}) == 1


def test_another_seed_makes_another_film():
    assert take(PROMPT).video.read_bytes() != take(PROMPT, seed=SEED + 1).video.read_bytes()


def last_picture(path) -> np.ndarray:
    with av.open(str(path)) as container:
        *_, frame = container.decode(video=0)
        return frame.reformat(format="rgb24", src_colorspace="ITU709", src_color_range="MPEG").to_ndarray()


def png(path) -> np.ndarray:
    return cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def distance(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a.astype(float) - b).mean())


def test_the_last_frame_is_the_films_last_picture():
    made = take(PROMPT, return_last_frame=True)
    still = png(made.last_frame)
    assert still.shape == (made.size[1], made.size[0], 3)
    assert distance(still, last_picture(made.video)) < 3
    assert distance(still, judge.watch(made.video, made.size[1]).frames[len(made.progress) // 2]) > 3


def mark_likeness(picture: np.ndarray, text: str, corner: Corner) -> float:
    """Correlation of the picture's luma with the mark's own shape at its place; 1 = exactly the mark."""
    height_px, width_px = picture.shape[:2]
    mark = Mark(text, corner, width_px=width_px, height_px=height_px)
    grey = np.full((height_px, width_px, 4), 128, dtype=np.uint8)
    mark.stamp(grey)
    expected = grey[mark.area][..., 0].astype(float)
    seen = picture[mark.area].astype(float).mean(axis=2)
    return float(np.corrcoef(expected.ravel(), seen.ravel())[0, 1])


def test_the_watermark_stands_bottom_right_when_asked_and_only_then():
    marked, plain = (
        last_picture(take(PROMPT, watermark=asked, return_last_frame=True).video) for asked in (True, False)
    )
    assert mark_likeness(marked, WATERMARK_TEXT, Corner.BOTTOM_RIGHT) > 0.8
    assert mark_likeness(plain, WATERMARK_TEXT, Corner.BOTTOM_RIGHT) < 0.4


def test_the_last_frame_lacks_the_watermark():
    marked, plain = (take(PROMPT, watermark=asked, return_last_frame=True).last_frame for asked in (True, False))
    assert np.array_equal(png(marked), png(plain))
    assert mark_likeness(png(marked), WATERMARK_TEXT, Corner.BOTTOM_RIGHT) < 0.4


def test_the_label_is_an_option_off_by_default():
    assert mark_likeness(last_picture(take(PROMPT).video), LABEL_TEXT, Corner.TOP_LEFT) < 0.4
    shown = take(PROMPT, shows_label=True)
    assert mark_likeness(last_picture(shown.video), LABEL_TEXT, Corner.TOP_LEFT) > 0.8
