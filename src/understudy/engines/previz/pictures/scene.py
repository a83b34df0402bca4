"""What a setting is built with, and what it hands over: the stagehand and the set."""

from dataclasses import dataclass, field

import numpy as np

from understudy.engines.previz.pictures.layers import Baked, Layer
from understudy.engines.previz.pictures.light import Look
from understudy.engines.previz.pictures.staging import Staging
from understudy.engines.previz.pictures.view import Reach
from understudy.engines.previz.plan import SettingKind, Shot


@dataclass(frozen=True, slots=True, kw_only=True)
class Stagehand:
    """Everything a set builder needs.

    detail: bitmap pixels per frame pixel for broad surfaces, 0.4..1. wind: 0.4 (calm)..3 (storm). repeat: period of
    the ground in units when the camera travels without end, else 0. is_passing: the view is across the line of
    travel, so roads run along the frame.
    """

    shot: Shot
    staging: Staging
    reach: Reach
    look: Look
    rng: np.random.Generator
    detail: float
    wind: float
    repeat: float
    is_passing: bool

    @property
    def setting(self) -> SettingKind:
        """Where the film plays."""
        return self.shot.setting

    @property
    def distance(self) -> float:
        """Depth of the main subject."""
        return self.staging.distance


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneSet:
    """A built setting: its layers, and the ground that shadows fall on (None where nothing stands on a ground).

    prop_depths: nearest and farthest depth for props, in parts of the subject's distance. prop_side: least distance
    of a prop from the middle, units. is_water: whether subjects float in waves. floor: height of the ground that props
    stand on. water_from: depth beyond which boats may lie, in parts of the distance; 0: nowhere. table: depth (in parts
    of the distance) and height of a surface for small props, height 0: none. wall_depth: depth of a wall for pictures,
    or 0.
    largest: props higher than this many units are left out.
    """

    layers: list[Layer] = field(default_factory=list)
    ground: Baked | None = None
    prop_depths: tuple[float, float] = (1.25, 3.2)
    prop_side: float = 0.75
    is_water: bool = False
    floor: float = 0.0
    water_from: float = 0.0
    table: tuple[float, float] = (0.0, 0.0)
    wall_depth: float = 0.0
    largest: float = 9.0
