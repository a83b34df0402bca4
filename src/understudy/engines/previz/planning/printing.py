"""A film plan for people: what previz would make of a request, in lines."""

from collections.abc import Iterator

from understudy.core.content import Modality
from understudy.engines.previz.plan import Action, Edit, FilmPlan, Line, Reference, ScreenText, Shot, Subject, Weather


def told(plan: FilmPlan) -> Iterator[str]:
    """Yield a plan line by line: the film, each of its shots, then what is made of the media."""
    count = len(plan.shots)
    yield f"{plan.title}: {plan.ratio}, {plan.duration_s} s, {count} {'shot' if count == 1 else 'shots'}"
    for number, shot in enumerate(plan.shots):
        yield ""
        yield f"shot {number + 1}  {shot.start_s:g}-{shot.end_s:g} s" + (f", {shot.cut}" if number else "")
        yield from (f"  {name:<9} {value}" for name, value in _shot(shot) if value)
        yield from (f"  {'line':<9} {_line(line, shot)}" for line in plan.lines if line.shot == number)
    for reference in plan.references:
        yield f"{_medium(reference)}  {_words(reference.use)}" + (f": {reference.word}" if reference.word else "")
    yield from (f"change of video {edit.video}: {_edit(edit)}" for edit in plan.edits)
    if plan.extension is not None:
        yield f"goes on {plan.extension}"


def _words(value: str) -> str:
    return value.replace("_", " ").replace("-", " ")


def _shot(shot: Shot) -> Iterator[tuple[str, str]]:
    weather = () if shot.weather is Weather.CLEAR else (shot.weather,)
    place = f"image {shot.setting_image}" if shot.setting_image else _words(shot.setting)
    yield "where", ", ".join((place, shot.time_of_day, *weather, *filter(None, (shot.season,))))
    yield "who", "; ".join(_subject(subject, shot) for subject in shot.subjects)
    yield "camera", f"{_words(shot.camera)}, {_words(shot.framing)}"
    yield "in the air", ", ".join(shot.particles)
    yield "things", ", ".join(map(_words, shot.props))
    yield "look", ", ".join(filter(None, (shot.style, shot.mood)))
    yield "sound", ", ".join(shot.sounds)
    yield "text", "; ".join(map(_text, shot.texts))


def _subject(subject: Subject, shot: Shot) -> str:
    name = _words(subject.art or subject.word or "figure")
    parts = [f"{subject.count} x {name}" if subject.count > 1 else name]
    if subject.tint:
        parts.append(subject.tint)
    if subject.action is not Action.IDLE:
        parts.append(_words(subject.action))
    if subject.wears:
        worn = ", ".join(map(_words, subject.wears))
        parts.append(f"with {subject.wears_tint} {worn}" if subject.wears_tint else f"with {worn}")
    elif subject.wears_tint:
        parts.append(f"in {subject.wears_tint}")
    if subject.rides is not None and subject.rides < len(shot.subjects):
        parts.append(f"on {_words(shot.subjects[subject.rides].art)}")
    if subject.place:
        parts.append(subject.place)
    if subject.images:
        parts.append("as in image " + ", ".join(map(str, subject.images)))
    return ", ".join(parts)


def _line(line: Line, shot: Shot) -> str:
    speaker = "off screen" if line.speaker is None else f"{shot.subjects[line.speaker].art or 'figure'}"
    voice = f", {line.voice}" if line.voice else ""
    audio = f", audio {line.audio}" if line.audio else ""
    return f"{_words(speaker)} ({line.language}{voice}{audio}): {line.text}"


def _text(text: ScreenText) -> str:
    place = f" {text.place}" if text.place else ""
    return f"{text.kind}{place} {text.text!r}"


def _medium(reference: Reference) -> str:
    names = {Modality.IMAGE: "image", Modality.VIDEO: "video", Modality.AUDIO: "audio"}
    return f"{names[reference.modality]} {reference.number}"


def _edit(edit: Edit) -> str:
    what = f" {edit.target}" if edit.target else ""
    by = f" with image {edit.image}" if edit.image else f" with {edit.by or edit.art}" if edit.by or edit.art else ""
    return f"{edit.kind}{what}{by}" + (f" ({edit.value})" if edit.value else "")
