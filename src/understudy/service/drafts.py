"""Requests that build upon a task of the same owner: the final film of a draft, and films given as media."""

from dataclasses import dataclass, replace

from understudy.catalog.load import Catalogue
from understudy.core.case import invalid
from understudy.core.content import Modality
from understudy.core.errors import Rejected
from understudy.core.ports import Clock, TaskStore
from understudy.core.request import FILM_OF_TASK, GenerationRequest, is_film_of_task, param_of
from understudy.core.task import Status, Task, Warned
from understudy.dialects.codec import Decoded
from understudy.dialects.ids import internal_id
from understudy.dialects.naming import renamed, renamed_all
from understudy.service.retention import Retention

# Our own bound, above what any model takes: each is looked up before the rules count them.
_FILMS_MAX = 20
DRAFT_PARAM = "content[0].draft_task.id"
TAKEN_OVER = (
    "ratio",
    "duration_s",
    "frames",
    "seed",
    "generate_audio",
    "camera_fixed",
    "omni_reference_task_type",
    "tools",
)
"""Fields of the request that the final takes from its draft. Source: Ark documentation, "draft"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafts:
    """Finds the tasks that requests build upon. retention: how long they can be named."""

    catalogue: Catalogue
    store: TaskStore
    clock: Clock
    retention: Retention

    async def finished(self, owner: str, dialect: str, decoded: Decoded) -> Decoded:
        """Return the request with its draft's content and settings; one without a draft is returned checked, as it is.

        Raises: Rejected when a task that it names is not there, has no film, or forbids what is asked.
        """
        content, profile = decoded.request.content, self.catalogue.profiles[dialect]
        films = [(index, item.value) for index, item in enumerate(content) if is_film_of_task(item)]
        if len(films) > _FILMS_MAX:
            reason = f"it names {len(films)} films of other tasks, at most {_FILMS_MAX} are looked up."
            raise renamed_all(_refused("content", reason), decoded.names)
        for index, address in films:
            try:
                await self._film(owner, address.removeprefix(FILM_OF_TASK), f"content[{index}]")
            except Rejected as error:
                raise renamed_all(error, decoded.names) from None
        # A draft beside other items is for the rules to refuse.
        if len(content) != 1 or content[0].modality is not Modality.DRAFT:
            return decoded
        named = content[0].value
        draft = await self._film(owner, internal_id(named) or "", DRAFT_PARAM, shown=named)
        if decoded.request.draft:
            reason = "the film of a draft_task is the final one and no draft."
            raise renamed_all(_refused("draft", reason), decoded.names)
        if not draft.request.draft:
            raise _refused(DRAFT_PARAM, f"the specified task {content[0].value} is not a draft.")
        model = self.catalogue.model(decoded.request.model)
        if model is not None and model.id != draft.request.model:
            reason = f"it must be the model of the draft task, {draft.request.model_shown}."
            raise _refused("model", reason)
        said = self._said(decoded.request, draft, is_default_known=profile.draft_repeats_refused)
        if said and profile.draft_repeats_refused:
            raise Rejected(
                *(
                    renamed(invalid(param, "it must not be given with draft_task, it is the draft's."), decoded.names)
                    for param in said
                )
            )
        told = tuple(
            Warned(param=decoded.names.get(param, param), message=f"The draft's own `{param}` was taken.")
            for param in said
        )
        return replace(decoded, request=_final(decoded.request, draft), warnings=decoded.warnings + told)

    def _said(self, request: GenerationRequest, draft: Task, *, is_default_known: bool) -> list[str]:
        """Return the parameters that the draft settles and the request gives as well.

        is_default_known: whether what is given was given by the caller; else only what differs is named.
        """
        found: list[str] = []
        for field in TAKEN_OVER:
            given, settled = getattr(request, field), getattr(draft.request, field)
            if given not in (None, ()) and (is_default_known or given != settled):
                found.append(param_of(field))
        return found

    async def _film(self, owner: str, task_id: str, param: str, *, shown: str = "") -> Task:
        """Return the owner's succeeded task, as long as its record is kept.

        Raises: Rejected.
        """
        name = shown or task_id
        task = await self.store.get(owner, task_id) if internal_id(task_id) else None
        if task is None or self.retention.is_over(task, self.clock.now()):
            raise _refused(param, f"the specified task {name[:100]} is not found.")
        if task.status is not Status.SUCCEEDED:
            raise _refused(param, f"the specified task {name[:100]} has not succeeded, it is {task.status}.")
        return task


def _final(request: GenerationRequest, draft: Task) -> GenerationRequest:
    """Return the request of the final film: the draft's in everything that decides what is seen and heard."""
    assert draft.film is not None, "a succeeded task has a film"
    taken = {field: getattr(draft.request, field) for field in TAKEN_OVER}
    # What the draft left open, it has settled: the final must show the same film.
    taken["ratio"], taken["seed"] = draft.film.ratio, draft.seed
    if draft.request.frames is None:
        taken["duration_s"] = draft.film.duration_s
    return replace(request, content=draft.request.content, draft=False, draft_task_id=draft.id, **taken)


def _refused(param: str, reason: str) -> Rejected:
    return Rejected(invalid(param, reason))
