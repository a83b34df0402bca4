"""The film plan: what previz understood of a request, as plain data.

`planner.py` writes a plan from a prompt, `pictures/` and `board/` draw it and `sound/` scores it; none of them reads
the prompt again. So a plan can be printed, tested, and written by something else. All times are seconds from the start
of the film.
"""

from dataclasses import dataclass

from understudy.core.content import Modality
from understudy.reading.meanings import (
    Action as Action,
)
from understudy.reading.meanings import (
    CameraMove as CameraMove,
)
from understudy.reading.meanings import (
    Cut as Cut,
)
from understudy.reading.meanings import (
    Edit as Edit,
)
from understudy.reading.meanings import (
    EditKind as EditKind,
)
from understudy.reading.meanings import (
    Extension as Extension,
)
from understudy.reading.meanings import (
    Framing as Framing,
)
from understudy.reading.meanings import (
    Particle as Particle,
)
from understudy.reading.meanings import (
    ReferenceUse as ReferenceUse,
)
from understudy.reading.meanings import (
    SettingKind as SettingKind,
)
from understudy.reading.meanings import (
    SoundCue as SoundCue,
)
from understudy.reading.meanings import (
    TextKind as TextKind,
)
from understudy.reading.meanings import (
    TimeOfDay as TimeOfDay,
)
from understudy.reading.meanings import (
    Weather as Weather,
)

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
