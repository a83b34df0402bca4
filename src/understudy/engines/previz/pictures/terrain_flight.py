"""The camera over a land: each move as a path through the air that never touches the ground."""

from dataclasses import dataclass, replace

import numpy as np

from understudy.engines.previz.pictures.camera import Beat, ease, unrest
from understudy.engines.previz.pictures.canvas import Floats
from understudy.engines.previz.pictures.staging import Staging
from understudy.engines.previz.pictures.terrain import Eye, Land
from understudy.engines.previz.pictures.terrain_fields import PERIOD_UNITS
from understudy.engines.previz.pictures.terrain_light import LandKind
from understudy.engines.previz.pictures.view import View
from understudy.engines.previz.plan import CameraMove

# Units per second of a camera that flies on, and the most it flies in one shot.
SPEED, LONGEST_FLIGHT = 0.95, 9.0
# The camera stays this far above whatever lies within this distance ahead of it.
CLEARANCE, LOOKAHEAD = 0.85, 3.0
_CANDIDATES = 40
_SAMPLES = 49
_ORBIT_UNITS, _ORBIT_RADIANS = 8.0, 0.56
_PAN_RADIANS = 0.62
_RISE = 2.3
_FOCUS_UNITS = 8.8
# The land should leave this much of what is above the horizon to the sky.
_SKYLINE = 0.62
# And somewhere it should reach this far up.
_LEAST_SKYLINE = 0.26
# Land nearer below the camera than this fills the frame with its texture.
_ROOM_BELOW = 1.7

_FLYING = frozenset({CameraMove.PUSH_IN, CameraMove.POV, CameraMove.TRACK})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """Where the camera is against its start: ahead and to the right of it, higher, turned, and tilted (frame parts)."""

    ahead: float = 0.0
    right: float = 0.0
    up: float = 0.0
    turn: float = 0.0
    tilt: float = 0.0


class Flight:
    """One shot's path over one land."""

    def __init__(self, staging: Staging, move: CameraMove, *, kind: LandKind, flies_along: bool, yaw: float) -> None:
        """flies_along: the camera goes with something that flies, whatever else it does. yaw: where it looks."""
        self._staging, self._move, self._kind = staging, move, kind
        self._flies_along = flies_along
        self._yaw = yaw
        duration_s = max(staging.canvas.duration_s, 1e-6)
        self._speed = min(SPEED, LONGEST_FLIGHT / duration_s)
        self._phases: tuple[float, ...] = (0.0,) * 8
        self._start = (0.0, 0.0)
        self._times = np.linspace(0, duration_s, _SAMPLES)
        self._heights: Floats = np.zeros(_SAMPLES, np.float32)

    def settle(self, land: Land, rng: np.random.Generator) -> None:
        """Choose where over the land to fly: low ground below, high ground ahead."""
        self._phases = tuple(float(value) for value in rng.uniform(0, 2 * np.pi, 8))
        choices = []
        for _ in range(_CANDIDATES):
            if self._kind.has_focus:
                away = _FOCUS_UNITS + self._speed * self._times[-1] * (0.5 if self._goes_on() else 0.0)
                middle = PERIOD_UNITS / 2
                start = (middle - away * np.sin(self._yaw) + rng.uniform(-0.8, 0.8), middle - away * np.cos(self._yaw))
            else:
                start = tuple(rng.uniform(0, PERIOD_UNITS, 2))
            choices.append((self._merit(land, start), start))
        self._start = max(choices)[1]
        self._heights = self._level(land, self._start)

    def _goes_on(self) -> bool:
        return self._move in _FLYING or self._flies_along

    def _ground(self, land: Land, start: tuple[float, float]) -> Floats:
        """The highest ground just ahead of the camera at each sampled time."""
        ahead, aside = np.meshgrid(np.linspace(-0.5, LOOKAHEAD, 10), np.linspace(-0.8, 0.8, 5))
        highest = []
        for time_s in self._times:
            x, z, yaw = self._place(self._pose(float(time_s)), start)
            at_x = x + ahead * np.sin(yaw) + aside * np.cos(yaw)
            at_z = z + ahead * np.cos(yaw) - aside * np.sin(yaw)
            highest.append(land.height_at(at_x, at_z).max())
        return np.array(highest, np.float32)

    def _level(self, land: Land, start: tuple[float, float]) -> Floats:
        """How high the camera flies at each sampled time: level, and over whatever rises before it."""
        ground = self._ground(land, start)
        wanted = np.maximum(ground + CLEARANCE, float(np.mean(ground)) * 0.5 + self._kind.altitude)
        reach = _SAMPLES // 6
        wide = np.pad(wanted, 2 * reach, mode="edge")
        held = np.max(np.lib.stride_tricks.sliding_window_view(wide, 2 * reach + 1), axis=1)
        window = np.hanning(2 * reach + 3)[1:-1]
        return np.convolve(held, window / window.sum(), mode="valid").astype(np.float32)

    def _merit(self, land: Land, start: tuple[float, float]) -> float:
        """How good a view a start gives."""
        x, z, yaw = self._place(self._pose(float(self._times[_SAMPLES // 2])), start)
        away, aside = np.meshgrid(np.geomspace(1.4, 26, 22), np.linspace(-0.62, 0.62, 17))
        at_x, at_z = x + away * (np.sin(yaw) + aside * np.cos(yaw)), z + away * (np.cos(yaw) - aside * np.sin(yaw))
        seen = land.height_at(at_x, at_z)
        height = float(self._level(land, start).max())
        # The skyline: how far up the frame the land reaches in each direction, 0 at the horizon, 1 at the upper edge.
        above = ((seen - height) / away).max(axis=1) * self._staging.focal_px / self._horizon_px
        crowded = float(np.clip(above - _SKYLINE, 0, None).mean())
        far = seen[:, away[0] > 5.0]
        close = float(np.clip(seen[:, away[0] < 5.0] - (height - _ROOM_BELOW), 0, None).mean())
        empty = float(np.clip(_LEAST_SKYLINE - np.quantile(above, 0.6), 0, 1))
        return (
            1.2 * float(np.std(far))
            + 0.5 * float(above.max().clip(0, 1))
            - 6.0 * crowded
            - 2.0 * close
            - empty
            - 0.25 * height
        )

    def _pose(self, time_s: float) -> Pose:
        """The move itself."""
        part = min(time_s / float(self._times[-1]), 1.0)
        eased = ease(part)
        swing = eased - 0.5
        gone = self._speed * time_s
        total = self._speed * float(self._times[-1])
        ahead = gone if self._goes_on() else 0.0
        match self._move:
            case CameraMove.PULL_OUT:
                return Pose(ahead=-gone, up=0.5 * eased * total / 4)
            case CameraMove.PAN_LEFT:
                return Pose(ahead=ahead, turn=-_PAN_RADIANS * swing)
            case CameraMove.PAN_RIGHT:
                return Pose(ahead=ahead, turn=_PAN_RADIANS * swing)
            case CameraMove.TILT_UP:
                return Pose(ahead=ahead, tilt=0.34 * swing + 0.04)
            case CameraMove.TILT_DOWN:
                return Pose(ahead=ahead, tilt=-0.34 * swing)
            case CameraMove.ORBIT:
                turn = _ORBIT_RADIANS * swing
                return Pose(
                    ahead=_ORBIT_UNITS * (1 - float(np.cos(turn))), right=-_ORBIT_UNITS * float(np.sin(turn)), turn=turn
                )
            case CameraMove.CRANE_UP:
                return Pose(ahead=ahead, up=_RISE * eased, tilt=-0.12 * eased)
            case CameraMove.CRANE_DOWN:
                return Pose(ahead=ahead, up=_RISE * (1 - eased), tilt=-0.12 * (1 - eased))
            case CameraMove.HANDHELD:
                beat = Beat(part=part, eased=eased, time_s=time_s, phases=self._phases)
                shake = Pose(right=0.02 * unrest(beat, 0), up=0.015 * unrest(beat, 1), tilt=0.014 * unrest(beat, 4))
                return replace(shake, ahead=ahead, turn=0.012 * unrest(beat, 3))
            case _:
                return Pose(ahead=ahead)

    def _place(self, pose: Pose, start: tuple[float, float]) -> tuple[float, float, float]:
        """x, z and yaw of a pose."""
        along_x, along_z = np.sin(self._yaw), np.cos(self._yaw)
        x = start[0] + pose.ahead * along_x + pose.right * along_z
        z = start[1] + pose.ahead * along_z - pose.right * along_x
        return float(x), float(z), self._yaw + pose.turn

    @property
    def _horizon_px(self) -> float:
        return self._kind.horizon * self._staging.canvas.height_px

    def eye(self, time_s: float) -> Eye:
        """The camera over the land at a time."""
        staging, pose = self._staging, self._pose(time_s)
        x, z, yaw = self._place(pose, self._start)
        return Eye(
            x=x,
            y=float(np.interp(time_s, self._times, self._heights)) + pose.up,
            z=z,
            yaw=yaw,
            focal_px=staging.focal_px,
            centre_x_px=staging.centre_x_px,
            horizon_px=self._horizon_px + pose.tilt * staging.canvas.height_px,
        )

    def view(self, time_s: float) -> View:
        """The same camera for the sky, and for what flies along: these turn with it but stay as far away."""
        staging, pose = self._staging, self._pose(time_s)
        return View(
            width_px=staging.canvas.width_px,
            height_px=staging.canvas.height_px,
            focal_px=staging.focal_px,
            centre_x_px=staging.centre_x_px - staging.focal_px * float(np.tan(pose.turn)),
            horizon_px=staging.horizon_px + pose.tilt * staging.canvas.height_px,
            x=0.0,
            y=staging.eye,
            z=0.0,
            time_s=time_s,
        )
