"""The prompt in a model's form, written by a language model that the operator lends; the one by rule is its draft.

It may say more than the rules can: English words, speakers, what follows from what. What it must keep is checked: every
tag of a medium, every quotation letter by letter, the form itself. What fails a check is not taken.
"""

import re
from collections import Counter
from collections.abc import Iterator

import msgspec

from understudy.core.render import LanguageModel
from understudy.engines.diffusion.prompting.brief import Brief
from understudy.engines.diffusion.prompting.h3 import BASE_FIELDS, REFERENCE_FIELDS, alignment
from understudy.engines.diffusion.recipe import PromptForm
from understudy.net.language_model import NoAnswer, ask

LETTERS_MAX = {PromptForm.MINIMAX_H3: 7000, PromptForm.LTX: 2400, PromptForm.WAN: 1600, PromptForm.PLAIN: 4000}
"""Of an answer. H3: what its hosted API takes; LTX: 220 words and room; Wan: about the 512 tokens that it reads."""
GROWTH_MIN = 0.5
"""An answer much shorter than the prompt has left something out, whatever it says."""
_FAULTS_TOLD = 3

_TAG = re.compile(r"<(?:Picture|Video|Audio) \d+>")
_ANY_TAG = re.compile(r"<\s*(?:picture|video|audio|image)\s*#?\s*\d+\s*>", re.IGNORECASE)
_SPOKEN = re.compile(r"<d>\s*(?:\[[^\]]*\])?\s*(?P<text>.*?)\s*</d>", re.DOTALL)
_SHOT = re.compile(r"\[Shot (?P<number>\d+)\](?: At (?P<minutes>\d\d):(?P<seconds>\d\d\.\d{3}))?")

_SYSTEM = """You rewrite a prompt for a film into the form that a video model was trained on.

Rules that hold for every form:
- Keep everything that the prompt asks for, and add no person, event, line of speech or text that it does not ask for.
- Keep quotations letter by letter, in their own language, with whoever says them.
- Keep every tag such as <Picture 1> of the draft; use no other. A tag stands where the prompt names the medium.
- Write what is not quoted in plain English, in the present tense, concretely: what is seen, and what is heard.
- The draft was made by rule and is right in its structure; better its words, not its structure.

The form:
{form}

Answer with one JSON object: {{"prompt": "the whole rewritten prompt"}}"""

_FORMS = {
    PromptForm.MINIMAX_H3: (
        "Exactly the fields of the draft, in its order, each with its name and a colon, parted by blank lines; a first "
        "line that says which pictures align with which moments stays as it is. [Shot 1] has no time, each later one "
        "begins like [Shot 2] At 00:03.500, the camera cuts to ...; times rise and lie inside the film. "
        "Camera moves are sentences with kind, amplitude and speed: the camera pushes in with small amplitude at slow "
        "speed; holds a static shot. Speech stands in <d>[Language] words</d> after who says it, with a number such as "
        "(S1) that stays the same. Words that are read stand in double quotation marks. overall_soundscape: one to "
        "four sentences without speech. non_diegetic_music: one to three sentences, or N/A."
    ),
    PromptForm.LTX: (
        "One paragraph of at most 220 words without headings, lists, time codes or line ends, in the order in which "
        "things happen: the action first, then looks, surroundings, camera, light; sounds where they are heard."
    ),
    PromptForm.WAN: (
        "One paragraph of 60 to 200 words: style, light and shot size first, then who does what, how it moves, what "
        "moves behind it. No sound."
    ),
    PromptForm.PLAIN: "One paragraph of at most 200 words.",
}


class _Answer(msgspec.Struct, forbid_unknown_fields=True):
    prompt: str


def asked(model: LanguageModel, form: PromptForm, *, brief: Brief, draft: str) -> tuple[str, str]:
    """Return the language model's prompt and "", or the draft and a sentence that says why."""
    question = f"Prompt:\n{brief.prompt}\n\nFilm: {brief.duration_s:.2f} seconds, "
    question += f"{'with' if brief.has_sound else 'without'} sound\n\nDraft:\n{draft}"
    try:
        answer = msgspec.json.decode(
            ask(model, system=_SYSTEM.format(form=_FORMS[form]), question=question), type=_Answer
        )
    except NoAnswer as error:
        return draft, _told(error.reason)
    except msgspec.DecodeError as error:
        return draft, _told(f"its answer cannot be read: {error}")
    prompt = answer.prompt.strip()
    faults = list(faults_of(prompt, form, brief=brief, draft=draft))[:_FAULTS_TOLD]
    return (draft, _told("; ".join(faults))) if faults else (prompt, "")


def faults_of(prompt: str, form: PromptForm, *, brief: Brief, draft: str) -> Iterator[str]:
    """Yield what is wrong with an answer: half sentences for people."""
    if len(prompt) > LETTERS_MAX[form]:
        yield f"it has {len(prompt)} letters, more than {LETTERS_MAX[form]}"
    if len(prompt) < GROWTH_MIN * len(brief.prompt):
        yield "it is much shorter than the prompt"
    wanted, there = set(_TAG.findall(draft)), set(_TAG.findall(prompt))
    if missing := sorted(wanted - there):
        yield f"it leaves out {', '.join(missing)}"
    if unknown := sorted({tag for tag in _ANY_TAG.findall(prompt) if tag not in wanted}):
        yield f"it names {', '.join(unknown)}, which is not there"
    yield from _faults_of_quotations(prompt, form, brief=brief)
    if form is PromptForm.MINIMAX_H3:
        yield from _faults_of_h3(prompt, brief)
    elif "\n" in prompt and form is not PromptForm.PLAIN:
        yield "it has more than one paragraph"


def _faults_of_quotations(prompt: str, form: PromptForm, *, brief: Brief) -> Iterator[str]:
    """Each quotation is there as often as it was given, and in H3's form nothing else is said."""
    if form is PromptForm.WAN:
        return
    given = Counter(quotation.text for quotation in brief.taken.quotations)
    for text, count in given.items():
        if prompt.count(text) < count:
            yield f"it changes or leaves out the quotation {text[:40]!r}"
    if form is not PromptForm.MINIMAX_H3:
        return
    spoken = Counter(match["text"] for match in _SPOKEN.finditer(prompt))
    lines = Counter(brief.taken.quotations[place].text for place in brief.taken.spoken())
    if invented := list((spoken - lines).elements()):
        yield f"it lets somebody say {invented[0][:40]!r}"
    if unsaid := list((lines - spoken).elements()):
        yield f"nobody says {unsaid[0][:40]!r}"


def _faults_of_h3(prompt: str, brief: Brief) -> Iterator[str]:
    fields = REFERENCE_FIELDS if brief.is_of_references else BASE_FIELDS
    found = re.findall(rf"^({'|'.join(dict.fromkeys((*BASE_FIELDS, *REFERENCE_FIELDS)))}):", prompt, re.MULTILINE)
    if tuple(found) != fields:
        yield f"its fields are not {', '.join(fields)}"
    marks = list(_SHOT.finditer(_body_of(prompt, "detailed_description" if brief.is_of_references else fields[0])))
    opening = [match for match in marks if match["minutes"] or match["number"] == "1"]
    times_s = [int(match["minutes"]) * 60 + float(match["seconds"]) for match in opening if match["minutes"]]
    if not opening or opening[0]["number"] != "1" or opening[0]["minutes"]:
        yield "its first shot is not [Shot 1] without a time"
    if times_s != sorted(set(times_s)) or any(not 0 < time_s < brief.duration_s for time_s in times_s):
        yield "the times of its shots do not rise within the film"
    last_shot = max((int(match["number"]) for match in opening), default=1)
    if not prompt.startswith(alignment(brief, last_shot)):
        yield "its first line does not say where the given frames stand"


def _body_of(prompt: str, name: str) -> str:
    """What stands in one field."""
    match = re.search(rf"^{name}:(?P<body>.*?)(?=^\w+:|\Z)", prompt, re.MULTILINE | re.DOTALL)
    return match["body"] if match else ""


def _told(reason: str) -> str:
    return (
        "The prompt was put into the model's form by rule: "
        f"the language model gave none that could be used ({reason:.200})."
    )
