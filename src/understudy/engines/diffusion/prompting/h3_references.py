"""What MiniMax-H3 is told of each reference: a definition, what is kept of it, and where it is heard.

What the prompt says a medium is for becomes its role; of one that the prompt does not name a sentence says that it is
used as it is. Explicit roles matter: short prompts beside silent references lost them (vllm-project/vllm-omni#7254).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from understudy.core.content import Modality
from understudy.engines.diffusion.order import Workflow
from understudy.engines.diffusion.prompting.brief import Brief, Tale
from understudy.engines.diffusion.prompting.given import GivenMedium
from understudy.engines.diffusion.prompting.shown import noun_of
from understudy.engines.diffusion.prompting.speech import Said
from understudy.reading.meanings import ReferenceUse

_ORDER_OF_TASKS = (
    "keyframe completion",
    "video editing",
    "video continuation",
    "reference generation",
    "audio reuse",
    "audio reference",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """One label. line, retention: its lines in their sections. task: what it makes of the request.

    presented: a sentence for the description, of what the prompt does not name. soundscape, music: what is heard of it.
    """

    label: str
    line: str
    retention: str
    task: str
    presented: str = ""
    soundscape: str = ""
    music: str = ""


def definitions_of(brief: Brief, tale: Tale, *, said: Sequence[Said]) -> tuple[Definition, ...]:
    """Return a definition of every medium, pictures first, then videos with their sound, then audio."""
    found = []
    subjects = 0
    for medium in brief.of(Modality.IMAGE):
        is_frame = brief.use_of(medium) in (ReferenceUse.FIRST_FRAME, ReferenceUse.LAST_FRAME)
        subjects += not is_frame
        found.append(_frame(brief, tale, medium) if is_frame else _subject(brief, tale, medium, number=subjects))
    for medium in brief.of(Modality.VIDEO):
        found.append(_video(brief, tale, medium))
        if medium.number in brief.tags.tracks:
            found.append(_track(brief, medium))
    found += [_audio(brief, medium, said=said) for medium in brief.of(Modality.AUDIO)]
    return tuple(found)


def summary_of(brief: Brief, definitions: Sequence[Definition]) -> str:
    """Return the tasks in brackets and one paragraph that names every label."""
    tasks = [task for task in _ORDER_OF_TASKS if any(one.task == task for one in definitions)]
    sources = [brief.tags.of(Modality.VIDEO, number) for number in _sources(brief)]
    first = {
        Workflow.EDIT: f"The target video is an edited version of {' and '.join(sources)}.",
        Workflow.EXTEND: f"The target video {_goes_on(brief)} {' and '.join(sources)}.",
        Workflow.JOIN: f"The target video leads from {' to '.join(sources)}.",
    }.get(brief.wish.workflow, "")
    others = [one.label for one in definitions if one.label not in sources]
    what = "It" if first else "The target video"
    second = f"{what} uses {_listed(others)} as the description says." if others else ""
    return " ".join(part for part in (f"[{' + '.join(tasks)}]", first, second) if part)


def _listed(labels: Sequence[str]) -> str:
    return labels[0] if len(labels) == 1 else f"{', '.join(labels[:-1])} and {labels[-1]}"


def _sources(brief: Brief) -> tuple[int, ...]:
    """The numbers of the videos that are worked on; the first one where the request says only what is wanted."""
    known = {medium.number for medium in brief.of(Modality.VIDEO)}
    worked = tuple(number for number in brief.wish.videos if number in known)
    if brief.wish.workflow in (Workflow.EDIT, Workflow.EXTEND):
        return worked or (1,)
    return (worked or tuple(sorted(known))) if brief.wish.workflow is Workflow.JOIN else ()


def _goes_on(brief: Brief) -> str:
    return "continues" if brief.wish.is_forward else "leads up to the beginning of"


def _shots(brief: Brief, tale: Tale, medium: GivenMedium) -> str:
    return ", ".join(f"[Shot {number}]" for number in tale.shots_of(brief.namings_of(medium)))


def _frame(brief: Brief, tale: Tale, medium: GivenMedium) -> Definition:
    tag = brief.tags.of(medium.modality, medium.number)
    is_first = brief.use_of(medium) is ReferenceUse.FIRST_FRAME
    shot, name = (1, "first frame") if is_first else (len(tale.shots), "last frame")
    begins = f"The shot {'begins from' if is_first else 'ends on'} {tag}."
    return Definition(
        label=tag,
        line=f"{tag} is the {name} of [Shot {shot}].",
        retention=f"{tag} ([Shot {shot}] {name}): fully_preserved - the {name} matches it.",
        task="keyframe completion",
        presented="" if brief.namings_of(medium) else begins,
    )


def _subject(brief: Brief, tale: Tale, medium: GivenMedium, *, number: int) -> Definition:
    """What a picture lends: somebody or something, a place or a style."""
    tag, label = brief.tags.of(medium.modality, medium.number), f"<Subject {number}>"
    use, noun = brief.use_of(medium), noun_of(brief.taken, brief.namings_of(medium))
    kept = f"what is seen of it in {tag} stays the same"
    marker = "fully_preserved"
    if use is ReferenceUse.STYLE:
        line, marker = f"{label} is the visual style of {tag}.", "attribute_transfer"
        kept = f"the style of {tag} is taken over"
    elif use is ReferenceUse.SETTING:
        line = f"{label} is the place shown in {tag}."
    elif noun:
        line = f"{label} is the {noun} in {tag}." if noun.isascii() else f"{label} is {noun} in {tag}."
    else:
        line = f"{label} is what {tag} shows."
    return Definition(
        label=label,
        line=line,
        retention=f"{label} (appears in {_shots(brief, tale, medium)}): {marker} - {kept}.",
        task="reference generation",
        presented=f"{label} is seen as {tag} shows it." if not brief.namings_of(medium) else "",
    )


_VIDEO_ROLES = {
    ReferenceUse.CAMERA: ("the reference for the camera movement", "camera movement"),
    ReferenceUse.MOTION: ("the reference for the movements", "movements"),
    ReferenceUse.STYLE: ("the reference for the visual style", "visual style"),
    ReferenceUse.SETTING: ("the reference for the place", "place"),
}

_SEEN_IN_VIDEO = ("a reference for what is seen and how it moves", "content and movement")


def _video(brief: Brief, tale: Tale, medium: GivenMedium) -> Definition:
    tag = brief.tags.of(medium.modality, medium.number)
    unnamed = f"{tag} is followed as it is." if not brief.namings_of(medium) else ""
    if medium.number in _sources(brief):
        role, kept, task = _worked_on(brief, medium.number)
        retention = f"{tag} ({role[0]}): {kept}"
        return Definition(label=tag, line=f"{tag} is {role[1]}.", retention=retention, task=task)
    use = brief.use_of(medium)
    role_text, aspect = _VIDEO_ROLES.get(use or ReferenceUse.SUBJECT, _SEEN_IN_VIDEO)
    marker = "attribute_transfer" if use in _VIDEO_ROLES else "partially_preserved"
    return Definition(
        label=tag,
        line=f"{tag} is {role_text}.",
        retention=f"{tag} ({aspect}): {marker} - its {aspect} is followed in {_shots(brief, tale, medium)}.",
        task="reference generation",
        presented=unnamed,
    )


def _worked_on(brief: Brief, number: int) -> tuple[tuple[str, str], str, str]:
    """((role in brackets, role in words), what is kept, task) of a video that is worked on."""
    if brief.wish.workflow is Workflow.EDIT:
        kept = "partially_preserved - everything that the description does not change stays as it is."
        return ("source video editing", "the source video for the target video edit"), kept, "video editing"
    kept = "fully_preserved - what is seen goes on from it without a break."
    if brief.wish.workflow is Workflow.JOIN:
        is_first = number == _sources(brief)[0]
        role = "the video that the target video starts from" if is_first else "a video that the target video leads to"
        return ("continuation", role), kept, "video continuation"
    if brief.wish.is_forward:
        return ("continuation start", "the video that the target video continues"), kept, "video continuation"
    kept = "fully_preserved - what is seen leads to its beginning without a break."
    return ("continuation end", "the video whose beginning the target video leads up to"), kept, "video continuation"


def _track(brief: Brief, medium: GivenMedium) -> Definition:
    """The sound track of a video: kept where the video is worked on, else only an example."""
    tag, video = brief.tags.tracks[medium.number], brief.tags.of(Modality.VIDEO, medium.number)
    if not brief.has_sound:
        return _unheard(tag, f"{tag} is the synchronized audio track of {video}.")
    if medium.number in _sources(brief) and brief.wish.workflow is Workflow.EDIT:
        return Definition(
            label=tag,
            line=f"{tag} is the synchronized audio track of {video} and is reused in the target video.",
            retention=f"{tag}: partially_copy - it is heard as far as the description does not change it.",
            task="audio reuse",
            soundscape=f"The sound of {tag} continues throughout the target video.",
        )
    if medium.number not in _sources(brief) and brief.use_of(medium) in _VIDEO_ROLES:
        # Who wants the camera of a video has not asked for its sound.
        return Definition(
            label=tag,
            line=f"{tag} is the synchronized audio track of {video}.",
            retention=f"{tag}: weak_reference - its sound need not be heard.",
            task="reference generation",
        )
    return Definition(
        label=tag,
        line=f"{tag} is the synchronized audio track of {video}.",
        retention=f"{tag}: reference - the target video sounds alike.",
        task="audio reference",
        soundscape=f"The ambience follows {tag}.",
    )


def _audio(brief: Brief, medium: GivenMedium, *, said: Sequence[Said]) -> Definition:
    tag, use = brief.tags.of(medium.modality, medium.number), brief.use_of(medium)
    if not brief.has_sound and use is not ReferenceUse.RHYTHM:
        return _unheard(tag, f"{tag} is a reference audio.")
    if use is ReferenceUse.VOICE:
        whose = f" for (S{said[0].speaker})" if len({one.speaker for one in said}) == 1 else ""
        line = f"{tag} is the voice-timbre reference{whose}."
        return _example(tag, line, "the voice that speaks has its timbre")
    if use is ReferenceUse.RHYTHM:
        line = f"{tag} is the reference for beat and rhythm."
        music = f"The music has the beat of {tag}." if brief.has_sound else ""
        return _example(tag, line, "movements and cuts follow its beat", music=music)
    is_music = use is ReferenceUse.MUSIC
    heard = f"The music of {tag} plays in the background." if is_music else f"The sound of {tag} is heard."
    return Definition(
        label=tag,
        line=f"{tag} is {'the background music' if is_music else 'a sound'} that is reused in the target video.",
        retention=f"{tag}: partially_copy - it is heard beside the other sounds of the target video.",
        task="audio reuse",
        soundscape="" if is_music else heard,
        music=heard if is_music else "",
    )


def _example(tag: str, line: str, kept: str, *, music: str = "") -> Definition:
    return Definition(
        label=tag, line=line, retention=f"{tag}: reference - {kept}.", task="audio reference", music=music
    )


def _unheard(tag: str, line: str) -> Definition:
    return Definition(
        label=tag, line=line, retention=f"{tag}: weak_reference - the target video is silent.", task="audio reference"
    )
