"""The film plan: what previz understood of a request, as plain data.

`planner.py` writes a plan from a prompt, `pictures/` draws it and `sound/` scores it; neither reads the prompt again.
So a plan can be printed, tested, and written by something else. All times are seconds from the start of the film.
"""

from dataclasses import dataclass
from enum import StrEnum


class SettingKind(StrEnum):
    """Where the film plays. Each kind has its own backdrop, ground, props and ambience."""

    MEADOW = "meadow"
    GARDEN = "garden"
    COURTYARD = "courtyard"
    FOREST = "forest"
    MOUNTAINS = "mountains"
    DESERT = "desert"
    BEACH = "beach"
    SEA = "sea"
    UNDERWATER = "underwater"
    HARBOR = "harbor"
    RIVER = "river"
    CITY = "city"
    STREET = "street"
    ROAD = "road"
    FARM = "farm"
    SNOWFIELD = "snowfield"
    ROOM = "room"
    KITCHEN = "kitchen"
    OFFICE = "office"
    STAGE = "stage"
    STUDIO = "studio"
    SKY = "sky"
    SPACE = "space"


class TimeOfDay(StrEnum):
    """The light: sun position, sky and grade."""

    DAWN = "dawn"
    DAY = "day"
    DUSK = "dusk"
    NIGHT = "night"


class Weather(StrEnum):
    """What is in the air because of the weather."""

    CLEAR = "clear"
    CLOUDY = "cloudy"
    RAIN = "rain"
    STORM = "storm"
    SNOW = "snow"
    FOG = "fog"
    WIND = "wind"


class Particle(StrEnum):
    """What drifts through the picture besides rain and snow."""

    PETALS = "petals"
    LEAVES = "leaves"
    FIREFLIES = "fireflies"
    SPARKS = "sparks"
    BUBBLES = "bubbles"
    DUST = "dust"
    CONFETTI = "confetti"


class CameraMove(StrEnum):
    """How the camera moves through the depth of the scene."""

    STATIC = "static"
    PUSH_IN = "push_in"
    PULL_OUT = "pull_out"
    PAN_LEFT = "pan_left"
    PAN_RIGHT = "pan_right"
    TILT_UP = "tilt_up"
    TILT_DOWN = "tilt_down"
    TRACK = "track"
    ORBIT = "orbit"
    CRANE_UP = "crane_up"
    CRANE_DOWN = "crane_down"
    HANDHELD = "handheld"
    POV = "pov"


class Framing(StrEnum):
    """How large the subject stands in the frame."""

    WIDE = "wide"
    MEDIUM = "medium"
    CLOSE_UP = "close_up"


class Action(StrEnum):
    """What a subject does; each action is a motion that can be seen."""

    IDLE = "idle"
    WALK = "walk"
    RUN = "run"
    JUMP = "jump"
    FLY = "fly"
    SWIM = "swim"
    ROLL = "roll"
    DANCE = "dance"
    SPIN = "spin"
    SIT = "sit"
    SLEEP = "sleep"
    YAWN = "yawn"
    SPEAK = "speak"
    SING = "sing"
    EAT = "eat"
    WAVE = "wave"
    DRIVE = "drive"
    FLOAT = "float"
    FALL = "fall"
    RISE = "rise"
    SHAKE = "shake"
    GROW = "grow"


class SoundCue(StrEnum):
    """A sound that the prompt names, beyond the ambience that setting and weather bring."""

    THUNDER = "thunder"
    WAVES = "waves"
    GULLS = "gulls"
    BIRDS = "birds"
    CRICKETS = "crickets"
    ENGINE = "engine"
    FOOTSTEPS = "footsteps"
    BELL = "bell"
    FIRE = "fire"
    APPLAUSE = "applause"
    BARK = "bark"
    MEOW = "meow"
    DRUMS = "drums"
    MUSIC = "music"
    SPLASH = "splash"
    WIND = "wind"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One thing the film is about.

    art: id of a picture in the vendored art, for example ``otter``; "" when nothing matches (a figure is drawn).
    word: the words of the prompt it came from. count: how many of it, 1..5.
    wears: art ids of what it wears or holds. tint: a colour word of the prompt ("red"), or "".
    """

    art: str
    word: str
    action: Action = Action.IDLE
    count: int = 1
    wears: tuple[str, ...] = ()
    tint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One spoken line. speaker: index into ``subjects``, or None for a voice off screen.

    language: BCP 47 primary tag ("en", "zh"). voice: "" or "male", "female", "child" as far as the prompt says.
    """

    text: str
    speaker: int | None = None
    language: str = "en"
    voice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmPlan:
    """Everything the pictures and the sound are computed from, besides size, frame rate and seed.

    ratio: one of the concrete ratios ("16:9"). duration_s: whole seconds. props: art ids that dress the setting.
    mood: "" or a word such as "calm", "tense", "joyful" for the music. style: "" or a word such as "noir", "anime".
    """

    prompt: str
    subjects: tuple[Subject, ...]
    setting: SettingKind
    time_of_day: TimeOfDay
    weather: Weather
    particles: tuple[Particle, ...]
    camera: CameraMove
    framing: Framing
    lines: tuple[Line, ...]
    sounds: tuple[SoundCue, ...]
    props: tuple[str, ...]
    ratio: str
    duration_s: int
    season: str = ""
    mood: str = ""
    style: str = ""
    title: str = ""
