"""The four-legged animals that are drawn: proportions, colours, and what a word of the prompt makes of them."""

from dataclasses import replace

from understudy.engines.previz.pictures.canvas import Rgb
from understudy.engines.previz.pictures.figures.beast import Breed
from understudy.engines.previz.pictures.light import dimmed, mix

_CAT = Breed(
    chest=(0.24, 0.44),
    rump=(-0.28, 0.45),
    fore=(0.19, 0.17, 0.06),
    hind=(0.20, 0.19, 0.10),
    deep=0.135,
    tuck=0.122,
    neck=(0.17, 0.20),
    neck_wide=(0.21, 0.17),
    skull=0.150,
    muzzle=(0.28, 0.34),
    ears="prick",
    tail=(0.58, 0.068, 0.052),
    tail_up=0.75,
    thick=(0.105, 0.062),
    fur=(0.93, 0.60, 0.28),
    belly=(0.99, 0.93, 0.84),
    iris=(0.50, 0.70, 0.26),
    nose=(0.84, 0.44, 0.46),
    is_cat=True,
)
_DOG = Breed(
    chest=(0.26, 0.46),
    rump=(-0.30, 0.46),
    fore=(0.20, 0.19, 0.06),
    hind=(0.22, 0.20, 0.11),
    deep=0.160,
    tuck=0.120,
    neck=(0.18, 0.25),
    neck_wide=(0.23, 0.17),
    skull=0.140,
    muzzle=(0.72, 0.42),
    ears="drop",
    tail=(0.36, 0.070, 0.040),
    tail_up=0.85,
    thick=(0.110, 0.066),
    fur=(0.86, 0.64, 0.38),
    belly=(0.97, 0.90, 0.78),
)
_HORSE = Breed(
    chest=(0.24, 0.50),
    rump=(-0.28, 0.52),
    fore=(0.22, 0.20, 0.08),
    hind=(0.23, 0.22, 0.10),
    deep=0.162,
    tuck=0.148,
    neck=(0.25, 0.33),
    neck_wide=(0.27, 0.12),
    skull=0.078,
    muzzle=(1.15, 0.46),
    ears="horse",
    tail=(0.46, 0.060, 0.085),
    tail_up=-0.95,
    thick=(0.082, 0.046),
    fur=(0.52, 0.32, 0.20),
    mane=(0.16, 0.10, 0.08),
    hoofed=True,
    iris=(0.16, 0.09, 0.05),
)
_BEAR = Breed(
    chest=(0.26, 0.50),
    rump=(-0.28, 0.49),
    fore=(0.21, 0.19, 0.06),
    hind=(0.21, 0.20, 0.09),
    deep=0.215,
    tuck=0.195,
    neck=(0.23, 0.15),
    neck_wide=(0.34, 0.27),
    skull=0.178,
    muzzle=(0.52, 0.44),
    ears="round",
    tail=(0.07, 0.09, 0.06),
    tail_up=0.2,
    thick=(0.150, 0.112),
    fur=(0.50, 0.33, 0.22),
)
_DEER = replace(
    _HORSE,
    chest=(0.23, 0.50),
    rump=(-0.25, 0.51),
    deep=0.135,
    tuck=0.118,
    neck=(0.17, 0.27),
    neck_wide=(0.19, 0.10),
    skull=0.074,
    muzzle=(0.86, 0.40),
    tail=(0.10, 0.07, 0.05),
    tail_up=-0.2,
    thick=(0.066, 0.034),
    fur=(0.72, 0.47, 0.27),
    belly=(0.96, 0.88, 0.76),
    mane=None,
    antlers=(0.52, 0.38, 0.26),
)
_COW = replace(
    _HORSE,
    deep=0.205,
    tuck=0.190,
    chest=(0.26, 0.50),
    rump=(-0.30, 0.51),
    neck=(0.25, 0.12),
    neck_wide=(0.28, 0.18),
    skull=0.100,
    muzzle=(0.72, 0.48),
    tail=(0.40, 0.036, 0.026),
    tail_up=-1.15,
    thick=(0.092, 0.056),
    fur=(0.95, 0.94, 0.92),
    mane=None,
    spots=(0.17, 0.15, 0.16),
    tail_tip=(0.17, 0.15, 0.16),
)
_BREEDS: dict[str, Breed] = {
    "bear": _BEAR,
    "polar-bear": replace(_BEAR, fur=(0.95, 0.95, 0.93), neck=(0.26, 0.13), muzzle=(0.66, 0.42)),
    "panda": replace(
        _BEAR,
        fur=(0.96, 0.95, 0.93),
        limbs=(0.16, 0.15, 0.17),
        patches=(0.13, 0.12, 0.14),
        ear_fur=(0.14, 0.13, 0.15),
        skull=0.196,
        muzzle=(0.40, 0.40),
        sits_to_eat=True,
    ),
    "raccoon": replace(
        _DOG,
        ears="round",
        fur=(0.52, 0.51, 0.53),
        belly=(0.80, 0.79, 0.78),
        patches=(0.14, 0.13, 0.15),
        socks=(0.20, 0.18, 0.19),
        tail=(0.46, 0.10, 0.10),
        tail_up=-0.1,
        tail_tip=(0.16, 0.15, 0.16),
        muzzle=(0.56, 0.36),
        chest=(0.24, 0.40),
        rump=(-0.28, 0.42),
        fore=(0.17, 0.16, 0.05),
        hind=(0.19, 0.18, 0.10),
        deep=0.165,
        tuck=0.150,
    ),
    "otter-on-land": replace(
        _DOG,
        chest=(0.28, 0.38),
        rump=(-0.27, 0.36),
        fore=(0.15, 0.14, 0.05),
        hind=(0.14, 0.14, 0.08),
        deep=0.165,
        tuck=0.165,
        neck=(0.18, 0.22),
        neck_wide=(0.27, 0.23),
        skull=0.175,
        muzzle=(0.34, 0.42),
        ears="round",
        tail=(0.44, 0.14, 0.05),
        tail_up=-0.45,
        thick=(0.105, 0.075),
        fur=(0.47, 0.32, 0.23),
        belly=(0.80, 0.66, 0.52),
    ),
    "deer": _DEER,
    "cow": _COW,
    "cat": _CAT,
    "black-cat": replace(_CAT, fur=(0.15, 0.14, 0.17), belly=None, iris=(0.86, 0.78, 0.22), nose=(0.30, 0.24, 0.27)),
    "dog": _DOG,
    "guide-dog": replace(_DOG, fur=(0.92, 0.80, 0.56)),
    "service-dog": replace(_DOG, fur=(0.30, 0.24, 0.20), belly=(0.72, 0.52, 0.32)),
    "horse": _HORSE,
    "zebra": replace(_HORSE, fur=(0.94, 0.94, 0.93), stripes=(0.12, 0.12, 0.14), mane=(0.12, 0.12, 0.14)),
    "unicorn": replace(_HORSE, fur=(0.97, 0.96, 0.99), mane=(0.86, 0.56, 0.86), horn=(0.96, 0.82, 0.42)),
    "donkey": replace(_HORSE, fur=(0.56, 0.53, 0.52), mane=(0.26, 0.24, 0.24), neck=(0.23, 0.24), skull=0.086),
    "wolf": replace(
        _DOG,
        ears="prick",
        fur=(0.47, 0.49, 0.54),
        belly=(0.86, 0.87, 0.90),
        tail=(0.44, 0.08, 0.11),
        tail_up=-0.35,
        muzzle=(0.80, 0.38),
        iris=(0.85, 0.66, 0.20),
    ),
    "fox": replace(
        _DOG,
        ears="prick",
        fur=(0.91, 0.45, 0.17),
        belly=(0.98, 0.95, 0.90),
        tail=(0.56, 0.09, 0.15),
        tail_up=-0.1,
        muzzle=(0.78, 0.32),
        tail_tip=(0.99, 0.97, 0.94),
        socks=(0.22, 0.15, 0.13),
        thick=(0.09, 0.055),
    ),
    "tiger": replace(
        _CAT,
        chest=(0.27, 0.46),
        rump=(-0.32, 0.47),
        deep=0.17,
        tuck=0.14,
        fur=(0.95, 0.58, 0.18),
        stripes=(0.14, 0.10, 0.08),
        ears="round",
        iris=(0.80, 0.66, 0.20),
        thick=(0.13, 0.085),
        muzzle=(0.42, 0.44),
    ),
    "lion": replace(
        _CAT,
        chest=(0.27, 0.46),
        rump=(-0.32, 0.47),
        deep=0.17,
        tuck=0.14,
        fur=(0.88, 0.66, 0.36),
        ruff=(0.55, 0.31, 0.14),
        ears="round",
        iris=(0.70, 0.48, 0.16),
        thick=(0.13, 0.085),
        muzzle=(0.48, 0.46),
        tail_tip=(0.48, 0.28, 0.14),
    ),
    "leopard": replace(
        _CAT, chest=(0.27, 0.44), rump=(-0.32, 0.45), fur=(0.92, 0.72, 0.36), spots=(0.36, 0.22, 0.12), ears="round"
    ),
}
# Natural coats in which a seed may choose.
_COATS: dict[str, tuple[Rgb, ...]] = {
    "cat": ((0.93, 0.60, 0.28), (0.56, 0.55, 0.58), (0.72, 0.56, 0.42), (0.95, 0.92, 0.88)),
    "dog": ((0.86, 0.64, 0.38), (0.62, 0.40, 0.24), (0.93, 0.84, 0.70), (0.40, 0.30, 0.24)),
    "horse": ((0.52, 0.32, 0.20), (0.40, 0.24, 0.16), (0.66, 0.42, 0.24)),
}
# Words of the prompt that name a breed.
_WORDS: dict[str, dict[str, object]] = {
    "husky": {"fur": (0.44, 0.47, 0.53), "belly": (0.97, 0.97, 0.98), "ears": "prick", "iris": (0.45, 0.70, 0.92)},
    "shepherd": {"fur": (0.50, 0.35, 0.20), "belly": (0.80, 0.60, 0.36), "ears": "prick"},
    "golden retriever": {"fur": (0.92, 0.72, 0.40), "tail": (0.44, 0.09, 0.10)},
    "labrador": {"fur": (0.93, 0.82, 0.58)},
    "corgi": {
        "fur": (0.90, 0.58, 0.28),
        "belly": (0.99, 0.97, 0.94),
        "ears": "prick",
        "chest": (0.26, 0.36),
        "rump": (-0.30, 0.36),
        "fore": (0.13, 0.13, 0.05),
        "hind": (0.14, 0.14, 0.08),
    },
    "shiba": {"fur": (0.90, 0.58, 0.30), "belly": (0.99, 0.95, 0.88), "ears": "prick", "tail_up": 1.4},
    "dalmatian": {"fur": (0.97, 0.97, 0.96), "belly": (0.97, 0.97, 0.96), "spots": (0.12, 0.12, 0.14)},
    "tabby": {"fur": (0.62, 0.52, 0.42), "stripes": (0.30, 0.23, 0.18)},
    "siamese": {"fur": (0.93, 0.87, 0.77), "socks": (0.30, 0.22, 0.20), "iris": (0.36, 0.62, 0.94)},
    "persian": {"fur": (0.96, 0.94, 0.92), "iris": (0.86, 0.60, 0.22)},
    "ginger": {"fur": (0.92, 0.56, 0.24), "stripes": (0.76, 0.40, 0.14)},
    "kitten": {"skull": 0.185, "neck": (0.15, 0.19)},
    "puppy": {"skull": 0.180, "muzzle": (0.50, 0.40), "neck": (0.16, 0.22)},
    "pony": {
        "chest": (0.24, 0.44),
        "rump": (-0.28, 0.45),
        "fore": (0.18, 0.17, 0.07),
        "hind": (0.19, 0.18, 0.09),
        "skull": 0.090,
    },
    "stallion": {"fur": (0.12, 0.11, 0.13), "mane": (0.06, 0.06, 0.07)},
}


def is_bred(art_id: str) -> bool:
    """Whether an animal of this picture is drawn."""
    return art_id in _BREEDS


def breed_of(art_id: str, word: str, *, tint: Rgb | None, choice: float) -> Breed:
    """The animal of a picture. word: as the prompt calls it; tint: the colour it names; choice 0..1: by seed."""
    breed = _BREEDS[art_id]
    coats = _COATS.get(art_id, ())
    if coats:
        fur = coats[min(int(choice * len(coats)), len(coats) - 1)]
        breed = replace(breed, fur=fur, belly=mix(fur, (1.0, 0.98, 0.95), 0.72) if breed.belly is not None else None)
    for name, changes in _WORDS.items():
        if name in word.lower():
            breed = replace(breed, **changes)  # type: ignore[arg-type]
    if tint is not None:
        is_dark = sum(tint) < 0.8
        belly = None if is_dark or breed.belly is None else mix(tint, (1.0, 1.0, 1.0), 0.6)
        mane = dimmed(tint, 0.5) if breed.mane is not None else None
        breed = replace(breed, fur=tint, belly=belly, mane=mane)
        if is_dark and breed.is_cat:
            breed = replace(breed, iris=(0.86, 0.78, 0.22), nose=(0.30, 0.24, 0.27))
    return breed
