"""Which person is drawn: build, face and clothes from a subject's picture, words, things worn, and the film's seed."""

import re
import tomllib
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np

from understudy.engines.previz.pictures.canvas import Rgb
from understudy.engines.previz.pictures.figures.head import Skull
from understudy.engines.previz.pictures.figures.person import Build, Person
from understudy.engines.previz.pictures.figures.props import held_of, tint_of
from understudy.engines.previz.pictures.figures.wardrobe import Costume
from understudy.engines.previz.pictures.light import Look, dimmed, mix
from understudy.engines.previz.plan import Subject

_SKINS: tuple[Rgb, ...] = (
    (0.98, 0.83, 0.72),
    (0.94, 0.75, 0.61),
    (0.88, 0.67, 0.51),
    (0.78, 0.56, 0.41),
    (0.62, 0.42, 0.30),
    (0.45, 0.30, 0.22),
)
_HAIRS: tuple[Rgb, ...] = (
    (0.11, 0.08, 0.08),
    (0.20, 0.12, 0.08),
    (0.34, 0.20, 0.11),
    (0.52, 0.32, 0.16),
    (0.80, 0.60, 0.30),
)
_TOPS: tuple[Rgb, ...] = (
    (0.20, 0.46, 0.74),
    (0.80, 0.36, 0.26),
    (0.20, 0.54, 0.46),
    (0.52, 0.38, 0.66),
    (0.86, 0.62, 0.24),
    (0.66, 0.26, 0.36),
    (0.90, 0.88, 0.84),
    (0.32, 0.40, 0.34),
)
_LEGS: tuple[Rgb, ...] = ((0.24, 0.30, 0.46), (0.25, 0.24, 0.28), (0.42, 0.36, 0.30), (0.34, 0.42, 0.56))
_GREY: Rgb = (0.80, 0.80, 0.81)
_MAN = Build()
_WOMAN = Build(thick=0.86, shoulders=0.090, waist=0.062, hips=0.064)
_CHILD = Build(
    head=0.150,
    neck=0.685,
    hip=0.395,
    thigh=0.178,
    shin=0.182,
    upper_arm=0.130,
    forearm=0.118,
    shoulders=0.092,
    hips=0.058,
    waist=0.076,
    thick=0.98,
)
_BABY = replace(
    _CHILD, head=0.195, neck=0.60, hip=0.30, thigh=0.130, shin=0.128, upper_arm=0.100, forearm=0.090, thick=1.15
)
# Marks in the name of a picture and what they say of the hair.
_MARKS: dict[str, dict[str, Any]] = {
    "blond": {"hair": (0.90, 0.72, 0.36)},
    "red-hair": {"hair": (0.76, 0.30, 0.12)},
    "white-hair": {"hair": _GREY},
    "curly": {"style": "curly"},
    "bald": {"style": "bald"},
    "beard": {"beard": 2},
}
_HAIR_WORDS: dict[str, dict[str, Any]] = {
    "blond": {"hair": (0.90, 0.72, 0.36)},
    "redhead": {"hair": (0.76, 0.30, 0.12)},
    "red-haired": {"hair": (0.76, 0.30, 0.12)},
    "grey-haired": {"hair": _GREY},
    "gray-haired": {"hair": _GREY},
    "white-haired": {"hair": _GREY},
    "bearded": {"beard": 2},
    "bald": {"style": "bald"},
    "long-haired": {"style": "long"},
    "curly": {"style": "curly"},
    "金发": {"hair": (0.90, 0.72, 0.36)},
    "白发": {"hair": _GREY},
    "红发": {"hair": (0.76, 0.30, 0.12)},
}
# What a thing that is worn does to the clothes; "@" stands for its colour.
_GARMENTS: dict[str, dict[str, Any]] = {
    "coat": {
        "top": "@",
        "hem": 0.44,
        "flare": 0.014,
        "is_coat": True,
        "has_buttons": True,
        "collar": "@-",
        "is_tucked_over": True,
        "boots": 0.45,
        "sleeve": 1.0,
    },
    "lab-coat": {"top": "@", "hem": 0.40, "flare": 0.014, "is_coat": True, "is_open": True, "sleeve": 1.0},
    "dress": {"top": "@", "skirt": "@", "legs": None, "hem": 0.56, "flare": 0.060, "sleeve": 0.35},
    "sari": {"top": "@", "skirt": "@", "legs": None, "hem": 0.94, "flare": 0.02, "sleeve": 0.4, "is_wrapped": True},
    "kimono": {
        "top": "@",
        "skirt": "@",
        "legs": None,
        "hem": 0.94,
        "flare": 0.012,
        "is_wrapped": True,
        "is_wide": True,
        "belt": (0.88, 0.72, 0.32),
    },
    "t-shirt": {"top": "@", "sleeve": 0.4},
    "running-shirt": {"top": "@", "sleeve": 0.0},
    "womans-clothes": {"top": "@", "sleeve": 0.4},
    "jeans": {"legs": "@", "hem": 0.0},
    "shorts": {"legs": "@", "is_short": True, "hem": 0.0},
    "necktie": {"tie": "@", "is_open": True},
    "scarf": {"collar": "@", "is_scarf": True},
    "safety-vest": {"top": "@", "stripe": (0.94, 0.95, 0.72)},
    "martial-arts-uniform": {
        "top": "@",
        "legs": "@",
        "is_wrapped": True,
        "is_wide": True,
        "belt": (0.12, 0.12, 0.14),
        "hem": 0.2,
    },
    "bikini": {"top": "@", "legs": None, "sleeve": 0.0},
    "one-piece-swimsuit": {"top": "@", "legs": None, "sleeve": 0.0},
    "gloves": {"gloves": "@"},
    "running-shoe": {"shoes": "@"},
    "mans-shoe": {"shoes": "@"},
    "hiking-boot": {"shoes": "@", "boots": 0.4},
    "womans-boot": {"shoes": "@", "boots": 0.85},
    "high-heeled-shoe": {"shoes": "@"},
    "ballet-shoes": {"shoes": "@"},
    "flat-shoe": {"shoes": "@"},
    "womans-sandal": {"shoes": "@"},
    "socks": {},
    "ring": {},
    "ribbon": {"collar": "@"},
    "backpack": {},
}
_GARMENT_COLOURS: dict[str, Rgb] = {
    "coat": (0.60, 0.46, 0.32),
    "lab-coat": (0.95, 0.96, 0.97),
    "dress": (0.82, 0.28, 0.42),
    "kimono": (0.70, 0.20, 0.30),
    "sari": (0.86, 0.42, 0.16),
    "jeans": (0.24, 0.36, 0.58),
    "scarf": (0.76, 0.20, 0.20),
    "safety-vest": (0.94, 0.52, 0.12),
    "martial-arts-uniform": (0.94, 0.94, 0.93),
    "necktie": (0.62, 0.14, 0.18),
    "bikini": (0.90, 0.26, 0.46),
}
_HATS: dict[str, tuple[str, Rgb]] = {
    "womans-hat": ("brim-hat", (0.90, 0.78, 0.56)),
    "top-hat": ("top-hat", (0.13, 0.13, 0.15)),
    "billed-cap": ("cap", (0.22, 0.38, 0.66)),
    "rescue-workers-helmet": ("helmet", (0.94, 0.74, 0.18)),
    "military-helmet": ("helmet", (0.36, 0.42, 0.27)),
    "graduation-cap": ("mortarboard", (0.13, 0.14, 0.20)),
    "crown": ("crown", (0.95, 0.76, 0.24)),
    "headphone": ("headphone", (0.16, 0.17, 0.20)),
}
# Hats that the art does not tell apart, by the words of the prompt.
_HAT_WORDS: tuple[tuple[str, str, Rgb], ...] = (
    ("beret", "beret", (0.16, 0.16, 0.22)),
    ("贝雷帽", "beret", (0.16, 0.16, 0.22)),
    ("ベレー", "beret", (0.16, 0.16, 0.22)),
    ("straw hat", "straw-hat", (0.90, 0.77, 0.46)),
    ("草帽", "straw-hat", (0.90, 0.77, 0.46)),
    ("麦わら", "straw-hat", (0.90, 0.77, 0.46)),
    ("beanie", "beanie", (0.70, 0.24, 0.24)),
    ("woolly hat", "beanie", (0.70, 0.24, 0.24)),
    ("wizard hat", "pointed-hat", (0.28, 0.22, 0.50)),
    ("witch hat", "pointed-hat", (0.14, 0.13, 0.17)),
    ("santa hat", "pointed-hat", (0.80, 0.13, 0.17)),
    ("party hat", "pointed-hat", (0.92, 0.36, 0.56)),
    ("chef", "toque", (0.98, 0.98, 0.97)),
)
_EYEWEAR = {"glasses": "glasses", "sunglasses": "sunglasses", "goggles": "goggles", "diving-mask": "goggles"}
_COSTUME_FIELDS = {field.name for field in fields(Costume)}
_SKULL_FIELDS = {field.name for field in fields(Skull)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dressing:
    """One row of the costumes: the changes of clothes and of the head."""

    arts: frozenset[str]
    words: tuple[str, ...]
    costume: dict[str, Any]
    skull: dict[str, Any]


def _colour(text: str) -> Rgb | None:
    if not text:
        return None
    red, green, blue = (int(text[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


@lru_cache(maxsize=1)
def _dressings() -> tuple[Dressing, ...]:
    rows = tomllib.loads(files(__package__).joinpath("costumes.toml").read_text(encoding="utf-8"))
    found = []
    for row in rows.values():
        values = {
            key: _colour(value) if isinstance(value, str) and (not value or value.startswith("#")) else value
            for key, value in row.items()
        }
        found.append(
            Dressing(
                arts=frozenset(str(row.get("arts", "")).replace(",", " ").split()),
                words=tuple(word.strip().lower() for word in str(row.get("words", "")).split(",") if word.strip()),
                costume={key: value for key, value in values.items() if key in _COSTUME_FIELDS},
                skull={key: value for key, value in values.items() if key in _SKULL_FIELDS},
            )
        )
    return tuple(found)


def _says(text: str, word: str) -> bool:
    """Whether a text has a word: whole, where the script sets words apart."""
    if word.isascii():
        return re.search(rf"\b{re.escape(word)}s?\b", text) is not None
    return word in text


def dressing_of(art_id: str, word: str) -> Dressing | None:
    """The costume that a picture or a word of the prompt asks for; the word says more than the picture."""
    text = word.lower()
    for row in _dressings():
        if any(_says(text, name) for name in row.words):
            return row
    plain = art_id.removeprefix("man-").removeprefix("woman-")
    for row in _dressings():
        if not row.arts.isdisjoint({art_id, plain, f"person-{plain}"}):
            return row
    return None


_GIRLISH = (
    "girl",
    "woman",
    "princess",
    "mrs-",
    "lady",
    "queen",
    "mother",
    "女",
    "bride",
    "她",
    "mujer",
    "mulher",
    "wanita",
    "actress",
    "waitress",
    "ballerina",
    "witch",
    "geisha",
    "nun",
)
_BOYISH = (
    "boy",
    "man",
    "prince",
    "santa",
    "king",
    "father",
    "男",
    "hombre",
    "homem",
    "pria",
    "detective",
    "knight",
    "pirate",
    "cowboy",
    "monk",
    "viking",
)


def _is_female(art_id: str, word: str, rng: np.random.Generator) -> bool:
    by_chance = bool(rng.random() < 0.5)
    for text in (art_id, word.lower()):
        if any(name in text for name in _GIRLISH):
            return True
        if any(name in text for name in _BOYISH):
            return False
    return by_chance


def person_of(art_id: str, subject: Subject, *, look: Look, rng: np.random.Generator) -> Person:
    """The person of a subject. rng: gives the same person for the same film; each chance is drawn in any case."""
    word = subject.word
    is_female = _is_female(art_id, word, rng)
    skin = _SKINS[int(rng.integers(len(_SKINS)))]
    dark = skin[0] < 0.7
    hair = _HAIRS[int(rng.integers(2 if dark else len(_HAIRS)))]
    style_part, top_at, legs_at = float(rng.random()), int(rng.integers(len(_TOPS))), int(rng.integers(len(_LEGS)))
    is_old = any(name in art_id for name in ("old-", "older")) or any(
        _says(word.lower(), name)
        for name in ("old", "elderly", "grandpa", "grandma", "老", "老人", "anciano", "anciana", "idoso")
    )
    is_child = any(name in art_id for name in ("girl", "boy", "child")) or art_id == "baby"
    styles = ("long", "bob", "pony", "bun", "fringe") if is_female else ("short", "cropped", "fringe", "short", "curly")
    style = styles[min(int(style_part * len(styles)), len(styles) - 1)]
    build = _BABY if art_id == "baby" else _CHILD if is_child else _WOMAN if is_female else _MAN
    skull = Skull(
        skin=skin, hair=hair, style=style, is_female=is_female and art_id != "baby", age=-1 if is_child else 0
    )
    if is_old:
        build = replace(build, stoop=0.10)
        skull = replace(
            skull,
            age=1,
            hair=_GREY,
            style="bun" if is_female else "receding",
            beard=0 if is_female or style_part < 0.4 else 2,
        )
    if art_id == "baby":
        skull = replace(skull, style="tuft")
    for marks, text in ((_MARKS, art_id), (_HAIR_WORDS, word.lower())):
        for name, changes in marks.items():
            if name in text:
                skull = replace(skull, **changes)
    costume = Costume(top=_TOPS[top_at], legs=_LEGS[legs_at], has_bust=is_female and not is_child, is_tight=is_female)
    if is_female and style_part > 0.55:
        costume = replace(costume, hem=0.5, flare=0.05, legs=None, skirt=costume.top, sleeve=0.4)
    elif is_child or top_at % 2:
        costume = replace(costume, sleeve=0.4 if top_at % 3 else 1.0, collar=dimmed(costume.top, 0.8))
    dressing = dressing_of(art_id, word)
    if dressing is not None:
        base = Costume(top=costume.top, has_bust=costume.has_bust)
        costume = replace(base, **dressing.costume)
        skull = replace(skull, **dressing.skull)
    costume, skull = _with_worn(costume, skull, subject)
    return Person(
        build, costume, skull=skull, held=held_of([name for name in subject.wears if not is_worn(name)], look)
    )


def _with_worn(costume: Costume, skull: Skull, subject: Subject) -> tuple[Costume, Skull]:
    """The things that the prompt names, in the colour that it names."""
    tint = tint_of(subject.wears_tint)
    is_spent = False
    text = subject.word.lower()
    for art_id in subject.wears:
        if art_id in _GARMENTS:
            colour = tint if tint is not None and not is_spent else _GARMENT_COLOURS.get(art_id, costume.top)
            is_spent = True
            changes: dict[str, Any] = {
                key: colour if value == "@" else dimmed(colour, 0.82) if value == "@-" else value
                for key, value in _GARMENTS[art_id].items()
            }
            costume = replace(costume, **changes)
        elif art_id in _HATS:
            kind, colour = _HATS[art_id]
            if art_id == "womans-hat":
                kind, colour = next(((k, c) for name, k, c in _HAT_WORDS if name in text), (kind, colour))
            if tint is not None and not is_spent:
                colour, is_spent = tint, True
            skull = replace(skull, hat=kind, hat_colour=colour, hat_trim=mix(colour, (1.0, 1.0, 1.0), 0.35))
        elif art_id in _EYEWEAR:
            skull = replace(skull, eyewear=_EYEWEAR[art_id])
    if not is_spent:
        other = tint if tint is not None else tint_of(subject.tint)
        if other is not None:
            skirt = other if costume.skirt is not None else None
            sleeves = dimmed(other, 0.92) if costume.sleeves is not None else None
            costume = replace(
                costume, top=other, skirt=skirt, sleeves=sleeves, collar=dimmed(other, 0.8) if costume.collar else None
            )
    return costume, skull


def is_worn(art_id: str) -> bool:
    """Whether a thing is put on, rather than held."""
    return art_id in _GARMENTS or art_id in _HATS or art_id in _EYEWEAR
