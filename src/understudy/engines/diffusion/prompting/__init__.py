"""A request's prompt in the form of the model that is to make the film.

By rule, from the prompt's own words; or by the operator's language model, with the rules as its draft and its judge.
Nothing here knows torch.
"""

from dataclasses import dataclass

from understudy.core.render import RenderJob
from understudy.engines.diffusion.prompting.asked import asked
from understudy.engines.diffusion.prompting.brief import Brief
from understudy.engines.diffusion.prompting.given import GivenMedium, counted, given_media, tags_of
from understudy.engines.diffusion.prompting.h3 import h3_prompt
from understudy.engines.diffusion.prompting.plain import ltx_prompt, plain_prompt, wan_prompt
from understudy.engines.diffusion.prompting.soundtrack import soundtrack_of
from understudy.engines.diffusion.prompting.wanted import LETTERS_READ_MAX, Wish, wanted_of_videos
from understudy.engines.diffusion.recipe import PromptForm
from understudy.reading.quotations import without_quotations
from understudy.reading.references import Given, namings_in
from understudy.reading.script import Script, taken_apart

__all__ = ["Adapted", "GivenMedium", "Wish", "adapt", "given_media", "wanted_of_videos"]

_FORMS = {
    PromptForm.MINIMAX_H3: h3_prompt,
    PromptForm.LTX: ltx_prompt,
    PromptForm.WAN: wan_prompt,
    PromptForm.PLAIN: plain_prompt,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapted:
    """What a model is asked for. notes: sentences for the caller."""

    prompt: str
    negative_prompt: str = ""
    notes: tuple[str, ...] = ()


def adapt(
    job: RenderJob,
    form: PromptForm,
    *,
    media: tuple[GivenMedium, ...],
    wish: Wish,
    duration_s: float,
    negative_prompt: str = "",
) -> Adapted:
    """Put the prompt of a job into a model's form.

    media: as the model is given them, in its order. wish: what was decided to be made of them. duration_s: of the film
    as it is generated, before it is trimmed. negative_prompt: the recipe's, which is passed on.
    """
    request = job.request
    given = counted(media)
    taken = taken_apart(request.prompt[:LETTERS_READ_MAX], given)
    brief = Brief(
        taken=taken,
        media=media,
        tags=tags_of(media),
        wish=wish,
        duration_s=duration_s,
        has_sound=request.generate_audio is not False,
        is_still=request.camera_fixed is True,
        soundtrack=soundtrack_of(taken),
    )
    prompt, notes = _FORMS[form](brief), [*_unread(request.prompt), *_missing(taken, given)]
    if job.language_model is not None:
        prompt, note = asked(job.language_model, form, brief=brief, draft=prompt)
        notes += [note] if note else []
    return Adapted(prompt=prompt, negative_prompt=negative_prompt, notes=tuple(notes))


def _unread(prompt: str) -> list[str]:
    if len(prompt) <= LETTERS_READ_MAX:
        return []
    return [f"The prompt has {len(prompt)} letters, and {LETTERS_READ_MAX} are read: its end had no effect."]


def _missing(taken: Script, given: Given) -> list[str]:
    """One sentence for each medium that the prompt names by number though it is not there."""
    plain = without_quotations(taken.prompt, taken.quotations)
    known = {(naming.modality, number) for naming in taken.namings for number in naming.numbers}
    named = {(naming.modality, number) for naming in namings_in(plain) if naming.is_sure for number in naming.numbers}
    return [
        f"The prompt names {modality.value} {number}, which is not given: its words were left as they are."
        for modality, number in sorted(named - known, key=lambda one: (one[0].value, one[1]))
        if number > (given.of(modality) or 0)
    ]
