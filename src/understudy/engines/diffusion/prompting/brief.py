"""What the forms are filled from: a prompt taken apart, the media, and what the request says besides."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from understudy.core.content import Modality, Role
from understudy.engines.diffusion.order import Workflow
from understudy.engines.diffusion.prompting.given import GivenMedium, Tags
from understudy.engines.diffusion.prompting.rewriting import Change, joined, rewritten, tidy
from understudy.engines.diffusion.prompting.soundtrack import Soundtrack
from understudy.engines.diffusion.prompting.wanted import Wish
from understudy.reading.meanings import Cut, ReferenceUse
from understudy.reading.references import Naming
from understudy.reading.script import Script
from understudy.reading.shots import fitted, laid_out
from understudy.reading.spotting import level, spots

_JOINED = 2
_WORD = re.compile(r"\w")
_STRENGTH = (
    ReferenceUse.FIRST_FRAME, ReferenceUse.LAST_FRAME, ReferenceUse.CAMERA, ReferenceUse.MOTION, ReferenceUse.RHYTHM,
    ReferenceUse.VOICE, ReferenceUse.MUSIC, ReferenceUse.SETTING, ReferenceUse.STYLE, ReferenceUse.SOURCE,
    ReferenceUse.SOUND,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """Everything a form needs. duration_s: of the film. has_sound: whether it is to be heard."""

    taken: Script
    media: tuple[GivenMedium, ...]
    tags: Tags
    wish: Wish
    duration_s: float
    has_sound: bool
    is_still: bool
    soundtrack: Soundtrack = field(default_factory=Soundtrack)

    @property
    def prompt(self) -> str:
        """The words of the request."""
        return self.taken.prompt

    @property
    def is_of_references(self) -> bool:
        """Whether MiniMax-H3 is given references, not frames or text alone."""
        is_made_of_media = self.wish.workflow in (Workflow.REFERENCES, Workflow.EDIT, Workflow.EXTEND, Workflow.JOIN)
        return is_made_of_media and not any(self.seams)

    @property
    def seams(self) -> tuple[bool, bool]:
        """Whether a picture of a given video is the first frame, and whether one is the last.

        Where nothing but the videos that it goes on from is given MiniMax-H3 gets their pictures as frames, for a joint
        without a seam: see `families.minimax_h3_conditions`.
        """
        is_alone = all(medium.modality is Modality.VIDEO for medium in self.media)
        if is_alone and self.wish.workflow is Workflow.EXTEND and len(self.media) == 1:
            return self.wish.is_forward, not self.wish.is_forward
        is_joint = is_alone and self.wish.workflow is Workflow.JOIN and len(self.media) == _JOINED
        return is_joint, is_joint

    def of(self, modality: Modality) -> tuple[GivenMedium, ...]:
        """The media of one modality, in the model's order."""
        return tuple(medium for medium in self.media if medium.modality is modality)

    def use_of(self, medium: GivenMedium) -> ReferenceUse | None:
        """Return the strongest use that the words say of a medium, None = they say none."""
        if medium.role in _FRAMES:
            return _FRAMES[medium.role]
        uses = [naming.use for naming in self.namings_of(medium) if naming.use in _STRENGTH]
        return min((use for use in uses if use is not None), key=_STRENGTH.index, default=None)

    def namings_of(self, medium: GivenMedium) -> tuple[Naming, ...]:
        """Where the prompt surely names a medium."""
        return tuple(
            naming
            for naming in self.taken.namings
            if naming.is_sure and naming.modality is medium.modality and medium.number in naming.numbers
        )


_FRAMES: Mapping[Role | None, ReferenceUse] = {
    Role.FIRST_FRAME: ReferenceUse.FIRST_FRAME,
    Role.LAST_FRAME: ReferenceUse.LAST_FRAME,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One shot in the form's words. start_s: when it begins. cut: how; is_worded: the text begins with words for that.

    span: where it stands in the prompt.
    """

    text: str
    start_s: float
    cut: Cut
    is_worded: bool
    span: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tale:
    """The shots of a film, and what is said of all of them."""

    common: str
    shots: tuple[Told, ...]

    def shots_of(self, namings: Sequence[Naming]) -> tuple[int, ...]:
        """The numbers (from 1) of the shots that name a medium; all of them where none does, or what is common."""
        found = {
            number
            for number, shot in enumerate(self.shots, 1)
            for naming in namings
            if shot.span[0] <= naming.start < shot.span[1]
        }
        inside = sum(shot.span[0] <= naming.start < shot.span[1] for shot in self.shots for naming in namings)
        every = tuple(range(1, len(self.shots) + 1))
        return tuple(sorted(found)) if found and inside == len(namings) else every


def tale_of(brief: Brief, changes: Sequence[Change]) -> Tale:
    """Tell the prompt shot by shot, changed as a form wants it; time codes and numbers of shots become times."""
    cutting = fitted(brief.taken.cutting, brief.duration_s)
    marks = _cut_words(brief.taken)
    taken_out = [Change(start, end, "") for start, end in marks]
    everything = [*changes, *taken_out]
    times = laid_out(cutting.parts, duration_s=brief.duration_s, weights=[1.0] * len(cutting.parts))
    shots: list[Told] = []
    place = 0
    for index, (part, (start_s, _)) in enumerate(zip(cutting.parts, times, strict=True)):
        is_last = index == len(cutting.parts) - 1
        words = [said for (start, _), said in marks.items() if said and place <= start < part.end]
        place = part.end
        text = tidy(rewritten(brief.prompt, everything, (part.start, part.end)))
        if is_last:
            text = joined([text, *(said for (start, _), said in marks.items() if said and start >= part.end)])
        is_first = not shots
        if is_first and words:
            # Nothing is cut from, so the words are told as they are.
            text, words = "".join((*words, text)), []
        told = "".join(words)
        shots.append(
            Told(text=told + text, start_s=start_s, cut=part.cut, is_worded=bool(words), span=(part.start, part.end))
        )
    common = tidy(rewritten(brief.prompt, everything, cutting.common)) if cutting.common[1] else ""
    return Tale(common=common, shots=tuple(shots))


def _cut_words(taken: Script) -> dict[tuple[int, int], str]:
    """Each mark of cutting -> the words of cutting in it; time codes, numbers and names of shots have none."""
    leveled = level(taken.prompt)
    found = {}
    for start, end in taken.cutting.marks:
        inside = spots(leveled[start:end], "cut")
        if not inside:
            found[start, end] = ""
            continue
        rest = taken.prompt[start + inside[-1].end : end]
        # "Cut to:" goes on in the shot; a time code behind the words does not.
        said = taken.prompt[start + inside[0].start : start + inside[-1].end]
        found[start, end] = said + (", " if _WORD.search(rest) else rest or " ")
    return found
