"""What a task means to an engine, and what its film costs: between the catalogue and the dispatcher."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from understudy.billing.rating import price_micros, priced, tokens_of
from understudy.catalog.load import Catalogue
from understudy.core.model_spec import ModelSpec
from understudy.core.ratios import concrete_ratio
from understudy.core.recipe import recipe_of
from understudy.core.render import LanguageModel, RenderJob, RenderResult
from understudy.core.task import EntryKind, LedgerEntry, Task, Warned

NO_MEDIA: Mapping[int, str] = MappingProxyType({})
HEVC, H264 = "hevc", "h264"
HEVC_ENDING = ".mp4"
OTHER_CODEC = Warned(
    param="",
    message="The film is H.264 with 8 bits per sample; Ark sends films of this model and resolution as HEVC with 10.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Jobs:
    """Writes jobs and settles films.

    shows_label: films say in the picture what they are. has_hevc: films that Ark sends as HEVC are HEVC here, too.
    has_recipes: films carry what they were made from. language_model: what engines may ask. rehearses: prompts'
    rehearsal words are heeded.
    """

    catalogue: Catalogue
    book_id: str
    shows_label: bool
    has_hevc: bool = False
    has_recipes: bool = True
    language_model: LanguageModel | None = None
    rehearses: bool = False

    def job(self, task: Task, output_dir: str, media: Mapping[int, str] = NO_MEDIA) -> RenderJob:
        """Return the job of one attempt at the task. media: place in the content -> path of a local file."""
        model = self._model(task)
        # A ratio that the media settle is settled here, so that all engines follow the same rule.
        ratio = concrete_ratio(task.request, model.ratios) or task.request.ratio
        is_hevc = self.has_hevc and task.request.resolution in model.hevc_resolutions
        return RenderJob(
            request=replace(task.request, ratio=ratio),
            seed=task.seed,
            sizes=model.sizes[str(task.request.resolution)],
            duration_range_s=(model.duration_s.least, model.duration_s.most),
            fps=model.fps,
            num_frames=task.request.frames,
            audio_channels=model.audio_channels,
            output_dir=output_dir,
            media=dict(media),
            recipe=recipe_of(task.request, task.seed) if self.has_recipes else "",
            video_codec=HEVC if is_hevc else H264,
            last_frame_format=model.last_frame_format,
            shows_label=self.shows_label,
            language_model=self.language_model,
            rehearses=self.rehearses,
        )

    def told_of(self, task: Task, result: RenderResult) -> tuple[Warned, ...]:
        """Return what the caller is told of the film: the engine's notes, and where its format is not Ark's."""
        notes = tuple(Warned(param="", message=note) for note in result.notes)
        # A film for editing is H.264 at Ark's as well.
        is_for_watching = Path(result.video).suffix == HEVC_ENDING
        is_hevc_at_ark = is_for_watching and task.request.resolution in self._model(task).hevc_resolutions
        return (*notes, OTHER_CODEC) if is_hevc_at_ark and not self.has_hevc else notes

    def settlement(self, task: Task, result: RenderResult) -> LedgerEntry:
        """Return the posted entry for the film: by its actual size and length, never by what was asked.

        Whole seconds are what counts, unless the film was ordered by its frames.
        """
        model = self._model(task)
        is_by_frames = task.request.frames is not None
        tokens = tokens_of(
            self.catalogue.tokens,
            width_px=result.width_px,
            height_px=result.height_px,
            num_frames=result.num_frames if is_by_frames else model.fps * result.duration_s,
        )
        book = self.catalogue.books[self.book_id]
        price = price_micros(book, task.request, model)
        return priced(EntryKind.POSTED, task_id=task.id, tokens=tokens, price_micros=price, currency=book.currency)

    def _model(self, task: Task) -> ModelSpec:
        model = self.catalogue.model(task.request.model)
        if model is None:
            raise LookupError(f"the catalogue no longer has the model {task.request.model!r} of task {task.id}")
        return model
