"""Which reference image is what in which shot: who acts, what they hold, where it happens, what is only shown.

The plan says it where the prompt says it. Images that the prompt does not name are used as a director would: who can be
cut out becomes a subject, a picture of a place the setting, and the rest is seen as it is. None is left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from understudy.core.content import Modality
from understudy.engines.previz.board.studies import Study, groups_of
from understudy.engines.previz.kinds import kind_of
from understudy.engines.previz.pictures.photographs import Stance
from understudy.engines.previz.plan import FilmPlan, ReferenceUse, Shot, Subject

AS_FRAMES = frozenset({ReferenceUse.FIRST_FRAME, ReferenceUse.LAST_FRAME})
"""Such images are whole frames of the film; whoever draws those shows them."""

_ACTORS_MOST = 5
"""Images that the prompt does not name become no more subjects of a shot than these."""

_FRAMED_MOST = 3
"""Of framed pictures that are seen at a time in a shot."""

NOT_CUT = "{images} shown whole: {fault}."
BEYOND = "its subject goes on beyond the picture's edges"
AS_SUBJECTS = "{images} cut out and put into the scene as the prompt's subjects; cut-outs move, but are not drawn anew."
VIEWS = "{images} seen one after the other as views of one subject."
AS_PLACE = "{images} the place of the scene; the camera moves through the picture in depth."
AS_THINGS = "{images} cut out and put beside or onto the subject."
AS_FRAMED = "{images} shown whole in the scene: the prompt does not say what for."
AS_STYLE = "The film has the colours of {images}; its manner of drawing is not taken over."


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one shot shows of the images, by their numbers; 0 = none.

    subjects: by index into the shot's subjects. carded: those of them that are framed pictures at their subject's
    place. things: with whether each is worn. whole: those that fill the frame one after the other.
    """

    subjects: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    carded: frozenset[int] = frozenset()
    setting: int = 0
    things: tuple[tuple[int, bool], ...] = ()
    framed: tuple[int, ...] = ()
    whole: tuple[int, ...] = ()
    style: int = 0

    @property
    def numbers(self) -> frozenset[int]:
        """All that it shows, but for the style."""
        shown = {number for views in self.subjects.values() for number in views}
        places = {self.setting} if self.setting else set()
        return frozenset(shown | places | {number for number, _ in self.things} | {*self.framed, *self.whole})


class _Draft:
    """A part that is still being given out; its fields are those of `Part`."""

    def __init__(self, setting: int) -> None:
        self.subjects: dict[int, tuple[int, ...]] = {}
        self.carded: set[int] = set()
        self.setting = setting
        self.things: list[tuple[int, bool]] = []
        self.framed: list[int] = []
        self.whole: list[int] = []
        self.style = 0

    def settled(self) -> Part:
        """Return the part as it is now."""
        return Part(
            subjects=dict(self.subjects),
            carded=frozenset(self.carded),
            setting=self.setting,
            things=tuple(self.things),
            framed=tuple(self.framed),
            whole=tuple(self.whole),
            style=self.style,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageCast:
    """The shots of a plan as they are with its images, and what each shows of them. notes: for the caller."""

    shots: tuple[Shot, ...]
    parts: tuple[Part, ...]
    notes: tuple[str, ...]


def cast_images(plan: FilmPlan, studies: Mapping[int, Study]) -> ImageCast:
    """Give every image its part. studies: by number; those that are first or last frames are left to others."""
    uses = {one.number: one for one in plan.references if one.modality is Modality.IMAGE}
    free = {number: study for number, study in studies.items() if not _is_frame(uses, number)}
    shots = [_apart(shot, free) for shot in plan.shots]
    parts = [_Draft(shot.setting_image if shot.setting_image in free else 0) for shot in shots]
    _name_subjects(shots, parts, free)
    _name_others(parts, uses, free)
    unnamed = [number for number in free if number not in _shown(parts) and not _is_style(parts, number)]
    if not uses:
        _clear_unknown(plan, shots, studies=free)
        unnamed = _cast_unnamed(shots, parts, [free[number] for number in unnamed])
    _share(parts, unnamed)
    for number, part in enumerate(parts):
        _settle(part, shots[number], free)
        if part.whole or not (shots[number].subjects or part.things):
            # Nobody stands before them: they fill the frame.
            part.whole = [*([part.setting] if part.setting else []), *part.whole, *part.framed]
            part.setting, part.framed = 0, []
    settled = tuple(part.settled() for part in parts)
    return ImageCast(shots=tuple(shots), parts=settled, notes=_notes_on(settled, free))


def _is_frame(uses: Mapping[int, object], number: int) -> bool:
    return getattr(uses.get(number), "use", None) in AS_FRAMES


def _is_style(parts: Sequence[_Draft], number: int) -> bool:
    return any(part.style == number for part in parts)


def _shown(parts: Sequence[_Draft]) -> set[int]:
    return set().union(*(part.settled().numbers for part in parts))


def _apart(shot: Shot, studies: Mapping[int, Study]) -> Shot:
    """Tell apart who is only called by numbers: "image 1, image 2 and image 3" are several, unless they look alike."""
    subjects: list[Subject] = []
    for subject in shot.subjects:
        numbers = tuple(number for number in subject.images if number in studies)
        groups = [numbers]
        if len(numbers) > 1 and not subject.art and all(studies[number].stance for number in numbers):
            groups = [tuple(one.number for one in group) for group in groups_of([studies[one] for one in numbers])]
        subjects += [replace(subject, images=group) for group in groups]
    if len(subjects) == len(shot.subjects):
        return replace(shot, subjects=tuple(subjects))
    # Who rides is told by an index, which is no longer right.
    return replace(shot, subjects=tuple(replace(subject, rides=None) for subject in subjects))


def _name_subjects(shots: Sequence[Shot], parts: Sequence[_Draft], studies: Mapping[int, Study]) -> None:
    """Let each subject be shown by its images; its views are shared out over the shots it is in."""
    places: dict[tuple[int, ...], list[tuple[int, int]]] = {}
    for number, shot in enumerate(shots):
        for index, subject in enumerate(shot.subjects):
            if subject.images:
                places.setdefault(subject.images, []).append((number, index))
    for numbers, seen in places.items():
        views = [number for number in numbers if studies[number].stance is not None] or list(numbers)
        for turn, (number, index) in enumerate(seen):
            own = views[turn :: len(seen)] or [views[turn % len(views)]]
            parts[number].subjects[index] = tuple(own)


def _name_others(parts: Sequence[_Draft], uses: Mapping[int, object], studies: Mapping[int, Study]) -> None:
    for number, reference in uses.items():
        if number not in studies:
            continue
        use, shot = getattr(reference, "use", None), getattr(reference, "shot", 0)
        part = parts[min(max(shot, 0), len(parts) - 1)]
        if use is ReferenceUse.STYLE:
            for each in parts:
                each.style = each.style or number
        elif number in _shown(parts):
            continue
        elif use in (ReferenceUse.PROP, ReferenceUse.WORN):
            if not studies[number].fault:
                part.things.append((number, use is ReferenceUse.WORN))
            else:
                part.framed.append(number)
        elif use is ReferenceUse.SETTING:
            part.setting = part.setting or number


def _cast_unnamed(shots: list[Shot], parts: Sequence[_Draft], studies: Sequence[Study]) -> list[int]:
    """Use images that no word names, as far as they can be used; returns the rest."""
    left: list[int] = []
    for study in studies:
        if study.stance in (Stance.STANDS, Stance.RISES) and _stands_in(shots, parts, study):
            continue
        if study.fault and any(shot.subjects for shot in shots) and not any(part.setting for part in parts):
            for part in parts:
                part.setting = study.number
            continue
        left.append(study.number)
    # Who found no place among the prompt's subjects is one more of them, where there is room.
    rest: list[int] = []
    by_number = {study.number: study for study in studies}
    for number in left:
        # Where nobody is, nobody is invented: there the picture itself fills the frame.
        peopled = [one for one, shot in enumerate(shots) if 0 < len(shot.subjects) < _ACTORS_MOST]
        place = min(peopled, key=lambda one: len(shots[one].subjects), default=-1)
        if by_number[number].stance not in (Stance.STANDS, Stance.RISES) or place < 0:
            rest.append(number)
            continue
        extra = Subject(art="", word=f"image {number}", images=(number,))
        shots[place] = replace(shots[place], subjects=(*shots[place].subjects, extra))
        parts[place].subjects[len(shots[place].subjects) - 1] = (number,)
    return rest


def _clear_unknown(plan: FilmPlan, shots: list[Shot], *, studies: Mapping[int, Study]) -> None:
    """Leave out a figure that stands for words nobody knew, where the images tell what the film is about."""
    if any(study.is_person for study in studies.values()):
        return
    for number, shot in enumerate(shots):
        is_known = any(subject.art for subject in shot.subjects)
        if not is_known and not any(line.shot == number and line.speaker is not None for line in plan.lines):
            shots[number] = replace(shot, subjects=())


def _stands_in(shots: Sequence[Shot], parts: Sequence[_Draft], study: Study) -> bool:
    """Let an image show the first of the prompt's subjects that it may be, wherever that one is seen."""
    wanted: tuple[str, str] | None = None
    for shot, part in zip(shots, parts, strict=True):
        for index, subject in enumerate(shot.subjects):
            is_same = wanted is None and _may_show(study, subject)
            if index not in part.subjects and (is_same or wanted == (subject.art, subject.word)):
                wanted = (subject.art, subject.word)
                part.subjects[index] = (study.number,)
    return wanted is not None


def _may_show(study: Study, subject: Subject) -> bool:
    """Whether a picture can be of a subject, as far as is known: faces belong to people."""
    is_person = not subject.art or kind_of(subject.art).name == "person"
    return study.is_person == is_person


def _share(parts: Sequence[_Draft], numbers: Sequence[int]) -> None:
    """Share pictures that are only shown out over the shots, in order."""
    for place, number in enumerate(numbers):
        parts[place * len(parts) // len(numbers)].framed.append(number)


def _settle(part: _Draft, shot: Shot, studies: Mapping[int, Study]) -> None:
    """See to it that who cannot be cut out is seen nevertheless: over the whole frame when alone, else framed."""
    for index, views in list(part.subjects.items()):
        stances = {number: studies[number].stance for number in views}
        is_alone = len(part.subjects) == 1 and len(shot.subjects) == 1
        able = tuple(
            number
            for number in views
            if stances[number] is not None and (stances[number] is not Stance.FILLS or is_alone)
        )
        if any(stances[number] is not Stance.FILLS for number in able):
            able = tuple(number for number in able if stances[number] is not Stance.FILLS)
        others = [number for number in views if number not in able]
        if able:
            part.subjects[index] = able
            part.framed += others
            continue
        if is_alone and not part.setting:
            # Its picture is the shot: it is more like what was asked for than any drawing.
            del part.subjects[index]
            part.whole += others
        else:
            part.carded.update(others)


def _notes_on(parts: Sequence[Part], studies: Mapping[int, Study]) -> tuple[str, ...]:
    """Say in plain words what is done with the images."""
    subjects = {number for part in parts for views in part.subjects.values() for number in views}
    views = {number for part in parts for shown in part.subjects.values() if len(shown) > 1 for number in shown}
    places = {part.setting for part in parts if part.setting}
    things = {number for part in parts for number, _ in part.things}
    carded = {number for part in parts for number in part.carded}
    subjects -= carded
    framed = {number for part in parts for number in (*part.framed, *part.whole)} - subjects - places - things
    not_cut: dict[str, set[int]] = {}
    for number in framed | carded:
        fault = studies[number].fault or (BEYOND if number in carded else "")
        if fault:
            not_cut.setdefault(fault, set()).add(number)
    told = [
        (AS_SUBJECTS, subjects),
        (VIEWS, views),
        (AS_PLACE, places),
        (AS_THINGS, things),
        (AS_FRAMED, framed.difference(*not_cut.values())),
    ]
    notes = [text.format(images=named(numbers)) for text, numbers in told if numbers]
    notes += [NOT_CUT.format(images=named(numbers), fault=fault) for fault, numbers in sorted(not_cut.items())]
    styles = {part.style for part in parts if part.style}
    if styles:
        notes.append(AS_STYLE.format(images=named(styles, has_verb=False).replace("Image", "image", 1)))
    return tuple(notes)


def named(numbers: set[int], *, has_verb: bool = True) -> str:
    """Name images for people: "Images 1, 2 and 4 are"."""
    *first, last = [str(number) for number in sorted(numbers)]
    verb = (" are" if first else " is") if has_verb else ""
    return f"Images {', '.join(first)} and {last}{verb}" if first else f"Image {last}{verb}"
