"""A prompt that `reading.script` took apart, read shot by shot: what `planner` puts together.

Whoever was named before is known in the parts that follow.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from understudy.core.content import Modality
from understudy.engines.previz.plan import Action, EditKind, Reference, ReferenceUse, SoundCue, Subject, TextKind
from understudy.engines.previz.planning.drafts import Draft, Reading
from understudy.engines.previz.planning.reading import Reader
from understudy.engines.previz.planning.weighing import in_company, named_setting
from understudy.reading.negations import negated_pieces
from understudy.reading.phrases import Piece
from understudy.reading.references import FIRST_MARK
from understudy.reading.script import Script
from understudy.reading.shots import Part

_STRENGTH = (
    ReferenceUse.FIRST_FRAME, ReferenceUse.LAST_FRAME, ReferenceUse.CAMERA, ReferenceUse.MOTION, ReferenceUse.RHYTHM,
    ReferenceUse.VOICE, ReferenceUse.MUSIC, ReferenceUse.SUBJECT, ReferenceUse.WORN, ReferenceUse.PROP,
    ReferenceUse.SETTING, ReferenceUse.STYLE, ReferenceUse.SOURCE, ReferenceUse.SOUND, ReferenceUse.PANEL,
)  # fmt: skip
_UNSAID = {
    Modality.IMAGE: ReferenceUse.PANEL,
    Modality.VIDEO: ReferenceUse.SOURCE,
    Modality.AUDIO: ReferenceUse.SOUND,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What one part of the prompt came to. quoted: indices of the quotations in it. negates_music: "no music"."""

    part: Part
    read: Reading
    subjects: tuple[Subject, ...]
    quoted: tuple[int, ...]
    negates_music: bool
    refers_back: bool

    def speaker(self, place: int) -> int | None:
        """Who says the quotation at this place of ``quoted``; in a close-up that names nobody, who is seen in it."""
        found = self.read.speakers[place] if place < len(self.read.speakers) else None
        return 0 if found is None and place in self.read.unclaimed and self.subjects else found


def read_part(taken: Script, part: Part, *, earlier: Sequence[Draft]) -> Scene:
    """Read one part of a prompt. earlier: who was named in the parts before."""
    pieces = [piece for piece in taken.pieces if part.start <= piece.start < part.end]
    negated = negated_pieces(pieces)
    marks = {chr(FIRST_MARK + index): naming for index, naming in enumerate(taken.namings)}
    read = Reader(pieces, negated, namings=marks, earlier=earlier).reading()
    quoted = tuple(
        index for index, quotation in enumerate(taken.quotations) if part.start <= quotation.start < part.end
    )
    said = set(taken.spoken())
    spoken = {
        read.speakers[place] for place, index in enumerate(quoted) if index in said and place < len(read.speakers)
    }
    return Scene(
        part=part,
        read=read,
        subjects=in_company(read.subjects, spoken),
        quoted=quoted,
        negates_music=any("sound" in pieces[index].meanings and _is_music(pieces[index]) for index in negated),
        refers_back=read.refers_back or any(_tells_of_somebody(piece) for piece in pieces),
    )


def _tells_of_somebody(piece: Piece) -> bool:
    """Whether a word is about somebody who was named before: what he does, his face."""
    is_action = any(value != Action.IDLE for value in piece.meanings.get("action", ())) and "art" not in piece.meanings
    return is_action or piece.text.casefold() in _POSSESSIVES


_POSSESSIVES = frozenset(
    (
        "his", "her", "its", "their", "su", "sus", "seu", "sua", "seus", "suas", "dele", "dela",
        "他的", "她的", "它的", "他", "她", "它", "彼の", "彼女の", "その", "nya",
    )
)  # fmt: skip


def _is_music(piece: Piece) -> bool:
    return bool({SoundCue.MUSIC, SoundCue.DRUMS} & set(piece.meanings.get("sound", ())))


def scenes_of(taken: Script, common: Scene) -> tuple[Scene, ...]:
    """Read the parts in order; each knows who was named before, and takes them over when it names nobody itself."""
    scenes: list[Scene] = []
    cast = list(common.read.drafts)
    for part in taken.cutting.parts:
        scene = read_part(taken, part, earlier=cast)
        cast = [*scene.read.drafts, *(draft for draft in cast if not _is_again(draft, scene.read.drafts))]
        # A title card shows nobody.
        if not scene.subjects and not _is_card(taken, scene):
            scene = _taken_over(scene, common, scenes[-1] if scenes else None)
        scenes.append(scene)
    return tuple(scenes)


def _is_card(taken: Script, scene: Scene) -> bool:
    is_titled = any(taken.kinds[index] is TextKind.TITLE for index in scene.quoted)
    return is_titled and not scene.read.mentions and not scene.refers_back


def _is_again(draft: Draft, drafts: Sequence[Draft]) -> bool:
    return any(other.art == draft.art and other.word == draft.word for other in drafts)


def _taken_over(scene: Scene, common: Scene, before: Scene | None) -> Scene:
    """In a shot without anybody there are those of all shots; or those of the last, unless it shows another place."""
    source = common if common.subjects else before
    is_elsewhere = named_setting(scene.read) is not None and not scene.refers_back
    if source is None or not source.subjects or (source is before and is_elsewhere):
        return scene
    subjects = source.subjects if source is common else tuple(_at_rest(subject) for subject in source.subjects)
    return replace(scene, subjects=subjects)


def _at_rest(subject: Subject) -> Subject:
    """Who spoke in the last shot does not go on speaking in the next."""
    return replace(subject, action=Action.IDLE) if subject.action is Action.SPEAK else subject


def references_of(taken: Script, scenes: Sequence[Scene]) -> tuple[Reference, ...]:
    """One reference for each medium that is named, with the strongest use that anything says of it."""
    found: dict[tuple[Modality, int], list[ReferenceUse]] = {}
    first: dict[tuple[Modality, int], int] = {}
    for naming in taken.namings:
        for number in naming.numbers:
            key = (naming.modality, number)
            found.setdefault(key, []).extend([naming.use] if naming.use is not None else [])
            first.setdefault(key, _shot_at(naming.start, scenes[1:]))
    words: dict[int, str] = {}
    for scene in scenes:
        for number, use in scene.read.uses.items():
            found.setdefault((Modality.IMAGE, number), []).append(use)
        for subject in scene.subjects:
            for number in subject.images:
                words.setdefault(number, subject.word)
    for edit in taken.wanted.edits:
        if edit.image:
            is_place = edit.kind is EditKind.BACKGROUND
            found[Modality.IMAGE, edit.image] = [ReferenceUse.SETTING if is_place else ReferenceUse.SUBJECT]
    edited = {edit.video for edit in taken.wanted.edits}
    is_changed = bool(taken.wanted.edits) or taken.wanted.extension is not None
    references = []
    for (modality, number), uses in found.items():
        said = [use for use in uses if not (is_changed and modality is Modality.VIDEO and use in _OF_A_RESULT)]
        use = min(said, key=_STRENGTH.index, default=_UNSAID[modality])
        if modality is Modality.VIDEO and (number in edited or ReferenceUse.SOURCE in said):
            # "... and keep the camera of video 1": what is worked on has its own.
            use = ReferenceUse.SOURCE
        word = words.get(number, "") if modality is Modality.IMAGE else ""
        shot = first.get((modality, number), 0)
        references.append(Reference(modality=modality, number=number, use=use, shot=shot, word=word))
    return tuple(references)


# In "turn video 1 into anime style" the style is what becomes of it.
_OF_A_RESULT = (ReferenceUse.STYLE, ReferenceUse.SETTING)


def _shot_at(place: int, scenes: Sequence[Scene]) -> int:
    return max((shot for shot, scene in enumerate(scenes) if scene.part.start <= place), default=0)
