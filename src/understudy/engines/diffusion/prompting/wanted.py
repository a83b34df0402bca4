"""What a request wants of its reference videos: changed, gone on from, joined, or looked at."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from understudy.core.content import Modality
from understudy.engines.diffusion.order import Workflow
from understudy.reading.meanings import Extension, ReferenceUse
from understudy.reading.references import Given, Naming
from understudy.reading.script import Script, taken_apart
from understudy.reading.spotting import any_of, level, spots, words_in

LETTERS_READ_MAX = 7000
"""Of a prompt; the rest is not looked at. MiniMax's hosted H3 takes so many, the other models read far fewer, and
reading takes its time: the server does it while others wait."""

_ASKED = {"edit": Workflow.EDIT, "extend": Workflow.EXTEND, "reference": Workflow.REFERENCES}
"""omni_reference_task_type -> what it asks for; "auto" and none leave it to the prompt."""

_JOINED = ("joined", "followed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a film is to be made of. is_forward: whether an extension goes on after its video, or leads to it.

    videos: numbers (from 1) of the videos that are edited, extended or joined, in the order in which they are told of.
    """

    workflow: Workflow
    is_forward: bool = True
    videos: tuple[int, ...] = ()


def wanted_of_videos(prompt: str, given: Given, *, task_type: str | None = None) -> Wish:
    """Read what is to become of the given videos. task_type: omni_reference_task_type, which wins over the prompt.

    Of a prompt that says nothing of them they are references, whatever they lend.
    """
    return wish_of(taken_apart(prompt[:LETTERS_READ_MAX], given), given, task_type=task_type)


def wish_of(taken: Script, given: Given, *, task_type: str | None = None) -> Wish:
    """Say the same of a prompt that was taken apart."""
    if not given.videos:
        return Wish(workflow=Workflow.REFERENCES)
    worked = _used(taken.namings, ReferenceUse.SOURCE)
    unlent = _used(taken.namings, ReferenceUse.SOURCE, None)
    is_forward = taken.wanted.extension is not Extension.BACKWARD
    workflow = _ASKED.get(task_type or "") or _read(taken, worked, unlent)
    either = worked or unlent or tuple(range(1, given.videos + 1))
    if workflow is Workflow.EXTEND:
        return Wish(workflow=workflow, is_forward=is_forward, videos=either[:1])
    if workflow is Workflow.EDIT:
        edited = tuple(dict.fromkeys(edit.video for edit in taken.wanted.edits)) or either[:1]
        return Wish(workflow=workflow, videos=edited)
    return Wish(workflow=workflow, videos=unlent if workflow is Workflow.JOIN else ())


def _read(taken: Script, worked: Sequence[int], unlent: Sequence[int]) -> Workflow:
    leveled = level(taken.text)
    is_extended = taken.wanted.extension is not None
    says_join = any(spot.value in _JOINED for spot in spots(leveled, "worked"))
    # "Continue video 1, then video 2 follows": what is made leads from one to the other.
    if len(unlent) > 1 and (says_join or is_extended):
        return Workflow.JOIN
    if is_extended:
        return Workflow.EXTEND
    if taken.wanted.edits or (worked and _order_to_change().search(leveled)):
        return Workflow.EDIT
    return Workflow.REFERENCES


@cache
def _order_to_change() -> re.Pattern[str]:
    return re.compile(any_of(words_in("worked", "worked")))


def _used(namings: Sequence[Naming], *uses: ReferenceUse | None) -> tuple[int, ...]:
    """The videos that are named for one of these uses, in order; None = for none that words beside it say."""
    videos = (naming for naming in namings if naming.modality is Modality.VIDEO and naming.use in uses)
    return tuple(dict.fromkeys(number for naming in videos for number in naming.numbers))
