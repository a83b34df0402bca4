"""Films made from films: remixes, edits and extensions become ordinary requests."""

from dataclasses import dataclass, replace

from understudy.catalog.load import Catalogue
from understudy.core.case import invalid
from understudy.core.change import Change, ChangeKind
from understudy.core.content import ContentItem, Modality, Role
from understudy.core.errors import Rejected
from understudy.core.model_spec import Profile
from understudy.core.ports import EngineOffer
from understudy.core.request import FILM_OF_TASK, RATIO_CHOSEN_BY_ENGINE, GenerationRequest
from understudy.core.scenario import Scenario
from understudy.core.task import Status, Task, Warned
from understudy.dialects.ark_content import MEDIA_KEY
from understudy.dialects.codec import Decoded
from understudy.dialects.naming import media_names
from understudy.service.query import Queries

NAMES = {
    "content": "video",
    "content[0]": "prompt",
    "content[0].text": "prompt",
    **media_names(1, MEDIA_KEY[Modality.VIDEO], "video"),
    "duration": "seconds",
}
"""Ark's parameters -> those of a change."""
RENDERED_ANEW = (
    "The engine changes no videos: the film is made anew from its own request, with this prompt and its seed."
)
EXTEND = "extend"
EXTENDING = "Extend video 1:"
"""What a model without types of tasks is told. Source: seed 001, "Extend video 1 forward, the car drives into ..."."""
EXTENDED_BY_WORDS = f"`{EXTENDING}` was put before it: the model extends by what its prompt says."


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Turns a change into the request of a new task."""

    catalogue: Catalogue
    queries: Queries
    engine: EngineOffer

    async def request_of(self, owner: str, profile: Profile, change: Change) -> Decoded:
        """Return the request that makes the changed film: the source's settings, its film as reference video.

        An engine that changes no videos makes the film anew from the source's own request with the new prompt and the
        same seed, and the caller is told; one that takes none cannot extend one.

        Raises: NotFound for a source that is not the owner's; Rejected for one without a film.
        """
        words = ContentItem(modality=Modality.TEXT, value=change.prompt)
        if change.source is None:
            model = profile.defaults.get("model", self.catalogue.default_model.id)
            request = GenerationRequest(model=str(model), content=(words,))
            return self._with_video(request, change, address=change.video or "", profile=profile)
        source = await self.queries.get(owner, change.source)
        if source.status is not Status.SUCCEEDED:
            raise Rejected(invalid("video", f"the film of task `{source.id}` is not there, it is {source.status}."))
        request = replace(_settings_of(source), remixed_from=source.id)
        can_change = Scenario.REFERENCE in self.engine.scenarios and self.engine.changes_videos
        if not can_change and change.kind is not ChangeKind.EXTEND:
            others = tuple(item for item in source.request.content if item.modality is not Modality.TEXT)
            # Frames go with the ratio they were asked for with; a text that is left to choose could choose another now.
            ratio = source.request.ratio if others else request.ratio
            anew = replace(request, content=(words, *others), ratio=ratio, seed=source.seed)
            return Decoded(request=anew, warnings=(Warned(param="video", message=RENDERED_ANEW),))
        request = replace(request, content=(words,), seed=None)
        return self._with_video(request, change, address=f"{FILM_OF_TASK}{source.id}", profile=profile)

    def _with_video(self, request: GenerationRequest, change: Change, *, address: str, profile: Profile) -> Decoded:
        video = ContentItem(modality=Modality.VIDEO, value=address, role=Role.REFERENCE_VIDEO)
        expiry = request.execution_expires_after_s or profile.defaults["execution_expires_after_s"]
        changed = replace(
            request,
            content=(*request.content, video),
            duration_s=request.duration_s if change.duration_s is None else change.duration_s,
            # A film ordered by its frames goes on for the seconds that the change says, not for its own frames again.
            frames=request.frames if change.duration_s is None else None,
            execution_expires_after_s=int(expiry),
        )
        return self._extended(changed) if change.kind is ChangeKind.EXTEND else Decoded(request=changed, names=NAMES)

    def _extended(self, request: GenerationRequest) -> Decoded:
        """Say that the film goes on where the video ends, in the way that the model is told so."""
        model = self.catalogue.model(request.model)
        if model is not None and EXTEND in model.task_types:
            # It follows the video's ratio by itself, and takes none beside this.
            following = replace(request, omni_reference_task_type=EXTEND, ratio=RATIO_CHOSEN_BY_ENGINE)
            return Decoded(request=following, names=NAMES)
        words, *others = request.content
        content = (replace(words, value=f"{EXTENDING} {words.value}"), *others)
        told = (Warned(param="prompt", message=EXTENDED_BY_WORDS),)
        return Decoded(request=replace(request, content=content), warnings=told, names=NAMES)


def _settings_of(source: Task) -> GenerationRequest:
    """Return the source's request without what belonged to its own making only."""
    film, request = source.film, source.request
    assert film is not None, "a succeeded task has a film"
    return replace(
        request,
        model=request.model_shown,
        model_asked=None,
        ratio=film.ratio,
        duration_s=request.duration_s if request.frames else film.duration_s,
        draft_task_id=None,
        # What the source did with its own references says nothing of the new film.
        omni_reference_task_type=None,
        callback_url=None,
        trace_id=None,
    )
