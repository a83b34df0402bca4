"""The conformance suite of engines: subclass `EngineConformance`, make an engine, and let pytest collect it.

It renders four of the shortest, smallest films in the test process. What is in the pictures is not judged here.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from understudy.core.content import ContentItem, Modality
from understudy.core.ports import Engine
from understudy.core.render import RenderJob, RenderResult
from understudy.core.request import DURATION_CHOSEN_BY_ENGINE, RATIO_CHOSEN_BY_ENGINE, GenerationRequest

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


class EngineConformance(ABC):
    """What every engine must do."""

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


def _rendered(engine: Engine, job: RenderJob) -> Rendered:
    told: list[tuple[int, int]] = []
    result = engine.render(job, lambda done, total: told.append((done, total)))
    return Rendered(job, result, tuple(told))
