"""What every film plan must keep, whoever wrote it: the promises that pictures and sound rely on."""

from collections.abc import Collection, Iterator

from understudy.engines.previz.plan import FilmPlan, Shot

SHOTS_MAX = 12
SUBJECTS_MAX = 9
"""As many reference images as a request of Seedance 2.0 can bring may each show somebody."""

COUNT_MAX = 5
LINES_MAX = 12
TEXTS_MAX = 8
"""Of one shot; no more can be read."""

TEXT_CHARS_MAX = 2000
_TOLERANCE_S = 0.02


def faults_of(
    plan: FilmPlan, *, arts: Collection[str], ratios: Collection[str], duration_range_s: tuple[int, int]
) -> Iterator[str]:
    """Yield what is wrong with a plan, a few words each; a sound plan yields nothing.

    arts: the ids of all drawings. ratios, duration_range_s: what the film may have.
    """
    if plan.ratio not in ratios:
        yield f"ratio {plan.ratio!r}"
    if not duration_range_s[0] <= plan.duration_s <= duration_range_s[1]:
        yield f"duration_s {plan.duration_s}"
    if not 1 <= len(plan.shots) <= SHOTS_MAX:
        yield f"{len(plan.shots)} shots"
        return
    yield from _faults_of_times(plan)
    for number, shot in enumerate(plan.shots):
        yield from (f"shots[{number}]: {fault}" for fault in _faults_of_shot(shot, arts))
    if len(plan.lines) > LINES_MAX:
        yield f"{len(plan.lines)} lines"
    for number, line in enumerate(plan.lines):
        if not 0 <= line.shot < len(plan.shots):
            yield f"lines[{number}].shot {line.shot}"
        elif line.speaker is not None and not 0 <= line.speaker < len(plan.shots[line.shot].subjects):
            yield f"lines[{number}].speaker {line.speaker}"
        if not 0 < len(line.text.strip()) <= TEXT_CHARS_MAX:
            yield f"lines[{number}].text"
    if any(reference.number < 1 or not 0 <= reference.shot < len(plan.shots) for reference in plan.references):
        yield "references"


def _faults_of_times(plan: FilmPlan) -> Iterator[str]:
    at_s = 0.0
    for number, shot in enumerate(plan.shots):
        if shot.duration_s <= 0 or abs(shot.start_s - at_s) > _TOLERANCE_S:
            yield f"shots[{number}] begins at {shot.start_s:g} s and lasts {shot.duration_s:g} s"
        at_s = shot.end_s
    if abs(at_s - plan.duration_s) > _TOLERANCE_S:
        yield f"the shots end at {at_s:g} s"


def _faults_of_shot(shot: Shot, arts: Collection[str]) -> Iterator[str]:
    subjects = len(shot.subjects)
    if subjects > SUBJECTS_MAX:
        yield f"{subjects} subjects"
    for subject in shot.subjects:
        unknown = {art for art in (subject.art, *subject.wears) if art and art not in arts}
        if unknown:
            yield f"no drawing {', '.join(sorted(unknown))}"
        if not 1 <= subject.count <= COUNT_MAX:
            yield f"count {subject.count}"
        if subject.rides is not None and not 0 <= subject.rides < subjects:
            yield f"rides {subject.rides}"
    if not set(shot.props) <= set(arts):
        yield f"no drawing {', '.join(sorted(set(shot.props) - set(arts)))}"
    if len(shot.texts) > TEXTS_MAX:
        yield f"{len(shot.texts)} texts"
    for text in shot.texts:
        if text.speaker is not None and not 0 <= text.speaker < subjects:
            yield f"speaker {text.speaker} of a text"
        if not 0 < len(text.text.strip()) <= TEXT_CHARS_MAX:
            yield "an empty or endless text"
