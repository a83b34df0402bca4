"""What kind of figure each piece of art is, read from ``rigs.toml``."""

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files

_GROUPS = (
    "people_heads",
    "skirts",
    "creature_heads",
    "beast_heads",
    "busts",
    "sideways",
    "looking_right",
    "wheeled",
    "floating",
    "winged",
    "flying",
    "legless",
    "hanging",
    "on_the_wall",
    "scenery",
)
_GENDERS = ("man-", "woman-", "men-", "women-")


class Body(StrEnum):
    """How much of the figure the art shows, and so what is drawn besides."""

    WHOLE = "whole"
    PERSON_HEAD = "person_head"
    CREATURE_HEAD = "creature_head"
    BEAST_HEAD = "beast_head"
    BUST = "bust"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """What the art allows. faces: -1 looks left, +1 right, 0 at the viewer. height: against a grown person's.

    head: of a whole figure, where it is known: middle x, top y, width, mouth x, mouth y, in heights from the upper
    left.
    """

    body: Body
    faces: int = 0
    height: float = 1.0
    has_skirt: bool = False
    has_wheels: bool = False
    has_wings: bool = False
    has_legs: bool = True
    floats: bool = False
    flies: bool = False
    head: tuple[float, ...] = ()
    hangs: bool = False
    is_on_wall: bool = False
    is_scenery: bool = False

    @property
    def is_puppet(self) -> bool:
        """Whether a body with limbs is drawn."""
        return self.body is not Body.WHOLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Saddle:
    """Where a rider's hip is on a picture, in its heights: x from the middle towards its front, y up.

    way: "astride" it, "inside" it (legs unseen) or "stand" (the feet are there).
    """

    x: float
    y: float
    way: str


_ANY_SADDLE = Saddle(x=0.0, y=0.62, way="astride")


@lru_cache(maxsize=1)
def _saddles() -> dict[str, Saddle]:
    rows = tomllib.loads(files(__package__).joinpath("rigs.toml").read_text(encoding="utf-8"))["saddles"]
    return {name: Saddle(x=float(x), y=float(y), way=str(way)) for name, (x, y, way) in rows.items()}


def saddle_of(art_id: str) -> Saddle:
    """Where to ride a picture."""
    return _saddles().get(art_id, _ANY_SADDLE)


@lru_cache(maxsize=1)
def _table() -> tuple[dict[str, frozenset[str]], dict[str, float], dict[str, tuple[float, ...]]]:
    text = files(__package__).joinpath("rigs.toml").read_text(encoding="utf-8")
    rows = tomllib.loads(text)
    heads = {name: tuple(float(value) for value in row) for name, row in rows["heads"].items()}
    return {name: frozenset(rows[name].split()) for name in _GROUPS}, dict(rows["heights"]), heads


def rig_of(art_id: str) -> Rig:
    """The rig of a piece of art; "" is a person without a picture."""
    if not art_id:
        return Rig(body=Body.NONE)
    groups, heights, heads = _table()
    plain = art_id
    for gender in _GENDERS:
        if art_id.startswith(gender):
            plain = art_id.removeprefix(gender)
    names = {art_id, plain, f"person-{plain}"}

    def is_in(group: str) -> bool:
        return not names.isdisjoint(groups[group])

    body = Body.WHOLE
    for group, kind in (
        ("people_heads", Body.PERSON_HEAD),
        ("creature_heads", Body.CREATURE_HEAD),
        ("beast_heads", Body.BEAST_HEAD),
        ("busts", Body.BUST),
    ):
        if is_in(group) or (kind is Body.CREATURE_HEAD and art_id.endswith("-face")):
            body = kind
            break
    faces = -1 if is_in("sideways") or body is Body.BEAST_HEAD else 1 if is_in("looking_right") else 0
    return Rig(
        body=body,
        faces=faces,
        height=heights.get(art_id, heights.get(plain, 0.8 if body is Body.WHOLE else 1.0)),
        has_skirt=not {art_id, plain}.isdisjoint(groups["skirts"])
        or (art_id.startswith("woman-") and body is Body.BUST),
        has_wheels=is_in("wheeled"),
        has_wings=is_in("winged"),
        has_legs=faces != 0 and not is_in("legless") and not is_in("wheeled") and not is_in("floating"),
        floats=is_in("floating"),
        flies=is_in("flying"),
        head=heads.get(art_id, ()),
        hangs=is_in("hanging"),
        is_on_wall=is_in("on_the_wall"),
        is_scenery=is_in("scenery"),
    )
