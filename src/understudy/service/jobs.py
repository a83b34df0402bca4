"""What a task means to an engine, and what its film costs: between the catalogue and the dispatcher."""

from dataclasses import dataclass

from understudy.billing.rating import price_micros, priced, tokens_of
from understudy.catalog.load import Catalogue
from understudy.core.model_spec import ModelSpec
from understudy.core.render import RenderJob, RenderResult
from understudy.core.task import EntryKind, LedgerEntry, Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Jobs:
    """Writes jobs and settles films. shows_label: films say in the picture what they are."""

    catalogue: Catalogue
    book_id: str
    shows_label: bool

    def job(self, task: Task, output_dir: str) -> RenderJob:
        """Return the job of one attempt at the task."""
        model = self._model(task)
        return RenderJob(
            request=task.request,
            seed=task.seed,
            sizes=model.sizes[str(task.request.resolution)],
            duration_range_s=(model.duration_s.least, model.duration_s.most),
            fps=model.fps,
            num_frames=task.request.frames,
            audio_channels=model.audio_channels,
            output_dir=output_dir,
            shows_label=self.shows_label,
        )

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
