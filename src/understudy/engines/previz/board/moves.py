"""Camera moves: over a flat picture, and through a picture in depth.

Each begins with the picture as it is, at rest. Over a flat one the camera never looks past the edge, but when it goes
back; through a picture in depth it may, and what is there is drawn on (`layers`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from understudy.engines.previz.plan import CameraMove
from understudy.media.decode import Picture

_RAMP_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """Where the camera looks. x, y: in parts of the frame from its middle, right and down. roll_deg: clockwise."""

    zoom: float = 1.0
    x: float = 0.0
    y: float = 0.0
    roll_deg: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """A moment of a move: 0..1 of it, eased, and the seconds since its beginning. phases: the seed's, 0..2 pi."""

    eased: float
    time_s: float
    phases: tuple[float, ...]


def eased(part: float) -> float:
    """Start and stop without a jerk: 0..1 to 0..1, at rest at both ends."""
    return part * part * (3 - 2 * part)


Move = Callable[[Beat], Aim]


def _growing(zoom: float, *, x: float = 0.0, y: float = 0.0, roll_deg: float = 0.0) -> Move:
    """Come nearer by a factor; x and y: to which edge, -1..1, as far as coming nearer has made room."""

    def move(beat: Beat) -> Aim:
        now = 1 + (zoom - 1) * beat.eased
        room = (1 - 1 / now) / 2
        # A turned frame needs its corners inside as well; a third of the room is kept for them.
        reach = room * (2 / 3 if roll_deg else 1.0)
        return Aim(zoom=now, x=x * reach, y=y * reach, roll_deg=roll_deg * beat.eased)

    return move


def _unrest(beat: Beat, axis: int) -> float:
    """A hand's unrest, about -1..1, growing from nothing."""
    waves = ((0.55, 0.55), (0.3, 1.3), (0.15, 2.7))
    phases = beat.phases[axis:]
    moved = sum(part * np.sin(2 * np.pi * hz * beat.time_s + phases[index]) for index, (part, hz) in enumerate(waves))
    return float(moved) * eased(min(1.0, beat.time_s / _RAMP_S))


def _handheld(beat: Beat) -> Aim:
    now = 1 + 0.06 * eased(min(1.0, beat.time_s / _RAMP_S))
    room = (1 - 1 / now) / 2
    return Aim(zoom=now, x=0.6 * room * _unrest(beat, 0), y=0.6 * room * _unrest(beat, 1))


def _walking(beat: Beat) -> Aim:
    now = 1 + 0.2 * beat.eased
    room = (1 - 1 / now) / 2
    step = 2 * np.pi * 1.7 * beat.time_s
    return Aim(zoom=now, x=0.15 * room * float(np.sin(step / 2)), y=0.2 * room * float(np.sin(step)))


STILL: Move = _growing(1.0)

MOVES: Mapping[CameraMove, Move] = {
    # A film whose words say nothing of the camera breathes a little; one that is to stand is given `STILL`.
    CameraMove.STATIC: _growing(1.05),
    CameraMove.PUSH_IN: _growing(1.2),
    # Going back shows what is beyond the edge, of which there is no picture: a little of it is mirrored.
    CameraMove.PULL_OUT: _growing(0.95),
    CameraMove.PAN_LEFT: _growing(1.2, x=-1.0),
    CameraMove.PAN_RIGHT: _growing(1.2, x=1.0),
    CameraMove.TILT_UP: _growing(1.2, y=-1.0),
    CameraMove.TILT_DOWN: _growing(1.2, y=1.0),
    CameraMove.TRACK: _growing(1.14, x=1.0),
    CameraMove.ORBIT: _growing(1.18, x=0.8, roll_deg=1.2),
    CameraMove.CRANE_UP: _growing(1.16, y=-0.9),
    CameraMove.CRANE_DOWN: _growing(1.16, y=0.9),
    CameraMove.HANDHELD: _handheld,
    CameraMove.POV: _walking,
}


def aimed(picture: Picture, aim: Aim) -> Picture:
    """Return what the camera sees of the picture, in the picture's size; aimed at the whole, the picture itself."""
    if aim == Aim():
        return picture
    height_px, width_px = picture.shape[:2]
    angle = np.radians(aim.roll_deg)
    cos, sin = np.cos(angle) / aim.zoom, np.sin(angle) / aim.zoom
    middle_x, middle_y = (width_px - 1) / 2, (height_px - 1) / 2
    at_x, at_y = middle_x + aim.x * width_px, middle_y + aim.y * height_px
    # From the frame to the picture, for each of the frame's pixels.
    matrix = np.array(
        [
            [cos, -sin, at_x - cos * middle_x + sin * middle_y],
            [sin, cos, at_y - sin * middle_x - cos * middle_y],
        ]
    )
    return np.asarray(
        cv2.warpAffine(
            picture,
            matrix,
            (width_px, height_px),
            flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT_101,
        ),
        dtype=np.uint8,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """Where the camera stands before a picture in depth; all 0 and 1 = where the picture was taken from.

    x, y: steps right and down, as parts of the picture's width, by which the nearest things seem to move. z: forward,
    as a part of the way to the nearest things. yaw, pitch: turned right and down, in parts of the picture's width.
    hold: 0..1, how far the camera turns back to keep what the picture is of in its place. zoom, roll_deg: as of `Aim`.
    """

    x: float = 0.0
    y: float = 0.0
    z: float = 0.0
    yaw: float = 0.0
    pitch: float = 0.0
    hold: float = 0.0
    zoom: float = 1.0
    roll_deg: float = 0.0


Flight = Callable[[Beat], Pose]


def _flown(**end: float) -> Flight:
    """Lead from where the picture was taken to an end, along a straight line, at rest at both."""
    hold = end.pop("hold", 0.0)
    zoom = end.pop("zoom", 1.0) - 1

    def flight(beat: Beat) -> Pose:
        part = beat.eased
        return Pose(**{name: value * part for name, value in end.items()}, hold=hold, zoom=1 + zoom * part)

    return flight


def _held_in_hands(beat: Beat) -> Pose:
    begun = eased(min(1.0, beat.time_s / _RAMP_S))
    return Pose(
        x=0.02 * _unrest(beat, 0),
        y=0.014 * _unrest(beat, 1),
        z=0.05 * beat.eased,
        yaw=0.008 * _unrest(beat, 2),
        pitch=0.006 * _unrest(beat, 3),
        roll_deg=0.5 * _unrest(beat, 4),
        zoom=1 + 0.03 * begun,
    )


def _walked(beat: Beat) -> Pose:
    begun = eased(min(1.0, beat.time_s / _RAMP_S))
    step = 2 * np.pi * 1.7 * beat.time_s
    return Pose(
        x=0.012 * begun * float(np.sin(step / 2)),
        y=0.01 * begun * float(np.sin(step)),
        z=0.27 * beat.eased,
        hold=0.5,
    )


# How far they go is our own choice: as far as a still picture bears it before its missing backs are seen.
FLIGHTS: Mapping[CameraMove, Flight] = {
    CameraMove.STATIC: _flown(z=0.07),
    CameraMove.PUSH_IN: _flown(z=0.27),
    CameraMove.PULL_OUT: _flown(z=-0.14, zoom=0.97),
    CameraMove.PAN_LEFT: _flown(x=-0.03, yaw=-0.12, zoom=1.1),
    CameraMove.PAN_RIGHT: _flown(x=0.03, yaw=0.12, zoom=1.1),
    CameraMove.TILT_UP: _flown(y=-0.02, pitch=-0.07, zoom=1.1),
    CameraMove.TILT_DOWN: _flown(y=0.02, pitch=0.07, zoom=1.1),
    CameraMove.TRACK: _flown(x=0.13, hold=0.75, z=0.06),
    CameraMove.ORBIT: _flown(x=0.12, hold=1.0, z=0.1, roll_deg=0.8),
    CameraMove.CRANE_UP: _flown(y=-0.09, hold=0.55, z=0.06, pitch=0.01),
    CameraMove.CRANE_DOWN: _flown(y=0.09, hold=0.55, z=0.06, pitch=-0.01),
    CameraMove.HANDHELD: _held_in_hands,
    CameraMove.POV: _walked,
}
FLIGHT_AT_REST: Flight = _flown()
