"""Who stands where: figures side by side, riders on what they ride, and which way each looks."""

from dataclasses import dataclass, replace

import numpy as np

from understudy.engines.previz.pictures.figures.figure import aspect_of, is_drawn, is_person
from understudy.engines.previz.pictures.motions import TRAVEL
from understudy.engines.previz.pictures.rigs import Body, Rig, rig_of
from understudy.engines.previz.pictures.sprites import has_art, sprite
from understudy.engines.previz.plan import Action, SettingKind, Shot, Subject

_MOST_ACTORS = 9
_ASPECTS = {Body.PERSON_HEAD: 0.46, Body.CREATURE_HEAD: 0.48, Body.NONE: 0.44, Body.BEAST_HEAD: 1.24, Body.BUST: 0.52}
_PROBE_PX = 96
# A lone subject that is to stand at a side, in units from the middle.
_ASIDE = 0.72
_DEPTHS = {"front": 0.86, "back": 1.7}
# What makes a companion go along that nothing is said of.
# What is drawn from the front but goes by.
_FROM_THE_SIDE = {"train": "locomotive", "oncoming-automobile": "automobile", "oncoming-taxi": "taxi"}
# The otter's picture floats on its back, as otters do in water; elsewhere one stands on its feet.
_OTTER_ON_LAND = "otter-on-land"
_WATERY = frozenset({SettingKind.SEA, SettingKind.UNDERWATER, SettingKind.SPACE, SettingKind.SKY})
_IN_WATER = frozenset({Action.SWIM, Action.FLOAT, Action.FLY})
_SAILED = ("sail", "yacht", "帆", "ヨット", "vela", "layar")
_WATERS = frozenset({SettingKind.SEA, SettingKind.RIVER, SettingKind.HARBOR, SettingKind.BEACH, SettingKind.ISLAND})
_GOES_ALONG = frozenset({Action.WALK, Action.RUN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """One figure before it is drawn: which subject, its rig, its size against the main one, and its place.

    looks: -1 or +1, the side it looks to where nobody travels; 0 as the film decides. rider: who sits on or in it.
    """

    subject_index: int
    subject: Subject
    rig: Rig
    art: str
    aspect: float
    height: float
    x: float = 0.0
    depth: float = 1.0
    action: Action = Action.IDLE
    looks: int = 0
    rider: "Role | None" = None

    @property
    def is_figure(self) -> bool:
        """Whether it is drawn by hand instead of being shown by its picture."""
        return is_drawn(self.art, self.rig)


def cast_of(shot: Shot) -> tuple[tuple[Role, ...], float]:
    """All figures side by side around x 0, the main one nearest the middle; and the group's width in units.

    Depths are factors of the main subject's distance.
    """
    roles = _mounted(_listed(shot))[:_MOST_ACTORS]
    if not roles:
        return (), 1.0
    lead = roles[0]
    if lead.action in _GOES_ALONG:
        along = [replace(role, action=lead.action) if _can_go_along(role) else role for role in roles[1:]]
        roles = [lead, *along]
    order = _from_the_middle(len(roles))
    # Who is said to be at a side is there; the others keep their order.
    order.sort(key=lambda slot: {"left": -1, "right": 1}.get(roles[slot].subject.place, 0))
    widths = [max(role.aspect, 0.5) * role.height for role in roles]
    gap = 0.16
    places: dict[int, float] = {}
    cursor = 0.0
    for slot in order:
        places[slot] = cursor + widths[slot] / 2
        cursor += widths[slot] + gap
    total = cursor - gap
    faces_each_other = len(roles) > 1 and not any(role.action in TRAVEL for role in roles)
    placed = []
    for slot, role in enumerate(roles):
        x = places[slot] - total / 2
        depth = 1.0 if slot == 0 else 1.0 + 0.10 * ((slot % 3) + 0.4)
        if len(roles) == 1:
            x = {"left": -_ASIDE, "right": _ASIDE}.get(role.subject.place, x)
        looks = (1 if x < 0 else -1) if faces_each_other else 0
        placed.append(replace(role, x=x, depth=depth * _DEPTHS.get(role.subject.place, 1.0), looks=looks))
    return tuple(placed), total


def _listed(shot: Shot) -> list[tuple[int, Role]]:
    """Every figure with the index of its subject, all at x 0."""
    roles: list[tuple[int, Role]] = []
    tallest = _main_height(shot)
    for index, subject in enumerate(shot.subjects):
        art = _seen_as(shot, index)
        # What stands for a picture is as large as it.
        rig = rig_of(art if has_art(art) else subject.art if has_art(subject.art) else "")
        if is_drawn(art, rig):
            # Drawn figures look to a side, and can look to either.
            rig = replace(rig, faces=1)
        height = float(np.clip((rig.height / tallest) ** 0.6, 0.42, 1.45))
        for copy in range(max(subject.count, 1)):
            size = height * (1.0 if copy == 0 else 0.90 + 0.05 * (copy % 3))
            aspect = _aspect(art, rig, subject.action)
            role = Role(
                subject_index=index,
                subject=subject,
                rig=rig,
                art=art,
                aspect=aspect,
                height=size,
                action=_on_water(shot, subject.action, rig),
            )
            roles.append((index, role))
    return roles


def _seen_as(shot: Shot, index: int) -> str:
    """The picture of a subject: what somebody sits in and nobody calls a sailing boat is rowed."""
    subject = shot.subjects[index]
    if subject.art == "sailboat" and any(other.rides == index for other in shot.subjects):
        is_sailed = any(word in subject.word.lower() for word in _SAILED)
        return "sailboat" if is_sailed else "rowing-boat"
    is_ashore = shot.setting not in _WATERY and subject.action not in _IN_WATER
    # Beasts wear nothing; pictures do.
    if subject.art == "otter" and is_ashore and not subject.wears:
        return _OTTER_ON_LAND
    if subject.action in TRAVEL and subject.art in _FROM_THE_SIDE:
        return _FROM_THE_SIDE[subject.art]
    return subject.art if has_art(subject.art) else ""


def _on_water(shot: Shot, action: Action, rig: Rig) -> Action:
    """What floats does so on the water where there is any; elsewhere in the air."""
    return Action.IDLE if action is Action.FLOAT and rig.floats and shot.setting in _WATERS else action


def _main_height(shot: Shot) -> float:
    """Height of the main subject against a grown person's; of what it rides, if it rides."""
    if not shot.subjects:
        return 1.0
    subject = shot.subjects[0]
    if subject.rides is not None and 0 <= subject.rides < len(shot.subjects):
        # Who sits on something small is what fills the picture.
        ridden = shot.subjects[subject.rides]
        return max(rig_of(ridden.art if has_art(ridden.art) else "").height, 1.0)
    return rig_of(subject.art if has_art(subject.art) else "").height


def _aspect(art: str, rig: Rig, action: Action) -> float:
    if is_person(art, rig):
        return {Action.SLEEP: 1.15, Action.SIT: 0.66, Action.FLY: 1.1, Action.SWIM: 1.2}.get(action, 0.46)
    if is_drawn(art, rig):
        return aspect_of(art, action)
    aspect = _ASPECTS.get(rig.body)
    if aspect is None:
        probe = sprite(art, _PROBE_PX)
        aspect = probe.shape[1] / probe.shape[0]
    # Sitting figures are not tall ones.
    return aspect * 1.4 if rig.is_puppet and action in (Action.SIT, Action.SLEEP) else aspect


def _mounted(listed: list[tuple[int, Role]]) -> list[Role]:
    """Put who rides onto what is ridden; the mount takes the rider's place in the order."""
    mounts = dict(reversed(listed))
    taken: dict[int, Role] = {}
    riders: set[int] = set()
    for index, role in listed:
        ridden = role.subject.rides
        if ridden is None or ridden == index or ridden not in mounts or ridden in taken or ridden in riders:
            continue
        if mounts[ridden].subject.rides is not None or not is_person(role.art, role.rig):
            continue
        mount = mounts[ridden]
        taken[ridden] = replace(mount, rider=role, action=_ridden(mount, role.action))
        riders.add(index)
    result: list[Role] = []
    seen: set[int] = set()
    for index, role in listed:
        if index in riders:
            mount = taken[role.subject.rides or 0]
            if mount.subject_index not in seen:
                seen.add(mount.subject_index)
                result.append(mount)
        elif index in taken:
            if index not in seen:
                seen.add(index)
                result.append(taken[index])
        else:
            result.append(role)
    return result


def _ridden(mount: Role, action: Action) -> Action:
    """What a mount does under its rider."""
    if mount.action not in (Action.IDLE, Action.DRIVE, Action.SIT):
        return mount.action
    if mount.rig.floats:
        return mount.action
    if mount.rig.has_wheels:
        return Action.DRIVE if action in TRAVEL or mount.action is Action.DRIVE else mount.action
    return Action.RUN if action in (Action.DRIVE, Action.RUN) else Action.WALK if action is Action.WALK else Action.IDLE


def _can_go_along(role: Role) -> bool:
    return role.action is Action.IDLE and role.is_figure and role.rider is None and not role.rig.has_wheels


def _from_the_middle(count: int) -> list[int]:
    """Indices from left to right such that index 0 is in the middle."""
    order: list[int] = []
    for index in range(count):
        if index % 2:
            order.append(index)
        else:
            order.insert(0, index)
    return order
