"""Orders for the tests of prompt adaptation: a prompt and its media, put into a model's form."""

from understudy.core.content import ContentItem, Modality, Role
from understudy.core.render import LanguageModel, RenderJob
from understudy.core.request import GenerationRequest
from understudy.engines.diffusion.order import Workflow
from understudy.engines.diffusion.prompting import Adapted, GivenMedium, Wish, adapt, wanted_of_videos
from understudy.engines.diffusion.recipe import PromptForm
from understudy.reading.references import Given

H3, LTX, WAN = PromptForm.MINIMAX_H3, PromptForm.LTX, PromptForm.WAN
FILM_S = 10.0


def job_of(prompt: str, model: LanguageModel | None = None, **fields: bool) -> RenderJob:
    """A job of a text alone; media are told to `adapt`."""
    request = GenerationRequest(
        model="any",
        content=(ContentItem(modality=Modality.TEXT, value=prompt),),
        **fields,  # type: ignore[arg-type]
    )
    return RenderJob(
        request=request, seed=1, sizes={}, duration_range_s=(4, 15), fps=24, audio_channels=2, output_dir="unused",
        language_model=model,
    )  # fmt: skip


def references(images: int = 0, videos: int = 0, audios: int = 0, *, muted: bool = False) -> tuple[GivenMedium, ...]:
    """So many of each, images first; videos have sound unless they are muted."""
    return (
        *(GivenMedium(modality=Modality.IMAGE, number=number) for number in range(1, images + 1)),
        *(GivenMedium(modality=Modality.VIDEO, number=number, with_sound=not muted) for number in range(1, videos + 1)),
        *(GivenMedium(modality=Modality.AUDIO, number=number) for number in range(1, audios + 1)),
    )


def frames(*roles: Role) -> tuple[GivenMedium, ...]:
    """Frames of the film, in this order."""
    return tuple(GivenMedium(modality=Modality.IMAGE, number=number, role=role) for number, role in enumerate(roles, 1))


def given_of(media: tuple[GivenMedium, ...]) -> Given:
    """Their counts."""
    counts = [sum(medium.modality is modality for medium in media) for modality in Modality]
    by_name = dict(zip(Modality, counts, strict=True))
    return Given(images=by_name[Modality.IMAGE], videos=by_name[Modality.VIDEO], audios=by_name[Modality.AUDIO])


def adapted(  # tidy: an order has so many sides
    prompt: str,
    form: PromptForm = H3,
    *,
    media: tuple[GivenMedium, ...] = (),
    model: LanguageModel | None = None,
    task_type: str | None = None,
    negative_prompt: str = "",
    **fields: bool,
) -> Adapted:
    """The prompt as the form wants it, for a film of ten seconds; of frames and text alone no references are made."""
    is_of_frames = any(medium.role in (Role.FIRST_FRAME, Role.LAST_FRAME) for medium in media)
    wish = Wish(workflow=Workflow.FIRST_FRAME if is_of_frames else Workflow.TEXT)
    if media and not is_of_frames:
        wish = wanted_of_videos(prompt, given_of(media), task_type=task_type)
    return adapt(
        job_of(prompt, model, **fields), form, media=media, wish=wish, duration_s=FILM_S,
        negative_prompt=negative_prompt,
    )  # fmt: skip


def field(prompt: str, name: str) -> str:
    """What stands in a field of MiniMax-H3's form."""
    _, _, rest = f"\n{prompt}".partition(f"\n{name}:")
    return rest.split("\n\n")[0].strip()
