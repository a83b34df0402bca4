"""The film plan: what previz understood of a request, as plain data.

`planner.py` writes a plan from a prompt, `pictures/` and `board/` draw it and `sound/` scores it; none of them reads
the prompt again. So a plan can be printed, tested, and written by something else. All times are seconds from the start
of the film.
"""

from dataclasses import dataclass
from enum import StrEnum

from understudy.core.content import Modality


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
    CANYON = "canyon"
    VOLCANO = "volcano"
    ISLAND = "island"
    JUNGLE = "jungle"
    MARS = "mars"
    MOON = "moon"
    CAVE = "cave"
    TEMPLE = "temple"
    CASTLE = "castle"
    MARKET = "market"
    ROOFTOP = "rooftop"
    STADIUM = "stadium"
    RESTAURANT = "restaurant"
    CLASSROOM = "classroom"
    LIBRARY = "library"
    BEDROOM = "bedroom"
    TRAIN = "train"
    SPACESHIP = "spaceship"


FINER = {
    SettingKind.CANYON: SettingKind.MOUNTAINS,
    SettingKind.VOLCANO: SettingKind.MOUNTAINS,
    SettingKind.ISLAND: SettingKind.BEACH,
    SettingKind.JUNGLE: SettingKind.FOREST,
    SettingKind.MARS: SettingKind.SPACE,
    SettingKind.MOON: SettingKind.SPACE,
    SettingKind.CAVE: SettingKind.MOUNTAINS,
    SettingKind.TEMPLE: SettingKind.COURTYARD,
    SettingKind.CASTLE: SettingKind.COURTYARD,
    SettingKind.MARKET: SettingKind.STREET,
    SettingKind.ROOFTOP: SettingKind.CITY,
    SettingKind.STADIUM: SettingKind.STAGE,
    SettingKind.RESTAURANT: SettingKind.KITCHEN,
    SettingKind.CLASSROOM: SettingKind.OFFICE,
    SettingKind.LIBRARY: SettingKind.OFFICE,
    SettingKind.BEDROOM: SettingKind.ROOM,
    SettingKind.TRAIN: SettingKind.ROOM,
    SettingKind.SPACESHIP: SettingKind.SPACE,
}
"""Kinds that are a finer reading of another: who expects the coarser one is not contradicted."""

INDOORS = frozenset(
    {
        SettingKind.ROOM,
        SettingKind.KITCHEN,
        SettingKind.OFFICE,
        SettingKind.STAGE,
        SettingKind.STUDIO,
        SettingKind.RESTAURANT,
        SettingKind.CLASSROOM,
        SettingKind.LIBRARY,
        SettingKind.BEDROOM,
        SettingKind.TRAIN,
        SettingKind.SPACESHIP,
        SettingKind.CAVE,
    }
)
"""Places with a roof, where no rain falls."""


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


class TextKind(StrEnum):
    """How words are shown in the picture."""

    TITLE = "title"
    CAPTION = "caption"
    SUBTITLE = "subtitle"
    BUBBLE = "bubble"
    SIGN = "sign"


class Cut(StrEnum):
    """How a shot takes the place of the one before it."""

    HARD = "hard"
    DISSOLVE = "dissolve"
    FADE = "fade"
    """Through black."""


class ReferenceUse(StrEnum):
    """What the prompt wants of a given medium."""

    FIRST_FRAME = "first_frame"
    LAST_FRAME = "last_frame"
    SUBJECT = "subject"
    """It shows who or what acts; several may show one subject from several sides."""
    PROP = "prop"
    WORN = "worn"
    SETTING = "setting"
    STYLE = "style"
    PANEL = "panel"
    """The prompt says nothing of it: it is shown as it is."""
    SOURCE = "source"
    """The video that is edited, extended, or one of those that are joined."""
    CAMERA = "camera"
    """Its camera moves as the film's is to move."""
    MOTION = "motion"
    VOICE = "voice"
    MUSIC = "music"
    RHYTHM = "rhythm"
    """Its beats say where the film is cut."""
    SOUND = "sound"
    """It is heard as it is, where the prompt puts it."""


class EditKind(StrEnum):
    """What is to be changed in a given video; all else stays as it is."""

    REPLACE = "replace"
    INSERT = "insert"
    REMOVE = "remove"
    RECOLOUR = "recolour"
    BACKGROUND = "background"
    STYLE = "style"
    TIME = "time"
    WEATHER = "weather"
    PARTICLES = "particles"
    TEXT = "text"


class Extension(StrEnum):
    """Where the new part of an extended video lies."""

    FORWARD = "forward"
    BACKWARD = "backward"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One thing the film is about.

    art: id of a picture in the vendored art, for example ``otter``; "" when nothing matches (a figure is drawn).
    word: the words of the prompt it came from. count: how many of it, 1..5.
    wears: art ids of what it wears or holds. tint: a colour word of the prompt ("red"), or "".
    wears_tint: a colour word for what it wears ("in a red coat"), or "". rides: index of the subject it sits on or in.
    images: numbers (from 1) of the reference images that show it, in the order in which the prompt names them.
    place: "left", "right", "centre", "front", "back" as far as the prompt says, or "".
    """

    art: str
    word: str
    action: Action = Action.IDLE
    count: int = 1
    wears: tuple[str, ...] = ()
    tint: str = ""
    wears_tint: str = ""
    rides: int | None = None
    images: tuple[int, ...] = ()
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One spoken line. shot: index of the shot it is said in. speaker: index into that shot's ``subjects``, or None.

    None is a voice off screen. language: BCP 47 primary tag ("en", "zh"). voice: "" or "male", "female", "child" as far
    as the prompt says. audio: number (from 1) of the reference audio that says it or whose voice is wanted; 0 = none.
    """

    text: str
    speaker: int | None = None
    language: str = "en"
    voice: str = ""
    shot: int = 0
    audio: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenText:
    """Words in the picture. start_s, end_s: from the start of the shot; end_s 0 = as long as the shot.

    speaker: whose bubble it is, an index into the shot's ``subjects``. place: "top", "bottom", "centre", "left" or
    "right" as far as the prompt says, or "".
    """

    text: str
    kind: TextKind
    speaker: int | None = None
    place: str = ""
    start_s: float = 0.0
    end_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """A stretch of the film seen by one camera: everything its pictures are computed from, besides size and seed.

    start_s, duration_s: where it lies in the film. props: art ids that dress the setting.
    season: "" or "spring" ... mood: "" or a word such as "calm", "tense", "joyful" for the music.
    style: "" or a word such as "noir", "anime". cut: how it takes the place of the shot before it.
    setting_image: number (from 1) of the reference image that is the backdrop; 0 = none.
    """

    duration_s: float
    start_s: float = 0.0
    subjects: tuple[Subject, ...] = ()
    setting: SettingKind = SettingKind.MEADOW
    time_of_day: TimeOfDay = TimeOfDay.DAY
    weather: Weather = Weather.CLEAR
    particles: tuple[Particle, ...] = ()
    camera: CameraMove = CameraMove.STATIC
    framing: Framing = Framing.WIDE
    sounds: tuple[SoundCue, ...] = ()
    props: tuple[str, ...] = ()
    season: str = ""
    mood: str = ""
    style: str = ""
    texts: tuple[ScreenText, ...] = ()
    cut: Cut = Cut.HARD
    setting_image: int = 0

    @property
    def end_s(self) -> float:
        """Where the next shot begins."""
        return self.start_s + self.duration_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What the prompt says of one given medium, "image 2" or "[图1]".

    number: from 1, among the media of its modality in the request's order. shot: index of the first shot that uses it.
    word: the words that describe it, or "".
    """

    modality: Modality
    number: int
    use: ReferenceUse
    shot: int = 0
    word: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One change of a given video. video: its number, from 1.

    target: the words for what is changed ("the red car"), "" = the whole picture. by: the words for what takes its
    place or is put in. art: art id of that, or "". image: number of the reference image that shows it, 0 = none.
    value: a colour, style, time, weather or particle word, as the kind needs. place: as of `Subject`.
    """

    kind: EditKind
    video: int = 1
    target: str = ""
    by: str = ""
    art: str = ""
    image: int = 0
    value: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmPlan:
    """Everything the pictures and the sound are computed from, besides the media, the size, frame rate and seed.

    shots: one or more, one after the other without gaps, as long as the film together. lines: of all shots, in order.
    ratio: one of the concrete ratios ("16:9"). duration_s: whole seconds. title: what the film is about, for people.
    references: one for each medium that the prompt names. edits: what is changed in given videos.
    extension: what the prompt says of going on from a given video; None = it does not ask for that.
    has_time_codes: the prompt itself says when its shots begin and end.
    """

    prompt: str
    shots: tuple[Shot, ...]
    lines: tuple[Line, ...]
    ratio: str
    duration_s: int
    title: str = ""
    references: tuple[Reference, ...] = ()
    edits: tuple[Edit, ...] = ()
    extension: Extension | None = None
    has_time_codes: bool = False

    @property
    def main(self) -> Shot:
        """The first shot, which says what the film is like."""
        return self.shots[0]
