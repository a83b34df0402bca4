"""A prompt to a film plan: what a director's assistant would write down on first reading it.

Pure and deterministic: the same words give the same plan. Words come from ``lexicon/*.toml``; sentences are read in
``reading``, quotations in ``quotations``; here the findings are weighed and what the prompt leaves open is filled in.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from understudy.engines.previz.art import find_art
from understudy.engines.previz.drafts import Mention, Reading, negated_pieces
from understudy.engines.previz.kinds import THING, kind_of, settings_by_art, voice_of
from understudy.engines.previz.lexicon import LANGUAGES, listed, table
from understudy.engines.previz.phrases import Piece, Vocabulary, pieces_of, vocabulary
from understudy.engines.previz.plan import (
    Action,
    CameraMove,
    FilmPlan,
    Framing,
    Line,
    Particle,
    SettingKind,
    Shot,
    SoundCue,
    Subject,
    TimeOfDay,
    Weather,
)
from understudy.engines.previz.quotations import (
    SENTENCE_ENDS,
    Quotation,
    language_of,
    names,
    quotations_of,
    speech_near,
    without_quotations,
)
from understudy.engines.previz.reading import Reader

ADAPTIVE = "adaptive"
CHOSEN_BY_PLANNER_S = -1
DEFAULT_RATIO, WIDEST_RATIO = "16:9", "21:9"
PROPS_MAX = 8
LINES_MAX = 12
"""More than anyone can say in the longest film."""

INDOORS = frozenset({SettingKind.ROOM, SettingKind.KITCHEN, SettingKind.OFFICE, SettingKind.STAGE, SettingKind.STUDIO})
MEETING_ACTIONS = frozenset({Action.IDLE, Action.SPEAK, Action.WAVE})
WINDOW = "window"
OUTDOOR_ACTIONS = frozenset({Action.RUN, Action.WALK, Action.JUMP, Action.FLY, Action.DRIVE})

# How long a film of a prompt without lines or time codes should be, and what each further motion adds.
USUAL_DURATION_S = 5
ACTION_S = 1.5
# Reading speed: letters of alphabets and characters of dense scripts per second, and the pause around a line.
LETTERS_PER_S, CHARACTERS_PER_S, PAUSE_S = 14.0, 4.5, 1.2

_TIME_CODE = re.compile(
    r"(?<![\w.])(\d{1,3})\s*(?:s|sec|seconds|秒)?\s*(?:-|–|—|to|~|到|至)\s*(\d{1,3})\s*(?:s\b|sec|秒)"
)
_REFERENCE = re.compile(
    r"[@＠](?:image|video|audio|图片?|视频|音频)\s*\d+|\b(?:image|video|audio)\s+\d+\b", re.IGNORECASE
)


def plan_film(
    prompt: str, *, ratio: str, duration_s: int, ratios: Sequence[str], duration_range_s: tuple[int, int]
) -> FilmPlan:
    """Return the plan of a prompt. It never fails: an empty prompt gives an empty meadow by day.

    ratio: one of ``ratios``, or "adaptive" = chosen from the prompt. duration_s: whole seconds, or -1 = chosen from
    time codes, lines and actions. duration_range_s: least and most, both inclusive.
    """
    quotations = quotations_of(prompt)
    plain = _REFERENCE.sub(lambda found: " " * len(found[0]), without_quotations(prompt, quotations))
    pieces = pieces_of(plain, _vocabularies(plain))
    negated = negated_pieces(pieces)
    read = Reader(pieces, negated).reading()
    lines = _lines(quotations, read, plain=plain)
    mentions = read.mentions
    setting = _setting(read)
    subjects = tuple(
        _in_company(subject, read.subjects, speaks=_speaks(index, lines)) for index, subject in enumerate(read.subjects)
    )
    particles = tuple(dict.fromkeys(Particle(value) for value in _values(mentions, "particles")))
    sounds = _sounds(mentions, subjects)
    is_silent = any("sound" in pieces[index].meanings and _is_music(pieces[index]) for index in negated)
    seconds = _duration_s(plain, lines, subjects, asked_s=duration_s, range_s=duration_range_s)
    shot = Shot(
        duration_s=seconds,
        subjects=subjects,
        setting=setting,
        time_of_day=TimeOfDay(next(iter(_values(mentions, "time")), TimeOfDay.DAY)),
        weather=_weather(mentions),
        particles=particles,
        camera=_camera(read),
        framing=Framing(next(iter(_values(mentions, "framing")), _usual_framing(subjects))),
        sounds=sounds,
        props=_props(read, setting),
        season=next(iter(_values(mentions, "season")), ""),
        # A mood is heard as music: "no music" leaves none.
        mood="" if is_silent else next(iter(_values(mentions, "mood")), ""),
        style=_style(mentions),
    )
    return FilmPlan(
        prompt=prompt,
        shots=(shot,),
        lines=lines,
        ratio=_ratio(mentions, ratio=ratio, ratios=ratios),
        duration_s=seconds,
        title=_title(subjects, setting),
    )


def warm() -> None:
    """Read the vocabulary of every language, so that no clip waits for it: about half a second, once per process."""
    for language in LANGUAGES:
        vocabulary(language)
        find_art("-", language)


@cache
def _order(language: str) -> tuple[Vocabulary, ...]:
    return tuple(vocabulary(name) for name in dict.fromkeys((language, "en")))


def _vocabularies(plain: str) -> tuple[Vocabulary, ...]:
    """The prompt's own languages, then English, which prompts of every language borrow from."""
    dense = language_of(plain, fallback="")
    if dense in ("zh", "ja"):
        return _order(dense)
    latin = tuple(language for language in LANGUAGES if language not in ("zh", "ja"))
    return _order(language_of(plain, candidates=latin) if dense in (*latin, "") or dense not in LANGUAGES else "en")


def _values(mentions: Sequence[Mention], table: str) -> list[str]:
    return [mention.value for mention in mentions if mention.table == table]


def _is_music(piece: Piece) -> bool:
    return bool({SoundCue.MUSIC, SoundCue.DRUMS} & set(piece.meanings.get("sound", ())))


def _setting(read: Reading) -> SettingKind:
    """The place named most plainly; else the place that subjects or actions bring; else where such things are."""
    named = [mention for mention in read.mentions if mention.table == "setting"]
    if named:
        best = max(named, key=lambda mention: (mention.weight, -mention.place))
        return SettingKind(best.value)
    if Weather.SNOW in _values(read.mentions, "weather") and not read.subjects:
        return SettingKind.SNOWFIELD
    main = read.subjects[0] if read.subjects else None
    if main is None:
        return SettingKind.MEADOW
    if main.action is Action.SWIM and kind_of(main.art).name in ("person", "animal", "creature"):
        return SettingKind.SEA
    by_art = settings_by_art()
    # A cat is at home in a room, but not one that runs, or is out in the rain (unless the rain is behind a window).
    is_wet = _weather(read.mentions) is not Weather.CLEAR and WINDOW not in read.props
    is_outdoors = main.action in OUTDOOR_ACTIONS or is_wet
    for art_id in (main.art, *read.props, *(subject.art for subject in read.subjects[1:])):
        if art_id in by_art and not (is_outdoors and by_art[art_id] in INDOORS):
            return by_art[art_id]
    return _usual_setting(main, read)


def _usual_setting(main: Subject, read: Reading) -> SettingKind:
    kind = kind_of(main.art)
    if main.action is Action.FLY and kind.name != "insect":
        return SettingKind.SKY
    if main.action in OUTDOOR_ACTIONS and kind.name == "person":
        return SettingKind.STREET
    if len(read.subjects) > 1 and kind.name == "person" and main.action in MEETING_ACTIONS:
        return SettingKind.STREET
    if kind is THING:
        return SettingKind.STUDIO
    if kind.setting == SettingKind.ROOM and Weather.CLEAR is not _weather(read.mentions):
        return SettingKind.STREET
    return SettingKind(kind.setting) if kind.setting else SettingKind.MEADOW


def _weather(mentions: Sequence[Mention]) -> Weather:
    """The strongest weather that is named."""
    ranks = {value: int(cells[0]) for value, cells in listed("weather", "rank").items()}
    named = _values(mentions, "weather")
    return Weather(max(named, key=lambda value: ranks[value])) if named else Weather.CLEAR


def _camera(read: Reading) -> CameraMove:
    """The first move by name, else by a verb of the camera; without either the camera stands still."""
    named = _values(read.mentions, "camera")
    moving = [value for value in named if value != CameraMove.STATIC]
    if moving:
        return CameraMove(moving[0])
    return CameraMove.STATIC if named or read.camera is None else read.camera


def _style(mentions: Sequence[Mention]) -> str:
    """The first style that says more than "cinematic"."""
    named = _values(mentions, "style")
    return next((style for style in named if style != "cinematic"), next(iter(named), ""))


def _usual_framing(subjects: Sequence[Subject]) -> Framing:
    return Framing.MEDIUM if subjects else Framing.WIDE


def _sounds(mentions: Sequence[Mention], subjects: Sequence[Subject]) -> tuple[SoundCue, ...]:
    """The sounds that are named, and the engine of whatever drives."""
    found = [SoundCue(value) for value in _values(mentions, "sound")]
    if any(subject.action is Action.DRIVE and kind_of(subject.art).name == "vehicle" for subject in subjects):
        found.append(SoundCue.ENGINE)
    return tuple(dict.fromkeys(found))


def _props(read: Reading, setting: SettingKind) -> tuple[str, ...]:
    """What the prompt puts into the scene, then what belongs to the place; a subject is no prop of its own film."""
    shown = {subject.art for subject in read.subjects}
    wanted = (*read.props, *listed("setting", "props").get(setting, ()))
    return tuple(prop for prop in dict.fromkeys(wanted) if prop not in shown)[:PROPS_MAX]


def _speaks(index: int, lines: Sequence[Line]) -> bool:
    return any(line.speaker == index for line in lines)


def _in_company(subject: Subject, company: Sequence[Subject], *, speaks: bool) -> Subject:
    """A subject with nothing else to do speaks when it has a line; what is ridden or driven moves."""
    if subject.action is not Action.IDLE:
        return subject
    if speaks:
        return replace(subject, action=Action.SPEAK)
    is_ridden = any(other.action is Action.DRIVE and kind_of(other.art).name == "person" for other in company)
    moves = {"vehicle": Action.DRIVE, "animal": Action.RUN}.get(kind_of(subject.art).name, Action.IDLE)
    if moves is Action.DRIVE and any(other.action is Action.DRIVE for other in company):
        return replace(subject, action=moves)
    return replace(subject, action=moves) if is_ridden else subject


def _lines(quotations: Sequence[Quotation], read: Reading, *, plain: str) -> tuple[Line, ...]:
    """The spoken lines with who says them, in which language and voice."""
    around = language_of(plain)
    everywhere = next((voice for voice in ("child", "female", "male") if names(plain, voice)), "")
    lines: list[Line] = []
    for place, quotation in enumerate(quotations):
        if not quotation.is_spoken or len(lines) == LINES_MAX:
            continue
        speaker = read.speakers[place] if place < len(read.speakers) else None
        said = speech_near(plain, quotation.start, quotation.end)
        own = voice_of(read.subjects[speaker].art) if speaker is not None else ""
        fallback = around if around not in ("zh", "ja") else "en"
        lines.append(
            Line(
                text=quotation.text,
                speaker=speaker,
                language=language_of(quotation.text, fallback=fallback),
                voice=said or own or (everywhere if speaker is None else ""),
            )
        )
    return tuple(lines)


def _shape(ratio: str) -> float:
    width, _, height = ratio.partition(":")
    return math.log(int(width) / int(height))


def _ratio(mentions: Sequence[Mention], *, ratio: str, ratios: Sequence[str]) -> str:
    """The ratio that is asked for, or the one of ``ratios`` nearest to the shape that the prompt's words name."""
    if ratio != ADAPTIVE:
        return ratio
    named = _values(mentions, "ratio")
    rows = list(_ratios_by_strength())
    is_vista = "cinematic" in _values(mentions, "style") and Framing.WIDE in _values(mentions, "framing")
    wanted = min(named, key=rows.index) if named else WIDEST_RATIO if is_vista else DEFAULT_RATIO
    known = [known for known in ratios if re.fullmatch(r"\d+:\d+", known)]
    return min(known, key=lambda known: abs(_shape(known) - _shape(wanted))) if known else DEFAULT_RATIO


@cache
def _ratios_by_strength() -> tuple[str, ...]:
    """Return the shapes of ``ratio.toml``, strongest first."""
    return tuple(row.value for row in table("ratio"))


def _spoken_s(line: Line) -> float:
    rate = CHARACTERS_PER_S if line.language in ("zh", "ja") else LETTERS_PER_S
    return len(line.text) / rate + PAUSE_S


def _duration_s(
    plain: str, lines: Sequence[Line], subjects: Sequence[Subject], *, asked_s: int, range_s: tuple[int, int]
) -> int:
    """Whole seconds: as asked, or by the last time code, the lines and the number of things that happen."""
    if asked_s != CHOSEN_BY_PLANNER_S:
        return asked_s
    least_s, most_s = range_s
    ends = [int(found[2]) for found in _TIME_CODE.finditer(plain) if int(found[1]) < int(found[2])]
    busy = sum(subject.action is not Action.IDLE for subject in subjects)
    sentences = sum(plain.count(mark) for mark in SENTENCE_ENDS)
    wanted_s = max(
        max(ends, default=0),
        math.ceil(sum(map(_spoken_s, lines)) + (1 if lines else 0)),
        USUAL_DURATION_S + math.floor(ACTION_S * max(busy + max(sentences - 1, 0) / 2 - 1, 0)) if not ends else 0,
    )
    return min(max(wanted_s, least_s), most_s)


def _title(subjects: Sequence[Subject], setting: SettingKind) -> str:
    words = [subject.art.replace("-", " ") or subject.word for subject in subjects[:2]]
    return ", ".join((*words, setting.value)).capitalize()
