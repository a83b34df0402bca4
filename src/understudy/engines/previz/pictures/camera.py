"""Camera moves: from a move and a time to a `View`. Every move travels through depth, none is a flat zoom.

A camera can also follow a curve that was measured in a given video, in the place of a move that has a name.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from understudy.engines.previz.camera_path import CameraPath
from understudy.engines.previz.pictures.staging import Staging
from understudy.engines.previz.pictures.view import View
from understudy.engines.previz.plan import CameraMove


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """What a move adds to the staged camera: units of the world, and parts of the frame for pan and tilt.

    A positive pan turns the camera right (the scene goes left); a positive tilt turns it up (the scene goes down).
    """

    x: float = 0.0
    y: float = 0.0
    z: float = 0.0
    pan: float = 0.0
    tilt: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """A moment of a move: part 0..1 of the film, eased the same, and seconds; and the seed's phases 0..2 pi."""

    part: float
    eased: float
    time_s: float
    phases: tuple[float, ...]


Move = Callable[[Staging, Beat], Shift]


def ease(part: float) -> float:
    """Say how far a move is after a part of its time, 0..1 both."""
    # Half linear, half smooth: a move is under way in every frame, also in the first and the last ones.
    return 0.45 * part + 0.55 * part * part * (3 - 2 * part)


def _static(_: Staging, __: Beat) -> Shift:
    return Shift()


def _along(near: float, far: float) -> Move:
    """Travel along the view from one distance to another, in parts of the subject's distance."""

    def move(staging: Staging, beat: Beat) -> Shift:
        z = staging.distance * (near + (far - near) * beat.eased)
        # Nearer the subject, the camera looks a little up from the ground, so the subject stays in frame.
        growth = staging.distance / (staging.distance - z) - 1
        lift = 0.0 if staging.is_afloat else (staging.eye - 0.42) * growth * staging.hero_px / staging.canvas.height_px
        return Shift(z=z, tilt=-lift * 0.8)

    return move


def _panning(sign: float) -> Move:
    def move(staging: Staging, beat: Beat) -> Shift:
        swing = sign * (beat.eased - 0.5)
        return Shift(x=0.42 * swing * min(staging.half_width, 1.6), pan=0.30 * swing)

    return move


def _tilting(sign: float) -> Move:
    def move(staging: Staging, beat: Beat) -> Shift:
        swing = sign * (beat.eased - 0.5)
        return Shift(y=0.16 * swing, tilt=0.30 * swing + 0.04 * sign)

    return move


def _track(staging: Staging, beat: Beat) -> Shift:
    # A slider move past a subject that stays: half held in frame.
    travel = 1.5 * (beat.eased - 0.5) * min(staging.half_width, 1.4)
    return Shift(x=travel, pan=-0.5 * travel * staging.hero_px / staging.canvas.width_px)


def _orbit(staging: Staging, beat: Beat) -> Shift:
    angle = np.radians(34.0) * (beat.eased - 0.5)
    x = staging.distance * np.sin(angle)
    z = staging.distance * (1 - np.cos(angle))
    hold = staging.focal_px * x / (staging.distance - z) / staging.canvas.width_px
    return Shift(x=float(x), z=float(z), pan=-float(hold))


def _craning(sign: float) -> Move:
    def move(staging: Staging, beat: Beat) -> Shift:
        y = sign * (beat.eased - 0.5) * 0.9 + 0.12
        y = max(y, 0.12 - staging.eye)
        # Looking back at the subject holds it in frame while the ground opens below.
        return Shift(y=y, tilt=-0.72 * y * staging.hero_px / staging.canvas.height_px)

    return move


def unrest(beat: Beat, axis: int) -> float:
    """A hand's unrest, about -1..1."""
    first, second, third = beat.phases[axis], beat.phases[axis + 1], beat.phases[axis + 2]
    t = beat.time_s
    return float(
        0.55 * np.sin(2 * np.pi * 0.55 * t + first)
        + 0.3 * np.sin(2 * np.pi * 1.3 * t + second)
        + 0.15 * np.sin(2 * np.pi * 2.7 * t + third)
    )


def _handheld(_: Staging, beat: Beat) -> Shift:
    return Shift(
        x=0.075 * unrest(beat, 0),
        y=0.04 * unrest(beat, 1),
        z=0.08 * unrest(beat, 2),
        pan=0.010 * unrest(beat, 3),
        tilt=0.014 * unrest(beat, 4),
    )


def _pov(staging: Staging, beat: Beat) -> Shift:
    step = 2 * np.pi * 1.7 * beat.time_s
    z = staging.distance * (-0.30 + 0.52 * beat.part)
    return Shift(
        x=0.045 * float(np.sin(step / 2)),
        y=0.028 * float(abs(np.sin(step / 2))),
        z=z,
        pan=0.006 * float(np.sin(step / 2 + 0.6)),
        tilt=0.008 * float(np.sin(step)),
    )


_MOVES: dict[CameraMove, Move] = {
    CameraMove.STATIC: _static,
    CameraMove.PUSH_IN: _along(-0.24, 0.20),
    CameraMove.PULL_OUT: _along(0.20, -0.26),
    CameraMove.PAN_LEFT: _panning(-1.0),
    CameraMove.PAN_RIGHT: _panning(1.0),
    CameraMove.TILT_UP: _tilting(1.0),
    CameraMove.TILT_DOWN: _tilting(-1.0),
    CameraMove.TRACK: _track,
    CameraMove.ORBIT: _orbit,
    CameraMove.CRANE_UP: _craning(1.0),
    CameraMove.CRANE_DOWN: _craning(-1.0),
    CameraMove.HANDHELD: _handheld,
    CameraMove.POV: _pov,
}


_FARTHEST = 0.35
"""How far a measured curve may lead a drawn scene out of the frame, in parts of its longer side: sets end somewhere."""

_LARGEST = 2.0
_TRAVELLED = 0.5
"""How much of a way to the side is travelled, not turned: near things then pass faster than far ones."""


def following(path: CameraPath, duration_s: float) -> Move:
    """Let the camera move as a measured one did, for a film of a duration; a curve that is shorter is stretched."""
    pace = min(1.0, path.duration_s / duration_s) if duration_s else 1.0
    farthest = max(float(np.hypot(offset.x, offset.y)) for offset in path.offsets)
    largest = max(abs(float(np.log(offset.growth))) for offset in path.offsets)
    reach, grown = min(1.0, _FARTHEST / max(farthest, 1e-9)), min(1.0, float(np.log(_LARGEST)) / max(largest, 1e-9))

    def move(staging: Staging, beat: Beat) -> Shift:
        offset, canvas = path.at(beat.time_s * pace), staging.canvas
        side_px = max(canvas.width_px, canvas.height_px)
        aside_px, down_px = offset.x * reach * side_px, offset.y * reach * side_px
        return Shift(
            x=-_TRAVELLED * aside_px / staging.hero_px,
            z=staging.distance * (1 - offset.growth**-grown),
            pan=-(1 - _TRAVELLED) * aside_px / canvas.width_px,
            tilt=down_px / canvas.height_px,
        )

    return move


class Camera:
    """The camera of one film."""

    def __init__(
        self,
        staging: Staging,
        move: CameraMove,
        *,
        rng: np.random.Generator,
        speed: float = 0.0,
        path: CameraPath | None = None,
    ) -> None:
        """Set up the camera.

        speed: units per second that it travels sideways with a subject that travels. path: what it follows instead of
        the move.
        """
        self._staging = staging
        self._move = _MOVES[move] if path is None else following(path, staging.canvas.duration_s)
        self._is_tracking = path is None and move is CameraMove.TRACK and speed != 0.0
        self._phases = tuple(float(value) for value in rng.uniform(0, 2 * np.pi, 8))
        self._speed = speed

    def view(self, time_s: float) -> View:
        """The camera at a time; times from 0 to the film's duration."""
        staging = self._staging
        part = min(time_s / max(staging.canvas.duration_s, 1e-6), 1.0)
        beat = Beat(part=part, eased=ease(part), time_s=time_s, phases=self._phases)
        shift = Shift() if self._is_tracking else self._move(staging, beat)
        return View(
            width_px=staging.canvas.width_px,
            height_px=staging.canvas.height_px,
            focal_px=staging.focal_px,
            centre_x_px=staging.centre_x_px - shift.pan * staging.canvas.width_px,
            horizon_px=staging.horizon_px + shift.tilt * staging.canvas.height_px,
            x=shift.x + self._speed * time_s,
            y=max(staging.eye + shift.y, 0.08),
            z=shift.z,
            time_s=time_s,
        )
