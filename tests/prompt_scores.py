"""Scores film plans against what a human director reads in the prompts of `tests/prompts/`.

A verdict is one thing that was asked, or one that came unasked: a camera move, line, text, shot, reference, edit or
extension that the prompt does not want counts as wrong. A judge knows a plan and an expectation, never the planner, so
the suite can show that each of them refuses a wrong plan.
"""

import itertools
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from prompt_rows import ANY_MOVE, Choice, EditWanted, Prompt
from understudy.core.content import Modality
from understudy.engines.previz.plan import (
    FINER,
    INDOORS,
    CameraMove,
    Edit,
    FilmPlan,
    Line,
    ReferenceUse,
    ScreenText,
    Shot,
    SoundCue,
    Subject,
)

OFF_SCREEN = "off"

START_TOLERANCE_S = 0.25
"""Shots lie on frames and their lengths may be rounded; a quarter of a second is not another cut."""

PEOPLE = frozenset({"person", "man", "woman", "boy", "girl", "child", "baby", "old-man", "old-woman", "older-person"})

FILM_CRAFT = frozenset({"camera", "movie-camera", "video-camera", "film-frames", "film-projector", "cinema"})
"""What a prompt about filming names without wanting it in the picture: "the camera pushes in"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One thing asked, or one that came unasked. wanted, found: in words, for people."""

    kind: str
    is_right: bool
    wanted: str
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How much of what was asked is right."""

    right: int
    asked: int

    @property
    def percent(self) -> float:
        """0..100; nothing asked is nothing wrong."""
        return 100 * self.right / self.asked if self.asked else 100.0


def judged(prompt: Prompt, plan: FilmPlan) -> list[Verdict]:
    """Return the verdicts on one plan, in the order of `KINDS`."""
    return [verdict for judge in _JUDGES for verdict in judge(prompt, plan)]


def tallied(verdicts: Iterable[Verdict]) -> dict[str, Tally]:
    """Return right and asked of each kind of `KINDS` that was asked."""
    heard = list(verdicts)
    rows = {kind: [verdict.is_right for verdict in heard if verdict.kind == kind] for kind in KINDS}
    return {kind: Tally(right=sum(row), asked=len(row)) for kind, row in rows.items() if row}


def total(tallies: Mapping[str, Tally]) -> Tally:
    """Return all kinds as one."""
    return Tally(
        right=sum(tally.right for tally in tallies.values()), asked=sum(tally.asked for tally in tallies.values())
    )


def plain(text: str) -> str:
    """Return text without case, width, spaces and punctuation: "Fuiste tú." and "fuiste tú" are one line."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(letter for letter in folded if unicodedata.category(letter)[0] not in "PZC")


def _verdict(kind: str, is_right: bool, *, wanted: object, found: object) -> Verdict:
    return Verdict(kind=kind, is_right=is_right, wanted=_words(wanted), found=_words(found))


def _words(value: object) -> str:
    if isinstance(value, frozenset | tuple | list):
        return "|".join(sorted(_words(part) for part in value)) or "nothing"
    return str(value)


def _is(choice: Choice, art: str) -> bool:
    return any(art == wanted or art.startswith(f"{wanted}-") for wanted in choice)


def _shows(choice: Choice, subject: Subject) -> bool:
    if subject.art:
        return _is(choice, subject.art)
    # Without art it is what its images show, whatever that is called, or a figure known by the prompt's own word.
    return bool(subject.images) or any(wanted in subject.word.casefold() for wanted in choice)


def _cast(plan: FilmPlan) -> list[Subject]:
    """Return each subject once, whatever the number of shots it is in."""
    seen: dict[tuple[str, str, str, tuple[int, ...]], Subject] = {}
    for shot in plan.shots:
        for subject in shot.subjects:
            seen.setdefault((subject.art, subject.word, subject.tint, subject.images), subject)
    return list(seen.values())


def _dressing(plan: FilmPlan) -> set[str]:
    worn = {art for shot in plan.shots for subject in shot.subjects for art in subject.wears}
    return worn | {art for shot in plan.shots for art in shot.props}


def _sights(plan: FilmPlan) -> set[str]:
    """Return the places that are seen from outside: the backdrop of a volcano shows the volcano."""
    return {shot.setting.value for shot in plan.shots} - INDOORS


def _met(choices: Sequence[Choice], cast: Sequence[Subject]) -> set[int]:
    """Return the choices that have a subject of their own, as many as can have one (Kuhn's matching)."""
    given: dict[int, int] = {}

    def finds_one(wanted: int, tried: set[int]) -> bool:
        for index, subject in enumerate(cast):
            if index in tried or not _shows(choices[wanted], subject):
                continue
            tried.add(index)
            if index not in given or finds_one(given[index], tried):
                given[index] = wanted
                return True
        return False

    for wanted in range(len(choices)):
        finds_one(wanted, set())
    return set(given.values())


def _subjects(prompt: Prompt, plan: FilmPlan) -> Iterator[Verdict]:
    cast = _cast(plan)
    met = _met(prompt.subjects, cast)
    sights = _sights(plan)
    found = [subject.art or subject.word for subject in cast]
    for index, choice in enumerate(prompt.subjects):
        # What the film is about must act in it; what else is named may also be held, worn or stand around.
        is_there = (
            index in met
            or not choice.isdisjoint(sights)
            or (index > 0 and any(_is(choice, art) for art in _dressing(plan)))
        )
        yield _verdict("subjects", is_there, wanted=choice, found=found)
    for subject in cast:
        if subject.art in FILM_CRAFT and not any(_is(choice, subject.art) for choice in prompt.subjects):
            yield _verdict("subjects", False, wanted="no film craft", found=subject.art)


def _actions(prompt: Prompt, plan: FilmPlan) -> Iterator[Verdict]:
    everyone = [subject for shot in plan.shots for subject in shot.subjects]
    for index, choice in enumerate(prompt.actions):
        if choice:
            whose = prompt.subjects[index] if index < len(prompt.subjects) else None
            found = [subject.action.value for subject in everyone if whose is None or _shows(whose, subject)]
            yield _verdict("actions", not choice.isdisjoint(found), wanted=choice, found=found)


def _by_shot(kind: str, of: Callable[[Shot], str]) -> Callable[[Prompt, FilmPlan], Iterator[Verdict]]:
    def judge(prompt: Prompt, plan: FilmPlan) -> Iterator[Verdict]:
        choices: tuple[Choice, ...] = getattr(prompt, kind)
        for choice, shot in itertools.zip_longest(choices, plan.shots[: len(choices)]):
            if choice:
                found = of(shot) if shot else "no such shot"
                # A bedroom is a room: the finer word is right too.
                is_right = found in choice or FINER.get(found) in choice
                yield _verdict(kind, is_right, wanted=choice, found=found)

    return judge


def _camera(prompt: Prompt, plan: FilmPlan) -> Iterator[Verdict]:
    if prompt.camera == (ANY_MOVE,):
        return
    moves = [shot.camera.value for shot in plan.shots]
    moving = {move for move in moves if move != CameraMove.STATIC}
    if len(prompt.camera) == 1:
        choice = prompt.camera[0]
        is_right = moving <= choice and not choice.isdisjoint(moves)
        yield _verdict("camera", is_right, wanted=choice, found=moves)
        return
    if not prompt.camera and any(ReferenceUse.CAMERA in wanted.use for wanted in prompt.references):
        return  # The camera is the given video's; what the plan says beside it is not seen.
    for choice, move in itertools.zip_longest(prompt.camera, moves):
        if choice:
            yield _verdict("camera", move in choice, wanted=choice, found=move)
        elif move is not None and move != CameraMove.STATIC:
            yield _verdict("camera", False, wanted="no move", found=move)


def _all_of(kind: str, of: Callable[[Shot], Iterable[str]]) -> Callable[[Prompt, FilmPlan], Iterator[Verdict]]:
    def judge(prompt: Prompt, plan: FilmPlan) -> Iterator[Verdict]:
        found = [str(value) for shot in plan.shots for value in of(shot)]
        for choice in getattr(prompt, kind):
            yield _verdict(kind, not choice.isdisjoint(found), wanted=choice, found=found)

    return judge


def _word(kind: str, of: Callable[[Shot], str]) -> Callable[[Prompt, FilmPlan], Iterator[Verdict]]:
    def judge(prompt: Prompt, plan: FilmPlan) -> Iterator[Verdict]:
        choice: Choice = getattr(prompt, kind)
        if choice:
            found = [of(shot) for shot in plan.shots]
            is_right = not {plain(wanted) for wanted in choice}.isdisjoint(
                plain(word.replace("_", "")) for word in found
            )
            yield _verdict(kind, is_right, wanted=choice, found=found)

    return judge


def _lines(prompt: Prompt, plan: FilmPlan) -> Iterator[Verdict]:
    rest = list(plan.lines)
    for wanted in prompt.lines:
        line = next((line for line in rest if plain(line.text) == plain(wanted.text)), None)
        if line is not None:
            rest.remove(line)
        is_right = line is not None and line.language == wanted.language
        found = "no such line" if line is None else f"{line.language}: {line.text}"
        yield _verdict("lines", is_right, wanted=f"{wanted.language}: {wanted.text}", found=found)
        if wanted.speaker:
            is_theirs = line is not None and line.audio == wanted.audio and _speaks(wanted.speaker, line, plan)
            yield _verdict("speakers", is_theirs, wanted=wanted.speaker, found=_speaker(line, plan))
    for line in rest:
        yield _verdict("lines", False, wanted="no such line", found=line.text)


def _speaks(speaker: Choice, line: Line, plan: FilmPlan) -> bool:
    if line.speaker is None:
        return OFF_SCREEN in speaker
    subject = plan.shots[line.shot].subjects[line.speaker]
    return _shows(speaker, subject) or any(f"image {number}" in speaker for number in subject.images)


def _speaker(line: Line | None, plan: FilmPlan) -> str:
    if line is None:
        return "no such line"
    if line.speaker is None:
        return OFF_SCREEN
    subject = plan.shots[line.shot].subjects[line.speaker]
    return subject.art or subject.word


def _texts(prompt: Prompt, plan: FilmPlan) -> Iterator[Verdict]:
    shown: dict[str, ScreenText] = {plain(text.text): text for shot in plan.shots for text in shot.texts}
    for wanted in prompt.texts:
        text = shown.pop(plain(wanted.text), None)
        is_right = text is not None and text.kind in wanted.kind
        found = "no such text" if text is None else f"{text.kind}: {text.text}"
        yield _verdict("texts", is_right, wanted=f"{_words(wanted.kind)}: {wanted.text}", found=found)
    for text in shown.values():
        # Words that an edit puts into a given video may be shown by the plan as text too.
        if not any("text" in edit.kind and plain(text.text) in map(plain, edit.value) for edit in prompt.edits):
            yield _verdict("texts", False, wanted="no such text", found=f"{text.kind}: {text.text}")


def _shots(prompt: Prompt, plan: FilmPlan) -> Iterator[Verdict]:
    is_right = len(plan.shots) in prompt.shots
    if 1 not in prompt.shots or not is_right:
        yield _verdict("shots", is_right, wanted=prompt.shots, found=len(plan.shots))
    if prompt.starts_s:
        found = tuple(round(shot.start_s, 2) for shot in plan.shots)
        # The film begins with its first shot, also where the prompt counts from one ("1-3s").
        cuts = itertools.zip_longest(prompt.starts_s[1:], found[1:], fillvalue=float("inf"))
        on_time = all(abs(wanted - start) <= START_TOLERANCE_S for wanted, start in cuts)
        yield _verdict("cut times", on_time, wanted=prompt.starts_s, found=found)


def _references(prompt: Prompt, plan: FilmPlan) -> Iterator[Verdict]:
    named: dict[tuple[str, int], set[str]] = {}
    for reference in plan.references:
        named.setdefault((str(reference.modality), reference.number), set()).add(reference.use)
    for wanted in prompt.references:
        uses = named.pop((wanted.modality, wanted.number), set())
        label = f"{wanted.modality} {wanted.number}: "
        is_right = bool(uses) and uses <= wanted.use
        yield _verdict("references", is_right, wanted=label + _words(wanted.use), found=tuple(uses))
    for (modality, number), uses in named.items():
        yield _verdict("references", False, wanted="nothing", found=f"{modality} {number}: {_words(tuple(uses))}")


def _views(prompt: Prompt, plan: FilmPlan) -> Iterator[Verdict]:
    asked = prompt.views or tuple(
        (wanted.number,)
        for wanted in prompt.references
        if wanted.modality == Modality.IMAGE and wanted.use == {ReferenceUse.SUBJECT}
    )
    found = [tuple(sorted(subject.images)) for subject in _cast(plan) if subject.images]
    for view in asked:
        yield _verdict("views", view in found, wanted=str(view), found=str(found))


def _edits(prompt: Prompt, plan: FilmPlan) -> Iterator[Verdict]:
    rest = list(plan.edits)
    for wanted in prompt.edits:
        edit = next((edit for edit in rest if _is_edit(wanted, edit)), None)
        if edit is not None:
            rest.remove(edit)
        label = f"{_words(wanted.kind)} {wanted.target or 'it'} {_words(wanted.value)}"
        yield _verdict("edits", edit is not None, wanted=label, found=tuple(map(_edit_words, plan.edits)))
    for edit in rest:
        yield _verdict("edits", False, wanted="no such edit", found=_edit_words(edit))


def _is_edit(wanted: EditWanted, edit: Edit) -> bool:
    words = [word.casefold() for word in (edit.value, edit.by, edit.art) if word]
    has_value = not wanted.value or any(value.casefold() in word for value in wanted.value for word in words)
    return edit.kind in wanted.kind and wanted.target.casefold() in edit.target.casefold() and has_value


def _edit_words(edit: Edit) -> str:
    return f"{edit.kind} {edit.target or 'it'} {edit.by or edit.art or edit.value}".rstrip()


def _extension(prompt: Prompt, plan: FilmPlan) -> Iterator[Verdict]:
    found = "" if plan.extension is None else plan.extension.value
    if prompt.extension or found:
        yield _verdict("extension", found == prompt.extension, wanted=prompt.extension or "none", found=found or "none")


def _negations(prompt: Prompt, plan: FilmPlan) -> Iterator[Verdict]:
    people = [subject for subject in _cast(plan) if _is(PEOPLE, subject.art) or not subject.art]
    there: dict[str, Sequence[object]] = {
        "person": people,
        "music": [shot for shot in plan.shots if SoundCue.MUSIC in shot.sounds],
        "lines": plan.lines,
        "texts": [text for shot in plan.shots for text in shot.texts],
    }
    for absent in prompt.absent:
        yield _verdict("negations", not there[absent], wanted=f"no {absent}", found=len(there[absent]))


_JUDGES: tuple[Callable[[Prompt, FilmPlan], Iterator[Verdict]], ...] = (
    _subjects,
    _actions,
    _by_shot("setting", lambda shot: shot.setting.value),
    _by_shot("time", lambda shot: shot.time_of_day.value),
    _by_shot("weather", lambda shot: shot.weather.value),
    _all_of("particles", lambda shot: shot.particles),
    _camera,
    _by_shot("framing", lambda shot: shot.framing.value),
    _lines,
    _texts,
    _all_of("sounds", lambda shot: shot.sounds),
    _word("style", lambda shot: shot.style),
    _word("mood", lambda shot: shot.mood),
    _word("season", lambda shot: shot.season),
    _shots,
    _references,
    _views,
    _edits,
    _extension,
    _negations,
)

KINDS = (
    "subjects",
    "actions",
    "setting",
    "time",
    "weather",
    "particles",
    "camera",
    "framing",
    "lines",
    "speakers",
    "texts",
    "sounds",
    "style",
    "mood",
    "season",
    "shots",
    "cut times",
    "references",
    "views",
    "edits",
    "extension",
    "negations",
)
