"""`understudy plan`: what previz would make of a prompt, without making it. Needs no server."""

import sys
from typing import Annotated

import msgspec
import typer

from understudy.cli.endings import USAGE, stop
from understudy.core.request import DURATION_CHOSEN_BY_ENGINE, RATIO_CHOSEN_BY_ENGINE


def print_plan(  # tidy: each parameter is one flag
    prompt: Annotated[str, typer.Argument(help="The prompt; - reads it from standard input.")],
    *,
    ratio: Annotated[str, typer.Option("--ratio", help="Shape of the film, or adaptive.")] = "adaptive",
    duration_s: Annotated[int, typer.Option("--duration", help="Seconds, or -1 = as the prompt needs.")] = -1,
    model: Annotated[str | None, typer.Option("--model", help="Whose ratios and durations hold.")] = None,
    images: Annotated[int, typer.Option("--images", help="Reference images that are given.", min=0)] = 0,
    videos: Annotated[int, typer.Option("--videos", help="Reference videos that are given.", min=0)] = 0,
    sounds: Annotated[int, typer.Option("--sounds", help="Reference audio that is given.", min=0)] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole plan as JSON.")] = False,
) -> None:
    """Print the film plan of a prompt: shots, subjects, camera, lines, texts and what becomes of the media."""
    # Here, because the vocabulary takes a while and no other command needs it.
    from understudy.catalog.load import load_catalogue
    from understudy.client.programs import default_model
    from understudy.engines.previz.planning.planner import plan_film
    from understudy.engines.previz.planning.printing import told

    spec = default_model() if model is None else load_catalogue().model(model)
    if spec is None:
        stop(f"--model: there is no model {model!r}.", code=USAGE)
    ratios = tuple(next(iter(spec.sizes.values())))
    if ratio != RATIO_CHOSEN_BY_ENGINE and ratio not in ratios:
        stop(f"--ratio: {spec.name} has {', '.join(ratios)} and {RATIO_CHOSEN_BY_ENGINE}.", code=USAGE)
    range_s = (spec.duration_s.least, spec.duration_s.most)
    if duration_s != DURATION_CHOSEN_BY_ENGINE and not range_s[0] <= duration_s <= range_s[1]:
        stop(f"--duration: {spec.name} makes films of {range_s[0]} to {range_s[1]} seconds.", code=USAGE)
    plan = plan_film(
        sys.stdin.read() if prompt == "-" else prompt,
        ratio=ratio,
        duration_s=duration_s,
        ratios=ratios,
        duration_range_s=range_s,
        images=images,
        videos=videos,
        audios=sounds,
    )
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(plan), indent=2).decode())
        return
    for line in told(plan):
        print(line)
