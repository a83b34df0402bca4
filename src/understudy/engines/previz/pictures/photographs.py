"""What a shot shows of given pictures: likenesses of its subjects, things, framed pictures and the place itself.

`board/` decides which picture is what; here it is only said, and who stands where is laid out anew for it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from understudy.engines.previz.pictures.canvas import Bitmap
from understudy.engines.previz.pictures.motions import TRAVEL
from understudy.engines.previz.pictures.rigs import Body, saddle_of
from understudy.engines.previz.pictures.roles import Role
from understudy.engines.previz.plan import Framing, Shot
from understudy.engines.previz.seeing.mouth import Mouth

_ROW_MOST, _TALL_ROW_MOST = 5, 3
"""More people than these stand in several rows; in a tall frame there is room for fewer side by side."""

_GAP = 0.12
_OVERLAP = 0.12
"""How much the likenesses of a crowded row cover each other, in parts of their width."""

_ASIDE = 0.72
_ROW_DEPTH = 0.12
"""How far one row stands behind the other, in parts of the main subject's distance."""

STEP_TALL = 0.5
"""How much higher each row stands, units."""

_BEHIND_STEP = 0.12
"""How much of who is shown in part is hidden by the step before it, in parts of its height: the edge of the picture."""

_RIDING, _RIDING_PART = 0.95, 0.62
"""How tall a rider is shown against what it rides: a grown person, and one whose legs are not in the picture."""

_HIP, _HIP_OF_PART = 0.42, 0.08
_PART_SHOWN = 1.2
"""How much larger who is seen in part is shown, being nearer: it stands below the frame's edge."""

_BY_PEOPLE = 0.75
"""How tall what has no face is beside people, if nothing is known of it."""

_LEAST_ASPECT = 0.3
_PROP_TALL = 0.46
_LARGEST_PROP = 0.7
_WIDEST = 2.4
"""A likeness that is wider than this, in heights of the main subject, is made smaller."""


class Stance(StrEnum):
    """How a likeness can be in a scene, by what its picture shows of it."""

    STANDS = "stands"
    """All of it: it stands on the ground."""
    RISES = "rises"
    """It is cut off below: it rises from the lower edge of the frame."""
    FILLS = "fills"
    """It is cut off at more sides: it stays where it was in its picture, which is laid over the frame."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Likeness:
    """One side of a subject, cut out of a picture.

    number: of the image. rgba: (height_px, width_px, 4) uint8, alpha not premultiplied. mouth: in its pixels.
    box: left, top, width and height of it as parts of its picture; shape: width over height of that picture.
    """

    number: int
    rgba: NDArray[np.uint8]
    stance: Stance = Stance.STANDS
    mouth: Mouth | None = None
    box: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    shape: float = 1.0

    @property
    def aspect(self) -> float:
        """Width over height."""
        return float(self.rgba.shape[1] / self.rgba.shape[0])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Thing:
    """Something cut out that belongs to a subject. is_worn: it is upon the subject, else beside it."""

    likeness: Likeness
    is_worn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Framed:
    """A whole picture in a frame, seen from one part 0..1 of the shot to another.

    rgb: (height_px, width_px, 3) uint8. place, of: it is one of so many that are seen together.
    """

    rgb: NDArray[np.uint8]
    start: float = 0.0
    end: float = 1.0
    place: int = 0
    of: int = 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Photographs:
    """What one shot shows of given pictures. likenesses: by index into the shot's subjects, one for each side.

    backdrop: the place, (height_px, width_px, 3) uint8 RGB without who is not to be seen there; None = it is drawn.
    nearness: of the backdrop, 0..1 and of any size. riding: which of the likenesses' subjects sits on which subject.
    """

    likenesses: Mapping[int, Sequence[Likeness]] = field(default_factory=dict)
    things: Sequence[Thing] = ()
    framed: Sequence[Framed] = ()
    backdrop: Bitmap | None = None
    nearness: NDArray[np.float32] | None = None
    riding: Mapping[int, int] = field(default_factory=dict)

    @property
    def framing(self) -> Framing | None:
        """How near the camera must be, because somebody is shown in part only or sits high; None = as the shot says."""
        if self.riding:
            return Framing.WIDE
        shown = [one for index, views in self.likenesses.items() if index not in self.riding for one in views]
        if not shown or all(one.stance is Stance.STANDS for one in shown):
            return None
        return Framing.CLOSE_UP if len(self.likenesses) == 1 else Framing.MEDIUM


NO_PHOTOGRAPHS = Photographs()


def framed_by(shot: Shot, photographs: Photographs) -> Shot:
    """Return the shot as its pictures allow: who is shown in part only is seen from near, and nobody sits upon art."""
    subjects = tuple(
        replace(subject, rides=None) if place in photographs.likenesses else subject
        for place, subject in enumerate(shot.subjects)
    )
    return replace(shot, subjects=subjects, framing=photographs.framing or shot.framing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineup:
    """Who stands where. group_span: width of all together, units. rows: of each role; 0 = in front, -1 = it rides."""

    roles: tuple[Role, ...]
    group_span: float
    rows: tuple[int, ...]

    def depth_of_step(self, row: int) -> float:
        """Return where the step of a row begins, in parts of the main subject's distance."""
        return 1 + _ROW_DEPTH * (row - 0.5)


def with_likenesses(
    roles: Sequence[Role], group_span: float, photographs: Photographs, *, is_tall: bool = False
) -> Lineup:
    """Lay the figures out anew with the shapes of the pictures.

    roles, group_span: as of `cast_of`. A subject that is shown by pictures is there once, however many it counts.
    is_tall: the frame is.
    """
    if not photographs.likenesses and not photographs.things:
        return Lineup(roles=tuple(roles), group_span=group_span, rows=(0,) * len(roles))
    shown = photographs.likenesses
    first: dict[int, Role] = {}
    for role in roles:
        first.setdefault(role.subject_index, role)
    kept = [role for role in roles if role.subject_index not in shown or role is first[role.subject_index]]
    has_people = any(one.mouth is not None for views in shown.values() for one in views)
    cast = [
        _shaped(role, shown[role.subject_index], has_people=has_people) if role.subject_index in shown else role
        for role in kept
    ]
    riders = [role for role in cast if role.subject_index in photographs.riding]
    cast = [role for role in cast if role.subject_index not in photographs.riding]
    count = -(-len(cast) // (_TALL_ROW_MOST if is_tall else _ROW_MOST))
    if count > 1:
        # Behind a step nobody sees where a picture ends.
        cast.sort(key=lambda role: _is_part(role, photographs))
    ends = [round(len(cast) * (number + 1) / count) for number in range(count)]
    placed: list[Role] = []
    rows: list[int] = []
    widest = 0.3
    for number, (start, end) in enumerate(zip([0, *ends], ends, strict=False)):
        row, span = _in_a_row(cast[start:end], is_crowded=count > 1)
        placed += [replace(role, depth=role.depth + _ROW_DEPTH * number) for role in row]
        rows += [number] * len(row)
        widest = max(widest, span)
    seated = [_seated(role, placed, photographs) for role in riders]
    return Lineup(roles=(*placed, *seated), group_span=widest, rows=(*rows, *([-1] * len(seated))))


def _seated(rider: Role, placed: Sequence[Role], photographs: Photographs) -> Role:
    """Put a rider behind what it rides, which hides its legs: a photograph cannot bend its knees."""
    mount = _mount_of(rider, placed, photographs)
    if mount is None:
        return rider
    action = mount.action if mount.action in TRAVEL else rider.action
    tall = (_RIDING_PART if _is_part(rider, photographs) else _RIDING) * mount.height
    return replace(rider, x=mount.x, depth=mount.depth + 0.01, action=action, height=tall)


def _is_part(role: Role, photographs: Photographs) -> bool:
    return any(one.stance is not Stance.STANDS for one in photographs.likenesses.get(role.subject_index, ()))


def _mount_of(rider: Role, roles: Sequence[Role], photographs: Photographs) -> Role | None:
    wanted = photographs.riding.get(rider.subject_index)
    return next((role for role in roles if role.subject_index == wanted), None)


def step_of(place: int, lineup: Lineup, photographs: Photographs) -> float | None:
    """Return how high what a figure stands or sits on is, in units: a mount, or a step; None = it is on the ground."""
    role, row = lineup.roles[place], lineup.rows[place]
    mount = _mount_of(role, lineup.roles, photographs)
    if mount is not None:
        hip = _HIP_OF_PART if _is_part(role, photographs) else _HIP
        return saddle_of(mount.art).y * mount.height - hip * role.height
    if row <= 0:
        return None
    return STEP_TALL * row - (_BEHIND_STEP * role.height if _is_part(role, photographs) else 0.0)


def beside(thing: Thing, roles: Sequence[Role], place: int) -> tuple[float, float, float]:
    """Return x, depth and height of a thing next to the main subject, on one side and then on the other.

    depth: as of `Role`.
    """
    tall = min(_PROP_TALL, _LARGEST_PROP / thing.likeness.aspect)
    if not roles:
        return (0.0, 1.0, 1.0)
    side = 1.0 if place % 2 == 0 else -1.0
    lead = roles[0]
    half = max(lead.aspect, _LEAST_ASPECT) * lead.height / 2
    away = half + tall * thing.likeness.aspect / 2 - 0.04 + 0.5 * (place // 2)
    return lead.x + side * away, 0.93, tall


def _shaped(role: Role, likenesses: Sequence[Likeness], *, has_people: bool) -> Role:
    aspect = max(*(one.aspect for one in likenesses), _LEAST_ASPECT)
    rig = replace(
        role.rig, body=Body.WHOLE, faces=0, head=(), has_legs=False, has_wings=False, has_wheels=False, floats=False
    )
    height = role.height
    if any(one.stance is Stance.RISES for one in likenesses):
        height *= _PART_SHOWN
    elif has_people and not role.art and not any(one.mouth for one in likenesses):
        height *= _BY_PEOPLE
    height = min(height, _WIDEST / aspect)
    return replace(role, rig=rig, aspect=aspect, height=height, rider=None, looks=0)


def _in_a_row(row: Sequence[Role], *, is_crowded: bool) -> tuple[list[Role], float]:
    """Side by side around x 0, the first one nearest the middle, who is said to be at a side there."""
    order: list[int] = []
    for index in range(len(row)):
        order.insert(len(order) if index % 2 else 0, index)
    if any(row[slot].subject.place in ("left", "right") for slot in order) or is_crowded:
        # "A on the left, B": the order of the prompt goes from left to right.
        order.sort()
    order.sort(key=lambda slot: {"left": -1, "right": 1}.get(row[slot].subject.place, 0))
    widths = {slot: max(row[slot].aspect, _LEAST_ASPECT) * row[slot].height for slot in order}
    cursor = 0.0
    places: dict[int, float] = {}
    for slot in order:
        places[slot] = cursor + widths[slot] / 2
        cursor += widths[slot] * (1 - _OVERLAP) if is_crowded else widths[slot] + _GAP
    total = max(cursor - (0.0 if is_crowded else _GAP), 0.3)
    placed = []
    for slot, role in enumerate(row):
        x = places[slot] - total / 2
        if len(row) == 1:
            x = {"left": -_ASIDE, "right": _ASIDE}.get(role.subject.place, 0.0)
        depth = {"front": 0.86, "back": 1.7}.get(role.subject.place, 1.0 + 0.015 * slot)
        looks = 0 if role.action in TRAVEL or not role.rig.faces else (1 if x < 0 else -1)
        placed.append(replace(role, x=x, depth=depth, looks=looks))
    return placed, total
