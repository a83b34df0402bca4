"""What given pictures add to a scene: the layers of their subjects, things, frames and place."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from understudy.engines.previz.pictures.actors import Actor, Setup, Voice
from understudy.engines.previz.pictures.backdrop import Backdrop, look_in
from understudy.engines.previz.pictures.framed import FramedPicture
from understudy.engines.previz.pictures.layers import Layer, Panel
from understudy.engines.previz.pictures.light import Look
from understudy.engines.previz.pictures.photo_actors import PhotoActor
from understudy.engines.previz.pictures.photo_things import PhotoThing
from understudy.engines.previz.pictures.photographs import STEP_TALL, Lineup, Photographs, beside, step_of
from understudy.engines.previz.pictures.roles import Role
from understudy.engines.previz.pictures.scene import SceneSet
from understudy.engines.previz.pictures.sprites import lit
from understudy.engines.previz.pictures.staging import Staging
from understudy.engines.previz.pictures.view import Reach
from understudy.engines.previz.plan import TimeOfDay

_WOOD, _WOOD_EDGE = (158, 122, 86), (190, 152, 112)
_BEHIND_ALL = 1.45
"""Depth of framed pictures, in parts of the main subject's distance."""


def photo_set(
    photographs: Photographs, look: Look, *, staging: Staging, reach: Reach, time_of_day: TimeOfDay
) -> tuple[SceneSet, Look] | None:
    """Build the place that a picture shows, and the light there; None where the place is drawn."""
    if photographs.backdrop is None or photographs.nearness is None:
        return None
    own, shown = look_in(look, photographs.backdrop, time_of_day)
    backdrop = Backdrop(shown, photographs.nearness, staging=staging, reach=reach)
    return SceneSet(layers=[backdrop]), own


def actor_of(place: int, lineup: Lineup, *, setup: Setup, voice: Voice, photographs: Photographs) -> Layer:
    """Return the figure of a role: as its pictures show it, or drawn."""
    role = lineup.roles[place]
    likenesses = photographs.likenesses.get(role.subject_index)
    step = step_of(place, lineup, photographs)
    if not likenesses:
        return Actor(role, replace(setup, base_lift=setup.base_lift + (step or 0.0)), voice)
    return PhotoActor(role, setup, voice, likenesses=likenesses, step=step or 0.0, is_carried=step is not None)


def photo_extras(
    photographs: Photographs, lineup: Lineup, actors: Sequence[Layer], *, setup: Setup, staging: Staging
) -> list[Layer]:
    """Return the things that belong to subjects, and the pictures that are shown as they are."""
    roles = lineup.roles
    layers: list[Layer] = []
    for row in range(1, max(lineup.rows, default=0) + 1):
        raised = [role for role, own in zip(roles, lineup.rows, strict=True) if own == row]
        layers.append(_step_below(raised, setup, tall=STEP_TALL * row, depth=lineup.depth_of_step(row)))
    lead = actors[0] if actors and isinstance(actors[0], PhotoActor) else None
    for place, thing in enumerate(photographs.things):
        x, depth, tall = beside(thing, roles, place)
        layers.append(
            PhotoThing(
                thing, setup, lead=roles[0] if roles else None, wearer=lead, spot=(x, depth * setup.distance, tall)
            )
        )
    size = (staging.canvas.width_px, staging.canvas.height_px)
    layers.extend(
        FramedPicture(
            framed,
            size_px=size,
            depth=_BEHIND_ALL * setup.distance,
            duration_s=setup.duration_s,
            has_company=bool(roles) or bool(photographs.things),
        )
        for framed in photographs.framed
    )
    return layers


def _step_below(raised: Sequence[Role], setup: Setup, *, tall: float, depth: float) -> Layer:
    """A plain wooden step, as for the picture of a class."""
    left = min(role.x - max(role.aspect, 0.3) * role.height / 2 for role in raised) - 0.12
    right = max(role.x + max(role.aspect, 0.3) * role.height / 2 for role in raised) + 0.12
    density = setup.pixels_per_unit
    rows, columns = max(round(tall * density), 4), max(round((right - left) * density), 4)
    shade = np.linspace(1.0, 0.72, rows, dtype=np.float32)[:, None]
    boards = 1 - 0.10 * ((np.arange(columns) % max(round(0.34 * density), 2)) < max(round(0.012 * density), 1))
    bitmap = np.full((rows, columns, 4), 255, np.uint8)
    bitmap[..., :3] = np.array(_WOOD, np.float32) * (shade * boards[None, :])[..., None]
    bitmap[: max(round(0.03 * density), 1), :, :3] = _WOOD_EDGE
    return Panel(
        bitmap=lit(bitmap, setup.look, form=0.0),
        left=left + setup.start_x + setup.speed * setup.duration_s / 2,
        top=tall,
        depth=depth * setup.distance,
        density=density,
    )
