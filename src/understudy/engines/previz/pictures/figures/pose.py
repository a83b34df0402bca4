"""How a person stands at one instant: a skeleton seen from anywhere around. Pure data."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """Angles in radians. pitch: forward from hanging down; out: away from the body; bend: at the elbow."""

    pitch: float = 0.0
    out: float = 0.12
    bend: float = 0.25
    inward: float = 0.0
    """How far the forearm turns to the other side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Foot:
    """Where a foot is: forward of the figure's place and up from the ground, in heights. roll: heel up above 0."""

    forward: float = 0.0
    up: float = 0.0
    roll: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """A person in its own heights and radians.

    yaw: 0 faces the viewer, pi/2 the direction of travel, pi away. forward, hip: where the pelvis is. lean: of the
    trunk, forward. sway: of the trunk, to the near side. near, far: the sides of the body as seen when it travels.
    head_yaw: against the body's. nod: forward. tilt: to the side. mouth, blink, smile: 0..1; brow -1..1.
    twist: of the shoulders against the hips. seat: height of what it sits on; below 0 there is none.
    """

    yaw: float = 0.6
    forward: float = 0.0
    hip: float = 0.478
    lean: float = 0.0
    sway: float = 0.0
    twist: float = 0.0
    near_arm: Arm = field(default_factory=Arm)
    far_arm: Arm = field(default_factory=Arm)
    near_foot: Foot = field(default_factory=Foot)
    far_foot: Foot = field(default_factory=Foot)
    head_yaw: float = 0.0
    nod: float = 0.0
    tilt: float = 0.0
    mouth: float = 0.0
    blink: float = 0.0
    smile: float = 0.55
    brow: float = 0.0
    breath: float = 0.0
    knees_out: float = 0.0
    seat: float = -1.0
    has_pillow: bool = False
    flow: float = 0.0
    """How far hems and long hair blow back, -1..1."""
