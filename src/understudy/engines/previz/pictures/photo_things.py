"""Things shown by given pictures that belong to a subject: held beside it, or worn."""

import numpy as np

from understudy.engines.previz.pictures.actors import Setup
from understudy.engines.previz.pictures.motions import TRAVEL, Motion
from understudy.engines.previz.pictures.photo_actors import PhotoActor, ready
from understudy.engines.previz.pictures.photographs import Thing
from understudy.engines.previz.pictures.puppets import soft_shadow
from understudy.engines.previz.pictures.raster import Raster
from understudy.engines.previz.pictures.roles import Role
from understudy.engines.previz.pictures.view import NEAREST, View
from understudy.engines.previz.pictures.warp import Placement, bend_sprite, forward

_WORN_TALL, _WORN_WIDE = 0.42, 0.62
"""The most that something worn covers of who wears it: a part of the height, and of the width or of a drawn body's."""

_WORN_AT = 0.30
"""Height of its lower edge on who wears it: it covers the trunk, not the face."""

_DRAWN_WIDE = 0.40
_LARGEST_PX = 900


class PhotoThing:
    """A cut-out thing that goes where its subject goes."""

    def __init__(
        self,
        thing: Thing,
        setup: Setup,
        *,
        lead: Role | None,
        wearer: PhotoActor | None,
        spot: tuple[float, float, float],
    ) -> None:
        """Make it ready.

        spot: x, depth and height, units, for what is not worn. wearer: the subject, if pictures show it.
        """
        self._thing, self._setup, self._lead, self._wearer = thing, setup, lead, wearer
        self._x, self.depth, self._tall = spot
        aspect = thing.likeness.aspect
        self._is_worn = thing.is_worn and lead is not None
        if lead is not None and self._is_worn:
            wide = _WORN_WIDE * lead.aspect * lead.height if wearer is not None else _DRAWN_WIDE * lead.height
            self._tall = min(_WORN_TALL * lead.height, wide / aspect)
            self._x, self.depth = lead.x, (lead.depth - 0.004) * setup.distance
        height = max(min(round(setup.pixels_per_unit * self._tall), _LARGEST_PX), 6)
        self._bitmap = ready(thing.likeness.rgba, (max(round(height * aspect), 4), height), setup.look)
        self._shadow = soft_shadow(96)

    def draw(self, raster: Raster, view: View) -> None:
        """Draw it, and its shadow where it stands."""
        if self.depth - view.z < NEAREST:
            return
        setup, lead = self._setup, self._lead
        travels = lead is not None and lead.action in TRAVEL
        gone_s = view.time_s if travels else setup.duration_s / 2
        x = self._x + setup.start_x + setup.speed * gone_s
        scale = view.scale(self.depth)
        height_px = scale * self._tall
        lift = 0.0
        motion = Motion(turn=0.012 * float(np.sin(1.1 * view.time_s)))
        if self._is_worn and lead is not None:
            lift = _WORN_AT * lead.height
            if self._wearer is not None:
                aside, up = forward(0.0, _WORN_AT, self._wearer.motion(view.time_s))
                x, lift = x + aside * lead.height, up * lead.height
                foot_px = self._wearer.foot_px
                if foot_px is not None:
                    # Who rises from the frame's edge takes along what is worn.
                    place = Placement(
                        foot_x_px=foot_px[0] + aside * foot_px[2],
                        foot_y_px=foot_px[1] - up * foot_px[2],
                        height_px=height_px,
                    )
                    bend_sprite(raster, self._bitmap, place, motion=motion)
                    return
        foot_x, foot_y = view.project(x, lift, self.depth)
        foot_y = min(foot_y, raster.height_px - 2.0) if not self._is_worn else foot_y
        if not self._is_worn and not setup.is_afloat and not setup.is_water:
            wide = self._bitmap.shape[1] / self._bitmap.shape[0] * height_px * 1.15
            flat = float(np.clip(view.y / max(self.depth - view.z, NEAREST), 0.06, 0.4))
            matrix = np.array(
                [[wide / 96, 0.0, foot_x - wide / 2], [0.0, wide * flat * 0.9 / 96, foot_y - wide * flat * 0.47]]
            )
            raster.stamp(self._shadow, matrix, opacity=min(0.25 + setup.look.shadow * 1.4, 0.9))
        place = Placement(foot_x_px=foot_x, foot_y_px=foot_y, height_px=height_px)
        bend_sprite(raster, self._bitmap, place, motion=motion)
