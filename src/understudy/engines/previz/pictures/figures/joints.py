"""Joints: two bones that reach a target, steps whose planted feet do not slide, and the look round a figure."""

from dataclasses import dataclass

import numpy as np

Place = tuple[float, float]


def reach(start: Place, target: Place, lengths: tuple[float, float], *, bend: float) -> tuple[Place, Place]:
    """Where the middle joint and the end of two bones are, as near to the target as they reach.

    bend: +1 puts the middle joint to the front (+x when the limb hangs down), -1 to the back.
    """
    upper, lower = lengths
    dx, dy = target[0] - start[0], target[1] - start[1]
    distance = float(np.hypot(dx, dy)) or 1e-6
    kept = float(np.clip(distance, abs(upper - lower) + 1e-4, (upper + lower) * 0.999))
    end = (start[0] + dx / distance * kept, start[1] + dy / distance * kept)
    along = (kept * kept + upper * upper - lower * lower) / (2 * kept)
    off = float(np.sqrt(max(upper * upper - along * along, 0.0))) * bend
    ux, uy = dx / distance, dy / distance
    return (start[0] + ux * along - uy * off, start[1] + uy * along + ux * off), end


@dataclass(frozen=True, slots=True, kw_only=True)
class Gait:
    """Steps of a figure that goes at a speed in its own heights per second.

    period_s: one full cycle. stance: part of it that a foot is on the ground. lift: how high a foot is raised.
    """

    speed: float
    period_s: float
    stance: float
    lift: float

    @property
    def stride(self) -> float:
        """How far a planted foot goes back under the body: exactly as far as the body goes forward."""
        return self.speed * self.stance * self.period_s

    def foot(self, time_s: float, offset: float) -> tuple[float, float, float]:
        """Forward, up, and roll (radians, heel up above 0) of a foot under its hip. offset: 0..1 of the cycle."""
        phase = (time_s / self.period_s + offset) % 1.0
        span = self.stride
        if phase < self.stance:
            part = phase / self.stance
            return span * (0.5 - part), 0.0, 0.5 * max(part - 0.72, 0.0) / 0.28 - 0.28 * max(0.16 - part, 0.0) / 0.16
        part = (phase - self.stance) / (1 - self.stance)
        # Cubic, leaving and meeting the ground at its speed.
        slope = -self.speed * (1 - self.stance) * self.period_s
        start, end = -span / 2, span / 2
        h00, h10 = 2 * part**3 - 3 * part**2 + 1, part**3 - 2 * part**2 + part
        h01, h11 = -2 * part**3 + 3 * part**2, part**3 - part**2
        forward = h00 * start + h10 * slope + h01 * end + h11 * slope
        up = self.lift * float(np.sin(np.pi * part)) ** 1.2
        return forward, up, 0.55 * (1 - part) ** 2 * (1 if part < 1 else 0) - 0.28 * part**3


def walking(speed: float, *, span: float = 0.40, at: float = 0.62) -> Gait:
    """A walk: slow ones take shorter steps. span: the stride at the speed ``at``."""
    speed = max(speed, 0.04)
    stance = 0.62
    wanted = span * float(np.clip(speed / at, 0.1, 1.6)) ** 0.5
    return Gait(speed=speed, period_s=wanted / (speed * stance), stance=stance, lift=0.055)


def running(speed: float, *, period_s: float = 0.70) -> Gait:
    """A run: both feet are off the ground for a while."""
    return Gait(speed=max(speed, 0.3), period_s=period_s, stance=0.34, lift=0.16)
