"""What words can mean: places, light, camera moves, sounds, uses of media, changes of videos.

The tables of `lexicon` name these values; a film plan holds them, and so does whatever else reads a prompt.
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
