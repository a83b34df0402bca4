"""A given video edited as the prompt says: each edit of the plan as a change of the pictures, in an order that fits.

What no edit names stays as the source has it, to the byte. The parts are in `editing/`.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, cached_property
from pathlib import Path

import cv2
import numpy as np

from understudy.engines.previz import kinds
from understudy.engines.previz.board.editing.finding import Aim, aim_of
from understudy.engines.previz.board.editing.following import Survey, surveyed
from understudy.engines.previz.board.editing.lights import Relit, light_at
from understudy.engines.previz.board.editing.standins import (
    CutOutFigure,
    DrawnFigure,
    Light,
    Spot,
    StandIn,
    is_aloft,
    light_of,
)
from understudy.engines.previz.board.editing.stretch import Stretch
from understudy.engines.previz.board.editing.styles import Styled
from understudy.engines.previz.board.editing.targeted import (
    Backed,
    Change,
    Inserted,
    Recoloured,
    Removed,
    Replaced,
    Thing,
    Worn,
)
from understudy.engines.previz.board.editing.weathers import Aired
from understudy.engines.previz.board.given import Cut, Footage
from understudy.engines.previz.lettering import Lettering
from understudy.engines.previz.pictures import Canvas, FilmPainter
from understudy.engines.previz.pictures.light import look_of
from understudy.engines.previz.pictures.motions import TRAVEL
from understudy.engines.previz.pictures.rigs import rig_of
from understudy.engines.previz.plan import (
    Action,
    Edit,
    EditKind,
    FilmPlan,
    Particle,
    ScreenText,
    SettingKind,
    Shot,
    TextKind,
    TimeOfDay,
    Weather,
)
from understudy.media.decode import Picture, fitted, on_ground, read_image
from understudy.reading.phrases import pieces_of, vocabulary
from understudy.reading.spotting import level, spots

_ORDER = (
    EditKind.RECOLOUR, EditKind.BACKGROUND, EditKind.REMOVE, EditKind.REPLACE, EditKind.INSERT, EditKind.TIME,
    EditKind.WEATHER, EditKind.PARTICLES, EditKind.STYLE, EditKind.TEXT,
)  # fmt: skip
"""Things before light, light before air, all of them before the style; words stand on top."""

_AIMED = (EditKind.RECOLOUR, EditKind.REMOVE, EditKind.REPLACE)
_SURVEYED = (*_AIMED, EditKind.BACKGROUND, EditKind.INSERT, EditKind.WEATHER, EditKind.PARTICLES)
_MAIN = Aim()
_ON_EYES = ("sunglasses", "glasses", "goggles", "diving-mask")
_STANDS = {"left": 0.22, "right": 0.78, "centre": 0.5}
_SCREENS = {"green": (0, 177, 64), "blue": (0, 71, 187), "white": (245, 245, 245), "black": (8, 8, 8)}
"""Plain grounds in the colours that studios have."""

_IN_AIR = (Action.FLY, Action.FLOAT, Action.RISE, Action.FALL)
_MARGIN = 1.12
"""How much larger than the frame a given background is, so that it can go with the camera."""


class EditedVideo:
    """The pictures of a stretch of a given video, with edits. Made for pictures that are asked for in order."""

    def __init__(self, stretch: Stretch, edits: Sequence[Edit], canvas: Canvas, *, images: Sequence[Path] = ()) -> None:
        """edits: those of this video. images: the request's reference images. Nothing is read before it is asked for.

        Raises: Unreadable, when pictures are asked for.
        """
        self._stretch, self._images = stretch, images
        self._canvas = replace(canvas, num_frames=stretch.num_frames)
        self._edits = tuple(sorted((_plain(edit) for edit in edits), key=lambda edit: _ORDER.index(edit.kind)))
        self._notes: list[str] = []

    @property
    def notes(self) -> tuple[str, ...]:
        """What could not be done as it was said; whole when the first picture is."""
        return tuple(self._notes)

    def picture(self, picture: Picture, offset: int) -> Picture:
        """Return a picture of the stretch, as the film has it, with the edits; the given one stays as it is."""
        for change in self._changes:
            picture = change.changed(picture, offset)
        return picture

    @cached_property
    def _changes(self) -> tuple[Change, ...]:
        found: list[Change] = []
        for edit in self._edits:
            change = self._change_of(edit, is_first=not found)
            if change is not None:
                found.append(change)
        return tuple(found)

    @cached_property
    def _aims(self) -> tuple[Aim, ...]:
        """What has to be followed through the stretch."""
        return tuple(dict.fromkeys(aim for edit in self._edits if (aim := _aim_in(edit)) is not None))

    @cached_property
    def _survey(self) -> Survey:
        return surveyed(self._stretch, self._aims)

    @cached_property
    def _samples(self) -> Picture:
        if not any(edit.kind in _SURVEYED for edit in self._edits):
            return self._stretch.samples()
        # It is gone through anyway.
        looks = [self._survey.look(place) for place in self._stretch.spread(4)]
        return np.concatenate([look for look in looks if look is not None] or [self._stretch.samples()])

    @cached_property
    def _light(self) -> Light:
        return light_of(self._samples)

    def _change_of(self, edit: Edit, *, is_first: bool) -> Change | None:
        match edit.kind:
            case EditKind.TIME:
                return Relit(TimeOfDay(edit.value), self._light) if edit.value in list(TimeOfDay) else None
            case EditKind.WEATHER:
                return self._aired(weather=Weather(edit.value)) if edit.value in list(Weather) else None
            case EditKind.PARTICLES:
                return self._aired(particles=[Particle(edit.value)]) if edit.value in list(Particle) else None
            case EditKind.STYLE:
                styled = Styled(edit.value, edit.by, self._samples, seed=self._canvas.seed, fps=self._canvas.fps)
                if not styled.is_known:
                    self._tell(f"The style “{edit.by or edit.value}” is not known; the video stays as it is.")
                return styled
            case EditKind.TEXT:
                return _Written(edit, self._canvas)
            case EditKind.INSERT:
                return self._inserted(edit)
            case EditKind.BACKGROUND:
                return self._backed(edit)
            case EditKind.REMOVE | EditKind.REPLACE | EditKind.RECOLOUR:
                return self._aimed(edit, is_first=is_first)

    def _thing(self, edit: Edit, *, is_named: bool = True) -> Thing | None:
        """Return what an edit is about; None, and told, where it is not to be found."""
        aim = _aim_in(edit)
        if aim is None:
            return None
        number = self._aims.index(aim)
        followed = self._survey.things[number]
        if not followed.was_found:
            self._tell(
                f"In the video nothing could be told to be “{edit.target or 'the subject'}”; that edit is left out."
            )
            return None
        if is_named and edit.target and not followed.is_sure:
            told = f"What “{edit.target}” is in the video could not be told for sure"
            self._tell(f"{told}; what stands out most was taken for it.")
        return Thing(stretch=self._stretch, survey=self._survey, number=number, aim=aim)

    def _aimed(self, edit: Edit, *, is_first: bool) -> Change | None:
        thing = self._thing(edit)
        if thing is None:
            return None
        if edit.kind is EditKind.REMOVE:
            return Removed(thing, is_first=is_first)
        if edit.kind is EditKind.RECOLOUR:
            return Recoloured(thing, edit.value)
        return Replaced(thing, lambda heading: self._stand_in(edit, heading=heading), is_first=is_first)

    def _stand_in(self, edit: Edit, *, heading: float = 0.0, action: Action | None = None) -> StandIn:
        if 1 <= edit.image <= len(self._images):
            figure = CutOutFigure(self._images[edit.image - 1], self._light)
            if figure.fault:
                self._tell(f"The subject of image {edit.image} is not cut out cleanly: {figure.fault}.")
            return figure
        if not edit.art:
            self._tell(f"There is no drawing of “{edit.by}”; a figure stands for it.")
        kind = kinds.kind_of(edit.art)
        if action is None:
            moving = Action.FLY if is_aloft(edit.art) else kind.turns.get(Action.WALK, Action.WALK)
            is_mover = kind.is_living or kind.name in ("vehicle", "boat", "aircraft")
            action = moving if heading and is_mover else kind.rest
        tint = next((spot.value for spot in spots(level(edit.by), "colour")), "")
        return DrawnFigure(edit.art, self._canvas, self._light, action=action, heading=heading, tint=tint)

    def _aired(self, *, weather: Weather = Weather.CLEAR, particles: Sequence[Particle] = ()) -> Aired:
        # The air is drawn after the hour is: haze and snow have that light.
        hours = [one.value for one in self._edits if one.kind is EditKind.TIME and one.value in list(TimeOfDay)]
        return Aired(
            self._canvas,
            light_at(TimeOfDay(hours[-1]), self._light) if hours else self._light,
            stretch=self._stretch,
            survey=self._survey,
            weather=weather,
            particles=particles,
        )

    def _inserted(self, edit: Edit) -> Change | None:
        if edit.target and kinds.kind_of(edit.art).name == "worn":
            thing = self._thing(edit)
            if thing is not None:
                return Worn(thing, self._stand_in(edit), is_on_top=edit.art not in _ON_EYES)
        art = edit.art if not edit.image else ""
        action = _action_of(edit, art)
        is_high = action in _IN_AIR or (not art and edit.place == "top")
        width_px, height_px = self._stretch.size_px
        size = {"back": 0.26, "front": 0.62}.get(edit.place, 0.44)
        rig = rig_of(art) if art else None
        tall = size * height_px * float(np.clip((rig.height if rig else 1.0) ** 0.5, 0.45, 1.35))
        x = self._free_place(edit) * width_px
        foot = {"back": 0.70, "front": 0.99}.get(edit.place, 0.92) * height_px
        if is_high:
            # Far off in the air; what is as large as a dragon is so there too.
            tall = min(tall, 0.34 * height_px * float(np.clip((rig.height if rig else 1.0) ** 0.3, 0.9, 1.4)))
            foot = 0.32 * height_px + tall / 2
        # Who goes, goes into the picture.
        heading = 1.0 if x < width_px / 2 else -1.0
        travel = TRAVEL.get(action, 0.0) if action is not None else 0.0
        stand_in = self._stand_in(edit, heading=heading if travel or is_high else 0.0, action=action)
        tall = min(tall, 0.6 * width_px / max(stand_in.aspect, 0.1))
        most_px = 0.45 * width_px / max(1, self._canvas.num_frames)
        speed_px = heading * min(travel * tall / self._canvas.fps, most_px)
        spot = Spot(foot_x_px=x, foot_y_px=foot, height_px=tall)
        return Inserted(self._stretch, self._survey, stand_in, spot=spot, speed_px=speed_px, is_aloft=is_high)

    def _free_place(self, edit: Edit) -> float:
        """Return where something new stands, across the frame: as it is said, or where the main subject is not."""
        if edit.place in _STANDS:
            return _STANDS[edit.place]
        mask = self._survey.mask(self._aims.index(_MAIN), 0)
        wide = mask.shape[1]

        def covered(x: float) -> float:
            return float(mask[:, max(0, int((x - 0.14) * wide)) : int((x + 0.14) * wide)].mean())

        return min((0.26, 0.74, 0.5), key=covered)

    def _backed(self, edit: Edit) -> Change | None:
        """Another place behind the main subject; another sky, where only the hour or the weather is another."""
        words = level(f"{edit.by} {edit.value}")
        hour = next((spot.value for spot in spots(words, "time")), "")
        if 1 <= edit.image <= len(self._images):
            backdrop, gain = self._given_place(self._images[edit.image - 1]), (1.0, 1.0, 1.0)
        elif edit.value in list(SettingKind):
            time_of_day = TimeOfDay(hour) if hour else TimeOfDay.DAY
            backdrop, gain = self._drawn_place(SettingKind(edit.value), time_of_day)
        elif hour:
            return Relit(TimeOfDay(hour), self._light)
        else:
            screen = next((spot.value for spot in spots(words, "colour") if spot.value in _SCREENS), "")
            if not screen:
                self._tell(f"The background “{edit.by}” cannot be drawn; it stays as it is.")
                return None
            plain = np.full((self._canvas.height_px, self._canvas.width_px, 3), _SCREENS[screen], dtype=np.uint8)
            backdrop, gain = (lambda _: plain), (1.0, 1.0, 1.0)
        thing = self._thing(replace(edit, target=""), is_named=False)
        return Backed(thing, backdrop, gain=gain) if thing is not None else None

    def _drawn_place(
        self, setting: SettingKind, hour: TimeOfDay
    ) -> tuple[Callable[[int], Picture], tuple[float, float, float]]:
        painter = FilmPainter(Shot(duration_s=self._canvas.duration_s, setting=setting, time_of_day=hour), self._canvas)
        key = look_of(setting, hour, Weather.CLEAR).key
        # Only so dark and so coloured as a face still bears.
        gain = tuple(float(np.clip(0.25 + 0.75 * value, 0.5, 1.1)) for value in key)
        return (lambda offset: painter.paint(offset)[..., :3]), (gain[0], gain[1], gain[2])

    def _given_place(self, image: Path) -> Callable[[int], Picture]:
        width_px, height_px = self._stretch.size_px

        @cache
        def large() -> Picture:
            return fitted(on_ground(read_image(image)), round(width_px * _MARGIN), round(height_px * _MARGIN))

        def seen(offset: int) -> Picture:
            # The camera of the video is seen in it, as far as the picture reaches.
            shift = self._survey.move(offset).shift * 0.5 * max(width_px, height_px)
            room_x, room_y = (large().shape[1] - width_px) / 2, (large().shape[0] - height_px) / 2
            x = room_x * math.tanh(shift.real / max(room_x, 1)) - room_x
            y = room_y * math.tanh(shift.imag / max(room_y, 1)) - room_y
            matrix = np.array([[1.0, 0.0, x], [0.0, 1.0, y]])
            moved = cv2.warpAffine(large(), matrix, (width_px, height_px), borderMode=cv2.BORDER_REFLECT_101)
            return np.asarray(moved, dtype=np.uint8)

        return seen

    def _tell(self, note: str) -> None:
        if note not in self._notes:
            self._notes.append(note)


class Editing:
    """The edits of all videos of a film: what `footage.Player` shows its pictures through."""

    def __init__(
        self,
        videos: Sequence[Footage],
        cuts: Sequence[Cut],
        edits: Sequence[Edit],
        *,
        canvas: Canvas,
        images: Sequence[Path] = (),
    ) -> None:
        self._edited: dict[int, tuple[Cut, EditedVideo]] = {}
        for cut in cuts:
            footage = videos[cut.video]
            number = footage.number or cut.video + 1
            own = [edit for edit in edits if edit.video == number]
            if own:
                stretch = Stretch(
                    path=footage.path,
                    begins_with=cut.begins_with,
                    num_frames=cut.num_frames,
                    fps=canvas.fps,
                    size_px=(canvas.width_px, canvas.height_px),
                )
                self._edited[cut.video] = cut, EditedVideo(stretch, own, canvas, images=images)

    @property
    def notes(self) -> tuple[str, ...]:
        """What could not be done as it was said, of the videos that were shown so far."""
        return tuple(dict.fromkeys(note for _, edited in self._edited.values() for note in edited.notes))

    def __call__(self, picture: Picture, video: int, index: int) -> Picture:
        """Return a picture of a video at a frame of the film with its edits; it is the given one if it has none."""
        found = self._edited.get(video)
        if found is None:
            return picture
        cut, edited = found
        return edited.picture(picture, min(max(0, index - cut.starts_at), cut.num_frames - 1))


class _Written:
    """Words on the pictures."""

    def __init__(self, edit: Edit, canvas: Canvas) -> None:
        kind = TextKind.TITLE if edit.place in ("top", "centre") else TextKind.SUBTITLE
        text = ScreenText(text=edit.value or edit.by, kind=kind, place=edit.place)
        shot = Shot(duration_s=canvas.duration_s, texts=(text,))
        plan = FilmPlan(prompt="", shots=(shot,), lines=(), ratio="", duration_s=math.ceil(canvas.duration_s))
        self._lettering = Lettering(plan, canvas)

    def changed(self, picture: Picture, offset: int) -> Picture:
        written = picture.copy()
        self._lettering.stamp(written, offset)
        return written


def _plain(edit: Edit) -> Edit:
    """Return the edit as what it comes to: clothes in another colour are the same clothes."""
    colour = next((spot.value for spot in spots(level(edit.by), "colour")), "")
    if edit.kind is EditKind.REPLACE and colour and not edit.image and kinds.kind_of(edit.art).name == "worn":
        return replace(edit, kind=EditKind.RECOLOUR, target=edit.by, value=colour)
    return edit


def _action_of(edit: Edit, art: str) -> Action | None:
    """Return what something that is put in does: as it is said, or what its kind does there; None = it only stands."""
    if not art:
        return None
    kind, rig = kinds.kind_of(art), rig_of(art)
    # English verbs have forms, which the vocabulary knows.
    words = [value for piece in pieces_of(edit.by, [vocabulary("en")]) for value in piece.meanings.get("action", ())]
    words += [spot.value for spot in spots(level(edit.by), "action")]
    said = next((Action(value) for value in words if value in list(Action)), None)
    if said is None and (is_aloft(art) or rig.flies or rig.has_wings or edit.place == "top"):
        said = Action.FLY
    return kind.turns.get(said, said) if said is not None else None


def _aim_in(edit: Edit) -> Aim | None:
    """Return what an edit has to find in the pictures; None if nothing."""
    if edit.kind in _AIMED:
        aim = aim_of(edit.target, edit.place)
        # "Her jacket green" names the new colour, not the old one.
        return replace(aim, colour="") if edit.kind is EditKind.RECOLOUR and aim.colour == edit.value else aim
    if edit.kind is EditKind.INSERT and edit.target and kinds.kind_of(edit.art).name == "worn":
        return aim_of(edit.target)
    # Where it is said where something new stands, nobody has to be looked for.
    if edit.kind is EditKind.BACKGROUND or (edit.kind is EditKind.INSERT and edit.place not in _STANDS):
        return _MAIN
    return None
