"""A prompt to a film plan: what a director's assistant would write down on first reading it.

Pure and deterministic: the same words give the same plan. The prompt is taken apart in four steps: what is quoted
(`quotations`, `texts`), what names given media (`references`, `edits`), where shots begin (`shots`), and who does what
in each of them (`reading`). Here the findings are put together; `weighing` fills in what the prompt leaves open.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from understudy.core.content import Modality
from understudy.engines.previz.kinds import voice_of
from understudy.engines.previz.plan import (
    Action,
    CameraMove,
    FilmPlan,
    Framing,
    Line,
    Particle,
    ReferenceUse,
    ScreenText,
    SettingKind,
    Shot,
    SoundCue,
    Subject,
    TextKind,
    TimeOfDay,
)
from understudy.engines.previz.planning.drafts import Mention, Reading
from understudy.engines.previz.planning.scenes import Scene, read_part, references_of, scenes_of
from understudy.engines.previz.planning.subtitles import subtitles_of
from understudy.engines.previz.planning.weighing import (
    DEFAULT_RATIO,
    camera_of,
    named_setting,
    props_of,
    ratio_of,
    setting_of,
    sounds_of,
    style_of,
    usual_framing,
    values_of,
    weather_of,
)
from understudy.reading.lexicon import LANGUAGES
from understudy.reading.nouns import find_art
from understudy.reading.phrases import vocabulary
from understudy.reading.quotations import (
    SENTENCE_ENDS,
    language_of,
    names,
    speech_near,
    without_quotations,
)
from understudy.reading.references import Given
from understudy.reading.script import Script, taken_apart
from understudy.reading.shots import Part, fitted, laid_out
from understudy.reading.texts import (
    TEXTS_MAX,
    place_of_text,
    wants_subtitles,
)

CHOSEN_BY_PLANNER_S = -1

# How long a film of a prompt without lines or time codes should be, and what each further motion or shot adds.
USUAL_DURATION_S = 5
ACTION_S = 1.5
SHOT_S = 2.5
# Reading speed: letters of alphabets and characters of dense scripts per second, and the pause around a line.
LETTERS_PER_S, CHARACTERS_PER_S, PAUSE_S = 14.0, 4.5, 1.2
# How much of the film a shot without a time code takes beside one in which something is said.
SILENT_WEIGHT_S = 2.0


def plan_film(  # tidy: the counts of media are three, and each caller knows some of them
    prompt: str,
    *,
    ratio: str,
    duration_s: int,
    ratios: Sequence[str],
    duration_range_s: tuple[int, int],
    images: int | None = None,
    videos: int | None = None,
    audios: int | None = None,
) -> FilmPlan:
    """Return the plan of a prompt. It never fails: an empty prompt gives an empty meadow by day.

    ratio: one of ``ratios``, or "adaptive" = chosen from the prompt. duration_s: whole seconds, or -1 = chosen from
    time codes, lines, shots and actions. duration_range_s: least and most, both inclusive. images, videos, audios: how
    many are given; what is said of others is left out. None = not known, as when a prompt is tried without its media.
    """
    taken = taken_apart(prompt, Given(images=images, videos=videos, audios=audios))
    lengths_s = {index: _spoken_s(taken, index) for index in taken.spoken()}
    common = read_part(taken, Part(start=taken.cutting.common[0], end=taken.cutting.common[1]), earlier=())
    seconds = duration_s
    if duration_s == CHOSEN_BY_PLANNER_S:
        seconds = _chosen_s(taken, common, list(lengths_s.values()), range_s=duration_range_s)
    taken = replace(taken, cutting=fitted(taken.cutting, seconds))
    scenes = scenes_of(taken, common)
    weights = [
        SILENT_WEIGHT_S + sum(lengths_s.get(index, 0.0) for index in scene.quoted) if len(scenes) > 1 else 1.0
        for scene in scenes
    ]
    times = laid_out([scene.part for scene in scenes], duration_s=float(seconds), weights=weights)
    lines = _lines(taken, scenes)
    shots = _with_texts(taken, scenes, _shots(taken, common, scenes, times=times), lines=lines)
    everything = [mention for scene in (common, *scenes) for mention in scene.read.mentions]
    named = next((shot for shot in shots if shot.subjects), shots[0])
    return FilmPlan(
        prompt=prompt,
        shots=shots,
        lines=lines,
        ratio=ratio_of(everything, ratio=ratio, ratios=ratios),
        duration_s=seconds,
        title=_title(named.subjects, shots[0].setting),
        references=references_of(taken, [common, *scenes]),
        edits=taken.wanted.edits,
        extension=taken.wanted.extension,
        has_time_codes=taken.cutting.has_time_codes,
    )


def warm() -> None:
    """Read the vocabulary of every language, so that no clip waits for it: about half a second, once per process."""
    for language in LANGUAGES:
        vocabulary(language)
        find_art("-", language)
    plan_film(
        'A man says "Hello" to the girl of image 1 in the style of video 1. Replace the car with subtitles.',
        ratio=DEFAULT_RATIO,
        duration_s=USUAL_DURATION_S,
        ratios=(DEFAULT_RATIO,),
        duration_range_s=(USUAL_DURATION_S, USUAL_DURATION_S),
    )


def _lines(taken: Script, scenes: Sequence[Scene]) -> tuple[Line, ...]:
    """The spoken lines with who says them, in which shot, language and voice."""
    plain = without_quotations(taken.prompt, taken.quotations)
    around = language_of(plain)
    everywhere = next((voice for voice in ("child", "female", "male") if names(plain, voice)), "")
    voices = _voices(taken)
    spoken = set(taken.spoken())
    lines = []
    for shot, scene in enumerate(scenes):
        for place, index in enumerate(scene.quoted):
            if index not in spoken:
                continue
            quotation = taken.quotations[index]
            speaker = scene.speaker(place)
            said = speech_near(plain, quotation.start, quotation.end)
            own = voice_of(scene.subjects[speaker].art) if speaker is not None else ""
            fallback = around if around not in ("zh", "ja") else "en"
            lines.append(
                Line(
                    text=quotation.text,
                    speaker=speaker,
                    language=language_of(quotation.text, fallback=fallback),
                    voice=said or own or (everywhere if speaker is None else ""),
                    shot=shot,
                    audio=voices.get(index, 0),
                )
            )
    return tuple(lines)


def _voices(taken: Script) -> Mapping[int, int]:
    """Index of a quotation -> number of the audio whose voice says it: in its sentence, else of every line."""
    named = [
        naming for naming in taken.namings if naming.modality is Modality.AUDIO and naming.use is ReferenceUse.VOICE
    ]
    found: dict[int, int] = {}
    for index, quotation in enumerate(taken.quotations):
        for naming in named:
            low, high = sorted(((naming.start, naming.end), (quotation.start, quotation.end)))
            if not SENTENCE_ENDS & set(taken.text[low[1] : high[0]]):
                found.setdefault(index, naming.numbers[0])
    for naming in named:
        if naming.numbers[0] not in found.values():
            for index in range(len(taken.quotations)):
                found.setdefault(index, naming.numbers[0])
    return found


def _shots(
    taken: Script, common: Scene, scenes: Sequence[Scene], *, times: Sequence[tuple[float, float]]
) -> tuple[Shot, ...]:
    """What each shot looks like. What is said of all holds for each; light, weather and place last until changed."""
    everything = [mention for scene in (common, *scenes) for mention in scene.read.mentions]
    is_silent = common.negates_music or any(scene.negates_music for scene in scenes)
    is_scored = not is_silent and SoundCue.MUSIC in values_of(everything, "sound")
    scored = [
        scene.read.mentions for scene in (common, *scenes) if SoundCue.MUSIC in values_of(scene.read.mentions, "sound")
    ]
    mood = next((mood for mentions in scored for mood in values_of(mentions, "mood")), "")
    shots: list[Shot] = []
    for scene, (start_s, length_s) in zip(scenes, times, strict=True):
        last = shots[-1] if shots else None
        read = replace(scene.read, subjects=scene.subjects)
        own, shared = scene.read.mentions, common.read.mentions
        setting = _setting(read, common, last)
        sounds = sounds_of([*own, *shared], scene.subjects)
        time_of_day = TimeOfDay(_first("time", [*own, *shared]) or (last.time_of_day if last else TimeOfDay.DAY))
        is_same_air = last is not None and (last.setting, last.time_of_day) == (setting, time_of_day)
        # A mood lasts, and one that is said of the music is that of the whole film.
        moved = _first("mood", [*own, *shared]) or mood or (last.mood if last else "")
        shots.append(
            Shot(
                start_s=start_s,
                duration_s=length_s,
                subjects=scene.subjects,
                setting=setting,
                time_of_day=time_of_day,
                # The storm of last night is not over the morning's sea.
                weather=last.weather
                if last is not None and is_same_air and not values_of(own, "weather")
                else weather_of([*own, *shared]),
                particles=tuple(dict.fromkeys(Particle(value) for value in values_of([*own, *shared], "particles"))),
                camera=_camera(read, common, last, text=taken.text),
                framing=Framing(_first("framing", own) or _first("framing", shared) or usual_framing(scene.subjects)),
                sounds=(*sounds, SoundCue.MUSIC) if is_scored and SoundCue.MUSIC not in sounds else sounds,
                props=props_of(read, setting),
                season=_first("season", [*own, *shared]) or (last.season if last else ""),
                # A mood is heard as music: "no music" leaves none.
                mood="" if is_silent else moved,
                style=style_of(own) or style_of(everything),
                cut=scene.part.cut,
                setting_image=read.setting_image or common.read.setting_image or _kept_image(last, setting),
            )
        )
    return tuple(shots)


def _first(table: str, mentions: Sequence[Mention]) -> str:
    return next(iter(values_of(mentions, table)), "")


def _kept_image(last: Shot | None, setting: SettingKind) -> int:
    return last.setting_image if last is not None and last.setting is setting else 0


def _setting(read: Reading, common: Scene, last: Shot | None) -> SettingKind:
    """The shot's own place; else that of all shots, or of the shot before."""
    shared = named_setting(common.read)
    if (named := named_setting(read)) is not None:
        return named
    if shared is not None:
        return shared
    return setting_of(read) if last is None else last.setting


def _camera(read: Reading, common: Scene, last: Shot | None, *, text: str) -> CameraMove:
    """The shot's own move, else that of all shots; a view through somebody's eyes may be meant "throughout"."""
    if read.camera is not None or values_of(read.mentions, "camera") or values_of(read.mentions, "aerial"):
        return camera_of(read)
    if last is not None and last.camera is CameraMove.POV and any(word in text.casefold() for word in _THROUGHOUT):
        return last.camera
    return camera_of(common.read)


_THROUGHOUT = (
    "throughout",
    "全程",
    "整体",
    "始终",
    "全編",
    "終始",
    "todo el tiempo",
    "o tempo todo",
    "sepanjang video",
)


def _with_texts(
    taken: Script, scenes: Sequence[Scene], shots: Sequence[Shot], *, lines: Sequence[Line]
) -> tuple[Shot, ...]:
    """Write into the shots what is to be read in them."""
    edited = {edit.value for edit in taken.wanted.edits}
    has_subtitles = wants_subtitles(taken.text)
    written = []
    for number, (scene, shot) in enumerate(zip(scenes, shots, strict=True)):
        texts = []
        for place, index in enumerate(scene.quoted):
            kind, quotation = taken.kinds[index], taken.quotations[index]
            if kind is None or quotation.text in edited:
                continue
            speaker = scene.speaker(place)
            texts.append(
                ScreenText(
                    text=quotation.text,
                    kind=kind,
                    speaker=speaker if kind is TextKind.BUBBLE else None,
                    place=place_of_text(taken.prompt, quotation),
                )
            )
        said = [line for line in lines if line.shot == number] if has_subtitles else []
        shown = subtitles_of(
            said, duration_s=shot.duration_s, spoken_s=[_length_s(line.text, line.language) for line in said]
        )
        written.append(replace(shot, texts=(*texts, *shown)[:TEXTS_MAX]))
    return tuple(written)


def _length_s(text: str, language: str) -> float:
    rate = CHARACTERS_PER_S if language in ("zh", "ja") else LETTERS_PER_S
    return len(text) / rate + PAUSE_S


def _spoken_s(taken: Script, index: int) -> float:
    text = taken.quotations[index].text
    return _length_s(text, language_of(text))


def _chosen_s(taken: Script, common: Scene, lengths_s: Sequence[float], *, range_s: tuple[int, int]) -> int:
    """Whole seconds: by the last time code, the lines, the shots and the number of things that happen."""
    least_s, most_s = range_s
    parts = taken.cutting.parts
    ends = [time for part in parts for time in (part.start_s, part.end_s) if time is not None]
    scenes = [read_part(taken, part, earlier=()) for part in parts]
    subjects = [*common.subjects, *(subject for scene in scenes for subject in scene.subjects)]
    busy = sum(subject.action is not Action.IDLE for subject in subjects)
    plain = without_quotations(taken.prompt, taken.quotations)
    sentences = sum(plain.count(mark) for mark in SENTENCE_ENDS)
    is_open = parts[-1].end_s is None and parts[-1].start_s is not None
    untimed_s = USUAL_DURATION_S + math.floor(ACTION_S * max(busy + max(sentences - 1, 0) / 2 - 1, 0))
    wanted_s = max(
        math.ceil(max(ends, default=0.0) + (SHOT_S if is_open else 0.0)),
        math.ceil(sum(lengths_s) + (1 if lengths_s else 0)),
        math.ceil(SHOT_S * len(parts)) if len(parts) > 1 and not ends else 0,
        0 if ends else untimed_s,
    )
    return min(max(wanted_s, least_s), most_s)


def _title(subjects: Sequence[Subject], setting: SettingKind) -> str:
    words = [subject.art.replace("-", " ") or subject.word for subject in subjects[:2]]
    return ", ".join((*words, setting.value)).capitalize()
