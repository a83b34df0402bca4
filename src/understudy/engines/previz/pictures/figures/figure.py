"""One way to ask any drawn figure for its picture: what it does, when, and how far it has gone."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import skia

from understudy.engines.previz.pictures.figures.beast import Beast
from understudy.engines.previz.pictures.figures.beast_poses import stance_of
from understudy.engines.previz.pictures.figures.bird import Bird, flutter_of, is_plumed, plumage_of
from understudy.engines.previz.pictures.figures.breeds import breed_of, is_bred
from understudy.engines.previz.pictures.figures.ink import Ink, Point
from understudy.engines.previz.pictures.figures.people import person_of
from understudy.engines.previz.pictures.figures.person import Person
from understudy.engines.previz.pictures.figures.person_poses import Instant, lively, pose_of, riding, rowing
from understudy.engines.previz.pictures.figures.pose import Foot
from understudy.engines.previz.pictures.figures.props import tint_of
from understudy.engines.previz.pictures.figures.vehicle import Bicycle, Car, Ride, car_of, is_car
from understudy.engines.previz.pictures.light import Look
from understudy.engines.previz.pictures.rigs import Body, Rig
from understudy.engines.previz.plan import Action, Subject

Box = tuple[float, float, float, float]
Draw = Callable[[skia.Canvas, Ink], None]
# Draws into heights of the figure, which looks to the right and stands on 0.
_BIKE_PAINT = (0.16, 0.42, 0.66)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a figure needs besides the instant. rolled: way gone in its heights. carries: whether somebody rides it."""

    action: Action
    now: Instant
    rolled: float = 0.0
    is_dark: bool = False
    carries: bool = False


class Figure(Protocol):
    """Something drawn by hand."""

    def drawn(self, scene: Scene) -> tuple[Box, Draw]:
        """The box that holds it, (left, bottom, right, top), and what draws it."""

    def saddle(self, scene: Scene) -> Point:
        """Where a rider's hip is."""


class PersonFigure:
    """A person in a pose."""

    def __init__(self, person: Person) -> None:
        self.person = person

    def drawn(self, scene: Scene) -> tuple[Box, Draw]:
        """A person that stands on its own feet, or lies."""
        grip = "" if not self.person.held else "over" if self.person.held[0].is_over_head else "hand"
        pose = pose_of(scene.action, replace(scene.now, grip=grip))
        build = self.person.build
        # Poses are thought for a grown person; a child's hip is lower.
        pose = replace(pose, hip=pose.hip * build.hip / 0.478 if pose.seat < 0 and not pose.has_pillow else pose.hip)
        person = self.person
        return person.bounds(pose), lambda canvas, ink: person.draw(canvas, ink, pose=pose)

    def saddle(self, scene: Scene) -> Point:
        """The shoulders: who is carried sits there."""
        return 0.0, 0.75

    def seated(self, scene: Scene, *, way: str, pedal: float | None = None) -> tuple[Box, Draw]:
        """A rider about its hip at (0, 0). way: "astride", "inside" (legs unseen), "bicycle" or "stand"."""
        person, now = self.person, scene.now
        hip = person.build.hip
        if way == "stand":
            pose = pose_of(Action.IDLE, now)
            pose = replace(pose, yaw=1.0, near_foot=Foot(forward=0.12), far_foot=Foot(forward=-0.12), hip=hip * 0.93)
            hip = 0.0
        elif way == "inside":
            pose = lively(rowing(now) if scene.action in (Action.FLOAT, Action.SHAKE) else riding(now), now)
            pose = replace(pose, hip=hip)
        else:
            pose = lively(riding(now, pedal=pedal), now)
            pose = replace(pose, hip=hip)
        left, bottom, right, top = person.bounds(pose)

        def draw(canvas: skia.Canvas, ink: Ink) -> None:
            canvas.translate(0.0, -hip)
            if way == "inside":
                canvas.clipRect(skia.Rect.MakeLTRB(-2.0, hip - 0.03, 2.0, 3.0), doAntiAlias=True)
            person.draw(canvas, ink, pose=pose, hides_far_leg=way == "astride")

        return (left, bottom - hip, right, top - hip), draw


class BeastFigure:
    """A four-legged animal."""

    def __init__(self, beast: Beast) -> None:
        self.beast = beast

    def drawn(self, scene: Scene) -> tuple[Box, Draw]:
        """The animal in its stance."""
        stance = stance_of(scene.action, scene.now, self.beast.breed)
        return self.beast.bounds(stance), lambda canvas, ink: self.beast.draw(canvas, ink, stance=stance)

    def saddle(self, scene: Scene) -> Point:
        """Its back, which goes up and down."""
        stance = stance_of(scene.action, scene.now, self.beast.breed)
        return self.beast.saddle(stance)


class BirdFigure:
    """A bird."""

    def __init__(self, bird: Bird) -> None:
        self.bird = bird

    def drawn(self, scene: Scene) -> tuple[Box, Draw]:
        """The bird as it holds itself."""
        pose = flutter_of(scene.action, scene.now, self.bird.plumage.rate_hz)
        return self.bird.bounds(pose), lambda canvas, ink: self.bird.draw(canvas, ink, pose=pose)

    def saddle(self, scene: Scene) -> Point:
        """Its back."""
        return 0.0, 0.72


class CarFigure:
    """A car."""

    def __init__(self, car: Car) -> None:
        self.car = car

    def drawn(self, scene: Scene) -> tuple[Box, Draw]:
        """The car, its wheels turned as far as it has gone."""
        is_driven = scene.action in (Action.DRIVE, Action.RUN, Action.WALK)
        shake = 0.5 * scene.now.swing(3.1) + 0.3 * scene.now.swing(5.3) if is_driven else 0.0
        ride = Ride(
            rolled=scene.rolled,
            bounce=shake,
            turn=0.006 * scene.now.swing(1.55) if is_driven else 0.0,
            is_dark=scene.is_dark,
            has_driver=is_driven or scene.carries,
        )
        return self.car.bounds(ride), lambda canvas, ink: self.car.draw(canvas, ink, ride=ride)

    def saddle(self, scene: Scene) -> Point:
        """The driver's seat."""
        return 0.16, 0.5


class BicycleFigure:
    """A bicycle."""

    def __init__(self, bicycle: Bicycle) -> None:
        self.bicycle = bicycle

    def drawn(self, scene: Scene) -> tuple[Box, Draw]:
        """The bicycle, its wheels and cranks turned as far as it has gone."""
        ride = Ride(rolled=scene.rolled)
        return self.bicycle.bounds(ride), lambda canvas, ink: self.bicycle.draw(canvas, ink, ride=ride)

    def saddle(self, scene: Scene) -> Point:
        """Its saddle."""
        return self.bicycle.saddle[0] + 0.0, self.bicycle.saddle[1] + 0.04

    def pedal(self, scene: Scene) -> float:
        """Angle of the cranks."""
        return self.bicycle.pedal(Ride(rolled=scene.rolled))


_PEOPLE = frozenset({Body.PERSON_HEAD, Body.NONE, Body.BUST})
# Heads and busts that are nobody's costume: the drawings say more than a drawn person would.
_KEPT = frozenset(
    {
        "genie",
        "zombie",
        "troll",
        "vampire",
        "pregnant-man",
        "pregnant-woman",
        "pregnant-person",
        "breast-feeding",
        "baby-angel",
    }
)


def is_person(art_id: str, rig: Rig) -> bool:
    """Whether a picture stands for a person that is drawn."""
    return rig.body in _PEOPLE and art_id not in _KEPT


def is_drawn(art_id: str, rig: Rig) -> bool:
    """Whether a figure is drawn for a picture."""
    return is_person(art_id, rig) or is_bred(art_id) or is_plumed(art_id) or is_car(art_id) or art_id == "bicycle"


def aspect_of(art_id: str, action: Action) -> float:
    """Width over height of a drawn figure that is no person."""
    if is_car(art_id):
        return 3.75
    if is_bred(art_id):
        return 1.5
    if art_id == "bicycle":
        return 1.75
    return 1.9 if action in (Action.FLY, Action.FLOAT) else 1.35


def figure_of(art_id: str, rig: Rig, subject: Subject, *, look: Look, rng: np.random.Generator) -> Figure | None:
    """The figure that is drawn for a subject, or None where its picture is better."""
    tint, word = tint_of(subject.tint), subject.word
    if is_bred(art_id):
        return BeastFigure(Beast(breed_of(art_id, word, tint=tint, choice=float(rng.random()))))
    if is_plumed(art_id):
        return BirdFigure(Bird(plumage_of(art_id, tint)))
    if is_car(art_id):
        return CarFigure(Car(car_of(art_id, word, tint)))
    if art_id == "bicycle":
        return BicycleFigure(Bicycle(tint or _BIKE_PAINT))
    if is_person(art_id, rig):
        return PersonFigure(person_of(art_id, subject, look=look, rng=rng))
    return None
