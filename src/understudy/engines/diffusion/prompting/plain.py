"""Prompts of models without tags: LTX wants one flowing paragraph with its sound, Wan and others the words as they are.

Sources: Lightricks/LTX-2, README, "Prompting for LTX-2"; Wan-Video/Wan2.2, wan/utils/system_prompt.py.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

from understudy.engines.diffusion.prompting.brief import Brief, tale_of
from understudy.engines.diffusion.prompting.given import GivenMedium
from understudy.engines.diffusion.prompting.rewriting import Change, joined, rewritten, sentence
from understudy.reading.meanings import Cut
from understudy.reading.quotations import language_of, without_quotations
from understudy.reading.references import Naming

LTX_STILL = "The camera remains static."
WAN_STILL = "Static shot, fixed camera."

_CUTS = {
    Cut.HARD: "The camera cuts to the next shot",
    Cut.DISSOLVE: "The shot dissolves into the next one",
    Cut.FADE: "The shot fades into the next one",
}
# What may stand before a name that begins with an article: the article itself, or a preposition that holds one.
_HAS_ARTICLE = re.compile(
    r"(?:^|\s)(?:the|el|la|los|las|o|a|os|as|da|do|das|dos|na|no|nas|nos|ao|à|pela|pelo|del|al)\s+$"
)
_ARTICLE = re.compile(r"^(?:the|el|la|o|a)\s+")


def ltx_prompt(brief: Brief) -> str:
    """Return one paragraph without line ends, numbers of shots or time codes; what is heard stays where it is told."""
    tale = tale_of(brief, in_words(brief))
    parts = [tale.common]
    for number, shot in enumerate(tale.shots):
        cut = f"{_CUTS[shot.cut]}: " if shot.is_worded else f"{_CUTS[shot.cut]}. "
        parts.append(f"{cut}{shot.text}" if number else shot.text)
    if brief.is_still:
        parts.append(LTX_STILL)
    return re.sub(r"\s*\n\s*", " ", joined(parts))


def wan_prompt(brief: Brief) -> str:
    """Return the prompt as it is, with given media in words."""
    text = plain_prompt(brief)
    return f"{sentence(text)} {WAN_STILL}".strip() if brief.is_still else text


def plain_prompt(brief: Brief) -> str:
    """Return the prompt with given media in words, and nothing else changed."""
    return rewritten(brief.prompt, in_words(brief), (0, len(brief.prompt))).strip()


def in_words(brief: Brief) -> list[Change]:
    """Each naming of given media by number, as plain words of the prompt's language."""
    language = language_of(without_quotations(brief.prompt, brief.taken.quotations))
    changes = []
    for naming in brief.taken.namings:
        if naming.is_sure:
            words = _listed([_name(brief, naming, number, language=language) for number in naming.numbers], language)
            before = brief.prompt[max(0, naming.start - 12) : naming.start].lower()
            words = _ARTICLE.sub("", words) if _HAS_ARTICLE.search(before) else words
            changes.append(Change(naming.start, naming.end, words))
    return changes


def _listed(names: Sequence[str], language: str) -> str:
    return ("、" if language in ("zh", "ja") else ", ").join(names)


def _name(brief: Brief, naming: Naming, number: int, *, language: str) -> str:
    same = brief.of(naming.modality)
    medium = next((medium for medium in same if medium.number == number), None)
    forms = _forms(medium) if medium is not None else _names()[naming.modality.value]
    spoken = forms.get(language, forms["en"])
    return spoken[min(len(same), len(spoken)) - 1].format(number=number)


def _forms(medium: GivenMedium) -> Mapping[str, Sequence[str]]:
    key = medium.role.value if medium.role is not None and medium.role.value in _names() else medium.modality.value
    return _names()[key]


@cache
def _names() -> Mapping[str, Mapping[str, Sequence[str]]]:
    text = files(__package__).joinpath("names.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
