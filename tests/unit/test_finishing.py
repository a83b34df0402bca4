"""Finished films, judged on the file: exact frames, size, length and sound, whatever grid the model has."""

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from understudy.catalog.load import load_catalogue
from understudy.core.content import ContentItem, Modality
from understudy.core.errors import TaskFailed
from understudy.core.recipe import RECIPE_TAG
from understudy.core.render import RenderJob, RenderResult
from understudy.core.request import GenerationRequest
from understudy.engines.diffusion.finishing import (
    GENERATED,
    GENERATED_FROM_RECORDINGS,
    SOURCE_TYPE_TAG,
    Enlarger,
    Film,
    finish,
    track_of,
)
from understudy.engines.diffusion.order import Made, Pixels, Sound
from understudy.media.film_files import SAMPLE_RATE_HZ
from understudy.media.probe import FilmFacts, probe_film

SIZES = load_catalogue().models["doubao-seedance-2.0"].sizes
FPS = 24
H3_CANVAS, H3_FRAMES, H3_RATE_HZ = (1344, 768), 124, 32_000
WAN_CANVAS, WAN_FRAMES, WAN_FPS = (112, 64), 81, 16
"""Far smaller than Wan's canvas: its frames and its rate are what is tested."""

AAC_FRAME_SAMPLES = 1024


def job_of(
    folder: Path, resolution: str = "480p", *, num_frames: int = FPS, channels: int = 2, **wants: object
) -> RenderJob:
    text = ContentItem(modality=Modality.TEXT, value="A fox.")
    plain = {"ratio": "16:9", "resolution": resolution, "duration_s": 5, "generate_audio": True}
    folder.mkdir(exist_ok=True)
    return RenderJob(
        request=GenerationRequest(model="any", content=(text,), **{**plain, **wants}),
        seed=5,
        sizes=SIZES[resolution],
        duration_range_s=(4, 15),
        fps=FPS,
        num_frames=num_frames,
        audio_channels=channels,
        output_dir=str(folder),
    )


def film_of(job: RenderJob, ratio: str = "16:9", **wants: object) -> Film:
    return Film(ratio=ratio, num_frames=job.num_frames or 0, model="MiniMax H3", **wants)


def pictures(count: int, width_px: int, height_px: int) -> Pixels:
    """Soft colours that move, with a white disc in the middle; small in time to make, for all are views of one."""
    x, y = np.meshgrid(np.arange(width_px + 2 * count), np.arange(height_px))
    large = np.dstack([128 + 90 * np.sin(x / 67), 128 + 90 * np.cos(y / 53), 128 + 90 * np.sin((x + y) / 91)])
    large = large.astype(np.uint8)
    frames = np.stack([large[:, 2 * index : 2 * index + width_px] for index in range(count)])
    for frame in frames:
        cv2.circle(frame, (width_px // 2, height_px // 2), height_px // 4, (255, 255, 255), -1)
    return frames


def tone(duration_s: float, rate_hz: int = H3_RATE_HZ, channels: int = 2, level: float = 0.5) -> Sound:
    """440 Hz on the left, 660 Hz on the right."""
    moments = np.arange(round(duration_s * rate_hz)) / rate_hz
    waves = [level * np.sin(2 * np.pi * hertz * moments) for hertz in (440, 660)[:channels]]
    return Sound(samples=np.stack(waves).astype(np.float32), sample_rate_hz=rate_hz)


def made_of(
    count: int = 30, size_px: tuple[int, int] = (432, 256), fps: float = FPS, sound: Sound | None = None
) -> Made:
    return Made(frames=pictures(count, *size_px), fps=fps, sound=sound)


def facts_of(job: RenderJob, result: RenderResult) -> FilmFacts:
    return probe_film(Path(job.output_dir) / result.video)


def heard(path: Path) -> np.ndarray:
    """All samples of the film, (channels, n), as a decoder gives them."""
    with av.open(str(path)) as container:
        return np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)


def seen(path: Path, index: int) -> np.ndarray:
    with av.open(str(path)) as container:
        frame = next(itertools.islice(container.decode(video=0), index, None))
        return frame.reformat(format="rgb24", src_colorspace="ITU709", src_color_range="MPEG").to_ndarray()


def digest(job: RenderJob, result: RenderResult) -> bytes:
    return (Path(job.output_dir) / result.video).read_bytes()


@pytest.mark.parametrize(
    ("resolution", "ratio"),
    [*itertools.product(["480p", "720p"], ["16:9", "4:3", "1:1", "3:4", "9:16", "21:9"]), ("1080p", "21:9")],
)
def test_every_ratio_has_exactly_its_size(tmp_path, ratio, resolution):
    job = job_of(tmp_path, resolution, num_frames=3)
    width_px, height_px = job.sizes[ratio]
    # A canvas of whole blocks, near to the shape, as models have it.
    canvas = (round(width_px / 32) * 32, round(height_px / 32) * 32)
    result = finish(made_of(4, canvas), job, film_of(job, ratio))
    facts = facts_of(job, result)
    assert (facts.width_px, facts.height_px, facts.num_frames) == (width_px, height_px, 3)
    assert (result.width_px, result.height_px, result.num_frames, result.ratio) == (width_px, height_px, 3, ratio)
    assert (facts.fps, facts.has_constant_rate) == (24.0, True)
    disc = seen(tmp_path / result.video, 2).min(axis=2) > 245
    rows, columns = np.nonzero(disc)
    # Round things are round and the middle is in the middle: nothing was squeezed to fit.
    assert np.ptp(columns) == pytest.approx(np.ptp(rows), abs=5)
    assert (columns.mean(), rows.mean()) == pytest.approx((width_px / 2, height_px / 2), abs=2.5)


@pytest.mark.full
def test_a_film_of_h3_is_cut_to_the_frame_and_to_the_sample(tmp_path):
    job = job_of(tmp_path, num_frames=5 * FPS)
    made = made_of(H3_FRAMES, H3_CANVAS, sound=tone(H3_FRAMES / FPS))
    result = finish(made, job, film_of(job))
    facts = facts_of(job, result)
    assert (facts.width_px, facts.height_px, facts.num_frames) == (864, 496, 120)
    assert facts.duration_s == pytest.approx(5, abs=1e-6)
    assert (facts.sample_rate_hz, facts.channels) == (SAMPLE_RATE_HZ, 2)
    assert facts.sound_duration_s == pytest.approx(5, abs=1e-6)
    assert heard(tmp_path / result.video).shape[1] - 240_000 in range(AAC_FRAME_SAMPLES)
    assert (result.duration_s, result.notes) == (5, ())


def test_what_is_enlarged_without_more_detail_is_told(tmp_path):
    job = job_of(tmp_path, "1080p", num_frames=2)
    result = finish(made_of(2, H3_CANVAS), job, film_of(job))
    facts = facts_of(job, result)
    assert (facts.width_px, facts.height_px, facts.num_frames) == (1920, 1080, 2)
    assert result.notes == ("The film was made at 1344 x 768 and enlarged to 1920 x 1080 by Lanczos resampling.",)


@pytest.mark.full
def test_a_film_of_wan_at_16_frames_a_second_has_24_and_its_own_length(tmp_path):
    job = job_of(tmp_path, num_frames=5 * FPS)
    result = finish(made_of(WAN_FRAMES, WAN_CANVAS, fps=WAN_FPS), job, film_of(job))
    facts = facts_of(job, result)
    assert (facts.num_frames, facts.fps, facts.has_constant_rate, facts.has_sound) == (120, 24.0, True, False)
    assert facts.duration_s == pytest.approx(5, abs=1e-6)
    assert result.has_sound is False
    assert any("16 pictures per second" in note for note in result.notes)


def test_a_film_at_16_frames_a_second_plays_at_its_own_speed(tmp_path):
    job = job_of(tmp_path, num_frames=12, generate_audio=False)
    made = made_of(9, (224, 128), fps=16)
    path = tmp_path / finish(made, job, film_of(job)).video
    # Frame 9 of 24 is frame 6 of 16: the same picture of the source, and no other is nearer.
    shown = cv2.resize(seen(path, 9), (224, 128), interpolation=cv2.INTER_AREA).astype(int)
    apart = [float(np.abs(shown - frame).mean()) for frame in made.frames]
    assert int(np.argmin(apart)) == 6


@pytest.mark.parametrize("num_frames", [1, 29, 97])
def test_odd_lengths_are_exact_in_pictures_and_in_sound(tmp_path, num_frames):
    job = job_of(tmp_path, num_frames=num_frames, output_format="mov")
    made = made_of(num_frames, (96, 64), sound=tone(num_frames / FPS + 1))
    result = finish(made, job, film_of(job))
    facts = facts_of(job, result)
    assert (result.video, facts.num_frames, facts.sound_codec) == ("film.mov", num_frames, "pcm_s16le")
    # A QuickTime film's sound is not packed into frames: what was written is what is read.
    assert heard(tmp_path / result.video).size // 2 == num_frames * SAMPLE_RATE_HZ // FPS
    assert result.duration_s == num_frames // FPS


def test_sound_begins_with_the_pictures_and_keeps_its_pitch_and_loudness(tmp_path):
    job = job_of(tmp_path, num_frames=FPS, output_format="mov")
    path = tmp_path / finish(made_of(sound=tone(1.25)), job, film_of(job)).video
    left, right = heard(path).reshape(-1, 2).T / 2**15
    for wave, hertz in ((left, 440), (right, 660)):
        wanted = 0.5 * np.sin(2 * np.pi * hertz * np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ)
        assert np.abs(wave - wanted)[200:].max() < 0.002


def test_a_sound_that_is_too_short_dies_away_and_silence_follows(tmp_path):
    track = track_of(tone(0.5), num_samples=SAMPLE_RATE_HZ, channels=2)
    ends = SAMPLE_RATE_HZ // 2
    assert track.shape == (SAMPLE_RATE_HZ, 2)
    assert np.abs(track[ends - 2000 : ends - 1000]).max() > 0.45
    assert not track[ends:].any()
    # No step at the end that would be heard as a click.
    assert np.abs(np.diff(track[ends - 960 :], axis=0)).max() < 0.05
    assert np.abs(track[ends - 48 : ends]).max() < 0.05
    job = job_of(tmp_path, num_frames=FPS)
    result = finish(made_of(sound=tone(0.5)), job, film_of(job))
    assert facts_of(job, result).sound_duration_s == pytest.approx(1, abs=1e-6)
    assert "The sound that was made is 0.5 s too short; silence follows it." in result.notes


def test_a_sound_that_goes_on_beyond_the_end_does_not_fade():
    whole = track_of(tone(2), num_samples=2 * SAMPLE_RATE_HZ, channels=2)
    assert np.array_equal(track_of(tone(2), num_samples=SAMPLE_RATE_HZ, channels=2), whole[:SAMPLE_RATE_HZ])


@pytest.mark.parametrize(("own", "wanted"), [(1, 1), (1, 2), (2, 1), (2, 2)])
def test_channels_change_and_loudness_does_not(own, wanted):
    level = np.full((own, H3_RATE_HZ), 0.5, dtype=np.float32)
    track = track_of(Sound(samples=level, sample_rate_hz=H3_RATE_HZ), num_samples=SAMPLE_RATE_HZ // 2, channels=wanted)
    assert track.shape == (SAMPLE_RATE_HZ // 2, wanted)
    assert track[1000:-1000] == pytest.approx(0.5, abs=0.001)


def test_broken_and_overloaded_samples_do_no_harm():
    samples = np.array([[math.nan, math.inf, -math.inf, 3.0, -3.0, 0.25] * 100], dtype=np.float32)
    track = track_of(Sound(samples=samples, sample_rate_hz=SAMPLE_RATE_HZ), num_samples=600, channels=1)[:, 0]
    assert list(track[:6]) == [0, 1, -1, 1, -1, 0.25]
    empty = Sound(samples=np.zeros((2, 0), dtype=np.float32), sample_rate_hz=H3_RATE_HZ)
    assert not track_of(empty, num_samples=600, channels=2).any()


def test_no_sound_is_written_that_was_not_asked_for(tmp_path):
    job = job_of(tmp_path, num_frames=3, generate_audio=False)
    result = finish(made_of(sound=tone(1)), job, film_of(job))
    assert not result.has_sound
    assert not facts_of(job, result).has_sound
    assert not result.notes[1:]


def test_equal_arguments_give_equal_bytes_and_others_do_not(tmp_path):
    def made(name: str, **wants: object) -> bytes:
        job = job_of(tmp_path / name, num_frames=12, watermark=True)
        sound = tone(0.5, **wants)
        return digest(job, finish(made_of(9, (112, 64), fps=16, sound=sound), job, film_of(job)))

    assert made("one") == made("two")
    assert made("one") != made("three", level=0.4)


def test_the_last_frame_is_the_films_last_picture_without_marks(tmp_path):
    job = job_of(tmp_path, num_frames=5, watermark=True, return_last_frame=True, generate_audio=False)
    made = made_of(8, (864, 496))
    result = finish(made, job, film_of(job))
    assert result.last_frame == "last_frame.png"
    picture = cv2.cvtColor(cv2.imread(str(tmp_path / "last_frame.png")), cv2.COLOR_BGR2RGB)
    # The fifth of the eight that were made: what is cut off at the end is not what the film ends with.
    assert np.array_equal(picture, made.frames[4])
    corner = np.s_[-60:, -120:]
    assert np.abs(seen(tmp_path / result.video, 4)[corner].astype(int) - picture[corner]).max() > 60
    assert {path.name for path in tmp_path.iterdir()} == {"film.mp4", "last_frame.png"}


def test_where_a_label_is_wanted_the_film_says_who_made_it(tmp_path):
    made = made_of(2, (864, 496))

    def corner(name: str, *, shows: bool, **wants: object) -> np.ndarray:
        job = replace(job_of(tmp_path / name, num_frames=2, generate_audio=False), shows_label=shows)
        path = tmp_path / name / finish(made, job, film_of(job, **wants)).video
        return seen(path, 1)[:60, :260].astype(int)

    plain, named = corner("plain", shows=False), corner("named", shows=True)
    owed = corner("owed", shows=True, attribution="Made with another")
    assert np.abs(named - plain).max() > 60
    assert np.abs(named - owed).max() > 60


def test_the_last_frame_may_be_a_jpeg(tmp_path):
    job = replace(job_of(tmp_path, num_frames=2, return_last_frame=True), last_frame_format="jpeg")
    assert finish(made_of(3), job, film_of(job)).last_frame == "last_frame.jpg"
    assert (tmp_path / "last_frame.jpg").read_bytes().startswith(b"\xff\xd8\xff")


def test_given_frames_are_not_written_to(tmp_path):
    job = replace(job_of(tmp_path, num_frames=3, watermark=True), shows_label=True)
    made = made_of(3, (864, 496))
    before = made.frames.copy()
    finish(made, job, film_of(job))
    assert np.array_equal(made.frames, before)


def test_the_film_may_be_hevc(tmp_path):
    job = replace(job_of(tmp_path, num_frames=6), video_codec="hevc")
    facts = facts_of(job, finish(made_of(6), job, film_of(job)))
    assert (facts.codec, facts.pix_fmt) == ("hevc", "yuv420p10le")


def test_the_file_says_what_it_is_and_how_it_was_made(tmp_path):
    job = replace(job_of(tmp_path, num_frames=2), recipe='{"recipe":1}')
    film = film_of(job, attribution="Made with MiniMax H3.", tags={"origin": "mark"})
    said = facts_of(job, finish(made_of(2), job, film)).metadata
    assert said["artist"] == "Understudy diffusion, MiniMax H3"
    assert "generated by the AI model MiniMax H3" in said["comment"]
    assert said["comment"].endswith("Made with MiniMax H3.")
    assert said[SOURCE_TYPE_TAG] == GENERATED
    assert said[RECIPE_TAG] == '{"recipe":1}'
    assert said["origin"] == "mark"


def test_a_film_of_recordings_says_that_it_is_one(tmp_path):
    job = job_of(tmp_path, num_frames=2)
    said = facts_of(job, finish(made_of(2), job, film_of(job, shows_recordings=True))).metadata
    assert said[SOURCE_TYPE_TAG] == GENERATED_FROM_RECORDINGS
    assert "were changed or continued by the AI model" in said["comment"]


def doubled(given: list[int]) -> Callable[[Iterator[Pixels]], Iterator[Pixels]]:
    """Twice as large by repetition; counts what it was given."""

    def enlarged(frames: Iterator[Pixels]) -> Iterator[Pixels]:
        for frame in frames:
            given.append(1)
            yield frame.repeat(2, axis=0).repeat(2, axis=1)

    return enlarged


def test_a_step_of_super_resolution_is_asked_where_the_film_is_larger_and_named(tmp_path):
    given: list[int] = []
    enlarger = Enlarger(name="a test", enlarged=doubled(given))
    job = job_of(tmp_path / "large", num_frames=4, generate_audio=False)
    result = finish(made_of(9, (432, 248)), job, film_of(job), enlarger=enlarger)
    assert result.notes == ("The film was made at 432 x 248 and enlarged to 864 x 496 by a test.",)
    assert len(given) == 4
    given.clear()
    job = job_of(tmp_path / "own", num_frames=4, generate_audio=False)
    assert finish(made_of(9, (864, 512)), job, film_of(job), enlarger=enlarger).notes == ()
    assert given == []


def test_what_is_cut_away_is_told(tmp_path):
    job = job_of(tmp_path, num_frames=2, generate_audio=False)
    notes = finish(made_of(2, (896, 896)), job, film_of(job)).notes
    assert notes == ("The film was made at 896 x 896; 43% of its height was cut away to make it 864 x 496.",)


def test_too_few_pictures_are_told_and_the_last_one_stays(tmp_path):
    job = job_of(tmp_path, num_frames=24, generate_audio=False)
    result = finish(made_of(12), job, film_of(job))
    assert facts_of(job, result).num_frames == 24
    assert any("0.5 s too short" in note for note in result.notes)


def test_what_the_model_says_is_passed_on(tmp_path):
    job = job_of(tmp_path, num_frames=2, generate_audio=False)
    made = replace(made_of(2, (864, 496)), notes=("The model says so.",))
    assert finish(made, job, film_of(job)).notes == ("The model says so.",)


def test_progress_counts_frames_and_can_stop_the_film(tmp_path):
    class Stopped(Exception):
        """As a render is stopped."""

    job = job_of(tmp_path, num_frames=4, generate_audio=False)
    steps: list[tuple[int, int]] = []
    finish(made_of(4), job, film_of(job), progress=lambda done, total: steps.append((done, total)))
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]

    def stopping(done: int, total: int) -> None:
        if done == 2:
            raise Stopped

    job = job_of(tmp_path / "stopped", num_frames=4, generate_audio=False)
    with pytest.raises(Stopped):
        finish(made_of(4), job, film_of(job), progress=stopping)
    assert not (tmp_path / "stopped" / "film.mp4").exists()


def test_a_film_that_cannot_be_written_may_be_tried_again(tmp_path):
    job = replace(job_of(tmp_path, num_frames=2), output_dir=str(tmp_path / "nowhere"))
    with pytest.raises(TaskFailed) as failed:
        finish(made_of(2), job, film_of(job))
    assert failed.value.is_retryable
