"""A film plan written by a language model that the operator lends; the built-in plan is its draft and its fallback.

The model sees the prompt, the draft and the vocabulary, and nothing of the media but how many there are. What it
answers is read as strictly as any other input: a plan that breaks a promise of `plan_rules` is not taken.
"""

import itertools
import json
from collections.abc import Mapping

import msgspec

from understudy.core.render import LanguageModel
from understudy.engines.previz.art import art_ids
from understudy.engines.previz.plan import FilmPlan
from understudy.engines.previz.planning.plan_rules import faults_of
from understudy.net.language_model import NoAnswer, ask

_FAULTS_TOLD = 3

_SYSTEM = """You plan short films for a previsualisation renderer. You get a prompt in any language, how many reference
media come with it, and a draft plan made by rules. Answer with one JSON object: the corrected plan, valid under the
JSON schema below, and nothing else. Keep prompt, ratio and duration_s exactly as they are in the draft. The shots
follow each other without gaps and last duration_s together. Quoted speech goes into lines, word for word in its own
language; words to be read on screen go into texts. speaker, shot and rides are indices from 0. art and wears are ids
of drawings from the list below, or "" where none fits. Numbers of media count from 1.

Schema: {schema}

Drawings: {arts}"""


def improved(
    draft: FilmPlan,
    model: LanguageModel,
    *,
    media: Mapping[str, int],
    ratios: tuple[str, ...],
    duration_range_s: tuple[int, int],
) -> tuple[FilmPlan, str]:
    """Return the model's plan and "", or the draft and a sentence that says why.

    media: kind -> how many are given. ratios, duration_range_s: as of `plan_rules.faults_of`.
    """
    system = _SYSTEM.format(schema=json.dumps(msgspec.json.schema(FilmPlan)), arts=" ".join(sorted(art_ids())))
    draft_json = msgspec.json.encode(draft).decode()
    question = f"Prompt:\n{draft.prompt}\n\nReference media: {dict(media)}\n\nDraft:\n{draft_json}"
    try:
        plan = msgspec.json.decode(ask(model, system=system, question=question), type=FilmPlan)
    except NoAnswer as error:
        return draft, _told(error.reason)
    except msgspec.DecodeError as error:
        return draft, _told(f"its plan cannot be read: {error}")
    faults = faults_of(plan, arts=art_ids(), ratios=ratios, duration_range_s=duration_range_s)
    told = list(itertools.islice(faults, _FAULTS_TOLD))
    if (plan.prompt, plan.ratio, plan.duration_s) != (draft.prompt, draft.ratio, draft.duration_s):
        told.append("it changed the prompt, the ratio or the duration")
    return (draft, _told(f"its plan is not sound: {'; '.join(told)}")) if told else (plan, "")


def _told(reason: str) -> str:
    return f"The plan is the built-in planner's: the language model gave none that could be used ({reason:.200})."
