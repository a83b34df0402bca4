"""The conformance suite of engines: subclass `EngineConformance`, make an engine, and let pytest collect it.

It renders a few of the shortest, smallest films in the test process. What is in the pictures is not judged here.
"""

import struct
import wave
import zlib
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from understudy.core.content import ContentItem, Modality, Role
from understudy.core.media import MediaFacts, Medium, Origin
from understudy.core.ports import Engine, RenderStopped
from understudy.core.render import RenderJob, RenderResult
from understudy.core.request import DURATION_CHOSEN_BY_ENGINE, RATIO_CHOSEN_BY_ENGINE, GenerationRequest
from understudy.core.scenario import Scenario

SIZES = {"16:9": (864, 496), "1:1": (640, 640), "9:16": (496, 864)}
DURATION_RANGE_S = (4, 5)
NUM_FRAMES = 29
"""The fewest that any model makes; no whole second."""


@dataclass(frozen=True)
class Rendered:
    """A job, what the engine made of it and what it told meanwhile."""

    job: RenderJob
    result: RenderResult
    progress: tuple[tuple[int, int], ...]

    @property
    def directory(self) -> Path:
        """Where the files are."""
        return Path(self.job.output_dir)


def sample_job(output_dir: Path, **request: object) -> RenderJob:
    """Return a small job with the changed fields of the request; makes the directory."""
    output_dir.mkdir(parents=True)
    text = ContentItem(modality=Modality.TEXT, value="A red fox crosses a bridge at dawn.")
    plain = GenerationRequest(
        model="any",
        content=(text,),
        ratio="16:9",
        resolution="480p",
        duration_s=DURATION_RANGE_S[0],
        generate_audio=True,
        watermark=False,
        return_last_frame=True,
    )
    asked = replace(plain, **request)  # type: ignore[arg-type]
    return RenderJob(
        request=asked,
        seed=7,
        sizes=SIZES,
        duration_range_s=DURATION_RANGE_S,
        fps=24,
        num_frames=asked.frames,
        audio_channels=2,
        output_dir=str(output_dir),
    )


def with_media(job: RenderJob, *given: tuple[Role, Path, MediaFacts]) -> RenderJob:
    """Return the job with these files behind its words, as the server gives them to an engine."""
    words = job.request.content
    media = {len(words) + place: str(path) for place, (_, path, _) in enumerate(given)}
    items = tuple(
        ContentItem(
            modality=facts.modality,
            value="",
            role=role,
            medium=Medium(key=f"media/{path.name}", sha256="0" * 64, origin=Origin.INLINE, facts=facts),
        )
        for role, path, facts in given
    )
    return replace(job, request=replace(job.request, content=(*words, *items)), media=media)


def sample_image(path: Path, *, width_px: int = 90, height_px: int = 160) -> MediaFacts:
    """Write a PNG of plain stripes and return what is to be measured of it."""
    rows = b"".join(b"\0" + bytes((40 + 150 * row // height_px, 90, 160)) * width_px for row in range(height_px))
    header = struct.pack(">IIBBBBB", width_px, height_px, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    packed = [
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks
    ]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(packed))
    return MediaFacts(
        modality=Modality.IMAGE,
        container="png",
        media_type="image/png",
        size_bytes=path.stat().st_size,
        width_px=width_px,
        height_px=height_px,
        num_frames=1,
    )


def sample_sound(path: Path, *, duration_s: int = 2, sample_rate_hz: int = 8_000) -> MediaFacts:
    """Write a WAV of a square wave and return what is to be measured of it."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate_hz)
        period = struct.pack("<h", 6_000) * 10 + struct.pack("<h", -6_000) * 10
        file.writeframes(period * (duration_s * sample_rate_hz // 20))
    return MediaFacts(
        modality=Modality.AUDIO,
        container="wav",
        media_type="audio/wav",
        size_bytes=path.stat().st_size,
        duration_s=float(duration_s),
        audio_codec="pcm_s16le",
        audio_tracks=1,
        sample_rate_hz=sample_rate_hz,
        channels=1,
    )


def facts_of(film: Rendered) -> MediaFacts:
    """Return what is to be measured of a film that was made here."""
    result = film.result
    return MediaFacts(
        modality=Modality.VIDEO,
        container="mp4",
        media_type="video/mp4",
        size_bytes=(film.directory / result.video).stat().st_size,
        width_px=result.width_px,
        height_px=result.height_px,
        num_frames=result.num_frames,
        duration_s=result.num_frames / film.job.fps,
        fps=float(film.job.fps),
        video_codec="h264",
        pix_fmt="yuv420p",
    )


class EngineConformance(ABC):
    """What every engine must do."""

    scenarios: frozenset[Scenario] = frozenset(Scenario)
    """Those that the engine's offer names; the others are not asked of it."""

    is_stoppable: bool = False
    """Whether the engine's offer says that it stops when asked; one that does not is killed with its process."""

    @abstractmethod
    def make(self) -> Engine:
        """Return a new engine."""

    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls) -> Engine:
        """A warm engine, for the whole class as a render process keeps it."""
        engine = cls().make()
        engine.warm()
        return engine

    @pytest.fixture(scope="class")
    @classmethod
    def ordered(cls, engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Rendered:
        """A film whose request leaves nothing open."""
        return _rendered(engine, sample_job(tmp_path_factory.mktemp("ordered") / "job"))

    @pytest.fixture(scope="class")
    @classmethod
    def chosen(cls, engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Rendered:
        """A film whose ratio and duration the engine chose, silent and without a last frame."""
        job = sample_job(
            tmp_path_factory.mktemp("chosen") / "job",
            ratio=RATIO_CHOSEN_BY_ENGINE,
            duration_s=DURATION_CHOSEN_BY_ENGINE,
            generate_audio=False,
            return_last_frame=False,
        )
        return _rendered(engine, job)

    @pytest.fixture(scope="class")
    @classmethod
    def counted(cls, engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Rendered:
        """A film ordered by its frames, to be edited."""
        job = sample_job(
            tmp_path_factory.mktemp("counted") / "job",
            duration_s=None,
            frames=NUM_FRAMES,
            output_format="mov",
            return_last_frame=False,
        )
        return _rendered(engine, job)

    def test_what_was_ordered_is_what_was_made(self, ordered: Rendered) -> None:
        result = ordered.result
        assert (result.ratio, result.width_px, result.height_px) == ("16:9", *SIZES["16:9"])
        assert result.duration_s == DURATION_RANGE_S[0]
        assert result.num_frames > 0

    def test_what_was_left_open_is_chosen_within_its_bounds(self, chosen: Rendered) -> None:
        result = chosen.result
        assert (result.width_px, result.height_px) == SIZES[result.ratio]
        assert DURATION_RANGE_S[0] <= result.duration_s <= DURATION_RANGE_S[1]

    def test_a_film_ordered_by_its_frames_has_exactly_those(self, counted: Rendered) -> None:
        result = counted.result
        assert (result.num_frames, result.duration_s) == (NUM_FRAMES, NUM_FRAMES // counted.job.fps)

    def test_a_films_name_ends_in_its_format(self, ordered: Rendered, counted: Rendered) -> None:
        assert [Path(rendered.result.video).suffix for rendered in (ordered, counted)] == [".mp4", ".mov"]

    def test_a_tool_that_was_not_asked_for_is_not_used(self, ordered: Rendered) -> None:
        assert ordered.result.tool_usage == {}

    def test_there_is_no_sound_and_no_last_frame_unless_asked_for(self, chosen: Rendered) -> None:
        assert not chosen.result.has_sound
        assert chosen.result.last_frame is None

    def test_the_reported_files_and_no_others_are_left(
        self, ordered: Rendered, chosen: Rendered, counted: Rendered
    ) -> None:
        for rendered in (ordered, chosen, counted):
            named = {rendered.result.video, rendered.result.last_frame} - {None}
            assert {path.name for path in rendered.directory.iterdir()} == named
            assert all(path.stat().st_size for path in rendered.directory.iterdir())

    def test_progress_never_falls_and_reaches_the_end(self, ordered: Rendered) -> None:
        done = [step for step, _ in ordered.progress]
        totals = {total for _, total in ordered.progress}
        assert done == sorted(done)
        assert totals == {done[-1]}

    def test_equal_jobs_give_equal_bytes(self, engine: Engine, ordered: Rendered, tmp_path: Path) -> None:
        again = _rendered(engine, sample_job(tmp_path / "again"))
        for name in (path.name for path in ordered.directory.iterdir()):
            assert (ordered.directory / name).read_bytes() == (again.directory / name).read_bytes(), name

    @pytest.mark.parametrize("portion", [0.0, 0.5, 1.0])
    def test_a_stopped_render_is_over_at_once_and_the_engine_as_good_as_new(
        self, engine: Engine, ordered: Rendered, *, tmp_path: Path, portion: float
    ) -> None:
        if not self.is_stoppable:
            pytest.skip("the engine is killed when a render is given up")
        told: list[int] = []
        stops_at = round(portion * (len(ordered.progress) - 1))

        def stop(done: int, _total: int) -> None:
            told.append(done)
            if len(told) > stops_at:
                raise RenderStopped

        with pytest.raises(RenderStopped):
            engine.render(sample_job(tmp_path / "stopped"), stop)
        assert len(told) == stops_at + 1, "nothing is told after the stop"
        again = _rendered(engine, sample_job(tmp_path / "again"))
        for name in (path.name for path in ordered.directory.iterdir()):
            assert (ordered.directory / name).read_bytes() == (again.directory / name).read_bytes(), name

    @pytest.fixture(params=["first frame", "first and last frame", "images", "a video", "an image and a sound"])
    def given(
        self, request: pytest.FixtureRequest, *, ordered: Rendered, engine: Engine, tmp_path: Path
    ) -> tuple[Rendered, RenderJob]:
        """A film of given media, and a job that is equal but for its directory."""
        portrait, wide, told = tmp_path / "portrait", tmp_path / "wide", tmp_path / "told"
        tall_image, wide_image = sample_image(portrait), sample_image(wide, width_px=160, height_px=90)
        film = ordered.directory / ordered.result.video
        kinds: dict[str, tuple[Scenario, tuple[tuple[Role, Path, MediaFacts], ...]]] = {
            "first frame": (Scenario.FIRST_FRAME, ((Role.FIRST_FRAME, portrait, tall_image),)),
            "first and last frame": (
                Scenario.FIRST_LAST_FRAME,
                ((Role.FIRST_FRAME, portrait, tall_image), (Role.LAST_FRAME, wide, wide_image)),
            ),
            "images": (
                Scenario.REFERENCE,
                ((Role.REFERENCE_IMAGE, portrait, tall_image), (Role.REFERENCE_IMAGE, wide, wide_image)),
            ),
            "a video": (Scenario.REFERENCE, ((Role.REFERENCE_VIDEO, film, facts_of(ordered)),)),
            "an image and a sound": (
                Scenario.REFERENCE,
                ((Role.REFERENCE_IMAGE, portrait, tall_image), (Role.REFERENCE_AUDIO, told, sample_sound(told))),
            ),
        }
        scenario, media = kinds[request.param]
        if scenario not in self.scenarios:
            pytest.skip(f"the engine does not offer {scenario}")
        jobs = [
            with_media(sample_job(tmp_path / name, ratio="9:16", duration_s=None, frames=NUM_FRAMES), *media)
            for name in ("once", "again")
        ]
        return _rendered(engine, jobs[0]), jobs[1]

    def test_a_film_of_given_media_is_what_was_ordered_and_leaves_them_as_they_are(
        self, given: tuple[Rendered, RenderJob], engine: Engine
    ) -> None:
        made, job = given
        files = {path: Path(path).read_bytes() for path in job.media.values()}
        result = made.result
        assert (result.ratio, result.width_px, result.height_px) == ("9:16", *SIZES["9:16"])
        assert (result.num_frames, result.has_sound) == (NUM_FRAMES, True)
        named = {result.video, result.last_frame} - {None}
        assert {path.name for path in made.directory.iterdir()} == named
        again = _rendered(engine, job)
        for name in named:
            assert (made.directory / str(name)).read_bytes() == (again.directory / str(name)).read_bytes(), name
        assert files == {path: Path(path).read_bytes() for path in job.media.values()}


def _rendered(engine: Engine, job: RenderJob) -> Rendered:
    told: list[tuple[int, int]] = []
    result = engine.render(job, lambda done, total: told.append((done, total)))
    return Rendered(job, result, tuple(told))
