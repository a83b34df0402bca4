"""MiniMax-H3's prompt: named fields, shots with times, tags for media and speech, filled from the prompt's own words.

Source: MiniMaxAI/MiniMax-H3, docs/VIDEO_PROMPT_WRITING_GUIDE_{base,ref}_en.md, and its README's examples.
"""

import re
from collections.abc import Sequence

from understudy.core.content import Role
from understudy.engines.diffusion.prompting.brief import Brief, Tale, Told, tale_of
from understudy.engines.diffusion.prompting.given import frames_in
from understudy.engines.diffusion.prompting.h3_references import Definition, definitions_of, summary_of
from understudy.engines.diffusion.prompting.plain import in_words
from understudy.engines.diffusion.prompting.rewriting import Change, joined, rewritten, sentence, tidy
from understudy.engines.diffusion.prompting.soundtrack import Heard
from understudy.engines.diffusion.prompting.speech import quoted, said_in
from understudy.reading.meanings import Cut

BASE_FIELDS = ("integrated_multimodal_description", "overall_soundscape", "non_diegetic_music")
REFERENCE_FIELDS = (
    "subject_definitions",
    "summary",
    "retention_analysis",
    "detailed_description",
    "overall_soundscape",
    "non_diegetic_music",
)

NOTHING = "N/A"
QUIET = "Quiet natural ambience that fits the scene."
"""Where nothing is said of sound: a field that is left open is filled with noise like speech."""
NAMED_ABOVE = "The sounds that the description names, in the natural ambience of the scene."
STILL = "The camera holds a static shot."

_SENTENCE_ENDS = frozenset('.!?。！？\n"”」』»')
_MARK = re.compile(r"\s*[.。!！?？,，、;；]")
_CUTS = {
    Cut.HARD: "the camera cuts to the next shot",
    Cut.DISSOLVE: "the shot dissolves into the next shot",
    Cut.FADE: "the shot fades into the next shot",
}


def h3_prompt(brief: Brief) -> str:
    """Return the whole prompt in the form of its mode."""
    said = said_in(brief.taken)
    changes = [*_tagged(brief), *quoted(brief.taken, said)]
    moved = _movable(brief)
    tale = tale_of(brief, [*changes, *(_taken_out(brief.prompt, one) for one in moved)])
    sounds = _Sounds(brief, tale, changes=changes, moved=moved)
    if not brief.is_of_references:
        fields = {
            BASE_FIELDS[0]: _description(brief, tale, opening=tale.common),
            BASE_FIELDS[1]: sounds.soundscape(()),
            BASE_FIELDS[2]: sounds.music(()),
        }
        body = "\n\n".join(f"{name}: {text}" for name, text in fields.items())
        return "\n\n".join(part for part in (alignment(brief, len(tale.shots)), body) if part)
    definitions = definitions_of(brief, tale, said=said)
    texts = (
        "\n".join(one.line for one in definitions),
        summary_of(brief, definitions),
        "\n".join(one.retention for one in definitions),
        _told_with_references(brief, tale, definitions=definitions),
        sounds.soundscape(definitions),
        sounds.music(definitions),
    )
    return "\n\n".join(f"{name}:\n{text}" for name, text in zip(REFERENCE_FIELDS, texts, strict=True))


def alignment(brief: Brief, last_shot: int) -> str:
    """Return the line that says which moment each given frame is, "" without any; its wording is the model's own."""
    frames = frames_in(brief.media)
    begins, ends = brief.seams
    first, last = begins or Role.FIRST_FRAME in frames, ends or Role.LAST_FRAME in frames
    end_s = f"{brief.duration_s:.2f}"
    if first and last:
        return (
            "How the reference pictures align with the target video — Picture 1 (from Shot 1) aligns with the "
            f"0.00-second mark of the target video; Picture 2 (from Shot {last_shot}) aligns with the {end_s}-second "
            "mark of the target video."
        )
    if first:
        return (
            "For the target video, at 0.00 seconds into the target video, <Picture 1> (from [Shot 1]) is fully "
            "referenced."
        )
    if last:
        return (
            f"How the reference pictures align with the target video — <Picture 1> (from [Shot {last_shot}]) aligns "
            f"with the {end_s}-second mark of the target video."
        )
    return ""


def _tagged(brief: Brief) -> list[Change]:
    """Each naming of given media as their tags; a video that only lends its frames has none."""
    if any(brief.seams):
        return in_words(brief)
    changes = []
    for naming in brief.taken.namings:
        if naming.is_sure:
            tags = [brief.tags.of(naming.modality, number) for number in naming.numbers]
            changes.append(Change(naming.start, naming.end, ", ".join(tags)))
    return changes


def _movable(brief: Brief) -> list[Heard]:
    """The clauses about sound that go to their fields: those that are said of the whole film, when it has sound."""
    cutting = brief.taken.cutting
    is_one_shot = len(cutting.parts) == 1
    return [
        clause
        for clause in brief.soundtrack.clauses
        if brief.has_sound and (is_one_shot or cutting.common[0] <= clause.start < cutting.common[1])
    ]


def _taken_out(prompt: str, clause: Heard) -> Change:
    """Take a clause out; where it is a sentence of its own, with the mark that ends it."""
    before = prompt[: clause.start].rstrip()
    is_sentence = not before or before[-1] in _SENTENCE_ENDS
    mark = _MARK.match(prompt, clause.end) if is_sentence else None
    return Change(clause.start, mark.end() if mark else clause.end, "")


class _Sounds:
    """Fills the two fields about sound."""

    def __init__(self, brief: Brief, tale: Tale, *, changes: Sequence[Change], moved: Sequence[Heard]) -> None:
        self._brief, self._tale, self._changes, self._moved = brief, tale, changes, moved

    def soundscape(self, definitions: Sequence[Definition]) -> str:
        if not self._brief.has_sound:
            return NOTHING
        parts = [*self._clauses(is_music=False), *(one.soundscape for one in definitions if one.soundscape)]
        if not parts:
            return NAMED_ABOVE if self._brief.soundtrack.names_more else QUIET
        return joined(parts)

    def music(self, definitions: Sequence[Definition]) -> str:
        parts = [*self._clauses(is_music=True), *(one.music for one in definitions if one.music)]
        return joined(parts) if parts and self._brief.has_sound else NOTHING

    def _clauses(self, *, is_music: bool) -> list[str]:
        return [self._told(clause) for clause in self._brief.soundtrack.clauses if clause.is_music is is_music]

    def _told(self, clause: Heard) -> str:
        """The clause's words; of a clause that stays in its shot, the shot too."""
        text = tidy(rewritten(self._brief.prompt, self._changes, (clause.start, clause.end)))
        if clause in self._moved:
            return text
        number = next(
            (place for place, shot in enumerate(self._tale.shots, 1) if shot.span[0] <= clause.start < shot.span[1]), 1
        )
        return f"In [Shot {number}]: {text}"


def _description(brief: Brief, tale: Tale, *, opening: str) -> str:
    """Tell the shots. opening: what stands right after the first shot's mark."""
    told = []
    for number, shot in enumerate(tale.shots, 1):
        parts = [shot.text, STILL] if brief.is_still else [shot.text]
        if number == 1:
            told.append(f"[Shot 1] {joined([opening, *parts])}".rstrip())
        else:
            told.append(f"[Shot {number}] At {timestamp(shot.start_s)}, {_cut_to(shot)} {joined(parts)}".rstrip())
    return "\n".join(told)


def _cut_to(shot: Told) -> str:
    return f"{_CUTS[shot.cut]}{':' if shot.is_worded else '.'}"


def timestamp(seconds: float) -> str:
    """Return a time as MM:SS.mmm."""
    whole_ms = round(seconds * 1000)
    return f"{whole_ms // 60000:02d}:{whole_ms // 1000 % 60:02d}.{whole_ms % 1000:03d}"


def _told_with_references(brief: Brief, tale: Tale, *, definitions: Sequence[Definition]) -> str:
    opening = joined([tale.common, *(one.presented for one in definitions if one.presented)])
    return "\n".join(part for part in (sentence(opening), _description(brief, tale, opening="")) if part)
