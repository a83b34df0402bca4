"""`understudy prompt`: what an open model would be told of a prompt. Needs neither a server nor a GPU."""

import sys
from typing import Annotated

import typer

from understudy.cli.endings import USAGE, stop
from understudy.core.content import ContentItem, Modality, Role
from understudy.core.render import RenderJob
from understudy.core.request import GenerationRequest

DURATION_S = 5


def print_prompt(  # tidy: each parameter is one flag
    prompt: Annotated[str, typer.Argument(help="The prompt; - reads it from standard input.")],
    *,
    model: Annotated[str, typer.Option("--model", help="The open model, such as minimax-h3.")],
    duration_s: Annotated[int, typer.Option("--duration", help="Seconds of the film.", min=1)] = DURATION_S,
    images: Annotated[int, typer.Option("--images", help="Reference images that are given.", min=0)] = 0,
    videos: Annotated[int, typer.Option("--videos", help="Reference videos that are given.", min=0)] = 0,
    sounds: Annotated[int, typer.Option("--sounds", help="Reference audio that is given.", min=0)] = 0,
    first_frame: Annotated[bool, typer.Option("--first-frame", help="A first frame is given.")] = False,
    last_frame: Annotated[bool, typer.Option("--last-frame", help="A last frame is given.")] = False,
    silent: Annotated[bool, typer.Option("--silent", help="The film has no sound, nor have the videos.")] = False,
    camera_fixed: Annotated[bool, typer.Option("--camera-fixed", help="The camera does not move.")] = False,
) -> None:
    """Print a prompt in the form of an open model, put there by rule: tags, shots, speech, sounds."""
    # Here, because the vocabulary takes a while and no other command needs it.
    from understudy.engines.diffusion.order import Workflow
    from understudy.engines.diffusion.prompting import GivenMedium, Wish, adapt, wanted_of_videos
    from understudy.engines.diffusion.recipe import load_recipes
    from understudy.reading.references import Given

    recipes = load_recipes()
    recipe = recipes.get(model)
    if recipe is None:
        stop(f"--model: there is no open model {model!r}; there are {', '.join(recipes)}.", code=USAGE)
    frames = [role for role, is_given in ((Role.FIRST_FRAME, first_frame), (Role.LAST_FRAME, last_frame)) if is_given]
    if frames and images + videos + sounds:
        stop("--first-frame and --last-frame stand alone: a film is made of frames or of references.", code=USAGE)
    text = sys.stdin.read() if prompt == "-" else prompt
    media = (
        *(GivenMedium(modality=Modality.IMAGE, number=number, role=role) for number, role in enumerate(frames, 1)),
        *(GivenMedium(modality=Modality.IMAGE, number=number + 1) for number in range(images)),
        *(GivenMedium(modality=Modality.VIDEO, number=number + 1, with_sound=not silent) for number in range(videos)),
        *(GivenMedium(modality=Modality.AUDIO, number=number + 1) for number in range(sounds)),
    )
    wish = Wish(workflow=Workflow.FIRST_FRAME if frames else Workflow.TEXT)
    if media and not frames:
        wish = wanted_of_videos(text, Given(images=images, videos=videos, audios=sounds))
    adapted = adapt(
        _job(text, is_silent=silent, is_still=camera_fixed),
        recipe.prompt_form,
        media=media,
        wish=wish,
        duration_s=float(duration_s),
        negative_prompt=recipe.negative_prompt,
    )
    print(adapted.prompt)
    if adapted.negative_prompt:
        print(f"\nNot to be seen: {adapted.negative_prompt}")
    for note in adapted.notes:
        print(f"note: {note}", file=sys.stderr)


def _job(text: str, *, is_silent: bool, is_still: bool) -> RenderJob:
    request = GenerationRequest(
        model="",
        content=(ContentItem(modality=Modality.TEXT, value=text),),
        generate_audio=not is_silent,
        camera_fixed=is_still,
    )
    return RenderJob(request=request, seed=0, sizes={}, duration_range_s=(0, 0), fps=0, audio_channels=0, output_dir="")
