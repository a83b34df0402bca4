"""What the findings of a reading come to, and what the prompt leaves open: setting, camera, framing, sounds, shape."""

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import cache

from understudy.engines.previz.kinds import THING, kind_of, settings_by_art
from understudy.engines.previz.plan import (
    INDOORS,
    Action,
    CameraMove,
    Framing,
    SettingKind,
    SoundCue,
    Subject,
    Weather,
)
from understudy.engines.previz.planning.drafts import Mention, Reading
from understudy.reading.lexicon import listed, table

ADAPTIVE = "adaptive"
DEFAULT_RATIO, WIDEST_RATIO = "16:9", "21:9"
PROPS_MAX = 8
MEETING_ACTIONS = frozenset({Action.IDLE, Action.SPEAK, Action.WAVE})
WINDOW = "window"
WEAK_STYLES = frozenset({"cinematic", "neon"})
MOUNTING_ACTIONS = (Action.IDLE, Action.SIT, Action.RISE)
SILENT_VEHICLES = frozenset({"bicycle", "kick-scooter", "skateboard", "roller-skate", "manual-wheelchair"})
OUTDOOR_ACTIONS = frozenset({Action.RUN, Action.WALK, Action.JUMP, Action.FLY, Action.DRIVE})


def values_of(mentions: Sequence[Mention], table: str) -> list[str]:
    """Return the values of one property, in the order in which they are named."""
    return [mention.value for mention in mentions if mention.table == table]


def named_setting(read: Reading) -> SettingKind | None:
    """Return the place that a reading names outright, None = it names none or only things that imply one."""
    named = [mention for mention in read.mentions if mention.table == "setting" and mention.weight]
    if not named:
        return None
    return SettingKind(max(named, key=lambda mention: (mention.weight, -mention.place)).value)


def setting_of(read: Reading) -> SettingKind:
    """The place named most plainly; else the place that subjects or actions bring; else where such things are."""
    named = [mention for mention in read.mentions if mention.table == "setting"]
    if named:
        best = max(named, key=lambda mention: (mention.weight, -mention.place))
        return SettingKind(best.value)
    if Weather.SNOW in values_of(read.mentions, "weather") and not read.subjects:
        return SettingKind.SNOWFIELD
    main = read.subjects[0] if read.subjects else None
    if main is None:
        return SettingKind.MEADOW
    if main.action is Action.SWIM and kind_of(main.art).name in ("person", "animal", "creature"):
        return SettingKind.SEA
    by_art = settings_by_art()
    # A cat is at home in a room, but not one that runs, or is out in the rain (unless the rain is behind a window).
    is_wet = weather_of(read.mentions) is not Weather.CLEAR and WINDOW not in read.props
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
    if kind.setting == SettingKind.ROOM and Weather.CLEAR is not weather_of(read.mentions):
        return SettingKind.STREET
    return SettingKind(kind.setting) if kind.setting else SettingKind.MEADOW


def weather_of(mentions: Sequence[Mention]) -> Weather:
    """The strongest weather that is named."""
    ranks = {value: int(cells[0]) for value, cells in listed("weather", "rank").items()}
    named = values_of(mentions, "weather")
    return Weather(max(named, key=lambda value: ranks[value])) if named else Weather.CLEAR


def camera_of(read: Reading) -> CameraMove:
    """The first move by name, else by a verb of the camera; seen from the air it flies on; else it stands still."""
    named = values_of(read.mentions, "camera")
    moving = [value for value in named if value != CameraMove.STATIC]
    if moving:
        return CameraMove(moving[0])
    if named or read.camera is not None:
        return CameraMove.STATIC if named or read.camera is None else read.camera
    watched = any(kind_of(subject.art).name in ("person", "figure") for subject in read.subjects)
    flying = [] if watched else values_of(read.mentions, "aerial")
    return CameraMove(next(iter(flying), CameraMove.STATIC))


def style_of(mentions: Sequence[Mention]) -> str:
    """The first style that says more than "cinematic", or than what light is in the scene."""
    named = values_of(mentions, "style")
    return next((style for style in named if style not in WEAK_STYLES), next(iter(named), ""))


def usual_framing(subjects: Sequence[Subject]) -> Framing:
    """Return how large a subject stands when nothing is said of it."""
    return Framing.MEDIUM if subjects else Framing.WIDE


def sounds_of(mentions: Sequence[Mention], subjects: Sequence[Subject]) -> tuple[SoundCue, ...]:
    """The sounds that are named, and the engine of whatever drives."""
    found = [SoundCue(value) for value in values_of(mentions, "sound")]
    driven = [subject.art for subject in subjects if subject.action is Action.DRIVE]
    if any(kind_of(art_id).name == "vehicle" and art_id not in SILENT_VEHICLES for art_id in driven):
        found.append(SoundCue.ENGINE)
    return tuple(dict.fromkeys(found))


def props_of(read: Reading, setting: SettingKind) -> tuple[str, ...]:
    """What the prompt puts into the scene, then what belongs to the place; a subject is no prop of its own film."""
    shown = {subject.art for subject in read.subjects}
    wanted = (*read.props, *listed("setting", "props").get(setting, ()))
    return tuple(prop for prop in dict.fromkeys(wanted) if prop not in shown)[:PROPS_MAX]


def in_company(subjects: Sequence[Subject], speakers: Collection[int | None]) -> tuple[Subject, ...]:
    """Give those with nothing else to do what the others make of them: a speaker speaks, what is ridden moves."""
    riding = [_riding(subject, subjects) for subject in subjects]
    return tuple(_beside(index, subject, riding, speaks=index in speakers) for index, subject in enumerate(riding))


def _riding(subject: Subject, company: Sequence[Subject]) -> Subject:
    """Who sits on or in something moves with it; on the water and in the air it is the vessel that moves."""
    if subject.rides is None:
        return subject
    kind = kind_of(company[subject.rides].art).name
    moves = (*MOUNTING_ACTIONS, *((Action.WALK, Action.RUN) if kind == "vehicle" else ()))
    if subject.action not in moves:
        return subject
    return replace(subject, action=Action.SIT if kind in ("boat", "aircraft") else Action.DRIVE)


def _beside(index: int, subject: Subject, company: Sequence[Subject], *, speaks: bool) -> Subject:
    if subject.action is not Action.IDLE:
        return subject
    if speaks:
        return replace(subject, action=Action.SPEAK)
    kind = kind_of(subject.art).name
    moves = {"vehicle": Action.DRIVE, "animal": Action.RUN}.get(kind, Action.IDLE)
    is_ridden = any(other.rides == index for other in company) or any(
        other.action is Action.DRIVE and kind_of(other.art).name == "person" and other.rides is None
        for other in company
    )
    is_driven = moves is Action.DRIVE and any(other.action is Action.DRIVE for other in company)
    return replace(subject, action=moves) if is_ridden or is_driven else subject


def _shape(ratio: str) -> float:
    width, _, height = ratio.partition(":")
    return math.log(int(width) / int(height))


def ratio_of(mentions: Sequence[Mention], *, ratio: str, ratios: Sequence[str]) -> str:
    """The ratio that is asked for, or the one of ``ratios`` nearest to the shape that the prompt's words name."""
    if ratio != ADAPTIVE:
        return ratio
    named = values_of(mentions, "ratio")
    rows = list(_ratios_by_strength())
    is_vista = "cinematic" in values_of(mentions, "style") and Framing.WIDE in values_of(mentions, "framing")
    wanted = min(named, key=rows.index) if named else WIDEST_RATIO if is_vista else DEFAULT_RATIO
    known = [known for known in ratios if re.fullmatch(r"\d+:\d+", known)]
    return min(known, key=lambda known: abs(_shape(known) - _shape(wanted))) if known else DEFAULT_RATIO


@cache
def _ratios_by_strength() -> tuple[str, ...]:
    """Return the shapes of ``ratio.toml``, strongest first."""
    return tuple(row.value for row in table("ratio"))
